"""A made-up market whose forward, rate and smile are known, quoted as markets quote."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from gexterm.market.chain import Layout, Rows, build_layout
from gexterm.market.contracts import Contract, Exercise, Expiry, Right, Settlement
from gexterm.pricing.black import price

F64 = NDArray[np.float64]
NOW = 1_700_000_000_000_000_000
DAY_S = 86_400.0
HOUR_S = 3_600.0
Smile = Callable[[F64, float], F64]


def skewed(k: F64, years: float) -> F64:
    """An index smile: steeper and higher the shorter, with a floor to the right."""
    z = k / np.sqrt(years)
    return 0.11 + 0.06 * (np.sqrt((z - 0.12) ** 2 + 0.09) - (z - 0.12)) + 0.04 * np.abs(z) * 0.2


def flat(level: float) -> Smile:
    return lambda k, years: np.full_like(k, level)


def layout_of(
    seconds: Sequence[float],
    strikes: Sequence[F64] | F64,
    exercise: Exercise = Exercise.EUROPEAN,
) -> Layout:
    """One expiry per number of seconds from `NOW`; one grid of strikes, or one for each."""
    first = dt.date(2023, 11, 14)
    settles = {first + dt.timedelta(days=i): NOW + round(s * 1e9) for i, s in enumerate(seconds)}

    def expiry_of(root: str, date: dt.date) -> Expiry:
        at = settles[date]
        return Expiry(root, date, Settlement.PM, at, at, exercise=exercise)

    contracts = []
    for i, date in enumerate(settles):
        grid = strikes if isinstance(strikes, np.ndarray) else strikes[i]
        contracts += [
            Contract("SPXW", date, right, float(strike))
            for strike in grid
            for right in (Right.CALL, Right.PUT)
        ]
    return build_layout(contracts, expiry_of)


def ticks(value: F64) -> F64:
    return np.where(value < 3.0, 0.05, 0.10)


def quoted(
    layout: Layout,
    *,
    spot: float = 6000.0,
    rate: float = 0.04,
    dividend: float = 0.01,
    smile: Smile = skewed,
    spread_ticks: float = 1.0,
    wider: float = 0.004,
    stale_share: float = 0.0,
    stale_move: float = 8.0,
    seed: int = 1,
    exact: bool = False,
    as_of: int = NOW,
    given_spot: float | None = None,
) -> Rows:
    """Quotes around fair values: rounded outwards to ticks, a share of them old.

    A stale quote is one made when spot was up to `stale_move` points elsewhere. `exact`
    quotes fair values with a spread of 2e-9 of them instead.
    """
    rng = np.random.default_rng(seed)
    years_of = np.array([max(e.seconds_left(as_of), 60.0) / (365 * DAY_S) for e in layout.expiries])
    T = years_of[layout.expiry]
    K = layout.strike
    D = np.exp(-rate * T)
    sign = np.array([[1.0], [-1.0]])

    def fair(at: float) -> F64:
        F = at * np.exp((rate - dividend) * T)
        sigma = np.concatenate(
            [smile(np.log(K / F)[layout.slice(i)], t) for i, t in enumerate(years_of)]
        )
        return np.stack([price(F, K, T, D, sigma, s) for s in sign[:, 0]])

    value = fair(spot)
    if exact:
        bid, ask = value * (1 - 1e-9), value * (1 + 1e-9)
    else:
        half = ticks(value) * 0.5 * spread_ticks * (1.0 + rng.random(value.shape)) + wider * value
        bid = np.maximum(np.floor((value - half) / ticks(value) + 1e-9), 0.0) * ticks(value)
        ask = np.maximum(np.ceil((value + half) / ticks(value) - 1e-9), 1.0) * ticks(value)
        old = rng.random(value.shape) < stale_share
        if old.any():
            then = fair(spot + stale_move * rng.choice([-1.0, 1.0]))
            shift = then - value
            bid = np.where(old, np.maximum(bid + shift, 0.0), bid)
            ask = np.where(old, np.maximum(ask + shift, bid + 0.05), ask)
    return rows_of(layout, bid, ask, spot if given_spot is None else given_spot, as_of)


def rows_of(layout: Layout, bid: F64, ask: F64, spot: float, as_of: int = NOW) -> Rows:
    shape = (2, len(layout))
    return Rows(
        layout=layout,
        as_of=as_of,
        spot=spot,
        bid=bid,
        ask=ask,
        bid_size=np.ones(shape),
        ask_size=np.ones(shape),
        open_interest=np.ones(shape),
        volume=np.zeros(shape),
        quote_ts=np.full(shape, as_of, np.int64),
    )


def listed_strikes(spot: float, years: float, count: int, step: float = 5.0) -> F64:
    """Strikes as an index lists them: dense at the money, coarse far out."""
    z = np.sinh(np.linspace(-2.6, 1.7, count)) * 0.9
    strikes = spot * np.exp(z * 0.18 * np.sqrt(max(years, 2e-3)))
    return np.unique(np.maximum(np.round(strikes / step) * step, step))
