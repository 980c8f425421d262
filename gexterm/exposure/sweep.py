"""Sums of Gaussians along a log-spot grid: what every re-priced profile comes down to.

Gamma, vega and vanna of a contract at another spot all carry exp(−d1²/2), and under
sticky strikes d1 is linear in t = ln(s/S). On a uniform grid of t the exponential of
a quadratic follows from its neighbour by two multiplications, so that a profile
costs a fraction of the exponentials it stands for.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

_BLOCK = 16
# A contract farther off adds nothing within a whole block (1e-90 at most), and is taken
# as being this far: 0 × inf never enters the recurrence.
_FAR = 30.0
# Up to this many exponentials are simply computed: a call of NumPy costs more than they do.
_SMALL = 1 << 16
# A contract this narrow moves by half a standard deviation per step; the recurrence
# would lose it between anchors, and there are few of them (the last hours of 0DTE).
_NARROW = 0.5
# OpenBLAS wakes its threads for dot products above 10,000 elements, which costs more
# CPU than it saves time. Rows are folded so that none is that long.
_FOLD = 8192


def log_grid(low: float, high: float, step: float) -> tuple[float, int]:
    """A grid of t = ln(s/S) that contains 0 exactly: its first value and its length.

    `low` ≤ 0 ≤ `high` and `step` are in ln terms; the grid covers [low, high].
    """
    before = int(np.ceil(-low / step - 1e-9))
    after = int(np.ceil(high / step - 1e-9))
    return -before * step, before + after + 1


def gaussian_sums(d1: F64, slope: F64, weights: F64, start: float, step: float, count: int) -> F64:
    """Σ_i weights[k, i] · exp(−½ (d1_i + slope_i t_j)²) with t_j = start + j·step.

    `d1` and `slope` have shape (n,), `weights` (k, n); returns (k, count). Exact to
    about 1e-13 of the sum of the terms' sizes.
    """
    out = np.zeros((len(weights), count))
    if len(d1) == 0:
        return out
    if len(d1) * count <= _SMALL:
        return _direct(d1, slope, weights, start, step, count)
    narrow = slope * step > _NARROW
    if narrow.any():
        out += _direct(d1[narrow], slope[narrow], weights[:, narrow], start, step, count)
        wide = ~narrow
        d1, slope, weights = d1[wide], slope[wide], weights[:, wide]
    if len(d1):
        out += _recurrence(d1, slope, weights, start, step, count)
    return out


def _direct(d1: F64, slope: F64, weights: F64, start: float, step: float, count: int) -> F64:
    out = np.empty((len(weights), count))
    t = start + step * np.arange(count)
    at_once = max(1, _SMALL // len(d1))
    for first in range(0, count, at_once):
        part = slice(first, first + at_once)
        y = np.multiply.outer(t[part], slope)
        y += d1
        y *= y
        y *= -0.5
        out[:, part] = np.vecdot(weights[:, None, :], np.exp(y, out=y))
    return out


def _recurrence(d1: F64, slope: F64, weights: F64, start: float, step: float, count: int) -> F64:
    d1, slope, folded = _fold(d1, slope, weights)
    sums = np.empty((count, *folded.shape[:2]))
    away = -step * slope
    square = away * away
    bend = np.exp(-square)
    half = 0.5 * square
    y, e, ratio = np.empty_like(d1), np.empty_like(d1), np.empty_like(d1)
    for first in range(0, count, _BLOCK):
        np.multiply(slope, start + first * step, out=y)
        y += d1
        np.clip(y, -_FAR, _FAR, out=y)
        np.multiply(y, y, out=e)
        e *= -0.5
        np.exp(e, out=e)
        np.multiply(y, away, out=ratio)
        ratio -= half
        np.exp(ratio, out=ratio)
        last = min(first + _BLOCK, count)
        for j in range(first, last):
            np.vecdot(folded, e, out=sums[j])
            if j + 1 < last:
                e *= ratio
                ratio *= bend
    return np.ascontiguousarray(sums.sum(axis=2).T)


def _fold(d1: F64, slope: F64, weights: F64) -> tuple[F64, F64, F64]:
    """Arrange n rows as (parts, m) with m ≤ `_FOLD`, padded with weightless rows."""
    n, books = len(d1), len(weights)
    parts = -(-n // _FOLD)
    m = -(-n // parts)
    if parts * m != n:
        pad = parts * m - n
        d1 = np.pad(d1, (0, pad))
        slope = np.pad(slope, (0, pad))
        weights = np.pad(weights, ((0, 0), (0, pad)))
    return (
        d1.reshape(parts, m),
        slope.reshape(parts, m),
        np.ascontiguousarray(weights).reshape(books, parts, m),
    )
