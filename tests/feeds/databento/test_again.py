"""A recorded session of frames, a cut in it, says again what it said, bit for bit."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from gexterm.clock import NS, ScaledClock, SystemClock
from gexterm.feeds.refeed import refeed
from gexterm.feeds.runner import FeedRunner
from gexterm.market.events import Event, Trades
from gexterm.recording.frames import Frames
from gexterm.recording.reader import Recording
from gexterm.recording.recorder import Recorder, RecorderSettings
from tests.feeds.databento.made import CALL, NOON, prints, session
from tests.feeds.databento.test_session import QUICK, gateway, now_tape
from tests.feeds.listening import until
from tests.feeds.test_refeed import as_recorded, from_the_market
from tests.recording import made
from tests.venues import databento as venue
from tests.venues.line import Line


async def test_a_recorded_session_says_the_same_again(tmp_path: Path) -> None:
    clock = ScaledClock(SystemClock(), NOON)
    easy = RecorderSettings(min_free_bytes=0)
    told: list[Event] = []
    async with gateway() as fake, Line(fake.port) as line:
        protocol = session(url=line.url(scheme="tcp"))
        async with Recorder(tmp_path, "databento", "SPX", clock, easy) as recorder:
            runner = FeedRunner(
                protocol, clock, rng=random.Random(1), settings=QUICK, tap=recorder.tap
            )
            async with runner:

                async def take() -> None:
                    async for batch in runner.events():
                        for event in batch:
                            recorder.event(event)
                        told.extend(batch)

                taking = asyncio.create_task(take())
                await until(lambda: len(prints(told)) == 50)
                await fake.publish(*now_tape(100))
                await until(lambda: len(prints(told)) == 150)
                line.cut_after(1234)
                await fake.publish(
                    *now_tape(50, after=100), venue.cbbo(CALL, 1000, NOON + NS, 1.0, 2.0, "cbbo-1m")
                )
                await until(lambda: len(prints(told)) == 200)
            await taking
        assert recorder.trouble == ""
        assert recorder.path is not None
        assert recorder.frames_path is not None
        recorded, raw = recorder.path, recorder.frames_path
    with Recording(recorded) as recording:
        heard = from_the_market(list(recording.events()))
    with Frames(raw) as frames:
        again = from_the_market(list(refeed(frames, session())))
        assert not frames.warnings
    assert line.cuts == 1
    assert sum(len(e.contract) for e in heard if isinstance(e, Trades)) == 200
    assert made.same_all(list(map(as_recorded, again)), list(map(as_recorded, heard)))
