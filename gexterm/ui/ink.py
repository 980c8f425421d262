"""Text with a meaning instead of a colour.

Widgets say what a piece of text *is* (`spot`, `buy`, `muted`); the theme says how
that looks. A line is a tuple of spans, so two frames can be compared row by row
and only the rows that changed are painted anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from rich.cells import cell_len as _cell_len
from rich.cells import set_cell_size

cell_len = lru_cache(maxsize=16384)(_cell_len)
"""Cells that a text takes; remembered, since the same few thousand texts come again."""


class Span(NamedTuple):
    """Text and what it is."""

    text: str
    """The characters, free of control codes."""
    fg: str = "text"
    """Role of the text, as in a theme's `[colors]`; `role~` is the same, faded."""
    bg: str = ""
    """Role of the cell behind; empty: the widget's own background."""
    bold: bool = False
    """Bold face."""
    underline: bool = False
    """With a line under it."""


Line = tuple[Span, ...]
"""One row of the screen, left to right."""


def width(spans: Iterable[Span]) -> int:
    """Cells that the spans take."""
    return sum([cell_len(span.text) for span in spans])


def fit(spans: Sequence[Span], cells: int) -> Line:
    """Exactly `cells` wide: filled with blanks at the right, or cut."""
    total = sum([cell_len(span.text) for span in spans])
    if total == cells:
        return tuple(spans)
    if total < cells:
        return (*spans, Span(" " * (cells - total)))
    out: list[Span] = []
    left = cells
    for span in spans:
        if left <= 0:
            break
        taken = cell_len(span.text)
        if taken > left:
            span = span._replace(text=set_cell_size(span.text, left))
            taken = left
        out.append(span)
        left -= taken
    return tuple(out)


def ends(left: Sequence[Span], right: Sequence[Span], cells: int) -> Line:
    """Something at either end of a row; the left end gives way."""
    room = cells - width(right)
    if room <= 0:
        return fit(right, cells)
    return (*fit(left, room), *right)


def plain(line: Iterable[Span]) -> str:
    """The characters alone."""
    return "".join(span.text for span in line)
