"""Dealers' net by the exchange's own labels, and ours held against it. Synthetic data."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from gexterm.dealers.openclose import (
    BD,
    CLOSE,
    CUST,
    FIRM,
    MM,
    OPEN,
    PROCUST,
    TENORS,
    UNSAID,
    Labelled,
    compare_net,
    cumulative,
    increments,
    labelled,
    ranks,
    seed,
)


def market(rng: np.random.Generator, rows: int = 30) -> np.ndarray:
    """All origins; what is bought is sold, by making market makers the other side."""
    quantity = np.full((5, 3, 2, rows), np.nan)
    for origin in (BD, FIRM, CUST, PROCUST):
        quantity[origin, OPEN:UNSAID] = rng.integers(0, 50, (2, 2, rows))
    others = np.nansum(quantity, axis=(0, 1))
    extra = rng.integers(0, 20, rows)
    quantity[MM, UNSAID, 0] = others[1] + extra
    quantity[MM, UNSAID, 1] = others[0] + extra
    return quantity


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_market_makers_net_is_what_all_others_did_the_other_way(number: int) -> None:
    quantity = market(np.random.default_rng(number))
    direct = labelled(quantity)
    assert direct.direct.all()
    assert np.array_equal(direct.net, quantity[MM, UNSAID, 0] - quantity[MM, UNSAID, 1])
    without = quantity.copy()
    without[MM] = np.nan
    indirect = labelled(without)
    assert not indirect.direct.any()
    assert np.array_equal(indirect.net, direct.net)


def test_a_customers_purchase_is_a_dealers_sale() -> None:
    quantity = np.full((5, 3, 2, 1), np.nan)
    quantity[CUST, OPEN] = [[30.0], [0.0]]
    quantity[CUST, CLOSE] = [[0.0], [10.0]]
    found = labelled(quantity)
    assert found.net.tolist() == [-20.0]
    assert found.volume.tolist() == [30.0]


def test_broker_dealers_and_firms_count_as_dealers_if_asked() -> None:
    quantity = market(np.random.default_rng(0))
    plain, wide, widest = (
        labelled(quantity),
        labelled(quantity, broker_dealers=True),
        labelled(quantity, broker_dealers=True, firms=True),
    )
    bd = quantity[BD, :2, 0].sum(axis=0) - quantity[BD, :2, 1].sum(axis=0)
    firm = quantity[FIRM, :2, 0].sum(axis=0) - quantity[FIRM, :2, 1].sum(axis=0)
    assert np.array_equal(wide.net, plain.net + bd)
    assert np.array_equal(widest.net, plain.net + bd + firm)


def test_labels_without_dealers_and_customers_say_nothing() -> None:
    quantity = np.full((5, 3, 2, 2), np.nan)
    quantity[FIRM, OPEN] = 5.0
    quantity[CUST, OPEN, 0] = 5.0  # only what they bought
    assert np.isnan(labelled(quantity).net).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_snapshots_add_up_to_the_day_again(number: int) -> None:
    rng = np.random.default_rng(number)
    contract, day, ts = (
        a.ravel() for a in np.meshgrid(np.arange(3), np.arange(2), np.arange(8), indexing="ij")
    )
    each = rng.integers(0, 9, len(contract)).astype(float)
    sums = each.reshape(3, 2, 8).cumsum(axis=2).ravel()
    shuffle = rng.permutation(len(contract))
    shuffle = shuffle[rng.random(len(shuffle)) < 0.8]  # series without trades are left out
    back = increments(contract[shuffle], ts[shuffle], day[shuffle], sums[shuffle])
    assert (back >= 0.0).all()
    for c in range(3):
        for d in range(2):
            mine = (contract[shuffle] == c) & (day[shuffle] == d)
            assert back[mine].sum() == pytest.approx(sums[shuffle][mine].max(initial=0.0))
    both = increments(
        contract[shuffle], ts[shuffle], day[shuffle], np.stack([sums, -sums])[:, shuffle]
    )
    assert np.array_equal(both, np.stack([back, -back]))
    assert cumulative(contract[shuffle], ts[shuffle], day[shuffle], sums[shuffle])


def test_volumes_of_ten_minutes_each_are_told_from_sums() -> None:
    contract, day, ts = np.zeros(5, int), np.zeros(5, int), np.arange(5)
    assert not cumulative(contract, ts, day, np.array([5.0, 3.0, 9.0, 1.0, 0.0]))
    assert cumulative(contract, ts, np.arange(5), np.array([5.0, 3.0, 9.0, 1.0, 0.0]))


def test_labelled_days_add_up_to_a_book_with_its_opening_volume() -> None:
    monday = Labelled(np.array([10.0, -4.0]), np.array([100.0, 20.0]), np.array([True, True]))
    tuesday = Labelled(np.array([5.0, np.nan]), np.array([50.0, 8.0]), np.array([True, False]))
    book = seed(
        3,
        [
            (np.array([0, 2]), monday, np.array([1000.0, 10.0])),
            (np.array([0, 1]), tuesday, np.array([1060.0, 5.0])),
        ],
    )
    assert book.mean.tolist() == [15.0, 0.0, -4.0]
    assert (book.variance == 0.0).all()
    assert book.opened.tolist() == [80.0 + 25.0, 4.0, 10.0]
    assert (book.days, book.unknown) == (2, 1)


def test_a_net_that_is_only_what_others_did_not_is_uncertain() -> None:
    day = Labelled(np.array([10.0]), np.array([100.0]), np.array([False]))
    assert seed(1, [(np.array([0]), day, np.array([np.nan]))]).variance[0] == 100.0


def scores(ours, theirs, volume=None, tenor=None):
    volume = np.ones_like(ours) if volume is None else volume
    tenor = np.zeros_like(ours) if tenor is None else tenor
    return {s.tenor: s for s in compare_net(ours, theirs, volume, tenor)}


def test_the_exchanges_own_numbers_score_one() -> None:
    theirs = np.random.default_rng(0).normal(0, 100, 200)
    same = scores(theirs, theirs)["all"]
    assert (same.sign_agreement, same.count) == (1.0, 200)
    assert (same.spearman, same.pearson, same.slope) == pytest.approx((1.0, 1.0, 1.0))


def test_a_timid_estimate_has_the_right_order_and_a_slope_below_one() -> None:
    theirs = np.random.default_rng(0).normal(0, 100, 200)
    timid = scores(0.5 * theirs, theirs)["all"]
    assert timid.spearman == pytest.approx(1.0)
    assert timid.slope == pytest.approx(0.5)
    turned = scores(-theirs, theirs)["all"]
    assert turned.sign_agreement == 0.0
    assert turned.slope == pytest.approx(-1.0)


def test_agreement_is_weighted_by_volume() -> None:
    ours, theirs = np.ones(20), np.ones(20)
    theirs[:5] = -1.0
    volume = np.where(np.arange(20) < 5, 300.0, 100.0)
    assert scores(ours, theirs, volume)["all"].sign_agreement == pytest.approx(0.5)


def test_todays_expiry_is_scored_apart() -> None:
    theirs = np.random.default_rng(0).normal(0, 100, 80)
    tenor = np.repeat([0.0, 3.0, 20.0, 200.0], 20)
    ours = np.where(tenor == 0.0, theirs, -theirs)
    found = scores(ours, theirs, tenor=tenor)
    assert list(found) == [name for name, _, _ in TENORS]
    assert [found[name].sign_agreement for name, _, _ in TENORS[1:]] == [1.0, 0.0, 0.0, 0.0]
    assert sum(found[name].count for name, _, _ in TENORS[1:]) == found["all"].count == 80


def test_few_rows_give_no_figure() -> None:
    few = scores(np.ones(9), np.ones(9))["all"]
    assert few.count == 9
    assert math.isnan(few.sign_agreement)
    assert math.isnan(few.spearman)


def test_rows_that_either_side_does_not_know_are_left_out() -> None:
    theirs = np.arange(1.0, 31.0)
    ours, volume = theirs.copy(), np.ones(30)
    ours[0], theirs[1], volume[2] = np.nan, np.nan, 0.0
    assert scores(ours, theirs, volume)["all"].count == 27


def test_a_net_that_never_varies_has_no_correlation() -> None:
    assert math.isnan(scores(np.ones(20), np.arange(20.0))["all"].spearman)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=12, max_size=60))
def test_rank_correlation_is_the_textbooks_ties_and_all(pairs) -> None:
    ours, theirs = np.array(pairs, float).T
    assert np.array_equal(ranks(ours), stats.rankdata(ours))
    found = scores(ours, theirs)["all"].spearman
    if len(set(ours)) > 1 and len(set(theirs)) > 1:
        assert found == pytest.approx(stats.spearmanr(ours, theirs).statistic)
    else:
        assert math.isnan(found)
