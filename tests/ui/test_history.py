"""What glows when it changes, and what a step back in time makes the day forget."""

from __future__ import annotations

from dataclasses import replace

from gexterm.reading.day import DayLog, Mark
from gexterm.reading.model import Reading
from gexterm.ui.history import History
from tests.ui.fakes import reading

NS = 1_000_000_000


def with_wall(found: Reading, wall: float) -> Reading:
    return replace(found, gamma=replace(found.gamma, call_wall=wall))


def test_a_level_that_changed_glows_for_a_while() -> None:
    now, history = reading(), History(3.0)
    history.note(with_wall(now, 6050.0), 100.0)
    assert not history.fresh(100.0)
    history.note(with_wall(now, 6060.0), 101.0)
    assert history.fresh(103.9) == {"call_wall"}
    assert not history.fresh(104.1)


def test_another_book_makes_nothing_glow() -> None:
    now, history = reading(), History(3.0)
    history.note(with_wall(now, 6050.0), 100.0)
    other = replace(with_wall(now, 6060.0), scope="all")
    history.note(other, 101.0)
    assert not history.fresh(101.0)


def test_a_level_that_is_not_known_any_more_does_not_glow() -> None:
    now, history = reading(), History(3.0)
    history.note(with_wall(now, 6050.0), 100.0)
    history.note(with_wall(now, float("nan")), 101.0)
    assert not history.fresh(101.0)


def test_winding_back_forgets_rows_that_have_not_happened_yet_and_keeps_the_marks() -> None:
    now, day = reading(), DayLog()
    for minutes in (-30, -20, -10, 0):
        then = replace(now, as_of=now.as_of + minutes * 60 * NS)
        day.note(then)
        day.mark(Mark(then.as_of, "alert", "spot up through the flip", "notice"))
    back = now.as_of - 15 * 60 * NS
    day.note(replace(now, as_of=back))
    assert all(row.at <= back for row in day.rows)
    assert all(one.at <= back for one in day.slices)
    assert len(day.marks) == 4
