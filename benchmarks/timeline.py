"""What a frame of the timeline and of the expiries costs, in a real pty of 160×48.

CPU time of the monitor's process over the frames that it painted, as in `ladder`. A whole day is
kept already, and 24 expiries are listed, each with a smile of 240 strikes that is answered anew
once a second. Two markets: one at its own pace, and a replay at 200 times it, in which the day
grows by a row with most frames.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pexpect

from benchmarks.harness import Row, at_most
from gexterm.reading.inquiry import Inquiries, Smile
from gexterm.reading.model import Reading

WIDTH, HEIGHT, HZ = 160, 48, 10.0
FRAMES, WARMUP, REPEATS = 45, 10, 2
BAR_MS = 6.0
EXPIRIES = 24


def readings(pace: float, count: int = 80) -> list[Reading]:
    """Readings to show in turn, after a day of 350 minutes."""
    from tests.ui.fakes import CLOSE, NS, OPEN, reading

    base = reading(view="combined", mode="live")
    made = []
    for i in range(count):
        at = OPEN + 350 * 60 * NS + round(i / HZ * pace * NS)
        lines = tuple(
            replace(
                base.expiries[0], expiry=f"2026-{11 + n // 12:02}-{20 + n % 8:02}", root=f"R{n}",
                settles_at=CLOSE + n * 86_400 * NS, years=(n + 0.1) / 365, atm_iv=0.12 + 0.004 * n,
                gex_per_1pct=1e9 * np.sin(n + i / 9), charm_per_day=1e8 * np.cos(n + i / 9),
            )
            for n in range(EXPIRIES)
        )  # fmt: skip
        made.append(
            replace(base, as_of=at, spot=6012.0 + 3 * np.sin(i / 5), expiries=lines, sequence=i)
        )
    return made


class Answers:
    """Smiles, made at once."""

    async def smile(self, expiry: str, root: str) -> Smile:
        """One of 240 strikes, another each time."""
        strikes = np.arange(5400.0, 6600.0, 5.0)
        fit = 0.13 - 0.5 * (strikes / 6012 - 1) + np.random.default_rng().normal(0, 1e-4)
        age = np.full(len(strikes), 0.5)
        return Smile(0, expiry, root, 6012.0, 0.13, 0.01, "svi", strikes, fit - 0.003, fit + 0.003,
                     fit, age, 0.02, 5950.0, 6070.0)  # fmt: skip


def child(screen: str, pace: float, result: str) -> None:
    """Runs inside the pty: show frames, measure, leave."""
    from gexterm.ui.app import MonitorApp
    from tests.ui.fakes import NS, OPEN, FakeSession

    class Session(FakeSession):
        async def readings(self) -> AsyncIterator[Reading]:
            made = readings(pace)
            begun = (0.0, 0.0, 0)
            for turn, found in enumerate(made):
                self.day.note(found)
                yield found
                await asyncio.sleep(1 / HZ)
                if turn == WARMUP:
                    begun = (time.process_time(), time.perf_counter(), app.painted)
                if turn == WARMUP + FRAMES:
                    spent = (
                        time.process_time() - begun[0],
                        time.perf_counter() - begun[1],
                        app.painted - begun[2],
                    )
                    Path(result).write_text(json.dumps(spent), encoding="utf-8")  # noqa: ASYNC240
                    app.exit()

    session = Session("live")
    session.inquire = cast("Inquiries", Answers())  # no other question is asked
    first = readings(1.0, 1)[0]
    for half in range(700):
        at = OPEN + half * 30 * NS
        session.day.note(replace(first, as_of=at, spot=6000.0 + 12 * np.sin(half / 40)))
    app = MonitorApp(session, screen=screen, fps=min(60.0, HZ * 1.5), glow_s=0.0)
    app.run()


def measure(screen: str, pace: float) -> tuple[float, float]:
    """CPU ms per frame, and the share of a core."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        process = pexpect.spawn(
            sys.executable,
            ["-m", "benchmarks.timeline", screen, str(pace), str(result)],
            dimensions=(HEIGHT, WIDTH),
            timeout=60,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
        )
        while True:
            try:
                process.read_nonblocking(65536, 1.0)
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                break
        process.close()
        cpu, wall, frames = json.loads(result.read_text(encoding="utf-8"))
    return 1000 * cpu / frames, cpu / wall


def run() -> list[Row]:
    """Both screens, at the pace of the market and in a fast replay."""
    rows = []
    for screen in ("timeline", "expiries"):
        for pace, told in ((1.0, "live"), (200.0, "replay ×200")):
            cpu, core = min(measure(screen, pace) for _ in range(REPEATS))
            name = f"{screen} {WIDTH}x{HEIGHT}, {HZ:g} Hz, {told}"
            rows.append(at_most(f"{name}: CPU", cpu, BAR_MS, "ms/frame"))
            rows.append(Row("  of one core", 100 * core, "%"))
    return rows


if __name__ == "__main__":
    child(sys.argv[1], float(sys.argv[2]), sys.argv[3])
