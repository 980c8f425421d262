"""Rows of records to events: open interest, quotes, prints, by the ids that hold.

Rows wait as they came until the next flush, or until an id is given to another contract.
Quotes are conflated: of each contract the newest by time, unless an older replay brings
less than what is there. Prints are all kept, once each.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gexterm.feeds.databento import records
from gexterm.feeds.databento.listing import Listing, OpenInterests
from gexterm.feeds.databento.records import Rows
from gexterm.feeds.databento.tape import Tape
from gexterm.market.events import Event, OpenInterest, Quotes, Trades

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


class Gathering:
    """What waits for the next flush, and what is known by contract."""

    def __init__(self, listing: Listing, count: Callable[[str, int], None]) -> None:
        """`count` is told what could not be used, and of how many."""
        self.tape = Tape()
        self.interest = OpenInterests()
        self.mid: F64 = np.zeros(0)
        """Middle of the newest quote by contract, points; NaN where it has not two sides."""
        self.statistics: list[Rows] = []
        """Statistics that wait."""
        self.quotes: list[Rows] = []
        """Quotes that wait."""
        self.prints: list[Rows] = []
        """Prints that wait."""
        self._listing = listing
        self._count = count
        # By contract, when its newest quote was.
        self._quoted_at: I64 = np.zeros(0, np.int64)

    def settle(self, recv: int) -> list[Event]:
        """Events of the rows that wait, received at `recv`."""
        self._grow()
        events: list[Event] = []
        if self.statistics:
            rows, self.statistics = records.joined(self.statistics), []
            events += self._take_interest(rows, recv)
        if self.quotes:
            rows, self.quotes = records.joined(self.quotes), []
            events += self._take_quotes(rows, recv)
        if self.prints:
            rows, self.prints = records.joined(self.prints), []
            events += self._take_prints(rows, recv)
        return events

    def _take_interest(self, rows: Rows, recv: int) -> list[OpenInterest]:
        before = self.interest.contradicted
        found = self._listing.find(rows["instrument"])
        new = self.interest.take(rows, found, len(self.mid), recv)
        self._count("numbers of open interest disagree", self.interest.contradicted - before)
        return new

    def _take_quotes(self, rows: Rows, recv: int) -> list[Quotes]:
        contract = self._listing.find(rows["instrument"])
        ts = records.when(rows, sampled=True)
        ts[ts == 0] = recv
        keep = self._newest(contract, ts)
        rows, contract, ts = records.pick(rows, keep), contract[keep], ts[keep]
        if not len(rows):
            return []
        bid, ask, bid_size, ask_size = records.book(rows)
        self.mid[contract] = np.where((bid > 0.0) & (ask >= bid), 0.5 * (bid + ask), np.nan)
        doubted = (rows["flags"] & records.MAYBE_BAD_BOOK) != 0
        self._count("quotes the venue itself doubts", int(doubted.sum()))
        return [Quotes(contract.astype(np.int32), bid, ask, bid_size, ask_size, ts, recv)]

    def _newest(self, contract: I64, ts: I64) -> I64:
        """Rows that are each contract's newest, and not older than what was there; by time."""
        order: I64 = np.argsort(ts, kind="stable")
        c = contract[order]
        known = c >= 0
        if not known.all():
            self._count("quotes of contracts nobody named", len(c) - int(known.sum()))
            order, c = order[known], c[known]
        place = np.zeros(len(self.mid), np.int64)
        place[c] = np.arange(len(c))
        last = place[c] == np.arange(len(c))
        order, c = order[last], c[last]
        current = ts[order] >= self._quoted_at[c]
        order, c = order[current], c[current]
        self._quoted_at[c] = ts[order]
        return order

    def _take_prints(self, rows: Rows, recv: int) -> list[Trades]:
        contract = self._listing.find(rows["instrument"])
        price, lots = records.price(rows["price"]), records.size(rows["size"])
        whole = (rows["action"] == records.TRADE) & ~np.isnan(price) & (lots > 0.0)
        named = contract >= 0
        self._count("prints without a price or size", len(rows) - int(whole.sum()))
        self._count("prints of contracts nobody named", int((whole & ~named).sum()))
        keep = np.flatnonzero(whole & named)
        rows, contract = records.pick(rows, keep), contract[keep]
        ts = records.when(rows, sampled=False)
        ts[ts == 0] = recv
        number, fresh = self.tape.number(
            contract,
            ts,
            rows["publisher"].astype(np.int64),
            rows["price"],
            rows["size"].astype(np.int64),
            recv,
        )
        if not fresh.any():
            return []
        bid, ask, bid_size, ask_size = records.book(rows)
        doubted = (rows["flags"] & records.MAYBE_BAD_BOOK) != 0
        for column in (bid, ask, bid_size, ask_size):
            column[doubted] = np.nan
        return [
            Trades.of(
                contract[fresh],
                price[keep][fresh],
                lots[keep][fresh],
                ts[fresh],
                recv=recv,
                bid=bid[fresh],
                ask=ask[fresh],
                bid_size=bid_size[fresh],
                ask_size=ask_size[fresh],
                sequence=number[fresh],
            )
        ]

    def _grow(self) -> None:
        more = len(self._listing.catalogue) - len(self.mid)
        if more > 0:
            self.mid = np.append(self.mid, np.full(more, np.nan))
            self._quoted_at = np.append(self._quoted_at, np.zeros(more, np.int64))
