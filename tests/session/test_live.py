"""A session over a real websocket on the loopback: recordings in, Readings and alerts out."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from gexterm.clock import NS, SystemClock
from gexterm.config import Settings
from gexterm.engine.engine import Engine
from gexterm.errors import UsageError
from gexterm.feeds.replay_protocol import ReplayProtocol
from gexterm.feeds.replay_server import ReplayServer
from gexterm.feeds.runner import FeedRunner, RunnerSettings
from gexterm.market.calendar import at_et, et
from gexterm.reading.export import to_json
from gexterm.reading.model import Health, Reading
from gexterm.recording.reader import Recording
from gexterm.recording.samples import find_sample
from gexterm.session.face import check_scope
from gexterm.session.live import LiveSession
from gexterm.snapshots.meta import Taken
from gexterm.snapshots.picture import Picture, Run

SAMPLE = find_sample("first-light")
DATE = dt.date.fromisoformat(SAMPLE.sample.date)
LIMIT = 60


def at(hour: int, minute: int) -> int:
    return at_et(DATE, dt.time(hour, minute))


@asynccontextmanager
async def playing(
    speed: float = 600.0, start: int | None = None, **options: object
) -> AsyncIterator[LiveSession]:
    """A session on the sample feed."""
    clock = SystemClock()
    with Recording(SAMPLE.path) as recording:
        async with (
            asyncio.timeout(LIMIT),
            ReplayServer(recording, clock, speed, start_at=start) as server,
            LiveSession(
                lambda _tap: FeedRunner(ReplayProtocol(server.url), clock, rng=random.Random(1)),
                clock,
                Settings(),
                underlying="SPX",
                speed=speed,
                replayable=True,
                **options,  # type: ignore[arg-type]
            ) as session,
        ):
            yield session


async def until(session: LiveSession, wanted: Callable[[Reading], bool]) -> Reading:
    """The first Reading that is wanted."""
    async for reading in session.readings():
        if wanted(reading):
            return reading
    raise AssertionError("the session ended first")


async def eventually(condition: Callable[[], bool]) -> None:
    """Come back once it is so; the session's own time limit is the bound."""
    while not condition():  # noqa: ASYNC110 - a Session announces Readings, not every change
        await asyncio.sleep(0.01)


async def test_readings_come_on_round_market_times_and_in_order() -> None:
    times = []
    async with playing() as session:
        async for reading in session.readings():
            times.append(reading.as_of)
            if reading.as_of >= at(10, 20):
                break
    assert times == sorted(times)
    assert all(t % (60 * NS) == 0 for t in times)


async def test_the_source_says_that_it_is_simulated() -> None:
    async with playing() as session:
        reading = await until(session, lambda r: True)
        assert reading.source.mode == "simulated"
        assert "synthetic" in reading.source.note
        assert session.info.underlying == "SPX"


async def test_two_replays_at_different_speeds_read_the_same_minute_for_minute() -> None:
    async def minutes(speed: float) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        async with playing(speed) as session:
            session._grid.step = 60 * NS  # the same ticks, as a comparison needs
            session._set_step = lambda: None  # type: ignore[method-assign]
            async for reading in session.readings():
                found[reading.as_of] = to_json(replace(reading, health=Health(), sequence=0))
                if reading.as_of >= at(10, 8):
                    return found
        raise AssertionError("the session ended first")

    slow, fast = await minutes(240.0), await minutes(5000.0)
    shared = set(slow) & set(fast)
    assert shared
    assert all(slow[t] == fast[t] for t in shared)


async def test_alerts_come_with_the_story() -> None:
    kinds = []
    async with playing(2000.0) as session:
        reader = asyncio.create_task(until(session, lambda r: r.as_of >= at(10, 34)))
        async for alert in session.alerts():
            kinds.append(alert.kind)
            assert alert.replay
            if reader.done() or "lis touched" in kinds:
                break
        reader.cancel()
    assert "flip crossed" in kinds
    assert "paradigm changed" in kinds


async def test_starting_late_fills_the_look_back() -> None:
    async with playing(1.0, start=at(10, 32)) as session:
        reading = await until(session, lambda r: r.as_of >= at(10, 32))
        assert [b.minutes for b in reading.look_back] == [5, 15, 30]


async def test_a_convention_changes_at_once_even_while_paused() -> None:
    async with playing(1.0, start=at(10, 10)) as session:
        before = await until(session, lambda r: r.as_of >= at(10, 10))
        session.pause()
        await eventually(lambda: session.paused)
        session.set_view("squeezemetrics")
        after = await until(session, lambda r: r.positions.view == "squeezemetrics")
        assert after.gamma.gex_per_1pct * before.gamma.gex_per_1pct < 0
        session.set_scope("all")
        wide = await until(session, lambda r: r.scope == "all")
        assert wide.strikes.height >= after.strikes.height


