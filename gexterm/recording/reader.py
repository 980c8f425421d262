"""Reading a recording: from the beginning, from any moment, after a crash."""

from __future__ import annotations

import bisect
import dataclasses
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from gexterm.clock import NS
from gexterm.errors import RecordingError
from gexterm.market.events import Event, FeedStatus, SourceInfo
from gexterm.recording import codec
from gexterm.recording import format as layout
from gexterm.recording.format import Block
from gexterm.recording.state import State

"""How much is read at a time when looking for the next sound block."""


class Recording:
    """A recording, open for reading. Blocks are read when they are asked for.

    What is damaged or cut off is left out and told in `warnings`; between intact
    blocks a FeedStatus event also marks the place. Safe to use from several threads.

    Raises RecordingError when the file is none or lacks its header,
    RecordingVersionError when it is of another version.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.warnings: list[str] = []
        """What could not be read, each with place and amount. Grows while reading."""
        self.bytes_read = 0
        """Bytes taken from the file so far."""
        self.closed_properly = False
        """Whether the writer got to close it. If not, its last second may be missing."""
        try:
            self._file = path.open("rb")
            self._size = os.fstat(self._file.fileno()).st_size
            try:
                self._open()
            except BaseException:
                self._file.close()
                raise
        except OSError as error:
            raise RecordingError(
                f"cannot read the recording {path}: {error.strerror or error}"
            ) from error

    def _open(self) -> None:
        try:
            size = layout.header_size(self._read(0, layout.PREFIX_SIZE))
            self.header = layout.parse_header(self._read(0, size))
        except RecordingError as error:
            raise type(error)(f"{self.path}: {error.message}", error.hint) from error
        indexed = self._indexed(size)
        self._blocks = self._scan(size) if indexed is None else indexed
        data = [b for b in self._blocks if b.kind == layout.DATA]
        self.begins = data[0].first if data else 0
        """Replay time of the first event, ns; 0 when there is none."""
        self.ends = data[-1].last if data else 0
        """Replay time of the last event, ns; 0 when there is none."""
        self.info: SourceInfo = dataclasses.replace(
            self.header.info, begins=self.begins, ends=self.ends
        )
        """The source as recorded, with the times of this file."""

    def refresh(self) -> bool:
        """Look for what has been written since; whether there is more. For a file being written.

        From now on it ends one moment before the last event written: what comes next may
        be of the same moment, and a reader who stops here is to miss none of it.
        """
        if self.closed_properly:
            return False
        before = self.ends
        size = os.fstat(self._file.fileno()).st_size
        if size != self._size:
            self._size = size
            at = self._blocks[-1].end if self._blocks else layout.header_size(
                self._read(0, layout.PREFIX_SIZE))  # fmt: skip
            said = list(self.warnings)
            self._blocks = [*self._blocks, *self._scan(at)]
            self.warnings = said  # its tail is not torn, but on its way
        data = [b for b in self._blocks if b.kind == layout.DATA]
        self.begins = data[0].first if data else 0
        self.ends = max(self.begins, data[-1].last - 1) if data else 0
        self.info = dataclasses.replace(self.info, begins=self.begins, ends=self.ends)
        return self.ends > before

    @property
    def market_begins(self) -> int:
        """Market time of the first event, ns: its replay time less what the feed is late by."""
        return self.begins - self._late

    @property
    def market_ends(self) -> int:
        """Market time of the last event, ns."""
        return self.ends - self._late

    @property
    def _late(self) -> int:
        return round(1e9 * self.info.delay_s)

    def close(self) -> None:
        """Close the file. Harmless when repeated."""
        self._file.close()

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def events(self, start: int | None = None, end: int | None = None) -> Iterator[Event]:
        """Events whose replay time is >= `start` and < `end`, both ns.

        Without `start` the first one is `info`. With it, `seek(start)` gives what has
        to be known before: state and events together miss nothing.
        """
        if start is None:
            yield self.info
        first = 0 if start is None else self._first_block(start)
        yield from self._events(first, start, end)

    def frames(self, start: int | None = None, end: int | None = None) -> Iterator[codec.Frame]:
        """The same, undecoded and with replay times; without `info`.

        Raises RecordingError for an intact block with a malformed frame in it.
        """
        return self._frames(0 if start is None else self._first_block(start), start, end)

    def seek(self, ns: int) -> list[Event]:
        """The state as of just before `ns`, as events: source, definitions, last quotes.

        Also underlying, open interest and volume. Reads one keyframe and what follows
        it. Trades are not state: ask `events` for those that matter.
        """
        state = State()
        state.apply(self.info)
        first = 0
        for at in range(self._first_block(ns) - 1, -1, -1):
            if self._blocks[at].kind != layout.KEYFRAME:
                continue
            try:
                events = [self._decode(frame) for frame in self._unpack(self._blocks[at])]
            except RecordingError as error:
                self._warn(error.message)
                continue
            state.apply_all(events)
            first = at + 1
            break
        state.apply_all(self._events(first, None, ns))
        if state.info is not None:
            state.info = dataclasses.replace(state.info, begins=self.begins, ends=self.ends)
        return state.events()

    def _events(self, first: int, start: int | None, end: int | None) -> Iterator[Event]:
        for frame in self._frames(first, start, end):
            yield self._decode(frame)

    def _frames(self, first: int, start: int | None, end: int | None) -> Iterator[codec.Frame]:
        """Frames from block number `first` on."""
        expected = self._blocks[first].offset if first < len(self._blocks) else 0
        lost = False
        number = first
        # One by one: `refresh` may add blocks meanwhile.
        while number < len(self._blocks):
            block = self._blocks[number]
            number += 1
            if end is not None and block.first >= end:
                return
            raw: Iterator[codec.Frame] = iter(())
            if block.offset != expected:
                lost = True
                yield _mark(block.first)
            expected = block.end
            if block.kind == layout.DATA or lost:
                try:
                    raw = self._unpack(block)
                except RecordingError as error:
                    lost = True
                    self._warn(f"{error.message}; left out: {_span(block)}")
                    yield _mark(block.first)
            for frame in raw:
                if end is not None and frame.time >= end:
                    return
                if start is not None and frame.time < start:
                    continue
                # After a hole, indices may be missing: new definitions have to wait for
                # a keyframe, which repeats them all.
                unsure = lost and block.kind == layout.DATA and frame.kind == codec.KIND_DEFINITIONS
                again = block.kind == layout.KEYFRAME and frame.kind == codec.KIND_SOURCE
                if not unsure and not again:
                    yield frame
            lost = lost and block.kind != layout.KEYFRAME

    def _first_block(self, ns: int) -> int:
        """Number of the first block with anything at or after `ns`."""
        # Replay times never run backwards, so neither do the blocks' last ones.
        return bisect.bisect_left(self._blocks, ns, key=lambda block: block.last)

    def _unpack(self, block: Block) -> Iterator[codec.Frame]:
        payload = self._read(block.offset + layout.BLOCK_SIZE, block.stored)
        return self._checked(layout.unpack_block(block, payload), block)

    def _checked(self, raw: bytes, block: Block) -> Iterator[codec.Frame]:
        try:
            yield from codec.frames(raw)
        except RecordingError as error:
            where = f"{self.path}, block at byte {block.offset}"
            raise type(error)(f"{where}: {error.message}", error.hint) from error

    def _decode(self, frame: codec.Frame) -> Event:
        try:
            return codec.decode(frame)
        except RecordingError as error:
            raise type(error)(f"{self.path}: {error.message}", error.hint) from error

    def _indexed(self, start: int) -> list[Block] | None:
        """The blocks as the index lists them; None when there is no sound index."""
        tail = self._read(max(start, self._size - layout.TRAILER_SIZE), layout.TRAILER_SIZE)
        where = layout.parse_trailer(tail)
        if where is None:
            return None
        try:
            head = layout.parse_block(self._read(where, layout.BLOCK_SIZE), where)
            if head is None or head.kind != layout.INDEX:
                raise RecordingError("it is not where the trailer says")
            payload = self._read(where + layout.BLOCK_SIZE, head.stored)
            blocks = layout.parse_index(layout.unpack_block(head, payload))
            if blocks and (blocks[0].offset, blocks[-1].end) != (start, where):
                raise RecordingError("it does not cover the file")
        except RecordingError as error:
            self._warn(f"the index cannot be used ({error.message}); the blocks were searched")
            return None
        self.closed_properly = True
        return blocks

    def _scan(self, start: int) -> list[Block]:
        """The blocks, by hopping from header to header."""
        blocks: list[Block] = []
        at = start
        while at < self._size:
            block = layout.parse_block(self._read(at, layout.BLOCK_SIZE), at)
            if block is not None and block.kind == layout.INDEX:
                break  # nothing recorded follows
            if block is None:
                found = layout.next_block(self._read, at + 1, self._size)
                if found is None:
                    self._warn(self._torn(at, blocks))
                    break
                self._warn(f"{found - at:,} bytes from byte {at} on are no block; left out")
                at = found
                continue
            if block.end > self._size:
                self._warn(self._torn(at, blocks))
                break
            blocks.append(block)
            at = block.end
        return blocks

    def _torn(self, at: int, blocks: list[Block]) -> str:
        kept = (
            f"kept is everything until {_clock(blocks[-1].last)}" if blocks else "nothing is left"
        )
        return f"the last {self._size - at:,} bytes are an unfinished block; {kept}"

    def _warn(self, message: str) -> None:
        if message not in self.warnings:
            self.warnings.append(message)

    def _read(self, at: int, size: int) -> bytes:
        # Reading at a position leaves nothing shared between threads.
        data = os.pread(self._file.fileno(), size, at)
        while data and len(data) < size:
            more = os.pread(self._file.fileno(), size - len(data), at + len(data))
            if not more:
                break
            data += more
        self.bytes_read += len(data)
        return data


def _mark(time: int) -> codec.Frame:
    """An event that says: here something is missing."""
    status = FeedStatus("stale", "part of the recording is damaged and left out here")
    return next(codec.frames(codec.encode(status, time)))


def _span(block: Block) -> str:
    return f"{block.events:,} events from {_clock(block.first)} to {_clock(block.last)}"


def _clock(ns: int) -> str:
    try:
        return datetime.fromtimestamp(ns // NS, UTC).strftime("%H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return f"{ns} ns"
