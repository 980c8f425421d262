"""A venue through the runner: quotes gathered, prints kept, requests, clocks, bad lines."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from aiohttp import web
from websockets.asyncio.server import ServerConnection

from gexterm.clock import NS, ManualClock
from gexterm.errors import ConnectionFailedError, InputError
from gexterm.feeds import runner as runner_module
from gexterm.feeds import sleeping
from gexterm.feeds.protocol import Answer, BaseProtocol, Frame, Outgoing, Request
from gexterm.feeds.retry import PassingError, Retry, Stop
from gexterm.feeds.runner import FeedRunner, RunnerSettings
from gexterm.feeds.secrets import Secret
from gexterm.market.events import (
    Event,
    FeedReport,
    FeedStatus,
    Quotes,
    Trades,
    UnderlyingPrice,
)
from tests.feeds.listening import QUICK, Taker, Venue, next_try, says, seconds, taking, until
from tests.venues.base import FakeVenue
from tests.venues.line import Line

T0 = 1_763_740_800 * NS
"""A Friday in November, 11:00 in New York."""


class Market(BaseProtocol):
    """A venue for tests. Frames: `Q n` quote at n, `T n` print of size n, both dated `ts`."""

    name = "market"

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.ahead_s = 0.0
        self.due_s = math.inf
        self.beats_s = math.inf
        self.needs: list[Request] = []
        self.wants: list[Outgoing] = []
        self.verdicts: list[Retry | Stop] = []
        self.answers: list[Answer] = []
        self.flushes = 0
        self._quote: float | None = None
        self._prints: list[float] = []
        self._at = 0
        self.account.heard_from = T0

    def prepare(self, now_ns: int) -> list[Request]:
        needs, self.needs = self.needs, []
        return needs

    def connect_url(self) -> str:
        return self.url

    def on_open(self, now_ns: int) -> list[Outgoing]:
        return ["hello"] if self.url else []

    def receive(self, frame: bytes, recv_ns: int) -> list[Event]:
        kind, _, value = frame.decode().partition(" ")
        self._at = recv_ns
        if kind == "Q":
            self._quote = float(value)
        elif kind == "T":
            self._prints += [float(each) for each in value.split()]
        elif kind == "big":
            return [UnderlyingPrice(float(len(frame)), 0)]
        elif kind == "wait":
            raise PassingError("it asks us to come back later", wait_s=90.0)
        elif kind == "token":
            Secret(value)
            raise InputError(f"the venue repeats {value}")
        else:
            raise InputError("that is nothing")
        return []

    def answer(self, answer: Answer) -> list[Event]:
        self.answers.append(answer)
        if answer.body == b"refused":
            raise ConnectionFailedError("the login was refused", "check the token")
        if answer.body == b"nonsense":
            raise InputError("that is no page")
        if answer.failure is not None:
            return [FeedStatus("stale", f"the page cannot be had: {answer.failure.reason}")]
        return [UnderlyingPrice(float(answer.body), 0)] if answer.body.isdigit() else []

    def outgoing(self) -> list[Outgoing]:
        wants, self.wants = self.wants, []
        return wants

    def flush(self) -> list[Event]:
        self.flushes += 1
        ts = self._at + round(self.ahead_s * NS)
        events: list[Event] = []
        one = np.ones(1)
        if self._quote is not None:
            who = np.zeros(1, np.int32)
            stamp = np.array([ts], np.int64)
            events.append(Quotes(who, one * self._quote, one * self._quote + 1, one, one, stamp))
        if self._prints:
            rows = len(self._prints)
            events.append(Trades.of([0] * rows, [1.0] * rows, self._prints, [ts] * rows))
        self._quote, self._prints = None, []
        return events

    def on_timer(self, now_ns: int) -> list[Outgoing]:
        return self.outgoing()

    def closed(self, verdict: Retry | Stop, now_ns: int) -> Retry | Stop:
        self.verdicts.append(verdict)
        return verdict

    def quiet_s(self, now_ns: int) -> float:
        return self.due_s

    def dead_s(self) -> float:
        return self.beats_s


class Notes:
    """A tap that writes down what it is shown."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Any]] = []

    def prepared(self, now_ns: int) -> None:
        self.seen.append(("prepared", now_ns))

    def closed(self, verdict: Retry | Stop, now_ns: int) -> None:
        self.seen.append(("closed", verdict))

    def clock(self, what: str, now_ns: int) -> None:
        self.seen.append(("clock", what))

    def opened(self, now_ns: int) -> None:
        self.seen.append(("opened", now_ns))

    def frame(self, data: bytes, recv_ns: int) -> None:
        self.seen.append(("frame", data))

    def answered(self, answer: Answer) -> None:
        self.seen.append(("answered", answer.key))

    def timer(self, now_ns: int) -> None:
        self.seen.append(("timer", now_ns))

    def flushed(self, now_ns: int) -> None:
        self.seen.append(("flushed", now_ns))

    def lost(self, frames: int, now_ns: int) -> None:
        self.seen.append(("lost", frames))


