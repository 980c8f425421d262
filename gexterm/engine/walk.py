"""The Readings of a recording, one after the other, as fast as they are asked for.

No session, no socket, no clock: the same recording gives the same Readings, whoever asks
and however often. Ticks fall on round market times (`engine.grid`), at least every minute,
so that what a Reading remembers does not depend on how many of them are wanted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from gexterm.clock import NS
from gexterm.config import Settings
from gexterm.engine.counts import feed_counts
from gexterm.engine.earlier import Earlier
from gexterm.engine.grid import TickGrid
from gexterm.engine.oneshot import engine_for, recorded
from gexterm.errors import InputError, UsageError
from gexterm.market.calendar import et
from gexterm.market.events import FeedReport, SourceInfo
from gexterm.reading.model import Reading
from gexterm.recording.books import Book
from gexterm.recording.reader import Recording

LONGEST_S = 60.0
"""Ticks are no further apart than this, seconds of the market."""
SHORTEST_S = 0.1
"""Readings are no closer than this, seconds of the market."""
_LOOK_BACK = 35 * 60 * NS
"""Market time run through before the first one wanted, where there is no tape."""


def readings(
    recording: Recording,
    settings: Settings,
    *,
    every_s: float = 60.0,
    start: int | None = None,
    end: int | None = None,
    view: str | None = None,
    scope: str | None = None,
    carry: Book | None = None,
    earlier: Earlier | None = None,
    warnings: tuple[str, ...] = (),
    on_tick: Callable[[Reading], object] | None = None,
) -> Iterator[Reading]:
    """Readings from `start` to `end` (ns; None: all of it), every `every_s` market seconds.

    They stand at multiples of `every_s`, or at the next tick after one where nothing was
    heard then; the last one stands at the end. What lies before `start` is run through, so
    that memory is filled. `on_tick` is handed every Reading computed on the way from
    `start` on, wanted or not. `carry`, `earlier` and `warnings` are as in
    `engine.oneshot.reading_of_recording`.

    Raises UsageError for an impossible `every_s` and an end before the start, InputError where
    the recording does not reach the times asked for.
    """
    if not SHORTEST_S <= every_s < math.inf:
        raise UsageError(
            f"Readings every {every_s:g} seconds cannot be", f"use {SHORTEST_S:g} or more"
        )
    if start is not None and end is not None and end < start:
        raise UsageError(
            f"{et(end):%H:%M:%S} is before {et(start):%H:%M:%S}", "end later than you begin"
        )
    begins, ends = recording.market_begins, recording.market_ends
    first = begins if start is None else start
    last = ends if end is None else min(end, ends)
    if not begins <= first <= last:
        raise InputError(
            f"{recording.path} holds nothing in that time",
            f"it reaches from {et(begins):%Y-%m-%d %H:%M:%S} to {et(ends):%H:%M:%S} ET",
        )
    return _walk(
        recording, settings, round(every_s * NS), first, last,
        view, scope, carry, earlier, warnings, on_tick,
    )  # fmt: skip


def _walk(
    recording: Recording,
    settings: Settings,
    every: int,
    first: int,
    last: int,
    view: str | None,
    scope: str | None,
    carry: Book | None,
    earlier: Earlier | None,
    warnings: tuple[str, ...],
    on_tick: Callable[[Reading], object] | None,
) -> Iterator[Reading]:
    engine = engine_for(settings, recording.info.underlying, view, scope)
    engine.kept, engine.earlier = carry, earlier
    # A tape has to be read whole: a position is the sum of all prints since the open.
    tape = recording.info.has_tape
    back = recording.begins if tape else max(recording.begins, first - _LOOK_BACK)
    grid = TickGrid(min(every, round(LONGEST_S * NS)))
    report: FeedReport | None = None
    told = -1

    def tick(due: int) -> Reading | None:
        said = (*warnings, *recording.warnings)
        job = engine.job(due, feed_counts(report, math.nan, said))
        if job is None:
            return None
        reading = engine.compute(job)
        if on_tick and due >= first:
            on_tick(reading)
        return reading

    done = 0
    to = None if last == recording.market_ends else last
    for event in recorded(recording, back, to):
        if isinstance(event, SourceInfo):
            engine.apply(event)
            continue
        if isinstance(event, FeedReport):
            report = event
            continue
        if due := grid.due(event):
            reading = tick(due)
            done = due
            if reading is not None and due >= first and due // every != told:
                told = due // every
                yield reading
        engine.apply(event)
    if done < last:
        reading = tick(last)
        if reading is not None:
            yield reading
