"""Ticks fall on round market times and see everything up to them, nothing after."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gexterm.clock import NS
from gexterm.engine.grid import STEPS_S, TickGrid, step_for
from gexterm.market.events import ClockTick


def test_a_tick_waits_for_something_later_than_its_time() -> None:
    grid = TickGrid(60 * NS)
    assert grid.due(ClockTick(30 * NS)) == 0  # the first thing seen
    assert grid.due(ClockTick(60 * NS)) == 0  # exactly on time: more may carry this stamp
    assert grid.due(ClockTick(60 * NS + 1)) == 60 * NS
    assert grid.due(ClockTick(61 * NS)) == 0


def test_a_long_silence_makes_one_tick() -> None:
    grid = TickGrid(NS)
    grid.due(ClockTick(5 * NS))
    assert grid.due(ClockTick(100 * NS + 1)) == 100 * NS


def test_time_running_backwards_makes_none() -> None:
    grid = TickGrid(NS)
    grid.due(ClockTick(50 * NS))
    assert grid.due(ClockTick(10 * NS)) == 0


@given(st.lists(st.integers(1, 10**13), min_size=1, max_size=40))
def test_ticks_ascend_stay_on_the_grid_and_before_what_made_them_due(times: list[int]) -> None:
    grid = TickGrid(10 * NS)
    ticks = []
    for ts in sorted(times):
        if due := grid.due(ClockTick(ts)):
            assert due < ts
            assert due % grid.step == 0
            ticks.append(due)
    assert ticks == sorted(set(ticks))


@pytest.mark.parametrize(
    ("speed", "seconds"), [(1, 0.1), (0.25, 0.1), (20, 2), (60, 10), (600, 60), (10_000, 60)]
)
def test_faster_replays_tick_at_coarser_market_times(speed: float, seconds: float) -> None:
    assert step_for(speed, 10) == round(seconds * NS)


def test_every_step_meets_the_full_minute() -> None:
    assert all(60 * NS % round(s * NS) == 0 for s in STEPS_S)
