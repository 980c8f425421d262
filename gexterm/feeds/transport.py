"""What a connection is to the runner: a websocket, a plain stream, or none at all.

Which one the scheme of the address says: `wss://` (and `ws://` on the loopback) is a
websocket, `tcp://host:port` a stream of bytes, and an empty address nothing but requests.
Certificates are always verified; there is no way to say otherwise.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from gexterm import __version__
from gexterm.errors import ConnectionFailedError
from gexterm.feeds.protocol import Frame
from gexterm.feeds.venue import is_loopback

_PIECE = 1 << 16
_mute = logging.Logger("gexterm.feeds.wire")
"""The library logs whole frames, keys included, wherever DEBUG is on. This one hears nothing:
it belongs to no tree of loggers, so that no setting can turn it on."""
_mute.disabled = True


@dataclass(frozen=True, slots=True)
class Patience:
    """How to connect, and how a connection is watched."""

    open_timeout_s: float = 10.0
    """Seconds for a connection to stand, handshake included."""
    ping_s: float = 20.0
    """Seconds between keep-alive pings."""
    pong_s: float = 20.0
    """Seconds for the answer, after which the connection counts as broken."""
    close_timeout_s: float = 2.0
    """Seconds for the other side to say good-bye."""
    max_message: int = 1 << 24
    """Most bytes of one message."""


class Transport(Protocol):
    """One connection."""

    asks: bool
    """Whether `alive` can tell."""
    whole: bool
    """Whether what comes makes sense only without a hole: read more slowly, never dropped."""

    async def recv(self) -> bytes:
        """The next frame. Raises whatever ended the connection."""
        ...

    async def send(self, frame: Frame) -> None:
        """Send a frame. That the connection broke, `recv` tells; this then does nothing."""
        ...

    async def alive(self) -> None:
        """Return once the other side has answered that it is there; maybe never."""
        ...

    async def close(self) -> None:
        """Say good-bye."""
        ...


def host_of(url: str) -> str:
    """Who is at an address, for a person; empty for none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def trusted() -> ssl.SSLContext:
    """Whom to trust: what this system trusts, and where it has no list, certifi's."""
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    if not (paths.cafile or paths.capath):
        import certifi

        context.load_verify_locations(certifi.where())
    return context


@contextlib.asynccontextmanager
async def opened(url: str, patience: Patience) -> AsyncIterator[Transport]:
    """A connection to an address, closed in the end.

    Raises ConnectionFailedError for an address that is none, or that is not safe to use;
    whatever the network raises otherwise (see `retry.classify`).
    """
    if not url:
        yield _Nothing()
        return
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if not host or parts.scheme not in ("ws", "wss", "tcp"):
        raise ConnectionFailedError("that is no address to connect to", "check the address")
    if parts.scheme == "tcp":
        if not port:
            raise ConnectionFailedError(f"the address of {host} names no port")
        async with _stream(host, port, patience) as transport:
            yield transport
        return
    local = is_loopback(host)
    if parts.scheme == "ws" and not local:
        raise ConnectionFailedError(
            f"ws:// to {host} would send everything in the clear", "use wss://"
        )
    secured: dict[str, Any] = {} if parts.scheme == "ws" else {"ssl": trusted()}
    async with _Connect(
        url,
        open_timeout=patience.open_timeout_s,
        ping_interval=patience.ping_s,
        ping_timeout=patience.pong_s,
        close_timeout=patience.close_timeout_s,
        max_size=patience.max_message,
        compression=None,
        proxy=None if local else True,
        **secured,
        user_agent_header=f"gexterm/{__version__}",
        logger=_mute,
    ) as connection:
        yield _Websocket(connection)


class _Connect(connect):
    """Goes where it was told to, and nowhere else."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class _Websocket:
    asks = True
    whole = False

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def recv(self) -> bytes:
        return await self._connection.recv(decode=False)

    async def send(self, frame: Frame) -> None:
        with contextlib.suppress(ConnectionClosed):
            await self._connection.send(frame)

    async def alive(self) -> None:
        await (await self._connection.ping())

    async def close(self) -> None:
        await self._connection.close()


class _Stream:
    asks = False
    whole = True

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def recv(self) -> bytes:
        if not (data := await self._reader.read(_PIECE)):
            raise EOFError
        return data

    async def send(self, frame: Frame) -> None:
        with contextlib.suppress(OSError):
            self._writer.write(frame.encode() if isinstance(frame, str) else frame)
            await self._writer.drain()

    async def alive(self) -> None:
        await asyncio.Future()

    async def close(self) -> None:
        self._writer.close()


@contextlib.asynccontextmanager
async def _stream(host: str, port: int, patience: Patience) -> AsyncIterator[_Stream]:
    async with asyncio.timeout(patience.open_timeout_s):
        reader, writer = await asyncio.open_connection(host, port, limit=1 << 20)
    wire: socket.socket = writer.get_extra_info("socket")
    # A stream has no pings of its own; the system's at least find a line that is gone.
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_KEEPIDLE"):
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, max(1, round(patience.ping_s)))
        wire.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(1, round(patience.pong_s / 4))
        )
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4)
    try:
        yield _Stream(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(patience.close_timeout_s):
                await writer.wait_closed()


class _Nothing:
    """No connection: requests only. It never breaks."""

    asks = True
    whole = True

    def __init__(self) -> None:
        self._ended = asyncio.Event()

    async def recv(self) -> bytes:
        await self._ended.wait()
        raise EOFError

    async def send(self, frame: Frame) -> None:
        raise ConnectionFailedError("there is no connection to send over")

    async def alive(self) -> None:
        """There is nobody to be away."""

    async def close(self) -> None:
        self._ended.set()
