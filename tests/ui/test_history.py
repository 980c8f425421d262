"""What the desk remembers, and what a step back in time makes it forget."""

from __future__ import annotations

import math
from dataclasses import replace

from gexterm.alerts.model import Alert
from gexterm.ui.history import History
from tests.ui.fakes import reading

NS = 1_000_000_000


def alert(at: int) -> Alert:
    return Alert(at, "flip crossed", "notice", "spot up through the flip", math.nan, True)


def test_winding_back_forgets_alerts_and_points_that_have_not_happened_yet() -> None:
    now = reading()
    history = History(0.0)
    for minutes in (-30, -20, -10, 0):
        then = replace(now, as_of=now.as_of + minutes * 60 * NS)
        history.note(then, 0.0)
        history.alerts.append(alert(then.as_of))
    history.note(replace(now, as_of=now.as_of - 15 * 60 * NS), 0.0)
    assert [(a.at - now.as_of) // (60 * NS) for a in history.alerts] == [-30, -20]
    assert all(sample.at <= now.as_of - 15 * 60 * NS for sample in history.samples)


def test_an_alert_that_comes_just_before_its_reading_stays() -> None:
    now = reading()
    history = History(0.0)
    history.note(now, 0.0)
    history.alerts.append(alert(now.as_of + NS))
    history.note(replace(now, as_of=now.as_of + NS // 2), 0.0)
    assert len(history.alerts) == 1
