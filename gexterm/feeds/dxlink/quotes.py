"""Quotes between two flushes: values stay in the lists they came in, symbols point into them.

What a quote costs on the hot path is one dictionary store and a copy of pointers; numbers
are looked at when they are flushed, once per contract and flush.

A quote without a time (tastytrade's options have none) is dated to its receipt.
"""

from __future__ import annotations

from itertools import chain, repeat

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
_ROWS = list(range(1 << 15))
"""Row numbers made once: to make each anew is a tenth of what a quote costs."""
_SPARSE = 3
"""Where fewer than one row in so many survives, rows are picked singly."""


class QuoteBook:
    """Quotes waiting for the next flush."""

    def __init__(self) -> None:
        self.refused = 0
        """Quotes whose prices could not be."""
        self.conflation: Conflation[int] = Conflation()
        """Which of the rows that wait is each symbol's newest."""
        self._lists: list[Values] = []
        self._starts: list[int] = []
        self._recvs: list[int] = []
        self._rows = 0

    def take_in(self, values: Values, recv_ns: int) -> None:
        """Keep a QUOTE list of `compact.Layout`.

        Raises InputError where a symbol is none, and keeps nothing of the list.
        """
        begin = self._rows
        symbols = values[::_WIDTH]
        end = begin + len(symbols)
        rows = _ROWS[begin:end] if end <= len(_ROWS) else range(begin, end)
        newest = self.conflation.newest
        try:
            newest.update(zip(symbols, rows, strict=False))
        except TypeError:
            self.conflation.newest = {k: row for k, row in newest.items() if row < begin}
            raise InputError("Quote has an event whose symbol is no text") from None
        self._lists.append(values)
        self._starts.append(begin)
        self._recvs.append(recv_ns)
        self._rows = end

    def flush(self, index: dict[str, int], underlying: str) -> tuple[list[Quotes], list[float]]:
        """Quotes of the contracts in `index`, by time; and the newest of the underlying.

        That one is bid, ask and time in ns, or empty. Nothing waits afterwards.
        """
        at = self.conflation.take()
        if not at:
            return [], []
        rows = np.array(at, np.int64)
        frames = np.searchsorted(self._starts, rows, "right") - 1
        recv = np.array(self._recvs, np.int64)[frames]
        flat = self._gather(rows, frames)
        newest = self._recvs[-1]
        self._lists, self._starts, self._recvs, self._rows = [], [], [], 0
        symbols = flat[::_WIDTH]
        contract = np.fromiter(map(index.get, symbols, repeat(-1)), np.int32, len(symbols))
        bid, ask = _price(flat[1::_WIDTH]), _price(flat[2::_WIDTH])
        ts = _time(flat[5::_WIDTH], flat[6::_WIDTH], recv)
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
            bid_size=_size(flat[3::_WIDTH])[rows],
            ask_size=_size(flat[4::_WIDTH])[rows],
            ts=ts[rows],
            recv=newest,
        )
        return [quotes], spot

    def _gather(self, rows: I64, frames: I64) -> Values:
        """The values of these rows, row after row."""
        if _SPARSE * len(rows) < self._rows:
            starts, lists = self._starts, self._lists
            flat: Values = []
            for row, frame in zip(rows.tolist(), frames.tolist(), strict=True):
                place = (row - starts[frame]) * _WIDTH
                flat += lists[frame][place : place + _WIDTH]
            return flat
        whole = list(chain.from_iterable(self._lists))
        if len(rows) == self._rows:
            return whole
        flat = [None] * (len(rows) * _WIDTH)
        for field in range(_WIDTH):
            column = whole[field::_WIDTH]
            flat[field::_WIDTH] = map(column.__getitem__, rows.tolist())
        return flat


def _price(values: Values) -> F64:
    """Prices; infinite where they cannot be, NaN where none is given."""
    price = floats(values)
    price[(price < 0.0) | (price > _MOST_POINTS)] = np.inf
    return price


def _size(values: Values) -> F64:
    size = floats(values)
    size[~((size >= 0.0) & (size <= _MOST_SIZE))] = np.nan
    return size


def _time(bid: Values, ask: Values, recv: I64) -> I64:
    """The later of both sides' times, ns; that of receipt where neither is given."""
    if not any(bid) and not any(ask):
        return recv
    ms = np.fmax(floats(bid), floats(ask))
    given = (ms > 0.0) & (ms < _MOST_MS)
    return np.where(given, np.where(given, ms, 0.0).astype(np.int64) * _MS, recv)
