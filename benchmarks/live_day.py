"""A day at speed: `python -m benchmarks.live_day --minutes 10`.

`gexterm live massive SPX` in a pty of 160×48, recording, on a venue that floods it: 20,000
events a second, bursts of 100,000 a second for 2 s. Said afterwards: whether every print
that was sent is in the recording, how memory went, how fast keys were answered.

Keys: a tour of every screen and of what can be done on each, a key about every half second and
oftener in the midst of a burst. From the key to what it did being on the screen.

Of 20,000 events 1,000 are prints, in a burst 5,000 of 100,000: far above what one underlying
has (SPX 30 to 65 prints a second over a day, twenty times that in a minute), so that losing
none is a statement.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pexpect

from benchmarks.flood import Parent
from benchmarks.harness import Row, at_most
from benchmarks.market import session_time

WIDTH, HEIGHT = 160, 48
RATE, SHARE = 20_000, 0.05
BURST_RATE, BURST_S = 100_000, 2.0
SIZE = 20_000
KEY = "a-key-of-massive-0123456789"
_DESK = b"0DTE PARADIGM"
TOUR: tuple[tuple[str, str, bytes], ...] = (
    ("to the profile", "2", b"THE BOOK"),
    ("spot higher", "\x1b[C", b"WHAT IF"),
    ("as it is", "r", b"what if"),
    ("to the timeline", "3", b"reads a moment"),
    ("to the heat map", "4", b"largest"),
    ("to the expiries", "5", b"in scope"),
    ("to the tape", "6", b"SIGNED"),
    ("rows of the tape", "\x1b[B", b"Home follows"),
    ("top of the tape", "\x1b[H", b"newest first"),
    ("to the views", "7", b"WHERE THEY PART"),
    ("to health", "8", b"QUOTE AGE BY STRIKE"),
    ("to the desk", "1", _DESK),
    ("help opened", "?", b"next chapter"),
    ("help closed", "?", _DESK),
    ("screen held", " ", b" HELD "),
    ("let go", " ", b"pause"),
    ("next greek", "g", b"vanna"),
    ("greek before", "G", b"charm"),
    ("alerts opened", "a", "─ alerts".encode()),
    ("alerts closed", "a", b"dealers' book"),
    ("next view", "v", b"sign view: "),
    ("view before", "V", b"sign view: "),
    ("next scope", "e", b"dealers' book"),
    ("scope before", "E", b"dealers' book"),
    ("palette opened", ":", b"earch for"),
    ("palette closed", "\x1b", _DESK),
)
"""What is done by which key, and what is sent to the screen once that is seen."""
_READY_S = 90.0


@dataclass
class Day:
    """What came of a run."""

    sent: dict[str, Any] = field(default_factory=dict)
    keys_ms: list[float] = field(default_factory=list)
    named_ms: list[tuple[str, float]] = field(default_factory=list)
    """What each of them did."""
    burst_keys_ms: list[float] = field(default_factory=list)
    idle_keys_ms: list[float] = field(default_factory=list)
    idle_named_ms: list[tuple[str, float]] = field(default_factory=list)
    memory: list[tuple[float, float]] = field(default_factory=list)
    """Seconds since the flood began, RSS in MB."""
    began: float = 0.0
    """When the flood began, on the machine's monotonic clock."""
    watched: list[dict[str, Any]] = field(default_factory=list)
    cpu_share: float = 0.0
    screen_bytes: int = 0
    lost: int = -1
    altered: int = -1
    recorded: int = -1
    recording_bytes: int = 0
    late_ms: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """From the time of a print to its receipt: median, 99th percentile, most."""
    quote_rows: int = 0
    load: float = 0.0


class Screen:
    """A pty that is read all the time; what matters is when which bytes came."""

    def __init__(self, environ: dict[str, str], *arguments: str) -> None:
        self.child = pexpect.spawn(
            sys.executable,
            list(arguments),
            dimensions=(HEIGHT, WIDTH),
            env={**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **environ},
            timeout=30,
        )
        self.child.delaybeforesend = None
        self.bytes = 0
        self.tail = b""

    def read(self, seconds: float) -> bool:
        """What comes within so long; False at the end."""
        try:
            data = self.child.read_nonblocking(1 << 18, max(seconds, 0.0))
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.bytes += len(data)
        self.tail = (self.tail + data)[-400_000:]
        return True

    def key(self, key: str, shows: bytes, patience_s: float = 5.0) -> float:
        """Press a key; ms until the screen shows it. Infinity: never."""
        self.tail = b""
        began = time.perf_counter()
        self.child.send(key)
        while time.perf_counter() - began < patience_s:
            if not self.read(0.05):
                break
            if shows in self.tail:
                return 1e3 * (time.perf_counter() - began)
        return float("inf")