def bids(taker: Taker) -> list[float]:
    return [b for e in taker.events if isinstance(e, Quotes) for b in e.bid.tolist()]


class Pages(FakeVenue):
    """HTTP pages by path, each with a status and a body."""

    def __init__(self, **pages: tuple[int, bytes]) -> None:
        super().__init__()
        for name, (status, body) in pages.items():
            self.http("GET", f"/{name}", self._page(status, body))

    def _page(self, status: int, body: bytes) -> Callable[..., Any]:
        async def handle(_: web.Request) -> web.Response:
            return web.Response(status=status, body=body, headers={"Retry-After": "45"})

        return handle

    def request(self, name: str) -> Request:
        return Request(name, self.url(f"/{name}", "http"))


# -- requests -------------------------------------------------------------------------------


async def test_what_a_venue_needs_beforehand_is_fetched_before_connecting():
    notes = Notes()
    async with Pages(token=(200, b"7")) as pages, Venue(says("Q 1")) as venue:
        protocol = Market(f"ws://127.0.0.1:{venue.port}/")
        protocol.needs = [pages.request("token")]
        async with taking(protocol, ManualClock(T0), tap=notes) as taker:
            await until(lambda: bids(taker) == [1.0])
    assert [answer.body for answer in protocol.answers] == [b"7"]
    names = [name for name, _ in notes.seen]
    assert names == ["prepared", "answered", "prepared", "opened", "frame", "flushed"]


@pytest.mark.parametrize(
    ("page", "state", "said"),
    [
        ((200, b"refused"), "refused", "market: the login was refused; check the token"),
        ((401, b""), "refused", "127.0.0.1: it refuses with HTTP status 401; check the key"),
        ((302, b""), "refused", "it points elsewhere"),
        ((503, b""), "reconnecting", "HTTP status 503; next try in 45.0 s"),
        ((429, b""), "reconnecting", "asked too often; next try in 45.0 s"),
    ],
)
async def test_a_request_that_fails_ends_the_attempt(page, state: str, said: str):
    async with Pages(token=page) as pages:
        protocol = Market("ws://127.0.0.1:1/")
        protocol.needs = [pages.request("token")]
        async with taking(protocol, ManualClock(T0)) as taker:
            await until(lambda: bool(taker.told) and taker.told[-1].state == state)
            assert said in taker.told[-1].message
            assert len(protocol.answers) == len(protocol.verdicts) == 1


async def test_answers_come_among_the_frames_and_one_that_makes_no_sense_is_counted():
    async with Pages(a=(200, b"5"), b=(200, b"nonsense")) as pages, Venue(says("Q 1")) as venue:
        protocol = Market(f"ws://127.0.0.1:{venue.port}/")
        protocol.wants = [pages.request("a"), pages.request("b")]
        async with taking(protocol, ManualClock(T0)) as taker:
            await until(lambda: taker.prices == [5.0] and taker.runner.counters.malformed == 1)
            assert "the answer to b" in taker.runner.counters.last_error


async def test_a_feed_of_requests_only_needs_no_connection_and_speaks_for_itself():
    async with Pages(chain=(200, b"6000")) as pages:
        protocol = Market("")
        protocol.wants = [pages.request("chain")]
        clock = ManualClock(T0)
        async with taking(protocol, clock) as taker:
            await until(lambda: bool(clock.sleepers))
            await seconds(clock, 2)
            await until(lambda: taker.prices == [6000.0])
            assert taker.told[-1].state == "live"
            protocol.wants = [Request("gone", "http://127.0.0.1:1/")]
            await seconds(clock, 1)
            await until(lambda: taker.told[-1].state == "stale")
            assert "cannot be had" in taker.told[-1].message
            protocol.wants = [pages.request("chain")]
            await seconds(clock, 2)
            await until(lambda: taker.told[-1].state == "live")
            assert taker.runner.counters.reconnects == 0


