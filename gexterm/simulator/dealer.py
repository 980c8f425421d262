"""The dealer, whose inventory is the truth that the tape is read for."""

from __future__ import annotations

import numpy as np

from gexterm.clock import NS
from gexterm.market.calendar import session_close_ns, session_open_ns
from gexterm.simulator.chains import series_of
from gexterm.simulator.check import span_ns
from gexterm.simulator.customers import habits
from gexterm.simulator.ladder import WISHES
from gexterm.simulator.script import Script
from gexterm.simulator.step import F64, Listing, Prints, Step

_LUCK = 0.5
"""Standard deviation of the logarithm of opening inventory, besides what is expected."""
_CARRIED = 0.6
"""Opening inventory in later expiries: habit × open interest × this."""
_PEAK, _WIDTH = 0.85, 0.45
"""Where today's inventory lies, in standard deviations of the day: around .2 delta."""
_MOST_OF_OI = 0.9
_USUAL_S, _OCLOCK_S = 900.0, 200.0
"""Time in which a gap in the hedge shrinks to 1/e, seconds: most of the day, and in …"""
_OCLOCK = (9000.0, 3600.0)
"""… the hours that begin and end this long before the close: 13:30 to 15:00."""
_TOLERATED = 0.10
"""A gap up to this share of the largest seen so far is left alone outside those hours."""
_MULTIPLIER = 100.0


class Dealer:
    """Takes the other side. `rng` is his alone."""

    def __init__(self, script: Script, listing: Listing, rng: np.random.Generator) -> None:
        self._closes = session_close_ns(script.date)
        self.inventory: F64 = _opening(script, listing, rng)
        """Contracts held, + = long. Shape (n,). Changed in place."""
        self._hedge: float | None = None
        self._largest = 0.0

    def take(self, prints: Prints) -> None:
        """Book what prints gave him; so are revisions of the tape."""
        np.add.at(self.inventory, prints.contract, prints.dealer)

    def net_delta(self, step: Step) -> float:
        """$ of delta of the options he holds."""
        return float(self.inventory @ step.delta) * _MULTIPLIER * step.spot

    def hedge(self, step: Step, net_delta_dollars: float) -> float:
        """$ of delta he trades in the underlying this second, + = buys.

        `net_delta_dollars` is that of his options alone; what he holds against it is his
        own memory, and he begins the day hedged. He follows slowly, lets small gaps be,
        and catches up between 13:30 and 15:00 ("dealer o'clock"; counted from the close).
        """
        if self._hedge is None:
            self._hedge = -net_delta_dollars / step.spot
        gap = net_delta_dollars + self._hedge * step.spot
        self._largest = max(self._largest, abs(gap))
        left = (self._closes - step.now) / NS
        busy = _OCLOCK[1] <= left < _OCLOCK[0]
        if not busy and abs(gap) <= _TOLERATED * self._largest:
            return 0.0
        traded = -gap / (_OCLOCK_S if busy else _USUAL_S)
        self._hedge += traded / step.spot
        return traded


def _opening(script: Script, listing: Listing, rng: np.random.Generator) -> F64:
    """Inventory at the start, whole contracts. Shape (n,).

    Today's expiry: `opening_inventory` times what the script's first intent is going to add
    over its span, spread over the strikes that customers will want. Later expiries: what
    habits have left. Never more than open interest allows.
    """
    flow, spot = script.flow, script.spot.open
    shares = np.array([s.share for s in series_of(script)])
    hours = (session_close_ns(script.date) - session_open_ns(script.date)) / NS / 23_400.0
    away = np.log(listing.strike / spot) / (script.spot.sigma * np.sqrt(hours))
    wanted = np.exp(-0.5 * ((np.abs(away) - _PEAK) / _WIDTH) ** 2)
    wanted[~listing.today | (listing.sign * away <= 0.0)] = 0.0
    total = wanted.sum()
    if total > 0.0:
        today = float(shares[np.unique(listing.series[listing.today])].sum())
        session = session_close_ns(script.date) - session_open_ns(script.date)
        begins, ends = span_ns(script)
        wanted *= flow.contracts * today / total * (ends - begins) / session
    below, above = WISHES[script.intent]
    wish = np.where(listing.strike < spot, float(below), float(above))
    added = -wish * flow.tilt * flow.dealer_share * wanted * flow.opening_inventory
    carried = -habits(listing, session_open_ns(script.date)) * _CARRIED * listing.open_interest
    held = (added + carried) * rng.lognormal(-0.5 * _LUCK**2, _LUCK, len(listing.strike))
    most = _MOST_OF_OI * listing.open_interest
    return np.asarray(np.round(np.clip(held, -most, most)), np.float64)
