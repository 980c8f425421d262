"""What a live session computed, a replay of its recording computes again, bit for bit."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
import threading
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gexterm.clock import NS, ManualClock, SystemClock
from gexterm.config import Settings
from gexterm.engine.carry import book_of
from gexterm.engine.engine import Engine, Job
from gexterm.engine.grid import TickGrid
from gexterm.engine.rereading import of_recording, of_today
from gexterm.feeds.replay_protocol import ReplayProtocol
from gexterm.feeds.replay_server import ReplayServer
from gexterm.feeds.runner import FeedRunner
from gexterm.market.events import (
    ClockTick,
    Definitions,
    Event,
    FeedReport,
    FeedStatus,
    OpenInterest,
    SourceInfo,
    TickMark,
)
from gexterm.reading.export import to_json
from gexterm.reading.model import Reading
from gexterm.recording.books import Book, as_kept, load
from gexterm.recording.codec import event_time
from gexterm.recording.reader import Recording
from gexterm.recording.recorder import Recorder, RecorderSettings
from gexterm.recording.samples import find_sample
from gexterm.recording.scribe import folder_of
from gexterm.session.live import LiveSession
from tests.engine import test_days as days
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


def book() -> Book:
    """What dealers held the evening before, by somebody's account."""
    told = market(1)
    defined = [event for event in told if isinstance(event, Definitions)]
    interest = [event for event in told if isinstance(event, OpenInterest)]
    contracts = tuple(contract for event in defined for contract in event.contracts)
    first = min(contract.expiry for contract in contracts)
    count, at = len(contracts), interest[0].contract
    draw = np.random.default_rng(7)
    held, known = np.zeros(count), np.full(count, np.nan)
    held[at] = draw.uniform(-0.5, 0.5, len(at)) * interest[0].open_interest
    known[at] = interest[0].open_interest
    return as_kept(
        Book(
            "SPX",
            first - dt.timedelta(days=1),
            1,
            event_time(interest[0]) - 17 * 3600 * NS,
            contracts,
            held,
            0.1 * held**2,
            np.zeros((0, count)),
            np.abs(held),
            np.abs(held) / 7.0,
            np.abs(held) / 3.0,
            known,
        )
    )


def files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.gexrec"))


