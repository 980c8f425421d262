"""The line between a client and a fake venue, and everything that can happen to a line.

A TCP proxy on the loopback: clients connect to the line, the line to the venue. It knows
nothing of what it carries. By default it is a good line; told to, it is cut (at once, or
after so many bytes, which may be in the middle of a frame), freezes without being closed
(half-open: both sides believe in it, neither hears anything), thaws, is slow, delivers in
small pieces, or refuses.

    async with FakeDeribit() as venue, Line(venue.port) as line:
        protocol = make(url=line.url("/ws/api/v2"))
        line.cut_after(1000)
        ...
        await until(lambda: line.cuts == 1)
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Self

_CHUNK = 1 << 16


class Line:
    """A line to `127.0.0.1:to`. An async context manager; `port` is its own end."""

    def __init__(self, to: int) -> None:
        self.to = to
        """The venue's port; may be changed, for connections to come."""
        self.port = 0
        """The port to connect to."""
        self.connections = 0
        """Connections ever accepted."""
        self.cuts = 0
        """Connections cut by `cut` or `cut_after`."""
        self.down = 0
        """Bytes delivered to clients."""
        self.up = 0
        """Bytes delivered to the venue."""
        self.delay_s = 0.0
        """Seconds by which every delivery to a client is late."""
        self.piece = 0
        """Most bytes delivered to a client at a time; 0: as they come."""
        self._server: asyncio.Server | None = None
        self._flows = asyncio.Event()
        self._flows.set()
        self._cut_at: int | None = None
        self._pairs: set[_Pair] = set()
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def open(self) -> int:
        """Connections that stand now."""
        return len(self._pairs)

    def url(self, path: str = "", scheme: str = "ws") -> str:
        """The address of a path, through this line."""
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    def cut(self) -> None:
        """Cut every connection, now, both ways."""
        for pair in list(self._pairs):
            self.cuts += 1
            pair.end()

    def cut_after(self, down: int) -> None:
        """Cut the connection over which the next so many bytes have come to clients.

        The bytes before the cut do arrive. Counts from now; once, then the line is good.
        """
        self._cut_at = self.down + down

    def freeze(self) -> None:
        """Carry nothing in either direction, on old connections and new ones; close nothing."""
        self._flows.clear()

    def thaw(self) -> None:
        """Carry again, beginning with what was held back."""
        self._flows.set()

    async def refuse(self) -> None:
        """Cut everything, and let nobody connect: connections are refused."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()

    async def allow(self) -> None:
        """Let clients connect again, on the same port."""
        if self._server is None:
            self._server = await asyncio.start_server(
                self._accepted, "127.0.0.1", self.port, limit=_CHUNK
            )
            self.port = self._server.sockets[0].getsockname()[1]

    async def __aenter__(self) -> Self:
        await self.allow()
        return self

    async def __aexit__(self, *_: Any) -> None:
        if self._server is not None:
            self._server.close()
        for pair in list(self._pairs):
            pair.end()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # What was aborted is closed one turn later.
        await asyncio.sleep(0)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            # A cancelled handler would be reported as an error by the stream's own callback.
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await self._carry(reader, writer)
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._flows.wait()
        there = await asyncio.open_connection("127.0.0.1", self.to, limit=_CHUNK)
        pair = _Pair(writer, there[1])
        self._pairs.add(pair)
        ways = [
            asyncio.create_task(self._down(there[0], writer, pair)),
            asyncio.create_task(self._up(reader, there[1])),
        ]
        try:
            # When one side has said all it had to say, so has the line.
            await asyncio.wait([*ways, pair.ended], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self._pairs.discard(pair)
            pair.end()
            there[1].transport.abort()

    async def _down(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, pair: _Pair
    ) -> None:
        while True:
            data = await self._read(reader)
            if not data:
                await _closed(writer)
                return
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            while data:
                size = min(self.piece or len(data), len(data))
                if self._cut_at is not None:
                    size = min(size, self._cut_at - self.down)
                if size > 0:
                    writer.write(data[:size])
                    await writer.drain()
                    self.down += size
                    data = data[size:]
                if self._cut_at is not None and self.down >= self._cut_at:
                    self._cut_at = None
                    self.cuts += 1
                    await _closed(writer)
                    pair.end()
                    return
                if self.piece:
                    await asyncio.sleep(0)

    async def _up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await self._read(reader):
            writer.write(data)
            await writer.drain()
            self.up += len(data)
        writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> bytes:
        await self._flows.wait()
        data = await reader.read(_CHUNK)
        # It may have frozen while we read; an end is not to be seen through a frozen line either.
        await self._flows.wait()
        return data


async def _closed(writer: asyncio.StreamWriter) -> None:
    """Hang up, but not before everything written has arrived."""
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


class _Pair:
    """The two ends of one connection over the line."""

    def __init__(self, client: asyncio.StreamWriter, venue: asyncio.StreamWriter) -> None:
        self.client = client
        self.venue = venue
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def end(self) -> None:
        """Hang up on both."""
        self.client.transport.abort()
        self.venue.transport.abort()
        if not self.ended.done():
            self.ended.set_result(None)
