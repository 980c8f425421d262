"""The timeline: the day so far, and a way back into it."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult

from gexterm.ui.screens.base import View, too_small
from gexterm.ui.widgets import keyline, status, topline
from gexterm.ui.widgets.daychart_panel import DayPanel
from gexterm.ui.widgets.painted import Painted


class Timeline(View):
    """Prices, paradigms, alerts and hedge flow over one time, and a cursor that reads them."""

    NAME = "timeline"
    CHAPTERS: ClassVar[tuple[str, ...]] = ("Timeline",)

    DEFAULT_CSS = """
    Timeline #day-panel { height: 1fr; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.panel = DayPanel(id="day-panel")
        """The day."""
        self._small = Painted(too_small, id="small")
        self._top = Painted(topline.paint, id="top")
        self._status = Painted(status.paint, id="status")
        self._keys = Painted(keyline.paint, id="keys")
        self.has_parts((self._small, self._top, self.panel, self._status, self._keys))

    def compose(self) -> ComposeResult:
        """Top line, the day, status, keys."""
        yield self._small
        yield self._top
        yield self.panel
        yield self._status
        yield self._keys

    def scroll_rows(self, rows: int) -> None:
        """The wheel: the cursor, earlier and later."""
        self.panel.move(rows)

    def action_cursor_left(self) -> None:
        """Earlier."""
        self.panel.move(-1)

    def action_cursor_right(self) -> None:
        """Later."""
        self.panel.move(1)

    def action_zoom(self) -> None:
        """The day, the last two hours, the last half hour."""
        self.panel.next_zoom()

    def action_choose(self) -> None:
        """To the moment under the cursor."""
        tell = getattr(self.app, "tell", None)
        at = self.panel.chosen()
        if not at:
            if tell is not None:
                tell("move the cursor to a moment first: ← →, or a click", "information")
            return
        seek = getattr(self.app, "seek_to", None)
        if seek is not None:
            self.panel.cursor = 0
            seek(at)
        elif tell is not None:
            tell("there is no way back to that moment here", "warning")
