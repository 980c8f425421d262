"""Numbers on the screen: three figures, a fixed width, and no calm nonsense."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from gexterm.ui import numbers

ANY = st.floats(allow_nan=True, allow_infinity=True)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1_210_000_000.0, "+1.21bn"),
        (-310_000_000.0, "−310M"),
        (41_300.0, "+41.3k"),
        (42.0, "+42"),
        (0.0, "0"),
        (999_600.0, "+1.00M"),
        (-0.001, "0"),
        (math.nan, "–"),
        (math.inf, "–"),
        (4e15, "+>999T"),
    ],
)
def test_three_figures_and_a_prefix_a_trader_reads(value: float, text: str) -> None:
    assert numbers.compact(value, plus=True) == text


@given(ANY, st.booleans())
@settings(max_examples=120)
def test_si_is_always_seven_cells(value: float, plus: bool) -> None:
    text = numbers.si(value, plus=plus)
    assert cell_len(text) == numbers.SI_WIDTH == len(text)


@given(ANY, st.integers(0, 3), st.integers(5, 12))
@settings(max_examples=120)
def test_fixed_never_leaves_its_width(value: float, decimals: int, width: int) -> None:
    assert cell_len(numbers.fixed(value, decimals, width, plus=True)) == width


@given(ANY)
@settings(max_examples=120)
def test_every_other_format_keeps_its_width(value: float) -> None:
    assert cell_len(numbers.duration(value)) == numbers.DURATION_WIDTH
    assert cell_len(numbers.seconds(value)) == 5
    assert cell_len(numbers.percent(value, 7, 2)) == 7
    assert cell_len(numbers.sigmas(value)) == 6
    assert cell_len(numbers.distance(value)) == 8
    assert cell_len(numbers.price(value)) == 9


@given(st.floats(1e-2, 9e14))
@settings(max_examples=120)
def test_what_si_says_is_within_half_a_unit_of_the_third_figure(value: float) -> None:
    text = numbers.compact(value)
    prefix = "".join(c for c in text if c.isalpha())
    size = {letters: size for size, letters in numbers.PREFIXES}[prefix]
    assert math.isclose(float(text.removesuffix(prefix)) * size, value, rel_tol=6e-3, abs_tol=6e-3)


@given(st.floats(1e-3, 1e12))
def test_opposite_numbers_differ_in_sign_alone(value: float) -> None:
    up, down = numbers.si(value, plus=True), numbers.si(-value, plus=True)
    assert down.replace("−", "+") == up


def test_zero_after_rounding_has_no_sign() -> None:
    assert numbers.fixed(-0.004, 2, 6) == "  0.00"


def test_a_number_too_long_says_that_it_is_more_instead_of_losing_digits() -> None:
    assert numbers.fixed(1_234_567, 0, 5) == ">9999"
    assert numbers.fixed(-1_234_567, 0, 6) == "−>9999"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(19_440, " 5h24m"), (1447, "24m07s"), (59, " 0m59s"), (-5, " 0m00s"), (270_000, " 3d03h")],
)
def test_time_left(seconds: float, text: str) -> None:
    assert numbers.duration(seconds) == text


@pytest.mark.parametrize(
    ("strike", "text"), [(6045.0, "6,045"), (412.5, "412.5"), (97_250.0, "97,250"), (1.25, "1.25")]
)
def test_a_strike_has_decimals_only_if_it_has_some(strike: float, text: str) -> None:
    assert numbers.strike(strike) == text