async def test_a_long_answer_is_read_on_a_thread_and_nothing_else_meanwhile():
    class Slow(Market):
        answers_on_thread = True

        def answer(self, answer: Answer) -> list[Event]:
            asyncio.run_coroutine_threadsafe(begun(), loop).result(5)
            return super().answer(answer)

    async def begun() -> None:
        taker.runner._interpreter.flush()
        at_flush.append(protocol.flushes)

    loop, at_flush = asyncio.get_running_loop(), []
    async with Pages(chain=(200, b"6000")) as pages:
        protocol = Slow("")
        protocol.wants = [pages.request("chain")]
        clock = ManualClock(T0)
        async with taking(protocol, clock) as taker:
            await until(lambda: bool(clock.sleepers))
            before = protocol.flushes
            await seconds(clock, 1)
            await until(lambda: taker.prices == [6000.0])
            assert before <= at_flush[0] < protocol.flushes


# -- gathering --------------------------------------------------------------------------------


async def test_prints_gathered_before_a_line_is_cut_in_mid_frame_arrive_all():
    words = [f"T {i}" for i in range(1, 200)]
    clock = ManualClock(T0)
    async with Venue(says(*words), says("T 1000")) as venue, Line(venue.port) as line:
        # Frames are 5 to 7 bytes: somewhere in the middle of one.
        line.cut_after(129 + 600)
        async with taking(Market(line.url("/")), clock) as taker:
            await until(lambda: line.cuts == 1 and taker.told[-1].state == "reconnecting")
            heard = list(taker.sizes)
            assert 20 < len(heard) < 199
            assert heard == [float(i) for i in range(1, len(heard) + 1)]
            await next_try(clock)
            await until(lambda: taker.sizes[-1:] == [1000.0])
            assert taker.sizes == [*heard, 1000.0]
            assert taker.runner.counters.malformed == 0


async def test_while_nobody_takes_quotes_are_conflated_and_every_print_is_kept():
    words = [word for i in range(1, 3001) for word in (f"Q {i}", f"T {i}")]
    settings = RunnerSettings(flush_rows=50, queue_frames=100_000)
    async with Venue(says(*words)) as venue:
        protocol = Market(f"ws://127.0.0.1:{venue.port}/")
        async with FeedRunner(
            protocol, ManualClock(T0), rng=random.Random(1), settings=settings
        ) as runner:
            await until(lambda: runner.counters.frames == 6000)
            await until(lambda: runner.waiting == 0 and runner.counters.connects > 0)
            assert runner._outlet.buffer.rows < 3000
            taker = Taker(runner)
            task = asyncio.create_task(taker.take())
            await until(lambda: len(taker.sizes) == 3000)
            assert taker.sizes == [float(i) for i in range(1, 3001)]
            assert bids(taker)[-1] == 3000.0
            assert len(bids(taker)) < 300
            assert runner.counters.dropped == 0
            await runner.close()
            await task


async def test_dropped_frames_move_the_time_since_when_prints_are_known():
    words = [f"T {i}" for i in range(200)]
    settings = RunnerSettings(queue_frames=10, flush_rows=1, held_bytes=50)
    clock, notes = ManualClock(T0 + 60 * NS), Notes()
    async with Venue(says(*words)) as venue:
        protocol = Market(f"ws://127.0.0.1:{venue.port}/")
        async with FeedRunner(
            protocol, clock, rng=random.Random(1), settings=settings, tap=notes
        ) as runner:
            # Nothing is taken, and time goes on: parsing waits.
            while runner.counters.frames < 200:
                clock.advance(0.06)
                await asyncio.sleep(0.001)
            assert runner.counters.dropped > 100
            taker = Taker(runner)
            task = asyncio.create_task(taker.take())
            await seconds(clock, 3)
            await until(lambda: any("dropped" in s.detail for s in taker.told))
            await until(lambda: any(r.dropped for r in taker.reports))
            report = taker.reports[-1]
            assert T0 + 60 * NS < report.heard_from < clock.now_ns()
            assert report.dropped == runner.counters.dropped
            lost = sum(n for name, n in notes.seen if name == "lost")
            assert lost == runner.counters.dropped
            assert len(taker.sizes) == 200 - lost
            await runner.close()
            await task


