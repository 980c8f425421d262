"""A protocol in the real runner, over real sockets, on a clock that a test moves."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from gexterm.clock import ManualClock
from gexterm.feeds.protocol import FeedProtocol
from gexterm.feeds.refeed import refeed
from gexterm.feeds.runner import FeedRunner, RunnerSettings
from gexterm.feeds.secrets import redactor
from gexterm.feeds.tap import Tap
from gexterm.market.chain import Chain
from gexterm.market.events import (
    ClockTick,
    Definitions,
    Event,
    FeedReport,
    FeedStatus,
    OpenInterest,
    Quotes,
    UnderlyingPrice,
    Volume,
)
from gexterm.market.settlement import expiry_of
from gexterm.recording.frames import Frames
from gexterm.recording.recorder import Recorder, RecorderSettings
from tests.recording.made import same_all

E = TypeVar("E", bound=Event)


class Driven:
    """Runs until a condition holds; what was told is in `events`."""

    def __init__(
        self,
        protocol: FeedProtocol,
        start_ns: int,
        settings: RunnerSettings | None = None,
        tap: Tap | None = None,
    ) -> None:
        self.clock = ManualClock(start_ns)
        self.events: list[Event] = []
        self.chain = Chain(expiry_of)
        """What the market said, applied."""
        self.runner = FeedRunner(
            protocol,
            self.clock,
            rng=random.Random(1),
            settings=settings or RunnerSettings(),
            tap=tap,
        )
        self._taking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.runner.__aenter__()
        self._taking = asyncio.create_task(self._take())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.runner.close()
        if self._taking is not None:
            await self._taking

    async def _take(self) -> None:
        async for batch in self.runner.events():
            for event in batch:
                self.events.append(event)
                if isinstance(
                    event, Definitions | Quotes | OpenInterest | Volume | UnderlyingPrice
                ):
                    self.chain.apply(event)

    @property
    def ended(self) -> bool:
        """Whether the runner has given up."""
        return self._taking is not None and self._taking.done()

    @property
    def states(self) -> list[str]:
        """What was said of the connection, repetitions left out."""
        said = [event.state for event in self.events if isinstance(event, FeedStatus)]
        return [s for i, s in enumerate(said) if not i or said[i - 1] != s]

    @property
    def said(self) -> str:
        """Every word about the connection."""
        words = [event.message for event in self.events if isinstance(event, FeedStatus)]
        return "\n".join(words)

    @property
    def report(self) -> FeedReport:
        """The last one."""
        return self.of(FeedReport)[-1]

    def of(self, kind: type[E]) -> list[E]:
        """The events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, condition: Callable[[], bool], moving: float = 0.0) -> None:
        """Return once the condition holds; the clock moves by `moving` seconds at a time."""
        async with asyncio.timeout(60):
            while not condition():
                if moving:
                    self.clock.advance(moving)
                # A turn of the loop for each hop of a message, and time for the socket.
                for _ in range(20):
                    await asyncio.sleep(0)
                await asyncio.sleep(0.001)


def kept(folder: Path) -> Recorder:
    """A recorder of raw frames on a clock that stands still."""
    easy = RecorderSettings(min_free_bytes=0)
    return Recorder(folder, "fake", "SPX", ManualClock(), easy, redact=redactor.bytes)


def same_again(recorder: Recorder, fresh: FeedProtocol, heard: list[Event]) -> None:
    """The raw frames of a session, through a fresh protocol, are what was heard."""
    assert recorder.trouble == "" and recorder.frames_path is not None
    own = ClockTick | FeedStatus | FeedReport
    with Frames(recorder.frames_path) as raw:
        again: list[Event] = [event for event in refeed(raw, fresh) if not isinstance(event, own)]
        assert not raw.warnings
    wanted: list[Event] = [event for event in heard if not isinstance(event, own)]
    assert wanted and same_all(again, wanted)
