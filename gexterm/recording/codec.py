"""Events to bytes and back: the frames of recordings and of the replay wire.

A frame is a header of 32 bytes (kind, codec version, rows, body length, receipt time,
replay time) and a body. Batches of quotes, trades, open interest and volume are
columns (`gexterm.recording.columns`); the rest is MessagePack. Frames follow each other
without a gap; a file's block and a websocket message are both just frames in a row.

The replay time says when a frame is due when it is played back: receipt time as far
as known, never before that of the frame ahead of it.

Whatever is read is taken for hostile: lengths are checked before anything is
allocated, contract indices before they index, names before they are shown.
"""

from __future__ import annotations

import datetime as dt
import itertools
import math
import struct
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import msgspec
import numpy as np

from gexterm.errors import RecordingError, RecordingVersionError
from gexterm.market.contracts import Contract, Right
from gexterm.market.events import (
    CORRECTION,
    ClockTick,
    Definitions,
    Event,
    FeedReport,
    FeedState,
    FeedStatus,
    OpenInterest,
    Quotes,
    SourceInfo,
    TickMark,
    Trades,
    UnderlyingPrice,
    Volume,
)
from gexterm.recording import columns

CODEC_VERSION = 3
"""Changes whenever an older reader would misread a frame. Version 1, which is still read,
had fewer columns of trades; version 3 added kinds, and only those are written as such."""
MAX_ROWS = 200_000
"""Most rows of one frame; larger batches are split."""
MAX_FRAME = 16 * 1024 * 1024
"""Most bytes of one frame, header included."""
MAX_NAME = 64
"""Most characters of a root, an underlying or a feed's name."""
MAX_TEXT = 4096
"""Most characters of a note or message."""

_HEAD = struct.Struct("<BBHIIIqq")
HEAD_SIZE = _HEAD.size
_TS = struct.Struct("<q")
_PRICE = struct.Struct("<dq")
_MARKED = struct.Struct("<qq")

_Mode = Literal["live", "delayed", "replay", "simulated", "file"]
_MODES = get_args(_Mode)
_STATES = get_args(FeedState)

_DEFINITIONS, _QUOTES, _TRADES, _UNDERLYING = 1, 2, 3, 4
_OPEN_INTEREST, _VOLUME, _TICK, _STATUS, _SOURCE = 5, 6, 7, 8, 9
_REPORT, _MARK = 10, 11
KIND_DEFINITIONS, KIND_STATUS, KIND_SOURCE = _DEFINITIONS, _STATUS, _SOURCE
KIND_MARK = _MARK
"""Kinds of frames that are told apart before they are decoded."""
_KIND: dict[type, int] = {
    Definitions: _DEFINITIONS,
    Quotes: _QUOTES,
    Trades: _TRADES,
    UnderlyingPrice: _UNDERLYING,
    OpenInterest: _OPEN_INTEREST,
    Volume: _VOLUME,
    ClockTick: _TICK,
    FeedStatus: _STATUS,
    SourceInfo: _SOURCE,
    FeedReport: _REPORT,
    TickMark: _MARK,
}
_VERSION = {_REPORT: 3, _MARK: 3}
"""The version a kind is written as; 2 for those not listed."""
# The contract index leads and is never abbreviated: it bounds the rows by the bytes.
_COLUMNS: dict[int, tuple[tuple[str, str], ...]] = {
    _QUOTES: (
        ("bid", "f8"),
        ("ask", "f8"),
        ("bid_size", "f8"),
        ("ask_size", "f8"),
        ("ts", "i8"),
    ),
    _TRADES: (
        ("price", "f8"),
        ("size", "f8"),
        ("ts", "i8"),
        ("bid", "f8"),
        ("ask", "f8"),
        ("side", "i1"),
        ("condition", "i2"),
        ("sequence", "i8"),
        ("bid_size", "f8"),
        ("ask_size", "f8"),
        ("action", "i1"),
        ("refers", "i8"),
    ),
    _OPEN_INTEREST: (("open_interest", "f8"),),
    _VOLUME: (("volume", "f8"),),
}
_TRADES_V1 = 8
"""How many columns of trades version 1 had."""
_NO_ROWS = {_UNDERLYING, _TICK, _STATUS, _SOURCE, _REPORT, _MARK}


