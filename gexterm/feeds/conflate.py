"""Quotes between two flushes: the newest by symbol, and those that a print was made against.

Quotes are conflated, prints never. A print is judged by the quote in force when it was
made; were only the newest quote kept, it would be judged by one that came after it. So
the quote that stands when a print of its symbol arrives is set aside and survives.

On the hot path a protocol assigns to `newest` itself: a dictionary store is about the
cheapest thing that can be done with a message.
"""

from __future__ import annotations

from typing import Generic, TypeVar

Q = TypeVar("Q")


class Conflation(Generic[Q]):
    """Quotes waiting for the next flush. `Q` is the protocol's own decoded message."""

    __slots__ = ("kept", "newest")

    def __init__(self) -> None:
        self.newest: dict[str, Q] = {}
        """The newest quote by the venue's symbol."""
        self.kept: list[Q] = []
        """Quotes that were in force when a print came, in order."""

    def keep(self, symbol: str) -> None:
        """A print of the symbol has come: the quote that stands now must survive."""
        quote = self.newest.pop(symbol, None)
        if quote is not None:
            self.kept.append(quote)

    def take(self) -> list[Q]:
        """Everything that waits: what was kept, then the newest. Nothing waits afterwards."""
        if not self.newest and not self.kept:
            return []
        taken = [*self.kept, *self.newest.values()]
        self.kept, self.newest = [], {}
        return taken
