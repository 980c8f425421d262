"""One Reading without a session: of a chain file, or of a recording at a time.

`ask_…` hands out whom to ask more (`engine.inquiry`), `read_…` and `reading_…` its Reading.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from gexterm.clock import NS
from gexterm.config import VIEWS, Settings
from gexterm.engine.counts import feed_counts
from gexterm.engine.earlier import Earlier
from gexterm.engine.engine import Engine
from gexterm.engine.grid import TickGrid, known_at
from gexterm.engine.health import FeedCounts
from gexterm.engine.inquiry.inquirer import Inquirer
from gexterm.engine.settings import EngineSettings
from gexterm.errors import ChainError, InputError, UsageError
from gexterm.market.events import Event, FeedReport, SourceInfo
from gexterm.market.roots import printable
from gexterm.reading.model import Reading
from gexterm.recording.books import Book as KeptBook
from gexterm.recording.chains import ChainFile, read_chain
from gexterm.recording.reader import Recording

_LOOK_BACK = 35 * 60 * NS
"""Market time run through before the wanted one, so that hysteresis and look-back are filled."""

_LATEST = 30 * NS
"""How much later than a market time, and than the feed's delay, what is of it is received."""


def engine_for(settings: Settings, underlying: str, view: str | None, scope: str | None) -> Engine:
    """An engine with the user's settings and what the command line overrides.

    Raises UsageError for a view or scope that there is not.
    """
    if view is not None and view not in ("auto", *VIEWS):
        raise UsageError(f"there is no sign view {printable(view)}", f"one of: {', '.join(VIEWS)}")
    if scope is not None and scope not in ("auto", "all", "0dte"):
        try:
            dt.date.fromisoformat(scope)
        except (TypeError, ValueError):
            raise UsageError(
                f"there is no scope {printable(scope)}", "use 0dte, all or a date: 2026-11-20"
            ) from None
    own = EngineSettings.of(settings, underlying)
    return Engine(replace(own, view=view or own.view, scope=scope or own.scope))


def read_chain_file(
    path: Path,
    settings: Settings,
    *,
    at: int | str | None = None,
    root: str | None = None,
    view: str | None = None,
    scope: str | None = None,
) -> Reading:
    """One Reading of a chain file; see `recording.chains` for what is read.

    Raises InputError for a file that cannot be used.
    """
    return ask_chain_file(path, settings, at=at, root=root, view=view, scope=scope).reading


def ask_chain_file(
    path: Path,
    settings: Settings,
    *,
    at: int | str | None = None,
    root: str | None = None,
    view: str | None = None,
    scope: str | None = None,
) -> Inquirer:
    """Whom to ask about a chain file, its Reading first; otherwise as `read_chain_file`."""
    return ask_chain(read_chain(path, at=at, root=root), settings, view=view, scope=scope)


def reading_of_chain(
    chain: ChainFile,
    settings: Settings,
    *,
    view: str | None = None,
    scope: str | None = None,
    polled: bool = False,
) -> Reading:
    """One Reading of a chain already read; `polled`: just now, from its publisher."""
    return ask_chain(chain, settings, view=view, scope=scope, polled=polled).reading


def ask_chain(
    chain: ChainFile,
    settings: Settings,
    *,
    view: str | None = None,
    scope: str | None = None,
    polled: bool = False,
) -> Inquirer:
    """Whom to ask about a chain already read; otherwise as `reading_of_chain`."""
    engine = engine_for(settings, chain.underlying, view, scope)
    engine.apply(replace(chain.info, mode="delayed") if polled else chain.info)
    for event in chain.events:
        engine.apply(event)
    _reading(engine, chain.as_of, FeedCounts(warnings=chain.warnings))
    return Inquirer(engine)


