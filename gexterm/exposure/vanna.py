"""Where spot stands on the dealer's vega curve.

    P(s)  = Σ x·M·vega(s)     book vega if spot were s, volatility attached to the strike
    P'(s) = Σ x·M·vanna(s)
    vanna stochastic = P'(S) / max |P'|      over s in [0.8 S, 1.2 S]
    vega depth       = |P(S)| / max |P|

The stochastic is 0 at an extreme of vega and ±1 where vega changes fastest; it is also
near 0 far from all strikes, which the depth beside it tells apart. The name follows the
white paper (6.c.ii); its normalisation is not published, this one is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gexterm.exposure.profile import repriced_rows
from gexterm.exposure.scope import DAY_SECONDS, Mask, contracts
from gexterm.exposure.sweep import gaussian_sums, log_grid
from gexterm.pricing.surface import Surface

F64 = NDArray[np.float64]
Normalise = Literal["global", "per sign"]
NAN = float("nan")


@dataclass(frozen=True, eq=False, slots=True)
class VegaCurve:
    """Book vega along spot."""

    spots: F64
    """Points, ascending, containing spot. Shape (g,)."""
    vega: F64
    """$ per vol point at each. Shape (g,)."""
    vanna: F64
    """Its slope, $ per vol point per point. Shape (g,)."""
    stochastic: float
    """Vanna at spot over its largest size, −1 to 1; NaN without positions."""
    depth: float
    """|Vega| at spot over its largest size, 0 to 1; NaN without positions."""


def after_today(surface: Surface, scope: Mask | None = None) -> Mask:
    """The expiries with more than a day left, within a scope. Shape (E,)."""
    later = surface.seconds > DAY_SECONDS
    return later if scope is None else later & scope


def vega_curve(
    surface: Surface,
    positions: F64,
    scope: Mask | None = None,
    normalise: Normalise = "global",
    width: float = 0.2,
    step: float = 0.0025,
) -> VegaCurve:
    """Re-price vega and vanna over [1 − width, 1 + width]·S.

    `positions` has shape (2, n); `scope`, shape (E,), defaults to the expiries with
    more than a day left. `per sign` divides by the largest vanna of spot's own sign, so
    that both ±1 are reached somewhere.
    """
    x = contracts(positions).sum(axis=0)
    chosen = after_today(surface) if scope is None else scope
    nothing = VegaCurve(np.empty(0), np.empty(0), np.empty(0), NAN, NAN)
    if not surface.spot > 0.0:
        return nothing
    first, count = log_grid(float(np.log1p(-width)), float(np.log1p(width)), step)
    part = repriced_rows(surface, x != 0.0, chosen, first, first + step * (count - 1))
    if len(part.rows) == 0:
        return nothing
    t = first + step * np.arange(count)
    spots = surface.spot * np.exp(t)
    expiry = surface.layout.expiry[part.rows]
    slope = 1.0 / part.w
    # vega = 0.01 D F(s) n(d1) √T and vanna = its slope = 0.01 A n(d1) √T (−d2/w), with
    # −d2 = w − d1 linear in t: two sums for vanna, one for vega, one exponential.
    amount = x[part.rows] * part.size * part.carry * np.sqrt(surface.years)[expiry]
    amount *= 0.01 / np.sqrt(2.0 * np.pi)
    leaning = amount * slope
    weights = np.stack([amount, leaning * (part.w - part.d1), -leaning * slope])
    sums = gaussian_sums(part.d1, slope, weights, first, step, count)
    vega = sums[0] * spots
    vanna = sums[1] + t * sums[2]
    here = int(np.argmin(np.abs(t)))
    sizes = np.abs(vanna)
    if normalise == "per sign":
        sizes = np.where(np.sign(vanna) == np.sign(vanna[here]), sizes, 0.0)
    steepest, deepest = float(sizes.max()), float(np.abs(vega).max())
    return VegaCurve(
        spots,
        vega,
        vanna,
        float(vanna[here]) / steepest if steepest > 0.0 else NAN,
        abs(float(vega[here])) / deepest if deepest > 0.0 else NAN,
    )
