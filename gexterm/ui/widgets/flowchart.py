"""Hedge flow as it added up over the day, by what made dealers trade; gamma and the tape below."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gexterm.reading.model import HedgeDay, Reading
from gexterm.ui import numbers, words
from gexterm.ui.ink import Line, Span, fit
from gexterm.ui.ink import width as spans_width
from gexterm.ui.widgets.daychart_axis import Axis, Series, held, holding
from gexterm.ui.widgets.daychart_plot import (
    DASH,
    DASH_DOT,
    DOT,
    SOLID,
    Cell,
    Label,
    Layer,
    bar_mask,
    cells_of,
    curve_mask,
    level_mask,
    sample,
    spans,
    spread,
)
from gexterm.ui.widgets.ribbon import BARS
from gexterm.ui.widgets.scale import round_up

F64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Source:
    """One thing that made dealers trade."""

    name: str
    """What it is called."""
    brief: str
    """The same where it is narrow."""
    fields: tuple[str, ...]
    """Fields of `HedgeDay` and of the rows that it sums."""
    role: str
    """Colour."""
    pattern: str
    """Dash pattern."""


ALL = ("by_gamma", "by_vanna", "by_charm")
SOURCES: tuple[Source, ...] = (
    Source("total", "all", ALL, "strong", SOLID),
    Source("gamma", "γ", ("by_gamma",), "long", DASH),
    Source("vanna", "van", ("by_vanna",), "wall", DOT),
    Source("charm", "chm", ("by_charm",), "target", DASH_DOT),
)
"""The whole first, then its parts."""


def of_day(day: HedgeDay, source: Source) -> float:
    """What it made dealers trade so far, $; NaN where a part is not known."""
    return float(sum(getattr(day, name) for name in source.fields))


def flow_range(curves: list[F64], day: HedgeDay) -> tuple[float, float]:
    """From where to where: round numbers, zero included."""
    known = np.concatenate([*curves, np.array([of_day(day, source) for source in SOURCES])])
    known = known[np.isfinite(known)]
    peak = float(np.abs(known).max()) if len(known) else 0.0
    if peak <= 0:
        return -1.0, 1.0
    step = round_up(peak) / 4
    low = math.floor(min(0.0, float(known.min())) / step) * step
    high = math.ceil(max(0.0, float(known.max())) / step) * step
    return (low if low < 0 else -0.5 * step), (high if high > 0 else 0.5 * step)


def flow_cells(
    book: Series, axis: Axis, reading: Reading, rows: int
) -> tuple[list[list[Cell]], float, float]:
    """The chart as cells, and the amounts at its bottom and top, $."""
    where = holding(book, axis, reading.as_of)
    parts = {name: held(book, name, where) for name in ALL}
    curves: list[F64] = [np.sum([parts[n] for n in source.fields], axis=0) for source in SOURCES]
    low, high = flow_range(curves, reading.hedge_day)
    layers = [
        Layer(curve_mask(curve, low, high, rows, source.pattern), source.role)
        for curve, source in zip(curves, SOURCES, strict=True)
    ]
    zero = np.where(np.arange(2 * axis.columns) % 4 < 2, 0.0, np.nan)
    layers.append(Layer(level_mask(zero, low, high, rows), "line"))
    return cells_of(layers, rows, axis.columns), low, high


def flow_lines(
    cells: list[list[Cell]], low: float, high: float, reading: Reading, left: int, right: int,
    cursor: int,
) -> list[Line]:  # fmt: skip
    """The chart with amounts at the left and what each source came to at the right."""
    rows = len(cells)
    brief = right < 20
    found = []
    for source in SOURCES:
        value = of_day(reading.hedge_day, source)
        if not math.isfinite(value):
            continue
        found.append(
            Label(
                value,
                (
                    Span(sample(source.pattern, 2) + " ", source.role),
                    Span(f"{source.brief if brief else source.name:<{3 if brief else 5}} ",
                         source.role, bold=source.name == "total"),
                    Span(numbers.si(value, plus=True), "strong" if source.name == "total" else
                         "text"),
                ),
                9 if source.name == "total" else 1,
            )
        )  # fmt: skip
    told, missing = spread(found, low, high, rows)
    zero = min(rows - 1, max(0, int(high / (high - low) * rows)))
    scale = {rows - 1: low, 0: high, zero: 0.0}
    out: list[Line] = []
    for y, row in enumerate(cells):
        text = "" if y not in scale else (numbers.compact(scale[y], plus=True) or "0")
        edge = told[y].text if y in told else ()
        if y == rows - 1 and missing:
            edge = (*edge, Span(f" +{missing}", "muted"))
        out.append((
            Span(f"{text:>{left - 1}} ", "faint"),
            *spans(row, cursor),
            *fit((Span(" "), *edge), right),
        ))  # fmt: skip
    return out


def flow_title(day: HedgeDay, width: int) -> Line:
    """What is shown, from when, and what was not seen."""
    if not day.since:
        text: list[Span] = [Span("─ hedge flow: not added up yet ", "faint")]
    else:
        since = words.clock(day.since, with_seconds=False)
        text = [Span(f"─ hedged since {since}: dealers should have, $  + bought − sold ", "faint")]
        if day.uncovered_s >= 1.0:
            text.append(
                Span(f" {numbers.seconds(day.uncovered_s).strip()} not seen ", "warning")
            )  # fmt: skip
    used = sum(len(span.text) for span in text)
    return fit((*text, Span("─" * max(0, width - used), "line")), width)


def flow_row(day: HedgeDay, width: int) -> Line:
    """All of it in one row."""
    if not day.since:
        return fit((Span(" hedge flow: not added up yet", "faint"),), width)
    since = words.clock(day.since, with_seconds=False)
    unseen = numbers.seconds(day.uncovered_s).strip()
    tail = [Span(f"  {unseen} unseen", "warning")] if day.uncovered_s >= 1.0 else []
    parts: list[Span] = []
    # Where there is room, padded: a name must not move with the numbers before it.
    for head, gap, wide, least in (
        (f" hedged since {since}", "  ", True, 6),
        (f" hedged since {since}", "  ", True, 0),
        (f" since {since}", " ", False, 0),
    ):
        parts = [Span(head, "faint")]
        for source in SOURCES:
            value = of_day(day, source)
            role = "faint" if not math.isfinite(value) else ("buy" if value > 0 else "sell")
            name = source.name if wide and source.name != "gamma" else source.brief
            parts += [
                Span(f"{gap}{name} ", "muted"),
                Span(numbers.compact(value, plus=True).ljust(least), role,
                     bold=source.name == "total"),
            ]  # fmt: skip
        if spans_width(parts) + spans_width(tail) <= width:
            break
    return fit((*parts, *tail), width)


def gamma_cells(book: Series, axis: Axis, now: int, rows: int) -> tuple[list[list[Cell]], float]:
    """GEX as bars from zero, long up and short down; and what the full height stands for, $."""
    values = held(book, "gex", holding(book, axis, now))
    known = values[np.isfinite(values)]
    peak = float(np.abs(known).max()) if len(known) else 0.0
    limit = round_up(peak) if peak > 0 else 1.0
    up, down = np.where(values >= 0, values, np.nan), np.where(values < 0, values, np.nan)
    layers = [
        Layer(bar_mask(up, -limit, limit, rows), "long"),
        Layer(bar_mask(down, -limit, limit, rows), "short"),
    ]
    return cells_of(layers, rows, axis.columns), limit


def share_cells(book: Series, axis: Axis, now: int) -> list[Cell]:
    """Share signed, as a bar in each cell."""
    values = held(book, "signed_share", holding(book, axis, now))[::2]
    return [
        (BARS[min(7, max(0, math.ceil(8 * v) - 1))], "muted", "")
        if math.isfinite(v)
        else (" ", "text", "")
        for v in values.tolist()
    ]
