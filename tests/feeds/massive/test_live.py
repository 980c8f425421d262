"""The real runner, our protocol and the fake venue, over real sockets: nothing lost in silence."""

from __future__ import annotations

import asyncio
import dataclasses
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from gexterm.clock import NS, ScaledClock, SystemClock
from gexterm.dealers.tape import Tape
from gexterm.feeds.massive import make
from gexterm.feeds.massive.protocol import MassiveProtocol
from gexterm.feeds.runner import FeedRunner, RunnerSettings
from gexterm.feeds.secrets import Secret
from gexterm.feeds.tap import Tap
from gexterm.feeds.venue import FeedOptions
from gexterm.market.chain import Chain
from gexterm.market.events import (
    Definitions,
    Event,
    FeedReport,
    FeedStatus,
    OpenInterest,
    Quotes,
    SourceInfo,
    Trades,
)
from gexterm.market.settlement import expiry_of
from tests.feeds.listening import until
from tests.feeds.massive.made import KEY, NOW, TODAY, chain, symbol
from tests.venues.line import Line
from tests.venues.massive import FakeMassive, status

ATM = symbol("SPXW", TODAY, "C", 6600)
PUT = symbol("SPXW", TODAY, "P", 6600)
ROWS = chain([("SPXW", TODAY), ("SPX", "2026-12-18"), ("SPXW", "2026-12-18")])


class Session:
    """A runner that listens, and what has come."""

    def __init__(self, fed: MassiveProtocol, clock: ScaledClock, tap: Tap | None) -> None:
        self.fed, self.clock = fed, clock
        self.events: list[Event] = []
        self.runner = FeedRunner(
            fed,
            clock,
            rng=random.Random(1),
            tap=tap,
            settings=RunnerSettings(close_timeout_s=0.2, retry_first_s=0.1),
        )
        self.reads = asyncio.Event()
        self.reads.set()

    async def listen(self) -> None:
        async for batch in self.runner.events():
            self.events += batch
            await self.reads.wait()

    @property
    def states(self) -> list[str]:
        return [event.state for event in self.events if isinstance(event, FeedStatus)]

    def status(self, state: str) -> FeedStatus:
        found = (e for e in reversed(self.events) if isinstance(e, FeedStatus))
        return next(event for event in found if event.state == state)

    @property
    def report(self) -> FeedReport:
        return next(e for e in reversed(self.events) if isinstance(e, FeedReport))

    def tape(self) -> list[tuple[float, float]]:
        """Price and size of every print in force, by time."""
        tape = Tape()
        count = sum(len(e.contracts) for e in self.events if isinstance(e, Definitions))
        for event in self.events:
            if isinstance(event, Trades):
                tape.take(event, "massive", count)
        rows = tape.live()
        return list(zip(tape.price[rows].tolist(), tape.size[rows].tolist(), strict=True))

    def quotes(self) -> dict[str, tuple[float, float]]:
        """Bid and offer of every contract as it stands."""
        book = Chain(expiry_of)
        for event in self.events:
            if isinstance(event, Definitions | Quotes):
                book.apply(event)
        bid, ask = book.column("bid").tolist(), book.column("ask").tolist()
        return dict(zip(self.fed._catalogue.symbols, zip(bid, ask, strict=True), strict=True))


@asynccontextmanager
async def session(
    venue: FakeMassive,
    clock: ScaledClock,
    port: int = 0,
    tap: Tap | None = None,
    said: list[str] | None = None,
) -> AsyncIterator[Session]:
    url = f"ws://127.0.0.1:{port or venue.port}/options"
    rest = f"http://127.0.0.1:{venue.port}"
    fed = make("SPX", {"key": Secret(KEY)}, FeedOptions(url=url, rest_url=rest))
    assert isinstance(fed, MassiveProtocol)
    if said is not None:
        for name in ("receive", "answer", "flush"):
            setattr(fed, name, noted(getattr(fed, name), said))
    one = Session(fed, clock, tap)
    async with one.runner:
        listening = asyncio.create_task(one.listen())
        try:
            yield one
        finally:
            one.reads.set()
            await one.runner.close()
            await listening


def noted(method: Any, said: list[str]) -> Any:
    """The same method, which also notes what it says."""

    def noting(*arguments: Any) -> Any:
        events = method(*arguments)
        said.extend(map(repr_of, events))
        return events

    return noting


