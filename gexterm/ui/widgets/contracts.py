"""The columns of contracts beside the bars: held by dealers, traded today, open."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gexterm.ui import numbers
from gexterm.ui.ink import Span
from gexterm.ui.widgets.columns import ERROR, GAP, POSITION, VOLUME

if TYPE_CHECKING:
    import polars as pl


def descending(table: pl.DataFrame, name: str) -> list[float]:
    """A column of strikes as floats, highest strike first; NaN where it or a value is missing."""
    if name not in table.columns:
        return [math.nan] * table.height
    return [math.nan if v is None else float(v) for v in reversed(table[name].to_list())]


def together(prior: float, flow: float) -> float:
    """Prior and signed flow as one position; where one is not known, the other."""
    if math.isnan(flow):
        return prior
    return flow if math.isnan(prior) else prior + flow


def positions(table: pl.DataFrame) -> list[float]:
    """What dealers hold at each strike, highest strike first.

    Tables without a column of their own for it have prior and flow.
    """
    held = descending(table, "position")
    if any(map(math.isfinite, held)):
        return held
    pair = descending(table, "position_prior"), descending(table, "position_flow")
    return [together(prior, flow) for prior, flow in zip(*pair, strict=True)]


def contracts(held: float) -> str:
    """Contracts in six cells: whole ones, three figures from a thousand on."""
    if abs(held) < 999.5:
        return numbers.fixed(held, 0, 5) + " "
    return numbers.si(held)[:6]


def error(sd: float) -> str:
    """`±210` in `ERROR` cells, the blank before it included; blank where it is not known."""
    if not math.isfinite(sd):
        return " " * ERROR
    if sd < 999.5:
        return f"±{sd:.0f} ".rjust(ERROR)
    return numbers.plus_minus(sd).rjust(ERROR) if sd < 0.9995e9 else " ±>1bn"


def in_doubt(held: float, sd: float) -> bool:
    """Whether a position is smaller than its own standard deviation: its sign is a guess."""
    return math.isfinite(sd) and not abs(held) >= sd


class Contracts:
    """Columns of contracts of a table of strikes; only the rows in view are made into text."""

    def __init__(
        self, table: pl.DataFrame, names: Sequence[str], errors: bool = False, gap: int = GAP
    ) -> None:
        self._names, self._errors, self._gap = names, errors, " " * gap
        self.sd = descending(table, "position_sd") if errors else []
        """Standard deviation of each position, highest strike first; empty: an assumption."""
        self.held = positions(table) if errors or POSITION in names else []
        """Positions, highest strike first."""
        self._columns: list[tuple[list[float], list[float]]] = []
        for name in names:
            kind = "volume" if name == VOLUME else "oi"
            if name == POSITION:
                self._columns.append((self.held, self.sd))
                continue
            pair = (f"call_{kind}", f"put_{kind}")
            self._columns.append((descending(table, pair[0]), descending(table, pair[1])))

    def known(self, at: int) -> bool:
        """Whether one strike's position is known, counted from the highest; assumed ones are."""
        return not self.sd or math.isfinite(self.held[at])

    def doubtful(self, at: int) -> bool:
        """Whether the sign of one strike's position is a guess, counted from the highest."""
        return bool(self.sd) and in_doubt(self.held[at], self.sd[at])

    def row(self, at: int) -> list[Span]:
        """The columns of one strike, counted from the highest."""
        out = []
        for name, (left, right) in zip(self._names, self._columns, strict=True):
            if name == POSITION:
                held = left[at]
                role = "faint" if math.isnan(held) or self.doubtful(at) else "text"
                text = contracts(held)
                if self._errors:
                    out.append(Span(self._gap + text, role))
                    out.append(Span(error(right[at]), "text" if self.doubtful(at) else "muted"))
                    continue
            else:
                text, role = f"{numbers.si(left[at])[1:6]} {numbers.si(right[at])[1:6]}", "muted"
            out.append(Span(self._gap + text, role))
        return out
