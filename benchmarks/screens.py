"""What each screen costs at ten updates a second: `python -m benchmarks screens`.

The monitor in a real pty of 160×48 with all colours, in a process that does nothing but show.
The Readings are computed before, from a bundled sample feed that has a tape, each a second of
the market after the one before: as in the demo at ten times its speed, so that nearly every
number moves in every frame. Half a day lies behind them. What screens ask (curves, outlook,
smile, tape) is answered by the real engine on a thread of the same process: that is the work
of answering and not of showing, told apart by the clock of that thread, and included in the
share of a core. The other rows are CPU time of the process too, which a busy machine bends less.

Two floors of the same run: Textual doing nothing, and one widget that is repainted whole.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import pexpect

from benchmarks.harness import Row, at_most

if TYPE_CHECKING:
    from gexterm.engine.compose import Last
    from gexterm.engine.engine import Engine
    from gexterm.reading.day import DayLog
    from gexterm.reading.inquiry import Curves, Outlook, Smile, Suppose, Supposed, TapeTail
    from gexterm.reading.model import Reading

WIDTH, HEIGHT = 160, 48
HZ = 10.0
WARMUP_S, MEASURE_S, STALL_S = 2.0, 6.0, 2.5
SAMPLE, SHOWN_FROM_S, STEP_S, COUNT = "gex-target", 40 * 60.0, 1.0, 110
DAYS_BEFORE = 6
"""The sample's forty minutes are laid before themselves so often: a day to draw."""
BAR = 10.0
SHOWN = (
    "desk", "profile", "timeline", "heatmap", "expiries", "tape", "views", "health", "start",
)  # fmt: skip
FLOORS = ("nothing", "whole")
NS = 1_000_000_000


@dataclass
class Market:
    """What there is to show, and whom to ask about it."""

    readings: list[Reading] = field(default_factory=list)
    lasts: list[Last] = field(default_factory=list)
    day: DayLog = field(default_factory=lambda: _new_day())
    engine: Engine | None = None


def _new_day() -> DayLog:
    from gexterm.reading.day import DayLog

    return DayLog()


def prepare() -> Market:
    """Readings of a sample feed, a second apart, and the day before them."""
    from gexterm.config import Settings
    from gexterm.engine.counts import feed_counts
    from gexterm.engine.grid import TickGrid
    from gexterm.engine.oneshot import engine_for
    from gexterm.market.events import FeedReport, SourceInfo
    from gexterm.recording.reader import Recording
    from gexterm.recording.samples import find_sample

    market = Market()
    recording = Recording(find_sample(SAMPLE).path)
    engine = market.engine = engine_for(Settings(), recording.info.underlying, None, None)
    begins = recording.begins + round(SHOWN_FROM_S * NS)
    before: list[Reading] = []
    coarse, fine = TickGrid(30 * NS), TickGrid(round(STEP_S * NS))
    for event in recording.events():
        if isinstance(event, FeedReport):
            continue
        if not isinstance(event, SourceInfo):
            due, now = coarse.due(event), fine.due(event)
            due = now if now >= begins else due
            job = engine.job(due, feed_counts(None, math.nan)) if due else None
            if job is not None:
                reading = engine.compute(job)
                if due < begins:
                    before.append(reading)
                else:
                    assert engine.last is not None
                    market.readings.append(reading)
                    market.lasts.append(engine.last)
        engine.apply(event)
        if len(market.readings) >= COUNT:
            break
    for turn in range(DAYS_BEFORE, -1, -1):
        back = turn * round(SHOWN_FROM_S * NS)
        for reading in before:
            market.day.note(replace(reading, as_of=reading.as_of - back) if turn else reading)
    return market


class Asked:
    """`reading.inquiry.Inquiries` on threads, as a session's, and what they took."""

    def __init__(self, market: Market) -> None:
        from gexterm.engine.inquiry.inquirer import Inquirer

        assert market.engine is not None
        self._inquirer = Inquirer(market.engine)
        self.spent = 0.0
        """CPU seconds of threads so far."""

    async def _on_thread(self, ask: Callable[[], Any]) -> Any:
        def timed() -> Any:
            began = time.thread_time()
            try:
                return ask()
            finally:
                self.spent += time.thread_time() - began

        return await asyncio.to_thread(timed)

    async def supposed(self, suppose: Suppose) -> Supposed:
        found: Supposed = await self._on_thread(lambda: self._inquirer.supposed(suppose))
        return found

    async def curves(self, suppose: Suppose) -> Curves:
        found: Curves = await self._on_thread(lambda: self._inquirer.curves(suppose))
        return found

    async def smile(self, expiry: str, root: str) -> Smile:
        found: Smile = await self._on_thread(lambda: self._inquirer.smile(expiry, root))
        return found

    async def outlook(self, greek: str) -> Outlook:
        found: Outlook = await self._on_thread(lambda: self._inquirer.outlook(greek))
        return found

    async def tape(self, count: int, least_size: float = 0.0) -> TapeTail:
        return self._inquirer.tape(count, least_size)