def reading_of_recording(
    recording: Recording,
    settings: Settings,
    *,
    at: int | None = None,
    view: str | None = None,
    scope: str | None = None,
    carry: KeptBook | None = None,
    earlier: Earlier | None = None,
    warnings: tuple[str, ...] = (),
    keep: Callable[[KeptBook], object] | None = None,
    on_the_way: Callable[[Reading], object] | None = None,
) -> Reading:
    """The Reading of a recording at a time (None: its end), with 35 minutes of look-back.

    Of a recording with a tape, everything from its beginning is read.

    `on_the_way` is handed the Readings of the minutes before, and the last one too.
    `carry` is the book of an earlier session (`engine.carry.book_of`: the one that this
    session went on from), `earlier` what was heard earlier in the day; `keep` is handed this
    session's book at that time. `warnings` are said in the last Reading's health.

    Raises InputError when the recording does not reach that time.
    """
    return ask_recording(
        recording,
        settings,
        at=at,
        view=view,
        scope=scope,
        carry=carry,
        earlier=earlier,
        warnings=warnings,
        keep=keep,
        on_the_way=on_the_way,
    ).reading


def ask_recording(
    recording: Recording,
    settings: Settings,
    *,
    at: int | None = None,
    view: str | None = None,
    scope: str | None = None,
    carry: KeptBook | None = None,
    earlier: Earlier | None = None,
    warnings: tuple[str, ...] = (),
    keep: Callable[[KeptBook], object] | None = None,
    on_the_way: Callable[[Reading], object] | None = None,
) -> Inquirer:
    """Whom to ask about a recording at a time; otherwise as `reading_of_recording`."""
    when = recording.market_ends if at is None else at
    if not recording.market_begins <= when <= recording.market_ends:
        raise InputError(
            f"{recording.path} holds nothing at that time",
            f"it reaches {_span(recording)}; choose a time within with --at",
        )
    # A tape has to be read whole: a position is the sum of all prints since the open.
    tape = recording.info.has_tape
    back = recording.begins if tape else max(recording.begins, when - _LOOK_BACK)
    engine = engine_for(settings, recording.info.underlying, view, scope)
    engine.kept, engine.earlier = carry, earlier
    grid = TickGrid(60 * NS)
    report: FeedReport | None = None
    for event in recorded(recording, back, at):
        if isinstance(event, SourceInfo):
            engine.apply(event)
            continue
        if isinstance(event, FeedReport):
            report = event
            continue
        if (due := grid.due(event)) and due < when:
            job = engine.job(due, feed_counts(report, math.nan))
            if job is not None:
                reading = engine.compute(job)
                if on_the_way:
                    on_the_way(reading)
        engine.apply(event)
    said = (*warnings, *recording.warnings)
    reading = _reading(engine, when, feed_counts(report, math.nan, said))
    if on_the_way:
        on_the_way(reading)
    if keep:
        book = engine.keep_book(when)
        if book is None:
            raise InputError(
                f"{recording.path} has no tape, and so no book to keep",
                "record or simulate one with prints",
            )
        keep(book)
    return Inquirer(engine)


def recorded(recording: Recording, back: int, at: int | None) -> Iterable[Event]:
    """What is known of a recording at a market time, ns; None: all of it.

    `back` is the replay time from which on events matter; what was before is handed on as
    a state.
    """
    if back > recording.begins:
        yield from recording.seek(back)
    start = back if back > recording.begins else None
    if at is None:
        yield from recording.events(start)
        return
    late = recording.ends - recording.market_ends
    yield from known_at(recording.events(start, at + late + _LATEST), at)


def _reading(engine: Engine, as_of: int, counts: FeedCounts) -> Reading:
    job = engine.job(as_of, counts)
    if job is None:
        raise ChainError("there is no option in it", "nothing can be computed")
    if all(e.settled(as_of) for e in job.rows.layout.expiries):
        raise ChainError(
            "every expiry in it has settled by then", "choose an earlier time with --at"
        )
    reading = engine.compute(job)
    if reading.health.quoted_share == 0.0:
        raise ChainError(
            "no option in it has a two-sided quote",
            "nothing can be computed; was the file made outside trading hours?",
        )
    return reading


def _span(recording: Recording) -> str:
    from gexterm.market.calendar import et

    begins, ends = et(recording.market_begins), et(recording.market_ends)
    return f"from {begins:%Y-%m-%d %H:%M} to {ends:%H:%M} ET"
