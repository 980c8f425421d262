"""The white paper's tables and the rates read from them."""

import datetime as dt
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gexterm.errors import InputError
from gexterm.reference.white_paper import (
    PARADIGMS,
    SOURCE,
    base_rate,
    reading_times,
    table,
)
from tests.shared_data import shared

TABLES = [
    "table2_paradigm_share",
    "table2_summary",
    "table3_bofa",
    "table4_gex",
    "table5_antigex",
    "table6_gex_transitions",
    "table7_antigex_transitions",
    "corrections",
]


def at(clock: str) -> dt.time:
    return dt.time.fromisoformat(clock)


# --- tables ------------------------------------------------------------------------


def test_readings_are_half_an_hour_apart_from_9_35_to_16_05() -> None:
    times = reading_times()
    assert (times[0], times[-1], len(times)) == (at("09:35"), at("16:05"), 14)


def test_every_day_has_one_paradigm_at_every_reading() -> None:
    for row in table("table2_paradigm_share"):
        assert sum(int(row[f"{p}_count"]) for p in PARADIGMS) == int(row["days"])
        for p in PARADIGMS:
            share = 100.0 * int(row[f"{p}_count"]) / int(row["days"])
            assert float(row[f"{p}_pct"]) == pytest.approx(share, abs=0.006)


@pytest.mark.parametrize(
    ("name", "paradigm"),
    [
        ("table3_bofa", "BofA"),
        ("table4_gex", "GEX"),
        ("table5_antigex", "Anti-GEX"),
        ("table6_gex_transitions", "GEX"),
        ("table7_antigex_transitions", "Anti-GEX"),
    ],
)
def test_occurrences_agree_between_tables(name, paradigm) -> None:
    shares = {row["time_et"]: row for row in table("table2_paradigm_share")}
    for row in table(name):
        assert row["occurrences"] == shares[row["time_et"]][f"{paradigm}_count"]


@pytest.mark.parametrize("name", ["table6_gex_transitions", "table7_antigex_transitions"])
def test_every_reading_ends_at_its_target_in_failure_or_in_neither(name) -> None:
    for row in table(name):
        ends = sum(int(row[f"{end}_count"]) for end in ("Target", "Neutral", "Fail"))
        assert ends == int(row["occurrences"])


def test_wins_of_bofa_add_up_to_the_paper_s_own_total() -> None:
    rows = table("table3_bofa")
    assert sum(int(row["wins"]) for row in rows) == 1112
    assert sum(int(row["occurrences"]) for row in rows) == 1136


@pytest.mark.parametrize("name", TABLES)
def test_the_packaged_tables_are_the_cleaned_ones(name) -> None:
    packaged = resources.files("gexterm.reference") / "data" / f"{name}.csv"
    assert packaged.read_bytes() == shared(f"reference/{name}.csv").read_bytes()


def test_the_source_is_packaged_with_them() -> None:
    note = (resources.files("gexterm.reference") / "data" / "SOURCE.md").read_text("utf-8")
    assert "Volland / Ad Deum Funds" in note
    for name in TABLES:
        assert name in note


def test_a_table_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match="table99"):
        table("table99")


# --- rates -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("paradigm", "clock", "wins", "occurrences", "read_at"),
    [
        ("BofA", "09:35", 57, 61, "09:35"),
        ("BofA", "10:59:59", 72, 73, "10:35"),
        ("GEX", "12:10", 8, 39, "12:05"),
        ("Anti-GEX", "15:59", 1, 10, "15:35"),
        ("Sidial", "11:00", 36, 120, "10:35"),
    ],
)
def test_the_rate_is_that_of_the_last_reading_before_now(
    paradigm, clock, wins, occurrences, read_at
) -> None:
    rate = base_rate(paradigm, at(clock))
    assert rate is not None
    assert (rate.wins, rate.occurrences, rate.read_at) == (wins, occurrences, at(read_at))
    assert rate.rate == pytest.approx(wins / occurrences)
    assert rate.source == SOURCE


def test_the_share_is_that_of_the_days_read_so_at_that_time() -> None:
    rate = base_rate("GEX", at("09:40"))
    assert rate is not None
    assert rate.share == pytest.approx(58 / 144)
    assert rate.days == 144
    assert sum(base_rate(p, at("14:00")).share for p in PARADIGMS) == pytest.approx(1.0)


def test_sidial_is_pooled_and_its_tolerance_unstated() -> None:
    rate = base_rate("Sidial", at("13:00"))
    assert rate is not None
    assert rate.pooled
    assert rate.rate == pytest.approx(0.30)
    assert "not stated" in rate.note
    assert not base_rate("BofA", at("13:00")).pooled


@pytest.mark.parametrize("clock", ["00:00", "09:30", "09:34:59", "16:00", "16:05", "23:59"])
@pytest.mark.parametrize("paradigm", PARADIGMS)
def test_before_the_first_reading_and_after_the_close_there_is_no_rate(paradigm, clock) -> None:
    assert base_rate(paradigm, at(clock)) is None


@pytest.mark.parametrize("paradigm", ["Mixed", "No data", "", "gex"])
def test_what_the_paper_does_not_know_has_no_rate(paradigm) -> None:
    assert base_rate(paradigm, at("11:00")) is None


def test_an_early_close_has_no_rate() -> None:
    assert base_rate("BofA", at("11:00"), early_close=True) is None


@given(clock=st.times(), paradigm=st.sampled_from(PARADIGMS))
def test_a_rate_is_a_count_of_what_was_seen(clock, paradigm) -> None:
    rate = base_rate(paradigm, clock)
    assert (rate is None) == (not at("09:35") <= clock < at("16:00"))
    if rate is not None:
        assert 0 <= rate.wins <= rate.occurrences
        assert 0.0 <= rate.share <= 1.0
        assert rate.read_at <= clock
