"""Exposures of the scope along spot, their zeros, and how sure they are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gexterm.engine.compose import Parts
from gexterm.engine.inquiry.along import along, deviations, hold
from gexterm.engine.inquiry.moneyness import Along
from gexterm.engine.inquiry.suppose import surface_under, within
from gexterm.exposure.flip import TOLERANCE
from gexterm.exposure.profile import profile_grid
from gexterm.exposure.strikes import row_exposures, totals
from gexterm.exposure.sweep import log_grid
from gexterm.exposure.uncertainty import half_width
from gexterm.pricing.surface import Surface
from gexterm.pricing.work import Work
from gexterm.reading.inquiry import GREEKS, Curves, Suppose

F64 = NDArray[np.float64]
Evaluate = Callable[[F64], F64]
"""Exposures, in `GREEKS` order, at spots by their ln(s/S)."""

_FEWEST, _MOST = 161, 401
"""Spots of a curve; more than the first only where few rows are held."""
_CELLS = 250_000
"""Rows × spots worth having."""
_NEGLIGIBLE = 1e-6
_MOST_ZEROS = 64


def curves(parts: Parts, suppose: Suppose, work: Work | None = None) -> Curves:
    """The five exposures over spot with volatility and time of a supposition.

    The grid surrounds spot as it is, and stays where it is while spot is supposed
    elsewhere. All NaN where no position or no greek is known. Raises as `within` and
    `surface_under`.
    """
    work = work or Work()
    cut, _ = within(parts, suppose)
    still = Suppose(0.0, cut.vol_points, cut.minutes)
    surface = surface_under(parts, still, work)
    held = parts.views.chosen.held
    t = _grid(surface, parts)
    spots = np.asarray(surface.spot * np.exp(t), np.float64)
    known = totals(
        row_exposures(surface, held, parts.zero.scope), held, surface.layout, parts.scope
    )
    if not np.isfinite(known.gex):
        values = np.full((len(GREEKS), len(t)), np.nan)
        zeros: dict[str, tuple[float, ...]] = dict.fromkeys(GREEKS, ())
    else:
        book = hold(surface, held, parts.scope)
        stretch = float(t[0]), float(t[-1]), len(t), work
        if parts.repricing == "sticky moneyness":
            at = Along(parts.surface, surface, book, cut.vol_points / 100.0).along(*stretch)
        else:
            at = along(book, *stretch)
        values = at(t)
        zeros = {g: _zeros(at, surface.spot, t, values, i) for i, g in enumerate(GREEKS)}
    return Curves(
        as_of=surface.as_of,
        view=parts.views.chosen.name,
        scope=parts.scope_name,
        suppose=cut,
        spot=surface.spot * (1.0 + cut.spot_change),
        spots=spots,
        values=dict(zip(GREEKS, values, strict=True)),
        zeros=zeros,
        band=_bands(parts, surface, t, values, work),
    )


def _grid(surface: Surface, parts: Parts) -> F64:
    """ln(s/S), even, with 0 in it: over the stretch of the gamma profile. Shape (m,)."""
    full = profile_grid(surface, parts.scope)
    low, high = np.log(full[[0, -1]] / surface.spot)
    rows = max(len(parts.index.index), 1)
    most = min(max(_FEWEST, _CELLS // rows), _MOST)
    step = max(float(high - low) / max(len(full) - 1, 1), float(high - low) / (most - 3))
    first, count = log_grid(float(low), float(high), step)
    return np.asarray(first + step * np.arange(count), np.float64)


def _turns(values: F64) -> list[tuple[int, int]]:
    """Neighbours with a sign between which it changes; rounding has none."""
    largest = float(np.abs(values).max(initial=0.0))
    at = np.flatnonzero(np.abs(values) > _NEGLIGIBLE * largest)
    signs = values[at] > 0.0
    turns = np.flatnonzero(signs[1:] != signs[:-1])
    return [(int(at[i]), int(at[i + 1])) for i in turns[:_MOST_ZEROS]]


def _zeros(at: Evaluate, spot: float, t: F64, values: F64, greek: int) -> tuple[float, ...]:
    """Zeros of one exposure, each bracketed to 0.1 points at an underlying of 6000."""
    brackets = _turns(values[greek])
    if not brackets:
        return ()
    ends = np.array(brackets).T
    low, high = t[ends]
    below, above = values[greek][ends]
    tolerance = TOLERANCE / 6000.0
    for turn in range(40):
        wide = high - low > tolerance
        if not wide.any():
            break
        # The chord, kept off the ends so that the bracket closes from both sides; where it
        # crawls, as at a step, every third turn halves.
        share = np.clip(below / (below - above), 0.0, 1.0)
        reach = 0.4 * tolerance / (high - low)
        share = np.where(share < 0.5, share + reach, share - reach)
        if turn % 3 == 2:
            share = np.full_like(share, 0.5)
        middle = np.where(wide, low + np.clip(share, 0.0, 1.0) * (high - low), low)
        found = at(middle[wide])[greek]
        same = np.zeros(len(wide), np.bool_)
        same[wide] = (found > 0.0) == (below[wide] > 0.0)
        value = np.empty_like(middle)
        value[wide] = found
        up, down = wide & same, wide & ~same
        low[up], below[up] = middle[up], value[up]
        high[down], above[down] = middle[down], value[down]
    share = np.clip(below / (below - above), 0.0, 1.0)
    return tuple((spot * np.exp(low + share * (high - low))).tolist())


def _bands(
    parts: Parts, surface: Surface, t: F64, values: F64, work: Work
) -> dict[str, tuple[F64, F64]]:
    """The 80 % band of each exposure along the grid; nothing under a convention.

    Its width is that under sticky strikes, whatever the smile does: the errors are the
    positions', and a smile that goes along changes them little.
    """
    belief = parts.views.chosen.belief
    if belief is None or not np.isfinite(values).all():
        return {}
    reach = half_width() * deviations(surface, belief, parts.scope, t, work)
    lines = zip(GREEKS, values, reach, strict=True)
    return {greek: (line - wide, line + wide) for greek, line, wide in lines}
