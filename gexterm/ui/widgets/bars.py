"""Bars that grow from a centre to both sides, an eighth of a cell at a time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

from gexterm.ui.ink import Span

PARTS = " ▏▎▍▌▋▊▉█"
"""A cell filled from its left edge by 0 to 8 eighths."""
HATCH = "╱"
"""A cell of a bar whose side is not known."""
AXIS = "▏"
"""The zero line: the left edge of the first cell on the right."""
MARKS: tuple[tuple[int, str, str], ...] = (
    (30, "·", "faint"),
    (15, "·", "muted"),
    (5, "•", "muted"),
)
"""Minutes ago, glyph and role, drawn in this order: the latest on top."""


def eighths(value: float, limit: float, half: int) -> int:
    """Length of a bar in eighths of a cell, at most `half` cells; 0 where not known."""
    if not (math.isfinite(value) and math.isfinite(limit)) or limit <= 0:
        return 0
    return min(8 * half, round(8 * half * abs(value) / limit))


def bar(
    value: float,
    limit: float,
    half: int,
    roles: tuple[str, str],
    marks: Mapping[int, float] = {},
    *,
    background: str = "background",
    hatched: bool = False,
) -> tuple[Span, ...]:
    """A bar in `2 * half` cells: negative to the left, positive to the right.

    `limit` is the value of a full side; what is larger is cut there. `marks` gives
    earlier values by minutes ago; one is drawn where it stands at least about half a
    cell away from the bar's tip. The left side of a block can only be cut at its
    left edge, so the tip there is a block in the background's colour on the bar's.
    A `hatched` bar is one whose side is in doubt: whole cells, since its length is no
    more certain than that.
    """
    length = eighths(value, limit, half)
    places = []
    if marks and math.isfinite(value) and math.isfinite(limit):
        for minutes, _, _ in MARKS:
            then = marks.get(minutes, math.nan)
            if math.isfinite(then) and abs(then - value) * half >= 0.6 * limit:
                place = half + math.floor(max(-1.0, min(1.0, then / limit)) * half)
                places.append((minutes, max(0, min(2 * half - 1, place))))
    signed = length if value > 0 else -length
    return _draw(signed, half, roles, tuple(places), background, hatched)


@lru_cache(maxsize=8192)
def _draw(
    length: int,
    half: int,
    roles: tuple[str, str],
    places: tuple[tuple[int, int], ...],
    background: str,
    hatched: bool,
) -> tuple[Span, ...]:
    """A bar of so many eighths, signed. A market moves most bars by less than one."""
    full, rest = divmod(abs(length), 8)
    block = "█"
    if hatched and abs(length) >= 4:
        full, rest, block = round(abs(length) / 8 + 1e-9), 0, HATCH
    cells = [(" ", "text", "")] * (2 * half)
    cells[half] = (AXIS, "line", "")
    if length > 0:
        role = roles[1]
        cells[half : half + full] = [(block, role, "")] * full
        if rest:
            cells[half + full] = (PARTS[rest], role, "")
    elif length:
        role = roles[0]
        cells[half - full : half] = [(block, role, "")] * full
        if rest:
            cells[half - full - 1] = (PARTS[8 - rest], background, role)
    looks = {minutes: (glyph, dimness) for minutes, glyph, dimness in MARKS}
    for minutes, place in places:
        glyph, dimness = looks[minutes]
        char, role, behind = cells[place]
        if char == "█":
            cells[place] = (glyph, background, role)
        elif char in (" ", AXIS) and not behind:
            cells[place] = (glyph, dimness, "")
    return tuple(merge(cells))


def merge(cells: list[tuple[str, str, str]]) -> list[Span]:
    """Neighbouring cells of one look as one span."""
    out: list[Span] = []
    text, look = "", ("", "")
    for char, fg, bg in cells:
        if (fg, bg) == look:
            text += char
            continue
        if text:
            out.append(Span(text, *look))
        text, look = char, (fg, bg)
    out.append(Span(text, *look))
    return out
