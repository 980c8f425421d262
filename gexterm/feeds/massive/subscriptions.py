"""What is subscribed on a connection, and the frames that change it.

Prints are asked for contract by contract (`T.O:…`), all listed ones, the nearest first:
there is no limit on them. `T.*` would be one message instead of seventy, but it is the
whole market. To decode a foreign print and drop it costs half a microsecond
(`benchmarks/massive.py`), which is affordable; but a line that carries a few of the day's
prints must then carry all, and a burst in any name may have the venue hang up as too slow.
Contracts listed during the day are asked for as soon as they are known.

Quotes may be asked for at most 1,000 contracts per connection. When the window moves, what
leaves it is given back before what enters it is asked for, so that the limit holds after
every frame.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gexterm.feeds.massive.messages import frames

MOST_QUOTES = 1_000
"""Contracts of which one connection may have quotes [vendor's page of options quotes]."""
_A_SECOND = 8
"""Subscription messages of prints a second: a whole chain takes less than ten."""


class Subscriptions:
    """Of one connection."""

    def __init__(self) -> None:
        self.quotes: set[str] = set()
        """Contracts whose quotes are asked for."""
        self.prints: set[str] = set()
        """Contracts whose prints are asked for."""
        self.confirmed = 0
        """Subscriptions of prints that the venue has confirmed."""
        self._waiting: list[str] = []
        self._unconfirmed: set[str] = set()
        self._last: str = ""

    @property
    def prints_sent(self) -> bool:
        """Whether every contract wanted so far has been asked for."""
        return bool(self.prints) and not self._waiting

    @property
    def prints_confirmed(self) -> bool:
        """Whether the venue has confirmed them all, or at least the last ones."""
        return self.prints_sent and (not self._unconfirmed or self._last not in self._unconfirmed)

    def want_prints(self, symbols: Iterable[str]) -> None:
        """Ask for the prints of these, when their turn comes."""
        self._waiting += symbols

    def more_prints(self) -> list[str]:
        """The next frames of those, about once a second."""
        out: list[str] = []
        for frame, symbols in frames("subscribe", "T", self._waiting):
            out.append(frame)
            self.prints.update(symbols)
            self._unconfirmed.update(symbols)
            self._last = symbols[-1]
            if len(out) == _A_SECOND:
                break
        if out:
            sent = self._waiting.index(self._last) + 1
            self._waiting = self._waiting[sent:]
        return out

    def move_quotes(self, add: Sequence[str], remove: Iterable[str]) -> list[str]:
        """Frames that move the window: first what leaves it, then what enters it."""
        leaving = [symbol for symbol in remove if symbol in self.quotes]
        self.quotes.difference_update(leaving)
        room = MOST_QUOTES - len(self.quotes)
        entering = [symbol for symbol in add if symbol not in self.quotes][: max(room, 0)]
        self.quotes.update(entering)
        return [
            *(frame for frame, _ in frames("unsubscribe", "Q", leaving)),
            *(frame for frame, _ in frames("subscribe", "Q", entering)),
        ]

    def confirm(self, names: Iterable[str]) -> None:
        """The venue has named these as subscribed."""
        for name in names:
            channel, _, symbol = name.partition(".")
            if channel == "T" and symbol in self._unconfirmed:
                self._unconfirmed.remove(symbol)
                self.confirmed += 1
