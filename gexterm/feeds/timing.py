"""The market's clock: what time it is at the venue, by what the venue's own rows say.

This machine's clock may be minutes off, and data may be late by design. Were `recv` left
on our clock, quotes would look minutes old, or prints would seem to come from a future
that nobody believes. So the distance between the venue's clock and ours is estimated, and
`recv` moved by it:

    market time = our time + offset,     offset = 0 while the two are less than 1 s apart

Evidence is the newest `ts` of what came together, against when it came. Old rows say
nothing (a snapshot of quiet contracts, history fetched after the fact): what is live keeps
a constant distance from our clock while ours goes on, and nothing else does. So the
offset is the distance on which most slices of time agree, and it is not believed before
it has held for 2 s. Only rows from the future need no such patience, since nothing old
looks like them: twenty that agree and are no minority suffice.

The offset moves in steps and stays between them, so that a wobbling network moves no
time. Pure: events and times in, events out.
"""

from __future__ import annotations

import dataclasses
import math
from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gexterm.clock import NS
from gexterm.market.events import (
    ClockTick,
    Event,
    FeedStatus,
    Quotes,
    SourceInfo,
    TickMark,
    Trades,
    UnderlyingPrice,
)

I64 = NDArray[np.int64]

_NEAR_NS = NS
"""Clocks less than this apart count as the same."""
_AHEAD_NS = 5 * NS
"""Rows further ahead of the market's clock than this cannot be."""
_FAR_NS = 26 * 3600 * NS
"""No clock is wrong by more: a wrong time zone and a wrong day at most."""
_Y2K = 946_684_800 * NS
_SLICE_NS = NS // 10
"""Evidence is gathered by slices of this length."""
_SLICES, _AGE_NS = 300, 60 * NS
"""Slices remembered at most, and for how long."""
_AGREE_NS = 3 * NS // 4
"""Distances within this agree: a network's jitter, times cut to half a second."""
_PER_SLICE = 8
"""Distinct distances of a slice that are remembered, the newest ones."""
_HELD_NS = 2 * NS
_LEAST_SLICES, _LEAST_ROWS = 3, 20
_EVERY_NS = NS // 2
"""How often the evidence is looked at once the clock is known."""


@dataclass(frozen=True, eq=False, slots=True)
class _Slice:
    at: int
    """When it began, our clock, ns."""
    distances: list[tuple[int, int]]
    """Distance of rows from our clock, ns, and how many rows agree on it; newest first."""
    rows: int
    """Rows in it that say when they were made."""


