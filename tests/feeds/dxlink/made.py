"""A protocol brought to where frames of data count, by hand and without a socket."""

from __future__ import annotations

import json
from typing import Any

from gexterm.feeds.dxlink import make
from gexterm.feeds.dxlink.compact import FIELDS, PRINT, QUOTE, SUMMARY, TRADE
from gexterm.feeds.dxlink.protocol import DxlinkProtocol
from gexterm.feeds.dxlink.tastytrade import CHAIN, LOGIN, TOKEN
from gexterm.feeds.protocol import Answer
from gexterm.feeds.secrets import Secret
from gexterm.feeds.venue import FeedOptions
from gexterm.market import symbols
from gexterm.market.events import Event

FEED, TAPE = 1, 3
NOW = 1_763_737_200_000_000_000


def say(protocol: DxlinkProtocol, message: Any, now_ns: int = NOW) -> list[Event]:
    """A message of the server; what came of it at once and with the next flush."""
    frame = message if isinstance(message, bytes) else json.dumps(message).encode()
    events = protocol.receive(frame, now_ns)
    return events + protocol.flush()


def data(kind: str, values: list[Any], channel: int = FEED) -> dict[str, Any]:
    return {"type": "FEED_DATA", "channel": channel, "data": [kind, values]}


def config(orders: dict[str, list[str]], channel: int = FEED) -> dict[str, Any]:
    return {
        "type": "FEED_CONFIG",
        "channel": channel,
        "aggregationPeriod": 0.1,
        "dataFormat": "COMPACT",
        "eventFields": orders,
    }


def answered(protocol: DxlinkProtocol, key: str, body: Any, now_ns: int = NOW) -> None:
    protocol.answer(Answer(key, 200, {}, json.dumps(body).encode(), now_ns))


def listed(*names: str) -> dict[str, Any]:
    """A nested chain of just these streamer symbols."""
    items = []
    for name in names:
        contract = symbols.parse(name, "dxfeed")
        key = "call" if contract.right == "C" else "put"
        strike = {"strike-price": str(contract.strike), f"{key}-streamer-symbol": name}
        date = contract.expiry.isoformat()
        items.append(
            {
                "root-symbol": contract.root,
                "shares-per-contract": 100,
                "expirations": [{"expiration-date": date, "strikes": [strike]}],
            }
        )
    return {"data": {"items": items}}


def ready(*names: str, underlying: str = "SPX") -> DxlinkProtocol:
    """Logged in, connected, both channels open, nothing subscribed yet."""
    secrets = {"client-secret": Secret("cccccccc"), "refresh-token": Secret("rrrrrrrr")}
    protocol = make(underlying, secrets, FeedOptions())
    answered(protocol, LOGIN, {"access_token": "aaaaaaaa"})
    token = {"token": "qqqqqqqq", "dxlink-url": "wss://x.dxfeed.com/realtime", "level": "api"}
    answered(protocol, TOKEN, {"data": token})
    answered(protocol, CHAIN, listed(*names))
    protocol.on_open(NOW)
    say(protocol, {"type": "SETUP", "channel": 0, "keepaliveTimeout": 60, "version": "1.0"})
    say(protocol, {"type": "AUTH_STATE", "channel": 0, "state": "AUTHORIZED"})
    for channel in (FEED, TAPE):
        say(protocol, {"type": "CHANNEL_OPENED", "channel": channel, "service": "FEED"})
    say(protocol, config({kind: list(FIELDS[kind]) for kind in (QUOTE, TRADE, SUMMARY)}))
    say(protocol, config({PRINT: list(FIELDS[PRINT])}, TAPE))
    protocol.outgoing()
    return protocol
