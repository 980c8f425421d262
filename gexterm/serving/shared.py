"""A viewer's session: a live session over a hub instead of a venue.

It records nothing and keeps no book: the hub does. Its book is the hub's, read where the hub
says, and its Readings are of the same moments.
"""

from __future__ import annotations

import asyncio
import logging
import random
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from gexterm.clock import SystemClock
from gexterm.feeds.relay_protocol import GoesOnFrom, RelayProtocol
from gexterm.feeds.runner import FeedRunner
from gexterm.feeds.settings import RunnerSettings
from gexterm.session.daybooks import DayBooks
from gexterm.session.live import LiveSession
from gexterm.session.model import RecordingState

if TYPE_CHECKING:
    from gexterm.clock import Clock
    from gexterm.config import Settings
    from gexterm.engine.earlier import Earlier
    from gexterm.market.events import SourceInfo
    from gexterm.recording.books import Book
    from gexterm.session.core import Core

_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())

_PATIENCE = RunnerSettings(retry_first_s=0.5, retry_most_s=3.0, settled_s=5.0)
"""The hub is on this machine, and is started anew when it ends."""


class SharedBooks(DayBooks):
    """What the hub goes on from, taken up whenever a session begins."""

    def __init__(self, protocol: RelayProtocol) -> None:
        super().__init__(None, None, take_up=False)
        self._protocol = protocol
        self._taken: GoesOnFrom | None = None

    async def take(self, core: Core) -> None:
        """Hand the engine what the hub told last."""
        told = self._protocol.goes_on_from
        if told is not self._taken:
            stop = threading.Event()
            try:
                book, earlier, unread = await asyncio.to_thread(_read, told, stop)
            finally:
                stop.set()
            self._taken = told
            self._carried, self._earlier, self._unread = book, earlier, unread
            self._names = tuple(told.earlier)
        core.engine.kept, core.engine.earlier = self._carried, self._earlier

    async def begin(self, core: Core, info: SourceInfo, now: int) -> None:
        """As `take`."""
        await self.take(core)

    _carried: Book | None = None


class SharedSession(LiveSession):
    """A viewer's session over the hub at `url`. An async context manager."""

    def __init__(
        self,
        url: str,
        secret: bytes,
        settings: Settings,
        *,
        underlying: str,
        view: str | None = None,
        scope: str | None = None,
        clock: Clock | None = None,
        snapshots: Path | None = None,
    ) -> None:
        self._protocol = RelayProtocol(url, secret)
        clock = clock or SystemClock()
        super().__init__(
            lambda tap: FeedRunner(
                self._protocol, clock, rng=random.Random(), settings=_PATIENCE, tap=tap
            ),
            clock,
            settings,
            underlying=underlying,
            view=view,
            scope=scope,
            take_up=False,
            snapshots=snapshots,
            timer=time.perf_counter,
        )
        self._shared_books = SharedBooks(self._protocol)
        self._books = self._shared_books

    @property
    def recording(self) -> RecordingState | None:
        """How the hub's recording goes."""
        told = self._protocol.recording
        return RecordingState(told.on, told.size, told.why, told.path, told.chosen)

    async def _begin(self, core: Core, info: SourceInfo) -> None:
        if core.engine.info is not None:
            # Another stretch: a hub that was started anew, or we were away.
            async with core.ticker.alone():
                await self._shared_books.take(core)
        await super()._begin(core, info)

    async def _due(self, core: Core, as_of: int) -> None:
        if self._catching_up:
            # What is past is not in a hurry: no minute of the day is left out.
            self._choose(core)
            await core.ticker.tick(as_of, self._counts)
        else:
            await super()._due(core, as_of)


def _read(told: GoesOnFrom, stop: threading.Event) -> tuple[Book | None, Earlier | None, str]:
    """The book, earlier flow, and what could not be read. On a thread."""
    from gexterm.engine.rereading import read_again
    from gexterm.errors import GextermError
    from gexterm.recording import books

    book, warning = None, ""
    try:
        if content := told.book_bytes:
            with tempfile.NamedTemporaryFile(suffix=".book") as file:
                file.write(content)
                file.flush()
                book = books.load(Path(file.name))
    except (GextermError, OSError) as error:
        warning = f"the hub's book could not be read: {error}"
    folder = Path(told.folder)
    again = read_again(
        [(folder / Path(name).name, count) for name, count in told.earlier], stop.is_set
    )
    return book, again.earlier, "; ".join(filter(None, (warning, again.warning)))
