"""How far event time has got, row by row, so that nothing depends on how batches are cut.

A row that is much older than rows before it is late. Whether it is follows from the
order of the rows alone. A late quote counts from when it came; so the quotes before any
instant are complete once the watermark is past it by `hold_ns`.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gexterm.dealers.rules import by_contract
from gexterm.market.events import Quotes

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

CLOCKS_NS = 60_000_000_000
"""Times further ahead of their own receipt than this are errors."""
_MANY, _MANY_BATCHES = 1 << 14, 1 << 10


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
        """The quotes to be logged. `marks` is the watermark before each, shape (n,)."""
        who, ts = quotes.contract, quotes.ts
        if len(who) == 0:
            return quotes
        if (most := int(who.max())) >= len(self._latest):
            grown = np.zeros(most + most // 2 + 64, np.int64)
            grown[: len(self._latest)] = self._latest
            self._latest = grown
        floor = marks - self._hold
        behind = np.flatnonzero(ts < floor)
        if len(behind) == 0:
            np.maximum.at(self._latest, who, ts)
            return quotes
        dropped = ts[behind] < self._before(who, ts, behind)
        np.maximum.at(self._latest, who, ts)
        self.late += int(np.count_nonzero(dropped))
        kept = np.ones(len(ts), np.bool_)
        kept[behind[dropped]] = False
        return part(dataclasses.replace(quotes, ts=np.maximum(ts, floor)), kept)

    def _before(self, who: I32, ts: I64, rows: I64) -> I64:
        """The latest time of each row's contract before that row. Shape of `rows`."""
        latest = self._latest[who[rows]]
        # Rows of one contract together; those of contracts that no row in question has, apart.
        asked = np.zeros(len(self._latest), np.bool_)
        asked[who[rows]] = True
        near = np.flatnonzero(asked[who])
        order = near[by_contract(who[near])]
        owner, when = who[order], ts[order]
        # A running maximum that starts anew with each contract: ranks above their contract.
        ranked = np.argsort(when, kind="stable")
        rank = np.empty(len(order), np.int64)
        rank[ranked] = np.arange(len(order))
        highest = np.maximum.accumulate((owner.astype(np.int64) << 32) + rank)
        before = np.zeros(len(order), np.int64)
        follows = owner[1:] == owner[:-1]
        before[1:][follows] = when[ranked[highest[:-1][follows] & 0xFFFFFFFF]]
        at = np.argsort(order)[np.searchsorted(near, rows)]
        return np.maximum(latest, before[at])


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


class Coming:
    """Quotes that nobody has asked for yet, to be taken in together.

    The watermark before each batch is kept with it, so that it does not matter how many
    are taken in at once.
    """

    def __init__(self) -> None:
        self._batches: list[Quotes] = []
        self._marks: list[int] = []
        self._count = 0

    def __bool__(self) -> bool:
        return bool(self._batches)

    @property
    def many(self) -> bool:
        """Whether it is time to take them in."""
        return self._count >= _MANY or len(self._batches) >= _MANY_BATCHES

    def append(self, quotes: Quotes, mark: int) -> None:
        """A batch, not empty, all dated and no time beyond belief; the watermark before it."""
        self._batches.append(quotes)
        self._marks.append(mark)
        self._count += len(quotes.ts)

    def taken(self) -> tuple[Quotes, I64]:
        """All as one batch, and the watermark before each row, shape (n,); none are left."""
        batches, marks = self._batches, self._marks
        self._batches, self._marks, self._count = [], [], 0
        if len(batches) == 1:
            whole, floor = batches[0], np.full(len(batches[0].ts), marks[0], np.int64)
        else:
            columns: dict[str, Any] = {
                name: np.concatenate([getattr(each, name) for each in batches])
                for name in ("contract", "bid", "ask", "bid_size", "ask_size", "ts")
            }
            whole = Quotes(**columns)
            floor = np.repeat(np.array(marks, np.int64), [len(each.ts) for each in batches])
        # No batch's watermark is below the times before it, so one running maximum does.
        np.maximum(floor[1:], np.maximum.accumulate(whole.ts)[:-1], out=floor[1:])
        return whole, floor


__all__ = ["CLOCKS_NS", "Coming", "QuoteIntake", "advance", "part"]
