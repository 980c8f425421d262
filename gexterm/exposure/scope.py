"""Which rows count: a choice of expiries, and which expiry is today's."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gexterm.market.chain import Layout
from gexterm.market.contracts import Settlement

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]
Rows = NDArray[np.intp] | slice
DAY_SECONDS = 86_400.0
YEAR_SECONDS = 365.0 * DAY_SECONDS
HOUR_YEARS = 1.0 / 8760.0


def scope_rows(layout: Layout, scope: Mask | None) -> Rows:
    """The rows of the chosen expiries: a slice where they are adjacent, else indices.

    `scope` has shape (E,); None means every expiry.
    """
    if scope is None:
        return slice(0, len(layout))
    chosen = np.flatnonzero(scope)
    if len(chosen) == 0:
        return slice(0, 0)
    first, last = int(chosen[0]), int(chosen[-1])
    if last - first + 1 == len(chosen):
        return slice(int(layout.starts[first]), int(layout.starts[last + 1]))
    return np.flatnonzero(scope[layout.expiry])


def multipliers(layout: Layout) -> F64:
    """Units of the underlying per contract, by expiry. Shape (E,)."""
    return np.array([e.multiplier for e in layout.expiries], np.float64)


def contracts(positions: F64) -> F64:
    """Positions with what is not known (NaN) as none; a copy only where it must be."""
    absent = np.isnan(positions)
    return np.where(absent, 0.0, positions) if absent.any() else positions


@dataclass(frozen=True, eq=False, slots=True)
class ZeroDteExpiry:
    """The expiry, or expiries of several roots, that settle today at the close."""

    scope: Mask
    """The expiries concerned. Shape (E,)."""
    settles_at: int
    """Settlement instant, ns; 0 where there is none."""
    settled: bool
    """Whether it has settled: its positions are gone, the last profile stands."""
    name: str
    """Roots and date, e.g. `SPXW 2026-11-20`; empty where there is none."""
    reason: str
    """Why there is none; empty where there is one."""

    def __bool__(self) -> bool:
        return bool(self.name)


def zero_dte(layout: Layout, as_of: int, date: dt.date) -> ZeroDteExpiry:
    """Find the expiry whose charm the paradigm is read from.

    It settles PM on `date`, the session's date. An AM expiry is never 0DTE: its risk
    ends at the open, before there is a day to hedge through. For crypto options it is
    the expiry that settles at 08:00 UTC within the next 24 hours. Several roots that
    settle at the same instant count as one; of several instants the one with most
    strikes is taken.
    """
    groups: dict[int, list[int]] = {}
    opens = ""
    for i, expiry in enumerate(layout.expiries):
        left = expiry.seconds_left(as_of)
        if (expiry.settlement is Settlement.PM and expiry.date == date) or (
            expiry.settlement is Settlement.UTC8 and 0.0 < left <= DAY_SECONDS
        ):
            groups.setdefault(expiry.settles_at, []).append(i)
        elif expiry.settlement is Settlement.AM and expiry.date == date:
            opens = f"{expiry.root} {expiry.date} settles at the open (AM) and is never 0DTE"
    scope = np.zeros(len(layout.expiries), np.bool_)
    if not groups:
        reason = "no expiry settles at today's close" + (f"; {opens}" if opens else "")
        return ZeroDteExpiry(scope, 0, False, "", reason)

    def size(instant: int) -> int:
        return sum(int(layout.starts[i + 1] - layout.starts[i]) for i in groups[instant])

    settles_at = max(sorted(groups), key=size)
    scope[groups[settles_at]] = True
    chosen = [layout.expiries[i] for i in groups[settles_at]]
    name = f"{'+'.join(e.root for e in chosen)} {chosen[0].date}"
    return ZeroDteExpiry(scope, settles_at, as_of >= settles_at, name, "")
