"""The runner over real sockets: whatever the other side does, it goes on or says why not."""

from __future__ import annotations

import asyncio
import math
import random
import socket

import pytest
from websockets.asyncio.server import ServerConnection

from gexterm.clock import NS, ManualClock, SystemClock
from gexterm.errors import ConnectionFailedError, InputError
from gexterm.feeds.protocol import BaseProtocol, Command, Frame, Outgoing, Pause
from gexterm.feeds.retry import delay_s
from gexterm.feeds.runner import FeedRunner, RunnerSettings
from gexterm.market.events import Event, FeedStatus, UnderlyingPrice
from tests.feeds.listening import Taker, Venue, next_try, says, seconds, taking, until


class Words(BaseProtocol):
    """A protocol for tests: a frame is a word, and a number a price."""

    name = "words"

    def __init__(self, port: int, lossless: bool = False) -> None:
        super().__init__()
        self.port = port
        self.lossless = lossless
        self.due_s = math.inf
        self.beats_s = math.inf
        self.opened = 0
        self._answers: list[Outgoing] = []

    def connect_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/"

    def on_open(self, now_ns: int) -> list[Outgoing]:
        self.opened += 1
        return ["hello", b"there"]

    def receive(self, frame: bytes, recv_ns: int) -> list[Event]:
        word = frame.decode()
        if word == "bad":
            raise InputError("bad is no price")
        if word == "bug":
            raise KeyError("nobody foresaw\x1b[2J")
        if word == "refused":
            raise ConnectionFailedError("the login was refused", "check the token")
        if word == "ask":
            self._answers.append("answer")
            return []
        return [UnderlyingPrice(float(word), recv_ns, recv_ns)]

    def outgoing(self) -> list[Outgoing]:
        answers, self._answers = self._answers, []
        return answers

    def on_timer(self, now_ns: int) -> list[Outgoing]:
        return [f"alive {now_ns // NS}"]

    def quiet_s(self, now_ns: int) -> float:
        return self.due_s

    def dead_s(self) -> float:
        return self.beats_s

    def send(self, command: Command) -> list[Frame]:
        return ["pause"] if isinstance(command, Pause) else []


async def test_what_the_venue_says_arrives_in_order_with_receipt_times():
    clock = ManualClock(77 * NS)
    async with Venue(says("1", "2", "3")) as venue, taking(Words(venue.port), clock) as taker:
        await until(lambda: len(taker.prices) == 3)
        assert taker.prices == [1.0, 2.0, 3.0]
        assert [status.state for status in taker.told] == ["connecting", "live"]
        assert all(event.recv == 77 * NS for event in taker.events[2:])
        counters = taker.runner.counters
        assert (counters.frames, counters.bytes, counters.rows) == (3, 3, 3)
        assert (counters.connects, counters.reconnects) == (1, 0)
    assert taker.done


async def test_the_protocol_greets_answers_keeps_alive_and_passes_commands_on():
    clock = ManualClock(0)

    async def script(connection: ServerConnection) -> None:
        await connection.send("ask")
        await venue.listen(connection)

    venue = Venue(script)
    async with venue, taking(Words(venue.port), clock) as taker:
        await until(lambda: venue.heard == ["hello", b"there", "answer"])
        await seconds(clock, 1)
        await until(lambda: venue.heard[-1] == "alive 1")
        await taker.runner.send(Pause())
        await until(lambda: venue.heard[-1] == "pause")


async def test_a_venue_that_dies_in_the_middle_of_a_frame_is_connected_again():
    async def dies(connection: ServerConnection) -> None:
        await connection.send("1")
        await connection.send("2")
        # The beginning of a text frame of 100 bytes, and then nothing any more.
        connection.transport.write(b"\x81\x64half of")
        await asyncio.sleep(0)
        connection.transport.abort()

    clock = ManualClock(0)
    async with Venue(dies, says("3")) as venue, taking(Words(venue.port), clock) as taker:
        await until(lambda: len(taker.told) == 3)
        assert taker.told[-1].state == "reconnecting"
        assert taker.told[-1].detail["tries"] == 1
        assert "words: " in taker.told[-1].message
        await next_try(clock)
        await until(lambda: 3.0 in taker.prices)
        assert taker.told[-1].state == "live"
        assert taker.runner.counters.reconnects == 1
        # An abort may overtake what was sent just before it, never mix it up.
        assert taker.prices in ([3.0], [1.0, 3.0], [1.0, 2.0, 3.0])


