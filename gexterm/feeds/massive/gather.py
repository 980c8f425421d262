"""Quotes and prints between two flushes, made into columns.

Prices and sizes that cannot be are "not given"; a print without a time or in an unknown unit
of time is dated by receipt. A contract that is not listed is dropped and counted.
"""

from __future__ import annotations

from array import array
from typing import Any

import numpy as np
from numpy.typing import NDArray

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


class Gather:
    """What waits for the next flush."""

    def __init__(self) -> None:
        self.newest: dict[str, Quote] = {}
        """The newest quote by symbol."""
        self.quotes: list[Quote] = []
        """Every quote, in order of arrival: what was printed meanwhile needs them all."""
        self.prints: list[Trade] = []
        """Prints, in order of arrival."""
        self.unlisted = 0
        """Quotes and prints of contracts that are not listed."""
        self.undated = 0
        """Quotes and prints whose time is missing or in another unit."""

    def take_quotes(self, index: dict[str, int]) -> Quotes | None:
        """The quotes that wait, by time; None where there are none."""
        taken = self._conflated()
        if not taken:
            return None
        try:
            contract = np.array([index[quote.sym] for quote in taken], np.int32)
        except KeyError:
            listed = [quote for quote in taken if quote.sym in index]
            self.unlisted += len(taken) - len(listed)
            if not listed:
                return None
            taken = listed
            contract = np.array([index[quote.sym] for quote in taken], np.int32)
        ts = self._times(taken)
        # An array of floats is the fastest way from a list to NumPy.
        bid = np.frombuffer(array("d", [quote.bp for quote in taken]))
        ask = np.frombuffer(array("d", [quote.ap for quote in taken]))
        bid_size = np.frombuffer(array("d", [quote.bs for quote in taken]))
        ask_size = np.frombuffer(array("d", [quote.size for quote in taken]))
        order = ts.argsort(kind="stable")
        bid, ask = prices(bid[order], ask[order])
        bid_size, ask_size = sizes(bid_size[order]), sizes(ask_size[order])
        return Quotes(contract[order], bid, ask, bid_size, ask_size, ts[order])

    def _conflated(self) -> list[Quote]:
        """The newest quote of each contract, and all of those that were printed.

        A print is told after the quotes that it changed, as often as not: which of several
        was in force when it was made, its time says, and not the order of arrival.
        """
        newest, every = self.newest, self.quotes
        if not every:
            return []
        self.newest, self.quotes = {}, []
        printed = {trade.sym for trade in self.prints}
        if printed.isdisjoint(newest):
            return list(newest.values())
        taken = [quote for quote in every if quote.sym in printed]
        return taken + [quote for symbol, quote in newest.items() if symbol not in printed]

    def take_prints(self, index: dict[str, int]) -> tuple[list[Trade], Trades | None]:
        """The prints that wait, as they came and as columns."""
        if not self.prints:
            return [], None
        taken, self.prints = self.prints, []
        contract = [index.get(trade.sym, -1) for trade in taken]
        if min(contract) < 0:
            listed = [trade for trade in taken if trade.sym in index]
            self.unlisted += len(taken) - len(listed)
            if not listed:
                return [], None
            taken, contract = listed, [index[trade.sym] for trade in listed]
        return taken, Trades.of(
            contract,
            np.frombuffer(array("d", [trade.p for trade in taken])),
            np.frombuffer(array("d", [trade.s for trade in taken])),
            self._times(taken),
            condition=[deciding(trade.c) for trade in taken],
            sequence=_sequences(taken),
        )

    def _times(self, taken: list[Any]) -> I64:
        """Times in ns; 0 where there is none that can be."""
        try:
            ms = np.frombuffer(array("q", [message.t for message in taken]), np.int64)
        except OverflowError:
            ms = np.array([m.t if in_range(m.t) else 0 for m in taken], np.int64)
        if not (in_range(int(ms.min())) and in_range(int(ms.max()))):
            ms = np.array([m.t if in_range(m.t) else 0 for m in taken], np.int64)
            self.undated += int(np.count_nonzero(ms == 0))
        return ms * _MS


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


def _sequences(taken: list[Trade]) -> I64:
    """The same of many."""
    try:
        numbers = np.array([trade.q for trade in taken], np.int64)
        exchanges = np.array([trade.x for trade in taken], np.int64)
    except OverflowError:
        return np.array([sequence(trade.q, trade.x) for trade in taken], np.int64)
    given = (numbers >= 0) & (numbers < _MOST_SEQUENCE)
    return np.where(given, numbers * _EXCHANGES + exchanges % _EXCHANGES, -1)
