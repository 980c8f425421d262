"""The whole book in a few numbers, its gamma along spot, and its expiries."""

from __future__ import annotations

import math

import numpy as np

from gexterm.reading.model import Band, Reading
from gexterm.ui import numbers, words
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, ends, fit
from gexterm.ui.widgets.braille import Canvas
from gexterm.ui.widgets.certainty import amount, doubtful, known

NO_BAND = Band()
"""Nothing known of an error."""

PROFILE_ROWS = 6
"""Rows of the gamma profile."""
PROFILE_SHARE = 0.03
"""How far from spot the profile reaches, as a share of spot."""


def section(_frame: Frame, reading: Reading, width: int) -> list[list[Line]]:
    """Totals over every expiry, near and far apart, with the band of the whole."""
    book = reading.book
    near, far = book.near, book.far
    name = max(12, width - 25)

    def row(what: str, whole: float, parts: tuple[float, float] | None, band: Band) -> Line:
        told = "" if parts is None else "".join(f" {numbers.si(v, plus=True)} " for v in parts)
        role = "faint" if parts and not any(map(math.isfinite, parts)) else "muted"
        return fit((Span(what.ljust(name), "muted"), amount(whole, band), Span(told, role)), width)

    def sure(whole: float, band: Band) -> list[Line]:
        if not known(band):
            return []
        text = numbers.band(whole, band.low, band.high).strip()
        role = "text" if doubtful(band) else "muted"
        return [fit((Span("  80 %".ljust(name - 4), "faint"), Span(text.rjust(11), role)), width)]

    def share(what: str, value: float, what_else: str) -> Line:
        text = numbers.fixed(value, 2, 6, plus=True)
        return fit(
            (Span(what.ljust(name), "muted"), Span(text, "text"), Span(what_else, "faint")), width
        )

    vega = row("vega $/pt", book.vega_per_point, (near.vega_per_point, far.vega_per_point),
               book.vega_band)  # fmt: skip
    vanna = row("vanna $/pt", book.vanna_per_point, (near.vanna_per_point, far.vanna_per_point),
                book.vanna_band)  # fmt: skip
    whole = _add(near.gex_per_1pct, far.gex_per_1pct)
    gamma = row("gamma $/1%", whole, (near.gex_per_1pct, far.gex_per_1pct), NO_BAND)
    title = fit(
        (Span("BOOK".ljust(name), "muted", bold=True), Span("  whole   ≤ 30 d   > 30 d", "faint")),
        width,
    )
    vega_sure, vanna_sure = (
        sure(book.vega_per_point, book.vega_band),
        sure(book.vanna_per_point, book.vanna_band),
    )
    stochastic = share("vanna stoch.", book.vanna_stochastic, "  of its largest")
    lines: list[Line] = [
        title,
        vega, *vega_sure,
        vanna, *vanna_sure,
        gamma,
        row("delta $", book.delta_notional, None, NO_BAND),
        row("charm $/day", book.charm_per_day, None, NO_BAND),
        stochastic,
        share("vega depth", book.vega_depth, "  of its largest"),
    ]  # fmt: skip
    return [lines, [title, vega, *vega_sure, vanna, *vanna_sure, stochastic], []]


def _add(first: float, second: float) -> float:
    known_parts = [part for part in (first, second) if math.isfinite(part)]
    return sum(known_parts) if known_parts else math.nan


def spot_vol(_frame: Frame, reading: Reading, width: int) -> list[list[Line]]:
    """How volatility has moved with spot today, and whether it stands above what that implies."""
    found = reading.spot_vol
    over = found.overvixed
    if not math.isfinite(over):
        verdict = Span("over or under: not known", "faint")
    elif abs(over) < 0.05:
        verdict = Span("as spot implies", "text")
    else:
        verdict = Span(f"{'over' if over > 0 else 'under'}-vixed by {abs(over):.1f} pts", "text")
    title = ends([Span("SPOT AND VOL", "muted", bold=True)], [verdict], width)
    minutes = f"{found.minutes:d} min" if found.minutes else ""
    if math.isfinite(found.beta):
        unsure = abs(found.beta) < 2 * found.beta_se
        beta = ends(
            [Span("beta today, pts per 1 %", "muted")],
            [
                Span(numbers.fixed(found.beta, 2, 6, plus=True), "faint" if unsure else "text"),
                Span(f" ±{numbers.fixed(found.beta_se, 2, 5).strip()}", "text" if unsure else
                     "muted"),
            ],
            width,
        )  # fmt: skip
        rests = f"{minutes}, R² {numbers.fixed(found.r_squared, 2, 4).strip()}"
    else:
        why = f"too few minutes ({found.minutes})" if found.minutes else "no minutes yet"
        beta = ends([Span("beta today", "muted")], [Span(f"{numbers.DASH} {why}", "faint")], width)
        rests = ""
    against = ends(
        [Span(rests, "muted")],
        [Span("measured against ", "faint"),
         Span(numbers.fixed(found.reference, 2, 6, plus=True).strip(), "muted")],
        width,
    )  # fmt: skip
    return [[title, beta, against], [title], []]


def paint(frame: Frame, width: int, height: int) -> list[Line]:
    """The whole book, spot and volatility as a panel of their own, under a thin line."""
    reading = frame.reading
    title = "─ whole book "
    rule: Line = (Span(title, "faint"), Span("─" * max(0, width - len(title)), "line"))
    if reading is None:
        return [rule]
    inner = width - 2
    beside = spot_vol(frame, reading, inner)[0]
    for lines in section(frame, reading, inner)[:2]:
        for gap in (1, 0):
            found = [*lines, *([()] * gap), *beside]
            if len(found) < height:
                return [fit(row, width) for row in (rule, *((Span(" "), *line) for line in found))]
    return [fit(row, width) for row in (rule, *((Span(" "), *line) for line in lines))][:height]


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
    before, band = None, gamma.flip_band
    values = np.interp(np.linspace(low, high, 2 * width), xs, ys).tolist()
    for x, value in enumerate(values):
        y = round(zero - (2 * PROFILE_ROWS - 1) * value / top)
        canvas.stroke(x, y if before is None else before, y, "long" if value > 0 else "short", 2)
        at = low + (high - low) * x / max(1, 2 * width - 1)
        unsure = known(band) and not (at < band.low or at > band.high)
        canvas.dot(x, zero, "flip" if unsure else "faint", 1 if unsure else 0)
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
    left, middle, right = (numbers.level(v) for v in (low, spot, high))
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
