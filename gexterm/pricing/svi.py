"""Raw SVI (Gatheral & Jacquier, arXiv:1204.0646), fitted to many expiries at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gexterm.pricing.smile import svi_variance

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

_CLOSE = 1e-9
"""Relative gain of a step below which a smile is settled."""
_HOPELESS = 1e7
"""Damping beyond which no step will be found."""
_GRID = np.linspace(0.0, 1.0, 61)


def fit_svi(k: F64, v: F64, weight: F64, start: F64, steps: int) -> F64:
    """a, b, ρ, m, s of G smiles, shape (5, G).

    k, total variance v and weight have shape (G, nodes). `start` of shape (5, G) is
    where to begin, NaN for a start from the data. Levenberg–Marquardt on ln v in
    parameters that cannot leave b > 0, |ρ| < 1, s > 0, a + b s √(1−ρ²) > 0.
    """
    rows = np.arange(len(k))
    middle = np.argmin(np.where(weight > 0.0, np.abs(k), np.inf), axis=1)
    level = v[rows, middle]
    unit = np.sqrt(level)
    z = k / unit[:, None]
    y = np.log(v / level[:, None])
    w = weight / weight.sum(axis=1, keepdims=True)
    p = np.where(np.isfinite(start[0]), _to_free(start, level, unit), _cold(z, y, w))
    damping = np.full(len(k), 1e-3 if steps > 5 else 1e-6)
    cost, residual, jacobian = _linearise(p, z, y, w)
    for _ in range(steps):
        weighted = jacobian * w
        normal = np.einsum("ign,jgn->gij", weighted, jacobian, optimize=False)
        gradient = np.einsum("ign,gn->gi", weighted, residual, optimize=False)
        diagonal = np.einsum("gii->gi", normal)
        diagonal += damping[:, None] * diagonal + 1e-12
        try:
            move = np.linalg.solve(normal, gradient[..., None])[..., 0]
        except np.linalg.LinAlgError:
            break
        trial = p - np.clip(move, -2.0, 2.0).T
        after = _linearise(trial, z, y, w)
        better = after[0] <= cost
        p = np.where(better, trial, p)
        settled = np.where(better, cost - after[0] <= _CLOSE * cost, damping > _HOPELESS)
        cost = np.where(better, after[0], cost)
        residual = np.where(better[:, None], after[1], residual)
        jacobian = np.where(better[None, :, None], after[2], jacobian)
        damping = np.clip(np.where(better, damping * 0.3, damping * 8.0), 1e-9, 1e9)
        if settled.all():
            break
    return _to_raw(p, level, unit)


def free_of_arbitrage(parameters: F64, low_k: F64, high_k: F64) -> Mask:
    """Whether each smile has no butterfly arbitrage between two strikes, and wings ≤ 2.

    Durrleman's g(k) ≥ 0 on 61 points from low_k to high_k (shape (G,)), and
    b (1 + |ρ|) ≤ 2. `parameters` of shape (5, G); NaN is not free of anything.
    """
    a, b, rho, m, s = parameters[:, :, None]
    k = low_k[:, None] + (high_k - low_k)[:, None] * _GRID
    d = k - m
    root = np.sqrt(d * d + s * s)
    v = a + b * (rho * d + root)
    first = b * (rho + d / root)
    second = b * s * s / root**3
    g = np.square(1.0 - 0.5 * k * first / v) - 0.25 * first * first * (1.0 / v + 0.25)
    g += 0.5 * second
    wings = parameters[1] * (1.0 + np.abs(parameters[2])) <= 2.0
    return np.asarray(wings & (v > 0.0).all(axis=1) & (g >= 0.0).all(axis=1), np.bool_)


def _cold(z: F64, y: F64, w: F64) -> F64:
    """Free parameters to start from: the lowest node, and the slopes to both ends."""
    v = np.where(w > 0.0, np.exp(y), np.inf)
    rows = np.arange(len(z))
    at = np.argmin(v, axis=1)
    lowest, m = v[rows, at], z[rows, at]
    used = w > 0.0
    left = np.argmax(used, axis=1)
    right = z.shape[1] - 1 - np.argmax(used[:, ::-1], axis=1)
    down = (v[rows, left] - lowest) / np.maximum(m - z[rows, left], 0.2)
    up = (v[rows, right] - lowest) / np.maximum(z[rows, right] - m, 0.2)
    b = np.maximum(0.5 * (down + up), 0.02)
    rho = np.clip((up - down) / (2.0 * b), -0.9, 0.9)
    return np.stack(
        [np.log(0.9 * lowest), np.log(b), np.arctanh(rho), m, np.full(len(z), np.log(0.5))]
    )


def _to_free(raw: F64, level: F64, unit: F64) -> F64:
    """Logs of the minimum and of b, atanh ρ, m, ln s; in units of the level and its root."""
    a, b, rho, m, s = raw
    lowest = a + b * s * np.sqrt(1.0 - rho * rho)
    return np.stack(
        [
            np.log(lowest / level),
            np.log(b * unit / level),
            np.arctanh(rho),
            m / unit,
            np.log(s / unit),
        ]
    )


def _to_raw(p: F64, level: F64, unit: F64) -> F64:
    lowest, b, rho = np.exp(p[0]) * level, np.exp(p[1]) * level / unit, np.tanh(p[2])
    s = np.exp(p[4]) * unit
    return np.stack([lowest - b * s * np.sqrt(1.0 - rho * rho), b, rho, p[3] * unit, s])


def _linearise(p: F64, z: F64, y: F64, w: F64) -> tuple[F64, F64, F64]:
    """Cost (G,), residual ln v − y (G, nodes) and its derivatives (5, G, nodes)."""
    lowest, b = np.exp(p[0])[:, None], np.exp(p[1])[:, None]
    rho, m, s = np.tanh(p[2])[:, None], p[3][:, None], np.exp(p[4])[:, None]
    d = z - m
    root = np.sqrt(d * d + s * s)
    co = np.sqrt(1.0 - rho * rho)
    above = b * (rho * d + root - s * co)
    v = lowest + above
    residual = np.log(v) - y
    jacobian = np.empty((5, *z.shape))
    jacobian[0] = lowest / v
    jacobian[1] = above / v
    jacobian[2] = b * (d + s * rho / co) * (co * co) / v
    jacobian[3] = -b * (rho + d / root) / v
    jacobian[4] = b * s * (s / root - co) / v
    cost = np.where(w > 0.0, w * residual * residual, 0.0).sum(axis=1)
    return cost, np.where(w > 0.0, residual, 0.0), jacobian


__all__ = ["fit_svi", "free_of_arbitrage", "svi_variance"]
