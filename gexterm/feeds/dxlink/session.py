"""One DXLink connection: set up, authorised, kept alive, its channels opened and opened again.

    C SETUP                          S SETUP, AUTH_STATE
    C AUTH          where told UNAUTHORIZED
    C CHANNEL_REQUEST, odd numbers   S CHANNEL_OPENED
    C FEED_SETUP                     S FEED_CONFIG before the first data

A token that is refused, or was good and is no longer, is renewed once; a second refusal
within minutes ends the session, since two programs asking for tokens for ever help nobody.
Channels that the server closes are asked for again under a new number, later and later.

Source: dxLink's AsyncAPI document 1.0.2 and the reference client's specification.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any

import msgspec

from gexterm import __version__
from gexterm.clock import NS
from gexterm.errors import ConnectionFailedError, InputError
from gexterm.feeds.dxlink.compact import FIELDS, PRINT, QUOTE, SUMMARY, TRADE, Layout
from gexterm.feeds.secrets import Secret
from gexterm.market.roots import printable

FEED, TAPE, HISTORY = "feed", "tape", "history"
"""Our channels: conflated state, every print, and prints of the past."""
KEEPALIVE_S = 30.0
ACCEPT_KEEPALIVE_S = 60
PERIOD_S = 0.1
"""Seconds over which quotes may be conflated by the server."""

_KEEPALIVE = '{"type":"KEEPALIVE","channel":0}'
_SETUP = json.dumps(
    {
        "type": "SETUP",
        "channel": 0,
        "keepaliveTimeout": ACCEPT_KEEPALIVE_S,
        "acceptKeepaliveTimeout": ACCEPT_KEEPALIVE_S,
        "version": f"0.1-gexterm/{__version__}",
    }
)
_RENEWED_NS = 600 * NS
_AGAIN_S, _MOST_AGAIN_S = 1.0, 60.0
_CONTRACTS = {FEED: "AUTO", TAPE: "STREAM", HISTORY: "HISTORY"}
_KINDS = {FEED: (QUOTE, TRADE, SUMMARY), TAPE: (PRINT,), HISTORY: (PRINT,)}
_PERIODS = {FEED: PERIOD_S, TAPE: 0.0, HISTORY: 0.0}


class Message(msgspec.Struct):
    """Any message of the server, with the fields that we read."""

    type: str
    channel: float = 0.0
    data: list[Any] = []
    state: Any = None
    error: Any = None
    message: Any = None
    keepaliveTimeout: Any = None  # noqa: N815 (the venue's name)
    eventFields: Any = None  # noqa: N815
    aggregationPeriod: Any = None  # noqa: N815


_decode = msgspec.json.Decoder(Message).decode


def read_message(frame: bytes) -> Message:
    """A frame as a message. Raises InputError for anything else."""
    try:
        return _decode(frame)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"no DXLink message: {str(error)[:120]}") from None


@dataclass(slots=True)
class Channel:
    """One channel of ours, on the connection that stands."""

    name: str
    """FEED, TAPE or HISTORY."""
    number: int
    """As the server knows it; odd."""
    opened: bool = False
    """Whether the server has opened it."""
    layout: Layout = field(default_factory=Layout)
    """The order of its fields."""


class Session:
    """The state of one connection. `begin` starts it anew."""

    def __init__(self) -> None:
        self.out: list[str] = []
        """What is to be sent."""
        self.channels: dict[int, Channel] = {}
        """Channels that were asked for, by number."""
        self.news: list[tuple[str, str]] = []
        """What has happened: step or `error`, and what it said."""
        self.token: Secret | None = None
        """What AUTH is sent with; None: the server must not ask."""
        self.token_refused = False
        """Whether another token must be had before anything else."""
        self.authorized = False
        """Whether the server lets us in."""
        self.period_s = math.nan
        """Seconds over which the server conflates quotes, as it says."""
        self._asked_in = False
        self._refused_at = -_RENEWED_NS
        self._hung_up = 0
        self._next_number = 1
        self._wanted: list[str] = []
        self._failures: dict[str, int] = {}
        self._again: dict[str, int] = {}
        self._sent_at = 0
        self._keepalive_s = KEEPALIVE_S
        self._disowned: set[int] = set()

    def begin(self, now_ns: int) -> str:
        """A new connection stands; what to send first."""
        self.out, self.channels, self.news = [], {}, []
        self.authorized = self._asked_in = self.token_refused = False
        self._next_number = 1
        self._failures, self._again, self._disowned = {}, {}, set()
        self._sent_at, self._keepalive_s = now_ns, KEEPALIVE_S
        return _SETUP

    def want(self, *names: str) -> None:
        """Have these channels open, now or as soon as we are let in."""
        for name in names:
            if name not in self._wanted:
                self._wanted.append(name)
        self._request()

    def drop(self, name: str) -> None:
        """A channel is needed no longer."""
        if name in self._wanted:
            self._wanted.remove(name)
        for channel in [each for each in self.channels.values() if each.name == name]:
            del self.channels[channel.number]
            self._cancel(channel.number)

    def channel(self, name: str) -> Channel | None:
        """The open channel of that name."""
        return next((c for c in self.channels.values() if c.name == name and c.opened), None)

    def numbers(self) -> dict[str, int]:
        """The open channels by name."""
        return {c.name: c.number for c in self.channels.values() if c.opened}

    def hear(self, message: Message, now_ns: int) -> None:
        """Take in any message but FEED_DATA.

        Raises ConnectionFailedError where there is no point in going on, InputError for
        nonsense. Types nobody knows are passed over: a protocol grows.
        """
        kind = message.type
        if kind == "SETUP":
            asked = message.keepaliveTimeout
            if isinstance(asked, int | float) and 0.0 < asked < 1e6:
                self._keepalive_s = max(1.0, min(KEEPALIVE_S, asked / 2.0))
            self.news.append(("set up", ""))
        elif kind == "AUTH_STATE":
            self._auth_state(message.state, now_ns)
        elif kind == "CHANNEL_OPENED":
            self._opened(message.channel)
        elif kind == "CHANNEL_CLOSED":
            self._closed(message.channel, now_ns)
        elif kind == "FEED_CONFIG":
            self._configured(message)
        elif kind == "ERROR":
            self._error(message, now_ns)

    def stray(self, number: float) -> None:
        """Data came on a channel that is none of ours any more: say so, once."""
        if len(self._disowned) < 64 and number == int(number) and int(number) not in self._disowned:
            self._cancel(int(number))

    def renewed(self, token: Secret | None) -> None:
        """A token has come, asked for or not."""
        self.token = token
        if self.token_refused and token is not None:
            self.token_refused = False
            self._auth()

    def second(self, now_ns: int) -> None:
        """What is due by the clock."""
        for name in [name for name, when in self._again.items() if now_ns >= when]:
            del self._again[name]
            self._request()
        if now_ns - self._sent_at >= self._keepalive_s * NS:
            self._sent_at = now_ns
            self.out.append(_KEEPALIVE)

    def ended(self) -> bool:
        """The connection is gone; True where it was the token that it did not like, again."""
        asked = self._asked_in and not self.authorized
        self._hung_up = self._hung_up + 1 if asked else 0
        return self._hung_up >= 3

    def take(self) -> list[str]:
        """What is to be sent, once."""
        out, self.out = self.out, []
        return out

    def _auth(self) -> None:
        if self.token is None:
            raise ConnectionFailedError(
                "the server asks for a token, and there is none", "use a tastytrade account"
            )
        self._asked_in = True
        auth = {"type": "AUTH", "channel": 0, "token": self.token.reveal()}
        self.out.append(json.dumps(auth))

    def _auth_state(self, state: object, now_ns: int) -> None:
        if state == "AUTHORIZED":
            self.authorized, self._hung_up = True, 0
            self.news.append(("authorized", ""))
            self._request()
        elif state != "UNAUTHORIZED":
            raise InputError(f"AUTH_STATE is {printable(state)}")
        elif not self._asked_in:
            self._auth()
        else:
            self._refused(now_ns)

    def _refused(self, now_ns: int) -> None:
        if self.token_refused:
            return
        if 0 <= now_ns - self._refused_at < _RENEWED_NS:
            raise ConnectionFailedError(
                "DXLink refuses a quote token that was just fetched",
                "is the account fully opened, and the same token used elsewhere?"
                " gexterm doctor dxlink",
            )
        self._refused_at = now_ns
        self.authorized, self.token_refused = False, True
        self.news.append(("token refused", ""))
        # Whatever was open is closed, or will be disowned when it speaks.
        self.channels = {}

    def _request(self) -> None:
        if not self.authorized:
            return
        there = {channel.name for channel in self.channels.values()}
        for name in self._wanted:
            if name in there or name in self._again:
                continue
            number, self._next_number = self._next_number, self._next_number + 2
            self.channels[number] = Channel(name, number)
            request = {
                "type": "CHANNEL_REQUEST",
                "channel": number,
                "service": "FEED",
                "parameters": {"contract": _CONTRACTS[name]},
            }
            self.out.append(json.dumps(request))

    def _opened(self, number: float) -> None:
        channel = self.channels.get(int(number)) if math.isfinite(number) else None
        if channel is None or channel.opened:
            return
        channel.opened = True
        setup = {
            "type": "FEED_SETUP",
            "channel": channel.number,
            "acceptAggregationPeriod": _PERIODS[channel.name],
            "acceptDataFormat": "COMPACT",
            "acceptEventFields": {kind: list(FIELDS[kind]) for kind in _KINDS[channel.name]},
        }
        self.out.append(json.dumps(setup))
        self.news.append((f"{channel.name} channel", f"channel {channel.number}"))

    def _closed(self, number: float, now_ns: int) -> None:
        channel = self.channels.pop(int(number), None) if math.isfinite(number) else None
        if channel is None:
            return
        failures = self._failures[channel.name] = self._failures.get(channel.name, 0) + 1
        wait_s = min(_MOST_AGAIN_S, _AGAIN_S * 2.0 ** min(failures - 1, 10))
        self._again[channel.name] = now_ns + round(wait_s * NS)
        said = f"the server closed the {channel.name} channel ({failures})"
        self.news += [("closed", channel.name), ("error", said)]

    def _configured(self, message: Message) -> None:
        channel = self.channels.get(int(message.channel)) if message.channel < 1e9 else None
        if channel is None:
            return
        channel.layout.configure(message.eventFields)
        period = message.aggregationPeriod
        if channel.name == FEED and isinstance(period, int | float):
            self.period_s = float(period)
        lacking = [
            field
            for kind in _KINDS[channel.name]
            for field in channel.layout.missing(kind)
            if field not in ("bidTime", "askTime", "timeNanoPart")
        ]
        if lacking:
            self.news.append((f"lacks {channel.name}", ", ".join(lacking[:6])))

    def _error(self, message: Message, now_ns: int) -> None:
        kind, said = message.error, printable(message.message or "", 120)
        on = (
            f" on the {self.channels[int(message.channel)].name} channel"
            if (message.channel in self.channels)
            else ""
        )
        if kind == "UNAUTHORIZED" and not message.channel:
            if self._asked_in:
                self._refused(now_ns)
            return
        if kind == "UNSUPPORTED_PROTOCOL":
            raise ConnectionFailedError(
                f"DXLink no longer speaks our version of the protocol: {said}",
                "look for a newer gexterm",
            )
        self.news.append(("error", f"DXLink says {printable(kind, 24)}{on}: {said}"))

    def _cancel(self, number: int) -> None:
        self._disowned.add(number)
        self.out.append(json.dumps({"type": "CHANNEL_CANCEL", "channel": number}))