def repr_of(event: Event) -> str:
    """An event in full."""
    parts = (getattr(event, part.name) for part in dataclasses.fields(event))
    return f"{type(event).__name__} {[p.tolist() if hasattr(p, 'tolist') else p for p in parts]}"


def a_clock() -> ScaledClock:
    return ScaledClock(SystemClock(), NOW, 10.0)


async def subscribed(one: Session, connections: int = 1) -> None:
    """Return once the prints of this connection are known."""
    await until(
        lambda: one.runner.counters.connects >= connections and one.fed.account.heard_from > 0
    )


def told(clock: ScaledClock, name: str, p: float, s: float, q: int, **more: Any) -> dict[str, Any]:
    ns = clock.now_ns()
    return {"ev": "T", "sym": name, "x": 302, "p": p, "s": s, "c": [209], "q": q} | {
        "t": ns // 1_000_000,
        "ns": ns,
        **more,
    }


def shown(clock: ScaledClock, name: str, bp: float, ap: float) -> dict[str, Any]:
    return {"ev": "Q", "sym": name, "bx": 1, "bp": bp, "bs": 1, "ax": 1, "ap": ap, "as": 2} | {
        "t": clock.now_ns() // 1_000_000,
        "q": 1,
    }


async def test_a_session_from_login_to_the_first_print() -> None:
    clock = a_clock()
    async with FakeMassive() as venue:
        venue.chain = ROWS
        venue.key_in_next = True
        async with session(venue, clock) as one:
            await subscribed(one)
            venue.publish(shown(clock, ATM, 5.0, 5.2), told(clock, ATM, 5.2, 3, 1))
            await until(lambda: bool(one.tape()))
            assert isinstance(
                next(e for e in one.events if not isinstance(e, FeedStatus)), SourceInfo
            )
            assert one.tape() == [(5.2, 3.0)] and one.quotes()[ATM] == (5.0, 5.2)
            steps = list(one.fed.account.steps)
            assert steps[:3] == ["authenticated", "chain", "open interest"]
            # Quotes wait for a spot and prints for the whole chain: either may be first.
            assert set(steps[3:5]) == {"subscribed prints", "subscribed quotes"}
            assert steps[5:] == ["first quote", "first print"]
            assert venue.prints_of == {row["details"]["ticker"] for row in ROWS}
            assert venue.quotes_of == one.fed._subscriptions.quotes
        assert venue.refusals == [] and venue.keys_in_addresses == 0


async def test_a_cut_line_costs_no_print_that_can_be_had_and_the_rest_is_told() -> None:
    clock = a_clock()
    async with FakeMassive() as venue, Line(venue.port) as line:
        venue.chain = ROWS
        async with session(venue, clock, line.port) as one:
            await subscribed(one)
            venue.publish(told(clock, ATM, 5.0, 1, 1), shown(clock, ATM, 5.0, 5.2))
            await until(lambda: len(one.tape()) == 1)
            # In the middle of a frame: half of it arrives, and none of it counts.
            line.cut_after(150)
            venue.publish(*(told(clock, PUT, 6.0, 1, 10 + i) for i in range(20)))
            await until(lambda: line.cuts == 1)
            venue.publish(told(clock, ATM, 7.0, 1, 50), told(clock, PUT, 8.0, 1, 51))
            await subscribed(one, 2)
            venue.publish(told(clock, ATM, 9.0, 1, 60))
            await until(lambda: len(one.tape()) == 24)
            prices = [price for price, _ in one.tape()]
            assert prices == [5.0, *[6.0] * 20, 7.0, 8.0, 9.0]
            await until(lambda: one.report.refilled >= 22)
            assert "prints not heard" in " ".join(one.report.notes)
            assert one.report.reconnects == 1


async def test_what_comes_again_after_a_reconnect_counts_once() -> None:
    clock = a_clock()
    async with FakeMassive() as venue, Line(venue.port) as line:
        venue.chain = ROWS
        venue.numbered = True
        async with session(venue, clock, line.port) as one:
            await subscribed(one)
            prints = [told(clock, ATM, 5.0 + i, 1, i + 1) for i in range(5)]
            venue.publish(*(dict(each) for each in prints))
            await until(lambda: len(one.tape()) == 5)
            line.cut()
            await subscribed(one, 2)
            venue.publish(*(dict(each) for each in prints), told(clock, ATM, 20.0, 1, 9))
            await until(lambda: len(one.tape()) == 6)
            assert [price for price, _ in one.tape()] == [5.0, 6.0, 7.0, 8.0, 9.0, 20.0]


