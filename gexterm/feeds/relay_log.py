"""What a hub has told so far, kept so that whoever comes late hears all of it.

A stretch begins with what the session goes on from (a hand-out) and the state of the chain, and
holds every event since: in memory what is new, compressed on the disk what is older, in a file
without a name that is gone with the process. Readers have a place in it and nothing else: one
that is slow, or hangs, costs the hub nothing.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import weakref
from bisect import bisect_right
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import zstandard

from gexterm.errors import GextermError, OutputError
from gexterm.market.events import Event, FeedStatus, SourceInfo
from gexterm.recording import codec
from gexterm.recording.state import State

BLOCK_BYTES = 256 * 1024
"""A block is closed once it holds this many bytes."""


@dataclass(slots=True)
class _Block:
    begins: int
    """Place of its first byte in the stretch."""
    data: bytes | None
    """Compressed, until it is on the disk."""
    at: int = 0
    """Where on the disk."""
    size: int = 0
    """Bytes there."""


@dataclass(slots=True, eq=False, weakref_slot=True)
class Stretch:
    """From a beginning of a session, or a midnight, to the next."""

    handout: bytes
    """What the session goes on from, as it is sent."""
    preface: tuple[bytes, ...] = ()
    """The state at its beginning, for those who did not hear the stretch before."""
    tail: bytearray = field(default_factory=bytearray)
    """What is in no block yet."""
    blocks: list[_Block] = field(default_factory=list)
    """What is, in order."""
    sealed: int = 0
    """Bytes in blocks."""
    next: Stretch | None = None
    """The one after it; nothing is added any more then."""
    file: int = -1
    """Descriptor of the file where blocks go; below 0: none yet."""
    written: int = 0
    """Bytes in it."""
    broken: str = ""
    """Why some of it is not to be had; empty: all is."""

    @property
    def ends(self) -> int:
        """Bytes in all."""
        return self.sealed + len(self.tail)


class RelayLog:
    """Takes events in and keeps them. `folder` is where a file may be."""

    def __init__(self, folder: Path | None = None, block_bytes: int = BLOCK_BYTES) -> None:
        self.newest: Stretch | None = None
        """The stretch that grows; None before the first."""
        self.status = FeedStatus("connecting")
        """How the venue's connection is."""
        self.refused = 0
        """Events that could not be told."""
        self._folder = folder
        self._block_bytes = block_bytes
        self._state = State()
        self._time = 0
        self._handout = b""
        self._turned = False
        self._changed = asyncio.Event()
        self._compressor = zstandard.ZstdCompressor(level=1)
        self._disk = ThreadPoolExecutor(1, "relay")

    # -- in ----------------------------------------------------------------------------------

    def goes_on_from(self, handout: bytes) -> None:
        """Say what a session goes on from, before the event that begins it."""
        self._handout, self._turned = handout, True

    def add(self, event: Event) -> None:
        """Keep an event and wake whoever waits for one. Neither raises nor waits."""
        if isinstance(event, FeedStatus):
            self.status = event
        try:
            self._add(event)
        except (GextermError, ValueError):
            self.refused += 1
        self.wake()

    def wake(self) -> None:
        """Have readers look again."""
        self._changed.set()
        self._changed = asyncio.Event()

    def close(self) -> None:
        """Let go of the disk."""
        self._disk.shutdown(wait=False, cancel_futures=True)

    def _add(self, event: Event) -> None:
        if isinstance(event, SourceInfo):
            self._state = State()
            self._begin()
        elif self.newest is None:
            return  # words before the source is known: `status` has them
        elif self._turned:
            self._begin(self._encoded(self._state.events()))
        self._turned = False
        self._state.apply(event)
        for piece in self._encoded([event]):
            self._append(piece)

    def _encoded(self, events: Sequence[Event]) -> list[bytes]:
        found = []
        for event in events:
            self._time = max(self._time, codec.event_time(event))
            found += [codec.encode(part, self._time) for part in codec.split(event)]
        return found

    def _begin(self, preface: Sequence[bytes] = ()) -> None:
        before, self.newest = self.newest, Stretch(self._handout, tuple(preface))
        if before is not None:
            before.next = self.newest

    def _append(self, piece: bytes) -> None:
        stretch = self.newest
        if stretch is None:
            return
        stretch.tail += piece
        if len(stretch.tail) < self._block_bytes:
            return
        block = _Block(stretch.sealed, self._compressor.compress(stretch.tail))
        stretch.sealed += len(stretch.tail)
        stretch.tail = bytearray()
        stretch.blocks.append(block)
        self._disk.submit(self._put_away, stretch, block)

    def _put_away(self, stretch: Stretch, block: _Block) -> None:
        """On a thread: what is on the disk need not be in memory."""
        data = block.data
        if data is None or stretch.broken:
            block.data = None
            return
        try:
            if stretch.file < 0:
                stretch.file = _nameless(self._folder)
                # Whoever still reads an old stretch holds on to it, and to its file.
                weakref.finalize(stretch, os.close, stretch.file)
            left = memoryview(data)
            while left:
                left = left[os.write(stretch.file, left) :]
        except OSError as error:
            # Memory is no place for a day. Those who have heard it go on.
            stretch.broken = f"the day so far could not be kept: {error.strerror or error}"
            block.data = None
            return
        block.at, block.size = stretch.written, len(data)
        stretch.written += len(data)
        block.data = None

    # -- out ---------------------------------------------------------------------------------

    async def changed(self) -> None:
        """Return once there is more."""
        await self._changed.wait()

    @staticmethod
    def read(stretch: Stretch, place: int) -> bytes:
        """Whole frames from a place in a stretch on, some at a time; empty at its end.

        May wait for the disk. Raises OutputError for what could not be kept.
        """
        if place >= stretch.sealed:
            return bytes(stretch.tail[place - stretch.sealed :])
        block = stretch.blocks[bisect_right(stretch.blocks, place, key=lambda b: b.begins) - 1]
        data = block.data
        if data is None:
            if not block.size:
                raise OutputError(stretch.broken or "the day so far is not to be had")
            data = os.pread(stretch.file, block.size, block.at)
        return zstandard.ZstdDecompressor().decompress(data)[place - block.begins :]


def _nameless(folder: Path | None) -> int:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        return os.dup(file.fileno())