# -- time ----------------------------------------------------------------------------------------


async def test_market_time_goes_on_while_the_line_is_down_and_a_report_says_for_how_long():
    async def leaves(connection: ServerConnection) -> None:
        await connection.send("Q 1")
        await left.wait()

    left = asyncio.Event()
    clock = ManualClock(T0)
    async with Venue(leaves) as venue, Line(venue.port) as line:
        protocol = Market(line.url("/"))
        async with taking(protocol, clock) as taker:
            await until(lambda: bids(taker) == [1.0])
            # Until the clocks are compared, or nothing could be for ten seconds, it stands still.
            await seconds(clock, 9)
            assert taker.ticks == []
            await seconds(clock, 2)
            assert taker.ticks[-1] == pytest.approx(clock.now_ns(), abs=NS // 5)
            await line.refuse()
            await until(lambda: taker.told[-1].state == "reconnecting")
            down = clock.now_ns()
            await seconds(clock, 5)
            assert taker.ticks[-1] > down + 4 * NS
            assert taker.ticks == sorted(set(taker.ticks))
            report = taker.reports[-1]
            assert report.away_s == pytest.approx(5.0, abs=1.2)
            assert report.recv == pytest.approx(clock.now_ns(), abs=1.2 * NS)
            left.set()


async def test_a_clock_three_minutes_slow_is_told_and_put_right():
    async def script(connection: ServerConnection) -> None:
        for i in range(1, 101):
            await go.acquire()
            await connection.send(f"T {i}")
        await connection.wait_closed()

    go = asyncio.Semaphore(0)
    clock = ManualClock(T0 - 180 * NS)
    async with Venue(script) as venue:
        protocol = Market(f"ws://127.0.0.1:{venue.port}/")
        protocol.ahead_s = 180.0
        async with taking(protocol, clock) as taker:
            for i in range(1, 101):
                go.release()
                await until(lambda i=i: len(taker.sizes) == i)
                clock.advance(0.05)
            await seconds(clock, 2)
            assert taker.sizes == [float(i) for i in range(1, 101)]
            report = taker.reports[-1]
            assert report.skew_s == pytest.approx(-180.0, abs=0.5)
            assert report.notes == ("this machine's clock is 3 min behind the venue's",)
            assert 0 < report.misdated < 20
            last = [event for event in taker.events if isinstance(event, Trades)][-1]
            assert abs(last.recv - int(last.ts[-1])) < NS
            assert taker.ticks[-1] == pytest.approx(clock.now_ns() + 180 * NS, abs=NS)


async def test_a_replay_brings_its_own_time_and_makes_no_reports():
    class Played(Market):
        lossless = True

    clock = ManualClock(T0)
    async with Venue(says("Q 1", "T 2")) as venue:
        protocol = Played(f"ws://127.0.0.1:{venue.port}/")
        protocol.ahead_s = 7200.0
        async with taking(protocol, clock) as taker:
            await until(lambda: taker.sizes == [2.0])
            await seconds(clock, 15)
    assert taker.ticks == []
    assert taker.reports == []
    given = [e for e in taker.events if isinstance(e, Quotes | Trades)]
    assert all(int(e.ts[0]) == T0 + 7200 * NS and e.recv == 0 for e in given)


async def test_a_report_comes_when_something_changed_and_before_the_end():
    clock = ManualClock(T0)
    async with Venue(says("Q 1", "nothing")) as venue:
        protocol = Market(f"ws://127.0.0.1:{venue.port}/")
        protocol.account.notes["x"] = "half of it is missing\x1b[2J"
        async with taking(protocol, clock) as taker:
            await until(lambda: taker.runner.counters.malformed == 1)
            await seconds(clock, 1)
            await until(lambda: len(taker.reports) == 1)
            await seconds(clock, 3)
            assert len(taker.reports) == 1
            protocol.account.gaps = 3
        assert isinstance(taker.events[-1], FeedReport)
    last = taker.reports[-1]
    assert (last.frames, last.malformed, last.gaps) == (2, 1, 3)
    assert last.notes == ("half of it is missing�[2J",)


# -- lines ----------------------------------------------------------------------------------------


async def test_a_server_that_accepts_and_says_nothing_is_never_called_live():
    clock = ManualClock(T0)
    async with Venue(says()) as venue:
        protocol = Market(f"ws://127.0.0.1:{venue.port}/")
        protocol.due_s, protocol.beats_s = 5.0, 20.0
        async with taking(protocol, clock) as taker:
            await until(lambda: venue.connections == 1 and bool(clock.sleepers))
            await seconds(clock, 7)
            await until(lambda: [s.state for s in taker.told] == ["connecting", "stale"])
            await seconds(clock, 16)
            await until(lambda: taker.told[-1].state == "reconnecting")
            assert "not even a heartbeat" in taker.told[-1].message


async def test_rows_are_due_from_the_opening_and_not_from_yesterday():
    clock = ManualClock(T0)
    async with Venue(says("Q 1")) as venue:
        protocol = Market(f"ws://127.0.0.1:{venue.port}/")
        async with taking(protocol, clock) as taker:
            await until(lambda: bids(taker) == [1.0])
            await seconds(clock, 20)
            protocol.due_s = 5.0
            await seconds(clock, 4)
            assert taker.told[-1].state == "live"
            await seconds(clock, 3)
            assert taker.told[-1].state == "stale"


async def test_a_lid_that_was_shut_is_noticed_and_a_line_that_survived_goes_on():
    clock = ManualClock(T0)
    async with Venue(says("Q 1")) as venue:
        protocol = Market(f"ws://127.0.0.1:{venue.port}/")
        async with taking(protocol, clock) as taker:
            await until(lambda: bids(taker) == [1.0] and len(clock.sleepers) == 2)
            clock.advance(600)
            await until(lambda: any("slept for 10 min" in s.message for s in taker.told))
            await until(lambda: taker.told[-1].state == "live")
            assert taker.runner.counters.reconnects == 0


async def test_a_line_that_did_not_survive_the_sleep_is_made_anew():
    clock = ManualClock(T0)
    async with (
        Venue(says("Q 1")) as venue,
        Line(venue.port) as line,
        taking(Market(line.url("/")), clock) as taker,
    ):
        await until(lambda: bids(taker) == [1.0] and len(clock.sleepers) == 2)
        line.freeze()
        clock.advance(600)
        await until(lambda: taker.told[-1].state == "stale")
        await seconds(clock, 6)
        await until(lambda: taker.told[-1].state == "reconnecting")
        assert "did not survive the sleep" in taker.told[-1].message
        line.thaw()
        await next_try(clock)
        await until(lambda: taker.runner.counters.reconnects == 1)


class Thread:
    """A connection that hangs by a thread: once it is cut, asking it fails a few turns later."""

    asks, whole = True, False

    def __init__(self, turns: int) -> None:
        self.cut = asyncio.Event()
        self.turns = turns

    async def recv(self) -> bytes:
        await self.cut.wait()
        raise EOFError

    async def send(self, frame: Frame) -> None:
        pass

    async def alive(self) -> None:
        await self.cut.wait()
        for _ in range(self.turns):
            await asyncio.sleep(0)
        raise EOFError

    async def close(self) -> None:
        pass


@pytest.mark.parametrize("turns", range(12))
async def test_a_line_cut_while_it_is_asked_whether_it_stands_is_lost_once(monkeypatch, turns):
    """Both find out, whoever is first, and asyncio complains of neither on our screen."""
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: complaints.append(what))
    thread, clock = Thread(turns), ManualClock(T0)
    monkeypatch.setattr(runner_module, "opened", lambda *_: contextlib.nullcontext(thread))
    async with taking(Market("ws://127.0.0.1:1/"), clock) as taker:
        await until(lambda: len(clock.sleepers) == 2)
        clock.advance(600)
        await until(lambda: taker.told[-1:] != [] and taker.told[-1].state == "stale")
        thread.cut.set()
        await until(lambda: taker.told[-1].state == "reconnecting")
        assert [status.state for status in taker.told].count("reconnecting") == 1
    gc.collect()
    assert complaints == []


