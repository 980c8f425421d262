"""Characters that are drawn as shapes, so that bars and lines have no seams.

A font's block elements end where its author thought the cell ends; next to each other
they leave hairlines. Here they are rectangles on the cell grid instead. What the
bundled font lacks altogether (Braille dots, player symbols) is drawn as well.

Coordinates are pixels within a cell of `CELL_WIDTH` × `CELL_HEIGHT`, from its upper left.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache

CELL_WIDTH = 8
"""Pixels across a cell: eighths of a block fall on whole pixels."""
CELL_HEIGHT = 16
"""Pixels down a cell."""

Rect = tuple[float, float, float, float]
"""x, y, width, height, in pixels."""

_W, _H = CELL_WIDTH, CELL_HEIGHT
_ARMS = {
    "LEFT": ("left",),
    "RIGHT": ("right",),
    "UP": ("up",),
    "DOWN": ("down",),
    "HORIZONTAL": ("left", "right"),
    "VERTICAL": ("up", "down"),
}
_THICK = {"LIGHT": 1, "HEAVY": 2}
_DASHES = {"DOUBLE": 2, "TRIPLE": 3, "QUADRUPLE": 4}
_ARCS = {
    "╭": f"M{_W} {_H / 2}Q{_W / 2} {_H / 2} {_W / 2} {_H}",
    "╮": f"M0 {_H / 2}Q{_W / 2} {_H / 2} {_W / 2} {_H}",
    "╯": f"M0 {_H / 2}Q{_W / 2} {_H / 2} {_W / 2} 0",
    "╰": f"M{_W} {_H / 2}Q{_W / 2} {_H / 2} {_W / 2} 0",
}
_QUADRANTS = {
    "▖": "c",
    "▗": "d",
    "▘": "a",
    "▙": "acd",
    "▚": "ad",
    "▛": "abc",
    "▜": "abd",
    "▝": "b",
    "▞": "bc",
    "▟": "bcd",
}
_PLAYER = {
    "⏸": "M1.5 4h2v8h-2zM4.5 4h2v8h-2z",
    "⏵": "M1 3.5L7.5 8L1 12.5z",
    "⏴": "M7 3.5L.5 8L7 12.5z",
    "⏹": "M1 4.5h6v7h-6z",
    "⏺": "M4 5a3 3 0 1 0 .01 0z",
    "⏩": "M0 4L4 8L0 12zM4 4L8 8L4 12z",
    "⏪": "M8 4L4 8L8 12zM4 4L0 8L4 12z",
    "⏭": "M0 4L3.5 8L0 12zM3.5 4L7 8L3.5 12zM7 4h1v8h-1z",
    "⏮": "M8 4L4.5 8L8 12zM4.5 4L1 8L4.5 12zM0 4h1v8h-1z",
}


@dataclass(frozen=True, slots=True)
class Drawn:
    """How one character is drawn."""

    rects: tuple[Rect, ...] = ()
    """Filled rectangles, pixels."""
    fill: str = ""
    """A filled SVG path, pixels; may be empty."""
    stroke: str = ""
    """An SVG path drawn as a line one pixel wide; may be empty."""
    opacity: float = 1.0
    """Of the rectangles: shades are a full block seen through."""


@cache
def drawn(char: str) -> Drawn | None:
    """The shapes of a character, or None when the font shall draw it."""
    code = ord(char)
    if 0x2580 <= code <= 0x259F:
        return _block(char, code)
    if char in _ARCS:
        return Drawn(stroke=_ARCS[char])
    if 0x2500 <= code <= 0x257F:
        return _box(unicodedata.name(char).removeprefix("BOX DRAWINGS "))
    if 0x2800 <= code <= 0x28FF:
        return _braille(code - 0x2800)
    if char in _PLAYER:
        return Drawn(fill=_PLAYER[char])
    return None


def _block(char: str, code: int) -> Drawn:
    if char == "▀":
        return Drawn(((0, 0, _W, _H / 2),))
    if 0x2581 <= code <= 0x2588:
        height = _H * (code - 0x2580) / 8
        return Drawn(((0, _H - height, _W, height),))
    if 0x2589 <= code <= 0x258F:
        return Drawn(((0, 0, _W * (0x2590 - code) / 8, _H),))
    if char == "▐":
        return Drawn(((_W / 2, 0, _W / 2, _H),))
    if char in "░▒▓":
        return Drawn(((0, 0, _W, _H),), opacity=0.25 * (code - 0x2590))
    if char == "▔":
        return Drawn(((0, 0, _W, _H / 8),))
    if char == "▕":
        return Drawn(((_W * 7 / 8, 0, _W / 8, _H),))
    corner = {"a": (0, 0), "b": (_W / 2, 0), "c": (0, _H / 2), "d": (_W / 2, _H / 2)}
    return Drawn(tuple((*corner[c], _W / 2, _H / 2) for c in _QUADRANTS[char]))


def _box(name: str) -> Drawn | None:
    """A box-drawing character from its Unicode name, which says what each arm is like."""
    words = name.split()
    if "DASH" in words:
        return _dashed(words)
    if "DOUBLE" in words or "DIAGONAL" in words:
        return None  # the screen has none of them; the font does
    arms: dict[str, int] = {}
    weight = ""
    for part in name.split(" AND "):
        weight = next((w for w in part.split() if w in _THICK), weight)
        arms |= {arm: _THICK[weight] for w in part.split() for arm in _ARMS.get(w, ())}
    # The middle is as thick as the thickest line that passes at a right angle.
    upright = max(arms.get("up", 0), arms.get("down", 0))
    level = max(arms.get("left", 0), arms.get("right", 0))
    rects: list[Rect] = []
    for arm, thick in arms.items():
        if arm in ("left", "right"):
            reach = _W / 2 + upright / 2
            x = 0 if arm == "left" else _W - reach
            rects.append((x, (_H - thick) / 2, reach, thick))
        else:
            reach = _H / 2 + level / 2
            y = 0 if arm == "up" else _H - reach
            rects.append(((_W - thick) / 2, y, thick, reach))
    return Drawn(tuple(rects))


def _dashed(words: list[str]) -> Drawn:
    count, thick = _DASHES[words[1]], _THICK[words[0]]
    if words[-1] == "HORIZONTAL":
        step = _W / count
        return Drawn(tuple((i * step, (_H - thick) / 2, step - 1, thick) for i in range(count)))
    step = _H / count
    return Drawn(tuple(((_W - thick) / 2, i * step, thick, step - 1) for i in range(count)))


def _braille(bits: int) -> Drawn:
    dots = ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3))
    return Drawn(
        tuple((1 + 4 * x, 1 + 4 * y, 2, 2) for i, (x, y) in enumerate(dots) if bits >> i & 1)
    )


def cells(char: str) -> int:
    """Terminal cells that a character takes: 0, 1 or 2."""
    if char < "\u0300":
        return 1
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
