"""A whole Reading, events to frames: 24,000 contracts over 50 expiries, and 600 of one expiry."""

from __future__ import annotations

import datetime as dt
import math
import statistics
import time

import numpy as np

from benchmarks.harness import Row, at_most
from gexterm.clock import NS
from gexterm.engine.engine import Engine
from gexterm.engine.settings import EngineSettings
from gexterm.market.calendar import at_et, is_session
from gexterm.market.contracts import Contract, Right
from gexterm.market.events import Definitions, OpenInterest, Quotes, SourceInfo, UnderlyingPrice
from gexterm.market.settlement import expiry_of
from gexterm.pricing.black import price

DATE = dt.date(2026, 11, 13)
AS_OF = at_et(DATE, dt.time(11, 0))
SPOT = 6700.0


def dates(count: int) -> list[dt.date]:
    """Sessions: every one for five weeks, then one a week."""
    found, day = [DATE], DATE
    while len(found) < count:
        day += dt.timedelta(days=1 if len(found) < 25 else 7)
        while not is_session(day):
            day += dt.timedelta(days=1)
        found.append(day)
    return found


def chain(expiries: int, strikes: int, step: float) -> Engine:
    """An engine that has heard a chain with a skewed smile and ticks of five cents."""
    contracts: list[Contract] = []
    forward, strike, years, sigma, sign = [], [], [], [], []
    ladder = SPOT + step * (np.arange(strikes) - strikes // 2)
    for date in dates(expiries):
        t = max(60.0, (expiry_of("SPXW", date).settles_at - AS_OF) / 1e9) / (365 * 86400)
        for k in ladder:
            z = math.log(k / SPOT) / (0.14 * math.sqrt(t))
            for right in Right:
                contracts.append(Contract("SPXW", date, right, float(k)))
                strike.append(float(k))
                years.append(t)
                forward.append(SPOT)
                sigma.append(0.14 * math.sqrt(1.0 + 0.05 * z * z - 0.12 * max(-3.0, min(3.0, z))))
                sign.append(right.sign)
    n = len(contracts)
    value = price(
        np.array(forward), np.array(strike), np.array(years), np.ones(n), np.array(sigma),
        np.array(sign),
    )  # fmt: skip
    bid = np.floor(value / 0.05) * 0.05
    rng = np.random.default_rng(1)
    index = np.arange(n, dtype=np.int32)
    engine = Engine(EngineSettings(scope="all"))
    engine.apply(SourceInfo("SPX", "benchmark", "simulated"))
    engine.apply(Definitions(0, tuple(contracts)))
    engine.apply(UnderlyingPrice(SPOT, AS_OF))
    engine.apply(
        Quotes(index, bid, bid + 0.05, np.full(n, 10.0), np.full(n, 10.0),
               np.full(n, AS_OF, np.int64))
    )  # fmt: skip
    engine.apply(OpenInterest(index, rng.integers(0, 5000, n).astype(float), AS_OF))
    return engine


def tick_ms(engine: Engine, every_ns: int, ticks: int = 60) -> list[float]:
    """Milliseconds of each of many ticks in a row, warm."""
    took = []
    for i in range(ticks + 10):
        begin = time.perf_counter()
        job = engine.job(AS_OF + i * every_ns)
        assert job is not None
        engine.compute(job)
        if i >= 10:
            took.append((time.perf_counter() - begin) * 1e3)
    return took


def run() -> list[Row]:
    full, small = chain(50, 240, 10.0), chain(1, 300, 5.0)
    assert (len(full.chain), len(small.chain)) == (24_000, 600)
    live = tick_ms(full, NS // 10)
    anew = tick_ms(full, 10 * NS)
    zero = tick_ms(small, NS // 10)
    return [
        at_most("Reading, 24,000 contracts, 50 expiries, at 10 a second (median)",
                statistics.median(live), 8.0, "ms"),
        Row("  the same, mean (slow numbers are taken once a second)", statistics.mean(live), "ms"),
        Row("  the same, everything anew each time (median)", statistics.median(anew), "ms"),
        at_most("Reading, 600 contracts of 0DTE (median)", statistics.median(zero), 1.0, "ms"),
    ]  # fmt: skip
