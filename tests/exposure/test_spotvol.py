"""Spot against volatility over the day."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import linregress

from gexterm.exposure.spotvol import SpotVol, SpotVolSettings, read, sample

MINUTE = 60 * 1_000_000_000
START = 1_700_000_000 * 1_000_000_000


def day(beta: float, noise: float, n: int = 390, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Spot and volatility by the minute, vol moving by beta points per 1 % plus noise."""
    rng = np.random.default_rng(seed)
    moves = rng.normal(0.0, 0.05, n)
    spot = 6000.0 * np.cumprod(np.concatenate([[1.0], 1.0 + moves / 100.0]))
    vol = 15.0 + np.concatenate([[0.0], np.cumsum(beta * moves + rng.normal(0.0, noise, n))])
    return spot, vol


def run(spot, vol, every: int = MINUTE, config=None) -> SpotVol:
    state = SpotVol()
    for i, (s, v) in enumerate(zip(spot, vol, strict=True)):
        state = sample(state, 1, START + i * every, float(s), float(v), config)
    return state


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), beta=st.floats(-2.0, 1.0), n=st.integers(20, 200))
def test_the_slope_is_that_of_least_squares(seed, beta, n) -> None:
    spot, vol = day(beta, 0.05, n, seed)
    reading = read(run(spot, vol))
    fit = linregress(100.0 * (spot[1:] / spot[:-1] - 1.0), np.diff(vol))
    assert reading.n == n
    assert reading.slope == pytest.approx(fit.slope, rel=1e-6)
    assert reading.slope_se == pytest.approx(fit.stderr, rel=1e-6)
    assert reading.r2 == pytest.approx(fit.rvalue**2, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("beta", [-0.7, -0.9, -1.25])
def test_a_day_s_slope_is_found_within_two_errors_in_most_days(beta) -> None:
    # Noise such that spot explains about 57 %.
    noise = 0.05 * abs(beta) * np.sqrt(0.43 / 0.57)
    readings = [read(run(*day(beta, noise, seed=i))) for i in range(40)]
    hits = [abs(r.slope - beta) <= 2.0 * r.slope_se for r in readings]
    assert np.mean(hits) >= 0.85
    assert np.mean([r.r2 for r in readings]) == pytest.approx(0.57, abs=0.05)


def test_volatility_that_does_as_the_reference_says_is_neither_over_nor_under() -> None:
    spot = np.linspace(6000.0, 5900.0, 60)
    vol = 15.0 - 1.11 * 100.0 * (spot / 6000.0 - 1.0)
    assert read(run(spot, vol)).overvixed == pytest.approx(0.0, abs=1e-9)
    assert read(run(spot, vol + np.linspace(0.0, 0.7, 60))).overvixed == pytest.approx(0.7)
    halved = SpotVolSettings(beta=-0.5)
    expected = vol[-1] - vol[0] + 0.5 * 100.0 * (spot[-1] / spot[0] - 1.0)
    reading = read(run(spot, vol, config=halved), halved)
    assert reading.overvixed == pytest.approx(expected)
    assert reading.beta == -0.5


def test_nothing_is_said_on_a_few_minutes() -> None:
    spot, vol = day(-0.9, 0.02, 14)
    early = read(run(spot, vol))
    assert early.n == 14
    assert np.isnan([early.slope, early.slope_se, early.r2, early.overvixed]).all()
    assert np.isfinite(read(run(*day(-0.9, 0.02, 15))).slope)


def test_samples_are_a_minute_apart_however_fast_ticks_come() -> None:
    spot, vol = day(-0.9, 0.02, 60 * 30)
    state = run(spot, vol, every=MINUTE // 60)
    assert state.n == 30
    assert read(state).slope == pytest.approx(read(run(spot[::60], vol[::60])).slope, rel=1e-9)


def test_over_a_gap_no_change_is_taken_but_the_day_goes_on() -> None:
    spot, vol = day(-0.9, 0.02, 40)
    state = run(spot[:20], vol[:20])
    later = sample(state, 1, START + 100 * MINUTE, 5000.0, 40.0)
    assert later.n == state.n
    assert later.lost == 1
    assert (later.first_spot, later.spot) == (spot[0], 5000.0)
    assert sample(later, 1, START + 101 * MINUTE, 5001.0, 40.0).n == state.n + 1


@pytest.mark.parametrize(("day_no", "at"), [(2, 200), (1, -5)])
def test_a_new_day_or_a_step_back_starts_anew(day_no, at) -> None:
    state = run(*day(-0.9, 0.02, 40))
    fresh = sample(state, day_no, START + at * MINUTE, 6100.0, 14.0)
    assert (fresh.n, fresh.first_spot, fresh.first_vol) == (0, 6100.0, 14.0)


@pytest.mark.parametrize(
    ("spot", "vol"), [(np.nan, 15.0), (6000.0, np.nan), (0.0, 15.0), (np.inf, 15.0)]
)
def test_a_tick_without_a_number_is_passed_over(spot, vol) -> None:
    state = run(*day(-0.9, 0.02, 20))
    assert sample(state, 1, START + 21 * MINUTE, spot, vol) is state


def test_a_spot_that_never_moves_has_no_slope() -> None:
    reading = read(run(np.full(30, 6000.0), np.linspace(15.0, 16.0, 30)))
    assert np.isnan(reading.slope)
    assert np.isnan(reading.r2)
    assert reading.overvixed == pytest.approx(1.0)
