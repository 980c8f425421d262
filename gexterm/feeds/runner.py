"""The one runner that owns a feed's connection, whatever the protocol.

Three tasks, so that a busy moment never makes us the slow reader:

    reading   awaits the socket and puts frames, with their receipt time, on a queue
    parsing   takes them off, asks the protocol what they say, sends its answers
    timing    lets the protocol do what is due, notices silence

Whoever iterates over `events` takes all that was parsed since the last time, as one
batch. Both buffers are bounded. When the taker is slow, parsing waits; when the queue
of frames is full, reading waits for a lossless sender, and for a venue drops the new
frame, counts it and says so.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from types import TracebackType

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from gexterm.clock import NS, Clock
from gexterm.errors import GextermError, InputError
from gexterm.feeds.buffers import EventBuffer, FrameQueue
from gexterm.feeds.protocol import Command, FeedProtocol, Frame
from gexterm.feeds.retry import Retry, Stop, classify, delay_s
from gexterm.market.events import Event, FeedState, FeedStatus
from gexterm.recording import codec

_log = logging.getLogger(__name__)
# Without a handler of any kind, Python would print to the terminal we draw on.
_log.addHandler(logging.NullHandler())

_PARSE_BURST = 64
"""Frames parsed before others get a turn."""


@dataclass(frozen=True, slots=True)
class RunnerSettings:
    """How patient a runner is, and how much it holds."""

    open_timeout_s: float = 10.0
    """Seconds for a connection to stand, handshake included."""
    ping_s: float = 20.0
    """Seconds between keep-alive pings."""
    pong_s: float = 20.0
    """Seconds for the answer, after which the connection counts as broken."""
    close_timeout_s: float = 2.0
    """Seconds for the other side to say good-bye."""
    retry_first_s: float = 0.5
    """Seconds before the first retry, doubled with each further one."""
    retry_most_s: float = 30.0
    """Seconds between retries, at most."""
    settled_s: float = 10.0
    """A connection that lasted this long sets the retries back to the first."""
    tries: int | None = None
    """Failed attempts in a row before giving up; None: never."""
    stale_s: float | None = None
    """Seconds without any frame after which the feed is called stale; None: never."""
    max_message: int = codec.MAX_FRAME
    """Most bytes of one message."""
    queue_frames: int = 10_000
    """Most frames that wait to be parsed."""
    queue_bytes: int = 64 * 1024 * 1024
    """Most bytes of them."""
    pending_rows: int = 1_000_000
    """Rows of events that wait to be taken, beyond which parsing waits."""
    proxy: bool = False
    """Whether to use the system's proxy. Never for a replay on this machine."""


@dataclass(slots=True)
class FeedCounters:
    """What a runner has seen so far."""

    frames: int = 0
    """Frames received."""
    bytes: int = 0
    """Bytes received."""
    rows: int = 0
    """Rows of quotes, trades, … parsed."""
    dropped: int = 0
    """Frames dropped because the queue was full."""
    malformed: int = 0
    """Frames that made no sense."""
    connects: int = 0
    """Connections that stood."""
    reconnects: int = 0
    """Connections that stood after an earlier one had."""
    last_error: str = ""
    """The last thing that went wrong."""
    last_frame: int = 0
    """Receipt time of the last frame, ns; 0 before the first."""


