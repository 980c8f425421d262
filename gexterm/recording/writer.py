"""Writing a recording: append-only, readable after a kill at any moment."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from pathlib import Path
from types import TracebackType

import zstandard

from gexterm.clock import NS, Clock
from gexterm.errors import OutputError
from gexterm.market.events import Event, SourceInfo
from gexterm.recording import codec
from gexterm.recording import format as layout
from gexterm.recording.appending import AppendedFile
from gexterm.recording.appending import publish as publish  # importers name their files with it
from gexterm.recording.state import State

FLUSH_BYTES = 1 << 20
"""A block is written once it holds this many bytes, uncompressed."""
FLUSH_S = 1.0
"""… or once its first event has waited this long."""
KEYFRAME_S = 300.0
"""Market time between keyframes, at least."""
_KEYFRAME_SHARE = 2
"""… and at least this many times a keyframe's own size: a quiet feed needs fewer."""
_BYTES_PER_CONTRACT = 40
_LEVEL = 1
"""zstd's: 3 saves another 1.5 % and takes twice as long."""


class Writer:
    """Writes events to a new file. A context manager; `close` adds the index.

    Everything flushed survives the death of the process. `write` flushes by size and
    by age, but only when called: a caller whose feed may fall silent also calls `poll`
    about once a second, or keeps `keep_flushed` running.

    A file that goes on where another ended is handed the state so far as `carried`, which
    it begins with at replay time `at` and keeps up to date. `book` is the checksum of the
    book beside it (`books.checksum`), where its session went on from one, and `earlier` names
    the recordings it went on from (`format.Header`).

    Raises OutputError when the file exists (unless `force`), or cannot be written;
    after a failed write the file ends with the last whole block.
    """

    def __init__(
        self,
        path: Path,
        info: SourceInfo,
        clock: Clock,
        *,
        force: bool = False,
        synthetic: bool | None = None,
        keyframe_s: float = KEYFRAME_S,
        flush_bytes: int = FLUSH_BYTES,
        flush_s: float = FLUSH_S,
        carried: State | None = None,
        at: int = 0,
        book: str = "",
        earlier: tuple[tuple[str, int], ...] = (),
    ) -> None:
        self.path = path
        self.events = 0
        """Events written so far, flushed or not."""
        self._info = info
        self._clock = clock
        self._keyframe_ns = round(keyframe_s * NS)
        self._flush_bytes = flush_bytes
        self._flush_ns = round(flush_s * NS)
        self._compressor = zstandard.ZstdCompressor(level=_LEVEL, write_content_size=True)
        self._state = carried or State()
        if carried is None:
            self._state.apply(info)
        self._blocks: list[layout.Block] = []
        self._keyframe_at: int | None = None
        self._since_keyframe = 0
        self._keyframe_size = 0
        self._time = 0
        self._timeless: list[Event] = []
        self._start_block()
        header = layout.Header(
            info=info,
            created=clock.now_ns(),
            synthetic=info.mode == "simulated" if synthetic is None else synthetic,
            book=book,
            earlier=earlier,
        )
        self._file = AppendedFile(path, header.to_bytes(), what="the recording", force=force)
        self.bytes = self._file.size
        """Bytes in the file so far."""
        if carried is not None:
            self._time = at
            for event in carried.events():
                if not isinstance(event, SourceInfo):  # the header says it
                    self.write(event)

    @property
    def file(self) -> AppendedFile:
        """The file underneath."""
        return self._file

    @property
    def waiting(self) -> int:
        """Events written that the operating system does not have yet."""
        return len(self._pending)

    def write(self, event: Event) -> None:
        """Add an event. Its replay time is its receipt time, but never runs backwards."""
        if isinstance(event, SourceInfo) and not self.events and _same(event, self._info):
            return  # the header says it
        self._time = max(self._time, codec.event_time(event))
        if not self._time:
            # Words about the connection, before anything that has a time: they get that of
            # what comes first. At time 0, a replay would begin in 1970.
            self._timeless.append(event)
            return
        if self._timeless:
            early, self._timeless = self._timeless, []
            for each in early:
                self._write(each)
        self._write(event)

    def _write(self, event: Event) -> None:
        for part in codec.split(event):
            frame = codec.encode(part, self._time)
            if not self._pending:
                self._first = self._time
                self._waiting_since = self._clock.now_ns()
            self._pending.append(frame)
            self._pending_bytes += len(frame)
            self._state.apply(part)
            self.events += 1
            if self._pending_bytes >= self._flush_bytes or self._keyframe_due():
                self.flush()
        self.poll()

    def poll(self) -> None:
        """Write what waits, if it has waited long enough."""
        if self._pending and self._clock.now_ns() - self._waiting_since >= self._flush_ns:
            self.flush()

    def flush(self) -> None:
        """Hand everything to the operating system now."""
        if not self._pending:
            return
        raw = b"".join(self._pending)
        self._append(layout.DATA, raw, len(self._pending), self._first, self._time)
        self._start_block()
        self._since_keyframe += len(raw)
        if self._keyframe_due():
            self._write_keyframe()

    def close(self) -> None:
        """Flush, add the index, close. Harmless when repeated or after a failure."""
        if self._file.closed:
            return
        try:
            early, self._timeless = self._timeless, []
            for event in early:
                self._time = self._time or self._clock.now_ns()
                self._write(event)
            self.flush()
            index = layout.pack_index(self._blocks)
            where = self.bytes
            if len(index) <= layout.MAX_BLOCK:
                first, last = (self._blocks[0].first, self._time) if self._blocks else (0, 0)
                self._append(layout.INDEX, index, len(self._blocks), first, last)
                self._file.append(layout.pack_trailer(where))
                self.bytes = self._file.size
        finally:
            self._file.close()

    def __enter__(self) -> Writer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            # The first error is the one to tell.
            with contextlib.suppress(OutputError):
                self.close()

    def _start_block(self) -> None:
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._first = self._time
        self._waiting_since = 0

    def _keyframe_due(self) -> bool:
        if self._keyframe_at is None:
            self._keyframe_at = self._first
        if self._time - self._keyframe_at < self._keyframe_ns:
            return False
        size = self._keyframe_size or self._state.contracts * _BYTES_PER_CONTRACT
        return self._since_keyframe + self._pending_bytes >= _KEYFRAME_SHARE * size

    def _write_keyframe(self) -> None:
        state = (part for event in self._state.events() for part in codec.split(event))
        frames = [codec.encode(part, self._time) for part in state]
        raw = b"".join(frames)
        if len(raw) > layout.MAX_BLOCK:
            return
        self._append(layout.KEYFRAME, raw, len(frames), self._time, self._time)
        self._keyframe_at, self._since_keyframe, self._keyframe_size = self._time, 0, len(raw)

    def _append(self, kind: int, raw: bytes, events: int, first: int, last: int) -> None:
        block, head, payload = layout.pack_block(
            kind, raw, events, first, last, self._compressor, self.bytes
        )
        self._blocks.append(block)
        self._file.append(head, payload)
        self.bytes = self._file.size


def _same(one: SourceInfo, other: SourceInfo) -> bool:
    return dataclasses.astuple(one) == dataclasses.astuple(other)


async def keep_flushed(writer: Writer, clock: Clock, every_s: float = FLUSH_S / 2) -> None:
    """Call `writer.poll()` regularly until cancelled, for feeds that may fall silent."""
    while True:
        await clock.sleep_until(clock.now_ns() + round(every_s * NS))
        writer.poll()
        await asyncio.sleep(0)
