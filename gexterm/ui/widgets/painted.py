"""A widget made of lines: it paints only the rows that changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.segment import Segment
from textual.events import Resize
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, fit
from gexterm.ui.themes import FALLBACK, Palette

Paint = Callable[[Frame, int, int], Sequence[Line]]
"""Frame, width and height to lines, top to bottom; missing rows are blank."""


class Painted(Widget):
    """Lines of spans on Textual's line API.

    A table widget repaints whole rows of cells for one changed number; here a frame
    costs what it changes. `render_line` only looks up a strip made before.
    """

    ALLOW_SELECT = False

    def __init__(
        self,
        paint: Paint | None = None,
        *,
        id: str | None = None,  # noqa: A002 - as in every widget
    ) -> None:
        super().__init__(id=id)
        self._paint_with = paint
        self.palette: Palette = FALLBACK
        """Colours; set by the screen."""
        self.frame: Frame | None = None
        """What is shown."""
        self._lines: list[Line] = []
        self._strips: list[Strip | None] = []

    def paint(self, frame: Frame, width: int, height: int) -> Sequence[Line]:
        """The lines of a frame. Widgets with a state of their own override this."""
        return self._paint_with(frame, width, height) if self._paint_with else ()

    def show(self, frame: Frame) -> None:
        """Show a frame from now on."""
        self.frame = frame
        self.repaint()

    def recolor(self, palette: Palette) -> None:
        """Take other colours."""
        self.palette = palette
        self._strips = [None] * len(self._lines)
        self.refresh()

    def repaint(self) -> None:
        """Paint the frame anew, as far as it differs from what is on screen."""
        width, height = self.size
        if self.frame is None or width <= 0 or height <= 0:
            return
        blank = fit((), width)
        lines = [fit(line, width) for line in self.paint(self.frame, width, height)][:height]
        lines += [blank] * (height - len(lines))
        before = self._lines
        if len(before) != height:
            self._lines, self._strips = lines, [None] * height
            self.refresh()
            return
        changed = [y for y in range(height) if lines[y] != before[y]]
        if not changed:
            return
        self._lines = lines
        for y in changed:
            self._strips[y] = None
        self.refresh(*(Region(0, y, width, 1) for y in changed))

    def on_resize(self, _event: Resize) -> None:
        """A new size: paint at once, so that no frame shows the old width."""
        self.repaint()

    def render_line(self, y: int) -> Strip:
        """One row."""
        if y >= len(self._lines):
            return Strip.blank(self.size.width, self.palette.style(fit((), 1)[0]))
        strip = self._strips[y]
        if strip is None:
            style = self.palette.style
            strip = Strip([Segment(span.text, style(span)) for span in self._lines[y]])
            self._strips[y] = strip
        return strip.adjust_cell_length(self.size.width)
