"""A fake of Massive's options cluster and of the REST pages beside it.

Written from the vendor's description: the pages of the options websocket (quickstart, trades,
quotes), of `/v3/snapshot/options`, `/v3/reference/options/contracts` and `/v3/trades`, and
the statuses its users report. Strict where the description is: nothing before a login, no
more than 1,000 contracts of quotes, one connection per account, no key in an address.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections import deque
from typing import Any
from urllib.parse import urlencode

from aiohttp import WSMsgType, web

from tests.venues.base import FakeVenue

MOST_QUOTES = 1_000
_CHANNELS = {"T", "Q", "A", "AM", "FMV"}
_STATUSES = 100
_MS = 1_000_000


def status(status: str, message: str) -> dict[str, Any]:
    return {"ev": "status", "status": status, "message": message}


class _Client:
    """One connection: what it may, what it asked for, what waits to be sent to it."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        self.authenticated = False
        self.subscribed: set[str] = set()
        self.waiting: deque[str] = deque()
        self.bytes = 0
        self.wake = asyncio.Event()
        self.ended = False

    def send(self, text: str) -> None:
        self.waiting.append(text)
        self.bytes += len(text)
        self.wake.set()

    async def write(self) -> None:
        while True:
            while self.waiting:
                text = self.waiting.popleft()
                await self.socket.send_str(text)
                self.bytes -= len(text)
            if self.ended:
                await self.socket.close(code=1008, message=b"policy violation")
                return
            self.wake.clear()
            await self.wake.wait()


