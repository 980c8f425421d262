"""Short simulated days with their truth, to measure against."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gexterm.dealers.inforce import InForce, QuoteLog
from gexterm.dealers.tape import Tape
from gexterm.market.events import Definitions, Event, Quotes, Trades
from gexterm.simulator.run import simulate
from gexterm.simulator.script import FlowScript, Script
from gexterm.simulator.truth import About, TrueBook, Truth
from tests.simulator import made

SEED = 7301
TWELVE = made.script(12, seed=SEED, at=dt.time(14, 0), intent="GEX")
"""Twelve minutes of an afternoon: some 2,500 prints in a hundred contracts."""


def true_book(truth: Truth) -> TrueBook:
    """What a truth file would hold."""
    assert truth.listing is not None
    assert truth.opening is not None
    about = About(format=1, script="", seed=0, gexterm="")
    return TrueBook(about, truth.listing.contracts, truth.opening, truth.prints)


def lively(intent: str, seed: int, minutes: int, at: dt.time, **changes: Any) -> Script:
    """A stretch in which customers want one paradigm."""
    # A quarter of what a whole day adds: the book has its shape from the first minute.
    flow = FlowScript(contracts=400_000.0, tilt=0.15, opening_inventory=0.25 * 390.0 / minutes)
    return made.script(minutes, at=at, seed=seed, intent=intent, flow=flow, **changes)


@dataclass(frozen=True, repr=False)
class Heard:
    """What a tape looks like to a rule: prints in force, with the quote before each."""

    tape: Tape
    rows: NDArray[np.int64]
    quote: InForce
    customer: NDArray[np.int8]
    """Who began each in truth: +1 a buyer, −1 a seller, 0 nobody."""


def hear(script: Script) -> Heard:
    """The tape of a script as it comes over the wire, joined with quotes in force."""
    truth, log, tape, known = Truth(), QuoteLog(None), Tape(), 0
    event: Event
    for event in simulate(script, truth):
        if isinstance(event, Definitions):
            known += len(event.contracts)
        elif isinstance(event, Quotes):
            log.take(event)
        elif isinstance(event, Trades):
            tape.take(event, "opra", known)
    rows = tape.live()
    order = np.argsort(truth.prints["sequence"], kind="stable")
    at = order[np.searchsorted(truth.prints["sequence"][order], tape.sequence[rows])]
    np.testing.assert_array_equal(truth.prints["sequence"][at], tape.sequence[rows])
    quote = log.asof(tape.contract[rows], tape.ts[rows])
    return Heard(tape, rows, quote, truth.prints["customer"][at])


def busier(script: Script, contracts: float) -> Script:
    """The same with another volume."""
    return dataclasses.replace(script, flow=dataclasses.replace(script.flow, contracts=contracts))
