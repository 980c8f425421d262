"""The day as one picture: prices, paradigms, alerts and hedge flow over one time, and a cursor."""

from __future__ import annotations

import math
from dataclasses import dataclass

from textual.events import Click

from gexterm.reading.day import DayLog, DayRow, Mark
from gexterm.reading.model import Reading
from gexterm.ui import numbers, words
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, cell_len, ends, fit
from gexterm.ui.widgets import captions, daychart, flowchart, ribbon
from gexterm.ui.widgets.alerts import GLYPHS
from gexterm.ui.widgets.daychart_axis import (
    ZOOMS,
    Axis,
    Series,
    axis_of,
    first_seen,
    gaps,
    hours_row,
    series_of,
    whole,
)
from gexterm.ui.widgets.daychart_plot import Cell, put, spans
from gexterm.ui.widgets.painted import Painted

LEFT = daychart.LEFT
NS = 1_000_000_000
WIDE = 110
"""From which width on the labels at the right are in full."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Which rows there are, for a height."""

    chart: int
    """Rows of the prices."""
    chances: bool
    """Whether P of the paradigm has a row."""
    flow: int
    """Rows of the hedge flow; 0: told in one row."""
    gamma: int
    """Rows of gamma; 0: none."""
    share: bool
    """Whether the share signed has a row."""
    readout: int
    """Rows of what is read at the cursor."""


def plan(width: int, height: int) -> Plan:
    """Rows for a size. The prices take what is left over."""
    readout = 1 if height < 17 else 2
    chances = height >= 26
    flow = 0 if height < 24 else (5 if height < 40 else 7 if height < 50 else 8)
    gamma, share = (3, True) if height >= 50 and width >= 150 else (0, False)
    # Header, hours, ribbon, changes, alerts; the flow's title or its one row.
    fixed = 5 + readout + chances + 1 + flow + gamma + bool(gamma) + share
    return Plan(max(0, height - fixed), chances, flow, gamma, share, readout)


@dataclass(frozen=True, eq=False, slots=True)
class _Picture:
    """What stands still until a row is added to the day."""

    axis: Axis
    every: Series
    book: Series
    low: float
    high: float
    prices: list[list[Cell]]
    labels: list[str]
    chances: list[float]
    changes: tuple[list[Cell], int]
    marks: dict[int, list[Mark]]
    flow: tuple[list[list[Cell]], float, float]
    gamma: tuple[list[list[Cell]], float]
    share: list[Cell]


