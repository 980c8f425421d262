"""The strike ladder: one price axis, spot across it, what dealers hold as bars."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gexterm.errors import UsageError
from gexterm.reading.model import Reading
from gexterm.ui import numbers, words
from gexterm.ui.frame import Frame, Greek
from gexterm.ui.ink import Line, Span, fit
from gexterm.ui.widgets import captions
from gexterm.ui.widgets.bars import bar
from gexterm.ui.widgets.certainty import inferred
from gexterm.ui.widgets.columns import GAP, NUMBER, Plan, plan
from gexterm.ui.widgets.contracts import Contracts, descending
from gexterm.ui.widgets.levels import QUIET, Level, edge, levels, mark, nearest, outside, place
from gexterm.ui.widgets.painted import Painted
from gexterm.ui.widgets.scale import Scale

HEADER = 3
"""Rows above the strikes: whose book, what is shown, which side means what."""
FOOTER = 1
"""Rows below: levels out of view, look-back legend."""
AIRY_ROWS = 24
"""Rows from which on a comfortable ladder has a blank one under its first line."""
NEAR_SHARE, NEAR_STRIKES = 0.04, 40
"""The scale looks at strikes this near spot, or at so many on either side."""
OLD_S, OLD_TIMES = 60.0, 5.0
"""A quote is old beyond this age, or beyond so many times the median age."""


class Ladder(Painted):
    """Strikes around spot, descending.

    Rows are strikes; spot is a line between them. The view follows spot in steps, so
    that rows stand still while spot moves within the middle of the screen.
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as in every widget
        super().__init__(id=id)
        self.following = True
        """Whether the view moves along with spot."""
        self._top = math.inf
        self._scales: dict[str, Scale] = {}
        self._book: tuple[str, str, str] = ("", "", "")
        self._rows = 0
        self._total = 0

    def scroll_rows(self, rows: int) -> None:
        """Move the view: positive is towards lower strikes. Stops following spot."""
        if self.frame is None or self.frame.reading is None:
            return
        strikes = _descending(self.frame.reading)
        at = max(0, min(self._first(strikes) + rows, len(strikes) + 1 - self._rows))
        self.following = False
        self._top = strikes[min(at, len(strikes) - 1)] if strikes else math.inf
        self.repaint()

    def page(self, direction: int) -> None:
        """Move by a screenful less two rows."""
        self.scroll_rows(direction * max(1, self._rows - 2))

    def follow(self) -> None:
        """Centre on spot and follow it again."""
        self.following, self._top = True, math.inf
        self.repaint()

    def go_to(self, strike: float) -> None:
        """Bring the strike nearest to a price to the middle. Stops following spot."""
        if self.frame is None or self.frame.reading is None:
            return
        strikes = _descending(self.frame.reading)
        if not strikes:
            return
        self.following = False
        first = nearest(strike, strikes) - self._rows // 2
        self._top = strikes[max(0, min(first, len(strikes) + 1 - self._rows, len(strikes) - 1))]
        self.repaint()

    def paint(self, frame: Frame, width: int, height: int) -> Sequence[Line]:
        """Header, strikes around spot, footer."""
        reading = frame.reading
        if reading is None:
            return captions.waiting(frame, width, height)
        strikes = _descending(reading)
        if not strikes:
            return captions.empty(reading, width)
        self._settle_scales(reading)
        decimals = max(map(numbers.strike_decimals, strikes))
        widest = max(6, *(len(numbers.strike(k, 0, decimals)) for k in (strikes[0], strikes[-1])))
        errors = inferred(reading.positions)
        airy = frame.density == "comfortable"
        layout = plan(width, widest, frame.greek, decimals, errors=errors, airy=airy)
        spare = 1 if airy and height >= AIRY_ROWS else 0
        self._rows = max(1, height - HEADER - FOOTER - spare)
        spot_at = place(strikes, reading.spot)
        if not math.isfinite(reading.spot):
            spot_at = len(strikes)
        first = self._window(strikes, spot_at)
        body = self._body(frame, reading, layout, strikes, spot_at, first, width)
        shown = strikes[first : first + self._rows] or strikes[-1:]
        step = abs(strikes[0] - strikes[-1]) / max(1, len(strikes) - 1)
        every = levels(reading)
        above = [x for x in every if outside(x, shown[-1], shown[0], step) > 0]
        below = [x for x in every if outside(x, shown[-1], shown[0], step) < 0]
        return [
            captions.book(reading, width),
            *[()] * spare,
            captions.titles(layout, self._scales, reading, width),
            captions.sides(layout, self._scales, edge(above, layout.axis, above=True), width),
            *body,
            captions.legend(frame, layout, edge(below, layout.axis, above=False), width),
        ]

    # -- which rows ------------------------------------------------------------------

    def _first(self, strikes: Sequence[float]) -> int:
        return place(strikes, self._top)

    def _window(self, strikes: Sequence[float], spot_at: int) -> int:
        rows, total = self._rows, len(strikes) + 1
        first = self._first(strikes)
        if self.following:
            inside = spot_at - first
            # Recentre only when spot leaves the middle: rows that slide cannot be read.
            if math.isinf(self._top) or not 0.25 * rows <= inside < 0.75 * rows:
                first = spot_at - rows // 2
        first = max(0, min(first, total - rows))
        self._top = strikes[min(first, len(strikes) - 1)]
        return first

    def _settle_scales(self, reading: Reading) -> None:
        book = (reading.underlying, reading.scope, reading.positions.view)
        if book != self._book:
            self._book, self._scales = book, {}

    def _scale(self, greek: Greek, reading: Reading, values: Sequence[float]) -> Scale:
        scale = self._scales.setdefault(greek.name, Scale())
        scale.follow(max((abs(v) for v in values if math.isfinite(v)), default=0.0), reading.as_of)
        return scale

    # -- the rows ----------------------------------------------------------------------

    def _body(
        self,
        frame: Frame,
        reading: Reading,
        layout: Plan,
        strikes: list[float],
        spot_at: int,
        first: int,
        width: int,
    ) -> list[Line]:
        table = reading.strikes
        columns = [descending(table, greek.column) for greek in layout.greeks]
        near = _near(strikes, spot_at, reading.spot)
        scales = [
            self._scale(greek, reading, values[near])
            for greek, values in zip(layout.greeks, columns, strict=True)
        ]
        then = [
            {back.minutes: back.values.get(greek.column) for back in reading.look_back}
            if frame.look_back
            else {}
            for greek in layout.greeks
        ]
        ages = descending(table, "quote_age_s")
        median = reading.health.quote_age_p50_s
        old = max(OLD_S, OLD_TIMES * median) if math.isfinite(median) else OLD_S
        contracts = Contracts(table, layout.extras, layout.errors, layout.gap)
        marks: dict[int, list[Level]] = {}
        for level in levels(reading):
            marks.setdefault(nearest(level.value, strikes), []).append(level)
        lines: list[Line] = []
        count = len(strikes)
        for row in range(first, min(first + self._rows, count + 1)):
            if row == spot_at:
                lines.append(captions.spot(reading, layout, width))
                continue
            i = row - (row > spot_at)
            # The table ascends, the ladder descends.
            j = count - 1 - i
            doubtful = contracts.doubtful(i)
            faded = "~" if ages[i] > old else ""
            bars: list[list[Span]] = []
            for greek, values, scale, back in zip(
                layout.greeks, columns, scales, then, strict=True
            ):
                roles = (greek.roles[0] + (faded or "="), greek.roles[1] + (faded or "="))
                marked = {m: float(v[j]) for m, v in back.items() if v is not None and j < len(v)}
                # Where nobody knows the position, what follows from it is no zero.
                value = values[i] if contracts.known(i) else math.nan
                text = scale.text(value, NUMBER)
                quiet = faded or doubtful or not math.isfinite(value) or not text.strip(" −0.")
                if doubtful:
                    marked = {}  # that it moved is no news while its side is a guess
                drawn = bar(value, scale.limit, layout.half, roles, marked, hatched=doubtful)
                bars.append([*drawn, Span(" " + text, "faint" if quiet else "text")])
            here = marks.get(i, [])
            axis = [
                Span(
                    numbers.strike(strikes[i], layout.strike, layout.decimals),
                    "strong"
                    if here and here[0].role not in QUIET
                    else ("faint" if ages[i] > old else "muted"),
                    bold=bool(here) and here[0].role not in QUIET,
                ),
                Span(" "),
                *mark(here, layout.marks, frame.fresh),
            ]
            lines.append(arrange(bars, axis, contracts.row(i), width, layout.gap))
        return lines


