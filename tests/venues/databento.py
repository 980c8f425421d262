"""A gateway of Databento's, as its reference of the live API describes one (raw).

Text lines first, strictly in order and with the fields that the reference lists, then DBN,
made with the vendor's own `databento_dbn`. What is published is kept, so that it can be
replayed to whoever asks for it with `start` before the session begins. What a gateway says
in words (acknowledgements, "finished") is made up: the reference gives codes only.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

import databento_dbn as dbn

DATASET = "OPRA.PILLAR"
VERSION = "0.7.2"
MOST_SYMBOLS = 2000
NEVER = 2**64 - 1
NO_PRICE = 2**63 - 1
LAST_TOB = 194
_AUTH = re.compile(r"([0-9a-f]{64})-(.{5})")
_SAMPLED = ("cbbo-1s", "cbbo-1m")


@dataclass(frozen=True)
class Item:
    """A record on its way: to whom it is due, and what it is filtered by."""

    schema: str
    symbol: str
    ts: int
    data: bytes


@dataclass
class Session:
    """One connection, as the gateway sees it."""

    writer: asyncio.StreamWriter
    auth: dict[str, str] = field(default_factory=dict)
    requests: list[dict[str, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    started: bool = False


class FakeGateway:
    """Serves on the loopback. An async context manager."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.port = 0
        self.history: list[Item] = []
        """Everything published, in order."""
        self.ids: dict[str, int] = {}
        """Instrument ids by raw symbol."""
        self.sessions: list[Session] = []
        """Every connection that ever stood, in order."""
        self.greets = True
        """Whether it says anything at all."""
        self.refuses = ""
        """Why it refuses every login, if it does."""
        self.challenge = "t7kNhwj4xqR0QYjzFKtBEG2ec2pXJ4FK"
        self.piece = 0
        """Most bytes written at a time; 0: as they come."""
        self._server: asyncio.Server | None = None
        self._open: list[Session] = []
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def url(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    @property
    def session(self) -> Session:
        """The newest connection."""
        return self.sessions[-1]

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0, limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: Any) -> None:
        assert self._server is not None
        self._server.close()
        self.hang_up()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ---- what tests do with it

    def list(self, *symbols: str, first: int = 1000) -> None:
        """Contracts that exist, by raw symbol."""
        for symbol in symbols:
            self.ids.setdefault(symbol, first + len(self.ids))

    async def publish(self, *items: Item) -> None:
        """Records to everybody who asked for them, and to the history."""
        self.history += items
        for session in list(self._open):
            if session.started:
                await self._send(session, b"".join(i.data for i in self._due(session, items)))

    async def send(self, data: bytes) -> None:
        """Bytes to everybody, asked for or not."""
        for session in list(self._open):
            await self._send(session, data)

    async def end(self) -> None:
        """Close every connection in good order, once all is sent."""
        for session in list(self._open):
            with contextlib.suppress(OSError):
                session.writer.close()
                await session.writer.wait_closed()

    def hang_up(self) -> None:
        """Cut every connection."""
        for session in list(self._open):
            session.writer.transport.abort()

    # ---- the protocol

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        session = Session(writer)
        self.sessions.append(session)
        self._open.append(session)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._serve(reader, session)
        finally:
            self._open.remove(session)
            writer.transport.abort()
            self._tasks.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, session: Session) -> None:
        if not self.greets:
            await reader.read()
            return
        await self._send(session, f"lsg_version={VERSION}\n".encode())
        await self._send(session, f"cram={self.challenge}\n".encode())
        session.auth = await self._line(reader, session)
        if wrong := self.refuses or self._wrong(session.auth):
            await self._send(session, f"success=0|error={wrong}\n".encode())
            return
        await self._send(session, b"success=1|session_id=1763740800\n")
        while True:
            fields = await self._line(reader, session)
            if "start_session" in fields:
                if session.started:
                    await self._fail(session, "the session has been started already")
                    return
                await self._start(session)
            elif wrong := _wrong_request(fields, session.started):
                await self._fail(session, wrong)
                return
            else:
                session.requests.append(fields)
                if session.started:
                    await self._send(session, self._subscription(fields))

    async def _line(self, reader: asyncio.StreamReader, session: Session) -> dict[str, str]:
        line = (await reader.readuntil(b"\n")).decode("ascii")
        session.lines.append(line)
        pairs = [part.partition("=") for part in line.rstrip("\n").split("|")]
        assert all(equals for _, equals, _ in pairs), f"not name=value: {line!r}"
        fields = {name: value for name, _, value in pairs}
        assert len(fields) == len(pairs), f"a field twice: {line!r}"
        return fields

    def _wrong(self, auth: dict[str, str]) -> str:
        known = {
            "auth",
            "dataset",
            "encoding",
            "ts_out",
            "compression",
            "heartbeat_interval_s",
            "slow_reader_behavior",
            "client",
        }
        if unknown := set(auth) - known:
            return f"Unknown field {unknown}"
        proof = _AUTH.fullmatch(auth.get("auth", ""))
        right = hashlib.sha256(f"{self.challenge}|{self.key}".encode()).hexdigest()
        if proof is None or proof[1] != right or proof[2] != self.key[-5:]:
            return "Authentication failed."
        if auth.get("dataset") != DATASET:
            return "Unknown dataset"
        if auth.get("encoding") != "dbn" or auth.get("ts_out") != "0":
            return "Unsupported encoding"
        if auth.get("compression", "none") != "none":
            return "Unsupported compression"
        if not 5 <= int(auth.get("heartbeat_interval_s", "30")) <= 1800:
            return "heartbeat_interval_s out of bounds"
        if auth.get("slow_reader_behavior", "skip") not in ("skip", "warn"):
            return "Unknown slow_reader_behavior"
        return ""

    async def _start(self, session: Session) -> None:
        header = dbn.Metadata(
            dataset=DATASET,
            start=0,
            stype_in=None,
            stype_out=dbn.SType.INSTRUMENT_ID,
            schema=None,
            version=3,
        )
        # What is published from now on comes live, what was before in the replay: none twice.
        told = b"".join(map(self._subscription, session.requests))
        session.started = True
        await self._send(session, bytes(header) + told)

    def _subscription(self, fields: dict[str, str]) -> bytes:
        """Acknowledge, name the instruments, replay."""
        schema = fields["schema"]
        out = []
        if fields.get("is_last", "1") == "1":
            said = f"Subscription request {fields.get('id')} for {schema} data succeeded"
            out.append(system(said, dbn.SystemCode.SUBSCRIPTION_ACK))
        for asked in fields["symbols"].split(","):
            found = [s for s in self.ids if _matches(fields["stype_in"], asked, s)]
            if not found:
                out.append(error(f"{asked} did not resolve", "SYMBOL_RESOLUTION_FAILED"))
            out += [mapping(asked, symbol, self.ids[symbol]) for symbol in found]
        if "start" in fields:
            start = int(fields["start"])
            out += [
                item.data
                for item in sorted(self.history, key=lambda item: item.ts)
                if item.schema == schema and item.ts >= start and _wants(fields, item)
            ]
            out.append(system(f"Finished {schema} replay", dbn.SystemCode.REPLAY_COMPLETED))
        return b"".join(out)

    def _due(self, session: Session, items: Iterable[Item]) -> Iterable[Item]:
        for item in items:
            if any(_wants(fields, item) for fields in session.requests):
                yield item

    async def _fail(self, session: Session, why: str) -> None:
        await self._send(session, error(why, "INVALID_SUBSCRIPTION"))

    async def _send(self, session: Session, data: bytes) -> None:
        step = self.piece or len(data) or 1
        for at in range(0, len(data), step):
            session.writer.write(data[at : at + step])
            with contextlib.suppress(OSError):
                await session.writer.drain()


