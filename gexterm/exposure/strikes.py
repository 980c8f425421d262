"""Exposures row by row, and their sums by strike and by expiry.

Units follow `docs/definitions.md`; x is the dealer's contracts, M the multiplier, S spot:

    gex         Γ·x·M·S²·0.01    $ of delta per 1 % of spot
    delta       Δ·x·M·S          $
    vega        vega·x·M         $ per vol point (never times S)
    vanna       vanna·x·M·S      $ of delta per vol point
    charm_day   charm·x·M·S      $ of delta per calendar day, instantaneous
    charm_hour  {Δ(S, T−h) − Δ(S, T)}·x·M·S, h = min(1 hour, T)
    decay       {Δ at settlement − Δ(S, T)}·x·M·S, if spot stays

`charm_hour` is a finite step for every expiry, volatility attached to the strike: it
is what the next hour brings, and what the rest of its life brings for an expiry with
less than an hour left (not scaled up to an hour). `decay` is given only for expiries
that are about to settle; for later ones it is 0 in the rows, since a sum over a year
of other events under "spot stays" would say nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from gexterm.exposure.scope import (
    DAY_SECONDS,
    YEAR_SECONDS,
    Mask,
    Rows,
    contracts,
    multipliers,
    scope_rows,
)
from gexterm.market.chain import CALL, PUT, Layout
from gexterm.pricing.surface import Surface

F64 = NDArray[np.float64]
HOUR_SECONDS = 3600.0

COLUMNS = (
    "call_gex",
    "put_gex",
    "gex",
    "delta",
    "vega",
    "vanna",
    "charm_day",
    "charm_hour",
    "decay",
)
"""The exposures, in the order of `Exposures.values`."""


@dataclass(frozen=True, eq=False, slots=True)
class Exposures:
    """Every exposure of m rows, strikes or expiries."""

    values: F64
    """One line per exposure, in the order of `COLUMNS`. Shape (9, m)."""
    known: Mask
    """Whether there are greeks behind the numbers. Shape (m,). By row: where not, the
    values are 0; by strike and expiry: where none of the rows is known, they are NaN."""

    def __len__(self) -> int:
        return len(self.known)

    def _line(self, i: int) -> F64:
        line: F64 = self.values[i]
        return line

    @property
    def call_gex(self) -> F64:
        """The calls' part of `gex`. Shape (m,)."""
        return self._line(0)

    @property
    def put_gex(self) -> F64:
        """The puts' part of `gex`. Shape (m,)."""
        return self._line(1)

    @property
    def gex(self) -> F64:
        """Delta gained when spot rises 1 %, $. Shape (m,)."""
        return self._line(2)

    @property
    def delta(self) -> F64:
        """Delta notional, $. Shape (m,)."""
        return self._line(3)

    @property
    def vega(self) -> F64:
        """$ per vol point. Shape (m,)."""
        return self._line(4)

    @property
    def vanna(self) -> F64:
        """Delta gained per vol point, $. Shape (m,)."""
        return self._line(5)

    @property
    def charm_day(self) -> F64:
        """Delta gained per calendar day, instantaneous, $. Shape (m,)."""
        return self._line(6)

    @property
    def charm_hour(self) -> F64:
        """Delta gained in the next hour or until settlement, $. Shape (m,)."""
        return self._line(7)

    @property
    def decay(self) -> F64:
        """Delta gained until settlement if spot stays, $; settling expiries only. Shape (m,)."""
        return self._line(8)


@dataclass(frozen=True, slots=True)
class Totals:
    """A book in one number each; NaN where no position or no greek is known."""

    gex: float
    """$ of delta per 1 %."""
    gross_gex: float
    """The same with every contract's size instead of its sign, $ per 1 %."""
    delta: float
    """$."""
    vega: float
    """$ per vol point."""
    vanna: float
    """$ of delta per vol point."""
    charm_day: float
    """$ of delta per calendar day."""
    charm_hour: float
    """$ of delta in the next hour."""
    decay: float
    """$ of delta until settlement; settling expiries only."""
    unknown_share: float
    """Share of the contracts held that have no greeks, 0 to 1."""


