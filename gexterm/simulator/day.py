"""A synthetic stretch of an expiration day, made from a script and a seed.

Spot follows the script with small noise around it. Quotes are fair value plus a
spread on the exchange's ticks; a market maker renews a quote only when fair value has
left it, so that most quotes stand still in most seconds, as in a real chain. Open
interest lies out of the money around the close of the day before. No market data is in
it, and the dealer's book is not modelled: this is a market to look at, not a truth to
be measured against.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from gexterm.market.contracts import Contract, Right
from gexterm.market.events import (
    Definitions,
    Event,
    OpenInterest,
    Quotes,
    SourceInfo,
    UnderlyingPrice,
    Volume,
)
from gexterm.market.settlement import expiry_of
from gexterm.pricing.black import price
from gexterm.simulator.surface import F64, YEAR_S, Smile

NS = 1_000_000_000
NOTE = "synthetic: made by a seeded script, no market data"
_VOLUME_EVERY_S = 5


@dataclass(frozen=True, slots=True)
class Series:
    """One listed series and how it is quoted."""

    root: str
    """Option root."""
    expiry: dt.date
    """Expiry date."""
    step: float
    """Distance between strikes, points."""
    below: float
    """Listed down to this share below the last close."""
    above: float
    """Listed up to this share above it."""
    open_interest: float
    """Contracts open at a busy strike."""
    every_s: int = 1
    """Seconds between looks at its quotes."""


@dataclass(frozen=True, slots=True)
class Script:
    """What shall happen."""

    underlying: str
    """Index."""
    begins: int
    """First market time, ns since 1970 UTC."""
    seconds: int
    """How long, seconds."""
    seed: int
    """Everything random follows from it."""
    last_close: float
    """Where open interest was built, points."""
    path: tuple[tuple[int, float], ...]
    """Spot at some seconds, points; smooth in between."""
    series: tuple[Series, ...]
    """Listed series."""
    smile: Smile = field(default_factory=Smile)
    """Volatility."""
    rate: float = 0.038
    """Interest, a year."""
    dividend: float = 0.012
    """Dividend yield, a year."""
    noise: float = 0.9
    """Standard deviation of spot around the path, points."""
    frozen_share: float = 0.004
    """Share of contracts whose quote stands still for half a minute, at any time."""
    crossed_per_minute: float = 1.0
    """Quotes that cross for one look."""


def events(script: Script) -> Iterator[Event]:
    """Every event of the script in order, receipt time equal to exchange time."""
    yield SourceInfo(
        underlying=script.underlying,
        feed="synthetic",
        mode="simulated",
        note=NOTE,
        begins=script.begins,
        ends=script.begins + script.seconds * NS,
    )
    market = _Market(script)
    yield Definitions(0, market.contracts, recv=script.begins)
    ids = np.arange(len(market.contracts), dtype=np.int32)
    yield OpenInterest(ids, market.open_interest, ts=script.begins, recv=script.begins)
    for second, spot in enumerate(market.spots):
        now = script.begins + second * NS
        yield UnderlyingPrice(float(spot), ts=now, recv=now)
        if second % _VOLUME_EVERY_S == 0 and (volume := market.trade(float(spot), now)) is not None:
            yield volume
        if (quotes := market.quote(second, float(spot), now)) is not None:
            yield quotes


class _Market:
    """Columns by contract: fair values, quotes, volumes."""

    def __init__(self, script: Script) -> None:
        self._script = script
        # One stream for each purpose: more noise in one place leaves the others as they are.
        streams = np.random.default_rng(script.seed).spawn(4)
        self._spot_rng, self._book_rng, self._quote_rng, self._trade_rng = streams
        self.spots = _spots(script, self._spot_rng)
        self.contracts = tuple(_contracts(script))
        self._strike = np.array([c.strike for c in self.contracts])
        self._sign = np.array([float(c.right.sign) for c in self.contracts])
        number = {(s.root, s.expiry): i for i, s in enumerate(script.series)}
        self._series = np.array([number[c.root, c.expiry] for c in self.contracts])
        settles = [expiry_of(s.root, s.expiry).settles_at for s in script.series]
        self._settles = np.array(settles, np.int64)[self._series]
        self._years0 = (self._settles - script.begins) / NS / YEAR_S
        carry = np.exp((script.rate - script.dividend) * self._years0)
        self._vol = script.smile.vol(
            self._strike, float(self.spots[0]) * carry, np.maximum(self._years0, 1e-5)
        )
        self.open_interest = self._open_interest()
        self._volume = np.zeros(len(self.contracts))
        self._bid = np.full(len(self.contracts), np.nan)
        self._ask = np.full(len(self.contracts), np.nan)
        self._frozen_until = np.zeros(len(self.contracts), np.int64)

    def _fair(self, spot: float, now: int) -> F64:
        script = self._script
        years = np.maximum((self._settles - now) / NS, 1.0) / YEAR_S
        forward = spot * np.exp((script.rate - script.dividend) * years)
        discount = np.exp(-script.rate * years)
        return price(forward, self._strike, years, discount, self._vol, self._sign)

    def _open_interest(self) -> F64:
        """Out of the money around the last close, heavier on round strikes, fading outwards."""
        script = self._script
        away = self._sign * (self._strike / script.last_close - 1.0)
        width = 0.7 * script.smile.atm(self._years0) * np.sqrt(self._years0) + 0.001
        in_the_money = np.where(away < 0, 0.12, 1.0)
        shape = np.exp(-0.5 * ((np.abs(away) - width) / width) ** 2) * in_the_money
        size = np.array([s.open_interest for s in script.series])[self._series]
        round_ = 1.0 + 1.2 * (self._strike % 25 == 0) + 1.3 * (self._strike % 50 == 0)
        luck = self._book_rng.lognormal(0.0, 0.45, len(self.contracts))
        return np.asarray(np.floor(size * shape * round_ * luck / 2.0), np.float64)

    def trade(self, spot: float, now: int) -> Volume | None:
        """Volume so far, of the contracts that traded since the last look."""
        script = self._script
        years = np.maximum((self._settles - now) / NS, 60.0) / YEAR_S
        z = np.log(self._strike / spot) / (self._vol * np.sqrt(years))
        size = np.array([s.open_interest for s in script.series])[self._series]
        first = now == script.begins
        seconds = 1800.0 if first else float(_VOLUME_EVERY_S)  # since 9:30, or the last look
        rate = size * np.exp(-0.5 * z * z) / np.sqrt(years * 365.0 + 0.2) / 4000.0
        prints = self._trade_rng.poisson(np.minimum(rate * seconds / 8.0, 500.0))
        traded = self._trade_rng.poisson(prints * 8.0).astype(np.float64)
        self._volume += traded
        at = np.arange(len(traded)) if first else np.flatnonzero(traded)
        if not len(at):
            return None
        return Volume(at.astype(np.int32), self._volume[at].copy(), ts=now, recv=now)

    def quote(self, second: int, spot: float, now: int) -> Quotes | None:
        """The quotes that are renewed in this second."""
        script = self._script
        rng = self._quote_rng
        every = np.array([s.every_s for s in script.series])[self._series]
        # Series take turns, so that no second is busier than the others.
        due = (second + self._series) % every == 0
        if second == 0:
            due[:] = True
        freeze = rng.random(len(due)) < script.frozen_share / 30.0
        self._frozen_until[freeze] = now + 30 * NS
        fair = self._fair(spot, now)
        half = _half_spread(fair, self._strike, self._sign, spot)
        tick = np.where(fair < 3.0, 0.05, 0.10)
        bid = np.maximum(np.floor((fair - half) / tick + 1e-9), 0.0) * tick
        ask = np.maximum(np.ceil((fair + half) / tick - 1e-9) * tick, bid + tick)
        with np.errstate(invalid="ignore"):
            left = np.abs(fair - 0.5 * (self._bid + self._ask)) > 0.6 * half
        changed = (bid != self._bid) | (ask != self._ask)
        unknown = np.isnan(self._bid)
        renew = due & (unknown | (changed & left & (self._frozen_until <= now)))
        at = np.flatnonzero(renew)
        if not len(at):
            return None
        self._bid[at], self._ask[at] = bid[at], ask[at]
        if second and rng.random() < script.crossed_per_minute / 60.0:
            one = int(at[rng.integers(len(at))])
            self._bid[one] = self._ask[one] + tick[one]
        bid_size, ask_size = (np.ceil(rng.lognormal(3.2, 0.8, len(at))) for _ in range(2))
        return Quotes(
            contract=at.astype(np.int32),
            bid=np.round(self._bid[at], 2),
            ask=np.round(self._ask[at], 2),
            bid_size=np.where(self._bid[at] > 0, bid_size, 0.0),
            ask_size=ask_size,
            ts=np.full(len(at), now, np.int64),
            recv=now,
        )


def _half_spread(fair: F64, strike: F64, sign: F64, spot: float) -> F64:
    """Half the spread, points: narrow at the money, wide for what is mostly intrinsic."""
    inside = np.maximum(sign * (spot - strike), 0.0)
    value = np.maximum(fair - inside, 0.0)
    return np.asarray(0.02 + 0.012 * value + 0.45 * (1.0 - np.exp(-inside / 40.0)), np.float64)


def _spots(script: Script, rng: np.random.Generator) -> NDArray[np.float64]:
    """The path with noise that returns to it; two decimals, as an index is published."""
    at, level = zip(*script.path, strict=True)
    seconds = np.arange(script.seconds + 1)
    smooth = PchipInterpolator(at, level)(np.minimum(seconds, at[-1]))
    back = 0.02
    shocks = rng.normal(0.0, script.noise * np.sqrt(2 * back), len(seconds))
    noise = np.zeros(len(seconds))
    for i in range(1, len(seconds)):
        noise[i] = (1.0 - back) * noise[i - 1] + shocks[i]
    return np.asarray(np.round(smooth + noise, 2), np.float64)


def _contracts(script: Script) -> Iterator[Contract]:
    for series in script.series:
        first = np.ceil(script.last_close * (1 - series.below) / series.step)
        last = np.floor(script.last_close * (1 + series.above) / series.step)
        for strike in np.arange(first, last + 1) * series.step:
            for right in Right:
                yield Contract(series.root, series.expiry, right, float(strike))
