"""A Tradier protocol brought to where it talks, by hand and without a socket."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any

from gexterm.clock import NS
from gexterm.feeds.protocol import Answer, Outgoing, Request
from gexterm.feeds.secrets import Secret
from gexterm.feeds.tradier.protocol import TradierProtocol
from gexterm.feeds.venue import FeedOptions
from gexterm.market import calendar
from gexterm.market.events import Definitions, Event, Quotes, Trades
from tests.venues.tradier import TOKEN, listed, row

OPEN = calendar.at_et(dt.date(2025, 11, 20), dt.time(10, 0))
MS = OPEN // 1_000_000
CALL, PUT = "SPXW251120C06600000", "SPXW251120P06600000"
AM, PM = "SPX251121C06600000", "SPXW251121C06600000"
FAR = "SPXW251219P06000000"
CHAINS = {
    "2025-11-20": [row(CALL), row(PUT, interest=0)],
    "2025-11-21": [row(AM, interest=1000), row(PM, interest=2000)],
    "2025-12-19": [row(FAR, interest=3000)],
}


def ok(key: str, said: object) -> Answer:
    """An answer with status 200."""
    return Answer(key, 200, {}, json.dumps(said).encode(), OPEN)


def chain(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The page of one date."""
    return {"options": {"option": listed(rows)}}


class Talk:
    """A protocol, answered as Tradier would answer."""

    def __init__(self, **options: Any) -> None:
        self.protocol = TradierProtocol("SPX", Secret(TOKEN), FeedOptions(**options))
        self.chains = dict(CHAINS)
        self.spot, self.spot_ms = 6600.0, MS
        self.now = OPEN
        self.events: list[Event] = []
        self.asked: list[str] = []
        self.sent: list[dict[str, Any]] = []
        self.sessions = 0

    def reply(self, key: str) -> Answer:
        if key == "session":
            self.sessions += 1
            return ok(key, {"stream": {"sessionid": f"session-{self.sessions}", "url": "x"}})
        if key == "expirations":
            return ok(key, {"expirations": {"date": listed(sorted(self.chains))}})
        if key == "quote":
            value = {"symbol": "SPX", "last": self.spot, "trade_date": self.spot_ms}
            return ok(key, {"quotes": {"quote": value}})
        return ok(key, chain(self.chains[key.removeprefix("chain ")]))

    def hear(self, out: Iterable[Outgoing]) -> None:
        for each in out:
            if isinstance(each, Request):
                self.asked.append(each.key)
                self.events += self.protocol.answer(self.reply(each.key))
                self.hear(self.protocol.outgoing())
            else:
                self.sent.append(json.loads(each))

    def open(self) -> Talk:
        while wanted := self.protocol.prepare(self.now):
            self.hear(wanted)
        self.hear(self.protocol.on_open(self.now))
        self.events += self.protocol.flush()
        return self

    def run(self, seconds: int) -> Talk:
        for _ in range(seconds):
            self.now += NS
            self.hear(self.protocol.on_timer(self.now))
            self.events += self.protocol.flush()
        return self

    def say(self, *said: dict[str, Any], recv: int | None = None) -> list[Event]:
        frame = "".join(json.dumps(each) + "\n" for each in said).encode()
        self.events += self.protocol.receive(frame, recv or self.now)
        self.hear(self.protocol.outgoing())
        flushed = self.protocol.flush()
        self.events += flushed
        return flushed

    def trades(self, *said: dict[str, Any]) -> Trades:
        [trades] = [event for event in self.say(*said) if isinstance(event, Trades)]
        return trades

    def quotes(self, *said: dict[str, Any], recv: int | None = None) -> Quotes:
        [quotes] = [e for e in self.say(*said, recv=recv) if isinstance(e, Quotes)]
        return quotes

    def index(self, symbol: str) -> int:
        names = [c for e in self.events if isinstance(e, Definitions) for c in e.contracts]
        for i, contract in enumerate(names):
            head = f"{contract.root}{contract.expiry:%y%m%d}{contract.right}"
            if f"{head}{round(contract.strike * 1000):08d}" == symbol:
                return i
        raise KeyError(symbol)
