"""The day so far: spot between its lines, which paradigm when, and what may still come."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from gexterm.reading.day import DayRow
from gexterm.ui import numbers, words
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, fit
from gexterm.ui.widgets.braille import Canvas

LABELS = 8
"""Cells of the price labels at the left."""
NS = 1_000_000_000


def kept(frame: Frame) -> Sequence[DayRow]:
    """What is kept of the day under the book shown, oldest first."""
    reading, day = frame.reading, frame.day
    if reading is None or day is None:
        return ()
    return day.rows_of(reading.positions.view, reading.scope)


def _range(samples: Sequence[DayRow], sigma: float) -> tuple[float, float]:
    spots = [s.spot for s in samples]
    low, high = min(spots), max(spots)
    last = samples[-1]
    if math.isfinite(sigma):
        low, high = min(low, last.spot - 1.3 * sigma), max(high, last.spot + 1.3 * sigma)
    for level in (last.lis_lower, last.lis_upper):
        # A line far away would flatten the day; it is told at the ladder's edge.
        if math.isfinite(level) and low - (high - low) < level < high + (high - low):
            low, high = min(low, level), max(high, level)
    pad = 0.04 * (high - low) or 1.0
    return low - pad, high + pad


_last: tuple[tuple[object, ...], list[Line]] = ((), [])


def paint(frame: Frame, width: int, height: int) -> list[Line]:
    """Spot, lines in the sand and flip over time; ±1σ to settlement; paradigms below.

    Drawn anew when a row was added: the picture of one day is kept.
    """
    global _last
    reading, day = frame.reading, frame.day
    book = (reading.positions.view, reading.scope) if reading is not None else ()
    key = (day, day.version if day is not None else 0, book, width, height)
    if _last[0] != key:
        _last = (key, _painted(frame, width, height))
    return _last[1]


def _painted(frame: Frame, width: int, height: int) -> list[Line]:
    reading = frame.reading
    samples = kept(frame)
    title = "─ the day "
    rule: Line = (Span(title, "faint"), Span("─" * max(0, width - len(title)), "line"))
    rows, columns = height - 3, width - LABELS - 2
    if reading is None or not samples or rows < 3 or columns < 20:
        return [rule, (Span(" –", "faint"),)]
    zero = reading.zero_dte
    begin = samples[0].at
    left = zero.seconds_left if math.isfinite(zero.seconds_left) else 0.0
    end = max(samples[-1].at + round(left * NS), begin + 60 * NS)
    low, high = _range(samples, zero.sigma)
    canvas = Canvas(columns, rows)

    def x_of(at: float) -> int:
        return round((2 * columns - 1) * (at - begin) / (end - begin))

    def y_of(price: float) -> int:
        return round((4 * rows - 1) * (high - price) / (high - low))

    for name, role in (("flip", "flip"), ("lis_upper", "lis"), ("lis_lower", "lis")):
        for now, then in zip(samples, [*samples[1:], samples[-1]], strict=True):
            value = getattr(now, name)
            if math.isfinite(value) and low <= value <= high:
                for x in range(x_of(now.at), x_of(then.at) + 1):
                    canvas.dot(x, y_of(value), role, 1)
    before = y_of(samples[0].spot)
    for sample in samples:
        at = y_of(sample.spot)
        canvas.stroke(x_of(sample.at), before, at, "strong", 2)
        before = at
    if left > 0 and math.isfinite(zero.sigma):
        now = samples[-1]
        first = x_of(now.at)
        for x in range(first + 2, 2 * columns, 3):
            share = math.sqrt((x - first) / max(1, 2 * columns - 1 - first))
            for side in (-1, 1):
                canvas.dot(x, y_of(now.spot + side * share * zero.sigma), "faint")
    body = []
    for row, line in enumerate(canvas.lines()):
        price = high - (high - low) * (row + 0.5) / rows
        label = numbers.level(price) if row % 2 == 0 else ""
        body.append((Span(f" {label:>{LABELS - 1}} ", "faint"), *line))
    return [rule, *body, _hours(begin, end, columns), _paradigms(samples, x_of, columns)]


def _hours(begin: int, end: int, columns: int) -> Line:
    """Clock times under the axis, every hour or more."""
    cells = [" "] * columns
    step = 3600 * NS
    while (end - begin) / step * 9 > columns:
        step *= 2
    at = -(-begin // step) * step
    while at <= end:
        place = round((columns - 1) * (at - begin) / (end - begin))
        text = words.clock(at, with_seconds=False)
        if place + len(text) <= columns:
            cells[place : place + len(text)] = text
        at += step
    return (Span(" " * (LABELS + 1)), Span("".join(cells), "faint"))


def _paradigms(samples: Sequence[DayRow], x_of: Callable[[float], int], columns: int) -> Line:
    """Each paradigm's name where it began."""
    spans: list[Span] = [Span(" " * (LABELS + 1))]
    changes = [s for i, s in enumerate(samples) if i == 0 or s.paradigm != samples[i - 1].paradigm]
    for number, sample in enumerate(changes):
        stop = x_of(changes[number + 1].at) // 2 if number + 1 < len(changes) else columns
        room = stop - x_of(sample.at) // 2
        last = number + 1 == len(changes)
        if room > 0:
            spans += fit((Span("▏", "line"), Span(words.clean(sample.paradigm),
                         "text" if last else "muted")), room)  # fmt: skip
    return tuple(spans)