def rss_mb(pid: int) -> float:
    """Resident memory of a process, MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return float("nan")


def cpu_s(pid: int) -> float:
    """CPU seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def bursts_of(seconds: float) -> list[list[float]]:
    """A burst every half minute, the first after ten seconds."""
    last = seconds - BURST_S - 5.0
    return [[float(at), BURST_S, BURST_RATE] for at in np.arange(10.0, max(last, 10.1), 30.0)]


def measure(seconds: float, folder: Path, *, scope: str = "all", more: tuple[str, ...] = ()) -> Day:
    """Run it. `folder` gets the recording and what was sent."""
    day = Day()
    offset = session_time(time.time_ns()) - time.time_ns()
    report = folder / "watched.jsonl"
    environ = {
        "MASSIVE_API_KEY": KEY,
        "XDG_DATA_HOME": str(folder / "data"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_STATE_HOME": str(folder / "state"),
        "GEXTERM_BENCH_REPORT": str(report),
        "TEXTUAL_ANIMATIONS": "none",
    }
    with Parent("massive", "--size", str(SIZE), "--offset", str(offset)) as flood:
        screen = Screen(
            environ,
            *("-m", "benchmarks.shifted", str(offset), "live", "massive", "SPX"),
            *("--url", f"ws://127.0.0.1:{flood.port}/options"),
            *("--rest-url", f"http://127.0.0.1:{flood.port}"),
            *("--expiry", scope, *more),
        )
        pid = screen.child.pid
        assert pid is not None
        try:
            _until_subscribed(flood, screen)
            for name, key, shows in TOUR:
                took = screen.key(key, shows)
                day.idle_named_ms.append((name, took))
                day.idle_keys_ms.append(took)
                _rest(screen, 0.2)
            bursts = bursts_of(seconds)
            flood.ask("run", rate=float(RATE), share=SHARE, seconds=float(seconds), bursts=bursts)
            _watch(day, screen, pid, seconds, bursts)
            while not (answer := flood.ask("ran"))["done"]:
                screen.read(0.05)
            day.sent = answer
            # What is under way still has to arrive and be written.
            end = time.monotonic() + 3.0
            while time.monotonic() < end:
                screen.read(0.05)
            flood.ask("save", path=str(folder / "sent.npz"))
            # Out of help, palette and alerts, wherever the tour has come to.
            for key in ("\x1b", "1", "q"):
                screen.child.send(key)
                _rest(screen, 0.5)
            end = time.monotonic() + 30.0
            while screen.read(0.1) and time.monotonic() < end:
                pass
        finally:
            (folder / "screen.txt").write_bytes(screen.tail)
            screen.child.close(force=True)
    day.screen_bytes = screen.bytes
    day.watched = [json.loads(line) for line in report.read_text().splitlines()]
    _compare(day, folder)
    return day


def _rest(screen: Screen, seconds: float) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and screen.read(min(left, 0.05)):
        pass


def _until_subscribed(flood: Parent, screen: Screen) -> None:
    end = time.monotonic() + _READY_S
    while time.monotonic() < end:
        if not screen.read(0.1):
            raise RuntimeError(f"the monitor ended: {screen.tail[-2000:]!r}")
        state = flood.ask("state")
        if state["printed"] >= SIZE and state["quoted"] >= 900:
            # The confirmations are read, the first Readings computed.
            settled = time.monotonic() + 3.0
            while time.monotonic() < settled:
                screen.read(0.1)
            return
    raise RuntimeError(f"it never subscribed: {flood.ask('state')} {screen.tail[-3000:]!r}")


def _watch(day: Day, screen: Screen, pid: int, seconds: float, bursts: list[list[float]]) -> None:
    rng = random.Random(1)
    begin, cpu = time.monotonic(), cpu_s(pid)
    day.began = begin
    day.load = os.getloadavg()[0]
    measured, due = 0.0, 0.5
    presses = itertools.cycle(TOUR)
    while (passed := time.monotonic() - begin) < seconds:
        if passed - measured >= 1.0:
            measured = passed
            day.memory.append((passed, rss_mb(pid)))
        if passed < due:
            if not screen.read(min(0.05, due - passed)):
                raise RuntimeError(f"the monitor ended: {screen.tail[-2000:]!r}")
            continue
        name, key, shows = next(presses)
        took = screen.key(key, shows)
        day.named_ms.append((name, took))
        inside = any(at <= passed < at + length + 0.5 for at, length, _ in bursts)
        day.keys_ms.append(took)
        if inside:
            day.burst_keys_ms.append(took)
        # Keys come at any phase of a frame; more of them while it bursts.
        due = time.monotonic() - begin + rng.uniform(0.15, 0.35 if inside else 1.2)
    day.cpu_share = (cpu_s(pid) - cpu) / (time.monotonic() - begin)
    day.load = max(day.load, os.getloadavg()[0])


def _compare(day: Day, folder: Path) -> None:
    """What was sent with what was recorded, print by print."""
    from gexterm.market.events import Definitions, Quotes, Trades
    from gexterm.market.symbols import format as symbol_of
    from gexterm.recording.reader import Recording

    with np.load(folder / "sent.npz") as sent:
        symbols = sent["symbols"].tolist()
        wanted = {
            number: (symbols[at], price, size)
            for at, number, price, size in zip(
                sent["contract"].tolist(),
                sent["number"].tolist(),
                sent["price"].tolist(),
                sent["size"].tolist(),
                strict=True,
            )
        }
    assert len(wanted) == day.sent["prints"]
    names: dict[int, str] = {}
    found: dict[int, tuple[str, float, float]] = {}
    repeated = 0
    lateness: list[np.ndarray[Any, Any]] = []
    for path in sorted((folder / "data").rglob("*.gexrec")):
        day.recording_bytes += path.stat().st_size
        day.recording_bytes += path.with_suffix(".frames").stat().st_size
        for event in Recording(path).events():
            if isinstance(event, Definitions):
                for at, contract in enumerate(event.contracts, event.first):
                    names[at] = symbol_of(contract, "polygon")
            elif isinstance(event, Quotes):
                day.quote_rows += len(event.contract)
            elif isinstance(event, Trades):
                lateness.append((event.recv - event.ts) / 1e6)
                for at, number, price, size in zip(
                    event.contract.tolist(),
                    (event.sequence >> 10).tolist(),
                    event.price.tolist(),
                    event.size.tolist(),
                    strict=True,
                ):
                    repeated += number in found
                    found[number] = (names[at], price, size)
    day.recorded = len(found)
    day.lost = len(wanted.keys() - found.keys())
    day.altered = repeated + sum(wanted.get(number) != what for number, what in found.items())
    if lateness:
        every = np.concatenate(lateness)
        day.late_ms = (
            float(np.median(every)),
            float(np.percentile(every, 99)),
            float(every.max()),
        )


def slope(memory: list[tuple[float, float]], after_s: float) -> float:
    """MB per minute, least squares, of what was measured after so long."""
    kept = [(at, mb) for at, mb in memory if at >= after_s]
    if len(kept) < 10:
        return float("nan")
    at, mb = np.array(kept).T
    return float(60.0 * np.polyfit(at, mb, 1)[0])


def keys_of(day: Day) -> list[Row]:
    """Each kind of press: median and the most, the slowest first."""
    by_name: dict[str, list[float]] = {}
    for name, took in day.named_ms:
        by_name.setdefault(name, []).append(took)
    idle = dict(day.idle_named_ms)
    rows = []
    for name, took in sorted(by_name.items(), key=lambda each: -max(each[1])):
        before = f"{float(np.median(took)):.0f} ms, before the flood {idle[name]:.0f}"
        rows.append(Row(f"  {name} ({len(took)}): median {before}; most", max(took), "ms"))
    return rows


def rows_of(day: Day, seconds: float) -> list[Row]:
    """A day as lines of the report."""
    keys = np.array(day.keys_ms)
    burst = np.array(day.burst_keys_ms or [float("nan")])
    last = day.watched[-1]
    active = [each for each in day.watched if each["prints"] > 0] or day.watched
    span = max(active[-1]["at"] - active[0]["at"], 1e-9)
    ticks = (active[-1]["sequence"] - active[0]["sequence"]) / span
    warm = min(90.0, seconds / 3)
    grown = slope(day.memory, warm)
    known = {
        name: slope([(each["at"] - day.began, each[name]) for each in day.watched], warm)
        for name in ("tape_mb", "moments_mb")
    }
    prints_min = day.sent["prints"] / (day.sent["seconds"] / 60)
    return [
        Row("events sent a second", day.sent["events"] / day.sent["seconds"], "1/s"),
        Row("prints sent", day.sent["prints"], ""),
        at_most("prints not in the recording", day.lost, 0, ""),
        at_most("prints altered or twice in it", day.altered, 0, ""),
        Row("prints on the tape of the last Reading", last["prints"], ""),
        at_most("frames dropped (last report)", last["report_dropped"], 0, ""),
        at_most("rows not recorded", last["lost_rows"], 0, ""),
        Row("quotes recorded of those sent", 100 * day.quote_rows / day.sent["quotes"], "%"),
        at_most("key answered, 99th percentile", float(np.percentile(keys, 99)), 100, "ms"),
        Row(f"  of {len(keys)} keys: median", float(np.median(keys)), "ms"),
        Row("  most", float(keys.max()), "ms"),
        Row("  before the flood: median", float(np.median(day.idle_keys_ms)), "ms"),
        Row(f"  within bursts ({len(burst)} keys): median", float(np.median(burst)), "ms"),
        Row("  within bursts: 99th percentile", float(np.percentile(burst, 99)), "ms"),
        *keys_of(day),
        Row("share of a core", 100 * day.cpu_share, "%"),
        Row("Readings a second", ticks, "1/s"),
        Row("a Reading, median", float(np.median([each["tick_ms"] for each in active])), "ms"),
        Row("print's time to its receipt, median", day.late_ms[0], "ms"),
        Row("  99th percentile", day.late_ms[1], "ms"),
        Row("  most", day.late_ms[2], "ms"),
        Row("loop late, most", max(each["late_ms"] for each in active), "ms"),
        Row("garbage collected at once, most CPU", max(each["gc_ms"] for each in active), "ms"),
        Row("memory at the end", day.memory[-1][1] if day.memory else float("nan"), "MB"),
        Row(f"memory grown, after {warm:.0f} s", grown, "MB/min"),
        Row("  of it the signed tape, by its arrays", known["tape_mb"], "MB/min"),
        Row("  that is, a print", 1e6 * known["tape_mb"] / prints_min, "B"),
        Row("  of it the look-back, which holds half an hour", known["moments_mb"], "MB/min"),
        at_most("  besides these", grown - sum(known.values()), 2.0, "MB/min"),
        Row("recording", day.recording_bytes / 1e6 / (seconds / 60), "MB/min"),
        Row("most bytes that waited at the venue", day.sent["backlog"] / 1e6, "MB"),
        Row("venue behind its schedule, most", day.sent["behind_s"], "s"),
        Row("load average of the machine", day.load, ""),
    ]


def run(seconds: float = 30.0) -> list[Row]:
    """The short form."""
    with tempfile.TemporaryDirectory() as folder:
        day = measure(seconds, Path(folder))
        return rows_of(day, seconds)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--keep", type=Path, help="a new folder for recording and figures")
    parser.add_argument("--expiry", default="all")
    chosen = parser.parse_args()
    seconds = 60.0 * chosen.minutes
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        day = measure(seconds, folder, scope=chosen.expiry)
        (folder / "memory.json").write_text(json.dumps(day.memory))
        (folder / "keys.json").write_text(json.dumps([day.named_ms, day.idle_named_ms]))
        for row in rows_of(day, seconds):
            verdict = {None: "", True: "met", False: "MISSED"}[row.met]
            print(f"  {row.name:<52} {row.value:>12.5g} {row.unit:<8} {row.bar:<14} {verdict}")


if __name__ == "__main__":
    main()
