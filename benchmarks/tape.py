"""What it costs to keep the tape and to find the quote in force.

Prints of 3,000 contracts, numbered upwards as a vendor does; the same prints once more, as
after a reconnect; and a tape in which three of a thousand are taken back by price and size.
Quotes: 20,000 a second beside 2,000 prints every 100 ms, a window of 5 s; and one day's
worth in one go, beside `polars.join_asof` on the same columns.
"""

from __future__ import annotations

import time

import numpy as np
import polars as pl

from benchmarks.harness import Row, at_least, at_most, medians
from gexterm.dealers.inforce import QuoteLog
from gexterm.dealers.tape import Tape
from gexterm.market.events import Quotes, Trades

S = 1_000_000_000
START = 1_700_000_000 * S
PRINTS, CONTRACTS = 400_000, 3_000
QUOTES, ASKED = 2_000_000, 400_000


def _prints(cancels: float = 0.0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    columns = {
        "contract": rng.integers(0, CONTRACTS, PRINTS).astype(np.int32),
        "price": rng.choice(np.arange(1, 200) * 0.05, PRINTS),
        "size": rng.choice([1.0, 1.0, 2.0, 5.0, 10.0], PRINTS),
        "ts": START + np.sort(rng.integers(0, 6 * 3600 * S, PRINTS)),
        "sequence": np.arange(PRINTS) * 3,
        "condition": np.full(PRINTS, ord("I"), np.int16),
    }
    taken_back = np.flatnonzero(rng.random(PRINTS) < cancels)
    taken_back = taken_back[taken_back > 5_000]
    source = taken_back - rng.integers(1, 5_000, len(taken_back))
    for name in ("contract", "price", "size"):
        columns[name][taken_back] = columns[name][source]
    columns["condition"][taken_back] = ord("A")
    return columns


def _batches(columns: dict[str, np.ndarray], size: int, most: int) -> list[Trades]:
    return [
        Trades.of(**{name: column[at : at + size] for name, column in columns.items()})
        for at in range(0, min(most, PRINTS), size)
    ]


def _fill(batches: list[Trades], tape: Tape | None = None) -> Tape:
    tape = Tape() if tape is None else tape
    for batch in batches:
        tape.take(batch, "opra", CONTRACTS)
    return tape


def _quotes(count: int, begin: int, span: int, rng: np.random.Generator) -> Quotes:
    bid = rng.uniform(0.0, 10.0, count)
    ts = begin + np.sort(rng.integers(0, span, count)) - rng.integers(0, S // 50, count)
    who = rng.integers(0, CONTRACTS, count).astype(np.int32)
    return Quotes(who, bid, bid + 0.1, bid, bid, ts.astype(np.int64))


def _live() -> tuple[float, float]:
    """Median and 99th percentile of taking 2,000 quotes and asking for 2,000 prints, ms."""
    rng = np.random.default_rng(2)
    log, took = QuoteLog(), []
    for step in range(400):
        begin = START + step * S // 10
        quotes = _quotes(2_000, begin, S // 10, rng)
        who = rng.integers(0, CONTRACTS, 2_000).astype(np.int32)
        ts = begin + rng.integers(0, S // 10, 2_000)
        before = time.perf_counter()
        log.take(quotes)
        log.asof(who, ts)
        took.append(1e3 * (time.perf_counter() - before))
    steady = np.array(took[100:])
    return float(np.median(steady)), float(np.percentile(steady, 99))


def run() -> list[Row]:
    columns = _prints()
    rows = []
    for size, bar in ((100, 1.0), (1_000, 1.0), (100_000, 0.5)):
        batches = _batches(columns, size, 1_000 * size)
        count = sum(len(batch.ts) for batch in batches)
        full = _fill(batches)
        took = medians(
            {
                "first": lambda b=batches: _fill(b),
                "again": lambda b=batches, t=full: _fill(b, t),
            },
            runs=5,
            warmup=1,
        )
        name = f"tape, batches of {size:,}"
        rows.append(at_most(name, 1e6 * took["first"] / count, bar, "µs/print"))
        rows.append(Row(f"{name}, all come again", 1e6 * took["again"] / count, "µs/print"))
    tape = _fill(_batches(columns, 1_000, PRINTS))
    needed = len(tape) * sum(column.itemsize for column in tape._whole.values())
    rows.append(at_most("tape, bytes of all by bytes of its rows", tape.nbytes / needed, 1.4, "x"))
    with_cancels = _batches(_prints(cancels=0.003), 1_000, PRINTS)
    took = medians({"cancels": lambda: _fill(with_cancels)}, runs=3, warmup=1)
    rows.append(
        Row("tape, 0.3 % taken back by likeness", 1e6 * took["cancels"] / PRINTS, "µs/print")
    )
    median, worst = _live()
    rows.append(at_most("quotes in force, 2,000 quotes and 2,000 prints", median, 5.0, "ms"))
    rows.append(Row("the same, 99th percentile", worst, "ms"))
    return rows + _one_off()


def _one_off() -> list[Row]:
    rng = np.random.default_rng(3)
    quotes = _quotes(QUOTES, START, 6 * 3600 * S, rng)
    who = rng.integers(0, CONTRACTS, ASKED).astype(np.int32)
    ts = START + np.sort(rng.integers(0, 6 * 3600 * S, ASKED))

    def ours() -> object:
        log = QuoteLog(None)
        log.take(quotes)
        return log.asof(who, ts)

    names = ("bid", "ask", "bid_size", "ask_size")

    def theirs() -> object:
        right = pl.DataFrame(
            {"who": quotes.contract, "ts": quotes.ts + 1} | {n: getattr(quotes, n) for n in names}
        )
        left = pl.DataFrame({"who": who, "ts": ts})
        return left.join_asof(right.sort("ts"), on="ts", by="who", check_sortedness=False)

    took = medians({"ours": ours, "theirs": theirs}, runs=3, warmup=1)
    return [
        Row(f"{ASKED:,} prints on {QUOTES:,} quotes", took["ours"], "s"),
        Row("the same, polars.join_asof (all cores)", took["theirs"], "s"),
        at_least("as fast as polars, times", took["theirs"] / took["ours"], 0.5, "x"),
    ]
