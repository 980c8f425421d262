"""The gamma profile: GEX per 1 % if spot were elsewhere, by re-pricing every contract.

    G(s) = Σ x·M·Γ(s)·s²·0.01,  F(s) = s·F/S per expiry, discount and carry unchanged

Call and put of one strike have one gamma, so that a book is one number of contracts
per row. Several books share the exponentials: with the open interest of calls and of
puts as two books, a convention's profile is call_sign · G[0] + put_sign · G[1], its GEX
the same of `now`, and the gross of all four conventions is gross[0] + gross[1].

Volatility along the profile is *sticky strike* by default (each strike keeps its own,
as in vanna and charm by strike), or *sticky moneyness* (each K/F keeps its own).
Method: re-priced zero gamma (Perfiliev; SpotGamma's "zero gamma").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gexterm.exposure.scope import Mask, Rows, contracts, multipliers, scope_rows
from gexterm.exposure.sweep import gaussian_errors, gaussian_sums, log_grid
from gexterm.pricing.surface import Surface

F64 = NDArray[np.float64]
Repricing = Literal["sticky strike", "sticky moneyness"]

STEP = 0.001
"""Default grid step, as a fraction of spot."""
# Ten standard deviations from a strike its gamma is 1e-22 of what it is at it.
_FAR = 10.0
# A finer grid than the default may cost this many rows × spots, as much as a full chain.
_MOST_CELLS = 2.5e6
_FINEST = 1e-4
_ROOT_TWO_PI = float(np.sqrt(2.0 * np.pi))


@dataclass(frozen=True, eq=False, slots=True)
class RepricedRows:
    """What re-pricing needs of the rows that are held and priced. r rows."""

    spot: float
    """Spot now, points."""
    rows: NDArray[np.intp]
    """Their rows in the layout. Shape (r,)."""
    d1: F64
    """d1 at today's spot. Shape (r,)."""
    w: F64
    """σ√T. Shape (r,)."""
    carry: F64
    """D·F/S of the row's expiry. Shape (r,)."""
    size: F64
    """Multiplier. Shape (r,)."""


def repriced_rows(
    surface: Surface, held: Mask, scope: Mask | None, low: float, high: float
) -> RepricedRows:
    """Pick the rows that matter for ln(s/S) in [low, high].

    `held` has shape (n,). Left out are rows without a position or a volatility and
    those that no spot of the range comes within ten standard deviations of.
    """
    layout = surface.layout
    chosen: Rows = scope_rows(layout, scope)
    rows = np.flatnonzero(held[chosen] & (surface.iv[chosen] > 0.0))
    rows = rows + chosen.start if isinstance(chosen, slice) else chosen[rows]
    expiry = layout.expiry[rows]
    w = surface.iv[rows] * np.sqrt(surface.years)[expiry]
    d1 = (np.log(surface.forward)[expiry] - np.log(layout.strike[rows])) / w + 0.5 * w
    near = (d1 + low / w < _FAR) & (d1 + high / w > -_FAR)
    if not near.all():
        rows, expiry, w, d1 = rows[near], expiry[near], w[near], d1[near]
    carry = surface.discount * surface.forward / surface.spot
    return RepricedRows(
        spot=surface.spot,
        rows=rows,
        d1=d1,
        w=w,
        carry=carry[expiry],
        size=multipliers(layout)[expiry],
    )