class FakeMassive(FakeVenue):
    """The venue. `chain` holds snapshot rows, `tape` every print ever published."""

    def __init__(self, key: str = "a-key-of-massive-0123456789") -> None:
        super().__init__()
        self.key = key
        self.chain: list[dict[str, Any]] = []
        """Snapshot rows by contract, in the order in which the venue lists them."""
        self.tape: list[dict[str, Any]] = []
        """Prints as the websocket tells them, with `ns`: their whole time."""
        self.said: list[Any] = []
        """Every message of a client, decoded, in order."""
        self.most_quoted = 0
        """Most contracts that any connection ever had quotes of."""
        self.refusals: list[str] = []
        """What was refused, in words."""
        self.kicks = 0
        """Connections closed because another came."""
        self.slow = 0
        """Connections closed as too slow."""
        self.keys_in_addresses = 0
        """REST requests that carried a key in their address."""
        self.buffer = 1 << 20
        """Bytes that may wait for a client."""
        self.channels = set(_CHANNELS)
        """Channels that the plan includes."""
        self.numbered = False
        """Whether past prints come with `sequence_number`; the vendor's page has none."""
        self.confirms_one_by_one = True
        """Whether subscriptions are confirmed one by one or in one line."""
        self.forbidden: set[str] = set()
        """Beginnings of paths that the plan does not include: 403."""
        self.busy: deque[tuple[int, str]] = deque()
        """Statuses with Retry-After for the next REST requests, before anything else."""
        self.elsewhere = ""
        """An origin that `next_url` is to lead to instead of this one."""
        self.spoil = ""
        """Beginning of a path whose answers are no JSON."""
        self.key_in_next = False
        """Whether `next_url` carries a key, as it is said to have done once."""
        self.mute = False
        """Whether it takes connections and never says a word."""
        self._clients: list[_Client] = []
        self.websocket("/options")
        self.http("GET", "/v3/snapshot/options/{underlying}", self._snapshot)
        self.http("GET", "/v3/reference/options/contracts", self._contracts)
        self.http("GET", "/v3/trades/{symbol}", self._trades)

    # What a test can make it do.

    def publish(self, *events: dict[str, Any]) -> None:
        """Send events to whoever subscribed to them, in one frame; prints go on the tape."""
        for event in events:
            if event.get("ev") == "T":
                whole = event.pop("ns", event["t"] * _MS)
                self.tape.append({**event, "ns": whole})
        for client in self._clients:
            wanted = [event for event in events if self._wants(client, event)]
            if wanted:
                self._send(client, json.dumps(wanted, separators=(",", ":")))

    def say(self, text: str) -> None:
        """Send a frame as it is, to everyone who has logged in."""
        for client in self._clients:
            if client.authenticated:
                self._send(client, text)

    def hang_up(self, *statuses: dict[str, Any]) -> None:
        """Say these and close every connection with 1008."""
        for client in list(self._clients):
            if statuses:
                client.send(json.dumps(statuses))
            client.ended = True
            client.wake.set()

    @property
    def prints_of(self) -> set[str]:
        """Contracts whose prints are subscribed."""
        return self._subscribed("T.")

    @property
    def quotes_of(self) -> set[str]:
        """Contracts whose quotes are subscribed."""
        return self._subscribed("Q.")

    def _subscribed(self, prefix: str) -> set[str]:
        names = (name for client in self._clients for name in client.subscribed)
        return {name[2:] for name in names if name.startswith(prefix)}

    # The websocket.

    async def session(self, socket: web.WebSocketResponse) -> None:
        if self.mute:
            await socket.receive()
            return
        client = _Client(socket)
        self._clients.append(client)
        writing = asyncio.create_task(client.write())
        client.send(json.dumps([status("connected", "Connected Successfully")]))
        try:
            async for message in socket:
                if message.type is not WSMsgType.TEXT:
                    break
                said = json.loads(message.data)
                self.said.append(said)
                self._hear(client, said)
        finally:
            self._clients.remove(client)
            writing.cancel()
            with contextlib.suppress(BaseException):
                await writing

    def _hear(self, client: _Client, said: Any) -> None:
        action, params = said.get("action"), said.get("params")
        if action == "auth":
            self._login(client, params)
        elif not client.authenticated:
            self._refuse(client, "not authenticated")
        elif action in ("subscribe", "unsubscribe") and isinstance(params, str):
            self._subscribe(client, action, params)
        else:
            self._refuse(client, "invalid action")

    def _login(self, client: _Client, key: Any) -> None:
        if key != self.key:
            self.refusals.append("authentication failed")
            client.send(json.dumps([status("auth_failed", "authentication failed")]))
            client.ended = True
            client.wake.set()
            return
        for older in self._clients:
            if older is not client and older.authenticated:
                self.kicks += 1
                said = "Maximum number of websocket connections exceeded."
                older.send(json.dumps([status("max_connections", said)]))
                older.authenticated, older.ended = False, True
                older.wake.set()
        client.authenticated = True
        client.send(json.dumps([status("auth_success", "authenticated")]))

    def _subscribe(self, client: _Client, action: str, params: str) -> None:
        answers: list[dict[str, Any]] = []
        for name in params.split(","):
            channel, dot, symbol = name.partition(".")
            if not dot or channel not in _CHANNELS or not symbol:
                answers.append(self._error(f"invalid subscription: {name}"))
            elif channel == "Q" and symbol == "*":
                answers.append(self._error("Q.* is not supported for options"))
            elif channel not in self.channels:
                answers.append(self._error(f"not authorized for {name}"))
            elif action == "unsubscribe":
                client.subscribed.discard(name)
                answers.append(status("success", f"unsubscribed to: {name}"))
            elif channel == "Q" and self._quotes(client) >= MOST_QUOTES:
                answers.append(self._error(f"exceeded {MOST_QUOTES} quote subscriptions: {name}"))
            else:
                client.subscribed.add(name)
                self.most_quoted = max(self.most_quoted, self._quotes(client))
                answers.append(status("success", f"subscribed to: {name}"))
        if not self.confirms_one_by_one:
            answers = [status("success", f"{action}d")]
        for first in range(0, len(answers), _STATUSES):
            client.send(json.dumps(answers[first : first + _STATUSES]))

    def _error(self, message: str) -> dict[str, Any]:
        self.refusals.append(message)
        return status("error", message)

    def _refuse(self, client: _Client, message: str) -> None:
        client.send(json.dumps([self._error(message)]))

    def _quotes(self, client: _Client) -> int:
        return sum(name.startswith("Q.") for name in client.subscribed)

    def _wants(self, client: _Client, event: dict[str, Any]) -> bool:
        names = {f"{event.get('ev')}.{event.get('sym')}", f"{event.get('ev')}.*"}
        return client.authenticated and not names.isdisjoint(client.subscribed)

    def _send(self, client: _Client, text: str) -> None:
        if client.ended:
            return
        if client.bytes + len(text) > self.buffer:
            self.slow += 1
            client.waiting.clear()
            client.send(json.dumps([status("slow_consumer", "Slow consumer, disconnecting")]))
            client.ended = True
            return
        client.send(text)

    # REST.

    def _turned_away(self, request: web.Request) -> web.Response | None:
        if any(name.lower() == "apikey" for name in request.query):
            self.keys_in_addresses += 1
        if self.busy:
            code, after = self.busy.popleft()
            headers = {"Retry-After": after} if after else {}
            return web.json_response({"status": "ERROR"}, status=code, headers=headers)
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            return web.json_response({"status": "ERROR", "error": "Unknown API Key"}, status=401)
        if any(request.path.startswith(path) for path in self.forbidden):
            said = "You are not entitled to this data. Please upgrade your plan."
            return web.json_response({"status": "NOT_AUTHORIZED", "message": said}, status=403)
        if self.spoil and request.path.startswith(self.spoil):
            return web.Response(text='{"results": [', content_type="application/json")
        return None

    def _paged(self, request: web.Request, rows: list[Any], most: int, usual: int) -> web.Response:
        limit = min(int(request.query.get("limit", usual)), most)
        first = int(request.query.get("first", 0))
        body: dict[str, Any] = {"status": "OK", "request_id": "0", "results": rows[first:][:limit]}
        if first + limit < len(rows):
            cursor = base64.urlsafe_b64encode(
                urlencode({**request.query, "limit": limit, "first": first + limit}).encode()
            ).decode()
            origin = self.elsewhere or self.url("", "http")
            body["next_url"] = f"{origin}{request.path}?cursor={cursor}"
            if self.key_in_next:
                body["next_url"] += f"&apiKey={self.key}"
        return web.json_response(body)

    def _asked(self, request: web.Request) -> web.Request:
        """The request that a cursor stands for."""
        if (cursor := request.query.get("cursor")) is None:
            return request
        return request.clone(rel_url=request.rel_url.with_query(_uncursed(cursor)))

    async def _snapshot(self, request: web.Request) -> web.Response:
        if (away := self._turned_away(request)) is not None:
            return away
        asked = self._asked(request)
        rows = [row for row in self.chain if self._dated(asked, row["details"]["expiration_date"])]
        name = request.match_info["underlying"]
        if self.chain and not self._names(name):
            return web.json_response({"status": "NOT_FOUND", "message": "not found"}, status=404)
        return self._paged(asked, rows, 250, 10)

    def _names(self, underlying: str) -> bool:
        tickers = {row.get("underlying_asset", {}).get("ticker") for row in self.chain}
        return underlying in tickers

    async def _contracts(self, request: web.Request) -> web.Response:
        if (away := self._turned_away(request)) is not None:
            return away
        asked = self._asked(request)
        rows = [
            {**row["details"], "underlying_ticker": asked.query.get("underlying_ticker", "")}
            for row in self.chain
            if self._dated(asked, row["details"]["expiration_date"])
        ]
        # An index goes by its plain name here.
        plain = not asked.query.get("underlying_ticker", "").startswith("I:")
        return self._paged(asked, rows if plain else [], 1000, 10)

    async def _trades(self, request: web.Request) -> web.Response:
        if (away := self._turned_away(request)) is not None:
            return away
        asked = self._asked(request)
        since = int(asked.query.get("timestamp.gte", 0))
        until = int(asked.query.get("timestamp.lt", 2**62))
        rows = []
        for each in sorted(self.tape, key=lambda row: row["ns"]):
            if each["sym"] != request.match_info["symbol"] or not since <= each["ns"] < until:
                continue
            row = {
                "conditions": each.get("c", []),
                "exchange": each["x"],
                "price": each["p"],
                "size": each["s"],
                "sip_timestamp": each["ns"],
                "participant_timestamp": each["ns"] - 1000,
            }
            if self.numbered:
                row["sequence_number"] = each["q"]
            rows.append(row)
        return self._paged(asked, rows, 50_000, 1000)

    @staticmethod
    def _dated(request: web.Request, date: str) -> bool:
        first = request.query.get("expiration_date.gte", "")
        last = request.query.get("expiration_date.lte", "9999")
        return first <= date <= last


def _uncursed(cursor: str) -> str:
    return base64.urlsafe_b64decode(cursor.encode()).decode()
