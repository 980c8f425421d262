"""Spot over the day between the lines that matter, and where those stand now."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gexterm.reading.model import Reading
from gexterm.ui import numbers
from gexterm.ui.ink import Line, Span, fit
from gexterm.ui.widgets.daychart_axis import Axis, Series, gaps, held, holding
from gexterm.ui.widgets.daychart_plot import (
    DASH,
    DASH_DOT,
    DOT,
    PAIR,
    SOLID,
    Cell,
    Label,
    Layer,
    cells_of,
    level_mask,
    put,
    round_step,
    sample,
    spans,
    spread,
    stroke_mask,
)

F64 = NDArray[np.float64]

NS = 1_000_000_000
LEFT = 8
"""Cells of the prices at the left."""
RIGHT, RIGHT_NARROW = 24, 15
"""Cells of the labels at the right; where it is narrow."""
REACH = 1.5
"""Lines farther from the middle of the day's prices than so many units are told at the edge."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the lines beside spot."""

    name: str
    """Its field, of rows and of `daychart_axis.FIELDS`."""
    glyph: str
    """As on the desk."""
    word: str
    """What it is called."""
    role: str
    """Colour."""
    pattern: str
    """Dash pattern."""
    weight: int
    """Which are told first where there is no room for all."""


KINDS: tuple[Kind, ...] = (
    Kind("lis_upper", "▴", "LIS", "lis", SOLID, 6),
    Kind("lis_lower", "▾", "LIS", "lis", SOLID, 6),
    Kind("flip", "┄", "flip", "flip", DASH, 5),
    Kind("target", "◎", "target", "target", DOT, 4),
    Kind("call_wall", "▪", "call wall", "wall", DASH_DOT, 3),
    Kind("put_wall", "▪", "put wall", "wall", PAIR, 3),
)
"""The lines, the most important first."""


def level_now(reading: Reading, name: str) -> float:
    """Where one of the lines stands now, points."""
    owner = reading.gamma if name in ("flip", "call_wall", "put_wall") else reading.zero_dte
    value: float = getattr(owner, name)
    return value


class SteadyRange:
    """Prices from top to bottom, which stand still while they can.

    What must be seen is always inside. The range grows at once, and is drawn anew when less
    than `SPARE` of it would do.
    """

    SPARE = 0.5

    def __init__(self) -> None:
        self.low, self.high = math.nan, math.nan
        self._key: object = None

    def follow(self, low: float, high: float, key: object) -> tuple[float, float]:
        """The range to show for what must be seen; another `key` begins anew."""
        span = high - low
        step = round_step(span / 8) if span > 0 else max(abs(high) * 1e-4, 1e-9)
        new = math.floor(low / step - 0.2) * step, math.ceil(high / step + 0.2) * step
        fits = self.low <= low and high <= self.high
        small = new[1] - new[0] < self.SPARE * (self.high - self.low)
        if key != self._key or not fits or small:
            self.low, self.high = new
            self._key = key
        return self.low, self.high


def wanted(spots: F64, levels: F64, spot: float, sigma: float) -> tuple[float, float]:
    """From where to where prices have to be shown: every spot, and lines that are near."""
    spots = spots[np.isfinite(spots)]
    low = float(min(spots.min(), spot)) if len(spots) else spot
    high = float(max(spots.max(), spot)) if len(spots) else spot
    usual = min(sigma, 0.008 * spot) if sigma == sigma else 0.0
    unit = max(high - low, 0.0025 * abs(spot), 1.2 * usual)
    middle = 0.5 * (low + high)
    least, most = middle - REACH * unit, middle + REACH * unit
    near = levels[(levels >= least) & (levels <= most)]
    low, high = min(low, middle - 0.4 * unit), max(high, middle + 0.4 * unit)
    if len(near):
        low, high = min(low, float(near.min())), max(high, float(near.max()))
    return low, high


def in_view(found: Series, axis: Axis) -> NDArray[np.bool_]:
    """Which rows lie within the axis, shape (n,)."""
    seen: NDArray[np.bool_] = (found.at >= axis.begin) & (found.at <= axis.end)
    return seen


def price_range(
    steady: SteadyRange, every: Series, book: Series, axis: Axis, reading: Reading, key: object
) -> tuple[float, float]:
    """The prices at the bottom and at the top."""
    now = np.array([level_now(reading, kind.name) for kind in KINDS])
    inside = in_view(book, axis)
    then = [book.of(kind.name)[inside] for kind in KINDS]
    levels = np.concatenate([now, *then])
    spots = every.of("spot")[in_view(every, axis)]
    low, high = wanted(spots, levels[np.isfinite(levels)], reading.spot, reading.zero_dte.sigma)
    return steady.follow(low, high, key)


def spot_extent(every: Series, axis: Axis, now: int, spot: float) -> tuple[F64, F64]:
    """Least and largest spot at every half cell; NaN where none was seen."""
    dots = axis.dots()
    at, spots = every.at, every.of("spot")
    if not len(at) or now - int(at[-1]) <= every.gap:
        at, spots = np.append(at, max(now, int(at[-1]) if len(at) else 0)), np.append(spots, spot)
    least = np.interp(dots, at, spots)
    after = np.searchsorted(at, dots)
    inside = (after > 0) & (after < len(at))
    index = np.where(inside, after, 1)
    if len(at) > 1:
        inside &= at[index] - at[index - 1] <= every.gap
    least[~inside] = np.nan
    most = least.copy()
    place = np.floor((at - axis.begin) / (axis.per_cell / 2)).astype(np.int64)
    fit_in = (place >= 0) & (place < len(dots)) & np.isfinite(spots)
    least[place[fit_in & np.isnan(least[np.clip(place, 0, len(dots) - 1)])]] = np.inf
    most[place[fit_in & np.isnan(most[np.clip(place, 0, len(dots) - 1)])]] = -np.inf
    np.minimum.at(least, place[fit_in], spots[fit_in])
    np.maximum.at(most, place[fit_in], spots[fit_in])
    return least, most