async def test_what_came_before_a_clean_close_is_not_lost():
    async def closes(connection: ServerConnection) -> None:
        for word in map(str, range(500)):
            await connection.send(word)
        await connection.close(1001, "going home")

    clock = ManualClock(0)
    async with Venue(closes) as venue, taking(Words(venue.port), clock) as taker:
        await until(lambda: taker.told[-1:] != [] and taker.told[-1].state == "reconnecting")
        assert taker.prices == [float(i) for i in range(500)]
        assert "code 1001 (going home)" in taker.told[-1].message


async def test_nobody_there_is_tried_again_ever_more_slowly():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    clock = ManualClock(0)
    async with taking(Words(port), clock) as taker:
        for tries in range(1, 6):
            await until(lambda tries=tries: len(taker.told) == 2 * tries)
            await next_try(clock)
        await until(lambda: len(taker.told) == 12)
    rng = random.Random(1)
    waits = [s.detail["retry_in_s"] for s in taker.told if "retry_in_s" in s.detail]
    assert waits == [delay_s(failures, rng) for failures in range(1, 7)]
    assert all("refused" in status.message for status in taker.told if status.detail)
    assert taker.runner.counters.connects == 0


async def test_while_a_try_is_under_way_no_wait_is_told_any_more():
    """Whoever neither answers nor refuses keeps us for a while: no countdown stands at zero."""

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.append(1)
        if len(accepted) > 1:
            await hung_up.wait()
        writer.close()

    accepted: list[int] = []
    hung_up = asyncio.Event()
    server = await asyncio.start_server(deaf, "127.0.0.1", 0)
    async with server:
        clock = ManualClock(0)
        async with taking(Words(server.sockets[0].getsockname()[1]), clock) as taker:
            await until(lambda: "retry_in_s" in (taker.told or [FeedStatus("live")])[-1].detail)
            assert "next try in" in taker.told[-1].message
            await next_try(clock)
            await until(lambda: len(accepted) == 2)
            trying = taker.told[-1]
            assert (trying.state, trying.detail) == ("reconnecting", {"tries": 1})
            assert trying.message.startswith("words: ")
            assert trying.message.endswith("hung up during the handshake; trying again now")
            hung_up.set()


async def test_it_gives_up_when_told_to_and_says_so():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    async with taking(Words(port), ManualClock(0), RunnerSettings(tries=1)) as taker:
        await until(lambda: taker.done)
        assert [status.state for status in taker.told] == ["connecting", "closed"]
        assert "gave up after the first try" in taker.told[-1].message


async def test_a_connection_that_lasted_starts_the_waits_anew():
    async def leaves(connection: ServerConnection) -> None:
        await connection.send("1")
        await left.wait()
        left.clear()
        await connection.close(1012)

    left = asyncio.Event()
    clock = ManualClock(0)
    async with Venue(leaves) as venue, taking(Words(venue.port), clock) as taker:

        async def breaks_after(seconds_: float) -> float:
            connects = taker.runner.counters.connects
            await until(lambda: venue.connections == connects and taker.told[-1].state == "live")
            clock.advance(seconds_)
            left.set()
            await until(lambda: "retry_in_s" in taker.told[-1].detail)
            tries = taker.told[-1].detail["tries"]
            await next_try(clock)
            await until(lambda: taker.runner.counters.connects == connects + 1)
            return float(tries)

        await until(lambda: taker.runner.counters.connects == 1)
        assert [await breaks_after(s) for s in (1, 1, 1, 11, 1)] == [1, 2, 3, 1, 2]
        left.set()


