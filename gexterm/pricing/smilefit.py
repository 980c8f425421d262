"""Fitting the smiles: batched over expiries, a few passes over the rows.

Every expiry gets a penalised spline first: one banded system for all of them. Where
more than a day is left, raw SVI is then fitted to the spline, and replaces it only if
it stays inside the quotes and is free of butterfly arbitrage: greeks are taken at the
fitted volatility, so a smile that is elegant and wrong is worth nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpbsv

from gexterm.pricing.smile import BASIS, CELLS, Smiles, locate, svi_variance
from gexterm.pricing.svi import fit_svi, free_of_arbitrage
from gexterm.pricing.work import Work

F64 = NDArray[np.float64]
INT = NDArray[np.intp]
Mask = NDArray[np.bool_]

MIN_QUOTES = 6
"""With fewer informative strikes, and not half as many as it was fitted to, the smile before
is shifted instead, if there is one."""
MIN_QUADRATIC = 3
"""With fewer, and no smile before: a line through two strikes, one volatility from one."""
MIN_SPLINE = 4
"""With fewer strikes than this a quadratic is fitted."""
_MIN_SVI = 9
"""Five parameters follow fewer strikes than this wherever they lead."""
_COEFFICIENTS = CELLS + 3
_SMOOTHING = 2e-3
"""Weight of the squared third differences against the mean weight per interval."""
_QUADRATIC = 1e5
"""The same where only a quadratic is to be left."""
_SHORTEST_STEP = 0.06
_OUTLIER = 4.0
"""Residuals beyond this many half spreads lose weight (Huber)."""
_SVI_DAY = 1.0 / 365.0
_OUTSIDE = 0.10
"""Share of strikes outside bid and ask beyond which SVI is not faithful."""
_RMS = 0.7
"""Root mean square distance from the mids, in half spreads, beyond which it is not."""
_LEVEL = 0.007
"""The same relative to volatility, which is how far gamma at the money is off."""
_STRICTER = 0.7
"""Of these limits for an expiry that has not been SVI before: no flicker between forms."""
_RETRY_TICKS = 1000
"""Ticks after which SVI is tried again where it failed."""
_COLD_STEPS = 40
_WARM_STEPS = 1


@dataclass(frozen=True, eq=False, slots=True)
class Quoted:
    """The informative strikes, sorted by expiry and strike. m strikes."""

    expiry: INT
    """Expiry of each. Shape (m,)."""
    k: F64
    """ln(K/F). Shape (m,)."""
    iv: F64
    """Volatility implied by the mid, as a fraction. Shape (m,)."""
    error: F64
    """Half the quoted spread, in volatility. Shape (m,)."""
    key: INT
    """Identity of the strike from tick to tick, e.g. its row. Shape (m,)."""
    judged: Mask
    """Strikes whose fit decides whether a form is faithful. Shape (m,)."""


class SmileFitter:
    """Fits smiles tick after tick, each starting from the one before."""

    def __init__(self) -> None:
        self._work = Work()
        self._previous: Smiles | None = None
        self._trust: F64 = np.empty(0)
        self._svi: F64 = np.empty((5, 0))
        self._retry: NDArray[np.int64] = np.empty(0, np.int64)
        self._count: INT = np.empty(0, np.intp)

    def forget(self) -> None:
        """Start anew, e.g. because the expiries or rows have changed."""
        self._previous = None

    def fit(self, quoted: Quoted, rows: int, years: F64) -> Smiles:
        """Smiles of E expiries (years of shape (E,), NaN where settled).

        `rows` bounds `quoted.key`. Expiries are the same from call to call until
        `forget`.
        """
        E = len(years)
        if self._previous is None:
            self._trust = np.ones(rows)
            self._svi = np.full((5, E), np.nan)
            self._retry = np.zeros(E, np.int64)
            self._count = np.zeros(E, np.intp)
        count = np.bincount(quoted.expiry, minlength=E)
        known = np.zeros(E, np.bool_)
        if self._previous is not None:
            known |= [kind != "none" for kind in self._previous.kind]
        fitted = (count >= MIN_QUOTES) | ((count > 0) & ~known)
        # Strikes that leave one by one, as on a last afternoon, are all there is; a feed
        # that loses most of them at once leaves a smile that knows better.
        fitted |= (count >= 2) & (2 * count >= self._count)
        self._count = np.where(fitted, count, self._count)
        with np.errstate(all="ignore"):
            return self._fit(quoted, years, count, fitted & (years > 0.0))

    def _fit(self, quoted: Quoted, years: F64, count: INT, fitted: Mask) -> Smiles:
        work = self._work
        if not fitted[quoted.expiry].all():
            keep = np.flatnonzero(fitted[quoted.expiry])
            used = Quoted(*(getattr(quoted, name)[keep] for name in Quoted.__slots__))
        else:
            used = quoted
        cold = self._previous is None
        smiles = _empty(years)
        if len(used.expiry):
            frame = _frame(used, years, count * fitted)
            weight = used.error / used.iv
            weight = 1.0 / np.square(np.maximum(weight, 2e-4))
            for _ in range(4 if cold else 1):
                trust = self._trust[used.key]
                smiles, mass, off = _fit_spline(
                    used, years, count * fitted, frame, weight * trust, work
                )
                self._trust[used.key] = np.minimum(1.0, _OUTLIER / off)
            smiles = self._with_svi(used, years, smiles, mass, off)
        smiles = self._with_previous(quoted, years, smiles, fitted)
        self._previous = smiles
        return smiles

    def _with_svi(
        self, used: Quoted, years: F64, smiles: Smiles, mass: F64, spline_off: F64
    ) -> Smiles:
        """Replace splines by SVI where that is faithful and free of arbitrage."""
        longer = years > _SVI_DAY
        if not longer.any():
            return smiles
        self._retry -= 1
        warm = np.isfinite(self._svi[0])
        spline = np.array([kind == "spline" for kind in smiles.kind])
        spline &= np.bincount(used.expiry, minlength=len(years)) >= _MIN_SVI
        tried = spline & longer & (warm | (self._retry < 0))
        self._svi[:, ~tried] = np.nan
        if not tried.any():
            return smiles
        # A fit to 20 nodes instead of to every strike: the spline has weighed those already.
        for group, steps in ((tried & ~warm, _COLD_STEPS), (tried & warm, _WARM_STEPS)):
            e = np.flatnonzero(group)
            if len(e):
                k, y, w = _nodes(smiles, mass, e)
                self._svi[:, e] = fit_svi(k, y, w, self._svi[:, e], steps)
        e = np.flatnonzero(tried)
        free = free_of_arbitrage(self._svi[:, e], smiles.low_k[e], smiles.high_k[e])
        self._svi[:, e[~free]] = np.nan
        at = np.flatnonzero(tried[used.expiry] & used.judged)
        e = used.expiry[at]
        fit = np.sqrt(svi_variance(self._svi[:, e], used.k[at]) / years[e])
        away = fit - used.iv[at]
        off = np.abs(away) / used.error[at]
        judged = np.bincount(e, minlength=len(years))
        outside = np.bincount(e, 1.0 * ~(off <= 1.0), minlength=len(years))
        # What the spline cannot follow either is noise of the quotes, not SVI's fault.
        noise = np.bincount(e, 1.0 * ~(spline_off[at] <= 1.0), minlength=len(years))
        outside = outside - 0.5 * noise
        square = np.bincount(e, np.minimum(off * off, 16.0), minlength=len(years))
        level = np.bincount(e, np.square(away / used.iv[at]), minlength=len(years))
        limit = np.where(warm, 1.0, _STRICTER)
        faithful = (outside <= limit * _OUTSIDE * judged) & np.isfinite(self._svi[0])
        faithful &= square <= np.square(limit * _RMS) * judged
        faithful &= level <= np.square(limit * _LEVEL) * judged
        accepted = tried & faithful
        failed = tried & ~accepted
        self._svi[:, failed] = np.nan
        self._retry[failed] = _RETRY_TICKS
        if not accepted.any():
            return smiles
        svi = np.where(accepted, self._svi, np.nan)
        kind = tuple(
            "svi" if yes else name for name, yes in zip(smiles.kind, accepted, strict=True)
        )
        return replace(smiles, kind=kind, svi=svi)

    def _with_previous(self, quoted: Quoted, years: F64, smiles: Smiles, fitted: Mask) -> Smiles:
        """Where too little is quoted, the smile before, moved to the volatility of now."""
        before = self._previous
        if before is None:
            return smiles
        known = np.array([kind != "none" for kind in before.kind])
        at = np.flatnonzero(known & ~fitted & (years > 0.0))
        if not len(at):
            return smiles
        # The same volatility at the same k: variance shrinks with the time left.
        factor = years[at] / before.years[at]
        for i, e in enumerate(at):
            mine = quoted.expiry == e
            if mine.any():
                then = before.iv(quoted.expiry[mine], quoted.k[mine])
                factor[i] *= float(np.median(quoted.iv[mine] / then)) ** 2
        return smiles.borrow(before, at, factor, "previous")


@dataclass(frozen=True, eq=False, slots=True)
class _Frame:
    """Where the spline of every expiry lies; NaN where there is none. Shape (E,) each."""

    width: F64
    first: F64
    step: F64
    low_k: F64
    high_k: F64


def _frame(used: Quoted, years: F64, count: INT) -> _Frame:
    arrays = [np.full(len(years), np.nan) for _ in range(5)]
    width, first, step, low_k, high_k = arrays
    present = np.flatnonzero(count)
    n = count[present]
    begin = np.cumsum(n) - n
    k = used.k
    right = begin + np.minimum(np.add.reduceat(k < 0.0, begin, dtype=np.intp), n - 1)
    left = np.maximum(right - 1, begin)
    atm = np.where(np.abs(k[left]) < np.abs(k[right]), left, right)
    width[present] = used.iv[atm] * np.sqrt(years[present])
    low_k[present], high_k[present] = k[begin], k[begin + n - 1]
    first[:] = np.arcsinh(low_k / width)
    step[:] = np.maximum((np.arcsinh(high_k / width) - first) / CELLS, _SHORTEST_STEP)
    return _Frame(width, first, step, low_k, high_k)


_PAIRS = tuple((a, b) for a in range(4) for b in range(a, 4))


def _products() -> F64:
    """What each moment Σ w f^m of an interval adds to each entry (a, b) of the system."""
    table = np.zeros((len(_PAIRS), 7))
    for i, (a, b) in enumerate(_PAIRS):
        table[i] = np.convolve(BASIS[:, a], BASIS[:, b])
    return table


def _penalty(order: int) -> F64:
    """Squared differences of the coefficients, as a lower band (4, coefficients)."""
    difference = np.diff(np.eye(_COEFFICIENTS), order, axis=0)
    full = difference.T @ difference
    band = np.zeros((4, _COEFFICIENTS))
    for d in range(4):
        band[d, : _COEFFICIENTS - d] = np.diagonal(full, -d)
    return band


_PRODUCTS = _products()
_PENALTY = _penalty(3)
_FLAT_PENALTY = _penalty(1)
_LINE_PENALTY = _penalty(2)


def _fit_spline(
    used: Quoted, years: F64, count: INT, frame: _Frame, weight: F64, work: Work
) -> tuple[Smiles, F64, F64]:
    """The penalised splines of ln v, and what the fit says about the quotes.

    Besides the smiles: the weight in every interval (E, CELLS), and the distance of
    every strike from its mid in half spreads (m,).

    Rows come sorted, so that the rows of an interval are a slice: the sums of w f^m
    and w y f^m over it hold all that the normal equations need.
    """
    E, m = len(years), len(used.k)
    cell, part = locate(used.expiry, used.k, frame.width, frame.first, frame.step, work)
    y = work.array("fit.y", m)
    np.multiply(used.iv, used.iv, out=y)
    y *= years[used.expiry]
    np.log(y, out=y)
    moments = work.array("fit.moments", 11 * m).reshape(11, m)
    moments[0] = weight
    for power in range(6):
        np.multiply(moments[power], part, out=moments[power + 1])
    np.multiply(weight, y, out=moments[7])
    for power in range(7, 10):
        np.multiply(moments[power], part, out=moments[power + 1])
    begin = np.concatenate(([0], np.flatnonzero(cell[1:] != cell[:-1]) + 1))
    sums = np.zeros((11, E * CELLS))
    sums[:, cell[begin]] = np.add.reduceat(moments, begin, axis=1)

    entries = (_PRODUCTS @ sums[:7]).reshape(len(_PAIRS), E, CELLS)
    band = np.zeros((4, E, _COEFFICIENTS))
    for (a, b), entry in zip(_PAIRS, entries, strict=True):
        band[b - a, :, a : a + CELLS] += entry
    right = np.zeros((E, _COEFFICIENTS))
    for a, entry in enumerate((BASIS.T @ sums[7:]).reshape(4, E, CELLS)):
        right[:, a : a + CELLS] += entry
    mass = sums[0].reshape(E, CELLS)
    typical = mass.sum(axis=1) / CELLS
    typical[count == 0] = 1.0
    smoothing = np.where(count < MIN_SPLINE, _QUADRATIC, _SMOOTHING)
    band += (typical * smoothing)[:, None] * _PENALTY[:, None, :]
    for few, penalty in ((count < 2, _FLAT_PENALTY), (count == 2, _LINE_PENALTY)):
        if few.any():
            band[:, few] += (typical[few] * _QUADRATIC)[:, None] * penalty[:, None, :]
    # Keeps expiries without data solvable; too little to be seen in the others.
    band[0] += 1e-9 * typical[:, None]
    _, solution, failed = dpbsv(band.reshape(4, -1), right.reshape(-1, 1), lower=1)
    c = solution.reshape(E, _COEFFICIENTS)
    if failed:
        c = np.full((E, _COEFFICIENTS), np.nan)
    powers = np.zeros((4, E, CELLS))
    for a in range(4):
        powers += BASIS[:, a, None, None] * c[:, a : a + CELLS]
    powers[:, count == 0] = np.nan

    # δσ/σ = δ ln v/2, with the cells and fractions that are at hand.
    flat_powers = powers.reshape(4, -1)
    off = flat_powers[3].take(cell)
    for power in (2, 1, 0):
        off *= part
        off += flat_powers[power].take(cell)
    off -= y
    np.abs(off, out=off)
    off *= 0.5 * used.iv
    off /= used.error

    v, slope = _edges(powers, frame)
    kind = tuple(_kind(n) for n in count.tolist())
    smiles = Smiles(
        kind=kind,
        years=years,
        width=frame.width,
        first=frame.first,
        step=frame.step,
        powers=powers,
        low_k=frame.low_k,
        low_v=v[0],
        low_slope=np.minimum(np.maximum(slope[0], -2.0), 0.0),
        high_k=frame.high_k,
        high_v=v[1],
        high_slope=np.minimum(np.maximum(slope[1], 0.0), 2.0),
        svi=np.full((5, E), np.nan),
    )
    return smiles, mass, off


def _kind(quotes: int) -> str:
    if quotes == 0:
        return "none"
    if quotes < MIN_QUADRATIC:
        return "flat" if quotes == 1 else "line"
    return "quadratic" if quotes < MIN_SPLINE else "spline"


def _edges(powers: F64, frame: _Frame) -> tuple[F64, F64]:
    """Variance and dv/dk at the lowest and highest strike of every expiry. Shape (2, E)."""
    z = np.stack([frame.low_k, frame.high_k]) / frame.width
    t = (np.arcsinh(z) - frame.first) / frame.step
    cell = np.minimum(np.maximum(np.floor(t), 0.0), CELLS - 1.0)
    cell[np.isnan(cell)] = 0.0
    f = t - cell
    c = powers[:, np.arange(z.shape[1]), cell.astype(np.intp)]
    v = np.exp(c[0] + f * (c[1] + f * (c[2] + f * c[3])))
    rate = (c[1] + f * (2.0 * c[2] + f * 3.0 * c[3])) / frame.step
    return v, v * rate / (frame.width * np.sqrt(1.0 + z * z))


def _nodes(smiles: Smiles, mass: F64, e: INT) -> tuple[F64, F64, F64]:
    """k, total variance and weight in the middle of the intervals of some expiries."""
    u = smiles.first[e, None] + (np.arange(CELLS) + 0.5) * smiles.step[e, None]
    k = np.sinh(u) * smiles.width[e, None]
    c = smiles.powers[:, e]
    v = np.exp(c[0] + 0.5 * (c[1] + 0.5 * (c[2] + 0.5 * c[3])))
    inside = k <= smiles.high_k[e, None]
    return k, v, np.where(inside, mass[e], 0.0)


def _empty(years: F64) -> Smiles:
    E = len(years)
    none = np.full(E, np.nan)
    return Smiles(
        ("none",) * E,
        years,
        none,
        none,
        none,
        np.full((4, E, CELLS), np.nan),
        none,
        none,
        none,
        none,
        none,
        none,
        np.full((5, E), np.nan),
    )
