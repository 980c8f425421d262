"""A hub's port: what a live session hears, for viewers on this machine.

Each viewer is sent what the log has from its beginning, in haste, and then what comes, at its
own pace. One that falls behind is told that it is catching up, so that it computes less; one
that takes nothing at all is cut off. Viewers say nothing: who does is cut off as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from gexterm.errors import ConnectionFailedError, GextermError, InputError
from gexterm.feeds.relay_log import RelayLog, Stretch
from gexterm.feeds.relay_protocol import MOST_HELLO, HubRecording, Welcome, told
from gexterm.market.events import FeedStatus
from gexterm.recording import codec

_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())
_mute = logging.Logger("gexterm.feeds.relay.wire")
"""The library logs messages, proofs included, wherever DEBUG is on. This one hears nothing."""
_mute.disabled = True

BEHIND_BYTES = 8 * 1024 * 1024
"""A viewer with more than this before it is told that it catches up."""
HELLO_S = 5.0
"""Seconds to prove oneself."""
HANG_S = 20.0
"""Seconds for a viewer to take a message."""
MOST_STRANGERS = 32
"""Connections that have not proved themselves, at once."""


class RelayServer:
    """Serves a log on the loopback. An async context manager.

    `port` 0 is any free one. Raises ConnectionFailedError where it cannot be had.
    """

    def __init__(
        self,
        log: RelayLog,
        secret: bytes,
        *,
        port: int = 0,
        host: str = "127.0.0.1",
        hello_s: float = HELLO_S,
        hang_s: float = HANG_S,
        behind_bytes: int = BEHIND_BYTES,
    ) -> None:
        self.viewers = 0
        """Those let in who are there."""
        self.recording = HubRecording()
        """How the recording goes; `tell_recording` changes it."""
        self._log = log
        self._secret = secret
        self._host, self._port = host, port
        self._hello_s, self._hang_s = hello_s, hang_s
        self._behind = behind_bytes
        self._strangers = 0
        self._server: Server | None = None

    @property
    def url(self) -> str:
        """Where viewers connect."""
        return f"ws://{self._host}:{self._port}/"

    async def __aenter__(self) -> RelayServer:
        try:
            self._server = await serve(
                self._serve,
                self._host,
                self._port,
                origins=[None],  # pages in a browser have no business here
                compression=None,
                max_size=MOST_HELLO,
                server_header=None,
                logger=_mute,
            )
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ConnectionFailedError(
                f"cannot share the session on {self._host}:{self._port}: {reason}"
            ) from error
        self._port = next(iter(self._server.sockets)).getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        self._log.close()

    def tell_recording(self, recording: HubRecording) -> None:
        """Say how the recording goes, if it goes otherwise than said last."""
        if recording != self.recording:
            self.recording = recording
            self._log.wake()

    async def _serve(self, connection: ServerConnection) -> None:
        if self._strangers >= MOST_STRANGERS:
            return
        self._strangers += 1
        try:
            admitted = await self._admits(connection)
        finally:
            self._strangers -= 1
        if not admitted:
            with contextlib.suppress(ConnectionClosed):
                await connection.close(1008, "not known here")
            return
        self.viewers += 1
        listening = asyncio.create_task(_listen(connection))
        telling = asyncio.create_task(_Telling(self, self._log, connection).run())
        try:
            await asyncio.wait([listening, telling], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.viewers -= 1
            for task in (listening, telling):
                task.cancel()
            await asyncio.gather(listening, telling, return_exceptions=True)

    async def _admits(self, connection: ServerConnection) -> bool:
        welcome = Welcome(self._secret)
        try:
            async with asyncio.timeout(self._hello_s):
                hello = await connection.recv(decode=False)
                await connection.send(welcome.answer(hello).decode())
                return welcome.admits(await connection.recv(decode=False))
        except (InputError, TimeoutError, ConnectionClosed):
            return False

    async def send(self, connection: ServerConnection, message: bytes) -> None:
        """Send a message, to one who takes it in time. Raises ConnectionClosed, TimeoutError."""
        async with asyncio.timeout(self._hang_s):
            # A message beginning with a brace is JSON, and as such a text.
            await connection.send(message.decode() if message[:1] == b"{" else message)

    @property
    def behind_bytes(self) -> int:
        """How far a viewer may be behind before it is told so."""
        return self._behind


class _Telling:
    """One viewer's way through the log."""

    def __init__(self, server: RelayServer, log: RelayLog, connection: ServerConnection) -> None:
        self._server, self._log, self._connection = server, log, connection
        self._stretch: Stretch | None = None
        self._place = 0
        self._catching_up = False
        self._said: FeedStatus | None = None
        self._recording: HubRecording | None = None

    async def run(self) -> None:
        """Tell, until the viewer is gone or hangs."""
        try:
            while True:
                changed = asyncio.ensure_future(self._log.changed())
                await asyncio.sleep(0)  # it waits now: what comes meanwhile is not missed
                try:
                    await self._tell_all()
                    await changed
                finally:
                    changed.cancel()
        except ConnectionClosed:
            return
        except TimeoutError:
            _log.info("a viewer that took nothing was cut off")
            self._connection.transport.abort()
        except GextermError as error:
            await self._status(FeedStatus("refused", error.message))
            await self._connection.close(1011, error.message[:100])

    async def _tell_all(self) -> None:
        """Everything there is, to the end of the log as it is then."""
        if self._recording != self._server.recording:
            self._recording = self._server.recording
            await self._send(told(recording=self._recording))
        if self._stretch is None and not await self._begin():
            return
        while (stretch := self._stretch) is not None:
            left = stretch.ends - self._place
            if not self._catching_up and left > self._server.behind_bytes:
                await self._catch_up()
            if left:
                await self._tell_some(stretch)
            elif stretch.next is not None:
                # Heard to its end: the state at the beginning of the next is known already.
                self._stretch, self._place = stretch.next, 0
                await self._hand_out(stretch.next)
            else:
                break
        if self._catching_up:
            self._catching_up = False
            await self._status(self._log.status, catching_up=False)

    async def _begin(self) -> bool:
        """The newest stretch, from its beginning; whether there is one."""
        stretch = self._log.newest
        if stretch is None:
            if self._log.status is not self._said:
                self._said = self._log.status
                await self._status(self._log.status)
            return False
        self._stretch, self._place = stretch, 0
        await self._hand_out(stretch)
        for piece in stretch.preface:
            await self._send(piece)
        await self._catch_up()
        return True

    async def _hand_out(self, stretch: Stretch) -> None:
        if stretch.handout:
            await self._send(stretch.handout)

    async def _catch_up(self) -> None:
        self._catching_up = True
        await self._status(
            FeedStatus("connecting", "catching up with the shared session"), catching_up=True
        )

    async def _tell_some(self, stretch: Stretch) -> None:
        place = self._place
        if place < stretch.sealed:
            data = await asyncio.to_thread(self._log.read, stretch, place)
        else:
            data = self._log.read(stretch, place)
        self._place = place + len(data)
        await self._send(_as_past(data) if self._catching_up else data)

    async def _status(self, status: FeedStatus, **more: bool) -> None:
        shown = FeedStatus(status.state, status.message, status.detail | more)
        await self._send(codec.encode(shown, 0))

    async def _send(self, message: bytes) -> None:
        await self._server.send(self._connection, message)


def _as_past(data: bytes) -> bytes:
    """What is over as what is over: a lost line of this morning is not lost now."""
    parts: list[bytes | memoryview] = []
    for frame in codec.frames(data):
        if frame.kind == codec.KIND_STATUS:
            status = codec.decode(frame)
            if isinstance(status, FeedStatus):
                said = f"earlier: {status.state} {status.message}".rstrip()
                past = FeedStatus(
                    "connecting", codec.text(said), {"recorded": status.state, "catching_up": True}
                )
                parts.append(codec.encode(past, frame.time))
                continue
        parts.append(frame.data)
    return b"".join(parts)


async def _listen(connection: ServerConnection) -> None:
    """Until the viewer leaves, or says something: there is nothing that it could say."""
    with contextlib.suppress(ConnectionClosed):
        async for _ in connection:
            await connection.close(1008, "viewers are told, and tell nothing")
            return
