"""Which prints of a contract are there, by `trade_seq`, and which are proved missing.

Deribit numbers the trades of each instrument without gaps. What is there is kept as
disjoint runs of numbers; between two runs lies what was missed. Prints may come in any
order and as often as they like: each is new once. Pure.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field


@dataclass(slots=True)
class Runs:
    """Numbers of one contract, as runs [first, last], ascending, no two of which touch."""

    firsts: list[int] = field(default_factory=list)
    lasts: list[int] = field(default_factory=list)

    def add(self, number: int) -> bool:
        """Take a number in; whether it is new."""
        return self.cover(number, number) > 0

    def cover(self, first: int, last: int) -> int:
        """Take in all of [first, last]; how many of them are new."""
        firsts, lasts = self.firsts, self.lasts
        if lasts and first == lasts[-1] + 1:
            lasts[-1] = last
            return last - first + 1
        # The runs that touch [first, last] become one.
        low = bisect_right(lasts, first - 2)
        high = bisect_right(firsts, last + 1)
        held = sum(
            max(min(lasts[i], last) - max(firsts[i], first) + 1, 0) for i in range(low, high)
        )
        if low < high:
            begin, end = min(first, firsts[low]), max(last, lasts[high - 1])
        else:
            begin, end = first, last
        firsts[low:high] = [begin]
        lasts[low:high] = [end]
        return last - first + 1 - held

    def holes(self) -> list[tuple[int, int]]:
        """What lies between the runs, [first, last] each, ascending."""
        return [
            (last + 1, first - 1)
            for last, first in zip(self.lasts[:-1], self.firsts[1:], strict=True)
        ]

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self.firsts, number) - 1
        return at >= 0 and number <= self.lasts[at]


class Sequences:
    """The runs of all contracts, by symbol, and what was given up on."""

    def __init__(self) -> None:
        self._runs: dict[str, Runs] = {}
        self._lost: dict[str, Runs] = {}
        self._torn: set[str] = set()

    def add(self, symbol: str, number: int) -> bool:
        """A print has come; whether it is new."""
        runs = self._runs.get(symbol)
        if runs is None:
            self._runs[symbol] = Runs([number], [number])
            return True
        if number == runs.lasts[-1] + 1:
            runs.lasts[-1] = number
            return True
        new = runs.add(number)
        if new:
            self._torn.add(symbol)
        return new

    def holes(self) -> dict[str, list[tuple[int, int]]]:
        """What is missing and was not given up on, by symbol."""
        out: dict[str, list[tuple[int, int]]] = {}
        for symbol in sorted(self._torn):
            holes = self._runs[symbol].holes()
            if (lost := self._lost.get(symbol)) is not None:
                holes = [part for hole in holes for part in _without(hole, lost)]
            if holes:
                out[symbol] = holes
            else:
                self._torn.discard(symbol)
        return out

    def missing(self, symbol: str, first: int, last: int) -> list[tuple[int, int]]:
        """What of [first, last] has still not come."""
        runs = self._runs.get(symbol)
        if runs is None:
            return [(first, last)]
        return [
            (max(low, first), min(high, last))
            for low, high in runs.holes()
            if low <= last and high >= first
        ]

    def given_up(self, symbol: str, number: int) -> bool:
        """Whether a print was said not to come."""
        lost = self._lost.get(symbol)
        return lost is not None and number in lost

    def give_up(self, symbol: str, first: int, last: int) -> int:
        """What of [first, last] is missing will not come; how many prints that is."""
        lost = self._lost.setdefault(symbol, Runs())
        return sum(lost.cover(low, high) for low, high in self.missing(symbol, first, last))


def _without(hole: tuple[int, int], lost: Runs) -> list[tuple[int, int]]:
    """The parts of a hole that were not given up on, ascending."""
    first, last = hole
    parts = []
    for low, high in zip(lost.firsts, lost.lasts, strict=True):
        if high < first or low > last:
            continue
        if low > first:
            parts.append((first, low - 1))
        first = high + 1
    if first <= last:
        parts.append((first, last))
    return parts
