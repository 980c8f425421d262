"""A synthetic market for the screen: Readings that look like an SPX 0DTE morning, and a session."""

from __future__ import annotations

import asyncio
import datetime as dt
import math
import zoneinfo
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from gexterm.alerts.model import Alert
from gexterm.errors import UsageError
from gexterm.market.events import FeedReport, FeedStatus, SourceInfo
from gexterm.reading.day import DayLog
from gexterm.reading.inquiry import Inquiries
from gexterm.reading.model import (
    Agreement,
    Band,
    BaseRate,
    Book,
    ExpiryLine,
    Gamma,
    GammaCrossing,
    Health,
    HedgeDay,
    Hedging,
    LookBack,
    Positions,
    Reading,
    Regime,
    Source,
    SpotVol,
    Tenor,
    View,
    ZeroDte,
)
from gexterm.session.model import RecordingState
from gexterm.snapshots.meta import Taken
from gexterm.snapshots.picture import Picture

NS = 1_000_000_000
OPEN = int(
    dt.datetime(2026, 11, 20, 9, 35, tzinfo=zoneinfo.ZoneInfo("America/New_York")).timestamp()
) * NS  # fmt: skip
CLOSE = OPEN + (6 * 60 + 25) * 60 * NS
VIEWS = (
    "combined", "flow", "customer-flow", "squeezemetrics", "short-both", "long-both",
)  # fmt: skip
INFERRED = ("combined", "flow")
SIGNS = {
    "combined": (-0.8, -0.7),
    "flow": (-0.4, -0.5),
    "customer-flow": (-1, 1),
    "squeezemetrics": (1, -1),
    "short-both": (-1, -1),
    "long-both": (1, 1),
}
LABELS = {
    "combined": "BofA",
    "flow": "BofA",
    "customer-flow": "Anti-GEX",
    "squeezemetrics": "GEX",
    "short-both": "BofA",
    "long-both": "Sidial",
}
WARNING = (
    "a fixed sign is an assumption: with open interest out of the money it can show one label only"
)


def _normal(x: np.ndarray) -> np.ndarray:
    return np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


def _cdf(x: np.ndarray) -> np.ndarray:
    return 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def table(spot: float, hours: float, view: str, seed: int = 7, low: int = 5700, high: int = 6300):
    """Strikes of one day's expiry with plausible sizes, and the standard deviation left."""
    rng = np.random.default_rng(seed)
    strike = np.arange(low, high + 1, 5, dtype=float)
    sigma = 13.0 * math.sqrt(max(hours, 1 / 60)) * spot / 6000
    round_ = np.where(strike % 50 == 0, 2.4, np.where(strike % 25 == 0, 1.5, 0.7))
    base = 700 * round_ * rng.lognormal(0, 0.5, strike.size)
    calls = base * np.exp(-(((strike - 6035) / 60) ** 2))
    puts = base * np.exp(-(((strike - 5985) / 75) ** 2)) * 1.15
    call_sign, put_sign = SIGNS[view]
    held = call_sign * calls + put_sign * puts
    sd = np.full(strike.size, np.nan)
    if view in INFERRED:
        # Signed trades lean one way and are noisy: some strikes are not known to have a side.
        held = held + 0.55 * base * rng.normal(0, 1, strike.size)
        sd = 0.30 * base + 25
    d = (spot - strike) / sigma
    gamma = _normal(d) / sigma
    later = 13.0 * math.sqrt(max(hours - 1, 1 / 60)) * spot / 6000
    charm = _cdf((spot - strike) / later) - _cdf(d)
    unit = 100 * spot
    gex = held * gamma * unit * spot * 0.01
    decay = (strike < spot) - _cdf(d)
    frame = pl.DataFrame(
        {
            "strike": strike,
            "call_oi": np.round(calls * 0.8),
            "put_oi": np.round(puts * 0.8),
            "call_volume": np.round(calls),
            "put_volume": np.round(puts),
            "position": np.round(held),
            "position_sd": np.round(sd),
            "position_prior": np.round(held),
            "position_flow": np.full(strike.size, np.nan),
            "gex": gex,
            "delta": held * _cdf(d) * unit,
            "vega": held * _normal(d) * math.sqrt(hours / 8760) * spot,
            "vanna": -held * d * _normal(d) * 0.02 * unit,
            "charm": held * charm * unit,
            "charm_day": held * charm * unit * 24,
            "decay": held * decay * unit,
            "gex_0dte": gex,
            "charm_0dte": held * charm * unit,
            "decay_0dte": held * decay * unit,
            "quote_age_s": np.where(np.abs(strike - spot) > 110, 400.0, 0.4),
        }
    )
    return frame, sigma


