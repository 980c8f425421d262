"""The books of a running session: the one it goes on from, and one for each day it sees.

What is made here needs the engine to itself; what is written goes through the keeper.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gexterm.engine.earlier import Earlier
    from gexterm.engine.rereading import Reread
    from gexterm.market.events import Event, SourceInfo
    from gexterm.recording.books import Book
    from gexterm.session.core import Core
    from gexterm.session.keeping import BookKeeper

    ReadEarlier = Callable[[Callable[[], bool]], Reread]
    """Reads the day's earlier recordings; handed a word on whether it may stop."""

_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())

_KEEP_S = 15.0
"""Seconds for the book to be kept at the end."""


class DayBooks:
    """Takes a book up, keeps today's, and turns the page at midnight.

    `carry` is the book of an earlier session; with `keeper`, and without `carry`, the newest
    one is taken up where the feed has a tape (unless `take_up` is false), and today's is kept.
    `warning` says what is wrong with `carry`. `read_earlier` reads the day's earlier
    recordings, which may take seconds.
    """

    def __init__(
        self,
        carry: Book | None,
        keeper: BookKeeper | None,
        *,
        take_up: bool,
        warning: str = "",
        read_earlier: ReadEarlier | None = None,
    ) -> None:
        self._carry = carry
        self._warning = warning
        self._keeper = keeper
        self._take_up = take_up and carry is None
        self._begun: Book | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._lost = ""
        self._read_earlier = read_earlier
        self._earlier: Earlier | None = None
        self._names: tuple[tuple[str, int], ...] = ()
        self._unread = ""

    @property
    def warnings(self) -> list[str]:
        """What went wrong."""
        kept = self._keeper.warning if self._keeper is not None else ""
        return [text for text in (self._warning, self._unread, self._lost, kept) if text]

    @property
    def errand(self) -> str:
        """What `before` is about to do, for a person; empty: nothing."""
        return "" if self._read_earlier is None else "reading this day's earlier recordings"

    def goes_on_from(self, core: Core) -> tuple[Book | None, tuple[tuple[str, int], ...]]:
        """Book and recordings that the positions of now go on from, as a recording says it."""
        return core.engine.kept, self._names if core.engine.earlier is not None else ()

    async def before(self) -> None:
        """Read what earlier sessions of the day have recorded; before the feed begins."""
        if self._read_earlier is not None:
            stop = threading.Event()
            try:
                found = await asyncio.to_thread(self._read_earlier, stop.is_set)
            except Exception as error:
                _log.exception("earlier recordings were not read")
                self._unread = f"this day's earlier recordings were not read: {error}"
                return
            finally:
                stop.set()  # whoever quits meanwhile does not wait for it
            self._earlier, self._names, self._unread = found.earlier, found.names, found.warning

    def again(self, core: Core) -> None:
        """A replay goes back: to what it went on from at its beginning."""
        core.engine.kept, core.engine.earlier = self._begun, self._earlier

    async def begin(self, core: Core, info: SourceInfo, now: int) -> None:
        """Hand the engine the book that it goes on from, at the beginning of a session."""
        core.engine.kept = self._carry
        if info.mode == "simulated":
            # A test server's market is made up: nothing of it belongs to the real one's book.
            self._earlier, self._keeper = None, None
        if self._keeper is not None and self._take_up and info.has_tape:
            core.engine.kept = await self._keeper.take_up(info.underlying, _new_york(now))
        self._begun = core.engine.kept
        core.engine.earlier = self._earlier

    async def turn(self, core: Core, event: Event) -> None:
        """Midnight: the book of the day that ends is kept, and the tape begins anew on it."""
        async with core.ticker.alone():
            before = core.engine.kept
            try:
                await asyncio.to_thread(core.engine.turn, event)
                self._lost = ""
            except Exception as error:
                _log.exception("the old day's book was lost")
                self._lost = f"the old day's book was lost ({type(error).__name__}: {error})"
        kept = core.engine.kept
        if self._keeper is not None and kept is not None and kept is not before:
            await self._keeper.keep(kept)

    def in_time(self, core: Core, now: int) -> None:
        """Once an hour of market time, beside everything else; `now` 0: not known yet."""
        idle = self._keeping is None or self._keeping.done()
        if self._keeper is not None and now and idle and self._keeper.due(now):
            self._keeping = asyncio.create_task(self._keep(core, now), name="book")

    async def last(self, core: Core, now: int) -> None:
        """At the end, however it came."""
        try:
            async with asyncio.timeout(_KEEP_S):
                if self._keeping is not None:
                    await self._keeping
                await self._keep(core, now)
        except TimeoutError:
            _log.warning("the book was not kept in time")

    async def _keep(self, core: Core, now: int) -> None:
        if self._keeper is None or core.engine.signer is None or not now:
            return
        async with core.ticker.alone():
            make = core.engine.book_job(now)
            if make is None:
                return
            try:
                book = await asyncio.to_thread(make)
            except Exception as error:
                _log.exception("the book was not made")
                self._keeper.warning = f"the book was not kept ({type(error).__name__}: {error})"
                return
        await self._keeper.keep(book)


def _new_york(ns: int) -> dt.date:
    from gexterm.market.calendar import et

    return et(ns).date()
