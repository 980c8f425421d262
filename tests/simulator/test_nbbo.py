"""Quotes of the synthetic market: ticks, widths, sizes, flicker."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.clock import NS
from gexterm.simulator.market import Market
from gexterm.simulator.nbbo import half_spread, on_ticks, tick_of
from gexterm.simulator.script import QuoteScript, Script
from gexterm.simulator.step import Listing, Step

SECONDS = 400


def market(seed: int = 1, chain: str = "small", **quotes: Any) -> Market:
    return Market(
        Script(
            "a-day",
            "A day",
            seed,
            begins=dt.time(11, 0),
            chain=chain,
            quotes=QuoteScript(**quotes),
        )
    )


@pytest.fixture(scope="module")
def listing() -> Listing:
    return market().listing


@pytest.fixture(scope="module")
def steps() -> list[Step]:
    one = market()
    return [one.step(second) for second in range(SECONDS)]


def on_grid(price: np.ndarray) -> np.ndarray:
    ticks = price / tick_of(price)
    return np.abs(ticks - np.round(ticks)) < 1e-6


@given(
    fair=st.floats(0.0, 900.0, allow_nan=False),
    half=st.floats(0.005, 4.0, allow_nan=False),
)
def test_a_quote_surrounds_fair_value_on_the_exchanges_ticks(fair: float, half: float) -> None:
    bid, ask = (float(side[0]) for side in on_ticks(np.array([fair]), np.array([half])))
    assert 0.0 <= bid < ask
    assert bid <= fair <= ask
    assert on_grid(np.array([bid, ask])).all()
    # Not a tick wider than it must be.
    assert bid > fair - half - tick_of(np.array([fair - half]))[0] - 1e-6 or bid == 0.0
    assert ask < fair + half + 0.10 + 1e-6


def test_ticks_are_five_cents_below_three_dollars_and_ten_above() -> None:
    assert tick_of(np.array([0.05, 2.95, 3.0, 55.0])).tolist() == [0.05, 0.05, 0.10, 0.10]


def test_quotes_are_wider_for_dear_for_deep_and_for_late_options() -> None:
    zero, hour = np.zeros(1), np.full(1, 3600.0)
    base = half_spread(np.array([5.0]), zero, hour)
    assert half_spread(np.array([50.0]), zero, hour) > base
    assert half_spread(np.array([5.0]), np.array([60.0]), hour) > base + 1.0
    assert half_spread(np.array([5.0]), zero, np.full(1, 120.0)) > base


def test_every_quote_stands_on_ticks_and_is_worth_its_fair_value(
    steps: list[Step],
) -> None:
    for step in steps[::20]:
        assert on_grid(step.bid).all() and on_grid(step.ask).all()
        assert (step.ask > step.bid).all() and (step.bid >= 0).all()
        assert (step.bid <= step.fair + 1e-9).all()
        assert (step.fair <= step.ask + 1e-9).all()


def test_most_spreads_leave_room_for_prints_inside(steps: list[Step], listing: Listing) -> None:
    ticks, mids = [], []
    for step in steps[::20]:
        near = listing.today & (np.abs(step.delta) > 0.1) & (np.abs(step.delta) < 0.5)
        width = (step.ask - step.bid)[near]
        ticks.append(width / tick_of(step.fair[near]))
        mids.append(step.fair[near])
    width = np.concatenate(ticks)
    assert np.median(width) in (2.0, 3.0, 4.0) or 2.0 <= np.median(width) <= 4.0
    assert (width > 1.5).mean() > 0.8
    assert (width < 6.5).mean() > 0.95


def test_sizes_are_whole_up_to_five_hundred_and_often_round(steps: list[Step]) -> None:
    sizes = np.concatenate([step.ask_size for step in steps[::50]])
    assert (sizes >= 1).all() and (sizes <= 500).all()
    assert (sizes == np.floor(sizes)).all()
    assert ((sizes % 10 == 0) & (sizes >= 10)).mean() > 0.3
    assert len(np.unique(sizes)) > 50


def test_nobody_bids_for_what_is_worth_less_than_a_tick(
    steps: list[Step], listing: Listing
) -> None:
    zero = steps[-1].bid == 0.0
    assert zero.any()
    assert (steps[-1].fair[zero] < 0.12).all()
    assert (steps[-1].bid_size[zero] == 0.0).all()
    assert (steps[-1].bid_size[~zero] > 0.0).all()
    out = listing.sign * (listing.strike - steps[-1].spot) > 0
    assert out[zero].all()


def test_most_quotes_stand_still_in_most_seconds(steps: list[Step]) -> None:
    moved = [((b.bid != a.bid) | (b.ask != a.ask)).mean() for a, b in pairwise(steps)]
    assert 0.02 < np.mean(moved) < 0.25


def test_flicker_stays_near_the_money_and_within_its_second(
    steps: list[Step], listing: Listing
) -> None:
    total = 0
    for step in steps:
        who, ts = step.flicker_contract, step.flicker_ts
        total += len(who)
        assert (np.diff(ts) >= 0).all()
        assert ((ts > step.now) & (ts < step.now + NS)).all()
        assert listing.today[who].all()
        assert (np.abs(listing.strike[who] - step.spot) < 25.0).all()
        bid, ask, bid_size, ask_size = step.flicker
        assert (ask > bid).all() and (bid_size >= 0).all() and (ask_size >= 1).all()
        assert on_grid(bid).all() and on_grid(ask).all()
    assert total > SECONDS


@pytest.mark.parametrize("hz", [2.0, 8.0])
def test_the_contract_at_the_money_flickers_as_often_as_asked_for(hz: float) -> None:
    one, count = market(flicker_hz=hz), 0.0
    for second in range(300):
        step = one.step(second)
        nearest = np.abs(one.listing.strike - step.spot) + 1e9 * ~one.listing.today
        at_money = np.flatnonzero(nearest == nearest.min())
        count += np.isin(step.flicker_contract, at_money).sum() / len(at_money)
    # A strike a little off the money flickers a little less.
    assert 0.7 * hz < count / 300 < 1.1 * hz


def test_without_flicker_nothing_happens_within_a_second() -> None:
    one = market(flicker_hz=0.0)
    assert all(len(one.step(second).flicker_ts) == 0 for second in range(20))


def test_what_flickered_last_is_in_force_until_it_is_renewed() -> None:
    one, stayed, count = market(), 0, 0
    step = one.step(0)
    for second in range(1, 200):
        after = one.step(second)
        who = np.unique(step.flicker_contract)
        last = step.quote_at(who, np.full(len(who), step.now + NS))
        now = after.quote_at(who, np.full(len(who), after.now))
        stayed += int((last == now).all(axis=0).sum())
        count += len(who)
        step = after
    assert 0.15 * count < stayed < count


def test_patience_decides_how_often_quotes_are_renewed() -> None:
    def moves(patience: float) -> int:
        one = market(patience=patience, flicker_hz=0.0)
        steps = [one.step(second) for second in range(60)]
        return sum(int((b.bid != a.bid).sum()) for a, b in pairwise(steps))

    assert moves(0.1) > 1.5 * moves(0.7)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=5, deadline=None)
def test_quotes_of_any_day_are_quotes(seed: int) -> None:
    one = market(seed)
    for second in range(12):
        step = one.step(second)
    assert np.isfinite(step.fair).all() and (step.fair >= 0).all()
    assert (step.ask > step.bid).all() and (step.bid >= 0).all()
    assert (np.abs(step.delta) <= 1.0 + 1e-9).all()
    assert (step.vol > 0).all()
