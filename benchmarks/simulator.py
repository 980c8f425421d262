"""What a synthetic market costs: its seconds, and the bytes of what it publishes.

The market alone, without customers: a second of truth and what a feed says of it. A whole
day of the medium chain (some 3,000 contracts) is to take half a minute at most, so that
with customers, tape and recording it takes about one. Seconds are medians of stretches of
a quarter of an hour that are spread over the day, so that the busy open and the narrow
last hour have their parts. They are the processor's, whatever else the machine does.

Bytes are those of 40 minutes of the small chain from 13:30, as most samples are: with
flicker as scripts have it unless they say otherwise, and with less of it. Prints come on
top.
"""

from __future__ import annotations

import datetime as dt
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.harness import Row, at_most
from gexterm.clock import ManualClock
from gexterm.market.events import SourceInfo
from gexterm.recording.writer import Writer
from gexterm.simulator.market import Market
from gexterm.simulator.script import QuoteScript, Script

DAY_S = 23_400
STRETCH_S = 900
BEGINS = (dt.time(9, 30), dt.time(12, 0), dt.time(15, 45))
THRIFTY = QuoteScript(flicker_hz=2.0, bursts=1, patience=0.5)
SCRIPT = Script("bench", "A day to be timed", 7)


def run() -> list[Row]:
    rows = []
    for chain, limit in (("small", 15.0), ("medium", 30.0), ("full", 150.0)):
        count, second = stretch(chain)
        name = f"market alone, {chain} chain ({count} contracts), a whole day"
        rows.append(at_most(name, second * DAY_S, limit, "s"))
    rows.append(Row("small chain, 40 min, as scripts have it", recorded(QuoteScript()), "MB"))
    rows.append(at_most("small chain, 40 min, thrifty", recorded(THRIFTY), 1.4, "MB"))
    return rows


def stretch(chain: str) -> tuple[int, float]:
    """Contracts, and seconds of ours per second of the market."""
    spent, count = [], 0
    for begins in BEGINS:
        market = Market(replace(SCRIPT, chain=chain, begins=begins))
        count = len(market.listing.contracts)
        begin = time.process_time()
        for second in range(min(STRETCH_S, market.seconds)):
            market.published(market.step(second))
        spent.append((time.process_time() - begin) / STRETCH_S)
    return count, statistics.mean(spent)


def recorded(quotes: QuoteScript) -> float:
    """Megabytes of 40 minutes, without prints."""
    script = replace(
        SCRIPT, chain="small", begins=dt.time(13, 30), ends=dt.time(14, 10), quotes=quotes
    )
    market = Market(script)
    info, *rest = market.opening_events()
    assert isinstance(info, SourceInfo)
    with tempfile.TemporaryDirectory() as folder:
        with Writer(Path(folder) / "day.gexrec", info, ManualClock(market.begins)) as writer:
            for event in rest:
                writer.write(event)
            for second in range(market.seconds + 1):
                for event in market.published(market.step(second)):
                    writer.write(event)
        return writer.bytes / 1e6
