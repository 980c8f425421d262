from __future__ import annotations

import dataclasses
import itertools
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.alerts.lines import Distances, Zone, zone_of
from gexterm.alerts.model import Alert
from gexterm.alerts.monitor import AlertMonitor
from gexterm.alerts.rules import Thresholds
from gexterm.alerts.teller import printable
from gexterm.market.events import FeedStatus
from gexterm.reading.model import Gamma, Health, Positions, Reading, Source, ZeroDte
from tests.reading.readings import AS_OF, reading

NAN = math.nan
EXPIRY = "SPXW 2018-01-05"
NS = 1_000_000_000


def at(
    seconds: float,
    spot: float = 2730.0,
    *,
    sigma: float = 20.0,
    gamma: dict[str, Any] | None = None,
    health: dict[str, Any] | None = None,
    mode: Any = "live",
    view: str = "customer-flow",
    scope: str = "0dte",
    **zero: Any,
) -> Reading:
    """A Reading some seconds into the session: margin 1 point, near within 5, far beyond 8."""
    return reading(
        as_of=AS_OF + round(seconds * NS),
        spot=spot,
        scope=scope,
        source=Source("test", mode),
        positions=Positions(view, "open interest"),
        gamma=Gamma(**(gamma or {})),
        zero_dte=ZeroDte(**{"expiry": EXPIRY, "paradigm": "BofA", "sigma": sigma, **zero}),
        health=Health(**{"quote_age_p50_s": 1.0, "quote_age_p99_s": 2.0, **(health or {})}),
    )


def run(*readings: Reading, monitor: AlertMonitor | None = None) -> list[Alert]:
    monitor = monitor or AlertMonitor()
    return [alert for one in readings for alert in monitor.update(one)]


def kinds(*readings: Reading) -> list[str]:
    return [alert.kind for alert in run(*readings)]


def walk(spots: list[float], step_s: float = 300.0, **lines: Any) -> list[str]:
    """The kinds heard when spot goes through these values, one reading every `step_s`."""
    return kinds(*(at(i * step_s, spot, **lines) for i, spot in enumerate(spots)))


# Lines in the sand


def test_a_lower_line_is_approached_touched_breached_and_restored() -> None:
    heard = walk([2730, 2714, 2710.5, 2705, 2715], lis_lower=2710.0)
    assert heard == ["lis approached", "lis touched", "lis breached", "lis restored"]


def test_an_upper_line_does_the_same_from_below() -> None:
    heard = walk([2730, 2746, 2749.5, 2755, 2745], lis_upper=2750.0)
    assert heard == ["lis approached", "lis touched", "lis breached", "lis restored"]


def test_a_fall_through_the_line_between_two_readings_is_only_a_breach() -> None:
    assert walk([2730, 2700], lis_lower=2710.0) == ["lis breached"]


def test_the_alert_names_line_side_and_distance() -> None:
    [alert] = run(at(0, 2730), at(1, 2714, lis_lower=2710.0))
    assert alert.text == "lower line in the sand 2,710 approached: 4 points away, 0.20σ"
    assert alert.level == 2710.0
    assert alert.at == AS_OF + NS


def test_spot_trembling_at_the_line_is_said_once() -> None:
    trembling = [2730] + [2710 + d for d in (0.5, 1.5, -0.5, 1.4, 0.2, 2.5, -0.9, 2.9) * 20]
    assert walk(trembling, lis_lower=2710.0) == ["lis touched"]


def test_spot_trembling_at_the_breach_is_said_once() -> None:
    trembling = [2730] + [2710 + d for d in (-1.5, -0.5, -1.2, 0.9, -1.1, 0.5) * 20]
    assert walk(trembling, lis_lower=2710.0) == ["lis breached"]


def test_spot_trembling_at_the_near_distance_is_said_once() -> None:
    trembling = [2730] + [2710 + d for d in (4.9, 5.1, 4.8, 7.9) * 20]
    assert walk(trembling, lis_lower=2710.0) == ["lis approached"]


