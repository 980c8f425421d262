"""Cboe DataShop trade files as one checked table.

Rows differ in length: after the named columns come five cells for every exchange that
quoted the option (exchange, bid size, bid, ask size, ask), as many times as
`number_of_exchanges` says. Since June 2022 that part is empty.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TextIO

import polars as pl

from gexterm.errors import InputError, SymbolError
from gexterm.market.roots import printable, root_spec

_NEEDED = (
    "underlying_symbol",
    "quote_datetime",
    "sequence_number",
    "root",
    "expiration",
    "strike",
    "option_type",
    "trade_size",
    "trade_price",
    "trade_condition_id",
    "canceled_trade_condition_id",
    "best_bid",
    "best_ask",
)
_USED_IF_THERE = ("underlying_bid", "underlying_ask")
_LAST_NAMED = "number_of_exchanges"
_EXCHANGE_CELLS = 5
_CHUNK = 200_000
_LONGEST_LINE = 1 << 16
_MOST_CONDITION = 32_767
KEY = ("root", "expiration", "strike", "right")


@dataclass(frozen=True, eq=False, slots=True)
class PrintsTable:
    """The prints of one underlying's day, by time and sequence."""

    table: pl.DataFrame
    """Columns `ts` (ns UTC), `sequence`, `root`, `expiration`, `strike`, `right` (`C`, `P`),
    `size`, `price`, `condition`, `cancel` (the file's mark), `bid`, `ask`, `bid_size`,
    `ask_size` (over all exchanges at that price), `underlying`. Absent numbers are null."""
    underlying: str
    """The underlying, without Cboe's `^`."""
    rows: int
    """Lines of the file after its header."""
    warnings: tuple[str, ...]
    """What was left out, one line each."""


def read(path: Path, root: str | None = None) -> PrintsTable:
    """The prints of a file, CSV or a zip of one; with `root`, only that root's.

    A line that cannot be used is left out and told in `warnings`. Raises InputError where
    the file is none of the kind, has no line of use, or holds several underlyings or days.
    """
    problems = _Problems()
    parts: list[pl.DataFrame] = []
    count = 0
    try:
        with _lines(path) as file:
            place = _header(file.readline(_LONGEST_LINE), path)
            while lines := [line.rstrip("\r\n") for line in islice(file, _CHUNK)]:
                parts.append(_chunk(lines, place, count + 2, problems))
                count += len(lines)
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is no text: {error.reason}") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    table = pl.concat(parts) if parts else None
    if table is None or not len(table):
        raise InputError(f"{path} holds no prints", problems.hint())
    table = _of_known_roots(table, path, root, problems)
    underlying = _one_underlying(table, path)
    _one_day(table, path)
    table = table.sort("ts", "sequence", maintain_order=True)
    return PrintsTable(table, underlying, count, problems.told())


class _Problems:
    """Lines left out, by reason."""

    def __init__(self) -> None:
        self._counts: dict[str, tuple[int, int]] = {}

    def add(self, what: str, lines: pl.Series) -> None:
        """Lines by number."""
        if len(lines):
            before, first = self._counts.get(what, (0, int(lines[0])))
            self._counts[what] = (before + len(lines), first)

    def hint(self) -> str:
        """The first thing told, or nothing."""
        return next(iter(self.told()), "")

    def told(self) -> tuple[str, ...]:
        """One line each."""
        return tuple(
            f"{count:,} {'line' if count == 1 else 'lines'} {what}, first line {first}"
            for what, (count, first) in self._counts.items()
        )


@contextmanager
def _lines(path: Path) -> Iterator[TextIO]:
    with path.open("rb") as file:
        zipped = file.read(4) == b"PK\x03\x04"
    if not zipped:
        with path.open(encoding="utf-8-sig", newline="\n") as text:
            yield text
        return
    try:
        with zipfile.ZipFile(path) as archive:
            inside = [i for i in archive.infolist() if i.filename.lower().endswith(".csv")]
            if len(inside) != 1:
                raise InputError(f"{path} holds {len(inside)} CSV files", "unpack it, name one")
            with archive.open(inside[0]) as raw, io.TextIOWrapper(raw, "utf-8-sig") as text:
                yield text
    except zipfile.BadZipFile as error:
        raise InputError(f"{path} is a damaged zip file: {error}") from error


