"""The session calendar against two others, and times as users write them."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.errors import UsageError
from gexterm.market import calendar

FIRST, LAST = dt.date(2015, 1, 1), dt.date(2027, 12, 31)
DAYS = [FIRST + dt.timedelta(days=n) for n in range((LAST - FIRST).days + 1)]


@pytest.fixture(scope="module")
def nyse() -> dict[dt.date, tuple[int, int]]:
    """Open and close of every session, ns, as exchange-calendars has it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import exchange_calendars

        oracle = exchange_calendars.get_calendar("XNYS", start=str(FIRST), end=str(LAST))
    schedule = oracle.schedule
    return {
        day.date(): (opens.value, closes.value)
        for day, opens, closes in zip(
            schedule.index,
            schedule["open"].dt.as_unit("ns"),
            schedule["close"].dt.as_unit("ns"),
            strict=True,
        )
    }


@pytest.fixture(scope="module")
def cboe() -> dict[dt.date, int]:
    """Close of index options, ns, as pandas-market-calendars has it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandas_market_calendars

        schedule = pandas_market_calendars.get_calendar("CBOE_Index_Options").schedule(
            str(FIRST), str(LAST)
        )
    closes = schedule["market_close"].dt.as_unit("ns")
    return {day.date(): close.value for day, close in zip(schedule.index, closes, strict=True)}


def test_sessions_are_those_of_both_oracles(
    nyse: dict[dt.date, tuple[int, int]], cboe: dict[dt.date, int]
) -> None:
    ours = {day for day in DAYS if calendar.is_session(day)}
    assert ours == nyse.keys() == cboe.keys()
    assert len(ours) > 3200


def test_opens_and_closes_are_the_oracle_s_to_the_nanosecond(
    nyse: dict[dt.date, tuple[int, int]],
) -> None:
    for day, (opens, closes) in nyse.items():
        assert calendar.session_open_ns(day) == opens, day
        assert calendar.session_close_ns(day) == closes, day


def test_index_options_trade_a_quarter_of_an_hour_longer_half_days_too(
    cboe: dict[dt.date, int],
) -> None:
    differ = {day for day, close in cboe.items() if calendar.index_close_ns(day) != close}
    # That oracle takes Christmas Eve for a full day; the exchange closes early.
    assert {(day.month, day.day) for day in differ} == {(12, 24)}
    assert all(calendar.early_close(day) for day in differ)


def test_early_closes_are_sessions_that_end_at_one(nyse: dict[dt.date, tuple[int, int]]) -> None:
    early = [day for day in DAYS if calendar.early_close(day)]
    assert all(calendar.is_session(day) for day in early)
    assert {
        day for day, (opens, closes) in nyse.items() if closes - opens < 5 * 3600 * 10**9
    } == set(early)


def test_days_of_mourning_are_no_sessions() -> None:
    assert not calendar.is_session(dt.date(2018, 12, 5))
    assert not calendar.is_session(dt.date(2025, 1, 9))


@settings(max_examples=80, deadline=None)
@given(st.dates(dt.date(2000, 1, 1), dt.date(2099, 12, 31)))
def test_previous_and_next_session_step_over_nothing_but_closed_days(day: dt.date) -> None:
    before, after = calendar.previous_session(day), calendar.next_session(day)
    assert before < day < after
    between = [
        before + dt.timedelta(days=n)
        for n in range(1, (after - before).days)
        if before + dt.timedelta(days=n) != day
    ]
    assert calendar.is_session(before) and calendar.is_session(after)
    assert not any(map(calendar.is_session, between))
    assert calendar.session_on_or_before(day) == (day if calendar.is_session(day) else before)


@settings(max_examples=100, deadline=None)
@given(st.integers(946_684_800 * 10**6, 4_102_444_800 * 10**6))
def test_an_instant_survives_the_way_through_new_york(microseconds: int) -> None:
    when_ns = microseconds * 1000
    assert calendar.ns(calendar.et(when_ns)) == when_ns
    assert calendar.ns(calendar.utc(when_ns)) == when_ns


def test_a_time_without_a_zone_is_no_instant() -> None:
    with pytest.raises(ValueError, match="zone"):
        calendar.ns(dt.datetime(2018, 1, 5, 10, 30))


HALF_PAST_TEN = 1_515_166_200_000_000_000  # 2018-01-05 15:30 UTC


@pytest.mark.parametrize(
    "text",
    [
        "10:30",
        " 10:30:00 ",
        "2018-01-05 10:30",
        "2018-01-05T10:30",
        "2018-01-05T10:30:00-05:00",
        "2018-01-05T15:30:00Z",
        "2018-01-05T15:30:00+00:00",
    ],
)
def test_users_write_one_instant_in_many_ways(text: str) -> None:
    assert calendar.parse_when(text, dt.date(2018, 1, 5)) == HALF_PAST_TEN


def test_a_full_time_needs_no_date() -> None:
    assert calendar.parse_when("2018-01-05 10:30") == HALF_PAST_TEN


@pytest.mark.parametrize(
    "text",
    [
        "",
        "noon",
        "25:00",
        "10:61",
        "1030",
        "10.30",
        "2018-01-05",
        "2018-13-05 10:30",
        "10:30 PM",
        "-1:30",
        "١٠:٣٠",
        "[red]10:30",
        "9999-12-31T23:59:59-23:59",
        "0001-01-01 10:30",
        "\x1b[2J",
    ],
)
def test_other_texts_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        calendar.parse_when(text, dt.date(2018, 1, 5))
    assert "2018-01-05 10:30" in str(caught.value)
    assert "\x1b" not in str(caught.value) and "[" not in str(caught.value)


def test_a_clock_time_without_a_date_asks_for_one() -> None:
    with pytest.raises(UsageError, match="needs a date"):
        calendar.parse_when("10:30")


def test_a_time_that_clocks_skip_is_refused() -> None:
    with pytest.raises(UsageError, match="go forward"):
        calendar.parse_when("2018-03-11 02:30")


def test_third_fridays() -> None:
    assert calendar.third_friday(2025, 11) == dt.date(2025, 11, 21)
    assert calendar.third_friday(2019, 2) == dt.date(2019, 2, 15)


def test_holidays_are_loaded_only_when_a_date_is_asked_for() -> None:
    code = (
        "import sys, gexterm.market.settlement, gexterm.market.symbols as s;"
        "s.parse('SPXW251121C06600000');"
        "assert 'holidays' not in sys.modules;"
        "import datetime as dt; from gexterm.market import calendar;"
        "calendar.is_session(dt.date(2025, 11, 21));"
        "assert 'holidays' in sys.modules;"
        "assert not {'pandas', 'exchange_calendars'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