def body(
    every: Series, book: Series, axis: Axis, reading: Reading, low: float, high: float, rows: int
) -> list[list[Cell]]:
    """The chart as cells, without its labels. Shape rows × axis.columns."""
    now = reading.as_of
    least, most = spot_extent(every, axis, now, reading.spot)
    layers = [Layer(stroke_mask(least, most, low, high, rows), "strong")]
    where = holding(book, axis, now)
    for kind in KINDS:
        values = held(book, kind.name, where)
        layers.append(Layer(level_mask(values, low, high, rows, kind.pattern), kind.role))
    layers.append(Layer(_cone(axis, reading, low, high, rows), "faint"))
    cells = cells_of(layers, rows, axis.columns)
    _say_gaps(cells, every, axis)
    return cells


def _cone(
    axis: Axis, reading: Reading, low: float, high: float, rows: int
) -> NDArray[np.bool_]:  # fmt: skip
    """±1σ of spot until settlement, dotted."""
    dots, zero = axis.dots(), reading.zero_dte
    mask = np.zeros((4 * rows, len(dots)), np.bool_)
    left = zero.seconds_left * NS
    if not (left > 0 and zero.sigma > 0):
        return mask
    share = (dots - reading.as_of) / left
    ahead = (share > 0) & (share <= 1) & (np.arange(len(dots)) % 3 == 0)
    for side in (-1, 1):
        values = np.full(len(dots), np.nan)
        values[ahead] = reading.spot + side * zero.sigma * np.sqrt(share[ahead])
        mask |= level_mask(values, low, high, rows)
    return mask


def _say_gaps(cells: list[list[Cell]], every: Series, axis: Axis) -> None:
    """Say in every gap how long it is, where there is room."""
    row = len(cells) - 1
    for begin, end in gaps(every, axis):
        first, last = max(0, axis.cell(begin) + 1), min(axis.columns, axis.cell(end))
        for text in (f"{gap_length(begin, end)} not seen", gap_length(begin, end)):
            if len(text) + 2 <= last - first:
                put(cells[row], first + (last - first - len(text)) // 2, text, "faint")
                break


def gap_length(begin: int, end: int) -> str:
    """`12 min`, `2 h 05`."""
    minutes = max(1, round((end - begin) / NS / 60))
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02}"


def labels(reading: Reading, low: float, high: float, *, brief: bool) -> list[Label]:
    """Spot and its lines as they stand now; what is out of view has an arrow."""
    found = [
        Label(
            reading.spot,
            (Span("● ", "spot"), Span(numbers.price(reading.spot, 9).strip(), "spot", bold=True)),
            9,
        )
    ]
    for kind in KINDS:
        value = level_now(reading, kind.name)
        if not math.isfinite(value):
            continue
        inside = low <= value <= high
        arrow = "▲" if value > high else "▼"
        told = numbers.level(value) if kind.name == "flip" else numbers.strike(round(value, 4))
        word = kind.word.split()[0] if brief else kind.word
        head = () if brief else (Span(sample(kind.pattern, 2) if inside else "  ", kind.role),)
        found.append(
            Label(
                value,
                (
                    *head,
                    Span(f"{kind.glyph if inside else arrow} ", kind.role, bold=True),
                    Span(told, kind.role, bold=inside),
                    Span(f" {word}", "muted"),
                ),
                kind.weight,
            )
        )
    return found


def prices(low: float, high: float, rows: int) -> dict[int, str]:
    """Round prices by row, for the left edge."""
    step = round_step((high - low) / max(2.0, rows / 3))
    out: dict[int, str] = {}
    number = math.ceil(low / step)
    while number * step <= high and len(out) < rows:
        price = number * step
        row = min(rows - 1, max(0, int((high - price) / (high - low) * rows)))
        text = numbers.level(price) if step >= 1 else numbers.strike(round(price, 6))
        out.setdefault(row, text)
        number += 1
    return out


def lines(
    cells: list[list[Cell]],
    axis: Axis,
    reading: Reading,
    low: float,
    high: float,
    right: int,
    cursor: int,
) -> list[Line]:
    """The chart with prices at the left and labels at the right."""
    rows = len(cells)
    brief = right < RIGHT
    told, missing = spread(labels(reading, low, high, brief=brief), low, high, rows)
    scale = prices(low, high, rows)
    now, here = axis.cell(reading.as_of), int((high - reading.spot) / (high - low) * rows)
    out: list[Line] = []
    for y, row in enumerate(cells):
        shown = row
        if y == here and 0 <= now < axis.columns:
            shown = row.copy()
            put(shown, now, "●", "spot")
        edge = told[y].text if y in told else ()
        if y == rows - 1 and missing:
            edge = (*edge, Span(f" +{missing}", "muted"))
        out.append((
            Span(f"{scale.get(y, ''):>{LEFT - 1}} ", "faint"),
            *spans(shown, cursor),
            *fit((Span(" "), *edge), right),
        ))  # fmt: skip
    return out
