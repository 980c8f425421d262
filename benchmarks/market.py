"""A quoted SPX market for floods: a chain as large as the real one, prices that hang together.

Spot walks, a smile stands around it, and every quote is a model price, rounded to the tick,
with the spread of a market maker around it. Nothing of it comes from `gexterm.pricing`, which
is what the prices are to keep busy.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from gexterm.clock import NS
from gexterm.market import calendar
from gexterm.market.contracts import Contract, Right
from gexterm.market.settlement import expiry_of

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

SPOT = 6600.0
_YEAR_NS = 365 * 86_400 * NS
_ANNUAL_VOL = 0.16


def session_time(now_ns: int, time: dt.time = dt.time(13, 30)) -> int:
    """That time of day of the last session that is over, ns: an offset makes it now."""
    day = calendar.previous_session(calendar.et(now_ns).date())
    return calendar.at_et(day, time)


@dataclass(frozen=True, eq=False)
class Chain:
    """What is listed."""

    contracts: list[Contract]
    strike: F64
    sign: F64
    settles: I64
    interest: F64


def chain(today: dt.date, size: int, rng: np.random.Generator) -> Chain:
    """A chain of `size` contracts: daily expiries, weekly ones, then monthly ones.

    The third Friday has both of its expiries, AM and PM. Strikes lie 5 points apart near
    the money and 25 apart far off in time, as they do.
    """
    dates: list[tuple[str, dt.date]] = []
    day = calendar.session_on_or_before(today)
    for number in range(400):
        date = today + dt.timedelta(days=number)
        if not calendar.is_session(date):
            continue
        third = calendar.session_on_or_before(calendar.third_friday(date.year, date.month))
        if number <= 45 or (date.weekday() == 4 and number <= 90) or date == third:
            dates.append(("SPXW", date))
        if date == third and date > day:
            dates.append(("SPX", date))
    each = -(-size // (2 * len(dates)))
    contracts: list[Contract] = []
    settles: list[int] = []
    for root, date in dates:
        step = 5.0 if (date - today).days <= 45 else 25.0
        first = SPOT - step * (each // 2)
        when = expiry_of(root, date).settles_at
        for strike in first + step * np.arange(each):
            contracts += [Contract(root, date, right, float(strike)) for right in Right]
            settles += [when, when]
    contracts, settles = contracts[:size], settles[:size]
    strike = np.array([each.strike for each in contracts])
    at = np.array(settles, np.int64)
    near = np.exp(-np.abs(strike / SPOT - 1.0) / 0.04)
    return Chain(
        contracts,
        strike,
        np.array([float(each.right.sign) for each in contracts]),
        at,
        np.round(3000.0 * near * rng.lognormal(0.0, 0.6, len(contracts))),
    )


class Market:
    """Prices of a chain at a time. `rng` moves spot."""

    def __init__(self, listed: Chain, rng: np.random.Generator) -> None:
        self.listed = listed
        self.spot = SPOT
        self._rng = rng
        self._at = 0

    def move(self, now_ns: int) -> None:
        """Let spot walk until then."""
        if self._at:
            years = max(0, now_ns - self._at) / _YEAR_NS * 3.5
            self.spot *= float(np.exp(_ANNUAL_VOL * np.sqrt(years) * self._rng.standard_normal()))
        self._at = now_ns

    def model(self, now_ns: int, which: I64 | None = None) -> F64:
        """Model prices, points, never below 0."""
        listed = self.listed
        at = slice(None) if which is None else which
        strike, sign = listed.strike[at], listed.sign[at]
        years = np.maximum(listed.settles[at] - now_ns, 60 * NS) / _YEAR_NS
        rate, dividend = 0.04, 0.012
        forward = self.spot * np.exp((rate - dividend) * years)
        money = np.log(strike / forward) / (_ANNUAL_VOL * np.sqrt(years + 1 / 365))
        vol = np.clip(_ANNUAL_VOL * (1.0 - 0.06 * money + 0.02 * money**2), 0.09, 0.9)
        sd = vol * np.sqrt(years)
        high = np.log(forward / strike) / sd + 0.5 * sd
        price = sign * (forward * ndtr(sign * high) - strike * ndtr(sign * (high - sd)))
        return np.maximum(np.exp(-rate * years) * price, 0.0)

    def quotes(self, now_ns: int, which: I64 | None = None) -> tuple[F64, F64]:
        """Bid and offer, points, on the tick."""
        mid = self.model(now_ns, which)
        tick = np.where(mid < 3.0, 0.05, 0.10)
        half = np.maximum(0.5 * tick, 0.006 * mid)
        bid = np.maximum(np.floor((mid - half) / tick) * tick, 0.0)
        ask = np.maximum(np.ceil((mid + half) / tick) * tick, bid + tick)
        return np.round(bid, 2), np.round(ask, 2)
