"""Which snapshots are due of their own accord."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gexterm.alerts.model import Alert
from gexterm.market.calendar import at_et
from gexterm.market.timetable import parse
from gexterm.reading.model import ExpiryLine, Reading, Source
from gexterm.snapshots.keeper import GRACE_S, JUMP_S, Keeper, KeeperSettings, due_slot
from tests.reading.readings import reading

NS = 1_000_000_000
FRIDAY = dt.date(2026, 11, 20)


def at(clock: str, seconds: float = 0.0, day: dt.date = FRIDAY) -> int:
    return at_et(day, dt.time.fromisoformat(clock)) + round(seconds * NS)


def seen(when: int, mode: str = "live", **changes: object) -> Reading:
    return reading(as_of=when, source=Source("test", mode), **changes)  # type: ignore[arg-type]


def keeper(times: str = "paper", on: str = "", **more: object) -> Keeper:
    return Keeper(KeeperSettings.of(times, on, **more))  # type: ignore[arg-type]


def alert(when: int, kind: str = "lis breached", **more: object) -> Alert:
    told = {"severity": "warning", "text": "a line broke", "level": 6045.0, "replay": False}
    return Alert(when, kind, **{**told, **more})  # type: ignore[arg-type]


def test_a_slot_that_was_passed_is_due_once() -> None:
    watch = keeper()
    assert watch.due(seen(at("10:04", 59.9))) is None
    reason = watch.due(seen(at("10:05")))
    assert reason is not None
    assert (reason.why, reason.words, reason.late_s) == ("schedule", "the 10:05 ET slot", 0.0)
    assert watch.due(seen(at("10:05", 0.1))) is None


def test_a_late_slot_says_how_late() -> None:
    watch = keeper()
    watch.due(seen(at("10:04", 30)))
    reason = watch.due(seen(at("10:06", 10)))
    assert reason is not None
    assert reason.late_s == 70.0
    assert reason.taken(5).late_s == 70.0


def test_the_first_reading_makes_nothing_due() -> None:
    assert keeper().due(seen(at("10:05"))) is None


def test_a_slot_more_than_two_minutes_back_is_gone() -> None:
    watch = keeper()
    watch.due(seen(at("10:04", 30)))
    assert watch.due(seen(at("10:07", 1))) is None


@pytest.mark.parametrize("to", ["10:30", "15:04", "09:40"])
def test_a_jump_or_a_rewind_makes_none_due(to: str) -> None:
    watch = keeper()
    watch.due(seen(at("10:04")))
    assert watch.due(seen(at(to))) is None


def test_a_short_jump_that_was_told_makes_none_due() -> None:
    watch = keeper()
    watch.due(seen(at("10:04")))
    watch.reset()
    assert watch.due(seen(at("10:05", 30))) is None


def test_replays_are_kept_only_when_asked_for() -> None:
    for mode in ("replay", "simulated", "file"):
        for replays in (False, True):
            watch = keeper(replays=replays)
            watch.due(seen(at("10:04"), mode))
            assert (watch.due(seen(at("10:05"), mode)) is not None) is replays


def test_another_underlying_begins_anew() -> None:
    watch = keeper()
    watch.due(seen(at("10:04")))
    assert watch.due(seen(at("10:05"), underlying="NDX")) is None


def test_a_holiday_has_no_slots_but_a_market_around_the_clock_has() -> None:
    day = dt.date(2026, 11, 26)
    line = ExpiryLine("2026-11-27", "BTC", "08:00 UTC", 1, 0.1, 1, 0.5, "svi", 2, 0, 0, 0, 0)
    for lines, due in (((), False), ((line,), True)):
        watch = keeper()
        watch.due(seen(at("10:04", day=day), expiries=lines))
        assert (watch.due(seen(at("10:05", day=day), expiries=lines)) is not None) is due


def test_without_times_nothing_is_ever_due() -> None:
    watch = keeper("")
    watch.due(seen(at("10:04")))
    assert watch.due(seen(at("10:05"))) is None


@given(
    st.lists(st.floats(0.05, GRACE_S), min_size=1, max_size=300).map(
        lambda steps: [round(step * NS) for step in steps]
    )
)
def test_however_finely_time_passes_every_slot_is_due_exactly_once(steps: list[int]) -> None:
    times = parse("09:35-16:05/5")
    now, due = at("09:50"), []
    for step in steps:
        slot = due_slot(times, now, now + step)
        due += [slot] if slot else []
        now += step
    assert due == list(times.between(at("09:50"), now))


@given(st.integers(0, 10**15), st.integers(0, 10**15))
def test_a_slot_is_never_taken_early_late_or_over_a_jump(before: int, after: int) -> None:
    start = at("09:00")
    slot = due_slot(parse("paper"), start + before, start + after)
    if slot:
        assert start + before < slot <= start + after <= slot + GRACE_S * NS
        assert after - before <= JUMP_S * NS


def test_a_named_kind_has_one_taken_and_a_storm_of_them_one() -> None:
    watch = keeper("", "lis breached, my own rule")
    reason = watch.wants(alert(at("10:00")))
    assert reason is not None
    assert reason.why == "alert"
    assert reason.alert is not None
    assert reason.alert["kind"] == "lis breached"
    assert reason.alert["at"].endswith("Z")
    assert [watch.wants(alert(at("10:00", s))) for s in range(1, 300, 7)] == [None] * 43
    assert watch.wants(alert(at("10:05"))) is not None


def test_a_rule_of_the_users_own_is_known_by_its_name() -> None:
    watch = keeper("", "near the wall")
    assert watch.wants(alert(at("10:00"))) is None
    found = watch.wants(alert(at("10:00"), "rule", rule="Near the wall"))
    assert found is not None
    assert found.alert is not None
    assert found.alert["rule"] == "Near the wall"


def test_any_means_every_alert_and_none_means_none() -> None:
    assert keeper("", "any").wants(alert(at("10:00"), "settled")) is not None
    assert keeper("", "").wants(alert(at("10:00"))) is None


def test_an_alert_of_a_replay_has_none_taken_unless_asked() -> None:
    assert keeper("", "any").wants(alert(at("10:00"), replay=True)) is None
    assert keeper("", "any", replays=True).wants(alert(at("10:00"), replay=True)) is not None


def test_a_rewind_forgets_what_lies_ahead() -> None:
    watch = keeper("", "any")
    assert watch.wants(alert(at("15:00"))) is not None
    assert watch.wants(alert(at("10:00"))) is not None


def test_words_of_an_alert_are_harmless_and_what_is_not_known_is_null() -> None:
    found = keeper("", "any").wants(alert(at("10:00"), text="a\x1b[2J b", level=float("nan")))
    assert found is not None
    assert found.words.isprintable()
    assert found.alert is not None
    assert found.alert["level"] is None
