"""What a driftless normal does."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.exposure.paradigm import classify, placebo_inside
from gexterm.exposure.placebo import near_probability, placebo, touch_probability
from gexterm.reference.white_paper import base_rate, table

NAN = float("nan")
NOON = dt.time(12, 0)
NONE = classify(None, (), 6000.0, 20.0, 1)[0]


def reading(label, lower=NAN, upper=NAN, target=NAN, sigma=20.0):
    return replace(NONE, label=label, lis_lower=lower, lis_upper=upper, target=target, sigma=sigma)


@pytest.mark.parametrize("distance", [5.0, 20.0, 40.0])
def test_a_target_is_touched_as_often_as_by_walks(distance) -> None:
    # Walks watched at 2,000 moments touch a little less often than one watched without a
    # pause: by 0.58 of a step further out (Broadie, Glasserman and Kou).
    rng = np.random.default_rng(0)
    steps, sigma = 2000, 20.0
    step = sigma / np.sqrt(steps)
    highest = np.array(
        [np.cumsum(rng.normal(0.0, step, (500, steps)), axis=1).max(axis=1) for _ in range(8)]
    )
    walked = np.mean(highest >= distance)
    assert walked == pytest.approx(
        touch_probability(6000.0, 6000.0 + 0.5826 * step + distance, sigma), abs=0.025
    )
    assert touch_probability(6000.0, 6000.0 + distance, sigma) >= walked - 0.02


def test_closes_are_near_a_level_as_often_as_normals_are() -> None:
    close = np.random.default_rng(1).normal(6000.0, 15.0, 200_000)
    assert near_probability(6000.0, 6010.0, 15.0) == pytest.approx(
        np.mean(np.abs(close - 6010.0) <= 6.0), abs=0.005
    )


@settings(max_examples=50, deadline=None)
@given(distance=st.floats(0.0, 200.0), sigma=st.floats(0.1, 100.0))
def test_a_target_is_touched_at_least_as_often_as_it_is_closed_beyond(distance, sigma) -> None:
    touched = touch_probability(6000.0, 6000.0 - distance, sigma)
    beyond = 1.0 - placebo_inside(6000.0, 6000.0 - distance, NAN, sigma)
    assert beyond <= touched + 1e-12
    assert touched <= 1.0
    assert touch_probability(6000.0, 6000.0 + distance, sigma) == pytest.approx(touched)


def test_every_label_has_its_own_event() -> None:
    bofa = placebo(reading("BofA", 5980.0, 6020.0), 6000.0)
    assert bofa.event == base_rate("BofA", NOON).outcome
    assert bofa.probability == pytest.approx(0.6827, abs=1e-4)
    gex = placebo(reading("GEX", 5970.0, target=6020.0), 6000.0)
    assert gex.event == base_rate("GEX", NOON).outcome
    assert gex.probability == pytest.approx(0.3173, abs=1e-4)
    anti = placebo(reading("Anti-GEX", upper=6030.0, target=5980.0), 6000.0)
    assert anti.probability == pytest.approx(gex.probability)
    sidial = placebo(reading("Sidial", target=6000.0), 6000.0)
    assert sidial.event == base_rate("Sidial", NOON).outcome
    assert sidial.probability == pytest.approx(0.2358, abs=1e-4)
    assert "0.10%" in sidial.note


@pytest.mark.parametrize(
    "without",
    [
        reading("Mixed", 5980.0, 6020.0),
        NONE,
        reading("BofA", 5980.0),
        reading("BofA", 6010.0, 6020.0),
        reading("GEX", 5970.0),
        reading("Sidial"),
    ],
)
def test_without_its_levels_a_label_has_no_placebo(without) -> None:
    assert placebo(without, 6000.0).event == ""
    assert np.isnan(placebo(without, 6000.0).probability)


def test_without_a_sigma_there_is_no_probability() -> None:
    for one in (
        reading("GEX", target=6010.0, sigma=NAN),
        reading("BofA", 5990.0, 6010.0, sigma=0.0),
    ):
        assert np.isnan(placebo(one, 6000.0).probability)


def test_most_of_the_paper_s_win_rate_is_what_a_normal_wins() -> None:
    # Average lines by time of day, a day's standard deviation of 0.6 %: 89 % of closes
    # inside over the paper's own mix of readings, 77 % at 10:35.
    inside, weight = {}, {}
    for row in table("table3_bofa"):
        hour, minute = (int(part) for part in row["time_et"].split(":"))
        left = max(0.0, 16 * 60 - hour * 60 - minute) / 390.0
        sigma = 0.6 * np.sqrt(left)
        lower, upper = float(row["lower_lis_pct_avg"]), float(row["upper_lis_pct_avg"])
        inside[row["time_et"]] = placebo_inside(0.0, lower, upper, sigma) if sigma else 1.0
        weight[row["time_et"]] = int(row["occurrences"])
    pooled = sum(inside[t] * weight[t] for t in inside) / sum(weight.values())
    assert pooled == pytest.approx(0.89, abs=0.01)
    assert inside["10:35"] == pytest.approx(0.77, abs=0.01)
