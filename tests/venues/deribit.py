"""A fake Deribit, written from docs.deribit.com: JSON-RPC 2.0 over a websocket and over GET.

    Exchange     the venue itself, without a socket: instruments, books, tape, sessions, rules.
                 Its clock is moved by hand
    Session      one connection to it: what it is sent, what it is told
    FakeDeribit  the same behind a loopback port

What it knows is the venue's: which channels there are, that a print of a combo is told twice
(once as a whole on the combo's channel, once a leg on the legs'), that history reaches back
24 hours, that credits run out, that a test_request left unanswered ends the connection.

Told to, it does wrong: `lose` prints on their way, `repeat` them, refuse channels, send what
nobody knows, say nothing at all, close for maintenance.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.venues.base import FakeVenue

MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
DAY_MS = 86_400_000
BIGGEST = 32_768
"""Bytes of a message from a client."""


class RpcError(Exception):
    """An answer that is an error object."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.code, self.message, self.data = code, message, data


class Silence(Exception):  # noqa: N818  it is no error
    """A call that is never answered."""


def invalid(param: str, reason: str = "value required") -> RpcError:
    return RpcError(-32602, "Invalid params", {"reason": reason, "param": param})


@dataclass(eq=False)
class Session:
    """One connection. What the venue sends is in `outbox` until somebody takes it."""

    exchange: Exchange
    outbox: list[str] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    """Every call it made, in order."""
    channels: list[str] = field(default_factory=list)
    closed: tuple[int, str] | None = None
    """Code and reason, once the venue has hung up."""
    wake: Callable[[], None] = lambda: None
    interval_ms: int = 0
    beaten_at: int = 0
    awaits_test: bool = False
    credits: dict[str, tuple[float, int]] = field(default_factory=dict)

    def send(self, text: str) -> None:
        if self.closed is None:
            self.outbox.append(text)
            self.wake()

    def tell(self, method: str, params: dict[str, Any]) -> None:
        self.send(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}))

    def close(self, code: int, reason: str = "") -> None:
        if self.closed is None:
            self.closed = (code, reason)
            self.exchange.sessions.remove(self)
            self.wake()

    def take(self) -> list[str]:
        """What it was sent since the last time."""
        taken, self.outbox = self.outbox, []
        return taken

    def handle(self, text: str) -> None:
        """The client says something."""
        if self.exchange.mute:
            return
        if len(text.encode()) > BIGGEST:
            self.close(1009, "Message Too Big: limit 32768B")
            return
        number: Any = None
        at = self.exchange.now_ms * 1000
        try:
            try:
                call = json.loads(text)
            except json.JSONDecodeError:
                raise RpcError(-32700, "Parse error") from None
            if not isinstance(call, dict) or call.get("jsonrpc") != "2.0":
                raise RpcError(-32600, "Invalid Request")
            number = call.get("id")
            self.calls.append(call)
            self._pay(call.get("method", ""))
            answer = {"result": self._do(call.get("method", ""), call.get("params") or {})}
        except Silence:
            return
        except RpcError as error:
            answer = {"error": {"code": error.code, "message": error.message}}
            if error.data is not None:
                answer["error"]["data"] = error.data
        stamps = {"usIn": at, "usOut": at + 250, "usDiff": 250, "testnet": self.exchange.testnet}
        self.send(json.dumps({"jsonrpc": "2.0", "id": number, **answer, **stamps}))
        if answer.get("error", {}).get("code") == 10028:
            self.close(1000, "too_many_requests")

    def _pay(self, method: str) -> None:
        kind = "subscribe" if method.endswith("subscribe") else "other"
        cost, most = (3_000, 30_000) if kind == "subscribe" else (500, 50_000)
        left, at = self.credits.get(kind, (float(most), self.exchange.now_ms))
        left = min(most, left + (self.exchange.now_ms - at) * 10.0)
        if left < cost or self.exchange.stingy > 0:
            self.exchange.stingy -= 1
            raise RpcError(10028, "too_many_requests")
        self.credits[kind] = (left - cost, self.exchange.now_ms)

    def _do(self, method: str, params: dict[str, Any]) -> Any:
        if method == "public/set_heartbeat":
            if not params.get("interval", 0) >= 10:
                raise invalid("interval", "must be >= 10")
            self.interval_ms, self.beaten_at = params["interval"] * 1000, self.exchange.now_ms
            return "ok"
        if method == "public/test":
            self.awaits_test = False
        if method in ("public/subscribe", "public/unsubscribe"):
            channels = params.get("channels")
            if not channels:
                raise invalid("channels")
            if method == "public/unsubscribe":
                gone = [c for c in channels if c in self.channels]
                self.channels = [c for c in self.channels if c not in gone]
                return gone
            if any(c.endswith(".raw") for c in channels):
                raise RpcError(13778, "raw_subscriptions_not_available_for_unauthorized")
            accepted = [c for c in channels if self.exchange.has_channel(c)]
            self.channels += [c for c in accepted if c not in self.channels]
            self.exchange.greet(self, accepted)
            return accepted
        return self.exchange.public(method, params)


