"""The heat map: strike by time, the day so far and what becomes of it if nothing changes."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

from gexterm.reading.day import DayLog, DayRow, Slice
from gexterm.reading.inquiry import Outlook
from gexterm.reading.model import Reading
from gexterm.ui import numbers, words
from gexterm.ui.frame import Frame, Greek
from gexterm.ui.ink import Line, Span, ends, fit
from gexterm.ui.ink import width as cells
from gexterm.ui.widgets import captions, heat
from gexterm.ui.widgets.heat_grid import (
    F64,
    GAP,
    MINUTE_NS,
    NOTHING,
    NS,
    UNKNOWN,
    Axis,
    Buckets,
    Grid,
    Rows,
    axis,
    build,
    peak,
    per_row,
    spacing,
    steps,
)
from gexterm.ui.widgets.levels import Level, edge, levels, mark
from gexterm.ui.widgets.painted import Painted
from gexterm.ui.widgets.scale import Scale

ZOOMS = (("all day", 0, 0), ("last 2 h", 120, 60), ("last 30 min", 30, 15))
"""How much time is shown: in words, minutes back (0: the whole day), minutes ahead."""
STEADY_NS = 5 * MINUTE_NS
"""What a stretch that goes with the clock moves by."""
AROUND = 0.008
"""Share of spot that is shown to either side, at least."""
BEYOND = 1.25
"""How much farther than spot's own way of the day the map reaches."""
HEAD, FOOT = 3, 2
"""Rows above and below the map."""
TOLD = 5
"""Largest strikes that the line below tells, at most."""


