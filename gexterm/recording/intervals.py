"""Cboe DataShop interval files into a recording.

An interval file holds, for every contract and every bar of one day, the quote at the
bar's end and the volume traded during it. `quote_datetime` is the end of the bar, in
New York time. There are no prints in it, and in most none of open interest.

What is taken:

    quotes      the bid and ask at the bar's end, only where they changed since the bar before.
                A bid of 0 is a zero bid; an ask of 0 is no offer.
    volume      summed up over the day, as `Volume` wants it
    underlying  `active_underlying_price`, else the middle of the underlying's bid and ask.
                In session the two agree as closely with put-call parity; after the close
                the index's bid and ask open to fifty points, the active price stands.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gexterm.clock import NS, Clock
from gexterm.errors import OutputError
from gexterm.market.contracts import Contract, Right
from gexterm.market.events import (
    Definitions,
    Event,
    OpenInterest,
    Quotes,
    SourceInfo,
    UnderlyingPrice,
    Volume,
)
from gexterm.recording import interval_table
from gexterm.recording.interval_table import KEY
from gexterm.recording.writer import Writer, publish

FEED = "cboe-intervals"
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """What an import made."""

    path: Path
    """The recording."""
    info: SourceInfo
    """Source, with first and last bar."""
    date: dt.date
    """The day."""
    contracts: int
    """Contracts defined."""
    bars: int
    """Bars (points in time)."""
    rows: int
    """Rows read."""
    quotes: int
    """Quotes written: those that changed."""
    size: int
    """Bytes of the recording."""
    warnings: tuple[str, ...]
    """What was left out, one line each."""


def import_intervals(
    path_in: Path, path_out: Path, clock: Clock, root: str | None = None, *, force: bool = False
) -> ImportSummary:
    """Make a recording of an interval file: CSV, zipped CSV or parquet, told by content.

    `root` keeps only one root's contracts. The recording appears when it is complete.

    Raises InputError where the file is none of the kind, is empty, or holds several
    underlyings or days; OutputError where the recording cannot be written, or exists
    and `force` is not given.
    """
    if path_out.exists() and not force:
        raise OutputError(f"{path_out} exists already", "choose another name, or use --force")
    bars = read_intervals(path_in, root)
    part = path_out.with_name(f".{path_out.name}.{os.getpid()}.import")
    try:
        with Writer(part, bars.info, clock, force=True) as writer:
            for event in bars.events():
                writer.write(event)
        publish(part, path_out, force)
    finally:
        part.unlink(missing_ok=True)
    return ImportSummary(
        path=path_out,
        info=bars.info,
        date=bars.date,
        contracts=len(bars.contracts),
        bars=len(bars.times),
        rows=bars.rows,
        quotes=int(bars.changed.sum()),
        size=writer.bytes,
        warnings=bars.warnings,
    )


@dataclass(frozen=True, eq=False, slots=True)
class Bars:
    """One day of bars, sorted by time and contract; arrays of shape (n,)."""

    info: SourceInfo
    """The source."""
    date: dt.date
    """The day."""
    contracts: tuple[Contract, ...]
    """By index."""
    times: I64
    """End of each bar, ns. Shape (bars,)."""
    starts: I64
    """First row of each bar, and the number of rows at the end. Shape (bars + 1,)."""
    underlying: F64
    """Underlying at each bar's end, points; NaN not given. Shape (bars,)."""
    contract: NDArray[np.int32]
    """Contract index."""
    quote: dict[str, F64]
    """`bid`, `ask`, `bid_size`, `ask_size`; NaN not given."""
    changed: NDArray[np.bool_]
    """Whether the quote differs from the contract's one before."""
    volume: F64 | None
    """Volume of the day so far; None where the file has none."""
    traded: NDArray[np.bool_]
    """Whether `volume` is new in this bar."""
    open_interest: F64 | None
    """By contract, shape (contracts,); None where the file has none."""
    rows: int
    """Rows of the file."""
    warnings: tuple[str, ...]
    """What was left out."""

    def events(self) -> Iterator[Event]:
        """The day in order. Receipt time is the bar's end: nothing was known before."""
        first = int(self.times[0])
        yield Definitions(0, self.contracts, first)
        if self.open_interest is not None:
            known = np.flatnonzero(~np.isnan(self.open_interest)).astype(np.int32)
            yield OpenInterest(known, self.open_interest[known], first, first)
        for bar, ts in enumerate(self.times.tolist()):
            rows = slice(int(self.starts[bar]), int(self.starts[bar + 1]))
            if self.underlying[bar] > 0.0:
                yield UnderlyingPrice(float(self.underlying[bar]), ts, ts)
            at = rows.start + np.flatnonzero(self.changed[rows])
            if len(at):
                fields = {name: column[at] for name, column in self.quote.items()}
                yield Quotes(self.contract[at], **fields, ts=np.full(len(at), ts), recv=ts)
            at = rows.start + np.flatnonzero(self.traded[rows])
            if self.volume is not None and len(at):
                yield Volume(self.contract[at], self.volume[at], ts, ts)


