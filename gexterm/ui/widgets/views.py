"""The same book under every sign view, and whether they agree."""

from __future__ import annotations

import math

from gexterm.reading.model import Reading, View
from gexterm.ui import numbers, words
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, ends, fit
from gexterm.ui.widgets.topline import gamma_role

SHORT = {"neutral": "near 0", "unknown": numbers.DASH}
"""Gamma states whose own word is too long for a row."""


def row(view: View, chosen: bool, width: int) -> Line:
    """One view: gamma, flip, paradigm."""
    name = words.cut(words.clean(view.view), max(8, width - 23))
    return fit(
        (
            Span("▸" if chosen else " ", "lis"),
            Span(name, "text" if chosen else "muted", bold=chosen),
            Span(" "),
            Span(f"{SHORT.get(view.gamma, view.gamma):<6}", gamma_role(view.gamma)),
            Span(numbers.strike(round(view.flip)) .rjust(6) if math.isfinite(view.flip)
                 else numbers.DASH.rjust(6), "flip" if chosen else "flip~"),
            Span(f" {view.paradigm:>8}", "text" if chosen else "muted"),
        ),
        width,
    )  # fmt: skip


def section(_frame: Frame, reading: Reading, width: int) -> list[list[Line]]:
    """Agreement in the title, one row for each view."""
    found = reading.agreement
    if not found.views:
        verdict, role = "", "muted"
    elif found.disagree:
        told = [words.clean(what) for what in found.disagree]
        verdict = "differ in " + (", ".join(told) if len(told) < 3 else "all three")
        role = "warning"
    else:
        verdict, role = "agree", "good"
    title = ends([Span("SIGN VIEWS", "muted", bold=True)], [Span(verdict, role)], width)
    chosen = reading.positions.view
    rows = [title, *(row(view, view.view == chosen, width) for view in found.views[:6])]
    if not reading.positions.warning:
        return [rows, [title]]
    told = words.wrap("⚠ " + reading.positions.warning, width, 3)
    return [[*rows, *((Span(text, "warning"),) for text in told)], rows, [title]]
