"""The past of a live session: its recording, read while it is being written.

A session of its own, with an engine of its own, in the same process and without a socket.
The live session goes on beside it: what the past has to catch up with is handed over in
small pieces, with a rest after each.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, cast

from gexterm.clock import NS, Clock
from gexterm.engine.grid import step_for
from gexterm.errors import GextermError, RecordingError
from gexterm.feeds.playback import Playback
from gexterm.feeds.protocol import Command
from gexterm.market.events import Event
from gexterm.recording import codec
from gexterm.recording.reader import Recording
from gexterm.recording.retention import SUFFIX

if TYPE_CHECKING:
    from gexterm.config import Settings
    from gexterm.engine.rereading import Reread
    from gexterm.feeds.runner import FeedRunner
    from gexterm.session.live import LiveSession

PIECE_ROWS = 1000
"""Rows that are handed over at once."""
_REST = 0.5
"""Rest after a piece, as a share of the time that it took."""
_LONGEST_REST_S = 0.05
_MOST_FILES = 40
"""Files of a folder that are looked at."""


class PlaybackRunner:
    """A playback, taken without a socket: what `feeds.runner.FeedRunner` is to a session."""

    def __init__(self, playback: Playback, clock: Clock) -> None:
        self._playback = playback
        self._clock = clock

    async def __aenter__(self) -> PlaybackRunner:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._playback.stop()

    async def events(self) -> AsyncIterator[list[Event]]:
        """Batches of events, until it is closed."""
        async for message in self._playback.messages():
            piece: list[Event] = []
            rows = 0
            for _, event in codec.decode_all(message):
                piece.append(event)
                rows += codec.rows(event)
                if rows >= PIECE_ROWS:
                    async for taken in self._handed(piece):
                        yield taken
                    piece, rows = [], 0
            if piece:
                async for taken in self._handed(piece):
                    yield taken

    async def _handed(self, piece: list[Event]) -> AsyncIterator[list[Event]]:
        before = self._clock.now_ns()
        yield piece
        took = (self._clock.now_ns() - before) / NS
        await asyncio.sleep(min(_LONGEST_REST_S, max(0.0, took * _REST)))

    async def send(self, command: Command) -> None:
        """Ask something of it."""
        self._playback.command(command)


def recording_of(path: Path, at: int) -> Path:
    """The recording of a market time, ns, among those that lie beside the one being written.

    Where nothing was recorded then, the one that begins next; `path` where there is neither.
    Those of other underlyings or feeds lie in other folders.
    """
    try:
        beside = sorted((p for p in path.parent.glob(f"*{SUFFIX}") if p != path), reverse=True)
    except OSError:
        return path
    following = path
    for found in (path, *beside[:_MOST_FILES]):
        try:
            with Recording(found) as recording:
                if not recording.ends:
                    continue
                if recording.begins <= at:
                    # The one being written goes on.
                    return found if found == path or at <= recording.ends else following
                following = found
        except GextermError:
            continue
    return path if following == path else following


@asynccontextmanager
async def past_of(
    path: Path,
    at: int,
    clock: Clock,
    settings: Settings,
    *,
    underlying: str,
    view: str,
    scope: str,
    snapshots: Path | None = None,
    timer: Callable[[], float] | None = None,
) -> AsyncIterator[LiveSession]:
    """A session over a recording that is being written, paused at a market time, ns.

    Raises RecordingError where nothing is in it yet, or it cannot be read.
    """
    from gexterm.engine.carry import book_of
    from gexterm.engine.rereading import of_recording
    from gexterm.session.live import LiveSession

    def opened() -> Recording:
        recording = Recording(recording_of(path, at))
        try:
            recording.refresh()
            if not recording.ends:
                raise RecordingError("nothing is recorded yet", "try again in a moment")
        except BaseException:
            recording.close()
            raise
        return recording

    recording = await asyncio.to_thread(opened)
    try:
        book, warning = await asyncio.to_thread(book_of, recording)
        step = step_for(1.0, settings.fps)
        playback = Playback(
            recording, clock, 1.0, start_at=at, paused=True, follows=True, grid=step
        )
        runner = PlaybackRunner(playback, clock)

        def earlier(_stopped: Callable[[], bool]) -> Reread:
            return of_recording(recording)

        session = LiveSession(
            lambda _tap: cast("FeedRunner", runner),
            clock,
            settings,
            underlying=underlying,
            view=view,
            scope=scope,
            replayable=True,
            carry=book,
            carry_warning=warning,
            read_earlier=earlier if recording.header.earlier else None,
            snapshots=snapshots,
            timer=timer,
        )
        async with session:
            yield session
    finally:
        recording.close()
