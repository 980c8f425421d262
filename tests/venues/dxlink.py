"""A fake tastytrade: its REST side and a DXLink server, as strict as the description allows.

Written from dxLink's AsyncAPI document 1.0.2 and tastytrade's pages for developers, not from
our client. What the document calls a violation is answered with ERROR: a message that is no
JSON object with type and channel (INVALID_MESSAGE); anything before SETUP, a second SETUP, an
even or used channel, FEED messages for a channel that is not open, a subscription that its
contract does not allow (BAD_ACTION); a channel without authorisation (UNAUTHORIZED). Silence
of a client beyond the server's keepaliveTimeout is TIMEOUT and the end of the connection. A
frame beyond `most_frame` bytes is closed with 1009.

    async with FakeDxlink() as venue:
        venue.chain("SPX", [...])
        ...
        await venue.quotes([...])
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import WSMsgType, web

from tests.venues.base import FakeVenue

PATH = "/realtime"
CLIENT_SECRET, REFRESH_TOKEN = "a-client-secret-0123456789", "a-refresh-token-0123456789"
_CONTRACTS = {"AUTO", "TICKER", "STREAM", "HISTORY"}
_AUTO_FIELDS = {
    "Quote": ["eventSymbol", "eventTime", "bidPrice", "askPrice", "bidSize", "askSize"],
    "Trade": ["eventSymbol", "eventTime", "price", "size", "dayVolume", "time"],
}


@dataclass
class Channel:
    """A channel as the server has it."""

    number: int
    contract: str
    period: float = 0.0
    format: str = "FULL"
    fields: dict[str, list[str]] = field(default_factory=dict)
    configured: set[str] = field(default_factory=set)
    subscribed: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)


@dataclass(eq=False)
class Connection:
    """One websocket."""

    socket: web.WebSocketResponse
    set_up: bool = False
    authorized: bool = False
    silence_s: float = 60.0
    channels: dict[int, Channel] = field(default_factory=dict)
    used: set[int] = field(default_factory=set)
    received: list[dict[str, Any]] = field(default_factory=list)

    async def send(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(ConnectionError):
            await self.socket.send_str(json.dumps(message))


class FakeDxlink(FakeVenue):
    """tastytrade and its DXLink on one port."""

    def __init__(self) -> None:
        super().__init__()
        self.level = "api"
        self.requires_token = True
        self.refresh_tokens = {REFRESH_TOKEN}
        self.customer = True
        self.rest_status: dict[str, int] = {}
        """Status to answer with by path, instead of doing what was asked."""
        self.dxlink_url = ""
        """Address named beside the quote token; empty: our own."""
        self.access: set[str] = set()
        self.tokens: set[str] = set()
        """Quote tokens that are good."""
        self.issued: list[str] = []
        """Quote tokens ever given out."""
        self.chains: dict[str, list[dict[str, Any]]] = {}
        self.most_frame = 16_384
        """Longest frame taken; longer ones are closed with 1009."""
        self.silent = False
        """Accept everything and say nothing."""
        self.entitled = {"Quote", "Trade", "Summary", "TimeAndSale", "Greeks", "Candle"}
        """Event types that are delivered."""
        self.order: dict[str, list[str]] = {}
        """Orders of fields that the server insists on, by event type."""
        self.full = False
        """Deliver FULL, whatever was asked for."""
        self.keepalive_timeout = 60.0
        self.history: dict[str, list[dict[str, Any]]] = {}
        """TimeAndSale events of the past by symbol, newest first."""
        self.has_history = True
        self.contracts = set(_CONTRACTS)
        """Contracts of channels that are offered."""
        self.past: list[Connection] = []
        """Every connection ever, in order."""
        self.errors: list[tuple[str, str]] = []
        """Errors told to clients: kind, message."""
        self.http("POST", "/oauth/token", self._oauth)
        self.http("GET", "/api-quote-tokens", self._quote_token)
        self.http("GET", "/option-chains/{symbol}/nested", self._nested)
        self.websocket(PATH)

    # REST

    def chain(self, underlying: str, roots: dict[str, dict[str, Any]]) -> None:
        """List options: root → {"settlement": "AM", "expiries": {date: [strikes]}}."""
        items = []
        for root, of in roots.items():
            expirations = []
            for date, strikes in of["expiries"].items():
                yymmdd = date.replace("-", "")[2:]
                expirations.append(
                    {
                        "expiration-type": "Regular" if of["settlement"] == "AM" else "Weekly",
                        "expiration-date": date,
                        "days-to-expiration": 1,
                        "settlement-type": of["settlement"],
                        "strikes": [_strike(root, yymmdd, strike) for strike in strikes],
                    }
                )
            items.append(
                {
                    "underlying-symbol": underlying,
                    "root-symbol": root,
                    "option-chain-type": "Standard",
                    "shares-per-contract": 100,
                    "tick-sizes": [{"value": "0.05"}],
                    "expirations": expirations,
                }
            )
        self.chains[underlying] = items

    async def _oauth(self, request: web.Request) -> web.StreamResponse:
        if status := self.rest_status.get("/oauth/token"):
            return web.json_response({"error": {"code": "trouble"}}, status=status)
        asked = await request.json()
        known = asked.get("client_secret") == CLIENT_SECRET
        if asked.get("grant_type") != "refresh_token" or not known:
            return web.json_response(
                {"error_code": "invalid_client", "error_description": "no"}, status=401
            )
        if asked.get("refresh_token") not in self.refresh_tokens:
            return web.json_response(
                {"error_code": "invalid_grant", "error_description": "revoked"}, status=400
            )
        token = f"access-token-{len(self.access)}-0123456789"
        self.access.add(token)
        return web.json_response({"access_token": token, "token_type": "Bearer", "expires_in": 900})

    def _stranger(self, request: web.Request) -> web.StreamResponse | None:
        """What a request without a good access token, or without a User-Agent, is told."""
        path = request.path
        if status := self.rest_status.get(path):
            return web.json_response({"error": {"code": "trouble"}}, status=status)
        if "/" not in request.headers.get("User-Agent", ""):
            return web.Response(status=403, text="no product/version")
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or token not in self.access:
            return web.json_response(
                {"error": {"code": "token_invalid", "message": "This token is invalid"}},
                status=401,
            )
        return None

    async def _quote_token(self, request: web.Request) -> web.StreamResponse:
        if (refusal := self._stranger(request)) is not None:
            return refusal
        if not self.customer:
            error = {
                "code": "quote_streamer.customer_not_found_error",
                "message": "You must be a customer to access a quote stream.",
            }
            return web.json_response({"error": error}, status=404)
        token = f"quote-token-{len(self.issued)}-0123456789"
        self.tokens.add(token)
        self.issued.append(token)
        url = self.dxlink_url or self.url(PATH)
        data = {"token": token, "dxlink-url": url, "level": self.level}
        return web.json_response({"data": data, "context": "/api-quote-tokens"})

    async def _nested(self, request: web.Request) -> web.StreamResponse:
        if (refusal := self._stranger(request)) is not None:
            return refusal
        items = self.chains.get(request.match_info["symbol"])
        if items is None:
            return web.json_response(
                {"error": {"code": "record_not_found", "message": "no such chain"}}, status=404
            )
        return web.json_response({"data": {"items": items}, "context": request.path})

    # The websocket

    async def session(self, socket: web.WebSocketResponse) -> None:
        here = Connection(socket)
        self.past.append(here)
        while True:
            try:
                frame = await socket.receive(here.silence_s)
            except TimeoutError:
                await self._error(here, 0, "TIMEOUT", "nothing was received in time")
                return
            if frame.type is not WSMsgType.TEXT:
                return
            if len(frame.data) > self.most_frame:
                await socket.close(code=1009, message=b"Max frame length exceeded")
                return
            await self._message(here, frame.data)

    async def _message(self, here: Connection, text: str) -> None:
        try:
            message = json.loads(text)
            kind, number = message["type"], message["channel"]
            if not isinstance(kind, str) or isinstance(number, bool):
                raise TypeError
            number = int(number)
        except (ValueError, KeyError, TypeError):
            await self._error(here, 0, "INVALID_MESSAGE", "it is no message")
            return
        here.received.append(message)
        if self.silent:
            return
        if not here.set_up and kind != "SETUP":
            await self._error(here, number, "BAD_ACTION", "SETUP comes first")
            return
        handle = getattr(self, f"_on_{kind.lower()}", None)
        if handle is None:
            await self._error(here, number, "INVALID_MESSAGE", f"unknown type {kind}")
            return
        await handle(here, number, message)

    async def _on_setup(self, here: Connection, number: int, message: dict[str, Any]) -> None:
        if here.set_up or number != 0 or not isinstance(message.get("version"), str):
            await self._error(here, number, "BAD_ACTION", "no SETUP is due")
            return
        if not message["version"].startswith("0.1-"):
            await self._error(here, 0, "UNSUPPORTED_PROTOCOL", "0.1 is spoken here")
            return
        here.set_up = True
        here.silence_s = self.keepalive_timeout
        answer = {
            "type": "SETUP",
            "channel": 0,
            "keepaliveTimeout": self.keepalive_timeout,
            "acceptKeepaliveTimeout": 60,
            "version": "1.0-1.2.1-20240722-153442",
        }
        await here.send(answer)
        here.authorized = not self.requires_token
        await self._auth_state(here)

    async def _on_auth(self, here: Connection, number: int, message: dict[str, Any]) -> None:
        if number != 0 or not isinstance(message.get("token"), str):
            await self._error(here, number, "INVALID_MESSAGE", "AUTH has a token, on channel 0")
            return
        here.authorized = message["token"] in self.tokens or not self.requires_token
        await self._auth_state(here)

    async def _on_keepalive(self, here: Connection, number: int, _: dict[str, Any]) -> None:
        if number != 0:
            await self._error(here, number, "BAD_ACTION", "KEEPALIVE is for channel 0")
            return
        await here.send({"type": "KEEPALIVE", "channel": 0})

    async def _on_channel_request(
        self, here: Connection, number: int, message: dict[str, Any]
    ) -> None:
        if not here.authorized:
            await self._error(here, 0, "UNAUTHORIZED", "authorize first")
            return
        if number <= 0 or number % 2 == 0 or number in here.channels:
            await self._error(here, number, "BAD_ACTION", "a channel has an unused odd number")
            return
        parameters = message.get("parameters")
        contract = parameters.get("contract") if isinstance(parameters, dict) else None
        if message.get("service") != "FEED" or contract not in self.contracts:
            await self._error(here, number, "INVALID_MESSAGE", "no such service or contract")
            return
        here.channels[number] = Channel(number, contract)
        here.used.add(number)
        answer = {"type": "CHANNEL_OPENED", "channel": number, "service": "FEED"}
        await here.send(answer | {"parameters": {"contract": contract, "subFormat": "LIST"}})

    async def _on_channel_cancel(self, here: Connection, number: int, _: dict[str, Any]) -> None:
        if here.channels.pop(number, None) is None:
            await self._error(here, number, "BAD_ACTION", "that channel is not open")
            return
        await here.send({"type": "CHANNEL_CLOSED", "channel": number})

    async def _on_feed_setup(self, here: Connection, number: int, message: dict[str, Any]) -> None:
        channel = here.channels.get(number)
        if channel is None:
            await self._error(here, number, "BAD_ACTION", "that channel is not open")
            return
        channel.period = float(message.get("acceptAggregationPeriod", channel.period))
        wanted = message.get("acceptDataFormat", channel.format)
        channel.format = "FULL" if self.full else wanted
        channel.fields |= message.get("acceptEventFields", {})
        channel.configured.clear()

    async def _on_feed_subscription(
        self, here: Connection, number: int, message: dict[str, Any]
    ) -> None:
        channel = here.channels.get(number)
        if channel is None:
            await self._error(here, number, "BAD_ACTION", "that channel is not open")
            return
        if not {"add", "remove", "reset"} & set(message):
            await self._error(here, number, "INVALID_MESSAGE", "nothing to do")
            return
        if message.get("reset"):
            channel.subscribed.clear()
        for operation in ("remove", "add"):
            if operation in message and not message[operation]:
                await self._error(here, number, "INVALID_MESSAGE", "an empty list")
                return
            for each in message.get(operation, []):
                if (wrong := _wrong(channel, each)) is not None:
                    await self._error(here, number, "INVALID_MESSAGE", wrong)
                    return
                key = each["type"], each["symbol"]
                if operation == "remove":
                    channel.subscribed.pop(key, None)
                else:
                    channel.subscribed[key] = each
        await self._snapshots(here, channel, message.get("add", []))

    async def _snapshots(
        self, here: Connection, channel: Channel, added: list[dict[str, Any]]
    ) -> None:
        """The history of what was just subscribed with a time."""
        if not self.has_history or "TimeAndSale" not in self.entitled:
            return
        for each in added:
            if each["type"] != "TimeAndSale" or "fromTime" not in each:
                continue
            symbol = each["symbol"]
            events = [e for e in self.history.get(symbol, []) if e["time"] >= each["fromTime"]]
            if not events:
                events = [{"eventSymbol": symbol, "index": 0, "eventFlags": 2 | 4 | 8}]
            else:
                events = [dict(event, eventFlags=0) for event in events]
                events[0]["eventFlags"] |= 4
                events[-1]["eventFlags"] |= 8
            await self._deliver(here, channel, "TimeAndSale", events)

    async def _auth_state(self, here: Connection) -> None:
        state = "AUTHORIZED" if here.authorized else "UNAUTHORIZED"
        await here.send({"type": "AUTH_STATE", "channel": 0, "state": state})

    async def _error(self, here: Connection, number: int, kind: str, message: str) -> None:
        self.errors.append((kind, message))
        await here.send({"type": "ERROR", "channel": number, "error": kind, "message": message})

    # What a test has it say

    @property
    def here(self) -> Connection:
        """The newest connection."""
        return self.past[-1]

    def subscribed(self, kind: str) -> set[str]:
        """Symbols that the newest connection has subscribed, live, to events of a type."""
        return {
            symbol
            for channel in self.here.channels.values()
            for (each, symbol), entry in channel.subscribed.items()
            if each == kind and "fromTime" not in entry
        }

    async def publish(self, kind: str, events: list[dict[str, Any]]) -> None:
        """Deliver events to whoever has subscribed to their symbols."""
        if kind not in self.entitled:
            return
        for here in self.past:
            if here.socket not in self.sockets or not here.authorized:
                continue
            for channel in list(here.channels.values()):
                wanted = [e for e in events if (kind, e["eventSymbol"]) in channel.subscribed]
                if wanted:
                    await self._deliver(here, channel, kind, wanted)

    async def configure(self, here: Connection, channel: Channel, kind: str) -> None:
        """FEED_CONFIG for an event type of a channel."""
        order = self.order.get(kind, channel.fields[kind])
        channel.configured.add(kind)
        message: dict[str, Any] = {
            "type": "FEED_CONFIG",
            "channel": channel.number,
            "aggregationPeriod": channel.period,
            "dataFormat": channel.format,
            "eventFields": {kind: order},
        }
        await here.send(message)

    async def reorder(self, kind: str, order: list[str]) -> None:
        """Change the order of fields in mid-stream, and say so."""
        self.order[kind] = order
        for channel in self.here.channels.values():
            if any(each == kind for each, _ in channel.subscribed):
                await self.configure(self.here, channel, kind)

    async def to_full(self) -> None:
        """Change to FULL in mid-stream, and say so."""
        self.full = True
        for channel in self.here.channels.values():
            channel.format = "FULL"
            channel.configured.clear()

    async def expire(self) -> None:
        """Every quote token given out is good no longer, and whoever uses one is told."""
        self.tokens.clear()
        for here in self.past:
            if here.authorized:
                here.authorized = False
                here.channels.clear()
                await self._error(here, 0, "UNAUTHORIZED", "the token has expired")
                await self._auth_state(here)

    async def close_channel(self, kind: str) -> None:
        """Close the channels on which a type is subscribed, unasked."""
        for number, channel in list(self.here.channels.items()):
            if any(each == kind for each, _ in channel.subscribed):
                del self.here.channels[number]
                await self.here.send({"type": "CHANNEL_CLOSED", "channel": number})

    async def say(self, message: dict[str, Any] | str) -> None:
        """Send anything at all."""
        text = message if isinstance(message, str) else json.dumps(message)
        await self.here.socket.send_str(text)

    async def _deliver(
        self, here: Connection, channel: Channel, kind: str, events: list[dict[str, Any]]
    ) -> None:
        channel.fields.setdefault(kind, _AUTO_FIELDS.get(kind, ["eventSymbol"]))
        if kind not in channel.configured:
            await self.configure(here, channel, kind)
        if channel.format == "FULL":
            data: list[Any] = [{"eventType": kind} | event for event in events]
        else:
            order = self.order.get(kind, channel.fields.get(kind, []))
            data = [kind, [({"eventType": kind} | e).get(f) for e in events for f in order]]
        await here.send({"type": "FEED_DATA", "channel": channel.number, "data": data})


def _strike(root: str, yymmdd: str, strike: float) -> dict[str, str]:
    thousandths = f"{round(strike * 1000):08d}"
    return {
        "strike-price": f"{strike:.1f}",
        "call": f"{root:<6}{yymmdd}C{thousandths}",
        "call-streamer-symbol": f".{root}{yymmdd}C{strike:g}",
        "put": f"{root:<6}{yymmdd}P{thousandths}",
        "put-streamer-symbol": f".{root}{yymmdd}P{strike:g}",
    }


def _wrong(channel: Channel, each: Any) -> str | None:
    if not isinstance(each, dict) or not isinstance(each.get("symbol"), str):
        return "an entry has a symbol"
    if not isinstance(each.get("type"), str):
        return "an entry has a type"
    if "fromTime" in each and channel.contract not in ("HISTORY", "AUTO"):
        return f"no fromTime in a channel of {channel.contract}"
    if channel.contract == "HISTORY" and "fromTime" not in each and "source" not in each:
        return "a history begins at a fromTime"
    return None


def day_id(at_ms: int) -> int:
    """`dayId` of a trading day: days since 1970-01-01 of its date in New York."""
    local = dt.datetime.fromtimestamp(at_ms / 1000, ZoneInfo("America/New_York"))
    return (local.date() - dt.date(1970, 1, 1)).days


def trade(
    symbol: str, price: float, at_ms: int, volume: float | str, **other: Any
) -> dict[str, Any]:
    """A Trade with every field of TradeEvent: the last trade, and the volume of its day."""
    return {
        "eventSymbol": symbol,
        "eventTime": 0,
        "time": at_ms,
        "timeNanoPart": 0,
        "sequence": 1,
        "exchangeCode": "C",
        "price": price,
        "change": "NaN",
        "size": 1.0,
        "dayId": day_id(at_ms),
        "dayVolume": volume,
        "dayTurnover": "NaN",
        "tickDirection": "UP",
        "extendedTradingHours": False,
    } | other


async def settle() -> None:
    """Let everybody have a turn."""
    for _ in range(20):
        await asyncio.sleep(0)
