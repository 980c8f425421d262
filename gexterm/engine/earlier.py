"""What was printed earlier in the day and recorded by an earlier session: flow to go on from.

A session that begins at noon, after one that ran all morning, lacks the morning's prints
where the venue cannot send them again. They are in the morning's recording, judged then by
the quotes of then: what they add up to is added to this session's own flow. What the venue
sends again all the same is left out by contract and sequence.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from gexterm.clock import NS
from gexterm.dealers.flow import Flow
from gexterm.dealers.tape import Tape
from gexterm.engine.health import FeedCounts
from gexterm.market.calendar import et
from gexterm.market.contracts import Contract
from gexterm.market.events import NEW, Trades

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Mask = NDArray[np.bool_]

_SLACK_NS = 60 * NS
"""A print dated so long after the last word of a recording cannot have been in it."""
_INSTANT_NS = NS
"""Holes no longer than this are none."""
_NOTHING = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time of which the prints are known."""

    begins: int
    """Since when, ns."""
    ends: int
    """Until when, ns."""


@dataclass(frozen=True, eq=False, slots=True)
class Earlier:
    """Flow of earlier sessions of the same day. m contracts."""

    contracts: tuple[Contract, ...]
    """The contracts, each once."""
    flow: Flow
    """What their prints add up to, by those contracts."""
    sequences: tuple[I64, ...]
    """The numbers of the prints of each, ascending; those without a number are not in it."""
    spans: tuple[Span, ...]
    """When somebody listened, ascending and apart."""
    gaps: int = 0
    """Prints that were proved missing while somebody did."""

    @classmethod
    def of(
        cls,
        contracts: Sequence[Contract],
        flow: Flow,
        tape: Tape,
        before: Earlier | None,
        span: Span,
        gaps: int,
    ) -> Earlier:
        """What a session's tape and all before it say; `flow` is that of both.

        `gaps` are the prints missing in the session alone.
        """
        count = len(contracts)
        numbered = tape.sequence >= 0
        who, number = tape.contract[numbered], tape.sequence[numbered]
        order = np.lexsort((number, who))
        cuts = np.searchsorted(who[order], np.arange(1, count))
        numbers = np.split(number[order], cuts) if count else []
        if before is not None:
            for at, told in before.arranged(contracts).numbers.items():
                numbers[at] = np.union1d(numbers[at], told)
        return cls(
            tuple(contracts),
            flow,
            tuple(numbers),
            _merged((*(before.spans if before is not None else ()), span)),
            gaps + (before.gaps if before is not None else 0),
        )

    @property
    def ends(self) -> int:
        """When the last of them stopped listening, ns."""
        return self.spans[-1].ends if self.spans else 0

    def arranged(self, contracts: Sequence[Contract]) -> EarlierFlow:
        """The same for a chain's contracts, by index; those it does not list are left out."""
        place = {contract: index for index, contract in enumerate(contracts)}
        at = np.array([place.get(contract, -1) for contract in self.contracts], np.int64)
        listed = at >= 0
        count = len(contracts)

        def spread(values: F64) -> F64:
            out = np.zeros((*values.shape[:-1], count))
            np.add.at(out.T, at[listed], values[..., listed].T)
            return out

        flow = Flow(
            spread(self.flow.mean),
            spread(self.flow.variance),
            spread(self.flow.amount),
            self.flow.epoch,
            self.flow.prints,
            self.flow.counts,
        )
        numbers: dict[int, I64] = {}
        for index, told in zip(at.tolist(), self.sequences, strict=True):
            if index >= 0:
                numbers[index] = np.union1d(numbers[index], told) if index in numbers else told
        return EarlierFlow(flow, numbers, self.ends)

    def told(self, counts: FeedCounts) -> FeedCounts:
        """What a feed counted, with what is known from before it: see `FeedCounts.heard_from`.

        A warning says what nobody heard, if there is such a time.
        """
        since = counts.heard_from
        for span in reversed(self.spans):
            if since and since <= span.ends + _INSTANT_NS:
                since = min(since, span.begins)
        warnings = counts.warnings
        if missed := self.missed(counts.heard_from):
            known = ", ".join(f"{_clock(span.begins)}-{_clock(span.ends)}" for span in self.spans)
            holes = ", ".join(f"{_clock(hole.begins)}-{_clock(hole.ends)}" for hole in missed)
            said = f"flow of {known} is taken up from this day's earlier recordings"
            warnings = (*warnings, f"{said}; not heard: {holes}")
        again = 0 < counts.heard_from <= self.spans[0].begins if self.spans else True
        # Where the venue has sent the whole day once more, it has sent those too.
        gaps = counts.gaps + (0 if again else self.gaps)
        return replace(counts, heard_from=since, gaps=gaps, warnings=warnings)

    def missed(self, heard_from: int) -> list[Span]:
        """The holes up to `heard_from`, since when the feed knows all (ns; 0: not known)."""
        holes = [Span(a.ends, b.begins) for a, b in itertools.pairwise(self.spans)]
        if heard_from:
            holes.append(Span(self.ends, heard_from))
            # What the venue sent again is no hole any more.
            holes = [Span(hole.begins, min(hole.ends, heard_from)) for hole in holes]
        return [hole for hole in holes if hole.ends - hole.begins > _INSTANT_NS]


