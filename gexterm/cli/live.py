"""`gexterm live` and `gexterm record`: a venue on screen and on disk, or on disk alone."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gexterm.cli.common import expiry_option, scope_of, settings, view_option
from gexterm.cli.feedchoice import feed_choice, feed_options
from gexterm.cli.opening import living, recorder_of, recordings_folder, runner_of
from gexterm.cli.screen import LOOK, look_options, on_screen
from gexterm.errors import InputError, UsageError

if TYPE_CHECKING:
    from gexterm.config import Settings
    from gexterm.feeds.protocol import FeedProtocol
    from gexterm.feeds.venue import FeedOptions, Venue
    from gexterm.recording.books import Book
    from gexterm.session.live import LiveSession

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")


@click.command("live")
@click.argument("feed")
@click.argument("underlying")
@view_option
@expiry_option
@look_options
@click.option("--headless", is_flag=True, help="No screen: one line per market minute.")
@click.option("--no-record", is_flag=True, help="Keep no recording of the session.")
@click.option(
    "--carry",
    type=click.Path(path_type=Path),
    metavar="BOOK",
    help="Carry on this book instead of the newest one kept: a file, or a folder of books.",
)
@click.option("--no-carry", is_flag=True, help="Carry on no book: positions begin at nothing.")
@feed_options
def live_command(
    feed: str,
    underlying: str,
    view: str | None,
    expiry: str | None,
    headless: bool,
    no_record: bool,
    carry: Path | None,
    no_carry: bool,
    **options: Any,
) -> None:
    """The monitor on a live venue.

    `gexterm feeds` shows the venues and what each needs. The session is recorded unless
    told otherwise; the book is taken up from the last recorded day and kept at the end.
    """
    from gexterm.feeds.venue import find_venue

    venue = find_venue(feed)
    if carry is not None and no_carry:
        raise UsageError("--carry and --no-carry contradict each other", "give one of them")
    scope = scope_of(expiry)
    look = {name: options.pop(name) for name in LOOK}
    if not headless:
        from gexterm.ui.terminal import need_terminal

        need_terminal()
    chosen = settings()
    protocol = _protocol(venue, underlying, feed_choice(venue, options))
    book = _named_book(carry, underlying) if carry is not None else None
    work = partial(_headless, chosen) if headless else on_screen(chosen, look)
    running = _live(
        work,
        protocol,
        venue,
        underlying,
        chosen,
        view=view,
        scope=scope,
        record=chosen.record == "on" and not no_record,
        book=book,
        take_up=not no_carry,
    )
    _run(running, with_reader=headless)


@click.command("record")
@click.argument("feed")
@click.argument("underlying")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of recordings, instead of the configured one.",
)
@click.option("--for", "duration", metavar="DURATION", help="Stop after so long: 90s, 30m, 6h30m.")
@feed_options
def record_command(
    feed: str, underlying: str, output: Path | None, duration: str | None, **options: Any
) -> None:
    """Record a live venue, without a screen and without computing anything.

    Runs until it is told to stop (Ctrl-C, SIGTERM): then files are closed with their
    index. It may be killed at any time: what was heard up to a second before is kept.
    """
    from gexterm.feeds.venue import find_venue

    venue = find_venue(feed)
    limit = None if duration is None else seconds_of(duration)
    chosen = settings()
    protocol = _protocol(venue, underlying, feed_choice(venue, options))
    folder = output or recordings_folder(chosen)
    _run(_record(protocol, venue, underlying, chosen, folder, limit))


# -- what both need --------------------------------------------------------------------


def _protocol(venue: Venue, underlying: str, choice: FeedOptions) -> FeedProtocol:
    from gexterm.feeds import credentials

    return venue.make(underlying, credentials.load(venue), choice)


def _run(work: Coroutine[Any, Any, None], *, with_reader: bool = False) -> None:
    """Run to the end, or until told to stop; see `cli.outlet.run_until_told`."""
    from gexterm.cli.outlet import run_until_told

    run_until_told(work, with_reader=with_reader)


# -- live ------------------------------------------------------------------------------


async def _live(
    work: Callable[[LiveSession], Awaitable[None]],
    protocol: FeedProtocol,
    venue: Venue,
    underlying: str,
    chosen: Settings,
    *,
    view: str | None,
    scope: str | None,
    record: bool,
    book: Book | None,
    take_up: bool,
) -> None:
    async with living(
        protocol,
        venue,
        underlying,
        chosen,
        view=view,
        scope=scope,
        record=record,
        book=book,
        take_up=take_up,
    ) as session:
        await work(session)


async def _headless(chosen: Settings, session: LiveSession) -> None:
    """One line per market minute; what deserves attention on standard error.

    Alerts are kept and delivered as they are with a screen.
    """
    from gexterm.cli.alertpost import alert_post
    from gexterm.cli.monitor import print_minutes
    from gexterm.cli.saying import tell as say
    from gexterm.clock import SystemClock

    async with alert_post(chosen, SystemClock(), say) as post:

        async def tell() -> None:
            async for alert in session.alerts():
                say(f"{_clock(alert.at)} {alert.severity}: {alert.text}")
                post(alert)

        telling = asyncio.create_task(tell())
        try:
            await print_minutes(session)
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)


def _named_book(path: Path, underlying: str) -> Book:
    """The book that `--carry` names: of a folder, the newest before today."""
    from gexterm.clock import SystemClock
    from gexterm.market.calendar import et
    from gexterm.recording import books

    today, name = et(SystemClock().now_ns()).date(), underlying.upper()
    found = books.latest(path, name, today) if path.is_dir() else path
    if found is None:
        raise InputError(f"{path} has no book of {name} before {today}", "leave out --carry")
    book = books.load(found)
    if book.underlying != name or book.date >= today:
        raise InputError(
            f"{found} is the book of {book.underlying} on {book.date}",
            f"name one of {name} before {today}",
        )
    return book


# -- record ----------------------------------------------------------------------------


async def _record(
    protocol: FeedProtocol,
    venue: Venue,
    underlying: str,
    chosen: Settings,
    folder: Path,
    limit_s: float | None,
) -> None:
    from gexterm.cli.logbook import Logbook
    from gexterm.cli.saying import tell
    from gexterm.clock import SystemClock

    clock = SystemClock()
    book = Logbook(clock, tell)
    recorder = recorder_of(venue, underlying, chosen, folder, clock, book.recording)
    try:
        async with recorder, runner_of(protocol, clock, recorder.tap) as runner:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(limit_s):
                    async for batch in runner.events():
                        for event in batch:
                            recorder.event(event)
                            book.event(event, recorder.path)
    finally:
        book.end(recorder.bytes, recorder.lost_rows)
    book.refusal()
    book.losses()


def seconds_of(text: str) -> float:
    """The length that `90s`, `30m` or `6h30m` names, seconds."""
    found = _DURATION.fullmatch(text.strip())
    parts = [int(part or 0) for part in found.groups()] if found else [0]
    seconds = sum(part * each for part, each in zip(parts, (3600, 60, 1), strict=False))
    if not 0 < seconds <= 366 * 86_400:
        raise UsageError(f"--for {text!r} is no length of time", "use 90s, 30m or 6h30m")
    return float(seconds)


def _clock(ns: int) -> str:
    from gexterm.market.calendar import et

    return f"{et(ns):%H:%M:%S}"
