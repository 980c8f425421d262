"""One listener's way through a recording: what to send, and when. No sockets.

Every session begins with a SourceInfo, the state some time before the wanted
position, and what happened from there on, sent as fast as it is taken: so the
listener's look-back is filled before the first live second. Then events follow by the
clock, with a ClockTick several times a second between them.

A seek that leads back, or further ahead than the look-back reaches, begins a new
session. A shorter one ahead just hurries on. A listener that keeps its state at some of
the moments where it was told to be whole need not begin anew: it goes on from one of them.

Where a recording has marks, and the listener ticks as finely, a seek ends on a mark:
everything before it in haste, the mark itself at the market's pace, so that the listener
computes there what was computed then.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterator
from typing import Any

from gexterm.clock import NS, Clock, ScaledClock
from gexterm.errors import RecordingError
from gexterm.feeds.protocol import Command, Pause, Resume, Seek, SetSpeed, Step
from gexterm.market.events import (
    ClockTick,
    Event,
    FeedState,
    FeedStatus,
    SourceInfo,
    TickMark,
)
from gexterm.recording import codec
from gexterm.recording.reader import Recording

LOOK_BACK_S = 35 * 60.0
"""How much market time before the position is sent ahead, in haste."""
TICK_S = 0.1
"""Seconds on the wall between two ClockTicks."""
HASTE_TICK_S = 60.0
"""Market time between two ClockTicks at most: in haste, one each full minute."""
CHUNK = 256 * 1024
"""A message is closed once it has this many bytes."""
_NEAR = 60 * NS
"""How far from a place its mark is looked for, market time, ns."""
_FIRST_FRAMES = 500
"""Frames of a recording among which the first mark must be, if there are any."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Goal:
    """Where to go, and how."""

    to: int
    """Market time, ns."""
    through: bool = False
    """Whether nothing between may be left out."""
    held: tuple[int, ...] = ()
    """Moments that the listener can go on from, ns."""
    grid: int = 0
    """Distance of the listener's ticks, ns."""
    ticks: int = 0
    """So many ticks from `to`, where not 0."""
    anew: bool = False
    """Whether the listener waits for a new beginning."""