class _Definitions(msgspec.Struct, array_like=True):
    first: int
    contracts: list[tuple[str, int, str, float]]


class _Report(msgspec.Struct, array_like=True):
    frames: int
    rows: int
    dropped: int
    malformed: int
    gaps: int
    refilled: int
    misdated: int
    reconnects: int
    away_s: float
    skew_s: float
    listed: int
    quoted: int
    printed: int
    window: str
    heard_from: int
    notes: tuple[str, ...]


_COUNTS = 8
"""How many of its fields, from the first on, count something."""
_NOTES = 64
"""Most notes that are read."""


class _Status(msgspec.Struct, array_like=True):
    state: str
    message: str
    detail: dict[str, bool | float | str]


class _Source(msgspec.Struct, array_like=True):
    underlying: str
    feed: str
    mode: str
    delay_s: float
    note: str
    begins: int
    ends: int
    conditions: str = ""
    venue_side: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame, found but not yet decoded."""

    kind: int
    """Which event it holds; see `KIND_DEFINITIONS` and its like."""
    rows: int
    """Rows of the batch; 0 where an event has none."""
    time: int
    """Replay time, ns."""
    data: memoryview
    """The whole frame, header included."""


def event_time(event: Event) -> int:
    """When an event reached us, ns: receipt time, else its own; 0 where neither is known."""
    if isinstance(event, ClockTick):
        return event.ts
    if isinstance(event, FeedStatus | SourceInfo | TickMark):
        return 0
    if isinstance(event, FeedReport):
        return event.recv
    if event.recv > 0 or isinstance(event, Definitions):
        return event.recv
    if isinstance(event, Quotes | Trades):
        return int(event.ts.max()) if len(event.ts) else 0
    return event.ts


def rows(event: Event) -> int:
    """How many contracts' worth an event holds; 0 for events without rows."""
    if isinstance(event, Definitions):
        return len(event.contracts)
    if isinstance(event, Quotes | Trades | OpenInterest | Volume):
        return len(event.contract)
    return 0


def encode(event: Event, time: int) -> bytes:
    """One event as one frame. `time` is its replay time, ns.

    Raises RecordingError for what no reader would take (an unprintable root, …) and
    ValueError for columns of unequal length or an event that `split` has not seen:
    those are mistakes of ours, not of the data.
    """
    count = rows(event)
    if count > MAX_ROWS:
        raise ValueError(f"a frame holds at most {MAX_ROWS} rows, not {count}")
    kind = _KIND[type(event)]
    body = _body(event, kind)
    recv = getattr(event, "recv", 0)
    return _HEAD.pack(kind, _VERSION.get(kind, 2), 0, count, len(body), 0, recv, time) + body


def frames(data: bytes | memoryview) -> Iterator[Frame]:
    """The frames in a buffer. Raises RecordingError where one is cut off or malformed."""
    view = memoryview(data)
    at = 0
    while at < len(view):
        if at + HEAD_SIZE > len(view):
            raise RecordingError(f"a frame's header is cut off at byte {at} of {len(view)}")
        kind, version, _, count, length, _, _, time = _HEAD.unpack_from(view, at)
        if not 1 <= version <= CODEC_VERSION:
            raise RecordingVersionError(
                f"a frame is of codec version {version}, this program reads 1 to {CODEC_VERSION}",
                "use the gexterm that wrote it",
            )
        end = at + HEAD_SIZE + length
        if end > len(view) or end - at > MAX_FRAME:
            raise RecordingError(f"a frame at byte {at} claims {length} bytes, more than there are")
        yield Frame(kind, count, time, view[at:end])
        at = end


