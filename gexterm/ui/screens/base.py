"""What every screen of the monitor has: parts that are shown frames, and its own keys."""

from __future__ import annotations

import inspect
import logging
import math
from collections.abc import Coroutine, Iterable
from functools import partial
from typing import Any, ClassVar

from textual.binding import Binding
from textual.events import Click, MouseScrollDown, MouseScrollUp, ScreenResume
from textual.screen import Screen
from textual.worker import WorkType

from gexterm.errors import GextermError
from gexterm.reading.inquiry import Inquiries
from gexterm.ui import words
from gexterm.ui.actions import BY_ID, of_screen
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, fit
from gexterm.ui.themes import FALLBACK, Palette
from gexterm.ui.widgets.painted import Painted

LEAST_WIDTH, LEAST_HEIGHT = 40, 10
"""Below this a message stands in for a screen."""

_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())


def too_small(_frame: Frame, width: int, height: int) -> list[Line]:
    """What a terminal this small is told."""
    text = f"gexterm needs at least {LEAST_WIDTH}×{LEAST_HEIGHT}"
    said = (
        [text]
        if len(text) <= width
        else ["gexterm needs", f"at least {LEAST_WIDTH}×{LEAST_HEIGHT}"]
    )
    pad = max(0, (height - len(said)) // 2)
    centred = [fit((Span(word.center(width), "text"),), width) for word in said]
    return [*([fit((), width)] * pad), *centred]


def bindings(name: str, own: Iterable[str] = ()) -> list[Any]:
    """Textual's bindings of the actions that belong to a screen, and of others by id."""
    return [
        Binding(",".join(action.keys), action.id, action.title, id=action.id, show=False)
        for action in (*of_screen(name), *(BY_ID[each] for each in own))
    ]


class View(Screen[None]):
    """A screen of the monitor. A subclass names itself, its parts, and what its keys do.

    `show` is called with every frame while it is on top, and once when it comes there.
    What it asks for (`ask`) is asked in the background; the newest question of a name wins.
    """

    NAME: ClassVar[str] = ""
    """As of `actions.SCREENS`."""
    CHAPTERS: ClassVar[tuple[str, ...]] = ()
    """Titles of the glossary's chapters that explain it; help shows them first."""
    OWN: ClassVar[tuple[str, ...]] = ()
    """Actions of the whole monitor that this screen does in a way of its own."""

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
    View { background: $gx-background; color: $gx-text; layout: vertical; overflow: hidden; }
    View Painted, View Horizontal, View Vertical { background: $gx-background; }
    View #small { display: none; height: 1fr; }
    View #top { height: 1; }
    View.-tall #top, View.-taller #top, View.-tallest #top { height: 3; }
    View #status { height: 1; }
    View #keys { height: 1; }
    View.-low #status { display: none; }
    View.-no-width > *, View.-no-height > * { display: none; }
    View.-no-width > #small, View.-no-height > #small { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.palette = FALLBACK
        """Colours of every part."""
        self.frame: Frame | None = None
        """What is shown."""
        self._parts: tuple[Painted, ...] = ()
        self._questions: dict[str, Coroutine[Any, Any, None]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        if cls.NAME:
            cls.BINDINGS = bindings(cls.NAME, cls.OWN)
        super().__init_subclass__(**options)

    def has_parts(self, parts: Iterable[Painted]) -> None:
        """Say which widgets are handed frames: asking Textual for them costs more than painting."""
        self._parts = tuple(parts)

    def show(self, frame: Frame) -> None:
        """Hand a frame to every part. A screen that is being taken down shows nothing."""
        if not self.is_mounted:
            return
        self.frame = frame
        for part in self._parts:
            if part.palette is not self.palette:
                part.recolor(self.palette)
            part.show(frame)

    def again(self) -> None:
        """Show the last frame once more: a cursor moved, an answer came."""
        if self.frame is not None:
            self.show(self.frame)

    def recolor(self, palette: Palette) -> None:
        """Hand other colours to every part."""
        self.palette = palette
        for part in self._parts:
            part.recolor(palette)

    @property
    def near_spot(self) -> str:
        """A price near spot, as an example of what to enter; empty while none is known."""
        reading = self.frame.reading if self.frame else None
        known = reading is not None and math.isfinite(reading.spot)
        return f"{reading.spot:.0f}" if reading is not None and known else ""

    # -- questions ---------------------------------------------------------------------

    @property
    def inquire(self) -> Inquiries | None:
        """Whom to ask; None while nothing is known."""
        return self.frame.inquire if self.frame else None

    def ask(self, name: str, question: Coroutine[Any, Any, None]) -> None:
        """Ask in the background. A newer question of the same name takes its place."""
        self._withdraw(name)
        self._questions[name] = question
        ask: WorkType[None] = partial(self._asked, question)
        self.run_worker(ask, name=name, group=f"ask-{name}", exclusive=True)

    def _withdraw(self, name: str) -> None:
        # A worker that is cancelled before its turn leaves its question unasked, and Python warns.
        question = self._questions.pop(name, None)
        if question is not None and inspect.getcoroutinestate(question) == inspect.CORO_CREATED:
            question.close()

    def on_unmount(self) -> None:
        """Nothing is asked any more."""
        for name in tuple(self._questions):
            self._withdraw(name)

    async def _asked(self, question: Coroutine[Any, Any, None]) -> None:
        try:
            await question
        except GextermError as error:
            self.refused(words.clean(str(error)))
        except Exception as error:
            # A question that cannot be answered must not cost the user session and recording.
            _log.exception("a question of %s failed", self.NAME)
            self.refused(words.clean(f"internal error: {type(error).__name__}: {error}"))

    def refused(self, why: str) -> None:
        """A question could not be answered. Screens with a place for it say so there."""

    # -- rows --------------------------------------------------------------------------

    def scroll_rows(self, rows: int) -> None:
        """Arrow keys and the wheel."""

    def page(self, direction: int) -> None:
        """Page keys; −1 up, 1 down."""
        self.scroll_rows(direction * max(1, self.size.height // 2))

    def follow(self) -> None:
        """Back to spot, or to the top."""

    def action_scroll_up(self) -> None:
        """A row up."""
        self.scroll_rows(-1)

    def action_scroll_down(self) -> None:
        """A row down."""
        self.scroll_rows(1)

    def action_page_up(self) -> None:
        """A page up."""
        self.page(-1)

    def action_page_down(self) -> None:
        """A page down."""
        self.page(1)

    def action_follow(self) -> None:
        """Back to spot."""
        self.follow()

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """The wheel, down."""
        event.stop()
        self.scroll_rows(1)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """The wheel, up."""
        event.stop()
        self.scroll_rows(-1)

    def on_click(self, event: Click) -> None:
        """The other mouse button on a panel: what it is."""
        explain = getattr(self.app, "explain", None)
        if event.button != 3 or explain is None or not self.is_current:
            return
        event.stop()
        over, _ = self.get_widget_at(event.screen_x, event.screen_y)
        explain(over.chapter if isinstance(over, Painted) else "")

    def on_screen_resume(self, _event: ScreenResume) -> None:
        """On top again: what was shown here is old."""
        refresh = getattr(self.app, "refresh_screen", None)
        if refresh is not None:
            refresh()
