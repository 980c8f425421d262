"""The past of a live session, while it is being recorded."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gexterm.clock import NS, SystemClock
from gexterm.config import Settings
from gexterm.errors import RecordingError
from gexterm.market.events import ClockTick, Event, SourceInfo
from gexterm.reading.model import Reading
from gexterm.recording.codec import event_time
from gexterm.recording.reader import Recording
from gexterm.recording.recorder import Recorder, RecorderSettings
from gexterm.recording.samples import find_sample
from gexterm.recording.writer import Writer
from gexterm.session.live import LiveSession
from gexterm.session.past import past_of, recording_of
from tests.session.scripted import ScriptedRunner

SETTINGS = RecorderSettings(min_free_bytes=0, frames=False, flush_s=0.02)
CLOCK = SystemClock()


def market(seconds: int) -> list[list[Event]]:
    """The beginning of a simulated day as a venue would tell it, a batch each second."""
    with Recording(find_sample("bofa").path) as recording:
        begins = recording.begins
        info = replace(recording.info, mode="live", feed="venue", begins=0, ends=0)
        batches: list[list[Event]] = [[info]]
        second = begins // NS
        for event in recording.events(end=begins + seconds * NS):
            if isinstance(event, SourceInfo | ClockTick):
                continue
            while event_time(event) // NS > second:
                second += 1
                batches.append([ClockTick(second * NS)])
            batches[-1].append(event)
    return batches


class Live:
    """A live session that is told batches by hand, and recorded."""

    def __init__(self, folder: Path, batches: list[list[Event]], *, recorded: bool = True) -> None:
        self.gates = [asyncio.Event() for _ in batches]
        self.published: list[Reading] = []
        self.recorder = Recorder(folder, "venue", "SPX", CLOCK, SETTINGS)

        async def between(number: int) -> None:
            core = self.session._core
            while core is not None and core.ticker.busy:  # noqa: ASYNC110 - a thread's work
                await asyncio.sleep(0.001)
            await self.gates[number].wait()

        runner = ScriptedRunner([*batches, []], between)
        self.gates.append(asyncio.Event())
        self.session = LiveSession(
            lambda _tap: runner,  # type: ignore[arg-type,return-value]
            CLOCK,
            Settings(),
            underlying="SPX",
            view="customer-flow",
            make_recording=(lambda _tell: self.recorder) if recorded else None,
        )
        publish = self.session._publish

        def note(reading: Reading) -> None:
            self.published.append(reading)
            publish(reading)

        self.session._publish = note  # type: ignore[method-assign]

    async def tell(self, first: int, end: int) -> None:
        """Let it hear the batches from `first` to before `end`, and have them written."""
        for gate in self.gates[first:end]:
            gate.set()
        while len(self.published) < end - 4:  # noqa: ASYNC110 - the test's limit is the bound
            await asyncio.sleep(0.005)
        await self.recorder.flushed()


@asynccontextmanager
async def live(folder: Path, seconds: int = 60, *, recorded: bool = True) -> AsyncIterator[Live]:
    batches = market(seconds)
    made = Live(folder, batches, recorded=recorded)
    async with asyncio.timeout(60), made.session:
        listening = asyncio.ensure_future(anext(made.session.readings()))
        yield made
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def reads(session: LiveSession, at: int) -> Reading:
    """The Reading of a time, once a seek has come there."""
    listening = asyncio.ensure_future(anext(session.readings()))
    while session.goal or session.newest is None or session.newest.as_of != at:  # noqa: ASYNC110
        await asyncio.sleep(0.002)
    listening.cancel()
    return session.newest


def agree(one: Reading, other: Reading) -> bool:
    """Positions to the bit; exposures as closely as smiles fitted from other beginnings agree."""
    exact = ["strike", "position", "position_flow", "call_oi", "put_oi", "quote_age_s"]
    if not one.strikes.select(exact).equals(other.strikes.select(exact)):
        return False
    scaled = [
        (a, b, np.nanmax(np.abs(b), initial=1.0))
        for name in ("gex", "charm", "vanna", "vega", "delta", "decay")
        for a, b in [(one.strikes[name].to_numpy(), other.strikes[name].to_numpy())]
    ]
    return one.spot == other.spot and all(
        np.allclose(a / most, b / most, rtol=0, atol=2e-3, equal_nan=True) for a, b, most in scaled
    )


async def test_the_past_reads_as_live_did_and_live_goes_on(tmp_path: Path) -> None:
    async with live(tmp_path) as here:
        await here.tell(0, 30)
        then = here.published[12]
        made = here.session.past(then.as_of)
        assert made is not None
        async with made as past:
            assert past.replayable
            assert past.view == here.session.view
            reading = await reads(past, then.as_of)
            assert reading.as_of == then.as_of
            assert reading.source.mode == "replay"
            assert agree(reading, then)
            assert past.paused
            before = len(here.published)
            await here.tell(30, 50)
            assert len(here.published) > before + 10
            # What has come since can be gone to as well.
            later = here.published[-5]
            past.seek(later.as_of)
            assert agree(await reads(past, later.as_of), later)
        assert here.recorder.on
        assert not here.recorder.lost_rows


async def test_each_tick_of_the_past_is_one_that_live_computed(tmp_path: Path) -> None:
    async with live(tmp_path) as here:
        await here.tell(0, 40)
        times = [reading.as_of for reading in here.published]
        made = here.session.past(times[20])
        assert made is not None
        async with made as past:
            await reads(past, times[20])
            at = 20
            for ticks in (1, 1, -1, -1, -1, 4):
                past.step(ticks)
                at += ticks
                while past.goal or past.newest is None or past.newest.as_of != times[at]:  # noqa: ASYNC110
                    await asyncio.sleep(0.002)
                then = here.published[at]
                assert agree(past.newest, then)


async def test_live_is_heard_while_its_past_catches_up(tmp_path: Path) -> None:
    async with live(tmp_path, 90) as here:
        await here.tell(0, 70)
        made = here.session.past(here.published[60].as_of)
        assert made is not None
        async with made as past:
            listening = asyncio.ensure_future(anext(past.readings()))
            heard: list[int] = []
            telling = asyncio.create_task(here.tell(70, 88))
            while past.newest is None or past.goal:
                heard.append(len(here.published))
                await asyncio.sleep(0)
            await telling
            await listening
            # Not first the one and then the other.
            assert len(set(heard)) > 3


async def test_nothing_recorded_has_no_past(tmp_path: Path) -> None:
    async with live(tmp_path, 5, recorded=False) as here:
        assert here.session.past(1) is None


async def test_a_past_has_no_past_of_its_own(tmp_path: Path) -> None:
    async with live(tmp_path) as here:
        await here.tell(0, 20)
        made = here.session.past(here.published[5].as_of)
        assert made is not None
        async with made as past:
            assert past.past(here.published[3].as_of) is None


async def test_before_anything_is_written_it_is_told(tmp_path: Path) -> None:
    path = tmp_path / "2026-11-20T093000.gexrec"
    info = SourceInfo("SPX", "venue", "live")
    with Writer(path, info, CLOCK), pytest.raises(RecordingError, match="nothing is recorded yet"):
        async with past_of(
            path, 5, CLOCK, Settings(), underlying="SPX", view="combined", scope="0dte"
        ):
            pass


def test_a_time_is_looked_for_in_the_recording_that_holds_it(tmp_path: Path) -> None:
    begins = int(dt.datetime(2026, 11, 20, 15, tzinfo=dt.UTC).timestamp()) * NS
    info = SourceInfo("SPX", "venue", "live")
    paths = []
    for hour in range(3):
        path = tmp_path / f"2026-11-20T{10 + hour}0000.gexrec"
        at = begins + hour * 3600 * NS
        with Writer(path, info, CLOCK) as writer:
            for minute in range(31):
                writer.write(ClockTick(at + minute * 60 * NS))
        paths.append(path)
    newest = paths[-1]
    hour_ns = 3600 * NS
    assert recording_of(newest, begins + 60 * NS) == paths[0]
    assert recording_of(newest, begins + hour_ns) == paths[1]
    # In a hole, the one that begins after it; before everything, the first.
    assert recording_of(newest, begins + hour_ns + 2400 * NS) == paths[2]
    assert recording_of(newest, begins - hour_ns) == paths[0]
    # The one being written is not at its end yet.
    assert recording_of(newest, begins + 5 * hour_ns) == newest
    (tmp_path / "2026-11-20T103000.gexrec").write_bytes(b"torn")
    assert recording_of(newest, begins + 60 * NS) == paths[0]
