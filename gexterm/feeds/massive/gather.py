"""Quotes and prints between two flushes, made into columns.

Prices and sizes that cannot be are "not given"; a print without a time or in an unknown unit
of time is dated by receipt. A contract that is not listed is dropped and counted.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gexterm.feeds.conflate import Conflation
from gexterm.feeds.massive.conditions import deciding
from gexterm.feeds.massive.messages import NAN, Quote, Trade, in_range
from gexterm.market.events import Quotes, Trades

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

_MS = 1_000_000
_MOST_POINTS = 1e7
_MOST_SIZE = 1e9
_EXCHANGES = 1 << 10
_MOST_SEQUENCE = 1 << 52
_symbol, _time = attrgetter("sym"), attrgetter("t")
_COLUMNS = tuple(map(attrgetter, ("bp", "ap", "bs", "size")))


class Gather:
    """What waits for the next flush."""

    def __init__(self) -> None:
        self.quotes: Conflation[Quote] = Conflation()
        """The newest quote by symbol, and those in force at prints."""
        self.prints: list[Trade] = []
        """Prints, in order of arrival."""
        self.unlisted = 0
        """Quotes and prints of contracts that are not listed."""
        self.undated = 0
        """Quotes and prints whose time is missing or in another unit."""

    def take_quotes(self, index: dict[str, int]) -> Quotes | None:
        """The quotes that wait, by time; None where there are none."""
        taken = self.quotes.take()
        if not taken:
            return None
        count = len(taken)
        try:
            contract = np.fromiter(map(index.__getitem__, map(_symbol, taken)), np.int32, count)
        except KeyError:
            listed = [quote for quote in taken if quote.sym in index]
            self.unlisted += count - len(listed)
            if not listed:
                return None
            taken, count = listed, len(listed)
            contract = np.fromiter(map(index.__getitem__, map(_symbol, taken)), np.int32, count)
        ts = self._times(taken)
        bid, ask, bid_size, ask_size = (
            np.fromiter(map(column, taken), np.float64, count) for column in _COLUMNS
        )
        order = ts.argsort(kind="stable")
        ts, contract = ts[order], contract[order]
        bid, ask = prices(bid[order], ask[order])
        return Quotes(contract, bid, ask, sizes(bid_size[order]), sizes(ask_size[order]), ts)

    def take_prints(self, index: dict[str, int]) -> tuple[list[Trade], Trades | None]:
        """The prints that wait, as they came and as columns."""
        if not self.prints:
            return [], None
        taken, self.prints = self.prints, []
        listed = [trade for trade in taken if trade.sym in index]
        self.unlisted += len(taken) - len(listed)
        if not listed:
            return [], None
        return listed, Trades.of(
            [index[trade.sym] for trade in listed],
            [trade.p for trade in listed],
            [trade.s for trade in listed],
            self._times(listed),
            condition=[deciding(trade.c) for trade in listed],
            sequence=[sequence(trade.q, trade.x) for trade in listed],
        )

    def _times(self, taken: list[Any]) -> I64:
        """Times in ns; 0 where there is none that can be."""
        try:
            ms = np.fromiter(map(_time, taken), np.int64, len(taken))
        except OverflowError:
            ms = np.array([m.t if in_range(m.t) else 0 for m in taken], np.int64)
        if not (in_range(int(ms.min())) and in_range(int(ms.max()))):
            ms = np.array([m.t if in_range(m.t) else 0 for m in taken], np.int64)
            self.undated += int(np.count_nonzero(ms == 0))
        ms *= _MS
        return ms


def prices(bid: F64, ask: F64) -> tuple[F64, F64]:
    """Bids and offers as they can be: no bid is 0, no offer NaN; what cannot be is NaN."""
    wrong = (bid < 0.0) | (bid > _MOST_POINTS)
    if wrong.any():
        bid = np.where(wrong, NAN, bid)
    wrong = (ask <= 0.0) | (ask > _MOST_POINTS)
    if wrong.any():
        ask = np.where(wrong, NAN, ask)
    return bid, ask


def sizes(given: F64) -> F64:
    """Sizes as they can be; NaN for others."""
    wrong = (given < 0.0) | (given > _MOST_SIZE)
    return np.where(wrong, NAN, given) if wrong.any() else given


def sequence(number: int, exchange: int) -> int:
    """One number of a print, unique per contract: the vendor's, with the exchange beneath it.

    The vendor says its numbers are unique per ticker. Were they so per exchange only, two
    prints would pass for one; with the exchange in it that cannot be. −1 where not given.
    """
    if not 0 <= number < _MOST_SEQUENCE:
        return -1
    return number * _EXCHANGES + exchange % _EXCHANGES