async def test_a_clock_set_back_by_an_hour_stops_nothing(monkeypatch):
    monkeypatch.setattr(sleeping, "LOOK_S", 0.01)
    clock, notes = ManualClock(T0), Notes()
    async with Venue(says("Q 1")) as venue:
        protocol = Market(f"ws://127.0.0.1:{venue.port}/")
        async with taking(protocol, clock, tap=notes) as taker:
            await until(lambda: bids(taker) == [1.0] and len(clock.sleepers) == 2)
            clock.set(T0 - 3600 * NS)
            await until(lambda: any("set back by 1 h" in s.message for s in taker.told))
            await until(lambda: ("timer", T0 - 3600 * NS) in notes.seen)
            await seconds(clock, 2)
            await until(lambda: notes.seen[-1][0] == "timer")
            assert taker.runner.counters.reconnects == 0


async def test_the_server_may_ask_for_more_patience_than_ours():
    async with Venue(says("wait")) as venue:
        protocol = Market(f"ws://127.0.0.1:{venue.port}/")
        async with taking(protocol, ManualClock(T0)) as taker:
            await until(lambda: [s.state for s in taker.told][-1:] == ["reconnecting"])
            assert taker.told[-1].detail["retry_in_s"] == 90.0


async def test_sixteen_megabytes_at_once_are_taken_and_more_is_told():
    big, too_big = "big " + "x" * (2**24 - 4), "x" * (2**24 + 2**21)
    async with Venue(says(big), says(too_big)) as venue:
        clock = ManualClock(T0)
        async with taking(Market(f"ws://127.0.0.1:{venue.port}/"), clock) as taker:
            await until(lambda: taker.prices == [2.0**24])
        async with taking(Market(f"ws://127.0.0.1:{venue.port}/"), clock) as taker:
            await until(lambda: [s.state for s in taker.told][-1:] == ["reconnecting"])
            assert "larger than we take" in taker.told[-1].message


