"""The two bounded buffers between a socket and whoever takes the events."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable

from gexterm.market.events import Event
from gexterm.recording import codec


class FrameQueue:
    """Frames with their receipt times, from one reader to one parser.

    Holds at least one frame, however large, and is otherwise full at `most_frames` or
    `most_bytes`.
    """

    def __init__(self, most_frames: int, most_bytes: int) -> None:
        self._most_frames = most_frames
        self._most_bytes = most_bytes
        self._frames: deque[tuple[bytes, int]] = deque()
        self._bytes = 0
        self._closed = False
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()

    def __len__(self) -> int:
        return len(self._frames)

    def offer(self, frame: bytes, recv_ns: int) -> bool:
        """Add a frame, unless the queue is full; whether it was added."""
        if self._frames and (
            len(self._frames) >= self._most_frames or self._bytes >= self._most_bytes
        ):
            return False
        self._frames.append((frame, recv_ns))
        self._bytes += len(frame)
        self._filled.set()
        return True

    async def put(self, frame: bytes, recv_ns: int) -> None:
        """Add a frame, waiting for room."""
        while not self.offer(frame, recv_ns):
            self._emptied.clear()
            await self._emptied.wait()

    async def get(self) -> tuple[bytes, int] | None:
        """The oldest frame, once there is one; None when no more will come."""
        while not self._frames:
            if self._closed:
                return None
            self._filled.clear()
            await self._filled.wait()
        frame, recv_ns = self._frames.popleft()
        self._bytes -= len(frame)
        self._emptied.set()
        return frame, recv_ns

    def close(self) -> None:
        """No more frames will come; those that wait can still be had."""
        self._closed = True
        self._filled.set()


class EventBuffer:
    """Events that wait to be taken, all at once. Full at `most_rows` rows."""

    def __init__(self, most_rows: int) -> None:
        self._most_rows = most_rows
        self._events: list[Event] = []
        self._rows = 0
        self._closed = False
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()

    def add(self, events: Iterable[Event]) -> int:
        """Add events, full or not (see `room`); how many rows they hold."""
        rows = 0
        for event in events:
            self._events.append(event)
            # An event without rows takes room as well.
            rows += max(1, codec.rows(event))
        self._rows += rows
        if rows:
            self._filled.set()
        return rows

    async def room(self) -> None:
        """Return once the buffer is not full."""
        while self._rows >= self._most_rows:
            self._emptied.clear()
            await self._emptied.wait()

    async def take(self) -> list[Event] | None:
        """Everything that waits, once there is something; None when no more will come."""
        while not self._events:
            if self._closed:
                return None
            self._filled.clear()
            await self._filled.wait()
        events, self._events, self._rows = self._events, [], 0
        self._emptied.set()
        return events

    def close(self) -> None:
        """No more events will come; those that wait can still be taken."""
        self._closed = True
        self._filled.set()
