"""The quote that was in force before a trade: an as-of join in event time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gexterm.market.events import Quotes

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
F64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class InForce:
    """Quotes in force, one for each question. All NaN where there was none."""

    bid: F64
    """Best bid, points; 0 is a zero bid. Shape (k,)."""
    ask: F64
    """Best offer, points. Shape (k,)."""
    bid_size: F64
    """Contracts bid for. Shape (k,)."""
    ask_size: F64
    """Contracts offered. Shape (k,)."""
    quote_ts: I64
    """Exchange time of the quote, ns; 0: no quote. Shape (k,)."""


class QuoteLog:
    """Recent quotes by contract and event time."""

    def __init__(self, window_ns: int | None = 5_000_000_000) -> None:
        """Keep `window_ns` of event time and the last quote before; None keeps everything."""
        raise NotImplementedError

    def take(self, quotes: Quotes) -> None:
        """Add a batch; rows may be older than earlier ones."""
        raise NotImplementedError

    def asof(self, contract: I32, ts: I64, lag_ns: int | I64 = 0) -> InForce:
        """The last quote of each contract strictly before `ts` − `lag_ns`. Shapes (k,)."""
        raise NotImplementedError

    def last(self, contract: I32) -> InForce:
        """The latest quote of each contract."""
        raise NotImplementedError
