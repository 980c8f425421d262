"""DBN records: how a stream is cut into them, and what stands in them, as columns.

A record begins with its length in words of four bytes and its type; those of one length
that follow each other are read at once. Quotes and prints, which are nearly all there is,
share one layout of 80 bytes and become columns without one object a record; the vendor's
decoder reads the rest.

    type                        ts is                     top of book
    TCBBO     a print           ts_event                  best of all exchanges, before it
    CMBP_1    a change          ts_event                  best of all exchanges
    CBBO_1S   end of a second   ts_recv (ts_event is      best of all exchanges
    CBBO_1M   end of a minute   that of the last print)
    MBP_1     a change, print   ts_event                  of the publisher; 30 is all exchanges
    MBP_0     a print           ts_event                  none

Prices are in units of 1e-9, "not given" is the highest number of its type.

Source: Databento's pages on schemas, and the layout of DBN version 3.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gexterm.feeds.retry import PassingError

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Rows = NDArray[np.void]

MBP_0, MBP_1, CMBP_1, CBBO_1S, CBBO_1M, TCBBO = 0x00, 0x01, 0xB1, 0xC0, 0xC1, 0xC2
DEFINITION, ERROR, MAPPING, SYSTEM, STATISTICS = 0x13, 0x15, 0x16, 0x17, 0x18
CONTROL = (DEFINITION, ERROR, MAPPING, SYSTEM, STATISTICS)
"""What the vendor's decoder reads: statistics only where they are of an older version."""
_ALWAYS = {MBP_0: 48} | dict.fromkeys((MBP_1, CMBP_1, CBBO_1S, CBBO_1M, TCBBO), 80)
SIZES = {
    1: _ALWAYS | {DEFINITION: 360, STATISTICS: 64, ERROR: 80, SYSTEM: 80, MAPPING: 80},
    2: _ALWAYS | {DEFINITION: 400, STATISTICS: 64, ERROR: 320, SYSTEM: 320, MAPPING: 176},
    3: _ALWAYS | {DEFINITION: 520, STATISTICS: 80, ERROR: 320, SYSTEM: 320, MAPPING: 176},
}
"""Bytes of a record by version of DBN and type. The vendor's decoder takes them on trust."""
OPRA_PUBLISHER = 30
"""The consolidated tape itself; the others are exchanges."""
OPEN_INTEREST = 9
DELETED = 2
TRADE = ord("T")
MAYBE_BAD_BOOK, BAD_TS_RECV = 4, 8
UNDEF_PRICE = 2**63 - 1
UNDEF_TS = 2**64 - 1
UNDEF_SIZE = 2**32 - 1
_HIGHEST_PRICE = 10_000_000.0
_HIGHEST_TS = 2**62
"""Year 2116: later times are none."""
_HEADER = 16

TOP = np.dtype(
    [
        ("length", "u1"),
        ("rtype", "u1"),
        ("publisher", "<u2"),
        ("instrument", "<u4"),
        ("ts_event", "<u8"),
        ("price", "<i8"),
        ("size", "<u4"),
        ("action", "u1"),
        ("side", "u1"),
        ("flags", "u1"),
        ("depth", "u1"),
        ("ts_recv", "<u8"),
        ("ts_in_delta", "<i4"),
        ("sequence", "<u4"),
        ("bid", "<i8"),
        ("ask", "<i8"),
        ("bid_size", "<u4"),
        ("ask_size", "<u4"),
        ("counts", "V8"),
    ]
)
"""A quote or print of 80 bytes. `sequence` only in MBP_1, `action` not in CBBO."""
PRINT = np.dtype([(name, TOP.fields[name][0]) for name in TOP.names[:14]])  # type: ignore[index]
"""MBP_0: a print of 48 bytes, without a book."""
STATISTIC = np.dtype(
    [
        ("length", "u1"),
        ("rtype", "u1"),
        ("publisher", "<u2"),
        ("instrument", "<u4"),
        ("ts_event", "<u8"),
        ("ts_recv", "<u8"),
        ("ts_ref", "<u8"),
        ("price", "<i8"),
        ("quantity", "<i8"),
        ("sequence", "<u4"),
        ("ts_in_delta", "<i4"),
        ("kind", "<u2"),
        ("channel", "<u2"),
        ("action", "u1"),
        ("flags", "u1"),
        ("reserved", "V18"),
    ]
)
"""A statistic of DBN version 3, 80 bytes."""


