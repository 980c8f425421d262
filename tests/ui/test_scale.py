"""The scale: round, calm, in one unit."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from gexterm.ui.widgets.scale import NS, Scale, round_up


@given(st.floats(1e-3, 1e13))
def test_the_limit_is_round_and_not_far_above_the_peak(peak: float) -> None:
    limit = round_up(peak)
    assert peak <= limit * (1 + 1e-9)
    assert limit <= 1.6 * peak


def test_it_grows_at_once() -> None:
    scale = Scale()
    scale.follow(180e6, 0)
    assert scale.label == "200M"
    scale.follow(210e6, 1)
    assert scale.label == "300M"


def test_it_shrinks_only_after_ten_calm_minutes() -> None:
    scale = Scale()
    scale.follow(200e6, 0)
    scale.follow(10e6, 1 * NS)
    scale.follow(10e6, 500 * NS)
    assert scale.limit == 200e6
    scale.follow(10e6, 602 * NS)
    assert scale.limit == 10e6


def test_one_large_value_in_between_starts_the_wait_anew() -> None:
    scale = Scale()
    scale.follow(200e6, 0)
    scale.follow(10e6, 1 * NS)
    scale.follow(150e6, 500 * NS)
    scale.follow(10e6, 602 * NS)
    assert scale.limit == 200e6


@given(st.lists(st.floats(0.93, 1.0), min_size=2, max_size=40))
def test_bars_do_not_pulsate(shares: list[float]) -> None:
    scale = Scale()
    scale.follow(200e6, 0)
    for second, share in enumerate(shares):
        scale.follow(share * 200e6, second * NS)
        assert scale.limit == 200e6


def test_winding_back_does_not_shrink_it() -> None:
    scale = Scale()
    scale.follow(200e6, 0)
    scale.follow(10e6, 10_000 * NS)
    scale.follow(10e6, 9_000 * NS)
    scale.follow(10e6, 9_500 * NS)
    assert scale.limit == 200e6


@pytest.mark.parametrize(
    ("peak", "value", "text"),
    [
        (180e6, 123.4e6, "  123"),
        (18e6, 12.34e6, " 12.3"),
        (1.8e9, -1.234e9, "−1.23"),
        (180.0, 7.0, "    7"),
    ],
)
def test_a_column_has_one_unit_and_its_points_below_each_other(
    peak: float, value: float, text: str
) -> None:
    scale = Scale()
    scale.follow(peak, 0)
    assert scale.text(value) == text


@given(st.floats(1e-3, 1e13), st.floats())
def test_a_number_of_the_column_always_takes_five_cells(peak: float, value: float) -> None:
    scale = Scale()
    scale.follow(peak, 0)
    assert cell_len(scale.text(value)) == 5


def test_before_the_first_value_nothing_is_claimed() -> None:
    scale = Scale()
    scale.follow(math.nan, 0)
    scale.follow(0.0, 0)
    assert scale.label == ""
