"""From a websocket to the engine's state, under a flood: `python -m benchmarks ingest`.

The same frames throughout, 100 quotes in each, of as many contracts as the venue lets one
subscribe to; 24,000 are listed, defined through the fake venue's own REST pages. They come
from a process of its own, on the other core:

    decode   bare msgspec decoding of the frames, from memory
    socket   `websockets`, as the runner has it, and the same decoding
    state    the real FeedRunner, the venue's protocol, a LiveSession: events applied to chain
             and signer, a Reading of the whole chain frozen and computed ten times a second
    paced    the same at 20,000 and 100,000 quotes a second: CPU of the process, beyond which
             of an idle session is what the quotes cost

The state update is what a protocol's `receive` and `flush` take beyond decoding: quotes
conflated, the newest of each made into columns. At full load the runner flushes every 50 ms.

Both sides of a ratio are CPU time: of the one thread that decodes or reads the socket, and of
the whole process (Readings are computed on a thread of their own) for the state. A machine
that others use, or a sender that is too slow, then takes nothing from the ratio. The garbage
collector is settled as in the monitor.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from websockets.asyncio.client import connect

from benchmarks.flood import Parent
from benchmarks.harness import Row, at_least, at_most
from benchmarks.market import session_time
from gexterm.clock import SystemClock
from gexterm.config import Settings
from gexterm.feeds.dxlink import VENUE as DXLINK
from gexterm.feeds.dxlink.session import read_message
from gexterm.feeds.massive import VENUE as MASSIVE
from gexterm.feeds.massive.messages import decode_frame
from gexterm.feeds.protocol import FeedProtocol
from gexterm.feeds.runner import FeedRunner
from gexterm.feeds.secrets import Secret
from gexterm.feeds.venue import FeedOptions
from gexterm.market.events import Quotes
from gexterm.session.live import LiveSession
from gexterm.ui.settling import Settling

SIZE, FRAMES, PER_FRAME = 24_000, 400, 100
RATES = (20_000, 100_000)
_SECONDS, _ROUNDS, _TURNS = 3.0, 3, 9
_READY_S = 120.0


class Offset(SystemClock):
    """The clock on the wall, at the time of a session."""

    def __init__(self, offset_ns: int) -> None:
        self._offset = offset_ns

    def now_ns(self) -> int:
        """ns."""
        return time.time_ns() + self._offset


@dataclass(frozen=True)
class Feed:
    """A venue, and how its frames are read without it."""

    name: str
    decode: Callable[[bytes], object]
    make: Callable[[int], FeedProtocol]
    """By port."""
    bare: str
    """Path of its websocket."""
    quoted: int
    """Contracts that must be subscribed before it begins."""


def _massive(port: int) -> FeedProtocol:
    options = FeedOptions(url=f"ws://127.0.0.1:{port}/options", rest_url=f"http://127.0.0.1:{port}")
    return MASSIVE.make("SPX", {"key": Secret("a-key-of-massive-0123456789")}, options)


def _dxlink(port: int) -> FeedProtocol:
    secrets = {
        "client-secret": Secret("a-client-secret-0123456789"),
        "refresh-token": Secret("a-refresh-token-0123456789"),
    }
    options = FeedOptions(
        url=f"ws://127.0.0.1:{port}/realtime", rest_url=f"http://127.0.0.1:{port}"
    )
    return DXLINK.make("SPX", secrets, options)


FEEDS = (
    Feed("massive", decode_frame, _massive, "/options", 950),
    Feed("dxlink", read_message, _dxlink, "/realtime", 1150),
)


class Session:
    """A live session without a screen or a recording, with its Readings taken."""

    def __init__(self, feed: Feed, port: int, clock: Offset) -> None:
        self._runner: FeedRunner | None = None

        def made(tap: Any) -> FeedRunner:
            self._runner = FeedRunner(feed.make(port), clock, rng=random.Random(1), tap=tap)
            return self._runner

        self.session = LiveSession(
            made, clock, Settings(), underlying="SPX", scope="all", timer=time.perf_counter
        )
        self.readings = 0
        self.tick_ms: list[float] = []

    @property
    def runner(self) -> FeedRunner:
        assert self._runner is not None
        return self._runner

    @property
    def parsed(self) -> int:
        """Frames that have gone through the protocol."""
        runner = self._runner
        if runner is None:
            return 0
        return runner.counters.frames - runner.counters.dropped - runner.waiting

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Session]:
        async def take() -> None:
            async for reading in self.session.readings():
                self.readings += 1
                self.tick_ms.append(reading.health.tick_ms)

        settling = Settling()
        async with self.session:
            settling.start()
            taking = asyncio.create_task(take())
            try:
                yield self
            finally:
                settling.stop()
                taking.cancel()
                await asyncio.gather(taking, return_exceptions=True)


async def _ask(flood: Parent, do: str, **given: Any) -> dict[str, Any]:
    return await asyncio.to_thread(flood.ask, do, **given)


async def _subscribed(flood: Parent, feed: Feed) -> None:
    end = time.monotonic() + _READY_S
    while time.monotonic() < end:
        await asyncio.sleep(0.5)
        if feed.name == "dxlink":
            await _ask(flood, "spot")
        state = await _ask(flood, "state")
        if state["quoted"] >= feed.quoted and state.get("printed", SIZE) >= SIZE:
            await asyncio.sleep(2.0)
            return
    raise RuntimeError(f"{feed.name}: never subscribed: {await _ask(flood, 'state')}")


def _seed(session: LiveSession, now: int) -> None:
    """Quotes of what the venue does not quote, so that a Reading has a whole chain to price."""
    from benchmarks.market import Chain, Market
    from gexterm.market.settlement import expiry_of

    assert session._core is not None
    engine = session._core.engine
    contracts = engine.chain.contracts
    listed = Chain(
        list(contracts),
        np.array([each.strike for each in contracts]),
        np.array([float(each.right.sign) for each in contracts]),
        np.array([expiry_of(each.root, each.expiry).settles_at for each in contracts], np.int64),
        np.zeros(len(contracts)),
    )
    bid, ask = Market(listed, np.random.default_rng(2)).quotes(now)
    count = len(contracts)
    size = np.full(count, 20.0)
    at = np.arange(count, dtype=np.int32)
    engine.chain.apply(Quotes(at, bid, ask, size, size, np.full(count, now), now))


@dataclass
class Flow:
    """What came through."""

    per_s: float
    """Quotes a second."""
    cpu: float
    """CPU seconds a second."""
    ticks: float
    """Readings a second."""
    dropped: int


async def _flow(flood: Parent, running: Session, rate: float, seconds: float) -> Flow:
    """Have it flooded, and measure in the middle."""
    await _ask(flood, "push", rate=rate / PER_FRAME, seconds=seconds + 1.0)
    await asyncio.sleep(0.5)
    begin, cpu = time.perf_counter(), time.process_time()
    parsed, readings = running.parsed, running.readings
    dropped = running.runner.counters.dropped
    await asyncio.sleep(seconds)
    took = time.perf_counter() - begin
    flow = Flow(
        (running.parsed - parsed) * PER_FRAME / took,
        (time.process_time() - cpu) / took,
        (running.readings - readings) / took,
        running.runner.counters.dropped - dropped,
    )
    await _ask(flood, "pushed")
    await asyncio.sleep(0.3)
    return flow


async def _idle(seconds: float) -> float:
    cpu, begin = time.process_time(), time.perf_counter()
    await asyncio.sleep(seconds)
    return (time.process_time() - cpu) / (time.perf_counter() - begin)


async def _socket(flood: Parent, feed: Feed, port: int, seconds: float) -> float:
    """Quotes a CPU second through `websockets`, decoded and forgotten."""
    async with connect(
        f"ws://127.0.0.1:{port}{feed.bare}", compression=None, max_size=None, proxy=None
    ) as connection:
        await asyncio.sleep(0.1)
        await _ask(flood, "push", rate=0, seconds=seconds + 0.5)
        recv, decode = connection.recv, feed.decode
        for _ in range(2_000):
            decode(await recv(decode=False))  # type: ignore[arg-type]
        count, begin, cpu = 0, time.perf_counter(), time.thread_time()
        while time.perf_counter() - begin < seconds:
            for _ in range(100):
                decode(await recv(decode=False))  # type: ignore[arg-type]
            count += 100
        cpu = time.thread_time() - cpu
    # Left in mid-flow: the sender notices that we are gone.
    await _ask(flood, "pushed")
    return count * PER_FRAME / cpu


def _decode_rate(feed: Feed, frames: list[bytes]) -> float:
    decode = feed.decode
    """Quotes a CPU second."""
    count, begin = 0, time.thread_time()
    while (took := time.thread_time() - begin) < 0.7:
        for frame in frames:
            decode(frame)
        count += len(frames)
    return count * PER_FRAME / took


def _state_rows(feed: Feed, protocol: FeedProtocol, frames: list[bytes], now: int) -> list[Row]:
    """What `receive` and `flush` of the session's own protocol add to decoding."""

    def turn(per_flush: int) -> None:
        for at, frame in enumerate(frames, 1):
            protocol.receive(frame, now)
            if at % per_flush == 0:
                protocol.flush()

    sides: dict[str, Callable[[], object]] = {
        "decode": lambda: [None for frame in frames if feed.decode(frame) is None],
        "full": lambda: turn(100),
        "burst": lambda: turn(50),
        "target": lambda: turn(10),
    }
    times: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(_TURNS):
        for side, work in sides.items():
            begin = time.thread_time()
            work()
            times[side].append(time.thread_time() - begin)
    took = {side: statistics.median(each) for side, each in times.items()}
    quotes = len(frames) * PER_FRAME
    name = feed.name
    rows = [Row(f"{name}: decode a quote", 1e9 * took["decode"] / quotes, "ns")]
    for pace, what in (
        ("full", "10,000 a flush"),
        ("burst", "5,000 a flush, as at 100,000/s"),
        ("target", "1,000 a flush, as at 20,000/s"),
    ):
        ratio = (took[pace] - took["decode"]) / took["decode"]
        title = f"{name}: state update / decoding, {what}"
        rows.append(at_most(title, ratio, 0.5, "x") if pace == "full" else Row(title, ratio, "x"))
    return rows


