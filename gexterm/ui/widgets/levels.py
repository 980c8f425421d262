"""The lines that matter, as marks on the price axis."""

from __future__ import annotations

import bisect
import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass

from gexterm.reading.model import Reading
from gexterm.ui import numbers
from gexterm.ui.ink import Line, Span, fit


@dataclass(frozen=True, slots=True)
class Level:
    """One level."""

    name: str
    """Which: the name under which a change of it is noted."""
    value: float
    """Points."""
    glyph: str
    """What it looks like."""
    word: str
    """What it is called."""
    brief: str
    """The same where there is little room."""
    role: str
    """Its colour."""


def levels(reading: Reading) -> list[Level]:
    """Every level that is known, the most important first."""
    zero, gamma = reading.zero_dte, reading.gamma
    found = [
        Level("lis_upper", zero.lis_upper, "▴", "LIS", "LIS", "lis"),
        Level("lis_lower", zero.lis_lower, "▾", "LIS", "LIS", "lis"),
        Level("target", zero.target, "◎", "target", "tgt", "target"),
        Level("flip", gamma.flip, "┄", "flip", "flip", "flip"),
        Level("call_wall", gamma.call_wall, "▪", "call wall", "call", "wall"),
        Level("put_wall", gamma.put_wall, "▪", "put wall", "put", "wall"),
    ]
    found += [
        Level("flips", crossing.spot, "┄", "flip", "flip", "flip~")
        for crossing in gamma.flips
        if crossing.spot != gamma.flip
    ]
    if math.isfinite(zero.sigma) and zero.sigma > 0:
        found += [
            Level("sigma", reading.spot + zero.sigma, "·", "+1σ", "+1σ", "faint"),
            Level("sigma", reading.spot - zero.sigma, "·", "−1σ", "−1σ", "faint"),
        ]
    return [level for level in found if math.isfinite(level.value)]


def place(strikes: Sequence[float], value: float) -> int:
    """How many of the descending strikes lie above a value; those equal to it do not."""
    return bisect.bisect_left(strikes, -value, key=operator.neg)


def nearest(value: float, strikes: Sequence[float]) -> int:
    """Index of the strike nearest a level; the strikes descend."""
    at = place(strikes, value)
    near = range(max(0, at - 1), min(len(strikes), at + 1))
    return min(near, key=lambda i: abs(strikes[i] - value))


def outside(level: Level, low: float, high: float, step: float) -> int:
    """+1 above what is in view, −1 below it, 0 inside."""
    if level.value > high + 0.5 * step:
        return 1
    return -1 if level.value < low - 0.5 * step else 0


QUIET = ("faint", "flip~")
"""Roles of the levels that only give context."""


def mark(here: Sequence[Level], width: int, fresh: frozenset[str]) -> Line:
    """The levels of one strike in `width` cells.

    Where it is tight, words become brief, then what only gives context goes, then
    all but the first level are told by their glyphs.
    """
    main = [level for level in here if level.role not in QUIET] or list(here)
    for shown, words in (
        (here, [level.word for level in here]),
        (here, [level.brief for level in here]),
        (main, [level.word for level in main]),
        (main, [level.brief for level in main]),
        (main, [main[0].brief, *("" for _ in main[1:])] if main else []),
    ):
        told = [level.glyph + word for level, word in zip(shown, words, strict=True)]
        if sum(len(word) + 1 for word in told) - 1 <= width:
            break
    out: list[Span] = []
    for level, word in zip(shown, told, strict=True):
        glow = "glow" if level.name in fresh else ""
        out.append(Span(word, level.role, glow, bold=level.role not in QUIET))
        out.append(Span(" "))
    return fit(out[:-1], width)


def edge(beyond: Sequence[Level], width: int, *, above: bool) -> Line:
    """The nearest level out of view and how many more, as room is: `▲ 6,100 LIS +1`."""
    told = [level for level in beyond if level.name not in ("sigma", "flips")]
    if not told:
        return fit((), width)
    first = (min if above else max)(told, key=lambda level: level.value)
    more = f" +{len(told) - 1}" if len(told) > 1 else ""
    glyph, near = "▲" if above else "▼", numbers.level(first.value).strip()
    for text, others in (
        (f"{glyph} {numbers.strike(round(first.value, 2))} {first.brief}", more),
        (f"{glyph} {near} {first.brief}", more),
        (f"{glyph} {near} {first.brief}", ""),
        (f"{glyph} {near}", ""),
    ):
        if len(text) + len(others) <= width:
            break
    return fit((Span(text, first.role), Span(others, "muted")), width)
