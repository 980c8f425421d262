"""Quotes between two flushes: the newest row of each symbol, and those that prints were made at.

What a quote costs on the hot path is one tuple and one dictionary store, both without a
Python loop; numbers are looked at when they are flushed, once per contract and flush. No
list of the decoder's is kept: memory that is used again at once stays in the cache, and
that is worth more than the tuple costs.

A quote without a time (tastytrade's options have none) is dated to its receipt.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gexterm.errors import InputError
from gexterm.feeds.conflate import Conflation
from gexterm.feeds.dxlink.compact import FIELDS, QUOTE, Values, floats
from gexterm.market.events import Quotes

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

_WIDTH = len(FIELDS[QUOTE])
_MOST_POINTS, _MOST_SIZE = 1e9, 1e12
_MS = 1_000_000
_MOST_MS = float(2**63 // _MS - 1)

Row = tuple[Any, ...]
"""A quote's values in the order of `FIELDS`, then its receipt time, ns."""


class QuoteBook:
    """Quotes waiting for the next flush."""

    def __init__(self) -> None:
        self.refused = 0
        """Quotes whose prices could not be."""
        self.conflation: Conflation[Row] = Conflation()
        """The rows that wait, by symbol."""

    def take_in(self, values: Values, recv_ns: int) -> None:
        """Keep a QUOTE list of `compact.Layout`.

        Raises InputError where a symbol is none; rows before it are kept, those after not.
        """
        each = iter(values)
        rows = zip(*[each] * _WIDTH, repeat(recv_ns), strict=False)
        try:
            self.conflation.newest.update(zip(values[::_WIDTH], rows, strict=False))
        except TypeError:
            raise InputError("Quote has an event whose symbol is no text") from None

    def flush(self, index: dict[str, int], underlying: str) -> tuple[list[Quotes], list[float]]:
        """Quotes of the contracts in `index`, by time; and the newest of the underlying.

        That one is bid, ask and time in ns, or empty. Nothing waits afterwards.
        """
        waiting = self.conflation.take()
        if not waiting:
            return [], []
        symbols, bids, asks, bid_sizes, ask_sizes, bid_times, ask_times, recvs = zip(
            *waiting, strict=True
        )
        contract = np.fromiter(map(index.get, symbols, repeat(-1)), np.int32, len(symbols))
        bid, ask = _price(bids), _price(asks)
        recv = np.array(recvs, np.int64)
        ts = _time(bid_times, ask_times, recv)
        spot: list[float] = []
        if underlying in symbols:
            last = len(symbols) - 1 - symbols[::-1].index(underlying)
            spot = [float(bid[last]), float(ask[last]), float(ts[last])]
        known = contract >= 0
        self.refused += int(np.count_nonzero(known & (np.isinf(bid) | np.isinf(ask))))
        known &= np.isfinite(bid) | np.isfinite(ask)
        rows = np.flatnonzero(known)
        if not len(rows):
            return [], spot
        rows = rows[np.argsort(ts[rows], kind="stable")]
        bid[np.isinf(bid)] = np.nan
        ask[np.isinf(ask)] = np.nan
        quotes = Quotes(
            contract=contract[rows],
            bid=bid[rows],
            ask=ask[rows],
            bid_size=_size(bid_sizes)[rows],
            ask_size=_size(ask_sizes)[rows],
            ts=ts[rows],
            recv=int(recv.max()),
        )
        return [quotes], spot


def _price(values: Sequence[Any]) -> F64:
    """Prices; infinite where they cannot be, NaN where none is given."""
    price = floats(values)
    price[(price < 0.0) | (price > _MOST_POINTS)] = np.inf
    return price


def _size(values: Sequence[Any]) -> F64:
    size = floats(values)
    size[~((size >= 0.0) & (size <= _MOST_SIZE))] = np.nan
    return size


def _time(bid: Sequence[Any], ask: Sequence[Any], recv: I64) -> I64:
    """The later of both sides' times, ns; that of receipt where neither is given."""
    if not any(bid) and not any(ask):
        return recv
    ms = np.fmax(floats(bid), floats(ask))
    given = (ms > 0.0) & (ms < _MOST_MS)
    return np.where(given, np.where(given, ms, 0.0).astype(np.int64) * _MS, recv)
