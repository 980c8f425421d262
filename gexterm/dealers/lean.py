"""The customers' common lean in a group of contracts, learned from all its prints.

With λ = 2π − 1 of each print judged alone and a lean ν of the contracts it belongs to,

    net_i = Σ m·q·λ,  known_i = Σ m·q·λ²:    net_i ≈ ν_i · known_i ± noise_i
    ν_i = Σ_b h_b(K_i) · c_b,   c_b ~ N(0, sd²)

a regression with few unknowns c. Along strikes a lean changes: who buys calls above spot
need not buy those below it. h are tents on three strikes, or one constant. What stays
unknown of c is an error that the contracts share.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

_NODES = (0.15, 0.5, 0.85)
"""Tents stand where this share of what is known lies at lower strikes."""
MOST = 0.5
"""Beyond a half, first order is no order: a print could count for more than its size."""


def learn(
    net: F64, known: F64, noise: F64, misread: F64, sd: float, strike: F64 | None = None
) -> tuple[F64, F64]:
    """The lean of each contract and its common errors, shapes (m,) and (k, m).

    `net`, `known` (contracts) and `noise` (contracts²) have shape (m,); `misread` is what
    the signing rules may get wrong of `net` in all contracts at once, contracts, one
    standard deviation: it feigns a lean, and no number of prints averages it out. With
    `strike`, points, the lean may change along strikes.
    """
    seen = (known > 0.0) & (noise > 0.0)
    if sd <= 0.0:
        return np.zeros_like(net), np.empty((0, len(net)))
    if not seen.any():
        return np.zeros_like(net), np.full((1, len(net)), sd)
    basis = np.ones((1, len(net))) if strike is None else _tents(strike, known)
    at = basis[:, seen]
    strength = known[seen] / noise[seen]
    precision = np.einsum("bm,cm,m->bc", at, at, strength * known[seen])
    precision += np.eye(len(basis)) / sd**2
    told = np.stack([strength * net[seen], strength * misread[seen]], axis=1)
    found, feigned = np.linalg.solve(precision, at @ told).T
    # precision = L·Lᵀ: rows of L⁻¹ are errors of c, independent of each other.
    errors = np.linalg.inv(np.linalg.cholesky(precision))
    return np.clip(found @ basis, -MOST, MOST), np.vstack([errors, feigned]) @ basis


def _tents(strike: F64, weight: F64) -> F64:
    """Tents along strikes that add up to 1, flat beyond the outer ones. Shape (k, m)."""
    order = np.argsort(strike, kind="stable")
    total = np.cumsum(weight[order])
    at = np.searchsorted(total, np.array(_NODES) * total[-1])
    nodes = np.unique(strike[order][np.minimum(at, len(strike) - 1)])
    if len(nodes) == 1:
        return np.ones((1, len(strike)))
    return np.stack([np.interp(strike, nodes, unit) for unit in np.eye(len(nodes))])
