"""Exposures of one contract of each row, dealer long one: what positions are weighed with.

Independent of positions, so that every view and every error of a tick reads from one:
a total is Σ u·x, and its variance comes from the same u.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gexterm.exposure.scope import DAY_SECONDS, Mask, multipliers
from gexterm.exposure.strikes import finite_charm
from gexterm.market.chain import CALL, PUT
from gexterm.pricing.surface import Surface

F64 = NDArray[np.float64]

QUANTITIES = ("gex", "delta", "vega", "vanna", "charm_day", "charm_hour", "decay")
"""The exposures, in the order of `UnitExposures.values`; units as in `strikes`."""


@dataclass(frozen=True, eq=False, slots=True)
class UnitExposures:
    """What one contract of each row adds to every total. n rows."""

    values: F64
    """One block per quantity, in the order of `QUANTITIES`; 0 where not known.
    Shape (7, 2, n)."""
    known: Mask
    """Whether the row has greeks. Shape (n,)."""

    def of(self, name: str) -> F64:
        """One quantity by its name. Shape (2, n)."""
        block: F64 = self.values[QUANTITIES.index(name)]
        return block


def unit_exposures(surface: Surface, settling: Mask | None = None) -> UnitExposures:
    """The exposures of one contract of every row.

    `settling`, shape (E,), says for which expiries `decay` is wanted, as in
    `strikes.row_exposures`; None means those that settle within 24 hours.
    """
    layout, spot = surface.layout, surface.spot
    size = multipliers(layout)[layout.expiry]
    dollars = size * spot
    out = np.zeros((len(QUANTITIES), 2, len(layout)))
    gex, delta, vega, vanna, charm_day, charm_hour, decay = out
    gex[:] = surface.gamma * dollars * (0.01 * spot)
    np.multiply(surface.delta, dollars, out=delta)
    vega[:] = surface.vega * size
    vanna[:] = surface.vanna * dollars
    np.multiply(surface.charm, dollars, out=charm_day)
    step, put_extra = finite_charm(surface)
    np.multiply(step, dollars, out=charm_hour[CALL])
    np.multiply(step + put_extra, dollars, out=charm_hour[PUT])
    if settling is None:
        settling = (surface.seconds > 0.0) & (surface.seconds <= DAY_SECONDS)
    for e in np.flatnonzero(settling):
        rows = layout.slice(int(e))
        at_close = np.heaviside(spot - layout.strike[rows], 0.5)
        decay[CALL, rows] = (at_close - surface.delta[CALL, rows]) * dollars[rows]
        decay[PUT, rows] = (at_close - 1.0 - surface.delta[PUT, rows]) * dollars[rows]
    known = np.isfinite(surface.gamma)
    if not known.all():
        out[..., ~known] = 0.0
    return UnitExposures(out, known)
