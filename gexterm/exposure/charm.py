"""The charm of today's expiry: who must trade as the hours pass, strike by strike.

Charm here is the finite step Δ(S, T−h) − Δ(S, T) with h = min(1 hour, T), in $ of
delta per hour (or until settlement, once less than an hour is left): the derivative
times a day means nothing to a contract that has hours to live. A dealer whose charm is
negative loses delta as time passes and buys; positive, sells.

Strikes with next to no delta left are cut, as in the white paper (between −.03 and .03
delta), by default by strike: an in-the-money call has the charm of the put it is the
twin of, and `literal` would keep one and drop the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from gexterm.exposure.scope import (
    HOUR_YEARS,
    YEAR_SECONDS,
    Mask,
    contracts,
    multipliers,
    scope_rows,
)
from gexterm.exposure.strikes import finite_charm, rolled
from gexterm.market.chain import CALL
from gexterm.pricing.surface import Surface

F64 = NDArray[np.float64]
CutRule = Literal["strike", "literal"]

CUT_OUT = 0.030
"""A strike leaves below this |delta| …"""
CUT_IN = 0.035
"""… and comes back above this one."""
_CURVE_SIGMAS = 2.5
_CURVE_POINTS = 50
NAN = float("nan")


@dataclass(frozen=True, eq=False, slots=True)
class CutState:
    """Which contracts were in at the last tick; the memory of the |delta| rule."""

    root: NDArray[np.int32]
    """Which of today's expiries each row was of, from 0. Shape (r,)."""
    strike: F64
    """Strike of each row then. Shape (r,)."""
    kept: Mask
    """Whether call and put counted. Shape (2, r)."""


@dataclass(frozen=True, eq=False, slots=True)
class ZeroDteGreeks:
    """Charm of today's contracts, one option each, before anyone holds any. r rows, m strikes.

    Independent of positions: every sign view reads from the same one.
    """

    spot: float
    """Points."""
    seconds: float
    """Seconds to settlement."""
    sigma: float
    """One standard deviation of spot until settlement, points."""
    rows: NDArray[np.intp]
    """Rows of the layout. Shape (r,)."""
    strike: F64
    """Distinct strikes, ascending, points. Shape (m,)."""
    index: NDArray[np.intp]
    """Position in `strike` of each row. Shape (r,)."""
    charm: F64
    """$ of delta per hour per contract, dealer long one; 0 where not known. Shape (2, r)."""
    decay: F64
    """$ of delta until settlement per contract, if spot stays. Shape (2, r)."""
    kept: Mask
    """Whether the |delta| rule keeps the contract. Shape (2, r)."""
    known: Mask
    """Whether the row has greeks. Shape (r,)."""
    above: F64
    """1 for a strike above spot, 0 below, ½ at it. Shape (m,)."""
    surface: Surface
    """What was priced."""
    scope: Mask
    """The expiries. Shape (E,)."""


@dataclass(frozen=True, eq=False, slots=True)
class CharmProfile:
    """Today's charm of one book by strike, and its sums below and above spot."""

    strike: F64
    """Strikes, ascending, points. Shape (m,)."""
    charm: F64
    """$ per hour, after the |delta| cut. Shape (m,)."""
    uncut: F64
    """$ per hour, before it. Shape (m,)."""
    decay_by_strike: F64
    """$ until settlement, before the cut. Shape (m,)."""
    below: float
    """B: sum over strikes below spot, after the cut, $ per hour."""
    above: float
    """A: sum over strikes above spot; a strike at spot counts half on each side."""
    gross: float
    """G: Σ|charm| by strike, after the cut."""
    decay: float
    """Delta gained until settlement if spot stays, $; before the cut."""
    excluded_share: float
    """Share of gross charm that the cut removes, 0 to 1; NaN without charm."""
    unknown_share: float
    """Share of the contracts held without greeks, 0 to 1; NaN where none is held."""


def remaining_sigma(surface: Surface, scope: Mask) -> float:
    """One standard deviation of spot until the scope's first priced expiry settles, points."""
    for e in np.flatnonzero(scope):
        iv = float(surface.atm_iv[e])
        if np.isfinite(iv) and surface.seconds[e] > 0.0:
            return surface.spot * iv * float(np.sqrt(surface.years[e]))
    return NAN


