"""The curves of the profile screen: the chosen one large, the others small below it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from textual.events import Click

from gexterm.reading.inquiry import GREEKS, Curves
from gexterm.reading.model import Reading
from gexterm.ui import numbers, words
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, fit
from gexterm.ui.widgets import captions, curves
from gexterm.ui.widgets.curves import Drawn, Window
from gexterm.ui.widgets.levels import Level, levels
from gexterm.ui.widgets.painted import Painted
from gexterm.ui.widgets.scale import Scale, round_up
from gexterm.ui.widgets.suppose import Asked

ZOOMS = (0.01, 0.025, 0.05, math.inf)
"""Halves of what is drawn around spot, as shares of it; the last is all that is known."""
NEAR = 0.3
"""Share of that half which spot may leave the middle by before the curves are moved."""
SMALL_ROWS, SMALL_WIDTH = 7, 30
"""Least size of a small panel."""
BIG_ROWS = 14
"""Rows of the large one, at least, where there are small ones."""
LEAST_SIDE = 0.12
"""Share of the larger side that the smaller side of an axis has at least."""


class Stage(Painted):
    """Curves over spot. Made of what was asked for (`asked`), not of the frame alone."""

    def __init__(
        self,
        asked: Callable[[], Asked],
        suppose_spot: Callable[[float], None],
        *,
        id: str | None = None,  # noqa: A002 - as in every widget
    ) -> None:
        super().__init__(id=id)
        self._asked, self._suppose_spot = asked, suppose_spot
        self.zoom = 1
        """Which of `ZOOMS`."""
        self._centre = self._half = math.nan
        self._scales: dict[str, tuple[Scale, Scale]] = {}
        self._book: tuple[object, ...] = ()
        self._kept: dict[str, tuple[tuple[object, ...], list[Line]]] = {}
        self._peaks: dict[str, tuple[tuple[object, ...], tuple[float, float]]] = {}
        self._big: tuple[Window, int] | None = None

    def next_zoom(self, step: int = 1) -> None:
        """Nearer or farther, round and round by the key."""
        self.zoom = (self.zoom + step) % len(ZOOMS)
        self._centre = math.nan
        self.repaint()

    def nearer(self, step: int) -> None:
        """The wheel: −1 nearer, 1 farther, to the last at either end."""
        to = max(0, min(len(ZOOMS) - 1, self.zoom + step))
        if to != self.zoom:
            self.next_zoom(to - self.zoom)

    @property
    def zoom_word(self) -> str:
        """`±2.5 %`, or `all`."""
        half = ZOOMS[self.zoom]
        return f"±{100 * half:g} %" if math.isfinite(half) else "all"

    def chosen(self, greek: str) -> str:
        """Which curve is large; what has no curve over spot leaves it to charm."""
        return greek if greek in GREEKS else "charm"

    def window(self, today: Curves, spot: float) -> Window:
        """Which spots are drawn. It moves in steps: a curve that slides cannot be read."""
        half = ZOOMS[self.zoom] * spot
        first, last = float(today.spots[0]), float(today.spots[-1])
        if not math.isfinite(half):
            return Window(first, last)
        if not abs(spot - self._centre) <= NEAR * half:
            self._centre, self._half = spot, half
        return Window(self._centre - self._half, self._centre + self._half)

    def paint(self, frame: Frame, width: int, height: int) -> Sequence[Line]:
        """The chosen curve; the others where there is room."""
        self._big = None
        reading = frame.reading
        if reading is None:
            return captions.waiting(frame, width, height)
        asked = self._asked()
        today = asked.today or curves.from_reading(reading)
        if today is None or len(today.spots) < 2 or not math.isfinite(reading.spot):
            why = asked.why or words.clean(reading.zero_dte.reason) or "no contract is priced"
            return [captions.book(reading, width), (),
                    fit((Span(f" No curves: {why}.", "text"),), width)]  # fmt: skip
        self._settle(reading, today)
        window = self.window(today, reading.spot)
        drawn = self._drawings(reading, asked, today, window)
        big = self.chosen(frame.greek)
        others = [name for name in GREEKS if name != big]
        small = 0
        if (height - 1 - BIG_ROWS) // 2 >= SMALL_ROWS and width >= 2 * SMALL_WIDTH:
            small = min((height - 1) * 2 // 10, 12)
            small = max(small, SMALL_ROWS)
        head = self._head(frame, asked, width)
        out = [head, *self._panel(drawn[big], "big", width, height - 1 - 2 * small)]
        out += [()] * (height - 2 * small - len(out))
        self._big = (window, width - curves.AXIS - 1)
        half = width // 2
        for pair in (others[:2], others[2:]) if small else ():
            left, right = (
                self._panel(drawn[name], name, room, small)
                for name, room in zip(pair, (half, width - half), strict=True)
            )
            for row in range(small):
                sides = [
                    fit(side[row] if row < len(side) else (), room)
                    for side, room in ((left, half), (right, width - half))
                ]
                out.append((*sides[0], *sides[1]))
        return out

    def _head(self, frame: Frame, asked: Asked, width: int) -> Line:
        """Whose book; how much of spot is drawn; what is missing."""
        reading = frame.reading
        assert reading is not None  # noqa: S101 - paint has looked
        told = [Span(f" {self.zoom_word} ", "text")]
        if asked.today is None:
            told = [Span(" from the Reading, gamma alone ", "muted"), *told]
        elif frame.greek not in GREEKS:
            told = [Span(f" {frame.greek} has no curve: charm ", "muted"), *told]
        room = sum(len(span.text) for span in told)
        return (*captions.book(reading, width - room), *told)

    def _panel(self, drawn: Drawn, name: str, width: int, height: int) -> list[Line]:
        """A panel, the curve of which is drawn anew only when it would look otherwise."""
        columns = width - curves.AXIS - 1
        window = drawn.window
        # Levels move by less than a cell with every tick: that shows nowhere.
        lines = tuple(
            (one.name, window.dot(one.value, columns) // 2, numbers.level(one.value))
            for one in drawn.levels
            if one.name != "sigma"
        )
        key = (
            drawn.greek, drawn.today, drawn.then, window, drawn.limits, drawn.old,
            window.dot(drawn.spot, columns), window.dot(drawn.supposed, columns),
            numbers.level(drawn.spot), numbers.level(drawn.supposed), lines, width, height,
        )  # fmt: skip
        kept = self._kept.get(name)
        if kept is None or kept[0] != key:
            kept = self._kept[name] = (key, curves.panel(drawn, width, height))
            return kept[1]
        head = curves.title(drawn, width, sides=height < curves.ROOMY)
        return [head, *kept[1][1:]]

    def _settle(self, reading: Reading, today: Curves) -> None:
        book = (reading.underlying, today.view, today.scope)
        if book != self._book:
            self._book, self._scales, self._centre = book, {}, math.nan

    def _drawings(
        self, reading: Reading, asked: Asked, today: Curves, window: Window
    ) -> dict[str, Drawn]:
        then = asked.then if asked.suppose.vol_points or asked.suppose.minutes else None
        supposed = reading.spot * (1 + asked.suppose.spot_change)
        lines: tuple[Level, ...] = tuple(levels(reading))
        out = {}
        for greek in GREEKS:
            out[greek] = Drawn(
                greek, today, then, window, self._limits(greek, today, then, window, reading),
                reading.spot, supposed if asked.suppose.spot_change else math.nan, lines, asked.old,
            )  # fmt: skip
        return out

    def _limits(
        self, greek: str, today: Curves, then: Curves | None, window: Window, reading: Reading
    ) -> tuple[float, float]:
        """The axis: round numbers that stay put, zero always within."""
        key = f"{greek} {self.zoom}"
        of = (today, then, window)
        kept = self._peaks.get(key)
        if kept is None or kept[0] != of:
            kept = self._peaks[key] = (of, curves.peaks((today, then), greek, window))
        below, above = kept[1]
        scales = self._scales.setdefault(key, (Scale(), Scale()))
        for scale, peak in zip(scales, (below, above), strict=True):
            scale.follow(peak, reading.as_of)
        low, high = (0.0 if math.isnan(each.limit) else each.limit for each in scales)
        if low == high == 0.0:
            return -1.0, 1.0
        least = LEAST_SIDE * max(low, high)
        low, high = (each if each >= least else round_up(least) for each in (low, high))
        return -low, high

    def on_click(self, event: Click) -> None:
        """Suppose the spot under the mouse."""
        if self._big is None:
            return
        window, columns = self._big
        column = event.x - curves.AXIS
        if 0 <= column < columns:
            self._suppose_spot(window.spot(column, columns))
