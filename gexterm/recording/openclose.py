"""Cboe's Open-Close Volume Summary (CSV): volume by who traded, which side, and to what end.

The layout is that of DataShop's files since 2011: one row per series and day (`eod`) or
per series and snapshot (`interval`, every 10 minutes or every minute), columns

    quote_date or a date and time · underlying_symbol (ticker) · option_symbol (the root)
    expiration_date · strike_price · call_put_flag · series_type
    total_exchange_vol · open_interest                      (end of day only)
    mm_buy_vol, mm_sell_vol                                 market makers
    {firm,bd}_{open,close}_{buy,sell}_vol                   firms, broker-dealers
    {cust,procust}_{lt_100,100_199,gt_199}_{open,close}_{buy,sell}_vol

Source: datashop.cboe.com/cboe-open-close-volume-summary and the header of its public
sample file of 2025-03-28. The product is licensed; gexterm ships none of it.

Columns go by their names, in any order; `_qty` for `_vol`, no size buckets, and market
makers' volume by opening and closing are read as well. A file with a part of the columns
is read as far as it goes, and what it lacks is NaN.

Whether a snapshot holds the day up to then or its own ten minutes only, the header does
not say. NYSE says the former of its product of the same making; `dealers.openclose`
looks at the numbers.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gexterm.errors import InputError, SymbolError, UsageError
from gexterm.market import calendar
from gexterm.market.contracts import Contract, Right
from gexterm.market.roots import printable, root_spec
from gexterm.recording.chains.build import Problems, number
from gexterm.recording.chains.text import decode, split_cells, split_lines

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
Flavour = Literal["eod", "interval"]

ORIGINS = ("mm", "bd", "firm", "cust", "procust")
"""Who traded: market makers, broker-dealers, firms, customers, professional customers."""
EFFECTS = ("open", "close", "unsaid")
"""To what end: to open a position, to close one, not said."""
SIDES = ("buy", "sell")
"""Which side."""

_LARGEST = 512 * 1024 * 1024
_QUANTITY = re.compile(
    r"(mm|bd|firm|cust|procust)(?:_(?:lt_100|100_199|gt_199))?"
    r"(?:_(open|close))?_(buy|sell)_(?:vol|qty)"
)
_NAMES = {
    "root": ("option_symbol", "root", "option_root"),
    "expiry": ("expiration_date", "expiration", "expiry"),
    "strike": ("strike_price", "strike"),
    "right": ("call_put_flag", "option_type", "call_or_put"),
    "when": (
        "quote_datetime",
        "trade_datetime",
        "snapshot_datetime",
        "interval_end",
        "quote_date",
        "trade_date",
        "date",
    ),
    "underlying": ("underlying_symbol", "ticker", "underlying"),
    "series": ("series_type",),
    "volume": ("total_exchange_vol", "trade_volume", "total_exchange_qty"),
    "open_interest": ("open_interest",),
}
_NEEDED = ("root", "expiry", "strike", "right", "when")
_IGNORED = frozenset(
    {
        "security_type", "exchange", "open", "high", "low", "close", "last", "vwap",
        "open_price", "high_price", "low_price", "last_price", "close_price",
        "total_industry_vol", "prim_mkt", "sequence_number",
    }
)  # fmt: skip
"""Columns that are known and not needed."""
_RIGHTS = {"C": Right.CALL, "P": Right.PUT, "CALL": Right.CALL, "PUT": Right.PUT}


@dataclass(frozen=True, eq=False, slots=True)
class OpenClose:
    """An Open-Close file. r rows of c contracts."""

    name: str
    """What messages call it."""
    flavour: Flavour
    """`eod`: a row is a day; `interval`: a row is a snapshot within it."""
    contracts: tuple[Contract, ...]
    """The contracts, each once."""
    contract: I32
    """Contract of each row. Shape (r,)."""
    ts: I64
    """The snapshot's time, ns; of a day its close. Ascending. Shape (r,)."""
    quantity: F64
    """Contracts by `ORIGINS`, `EFFECTS`, `SIDES` and row; NaN where the file has no such
    column. Shape (5, 3, 2, r)."""
    volume: F64
    """The exchange's volume; NaN not given. Shape (r,)."""
    open_interest: F64
    """Open interest that morning; NaN not given. Shape (r,)."""
    notes: tuple[str, ...]
    """What was skipped, ignored or lacking, one line each."""


