"""Recording while live: whatever happens to the disk, the monitor lives on.

A `Recorder` is told everything and never raises or waits: what it hears goes on a bounded
queue, and a thread of its own writes it. When the disk cannot keep up, raw frames are left
out first, then events, and the recording has a mark where that was. When it cannot be
written at all, recording is off with a reason, and is tried again now and then, in a new
file that begins with the whole state.

    FOLDER/VENUE/UNDERLYING/2026-11-20T093000.gexrec    events (`recording.writer`)
    FOLDER/VENUE/UNDERLYING/2026-11-20T093000.frames    raw frames (`recording.frames`)
    FOLDER/VENUE/UNDERLYING/2026-11-20T093000.book      the book gone on from (`recording.books`)

named by the market's time in New York. A new day begins new files. A file is not rolled by
its size: the dealer's position is the sum of all prints since the session began, and half
a day replayed would show half of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from gexterm.clock import Clock
from gexterm.market.events import (
    Definitions,
    Event,
    FeedStatus,
    OpenInterest,
    Quotes,
    SourceInfo,
    Trades,
    Volume,
)
from gexterm.recording import frames as raw
from gexterm.recording.retention import RetentionSettings
from gexterm.recording.scribe import Begun, GoesOnFrom, Hole, RawItem, Scribe, ScribeSettings

if TYPE_CHECKING:
    from gexterm.feeds.protocol import Answer
    from gexterm.feeds.retry import Retry, Stop
    from gexterm.recording.books import Book

POLL_S = 0.1
"""Seconds between two looks of the thread at its queue."""
_WAKE_BYTES = 1 << 20
"""… unless so many bytes wait."""
_JOIN_S = 10.0
"""Seconds that a disk is given at the end. One that hangs must not hang the monitor."""
_ROW_BYTES = {Quotes: 44, Trades: 100, OpenInterest: 12, Volume: 12, Definitions: 120}
_EVENT_BYTES = 200
"""What an event or frame costs besides its contents, about."""


@dataclass(frozen=True, slots=True)
class RecorderSettings:
    """What is recorded, and how much of it."""

    frames: bool = True
    """Whether raw frames are kept beside the recording."""
    flush_s: float = 0.5
    """Seconds after which what was heard is with the operating system."""
    queue_bytes: int = 64 * 1024 * 1024
    """Most bytes that wait to be written; raw frames may take half of it."""
    most_bytes: int = 32 * 1024**3
    """Most bytes of one recording, and of its raw frames; 0: no limit."""
    min_free_bytes: int = 1024**3
    """Recording stops while the disk has less left: a full disk harms everybody on it.
    Raw frames stop at twice as much."""
    retry_s: float = 60.0
    """Seconds until a recording that is off is tried again; inf: never."""
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    """What becomes of old ones."""


class Recorder:
    """Records one feed's session. An async context manager; `event` and `tap` feed it.

    `redact` strikes secrets from bytes (`feeds.secrets.redactor.bytes`); it is called on
    another thread. `on_trouble` is called in the event loop whenever `trouble` changes.
    Entering never fails: a folder that cannot be written is a trouble like any other.
    """

    def __init__(
        self,
        folder: Path,
        venue: str,
        underlying: str,
        clock: Clock,
        settings: RecorderSettings | None = None,
        *,
        redact: Callable[[bytes], bytes] | None = None,
        on_trouble: Callable[[str], None] | None = None,
    ) -> None:
        self._settings = settings or RecorderSettings()
        self._clock = clock
        self._on_trouble = on_trouble
        self._told = ""
        self._queue: deque[_Item] = deque()
        # Each is written by one thread only, so that no lock is needed.
        self._put, self._taken = 0, 0
        self._hole = Hole()
        self._left_out = 0
        self._frames_lost = 0
        self._events_full = self._frames_full = False
        self._wake = threading.Event()
        self._closing = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stuck = ""
        self._scribe = Scribe(
            folder,
            venue,
            underlying,
            clock,
            ScribeSettings(
                self._settings.frames,
                self._settings.flush_s,
                self._settings.most_bytes,
                self._settings.min_free_bytes,
                self._settings.retry_s,
                self._settings.retention,
            ),
            redact=redact,
        )
        self.tap = RecorderTap(self)
        """What the runner shows raw frames to (`feeds.tap.Tap`)."""

    async def __aenter__(self) -> Recorder:
        self._loop = asyncio.get_running_loop()
        # A daemon: a disk that hangs must not keep the program from ending.
        self._thread = threading.Thread(target=self._work, name="recorder", daemon=True)
        self._thread.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Write what waits and close the files. Harmless when repeated."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._patch()
        self._closing = True
        self._wake.set()
        await asyncio.shield(asyncio.to_thread(thread.join, _JOIN_S))
        if thread.is_alive():
            self._stuck = "recording: the disk does not answer; what was heard last is not kept"
            self._tell()

    # -- what it is told ---------------------------------------------------------------

    def event(self, event: Event) -> None:
        """Record an event: each in the order in which it was applied, a SourceInfo first."""
        if self._closing:
            return
        count = _rows(event)
        size = _EVENT_BYTES + count * _ROW_BYTES.get(type(event), 0)
        limit = self._settings.queue_bytes
        waiting = self._put - self._taken
        # What the rest cannot be read without is small, and always finds room.
        must = isinstance(event, SourceInfo | Definitions | OpenInterest | FeedStatus)
        self._events_full = waiting + size > (limit // 2 if self._events_full else limit)
        if self._events_full and waiting and not must:
            before = self._hole.rows
            self._hole.add(event, count)
            self._left_out += self._hole.rows - before
            return
        if not self._events_full:
            self._patch()
        self._offer(
            (Begun(event, self._clock.now_ns()) if isinstance(event, SourceInfo) else event, size)
        )

    def book(self, book: Book | None, earlier: tuple[tuple[str, int], ...] = ()) -> None:
        """Say what the session goes on from, before the event that begins with it.

        The book (None: none) is kept beside every file that begins from now on; each names
        the recordings in `earlier`, of the same folder, by name and number of events.
        """
        if not self._closing:
            self._offer((GoesOnFrom(book, earlier), _EVENT_BYTES))

    def _raw(self, kind: int, time: int, data: _Raw, size: int) -> None:
        if self._closing or not self._settings.frames:
            return
        limit = self._settings.queue_bytes // 2
        waiting = self._put - self._taken
        size += _EVENT_BYTES
        self._frames_full = waiting + size > (limit // 2 if self._frames_full else limit)
        if self._frames_full and waiting:
            self._frames_lost += 1
            return
        if self._frames_lost:
            lost, self._frames_lost = self._frames_lost, 0
            self._offer((RawItem(raw.LOST, time, frames=lost), _EVENT_BYTES))
        self._offer((RawItem(kind, time, data), size))

    def _patch(self) -> None:
        """Mark where events were left out, once there is room again."""
        if self._hole.events:
            hole, self._hole = self._hole, Hole()
            self._offer((hole, _EVENT_BYTES))

    def _offer(self, item: _Item) -> None:
        self._queue.append(item)
        self._put += item[1]
        if self._put - self._taken > _WAKE_BYTES:
            self._wake.set()

    # -- what it says --------------------------------------------------------------------

    @property
    def trouble(self) -> str:
        """Why recording is off or incomplete just now, and what to do; empty while fine."""
        if self._stuck or self._scribe.trouble:
            return self._stuck or self._scribe.trouble
        if self._hole.events:
            return "recording: the disk is too slow, events are being left out"
        if self._frames_lost:
            return "recording: the disk is too slow, raw frames are being left out"
        return ""

    @property
    def on(self) -> bool:
        """Whether events are being written just now; raw frames may be off all the same."""
        return self._scribe.on and not self._stuck and not self._closing

    @property
    def path(self) -> Path | None:
        """The recording being written, or the last one; None before the first."""
        return self._scribe.path

    @property
    def frames_path(self) -> Path | None:
        """Its raw frames; None where there are none."""
        return self._scribe.frames_path

    @property
    def events(self) -> int:
        """Events that are with the operating system, over all files."""
        return self._scribe.events

    @property
    def bytes(self) -> int:
        """Bytes of all files written, raw frames included."""
        return self._scribe.bytes

    @property
    def lost_rows(self) -> int:
        """Rows (or events without rows) that were heard and not recorded. Zero is the aim."""
        return self._scribe.lost_rows + self._left_out

    async def flushed(self) -> None:
        """Return once all that was said so far is with the operating system, or given up."""
        thread = self._thread
        if thread is None or not thread.is_alive() or self._loop is None:
            return
        done = asyncio.Event()
        self._patch()
        self._offer((_Sync(done), 0))
        self._wake.set()
        while thread.is_alive() and not done.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), 2 * POLL_S)

    # -- the thread ------------------------------------------------------------------------

    def _work(self) -> None:
        try:
            self._write_all(self._scribe)
        except Exception as error:
            # Nobody foresaw it. What is said from now on must not pile up.
            self._closing = True
            self._stuck = f"recording is off: internal error: {type(error).__name__}: {error}"
            self._tell()

    def _write_all(self, scribe: Scribe) -> None:
        while True:
            self._wake.wait(POLL_S)
            self._wake.clear()
            # Read before the queue is emptied: whoever closes puts the last item first.
            last = self._closing
            while self._queue:
                item, size = self._queue.popleft()
                if isinstance(item, _Sync):
                    scribe.flush()
                    self._call(item.done.set)
                else:
                    scribe.take(item)
                self._taken += size
            scribe.poll()
            self._tell()
            if last:
                scribe.close()
                return

    def _call(self, what: Callable[[], object]) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(what)

    def _tell(self) -> None:
        """Say what the trouble is, if it is another than was said last."""
        trouble = self.trouble
        if trouble != self._told:
            self._told = trouble
            if (listener := self._on_trouble) is not None:
                # As it is now: even one that is over by then must be heard of.
                self._call(lambda: listener(trouble))


class RecorderTap:
    """A `feeds.tap.Tap` that records. Neither raises nor waits."""

    def __init__(self, recorder: Recorder) -> None:
        self._add = recorder._raw

    def opened(self, now_ns: int) -> None:
        """`on_open` was called."""
        self._add(raw.OPENED, now_ns, b"", 0)

    def frame(self, data: bytes, recv_ns: int) -> None:
        """`receive` was called."""
        self._add(raw.FRAME, recv_ns, data, len(data))

    def answered(self, answer: Answer) -> None:
        """`answer` was called."""
        failure = None if answer.failure is None else _verdict(answer.failure)
        kept = raw.RawAnswer(answer.key, answer.status, dict(answer.headers), answer.body, failure)
        self._add(raw.ANSWERED, answer.recv_ns, kept, len(answer.body))

    def prepared(self, now_ns: int) -> None:
        """`prepare` was called."""
        self._add(raw.PREPARED, now_ns, b"", 0)

    def closed(self, verdict: Retry | Stop, now_ns: int) -> None:
        """`closed` was called."""
        self._add(raw.CLOSED, now_ns, _verdict(verdict), 0)

    def clock(self, what: str, now_ns: int) -> None:
        """The market's clock was told so."""
        self._add(raw.CLOCK, now_ns, what.encode(), 0)

    def timer(self, now_ns: int) -> None:
        """`on_timer` was called."""
        self._add(raw.TIMER, now_ns, b"", 0)

    def flushed(self, now_ns: int) -> None:
        """`flush` was called."""
        self._add(raw.FLUSHED, now_ns, b"", 0)

    def lost(self, frames: int, now_ns: int) -> None:
        """Frames were dropped unread."""
        self._add(raw.LOST, now_ns, frames.to_bytes(8, "little"), 0)


@dataclass(frozen=True, slots=True)
class _Sync:
    """Says when everything before it is written."""

    done: asyncio.Event
    """Set then, in the event loop."""


_Raw = bytes | raw.RawAnswer | raw.RawVerdict
_Item = tuple[Event | Begun | GoesOnFrom | RawItem | Hole | _Sync, int]


def _verdict(verdict: Retry | Stop) -> raw.RawVerdict:
    kind = type(verdict).__name__.lower()
    return raw.RawVerdict(
        kind, verdict.reason, verdict.hint, float(getattr(verdict, "wait_s", 0.0))
    )


def _rows(event: Event) -> int:
    if isinstance(event, Definitions):
        return len(event.contracts)
    if isinstance(event, Quotes | Trades | OpenInterest | Volume):
        return len(event.contract)
    return 0