def test_a_line_left_and_reached_again_is_said_again() -> None:
    assert walk([2730, 2714, 2730, 2714], lis_lower=2710.0) == ["lis approached"] * 2


def test_within_the_quiet_period_nothing_is_repeated() -> None:
    assert walk([2730, 2714, 2730, 2714], 10.0, lis_lower=2710.0) == ["lis approached"]


def test_a_breach_put_off_by_the_quiet_period_is_said_when_it_ends() -> None:
    spots = [2730, 2705, 2715] + [2705] * 40  # breached, restored and breached again in 20 s
    heard = run(*(at(i * 10.0, spot, lis_lower=2710.0) for i, spot in enumerate(spots)))
    assert [a.kind for a in heard] == ["lis breached", "lis restored", "lis breached"]
    assert heard[2].at - heard[0].at == 120 * NS


def test_an_approach_is_not_said_late() -> None:
    spots = [2730, 2714, 2730] + [2714] * 40
    assert walk(spots, 10.0, lis_lower=2710.0) == ["lis approached"]


def test_what_passed_within_the_quiet_period_is_never_said() -> None:
    spots = [2730, 2705, 2715, 2705] + [2730] * 40
    assert walk(spots, 10.0, lis_lower=2710.0) == ["lis breached", "lis restored"]


def test_a_line_that_moves_over_spot_is_no_breach() -> None:
    assert kinds(at(0, lis_lower=2700.0), at(300, lis_lower=2740.0)) == []


def test_a_breached_line_that_moves_away_is_not_restored() -> None:
    heard = kinds(
        at(0, 2730, lis_lower=2710.0),
        at(300, 2705, lis_lower=2710.0),
        at(600, 2705, lis_lower=2680.0),
        at(900, 2683, lis_lower=2680.0),
    )
    assert heard == ["lis breached", "lis approached"]


def test_a_line_that_is_not_known_for_a_moment_keeps_its_history() -> None:
    heard = kinds(
        at(0, 2730, lis_lower=2710.0),
        at(300, 2705, lis_lower=2710.0),
        at(310, 2705, lis_lower=NAN),
        at(320, 2715, lis_lower=2710.0),
    )
    assert heard == ["lis breached", "lis restored"]


def test_with_no_sigma_a_line_can_still_be_touched() -> None:
    heard = walk([2730, 2714, 2710.2], lis_lower=2710.0, sigma=NAN)
    assert heard == ["lis touched"]


@given(
    st.floats(-100, 100),
    st.sampled_from(Zone),
    st.floats(0.01, 50) | st.just(NAN),
)
def test_a_zone_once_taken_holds_at_the_same_distance(
    distance: float, held: Zone, sigma: float
) -> None:
    zone = zone_of(distance, 2730.0, sigma, held, Distances())
    assert zone_of(distance, 2730.0, sigma, zone, Distances()) is zone


@settings(max_examples=50)
@given(st.lists(st.floats(2700, 2760), min_size=2, max_size=60), st.integers(1, 100))
def test_breach_and_restoration_always_alternate(spots: list[float], step_s: int) -> None:
    heard = walk(spots, float(step_s), lis_lower=2725.0, lis_upper=2740.0)
    for_sides = run(
        *(at(i * step_s, s, lis_lower=2725.0, lis_upper=2740.0) for i, s in enumerate(spots))
    )
    assert heard == [a.kind for a in for_sides]
    for level in (2725.0, 2740.0):
        told = [
            a.kind
            for a in for_sides
            if a.level == level and a.kind in ("lis breached", "lis restored")
        ]
        assert all(a != b for a, b in itertools.pairwise(told))


# Target


def test_a_target_is_approached_and_hit() -> None:
    heard = walk([2730, 2746, 2749.8], target=2750.0, paradigm="GEX")
    assert heard == ["target approached", "target hit"]


