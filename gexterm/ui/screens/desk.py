"""The desk: the screen that a trader leaves open all day."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from gexterm.ui.prompt import Prompt
from gexterm.ui.screens.base import View, too_small
from gexterm.ui.widgets import (
    book,
    evidence,
    keyline,
    paradigm,
    side,
    status,
    timeline,
    topline,
)
from gexterm.ui.widgets.alerts import AlertList
from gexterm.ui.widgets.ladder import Ladder, asked_strike
from gexterm.ui.widgets.painted import Painted


class Desk(View):
    """Top line, ladder, side panel, alerts, status, keys; what there is room for."""

    NAME = "desk"

    DEFAULT_CSS = """
    Desk #main { height: 1fr; }
    Desk #middle { width: 1fr; height: 100%; }
    Desk #ladder { height: 1fr; }
    Desk #day { display: none; height: 14; }
    Desk #timeline { width: 1fr; height: 100%; }
    Desk #book { display: none; width: 50; height: 100%; }
    Desk #side { display: none; width: 45; height: 100%; }
    Desk #oneline { height: 1; }
    Desk #bottom { height: 1; }
    Desk #alerts { width: 1fr; height: 100%; }
    Desk #evidence { display: none; width: 50; height: 100%; }

    Desk.-tall #bottom { height: 4; }
    Desk.-taller #bottom, Desk.-tallest #bottom { height: 7; }
    Desk.-tallest #day { display: block; }

    Desk.-sided #side, Desk.-wide #side, Desk.-full #side { display: block; }
    Desk.-sided #oneline, Desk.-wide #oneline, Desk.-full #oneline { display: none; }
    Desk.-wide #side { width: 49; }
    Desk.-full #side { width: 50; }
    Desk.-low #bottom { display: none; }

    Desk.-wide.-taller #evidence, Desk.-wide.-tallest #evidence { display: block; }
    Desk.-full.-taller #evidence, Desk.-full.-tallest #evidence { display: block; }
    Desk.-full.-tallest #book { display: block; }

    Desk.open-alerts #bottom { height: 50%; }
    Desk.open-alerts.-low #bottom { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.ladder = Ladder(id="ladder")
        """The strike ladder."""
        self.alert_list = AlertList(id="alerts")
        """The alerts."""
        self._small = Painted(too_small, id="small")
        self._top = Painted(topline.paint, id="top")
        self._timeline = Painted(timeline.paint, id="timeline")
        self._oneline = Painted(paradigm.one_row, id="oneline")
        self._evidence = Painted(evidence.paint, id="evidence")
        self._book = Painted(book.paint, id="book")
        self._side = side.SidePanel(
            (
                (self._evidence, evidence.section),
                (self._book, book.section),
                (self._book, book.spot_vol),
            ),
            id="side",
        )
        self._status = Painted(status.paint, id="status")
        self._keys = Painted(keyline.paint, id="keys")
        for part, chapter in (
            (self._top, "How to read the desk"), (self.ladder, "Ladder"),
            (self._oneline, "0DTE paradigm"), (self._evidence, "Whose book it is"),
            (self._book, "The whole book"), (self._side, "0DTE paradigm"),
            (self._status, "The status line"),
        ):  # fmt: skip
            part.chapter = chapter
        self.has_parts((
            self._small, self._top, self.ladder, self._timeline, self._oneline,
            self.alert_list, self._evidence, self._book, self._side, self._status, self._keys,
        ))  # fmt: skip

    def compose(self) -> ComposeResult:
        """The parts, top to bottom."""
        yield self._small
        yield self._top
        with Horizontal(id="main"):
            with Vertical(id="middle"):
                yield self.ladder
                with Horizontal(id="day"):
                    yield self._timeline
                    yield self._book
                yield self._oneline
                with Horizontal(id="bottom"):
                    yield self.alert_list
                    yield self._evidence
            yield self._side
        yield self._status
        yield self._keys

    @property
    def alerts_open(self) -> bool:
        """Whether the list of alerts is open."""
        return self.has_class("open-alerts")

    def toggle_alerts(self) -> None:
        """Open or close the list of alerts."""
        self.alert_list.skip = 0
        self.toggle_class("open-alerts")

    def scroll_rows(self, rows: int) -> None:
        """Arrow keys and the wheel: the open list of alerts, else the ladder."""
        (self.alert_list if self.alerts_open else self.ladder).scroll_rows(rows)

    def page(self, direction: int) -> None:
        """Page keys."""
        if self.alerts_open:
            self.alert_list.scroll_rows(direction * max(1, self.alert_list.size.height - 2))
        else:
            self.ladder.page(direction)

    def action_find_strike(self) -> None:
        """Go to a strike."""

        def found(text: str | None) -> None:
            if text:
                self.ladder.go_to(asked_strike(text))

        question = "Go to which strike?"
        self.app.push_screen(Prompt(question, example=self.near_spot, check=asked_strike), found)

    def follow(self) -> None:
        """Centre on spot and follow it again."""
        self.ladder.follow()
