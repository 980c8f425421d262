"""The two bounded buffers between a socket and whoever takes the events."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gexterm.feeds.protocol import Answer
from gexterm.market.events import Event
from gexterm.recording import codec


@dataclass(frozen=True, slots=True)
class Lost:
    """A hole in the frames: so many found no room here."""

    frames: int
    """How many."""


Item = bytes | Answer | Lost


class FrameQueue:
    """Frames with their receipt times, from one reader to one parser, and answers among them.

    Holds at least one frame, however large, and is otherwise full at `most_frames` or
    `most_bytes`. Answers always find room: whoever asks bounds them.
    """

    def __init__(self, most_frames: int, most_bytes: int) -> None:
        self._most_frames = most_frames
        self._most_bytes = most_bytes
        self._items: deque[tuple[Item, int]] = deque()
        self._bytes = 0
        self._lost = 0
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()
        self.closed = False
        """Whether no more will come."""

    def __len__(self) -> int:
        return len(self._items)

    def offer(self, frame: bytes, recv_ns: int) -> bool:
        """Add a frame, unless the queue is full; whether it was added."""
        if self._full():
            return False
        self._append(frame, recv_ns)
        return True

    def add(self, frame: bytes, recv_ns: int) -> bool:
        """Add a frame, or leave a mark where it is missing; whether it was added."""
        if self._full():
            self._lost += 1
            return False
        self.mark(recv_ns)
        self._append(frame, recv_ns)
        return True

    def mark(self, now_ns: int) -> None:
        """If frames found no room lately, say so at the end of what waits."""
        if self._lost:
            self._items.append((Lost(self._lost), now_ns))
            self._lost = 0
            self._filled.set()

    def answer(self, answer: Answer) -> None:
        """Add an answer, full or not."""
        self._items.append((answer, answer.recv_ns))
        self._filled.set()

    async def put(self, frame: bytes, recv_ns: int) -> None:
        """Add a frame, waiting for room."""
        while not self.offer(frame, recv_ns):
            self._emptied.clear()
            await self._emptied.wait()

    def pop(self) -> tuple[Item, int]:
        """The oldest item. Raises IndexError where there is none."""
        item = self._items.popleft()
        if isinstance(item[0], bytes):
            self._bytes -= len(item[0])
            self._emptied.set()
        return item

    async def wait(self) -> None:
        """Return once there is an item, or no more will come."""
        if not self._items and not self.closed:
            self._filled.clear()
            await self._filled.wait()

    def close(self, now_ns: int = 0) -> None:
        """No more items will come; those that wait can still be had."""
        self.mark(now_ns)
        self.closed = True
        self._filled.set()

    def _append(self, frame: bytes, recv_ns: int) -> None:
        self._items.append((frame, recv_ns))
        self._bytes += len(frame)
        self._filled.set()

    def _full(self) -> bool:
        return bool(self._items) and (
            len(self._items) >= self._most_frames or self._bytes >= self._most_bytes
        )


class EventBuffer:
    """Events that wait to be taken, all at once. Full at `most_rows` rows."""

    def __init__(self, most_rows: int) -> None:
        self.taken: Callable[[], None] = _nobody
        """Called whenever the events were taken."""
        self._most_rows = most_rows
        self._events: list[Event] = []
        self._rows = 0
        self._closed = False
        self._filled = asyncio.Event()
        self._emptied = asyncio.Event()

    @property
    def rows(self) -> int:
        """Rows that wait; an event without rows counts as one."""
        return self._rows

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

    async def room(self, most_rows: int = 0) -> None:
        """Return once fewer rows than that wait; without a number, once the buffer is not full."""
        while self._rows >= (most_rows or self._most_rows):
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
        self.taken()
        return events

    def close(self) -> None:
        """No more events will come; those that wait can still be taken."""
        self._closed = True
        self._filled.set()


def _nobody() -> None:
    pass
