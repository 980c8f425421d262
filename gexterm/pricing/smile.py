"""The smiles of all expiries, as fitted: evaluated at any strike.

A smile is total variance v against log-moneyness k = ln(K/F). Two forms:

* spline: ln v is a cubic spline in u = asinh(z), z = k/(σ_atm √T). In u the strikes
  around the money, where the curvature is, lie as far apart as those of the wings,
  and variance is positive by construction. Beyond the quoted strikes v goes on
  linearly in k, its slope between 0 and 2 (Lee's moment formula).
* SVI: v = a + b (ρ (k − m) + √((k − m)² + s²)), raw, with its own wings
  (Gatheral & Jacquier, arXiv:1204.0646).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gexterm.pricing.work import Work

F64 = NDArray[np.float64]
INT = NDArray[np.intp]

CELLS = 20
"""Intervals of the spline of every expiry."""
BASIS = np.array([[1, 4, 1, 0], [-3, 0, 3, 0], [3, -6, 3, 0], [-1, 3, -3, 1]], np.float64) / 6.0
"""Uniform cubic B-splines on one interval: power of the fraction by coefficient."""


@dataclass(frozen=True, eq=False, slots=True)
class Smiles:
    """Fitted smiles of E expiries. NaN everywhere where an expiry has none."""

    kind: tuple[str, ...]
    """`svi`, `spline`, `quadratic`, `line`, `flat`, `previous` or `none`, by expiry."""
    years: F64
    """Years to settlement that turn variance into volatility. Shape (E,)."""
    width: F64
    """σ_atm √T, the unit of z. Shape (E,)."""
    first: F64
    """u of the left end of the spline. Shape (E,)."""
    step: F64
    """Length of its intervals, in u. Shape (E,)."""
    powers: F64
    """ln v on each interval by powers of the fraction of it. Shape (4, E, CELLS)."""
    low_k: F64
    """k of the lowest strike fitted, where the left wing begins. Shape (E,)."""
    low_v: F64
    """v there. Shape (E,)."""
    low_slope: F64
    """dv/dk there; at most 0. Shape (E,)."""
    high_k: F64
    """k of the highest strike fitted. Shape (E,)."""
    high_v: F64
    """v there. Shape (E,)."""
    high_slope: F64
    """dv/dk there; at least 0. Shape (E,)."""
    svi: F64
    """a, b, ρ, m, s of raw SVI; NaN where the smile is none. Shape (5, E)."""

    def total_variance(self, expiry: INT, k: F64, work: Work | None = None) -> F64:
        """Total variance σ²T at log-moneyness k of the expiry numbered; shapes (n,)."""
        with np.errstate(all="ignore"):
            v = spline_variance(self, expiry, k, work or Work())
            analytic = np.isfinite(self.svi[0])
            if analytic.any():
                at = np.flatnonzero(analytic[expiry])
                e = expiry[at]
                v[at] = svi_variance(self.svi[:, e], k[at])
        return v

    def iv(self, expiry: INT, k: F64, work: Work | None = None) -> F64:
        """Volatility as a fraction, per year of 365 days; shapes (n,)."""
        v = self.total_variance(expiry, k, work)
        with np.errstate(all="ignore"):
            v /= self.years[expiry]
            return np.sqrt(v, out=v)

    def borrow(self, other: Smiles, at: INT, factor: F64, kind: str) -> Smiles:
        """These smiles, with those of `other` times `factor` at the expiries `at`."""
        own = {name: getattr(self, name).copy() for name in _PER_EXPIRY}
        for name, array in own.items():
            array[at] = getattr(other, name)[at] * (factor if name in _VARIANCES else 1.0)
        powers, svi = self.powers.copy(), self.svi.copy()
        powers[:, at] = other.powers[:, at]
        powers[0, at] += np.log(factor)[:, None]
        svi[:, at] = other.svi[:, at]
        svi[:2, at] *= factor
        names = list(self.kind)
        for e in at:
            names[e] = kind
        return Smiles(kind=tuple(names), years=self.years, powers=powers, svi=svi, **own)

    def atm_iv(self) -> F64:
        """Volatility at the forward of every expiry. Shape (E,)."""
        E = len(self.years)
        return self.iv(np.arange(E), np.zeros(E))


_VARIANCES = ("low_v", "low_slope", "high_v", "high_slope")
_PER_EXPIRY = ("width", "first", "step", "low_k", "high_k", *_VARIANCES)


def svi_variance(parameters: F64, k: F64) -> F64:
    """Raw SVI: a + b (ρ (k − m) + √((k − m)² + s²)); parameters (5, n) or (5,)."""
    a, b, rho, m, s = parameters
    d = k - m
    return np.asarray(a + b * (rho * d + np.sqrt(d * d + s * s)), np.float64)


def locate(expiry: INT, k: F64, width: F64, first: F64, step: F64, work: Work) -> tuple[INT, F64]:
    """Cell (expiry · CELLS + interval) and fraction within it of every k.

    The fraction is a scratch array; outside the spline it leaves [0, 1].
    """
    n = len(k)
    z, u, part = work.arrays("locate", 3, n)
    (1.0 / width).take(expiry, out=z, mode="clip")
    z *= k
    # asinh |z| = ln(|z| + √(z² + 1)), in vectorised functions only
    np.multiply(z, z, out=u)
    u += 1.0
    np.sqrt(u, out=u)
    np.abs(z, out=part)
    u += part
    np.log(u, out=u)
    np.copysign(u, z, out=u)
    u -= first.take(expiry, out=part, mode="clip")
    u *= (1.0 / step).take(expiry, out=part, mode="clip")
    np.floor(u, out=part)
    # fmax and fmin drop a NaN, which has no cell.
    np.fmax(part, 0.0, out=part)
    np.fmin(part, CELLS - 1.0, out=part)
    u -= part
    cell = part.astype(np.intp)
    cell += expiry * CELLS
    return cell, u


def spline_variance(smiles: Smiles, expiry: INT, k: F64, work: Work) -> F64:
    """Total variance by spline and linear wings, whatever the kind. A fresh array."""
    cell, part = locate(expiry, k, smiles.width, smiles.first, smiles.step, work)
    c = smiles.powers.reshape(4, -1)
    v: F64 = c[3].take(cell, mode="clip")
    other = work.array("spline.other", len(k))
    for power in (2, 1, 0):
        v *= part
        v += c[power].take(cell, out=other, mode="clip")
    np.exp(v, out=v)
    at = np.flatnonzero(k < smiles.low_k.take(expiry))
    if len(at):
        e = expiry[at]
        v[at] = smiles.low_v[e] + smiles.low_slope[e] * (k[at] - smiles.low_k[e])
    at = np.flatnonzero(k > smiles.high_k.take(expiry))
    if len(at):
        e = expiry[at]
        v[at] = smiles.high_v[e] + smiles.high_slope[e] * (k[at] - smiles.high_k[e])
    return v
