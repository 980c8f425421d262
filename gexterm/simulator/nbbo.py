"""The best bid and offer of the synthetic market, and how it flickers.

A market maker stands around fair value on the exchange's ticks (.05 below $3, .10 from
there) and renews a quote only when fair value leaves its middle, so that most quotes
stand still in most seconds. Near the money of the nearest expiry quotes are cancelled
and replaced within the second, in bursts.

A quote is a column of four: bid, ask, bid size, ask size.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gexterm.clock import NS
from gexterm.simulator.script import QuoteScript
from gexterm.simulator.step import F64, I32, I64

MS = 1_000_000
"""Nanoseconds in a millisecond."""
BID, ASK, BID_SIZE, ASK_SIZE = range(4)
"""Rows of an array of quotes."""

_LEAVES_INSIDE = 0.9
"""A quote deep in the money is renewed when fair value is this far from its mid, in
half-widths; those elsewhere by the market maker's `patience`."""
_FAR_S, _LEAVES_FAR = 43_200.0, 0.6
"""What settles later than this, which is not today, is quoted with at least this patience."""
_DEEP = 50.0
"""Points in the money where quotes have lost most of their interest."""
_TOO_WIDE = 2.5
"""… or when it is wider than it should be by more than so many ticks."""
_NEW_SIZE = 0.3
"""Probability that a renewed side changes its size."""
_SIZE_ONLY = 0.002
"""Probability per second that a quote changes size alone."""
_MOST = 500.0
_POOL = 1 << 14
_LOTS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)
_HABIT = 0.8
"""Share of the sizes that are one of the usual lots."""
_BURST_LASTS_MS = 6.0
_FLICKER_REACH = 0.1
"""Where flicker has fallen to 1/e, in standard deviations to settlement."""
_MOST_FLICKERS = 400


def tick_of(price: F64) -> F64:
    """The tick at a price, points."""
    return np.where(price < 3.0 - 1e-9, 0.05, 0.10)


def depth(inside: F64) -> F64:
    """How deep in the money, 0 to 1, by the points in the money (0 outside)."""
    return np.asarray(1.0 - np.exp(-np.square(np.square(inside / _DEEP))), np.float64)


def half_spread(time_value: F64, inside: F64, seconds_left: F64) -> F64:
    """Half of what a market maker wants between bid and offer, points; not yet on ticks.

    time_value: points above intrinsic value; inside: points in the money, 0 outside.
    Wider for what is dearer, for what is in the money (nobody asks for it), and in the
    last half-hour.
    """
    half = 0.01 + 0.032 * np.sqrt(time_value) + 1.6 * depth(inside)
    late = 1.0 + 0.6 * np.clip(1.0 - seconds_left / 1800.0, 0.0, 1.0)
    return np.asarray(half * late, np.float64)


def on_ticks(fair: F64, half: F64) -> tuple[F64, F64]:
    """Bid and ask around fair value, on the ticks; a bid below the first tick is 0."""
    low, high = np.maximum(fair - half, 0.0), fair + half
    bid_tick, ask_tick = tick_of(low), tick_of(high)
    bid = np.floor(low / bid_tick + 1e-9) * bid_tick
    ask = np.maximum(np.ceil(high / ask_tick - 1e-9), 1.0) * ask_tick
    return np.round(bid, 2), np.round(ask, 2)


