"""Books as they might be: draws of today's charm from what is believed of positions.

The standard normals behind the draws are fixed, so that the same belief always reads the
same and a reading moves because the market did. They come in pairs of opposite sign,
scaled to unit variance in each row: means are exact, and so is each row's variance.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gexterm.dealers.belief import Belief
from gexterm.exposure.charm import CharmMatrix, ZeroDteGreeks

F64 = NDArray[np.float64]
_SEED = 2023
# Products up to this size stay below where OpenBLAS wakes its threads.
_QUIET = 1 << 17


@dataclass(frozen=True, slots=True)
class DrawSettings:
    """How many draws, and which."""

    draws: int = 200
    """Number of draws, even."""
    seed: int = _SEED
    """Of the fixed normals."""
    coverage: float = 0.8
    """Share of the draws that a band holds."""

    def __post_init__(self) -> None:
        if self.draws < 2 or self.draws % 2:
            raise ValueError(f"draws come in pairs, not {self.draws}")


@lru_cache(maxsize=32)
def normals(rows: int, half: int, seed: int) -> F64:
    """Fixed standard normals; more rows do not change the first ones. Shape (rows, half)."""
    z = np.random.default_rng(seed).standard_normal((rows, half))
    z /= np.sqrt(np.mean(np.square(z), axis=1, keepdims=True))
    z.flags.writeable = False
    return z


def common(belief_shared: F64, settings: DrawSettings) -> F64:
    """What the common errors add in each draw. `belief_shared` is (k, m); shape (m, half)."""
    z = normals(len(belief_shared), settings.draws // 2, settings.seed + 1)
    return quiet_product(belief_shared.T, z)


def both_signs(mean: F64, off: F64) -> F64:
    """Draws from deviations: those above the mean first, then their mirror images.

    `mean` has shape (m,), `off` (m, half); returns (m, draws).
    """
    out = np.empty((len(mean), 2 * off.shape[1]))
    np.add(mean[:, None], off, out=out[:, : off.shape[1]])
    np.subtract(mean[:, None], off, out=out[:, off.shape[1] :])
    return out


def strike_draws(
    greeks: ZeroDteGreeks, belief: Belief, settings: DrawSettings
) -> tuple[NDArray[np.intp], F64]:
    """Charm by strike after the |delta| cut, drawn: the strikes with any, and their draws.

    Returns positions in `greeks.strike`, shape (a,), and $ per hour, shape (a, draws).
    """
    rows, index, m = greeks.rows, greeks.index, len(greeks.strike)
    g = np.where(greeks.kept, greeks.charm, 0.0)
    mean = np.einsum("cr,cr->r", g, belief.mean[:, rows])
    own = np.einsum("cr,cr,cr->r", g, g, belief.variance[:, rows])
    shared = np.einsum("cr,kcr->kr", g, belief.shared[..., rows])
    if m != len(rows):
        mean, own = np.bincount(index, mean, m), np.bincount(index, own, m)
        merged = np.zeros((len(shared), m))
        for line, values in zip(merged, shared, strict=True):
            line[:] = np.bincount(index, values, m)
        shared = merged
    else:
        # One row a strike, in the order of strikes unless several roots share a day.
        mean, own, shared = (_ordered(values, index) for values in (mean, own, shared))
    at = np.flatnonzero((mean != 0.0) | (own > 0.0) | np.any(shared != 0.0, axis=0))
    off = np.sqrt(own[at])[:, None] * normals(m, settings.draws // 2, settings.seed)[at]
    if len(shared):
        off += common(shared[:, at], settings)
    return at, both_signs(mean[at], off)


def _ordered(values: F64, index: NDArray[np.intp]) -> F64:
    out = np.empty_like(values)
    out[..., index] = values
    return out


def curve_draws(
    greeks: ZeroDteGreeks, matrix: CharmMatrix, belief: Belief, settings: DrawSettings
) -> F64:
    """The re-priced charm C(s) of each drawn book, $ per hour. Shape (g, draws)."""
    mean = belief.mean[:, matrix.rows].sum(axis=0)
    sd = np.sqrt(belief.variance[:, matrix.rows].sum(axis=0))
    shared = belief.shared[..., matrix.rows].sum(axis=1)
    z = normals(len(greeks.rows), settings.draws // 2, settings.seed)[matrix.which]
    z *= sd[:, None]
    if len(shared):
        z += common(shared, settings)
    off = quiet_product(matrix.each, z)
    return both_signs(np.einsum("gr,r->g", matrix.each, mean), off)


def quiet_product(a: F64, b: F64) -> F64:
    """The product of two matrices, in pieces that one core does alone.

    Waking another costs more than it saves.
    """
    rows = max(1, _QUIET // max(1, a.shape[1] * b.shape[1]))
    if rows >= len(a):
        return np.asarray(a @ b, np.float64)
    out = np.empty((len(a), b.shape[1]))
    for first in range(0, len(a), rows):
        np.matmul(a[first : first + rows], b, out=out[first : first + rows])
    return out
