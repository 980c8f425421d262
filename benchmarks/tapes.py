"""A whole session with a tape: memory over a million prints, and a recorded day read through."""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.harness import Row, at_most
from benchmarks.inferred import prints
from benchmarks.reading import AS_OF, chain
from gexterm.clock import NS
from gexterm.config import Settings
from gexterm.engine.oneshot import reading_of_recording
from gexterm.market.events import Quotes, SourceInfo
from gexterm.recording.reader import Recording
from gexterm.simulator.library import find_script
from gexterm.simulator.run import record

PRINTS, QUOTES, SECONDS = 1_000_000, 10_000_000, 500


def _rss() -> float:
    """Bytes resident now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return float(pages * resource.getpagesize())


def memory() -> list[Row]:
    """Through the engine, a tick a second; the columns of the tape are all that may grow."""
    engine = chain(2, 300, 5.0)
    engine.apply(SourceInfo("SPX", "benchmark", "simulated", conditions="opra"))
    assert engine.signer is not None
    engine.signer.define(len(engine.chain), engine.chain.contracts)
    rng = np.random.default_rng(3)
    many = QUOTES // SECONDS
    rows = engine.chain.rows(AS_OF)
    order = np.argsort(rows.layout.contract.ravel())
    bid, ask = rows.bid.ravel()[order], rows.ask.ravel()[order]
    size = np.full(many, 10.0)
    begin = used = 0.0
    for second in range(SECONDS):
        now = AS_OF + second * NS
        who = rng.integers(0, len(engine.chain), many).astype(np.int32)
        ts = now + np.sort(rng.integers(0, NS, many))
        engine.apply(Quotes(who, bid[who], ask[who], size, size, ts, recv=now + NS))
        engine.apply(prints(engine, PRINTS // SECONDS, now, NS, second + 1))
        job = engine.job(now + NS)
        assert job is not None
        engine.compute(job)
        if second == SECONDS // 10:
            begin, used = _rss(), float(len(engine.signer.tape))
    tape = engine.signer.tape
    grown = _rss() - begin
    columns = sum(getattr(tape, name).itemsize for name in tape._whole) * (len(tape) - used)
    return [
        Row("columns of a million prints", columns / (len(tape) - used), "MB"),
        Row("memory grown by 0.9 M prints and 9 M quotes", grown / 1e6, "MB"),
        at_most("  by the columns of those prints", grown / columns, 1.5, "x"),
    ]


def day() -> list[Row]:
    """What `gexterm levels` does with a recording of a whole day, without the imports."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "day.gexrec"
        record(find_script("calibrated-day"), path)
        with Recording(path) as recording:
            begin = time.process_time()
            reading = reading_of_recording(recording, Settings(), view="combined")
            spent = time.process_time() - begin
    name = f"a day with {reading.positions.prints:,} prints, read through, CPU"
    return [Row(name, spent, "s")]


def run() -> list[Row]:
    return memory() + day()