class MarketClock:
    """Estimates the venue's clock from its rows, and dates events by it."""

    def __init__(self, delay_s: float = 0.0) -> None:
        self.misdated = 0
        """Rows whose time cannot be; they were dated to when they came."""
        self.known = False
        """Whether the venue's rows have said what time it is there, as far as they can."""
        self._delay = round(delay_s * NS)
        self._offset = -self._delay
        self._estimate = math.nan
        self._slices: deque[_Slice] = deque(maxlen=_SLICES)
        self._judged = 0

    @property
    def offset_ns(self) -> int:
        """What to add to our clock for the market's, ns."""
        return self._offset

    @property
    def skew_s(self) -> float:
        """How far our clock is ahead of the venue's, seconds; NaN while not known."""
        return self._estimate

    def market_ns(self, now_ns: int) -> int:
        """The market's time at a time of ours, ns."""
        return now_ns + self._offset

    def assume(self) -> None:
        """Nothing has said otherwise for long enough: our clock is taken for right."""
        self.known = True

    def doubt(self) -> None:
        """Our clock was set, or stood still: what it was compared with is void.

        The offset stays until there is new evidence.
        """
        self._slices.clear()
        self._estimate = math.nan
        self.known = False

    def note(self) -> str:
        """What a user must know of it, one line; empty while all is well."""
        apart = -self._offset - self._delay
        if abs(apart) < _NEAR_NS:
            return ""
        which = "ahead of" if apart > 0 else "behind"
        return f"this machine's clock is {span(abs(apart) / NS)} {which} the venue's"

    def dated(
        self, events: Iterable[Event], at_ns: int, receipts: Collection[int] = ()
    ) -> list[Event]:
        """Events that came at `at_ns` of our clock, dated by the market's.

        `receipts` are the receipt times that the protocol was handed since the last time:
        where the venue gave no `ts` it stamped one of them, which says nothing of the
        venue's clock and is moved as `recv` is.
        """
        given = list(events)
        for event in given:
            if isinstance(event, SourceInfo) and round(event.delay_s * NS) != self._delay:
                self._delayed(event.delay_s)
        stamps = {at_ns, *receipts}
        self._observe([each for each in given if isinstance(each, _TIMED)], at_ns, stamps)
        recv = at_ns + self._offset
        return [self._date(event, recv, stamps) for event in given]

    def _delayed(self, delay_s: float) -> None:
        """The feed is late by design, and by how much."""
        self._offset += self._delay
        self._delay = round(delay_s * NS)
        self._offset -= self._delay

    # -- what time it is there -----------------------------------------------------------

    def _observe(self, events: list[_Timed], at_ns: int, stamps: set[int]) -> None:
        times = [_times(event) for event in events]
        times = [ts[(ts >= _Y2K) & ~_among(ts, stamps)] for ts in times]
        ts = np.concatenate(times) if times else np.zeros(0, np.int64)
        far = ts - at_ns
        far = far[(far > -_FAR_NS) & (far < _FAR_NS)]
        if not len(far):
            return
        slot = at_ns // _SLICE_NS
        distances, rows = _newest(far), len(far)
        if self._slices and self._slices[-1].at // _SLICE_NS == slot:
            last = self._slices.pop()
            distances, rows = _merged(last.distances + distances), rows + last.rows
        self._slices.append(_Slice(at_ns, distances, rows))
        while self._slices and not 0 <= at_ns - self._slices[0].at <= _AGE_NS:
            self._slices.popleft()
        if not self.known or abs(at_ns - self._judged) >= _EVERY_NS:
            self._judged = at_ns
            self._judge()

    def _judge(self) -> None:
        """Find the distance on which most slices agree, and step there if it has held."""
        entries = sorted(
            (far, slice_.at, rows) for slice_ in self._slices for far, rows in slice_.distances
        )
        far = np.array([entry[0] for entry in entries], np.int64)
        at = np.array([entry[1] for entry in entries], np.int64)
        rows = np.array([entry[2] for entry in entries], np.int64)
        ends = np.searchsorted(far, far + _AGREE_NS, "right")
        begins = np.arange(len(far))
        total = np.concatenate([[0], np.cumsum(rows)])
        support = (ends - begins) + (total[ends] - total[begins]) / (total[-1] + 1.0)
        best = int(np.argmax(support))
        # The newest of those that agree best: a network only ever makes rows later.
        chosen = slice(best, int(ends[best]))
        held = int(at[chosen].max() - at[chosen].min())
        agreed = int(np.median(far[chosen]))
        seen = sum(1 for each in self._slices if each.at >= at[chosen].min())
        lasting = held >= _HELD_NS and len(at[chosen]) >= max(_LEAST_SLICES, 0.5 * seen)
        many = int(rows[chosen].sum())
        future = (
            agreed > self._offset + _NEAR_NS
            and many >= _LEAST_ROWS
            and many >= 0.5 * sum(each.rows for each in self._slices)
        )
        if lasting or future:
            self._settle(agreed)

    def _settle(self, agreed: int) -> None:
        self.known = True
        base = -self._delay
        self._estimate = (base - agreed) / NS
        if abs(agreed - self._offset) >= _NEAR_NS:
            self._offset = agreed if abs(agreed - base) >= _NEAR_NS else base

    # -- dating --------------------------------------------------------------------------

    def _date(self, event: Event, recv: int, stamps: set[int]) -> Event:
        if isinstance(event, _TIMELESS):
            return event
        if isinstance(event, Quotes | Trades):
            ts = self._possible(event.ts, recv, stamps)
            if ts is event.ts:
                return dataclasses.replace(event, recv=recv)
            if isinstance(event, Trades):
                return dataclasses.replace(event, ts=ts, recv=recv)
            return _in_order(event, ts, recv)
        if isinstance(event, UnderlyingPrice):
            ts = self._possible(np.array([event.ts], np.int64), recv, stamps)
            return dataclasses.replace(event, ts=int(ts[0]), recv=recv)
        return dataclasses.replace(event, recv=recv)

    def _possible(self, ts: I64, recv: int, stamps: set[int]) -> I64:
        """Times that can be: those given where they can, else when the rows came."""
        offset = self._offset
        if not len(ts):
            return ts
        # Late by design is not always late by exactly so much.
        latest = recv + self._delay + _AHEAD_NS
        stamped = _among(ts, stamps) if offset else None
        if int(ts.min()) >= _Y2K and int(ts.max()) <= latest and stamped is None:
            return ts
        dated = ts
        if stamped is not None and stamped.any():
            dated = np.where(stamped, ts + offset, ts)
        wrong = (dated > latest) | (dated < _Y2K)
        if wrong.any():
            # Not given is no mistake of the venue's.
            self.misdated += int(np.count_nonzero(wrong & (ts != 0)))
            dated = np.where(wrong, recv, dated)
        return dated


_Timed = Quotes | Trades | UnderlyingPrice
_TIMED = (Quotes, Trades, UnderlyingPrice)
_TIMELESS = (SourceInfo, FeedStatus, ClockTick, TickMark)


def _times(event: _Timed) -> I64:
    if isinstance(event, UnderlyingPrice):
        return np.array([event.ts], np.int64)
    return event.ts


def _among(ts: I64, stamps: set[int]) -> NDArray[np.bool_]:
    """Which times are receipt times that the protocol was handed."""
    found = np.zeros(len(ts), np.bool_)
    within = (ts >= min(stamps)) & (ts <= max(stamps))
    if within.any():
        found[within] = np.isin(ts[within], np.fromiter(stamps, np.int64, len(stamps)))
    return found


def _newest(far: I64) -> list[tuple[int, int]]:
    """The newest distances, those that agree as one: (distance, rows), newest first."""
    ordered = np.sort(far)
    found: list[tuple[int, int]] = []
    end = len(ordered)
    while end and len(found) < _PER_SLICE:
        newest = int(ordered[end - 1])
        begin = int(np.searchsorted(ordered, newest - _AGREE_NS, "left"))
        found.append((newest, end - begin))
        end = begin
    return found


def _merged(found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for far, rows in sorted(found, reverse=True):
        if merged and merged[-1][0] - far <= _AGREE_NS:
            merged[-1] = (merged[-1][0], merged[-1][1] + rows)
        else:
            merged.append((far, rows))
    return merged[:_PER_SLICE]


def _in_order(quotes: Quotes, ts: I64, recv: int) -> Quotes:
    """Quotes with other times, sorted by them anew."""
    order = np.argsort(ts, kind="stable")
    return Quotes(
        contract=quotes.contract[order],
        bid=quotes.bid[order],
        ask=quotes.ask[order],
        bid_size=quotes.bid_size[order],
        ask_size=quotes.ask_size[order],
        ts=ts[order],
        recv=recv,
    )


def span(seconds: float) -> str:
    """A duration for a person."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
