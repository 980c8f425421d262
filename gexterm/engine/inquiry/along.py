"""Five exposures of one book at many spots at once, and how sure they are.

Under sticky strikes d1 of a row is linear in t = ln(s/S), so that at spot s

    gamma    s Σ x·M·A·n(d1)/w · 0.01              $ per 1 %
    vega     s Σ x·M·A·n(d1)·√T · 0.01             $ per vol point
    vanna  − s Σ x·M·A·n(d1)·d2/σ · 0.01           $ per vol point
    delta    s {Σ x·M·A·N(d1) − Σ x_put·M·A}       $
    charm    Δ with an hour less, less Δ           $ per hour, a finite step

with A = D·F/S and x of call and put together. Rows that are wide against the stretch of
spots are analytic in t: they are summed at Chebyshev points and drawn through them, which
is exact to rounding and several times as fast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gexterm.dealers.belief import Belief
from gexterm.exposure.scope import HOUR_YEARS, YEAR_SECONDS, Mask, contracts, multipliers
from gexterm.exposure.strikes import rolled
from gexterm.market.chain import PUT
from gexterm.pricing.normal import INV_SQRT_2PI, SQRT_HALF, erfcx
from gexterm.pricing.surface import Surface
from gexterm.pricing.work import Work

F64 = NDArray[np.float64]
INT = NDArray[np.intp]

_CHEBYSHEV = ((3.0, 40), (6.0, 72))
"""Standard deviations from the middle of the stretch to its ends, and points for it."""
_ROUGHLY = ((3.0, 20), (6.0, 36), (12.0, 72))
"""The same for what need not be exact: to about 1e-5."""
_BLOCK = 1 << 14
"""Rows × spots in the cache at once."""


@dataclass(frozen=True, eq=False, slots=True)
class Priced:
    """Rows with greeks, at one spot from which t counts. r rows."""

    spot: float
    """Points."""
    rows: INT
    """Rows of the layout. Shape (r,)."""
    d1: F64
    """d1 at that spot. Shape (r,)."""
    slope: F64
    """1/w = 1/(σ√T). Shape (r,)."""
    later: F64
    """d1 an hour on; for rows that have settled by then ln(S/K). Shape (r,)."""
    later_slope: F64
    """1/w an hour on; infinite for rows that have settled by then. Shape (r,)."""
    now: F64
    """M·A: multiplier times D·F/S. Shape (r,)."""
    then: F64
    """The same an hour on. Shape (r,)."""
    root: F64
    """√T. Shape (r,)."""
    iv: F64
    """Volatility, as a fraction. Shape (r,)."""

    def __len__(self) -> int:
        return len(self.d1)

    def only(self, at: INT) -> Priced:
        """Some of the rows."""
        rest = (getattr(self, field.name)[at] for field in fields(self)[1:])
        return Priced(self.spot, *rest)


def priced(surface: Surface, wanted: Mask, scope: Mask | None) -> Priced:
    """The rows of `wanted`, shape (n,), within the scope that have greeks."""
    layout = surface.layout
    chosen = np.isfinite(surface.gamma) & wanted
    if scope is not None:
        chosen &= scope[layout.expiry]
    rows = np.flatnonzero(chosen)
    expiry, strike = layout.expiry[rows], layout.strike[rows]
    size = multipliers(layout)[expiry]
    left = np.maximum(surface.seconds / YEAR_SECONDS - HOUR_YEARS, 0.0)
    roll, carry, carry_later = rolled(surface, left)
    iv, root = surface.iv[rows], np.sqrt(surface.years)[expiry]
    away = np.log(surface.forward)[expiry] - np.log(strike)
    w, w_later = iv * root, iv * np.sqrt(left)[expiry]
    gone = w_later == 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        later = (away + roll[expiry]) / w_later + 0.5 * w_later
        later_slope = 1.0 / w_later
    later[gone] = np.log(surface.spot / strike[gone])
    return Priced(
        spot=surface.spot,
        rows=rows,
        d1=away / w + 0.5 * w,
        slope=1.0 / w,
        later=later,
        later_slope=later_slope,
        now=size * carry[expiry],
        then=size * carry_later[expiry],
        root=root,
        iv=iv,
    )


@dataclass(frozen=True, eq=False, slots=True)
class Held:
    """A book's rows, and what they are weighed with. r rows."""

    part: Priced
    """The rows."""
    bells: F64
    """Weights of n(d1)·√2π for gamma, vega, and vanna's two parts. Shape (4, r)."""
    steps: F64
    """Weights of N(d1) now and in an hour. Shape (2, r)."""
    puts: tuple[float, float]
    """What puts take off delta, now and in an hour, per point of spot."""

    def __len__(self) -> int:
        return len(self.part)

    def only(self, at: INT) -> Held:
        """Some of the rows, without what puts take off."""
        return Held(self.part.only(at), self.bells[:, at], self.steps[:, at], (0.0, 0.0))