async def test_two_of_us_do_not_fight_for_ever_and_one_is_left_standing() -> None:
    clock = a_clock()
    async with FakeMassive() as venue:
        venue.chain = ROWS
        async with session(venue, clock) as first:
            await subscribed(first)
            async with session(venue, clock) as second:
                both = (first, second)

                def decided() -> bool:
                    # Whoever was kicked waits for minutes; they pass in no time.
                    clock.seek(clock.now_ns() + NS)
                    return any("refused" in one.states for one in both)

                await until(decided, 20.0)
                assert 4 <= venue.kicks <= 6
                left = first if "refused" in second.states else second
                gone = second if left is first else first
                message = gone.status("refused").message
                assert "another program took the connection 3 times" in message
                assert "end the other program" in message
                waits = [e for e in gone.events if isinstance(e, FeedStatus)]
                waits = [e for e in waits if "retry_in_s" in e.detail]
                assert float(waits[-1].detail["retry_in_s"]) >= 60.0
                await until(lambda: left.fed.account.heard_from > 0)
                venue.publish(told(clock, ATM, 5.0, 1, 1))
                await until(lambda: len(left.tape()) >= 1)
                kicks = venue.kicks
                for number in range(20):
                    clock.seek(clock.now_ns() + 20 * NS)
                    venue.publish(told(clock, ATM, 6.0, 1, 2 + number))
                    await until(lambda: left.tape().count((6.0, 1.0)) == number + 1)  # noqa: B023
                assert venue.kicks == kicks


async def test_being_too_slow_is_told_counted_and_made_good() -> None:
    clock = a_clock()
    async with FakeMassive() as venue, Line(venue.port) as line:
        venue.chain = ROWS
        async with session(venue, clock, line.port) as one:
            await subscribed(one)
            line.freeze()
            number = 0
            burst: list[dict[str, Any]] = []
            while not venue.slow:
                burst = []
                for _ in range(500):
                    number += 1
                    burst.append(shown(clock, ATM, 5.0, 5.2 + number / 1e6))
                venue.publish(*burst)
                await asyncio.sleep(0)
            lost = told(clock, ATM, 7.0, 1, 99)
            venue.publish(lost)
            line.thaw()
            await subscribed(one, 2)
            await until(lambda: one.tape() == [(7.0, 1.0)])
            assert "we read too slowly" in one.fed.account.notes["slow"]
            assert any("too slowly" in e.message for e in one.events if isinstance(e, FeedStatus))
            assert one.report.reconnects >= 1


async def test_a_server_that_hangs_up_without_a_word_is_asked_again() -> None:
    clock = a_clock()
    async with FakeMassive() as venue:
        venue.chain = ROWS
        async with session(venue, clock) as one:
            await subscribed(one)
            venue.hang_up(status("force_disconnect", "maintenance"))
            await subscribed(one, 2)
            assert "maintenance" in one.fed.account.notes["status"]


async def test_a_server_that_takes_the_connection_and_says_nothing_is_left() -> None:
    clock = a_clock()
    async with FakeMassive() as venue:
        venue.chain, venue.mute = ROWS, True
        async with session(venue, clock) as one:
            await until(lambda: "reconnecting" in one.states)
            assert "took the connection and said nothing" in one.status("reconnecting").message
            venue.mute = False
            await subscribed(one, 2)


async def test_a_wrong_key_is_refused_and_told() -> None:
    clock = a_clock()
    async with FakeMassive("another-key-0123456789") as venue:
        async with session(venue, clock) as one:
            await until(lambda: "refused" in one.states)
            assert "refuses the login" in one.status("refused").message
        assert KEY not in repr(one.events)


async def test_a_busy_venue_is_asked_later_and_all_of_the_chain_comes() -> None:
    clock = a_clock()
    async with FakeMassive() as venue:
        venue.chain = ROWS
        venue.busy.extend([(429, "2"), (503, ""), (429, "")])
        async with session(venue, clock) as one:
            await subscribed(one)
            assert one.fed.account.listed == len(ROWS)


