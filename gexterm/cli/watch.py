"""`gexterm watch SOURCE`: one line per Reading, for programs and for people without a screen."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gexterm.cli.common import (
    at_option,
    carry_option,
    expiry_option,
    kept_book,
    looks_recorded,
    open_recording,
    scope_of,
    settings,
    time_in,
    view_option,
)
from gexterm.cli.feedchoice import feed_choice, feed_options
from gexterm.cli.outlet import Outlet, run_until_told
from gexterm.errors import ConnectionFailedError, InputError, UsageError

if TYPE_CHECKING:
    from gexterm.alerts.model import Alert
    from gexterm.config import Settings
    from gexterm.reading.fields import Field
    from gexterm.reading.model import Reading
    from gexterm.recording.reader import Recording
    from gexterm.session.live import LiveSession

ALERT_SCHEMA = "gexterm.alert/1"
"""Name and version of the form of an alert line; see `docs/alert.schema.json`."""
EVERY_S = 60.0
"""Market seconds between the Readings of a recording, unless told otherwise."""
EVERY_LIVE_S = 1.0
"""The same of a live venue."""
PATIENCE_S = 60.0
"""How long a live venue may take until the first Reading, seconds."""
MOST_ALERTS = 1000
"""Alerts that wait for a slow reader of a live venue; beyond, the oldest are lost and counted."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a line is written."""

    as_json: bool
    """JSON, or words."""
    fields: tuple[Field, ...]
    """Only these of a Reading; empty: all."""
    alerts: bool
    """Whether alerts are lines, too."""

    def reading(self, reading: Reading, state: str = "") -> str | bytes:
        """A Reading's line."""
        if self.fields:
            import msgspec

            from gexterm.reading.fields import pick

            return msgspec.json.encode(pick(reading, self.fields)) + b"\n"
        if self.as_json:
            from gexterm.reading.export import to_json

            return to_json(reading) + b"\n"
        from gexterm.cli.table import summary_line

        return summary_line(reading, state) + "\n"

    def alert(self, alert: Alert, missed: int = 0) -> str | bytes:
        """An alert's line; `missed`: how many before it were lost on a slow reader."""
        if self.as_json or self.fields:
            import msgspec

            return msgspec.json.encode({"alert": alert_object(alert, missed)}) + b"\n"
        from gexterm.ui.words import clean, clock

        marks = "replay, " if alert.replay else ""
        lost = f" ({missed:,} alerts before it are lost)" if missed else ""
        return f"{clock(alert.at)} ET  {marks}{alert.severity}: {clean(alert.text)}{lost}\n"


def alert_object(alert: Alert, missed: int = 0) -> dict[str, Any]:
    """An alert as its line holds it: `docs/alert.schema.json`."""
    from gexterm.alerts.model import as_dict
    from gexterm.reading.export import iso_time

    told = as_dict(alert)
    return {"schema": ALERT_SCHEMA, **told, "at": iso_time(alert.at), "missed": missed}


@click.command("watch")
@click.argument("source")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.option(
    "--fields",
    metavar="A.B,C",
    help="Only these fields, as JSON under their own names: as_of,spot,gamma.flip.",
)
@click.option("--alerts", is_flag=True, help="Alerts as lines, too, when they happen.")
@click.option(
    "--every",
    type=float,
    metavar="SECONDS",
    help=f"Market time between Readings; {EVERY_S:g} of a recording, {EVERY_LIVE_S:g} live.",
)
@view_option
@expiry_option
@at_option("Recordings: market time (ET) to begin at. Chain files: time of the quotes.")
@click.option("--until", metavar="TIME", help="Recordings: market time (ET) to end at.")
@click.option(
    "--speed",
    type=float,
    metavar="FACTOR",
    help="Recordings: market seconds per second; without it as fast as they are read.",
)
@carry_option
@click.option("--for", "duration", metavar="DURATION", help="Live: stop after 90s, 30m, 6h30m.")
@click.option(
    "--patience",
    type=click.FloatRange(0),
    default=PATIENCE_S,
    show_default=True,
    metavar="SECONDS",
    help="Live: give up (exit code 4) when there is no Reading by then; 0: wait forever.",
)
@click.option(
    "--record/--no-record", "record", default=None, help="Live: whether to keep a recording."
)
@click.option("--underlying", help="Which underlying, when SOURCE is a base URL.")
@click.option("--root", help="Option root, for chain files that have no column for it.")
@feed_options
def watch_command(
    source: str,
    as_json: bool,
    fields: str | None,
    alerts: bool,
    **options: Any,
) -> None:
    """One line per Reading of SOURCE, to standard output.

    SOURCE is a recording, the name of a sample feed, a chain file or a page of delayed
    quotes (one Reading), or a live venue with an underlying: deribit:BTC. A slow reader of
    a live venue gets the newest Reading and misses what lay between; a recording waits.
    Lines of JSON have the form of `gexterm levels --schema`.
    """
    chosen = settings()
    scope = scope_of(options.pop("expiry"))
    asked: tuple[Field, ...] = ()
    if fields is not None:
        from gexterm.reading.fields import parse

        asked = parse(fields)
    form = Form(as_json, asked, alerts)
    every = options.pop("every")
    if every is not None and not 0.1 <= every < 1e9:
        raise UsageError(f"--every {every:g} cannot be", "use 0.1 seconds or more")
    live = venue_of(source)
    if live is not None:
        _only(options, "live", source)
        _watch_live(form, *live, chosen, scope, every or EVERY_LIVE_S, options)
        return
    path = None if _web(source) else recording_of(source)
    if path is not None:
        _only(options, "recording", source)
        _watch_recording(form, path, chosen, scope, every or EVERY_S, options)
        return
    _only(options, "chain", source)
    from gexterm.cli.levels import read_source

    reading = read_source(
        source,
        options["view"],
        scope or "all",
        options["at"],
        options["root"],
        options["underlying"],
    )

    async def once() -> None:
        await Outlet().put(form.reading(reading))

    run_until_told(once())