@dataclass(frozen=True, eq=False, slots=True)
class StrikeIndex:
    """Which strike each row of a scope adds to. Made once per layout and scope."""

    rows: Rows
    """Rows of the scope."""
    strike: F64
    """Distinct strikes, ascending, points. Shape (m,)."""
    index: NDArray[np.intp]
    """Position in `strike` of each row of the scope."""

    @classmethod
    def of(cls, layout: Layout, scope: Mask | None = None) -> StrikeIndex:
        """Index the strikes of the chosen expiries; `scope` has shape (E,), None is all."""
        rows = scope_rows(layout, scope)
        strike, index = np.unique(layout.strike[rows], return_inverse=True)
        return cls(rows, strike, index.astype(np.intp, copy=False))

    def sum(self, values: F64) -> F64:
        """Sum values of shape (n,) by strike. Returns shape (m,)."""
        sums = np.bincount(self.index, values[self.rows], len(self.strike))
        return np.asarray(sums, np.float64)


def finite_charm(surface: Surface, rows: Rows | None = None, hours: float = 1.0) -> tuple[F64, F64]:
    """Δ(S, T−h) − Δ(S, T) of one option with h = min(hours, T), volatility per strike.

    Returns, for the chosen rows, the call's and what a put has on top of it (carry
    only, 0 at zero rates). Forward and discount roll down as `rolled` says.
    At settlement a call's delta is 1 below spot, 0 above and ½ at it. NaN where the
    greeks are.
    """
    layout = surface.layout
    chosen = slice(0, len(layout)) if rows is None else rows
    expiry, strike = layout.expiry[chosen], layout.strike[chosen]
    later = np.maximum(surface.seconds - hours * HOUR_SECONDS, 0.0) / YEAR_SECONDS
    roll, carry, carry_later = rolled(surface, later)
    with np.errstate(invalid="ignore", divide="ignore"):
        log_forward = np.log(surface.forward) + roll
        w = surface.iv[chosen] * np.sqrt(later)[expiry]
        d1 = (log_forward[expiry] - np.log(strike)) / w + 0.5 * w
    call = carry_later[expiry] * ndtr(d1)
    at_settlement = (later == 0.0)[expiry]
    if at_settlement.any():
        call[at_settlement] = np.heaviside(surface.spot - strike[at_settlement], 0.5)
    call -= surface.delta[CALL, chosen]
    return call, (carry - carry_later)[expiry]


def rolled(surface: Surface, later: F64) -> tuple[F64, F64, F64]:
    """How forward and discount change until only `later` years are left. Shapes (E,).

    Returns the change of ln F, and D·F/S now and then. The rate is the carry of charm,
    `Surface.carry`, not ln(F/S)/T: on the last day a point by which index and options
    are not quoted at the same moment would roll off within hours, and with gamma of
    that day it outweighs charm. At settlement D·F/S is 1.
    """
    passed = surface.years - later
    with np.errstate(invalid="ignore", divide="ignore"):
        now = surface.discount * surface.forward / surface.spot
        growth = surface.carry
        if growth is None:
            growth = np.log(surface.forward / surface.spot) / surface.years
        roll = -growth * passed
        interest = -np.log(surface.discount) / surface.years * passed
        then = np.where(later > 0.0, now * np.exp(roll + interest), 1.0)
    return roll, now, np.where(np.isfinite(now), then, np.nan)