def test_a_target_jumped_over_is_hit() -> None:
    assert walk([2730, 2756], target=2750.0, paradigm="GEX") == ["target hit"]


def test_a_target_that_moves_over_spot_is_not_hit() -> None:
    heard = kinds(at(0, target=2750.0), at(300, target=2700.0))
    assert heard == []


def test_a_target_hit_is_said_once_while_spot_stays() -> None:
    assert walk([2730, 2750, 2750.5, 2749, 2751] * 1, target=2750.0) == ["target hit"]


# Paradigm, gamma, flip, walls


def test_a_changed_paradigm_says_from_what_to_what_and_how_sure() -> None:
    [alert] = run(
        at(0, paradigm="GEX"), at(1, paradigm="BofA", probability={"BofA": 0.71, "GEX": 0.29})
    )
    assert alert.kind == "paradigm changed"
    assert alert.text == "paradigm GEX → BofA (71%)"
    assert math.isnan(alert.level)


def test_no_data_is_no_change_of_paradigm() -> None:
    heard = kinds(at(0, paradigm="GEX"), at(1, paradigm="No data"), at(2, paradigm="GEX"))
    assert heard == []


def test_a_paradigm_that_flickers_says_each_label_once_in_the_quiet_period() -> None:
    labels = ["GEX", "BofA"] * 30
    heard = run(*(at(i, paradigm=label) for i, label in enumerate(labels)))
    assert [a.text for a in heard] == ["paradigm GEX → BofA", "paradigm BofA → GEX"]


def test_a_label_on_the_way_to_another_does_not_delay_it() -> None:
    heard = run(*(at(i, paradigm=p) for i, p in enumerate(["GEX", "Mixed", "BofA"])))
    assert [(a.text, a.severity) for a in heard] == [
        ("paradigm GEX → Mixed", "info"),
        ("paradigm Mixed → BofA", "notice"),
    ]