class DayPanel(Painted):
    """Everything over one time axis; a cursor reads it. The picture is drawn when the day grows."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as in every widget
        super().__init__(id=id)
        self.zoom = 0
        """Which of `ZOOMS`."""
        self.cursor = 0
        """Market time under the cursor, ns; 0: there is no cursor."""
        self._steady = daychart.SteadyRange()
        self._key: tuple[object, ...] = ()
        self._picture: _Picture | None = None

    # -- the cursor --------------------------------------------------------------------

    def move(self, cells: int) -> None:
        """Move the cursor; the first time it appears at now. Past the end it goes away."""
        picture, reading = self._picture, self.frame.reading if self.frame else None
        if picture is None or reading is None or self.frame is None:
            return
        axis, last = picture.axis, self._last(self.frame, reading)
        at = self.cursor or min(reading.as_of, axis.end)
        if not self.cursor and cells > 0 and last <= reading.as_of:
            return
        to = round(at + cells * axis.per_cell)
        if to > last + axis.per_cell:
            self.cursor = 0
        else:
            first = int(picture.every.at[0]) if len(picture.every.at) else axis.begin
            self.cursor = max(to, min(first, axis.begin))
        self.repaint()

    def _last(self, frame: Frame, reading: Reading) -> int:
        """How far the cursor goes, ns: of a replay what was recorded or seen ahead, else now."""
        if not frame.replayable:
            return reading.as_of
        ahead = frame.day.marks[-1].at if frame.day is not None and frame.day.marks else 0
        return max(reading.as_of, ahead, frame.info.ends)

    def on_click(self, event: Click) -> None:
        """The cursor to where was clicked."""
        picture, reading = self._picture, self.frame.reading if self.frame else None
        if picture is None or reading is None or self.frame is None:
            return
        cell = event.x - LEFT
        if 0 <= cell < picture.axis.columns:
            at = picture.axis.begins(cell) + round(0.5 * picture.axis.per_cell)
            self.cursor = min(at, self._last(self.frame, reading))
            self.repaint()

    def next_zoom(self) -> None:
        """Another stretch."""
        if self.frame is not None and self.frame.reading is not None:
            self.zoom = self._following(self.frame, self.frame.reading)
        self.repaint()

    def _following(self, frame: Frame, reading: Reading) -> int:
        """The next of `ZOOMS`; those that are no shorter than the day are left out."""
        first = first_seen(frame.day, reading) if frame.day is not None else reading.as_of
        begin, end = whole(frame, reading, first)
        shorter = (n for n in range(self.zoom + 1, len(ZOOMS)) if ZOOMS[n][1] < end - begin)
        return next(shorter, 0)

    def chosen(self) -> int:
        """Where to go: the alert or change under the cursor, else its time; ns, 0 without one."""
        picture = self._picture
        if not self.cursor or picture is None:
            return 0
        here = picture.marks.get(picture.axis.cell(self.cursor), [])
        alerts = [mark for mark in here if mark.kind == "alert"]
        return (alerts or here)[0].at if here else self.cursor

    # -- painting ----------------------------------------------------------------------

    def paint(self, frame: Frame, width: int, height: int) -> list[Line]:
        """The rows of `plan`, top to bottom."""
        reading, day = frame.reading, frame.day
        if reading is None or day is None or not math.isfinite(reading.spot):
            why = "nothing is known yet" if reading is None else "spot is not known"
            return [_rule("the day", width), fit((Span(f" {numbers.DASH} {why}", "faint"),), width)]
        layout = plan(width, height)
        right = daychart.RIGHT if width >= WIDE else daychart.RIGHT_NARROW
        columns = width - LEFT - right
        if layout.chart < 3 or columns < 12:
            return [_rule("the day", width), flowchart.flow_row(reading.hedge_day, width)]
        picture = self._drawn(frame, day, reading, layout, columns)
        axis, zero = picture.axis, reading.zero_dte
        at = axis.cell(self.cursor) if self.cursor else -1
        share = zero.probability.get(zero.paradigm, math.nan)

        def captioned(name: str, cells: list[Cell], edge: Line) -> Line:
            return ribbon.captioned(name, cells, LEFT, edge, right, at)

        out = [self._title(frame, reading, picture, width)]
        out += daychart.lines(picture.prices, axis, reading, picture.low, picture.high, right, at)
        out.append(self._hours(axis, at, right, reading.as_of))
        out.append(captioned("0DTE", ribbon.ribbon_cells(picture.labels),
                             ribbon.now_spans(zero.paradigm, share)))  # fmt: skip
        if layout.chances:
            row = ribbon.chance_cells(picture.labels, picture.chances)
            assumed = not any(map(math.isfinite, picture.chances))
            edge = (Span("assumed, no P" if assumed else "P of the label", "faint"),)
            out.append(captioned("P", row, edge))
        changed, more = picture.changes
        edge = (Span(f"+{more} more not told" if right > 20 else f"+{more} more", "muted"),)
        out.append(captioned("", changed, edge if more else ()))
        out.append(captioned("alerts", ribbon.mark_cells(picture.marks, reading.as_of, columns),
                             _alerts_edge(picture.marks, reading.as_of)))  # fmt: skip
        if layout.flow:
            out.append(flowchart.flow_title(reading.hedge_day, width))
            out += flowchart.flow_lines(*picture.flow, reading, LEFT, right, at)
        else:
            out.append(flowchart.flow_row(reading.hedge_day, width))
        if layout.gamma:
            out.append(_rule("gamma of the scope, $ per 1 %", width))
            out += self._gamma(picture, reading, right, at)
        if layout.share:
            signed = numbers.percent(reading.positions.signed_share, 4).strip()
            out.append(captioned("signed", picture.share, (Span(signed, "text"),)))
        out += self._readout(frame, day, reading, picture, width, layout.readout)
        return out

    def _drawn(
        self, frame: Frame, day: DayLog, reading: Reading, layout: Plan, columns: int
    ) -> _Picture:
        """The picture, drawn anew when now reaches another half cell, or something else changed.

        A row within the same half cell would not show; labels and the point at now are of the
        Reading. What must show at once, a mark or a paradigm, draws it anew as well.
        """
        view, scope = reading.positions.view, reading.scope
        axis = axis_of(frame, reading, first_seen(day, reading), columns, self.zoom, self.cursor)
        begun = day.rows[0].at if day.rows else 0
        half_cell = round(2 * (reading.as_of - axis.begin) / axis.per_cell)
        book_at = (day, begun, len(day.marks), reading.zero_dte.paradigm, view, scope, half_cell)
        steady = (day, view, scope, self.zoom, layout.chart)
        before = self._picture
        if before is not None and self._key[:2] == (book_at, axis):
            every, book = before.every, before.book
        else:
            every, book = series_of(day.rows), series_of(day.rows_of(view, scope))
        low, high = daychart.price_range(self._steady, every, book, axis, reading, steady)
        key = (book_at, axis, layout, low, high)
        if before is not None and self._key == key:
            return before
        now = reading.as_of
        labels, chances = ribbon.by_cell(book, axis, now)
        marks = [m for m in day.marks if m.kind == "alert" or m.at > now]
        found = _Picture(
            axis, every, book, low, high,
            daychart.body(every, book, axis, reading, low, high, layout.chart),
            labels, chances,
            ribbon.change_cells(ribbon.changes(book, axis), axis),
            ribbon.marked(marks, axis),
            flowchart.flow_cells(book, axis, reading, layout.flow) if layout.flow else ([], 0, 0),
            flowchart.gamma_cells(book, axis, now, layout.gamma) if layout.gamma else ([], 0),
            flowchart.share_cells(book, axis, now) if layout.share else [],
        )  # fmt: skip
        self._key, self._picture = key, found
        return found

    def _title(self, frame: Frame, reading: Reading, picture: _Picture, width: int) -> Line:
        """What stretch it is, of which book, and what was not seen."""
        axis = picture.axis
        begin, end = (words.clock(t, with_seconds=False) for t in (axis.begin, axis.end))
        holes = gaps(picture.every, axis)
        text = [
            Span(f"─ {ZOOMS[self.zoom][0]} ", "muted", bold=True),
            Span(f"{begin}–{end} ET  ", "faint"),
            *captions.brief(reading),
            Span(f" · {captions.scope(reading)} ", "muted"),
        ]
        if holes:
            total = sum(min(b, axis.end) - max(a, axis.begin) for a, b in holes)
            many = f" in {len(holes)} gaps" if len(holes) > 1 else ""
            told = f" {daychart.gap_length(0, total)} not seen{many} "
            text.append(Span(told, "warning"))
        keys = frame.keys.get("zoom")
        nearer = ZOOMS[self._following(frame, reading)][0]
        tail = [Span(f" {words.clean(keys[0])} {nearer} ─", "faint")] if keys else []
        used = sum(cell_len(s.text) for s in (*text, *tail))
        if used > width:
            tail, used = [], used - sum(cell_len(s.text) for s in tail)
        first = int(picture.book.at[0]) if len(picture.book.at) else 0
        if first - axis.begin > picture.book.gap:
            since = f" seen since {words.clock(first, with_seconds=False)} "
            if used + len(since) <= width:
                text.append(Span(since, "faint"))
                used += len(since)
        return fit((*text, Span("─" * max(0, width - used), "line"), *tail), width)

    def _hours(self, axis: Axis, at: int, right: int, now: int) -> Line:
        """Clock times; the cursor's own on top of them."""
        text = words.clock(self.cursor, with_seconds=False)
        shown = 0 <= at < axis.columns
        place = min(at, axis.columns - len(text))
        hours = hours_row(axis, (place, place + len(text) + 1) if shown else (0, 0))
        row: list[Cell] = [(char, "faint", "") for char in hours.text]
        if shown:
            put(row, place, text, "strong", "glow")
        edge = (Span(f" {words.clock(now)}", "muted"),)
        return (Span(" " * LEFT), *spans(row), *fit(edge, right))

    def _gamma(self, picture: _Picture, reading: Reading, right: int, at: int) -> list[Line]:
        cells, limit = picture.gamma
        value = reading.gamma.gex_per_1pct
        names = {0: f"+{numbers.compact(limit)}", 1: "GEX", len(cells) - 1:
                 f"{numbers.MINUS}{numbers.compact(limit)}"}  # fmt: skip
        edges: dict[int, Line] = {
            0: (Span("long above", "faint"),),
            1: (Span(f"{numbers.compact(value, plus=True)}/1%", "text"),),
            2: (Span("short below", "faint"),),
        }
        return [
            ribbon.captioned(names.get(y, ""), row, LEFT, edges.get(y, ()), right, at)
            for y, row in enumerate(cells)
        ]

    # -- the read-out ------------------------------------------------------------------

    def _readout(
        self, frame: Frame, day: DayLog, reading: Reading, picture: _Picture, width: int, rows: int
    ) -> list[Line]:
        """What was known at the cursor; without one, how to get it and the last alert."""
        if not self.cursor:
            hint = "← → or a click reads a moment, Enter goes there"
            last = frame.alerts[-1] if frame.alerts else None
            first = fit((Span(f" {words.cut(hint, width - 1).rstrip()}", "faint"),), width)
            if rows < 2:
                return [first]
            if last is None:
                return [first, fit((Span(" no alert so far", "faint"),), width)]
            return [first, _alert_row(last.at, last.severity, last.text, 0, width)]
        at = self.cursor
        row = row_at(day, reading, at, picture.book.gap)
        lines = [read_row(row, at, reading.as_of, width)]
        here = picture.marks.get(picture.axis.cell(at), [])
        if rows > 1 or (here and row is None):
            if here:
                told = [m for m in here if m.kind == "alert"] or here
                lines.append(
                    _alert_row(told[0].at, told[0].severity, told[0].text, len(here) - 1, width)
                )
            else:
                lines.append(flow_then(row, width))
        return lines[-rows:]


