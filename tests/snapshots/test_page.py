"""The page of a snapshot: what somebody reads who opens it in three months."""

from __future__ import annotations

import math
import re

import polars as pl
import pytest
from hypothesis import given, settings

from gexterm.config import Settings
from gexterm.engine.oneshot import reading_of_recording
from gexterm.reading.model import Positions, Reading, Source
from gexterm.recording.reader import Recording
from gexterm.recording.samples import find_sample
from gexterm.snapshots.meta import Taken
from gexterm.snapshots.page import page
from gexterm.snapshots.plain import plain
from tests.reading.readings import any_of, reading
from tests.snapshots.test_levels import UNSHRUNK, full

SECTIONS = [
    "## Levels", "## 0DTE paradigm", "## Regime", "## Hedge flow", "## What is uncertain",
    "## Data health",
]  # fmt: skip


@pytest.fixture(scope="module")
def inferred() -> Reading:
    with Recording(find_sample("bofa").path) as recording:
        return reading_of_recording(recording, Settings(), at=recording.begins + 300 * 10**9)


def test_it_says_what_when_from_where_and_how_sure(inferred: Reading) -> None:
    text = page(inferred)
    assert text.startswith("# SPX 6,696.10 · ")
    assert "19 Nov 2026, 14:45:00 ET" in text
    assert "SIMULATED: no market data" in text
    assert re.search(r"view `combined`, [\d,]+ prints, \d+% of the printed volume signed", text)
    assert "Nothing here is a forecast" in text
    for section in SECTIONS:
        assert section in text
    assert re.search(r"P\(label\): .*BofA \d+%", text)
    assert "A record, no promise" in text
    assert "placebo" in text.lower()


def test_a_convention_is_said_to_be_assumed() -> None:
    text = page(full(positions=Positions("customer-flow", "open interest")))
    assert "assumed, not measured: convention `customer-flow` on open interest" in text
    assert "its error is not known" in text


def test_how_it_came_about_and_the_note_are_on_it() -> None:
    taken = Taken("schedule", 1_515_166_571_000_000_000, "the 10:35 ET slot", 71.0, "LIS held\n# x")
    text = page(full(), taken, picture=True)
    assert "Taken on schedule (the 10:35 ET slot), 71 s late, 2018-01-05 15:36:11 UTC" in text
    assert "## Note\n\n> LIS held  \n> \\# x  " in text
    assert "![The screen at that moment](screen.png)" in text
    assert "## Note" not in page(full(), Taken())
    assert "screen.png" not in page(full())


def test_the_trap_and_warnings_are_loud() -> None:
    trapped = full(positions=Positions("combined", "trades", trap="70 % at | resting size"))
    assert "> **SIGNING TRAP: 70 % at \\| resting size**" in page(trapped)


def test_delay_is_said_in_the_first_line() -> None:
    late = full(source=Source("cboe", "delayed", 900.0))
    assert "**cboe, delayed, 15 min late**" in page(late)


def test_what_is_not_known_is_a_dash_or_absent_never_a_zero() -> None:
    nothing = {name: [math.nan] for name in ("strike", "gex")}
    text = page(reading(spot=math.nan, strikes=pl.DataFrame(nothing)))
    assert text.startswith("# SPX – ")
    assert "nan" not in text.lower().replace("finance", "")
    assert "None: nothing settles today." in text


@settings(max_examples=60, phases=UNSHRUNK)
@given(any_of(Reading))
def test_any_reading_makes_a_page_with_whole_tables(any_reading: Reading) -> None:
    text = page(any_reading, Taken(), picture=True)
    assert "\x1b" not in text
    for block in text.split("\n\n"):
        rows = [line for line in block.splitlines() if line.startswith("| ")]
        cells = {len(re.findall(r"(?<!\\)\|", row)) for row in rows}
        assert len(cells) <= 1, rows
    shown = plain(text)
    assert "\x1b" not in shown
    assert not re.search(r"^\|.*\|$", shown, re.M)


def test_in_a_terminal_tables_stand_in_columns(inferred: Reading) -> None:
    shown = plain(page(inferred), 100)
    lines = shown.splitlines()
    assert max(map(len, lines)) <= 100
    start = next(i for i, line in enumerate(lines) if line.strip().startswith("level "))
    column = lines[start].index("points") + len("points")
    table = lines[start + 1 : start + 5]
    assert all(line[column - 1].isdigit() for line in table), table
    assert "**" not in shown
    assert "LEVELS" in lines
