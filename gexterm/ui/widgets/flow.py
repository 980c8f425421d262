"""Hedge flow: what dealers have to trade when something moves, and what they had to so far."""

from __future__ import annotations

import math

from gexterm.reading.model import Band, HedgeDay, Reading
from gexterm.ui import numbers, words
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, ends, fit
from gexterm.ui.widgets.certainty import band_span, doubtful, known

NO_BAND = Band()
"""What is known of the error of an assumption."""


def row(
    what: str, dollars: float, width: int, band: Band = NO_BAND, verbs: tuple[str, str] = ("buy",
    "sell"),
) -> Line:  # fmt: skip
    """When something happens, dealers buy or sell so much; how sure that is."""
    tail = [band_span(dollars, band)] if known(band) else []
    if not math.isfinite(dollars):
        return ends(
            [Span(what, "muted")], [Span(numbers.DASH, "faint"), Span("        "), *tail], width
        )
    open_sign = doubtful(band)
    verb, role = (verbs[0], "buy") if dollars > 0 else (verbs[1], "sell")
    if dollars == 0:
        verb, role = "", "muted"
    if open_sign and verb:
        verb, role = f"{verb}?", "muted"
    return ends(
        [Span(what, "muted")],
        [
            *fit((Span(verb, role, bold=not open_sign),), 2 + max(map(len, verbs))),
            Span("$", "faint" if open_sign else "muted"),
            Span(numbers.si(abs(dollars)), "faint" if open_sign else "text"),
            *tail,
        ],
        width,
    )


def so_far(day: HedgeDay, spot: float, width: int) -> list[Line]:
    """What dealers should have traded since the session was first seen, by what made them."""
    parts = (day.by_gamma, day.by_vanna, day.by_charm)
    if not day.since or not any(math.isfinite(part) for part in parts):
        return []
    change = f"spot {numbers.distance(day.spot_change, at=spot).strip()}"
    verbs = ("bought", "sold")
    rows = [
        ends(
            [Span(f"since {words.clock(day.since, with_seconds=False)}", "faint")],
            [Span(change, "text")],
            width,
        ),
        row("on gamma, spot moved", parts[0], width, verbs=verbs),
        row("on vanna, vol moved", parts[1], width, verbs=verbs),
        row("on charm, time passed", parts[2], width, verbs=verbs),
        row("together", sum(parts), width, verbs=verbs),
    ]
    if day.uncovered_s >= 1.0:
        rows.append(
            ends(
                [Span("not seen in between", "warning")],
                [Span(numbers.seconds(day.uncovered_s).strip(), "warning")],
                width,
            )
        )
    return rows


def brief(day: HedgeDay, width: int) -> list[Line]:
    """The same in one row: gamma, vanna, charm."""
    parts = (("γ", day.by_gamma), ("vanna", day.by_vanna), ("charm", day.by_charm))
    if not day.since or not any(math.isfinite(value) for _, value in parts):
        return []
    spans: list[Span] = [Span("so far", "faint")]
    for name, value in parts:
        role = "faint" if not math.isfinite(value) else ("buy" if value > 0 else "sell")
        text = f"{numbers.sign_of(value, plus=True)}{numbers.plus_minus(value)[1:]}"
        spans += [Span(f" {name} ", "muted"), Span(text.ljust(numbers.HALF_WIDTH), role)]
    return [fit(spans, width)]


def section(_frame: Frame, reading: Reading, width: int) -> list[list[Line]]:
    """Up and down 1 %, a vol point, the next hour."""
    flow = reading.hedging
    banded = known(flow.up_band) or known(flow.hour_band)
    note = "dealers have to, 80 %" if banded else "dealers have to"
    wide = width >= 40 or not banded
    title = ends([Span("HEDGE FLOW", "muted", bold=True)], [Span(note, "faint")], width)
    up = row("spot +1 %", flow.per_up_1pct, width, flow.up_band)
    down = row("spot −1 %", flow.per_down_1pct, width, flow.down_band)
    vol = row("volatility +1" if wide else "vol +1", flow.per_vol_point, width, flow.vol_band)
    hour = row("next hour", flow.per_hour, width, flow.hour_band)
    return [[title, up, down, vol, hour], [title, up, vol, hour], [title, up, hour]]


def day_section(_frame: Frame, reading: Reading, width: int) -> list[list[Line]]:
    """The day so far, by what made dealers trade; in one row where there is little room."""
    day = reading.hedge_day
    full = so_far(day, reading.spot, width)
    if not full:
        return [[]]
    title = ends(
        [Span("HEDGED SO FAR", "muted", bold=True)], [Span("dealers should have", "faint")], width
    )
    return [[title, *full], brief(day, width), []]