def row_at(day: DayLog, reading: Reading, at: int, gap: int) -> DayRow | None:
    """What was known at a moment under the book shown; None in a gap and after now."""
    if at > reading.as_of + gap:
        return None
    rows = day.rows_of(reading.positions.view, reading.scope)
    before = next((row for row in reversed(rows) if row.at <= at), None)
    return before if before is not None and at - before.at <= gap else None


def read_row(row: DayRow | None, at: int, now: int, width: int) -> Line:
    """Time, spot, paradigm and lines at the cursor."""
    time = Span(f" {words.clock(at)} ", "strong", "glow", bold=True)
    if row is None:
        why = "not seen yet" if at > now else "no Reading under this view and scope"
        return fit((time, Span(f"  {numbers.DASH} {why}", "faint")), width)
    share = numbers.chance(row.probability).strip() if math.isfinite(row.probability) else ""
    out = [
        time,
        Span(f" {numbers.price(row.spot, 9).strip()}", "spot", bold=True),
        Span(f"  {words.clean(row.paradigm)}", ribbon.letter(row.paradigm)[1], bold=True),
        Span(f" {share}", "text"),
    ]
    wide = width >= WIDE
    for glyph, word, role, value in (
        ("▾", " LIS", "lis", row.lis_lower),
        ("▴", " LIS", "lis", row.lis_upper),
        ("◎", " target", "target", row.target),
        ("┄", " flip", "flip", row.flip),
        ("▪", " call", "wall", row.call_wall),
        ("▪", " put", "wall", row.put_wall),
    ):
        if not wide and word in (" call", " put"):
            continue
        told = numbers.level(value) if word == " flip" else numbers.strike(round(value, 4))
        text = told if math.isfinite(value) else numbers.DASH
        out += [Span(f"  {glyph} ", role), Span(text, "text"), Span(word if wide else "", "muted")]
    return fit(out, width)


