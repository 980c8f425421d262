"""The gamma profile of an uncertain book, and the band of its flip."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.dealers.belief import Belief
from gexterm.exposure.bands import GammaSpread, flip_band, gamma_spread, spread_around
from gexterm.exposure.flip import find_flip
from gexterm.exposure.profile import gamma_profile, merged
from gexterm.exposure.sweep import gaussian_errors, gaussian_sums
from gexterm.exposure.uncertainty import half_width, totals_sd
from gexterm.exposure.units import unit_exposures
from gexterm.exposure.vanna import vega_curve
from gexterm.exposure.vannaband import vanna_band
from gexterm.pricing.surface import Surface
from tests.exposure.beliefs import belief, drawn
from tests.exposure.market import expiry, skewed, surface, zero_dte

DRAWS = 1500
CLOSE = 4.5 / np.sqrt(2 * DRAWS)
REPRICINGS = ["sticky strike", "sticky moneyness"]


def chain() -> Surface:
    """Today, the day after, next month and next year: bells from narrow to very wide."""
    K = np.arange(5600.0, 6401.0, 20.0)
    days = [(expiry(h), K) for h in (4.0, 28.0, 700.0, 9000.0)]
    return surface(days, smile=skewed(), rate=0.04, dividend=0.01)


def tilted(s: Surface, tilt: float = 1.0, relative: float = 0.3, seed: int = 0) -> Belief:
    """Short below 6000 and long above, so that there is a flip; uncertain."""
    rng = np.random.default_rng(seed)
    lean = tilt * 200.0 * np.sign(s.layout.strike - 6000.0)
    return belief(np.stack([lean, lean]) + 0.0, rng, relative)


def flip_of(spread: GammaSpread, view: int = 0):
    return find_flip(spread.profile, spread.mix(view))


# --- the profile -------------------------------------------------------------------


@pytest.mark.parametrize("repricing", REPRICINGS)
def test_the_error_along_the_profile_is_that_of_books_drawn_one_by_one(repricing) -> None:
    s, rng = chain(), np.random.default_rng(1)
    b = belief(rng.normal(0.0, 200.0, (2, len(s.layout))), rng)
    spread = gamma_spread(s, [b], repricing=repricing)
    books = drawn(b, rng, DRAWS).sum(axis=1)
    profile = gamma_profile(s, books, spots=spread.profile.spots, repricing=repricing)
    np.testing.assert_allclose(spread.sd[0], profile.gex.std(axis=0), rtol=CLOSE)
    np.testing.assert_allclose(spread.sd_now[0], profile.now.std(), rtol=CLOSE)
    assert spread.p_short() == pytest.approx(np.mean(profile.now < 0.0), abs=0.05)


def test_the_expected_profile_is_that_of_the_expected_book() -> None:
    s = chain()
    b = tilted(s)
    spread = gamma_spread(s, [b])
    alone = gamma_profile(s, merged(b.mean))
    np.testing.assert_allclose(spread.mean(), alone.gex[0], rtol=1e-9)
    assert flip_of(spread).spot == pytest.approx(find_flip(alone).spot, abs=0.05)


def test_several_views_are_read_in_one_sweep_as_they_are_alone() -> None:
    s = chain()
    views = [tilted(s), Belief.certain(tilted(s, -1.0).mean), tilted(s, 0.5, 0.8, 3)]
    certain = np.abs(views[0].mean)
    together = gamma_spread(s, views, books=certain)
    for i, b in enumerate(views):
        alone = gamma_spread(s, [b], spots=together.profile.spots)
        np.testing.assert_allclose(together.mean(i), alone.mean(), rtol=1e-9)
        np.testing.assert_allclose(together.sd[i], alone.sd[0], rtol=0.01)
        assert together.p_short(i) == pytest.approx(alone.p_short())
    calls = gamma_profile(s, certain, spots=together.profile.spots)
    np.testing.assert_allclose(together.profile.gex[3:], calls.gex, rtol=1e-9)


def test_the_error_at_spot_is_that_of_the_total() -> None:
    s = chain()
    b = tilted(s)
    spread, total = gamma_spread(s, [b]), totals_sd(unit_exposures(s), b, s.layout)
    assert spread.sd_now[0] == pytest.approx(total.gex, rel=1e-9)
    assert spread.p_short() == pytest.approx(total.p_short, rel=1e-9)
    here = int(np.searchsorted(spread.profile.spots, s.spot - 1e-9))
    assert spread.sd[0, here] == pytest.approx(total.gex, rel=0.01)


def test_positions_that_dealers_may_have_count_where_none_is_expected() -> None:
    s = zero_dte()
    n = len(s.layout)
    b = Belief(np.zeros((2, n)), np.full((2, n), 100.0), np.zeros((0, 2, n)))
    spread = gamma_spread(s, [b])
    assert spread.sd[0].max() > 0.0
    assert spread.p_short() == 0.5


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), narrow=st.floats(0.001, 0.3), count=st.integers(2, 200))
def test_sums_on_fewer_points_stay_within_two_per_cent_of_a_bell(seed, narrow, count) -> None:
    rng = np.random.default_rng(seed)
    step, n = 0.001, 40
    w = narrow * np.exp(rng.uniform(0.0, 2.0, n))
    d1 = rng.uniform(-0.1, 0.1, n) / w
    weights, squares = rng.normal(size=(2, n)), rng.uniform(0.0, 1.0, (1, n))
    plain, square = gaussian_errors(d1, 1.0 / w, weights, squares, -0.05, step, count)
    root = np.sqrt(2.0)
    exact = gaussian_sums(d1, 1.0 / w, weights, -0.05, step, count)
    exact_square = gaussian_sums(root * d1, root / w, squares, -0.05, step, count)
    assert np.abs(plain - exact).max() < 0.02 * np.abs(weights).max() * np.sqrt(n)
    assert np.abs(square - exact_square).max() < 0.02 * np.abs(squares).max() * np.sqrt(n)


# --- the flip ----------------------------------------------------------------------


def test_the_band_holds_the_flips_of_four_books_out_of_five() -> None:
    s = chain()
    b = tilted(s, relative=0.6)
    spread = gamma_spread(s, [b])
    flip = flip_of(spread)
    band = flip_band(spread, flip)
    assert band.low < flip.spot < band.high
    assert band.certain
    books = drawn(b, np.random.default_rng(4), 600).sum(axis=1)
    profile = gamma_profile(s, books, spots=spread.profile.spots)
    inside = 0
    for i in range(len(books)):
        pick = tuple(float(j == i) for j in range(len(books)))
        crossings = find_flip(profile, pick, refine=False).crossings
        inside += any(band.low <= c.spot <= band.high for c in crossings)
    assert inside / len(books) == pytest.approx(0.8, abs=0.06)


def test_at_the_edges_the_band_of_the_profile_touches_zero() -> None:
    s = chain()
    spread = gamma_spread(s, [tilted(s, relative=0.6)])
    band = flip_band(spread, flip_of(spread))
    ratio = np.abs(spread.mean()) / spread.sd[0]
    for edge in (band.low, band.high):
        assert np.interp(edge, spread.profile.spots, ratio) == pytest.approx(half_width(), abs=0.1)


def test_a_band_narrower_than_the_grid_is_found_between_its_points() -> None:
    s = chain()
    b = tilted(s)
    tiny = Belief(b.mean, np.full_like(b.mean, 1.0), np.zeros((0, *b.mean.shape)))
    spread = gamma_spread(s, [tiny])
    flip = flip_of(spread)
    band = flip_band(spread, flip)
    assert band.low < flip.spot < band.high
    assert band.high - band.low < 2.0


def test_the_flip_of_a_book_taken_for_granted_has_no_width() -> None:
    s = chain()
    spread = gamma_spread(s, [Belief.certain(tilted(s).mean)])
    flip = flip_of(spread)
    band = flip_band(spread, flip)
    assert band.low == pytest.approx(flip.spot, abs=1e-6)
    assert band.high == pytest.approx(flip.spot, abs=1e-6)
    assert band.certain
    assert band.exists


def test_wider_coverage_holds_the_narrower() -> None:
    s = chain()
    spread = gamma_spread(s, [tilted(s, relative=0.6)])
    flip = flip_of(spread)
    narrow, wide = (flip_band(spread, flip, coverage=c) for c in (0.5, 0.8))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_where_doubt_does_not_end_the_band_is_open() -> None:
    s = chain()
    spread = gamma_spread(s, [tilted(s, tilt=0.02, relative=30.0)])
    band = flip_band(spread, flip_of(spread))
    assert band.open_low
    assert band.open_high
    assert np.isnan(band.low)
    assert np.isnan(band.high)
    assert band.exists
    assert not band.certain


def test_a_book_long_beyond_doubt_has_no_flip_for_certain() -> None:
    s = chain()
    n = len(s.layout)
    sure = Belief(np.full((2, n), 100.0), np.full((2, n), 100.0), np.zeros((0, 2, n)))
    spread = gamma_spread(s, [sure])
    flip = flip_of(spread)
    band = flip_band(spread, flip)
    assert flip.kind == "none (long everywhere)"
    assert band.certain
    assert not band.exists
    # One that is long only by expectation may have one all the same.
    vague = Belief(sure.mean, sure.variance, 2.0 * np.abs(sure.mean)[None])
    spread = gamma_spread(s, [vague])
    band = flip_band(spread, flip_of(spread))
    assert not band.certain
    assert band.exists


def test_of_a_book_that_nobody_knows_nothing_is_certain() -> None:
    s = chain()
    spread = gamma_spread(s, [Belief.certain(np.zeros((2, len(s.layout))))])
    band = flip_band(spread, flip_of(spread))
    assert not band.exists
    assert not band.certain
    assert np.isnan(spread.p_short())


# --- vanna -------------------------------------------------------------------------


def test_the_stochastic_s_band_is_that_of_books_drawn_one_by_one() -> None:
    s = chain()
    rng = np.random.default_rng(5)
    b = belief(tilted(s).mean, rng, 1.0)
    band = vanna_band(s, b, vega_curve(s, b.mean))
    each = np.array([vega_curve(s, x).stochastic for x in drawn(b, rng, 600)])
    low, high = np.percentile(each, [10, 90])
    assert band.low == pytest.approx(low, abs=0.12)
    assert band.high == pytest.approx(high, abs=0.12)
    assert np.mean((band.low <= each) & (each <= band.high)) == pytest.approx(0.8, abs=0.07)


@pytest.mark.parametrize("normalise", ["global", "per sign"])
def test_the_stochastic_of_a_book_taken_for_granted_has_no_width(normalise) -> None:
    s = chain()
    b = Belief.certain(tilted(s).mean)
    curve = vega_curve(s, b.mean, normalise=normalise)
    band = vanna_band(s, b, curve, normalise=normalise)
    assert band.low == pytest.approx(curve.stochastic, abs=1e-9)
    assert band.high == pytest.approx(curve.stochastic, abs=1e-9)


def test_without_positions_the_stochastic_has_no_band() -> None:
    s = chain()
    nobody = np.zeros((2, len(s.layout)))
    band = vanna_band(s, Belief.certain(nobody), vega_curve(s, nobody))
    assert np.isnan(band.low)
    assert np.isnan(band.high)


def test_errors_that_two_views_have_in_common_count_in_both() -> None:
    s, rng = chain(), np.random.default_rng(4)
    flow, before = tilted(s), belief(rng.normal(0.0, 50.0, (2, len(s.layout))), rng)
    both = np.concatenate([before.shared, flow.shared])
    combined = Belief(before.mean + flow.mean, before.variance + flow.variance, both)
    part = Belief(flow.mean, flow.variance, both[len(before.shared) :])  # the same memory
    alike, apart = gamma_spread(s, [combined, part]), gamma_spread(s, [combined, flow])
    np.testing.assert_allclose(alike.sd, apart.sd, rtol=1e-12)
    np.testing.assert_allclose(alike.sd_now, apart.sd_now, rtol=1e-12)


def test_errors_of_a_moment_ago_are_taken_over_by_distance_from_spot() -> None:
    s = chain()
    spread = gamma_spread(s, [tilted(s)])
    again = spread_around(spread.profile, spread)
    np.testing.assert_allclose(again.sd, spread.sd, rtol=1e-12)
    np.testing.assert_array_equal(again.sd_now, spread.sd_now)