def row_exposures(surface: Surface, positions: F64, settling: Mask | None = None) -> Exposures:
    """Every exposure of every row, calls and puts together. Arrays of shape (n,).

    `positions` has shape (2, n): dealer contracts, + = long, NaN = none. `settling`,
    shape (E,), says for which expiries `decay` is wanted; None means those that settle
    within 24 hours. Rows without greeks are 0 and not `known`.
    """
    layout, spot = surface.layout, surface.spot
    n = len(layout)
    x = contracts(positions)
    size = multipliers(layout)[layout.expiry]
    dollars = size * spot
    call, put = x[CALL], x[PUT]
    both = call + put
    out = np.zeros((len(COLUMNS), n))
    call_gex, put_gex, gex, delta, vega, vanna, charm_day, charm_hour, decay = out

    per_percent = surface.gamma * dollars
    per_percent *= spot * 0.01
    np.multiply(per_percent, call, out=call_gex)
    np.multiply(per_percent, put, out=put_gex)
    np.add(call_gex, put_gex, out=gex)
    np.multiply(surface.delta[CALL], call, out=delta)
    delta += surface.delta[PUT] * put
    np.multiply(surface.vega, both, out=vega)
    vega *= size
    np.multiply(surface.vanna, both, out=vanna)
    np.multiply(surface.charm[CALL], call, out=charm_day)
    charm_day += surface.charm[PUT] * put
    step, put_extra = finite_charm(surface)
    np.multiply(step, both, out=charm_hour)
    charm_hour += put_extra * put

    if settling is None:
        settling = (surface.seconds > 0.0) & (surface.seconds <= DAY_SECONDS)
    for e in np.flatnonzero(settling):
        rows = layout.slice(int(e))
        at_close = np.heaviside(spot - layout.strike[rows], 0.5)
        decay[rows] = (at_close - surface.delta[CALL, rows]) * call[rows]
        decay[rows] += (at_close - 1.0 - surface.delta[PUT, rows]) * put[rows]
    for values in (delta, vanna, charm_day, charm_hour, decay):
        values *= dollars

    known = np.isfinite(surface.gamma)
    if not known.all():
        out[:, ~known] = 0.0
    return Exposures(out, known)


def by_strike(rows: Exposures, index: StrikeIndex) -> Exposures:
    """Sums by strike over the index's scope. Arrays of shape (m,)."""
    values = rows.values[:, index.rows]
    m = len(index.strike)
    sums = np.empty((len(COLUMNS), m))
    for line, one in zip(sums, values, strict=True):
        line[:] = np.bincount(index.index, one, m)
    known = rows.known[index.rows]
    if known.all():
        return Exposures(sums, np.ones(m, np.bool_))
    some = np.bincount(index.index, known, m) > 0
    sums[:, ~some] = np.nan
    return Exposures(sums, some)


def by_expiry(rows: Exposures, layout: Layout) -> Exposures:
    """Sums by expiry. Arrays of shape (E,)."""
    begins = layout.starts[:-1]
    if len(begins) == 0:
        return Exposures(np.empty((len(COLUMNS), 0)), np.empty(0, np.bool_))
    sums = np.add.reduceat(rows.values, begins, axis=1)
    some = np.logical_or.reduceat(rows.known, begins)
    sums[:, ~some] = np.nan
    return Exposures(sums, some)


def totals(rows: Exposures, positions: F64, layout: Layout, scope: Mask | None = None) -> Totals:
    """Sums over the chosen expiries.

    All NaN where no contract of the scope is held, or none that is held has greeks: a
    book that nobody knows is not a flat one.
    """
    chosen = scope_rows(layout, scope)
    held = np.nansum(np.abs(positions[:, chosen]), axis=0)
    known = rows.known[chosen]
    all_held = float(held.sum())
    known_held = all_held if known.all() else float(held[known].sum())
    if known_held == 0.0:
        nan = float("nan")
        return Totals(nan, nan, nan, nan, nan, nan, nan, nan, 1.0 if all_held else nan)

    def total(values: F64) -> float:
        return float(values[chosen].sum())

    return Totals(
        gex=total(rows.gex),
        gross_gex=total(np.abs(rows.call_gex)) + total(np.abs(rows.put_gex)),
        delta=total(rows.delta),
        vega=total(rows.vega),
        vanna=total(rows.vanna),
        charm_day=total(rows.charm_day),
        charm_hour=total(rows.charm_hour),
        decay=total(rows.decay),
        unknown_share=1.0 - known_held / all_held,
    )
