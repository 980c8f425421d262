"""One exposure over spot: a curve, its zeros, where spot is, and the lines that matter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gexterm.reading.inquiry import F64, Curves, Suppose
from gexterm.reading.model import Reading
from gexterm.ui import numbers
from gexterm.ui.frame import BY_NAME, Greek
from gexterm.ui.ink import Line, Span, ends, fit
from gexterm.ui.ink import width as cells
from gexterm.ui.widgets.braille import Canvas
from gexterm.ui.widgets.levels import QUIET, Level

AXIS = 8
"""Cells of the labels at the left."""
LEAST_WIDTH, LEAST_HEIGHT = 24, 5
"""Below this there is no curve, only its value at spot."""
ROOMY = 12
"""Rows from which on a panel tells what its sides mean and names the levels."""
BAND_MOST = 1.5
"""How much of a band an axis shows, at most, as a multiple of the curve's own size."""

SIDES = {
    "gamma": ("sell into rises, buy falls", "buy into rises, sell falls"),
    "charm": ("sell as time passes", "buy as time passes"),
    "vanna": ("sell when vol rises", "buy when vol rises"),
    "vega": ("gain when vol rises", "lose when vol rises"),
    "delta": ("are long before hedges", "are short before hedges"),
}
"""What dealers do, or are, above zero and below it."""

_ZERO, _BAND, _WAS, _NOW, _SPOT = 1, 0, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Window:
    """The stretch of spots that is drawn."""

    low: float
    """Points."""
    high: float
    """Points."""

    def dot(self, spot: float, columns: int) -> int:
        """Column of dots of a spot on so many cells; may lie outside."""
        if not math.isfinite(spot):
            return -1
        return round((2 * columns - 1) * (spot - self.low) / (self.high - self.low))

    def spot(self, cell: float, columns: int) -> float:
        """The spot at the middle of a cell."""
        return self.low + (self.high - self.low) * (2 * cell + 0.5) / (2 * columns - 1)


@dataclass(frozen=True, eq=False, slots=True)
class Drawn:
    """What one panel is made of, besides its size."""

    greek: str
    """One of `inquiry.GREEKS`."""
    today: Curves
    """Under the market as it is."""
    then: Curves | None
    """Under the supposition; None where that is the same."""
    window: Window
    """Which spots."""
    limits: tuple[float, float]
    """The lowest and the highest value on the axis."""
    spot: float
    """Spot now, points."""
    supposed: float
    """Spot supposed, points; NaN none."""
    levels: tuple[Level, ...] = ()
    """Lines that matter, the most important first."""
    old: bool = False
    """Whether another answer is on its way."""


def from_reading(reading: Reading) -> Curves | None:
    """The gamma profile of the Reading itself: all there is until curves are known."""
    gamma = reading.gamma
    if len(gamma.profile_spot) < 2:
        return None
    return Curves(
        reading.as_of, reading.positions.view, reading.scope, Suppose(), reading.spot,
        gamma.profile_spot, {"gamma": gamma.profile_gex},
        {"gamma": tuple(crossing.spot for crossing in gamma.flips)},
    )  # fmt: skip


def at(curves: Curves | None, greek: str, spot: float) -> float:
    """A curve's value at a spot; NaN off the grid."""
    if curves is None or greek not in curves.values or not math.isfinite(spot):
        return math.nan
    found = np.interp(spot, curves.spots, curves.values[greek], math.nan, math.nan)
    return float(found)


def peaks(curves: Sequence[Curves | None], greek: str, window: Window) -> tuple[float, float]:
    """The size of the lowest and of the highest value within a window.

    Of a band as much as leaves the curve its share of the height: `BAND_MOST` times it.
    """
    low = high = band_low = band_high = 0.0
    for each in curves:
        if each is None or greek not in each.values:
            continue
        inside = (each.spots >= window.low) & (each.spots <= window.high)
        edges = [at(each, greek, end) for end in (window.low, window.high)]
        known = np.concatenate([each.values[greek][inside], np.array(edges)])
        known = known[np.isfinite(known)]
        if known.size:
            low, high = min(low, float(known.min())), max(high, float(known.max()))
        for line in each.band.get(greek, ()):
            ends = line[inside & np.isfinite(line)]
            if ends.size:
                band_low = min(band_low, float(ends.min()))
                band_high = max(band_high, float(ends.max()))
    most = BAND_MOST * max(-low, high) or math.inf
    return max(-low, min(-band_low, most)), max(high, min(band_high, most))


