"""What the dealer trades, in $ of delta: the opposite of what the book gains.

±1 % is a full revaluation of the book's delta at the other spot, volatility attached
to the strike: with hours to expiry, gamma at spot says little about the next per cent.
The trade is valued at today's spot, so that a small move comes out as −GEX. One vol
point more, everywhere at once, and the next hour are what the panels beside it show
(−vanna, −charm), so that the numbers agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from gexterm.exposure.profile import repriced_rows
from gexterm.exposure.scope import Mask, contracts
from gexterm.exposure.strikes import Totals
from gexterm.pricing.surface import Surface

F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HedgeFlow:
    """$ of delta that dealers trade; positive: they buy. NaN not known."""

    per_up_1pct: float
    """When spot rises 1 %."""
    per_down_1pct: float
    """When spot falls 1 %."""
    per_vol_point: float
    """When volatility rises one point at every strike."""
    per_hour: float
    """In the next hour, or until settlement if that is sooner, spot unmoved."""


def hedge_flow(
    surface: Surface,
    positions: F64,
    totals: Totals,
    scope: Mask | None = None,
    move: float = 0.01,
) -> HedgeFlow:
    """Dealer trades for a move up and down, a vol point and an hour.

    `positions` has shape (2, n); `totals` are those of the same positions and scope.
    """
    if np.isnan(totals.gex):
        nan = float("nan")
        return HedgeFlow(nan, nan, nan, nan)
    up, down = delta_gained(surface, positions, np.array([move, -move]), scope)
    return HedgeFlow(-up, -down, -totals.vanna, -totals.charm_hour)


def delta_gained(
    surface: Surface, positions: F64, moves: F64, scope: Mask | None = None
) -> tuple[float, ...]:
    """Delta that the book gains when spot moves by each fraction of itself, $ at today's spot.

    Σ x·M·A·{N(d1(s)) − N(d1(S))}·S: a call and a put of one strike gain the same.
    """
    x = contracts(positions).sum(axis=0)
    t = np.log1p(moves)
    part = repriced_rows(
        surface, x != 0.0, scope, min(0.0, float(t.min())), max(0.0, float(t.max()))
    )
    amount = x[part.rows] * part.size * part.carry * surface.spot
    now = ndtr(part.d1)
    return tuple(float(((ndtr(part.d1 + at / part.w) - now) * amount).sum()) for at in t)