@dataclass(frozen=True, eq=False, slots=True)
class Run:
    """Records of one length that follow each other."""

    data: bytes
    """What they stand in."""
    at: int
    """Where the first begins."""
    size: int
    """Bytes of each."""
    count: int
    """How many."""

    @property
    def types(self) -> NDArray[np.uint8]:
        """Their types. Shape (count,)."""
        every = np.frombuffer(self.data, np.uint8, self.size * self.count, self.at)
        return every[1 :: self.size]

    def rows(self, layout: np.dtype[Any], these: NDArray[np.bool_] | None = None) -> Rows:
        """The records in a layout of their size, or some of them. Shape (count,) or less."""
        every = np.frombuffer(self.data, layout, self.count, self.at)
        return every if these is None or these.all() else pick(every, these)

    def bytes_of(self, these: NDArray[np.bool_]) -> bytes:
        """Some of them, as they came."""
        every = np.frombuffer(self.data, np.uint8, self.size * self.count, self.at)
        return every.reshape(self.count, self.size)[these].tobytes()


class Framer:
    """Cuts a stream into runs, however it comes in pieces."""

    def __init__(self) -> None:
        self._tail = b""

    def take(self, data: bytes) -> Iterator[Run]:
        """The runs that are complete. Raises PassingError where no record can begin."""
        if self._tail:
            data = self._tail + data
        at, end = 0, len(data)
        octets = np.frombuffer(data, np.uint8)
        while at < end:
            size = data[at] * 4
            if size < _HEADER:
                raise PassingError("Databento's stream made no sense", "it is asked for anew")
            whole = (end - at) // size
            if whole == 0:
                break
            same = octets[at : at + whole * size : size] == data[at]
            count = whole if same.all() else int(same.argmin())
            yield Run(data, at, size, count)
            at += count * size
        self._tail = data[at:]


def pick(rows: Rows, which: NDArray[Any]) -> Rows:
    """Some rows, by mask or by place. As plain bytes, which is many times as fast."""
    some: Rows = rows.view(f"V{rows.itemsize}")[which].view(rows.dtype)
    return some


def joined(parts: list[Rows]) -> Rows:
    """Rows of one layout, one after the other."""
    if len(parts) == 1:
        return parts[0]
    plain = [part.view(f"V{part.itemsize}") for part in parts]
    return np.concatenate(plain).view(parts[0].dtype)


def price(raw: I64) -> F64:
    """Points; NaN where not given, negative or absurd."""
    points = raw / 1e9
    points[(raw < 0) | (points > _HIGHEST_PRICE)] = np.nan
    return points


def size(raw: NDArray[np.uint32]) -> F64:
    """Contracts; NaN where not given."""
    contracts = raw.astype(np.float64)
    contracts[raw == UNDEF_SIZE] = np.nan
    return contracts


def when(rows: Rows, sampled: bool) -> I64:
    """Time of each row, ns; 0 where it is not known.

    `sampled` rows (CBBO) are of the end of their interval, which is in `ts_recv`: their
    `ts_event` is when the contract last traded.
    """
    ts = _known(rows["ts_recv"])
    ts[(rows["flags"] & BAD_TS_RECV) != 0] = 0
    if sampled:
        return ts
    event = _known(rows["ts_event"])
    return np.where(event > 0, event, ts)


def _known(raw: NDArray[np.uint64]) -> I64:
    ts = raw.astype(np.int64)
    ts[raw > _HIGHEST_TS] = 0
    return ts


def book(rows: Rows) -> tuple[F64, F64, F64, F64]:
    """Bid, offer and their sizes. What has no price has no size; an offer of 0 is none."""
    bid, ask = price(rows["bid"]), price(rows["ask"])
    ask[ask == 0.0] = np.nan
    bid_size, ask_size = size(rows["bid_size"]), size(rows["ask_size"])
    bid_size[np.isnan(bid)] = np.nan
    ask_size[np.isnan(ask)] = np.nan
    return bid, ask, bid_size, ask_size


def best_of_all(rows: Rows) -> Rows:
    """The rows that tell the best of all exchanges, and not of one.

    MBP_1 repeats a regional quote as the consolidated one, under the same sequence.
    """
    return pick(rows, (rows["rtype"] != MBP_1) | (rows["publisher"] == OPRA_PUBLISHER))