class Quoter:
    """The quotes in force, by contract, updated in place.

    sign: +1 call, −1 put; strike: points. Shape (n,) each.
    """

    def __init__(
        self, strike: F64, sign: F64, script: QuoteScript, rng: np.random.Generator
    ) -> None:
        n = len(strike)
        self._strike, self._sign = strike, sign
        self._hz, self._bursts = script.flicker_hz, script.bursts
        self._patience = script.patience
        setup, self._rng, self._flicker_rng = rng.spawn(3)
        # Some market makers are keener than others, all day.
        self._keen = setup.lognormal(0.0, 0.15, n)
        self._sizes = _size_pool(setup, 30.0)
        self._few = _size_pool(setup, 8.0)
        self.now: F64 = np.zeros((4, n))
        """Bid, ask, bid size and ask size. Shape (4, n)."""

    def renew(
        self, contract: NDArray[np.intp], fair: F64, spot: float, seconds_left: F64, first: bool
    ) -> None:
        """Look at some contracts, and renew the quotes that fair value has left.

        contract, fair (points), seconds_left (to settlement): shape (k,). `first` quotes
        all of them.
        """
        if not len(contract):
            return
        sign = self._sign[contract]
        inside = np.maximum(sign * (spot - self._strike[contract]), 0.0)
        half = half_spread(np.maximum(fair - inside, 0.0), inside, seconds_left)
        half *= self._keen[contract]
        bid, ask = self.now[BID][contract], self.now[ASK][contract]
        width = ask - bid
        patience = np.where(seconds_left > _FAR_S, max(self._patience, _LEAVES_FAR), self._patience)
        leaves = patience + (_LEAVES_INSIDE - patience) * depth(inside)
        left = np.abs(2.0 * fair - bid - ask) > leaves * width
        left |= width - 2.0 * half > (1.0 + _TOO_WIDE) * tick_of(fair)
        if first:
            left[:] = True
        rng = self._rng
        at = np.flatnonzero(left)
        new_bid, new_ask = on_ticks(fair[at], half[at])
        other = (new_bid != bid[at]) | (new_ask != ask[at])
        at, new_bid, new_ask = at[other], new_bid[other], new_ask[other]
        who = contract[at]
        self.now[BID, who], self.now[ASK, who] = new_bid, new_ask
        self._resize(who, inside[at] > 0.0, rng, 1.0 if first else _NEW_SIZE)
        some = contract[rng.integers(0, len(contract), rng.poisson(_SIZE_ONLY * len(contract)))]
        if len(some):
            itm = self._sign[some] * (spot - self._strike[some]) > 0.0
            self._resize(some, itm, rng, 0.7)

    def remove(self, contract: NDArray[np.intp]) -> None:
        """Take the quotes of contracts away that do not trade any more."""
        self.now[:, contract] = 0.0

    def flicker(
        self,
        near: NDArray[np.intp],
        forward: float,
        sd: float,
        fair: F64,
        spot: float,
        now: int,
    ) -> tuple[I32, I64, F64]:
        """Cancels and replaces of one second: contracts, times (ns, ascending), quotes.

        near: the contracts of the nearest expiry, shape (m,), with their fair values in
        points; sd: points to its settlement. Afterwards the last ones are in force.
        Shapes (f,), (f,) and (4, f).
        """
        none = np.empty(0, np.int32), np.empty(0, np.int64), np.empty((4, 0))
        if self._hz <= 0.0 or not len(near):
            return none
        rng = self._flicker_rng
        strike = self._strike[near]
        # However late it is, the strike next to the money is near it.
        reach = max(_FLICKER_REACH * sd, float(np.abs(strike - forward).min()) + 1e-9)
        weight = np.exp(-np.square((strike - forward) / reach))
        weight[weight < 0.02] = 0.0
        level = np.cumsum(weight)
        count = min(int(rng.poisson(self._hz * level[-1])), _MOST_FLICKERS)
        if not count:
            return none
        which = np.searchsorted(level, rng.random(count) * level[-1], "right")
        who, value = near[which], fair[which]
        bursts = rng.integers(20, 960, self._bursts)
        late = rng.exponential(_BURST_LASTS_MS, count)
        ms = bursts[rng.integers(0, self._bursts, count)] + late.astype(np.int64)
        order = np.argsort(ms, kind="stable")
        ts = now + np.minimum(ms[order], 999) * MS
        who, value = who[order], value[order]
        bid, ask = self.now[BID, who], self.now[ASK, who]
        tick = tick_of(value)
        move = rng.random((2, count))
        back = np.where(move < 0.15, 1.0, 0.0)  # a tick away from fair value
        inward = move > 0.87
        new_bid = bid - back[0] * np.where(bid > tick, tick, 0.0)
        new_bid += np.where(inward[0] & (bid + tick < value) & (bid > 0.0), tick, 0.0)
        new_ask = ask + back[1] * tick
        new_ask -= np.where(inward[1] & (ask - tick > value), tick, 0.0)
        # A tick of one side may be off the grid of the other.
        grid_bid, grid_ask = tick_of(new_bid), tick_of(new_ask)
        new_bid = np.round(np.floor(new_bid / grid_bid + 1e-6) * grid_bid, 2)
        new_ask = np.round(np.ceil(new_ask / grid_ask - 1e-6) * grid_ask, 2)
        inside = self._sign[who] * (spot - self._strike[who]) > 0.0
        sizes = self._draw((2, count), inside, rng)
        sizes[0][new_bid <= 0.0] = 0.0
        quotes = np.vstack([new_bid, new_ask, sizes])
        # Where a contract is named twice, NumPy keeps the last, which is the latest.
        self.now[:, who] = quotes
        return who.astype(np.int32), ts.astype(np.int64), quotes

    def _resize(
        self,
        who: NDArray[np.intp],
        inside: NDArray[np.bool_],
        rng: np.random.Generator,
        probability: float,
    ) -> None:
        fresh = self._draw((2, len(who)), inside, rng)
        held = self.now[BID_SIZE:, who]
        keep = (rng.random(fresh.shape) >= probability) & (held > 0.0)
        sizes = np.where(keep, held, fresh)
        sizes[0][self.now[BID, who] <= 0.0] = 0.0
        self.now[BID_SIZE:, who] = sizes

    def _draw(
        self, shape: tuple[int, int], inside: NDArray[np.bool_], rng: np.random.Generator
    ) -> F64:
        at = rng.integers(0, _POOL, shape)
        return np.where(inside, self._few[at], self._sizes[at])


def _size_pool(rng: np.random.Generator, median: float) -> F64:
    """Sizes to draw from: lognormal, 1 to 500, more often than not a round number."""
    raw = np.clip(rng.lognormal(np.log(median), 0.9, _POOL), 1.0, _MOST)
    nearest = np.abs(np.log(raw[:, None] / np.array(_LOTS))).argmin(axis=1)
    habit = rng.random(_POOL) < _HABIT
    return np.where(habit, np.array(_LOTS)[nearest], np.ceil(raw))


def seconds_left(settles_at: I64, now: int) -> F64:
    """Seconds to settlement, not below 0. Shape as `settles_at`."""
    return np.maximum((settles_at - now) / NS, 0.0)