def _ys(values: F64, rows: int, limits: tuple[float, float]) -> F64:
    low, high = limits
    found: F64 = (4 * rows - 1) * (high - values) / (high - low)
    return found


def _resampled(curves: Curves, line: F64, window: Window, columns: int) -> F64:
    where = np.linspace(window.low, window.high, 2 * columns)
    found: F64 = np.interp(where, curves.spots, line, math.nan, math.nan)
    return found


def _curve(
    canvas: Canvas, values: F64, limits: tuple[float, float], roles: tuple[str, str], weight: int
) -> None:
    """A line through values; its colour is that of its sign."""
    top = 4 * canvas.height - 1
    ys = _ys(values, canvas.height, limits)
    nothing = 0.002 * (limits[1] - limits[0])
    before: int | None = None
    for x, (y, value) in enumerate(zip(ys.tolist(), values.tolist(), strict=True)):
        if not math.isfinite(y):
            before = None
            continue
        here = max(0, min(top, round(y)))
        start = here if before is None else before + (here > before) - (here < before)
        # So near zero that it cannot be told from it: of no side.
        role = roles[value > 0] if abs(value) > nothing else "muted"
        canvas.stroke(x, start, here, role if weight == _NOW else roles[0], weight)
        before = here


def _shade(canvas: Canvas, low: F64, high: F64, limits: tuple[float, float]) -> None:
    """The band between two lines as a light grid of dots."""
    top = 4 * canvas.height - 1
    bottoms, tops = (_ys(line, canvas.height, limits).tolist() for line in (low, high))
    for x in range(0, 2 * canvas.width, 2):
        first, last = tops[x], bottoms[x]
        if not (math.isfinite(first) and math.isfinite(last)):
            continue
        begin, end = max(0, math.ceil(first)), min(top, math.floor(last))
        for y in range(begin + (begin % 2), end + 1, 2):
            canvas.dot(x, y, "faint", _BAND)


