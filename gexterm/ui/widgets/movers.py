"""What changed the book most in the last minutes, strike by strike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gexterm.reading.day import Slice
from gexterm.reading.model import Reading
from gexterm.ui import numbers
from gexterm.ui.frame import BY_NAME, Frame
from gexterm.ui.ink import Line, Span, ends, fit
from gexterm.ui.widgets.bars import bar
from gexterm.ui.widgets.painted import Painted

MINUTES = (5, 15, 30)
"""Stretches that are compared."""
_LATE = 90 * 1_000_000_000


def before(slices: Sequence[Slice], now: int, minutes: int) -> Slice | None:
    """The book so many minutes ago, if it was seen then."""
    when = now - minutes * 60_000_000_000
    found = next((one for one in reversed(slices) if one.at <= when), None)
    return found if found is not None and when - found.at <= _LATE else None


def changes(reading: Reading, then: Slice, column: str, count: int) -> list[tuple[float, float]]:
    """Strike and change of a column, the largest first; strikes known at both times only."""
    frame = reading.strikes
    if "strike" not in frame.columns or column not in frame.columns:
        return []
    strikes, now = frame["strike"].to_numpy(), frame[column].to_numpy()
    common, here, there = np.intersect1d(strikes, then.strikes, return_indices=True)
    moved = now[here] - then.column(column)[there]
    known = np.flatnonzero(np.isfinite(moved) & (moved != 0.0))
    order = known[np.argsort(-np.abs(moved[known]), kind="stable")][:count]
    return [(float(common[i]), float(moved[i])) for i in order]


def block(
    reading: Reading, then: Slice | None, minutes: int, column: str, unit: str, width: int,
    rows: int,
) -> list[Line]:  # fmt: skip
    """One stretch of minutes: title and rows."""
    title = [Span(f" last {minutes} min", "muted", bold=True)]
    if then is None:
        told = "not seen yet under this view"
        return [ends(title, [Span(told, "faint")], width)]
    spot = reading.spot - then.spot
    moved = Span(f"spot {numbers.distance(spot, at=reading.spot).strip()}  {unit} ", "faint")
    lines: list[Line] = [ends(title, [moved], width)]
    found = changes(reading, then, column, rows)
    if not found:
        return [*lines, (Span("   nothing moved", "faint"),)]
    full = abs(found[0][1])
    half = max(2, (width - 22) // 2)
    for strike, change in found:
        above = "▴" if strike > reading.spot else "▾"
        lines.append(
            fit(
                (
                    Span(f" {above} {numbers.strike(strike, 8)} ", "text"),
                    *bar(change, full, half, ("short", "long")),
                    Span(numbers.compact(change, plus=True).rjust(8), "text"),
                ),
                width,
            )
        )
    return lines


class Movers(Painted):
    """Largest changes of the dealer's position, and of the chosen greek, by strike."""

    def paint(self, frame: Frame, width: int, height: int) -> Sequence[Line]:
        """Positions first: they are what trades change; greeks move with the market too."""
        reading, day = frame.reading, frame.day
        if reading is None or day is None:
            return [(Span(" no Reading yet", "muted"),)]
        slices = day.slices_of(reading.positions.view, reading.scope)
        greek = BY_NAME[frame.greek]
        wide = height >= 24
        parts: list[tuple[str, str, tuple[int, ...]]] = [
            ("position", "dealer contracts", MINUTES if wide else MINUTES[:1])
        ]
        if height >= 12:
            parts.append((greek.column, f"$ {greek.name}{greek.unit}", (5, 15) if wide else (5,)))
        blocks = sum(len(minutes) for _, _, minutes in parts)
        rows = max(1, (height - 2 * blocks - len(parts)) // max(1, blocks))
        lines: list[Line] = []
        for column, unit, stretches in parts:
            head = "DEALER'S POSITION" if column == "position" else greek.name.upper()
            lines.append((Span(f" {head} CHANGED MOST", "lis", bold=True),))
            for minutes in stretches:
                then = before(slices, reading.as_of, minutes)
                lines += block(reading, then, minutes, column, unit, width, rows)
                lines.append(())
        return lines[:height]
