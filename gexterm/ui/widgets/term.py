"""Volatility at the forward by time to expiry, against the morning's."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gexterm.reading.model import Reading
from gexterm.ui import numbers, words
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, cell_len, fit
from gexterm.ui.widgets.daychart_plot import (
    DOT,
    Cell,
    Layer,
    cells_of,
    put,
    round_step,
    spans,
    stroke_mask,
)
from gexterm.ui.widgets.painted import Painted
from gexterm.ui.widgets.regime import inputs

F64 = NDArray[np.float64]

LEFT = 7
"""Cells of the volatilities at the left."""
TICKS = (
    (0, "0"), (1, "1d"), (2, "2"), (7, "1w"), (14, "2w"), (30, "1m"), (60, "2m"), (90, "3m"),
    (180, "6m"), (365, "1y"), (730, "2y"), (1095, "3y"),
)  # fmt: skip
"""Days that the axis tells, and how."""
Points = list[tuple[float, float]]
"""Days and volatility, ascending."""


def points_now(reading: Reading) -> Points:
    """Days to expiry and volatility at the forward, those that are known."""
    return sorted(
        (365.0 * e.years, e.atm_iv)
        for e in reading.expiries
        if math.isfinite(e.atm_iv) and math.isfinite(e.years) and e.years > 0
    )


def points_then(reading: Reading, first: dict[tuple[str, str], float]) -> Points:
    """The same expiries as they were first seen, where they stand today."""
    return sorted(
        (365.0 * e.years, first[e.root, e.expiry])
        for e in reading.expiries
        if (e.root, e.expiry) in first and math.isfinite(e.years) and e.years > 0
    )


def vol_range(values: F64) -> tuple[float, float]:
    """Round volatilities around all of them."""
    low, high = float(values.min()), float(values.max())
    step = round_step(max(high - low, 0.01) / 4)
    return max(0.0, math.floor(low / step) * step), math.ceil(high / step + 1e-9) * step


def extent(points: Points, longest: float, dots: int) -> tuple[F64, F64]:
    """Least and largest volatility at every half cell of a root-time axis, shape (dots,) each.

    NaN outside what is listed. Every point is within its half cell, however many share it.
    """
    x = np.array([math.sqrt(day / longest) * (dots - 1) for day, _ in points])
    at = np.arange(dots, dtype=float)
    found: F64 = np.interp(at, x, [iv for _, iv in points])
    found[(at < math.floor(x[0])) | (at > math.ceil(x[-1]))] = np.nan
    most, place = found.copy(), np.round(x).astype(int)
    for side, keep in ((found, np.fmin), (most, np.fmax)):
        keep.at(side, place, [iv for _, iv in points])
    return found, most


def vol_labels(low: float, high: float, rows: int) -> dict[int, str]:
    """Round volatilities by row."""
    step = round_step((high - low) / max(2.0, rows / 2))
    decimals = next((n for n in (0, 1) if abs(100 * step - round(100 * step, n)) < 1e-9), 2)
    out: dict[int, str] = {}
    number = math.ceil(low / step - 1e-9)
    while number * step <= high + 1e-12:
        row = min(rows - 1, max(0, int((high - number * step) / (high - low) * rows)))
        out.setdefault(row, numbers.percent(number * step, LEFT - 1, decimals))
        number += 1
    return out


def title(reading: Reading, width: int) -> Line:
    """The state of the term structure with its two ratios."""
    regime = reading.regime
    ratios = inputs(reading, ("r_9_30", "r_30_90"))
    text = [
        Span("─ term ", "muted", bold=True),
        Span(f"{words.clean(regime.term)} ", "text", bold=True),
        Span(f"{ratios or 'ratios not known'} ", "muted" if ratios else "faint"),
    ]
    used = sum(cell_len(span.text) for span in text)
    return fit((*text, Span("─" * max(0, width - used), "line")), width)


class TermChart(Painted):
    """Volatility by expiry on a root-time axis, with the chosen expiry marked."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as in every widget
        super().__init__(id=id)
        self.key: tuple[str, str] | None = None
        """Root and date of the chosen expiry."""
        self._kept: tuple[tuple[object, ...], list[Line]] | None = None

    def paint(self, frame: Frame, width: int, height: int) -> list[Line]:
        """Title, chart, days; kept while no volatility moves by what could be seen."""
        reading = frame.reading
        first = frame.day.first_term if frame.day is not None else None
        points = tuple(
            (e.root, e.expiry, f"{e.atm_iv:.4f} {e.years:.5f}")
            for e in (reading.expiries if reading is not None else ())
        )
        told = title(reading, width) if reading is not None else ()
        # Whether it is told against the morning begins a minute after that.
        old = first is not None and reading is not None and reading.as_of - first.at > 60 * 10**9
        key = (points, told, first, old, self.key, width, height)
        if self._kept is None or self._kept[0] != key:
            self._kept = (key, self._made(frame, width, height))
        return self._kept[1]

    def _made(self, frame: Frame, width: int, height: int) -> list[Line]:
        reading = frame.reading
        if reading is None:
            return [fit((Span("─ term ", "faint"), Span("─" * width, "line")), width)]
        first = frame.day.first_term if frame.day is not None else None
        then = first if first is not None and reading.as_of - first.at > 60 * 10**9 else None
        head = title(reading, width)
        now = points_now(reading)
        rows, columns = height - 2, width - LEFT - 1
        if len(now) < 2 or rows < 3 or columns < 12:
            why = "fewer than two expiries have a volatility" if len(now) < 2 else "no room"
            return [head, fit((Span(f" {numbers.DASH} {why}", "faint"),), width)]
        before = points_then(reading, dict(then.atm_iv)) if then else []
        every = np.array([iv for _, iv in (*now, *before)])
        low, high = vol_range(every)
        longest = now[-1][0]
        dots = 2 * columns
        layers = [Layer(stroke_mask(*extent(now, longest, dots), low, high, rows), "strong")]
        if len(before) > 1:
            earlier = stroke_mask(*extent(before, longest, dots), low, high, rows, DOT)
            layers.append(Layer(earlier, "muted"))
        cells = cells_of(layers, rows, columns)
        self._mark(cells, reading, longest, low, high)
        labels = vol_labels(low, high, rows)
        body = [
            fit((Span(f"{labels.get(y, ''):>{LEFT - 1}} ", "faint"), *spans(row)), width)
            for y, row in enumerate(cells)
        ]
        told = f" ⠂⠐ at {words.clock(then.at, with_seconds=False)}" if before and then else ""
        told = told if len(told) < columns // 2 else ""
        days = days_axis(longest, columns, columns - len(told))
        return [head, *body, fit((Span(" " * LEFT), days, Span(told, "muted")), width)]

    def _mark(
        self, cells: list[list[Cell]], reading: Reading, longest: float, low: float, high: float
    ) -> None:
        """The chosen expiry, with its volatility."""
        rows, columns = len(cells), len(cells[0])
        chosen = next((e for e in reading.expiries if (e.root, e.expiry) == self.key), None)
        if chosen is None or not (math.isfinite(chosen.atm_iv) and chosen.years > 0):
            return
        share = math.sqrt(min(1.0, 365.0 * chosen.years / longest))
        x = min(columns - 1, int(share * (columns - 0.5)))
        y = min(rows - 1, max(0, int((high - chosen.atm_iv) / (high - low) * rows)))
        put(cells[y], x, "◆", "lis")
        text = numbers.percent(chosen.atm_iv, 5, 1).strip()
        beside = cells[y - 1 if y else min(1, rows - 1)]
        put(beside, max(0, min(x + 1, columns - len(text))), text, "lis")


def days_axis(longest: float, columns: int, room: int) -> Span:
    """Days under a root-time axis of so many cells, told in the first `room` of them."""
    row = [" "] * room
    free = 0
    for days, text in TICKS:
        x = int(math.sqrt(days / longest) * (columns - 1)) if days <= longest else columns
        if x >= free and x + len(text) + 1 <= room:
            row[x : x + len(text) + 1] = f"╵{text}"
            free = x + len(text) + 2
    return Span("".join(row), "faint")
