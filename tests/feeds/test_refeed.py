"""Raw frames through a fresh protocol: what was recorded is said again, bit for bit."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.clock import NS, ManualClock
from gexterm.errors import ConnectionFailedError, InputError
from gexterm.feeds.deribit import make
from gexterm.feeds.protocol import Answer, BaseProtocol, FeedProtocol, Outgoing, Request
from gexterm.feeds.refeed import Refeed, refeed
from gexterm.feeds.retry import Retry, Stop
from gexterm.feeds.runner import FeedRunner, RunnerSettings
from gexterm.feeds.venue import FeedOptions
from gexterm.market.events import (
    ClockTick,
    Definitions,
    Event,
    FeedReport,
    FeedStatus,
    Quotes,
    SourceInfo,
    TickMark,
    Trades,
    UnderlyingPrice,
)
from gexterm.recording import frames as raw
from gexterm.recording.frames import Entry, Frames, RawAnswer, RawVerdict
from gexterm.recording.reader import Recording
from gexterm.recording.recorder import Recorder, RecorderSettings
from tests.feeds.deribit.talk import CALL, PUT, market
from tests.feeds.listening import until
from tests.recording import made
from tests.recording.made import OPEN
from tests.venues.deribit import Exchange, FakeDeribit
from tests.venues.line import Line

MS = 1_000_000
SETTINGS = RunnerSettings(open_timeout_s=2.0, close_timeout_s=0.2)
EASY = RecorderSettings(min_free_bytes=0)


def from_the_market(events: list[Event]) -> list[Event]:
    """What the protocol said, without the runner's own words."""
    own = ClockTick | FeedStatus | FeedReport | TickMark
    return [event for event in events if not isinstance(event, own)]


def as_recorded(event: Event) -> Event:
    """A recording knows when it begins and ends; a source that speaks does not."""
    if isinstance(event, SourceInfo):
        return SourceInfo(
            event.underlying, event.feed, event.mode, event.delay_s, event.note,
            conditions=event.conditions, venue_side=event.venue_side,
        )  # fmt: skip
    return event


# -- a real venue's protocol, in the real runner, over a real socket -----------------------


def busy(exchange: Exchange, count: int) -> None:
    for i in range(count):
        name = (CALL, PUT)[i % 2]
        exchange.quote(name, 0.02 + i * 1e-5, 0.021 + i * 1e-5)
        exchange.trade(name, 0.021, 1.0 + i, ("buy", "sell", "buy")[i % 3])


async def session(folder: Path, exchange: Exchange, ahead_s: float) -> tuple[Path, Path]:
    """A session that is recorded, with a line cut in the middle of it."""
    clock = ManualClock(exchange.now_ms * MS + round(ahead_s * NS))
    async with FakeDeribit(exchange) as venue, Line(venue.port) as line:
        protocol = make("BTC", {}, FeedOptions(url=line.url("/ws/api/v2")))
        async with Recorder(folder, "deribit", "BTC", clock, EASY) as recorder:
            runner = FeedRunner(
                protocol, clock, rng=random.Random(1), settings=SETTINGS, tap=recorder.tap
            )
            async with runner:
                prints = 0

                async def take() -> None:
                    nonlocal prints
                    async for batch in runner.events():
                        for event in batch:
                            recorder.event(event)
                            prints += len(event.contract) if isinstance(event, Trades) else 0

                taking = asyncio.create_task(take())

                async def moving(condition: Callable[[], bool]) -> None:
                    async with asyncio.timeout(60):
                        while not condition():
                            exchange.advance(50)
                            clock.advance(0.05)
                            await asyncio.sleep(0.002)

                await moving(lambda: "history" in protocol.account.steps)
                for _ in range(40):
                    busy(exchange, 3)
                    exchange.advance(100)
                    clock.advance(0.1)
                    await asyncio.sleep(0.002)
                await moving(lambda: prints >= 100)
                line.cut()
                await until(lambda: not exchange.sessions)
                busy(exchange, 15)  # while nobody listens
                await moving(lambda: runner.counters.reconnects > 0)
                busy(exchange, 5)
                await moving(lambda: prints >= 140)
            await taking
        assert recorder.trouble == ""
        assert recorder.path is not None
        assert recorder.frames_path is not None
        return recorder.path, recorder.frames_path


