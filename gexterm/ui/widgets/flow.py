"""Hedge flow: what dealers have to trade when something moves."""

from __future__ import annotations

import math

from gexterm.reading.model import Reading
from gexterm.ui import numbers
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, ends, fit


def row(what: str, dollars: float, width: int) -> Line:
    """When something happens, dealers buy or sell so much."""
    if not math.isfinite(dollars):
        return ends([Span(what, "muted")], [Span(numbers.DASH, "faint"), Span("        ")], width)
    verb, role = ("buy", "buy") if dollars > 0 else ("sell", "sell")
    if dollars == 0:
        verb, role = "", "muted"
    return ends(
        [Span(what, "muted")],
        [
            *fit((Span(verb, role, bold=True),), 5),
            Span("$", "muted"),
            Span(numbers.si(abs(dollars))),
        ],
        width,
    )


def section(_frame: Frame, reading: Reading, width: int) -> list[list[Line]]:
    """Up and down 1 %, a vol point, the next hour."""
    flow = reading.hedging
    lines = [
        ends([Span("HEDGE FLOW", "muted", bold=True)], [Span("dealers have to", "faint")], width),
        row("spot +1 %", flow.per_up_1pct, width),
        row("spot −1 %", flow.per_down_1pct, width),
        row("volatility +1 point", flow.per_vol_point, width),
        row("next hour, spot unmoved", flow.per_hour, width),
    ]
    return [lines, [*lines[:3], lines[4]], lines[:3]]
