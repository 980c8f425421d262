"""The day so far: what screens draw over time.

Fed with every Reading that a session publishes, seen on a screen or not. A row is kept
for each half minute of market time and at every change of the paradigm; the book by
strike for each minute. Rows of another sign view or scope stay, apart: a level under one
book must not be drawn on as if it were a level of the other.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gexterm.market.calendar import et
from gexterm.reading.model import Reading

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

NS = 1_000_000_000
ROW_NS = 30 * NS
"""Market time between two rows, ns."""
SLICE_NS = 60 * NS
"""Market time between two books by strike, ns."""
MOST_ROWS = 4000
"""Rows kept: more than a day of 24 hours."""
MOST_SLICES = 1500
"""Books by strike kept: more than a day of 24 hours."""
SLICE_COLUMNS = (
    "gex", "charm", "vanna", "vega", "delta", "decay", "gex_0dte", "charm_0dte", "decay_0dte",
    "position", "position_flow",
)  # fmt: skip
"""Columns of `Reading.strikes` that are kept by minute."""
SAME_NS = 90 * NS
"""The same said twice within this is the same moment."""
MOST_MARKS = 2000
"""Marks kept."""


@dataclass(frozen=True, slots=True)
class DayRow:
    """What is remembered of one moment."""

    at: int
    """Market time, ns."""
    view: str
    """Sign view."""
    scope: str
    """Which expiries."""
    spot: float
    """Points."""
    flip: float
    """Points; NaN none."""
    lis_lower: float
    """Points; NaN none."""
    lis_upper: float
    """Points; NaN none."""
    target: float
    """Points; NaN none."""
    call_wall: float
    """Points; NaN none."""
    put_wall: float
    """Points; NaN none."""
    paradigm: str
    """0DTE paradigm."""
    probability: float
    """P(that paradigm), 0 to 1; NaN under a convention."""
    gex: float
    """GEX of the scope, $ per 1 %."""
    charm_per_hour: float
    """0DTE charm, $ per hour."""
    by_gamma: float
    """Hedge flow since it is added up, $; dealers bought: positive."""
    by_vanna: float
    """The same, because volatility moved."""
    by_charm: float
    """The same, because time passed."""
    signed_share: float
    """Share of the printed volume that carries a sign, 0 to 1; NaN no print."""


@dataclass(frozen=True, eq=False, slots=True)
class Slice:
    """The book by strike at one full minute."""

    at: int
    """Market time, ns."""
    view: str
    """Sign view."""
    scope: str
    """Which expiries."""
    spot: float
    """Points."""
    strikes: F64
    """Ascending, points. Shape (k,)."""
    values: F32
    """Columns of `SLICE_COLUMNS` by strike; NaN not known. Shape (len(SLICE_COLUMNS), k)."""

    def column(self, name: str) -> F32:
        """One of `SLICE_COLUMNS`, shape (k,)."""
        found: F32 = self.values[SLICE_COLUMNS.index(name)]
        return found


@dataclass(frozen=True, slots=True)
class FirstTerm:
    """Volatility by expiry as it was first seen on a date."""

    at: int
    """Market time, ns."""
    atm_iv: Mapping[tuple[str, str], float]
    """By root and ISO date: volatility at the forward, as a fraction."""


@dataclass(frozen=True, order=True, slots=True)
class Mark:
    """A moment that one may want to go to."""

    at: int
    """Market time, ns."""
    kind: str
    """`alert` or `paradigm`."""
    text: str = field(compare=False, default="")
    """One line."""
    severity: str = field(compare=False, default="info")
    """As of an alert."""


def row_of(reading: Reading) -> DayRow:
    """What is remembered of a Reading."""
    zero, gamma, day = reading.zero_dte, reading.gamma, reading.hedge_day
    return DayRow(
        at=reading.as_of,
        view=reading.positions.view,
        scope=reading.scope,
        spot=reading.spot,
        flip=gamma.flip,
        lis_lower=zero.lis_lower,
        lis_upper=zero.lis_upper,
        target=zero.target,
        call_wall=gamma.call_wall,
        put_wall=gamma.put_wall,
        paradigm=zero.paradigm,
        probability=zero.probability.get(zero.paradigm, math.nan),
        gex=gamma.gex_per_1pct,
        charm_per_hour=zero.charm_per_hour,
        by_gamma=day.by_gamma,
        by_vanna=day.by_vanna,
        by_charm=day.by_charm,
        signed_share=reading.positions.signed_share,
    )


def slice_of(reading: Reading) -> Slice:
    """The book by strike of a Reading."""
    frame = reading.strikes
    strikes = frame["strike"].to_numpy() if "strike" in frame.columns else np.empty(0)
    values = np.full((len(SLICE_COLUMNS), len(strikes)), np.nan, np.float32)
    for at, name in enumerate(SLICE_COLUMNS):
        if name in frame.columns:
            values[at] = frame[name].to_numpy()
    return Slice(
        reading.as_of, reading.positions.view, reading.scope, reading.spot, strikes, values
    )


class DayLog:
    """The day so far, and the moments seen in it."""

    def __init__(self) -> None:
        self.rows: list[DayRow] = []
        """Oldest first, none later than the newest Reading."""
        self.slices: list[Slice] = []
        """Oldest first, none later than the newest Reading."""
        self.marks: list[Mark] = []
        """Alerts and changes of the paradigm, in order of time. Of a replay that was wound
        back they may lie ahead: what has been seen once can be gone to again."""
        self.first_term: FirstTerm | None = None
        """Volatility by expiry as first seen on the last Reading's New York date; None not yet."""
        self.version = 0
        """Grows with every change."""
        self._underlying = ""

    def note(self, reading: Reading) -> None:
        """Take a Reading in. One that is older than the last winds the log back."""
        at = reading.as_of
        if self._underlying not in ("", reading.underlying):
            self.clear()
        self._underlying = reading.underlying
        if self.rows and self.rows[-1].at > at:
            del self.rows[bisect_right([row.at for row in self.rows], at) :]
            self.version += 1
        if self.slices and self.slices[-1].at > at:
            del self.slices[bisect_right([one.at for one in self.slices], at) :]
            self.version += 1
        self._note_term(reading)
        if not math.isfinite(reading.spot):
            return
        before = self._before(reading)
        changed = before is not None and before.paradigm != reading.zero_dte.paradigm
        if before is None or at - before.at >= ROW_NS or changed:
            if changed and before is not None:
                now, then = reading.zero_dte.paradigm, before.paradigm
                self.mark(Mark(at, "paradigm", f"{then} → {now}", "notice"))
            self.rows.append(row_of(reading))
            del self.rows[:-MOST_ROWS]
            self.version += 1
        last = self.slices[-1] if self.slices else None
        book = (reading.positions.view, reading.scope)
        if last is None or last.at // SLICE_NS != at // SLICE_NS or (last.view, last.scope) != book:
            self.slices.append(slice_of(reading))
            del self.slices[:-MOST_SLICES]
            self.version += 1

    def _note_term(self, reading: Reading) -> None:
        first, at = self.first_term, reading.as_of
        if first is not None and at >= first.at and (
            at - first.at < 60 * NS or et(at).date() == et(first.at).date()
        ):  # fmt: skip
            return
        known = {
            (line.root, line.expiry): line.atm_iv
            for line in reading.expiries
            if math.isfinite(line.atm_iv)
        }
        if known:
            self.first_term = FirstTerm(at, known)
            self.version += 1

    def mark(self, mark: Mark) -> None:
        """Remember a moment, once: a replay in haste sees the same a little later."""
        at = bisect_left(self.marks, mark)
        near = self.marks[max(0, at - 8) : at + 8]
        if any(abs(m.at - mark.at) < SAME_NS and (m.kind, m.text) == (mark.kind, mark.text)
               for m in near):  # fmt: skip
            return
        insort(self.marks, mark)
        del self.marks[:-MOST_MARKS]
        self.version += 1

    def rows_of(self, view: str, scope: str) -> Sequence[DayRow]:
        """Rows of one book, oldest first."""
        return [row for row in self.rows if row.view == view and row.scope == scope]

    def slices_of(self, view: str, scope: str) -> Sequence[Slice]:
        """Books by strike of one view and scope, oldest first."""
        return [one for one in self.slices if one.view == view and one.scope == scope]

    def next_mark(self, after: int, kind: str = "") -> Mark | None:
        """The first mark later than a time; of one kind, if named."""
        return next((m for m in self.marks if m.at > after and kind in ("", m.kind)), None)

    def previous_mark(self, before: int, kind: str = "") -> Mark | None:
        """The last mark earlier than a time; of one kind, if named."""
        earlier = (m for m in reversed(self.marks) if m.at < before and kind in ("", m.kind))
        return next(earlier, None)

    def clear(self) -> None:
        """Forget everything."""
        self.rows, self.slices, self.marks, self.first_term = [], [], [], None
        self.version += 1

    def _before(self, reading: Reading) -> DayRow | None:
        """The last row of the same book, if there is one."""
        book = (reading.positions.view, reading.scope)
        return next((r for r in reversed(self.rows) if (r.view, r.scope) == book), None)
