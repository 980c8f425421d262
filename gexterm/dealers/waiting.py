"""Prints whose sign may still change, with what was known about them on arrival."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gexterm.dealers.inforce import InForce

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(eq=False, slots=True)
class Waiting:
    """Columns of shape (k,), in order of arrival."""

    rows: I64
    """Rows of the tape."""
    late: Mask
    """Came too long after later prints to be anybody's neighbour."""
    lost: Mask
    """Came so late that the quote then is not known any more."""
    doubted: Mask
    """The contract's quote was called stale when it came."""
    fair: F64
    """Fair value at the trade, points; NaN not known."""
    fair_sd: F64
    """Its error, points."""
    joined: Mask
    """Whether the quote is final."""
    bid: F64
    """Bid in force, points; NaN none."""
    ask: F64
    """Offer in force, points."""
    bid_size: F64
    """Contracts bid for."""
    ask_size: F64
    """Contracts offered."""
    quote_ts: I64
    """Time of the quote, ns; 0 none."""

    @classmethod
    def of(
        cls, rows: I64, late: Mask, lost: Mask, doubted: Mask, fair: F64, fair_sd: F64
    ) -> Waiting:
        """Prints that just came; no quotes yet."""
        k = len(rows)
        return cls(
            rows,
            late,
            lost,
            doubted,
            fair,
            fair_sd,
            joined=np.zeros(k, np.bool_),
            bid=np.full(k, np.nan),
            ask=np.full(k, np.nan),
            bid_size=np.full(k, np.nan),
            ask_size=np.full(k, np.nan),
            quote_ts=np.zeros(k, np.int64),
        )

    @classmethod
    def none(cls) -> Waiting:
        """Nothing waits."""
        no = np.zeros(0, np.bool_)
        return cls.of(np.zeros(0, np.int64), no, no, no, np.zeros(0), np.zeros(0))

    def __len__(self) -> int:
        return len(self.rows)

    def only(self, chosen: Mask) -> Waiting:
        """Some of them."""
        return Waiting(*(getattr(self, f.name)[chosen] for f in dataclasses.fields(self)))

    def and_then(self, others: list[Waiting]) -> Waiting:
        """These and the ones that came after them."""
        parts = [self, *others] if len(self) else others
        if len(parts) == 1:
            return parts[0]
        return Waiting(
            *(np.concatenate([getattr(p, f.name) for p in parts]) for f in dataclasses.fields(self))
        )

    def put_quotes(self, at: I64, quotes: InForce) -> None:
        """Set the quotes of some."""
        self.bid[at], self.ask[at] = quotes.bid, quotes.ask
        self.bid_size[at], self.ask_size[at] = quotes.bid_size, quotes.ask_size
        self.quote_ts[at] = quotes.quote_ts

    def take_quotes(self, quotes: InForce) -> None:
        """Set the quotes of all, for good."""
        self.bid, self.ask = quotes.bid, quotes.ask
        self.bid_size, self.ask_size = quotes.bid_size, quotes.ask_size
        self.quote_ts = quotes.quote_ts
        self.joined[:] = True
