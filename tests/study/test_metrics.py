"""What a score says, on cases small enough to count by hand, and against SciPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gexterm.study.metrics import (
    Bin,
    Score,
    brier,
    reliability,
    sign_score,
    spearman,
    weighted_sign_share,
    worst_gap,
)

LABELS = ["BofA", "GEX", "Anti-GEX", "Sidial"]
signs = st.lists(
    st.tuples(st.sampled_from([-1.0, 0.0, 0.3, 1.0]), st.sampled_from([-1.0, 0.0, 1.0])),
    min_size=1,
    max_size=30,
).map(lambda pairs: tuple(np.array(column) for column in zip(*pairs, strict=True)))


def test_right_wrong_undecided_and_no_case() -> None:
    judged, truth = np.array([1.0, -1.0, 0.0, 1.0]), np.array([1.0, 1.0, -1.0, 0.0])
    assert sign_score(judged, truth) == Score(1.5, 3)
    assert sign_score(judged, truth).share == 0.5


def test_by_contracts_a_large_print_counts_more() -> None:
    judged, truth = np.array([1.0, -1.0]), np.array([1.0, 1.0])
    assert weighted_sign_share(judged, truth, np.array([30.0, 10.0])) == 0.75


def test_without_a_case_nothing_is_known() -> None:
    none = np.zeros(3)
    assert math.isnan(sign_score(none, none).share)
    assert math.isnan(weighted_sign_share(none, none, np.ones(3)))
    assert math.isnan(brier([], []))
    assert math.isnan(worst_gap(reliability(np.empty(0), np.empty(0, np.bool_)), 1))


@given(signs)
@settings(max_examples=50)
def test_the_opposite_judgement_is_right_where_this_one_is_wrong(pair) -> None:
    judged, truth = pair
    one, other = sign_score(judged, truth), sign_score(-judged, truth)
    assert one.count == other.count
    assert one.right + other.right == pytest.approx(one.count)


@given(signs, signs)
@settings(max_examples=30)
def test_scores_of_two_days_add_up_to_the_score_of_both(one, two) -> None:
    both = tuple(np.concatenate(columns) for columns in zip(one, two, strict=True))
    assert sign_score(*one) + sign_score(*two) == sign_score(*both)


@given(signs)
@settings(max_examples=30)
def test_with_equal_weights_contracts_and_prints_score_alike(pair) -> None:
    judged, truth = pair
    by_weight = weighted_sign_share(judged, truth, np.full(len(truth), 7.0))
    assert by_weight == pytest.approx(sign_score(judged, truth).share, nan_ok=True)


numbers = st.one_of(st.integers(-4, 4).map(float), st.just(float("nan")))


@given(st.lists(st.tuples(numbers, numbers), min_size=3, max_size=30))
@settings(max_examples=60)
def test_rank_correlation_is_scipys_with_ties_and_gaps(pairs) -> None:
    a, b = (np.array(column) for column in zip(*pairs, strict=True))
    known = np.isfinite(a) & np.isfinite(b)
    found = spearman(a, b)
    if known.sum() < 3 or np.ptp(a[known]) == 0 or np.ptp(b[known]) == 0:
        assert math.isnan(found)
    else:
        assert found == pytest.approx(stats.spearmanr(a[known], b[known]).statistic)


def test_rank_correlation_asks_for_order_alone() -> None:
    a = np.array([1.0, 2.0, 3.0, 40.0])
    assert spearman(a, a**3) == pytest.approx(1.0)
    assert spearman(a, -np.exp(a)) == pytest.approx(-1.0)


def test_brier_is_0_for_certainty_that_is_right_and_1_for_one_that_is_wrong() -> None:
    assert brier([{"GEX": 1.0}], ["GEX"]) == 0.0
    assert brier([{"GEX": 1.0}], ["BofA"]) == 1.0


def test_brier_of_knowing_nothing_of_four_is_three_eighths() -> None:
    quarter = dict.fromkeys(LABELS, 0.25)
    assert brier([quarter], ["Sidial"]) == pytest.approx(0.375)


def test_with_two_labels_it_is_the_usual_score() -> None:
    # Said 70 %: (1 − 0.7)² where it came, 0.7² where the other did.
    odds = {"GEX": 0.7, "BofA": 0.3}
    assert brier([odds, odds], ["GEX", "BofA"]) == pytest.approx((0.09 + 0.49) / 2)


@given(
    st.lists(st.floats(0.0, 1.0), min_size=4, max_size=4).filter(lambda w: sum(w) > 0.1),
    st.sampled_from(LABELS),
)
@settings(max_examples=50)
def test_nothing_scores_better_than_what_is_true(weights, label) -> None:
    odds = {k: w / sum(weights) for k, w in zip(LABELS, weights, strict=True)}
    said = brier([odds], [label])
    assert 0.0 <= said <= 1.0 + 1e-12
    # In expectation under `odds` themselves, no other answer does better.
    others = [{k: float(k == one) for k in LABELS} for one in LABELS]

    def expected(answer) -> float:
        return sum(odds[k] * brier([answer], [k]) for k in LABELS)

    assert all(expected(odds) <= expected(other) + 1e-12 for other in others)


def test_a_label_that_is_not_among_the_odds_counts_as_missed() -> None:
    assert brier([{"GEX": 0.5, "BofA": 0.5}], ["Mixed"]) == pytest.approx(0.75)


probabilities = st.lists(st.tuples(st.floats(0.0, 1.0), st.booleans()), max_size=60).map(
    lambda pairs: (
        np.array([p for p, _ in pairs], np.float64),
        np.array([h for _, h in pairs], np.bool_),
    )
)


@given(probabilities)
@settings(max_examples=50)
def test_every_case_is_in_the_one_bin_of_its_probability(cases) -> None:
    said, happened = cases
    bins = reliability(said, happened)
    assert len(bins) == 10
    assert sum(b.count for b in bins) == len(said)
    for b in bins:
        if b.count:
            assert b.low - 1e-12 <= b.said <= b.high + 1e-12
        else:
            assert math.isnan(b.said) and math.isnan(b.happened)
    total = sum(b.happened * b.count for b in bins if b.count)
    assert total == pytest.approx(happened.sum())


def test_certainty_is_in_the_last_bin() -> None:
    last = reliability(np.array([1.0, 0.9]), np.array([True, False]))[-1]
    assert (last.count, last.said, last.happened) == (2, pytest.approx(0.95), 0.5)


def test_the_worst_gap_looks_at_bins_with_enough_cases_only() -> None:
    bins = (
        Bin(0.0, 0.5, 0.3, 0.4, 100),
        Bin(0.5, 1.0, 0.7, 0.0, 2),
        Bin(1.0, 1.0, math.nan, math.nan, 0),
    )
    assert worst_gap(bins, 30) == pytest.approx(0.1)
    assert worst_gap(bins, 2) == pytest.approx(0.7)


def test_a_forecaster_who_knows_the_odds_is_reliable() -> None:
    rng = np.random.default_rng(3)
    said = rng.random(40_000)
    happened = rng.random(40_000) < said
    assert worst_gap(reliability(said, happened), 30) < 0.03
    assert worst_gap(reliability(said, ~happened), 30) > 0.5
