"""What the signed tape adds up to, contract by contract."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Flow:
    """The dealer's gain since `epoch`, by contract index. n contracts.

    With q the size of a print, π = P(dealer bought) and m = P(a dealer was in it):

        mean = Σ m·q·(2π − 1),    variance = Σ q²·{m·4π(1 − π) + m(1 − m)(2π − 1)²}
    """

    mean: F64
    """Expected dealer contracts gained, + = bought. Shape (n,)."""
    variance: F64
    """Variance of it, prints independent, contracts². Shape (n,)."""
    amount: F64
    """Contracts by evidence and by the likelier dealer side, shape (e, 2, n): e is the value
    of `Evidence`, then dealer bought (0) and sold (1). Unsigned prints count half on each."""
    epoch: int = 0
    """Time of the first print, ns; 0: none."""
    prints: int = 0
    """Prints in force (cancelled ones left out)."""
    counts: dict[str, int] = field(default_factory=dict)
    """What was noticed on the way: `duplicates`, `cancelled`, `corrected`, `unmatched_cancels`,
    `out_of_order`, `unknown_contract`, `refused`, `unknown_condition`, …"""

    summed: F64 | None = None
    """`amount` summed over all contracts, where it is known already. Shape (e, 2)."""

    @property
    def totals(self) -> F64:
        """Contracts by evidence and side. Shape (e, 2)."""
        if self.summed is not None:
            return self.summed
        return np.asarray(self.amount.sum(axis=2), np.float64)

    @property
    def volume(self) -> F64:
        """Contracts printed, by contract. Shape (n,)."""
        return np.asarray(self.amount.sum(axis=(0, 1)), np.float64)
