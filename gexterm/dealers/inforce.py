"""The quote that was in force before a trade: an as-of join in event time.

Trades and quotes come on different channels, each late by its own amount. What counts
is the exchange's time: the quote in force at a trade is the last one with a time
strictly before it. The log keeps quotes in two sorted runs, a long one and a short one
of what came lately, so that a small batch never pays for sorting the whole window.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gexterm.market.events import Quotes

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
F64 = NDArray[np.float64]

_CLOCKS_NS = 3_600_000_000_000
_MOST_RECENT = 1 << 14
_LEAST_KEPT = 1 << 16
_MANY = 1 << 14
# An index beyond this is an error of the feed, and would cost memory.
_MOST_CONTRACTS = 1 << 20
_ROOM_NS = 60_000_000_000
_COLUMNS = ("bid", "ask", "bid_size", "ask_size")


@dataclass(frozen=True, eq=False, slots=True)
class InForce:
    """Quotes in force, one for each question. All NaN where there was none."""

    bid: F64
    """Best bid, points; 0 is a zero bid. Shape (k,)."""
    ask: F64
    """Best offer, points. Shape (k,)."""
    bid_size: F64
    """Contracts bid for. Shape (k,)."""
    ask_size: F64
    """Contracts offered. Shape (k,)."""
    quote_ts: I64
    """Exchange time of the quote, ns; 0: no quote. Shape (k,)."""


def _search(keys: I64, wanted: I64) -> I64:
    """`np.searchsorted`, for many questions in the order that memory likes."""
    if len(wanted) < _MANY:
        return np.searchsorted(keys, wanted)
    order = np.argsort(wanted)
    at = np.empty(len(wanted), np.int64)
    at[order] = np.searchsorted(keys, wanted[order])
    return at


class _Rows:
    """Quotes in order of arrival, in arrays that grow."""

    def __init__(self) -> None:
        self.contract: I32 = np.empty(0, np.int32)
        self.ts: I64 = np.empty(0, np.int64)
        self.values: F64 = np.empty((4, 0), np.float64)
        self.count = 0
        self.most = -1
        """Largest contract index."""
        self.low = 0
        """Earliest time, ns."""
        self.high = 0
        """Latest time, ns."""

    def append(self, quotes: Quotes, ts: I64, chosen: slice | NDArray[np.bool_]) -> None:
        """Add the chosen rows of a batch."""
        contract, ts = quotes.contract[chosen], ts[chosen]
        if not len(ts):
            return
        first, end = self.count, self.count + len(ts)
        if end > len(self.ts):
            self._grow(max(end, len(self.ts) * 3 // 2, 1 << 12))
        self.contract[first:end] = contract
        self.ts[first:end] = ts
        for column, name in zip(self.values, _COLUMNS, strict=True):
            column[first:end] = getattr(quotes, name)[chosen]
        self.most = max(self.most, int(contract.max()))
        self.high = max(self.high, int(ts.max()))
        self.low = min(self.low, int(ts.min())) if self.count else int(ts.min())
        self.count = end

    def keep(self, kept: NDArray[np.bool_]) -> None:
        """Forget the rows that are not marked."""
        count = int(np.count_nonzero(kept))
        self.contract[:count] = self.contract[: self.count][kept]
        self.ts[:count] = self.ts[: self.count][kept]
        for column in self.values:
            column[:count] = column[: self.count][kept]
        self.count = count
        self.low = int(self.ts[:count].min()) if count else 0

    def quotes(self, rows: I64) -> InForce:
        """The quotes of some rows; none where the row is −1."""
        if not self.count:
            none = np.full((4, len(rows)), np.nan)
            return InForce(none[0], none[1], none[2], none[3], np.zeros(len(rows), np.int64))
        values, ts = self.values[:, rows], self.ts[rows]
        missing = rows < 0
        if missing.any():
            values[:, missing] = np.nan
            ts[missing] = 0
        return InForce(values[0], values[1], values[2], values[3], ts)

    def _grow(self, capacity: int) -> None:
        more = capacity - self.count
        self.contract = np.concatenate([self.contract[: self.count], np.empty(more, np.int32)])
        self.ts = np.concatenate([self.ts[: self.count], np.empty(more, np.int64)])
        grown = np.empty((4, capacity))
        grown[:, : self.count] = self.values[:, : self.count]
        self.values = grown


@dataclass(frozen=True, eq=False, slots=True)
class _Run:
    """Rows of the log sorted by contract and time."""

    keys: I64
    """Contract above time, packed. Shape (n,), ascending."""
    rows: I32
    """Row of each. Shape (n,)."""

    def merged(self, later: _Run) -> _Run:
        """Both together; where keys are alike, `later` comes after."""
        keys = np.concatenate([self.keys, later.keys])
        order = np.argsort(keys, kind="stable")  # of two sorted pieces: one pass
        return _Run(keys[order], np.concatenate([self.rows, later.rows])[order])


class QuoteLog:
    """Quotes by contract and event time, of the last seconds and the last one before them.

    Rows without a contract, without any time, or more than an hour ahead of their own
    receipt are refused and counted.
    """

    def __init__(self, window_ns: int | None = 5_000_000_000) -> None:
        """Keep `window_ns` of event time and the last quote before; None keeps everything."""
        self._window = window_ns
        self._rows = _Rows()
        self._runs: list[_Run] = []
        self._sorted = 0
        self._base = 0
        self._bits = 0
        self._compact_at = _LEAST_KEPT
        self._forgotten: I64 = np.empty(0, np.int64)
        self.refused = 0
        """Quotes that could not be placed."""

    def __len__(self) -> int:
        """Quotes kept."""
        return self._rows.count

    def take(self, quotes: Quotes) -> None:
        """Add a batch, in order of arrival; its times may be older than earlier ones.

        Of two quotes of one contract and time the later to arrive counts.
        """
        self.add(quotes)
        if self.full:
            self.forget()

    @property
    def full(self) -> bool:
        """Whether so much has come that `forget` is worth its while."""
        return self._window is not None and self._rows.count >= self._compact_at

    def add(self, quotes: Quotes) -> None:
        """As `take`, but nothing is forgotten: who has questions may ask them first."""
        ts = quotes.ts
        if not bool((ts > 0).all()):
            ts = np.where(ts > 0, ts, quotes.recv)
        good = (quotes.contract >= 0) & (quotes.contract < _MOST_CONTRACTS) & (ts > 0)
        if quotes.recv > 0:
            good &= ts <= quotes.recv + _CLOCKS_NS
        if good.all():
            self._rows.append(quotes, ts, slice(None))
        else:
            self.refused += int(np.count_nonzero(~good))
            self._rows.append(quotes, ts, good)

    def asof(self, contract: I32, ts: I64, lag_ns: int | I64 = 0) -> InForce:
        """The last quote of each contract strictly before `ts` − `lag_ns`. Shapes (k,).

        Times from before the window are answered where the answer is certain: where the
        quote may be one that the log has forgotten, there is none.
        """
        return self._answer(contract, np.asarray(ts - lag_ns, np.int64))

    def last(self, contract: I32) -> InForce:
        """The latest quote of each contract, by event time. Shapes (k,)."""
        return self._answer(contract, None)

    def _answer(self, contract: I32, before: I64 | None) -> InForce:
        self._sort()
        rows = self._rows
        found = np.full(len(contract), -1, np.int64)
        asked = (contract >= 0) & (contract <= rows.most)
        who = np.where(asked, contract, 0).astype(np.int64) << self._bits
        span = np.int64(1) << self._bits
        key = who + (span if before is None else np.clip(before - self._base, 0, span))
        best = who
        for run in self._runs:
            at = _search(run.keys, key) - 1
            theirs = run.keys[at]
            # Of equal times the last run has the later arrival.
            better = (at >= 0) & (theirs >= best)
            best = np.where(better, theirs, best)
            found = np.where(better, run.rows[at], found)
        found[~asked] = -1
        if len(self._forgotten):
            # Older than one that was forgotten: it may not be the last one before.
            floor = self._floor(np.where(asked, contract, 0))
            found[rows.ts[found] < floor] = -1
        return rows.quotes(found)

    def _floor(self, contract: NDArray[np.integer]) -> I64:
        """Time of the newest quote before which some were forgotten; 0 none. Same shape."""
        inside = np.minimum(contract, len(self._forgotten) - 1)
        return np.where(contract < len(self._forgotten), self._forgotten[inside], 0)

    def _sort(self) -> None:
        """Bring what came since into the runs."""
        rows = self._rows
        if self._sorted == rows.count:
            return
        bits = 62 - rows.most.bit_length()
        reach = (1 << bits) - 1
        ahead, behind = rows.high - self._base > reach, rows.low < self._base
        if bits != self._bits or ahead or (behind and self._base > rows.high - reach // 2):
            # The packing does not fit any longer: all keys anew, with room on both sides.
            # What is older than that room, a day with 20,000 contracts, is only "before".
            self._bits = bits
            self._base = max(rows.low - min(_ROOM_NS, reach // 4), rows.high - reach // 2, 0)
            self._runs, self._sorted = [], 0
        new = self._run(self._sorted, rows.count)
        self._sorted = rows.count
        if not self._runs:
            self._runs = [new]
        elif len(self._runs) == 1:
            self._runs.append(new)
        else:
            self._runs[1] = self._runs[1].merged(new)
        if len(self._runs) == 2 and len(self._runs[1].keys) > max(
            _MOST_RECENT, len(self._runs[0].keys) // 8
        ):
            self._runs = [self._runs[0].merged(self._runs[1])]

    def _run(self, first: int, end: int) -> _Run:
        rows = self._rows
        time = np.maximum(rows.ts[first:end] - self._base, 0)
        keys = (rows.contract[first:end].astype(np.int64) << self._bits) + time
        order = np.argsort(keys, kind="stable")
        return _Run(keys[order], (first + order).astype(np.int32))

    def forget(self) -> None:
        """Forget what is older than the window, but for the last quote of each contract."""
        window = self._window
        if window is None or not self._rows.count:
            return
        self._sort()
        first, *second = self._runs
        rows, order = self._rows, (first.merged(second[0]) if second else first).rows
        horizon = int(rows.ts[: rows.count].max()) - window
        old = rows.ts[order] < horizon
        who = rows.contract[order]
        # An old quote goes if the next one of its contract is old too.
        gone = old[:-1] & old[1:] & (who[:-1] == who[1:])
        kept = np.ones(rows.count, np.bool_)
        kept[order[:-1][gone]] = False
        if len(self._forgotten) <= rows.most:
            more = np.zeros(rows.most + 1 - len(self._forgotten), np.int64)
            self._forgotten = np.concatenate([self._forgotten, more])
        after = order[1:][gone]
        np.maximum.at(self._forgotten, rows.contract[after], rows.ts[after])
        rows.keep(kept)
        self._runs, self._sorted, self._bits = [], 0, 0
        self._compact_at = max(_LEAST_KEPT, 2 * rows.count)
