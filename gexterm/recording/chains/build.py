"""From columns of cells to a checked chain.

Every reader hands its rows over here, so that all formats are checked alike: a bad row
is skipped, a bad quote refused, both counted and told; a chain with nothing left to
compute with is an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gexterm.errors import ChainError
from gexterm.market.contracts import Contract
from gexterm.market.events import (
    Definitions,
    Event,
    OpenInterest,
    Quotes,
    UnderlyingPrice,
    Volume,
)
from gexterm.market.roots import root_spec
from gexterm.market.settlement import expiry_of
from gexterm.recording.chains.asof import clock_text
from gexterm.recording.chains.model import ChainFile, Source

F64 = NDArray[np.float64]
Cells = Sequence[object]
"""One column as the file has it: text, numbers, None."""


def numbers(cells: Cells) -> F64:
    """A column as floats; NaN where a cell holds no number. Thousands separators are read."""
    try:
        return np.array(list(map(float, cells)), np.float64)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        return np.array([number(cell) for cell in cells], np.float64)


def number(cell: object) -> float:
    """One cell as a float, NaN where it holds no number."""
    if isinstance(cell, str):
        cell = cell.strip().replace(",", "")
    elif isinstance(cell, bool):
        return float("nan")
    try:
        return float(cell)  # type: ignore[arg-type]
    except (ValueError, TypeError, OverflowError):
        return float("nan")


@dataclass
class Problems:
    """What went wrong, counted by kind, with the first place of each."""

    place: str = "line"
    """What a place is called: `line` of a text, `option` of a list."""
    seen: dict[str, tuple[int, int, str]] = field(default_factory=dict)
    """Kind to count, first place, and what stood there."""

    def add(self, kind: str, where: int, example: str = "") -> None:
        """Count one more. Places come in ascending order."""
        count, first, shown = self.seen.get(kind, (0, where, example))
        self.seen[kind] = (count + 1, first, shown)

    def at(self, kind: str, places: NDArray[np.int64]) -> None:
        """Count all of these places."""
        if len(places):
            self.seen[kind] = (len(places), int(places.min()), "")

    def lines(self) -> tuple[str, ...]:
        """One line each, to show."""
        return tuple(
            f"{kind}: {count}, first at {self.place} {where}{f' ({shown})' if shown else ''}"
            for kind, (count, where, shown) in self.seen.items()
        )


@dataclass(frozen=True)
class Columns:
    """Rows of a file by column, all of one length."""

    where: Sequence[int]
    """Line or position of each row."""
    contracts: Sequence[Contract]
    """The contract of each row."""
    bid: Cells
    ask: Cells
    open_interest: Cells
    volume: Cells
    bid_size: Cells = ()
    """Empty where the format has no sizes."""
    ask_size: Cells = ()
    """Empty where the format has no sizes."""


@dataclass(frozen=True)
class Header:
    """What a file says besides its rows."""

    name: str
    """The file, as messages call it."""
    source: Source
    as_of: int
    """ns since 1970 UTC."""
    quoted_at: str
    delay_s: float
    note: str
    spot: float
    """Points; NaN where the file does not say."""


def build(header: Header, columns: Columns, problems: Problems, notes: Sequence[str]) -> ChainFile:
    """Check the rows and make a ChainFile of them.

    `notes` are warnings of the reader that are not about rows. Raises ChainError where
    nothing is left to compute with.
    """
    kept = _keep(columns, problems)
    contracts = tuple(columns.contracts[i] for i in kept)
    if not contracts:
        raise ChainError(
            f"{header.name} holds no option that can be read" + _because(problems),
        )
    underlying = _underlying(header.name, contracts)
    where = np.array(columns.where, np.int64)[kept]
    bid, ask = _prices(columns, kept, where, problems)
    _usable(header, contracts, bid, ask)

    def counts(cells: Cells, what: str) -> F64:
        if not len(cells):
            return np.full(len(kept), np.nan)
        values = numbers([cells[i] for i in kept])
        bad = ~(np.isfinite(values) & (values >= 0))
        values[bad] = np.nan
        if what:
            problems.at(what, where[bad])
        return values

    bid_size, ask_size = counts(columns.bid_size, ""), counts(columns.ask_size, "")
    open_interest = counts(columns.open_interest, "open interests that are no count, left out")
    volume = counts(columns.volume, "volumes that are no count, left out")
    index = np.arange(len(contracts), dtype=np.int32)
    as_of = header.as_of
    events: list[Event] = [Definitions(0, contracts, as_of)]
    notes = list(notes)
    if np.isfinite(header.spot) and header.spot > 0:
        events.append(UnderlyingPrice(header.spot, as_of, as_of))
    else:
        notes.append("the file gives no usable price of the underlying")
    events += [
        Quotes(index, bid, ask, bid_size, ask_size, np.zeros(len(index), np.int64), as_of),
        OpenInterest(index, open_interest, as_of, as_of),
        Volume(index, volume, as_of, as_of),
    ]
    return ChainFile(
        underlying=underlying,
        as_of=as_of,
        quoted_at=header.quoted_at,
        delay_s=header.delay_s,
        source=header.source,
        note=header.note,
        warnings=(*notes, *problems.lines()),
        events=tuple(events),
    )


def _keep(columns: Columns, problems: Problems) -> list[int]:
    """Positions of the rows to use: standard contracts, and of duplicates the last one."""
    standard = {root: root_spec(root).standard for root in {c.root for c in columns.contracts}}
    last: dict[Contract, int] = {}
    for i, contract in enumerate(columns.contracts):
        if not standard[contract.root]:
            problems.add("rows of adjusted, FLEX or mini options skipped", columns.where[i])
            continue
        if contract in last:
            problems.add("rows that repeat a contract, the later one counts", columns.where[i])
        last[contract] = i
    return list(last.values())


def _underlying(name: str, contracts: Sequence[Contract]) -> str:
    by_root = Counter(c.root for c in contracts)
    underlyings: Counter[str] = Counter()
    for root, count in by_root.items():
        underlyings[root_spec(root).underlying] += count
    if len(underlyings) > 1:
        told = ", ".join(f"{who} ({count})" for who, count in underlyings.most_common(4))
        more = ", …" if len(underlyings) > 4 else ""
        raise ChainError(
            f"{name} mixes options on {len(underlyings)} underlyings: {told}{more}",
            "keep one underlying per file",
        )
    return next(iter(underlyings))


def _prices(
    columns: Columns, kept: Sequence[int], where: NDArray[np.int64], problems: Problems
) -> tuple[F64, F64]:
    bid = numbers([columns.bid[i] for i in kept])
    ask = numbers([columns.ask[i] for i in kept])
    bad = ~(np.isfinite(bid) & np.isfinite(ask) & (bid >= 0) & (ask >= 0))
    bid[bad] = ask[bad] = np.nan
    problems.at("quotes refused, a price is missing, negative or no number", where[bad])
    # Nobody offers for nothing: an ask of zero says that there is no offer.
    ask[ask == 0] = np.nan
    return bid, ask


def _usable(header: Header, contracts: Sequence[Contract], bid: F64, ask: F64) -> None:
    """Raise ChainError unless something unsettled has a bid and an offer."""
    series = {(c.root, c.expiry) for c in contracts}
    alive = {s for s in series if not expiry_of(*s).settled(header.as_of)}
    when = clock_text(header.as_of)
    if not alive:
        latest = max(expiry for _, expiry in series)
        raise ChainError(
            f"every option in {header.name} had settled by {when}: the last expiry is {latest}",
            "give the time of the quotes with --at",
        )
    two_sided = ((bid > 0) & (ask >= bid)).tolist()
    if not any(
        two and (c.root, c.expiry) in alive for two, c in zip(two_sided, contracts, strict=True)
    ):
        raise ChainError(
            f"no option in {header.name} that is alive at {when} has both a bid and an offer"
        )


def _because(problems: Problems) -> str:
    lines = problems.lines()
    return f": {'; '.join(lines[:3])}" if lines else ""
