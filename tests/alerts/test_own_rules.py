"""Rules of the user's own: what each kind hears, and what holds for all of them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import math
import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.alerts.model import Alert
from gexterm.alerts.monitor import AlertMonitor
from gexterm.alerts.rules import Thresholds
from gexterm.config_alerts import BUILT_IN, AlertRule
from gexterm.config_alerts_toml import rule_of
from gexterm.errors import ConfigError
from gexterm.reading.model import (
    Agreement,
    Band,
    HedgeDay,
    Hedging,
    Positions,
    Reading,
    Regime,
    View,
)
from tests.alerts.test_alerts import at
from tests.reading.readings import AS_OF

NAN = math.nan
NS = 1_000_000_000
SILENT = Thresholds(off=frozenset(BUILT_IN))


def rule(text: str) -> AlertRule:
    """A rule as it stands in the settings."""

    def wrong(key: str, what: str, hint: str) -> ConfigError:
        return ConfigError(f"{key} {what}", hint)

    return rule_of(tomllib.loads(text), wrong, ("toast", "phone"))


def listening(*texts: str, quiet: str = "0") -> AlertMonitor:
    """A monitor with these rules alone, by default without a quiet period."""
    own = [rule(text if "quiet" in text else f"{text}\nquiet = {quiet}") for text in texts]
    return AlertMonitor(SILENT, rules=own)


def heard(monitor: AlertMonitor, *readings: Reading) -> list[str]:
    return [alert.text for one in readings for alert in monitor.update(one)]


def along(text: str, *spots: float, step_s: float = 60.0, **more: Any) -> list[str]:
    """What a rule says when spot goes through these values."""
    return heard(listening(text), *(at(i * step_s, s, **more) for i, s in enumerate(spots)))


def with_(seconds: float, **parts: Any) -> Reading:
    """A Reading with some parts replaced as a whole."""
    return dataclasses.replace(at(seconds), **parts)


# Level


def test_a_level_crossed_either_way_is_told_each_time() -> None:
    said = along('kind = "level"\nprice = 2730', 2720, 2735, 2725)
    assert said == ["spot above 2,730: 2,735", "spot below 2,730: 2,725"]


def test_a_level_with_a_direction_hears_only_that() -> None:
    assert along('kind = "level"\nprice = 2730\nwhen = "down"', 2720, 2735, 2725) == [
        "spot below 2,730: 2,725"
    ]


def test_a_level_already_passed_at_the_start_is_no_news() -> None:
    assert along('kind = "level"\nprice = 2730\nwhen = "up"', 2735, 2740, 2735) == []


def test_a_level_is_armed_again_only_beyond_its_margin() -> None:
    text = 'kind = "level"\nprice = 2730\nwhen = "up"\nhysteresis = 5'
    assert len(along(text, 2720, 2731, 2726, 2731, 2725.5, 2731)) == 1
    assert len(along(text, 2720, 2731, 2724.9, 2731)) == 2


def test_a_gap_over_night_through_a_level_is_news_although_the_expiry_is_another() -> None:
    monitor = listening('kind = "level"\nprice = 2730')
    overnight = at(86_400, 2760, expiry="SPXW 2018-01-08")
    assert heard(monitor, at(0, 2720), overnight) == ["spot above 2,730: 2,760"]


def test_a_level_does_not_care_whose_positions_are_assumed() -> None:
    monitor = listening('kind = "level"\nprice = 2730')
    assert len(heard(monitor, at(0, 2720), at(60, 2735, view="short-both"))) == 1


def test_what_was_said_last_of_a_level_never_stays_wrong() -> None:
    """A dip that was told is taken back once spot is clearly above, however small it was."""
    text = 'kind = "level"\nprice = 2730\nhysteresis = 5'
    assert along(text, 2750, 2729, 2734, 2729, 2736) == [
        "spot below 2,730: 2,729", "spot above 2,730: 2,736",
    ]  # fmt: skip


# Distance


def test_spot_near_the_flip_is_told_once_until_it_has_gone_half_as_far_again() -> None:
    text = 'kind = "distance"\nto = "flip"\nwithin = 10'
    said = along(text, 2700, 2715, 2725, 2717, 2716, 2725, 2714, 2726, gamma={"flip": 2730.0})
    assert said == [
        "spot 5 points from the flip 2,730", "spot 4 points from the flip 2,730",
    ]  # fmt: skip


def test_within_a_distance_includes_the_distance() -> None:
    text = 'kind = "distance"\nto = 2730\nwithin = 5'
    assert along(text, 2700, 2725) == ["spot 5 points from 2,730"]
    assert along(text, 2700, 2724.9) == []


def test_a_distance_in_per_cent_and_in_sigma_is_measured_by_the_reading() -> None:
    percent = 'kind = "distance"\nto = "target"\nwithin = "1%"'
    assert len(along(percent, 2700, 2780, target=2800.0)) == 1  # 27.8 points
    assert along(percent, 2700, 2770, target=2800.0) == []
    sigma = 'kind = "distance"\nto = "target"\nwithin = "0.5 sigma"'
    assert len(along(sigma, 2700, 2791, target=2800.0, sigma=20.0)) == 1
    assert along(sigma, 2700, 2791, target=2800.0, sigma=10.0) == []
    assert along(sigma, 2700, 2799, target=2800.0, sigma=NAN) == []


def test_either_line_in_the_sand_can_be_meant_by_one_rule() -> None:
    text = 'kind = "distance"\nto = "lis"\nwithin = 3'
    said = along(text, 2730, 2748, 2712, lis_lower=2710.0, lis_upper=2750.0)
    assert said == [
        "spot 2 points from the upper line in the sand 2,750",
        "spot 2 points from the lower line in the sand 2,710",
    ]


def test_lines_of_a_doubtful_label_are_not_known() -> None:
    text = 'kind = "distance"\nto = "lis_lower"\nwithin = 3'
    doubtful = {"BofA": 0.3, "GEX": 0.25, "Mixed": 0.45}
    assert along(text, 2730, 2711, lis_lower=2710.0, probability=doubtful) == []
    assert along(text, 2730, 2711, lis_lower=2710.0, settled=True) == []


# Paradigm and odds


def test_a_paradigm_that_comes_and_goes() -> None:
    labels = ["GEX", "BofA", "No data", "BofA", "Mixed", "BofA"]
    path = [at(i * 60, paradigm=label) for i, label in enumerate(labels)]
    came = listening('kind = "paradigm"\nbecomes = "BofA"')
    assert heard(came, *path) == ["paradigm is BofA", "paradigm is BofA"]
    gone = listening('kind = "paradigm"\nleaves = "BofA"')
    assert heard(gone, *path) == ["paradigm is no longer BofA: Mixed"]


def test_a_label_is_told_only_from_the_least_probability_on() -> None:
    monitor = listening('kind = "paradigm"\nbecomes = "BofA"\nprobability = 0.8')
    odds = [0.5, 0.79, 0.81, 0.77, 0.81, 0.74, 0.81]
    path = [at(i, probability={"BofA": p, "GEX": 1 - p}) for i, p in enumerate(odds)]
    assert heard(monitor, *path) == ["paradigm is BofA (81%)", "paradigm is BofA (81%)"]


def test_a_least_probability_where_labels_have_none_is_never_reached() -> None:
    monitor = listening('kind = "paradigm"\nbecomes = "BofA"\nprobability = 0.5')
    assert heard(monitor, at(0, paradigm="GEX"), at(1, paradigm="BofA")) == []


def test_a_label_that_was_never_there_cannot_go() -> None:
    monitor = listening('kind = "paradigm"\nleaves = "BofA"')
    unsure, sure = {"GEX": 0.45, "BofA": 0.4}, {"GEX": 0.9, "BofA": 0.1}
    path = [at(0, paradigm="GEX", probability=unsure), at(1, paradigm="GEX", probability=sure)]
    assert heard(monitor, *path) == []


def test_another_day_begins_without_a_word_on_its_paradigm() -> None:
    monitor = listening('kind = "paradigm"\nbecomes = "BofA"')
    tomorrow = at(86_400, paradigm="BofA", expiry="SPXW 2018-01-08")
    assert heard(monitor, at(0, paradigm="GEX"), tomorrow) == []


def test_a_probability_is_told_at_its_bound_and_armed_again_beyond_the_margin() -> None:
    monitor = listening('kind = "probability"\nlabel = "GEX"\nabove = 0.7')
    odds = [0.6, 0.71, 0.66, 0.71, 0.64, 0.72]
    path = [at(i, probability={"GEX": p}) for i, p in enumerate(odds)]
    assert heard(monitor, *path) == ["P(GEX) 71%, above 70%", "P(GEX) 72%, above 70%"]


def test_the_odds_of_short_gamma_can_be_waited_for() -> None:
    monitor = listening('kind = "probability"\nlabel = "long gamma"\nbelow = 0.2')
    path = [at(i, gamma={"probability_short": p}) for i, p in enumerate((0.5, NAN, 0.9))]
    assert heard(monitor, *path) == ["P(long gamma) 10%, below 20%"]


# Flip and walls


def test_spot_through_the_flip_is_told_and_a_leaping_flip_is_not() -> None:
    text = 'kind = "flip"\ncrossed = "either"'
    said = along(text, 2720, 2735, gamma={"flip": 2730.0})
    assert said == ["spot above the flip 2,730: 2,735"]
    monitor = listening(text)
    leaping = [at(0, 2730, gamma={"flip": 2700.0}), at(60, 2730, gamma={"flip": 2760.0})]
    assert heard(monitor, *leaping) == []
    # From there on the other flip counts.
    assert len(heard(monitor, at(120, 2765, gamma={"flip": 2760.0}))) == 1


def test_a_flip_that_may_lie_anywhere_is_none_to_cross() -> None:
    anywhere = {"flip": 2730.0, "probability_short": 0.5, "flip_band": Band(2700.0, NAN)}
    assert along('kind = "flip"\ncrossed = "up"', 2720, 2735, gamma=anywhere) == []


def test_a_flip_that_moves_is_told_by_how_much_and_again_from_where_it_was_told() -> None:
    monitor = listening('kind = "flip"\nmoves = 15\nminutes = 10')
    flips = [2700, 2705, 2710, 2716, 2720, 2730, 2732]
    path = [at(i * 60, gamma={"flip": float(f)}) for i, f in enumerate(flips)]
    assert heard(monitor, *path) == [
        "flip 2,700 → 2,716 within 3 min", "flip 2,716 → 2,732 within 3 min",
    ]  # fmt: skip


def test_a_flip_that_takes_its_time_has_not_moved() -> None:
    monitor = listening('kind = "flip"\nmoves = "0.5%"\nminutes = 5')
    path = [at(i * 60, gamma={"flip": 2700.0 + i}) for i in range(60)]
    assert heard(monitor, *path) == []


def test_a_wall_is_told_when_it_has_moved_far_enough_and_stays() -> None:
    monitor = listening('kind = "wall"\nwhich = "call"\nby = 10\nholds = "20 s"')
    walls = [2750, 2755, 2755, 2755, 2760, 2750, 2760, 2760, 2760, 2760]
    path = [at(i * 10, gamma={"call_wall": float(w)}) for i, w in enumerate(walls)]
    said = [(a.text, (a.at - AS_OF) // NS) for one in path for a in monitor.update(one)]
    assert said == [("call wall 2,750 → 2,760", 80)]


def test_both_walls_can_be_watched_by_one_rule() -> None:
    monitor = listening('kind = "wall"\nholds = 0')
    path = [
        at(0, gamma={"call_wall": 2750.0, "put_wall": 2700.0}),
        at(10, gamma={"call_wall": 2760.0, "put_wall": 2690.0}),
        at(20, gamma={"call_wall": 2760.0, "put_wall": 2690.0}),
    ]
    assert heard(monitor, *path) == ["call wall 2,750 → 2,760", "put wall 2,700 → 2,690"]


# Regime, views, gex, flow, feed


def test_a_regime_that_becomes_something() -> None:
    monitor = listening('kind = "regime"\npart = "composite"\nbecomes = "stress"')
    states = ["neutral", "unknown", "stress", "unknown", "stress", "dampen", "stress"]
    path = [with_(i, regime=Regime(composite=s)) for i, s in enumerate(states)]  # type: ignore[arg-type]
    assert heard(monitor, *path) == ["composite is stress"] * 2


def test_views_that_come_to_disagree() -> None:
    views = tuple(View(n, 1e9, "long", 2700.0, "GEX") for n in ("combined", "squeezemetrics"))
    monitor = listening('kind = "views"\non = "gamma"')
    path = [
        with_(0, agreement=Agreement(views)),
        with_(1, agreement=Agreement(views, ("flip",))),
        with_(2, agreement=Agreement(views, ("gamma", "flip"))),
        with_(3, agreement=Agreement()),
        with_(4, agreement=Agreement(views, ("gamma",))),
    ]
    assert heard(monitor, *path) == ["sign views disagree on gamma"]


def test_gex_below_a_size_and_of_another_sign() -> None:
    below = listening('kind = "gex"\nbelow = "-1bn"')
    sizes = [-0.5e9, -1.2e9, -0.95e9, -1.2e9, -0.8e9, -1.5e9]
    path = [at(i, gamma={"gex_per_1pct": g}) for i, g in enumerate(sizes)]
    assert heard(below, *path) == [
        "GEX −$1.20bn per 1 %, below −$1.00bn", "GEX −$1.50bn per 1 %, below −$1.00bn",
    ]  # fmt: skip
    sign = listening('kind = "gex"\nsign = true\nhysteresis = "100M"')
    path = [at(i, gamma={"gex_per_1pct": g}) for i, g in enumerate((2e9, -1e7, 5e7, -1e7, 2e8))]
    assert heard(sign, *path) == [
        "GEX −$10.0M per 1 %: negative now", "GEX $200M per 1 %: positive now",
    ]  # fmt: skip


def test_a_sign_that_is_not_sure_is_not_known() -> None:
    sign = listening('kind = "gex"\nsign = true')
    path = [
        at(i, gamma={"gex_per_1pct": g, "probability_short": p})
        for i, (g, p) in enumerate([(2e9, 0.1), (-1e8, 0.6), (-1e9, 0.9)])
    ]
    assert heard(sign, *path) == ["GEX −$1.00bn per 1 %: negative now"]


def test_hedge_flow_beyond_a_size_says_what_dealers_do() -> None:
    monitor = listening('kind = "hedge flow"\nof = "per_hour"\nabove = "2bn"')
    flows = [1e9, -2.5e9, -1.9e9, -2.5e9, 2.1e9]
    path = [with_(i, hedging=Hedging(per_hour=f)) for i, f in enumerate(flows)]
    assert heard(monitor, *path) == [
        "dealers sell $2.50bn in the next hour", "dealers buy $2.10bn in the next hour",
    ]  # fmt: skip


def test_hedge_flow_of_the_day_can_be_waited_for() -> None:
    monitor = listening(
        'kind = "hedge flow"\nof = "by_charm"\nabove = "500M"\nside = "buy"\nname = "charm bid"'
    )
    path = [with_(i, hedge_day=HedgeDay(by_charm=f)) for i, f in enumerate((NAN, 4e8, 6e8, 7e8))]
    assert heard(monitor, *path) == ["charm bid: dealers bought $600M so far, by charm"]


def test_a_feed_that_falls_silent_sooner_than_the_built_in_rule_says() -> None:
    monitor = listening('kind = "feed"\nstale = "30 s"')
    path = [
        at(i * 10, health={"quote_age_p50_s": 1.0 + i * 10, "quote_age_p99_s": 2.0 + i * 10})
        for i in range(8)
    ]
    assert heard(monitor, *path) == ["nothing new for 30 s: what is shown is old"]


def test_quoted_and_signed_shares_below_a_bound() -> None:
    quoted = listening('kind = "feed"\nquoted_below = 0.5')
    path = [at(i, health={"quoted_share": q}) for i, q in enumerate((0.9, 0.4, 0.51, 0.4))]
    assert heard(quoted, *path) == ["40% of the contracts are quoted, below 50%"]
    signed = listening('kind = "feed"\nsigned_below = 0.5')
    path = [
        with_(i, positions=Positions("flow", "trades", signed_share=s))
        for i, s in enumerate((0.9, 0.4))
    ]
    assert heard(signed, *path) == ["40% of the volume is signed, below 50%"]


def test_gaps_are_counted_from_the_last_time_told() -> None:
    monitor = listening('kind = "feed"\ngaps = 3')
    path = [at(i, health={"gaps": g}) for i, g in enumerate((5, 7, 9, 10, 12, 0, 3))]
    assert heard(monitor, *path) == [
        "4 prints missing", "3 prints missing", "3 prints missing",
    ]  # fmt: skip


# When and how it speaks


def minutes(text: str) -> float:
    """Seconds from 10:35, where the Readings begin, to a time of that day."""
    hour, minute = map(int, text.split(":"))
    return ((hour - 10) * 60 + minute - 35) * 60.0


def test_outside_its_hours_a_rule_follows_in_silence() -> None:
    monitor = listening('kind = "level"\nprice = 2730\nhours = "10:40-15:45"')
    path = [
        at(minutes("10:35"), 2720),
        at(minutes("10:36"), 2735),  # too early, and no news at 10:40 either
        at(minutes("10:41"), 2735),
        at(minutes("11:00"), 2720),
        at(minutes("15:45"), 2735),  # too late
    ]
    assert heard(monitor, *path) == ["spot below 2,730: 2,720"]


def test_hours_may_go_over_midnight() -> None:
    monitor = listening('kind = "level"\nprice = 2730\nhours = "18:00-11:00"')
    assert heard(monitor, at(0, 2720), at(60, 2735)) == ["spot above 2,730: 2,735"]


def test_a_rule_that_speaks_once_a_day_speaks_again_tomorrow() -> None:
    monitor = listening('kind = "level"\nprice = 2730\nonce = true')
    spots = [2720, 2735, 2720, 2735]
    today = [at(i * 600, s) for i, s in enumerate(spots)]
    tomorrow = [at(86_400 + i * 600, s) for i, s in enumerate(spots)]
    said = [a for one in (*today, *tomorrow) for a in monitor.update(one)]
    days = [dt.datetime.fromtimestamp(a.at / NS, dt.UTC).day for a in said]
    assert days == [5, 6]


def test_a_rule_is_for_the_underlyings_that_it_names() -> None:
    monitor = listening('kind = "level"\nprice = 2730\nunderlying = ["ndx", "RUT"]')
    assert heard(monitor, at(0, 2720), at(60, 2735)) == []
    other = [
        dataclasses.replace(at(120 + i, s), underlying="NDX") for i, s in enumerate((2720, 2735))
    ]
    assert len(heard(monitor, *other)) == 1


def test_what_the_quiet_period_puts_off_is_told_at_its_end_if_it_is_still_so() -> None:
    monitor = listening('kind = "level"\nprice = 2730\nquiet = "1 min"')
    spots = [2720, 2735, 2720] + [2720] * 10
    said = [
        ((a.at - AS_OF) // NS, a.text)
        for i, s in enumerate(spots) for a in monitor.update(at(i * 10, s))
    ]  # fmt: skip
    assert said == [(10, "spot above 2,730: 2,735"), (70, "spot below 2,730: 2,720")]


def test_without_a_quiet_period_of_its_own_a_rule_has_the_built_in_one() -> None:
    monitor = AlertMonitor(SILENT, rules=[rule('kind = "level"\nprice = 2730')])
    spots = [2720, 2735, 2720] * 5
    said = [a.at for i, s in enumerate(spots) for a in monitor.update(at(i * 10, s))]
    assert said == [AS_OF + 10 * NS, AS_OF + 130 * NS]


def test_an_alert_carries_rule_severity_deliveries_and_where_it_comes_from() -> None:
    monitor = listening(
        'kind = "level"\nprice = 2730\nname = "my line"\nseverity = "warning"\ndeliver = ["phone"]'
    )
    [alert] = [a for one in (at(0, 2720), at(60, 2735, mode="replay")) for a in monitor.update(one)]
    assert (alert.kind, alert.rule, alert.severity) == ("level", "my line", "warning")
    assert (alert.deliver, alert.level, alert.replay) == (("phone",), 2730.0, True)
    assert (alert.underlying, alert.mode, alert.view) == ("SPX", "replay", "customer-flow")
    assert alert.id


def test_built_in_alerts_can_be_off_and_are_no_news_when_they_are_wanted_again() -> None:
    monitor = AlertMonitor(Thresholds(off=frozenset({"paradigm changed"})))
    assert heard(monitor, at(0, paradigm="GEX"), at(1, paradigm="BofA")) == []
    monitor.thresholds = Thresholds()
    assert heard(monitor, at(2, paradigm="BofA")) == []
    assert heard(monitor, at(200, paradigm="GEX")) == ["paradigm BofA → GEX"]


def test_a_rewind_or_a_jump_begins_anew_in_silence_and_is_told_again() -> None:
    monitor = listening('kind = "level"\nprice = 2730', quiet='"5 min"')
    assert len(heard(monitor, at(0, 2720), at(600, 2735))) == 1
    assert heard(monitor, at(100, 2735)) == []
    assert heard(monitor, at(200, 2720)) == ["spot below 2,730: 2,720"]
    monitor.reset()
    assert heard(monitor, at(5000, 2735)) == []


@pytest.mark.parametrize("change", [{"view": "short-both"}, {"scope": "all"}])
def test_another_view_or_scope_is_no_news(change: dict[str, Any]) -> None:
    monitor = listening(
        'kind = "distance"\nto = "flip"\nwithin = 5', 'kind = "gex"\nabove = 0',
        'kind = "wall"\nholds = 0', 'kind = "flip"\nmoves = 1', 'kind = "flip"\ncrossed = "up"',
    )  # fmt: skip
    before = {"flip": 2760.0, "gex_per_1pct": -1e9, "call_wall": 2750.0}
    after = {"flip": 2729.0, "gex_per_1pct": 1e9, "call_wall": 2800.0}
    assert heard(monitor, at(0, gamma=before), at(1, gamma=after, **change)) == []


# What holds for every rule


RULES = [
    'kind = "level"\nprice = 2730',
    'kind = "level"\nprice = 2735\nwhen = "up"\nhysteresis = 4',
    'kind = "distance"\nto = "flip"\nwithin = 4',
    'kind = "distance"\nto = "lis"\nwithin = "0.2 sigma"',
    'kind = "paradigm"\nbecomes = "GEX"',
    'kind = "paradigm"\nleaves = "GEX"',
    'kind = "probability"\nlabel = "GEX"\nabove = 0.5',
    'kind = "flip"\ncrossed = "either"',
    'kind = "flip"\nmoves = 5\nminutes = 2',
    'kind = "wall"\nholds = "10 s"',
    'kind = "regime"\npart = "gamma"\nbecomes = "short"',
    'kind = "feed"\nstale = 20',
    'kind = "feed"\ngaps = 1',
    'kind = "hedge flow"\nof = "per_hour"\nabove = 1e9',
    'kind = "gex"\nsign = true',
    'kind = "gex"\nabove = 1e9',
]
maybe = st.sampled_from([NAN, NAN, 2725.0, 2729.0, 2731.0, 2735.0, 2745.0])
amounts = st.sampled_from([NAN, -2e9, -0.95e9, 0.0, 0.5e9, 0.95e9, 1.1e9, 3e9])


@st.composite
def paths(draw: st.DrawFn) -> list[Reading]:
    """Readings in order, with everything in them coming, going and trembling."""
    found, seconds = [], 0.0
    for _ in range(draw(st.integers(2, 30))):
        seconds += draw(st.sampled_from([1, 10, 30, 200]))
        p = draw(st.sampled_from([NAN, 0.1, 0.45, 0.55, 0.9]))
        one = at(
            seconds,
            draw(maybe),
            sigma=draw(st.sampled_from([NAN, 20.0])),
            gamma={
                "flip": draw(maybe), "call_wall": draw(maybe), "gex_per_1pct": draw(amounts),
                "state": draw(st.sampled_from(["short", "long", "unknown"])),
            },
            health={"gaps": draw(st.integers(0, 3))},
            paradigm=draw(st.sampled_from(["GEX", "BofA", "No data", "Mixed"])),
            probability={} if math.isnan(p) else {"GEX": p, "BofA": 1 - p},
            lis_lower=draw(maybe),
            lis_upper=draw(maybe),
        )  # fmt: skip
        flow = Hedging(per_hour=draw(amounts))
        regime = Regime(gamma=one.gamma.state)
        found.append(dataclasses.replace(one, hedging=flow, regime=regime))
    return found


def told(texts: list[str], path: list[Reading], quiet: str) -> list[Alert]:
    # Each rule has its name, by which its alerts are told apart.
    named = [f'{text}\nname = "{i}"' for i, text in enumerate(texts)]
    monitor = listening(*named, quiet=quiet)
    return [alert for one in path for alert in monitor.update(one)]


@settings(max_examples=60, deadline=None)
@given(paths(), st.sampled_from([15, 60, 300]))
def test_no_rule_speaks_twice_within_its_quiet_period(path: list[Reading], quiet: int) -> None:
    said = told(RULES, path, str(quiet))
    for name in {alert.rule for alert in said}:
        times = [alert.at for alert in said if alert.rule == name]
        assert all(b - a >= quiet * NS for a, b in itertools.pairwise(times))


@settings(max_examples=40, deadline=None)
@given(paths())
def test_the_same_readings_give_the_same_alerts(path: list[Reading]) -> None:
    said = told(RULES, path, "30")
    assert said == told(RULES, path, "30") or any(math.isnan(a.level) for a in said)
    assert [repr(a) for a in said] == [repr(a) for a in told(RULES, path, "30")]
    assert len({alert.id for alert in said}) == len(said)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([2700.0, 2760.0, NAN]), min_size=1, max_size=20))
def test_nothing_is_told_of_a_level_that_is_not_known(spots: list[float]) -> None:
    """Spot goes anywhere; flip, lines, walls, labels and flows are never known."""
    of_levels = [r for r in RULES if "level" not in r and "feed" not in r]
    unknown = [at(i * 400.0, spot, paradigm="No data", sigma=NAN) for i, spot in enumerate(spots)]
    assert told(of_levels, unknown, "0") == []


@settings(max_examples=40, deadline=None)
@given(paths())
def test_whatever_is_told_is_known_in_the_reading_that_tells_it(path: list[Reading]) -> None:
    by_time = {one.as_of: one for one in path}
    for alert in told(RULES, path, "0"):
        one = by_time[alert.at]
        if alert.kind in ("level", "distance", "flip", "wall"):
            assert math.isfinite(alert.level)
        if alert.kind in ("level", "distance") or alert.text.startswith("spot"):
            assert math.isfinite(one.spot)
        if alert.kind in ("paradigm", "probability"):
            assert one.zero_dte.paradigm != "No data" or alert.kind == "probability"
            assert one.zero_dte.probability or alert.kind == "paradigm"
        if alert.kind == "hedge flow":
            assert abs(one.hedging.per_hour) > 1e9
        if alert.kind == "gex":
            assert math.isfinite(one.gamma.gex_per_1pct)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(2726.0, 2734.0) | st.just(NAN), min_size=2, max_size=60),
    st.sampled_from([
        'kind = "level"\nprice = 2730\nhysteresis = 4.01',
        'kind = "level"\nprice = 2730\nwhen = "down"\nhysteresis = 4.01',
        'kind = "distance"\nto = 2720\nwithin = 10\nhysteresis = 4.01',
        'kind = "flip"\ncrossed = "either"\nhysteresis = 4.01',
    ]),
)  # fmt: skip
def test_a_path_within_the_hysteresis_is_told_at_most_once(spots: list[float], text: str) -> None:
    path = [at(i * 600.0, s, gamma={"flip": 2730.0}) for i, s in enumerate(spots)]
    assert len(told([text], path, "0")) <= 1


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(2700.0, 2760.0) | st.just(NAN), min_size=2, max_size=60))
def test_a_level_is_told_as_often_as_it_is_crossed_with_the_margin(spots: list[float]) -> None:
    """Against a count made another way: a thermostat over the known spots."""
    path = [at(i * 600.0, s) for i, s in enumerate(spots)]
    said = told(['kind = "level"\nprice = 2730\nwhen = "up"\nhysteresis = 6'], path, "0")
    known = [s for s in spots if not math.isnan(s)]
    count, armed = 0, bool(known) and known[0] <= 2730
    for spot in known:
        if spot < 2724:
            armed = True
        if armed and spot > 2730:
            count, armed = count + 1, False
    assert len(said) == count
