"""The hub: the one session that is connected to the venue, and what viewers are told of it.

It is a live session like any other, with its recording and its book. What it records, in that
order and with its marks, is what viewers are told; their own engines then compute the same.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from gexterm.feeds.relay_log import RelayLog
from gexterm.feeds.relay_protocol import GoesOnFrom, HubRecording, told
from gexterm.feeds.relay_server import RelayServer
from gexterm.feeds.secrets import redactor
from gexterm.market.events import Event, SourceInfo

if TYPE_CHECKING:
    from gexterm.alerts.model import Alert
    from gexterm.feeds.protocol import Answer
    from gexterm.feeds.retry import Retry, Stop
    from gexterm.feeds.tap import Tap
    from gexterm.recording.books import Book
    from gexterm.session.live import LiveSession
    from gexterm.session.recorded import MakeRecording, Recording

_LOOK_S = 1.0
"""Seconds between two looks at how the recording goes."""


class Told:
    """A session's recording that is told to viewers as well; see `session.recorded.Recording`.

    `kept` is the recording itself; None: there is none. `folder` is where the day's earlier
    recordings are.
    """

    def __init__(self, log: RelayLog, kept: Recording | None, folder: Path) -> None:
        self._log = log
        self._kept = kept
        self._folder = folder
        self._stack = contextlib.AsyncExitStack()

    @property
    def on(self) -> bool:
        """Whether events are being written."""
        return self._kept is not None and self._kept.on

    @property
    def trouble(self) -> str:
        """Why it is off or has lost something; empty while all is well."""
        return self._kept.trouble if self._kept is not None else ""

    @property
    def path(self) -> Path | None:
        """The file being written."""
        return self._kept.path if self._kept is not None else None

    @property
    def bytes(self) -> int:
        """Bytes handed to the operating system."""
        return self._kept.bytes if self._kept is not None else 0

    @property
    def tap(self) -> Tap:
        """For the runner."""
        return self._kept.tap if self._kept is not None else _Deaf()

    def event(self, event: Event) -> None:
        """Keep an event, and tell it."""
        if self._kept is not None:
            self._kept.event(event)
        if isinstance(event, SourceInfo):
            from dataclasses import replace

            event = replace(event, note=redactor.text(event.note))
        self._log.add(event)

    def book(self, book: Book | None, earlier: tuple[tuple[str, int], ...] = ()) -> None:
        """Keep the book gone on from, and tell it."""
        if self._kept is not None:
            self._kept.book(book, earlier)
        self._log.goes_on_from(told(goes_on_from=_handed(book, earlier, self._folder)))

    async def __aenter__(self) -> Told:
        if self._kept is not None:
            await self._stack.enter_async_context(self._kept)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)


def telling(log: RelayLog, make: MakeRecording | None, folder: Path) -> MakeRecording:
    """A maker of recordings that are told as well. Where `make` is None, nothing is recorded."""

    def made(on_trouble: Callable[[str], None]) -> Recording:
        return Told(log, make(on_trouble) if make is not None else None, folder)

    return made


async def run_hub(
    session: LiveSession,
    log: RelayLog,
    secret: bytes,
    *,
    port: int,
    recorded: bool,
    ready: Callable[[str], None],
    alert: Callable[[Alert], None] = lambda _alert: None,
) -> None:
    """Run a session whose recording was made by `telling` with this log, until cancelled.

    `ready` is told the address, `alert` each alert. Raises ConnectionFailedError where the port
    cannot be had.
    """
    async with RelayServer(log, secret, port=port) as server:
        ready(server.url)
        async with session:
            tasks = [
                asyncio.create_task(_watched(session, log)),
                asyncio.create_task(_alerted(session, alert)),
                asyncio.create_task(_look(session, server, recorded)),
            ]
            try:
                # A session that the venue refused has ended; its viewers are told why.
                await asyncio.Event().wait()
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)


async def _watched(session: LiveSession, log: RelayLog) -> None:
    from gexterm.errors import GextermError

    with contextlib.suppress(GextermError):  # `status` says it
        async for _ in session.readings():
            pass
    log.add(session.status)


async def _alerted(session: LiveSession, tell: Callable[[Alert], None]) -> None:
    async for alert in session.alerts():
        tell(alert)


async def _look(session: LiveSession, server: RelayServer, recorded: bool) -> None:
    while True:
        state = session.recording
        if state is not None:
            why = state.why if recorded else "recording is off by choice"
            server.tell_recording(
                HubRecording(
                    on=state.on, size=state.size, why=why, path=state.path, chosen=not recorded
                )
            )
        await asyncio.sleep(_LOOK_S)


def _handed(book: Book | None, earlier: tuple[tuple[str, int], ...], folder: Path) -> GoesOnFrom:
    content = ""
    if book is not None:
        from gexterm.recording import books

        with contextlib.suppress(ValueError):  # the recording says that it is missing
            content = base64.b64encode(books.encode(book)).decode()
    return GoesOnFrom(book=content, folder=str(folder), earlier=list(earlier))


class _Deaf:
    """A tap that keeps nothing."""

    def prepared(self, now_ns: int) -> None:
        """Nothing."""

    def opened(self, now_ns: int) -> None:
        """Nothing."""

    def closed(self, verdict: Retry | Stop, now_ns: int) -> None:
        """Nothing."""

    def frame(self, data: bytes, recv_ns: int) -> None:
        """Nothing."""

    def answered(self, answer: Answer) -> None:
        """Nothing."""

    def clock(self, what: str, now_ns: int) -> None:
        """Nothing."""

    def timer(self, now_ns: int) -> None:
        """Nothing."""

    def flushed(self, now_ns: int) -> None:
        """Nothing."""

    def lost(self, frames: int, now_ns: int) -> None:
        """Nothing."""