@dataclass(frozen=True, eq=False, slots=True)
class GammaProfile:
    """G(s) of k books on a grid, and what it takes to refine it between grid points."""

    spot: float
    """Spot now, points; NaN where it is not known."""
    spots: F64
    """Grid, ascending, containing `spot`. Shape (M,)."""
    gex: F64
    """GEX per 1 % at each, $. Shape (k, M)."""
    now: F64
    """G at today's spot, $ per 1 %: what `Totals.gex` is, for every book. Shape (k,)."""
    gross: F64
    """Σ|x|·Γ at today's spot, $ per 1 %; call and put of a row taken together. Shape (k,)."""
    repricing: Repricing
    """How volatility moves along the grid."""
    surface: Surface
    """What was re-priced."""
    part: RepricedRows
    """The rows that were."""
    books: F64
    """The books, contracts of each of those rows. Shape (k, r)."""

    def at(self, spots: F64) -> F64:
        """G at other spots within the grid. `spots` has shape (m,); returns (k, m)."""
        t = np.log(spots / self.spot)
        part = self.part
        if self.repricing == "sticky moneyness":
            return _moneyness_profile(self.surface, part, self.books, t)
        amount = _amount(part, self.books)
        out = np.empty((len(amount), len(t)))
        slope = 1.0 / part.w
        for j, move in enumerate(t):
            y = slope * move
            y += part.d1
            y *= y
            y *= -0.5
            out[:, j] = np.einsum("kn,n->k", amount, np.exp(y, out=y))
        return out * spots


def _amount(part: RepricedRows, books: F64) -> F64:
    """What turns exp(−d1²/2) into GEX per 1 % over spot. Shape (k, r)."""
    return np.asarray(books * _unit(part))


def _unit(part: RepricedRows) -> F64:
    """The same of one contract. Shape (r,)."""
    return np.asarray(part.carry * part.size / part.w * (0.01 / _ROOT_TWO_PI))


def profile_grid(surface: Surface, scope: Mask | None = None, step: float = STEP) -> F64:
    """The default grid: S ± max(5 %, 4σ of 5 trading days), even in ln(s), through S.

    σ is the ATM volatility of the scope's first expiry with a week or more to go, else
    of its last one. Where an expiry is narrower than two steps (the last hours of
    0DTE), the step shrinks to half its σ√T, as far as the number of rows lets it.
    Returns ascending spots, points; empty where spot is not known.
    """
    if not surface.spot > 0.0:
        return np.empty(0)
    iv, years = surface.atm_iv, surface.years
    usable = np.isfinite(iv) & (surface.seconds > 0.0)
    if scope is not None:
        usable &= scope
    at = np.flatnonzero(usable)
    width = 0.05
    if len(at):
        later = at[years[at] >= 7.0 / 365.0]
        sigma = float(iv[later[0]] if len(later) else iv[at[-1]])
        width = min(max(width, 4.0 * sigma * float(np.sqrt(5.0 / 252.0))), 0.5)
        narrowest = float((iv[at] * np.sqrt(years[at])).min())
        rows = int((surface.layout.starts[at + 1] - surface.layout.starts[at]).sum())
        affordable = 2.0 * width * rows / _MOST_CELLS
        step = min(step, max(0.5 * narrowest, affordable, _FINEST))
    first, count = log_grid(float(np.log1p(-width)), float(np.log1p(width)), step)
    return np.asarray(surface.spot * np.exp(first + step * np.arange(count)), np.float64)


def gamma_profile(
    surface: Surface,
    books: F64,
    scope: Mask | None = None,
    spots: F64 | None = None,
    repricing: Repricing = "sticky strike",
    also: Mask | None = None,
) -> GammaProfile:
    """Re-price the gamma of k books along spot.

    `books` has shape (k, n): dealer contracts per row, calls and puts added up (NaN =
    none); `merged(positions)` makes one of positions. `spots` is ascending and even in
    ln(s) (`profile_grid`). Rows without a volatility are left out: see
    `Totals.unknown_share`. Without a spot price the profile is empty. `also`, shape (n,),
    names rows to re-price though no book holds them: positions they might have.
    """
    books = contracts(np.atleast_2d(books))
    grid = profile_grid(surface, scope) if spots is None else spots
    if len(grid) < 2 or not surface.spot > 0.0:
        grid = np.empty(0)
    t = np.log(grid / surface.spot)
    reach = (float(t[0]), float(t[-1])) if len(t) else (0.0, 0.0)
    held = np.any(books != 0.0, axis=0)
    if also is not None:
        held |= also
    part = repriced_rows(surface, held, scope, *reach)
    mine = books[:, part.rows]
    amount = _amount(part, mine)
    if len(t) == 0:
        gex = np.empty((len(books), 0))
    elif repricing == "sticky moneyness":
        gex = _moneyness_profile(surface, part, mine, t)
    else:
        step = float(t[-1] - t[0]) / (len(t) - 1)
        gex = gaussian_sums(part.d1, 1.0 / part.w, amount, float(t[0]), step, len(t)) * grid
    here = np.exp(-0.5 * part.d1 * part.d1) * surface.spot
    now, gross = (np.einsum("kn,n->k", each, here) for each in (amount, np.abs(amount)))
    return GammaProfile(surface.spot, grid, gex, now, gross, repricing, surface, part, mine)


