"""TimeAndSale events as Trades: which print, at which quote, of what kind, or what it takes back.

    index       unique per symbol: our `sequence`. A CORRECTION or CANCEL has the index of
                the print that it is about, so it `refers` to itself.
    type        NEW, CORRECTION, CANCEL; eventFlags REMOVE takes an index back as well.
    condition   exchangeSaleConditions where that is one letter of OPRA. A leg of a spread
                is a package whatever the letter; a tick that is not valid, without a letter
                that says why, is not judged by its price.

dxFeed's own mapping of OPRA's conditions and its rule for aggressorSide were not found:
the side is passed on as a guess, unknown conditions as unknown.

Source: dxLink's AsyncAPI document 1.0.2, TimeAndSaleEvent; index and flags as in dxFeed's
IndexedEvent and TimeAndSale.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from gexterm.feeds.dxlink.compact import FIELDS, PRINT, Values, number, whole
from gexterm.market.events import CANCEL, CORRECTION, NEW, Trades
from gexterm.market.roots import printable

TX_PENDING, REMOVE, SNAPSHOT_BEGIN, SNAPSHOT_END, SNAPSHOT_SNIP = 1, 2, 4, 8, 16
"""Bits of eventFlags."""
UNREADABLE, INVALID_TICK = 256, 257
"""Conditions that no table has, so that such prints are counted, unsigned and reported:
sale conditions that are not one letter, and ticks marked as not valid for no known reason."""

MOST_POINTS = 1e9
_MS = 1_000_000
_MOST_MS = 2**63 // _MS - 1
_WIDTH = len(FIELDS[PRINT])
_ACTIONS = {"NEW": NEW, "CORRECTION": CORRECTION, "CANCEL": CANCEL, None: NEW}
_SIDES = {"BUY": 1, "SELL": -1}
_PACKAGE_OF = dict.fromkeys(" ISvJ", "f") | dict.fromkeys("ab", "g") | dict.fromkeys("cd", "h")
_PACKAGE_OF |= {"e": "i"}
"""What a single-leg condition becomes when the print is a leg of a spread."""
_SIGNED = frozenset(" ISabv")
"""Letters under which a print's price says who began it."""
_NONE = -1


