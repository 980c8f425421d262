"""What a frame of the ladder and of the whole desk costs, in a real pty of 160×48.

CPU time of the monitor's process over the frames that it painted: taking the
Reading, laying out, painting, and writing to the terminal. The Readings are made
before, so that only the screen is measured. Two markets: a restless one, where
every number of every row changes in every frame, and a usual one, where spot moves
a little. Headless runs would leave out the writing and flatter by half.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pexpect

from benchmarks.harness import Row, at_most
from gexterm.reading.model import Reading

WIDTH, HEIGHT = 160, 48
FRAMES, WARMUP, REPEATS = 45, 10, 3
BAR_MS = 5.0


def readings(restless: bool, count: int = 24) -> list[Reading]:
    """Readings to show in turn."""
    from tests.ui.fakes import NS, OPEN, reading

    start = OPEN + 61 * 60 * NS
    if restless:
        return [reading(6012.35 + 0.4 * (i % 5), start + i * 20 * NS, seed=i) for i in range(count)]
    return [reading(6012.35 + 0.05 * i, start + i * NS // 10) for i in range(count)]


def child(part: str, hz: float, restless: bool, result: str) -> None:
    """Runs inside the pty: show frames, measure, leave."""
    from gexterm.ui.app import MonitorApp
    from tests.ui.fakes import FakeSession

    class Session(FakeSession):
        async def readings(self) -> AsyncIterator[Reading]:
            made = readings(restless)
            turn = 0
            begun = (0.0, 0.0, 0)
            while True:
                yield made[turn % len(made)]
                await asyncio.sleep(1 / hz)
                turn += 1
                if turn == 1 and part == "ladder":
                    for widget in app.desk.query("Painted"):
                        widget.display = widget is app.desk.ladder
                if turn == WARMUP:
                    begun = (time.process_time(), time.perf_counter(), app.painted)
                if turn == WARMUP + FRAMES:
                    cpu, wall, frames = (
                        time.process_time() - begun[0],
                        time.perf_counter() - begun[1],
                        app.painted - begun[2],
                    )
                    measured = json.dumps([cpu, wall, frames])
                    Path(result).write_text(measured, encoding="utf-8")  # noqa: ASYNC240 - at the end
                    app.exit()

    # The timer of the screen runs a little faster than Readings come: each is painted.
    app = MonitorApp(Session(), fps=min(60.0, hz * 1.5), glow_s=0.0)
    app.run()


def measure(part: str, hz: float, restless: bool) -> tuple[float, float, float, float]:
    """CPU ms per frame, frames per second, share of a core, kB per frame."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        process = pexpect.spawn(
            sys.executable,
            ["-m", "benchmarks.ladder", part, str(hz), str(int(restless)), str(result)],
            dimensions=(HEIGHT, WIDTH),
            timeout=60,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
        )
        sent = 0
        while True:
            try:
                sent += len(process.read_nonblocking(65536, 1.0))
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                break
        process.close()
        cpu, wall, frames = json.loads(result.read_text(encoding="utf-8"))
    return 1000 * cpu / frames, frames / wall, cpu / wall, sent / 1000 / (FRAMES + WARMUP)


def run() -> list[Row]:
    rows = []
    for part in ("ladder", "desk"):
        for restless in (False, True):
            market = "every number changes" if restless else "spot moves a little"
            for hz in (10.0, 30.0):
                # The least of several: a busy machine only ever adds.
                cpu, rate, core, sent = min(measure(part, hz, restless) for _ in range(REPEATS))
                name = f"{part} {WIDTH}x{HEIGHT}, {hz:g} Hz, {market}"
                rows.append(at_most(f"{name}: CPU", cpu, BAR_MS, "ms/frame"))
                rows.append(Row(f"  painted {rate:.1f}/s, sent {sent:.0f} kB; of one core",
                                100 * core, "%"))  # fmt: skip
    return rows


if __name__ == "__main__":
    child(sys.argv[1], float(sys.argv[2]), sys.argv[3] == "1", sys.argv[4])