async def recorded(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    every: int,
    seconds: int = 90,
    carry: Book | None = None,
) -> tuple[list[Reading], Path, int]:
    """A live session whose ticks are slow: its Readings, its recording, how many it left out."""
    settings = RecorderSettings(min_free_bytes=0)
    recorder = Recorder(folder, "venue", "SPX", SystemClock(), settings)
    told = [*batches(market(seconds), 5), [FeedStatus("ended", "that was all")]]
    with monkeypatch.context() as patched:
        session = session_on(
            lambda _tap: ScriptedRunner(told, lambda n: wait(n)),
            recorder=recorder,
            view="combined",
            carry=carry,
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
    again = await replayed(path, live[-1].as_of)
    assert [r.as_of for r in again] == [r.as_of for r in live]
    assert [same(r) for r in again] == [same(r) for r in live]


async def test_a_replay_goes_on_from_the_book_that_the_live_session_went_on_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live, path, skipped = await recorded(tmp_path, monkeypatch, every=4, carry=book())
    assert skipped > 20
    assert path.with_suffix(".book").exists()
    again = await replayed(path, live[-1].as_of)
    assert [r.as_of for r in again] == [r.as_of for r in live]
    assert [same(r) for r in again] == [same(r) for r in live]
    assert live[-1].positions.reconciled
    path.with_suffix(".book").unlink()
    without = await replayed(path, live[-1].as_of)
    assert not without[-1].positions.reconciled
    assert without[-1].gamma.gex_per_1pct != live[-1].gamma.gex_per_1pct
    assert any("lack the book" in warning for warning in without[-1].health.warnings)


async def replayed(path: Path, until: int) -> list[Reading]:
    """The Readings of a replay through a real websocket, as `gexterm replay` makes them."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        recording = stack.enter_context(Recording(path))
        carry, warning = book_of(recording)
        server = await stack.enter_async_context(ReplayServer(recording, clock, 1.0))
        session = session_on(
            lambda _tap: FeedRunner(ReplayProtocol(server.url), clock, rng=random.Random(1)),
            replayable=True,
            speed=1.0,
            view="combined",
            carry=carry,
            carry_warning=warning,
            read_earlier=lambda _stopped: of_recording(recording),
        )
        session._set_step = lambda: None  # type: ignore[method-assign]
        again = heard(session)
        async with asyncio.timeout(60), session:
            hurried = False
            async for reading in session.readings():
                if not hurried:
                    hurried = True
                    # As fast as it goes, ticking as finely as at the speed of the market.
                    session.set_speed(100_000.0)
                if reading.as_of >= until:
                    break
    return again


async def test_the_file_that_begins_at_midnight_has_the_old_days_book_beside_it(
    tmp_path: Path,
) -> None:
    morning = [ClockTick(days.at(days.TUESDAY, 9, minute)) for minute in range(31, 40)]
    interest = days.opening()[2]
    six = days.at(days.TUESDAY, 6, 30)
    assert isinstance(interest, OpenInterest)
    told: list[Event] = [
        *days.monday(),
        FeedReport(recv=days.at(days.TUESDAY, 0)),  # a word about midnight is no new day yet
        ClockTick(days.at(days.TUESDAY, 0)),
        ClockTick(days.at(days.TUESDAY, 1)),
        OpenInterest(interest.contract, interest.open_interest + 90.0, six, six),
        *morning,
        *days.bought(days.at(days.TUESDAY, 10), 30.0, 1),
        *(ClockTick(days.at(days.TUESDAY, 10, minute)) for minute in range(1, 5)),
    ]
    clock = ManualClock(days.at(days.MONDAY, 9))
    recorder = Recorder(tmp_path, "venue", "SPX", clock, RecorderSettings(min_free_bytes=0))
    batches_told = [[event] for event in told] + [[FeedStatus("ended")]]

    async def between(_number: int) -> None:
        while session._core is not None and session._core.ticker.busy:  # noqa: ASYNC110
            await asyncio.sleep(0.001)

    session = session_on(
        lambda _tap: ScriptedRunner(batches_told, between), recorder=recorder, view="combined"
    )
    live = heard(session)
    await run(session)
    first, second = files(tmp_path)
    assert not first.with_suffix(".book").exists()
    kept = load(second.with_suffix(".book"))
    assert kept.date == days.MONDAY
    tuesday = [r for r in live if r.as_of > days.at(days.TUESDAY, 0)]
    assert any(r.positions.reconciled for r in tuesday)
    again = await replayed(second, tuesday[-1].as_of)

    def told_of(reading: Reading) -> bytes:
        # Numbered from the file's beginning; its source says which file it goes on from.
        source = replace(reading.source, note="")
        return same(replace(reading, source=source, sequence=0))

    assert [told_of(r) for r in again] == [told_of(r) for r in tuesday]


async def test_a_session_begun_at_noon_goes_on_from_the_mornings_recording_and_replays_so(
    tmp_path: Path,
) -> None:
    clock = ManualClock(days.at(days.MONDAY, 9))

    async def session(told: list[Event], now: int) -> tuple[list[Reading], Path]:
        clock.set(now)
        recorder = Recorder(tmp_path, "venue", "SPX", clock, RecorderSettings(min_free_bytes=0))
        script = [[event] for event in told] + [[FeedStatus("ended")]]

        async def between(_number: int) -> None:
            while live._core is not None and live._core.ticker.busy:  # noqa: ASYNC110
                await asyncio.sleep(0.001)

        live = session_on(
            lambda _tap: ScriptedRunner(script, between),
            recorder=recorder,
            view="combined",
            read_earlier=lambda stopped: of_today(
                folder_of(tmp_path, "venue", "SPX"), clock.now_ns(), stopped
            ),
        )
        readings = heard(live)
        await run(live)
        assert recorder.path is not None
        return readings, recorder.path

    def minutes(hour: int) -> list[Event]:
        return [ClockTick(days.at(days.MONDAY, hour, minute)) for minute in range(2, 8)]

    noon = days.at(days.MONDAY, 12)
    await session([*days.monday()[:-1], *minutes(11)], days.at(days.MONDAY, 9, 31))
    opening = [
        replace(event, recv=noon)  # type: ignore[type-var]
        for event in days.opening()[1:3]
    ]
    report = FeedReport(heard_from=noon, recv=noon)
    again = days.bought(days.at(days.MONDAY, 11), 200.0, 1)[1]  # the venue sends it once more
    afternoon = days.bought(days.at(days.MONDAY, 12, 1), 30.0, 2)
    live, path = await session(
        [days.opening()[0], *opening, report, again, *afternoon, *minutes(12)], noon
    )
    assert live[-1].positions.prints == 2
    assert live[-1].positions.epoch == days.at(days.MONDAY, 11)
    assert any("not heard: 11:07-12:00" in warning for warning in live[-1].health.warnings)
    replay = await replayed(path, live[-1].as_of)
    assert [same(r) for r in replay] == [same(r) for r in live]


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