async def measure(feed: Feed, seconds: float = _SECONDS) -> list[Row]:
    """All of one venue."""
    offset = session_time(time.time_ns()) - time.time_ns()
    clock = Offset(offset)
    with (
        Parent(feed.name, "--size", str(SIZE), "--offset", str(offset)) as flood,
        tempfile.TemporaryDirectory() as folder,
    ):
        path = Path(folder) / "frames"
        async with Session(feed, flood.port, clock).running() as running:
            await _subscribed(flood, feed)
            if feed.name == "dxlink":
                await _ask(flood, "configure")
                _seed(running.session, clock.now_ns())
            await _ask(flood, "frames", count=FRAMES, path=str(path))
            frames = path.read_bytes().split(b"\n")
            decoding: list[float] = []
            flows: list[Flow] = []
            await _flow(flood, running, 0, 1.0)
            for _ in range(_ROUNDS):
                decoding.append(_decode_rate(feed, frames))
                flows.append(await _flow(flood, running, 0, seconds))
            idle = await _idle(seconds)
            paced = [await _flow(flood, running, rate, seconds) for rate in RATES]
            tick_ms = statistics.median(running.tick_ms)
            protocol = running.runner._protocol
            report = running.session.report
            now = clock.now_ns()
        sockets: list[float] = []
        for _ in range(_ROUNDS):
            decoding.append(_decode_rate(feed, frames))
            sockets.append(await _socket(flood, feed, flood.port, seconds / 2))
        gc.collect()
        gc.freeze()
        rows = _state_rows(feed, protocol, frames, now)
        gc.unfreeze()
    bare = statistics.median(decoding)
    name = feed.name
    whole = statistics.median(flow.per_s / flow.cpu for flow in flows)
    rows += [
        Row(f"{name}: bare decoding", bare / 1e6, "M/s CPU"),
        at_least(f"{name}: websockets and decoding / bare decoding",
                 statistics.median(sockets) / bare, 0.6, "x"),
        Row(f"{name}: socket to state, Readings at 10 Hz", whole / 1e6, "M/s CPU"),
        Row(f"{name}:   by the clock on the wall",
            statistics.median(flow.per_s for flow in flows) / 1e6, "M/s"),
        at_least(f"{name}: the same / bare decoding", whole / bare, 0.25, "x"),
        Row(f"{name}:   Readings then", statistics.median(f.ticks for f in flows), "1/s"),
        Row(f"{name}:   frames dropped by an endless flood", sum(f.dropped for f in flows), ""),
        Row(f"{name}:   a Reading of {report.listed if report else 0:,} contracts", tick_ms, "ms"),
        Row(f"{name}: idle session, of one core", 100 * idle, "%"),
    ]  # fmt: skip
    for rate, flow in zip(RATES, paced, strict=True):
        rows += [
            Row(f"{name}: {rate:,} quotes/s, of one core", 100 * flow.cpu, "%"),
            Row(f"{name}:   a quote, beyond what idling costs",
                1e9 * (flow.cpu - idle) / flow.per_s, "ns"),
            Row(f"{name}:   that / bare decoding", (flow.cpu - idle) / flow.per_s * bare, "x"),
            Row(f"{name}:   arrived", flow.per_s, "1/s"),
            at_most(f"{name}:   frames dropped", flow.dropped, 0, ""),
        ]  # fmt: skip
    return rows


def run() -> list[Row]:
    """Both venues, one after the other."""
    rows: list[Row] = []
    for feed in FEEDS:
        rows += asyncio.run(measure(feed))
    return rows


if __name__ == "__main__":
    for row in run():
        verdict = {None: "", True: "met", False: "MISSED"}[row.met]
        print(f"  {row.name:<62} {row.value:>10.4g} {row.unit:<6} {row.bar:<10} {verdict}")
