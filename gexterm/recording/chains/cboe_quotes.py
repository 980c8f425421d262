"""Cboe's quote page, downloaded as CSV.

    Standard & Poors 500 Index,Last: 3856.28,Change:  1.85
    "Date: July 12, 2022, 11:55 AM EDT",Bid: 3855.37,Ask: 3857.16,Size: 1*1,Volume: 0
    Expiration Date,Calls,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest,Strike,Puts,…
    Tue Jul 12 2022,SPXW220712C01000000,…

The lines above the column header move about between copies (blank lines, a title of
somebody's own), so they are searched for what they say. SPX and SPXW stand in one file;
the symbols tell them apart. The page's own IV and greeks are not read.

Spot is the page's `Last`: for an index it is the level itself, while its bid and ask are
wide, or zero outside the session. Prices are computed from the parity forward anyway.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache

from gexterm.errors import InputError
from gexterm.market import calendar
from gexterm.market.contracts import Contract, Right
from gexterm.market.roots import printable
from gexterm.market.symbols import parse_many
from gexterm.recording.chains.asof import (
    asked_note,
    clock_text,
    late_note,
    parse_at,
    quotes_as_of,
)
from gexterm.recording.chains.build import Columns, Header, Problems, build, number
from gexterm.recording.chains.model import ChainFile
from gexterm.recording.chains.text import split_cells

_SEARCHED = 30
"""Lines within which the column header must come."""
_NAMES = {
    "bid": ("bid",),
    "ask": ("ask",),
    "volume": ("volume", "vol"),
    "open interest": ("open interest", "open int", "int"),
}
_STAMP = re.compile(
    r"([A-Z][a-z]{2,8})\.? +(\d{1,2}),? +(\d{4})(?:,| +at)? +(\d{1,2}):(\d{2})(?::(\d{2}))? *"
    r"([AP]M)(?: +([A-Z]{2,5}))?",
    re.ASCII,
)
_ROW = re.compile(r"\d{6}[CP]\d{8}", re.ASCII)
"""What only a row of options holds."""
_SAYS = re.compile(r"\b(?:Last|Date):", re.ASCII)
_ZONES = (None, "ET", "EST", "EDT")
_MONTH_NAMES = (
    "january february march april may june july august september october november december"
)
_MONTHS = {
    spelling: number
    for number, month in enumerate(_MONTH_NAMES.split(), 1)
    for spelling in (month, month[:3])
} | {"sept": 9}
_BAD_ROW = "rows skipped, cells are missing"
_BAD_SYMBOL = "rows skipped, no option symbol that gexterm knows"
_DISAGREE = "rows skipped, symbol and columns name different contracts"


@dataclass(frozen=True)
class _Side:
    """Where the cells of the calls, or of the puts, stand."""

    symbol: int
    bid: int
    ask: int
    volume: int
    open_interest: int


def header_line(lines: list[str]) -> int | None:
    """Index of the column header among the first lines, None where there is none."""
    for i, line in enumerate(lines[:_SEARCHED]):
        cells = [cell.strip().lower() for cell in split_cells(line)]
        if "calls" in cells and "puts" in cells:
            return i
    return None


def looks_like(lines: list[str]) -> bool:
    """Whether the first lines are a quote page's, complete or not."""
    return header_line(lines) is not None or any(
        "Date:" in line and "Bid:" in line for line in lines[:_SEARCHED]
    )


def read(lines: list[str], name: str, at: int | str | None = None) -> ChainFile:
    """A quote page as a chain. `at` overrides the page's own time: ns, or text.

    Raises InputError where columns are missing or the page's date cannot be read, and
    ChainError where nothing can be computed.
    """
    head = header_line(lines)
    if head is None:
        raise InputError(
            f"{name} looks like a Cboe quote page, but has no column header",
            "it may have been cut short: download it again in full",
        )
    names = [cell.strip().lower() for cell in split_cells(lines[head])]
    # In some copies the column header has moved above the lines that belong before it.
    sides = {
        Right.CALL: _side(names, "calls", name),
        Right.PUT: _side(names, "puts", name),
    }
    strike_at, expiry_at = (
        _find(names, ("strike",), 0, len(names)),
        _find(names, ("expiration date", "expiration"), 0, len(names)),
    )
    preamble = " ".join(line for line in lines[:_SEARCHED] if not _ROW.search(line))
    header, notes = _header(preamble, name, at)
    problems = Problems()
    used = max(strike_at, *(max(vars(side).values()) for side in sides.values())) + 1
    rows: list[list[str]] = []
    where: list[int] = []
    for line_number, line in enumerate(lines[head + 1 :], head + 2):
        if not line.strip(' ,\t"'):
            continue
        if line_number <= _SEARCHED and (_SAYS.search(line) and not _ROW.search(line)):
            continue
        cells = split_cells(line)
        if used <= len(cells) <= len(names) + 1:
            rows.append(cells)
            where.append(line_number)
        else:
            problems.add(_BAD_ROW, line_number)
    columns = _columns(rows, where, sides, strike_at, expiry_at, problems)
    return build(header, columns, problems, notes)