class _Written:
    """Counts what a Textual driver sends to its terminal."""

    def __init__(self, driver: Any) -> None:
        self.bytes = 0
        send = driver.write

        def write(data: str) -> None:
            self.bytes += len(data.encode("utf-8", "replace"))
            send(data)

        driver.write = write


class Sampler:
    """Where CPU time goes: the stack at every millisecond of it."""

    def __init__(self) -> None:
        self.own: Counter[str] = Counter()
        self.below: Counter[str] = Counter()
        self.taken = 0

    def start(self) -> None:
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)

    def stop(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0.0)

    def _look(self, _signal: int, frame: FrameType | None) -> None:
        self.taken += 1
        seen: set[str] = set()
        while frame is not None:
            code = frame.f_code
            name = f"{code.co_qualname if hasattr(code, 'co_qualname') else code.co_name}"
            where = f"{name}  {'/'.join(code.co_filename.split('/')[-2:])}"
            if not seen:
                self.own[where] += 1
            if where not in seen:
                seen.add(where)
                self.below[where] += 1
            frame = frame.f_back

    def text(self) -> str:
        """The functions that took most, by themselves and with what they called."""
        total = max(self.taken, 1)
        parts = []
        for title, counted in (("by themselves", self.own), ("with what they call", self.below)):
            parts += [f"{title}, % of {total} looks"]
            parts += [f"{100 * n / total:6.1f}  {where}" for where, n in counted.most_common(70)]
        return "\n".join(parts) + "\n"


async def _stall(seconds: float) -> float:
    """The most that the loop was late within so long, ms."""
    worst, end = 0.0, time.monotonic() + seconds
    while (now := time.monotonic()) < end:
        await asyncio.sleep(0.005)
        worst = max(worst, time.monotonic() - now - 0.005)
    return 1e3 * worst


def _write(path: str, text: str) -> None:
    Path(path).write_text(text, encoding="utf-8")


def child(screens: list[str], result: str, profile: str = "") -> None:
    """Runs inside the pty: each screen in turn, measured."""
    from gexterm.ui.app import MonitorApp
    from tests.ui.fakes import FakeSession

    market = prepare()
    found: dict[str, dict[str, float]] = {}

    class Session(FakeSession):
        async def readings(self) -> AsyncIterator[Reading]:
            begin, turn = time.monotonic(), 0
            while True:
                at = turn % len(market.readings)
                assert market.engine is not None
                market.engine.last = market.lasts[at]
                self.day.note(market.readings[at])
                yield market.readings[at]
                turn += 1
                # By the clock: sleeping for a tenth after each would make fewer than ten.
                await asyncio.sleep(max(0.0, begin + turn / HZ - time.monotonic()))

    session = Session()
    first = market.readings[0]
    session.day, session.view = market.day, first.positions.view
    session.info = replace(session.info, underlying=first.underlying)
    asked = session.inquire = Asked(market)

    async def measured(app: MonitorApp) -> None:
        assert app._driver is not None
        written = _Written(app._driver)
        sampler = Sampler()
        for name in screens:
            app.go(name)
            await asyncio.sleep(WARMUP_S)
            if profile:
                sampler.start()
            cpu, wall, frames, answers, sent = (
                time.process_time(), time.monotonic(), app.painted, asked.spent, written.bytes,
            )  # fmt: skip
            await asyncio.sleep(MEASURE_S)
            cpu, wall = time.process_time() - cpu, time.monotonic() - wall
            frames, answers = app.painted - frames, asked.spent - answers
            sent = written.bytes - sent
            sampler.stop()
            stall = await _stall(STALL_S)
            before = written.bytes
            for widget in app.screen.query("*"):
                widget.refresh()
            app.screen.refresh()
            await asyncio.sleep(0.05)
            found[name] = {
                "cpu": cpu, "wall": wall, "frames": frames, "answers": answers, "sent": sent,
                "stall": stall, "whole": written.bytes - before,
            }  # fmt: skip
        if profile:
            _write(profile, sampler.text())
        _write(result, json.dumps(found))
        app.exit()

    # Its timer runs a little faster than Readings come, so that each is painted.
    app = MonitorApp(session, fps=1.5 * HZ)

    async def work() -> None:
        running = asyncio.create_task(app.run_async())
        while not app.painted and not running.done():  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.05)
        # In the app's own context: Textual looks for the app there.
        app.call_later(lambda: app.run_worker(measured(app), exit_on_error=True))
        await running
        if app.crash is not None:
            raise app.crash

    asyncio.run(work())


