"""Colours as numbers: contrast, blends, and what a terminal with fewer of them has."""

from __future__ import annotations

from functools import lru_cache

RGB = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""

ANSI = (
    "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white",
    "bright black", "bright red", "bright green", "bright yellow",
    "bright blue", "bright magenta", "bright cyan", "bright white",
)  # fmt: skip
"""The terminal's own sixteen, in the order of their numbers."""
DEFAULT = "default"
"""The terminal's own text colour, or as a ground its own ground."""
DIM = "dim "
"""Before a colour of the terminal: the fainter rendering of it (SGR 2)."""

_NOMINAL = (
    "#000000", "#c23b3b", "#3f9b5a", "#b58a2a", "#3f6fd0", "#a857a8", "#2f9aa8", "#c8ccd0",
    "#666e76", "#f07070", "#6cc88a", "#e8c860", "#78a6f0", "#d890d8", "#6cccd8", "#ffffff",
)  # fmt: skip
_STEPS = (0, 95, 135, 175, 215, 255)


def rgb(color: str) -> RGB:
    """The three parts of `#rrggbb`."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def blend(color: str, towards: str, share: float) -> str:
    """A colour moved by a share of the way towards another, both `#rrggbb`."""
    pairs = zip(rgb(color), rgb(towards), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def _linear(channel: int) -> float:
    c = channel / 255
    return c / 12.92 if c <= 0.04045 else float(((c + 0.055) / 1.055) ** 2.4)


def luminance(color: str) -> float:
    """Relative luminance of `#rrggbb`, 0 to 1 (WCAG 2.1)."""
    r, g, b = (_linear(part) for part in rgb(color))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two `#rrggbb`, 1 to 21 (WCAG 2.1)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def split(name: str) -> tuple[str, bool]:
    """A colour of the terminal, and whether it is the fainter rendering."""
    return (name[len(DIM) :], True) if name.startswith(DIM) else (name, False)


def is_terminals(name: str) -> bool:
    """Whether this names a colour of the terminal: `default`, `bright red`, `dim cyan`."""
    return split(name)[0] in (DEFAULT, *ANSI)


def nominal(name: str, text: str, ground: str) -> str:
    """`#rrggbb` that stands for a colour of the terminal in a picture.

    No program can know what a terminal makes of its own colours: `text` and `ground`
    stand for its defaults, a usual palette for the sixteen.
    """
    base, dim = split(name)
    color = text if base == DEFAULT else _NOMINAL[ANSI.index(base)]
    return blend(color, ground, 0.4) if dim else color


@lru_cache(maxsize=1)
def _table() -> tuple[tuple[int, str, tuple[float, float, float]], ...]:
    """The 240 colours that every terminal of 256 has: number, `#rrggbb`, OKLab."""
    out = []
    for number in range(16, 256):
        if number < 232:
            at = number - 16
            parts = (_STEPS[at // 36], _STEPS[at // 6 % 6], _STEPS[at % 6])
        else:
            parts = (8 + 10 * (number - 232),) * 3
        color = "#{:02x}{:02x}{:02x}".format(*parts)
        out.append((number, color, oklab(color)))
    return tuple(out)


@lru_cache(maxsize=1024)
def oklab(color: str) -> tuple[float, float, float]:
    """Lightness 0 to 1 and two axes of hue, in which equal distances look equal (Ottosson 2020)."""
    r, g, b = (_linear(part) for part in rgb(color))
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    mid = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * mid - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * mid + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * mid - 0.8086757660 * short,
    )


@lru_cache(maxsize=4096)
def nearest_256(color: str, ground: str = "") -> tuple[int, str]:
    """Number and `#rrggbb` of the likest of the 240 fixed colours.

    With a `ground` the answer is never the ground's own: a thin line may be hard to see
    where colours are few, but it must not be invisible.
    """
    avoid = nearest_256(ground)[0] if ground and ground != color else -1
    here = oklab(color)
    return min(
        (
            (sum((a - b) ** 2 for a, b in zip(here, there, strict=True)), number, found)
            for number, found, there in _table()
            if number != avoid
        ),
    )[1:]