@pytest.mark.parametrize("ahead_s", [0.0, 180.0, -95.5], ids=["right", "ahead", "behind"])
async def test_a_session_with_a_cut_line_and_a_wrong_clock_comes_again_bit_for_bit(
    tmp_path: Path, ahead_s: float
) -> None:
    path, frames_path = await session(tmp_path, market(), ahead_s)
    with Recording(path) as recording:
        heard = from_the_market(list(recording.events()))
    with Frames(frames_path) as frames:
        fresh = make("BTC", {}, FeedOptions())
        again = from_the_market(list(refeed(frames, fresh)))
        assert not frames.warnings
    assert sum(len(e.contract) for e in heard if isinstance(e, Trades)) >= 140
    assert {Definitions, Quotes, Trades} <= {type(e) for e in heard}
    assert made.same_all(list(map(as_recorded, again)), list(map(as_recorded, heard)))


# -- a toy: everything a protocol can be handed --------------------------------------------


class Toy(BaseProtocol):
    """Prices by frames, answers, gathering and the clock; each says what state it is in."""

    name = "toy"

    def __init__(self) -> None:
        super().__init__()
        self.state = 0
        self.gathered: list[float] = []

    def _price(self, value: float, ts: int) -> list[Event]:
        self.state += 1
        return [UnderlyingPrice(value + self.state / 1000, ts, 0)]

    def prepare(self, now_ns: int) -> list[Request]:
        self.state += 3
        return []

    def connect_url(self) -> str:
        return ""

    def on_open(self, now_ns: int) -> list[Outgoing]:
        self.state += 10
        return []

    def receive(self, frame: bytes, recv_ns: int) -> list[Event]:
        if frame == b"bad":
            raise InputError("no price")
        if frame == b"refused":
            raise ConnectionFailedError("no", "no")
        if frame == b"bug":
            raise KeyError("bug")
        if frame.startswith(b"g"):
            self.gathered.append(float(frame[1:]))
            return []
        return self._price(float(frame), recv_ns)

    def answer(self, answer: Answer) -> list[Event]:
        if answer.failure is not None:
            self.state += 100 if isinstance(answer.failure, Stop) else 50
            return []
        return self._price(answer.status + len(answer.body), answer.recv_ns)

    def outgoing(self) -> list[Outgoing]:
        self.state += 2
        return []

    def flush(self) -> list[Event]:
        out = [e for value in self.gathered for e in self._price(value, OPEN)]
        self.gathered.clear()
        return out

    def on_timer(self, now_ns: int) -> list[Outgoing]:
        self.state += 5
        return []

    def closed(self, verdict: Retry | Stop, now_ns: int) -> Retry | Stop:
        self.state += 1000 if isinstance(verdict, Stop) else 500
        return verdict


def handed(protocol: FeedProtocol, entries: list[Entry]) -> list[Event]:
    """What a protocol says to entries, asked directly, as the runner asks."""
    out: list[Event] = []
    for entry in entries:
        now = entry.time
        if entry.kind == raw.PREPARED:
            protocol.prepare(now)
        elif entry.kind == raw.OPENED:
            protocol.on_open(now)
        elif entry.kind == raw.TIMER:
            protocol.on_timer(now)
        elif entry.kind == raw.FLUSHED:
            out += protocol.flush()
        elif entry.kind == raw.CLOSED:
            stop = RawVerdict.unpack(entry.data).kind == "stop"
            protocol.closed(Stop("s") if stop else Retry("r"), now)
        elif entry.kind == raw.FRAME:
            with contextlib.suppress(InputError, KeyError, ValueError, ConnectionFailedError):
                out += protocol.receive(entry.data, now)
            protocol.outgoing()
        elif entry.kind == raw.ANSWERED:
            kept = RawAnswer.unpack(entry.data)
            failure: Retry | Stop | None = None
            if kept.failure is not None:
                failure = Stop("s") if kept.failure.kind == "stop" else Retry("r")
            out += protocol.answer(
                Answer(kept.key, kept.status, kept.headers, kept.body, now, failure)
            )
            protocol.outgoing()
    return out


