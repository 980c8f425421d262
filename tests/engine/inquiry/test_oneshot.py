"""Files and recordings are asked without a session."""

from __future__ import annotations

import datetime as dt

import pytest

from gexterm.config import Settings
from gexterm.engine.oneshot import ask_recording, reading_of_recording
from gexterm.errors import InputError
from gexterm.market.calendar import at_et
from gexterm.reading.export import to_json
from gexterm.reading.inquiry import Suppose
from gexterm.recording.reader import Recording
from gexterm.recording.samples import find_sample

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
