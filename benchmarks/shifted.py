"""gexterm as it runs, at another time of the clock: `python -m benchmarks.shifted NS COMMAND …`.

Only the clock on the wall is another one, so that a live session can be had when the market
is shut. With GEXTERM_BENCH_REPORT a file gets, once a second, what only the process knows:
frames dropped, Readings made and skipped, CPU of garbage collection, the loop's lateness.
With GEXTERM_BENCH_STALLS another gets the stacks of all threads whenever the loop is late.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import threading
import time
import traceback
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np

from gexterm import clock


def shift(offset_ns: int) -> None:
    """Have the clock on the wall show another time."""

    def now_ns(_self: clock.SystemClock) -> int:
        return time.time_ns() + offset_ns

    clock.SystemClock.now_ns = now_ns  # type: ignore[method-assign]


class Watch:
    """Writes down how a live session fares, once a second."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._pauses: list[float] = []
        self._began = 0.0
        gc.callbacks.append(self._collected)

    def _collected(self, phase: str, info: dict[str, Any]) -> None:
        if phase == "start":
            self._began = time.thread_time()
        elif info.get("generation", 0) >= 1:
            self._pauses.append(1e3 * (time.thread_time() - self._began))

    def _sizes(self, session: Any) -> dict[str, float]:
        """What is known to grow, MB: the signed tape, and the look-back of half an hour."""
        engine = session._core.engine if session._core else None
        if engine is None:
            return {"tape_mb": 0.0, "moments_mb": 0.0}
        return {
            "tape_mb": size_of(engine.signer) / 1e6,
            "moments_mb": size_of(engine._memory.history) / 1e6,
        }

    async def run(self, session: Any) -> None:
        lines: list[str] = []
        late = 0.0
        written = sized = time.monotonic()
        sizes = self._sizes(session)
        while True:
            begun = time.monotonic()
            await asyncio.sleep(0.01)
            late = max(late, time.monotonic() - begun - 0.01)
            if time.monotonic() - written < 1.0:
                continue
            written = time.monotonic()
            runner, report = session._runner, session.report
            reading = session.newest
            recorder = session._recording
            if written - sized >= 10.0:
                sized = written
                sizes = self._sizes(session)
            pauses, self._pauses = self._pauses, []
            lines = [
                json.dumps(
                    {
                        "at": written,
                        **sizes,
                        "cpu": time.process_time(),
                        "frozen": gc.get_freeze_count(),
                        "late_ms": 1e3 * late,
                        "gc_ms": max(pauses, default=0.0),
                        "gc_all_ms": sum(pauses),
                        "waiting": runner.waiting if runner else 0,
                        "frames": runner.counters.frames if runner else 0,
                        "rows": runner.counters.rows if runner else 0,
                        "dropped": runner.counters.dropped if runner else 0,
                        "report_dropped": report.dropped if report else -1,
                        "report_gaps": report.gaps if report else -1,
                        "quoted": report.quoted if report else 0,
                        "printed": report.printed if report else 0,
                        "sequence": reading.sequence if reading else 0,
                        "tick_ms": reading.health.tick_ms if reading else 0.0,
                        "prints": reading.positions.prints if reading else 0,
                        "skipped": session.skipped,
                        "lost_rows": recorder.lost_rows if recorder else -1,
                        "trouble": recorder.trouble if recorder else "",
                        "scope": reading.scope if reading else "",
                        "state": session.status.state,
                    }
                )
            ]
            late = 0.0
            with Path(self._path).open("a", encoding="utf-8") as file:  # noqa: ASYNC230
                file.write(lines[0] + "\n")


def size_of(root: Any) -> int:
    """Bytes of all arrays that can be reached, spare room included."""
    seen: set[int] = set()
    total = 0
    wait: list[Any] = [root]
    while wait:
        here = wait.pop()
        if id(here) in seen or isinstance(here, str | bytes | int | float | type | None):
            continue
        seen.add(id(here))
        if isinstance(here, np.ndarray):
            base = here
            while isinstance(base.base, np.ndarray):
                base = base.base
            if id(base) not in seen or base is here:
                seen.add(id(base))
                total += base.nbytes
        elif isinstance(here, list | tuple | set | deque):
            if len(here) < 5_000:
                wait += here
        elif isinstance(here, dict):
            if len(here) < 5_000:
                wait += here.values()
        else:
            wait += getattr(here, "__dict__", {}).values()
            for kind in type(here).__mro__:
                names = getattr(kind, "__slots__", ())
                wait += [getattr(here, n, None) for n in names if isinstance(names, tuple)]
    return total


STALLED_S = 0.06
"""How late the loop must be for its stack to be written down, seconds."""


def stalls(path: str) -> None:
    """Write down where the main thread is, and the others, whenever the loop is late."""
    beat = [time.monotonic()]

    def look() -> None:
        main = threading.main_thread().ident
        told = 0.0
        while True:
            time.sleep(0.01)
            late = time.monotonic() - beat[0]
            if late < STALLED_S or told == beat[0]:
                continue
            told = beat[0]
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(f"late {1e3 * late:.0f} ms\n")
                for thread, frame in sys._current_frames().items():
                    if thread != threading.get_ident():
                        name = "main" if thread == main else "thread"
                        stack = traceback.extract_stack(frame)[-14 if name == "main" else -3 :]
                        steps = [f"{Path(f.filename).name}:{f.name}:{f.lineno}" for f in stack]
                        file.write(f"  {name}: {' > '.join(steps)}\n")

    from gexterm.session.live import LiveSession

    enter = LiveSession.__aenter__

    async def beating() -> None:
        while True:
            beat[0] = time.monotonic()
            await asyncio.sleep(0.01)

    async def entered(self: LiveSession) -> LiveSession:
        made = await enter(self)
        self._tasks.append(asyncio.create_task(beating()))
        threading.Thread(target=look, daemon=True).start()
        return made

    LiveSession.__aenter__ = entered  # type: ignore[method-assign]


def watch(path: str) -> None:
    """Have every live session written about."""
    from gexterm.session.live import LiveSession

    enter = LiveSession.__aenter__

    async def entered(self: LiveSession) -> LiveSession:
        made = await enter(self)
        watching = asyncio.create_task(Watch(path).run(self))
        self._tasks.append(watching)
        return made

    LiveSession.__aenter__ = entered  # type: ignore[method-assign]


def main() -> None:
    shift(int(sys.argv.pop(1)))
    if path := os.environ.get("GEXTERM_BENCH_REPORT"):
        watch(path)
    if path := os.environ.get("GEXTERM_BENCH_STALLS"):
        stalls(path)
    from gexterm.cli.main import run

    sys.argv[0] = "gexterm"
    run()


if __name__ == "__main__":
    main()
