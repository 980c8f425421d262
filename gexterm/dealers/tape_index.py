"""Which print stands in which row of the tape: a hash table over its columns.

The table holds row numbers only; the keys, contract and vendor's sequence, are in the
tape itself. A dictionary would cost as much memory as the prints, and a microsecond for
each: this is an array, searched and filled for a whole batch at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]

_EMPTY = -1
_FULLEST = 0.5
_MOST_WAITING, _MOST_BATCHES = 1 << 15, 1 << 9
_ODD = np.uint64(0x9E3779B97F4A7C15)
_ODD_TOO = np.uint64(0xC2B2AE3D27D4EB4F)
_HALF = np.uint64(32)


def mix(*keys: I64 | I32) -> U64:
    """A hash of some integer columns, row by row. Shape of the columns."""
    mixed = keys[0].astype(np.uint64)
    for key in keys[1:]:
        mixed *= _ODD
        mixed ^= mixed >> _HALF
        mixed += key.astype(np.uint64)
    mixed *= _ODD_TOO
    mixed ^= mixed >> _HALF
    mixed *= _ODD
    mixed ^= mixed >> _HALF
    return mixed


class TapeIndex:
    """Rows by contract and sequence."""

    def __init__(self) -> None:
        self._slots: I32 = np.full(1 << 12, _EMPTY, np.int32)
        self._used = 0
        self._highest: I64 = np.full(0, -1, np.int64)
        self._waiting: list[I64] = []
        self._waiting_rows = 0

    def enter(self, contract: I32, sequence: I64, rows: I64) -> tuple[NDArray[np.bool_], I64]:
        """Enter rows, in order; returns which were there already, and the slot of the others.

        `contract` and `sequence` are the tape's whole columns, with the new rows in them;
        neither may be negative in `rows`. Of several alike in one batch the first is
        entered. Shapes as `rows`; a slot of −1 is none: the row was there already, or none
        were and they wait to be entered with more.
        """
        who, which = contract[rows], sequence[rows]
        rising = self._rising(who, which)
        np.maximum.at(self._highest, who, which)
        if rising:
            # Above all before it in its contract: it cannot be there yet. Nobody may ever ask.
            self._waiting.append(rows)
            self._waiting_rows += len(rows)
            if self._waiting_rows >= _MOST_WAITING or len(self._waiting) >= _MOST_BATCHES:
                self._settle(contract, sequence)
            return np.zeros(len(rows), np.bool_), np.full(len(rows), -1, np.int64)
        self._settle(contract, sequence)
        return self._insert(contract, sequence, rows)

    def moved(self, slots: I64, rows: I64) -> None:
        """The rows entered in these slots have other numbers now."""
        self._slots[slots] = rows

    @property
    def nbytes(self) -> int:
        """Bytes of the table."""
        return self._slots.nbytes + self._highest.nbytes + 8 * self._waiting_rows

    def find(self, contract: I32, sequence: I64, who: int, which: int) -> int:
        """The row of contract `who` with sequence `which`; −1 where there is none."""
        self._settle(contract, sequence)
        key = mix(np.array([which], np.int64), np.array([who], np.int64))
        at = int(key[0] & np.uint64(len(self._slots) - 1))
        while (row := int(self._slots[at])) != _EMPTY:
            if sequence[row] == which and contract[row] == who:
                return row
            at = (at + 1) % len(self._slots)
        return -1

    def _rising(self, who: I32, which: I64) -> bool:
        """Whether every row is above all of its contract before it, in and before the batch."""
        if not len(who):
            return True
        if (most := int(who.max())) >= len(self._highest):
            grown = np.full(most + most // 2 + 64, -1, np.int64)
            grown[: len(self._highest)] = self._highest
            self._highest = grown
        if not bool((which > self._highest[who]).all()):
            return False
        if bool((which[1:] > which[:-1]).all()):
            return True
        order = np.argsort(who, kind="stable")
        who, which = who[order], which[order]
        return bool(((which[1:] > which[:-1]) | (who[1:] != who[:-1])).all())

    def _settle(self, contract: I32, sequence: I64) -> None:
        if self._waiting:
            rows = np.concatenate(self._waiting)
            self._waiting, self._waiting_rows = [], 0
            self._insert(contract, sequence, rows)

    def _insert(self, contract: I32, sequence: I64, rows: I64) -> tuple[NDArray[np.bool_], I64]:
        self._reserve(len(rows), contract, sequence)
        repeated, slot = self._fill(contract, sequence, rows)
        self._used += len(rows) - int(np.count_nonzero(repeated))
        return repeated, slot

    def _fill(self, contract: I32, sequence: I64, rows: I64) -> tuple[NDArray[np.bool_], I64]:
        slots, mask = self._slots, len(self._slots) - 1
        who, which = contract[rows], sequence[rows]
        at = (mix(which, who) & np.uint64(mask)).astype(np.int64)
        repeated = np.zeros(len(rows), np.bool_)
        pending = np.arange(len(rows))
        while len(pending):
            here = at[pending]
            free = slots[here] == _EMPTY
            if free.any():
                # Of repeated indices the last assignment stays: backwards, the first row wins.
                claim = pending[free][::-1]
                slots[at[claim]] = rows[claim]
            there = slots[here]
            taken = there != rows[pending]
            if not taken.any():
                break
            pending, there = pending[taken], there[taken]
            alike = (sequence[there] == which[pending]) & (contract[there] == who[pending])
            repeated[pending[alike]] = True
            pending = pending[~alike]
            at[pending] = (at[pending] + 1) & mask
        at[repeated] = -1
        return repeated, at

    def _reserve(self, more: int, contract: I32, sequence: I64) -> None:
        size = len(self._slots)
        while self._used + more > _FULLEST * size:
            size *= 2
        if size > len(self._slots):
            rows = np.sort(self._slots[self._slots != _EMPTY]).astype(np.int64)
            self._slots = np.full(size, _EMPTY, np.int32)
            self._fill(contract, sequence, rows)
