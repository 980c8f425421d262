"""The replay server over real sockets: what a client of any kind finds."""

from __future__ import annotations

import asyncio
import json
import random
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gexterm.clock import NS, ManualClock, SystemClock
from gexterm.errors import ConnectionFailedError, RecordingError, UsageError
from gexterm.feeds.protocol import Pause, Seek, SetSpeed
from gexterm.feeds.replay_protocol import MAX_MESSAGE, ReplayProtocol
from gexterm.feeds.replay_server import ReplayServer
from gexterm.feeds.runner import FeedRunner
from gexterm.market.events import ClockTick, Event, FeedStatus, SourceInfo
from gexterm.recording import codec
from gexterm.recording.reader import Recording
from tests.feeds.listening import market, recorded, statuses, until
from tests.recording.made import OPEN, day, same_all

STREAM = day(minutes=20, count=12, rows=4, every_s=5)


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory):
    path = tmp_path_factory.mktemp("made") / "day.gexrec"
    with Recording(recorded(path, STREAM, flush_bytes=4000)) as opened:
        yield opened


def client(server: ReplayServer, **options: object) -> connect:
    return connect(server.url, proxy=None, compression=None, max_size=MAX_MESSAGE, **options)


async def heard(connection: ClientConnection, enough: Callable[[list[Event]], bool]) -> list[Event]:
    """Events until there are enough of them."""
    events: list[Event] = []
    async with asyncio.timeout(60):
        while not enough(events):
            message = await connection.recv()
            assert isinstance(message, bytes)
            events += [event for _, event in codec.decode_all(message)]
    return events


def caught_up(events: list[Event]) -> bool:
    told = statuses(events)
    return bool(told) and told[-1].detail.get("catching_up") is False


def ended(events: list[Event]) -> bool:
    return any(status.state == "ended" for status in statuses(events))


@pytest.mark.parametrize("speed", [2000.0, 100_000.0])
async def test_over_the_wire_the_market_is_what_the_file_says(recording: Recording, speed: float):
    async with (
        ReplayServer(recording, SystemClock(), speed) as server,
        client(server) as connection,
    ):
        events = await heard(connection, ended)
    assert isinstance(events[0], SourceInfo)
    assert same_all(market(events), market(list(recording.events())))


async def test_through_the_runner_the_market_is_what_the_file_says(recording: Recording):
    events: list[Event] = []
    async with (
        ReplayServer(recording, SystemClock(), 5000.0) as server,
        FeedRunner(ReplayProtocol(server.url), SystemClock(), rng=random.Random(1)) as runner,
    ):
        async for batch in runner.events():
            events += batch
            if ended(batch):
                break
    assert same_all(market(events), market(list(recording.events())))
    assert runner.counters.malformed == 0
    assert runner.counters.dropped == 0


async def test_every_client_has_a_transport_of_its_own(recording: Recording):
    clock = ManualClock(0)
    async with (
        ReplayServer(recording, clock, 1.0) as server,
        client(server) as one,
        client(server) as other,
    ):
        await heard(one, caught_up)
        await heard(other, caught_up)
        await one.send('{"command": "pause"}')
        await heard(one, lambda e: bool(statuses(e)) and statuses(e)[-1].state == "paused")
        await until(lambda: len(clock.sleepers) == 1)
        clock.advance(10.0)
        events = await heard(other, lambda e: len(market(e)) >= 4)
        assert {type(e) for e in events} > {ClockTick}
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(one.recv(), 0.02)


async def test_a_command_that_is_none_is_answered_and_nothing_breaks(recording: Recording):
    async with (
        ReplayServer(recording, ManualClock(0), 1.0) as server,
        client(server) as connection,
    ):
        await heard(connection, caught_up)
        for message in ("dance", b"\x00\xff", '{"command": "speed", "speed": -1}', "[" * 1000):
            await connection.send(message)
            events = await heard(connection, lambda e: bool(statuses(e)))
            [status] = statuses(events)
            assert status.state == "live"
            assert status.detail["error"] is True
            assert status.message
        await connection.send('{"command": "pause"}')
        events = await heard(connection, lambda e: bool(statuses(e)))
        assert statuses(events)[-1].state == "paused"


async def test_a_command_too_long_ends_that_client_and_no_other(recording: Recording):
    async with (
        ReplayServer(recording, ManualClock(0), 1.0) as server,
        client(server) as one,
        client(server) as other,
    ):
        await heard(one, caught_up)
        await one.send("x" * 10_000)
        with pytest.raises(ConnectionClosed):
            await heard(one, lambda _: False)
        await heard(other, caught_up)
        await other.send('{"command": "pause"}')
        await heard(other, lambda e: bool(statuses(e)) and statuses(e)[-1].state == "paused")