async def test_a_plan_without_snapshots_or_past_prints_still_hears_prints() -> None:
    clock = a_clock()
    async with FakeMassive() as venue:
        venue.chain = ROWS
        venue.forbidden = {"/v3/snapshot", "/v3/trades"}
        venue.confirms_one_by_one = False
        async with session(venue, clock) as one:
            await subscribed(one)
            venue.publish(told(clock, ATM, 5.0, 1, 1))
            await until(lambda: len(one.tape()) == 1)
            notes = one.fed.account.notes
            await until(lambda: "cannot be had" in notes.get("past", ""))
            assert "open interest is not known" in notes["interest"]
            assert not [e for e in one.events if isinstance(e, OpenInterest)]


async def test_the_key_is_not_taken_to_another_host() -> None:
    clock = a_clock()
    async with FakeMassive() as venue, FakeMassive() as other:
        venue.chain = chain()
        venue.chain += chain([("SPXW", "2026-12-18")], [float(k) for k in range(6000, 6300)])
        venue.elsewhere = other.url("", "http")
        async with session(venue, clock) as one:
            await subscribed(one)
            assert "elsewhere" in one.fed.account.notes["chain"]
        assert other.requests == []


async def test_pages_that_are_no_pages_are_told_and_the_session_lives() -> None:
    clock = a_clock()
    async with FakeMassive() as venue:
        venue.chain = ROWS
        venue.spoil = "/v3/snapshot"
        async with session(venue, clock) as one:
            await until(lambda: "is not complete" in one.fed.account.notes.get("chain", ""))
            venue.spoil = ""
            await subscribed(one)
            assert one.fed.account.listed == len(ROWS)
            assert "chain" not in one.fed.account.notes


async def test_frames_nobody_can_read_do_not_stop_the_rest() -> None:
    clock = a_clock()
    async with FakeMassive() as venue:
        venue.chain = ROWS
        async with session(venue, clock) as one:
            await subscribed(one)
            venue.say('[{"ev":"T","sym"')
            venue.say("[[[[]]]]")
            venue.say('[{"ev":"XYZ"}]')
            venue.publish(told(clock, ATM, 5.0, 1, 1))
            await until(lambda: len(one.tape()) == 1)
            await until(lambda: one.report.malformed == 2)
            assert one.states.count("reconnecting") == 0


HANDED = {
    "opened": "on_open",
    "closed": "closed",
    "frame": "receive",
    "answered": "answer",
    "timer": "on_timer",
    "flushed": "flush",
}


class Log:
    """A tap that keeps what the protocol was handed, in order."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        assert name != "lost"

        def keep(*arguments: Any) -> None:
            if (method := HANDED.get(name)) is not None:
                self.calls.append((method, () if method == "flush" else arguments))

        return keep


async def test_what_the_protocol_was_handed_makes_the_same_events_again() -> None:
    clock = a_clock()
    log: Any = Log()
    said: list[str] = []
    async with FakeMassive() as venue, Line(venue.port) as line:
        venue.chain = ROWS
        async with session(venue, clock, line.port, tap=log, said=said) as one:
            await subscribed(one)
            venue.publish(shown(clock, ATM, 5.0, 5.2), told(clock, ATM, 5.0, 1, 1))
            await until(lambda: len(one.tape()) == 1)
            line.cut()
            venue.publish(told(clock, ATM, 7.0, 1, 2))
            await subscribed(one, 2)
            venue.publish(told(clock, PUT, 8.0, 1, 3), shown(clock, PUT, 5.0, 5.2))
            await until(lambda: len(one.tape()) == 3)
        url, rest = f"ws://127.0.0.1:{line.port}/options", f"http://127.0.0.1:{venue.port}"
    again = make("SPX", {"key": Secret(KEY)}, FeedOptions(url=url, rest_url=rest))
    repeated: list[str] = []
    for name, arguments in log.calls:
        out = getattr(again, name)(*arguments)
        if name in ("receive", "answer", "flush"):
            repeated += map(repr_of, out)
        again.outgoing()
    assert len(said) > 10 and repeated == said
