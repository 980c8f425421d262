"""The paradigm as it truly is: the dealer's true inventory on the true surface.

The classifier is the program's own (`exposure.paradigm`); what goes into it is known
here and inferred elsewhere.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
from numpy.typing import NDArray

from gexterm.exposure.charm import (
    CutState,
    charm_curve,
    charm_profile,
    charm_zeros,
    zero_dte_greeks,
)
from gexterm.exposure.paradigm import ParadigmReading, ParadigmState, classify
from gexterm.exposure.scope import zero_dte
from gexterm.market.chain import CALL, Layout, build_layout
from gexterm.market.settlement import expiry_of
from gexterm.pricing.black import row_greeks
from gexterm.pricing.chain import FLOOR_S, YEAR_S
from gexterm.pricing.surface import Surface
from gexterm.pricing.work import Work
from gexterm.simulator.step import Listing, Step

F64 = NDArray[np.float64]


class BookReader:
    """Reads the paradigm of a known book, tick after tick; keeps the classifier's memory."""

    def __init__(self, date: dt.date) -> None:
        self._date = date
        self._cut: CutState | None = None
        self._state: ParadigmState | None = None

    def read(self, surface: Surface, book: F64) -> ParadigmReading:
        """The paradigm of `book`, contracts by row, calls first: shape (2, n), on a surface."""
        now, spot = surface.as_of, surface.spot
        today = zero_dte(surface.layout, now, self._date)
        if not today or today.settled:
            reading, self._state = classify(None, (), spot, float("nan"), now, self._state)
            return reading
        greeks, self._cut = zero_dte_greeks(surface, today.scope, self._cut)
        zeros = charm_zeros(charm_curve(greeks, book.sum(axis=0)[None, :]))
        reading, self._state = classify(
            charm_profile(greeks, book), zeros, spot, greeks.sigma, now, self._state
        )
        return reading


def by_row(layout: Layout, held: F64) -> F64:
    """Contracts by contract index, shape (n,), as a book by row: shape (2, rows)."""
    return np.where(layout.contract >= 0, held[layout.contract], 0.0)


class TrueView:
    """The true paradigm, tick after tick."""

    def __init__(self, listing: Listing, date: dt.date) -> None:
        self._at = np.flatnonzero(listing.today)
        self._layout = build_layout([listing.contracts[i] for i in self._at], expiry_of)
        self._reader = BookReader(date)
        self._work = Work()

    def read(self, step: Step, inventory: F64) -> ParadigmReading:
        """The paradigm of the dealer's `inventory`, contracts, shape (n,), at a step."""
        book = by_row(self._layout, inventory[self._at])
        return self._reader.read(self.surface(step), book)

    def surface(self, step: Step) -> Surface:
        """The true surface of today's contracts."""
        layout = self._layout
        fair, vol = step.fair[self._at], step.vol[self._at]
        count = len(layout.expiries)
        seconds = np.array([e.seconds_left(step.now) for e in layout.expiries])
        years = np.maximum(seconds, FLOOR_S) / YEAR_S
        forward, discount = np.full(count, step.spot), np.ones(count)
        for e in range(count):
            rows = layout.slice(e)
            pair = layout.contract[:, rows]
            both = (pair >= 0).all(axis=0)
            if both.sum() >= 2:
                # Fair values obey parity: C − P = D (F − K).
                away = layout.strike[rows][both] - step.spot
                slope, level = np.polyfit(away, fair[pair[0, both]] - fair[pair[1, both]], 1)
                discount[e], forward[e] = -slope, step.spot - level / slope
        iv = vol[np.where(layout.contract[CALL] >= 0, *layout.contract)]
        carry = np.log(forward / step.spot) / years
        F, T, D, b = (a[layout.expiry] for a in (forward, years, discount, carry))
        greeks = row_greeks(step.spot, F, layout.strike, T, D, iv, b, self._work)
        return Surface(
            layout=layout,
            as_of=step.now,
            spot=step.spot,
            seconds=seconds,
            years=years,
            forward=forward,
            forward_low=forward,
            forward_high=forward,
            discount=discount,
            atm_iv=np.array(
                [
                    np.interp(forward[e], layout.strike[layout.slice(e)], iv[layout.slice(e)])
                    for e in range(count)
                ]
            ),
            smile_kind=("true",) * count,
            raw_iv=iv,
            iv_reason=np.zeros(len(layout), np.int8),
            iv=iv,
            delta=greeks.delta,
            gamma=greeks.gamma,
            vega=greeks.vega,
            vanna=greeks.vanna,
            charm=greeks.charm,
            theta=greeks.theta,
            carry=carry,
        )
