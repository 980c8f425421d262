"""Strike by time as cells: colour and shade for sign and size, spot's path across."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gexterm.ui import numbers, words
from gexterm.ui.frame import BY_NAME, Greek
from gexterm.ui.ink import Line, Span, fit
from gexterm.ui.ink import width as cells
from gexterm.ui.palette import EIGHT_BIT, Palette
from gexterm.ui.widgets.bars import HATCH
from gexterm.ui.widgets.heat_grid import GAP, NOTHING, NS, UNKNOWN, Axis

POSITIONS = (
    Greek("position", "position", "", "short", "long", ("short", "long"),
          "contracts that dealers hold, calls and puts together"),
    Greek("position flow", "position_flow", "", "sold", "bought", ("short", "long"),
          "contracts that dealers gained by signed trades, calls and puts together"),
)  # fmt: skip
"""What the map can show besides the greeks, in contracts. Nobody knows who will trade: they have
no outlook."""
COLUMNS: Mapping[str, Greek] = {**BY_NAME, **{each.name: each for each in POSITIONS}}
"""All that the map can show, by name."""

# Each `=` takes a seventh of a colour away: 19, 35, 55, 74 and 100 % of it are left.
SHADES = ("=" * 11, "=" * 7, "=" * 4, "=" * 2, "")
"""Suffixes of a role, the faintest first."""
RULED = "╌"
"""What a cell below zero is ruled with, so that its sign shows without its colour."""
PLUS, LESS = "·░▒▓█", "▁▂▃▅▇"
"""Cells above and below zero where there are few colours or none: dots that thicken, and a level
that rises."""
PLUS_ASCII, LESS_ASCII = ".:+*#", "_-~=%"
"""The same where there is nothing but ASCII."""
UNKNOWN_GLYPHS = ("–", "?")
"""A cell of which nothing is known; in ASCII."""

Cell = tuple[str, str, str]
"""Character, its role, and that of the ground."""


@dataclass(frozen=True, slots=True)
class Looks:
    """What cells look like on a terminal."""

    greek: Greek
    """Whose roles are used."""
    solid: bool
    """Whether there are colours enough for shades of a ground."""
    ascii: bool
    """Whether there is nothing but ASCII."""

    def cell(self, step: int) -> Cell:
        """The look of a step, as of `heat_grid.steps`."""
        if step == UNKNOWN:
            return UNKNOWN_GLYPHS[self.ascii], "faint", ""
        if step == GAP:
            return HATCH, "line", ""
        if step in (0, NOTHING):
            return " ", "text", ""
        role = self.greek.roles[step > 0]
        size = min(len(SHADES), abs(step)) - 1
        if self.solid:
            shade = role + SHADES[size]
            return (" ", "text", shade) if step > 0 else (RULED, "background", shade)
        ramp = (LESS_ASCII, PLUS_ASCII) if self.ascii else (LESS, PLUS)
        return ramp[step > 0][size], role if size > 1 else f"{role}~", ""

    def ramp(self, sign: int) -> list[Span]:
        """All steps of one sign, for the legend."""
        out = []
        for step in range(1, len(SHADES) + 1):
            char, fg, bg = self.cell(sign * step)
            out.append(Span(char, fg, bg))
        return out


def looks_of(palette: Palette, greek: Greek) -> Looks:
    """What a palette allows."""
    solid = palette.terminal is None and palette.depth >= EIGHT_BIT and not palette.ascii
    return Looks(greek, solid, palette.ascii)


def path(spots: Sequence[float], rows_of: Sequence[int], now: int) -> dict[int, dict[int, str]]:
    """Spot's way: by row and column what is drawn there. Straight on, dotted, after now."""
    out: dict[int, dict[int, str]] = {}
    before: int | None = None
    for column, (spot, row) in enumerate(zip(spots, rows_of, strict=True)):
        if column > now:
            break
        if not math.isfinite(spot):
            before = None
            continue
        out.setdefault(row, {})[column] = "━"
        if before is not None and abs(before - row) > 1:
            for between in range(min(before, row) + 1, max(before, row)):
                out.setdefault(between, {})[column] = "┃"
        before = row
    if before is not None:
        for column in range(now + 1, len(spots)):
            out.setdefault(before, {})[column] = "╌"
    return out