def _header(line: str, path: Path) -> dict[str, int]:
    """Place of each named column."""
    names = [cell.strip().strip('"').lower() for cell in line.split(",")]
    place = {name: at for at, name in reversed(list(enumerate(names)))}
    missing = [name for name in _NEEDED if name not in place]
    if missing:
        raise InputError(
            f"{path} is no Cboe trade file: it lacks {', '.join(missing)}",
            "its columns must be those of DataShop's option trades",
        )
    return {n: place[n] for n in (*_NEEDED, *_USED_IF_THERE, _LAST_NAMED) if n in place}


def _chunk(
    lines: list[str], place: dict[str, int], first: int, problems: _Problems
) -> pl.DataFrame:
    """Some lines, checked and typed."""
    frame = pl.DataFrame({"line": lines}).with_row_index("at", first)
    frame = frame.filter(pl.col("line").str.strip_chars() != "")
    cells = frame.select("at", pl.col("line").str.replace_all('"', "", literal=True).str.split(","))
    enough = pl.col("line").list.len() > max(place[name] for name in _NEEDED)
    problems.add("with cells missing left out", cells.filter(~enough)["at"])
    cells = cells.filter(enough)
    named = cells.select("at", "line", *(_cell(at).alias(name) for name, at in place.items()))
    table = named.select("at", "line", *_typed(place))
    for what, columns in (
        ("without a readable time left out", ("ts",)),
        ("that name no contract left out", ("underlying_symbol", *KEY)),
        ("without a readable size, price or sequence left out", ("size", "price", "sequence")),
    ):
        lacking = pl.any_horizontal(pl.col(column).is_null() for column in columns)
        problems.add(what, table.filter(lacking)["at"])
        table = table.filter(~lacking)
    marks = ~pl.col("cancel").is_in([0, 1, 2]) & pl.col("cancel").is_not_null()
    problems.add("have an unknown mark of cancellation, taken as prints", table.filter(marks)["at"])
    return _quoted(table, place, problems).drop("line")


def _cell(at: int) -> pl.Expr:
    return pl.col("line").list.get(at, null_on_oob=True).str.strip_chars()


def _typed(place: dict[str, int]) -> list[pl.Expr]:
    number = {name: pl.col(name).cast(pl.Float64, strict=False) for name in place}
    given = pl.col("quote_datetime").str.to_datetime(
        "%Y-%m-%d %H:%M:%S%.f", time_unit="ns", strict=False
    )
    local = given.dt.replace_time_zone(
        "America/New_York", ambiguous="earliest", non_existent="null"
    )
    first = pl.col("option_type").str.to_uppercase().str.slice(0, 1)
    dates = [
        pl.col("expiration").str.to_date(form, strict=False) for form in ("%Y-%m-%d", "%m/%d/%Y")
    ]
    none = pl.lit(None, pl.Float64)
    sides = [
        pl.when(number[name] > 0).then(number[name]) if name in place else none
        for name in _USED_IF_THERE
    ]
    exchanges = number[_LAST_NAMED] if _LAST_NAMED in place else none
    strike = number["strike"]
    return [
        pl.col("underlying_symbol").str.strip_prefix("^"),
        local.dt.epoch("ns").alias("ts"),
        pl.col("sequence_number").cast(pl.Int64, strict=False).alias("sequence"),
        pl.col("root"),
        pl.coalesce(dates).alias("expiration"),
        pl.when(strike.is_between(0.0, 1e9, closed="right")).then(strike).alias("strike"),
        pl.when(first.is_in(["C", "P"])).then(first).alias("right"),
        number["trade_size"].alias("size"),
        number["trade_price"].alias("price"),
        pl.col("trade_condition_id")
        .cast(pl.Int64, strict=False)
        .clip(-1, _MOST_CONDITION)
        .fill_null(-1)
        .cast(pl.Int16)
        .alias("condition"),
        pl.col("canceled_trade_condition_id").cast(pl.Int64, strict=False).alias("cancel"),
        number["best_bid"].alias("bid"),
        number["best_ask"].alias("ask"),
        pl.mean_horizontal(sides).alias("underlying"),
        exchanges.cast(pl.Int64, strict=False).fill_null(0).alias("exchanges"),
    ]


