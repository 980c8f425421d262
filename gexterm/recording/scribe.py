"""The writing half of a recorder: what is heard goes into files, and trouble becomes words.

Everything here runs on the recorder's thread and may wait for the disk. Nothing raises:
whatever goes wrong, recording is off with one line that says why, and is tried again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import logging
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gexterm.clock import NS, Clock
from gexterm.errors import GextermError, OutputError, RecordingError
from gexterm.market.calendar import et
from gexterm.market.events import (
    ClockTick,
    Definitions,
    Event,
    FeedReport,
    FeedStatus,
    Quotes,
    SourceInfo,
    TickMark,
    Trades,
    UnderlyingPrice,
)
from gexterm.recording import books, codec, retention
from gexterm.recording import frames as raw
from gexterm.recording.books import Book
from gexterm.recording.retention import RetentionSettings
from gexterm.recording.state import State
from gexterm.recording.writer import Writer

_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())

_LOOK_NS = NS
"""How often the disk and the files' names are looked at."""
_TIDY_NS = 600 * NS
"""How often old recordings are looked through."""
_EARLY_BYTES = 64 * 1024 * 1024
"""Most bytes of raw frames kept in memory until a source is known."""
_MOVES_DAY = (ClockTick, Quotes, Trades, UnderlyingPrice)
"""Events that say what day it is, to a session as well: its book and the file turn at once."""
_UNSAFE = re.compile(r"[^A-Za-z0-9_^$.+-]")
_GIB = 1024**3


@dataclass(frozen=True, slots=True)
class ScribeSettings:
    """How much, how often; see `recorder.RecorderSettings`."""

    frames: bool
    """Whether raw frames are kept."""
    flush_s: float
    """Seconds until what was heard is written."""
    most_bytes: int
    """Most bytes of one file; 0: no limit."""
    min_free_bytes: int
    """Bytes that the disk must have left."""
    retry_s: float
    """Seconds until another try."""
    retention: RetentionSettings
    """What becomes of old files."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A session that begins."""

    info: SourceInfo
    """Its source."""
    at: int
    """When it was told, ns."""


@dataclass(frozen=True, slots=True)
class GoesOnFrom:
    """Which book the session goes on from."""

    book: Book | None
    """The book; None: none."""
    earlier: tuple[tuple[str, int], ...] = ()
    """Recordings: name, events read of it."""


@dataclass(frozen=True, slots=True)
class RawItem:
    """An entry of raw frames, on its way."""

    kind: int
    """As in `recording.frames`."""
    time: int
    """Ns."""
    data: bytes | raw.RawAnswer | raw.RawVerdict = b""
    """What it holds."""
    frames: int = 0
    """Frames left out, where `kind` is `LOST` and they were left out here."""


@dataclass(slots=True)
class Hole:
    """Events that were heard and left out."""

    events: int = 0
    """How many."""
    rows: int = 0
    """Rows of them; an event without rows counts as one."""
    prints: int = 0
    """Prints among them."""

    def add(self, event: Event, rows: int) -> None:
        """Another one. A mark says nothing by itself."""
        self.events += 1
        if not isinstance(event, TickMark):
            self.rows += max(1, rows)
        if isinstance(event, Trades):
            self.prints += rows

    def merge(self, other: Hole) -> None:
        """Those of another one as well."""
        self.events += other.events
        self.rows += other.rows
        self.prints += other.prints


