"""The same book under every sign view, and whether they agree."""

from __future__ import annotations

import math

from gexterm.reading.model import Reading, View
from gexterm.ui import numbers, words
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, ends, fit
from gexterm.ui.widgets.topline import gamma_role


def row(view: View, chosen: bool, width: int) -> Line:
    """One view: gamma, flip, paradigm."""
    name = max(8, width - 25)
    return fit(
        (
            Span("▸" if chosen else " ", "lis"),
            Span(words.cut(words.clean(view.view), name - 2), "text" if chosen else "muted", bold=chosen),
            Span(" "),
            Span(f"{view.gamma:<8}", gamma_role(view.gamma)),
            Span(numbers.strike(round(view.flip)) .rjust(7) if math.isfinite(view.flip)
                 else numbers.DASH.rjust(7), "flip" if chosen else "flip~"),
            Span(f" {view.paradigm:>9}", "text" if chosen else "muted"),
        ),
        width,
    )  # fmt: skip


def section(frame: Frame, reading: Reading, width: int, brief: bool) -> list[Line]:
    """Agreement in the title, one row for each view."""
    found = reading.agreement
    if not found.views:
        verdict, role = "", "muted"
    elif found.disagree:
        verdict, role = "disagree on " + ", ".join(found.disagree), "warning"
    else:
        verdict, role = "agree", "good"
    lines = [ends([Span("SIGN VIEWS", "muted", bold=True)], [Span(verdict, role)], width)]
    chosen = reading.positions.view
    if not brief:
        lines += [row(view, view.view == chosen, width) for view in found.views[:6]]
        if reading.positions.warning:
            told = words.wrap("⚠ " + reading.positions.warning, width, 3)
            lines += [(Span(text, "warning"),) for text in told]
    return lines
