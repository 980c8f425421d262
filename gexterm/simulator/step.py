"""What the parts of the simulator hand to each other, a second of market time at once.

    run:  for each second   Market.step → Customers.trade → Dealer.take → Tape.publish
                            └ Market.published (quotes)      └ truth

Arrays are by contract index, shape (n,), unless said otherwise. Random numbers come
from generators handed in, one stream for each purpose.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gexterm.market.contracts import Contract

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
I32 = NDArray[np.int32]


@dataclass(frozen=True, eq=False, slots=True)
class Listing:
    """The contracts of the synthetic chain: fixed for the day."""

    contracts: tuple[Contract, ...]
    """All of them, in the order of their indices; call and put of a strike are neighbours."""
    strike: F64
    """Points."""
    sign: F64
    """+1 call, −1 put."""
    series: I32
    """Index of the series in the script's chain."""
    settles_at: I64
    """Settlement instant, ns."""
    today: NDArray[np.bool_]
    """Whether it settles at today's close (0DTE)."""
    open_interest: F64
    """Contracts open at yesterday's close."""


@dataclass(frozen=True, eq=False, slots=True)
class Step:
    """The true market over one second: from `now` up to the next step's."""

    second: int
    """Seconds since the script began, from 0."""
    now: int
    """Market time, ns."""
    spot: float
    """Index, points."""
    fair: F64
    """Fair value, points."""
    vol: F64
    """Volatility, a fraction."""
    delta: F64
    """Spot delta of one contract, −1 to 1."""
    bid: F64
    """Best bid at `now`, points; 0 none."""
    ask: F64
    """Best offer, points."""
    bid_size: F64
    """Contracts bid for."""
    ask_size: F64
    """Contracts offered."""
    flicker_contract: I32
    """Contracts that are re-quoted within the second, in order of time. Shape (f,)."""
    flicker_ts: I64
    """When, ns, ascending. Shape (f,)."""
    flicker: F64
    """Bid, ask, bid size, ask size from then on. Shape (4, f)."""

    def quote_at(self, contract: I32, ts: I64) -> F64:
        """Bid, ask, bid size and ask size in force just before each time. Shape (4, k)."""
        out = np.stack(
            [side[contract] for side in (self.bid, self.ask)]
            + [side[contract] for side in (self.bid_size, self.ask_size)]
        )
        if len(self.flicker_ts) == 0:
            return out
        order = np.argsort(self.flicker_contract, kind="stable")
        who, when = self.flicker_contract[order], self.flicker_ts[order] - self.now
        span = np.int64(1 << 34)  # more than a second of nanoseconds
        at = np.searchsorted(who * span + when, contract * span + (ts - self.now), "left") - 1
        found = (at >= 0) & (who[np.maximum(at, 0)] == contract)
        out[:, found] = self.flicker[:, order[at[found]]]
        return out


@dataclass(frozen=True, eq=False, slots=True)
class Prints:
    """What was traded in one second, as it was. k prints, in order of time."""

    contract: I32
    """Contract. Shape (k,)."""
    price: F64
    """Points."""
    size: F64
    """Contracts."""
    ts: I64
    """Exchange time, ns; legs of a package lie within 5 ms."""
    customer: NDArray[np.int8]
    """Side of the customer whose order it was: +1 bought, −1 sold; 0 for a cross of two."""
    dealer: F64
    """Contracts the dealer gained: −customer·size, or 0 where another customer was there."""
    order: NDArray[np.int8]
    """Order type, index into `ORDERS`."""
    package: I64
    """Number of the package a leg belongs to; −1 none."""
    condition: NDArray[np.int16]
    """OPRA condition, as `ord` of its letter; 32 (blank) regular."""


ORDERS = ("marketable", "improved", "mid", "resting", "package", "cross")
"""Order types by their index."""