async def test_seeking_back_begins_anew_and_forward_goes_on() -> None:
    async with playing(1.0, start=at(10, 30)) as session:
        await until(session, lambda r: r.as_of >= at(10, 30))
        session.seek(at(10, 5))
        early = await until(session, lambda r: r.as_of <= at(10, 6))
        assert et(early.as_of).minute in {0, 1, 2, 3, 4, 5, 6}
        session.seek(at(10, 33))
        late = await until(session, lambda r: r.as_of >= at(10, 33))
        assert late.spot != early.spot


async def test_a_jump_ahead_is_no_news_and_a_jump_back_unsays_what_came_later() -> None:
    async with playing(1.0, start=at(10, 0)) as session:
        await until(session, lambda r: r.as_of >= at(10, 0))
        core = session._core
        assert core is not None
        resets = 0
        reset = core.watch.reset

        def count() -> None:
            nonlocal resets
            resets += 1
            reset()

        core.watch.reset = count  # type: ignore[method-assign]
        session.seek(at(10, 30))  # within the look-back: hurried through, watched all the way
        await until(session, lambda r: r.as_of >= at(10, 30))
        assert any(alert.at > at(10, 8) for alert in core.watch.log)
        assert resets == 0
        session.seek(at(10, 5))
        await until(session, lambda r: at(10, 5) <= r.as_of < at(10, 6))
        assert not any(alert.at > at(10, 8) for alert in core.watch.log)


async def test_speed_follows_the_wish_and_is_told() -> None:
    async with playing(1.0) as session:
        await until(session, lambda r: True)
        session.set_speed(60.0)
        await eventually(lambda: session.speed == 60.0)
        await until(session, lambda r: r.as_of >= at(10, 3))


async def test_the_end_is_told_and_the_last_reading_stays() -> None:
    async with playing(20000.0) as session:
        async for _ in session.readings():
            if session.status.state == "ended":
                break
        assert session.newest is not None
        assert session.newest.as_of == at_et(DATE, dt.time.fromisoformat(SAMPLE.sample.ends))


async def test_wishes_that_make_no_sense_are_refused_at_once() -> None:
    async with playing() as session:
        with pytest.raises(UsageError, match="sideways"):
            session.set_view("sideways")
        with pytest.raises(UsageError, match="names no expiries"):
            session.set_scope("tomorrow")
    for good in ("0dte", "all", "auto", "2026-11-20"):
        check_scope(good)


async def test_a_snapshot_keeps_the_reading_that_is_in_the_picture(tmp_path: Path) -> None:
    picture = Picture(3, 1, ((Run("SPX", "#ffffff", "#000000"),),))
    async with playing(1.0, snapshots=tmp_path) as session:
        reading = await until(session, lambda r: True)
        await until(session, lambda r: r.as_of > reading.as_of)
        folder = await session.snapshot(picture, reading, Taken("key", NS, note="mine"))
        assert folder.parent == tmp_path
        assert (folder / "screen.png").stat().st_size > 0
        assert "mine" in (folder / "page.md").read_text()
        assert (
            f'"as_of": "{dt.datetime.fromtimestamp(reading.as_of // NS, dt.UTC):%Y-%m-%dT%H:%M}'
            in (folder / "reading.json").read_text()
        )


async def test_a_tick_that_fails_is_told_and_costs_only_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compute = Engine.compute
    failing = {at(10, 3), at(10, 4)}

    def sometimes(self: Engine, job: object) -> Reading:
        if job.rows.as_of in failing:  # type: ignore[attr-defined]
            raise FloatingPointError("made to fail")
        return compute(self, job)  # type: ignore[arg-type]

    monkeypatch.setattr(Engine, "compute", sometimes)
    async with playing(600.0) as session:
        reading = await until(session, lambda r: r.as_of >= at(10, 5))
        assert any("made to fail" in w for w in reading.health.warnings)
        assert not any("made to fail" in w for w in (await until(
            session, lambda r: r.as_of >= at(10, 6))).health.warnings)  # fmt: skip


async def test_a_server_that_goes_away_is_told_and_what_was_seen_stays() -> None:
    clock = SystemClock()
    with Recording(SAMPLE.path) as recording:
        async with asyncio.timeout(LIMIT):
            server = ReplayServer(recording, clock, 60.0)
            await server.__aenter__()
            async with LiveSession(
                lambda _tap: FeedRunner(
                    ReplayProtocol(server.url),
                    clock,
                    rng=random.Random(1),
                    settings=RunnerSettings(retry_first_s=0.01, retry_most_s=0.02),
                ),
                clock,
                Settings(),
                underlying="SPX",
                replayable=True,
            ) as session:
                reading = await until(session, lambda r: True)
                await server.__aexit__(None, None, None)
                await eventually(lambda: session.status.state == "reconnecting")
                assert session.newest is not None
                assert session.newest.as_of >= reading.as_of
