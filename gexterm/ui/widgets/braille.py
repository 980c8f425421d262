"""A small canvas of dots, two by four to a cell, each cell in one colour."""

from __future__ import annotations

from gexterm.ui.ink import Line, Span
from gexterm.ui.widgets.bars import merge

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_BLANK = 0x2800


class Canvas:
    """`width` × `height` cells; dots count from the upper left, `2 * width` × `4 * height`.

    A cell has one colour: that of the most important dot in it, and only dots of that
    importance show, so that two lines crossing never make a third shape.
    """

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._cells: dict[tuple[int, int], tuple[int, int, str]] = {}
        self._texts: dict[int, list[tuple[int, Span]]] = {}

    def dot(self, x: int, y: int, role: str, importance: int = 0) -> None:
        """Set a dot; outside the canvas nothing happens."""
        if not (0 <= x < 2 * self.width and 0 <= y < 4 * self.height):
            return
        cell = (x // 2, y // 4)
        bit = _DOTS[y % 4][x % 2]
        weight, bits, _ = self._cells.get(cell, (importance, 0, role))
        if importance > weight or not bits:
            self._cells[cell] = (importance, bit, role)
        elif importance == weight:
            self._cells[cell] = (importance, bits | bit, role)

    def stroke(self, x: int, y0: int, y1: int, role: str, importance: int = 0) -> None:
        """A vertical run of dots, ends included: joins neighbouring points of a curve."""
        for y in range(min(y0, y1), max(y0, y1) + 1):
            self.dot(x, y, role, importance)

    def write(self, column: int, row: int, span: Span) -> None:
        """Text over the dots, from a cell on."""
        self._texts.setdefault(row, []).append((column, span))

    def lines(self) -> list[Line]:
        """The canvas, row by row."""
        out: list[Line] = []
        for y in range(self.height):
            cells = []
            for x in range(self.width):
                found = self._cells.get((x, y))
                cells.append((chr(_BLANK | found[1]), found[2], "") if found else (" ", "text", ""))
            for column, span in self._texts.get(y, ()):
                for at, char in enumerate(span.text):
                    if 0 <= column + at < self.width:
                        cells[column + at] = (char, span.fg, span.bg)
            out.append(tuple(merge(cells)) if cells else ())
        return out
