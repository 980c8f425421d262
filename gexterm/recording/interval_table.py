"""Cboe DataShop interval files as one checked table.

CSV, a zip file with one CSV in it, or parquet, told by content. Everything about the
file that a user has to be told is told here; what is left has a contract, a time and
numbers.
"""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from gexterm.errors import InputError, SymbolError
from gexterm.market.roots import printable, root_spec

_NEEDED = (
    "underlying_symbol",
    "quote_datetime",
    "root",
    "expiration",
    "strike",
    "option_type",
    "bid",
    "ask",
)
_NUMBERS = (
    "strike",
    "bid",
    "ask",
    "bid_size",
    "ask_size",
    "trade_volume",
    "underlying_bid",
    "underlying_ask",
    "active_underlying_price",
    "open_interest",
)
_WHEN = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%m/%d/%Y %H:%M")
_MOST_ZIPPED = 4 * 1024**3
KEY = ("root", "expiration", "strike", "right")


@dataclass(frozen=True, eq=False, slots=True)
class IntervalTable:
    """The rows of one underlying's day."""

    table: pl.DataFrame
    """Columns `ts` (end of the bar, ns UTC), `root`, `expiration`, `strike`, `right` (`C` or
    `P`), `bid`, `ask`, and of the others those that the file has. Absent values are null."""
    underlying: str
    """The underlying, without Cboe's `^`."""
    date: dt.date
    """The day, New York."""
    rows: int
    """Rows of the file."""
    warnings: tuple[str, ...]
    """What was left out, one line each."""


def read(path: Path, root: str | None = None) -> IntervalTable:
    """The rows of a file; with `root`, only that root's.

    Raises InputError where the file is none of the kind, is empty, or holds several
    underlyings or days.
    """
    warnings: list[str] = []
    table = _typed(_scan(path), path)
    rows = len(table)
    try:
        table = _standard(_usable(table, path, warnings), warnings)
    except SymbolError as error:
        raise InputError(f"{path}: {error.message}", error.hint) from error
    if not len(table):
        raise InputError(f"{path} holds adjusted, FLEX or mini options only")
    if root is not None:
        roots = ", ".join(printable(name) for name in table["root"].unique().sort().head(8))
        table = table.filter(pl.col("root") == root)
        if not len(table):
            raise InputError(f"{path} has no options of root {printable(root)}", f"it has {roots}")
    underlying, date = _one_underlying(table, path), _one_day(table, path)
    kept = table.unique([*KEY, "ts"], keep="last", maintain_order=True)
    if len(kept) < len(table):
        repeated = len(table) - len(kept)
        warnings.append(f"{repeated:,} rows repeat a contract and time: the last one taken")
    return IntervalTable(kept, underlying, date, rows, tuple(warnings))


def _scan(path: Path) -> pl.LazyFrame:
    try:
        with path.open("rb") as file:
            magic = file.read(4)
        if not magic:
            raise InputError(f"{path} is empty")
        if magic == b"PAR1":
            return pl.scan_parquet(path)
        if magic == b"PK\x03\x04":
            return pl.scan_csv(io.BytesIO(_unzipped(path)), infer_schema=False)
        return pl.scan_csv(path, infer_schema=False)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def _unzipped(path: Path) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive:
            inside = [i for i in archive.infolist() if i.filename.lower().endswith(".csv")]
            if len(inside) != 1:
                raise InputError(f"{path} holds {len(inside)} CSV files", "unpack it, name one")
            if inside[0].file_size > _MOST_ZIPPED:
                raise InputError(f"{path} unpacks to more than 4 GB", "unpack it first")
            return archive.read(inside[0])
    except zipfile.BadZipFile as error:
        raise InputError(f"{path} is a damaged zip file: {error}") from error


