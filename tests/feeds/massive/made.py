"""A small made-up chain as Massive lists it, and a protocol to feed by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from gexterm.clock import NS
from gexterm.feeds.massive import make
from gexterm.feeds.massive.protocol import MassiveProtocol
from gexterm.feeds.protocol import Answer, Outgoing, Request
from gexterm.feeds.secrets import Secret
from gexterm.feeds.venue import FeedOptions
from gexterm.market.events import Event
from tests.venues.massive import status

KEY = "a-key-of-massive-0123456789"
NOW = 1_795_188_600 * NS
"""Friday 20 November 2026, 10:30 in New York: a third Friday, AM and PM on one date."""
MIDNIGHT = NOW - (10 * 3600 + 1800) * NS
"""To which the venue dates the bar of a day."""
SPOT = 6600.0
TODAY, MONDAY, DECEMBER, FAR = "2026-11-20", "2026-11-23", "2026-12-18", "2027-12-17"


def symbol(root: str, date: str, right: str, strike: float) -> str:
    year, month, day = date.split("-")
    return f"O:{root}{year[2:]}{month}{day}{right}{round(strike * 1000):08d}"


def row(
    root: str = "SPXW",
    date: str = TODAY,
    right: str = "C",
    strike: float = 6600.0,
    **changes: Any,
) -> dict[str, Any]:
    """A snapshot row: fair at parity, one point of time value and a half on the wings."""
    intrinsic = max(SPOT - strike if right == "C" else strike - SPOT, 0.0)
    mid = intrinsic + 5.0
    out: dict[str, Any] = {
        "day": {"volume": 12, "last_updated": MIDNIGHT},
        "details": {
            "contract_type": "call" if right == "C" else "put",
            "exercise_style": "european",
            "expiration_date": date,
            "shares_per_contract": 100,
            "strike_price": strike,
            "ticker": symbol(root, date, right, strike),
        },
        "last_quote": {
            "ask": mid + 0.1,
            "ask_size": 20,
            "bid": mid - 0.1,
            "bid_size": 10,
            "last_updated": NOW - 2 * NS,
            "timeframe": "REAL-TIME",
        },
        "open_interest": 1000 + round(strike) % 100,
        "underlying_asset": {"ticker": "I:SPX", "value": SPOT, "timeframe": "REAL-TIME"},
    }
    out.update(changes)
    return out


def chain(
    dates: Iterable[tuple[str, str]] = (
        ("SPXW", TODAY),
        ("SPXW", MONDAY),
        ("SPX", DECEMBER),
        ("SPXW", DECEMBER),
        ("SPXW", FAR),
    ),
    strikes: Iterable[float] = tuple(float(k) for k in range(6500, 6701, 10)),
) -> list[dict[str, Any]]:
    """Rows of whole series, calls and puts, as `(root, date)`."""
    strikes = tuple(strikes)
    return [row(root, date, right, k) for root, date in dates for k in strikes for right in "CP"]


def trade(
    name: str, p: Any = 5.0, s: Any = 3, q: Any = 1, ms: int = 0, **more: Any
) -> dict[str, Any]:
    """A print as the websocket tells it."""
    return {
        "ev": "T",
        "sym": name,
        "x": 302,
        "p": p,
        "s": s,
        "c": [209],
        "t": NOW // 1_000_000 + ms,
        "q": q,
        **more,
    }


def quote(name: str, bp: Any = 4.9, ap: Any = 5.1, ms: int = 0, **more: Any) -> dict[str, Any]:
    """A quote as the websocket tells it."""
    return {
        "ev": "Q",
        "sym": name,
        "bx": 302,
        "bp": bp,
        "bs": 10,
        "ax": 302,
        "ap": ap,
        "as": 20,
        "t": NOW // 1_000_000 + ms,
        "q": 7,
        **more,
    }


def frame(*events: dict[str, Any]) -> bytes:
    return json.dumps(events, separators=(",", ":")).encode()


def protocol(underlying: str = "SPX", **options: Any) -> MassiveProtocol:
    made = make(underlying, {"key": Secret(KEY)}, FeedOptions(**options))
    assert isinstance(made, MassiveProtocol)
    return made


class Hand:
    """Feeds a protocol by hand and collects what it says and wants; time is given."""

    def __init__(self, fed: MassiveProtocol, rows: list[dict[str, Any]] | None = None) -> None:
        self.fed = fed
        self.rows = chain() if rows is None else rows
        self.past: dict[str, list[dict[str, Any]]] = {}
        self.status: dict[str, int] = {}
        self.now = NOW
        self.events: list[Event] = []
        self.sent: list[dict[str, Any]] = []
        self.asked: list[Request] = []
        self.page = 250

    def open(self) -> None:
        self._take(self.fed.on_open(self.now))
        self.hear(status("connected", "Connected Successfully"))
        self.hear(status("auth_success", "authenticated"))

    def start(self, seconds: int = 3) -> None:
        """Log in, load the chain, subscribe to everything, and hear that it holds."""
        self.open()
        for _ in range(seconds):
            self.tick()
            self.confirm()

    def hear(self, *events: dict[str, Any]) -> None:
        self.events += self.fed.receive(frame(*events), self.now)
        self._take(self.fed.outgoing())

    def confirm(self) -> None:
        names = [
            name
            for said in self.sent
            if said["action"] == "subscribe"
            for name in said["params"].split(",")
        ]
        self.hear(*(status("success", f"subscribed to: {name}") for name in names))

    def tick(self, seconds: int = 1) -> None:
        for _ in range(seconds):
            self.now += NS
            self._take(self.fed.on_timer(self.now))

    def flush(self) -> list[Event]:
        events = self.fed.flush()
        self.events += events
        return events

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def frames(self, action: str, channel: str) -> list[list[str]]:
        """Names of each frame sent, in order."""
        return [
            said["params"].split(",")
            for said in self.sent
            if said["action"] == action and said["params"].startswith(f"{channel}.")
        ]

    def _take(self, wanted: list[Outgoing]) -> None:
        while wanted:
            for one in wanted:
                if isinstance(one, Request):
                    self.asked.append(one)
                    self.events += self.fed.answer(self._answered(one))
                else:
                    self.sent.append(json.loads(one))
            wanted = self.fed.outgoing()

    def _answered(self, request: Request) -> Answer:
        parts = urlsplit(request.url)
        params = dict(parse_qsl(parts.query))
        for path, code in self.status.items():
            if parts.path.startswith(path):
                said = json.dumps({"status": "NOT_AUTHORIZED", "message": "not entitled"})
                return Answer(request.key, code, {}, said.encode(), self.now)
        if parts.path.startswith("/v3/trades/"):
            rows: list[Any] = self.past.get(parts.path.removeprefix("/v3/trades/"), [])
            since, until = int(params["timestamp.gte"]), int(params["timestamp.lt"])
            rows = [each for each in rows if since <= each["sip_timestamp"] < until]
            return self._body(request, {"results": rows})
        first, last = params["expiration_date.gte"], params.get("expiration_date.lte", "9")
        rows = [r for r in self.rows if first <= r["details"]["expiration_date"] <= last]
        if "reference" in parts.path:
            rows = [each["details"] for each in rows]
        at = int(params.get("first", 0))
        body: dict[str, Any] = {"results": rows[at:][: self.page]}
        if at + self.page < len(rows):
            base = request.url.split("&first=")[0]
            body["next_url"] = f"{base}&first={at + self.page}"
        return self._body(request, body)

    def fed_answer(self, key: str) -> Answer:
        return Answer(key, 200, {}, b"{}", self.now)

    def _body(self, request: Request, body: dict[str, Any]) -> Answer:
        return Answer(request.key, 200, {}, json.dumps(body).encode(), self.now)
