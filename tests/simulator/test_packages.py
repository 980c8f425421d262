from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.simulator.chains import series_of
from gexterm.simulator.ladder import Ladder
from gexterm.simulator.orders import draw_sizes
from gexterm.simulator.packages import KINDS, MEAN_LEGS, draw_legs, price_legs
from tests.simulator.traded import F64, Traded, traded


@pytest.fixture(scope="module")
def day() -> Traded:
    return traded()


@pytest.fixture(scope="module")
def ladder(day: Traded) -> Ladder:
    return Ladder(day.listing, np.array([s.share for s in series_of(day.script)]))


@st.composite
def legs(draw: st.DrawFn) -> tuple[F64, F64, F64, F64]:
    """Quotes, fair values, sides and ratios of a package."""
    k = draw(st.integers(2, 4))
    ticks = st.lists(st.integers(1, 400), min_size=k, max_size=k)
    bid = np.round(0.05 * np.array(draw(ticks)), 2)
    width = np.round(0.05 * np.array(draw(st.lists(st.integers(1, 8), min_size=k, max_size=k))), 2)
    part = np.array(draw(st.lists(st.floats(0.0, 1.0), min_size=k, max_size=k)))
    side = np.array(draw(st.lists(st.sampled_from([-1.0, 1.0]), min_size=k, max_size=k)))
    ratio = np.ones(k)
    ratio[1] = draw(st.sampled_from([1.0, 2.0]))
    ask = np.round(bid + width, 2)
    quote = np.stack([bid, ask, np.full(k, 10.0), np.full(k, 10.0)])
    return quote, bid + part * width, side, ratio


@settings(max_examples=150, deadline=None)
@given(legs(), st.booleans(), st.integers(0, 2**32 - 1))
def test_legs_stay_in_their_quotes_and_the_sum_is_on_the_dealers_side_of_fair(
    package: tuple[F64, F64, F64, F64], wrong_way: bool, seed: int
) -> None:
    quote, fair, side, ratio = package
    price = price_legs(quote, fair, side, ratio, wrong_way, np.random.default_rng(seed))
    assert price is not None
    assert np.all(price >= quote[0] - 1e-9) and np.all(price <= quote[1] + 1e-9)
    np.testing.assert_allclose(price * 100.0, np.round(price * 100.0), atol=1e-6)
    paid_over_fair = float(np.sum(ratio * side * (price - fair)))
    # A leg's quote may leave no room for the last cents that rounding lost.
    slack = 0.01 * ratio.sum()
    assert paid_over_fair <= slack if wrong_way else paid_over_fair >= -slack


def test_a_leg_without_a_quote_on_both_sides_stops_the_package() -> None:
    quote = np.array([[1.0, 0.0], [1.1, 0.0], [5.0, 0.0], [5.0, 0.0]])
    ones = np.ones(2)
    fair, rng = np.array([1.05, 0.0]), np.random.default_rng(1)
    assert price_legs(quote, fair, ones, ones, False, rng) is None


def test_a_package_is_listed_whole_in_one_series(day: Traded, ladder: Ladder) -> None:
    rng = np.random.default_rng(2)
    listing = day.listing
    sizes = []
    for near in rng.integers(0, len(listing.contracts), 600):
        legs = draw_legs(ladder, int(near), day.script.spot.open, rng)
        if legs is None:
            continue
        at = np.array(legs.contracts)
        sizes.append(len(at))
        assert len(at) == len(legs.sides) == len(legs.ratios) == len(set(legs.contracts))
        assert len(set(listing.series[at])) == 1
    assert np.mean(sizes) == pytest.approx(MEAN_LEGS, abs=0.2)
    assert sum(share for share, _, _ in KINDS.values()) == pytest.approx(1.0)


def test_a_box_is_worth_its_width_wherever_spot_is(day: Traded, ladder: Ladder) -> None:
    from gexterm.simulator.packages import _Around, _box

    listing = day.listing
    at = _Around(ladder, 100, day.script.spot.open, np.random.default_rng(1))
    box = _box(at)
    strikes = listing.strike[list(box.contracts)]
    for spot in (strikes.min() - 500.0, strikes.mean(), strikes.max() + 500.0):
        payoff = np.maximum(listing.sign[list(box.contracts)] * (spot - strikes), 0.0)
        assert float(payoff @ np.array(box.sides)) == pytest.approx(np.ptp(strikes))


def test_neighbours_are_of_the_same_kind_and_series(day: Traded, ladder: Ladder) -> None:
    contract = np.arange(len(day.listing.contracts), dtype=np.int32)
    near, there = ladder.near(contract, 3)
    np.testing.assert_array_equal(near[0], contract)
    assert there[0].all() and not there[1:].all()
    for rung, exists in zip(near, there, strict=True):
        np.testing.assert_array_equal(day.listing.sign[rung], day.listing.sign)
        np.testing.assert_array_equal(day.listing.series[rung], day.listing.series)
        assert len(np.unique(rung[exists])) == exists.sum()


def test_the_nearest_strike_is_found_also_beyond_the_ends(day: Traded, ladder: Ladder) -> None:
    strikes = day.listing.strike[ladder.first[0] : ladder.after[0] : 2]
    for wanted in (0.0, strikes[3] + 1.0, strikes[3] - 1.0, 1e6):
        found = day.listing.strike[ladder.at_strike(0, wanted)]
        assert abs(found - wanted) == np.abs(strikes - wanted).min()


def test_sizes_are_whole_mostly_small_and_often_round() -> None:
    size = draw_sizes(50_000, 5.0, np.random.default_rng(3))
    assert size.mean() == pytest.approx(5.0, rel=0.08)
    np.testing.assert_array_equal(size, np.round(size))
    assert size.min() == 1.0 and size.max() <= 250.0
    large = size[size > 5]
    assert np.mean(large % 5 == 0) > 0.35
