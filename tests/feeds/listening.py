"""Helpers to listen to a playback and to wait without sleeping for luck."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve

from gexterm.clock import ManualClock
from gexterm.feeds.protocol import FeedProtocol
from gexterm.feeds.runner import FeedRunner, RunnerSettings
from gexterm.market.events import (
    ClockTick,
    Event,
    FeedReport,
    FeedStatus,
    SourceInfo,
    Trades,
    UnderlyingPrice,
)
from gexterm.recording.writer import Writer
from tests.recording.made import INFO, OPEN


def recorded(path: Path, stream: list[Event], **options: object) -> Path:
    with Writer(path, INFO, ManualClock(OPEN), **options) as writer:  # type: ignore[arg-type]
        for event in stream:
            writer.write(event)
    return path


def market(events: list[Event]) -> list[Event]:
    """What the market said: no ticks, no words about the connection."""
    return [e for e in events if not isinstance(e, ClockTick | FeedStatus | SourceInfo)]


def statuses(events: list[Event]) -> list[FeedStatus]:
    """What was said of the connection; that a state is whole is no such word."""
    return [e for e in events if isinstance(e, FeedStatus) and "whole" not in e.detail]


QUICK = RunnerSettings(open_timeout_s=2.0, close_timeout_s=0.2)


async def until(condition: Callable[[], bool], within_s: float = 60.0) -> None:
    """Return once the condition holds; a test that waits in vain fails."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 (anything may make it true)
            await asyncio.sleep(0.001)


class Venue:
    """A server whose every connection is handled by the next of some scripts."""

    def __init__(self, *scripts: Callable[[ServerConnection], Awaitable[None]]) -> None:
        self._scripts = list(scripts)
        self.heard: list[Any] = []
        self.connections = 0
        self.port = 0

    async def __aenter__(self) -> Venue:
        self._server: Server = await serve(
            self._handle, "127.0.0.1", 0, compression=None, close_timeout=0.2
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _handle(self, connection: ServerConnection) -> None:
        script = self._scripts[min(self.connections, len(self._scripts) - 1)]
        self.connections += 1
        with contextlib.suppress(Exception):
            await script(connection)

    async def listen(self, connection: ServerConnection) -> None:
        """Hear whatever comes, until the client leaves."""
        async for message in connection:
            self.heard.append(message)


class Taker:
    """A running runner, and everything it has said."""

    def __init__(self, runner: FeedRunner) -> None:
        self.runner = runner
        self.events: list[Event] = []
        self.batches = 0
        self.done = False

    @property
    def prices(self) -> list[float]:
        return [event.price for event in self.events if isinstance(event, UnderlyingPrice)]

    @property
    def sizes(self) -> list[float]:
        """Of the prints, in order."""
        return [s for e in self.events if isinstance(e, Trades) for s in e.size.tolist()]

    @property
    def reports(self) -> list[FeedReport]:
        return [event for event in self.events if isinstance(event, FeedReport)]

    @property
    def ticks(self) -> list[int]:
        return [event.ts for event in self.events if isinstance(event, ClockTick)]

    @property
    def told(self) -> list[FeedStatus]:
        return statuses(self.events)

    async def take(self) -> None:
        async for batch in self.runner.events():
            assert batch
            self.batches += 1
            self.events += batch
        self.done = True


@contextlib.asynccontextmanager
async def taking(
    protocol: FeedProtocol, clock: Any, settings: RunnerSettings = QUICK, **more: Any
) -> AsyncIterator[Taker]:
    async with FeedRunner(
        protocol, clock, rng=random.Random(1), settings=settings, **more
    ) as runner:
        taker = Taker(runner)
        task = asyncio.create_task(taker.take())
        yield taker
        await runner.close()
        await task


async def seconds(clock: ManualClock, count: int) -> None:
    """Let so many seconds pass, each heard by whoever waits for it."""
    for _ in range(10 * count):
        waiting = clock.sleepers
        clock.advance(0.1)
        due = [when for when in waiting if when <= clock.now_ns()]
        await until(lambda due=due: not any(when in clock.sleepers for when in due))
        for _ in range(10):
            await asyncio.sleep(0)


async def next_try(clock: ManualClock) -> None:
    """Let the time pass that the runner waits before it tries again."""
    await until(lambda: bool(clock.sleepers))
    clock.set(clock.sleepers[-1])


def says(*words: str) -> Callable[[ServerConnection], Awaitable[None]]:
    async def script(connection: ServerConnection) -> None:
        for word in words:
            await connection.send(word)
        async for _ in connection:
            pass

    return script