def zero_dte_greeks(
    surface: Surface, scope: Mask, state: CutState | None = None, rule: CutRule = "strike"
) -> tuple[ZeroDteGreeks, CutState]:
    """Charm of today's contracts and the |delta| cut with its memory.

    `scope`, shape (E,), comes from `scope.zero_dte`. A row is cut when min(|Δ|, 1 − |Δ|)
    of its call falls below .030 and kept again from .035 up; `literal` applies |Δ| of
    each contract instead. Without memory the threshold is .030.
    """
    layout = surface.layout
    chosen = scope_rows(layout, scope)
    rows = np.arange(len(layout), dtype=np.intp)[chosen]
    strike, index = np.unique(layout.strike[rows], return_inverse=True)
    known = np.isfinite(surface.gamma[rows])
    step, put_extra = finite_charm(surface, rows)
    dollars = (multipliers(layout) * surface.spot)[layout.expiry[rows]]
    delta = surface.delta[:, rows]
    charm = np.stack([step, step + put_extra]) * dollars
    at_close = np.heaviside(surface.spot - layout.strike[rows], 0.5)
    decay = (np.stack([at_close, at_close - 1.0]) - delta) * dollars
    charm[:, ~known] = 0.0
    decay[:, ~known] = 0.0

    size = np.abs(np.where(known, delta, 0.0))
    if rule == "strike":
        size = np.broadcast_to(np.minimum(size[CALL], 1.0 - size[CALL]), size.shape)
    root = layout.expiry[rows] - (layout.expiry[rows[0]] if len(rows) else 0)
    before = _remembered(state, root, layout.strike[rows])
    kept = (size >= np.where(before, CUT_OUT, CUT_IN)) & known
    seconds = surface.seconds[scope]
    greeks = ZeroDteGreeks(
        spot=surface.spot,
        seconds=float(seconds.min()) if len(seconds) else NAN,
        sigma=remaining_sigma(surface, scope),
        rows=rows,
        strike=strike,
        index=index.astype(np.intp, copy=False),
        charm=charm,
        decay=decay,
        kept=kept,
        known=known,
        above=np.heaviside(strike - surface.spot, 0.5),
        surface=surface,
        scope=scope,
    )
    return greeks, CutState(root, layout.strike[rows], kept)


def _remembered(state: CutState | None, root: NDArray[np.int32], strike: F64) -> Mask:
    """What was kept at the last tick, for the rows of this one; new rows count as kept."""
    if state is None:
        return np.ones((2, len(strike)), np.bool_)
    if np.array_equal(state.strike, strike) and np.array_equal(state.root, root):
        return state.kept
    where = {key: i for i, key in enumerate(zip(state.root, state.strike, strict=True))}
    at = np.array([where.get(key, -1) for key in zip(root, strike, strict=True)], np.intp)
    kept = np.ones((2, len(strike)), np.bool_)
    seen = at >= 0
    kept[:, seen] = state.kept[:, at[seen]]
    return kept


def charm_profile(greeks: ZeroDteGreeks, positions: F64) -> CharmProfile:
    """The charm of a book, by strike and by side of spot.

    `positions` has shape (2, n) on the layout's rows, + = dealer long, NaN = none.
    """
    x = contracts(positions[:, greeks.rows])
    m = len(greeks.strike)

    def by_strike(values: F64) -> F64:
        return np.asarray(np.bincount(greeks.index, values.sum(axis=0), m), np.float64)

    each = x * greeks.charm
    uncut = by_strike(each)
    charm = by_strike(np.where(greeks.kept, each, 0.0))
    decay = by_strike(x * greeks.decay)
    gross, all_gross = float(np.abs(charm).sum()), float(np.abs(uncut).sum())
    above = float(charm @ greeks.above)
    held = np.abs(x).sum(axis=0)
    all_held = float(held.sum())
    return CharmProfile(
        strike=greeks.strike,
        charm=charm,
        uncut=uncut,
        decay_by_strike=decay,
        below=float(charm.sum()) - above,
        above=above,
        gross=gross,
        decay=float(decay.sum()),
        excluded_share=1.0 - gross / all_gross if all_gross > 0.0 else NAN,
        unknown_share=1.0 - float(held[greeks.known].sum()) / all_held if all_held > 0.0 else NAN,
    )


@dataclass(frozen=True, eq=False, slots=True)
class CharmCurve:
    """C(s) of k books: what today's charm would be if spot were elsewhere."""

    spot: float
    """Spot now, points."""
    spots: F64
    """Grid over S ± 2.5σ through S, points; empty where σ is not known. Shape (g,)."""
    charm: F64
    """$ per hour at each, before the |delta| cut. Shape (k, g)."""


@dataclass(frozen=True, slots=True)
class CharmZero:
    """A spot at which C(s) is zero."""

    spot: float
    """Points."""
    rising: bool
    """Negative below and positive above: dealers buy below it and sell above it, which
    holds spot there. The other way round they push spot away from it."""


