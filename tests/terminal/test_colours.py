"""Terminals of fewer colours, of none, and without blocks: all of it can be read."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.terminal.terminal import PATIENCE_S, Terminal

MONITOR = ("-m", "tests.terminal.fake_monitor", "--glyphs", "auto")
BARE = {
    "COLORTERM": "", "TEXTUAL_COLOR_SYSTEM": "auto", "LC_ALL": "", "LC_CTYPE": "", "LANG": "",
}  # fmt: skip
SIXTEEN = frozenset(
    f"{bright}{hue}"
    for bright in ("", "bright")
    for hue in ("black", "red", "green", "brown", "blue", "magenta", "cyan", "white")
)
NO_COLOURS: frozenset[str] = frozenset()
KINDS: dict[str, tuple[dict[str, str], str, frozenset[str] | None]] = {
    "any": ({"COLORTERM": "truecolor"}, "light", None),
    "256": ({"TERM": "tmux-256color"}, "dark", None),
    "16": ({"TERM": "xterm"}, "dark", SIXTEEN),
    "16 by setting": ({"TEXTUAL_COLOR_SYSTEM": "standard"}, "dark", SIXTEEN),
    "16 by choice": ({"COLORTERM": "truecolor"}, "ansi16", SIXTEEN),
    "console": ({"TERM": "linux"}, "dark", SIXTEEN),
    "none": ({"NO_COLOR": "1"}, "dark", NO_COLOURS),
    "none of 16": ({"NO_COLOR": "1", "TERM": "xterm"}, "ansi16", NO_COLOURS),
}
"""What a terminal says of itself, the theme chosen, and the colours that it may be sent."""


class Opened:
    """Terminals that are closed when the test ends."""

    def __init__(self) -> None:
        self._all: list[Terminal] = []

    def __call__(self, *arguments: str, **environ: str) -> Terminal:
        found = Terminal(*MONITOR, *arguments, width=120, height=36, **{**BARE, **environ})
        self._all.append(found)
        found.wait("6,01", "upper", "quit", "HEDGE FLOW")
        return found

    def close(self) -> None:
        for each in self._all:
            each.close()


@pytest.fixture
def opened() -> Iterator[Opened]:
    found = Opened()
    yield found
    found.close()


def cells(terminal: Terminal) -> list[tuple[int, int, str, str, str]]:
    """Row, column, character and the two colours as shown, of every cell with something in it.

    A terminal's own text colour and ground are two, whatever they are called.
    """
    out = []
    for y, row in enumerate(terminal.screen.buffer[y] for y in range(terminal.screen.lines)):
        for x in range(terminal.screen.columns):
            cell = row[x]
            front = "own text" if cell.fg == "default" else cell.fg
            behind = "own ground" if cell.bg == "default" else cell.bg
            if cell.data.strip():
                pair = (behind, front) if cell.reverse else (front, behind)
                out.append((y, x, cell.data, *pair))
    return out


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_everything_can_be_read(opened: Opened, kind: str) -> None:
    environ, theme, allowed = KINDS[kind]
    terminal = opened("--theme", theme, **environ)
    found = cells(terminal)
    assert len(found) > 1000
    assert [cell for cell in found if cell[3] == cell[4]] == []
    used = {color for cell in found for color in cell[3:]} - {"own text", "own ground"}
    if allowed is not None:
        assert used <= allowed
    assert bool(used) == (allowed != NO_COLOURS)
    assert terminal.raw.isascii() == (kind == "console")


def test_without_colours_words_sides_and_signs_tell(opened: Opened) -> None:
    terminal = opened(NO_COLOR="1")
    # What is replayed is not taken for the market, nor what is wrong for what is well.
    assert " REPLAY " in terminal.text
    assert "⚠" in terminal.text
    # Sides are told by where bars stand and by arrows and words.
    assert "buy◂▸sell" in terminal.text
    assert "▴ upper" in terminal.text
    # The command that the cursor is on is underlined.
    terminal.send("\x10")
    terminal.wait("30 minutes back")
    terminal.send("greek")
    terminal.wait("Next greek")
    end = time.monotonic() + PATIENCE_S
    while not underlined(terminal) and time.monotonic() < end:
        terminal._read()
    assert "Next greek" in underlined(terminal)


def underlined(terminal: Terminal) -> str:
    """Everything on the screen with a line under it."""
    rows = (terminal.screen.buffer[y] for y in range(terminal.screen.lines))
    columns = range(terminal.screen.columns)
    return "".join(row[x].data for row in rows for x in columns if row[x].underscore)


def test_terminals_without_blocks_get_ascii(opened: Opened) -> None:
    terminal = opened(LC_ALL="C")
    assert terminal.raw.isascii()
    assert "^ upper" in terminal.text
    assert "###" in terminal.text
