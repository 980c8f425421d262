"""Whole sessions over real sockets with the real runner: whatever happens, no print is lost."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from gexterm.clock import NS, ScaledClock, SystemClock
from gexterm.feeds.databento.protocol import DatabentoProtocol
from gexterm.feeds.runner import FeedRunner, RunnerSettings
from gexterm.market.events import (
    Definitions,
    Event,
    FeedReport,
    OpenInterest,
    Quotes,
    SourceInfo,
    Trades,
)
from tests.feeds.databento.made import AM_CALL, CALL, KEY, MORNING, NOON, OPEN, PUT, prints, session
from tests.feeds.listening import statuses, until
from tests.venues import databento as venue
from tests.venues.line import Line

QUICK = RunnerSettings(
    open_timeout_s=2.0, close_timeout_s=0.2, retry_first_s=0.01, retry_most_s=0.05
)
SOON = NOON + NS // 2
"""After the connection stands, and not so long after it that it could not be."""
IDS = {CALL: 1000, PUT: 1001, AM_CALL: 1002}
Listening = tuple[DatabentoProtocol, list[Event]]


@asynccontextmanager
async def listening(url: str, speed: float = 5.0) -> AsyncIterator[Listening]:
    """A session at noon, and what it says."""
    protocol = session(url=url)
    clock = ScaledClock(SystemClock(), NOON, speed)
    events: list[Event] = []
    async with FeedRunner(protocol, clock, rng=random.Random(1), settings=QUICK) as runner:

        async def take() -> None:
            async for batch in runner.events():
                events.extend(batch)

        taking = asyncio.create_task(take())
        yield protocol, events
    await asyncio.wait_for(taking, 60.0)


@asynccontextmanager
async def through_a_line(
    fake: venue.FakeGateway,
) -> AsyncIterator[tuple[Line, DatabentoProtocol, list[Event]]]:
    """The same, over a line that can be cut."""
    async with Line(fake.port) as line, listening(line.url(scheme="tcp")) as (protocol, events):
        yield line, protocol, events


@asynccontextmanager
async def gateway() -> AsyncIterator[venue.FakeGateway]:
    async with venue.FakeGateway(KEY) as fake:
        fake.list(*IDS)
        await fake.publish(
            *(venue.definition(symbol, number, MORNING) for symbol, number in IDS.items()),
            *(venue.statistic(CALL, 1000, MORNING, 57924, p) for p in (22, 31)),
            *(venue.cbbo(CALL, 1000, NOON - 60 * NS, 12.0, 12.4, "cbbo-1m") for _ in range(1)),
            *tape(0, 50),
        )
        yield fake


def tape(begin: int, end: int) -> list[venue.Item]:
    """Prints from the open on, one every three minutes; pairs of them are equal."""
    return [
        venue.tcbbo(CALL, 1000, OPEN + (i // 2) * 360 * NS, 12.3, 1, (12.2, 12.4))
        for i in range(begin, end)
    ]


def now_tape(n: int, after: int = 0) -> list[venue.Item]:
    return [
        venue.tcbbo(
            PUT, 1001, SOON + (after + i) * NS // 1000, 8.8, 1 + (after + i) % 3, (8.7, 8.9)
        )
        for i in range(n)
    ]


def reports(events: list[Event]) -> list[FeedReport]:
    return [event for event in events if isinstance(event, FeedReport)]


async def test_a_session_begins_with_contracts_then_interest_then_quotes_then_prints() -> None:
    async with gateway() as fake, listening(fake.url) as (protocol, events):
        await until(lambda: len(prints(events)) == 50)
        await fake.publish(*now_tape(5))
        await until(lambda: len(prints(events)) == 55)
        await until(lambda: bool(reports(events)))
    kinds = [type(e) for e in events]
    order = [kinds.index(k) for k in (SourceInfo, Definitions, OpenInterest, Quotes, Trades)]
    assert order == sorted(order)
    assert list(protocol.account.steps) == [
        "authenticated",
        "subscribed",
        "definitions",
        "open interest",
        "first quote",
        "first print",
    ]
    last = reports(events)[-1]
    assert last.heard_from == OPEN
    assert last.refilled == 50
    assert last.listed == last.printed == 3
    assert last.notes == ()


async def undisturbed() -> list[tuple[int, float, float, int]]:
    async with gateway() as fake, listening(fake.url) as (_, events):
        await until(lambda: len(prints(events)) == 50)
        await fake.publish(*now_tape(200))
        await until(lambda: len(prints(events)) == 250)
    return prints(events)


Fault = Callable[[venue.FakeGateway, Line], Awaitable[None]]


async def cut_in_mid_record(fake: venue.FakeGateway, line: Line) -> None:
    line.cut_after(80 * 33 + 41)


async def in_pieces(fake: venue.FakeGateway, line: Line) -> None:
    line.piece = 37


async def error_of_the_venue(fake: venue.FakeGateway, line: Line) -> None:
    await fake.send(venue.error("an unexpected state", "INTERNAL_ERROR"))


async def hang_up(fake: venue.FakeGateway, line: Line) -> None:
    await fake.end()


async def nonsense(fake: venue.FakeGateway, line: Line) -> None:
    await fake.send(bytes(100))


async def unknown_kinds(fake: venue.FakeGateway, line: Line) -> None:
    await fake.send(bytes([20, 0xEE]) + bytes(78) + bytes([255, 0x77]) + bytes(1018))


async def other_ids_after_a_cut(fake: venue.FakeGateway, line: Line) -> None:
    line.cut()
    swapped = {CALL: 1001, PUT: 1000, AM_CALL: 1002}
    fake.ids = swapped
    for at, item in enumerate(fake.history):
        data = bytearray(item.data)
        data[4:8] = swapped[item.symbol].to_bytes(4, "little")
        fake.history[at] = venue.Item(item.schema, item.symbol, item.ts, bytes(data))


@pytest.mark.parametrize(
    ("fault", "connections"),
    [
        (cut_in_mid_record, 2),
        (in_pieces, 1),
        (error_of_the_venue, 2),
        (hang_up, 2),
        (nonsense, 2),
        (unknown_kinds, 1),
    ],
)
async def test_after_a_fault_the_prints_are_those_of_an_undisturbed_session(
    fault: Fault, connections: int
) -> None:
    expected = await undisturbed()
    async with gateway() as fake, through_a_line(fake) as (line, _, events):
        await until(lambda: len(prints(events)) == 50)
        await fake.publish(*now_tape(100))
        await until(lambda: len(prints(events)) == 150)
        await fault(fake, line)
        await fake.publish(*now_tape(100, after=100))
        await until(lambda: len(prints(events)) >= 250)
        await until(lambda: bool(reports(events)))
    assert prints(events) == expected
    assert len(fake.sessions) == connections
    assert reports(events)[-1].heard_from == OPEN


async def test_ids_given_out_anew_after_a_cut_are_the_same_contracts() -> None:
    async with gateway() as fake, through_a_line(fake) as (line, _, events):
        await until(lambda: len(prints(events)) == 50)
        await other_ids_after_a_cut(fake, line)
        await until(lambda: len(fake.sessions) == 2 and fake.session.started)
        await fake.publish(venue.tcbbo(PUT, 1000, NOON + NS, 8.8, 1, (8.7, 8.9)))
        await until(lambda: len(prints(events)) == 51)
    assert {c for c, *_ in prints(events)[:50]} == {1}
    assert prints(events)[-1][0] == 2


async def test_a_taker_that_sleeps_slows_the_stream_and_leaves_no_hole_in_it() -> None:
    many = [
        venue.tcbbo(CALL, 1000, OPEN + i * NS // 100, 12.3, 1, (12.2, 12.4)) for i in range(20_000)
    ]
    small = RunnerSettings(
        queue_frames=2, queue_bytes=1 << 16, flush_rows=500, held_bytes=1 << 15, pending_rows=1000
    )
    async with venue.FakeGateway(KEY) as fake:
        fake.list(*IDS)
        await fake.publish(*many)
        protocol = session(url=fake.url)
        clock = ScaledClock(SystemClock(), NOON)
        taken: list[Event] = []
        async with FeedRunner(protocol, clock, rng=random.Random(1), settings=small) as runner:
            async with asyncio.timeout(60.0):
                async for batch in runner.events():
                    taken += batch
                    await asyncio.sleep(0.01)
                    if sum(len(e.contract) for e in taken if isinstance(e, Trades)) >= len(many):
                        break
            assert runner.counters.dropped == 0
        assert len(fake.sessions) == 1
    assert len({number for *_, number in prints(taken)}) == len(many)


async def test_a_wrong_key_is_refused_in_the_venues_words_and_not_tried_again() -> None:
    async with gateway() as fake:
        fake.key = "db-another-key-than-the-users-01"
        async with listening(fake.url) as (_, events):
            await until(lambda: any(s.state == "refused" for s in statuses(events)))
    (refused,) = [s for s in statuses(events) if s.state == "refused"]
    assert "Authentication failed." in refused.message
    assert "live licence" in refused.message
    assert KEY not in repr(events)
    assert len(fake.sessions) == 1


async def test_a_gateway_that_accepts_and_says_nothing_is_left_and_tried_again() -> None:
    async with gateway() as fake:
        fake.greets = False
        async with listening(fake.url, speed=200.0) as (_, events):
            await until(lambda: len(fake.sessions) > 1)
    said = [s.message for s in statuses(events) if s.state == "reconnecting"]
    assert any("nothing has come for" in message for message in said)


async def test_what_the_venue_warns_of_is_in_the_report() -> None:
    async with gateway() as fake, listening(fake.url) as (_, events):
        await until(lambda: len(prints(events)) == 50)
        await fake.send(venue.system("slow", venue.dbn.SystemCode.SLOW_READER_WARNING))
        await until(lambda: any("too slowly" in n for r in reports(events) for n in r.notes))


async def test_the_key_is_nowhere_in_what_was_sent_or_told() -> None:
    async with gateway() as fake, listening(fake.url) as (protocol, events):
        await until(lambda: len(prints(events)) == 50)
        sent = "".join(fake.session.lines)
    assert KEY not in sent
    assert KEY not in repr(events) + repr(protocol.account)


async def test_the_window_is_asked_for_on_the_wire() -> None:
    strikes = range(6500, 6700, 5)
    symbols = [f"SPXW  251121{r}{k * 1000:08d}" for k in strikes for r in "CP"]
    async with venue.FakeGateway(KEY) as fake:
        fake.list(*symbols)
        for symbol in symbols:
            apart = (6600 - int(symbol[13:]) / 1000) * (1 if symbol[12] == "C" else -1)
            value = 20.0 + max(apart, 0.0)
            await fake.publish(
                venue.cbbo(symbol, fake.ids[symbol], NOON - NS, value - 0.1, value + 0.1, "cbbo-1m")
            )
        async with listening(fake.url) as (protocol, events):
            await until(
                lambda: any(r["schema"] == "cbbo-1s" for s in fake.sessions for r in s.requests)
            )
            await fake.publish(venue.cbbo(symbols[0], fake.ids[symbols[0]], NOON + NS, 9.0, 9.5))
            await until(lambda: any(isinstance(e, Quotes) and 9.0 in e.bid for e in events))
            await until(lambda: any("each minute" in r.window for r in reports(events)))
    assert protocol.account.quoted == len(symbols)
    assert not [s for s in statuses(events) if s.state in ("refused", "reconnecting")]
