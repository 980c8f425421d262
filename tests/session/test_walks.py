"""Whatever way a replay has come to a time, it says the same there."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gexterm.clock import NS, SystemClock
from gexterm.config import Settings
from gexterm.engine.engine import Engine
from gexterm.engine.grid import TickGrid
from gexterm.engine.settings import EngineSettings
from gexterm.feeds.playback import Playback
from gexterm.market.events import FeedReport
from gexterm.reading.day import DayLog
from gexterm.reading.export import to_json
from gexterm.reading.model import Health, Reading
from gexterm.recording.reader import Recording
from gexterm.recording.samples import find_sample
from gexterm.session.keepsakes import Keepsakes
from gexterm.session.live import LiveSession
from gexterm.session.past import PlaybackRunner

MINUTE = 60 * NS
TAPED = find_sample("bofa").path
QUOTED = find_sample("first-light").path


@asynccontextmanager
async def paused_on(path: Path) -> AsyncIterator[tuple[LiveSession, Recording]]:
    """A replay that stands at its beginning, without a socket."""
    clock = SystemClock()
    with Recording(path) as recording:
        playback = Playback(recording, clock, 1.0, paused=True)
        session = LiveSession(
            lambda _tap: PlaybackRunner(playback, clock),  # type: ignore[arg-type,return-value]
            clock,
            Settings(),
            underlying=recording.info.underlying,
            replayable=True,
        )
        async with asyncio.timeout(60), session:
            await anext(session.readings())
            yield session, recording


async def gone_to(session: LiveSession, at: int) -> Reading:
    session.seek(at)
    return await arrived(session, lambda: session.newest is not None and session.newest.as_of == at)


async def arrived(session: LiveSession, there: Callable[[], bool]) -> Reading:
    while session.goal or not there():  # noqa: ASYNC110 - the session's time limit is the bound
        await asyncio.sleep(0.002)
    assert session.newest is not None
    return session.newest


def book(reading: Reading) -> bytes:
    """What a Reading says without what it remembers."""
    told = [c for c in reading.strikes.columns if c not in ("quote_age_s",)]
    strikes = reading.strikes.select(told)
    levels = (reading.spot, reading.gamma.gex_per_1pct, reading.zero_dte.charm_per_hour)
    return strikes.write_csv().encode() + repr(levels).encode()


def straight(path: Path, times: list[int]) -> dict[int, Reading]:
    """Readings of a way without a turn, one a minute, and at the times named."""
    found: dict[int, Reading] = {}
    with Recording(path) as recording:
        engine = Engine(EngineSettings.of(Settings(), recording.info.underlying))
        for at in sorted(times):
            engine.restart()
            grid = TickGrid(MINUTE)
            for event in recording.events(end=at + 1):
                if isinstance(event, FeedReport):
                    continue
                due = grid.due(event)
                if due and (job := engine.job(due)) is not None:
                    engine.compute(job)
                engine.apply(event)
            job = engine.job(at)
            assert job is not None
            found[at] = engine.compute(job)
    return found


@pytest.mark.parametrize("path", [TAPED, QUOTED])
async def test_a_reading_after_any_walk_has_the_book_of_a_straight_way(path: Path) -> None:
    rng = random.Random(5)
    async with paused_on(path) as (session, recording):
        places = [recording.begins + m * MINUTE + s * NS // 10 for m, s in
                  ((2, 0), (5, 0), (5, 213))]  # fmt: skip
        wanted = straight(path, places)
        for _ in range(7):
            if rng.random() < 0.3 and session.newest is not None:
                here, ticks = session.newest.as_of, rng.choice((-2, -1, 1, 2))
                session.step(ticks)
                to = here + ticks * NS // 10
                await arrived(session, lambda: session.newest.as_of == to)  # type: ignore[union-attr]  # noqa: B023
            place = rng.choice(places)
            reading = await gone_to(session, place)
            assert book(reading) == book(wanted[place])
            assert reading.zero_dte.paradigm == wanted[place].zero_dte.paradigm


async def test_what_was_kept_goes_on_to_the_bit() -> None:
    def read(engine: Engine, grid: TickGrid, events: list, found: list[bytes]) -> None:  # type: ignore[type-arg]
        for event in events:
            if (due := grid.due(event)) and (job := engine.job(due)) is not None:
                reading = engine.compute(job)
                found.append(to_json(replace(reading, health=Health())))
            engine.apply(event)

    with Recording(TAPED) as recording:
        cut, end = recording.begins + 3 * MINUTE, recording.begins + 6 * MINUTE
        before, after = list(recording.events(end=cut)), list(recording.events(cut, end))
    engine, grid, kept, day = Engine(EngineSettings()), TickGrid(15 * NS), Keepsakes(), DayLog()
    read(engine, grid, before, [])
    kept.keep(cut, engine, grid, day)
    first: list[bytes] = []
    read(engine, grid, after, first)
    for _ in range(2):
        # What followed has left no trace in what was kept.
        again: list[bytes] = []
        assert kept.restore(cut, engine, grid, day)
        read(engine, grid, after, again)
        assert again == first
    assert len(first) > 8
    assert not kept.restore(cut + 1, engine, grid, day)


def test_what_is_kept_is_dense_near_and_sparse_far_and_bounded() -> None:
    engine, grid, day = Engine(EngineSettings()), TickGrid(NS), DayLog()
    engine.given["x"] = np.zeros(1 << 17)  # a megabyte
    kept = Keepsakes(most_bytes=20 << 20)
    for minute in range(1, 390):
        if kept.wanted(minute * MINUTE):
            kept.keep(minute * MINUTE, engine, grid, day)
    minutes = [at // MINUTE for at in kept.times]
    assert kept.bytes <= 20 << 20
    assert len(minutes) >= 15
    assert minutes[-3:] == [387, 388, 389]
    assert min(minutes) < 200
    assert not kept.wanted(389 * MINUTE)
    assert not kept.wanted(400 * MINUTE + 1)


async def test_going_back_is_not_reading_again() -> None:
    async with paused_on(TAPED) as (session, recording):
        await gone_to(session, recording.begins + 8 * MINUTE)
        applied = 0
        core = session._core
        assert core is not None
        apply = core.engine.apply

        def counted(event: object) -> None:
            nonlocal applied
            applied += 1
            apply(event)  # type: ignore[arg-type]

        core.engine.apply = counted  # type: ignore[method-assign]
        rows = len(session.day.rows)
        await gone_to(session, recording.begins + 7 * MINUTE + 30 * NS)
        with Recording(TAPED) as again:
            minute = sum(1 for _ in again.events(recording.begins + 7 * MINUTE,
                                                 recording.begins + 8 * MINUTE))  # fmt: skip
        assert applied <= minute + 10
        assert rows - 2 <= len(session.day.rows) <= rows + 1


async def test_the_day_keeps_its_rows_over_a_walk_to_and_fro() -> None:
    async with paused_on(TAPED) as (session, recording):
        await gone_to(session, recording.begins + 8 * MINUTE)
        rows = [row.at for row in session.day.rows]
        await gone_to(session, recording.begins + 3 * MINUTE)
        assert max(row.at for row in session.day.rows) == recording.begins + 3 * MINUTE
        await gone_to(session, recording.begins + 8 * MINUTE)
        assert [row.at for row in session.day.rows] == rows


async def test_the_newest_wish_replaces_the_one_under_way() -> None:
    async with paused_on(TAPED) as (session, recording):
        session.seek(recording.ends)
        await arrived_at_least(session, recording.begins + 2 * MINUTE)
        reading = await gone_to(session, recording.begins + MINUTE)
        assert reading.as_of == recording.begins + MINUTE
        assert session.day.rows[-1].at <= recording.begins + MINUTE


async def arrived_at_least(session: LiveSession, at: int) -> None:
    while session.newest is None or session.newest.as_of < at:  # noqa: ASYNC110
        await asyncio.sleep(0.002)


async def test_what_was_on_its_way_is_dropped_for_a_new_wish() -> None:
    async with paused_on(TAPED) as (session, recording):
        await gone_to(session, recording.begins + 4 * MINUTE)
        session.seek(recording.ends)
        await arrived_at_least(session, recording.begins + 6 * MINUTE)
        seen: list[int] = []
        publish = session._publish

        def note(reading: Reading) -> None:
            seen.append(reading.as_of)
            publish(reading)

        session._publish = note  # type: ignore[method-assign]
        session.step(-1)
        session.seek(recording.begins + 2 * MINUTE)
        reading = await arrived_on(session, recording.begins + 2 * MINUTE)
        wanted = straight(TAPED, [reading.as_of])[reading.as_of]
        assert book(reading) == book(wanted)
        # The one that was being computed, and those of the way back.
        assert sum(at > recording.begins + 6 * MINUTE for at in seen) <= 2


async def arrived_on(session: LiveSession, at: int) -> Reading:
    return await arrived(session, lambda: session.newest is not None and session.newest.as_of == at)