def _wrong_request(fields: dict[str, str], started: bool) -> str:
    unknown = set(fields) - {"schema", "stype_in", "symbols", "start", "snapshot", "id", "is_last"}
    if unknown:
        return f"Unknown field {unknown}"
    if fields.get("schema") not in [str(s) for s in dbn.Schema.variants()]:
        return "Unknown schema"
    if fields.get("stype_in") not in ("raw_symbol", "parent", "instrument_id"):
        return "Unknown stype_in"
    symbols = fields.get("symbols", "").split(",")
    if not all(symbols) or len(symbols) > MOST_SYMBOLS:
        return "Wrong number of symbols"
    if fields.get("snapshot", "0") != "0" and fields["schema"] != "mbo":
        return "Snapshots are for mbo only"
    if "start" in fields and (started or not fields["start"].isdecimal()):
        return "A start is for subscriptions before the session begins"
    if not fields.get("id", "0").isdecimal() or fields.get("is_last", "1") not in ("0", "1"):
        return "Malformed"
    return ""


def _matches(stype: str, asked: str, symbol: str) -> bool:
    if stype == "parent":
        return f"{symbol[:6].strip()}.OPT" == asked
    return asked == symbol


def _wants(fields: dict[str, str], item: Item) -> bool:
    return fields["schema"] == item.schema and any(
        _matches(fields["stype_in"], asked, item.symbol) for asked in fields["symbols"].split(",")
    )


