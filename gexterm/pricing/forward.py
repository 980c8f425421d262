"""The forward of every expiry by put–call parity, and the discount factor behind it.

C − P = D (F − K) holds for every strike. The forward is the weighted median of
K + (C − P)/D over the strikes around the money, each weighted by 1/(both spreads)²:
a few stale quotes move a median hardly and a regression or a single strike a lot.
Bid and offer bound it: no F outside [K + (C_bid − P_ask)/D, K + (C_ask − P_bid)/D]
is free of arbitrage. Quotes of one moment have these intervals in common; a pair whose
interval excludes the median holds an old quote, and is named stale.

Everything works on all expiries at once: n rows sorted by expiry, E expiries.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I8 = NDArray[np.int8]
Mask = NDArray[np.bool_]

MIN_PAIRS = 3
"""Fewer quoted pairs than this are no evidence of a forward."""
NEAR = 0.006
"""The strikes used reach at least this far from the forward, as a fraction of it."""
_ENOUGH_NEAR = 6
_RATE_UNKNOWN = 0.01
"""What the rate may be wrong by, per year, before a far strike is called stale."""
_TIGHT = 0.2
"""With early exercise parity holds at the money only: the reach, in standard deviations."""
_SYSTEMATIC = 0.2
"""When more than this share of an expiry seems stale, it is the rate that is wrong."""
MIN_RATE_YEARS = 7.0 / 365.0
"""Below a week the discount factor says nothing about the rate."""
_RATE_RANGE = (-0.05, 0.25)


class ForwardReason(IntEnum):
    """Why an expiry has no forward."""

    OK = 0
    NO_PAIRS = 1
    TOO_FEW_PAIRS = 2
    SETTLED = 3

    @property
    def text(self) -> str:
        """One line for a person."""
        return _TEXTS[self]


_TEXTS = {
    ForwardReason.OK: "forward found",
    ForwardReason.NO_PAIRS: "no strike has both call and put quoted on both sides",
    ForwardReason.TOO_FEW_PAIRS: f"fewer than {MIN_PAIRS} strikes have call and put quoted",
    ForwardReason.SETTLED: "the expiry has settled",
}


@dataclass(frozen=True, eq=False, slots=True)
class Pairs:
    """The rows whose call and put are both quoted on both sides; p pairs, by expiry."""

    row: NDArray[np.intp]
    """Row of each pair. Shape (p,)."""
    expiry: NDArray[np.intp]
    """Expiry of each pair. Shape (p,)."""
    strike: F64
    """Points. Shape (p,)."""
    difference: F64
    """Mid of the call less mid of the put, points. Shape (p,)."""
    low: F64
    """C_bid − P_ask, points. Shape (p,)."""
    high: F64
    """C_ask − P_bid, points. Shape (p,)."""
    straddle: F64
    """Both mids together, points. Shape (p,)."""
    weight: F64
    """1/(both spreads)². Shape (p,)."""
    first: NDArray[np.intp]
    """First pair of every expiry that has one. Shape (G,)."""
    present: NDArray[np.intp]
    """The expiries that have a pair, ascending. Shape (G,)."""
    count: NDArray[np.intp]
    """Pairs of every expiry. Shape (E,)."""


@dataclass(frozen=True, eq=False, slots=True)
class Forwards:
    """What parity says of every expiry."""

    forward: F64
    """Points; NaN where there is none. Shape (E,)."""
    low: F64
    """Lower arbitrage bound, points. Shape (E,)."""
    high: F64
    """Upper arbitrage bound, points. Shape (E,)."""
    reason: I8
    """`ForwardReason`, 0 where there is a forward. Shape (E,)."""
    pairs: NDArray[np.intp]
    """Quoted pairs. Shape (E,)."""
    stale: Mask
    """Rows whose pair contradicts the forward. Shape (n,)."""


def quoted_pairs(
    strike: F64, expiry: NDArray[np.int32], expiries: int, bid: F64, ask: F64, usable: Mask
) -> Pairs:
    """The pairs among the rows. bid, ask and `usable` have shape (2, n), calls first.

    `usable` says which quotes may be relied on; a spread wider than half its mid and
    ten ticks counts for little. An expiry with few of them takes zero bids too.
    """
    both = usable[0] & usable[1]
    scarce = np.bincount(expiry[both], minlength=expiries) < _ENOUGH_NEAR
    if scarce.any():
        # Minutes before settlement hardly any strike is bid for on both sides; an offer
        # of a tick without a bid still says what that side is worth.
        open_end = usable | ((bid == 0.0) & (ask > 0.0) & (ask < np.inf))
        both |= open_end[0] & open_end[1] & scarce[expiry]
    row = np.flatnonzero(both)
    at = expiry[row].astype(np.intp)
    call_bid, put_bid = bid[0][row], bid[1][row]
    call_ask, put_ask = ask[0][row], ask[1][row]
    call, put = 0.5 * (call_bid + call_ask), 0.5 * (put_bid + put_ask)
    call_spread, put_spread = call_ask - call_bid, put_ask - put_bid
    weight = 1.0 / np.square(call_spread + put_spread)
    weight *= np.where(too_wide(call, call_spread) | too_wide(put, put_spread), 1e-3, 1.0)
    count = np.bincount(at, minlength=expiries)
    present = np.flatnonzero(count)
    return Pairs(
        row=row,
        expiry=at,
        strike=strike[row],
        difference=call - put,
        low=call_bid - put_ask,
        high=call_ask - put_bid,
        straddle=call + put,
        weight=weight,
        first=(np.cumsum(count) - count)[present],
        present=present,
        count=count,
    )


def too_wide(mid: F64, spread: F64) -> Mask:
    """Whether a quote is so wide that its mid is hardly a price: > max(mid/2, 10 ticks)."""
    tick = np.where(mid < 3.0, 0.05, 0.10)
    return np.asarray(spread > np.maximum(0.5 * mid, 10.0 * tick), np.bool_)


def parity_forwards(
    pairs: Pairs,
    rows: int,
    years: F64,
    discount: F64,
    american: Mask,
    guess: F64 | None = None,
) -> Forwards:
    """Forward and arbitrage bounds of every expiry.

    years, discount, american: shape (E,). NaN years mark a settled expiry. `guess`,
    shape (E,), is where to look first, e.g. the forwards of the tick before; a bad
    one costs time, not accuracy. An expiry with fewer than `MIN_PAIRS` pairs has none.
    """
    E = len(years)
    forward, low, high = (np.full(E, np.nan) for _ in range(3))
    reason = np.full(E, ForwardReason.NO_PAIRS, np.int8)
    reason[pairs.count > 0] = ForwardReason.TOO_FEW_PAIRS
    stale = np.zeros(rows, np.bool_)
    chosen = (pairs.count >= MIN_PAIRS) & (discount > 0.0) & (years > 0.0)
    reason[chosen] = ForwardReason.OK
    reason[np.isnan(years)] = ForwardReason.SETTLED
    result = Forwards(forward, low, high, reason, pairs.count, stale)
    if not chosen.any():
        return result
    # From here on e counts the chosen expiries only.
    number = np.cumsum(chosen) - 1
    take = chosen[pairs.expiry]
    e = number[pairs.expiry[take]]
    D = discount[chosen]
    K = pairs.strike[take]
    weight = pairs.weight[take]
    D_pair = D[e]
    implied = K + pairs.difference[take] / D_pair
    lowest = K + pairs.low[take] / D_pair
    highest = K + pairs.high[take] / D_pair
    count = pairs.count[chosen]
    first = np.cumsum(count) - count
    # A straddle at the money costs √(2/π) D F w; no other costs less.
    sd = np.minimum.reduceat(pairs.straddle[take], first) / D * np.sqrt(np.pi / 2.0)
    early = american[chosen]
    sd[early] *= _TIGHT

    centre = None if guess is None else guess[chosen]
    if centre is None or not np.isfinite(centre).all():
        wide = weighted_median(implied, weight, e, first, count)
        centre = wide if centre is None else np.where(np.isfinite(centre), centre, wide)
    for _ in range(3):
        reach = np.maximum(sd, NEAR * centre)
        distance = np.abs(K - centre[e])
        near = distance <= reach[e]
        enough = np.add.reduceat(near, first, dtype=np.intp) >= np.minimum(_ENOUGH_NEAR, count)
        for g in np.flatnonzero(~enough):
            part = slice(first[g], first[g] + count[g])
            few = min(_ENOUGH_NEAR, int(count[g])) - 1
            near[part] = distance[part] <= np.partition(distance[part], few)[few]
        near_count = np.add.reduceat(near, first, dtype=np.intp)
        at = np.flatnonzero(near)
        middle = weighted_median(
            implied[at], weight[at], e[at], np.cumsum(near_count) - near_count, near_count
        )
        moved = np.abs(middle - centre) > 0.25 * reach
        centre = middle
        if not moved.any():
            break

    far = ~near & early[e]
    lowest[far], highest[far] = -np.inf, np.inf
    give = (_RATE_UNKNOWN * years[chosen])[e] * np.abs(K - centre[e])
    lowest -= give
    highest += give
    # A pair is stale when it excludes the median by more than the median's own error.
    tolerance = 0.05 * (highest - lowest) + 1e-9 * K
    off = np.maximum(lowest - centre[e], centre[e] - highest) > tolerance
    misled = np.add.reduceat(near & off, first, dtype=np.intp) > 0.5 * near_count
    if misled.any():
        # Most of the strikes contradict it: a few old quotes that are tight outweigh all
        # others. Every strike gets one vote then.
        ones = np.ones(len(at))
        plain = weighted_median(
            implied[at], ones, e[at], np.cumsum(near_count) - near_count, near_count
        )
        centre = np.where(misled, plain, centre)
        off = np.maximum(lowest - centre[e], centre[e] - highest) > tolerance
    if off.any():
        wrong_rate = np.add.reduceat(off, first, dtype=np.intp) > _SYSTEMATIC * count
        if wrong_rate.any():
            far = wrong_rate[e] & (np.abs(K - centre[e]) > NEAR * centre[e])
            lowest[far], highest[far] = -np.inf, np.inf
            off &= ~far
        stale[pairs.row[take][off]] = True
        lowest[off], highest[off] = -np.inf, np.inf
        # Without the stale ones the median is a better one.
        keep = near & ~off
        kept = np.add.reduceat(keep, first, dtype=np.intp)
        some, at = np.flatnonzero(kept), np.flatnonzero(keep)
        place = np.cumsum(kept > 0) - 1
        begin = (np.cumsum(kept) - kept)[some]
        middle = weighted_median(implied[at], weight[at], place[e[at]], begin, kept[some])
        centre = centre.copy()
        centre[some] = middle
    bottom = np.maximum.reduceat(lowest, first)
    top = np.minimum.reduceat(highest, first)
    forward[chosen] = centre
    low[chosen] = np.minimum(bottom, centre)
    high[chosen] = np.maximum(top, centre)
    return result


def weighted_median(
    values: F64,
    weights: F64,
    group: NDArray[np.intp],
    first: NDArray[np.intp],
    count: NDArray[np.intp],
) -> F64:
    """Weighted median of every group, interpolated between the two values around it.

    Groups are contiguous, numbered from 0, `first` and `count` of shape (G,) say where
    they lie, and none is empty.
    """
    # One key sorts by group and value at once, which is much faster than a lexsort.
    least = np.minimum.reduceat(values, first)
    span = np.maximum.reduceat(values, first) - least
    span[~(span > 0.0)] = 1.0
    order = np.argsort((values - least[group]) / span[group] * 0.9 + group)
    sorted_values = values[order]
    sorted_weights = weights[order]
    total = np.add.reduceat(sorted_weights, first)
    # Every group weighs 1, so that no heavy group eats the digits of a light one.
    sorted_weights = sorted_weights / total[group]
    reached = np.cumsum(sorted_weights)
    middle = reached - 0.5 * sorted_weights
    half = np.arange(len(first)) + 0.5
    after = np.minimum(np.maximum(np.searchsorted(middle, half), first), first + count - 1)
    before = np.maximum(after - 1, first)
    gap = middle[after] - middle[before]
    share = (half - middle[before]) / np.where(gap > 0.0, gap, 1.0)
    share = np.minimum(np.maximum(np.where(gap > 0.0, share, 1.0), 0.0), 1.0)
    at_before, at_after = sorted_values[before], sorted_values[after]
    return np.asarray(at_before + share * (at_after - at_before), np.float64)


def implied_rates(pairs: Pairs, years: F64, american: Mask) -> tuple[F64, bool]:
    """Rate of every expiry from the slope of C − P in K, and whether any was implied.

    The slope is −D. It is fitted by weighted least squares with Huber's weights, per
    European expiry of a week or more with eight pairs or more; what its error leaves
    uncertain by more than a percent is dropped, the rest smoothed over ln T and kept
    between −5 % and 25 %. Without any, rates are 0 and the second result is False.
    """
    E = len(years)
    g = pairs.present
    usable = (pairs.count[g] >= 8) & ~american[g] & (years[g] >= MIN_RATE_YEARS)
    if not usable.any():
        return np.zeros(E), False
    number = np.repeat(np.arange(len(g)), pairs.count[g])
    first = pairs.first
    middle = np.add.reduceat(pairs.strike, first) / pairs.count[g]
    K = pairs.strike - middle[number]
    y = pairs.difference
    base = pairs.weight
    weight = base
    slope = intercept = error = np.zeros(len(g))
    with np.errstate(all="ignore"):
        for _ in range(5):
            sw = np.add.reduceat(weight, first)
            sk = np.add.reduceat(weight * K, first) / sw
            sy = np.add.reduceat(weight * y, first) / sw
            dk = K - sk[number]
            skk = np.add.reduceat(weight * dk * dk, first)
            slope = np.add.reduceat(weight * dk * y, first) / skk
            intercept = sy - slope * sk
            residual = np.abs(y - intercept[number] - slope[number] * K) * np.sqrt(base)
            # Weights are 1/spread², so a residual is in spreads; half a spread is usual.
            scale = np.add.reduceat(weight * residual, first) / sw
            limit = 1.5 * scale[number] + 1e-12
            weight = base * np.minimum(1.0, limit / residual)
            weight = np.where(residual > 0.0, weight, base)
            error = np.sqrt(np.square(scale) / skk)
        T = years[g]
        rate = -np.log(-slope) / T
        error = np.maximum(error / T, 1e-5)
    usable &= np.isfinite(rate) & (error < 0.01) & (np.abs(rate) < 0.5)
    if not usable.any():
        return np.zeros(E), False
    log_T = np.log(np.where(years > 0.0, years, np.nan))
    apart = (log_T[:, None] - np.log(T[usable])[None, :]) / 0.35
    nearness = -0.5 * np.square(np.where(np.isnan(apart), 0.0, apart))
    nearness -= 2.0 * np.log(np.maximum(error[usable], 5e-4))[None, :]
    nearness -= nearness.max(axis=1, keepdims=True)
    kernel = np.exp(nearness)
    smooth = (kernel * rate[usable][None, :]).sum(axis=1) / kernel.sum(axis=1)
    return np.clip(smooth, *_RATE_RANGE), True
