"""When to tick: at round market times, whatever the speed and whoever delivers.

Readings carry memory (hysteresis, look-back), so their times must not depend on how
fast a machine or a socket is. A tick falls due at a round time T once something
arrives that is later than T; it then sees everything up to T and nothing after.

A live session whose ticks cost more than their distance leaves some out, and marks in its
recording where it did tick. A replay that ticks as finely or more finely follows the marks
instead, so that it computes what was computed then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gexterm.clock import NS
from gexterm.market.events import (
    ClockTick,
    Event,
    Quotes,
    TickMark,
    Trades,
    UnderlyingPrice,
)

STEPS_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0)
"""Distances between ticks that meet on every full minute, seconds."""


def step_for(speed: float, fps: float) -> int:
    """The finest step, ns of market time, that makes at most `fps` ticks per second of ours."""
    wanted = max(speed, 0.0) / fps
    step = next((s for s in STEPS_S if s >= wanted - 1e-9), STEPS_S[-1])
    return round(step * NS)


def market_time(event: Event) -> int:
    """The market time that an event proves to be, ns; 0 when it proves none.

    Open interest and volume are as of a time that may be this machine's, which is known to
    be wrong only later.
    """
    if isinstance(event, Quotes | Trades):
        return int(event.ts.max()) if len(event.ts) else 0
    if isinstance(event, ClockTick | UnderlyingPrice):
        return event.ts
    return 0


def known_at(events: Iterable[Event], when: int) -> Iterator[Event]:
    """The events up to the first that proves that the market is past `when`, ns.

    What is left is what a tick at `when` knows when it falls due on the way: prices of that
    very moment are received a little later, and belong to it.
    """
    for event in events:
        if (event.ts if isinstance(event, TickMark) else market_time(event)) > when:
            return
        yield event


class TickGrid:
    """Says which tick, if any, falls due before an event is taken in."""

    def __init__(self, step: int) -> None:
        self.step = step
        """Distance between ticks, ns."""
        self.last = 0
        """Time of the last tick, ns; 0 before the first."""
        self.now = 0
        """Latest market time seen, ns."""
        self._marked = 0

    @property
    def marked(self) -> bool:
        """Whether ticks happen at the marks of a recording and nowhere else."""
        return self._marked > 0 and self.step <= self._marked

    def due(self, event: Event) -> int:
        """The time to tick at before `event` is applied; 0 when none is due.

        Several round times passed at once make one tick, at the latest of them.
        """
        if isinstance(event, TickMark):
            return self._obey(event)
        ts = market_time(event)
        if ts <= self.now:
            return 0
        first = self.now == 0
        self.now = ts
        boundary = (ts - 1) // self.step * self.step
        if self.marked or first or boundary <= self.last:
            return 0
        self.last = boundary
        return boundary

    def _obey(self, mark: TickMark) -> int:
        self._marked = mark.step
        if not self.marked or mark.ts <= 0:
            return 0
        self.last = mark.ts
        self.now = max(self.now, mark.ts)
        return mark.ts
