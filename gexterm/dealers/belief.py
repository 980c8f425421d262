"""What is believed of the dealer's positions: a mean, and how far off it may be.

    x = mean + √variance · ε + Σ_j shared_j · η_j        ε, η independent, standard normal

`variance` is what trades signed one by one get wrong by chance; it averages out over a
book. `shared` is what they get wrong together, and does not: a rule that mistakes
resting orders does so at every strike. Any reading that is linear in positions has

    Var(Σ x·g) = Σ g²·variance + Σ_j (Σ g·shared_j)²
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Belief:
    """Dealer positions by row, calls first, with their uncertainty."""

    mean: F64
    """Expected dealer contracts, + = long; 0 where nothing is known. Shape (2, n)."""
    variance: F64
    """Variance of each, contracts²; independent of each other. Shape (2, n)."""
    shared: F64
    """Contracts by which each is off per standard deviation of each common error.
    Shape (k, 2, n); k may be 0."""

    @classmethod
    def certain(cls, mean: F64) -> Belief:
        """Positions taken for granted."""
        return cls(mean, np.zeros_like(mean), np.zeros((0, *mean.shape)))

    def __add__(self, other: Belief) -> Belief:
        """The sum of two independent beliefs on the same rows."""
        return Belief(
            self.mean + other.mean,
            self.variance + other.variance,
            np.concatenate([self.shared, other.shared]),
        )

    @property
    def sd(self) -> F64:
        """Standard deviation of each position, contracts. Shape (2, n)."""
        total = self.variance + np.einsum("kcn,kcn->cn", self.shared, self.shared)
        return np.asarray(np.sqrt(total), np.float64)
