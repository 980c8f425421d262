"""Clocks: time moves as told, and sleepers wake exactly when it has come."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.clock import NS, ManualClock, ScaledClock, SystemClock


async def settle() -> None:
    """Let every task run until it waits for something."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_manual_clock_wakes_only_those_whose_time_has_come():
    clock = ManualClock(0)
    woken: list[int] = []

    async def sleeper(when: int) -> None:
        await clock.sleep_until(when)
        woken.append(when)

    tasks = [asyncio.create_task(sleeper(when)) for when in (30, 10, 20)]
    await settle()
    assert clock.sleepers == (10, 20, 30)
    clock.set(20)
    await settle()
    assert woken == [10, 20]
    clock.set(30)
    await asyncio.gather(*tasks)
    assert woken == [10, 20, 30]


async def test_a_manual_clock_moved_back_keeps_a_sleeper_asleep():
    clock = ManualClock(0)
    task = asyncio.create_task(clock.sleep_until(10))
    await settle()
    clock.set(10)
    clock.set(5)
    await settle()
    assert not task.done()
    clock.set(10)
    await task


async def test_a_cancelled_sleeper_leaves_nothing_behind():
    clock = ManualClock(0)
    task = asyncio.create_task(clock.sleep_until(10))
    await settle()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert clock.sleepers == ()
    clock.set(20)


async def test_the_system_clock_never_wakes_early():
    clock = SystemClock()
    due = clock.now_ns() + 2_000_000
    await clock.sleep_until(due)
    assert clock.now_ns() >= due
    await clock.sleep_until(0)


def test_a_replay_at_sixty_passes_a_minute_per_second():
    base = ManualClock(1000 * NS)
    clock = ScaledClock(base, 5 * NS, 60.0)
    base.advance(1)
    assert clock.now_ns() == 65 * NS


def test_pausing_and_new_speeds_never_jump():
    base = ManualClock(0)
    clock = ScaledClock(base, 0, 2.0)
    base.advance(3)
    clock.pause()
    assert clock.paused
    base.advance(100)
    assert clock.now_ns() == 6 * NS
    clock.set_speed(10.0)
    assert clock.now_ns() == 6 * NS
    clock.resume()
    assert clock.now_ns() == 6 * NS
    base.advance(1)
    assert clock.now_ns() == 16 * NS
    clock.seek(0)
    assert clock.now_ns() == 0


@pytest.mark.parametrize("speed", [0.0, -1.0, float("inf"), float("nan")])
def test_a_clock_that_cannot_run_is_refused(speed: float):
    clock = ScaledClock(ManualClock(0), 0)
    with pytest.raises(ValueError, match="cannot run"):
        clock.set_speed(speed)
    with pytest.raises(ValueError, match="cannot run"):
        ScaledClock(ManualClock(0), 0, speed)
    assert clock.speed == 1.0


async def test_a_sleeper_sleeps_through_a_pause_and_wakes_at_the_new_speed():
    base = ManualClock(0)
    clock = ScaledClock(base, 0, 1.0)
    task = asyncio.create_task(clock.sleep_until(60 * NS))
    await settle()
    base.advance(30)
    clock.pause()
    await settle()
    base.advance(1000)
    await settle()
    assert not task.done()
    clock.set_speed(30.0)
    clock.resume()
    await settle()
    base.advance(0.99)
    await settle()
    assert not task.done()
    base.advance(0.02)
    await task
    assert base.sleepers == ()


async def test_a_seek_past_the_hour_wakes_who_waits_for_it():
    base = ManualClock(0)
    clock = ScaledClock(base, 0, 1.0)
    clock.pause()
    task = asyncio.create_task(clock.sleep_until(60 * NS))
    await settle()
    clock.seek(61 * NS)
    await task


@settings(max_examples=30, deadline=None)
@given(
    st.floats(0.01, 10_000),
    st.integers(1, 20_000 * NS),
    st.integers(-(10**9), 2_000_000_000 * NS),
)
def test_whoever_wakes_finds_that_the_time_has_come(speed: float, ahead: int, start: int):
    async def scenario() -> None:
        base = ManualClock(0)
        clock = ScaledClock(base, start, speed)
        task = asyncio.create_task(clock.sleep_until(start + ahead))
        await settle()
        while not task.done():
            base.set(base.sleepers[0])
            await settle()
        assert clock.now_ns() >= start + ahead
        assert clock.now_ns() - start - ahead <= 2 * speed + 2

    asyncio.run(scenario())
