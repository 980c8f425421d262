"""What is written to files reads as the screen does, and obeys nobody."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from gexterm.snapshots import wording
from gexterm.snapshots.plain import plain
from gexterm.ui import numbers, words
from gexterm.ui.widgets import certainty

ANY = st.floats(allow_nan=True, allow_infinity=True)


@given(ANY)
def test_money_reads_as_on_the_screen(value: float) -> None:
    assert wording.money(value) == numbers.compact(value, plus=True)
    assert wording.money(value, plus=False) == numbers.compact(value)


@given(st.floats(-1e6, 1e6) | st.just(math.nan))
def test_points_and_shares_read_as_on_the_screen(value: float) -> None:
    assert wording.points(value) == numbers.price(value, 40).strip()
    assert wording.percent(value / 100) == numbers.percent(value / 100, 40).strip()


@given(st.floats(0, 1) | st.just(math.nan))
def test_a_chance_is_never_certain(value: float) -> None:
    told = wording.chance(value)
    assert told not in ("0%", "100%")
    screen = numbers.chance(value).strip()
    assert told == screen or abs(int(told.strip("<>%")) - int(screen.strip("<>%"))) <= 1


@given(st.sampled_from([6000.0, 6012.5, 2.5, 0.75, 6012.25, 100.0, math.nan]))
def test_strikes_read_as_on_the_screen(value: float) -> None:
    assert wording.strike(value) == numbers.strike(value)


@given(st.text())
def test_text_from_outside_is_cleaned_as_on_the_screen(text: str) -> None:
    assert wording.clean(text) == words.clean(text)


def test_the_views_that_rest_on_trades_are_the_screens() -> None:
    assert wording.INFERRED == certainty.INFERRED
    assert wording.SURE == certainty.SURE


@given(st.text(alphabet=st.sampled_from("ab \\`*_{}[]<>()#+-.!|~&$1=")))
def test_escaped_text_is_shown_by_markdown_as_it_stands(text: str) -> None:
    """Our own reader of our own Markdown gives the text back."""
    cleaned = wording.clean(text)
    if not cleaned or cleaned[0] in "0123456789":
        return
    shown = " ".join(plain(f"begin {wording.escaped(text)}", 10_000).split())
    assert shown in (f"begin {cleaned}", f"begin \\{cleaned}")


def test_a_note_cannot_become_a_heading_a_list_or_a_table() -> None:
    for text, begin in (("# loud", "\\#"), ("- item", "\\-"), ("1. one", "1\\."), ("> q", "\\>")):
        assert wording.escaped(text).startswith(begin)
    assert wording.escaped("a | b") == "a \\| b"
    assert wording.escaped("<script>") == "\\<script>"
