"""The book by strike at later times, if nothing changes but the clock."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gexterm.engine.compose import Parts
from gexterm.engine.inquiry.suppose import MINUTE, horizon, parts_under
from gexterm.errors import UsageError
from gexterm.exposure.strikes import by_strike, row_exposures
from gexterm.pricing.work import Work
from gexterm.reading.inquiry import OUTLOOK_GREEKS, Outlook, Suppose

I64 = NDArray[np.int64]

MOST_TIMES = 30
"""Columns of a heat map, at most."""
_STEPS = tuple(minutes * MINUTE for minutes in (15, 30, 60, 120))
_EXPOSURE = {
    "gamma": "gex",
    "charm": "charm_hour",
    "vanna": "vanna",
    "vega": "vega",
    "delta": "delta",
    "decay": "decay",
}


def times(parts: Parts) -> I64:
    """Now, every round quarter of an hour, and the last moment; ns, ascending, 30 at most.

    Half hours or hours where quarters would be more, as with a day of 24 hours.
    """
    begin, end = parts.rows.as_of, horizon(parts)
    for step in _STEPS:
        round_ones = np.arange((begin // step + 1) * step, end, step, dtype=np.int64)
        if len(round_ones) + 2 <= MOST_TIMES:
            break
    last = [end] if end > begin else []
    return np.array([begin, *round_ones, *last], np.int64)


def outlook(parts: Parts, greek: str, work: Work | None = None) -> Outlook:
    """Exposure by strike of the scope at `times`, spot and volatilities as they are.

    Positions are those of now. The first line is that of the Reading. Raises UsageError
    for a greek that no ladder shows, ChainError without a spot.
    """
    if greek not in OUTLOOK_GREEKS:
        raise UsageError(f"{greek!r} is no exposure", f"choose one of {', '.join(OUTLOOK_GREEKS)}")
    work = work or Work()
    when = times(parts)
    held = parts.views.chosen.held
    values = np.empty((len(when), len(parts.index.strike)))
    for line, at in zip(values, when, strict=True):
        then = parts_under(parts, Suppose(minutes=(at - when[0]) / MINUTE), work)
        rows = row_exposures(then.surface, held, then.zero.scope)
        line[:] = getattr(by_strike(rows, parts.index), _EXPOSURE[greek])
    if parts.views.chosen.convention is None:
        # Where nobody knows a position, nothing that follows from it is known either.
        known = np.isfinite(held.sum(axis=0))[parts.index.rows]
        some = np.bincount(parts.index.index, known, len(parts.index.strike)) > 0
        values[:, ~some] = np.nan
    return Outlook(
        as_of=parts.rows.as_of,
        greek=greek,
        view=parts.views.chosen.name,
        scope=parts.scope_name,
        times=when,
        strikes=parts.index.strike,
        values=values,
    )