# -- which source ------------------------------------------------------------------------


def _web(source: str) -> bool:
    return source.startswith(("http://", "https://"))


def venue_of(source: str) -> tuple[str, str] | None:
    """Venue and underlying of `deribit:BTC`; None where it is none. A file of that name wins."""
    name, colon, underlying = source.partition(":")
    if not colon or _web(source) or Path(source).exists():
        return None
    from gexterm.feeds.venue import VENUES

    if name not in VENUES and ("/" in name or "." in name):
        return None
    if not underlying:
        raise UsageError(f"{source!r} lacks an underlying", f"for instance {name}:SPX")
    return name, underlying


def recording_of(source: str) -> Path | None:
    """The recording that a path or a sample's name means; None for a chain file.

    Raises InputError where there is neither a file nor a sample of that name.
    """
    path = Path(source)
    if path.exists():
        return path if looks_recorded(path) else None
    from gexterm.recording.samples import list_samples

    samples = {each.name: each.path for each in list_samples()}
    if source in samples:
        return samples[source]
    raise InputError(
        f"there is no file {source}, and no sample feed of that name",
        f"samples: {', '.join(samples)}; a live venue is named deribit:BTC",
    )


_GO_WITH = {
    "live": {
        "duration": "--for", "patience": "--patience", "record": "--record", "url": "--url",
        "rest_url": "--rest-url", "contracts": "--contracts", "sigmas": "--sigmas",
        "days": "--days", "back_fill": "--back-fill", "demo": "--demo", "delayed": "--delayed",
    },
    "recording": {"until": "--until", "speed": "--speed", "carry": "--carry",
                  "no_carry": "--no-carry", "at": "--at"},
    "chain": {"at": "--at", "root": "--root", "underlying": "--underlying"},
}  # fmt: skip
"""Options by the sources that they go with."""


def _only(options: dict[str, Any], kind: str, source: str) -> None:
    """Raise UsageError for an option that makes no sense with the source."""
    for other, names in _GO_WITH.items():
        for name, option in names.items():
            if name in _GO_WITH[kind] or name == "patience":
                continue
            if options.get(name) not in (None, False):
                wanted = {"live": "a live venue", "recording": "a recording", "chain": "a chain"}
                raise UsageError(f"{option} goes with {wanted[other]}", f"not with {source}")


# -- recordings --------------------------------------------------------------------------


def _watch_recording(
    form: Form,
    path: Path,
    chosen: Settings,
    scope: str | None,
    every_s: float,
    options: dict[str, Any],
) -> None:
    from gexterm.alerts.monitor import AlertMonitor
    from gexterm.engine.walk import readings

    speed = options["speed"]
    if speed is not None and not 0.001 <= speed <= 1e6:
        raise UsageError(f"--speed {speed:g} cannot be", "leave it out for as fast as possible")
    with open_recording(path) as recording:
        carried = kept_book(options["carry"], options["no_carry"], recording)
        monitor = AlertMonitor.of(chosen, recording.info.underlying)
        waiting: deque[Alert] = deque()
        walk = readings(
            recording,
            chosen,
            every_s=every_s,
            start=time_in(recording, options["at"]),
            end=time_in(recording, options["until"]),
            view=options["view"],
            scope=scope,
            carry=carried.book,
            earlier=carried.earlier,
            warnings=carried.warnings,
            on_tick=(lambda r: waiting.extend(monitor.update(r))) if form.alerts else None,
        )
        run_until_told(_replay(form, recording, walk, waiting, speed), with_reader=True)


async def _replay(
    form: Form,
    recording: Recording,
    walk: Iterator[Reading],
    waiting: deque[Alert],
    speed: float | None,
) -> None:
    """Write the Readings in order, each once the line before it is written."""
    from gexterm.clock import NS, SystemClock

    clock, outlet = SystemClock(), Outlet()
    begun, first = clock.now_ns(), 0
    none = True
    while (reading := await asyncio.to_thread(next, walk, None)) is not None:
        none = False
        first = first or reading.as_of
        if speed is not None:
            await clock.sleep_until(begun + round((reading.as_of - first) / speed))
        # In the order in which they happened; an alert follows the Reading that shows it.
        while waiting and waiting[0].at < reading.as_of:
            await outlet.put(form.alert(waiting.popleft()))
        await outlet.put(form.reading(reading))
        while waiting:
            await outlet.put(form.alert(waiting.popleft()))
    if none:
        raise InputError(
            f"{recording.path} has no option to compute with in that time",
            f"it lasts {(recording.ends - recording.begins) / NS:,.0f} s",
        )


