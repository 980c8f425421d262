"""The line does what it is told, or fault tests would prove nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.feeds.listening import until
from tests.venues.line import Line


class Echo:
    """A server that repeats what it hears."""

    def __init__(self) -> None:
        self.hung_up = 0
        self.port = 0

    @contextlib.asynccontextmanager
    async def __call__(self) -> AsyncIterator[Echo]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError):
                while data := await reader.read(1000):
                    writer.write(data)
                    await writer.drain()
            self.hung_up += 1
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        yield self
        server.close()


@contextlib.asynccontextmanager
async def lined() -> AsyncIterator[tuple[Echo, Line]]:
    async with Echo()() as echo, Line(echo.port) as line:
        yield echo, line


async def test_a_good_line_carries_everything_both_ways():
    async with lined() as (echo, line):
        reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
        sent = bytes(range(256)) * 4000
        writer.write(sent)
        assert await reader.readexactly(len(sent)) == sent
        assert (line.connections, line.open, line.up, line.down) == (1, 1, len(sent), len(sent))
        writer.close()
        await until(lambda: echo.hung_up == 1 and line.open == 0)


@pytest.mark.parametrize("after", [0, 1, 7])
async def test_it_is_cut_after_exactly_so_many_bytes_and_then_good_again(after: int):
    async with lined() as (echo, line):
        line.cut_after(after)
        reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
        writer.write(b"0123456789")
        assert await reader.read() == b"0123456789"[:after]
        writer.close()
        await until(lambda: line.cuts == 1 and line.open == 0 and echo.hung_up == 1)
        reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
        writer.write(b"again")
        assert await reader.readexactly(5) == b"again"
        writer.close()


async def test_a_frozen_line_closes_nothing_and_thaws_with_what_it_held():
    async with lined() as (_, line):
        reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
        writer.write(b"a")
        assert await reader.readexactly(1) == b"a"
        line.freeze()
        writer.write(b"b")
        late, later = await asyncio.open_connection("127.0.0.1", line.port)
        later.write(b"c")
        for _ in range(50):
            await asyncio.sleep(0)
        assert (line.up, line.down) == (1, 1)
        assert not reader.at_eof()
        line.thaw()
        assert await reader.readexactly(1) == b"b"
        assert await late.readexactly(1) == b"c"
        writer.close()
        later.close()


async def test_a_cut_is_heard_by_both_sides():
    async with lined() as (echo, line):
        reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
        await until(lambda: line.open == 1)
        line.cut()
        with contextlib.suppress(ConnectionError):
            assert await reader.read() == b""
        await until(lambda: echo.hung_up == 1)
        assert line.cuts == 1
        writer.close()


async def test_it_refuses_until_it_is_told_to_allow():
    async with lined() as (_, line):
        await line.refuse()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", line.port)
        await line.allow()
        reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
        line.piece = 1
        writer.write(b"once more")
        assert await reader.readexactly(9) == b"once more"
        writer.close()
