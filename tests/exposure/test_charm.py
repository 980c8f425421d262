"""Today's charm, strike by strike and along spot."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import norm

from gexterm.dealers.conventions import CONVENTIONS, positions
from gexterm.exposure.charm import (
    charm_curve,
    charm_profile,
    charm_zeros,
    remaining_sigma,
    zero_dte_greeks,
)
from gexterm.exposure.profile import merged
from tests.exposure.books import STRIKES, dealer_book, open_interest
from tests.exposure.market import TODAY, expiry, skewed, surface, zero_dte

ONE = np.array([True])


def greeks(chain, state=None, rule="strike"):
    return zero_dte_greeks(chain, ONE, state, rule)


def one(chain, strike, call=0.0, put=0.0):
    x = np.zeros((2, len(chain.layout)))
    x[:, chain.layout.strike == strike] = [[call], [put]]
    return x


@pytest.mark.parametrize(
    ("strike", "sign"), [(6030.0, -1.0), (5970.0, 1.0)], ids=["above spot", "below spot"]
)
@pytest.mark.parametrize("side", ["call", "put"])
def test_a_long_option_has_negative_charm_above_spot_and_positive_below(strike, sign, side) -> None:
    chain = zero_dte()
    profile = charm_profile(greeks(chain)[0], one(chain, strike, **{side: 100.0}))
    assert np.sign(profile.below + profile.above) == sign
    assert (profile.above if strike > 6000.0 else profile.below) != 0.0


def test_charm_by_strike_is_the_delta_lost_in_an_hour() -> None:
    chain = zero_dte()
    x = dealer_book("BofA", 6000.0, np.random.default_rng(0))
    profile = charm_profile(greeks(chain)[0], x)
    w = 0.13 * np.sqrt(np.array([3.0, 4.0]) / 8760.0)
    d1 = np.log(6000.0 / STRIKES)[:, None] / w + w / 2
    want = (norm.cdf(d1[:, 0]) - norm.cdf(d1[:, 1])) * x.sum(axis=0) * 100.0 * 6000.0
    assert np.allclose(profile.uncut, want)
    decay = (np.heaviside(6000.0 - STRIKES, 0.5) - norm.cdf(d1[:, 1])) * x.sum(axis=0) * 6e5
    assert np.allclose(profile.decay_by_strike, decay)
    assert profile.decay == pytest.approx(decay.sum())


def test_a_strike_at_spot_counts_half_on_each_side() -> None:
    chain = zero_dte()
    profile = charm_profile(greeks(chain)[0], one(chain, 6000.0, call=100.0))
    assert profile.below == pytest.approx(profile.above)
    assert profile.below + profile.above == pytest.approx(profile.charm.sum())


def test_the_cut_drops_whole_strikes_beyond_three_delta() -> None:
    chain = zero_dte()
    g, _ = greeks(chain)
    delta = chain.delta[0]
    out = np.minimum(delta, 1 - delta) < 0.03
    assert out.any()
    assert np.array_equal(g.kept, np.stack([~out, ~out]))


def test_read_literally_the_cut_keeps_the_in_the_money_twin() -> None:
    chain = zero_dte()
    g, _ = greeks(chain, rule="literal")
    far_below = int(np.argmax(STRIKES == 5930.0))
    assert abs(chain.delta[1, far_below]) < 0.03
    assert g.kept[:, far_below].tolist() == [True, False]


def test_a_strike_that_left_comes_back_only_above_035() -> None:
    def chain(delta):
        """A chain of one strike, 6050, at the volatility that gives its call this delta."""
        iv = brentq(lambda v: zero_dte(iv=v, strikes=K).delta[0, 0] - delta, 0.05, 0.5)
        return zero_dte(iv=iv, strikes=K)

    K = np.array([6050.0])
    state, seen = None, []
    for delta in (0.032, 0.029, 0.032, 0.036, 0.032):
        g, state = zero_dte_greeks(chain(delta), ONE, state)
        seen.append(bool(g.kept[0, 0]))
    assert seen == [True, False, False, True, True]


def test_memory_follows_a_strike_through_new_listings() -> None:
    few = zero_dte(iv=0.120, strikes=np.arange(5900.0, 6101.0, 5.0))
    g, state = greeks(few)
    out = few.layout.strike[~g.kept[0]]
    more = zero_dte(iv=0.127, strikes=np.arange(5900.0, 6101.0, 0.5))
    again, _ = zero_dte_greeks(more, ONE, state)
    size = np.minimum(more.delta[0], 1 - more.delta[0])
    between = (size > 0.030) & (size < 0.035)
    remembered = np.isin(more.layout.strike, out)
    assert (between & remembered).any()
    assert (between & ~remembered).any()
    assert np.array_equal(again.kept[0, between], ~remembered[between])


def test_the_share_that_the_cut_removes_is_told() -> None:
    chain = zero_dte()
    x = np.full((2, len(STRIKES)), 10.0)
    g, _ = greeks(chain)
    p = charm_profile(g, x)
    cut = np.abs(p.uncut)[~g.kept[0]].sum() / np.abs(p.uncut).sum()
    assert p.excluded_share == pytest.approx(cut)
    assert 0.0 < p.excluded_share < 0.2


def test_an_empty_book_has_no_shares() -> None:
    p = charm_profile(greeks(zero_dte())[0], np.full((2, len(STRIKES)), np.nan))
    assert p.gross == 0.0
    assert np.isnan(p.excluded_share)
    assert np.isnan(p.unknown_share)


def test_rows_without_volatility_are_told_as_a_share_of_the_book() -> None:
    iv = np.full(len(STRIKES), 0.13)
    iv[:20] = np.nan
    chain = surface([(expiry(4.0, date=TODAY), STRIKES)], iv=[iv])
    p = charm_profile(greeks(chain)[0], np.ones((2, len(STRIKES))))
    assert p.unknown_share == pytest.approx(20 / len(STRIKES))
    assert np.isfinite(p.gross)


def test_only_todays_expiry_counts() -> None:
    chain = surface([(expiry(4.0, date=TODAY), STRIKES), (expiry(28.0), STRIKES)])
    x = np.zeros((2, 2 * len(STRIKES)))
    x[:, len(STRIKES) :] = 100.0
    g, _ = zero_dte_greeks(chain, np.array([True, False]))
    assert charm_profile(g, x).gross == 0.0


def test_two_roots_of_one_close_add_up_by_strike() -> None:
    chain = surface(
        [(expiry(4.0, "NDX", date=TODAY), STRIKES[::2]), (expiry(4.0, "NDXP", date=TODAY), STRIKES)]
    )
    both = np.array([True, True])
    g, _ = zero_dte_greeks(chain, both)
    x = np.ones((2, len(chain.layout)))
    alone, _ = zero_dte_greeks(zero_dte(), ONE)
    single = charm_profile(alone, np.ones((2, len(STRIKES)))).uncut
    share = np.where(np.isin(STRIKES, STRIKES[::2]), 2.0, 1.0)
    assert np.allclose(charm_profile(g, x).uncut, single * share)


def test_what_is_left_of_the_day_in_points() -> None:
    chain = zero_dte(hours=4.0)
    assert remaining_sigma(chain, ONE) == pytest.approx(6000 * 0.13 * np.sqrt(4 / 8760))
    assert np.isnan(remaining_sigma(zero_dte(hours=-1.0), ONE))
    assert np.isnan(remaining_sigma(chain, np.array([False])))


@pytest.mark.parametrize("hours", [6.5, 4.0, 1.2, 0.7])
def test_the_curve_is_the_profile_of_a_chain_with_spot_moved(hours) -> None:
    K = np.arange(5700.0, 6301.0, 5.0)
    when = [(expiry(hours, date=TODAY), K)]
    chain = surface(when, smile=skewed(0.13, -1.0, 2.0), rate=0.045, dividend=0.013)
    x = np.random.default_rng(3).normal(0.0, 100.0, (2, len(K)))
    x[1] = 0.0
    g, _ = greeks(chain)
    curve = charm_curve(g, merged(x))
    assert curve.spots[50] == pytest.approx(chain.spot)
    # Strikes six deviations away are left out: an hour's carry of deep calls.
    near = 1e-4 * charm_profile(g, x).gross
    assert curve.charm[0, 50] == pytest.approx(charm_profile(g, x).uncut.sum(), abs=near)
    for j in (5, 31, 77, 98):
        moved = surface(when, curve.spots[j], rate=0.045, dividend=0.013, iv=[chain.iv])
        want = charm_profile(greeks(moved)[0], x).uncut.sum()
        assert curve.charm[0, j] == pytest.approx(want, abs=near)
    assert curve.spots[-1] - chain.spot == pytest.approx(2.5 * g.sigma)


def test_zeros_of_the_curve_say_which_side_is_which() -> None:
    chain = zero_dte()
    g, _ = greeks(chain)
    x = np.zeros((2, len(STRIKES)))
    x[0, STRIKES == 6010.0] = 100.0
    # One long strike: charm is negative below it and positive above.
    (zero,) = charm_zeros(charm_curve(g, merged(x)))
    assert zero.rising
    assert zero.spot == pytest.approx(6010.0, abs=0.5)
    (opposite,) = charm_zeros(charm_curve(g, merged(-x)))
    assert not opposite.rising
    assert charm_zeros(charm_curve(g, merged(0 * x))) == ()


def test_the_four_conventions_read_from_one_curve() -> None:
    g, _ = greeks(zero_dte())
    oi = open_interest(6000.0, np.random.default_rng(5))
    both = charm_curve(g, oi)
    for c in CONVENTIONS.values():
        mixed = charm_zeros(both, (c.call_sign, c.put_sign))
        alone = charm_zeros(charm_curve(g, merged(positions(c, oi))))
        assert [z.spot for z in mixed] == pytest.approx([z.spot for z in alone])


def test_after_settlement_there_is_no_curve() -> None:
    chain = zero_dte(hours=-0.1)
    g, _ = greeks(chain)
    x = np.ones((2, len(STRIKES)))
    assert charm_profile(g, x).gross == 0.0
    assert charm_zeros(charm_curve(g, merged(x))) == ()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_charm_is_linear_in_positions(seed) -> None:
    rng = np.random.default_rng(seed)
    g, _ = greeks(zero_dte())
    x, y = rng.normal(0, 100.0, (2, 2, len(STRIKES)))
    a, b, both = (charm_profile(g, p) for p in (x, y, x - 2 * y))
    assert np.allclose(both.charm, a.charm - 2 * b.charm)
    assert both.below == pytest.approx(a.below - 2 * b.below, abs=1.0)
    assert both.above == pytest.approx(a.above - 2 * b.above, abs=1.0)
    assert both.decay == pytest.approx(a.decay - 2 * b.decay, abs=1.0)
