"""Sessions as contexts: of a recording, played; of a venue, live."""

from __future__ import annotations

import random
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from gexterm.cli.common import Carried
    from gexterm.clock import Clock
    from gexterm.config import Settings
    from gexterm.engine.rereading import Reread
    from gexterm.feeds.protocol import FeedProtocol
    from gexterm.feeds.runner import FeedRunner
    from gexterm.feeds.tap import Tap
    from gexterm.feeds.venue import Venue
    from gexterm.recording.books import Book
    from gexterm.recording.reader import Recording
    from gexterm.recording.recorder import Recorder
    from gexterm.session.live import LiveSession


def snapshots_folder(chosen: Settings) -> Path | None:
    """Where snapshots are kept by the settings; None: in the data folder."""
    return Path(chosen.snapshots).expanduser() if chosen.snapshots else None


def recordings_folder(chosen: Settings) -> Path:
    """Where live sessions are recorded."""
    from gexterm import paths

    return Path(chosen.recordings).expanduser() if chosen.recordings else paths.recordings()


def runner_of(protocol: FeedProtocol, clock: Clock, tap: Tap | None) -> FeedRunner:
    """What carries a protocol."""
    from gexterm.feeds.runner import FeedRunner

    return FeedRunner(protocol, clock, rng=random.Random(), tap=tap)


def recorder_of(
    venue: Venue,
    underlying: str,
    chosen: Settings,
    folder: Path,
    clock: Clock,
    on_trouble: Callable[[str], None],
) -> Recorder:
    """A recorder of a venue's session, with the user's retention."""
    from dataclasses import replace

    from gexterm.feeds.secrets import redactor
    from gexterm.recording.recorder import Recorder, RecorderSettings

    plain = RecorderSettings()
    retention = replace(
        plain.retention,
        days=chosen.recording_days,
        most_bytes=round(chosen.recording_gb * 1e9),
    )
    return Recorder(
        folder,
        venue.name,
        underlying.upper(),
        clock,
        replace(plain, retention=retention),
        redact=redactor.bytes,
        on_trouble=on_trouble,
    )


@asynccontextmanager
async def playing(
    recording: Recording,
    chosen: Settings,
    *,
    speed: float,
    start: int | None = None,
    port: int = 0,
    view: str | None = None,
    scope: str | None = None,
    carry: Carried | None = None,
) -> AsyncIterator[LiveSession]:
    """A recording served on the loopback, and a session connected to it."""
    from gexterm.clock import SystemClock
    from gexterm.engine.rereading import Reread
    from gexterm.feeds.replay_protocol import ReplayProtocol
    from gexterm.feeds.replay_server import ReplayServer
    from gexterm.session.live import LiveSession

    clock = SystemClock()
    async with ReplayServer(recording, clock, speed, start_at=start, port=port) as server:
        session = LiveSession(
            lambda tap: runner_of(ReplayProtocol(server.url), clock, tap),
            clock,
            chosen,
            underlying=recording.info.underlying,
            view=view,
            scope=scope,
            speed=speed,
            carry=carry.book if carry else None,
            carry_warning="; ".join(carry.warnings) if carry else "",
            read_earlier=None if carry is None else lambda _stopped: Reread(carry.earlier),
            replayable=True,
            snapshots=snapshots_folder(chosen),
            timer=time.perf_counter,
        )
        async with session:
            yield session


@asynccontextmanager
async def living(
    protocol: FeedProtocol,
    venue: Venue,
    underlying: str,
    chosen: Settings,
    *,
    view: str | None = None,
    scope: str | None = None,
    record: bool = True,
    book: Book | None = None,
    take_up: bool = True,
) -> AsyncIterator[LiveSession]:
    """A session on a venue, recorded if wanted."""
    from gexterm import paths
    from gexterm.clock import SystemClock
    from gexterm.session.keeping import BookKeeper
    from gexterm.session.live import LiveSession

    clock = SystemClock()
    folder = recordings_folder(chosen)

    def recording(on_trouble: Callable[[str], None]) -> Recorder:
        return recorder_of(venue, underlying, chosen, folder, clock, on_trouble)

    def earlier(stopped: Callable[[], bool]) -> Reread:
        from gexterm.engine.rereading import of_today
        from gexterm.recording.scribe import folder_of

        return of_today(folder_of(folder, venue.name, underlying.upper()), clock.now_ns(), stopped)

    session = LiveSession(
        lambda tap: runner_of(protocol, clock, tap),
        clock,
        chosen,
        underlying=underlying.upper(),
        view=view,
        scope=scope,
        carry=book,
        keeper=BookKeeper(paths.books()),
        take_up=take_up,
        read_earlier=earlier if take_up else None,
        make_recording=recording if record else None,
        snapshots=snapshots_folder(chosen),
        timer=time.perf_counter,
    )
    async with session:
        yield session
