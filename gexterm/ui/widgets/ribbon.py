"""Which paradigm ruled when, how sure it was, when it changed, and what happened."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gexterm.reading.day import Mark
from gexterm.ui import numbers, words
from gexterm.ui.ink import Line, Span, fit
from gexterm.ui.widgets.alerts import GLYPHS
from gexterm.ui.widgets.daychart_axis import Axis, Series
from gexterm.ui.widgets.daychart_plot import Cell, put, spans

LETTERS = {
    "BofA": ("B", "lis"), "GEX": ("G", "buy"), "Anti-GEX": ("A", "sell"), "Sidial": ("S", "short"),
    "Mixed": ("M", "muted"), "No data": ("·", "faint"),
}  # fmt: skip
"""Each paradigm's letter and colour."""
BARS = "▁▂▃▄▅▆▇█"
"""A cell filled from below, in eighths."""
WEIGHT = {"info": 0, "notice": 1, "warning": 2}
"""Of several alerts in one cell the gravest is shown."""


def letter(paradigm: str) -> tuple[str, str]:
    """A paradigm's letter and colour; of a word that is not known its first letter."""
    return LETTERS.get(paradigm, (words.clean(paradigm)[:1] or "·", "muted"))


@dataclass(frozen=True, slots=True)
class Change:
    """A paradigm began."""

    at: int
    """Market time, ns."""
    paradigm: str
    """Which."""


def changes(book: Series, axis: Axis) -> list[Change]:
    """Where paradigms began within the axis, the first one shown included."""
    out: list[Change] = []
    for at, label in zip(book.at.tolist(), book.paradigm, strict=True):
        if at > axis.end:
            break
        if not out or out[-1].paradigm != label:
            out.append(Change(at, label))
    kept = [change for change in out if change.at >= axis.begin]
    before = [change for change in out if change.at < axis.begin]
    return [*([Change(axis.begin, before[-1].paradigm)] if before else []), *kept]


def by_cell(book: Series, axis: Axis, now: int) -> tuple[list[str], list[float]]:
    """Paradigm and its P in every cell; empty and NaN where there is none."""
    labels, chances = [""] * axis.columns, [math.nan] * axis.columns
    if not len(book.at):
        return labels, chances
    starts = axis.begin + (np.arange(axis.columns) * axis.per_cell)
    # What a cell ends with; a label holds until the next row.
    last = np.searchsorted(book.at, starts + axis.per_cell, side="left") - 1
    following = np.append(book.at[1:], max(now, int(book.at[-1])))
    share = book.of("probability")
    for cell, index in enumerate(last.tolist()):
        if index < 0 or starts[cell] > max(now, int(book.at[-1])):
            continue
        at = int(book.at[index])
        if following[index] - at > book.gap and starts[cell] > at:
            continue
        labels[cell], chances[cell] = book.paradigm[index], float(share[index])
    return labels, chances


def ribbon_cells(labels: Sequence[str]) -> list[Cell]:
    """A letter in every cell on its paradigm's ground; the first of a stretch stronger."""
    out: list[Cell] = []
    before = ""
    for label in labels:
        if not label:
            out.append((" ", "text", ""))
        else:
            sign, role = letter(label)
            first = label != before
            out.append((sign, "strong" if first else "text", f"{role}~"))
        before = label
    return out


def chance_cells(labels: Sequence[str], chances: Sequence[float]) -> list[Cell]:
    """P(label) as a bar in every cell."""
    out: list[Cell] = []
    for label, share in zip(labels, chances, strict=True):
        if not label or not math.isfinite(share):
            out.append((" ", "text", ""))
            continue
        height = min(7, max(0, math.ceil(8 * share) - 1))
        out.append((BARS[height], f"{letter(label)[1]}~", ""))
    return out


def change_cells(found: Sequence[Change], axis: Axis) -> tuple[list[Cell], int]:
    """When each paradigm began, where there is room; and how many were left out."""
    row: list[Cell] = [(" ", "text", "")] * axis.columns
    left_out, free = 0, 0
    for number, change in enumerate(found):
        place = max(0, axis.cell(change.at))
        stop = axis.columns
        if number + 1 < len(found):
            stop = min(stop, axis.cell(found[number + 1].at))
        time = words.clock(change.at, with_seconds=False)
        told = next(
            (
                text
                for text in (f"{time} {words.clean(change.paradigm)}", time)
                if place >= free and place + len(text) + 1 <= (stop if text != time else
                                                               axis.columns)
            ),
            "",
        )  # fmt: skip
        if not told:
            left_out += 1
            continue
        put(row, place, "▏", "line")
        put(row, place + 1, told, letter(change.paradigm)[1])
        free = place + len(told) + 2
    return row, left_out


def marked(marks: Sequence[Mark], axis: Axis) -> dict[int, list[Mark]]:
    """Alerts, and changes of the paradigm that lie ahead, by cell."""
    out: dict[int, list[Mark]] = {}
    for mark in marks:
        if axis.begin <= mark.at <= axis.end:
            out.setdefault(min(axis.columns - 1, axis.cell(mark.at)), []).append(mark)
    return out


def mark_cells(found: dict[int, list[Mark]], now: int, columns: int) -> list[Cell]:
    """A glyph for the gravest alert of each cell; what lies ahead of now is dim."""
    row: list[Cell] = [(" ", "text", "")] * columns
    for cell, here in found.items():
        alerts = [mark for mark in here if mark.kind == "alert"]
        ahead = [mark for mark in here if mark.at > now]
        if alerts:
            gravest = max(alerts, key=lambda mark: WEIGHT.get(mark.severity, 0))
            glyph, role = GLYPHS.get(gravest.severity, GLYPHS["info"])
            put(row, cell, glyph, "faint" if gravest.at > now else role)
        elif ahead:
            put(row, cell, "◇", "faint")
    return row


def captioned(caption: str, cells: list[Cell], left: int, right: Line, room: int, cursor: int
              ) -> Line:  # fmt: skip
    """A row of cells between its name and its present value."""
    name = fit((Span(f"{caption:>{left - 1}} ", "faint"),), left)
    return (*name, *spans(cells, cursor), *fit((Span(" "), *right), room))


def now_spans(paradigm: str, share: float) -> Line:
    """The label as it stands, and its P where there is one."""
    _, role = letter(paradigm)
    told = numbers.chance(share).strip() if math.isfinite(share) else ""
    return (Span(words.clean(paradigm), role, bold=True), Span(f" {told}", "text"))
