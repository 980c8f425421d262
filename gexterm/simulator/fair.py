"""Fair value, volatility and delta of every contract, kept up to the second.

Today's contracts are priced anew each second, the others in turns; in between a value
moves by its delta. Call and put of a strike share one time value, and their deltas
differ by exactly one forward, so that parity holds for all of them at any time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from gexterm.pricing.timevalue import time_value
from gexterm.pricing.work import Work
from gexterm.simulator.script import Series
from gexterm.simulator.step import F64, Listing
from gexterm.simulator.vol import Surface

Rows = NDArray[np.intp]

TURNS = 8
"""Seconds after which every series had its turn."""


def seconds_between(days: int) -> int:
    """How often a series is priced anew, by its days to expiry."""
    return 1 if days == 0 else 2 if days <= 2 else 4 if days <= 9 else TURNS


class Fair:
    """Columns by contract, shape (n,): updated in place."""

    def __init__(self, listing: Listing, series: tuple[Series, ...], surface: Surface) -> None:
        n = len(listing.contracts)
        self._surface = surface
        self._strike = listing.strike[::2].copy()
        self._log_strike = np.log(self._strike)
        self._series = listing.series[::2].copy()
        self._work = Work()
        every = np.array([seconds_between(s.days) for s in series])
        # Series of one pace take turns, so that no second is busier than the others.
        turn = np.arange(len(series))
        self._due: list[Rows] = [
            np.flatnonzero(((second + turn) % every == 0)[self._series]) for second in range(TURNS)
        ]
        self._all = np.arange(n // 2)
        self._spot = float("nan")
        self.value: F64 = np.zeros(n)
        """Fair value, points."""
        self.vol: F64 = np.zeros(n)
        """Volatility, a fraction."""
        self.delta: F64 = np.zeros(n)
        """Spot delta."""

    def update(self, second: int, spot: float) -> Rows:
        """Take all values to the surface as it is now; the strikes that were priced anew.

        A strike k has the contracts 2k and 2k + 1.
        """
        if second == 0:
            rows = self._all
        else:
            rows = self._due[second % TURNS]
            self.value += self.delta * (spot - self._spot)
            np.maximum(self.value, 0.0, out=self.value)
        self._spot = spot
        surface, series, strike = self._surface, self._series[rows], self._strike[rows]
        log_strike = self._log_strike[rows]
        vol = surface.vol(log_strike, series)
        total = vol * np.sqrt(surface.years)[series]
        forward = surface.forward[series]
        away = log_strike - np.log(surface.forward)[series]
        time = time_value(np.abs(away), total, self._work)
        time *= np.sqrt(forward * strike)
        intrinsic = forward - strike
        discount = surface.discount[series]
        carried = surface.carried[series]
        call, put = 2 * rows, 2 * rows + 1
        self.value[call] = discount * (np.maximum(intrinsic, 0.0) + time)
        self.value[put] = discount * (np.maximum(-intrinsic, 0.0) + time)
        self.vol[call] = vol
        self.vol[put] = vol
        inside = carried * ndtr(0.5 * total - away / total)
        self.delta[call] = inside
        self.delta[put] = inside - carried
        return rows

    def settle(self, contract: Rows, spot: float, sign: F64) -> None:
        """Contracts that are over are worth what they paid. `sign`: +1 call, −1 put, shape (k,)."""
        inside = sign * (spot - self._strike[contract // 2])
        self.value[contract] = np.maximum(inside, 0.0)
        self.delta[contract] = 0.0
