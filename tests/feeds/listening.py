"""Helpers to listen to a playback and to wait without sleeping for luck."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from gexterm.clock import ManualClock
from gexterm.market.events import ClockTick, Event, FeedStatus, SourceInfo
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
    return [event for event in events if isinstance(event, FeedStatus)]


async def until(condition: Callable[[], bool], within_s: float = 10.0) -> None:
    """Return once the condition holds; a test that waits in vain fails."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 (anything may make it true)
            await asyncio.sleep(0.001)