def flow_then(row: DayRow | None, width: int) -> Line:
    """Hedge flow until the cursor, gamma and the share signed then."""
    if row is None:
        return fit((), width)
    parts = (("γ", row.by_gamma), ("vanna", row.by_vanna), ("charm", row.by_charm))
    total = sum(value for _, value in parts)
    signed = numbers.percent(row.signed_share, 4).strip()
    out: list[Span] = [
        Span(" hedged " if width < WIDE else " hedged until then ", "faint"),
        Span(numbers.compact(total, plus=True), "text", bold=True),
    ]
    for name, value in parts:
        out += [Span(f"  {name} ", "muted"), Span(numbers.compact(value, plus=True), "text")]
    out += [Span("  GEX ", "muted"), Span(f"{numbers.compact(row.gex, plus=True)}/1%", "text")]
    tail = [Span("  signed ", "muted"), Span(signed, "text")]
    used = sum(cell_len(span.text) for span in (*out, *tail))
    return fit(out if used > width else (*out, *tail), width)


def _alert_row(at: int, severity: str, text: str, more: int, width: int) -> Line:
    glyph, role = GLYPHS.get(severity, GLYPHS["info"])
    tail = [Span(f" +{more} more", "muted")] if more > 0 else []
    head = [Span(f" {words.clock(at)} ", "muted"), Span(f"{glyph} ", role, bold=True)]
    return ends([*head, Span(words.clean(text), "text")], tail, width)


def _alerts_edge(marks: dict[int, list[Mark]], now: int) -> Line:
    """How many there are, and that some have only been seen before."""
    alerts = [mark for here in marks.values() for mark in here if mark.kind == "alert"]
    ahead = sum(mark.at > now for here in marks.values() for mark in here)
    told = str(len(alerts)) if alerts else "none"
    return (
        Span(told, "muted" if alerts else "faint"),
        Span(f", {ahead} ahead" if ahead else "", "faint"),
    )


def _rule(title: str, width: int) -> Line:
    text = f"─ {title} "
    return fit((Span(text, "faint"), Span("─" * max(0, width - len(text)), "line")), width)
