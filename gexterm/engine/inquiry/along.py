"""Five exposures of one book at many spots at once.

Under sticky strikes d1 of a row is linear in t = ln(s/S), so that at spot s

    gamma    s Σ x·M·A·n(d1)/w · 0.01              $ per 1 %
    vega     s Σ x·M·A·n(d1)·√T · 0.01             $ per vol point
    vanna  − s Σ x·M·A·n(d1)·d2/σ · 0.01           $ per vol point
    delta    s {Σ x·M·A·N(d1) − Σ x_put·M·A}       $
    charm    Δ with an hour less, less Δ           $ per hour, a finite step

with A = D·F/S and x of call and put together. Rows that are wide against the stretch of
spots are analytic in t: they are summed at Chebyshev points and drawn through them, which
is exact to rounding and several times as fast.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gexterm.exposure.scope import HOUR_YEARS, YEAR_SECONDS, Mask, contracts, multipliers
from gexterm.exposure.strikes import rolled
from gexterm.market.chain import PUT
from gexterm.pricing.normal import INV_SQRT_2PI, SQRT_HALF, erfcx
from gexterm.pricing.surface import Surface
from gexterm.pricing.work import Work

F64 = NDArray[np.float64]
INT = NDArray[np.intp]

_CHEBYSHEV = ((3.0, 40), (6.0, 72))
"""Standard deviations from the middle of the stretch to its ends, and points for it."""
_BLOCK = 1 << 14
"""Rows × spots in the cache at once."""


@dataclass(frozen=True, eq=False, slots=True)
class Held:
    """The rows of a book that have greeks, and what they are weighed with. r rows."""

    spot: float
    """Spot that t counts from, points."""
    d1: F64
    """d1 at that spot. Shape (r,)."""
    slope: F64
    """1/w = 1/(σ√T). Shape (r,)."""
    later: F64
    """d1 an hour on; for rows that have settled by then ln(S/K). Shape (r,)."""
    later_slope: F64
    """1/w an hour on; infinite for rows that have settled by then. Shape (r,)."""
    bells: F64
    """Weights of n(d1)·√2π for gamma, vega, and vanna's two parts. Shape (4, r)."""
    steps: F64
    """Weights of N(d1) now and in an hour. Shape (2, r)."""
    puts: tuple[float, float]
    """What puts take off delta, now and in an hour, per point of spot."""

    def __len__(self) -> int:
        return len(self.d1)

    def only(self, rows: INT) -> Held:
        """Some of the rows, without what puts take off."""
        return Held(
            self.spot,
            self.d1[rows],
            self.slope[rows],
            self.later[rows],
            self.later_slope[rows],
            self.bells[:, rows],
            self.steps[:, rows],
            (0.0, 0.0),
        )


def hold(surface: Surface, positions: F64, scope: Mask | None) -> Held:
    """What `exposures` needs of a book; `positions` has shape (2, n), NaN = none."""
    layout = surface.layout
    x = contracts(positions)
    chosen = np.isfinite(surface.gamma) & np.any(x != 0.0, axis=0)
    if scope is not None:
        chosen &= scope[layout.expiry]
    rows = np.flatnonzero(chosen)
    expiry, strike = layout.expiry[rows], layout.strike[rows]
    size = multipliers(layout)[expiry]
    both, put = x[:, rows].sum(axis=0) * size, x[PUT, rows] * size
    left = np.maximum(surface.seconds / YEAR_SECONDS - HOUR_YEARS, 0.0)
    roll, carry, carry_later = rolled(surface, left)
    iv, root = surface.iv[rows], np.sqrt(surface.years)[expiry]
    A, A_later = carry[expiry], carry_later[expiry]
    away = np.log(surface.forward)[expiry] - np.log(strike)
    w, w_later = iv * root, iv * np.sqrt(left)[expiry]
    gone = w_later == 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        later = (away + roll[expiry]) / w_later + 0.5 * w_later
        later_slope = 1.0 / w_later
    later[gone] = np.log(surface.spot / strike[gone])
    amount = both * A * (0.01 * INV_SQRT_2PI)
    # −n(d1)·d2/σ = n(d1)·(w − d1)/σ: one part with d1, one without.
    return Held(
        spot=surface.spot,
        d1=away / w + 0.5 * w,
        slope=1.0 / w,
        later=later,
        later_slope=later_slope,
        bells=np.stack([amount / w, amount * root, amount * root, -amount / iv]),
        steps=np.stack([both * A, both * A_later]),
        puts=(float((put * A).sum()), float((put * A_later).sum())),
    )


