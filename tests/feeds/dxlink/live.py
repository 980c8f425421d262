"""A fake tastytrade, our protocol and the real runner, at ten o'clock on a Friday that was."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np

from gexterm.clock import NS, ManualClock
from gexterm.dealers.tape import Tape
from gexterm.feeds.dxlink import make
from gexterm.feeds.dxlink.prints import index_of
from gexterm.feeds.dxlink.protocol import DxlinkProtocol
from gexterm.feeds.runner import FeedRunner, RunnerSettings
from gexterm.feeds.secrets import Secret
from gexterm.feeds.tap import Tap
from gexterm.feeds.venue import FeedOptions
from gexterm.market import calendar, symbols
from gexterm.market.contracts import Contract
from gexterm.market.events import (
    Definitions,
    Event,
    FeedReport,
    FeedStatus,
    OpenInterest,
    Quotes,
    Trades,
    UnderlyingPrice,
    Volume,
)
from tests.venues.dxlink import CLIENT_SECRET, REFRESH_TOKEN, FakeDxlink, trade

DATE = dt.date(2025, 11, 21)
OPEN = calendar.session_open_ns(DATE)
TEN = OPEN + 1800 * NS
TEN_MS = TEN // 1_000_000
SECRETS = {"client-secret": Secret(CLIENT_SECRET), "refresh-token": Secret(REFRESH_TOKEN)}
STRIKES = [6500.0, 6550.0, 6600.0, 6602.5, 6650.0]
CALL, PUT, AM_CALL = ".SPXW251121C6600", ".SPXW251121P6600", ".SPX251219C6600"
PM_CALL = ".SPXW251219C6600"


def chain(venue: FakeDxlink) -> None:
    venue.chain(
        "SPX",
        {
            "SPX": {"settlement": "AM", "expiries": {"2025-12-19": STRIKES}},
            "SPXW": {
                "settlement": "PM",
                "expiries": {"2025-11-21": STRIKES, "2025-12-19": STRIKES},
            },
        },
    )


def quote(symbol: str, bid: Any, ask: Any, at_ms: int = 0) -> dict[str, Any]:
    sizes = {"bidSize": 12.0, "askSize": 34.0}
    return (
        {"eventSymbol": symbol, "bidPrice": bid, "askPrice": ask, "bidTime": at_ms}
        | sizes
        | {"askTime": at_ms}
    )


def sale(symbol: str, number: int, price: float, size: float, **other: Any) -> dict[str, Any]:
    ms = TEN_MS + number
    return {
        "eventSymbol": symbol,
        "eventFlags": 0,
        "index": index_of(ms, number),
        "time": ms,
        "timeNanoPart": 0,
        "sequence": number,
        "price": price,
        "size": size,
        "bidPrice": price - 0.1,
        "askPrice": price,
        "exchangeSaleConditions": "I",
        "aggressorSide": "BUY",
        "spreadLeg": False,
        "extendedTradingHours": False,
        "validTick": True,
        "type": "NEW",
    } | other


def spot(price: float) -> dict[str, Any]:
    return trade("SPX", price, TEN_MS, "NaN", size="NaN")


class Live:
    """What a run has said so far."""

    def __init__(self, venue: FakeDxlink, protocol: DxlinkProtocol, clock: ManualClock) -> None:
        self.venue = venue
        self.protocol = protocol
        self.clock = clock
        self.events: list[Event] = []
        self.done = False

    async def until(
        self, condition: Callable[[], bool], within_s: float = 60.0, pace_s: float = 0.1
    ) -> None:
        """Let market time pass until the condition holds; a test that waits in vain fails.

        `pace_s`: market seconds at a time, each heard by whoever waits for it. A faster one
        is for waits in which nobody is to answer.
        """
        async with asyncio.timeout(within_s):
            while not condition():
                waiting = self.clock.sleepers
                self.clock.advance(pace_s)
                due = [when for when in waiting if when <= self.clock.now_ns()]
                await asyncio.sleep(0.001)
                while any(when in self.clock.sleepers for when in due):  # noqa: ASYNC110
                    await asyncio.sleep(0)

    async def seconds(self, count: float) -> None:
        """Let so much market time pass in which nobody is to answer."""
        end = self.clock.now_ns() + round(count * NS)
        await self.until(lambda: self.clock.now_ns() >= end, pace_s=0.5)

    async def subscribed(self, price: float = 6600.0) -> None:
        """Wait until the window is subscribed to, given a price of the index."""
        await self.until(
            lambda: "SPX" in self.venue.subscribed("Trade") if self.venue.past else False
        )
        await self.venue.publish("Trade", [spot(price)])
        await self.until(lambda: "subscribed" in self.protocol.account.steps)
        await self.until(lambda: bool(self.venue.subscribed("TimeAndSale")))

    async def publish(self, kind: str, *events: dict[str, Any]) -> None:
        await self.venue.publish(kind, list(events))

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def contracts(self) -> list[Contract]:
        return [c for d in self.of(Definitions) for c in d.contracts]

    def name(self, index: int) -> str:
        return symbols.format(self.contracts[index], "dxfeed")

    @property
    def states(self) -> list[str]:
        return [status.state for status in self.of(FeedStatus)]

    @property
    def words(self) -> str:
        return "\n".join(status.message for status in self.of(FeedStatus))

    @property
    def notes(self) -> dict[str, str]:
        return self.protocol.account.notes

    @property
    def report(self) -> FeedReport:
        return self.of(FeedReport)[-1]

    def quotes(self) -> dict[str, tuple[float, float, float, float]]:
        """The last quote of each contract."""
        last = {}
        for event in self.of(Quotes):
            for row in range(len(event.contract)):
                columns = (event.bid, event.ask, event.bid_size, event.ask_size)
                last[self.name(int(event.contract[row]))] = tuple(float(c[row]) for c in columns)
        return last

    def tape(self) -> dict[tuple[str, int], tuple[float, float, int, int]]:
        """Prints in force: price, size, time and condition by contract and number."""
        tape = Tape()
        for event in self.of(Trades):
            tape.take(event, "dxfeed", len(self.contracts))
        return {
            (self.name(int(tape.contract[row])), int(tape.sequence[row])): (
                float(tape.price[row]),
                float(tape.size[row]),
                int(tape.ts[row]),
                int(tape.condition[row]),
            )
            for row in tape.live().tolist()
        }

    def values(self, kind: type, column: str) -> dict[str, float]:
        """The last value of each contract."""
        return {
            self.name(int(c)): float(v)
            for event in self.of(kind)
            for c, v in zip(event.contract, getattr(event, column), strict=True)
        }

    def interest(self) -> dict[str, float]:
        return self.values(OpenInterest, "open_interest")

    def volume(self) -> dict[str, float]:
        return self.values(Volume, "volume")

    def spots(self) -> list[float]:
        return [event.price for event in self.of(UnderlyingPrice)]


@contextlib.asynccontextmanager
async def live(
    venue: FakeDxlink,
    *,
    url: str = "",
    begins: int = TEN,
    tap: Tap | None = None,
    **options: Any,
) -> AsyncIterator[Live]:
    """A runner on the fake venue. `url`: another way to its websocket."""
    clock = ManualClock(begins)
    feed = FeedOptions(url=url, rest_url=venue.url("", scheme="http"), **options)
    protocol = make("SPX", SECRETS, feed)
    settings = RunnerSettings(ping_s=1e6)
    runner = FeedRunner(protocol, clock, rng=random.Random(1), settings=settings, tap=tap)
    async with runner:
        there = Live(venue, protocol, clock)

        async def take() -> None:
            async for batch in runner.events():
                there.events += batch
            there.done = True

        task = asyncio.create_task(take())
        try:
            yield there
        finally:
            await runner.close()
            await task


def columns(trades: list[Trades]) -> dict[str, list[Any]]:
    """Trades as lists, whatever batches they came in."""
    names = (
        "ts",
        "price",
        "size",
        "bid",
        "ask",
        "side",
        "condition",
        "sequence",
        "action",
        "refers",
    )
    return {
        name: np.concatenate([getattr(each, name) for each in trades]).tolist() for name in names
    }
