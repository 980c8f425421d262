"""A moment as a user writes it."""

from __future__ import annotations

import datetime as dt

import pytest

from gexterm.errors import UsageError
from gexterm.market.calendar import at_et
from gexterm.ui.moments import clock, moment

DAY = dt.date(2018, 1, 5)


def at(hour: int, minute: int, second: int = 0, day: dt.date = DAY) -> int:
    return at_et(day, dt.time(hour, minute, second))


BEGINS, NOW, ENDS = at(9, 30), at(11, 0), at(16, 0)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("10:35", at(10, 35)),
        ("10:35:20", at(10, 35, 20)),
        (" 15:45 ET ", at(15, 45)),
        ("20:45 UTC", at(15, 45)),
        ("2018-01-05T10:30", at(10, 30)),
        ("2018-01-05 10:30", at(10, 30)),
        ("-15", at(10, 45)),
        ("−15", at(10, 45)),
        ("-15 min", at(10, 45)),
        ("+5", at(11, 5)),
        ("-0.5", at(10, 59, 30)),
        ("open", at(9, 30)),
        ("Close", at(16, 0)),
        ("begin", BEGINS),
        ("end", ENDS),
        # As far as there is.
        ("-600", BEGINS),
        ("+600", ENDS),
    ],
)
def test_it_is_read_as_a_person_means_it(text: str, wanted: int) -> None:
    assert moment(text, NOW, BEGINS, ENDS) == wanted


@pytest.mark.parametrize("text", ["25:99", "soon", "10", "2018-13-01T10:00", "10:61", "\x1b[31m"])
def test_what_is_no_moment_is_refused_with_what_would_be(text: str) -> None:
    with pytest.raises(UsageError, match="is no moment") as told:
        moment(text, NOW, BEGINS, ENDS)
    assert "10:35" in str(told.value)
    assert "\x1b" not in str(told.value)


def test_what_lies_outside_is_refused_with_what_there_is() -> None:
    with pytest.raises(UsageError, match="from 09:30 to 16:00"):
        moment("8:00", NOW, BEGINS, ENDS)
    with pytest.raises(UsageError, match="outside"):
        moment("2018-01-09T10:00", NOW, BEGINS, ENDS)


def test_an_early_close_is_the_close_of_that_day() -> None:
    day = dt.date(2018, 11, 23)
    assert moment("close", at(10, 0, day=day)) == at(13, 0, day=day)


def test_over_midnight_a_clock_time_is_the_nearest_there_is() -> None:
    before, after = dt.date(2024, 3, 4), dt.date(2024, 3, 5)
    begins, ends = at(20, 0, day=before), at(8, 0, day=after)
    assert moment("7:00", at(21, 0, day=before), begins, ends) == at(7, 0, day=after)
    assert moment("22:00", at(3, 0, day=after), begins, ends) == at(22, 0, day=before)


def test_a_day_without_a_session_has_no_open() -> None:
    with pytest.raises(UsageError, match="no session"):
        moment("open", at(10, 0, day=dt.date(2018, 1, 6)))


def test_a_time_is_shown_with_its_date_only_where_that_is_another() -> None:
    assert clock(NOW, ENDS) == "11:00"
    assert clock(at(11, 0, 5), ENDS) == "11:00:05"
    assert clock(at(11, 0, day=dt.date(2018, 1, 4)), ENDS) == "4 Jan 11:00"
    assert clock(0) == "–"


def test_in_a_live_market_a_time_to_come_is_not_of_yesterday() -> None:
    with pytest.raises(UsageError, match="11:30 has not come yet"):
        moment("11:30", NOW, 0, NOW)
    # A line written just before the minute is full may be entered just after it.
    assert moment("11:01", NOW, 0, NOW) == NOW
    assert moment("10:59", NOW, 0, NOW) == at(10, 59)


def test_in_a_live_market_just_after_midnight_late_in_the_evening_was_yesterday() -> None:
    now = at(0, 10)
    assert moment("23:50", now, 0, now) == at(23, 50, day=dt.date(2018, 1, 4))