def plot(drawn: Drawn, columns: int, rows: int) -> list[Line]:
    """The curve itself, `columns` × `rows` cells."""
    canvas = Canvas(columns, rows)
    greek, window, limits = BY_NAME[drawn.greek], drawn.window, drawn.limits
    shown = drawn.then or drawn.today
    zero = round(float(_ys(np.zeros(1), rows, limits)[0]))
    for x in range(0, 2 * columns, 3):
        canvas.dot(x, zero, "faint", _ZERO)
    if drawn.greek in shown.band:
        low, high = (_resampled(shown, line, window, columns) for line in shown.band[drawn.greek])
        _shade(canvas, low, high, limits)
    today = _resampled(drawn.today, drawn.today.values[drawn.greek], window, columns)
    if drawn.then is not None:
        _curve(canvas, today, limits, ("muted", "muted"), _WAS)
        then = _resampled(drawn.then, drawn.then.values[drawn.greek], window, columns)
        _curve(canvas, then, limits, ("replay~", "replay~") if drawn.old else ("replay", "replay"),
               _NOW)  # fmt: skip
    else:
        _curve(canvas, today, limits, greek.roles, _NOW)
    for spot, role in ((drawn.spot, "spot"), (drawn.supposed, "replay")):
        x = window.dot(spot, columns)
        for y in range(0, 4 * rows, 2):
            canvas.dot(x, y, role, _SPOT)
    _mark_zeros(canvas, drawn, shown, zero // 4)
    return canvas.lines()


def _mark_zeros(canvas: Canvas, drawn: Drawn, shown: Curves, row: int) -> None:
    """A ring on each zero, and its price where there is room."""
    taken: list[tuple[int, int]] = []
    role = "replay" if drawn.then is not None else "strong"
    columns = canvas.width
    inside = [
        zero for zero in shown.zeros.get(drawn.greek, ())
        if drawn.window.low <= zero <= drawn.window.high
    ]  # fmt: skip
    for zero in sorted(inside, key=lambda zero: abs(zero - drawn.spot)):
        column = drawn.window.dot(zero, columns) // 2
        canvas.write(column, row, Span("○", role, bold=True))
        text = numbers.level(zero)
        below = row + 1 < canvas.height
        start = max(0, min(columns - len(text), column - len(text) // 2))
        if all(start > end or start + len(text) < first for first, end in taken):
            taken.append((start, start + len(text)))
            canvas.write(start, row + 1 if below else max(0, row - 1), Span(text, role))


def outside(drawn: Drawn) -> tuple[int, int]:
    """How many zeros lie left and right of what is drawn."""
    zeros = (drawn.then or drawn.today).zeros.get(drawn.greek, ())
    low, high = drawn.window.low, drawn.window.high
    return sum(zero < low for zero in zeros), sum(zero > high for zero in zeros)


def level_row(drawn: Drawn, columns: int, *, named: bool) -> tuple[Line, int]:
    """The lines that matter below the curve, and how many lie beyond its ends.

    With it, how many share a cell with a more important one and are not drawn.
    """
    row = [(" ", "text", False)] * columns
    told = [level for level in drawn.levels if level.role not in QUIET or level.name == "sigma"]
    beyond = [0, 0]
    hidden = 0
    texts: list[tuple[int, Level]] = []
    for level in told:
        dot = drawn.window.dot(level.value, columns)
        column = dot // 2
        if not 0 <= column < columns:
            if level.name != "sigma":
                beyond[dot > 0] += 1
            continue
        if row[column][0] != " ":
            hidden += level.name != "sigma"
            continue
        row[column] = (level.glyph, level.role, level.role not in QUIET)
        texts.append((column, level))
    for column, level in texts if named else ():
        long = f"{level.brief} {numbers.level(level.value)}"
        # Right of its mark or left of it, a blank before the next one.
        places = [
            (word, start)
            for word in (long, level.brief)
            for start in (column + 1, column - len(word))
        ]
        for word, start in () if level.name == "sigma" else places:
            end = start + len(word)
            right = start > column
            near = row[start : end + 1] if right else row[max(0, start - 1) : end]
            if start >= 1 and end < columns and all(cell[0] == " " for cell in near):
                row[start:end] = [(char, level.role, False) for char in word]
                break
    for text, start in (
        (f"‹{beyond[0]}" if beyond[0] else "", 0),
        (f"{beyond[1]}›" if beyond[1] else "", -1),
    ):
        first = start if start == 0 else columns - len(text)
        row[first : first + len(text)] = [(char, "muted", False) for char in text]
    return merged([Span(char, role, bold=bold) for char, role, bold in row]), hidden


def merged(spans: Sequence[Span]) -> Line:
    """Neighbouring spans of one look as one."""
    out: list[Span] = []
    for span in spans:
        if out and out[-1][1:] == span[1:]:
            out[-1] = span._replace(text=out[-1].text + span.text)
        else:
            out.append(span)
    return tuple(out)


def _round_step(least: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is not below a number."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= least * 0.999999)


def price_row(drawn: Drawn, columns: int) -> Line:
    """Round prices below the curve, with spot's own where there is room."""
    window = drawn.window
    row = [" "] * columns
    roles = ["faint"] * columns

    def put(spot: float, text: str, role: str) -> None:
        column = window.dot(spot, columns) // 2
        start = column - len(text) // 2
        if start < 0 or start + len(text) > columns:
            return
        near = row[max(0, start - 1) : start + len(text) + 1]
        if all(char == " " for char in near):
            row[start : start + len(text)] = text
            roles[start : start + len(text)] = [role] * len(text)

    decimals = 1 if window.high - window.low < 20 else 0
    supposed = drawn.supposed
    if math.isfinite(supposed):
        put(supposed, f"▲{numbers.level(supposed)}", "replay")
    put(drawn.spot, f"▲{numbers.level(drawn.spot)}", "spot")
    widest = len(numbers.strike(window.high, 0, decimals)) + 2
    step = _round_step(max(1e-9, (window.high - window.low) * widest / columns))
    tick = math.ceil(window.low / step) * step
    while tick <= window.high:
        put(tick, numbers.strike(round(tick, 6), 0, decimals if step < 1 else None), "faint")
        tick += step
    return merged([Span(char, role) for char, role in zip(row, roles, strict=True)])


def label(value: float) -> str:
    """A value of the axis, right-aligned."""
    return numbers.compact(value, plus=True).rjust(AXIS - 2)


def title(drawn: Drawn, width: int, *, sides: bool = False) -> Line:
    """Which exposure, in what unit, and its value at spot, now and then; what its sides mean."""
    greek = BY_NAME[drawn.greek]
    unit = f" ${greek.unit}"
    left = [Span(f" {greek.name}", "strong", bold=True), Span(unit, "muted")]
    now = at(drawn.today, drawn.greek, drawn.spot)
    right = [Span("at spot ", "muted"), value_span(greek, now)]
    moved = drawn.then is not None or math.isfinite(drawn.supposed)
    if moved:
        spot = drawn.supposed if math.isfinite(drawn.supposed) else drawn.spot
        then = at(drawn.then or drawn.today, drawn.greek, spot)
        role = "replay~" if drawn.old else "replay"
        right += [Span(" → ", "muted"), Span(numbers.compact(then, plus=True), role, bold=True)]
    if sides:
        left += [Span(f"  ▲{greek.positive}", greek.roles[1]),
                 Span(f" ▼{greek.negative}", greek.roles[0])]  # fmt: skip
    if cells(left) + cells(right) + 1 > width:
        right = right[1:]
    if cells(left) + cells(right) + 1 > width:
        left = left[:2]
    if cells(left) + cells(right) + 1 > width:
        left = left[:1]
    return ends(left, [*right, Span(" ")], width)


def value_span(greek: Greek, value: float) -> Span:
    """A value in the colour of its side."""
    role = "faint" if not math.isfinite(value) else greek.roles[value > 0]
    return Span(numbers.compact(value, plus=True).rjust(6), role)


def legend(drawn: Drawn, width: int) -> Line:
    """What above and below zero mean, and which line is which."""
    greek = BY_NAME[drawn.greek]
    above, below = SIDES[drawn.greek]
    over = [Span(" ▲ ", greek.roles[1]), Span(f"dealers {above}", greek.roles[1])]
    under = [Span("  ▼ ", greek.roles[0]), Span(below, greek.roles[0])]
    extra: list[Span] = []
    if drawn.greek in (drawn.then or drawn.today).band:
        extra += [Span("  ⠕⠕", "faint"), Span(" 80 % band", "muted")]
    if drawn.then is not None:
        extra += [Span("  ⠒⠒", "replay"), Span(" what if", "muted"),
                  Span("  ⠒⠒", "muted"), Span(" now", "muted")]  # fmt: skip
    left, right = outside(drawn)
    if left or right:
        told = " ".join(part for part in (f"‹{left}" if left else "", f"{right}›" if right else "")
                        if part)  # fmt: skip
        extra += [Span(f"  zeros beyond: {told}", "muted")]
    spans = [*over, *under, *extra]
    if cells(spans) > width:
        spans = [Span(f" ▲ {above}", greek.roles[1]), *under, *extra]
    if cells(spans) > width:
        spans = [Span(f" ▲ {greek.positive}", greek.roles[1]),
                 Span(f" ▼ {greek.negative}", greek.roles[0]), *extra]  # fmt: skip
    if cells(spans) > width:
        spans = [s._replace(text=s.text.replace("zeros beyond:", "zeros")) for s in spans]
    return fit(spans, width)


def panel(drawn: Drawn, width: int, height: int) -> list[Line]:
    """Title, curve with its axes, levels and prices."""
    if drawn.greek not in drawn.today.values or width < LEAST_WIDTH or height < LEAST_HEIGHT:
        return [title(drawn, width)]
    roomy = height >= ROOMY
    columns = width - AXIS - 1
    below = 2
    rows = height - 1 - below - roomy
    low, high = drawn.limits
    zero = min(rows - 1, max(0, round(float(_ys(np.zeros(1), rows, drawn.limits)[0])) // 4))
    labels = {0: label(high), rows - 1: label(low), zero: "0".rjust(AXIS - 2)}
    if rows >= 10:
        for value in (high / 2, low / 2):
            row = round(float(_ys(np.array([value]), rows, drawn.limits)[0])) // 4
            if min(abs(row - zero), row, rows - 1 - row) > 1:
                labels[row] = label(value)
    out = [title(drawn, width, sides=not roomy)]
    if roomy:
        out.append(legend(drawn, width))
    for number, line in enumerate(plot(drawn, columns, rows)):
        head = Span(f" {labels.get(number, ''):>{AXIS - 2}} ", "faint")
        out.append(fit((head, *line), width))
    marks, hidden = level_row(drawn, columns, named=roomy)
    out.append(
        fit((Span(f"{f'+{hidden}' if hidden else '':>{AXIS - 1}} ", "faint"), *marks), width)
    )
    out.append(fit((Span(" " * AXIS), *price_row(drawn, columns)), width))
    return out