def _typed(frame: pl.LazyFrame, path: Path) -> pl.DataFrame:
    """The columns wanted, as numbers, dates and times; null where a cell is none."""
    try:
        names = {name: name.strip().lower() for name in frame.collect_schema().names()}
        missing = [name for name in _NEEDED if name not in names.values()]
        if missing:
            raise InputError(
                f"{path} is no Cboe interval file: it lacks {', '.join(missing)}",
                "its columns must be those of DataShop's option intervals",
            )
        wanted = [*_NEEDED, *(n for n in _NUMBERS if n in names.values() and n not in _NEEDED)]
        frame = frame.rename(names).select(wanted)
        types = frame.collect_schema()
        table = frame.select(*(_column(name, types[name]) for name in wanted)).collect()
    except pl.exceptions.PolarsError as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path} cannot be read as a table: {said[:200]}") from error
    if not len(table):
        raise InputError(f"{path} holds no rows")
    return table


def _usable(table: pl.DataFrame, path: Path, warnings: list[str]) -> pl.DataFrame:
    """The rows that name a contract and a time."""
    usable = table.drop_nulls(["underlying_symbol", "ts", *KEY]).filter(
        pl.col("strike").is_between(0.0, 1e9, closed="right")
    )
    if not len(usable):
        raise InputError(f"{path} has no row with a contract and a time")
    if len(usable) < len(table):
        warnings.append(f"{len(table) - len(usable):,} rows name no contract or no time: left out")
    return usable


def _column(name: str, kind: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if name == "quote_datetime":
        return _when(column, kind).alias("ts")
    if name == "expiration":
        if kind == pl.String:
            forms = [
                column.str.strip_chars().str.to_date(f, strict=False) for f in ("%F", "%m/%d/%Y")
            ]
            return pl.coalesce(forms)
        return column.cast(pl.Date, strict=False)
    if name in _NUMBERS:
        return column.cast(pl.Float64, strict=False)
    text = column.cast(pl.String).str.strip_chars()
    if name == "option_type":
        first = text.str.to_uppercase().str.slice(0, 1)
        return pl.when(first.is_in(["C", "P"])).then(first).alias("right")
    return text.str.strip_prefix("^")


def _when(column: pl.Expr, kind: pl.DataType) -> pl.Expr:
    """New York time, as text or naive datetime, in ns UTC."""
    if kind == pl.String:
        text = column.str.strip_chars().str.replace(r"\.0+$", "")
        column = pl.coalesce([text.str.to_datetime(f, strict=False) for f in _WHEN])
    elif not isinstance(kind, pl.Datetime):
        column = column.cast(pl.Datetime, strict=False)
    elif kind.time_zone is not None:
        return column.dt.epoch("ns")
    zoned = column.dt.replace_time_zone(
        "America/New_York", ambiguous="earliest", non_existent="null"
    )
    return zoned.dt.epoch("ns")


def _standard(table: pl.DataFrame, warnings: list[str]) -> pl.DataFrame:
    """Only roots whose settlement and deliverable are known."""
    roots = table["root"].unique().sort().to_list()
    # Raises SymbolError, an InputError, for what is no root.
    odd = [name for name in roots if not root_spec(name).standard]
    if odd:
        told = ", ".join(printable(name) for name in odd[:8])
        warnings.append(f"options of {told} are adjusted, FLEX or mini: left out")
    return table.filter(~pl.col("root").is_in(odd))


def _one_underlying(table: pl.DataFrame, path: Path) -> str:
    symbols = table["underlying_symbol"].unique().sort().to_list()
    if len(symbols) > 1:
        told = ", ".join(printable(name) for name in symbols[:8])
        raise InputError(
            f"{path} holds {len(symbols)} underlyings: {told}",
            "a recording has one: split the file",
        )
    underlying = str(symbols[0])
    for name in table["root"].unique().to_list():
        if root_spec(name).underlying != underlying:
            raise InputError(f"{path}: {printable(name)} is no option on {printable(underlying)}")
    return underlying


def _one_day(table: pl.DataFrame, path: Path) -> dt.date:
    local = pl.from_epoch("ts", "ns").dt.replace_time_zone("UTC")
    dates = table.select(local.dt.convert_time_zone("America/New_York").dt.date().unique().sort())
    days: list[dt.date] = dates["ts"].to_list()
    if len(days) > 1:
        raise InputError(
            f"{path} holds {len(days)} days, {days[0]} to {days[-1]}",
            "a recording has one: split the file",
        )
    return days[0]
