"""Engines to ask, and exposures worked out contract by contract as a check on answers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gexterm.engine.compose import Last, Parts
from gexterm.engine.engine import Engine
from gexterm.engine.inquiry.inquirer import Inquirer
from gexterm.pricing.black import greeks
from gexterm.reading.inquiry import GREEKS
from tests.engine.tapes import filled, prints, tick

F64 = NDArray[np.float64]
HOUR = 3600.0
YEAR = 365.0 * 86_400.0


def traded(count: int = 250, seed: int = 1, **settings: str) -> Engine:
    """An engine on a chain of five expiries with prints in all of them, at 10:06."""
    engine = filled(**settings)
    rng = np.random.default_rng(seed)
    engine.apply(
        prints(
            *(
                (int(who), int(side), float(size))
                for who, side, size in zip(
                    rng.integers(0, 290, count),
                    rng.choice([-1, 1], count),
                    rng.integers(1, 60, count),
                    strict=True,
                )
            )
        )
    )
    # Twice, so that hysteresis is where it stays.
    tick(engine, 5.5)
    tick(engine, 6.0)
    return engine


def asked(**settings: str) -> Inquirer:
    """Whom to ask about `traded`."""
    return Inquirer(traded(250, 1, **settings))


def last_of(engine: Engine) -> Last:
    assert engine.last is not None
    return engine.last


def exposures_at(
    parts: Parts, spot: float, vol: float = 0.0, minutes: float = 0.0
) -> dict[str, float]:
    """The scope's exposures with spot at `spot`: every contract priced anew, one greek each.

    Sticky strike; `vol` is a fraction. From `pricing.black.greeks` and docs/definitions.md.
    """
    surface = parts.surface
    layout, held = surface.layout, parts.views.chosen.held
    total = dict.fromkeys(GREEKS, 0.0)
    assert surface.carry is not None
    for e, expiry in enumerate(layout.expiries):
        left = float(surface.seconds[e]) - 60.0 * minutes
        if left <= 0.0 or (parts.scope is not None and not parts.scope[e]):
            continue
        rows = layout.slice(e)
        strike, iv = layout.strike[rows], surface.iv[rows] + vol
        b = float(surface.carry[e])
        r = -float(np.log(surface.discount[e])) / float(surface.years[e])
        years = max(left, 60.0) / YEAR

        def at(t: float, b: float = b, r: float = r, e: int = e) -> tuple[float, float]:
            """Forward and discount with `t` years left."""
            passed = float(surface.years[e]) - t
            forward = float(surface.forward[e]) * spot / surface.spot * np.exp(-b * passed)
            return forward, float(surface.discount[e]) * np.exp(r * passed)

        for side, sign in ((0, +1.0), (1, -1.0)):
            x = np.nan_to_num(held[side, rows]) * expiry.multiplier
            forward, discount = at(years)
            now = greeks(spot, forward, strike, years, discount, iv, sign)
            if left > HOUR:
                later = (left - HOUR) / YEAR
                forward, discount = at(later)
                then = greeks(spot, forward, strike, later, discount, iv, sign).delta
            else:
                then = np.heaviside(sign * (spot - strike), 0.5) * sign
            known = np.isfinite(now.gamma)
            for name, each in (
                ("gamma", now.gamma * spot * spot * 0.01),
                ("charm", (then - now.delta) * spot),
                ("vanna", now.vanna * spot),
                ("vega", now.vega),
                ("delta", now.delta * spot),
            ):
                total[name] += float((x * each)[known].sum())
    return total
