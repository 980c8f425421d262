"""How far off a book's exposures may be, given how far off its positions may be.

Everything here is linear in positions, so that no draw is needed:

    Var(Σ x·g) = Σ g²·variance + Σ_j (Σ g·shared_j)²        (`dealers.belief`)

What trades get wrong one by one averages out over a book, what they get wrong together
does not; both are in it. Bias that no belief knows of is not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from gexterm.dealers.belief import Belief
from gexterm.exposure.charm import ZeroDteGreeks
from gexterm.exposure.scope import Mask, Rows, scope_rows
from gexterm.exposure.strikes import StrikeIndex
from gexterm.exposure.units import QUANTITIES, UnitExposures
from gexterm.market.chain import Layout

F64 = NDArray[np.float64]
NAN = float("nan")

COVERAGE = 0.8
"""Share of cases that a band is meant to hold: from the 10th to the 90th percentile."""


def half_width(coverage: float = COVERAGE) -> float:
    """Standard deviations from the middle of a normal to the edge of its central band."""
    return float(ndtri(0.5 + 0.5 * coverage))


def linear_sd(belief: Belief, g: F64) -> float:
    """Standard deviation of Σ x·g. `g`, shape (2, n), is per contract; 0 where not known."""
    own = float(np.einsum("cn,cn,cn->", g, g, belief.variance))
    common = np.einsum("kcn,cn->k", belief.shared, g)
    return float(np.sqrt(own + np.einsum("k,k->", common, common)))


def probability_negative(mean: float, sd: float) -> float:
    """P(X < 0) of a normal; 0 or 1 where it is certain, NaN where it is certainly 0."""
    if not np.isfinite(mean) or not np.isfinite(sd) or (sd == 0.0 and mean == 0.0):
        return NAN
    if sd == 0.0:
        return 1.0 if mean < 0.0 else 0.0
    return float(ndtr(-mean / sd))


@dataclass(frozen=True, slots=True)
class TotalsSd:
    """Standard deviations of a book's totals, in their units; NaN where nothing is believed."""

    gex: float
    """$ of delta per 1 %."""
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
    p_short: float
    """P(gamma short): that the true gex is below 0; NaN where it is certainly 0."""


def totals_sd(
    units: UnitExposures, belief: Belief, layout: Layout, scope: Mask | None = None
) -> TotalsSd:
    """Standard deviation of every total over the chosen expiries, in one pass.

    `scope` has shape (E,); None is all. NaN where no contract with greeks has a position,
    nor might have one: who knows nothing of a book is not sure of it.
    """
    rows = scope_rows(layout, scope)
    mean, variance, shared = (
        belief.mean[:, rows],
        belief.variance[:, rows],
        belief.shared[..., rows],
    )
    # A row whose contracts have no position and could have none adds nothing anywhere.
    some = _held(mean, variance, shared) & units.known[rows]
    if not some.any():
        return TotalsSd(*(NAN,) * _NUMBERS)
    values = units.values[..., rows]
    sd = np.sqrt(variance)
    scaled = np.empty_like(sd)
    total = np.empty(len(QUANTITIES))
    for q, unit in enumerate(values):
        np.multiply(unit, sd, out=scaled)
        total[q] = np.einsum("cn,cn->", scaled, scaled)
    common = np.einsum("qcn,kcn->kq", values, shared)
    total = np.sqrt(total + np.einsum("kq,kq->q", common, common))
    gex = float(np.einsum("cn,cn->", values[0], mean))
    p_short = probability_negative(gex, float(total[0]))
    return TotalsSd(**dict(zip(QUANTITIES, total.tolist(), strict=True)), p_short=p_short)


_NUMBERS = len(QUANTITIES) + 1


def _held(mean: F64, variance: F64, shared: F64) -> Mask:
    held = (mean != 0.0) | (variance > 0.0)
    for one in shared:
        held |= one != 0.0
    return np.asarray(held.any(axis=0), np.bool_)


@dataclass(frozen=True, eq=False, slots=True)
class StrikesSd:
    """Standard deviations by strike of a scope. m strikes."""

    position: F64
    """Contracts, calls and puts together. Shape (m,)."""
    values: F64
    """One line per quantity asked for, in its unit; NaN where no row of the strike has
    greeks, as in `strikes.by_strike`. Shape (q, m)."""
    names: tuple[str, ...]
    """Which quantities, of `units.QUANTITIES`."""

    def of(self, name: str) -> F64:
        """One quantity by its name. Shape (m,)."""
        line: F64 = self.values[self.names.index(name)]
        return line


def by_strike_sd(
    units: UnitExposures,
    belief: Belief,
    index: StrikeIndex,
    names: tuple[str, ...] = QUANTITIES,
) -> StrikesSd:
    """Standard deviation of every strike's position and exposures over an index's scope."""
    rows: Rows = index.rows
    variance, shared = belief.variance[:, rows], belief.shared[..., rows]
    chosen = [QUANTITIES.index(name) for name in names]
    count = len(index.strike)
    total = np.empty((len(chosen) + 1, count))

    def sums(values: F64) -> F64:
        return np.asarray(np.bincount(index.index, values, count), np.float64)

    total[0] = sums(variance.sum(axis=0))
    sd = np.sqrt(variance)
    for line, q in zip(total[1:], chosen, strict=True):
        scaled = units.values[q][:, rows] * sd
        line[:] = sums(np.einsum("cn,cn->n", scaled, scaled))
    for one in shared:
        total[0] += np.square(sums(one.sum(axis=0)))
        for line, q in zip(total[1:], chosen, strict=True):
            line += np.square(sums(np.einsum("cn,cn->n", units.values[q][:, rows], one)))
    np.sqrt(total, out=total)
    known = units.known[rows]
    if not known.all():
        total[1:, np.bincount(index.index, known, count) == 0.0] = np.nan
    return StrikesSd(total[0], total[1:], names)


@dataclass(frozen=True, slots=True)
class SidesSd:
    """How well the charm of today's sides is known, after the |delta| cut."""

    below: float
    """Standard deviation of B, $ per hour."""
    above: float
    """Standard deviation of A, $ per hour."""
    covariance: float
    """Of B and A, ($ per hour)²."""
    net: float
    """Standard deviation of B + A, $ per hour."""


def sides_sd(greeks: ZeroDteGreeks, belief: Belief) -> SidesSd:
    """Standard deviation of charm below and above spot, a strike at spot half on each side.

    All NaN where no contract that the |delta| rule keeps has a position, nor might have.
    """
    rows = greeks.rows
    kept = np.where(greeks.kept, greeks.charm, 0.0)
    up = greeks.above[greeks.index]
    sides = np.stack([kept * (1.0 - up), kept * up])
    variance, shared = belief.variance[:, rows], belief.shared[..., rows]
    if not (_held(belief.mean[:, rows], variance, shared) & greeks.kept.any(axis=0)).any():
        return SidesSd(NAN, NAN, NAN, NAN)
    common = np.einsum("scn,kcn->ks", sides, shared)
    both = np.einsum("scn,tcn,cn->st", sides, sides, variance) + np.einsum(
        "ks,kt->st", common, common
    )
    return SidesSd(
        below=float(np.sqrt(both[0, 0])),
        above=float(np.sqrt(both[1, 1])),
        covariance=float(both[0, 1]),
        net=float(np.sqrt(max(both.sum(), 0.0))),
    )
