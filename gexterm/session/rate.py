"""How much comes in: events per second of our time."""

from __future__ import annotations

from gexterm.clock import NS, Clock
from gexterm.market.events import Event, OpenInterest, Quotes, Trades, UnderlyingPrice, Volume

_WINDOW = 5 * NS


class EventRate:
    """Rows of market events per second, over about the last five seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rows = 0
        self._since = clock.now_ns()
        self._last = float("nan")

    def count(self, event: Event) -> None:
        """Count an event's rows."""
        if isinstance(event, Quotes | Trades | OpenInterest | Volume):
            self._rows += len(event.contract)
        elif isinstance(event, UnderlyingPrice):
            self._rows += 1

    def per_second(self) -> float:
        """The rate; NaN until a first window has passed."""
        now = self._clock.now_ns()
        passed = now - self._since
        if passed >= _WINDOW:
            self._last = self._rows * NS / passed
            self._rows, self._since = 0, now
        return self._last
