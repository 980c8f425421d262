"""Greeks are what 50 digits say they are, down to a minute and out to 1e-200."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from blackscholes import BlackScholesCall, BlackScholesPut
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.pricing.black import Greeks, greeks, price, row_greeks
from gexterm.pricing.work import Work

MINUTE, DAY = 1 / 525_600, 1 / 365
TIMES = [MINUTE, 30 * MINUTE, DAY, 30 * DAY, 2.0]
NAMES = ("delta", "gamma", "vega", "vanna", "charm", "theta")


def exact(S, F, K, T, D, sigma, sign):
    """The greeks by 50-digit derivatives of the price, F following S at constant carry."""
    with mp.workdps(50):
        S, F, K, T, D, sigma = (mp.mpf(float(v)) for v in (S, F, K, T, D, sigma))
        r, b = -mp.log(D) / T, mp.log(F / S) / T

        def value(s, t, v):
            f, w = s * mp.exp(b * t), v * mp.sqrt(t)
            d1 = mp.log(f / K) / w + w / 2
            return sign * mp.exp(-r * t) * (f * mp.ncdf(sign * d1) - K * mp.ncdf(sign * (d1 - w)))

        point = (S, T, sigma)

        def derivative(*orders):
            return mp.diff(value, point, orders, h=mp.mpf(10) ** -14, relative=True)

        return {
            "price": value(*point),
            "delta": derivative(1, 0, 0),
            "gamma": derivative(2, 0, 0),
            "vega": derivative(0, 0, 1) / 100,
            "vanna": derivative(1, 0, 1) / 100,
            "charm": -derivative(1, 1, 0) / 365,
            "theta": -derivative(0, 1, 0) / 365,
        }


def relative(mine: float, true: mp.mpf) -> float:
    return abs(float((mp.mpf(mine) - true) / true))


@pytest.mark.parametrize("T", TIMES, ids=["1 minute", "30 minutes", "1 day", "30 days", "2 years"])
@pytest.mark.parametrize("sign", [1, -1], ids=["call", "put"])
def test_greeks_equal_the_derivatives_of_the_price(T, sign):
    S, sigma, rate, dividend = 6000.0, 0.17, 0.045, 0.013
    D = np.exp(-rate * T)
    F = S * np.exp((rate - dividend) * T)
    for z in (-6.0, -3.0, -0.7, 0.31, 2.0, 5.0):
        K = F * np.exp(z * sigma * np.sqrt(T))
        got = greeks(S, F, K, T, D, sigma, sign)
        expected = exact(S, F, K, T, D, sigma, sign)
        for name in NAMES:
            assert relative(getattr(got, name)[0], expected[name]) < 1e-11, (name, z)


@pytest.mark.parametrize("T", [MINUTE, 30 * DAY])
def test_a_greek_of_1e_200_has_its_digits(T):
    S, sigma = 6000.0, 0.2
    F, D = S * np.exp(0.02 * T), np.exp(-0.03 * T)
    for z in (-29.0, 29.0):
        K = F * np.exp(z * sigma * np.sqrt(T))
        got = greeks(S, F, K, T, D, sigma, np.sign(z))
        expected = exact(S, F, K, T, D, sigma, int(np.sign(z)))
        for name in ("delta", "gamma", "vega", "vanna", "charm"):
            assert relative(getattr(got, name)[0], expected[name]) < 1e-11, name


@pytest.mark.parametrize("T", TIMES)
def test_the_price_keeps_its_digits_in_the_wings(T):
    F, D, sigma = 6001.5, np.exp(-0.04 * T), 0.25
    with mp.workdps(50):
        for z in (-12.0, -4.0, -0.2, 0.0, 0.5, 3.0, 9.0):
            K = float(F * np.exp(z * sigma * np.sqrt(T)))
            sign = 1 if K >= F else -1
            w = mp.mpf(sigma) * mp.sqrt(mp.mpf(T))
            d1 = mp.log(mp.mpf(F) / K) / w + w / 2
            true = sign * mp.mpf(D) * (F * mp.ncdf(sign * d1) - K * mp.ncdf(sign * (d1 - w)))
            assert relative(price(F, K, T, D, sigma, sign)[()], true) < 2e-12


def test_vanna_and_charm_have_the_signs_of_the_blackscholes_package():
    S, T, r, q, sigma = 100.0, 0.1, 0.03, 0.01, 0.25
    F, D = S * np.exp((r - q) * T), np.exp(-r * T)
    for K in (85.0, 97.0, 103.0, 115.0):
        for sign, kind in ((1, BlackScholesCall), (-1, BlackScholesPut)):
            theirs = kind(S=S, K=K, T=T, r=r, sigma=sigma, q=q)
            mine = greeks(S, F, K, T, D, sigma, sign)
            assert mine.vanna[0] == pytest.approx(theirs.vanna() / 100, rel=1e-9)
            assert mine.charm[0] == pytest.approx(theirs.charm() / 365, rel=1e-9)
            assert mine.delta[0] == pytest.approx(theirs.delta(), rel=1e-9)
            assert mine.theta[0] == pytest.approx(theirs.theta() / 365, rel=1e-9)


def test_out_of_the_money_puts_have_negative_vanna_and_positive_charm():
    put = greeks(100.0, 100.0, 95.0, 0.05, 1.0, 0.2, -1)
    call = greeks(100.0, 100.0, 105.0, 0.05, 1.0, 0.2, 1)
    assert put.vanna[0] < 0 < put.charm[0]
    assert call.charm[0] < 0 < call.vanna[0]


def test_without_rates_call_and_put_decay_alike():
    call, put = (greeks(100.0, 100.0, 104.0, 0.02, 1.0, 0.3, s) for s in (1, -1))
    assert call.charm[0] == pytest.approx(put.charm[0], rel=1e-13)
    assert call.delta[0] - put.delta[0] == pytest.approx(1.0, rel=1e-14)


strikes = st.floats(0.2, 5.0)
vols = st.floats(0.01, 4.0)
times = st.floats(MINUTE, 3.0)
rates = st.floats(-0.05, 0.2)


@settings(max_examples=60, deadline=None)
@given(strikes, vols, times, rates, rates)
def test_put_and_call_obey_parity(moneyness, sigma, T, rate, carry):
    S = 100.0
    F, K, D = S * np.exp(carry * T), S * moneyness, np.exp(-rate * T)
    call, put = (price(F, K, T, D, sigma, s) for s in (1, -1))
    assert float(call - put) == pytest.approx(D * (F - K), rel=1e-12, abs=1e-11)
    c, p = (greeks(S, F, K, T, D, sigma, s) for s in (1, -1))
    A = D * F / S
    assert c.delta[0] - p.delta[0] == pytest.approx(A, rel=1e-12)
    assert c.gamma[0] == p.gamma[0]
    # C − P = A S − D K decays at what the two carry.
    q = rate - carry
    assert c.theta[0] - p.theta[0] == pytest.approx(
        (q * A * S - rate * D * K) / 365, rel=1e-8, abs=1e-10
    )
    assert c.charm[0] - p.charm[0] == pytest.approx(q * A / 365, rel=1e-8, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(strikes, vols, times), min_size=1, max_size=30), rates, rates)
def test_rows_say_of_both_contracts_what_single_contracts_say(cases, rate, carry):
    S = 100.0
    K, sigma, T = (np.array(column) for column in zip(*cases, strict=True))
    K = K * S
    F, D = S * np.exp(carry * T), np.exp(-rate * T)
    rows = row_greeks(S, F, K, T, D, sigma, np.log(F / S) / T, Work())
    for side, sign in enumerate((1.0, -1.0)):
        single = greeks(S, F, K, T, D, sigma, sign)
        for name in ("gamma", "vega", "vanna"):
            np.testing.assert_allclose(getattr(rows, name), getattr(single, name), rtol=1e-12)
        for name in ("delta", "charm", "theta"):
            np.testing.assert_allclose(
                getattr(rows, name)[side], getattr(single, name), rtol=1e-9, atol=1e-11
            )


def test_nan_in_is_nan_out_and_nothing_else_is_disturbed():
    K = np.array([95.0, np.nan, 105.0, 100.0, 100.0])
    sigma = np.array([0.2, 0.2, np.nan, 0.0, -0.1])
    got = greeks(100.0, 100.0, K, 0.1, 0.99, sigma, 1.0)
    for name in NAMES:
        array = getattr(got, name)
        assert np.isfinite(array[0])
        assert np.isnan(array[1:]).all()


@pytest.mark.parametrize("T", [1e-12, MINUTE, 2.0])
@pytest.mark.parametrize("K", [1e-3, 1.0, 99.999, 100.0, 1e4, 1e7])
def test_extremes_neither_warn_nor_overflow(T, K):
    for sign in (1, -1):
        got = greeks(100.0, 100.0, K, T, 1.0, 0.2, sign)
        assert all(np.isfinite(getattr(got, name)).all() for name in NAMES)
        assert np.isfinite(price(100.0, K, T, 1.0, 0.2, sign))
    deep = greeks(100.0, 100.0, 1e-3, 1e-6, 1.0, 0.2, 1)
    assert deep.delta[0] == 1.0
    assert deep.gamma[0] == 0.0


def test_results_go_where_they_are_asked_to():
    out = Greeks(*(np.empty(3) for _ in range(5)))
    work = Work()
    K = np.array([90.0, 100.0, 110.0])
    got = greeks(100.0, 100.0, K, 0.1, 1.0, 0.2, 1.0, work, theta=False, out=out)
    assert got is out
    fresh = greeks(100.0, 100.0, K, 0.1, 1.0, 0.2, 1.0)
    np.testing.assert_array_equal(out.delta, fresh.delta)
    np.testing.assert_array_equal(out.charm, fresh.charm)


def test_long_and_short_arrays_agree():
    K = np.linspace(20.0, 500.0, 5000)
    long = greeks(100.0, 101.0, K, 0.3, 0.98, 0.4, 1.0)
    short = [greeks(100.0, 101.0, part, 0.3, 0.98, 0.4, 1.0) for part in np.split(K, 50)]
    for name in NAMES:
        together = np.concatenate([getattr(part, name) for part in short])
        np.testing.assert_allclose(getattr(long, name), together, rtol=5e-13, atol=1e-300)
