"""Everything without a screen: what a completion costs, and a line of `gexterm watch`."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.harness import Row, at_most
from gexterm.config import Settings
from gexterm.engine.walk import readings
from gexterm.reading import fields
from gexterm.reading.export import to_json
from gexterm.reading.restore import from_json
from gexterm.recording.reader import Recording
from gexterm.recording.samples import find_sample
from gexterm.snapshots.compare import compare
from gexterm.snapshots.page import page
from gexterm.snapshots.shelf import shelf
from gexterm.snapshots.write import write_snapshot


def completion(words: str) -> float:
    """CPU seconds that a shell's question costs."""
    typed = words.split(" ")
    env = os.environ | {
        "_GEXTERM_COMPLETE": "bash_complete",
        "COMP_WORDS": "\n".join(typed),
        "COMP_CWORD": str(len(typed) - 1),
    }
    program = "import sys; sys.argv = ['gexterm']; from gexterm.cli.main import run; run()"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", program], env=env, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def cpu(work: object, times: int = 20) -> float:
    """Median CPU milliseconds of a call."""
    took = []
    for _ in range(times):
        begin = time.process_time()
        work()  # type: ignore[operator]
        took.append(time.process_time() - begin)
    return statistics.median(took) * 1e3


def run() -> list[Row]:
    shells = [completion("gexterm watch deribit : B") for _ in range(7)][2:]
    with Recording(find_sample("bofa").path) as recording:
        begin = time.process_time()
        found = list(readings(recording, Settings(), every_s=60.0))
        each = (time.process_time() - begin) / len(found) * 1e3
    last, first = found[-1], found[5]
    line = to_json(last)
    asked = fields.parse("as_of,spot,gamma.flip,zero_dte.paradigm")
    with TemporaryDirectory() as name:
        folder = Path(name)
        for _ in range(100):
            write_snapshot(folder, last, None)
        listing = cpu(lambda: shelf(folder), 5)
    return [
        at_most("a completion, CPU from the question to the answer",
                statistics.median(shells) * 1e3, 200.0, "ms"),
        Row("a Reading of a recorded minute with a tape (bofa), CPU", each, "ms"),
        at_most("  its line of JSON", cpu(lambda: to_json(last)), 5.0, "ms"),
        Row("  bytes of that line", float(len(line)), "B"),
        at_most("  four fields of it", cpu(lambda: fields.pick(last, asked)), 0.2, "ms"),
        Row("  and back from JSON", cpu(lambda: from_json(line)), "ms"),
        at_most("the page of a snapshot", cpu(lambda: page(last)), 10.0, "ms"),
        at_most("comparing two", cpu(lambda: compare(first, last)), 20.0, "ms"),
        at_most("listing 100 snapshots", listing, 100.0, "ms"),
    ]  # fmt: skip
