"""Tradier on the loopback: sessions, chains and the stream, as its documentation has them.

From documentation.tradier.com and docs.tradier.com: create-market-session,
wss-market-websocket, get-options-expirations, get-options-chains, get-quotes, rate-limiting,
and the response reference. What they say and a client may get wrong is held here:

    a session is good for five minutes until used, and for one stream at a time
    a message replaces the one before: symbols not in it any more are silent
    the filter of the first message stays for the whole stream
    only symbols asked for are sent, only kinds in the filter
    an unknown symbol or session is an error payload, not a closed connection
    prices of prints are strings, times are milliseconds in strings
    a list of one is an object, an empty one is null (from XML, as its answers show)
"""

from __future__ import annotations

import asyncio
import json
from email.utils import formatdate
from typing import Any

from aiohttp import WSMsgType, web

from tests.venues.base import FakeVenue

TOKEN = "tradier-access-token-1"


def row(
    symbol: str,
    bid: float = 10.0,
    ask: float = 10.4,
    interest: int = 100,
    volume: int = 5,
    at_ms: int = 1_763_735_400_000,
    **fields: Any,
) -> dict[str, Any]:
    """One option of a chain."""
    root, tail = symbol[:-15], symbol[-15:]
    return {
        "symbol": symbol,
        "description": "some words",
        "exch": "C",
        "type": "option",
        "last": None,
        "volume": volume,
        "bid": bid,
        "ask": ask,
        "underlying": "SPX",
        "strike": int(tail[7:]) / 1000,
        "greeks": None,
        "bidsize": 7,
        "bidexch": "C",
        "bid_date": at_ms,
        "asksize": 9,
        "askexch": "C",
        "ask_date": at_ms,
        "open_interest": interest,
        "contract_size": 100,
        "expiration_date": f"20{tail[:2]}-{tail[2:4]}-{tail[4:6]}",
        "expiration_type": "weeklys",
        "option_type": "call" if tail[6] == "C" else "put",
        "root_symbol": root,
    } | fields


def quote(symbol: str, bid: float, ask: float, at_ms: int, **fields: Any) -> dict[str, Any]:
    """A quote event: numbers as numbers, times as strings."""
    return {
        "type": "quote",
        "symbol": symbol,
        "bid": bid,
        "bidsz": 11,
        "bidexch": "C",
        "biddate": str(at_ms),
        "ask": ask,
        "asksz": 12,
        "askexch": "C",
        "askdate": str(at_ms),
    } | fields


def timesale(
    symbol: str,
    last: float,
    size: int,
    at_ms: int,
    seq: int,
    bid: float = 10.0,
    ask: float = 10.4,
    **fields: Any,
) -> dict[str, Any]:
    """A print: everything in strings but its number and its flags."""
    return {
        "type": "timesale",
        "symbol": symbol,
        "exch": "C",
        "bid": str(bid),
        "ask": str(ask),
        "last": str(last),
        "size": str(size),
        "date": str(at_ms),
        "seq": seq,
        "flag": "",
        "cancel": False,
        "correction": False,
        "session": "normal",
    } | fields


def listed(values: list[Any]) -> Any:
    """As a list made from XML: one is itself, none is null."""
    return None if not values else values[0] if len(values) == 1 else values


