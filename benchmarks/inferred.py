"""What the inferred book costs a tick, beside a convention on the same chain in the same run.

Chains of 24,000 and 600 contracts with 20,000 signed prints: ten ticks a second while spot
moves a little and prints come. Both engines hear the same events; one is read under the
inferred book with the four conventions beside it, the other has no tape. CPU time, medians.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import replace

import numpy as np

from benchmarks.harness import Row, at_most
from benchmarks.reading import AS_OF, SPOT, chain
from gexterm.clock import NS
from gexterm.engine.engine import Engine
from gexterm.market.events import Quotes, SourceInfo, Trades, UnderlyingPrice

PRINTS = 20_000
TICKS = 60
EVERY = NS // 10
_A_TICK = 20
"""Prints that come between two ticks: 200 a second."""


def pair(expiries: int, strikes: int, step: float, scope: str) -> tuple[Engine, Engine]:
    """An engine without a tape and one with, of one chain."""
    plain = chain(expiries, strikes, step)
    taped = chain(expiries, strikes, step)
    plain.settings = replace(plain.settings, view="auto", scope=scope)
    taped.settings = replace(taped.settings, view="combined", scope=scope)
    # What defines a tape comes first in a session: said anew, the chain stays.
    taped.apply(SourceInfo("SPX", "benchmark", "simulated", conditions="opra"))
    assert taped.signer is not None
    taped.signer.define(len(taped.chain), taped.chain.contracts)
    rows = taped.chain.rows(AS_OF)
    listed = rows.layout.contract.ravel()
    bid, ask = rows.bid.ravel(), rows.ask.ravel()
    order = np.argsort(listed)
    listed, bid, ask = listed[order].astype(np.int32), bid[order], ask[order]
    sizes = np.full(len(listed), 10.0)
    stamps = np.full(len(listed), AS_OF - NS, np.int64)
    taped.apply(Quotes(listed, bid, ask, sizes, sizes, stamps))
    taped.apply(prints(taped, PRINTS, AS_OF - NS // 2, NS // 4, 7))
    return plain, taped


def prints(engine: Engine, count: int, begin: int, span: int, seed: int) -> Trades:
    """Prints near the money, at the bid, the offer and between."""
    rng = np.random.default_rng(seed)
    rows = engine.chain.rows(begin)
    strike, expiry = rows.layout.strike, rows.layout.expiry
    weight = np.exp(-np.abs(strike / SPOT - 1.0) * 60.0) / (1.0 + expiry)
    row = rng.choice(len(strike), count, p=weight / weight.sum())
    right = rng.integers(0, 2, count)
    bid, ask = rows.bid[right, row], rows.ask[right, row]
    price = bid + (ask - bid) * rng.choice([0.0, 0.25, 0.5, 0.75, 1.0], count)
    return Trades.of(
        rows.layout.contract[right, row],
        np.maximum(price, 0.01),
        rng.integers(1, 60, count),
        np.sort(begin + rng.integers(0, span, count)),
        condition=np.full(count, ord("I")),
        sequence=np.arange(seed * 1_000_000, seed * 1_000_000 + count),
        recv=begin + span,
    )


def tick_ms(engines: dict[str, Engine], *, trading: bool, ticks: int = TICKS) -> dict[str, float]:
    """Median milliseconds of CPU a tick, `job` and `compute`; the engines take turns."""
    took: dict[str, list[float]] = {name: [] for name in engines}
    warm = 25
    for i in range(ticks + warm):
        as_of = AS_OF + i * EVERY
        spot = SPOT + 0.25 * (i % 8)
        for name, engine in engines.items():
            engine.apply(UnderlyingPrice(spot, as_of))
            if trading and engine.signer is not None:
                engine.apply(prints(engine, _A_TICK, as_of - EVERY, EVERY // 2, 100 + i))
            begin = time.process_time()
            job = engine.job(as_of)
            assert job is not None
            engine.compute(job)
            if i >= warm:
                took[name].append((time.process_time() - begin) * 1e3)
    return {name: statistics.median(each) for name, each in took.items()}


def run() -> list[Row]:
    rows = []
    for name, expiries, strikes, step, scope, slower, limit in (
        ("24,000 contracts", 50, 240, 10.0, "all", 2.0, None),
        ("24,000 contracts, scope 0DTE", 50, 240, 10.0, "0dte", 2.0, None),
        ("600 contracts of 0DTE", 1, 300, 5.0, "all", None, 6.0),
    ):
        plain, taped = pair(expiries, strikes, step, scope)
        quiet = tick_ms({"convention": plain, "inferred": taped}, trading=False)
        plain, taped = pair(expiries, strikes, step, scope)
        busy = tick_ms({"convention": plain, "inferred": taped}, trading=True)
        rows.append(Row(f"{name}: a convention", quiet["convention"], "ms"))
        for what, took in (("no print comes", quiet), ("200 prints a second", busy)):
            line = f"{name}: inferred, {what}"
            cost = took["inferred"]
            rows.append(
                Row(line, cost, "ms") if limit is None else at_most(line, cost, limit, "ms")
            )
            ratio = cost / took["convention"]
            if slower is not None:
                rows.append(at_most("  by the convention's", ratio, slower, "x"))
            else:
                rows.append(Row("  by the convention's", ratio, "x"))
    return rows
