"""What answers on request cost: another market, curves, a smile, the hours to come, the tape.

Chains of 5,000 and 24,000 contracts over 10 and 50 expiries and one of 600 of 0DTE, read
under the inferred book with 20,000 signed prints; the tape has a million. CPU of one answer,
warm, medians.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np

from benchmarks.harness import Row, at_most
from benchmarks.inferred import pair
from benchmarks.reading import AS_OF, DATE
from gexterm.dealers.tape import Tape
from gexterm.engine.engine import Engine
from gexterm.engine.inquiry.inquirer import Inquirer
from gexterm.engine.inquiry.tape import TapeReader
from gexterm.market.events import Trades
from gexterm.reading.inquiry import Suppose

RUNS = 15
MILLION = 1_000_000
_BATCH = 50_000


def asked(expiries: int, strikes: int, step: float) -> tuple[Engine, Inquirer]:
    """An engine with a tape that has computed one Reading, and who is asked about it."""
    _, engine = pair(expiries, strikes, step, "all")
    job = engine.job(AS_OF)
    assert job is not None
    engine.compute(job)
    return engine, Inquirer(engine)


def cpu_ms(ask: Callable[[int], object]) -> float:
    """Median milliseconds of CPU of one answer; each is asked something else."""
    took = []
    for i in range(RUNS + 3):
        begin = time.process_time()
        ask(i)
        if i >= 3:
            took.append((time.process_time() - begin) * 1e3)
    return statistics.median(took)


def million(engine: Engine) -> Tape:
    """A tape of a million prints of one to sixty contracts."""
    rng = np.random.default_rng(3)
    tape, n = Tape(), len(engine.chain)
    for first in range(0, MILLION, _BATCH):
        ts = AS_OF + first + np.arange(_BATCH, dtype=np.int64)
        trades = Trades.of(
            rng.integers(0, n, _BATCH).astype(np.int32),
            np.full(_BATCH, 1.0),
            rng.integers(1, 60, _BATCH).astype(float),
            ts,
            sequence=np.arange(first, first + _BATCH),
            condition=np.full(_BATCH, ord("I")),
            recv=int(ts[-1]),
        )
        tape.take(trades, "opra", n)
    return tape


def run() -> list[Row]:
    rows = []
    for name, expiries, strikes, step, bars in (
        ("5,000 contracts", 10, 250, 10.0, (30.0, 30.0)),
        ("24,000 contracts", 50, 240, 10.0, (None, None)),
        ("600 contracts of 0DTE", 1, 300, 5.0, (15.0, 15.0)),
    ):
        engine, ask = asked(expiries, strikes, step)
        assert len(engine.chain) == 2 * expiries * strikes
        costs: dict[str, float] = {
            "the whole Reading supposed": cpu_ms(
                lambda i, ask=ask: ask.supposed(Suppose(-0.001 * (i + 1), 0.1 * i, 5.0 * i))
            ),
            "five exposures over spot, with zeros and bands": cpu_ms(
                lambda i, ask=ask: ask.curves(Suppose(0.0, 0.1 * i, 5.0 * i))
            ),
            "outlook to the close": cpu_ms(lambda _i, ask=ask: ask.outlook("charm")),
            "a smile": cpu_ms(lambda _i, ask=ask: ask.smile(DATE.isoformat(), "SPXW")),
        }
        for (what, cost), bar in zip(costs.items(), (*bars, None, None), strict=True):
            line = f"{name}: {what}"
            rows.append(Row(line, cost, "ms") if bar is None else at_most(line, cost, bar, "ms"))
    engine, _ = asked(1, 300, 5.0)
    assert engine.last is not None
    surface, tape, reader = engine.last.parts.surface, million(engine), TapeReader()
    for least, limit in ((0.0, 3.0), (59.0, 3.0)):
        cost = cpu_ms(
            lambda _i, least=least: reader.tail(
                tape, engine.chain.contracts, surface, AS_OF, 200, least
            )
        )
        rows.append(at_most(f"200 prints of {least:g} or more, of a million", cost, limit, "ms"))
    return rows
