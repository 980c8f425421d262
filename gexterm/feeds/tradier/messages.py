"""What Tradier says, stream and pages: structs out of JSON, columns out of structs.

    quote      symbol, bid bidsz biddate, ask asksz askdate
    timesale   a print: symbol, last, size, date, seq, flag, cancel, correction, and the bid
               and ask it was made against
    error      a sentence

Numbers come as numbers or as strings, times as milliseconds in strings, and a list of one
as no list. `trade` and `timesale` tell of the same print: only `timesale` is asked for, for
it has bid and offer at the print and a number. The seconds of a quote's time are often
whole: such a time is taken for that second, not for its beginning.

Source: documentation.tradier.com and docs.tradier.com (streaming, market data).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import msgspec
import numpy as np

from gexterm.clock import NS
from gexterm.market import calendar
from gexterm.market.events import CANCEL, CORRECTION, NEW, Quotes, Trades
from gexterm.market.roots import printable

_MS = 1_000_000
_LARGEST_MS, _LARGEST_SEQ = 4_102_444_800_000, 1 << 40
_HIGHEST, _MANY = 1e7, 1e9
"""No price, and no size, is above."""
T = TypeVar("T")


class Message(msgspec.Struct):
    """Any message of the stream."""

    type: str = ""
    symbol: str = ""
    bid: float | None = None
    ask: float | None = None
    bidsz: float | None = None
    asksz: float | None = None
    biddate: int | None = None
    askdate: int | None = None
    last: float | None = None
    size: float | None = None
    date: int | None = None
    seq: int | None = None
    flag: str | float | None = None
    cancel: bool | None = False
    correction: bool | None = False
    error: str | None = None
    recv_ns: int = 0


class Option(msgspec.Struct):
    """One row of a chain."""

    symbol: str
    root_symbol: str | None = None
    expiration_date: str | None = None
    contract_size: float | None = None
    bid: float | None = None
    ask: float | None = None
    bidsize: float | None = None
    asksize: float | None = None
    bid_date: int | None = None
    ask_date: int | None = None
    open_interest: float | None = None


class Quote(msgspec.Struct):
    """The underlying."""

    symbol: str = ""
    last: float | None = None
    trade_date: int | None = None


_LINES = msgspec.json.Decoder(Message, strict=False)


def read_lines(frame: bytes) -> tuple[list[Message], str]:
    """The messages of a frame, one a line, and what is wrong with the first that is none."""
    try:
        return _LINES.decode_lines(frame), ""
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _one_by_one(frame)


def _one_by_one(frame: bytes) -> tuple[list[Message], str]:
    read, unread = [], ""
    for line in frame.splitlines():
        if line.strip():
            try:
                read.append(_LINES.decode(line))
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                unread = unread or f"a line of {len(line)} bytes: {printable(str(error), 120)}"
    return read, unread


def within(said: Any, *path: str) -> Any:
    """What stands at a path of a JSON value; None where nothing does."""
    for name in path:
        said = said.get(name) if isinstance(said, dict) else None
    return said


def as_list(said: Any) -> list[Any]:
    """A list of one is written without being one, an empty one as null."""
    return said if isinstance(said, list) else [] if said is None else [said]


def convert(said: Any, kind: type[T]) -> T | None:
    """A JSON value as a struct; None where it is none."""
    try:
        return msgspec.convert(said, kind, strict=False)
    except msgspec.ValidationError:
        return None


def received(messages: list[Message]) -> int:
    """When the last of them came, ns."""
    return max(message.recv_ns for message in messages)


def quote_columns(messages: list[Message], index: Mapping[str, int], recv_ns: int) -> Quotes:
    """Quotes as columns, by time."""
    ts = np.array([quoted_at(m) for m in messages], np.int64)
    order = np.argsort(ts, kind="stable")
    return Quotes(
        np.array([index[m.symbol] for m in messages], np.int32)[order],
        np.array([bid_of(m.bid) for m in messages])[order],
        np.array([price_of(m.ask) for m in messages])[order],
        np.array([size_of(m.bidsz) for m in messages])[order],
        np.array([size_of(m.asksz) for m in messages])[order],
        ts[order],
        recv_ns,
    )


def quoted_at(message: Message) -> int:
    """When a quote was made, ns: the later side's time, or when it came where there is none."""
    said = max(ns_of(message.biddate), ns_of(message.askdate))
    if said and said % NS:
        return said
    # Whole seconds have lost what followed: at the latest when it came, within that second.
    return min(max(message.recv_ns, said), said + 999 * _MS) if said else message.recv_ns


def print_columns(messages: list[Message], index: Mapping[str, int]) -> Trades:
    """Prints as columns. Each must have a price and a size."""
    ts = [ns_of(m.date) or m.recv_ns for m in messages]
    return Trades.of(
        [index[m.symbol] for m in messages],
        [price_of(m.last) for m in messages],
        [size_of(m.size) for m in messages],
        ts,
        recv=received(messages),
        bid=[bid_of(m.bid) for m in messages],
        ask=[price_of(m.ask) for m in messages],
        sequence=[sequence_of(m.seq, at) for m, at in zip(messages, ts, strict=True)],
        action=[CANCEL if m.cancel else CORRECTION if m.correction else NEW for m in messages],
    )


def ns_of(ms: int | None) -> int:
    """A time in ns; 0 where none is given."""
    return ms * _MS if ms is not None and 0 < ms < _LARGEST_MS else 0


def price_of(value: float | None) -> float:
    """A price; NaN where none is given."""
    return value if value is not None and 0.0 < value <= _HIGHEST else math.nan


def bid_of(value: float | None) -> float:
    """A bid of zero is one."""
    return 0.0 if value == 0.0 else price_of(value)


def size_of(value: float | None) -> float:
    """A size, none at all included; NaN where none is given."""
    return value if value is not None and 0.0 <= value <= _MANY else math.nan


def sequence_of(seq: int | None, ts: int) -> int:
    """The venue's number, told apart by day: whether it begins anew is not documented."""
    if seq is None or not 0 <= seq < _LARGEST_SEQ:
        return -1
    return ts // (86_400 * NS) * _LARGEST_SEQ + seq


def server_time(headers: Mapping[str, str]) -> int:
    """What time it was at the server, ns; 0 where it does not say."""
    try:
        return calendar.ns(parsedate_to_datetime(headers.get("date", "")))
    except (ValueError, TypeError, OverflowError):
        return 0
