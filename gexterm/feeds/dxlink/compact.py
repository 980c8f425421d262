"""FEED_DATA into columns in our own order, whatever order and format the server chose.

A channel's FEED_CONFIG says which fields stand where, may differ from what was asked for,
and may come again in mid-stream with another order. Data is

    COMPACT    ["Quote", [v, v, v, v, v, v], "Trade", [...]], n values an event
    FULL       [{"eventType": "Quote", "eventSymbol": ..., ...}, ...], empty fields omitted

Both become one flat list per event type in the order of `FIELDS`, so that nothing behind
this module knows what the server's order was. A frame is taken as a whole or not at all.

Source: dxLink's AsyncAPI document 1.0.2, FeedConfigMessage and FeedDataMessage.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gexterm.errors import InputError
from gexterm.market.roots import printable

Values = list[Any]
"""Values of events of one type, row after row."""

QUOTE, TRADE, SUMMARY, PRINT = "Quote", "Trade", "Summary", "TimeAndSale"
FIELDS: dict[str, tuple[str, ...]] = {
    QUOTE: ("eventSymbol", "bidPrice", "askPrice", "bidSize", "askSize", "bidTime", "askTime"),
    TRADE: ("eventSymbol", "price", "time", "dayVolume"),
    SUMMARY: ("eventSymbol", "openInterest", "prevDayClosePrice"),
    PRINT: (
        "eventSymbol",
        "eventFlags",
        "index",
        "time",
        "timeNanoPart",
        "sequence",
        "price",
        "size",
        "bidPrice",
        "askPrice",
        "exchangeSaleConditions",
        "aggressorSide",
        "spreadLeg",
        "extendedTradingHours",
        "validTick",
        "type",
    ),
}
"""What is asked of each event type, in the order in which `decode` returns it."""

MOST_FIELDS = 256
"""Most fields of an event that a FEED_CONFIG may name."""
_MOST = 2.0**53


class Layout:
    """The order of one channel's fields by event type, as its FEED_CONFIGs have it."""

    def __init__(self) -> None:
        self._orders: dict[str, tuple[str, ...]] = {}

    def configure(self, event_fields: object) -> None:
        """Take in `eventFields` of a FEED_CONFIG; types it does not name stay as they are.

        Raises InputError for what is no table of fields, and then nothing changes.
        """
        if event_fields is None:
            return
        if not isinstance(event_fields, dict):
            raise InputError("FEED_CONFIG has eventFields that are no table")
        new: dict[str, tuple[str, ...]] = {}
        for kind, fields in event_fields.items():
            if (
                not isinstance(fields, list)
                or not 0 < len(fields) <= MOST_FIELDS
                or not all(isinstance(field, str) for field in fields)
                or len(set(fields)) != len(fields)
            ):
                raise InputError(f"FEED_CONFIG gives no list of fields for {printable(kind)}")
            if kind in FIELDS and "eventSymbol" not in fields:
                raise InputError(f"FEED_CONFIG leaves eventSymbol out of {printable(kind)}")
            new[kind] = tuple(fields)
        self._orders.update(new)

    def missing(self, kind: str) -> list[str]:
        """Fields that were asked for and that the server does not give."""
        order = self._orders.get(kind, FIELDS[kind])
        return [field for field in FIELDS[kind] if field not in order]

    def decode(self, data: Sequence[Any]) -> list[tuple[str, Values]]:
        """Event type and values in the order of `FIELDS`, for each type in the frame.

        Event types nobody asked for are left out. Raises InputError where any part of
        the frame does not add up.
        """
        if not data:
            return []
        if isinstance(data[0], dict):
            return _full(data)
        if len(data) % 2:
            raise InputError("FEED_DATA has a type without values")
        found: list[tuple[str, Values]] = []
        for kind, values in zip(data[::2], data[1::2], strict=True):
            if not isinstance(kind, str) or not isinstance(values, list):
                raise InputError("FEED_DATA does not alternate types and values")
            if kind in FIELDS:
                found.append((kind, self._ours(kind, values)))
        return found

    def _ours(self, kind: str, values: Values) -> Values:
        order = self._orders.get(kind)
        if order is None:
            raise InputError(f"{kind} came before a FEED_CONFIG said what is in it")
        stride = len(order)
        if len(values) % stride:
            raise InputError(f"{kind} has {len(values)} values, and {stride} fields an event")
        wanted = FIELDS[kind]
        if order == wanted:
            # Quotes are the hot path, and find out by themselves (`quotes`).
            if kind != QUOTE:
                _check_symbols(kind, values[::stride])
            return values
        # Slices move whole columns at the speed of memory.
        rows, width = len(values) // stride, len(wanted)
        ours: Values = [None] * (rows * width)
        for to, field in enumerate(wanted):
            if field in order:
                ours[to::width] = values[order.index(field) :: stride]
        _check_symbols(kind, ours[::width])
        return ours


def _full(data: Sequence[Any]) -> list[tuple[str, Values]]:
    found: dict[str, Values] = {}
    for event in data:
        if not isinstance(event, dict):
            raise InputError("FEED_DATA mixes tables with other things")
        kind = event.get("eventType")
        if not isinstance(kind, str):
            raise InputError("FEED_DATA has an event without a type")
        if kind in FIELDS:
            found.setdefault(kind, []).extend(map(event.get, FIELDS[kind]))
    for kind, values in found.items():
        _check_symbols(kind, values[:: len(FIELDS[kind])])
    return list(found.items())


def _check_symbols(kind: str, symbols: Values) -> None:
    # One pass without a Python loop: the types there are.
    if symbols and set(map(type, symbols)) != {str}:
        raise InputError(f"{kind} has an event whose symbol is no text")


def floats(values: Sequence[Any]) -> NDArray[np.float64]:
    """A column of JSON numbers as floats; "NaN", null and what is no number as NaN.

    "Infinity" and "-Infinity" stay infinite. Shape (n,).
    """
    try:
        column = np.array(values, np.float64)
        if column.ndim == 1:
            return column
    except (ValueError, TypeError, OverflowError):
        pass
    return np.array([number(value) for value in values], np.float64)


def number(value: object) -> float:
    """One JSON number, by the same rules."""
    try:
        return float(value) if isinstance(value, int | float | str) else math.nan
    except (ValueError, OverflowError):
        return math.nan


def whole(value: object) -> int:
    """A JSON integer, also where it is written with an exponent; −1 where it is none.

    A float beyond 2⁵³ is none: it no longer says which integer was meant.
    """
    if type(value) is int:
        return value if 0 <= value < 2**63 else -1
    if isinstance(value, float) and 0.0 <= value <= _MOST:
        return int(value)
    return -1


def asked() -> Mapping[str, Sequence[str]]:
    """`acceptEventFields` of a FEED_SETUP."""
    return {kind: list(fields) for kind, fields in FIELDS.items()}
