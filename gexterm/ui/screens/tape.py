"""The tape screen: signed trades as they come, and what changed the book most."""

from __future__ import annotations

import time

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from gexterm.reading.inquiry import Inquiries
from gexterm.ui.frame import Frame
from gexterm.ui.screens.base import View, too_small
from gexterm.ui.widgets import keyline, status, topline
from gexterm.ui.widgets.movers import Movers
from gexterm.ui.widgets.painted import Painted
from gexterm.ui.widgets.tapelist import SIZES, TapeList

EVERY_S = 0.25
"""The tape is asked for no more often than this, seconds: no eye reads faster."""


class Tape(View):
    """Prints with their evidence, and the largest changes of the book beside or below them."""

    NAME = "tape"
    CHAPTERS = ("Tape", "Whose book it is")

    DEFAULT_CSS = """
    Tape #main { height: 1fr; }
    Tape #left { width: 1fr; height: 100%; }
    Tape #prints { height: 1fr; }
    Tape #below { height: 9; display: none; }
    Tape.-tall #below, Tape.-taller #below, Tape.-tallest #below { display: block; }
    Tape #beside { width: 50; height: 100%; display: none; }
    Tape.-wide #beside, Tape.-full #beside { display: block; }
    Tape.-wide #below, Tape.-full #below { display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._small = Painted(too_small, id="small")
        self._top = Painted(topline.paint, id="top")
        self.prints = TapeList(id="prints")
        """The prints."""
        self._below, self._beside = Movers(id="below"), Movers(id="beside")
        self._status = Painted(status.paint, id="status")
        self._keys = Painted(keyline.paint, id="keys")
        for part in (self.prints, self._below, self._beside):
            part.chapter = "Tape"
        self._asked_at = 0.0
        self.has_parts(
            (self._small, self._top, self.prints, self._below, self._beside, self._status,
             self._keys)
        )  # fmt: skip

    def compose(self) -> ComposeResult:
        """Top line, prints, changes, status, keys."""
        yield self._small
        yield self._top
        with Horizontal(id="main"):
            with Vertical(id="left"):
                yield self.prints
                yield self._below
            yield self._beside
        yield self._status
        yield self._keys

    def show(self, frame: Frame) -> None:
        """Ask for the newest prints with every frame, but not too often."""
        super().show(frame)
        now = time.monotonic()
        if frame.inquire is not None and now - self._asked_at >= EVERY_S:
            self._asked_at = now
            self.ask("tape", self._fetch(frame.inquire))

    async def _fetch(self, inquire: Inquiries) -> None:
        tail = await inquire.tape(self.prints.wanted(), SIZES[self.prints.least])
        self.prints.why = ""
        if tail != self.prints.tail:
            self.prints.tail = tail
            self.again_painted()

    def again_painted(self) -> None:
        """Paint the prints anew; the rest has not changed."""
        if self.frame is not None:
            self.prints.show(self.frame)

    def refused(self, why: str) -> None:
        """Say it where the prints would be."""
        self.prints.why = why
        self.again_painted()

    def _ask_again(self) -> None:
        self._asked_at = 0.0
        self.again()

    # -- keys --------------------------------------------------------------------------

    def scroll_rows(self, rows: int) -> None:
        """Older or newer prints."""
        self.prints.scroll_rows(rows)
        self._ask_again()

    def page(self, direction: int) -> None:
        """A page of prints."""
        self.scroll_rows(direction * max(1, self.prints.size.height - 4))

    def follow(self) -> None:
        """To the newest, and follow them."""
        self.prints.skip, self.prints.from_row = 0, -1
        self._ask_again()

    def action_filter_next(self) -> None:
        """Larger prints only."""
        self._filter(1)

    def action_filter_previous(self) -> None:
        """Smaller prints too."""
        self._filter(-1)

    def _filter(self, step: int) -> None:
        self.prints.least = max(0, min(len(SIZES) - 1, self.prints.least + step))
        self.prints.tail = None
        self.follow()