class FeedRunner:
    """Keeps a feed connected; `events` yields what it says. An async context manager.

    `rng` is where the jitter of the retries comes from. When there is no point in
    going on, the last batch holds a FeedStatus that says why and `events` ends.
    """

    def __init__(
        self,
        protocol: FeedProtocol,
        clock: Clock,
        *,
        rng: random.Random,
        settings: RunnerSettings | None = None,
    ) -> None:
        self.counters = FeedCounters()
        self._protocol = protocol
        self._clock = clock
        self._rng = rng
        self._settings = settings or RunnerSettings()
        self._buffer = EventBuffer(self._settings.pending_rows)
        self._connection: ClientConnection | None = None
        self._stood_at: int | None = None
        self._stale = False
        self._told_dropped = 0
        self._told_malformed_at: int | None = None
        self._task: asyncio.Task[None] | None = None
        self._leaving = False

    async def __aenter__(self) -> FeedRunner:
        self._task = asyncio.create_task(self._run(), name=f"feed {self._protocol.name}")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def events(self) -> AsyncIterator[list[Event]]:
        """Batches of events, until the feed is closed or gives up. For one taker."""
        while (batch := await self._buffer.take()) is not None:
            yield batch

    async def send(self, command: Command) -> None:
        """Ask something of the feed. Without a connection it is lost, as a key press is."""
        await self._send(self._protocol.send(command))

    async def close(self) -> None:
        """Hang up and end `events`. Harmless when repeated."""
        self._leaving = True
        if self._connection is not None:
            # Left to the cancellation below, the other side would hear of an error (1011).
            with contextlib.suppress(Exception):
                await self._connection.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._buffer.close()

    async def _run(self) -> None:
        """Connect, and again, until it makes no sense any more."""
        failures = 0
        try:
            while True:
                self._stood_at = None
                if not failures:
                    self._tell("reconnecting" if self.counters.connects else "connecting")
                verdict = await self._until_it_breaks()
                if self._leaving:
                    return
                self.counters.last_error = verdict.reason
                failures = 1 if self._settled() else failures + 1
                said = f"{self._protocol.name}: {verdict.reason}"
                if isinstance(verdict, Stop):
                    self._tell("refused", f"{said}; {verdict.hint}" if verdict.hint else said)
                    return
                if self._settings.tries is not None and failures >= self._settings.tries:
                    tries = "the first try" if failures == 1 else f"{failures} tries"
                    self._tell("closed", f"{said}; gave up after {tries}", tries=failures)
                    return
                wait_s = delay_s(
                    failures, self._rng, self._settings.retry_first_s, self._settings.retry_most_s
                )
                said = f"{said}; next try in {wait_s:.1f} s"
                self._tell("reconnecting", said, tries=failures, retry_in_s=wait_s)
                await self._clock.sleep_until(self._clock.now_ns() + round(wait_s * NS))
        finally:
            self._buffer.close()

    async def _until_it_breaks(self) -> Retry | Stop:
        try:
            await self._connect_once()
        except Exception as error:
            _log.debug("%s: %r", self._protocol.name, error)
            return classify(error)
        return classify(EOFError())

    def _settled(self) -> bool:
        """Whether the connection that just ended had lasted."""
        if self._stood_at is None:
            return False
        return self._clock.now_ns() - self._stood_at >= self._settings.settled_s * NS

    async def _connect_once(self) -> None:
        """One connection, from handshake to its end, which is an exception."""
        settings = self._settings
        async with connect(
            self._protocol.connect_url(),
            open_timeout=settings.open_timeout_s,
            ping_interval=settings.ping_s,
            ping_timeout=settings.pong_s,
            close_timeout=settings.close_timeout_s,
            max_size=settings.max_message,
            compression=None,
            proxy=True if settings.proxy else None,
            logger=_log,
        ) as connection:
            now = self._clock.now_ns()
            self._connection, self._stood_at, self._stale = connection, now, False
            self.counters.last_frame = now
            self.counters.reconnects += self.counters.connects > 0
            self.counters.connects += 1
            try:
                await self._send(self._protocol.on_open())
                self._tell("live")
                await self._listen(connection)
            finally:
                self._connection = None

    async def _listen(self, connection: ClientConnection) -> None:
        queue = FrameQueue(self._settings.queue_frames, self._settings.queue_bytes)
        reading = asyncio.create_task(self._read(connection, queue))
        parsing = asyncio.create_task(self._parse(queue))
        timing = asyncio.create_task(self._time())
        tasks = [reading, parsing, timing]
        try:
            # Parsing ends after reading did, so that what arrived last still counts.
            done, _ = await asyncio.wait([parsing, timing], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            await reading
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, connection: ClientConnection, queue: FrameQueue) -> None:
        """Put frames on the queue, and do nothing else."""
        counters = self.counters
        try:
            while True:
                frame = await connection.recv(decode=False)
                now = self._clock.now_ns()
                counters.frames += 1
                counters.bytes += len(frame)
                counters.last_frame = now
                if queue.offer(frame, now):
                    continue
                if self._protocol.lossless:
                    await queue.put(frame, now)
                else:
                    counters.dropped += 1
        finally:
            queue.close()

    async def _parse(self, queue: FrameQueue) -> None:
        """Ask the protocol what frames say, until no more come."""
        number = 0
        while (item := await queue.get()) is not None:
            number += 1
            if self._stale:
                self._stale = False
                self._tell("live")
            try:
                events = self._protocol.receive(*item)
            except GextermError as error:
                if not isinstance(error, InputError):
                    raise
                self._malformed(number, len(item[0]), error.message)
                continue
            except Exception as error:
                # A frame nobody foresaw. The feed is hostile; the monitor goes on.
                self._malformed(number, len(item[0]), f"{type(error).__name__}: {error}")
                continue
            self.counters.rows += self._buffer.add(events)
            await self._send(self._protocol.outgoing())
            await self._buffer.room()
            if number % _PARSE_BURST == 0:
                await asyncio.sleep(0)

    async def _time(self) -> None:
        """Once a second: what is due by the protocol, silence, drops."""
        while True:
            await self._clock.sleep_until(self._clock.now_ns() + NS)
            now = self._clock.now_ns()
            await self._send(self._protocol.on_timer(now))
            silent_s = (now - self.counters.last_frame) / NS
            if not self._stale and silent_s > (self._settings.stale_s or float("inf")):
                self._stale = True
                said = f"{self._protocol.name}: nothing has come for {silent_s:.0f} s"
                self._tell("stale", said, silent_s=silent_s)
            if self.counters.dropped > self._told_dropped:
                self._told_dropped = self.counters.dropped
                said = (
                    f"{self._protocol.name}: {self._told_dropped} frames dropped, we are too slow"
                )
                self._tell("live", said, dropped=self._told_dropped)

    async def _send(self, frames: list[Frame]) -> None:
        for frame in frames:
            connection = self._connection
            if connection is None:
                return
            # That the connection broke, the reading task hears as well and tells why.
            with contextlib.suppress(ConnectionClosed):
                await connection.send(frame)

    def _malformed(self, number: int, size: int, message: str) -> None:
        self.counters.malformed += 1
        said = f"{self._protocol.name}: frame {number} ({size} bytes) makes no sense: {message}"
        self.counters.last_error = codec.text(said)
        now = self._clock.now_ns()
        if self._told_malformed_at is None or now - self._told_malformed_at >= NS:
            self._told_malformed_at = now
            self._tell("live", self.counters.last_error, malformed=self.counters.malformed)

    def _tell(self, state: FeedState, message: str = "", **detail: float) -> None:
        self._buffer.add([FeedStatus(state, codec.text(message), dict(detail))])
