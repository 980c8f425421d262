"""The screen as plain text runs: what is handed to a snapshot.

The user interface fills it from its own styles; nothing here knows a terminal.
A picture is a grid of cells, `width` × `height`. Each row is a tuple of runs, left
to right, that should come to `width` cells; what lacks is background, what stands
over is cut.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring cells of one style."""

    text: str
    """The characters; each takes its terminal width (0, 1 or 2 cells)."""
    fg: str
    """Text colour, `#rrggbb`."""
    bg: str
    """Cell colour, `#rrggbb`."""
    bold: bool = False
    """Bold face."""
    italic: bool = False
    """Slanted."""
    underline: bool = False
    """With a line under it."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A screen of text, cell by cell."""

    width: int
    """Columns."""
    height: int
    """Rows."""
    rows: tuple[tuple[Run, ...], ...]
    """The runs of each row, top to bottom."""
    background: str = "#101418"
    """Colour of cells that no run covers, `#rrggbb`."""
    foreground: str = "#d0d4d8"
    """Colour of the title, `#rrggbb`."""
