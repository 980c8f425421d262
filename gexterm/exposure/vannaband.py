"""How far off the vanna stochastic of an uncertain book may be.

A ratio of a value to the largest of a curve is not linear, so books are drawn: not row by
row, but at the spots that matter, which are jointly normal. Those are today's spot, the
turning points of the expected curve and a coarse grid, since another book may be
steepest elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gexterm.dealers.belief import Belief
from gexterm.exposure.draws import DrawSettings, both_signs, common, normals, quiet_product
from gexterm.exposure.profile import repriced_rows
from gexterm.exposure.scope import Mask
from gexterm.exposure.vanna import Normalise, VegaCurve, after_today
from gexterm.pricing.surface import Surface

F64 = NDArray[np.float64]
NAN = float("nan")
_COARSE = 8
_PEAKS = 8


@dataclass(frozen=True, slots=True)
class StochasticBand:
    """Band of the vanna stochastic."""

    low: float = NAN
    """10th percentile, −1 to 1; NaN without positions."""
    high: float = NAN
    """90th percentile, −1 to 1."""


def vanna_band(
    surface: Surface,
    belief: Belief,
    curve: VegaCurve,
    scope: Mask | None = None,
    normalise: Normalise = "global",
    draws: DrawSettings | None = None,
) -> StochasticBand:
    """Band of the stochastic of `curve`, which is that of the belief's mean.

    `scope` and `normalise` as for `vega_curve`. Costs some milliseconds on a full chain:
    once a second is often enough.
    """
    draws = draws or DrawSettings()
    chosen = after_today(surface) if scope is None else scope
    spots = curve.spots[_candidates(curve, surface.spot)] if len(curve.spots) else curve.spots
    if not np.isfinite(curve.stochastic) or len(spots) == 0:
        return StochasticBand()
    t = np.log(spots / surface.spot)
    held = np.any(belief.mean != 0.0, axis=0) | np.any(belief.variance > 0.0, axis=0)
    held |= np.any(belief.shared != 0.0, axis=(0, 1))
    part = repriced_rows(surface, held, chosen, float(t[0]), float(t[-1]))
    expiry = surface.layout.expiry[part.rows]
    # vanna = 0.01 A n(d1) √T (−d2/w); the factors that all rows share drop out.
    slope = 1.0 / part.w
    amount = part.size * part.carry * np.sqrt(surface.years)[expiry] * slope
    unit = np.empty((len(t), len(part.rows)))
    for line, move in zip(unit, t, strict=True):
        d1 = part.d1 + slope * move
        np.multiply(d1, d1, out=line)
        line *= -0.5
        np.exp(line, out=line)
        np.subtract(part.w, d1, out=d1)
        line *= d1
        line *= amount
    mean = np.einsum("sr,r->s", unit, belief.mean[:, part.rows].sum(axis=0))
    shared = np.einsum("kr,sr->ks", belief.shared.sum(axis=1)[:, part.rows], unit)
    unit *= np.sqrt(belief.variance[:, part.rows].sum(axis=0))
    off = _root(quiet_product(unit, unit.T)) @ normals(len(t), draws.draws // 2, draws.seed)
    if len(shared):
        off += common(shared, draws)
    drawn = both_signs(mean, off)
    here = drawn[int(np.argmin(np.abs(t)))]
    size = np.abs(drawn)
    if normalise == "per sign":
        size = np.where(np.sign(drawn) == np.sign(here), size, 0.0)
    steepest = size.max(axis=0)
    some = steepest > 0.0
    if not some.any():
        return StochasticBand()
    known = np.sort(here[some] / steepest[some])
    tail = 0.5 * (1.0 - draws.coverage) * (len(known) - 1)
    return StochasticBand(
        float(known[int(np.floor(tail))]), float(known[int(np.ceil(len(known) - 1 - tail))])
    )


def _candidates(curve: VegaCurve, spot: float) -> NDArray[np.intp]:
    """Where on the curve to draw: spot, the largest turning points, every eighth point."""
    size = np.abs(curve.vanna)
    inner = (size[1:-1] >= size[:-2]) & (size[1:-1] >= size[2:])
    peaks = np.concatenate([[0], 1 + np.flatnonzero(inner), [len(size) - 1]])
    peaks = peaks[np.argsort(-size[peaks], kind="stable")[:_PEAKS]]
    here = int(np.argmin(np.abs(curve.spots - spot)))
    chosen = np.concatenate([peaks, [here], np.arange(0, len(size), _COARSE)])
    return np.unique(chosen).astype(np.intp)


def _root(covariance: F64) -> F64:
    """Lower triangular root of a covariance that may be singular. Same shape."""
    size = float(np.diagonal(covariance).max(initial=0.0))
    if not size > 0.0:
        return np.zeros_like(covariance)
    # Neighbouring spots are nearly one number; unlike eigenvectors, this root is continuous.
    root = np.linalg.cholesky(covariance + 1e-9 * size * np.eye(len(covariance)))
    return np.asarray(root, np.float64)
