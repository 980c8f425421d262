"""Implied volatility: exact where the price says something, a reason where it does not."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.pricing.black import price
from gexterm.pricing.implied import Reason, implied_vol

MINUTE, DAY = 1 / 525_600, 1 / 365


def exact_price(F, K, T, D, sigma, sign):
    """Price and undiscounted time value with 40 digits."""
    with mp.workdps(40):
        F, K, T, D, sigma = (mp.mpf(float(v)) for v in (F, K, T, D, sigma))
        w = sigma * mp.sqrt(T)
        d1 = mp.log(F / K) / w + w / 2
        value = sign * (F * mp.ncdf(sign * d1) - K * mp.ncdf(sign * (d1 - w)))
        return float(D * value), float(value - max(sign * (F - K), 0))


@pytest.mark.parametrize("T", [MINUTE, 30 * MINUTE, DAY, 30 * DAY, 2.0])
@pytest.mark.parametrize("sigma", [0.05, 0.2, 0.9, 4.0])
def test_the_volatility_that_made_the_price_comes_back(T, sigma):
    F, D = 6000.0, 0.97**T
    s = sigma * np.sqrt(T)
    for z in (-5.5, -2.5, -0.5, -1e-5, 0.0, 1e-3, 0.3, 1.5, 3.5, 5.5):
        K = float(F * np.exp(z * s))
        for sign in (1, -1):
            value, over = exact_price(F, K, T, D, sigma, sign)
            iv, reason = implied_vol(value, F, K, T, D, sign)
            error = abs(iv[0] / sigma - 1)
            if sign * (F - K) <= 0 and value > 1e-9:
                assert error < 1e-12, (z, sign)
            elif over > 1e-3 and K < 10 * F:
                assert error < 1e-10, (z, sign)
            assert (reason[0] == Reason.OK) == np.isfinite(iv[0])


def test_total_volatility_of_several_hundred_percent_is_no_obstacle():
    for s in (1.5, 2.2, 3.0, 5.0, 8.0):
        for K in (50.0, 100.0, 400.0):
            sign = 1 if K >= 100 else -1
            value, _ = exact_price(100.0, K, 1.0, 1.0, s, sign)
            iv, _ = implied_vol(value, 100.0, K, 1.0, 1.0, sign)
            assert iv[0] == pytest.approx(s, rel=1e-12 if s < 6 else 1e-9)


@settings(max_examples=80, deadline=None)
@given(st.floats(-5.0, 5.0), st.floats(0.03, 3.0), st.floats(MINUTE, 3.0), st.floats(0.7, 1.02))
def test_round_trip_through_the_price(z, sigma, T, D):
    K = 100.0 * np.exp(z * sigma * np.sqrt(T))
    sign = 1.0 if K >= 100.0 else -1.0
    value = price(100.0, K, T, D, sigma, sign)
    iv, reason = implied_vol(value, 100.0, K, T, D, sign)
    if value > 1e-9:
        assert reason[0] == Reason.OK
        assert iv[0] == pytest.approx(sigma, rel=3e-12)


def test_agrees_with_a_root_found_by_bisection():
    F, K, T, D, quoted = 3856.8, 3700.0, 3.1 * DAY, 0.9998, 7.35
    with mp.workdps(30):

        def gap(sigma):
            w = sigma * mp.sqrt(T)
            d1 = mp.log(mp.mpf(F) / K) / w + w / 2
            return D * (K * mp.ncdf(w - d1) - F * mp.ncdf(-d1)) - mp.mpf(quoted)

        root = mp.findroot(gap, (0.05, 2.0), solver="anderson", tol=1e-25)
    assert implied_vol(quoted, F, K, T, D, -1)[0][0] == pytest.approx(float(root), rel=1e-12)


CASES = [
    ("no quote", np.nan, 100.0, 100.0, 0.1, 1.0, 1, Reason.NO_QUOTE),
    ("a negative price", -1.0, 100.0, 120.0, 0.1, 1.0, 1, Reason.BAD_PRICE),
    ("an infinite price", np.inf, 100.0, 120.0, 0.1, 1.0, 1, Reason.BAD_PRICE),
    ("a price below intrinsic", 9.0, 100.0, 90.0, 0.1, 1.0, 1, Reason.BELOW_INTRINSIC),
    ("intrinsic value itself", 10.0, 100.0, 90.0, 0.1, 1.0, 1, Reason.NO_TIME_VALUE),
    ("a price of nothing", 0.0, 100.0, 110.0, 0.1, 1.0, 1, Reason.NO_TIME_VALUE),
    ("a call dearer than its underlying", 101.0, 100.0, 90.0, 0.1, 1.0, 1, Reason.ABOVE_MAXIMUM),
    ("a put dearer than its strike", 90.5, 100.0, 90.0, 0.1, 1.0, -1, Reason.ABOVE_MAXIMUM),
    ("one rounding over intrinsic", 2855.8 + 4e-12, 3855.8, 1000.0, 0.01, 1.0, 1, None),
    ("no forward", 5.0, np.nan, 100.0, 0.1, 1.0, 1, Reason.BAD_INPUT),
    ("a negative forward", 5.0, -100.0, 100.0, 0.1, 1.0, 1, Reason.BAD_INPUT),
    ("negative forward and strike", 5.0, -100.0, -100.0, 0.1, 1.0, 1, Reason.BAD_INPUT),
    ("a strike of zero", 5.0, 100.0, 0.0, 0.1, 1.0, 1, Reason.BAD_INPUT),
    ("no time", 5.0, 100.0, 100.0, 0.0, 1.0, 1, Reason.BAD_INPUT),
    ("time gone by", 5.0, 100.0, 100.0, -0.1, 1.0, 1, Reason.BAD_INPUT),
    ("endless time", 5.0, 100.0, 100.0, np.inf, 1.0, 1, Reason.BAD_INPUT),
    ("a discount of zero", 5.0, 100.0, 100.0, 0.1, 0.0, 1, Reason.BAD_INPUT),
    ("neither call nor put", 5.0, 100.0, 100.0, 0.1, 1.0, np.nan, Reason.BAD_INPUT),
]


@pytest.mark.parametrize("case", CASES, ids=[c[0] for c in CASES])
def test_what_has_no_volatility_says_why(case):
    _, P, F, K, T, D, sign, expected = case
    iv, reason = implied_vol(P, F, K, T, D, sign)
    assert np.isnan(iv[0])
    if expected is None:
        assert reason[0] in (Reason.NOT_INFORMATIVE, Reason.NO_TIME_VALUE)
    else:
        assert reason[0] == expected


def test_one_bad_contract_does_not_disturb_the_others():
    prices = np.array([case[1] for case in CASES] + [4.0])
    inputs = [
        np.array([case[i] for case in CASES] + [good])
        for i, good in zip(range(2, 7), (100.0, 100.0, 0.1, 1.0, 1.0), strict=True)
    ]
    together, reasons = implied_vol(prices, *inputs)
    alone, _ = implied_vol(4.0, 100.0, 100.0, 0.1, 1.0, 1)
    assert together[-1] == alone[0]
    assert np.isnan(together[:-1]).all()
    assert (reasons[:-1] != Reason.OK).all()


def test_deep_in_the_money_time_value_lost_in_rounding_is_not_guessed():
    # 1e-12 of time value on a price of 2800: the last digit of the price decides.
    value, over = exact_price(3800.0, 1000.0, 0.2, 1.0, 0.41, 1)
    assert 0 < over < 1e-10
    iv, reason = implied_vol(value, 3800.0, 1000.0, 0.2, 1.0, 1)
    assert np.isnan(iv[0])
    assert reason[0] in (Reason.NOT_INFORMATIVE, Reason.NO_TIME_VALUE)
    # Out of the money the same time value is a price, with all its digits.
    value, _ = exact_price(3800.0, 1000.0, 0.2, 1.0, 0.41, -1)
    assert implied_vol(value, 3800.0, 1000.0, 0.2, 1.0, -1)[0][0] == pytest.approx(0.41, rel=1e-12)


@settings(max_examples=100, deadline=None)
@given(
    st.tuples(*(st.floats(allow_nan=True, allow_infinity=True) for _ in range(5))),
    st.sampled_from([1.0, -1.0]),
)
def test_no_input_raises_or_warns(numbers, sign):
    iv, reason = implied_vol(*numbers, sign)
    assert (reason[0] == Reason.OK) == bool(np.isfinite(iv[0]))
    if reason[0] == Reason.OK:
        assert iv[0] > 0


def test_every_reason_has_a_line_for_a_person():
    for reason in Reason:
        assert reason.text
        assert "\n" not in reason.text