def hold(surface: Surface, positions: F64, scope: Mask | None) -> Held:
    """What `exposures` needs of a book; `positions` has shape (2, n), NaN = none."""
    x = contracts(positions)
    part = priced(surface, np.any(x != 0.0, axis=0), scope)
    both, put = x[:, part.rows].sum(axis=0), x[PUT, part.rows]
    amount = both * part.now * (0.01 * INV_SQRT_2PI)
    return Held(
        part,
        # −n(d1)·d2/σ = n(d1)·(w − d1)/σ: one part with d1, one without.
        bells=np.stack(
            [amount * part.slope, amount * part.root, amount * part.root, -amount / part.iv]
        ),
        steps=np.stack([both * part.now, both * part.then]),
        puts=(float((put * part.now).sum()), float((put * part.then).sum())),
    )


def exposures(held: Held, t: F64, work: Work | None = None) -> F64:
    """gamma, charm, vanna, vega and delta at spots S·e^t, in `GREEKS` order. Shape (5, m)."""
    return along(held, float(t.min()), float(t.max()), len(t), work)(t)


def along(
    held: Held, low: float, high: float, count: int, work: Work | None = None
) -> Callable[[F64], F64]:
    """What gives `exposures` anywhere between t = `low` and `high`; see `Sweep`."""
    work = work or Work()
    sweep = Sweep(held.part, low, high, count, lambda rows, t: _sums(held.only(rows), t, work))
    return lambda t: to_exposures(sweep.at(t), held, t)


def to_exposures(sums: F64, held: Held, t: F64) -> F64:
    """Gamma, vega, vanna, delta now and in an hour, over s, as exposures in `GREEKS` order."""
    gamma, vega, vanna, delta, delta_later = sums
    delta = delta - held.puts[0]
    values = np.stack([gamma, delta_later - held.puts[1] - delta, vanna, vega, delta])
    return np.asarray(values * (held.part.spot * np.exp(t)), np.float64)


def deviations(
    surface: Surface, belief: Belief, scope: Mask | None, t: F64, work: Work | None = None
) -> F64:
    """Standard deviation of each exposure at spots S·e^t, in `GREEKS` order. Shape (5, m).

    Var(Σ x·g) = Σ g²·variance + Σ_j (Σ g·shared_j)², as `exposure.uncertainty` has it.
    """
    work = work or Work()
    some = np.any(belief.variance > 0.0, axis=0) | np.any(belief.shared != 0.0, axis=(0, 1))
    part = priced(surface, some, scope)

    def sums(rows: INT, at: F64) -> F64:
        mine = part.only(rows)
        variance, shared = belief.variance[:, mine.rows], belief.shared[..., mine.rows]
        return _errors(mine, variance, shared, at, work)

    low, high = float(t.min()), float(t.max())
    own, *common = Sweep(part, low, high, len(t), sums, squares=True).at(t)
    total = np.maximum(own, 0.0)
    for one in common:
        total += one * one
    return np.asarray(np.sqrt(total) * (part.spot * np.exp(t)), np.float64)


class Sweep:
    """Sums over rows along a stretch of t, to be asked anywhere on it.

    `sums(rows, t)` makes them of some rows, its last axis along t. Rows that are wide
    against [low, high] are summed at Chebyshev points once, the others wherever asked.
    `count`: about how many points will be asked; `squares` are narrower by √2, and need
    not be exact.
    """

    def __init__(
        self,
        part: Priced,
        low: float,
        high: float,
        count: int,
        sums: Callable[[INT, F64], F64],
        *,
        squares: bool = False,
    ) -> None:
        self._middle, self._half = 0.5 * (low + high), 0.5 * (high - low)
        self._sums = sums
        self._wide: list[F64] = []
        with np.errstate(invalid="ignore"):
            reach = self._half * np.maximum(part.slope, part.later_slope)
            reach *= _ROOT_TWO if squares else 1.0
        left = np.ones(len(part), np.bool_)
        for most, points in _ROUGHLY if squares else _CHEBYSHEV:
            if points >= count:
                break
            fit = left & (reach <= most)
            left &= ~fit
            if fit.any():
                nodes, to_powers = _chebyshev(points)
                found = sums(np.flatnonzero(fit), self._middle + self._half * nodes)
                self._wide.append(np.einsum("...n,kn->...k", found, to_powers))
        self._narrow = np.flatnonzero(left)

    def at(self, t: F64) -> F64:
        """The sums at `t`, within the stretch. Shape (…, m)."""
        out = self._sums(self._narrow, t)
        if self._wide:
            angle = np.arccos(np.clip((t - self._middle) / self._half, -1.0, 1.0))
            for powers in self._wide:
                waves = np.cos(np.multiply.outer(angle, np.arange(powers.shape[-1])))
                out += np.einsum("...k,mk->...m", powers, waves)
        return out


