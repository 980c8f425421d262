"""Bars: length and side say the number, to an eighth of a cell."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.ui.ink import Span, plain
from gexterm.ui.widgets.bars import AXIS, PARTS, bar, eighths

ROLES = ("short", "long")


def lengths(spans: list[Span]) -> tuple[int, int]:
    """Eighths filled left and right of the centre, read off the cells as a terminal shows them."""
    cells = [(char, span) for span in spans for char in span.text]
    half = len(cells) // 2
    left = right = 0
    for at, (char, span) in enumerate(cells):
        if char == "█":
            filled = 8
        elif span.bg in ROLES:  # a block in the ground's colour on the bar's
            filled = 8 - PARTS.index(char)
        elif span.fg in ROLES:
            filled = PARTS.index(char)
        else:
            filled = 0
        if at < half:
            left += filled
        else:
            right += filled
    return left, right


@given(st.floats(-3, 3), st.integers(2, 20))
@settings(max_examples=150)
def test_a_bar_is_as_long_as_its_number_and_on_its_side(value: float, half: int) -> None:
    left, right = lengths(bar(value, 2.0, half, ROLES))
    want = min(8 * half, round(8 * half * abs(value) / 2.0))
    assert (left, right) == ((0, want) if value > 0 else (want, 0))


@given(
    st.floats(-3, 3),
    st.integers(2, 20),
    st.dictionaries(st.sampled_from([5, 15, 30]), st.floats(-5, 5)),
)
def test_a_bar_always_takes_the_same_cells(
    value: float, half: int, marks: dict[int, float]
) -> None:
    assert len(plain(bar(value, 2.0, half, ROLES, marks))) == 2 * half


def test_an_unknown_number_has_no_bar_but_the_zero_line() -> None:
    assert plain(bar(math.nan, 2.0, 4, ROLES)) == "    " + AXIS + "   "
    assert eighths(1.0, math.nan, 4) == 0


def test_a_bar_beyond_the_scale_ends_at_the_edge() -> None:
    assert plain(bar(99.0, 2.0, 4, ROLES)) == "    ████"
    assert plain(bar(-99.0, 2.0, 4, ROLES)).startswith("████")


@pytest.mark.parametrize(("then", "place"), [(-0.5, 6), (0.99, 11), (0.0, 8), (5.0, 15)])
def test_a_look_back_mark_stands_where_the_tip_was(then: float, place: int) -> None:
    text = plain(bar(-2.0 if then >= 0 else 2.0, 2.0, 8, ROLES, {5: then}))
    assert text.index("•") == place


def test_a_bar_that_has_hardly_moved_has_no_mark() -> None:
    assert "•" not in plain(bar(1.0, 2.0, 8, ROLES, {5: 1.1}))


def test_a_mark_inside_the_bar_is_cut_out_of_it() -> None:
    spans = bar(2.0, 2.0, 8, ROLES, {15: 0.55})
    (mark,) = [span for span in spans if "·" in span.text]
    assert mark.bg == "long"
