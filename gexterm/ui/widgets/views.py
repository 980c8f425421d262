"""The same book under every sign view, and where the others differ from the chosen one."""

from __future__ import annotations

import math

from gexterm.reading.model import Agreement, Reading, View
from gexterm.ui import numbers, words
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, ends, fit
from gexterm.ui.widgets.topline import gamma_role

SHORT = {"neutral": "near0", "unknown": numbers.DASH}
"""Gamma states whose own word is too long for a row."""
FIXED = 32
"""Cells of a row besides the name."""
BRIEF = {"customer-flow": "customer", "squeezemetrics": "squeeze", "short-both": "short both",
         "long-both": "long both"}  # fmt: skip
"""Names of views where there is little room."""
DIFFERS = "≠"
"""Stands before what differs from the chosen view."""
FLIP_CELLS = 6
"""Cells of a flip."""
FLIP_SHARE = 0.0025
"""Share of spot by which flips differ; the Reading's own verdict stands in the title."""
SURE = 0.9
"""P below which the sign of gamma is dim: its 80 % band contains zero."""


def differences(view: View, chosen: View, spot: float) -> tuple[bool, bool, bool]:
    """Whether gamma, flip and paradigm are others than under the chosen view."""
    both = "unknown" not in (view.gamma, chosen.gamma)
    if math.isnan(view.flip) or math.isnan(chosen.flip):
        flip = math.isnan(view.flip) != math.isnan(chosen.flip)
    else:
        flip = abs(view.flip - chosen.flip) > FLIP_SHARE * spot
    return both and view.gamma != chosen.gamma, both and flip, view.paradigm != chosen.paradigm


def _mark(differs: bool) -> Span:
    return Span(DIFFERS if differs else " ", "warning")


def row(view: View, chosen: View | None, spot: float, width: int, *, briefly: bool = False) -> Line:
    """One view: gamma and P of that sign, flip, paradigm and its P."""
    is_chosen = chosen is view
    gamma, flip, label = (
        (False, False, False) if chosen is None or is_chosen else differences(view, chosen, spot)
    )
    word = SHORT.get(view.gamma, view.gamma)
    p_short = view.probability_short
    p_sign = 1.0 - p_short if view.gamma == "long" else p_short  # NaN: an assumption
    name = BRIEF.get(view.view, view.view) if briefly else view.view
    room = max(6, width - FIXED)
    where = numbers.level(view.flip)
    if len(where) > FLIP_CELLS:  # a figure that is cut off would be another number
        where = where.replace(",", "")
    if len(where) > FLIP_CELLS:
        where = numbers.compact(view.flip)
    return fit(
        (
            Span("▸" if is_chosen else " ", "lis"),
            Span(words.cut(words.clean(name), room), "text" if is_chosen else "muted",
                 bold=is_chosen),
            _mark(gamma),
            Span(f"{word:<6}", "muted" if p_sign < SURE else gamma_role(view.gamma)),
            Span(numbers.chance(p_sign) if math.isfinite(p_sign) else "    ", "muted"),
            Span(" " * (FLIP_CELLS - len(where)) if flip else ""),
            _mark(flip),
            Span(where if flip else where.rjust(FLIP_CELLS), "flip" if is_chosen else "flip~"),
            _mark(label),
            Span(f"{view.paradigm:<8}", "text" if is_chosen else "muted"),
            Span(numbers.chance(view.probability) if math.isfinite(view.probability) else "    ",
                 "muted"),
        ),
        width,
    )  # fmt: skip


def verdict(found: Agreement) -> Span:
    """Whether they agree, in a few words."""
    if not found.views:
        return Span("not known", "faint")
    if not found.disagree:
        return Span("agree", "good")
    told = [words.clean(what) for what in found.disagree]
    return Span("differ in " + (", ".join(told) if len(told) < 3 else "all three"), "warning")


def section(_frame: Frame, reading: Reading, width: int) -> list[list[Line]]:
    """Agreement in the title, one row for each view."""
    found = reading.agreement
    title = ends([Span("SIGN VIEWS", "muted", bold=True)], [verdict(found)], width)
    chosen = next((view for view in found.views if view.view == reading.positions.view), None)
    briefly = any(len(view.view) > width - FIXED for view in found.views)
    rows = [
        title,
        *(row(view, chosen, reading.spot, width, briefly=briefly) for view in found.views[:8]),
    ]
    if not reading.positions.warning:
        return [rows, rows, rows, [title]]
    told = words.wrap("⚠ " + reading.positions.warning, width, 3)
    return [[*rows, *((Span(text, "warning"),) for text in told)], rows, rows, [title]]