async def test_commands_work_over_the_wire(recording: Recording):
    clock = ManualClock(0)
    events: list[Event] = []

    async def listen(runner: FeedRunner) -> None:
        async for batch in runner.events():
            events.extend(batch)

    def told() -> FeedStatus:
        return statuses(events)[-1]

    async with (
        ReplayServer(recording, clock, 1.0) as server,
        FeedRunner(ReplayProtocol(server.url), SystemClock(), rng=random.Random(1)) as runner,
    ):
        listening = asyncio.create_task(listen(runner))
        await until(lambda: bool(events) and caught_up(events))
        await runner.send(SetSpeed(30.0))
        await until(lambda: told().detail.get("speed") == 30.0)
        await runner.send(Pause())
        await until(lambda: told().state == "paused")
        at = len(events)
        await runner.send(Seek(OPEN + 600 * NS))
        await until(lambda: len(events) > at + 2 and told().detail["catching_up"] is False)
        ticks = [event.ts for event in events if isinstance(event, ClockTick)]
        assert ticks[-1] == OPEN + 600 * NS
        wanted = [e for e in STREAM if codec.event_time(e) <= OPEN + 600 * NS]
        assert same_all(market(events), wanted)
        await runner.close()
        await listening


async def test_a_client_that_leaves_takes_nothing_with_it(recording: Recording):
    clock = ManualClock(0)
    async with ReplayServer(recording, clock, 1.0) as server:
        async with client(server) as connection:
            await heard(connection, caught_up)
            await until(lambda: len(clock.sleepers) == 1)
        await until(lambda: clock.sleepers == ())
        async with client(server) as connection:
            connection.transport.abort()
        async with client(server) as connection:
            await heard(connection, caught_up)


async def test_a_slow_client_gets_everything_and_costs_no_memory(tmp_path: Path):
    stream = day(minutes=60, count=300, rows=800, every_s=5)
    path = recorded(tmp_path / "big.gexrec", stream)
    with Recording(path) as recording:
        server = ReplayServer(
            recording, SystemClock(), 1.0, start_at=recording.ends, look_back_s=None
        )
        async with server, client(server, max_queue=1) as connection:
            read_at_first = 0
            await until(lambda: recording.bytes_read > 0)
            # The client takes nothing: sockets and buffers fill up, then the server waits.
            # (A busy machine can only make this end early, with less read.)
            while read_at_first != recording.bytes_read:
                read_at_first = recording.bytes_read
                await asyncio.sleep(0.2)
            assert read_at_first < path.stat().st_size * 0.9
            events = await heard(connection, ended)
        assert same_all(market(events), stream)


async def test_a_page_in_a_browser_is_turned_away(recording: Recording):
    async with ReplayServer(recording, SystemClock(), 1.0) as server:
        with pytest.raises(InvalidStatus, match="403"):
            async with client(server, origin="https://evil.example"):
                pass


async def test_a_port_in_use_is_told_in_one_line(recording: Recording):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = ReplayServer(recording, SystemClock(), 1.0, port=port)
        with pytest.raises(ConnectionFailedError, match=f"127.0.0.1:{port}: .*in use") as caught:
            async with server:
                pass
        assert "choose another port" in caught.value.hint
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("port", [-1, 65536])
async def test_a_port_that_is_none_is_told(recording: Recording, port: int):
    with pytest.raises(ConnectionFailedError, match="cannot offer"):
        async with ReplayServer(recording, SystemClock(), 1.0, port=port):
            pass


def test_what_cannot_be_replayed_is_told_before_listening(recording: Recording, tmp_path: Path):
    with pytest.raises(UsageError, match="cannot run at 0 times"):
        ReplayServer(recording, SystemClock(), 0.0)
    with (
        Recording(recorded(tmp_path / "none.gexrec", [])) as empty,
        pytest.raises(RecordingError, match="no events"),
    ):
        ReplayServer(empty, SystemClock(), 1.0)


async def test_leaving_ends_every_connection_cleanly(recording: Recording):
    async with ReplayServer(recording, ManualClock(0), 1.0) as server:
        connection = await client(server)
        await heard(connection, caught_up)
    with pytest.raises(ConnectionClosed) as caught:
        await heard(connection, lambda _: False)
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 1001


async def test_commands_may_be_written_by_hand(recording: Recording):
    async with (
        ReplayServer(recording, ManualClock(0), 1.0, paused=True) as server,
        client(server) as connection,
    ):
        await heard(connection, caught_up)
        await connection.send(json.dumps({"command": "step", "seconds": 30}))
        events = await heard(connection, caught_up)
        wanted = [e for e in STREAM if OPEN < codec.event_time(e) <= OPEN + 30 * NS]
        assert same_all(market(events), wanted)
