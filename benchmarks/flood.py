"""A venue that floods, in a process of its own: `python -m benchmarks.flood`.

It is the fake venue of the tests (login, subscriptions, chain by REST), with a market behind
it, and two ways to flood whoever is connected and subscribed:

    paced   so many quotes and prints a second, bursts among them, as a market sends them:
            fresh prices and times, frames of at most 100 events. Every print is noted.
    pushed  the same frames over and over with the times of now, as fast as they are taken
            or at a rate. For ingest: the sender must cost next to nothing.

Commands are lines of JSON on standard input, answers lines of JSON on standard output.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from array import array
from pathlib import Path
from typing import Any, Self

import numpy as np
from aiohttp import web

from benchmarks.market import I64, Chain, Market, chain
from gexterm.clock import NS
from gexterm.market.calendar import et
from gexterm.market.symbols import format as symbol_of
from tests.venues.base import FakeVenue
from tests.venues.dxlink import FakeDxlink
from tests.venues.massive import FakeMassive

PER_FRAME = 100
_STEP_S = 0.005
_POOL = 1 << 20
_EXCHANGE = 302


class Parent:
    """The other end: starts the process, asks it, reads its answers."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.flood", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = int(self._answer()["port"])

    def ask(self, do: str, **given: Any) -> dict[str, Any]:
        """Send a command; its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **given}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the flood ended")
        found: dict[str, Any] = json.loads(line)
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)


class Names(set[str]):
    """What a client has subscribed; knows how many of it are quotes without looking."""

    quotes = 0

    def add(self, name: str) -> None:
        self.quotes += name.startswith("Q.") and name not in self
        super().add(name)

    def discard(self, name: str) -> None:
        self.quotes -= name.startswith("Q.") and name in self
        super().discard(name)


class Listing(FakeMassive):
    """The fake venue, which does not look through a whole chain at every page and every name."""

    def __init__(self) -> None:
        super().__init__()
        self._bands: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def _login(self, client: Any, key: Any) -> None:
        client.subscribed = Names()
        super()._login(client, key)

    def _quotes(self, client: Any) -> int:
        names = client.subscribed
        return names.quotes if isinstance(names, Names) else len(names)

    async def _snapshot(self, request: web.Request) -> web.Response:
        if (away := self._turned_away(request)) is not None:
            return away
        asked = self._asked(request)
        first = asked.query.get("expiration_date.gte", "")
        last = asked.query.get("expiration_date.lte", "9999")
        if (first, last) not in self._bands:
            self._bands[first, last] = [
                row for row in self.chain if first <= row["details"]["expiration_date"] <= last
            ]
        return self._paged(asked, self._bands[first, last], 250, 10)


class Pushed:
    """Frames that say now: their times are overwritten in place before each sending."""

    def __init__(self, frames: list[bytes], mark: bytes) -> None:
        """`mark` is what every time (13 digits) in them looks like."""
        self.count = len(frames)
        blob = bytearray()
        self.ends = []
        for frame in frames:
            blob += _head(len(frame)) + frame
            self.ends.append(len(blob))
        self.blob = np.frombuffer(blob, np.uint8)
        places = []
        at = blob.find(mark)
        while at >= 0:
            places.append(at)
            at = blob.find(mark, at + len(mark))
        self._places = (np.array(places, np.int64)[:, None] + np.arange(13)).ravel()
        self._times = len(places)

    def now(self, ms: int) -> memoryview:
        """All frames, dated."""
        digits = np.frombuffer(b"%013d" % ms, np.uint8)
        self.blob[self._places] = np.tile(digits, self._times)
        return memoryview(self.blob)


def _head(size: int) -> bytes:
    """The head of a websocket's text frame, from a server."""
    if size < 126:
        return bytes((0x81, size))
    if size < 1 << 16:
        return bytes((0x81, 126)) + size.to_bytes(2, "big")
    return bytes((0x81, 127)) + size.to_bytes(8, "big")