def test_a_label_put_off_by_the_quiet_period_is_said_when_it_ends() -> None:
    labels = ["GEX", "BofA", "GEX"] + ["BofA"] * 130
    heard = run(*(at(i, paradigm=label) for i, label in enumerate(labels)))
    assert [(a.at - AS_OF) // NS for a in heard] == [1, 2, 121]


def test_another_day_is_no_change_of_paradigm() -> None:
    heard = kinds(at(0, paradigm="GEX"), at(86_400, paradigm="BofA", expiry="SPXW 2018-01-08"))
    assert "paradigm changed" not in heard


def test_spot_through_the_flip_is_said_with_its_direction() -> None:
    [up] = run(at(0, 2720, gamma={"flip": 2730.0}), at(60, 2735, gamma={"flip": 2730.0}))
    assert (up.kind, up.text) == ("flip crossed", "spot up through the flip 2,730")
    [down] = run(at(0, 2740, gamma={"flip": 2730.0}), at(60, 2725, gamma={"flip": 2730.5}))
    assert down.text == "spot down through the flip 2,730.5"


def test_spot_trembling_at_the_flip_crosses_it_once() -> None:
    spots = [2720] + [2730 + d for d in (1.2, -0.9, 0.9, 1.5, -0.5) * 20]
    heard = [at(i * 300, s, gamma={"flip": 2730.0}) for i, s in enumerate(spots)]
    assert kinds(*heard) == ["flip crossed"]


def test_a_flip_that_leaps_to_another_zero_is_not_crossed() -> None:
    heard = kinds(at(0, gamma={"flip": 2700.0}), at(60, gamma={"flip": 2760.0}))
    assert heard == []


def test_no_flip_is_no_crossing() -> None:
    heard = kinds(
        at(0, gamma={"flip": 2700.0}), at(60, gamma={"flip": NAN}), at(120, gamma={"flip": 2735.0})
    )
    assert heard == []


def test_a_changed_gamma_state_is_said_and_an_unknown_one_is_not() -> None:
    states = ["unknown", "long", "unknown", "long", "short"]
    [alert] = run(*(at(i, gamma={"state": s}) for i, s in enumerate(states)))
    assert (alert.kind, alert.text) == ("gamma changed", "gamma long → short")


def test_a_wall_has_moved_when_it_stays() -> None:
    walls = [2750.0, 2750.0] + [2760.0] * 5
    heard = run(*(at(i * 10, gamma={"call_wall": w}) for i, w in enumerate(walls)))
    assert [a.text for a in heard] == ["call wall 2,750 → 2,760"]
    assert heard[0].at == AS_OF + 50 * NS


def test_a_wall_that_jumps_and_comes_back_has_not_moved() -> None:
    walls = [2750.0, 2760.0, 2760.0, 2750.0] * 10
    assert kinds(*(at(i * 10, gamma={"put_wall": w}) for i, w in enumerate(walls))) == []


# Feed and session


def test_a_feed_that_goes_silent_is_stale_and_comes_back() -> None:
    silent = [
        at(i * 30, health={"quote_age_p50_s": 1.0 + i * 30, "quote_age_p99_s": 2.0 + i * 30})
        for i in range(6)
    ]
    heard = run(*silent, at(180, 2731.0))
    assert [a.kind for a in heard] == ["feed stale", "feed restored"]
    assert heard[0].severity == "warning"
    assert heard[0].text.startswith("nothing new for 90 s")


def test_a_calm_market_whose_quotes_still_change_is_not_stale() -> None:
    assert kinds(*(at(i * 30) for i in range(20))) == []


def test_quotes_without_times_are_never_called_stale() -> None:
    blind = {"quote_age_p50_s": NAN, "quote_age_p99_s": NAN}
    assert kinds(*(at(i * 30, health=blind) for i in range(20))) == []


def test_gaps_and_drops_are_counted_from_the_last_time_told() -> None:
    heard = run(
        at(0, health={"gaps": 2}),
        at(10, health={"gaps": 3}),
        at(20, health={"gaps": 5, "dropped": 10}),
        at(200, health={"gaps": 5, "dropped": 1200}),
    )
    assert [a.text for a in heard] == [
        "1 print missing",
        "2 prints missing, 1,200 messages dropped",
    ]


def test_a_reconnection_is_said() -> None:
    [alert] = run(at(0), at(1, health={"reconnects": 1}))
    assert alert.kind == "feed restored"


def test_counters_that_start_again_say_nothing() -> None:
    assert kinds(at(0, health={"gaps": 9}), at(1, health={"gaps": 0})) == []


def test_settlement_is_said_once_and_ends_the_lines() -> None:
    heard = kinds(
        at(0, 2714, lis_lower=2710.0),
        at(300, 2714, lis_lower=2710.0, settled=True),
        at(600, 2700, lis_lower=2710.0, settled=True),
    )
    assert heard == ["settled"]


# The monitor


def test_the_first_reading_never_says_that_something_changed() -> None:
    everything = at(
        0,
        2709,
        lis_lower=2710.0,
        target=2709.0,
        paradigm="GEX",
        gamma={"flip": 2709.0, "state": "short", "call_wall": 2750.0},
        health={"gaps": 3, "reconnects": 2, "dropped": 5},
    )
    assert run(everything) == []


def test_nothing_known_says_nothing() -> None:
    nothing = {"quote_age_p50_s": NAN, "quote_age_p99_s": NAN}
    blank = [
        at(i * 60, NAN, sigma=NAN, paradigm="No data", expiry="", health=nothing) for i in range(10)
    ]
    assert run(*blank) == []


@settings(max_examples=60)
@given(st.data())
def test_losing_and_regaining_everything_says_nothing(data: st.DataObject) -> None:
    """Whatever fields go missing for a while: back at the same values, nothing happened."""
    whole = {
        "spot": 2730.0,
        "lis_lower": 2700.0,
        "lis_upper": 2760.0,
        "target": 2750.0,
        "sigma": 20.0,
    }
    monitor = AlertMonitor()
    assert run(at(0, **whole), monitor=monitor) == []
    for i in range(1, 8):
        lost = data.draw(st.sets(st.sampled_from(sorted(whole))))
        values = {k: NAN if k in lost else v for k, v in whole.items()}
        assert run(at(i * 40, **values), monitor=monitor) == []


def test_another_view_or_scope_is_no_event() -> None:
    long = {"state": "long", "flip": 2700.0, "call_wall": 2750.0}
    short = {"state": "short", "flip": 2760.0, "call_wall": 2800.0}
    heard = kinds(
        at(0, paradigm="GEX", gamma=long, lis_lower=2690.0),
        at(1, paradigm="Sidial", gamma=short, view="short-all", lis_lower=2729.0),
        at(2, paradigm="Sidial", gamma=long, view="short-all", scope="all", lis_lower=2729.0),
    )
    assert heard == []


def test_a_rewind_begins_anew_and_forgets_what_has_not_happened_yet() -> None:
    monitor = AlertMonitor()
    run(at(0, paradigm="GEX"), at(600, paradigm="BofA"), monitor=monitor)
    assert len(monitor.log) == 1
    assert run(at(100, paradigm="GEX", lis_lower=2729.0), monitor=monitor) == []
    assert list(monitor.log) == []
    again = run(at(600, paradigm="BofA"), monitor=monitor)
    assert [a.text for a in again] == ["paradigm GEX → BofA"]


def test_a_seek_forward_can_be_announced_so_that_it_says_nothing() -> None:
    monitor = AlertMonitor()
    run(at(0, paradigm="GEX"), monitor=monitor)
    monitor.reset()
    assert run(at(6000, paradigm="BofA"), monitor=monitor) == []


def test_the_log_is_bounded() -> None:
    monitor = AlertMonitor(log_length=3)
    labels = ["GEX", "BofA"] * 10
    run(*(at(i * 300, paradigm=p) for i, p in enumerate(labels)), monitor=monitor)
    assert len(monitor.log) == 3
    assert monitor.log[-1].at == AS_OF + 19 * 300 * NS


@pytest.mark.parametrize(
    ("mode", "replay"),
    [("live", False), ("delayed", False), ("replay", True), ("simulated", True), ("file", True)],
)
def test_an_alert_says_when_it_is_no_live_market(mode: Any, replay: bool) -> None:
    [alert] = run(at(0, paradigm="GEX", mode=mode), at(1, paradigm="BofA", mode=mode))
    assert alert.replay is replay


def test_thresholds_can_be_set() -> None:
    monitor = AlertMonitor(Thresholds(distances=Distances(near_sigma=1.0, far_sigma=1.5)))
    heard = run(at(0, 2740, lis_lower=2710.0), at(1, 2729, lis_lower=2710.0), monitor=monitor)
    assert [a.kind for a in heard] == ["lis approached"]


def test_trouble_with_the_connection_is_told_and_so_is_its_end() -> None:
    monitor = AlertMonitor()
    lost = monitor.feed(FeedStatus("reconnecting", "try 1 of 5"), AS_OF)
    again = monitor.feed(FeedStatus("reconnecting", "try 2 of 5"), AS_OF + NS)
    back = monitor.feed(FeedStatus("live"), AS_OF + 2 * NS)
    lost_again = monitor.feed(FeedStatus("reconnecting"), AS_OF + 200 * NS)
    back_again = monitor.feed(FeedStatus("live"), AS_OF + 201 * NS)
    assert [a.kind for a in (*lost, *again, *back)] == ["feed reconnecting", "feed restored"]
    assert [a.kind for a in (*lost_again, *back_again)] == ["feed reconnecting", "feed restored"]
    assert [*monitor.log] == [*lost, *back, *lost_again, *back_again]


def test_a_feed_that_simply_goes_live_says_nothing() -> None:
    assert AlertMonitor().feed(FeedStatus("live"), AS_OF) == []


def test_what_the_connection_said_is_not_repeated_by_the_readings() -> None:
    monitor = AlertMonitor()
    run(at(0), monitor=monitor)
    monitor.feed(FeedStatus("reconnecting"), AS_OF + NS)
    monitor.feed(FeedStatus("live"), AS_OF + 2 * NS)
    assert run(at(3, health={"reconnects": 1}), monitor=monitor) == []


def test_a_feeds_words_cannot_carry_escape_codes() -> None:
    [alert] = AlertMonitor().feed(FeedStatus("refused", "no\x1b[2J\nlogin"), AS_OF)
    assert alert.text.isprintable()
    assert printable("a\x9bb\u202ec") == "a b c"


def test_alerts_are_immutable() -> None:
    [alert] = run(at(0, paradigm="GEX"), at(1, paradigm="BofA"))
    with pytest.raises(dataclasses.FrozenInstanceError):
        alert.text = "no"  # type: ignore[misc]


def test_a_recording_that_stops_is_told_once_and_so_is_its_going_on() -> None:
    watch = AlertMonitor()
    first = watch.recording("the disk is full; make room", 10 * NS)
    assert [(a.kind, a.severity) for a in first] == [("recording stopped", "warning")]
    assert "the disk is full" in first[0].text
    assert watch.recording("the disk is still full", 70 * NS) == []
    assert [a.kind for a in watch.recording("", 71 * NS)] == ["recording restored"]
    assert watch.recording("", 72 * NS) == []
    # A second trouble is not held back because a first was told a moment ago.
    assert [a.kind for a in watch.recording("again", 73 * NS)] == ["recording stopped"]


def test_live_again_is_not_the_last_word_of_a_line_that_is_lost_again() -> None:
    watch = AlertMonitor()
    said = []
    for at, state in ((0, "live"), (10, "reconnecting"), (14, "live"), (20, "reconnecting"),
                      (24, "live"), (30, "reconnecting"), (38, "reconnecting"),
                      (51, "reconnecting"), (70, "reconnecting"), (80, "live")):  # fmt: skip
        said += [(at, a.kind) for a in watch.feed(FeedStatus(state), (1000 + at) * NS)]
    assert said == [
        (10, "feed reconnecting"), (14, "feed restored"),
        # What lasts a moment is held back; what lasts is told, though it is soon after.
        (51, "feed reconnecting"), (80, "feed restored"),
    ]  # fmt: skip


def test_raw_frames_that_end_first_do_not_silence_the_end_of_the_recording() -> None:
    watch = AlertMonitor()
    first = watch.recording("raw frames are no longer kept: disk", 10 * NS, on=True)
    assert first[0].text == "raw frames are no longer kept: disk"
    [worse] = watch.recording("recording is off: disk", 11 * NS)
    assert (worse.kind, worse.severity) == ("recording stopped", "warning")
    assert worse.text == "not recorded: recording is off: disk"
    assert watch.recording("recording is off: disk, 0.8 GiB", 71 * NS) == []
    [better] = watch.recording("raw frames are no longer kept: disk", 80 * NS, on=True)
    assert better.kind == "recording restored"
    assert "raw frames are no longer kept" in better.text
    assert [a.text for a in watch.recording("", 90 * NS)] == ["recording goes on"]


def test_a_feed_that_never_connected_has_not_lost_a_connection() -> None:
    watch = AlertMonitor()
    said = watch.feed(FeedStatus("reconnecting", "the name is not known"), 10 * NS)
    assert said[0].text.startswith("no connection yet: the name is not known")
    watch.feed(FeedStatus("live"), 20 * NS)
    said = watch.feed(FeedStatus("reconnecting", "broke"), 1000 * NS)
    assert said[0].text.startswith("connection lost: broke")
