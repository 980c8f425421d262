"""What a session was handed, handed to a new protocol, yields the same events again."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from gexterm.errors import GextermError
from gexterm.feeds.dxlink import make
from gexterm.feeds.protocol import Answer
from gexterm.feeds.retry import Retry, Stop
from gexterm.feeds.venue import FeedOptions
from gexterm.market.events import ClockTick, Event, FeedReport, FeedStatus
from tests.feeds.dxlink.live import CALL, PUT, SECRETS, chain, live, quote, sale
from tests.venues.dxlink import FakeDxlink

_OF_THE_RUNNER = (ClockTick, FeedReport, FeedStatus)


class Noted:
    """A tap that keeps the calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any, int]] = []

    def prepared(self, now_ns: int) -> None:
        self.calls.append(("prepared", None, now_ns))

    def clock(self, what: str, now_ns: int) -> None:
        """The market's clock is the runner's."""

    def opened(self, now_ns: int) -> None:
        self.calls.append(("opened", None, now_ns))

    def frame(self, data: bytes, recv_ns: int) -> None:
        self.calls.append(("frame", data, recv_ns))

    def answered(self, answer: Answer) -> None:
        self.calls.append(("answered", answer, answer.recv_ns))

    def timer(self, now_ns: int) -> None:
        self.calls.append(("timer", None, now_ns))

    def flushed(self, now_ns: int) -> None:
        self.calls.append(("flushed", None, now_ns))

    def closed(self, verdict: Retry | Stop, now_ns: int) -> None:
        self.calls.append(("closed", verdict, now_ns))

    def lost(self, frames: int, now_ns: int) -> None:
        raise AssertionError("nothing is lost here")


def replayed(calls: list[tuple[str, Any, int]], url: str) -> list[Event]:
    protocol = make("SPX", SECRETS, FeedOptions(rest_url=url))
    events: list[Event] = []
    for call, what, now_ns in calls:
        try:
            if call == "prepared":
                protocol.prepare(now_ns)
            elif call == "opened":
                protocol.on_open(now_ns)
            elif call == "frame":
                events += protocol.receive(what, now_ns)
                protocol.outgoing()
            elif call == "answered":
                events += protocol.answer(what)
            elif call == "closed":
                protocol.closed(what, now_ns)
            elif call == "timer":
                protocol.on_timer(now_ns)
            else:
                events += protocol.flush()
        except GextermError:
            continue
    return events


def plain(events: list[Event]) -> list[tuple[Any, ...]]:
    """Events as comparable values, bit for bit; `recv` is the runner's, who dates batches."""
    found = []
    for event in events:
        if isinstance(event, _OF_THE_RUNNER):
            continue
        values = [
            getattr(event, field.name)
            for field in dataclasses.fields(event)
            if field.name != "recv"
        ]
        found.append(
            (type(event), [v.tobytes() if isinstance(v, np.ndarray) else v for v in values])
        )
    return found


async def test_a_session_with_a_bad_day_is_the_same_again() -> None:
    tap = Noted()
    async with FakeDxlink() as venue:
        chain(venue)
        venue.history[CALL] = [sale(CALL, 9, 9.5, 1.0)]
        async with live(venue, tap=tap) as there:
            await there.subscribed()
            await there.publish("Quote", quote(CALL, 10.4, 10.5), quote(PUT, 9.0, 9.1))
            await there.publish("TimeAndSale", sale(CALL, 1, 10.5, 1.0))
            await venue.say("nonsense")
            await there.until(lambda: len(there.tape()) == 2)
            await venue.expire()
            await there.until(lambda: CALL in venue.subscribed("TimeAndSale"))
            await venue.to_full()
            await there.publish("Summary", {"eventSymbol": CALL, "openInterest": 7})
            await there.publish("TimeAndSale", sale(CALL, 1, 10.5, 1.0, type="CANCEL"))
            await venue.sockets[0].close()
            await there.until(lambda: len(venue.past) == 2)
            await there.until(lambda: CALL in venue.subscribed("TimeAndSale"))
            await there.publish("Quote", quote(CALL, 10.5, 10.7))
            await there.publish("TimeAndSale", sale(PUT, 3, 9.0, 1.0))
            await there.until(lambda: len(there.tape()) == 2 and CALL in there.quotes())
            await there.until(lambda: there.quotes()[CALL][0] == 10.5)
        again = replayed(tap.calls, venue.url("", scheme="http"))
    assert plain(again) == plain(there.events)
    assert len(again) > 8