def floor(kind: str, result: str) -> None:
    """Runs inside the pty: Textual at ten updates a second, with nothing of ours."""
    from rich.text import Text
    from textual.app import App, ComposeResult
    from textual.widgets import Static

    styles = ("#4d96d6", "#d97757", "#c8ccd4", "#808690")

    def page(turn: int) -> Text:
        text = Text()
        for y in range(HEIGHT):
            for x in range(WIDTH // 10):
                text.append(f"{(turn * 7919 + 31 * y + x) % 99999999:>9} ", styles[(x + y) % 4])
            text.append("\n")
        return text

    class Floor(App[None]):
        CSS = "Static { width: 100%; height: 100%; }"

        def compose(self) -> ComposeResult:
            yield Static(page(0))

        async def on_mount(self) -> None:
            self.turn = 0
            self.set_interval(1.0 / HZ, self.again)
            self.run_worker(self.measured())

        def again(self) -> None:
            self.turn += 1
            if kind == "whole":
                self.query_one(Static).update(page(self.turn))

        async def measured(self) -> None:
            written = _Written(self._driver)
            await asyncio.sleep(WARMUP_S)
            cpu, wall, frames = time.process_time(), time.monotonic(), self.turn
            sent = written.bytes
            await asyncio.sleep(MEASURE_S)
            cpu, wall = time.process_time() - cpu, time.monotonic() - wall
            frames, sent = self.turn - frames, written.bytes - sent
            stall = await _stall(STALL_S)
            found = {"cpu": cpu, "wall": wall, "frames": frames, "sent": sent, "stall": stall,
                     "answers": 0.0, "whole": 0}  # fmt: skip
            _write(result, json.dumps({kind: found}))
            self.exit()

    Floor().run()


def spawn(*arguments: str, patience_s: float = 300.0) -> dict[str, dict[str, float]]:
    """Run a child in a pty that is read all the time; what it found."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result.json"
        process = pexpect.spawn(
            sys.executable,
            ["-m", "benchmarks.screens", "--result", str(result), *arguments],
            dimensions=(HEIGHT, WIDTH),
            timeout=60,
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
        )
        end, tail = time.monotonic() + patience_s, b""
        while time.monotonic() < end:
            try:
                tail = (tail + process.read_nonblocking(65536, 1.0))[-4000:]
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                break
        process.close(force=True)
        if not result.exists():
            raise RuntimeError(f"it never came to its end: {tail!r}")
        found: dict[str, dict[str, float]] = json.loads(result.read_text(encoding="utf-8"))
        return found


def rows_of(name: str, one: dict[str, float], *, bar: bool = True) -> list[Row]:
    """What one screen cost, as lines of the report."""
    share, frames = 100 * one["cpu"] / one["wall"], max(one["frames"], 1)
    shown = one["cpu"] - one["answers"]
    head = f"{name}: share of a core"
    return [
        at_most(head, share, BAR, "%") if bar else Row(head, share, "%"),
        Row(f"  of it answers, {one['frames'] / one['wall']:.1f} frames a second",
            100 * one["answers"] / one["wall"], "%"),
        Row("  CPU a frame, without answers", 1e3 * shown / frames, "ms"),
        Row(f"  sent a frame (all of it anew: {one['whole'] / 1e3:.1f} kB)",
            one["sent"] / frames / 1e3, "kB"),
        Row("  the loop late, most", one["stall"], "ms"),
    ]  # fmt: skip


def run(screens: tuple[str, ...] = SHOWN) -> list[Row]:
    """The floors, then every screen."""
    rows: list[Row] = []
    titles = {"nothing": "an empty Textual app", "whole": "one widget repainted whole"}
    for kind in FLOORS:
        rows += rows_of(titles[kind], spawn("--floor", kind)[kind], bar=False)
    for name, one in spawn(*screens).items():
        rows += rows_of(name, one)
    return [*rows, Row("load average of the machine", os.getloadavg()[0], "")]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("screens", nargs="*", default=list(SHOWN))
    parser.add_argument("--result", default="", help="used by the process that shows")
    parser.add_argument("--floor", default="", choices=("", *FLOORS))
    parser.add_argument("--profile", default="", help="a file for where the time went")
    chosen = parser.parse_args()
    if chosen.floor:
        floor(chosen.floor, chosen.result)
    elif chosen.result:
        child(chosen.screens, chosen.result, chosen.profile)
    else:
        extra = ("--profile", chosen.profile) if chosen.profile else ()
        for name, one in spawn(*extra, *chosen.screens).items():
            for row in rows_of(name, one):
                print(f"  {row.name:<52} {row.value:>10.4g} {row.unit:<6} {row.bar}")


if __name__ == "__main__":
    main()