def reading(
    spot: float = 6012.35,
    at: int = OPEN + 61 * 60 * NS,
    view: str = "short-both",
    scope: str = "0dte",
    mode: str = "replay",
    seed: int = 7,
    sequence: int = 1,
    **changes: Any,
) -> Reading:
    """One plausible Reading; any field can be replaced."""
    hours = max(0.0, (CLOSE - at) / NS / 3600)
    strikes, sigma = table(spot, hours, view, seed)
    k, charm, gex = (strikes[c].to_numpy() for c in ("strike", "charm", "gex"))
    label = LABELS[view]
    below, above = charm[k < spot], charm[k > spot]
    lower, upper, target = math.nan, math.nan, math.nan
    if label == "BofA":
        lower, upper = k[k < spot][np.argmin(below)], k[k > spot][np.argmax(above)]
    elif label == "GEX":
        lower, target = 5965.0, 6040.0
    elif label == "Anti-GEX":
        upper, target = 6045.0, 5985.0
    else:
        target = 6015.0
    total = float(gex.sum())
    state = "long" if total > 0 else "short"
    looks = []
    for minutes in (5, 15, 30):
        then, _ = table(
            spot + 0.8 * minutes * math.sin(at / NS / 900), hours + minutes / 60, view, seed
        )
        looks.append(
            LookBack(
                minutes,
                {
                    c: then[c].to_numpy()
                    for c in ("gex", "charm", "vanna", "vega", "delta", "decay")
                },
            )
        )
    grid = np.linspace(spot * 0.96, spot * 1.04, 81)
    profile = np.array(
        [float(table(float(s), hours, view, seed)[0]["gex"].sum()) for s in grid[::8]]
    )
    profile = np.interp(grid, grid[::8], profile)
    zeros = np.flatnonzero(np.diff(np.sign(profile)) != 0)
    flip = float(min(grid[zeros], key=lambda s: abs(s - spot))) if zeros.size else math.nan
    kind = "crossing" if flip == flip else f"none ({state} everywhere)"
    totals = {v: float(table(spot, hours, v, seed)[0]["gex"].sum()) for v in VIEWS}
    views = tuple(
        View(
            v,
            totals[v],
            "long" if totals[v] > 0 else "short",
            flip if v == view or not v.endswith("both") else math.nan,
            LABELS[v],
            *((0.83, 0.97) if v in INFERRED else ()),
        )
        for v in sorted(VIEWS, key=lambda v: v != view)
    )  # fmt: skip
    built = Reading(
        underlying="SPX",
        as_of=at,
        spot=spot,
        scope=scope,
        source=Source("cboe-intervals", mode, 0.0, "one-minute bars"),
        positions=Positions(view, "volume", warning=WARNING),
        gamma=Gamma(
            gex_per_1pct=total, gex_0dte_per_1pct=total, state=state, flip=flip, flip_kind=kind,
            flips=(GammaCrossing(flip, True), GammaCrossing(6120.0, False)) if flip == flip else (),
            flip_distance=flip - spot, flip_distance_sigma=(flip - spot) / sigma,
            call_wall=float(k[np.argmax(strikes["call_volume"].to_numpy() * (k > spot))]),
            put_wall=float(k[np.argmax(strikes["put_volume"].to_numpy() * (k < spot))]),
            cumulative_flip=5840.0,
            profile_spot=grid, profile_gex=profile,
        ),
        book=Book(1.8e9, -4.1e6, 2.2e8, -5.3e8, 0.3, 0.6),
        zero_dte=ZeroDte(
            expiry="SPXW 2026-11-20", seconds_left=hours * 3600, sigma=sigma,
            charm_below=float(below.sum()), charm_above=float(above.sum()),
            charm_per_hour=float(charm.sum()), charm_gross=float(np.abs(charm).sum()),
            decay_to_close=float(strikes["decay"].sum()), excluded_share=0.118,
            paradigm=label, previous="Mixed", qualifier="PURE", since=at - 24 * 60 * NS,
            lis_lower=lower, lis_upper=upper, target=target,
            lis_lower_sigma=(lower - spot) / sigma, lis_upper_sigma=(upper - spot) / sigma,
            target_sigma=(target - spot) / sigma, placebo_inside=0.71,
        ),
        regime=Regime(
            state, "normal", "contango", "dampen" if state == "long" else "amplify",
            {"skew_ratio": 0.21, "skew_z": 0.3, "r_9_30": 0.91, "r_30_90": 0.88},
            {"state": "transition"},
        ),
        hedging=Hedging(-total, 0.9 * total, 3.1e8, -float(charm.sum())),
        agreement=Agreement(views, ("gamma", "paradigm")),
        expiries=tuple(
            ExpiryLine(d, "SPXW", "PM", CLOSE, 0.001, spot, 0.13, "svi", 480, total, 1e6, 1e8, 1e8)
            for d in ("2026-11-20", "2026-11-23", "2026-11-24")
        ),
        strikes=strikes,
        health=Health(0.93, 0.4, 4.1, 1, 12, 0, 4, 0, 0, 0, 0, 0, 0, 1240.0, 9.0),
        look_back=tuple(looks),
        spot_open=5987.2,
        sequence=sequence,
    )  # fmt: skip
    if view in INFERRED:
        built = with_bands(built)
    return replace(built, **changes)


