"""Lines of braille dots in layers, each with a dash pattern and a colour of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gexterm.ui.ink import Line, Span
from gexterm.ui.widgets.bars import merge

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]
Cell = tuple[str, str, str]
"""Character, role, role behind."""

_WEIGHTS = tuple(
    (y, x, np.uint8(weight))
    for y, pair in enumerate(((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80)))
    for x, weight in enumerate(pair)
)
_BRAILLE = 0x2800

SOLID, DASH, DOT, DASH_DOT, PAIR = "solid", "dash", "dot", "dash-dot", "pair"
_PATTERNS: dict[str, tuple[int, tuple[int, ...]]] = {
    SOLID: (1, (0,)),
    DASH: (6, (0, 1, 2)),
    DOT: (4, (0,)),
    DASH_DOT: (8, (0, 1, 2, 3, 6)),
    PAIR: (8, (0, 2)),
}
"""Dash patterns: their period in dots, and which dots of it are set."""


def sample(pattern: str, cells: int = 3) -> str:
    """A piece of a line, for a legend."""
    on = drawn(pattern, 2 * cells)
    return "".join(
        chr(_BRAILLE | (0x04 if on[2 * i] else 0) | (0x20 if on[2 * i + 1] else 0))
        for i in range(cells)
    )


def drawn(pattern: str, dots: int) -> Mask:
    """Which of so many dots of a line are set. Shape (dots,)."""
    period, on = _PATTERNS[pattern]
    found: Mask = np.isin(np.arange(dots) % period, on)
    return found


def level_mask(values: F64, low: float, high: float, rows: int, pattern: str = SOLID) -> Mask:
    """A line that goes in steps: one dot for each half cell; NaN, and what is outside, none.

    `values` by half cell, shape (2 · columns,). Shape (4 · rows, 2 · columns).
    """
    mask = np.zeros((4 * rows, len(values)), np.bool_)
    known = np.isfinite(values) & (values >= low) & (values <= high) & drawn(pattern, len(values))
    at = np.flatnonzero(known)
    mask[heights(values[at], low, high, rows), at] = True
    return mask


def curve_mask(values: F64, low: float, high: float, rows: int, pattern: str = SOLID) -> Mask:
    """A curve: neighbouring points are joined. As `level_mask`, but cut at the edges."""
    return stroke_mask(values, values, low, high, rows, pattern)


def stroke_mask(
    least: F64, most: F64, low: float, high: float, rows: int, pattern: str = SOLID
) -> Mask:
    """A curve with an extent at each half cell, joined to the half cell before."""
    known = np.isfinite(least) & np.isfinite(most)
    top = np.full(len(least), 4 * rows)
    bottom = np.full(len(least), -1)
    top[known] = heights(most[known], low, high, rows)
    bottom[known] = heights(least[known], low, high, rows)
    joined = known[1:] & known[:-1]
    # Down to the one before: a step belongs to the half cell in which it ends.
    high_end, low_end = top.copy(), bottom.copy()
    high_end[1:] = np.where(joined & (top[1:] > bottom[:-1]), bottom[:-1], top[1:])
    low_end[1:] = np.where(joined & (bottom[1:] < top[:-1]), top[:-1], bottom[1:])
    y = np.arange(4 * rows)[:, None]
    mask: Mask = (y >= high_end[None, :]) & (y <= low_end[None, :])
    return mask & drawn(pattern, len(least))[None, :]


def bar_mask(values: F64, low: float, high: float, rows: int) -> Mask:
    """Bars from zero: one for each half cell."""
    zero = np.where(np.isfinite(values), 0.0, np.nan)
    least, most = np.minimum(zero, values), np.maximum(zero, values)
    known = np.isfinite(values)
    y = np.arange(4 * rows)[:, None]
    top, bottom = np.full(len(values), 4 * rows), np.full(len(values), -1)
    top[known] = heights(most[known], low, high, rows)
    bottom[known] = heights(least[known], low, high, rows)
    mask: Mask = (y >= top[None, :]) & (y <= bottom[None, :])
    return mask


def heights(values: F64, low: float, high: float, rows: int) -> NDArray[np.int64]:
    """Rows of dots, counted from above; what is outside is at the edge."""
    share = (high - values) / (high - low)
    found: NDArray[np.int64] = np.clip(
        np.floor(share * 4 * rows), 0, 4 * rows - 1
    ).astype(np.int64)  # fmt: skip
    return found


def round_step(least: float) -> float:
    """The smallest of 1, 2, 5 times a power of ten that is not below: steps of an axis."""
    power = 10.0 ** math.floor(math.log10(least))
    return next((n * power for n in (1.0, 2.0, 5.0) if least <= n * power * (1 + 1e-9)), 10 * power)


def with_others(mask: Mask, others: Mask, rows: int, columns: int) -> Mask:
    """A mask, and in the cells that it touches the dots of others too."""
    touched = mask.reshape(rows, 4, columns, 2).any(axis=(1, 3))
    wide: Mask = np.repeat(np.repeat(touched, 4, axis=0), 2, axis=1)
    return mask | (others & wide)


@dataclass(frozen=True, eq=False, slots=True)
class Layer:
    """Dots of one colour."""

    mask: Mask
    """Shape (4 · rows, 2 · columns)."""
    role: str
    """Colour."""


def cells_of(layers: Sequence[Layer], rows: int, columns: int) -> list[list[Cell]]:
    """Layers as cells, the first on top.

    A cell has one colour and shows only the dots of the topmost layer that has any in it, so
    that two lines crossing never make a third shape.
    """
    code = np.zeros((rows, columns), np.uint8)
    owner = np.full((rows, columns), -1, np.int16)
    for number, layer in enumerate(layers):
        parts = layer.mask.view(np.uint8).reshape(rows, 4, columns, 2)
        bits = np.zeros((rows, columns), np.uint8)
        for dot_y, dot_x, weight in _WEIGHTS:
            bits |= parts[:, dot_y, :, dot_x] * weight
        free = (owner < 0) & (bits > 0)
        code[free], owner[free] = bits[free], number
    roles = [layer.role for layer in layers]
    blank: Cell = (" ", "text", "")
    out = []
    for y in range(rows):
        row = [blank] * columns
        for x in np.flatnonzero(owner[y] >= 0):
            row[x] = (chr(_BRAILLE | int(code[y, x])), roles[owner[y, x]], "")
        out.append(row)
    return out


def put(row: list[Cell], column: int, text: str, role: str, behind: str = "") -> None:
    """Text over cells; what is outside is cut."""
    for at, char in enumerate(text, column):
        if 0 <= at < len(row):
            row[at] = (char, role, behind)


def spans(row: list[Cell], cursor: int = -1) -> Line:
    """A row of cells; the one under a cursor on a lighter ground."""
    if 0 <= cursor < len(row):
        row = row.copy()
        char, role, behind = row[cursor]
        row[cursor] = (char, role, behind or "glow")
    return tuple(merge(row)) if row else ()


@dataclass(frozen=True, slots=True)
class Label:
    """What stands at the edge beside a line."""

    value: float
    """Where it belongs."""
    text: tuple[Span, ...]
    """What it says."""
    weight: int = 0
    """The heavier stay where there is no room for all."""


def spread(
    labels: Sequence[Label], low: float, high: float, rows: int
) -> tuple[dict[int, Label], int]:
    """Labels by row, moved apart so that none covers another, in the order of their values.

    Also how many found no row.
    """
    if rows <= 0:
        return {}, len(labels)
    kept = sorted(labels, key=lambda label: -label.weight)[:rows]
    kept.sort(key=lambda label: -label.value)
    at: list[int] = []
    for label in kept:
        share = (high - label.value) / (high - low)
        want = min(rows - 1, max(0, int(share * rows))) if share == share else 0
        at.append(max(want, at[-1] + 1) if at else want)
    limit = rows - 1
    for number in range(len(at) - 1, -1, -1):
        at[number] = min(at[number], limit)
        limit = at[number] - 1
    return dict(zip(at, kept, strict=True)), len(labels) - len(kept)
