"""How far event time has got, row by row, so that nothing depends on how batches are cut.

A row that is much older than rows before it is late. Whether it is follows from the
order of the rows alone. A late quote counts from when it came; so the quotes before any
instant are complete once the watermark is past it by `hold_ns`.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from gexterm.market.events import Quotes

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

CLOCKS_NS = 60_000_000_000
"""Times further ahead of their own receipt than this are errors."""


def advance(mark: int, ts: I64, recv: int) -> I64:
    """The watermark before each row, and after the last. Shape (n + 1,)."""
    believed = np.minimum(ts, recv + CLOCKS_NS) if recv > 0 else ts
    marks = np.empty(len(ts) + 1, np.int64)
    marks[0] = mark
    np.maximum.accumulate(believed, out=marks[1:])
    np.maximum(marks, mark, out=marks)
    return marks


class QuoteIntake:
    """Quotes as the log may take them: late ones dated to when they came, or left out."""

    def __init__(self, hold_ns: int) -> None:
        self._hold = hold_ns
        self._latest: I64 = np.zeros(0, np.int64)
        self.late = 0
        """Quotes that came after a later quote of their contract, too late to count."""

    def dated(self, quotes: Quotes, marks: I64) -> Quotes:
        """The quotes to be logged. `marks` are those of `advance` on `quotes.ts`."""
        who, ts = quotes.contract, quotes.ts
        if len(who) == 0:
            return quotes
        if (most := int(who.max())) >= len(self._latest):
            grown = np.zeros(most + most // 2 + 64, np.int64)
            grown[: len(self._latest)] = self._latest
            self._latest = grown
        floor = marks[:-1] - self._hold
        behind = np.flatnonzero(ts < floor)
        if len(behind) == 0:
            np.maximum.at(self._latest, who, ts)
            return quotes
        dropped = ts[behind] < self._before(who, ts, behind)
        np.maximum.at(self._latest, who, ts)
        self.late += int(np.count_nonzero(dropped))
        effective = np.maximum(ts, floor)
        kept = np.ones(len(ts), np.bool_)
        kept[behind[dropped]] = False
        return dataclasses.replace(
            quotes,
            contract=who[kept],
            bid=quotes.bid[kept],
            ask=quotes.ask[kept],
            bid_size=quotes.bid_size[kept],
            ask_size=quotes.ask_size[kept],
            ts=effective[kept],
        )

    def _before(self, who: I32, ts: I64, rows: I64) -> I64:
        """The latest time of each row's contract before that row. Shape of `rows`."""
        latest = self._latest[who[rows]]
        often = np.bincount(who) > 1
        for k in np.flatnonzero(often[who[rows]]).tolist():
            row = int(rows[k])
            earlier = ts[:row][who[:row] == who[row]]
            if len(earlier):
                latest[k] = max(int(latest[k]), int(earlier.max()))
        return latest


def part(quotes: Quotes, chosen: NDArray[np.bool_] | slice) -> Quotes:
    """Some rows of a batch."""
    return Quotes(
        quotes.contract[chosen],
        quotes.bid[chosen],
        quotes.ask[chosen],
        quotes.bid_size[chosen],
        quotes.ask_size[chosen],
        quotes.ts[chosen],
        quotes.recv,
    )


def pieces(quotes: Quotes, marks: I64, step_ns: int) -> list[tuple[Quotes, I64]]:
    """A batch cut where the watermark has gone far, so that the log never runs ahead."""
    if marks[-1] - marks[1] < step_ns:
        return [(quotes, marks)]
    cuts = np.flatnonzero(np.diff(marks[1:] // step_ns)) + 1
    ends = [*cuts.tolist(), len(quotes.ts)]
    out, first = [], 0
    for end in ends:
        out.append((part(quotes, slice(first, end)), marks[first : end + 1]))
        first = end
    return out


__all__ = ["CLOCKS_NS", "QuoteIntake", "advance", "part", "pieces"]