def decode(frame: Frame) -> Event:
    """The event of a frame. Raises RecordingError when it holds none."""
    try:
        return _decode(frame)
    except RecordingError:
        raise
    except (ValueError, OverflowError, TypeError, struct.error) as error:
        # msgspec's errors are ValueErrors.
        raise RecordingError(f"a frame of kind {frame.kind} does not decode: {error}") from error


def decode_all(data: bytes | memoryview) -> list[tuple[int, Event]]:
    """Every event in a buffer of frames, each with its replay time, ns."""
    return [(frame.time, decode(frame)) for frame in frames(data)]


def _body(event: Event, kind: int) -> bytes:
    if isinstance(event, Definitions):
        for contract in event.contracts:
            _check(contract.root, contract.strike)
        listed = [(c.root, c.expiry.toordinal(), c.right.value, c.strike) for c in event.contracts]
        return msgspec.msgpack.encode(_Definitions(event.first, listed))
    if isinstance(event, UnderlyingPrice):
        return _PRICE.pack(event.price, event.ts)
    if isinstance(event, ClockTick):
        return _TS.pack(event.ts)
    if isinstance(event, TickMark):
        _sound_mark(event)
        return _MARKED.pack(event.ts, event.step)
    if isinstance(event, FeedReport):
        _sound_report(event)
        return msgspec.msgpack.encode(
            _Report(**{name: getattr(event, name) for name in _Report.__struct_fields__})
        )
    if isinstance(event, FeedStatus):
        return msgspec.msgpack.encode(_Status(event.state, event.message, event.detail))
    if isinstance(event, SourceInfo):
        return msgspec.msgpack.encode(
            _Source(
                event.underlying,
                event.feed,
                event.mode,
                event.delay_s,
                event.note,
                event.begins,
                event.ends,
                event.conditions,
                event.venue_side,
            )
        )
    parts = [_TS.pack(event.ts)] if isinstance(event, OpenInterest | Volume) else []
    _check_rows(event)
    index = np.ascontiguousarray(event.contract, "<i4")
    parts.append(index.view(np.uint8).reshape(-1, 4).T.tobytes())
    table: list[tuple[str, np.ndarray[Any, np.dtype[Any]]]] = []
    for field, dtype in _COLUMNS[kind]:
        column = np.asarray(getattr(event, field), dtype)
        if column.shape != index.shape:
            raise ValueError(f"{field} has shape {column.shape}, contract {index.shape}")
        table.append((dtype, column))
    floats = iter(columns.pack_floats([column for dtype, column in table if dtype == "f8"]))
    parts += (next(floats) if dtype == "f8" else columns.pack(column) for dtype, column in table)
    return b"".join(parts)


def _check_rows(event: Quotes | Trades | OpenInterest | Volume) -> None:
    """Refuse to write what no reader would take: it would cost the whole recording."""
    if len(event.contract) == 0:
        return
    if int(event.contract.min()) < 0:
        raise RecordingError(f"a batch names contract {int(event.contract.min())}")
    if isinstance(event, Trades):
        if int(np.abs(event.side.astype(np.int16)).max()) > 1:
            raise RecordingError("a trade's side is none of buyer, seller, not given")
        if not 0 <= int(event.action.min()) <= int(event.action.max()) <= CORRECTION:
            raise RecordingError("a trade is neither new nor a cancel nor a correction")


def split(event: Event) -> Iterator[Event]:
    """The event in parts that fit into frames: itself, unless it has over `MAX_ROWS` rows."""
    count = rows(event)
    if count <= MAX_ROWS:
        yield event
        return
    for start in range(0, count, MAX_ROWS):
        part = slice(start, start + MAX_ROWS)
        if isinstance(event, Definitions):
            yield Definitions(event.first + start, event.contracts[part], event.recv)
        elif isinstance(event, OpenInterest | Volume):
            column = getattr(event, _COLUMNS[_KIND[type(event)]][0][0])[part]
            yield type(event)(event.contract[part], column, event.ts, event.recv)
        elif isinstance(event, Quotes | Trades):
            fields = {n: getattr(event, n)[part] for n, _ in _COLUMNS[_KIND[type(event)]]}
            yield type(event)(contract=event.contract[part], recv=event.recv, **fields)