def read_openclose(path: str | Path, underlying: str | None = None) -> OpenClose:
    """Read an Open-Close file, plain or in a zip archive as it is delivered.

    `underlying` keeps one underlying of a file that has several, e.g. `SPX`. Raises
    InputError where the file cannot be read, is none, or holds nothing that can be used.
    """
    path = Path(path)
    shown = printable(str(path), 200)
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise InputError(f"{shown} cannot be read: {error.strerror or error}") from None
    if len(data) > _LARGEST:
        raise InputError(f"{shown} is larger than {_LARGEST >> 20} MB", "keep one underlying")
    return parse_openclose(data, path.name, underlying)


def parse_openclose(data: bytes, name: str, underlying: str | None = None) -> OpenClose:
    """The same for bytes already in hand; `name` is what messages call them."""
    name = name if name.isprintable() and "[" not in name else printable(name)
    if data.startswith(b"PK\x03\x04"):
        data = _unpacked(data, name)
    lines = split_lines(decode(data, name))
    head = next(i for i, line in enumerate(lines) if line.strip())
    header = [cell.strip().lower().replace(" ", "_") for cell in split_cells(lines[head])]
    table = _Header(header, name)
    rows = _Rows(table, _bare(underlying) if underlying else None)
    for where, line in enumerate(lines[head + 1 :], head + 2):
        if line.strip(' ,\t"'):
            rows.take(split_cells(line), where)
    return rows.finish(name)