def _plain(data: bytes) -> bytes:
    return data


_VERDICTS = st.builds(RawVerdict, st.sampled_from(["retry", "stop"]), st.text(max_size=5))
_DATA = st.one_of(
    st.tuples(
        st.just(raw.FRAME),
        st.sampled_from([b"1.5", b"22", b"g7", b"g8.25", b"bad", b"bug", b"refused", b"\xff"]),
    ),
    st.tuples(
        st.just(raw.ANSWERED),
        st.builds(
            RawAnswer,
            st.text(max_size=4),
            st.sampled_from([0, 200, 304]),
            st.just({"etag": "x", "set-cookie": "secret"}),
            st.binary(max_size=9),
            st.none() | _VERDICTS,
        ).map(lambda answer: answer.pack(_plain)),
    ),
    st.tuples(st.just(raw.CLOSED), _VERDICTS.map(lambda verdict: verdict.pack(_plain))),
    st.tuples(st.sampled_from([raw.PREPARED, raw.OPENED, raw.TIMER, raw.FLUSHED]), st.just(b"")),
)


@settings(max_examples=80, deadline=None)
@given(st.lists(_DATA, max_size=40))
def test_whatever_is_handed_in_order_makes_the_same_events(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, bytes]]
) -> None:
    entries = [Entry(kind, OPEN + i * 1_000_003, data) for i, (kind, data) in enumerate(steps)]
    path = tmp_path_factory.mktemp("frames") / "toy.frames"
    writer = raw.FramesWriter(path, raw.FramesHeader("toy", "X"))
    for number, entry in enumerate(entries):
        writer.add(entry.kind, entry.time, entry.data)
        if number % 7 == 6:
            writer.flush()
    writer.close()
    with Frames(path) as kept:
        assert list(kept) == entries
        again = list(refeed(kept, Toy()))
    # The market's clock dates them; a price of the toy says in its value where it stood.
    expected = handed(Toy(), entries)
    assert [e.price for e in again if isinstance(e, UnderlyingPrice)] == [
        e.price for e in expected if isinstance(e, UnderlyingPrice)
    ]
    assert len(again) == len(expected)


def test_a_session_over_two_files_is_one(tmp_path: Path) -> None:
    entries = [Entry(raw.FRAME, OPEN + i, b"%d" % i) for i in range(20)]
    for name, part in (("a", entries[:9]), ("b", entries[9:])):
        writer = raw.FramesWriter(tmp_path / name, raw.FramesHeader("toy", "X"))
        for entry in part:
            writer.add(entry.kind, entry.time, entry.data)
        writer.close()
    with Frames(tmp_path / "a") as first, Frames(tmp_path / "b") as second:
        again = list(refeed(itertools.chain(first, second), Toy()))
    assert made.same_all(again, list(refeed(entries, Toy())))
    assert len(again) == 20


def test_what_makes_no_sense_and_what_is_missing_is_counted() -> None:
    feeding = Refeed(Toy())
    for entry in (
        Entry(raw.FRAME, OPEN, b"bad"),
        Entry(raw.FRAME, OPEN, b"bug"),
        Entry(raw.FRAME, OPEN, b"refused"),
        Entry(raw.ANSWERED, OPEN, b"\xc1 no answer"),
        Entry(raw.CLOSED, OPEN, b"\xc1 no verdict"),
        Entry(raw.LOST, OPEN, (7).to_bytes(8, "little")),
        Entry(raw.CLOCK, OPEN, b"assumed"),
    ):
        assert feeding.take(entry) == []
    assert feeding.malformed == 3
    assert feeding.lost == 7
    assert feeding.market.known
    assert feeding.last_error


def test_another_reading_of_the_same_frames_is_another_session() -> None:
    """Why raw frames are kept: a mistake in reading can be mended."""

    class Mended(Toy):
        def _price(self, value: float, ts: int) -> list[Event]:
            return [UnderlyingPrice(10 * value, ts, 0)]

    entries = [Entry(raw.FRAME, OPEN + i, b"5") for i in range(3)]
    prices = [e.price for e in refeed(entries, Mended()) if isinstance(e, UnderlyingPrice)]
    assert np.allclose(prices, 50.0)
