"""What recording costs: writing against plain `write()`, seeking against reading all.

Quotes of 5,000 contracts: premiums on a grid of 5 cents, whole sizes, times in milliseconds,
as a venue gives them; a contract's premium walks. The plain side writes the same columns,
uncompressed, with one `write()` per batch. Both end with an fsync, since the writer does.

The recorder's clock follows the market's, so that blocks and keyframes fall as they would
live. A seek costs the same whatever the length (a keyframe, and at most 300 s after it), so
its share of a full read is given for a quiet day, a usual one, and for the worst case: a
rush without any keyframe.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.harness import Row, at_least, at_most, medians
from gexterm.clock import NS, ManualClock
from gexterm.market.contracts import Contract, Right
from gexterm.market.events import Definitions, Quotes, SourceInfo
from gexterm.recording.frames import FRAME, FramesHeader, FramesWriter
from gexterm.recording.reader import Recording
from gexterm.recording.recorder import Recorder, RecorderSettings
from gexterm.recording.writer import KEYFRAME_S, Writer

ROWS, CONTRACTS = 1_000_000, 5_000
BATCHES = (1_000, 2_000, 5_000)
START = 1_515_162_600 * NS
DAY_S, BURST_S = 23_400.0, 250.0
RUNS, WARMUP = 5, 1
INFO = SourceInfo("SPX", "benchmark", "simulated")
COLUMNS = ("contract", "bid", "ask", "bid_size", "ask_size", "ts")


def quotes(span_s: float, rows: int, batch: int) -> list[Quotes]:
    """So many quotes in such batches, evenly spread over so many seconds."""
    rng = np.random.default_rng(7)
    mid = np.round(rng.gamma(1.2, 40.0, CONTRACTS), 2)
    step = span_s * NS / (rows // batch)
    out = []
    for number in range(rows // batch):
        contract = rng.integers(0, CONTRACTS, batch).astype(np.int32)
        mid[contract] = np.maximum(0.05, mid[contract] + 0.05 * rng.integers(-2, 3, batch))
        # Divided, so that each price is the double nearest to its decimals, as one parsed is.
        ticks = np.floor(mid[contract] * 20)
        bid, ask = ticks / 20, (ticks + rng.integers(1, 5, batch)) / 20
        sizes = rng.integers(1, 400, (2, batch)).astype(np.float64)
        recv = START + round((number + 1) * step)
        ms = np.sort(rng.integers(0, round(step / 1_000_000), batch))
        ts = recv - round(step) + ms * 1_000_000
        out.append(Quotes(contract, bid, ask, sizes[0], sizes[1], ts, recv))
    return out


def definitions() -> Definitions:
    """The contracts quoted."""
    expiry = dt.date(2018, 1, 5)
    listed = tuple(
        Contract("SPXW", expiry, (Right.CALL, Right.PUT)[i % 2], 5.0 * (1 + i // 2))
        for i in range(CONTRACTS)
    )
    return Definitions(0, listed, START)


def record(path: Path, defined: Definitions, batches: list[Quotes]) -> None:
    """Write everything, as a live recorder would."""
    clock = ManualClock(START)
    with Writer(path, INFO, clock, force=True) as writer:
        writer.write(defined)
        for batch in batches:
            clock.set(batch.recv)
            writer.write(batch)


def plain(path: Path, batches: list[Quotes]) -> int:
    """Write the columns as they are; bytes written."""
    size = 0
    with path.open("wb", buffering=0) as file:
        for batch in batches:
            data = b"".join(getattr(batch, name).tobytes() for name in COLUMNS)
            size += file.write(data)
        os.fsync(file.fileno())
    return size


def read_all(path: Path) -> int:
    """Decode every event; rows of quotes."""
    with Recording(path) as recording:
        return sum(len(e.contract) for e in recording.events() if isinstance(e, Quotes))


def seek_middle(path: Path, span_s: float) -> int:
    """Open, get the state in the middle of the span, and one second of events after it."""
    middle = START + round(0.5 * span_s * NS)
    with Recording(path) as recording:
        return len(recording.seek(middle)) + sum(1 for _ in recording.events(middle, middle + NS))


def run() -> list[Row]:
    """Writing, seeking and size."""
    with tempfile.TemporaryDirectory(prefix="gexterm-bench-") as folder:
        return _write(Path(folder)) + _live(Path(folder)) + _seek(Path(folder))


def _write(folder: Path) -> list[Row]:
    """Each size of batch has a bar of its own: the best of them would flatter."""
    defined = definitions()
    out = []
    for batch in BATCHES:
        batches = quotes(BURST_S, ROWS, batch)
        recorded, raw = folder / "recorded", folder / "raw"
        sides: dict[str, Callable[[], object]] = {
            "recording": partial(record, recorded, defined, batches),
            "plain": partial(plain, raw, batches),
        }
        took = medians(sides, RUNS, WARMUP)
        label = f"batches of {batch:,}"
        out += [
            Row(f"{label}: recording", ROWS / took["recording"] / 1e6, "Mrow/s"),
            Row(f"{label}: plain write()", ROWS / took["plain"] / 1e6, "Mrow/s"),
            at_least(f"{label}: recording / plain", took["plain"] / took["recording"], 0.5, "x"),
            Row(f"{label}: recorded", recorded.stat().st_size / ROWS, "B/row"),
            Row(f"{label}: raw", raw.stat().st_size / ROWS, "B/row"),
        ]
    return out


def _live(folder: Path) -> list[Row]:
    """What a session pays on its own thread for being recorded, and raw frames alone."""
    batches = quotes(BURST_S, ROWS // 4, 1_000)
    frame = b'{"jsonrpc":"2.0","method":"subscription","params":{"data":{"mark_iv":%8.4f}}}'
    frames = [frame % (50 + i % 977 / 7) for i in range(ROWS // 10)]

    async def tell(told: list[float]) -> None:
        clock = ManualClock(START)
        settings = RecorderSettings(queue_bytes=1 << 30, min_free_bytes=0)
        async with Recorder(folder, "benchmark", "SPX", clock, settings) as recorder:
            recorder.event(INFO)
            recorder.event(definitions())
            await recorder.flushed()
            begin = time.perf_counter()
            for batch in batches:
                recorder.event(batch)
            told.append(time.perf_counter() - begin)
            begin = time.perf_counter()
            for each in frames:
                recorder.tap.frame(each, START)
            told.append(time.perf_counter() - begin)
            await recorder.flushed()
            if recorder.lost_rows or recorder.trouble:
                raise AssertionError(f"rows were lost: {recorder.trouble}")

    def keep() -> None:
        path = folder / "frames"
        path.unlink(missing_ok=True)
        writer = FramesWriter(path, FramesHeader("benchmark", "SPX"), bytes)
        for each in frames:
            writer.add(FRAME, START, each)
        writer.close()

    told: list[float] = []
    for _ in range(RUNS):
        asyncio.run(tell(told))
    kept = medians({"frames": keep}, RUNS, WARMUP)["frames"]
    event, tapped = statistics.median(told[::2]), statistics.median(told[1::2])
    return [
        Row("live: event() on the session's thread", 1e6 * event / len(batches), "us/batch"),
        Row("live: tap.frame() on the session's thread", 1e6 * tapped / len(frames), "us/frame"),
        Row("raw frames written", len(frames) / kept / 1e6, "Mframe/s"),
    ]


def _seek(folder: Path) -> list[Row]:
    out = []
    for name, span_s, rows in (
        ("1 M quotes in a day", DAY_S, ROWS),
        ("5 M quotes in a day", DAY_S, 5 * ROWS),
        ("1 M quotes in 250 s", BURST_S, ROWS),
    ):
        path = folder / "recording"
        record(path, definitions(), quotes(span_s, rows, 2_000))
        if read_all(path) < rows:
            raise AssertionError("the recording lost rows")
        sides: dict[str, Callable[[], object]] = {
            "whole": partial(read_all, path),
            "seek": partial(seek_middle, path, span_s),
        }
        took = medians(sides, RUNS, WARMUP)
        share = took["seek"] / took["whole"]
        out += [
            Row(f"{name}: full read", rows / took["whole"] / 1e6, "Mrow/s"),
            Row(f"{name}: seek to the middle + 1 s", 1e3 * took["seek"], "ms"),
            at_most(f"{name}: seek / full read", share, 0.05, "x")
            if span_s > KEYFRAME_S
            else Row(f"{name}: seek / full read, no keyframe", share, "x"),
            Row(f"{name}: recorded", path.stat().st_size / rows, "B/row"),
        ]
    return out
