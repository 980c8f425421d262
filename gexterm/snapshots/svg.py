"""A picture as SVG: text on a cell grid, bars and lines as shapes without seams.

The file needs no style sheet and no network. Text keeps to the grid in any monospace
font: every stretch of it says how long it has to be. All text is escaped, whatever a
feed put into it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.sax.saxutils import escape

from gexterm.snapshots.glyphs import CELL_HEIGHT, CELL_WIDTH, Rect, cells, drawn
from gexterm.snapshots.picture import Picture, Run

FONT_FAMILY = "DejaVu Sans Mono"
FONT_SIZE = CELL_WIDTH / (1233 / 2048)
"""Pixels: at this size the bundled font advances by exactly one cell."""
_BASELINE = 12.25
_PAD = 12
_TITLE = 24
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
# XML 1.0 has no way to write these, not even escaped.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class _Cell:
    """One character and where it stands."""

    char: str
    column: int
    width: int


def to_svg(picture: Picture, title: str = "", frame: bool = True) -> str:
    """The picture as an SVG document.

    `frame` adds a margin with a thin rounded border, `title` a line of text above the
    cells (and the document's own title). Raises ValueError for a colour that is none.
    """
    pad = _PAD if frame else 0
    top = pad + (_TITLE if title else 0)
    width = picture.width * CELL_WIDTH + 2 * pad
    height = picture.height * CELL_HEIGHT + top + pad
    background, foreground = _colour(picture.background), _colour(picture.foreground)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="{FONT_FAMILY},monospace" '
        f'font-size="{_n(FONT_SIZE)}">',
    ]
    if title:
        parts.append(f"<title>{_text(title)}</title>")
    if frame:
        parts.append(
            f'<rect x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="7" '
            f'fill="{background}" stroke="{foreground}" stroke-opacity=".35"/>'
        )
    else:
        parts.append(f'<rect width="{width}" height="{height}" fill="{background}"/>')
    if title:
        parts.append(
            f'<text x="{width / 2:g}" y="{pad + 10}" fill="{foreground}" fill-opacity=".7" '
            f'text-anchor="middle">{_text(title)}</text>'
        )
    parts.append(f'<g transform="translate({pad} {top})" xml:space="preserve">')
    for number, row in enumerate(picture.rows[: picture.height]):
        parts.extend(_row(row, number * CELL_HEIGHT, picture.width, background))
    parts.append("</g></svg>\n")
    return "\n".join(parts)


def _row(row: tuple[Run, ...], y: int, width: int, background: str) -> Iterator[str]:
    placed: list[tuple[Run, list[_Cell], int, int]] = []
    column = 0
    for run in row:
        found, after = _place(run.text, column, width)
        placed.append((run, found, column, after))
        column = after
    yield from _backgrounds(placed, y, background)
    for run, found, start, after in placed:
        colour = _colour(run.fg)
        yield from _shapes(found, y, colour)
        yield from _texts(run, found, y, colour)
        if run.underline and after > start:
            x, w = start * CELL_WIDTH, (after - start) * CELL_WIDTH
            yield _rect((x, y + CELL_HEIGHT - 2, w, 1), colour)


def _place(text: str, column: int, width: int) -> tuple[list[_Cell], int]:
    """The cells of a text from a column on, cut at the picture's width."""
    found: list[_Cell] = []
    for char in text:
        wide = cells(char)
        if wide == 0:
            if found:
                last = found[-1]
                found[-1] = _Cell(last.char + char, last.column, last.width)
            continue
        if column + wide > width:
            break
        found.append(_Cell(char, column, wide))
        column += wide
    return found, column


def _backgrounds(
    placed: list[tuple[Run, list[_Cell], int, int]], y: int, background: str
) -> Iterator[str]:
    """One rectangle per stretch of one colour; none where it is the picture's own."""
    stretches: list[list[int | str]] = []
    for run, _, start, after in placed:
        colour = _colour(run.bg)
        if after == start or colour == background:
            continue
        if stretches and stretches[-1][0] == colour and stretches[-1][2] == start:
            stretches[-1][2] = after
        else:
            stretches.append([colour, start, after])
    for colour_, start_, after_ in stretches:
        x, w = int(start_) * CELL_WIDTH, (int(after_) - int(start_)) * CELL_WIDTH
        yield _rect((x, y, w, CELL_HEIGHT), str(colour_))


def _shapes(found: list[_Cell], y: int, colour: str) -> Iterator[str]:
    """Bars and lines; rectangles that continue each other become one."""
    open_: list[tuple[Rect, float]] = []
    for cell in found:
        shape = drawn(cell.char) if len(cell.char) == 1 else None
        if shape is None:
            continue
        x = cell.column * CELL_WIDTH
        for rx, ry, rw, rh in shape.rects:
            rect = (x + rx, y + ry, rw, rh)
            if open_:
                (lx, ly, lw, lh), opacity = open_[-1]
                joins = (lx + lw, ly, lh, opacity) == (rect[0], rect[1], rh, shape.opacity)
                if joins:
                    open_[-1] = ((lx, ly, lw + rw, lh), opacity)
                    continue
            open_.append((rect, shape.opacity))
        place = f'transform="translate({x} {y})"'
        if shape.stroke:
            yield f'<path d="{shape.stroke}" {place} fill="none" stroke="{colour}"/>'
        if shape.fill:
            yield f'<path d="{shape.fill}" {place} fill="{colour}"/>'
    for rect, opacity in open_:
        yield _rect(rect, colour, opacity)


def _texts(run: Run, found: list[_Cell], y: int, colour: str) -> Iterator[str]:
    """Stretches of text: between shapes, wide characters and wider gaps."""
    stretch: list[_Cell] = []
    for cell in [*found, None]:
        joins = cell is not None and cell.width == 1 and not _is_shape(cell)
        if joins and cell is not None:
            stretch.append(cell)
            if [c.char for c in stretch[-3:]] != [" "] * 3:
                continue
        yield from _text_element(run, stretch, y, colour)
        stretch = []
        if cell is not None and not joins and not _is_shape(cell):
            yield from _text_element(run, [cell], y, colour)


def _is_shape(cell: _Cell) -> bool:
    return len(cell.char) == 1 and drawn(cell.char) is not None


def _text_element(run: Run, stretch: list[_Cell], y: int, colour: str) -> Iterator[str]:
    while stretch and stretch[-1].char.isspace():
        stretch = stretch[:-1]
    while stretch and stretch[0].char.isspace():
        stretch = stretch[1:]
    if not stretch:
        return
    x = stretch[0].column * CELL_WIDTH
    length = sum(cell.width for cell in stretch) * CELL_WIDTH
    style = ' font-weight="bold"' if run.bold else ""
    style += ' font-style="italic"' if run.italic else ""
    text = _text("".join(cell.char for cell in stretch))
    yield (
        f'<text x="{x}" y="{_n(y + _BASELINE)}" textLength="{length}" '
        f'lengthAdjust="spacingAndGlyphs" fill="{colour}"{style}>{text}</text>'
    )


def _rect(rect: Rect, colour: str, opacity: float = 1.0) -> str:
    x, y, w, h = (_n(v) for v in rect)
    through = f' fill-opacity="{_n(opacity)}"' if opacity < 1 else ""
    return (
        f'<rect x="{x}" y="{y}" width="{w}" height="{h}" fill="{colour}"{through} '
        f'shape-rendering="crispEdges"/>'
    )


def _text(text: str) -> str:
    return escape(_UNWRITABLE.sub("�", text))


def _colour(colour: str) -> str:
    if not _COLOUR.fullmatch(colour):
        raise ValueError(f"{colour!r} is no colour of the form #rrggbb")
    return colour.lower()


def _n(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".")
