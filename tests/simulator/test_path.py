"""How the synthetic index moves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.simulator.path import Path, intraday_variance

SESSION = 23_400
SIGMA = 0.008


def path(
    seed: int = 1,
    first: int = 0,
    count: int = SESSION,
    sigma: float = SIGMA,
    jumps: float = 0.0,
    session: int = SESSION,
) -> Path:
    return Path(6700.0, sigma, jumps, first, count, session, np.random.default_rng(seed))


def walk(one: Path, drift: float = 0.0) -> np.ndarray:
    return np.array([one.spot, *(one.advance(s, drift) for s in range(len(one.variance)))])


@given(seconds=st.sampled_from([12_600, 23_400]))
@settings(max_examples=2)
def test_the_day_is_u_shaped(seconds: int) -> None:
    rate = intraday_variance(seconds)
    assert rate.sum() == pytest.approx(1.0)
    hour = 3600
    first, middle, last = (
        rate[:hour].mean(),
        rate[seconds // 2 - 900 :][:1800].mean(),
        rate[-hour:].mean(),
    )
    assert first > last > middle
    assert 1.3 < first / middle < 3.5


def test_a_full_session_has_the_variance_asked_for() -> None:
    assert path().variance.sum() == pytest.approx(SIGMA**2)
    assert path(jumps=3.0).variance.sum() == pytest.approx(SIGMA**2)


@given(cut=st.integers(1, SESSION - 1))
@settings(max_examples=20)
def test_stretches_of_a_day_share_its_variance(cut: int) -> None:
    before = path(first=0, count=cut)
    after = path(first=cut, count=SESSION - cut)
    assert before.variance.sum() + after.variance.sum() == pytest.approx(SIGMA**2)
    assert after.to_close[0] == pytest.approx(np.sqrt(after.variance.sum()))
    assert before.to_close[-1] == pytest.approx(after.to_close[0])


@pytest.mark.parametrize("jumps", [0.0, 2.0])
def test_days_spread_as_sigma_says_with_jumps_and_without(jumps: float) -> None:
    # 150 s steps: the same law, sooner.
    session, days = 156, 600
    ends = []
    for seed in range(days):
        one = path(seed, count=session, session=session, jumps=jumps)
        ends.append(np.log(walk(one)[-1] / 6700.0))
    # Within three standard errors of a standard deviation; jumps have fat tails.
    error = SIGMA / np.sqrt(2 * days) * (1.5 if jumps else 1.0)
    assert np.std(ends) == pytest.approx(SIGMA, abs=3 * error)
    assert np.mean(ends) == pytest.approx(-0.5 * SIGMA**2, abs=3 * SIGMA / np.sqrt(days))


def test_spot_drifts_nowhere_by_itself() -> None:
    # A wild market, so that half its variance would show in the mean: e^.32 is 1.38.
    ends = [walk(path(seed, count=50, session=50, sigma=0.8))[-1] for seed in range(500)]
    spread = np.sqrt(np.exp(0.8**2) - 1.0)
    assert np.mean(ends) / 6700.0 == pytest.approx(1.0, abs=3 * spread / np.sqrt(500))


def test_jumps_come_as_often_as_asked_for() -> None:
    counts = [len(path(seed, jumps=2.0, count=600, session=600).jumped) for seed in range(300)]
    assert np.mean(counts) == pytest.approx(2.0, abs=3 * np.sqrt(2.0 / 300))
    assert len(path(jumps=0.0).jumped) == 0


def test_a_jump_is_more_than_any_other_second() -> None:
    one = path(seed=4, jumps=4.0)
    moves = np.abs(np.diff(np.log(walk(one))))
    usual = np.delete(moves, one.jumped)
    assert len(one.jumped)
    assert np.sqrt(np.mean(moves[one.jumped] ** 2)) > usual.max()


def test_steering_adds_its_points_and_draws_nothing_anew() -> None:
    free, steered = path(3, count=600), path(3, count=600)
    before, after = free.spot, steered.spot
    for second in range(600):
        free.advance(second, 0.0)
        steered.advance(second, 0.05 if second % 2 else -0.02)
        got = np.log((steered.spot - (0.05 if second % 2 else -0.02)) / after)
        assert got == pytest.approx(np.log(free.spot / before), abs=1e-12)
        before, after = free.spot, steered.spot


def test_spot_never_falls_to_nothing() -> None:
    one = path(count=5)
    assert one.advance(0, -1e6) == 1.0
