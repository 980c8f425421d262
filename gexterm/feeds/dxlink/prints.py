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
from itertools import repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gexterm.feeds.dxlink.compact import FIELDS, PRINT, Values, floats, number, whole
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
_MOST_KEYS = 4096


class Prints:
    """TimeAndSale events between two flushes. Never conflated.

    Events are read column by column where every one of them is as expected, which is all
    day long, and one by one where any is not; what comes out is the same.
    """

    def __init__(self) -> None:
        self.refused = 0
        """Events that were no usable print."""
        self.odd: dict[str, int] = {}
        """Sale conditions nobody knows, and how often they came."""
        self._contracts: list[int] = []
        self._columns: list[Values] = [[] for _ in range(_WIDTH)]
        self._recvs: list[int] = []
        self._conditions: dict[object, tuple[int, str]] = {}

    def take_in(self, index: dict[str, int], values: Values, recv_ns: int) -> int:
        """Keep the events of known contracts; returns how many.

        `index` is the contract by symbol, `values` a PRINT list of `compact.Layout`.
        """
        contracts = list(map(index.get, values[::_WIDTH], repeat(-1)))
        if -1 in contracts:
            known = [at for at, contract in enumerate(contracts) if contract >= 0]
            values = [v for at in known for v in values[at * _WIDTH : (at + 1) * _WIDTH]]
            contracts = [contracts[at] for at in known]
        self._contracts += contracts
        self._recvs += repeat(recv_ns, len(contracts))
        for field, column in enumerate(self._columns):
            column += values[field::_WIDTH]
        return len(contracts)

    def flush(self) -> list[Trades]:
        """What was kept, by event time; nothing is kept afterwards."""
        if not self._contracts:
            return []
        contracts, columns, recvs = self._contracts, self._columns, self._recvs
        self._contracts, self._columns, self._recvs = [], [[] for _ in range(_WIDTH)], []
        found = self._together(contracts, columns, recvs)
        if found is None:
            rows = zip(contracts, zip(*columns, strict=True), recvs, strict=True)
            prints = [p for p in (self._print(*each) for each in rows) if p is not None]
            found = [np.array(column, dtype) for column, dtype in _typed(prints)]
        order = np.argsort(found[3], kind="stable")
        if not len(order):
            return []
        contract, price, size, ts, *rest = (column[order] for column in found)
        names = ("bid", "ask", "side", "condition", "sequence", "action", "refers")
        given = dict(zip(names, rest, strict=True))
        return [Trades.of(contract, price, size, ts, recv=recvs[-1], **given)]

    def _together(
        self, contracts: list[int], columns: list[Values], recvs: list[int]
    ) -> list[NDArray[Any]] | None:
        """The columns of `_print`, all rows at once; None where that would not do."""
        (_, flags, index, time, nanos, _, price, size, bid, ask) = columns[:10]
        (sale, aggressor, leg, extended, valid, kind) = columns[10:]
        whole_numbers = [_integers(column) for column in (flags, index, time, nanos)]
        bits, which, ms, nano = whole_numbers
        if bits is None or which is None or ms is None or nano is None:
            return None
        plain = which.min() > 0 and ms.min() > 0 and ms.max() <= _MOST_MS and not bits.any()
        if not plain or nano.min() < 0 or nano.max() >= _MS:
            return None
        prices, sizes, bids, asks = (floats(column) for column in (price, size, bid, ask))
        usable = (prices > 0.0) & (prices <= MOST_POINTS) & (sizes > 0.0) & (sizes < np.inf)
        if not usable.all():
            return None
        try:
            if set(kind) != {"NEW"}:
                return None
            side = list(map(_SIDES.get, aggressor, repeat(0)))
            codes = self._codes(sale, leg, extended, valid)
        except TypeError:
            return None
        for quoted in (bids, asks):
            quoted[~((quoted >= 0.0) & (quoted <= MOST_POINTS))] = np.nan
        count = len(contracts)
        return [
            np.array(contracts, np.int32),
            prices,
            sizes,
            ms * _MS + nano,
            bids,
            asks,
            np.array(side, np.int8),
            np.array(codes, np.int16),
            which,
            np.full(count, NEW, np.int8),
            np.full(count, _NONE, np.int64),
        ]

    def _codes(self, *columns: Values) -> list[int]:
        """`condition` of each row. Raises TypeError for values of no kind expected."""
        keys = list(zip(*columns, strict=True))
        known = self._conditions
        for key in set(keys) - known.keys():
            sale, leg, extended, valid = key
            if not isinstance(sale, str) or len(known) > _MOST_KEYS:
                raise TypeError
            if not all(type(flag) is bool for flag in (leg, extended, valid)):
                raise TypeError
            known[key] = condition(sale, leg=leg, extended=extended, valid=valid)
        found = [known[key] for key in keys]
        for told in [told for _, told in found if told]:
            self._note(told)
        return [code for code, _ in found]

    def _print(self, contract: int, row: tuple[Any, ...], recv: int) -> tuple[Any, ...] | None:
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
            ms * _MS + (nano if 0 < nano < _MS else 0) if ms else recv,
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


def _typed(prints: list[tuple[Any, ...]]) -> list[tuple[Any, Any]]:
    """Columns of `Prints._print`, and what they are made of."""
    kinds = (np.int32, *[np.float64] * 2, np.int64, *[np.float64] * 2)
    kinds += (np.int8, np.int16, np.int64, np.int8, np.int64)
    columns = zip(*prints, strict=True) if prints else [()] * len(kinds)
    return list(zip(columns, kinds, strict=True))


def _integers(values: Values) -> NDArray[np.int64] | None:
    """A column of integers; None where any is written otherwise, or would lose digits."""
    if set(map(type, values)) != {int}:
        return None
    try:
        return np.array(values, np.int64)
    except OverflowError:
        return None


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
