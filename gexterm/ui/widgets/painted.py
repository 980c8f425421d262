"""A widget made of lines: it paints only the rows that changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.segment import Segment
from textual.color import Color
from textual.events import Resize, Show
from textual.filter import ANSIToTruecolor
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from gexterm.ui import words
from gexterm.ui.frame import Frame
from gexterm.ui.glyphs import ascii_line
from gexterm.ui.ink import Line, fit
from gexterm.ui.themes import FALLBACK, Palette


def harmless(line: Line) -> Line:
    """The line without anything that a terminal would obey.

    Painters clean what comes from outside; should one forget it, it ends here.
    """
    if all(span.text.isprintable() for span in line):
        return line
    return tuple(span._replace(text=words.harmless(span.text)) for span in line)


Paint = Callable[[Frame, int, int], Sequence[Line]]
"""Frame, width and height to lines, top to bottom; missing rows are blank."""


def _blocks(rows: Sequence[int], width: int) -> list[Region]:
    """Rows that follow each other as one region: each region costs Textual a pass."""
    out: list[Region] = []
    for y in rows:
        if out and out[-1].bottom == y:
            out[-1] = Region(0, out[-1].y, width, out[-1].height + 1)
        else:
            out.append(Region(0, y, width, 1))
    return out


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
        self.chapter = ""
        """The glossary's chapter that explains it."""
        self.palette: Palette = FALLBACK
        """Colours; set by the screen."""
        self.frame: Frame | None = None
        """What is shown."""
        self._lines: list[Line] = []
        self._strips: list[Strip | None] = []
        self._width = 0

    @property
    def displayed(self) -> bool:
        """Whether it has a place on the screen, as the screen is now."""
        return self.display and all(
            node.display for node in self.ancestors if isinstance(node, Widget)
        )

    def paint(self, frame: Frame, width: int, height: int) -> Sequence[Line]:
        """The lines of a frame. Widgets with a state of their own override this."""
        return self._paint_with(frame, width, height) if self._paint_with else ()

    def show(self, frame: Frame) -> None:
        """Show a frame from now on. What is hidden is painted when it appears."""
        self.frame = frame
        if self.display:
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
        lines = [tuple(line) for line in self.paint(self.frame, width, height)][:height]
        lines += [()] * (height - len(lines))
        before = self._lines
        if len(before) != height or self._width != width:
            self._lines, self._strips, self._width = lines, [None] * height, width
            self.refresh()
            return
        changed = [y for y in range(height) if lines[y] != before[y]]
        if not changed:
            return
        self._lines = lines
        for y in changed:
            self._strips[y] = None
        self.refresh(*_blocks(changed, width))

    def on_resize(self, _event: Resize) -> None:
        """A new size: paint at once, so that no frame shows the old width."""
        self.repaint()

    def on_show(self, _event: Show) -> None:
        """Seen again after it was hidden: at the same size no other event comes."""
        self.repaint()

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows that Textual asks for.

        There is no border, padding or translucency here, and every colour is already a
        true one: what is left of the usual way is cutting, and the filters that a
        terminal without colours needs. That halves what a frame costs. A palette of the
        terminal's own colours is past all filters: they would make greys of its defaults.
        """
        # Asking a widget for its size costs as much as cutting a row.
        width = self.size.width
        strips = [self._strip_at(y, width).crop(crop.x, crop.right) for y in crop.line_range]
        if self.palette.terminal is not None:
            return strips
        background = Color.parse(self.palette.colors["background"])
        for each in self.get_line_filters():
            if not isinstance(each, ANSIToTruecolor):
                strips = [strip.apply_filter(each, background) for strip in strips]
        return strips

    def render_line(self, y: int) -> Strip:
        """One row."""
        return self._strip_at(y, self.size.width)

    def _strip_at(self, y: int, width: int) -> Strip:
        if y >= len(self._lines):
            return Strip.blank(width, self.palette.style(fit((), 1)[0]))
        strip = self._strips[y]
        if strip is None:
            line = fit(harmless(self._lines[y]), self._width)
            strip = self._strips[y] = self._strip(line)
        return strip.adjust_cell_length(width)

    def _strip(self, line: Line) -> Strip:
        # Blanks look alike in any text colour: joined to what stands before them they
        # save a third of the segments that Textual has to cut, and of the bytes sent.
        style = self.palette.style
        if self.palette.ascii:
            line = ascii_line(line)
        segments: list[Segment] = []
        text, look, blank = "", line[0], True
        for span in line:
            here = not span.underline and span.text.isspace()
            same = span.bg == look.bg and not look.underline and not span.underline
            if same and (here or blank or (span.fg == look.fg and span.bold == look.bold)):
                text += span.text
                if blank and not here:
                    look, blank = span, False
                continue
            segments.append(Segment(text, style(look)))
            text, look, blank = span.text, span, here
        segments.append(Segment(text, style(look)))
        return Strip(segments, self._width)
