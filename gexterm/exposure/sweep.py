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
# Of a bell on every so many points, no farther apart than this many of its standard
# deviations (half of it for the narrower square), a cubic through four misses little.
_STRIDES = (16, 8, 4, 2, 1)
_SMOOTH = 0.5
_BUFFER = 1 << 15
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


def gaussian_errors(
    d1: F64,
    slope: F64,
    weights: F64,
    squares: F64,
    start: float,
    step: float,
    count: int,
) -> tuple[F64, F64]:
    """Σ weights·e and Σ squares·e² with the e of `gaussian_sums`; close, not exact.

    For how wide an error is, not for zeros: contracts that are wide against the grid are
    summed on every second to sixteenth point of it, with cubics between, which misses by
    less than 2 % of a bell. `weights` has shape (k, n), `squares` (v, n). Returns shapes
    (k, count) and (v, count).
    """
    both = np.concatenate([weights, squares])
    out = np.zeros((len(both), count))
    left = np.any(both != 0.0, axis=0)
    for stride in _STRIDES:
        # e² is the narrower one.
        fit = left & (slope * (step * stride) < _SMOOTH) if stride > 1 else left
        rows = np.flatnonzero(fit)
        if len(rows) == 0:
            continue
        left = left & ~fit
        pieces = -(-(count - 1) // stride)
        # One point more on either side for the cubics to lean on.
        points = np.arange(count) if stride == 1 else stride * np.arange(-1, pieces + 2)
        t: F64 = start + step * points.astype(np.float64)
        coarse = _with_squares(d1[rows], slope[rows], both.take(rows, axis=1), len(weights), t)
        out += coarse if stride == 1 else _between(coarse, stride)[:, :count]
    return out[: len(weights)], out[len(weights) :]


def _with_squares(d1: F64, slope: F64, both: F64, plain: int, t: F64) -> F64:
    out = np.zeros((len(both), len(t)))
    # One buffer in the cache, filled again and again: fresh pages cost more than the sums.
    buffer = np.empty(_BUFFER)
    for row in range(0, len(d1), _FOLD):
        mine = slice(row, row + _FOLD)
        n = len(d1[mine])
        at_once = max(1, _BUFFER // n)
        for first in range(0, len(t), at_once):
            part = slice(first, first + at_once)
            e = buffer[: len(t[part]) * n].reshape(-1, n)
            np.multiply(t[part, None], slope[mine], out=e)
            e += d1[mine]
            e *= e
            e *= -0.5
            np.exp(e, out=e)
            out[:plain, part] += np.vecdot(both[:plain, None, mine], e)
            if plain < len(both):
                e *= e
                out[plain:, part] += np.vecdot(both[plain:, None, mine], e)
    return out


def _between(coarse: F64, stride: int) -> F64:
    """Cubics through four points each; the first and last point are only leaned on."""
    pieces = coarse.shape[1] - 3
    u = np.arange(stride) / stride
    lagrange = (
        -u * (u - 1.0) * (u - 2.0) / 6.0,
        (u + 1.0) * (u - 1.0) * (u - 2.0) / 2.0,
        -(u + 1.0) * u * (u - 2.0) / 2.0,
        (u + 1.0) * u * (u - 1.0) / 6.0,
    )
    out = np.empty((len(coarse), pieces * stride + 1))
    fine = np.zeros((len(coarse), pieces, stride))
    for k, share in enumerate(lagrange):
        fine += coarse[:, k : k + pieces, None] * share
    out[:, :-1] = fine.reshape(len(coarse), -1)
    out[:, -1] = coarse[:, pieces + 1]
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
