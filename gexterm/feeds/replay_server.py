"""A recording, offered on a local websocket: what `gexterm replay` and `demo` connect to."""

from __future__ import annotations

import asyncio
import logging
from types import TracebackType

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from gexterm.clock import Clock
from gexterm.errors import ConnectionFailedError, InputError, UsageError
from gexterm.feeds.playback import LOOK_BACK_S, Playback
from gexterm.feeds.replay_protocol import FASTEST, MAX_COMMAND, SLOWEST, decode_command, is_speed
from gexterm.recording.reader import Recording

_log = logging.getLogger(__name__)
# Without a handler of any kind, Python would print to the terminal we draw on.
_log.addHandler(logging.NullHandler())


class ReplayServer:
    """Serves a recording; every client has its own transport. An async context manager.

    `clock` is the time on the wall; `speed` how much faster the market runs (to begin
    with, as `paused`); `start_at` the position to begin at, ns (None: the beginning).
    `look_back_s` of market time before it are sent ahead in haste, None: everything.

    Raises UsageError for a speed that cannot be, RecordingError for a recording without
    events, and on entering ConnectionFailedError when the address cannot be had.
    """

    def __init__(
        self,
        recording: Recording,
        clock: Clock,
        speed: float = 1.0,
        *,
        start_at: int | None = None,
        look_back_s: float | None = LOOK_BACK_S,
        paused: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        if not is_speed(speed):
            raise UsageError(
                f"a replay cannot run at {speed:g} times the market's speed",
                f"choose from {SLOWEST:g} to {FASTEST:g}",
            )
        self._recording = recording
        self._clock = clock
        self._speed = speed
        self._start_at = start_at
        self._look_back_s = look_back_s
        self._paused = paused
        self._host = host
        self._port = port
        self._server: Server | None = None
        self._playback()  # an empty recording is told before anybody connects

    @property
    def port(self) -> int:
        """The port listened on."""
        return self._port

    @property
    def url(self) -> str:
        """Where clients connect."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"ws://{host}:{self._port}/"

    async def __aenter__(self) -> ReplayServer:
        try:
            self._server = await serve(
                self._serve,
                self._host,
                self._port,
                # Pages in a browser name their origin. They have no business here.
                origins=[None],
                compression=None,
                max_size=MAX_COMMAND,
                server_header=None,
                logger=_log,
            )
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ConnectionFailedError(
                f"cannot offer the replay on {self._host}:{self._port}: {reason}",
                "choose another port, or 0 for any that is free",
            ) from error
        self._port = next(iter(self._server.sockets)).getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def _playback(self) -> Playback:
        return Playback(
            self._recording,
            self._clock,
            self._speed,
            start_at=self._start_at,
            look_back_s=self._look_back_s,
            paused=self._paused,
        )

    async def _serve(self, connection: ServerConnection) -> None:
        playback = self._playback()
        listening = asyncio.create_task(_listen(connection, playback))
        try:
            async for message in playback.messages():
                # Waits while the client is slow: nothing piles up here.
                await connection.send(message)
        except ConnectionClosed:
            pass
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


async def _listen(connection: ServerConnection, playback: Playback) -> None:
    """Pass the client's commands on, until it leaves."""
    try:
        async for message in connection:
            try:
                playback.command(decode_command(message))
            except InputError as error:
                playback.notice(str(error), error=True)
    except ConnectionClosed:
        pass
    finally:
        playback.stop()
