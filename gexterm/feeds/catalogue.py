"""Which index a venue's symbol has: given out once, kept as long as the protocol lives."""

from __future__ import annotations

from collections.abc import Iterable

from gexterm.market.contracts import Contract
from gexterm.market.events import Definitions


class Catalogue:
    """The contracts of a session by index, and the venue's symbol of each."""

    def __init__(self) -> None:
        self.contracts: list[Contract] = []
        """By index."""
        self.symbols: list[str] = []
        """The venue's symbol, by index."""
        self.index: dict[str, int] = {}
        """Index by the venue's symbol."""

    def __len__(self) -> int:
        return len(self.contracts)

    def define(self, listed: Iterable[tuple[str, Contract]], recv: int) -> list[Definitions]:
        """Take in symbols with their contracts; the definitions of those that are new.

        Two symbols of one contract are two contracts here: the protocol decides which to
        take. A symbol that is known already stays what it was.
        """
        first = len(self.contracts)
        for symbol, contract in listed:
            if symbol in self.index:
                continue
            self.index[symbol] = len(self.contracts)
            self.contracts.append(contract)
            self.symbols.append(symbol)
        new = tuple(self.contracts[first:])
        return [Definitions(first, new, recv)] if new else []
