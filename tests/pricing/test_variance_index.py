"""Variance without a model: the Cboe's method, and its own stopping rule."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from gexterm.market.chain import CALL, PUT
from gexterm.pricing.chain import Pricer
from gexterm.pricing.skew import NOT_KNOWN, skew_25
from gexterm.pricing.variance_index import constant_maturity, variance_indices, variances
from tests.pricing.market import DAY_S, flat, layout_of, quoted

DENSE = np.arange(2000.0, 14001.0, 5.0)
DAYS = [2, 7, 14, 28, 35, 80, 120]


def priced(days=(28, 35), level=0.2, strikes=DENSE, exact=True, **options):
    rows = quoted(
        layout_of([d * DAY_S for d in days], strikes),
        smile=flat(level),
        exact=exact,
        **options,
    )
    return rows, Pricer(0.04).price(rows)[0]


def by_hand(K, F, D, T, price, k0):
    """The sum as the Cboe's paper writes it, in a loop. `price` is Q(K) of used strikes."""
    total = 0.0
    for i, strike in enumerate(K):
        left, right = K[max(i - 1, 0)], K[min(i + 1, len(K) - 1)]
        width = (right - left) / (2.0 if 0 < i < len(K) - 1 else 1.0)
        total += width / strike**2 * price[i] / D
    return 2.0 / T * total - (F / k0 - 1.0) ** 2 / T


@pytest.mark.parametrize("level", [0.1, 0.2, 0.5])
def test_a_flat_smile_gives_its_own_volatility(level):
    rows, surface = priced(level=level)
    np.testing.assert_allclose(np.sqrt(variances(rows, surface)), level, rtol=2e-3)
    assert variance_indices(rows, surface)["iv_30d"] == pytest.approx(level, rel=2e-3)


def test_the_sum_is_the_one_in_the_paper():
    strikes = np.array(
        [5700, 5750, 5800, 5850, 5900, 5925, 5950, 5975, 6000, 6010, 6025, 6050, 6100, 6150, 6250.0]
    )
    rows, surface = priced((28,), 0.25, strikes)
    F, D, T = surface.forward[0], surface.discount[0], surface.years[0]
    k0 = strikes[strikes <= F].max()
    mid = 0.5 * (rows.bid + rows.ask)
    price = np.where(strikes < k0, mid[PUT], mid[CALL])
    price[strikes == k0] = mid[:, strikes == k0].mean()
    expected = by_hand(strikes, F, D, T, price, k0)
    assert variances(rows, surface)[0] == pytest.approx(expected, rel=1e-12)


def test_the_walk_outwards_ends_at_two_zero_bids_in_a_row():
    strikes = 6000.0 + 25.0 * np.arange(-30, 31)
    rows, surface = priced((28,), 0.25, strikes)
    F, D, T = surface.forward[0], surface.discount[0], surface.years[0]
    k0 = strikes[strikes <= F].max()
    bid, ask = rows.bid.copy(), rows.ask.copy()
    # One alone is skipped; two in a row end the walk, whatever is bid for beyond.
    bid[PUT, [20]] = 0.0
    bid[PUT, [9, 10]] = 0.0
    bid[CALL, [44]] = 0.0
    bid[CALL, [50, 51]] = 0.0
    changed = dataclasses.replace(rows, bid=bid, ask=ask)
    mid = 0.5 * (rows.bid + rows.ask)
    price = np.where(strikes < k0, mid[PUT], mid[CALL])
    price[strikes == k0] = mid[:, strikes == k0].mean()
    used = np.ones(61, bool)
    used[:11] = used[50:] = used[[20, 44]] = False
    expected = by_hand(strikes[used], F, D, T, price[used], k0)
    assert variances(changed, surface)[0] == pytest.approx(expected, rel=1e-12)


def test_bids_on_the_wrong_side_of_the_money_do_not_matter():
    strikes = 6000.0 + 25.0 * np.arange(-30, 31)
    rows, surface = priced((28,), 0.25, strikes)
    bid = rows.bid.copy()
    bid[CALL, 10:20] = 0.0
    bid[PUT, 40:50] = 0.0
    changed = dataclasses.replace(rows, bid=bid)
    assert variances(changed, surface)[0] == variances(rows, surface)[0]


def test_strictly_the_forward_is_that_of_one_strike():
    rows, surface = priced((28, 35), 0.2, DENSE)
    strict, ours = variances(rows, surface, strict=True), variances(rows, surface)
    np.testing.assert_allclose(strict, ours, rtol=1e-6)
    # One old put in the money makes its strike the one with the smallest |C − P|.
    at = int(np.searchsorted(DENSE, 6040.0))
    bid, ask = rows.bid.copy(), rows.ask.copy()
    bid[PUT, at], ask[PUT, at] = rows.bid[CALL, at], rows.ask[CALL, at]
    changed = dataclasses.replace(rows, bid=bid, ask=ask)
    assert abs(variances(changed, surface, strict=True)[0] / ours[0] - 1) > 1e-4
    assert variances(changed, surface)[0] == pytest.approx(ours[0], rel=1e-12)


