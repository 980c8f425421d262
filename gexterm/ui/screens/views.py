"""The views screen: the same chain under every sign view, side by side."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.events import Click

from gexterm.ui.screens.base import View, too_small
from gexterm.ui.widgets import keyline, status, topline
from gexterm.ui.widgets.painted import Painted
from gexterm.ui.widgets.viewtable import ViewTable


class Views(View):
    """Conventions, flow and combined; Enter uses the one under the cursor."""

    NAME = "views"
    CHAPTERS = ("Views", "Whose book it is")

    DEFAULT_CSS = """
    Views #table { height: 1fr; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._small = Painted(too_small, id="small")
        self._top = Painted(topline.paint, id="top")
        self.table = ViewTable(id="table")
        """The views."""
        self.table.chapter = "Views"
        self._status = Painted(status.paint, id="status")
        self._keys = Painted(keyline.paint, id="keys")
        self.has_parts((self._small, self._top, self.table, self._status, self._keys))

    def compose(self) -> ComposeResult:
        """Top line, views, status, keys."""
        yield self._small
        yield self._top
        yield self.table
        yield self._status
        yield self._keys

    def scroll_rows(self, rows: int) -> None:
        """Move the cursor."""
        reading = self.frame.reading if self.frame else None
        count = len(reading.agreement.views) if reading else 0
        self.table.at = max(0, min(count - 1, self.table.at + rows))
        self.again()

    def follow(self) -> None:
        """To the chosen view, which comes first."""
        self.table.at = 0
        self.again()

    def action_choose(self) -> None:
        """Use the view under the cursor."""
        name = self.table.chosen()
        if name:
            self.table.at = 0
            self.app.use_view(name)  # type: ignore[attr-defined]

    def on_click(self, event: Click) -> None:
        """A row: put the cursor there; once more: use it."""
        if event.button != 1 or event.widget is not self.table:
            super().on_click(event)
            return
        first = 1 if self.table.size.height < 16 else 2
        reading = self.frame.reading if self.frame else None
        at = event.y - first
        if reading is None or not 0 <= at < len(reading.agreement.views):
            return
        if at == self.table.at:
            self.action_choose()
        else:
            self.scroll_rows(at - self.table.at)
