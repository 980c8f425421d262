"""Where the underlying stands, as its nearest options have it: put-call parity of their mids.

The window must move with spot, and Massive sells the index value apart from the options.
Parity needs no such plan and is as fresh as the quotes: of the nearest series, the strikes
at which call and put cost nearly the same give S ≈ K + C − P, whatever the rate over a few
days (over 60 days at 5 % the error is below 1 %, well within a window's reach). The
median of the five best is taken. It serves to place the window and is not passed on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gexterm.market.contracts import Contract, Right
from gexterm.market.settlement import expiry_of

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

_BEST = 5
_SERIES = 3
"""How many series are tried, the nearest first: the very nearest may not be quoted yet."""


class Parity:
    """Strikes of the nearest series with both rights, by contract index."""

    def __init__(self) -> None:
        self._listed = 0
        self._pairs: list[tuple[int, F64, I64, I64]] = []

    def spot(self, contracts: Sequence[Contract], mid: F64, now_ns: int) -> float:
        """Spot in points, NaN where no series has a pair quoted on both sides.

        `mid` by contract index, points, NaN where there is none.
        """
        self._arrange(contracts, now_ns)
        for _, strikes, calls, puts in self._pairs[:_SERIES]:
            implied = strikes + mid[calls] - mid[puts]
            apart = np.abs(mid[calls] - mid[puts])
            known = np.flatnonzero(np.isfinite(implied))
            if len(known):
                best = known[np.argsort(apart[known], kind="stable")[:_BEST]]
                return float(np.median(implied[best]))
        return float("nan")

    def _arrange(self, contracts: Sequence[Contract], now_ns: int) -> None:
        if len(contracts) == self._listed and self._pairs and self._pairs[0][0] > now_ns:
            return
        if len(contracts) != self._listed:
            self._listed = len(contracts)
            self._pairs = _arranged(contracts)
        self._pairs = [pair for pair in self._pairs if pair[0] > now_ns]


def _arranged(contracts: Sequence[Contract]) -> list[tuple[int, F64, I64, I64]]:
    """Series by when they stop trading: that time, strikes, calls and puts."""
    series: dict[tuple[str, dt.date], dict[float, list[int]]] = {}
    until: dict[tuple[str, dt.date], int] = {}
    for index, contract in enumerate(contracts):
        key = (contract.root, contract.expiry)
        if key not in until:
            until[key] = expiry_of(contract.root, contract.expiry).trades_until
            series[key] = {}
        pair = series[key].setdefault(contract.strike, [-1, -1])
        pair[contract.right is Right.PUT] = index
    out = []
    for key in sorted(series, key=lambda each: until[each]):
        both = [(k, c, p) for k, (c, p) in sorted(series[key].items()) if c >= 0 and p >= 0]
        if both:
            strikes, calls, puts = zip(*both, strict=True)
            out.append(
                (
                    until[key],
                    np.array(strikes, np.float64),
                    np.array(calls, np.int64),
                    np.array(puts, np.int64),
                )
            )
    return out


def spread_out(contracts: Sequence[Contract], most: int, now_ns: int) -> list[int]:
    """Contracts to quote where spot is not known at all: the nearest series, evenly, in pairs."""
    for until, _, calls, puts in _arranged(contracts):
        if until <= now_ns:
            continue
        step = -(-2 * len(calls) // most) if most > 1 else len(calls) + 1
        chosen = np.stack([calls[::step], puts[::step]], axis=1).ravel()
        return [int(index) for index in chosen[:most]]
    return []
