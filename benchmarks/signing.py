"""Signing the tape: a million prints against tclf, and a fast tape live.

The same prints with the same quotes, in turns. tclf is handed the next different price of
every print, which it does not work out itself; ours has to find it.
"""

from __future__ import annotations

import time
import warnings

import numpy as np

from benchmarks.harness import Row, at_least, at_most, medians
from gexterm.dealers import rules
from gexterm.dealers.evidence import Evidence
from gexterm.dealers.signer import Signer
from gexterm.dealers.single import judge
from gexterm.market.events import Quotes, Trades

MILLION = 1_000_000
CONTRACTS = 3_000
NOON = 1_794_502_800_000_000_000
RATE, BATCH_MS, LIVE_S = 20_000, 100, 10
QUOTE_RATE = 60_000
FEATURES = [
    "trade_price",
    "trade_size",
    "bid_ex",
    "ask_ex",
    "bid_size_ex",
    "ask_size_ex",
    "bid_best",
    "ask_best",
    "bid_size_best",
    "ask_size_best",
    "price_all_lead",
]
GRAUER = [
    ("trade_size", "ex"),
    ("quote", "best"),
    ("quote", "ex"),
    ("depth", "best"),
    ("depth", "ex"),
    ("rev_tick", "all"),
]


def tape(n: int, seed: int = 1) -> dict[str, np.ndarray]:
    """Prints with their quotes: at the quote, inside, at mid, a fifth of quoted size."""
    rng = np.random.default_rng(seed)
    bid = np.round(rng.integers(10, 400, n) * 0.05, 2)
    ask = np.round(bid + rng.integers(1, 8, n) * 0.05, 2)
    price = np.round(bid + (ask - bid) * rng.choice([0, 0, 0, 1, 1, 1, 0.5, 0.25, 0.75], n), 3)
    bid_size, ask_size = rng.integers(1, 120, (2, n)).astype(np.float64)
    size = np.where(rng.random(n) < 0.2, bid_size, rng.integers(1, 60, n))
    return {
        "contract": rng.integers(0, CONTRACTS, n).astype(np.int32),
        "price": price,
        "size": size,
        "ts": NOON + np.sort(rng.integers(0, 23_400_000_000, n)) * 1000,
        "bid": bid,
        "ask": ask,
        "bid_size": bid_size,
        "ask_size": ask_size,
    }


def million() -> list[Row]:
    from tclf.classical_classifier import ClassicalClassifier

    made = tape(MILLION)
    names = ("price", "size", "bid", "ask", "bid_size", "ask_size")
    price, size, bid, ask, bid_size, ask_size = (made[name] for name in names)
    contract, ts = made["contract"], made["ts"]
    _, lead = rules.neighbours(contract, price)
    quote = [bid, ask, bid_size, ask_size]
    table = np.column_stack([price, size, *quote, *quote, lead])
    theirs = ClassicalClassifier(layers=GRAUER, features=FEATURES, strategy="const").fit(table)

    def classified() -> np.ndarray:
        side, evidence = judge(price, size, bid, ask, bid_size, ask_size)
        open_ = np.flatnonzero(evidence == Evidence.MID)
        after = rules.next_ticks(contract, price, ts, open_, 2_000_000_000)
        side[open_] = rules.reverse_tick(price[open_], after)
        return side

    trades = Trades.of(
        contract,
        price,
        size,
        ts,
        bid=bid,
        ask=ask,
        bid_size=bid_size,
        ask_size=ask_size,
        condition=np.full(MILLION, ord("I")),
        sequence=np.arange(MILLION),
    )

    def signed() -> float:
        signer = Signer()
        signer.define(CONTRACTS)
        signer.trades(trades)
        signer.settle()
        return float(signer.flow().mean.sum())

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        took = medians(
            {"tclf": lambda: theirs.predict(table), "rules": classified, "signer": signed},
            runs=7,
            warmup=1,
        )
    return [
        Row("1 M prints, tclf's Grauer stack", took["tclf"] * 1e3, "ms"),
        Row("1 M prints, ours", took["rules"] * 1e3, "ms"),
        at_least("1 M prints, tclf / ours", took["tclf"] / took["rules"], 5.0, "x"),
        Row("1 M prints, tape, probabilities and sums too", took["signer"] * 1e3, "ms"),
        Row("tclf / that", took["tclf"] / took["signer"], "x"),
    ]


def live() -> list[Row]:
    """Prints and quotes in batches of 100 ms, signed and added up after each."""
    step, batches = BATCH_MS * 1_000_000, LIVE_S * 1000 // BATCH_MS
    rng = np.random.default_rng(2)
    many, quotes = RATE * BATCH_MS // 1000, QUOTE_RATE * BATCH_MS // 1000
    letters = np.array([ord(c) for c in "IIIIIIIaff"])
    low = rng.integers(20, 200, CONTRACTS) * 0.05
    stream: list[tuple[Quotes, Trades]] = []
    for b in range(batches):
        begin = NOON + b * step
        who = rng.integers(0, CONTRACTS, quotes).astype(np.int32)
        bid = np.round(low[who] + 0.05 * rng.integers(-1, 2, quotes), 2)
        sizes = rng.integers(1, 200, (2, quotes)).astype(np.float64)
        when = np.sort(begin + rng.integers(0, step, quotes))
        said = Quotes(who, bid, bid + 0.20, *sizes, when, recv=begin + step)
        traded = rng.integers(0, CONTRACTS, many).astype(np.int32)
        stream.append(
            (
                said,
                Trades.of(
                    traded,
                    np.round(low[traded] + 0.05 * rng.integers(0, 5, many), 2),
                    rng.integers(1, 40, many),
                    np.sort(begin + rng.integers(0, step, many)),
                    recv=begin + step,
                    condition=letters[rng.integers(0, len(letters), many)],
                    sequence=np.arange(b * many, (b + 1) * many),
                ),
            )
        )
    signer = Signer()
    signer.define(CONTRACTS)
    worst = 0.0
    begin = time.process_time()
    for said, traded in stream:
        started = time.process_time()
        signer.quotes(said)
        signer.trades(traded)
        signer.settle(traded.recv)
        signer.flow()
        worst = max(worst, time.process_time() - started)
    spent = time.process_time() - begin
    name = f"{RATE:,} prints and {QUOTE_RATE:,} quotes a second, share of a core"
    return [
        at_most(name, 100.0 * spent / LIVE_S, 50.0, "%"),
        Row("slowest batch of 100 ms", worst * 1e3, "ms"),
    ]


def run() -> list[Row]:
    return million() + live()