async def test_a_key_in_a_frame_reaches_no_log_and_no_screen(caplog):
    """Even with everything logged: the library would log whole frames."""

    class Login(Market):
        def on_open(self, now_ns: int) -> list[Outgoing]:
            return [Secret("k3y-of-the-login").reveal()]

    with caplog.at_level(logging.DEBUG):
        async with Venue(says("token t0ken-just-given", "Q 1")) as venue:
            protocol = Login(f"ws://127.0.0.1:{venue.port}/")
            async with taking(protocol, ManualClock(T0)) as taker:
                await until(lambda: bids(taker) == [1.0])
    ours = [r.getMessage() for r in caplog.records if not r.name.startswith("websockets.server")]
    told = repr([(status.message, status.detail) for status in taker.told])
    said = "\n".join(ours) + told + taker.runner.counters.last_error
    assert "makes no sense: the venue repeats ***" in told
    assert "k3y-of" not in said
    assert "t0ken-just" not in said


async def test_a_plain_stream_is_read_as_it_comes():
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readexactly(5))
        writer.write(b"T 1 2 3")
        await writer.drain()
        await hang_up.wait()
        writer.close()

    heard: list[bytes] = []
    hang_up = asyncio.Event()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with taking(Market(f"tcp://127.0.0.1:{port}"), ManualClock(T0)) as taker:
            await until(lambda: taker.sizes == [1.0, 2.0, 3.0])
            assert heard == [b"hello"]
            hang_up.set()
            await until(lambda: taker.told[-1].state == "reconnecting")
            assert "it hung up" in taker.told[-1].message


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ws://example.com/", "in the clear"),
        ("http://127.0.0.1/", "no address"),
        ("tcp://127.0.0.1", "names no port"),
        ("wss://[::1", "no address"),
    ],
)
async def test_an_address_that_is_not_safe_or_none_is_refused(url: str, said: str):
    async with taking(Market(url), ManualClock(T0)) as taker:
        await until(lambda: taker.done)
        assert taker.told[-1].state == "refused"
        assert said in taker.told[-1].message


async def test_the_environments_proxy_is_asked_for_venues(monkeypatch):
    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 407 Login\r\nContent-Length: 0\r\n\r\n")
        with contextlib.suppress(OSError):
            await writer.drain()
        writer.close()

    heard: list[str] = []
    server = await asyncio.start_server(proxy, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        for name in ("HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        for name in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.delenv(name, raising=False)
        async with taking(Market("wss://venue.example/"), ManualClock(T0), QUICK) as taker:
            await until(lambda: taker.done)
    assert heard[0].startswith("CONNECT venue.example:443")
    assert taker.told[-1].state == "refused"
    assert "the proxy wants a login" in taker.told[-1].message
