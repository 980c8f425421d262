"""Beliefs to test with, and books drawn from them the long way."""

from __future__ import annotations

import numpy as np

from gexterm.dealers.belief import Belief


def belief(
    mean: np.ndarray, rng: np.random.Generator, relative: float = 0.5, shared: int = 2
) -> Belief:
    """Each position off by about `relative` of itself, and all of them together too."""
    size = np.abs(mean)
    return Belief(
        mean,
        np.square(relative * size + rng.uniform(0.0, 20.0, mean.shape)),
        rng.normal(0.0, 0.3, (shared, *mean.shape)) * size + 0.1 * size,
    )


def drawn(belief: Belief, rng: np.random.Generator, count: int) -> np.ndarray:
    """Books as the belief's own definition has them. Shape (count, 2, n)."""
    own = rng.standard_normal((count, *belief.mean.shape)) * np.sqrt(belief.variance)
    common = rng.standard_normal((count, len(belief.shared)))
    return belief.mean + own + np.einsum("dk,kcn->dcn", common, belief.shared)
