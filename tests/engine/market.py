"""A small synthetic chain: flat volatility, no interest, open interest out of the money."""

from __future__ import annotations

import datetime as dt
import math
from statistics import NormalDist

import numpy as np

from gexterm.market.contracts import Contract, Right
from gexterm.market.events import Definitions, Event, OpenInterest, Quotes, UnderlyingPrice
from gexterm.market.settlement import expiry_of

DATE = dt.date(2026, 11, 13)
"""A Friday that is not the third: today's expiry is SPXW only."""
SPOT = 6700.0
VOL = 0.14
_CDF = NormalDist().cdf


def price(strike: float, years: float, right: Right) -> float:
    w = VOL * math.sqrt(years)
    d1 = math.log(SPOT / strike) / w + w / 2
    return right.sign * (SPOT * _CDF(right.sign * d1) - strike * _CDF(right.sign * (d1 - w)))


def flat_chain(as_of: int, *, open_interest: bool = True, root: str = "SPXW") -> list[Event]:
    """Definitions, spot, quotes and open interest as of a time."""
    third_friday, monday = dt.date(2026, 11, 20), DATE + dt.timedelta(days=3)
    series = [(root, DATE), (root, monday), (root, third_friday)]
    if root == "SPXW":
        series += [("SPX", third_friday), ("SPXW", dt.date(2026, 12, 18))]
    contracts, bids, asks, held = [], [], [], []
    for name, date in series:
        years = (expiry_of(name, date).settles_at - as_of) / 1e9 / (365 * 86400)
        step = 5 if date == DATE else 25
        for strike in range(6500, 6901, step):
            for right in Right:
                value = price(float(strike), max(years, 1e-6), right)
                tick = 0.05 if value < 3 else 0.10
                contracts.append(Contract(name, date, right, float(strike)))
                bids.append(max(0.0, math.floor(value / tick) * tick))
                asks.append(math.floor(value / tick) * tick + tick)
                away = right.sign * (strike - SPOT)
                held.append(1000.0 * math.exp(-(((away - 40) / 60) ** 2)) if away > 0 else 20.0)
    n = len(contracts)
    index = np.arange(n, dtype=np.int32)
    events: list[Event] = [
        Definitions(0, tuple(contracts)),
        UnderlyingPrice(SPOT, as_of),
        Quotes(
            index,
            np.array(bids),
            np.array(asks),
            np.full(n, 20.0),
            np.full(n, 20.0),
            np.full(n, as_of, np.int64),
        ),
    ]
    if open_interest:
        events.append(OpenInterest(index, np.array(held), as_of))
    return events