def test_settled_or_hardly_quoted_expiries_have_no_variance():
    rows, surface = priced((-1, 28, 35))
    found = variances(rows, surface)
    assert np.isnan(found[0])
    assert np.isfinite(found[1:]).all()
    bid = rows.bid.copy()
    few = rows.layout.slice(1)
    bid[:, few.start : few.stop] = 0.0
    middle = few.start + int(np.searchsorted(DENSE, 6000.0))
    bid[:, middle - 1 : middle + 2] = rows.bid[:, middle - 1 : middle + 2]
    assert np.isnan(variances(dataclasses.replace(rows, bid=bid), surface)[1])


def test_one_sided_quotes_are_no_index():
    """Nobody bids for puts: the sum would be of calls alone."""
    rows, surface = priced((28,))
    bid = rows.bid.copy()
    bid[PUT] = 0.0
    assert np.isnan(variances(dataclasses.replace(rows, bid=bid), surface)[0])


def test_constant_maturity_interpolates_total_variance():
    years = np.array([23.0, 37.0]) / 365
    variance = np.array([0.04, 0.09])
    expected = np.sqrt((0.04 * 23 * 7 + 0.09 * 37 * 7) / 14 / 30)
    assert constant_maturity(variance, years, 30) == pytest.approx(expected)
    assert constant_maturity(variance, years, 23) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("days", "wanted", "known"),
    [
        ((40.0, 60.0), 30, False),
        ((5.0, 10.0), 30, False),
        ((26.0,), 30, True),
        ((35.0,), 30, True),
        ((10.0, 400.0), 30, False),
        ((0.2, 12.0), 9, False),
        ((), 30, False),
    ],
)
def test_nothing_is_extrapolated_far(days, wanted, known):
    years = np.array(days) / 365
    found = constant_maturity(np.full(len(days), 0.04), years, wanted)
    assert np.isfinite(found) == known
    if known:
        assert found == pytest.approx(0.2)


def test_nan_variances_are_passed_over():
    years = np.array([7.0, 23.0, 30.0, 37.0]) / 365
    variance = np.array([0.04, 0.04, np.nan, 0.09])
    assert constant_maturity(variance, years, 30) == pytest.approx(
        constant_maturity(variance[[1, 3]], years[[1, 3]], 30)
    )


def test_all_three_indices_of_a_listed_chain():
    rows, surface = priced(DAYS, 0.18, np.arange(3500.0, 9001.0, 10.0), exact=False)
    found = variance_indices(rows, surface)
    assert set(found) == {"iv_9d", "iv_30d", "iv_90d"}
    for value in found.values():
        assert value == pytest.approx(0.18, rel=0.02)


def test_the_skew_of_a_flat_smile_is_nothing():
    _, surface = priced(DAYS, 0.2, np.arange(4000.0, 8001.0, 10.0))
    found = skew_25(surface)
    assert found.skew == pytest.approx(0.0, abs=1e-4)
    assert found.atm == pytest.approx(0.2, rel=1e-3)


def test_the_skew_is_that_of_the_strikes_with_delta_a_quarter():
    from scipy.optimize import brentq
    from scipy.special import ndtr

    from tests.pricing.market import skewed

    rows = quoted(layout_of([30 * DAY_S, 60 * DAY_S], np.arange(4000.0, 8001.0, 5.0)))
    surface, _ = Pricer(0.04).price(rows)
    T = 30 / 365

    def delta(k, sign):
        sigma = skewed(np.array([k]), T)[0]
        w = sigma * np.sqrt(T)
        return float(ndtr(sign * (-k / w + w / 2))) - 0.25

    call = brentq(lambda k: delta(k, 1), 0.0, 0.2)
    put = brentq(lambda k: delta(k, -1), -0.3, 0.0)
    found = skew_25(surface, 30)
    assert found.call == pytest.approx(skewed(np.array([call]), T)[0], rel=3e-3)
    assert found.put == pytest.approx(skewed(np.array([put]), T)[0], rel=3e-3)
    assert found.relative == pytest.approx(found.skew / found.atm)


def test_no_skew_where_no_expiry_is_near():
    _, surface = priced((2, 5), 0.2, np.arange(5000.0, 7001.0, 10.0))
    assert skew_25(surface) is NOT_KNOWN
    _, surface = priced((200, 400), 0.2, np.arange(4000.0, 8001.0, 10.0))
    assert skew_25(surface) is NOT_KNOWN
