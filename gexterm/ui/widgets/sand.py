"""The lines in the sand: where, how sure, how far; and what became of such a label elsewhere."""

from __future__ import annotations

import math
import re

from gexterm.reading.model import Band, Reading, ZeroDte
from gexterm.ui import numbers, words
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, ends, fit
from gexterm.ui.widgets.certainty import known

BAND_CELLS = 14
"""Cells of a band, the one before it included."""
FEW = 30
"""Observations below which a base rate is called few."""


def level_row(
    glyph: str,
    name: str,
    role: str,
    value: float,
    sigma: float,
    band: Band | None,
    spot: float,
    fresh: bool,
    width: int,
    why: str = "",
) -> Line:
    """A line: where, how sure, and how far in points, per cent and remaining σ.

    `band` is None under a convention: what is assumed has no error of its own. `why` is
    told where there is no line.
    """
    head = [Span(f"{glyph} {name:<6}", role, bold=math.isfinite(value))]
    if not math.isfinite(value):
        maybe = levels_text(band) if band is not None and known(band) else ""
        return fit(
            (
                *head,
                Span(numbers.DASH.rjust(7), "faint"),
                Span(
                    f"  {maybe}".rjust(BAND_CELLS) if maybe else f"   {why}",
                    "muted" if maybe else "faint",
                ),
            ),
            width,
        )
    gap = value - spot
    where = Span(numbers.strike(value).rjust(7), "strong", "glow" if fresh else "", bold=True)
    if band is None:
        return fit(
            (
                *head,
                where,
                Span(numbers.distance(gap, 9, at=spot), "text"),
                Span(numbers.percent(abs(gap) / spot, 7, 2), "muted"),
                Span(numbers.sigmas(sigma, 6), "text"),
            ),
            width,
        )
    return fit(
        (
            *head,
            where,
            Span(levels_text(band).rjust(BAND_CELLS), "text"),
            # With decimals one fewer, so as not to touch the band.
            Span(numbers.gap(gap, 6 if numbers.places(spot) else 7, at=spot).rjust(7), "muted"),
            Span(numbers.sigmas(sigma, 6), "text"),
        ),
        width,
    )


LINES = {
    "BofA": ("upper", "lower"),
    "GEX": ("lower", "target"),
    "Anti-GEX": ("upper", "target"),
    "Sidial": ("target",),
    "Mixed": (),
}
"""Which lines each label has."""


def missing(zero: ZeroDte, name: str) -> str:
    """Why a line is not there: the label has none, or none was found."""
    has = LINES.get(zero.paradigm)
    if has is None:
        return ""
    return "none found" if name in has else f"{zero.paradigm} has none"


def levels_text(band: Band) -> str:
    """A band of points."""
    told = numbers.levels_band(band.low, band.high)
    # It must not touch the level before it.
    return told if len(told) < BAND_CELLS else told.replace(",", "")


def base_rate_rows(zero: ZeroDte, width: int) -> list[Line]:
    """What became of this label at this time of day in a study, beside a placebo.

    It is a record of other days. Nothing is said of a label that has none.
    """
    rate = zero.base_rate
    if zero.paradigm in ("Mixed", "No data"):
        return []
    if rate is None:
        if not math.isfinite(zero.placebo_inside):
            return []
        return [
            ends(
                [Span("placebo: closes inside", "muted")],
                [Span(numbers.percent(zero.placebo_inside, 6), "text")],
                width,
            )
        ]
    few = " (few)" if rate.count < FEW else ""
    when = f", at {words.clean(rate.time)}" if rate.time else ", at any time"
    event = words.cut(words.clean(rate.event), max(8, width - len(when))).rstrip()
    return [
        fit((Span(f"{event}{when}", "muted"),), width),
        ends(
            [
                Span(f"{study(rate.source)} ", "muted"),
                Span(numbers.percent(rate.rate).strip(), "text"),
                Span(f" of {rate.count}{few}", "muted"),
            ],
            [Span("placebo ", "muted"), Span(numbers.percent(rate.placebo).strip(), "text")],
            width,
        ),
    ]


def study(source: str) -> str:
    """`2023 study` of a source that names its year."""
    year = re.search(r"\b(?:19|20)\d\d\b", source)
    return f"{year.group()} study" if year else "study"


def section(frame: Frame, reading: Reading, width: int) -> list[list[Line]]:
    """Upper and lower line, target, and the base rate that any claim has to beat."""
    zero, fresh, spot = reading.zero_dte, frame.fresh, reading.spot
    banded = bool(zero.probability) or any(
        known(band) for band in (zero.lis_upper_band, zero.lis_lower_band, zero.target_band)
    )
    heads = f"{'80 % band':>12}{'pts':>7}{'σ':>6}" if banded else f"{'pts':>7}{'%':>7}{'σ':>6}"

    def row(glyph: str, name: str, role: str, band: Band) -> Line:
        which = "target" if name == "target" else f"lis_{name}"
        value, sigma = getattr(zero, which), getattr(zero, f"{which}_sigma")
        return level_row(
            glyph,
            name,
            role,
            value,
            sigma,
            band if banded else None,
            spot,
            which in fresh,
            width,
            missing(zero, name),
        )

    lines: list[Line] = [
        fit((Span("LINES IN THE SAND", "muted", bold=True), Span(heads, "faint")), width),
        row("▴", "upper", "lis", zero.lis_upper_band),
        row("▾", "lower", "lis", zero.lis_lower_band),
        row("◎", "target", "target", zero.target_band),
    ]
    if not zero.expiry:
        return [[lines[0], (Span("no 0DTE, no lines", "faint"),)], []]
    sigma = ends(
        [Span("1σ left, points", "muted")],
        [Span(numbers.fixed(zero.sigma, max(1, numbers.places(spot)), 7), "text")],
        width,
    )
    rate = base_rate_rows(zero, width)
    # The record of other days is part of the claim: it goes late.
    told = words.wrap(zero.base_rate.source, width, 2) if zero.base_rate and rate else []
    source = [(Span(text, "faint"),) for text in told]
    return [[*lines, sigma, *rate, *source], [*lines, *rate], [*lines, *rate], lines]
