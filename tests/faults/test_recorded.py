"""A live day with a cut line and a refill in it, through a session and its recording.

Whatever the monitor computed, a replay of the recording computes again, bit for bit.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from gexterm.clock import ManualClock, SystemClock
from gexterm.config import Settings
from gexterm.feeds.replay_protocol import ReplayProtocol
from gexterm.feeds.replay_server import ReplayServer
from gexterm.feeds.runner import FeedRunner
from gexterm.feeds.secrets import redactor
from gexterm.reading.model import Reading
from gexterm.recording.reader import Recording
from gexterm.recording.recorder import Recorder, RecorderSettings
from gexterm.session.live import LiveSession
from tests.faults.market import TELLERS, script
from tests.faults.readings import QUICK, Noted, Stage
from tests.session.test_recorded import heard, same, session_on

EASY = RecorderSettings(min_free_bytes=0)


async def live(venue: str, folder: Path) -> tuple[list[Reading], Path]:
    """A session with a line that is cut, and mended, and the end: its Readings, its recording."""
    told = script("BTC" if venue == "deribit" else "SPX")
    async with TELLERS[venue](told) as teller:
        clock = ManualClock(told.joins)
        recorder = Recorder(
            folder, venue, told.underlying, SystemClock(), EASY, redact=redactor.bytes
        )
        runners: list[Noted] = []

        def make(tap: object) -> Noted:
            made = Noted(teller.protocol(), clock, rng=random.Random(1), settings=QUICK, tap=tap)
            runners.append(made)
            return made

        session = LiveSession(
            make, clock, Settings(), underlying=told.underlying,
            make_recording=lambda _tell: recorder, scope="all", fps=1.0,
        )  # fmt: skip
        readings = heard(session)

        async def listen() -> None:
            async for _ in session.readings():
                pass

        async with session:
            listening = asyncio.create_task(listen())
            async with asyncio.timeout(60):
                while not runners:  # noqa: ASYNC110 - made on a thread
                    await asyncio.sleep(0.001)
            on = Stage(teller, runners[0], clock, 0.0)
            await on.before()
            teller.line.cut()
            await on.during()
            await on.back()
            await on.after()
            core = session._core
            assert core is not None
            while core.ticker.busy:  # noqa: ASYNC110 - a thread's work has no event to wait for
                await asyncio.sleep(0.001)
            assert on.states.count("reconnecting") == 1
            assert on.report.reconnects == 1
            if teller.refills:
                assert len(on.runner.prints) == len(teller.told)
            await session.close()
            await listening
        assert recorder.path is not None and not recorder.trouble and not recorder.lost_rows
        return readings, recorder.path


async def replayed(path: Path, underlying: str, until: int) -> list[Reading]:
    """What a replay of a recording computes."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        recording = stack.enter_context(Recording(path))
        server = await stack.enter_async_context(ReplayServer(recording, clock, 1.0))
        session = session_on(
            lambda _tap: FeedRunner(ReplayProtocol(server.url), clock, rng=random.Random(1)),
            replayable=True, speed=1.0, scope="all",
        )  # fmt: skip
        assert underlying
        # As finely as the session did, however fast it is hurried through.
        session._set_step = lambda: None  # type: ignore[method-assign]
        again = heard(session)
        async with asyncio.timeout(60), session:
            hurried = False
            async for reading in session.readings():
                if not hurried:
                    hurried = True
                    session.set_speed(5000.0)
                if reading.as_of >= until:
                    break
        return again


@pytest.mark.parametrize("venue", ["dxlink", "deribit"])
async def test_a_replay_of_a_disturbed_day_computes_what_was_computed_live(
    venue: str, tmp_path: Path
) -> None:
    told, path = await live(venue, tmp_path)
    assert len(told) >= 20
    assert told[-1].health.reconnects == 1 and told[-1].health.away_s > 0.0
    again = await replayed(path, told[-1].underlying, told[-1].as_of)
    assert [r.as_of for r in again] == [r.as_of for r in told]
    assert [same(r) for r in again] == [same(r) for r in told]