def around(value: float, share: float) -> Band:
    """An 80 % band of so much of a number to either side."""
    return Band(value - share * abs(value), value + share * abs(value))


def with_bands(found: Reading) -> Reading:
    """What signed trades add to a Reading: bands, probabilities, evidence, a base rate."""
    zero, gamma, hedging = found.zero_dte, found.gamma, found.hedging
    flip = 6001.5
    views = tuple(
        replace(view, flip=flip + 40.0 * (view.view == "flow")) if view.view in INFERRED else view
        for view in found.agreement.views
    )
    return replace(
        found,
        agreement=replace(found.agreement, views=views, disagree=("gamma", "flip", "paradigm")),
        positions=Positions(
            found.positions.view, "trades",
            "squeezemetrics on open interest, today's expiry none"
            if found.positions.view == "combined" else "",
            OPEN - 5 * 60 * NS, 12_431, 0.71, 0.98, 0.38,
            {"at the quote": 0.40, "size of the quote": 0.12, "package": 0.09,
             "inside the quote": 0.06, "outside the quote": 0.02, "at mid, by depth": 0.02},
            {"at mid": 18_200.0, "cross": 4_100.0, "stale quote": 2_050.0, "late": 1_230.0},
            {"duplicates": 41, "cancelled": 17, "unmatched_cancels": 2, "unknown_condition": 3},
            "", 3, "this morning's book was 4 % of open interest off",
        ),
        gamma=replace(
            gamma, flip=flip, flip_kind="crossing", flips=(GammaCrossing(flip, True),),
            flip_distance=flip - found.spot, flip_distance_sigma=(flip - found.spot) / zero.sigma,
            gex_band=around(gamma.gex_per_1pct, 0.3), flip_band=Band(flip - 8.0, flip + 6.5),
            probability_short=0.97,
        ),
        book=replace(
            found.book, near=Tenor(-1.2e6, 1.8e8, -7e8), far=Tenor(-2.9e6, 4e7, -2.4e8),
            vega_band=Band(-5.1e6, -3.0e6), vanna_band=Band(-4.0e7, 4.6e8),
        ),
        zero_dte=replace(
            zero, probability={"BofA": 0.83, "GEX": 0.11, "Anti-GEX": 0.004, "Sidial": 0.02,
                               "Mixed": 0.036},
            charm_below_band=around(zero.charm_below, 0.25),
            charm_above_band=around(zero.charm_above, 0.35),
            charm_band=Band(zero.charm_per_hour - 7e7, zero.charm_per_hour + 7e7),
            decay_band=around(zero.decay_to_close, 0.4),
            lis_lower_band=Band(zero.lis_lower - 5, zero.lis_lower + 5),
            lis_upper_band=Band(zero.lis_upper - 5, math.nan), target_band=Band(),
            base_rate=BaseRate("closes inside the lines", 0.97, 73, "10:35", 0.51, 0.91,
                               "white paper 2023, table 3"),
        ),
        hedging=replace(
            hedging, up_band=around(hedging.per_up_1pct, 0.3),
            down_band=around(hedging.per_down_1pct, 0.3), vol_band=Band(-1.0e8, 7.2e8),
            hour_band=around(hedging.per_hour, 0.6),
        ),
        hedge_day=HedgeDay(OPEN - 5 * 60 * NS, 1.21e9, -3.1e8, 4.4e8, 41.0, 25.15),
        spot_vol=SpotVol(-1.10, 0.08, 0.71, 61, -0.90, 0.42),
    )  # fmt: skip


def in_doubt(found: Reading) -> Reading:
    """The same where hardly anything is sure: a trap, gamma of either sign, a label by a nose."""
    zero, gamma, held = found.zero_dte, found.gamma, found.positions
    return replace(
        found,
        positions=replace(
            held, signed_share=0.43, printed_share=0.61,
            trap="38 % of prints are at resting size and 94 % of those on one side: "
            "all of them may be signed the wrong way round",
        ),
        gamma=replace(
            gamma, gex_band=Band(-7.1e9, 2.2e9), flip_band=Band(5962.0, math.nan),
            probability_short=0.78,
        ),
        zero_dte=replace(
            zero, probability={"BofA": 0.47, "GEX": 0.31, "Anti-GEX": 0.02, "Sidial": 0.0,
                               "Mixed": 0.2},
            charm_below_band=Band(-3e8, 5e7), charm_above_band=Band(-1e7, 2.1e8),
            base_rate=replace(zero.base_rate, count=7) if zero.base_rate else None,
        ),
    )  # fmt: skip