async def push(
    socket: web.WebSocketResponse, pushed: Pushed, rate: float, offset_ns: int, seconds: float
) -> int:
    """Send until the time is over; how many frames went out. `rate` is frames a second, 0: any."""
    request = socket._req
    assert request is not None
    transport = request.transport
    assert transport is not None
    begin, sent = time.monotonic(), 0
    while (passed := time.monotonic() - begin) < seconds and not socket.closed:
        ms = (time.time_ns() + offset_ns) // 1_000_000
        blob = pushed.now(ms)
        first = 0
        while first < pushed.count and not socket.closed:
            if rate:
                passed = time.monotonic() - begin
                due = min(int(passed * rate) - sent, pushed.count - first)
                if due <= 0:
                    await asyncio.sleep(_STEP_S)
                    blob = pushed.now((time.time_ns() + offset_ns) // 1_000_000)
                    if passed >= seconds:
                        return sent
                    continue
            else:
                due = min(20, pushed.count - first)
            start = pushed.ends[first - 1] if first else 0
            transport.write(bytes(blob[start : pushed.ends[first + due - 1]]))
            first += due
            sent += due
            while transport.get_write_buffer_size() > 1 << 18 and not socket.closed:  # noqa: ASYNC110
                await asyncio.sleep(0.0005)
            if not rate:
                await asyncio.sleep(0)
    return sent


class Paced:
    """A market's quotes and prints as Massive's frames."""

    def __init__(self, venue: FakeMassive, market: Market, symbols: list[str], offset_ns: int):
        self._venue, self._market, self._symbols = venue, market, symbols
        self._offset = offset_ns
        self._rng = np.random.default_rng(11)
        self._number = 1_864_261_653
        self.quotes = 0
        """Quotes sent."""
        self.backlog = 0
        """Most bytes that ever waited here for the client."""
        self.behind_s = 0.0
        """Furthest that sending ever was behind its schedule."""
        self._index = {symbol: at for at, symbol in enumerate(symbols)}
        self.prints = tuple(array(kind) for kind in "qqddq")
        """Of every print: contract, number, price, size, ms."""

    def now(self) -> int:
        return time.time_ns() + self._offset

    def _draw(self) -> None:
        """What is quoted, as the client has it now, the money more often than the wings."""
        listed = self._market.listed
        quoted = np.array(sorted(self._index[s] for s in self._venue.quotes_of), np.int64)
        printed = np.array(sorted(self._index[s] for s in self._venue.prints_of), np.int64)
        self._quoted, self._quoted_set = quoted, set(quoted.tolist())

        def pool(of: I64, reach: float) -> list[int]:
            near = np.exp(-np.abs(listed.strike[of] / self._market.spot - 1.0) / reach)
            soon = np.exp(-(listed.settles[of] - self.now()) / (20 * 86_400 * NS))
            weight = near * (soon + 0.02)
            return self._rng.choice(of, _POOL // 4, p=weight / weight.sum()).tolist()  # type: ignore[no-any-return]

        self._quote_pool, self._print_pool = pool(quoted, 0.02), pool(printed, 0.01)
        self._at = [0, 0]

    def _take(self, which: int, count: int) -> list[int]:
        pool = self._quote_pool if which == 0 else self._print_pool
        if self._at[which] + count > len(pool):
            self._at[which] = 0
        self._at[which] += count
        return pool[self._at[which] - count : self._at[which]]

    async def run(
        self, rate: float, share: float, seconds: float, bursts: list[list[float]]
    ) -> dict[str, Any]:
        """`rate` events a second of which `share` are prints; bursts are [at, seconds, rate]."""
        self._draw()
        begin, sent, drawn = time.monotonic(), 0.0, 0.0
        schedule = _schedule(rate, bursts, seconds)
        bid = np.zeros(len(self._symbols))
        ask = np.zeros(len(self._symbols))
        now = self.now()
        bid[:], ask[:] = self._market.quotes(now)
        priced = time.monotonic()
        whole = 0
        credit = 0.0
        while True:
            passed = time.monotonic() - begin
            due = int(schedule(min(passed, seconds)) - sent)
            now = self.now()
            if passed - drawn > 5.0:
                drawn = passed
                if self._venue.quotes_of != {self._symbols[i] for i in self._quoted_set}:
                    self._draw()
            if time.monotonic() - priced > 0.1:
                priced = time.monotonic()
                self._market.move(now)
                bid[self._quoted], ask[self._quoted] = self._market.quotes(now, self._quoted)
                whole += 1
                if whole % 100 == 0:
                    bid[:], ask[:] = self._market.quotes(now)
            if due > 0:
                credit += due * share
                prints = int(credit)
                credit -= prints
                self._send(due - prints, prints, bid, ask, now // 1_000_000)
                sent += due
                late = schedule(min(passed, seconds)) - sent
                self.behind_s = max(self.behind_s, late / rate)
            for client in self._venue._clients:
                request = client.socket._req
                wire = request.transport if request is not None else None
                more = wire.get_write_buffer_size() if wire is not None else 0
                self.backlog = max(self.backlog, client.bytes + more)
            if passed >= seconds:
                break
            took = time.monotonic() - begin - passed
            await asyncio.sleep(max(0.0, _STEP_S - took))
        took = time.monotonic() - begin
        return {
            "events": int(sent),
            "quotes": self.quotes,
            "prints": len(self.prints[0]),
            "seconds": took,
            "backlog": self.backlog,
            "behind_s": self.behind_s,
            "spot": self._market.spot,
        }

    def _send(self, quotes: int, prints: int, bid: Any, ask: Any, ms: int) -> None:
        rng = self._rng
        symbols = self._symbols
        parts: list[str] = []
        chosen = self._take(0, quotes)
        ticks = rng.integers(-1, 2, quotes).tolist()
        sizes = rng.integers(1, 90, (quotes, 2)).tolist()
        bids, asks = bid[chosen].tolist(), ask[chosen].tolist()
        number = self._number
        for at, b, a, tick, (bs, az) in zip(chosen, bids, asks, ticks, sizes, strict=True):
            number += 3
            b = b + 0.05 * tick if b > 0.05 else b
            parts.append(
                f'{{"ev":"Q","sym":"{symbols[at]}","bx":{_EXCHANGE},"bp":{b:.2f},"bs":{bs},'
                f'"ax":{_EXCHANGE},"ap":{max(a, b + 0.05):.2f},"as":{az},"t":{ms},"q":{number}}}'
            )
        self.quotes += quotes
        if prints:
            where = rng.integers(0, quotes + 1, prints).tolist()
            chosen = self._take(1, prints)
            sides = rng.random(prints).tolist()
            lots = (1 + rng.geometric(0.25, prints)).tolist()
            for at, place, side, lot in zip(chosen, where, sides, lots, strict=True):
                number += 3
                b, a = float(bid[at]), float(ask[at])
                price = a if side < 0.42 else b if side < 0.84 and b > 0 else round((a + b) / 2, 2)
                parts.insert(
                    place,
                    f'{{"ev":"T","sym":"{symbols[at]}","x":{_EXCHANGE},"p":{price:.2f},"s":{lot},'
                    f'"c":[209],"t":{ms},"q":{number}}}',
                )
                for column, value in zip(
                    self.prints, (at, number, round(price, 2), lot, ms), strict=True
                ):
                    column.append(value)
        self._number = number
        for first in range(0, len(parts), PER_FRAME):
            text = "[" + ",".join(parts[first : first + PER_FRAME]) + "]"
            for client in self._venue._clients:
                client.send(text)

    def save(self, path: Path) -> None:
        """Every print that was sent."""
        names = ("contract", "number", "price", "size", "ms")
        columns = {name: np.array(column) for name, column in zip(names, self.prints, strict=True)}
        np.savez(path, symbols=np.array(self._symbols), **columns)


def _schedule(rate: float, bursts: list[list[float]], seconds: float) -> Any:
    """How many events are due by a time since the beginning."""
    times = [0.0]
    counts = [0.0]
    for at, length, fast in sorted(bursts):
        counts += [counts[-1] + (at - times[-1]) * rate]
        times.append(at)
        counts += [counts[-1] + length * fast]
        times.append(at + length)
    end = max(seconds, times[-1])
    counts.append(counts[-1] + (end - times[-1]) * rate)
    times.append(end)
    return lambda passed: float(np.interp(passed, times, counts))


def massive_rows(market: Market, symbols: list[str], now_ns: int) -> list[dict[str, Any]]:
    """The chain as snapshot rows."""
    bid, ask = market.quotes(now_ns)
    listed = market.listed
    return [
        {
            "details": {
                "ticker": symbol,
                "contract_type": "call" if contract.right.sign > 0 else "put",
                "exercise_style": "european",
                "expiration_date": contract.expiry.isoformat(),
                "shares_per_contract": 100,
                "strike_price": contract.strike,
            },
            "last_quote": {
                "bid": bid[at],
                "ask": ask[at],
                "bid_size": 20,
                "ask_size": 20,
                "last_updated": now_ns,
                "timeframe": "REAL-TIME",
            },
            "open_interest": listed.interest[at],
            "day": {},
            "underlying_asset": {"ticker": "I:SPX", "value": market.spot},
        }
        for at, (symbol, contract) in enumerate(zip(symbols, listed.contracts, strict=True))
    ]


_DATED = 1_763_740_000_000


def massive_frames(symbols: list[str], bid: Any, ask: Any, count: int) -> list[bytes]:
    """Frames of 100 quotes, all of the same time, to be pushed."""
    rng = np.random.default_rng(5)
    frames = []
    for number in range(count):
        parts = []
        for at in rng.integers(0, len(symbols), PER_FRAME).tolist():
            bs, az = rng.integers(1, 90, 2).tolist()
            parts.append(
                f'{{"ev":"Q","sym":"{symbols[at]}","bx":{_EXCHANGE},"bp":{bid[at]:.2f},"bs":{bs},'
                f'"ax":{_EXCHANGE},"ap":{ask[at]:.2f},"as":{az},"t":{_DATED},'
                f'"q":{1_864_261_653 + number}}}'
            )
        frames.append(("[" + ",".join(parts) + "]").encode())
    return frames


def dxlink_frames(symbols: list[str], bid: Any, ask: Any, count: int, channel: int) -> list[bytes]:
    """The same as COMPACT, in the order of fields that was asked for."""
    rng = np.random.default_rng(5)
    frames = []
    for _ in range(count):
        values: list[Any] = []
        for at in rng.integers(0, len(symbols), PER_FRAME).tolist():
            bs, az = rng.integers(1, 90, 2).tolist()
            values += [symbols[at], round(float(bid[at]), 2), round(float(ask[at]), 2)]
            values += [float(bs), float(az), _DATED, _DATED]
        message = {"type": "FEED_DATA", "channel": channel, "data": ["Quote", values]}
        frames.append(json.dumps(message, separators=(",", ":")).encode())
    return frames


class _Massive:
    def __init__(self, size: int, offset_ns: int) -> None:
        now = time.time_ns() + offset_ns
        rng = np.random.default_rng(3)
        self.listed: Chain = chain(et(now).date(), size, rng)
        self.market = Market(self.listed, rng)
        self.symbols = [symbol_of(contract, "polygon") for contract in self.listed.contracts]
        self.venue = Listing()
        self.venue.chain = massive_rows(self.market, self.symbols, now)
        self.offset = offset_ns
        self.paced = Paced(self.venue, self.market, self.symbols, offset_ns)

    def frames(self, count: int) -> list[bytes]:
        quoted = sorted(self.venue.quotes_of)
        index = {symbol: at for at, symbol in enumerate(self.symbols)}
        which = np.array([index[symbol] for symbol in quoted], np.int64)
        bid, ask = self.market.quotes(time.time_ns() + self.offset, which)
        return massive_frames(quoted, bid, ask, count)

    def state(self) -> dict[str, Any]:
        return {"quoted": len(self.venue.quotes_of), "printed": len(self.venue.prints_of)}


class _Dxlink:
    def __init__(self, size: int, offset_ns: int) -> None:
        now = time.time_ns() + offset_ns
        rng = np.random.default_rng(3)
        self.listed = chain(et(now).date(), size, rng)
        self.market = Market(self.listed, rng)
        self.symbols = [symbol_of(contract, "dxfeed") for contract in self.listed.contracts]
        self.venue = FakeDxlink()
        self.offset = offset_ns
        roots: dict[str, dict[str, Any]] = {}
        for each in self.listed.contracts:
            of = roots.setdefault(
                each.root, {"settlement": "AM" if each.root == "SPX" else "PM", "expiries": {}}
            )
            strikes = of["expiries"].setdefault(each.expiry.isoformat(), [])
            if not strikes or strikes[-1] != each.strike:
                strikes.append(each.strike)
        self.venue.chain("SPX", roots)

    async def spot(self) -> None:
        """The index, so that a window can be drawn."""
        ms = (time.time_ns() + self.offset) // 1_000_000
        now = {"eventSymbol": "SPX", "price": self.market.spot, "time": ms, "dayVolume": 0}
        await self.venue.publish("Trade", [now])

    def frames(self, count: int) -> list[bytes]:
        index = {symbol: at for at, symbol in enumerate(self.symbols)}
        quoted = sorted(s for s in self.venue.subscribed("Quote") if s in index)
        which = np.array([index[symbol] for symbol in quoted], np.int64)
        bid, ask = self.market.quotes(time.time_ns() + self.offset, which)
        channel = next(
            channel.number
            for channel in self.venue.here.channels.values()
            if any(kind == "Quote" for kind, _ in channel.subscribed)
        )
        return dxlink_frames(quoted, bid, ask, count, channel)

    def state(self) -> dict[str, Any]:
        quotes = self.venue.subscribed("Quote") if self.venue.past else set()
        return {"quoted": len(quotes), "errors": self.venue.errors[-3:]}


async def serve(kind: str, size: int, offset_ns: int) -> None:
    """Serve until standard input ends."""
    market = _Massive(size, offset_ns) if kind == "massive" else _Dxlink(size, offset_ns)
    venue: FakeVenue = market.venue
    reader = asyncio.StreamReader(limit=1 << 26)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    pushed: Pushed | None = None
    pushing: asyncio.Task[int] | None = None
    pacing: asyncio.Task[dict[str, Any]] | None = None
    async with venue:
        _say({"port": venue.port})
        async for line in reader:
            command = json.loads(line)
            what = command.pop("do")
            if what == "state":
                _say(market.state())
            elif what == "spot":
                assert isinstance(market, _Dxlink)
                await market.spot()
                _say({})
            elif what == "frames":
                frames = market.frames(command["count"])
                pushed = Pushed(frames, str(_DATED).encode())
                Path(command["path"]).write_bytes(b"\n".join(frames))  # noqa: ASYNC240
                _say({"count": len(frames)})
            elif what == "configure":
                assert isinstance(market, _Dxlink)
                here = market.venue.here
                for channel in here.channels.values():
                    if any(each == "Quote" for each, _ in channel.subscribed):
                        await market.venue.configure(here, channel, "Quote")
                _say({})
            elif what == "push":
                assert pushed is not None
                socket = venue.sockets[-1]
                pushing = asyncio.create_task(
                    push(socket, pushed, command["rate"], offset_ns, command["seconds"])
                )
                _say({})
            elif what == "pushed":
                assert pushing is not None
                _say({"frames": await pushing})
            elif what == "run":
                assert isinstance(market, _Massive)
                pacing = asyncio.create_task(market.paced.run(**command))
                _say({})
            elif what == "ran":
                assert pacing is not None
                _say({"done": pacing.done(), **(await pacing if pacing.done() else {})})
            elif what == "save":
                assert isinstance(market, _Massive)
                market.paced.save(Path(command["path"]))
                _say({})


def _say(answer: dict[str, Any]) -> None:
    print(json.dumps(answer), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=("massive", "dxlink"))
    parser.add_argument("--size", type=int, default=24_000)
    parser.add_argument("--offset", type=int, default=0, help="ns between this clock and theirs")
    chosen = parser.parse_args()
    asyncio.run(serve(chosen.kind, chosen.size, chosen.offset))


if __name__ == "__main__":
    main()
