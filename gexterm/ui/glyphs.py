"""Plain characters instead of blocks, dots and Greek, for terminals that have no others.

Painters draw with the characters they mean; where a terminal lacks them a finished line
is put into ASCII, cell for cell, so that columns stay where they are. A few signs take
more letters (`σ` is `sd`): they take the cells of blanks nearby, and have a shorter
form for lines where there is none.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TypeVar

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from gexterm.ui.ink import Line, Span, cell_len
from gexterm.ui.palette import GROUNDS

SIGNS: Mapping[str, tuple[str, str]] = {
    "σ": ("sd", "z"), "±": ("+-", "~"), "…": ("..", "~"), "→": ("->", ">"), "←": ("<-", "<"),
    "≥": (">=", ">"), "≤": ("<=", "<"), "γ": ("gamma", "g"),
    "Γ": ("gamma", "G"), "Σ": ("sum", "S"), "√": ("sqrt", "v"), "²": ("^2", "2"),
    "³": ("^3", "3"), "½": ("1/2", "h"), "ν": ("vega", "v"), "∞": ("inf", "i"),
    "∂": ("d", "d"), "Δ": ("d", "d"), "π": ("p", "p"), "λ": ("l", "l"), "β": ("b", "b"),
    "κ": ("k", "k"), "η": ("n", "n"), "ε": ("e", "e"), "φ": ("f", "f"), "µ": ("u", "u"),
    "μ": ("u", "u"), "θ": ("t", "t"), "τ": ("t", "t"), "ρ": ("r", "r"), "α": ("a", "a"),
    "δ": ("d", "d"),
}  # fmt: skip
"""What is written in letters: in full, and in one cell."""

MARKS: Mapping[str, str] = {
    "−": "-", "–": "-", "—": "-", "×": "x", "·": ".", "•": "o", "°": "o", "≈": "~", "⁻": "-",
    "▲": "^", "▴": "^", "△": "^", "↑": "^", "▼": "v", "▾": "v", "▽": "v", "↓": "v",
    "▸": ">", "▶": ">", "►": ">", "›": ">", "◂": "<", "◀": "<", "◄": "<", "‹": "<",
    "●": "*", "◉": "@", "○": "o", "◎": "@", "◌": "o", "◆": "*", "◇": "o", "★": "*", "☆": "o",
    "■": "#", "□": "o", "▪": "*", "▫": "o", "✓": "y", "✔": "y", "✗": "x", "✘": "x", "✕": "x",
    "⚠": "!", "≠": "!", "ℹ": "i", "⏸": "=", "⏵": ">", "⏺": "*", "⟳": "@", "↕": "|", "↔": "-",
    "↵": "<",
    "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "′": "'", "″": '"', "«": "<", "»": ">",
    "╱": "/", "╲": "\\", "╳": "x", "␣": "_", "§": "S", "¶": "P", "€": "E", "£": "L", "¥": "Y",
}  # fmt: skip
"""What is drawn with another single character."""

# A cell filled from its left edge, by eighths; from its right edge; from below.
_FROM_LEFT = dict(zip("▏▎▍▌▋▊▉█", "||--==##", strict=True))
_FROM_RIGHT = dict(zip("▏▎▍▌▋▊▉", "#==--||", strict=True))
_IN_BARS = frozenset(_FROM_RIGHT) | {"·", "•"}
_FROM_BELOW = dict(zip("▁▂▃▄▅▆▇", "_.-=+*%", strict=True))
_SHADES = {"░": ".", "▒": ":", "▓": "%", "▐": "|", "▕": "|", "▀": '"', "▔": '"'}
_GRAPH = range(0x2500, 0x25A0)  # box drawing and blocks
_BRAILLE = range(0x2800, 0x2900)
_ROWS = (0x09, 0x12, 0x24, 0xC0)  # dots of a braille cell, row by row

Look = TypeVar("Look")


@lru_cache(maxsize=256)
def _dots(bits: int) -> str:
    """A cell of two by four dots: where in it the line runs."""
    if not bits:
        return " "
    rows = [bool(bits & row) for row in _ROWS]
    first, last = rows.index(True), 3 - rows[::-1].index(True)
    if bits.bit_count() >= 6:
        return "#"
    if last - first >= 2:
        return "|" if all(rows[first : last + 1]) else ":"
    return "'--."[first] if first == last else "'-."[first]


def _boxed(code: int) -> str:
    """A rule or a corner: by whether Unicode's name for it goes across, down, or both."""
    name = unicodedata.name(chr(code), "")
    across = "HORIZONTAL" in name or "LEFT" in name or "RIGHT" in name
    down = "VERTICAL" in name or "UP" in name or "DOWN" in name
    heavy = "HEAVY" in name or "DOUBLE" in name
    if across and down:
        return "+"
    return "|" if down else ("=" if heavy else "-")


