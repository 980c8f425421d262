"""Premiums in points, whatever the venue quotes them in.

A coin-settled option is quoted in the coin: Deribit's own value of it is Black's formula
on the forward F of its expiry, divided by that F, without a rate. Times F it is again
what pricing expects, points undiscounted, and parity holds to the digit:

    c − p = 1 − K/F  in coins        C − P = F − K  in points

F is the `underlying_price` of the same message, as of the same moment as the quote. The
index instead would make every premium wrong by the basis, and parity would say F = S·F/F
only by way of a rate that nobody pays. Linear families are quoted in points already.

A print comes with the index but without F. Its F is the index times what F was over the
index by the last ticker of its expiry: the basis moves slowly, the index does not.

Source: docs.deribit.com, `underlying_price` of the ticker; the venue's note on option
pricing (European, on the forward, mark in the base coin).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gexterm.market.contracts import Contract

F64 = NDArray[np.float64]
_MOST = 1e9
"""Points and contracts beyond this are nonsense."""
_BASIS = (0.2, 5.0)
"""A forward further than this from the index, as a ratio, is nonsense."""


def clean(values: F64) -> F64:
    """Values that are there: NaN where one is negative, absurd or not finite."""
    with np.errstate(invalid="ignore"):
        return np.where((values >= 0.0) & (values < _MOST), values, np.nan)


class Premiums:
    """Turns premiums into points, and remembers the basis of every expiry."""

    def __init__(self, *, inverse: bool) -> None:
        self._inverse = inverse
        self._series: NDArray[np.int64] = np.zeros(0, np.int64)
        self._numbers: dict[dt.date, int] = {}
        self._ratio: F64 = np.zeros(0)

    def define(self, contracts: Sequence[Contract]) -> None:
        """The contracts of the session so far, by index."""
        new = contracts[len(self._series) :]
        if not new:
            return
        numbers = [self._numbers.setdefault(c.expiry, len(self._numbers)) for c in new]
        self._series = np.append(self._series, numbers)
        self._ratio = np.append(self._ratio, np.ones(len(self._numbers) - len(self._ratio)))

    def learn(self, contract: NDArray[np.int32], forward: F64, index: F64) -> None:
        """Forwards and the index of the same moments, in order; both shape (n,)."""
        with np.errstate(all="ignore"):
            ratio = forward / index
            known = (ratio > _BASIS[0]) & (ratio < _BASIS[1])
        self._ratio[self._series[contract[known]]] = ratio[known]

    def forward(self, contract: NDArray[np.int32], index: F64) -> F64:
        """The forward that belongs to an index, by the last known basis. Shape (n,)."""
        with np.errstate(over="ignore"):
            return np.asarray(index * self._ratio[self._series[contract]], np.float64)

    def points(self, premium: F64, forward: F64) -> F64:
        """Premiums in points; NaN where not given. Shapes (n,)."""
        if not self._inverse:
            return clean(premium)
        with np.errstate(invalid="ignore", over="ignore"):
            return clean(np.where(forward > 0.0, premium * forward, np.nan))

    def bid(self, bid: F64, ask: F64, tick: F64) -> F64:
        """Bids as pricing means them, in the venue's unit; all shapes (n,).

        The venue's 0 says that there is no bid, not that somebody would take the option
        for nothing. It is a bid of zero only where none could stand below the offer: when
        that is at the lowest price there is.
        """
        with np.errstate(invalid="ignore"):
            absent = ~(bid > 0.0)
            least = absent & (ask > 0.0) & (ask <= 1.001 * tick)
        return np.where(least, 0.0, np.where(absent, np.nan, bid))


def asks(ask: F64) -> F64:
    """Offers as pricing means them: 0 is none. Shape (n,)."""
    with np.errstate(invalid="ignore"):
        return np.where(ask > 0.0, ask, np.nan)


def floats(values: Sequence[float | None]) -> F64:
    """Numbers, NaN where one is missing."""
    return np.array(values, np.float64)
