"""A column comes back as it was, in few bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.errors import RecordingError
from gexterm.recording.columns import pack, unpack

FLOATS = st.one_of(
    st.floats(),
    st.integers(-(10**7), 10**7).map(lambda cents: cents / 100),
    st.integers(0, 10**6).map(lambda part: part / 10_000),
    st.sampled_from([0.0, -0.0, float("nan"), float("inf"), 21474836.47, 21474836.48, 1e300]),
)


def back(column: np.ndarray) -> np.ndarray:
    packed = pack(column)
    values, end = unpack(memoryview(packed), 0, len(column), column.dtype)
    assert end == len(packed)
    assert values.dtype == column.dtype
    return values


@settings(max_examples=150, deadline=None)
@given(st.lists(FLOATS, max_size=60))
def test_any_prices_come_back(values: list[float]):
    column = np.array(values, np.float64)
    np.testing.assert_array_equal(back(column), column)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 10**6), min_size=16, max_size=60), st.sampled_from([100, 10_000]))
def test_prices_in_cents_come_back_bit_for_bit(units: list[int], scale: int):
    column = np.array(units) / scale
    assert back(column).tobytes() == column.tobytes()


@settings(max_examples=100, deadline=None)
@given(
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([1, 1000, 10**6, 10**9]),
    st.lists(st.integers(-(2**31), 2**31), min_size=16, max_size=40),
)
def test_any_times_come_back(base: int, step: int, offsets: list[int]):
    column = (np.array(offsets) * step).astype(np.int64) + np.int64(base)
    np.testing.assert_array_equal(back(column), column)


def test_times_at_both_ends_of_the_world_come_back():
    column = np.array([-(2**63), 2**63 - 1] * 10, np.int64)
    np.testing.assert_array_equal(back(column), column)


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "i8", "f8"])
@pytest.mark.parametrize("count", [0, 1, 15, 16, 100])
def test_every_kind_of_column_comes_back_at_every_length(dtype: str, count: int):
    column = np.arange(count).astype(dtype) - np.array(3, dtype)
    np.testing.assert_array_equal(back(column), column)


def test_what_is_the_same_everywhere_takes_one_value():
    assert len(pack(np.full(10_000, 1515162660 * 10**9))) == 9
    assert len(pack(np.full(10_000, np.nan))) == 9


def test_prices_take_half_of_their_bytes_and_times_too():
    prices = np.round(np.random.default_rng(1).integers(0, 10**5, 1000) * 0.05, 2)
    prices[7] = np.nan
    assert len(pack(prices)) < 4 * 1000 + 10
    times = 1515162660 * 10**9 + np.arange(1000) * 7_000_000
    assert len(pack(times)) < 4 * 1000 + 20


def test_a_price_that_only_looks_like_cents_is_kept_in_full():
    column = np.full(100, 0.05)
    column[50] = np.nextafter(0.05, 1.0)
    assert back(column).tobytes() == column.tobytes()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 1000), st.sampled_from(["i1", "i2", "i8", "f8"]))
def test_bytes_from_anywhere_are_a_column_or_an_error(data: bytes, count: int, dtype: str):
    try:
        values, end = unpack(memoryview(data), 0, count, dtype)
    except RecordingError:
        return
    assert len(values) == count
    assert end <= len(data)