async def test_a_dead_line_is_noticed_though_it_never_says_so():
    """Half open: the connection stands, but the other side no longer hears or answers."""

    async def deaf(connection: ServerConnection) -> None:
        await connection.send("1")
        connection.transport.pause_reading()
        await forever.wait()

    forever = asyncio.Event()
    settings = RunnerSettings(ping_s=0.05, pong_s=0.05, close_timeout_s=0.05)
    clock = ManualClock(0)
    async with Venue(deaf, says("2")) as venue, taking(Words(venue.port), clock, settings) as taker:
        await until(lambda: taker.told[-1:] != [] and taker.told[-1].state == "reconnecting")
        assert "stopped answering" in taker.told[-1].message
        await next_try(clock)
        await until(lambda: taker.prices == [1.0, 2.0])
        forever.set()


async def test_a_port_that_accepts_and_never_speaks_is_given_up_in_time():
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        settings = RunnerSettings(open_timeout_s=0.05, tries=1)
        async with taking(Words(port), ManualClock(0), settings) as taker:
            await until(lambda: taker.done)
            assert "does not answer" in taker.told[-1].message


@pytest.mark.parametrize(
    ("answer", "state", "said"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "refused", "does not speak websocket"),
        (b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "refused", "check the key"),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "closed", "HTTP status 503"),
        (b"", "closed", "hung up during the handshake"),
    ],
)
async def test_another_kind_of_server_is_told_apart(answer: bytes, state: str, said: str):
    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(other, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with taking(Words(port), ManualClock(0), RunnerSettings(tries=1)) as taker:
            await until(lambda: taker.done)
            assert taker.told[-1].state == state
            assert said in taker.told[-1].message
            assert "\n" not in taker.told[-1].message


async def test_a_frame_that_makes_no_sense_is_counted_named_and_skipped():
    clock = ManualClock(0)
    words = ("1", "bad", "2", "bug", "3")
    async with Venue(says(*words)) as venue, taking(Words(venue.port), clock) as taker:
        await until(lambda: len(taker.prices) == 3)
        assert taker.prices == [1.0, 2.0, 3.0]
        counters = taker.runner.counters
        assert counters.malformed == 2
        assert counters.last_error.startswith("words: frame 4 (3 bytes) makes no sense: KeyError")
        assert "\x1b" not in counters.last_error
        # A flood of them is told once a second.
        told = [status for status in taker.told if "malformed" in status.detail]
        assert [status.message for status in told] == [
            "words: frame 2 (3 bytes) makes no sense: bad is no price"
        ]
        assert told[0].state == "live"
        assert counters.reconnects == 0


async def test_a_refused_login_stops_for_good_and_says_why():
    clock = ManualClock(0)
    async with Venue(says("1", "refused")) as venue, taking(Words(venue.port), clock) as taker:
        await until(lambda: taker.done)
        assert taker.prices == [1.0]
        assert taker.told[-1].state == "refused"
        assert taker.told[-1].message == "words: the login was refused; check the token"
        assert venue.connections == 1


async def test_when_we_are_too_slow_a_venue_costs_frames_and_it_is_told():
    """Nobody takes events, parsing waits, the queue fills: the rest is dropped, and counted."""
    words = [str(i) for i in range(200)]
    settings = RunnerSettings(queue_frames=10, pending_rows=5)
    clock = ManualClock(0)
    async with (
        Venue(says(*words)) as venue,
        FeedRunner(Words(venue.port), clock, rng=random.Random(1), settings=settings) as runner,
    ):
        await until(lambda: runner.counters.frames == 200)
        assert runner.counters.dropped >= 180
        assert len(runner._outlet.buffer._events) <= 10
        await seconds(clock, 1)
        taker = Taker(runner)
        task = asyncio.create_task(taker.take())
        await until(lambda: any("dropped" in status.detail for status in taker.told))
        await until(lambda: len(taker.prices) == 200 - runner.counters.dropped)
        told = next(status for status in taker.told if "dropped" in status.detail)
        assert told.message == f"words: {runner.counters.dropped} frames dropped, we are too slow"
        assert taker.prices == sorted(taker.prices)
        await runner.close()
        await task


async def test_when_we_are_too_slow_a_replay_waits_and_loses_nothing():
    words = [str(i) for i in range(2000)]
    settings = RunnerSettings(queue_frames=3, queue_bytes=50, pending_rows=5)
    clock = ManualClock(0)
    async with Venue(says(*words)) as venue:
        protocol = Words(venue.port, lossless=True)
        async with FeedRunner(protocol, clock, rng=random.Random(1), settings=settings) as runner:
            await until(lambda: runner._outlet.buffer._rows >= 5)
            taker = Taker(runner)
            task = asyncio.create_task(taker.take())
            await until(lambda: len(taker.prices) == 2000)
            assert taker.prices == [float(i) for i in range(2000)]
            assert runner.counters.dropped == 0
            await runner.close()
            await task


async def test_a_taker_gets_everything_that_waited_as_one_batch():
    words = [str(i) for i in range(100)]
    async with (
        Venue(says(*words)) as venue,
        FeedRunner(Words(venue.port), ManualClock(0), rng=random.Random(1)) as runner,
    ):
        await until(lambda: runner.counters.rows == 100)
        batch = await anext(runner.events())
        assert [e.price for e in batch if isinstance(e, UnderlyingPrice)] == list(range(100))


async def test_silence_is_told_and_so_is_its_end():
    async def script(connection: ServerConnection) -> None:
        await connection.send("1")
        await speak.wait()
        await connection.send("2")
        await connection.wait_closed()

    speak = asyncio.Event()
    clock = ManualClock(0)
    async with Venue(script) as venue:
        protocol = Words(venue.port)
        protocol.due_s = 5.0
        async with taking(protocol, clock) as taker:
            await until(lambda: taker.prices == [1.0])
            await seconds(clock, 6)
            assert taker.told[-1].state == "stale"
            assert taker.told[-1].message == "words: nothing has come for 6 s"
            speak.set()
            await until(lambda: taker.prices == [1.0, 2.0])
            assert taker.told[-1].state == "live"


async def test_closing_says_good_bye_and_ends_the_events():
    async def script(connection: ServerConnection) -> None:
        try:
            await venue.listen(connection)
        finally:
            codes.append(connection.close_code)

    codes: list[int | None] = []
    venue = Venue(script)
    async with venue:
        async with taking(Words(venue.port), ManualClock(0)) as taker:
            await until(lambda: len(venue.heard) == 2)
            await taker.runner.close()
            await until(lambda: taker.done)
            await taker.runner.close()
        await until(lambda: bool(codes))
        assert codes == [1000]


async def test_closing_while_waiting_for_the_next_try_waits_for_nothing():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    clock = ManualClock(0)
    async with taking(Words(port), clock) as taker:
        await until(lambda: bool(clock.sleepers))
    assert taker.done
    assert clock.sleepers == ()


async def test_a_command_without_a_connection_is_lost_quietly():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    async with taking(Words(port), ManualClock(0)) as taker:
        await taker.runner.send(Pause())


async def test_a_message_too_large_is_told():
    settings = RunnerSettings(max_message=1000, close_timeout_s=0.2)
    clock = ManualClock(0)
    async with (
        Venue(says("1" * 2000)) as venue,
        taking(Words(venue.port), clock, settings) as taker,
    ):
        await until(lambda: taker.told[-1:] != [] and taker.told[-1].state == "reconnecting")
        assert "we hung up" in taker.told[-1].message


async def test_a_runner_on_the_clock_of_the_wall_works_the_same():
    async with Venue(says("1")) as venue, taking(Words(venue.port), SystemClock()) as taker:
        await until(lambda: taker.prices == [1.0])


async def test_before_the_venue_lets_us_in_nothing_is_called_live() -> None:
    class Guarded(Words):
        def on_open(self, now_ns: int) -> list[Outgoing]:
            self.account.admitted = False
            return super().on_open(now_ns)

        def receive(self, frame: bytes, recv_ns: int) -> list[Event]:
            self.account.admitted = self.account.admitted or frame == b"2"
            return super().receive(frame, recv_ns)

    clock = ManualClock(NS)
    async with Venue() as venue:

        async def door(connection: ServerConnection) -> None:
            await connection.send("1")
            await venue.listen(connection)

        venue._scripts.append(door)
        protocol = Guarded(venue.port)
        async with taking(protocol, clock) as taker:
            await until(lambda: taker.prices == [1.0])
            await seconds(clock, 3)
            assert [status.state for status in taker.told] == ["connecting"]
            for connection in venue._server.connections:
                await connection.send("2")
            await until(lambda: taker.told[-1].state == "live")
