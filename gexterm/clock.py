"""Time, handed in.

Nothing in gexterm asks the operating system for the time. A live session runs
on `SystemClock`, a test on `ManualClock`, a replay on `ScaledClock`: the same
code at another speed.
"""

from __future__ import annotations

import asyncio
import math
import time
from typing import Any, Protocol

NS = 1_000_000_000
"""Nanoseconds in a second."""


class Clock(Protocol):
    """What the rest of the program knows of time."""

    def now_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC, in this clock's own time."""
        ...

    async def sleep_until(self, when_ns: int) -> None:
        """Return once `now_ns() >= when_ns`, at once when it already is."""
        ...


class SystemClock:
    """The clock on the wall."""

    def now_ns(self) -> int:
        """Nanoseconds since 1970 UTC, as the operating system has it."""
        return time.time_ns()

    async def sleep_until(self, when_ns: int) -> None:
        """Sleep until then."""
        # The timer runs on another clock than the wall's, which may be set meanwhile.
        while (left := when_ns - self.now_ns()) > 0:  # noqa: ASYNC110 (nobody signals time)
            await asyncio.sleep(left / NS)


class ManualClock:
    """A clock that moves only when it is told to; for tests."""

    def __init__(self, start_ns: int = 0) -> None:
        self._now = start_ns
        self._sleepers: list[tuple[int, asyncio.Future[None]]] = []

    def now_ns(self) -> int:
        """Where the clock was last put, ns."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move forward, waking whoever sleeps until then or earlier."""
        self.set(self._now + round(seconds * NS))

    def set(self, now_ns: int) -> None:
        """Jump to a time, earlier ones included."""
        self._now = now_ns
        for when, future in sorted(self._sleepers, key=lambda sleeper: sleeper[0]):
            if when <= now_ns and not future.done():
                future.set_result(None)

    @property
    def sleepers(self) -> tuple[int, ...]:
        """For when somebody sleeps, ns, soonest first. A test waits for it, then moves on."""
        return tuple(sorted(when for when, future in self._sleepers if not future.done()))

    async def sleep_until(self, when_ns: int) -> None:
        """Wait until somebody moves the clock there."""
        if when_ns <= self._now:
            await asyncio.sleep(0)
        while when_ns > self._now:
            sleeper = (when_ns, asyncio.get_running_loop().create_future())
            self._sleepers.append(sleeper)
            try:
                await sleeper[1]
            finally:
                self._sleepers.remove(sleeper)


class ScaledClock:
    """Another clock, shifted and sped up: `speed` of its seconds pass per second.

    Pausing, a new speed and a seek keep the reading continuous: time never jumps
    except where `seek` says so. `speed` must be finite and above zero (ValueError):
    a clock that stands still is a paused one.
    """

    def __init__(self, base: Clock, start_ns: int, speed: float = 1.0) -> None:
        self._base = base
        self._speed = _valid(speed)
        self._anchor_base = base.now_ns()
        self._anchor = start_ns
        self._paused = False
        self._changed = asyncio.Event()

    @property
    def speed(self) -> float:
        """Seconds of this clock per second of the base clock."""
        return self._speed

    @property
    def paused(self) -> bool:
        """Whether the clock stands still."""
        return self._paused

    def now_ns(self) -> int:
        """This clock's own time, ns."""
        if self._paused:
            return self._anchor
        return self._anchor + round((self._base.now_ns() - self._anchor_base) * self._speed)

    def set_speed(self, speed: float) -> None:
        """Run at another speed from here on."""
        _valid(speed)
        self._move(self.now_ns())
        self._speed = speed

    def pause(self) -> None:
        """Stand still."""
        self._move(self.now_ns())
        self._paused = True

    def resume(self) -> None:
        """Go on from where the clock stands."""
        self._move(self.now_ns())
        self._paused = False

    def seek(self, when_ns: int) -> None:
        """Jump to a time."""
        self._move(when_ns)

    def _move(self, when_ns: int) -> None:
        self._anchor = when_ns
        self._anchor_base = self._base.now_ns()
        # Sleepers have to work out anew how long is left.
        self._changed.set()
        self._changed = asyncio.Event()

    async def sleep_until(self, when_ns: int) -> None:
        """Sleep until this clock shows `when_ns`, through pauses and new speeds."""
        while (left := when_ns - self.now_ns()) > 0:
            changed = asyncio.create_task(self._changed.wait())
            waits: list[asyncio.Task[Any]] = [changed]
            if not self._paused:
                due = self._base.now_ns() + int(left / self._speed) + 1
                waits.append(asyncio.create_task(self._base.sleep_until(due)))
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in waits:
                    task.cancel()
                await asyncio.gather(*waits, return_exceptions=True)


def _valid(speed: float) -> float:
    if not 0.0 < speed < math.inf:
        raise ValueError(f"a clock cannot run at {speed} times the speed of another")
    return speed
