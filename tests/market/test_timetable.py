"""Clock times as users write them, on the days that have a session."""

from __future__ import annotations

import datetime as dt

import pytest

from gexterm.errors import UsageError
from gexterm.market.calendar import at_et
from gexterm.market.timetable import parse

FRIDAY = dt.date(2026, 11, 20)
SATURDAY = dt.date(2026, 11, 21)
THANKSGIVING = dt.date(2026, 11, 26)
EARLY = dt.date(2026, 11, 27)


def clock(text: str) -> dt.time:
    return dt.time.fromisoformat(text)


def test_the_paper_observes_every_half_hour_from_935_to_1605() -> None:
    times = parse("paper").times
    assert len(times) == 14
    assert (times[0], times[1], times[-1]) == (clock("09:35"), clock("10:05"), clock("16:05"))
    assert parse("Paper") == parse("09:35-16:05/30")


def test_ranges_and_times_are_put_in_order_and_each_once() -> None:
    assert parse("15:30, 10:00-11:00/30, 10:30").times == (
        clock("10:00"), clock("10:30"), clock("11:00"), clock("15:30"),
    )  # fmt: skip
    assert parse("  ").times == ()


@pytest.mark.parametrize(
    "text", ["noon", "25:00", "10:60", "10:00-09:00/30", "10:00-11:00/0", "10:00-11:00", "10:00/5"]
)
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no time of day"):
        parse(text)


def test_days_without_a_session_have_none() -> None:
    assert parse("paper").on(SATURDAY) == ()
    assert parse("paper").on(THANKSGIVING) == ()
    assert len(parse("paper").on(FRIDAY)) == 14


def test_an_early_close_cuts_the_day_a_quarter_of_an_hour_after_it() -> None:
    slots = parse("paper").on(EARLY)
    assert slots[-1] == at_et(EARLY, clock("13:05"))
    assert len(slots) == 8


def test_a_market_that_never_closes_has_all_of_them_every_day() -> None:
    assert len(parse("paper, 03:00").on(SATURDAY, continuous=True)) == 15


def test_a_time_that_the_clocks_skip_is_left_out() -> None:
    spring = dt.date(2026, 3, 8)
    assert parse("02:30").on(spring, continuous=True) == ()
    assert len(parse("02:30, 03:30").on(spring, continuous=True)) == 1


def test_between_takes_what_lies_after_one_instant_up_to_another() -> None:
    table = parse("10:00, 10:30")
    ten, half = (at_et(FRIDAY, clock(t)) for t in ("10:00", "10:30"))
    assert table.between(ten - 1, half) == (ten, half)
    assert table.between(ten, half - 1) == ()
    assert table.between(ten, half) == (half,)


def test_midnight_is_no_border() -> None:
    table = parse("23:55, 00:05")
    late = at_et(SATURDAY, clock("23:50"))
    early = at_et(dt.date(2026, 11, 22), clock("00:10"))
    assert len(table.between(late, early, continuous=True)) == 2
