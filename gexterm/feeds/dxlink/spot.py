"""What the underlying is worth, from the events that a venue has of it.

An index has Trades (its values, without a size) and mostly no quote; a stock has both, and
the middle of its quote is newer than its last trade.
"""

from __future__ import annotations

import math

from gexterm.feeds.dxlink.compact import number
from gexterm.market.events import UnderlyingPrice

_MOST_POINTS = 1e9
_MOST_MS = 9e12
_WIDEST = 0.02
"""A quote wider than this part of the price says nothing."""


class Spot:
    """The price of one underlying."""

    def __init__(self, *, index: bool) -> None:
        """`index`: whether it is one, and its Trades go before its quotes."""
        self.price = math.nan
        """Points; NaN until known."""
        self.previous_close = math.nan
        """Of the session before, points; NaN until known."""
        self._index = index
        self._traded = False
        self._ts = 0
        self._new = False

    def trade(self, price: object, ms: object, now_ns: int) -> None:
        """A Trade: price, and time in ms."""
        at, when = number(price), number(ms)
        if 0.0 < at <= _MOST_POINTS:
            self._traded = True
            if self._index or math.isnan(self.price):
                self._set(at, round(when) * 1_000_000 if 0.0 < when < _MOST_MS else now_ns)

    def quote(self, bid: float, ask: float, ts: int) -> None:
        """A Quote, at a time in ns."""
        if not 0.0 < bid <= ask <= _MOST_POINTS or ask - bid > _WIDEST * ask:
            return
        if not (self._index and self._traded):
            self._set(0.5 * (bid + ask), ts)

    def summary(self, previous_close: object) -> None:
        """A Summary."""
        close = number(previous_close)
        self.previous_close = close if 0.0 < close <= _MOST_POINTS else math.nan

    def flush(self, now_ns: int) -> list[UnderlyingPrice]:
        """The price, if it was told since the last time."""
        if not self._new:
            return []
        self._new = False
        return [UnderlyingPrice(self.price, self._ts, now_ns)]

    def _set(self, price: float, ts: int) -> None:
        self.price, self._ts, self._new = price, ts, True
