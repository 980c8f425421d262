"""How much comes in: rows per second, by their own receipt times and no other clock.

A replay counts the same rows at the same times, and so says the same.
"""

from __future__ import annotations

from collections import deque

from gexterm.clock import NS
from gexterm.market.events import Event, OpenInterest, Quotes, Trades, UnderlyingPrice, Volume

_WINDOW_S = 5
_KEPT = 4 * _WINDOW_S


class EventRate:
    """Rows of market events per second, in whole windows of five seconds."""

    def __init__(self) -> None:
        self._begun = 0
        self._seconds: deque[list[int]] = deque(maxlen=_KEPT)

    def count(self, event: Event) -> None:
        """Count an event's rows at its receipt time, or its own where that is not known."""
        if isinstance(event, Quotes | Trades | OpenInterest | Volume):
            rows = len(event.contract)
        elif isinstance(event, UnderlyingPrice):
            rows = 1
        else:
            return
        if not rows:
            return
        at = event.recv or (
            int(event.ts.max()) if isinstance(event, Quotes | Trades) else int(event.ts)
        )
        second = at // NS
        if not self._seconds or second > self._seconds[-1][0]:
            self._begun = self._begun or second
            self._seconds.append([second, rows])
        else:
            # What comes late still came: it counts in the newest second.
            self._seconds[-1][1] += rows

    def per_second(self, as_of: int) -> float:
        """The rate in the last whole window before a market time, ns.

        NaN until one has passed since the first row.
        """
        end = as_of // NS // _WINDOW_S * _WINDOW_S
        first = end - _WINDOW_S
        if not self._begun or first < self._begun:
            return float("nan")
        return sum(rows for second, rows in self._seconds if first <= second < end) / _WINDOW_S
