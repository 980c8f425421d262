"""The book from day to day, without anybody's doing: taken up in the morning, kept at the end.

It is kept once an hour as well, in case of a kill. What goes wrong is one warning: a
session without yesterday's book, or whose own cannot be kept, goes on.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from gexterm.clock import NS
from gexterm.errors import GextermError

if TYPE_CHECKING:
    from gexterm.recording.books import Book

_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())

EVERY = 3600 * NS
"""Market time between two books kept of one day, ns."""


class BookKeeper:
    """Keeps the books of one underlying in a folder."""

    def __init__(self, folder: Path) -> None:
        self.warning = ""
        """What went wrong last; empty: nothing."""
        self._folder = folder
        self._kept_at = 0
        self._before: dict[dt.date, float] = {}

    def due(self, now: int) -> bool:
        """Whether it is time to keep a book; the first time only says when to begin."""
        if not self._kept_at:
            self._kept_at = now
        if now - self._kept_at < EVERY:
            return False
        self._kept_at = now
        return True

    async def take_up(self, underlying: str, day: dt.date) -> Book | None:
        """The newest book of a session before `day`, where there is one."""
        try:
            return await asyncio.to_thread(self._latest, underlying, day)
        except GextermError as error:
            self.warning = f"no book carried over: {error}"
            return None

    async def keep(self, book: Book) -> None:
        """Keep a book, unless the day has one already that knows more of it."""
        try:
            await asyncio.to_thread(self._save, book)
            self.warning = ""
        except (GextermError, OSError, ValueError) as error:
            _log.warning("the book was not kept: %s", error)
            self.warning = f"the book was not kept: {error}"

    def _latest(self, underlying: str, day: dt.date) -> Book | None:
        from gexterm.recording import books

        path = books.latest(self._folder, underlying, day)
        return None if path is None else books.load(path, day)

    def _save(self, book: Book) -> None:
        from gexterm.recording import books

        traded = float(book.traded.sum())
        if book.date not in self._before:
            self._before[book.date] = _traded(
                books.path_of(self._folder, book.underlying, book.date)
            )
        # A monitor begun anew at noon must not put its afternoon in place of a whole day.
        if traded >= self._before[book.date]:
            books.save(self._folder, book)


def _traded(path: Path) -> float:
    """Contracts recorded in a book that is there already; 0 where there is none."""
    from gexterm.recording import books

    if not path.exists():
        return 0.0
    try:
        return float(books.load(path).traded.sum())
    except GextermError:
        return 0.0
