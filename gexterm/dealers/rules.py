"""Classical rules that tell who began a trade, as array functions.

Every rule takes columns of shape (n,) and gives int8 of shape (n,): +1 the customer
bought, −1 the customer sold, 0 undecided. NaN anywhere a rule looks makes it undecided.
Names and edge cases are those of `tclf`, so that the two can be compared print by print.

Sources: Lee & Ready (1991); Ellis, Michaely & O'Hara (2000); Chakrabarty, Li, Nguyen &
Van Ness (2007); trade size and depth: Grauer, Schuster & Uhrig-Homburg (SSRN 4098475).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
I8 = NDArray[np.int8]
Mask = NDArray[np.bool_]

CLOSE, CLOSE_RELATIVE = 1e-4, 1e-5
"""Two prices or sizes are the same within this, absolutely plus as a fraction."""
OUTER = 0.3
"""Share of the spread next to each quote in which CLNV trusts the quote."""


def same(a: F64, b: F64) -> Mask:
    """Whether two numbers are the same but for rounding; False for NaN. Shape (n,)."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(a - b) <= CLOSE + CLOSE_RELATIVE * np.abs(b))


def _above(a: F64, b: F64) -> I8:
    """+1 where a > b, −1 where a < b, else 0; NaN compares as neither."""
    return np.asarray((a > b).view(np.int8) - (a < b).view(np.int8))


def mid(bid: F64, ask: F64) -> F64:
    """Middle of the quote, points; NaN where it is crossed or a side is missing. Shape (n,)."""
    return np.where(ask >= bid, 0.5 * (ask + bid), np.nan)


def quote(price: F64, bid: F64, ask: F64) -> I8:
    """Above mid a buy, below mid a sale."""
    return _above(price, mid(bid, ask))


def tick(price: F64, previous: F64) -> I8:
    """Above the last different price of the contract a buy, below it a sale."""
    return _above(price, previous)


def reverse_tick(price: F64, following: F64) -> I8:
    """Above the next different price of the contract a buy, below it a sale."""
    return _above(price, following)


def lr(price: F64, bid: F64, ask: F64, ticked: I8) -> I8:
    """Lee & Ready: the quote rule, and at mid what `tick` or `reverse_tick` said."""
    return stack(quote(price, bid, ask), ticked)


def emo(price: F64, bid: F64, ask: F64, ticked: I8) -> I8:
    """Ellis, Michaely & O'Hara: at the bid or offer the quote rule, elsewhere the tick."""
    at = same(price, ask) ^ same(price, bid)
    return np.where(at, quote(price, bid, ask), ticked)


def clnv(price: F64, bid: F64, ask: F64, ticked: I8) -> I8:
    """Chakrabarty et al.: the quote rule in the outer 30 % of the spread, elsewhere the tick."""
    upper = ((1.0 - OUTER) * ask + OUTER * bid <= price) & (price <= ask)
    lower = (bid <= price) & (price <= OUTER * ask + (1.0 - OUTER) * bid)
    return np.where(upper ^ lower, quote(price, bid, ask), ticked)


def trade_size(size: F64, bid_size: F64, ask_size: F64) -> I8:
    """A trade of exactly the size bid for filled a customer's resting bid: the customer bought.

    Of exactly the size offered: the customer sold. Undecided where both sizes are the
    same. The reverse of what holds for stocks: in options it is the dealer who takes
    the customers' limit orders.
    """
    told = ~same(ask_size, bid_size)
    buys, sells = same(size, bid_size) & told, same(size, ask_size) & told
    return np.asarray(buys.view(np.int8) - (sells & ~buys).view(np.int8))


def depth(price: F64, bid: F64, ask: F64, bid_size: F64, ask_size: F64) -> I8:
    """At mid, more contracts offered than bid for: a buy; fewer: a sale."""
    at_mid = same(mid(bid, ask), price)
    return np.asarray(_above(ask_size, bid_size) * at_mid.view(np.int8))


def stack(*layers: I8) -> I8:
    """What the first layer says that is not undecided."""
    out = layers[0].copy()
    for layer in layers[1:]:
        np.copyto(out, layer, where=out == 0)
    return out


def neighbours(contract: I32, price: F64) -> tuple[F64, F64]:
    """The last and the next different price of the same contract, points; NaN none.

    Prints in order of time. Returns two arrays of shape (n,).
    """
    order, before, after = _runs(contract, price)
    previous, following = np.full(len(price), np.nan), np.full(len(price), np.nan)
    previous[order] = np.where(before >= 0, price[order][before], np.nan)
    following[order] = np.where(after >= 0, price[order][after], np.nan)
    return previous, following


def next_different(contract: I32, price: F64, ts: I64, within_ns: int) -> F64:
    """The next different price of the same contract within some time, points; NaN none.

    Prints in order of time. Shape (n,).
    """
    order, _, after = _runs(contract, price)
    p, when = price[order], ts[order]
    soon = (after >= 0) & (when[after] - when <= within_ns)
    following = np.empty(len(price))
    following[order] = np.where(soon, p[after], np.nan)
    return following


def next_ticks(contract: I32, price: F64, ts: I64, rows: I64, within_ns: int) -> F64:
    """`next_different` of a few prints only. Shape of `rows`; `ts` ascends."""
    if len(rows) == 0:
        return np.zeros(0)
    asked = np.sort(rows)
    ends = np.searchsorted(ts, ts[asked] + within_ns, "right")
    # What lies within a window of one of them, each print once.
    starts = asked.copy()
    np.maximum(starts[1:], ends[:-1], out=starts[1:])
    starts = np.minimum(starts, ends)
    length = ends - starts
    near = np.repeat(ends - np.cumsum(length), length) + np.arange(length.sum())
    who = contract[near]
    wanted = np.zeros(int(who.max()) + 1, np.bool_)
    wanted[contract[rows]] = True
    near = near[wanted[who]]
    following = next_different(contract[near], price[near], ts[near], within_ns)
    return np.asarray(following[np.searchsorted(near, rows)], np.float64)


def _runs(contract: I32, price: F64) -> tuple[I64, I64, I64]:
    """An order by contract, and where in it the last and the next different price stand.

    −1 where there is none. Shapes (n,).
    """
    order = by_contract(contract)
    n = len(order)
    if n == 0:
        return order, order, order
    who, p = contract[order], price[order]
    starts = np.ones(n, np.bool_)
    starts[1:] = (who[1:] != who[:-1]) | (p[1:] != p[:-1])
    first = np.flatnonzero(starts)
    owner = who[first]
    joined = owner[1:] == owner[:-1]
    before, after = np.full(len(first), -1), np.full(len(first), -1)
    before[1:][joined] = first[1:][joined] - 1
    after[:-1][joined] = first[1:][joined]
    run = np.cumsum(starts) - 1
    return order, before[run], after[run]


def by_contract(contract: I32) -> I64:
    """Order that brings the prints of each contract together and keeps their order. Shape (n,)."""
    if len(contract) and contract.min() >= 0 and contract.max() < 1 << 16:
        # Radix sort, ten times as fast as the comparison sort of wider integers.
        return np.argsort(contract.astype(np.uint16), kind="stable")
    return np.argsort(contract, kind="stable")


__all__ = [
    "by_contract",
    "clnv",
    "depth",
    "emo",
    "lr",
    "mid",
    "neighbours",
    "next_different",
    "next_ticks",
    "quote",
    "reverse_tick",
    "same",
    "stack",
    "tick",
    "trade_size",
]
