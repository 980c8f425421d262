"""What a live session computed, a replay of its recording computes again, bit for bit."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from gexterm.clock import NS, SystemClock
from gexterm.config import Settings
from gexterm.engine.engine import Engine, Job
from gexterm.engine.grid import TickGrid
from gexterm.feeds.replay_protocol import ReplayProtocol
from gexterm.feeds.replay_server import ReplayServer
from gexterm.feeds.runner import FeedRunner
from gexterm.market.events import ClockTick, Event, FeedReport, FeedStatus, SourceInfo, TickMark
from gexterm.reading.export import to_json
from gexterm.reading.model import Reading
from gexterm.recording.codec import event_time
from gexterm.recording.reader import Recording
from gexterm.recording.recorder import Recorder, RecorderSettings
from gexterm.recording.samples import find_sample
from gexterm.session.live import LiveSession
from tests.session.scripted import Between, ScriptedRunner


def market(seconds: int = 90) -> list[Event]:
    """The beginning of a simulated day as a venue would tell it: live, with a clock."""
    with Recording(find_sample("bofa").path) as recording:
        info = recording.info
        told = recording.events(end=recording.begins + seconds * NS)
        events: list[Event] = [replace(info, mode="live", feed="venue", begins=0, ends=0)]
        second = recording.begins // NS
        report = FeedReport(listed=4000, quoted=600, window="600 of 4,000", gaps=0)
        for event in told:
            at = event_time(event)
            if isinstance(event, SourceInfo | ClockTick):
                continue
            while at // NS > second:
                second += 1
                events.append(ClockTick(second * NS))
                if second % 7 == 0:
                    report = replace(report, gaps=report.gaps + 1, recv=second * NS)
                    events.append(report)
            events.append(event)
    return events


def batches(events: list[Event], size: int) -> list[list[Event]]:
    return [events[at : at + size] for at in range(0, len(events), size)]


def session_on(
    runner: Callable[[object], object], *, recorder: Recorder | None = None, **options: object
) -> LiveSession:
    return LiveSession(
        runner,  # type: ignore[arg-type]
        SystemClock(),
        Settings(),
        underlying="SPX",
        make_recording=None if recorder is None else lambda _tell: recorder,
        **options,  # type: ignore[arg-type]
    )


def heard(session: LiveSession) -> list[Reading]:
    """Every Reading of a session, the ones too that no listener was quick enough for."""
    found: list[Reading] = []
    publish = session._publish

    def note(reading: Reading) -> None:
        found.append(reading)
        publish(reading)

    session._publish = note  # type: ignore[method-assign]
    return found


async def run(session: LiveSession) -> None:
    async with asyncio.timeout(60), session:
        async for _ in session.readings():
            if session.status.state == "ended":
                break


def same(reading: Reading) -> bytes:
    """A Reading's bytes, but for the word that says whether it is a replay."""
    return to_json(replace(reading, source=replace(reading.source, mode="live")))


def slowly(monkeypatch: pytest.MonkeyPatch, session: LiveSession, every: int) -> Between:
    """Readings take as long as `every` batches: what falls due in between must be left out."""
    gate, compute = threading.Event(), Engine.compute

    def held(self: Engine, job: Job) -> Reading:
        gate.wait(30)
        return compute(self, job)

    monkeypatch.setattr(Engine, "compute", held)

    async def between(number: int) -> None:
        await asyncio.sleep(0)
        core = session._core
        assert core is not None
        if number % every == every - 1:
            gate.set()
            while core.ticker.busy:  # noqa: ASYNC110 - a thread's work has no event to wait for
                await asyncio.sleep(0.001)
            gate.clear()

    return between


async def recorded(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, every: int, seconds: int = 90
) -> tuple[list[Reading], Path, int]:
    """A live session whose ticks are slow: its Readings, its recording, how many it left out."""
    settings = RecorderSettings(min_free_bytes=0)
    recorder = Recorder(folder, "venue", "SPX", SystemClock(), settings)
    told = [*batches(market(seconds), 5), [FeedStatus("ended", "that was all")]]
    with monkeypatch.context() as patched:
        session = session_on(
            lambda _tap: ScriptedRunner(told, lambda n: wait(n)), recorder=recorder
        )
        readings = heard(session)
        between = slowly(patched, session, every)

        async def wait(number: int) -> None:
            if number == len(told) - 1:
                patched.undo()
            await between(number if number < len(told) - 1 else every - 1)

        await run(session)
    assert recorder.path is not None
    assert not recorder.lost_rows
    return readings, recorder.path, session.skipped


async def test_a_replay_computes_what_was_computed_live_however_slow_the_machine_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live, path, skipped = await recorded(tmp_path, monkeypatch, every=4)
    assert skipped > 20
    assert len(live) > 10
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        recording = stack.enter_context(Recording(path))
        server = await stack.enter_async_context(ReplayServer(recording, clock, 1.0))
        session = session_on(
            lambda _tap: FeedRunner(ReplayProtocol(server.url), clock, rng=random.Random(1)),
            replayable=True,
            speed=1.0,
        )
        session._set_step = lambda: None  # type: ignore[method-assign]
        again = heard(session)
        async with asyncio.timeout(60), session:
            hurried = False
            async for reading in session.readings():
                if not hurried:
                    hurried = True
                    # As fast as it goes, ticking as finely as at the speed of the market.
                    session.set_speed(2000.0)
                if reading.as_of >= live[-1].as_of:
                    break
    assert [r.as_of for r in again] == [r.as_of for r in live]
    assert [same(r) for r in again] == [same(r) for r in live]


async def test_readings_come_in_order_and_everything_told_is_recorded_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live, path, skipped = await recorded(tmp_path, monkeypatch, every=3, seconds=60)
    assert skipped > 0
    times = [r.as_of for r in live]
    assert times == sorted(times)
    assert [r.sequence for r in live] == list(range(1, len(live) + 1))
    with Recording(path) as recording:
        kept = list(recording.events())
    marks = [event for event in kept if isinstance(event, TickMark)]
    assert marks[0].ts == 0
    assert [mark.ts for mark in marks[1:]] == times
    told = [type(event) for event in market(60)]
    assert [type(event) for event in kept if not isinstance(event, TickMark | FeedStatus)] == told


def test_a_replay_that_ticks_more_coarsely_than_the_marks_keeps_its_own_times() -> None:
    grid = TickGrid(NS)
    grid.due(TickMark(0, NS // 10))
    assert not grid.marked
    assert grid.due(ClockTick(10 * NS + 1)) == 0  # the first only says when it is
    assert grid.due(TickMark(10 * NS + NS // 10, NS // 10)) == 0
    assert grid.due(ClockTick(11 * NS + 1)) == 11 * NS


def test_a_replay_that_ticks_as_finely_ticks_at_marks_and_nowhere_else() -> None:
    grid = TickGrid(NS // 10)
    grid.due(TickMark(0, NS // 10))
    assert grid.marked
    assert [grid.due(ClockTick(10 * NS + k * NS // 10 + 1)) for k in range(20)] == [0] * 20
    assert grid.due(TickMark(11 * NS, NS // 10)) == 11 * NS
