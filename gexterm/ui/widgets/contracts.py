"""The columns of contracts beside the bars: held by dealers, traded today, open."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gexterm.ui import numbers
from gexterm.ui.ink import Span
from gexterm.ui.widgets.columns import GAP, POSITION, VOLUME

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


class Contracts:
    """Columns of contracts of a table of strikes; only the rows in view are made into text."""

    def __init__(self, table: pl.DataFrame, names: Sequence[str]) -> None:
        self._names = names
        self._columns: list[tuple[list[float], list[float]]] = []
        for name in names:
            kind = "volume" if name == VOLUME else "oi"
            pair = (f"call_{kind}", f"put_{kind}")
            if name == POSITION:
                pair = ("position_prior", "position_flow")
            self._columns.append((descending(table, pair[0]), descending(table, pair[1])))

    def row(self, at: int) -> list[Span]:
        """The columns of one strike, counted from the highest."""
        out = []
        for name, (left, right) in zip(self._names, self._columns, strict=True):
            if name == POSITION:
                held = together(left[at], right[at])
                text, role = numbers.si(held)[:6], "faint" if math.isnan(held) else "text"
            else:
                text, role = f"{numbers.si(left[at])[1:6]} {numbers.si(right[at])[1:6]}", "muted"
            out.append(Span(" " * GAP + text, role))
        return out