def row(
    dark: Sequence[int],
    table: Mapping[int, Cell],
    axis: Axis,
    over: Mapping[int, str],
    cursor: int,
) -> list[Span]:
    """One row of the map: its cells, spot's path over them, the line at now."""
    out: list[Span] = []
    text, look = "", ("", "", False)
    last = axis.now
    edges = axis.edges

    def put(part: str, fg: str, bg: str, bold: bool) -> None:
        nonlocal text, look
        if (fg, bg, bold) == look:
            text += part
            return
        if text:
            out.append(Span(text, look[0], look[1], look[2]))
        text, look = part, (fg, bg, bold)

    for column, step in enumerate(dark):
        char, fg, bg = table[step]
        wide = edges[column + 1] - edges[column]
        if column == cursor and not bg:
            bg = "glow"
        drawn = over.get(column)
        if drawn is None:
            put(char * wide, fg, bg, False)
        else:
            full = drawn if drawn != "┃" else char
            role = "spot" if column <= last else "muted"
            put(drawn, role, bg, column <= last)
            if wide > 1:
                same = full == drawn
                put(full * (wide - 1), role if same else fg, bg, same and column <= last)
        if column == last and column + 1 < axis.count:
            put("│", "strong", "", False)
    out.append(Span(text, look[0], look[1], look[2]))
    return out


def place(axis: Axis, column: int) -> int:
    """The cell at which a column begins; the line at now takes one."""
    return axis.edges[column] + (column > axis.now)


def across(axis: Axis) -> int:
    """Cells of the whole map."""
    return axis.cells + (axis.now + 1 < axis.count)


def times(axis: Axis, cursor: int, width: int) -> Line:
    """Clock times below the map, on the hour or the half; the cursor's, and now's."""
    marks: list[tuple[int, str, str]] = []
    now = words.clock(axis.start(axis.now), with_seconds=False)
    if cursor != axis.now:
        told = words.clock(axis.start(cursor), with_seconds=False)
        marks.append((place(axis, cursor), f"▲{told}", "strong"))
    marks.append((place(axis, axis.now), f"▲{now}", "spot"))
    minutes = next(
        (m for m in (5, 10, 15, 30, 60, 120, 180)
         if m * axis.cells >= 8 * axis.minutes * axis.count), 240,
    )  # fmt: skip
    tick = minutes * 60 * NS
    at = -(-axis.begin // tick) * tick
    while at < axis.start(axis.count):
        marks.append((place(axis, axis.column(at)), words.clock(at, with_seconds=False), "faint"))
        at += tick
    row = [" "] * width
    roles = ["faint"] * width
    for start, text, role in marks:
        start = max(0, min(start, width - len(text)))
        if all(char == " " for char in row[max(0, start - 1) : start + len(text) + 1]):
            row[start : start + len(text)] = text
            roles[start : start + len(text)] = [role] * len(text)
    out: list[Span] = []
    for char, role in zip(row, roles, strict=True):
        if out and out[-1].fg == role:
            out[-1] = out[-1]._replace(text=out[-1].text + char)
        else:
            out.append(Span(char, role))
    return tuple(out)


def first_fitting(texts: Sequence[str], room: int) -> str:
    """The first text that fits, or nothing."""
    return next((text for text in texts if len(text) <= room), "")


def halves(axis: Axis, begin: str, since: str, ahead: Sequence[str], width: int) -> Line:
    """What stands left and right of now. `since`: from when this book is known, if later."""
    past = axis.edges[axis.now + 1]
    own = f"this view since {since}" if since else ""
    told = (
        (f"the day since {begin}, {own}", own, f"view since {since}")
        if own
        else (f"the day so far, since {begin}", "the day so far", "so far")
    )
    left = first_fitting(told, past - 1)
    if own and not left:
        # That half of the past is missing must be said, wherever there is room.
        ahead = [*(f"◂ {own}; {text}" for text in ahead), f"◂ {own}", f"◂ {since}"]
    spans = [Span(left.ljust(past), "warning" if own else "muted")]
    if axis.now + 1 < axis.count:
        spans += [Span("│", "strong"), Span(first_fitting(ahead, width - past - 1), "muted")]
    return fit(spans, width)


def legend(looks: Looks, full: str, scope: str, detail: Sequence[str], width: int) -> Line:
    """Which exposure, what its colours mean, what the darkest stands for."""
    greek = looks.greek
    unit = " contracts" if greek in POSITIONS else f" ${greek.unit}"
    head = [Span(f" {greek.name}", "strong", bold=True), Span(f" {scope}", "muted")]
    below = [Span("  "), *looks.ramp(-1)[::-1], Span(f" {greek.negative} ", greek.roles[0])]
    above = [Span(f" {greek.positive} ", greek.roles[1]), *looks.ramp(1)]
    scale = [Span("  full ", "faint"), Span(f"{full or numbers.DASH}", "text"), Span(unit, "muted")]
    spans = [*head, *below, Span("0", "faint"), *above, *scale]
    for text in detail:
        if cells(spans) + len(text) + 2 <= width:
            spans.append(Span(f"  {text}", "faint"))
    if cells(spans) > width:
        spans = [head[0], *below, *above, *scale[:2]]
    return fit(spans, width)