def _decode(frame: Frame) -> Event:
    kind, version, _, count, _, _, recv, _ = _HEAD.unpack_from(frame.data)
    body = frame.data[HEAD_SIZE:]
    if count > MAX_ROWS or (kind in _NO_ROWS and count):
        raise RecordingError(f"a frame of kind {kind} claims {count} rows")
    if kind in _COLUMNS:
        return _decode_columns(kind, version, count, recv, body)
    if kind == _DEFINITIONS:
        raw = msgspec.msgpack.decode(body, type=_Definitions)
        if len(raw.contracts) != count or raw.first < 0:
            raise RecordingError(f"definitions of {count} contracts hold {len(raw.contracts)}")
        return Definitions(raw.first, _contracts(raw.contracts), recv)
    if kind == _UNDERLYING:
        price, at = _PRICE.unpack(body)
        return UnderlyingPrice(price, at, recv)
    if kind == _TICK:
        return ClockTick(*_TS.unpack(body))
    if kind == _MARK:
        return _sound_mark(TickMark(*_MARKED.unpack(body)))
    if kind == _REPORT:
        told = msgspec.structs.asdict(msgspec.msgpack.decode(body, type=_Report))
        told["window"] = text(told["window"])
        told["notes"] = tuple(text(note) for note in told["notes"][:_NOTES])
        return _sound_report(FeedReport(**told, recv=recv))
    if kind == _STATUS:
        status = msgspec.msgpack.decode(body, type=_Status)
        if status.state not in _STATES:
            raise RecordingError(f"a feed cannot be {status.state[:40]!r}")
        # The membership test above is what the type says.
        state: Any = status.state
        return FeedStatus(state, text(status.message), dict(status.detail))
    if kind == _SOURCE:
        return source_info(msgspec.structs.asdict(msgspec.msgpack.decode(body, type=_Source)))
    raise RecordingError(f"a frame is of the unknown kind {kind}")


def source_info(fields: dict[str, Any]) -> SourceInfo:
    """A SourceInfo of fields read from outside; raises RecordingError when one is unfit."""
    try:
        raw = msgspec.convert(fields, _SourceFields)
    except msgspec.ValidationError as error:
        raise RecordingError(f"the description of the source is unfit: {error}") from error
    mode: Any = raw.mode
    worth: Any = raw.venue_side
    return SourceInfo(
        underlying=name(raw.underlying),
        feed=name(raw.feed),
        mode=mode,
        delay_s=raw.delay_s,
        note=text(raw.note),
        begins=raw.begins,
        ends=raw.ends,
        conditions=name(raw.conditions) if raw.conditions else "",
        venue_side=worth,
    )


class _SourceFields(msgspec.Struct):
    underlying: str
    feed: str
    mode: _Mode
    delay_s: float = 0.0
    note: str = ""
    begins: int = 0
    ends: int = 0
    conditions: str = ""
    venue_side: Literal["", "exact", "guess"] = ""


def name(value: str) -> str:
    """A name as it may be shown; raises RecordingError when it is long or unprintable."""
    if not value or len(value) > MAX_NAME or not value.isprintable():
        raise RecordingError(f"{value[:MAX_NAME]!a} is no name of a root, underlying or feed")
    return value