def read_intervals(path: Path, root: str | None = None) -> Bars:
    """The bars of a file, checked and sorted. Raises InputError as `import_intervals` does."""
    source = interval_table.read(path, root)
    keys = source.table.select(KEY).unique().sort(KEY).with_row_index("contract")
    # By contract first: "the one before" is then the row above.
    table = source.table.join(keys, on=KEY, how="left").sort("contract", "ts")
    warnings = list(source.warnings)
    contracts = tuple(
        Contract(root, expiry, Right(right), strike)
        for root, expiry, strike, right in keys.select(KEY).iter_rows()
    )
    contract = table["contract"].to_numpy().astype(np.int32)
    ts = table["ts"].to_numpy()
    new = np.concatenate([[True], contract[1:] != contract[:-1]])
    quote = _quotes(table, warnings)
    volume = _cumulative(_column(table, "trade_volume"), new)
    interest = _by_contract(_column(table, "open_interest"), contract, len(contracts))
    changed = new.copy()
    for column in quote.values():
        same = (column[1:] == column[:-1]) | (np.isnan(column[1:]) & np.isnan(column[:-1]))
        changed[1:] |= ~same
    traded = np.zeros(len(ts), np.bool_)
    if volume is not None:
        traded = new | (np.diff(volume, prepend=np.nan) != 0.0)
    order = np.lexsort((contract, ts))
    times, starts = np.unique(ts[order], return_index=True)
    return Bars(
        info=SourceInfo(
            underlying=source.underlying,
            feed=FEED,
            mode="replay",
            note=_note(times, volume is not None, interest is not None),
            begins=int(times[0]),
            ends=int(times[-1]),
        ),
        date=source.date,
        contracts=contracts,
        times=times,
        starts=np.append(starts, len(ts)).astype(np.int64),
        underlying=_underlying(table)[order][starts],
        contract=contract[order],
        quote={name: column[order] for name, column in quote.items()},
        changed=changed[order],
        volume=None if volume is None else volume[order],
        traded=traded[order],
        open_interest=interest,
        rows=source.rows,
        warnings=tuple(warnings),
    )


def _by_contract(values: F64 | None, contract: NDArray[np.int32], count: int) -> F64 | None:
    """Each contract's first known value; None where there is none at all."""
    if values is None or np.isnan(values).all():
        return None
    out = np.full(count, np.nan)
    known = np.flatnonzero(~np.isnan(values))[::-1]
    out[contract[known]] = values[known]  # the first is written last
    return out


def _column(table: pl.DataFrame, name: str) -> F64 | None:
    if name not in table.columns:
        return None
    # A copy: what polars hands out may not be written to.
    values: F64 = np.array(table[name].fill_null(np.nan).to_numpy(), np.float64)
    return values


def _quotes(table: pl.DataFrame, warnings: list[str]) -> dict[str, F64]:
    quote = {}
    negative = np.zeros(len(table), np.bool_)
    for name in ("bid", "ask", "bid_size", "ask_size"):
        column = _column(table, name)
        quote[name] = np.full(len(table), np.nan) if column is None else column
        bad = (quote[name] < 0.0) | np.isinf(quote[name])
        quote[name][bad] = np.nan
        negative |= bad
    if negative.any():
        warnings.append(
            f"{int(negative.sum()):,} quotes have a negative or infinite field: not given"
        )
    # Nobody sells for nothing: an ask of 0 means that there is none, and where there is
    # neither, the bid of 0 says no more than that.
    nobody = ~(quote["ask"] > 0.0)
    quote["ask"][nobody] = quote["ask_size"][nobody] = np.nan
    nothing = nobody & ~(quote["bid"] > 0.0)
    quote["bid"][nothing] = quote["bid_size"][nothing] = np.nan
    return quote


def _cumulative(volume: F64 | None, new: NDArray[np.bool_]) -> F64 | None:
    """Sums of each contract's bars; `new` marks the first row of each contract."""
    if volume is None or np.isnan(volume).all():
        return None
    total = np.cumsum(np.where(volume > 0.0, volume, 0.0))
    before = np.concatenate([[0.0], total[:-1]])[new]
    sums: F64 = total - np.repeat(before, np.diff(np.append(np.flatnonzero(new), len(new))))
    return sums


def _underlying(table: pl.DataFrame) -> F64:
    spot = np.full(len(table), np.nan)
    low, high = _column(table, "underlying_bid"), _column(table, "underlying_ask")
    if low is not None and high is not None:
        spot = np.where((low > 0.0) & (high >= low), 0.5 * (low + high), np.nan)
    active = _column(table, "active_underlying_price")
    if active is not None:
        spot = np.where((active > 0.0) & np.isfinite(active), active, spot)
    return spot


def _note(times: I64, volume: bool, interest: bool) -> str:
    step_s = float(np.median(np.diff(times))) / NS if len(times) > 1 else 0.0
    length = f"{step_s / 60:g}-minute bars" if step_s else "one bar"
    parts = [
        "volume" if volume else "no volume",
        "no prints",
        "open interest" if interest else "no open interest",
    ]
    return f"{length}: {', '.join(parts)}"
