"""One number for each print, the same whenever it is told again.

A TCBBO record has no id, and all prints of one block of OPRA's share its time: an order
that takes ten lots one by one leaves records that are equal in every field. The n-th print
of a contract with the same time, exchange, price and size is therefore numbered by those
and by n. A replay begins at a time and not within one, so it counts the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gexterm.clock import NS

I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]

OVERLAP_NS = 10 * NS
"""A replay begins so much before the last print: lines of OPRA are not in step."""
_SPAN = 60 * NS
_KEPT = 2
_SKEW = 3600 * NS
_MASK = np.uint64(2**63 - 1)
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)

Counts = dict[int, dict[int, int]]
"""How often a print was seen, by span of time and key."""


class Tape:
    """The prints of the last minutes, by number."""

    def __init__(self) -> None:
        self.last = 0
        """Time of the latest print, ns; 0: none yet."""
        self.repeats = 0
        """Prints told again."""
        self._counts: Counts = {}
        self._before: Counts = {}

    def reopen(self) -> None:
        """What comes from now on may tell again what came before."""
        for span, counts in self._counts.items():
            seen = self._before.setdefault(span, {})
            for key, count in counts.items():
                seen[key] = max(count, seen.get(key, 0))
        self._counts = {}

    def number(
        self, contract: I64, ts: I64, publisher: I64, price: I64, lots: I64, now_ns: int
    ) -> tuple[I64, NDArray[np.bool_]]:
        """The number of each print, and whether it is told for the first time.

        All of shape (n,); numbers are unique per contract and not negative. A time far
        beyond `now_ns` is wrong, and does not move `last`.
        """
        hashed = _hash(ts, publisher, price, lots)
        keys = _mix(hashed + contract.astype(np.uint64) * _STEP)
        nth = np.zeros(len(keys), np.uint64)
        fresh = np.ones(len(keys), np.bool_)
        spans = ts // _SPAN
        for span in np.unique(spans).tolist():
            rows = np.flatnonzero(spans == span)
            nth[rows], fresh[rows] = self._count(span, keys[rows].tolist())
        self.repeats += len(keys) - int(fresh.sum())
        self.last = max(self.last, int(ts[ts <= now_ns + _SKEW].max(initial=0)))
        self._forget()
        return ((hashed + nth * _MIX_2) & _MASK).astype(np.int64), fresh

    def _count(self, span: int, keys: list[int]) -> tuple[list[int] | int, list[bool] | bool]:
        """How many equal prints came before each, and whether it is told for the first time."""
        counts = self._counts.setdefault(span, {})
        before = self._before.get(span, {})
        if not before and counts.keys().isdisjoint(keys):
            # Nearly always, and at a quarter of the price.
            once = dict.fromkeys(keys, 1)
            if len(once) == len(keys):
                counts.update(once)
                return 0, True
        nth = []
        for key in keys:
            n = counts.get(key, 0)
            counts[key] = n + 1
            nth.append(n)
        if not before:
            return nth, True
        return nth, [n >= before.get(key, 0) for n, key in zip(nth, keys, strict=True)]

    def _forget(self) -> None:
        oldest = self.last // _SPAN - _KEPT
        for kept in (self._counts, self._before):
            for span in [span for span in kept if span < oldest]:
                del kept[span]


def _hash(*columns: I64) -> U64:
    out = np.zeros(columns[0].shape, np.uint64)
    for column in columns:
        out = _mix((out + _STEP) ^ column.astype(np.uint64))
    return out


def _mix(x: U64) -> U64:
    """Scatters the bits (the finaliser of splitmix64)."""
    x = (x ^ (x >> np.uint64(30))) * _MIX_1
    x = (x ^ (x >> np.uint64(27))) * _MIX_2
    mixed: U64 = x ^ (x >> np.uint64(31))
    return mixed