def profile_errors(profile: GammaProfile, shared: F64, variances: F64) -> tuple[F64, F64]:
    """G of common errors, and variance of G, along a profile's grid.

    `shared` has shape (k, n), contracts per row, calls and puts added up; `variances`
    shape (v, n), contracts². Only rows that the profile re-priced count. As exact as
    `sweep.gaussian_errors`. Returns shapes (k, M) and (v, M).
    """
    part, grid = profile.part, profile.spots
    common, own = shared.take(part.rows, axis=1), variances.take(part.rows, axis=1)
    if len(grid) == 0:
        return np.empty((len(common), 0)), np.empty((len(own), 0))
    t = np.log(grid / profile.spot)
    if profile.repricing == "sticky moneyness":
        return (
            _moneyness_profile(profile.surface, part, common, t),
            _moneyness_profile(profile.surface, part, own, t, power=2),
        )
    unit = _unit(part)
    step = float(t[-1] - t[0]) / (len(t) - 1)
    g, variance = gaussian_errors(
        part.d1,
        1.0 / part.w,
        common * unit,
        own * np.square(unit),
        float(t[0]),
        step,
        len(t),
    )
    return g * grid, variance * np.square(grid)


def merged(positions: F64) -> F64:
    """Positions of shape (2, n) as one book of shape (1, n): call and put of a row added."""
    return np.asarray(contracts(positions).sum(axis=0, keepdims=True), np.float64)


def _moneyness_profile(
    surface: Surface, part: RepricedRows, books: F64, t: F64, power: int = 1
) -> F64:
    """G with volatility attached to K/F: each strike reads its expiry's smile at K·S/s.

    With `power` 2, books of variances go in and variances of G come out.
    """
    layout = surface.layout
    priced = np.flatnonzero(surface.iv > 0.0)
    expiry = layout.expiry[priced]
    x = np.log(layout.strike[priced]) - np.log(surface.forward)[expiry]
    # One interpolation over all smiles: each is moved to its own stretch of the axis.
    gap = 2.0 * (float(np.abs(x).max(initial=0.0)) + float(np.abs(t).max())) + 1.0
    smile_x, smile_iv = x + gap * expiry, surface.iv[priced]
    count = len(layout.expiries)
    low, high = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(low, expiry, x)
    np.maximum.at(high, expiry, x)
    mine = layout.expiry[part.rows]
    own_x = np.log(layout.strike[part.rows]) - np.log(surface.forward)[mine]
    root_t = np.sqrt(surface.years)[mine]
    amount = books * (part.carry * part.size * (0.01 / _ROOT_TWO_PI)) ** power
    out = np.empty((len(books), len(t)))
    for j, at in enumerate(t):
        moved = own_x - at
        w = root_t * np.interp(
            np.clip(moved, low[mine], high[mine]) + gap * mine, smile_x, smile_iv
        )
        d1 = -moved / w + 0.5 * w
        density = (np.exp(-0.5 * d1 * d1) / w) ** power
        out[:, j] = np.einsum("kn,n->k", amount, density) * (surface.spot * np.exp(at)) ** power
    return out
