"""Files and recordings are asked without a session."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gexterm.clock import NS, ManualClock
from gexterm.config import Settings
from gexterm.engine import walk
from gexterm.engine.oneshot import ask_recording, reading_of_recording
from gexterm.errors import InputError
from gexterm.market.calendar import at_et
from gexterm.market.events import SourceInfo
from gexterm.reading.export import to_json
from gexterm.reading.inquiry import Suppose
from gexterm.recording.reader import Recording
from gexterm.recording.samples import find_sample
from gexterm.recording.writer import Writer

SAMPLE = find_sample("first-light")
DATE = dt.date.fromisoformat(SAMPLE.sample.date)


def test_who_is_asked_of_a_recording_knows_its_reading_and_the_day_before_it() -> None:
    when = at_et(DATE, dt.time(10, 3))
    with Recording(SAMPLE.path) as recording:
        ask = ask_recording(recording, Settings(), at=when, scope="0dte")
        assert to_json(ask.reading) == to_json(
            reading_of_recording(recording, Settings(), at=when, scope="0dte")
        )
    assert ask.reading.as_of == when
    there = ask.supposed(Suppose(-0.005, 1.0, 60.0))
    assert there.base is ask.reading
    assert there.reading.spot == pytest.approx(0.995 * ask.reading.spot)
    assert ask.curves().as_of == when


def test_what_a_recording_does_not_hold_cannot_be_asked() -> None:
    with Recording(SAMPLE.path) as recording, pytest.raises(InputError, match="holds nothing"):
        ask_recording(recording, Settings(), at=at_et(DATE, dt.time(15, 0)))


@pytest.mark.parametrize("name", ["gex-target", "first-light"])
def test_a_time_reads_alike_on_the_way_at_the_end_and_asked_for(name: str) -> None:
    """Prices of that very moment come a little later, and belong to it all the same."""
    with Recording(find_sample(name).path) as recording:
        when = recording.begins + 20 * 60 * NS
        run = walk.readings(recording, Settings(), view="combined", scope="0dte")
        passed = next(each for each in run if each.as_of == when)
        *_, last = walk.readings(recording, Settings(), view="combined", scope="0dte", end=when)
        asked = reading_of_recording(recording, Settings(), at=when, view="combined", scope="0dte")
    assert to_json(passed) == to_json(last) == to_json(asked)


def late(event: Any, by: int) -> Any:
    """The same, received so many ns later."""
    if isinstance(event, SourceInfo):
        return dataclasses.replace(event, mode="delayed", delay_s=by / NS)
    recv = getattr(event, "recv", None)
    if recv is None:
        return event
    later = np.asarray(recv) + by if np.ndim(recv) else recv + by
    return dataclasses.replace(event, recv=later)


def test_a_delayed_feed_is_read_at_the_times_of_the_market(tmp_path: Path) -> None:
    """At 10:20 of the market, whenever that was heard; and its end is the market's."""
    by = 900 * NS
    path = tmp_path / "delayed.gexrec"
    with Recording(SAMPLE.path) as prompt:
        with Writer(path, late(prompt.info, by), ManualClock(prompt.ends + by)) as file:
            for event in prompt.events():
                if not isinstance(event, SourceInfo):
                    file.write(late(event, by))
        with Recording(path) as delayed:
            assert (delayed.market_begins, delayed.market_ends) == (prompt.begins, prompt.ends)
            for at in (at_et(DATE, dt.time(10, 20)), None):
                there, here = (
                    reading_of_recording(each, Settings(), at=at) for each in (delayed, prompt)
                )
                assert there.as_of == here.as_of
                assert there.spot == here.spot
                assert there.gamma.gex_per_1pct == here.gamma.gex_per_1pct
                assert there.zero_dte.seconds_left == here.zero_dte.seconds_left
                assert there.health.quote_age_p50_s == here.health.quote_age_p50_s
            times = [
                [(each.as_of, each.spot) for each in walk.readings(one, Settings(), every_s=600.0)]
                for one in (delayed, prompt)
            ]
            assert times[0] == times[1]
            with pytest.raises(InputError, match="from 2026-11-13 10:00 to 10:35"):
                reading_of_recording(delayed, Settings(), at=at_et(DATE, dt.time(10, 45)))
