"""The parity forward survives stale quotes, and says when it does not know."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.market.contracts import Exercise
from gexterm.pricing.forward import (
    ForwardReason,
    Forwards,
    implied_rates,
    parity_forwards,
    quoted_pairs,
    weighted_median,
)
from tests.pricing.market import DAY_S, HOUR_S, layout_of, quoted

RATE, DIVIDEND, SPOT = 0.04, 0.01, 6000.0
STRIKES = SPOT + 5.0 * np.arange(-40, 41)


def fit(rows, rate=RATE, american=False, guess=None, drop=None) -> Forwards:
    layout = rows.layout
    E = len(layout.expiries)
    years = np.array([e.seconds_left(rows.as_of) for e in layout.expiries]) / (365 * DAY_S)
    usable = (rows.bid > 0) & (rows.ask > rows.bid)
    if drop is not None:
        usable &= ~drop
    pairs = quoted_pairs(layout.strike, layout.expiry, E, rows.bid, rows.ask, usable)
    live = np.where(years > 0, years, np.nan)
    return parity_forwards(
        pairs, len(layout), live, np.exp(-rate * years), np.full(E, american), guess
    )


def true_forward(seconds: float) -> float:
    return SPOT * np.exp((RATE - DIVIDEND) * seconds / (365 * DAY_S))


@pytest.mark.parametrize("seconds", [4 * HOUR_S, 30 * DAY_S], ids=["0DTE", "30 days"])
@pytest.mark.parametrize("move", [3.0, 8.0, 30.0])
def test_five_percent_stale_quotes_cost_less_than_a_twentieth_of_a_point(seconds, move):
    layout = layout_of([seconds], STRIKES)
    off, single = [], []
    for seed in range(40):
        rows = quoted(layout, seed=seed, stale_share=0.05, stale_move=move)
        off.append(fit(rows).forward[0] - true_forward(seconds))
        mid = 0.5 * (rows.bid + rows.ask)
        at = int(np.argmin(np.abs(mid[0] - mid[1])))
        D = np.exp(-RATE * seconds / (365 * DAY_S))
        single.append(layout.strike[at] + (mid[0] - mid[1])[at] / D - true_forward(seconds))
    rmse = np.sqrt(np.mean(np.square(off)))
    assert rmse < 0.05
    # The strike with the smallest |C − P|, the index's rule, is led astray.
    assert np.sqrt(np.mean(np.square(single))) > 5 * rmse


def test_clean_quotes_are_never_called_stale():
    layout = layout_of([4 * HOUR_S, 7 * DAY_S, 90 * DAY_S], STRIKES)
    for seed in range(30):
        assert not fit(quoted(layout, seed=seed)).stale.any()


def test_an_old_quote_at_the_money_is_named():
    layout = layout_of([4 * HOUR_S], STRIKES)
    rows = quoted(layout)
    at = int(np.searchsorted(STRIKES, 6005.0))
    for array in (rows.bid, rows.ask):
        array[0, at] += 4.0
    found = fit(rows)
    assert np.flatnonzero(found.stale).tolist() == [at]
    assert found.forward[0] == pytest.approx(true_forward(4 * HOUR_S), abs=0.05)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 0.08))
def test_the_forward_lies_within_its_bounds(seed, share):
    layout = layout_of([6 * HOUR_S, 20 * DAY_S], STRIKES)
    found = fit(quoted(layout, seed=seed, stale_share=share))
    assert (found.low <= found.forward).all()
    assert (found.forward <= found.high).all()
    assert (found.high - found.low < 5.0).all()


def test_where_it_looks_first_does_not_change_what_it_finds():
    layout = layout_of([4 * HOUR_S, 30 * DAY_S], STRIKES)
    rows = quoted(layout)
    cold = fit(rows).forward
    for guess in (5990.0, 6120.0, 5840.0):
        np.testing.assert_allclose(fit(rows, guess=np.full(2, guess)).forward, cold, atol=0.03)


def test_without_pairs_there_is_no_forward_but_a_reason():
    layout = layout_of([-10.0, 4 * HOUR_S, DAY_S, 2 * DAY_S], STRIKES)
    rows = quoted(layout)
    drop = np.zeros(rows.bid.shape, bool)
    drop[:, layout.slice(1)] = True
    drop[:, layout.slice(2).start + 2 : layout.slice(2).stop] = True
    # Without a bid, a pair is still worth its offers: those must be gone too.
    rows.ask[drop] = np.nan
    found = fit(rows, drop=drop)
    assert found.reason.tolist() == [
        ForwardReason.SETTLED,
        ForwardReason.NO_PAIRS,
        ForwardReason.TOO_FEW_PAIRS,
        ForwardReason.OK,
    ]
    assert np.isnan(found.forward[:3]).all()
    assert np.isfinite(found.forward[3])
    assert all(ForwardReason(r).text for r in found.reason)


def test_minutes_before_settlement_zero_bids_still_bound_the_forward():
    layout = layout_of([12 * 60.0], SPOT + 5.0 * np.arange(-20, 21))
    rows = quoted(layout)
    both = (rows.bid > 0).all(axis=0)
    assert both.sum() < 6
    assert fit(rows).forward[0] == pytest.approx(SPOT, abs=0.5)


def test_a_wrong_rate_does_not_make_far_strikes_stale():
    layout = layout_of([2 * 365 * DAY_S], np.arange(3000.0, 9001.0, 50.0))
    rows = quoted(layout)
    found = fit(rows, rate=0.0)
    assert found.stale.mean() < 0.1
    assert found.forward[0] == pytest.approx(true_forward(2 * 365 * DAY_S), rel=0.01)


def test_the_rate_is_read_off_the_chain():
    days = [0.2, 3, 10, 30, 60, 120, 365, 720]
    layout = layout_of([d * DAY_S for d in days], np.arange(4800.0, 7201.0, 25.0))
    for seed in range(5):
        rows = quoted(layout, seed=seed, rate=0.043, stale_share=0.03)
        usable = (rows.bid > 0) & (rows.ask > rows.bid)
        years = np.array(days) / 365
        pairs = quoted_pairs(layout.strike, layout.expiry, len(days), rows.bid, rows.ask, usable)
        rates, found = implied_rates(pairs, years, np.zeros(len(days), bool))
        assert found
        # What counts is the discount factor, a tenth of a per mille of the price at most.
        assert np.abs(np.exp(-rates * years) / np.exp(-0.043 * years) - 1).max() < 3e-4
        assert np.abs(rates[3:] - 0.043).max() < 2e-3


def test_with_early_exercise_or_under_a_week_no_rate_is_implied():
    layout = layout_of([DAY_S, 3 * DAY_S], STRIKES)
    rows = quoted(layout)
    pairs = quoted_pairs(layout.strike, layout.expiry, 2, rows.bid, rows.ask, rows.bid > 0)
    rates, found = implied_rates(pairs, np.array([1, 3]) / 365, np.zeros(2, bool))
    assert not found
    assert (rates == 0).all()
    rates, found = implied_rates(pairs, np.array([100, 300]) / 365, np.ones(2, bool))
    assert not found


def test_with_early_exercise_only_the_money_counts():
    layout = layout_of([0.5 * 365 * DAY_S], SPOT + 25.0 * np.arange(-80, 81), Exercise.AMERICAN)
    rows = quoted(layout)
    K = layout.strike
    # Deep puts are worth at least K − S at once.
    floor = np.maximum(K - SPOT, 0.0)
    for array, extra in ((rows.bid, -2.0), (rows.ask, 2.0)):
        array[1] = np.maximum(array[1], floor + extra)
    found = fit(rows, american=True)
    assert not found.stale.any()
    assert found.forward[0] == pytest.approx(true_forward(0.5 * 365 * DAY_S), rel=1e-3)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(0.01, 100.0)), min_size=1, max_size=12),
        min_size=1,
        max_size=5,
    )
)
def test_a_weighted_median_has_half_the_weight_on_either_side(groups):
    values = np.array([v for g in groups for v, _ in g])
    weights = np.array([w for g in groups for _, w in g])
    count = np.array([len(g) for g in groups], np.intp)
    group = np.repeat(np.arange(len(groups)), count)
    found = weighted_median(values, weights, group, np.cumsum(count) - count, count)
    for median, members in zip(found, groups, strict=True):
        v, w = (np.array(column) for column in zip(*members, strict=True))
        slack = 1e-9 * w.sum()
        near = 1e-9 * (1 + np.ptp(v))
        assert w[v < median - near].sum() <= w.sum() / 2 + w.max() / 2 + slack
        assert w[v > median + near].sum() <= w.sum() / 2 + w.max() / 2 + slack
        assert v.min() - near <= median <= v.max() + near
