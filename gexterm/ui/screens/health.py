"""The health screen: can the data be trusted, and does the machine keep up."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal

from gexterm.ui.screens.base import View, too_small
from gexterm.ui.widgets import keyline, status, topline
from gexterm.ui.widgets.painted import Painted
from gexterm.ui.widgets.vitalpanel import Ages, Facts


class Health(View):
    """Source, coverage, losses, work; quote age by strike beside them."""

    NAME = "health"
    CHAPTERS = ("Health", "Can it be trusted", "The status line")

    DEFAULT_CSS = """
    Health #main { height: 1fr; }
    Health #facts { width: 1fr; height: 100%; }
    Health #ages { width: 46; height: 100%; display: none; }
    Health.-sided #ages, Health.-wide #ages, Health.-full #ages { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._small = Painted(too_small, id="small")
        self._top = Painted(topline.paint, id="top")
        self.facts, self.ages = Facts(id="facts"), Ages(id="ages")
        self._status = Painted(status.paint, id="status")
        self._keys = Painted(keyline.paint, id="keys")
        self.facts.chapter = self.ages.chapter = "Health"
        self.has_parts((self._small, self._top, self.facts, self.ages, self._status, self._keys))

    def compose(self) -> ComposeResult:
        """Top line, facts, ages, status, keys."""
        yield self._small
        yield self._top
        with Horizontal(id="main"):
            yield self.facts
            yield self.ages
        yield self._status
        yield self._keys

    def scroll_rows(self, rows: int) -> None:
        """The facts where they do not fit, else the ages."""
        if self.facts.total > self.facts.size.height:
            self.facts.skip = max(0, self.facts.skip + rows)
        else:
            self.ages.skip += rows
        self.again()

    def follow(self) -> None:
        """To the top, and to spot."""
        self.facts.skip = self.ages.skip = 0
        self.again()
