"""Small scripts that are quick to simulate."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from gexterm.market.events import Event, UnderlyingPrice
from gexterm.simulator.run import simulate
from gexterm.simulator.script import FlowScript, QuoteScript, Script, Series, SpotScript
from gexterm.simulator.truth import Truth

CHAIN = (
    Series("SPXW", 0, 5.0, 0.02, 0.02, 2400.0, 0.8),
    Series("SPX", 29, 50.0, 0.10, 0.08, 5000.0, 0.2),
)
"""About a hundred contracts of today, and a few of next month."""


def script(minutes: int = 10, *, at: dt.time = dt.time(15, 0), **changes: Any) -> Script:
    """A stretch of an afternoon, with a lively customer flow."""
    ends = (dt.datetime.combine(dt.date(2026, 11, 19), at) + dt.timedelta(minutes=minutes)).time()
    made = Script(
        name="short",
        title="Some minutes",
        seed=11,
        begins=at,
        ends=ends,
        chain=CHAIN,
        spot=SpotScript(jumps=0.0),
        quotes=QuoteScript(flicker_hz=0.5),
        flow=FlowScript(contracts=400_000.0, tilt=0.3),
    )
    return dataclasses.replace(made, **changes)


def run(made: Script) -> tuple[list[Event], Truth]:
    """All events of a script, and the truth."""
    truth = Truth()
    return list(simulate(made, truth)), truth


def spots(events: list[Event], since: int = 0) -> list[float]:
    """Prices of the index after a time."""
    return [e.price for e in events if isinstance(e, UnderlyingPrice) and e.ts > since]
