"""A market with a tape: the synthetic chain, and prints at its quotes."""

from __future__ import annotations

import datetime as dt

import numpy as np

from gexterm.clock import NS
from gexterm.engine.engine import Engine
from gexterm.engine.settings import EngineSettings
from gexterm.market.calendar import at_et
from gexterm.market.contracts import Contract, Right
from gexterm.market.events import Definitions, Quotes, SourceInfo, Trades
from gexterm.reading.model import Reading
from tests.engine.market import DATE, SPOT, flat_chain

TEN = at_et(DATE, dt.time(10, 0))
MINUTE = 60 * NS
CHAIN = flat_chain(TEN)
CONTRACTS: tuple[Contract, ...] = next(e.contracts for e in CHAIN if isinstance(e, Definitions))
QUOTES = next(e for e in CHAIN if isinstance(e, Quotes))


def index_of(away: float, right: Right, expiry: dt.date = DATE, root: str = "SPXW") -> int:
    """The contract whose strike is so far from spot."""
    return CONTRACTS.index(Contract(root, expiry, right, SPOT + away))


def prints(*wanted: tuple[int, int, float], at: int = TEN) -> Trades:
    """Prints of (contract, customer's side, size), a second apart, at the bid or the offer."""
    who = np.array([contract for contract, _, _ in wanted], np.int32)
    side = np.array([customer for _, customer, _ in wanted])
    ts = at + NS * (1 + np.arange(len(wanted), dtype=np.int64))
    return Trades.of(
        who,
        np.where(side > 0, QUOTES.ask[who], QUOTES.bid[who]),
        np.array([size for _, _, size in wanted]),
        ts,
        recv=int(ts[-1]),
        sequence=(ts - TEN) // NS,
        condition=np.full(len(wanted), ord("I")),
    )


def filled(**settings: str) -> Engine:
    """An engine that has seen the chain, of a feed with a tape."""
    made = Engine(EngineSettings(**settings))  # type: ignore[arg-type]
    made.apply(SourceInfo("SPX", "synthetic", "simulated", begins=TEN, conditions="opra"))
    for event in CHAIN:
        made.apply(event)
    return made


def tick(engine: Engine, minutes: float = 5.0) -> Reading:
    job = engine.job(TEN + round(minutes * MINUTE))
    assert job is not None
    return engine.compute(job)
