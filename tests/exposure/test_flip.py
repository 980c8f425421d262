"""Where the book changes from long to short gamma, and where it says that it does not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from gexterm.dealers.conventions import CONVENTIONS, CUSTOMER_FLOW, SQUEEZEMETRICS, positions
from gexterm.exposure.flip import cumulative_flip, find_flip, gamma_state, walls
from gexterm.exposure.profile import gamma_profile, merged
from gexterm.exposure.strikes import StrikeIndex, by_strike, row_exposures, totals
from tests.exposure.market import TODAY, expiry, index_chain, skewed, surface, zero_dte
from tests.exposure.test_profile import gex_at

K = np.arange(5600.0, 6401.0, 25.0)


@pytest.fixture(scope="module")
def chain():
    return surface(
        [(expiry(4.0, date=TODAY), K), (expiry(24.0 * 20), K)],
        smile=skewed(),
        rate=0.045,
        dividend=0.013,
    )


def equity_like(chain, seed=0):
    """Open interest of puts below spot and calls above."""
    rng = np.random.default_rng(seed)
    strike = chain.layout.strike
    call = np.exp(-0.5 * ((strike - 6100.0) / 120.0) ** 2)
    put = np.exp(-0.5 * ((strike - 5850.0) / 150.0) ** 2)
    return np.stack([call, put]) * rng.lognormal(7.0, 0.5, (2, len(strike)))


def flip_of(chain, x, **kw):
    return find_flip(gamma_profile(chain, merged(x), **kw))


@pytest.mark.parametrize("seed", range(4))
def test_the_flip_is_the_zero_that_brentq_finds_on_a_sum_written_out(chain, seed) -> None:
    x = positions(SQUEEZEMETRICS, equity_like(chain, seed))
    flip = flip_of(chain, x)
    assert flip.kind == "crossing"
    want = brentq(lambda s: gex_at(chain, x, s), flip.spot - 20.0, flip.spot + 20.0, xtol=1e-9)
    assert flip.spot == pytest.approx(want, abs=0.1)


def test_the_interpolated_flip_is_as_good_on_a_smooth_book(chain) -> None:
    profile = gamma_profile(chain, merged(positions(SQUEEZEMETRICS, equity_like(chain))))
    refined, quick = find_flip(profile), find_flip(profile, refine=False)
    assert quick.spot == pytest.approx(refined.spot, abs=0.1)


def test_short_calls_and_long_puts_make_dealers_long_gamma_below_the_flip(chain) -> None:
    oi = equity_like(chain)
    lesson, site = (
        flip_of(chain, positions(CUSTOMER_FLOW, oi)),
        flip_of(chain, positions(SQUEEZEMETRICS, oi)),
    )
    assert lesson.spot == pytest.approx(site.spot, abs=0.1)
    assert not lesson.crossings[0].rising
    assert site.crossings[0].rising


def test_the_four_conventions_read_from_one_profile(chain) -> None:
    oi = equity_like(chain)
    both = gamma_profile(chain, oi)
    kinds = {}
    for name, c in CONVENTIONS.items():
        mixed = find_flip(both, (c.call_sign, c.put_sign))
        alone = flip_of(chain, positions(c, oi))
        assert mixed.kind == alone.kind
        x = positions(c, oi)
        t = totals(row_exposures(chain, x), x, chain.layout)
        assert np.array([c.call_sign, c.put_sign]) @ both.now == pytest.approx(t.gex, rel=1e-9)
        assert both.gross.sum() == pytest.approx(t.gross_gex)
        assert mixed.spot == pytest.approx(alone.spot, abs=0.1, nan_ok=True)
        kinds[name] = mixed.kind
    assert kinds["short-both"] == "none (short everywhere)"
    assert kinds["long-both"] == "none (long everywhere)"
    assert kinds["customer-flow"] == kinds["squeezemetrics"] == "crossing"


def test_every_zero_is_listed_with_its_sides_and_the_nearest_is_the_flip(chain) -> None:
    x = np.zeros((2, len(chain.layout)))
    late = chain.layout.slice(0)
    for strike, size in ((5900.0, -1000.0), (6000.0, 1000.0), (6100.0, -1000.0)):
        x[0, late][chain.layout.strike[late] == strike] = size
    flip = flip_of(chain, x, scope=np.array([True, False]))
    assert len(flip.crossings) == 2
    assert [c.rising for c in flip.crossings] == [True, False]
    low, high = (c.spot for c in flip.crossings)
    assert 5900.0 < low < 6000.0 < high < 6100.0
    assert flip.spot == min((low, high), key=lambda s: abs(s - chain.spot))
    for c in flip.crossings:
        want = brentq(lambda s: gex_at(chain, x, s), c.spot - 10.0, c.spot + 10.0)
        assert c.spot == pytest.approx(want, abs=0.1)


def test_in_the_last_minutes_the_grid_is_as_fine_as_the_contracts() -> None:
    # Five minutes left: contracts are 2.4 points wide, a step of 0.1 % is 6 points.
    strikes = np.arange(5900.0, 6101.0, 5.0)
    chain = zero_dte(hours=5 / 60, strikes=strikes)
    x = np.zeros((2, len(strikes)))
    x[0, strikes == 6010.0] = 1000.0
    x[0, strikes == 6015.0] = -1500.0
    x[0, strikes == 6020.0] = 1000.0
    flip = flip_of(chain, x)
    assert [c.rising for c in flip.crossings] == [False, True]
    for c in flip.crossings:
        want = brentq(lambda s: gex_at(chain, x, s), c.spot - 2.0, c.spot + 2.0)
        assert c.spot == pytest.approx(want, abs=0.1)


def test_what_a_coarse_grid_only_brackets_is_found_by_bisection() -> None:
    chain = zero_dte(hours=1 / 60, strikes=np.array([5990.0, 6000.0]))
    x = np.array([[-1000.0, 1500.0], [0.0, 0.0]])
    spots = 6000.0 * np.exp(0.001 * np.arange(-40, 41))
    flip = find_flip(gamma_profile(chain, merged(x), spots=spots))
    want = brentq(lambda s: gex_at(chain, x, s), 5991.0, 5999.0)
    assert flip.spot == pytest.approx(want, abs=0.1)


@pytest.mark.parametrize("empty", [0.0, np.nan])
def test_without_positions_nothing_is_known(chain, empty) -> None:
    flip = flip_of(chain, np.full((2, len(chain.layout)), empty))
    assert flip.kind == "unknown"
    assert np.isnan(flip.spot)


def test_after_settlement_nothing_is_known() -> None:
    assert flip_of(zero_dte(hours=-1.0), np.ones((2, 81))).kind == "unknown"


def test_gamma_state_is_the_sign_at_spot_with_a_dead_band() -> None:
    assert gamma_state(5.0, 100.0) == "long"
    assert gamma_state(-5.0, 100.0) == "short"
    assert gamma_state(0.9, 100.0) == "neutral"
    assert gamma_state(np.nan, 100.0) == "unknown"
    assert gamma_state(0.0, 0.0) == "unknown"


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_turning_every_sign_round_turns_the_state_round_and_keeps_the_zeros(seed) -> None:
    chain = zero_dte()
    x = np.random.default_rng(seed).normal(0.0, 100.0, (2, 81))
    here, there = flip_of(chain, x), flip_of(chain, -x)
    a = totals(row_exposures(chain, x), x, chain.layout)
    b = totals(row_exposures(chain, -x), -x, chain.layout)
    assert b.gex == pytest.approx(-a.gex)
    opposite = {"long": "short", "short": "long", "neutral": "neutral"}
    assert gamma_state(b.gex, b.gross_gex) == opposite[gamma_state(a.gex, a.gross_gex)]
    assert [c.spot for c in here.crossings] == pytest.approx([c.spot for c in there.crossings])
    assert [c.rising for c in here.crossings] == [not c.rising for c in there.crossings]


def test_the_cumulative_flip_is_another_number(chain) -> None:
    strike = np.array([5900.0, 5950.0, 6000.0, 6050.0])
    assert cumulative_flip(strike, np.array([-2.0, -1.0, 1.0, 4.0]), 6000.0) == pytest.approx(
        6025.0
    )
    assert np.isnan(cumulative_flip(strike, np.array([1.0, 2.0, -1.0, 4.0]), 6000.0))
    assert np.isnan(cumulative_flip(strike, np.full(4, np.nan), 6000.0))
    two = np.array([-1.0, 2.0, -2.0, -3.0])
    assert cumulative_flip(strike, two, 5900.0) == pytest.approx(5925.0)
    assert cumulative_flip(strike, two, 6050.0) == pytest.approx(5975.0)


def test_walls_are_the_strikes_of_largest_call_and_put_gamma(chain) -> None:
    x = np.zeros((2, len(chain.layout)))
    for side, strike in ((0, 6050.0), (1, 5925.0)):
        x[side, chain.layout.strike == strike] = -1000.0
    x[0, chain.layout.strike == 5925.0] = 1.0
    index = StrikeIndex.of(chain.layout)
    assert walls(index.strike, by_strike(row_exposures(chain, x), index)) == (6050.0, 5925.0)
    none = by_strike(row_exposures(chain, np.zeros_like(x)), index)
    assert np.isnan(walls(index.strike, none)).all()


def test_on_a_full_chain_the_flip_lies_within_the_grid() -> None:
    chain = index_chain(3000, 20)
    oi = np.random.default_rng(2).lognormal(5.0, 1.0, (2, len(chain.layout)))
    strike = chain.layout.strike
    oi *= np.stack([strike >= 6000.0, strike <= 6000.0])
    flip = flip_of(chain, positions(SQUEEZEMETRICS, oi))
    assert flip.kind == "crossing"
    assert abs(flip.spot - 6000.0) < 300.0
