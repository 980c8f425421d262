"""A priced chain in another market: spot elsewhere, volatilities higher, later.

Forwards go with spot, and roll as charm has it (`exposure.strikes.rolled`): the carry and
the interest rate of every expiry stay. A strike keeps its volatility (sticky strike), or
reads its expiry's smile where its moneyness now is (sticky moneyness); then every
volatility moves by the same points. Nothing is fitted anew.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gexterm.exposure.profile import Repricing
from gexterm.exposure.strikes import rolled
from gexterm.pricing.black import row_greeks
from gexterm.pricing.chain import FLOOR_S, YEAR_S
from gexterm.pricing.surface import Surface
from gexterm.pricing.work import Work

F64 = NDArray[np.float64]

LEAST_IV = 0.01
"""No volatility falls below one vol point by being supposed lower, as a fraction."""


def moved(
    surface: Surface,
    *,
    spot_change: float = 0.0,
    vol: float = 0.0,
    later_s: float = 0.0,
    repricing: Repricing = "sticky strike",
    work: Work | None = None,
) -> Surface:
    """The chain with spot times 1 + `spot_change`, volatilities + `vol`, `later_s` seconds on.

    `vol` is a fraction. What has settled by then is NaN throughout, as when it has settled
    in truth. Without a move the greeks are those of `surface` to rounding. Smiles are not
    handed on: they are those of the market there is.
    """
    layout = surface.layout
    spot = surface.spot * (1.0 + spot_change)
    seconds = surface.seconds - later_s
    years = np.maximum(seconds, FLOOR_S) / YEAR_S
    alive = seconds > 0.0
    roll, _, _ = rolled(surface, years)
    with np.errstate(invalid="ignore", divide="ignore"):
        grown = (1.0 + spot_change) * np.exp(roll)
        discount = surface.discount ** (years / surface.years)
        carry = surface.carry
        if carry is None:
            carry = np.log(surface.forward / surface.spot) / surface.years
    forward, low, high = (
        np.where(alive, line * grown, np.nan)
        for line in (surface.forward, surface.forward_low, surface.forward_high)
    )
    expiry = layout.expiry.astype(np.intp)
    iv, atm = volatilities(surface, spot_change, vol, forward, repricing)
    iv[~alive[expiry]] = np.nan
    atm[~alive] = np.nan
    live_years = np.where(alive, years, np.nan)
    greeks = row_greeks(
        spot,
        forward[expiry],
        layout.strike,
        live_years[expiry],
        discount[expiry],
        iv,
        carry[expiry],
        work or Work(),
    )
    return Surface(
        layout=layout,
        as_of=surface.as_of + round(later_s * 1e9),
        spot=spot,
        seconds=seconds,
        years=years,
        forward=forward,
        forward_low=low,
        forward_high=high,
        discount=discount,
        atm_iv=atm,
        smile_kind=tuple(
            kind if lives else "none" for kind, lives in zip(surface.smile_kind, alive, strict=True)
        ),
        raw_iv=surface.raw_iv,
        iv_reason=surface.iv_reason,
        iv=iv,
        delta=greeks.delta,
        gamma=greeks.gamma,
        vega=greeks.vega,
        vanna=greeks.vanna,
        charm=greeks.charm,
        theta=greeks.theta,
        carry=carry,
    )


def volatilities(
    surface: Surface, spot_change: float, vol: float, forward: F64, repricing: Repricing
) -> tuple[F64, F64]:
    """Volatility of every row, (n,), and at the new `forward` of every expiry, (E,)."""
    layout, smiles = surface.layout, surface.smiles
    iv, atm = surface.iv.copy(), surface.atm_iv.copy()
    if smiles is not None:
        count = len(layout.expiries)
        every = np.arange(count)
        with np.errstate(invalid="ignore", divide="ignore"):
            if repricing == "sticky moneyness":
                if spot_change:
                    expiry = layout.expiry.astype(np.intp)
                    k = np.log(layout.strike / surface.forward[expiry]) - np.log1p(spot_change)
                    iv = smiles.iv(expiry, k)
            else:
                atm = smiles.iv(every, np.log(forward / surface.forward))
    return shifted(iv, vol), shifted(atm, vol)


def shifted(iv: F64, vol: float) -> F64:
    """Volatilities moved by `vol`, none to below `LEAST_IV` that was not there before."""
    return iv if vol == 0.0 else np.maximum(iv + vol, np.minimum(iv, LEAST_IV))