class FakeSession:
    """A session that shows what it is told to: nothing behind it, everything remembered."""

    def __init__(self, mode: str = "replay", first: Reading | None = None) -> None:
        self.info = SourceInfo("SPX", "cboe-intervals", mode, 0.0, "", OPEN, CLOSE)
        self.status = FeedStatus("live")
        self.recording: RecordingState | None = None
        self.report: FeedReport | None = None
        self.views = VIEWS
        self.view = "short-both"
        self.scope = "0dte"
        self.replayable = mode == "replay"
        self.paused = False
        self.speed = 1.0
        self.asked: list[tuple[str, Any]] = []
        self.pictures: list[Picture] = []
        self.day = DayLog()
        self.inquire: Inquiries | None = None
        self.refuse = ""
        self.goal = 0
        self._readings: asyncio.Queue[Reading | None] = asyncio.Queue()
        self._alerts: asyncio.Queue[Alert | None] = asyncio.Queue()
        if first is not None:
            self.say(first)

    def say(self, what: Reading | Alert | None) -> None:
        """Send a Reading, an alert, or the end of the session."""
        if isinstance(what, Alert):
            self._alerts.put_nowait(what)
        else:
            if what is not None:
                self.day.note(what)
            self._readings.put_nowait(what)
            if what is None:
                self._alerts.put_nowait(None)

    def past(self, at: int) -> None:
        return None

    async def readings(self) -> AsyncIterator[Reading]:
        while (found := await self._readings.get()) is not None:
            while not self._readings.empty():
                found = self._readings.get_nowait()
                if found is None:
                    return
            yield found

    async def alerts(self) -> AsyncIterator[Alert]:
        while (found := await self._alerts.get()) is not None:
            yield found

    def _ask(self, what: str, value: Any = None) -> None:
        if self.refuse:
            raise UsageError(self.refuse)
        self.asked.append((what, value))

    def set_view(self, name: str) -> None:
        self._ask("view", name)
        self.view = name

    def set_scope(self, scope: str) -> None:
        self._ask("scope", scope)
        self.scope = scope

    def pause(self) -> None:
        self._ask("pause")
        self.paused = True

    def resume(self) -> None:
        self._ask("resume")
        self.paused = False

    def set_speed(self, speed: float) -> None:
        self._ask("speed", speed)
        self.speed = speed

    def seek(self, when_ns: int, through: bool = False) -> None:
        self._ask("through" if through else "seek", when_ns)

    def step(self, ticks: int) -> None:
        self._ask("step", ticks)
        self.paused = True

    async def snapshot(self, picture: Picture | None, reading: Reading, taken: Taken) -> Path:
        self._ask("snapshot")
        if picture is not None:
            self.pictures.append(picture)
        return Path("/kept/SPX-2026-11-20T103600.svg")


class MovingSession(FakeSession):
    """A session that goes on by itself: a seeded walk, one Reading every `every` seconds."""

    def __init__(self, mode: str = "replay", every: float = 0.1, seed: int = 3) -> None:
        super().__init__(mode)
        self._rng = np.random.default_rng(seed)
        self._every = every
        self.at = OPEN + 61 * 60 * NS
        self.spot = 6012.35

    async def readings(self) -> AsyncIterator[Reading]:
        number = 0
        while True:
            number += 1
            yield reading(
                self.spot, self.at, self.view, self.scope, self.info.mode, sequence=number
            )
            await asyncio.sleep(self._every)
            if not self.paused:
                self.at += int(self.speed * self._every * NS)
                self.spot += float(self._rng.normal(0, 0.35))

    async def alerts(self) -> AsyncIterator[Alert]:
        for minutes, kind, severity, text in (
            (-34, "feed restored", "warning", "41 s without quotes below 5,900; reconnected"),
            (-24, "paradigm changed", "notice", "paradigm Mixed → BofA"),
            (-1, "lis approached", "notice", "upper LIS 6,045 approached: 32 points, 1.1σ"),
        ):
            yield Alert(self.at + minutes * 60 * NS, kind, severity, text, math.nan, True)
        while True:
            yield await self._alerts.get()

    def seek(self, when_ns: int, through: bool = False) -> None:
        super().seek(when_ns, through)
        self.at = when_ns
