"""Through the real runner and a real websocket: whatever the line does, the tape is whole."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from gexterm.clock import ManualClock
from gexterm.config import Settings
from gexterm.engine.oneshot import engine_for
from gexterm.feeds.deribit import make
from gexterm.feeds.deribit.protocol import DeribitProtocol
from gexterm.feeds.runner import RunnerSettings
from gexterm.feeds.venue import FeedOptions
from gexterm.market.events import Event, FeedStatus, Trades
from tests.feeds.deribit.talk import CALL, NOON, PUT, market, truth
from tests.feeds.listening import until
from tests.feeds.test_runner import Taker, next_try, taking
from tests.venues.deribit import Exchange, FakeDeribit
from tests.venues.line import Line

MS = 1_000_000
SETTINGS = RunnerSettings(open_timeout_s=2.0, close_timeout_s=0.2)


@dataclass
class Run:
    """One session of ours with one exchange, over a line that can be told to fail."""

    exchange: Exchange
    line: Line
    protocol: DeribitProtocol
    taker: Taker
    clock: ManualClock

    def prints(self) -> list[tuple[str, int]]:
        return [
            (self.protocol.catalogue.symbols[c], int(s))
            for event in self.taker.events
            if isinstance(event, Trades)
            for c, s in zip(event.contract, event.sequence, strict=True)
        ]

    def live(self) -> bool:
        account = self.protocol.account
        return "history" in account.steps and bool(account.quoted)

    async def whole(self) -> None:
        """Until every print there ever was has been told; time passes while none comes."""
        for _ in range(30):
            with contextlib.suppress(TimeoutError):
                await until(lambda: len(self.prints()) >= len(truth(self.exchange)), 0.2)
                return
            await self.pass_time(1)
        raise AssertionError(f"{len(truth(self.exchange)) - len(self.prints())} prints are missing")

    async def pass_time(self, count: int) -> None:
        """Seconds pass here and there, each noticed by whoever waits for it."""
        for _ in range(count):
            waiting = self.clock.sleepers
            self.exchange.advance(1000)
            self.clock.advance(1.0)
            due = [when for when in waiting if when <= self.clock.now_ns()]
            await until(lambda due=due: not any(when in self.clock.sleepers for when in due))

    async def lost(self) -> None:
        """Until the line is given up; time passes until it is."""
        for _ in range(100):
            with contextlib.suppress(TimeoutError):
                await until(lambda: self.taker.told[-1].state == "reconnecting", 0.05)
                return
            await self.pass_time(1)
        raise AssertionError("the line is kept though nothing comes")

    async def back(self) -> None:
        """Until the line stands again; nobody has tried yet."""
        stood = self.taker.runner.counters.connects
        while self.taker.runner.counters.connects == stood:
            await next_try(self.clock)
            with contextlib.suppress(TimeoutError):
                await until(lambda: self.taker.runner.counters.connects > stood, 0.5)
        await until(self.live)


@contextlib.asynccontextmanager
async def running(exchange: Exchange) -> AsyncIterator[Run]:
    clock = ManualClock(exchange.now_ms * MS)
    async with FakeDeribit(exchange) as venue, Line(venue.port) as line:
        protocol = make("BTC", {}, FeedOptions(url=line.url("/ws/api/v2")))
        assert isinstance(protocol, DeribitProtocol)
        async with taking(protocol, clock, SETTINGS) as taker:  # type: ignore[arg-type]
            run = Run(exchange, line, protocol, taker, clock)
            await until(run.live)
            yield run


def gained(events: list[Event], protocol: DeribitProtocol) -> dict[str, float]:
    """What the dealer gained by the tape, by symbol."""
    engine = engine_for(Settings(), "BTC", None, None)
    for event in events:
        engine.apply(event)
    held = engine.gained((NOON + 600_000) * MS)
    return dict(zip(protocol.catalogue.symbols, held.tolist(), strict=True))


def busy(exchange: Exchange, first: int, end: int) -> None:
    """Something happens on the market: so much of a script."""
    for i in range(first, end):
        name = (CALL, PUT)[i % 2]
        exchange.quote(name, 0.02 + i * 1e-5, 0.021 + i * 1e-5)
        exchange.trade(name, 0.021, 1.0 + i, ("buy", "sell", "buy")[i % 3])


async def test_connect_stream_cut_reconnect_and_the_tape_is_that_of_the_venue() -> None:
    exchange = market()
    exchange.trade(CALL, 0.02, 1.0, "buy")
    exchange.now_ms += 5000
    async with running(exchange) as run:
        busy(exchange, 0, 20)
        await run.whole()
        run.line.cut()
        await until(lambda: not exchange.sessions)
        busy(exchange, 20, 35)  # while nobody listens
        await run.back()
        busy(exchange, 35, 40)
        await run.whole()
        assert Counter(run.prints()) == Counter(truth(exchange))
        account = run.protocol.account
        assert account.gaps == 0 and account.refilled >= 16
        assert [s.state for s in run.taker.told][:3] == ["connecting", "live", "reconnecting"]
        assert run.taker.told[-1].state == "live"


async def test_what_the_dealer_holds_is_as_if_the_line_had_never_failed() -> None:
    undisturbed = market()
    async with running(undisturbed) as run:
        busy(undisturbed, 0, 30)
        await run.whole()
        expected = gained(run.taker.events, run.protocol)
    exchange = market()
    async with running(exchange) as run:
        busy(exchange, 0, 10)
        await run.whole()
        run.line.cut_after(1000)  # in the middle of a message
        busy(exchange, 10, 20)
        await until(lambda: not exchange.sessions)
        busy(exchange, 20, 25)
        await run.back()
        busy(exchange, 25, 30)
        await run.whole()
        found = gained(run.taker.events, run.protocol)
    # When things happened differs by how long the break was.
    told = [[{**p, "timestamp": 0} for p in venue.tape] for venue in (exchange, undisturbed)]
    assert told[0] == told[1]
    assert expected == pytest.approx(found) and any(expected.values())


async def test_prints_lost_on_the_way_are_refilled_and_repeats_do_no_harm() -> None:
    exchange = market()
    async with running(exchange) as run:
        exchange.trade(CALL, 0.02, 1.0, "buy")
        exchange.trade(PUT, 0.02, 1.0, "buy")
        exchange.lose = 4
        busy(exchange, 0, 6)
        await run.pass_time(4)
        await run.whole()
        assert Counter(run.prints()) == Counter(truth(exchange))
        assert run.protocol.account.refilled == 4
        run.line.cut()
        await run.back()
        exchange.repeat(exchange.tape)
        await run.pass_time(2)
        assert Counter(run.prints()) == Counter(truth(exchange))


async def test_nonsense_is_counted_and_skipped() -> None:
    exchange = market()
    async with running(exchange) as run:
        exchange.say("{")
        exchange.say('{"jsonrpc":"2.0","method":"subscription","params":{"channel":"gossip"}}')
        busy(exchange, 0, 2)
        await run.whole()
        assert run.taker.runner.counters.malformed == 1
        assert any("gossip" in note for note in run.protocol.account.notes.values())


async def test_a_venue_that_says_nothing_more_is_left_after_its_heartbeats() -> None:
    exchange = market()
    async with running(exchange) as run:
        exchange.mute = True
        exchange.sessions[0].interval_ms = 0  # not even a heartbeat
        await run.lost()
        exchange.mute = False
        await run.back()
        busy(exchange, 0, 3)
        await run.whole()
        states = [status.state for status in run.taker.told]
        assert "stale" in states and "reconnecting" in states and states[-1] == "live"


async def test_maintenance_is_told_and_waited_for() -> None:
    exchange = market()
    async with running(exchange) as run:
        exchange.maintain()
        await until(lambda: run.taker.told[-1].state == "reconnecting")
        told: FeedStatus = run.taker.told[-1]
        assert "maintenance" in told.message and float(told.detail["retry_in_s"]) >= 10
        busy(exchange, 0, 3)
        await run.back()
        await run.whole()
        assert Counter(run.prints()) == Counter(truth(exchange))


@pytest.mark.parametrize("piece", [1, 7])
async def test_messages_that_arrive_in_crumbs_are_whole(piece: int) -> None:
    exchange = market()
    async with running(exchange) as run:
        run.line.piece = piece
        busy(exchange, 0, 3)
        await run.whole()
        assert Counter(run.prints()) == Counter(truth(exchange))
        run.line.piece = 0
