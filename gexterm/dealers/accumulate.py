"""From a signed tape to `Flow`: sums by contract that prints enter and leave exactly.

What a print adds is rounded to a fixed binary fraction of a contract before it is summed.
Sums of such numbers are exact, so that their order does not matter and that a cancelled
print leaves nothing behind.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gexterm.dealers.evidence import Evidence
from gexterm.dealers.flow import Flow

F64 = NDArray[np.float64]
F32 = NDArray[np.float32]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]

KINDS = max(Evidence) + 1
_GRAIN = float(1 << 20)
"""Sums below 2³³ contracts are exact."""
_GRAIN_SQUARED = float(1 << 10)
"""The same for contracts², below 2⁴³."""
_BLOCK = 1 << 15
_DENSE = 4
"""From one print for so many cells on, counting them all is cheaper than adding one by one."""


class Sums:
    """Running sums of a tape, contract by contract."""

    def __init__(self) -> None:
        self._n = 0
        self._mean: F64 = np.zeros(0)
        self._variance: F64 = np.zeros(0)
        self._amount: F64 = np.zeros((KINDS, 2, 0))
        self._total: F64 = np.zeros((KINDS, 2))

    def define(self, n: int) -> None:
        """There are `n` contracts from now on; never fewer than before."""
        more = n - self._n
        if more <= 0:
            return
        self._mean = np.append(self._mean, np.zeros(more))
        self._variance = np.append(self._variance, np.zeros(more))
        self._amount = self._widened(self._n + more)
        self._n = n

    def copy(self) -> Sums:
        """The same sums, to go on with apart."""
        other = Sums()
        other._n = self._n
        other._mean, other._variance = self._mean.copy(), self._variance.copy()
        other._amount, other._total = self._widened(self._n), self._total.copy()
        return other

    def _widened(self, n: int) -> F64:
        """A copy of the amounts for `n` contracts."""
        # Most kinds of evidence never occur: their memory is asked for but never touched.
        out = np.zeros((KINDS, 2, n))
        for kind in np.flatnonzero(self._total.any(axis=1)):
            out[kind, :, : self._n] = self._amount[kind]
        return out

    def add(
        self,
        contract: I32,
        size: F64,
        p_buy: F32,
        p_dealer: F32,
        evidence: U8,
        times: int = 1,
    ) -> None:
        """Prints of contracts 0 to n − 1 enter; with `times` −1 they leave. Shapes (k,)."""
        # In blocks that stay in the cache; sums are exact, so that no cut shows.
        for at in range(0, len(contract), _BLOCK):
            part = slice(at, at + _BLOCK)
            self._add(
                contract[part], size[part], p_buy[part], p_dealer[part], evidence[part], times
            )

    def _add(
        self, contract: I32, size: F64, p_buy: F32, p_dealer: F32, evidence: U8, times: int
    ) -> None:
        lean = 2.0 * p_buy.astype(np.float64) - 1.0
        m = p_dealer.astype(np.float64)
        mean = _grains(m * size * lean, _GRAIN, times)
        # 4π(1 − π) = 1 − lean²
        variance = _grains(size * size * m * (1.0 - m * lean * lean), _GRAIN_SQUARED, times)
        q = _grains(size, _GRAIN, times)
        sold = lean < 0.0
        even = np.flatnonzero(lean == 0.0)
        dense = len(contract) * _DENSE > self._n
        _sum_into(self._mean, contract, mean, dense)
        _sum_into(self._variance, contract, variance, dense)
        kind = evidence.astype(np.int64) * 2 + sold
        cell = kind * self._n + contract
        q[even] *= 0.5
        flat, total = self._amount.reshape(-1), self._total.reshape(-1)
        total += np.bincount(kind, q, len(total))
        _sum_into(flat, cell, q, len(cell) * _DENSE > len(flat))
        if len(even):
            total += np.bincount(kind[even] + 1, q[even], len(total))
            _sum_into(flat, cell[even] + self._n, q[even], len(even) * _DENSE > len(flat))

    def flow(
        self,
        epoch: int = 0,
        prints: int = 0,
        counts: dict[str, int] | None = None,
        *,
        final: bool = False,
    ) -> Flow:
        """What was summed so far; the arrays are the caller's.

        With `final` they are these sums' own, which nothing may be added to any more.
        """
        own = self if final else self.copy()
        return Flow(
            own._mean,
            own._variance,
            own._amount,
            epoch,
            prints,
            dict(counts or {}),
            own._total,
        )


def _grains(value: F64, grain: float, times: int) -> F64:
    return np.asarray(np.rint(value * grain) * (times / grain), np.float64)


def _sum_into(total: F64, at: NDArray[np.integer], value: F64, dense: bool) -> None:
    if dense:
        total += np.bincount(at, value, len(total))
    else:
        np.add.at(total, at, value)


__all__ = ["KINDS", "Sums"]
