"""The desk: the screen that a trader leaves open all day."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.events import MouseScrollDown, MouseScrollUp
from textual.screen import Screen

from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, fit
from gexterm.ui.themes import FALLBACK, Palette
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
from gexterm.ui.widgets.ladder import Ladder
from gexterm.ui.widgets.painted import Painted

LEAST_WIDTH, LEAST_HEIGHT = 40, 10
"""Below this a message stands in for the desk."""


def too_small(_frame: Frame, width: int, height: int) -> list[Line]:
    """What a terminal this small is told."""
    text = f"gexterm needs at least {LEAST_WIDTH}×{LEAST_HEIGHT}"
    words = (
        [text]
        if len(text) <= width
        else ["gexterm needs", f"at least {LEAST_WIDTH}×{LEAST_HEIGHT}"]
    )
    pad = max(0, (height - len(words)) // 2)
    centred = [fit((Span(word.center(width), "text"),), width) for word in words]
    return [*([fit((), width)] * pad), *centred]


class Desk(Screen[None]):
    """Top line, ladder, side panel, alerts, status, keys; what there is room for."""

    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - Textual's own spelling
        (0, "-no-width"),
        (LEAST_WIDTH, "-narrow"),
        (104, "-sided"),
        (150, "-wide"),
        (190, "-full"),
    ]
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012 - Textual's own spelling
        (0, "-no-height"),
        (LEAST_HEIGHT, "-low"),
        (14, "-short"),
        (32, "-tall"),
        (44, "-taller"),
        (56, "-tallest"),
    ]

    DEFAULT_CSS = """
    Desk {
        background: $gx-background;
        color: $gx-text;
        layout: vertical;
        overflow: hidden;
    }
    Desk Painted, Desk Horizontal, Desk Vertical { background: $gx-background; }
    Desk #small { display: none; height: 1fr; }
    Desk #top { height: 1; }
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
    Desk #status { height: 1; }
    Desk #keys { height: 1; }

    Desk.-tall #top { height: 3; }
    Desk.-taller #top, Desk.-tallest #top { height: 3; }
    Desk.-tall #bottom { height: 4; }
    Desk.-taller #bottom, Desk.-tallest #bottom { height: 7; }
    Desk.-tallest #day { display: block; }

    Desk.-sided #side, Desk.-wide #side, Desk.-full #side { display: block; }
    Desk.-sided #oneline, Desk.-wide #oneline, Desk.-full #oneline { display: none; }
    Desk.-wide #side { width: 49; }
    Desk.-full #side { width: 50; }
    Desk.-low #status, Desk.-low #bottom { display: none; }

    Desk.-wide.-taller #evidence, Desk.-wide.-tallest #evidence { display: block; }
    Desk.-full.-taller #evidence, Desk.-full.-tallest #evidence { display: block; }
    Desk.-full.-tallest #book { display: block; }

    Desk.open-alerts #bottom { height: 50%; }
    Desk.open-alerts.-low #bottom { display: block; }

    Desk.-no-width > *, Desk.-no-height > * { display: none; }
    Desk.-no-width #small, Desk.-no-height #small { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.palette = FALLBACK
        """Colours of every part."""
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
        # Kept, since asking Textual for its widgets costs more than painting them.
        self._parts = (
            self._small, self._top, self.ladder, self._timeline, self._oneline,
            self.alert_list, self._evidence, self._book, self._side, self._status, self._keys,
        )  # fmt: skip

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

    def show(self, frame: Frame) -> None:
        """Hand a frame to every part. A screen that is being taken down shows nothing."""
        if not self.is_mounted:
            return
        for part in self._parts:
            if part.palette is not self.palette:
                part.recolor(self.palette)
            part.show(frame)

    def recolor(self, palette: Palette) -> None:
        """Hand other colours to every part."""
        self.palette = palette
        for part in self._parts:
            part.recolor(palette)

    def scroll_rows(self, rows: int) -> None:
        """Arrow keys and the wheel: the open list of alerts, else the ladder."""
        (self.alert_list if self.alerts_open else self.ladder).scroll_rows(rows)

    def page(self, direction: int) -> None:
        """Page keys."""
        if self.alerts_open:
            self.alert_list.scroll_rows(direction * max(1, self.alert_list.size.height - 2))
        else:
            self.ladder.page(direction)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """The wheel towards lower strikes."""
        event.stop()
        self.scroll_rows(1)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """The wheel towards higher strikes."""
        event.stop()
        self.scroll_rows(-1)
