"""Cboe DataShop's end-of-day option chain (CSV).

One row per option. The full layout has quotes at 15:45 New York (a quarter of an hour
before the close, 12:45 on an early close) and at the close; copies often keep a part of
the columns. The 15:45 columns are preferred: at the close the day's own options are
gone. Open interest is the morning's, volume the whole day's.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from gexterm.clock import NS
from gexterm.errors import ChainError, InputError, SymbolError
from gexterm.market import calendar
from gexterm.market.contracts import Contract, Right
from gexterm.market.roots import index_roots, is_index, printable, root_spec
from gexterm.recording.chains.asof import asked_note, clock_text, parse_at
from gexterm.recording.chains.build import Columns, Header, Problems, build, numbers
from gexterm.recording.chains.model import ChainFile
from gexterm.recording.chains.text import split_cells

_KEYS = ("quote_date", "expiration", "strike", "option_type")
_BEFORE_CLOSE = 15 * 60 * NS
_US_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?!\d)", re.ASCII)
_RIGHTS = {"C": Right.CALL, "P": Right.PUT, "CALL": Right.CALL, "PUT": Right.PUT}


def looks_like(first: str) -> bool:
    """Whether a first line could be the column header of such a file."""
    return len(set(_names(first)) & {*_KEYS, "bid_1545", "ask_1545", "bid_eod", "ask_eod"}) >= 3


def _names(line: str) -> list[str]:
    return [cell.strip().lower().replace(" ", "_") for cell in split_cells(line)]


def read(
    lines: list[str], name: str, at: int | str | None = None, root: str | None = None
) -> ChainFile:
    """A DataShop chain.

    `at` overrides the time of its quotes (ns, or text); `root` names the root of a file
    that has no such column.

    Raises InputError where columns are missing or the root cannot be told, and ChainError
    where nothing can be computed.
    """
    head = next(i for i, line in enumerate(lines) if line.strip())
    names = _names(lines[head])
    place = {column: i for i, column in reversed(list(enumerate(names)))}
    missing = [column for column in _KEYS if column not in place]
    has = {
        when: all(f"{what}_{when}" in place for what in ("bid", "ask")) for when in ("1545", "eod")
    }
    if not any(has.values()):
        missing.append("bid_1545 and ask_1545 (or bid_eod and ask_eod)")
    if missing:
        raise InputError(
            f"{name} looks like a DataShop chain, but lacks columns: {', '.join(missing)}"
        )
    problems = Problems()
    rows: list[list[str]] = []
    where: list[int] = []
    for line_number, line in enumerate(lines[head + 1 :], head + 2):
        if not line.strip(' ,\t"'):
            continue
        cells = split_cells(line)
        if len(cells) == len(names):
            rows.append(cells)
            where.append(line_number)
        else:
            problems.add("rows skipped, cells are missing or too many", line_number)
    if not rows:
        raise ChainError(f"{name} has a header but no rows")

    def column(what: str) -> list[str]:
        at_column = place.get(what)
        return [] if at_column is None else [row[at_column].strip() for row in rows]

    date = _quote_date(column("quote_date"), name)
    close = calendar.session_close_ns(date)
    asked = parse_at(at, date)
    early = has["1545"] and not (asked is not None and asked >= close and has["eod"])
    quotes = "1545" if early else "eod"
    stamp = close - _BEFORE_CLOSE if early else close
    as_of = stamp if asked is None else asked
    roots, notes = _roots(column("root"), column("underlying_symbol"), name, root, len(rows))
    contracts, picks = _contracts(
        roots, column("expiration"), column("strike"), column("option_type"), where, problems
    )

    def picked(what: str) -> list[str]:
        values = column(what)
        return [values[i] for i in picks] if values else []

    header = Header(
        name=name,
        source="datashop-eod",
        as_of=as_of,
        quoted_at=clock_text(stamp),
        delay_s=0.0,
        note=asked_note(as_of)
        if asked is not None
        else f"quotes at {clock_text(stamp)}; volume is the whole day's",
        spot=_spot(picked, quotes),
    )
    columns = Columns(
        where=[where[i] for i in picks],
        contracts=contracts,
        bid=picked(f"bid_{quotes}"),
        ask=picked(f"ask_{quotes}"),
        open_interest=picked("open_interest"),
        volume=picked("trade_volume"),
        bid_size=picked(f"bid_size_{quotes}"),
        ask_size=picked(f"ask_size_{quotes}"),
    )
    return build(header, columns, problems, notes)


@lru_cache(maxsize=1024)
def _date(text: str) -> dt.date | None:
    """`2019-06-26`, or `6/26/2019` as a spreadsheet of the United States saves it."""
    try:
        if found := _US_DATE.match(text):
            month, day, year = map(int, found.groups())
            return dt.date(year, month, day)
        return dt.date.fromisoformat(text[:10])
    except ValueError:
        return None


def _quote_date(cells: list[str], name: str) -> dt.date:
    dates = {date for date in map(_date, set(cells)) if date}
    if not dates:
        raise InputError(f"{name} has no quote_date that is a date, such as 2019-06-26")
    if len(dates) > 1:
        raise ChainError(
            f"{name} holds {len(dates)} days, {min(dates)} to {max(dates)}: a chain is one of them",
            "split it by quote_date",
        )
    return dates.pop()


def _roots(
    column: list[str], underlyings: list[str], name: str, asked: str | None, rows: int
) -> tuple[Sequence[str], list[str]]:
    """The root of each row, and what was assumed."""
    if column:
        return [root.upper() for root in column], []
    if asked:
        return [_valid(asked.upper())] * rows, []
    symbols = {symbol.strip("^").upper() for symbol in underlyings if symbol}
    if len(symbols) == 1 and len(index_roots(symbol := symbols.pop()) or (symbol,)) == 1:
        return [symbol] * rows, [f"no root column: taken for {symbol}, as its underlying says"]
    prefix = re.match(r"([A-Za-z]{1,6})[_. -]", name, re.ASCII)
    guess = prefix[1].upper() if prefix else ""
    spec = root_spec(guess) if guess else None
    if spec and (is_index(spec.underlying) or spec.kind == "ETF"):
        return [guess] * rows, [f"no root column: taken for {guess}, as the file's name says"]
    raise InputError(
        f"{name} does not name the root of its options, so it cannot be told when they settle",
        "name it with --root, e.g. --root SPXW",
    )


def _valid(root: str) -> str:
    root_spec(root)
    return root


def _contracts(
    roots: Sequence[str],
    expirations: list[str],
    strikes: list[str],
    types: list[str],
    where: list[int],
    problems: Problems,
) -> tuple[list[Contract], list[int]]:
    """The contracts of the rows that name one, and the positions of those rows."""
    values = numbers(strikes).tolist()
    known: dict[str, bool] = {}
    contracts: list[Contract] = []
    picks: list[int] = []
    for i, (root, expiration, strike, kind) in enumerate(
        zip(roots, expirations, values, types, strict=True)
    ):
        if root not in known:
            try:
                known[root] = root_spec(root).kind != "crypto"
            except SymbolError:
                known[root] = False
        expiry, right = _date(expiration), _RIGHTS.get(kind.upper())
        if not known[root]:
            problems.add("rows skipped, no root that gexterm knows", where[i], printable(root))
        elif expiry is None or right is None or not 0 < strike < 1e9:
            problems.add("rows skipped, expiration, strike or type is none", where[i])
        else:
            contracts.append(Contract(root, expiry, right, strike))
            picks.append(i)
    return contracts, picks


def _spot(cells: Callable[[str], list[str]], quotes: str) -> float:
    """The middle of the underlying's bid and ask, NaN where the file has none."""
    bid = numbers(cells(f"underlying_bid_{quotes}"))
    ask = numbers(cells(f"underlying_ask_{quotes}"))
    if len(bid) and len(ask):
        good = (bid > 0) & (ask >= bid)
        if good.any():
            return float(np.median((bid[good] + ask[good]) / 2))
    active = numbers(cells(f"active_underlying_price_{quotes}"))
    active = active[active > 0]
    return float(np.median(active)) if len(active) else float("nan")