# -- live --------------------------------------------------------------------------------


def _watch_live(
    form: Form,
    name: str,
    underlying: str,
    chosen: Settings,
    scope: str | None,
    every_s: float,
    options: dict[str, Any],
) -> None:
    from gexterm.cli.opening import living
    from gexterm.feeds import credentials
    from gexterm.feeds.venue import find_venue

    if options["carry"] is not None:
        raise UsageError("--carry goes with a recording", "a live venue goes on from the last book")
    for_s = None if options["duration"] is None else _length(options["duration"])
    venue = find_venue(name)
    record = chosen.record == "on" if options["record"] is None else options["record"]
    patience, view, no_carry = options["patience"], options["view"], options["no_carry"]
    protocol = venue.make(underlying, credentials.load(venue), feed_choice(venue, options))
    # Alerts need a tick a second; more only if somebody wants the Readings.
    ticking = replace(chosen, fps=max(1.0, min(1.0 / every_s, 10.0)))

    async def work() -> None:
        async with living(
            protocol,
            venue,
            underlying,
            ticking,
            view=view,
            scope=scope,
            record=record,
            take_up=not no_carry,
        ) as session:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(for_s):
                    await follow(session, form, Outlet(), every_s, patience)

    run_until_told(work(), with_reader=True)


def _length(text: str) -> float:
    from gexterm.cli.live import seconds_of

    return seconds_of(text)


async def follow(
    session: LiveSession, form: Form, outlet: Outlet, every_s: float, patience_s: float
) -> None:
    """Write what a session publishes until it ends: the newest Reading, every alert.

    One Reading and `MOST_ALERTS` alerts wait at most, however slowly lines are read.
    Raises ConnectionFailedError where there is no Reading after `patience_s` (0: forever).
    """
    desk = _Waiting(every_s)
    tasks = [
        asyncio.create_task(desk.take_readings(session), name="readings"),
        asyncio.create_task(desk.take_alerts(session, wanted=form.alerts), name="alerts"),
    ]
    try:
        try:
            async with asyncio.timeout(patience_s or None):
                await desk.begun.wait()
        except TimeoutError:
            status = session.status
            said = f": {status.message}" if status.message else ""
            raise ConnectionFailedError(
                f"no Reading within {patience_s:g} s; the feed is {status.state}{said}",
                "wait longer with --patience, or ask `gexterm doctor`",
            ) from None
        async for reading, alert in desk.lines():
            if alert is not None:
                await outlet.put(form.alert(alert, desk.lost()))
            if reading is not None:
                await outlet.put(form.reading(reading, session.status.state))
        await tasks[0]  # refused or closed without a Reading: raises what is to be said
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _Waiting:
    """What waits to be written: the newest Reading and the last alerts."""

    def __init__(self, every_s: float) -> None:
        self._every = round(every_s * 1e9)
        self._reading: Reading | None = None
        self._bucket = -1
        self._alerts: deque[Alert] = deque()
        self._lost = 0
        self._news = asyncio.Event()
        self._over = False
        self.begun = asyncio.Event()
        """Set with the first Reading, and with the end."""

    async def take_readings(self, session: LiveSession) -> None:
        """Keep the newest Reading of each stretch of time, until the session ends."""
        try:
            async for reading in session.readings():
                if reading.as_of // self._every != self._bucket:
                    self._bucket = reading.as_of // self._every
                    self._reading = reading
                    self._news.set()
                self.begun.set()
                if session.status.state == "ended":
                    return
        finally:
            self._over = True
            self.begun.set()
            self._news.set()

    async def take_alerts(self, session: LiveSession, *, wanted: bool) -> None:
        """Keep alerts; trouble with feed and recording goes to standard error as well."""
        from gexterm.cli.saying import tell
        from gexterm.ui.words import clean, clock

        async for alert in session.alerts():
            if alert.kind.startswith(("feed", "recording")):
                tell(f"{clock(alert.at)} {alert.severity}: {clean(alert.text)}")
            if not wanted:
                continue
            if len(self._alerts) >= MOST_ALERTS:
                self._alerts.popleft()
                self._lost += 1
            self._alerts.append(alert)
            self._news.set()

    def lost(self) -> int:
        """Alerts lost since this was last asked."""
        lost, self._lost = self._lost, 0
        return lost

    async def lines(self) -> AsyncIterator[tuple[Reading | None, Alert | None]]:
        """What is to be written next: a Reading or an alert, the other None."""
        while True:
            if self._alerts:
                yield None, self._alerts.popleft()
            elif self._reading is not None:
                reading, self._reading = self._reading, None
                yield reading, None
            elif self._over:
                return
            else:
                self._news.clear()
                await self._news.wait()