class Prints:
    """TimeAndSale events between two flushes. Never conflated."""

    def __init__(self) -> None:
        self.refused = 0
        """Events that were no usable print."""
        self.odd: dict[str, int] = {}
        """Sale conditions nobody knows, and how often they came."""
        self._rows: list[tuple[Any, ...]] = []
        self._recv = 0

    def __len__(self) -> int:
        return len(self._rows)

    def take_in(self, index: dict[str, int], values: Values, recv_ns: int) -> int:
        """Keep the events of known contracts; returns how many.

        `index` is the contract by symbol, `values` a PRINT list of `compact.Layout`.
        """
        before = len(self._rows)
        self._recv = recv_ns
        for row in zip(*[iter(values)] * _WIDTH, strict=True):
            contract = index.get(row[0], -1)
            if contract < 0:
                continue
            if (print_ := self._print(contract, row)) is not None:
                self._rows.append(print_)
        return len(self._rows) - before

    def flush(self) -> list[Trades]:
        """What was kept, by event time; nothing is kept afterwards."""
        if not self._rows:
            return []
        rows, self._rows = self._rows, []
        # Numbers below 2**63, so that integers stay what they are.
        columns = list(zip(*rows, strict=True))
        ts = np.array(columns[3], np.int64)
        order = np.argsort(ts, kind="stable")
        trades = Trades.of(
            np.array(columns[0], np.int32)[order],
            np.array(columns[1], np.float64)[order],
            np.array(columns[2], np.float64)[order],
            ts[order],
            recv=self._recv,
            bid=np.array(columns[4], np.float64)[order],
            ask=np.array(columns[5], np.float64)[order],
            side=np.array(columns[6], np.int8)[order],
            condition=np.array(columns[7], np.int16)[order],
            sequence=np.array(columns[8], np.int64)[order],
            action=np.array(columns[9], np.int8)[order],
            refers=np.array(columns[10], np.int64)[order],
        )
        return [trades]

    def _print(self, contract: int, row: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """Contract, price, size, ts, bid, ask, side, condition, sequence, action, refers."""
        (_, flags, index, time, nanos, sequence, price, size, bid, ask) = row[:10]
        (sale, aggressor, leg, extended, valid, kind) = row[10:]
        ms = whole(time)
        ms = ms if 0 < ms <= _MOST_MS else 0
        which = whole(index)
        if which < 0:
            which = index_of(ms, whole(sequence))
        bits = whole(flags)
        removed = bits > 0 and bool(bits & REMOVE)
        price, size = number(price), number(size)
        usable = 0.0 < price <= MOST_POINTS and 0.0 < size < math.inf
        action = CANCEL if removed else _action(kind)
        if action == CANCEL:
            # The end of an empty snapshot is an event that removes nothing.
            if which <= 0 or (removed and not ms and not usable):
                return None
        elif action < 0 or not usable:
            self.refused += 1
            return None
        code, told = condition(
            sale if isinstance(sale, str) else "",
            leg=leg is True,
            extended=extended is True,
            valid=valid is not False,
        )
        if told:
            self._note(told)
        nano = whole(nanos)
        return (
            contract,
            price,
            size,
            ms * _MS + (nano if 0 < nano < _MS else 0) if ms else self._recv,
            _quoted(bid),
            _quoted(ask),
            _SIDES.get(aggressor, 0) if isinstance(aggressor, str) else 0,
            code,
            which if which > 0 else _NONE,
            action,
            which if action != NEW and which > 0 else _NONE,
        )

    def _note(self, told: str) -> None:
        if told in self.odd or len(self.odd) < 64:
            self.odd[told] = self.odd.get(told, 0) + 1


def _action(kind: object) -> int:
    return _ACTIONS.get(kind, -1) if kind is None or isinstance(kind, str) else -1


def _quoted(price: object) -> float:
    """A price of the quote at the print: zero is a zero bid, nonsense is not given."""
    value = number(price)
    return value if 0.0 <= value <= MOST_POINTS else math.nan


def index_of(ms: int, sequence: int) -> int:
    """The index that dxFeed makes of a time and a sequence; −1 where one is not known.

    Seconds stand above 32 bits, milliseconds above 22, the sequence below. For indices
    that were written as floats and thereby lost their last digits.
    """
    if not 0 < ms < 1000 << 31 or not 0 <= sequence < 1 << 22:
        return -1
    return (ms // 1000) << 32 | (ms % 1000) << 22 | sequence


@lru_cache(maxsize=1024)
def condition(sale: str, *, leg: bool, extended: bool, valid: bool) -> tuple[int, str]:
    """The condition in the `dxfeed` numbering, and what is odd about it, for a person.

    −1 where nothing is given. `sale` is exchangeSaleConditions.
    """
    letter = sale.strip() or (" " if sale else "")
    if len(letter) > 1 or not letter.isascii():
        if leg:
            return ord("f"), ""
        return UNREADABLE, f"sale condition {printable(sale, 12)}"
    if leg and (letter or " ") in _PACKAGE_OF:
        return ord(_PACKAGE_OF[letter or " "]), ""
    if not valid and (letter or " ") in _SIGNED:
        return INVALID_TICK, "ticks not valid, with no condition that says why"
    if extended and letter in ("", " ", "I"):
        return ord("v"), ""
    return (ord(letter), "") if letter else (-1, "")


def ends_snapshot(values: Values) -> dict[str, bool]:
    """Symbols whose history is complete with this frame; True where it was cut short."""
    ends = {}
    for symbol, flags in zip(values[::_WIDTH], values[1::_WIDTH], strict=True):
        bits = max(whole(flags), 0)
        if bits & (SNAPSHOT_END | SNAPSHOT_SNIP):
            ends[symbol] = bool(bits & SNAPSHOT_SNIP)
    return ends