@lru_cache(maxsize=4096)
def _cells(char: str) -> tuple[str, str]:
    """One character in ASCII: in full, and in exactly its own cells."""
    code = ord(char)
    if char in SIGNS:
        return SIGNS[char]
    if code in _BRAILLE:
        short = _dots(code - _BRAILLE.start)
    elif found := (
        MARKS.get(char) or _FROM_LEFT.get(char) or _FROM_BELOW.get(char) or _SHADES.get(char)
    ):
        short = found
    elif code in range(0x2500, 0x2580):
        short = _boxed(code)
    elif code in _GRAPH:
        short = "#"
    else:
        plain = unicodedata.normalize("NFKD", char).encode("ascii", "ignore").decode()
        wide = cell_len(char)
        short = plain if plain.isprintable() and len(plain) == wide else "?" * wide
    return short, short


def _room(cells: Sequence[tuple[str, object, bool]], at: int, need: int, step: int) -> int:
    """Where the nearest blanks to spare begin, going one way from a cell; -1: nowhere.

    One blank stays between words; those at the end of a line may all go. What stands
    between is moved, so it must not be part of a drawing.
    """
    here, size = at + step, len(cells)
    while 0 <= here < size and not cells[here][2]:
        if cells[here][0] == " ":
            end = here
            while 0 <= end < size and cells[end][0] == " ":
                end += step
            spare = abs(end - here) - (0 if end == size else 1)
            if spare >= need:
                return here
            here = end
        else:
            here += step
    return -1


def translate(parts: Iterable[tuple[str, Look]]) -> list[tuple[str, Look]]:
    """Pieces of one line, each with its look, in ASCII; together as wide as before."""
    cells: list[tuple[str, Look, bool]] = []
    longer: list[tuple[int, str]] = []
    for text, look in parts:
        for char in text:
            if char.isascii():
                cells.append((char if char.isprintable() else " ", look, False))
                continue
            full, short = _cells(char)
            if len(full) > len(short):
                longer.append((len(cells), full))
            drawn = ord(char) in _GRAPH or ord(char) in _BRAILLE
            cells += [(each, look, drawn) for each in short]
    # From the right, so that the places of those still to come hold.
    for place, full in reversed(longer):
        need = len(full) - 1
        left, right = (_room(cells, place, need, step) for step in (-1, 1))
        at, look = place, cells[place][1]
        indents = all(char == " " for char, _, _ in cells[: left + 1])
        if right >= 0 and (indents or right - place < place - left):
            del cells[right : right + need]
        elif left >= 0:
            del cells[left - need + 1 : left + 1]
            at -= need
        else:
            continue
        cells[at : at + 1] = [(each, look, False) for each in full]
    out: list[tuple[str, Look]] = []
    for char, look, _ in cells:
        if out and out[-1][1] is look:
            out[-1] = (out[-1][0] + char, look)
        else:
            out.append((char, look))
    return out


def ascii_line(line: Line) -> Line:
    """A painter's line in ASCII, as wide as before.

    The left end of a bar is a part of a block in the ground's colour on the bar's, and
    marks on a bar are in the ground's colour too; in ASCII, where a bar is not solid, they
    are in the bar's colour, the end being the rest of the block.
    """
    if all(span.text.isascii() for span in line):
        return line
    parts: list[tuple[str, Span]] = []
    for span in line:
        text = span.text
        if span.bg and span.fg in GROUNDS and _IN_BARS.issuperset(text):
            text = "".join(_FROM_RIGHT.get(char, char) for char in text)
            span = span._replace(fg=span.bg, bg=span.fg.replace("background", ""))
        parts.append((text, span))
    return tuple(span._replace(text=text) for text, span in translate(parts))


class AsciiFilter(LineFilter):
    """The same for what Textual draws itself: borders, scroll bars, notices, its palette."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """One row of segments in ASCII."""
        if all(segment.control or segment.text.isascii() for segment in segments):
            return segments
        shown = [(segment.text, segment) for segment in segments if not segment.control]
        out = [Segment(text, segment.style) for text, segment in translate(shown)]
        return [*(segment for segment in segments if segment.control), *out]


# Terminals whose own characters have neither eighths of blocks nor braille.
_POOR = ("linux", "vt", "ansi", "cons25", "sun", "pcansi", "dumb")
# What Python itself puts in place of the C locale (PEP 538).
_COERCED = ("c.utf-8", "c.utf8", "utf-8")


def ascii_wanted(setting: str, environ: Mapping[str, str], encoding: str = "utf-8") -> bool:
    """Whether to draw in ASCII: as set, or for `auto` what the surroundings say.

    `environ`: TERM, LC_ALL, LC_CTYPE and LANG; `encoding`: that of the stream written to.
    A locale that is not UTF-8, a console of the kernel or a terminal of old has no
    blocks. Where no locale is set at all nothing is known, and terminals are UTF-8.
    """
    if setting != "auto":
        return setting == "ascii"
    if not encoding.lower().replace("-", "").startswith("utf8"):
        return True
    if environ.get("TERM", "").lower().startswith(_POOR):
        return True
    lang, ctype = environ.get("LANG", ""), environ.get("LC_CTYPE", "")
    if lang and ctype.lower() in _COERCED:
        ctype = ""
    locale = environ.get("LC_ALL") or ctype or lang
    return bool(locale) and not locale.lower().replace("-", "").split("@")[0].endswith("utf8")