class _Header:
    """Which column holds what."""

    def __init__(self, names: Sequence[str], name: str) -> None:
        place = {column: i for i, column in reversed(list(enumerate(names)))}
        self.width = len(names)
        self.at = {
            what: next((place[n] for n in known if n in place), -1)
            for what, known in _NAMES.items()
        }
        self.quantities: list[tuple[int, int]] = []
        """Column, and index into the flattened (origin, effect, side)."""
        lead = {n for known in _NAMES.values() for n in known}
        unknown = []
        for column, i in place.items():
            if found := _QUANTITY.fullmatch(column):
                origin, effect, side = found.groups(default="unsaid")
                key = (ORIGINS.index(origin), EFFECTS.index(effect), SIDES.index(side))
                self.quantities.append((i, int(np.ravel_multi_index(key, (5, 3, 2)))))
            elif column not in lead and column not in _IGNORED:
                unknown.append(column)
        missing = [_NAMES[what][0] for what in _NEEDED if self.at[what] < 0]
        if not self.quantities:
            missing.append("volumes such as mm_buy_vol or cust_lt_100_open_buy_vol")
        if missing:
            raise InputError(
                f"{name} is no Open-Close summary that gexterm knows, it lacks:"
                f" {', '.join(missing)}",
                "expected is Cboe DataShop's Open-Close Volume Summary with its header line",
            )
        self.notes = []
        if unknown:
            shown = ", ".join(printable(c, 30) for c in unknown[:5])
            more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
            self.notes.append(f"columns ignored: {shown}{more}")
        present = {int(flat) // 6 for _, flat in self.quantities}
        lacking = [origin for i, origin in enumerate(ORIGINS) if i not in present]
        if lacking:
            self.notes.append(f"no columns of {', '.join(lacking)}")


class _Rows:
    """Takes rows in, one by one."""

    def __init__(self, header: _Header, underlying: str | None) -> None:
        self._header = header
        self._underlying = underlying
        self._problems = Problems()
        self._number: dict[Contract, int] = {}
        self._contract: list[int] = []
        self._ts: list[int] = []
        self._timed = False
        self._seen: set[tuple[int, int]] = set()
        self._values: list[list[float]] = []
        self._other = 0

    def take(self, cells: list[str], where: int) -> None:
        """One line."""
        header = self._header
        if len(cells) != header.width:
            self._problems.add("rows skipped, cells are missing or too many", where)
            return

        def cell(what: str) -> str:
            at = header.at[what]
            return cells[at].strip() if at >= 0 else ""

        root = cell("root").upper().removeprefix("^")
        if self._underlying and self._underlying not in {
            _bare(cell("underlying")),
            _owner(root),
        }:
            self._other += 1
            return
        if cell("series").upper() == "N":
            self._problems.add("rows skipped, no standard series", where)
            return
        right = _RIGHTS.get(cell("right").upper())
        expiry, strike, when = _date(cell("expiry")), number(cell("strike")), _when(cell("when"))
        for bad, what in (
            (not _owner(root), "root"),
            (expiry is None, "expiry"),
            (not 0.0 < strike < 1e7, "strike"),
            (right is None, "call or put"),
            (when is None, "date"),
        ):
            if bad:
                key = {"expiry": "expiry", "call or put": "right", "date": "when"}.get(what, what)
                self._problems.add(f"rows skipped, no {what}", where, printable(cell(key)))
                return
        values = [number(cells[at]) for at, _ in header.quantities]
        if not all(0.0 <= v < 1e12 for v in values):
            self._problems.add("rows skipped, a volume is no number or negative", where)
            return
        assert expiry is not None and right is not None and when is not None  # noqa: S101
        contract = Contract(root, expiry, right, strike)
        index = self._number.setdefault(contract, len(self._number))
        ts, timed = when
        if (index, ts) in self._seen:
            self._problems.add("rows skipped, the series stands twice at one time", where)
            return
        self._seen.add((index, ts))
        self._timed |= timed
        self._contract.append(index)
        self._ts.append(ts)
        self._values.append([*values, _amount(cell("volume")), _amount(cell("open_interest"))])

    def finish(self, name: str) -> OpenClose:
        """The table."""
        notes = (*self._header.notes, *self._problems.lines())
        if not self._contract:
            of = f" of {printable(self._underlying)}" if self._underlying else ""
            raise InputError(
                f"{name} holds no row{of} that can be used",
                "; ".join(self._problems.lines()) or f"{self._other} rows are of others",
            )
        order = np.argsort(np.array(self._ts, np.int64), kind="stable")
        values = np.array(self._values, np.float64)[order]
        quantity = np.full((30, len(order)), np.nan)
        for column, (_, flat) in enumerate(self._header.quantities):
            # Size buckets of one customer add up.
            quantity[flat] = np.nan_to_num(quantity[flat]) + values[:, column]
        return OpenClose(
            name=name,
            flavour="interval" if self._timed else "eod",
            contracts=tuple(self._number),
            contract=np.array(self._contract, np.int32)[order],
            ts=np.array(self._ts, np.int64)[order],
            quantity=quantity.reshape(5, 3, 2, -1),
            volume=values[:, -2],
            open_interest=values[:, -1],
            notes=notes,
        )


def _amount(cell: str) -> float:
    value = number(cell) if cell else float("nan")
    return value if value >= 0.0 else float("nan")


def _bare(symbol: str) -> str:
    return symbol.strip().upper().removeprefix("^").removeprefix("$")


@lru_cache(maxsize=4096)
def _owner(root: str) -> str:
    """The underlying of a root; empty where it is no root."""
    try:
        return root_spec(root).underlying
    except SymbolError:
        return ""


@lru_cache(maxsize=4096)
def _date(text: str) -> dt.date | None:
    """`2025-03-28`, `20250328`, or `3/28/2025` as a spreadsheet saves it."""
    for layout in ("%Y-%m-%d", "%Y%m%d", "%m/%d/%Y"):
        try:
            return dt.datetime.strptime(text, layout).date()
        except ValueError:
            continue
    return None


@lru_cache(maxsize=4096)
def _when(text: str) -> tuple[int, bool] | None:
    """When a row's day or snapshot ended, ns, and whether the text had a time of day.

    A day ends at the index options' close.
    """
    if date := _date(text):
        return calendar.index_close_ns(date), False
    try:
        return calendar.parse_when(text), True
    except UsageError:
        return None


def _unpacked(data: bytes, name: str) -> bytes:
    """The one CSV file in an archive."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            inside = [i for i in archive.infolist() if i.filename.lower().endswith(".csv")]
            if len(inside) != 1:
                raise InputError(
                    f"{name} holds {len(inside)} CSV files, expected is one", "unpack it first"
                )
            with archive.open(inside[0]) as file:
                content = file.read(_LARGEST + 1)
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError) as error:
        raise InputError(f"{name} cannot be unpacked: {error}") from None
    if len(content) > _LARGEST:
        raise InputError(f"{name} unpacks to more than {_LARGEST >> 20} MB", "keep one underlying")
    return content
