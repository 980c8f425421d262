"""Cancels and corrections: which prints are in force, whatever order things arrive in.

What is in force is worked out from the set of prints, cancels and corrections seen so
far, never from their order of arrival. So a cancel may come before its print, all may
come again after a reconnect, and the tape ends up the same.

    named      the feed says which print (`refers`). A correction and the print it corrects
               are one story of several versions; the last one is in force, none if cancelled.
    unnamed    OPRA's cancels say price and size only. All prints of one contract, price
               and size are one group; each of its cancels, in event time, takes back the
               most recent print before it that no other took (the earliest one where the
               opening print is cancelled). Only where there is none, the next one within
               `SLACK_NS`: clocks of cancels and prints may differ by that much.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gexterm.dealers.tape_columns import Columns, State
from gexterm.dealers.tape_index import TapeIndex, mix

I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]
Name = tuple[int, int]
"""Contract and sequence."""
Likeness = tuple[int, float, float]
"""Contract, price and size."""

_NONE: I64 = np.empty(0, np.int64)
_NONE.flags.writeable = False

SLACK_NS = 5_000_000_000
"""How long after a cancel, in event time, the print that it takes back may lie."""


@dataclass(slots=True)
class _Story:
    """A print and its corrections."""

    original: int = -1
    """Row of the print; −1 while it has not come."""
    corrections: list[int] = field(default_factory=list)
    """Rows that correct it."""
    cancelled: bool = False
    """Whether it was taken back by name."""

    def versions(self, sequence: I64) -> list[int]:
        """Rows, the print first, then its corrections by sequence."""
        rows = sorted(self.corrections, key=lambda row: (int(sequence[row]), row))
        return [self.original, *rows] if self.original >= 0 else rows


@dataclass(slots=True)
class _Group:
    """Prints alike in contract, price and size, of which some were taken back."""

    rows: list[int]
    """All of them."""
    cancels: list[tuple[int, int, bool]] = field(default_factory=list)
    """Time, sequence, and whether it was the opening print."""
    until: int = 0
    """Time up to which a print could be taken back by one of the cancels, ns."""
    unmatched: int = 0
    """Cancels that found no print."""


class Undoing:
    """Keeps `state` of the tape's columns as cancels and corrections have it."""

    def __init__(self, columns: Columns, index: TapeIndex) -> None:
        self._columns = columns
        self._index = index
        self._stories: dict[Name, _Story] = {}
        self._alias: dict[Name, Name] = {}
        self._awaited: set[Name] = set()
        self._awaited_sequences: I64 | None = None
        self._ended: dict[int, State] = {}
        self._groups: dict[Likeness, _Group] = {}
        self._group_hashes: U64 | None = None
        self._before: dict[int, int] = {}
        self._pairs: dict[int, int] = {}
        self.cancelled = 0
        """Rows that are cancelled."""
        self.replaced = 0
        """Rows that are corrected."""

    @property
    def unmatched_cancels(self) -> int:
        """Cancels whose print has not come."""
        named = sum(
            self._stories[name].cancelled and not self._stories[name].corrections
            for name in self._awaited
        )
        return named + sum(group.unmatched for group in self._groups.values())

    @property
    def unmatched_corrections(self) -> int:
        """Prints that were corrected and have not come; the corrections count as prints."""
        return sum(bool(self._stories[name].corrections) for name in self._awaited)

    def arrived(self, first: int, end: int) -> None:
        """New rows, prints all of them."""
        if not (self._awaited or self._groups) or end == first:
            return
        self._join(first, end)
        for row in self._hits(first, end):
            name = (int(self._columns.contract[row]), int(self._columns.sequence[row]))
            if name in self._awaited:
                self._awaited.remove(name)
                self._awaited_sequences = None
                story = self._stories[name]
                story.original = row
                self._tell(story)

    def cancel_named(self, contract: int, sequence: int) -> None:
        """Take back the print of that name, now or when it comes."""
        story = self._story((contract, sequence))
        if not story.cancelled:
            story.cancelled = True
            self._tell(story)

    def cancel_alike(
        self, alike: Likeness, ts: int, sequence: int = -1, *, opening: bool = False
    ) -> None:
        """Take back the one print of that likeness that a cancel of this time must mean."""
        group = self._groups.get(alike)
        if group is None:
            contract, price, size = alike
            columns = self._columns
            rows = np.flatnonzero(columns.contract == contract)
            rows = rows[(columns.price[rows] == price) & (columns.size[rows] == size)]
            group = self._groups[alike] = _Group(rows.tolist())
            self._group_hashes = None
        group.cancels.append((ts, sequence, opening))
        group.until = max(group.until, ts + SLACK_NS)
        self._match(group)

    def correct(self, row: int, refers: int) -> None:
        """A new row that stands for the print `refers` of its contract."""
        self._join(row, row + 1)
        contract, sequence = int(self._columns.contract[row]), int(self._columns.sequence[row])
        own = (contract, sequence)
        name = self._root((contract, refers))
        story = self._story(name)
        story.corrections.append(row)
        if sequence >= 0 and own != name and own not in self._alias:
            later = self._stories.get(own)
            if later is None or later.original < 0:
                self._alias[own] = name
                if later is not None:  # a correction of this correction came first
                    story.corrections += later.corrections
                    story.cancelled |= later.cancelled
                    del self._stories[own]
                    self._awaited.discard(own)
                    self._awaited_sequences = None
        self._tell(story)

    def changes(self, first: int) -> tuple[I64, I64, I64, I64]:
        """What became of earlier rows since the last call, and which row stands for which.

        Returns rows below `first` that are in force no longer, those that are again, and
        pairs of a corrected row and the one in force for it.
        """
        if not (self._before or self._pairs):
            return _NONE, _NONE, _NONE, _NONE
        state = self._columns.state
        gone: list[int] = []
        revived: list[int] = []
        for row, before in self._before.items():
            if row < first and (before == State.LIVE) != (state[row] == State.LIVE):
                (gone if before == State.LIVE else revived).append(row)
        # A correction can itself be taken back, and then stands for nothing.
        pairs = {row: by for row, by in self._pairs.items() if state[by] == State.LIVE}
        self._before, self._pairs = {}, {}
        return (
            np.array(sorted(gone), np.int64),
            np.array(sorted(revived), np.int64),
            np.array(list(pairs), np.int64),
            np.array(list(pairs.values()), np.int64),
        )

    def _hits(self, first: int, end: int) -> Iterable[int]:
        """New rows with the sequence of an awaited print, of whatever contract."""
        if not self._awaited:
            return ()
        wanted = self._awaited_sequences
        if wanted is None:
            wanted = np.array(sorted({sequence for _, sequence in self._awaited}), np.int64)
            self._awaited_sequences = wanted
        found: list[int] = (_among(self._columns.sequence[first:end], wanted) + first).tolist()
        return found

    def _join(self, first: int, end: int) -> None:
        """Take new rows into the groups of their likeness."""
        if not self._groups:
            return
        if self._group_hashes is None:
            keys = list(self._groups)
            self._group_hashes = np.sort(
                _likeness(
                    np.array([key[0] for key in keys], np.int32),
                    np.array([key[1] for key in keys], np.float64),
                    np.array([key[2] for key in keys], np.float64),
                )
            )
        columns = self._columns
        new = slice(first, end)
        hashes = _likeness(columns.contract[new], columns.price[new], columns.size[new])
        concerned: dict[int, _Group] = {}
        for row in (_among(hashes, self._group_hashes) + first).tolist():
            alike = self._alike(row)
            if (group := self._groups.get(alike)) is not None:
                group.rows.append(row)
                if int(columns.ts[row]) <= group.until:
                    concerned[id(group)] = group
        for group in concerned.values():
            self._match(group)

    def _alike(self, row: int) -> Likeness:
        columns = self._columns
        return int(columns.contract[row]), float(columns.price[row]), float(columns.size[row])

    def _root(self, name: Name) -> Name:
        while name in self._alias:
            name = self._alias[name]
        return name

    def _story(self, name: Name) -> _Story:
        name = self._root(name)
        story = self._stories.get(name)
        if story is None:
            columns = self._columns
            row = self._index.find(columns.contract, columns.sequence, *name)
            story = self._stories[name] = _Story(row)
            if row < 0:
                self._awaited.add(name)
                self._awaited_sequences = None
        return story

    def _tell(self, story: _Story) -> None:
        """Put a story's rows into the states it gives them."""
        versions = story.versions(self._columns.sequence)
        if not versions:
            return
        *earlier, last = versions
        for row in earlier:
            self._ended[row] = State.REPLACED
            if not story.cancelled:
                self._pairs[row] = last
        if story.cancelled:
            self._ended[last] = State.CANCELLED
            for row in earlier:
                self._pairs.pop(row, None)
        else:
            self._ended.pop(last, None)
        for row in versions:
            group = self._groups.get(self._alike(row)) if self._groups else None
            if group is not None:
                self._match(group)
            else:
                self._put(row, self._ended.get(row, State.LIVE))

    def _match(self, group: _Group) -> None:
        """Which rows of a group its cancels take back."""
        ts, sequence = self._columns.ts, self._columns.sequence
        for row in group.rows:
            if row in self._ended:
                self._put(row, self._ended[row])
        rows = [row for row in group.rows if row not in self._ended]
        rows.sort(key=lambda row: (int(ts[row]), int(sequence[row]), row))
        taken: set[int] = set()
        before: deque[int] = deque()
        at = 0
        group.unmatched = 0
        for when, _, opening in sorted(group.cancels):
            while at < len(rows) and int(ts[rows[at]]) <= when:
                before.append(rows[at])
                at += 1
            if before:
                taken.add(before.popleft() if opening else before.pop())
            elif at < len(rows) and int(ts[rows[at]]) <= when + SLACK_NS:
                taken.add(rows[at])
                at += 1
            else:
                group.unmatched += 1
        for row in rows:
            self._put(row, State.CANCELLED if row in taken else State.LIVE)

    def _put(self, row: int, state: State) -> None:
        before = int(self._columns.state[row])
        if before == state:
            return
        self._before.setdefault(row, before)
        self._columns.state[row] = state
        self.cancelled += (state == State.CANCELLED) - (before == State.CANCELLED)
        self.replaced += (state == State.REPLACED) - (before == State.REPLACED)


def _among(values: I64 | U64, wanted: I64 | U64) -> I64:
    """Where `values` are among the sorted `wanted`, of which there is one at least."""
    at = np.searchsorted(wanted, values)
    at[at == len(wanted)] = 0
    return np.flatnonzero(wanted[at] == values)


def _likeness(
    contract: NDArray[np.int32], price: NDArray[np.float64], size: NDArray[np.float64]
) -> U64:
    # Hashes may collide: they only save looking a row up.
    return mix(price.view(np.int64), size.view(np.int64), contract)
