"""Time along x: the stretch that the charts of a day share, and what is known of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gexterm.errors import GextermError
from gexterm.market import calendar
from gexterm.market.roots import root_spec
from gexterm.reading.day import DayLog, DayRow
from gexterm.reading.model import Reading
from gexterm.ui import words
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Span

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
Mask = NDArray[np.bool_]

NS = 1_000_000_000
MINUTE = 60 * NS
ZOOMS: tuple[tuple[str, int], ...] = (
    ("day", 0),
    ("last 2 h", 120 * MINUTE),
    ("last 30 min", 30 * MINUTE),
)
"""What is shown, and how long it is, ns; 0: all of it."""
LEAST_GAP_S = 150.0
"""No shorter stretch without a Reading is called a gap, seconds."""
GAP_ROWS = 4.0
"""A gap is as long as so many usual distances between rows."""
FIELDS = (
    "spot", "flip", "lis_lower", "lis_upper", "target", "call_wall", "put_wall", "probability",
    "gex", "by_gamma", "by_vanna", "by_charm", "signed_share",
)  # fmt: skip
"""Numbers of a `DayRow`, in the order of `Series.values`."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A stretch of market time over so many cells."""

    begin: int
    """Left edge, ns."""
    end: int
    """Right edge, ns."""
    columns: int
    """Cells."""

    @property
    def per_cell(self) -> float:
        """Market time of one cell, ns."""
        return (self.end - self.begin) / self.columns

    def cell(self, at: int) -> int:
        """The cell of a moment; those outside lie outside."""
        return math.floor((at - self.begin) / self.per_cell)

    def begins(self, cell: int) -> int:
        """The first moment of a cell, ns."""
        return self.begin + math.ceil(cell * self.per_cell)

    def cells(self, at: I64) -> I32:
        """The cells of moments, shape (n,)."""
        return np.floor((at - self.begin) / self.per_cell).astype(np.int32)

    def dots(self) -> I64:
        """The middle of every half cell, ns, shape (2 · columns,)."""
        half = self.per_cell / 2
        found: I64 = (self.begin + (np.arange(2 * self.columns) + 0.5) * half).astype(np.int64)
        return found


@dataclass(frozen=True, eq=False, slots=True)
class Series:
    """Rows of a day as columns, oldest first."""

    at: I64
    """Market times, ns. Shape (n,)."""
    values: F64
    """Numbers of `FIELDS`; NaN not known. Shape (n, len(FIELDS))."""
    paradigm: tuple[str, ...]
    """0DTE paradigm."""
    gap: int
    """From which distance on two rows have a gap between them, ns."""

    def of(self, name: str) -> F64:
        """One of `FIELDS`, shape (n,)."""
        found: F64 = self.values[:, FIELDS.index(name)]
        return found


def series_of(rows: Sequence[DayRow]) -> Series:
    """Rows as columns."""
    at = np.array([row.at for row in rows], np.int64)
    values = np.array(
        [
            (
                r.spot, r.flip, r.lis_lower, r.lis_upper, r.target, r.call_wall, r.put_wall,
                r.probability, r.gex, r.by_gamma, r.by_vanna, r.by_charm, r.signed_share,
            )
            for r in rows
        ],
        np.float64,
    ).reshape(len(rows), len(FIELDS))  # fmt: skip
    usual = float(np.median(np.diff(at))) if len(at) > 1 else 0.0
    gap = round(max(LEAST_GAP_S * NS, GAP_ROWS * usual))
    return Series(at, values, tuple(row.paradigm for row in rows), gap)


def gaps(found: Series, axis: Axis) -> list[tuple[int, int]]:
    """Stretches within the axis without a Reading: begin and end, ns."""
    wide = np.flatnonzero(np.diff(found.at) > found.gap)
    pairs = [(int(found.at[i]), int(found.at[i + 1])) for i in wide]
    return [(a, b) for a, b in pairs if b > axis.begin and a < axis.end]