class TradierVenue(FakeVenue):
    """A broker with one customer."""

    def __init__(self, chains: dict[str, list[dict[str, Any]]], spot: float = 6600.0) -> None:
        super().__init__()
        self.chains = chains
        """Rows by expiry date."""
        self.spot = spot
        self.spot_ms = 1_763_735_400_000
        """When the index was last computed."""
        self.now_ms = 0
        """What time it is here; 0: when the index was last computed."""
        self.refusals: dict[str, list[tuple[int, dict[str, str]]]] = {}
        """Statuses for the next requests of a kind: session, expirations, chains, quotes."""
        self.sessions: set[str] = set()
        """Session numbers that are good."""
        self.handed_out = 0
        self.subscriptions: list[dict[str, Any]] = []
        """Every message received on the stream."""
        self.one_at_a_time = True
        """Whether a new session ends the one before."""
        self.breaks = "\n"
        self._asked: dict[web.WebSocketResponse, dict[str, Any]] = {}
        self._heard = asyncio.Event()
        self.http("POST", "/v1/markets/events/session", self._session)
        self.http("GET", "/v1/markets/options/expirations", self._expirations)
        self.http("GET", "/v1/markets/options/chains", self._chains)
        self.http("GET", "/v1/markets/quotes", self._quotes)
        self.websocket("/v1/markets/events")

    # -- what tests do -----------------------------------------------------------------------

    async def subscribed(self, count: int = 1) -> dict[str, Any]:
        """Wait for the `count`-th message since the start; what it says."""
        async with asyncio.timeout(60):
            while len(self.subscriptions) < count:
                self._heard.clear()
                await self._heard.wait()
        return self.subscriptions[count - 1]

    async def say(self, *events: dict[str, Any]) -> None:
        """Send events to every stream that asked for them, in one frame each."""
        for socket, asked in list(self._asked.items()):
            wanted = [
                event
                for event in events
                if event["symbol"] in asked["symbols"]
                and ("filter" not in asked or event["type"] in asked["filter"])
            ]
            if wanted:
                await socket.send_str("".join(json.dumps(e) + self.breaks for e in wanted))

    async def say_raw(self, text: str) -> None:
        """Send a frame as it is."""
        for socket in list(self._asked):
            await socket.send_str(text)

    def expire_sessions(self) -> None:
        """Sessions handed out so far are good no more."""
        self.sessions.clear()

    # -- HTTP ----------------------------------------------------------------------------------

    def _refused(self, request: web.Request, kind: str) -> web.Response | None:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return web.Response(status=401, text="Invalid Access Token")
        assert request.headers.get("Accept") == "application/json", "else it answers in XML"
        if waiting := self.refusals.get(kind):
            status, headers = waiting.pop(0)
            return web.Response(status=status, headers=headers, text="no")
        return None

    async def _session(self, request: web.Request) -> web.StreamResponse:
        if (refused := self._refused(request, "session")) is not None:
            return refused
        if self.one_at_a_time:
            self.sessions.clear()
        self.handed_out += 1
        name = f"c8638963-a6d4-4fe9-{self.handed_out:04d}"
        self.sessions.add(name)
        url = "https://stream.tradier.com/v1/markets/events"
        return web.json_response({"stream": {"sessionid": name, "url": url}})

    async def _expirations(self, request: web.Request) -> web.StreamResponse:
        if (refused := self._refused(request, "expirations")) is not None:
            return refused
        if request.query["symbol"] != "SPX":
            return web.json_response({"expirations": None})
        assert request.query.get("includeAllRoots") == "true", "else the weeklies are missing"
        return web.json_response({"expirations": {"date": listed(sorted(self.chains))}})

    async def _chains(self, request: web.Request) -> web.StreamResponse:
        if (refused := self._refused(request, "chains")) is not None:
            return refused
        rows = self.chains.get(request.query["expiration"], [])
        return web.json_response({"options": {"option": listed(rows)} if rows else None})

    async def _quotes(self, request: web.Request) -> web.StreamResponse:
        if (refused := self._refused(request, "quotes")) is not None:
            return refused
        symbol = request.query["symbols"]
        if symbol != "SPX":
            return web.json_response({"quotes": {"unmatched_symbols": {"symbol": symbol}}})
        # Its own clock: that of the index, which is computed all the time.
        date = formatdate((self.now_ms or self.spot_ms) / 1000, usegmt=True)
        known = {
            "symbol": "SPX",
            "type": "index",
            "last": self.spot,
            "bid": 0.0,
            "ask": 0.0,
            "trade_date": self.spot_ms,
        }
        return web.json_response({"quotes": {"quote": known}}, headers={"Date": date})

    # -- the stream ----------------------------------------------------------------------------

    async def session(self, socket: web.WebSocketResponse) -> None:
        """Take messages until the client leaves."""
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                asked = json.loads(message.data)
                self.subscriptions.append(asked)
                self._heard.set()
                await self._take(socket, asked)
        finally:
            self._asked.pop(socket, None)

    async def _take(self, socket: web.WebSocketResponse, asked: dict[str, Any]) -> None:
        if asked.get("sessionid") not in self.sessions:
            await socket.send_str(json.dumps({"error": "Session not found"}))
            return
        known = {"SPX"} | {row["symbol"] for rows in self.chains.values() for row in rows}
        for symbol in asked["symbols"]:
            if symbol not in known:
                await socket.send_str(json.dumps({"error": f"{symbol} is not a valid symbol"}))
                return
        before = self._asked.get(socket)
        if before is not None and "filter" in before:
            asked = {**asked, "filter": before["filter"]}
        self._asked[socket] = asked