def exposures(held: Held, t: F64, work: Work | None = None) -> F64:
    """gamma, charm, vanna, vega and delta at spots S·e^t, in `GREEKS` order. Shape (5, m)."""
    work = work or Work()
    sums = np.zeros((6, len(t)))
    for rows, points in _groups(held, t):
        if points == 0:
            sums += _sums(held.only(rows), t, work)
        else:
            nodes, through = _through(points, len(t), _normal(t))
            low, high = float(t.min()), float(t.max())
            at = 0.5 * (low + high) + 0.5 * (high - low) * nodes
            sums += np.einsum("kn,mn->km", _sums(held.only(rows), at, work), through)
    gamma, vega, vanna_even, vanna_odd, delta, delta_later = sums
    delta -= held.puts[0]
    delta_later -= held.puts[1]
    values = np.stack([gamma, delta_later - delta, vanna_even + vanna_odd, vega, delta])
    return np.asarray(values * (held.spot * np.exp(t)), np.float64)


def _normal(t: F64) -> bytes:
    """The points on the stretch from −1 to 1, as something to remember by."""
    low, high = float(t.min()), float(t.max())
    scaled = np.zeros(len(t)) if high == low else (2.0 * t - low - high) / (high - low)
    return scaled.tobytes()


def _groups(held: Held, t: F64) -> Iterator[tuple[INT, int]]:
    """Rows with the number of Chebyshev points that do for them; 0: take every spot."""
    with np.errstate(invalid="ignore"):
        reach = 0.5 * float(np.ptp(t)) * np.maximum(held.slope, held.later_slope)
    left = np.ones(len(held), np.bool_)
    for most, points in _CHEBYSHEV:
        if points >= len(t):
            break
        fit = left & (reach <= most)
        left &= ~fit
        if fit.any():
            yield np.flatnonzero(fit), points
    if left.any():
        yield np.flatnonzero(left), 0


@lru_cache(maxsize=8)
def _through(points: int, count: int, where: bytes) -> tuple[F64, F64]:
    """Chebyshev points on [−1, 1], and what leads from values there to values `where`."""
    at = np.clip(np.frombuffer(where, np.float64, count), -1.0, 1.0)
    angle = np.pi * (np.arange(points) + 0.5) / points
    k = np.arange(points)
    weight = np.where(k == 0, 1.0, 2.0) / points
    polynomials = np.cos(np.multiply.outer(np.arccos(at), k)) * weight
    return np.cos(angle), np.einsum("mk,nk->mn", polynomials, np.cos(np.multiply.outer(angle, k)))


def _sums(held: Held, t: F64, work: Work) -> F64:
    """Gamma, vega, vanna in two parts, delta now and in an hour; over s. Shape (6, m)."""
    out = np.zeros((6, len(t)))
    m = len(t)
    at_once = max(1, _BLOCK // m)
    for first in range(0, len(held), at_once):
        part = slice(first, first + at_once)
        n = len(held.d1[part])
        y, bell, cdf = (a.reshape(m, n) for a in work.arrays("along", 3, m * n))
        bells, steps = held.bells[:, part], held.steps[:, part]
        np.multiply(t[:, None], held.slope[part], out=y)
        y += held.d1[part]
        _normal_cdf(y, bell, cdf, work)
        out[4] += np.vecdot(cdf, steps[0])
        for line in range(3):
            out[line] += np.vecdot(bell, bells[line])
        bell *= y
        out[3] += np.vecdot(bell, bells[3])
        gone = np.isinf(held.later_slope[part])
        with np.errstate(invalid="ignore"):
            np.multiply(t[:, None], held.later_slope[part], out=y)
        y += held.later[part]
        if gone.any():
            # ln(s/K): one above the strike, nothing below, half at it, as at settlement.
            away = t[:, None] + held.later[part][gone]
            y[:, gone] = np.where(np.abs(away) < _AT_STRIKE, 0.0, np.sign(away) * 40.0)
        _normal_cdf(y, bell, cdf, work)
        out[5] += np.vecdot(cdf, steps[1])
    return out


_AT_STRIKE = 1e-13


def _normal_cdf(y: F64, bell: F64, out: F64, work: Work) -> None:
    """e^{−y²/2} into `bell` and N(y) into `out`."""
    flat, tail = y.ravel(), out.ravel()
    size = work.array("along.size", len(flat))
    np.multiply(y, y, out=bell)
    bell *= -0.5
    np.exp(bell, out=bell)
    np.abs(flat, out=size)
    size *= SQRT_HALF
    erfcx(size, tail, work)
    out *= bell
    out *= 0.5
    np.subtract(1.0, out, out=out, where=y > 0.0)