def holding(found: Series, axis: Axis, now: int) -> tuple[Mask, NDArray[np.int64]]:
    """Which row holds at every half cell, and whether one does.

    A row holds until the next; not in a gap, nor after now. Shape (2 · columns,) each.
    """
    dots = axis.dots()
    if not len(found.at):
        return np.zeros(len(dots), np.bool_), np.zeros(len(dots), np.int64)
    half = round(axis.per_cell / 2)
    end = max(now, int(found.at[-1]))
    last = np.searchsorted(found.at, dots + half // 2, side="right") - 1
    following = np.append(found.at[1:], end)
    known = (last >= 0) & (dots - half // 2 <= end)
    at = np.where(known, last, 0)
    known &= (following[at] - found.at[at] <= found.gap) | (dots <= found.at[at] + half)
    return known, at


def held(
    found: Series, name: str, where: tuple[Mask, NDArray[np.int64]]
) -> F64:  # fmt: skip
    """A number at every half cell, by the rows that hold there; NaN where none does."""
    known, at = where
    out = np.full(len(known), np.nan)
    out[known] = found.of(name)[at[known]]
    return out


def market_hours(reading: Reading) -> tuple[int, int] | None:
    """Open and close of the Reading's session, ns; None where a market has none, or not today."""
    root = reading.expiries[0].root if reading.expiries else reading.underlying
    try:
        kind = root_spec(root).kind
        date = calendar.et(reading.as_of).date()
        if kind == "crypto" or not calendar.is_session(date):
            return None
        begin = calendar.session_open_ns(date)
        end = calendar.index_close_ns(date) if kind == "index" else calendar.session_close_ns(date)
    except (GextermError, OverflowError, ValueError):
        return None
    # Readings of the night, or of the hours after: there is no telling when those end.
    return (begin, end) if begin - MINUTE <= reading.as_of <= end + 15 * MINUTE else None


def whole(frame: Frame, reading: Reading, first: int) -> tuple[int, int]:
    """The day: by the calendar, by what was recorded of it, or the stretch seen; ns.

    `first`: the first moment seen.
    """
    now, hours = reading.as_of, market_hours(reading)
    info = frame.info
    if frame.replayable and 0 < info.begins < info.ends:
        begin, end = info.begins, info.ends
        if hours is not None:
            begin, end = max(begin, hours[0]), min(end, hours[1])
        if begin < end:
            return min(begin, max(first, info.begins)), max(end, now)
    if hours is not None:
        return min(hours[0], max(first, hours[0] - 30 * MINUTE)), max(hours[1], now)
    span = max(now - first, 30 * MINUTE)
    step = 30 * MINUTE
    return first, first + -(-span // step) * step


def axis_of(
    frame: Frame, reading: Reading, first: int, columns: int, zoom: int, cursor: int = 0
) -> Axis:
    """The stretch to show: the day, or its last hours up to now.

    Nearer, it moves on in steps of a fortieth, so that the picture stands still in between. It
    follows a cursor that has left it.
    """
    begin, end = whole(frame, reading, first)
    length = ZOOMS[zoom][1]
    if length and end - begin > length:
        step = max(MINUTE, length // 40)
        right = -(-(reading.as_of + step) // step) * step
        if cursor and cursor >= right:
            right = cursor + length // 4
        elif cursor and cursor < right - length:
            right = cursor + length * 3 // 4
        right = max(begin + length, min(right, end))
        begin, end = right - length, right
    return Axis(begin, max(end, begin + MINUTE), max(1, columns))


def first_seen(day: DayLog, reading: Reading) -> int:
    """The first moment of this session that was seen, ns."""
    hours = market_hours(reading)
    since = hours[0] - 30 * MINUTE if hours else 0
    return next((row.at for row in day.rows if row.at >= since), reading.as_of)


_STEPS = tuple(m * MINUTE for m in (1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720, 1440))


def hours_row(axis: Axis, but: tuple[int, int] = (0, 0)) -> Span:
    """Clock times along the axis, at round ones; none that reaches into the cells of `but`."""
    cells = [" "] * axis.columns
    step = next((s for s in _STEPS if s / axis.per_cell >= 9), _STEPS[-1])
    at = -(-axis.begin // step) * step
    while at <= axis.end:
        place, text = axis.cell(at), words.clock(at, with_seconds=False)
        after = place + len(text) + 1
        clear = after <= but[0] or place >= but[1]
        if place >= 0 and after <= axis.columns and clear:
            cells[place:after] = f"╵{text}"
        at += step
    return Span("".join(cells), "faint")