class HeatChart(Painted):
    """Strike by time. The outlook is handed in (`outlook`); all else comes from the frame."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as in every widget
        super().__init__(id=id)
        self.position: str = ""
        """`position` or `position flow` where one is shown instead of the greek."""
        self.outlook: Outlook | None = None
        """What becomes of the book; None not known."""
        self.why = ""
        """Why there is none."""
        self.zoom = 0
        """Which of `ZOOMS`."""
        self.following = True
        """Whether the rows move along with spot."""
        self.cursor = 0
        """Time that the cursor is on, ns; 0: at now."""
        self._top = 0
        self._step = math.nan
        self._sought: float = math.nan
        self._grid: Grid | None = None
        self._grid_of: tuple[object, ...] = ()
        self._dark: list[list[int]] = []
        self._full = math.nan
        self._book: tuple[object, ...] = ()
        self._scales: dict[str, Scale] = {}
        self._buckets = Buckets()
        self._kept: dict[int, tuple[tuple[object, ...], Line]] = {}
        self._log: tuple[tuple[object, ...], Sequence[Slice], Sequence[DayRow]] = ((), (), ())
        self._left = 8

    # -- what is shown -------------------------------------------------------------------

    def chosen(self, frame: Frame) -> Greek:
        """What the map shows."""
        return heat.COLUMNS.get(self.position or frame.greek, heat.COLUMNS["charm"])

    def next_zoom(self) -> None:
        """Another stretch of time."""
        self.zoom = (self.zoom + 1) % len(ZOOMS)
        self.repaint()

    def scroll_rows(self, rows: int) -> None:
        """Move the rows: positive is towards lower strikes. Stops following spot."""
        if self._grid is None:
            return
        self.following = False
        self._top -= rows
        self.repaint()

    def follow(self) -> None:
        """Back to spot and to now."""
        self.following, self.cursor, self._sought = True, 0, math.nan
        self._step = math.nan
        self.repaint()

    def go_to(self, strike: float) -> None:
        """Bring a strike to the middle, and mark it."""
        if self._grid is None:
            return
        down = self._grid.rows
        self.following, self._sought = False, strike
        self._top = down.index(strike) + down.count // 2
        self.repaint()

    def move_cursor(self, columns: int) -> None:
        """Earlier or later by so many columns."""
        if self._grid is None:
            return
        across = self._grid.axis
        to = max(0, min(across.count - 1, self._cursor(across) + columns))
        self.cursor = 0 if to == across.now else across.start(to)
        self.repaint()

    def cursor_at(self) -> tuple[int, bool] | None:
        """Time that the cursor is on, ns, and whether it has passed; None before a Reading."""
        if self._grid is None:
            return None
        across = self._grid.axis
        column = self._cursor(across)
        book = self._grid.books[column]
        return (book.at if book else across.start(column)), column <= across.now

    def column_at(self, x: int) -> None:
        """Put the cursor on the column under a cell."""
        if self._grid is None:
            return
        across = self._grid.axis
        inside = x - self._left
        inside -= inside >= across.edges[across.now + 1]  # the line at now
        column = bisect_right(across.edges, inside) - 1
        if 0 <= column < across.count and inside >= 0:
            self.cursor = 0 if column == across.now else across.start(column)
            self.repaint()

    def _cursor(self, across: Axis) -> int:
        if not self.cursor:
            return across.now
        return max(0, min(across.count - 1, across.column(self.cursor)))

    # -- layers --------------------------------------------------------------------------

    def _day(
        self, day: DayLog | None, reading: Reading
    ) -> tuple[Sequence[Slice], Sequence[DayRow]]:
        """Books and rows of this view and scope; looked up when the day has gone on."""
        if day is None:
            return (), ()
        view, scope = reading.positions.view, reading.scope
        key = (day, day.version, view, scope)
        if self._log[0] != key:
            self._log = (key, day.slices_of(view, scope), day.rows_of(view, scope))
        return self._log[1], self._log[2]

    def _axis(self, frame: Frame, reading: Reading, cells_: int, *, ahead: bool) -> Axis:
        now = reading.as_of
        _, back, on = ZOOMS[self.zoom]
        left = reading.zero_dte.seconds_left
        end = now + round(left * NS) if math.isfinite(left) and left > 0 else now
        if self.outlook is not None and len(self.outlook.times):
            end = max(end, int(self.outlook.times[-1]))
        end = (end + MINUTE_NS // 2) // MINUTE_NS * MINUTE_NS
        begin = frame.day.slices[0].at if frame.day and frame.day.slices else now
        if back:
            steady = now // STEADY_NS * STEADY_NS
            begin = max(begin // MINUTE_NS * MINUTE_NS, steady - back * MINUTE_NS)
            end = min(end, steady + (on + 5) * MINUTE_NS)
        return axis(min(begin, now), now, end if ahead else now + 1, cells_)

    def _rows(self, reading: Reading, strikes: F64, slices: Sequence[Slice], count: int) -> Rows:
        gap = spacing(strikes, reading.spot)
        if not math.isfinite(gap):
            gap = max(1.0, abs(reading.spot) * 0.001)
        way = [abs(one.spot - reading.spot) for one in slices if math.isfinite(one.spot)]
        reach = max(AROUND * reading.spot, BEYOND * max(way, default=0.0))
        number = per_row(count, gap, reach)
        step = number * gap
        if step != self._step:
            # Rows of another height: what was in the middle stays there.
            middle = (self._top - count / 2) * self._step
            keep = not self.following and math.isfinite(middle)
            self._step = step
            self._top = round((middle if keep else reading.spot) / step + count / 2)
        at = math.floor(reading.spot / step + 0.5)
        if self.following and not 0.3 * count <= self._top - at < 0.7 * count:
            self._top = at + count // 2
        first, last = (math.floor(end / step + 0.5) for end in (strikes[0], strikes[-1]))
        self._top = max(first + min(count, last - first + 1) - 1, min(last, self._top)) \
            if not self.following else self._top  # fmt: skip
        return Rows(step, self._top, count)

    def paint(self, frame: Frame, width: int, height: int) -> Sequence[Line]:
        """Legend, the map, times, and what the cursor is on."""
        reading = frame.reading
        if reading is None:
            self._grid = None
            return captions.waiting(frame, width, height)
        strikes = reading.strikes["strike"].to_numpy() if "strike" in reading.strikes.columns \
            else np.empty(0)  # fmt: skip
        count = height - HEAD - FOOT
        if not len(strikes) or not math.isfinite(reading.spot) or count < 3:
            self._grid = None
            return captions.empty(reading, width)
        greek = self.chosen(frame)
        decimals = max(numbers.strike_decimals(one) for one in (strikes[0], strikes[-1]))
        label = max(6, len(numbers.strike(float(strikes[-1]), 0, decimals)))
        self._left = label + 2
        right = 14 if width >= 100 else 9
        slices, rows = self._day(frame.day, reading)
        positions = greek in heat.POSITIONS
        across = self._axis(frame, reading, width - self._left - right, ahead=not positions)
        down = self._rows(reading, strikes, slices, count)
        outlook = None if positions else self._outlook(reading, greek)
        grid = self._settle(reading, greek, across, down, slices, outlook)
        body = self._body(frame, reading, greek, grid, label, right, width)
        every = levels(reading)
        top, bottom = down.price(0) + 0.5 * down.step, down.price(count - 1) - 0.5 * down.step
        above = [one for one in every if one.value >= top]
        below = [one for one in every if one.value < bottom]
        cursor = self._cursor(across)
        pad = Span(" " * self._left)
        return [
            captions.book(reading, width),
            heat.legend(heat.looks_of(self.palette, greek), self._scale(greek).label,
                        captions.scope(reading), self._detail(down, across, strikes, reading),
                        width),
            fit((pad, *self._halves(frame, reading, across, slices, outlook, positions), Span(" "),
                 *edge(above, right - 1, above=True)), width),
            *body,
            fit((pad, *heat.times(across, cursor, width - self._left - right), Span(" "),
                 *edge(below, right - 1, above=False)), width),
            self._told(reading, greek, grid, rows, outlook, cursor, width),
        ]  # fmt: skip

    def _outlook(self, reading: Reading, greek: Greek) -> Outlook | None:
        """What was answered, if it is of this book."""
        found = self.outlook
        here = (greek.name, reading.positions.view, reading.scope)
        if found is None or (found.greek, found.view, found.scope) != here:
            return None
        return found

    def _scale(self, greek: Greek) -> Scale:
        return self._scales.setdefault(greek.column, Scale())

    def _settle(
        self, reading: Reading, greek: Greek, across: Axis, down: Rows,
        slices: Sequence[Slice], outlook: Outlook | None,
    ) -> Grid:  # fmt: skip
        """The numbers and how dark they are; made anew when a book came or the view moved."""
        book = (reading.underlying, reading.positions.view, reading.scope)
        if book != self._book:
            self._book, self._scales = book, {}
        last = slices[-1] if slices else None
        key = (book, greek.column, across, down, len(slices), last, outlook)
        if self._grid is not None and key == self._grid_of:
            return self._grid
        grid = build(across, down, slices, outlook, greek.column, self._buckets)
        self._scale(greek).follow(peak(grid.values), reading.as_of)
        self._full = self._scale(greek).limit
        self._dark = steps(grid, self._full).tolist()
        self._grid, self._grid_of, self._kept = grid, key, {}
        return grid

    # -- rows ----------------------------------------------------------------------------

    def _body(
        self, frame: Frame, reading: Reading, greek: Greek, grid: Grid, label: int, right: int,
        width: int,
    ) -> list[Line]:  # fmt: skip
        across, down = grid.axis, grid.rows
        looks = heat.looks_of(self.palette, greek)
        table = {step: looks.cell(step) for step in (*range(-5, 6), UNKNOWN, GAP, NOTHING)}
        spots = grid.spots.tolist()
        spots[across.now] = reading.spot
        way = heat.path(spots, [down.row(s) if math.isfinite(s) else -1 for s in spots], across.now)
        here = down.row(reading.spot)
        cursor = self._cursor(across)
        marked = cursor if self.cursor else -1
        marks: dict[int, list[Level]] = {}
        for level in levels(reading):
            marks.setdefault(down.row(level.value), []).append(level)
        sought = down.row(self._sought) if math.isfinite(self._sought) else -1
        room = width - self._left - right
        step = numbers.strike_decimals(down.step)
        out: list[Line] = []
        for number in range(down.count):
            lines = marks.get(number, [])
            over = way.get(number, {})
            spot = numbers.level(reading.spot) if number == here else ""
            key = (
                tuple(over.items()), marked, spot, number == sought, looks, width,
                tuple((one.name, one.glyph) for one in lines), frame.fresh if lines else None,
            )  # fmt: skip
            kept = self._kept.get(number)
            if kept is not None and kept[0] == key:
                out.append(kept[1])
                continue
            if spot:
                head = Span(spot.rjust(label + 1), "background", "spot", bold=True)
            else:
                text = numbers.strike(down.price(number), label + 1, step)
                head = Span(text, "strong" if number == sought else "muted",
                            "glow" if number == sought else "")  # fmt: skip
            cells_ = fit(heat.row(self._dark[number], table, across, over, marked), room)
            line = fit((head, Span(" "), *cells_, Span(" "), *mark(lines, right - 1, frame.fresh)),
                       width)  # fmt: skip
            self._kept[number] = (key, line)
            out.append(line)
        return out

    # -- words ---------------------------------------------------------------------------

    def _detail(self, down: Rows, across: Axis, strikes: F64, reading: Reading) -> list[str]:
        gap = spacing(strikes, reading.spot)
        number = round(down.step / gap) if math.isfinite(gap) else 1
        return [
            *([f"{number} strikes a row"] if number > 1 else []),
            f"{across.minutes} min a column",
            ZOOMS[self.zoom][0],
        ]

    def _halves(
        self, frame: Frame, reading: Reading, across: Axis, slices: Sequence[Slice],
        outlook: Outlook | None, positions: bool,
    ) -> Line:  # fmt: skip
        width = heat.across(across)
        begin = words.clock(across.begin, with_seconds=False)
        since = ""
        first = slices[0].at if slices else 0
        if frame.day and slices and frame.day.slices[0].at < first and across.column(first) > 0:
            since = words.clock(first, with_seconds=False)
        ahead = ["if nothing changes but the clock", "nothing changes but the clock",
                 "only the clock", "ahead"]  # fmt: skip
        if outlook is None and not positions:
            if self.why:
                ahead = [f"not known: {self.why}", "not known"]
            elif frame.inquire is None:
                ahead = ["not known: nobody is there to be asked", "not known"]
            else:
                ahead = ["… if nothing changes but the clock", "…"]
        return heat.halves(across, begin, since, ahead, width)

    def _told(
        self, reading: Reading, greek: Greek, grid: Grid, rows: Sequence[DayRow],
        outlook: Outlook | None, cursor: int, width: int,
    ) -> Line:  # fmt: skip
        """Time, spot and paradigm at the cursor, and the strikes with the largest exposure."""
        across = grid.axis
        book = grid.books[cursor]
        start, end = across.start(cursor), across.start(cursor + 1)
        when = words.clock(book.at if book else start, with_seconds=False)
        out: list[Span] = [Span(f" {when}", "strong", bold=True), Span(" ET  ", "muted")]
        strikes: F64 = np.empty(0)
        values: F64 = np.empty(0)
        if cursor > across.now:
            out.append(Span("if nothing changes  ", "muted"))
            if outlook is not None and len(outlook.times) and start <= outlook.times[-1]:
                at = max(0, bisect_right(outlook.times.tolist(), start + across.step // 2) - 1)
                strikes, values = outlook.strikes, outlook.values[at]
        elif book is None:
            out.append(Span("no Reading of this book then", "muted"))
        else:
            out += [Span(numbers.price(book.spot).strip(), "spot"), Span("  ")]
            at = bisect_right([one.at for one in rows], max(book.at, end - NS)) - 1
            if cursor == across.now:
                at = len(rows) - 1
            if at >= 0:
                share = rows[at].probability
                told = f" {numbers.chance(share).strip()}" if math.isfinite(share) else ""
                out.append(Span(f"{words.clean(rows[at].paradigm)}{told}  ", "text"))
            strikes, values = book.strikes, book.column(greek.column).astype(np.float64)
        known = np.flatnonzero(np.isfinite(values) & (values != 0))
        largest = known[np.argsort(-np.abs(values[known]))][:TOLD]
        if not len(largest):
            if strikes.size:
                out.append(Span("nothing known by strike", "faint"))
            return fit(out, width)
        out.append(Span("largest", "muted"))
        for i in largest:
            value = float(values[i])
            word = greek.positive if value > 0 else greek.negative
            told = f" {numbers.compact(value, plus=True)} {word}"
            one = [
                Span(f"  {numbers.strike(float(strikes[i]))}", "text"),
                Span(told, greek.roles[value > 0]),
            ]
            if cells(out) + cells(one) > width:
                break
            out += one
        return ends(out, [], width)
