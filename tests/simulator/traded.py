"""A stretch of a synthetic day as customers traded it, and how rules score on it."""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from tclf.classical_classifier import ClassicalClassifier

from gexterm.simulator.customers import EMPTY, Customers
from gexterm.simulator.market import Market
from gexterm.simulator.script import FlowScript, Intent, Mix, Script, Trap
from gexterm.simulator.step import Listing, Prints, Step

F64 = NDArray[np.float64]

GRAUER = [
    ("trade_size", "ex"),
    ("quote", "best"),
    ("quote", "ex"),
    ("depth", "best"),
    ("depth", "ex"),
    ("rev_tick", "all"),
]
"""The stack of Grauer, Schuster & Uhrig-Homburg in tclf's names; one exchange lists SPX."""
_FEATURES = (
    ["trade_price", "trade_size"]
    + [f"{side}_{where}" for where in ("ex", "best") for side in ("bid", "ask")]
    + [f"{side}_size_{where}" for where in ("ex", "best") for side in ("bid", "ask")]
    + ["price_all_lag", "price_all_lead"]
)


@dataclass(frozen=True, repr=False)
class Traded:
    script: Script
    listing: Listing
    steps: list[Step]
    seconds: list[Prints]
    prints: Prints
    spot: F64
    """Index at each print. Shape (k,)."""
    quote: F64
    """Quote in force just before each print. Shape (4, k)."""
    fair: F64
    """Fair value at each print. Shape (k,)."""


def script(
    minutes: int = 10,
    *,
    seed: int = 1,
    intent: Intent = "BofA",
    chain: str = "small",
    flow: FlowScript | None = None,
    begins: dt.time = dt.time(10, 0),
) -> Script:
    ends = (dt.datetime.combine(dt.date.min, begins) + dt.timedelta(minutes=minutes)).time()
    return Script(
        name="test",
        title="test",
        seed=seed,
        intent=intent,
        chain=chain,
        begins=begins,
        ends=ends,
        flow=flow or FlowScript(contracts=2e6),
    )


def together(parts: list[Prints]) -> Prints:
    names = [f.name for f in fields(Prints)]
    return Prints(*(np.concatenate([getattr(p, n) for p in [EMPTY, *parts]]) for n in names))


@functools.lru_cache(maxsize=16)
def trade(asked: Script) -> Traded:
    market = Market(asked)
    customers = Customers(asked, market.listing, np.random.default_rng(asked.seed + 1))
    steps = [market.step(second) for second in range(market.seconds)]
    seconds = [customers.trade(step, asked.intent) for step in steps]
    quotes = [s.quote_at(p.contract, p.ts) for s, p in zip(steps, seconds, strict=True)]
    return Traded(
        script=asked,
        listing=market.listing,
        steps=steps,
        seconds=seconds,
        prints=together(seconds),
        spot=np.repeat([s.spot for s in steps], [len(p.ts) for p in seconds]),
        quote=np.concatenate(quotes, axis=1),
        fair=np.concatenate([s.fair[p.contract] for s, p in zip(steps, seconds, strict=True)]),
    )


def traded(
    minutes: int = 10,
    *,
    seed: int = 1,
    intent: Intent = "BofA",
    mix: Mix = "calibrated",
    trap: Trap = "",
    tilt: float = 0.15,
    contracts: float = 2e6,
    chain: str = "small",
) -> Traded:
    flow = FlowScript(mix=mix, contracts=contracts, tilt=tilt, trap=trap)
    return trade(script(minutes, seed=seed, intent=intent, chain=chain, flow=flow))


def other_prices(contract: NDArray[np.int32], price: F64) -> F64:
    """The last different price of the same contract before each print; NaN none."""
    out = np.full(len(price), np.nan)
    last: dict[int, float] = {}
    before: dict[int, float] = {}
    for i, (c, p) in enumerate(zip(contract.tolist(), price.tolist(), strict=True)):
        if c in last and last[c] != p:
            before[c] = last[c]
        last[c] = p
        out[i] = before.get(c, np.nan)
    return out


def accuracy(day: Traded, *rules: tuple[str, str]) -> float:
    """Share of customers' prints, percent, whose side tclf's rules find."""
    prints, (bid, ask, bid_size, ask_size) = day.prints, day.quote
    lag = other_prices(prints.contract, prints.price)
    lead = other_prices(prints.contract[::-1], prints.price[::-1])[::-1]
    sides = [bid, ask, bid, ask, bid_size, ask_size, bid_size, ask_size]
    table = np.column_stack([prints.price, prints.size, *sides, lag, lead, lag])
    names = [*_FEATURES, "price_best_lag"]
    rule = ClassicalClassifier(list(rules), features=names, strategy="random").fit(table)
    own = prints.customer != 0
    return 100.0 * float(np.mean(rule.predict(table)[own] == prints.customer[own]))