class Exchange:
    """The venue: everything but sockets."""

    def __init__(self, now_ms: int, *, testnet: bool = False) -> None:
        self.now_ms, self.testnet = now_ms, testnet
        self.instruments: dict[str, dict[str, Any]] = {}
        self.books: dict[str, dict[str, Any]] = {}
        self.tape: list[dict[str, Any]] = []
        """Every print of an option or a combo there ever was, in order."""
        self.indices: dict[str, float] = {}
        self.sessions: list[Session] = []
        self.ever: list[Session] = []
        self.refuses: set[str] = set()
        """Channels that are not accepted."""
        self.fails: dict[str, list[Exception]] = {}
        """What the next calls of a method bring instead: an RpcError or Silence, oldest first."""
        self.lose = 0
        """So many prints to come are not told."""
        self.mute = False
        """Whether it accepts connections and says nothing."""
        self.stingy = 0
        """So many calls to come find no credits left."""
        self.forgets = False
        """Whether prints by number are not told either."""
        self._ids: dict[str, int] = {}

    def connect(self) -> Session:
        """Somebody connects."""
        session = Session(self)
        self.sessions.append(session)
        self.ever.append(session)
        return session

    # The market

    def list(self, *names: str, **more: Any) -> None:
        """Options are listed."""
        for name in names:
            root, date, strike, right = name.split("-")
            day = dt.datetime(
                2000 + int(date[-2:]),
                MONTHS.index(date[-5:-2]) + 1,
                int(date[:-5]),
                8,
                tzinfo=dt.UTC,
            )
            linear = "_" in root
            base = root.partition("_")[0]
            self.instruments[name] = {
                "instrument_name": name,
                "kind": "option",
                "base_currency": base,
                "quote_currency": "USDC" if linear else base,
                "counter_currency": "USDC" if linear else "USD",
                "settlement_currency": "USDC" if linear else base,
                "settlement_period": "day",
                "price_index": f"{base}_usdc".lower() if linear else f"{base}_usd".lower(),
                "instrument_type": "linear" if linear else "reversed",
                "option_type": "call" if right == "C" else "put",
                "strike": float(strike.replace("d", ".")),
                "expiration_timestamp": int(day.timestamp() * 1000),
                "creation_timestamp": self.now_ms - DAY_MS,
                "tick_size": 0.01 if linear else 0.0001,
                "tick_size_steps": [],
                "min_trade_amount": 0.1,
                "contract_size": 1.0,
                "is_active": True,
                "maker_commission": 0.0003,
                "taker_commission": 0.0003,
                **more,
            }

    def index(self, name: str, price: float) -> None:
        """The index moves."""
        self.indices[name] = price
        self._tell(
            f"deribit_price_index.{name}",
            {"timestamp": self.now_ms, "price": price, "index_name": name},
        )

    def quote(self, name: str, bid: float, ask: float, **more: Any) -> None:
        """A book's best prices; 0 where nobody is there."""
        listed = self.instruments[name]
        spot = self.indices.get(listed["price_index"], 0.0)
        self.books[name] = {
            "timestamp": self.now_ms,
            "state": "open",
            "instrument_name": name,
            "best_bid_price": bid,
            "best_bid_amount": 5.0 if bid else 0.0,
            "best_ask_price": ask,
            "best_ask_amount": 7.0 if ask else 0.0,
            "underlying_index": "index_price",
            "underlying_price": spot,
            "index_price": spot,
            "estimated_delivery_price": spot,
            "open_interest": 10.0,
            "mark_price": (bid + ask) / 2,
            "mark_iv": 50.0,
            "bid_iv": 49.0,
            "ask_iv": 51.0,
            "interest_rate": 0.0,
            "last_price": None,
            "settlement_price": (bid + ask) / 2,
            "min_price": 0.0001,
            "max_price": 1.0,
            "greeks": {"delta": 0.5, "gamma": 0.0, "vega": 1.0, "theta": -1.0, "rho": 0.1},
            "stats": {"volume": 0.0, "volume_usd": 0.0, "high": None, "low": None},
            **more,
        }
        self._tell(f"ticker.{name}.100ms", self.books[name])

    def trade(
        self, name: str, price: float, amount: float, direction: str, **more: Any
    ) -> dict[str, Any]:
        """A print in one book."""
        print_ = self._print(name, price, amount, direction, **more)
        self._publish([print_])
        return print_

    def trades(self, prints: Iterable[tuple[str, float, float, str]]) -> list[dict[str, Any]]:
        """Prints within a tenth of a second: told in one message."""
        made = [self._print(*each) for each in prints]
        self._publish(made)
        return made

    def combo(self, name: str, legs: list[tuple[str, float, float, str]]) -> list[dict[str, Any]]:
        """A combo trades: the whole in its book, and every leg in its own."""
        currency = self.currency(legs[0][0])
        number = self._number(currency)
        parts = [self._print(*leg, combo_id=name, combo_trade_id=str(number)) for leg in legs]
        whole = self._print(name, 0.01, legs[0][2], "buy", legs=parts, kind="option_combo")
        whole["trade_id"] = str(number)
        self._tell(f"trades.option_combo.{currency}.100ms", [whole])
        self._tell(f"trades.{name}.100ms", [whole])
        self._publish(parts)
        return parts

    def _print(
        self,
        name: str,
        price: float,
        amount: float,
        direction: str,
        kind: str = "option",
        **more: Any,
    ) -> dict[str, Any]:
        sequence = 1 + max(
            (t["trade_seq"] for t in self.tape if t["instrument_name"] == name), default=0
        )
        listed = self.instruments.get(name)
        spot = self.indices.get(listed["price_index"], 0.0) if listed else 0.0
        print_ = {
            "trade_seq": sequence,
            "trade_id": str(self._number(self.currency(name))),
            "timestamp": self.now_ms,
            "tick_direction": 0,
            "price": price,
            "mark_price": price,
            "iv": 50.0,
            "instrument_name": name,
            "index_price": spot,
            "direction": direction,
            "amount": amount,
            "contracts": amount,
            **more,
        }
        self.tape.append({**print_, "_kind": kind})
        return print_

    def _number(self, currency: str) -> int:
        self._ids[currency] = self._ids.get(currency, 1000) + 1
        return self._ids[currency]

    def _publish(self, prints: list[dict[str, Any]]) -> None:
        if self.lose > 0:
            lost, self.lose = prints[: self.lose], max(0, self.lose - len(prints))
            prints = prints[len(lost) :]
        for currency in sorted({self.currency(p["instrument_name"]) for p in prints}):
            own = [p for p in prints if self.currency(p["instrument_name"]) == currency]
            self._tell(f"trades.option.{currency}.100ms", own)
        for name in dict.fromkeys(p["instrument_name"] for p in prints):
            own = [p for p in prints if p["instrument_name"] == name]
            self._tell(f"trades.{name}.100ms", own)

    def repeat(self, prints: list[dict[str, Any]]) -> None:
        """Tell prints again, as they were told."""
        clean = [{k: v for k, v in p.items() if k != "_kind"} for p in prints]
        self._publish(clean)

    def currency(self, name: str) -> str:
        """What a symbol is filed under."""
        root = name.partition("-")[0]
        return root.partition("_")[2] or root

    # Sessions

    def _tell(self, channel: str, data: Any) -> None:
        for session in list(self.sessions):
            if channel in session.channels and not self.mute:
                session.tell("subscription", {"channel": channel, "data": data})

    def say(self, text: str) -> None:
        """Send anything to everybody."""
        for session in list(self.sessions):
            session.send(text)

    def advance(self, ms: int) -> None:
        """Time passes: heartbeats fall due, and whoever left one unanswered is cut off."""
        self.now_ms += ms
        for session in list(self.sessions):
            if session.interval_ms and self.now_ms - session.beaten_at >= session.interval_ms:
                session.beaten_at = self.now_ms
                if session.awaits_test:
                    session.close(1000, "heartbeat")
                    continue
                session.tell("heartbeat", {"type": "heartbeat"})
                session.awaits_test = True
                session.tell("heartbeat", {"type": "test_request"})

    def maintain(self) -> None:
        """Hang up on everybody."""
        for session in list(self.sessions):
            session.close(1012, "system maintenance")

    def has_channel(self, channel: str) -> bool:
        """Whether there is such a channel, and it may be had."""
        if channel in self.refuses:
            return False
        parts = channel.split(".")
        if parts[0] == "ticker":
            return ".".join(parts[1:-1]) in self.instruments and parts[-1] in ("100ms", "agg2")
        if parts[0] == "trades":
            return parts[-1] in ("100ms", "agg2") and (len(parts) == 4 or parts[1] in self.books)
        return parts[0] == "deribit_price_index" and parts[1] in self.indices

    def greet(self, session: Session, channels: list[str]) -> None:
        """Tickers and indices are told as they stand to whoever subscribes."""
        for channel in channels:
            parts = channel.split(".")
            if parts[0] == "ticker" and (book := self.books.get(".".join(parts[1:-1]))):
                session.tell("subscription", {"channel": channel, "data": book})
            elif parts[0] == "deribit_price_index":
                price = self.indices[parts[1]]
                data = {"timestamp": self.now_ms, "price": price, "index_name": parts[1]}
                session.tell("subscription", {"channel": channel, "data": data})

    # What may be asked

    def public(self, method: str, params: dict[str, Any]) -> Any:
        """A public method, by websocket or by GET."""
        if planned := self.fails.get(method):
            raise planned.pop(0)
        if method == "public/test":
            return {"version": "1.2.26"}
        if method == "public/get_time":
            return self.now_ms
        if method == "public/get_currencies":
            found = {self.currency(name) for name in self.instruments}
            return [{"currency": c, "currency_long": c, "fee_precision": 4} for c in sorted(found)]
        if method == "public/get_instruments":
            return self._instruments(params)
        if method == "public/get_book_summary_by_currency":
            return self._summary(params)
        if method == "public/get_last_trades_by_currency_and_time":
            return self._by_time(params)
        if method == "public/get_last_trades_by_instrument":
            return self._by_number(params)
        raise RpcError(-32601, "Method not found")

    def _instruments(self, params: dict[str, Any]) -> list[dict[str, Any]]:
        currency = params.get("currency", "any")
        if currency not in ("any", "BTC", "ETH", "USDC", "USDT", "EURR"):
            raise invalid("currency", "wrong currency")
        return [
            each
            for each in self.instruments.values()
            if currency in ("any", self.currency(each["instrument_name"]))
            and params.get("kind", each["kind"]) == each["kind"]
            and each["expiration_timestamp"] > self.now_ms
        ]

    def _summary(self, params: dict[str, Any]) -> list[dict[str, Any]]:
        out = []
        for name, book in self.books.items():
            if self.currency(name) != params.get("currency"):
                continue
            out.append(
                {
                    "instrument_name": name,
                    "creation_timestamp": self.now_ms,
                    "bid_price": book["best_bid_price"] or None,
                    "ask_price": book["best_ask_price"] or None,
                    **{
                        key: book[key]
                        for key in (
                            "underlying_price",
                            "underlying_index",
                            "estimated_delivery_price",
                            "open_interest",
                            "mark_price",
                            "mark_iv",
                            "interest_rate",
                        )
                    },
                    "volume": book["stats"]["volume"],
                    "mid_price": None,
                    "last": None,
                }
            )
        return out

    def _by_time(self, params: dict[str, Any]) -> dict[str, Any]:
        try:
            start, end = int(params["start_timestamp"]), int(params["end_timestamp"])
        except KeyError as error:
            raise invalid(str(error)) from None
        if start < self.now_ms - DAY_MS:
            return {"trades": [], "has_more": False}
        found = [
            t
            for t in self.tape
            if self.currency(t["instrument_name"]) == params.get("currency")
            and params.get("kind", t["_kind"]) == t["_kind"]
            and start <= t["timestamp"] <= end
        ]
        return self._page(found, params)

    def _by_number(self, params: dict[str, Any]) -> dict[str, Any]:
        name = params.get("instrument_name")
        if name is None:
            raise invalid("instrument_name")
        low, high = int(params.get("start_seq", 0)), int(params.get("end_seq", 2**60))
        found = [
            t
            for t in self.tape
            if t["instrument_name"] == name and low <= t["trade_seq"] <= high and not self.forgets
        ]
        return self._page(found, params)

    def _page(self, found: list[dict[str, Any]], params: dict[str, Any]) -> dict[str, Any]:
        count = int(params.get("count", 10))
        if not 1 <= count <= 1000:
            raise invalid("count", "must be between 1 and 1000")
        found = [{k: v for k, v in t.items() if k != "_kind"} for t in found]
        page = found[:count] if params.get("sorting") == "asc" else found[::-1][:count]
        return {"trades": page, "has_more": len(found) > count}


class FakeDeribit(FakeVenue):
    """The exchange behind a loopback port: `/ws/api/v2`, and GET `/api/v2/public/...`."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__()
        self.exchange = exchange
        self.websocket("/ws/api/v2")
        self.http("GET", "/api/v2/{method:public/.+}", self._get)

    async def _get(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        try:
            answer: dict[str, Any] = {"result": self.exchange.public(method, dict(request.query))}
            status = 200
        except RpcError as error:
            answer, status = {"error": {"code": error.code, "message": error.message}}, 400
        return web.json_response({"jsonrpc": "2.0", **answer, "testnet": False}, status=status)

    async def session(self, socket: web.WebSocketResponse) -> None:
        """Carry what is said between a socket and its session."""
        session = self.exchange.connect()
        news = asyncio.Event()
        session.wake = news.set

        async def tell() -> None:
            while session.closed is None or session.outbox:
                await news.wait()
                news.clear()
                for text in session.take():
                    await socket.send_str(text)
            code, reason = session.closed
            await socket.close(code=code, message=reason.encode())

        teller = asyncio.create_task(tell())
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    session.handle(message.data)
        finally:
            session.close(1006)
            teller.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await teller