def _find(names: list[str], wanted: tuple[str, ...], begin: int, end: int) -> int:
    for i in range(begin, end):
        if names[i] in wanted:
            return i
    return -1


def _side(names: list[str], symbols: str, name: str) -> _Side:
    begin = names.index(symbols)
    later = [names.index(other) for other in ("calls", "puts") if names.index(other) > begin]
    end = min(later, default=len(names))
    found = {key: _find(names, spellings, begin, end) for key, spellings in _NAMES.items()}
    missing = [f"{key} of the {symbols}" for key, place in found.items() if place < 0]
    if "strike" not in names:
        missing.append("strike")
    if missing:
        raise InputError(
            f"{name} looks like a Cboe quote page, but lacks columns: {', '.join(missing)}",
            "download it again in full",
        )
    return _Side(begin, found["bid"], found["ask"], found["volume"], found["open interest"])


def _header(preamble: str, name: str, at: int | str | None) -> tuple[Header, list[str]]:
    stamp, trouble = _stamp(preamble)
    date = calendar.et(stamp).date() if stamp is not None else None
    asked = parse_at(at, date)
    if asked is not None:
        as_of, delay_s, note = asked, 0.0, asked_note(asked)
    elif stamp is not None:
        as_of, delay_s = quotes_as_of(stamp)
        note = late_note(stamp, as_of, "quote page")
    else:
        raise InputError(
            f"{name} does not say when its quotes were taken: {trouble}",
            "give the time with --at, e.g. --at '2022-07-12 11:40'",
        )
    spot, notes = _price(preamble, "Last"), []
    if not spot > 0:
        bid, ask = _price(preamble, "Bid"), _price(preamble, "Ask")
        if 0 < bid <= ask:
            spot = (bid + ask) / 2
            notes.append("the page gives no last price: spot is the middle of its bid and ask")
    header = Header(
        name=name,
        source="cboe-quotes",
        as_of=as_of,
        quoted_at=clock_text(stamp) if stamp is not None else "",
        delay_s=delay_s,
        note=note,
        spot=spot,
    )
    return header, notes


def _stamp(preamble: str) -> tuple[int | None, str]:
    """When the page was made, ns; or None and what is wrong with what it says."""
    start = preamble.find("Date:")
    if start < 0:
        return None, "it has no date line"
    said = preamble[start + 5 :].strip()
    shown = printable(re.split(r'["]|,\s*Bid:', said)[0].strip(), 50)
    found = _STAMP.match(said)
    if not found:
        return None, f"its date reads {shown}"
    month, day, year, hour, minute, second, half, zone = found.groups()
    if zone not in _ZONES:
        return None, f"its date reads {shown}, and {zone} is not New York"
    try:
        if not 1 <= int(hour) <= 12:
            raise ValueError
        when = dt.datetime(
            int(year),
            _MONTHS[month.lower()],
            int(day),
            int(hour) % 12 + (12 if half == "PM" else 0),
            int(minute),
            int(second or 0),
            tzinfo=calendar.NEW_YORK,
            fold=int(zone == "EST"),
        )
    except (ValueError, KeyError):
        return None, f"its date reads {shown}"
    return calendar.ns(when), ""


def _price(preamble: str, what: str) -> float:
    found = re.search(rf"\b{what}:\s*(\d[\d,]*\.?\d*)", preamble, re.ASCII)
    return number(found[1]) if found else float("nan")


@lru_cache(maxsize=512)
def _long_date(text: str) -> dt.date | None:
    """`Tue Jul 12 2022`, None where it is written in another way."""
    parts = text.split()
    try:
        return dt.date(int(parts[3]), _MONTHS[parts[1].lower()], int(parts[2]))
    except (ValueError, IndexError, KeyError):
        return None


def _columns(
    rows: list[list[str]],
    where: list[int],
    sides: dict[Right, _Side],
    strike_at: int,
    expiry_at: int,
    problems: Problems,
) -> Columns:
    strikes = [number(row[strike_at]) for row in rows]
    dates = [_long_date(row[expiry_at]) if expiry_at >= 0 else None for row in rows]
    symbols = {right: [row[side.symbol].strip() for row in rows] for right, side in sides.items()}
    parsed = {right: parse_many(cells) for right, cells in symbols.items()}
    picks: list[tuple[int, Right]] = []
    contracts: list[Contract] = []
    for i, line_number in enumerate(where):
        for right in sides:
            contract = parsed[right][i]
            if contract is None:
                problems.add(_BAD_SYMBOL, line_number, printable(symbols[right][i]))
            elif (
                contract.right is not right
                or contract.strike != strikes[i]
                or dates[i] not in (None, contract.expiry)
            ):
                problems.add(_DISAGREE, line_number, printable(symbols[right][i]))
            else:
                picks.append((i, right))
                contracts.append(contract)

    def cells(what: str) -> list[str]:
        place = {right: getattr(side, what) for right, side in sides.items()}
        return [rows[i][place[right]] for i, right in picks]

    return Columns(
        where=[where[i] for i, _ in picks],
        contracts=contracts,
        bid=cells("bid"),
        ask=cells("ask"),
        open_interest=cells("open_interest"),
        volume=cells("volume"),
    )
