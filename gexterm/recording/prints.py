"""Cboe DataShop trade files: real prints with the quotes around them.

What the columns of cancellation mean is read from the files themselves: a print that was
taken back later carries `canceled_trade_condition_id` 1, the message that does so is a
line of its own, of the same contract, price and size, with 2 and a condition of 40 to 44.
Such a line is no print but a cancel, which names the print where the file holds it. A
print marked 1 whose cancel is not in the file is taken back at its own time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from gexterm.clock import NS
from gexterm.market.contracts import Contract, Right
from gexterm.market.events import (
    CANCEL,
    NEW,
    Definitions,
    Event,
    SourceInfo,
    Trades,
    UnderlyingPrice,
)
from gexterm.recording import prints_table
from gexterm.recording.prints_table import KEY

FEED = "cboe-prints"
CONDITIONS = "cboe-datashop"
"""The numbering of the files' conditions."""
_CANCELLED, _CANCELS = 1, 2
_CANCEL_CONDITIONS = (40, 44)
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class PrintsFile:
    """One day's prints of one underlying."""

    info: SourceInfo
    """The source, with the time of its first and last print."""
    definitions: Definitions
    """The contracts that traded, by root, expiry, strike and right."""
    trades: Trades
    """Prints and cancels, by time and sequence; one batch of n."""
    underlying: F64
    """The underlying at each of them, points; NaN not given. Shape (n,)."""
    rows: int
    """Lines of the file."""
    warnings: tuple[str, ...]
    """What was left out or made up, one line each."""

    def events(self) -> Iterator[Event]:
        """The file as a feed: contracts, then second by second the underlying and the prints."""
        yield self.info
        yield self.definitions
        ts = self.trades.ts
        starts = np.flatnonzero(np.diff(ts // NS, prepend=-1))
        for first, end in zip(starts, [*starts[1:], len(ts)], strict=True):
            now = int(ts[end - 1])
            known = np.flatnonzero(~np.isnan(self.underlying[first:end]))
            if len(known):
                at = int(first + known[-1])
                yield UnderlyingPrice(float(self.underlying[at]), int(ts[at]), now)
            part = {name: getattr(self.trades, name)[first:end] for name in _COLUMNS}
            yield Trades(**part, recv=now)


_COLUMNS = tuple(name for name in Trades.__slots__ if name != "recv")


def read_prints(path: Path, root: str | None = None) -> PrintsFile:
    """A DataShop trade file, CSV or a zip of one; with `root`, only that root's prints.

    Raises InputError where the file is none of the kind, has no line of use, or holds
    several underlyings or days. Single lines that cannot be used are left out and told.
    """
    read = prints_table.read(path, root)
    table, warnings = read.table, list(read.warnings)
    contracts = table.select(KEY).unique().sort(KEY).with_row_index("contract")
    table = table.join(contracts, on=KEY, how="left", maintain_order="left")
    table, made_up = _with_cancels(table)
    if made_up:
        warnings.append(f"{made_up:,} prints are marked as cancelled without a cancel: taken back")
    ts = table["ts"].to_numpy()
    quotes: dict[str, Any] = {
        name: _floats(table[name]) for name in ("bid", "ask", "bid_size", "ask_size")
    }
    info = SourceInfo(
        underlying=read.underlying,
        feed=FEED,
        mode="file",
        note="Cboe DataShop trades: prints with the quote at the print",
        begins=int(ts[0]),
        ends=int(ts[-1]),
        conditions=CONDITIONS,
    )
    return PrintsFile(
        info=info,
        definitions=Definitions(0, tuple(_contracts(contracts)), int(ts[0])),
        trades=Trades.of(
            table["contract"].to_numpy(),
            table["price"].to_numpy(),
            table["size"].to_numpy(),
            ts,
            condition=table["condition"].to_numpy(),
            sequence=table["sequence"].to_numpy(),
            action=table["action"].to_numpy(),
            refers=table["refers"].to_numpy(),
            **quotes,
        ),
        underlying=_floats(table["underlying"]),
        rows=read.rows,
        warnings=tuple(warnings),
    )


def _with_cancels(table: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """With columns `action` and `refers`, and how many cancels were made up."""
    mark = pl.col("cancel").fill_null(0)
    cancels = (mark == _CANCELS) | pl.col("condition").is_between(*_CANCEL_CONDITIONS)
    table = table.with_columns(cancels.alias("cancels"), (mark == _CANCELLED).alias("marked"))
    refers = np.full(len(table), -1, np.int64)
    open_prints: dict[tuple[int, float, float], list[int]] = {}
    odd = table.with_row_index("row").filter(pl.col("cancels") | pl.col("marked"))
    names = ("row", "contract", "price", "size", "sequence", "cancels")
    for row, contract, price, size, sequence, is_cancel in odd.select(names).iter_rows():
        alike = open_prints.setdefault((contract, price, size), [])
        if not is_cancel:
            alike.append(sequence)
        elif alike:
            refers[row] = alike.pop()
    left = [sequence for alike in open_prints.values() for sequence in alike]
    action = np.where(table["cancels"].to_numpy(), CANCEL, NEW).astype(np.int8)
    table = table.with_columns(pl.Series("action", action), pl.Series("refers", refers))
    made_up = table.filter(pl.col("sequence").is_in(left) & pl.col("marked")).with_columns(
        pl.lit(CANCEL, pl.Int8).alias("action"), pl.col("sequence").alias("refers")
    )
    # A stable sort keeps each of them behind its print.
    table = pl.concat([table, made_up]).sort("ts", "sequence", maintain_order=True)
    return table, len(made_up)


def _contracts(table: pl.DataFrame) -> Iterator[Contract]:
    for root, expiration, strike, right in table.select(KEY).iter_rows():
        yield Contract(root, expiration, Right(right), strike)


def _floats(column: pl.Series) -> F64:
    return column.cast(pl.Float64).fill_null(np.nan).to_numpy()
