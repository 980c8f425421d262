"""Exposures by row, strike and expiry."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from gexterm.exposure.strikes import (
    COLUMNS,
    StrikeIndex,
    by_expiry,
    by_strike,
    finite_charm,
    row_exposures,
    totals,
)
from tests.exposure.market import TODAY, expiry, flat, skewed, surface, zero_dte

YEAR_HOURS = 8760.0


def book(chain, seed=0):
    return np.random.default_rng(seed).normal(0.0, 1000.0, (2, len(chain.layout))).round()


@pytest.fixture(scope="module")
def chain():
    K = np.arange(5700.0, 6301.0, 25.0)
    return surface(
        [
            (expiry(4.0, date=TODAY), K),
            (expiry(28.0), K[::2]),
            (expiry(28.0, "SPX"), K[4:-4]),
            (expiry(24.0 * 40), K),
        ],
        smile=skewed(),
        rate=0.045,
        dividend=0.013,
    )


def test_the_worked_scale_of_a_20_point_call_four_hours_before_the_close() -> None:
    # Published worked scale: 10,000 calls 20 points out, S 6000, 4 h, 13 %.
    chain = zero_dte(strikes=np.array([6000.0, 6020.0]))
    x = np.array([[0.0, 10_000.0], [0.0, 0.0]])
    t = totals(row_exposures(chain, x), x, chain.layout)
    assert t.delta == pytest.approx(0.69e9, abs=0.005e9)
    assert t.gex == pytest.approx(4.2e9, abs=0.05e9)
    assert t.gex / 60.0 == pytest.approx(70e6, abs=0.6e6)
    assert t.vega == pytest.approx(0.25e6, abs=0.005e6)
    assert t.vanna == pytest.approx(108e6, abs=0.6e6)
    # The published −175M is instantaneous charm over 24; over a whole hour more goes.
    assert t.charm_day / 24.0 == pytest.approx(-175e6, abs=0.6e6)
    w, w_later = 0.13 * np.sqrt(np.array([4.0, 3.0]) / YEAR_HOURS)
    d1 = np.log(6000.0 / 6020.0) / np.array([w_later, w]) + np.array([w_later, w]) / 2
    then, now = norm.cdf(d1)
    assert t.charm_hour == pytest.approx((then - now) * 10_000 * 100 * 6000.0)
    assert -200e6 < t.charm_hour < -175e6


def test_totals_are_the_sums_of_plain_black_76(chain) -> None:
    x = book(chain)
    want = dict.fromkeys(("gex", "delta", "vega", "vanna", "charm_day"), 0.0)
    S = chain.spot
    for i in range(len(chain.layout)):
        for side in (0, 1):
            size = x[side, i] * 100.0
            want["gex"] += size * chain.gamma[i] * S * S * 0.01
            want["delta"] += size * chain.delta[side, i] * S
            want["vega"] += size * chain.vega[i]
            want["vanna"] += size * chain.vanna[i] * S
            want["charm_day"] += size * chain.charm[side, i] * S
    got = totals(row_exposures(chain, x), x, chain.layout)
    for name, value in want.items():
        assert getattr(got, name) == pytest.approx(value, rel=1e-10), name


def test_finite_charm_is_the_delta_of_a_chain_priced_an_hour_later(chain) -> None:
    later = surface(
        [
            (e, chain.layout.strike[chain.layout.slice(i)])
            for i, e in enumerate(chain.layout.expiries)
        ],
        rate=0.045,
        dividend=0.013,
        iv=[chain.iv[chain.layout.slice(i)] for i in range(4)],
        now=chain.as_of + int(3600e9),
    )
    step, put_extra = finite_charm(chain)
    assert np.allclose(step, later.delta[0] - chain.delta[0], atol=1e-12)
    assert np.allclose(step + put_extra, later.delta[1] - chain.delta[1], atol=1e-12)


def test_with_less_than_an_hour_left_charm_is_the_whole_decay() -> None:
    chain = zero_dte(hours=0.5, strikes=np.array([5990.0, 6000.0, 6010.0]))
    rows = row_exposures(chain, np.ones((2, 3)))
    assert np.allclose(rows.charm_hour, rows.decay)
    w = 0.13 * np.sqrt(0.5 / YEAR_HOURS)
    d1 = np.log(6000.0 / 6010.0) / w + w / 2
    assert rows.decay[2] == pytest.approx(2 * 100 * 6000.0 * (0.0 - norm.cdf(d1)))
    # A strike at spot is settled half in the money.
    assert rows.decay[1] == pytest.approx(2 * 100 * 6000.0 * (0.5 - norm.cdf(w / 2)))


def test_one_deviation_out_an_hour_before_the_close_a_call_loses_its_16_delta() -> None:
    # Published: instantaneous −0.121, finite −0.159 at +1σ with one hour left.
    w = 0.13 * np.sqrt(1.0 / YEAR_HOURS)
    K = np.array([6000.0 * np.exp(w - w * w / 2)])
    chain = zero_dte(hours=1.0, strikes=K)
    assert finite_charm(chain)[0][0] == pytest.approx(-0.159, abs=6e-4)
    assert chain.charm[0, 0] / 24.0 == pytest.approx(-0.121, abs=6e-4)


def test_decay_is_given_only_for_what_is_about_to_settle(chain) -> None:
    rows = row_exposures(chain, book(chain))
    assert rows.decay[chain.layout.slice(0)].any()
    assert not rows.decay[chain.layout.starts[1] :].any()
    wanted = np.array([False, True, False, False])
    rows = row_exposures(chain, book(chain), settling=wanted)
    assert not rows.decay[chain.layout.slice(0)].any()
    assert rows.decay[chain.layout.slice(1)].any()


def test_call_and_put_at_one_strike_share_gamma_so_calls_and_puts_add_up_to_gex(chain) -> None:
    x = book(chain)
    rows = row_exposures(chain, x)
    assert np.allclose(rows.call_gex + rows.put_gex, rows.gex)
    assert np.allclose(rows.call_gex * x[1], rows.put_gex * x[0])


@pytest.mark.parametrize("mask", [None, [True, False, True, False], [False, True, True, True]])
def test_sums_by_strike_agree_with_polars(chain, mask) -> None:
    scope = None if mask is None else np.array(mask)
    rows = row_exposures(chain, book(chain))
    index = StrikeIndex.of(chain.layout, scope)
    got = by_strike(rows, index)
    keep = np.ones(4, bool) if scope is None else scope
    frame = (
        pl.DataFrame(
            {"strike": chain.layout.strike, **dict(zip(COLUMNS, rows.values, strict=True))}
        )
        .filter(pl.Series(keep[chain.layout.expiry]))
        .group_by("strike")
        .sum()
        .sort("strike")
    )
    assert index.strike.tolist() == frame["strike"].to_list()
    for name in COLUMNS:
        assert np.allclose(getattr(got, name), frame[name].to_numpy()), name
    assert np.allclose(index.sum(rows.gex), got.gex)


def test_sums_by_expiry_add_up_to_the_total(chain) -> None:
    x = book(chain)
    rows = row_exposures(chain, x)
    assert by_expiry(rows, chain.layout).gex.sum() == pytest.approx(
        totals(rows, x, chain.layout).gex
    )
    second = np.array([False, True, False, False])
    assert by_expiry(rows, chain.layout).vega[1] == pytest.approx(
        totals(rows, x, chain.layout, second).vega
    )


def test_am_and_pm_contracts_of_one_date_and_strike_stay_apart_by_expiry(chain) -> None:
    x = np.zeros((2, len(chain.layout)))
    am = next(i for i, e in enumerate(chain.layout.expiries) if e.root == "SPX")
    x[0, chain.layout.slice(am)] = 10.0
    lines = by_expiry(row_exposures(chain, x), chain.layout)
    assert np.flatnonzero(lines.gex).tolist() == [am]


def test_a_row_without_volatility_counts_nothing_and_is_declared_unknown() -> None:
    K = np.array([5950.0, 6000.0, 6050.0])
    iv = np.array([0.13, np.nan, 0.13])
    chain = surface([(expiry(4.0), K), (expiry(28.0), K[1:])], iv=[iv, np.array([0.12, 0.12])])
    x = np.full((2, 5), 100.0)
    rows = row_exposures(chain, x)
    assert rows.known.tolist() == [True, False, True, True, True]
    assert not rows.values[:, 1].any()
    # 6000 is known from the later expiry; on its own it is not.
    assert np.isfinite(by_strike(rows, StrikeIndex.of(chain.layout)).gex).all()
    first = by_strike(rows, StrikeIndex.of(chain.layout, np.array([True, False])))
    assert np.isnan(first.gex).tolist() == [False, True, False]
    assert totals(rows, x, chain.layout).unknown_share == pytest.approx(0.2)


def test_a_settled_expiry_is_gone() -> None:
    K = np.array([5950.0, 6000.0, 6050.0])
    chain = surface([(expiry(-1.0), K), (expiry(28.0), K)])
    x = np.full((2, 6), 100.0)
    rows = row_exposures(chain, x)
    assert not rows.values[:, :3].any()
    assert np.isnan(by_expiry(rows, chain.layout).gex).tolist() == [True, False]
    assert np.isnan(totals(rows, x, chain.layout, np.array([True, False])).gex)


@pytest.mark.parametrize("empty", [0.0, np.nan])
def test_no_positions_is_not_a_flat_book(chain, empty) -> None:
    x = np.full((2, len(chain.layout)), empty)
    t = totals(row_exposures(chain, x), x, chain.layout)
    assert np.isnan(t.gex)
    assert np.isnan(t.unknown_share)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-5.0, 5.0))
def test_exposures_are_linear_in_positions(seed, factor) -> None:
    chain = zero_dte()
    x, y = book(chain, seed), book(chain, seed + 1)
    a, b = row_exposures(chain, x).values, row_exposures(chain, y).values
    both = row_exposures(chain, x + factor * y).values
    assert np.allclose(both, a + factor * b, rtol=1e-9, atol=1e-3)


def test_the_multiplier_of_each_expiry_is_its_own() -> None:
    K = np.array([5950.0, 6050.0])
    chain = surface([(expiry(28.0, multiplier=1.0), K), (expiry(28.0, "XX"), K)], smile=flat(0.2))
    rows = row_exposures(chain, np.ones((2, 4)))
    assert np.allclose(100.0 * rows.vega[:2], rows.vega[2:])


def test_a_scope_without_expiries_has_no_strikes_and_no_totals(chain) -> None:
    x, nothing = book(chain), np.zeros(4, bool)
    rows = row_exposures(chain, x)
    index = StrikeIndex.of(chain.layout, nothing)
    assert len(by_strike(rows, index)) == 0
    assert np.isnan(totals(rows, x, chain.layout, nothing).gex)