@dataclass(frozen=True, eq=False, slots=True)
class CharmMatrix:
    """What one contract of each row adds to C(s): books and draws of books multiply it."""

    spot: float
    """Spot now, points."""
    spots: F64
    """The grid of `CharmCurve`, points. Shape (g,)."""
    rows: NDArray[np.intp]
    """Rows of the layout that decay anywhere on the grid. Shape (c,)."""
    which: NDArray[np.intp]
    """Where each of them stands in `ZeroDteGreeks.rows`. Shape (c,)."""
    each: F64
    """$ per hour per contract, call or put alike. Shape (g, c)."""

    def of(self, books: F64) -> CharmCurve:
        """C(s) of k books, shape (k, n): contracts per row, calls and puts added up."""
        held = contracts(books[:, self.rows])
        return CharmCurve(self.spot, self.spots, np.einsum("kr,gr->kg", held, self.each))


def charm_curve(greeks: ZeroDteGreeks, books: F64) -> CharmCurve:
    """Re-price the finite charm of k books along spot, volatility attached to the strike.

        C(s) = Σ x·{Δ(s, T−h) − Δ(s, T)}·M·s,   s in S ± 2.5σ of what is left, σ/20 apart

    `books` has shape (k, n): contracts per row, calls and puts added up; any sign
    convention is a mixture of the calls' and the puts' book. Carry over an hour is left
    out for puts and for strikes beyond six standard deviations of the whole grid.
    """
    return charm_matrix(greeks, np.any(contracts(books) != 0.0, axis=0)).of(books)


def charm_matrix(greeks: ZeroDteGreeks, held: Mask) -> CharmMatrix:
    """The terms of C(s) by row, for the rows that somebody may hold. `held` has shape (n,)."""
    surface = greeks.surface
    if not greeks.sigma > 0.0:
        none = np.empty(0, np.intp)
        return CharmMatrix(greeks.spot, np.empty(0), none, none, np.empty((0, 0)))
    reach = _CURVE_SIGMAS * greeks.sigma
    spots = greeks.spot + np.linspace(-reach, reach, 2 * _CURVE_POINTS + 1)
    which = np.flatnonzero(greeks.known & held[greeks.rows])
    rows = greeks.rows[which]
    expiry = surface.layout.expiry[rows]
    later = np.maximum(surface.seconds / YEAR_SECONDS - HOUR_YEARS, 0.0)
    t = np.log(spots / greeks.spot)
    base = np.log(surface.forward)[expiry] - np.log(surface.layout.strike[rows])
    w = surface.iv[rows] * np.sqrt(surface.years)[expiry]
    # A row that stays beyond six standard deviations over the whole grid decays nothing.
    near = ((base + t[0]) / w < 6.0) & ((base + t[-1]) / w > -6.0)
    which, rows, expiry, base, w = which[near], rows[near], expiry[near], base[near], w[near]
    moved = base + t[:, None]
    now = ndtr(moved / w + 0.5 * w)
    roll, carry, carry_later = rolled(surface, later)
    if later[greeks.scope].any():
        w_later = surface.iv[rows] * np.sqrt(later)[expiry]
        then = ndtr((moved + roll[expiry]) / w_later + 0.5 * w_later) * carry_later[expiry]
    else:
        then = np.heaviside(spots[:, None] - surface.layout.strike[rows], 0.5)
    then -= now * carry[expiry]
    then *= multipliers(surface.layout)[expiry]
    then *= spots[:, None]
    return CharmMatrix(greeks.spot, spots, rows, which, then)


def charm_zeros(curve: CharmCurve, mix: tuple[float, ...] = (1.0,)) -> tuple[CharmZero, ...]:
    """Zeros of mix · C(s), ascending, linear between grid points.

    Where |C| is below a millionth of its largest it has no sign. Empty without charm.
    """
    values = np.asarray(mix, np.float64) @ curve.charm
    largest = float(np.abs(values).max(initial=0.0))
    if not largest > 0.0:
        return ()
    at = np.flatnonzero(np.abs(values) > 1e-6 * largest)
    s, c = curve.spots[at], values[at]
    turns = np.flatnonzero((c[1:] > 0.0) != (c[:-1] > 0.0))
    zeros = s[turns] - c[turns] * (s[turns + 1] - s[turns]) / (c[turns + 1] - c[turns])
    return tuple(
        CharmZero(float(zero), bool(c[turn + 1] > 0.0))
        for zero, turn in zip(zeros, turns, strict=True)
    )
