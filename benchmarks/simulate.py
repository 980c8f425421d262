"""What `gexterm simulate` costs: a whole day of some 3,000 contracts, with everything.

Market, customers, dealer, tape, recording and truth, once. The bar is about a minute.
Seconds are the processor's, whatever else the machine does.
"""

from __future__ import annotations

import dataclasses
import tempfile
import time
from pathlib import Path

from benchmarks.harness import Row, at_most
from gexterm.simulator.library import find_script
from gexterm.simulator.run import record
from gexterm.simulator.truth import read_truth

STEERED = {"target": "hit", "breach": "none", "intent": "GEX"}


def run() -> list[Row]:
    day = find_script("calibrated-day")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "day.gexrec"
        begin = time.process_time()
        made = record(day, path, truth=True)
        spent = time.process_time() - begin
        begin = time.process_time()
        contracts = len(read_truth(path).contracts)
        read = time.process_time() - begin
        begin = time.process_time()
        led = record(dataclasses.replace(day, **STEERED), path, truth=True, force=True)
        spent_led = time.process_time() - begin
    name = f"a whole day, medium chain ({contracts:,} contracts), recorded with its truth"
    return [
        at_most(name, spent, 60.0, "s"),
        at_most("the same, spot led to a target and kept off a line", spent_led, 60.0, "s"),
        Row("prints of that day", float(made.prints), ""),
        Row("its recording", made.bytes / 1e6, "MB"),
        Row("its recording, led", led.bytes / 1e6, "MB"),
        Row("reading the truth and that it belongs to the recording", 1e3 * read, "ms"),
    ]
