"""Variance by the Cboe's method: the volatility of an expiry without a model.

    σ² = (2/T) Σ ΔK/K² Q(K)/D − (1/T) (F/K0 − 1)²

K0 is the first strike at or below the forward; Q the mid of the option out of the
money, at K0 the average of put and call; ΔK half the distance between the neighbours.
Going outwards from K0, strikes without a bid are skipped and the walk ends at two of
them in a row (Cboe Volatility Index methodology). Minutes of the year: 525 600.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gexterm.market.chain import CALL, PUT, Rows
from gexterm.pricing.surface import Surface

F64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

_LEAST_STRIKES = 5
"""Strikes with a bid, besides K0, without which an expiry has no variance."""
_LEAST_DEPTH = 0.5
"""How far, in standard deviations, quotes must reach on both sides of K0."""
INDEX_DAYS = {"iv_9d": 9.0, "iv_30d": 30.0, "iv_90d": 90.0}
"""The constant maturities shown, days."""


def variances(rows: Rows, surface: Surface, strict: bool = False) -> F64:
    """Annual variance of every expiry, shape (E,); NaN where quotes do not carry one.

    `strict` takes the forward from the strike with the smallest |C − P|, as the index
    does; otherwise it is ours, which a stale quote moves less.
    """
    layout = rows.layout
    E, n = len(layout.expiries), len(layout)
    out = np.full(E, np.nan)
    expiry = layout.expiry.astype(np.intp)
    alive = surface.seconds > 0.0
    with np.errstate(all="ignore"):
        bid, ask = rows.bid, rows.ask
        two_sided = (bid > 0.0) & (ask >= bid) & (ask < np.inf)
        mid = np.where(two_sided, 0.5 * (bid + ask), np.nan)
        D = np.where(alive, surface.discount, np.nan)
        F = _strict_forward(rows, mid, D) if strict else surface.forward
        F_row = np.take(F, expiry) if n else np.empty(0)
        starts = layout.starts
        below = np.concatenate(([0], np.cumsum(layout.strike <= F_row)))
        # The first strike at or below the forward.
        at_k0 = starts[:-1] + (below[starts[1:]] - below[starts[:-1]]) - 1
        usable = np.flatnonzero(
            (at_k0 >= starts[:-1]) & np.isfinite(F) & (starts[1:] > starts[:-1])
        )
        if not len(usable):
            return out
        k0 = np.full(E, -1, np.intp)
        k0[usable] = at_k0[usable]
        position = np.arange(n) - np.take(k0, expiry)
        both = np.where(np.isnan(mid[CALL]), mid[PUT], mid[CALL])
        both = np.where(np.isnan(mid[PUT]), both, 0.5 * (mid[CALL] + mid[PUT]))
        price = np.where(position > 0, mid[CALL], np.where(position < 0, mid[PUT], both))
        bidden = np.isfinite(price) & (np.take(k0, expiry) >= 0)
        inside = bidden & _within_two_gaps(bidden, position, expiry, k0)
        at = np.flatnonzero(inside)
        K, e = layout.strike[at], expiry[at]
        width = np.empty(len(at))
        if len(at) < 2:
            return out
        width[1:-1] = 0.5 * (K[2:] - K[:-2])
        first = np.concatenate(([True], e[1:] != e[:-1]))
        last = np.concatenate((first[1:], [True]))
        head, tail = np.flatnonzero(first), np.flatnonzero(last)
        # At either end: the distance to the only neighbour.
        width[head] = K[np.minimum(head + 1, len(K) - 1)] - K[head]
        width[tail] = K[tail] - K[np.maximum(tail - 1, 0)]
        terms = width / np.square(K) * price[at]
        total = np.bincount(e, terms, minlength=E)
        count = np.bincount(e, minlength=E)
        T = surface.years
        K0 = layout.strike[k0]
        result = 2.0 * total / D / T - np.square(F / K0 - 1.0) / T
        lowest, highest = np.full(E, np.nan), np.full(E, np.nan)
        lowest[e[head]], highest[e[tail]] = K[head], K[tail]
        reach = _LEAST_DEPTH * np.sqrt(result * T)
        deep = (np.log(F / lowest) >= reach) & (np.log(highest / F) >= reach)
    good = (count > _LEAST_STRIKES) & (result > 0.0) & deep & (k0 >= 0)
    out[good] = result[good]
    return out


def _within_two_gaps(
    bidden: Mask, position: NDArray[np.intp], expiry: NDArray[np.intp], k0: NDArray[np.intp]
) -> Mask:
    """Whether fewer than two neighbouring strikes without a bid lie between a row and K0."""
    n = len(bidden)
    # A pair of gaps is counted at its outer strike, so that the walk ends before it.
    missing = ~bidden & (position != 0)
    pair_up = np.zeros(n, np.bool_)
    pair_down = np.zeros(n, np.bool_)
    same = expiry[1:] == expiry[:-1]
    pair_up[1:] = missing[1:] & missing[:-1] & same & (position[1:] > 1)
    pair_down[:-1] = missing[1:] & missing[:-1] & same & (position[:-1] < -1)
    up, down = np.cumsum(pair_up), np.cumsum(pair_down)
    anchor = np.maximum(np.take(k0, expiry), 0)
    above: Mask = (up - np.take(up, anchor)) == 0
    # Going down, the pairs met are those between the row and K0, the row's own included.
    passed: Mask = (np.take(down, anchor) - (down - pair_down)) == 0
    return np.asarray(np.where(position >= 0, above, passed), np.bool_)


def _strict_forward(rows: Rows, mid: F64, discount: F64) -> F64:
    """Forward from the strike with the smallest |C − P|, by expiry. Shape (E,)."""
    layout = rows.layout
    out = np.full(len(layout.expiries), np.nan)
    difference = mid[CALL] - mid[PUT]
    for i in range(len(out)):
        part = layout.slice(i)
        d = difference[part]
        if np.isfinite(d).any():
            at = int(np.nanargmin(np.abs(d)))
            out[i] = layout.strike[part][at] + d[at] / discount[i]
    return out


def constant_maturity(annual_variance: F64, years: F64, days: float) -> float:
    """Volatility of a constant maturity, as a fraction; NaN where expiries do not reach.

    Total variance is interpolated linearly in time between the nearest expiries on
    both sides. Where one side is missing the nearest within a fifth of `days` stands
    in. Expiries with less than a day left are not used, unless `days` is below 2.
    """
    T = days / 365.0
    shortest = min(1.0, 0.5 * days) / 365.0
    known = np.flatnonzero(np.isfinite(annual_variance) & (years >= shortest))
    if not len(known):
        return float("nan")
    order = known[np.argsort(years[known], kind="stable")]
    t, v = years[order], annual_variance[order]
    before, after = np.flatnonzero(t <= T), np.flatnonzero(t >= T)
    if len(before) and len(after):
        # Of two series on one date, SPX at the open and SPXW at the close: the nearer.
        i, j = before[-1], after[0]
        # Across a gap of years a straight line says little.
        if t[j] - t[i] > max(2.5 * T, 0.15):
            return float("nan")
        share = 0.0 if j == i or t[j] == t[i] else (T - t[i]) / (t[j] - t[i])
        total = (1.0 - share) * v[i] * t[i] + share * v[j] * t[j]
        return float(np.sqrt(total / T))
    only = int(before[-1]) if len(before) else int(after[0])
    if abs(t[only] - T) <= 0.2 * T:
        return float(np.sqrt(v[only]))
    return float("nan")


def variance_indices(rows: Rows, surface: Surface, strict: bool = False) -> dict[str, float]:
    """`iv_9d`, `iv_30d` and `iv_90d`: volatilities of constant maturity, as fractions."""
    by_expiry = variances(rows, surface, strict)
    years = np.where(surface.seconds > 0.0, surface.years, np.nan)
    return {name: constant_maturity(by_expiry, years, days) for name, days in INDEX_DAYS.items()}