def text(value: str) -> str:
    """Free text made safe to show: one line, no control characters, bounded."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in value[:MAX_TEXT])


def _check(root: str, strike: float) -> None:
    name(root)
    if not 0.0 < strike < math.inf:
        raise RecordingError(f"a contract of {root} has the strike {strike}")


def _sound_mark(mark: TickMark) -> TickMark:
    if mark.ts < 0 or mark.step <= 0:
        raise RecordingError(f"no Reading is computed at {mark.ts} in steps of {mark.step} ns")
    return mark


def _sound_report(report: FeedReport) -> FeedReport:
    counts = (getattr(report, name) for name in _Report.__struct_fields__[:_COUNTS])
    known = (report.listed, report.quoted, report.printed, report.heard_from)
    if min(*counts, *known) < 0 or not 0.0 <= report.away_s < math.inf:
        raise RecordingError("a feed's report counts what cannot be")
    if math.isinf(report.skew_s):
        raise RecordingError(f"no clock is off by {report.skew_s} seconds")
    return report


def _contracts(listed: list[tuple[str, int, str, float]]) -> tuple[Contract, ...]:
    """Contracts as read. A keyframe has thousands, of few roots and dates.

    They are filled slot by slot instead of one by one: making contracts is most of what
    a seek costs, and a frozen dataclass is slow to make.
    """
    if not listed:
        return ()
    roots, expiries, rights, strikes = zip(*listed, strict=True)
    # Not finite where any of them is not.
    if min(strikes) <= 0.0 or not math.isfinite(sum(strikes)):
        for root, _, _, strike in listed:
            _check(root, strike)
    made = tuple(map(Contract.__new__, itertools.repeat(Contract, len(listed))))
    filled = {
        "root": _shared(roots, name),
        "expiry": _shared(expiries, dt.date.fromordinal),
        "right": _shared(rights, Right),
        "strike": strikes,
    }
    for slot, values in filled.items():
        deque(map(vars(Contract)[slot].__set__, made, values), maxlen=0)
    return made


def _shared(values: tuple[Any, ...], make: Callable[[Any], Any]) -> Iterator[Any]:
    """What is made of each value: one text, one date for all contracts that share it."""
    made = {value: make(value) for value in set(values)}
    if len(made) == 1:
        return itertools.repeat(made[values[0]], len(values))
    return map(made.__getitem__, values)


def _decode_columns(kind: int, version: int, count: int, recv: int, body: memoryview) -> Event:
    at = 0
    ts = 0
    if kind in (_OPEN_INTEREST, _VOLUME):
        (ts,) = _TS.unpack_from(body)
        at = _TS.size
    if at + 4 * count > len(body):
        raise RecordingError(f"a batch claims {count} rows in {len(body)} bytes")
    planes = np.frombuffer(body[at : at + 4 * count], np.uint8).reshape(4, -1)
    contract = np.ascontiguousarray(planes.T).reshape(-1).view("<i4").astype(np.int32, copy=False)
    if count and int(contract.min()) < 0:
        raise RecordingError(f"a batch names contract {int(contract.min())}")
    at += 4 * count
    fields: dict[str, Any] = {}
    listed = _COLUMNS[kind]
    if kind == _TRADES and version == 1:
        listed = listed[:_TRADES_V1]
    for column, dtype in listed:
        fields[column], at = columns.unpack(body, at, count, dtype)
    if at != len(body):
        raise RecordingError(f"a batch of {count} rows has {len(body) - at} bytes too many")
    if kind == _QUOTES:
        return Quotes(contract=contract, recv=recv, **fields)
    if kind == _TRADES:
        if count and int(np.abs(fields["side"].astype(np.int16)).max()) > 1:
            raise RecordingError("a trade's side is none of buyer, seller, not given")
        if version == 1:
            return Trades.of(contract, recv=recv, **fields)
        action = fields["action"]
        if count and not 0 <= int(action.min()) <= int(action.max()) <= CORRECTION:
            raise RecordingError("a trade is neither new nor a cancel nor a correction")
        return Trades(contract=contract, recv=recv, **fields)
    if kind == _OPEN_INTEREST:
        return OpenInterest(contract, fields["open_interest"], ts, recv)
    return Volume(contract, fields["volume"], ts, recv)
