"""How far off totals, strikes and sides may be."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from gexterm.dealers.belief import Belief
from gexterm.exposure.charm import charm_profile, zero_dte_greeks
from gexterm.exposure.strikes import StrikeIndex, row_exposures, totals
from gexterm.exposure.uncertainty import (
    by_strike_sd,
    half_width,
    linear_sd,
    probability_negative,
    sides_sd,
    totals_sd,
)
from gexterm.exposure.units import QUANTITIES, unit_exposures
from gexterm.pricing.surface import Surface
from tests.exposure.beliefs import belief, drawn
from tests.exposure.market import expiry, skewed, surface, zero_dte

DRAWS = 4000
# Standard error of a standard deviation from that many draws, with room for the worst of many.
CLOSE = 4.5 / np.sqrt(2 * DRAWS)


def chain() -> Surface:
    """Today, next week, and an expiry that nobody could price."""
    K = np.arange(5900.0, 6101.0, 10.0)
    days = [(expiry(4.0), K), (expiry(172.0), K[::2]), (expiry(30.0, root="XYZ"), K[:5])]
    volatility = [np.full(len(K), 0.14), np.full(5, np.nan), np.full(len(K[::2]), 0.15)]
    return surface(days, rate=0.04, dividend=0.01, iv=volatility)


def uneasy(s: Surface, seed: int = 0, **how: float) -> Belief:
    rng = np.random.default_rng(seed)
    return belief(rng.normal(0.0, 300.0, (2, len(s.layout))).round(), rng, **how)


def test_one_contract_of_each_adds_up_to_what_the_panels_show() -> None:
    s = chain()
    x = uneasy(s).mean
    units, total = unit_exposures(s), totals(row_exposures(s, x), x, s.layout)
    for name in QUANTITIES:
        assert np.sum(units.of(name) * x) == pytest.approx(getattr(total, name), rel=1e-9), name


@pytest.mark.parametrize("scope", [None, np.array([True, False, False])])
def test_errors_of_totals_are_those_of_books_drawn_one_by_one(scope) -> None:
    s = chain()
    b = uneasy(s)
    books = drawn(b, np.random.default_rng(1), DRAWS)
    sd = totals_sd(unit_exposures(s), b, s.layout, scope)
    rows = slice(None) if scope is None else s.layout.slice(0)
    units = unit_exposures(s)
    for name in QUANTITIES:
        each = np.einsum("cn,dcn->d", units.of(name)[:, rows], books[..., rows])
        assert getattr(sd, name) == pytest.approx(each.std(), rel=CLOSE), name
    gex = np.einsum("cn,dcn->d", units.of("gex")[:, rows], books[..., rows])
    assert sd.p_short == pytest.approx(np.mean(gex < 0.0), abs=0.03)


def test_totals_and_any_other_weights_agree() -> None:
    s = chain()
    b, units = uneasy(s), unit_exposures(s)
    sd = totals_sd(units, b, s.layout)
    for name in QUANTITIES:
        assert getattr(sd, name) == pytest.approx(linear_sd(b, units.of(name)), rel=1e-12)


def test_errors_that_are_shared_do_not_average_out() -> None:
    s = zero_dte()
    n = len(s.layout)
    alone = Belief(np.zeros((2, n)), np.full((2, n), 1.0), np.zeros((0, 2, n)))
    together = Belief(np.zeros((2, n)), np.zeros((2, n)), np.ones((1, 2, n)))
    g = np.ones((2, n))
    assert linear_sd(alone, g) == pytest.approx(np.sqrt(2 * n))
    assert linear_sd(together, g) == pytest.approx(2 * n)


def test_errors_by_strike_are_those_of_books_drawn_one_by_one() -> None:
    s = chain()
    b, units, index = uneasy(s), unit_exposures(s), StrikeIndex.of(chain().layout)
    books = drawn(b, np.random.default_rng(2), DRAWS)
    sd = by_strike_sd(units, b, index, ("gex", "charm_hour"))
    assert sd.names == ("gex", "charm_hour")
    held = np.array([index.sum(x.sum(axis=0)) for x in books])
    np.testing.assert_allclose(sd.position, held.std(axis=0), rtol=CLOSE)
    for name in sd.names:
        each = np.array([index.sum((units.of(name) * x).sum(axis=0)) for x in books])
        np.testing.assert_allclose(sd.of(name), each.std(axis=0), rtol=CLOSE, atol=1e-9)


@pytest.mark.parametrize("spot", [6000.0, 6002.5])
def test_errors_of_the_sides_are_those_of_charm_profiles_of_drawn_books(spot) -> None:
    s = zero_dte(spot)
    greeks, _ = zero_dte_greeks(s, np.array([True]))
    b = uneasy(s)
    profiles = [charm_profile(greeks, x) for x in drawn(b, np.random.default_rng(3), DRAWS)]
    B, A = np.array([p.below for p in profiles]), np.array([p.above for p in profiles])
    sd = sides_sd(greeks, b)
    assert sd.below == pytest.approx(B.std(), rel=CLOSE)
    assert sd.above == pytest.approx(A.std(), rel=CLOSE)
    assert sd.net == pytest.approx((B + A).std(), rel=CLOSE)
    correlation = sd.covariance / sd.below / sd.above
    assert correlation == pytest.approx(np.corrcoef(B, A)[0, 1], abs=0.06)


def test_a_book_taken_for_granted_has_no_error() -> None:
    s = zero_dte()
    x = np.random.default_rng(4).normal(0.0, 100.0, (2, len(s.layout)))
    b = Belief.certain(x)
    units = unit_exposures(s)
    sd = totals_sd(units, b, s.layout)
    assert all(getattr(sd, name) == 0.0 for name in QUANTITIES)
    gex = totals(row_exposures(s, x), x, s.layout).gex
    assert sd.p_short == (1.0 if gex < 0.0 else 0.0)
    strikes = by_strike_sd(units, b, StrikeIndex.of(s.layout))
    assert not strikes.values.any()
    assert not strikes.position.any()
    sides = sides_sd(zero_dte_greeks(s, np.array([True]))[0], b)
    assert (sides.below, sides.above, sides.net) == (0.0, 0.0, 0.0)


def test_a_book_as_likely_long_as_short_is_short_half_of_the_time() -> None:
    s = zero_dte()
    b = uneasy(s)
    none = Belief(np.zeros_like(b.mean), b.variance, b.shared)
    assert totals_sd(unit_exposures(s), none, s.layout).p_short == 0.5


def test_a_book_that_nobody_knows_has_no_error_either() -> None:
    s = chain()
    nobody = Belief.certain(np.zeros((2, len(s.layout))))
    sd = totals_sd(unit_exposures(s), nobody, s.layout)
    assert all(np.isnan(getattr(sd, f.name)) for f in fields(sd))
    # Held, but only where nothing is priced.
    x = np.zeros((2, len(s.layout)))
    x[:, s.layout.slice(1)] = 10.0
    unpriced = Belief(x, np.abs(x), np.zeros((0, *x.shape)))
    assert np.isnan(totals_sd(unit_exposures(s), unpriced, s.layout).gex)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.01, 100.0), shared=st.integers(0, 3))
def test_errors_scale_with_positions_and_add_in_squares(seed, scale, shared) -> None:
    rng = np.random.default_rng(seed)
    a, b = (belief(rng.normal(0, 50, (2, 7)), rng, shared=shared) for _ in range(2))
    g = rng.normal(0, 1, (2, 7))
    larger = Belief(a.mean * scale, a.variance * scale**2, a.shared * scale)
    assert linear_sd(larger, g) == pytest.approx(scale * linear_sd(a, g))
    assert linear_sd(a + b, g) == pytest.approx(np.hypot(linear_sd(a, g), linear_sd(b, g)))


@settings(max_examples=40, deadline=None)
@given(mean=st.floats(-5, 5), sd=st.floats(0.01, 10.0))
def test_the_chance_of_being_short_is_that_of_a_normal(mean, sd) -> None:
    p = probability_negative(mean, sd)
    assert p == pytest.approx(norm.cdf(0.0, mean, sd))
    assert p + probability_negative(-mean, sd) == pytest.approx(1.0)


def test_without_a_number_or_a_doubt_there_is_no_chance() -> None:
    assert np.isnan(probability_negative(np.nan, 1.0))
    assert np.isnan(probability_negative(0.0, 0.0))
    assert probability_negative(-1.0, 0.0) == 1.0
    assert probability_negative(1.0, 0.0) == 0.0


def test_the_band_of_four_fifths_reaches_from_the_tenth_to_the_ninetieth_percentile() -> None:
    assert half_width() == pytest.approx(norm.ppf(0.9))
    assert half_width(0.95) == pytest.approx(norm.ppf(0.975))


def test_decay_is_counted_for_the_expiries_that_are_asked_for() -> None:
    s = surface([(expiry(4.0), np.arange(5900.0, 6101.0, 50.0))], smile=skewed())
    assert unit_exposures(s).of("decay").any()
    assert not unit_exposures(s, np.array([False])).of("decay").any()
