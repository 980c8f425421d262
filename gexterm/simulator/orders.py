"""Single orders: where each type prints, and in which size.

The quote is the one in force just before the print, which is what a rule compares with.
An order whose contract does not suit it (a spread of one tick has no inside, a middle
between two ticks cannot be paid) moves to a strike nearby that does, as real ones choose
where they can be patient.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gexterm.simulator.ladder import Ladder
from gexterm.simulator.mixes import Mix
from gexterm.simulator.step import F64, I32, I64, ORDERS, Step

MARKETABLE, IMPROVED, MID, RESTING, PACKAGE, CROSS = range(len(ORDERS))
BLANK, AUTO = 32, ord("I")
_AUCTION, _AUCTION_ISO = ord("a"), ord("b")
_CROSS, _CROSS_ISO, _FLOOR = ord("c"), ord("d"), ord("e")
_REACH = 4
_MOST_DISPLAYED = 100.0
"""A limit order larger than this is not shown whole."""
_CROSS_SIZE = 3.0
"""Crosses are so many times as large as other orders."""
_IMPOSSIBLE = 1e6

_SIZES = np.array([1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 75, 100, 150, 200, 250])
_ROUND = np.array([1, 2, 5, 10, 20, 25, 50, 100, 200, 250])
_MOST = 250.0
_SIGMA = 1.05


def draw_sizes(count: int, mean: float, rng: np.random.Generator) -> F64:
    """Order sizes: lognormal, whole contracts, mostly round. Shape (count,)."""
    wanted = rng.lognormal(np.log(mean) - 0.5 * _SIGMA**2, _SIGMA, count)
    exact = np.maximum(np.round(wanted), 1.0)
    grids = rng.random(count)
    size = np.where(grids < 0.35, _nearest(_ROUND, wanted), exact)
    size = np.where(grids > 0.70, _nearest(_SIZES, wanted), size)
    return np.asarray(np.minimum(size, _MOST), np.float64)


def _nearest(grid: NDArray[np.int_], value: F64) -> F64:
    """The grid's value nearest in ratio."""
    edges = np.sqrt(grid[1:] * grid[:-1])
    return np.asarray(grid[np.searchsorted(edges, value)], np.float64)


def tick_of(bid: F64) -> F64:
    """Price grid at a bid, points: nickels below 3, dimes from there."""
    return np.where(bid < 3.0 - 1e-9, 0.05, 0.10)


def place(
    ladder: Ladder,
    step: Step,
    contract: I32,
    side: F64,
    order: NDArray[np.int8],
    size: F64,
    ts: I64,
    mix: Mix,
    rng: np.random.Generator,
) -> tuple[I32, F64, F64, NDArray[np.int8], NDArray[np.int16]]:
    """Contract, price, size, order type and condition of k single orders. Shapes (k,).

    `contract` is where each was meant to go, `side` what the customer does (+1 buys; of a
    cross, the side it was entered on). Price NaN: there was no quote on both sides.
    """
    k = len(contract)
    near, there = ladder.near(contract, _REACH)
    when = np.broadcast_to(ts, near.shape)
    quote = step.quote_at(near.ravel(), when.ravel()).reshape(4, *near.shape)
    bid, ask, bid_size, ask_size = quote
    fair = step.fair[near]
    buys = side > 0.0
    usable = there & (bid > 0.0) & (ask > bid)
    usable &= ladder.otm(near, step.spot) == ladder.otm(contract, step.spot)
    own = np.where(buys, bid_size, ask_size)
    tick = tick_of(bid)
    ticks = np.round((ask - bid) / tick)
    ticks[~usable] = 0.0
    # Ticks from the bid of the first and the last price inside that a dealer would make.
    at_fair = np.clip((fair - bid) / tick, 0.0, np.maximum(ticks, 0.0))
    low = np.where(buys, np.floor(at_fair + 1e-6) + 1.0, 1.0)
    high = np.where(buys, ticks - 1.0, np.ceil(at_fair - 1e-6) - 1.0)

    draws = rng.random((6, k))
    whole = draws[0] < mix.displayed
    deep_buys = (draws[1] < mix.deep) == buys
    patient = np.where(high >= low, 0.0, _IMPOSSIBLE)
    depth = np.where(deep_buys, ask_size > bid_size, ask_size < bid_size)
    middle = np.where(ticks % 2.0 == 0.0, 0.0, 100.0) + np.where(depth, 0.0, 10.0)
    shown = np.where(whole, np.abs(np.log(np.maximum(own, 1.0) / size)), 0.0)
    away = np.repeat(np.arange(_REACH + 1), 2)[1:, None] * 0.02
    unsuited = np.select(
        [order == IMPROVED, order == MID, order == RESTING], [patient, middle, shown]
    )
    unsuited = unsuited + away + np.where(usable, 0.0, 2.0 * _IMPOSSIBLE)
    best = np.argmin(unsuited, axis=0)
    one = (best, np.arange(k))
    chosen, cost = near[one], unsuited[one]
    bid, ask, fair, tick = bid[one], ask[one], fair[one], tick[one]
    own, ticks, low, high = own[one], ticks[one], low[one], high[one]
    other = np.where(buys, ask_size[one], bid_size[one])
    order = np.where((order == IMPROVED) & (cost >= _IMPOSSIBLE), MARKETABLE, order).astype(np.int8)

    inside = np.round(bid + tick * np.floor(low + draws[2] * (high - low + 1.0)), 2)
    half = np.where(draws[2] < 0.5, 0.5, -0.5) * (ticks % 2.0)
    # An exact middle is written as rules compute it, so that no rounding tells a side.
    centre = np.where(half == 0.0, 0.5 * (bid + ask), np.round(0.5 * (bid + ask) + half * tick, 2))
    agreed = np.round(bid + tick * np.floor(draws[2] * (ticks + 1.0)), 2)
    price = np.select(
        [order == MARKETABLE, order == IMPROVED, order == MID, order == RESTING],
        [np.where(buys, ask, bid), inside, centre, np.where(buys, bid, ask)],
        agreed,
    )
    price[cost >= 2.0 * _IMPOSSIBLE] = np.nan

    size = np.where(order == CROSS, np.minimum(size * _CROSS_SIZE, _MOST), size)
    whole &= own <= _MOST_DISPLAYED
    partly = np.where(size >= own, np.maximum(np.floor(own * draws[3]), 1.0), size)
    size = np.where(order == RESTING, np.where(whole, own, partly), size)
    # Who takes what is quoted either takes all of it or leaves some.
    cut = np.where(draws[3] < 0.5, other, np.maximum(np.floor(other * 2.0 * (draws[3] - 0.5)), 1.0))
    size = np.where((order == MARKETABLE) & (size >= other), cut, size)

    condition = np.where(draws[4] < 0.75, AUTO, BLANK)
    auction = (order == IMPROVED) & (draws[5] < mix.auction)
    condition = np.where(auction, np.where(draws[4] < 0.8, _AUCTION, _AUCTION_ISO), condition)
    condition = np.where(draws[5] > 1.0 - mix.floor, _FLOOR, condition)
    condition = np.where(order == CROSS, np.where(draws[4] < 0.8, _CROSS, _CROSS_ISO), condition)
    return chosen, price, np.maximum(size, 1.0), order, condition.astype(np.int16)
