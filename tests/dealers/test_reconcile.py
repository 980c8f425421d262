"""Next morning's open interest says how far off the carried book was."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.dealers.belief import Belief
from gexterm.dealers.prior import Carry
from gexterm.dealers.reconcile import opening_share, reconcile
from tests.dealers.books import chain, laid_out

LAYOUT, NOW = laid_out(chain())
SHAPE = (2, len(LAYOUT))


def full(value: float) -> np.ndarray:
    return np.full(SHAPE, float(value))


def book(mean: float = -300.0, traded: float = 100.0, opened: float = 400.0) -> Carry:
    belief = Belief(full(mean), full(25.0), full(12.0)[None])
    return Carry(belief, full(opened) + 0.5 * traded, full(traded), full(1000), full(traded), 1, 2)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_opening_share_is_exact_whoever_traded_with_whom(seed: int) -> None:
    """By brute force: traders open or close at random, and positions are counted."""
    rng = np.random.default_rng(seed)
    held = np.zeros(6, int)
    held[:3] = rng.integers(0, 20, 3)
    held[3] = -held.sum()
    then, opens, volume = np.abs(held).sum() / 2, 0, 0
    for _ in range(30):
        buyer, seller = rng.choice(6, 2, replace=False)
        size = int(rng.integers(1, 6))
        closes = min(max(-held[buyer], 0), size), min(max(held[seller], 0), size)
        opens += (size - closes[0]) + (size - closes[1])
        held[buyer] += size
        held[seller] -= size
        volume += size
    now = np.abs(held).sum() / 2
    share = opening_share(np.array([float(volume)]), np.array([then]), np.array([now]))
    assert share[0] == pytest.approx(opens / (2 * volume))


def test_without_volume_or_open_interest_the_opening_share_is_not_known() -> None:
    share = opening_share(
        np.array([0.0, 10.0, np.nan]), np.array([5.0, np.nan, 1.0]), np.array([5.0, 5.0, 1.0])
    )
    assert np.isnan(share).all()


def test_a_book_within_open_interest_stays_as_it_is() -> None:
    result = reconcile(book(), full(1000), full(1050), full(100))
    assert np.array_equal(result.carry.belief.mean, book().belief.mean)
    assert np.array_equal(result.carry.belief.sd, book().belief.sd)
    assert result.outside == result.outside_day == result.impossible == 0
    assert result.excess_share == 0.0
    assert result.opening_share == pytest.approx(0.75)
    assert result.carry.reconciled == "carried book within open interest in all 16 contracts"


def test_what_was_opened_takes_the_place_of_the_half_that_was_guessed() -> None:
    """V 100, ΔOI +50: 75 of the 100 opened, and the record saw all of them."""
    carry = reconcile(book(), full(1000), full(1050), full(100)).carry
    assert carry.opened == pytest.approx(full(475))
    seen_in_part = reconcile(book(), full(1000), full(1050), full(200)).carry
    assert seen_in_part.opened == pytest.approx(full(400 + 100 * 250 / 400))


def test_a_position_beyond_open_interest_is_cut_to_it_counted_and_named() -> None:
    now = full(1000)
    now[1, 2] = 120.0
    result = reconcile(book(), full(1000), now, full(900))
    assert result.carry.belief.mean[1, 2] == -120.0
    assert (result.outside, result.checked) == (1, 16)
    assert result.excess == 180.0
    assert result.excess_share == pytest.approx(180 / 4800)
    assert result.largest == (1, 2)
    assert result.summary(LAYOUT) == (
        "carried book beyond open interest in 1 of 16 contracts, by 3.8% of its size;"
        " furthest SPXW 2026-11-19 6610P by 180"
    )


def test_what_was_just_proven_wrong_is_not_called_sure() -> None:
    now = full(1000)
    now[0, 0], now[0, 1] = 10.0, 0.0
    belief = reconcile(book(), full(1000), now, full(1000)).carry.belief
    assert belief.sd[0, 0] == pytest.approx(10.0)  # 13 before: never more than all there is
    assert belief.sd[0, 1] == 0.0
    assert belief.sd[0, 2] == pytest.approx(13.0)


def test_more_held_than_could_ever_have_been_open_is_told_apart() -> None:
    result = reconcile(book(mean=-1200.0), full(1000), full(1150), full(100))
    assert result.outside_day == result.outside == 16


def test_open_interest_that_moves_more_than_was_traded_means_missing_trades() -> None:
    result = reconcile(book(), full(1000), full(1300), full(100))
    assert result.impossible == 16
    assert "trades are missing in 16" in result.carry.reconciled
    assert (result.carry.opened <= 400 + 100).all()


def test_sessions_that_were_not_recorded_make_every_position_less_certain() -> None:
    result = reconcile(book(), full(1000), full(1000), full(100), missed=2)
    assert (result.carry.belief.sd > 100.0).all()
    assert (result.carry.opened == book().opened).all()
    assert result.impossible == 0
    assert result.carry.reconciled.endswith("2 sessions not recorded since")
    once = reconcile(book(), full(1000), full(1000), full(100), missed=1)
    assert once.carry.reconciled.endswith("1 session not recorded since")
    assert (once.carry.belief.sd < result.carry.belief.sd).all()


@pytest.mark.parametrize("unpublished", [0.0, np.nan])
def test_without_this_mornings_open_interest_nothing_is_checked_or_cut(unpublished) -> None:
    result = reconcile(book(), full(1000), full(unpublished), full(100))
    assert np.array_equal(result.carry.belief.mean, book().belief.mean)
    assert result.checked == 0
    assert math.isnan(result.excess_share)
    assert math.isnan(result.opening_share)
    assert "not checked" in result.carry.reconciled


def test_open_interest_of_one_morning_only_still_bounds() -> None:
    result = reconcile(book(), full(np.nan), full(100), full(np.nan))
    assert (result.carry.belief.mean == -100.0).all()
    assert (result.carry.opened == book().opened).all()


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), missed=st.integers(0, 3))
def test_a_reconciled_book_is_within_bounds_and_a_second_look_changes_nothing(seed, missed) -> None:
    rng = np.random.default_rng(seed)
    belief = Belief(
        rng.normal(0, 500, SHAPE), rng.random(SHAPE) * 1e4, rng.normal(0, 50, (3, *SHAPE))
    )
    now = rng.integers(0, 600, SHAPE).astype(float)
    now[rng.random(SHAPE) < 0.2] = np.nan
    then, volume = rng.random(SHAPE) * 600, rng.random(SHAPE) * 600
    opened, traded = rng.random(SHAPE) * 500, rng.random(SHAPE) * 500
    carry = Carry(belief, opened, traded, then, volume, 1, 2)
    first = reconcile(carry, then, now, volume, missed).carry
    known = ~np.isnan(now)
    assert (np.abs(first.belief.mean[known]) <= now[known]).all()
    assert (first.belief.sd[known] <= now[known] + 1e-6).all()
    assert (first.opened >= 0.0).all()
    assert reconcile(first, then, now, volume).outside == 0