def asked_strike(text: str) -> float:
    """A strike as users write it, `6,000`; raises UsageError for what is none."""
    try:
        found = float(text.replace(",", "").replace("_", "").replace(" ", ""))
    except ValueError:
        found = math.nan
    if not 0 < found < math.inf:
        raise UsageError(f"{words.clean(text)!r} is no strike", "a number such as 6000")
    return found


def arrange(
    bars: Sequence[Sequence[Span]],
    axis: Sequence[Span],
    extras: Sequence[Span],
    width: int,
    between: int = GAP,
) -> Line:
    """One row: the first bar left of the axis, the others and the contracts right of it."""
    gap = Span(" " * between)
    out: list[Span] = [Span(" ")]
    rest = list(bars)
    if len(rest) > 1:
        out += [*rest.pop(0), gap]
    out += axis
    for one in rest:
        out += [gap, *one]
    return fit([*out, *extras], width)


def _descending(reading: Reading) -> list[float]:
    found: list[float] = reading.strikes["strike"].to_list()
    return found[::-1]


def _near(strikes: Sequence[float], spot_at: int, spot: float) -> slice:
    low = min(max(0, spot_at - NEAR_STRIKES), place(strikes, spot * (1 + NEAR_SHARE)))
    high = max(spot_at + NEAR_STRIKES, place(strikes, spot * (1 - NEAR_SHARE)))
    return slice(low, high)