class Scribe:
    """Writes one session's files. For one thread; the public attributes are for reading."""

    def __init__(
        self,
        folder: Path,
        venue: str,
        underlying: str,
        clock: Clock,
        settings: ScribeSettings,
        *,
        redact: Callable[[bytes], bytes] | None = None,
    ) -> None:
        self.trouble = ""
        """Why recording, or that of raw frames, is off; empty while fine."""
        self.on = False
        """Whether a recording is open."""
        self.path: Path | None = None
        """The recording being written, or the last one."""
        self.frames_path: Path | None = None
        """Its raw frames, where there are any."""
        self.events = 0
        """Events handed to the operating system."""
        self.bytes = 0
        """Bytes handed to it, over all files."""
        self.lost_rows = 0
        """Rows that came here and were not recorded."""
        self._root = folder
        self._venue, self._underlying = venue, underlying
        self._folder = folder_of(folder, venue, underlying)
        self._clock = clock
        self._settings = settings
        self._redact = redact
        self._state = State()
        self._writer: Writer | None = None
        self._frames: raw.FramesWriter | None = None
        self._frames_trouble = ""
        self._book: Book | None = None
        self._book_content = b""
        self._book_trouble = ""
        self._earlier: tuple[tuple[str, int], ...] = ()
        self._early: list[RawItem] = []
        self._early_bytes = 0
        self._early_lost = 0
        self._date: dt.date | None = None
        self._began = 0
        self._prints_lost = 0
        self._closed_bytes = 0
        self._closed_events = 0
        self._off_reason = ""
        self._unmarked = Hole()
        self._waiting = Hole()
        self._lost_rows = 0
        self._retry_at: int | None = None
        self._looked_at = self._tidied_at = self._flushed_at = 0

    # -- what comes in ---------------------------------------------------------------------

    def take(self, item: Event | Begun | GoesOnFrom | RawItem | Hole) -> None:
        """Write an item, or count it as lost."""
        try:
            if isinstance(item, RawItem):
                self._take_raw(item)
            elif isinstance(item, Hole):
                self._mark(item, "the disk was too slow")
            elif isinstance(item, Begun):
                self._source(item.info, item.at)
            elif isinstance(item, GoesOnFrom):
                self._earlier = item.earlier
                self._take_book(item.book)
            else:
                self._take_event(item)
        except Exception as error:
            self._off(error)
        self._count()

    def poll(self) -> None:
        """What is due by the clock: flushing, a look at the disk, another try, tidying up."""
        now = self._clock.now_ns()
        if abs(now - self._flushed_at) >= self._settings.flush_s * NS:
            self._flushed_at = now
            self.flush()
        if abs(now - self._looked_at) >= _LOOK_NS:
            self._looked_at = now
            try:
                self._look()
            except Exception as error:
                self._off(error)
        if self._writer is None and self._retry_at is not None and now >= self._retry_at:
            try:
                self._begin(max(now, self._began), goes_on=True)
            except Exception as error:
                self._off(error)
        self._count()

    def flush(self) -> None:
        """Hand everything to the operating system."""
        try:
            if self._writer is not None:
                self._writer.flush()
                self._waiting = Hole()
        except Exception as error:
            self._off(error)
        try:
            if self._frames is not None:
                self._frames.flush()
        except Exception as error:
            self._frames_off(error)
        self._count()

    def close(self) -> None:
        """Close the files; recording is over."""
        self._retry_at = None
        try:
            self._close_files()
        except Exception as error:
            self._off(error)
            self._retry_at = None
        self._count()

    # -- events ------------------------------------------------------------------------------

    def _take_event(self, event: Event) -> None:
        if self._state.info is None:
            # What the runner says before the source is known is no part of the session.
            if isinstance(event, FeedStatus | FeedReport | ClockTick | TickMark):
                return
            raise RecordingError("an event came before any SourceInfo")
        event = self._told(event)
        if self._writer is None:
            self._state.apply(event)
            self._unmarked.add(event, codec.rows(event))
            return
        time = codec.event_time(event)
        if isinstance(event, _MOVES_DAY) and self._new_day(time):
            self._begin(time, goes_on=True)
        try:
            self._waiting.add(event, codec.rows(event))
            self._writer.write(event)
            if not self._writer.waiting:
                self._waiting = Hole()
        except RecordingError as error:
            # It is this event that is unfit, and nothing of it was written.
            if isinstance(event, Definitions):
                raise
            _log.warning("not recorded: %s", error)
            hole = Hole()
            hole.add(event, codec.rows(event))
            self._lost_rows += hole.rows
            self._mark(hole, error.message)
        except OutputError:
            # What the file did not get, the next one shall begin with.
            self._state.apply(event)
            raise
        if self._settings.most_bytes and self._writer.bytes >= self._settings.most_bytes:
            most = self._settings.most_bytes / _GIB
            raise _LimitError(
                f"the recording {self._writer.path} has reached its limit of {most:g} GiB"
            )

    def _source(self, info: SourceInfo, at: int) -> None:
        """A session begins, and with it a file."""
        self._state.apply(dataclasses.replace(info, note=self._struck(info.note)))
        self._prints_lost = 0
        self._begin(at, goes_on=False)

    def _told(self, event: Event) -> Event:
        """The event as this file may say it: without secrets, and true of the file."""
        if isinstance(event, FeedStatus):
            said = self._struck(event.message)
            return event if said == event.message else dataclasses.replace(event, message=said)
        if isinstance(event, FeedReport):
            notes = tuple(self._struck(note) for note in event.notes)
            heard = max(event.heard_from, self._began) if event.heard_from else 0
            return dataclasses.replace(
                event, notes=notes, heard_from=heard, gaps=event.gaps + self._prints_lost
            )
        return event

    def _struck(self, text: str) -> str:
        if self._redact is None:
            return text
        return self._redact(text.encode(errors="replace")).decode(errors="replace")

    def _mark(self, hole: Hole, why: str) -> None:
        """Say in the recording that something is missing here."""
        self._prints_lost += hole.prints
        if self._writer is not None:
            said = f"{hole.rows:,} rows are not in the recording here: {why}"
            self._writer.write(FeedStatus("stale", codec.text(said), {"missing": float(hole.rows)}))

    # -- the book gone on from ---------------------------------------------------------------

    def _take_book(self, book: Book | None) -> None:
        if book is self._book:
            return
        self._book, self._book_content, self._book_trouble = book, b"", ""
        try:
            if book is not None:
                self._book_content = books.encode(book)
        except ValueError as error:
            self._book_missing(error)

    def _keep_book(self, path: Path) -> str:
        """Put the book beside a recording about to begin; its checksum, empty: there is none."""
        if self._book is None:
            return ""
        try:
            if self._book_content:
                books.write(books.beside(path), self._book_content)
                self._book_trouble = ""
        except OutputError as error:
            self._book_missing(error)
        # Said even where it could not be written: who replays it shall know that one is missing.
        return books.checksum(self._book_content) or "unknown"

    def _book_missing(self, error: Exception) -> None:
        self._book_trouble = f"a replay will lack the book gone on from: {_said(error)}"
        _log.warning("%s", self._book_trouble)
        self._set_trouble()

    # -- raw frames --------------------------------------------------------------------------

    def _take_raw(self, item: RawItem) -> None:
        if self._frames is None:
            if self._frames_trouble or self._writer is not None or self._state.info is not None:
                return
            self._wait(item)
            return
        try:
            self._add_raw(self._frames, item)
            most = self._settings.most_bytes
            if most and self._frames.file.size >= most:
                raise _LimitError(
                    f"{self._frames.path} has reached its limit of {most / _GIB:g} GiB"
                )
        except Exception as error:
            self._frames_off(error)

    def _add_raw(self, frames: raw.FramesWriter, item: RawItem) -> None:
        if item.frames:
            frames.lost(item.frames, item.time)
        else:
            frames.add(item.kind, item.time, item.data)

    def _wait(self, item: RawItem) -> None:
        """Frames that come before the source is known wait for it, as long as they are few."""
        data = item.data.body if isinstance(item.data, raw.RawAnswer) else item.data
        self._early_bytes += len(data) if isinstance(data, bytes) else 0
        if self._early_bytes > _EARLY_BYTES:
            self._early_lost += 1
        else:
            self._early.append(item)

    def _frames_off(self, error: Exception) -> None:
        frames, self._frames = self._frames, None
        if frames is not None:
            self._closed_bytes += frames.file.size
            with contextlib.suppress(GextermError, OSError):
                frames.file.close()
        self._frames_trouble = f"raw frames are no longer kept: {_said(error)}"
        _log.warning("%s", self._frames_trouble)
        self._set_trouble()

    # -- files -------------------------------------------------------------------------------

    def _new_day(self, time: int) -> bool:
        """Whether an event belongs to a later day than the file, and that is to be believed."""
        if self._date is None or not 0 < time < self._clock.now_ns() + 86_400 * NS:
            return False
        return et(time).date() > self._date

    def _begin(self, at: int, *, goes_on: bool) -> None:
        """New files from replay time `at` on; with `goes_on` they begin with the state so far."""
        before = self.path if goes_on else None
        frames_before = self._frames.path.name if goes_on and self._frames is not None else ""
        self._close_files()
        info = self._state.info
        if info is None:
            return
        self._look_for_room()
        self._began = at if goes_on else 0
        if before is not None:
            note = f"{info.note}; goes on from {before.name}" if info.note else ""
            note = note or f"goes on from {before.name}"
            info = dataclasses.replace(info, note=codec.text(note))
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._free_name(at)
        book = self._keep_book(path)
        try:
            self._writer = Writer(
                path,
                info,
                self._clock,
                flush_s=self._settings.flush_s,
                carried=self._state,
                at=at if goes_on else 0,
                book=book,
                earlier=self._earlier,
            )
        except BaseException:
            with contextlib.suppress(OSError):
                books.beside(path).unlink(missing_ok=True)
            raise
        self.path, self._date, self._retry_at = path, et(at).date(), None
        if self._state.report is not None:
            # Prints from before are not in this file.
            self._writer.write(self._told(self._state.report))
        if self._unmarked.rows:
            hole, self._unmarked = self._unmarked, Hole()
            self._lost_rows += hole.rows
            self._mark(hole, "recording was off")
        self._begin_frames(path.with_suffix(raw.SUFFIX), frames_before, fresh=not goes_on)
        self._set_trouble()
        self._tidy()

    def _begin_frames(self, path: Path, before: str, *, fresh: bool) -> None:
        self.frames_path = None
        early, self._early, self._early_bytes = self._early, [], 0
        lost, self._early_lost = self._early_lost, 0
        self._frames_trouble = ""
        if not self._settings.frames:
            return
        try:
            self._look_for_room(2)
            header = raw.FramesHeader(
                self._venue, self._underlying, self._clock.now_ns(), continues=before
            )
            self._frames = raw.FramesWriter(path, header, self._redact)
            self.frames_path = path
            if not fresh and not before:
                # What came before is in no file: who reads these frames has to know.
                self._frames.lost(0, self._clock.now_ns())
            for item in early:
                self._add_raw(self._frames, item)
            if lost:
                self._frames.lost(lost, self._clock.now_ns())
        except Exception as error:
            self._frames_off(error)

    def _free_name(self, at: int) -> Path:
        stem = et(at).strftime("%Y-%m-%dT%H%M%S")
        for number in range(1, 1000):
            name = stem if number == 1 else f"{stem}-{number}"
            path = self._folder / f"{name}{retention.SUFFIX}"
            names = (path, path.with_suffix(raw.SUFFIX), books.beside(path))
            if not any(map(os.path.lexists, names)):
                return path
        raise OutputError(f"{self._folder} has a thousand recordings of one second")

    def _close_files(self) -> None:
        writer, self._writer = self._writer, None
        frames, self._frames = self._frames, None
        try:
            if writer is not None:
                writer.close()
        finally:
            if writer is not None:
                self._closed_bytes += writer.bytes
                self._closed_events += writer.events - writer.waiting
            if frames is not None:
                with contextlib.suppress(GextermError, OSError):
                    frames.close()
                self._closed_bytes += frames.file.size

    def _off(self, error: Exception) -> None:
        """Recording is off from here on, until it is tried again."""
        if not isinstance(error, GextermError | OSError):
            _log.exception("recording failed")
        writer, self._writer = self._writer, None
        if writer is not None:
            # Where the disk still takes it, properly.
            with contextlib.suppress(GextermError, OSError):
                writer.close()
            if writer.waiting:
                self._unmarked.merge(self._waiting)
            self._waiting = Hole()
            self._closed_bytes += writer.bytes
            self._closed_events += writer.events - writer.waiting
        if self._frames is not None:
            self._closed_bytes += self._frames.file.size
            with contextlib.suppress(GextermError, OSError):
                self._frames.close()
            self._frames = None
        retry_s = self._settings.retry_s
        can = self._state.info is not None and retry_s < float("inf")
        if isinstance(error, _LimitError):
            can = False
        self._retry_at = self._clock.now_ns() + round(retry_s * NS) if can else None
        again = f"; tried again every {retry_s:g} s" if can else "; it stays off until a restart"
        self._off_reason = f"recording is off: {_said(error)}{again}"
        _log.warning("%s", self._off_reason)
        self._set_trouble()

    def _set_trouble(self) -> None:
        if self._writer is not None:
            self._off_reason = ""
        said = (self._off_reason, self._book_trouble, self._frames_trouble)
        self.trouble = codec.text(next(filter(None, said), ""))

    def _count(self) -> None:
        writer, frames = self._writer, self._frames
        self.on = writer is not None
        written = writer.events - writer.waiting if writer is not None else 0
        self.events = self._closed_events + written
        self.lost_rows = self._lost_rows + self._unmarked.rows
        self.bytes = (
            self._closed_bytes
            + (writer.bytes if writer is not None else 0)
            + (frames.file.size if frames is not None else 0)
        )

    # -- the disk ----------------------------------------------------------------------------

    def _look(self) -> None:
        """Whether there is room, and the files are still where they were; once a second."""
        if self._writer is None:
            return
        if self._writer.file.vanished:
            raise OutputError(f"the recording {self._writer.path} was removed or renamed")
        self._look_for_room()
        if self._frames is not None:
            try:
                if self._frames.file.vanished:
                    raise OutputError(f"{self._frames.path} was removed or renamed")
                self._look_for_room(2)
            except Exception as error:
                self._frames_off(error)
        if abs(self._clock.now_ns() - self._tidied_at) >= _TIDY_NS:
            self._tidy()

    def _look_for_room(self, times: int = 1) -> None:
        least = self._settings.min_free_bytes * times
        where = self._root
        while not where.exists() and where != where.parent:
            where = where.parent
        found = os.statvfs(where)
        free = found.f_bavail * found.f_frsize
        if free < least:
            raise OutputError(
                f"the disk of {self._root} has {free / _GIB:.2f} GiB left, "
                f"{least / _GIB:g} are to stay free",
                "make room",
            )

    def _tidy(self) -> None:
        now = self._clock.now_ns()
        self._tidied_at = now
        writing = [path for path in (self.path, self.frames_path) if path is not None]
        try:
            gone = retention.tidy(self._root, self._settings.retention, et(now).date(), writing)
        except OSError as error:
            _log.warning("old recordings could not be looked through: %s", error)
            return
        for file in gone:
            _log.info("deleted by age or total size: %s", file.path)


def folder_of(root: Path, venue: str, underlying: str) -> Path:
    """Where recordings of an underlying on a venue are."""
    return root / _safe(venue) / _safe(underlying)


class _LimitError(OutputError):
    """A file is as large as it may be: another try would not help."""


def _safe(name: str) -> str:
    """A name as that of a folder: no way out of the one it is in."""
    cleaned = _UNSAFE.sub("_", name)[: codec.MAX_NAME].lstrip(".")
    return cleaned or "_"


def _said(error: Exception) -> str:
    if isinstance(error, GextermError):
        return str(error)
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror or error}{where}"
    return f"internal error: {type(error).__name__}: {error}"
