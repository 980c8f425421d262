"""Sums of Gaussians against their definition."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.exposure.sweep import gaussian_sums, log_grid


def defined(d1, slope, weights, t):
    return np.array([weights @ np.exp(-0.5 * (d1 + slope * x) ** 2) for x in t]).T


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 60),
    st.integers(1, 3),
    st.integers(2, 90),
    st.floats(-3.5, -0.3),
)
def test_sums_agree_with_the_definition_for_narrow_and_wide_contracts(
    seed, n, books, count, log_width
) -> None:
    rng = np.random.default_rng(seed)
    w = 10.0 ** rng.uniform(log_width, 0.0, n)
    d1 = rng.normal(0.0, 0.05, n) / w
    weights = rng.normal(0.0, 1.0, (books, n))
    start, step = -0.05, 0.001
    t = start + step * np.arange(count)
    got = gaussian_sums(d1, 1.0 / w, weights, start, step, count)
    want = defined(d1, 1.0 / w, weights, t)
    assert got.shape == (books, count)
    assert np.abs(got - want).max() <= 1e-12 * max(np.abs(weights).sum(), 1.0)


def test_contracts_hundreds_of_deviations_away_neither_overflow_nor_count() -> None:
    d1 = np.array([-1e4, -700.0, -60.0, 60.0, 700.0, 1e4, 0.0])
    slope = np.array([400.0] * 7)
    weights = np.ones((1, 7))
    got = gaussian_sums(d1, slope, weights, -0.05, 0.001, 101)
    assert np.isfinite(got).all()
    assert np.allclose(got, defined(d1, slope, weights, -0.05 + 0.001 * np.arange(101)), atol=1e-12)


def test_more_rows_than_one_fold_change_nothing() -> None:
    rng = np.random.default_rng(0)
    n = 20_001
    d1, slope = rng.normal(0, 3, n), rng.uniform(2.0, 300.0, n)
    weights = rng.normal(0, 1, (2, n))
    got = gaussian_sums(d1, slope, weights, -0.01, 0.001, 21)
    assert np.allclose(got, defined(d1, slope, weights, -0.01 + 0.001 * np.arange(21)), atol=1e-9)


def test_no_rows_sum_to_nothing() -> None:
    empty = np.empty(0)
    assert not gaussian_sums(empty, empty, np.empty((2, 0)), -0.1, 0.01, 5).any()


def test_a_log_grid_holds_zero_and_covers_its_range() -> None:
    first, count = log_grid(-0.0531, 0.0478, 0.001)
    t = first + 0.001 * np.arange(count)
    assert np.abs(t).min() < 1e-15
    assert t[0] <= -0.0531 < t[1]
    assert t[-2] < 0.0478 <= t[-1]