class Playback:
    """A transport over a recording; `messages` is what the listener gets.

    `look_back_s=None` sends everything from the recording's beginning, and so does a
    recording with a tape: a position is the sum of all prints since the open. `grid` is the
    distance of the listener's ticks, ns, where one of them shall fall on the start. Raises
    RecordingError when the recording holds no events.
    """

    def __init__(
        self,
        recording: Recording,
        clock: Clock,
        speed: float,
        *,
        start_at: int | None = None,
        look_back_s: float | None = LOOK_BACK_S,
        paused: bool = False,
        tick_s: float = TICK_S,
        follows: bool = False,
        grid: int = 0,
    ) -> None:
        if not recording.ends:
            raise RecordingError(
                f"{recording.path}: the recording holds no events", "there is nothing to replay"
            )
        self.idle = False
        """Whether there is nothing to send before the next tick or command."""
        self.follows = follows
        """Whether the recording is still being written, and what is added is played as well."""
        self._recording = recording
        whole = look_back_s is None or recording.info.has_tape
        self._look_back = None if whole else round((look_back_s or 0.0) * NS)
        self._tick = round(tick_s * NS)
        self._base = clock
        self._start = recording.begins if start_at is None else self._within(start_at)
        self._clock = ScaledClock(clock, self._start, speed)
        # It stands still until the listener has caught up.
        self._clock.pause()
        self._paused = paused
        self._target: _Goal | None = _Goal(self._start, grid=grid)
        self._mark_step: int | None = None
        self._stands = 0
        self._frames: Iterator[codec.Frame] = iter(())
        self._next: codec.Frame | None = None
        self._position = -1
        self._hurrying = True
        self._ended = False
        self._stopped = False
        self._notices: list[FeedStatus] = []
        self._wake = asyncio.Event()

    async def messages(self) -> AsyncIterator[bytes]:
        """Binary messages for the listener, each when it is due, until `stop`."""
        while not self._stopped:
            try:
                if self._target is not None:
                    target, self._target = self._target, None
                    async for message in self._move(target):
                        yield message
                        if self._interrupted():
                            break
                    continue
                now = self._within(self._clock.now_ns())
                if now > self._position:
                    self._stands = 0
                for message in self._advance(now):
                    yield message
                    await asyncio.sleep(0)
                    if self._interrupted():
                        break
                if self._all_sent() and not self._ended and not self._interrupted():
                    if self._growing():
                        continue
                    self._end("the recording ends here")
            except RecordingError as error:
                self._next = None
                self._end(str(error))
            self._wake.clear()
            if notices := self._take_notices():
                yield notices
            if not self._interrupted():
                await self._wait()

    def command(self, command: Command) -> None:
        """Do as the listener says."""
        if isinstance(command, Pause):
            self._paused = True
            self._clock.pause()
            self.notice()
        elif isinstance(command, Resume):
            self._paused = False
            if not (self._ended or self._hurrying):
                self._clock.resume()
            self.notice()
        elif isinstance(command, SetSpeed):
            self._clock.set_speed(command.speed)
            self.notice()
        elif isinstance(command, Seek):
            self._growing()
            to = self._within(command.ns)
            self._target = _Goal(to, command.through, command.held, command.grid, anew=command.anew)
        elif isinstance(command, Step) and command.ticks:
            self._growing()
            self._target = self._ticked(command)
        elif isinstance(command, Step):
            self._target = _Goal(self._within(self._stepped(command.seconds)))
        self._wake.set()

    def notice(self, message: str = "", **detail: float | str | bool) -> None:
        """Tell the listener how things stand, with a message."""
        self._notices.append(self._status(message, **detail))
        self._wake.set()

    def stop(self) -> None:
        """End `messages`."""
        self._stopped = True
        self._wake.set()

    def _interrupted(self) -> bool:
        return self._stopped or self._target is not None

    def _within(self, ns: int) -> int:
        return min(max(ns, self._recording.begins), self._recording.ends)

    def _ticked(self, step: Step) -> _Goal:
        """Where so many ticks lead. Those asked for before, and still under way, count."""
        before = self._target
        if before is not None:
            return dataclasses.replace(
                before,
                ticks=before.ticks + step.ticks,
                held=step.held,
                grid=step.grid,
                anew=before.anew or step.anew,
            )
        here = self._stands or step.ns or self._within(self._clock.now_ns())
        return _Goal(here, False, step.held, step.grid, step.ticks, step.anew)

    def _stepped(self, seconds: float | None) -> int:
        here = self._target.to if self._target is not None else self._clock.now_ns()
        if seconds is not None:
            return here + round(seconds * NS)
        return max(here, self._next.time) if self._next is not None else here

    async def _wait(self) -> None:
        """Until the next tick, or until something is wanted."""
        waits: list[asyncio.Task[Any]] = [asyncio.create_task(self._wake.wait())]
        if not self._clock.paused:
            due = self._base.now_ns() + self._tick
            waits.append(asyncio.create_task(self._base.sleep_until(due)))
        self.idle = True
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.idle = False
            for task in waits:
                task.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    async def _move(self, goal: _Goal) -> AsyncIterator[bytes]:
        """Go to a position: in haste from here, from a moment held, or in a new session."""
        self._hurrying = True
        self._ended = False
        self._clock.pause()
        target, mark = self._place(goal)
        marked = mark > 0
        self._stands = mark or target
        self._clock.seek(target)
        begins = self._recording.begins
        back = begins if self._look_back is None else max(begins, target - self._look_back)
        ahead = 0 <= self._position <= target and not goal.anew
        held = max((ns for ns in goal.held if begins <= ns <= target), default=-1)
        if held > (self._position if ahead else max(-1, back - 1)):
            self._go_on_from(held)
            yield self._encode(self._status("", catching_up=True, resume=str(held)))
        elif not (ahead and (goal.through or back <= self._position)):
            async for message in self._begin(back):
                yield message
        shown = {"from": float(max(self._position, 0)), "to": float(target)}
        yield self._encode(self._status("catching up", catching_up=True, **shown))
        # The mark lies among what has the time of `target`, so that comes at the usual pace.
        for message in self._advance(target - 1 if marked else target):
            yield message
            await asyncio.sleep(0)
        if marked:
            yield self._encode(self._status(""))
            for message in self._advance(target):
                yield message
        self._hurrying = False
        if not self._paused:
            self._clock.resume()
        astray = 0 < goal.grid <= self._marks() and not marked
        yield self._encode(self._status("", landed=True, astray=astray))

    def _go_on_from(self, held: int) -> None:
        """What comes after a moment comes next."""
        self._frames = self._recording.frames(held + 1)
        self._next = next(self._frames, None)
        self._position = held
        self._notices.clear()

    def _place(self, goal: _Goal) -> tuple[int, int]:
        """The position that is meant, and the time of the mark there; 0: there is none."""
        if 0 < goal.grid <= self._marks():
            if (found := self._mark_by(goal.to, goal.ticks)) is not None:
                return self._within(found[0]), found[1]
            return self._within(goal.to), 0
        if not goal.ticks:
            return goal.to, 0
        whole, rest = divmod(goal.to, goal.grid)
        if goal.ticks < 0 and rest:
            whole += 1
        return self._within((whole + goal.ticks) * goal.grid), 0

    def _mark_by(self, at: int, ticks: int) -> tuple[int, int] | None:
        """Position and time of a mark: the last by a market time, or so many from there."""
        recording = self._recording
        if ticks > 0:
            # The first ones, whenever they come.
            for frame in recording.frames(max(recording.begins, at - _NEAR)):
                if frame.kind == codec.KIND_MARK and _as_of(frame) > at:
                    ticks -= 1
                    if not ticks:
                        return frame.time, _as_of(frame)
            return None
        reach = _NEAR
        while True:
            # A mark has the time of the event before it: a little off its own.
            since = max(recording.begins, at - reach)
            marks = [
                (frame.time, as_of)
                for frame in recording.frames(since, at + _NEAR)
                if frame.kind == codec.KIND_MARK
                and 0 < (as_of := _as_of(frame)) <= at - (1 if ticks else 0)
            ]
            if len(marks) >= max(1, -ticks):
                return marks[ticks or -1]
            if not ticks or since <= recording.begins:
                return marks[0] if marks and ticks else None
            reach *= 8

    def _marks(self) -> int:
        """Distance of a recording's marks, ns; 0 where it has none."""
        if self._mark_step is None:
            self._mark_step = 0
            for _, frame in zip(range(_FIRST_FRAMES), self._recording.frames(), strict=False):
                if frame.kind == codec.KIND_MARK:
                    mark = codec.decode(frame)
                    self._mark_step = mark.step if isinstance(mark, TickMark) else 0
                    break
        return self._mark_step

    def _growing(self) -> bool:
        """Whether the recording has grown since. What is added is played as well.

        Of such a recording the last event is not sent yet (`Recording.refresh`), so that the
        frames in hand never come to their end.
        """
        return self.follows and self._recording.refresh()

    def _all_sent(self) -> bool:
        return self._next is None or (self.follows and self._position >= self._recording.ends)

    async def _begin(self, back: int) -> AsyncIterator[bytes]:
        """A new session, its state as of `back`."""
        if back <= self._recording.begins:
            state: list[Event] = [self._recording.info]
            self._frames = self._recording.frames()
        else:
            state = await asyncio.to_thread(self._recording.seek, back)
            self._frames = self._recording.frames(back)
        self._next = next(self._frames, None)
        self._position = back
        self._notices.clear()
        parts: list[bytes] = []
        for event in state:
            told = replayed(event) if isinstance(event, SourceInfo) else event
            parts += (codec.encode(part, back) for part in codec.split(told))
            if sum(map(len, parts)) >= CHUNK:
                yield b"".join(parts)
                parts = []
        if parts:
            yield b"".join(parts)

    def _advance(self, to: int) -> Iterator[bytes]:
        """Everything due by `to`, a ClockTick at each full minute and at `to` itself."""
        step = round(HASTE_TICK_S * NS)
        while True:
            # Full minutes of market time, so that every session has the same ones.
            stop = min(to, (self._position // step + 1) * step)
            parts: list[bytes | memoryview] = []
            size = 0
            while self._next is not None and self._next.time <= stop:
                part = self._forwarded(self._next)
                sent = self._next.time
                parts.append(part)
                size += len(part)
                self._next = next(self._frames, None)
                if size >= CHUNK:
                    # Who interrupts us here must see how far we got.
                    self._position = max(self._position, sent)
                    yield b"".join(parts)
                    parts, size = [], 0
            self._position = max(self._position, stop)
            parts.append(self._encode(ClockTick(self._position)))
            if self._position % step == 0:
                parts.append(self._encode(self._status("", whole=str(self._position))))
            yield b"".join(parts)
            if self._position >= to:
                return

    def _forwarded(self, frame: codec.Frame) -> bytes | memoryview:
        """A frame as it goes out: as it is, unless it speaks of another connection."""
        if frame.kind == codec.KIND_STATUS:
            status = codec.decode(frame)
            if isinstance(status, FeedStatus):
                said = f"when recorded: {status.state} {status.message}".rstrip()
                return self._encode(self._status(said, recorded=status.state))
        if frame.kind == codec.KIND_SOURCE:
            info = codec.decode(frame)
            if isinstance(info, SourceInfo):
                return self._encode(replayed(info))
        return frame.data

    def _end(self, message: str) -> None:
        self._ended, self._hurrying = True, False
        self._clock.pause()
        self._clock.seek(self._recording.ends)
        self.notice(message)

    def _status(self, message: str, **detail: float | str | bool) -> FeedStatus:
        state: FeedState = "ended" if self._ended else "paused" if self._paused else "live"
        if detail.get("catching_up"):
            state = "connecting"
        shown: dict[str, float | str | bool] = {
            "speed": self._clock.speed,
            "paused": self._paused,
            "catching_up": False,
        }
        return FeedStatus(state, message, shown | detail)

    def _take_notices(self) -> bytes:
        notices, self._notices = self._notices, []
        return b"".join(self._encode(notice) for notice in notices)

    def _encode(self, event: Event) -> bytes:
        return codec.encode(event, max(0, self._position))


def _as_of(mark: codec.Frame) -> int:
    """The time of the Reading that a mark stands for, ns; 0 for none."""
    event = codec.decode(mark)
    return event.ts if isinstance(event, TickMark) else 0


def replayed(info: SourceInfo) -> SourceInfo:
    """A source as a replay shows it. What was simulated stays simulated."""
    if info.mode == "simulated":
        return info
    return dataclasses.replace(info, mode="replay")