def _quoted(table: pl.DataFrame, place: dict[str, int], problems: _Problems) -> pl.DataFrame:
    """With sizes at the best prices, and absent quotes as null."""
    # Nobody offers at nothing: an ask of 0 is none, and a bid of 0 beside it is none either.
    offered, bid_for = pl.col("ask") > 0.0, pl.col("bid") > 0.0
    table = table.with_columns(
        ask=pl.when(offered).then(pl.col("ask")),
        bid=pl.when(offered | bid_for).then(pl.col("bid")),
    )
    start = place.get(_LAST_NAMED, 0) + 1
    cells = pl.col("line").list.len() - start
    wanted = pl.col("exchanges") * _EXCHANGE_CELLS
    short = (cells < wanted) | (pl.col("exchanges") < 0)
    problems.add("with less exchanges than said, sizes unknown", table.filter(short)["at"])
    table = table.with_columns(exchanges=pl.when(~short).then(pl.col("exchanges")).otherwise(0))
    most = int(table["exchanges"].max() or 0)  # type: ignore[arg-type]
    for side, price_at, size_at in (("bid", 2, 1), ("ask", 4, 3)):
        sizes = []
        for exchange in range(most):
            at = start + exchange * _EXCHANGE_CELLS
            price = _cell(at + price_at).cast(pl.Float64, strict=False)
            size = _cell(at + size_at).cast(pl.Float64, strict=False)
            best = (price == pl.col(side)) & (exchange < pl.col("exchanges"))
            sizes.append(pl.when(best).then(size))
        total = pl.sum_horizontal(sizes) if sizes else pl.lit(None, pl.Float64)
        known = pl.any_horizontal(size.is_not_null() for size in sizes) if sizes else pl.lit(False)
        table = table.with_columns(pl.when(known).then(total).alias(f"{side}_size"))
    return table.drop("exchanges")


def _of_known_roots(
    table: pl.DataFrame, path: Path, root: str | None, problems: _Problems
) -> pl.DataFrame:
    """Only the root asked for, and only roots whose terms are known."""
    roots = table["root"].unique().sort().to_list()
    if root is not None:
        if root not in roots:
            told = ", ".join(printable(name) for name in roots[:8])
            raise InputError(f"{path} has no options of root {printable(root)}", f"it has {told}")
        table, roots = table.filter(pl.col("root") == root), [root]
    for name in roots:
        if not _usable(name):
            odd = pl.col("root") == name
            what = f"of {printable(name)}, whose terms are not known, left out"
            problems.add(what, table.filter(odd)["at"])
            table = table.filter(~odd)
    if not len(table):
        raise InputError(f"{path} holds no options whose terms are known", problems.hint())
    return table


def _usable(root: str) -> bool:
    try:
        return root_spec(root).standard
    except SymbolError:
        return False


def _one_underlying(table: pl.DataFrame, path: Path) -> str:
    symbols = table["underlying_symbol"].unique().sort().to_list()
    if len(symbols) > 1:
        told = ", ".join(printable(name) for name in symbols[:8])
        raise InputError(f"{path} holds {len(symbols)} underlyings: {told}", "split the file")
    underlying = str(symbols[0])
    for name in table["root"].unique().sort().to_list():
        if root_spec(name).underlying != underlying:
            raise InputError(f"{path}: {printable(name)} is no option on {printable(underlying)}")
    return underlying


def _one_day(table: pl.DataFrame, path: Path) -> None:
    local = pl.from_epoch("ts", "ns").dt.replace_time_zone("UTC")
    days = table.select(local.dt.convert_time_zone("America/New_York").dt.date().unique().sort())
    dates = days["ts"].to_list()
    if len(dates) > 1:
        raise InputError(
            f"{path} holds {len(dates)} days, {dates[0]} to {dates[-1]}", "split the file"
        )
