"""What a feed says is text from outside."""

from __future__ import annotations

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from gexterm.ui import words
from tests.ui.fakes import NS, OPEN


@given(st.text())
@settings(max_examples=150)
def test_nothing_that_a_terminal_obeys_survives(text: str) -> None:
    found = words.clean(text)
    assert not any(unicodedata.category(char)[0] == "C" for char in found)
    assert "\n" not in found


def test_an_escape_code_is_shown_as_letters() -> None:
    assert words.clean("SPX\x1b[2J\x1b]0;owned\x07 up") == "SPX·[2J·]0;owned· up"


def test_a_direction_override_cannot_turn_a_line_around() -> None:
    assert "\u202e" not in words.clean("buy \u202e lleS")


@given(st.text(), st.integers(0, 40))
@settings(max_examples=120)
def test_cut_text_has_the_width_asked_for(text: str, width: int) -> None:
    assert cell_len(words.cut(words.clean(text), width)) == width


def test_the_clock_is_new_yorks() -> None:
    assert words.clock(OPEN + 61 * 60 * NS) == "10:36:00"


def test_an_unknown_time_is_dashes() -> None:
    assert words.clock(0) == "--:--:--"
    assert words.clock(10**30) == "--:--:--"