@lru_cache(maxsize=8)
def _chebyshev(points: int) -> tuple[F64, F64]:
    """Chebyshev points on [−1, 1], and what leads from values there to coefficients."""
    angle = np.pi * (np.arange(points) + 0.5) / points
    k = np.arange(points)
    weight = np.where(k == 0, 1.0, 2.0) / points
    return np.cos(angle), np.cos(np.multiply.outer(k, angle)) * weight[:, None]


def _sums(held: Held, t: F64, work: Work) -> F64:
    """Gamma, vega, vanna, delta now and in an hour; over s. Shape (5, m)."""
    out = np.zeros((5, len(t)))
    for rows, y, bell, cdf in _blocks(held.part, t, work):
        bells, steps = held.bells[:, rows], held.steps[:, rows]
        out[3] += np.vecdot(cdf, steps[0])
        for line in range(3):
            out[line] += np.vecdot(bell, bells[line])
        bell *= y
        out[2] += np.vecdot(bell, bells[3])
        _an_hour_on(held.part, rows, t, y, bell, cdf, work)
        out[4] += np.vecdot(cdf, steps[1])
    return out


def _errors(part: Priced, variance: F64, shared: F64, t: F64, work: Work) -> F64:
    """Σ g²·variance over s², then every Σ g·shared_j over s. Shape (1 + k, 5, m)."""
    out = np.zeros((1 + len(shared), 5, len(t)))
    own, common = out[0], out[1:]
    both, of_puts = variance.sum(axis=0), variance[PUT]
    shared_both = shared.sum(axis=1)
    for rows, y, bell, cdf in _blocks(part, t, work):
        slope, now, then = part.slope[rows], part.now[rows], part.then[rows]
        bell *= now * (0.01 * INV_SQRT_2PI)
        vanna = bell * ((1.0 / slope - y) / part.iv[rows])
        delta = cdf * now
        gamma, vega = bell * slope, bell * part.root[rows]
        _an_hour_on(part, rows, t, y, bell, cdf, work)
        cdf *= then
        cdf -= delta
        for line, unit in enumerate((gamma, cdf, vanna, vega, delta)):
            for j, one in enumerate(shared_both[:, rows]):
                common[j, line] += np.vecdot(unit, one)
            # Of a put N(d1) is less by one, at every spot: (u − l)² = u² − 2ul + l².
            if line in (1, 4):
                less, puts = now if line == 4 else then - now, of_puts[rows]
                own[line] += float(puts @ (less * less)) - 2.0 * np.vecdot(unit, puts * less)
                common[:, line] -= (shared[:, PUT, rows] @ less)[:, None]
            unit *= unit
            own[line] += np.vecdot(unit, both[rows])
    return out


def _blocks(part: Priced, t: F64, work: Work) -> Iterator[tuple[slice, F64, F64, F64]]:
    """Rows in pieces that stay in the cache, with d1, e^{−d1²/2} and N(d1). Shape (m, piece)."""
    m = len(t)
    at_once = max(1, _BLOCK // m)
    for first in range(0, len(part), at_once):
        rows = slice(first, first + at_once)
        n = len(part.d1[rows])
        y, bell, cdf = (a.reshape(m, n) for a in work.arrays("along", 3, m * n))
        np.multiply(t[:, None], part.slope[rows], out=y)
        y += part.d1[rows]
        normal_cdf(y, bell, cdf, work)
        yield rows, y, bell, cdf


def _an_hour_on(part: Priced, rows: slice, t: F64, y: F64, bell: F64, cdf: F64, work: Work) -> None:
    """N(d1) of the same rows in an hour, into `cdf`; the others are overwritten."""
    later, slope = part.later[rows], part.later_slope[rows]
    gone = np.isinf(slope)
    with np.errstate(invalid="ignore"):
        np.multiply(t[:, None], slope, out=y)
    y += later
    if gone.any():
        # ln(s/K): one above the strike, nothing below, half at it, as at settlement.
        away = t[:, None] + later[gone]
        y[:, gone] = np.where(np.abs(away) < _AT_STRIKE, 0.0, np.sign(away) * 40.0)
    normal_cdf(y, bell, cdf, work)


_AT_STRIKE = 1e-13
_ROOT_TWO = float(np.sqrt(2.0))


def normal_cdf(y: F64, bell: F64, out: F64, work: Work) -> None:
    """e^{−y²/2} into `bell` and N(y) into `out`."""
    flat, tail = y.ravel(), out.ravel()
    size = work.array("along.size", len(flat))
    np.multiply(y, y, out=bell)
    bell *= -0.5
    np.exp(bell, out=bell)
    np.abs(flat, out=size)
    size *= SQRT_HALF
    erfcx(size, tail, work)
    out *= bell
    out *= 0.5
    np.subtract(1.0, out, out=out, where=y > 0.0)
