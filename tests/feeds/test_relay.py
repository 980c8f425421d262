"""What a hub tells its viewers: all of it, in order, to those who know the secret."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gexterm.errors import ConnectionFailedError, InputError, OutputError, RecordingError
from gexterm.feeds import relay_log
from gexterm.feeds.relay_log import RelayLog, Stretch
from gexterm.feeds.relay_protocol import (
    GoesOnFrom,
    HubRecording,
    RelayProtocol,
    Welcome,
    told,
)
from gexterm.feeds.relay_server import RelayServer
from gexterm.feeds.retry import PassingError, Retry, Stop
from gexterm.market.events import (
    Event,
    FeedStatus,
    Quotes,
    SourceInfo,
    Trades,
    UnderlyingPrice,
)
from gexterm.recording import codec

SECRET = b"s" * 64
INFO = SourceInfo("SPX", "venue", "live")
HANDOUT = told(goes_on_from=GoesOnFrom(folder="/recordings", earlier=[("a.gexrec", 7)]))


def price(second: int) -> UnderlyingPrice:
    return UnderlyingPrice(6700.0 + second, second * 10**9, second * 10**9)


def whole(stretch: Stretch | None, log: RelayLog) -> bytes:
    """What a reader finds from the beginning of a stretch to its end."""
    assert stretch is not None
    found = b""
    while more := log.read(stretch, len(found)):
        found += more
    return found


def events(data: bytes) -> list[Event]:
    return [event for _, event in codec.decode_all(data)]


# -- the log ---------------------------------------------------------------------------------


def settled(log: RelayLog) -> None:
    """What was to be written is."""
    log._disk.submit(lambda: None).result(10)


def test_who_comes_late_finds_all_that_was_told_in_order(tmp_path: Path) -> None:
    log = RelayLog(tmp_path, block_bytes=500)
    log.goes_on_from(HANDOUT)
    log.add(INFO)
    for second in range(1, 101):
        log.add(price(second))
    assert log.newest is not None
    assert len(log.newest.blocks) > 5
    before = whole(log.newest, log)
    settled(log)
    assert all(block.data is None for block in log.newest.blocks)
    assert whole(log.newest, log) == before
    found = events(before)
    assert isinstance(found[0], SourceInfo)
    assert [e.price for e in found[1:] if isinstance(e, UnderlyingPrice)] == [
        6700.0 + second for second in range(1, 101)
    ]
    # From any place on, only the rest, in whole frames.
    place = log.newest.blocks[2].begins
    assert log.read(log.newest, place) == before[place : log.newest.blocks[3].begins]
    assert not list(tmp_path.iterdir())  # the file has no name
    log.close()


def test_after_midnight_one_needs_the_state_and_not_the_day_before() -> None:
    log = RelayLog()
    log.goes_on_from(HANDOUT)
    log.add(INFO)
    log.add(price(1))
    first = log.newest
    log.goes_on_from(told(goes_on_from=GoesOnFrom(book="")))
    log.add(price(2))
    assert first is not None
    assert first.next is log.newest
    assert log.newest is not None
    assert log.newest is not first
    (source, last) = events(b"".join(log.newest.preface))
    assert isinstance(source, SourceInfo)
    assert isinstance(last, UnderlyingPrice)
    assert last.price == 6701.0
    assert [e.price for e in events(whole(log.newest, log)) if isinstance(e, UnderlyingPrice)] == [
        6702.0
    ]
    log.close()


def test_what_cannot_be_told_costs_itself_alone() -> None:
    log = RelayLog()
    log.add(INFO)
    log.add(Quotes(*(np.zeros(n) for n in (1, 2, 3, 4, 5)), np.zeros(1, np.int64)))  # type: ignore[arg-type]
    log.add(price(1))
    assert log.refused == 1
    assert len(events(whole(log.newest, log))) == 2
    log.close()


def test_a_full_disk_refuses_who_comes_late_and_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_folder: Path | None) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(relay_log, "_nameless", full)
    log = RelayLog(tmp_path, block_bytes=200)
    log.add(INFO)
    for second in range(1, 50):
        log.add(price(second))
    settled(log)
    stretch = log.newest
    assert stretch is not None
    with pytest.raises(OutputError, match="No space left"):
        log.read(stretch, 0)
    log.add(price(50))
    assert log.read(stretch, stretch.sealed)
    log.close()


# -- the handshake ----------------------------------------------------------------------------


def shake(protocol: RelayProtocol, welcome: Welcome) -> bool:
    (hello,) = protocol.on_open(0)
    assert isinstance(hello, str)
    protocol.receive(welcome.answer(hello.encode()), 0)
    (proof,) = protocol.outgoing()
    assert isinstance(proof, str)
    return welcome.admits(proof.encode())


def test_who_knows_the_secret_is_let_in_and_the_secret_is_never_said() -> None:
    protocol = RelayProtocol("ws://127.0.0.1:1/", SECRET)
    assert not protocol.account.admitted
    assert shake(protocol, Welcome(SECRET))
    assert protocol.account.admitted
    (hello,) = protocol.on_open(0)
    assert SECRET.decode() not in str(hello)
    assert not protocol.account.admitted


def test_a_stranger_on_the_hubs_port_is_not_believed() -> None:
    protocol = RelayProtocol("ws://127.0.0.1:1/", SECRET)
    (hello,) = protocol.on_open(0)
    answer = Welcome(b"another" * 8).answer(str(hello).encode())
    with pytest.raises(PassingError, match="not our hub"):
        protocol.receive(answer, 0)
    assert not protocol.account.admitted
    assert not protocol.outgoing()


def test_a_proof_cannot_be_used_again_or_sent_back() -> None:
    welcome, other = Welcome(SECRET), Welcome(SECRET)
    protocol = RelayProtocol("ws://127.0.0.1:1/", SECRET)
    (hello,) = protocol.on_open(0)
    answer = welcome.answer(str(hello).encode())
    protocol.receive(answer, 0)
    (proof,) = protocol.outgoing()
    other.answer(str(hello).encode())
    assert not other.admits(str(proof).encode())
    # The hub's own proof is not a viewer's.
    assert not welcome.admits(answer)
    assert not welcome.admits(b"nonsense")
    assert not Welcome(SECRET).admits(b'{"proof":""}')


@pytest.mark.parametrize(
    "hello", [b"", b"{}", b"\xff", b'{"viewer":2,"nonce":"' + b"n" * 32 + b'"}']
)
def test_what_is_no_hello_is_refused(hello: bytes) -> None:
    with pytest.raises(InputError):
        Welcome(SECRET).answer(hello)


def test_a_hub_of_another_version_is_no_use() -> None:
    protocol = RelayProtocol("ws://127.0.0.1:1/", SECRET)
    protocol.on_open(0)
    with pytest.raises(ConnectionFailedError, match="version 2"):
        protocol.receive(b'{"hub":2,"nonce":"n","proof":"p"}', 0)


def test_a_viewer_keeps_what_it_is_told_and_names_the_feed_shared() -> None:
    protocol = RelayProtocol("ws://127.0.0.1:1/", SECRET)
    shake(protocol, Welcome(SECRET))
    assert protocol.receive(HANDOUT, 0) == []
    assert protocol.goes_on_from.earlier == [("a.gexrec", 7)]
    assert protocol.receive(told(recording=HubRecording(on=True, path="/x")), 0) == []
    assert protocol.recording.on
    assert protocol.goes_on_from.earlier
    (info,) = protocol.receive(codec.encode(INFO, 0), 0)
    assert isinstance(info, SourceInfo)
    assert info.feed == "venue, shared"
    with pytest.raises(InputError):
        protocol.receive(b"{nonsense", 0)
    with pytest.raises(RecordingError):
        protocol.receive(b"\x01\x02", 0)
    with pytest.raises(InputError, match="damaged"):
        _ = GoesOnFrom(book="???").book_bytes


def test_a_hub_that_is_gone_is_tried_again_and_a_wrong_one_is_not() -> None:
    protocol = RelayProtocol("ws://127.0.0.1:1/", SECRET)
    said = protocol.closed(Retry("the connection broke"), 0)
    assert isinstance(said, Retry)
    assert "hub is gone" in said.reason
    assert protocol.closed(Stop("no"), 0) == Stop("no")


# -- the server ---------------------------------------------------------------------------------


@asynccontextmanager
async def hub(**options: float) -> AsyncIterator[tuple[RelayServer, RelayLog]]:
    log = RelayLog(block_bytes=2000)
    async with (
        asyncio.timeout(60),
        RelayServer(log, SECRET, **options) as server,  # type: ignore[arg-type]
    ):
        yield server, log


@asynccontextmanager
async def viewer(
    server: RelayServer, secret: bytes = SECRET
) -> AsyncIterator[tuple[RelayProtocol, ClientConnection]]:
    """A viewer that was let in."""
    protocol = RelayProtocol(server.url, secret)
    async with connect(
        server.url, compression=None, max_size=None, close_timeout=0.1
    ) as connection:
        (hello,) = protocol.on_open(0)
        await connection.send(hello)
        protocol.receive(await connection.recv(decode=False), 0)
        for proof in protocol.outgoing():
            assert isinstance(proof, str)
            await connection.send(proof)
        yield protocol, connection


async def next_events(protocol: RelayProtocol, connection: ClientConnection) -> list[Event]:
    while True:
        if found := protocol.receive(await connection.recv(decode=False), 0):
            return found


async def prices(
    protocol: RelayProtocol, connection: ClientConnection, last: int
) -> tuple[list[float], list[FeedStatus]]:
    """Prices up to that of a second, and what was said between them."""
    found: list[float] = []
    said: list[FeedStatus] = []
    while not found or found[-1] != 6700.0 + last:
        for event in await next_events(protocol, connection):
            if isinstance(event, UnderlyingPrice):
                found.append(event.price)
            elif isinstance(event, FeedStatus):
                said.append(event)
    return found, said


async def test_early_and_late_viewers_hear_the_same() -> None:
    async with hub() as (server, log), viewer(server) as early:
        (waits,) = await next_events(*early)
        assert isinstance(waits, FeedStatus)
        assert waits.state == "connecting"
        log.goes_on_from(HANDOUT)
        log.add(INFO)
        log.add(FeedStatus("live"))
        for second in range(1, 150):
            log.add(price(second))
        log.add(FeedStatus("reconnecting", "the line broke", {"tries": 1}))
        log.add(FeedStatus("live"))
        first, _ = await prices(*early, 149)
        async with viewer(server) as late:
            second_, said = await prices(*late, 149)
            assert late[0].goes_on_from.earlier == [("a.gexrec", 7)]
            # This morning's lost line is told as past, and only then how it is now.
            while not said or said[-1].detail.get("catching_up") is not False:
                said += [e for e in await next_events(*late) if isinstance(e, FeedStatus)]
            assert said[0].detail["catching_up"]
            assert all(status.state == "connecting" for status in said[:-1])
            assert said[-1].state == "live"
            log.add(price(150))
            assert (await prices(*late, 150))[0] == [6850.0]
        assert (await prices(*early, 150))[0] == [6850.0]
        assert first == second_ == [6700.0 + second for second in range(1, 150)]
        while server.viewers != 1:  # noqa: ASYNC110 - the server announces nobody's end
            await asyncio.sleep(0.01)


async def test_who_heard_the_day_before_is_not_told_the_state_again_at_midnight() -> None:
    async with hub() as (server, log), viewer(server) as early:
        log.add(INFO)
        log.add(price(1))
        await prices(*early, 1)
        log.goes_on_from(told(goes_on_from=GoesOnFrom(folder="/tomorrow")))
        log.add(price(2))
        async with viewer(server) as late:
            assert (await prices(*late, 2))[0] == [6701.0, 6702.0]
            assert late[0].goes_on_from.folder == "/tomorrow"
        assert (await prices(*early, 2))[0] == [6702.0]
        assert early[0].goes_on_from.folder == "/tomorrow"


async def test_without_the_secret_nothing_is_told() -> None:
    async with hub(hello_s=0.2) as (server, log):
        log.add(INFO)
        async with connect(server.url) as connection:
            with pytest.raises(ConnectionClosed):  # who says nothing at all
                await connection.recv()
        async with connect(server.url) as connection:
            await connection.send('{"viewer":1,"nonce":"0123456789abcdef"}')
            await connection.recv()
            await connection.send('{"proof":"0123456789abcdef"}')
            with pytest.raises(ConnectionClosed) as ended:
                await connection.recv()
            assert ended.value.rcvd is not None
            assert ended.value.rcvd.code == 1008
        with pytest.raises(InvalidStatus):
            await connect(server.url, origin="http://127.0.0.1:8000").__aenter__()  # type: ignore[arg-type]
        assert server.viewers == 0


async def test_nobody_steers_the_hub() -> None:
    async with hub() as (server, log), viewer(server) as (_, connection):
        log.add(INFO)
        await connection.send('{"command":"pause"}')
        with pytest.raises(ConnectionClosed):
            while True:
                await connection.recv()


async def test_a_viewer_that_hangs_is_cut_off_and_holds_nobody_up() -> None:
    async with (
        hub(hang_s=0.3) as (server, log),
        viewer(server) as (_, hung),
        viewer(server) as good,
    ):
        log.add(INFO)
        hung.transport.pause_reading()
        rows = 20_000
        bulk = Trades.of(np.zeros(rows), np.arange(rows) + 0.5, np.ones(rows), np.arange(rows))
        for second in range(1, 40):
            log.add(bulk)
            log.add(price(second))
        assert len((await prices(*good, 39))[0]) == 39
        while server.viewers > 1:  # noqa: ASYNC110 - the server announces nobody's end
            await asyncio.sleep(0.02)
        log.add(price(40))
        assert (await prices(*good, 40))[0] == [6740.0]


async def test_a_viewer_that_falls_behind_is_told_to_hurry_and_then_that_it_has_caught_up() -> None:
    async with hub(behind_bytes=10_000) as (server, log), viewer(server) as slow:
        log.add(INFO)
        log.add(FeedStatus("live"))
        log.add(price(1))
        _, said = await prices(*slow, 1)
        while not said or said[-1].state != "live":
            said += [e for e in await next_events(*slow) if isinstance(e, FeedStatus)]
        for second in range(2, 1000):  # all at once: nobody could have taken any of it
            log.add(price(second))
        found, said = await prices(*slow, 999)
        assert found == [6700.0 + second for second in range(2, 1000)]
        assert said[0].detail["catching_up"] is True
        while said[-1].detail.get("catching_up") is not False:
            said += [e for e in await next_events(*slow) if isinstance(e, FeedStatus)]
        assert said[-1].state == "live"


async def test_the_recording_is_told_when_it_changes() -> None:
    async with hub() as (server, _), viewer(server) as (protocol, connection):
        server.tell_recording(HubRecording(on=True, size=5, path="/today.gexrec"))
        while not protocol.recording.on:
            protocol.receive(await connection.recv(decode=False), 0)
        assert protocol.recording.path == "/today.gexrec"


async def test_no_secret_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with hub() as (server, log), viewer(server) as member:
            log.add(INFO)
            await next_events(*member)
    for record in caplog.records:
        if not record.name.startswith("websockets.client"):  # this test's own
            assert "proof" not in record.getMessage()
            assert SECRET.decode() not in record.getMessage()
