"""The heat map screen: strike by time, and how the book goes on if nothing changes."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.events import Click

from gexterm.reading.inquiry import OUTLOOK_GREEKS, Inquiries
from gexterm.ui.frame import GREEKS, Frame
from gexterm.ui.prompt import Prompt
from gexterm.ui.screens.base import View, too_small
from gexterm.ui.widgets import heat, keyline, status, topline
from gexterm.ui.widgets.heat_map import HeatChart
from gexterm.ui.widgets.ladder import asked_strike
from gexterm.ui.widgets.painted import Painted

FRESH_NS = 15 * 1_000_000_000
"""Market time after which the outlook is asked for again, ns."""
AGAIN_S = 1.0
"""Seconds between two questions while nothing but the market moves."""


class HeatMap(View):
    """Strike by time, and the outlook that it goes on with."""

    NAME = "heatmap"
    CHAPTERS = ("Heat map",)
    # Here positions come after the greeks.
    OWN = ("greek_next", "greek_previous")

    DEFAULT_CSS = """
    HeatMap #heat { height: 1fr; width: 100%; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.chart = HeatChart(id="heat")
        """The map."""
        self._asking: tuple[object, ...] | None = None
        self._answered: tuple[object, ...] = ()
        self._answered_at = 0
        self._greek = ""
        self._small = Painted(too_small, id="small")
        self._top = Painted(topline.paint, id="top")
        self._status = Painted(status.paint, id="status")
        self._keys = Painted(keyline.paint, id="keys")
        self.has_parts((self._small, self._top, self.chart, self._status, self._keys))

    def compose(self) -> ComposeResult:
        """Top line, the map, status, keys."""
        yield self._small
        yield self._top
        yield self.chart
        yield self._status
        yield self._keys

    def on_mount(self) -> None:
        """While it is on top the market goes on: ask again now and then."""
        self.set_interval(AGAIN_S, self.ask_again)

    # -- questions -----------------------------------------------------------------------

    def show(self, frame: Frame) -> None:
        """A frame; another book is asked about at once."""
        if self._greek and frame.greek != self._greek:
            self.chart.position = ""  # chosen by name elsewhere
        self._greek = frame.greek
        super().show(frame)
        if self.is_mounted and self._book() != self._answered:
            self.ask_again()

    def _book(self) -> tuple[object, ...]:
        """What an outlook would be of; empty where none is needed or to be had."""
        frame = self.frame
        if frame is None or frame.reading is None or frame.inquire is None:
            return ()
        if self.chart.position or frame.greek not in OUTLOOK_GREEKS:
            return ()
        reading = frame.reading
        return (frame.inquire, frame.greek, reading.underlying, reading.positions.view,
                reading.scope)  # fmt: skip

    def ask_again(self) -> None:
        """Ask for the outlook, if it is of another book or has grown old."""
        book, inquire, frame = self._book(), self.inquire, self.frame
        if not book or inquire is None or frame is None or frame.reading is None:
            return
        if self not in self.app.screen_stack or book == self._asking:
            return
        at = frame.reading.as_of
        if book == self._answered and 0 <= at - self._answered_at < FRESH_NS:
            return
        self._asking = book
        self.ask("outlook", self._answer(inquire, frame.greek, book, at))

    async def _answer(
        self, inquire: Inquiries, greek: str, book: tuple[object, ...], at: int
    ) -> None:
        try:
            found = await inquire.outlook(greek)
        finally:
            # Refused or not: it is asked for again when it would have grown old.
            if self._asking == book:
                self._asking = None
                self._answered, self._answered_at = book, at
        self.chart.outlook, self.chart.why = found, ""
        self.again()

    def refused(self, why: str) -> None:
        """Say why right of the line at now."""
        self.chart.outlook, self.chart.why = None, why
        self.again()

    # -- keys ----------------------------------------------------------------------------

    def scroll_rows(self, rows: int) -> None:
        """Arrow keys and the wheel."""
        self.chart.scroll_rows(rows)

    def page(self, direction: int) -> None:
        """Page keys."""
        self.chart.scroll_rows(direction * max(1, self.chart.size.height - 8))

    def follow(self) -> None:
        """Back to spot and to now."""
        self.chart.follow()

    def action_cursor_left(self) -> None:
        """Earlier."""
        self.chart.move_cursor(-1)

    def action_cursor_right(self) -> None:
        """Later."""
        self.chart.move_cursor(1)

    def action_zoom(self) -> None:
        """Another stretch of time."""
        self.chart.next_zoom()

    def action_choose(self) -> None:
        """Go to the moment under the cursor."""
        found = self.chart.cursor_at()
        tell: Callable[..., None] = getattr(self.app, "tell", lambda *_: None)
        if found is None:
            return
        at, passed = found
        if not passed:
            tell("that is still to come: there is nothing to go to", "warning")
            return
        seek = getattr(self.app, "seek_to", None)
        if seek is None:
            tell("this session cannot be wound", "warning")
            return
        self.chart.cursor = 0
        seek(at)

    def action_find_strike(self) -> None:
        """Go to a strike."""

        def found(text: str | None) -> None:
            if text:
                self.chart.go_to(asked_strike(text))

        question = "Go to which strike?"
        self.app.push_screen(Prompt(question, example=self.near_spot, check=asked_strike), found)

    def action_greek_next(self) -> None:
        """Next greek; positions come after the last."""
        self._choose(1)

    def action_greek_previous(self) -> None:
        """Previous greek."""
        self._choose(-1)

    def _choose(self, step: int) -> None:
        names = ["", *(each.name for each in heat.POSITIONS)]
        at = names.index(self.chart.position) + step
        greek = self.frame.greek if self.frame else ""
        ends = GREEKS[-1].name if step > 0 else GREEKS[0].name
        if not self.chart.position and greek != ends:
            self._app_greek(step)
        elif not self.chart.position and step < 0:
            self._app_greek(step)
            self.chart.position = names[-1]
        elif at == len(names):
            self.chart.position = ""
            self._app_greek(step)
        else:
            self.chart.position = names[at]
        self._greek = self.frame.greek if self.frame else ""
        self.again()

    def _app_greek(self, step: int) -> None:
        name = "action_greek_next" if step > 0 else "action_greek_previous"
        getattr(self.app, name, lambda: None)()

    def on_click(self, event: Click) -> None:
        """The cursor goes to the column under the mouse."""
        if event.widget is self.chart:
            self.chart.column_at(event.x)
