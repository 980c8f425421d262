"""The whole book in a few numbers, its gamma along spot, and its expiries."""

from __future__ import annotations

import math

import numpy as np

from gexterm.reading.model import Reading
from gexterm.ui import numbers, words
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, ends, fit
from gexterm.ui.widgets.braille import Canvas

PROFILE_ROWS = 6
"""Rows of the gamma profile."""
PROFILE_SHARE = 0.03
"""How far from spot the profile reaches, as a share of spot."""


def section(_frame: Frame, reading: Reading, width: int) -> list[list[Line]]:
    """Totals over the chosen expiries."""
    book = reading.book

    def row(name: str, value: float, unit: str) -> Line:
        known = math.isfinite(value)
        return ends(
            [Span(name, "muted")],
            [Span(numbers.si(value, plus=True), "text" if known else "faint"),
             Span(f"{unit if known else '':<6}", "muted")],
            width,
        )  # fmt: skip

    def share(name: str, value: float) -> Line:
        text = numbers.fixed(value, 2, 5, plus=True)
        return ends([Span(name, "muted")], [Span(text, "text"), Span(" " * 8)], width)

    lines: list[Line] = [
        ends([Span("BOOK", "muted", bold=True)], [Span("dealers hold", "faint")], width),
        row("delta", book.delta_notional, "$"),
        row("vega", book.vega_per_point, "$/pt"),
        row("vanna", book.vanna_per_point, "$/pt"),
        row("charm after today", book.charm_per_day, "$/day"),
        share("vanna of its largest", book.vanna_stochastic),
        share("vega of its largest", book.vega_depth),
    ]
    return [lines, []]


def profile(_frame: Frame, reading: Reading, width: int) -> list[list[Line]]:
    """The book's gamma along spot, every option priced anew there."""
    gamma, spot = reading.gamma, reading.spot
    near = abs(gamma.profile_spot - spot) <= PROFILE_SHARE * spot
    xs, ys = gamma.profile_spot[near], gamma.profile_gex[near]
    if len(xs) < 3 or not (ys == ys).all():
        return [[]]
    top = float(abs(ys).max()) or 1.0
    canvas = Canvas(width, PROFILE_ROWS)
    zero = 2 * PROFILE_ROWS
    low, high = float(xs[0]), float(xs[-1])
    before = None
    values = np.interp(np.linspace(low, high, 2 * width), xs, ys).tolist()
    for x, value in enumerate(values):
        y = round(zero - (2 * PROFILE_ROWS - 1) * value / top)
        canvas.stroke(x, y if before is None else before, y, "long" if value > 0 else "short", 2)
        canvas.dot(x, zero, "faint")
        before = y
    here = round((2 * width - 1) * (spot - low) / (high - low))
    canvas.stroke(here, 0, 4 * PROFILE_ROWS - 1, "strong", 1)
    if math.isfinite(gamma.flip) and low <= gamma.flip <= high:
        canvas.stroke(
            round((2 * width - 1) * (gamma.flip - low) / (high - low)),
            0, 4 * PROFILE_ROWS - 1, "flip", 1,
        )  # fmt: skip
    title = ends(
        [Span("GAMMA ALONG SPOT", "muted", bold=True)],
        [Span(f"±{numbers.compact(top)}/1%", "faint")],
        width,
    )
    left, middle, right = (numbers.strike(round(v)) for v in (low, spot, high))
    place = max(len(left) + 1, min(here // 2 - len(middle) // 2, width - len(right + middle) - 1))
    labels = ends(
        [Span(left.ljust(place), "faint"), Span(middle, "text")], [Span(right, "faint")], width
    )
    return [[title, *canvas.lines(), labels], []]


def expiries(_frame: Frame, reading: Reading, width: int) -> list[list[Line]]:
    """The nearest expiries: volatility and gamma of each."""
    if not reading.expiries:
        return [[]]
    lines: list[Line] = [
        ends([Span("EXPIRIES", "muted", bold=True)], [Span("ATM vol    GEX/1%", "faint")], width)
    ]
    for line in reading.expiries[:8]:
        chosen = reading.scope in (line.expiry, "all") or line is reading.expiries[0]
        lines.append(
            ends(
                [
                    *fit((Span(words.date(line.expiry), "text" if chosen else "muted"),), 8),
                    Span(f"{words.clean(line.root)} {words.clean(line.settlement)}", "muted"),
                ],
                [
                    Span(numbers.percent(line.atm_iv, 7, 1), "text"),
                    Span("   " + numbers.si(line.gex_per_1pct, plus=True), "text"),
                ],
                width,
            )
        )
    return [lines, lines[:4], []] if len(lines) > 4 else [lines, []]