@dataclass(frozen=True, eq=False, slots=True)
class EarlierFlow:
    """An `Earlier` arranged for a chain."""

    flow: Flow
    """By the chain's contract index."""
    numbers: dict[int, I64]
    """Sequences by contract index, ascending."""
    ends: int
    """When it stopped listening, ns."""

    def unheard(self, trades: Trades) -> Trades:
        """The prints that are not in it yet; one without a number only where it is later."""
        old = (trades.ts <= self.ends + _SLACK_NS) & (trades.action == NEW)
        rows = np.flatnonzero(old)
        if len(rows) == 0:
            return trades
        keep = np.ones(len(trades.ts), np.bool_)
        keep[rows] = [not self._heard(trades, row) for row in rows.tolist()]
        if keep.all():
            return trades
        columns = {f.name: getattr(trades, f.name) for f in fields(trades)}
        recv = columns.pop("recv")
        return Trades(**{name: column[keep] for name, column in columns.items()}, recv=recv)

    def _heard(self, trades: Trades, row: int) -> bool:
        number = int(trades.sequence[row])
        if number < 0:
            return int(trades.ts[row]) <= self.ends
        numbers = self.numbers.get(int(trades.contract[row]), _NOTHING)
        at = int(np.searchsorted(numbers, number))
        return at < len(numbers) and int(numbers[at]) == number

    def and_then(self, own: Flow) -> Flow:
        """Together with a session's own flow, of the same chain or of its beginning."""
        missing = len(self.flow.mean) - len(own.mean)

        def both(earlier: F64, later: F64) -> F64:
            if missing:
                later = np.pad(later, [*[(0, 0)] * (later.ndim - 1), (0, missing)])
            return np.asarray(earlier + later, np.float64)

        counts = dict(self.flow.counts)
        for name, count in own.counts.items():
            counts[name] = counts.get(name, 0) + count
        return Flow(
            both(self.flow.mean, own.mean),
            both(self.flow.variance, own.variance),
            both(self.flow.amount, own.amount),
            min((e for e in (self.flow.epoch, own.epoch) if e), default=0),
            self.flow.prints + own.prints,
            counts,
        )


def _merged(spans: Sequence[Span]) -> tuple[Span, ...]:
    out: list[Span] = []
    for span in sorted(spans, key=lambda span: span.begins):
        if out and span.begins <= out[-1].ends:
            out[-1] = Span(out[-1].begins, max(out[-1].ends, span.ends))
        else:
            out.append(span)
    return tuple(out)


def _clock(ns: int) -> str:
    return f"{et(ns):%H:%M}"
