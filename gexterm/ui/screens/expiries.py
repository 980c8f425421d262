"""The expiries: exposures by expiry, volatility by term, the smile of one of them."""

from __future__ import annotations

import time
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.events import Resize

from gexterm.reading.inquiry import Inquiries
from gexterm.ui.frame import Frame
from gexterm.ui.screens.base import View, too_small
from gexterm.ui.widgets import keyline, status, topline
from gexterm.ui.widgets.painted import Painted
from gexterm.ui.widgets.smile import ZOOMS, SmileChart
from gexterm.ui.widgets.term import TermChart
from gexterm.ui.widgets.term_table import HEAD, ExpiryTable

EVERY_S = 1.0
"""The smile is asked for again after so long, seconds."""
TALL = 32
"""From which height on the charts stand below the table."""


class Expiries(View):
    """Table; below it, where there is room, term structure and smile."""

    NAME = "expiries"
    CHAPTERS: ClassVar[tuple[str, ...]] = ("Expiries",)

    DEFAULT_CSS = """
    Expiries #table { height: 1fr; }
    Expiries #charts { display: none; height: 1fr; }
    Expiries #summary { height: 1; }
    Expiries #term { display: none; width: 40%; height: 100%; }
    Expiries #smile { width: 1fr; height: 100%; }
    Expiries.-tall #charts, Expiries.-taller #charts, Expiries.-tallest #charts { display: block; }
    Expiries.-tall #summary, Expiries.-taller #summary, Expiries.-tallest #summary {
        display: none;
    }
    Expiries.-sided #term, Expiries.-wide #term, Expiries.-full #term { display: block; }
    Expiries.full-smile #table, Expiries.full-smile #term, Expiries.full-smile #summary {
        display: none;
    }
    Expiries.full-smile #charts { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.table = ExpiryTable(id="table")
        """Exposures by expiry."""
        self.term = TermChart(id="term")
        """Volatility by expiry."""
        self.smile = SmileChart(id="smile")
        """The smile of the chosen one."""
        self.clock = time.monotonic
        """The program's own time, seconds."""
        self._last_ask: tuple[tuple[str, str], float, int] | None = None
        self._pending: tuple[str, str] | None = None
        self._small = Painted(too_small, id="small")
        self._top = Painted(topline.paint, id="top")
        self._summary = Painted(self.smile.summary, id="summary")
        self._status = Painted(status.paint, id="status")
        self._keys = Painted(keyline.paint, id="keys")
        self.has_parts((
            self._small, self._top, self.table, self.term, self.smile, self._summary,
            self._status, self._keys,
        ))  # fmt: skip

    def compose(self) -> ComposeResult:
        """The parts, top to bottom."""
        yield self._small
        yield self._top
        yield self.table
        with Horizontal(id="charts"):
            yield self.term
            yield self.smile
        yield self._summary
        yield self._status
        yield self._keys

    def show(self, frame: Frame) -> None:
        """Also ask for the smile, if it is time."""
        self.table.frame = frame
        chosen = self.table.chosen()
        key = (chosen.root, chosen.expiry) if chosen is not None else None
        if key != self.smile.wanted:
            self.smile.wanted, self.smile.why = key, ""
        self.term.key = key
        self._arrange(frame, self.size.height)
        super().show(frame)
        if self.is_mounted:
            self._ask_if_due(frame)

    def on_resize(self, event: Resize) -> None:
        """Another size: also where no further frame comes, as in a pause."""
        if self.frame is not None:
            self._arrange(self.frame, event.size.height)

    def _arrange(self, frame: Frame, rows: int) -> None:
        """The table takes the rows that it needs, at most half."""
        height: int | str = "1fr"
        if rows >= TALL and not self.full:
            count = len(frame.reading.expiries) if frame.reading is not None else 0
            height = min(count + HEAD + 1, (rows - 5) // 2)
        if str(self.table.styles.height) != str(height):
            self.table.styles.height = height

    # -- the smile ---------------------------------------------------------------------

    def _ask_if_due(self, frame: Frame) -> None:
        key, inquire, reading = self.smile.wanted, frame.inquire, frame.reading
        if key is None or inquire is None or reading is None or key == self._pending:
            return
        now = self.clock()
        if self._last_ask is not None:
            before, at, as_of = self._last_ask
            if before == key and (now - at < EVERY_S or as_of == reading.as_of):
                return
        self._last_ask, self._pending = (key, now, reading.as_of), key
        self.ask("smile", self._smile_of(inquire, key))

    async def _smile_of(self, inquire: Inquiries, key: tuple[str, str]) -> None:
        root, expiry = key
        try:
            answer = await inquire.smile(expiry, root)
        finally:
            if self._pending == key:
                self._pending = None
        if key == self.smile.wanted:
            self.smile.answer, self.smile.why = answer, ""
            self.again()

    def refused(self, why: str) -> None:
        """The smile cannot be had: say so in its place."""
        self.smile.why = why
        self.again()

    # -- keys --------------------------------------------------------------------------

    @property
    def full(self) -> bool:
        """Whether the smile has the whole screen."""
        return self.has_class("full-smile")

    def on_expiry_table_chosen(self) -> None:
        """Another expiry: its smile at once."""
        self.again()

    def scroll_rows(self, rows: int) -> None:
        """Another expiry; also where only its smile is shown."""
        self.table.scroll_rows(rows)

    def follow(self) -> None:
        """Back to the first expiry."""
        self.table.follow()

    def action_choose(self) -> None:
        """The smile on the whole screen, and back."""
        self.toggle_class("full-smile")
        self.again()

    def action_zoom(self) -> None:
        """More strikes or fewer; where there is no smile on the screen, it."""
        if not self.full and self.size.height < TALL:
            self.action_choose()
            return
        self.smile.zoom = (self.smile.zoom + 1) % len(ZOOMS)
        self.again()