# ---- records, made with the vendor's library


def system(said: str, code: dbn.SystemCode = dbn.SystemCode.HEARTBEAT, ts: int = 1) -> bytes:
    return bytes(dbn.SystemMsg(ts, said, code=code))


def error(said: str, code: str, ts: int = 1) -> bytes:
    return bytes(dbn.ErrorMsg(ts, said, code=getattr(dbn.ErrorCode, code)))


def mapping(asked: str, symbol: str, instrument: int) -> bytes:
    return bytes(
        dbn.SymbolMappingMsg(
            publisher_id=0,
            instrument_id=instrument,
            ts_event=1,
            stype_in=dbn.SType.PARENT,
            stype_in_symbol=asked,
            stype_out=dbn.SType.INSTRUMENT_ID,
            stype_out_symbol=symbol,
            start_ts=NEVER,
            end_ts=NEVER,
        )
    )


def definition(
    symbol: str,
    instrument: int,
    ts: int,
    action: dbn.SecurityUpdateAction = dbn.SecurityUpdateAction.ADD,
    **changes: Any,
) -> Item:
    """Of an OCC symbol; expiration midnight UTC of the date, as the vendor has it."""
    import datetime as dt

    date = dt.datetime.strptime(symbol[6:12], "%y%m%d").replace(tzinfo=dt.UTC)
    values: dict[str, Any] = {
        "publisher_id": 30,
        "instrument_id": instrument,
        "ts_event": ts,
        "ts_recv": ts + 200_000,
        "min_price_increment": NO_PRICE,
        "display_factor": NO_PRICE,
        "raw_symbol": symbol,
        "asset": "",
        "security_type": "OOF",
        "instrument_class": dbn.InstrumentClass.CALL
        if symbol[12] == "C"
        else dbn.InstrumentClass.PUT,
        "security_update_action": action,
        "expiration": int(date.timestamp()) * 10**9,
        "strike_price": int(symbol[13:]) * 1_000_000,
    }
    made = dbn.InstrumentDefMsg(**(values | changes))
    return Item("definition", symbol, ts, bytes(made))


def statistic(
    symbol: str,
    instrument: int,
    ts: int,
    quantity: int,
    publisher: int = 22,
    ts_ref: int = NEVER,
    kind: dbn.StatType = dbn.StatType.OPEN_INTEREST,
) -> Item:
    made = dbn.StatMsg(
        publisher_id=publisher,
        instrument_id=instrument,
        ts_event=ts,
        ts_recv=ts + 200_000,
        ts_ref=ts_ref,
        price=NO_PRICE,
        quantity=quantity,
        stat_type=kind,
    )
    return Item("statistics", symbol, ts, bytes(made))


def levels(bid: float, ask: float, sizes: tuple[int, int] = (10, 20)) -> Any:
    return dbn.ConsolidatedBidAskPair(
        bid_px=nano(bid), ask_px=nano(ask), bid_sz=sizes[0], ask_sz=sizes[1], bid_pb=22, ask_pb=22
    )


def nano(price: float) -> int:
    return NO_PRICE if price != price else round(price * 1e9)


def tcbbo(
    symbol: str,
    instrument: int,
    ts: int,
    price: float,
    lots: int,
    book: tuple[float, float],
    publisher: int = 22,
    flags: int = LAST_TOB,
) -> Item:
    made = dbn.CMBP1Msg(
        rtype=0xC2,
        publisher_id=publisher,
        instrument_id=instrument,
        ts_event=ts,
        price=nano(price),
        size=lots,
        action=dbn.Action.TRADE,
        side=dbn.Side.NONE,
        ts_recv=ts + 200_000,
        flags=flags,
        levels=levels(*book),
    )
    return Item("tcbbo", symbol, ts, bytes(made))


def cbbo(
    symbol: str,
    instrument: int,
    ts: int,
    bid: float,
    ask: float,
    schema: str = "cbbo-1s",
    flags: int = LAST_TOB,
) -> Item:
    """The book at `ts`, the end of an interval; `ts_event` is of some print before."""
    made = dbn.CBBOMsg(
        rtype={"cbbo-1s": 0xC0, "cbbo-1m": 0xC1}[schema],
        publisher_id=30,
        instrument_id=instrument,
        ts_event=ts - 7_000_000_000,
        price=nano(bid),
        size=3,
        side=dbn.Side.NONE,
        ts_recv=ts,
        flags=flags,
        levels=levels(bid, ask),
    )
    return Item(schema, symbol, ts, bytes(made))
