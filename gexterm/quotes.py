"""Quotes that somebody holds in a frame, as a chain like any other.

What is needed and what is understood stands at `gexterm.analyse`. Rows are checked as those
of a file are: a bad row is left out and told, never guessed at.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from gexterm.errors import InputError, UsageError
from gexterm.market.calendar import et, ns, parse_when
from gexterm.market.contracts import Contract, Right
from gexterm.market.roots import printable
from gexterm.recording.chains.build import Columns, Header, Problems, build, number
from gexterm.recording.chains.model import ChainFile, Source

NEEDED = ("expiry", "strike", "right", "bid", "ask")
"""Columns without which nothing can be computed."""
OPTIONAL = ("root", "open_interest", "volume", "bid_size", "ask_size")
"""Columns that are used where there are any."""
FEED = "frame"
"""What a Reading of such quotes names as its feed."""
_RIGHTS = {"c": Right.CALL, "call": Right.CALL, "p": Right.PUT, "put": Right.PUT}


def instant(when: object) -> int:
    """A time as ns since 1970 UTC: ns, an aware datetime, or text as `--at` takes it.

    Raises UsageError for anything else; a datetime without a zone is no instant.
    """
    if isinstance(when, bool):
        raise UsageError(f"{when!r} is no time")
    if isinstance(when, int):
        if not 0 < when < 1 << 62:
            raise UsageError(f"{printable(when)} is no time in ns since 1970")
        return when
    if isinstance(when, dt.datetime):
        if when.tzinfo is None:
            raise UsageError(f"{when} has no time zone", "give one: tzinfo=…")
        return ns(when)
    if isinstance(when, str):
        return parse_when(when)
    raise UsageError(f"{printable(when)} is no time", "give text, an aware datetime, or ns")


def chain_of(
    quotes: object, *, as_of: object, spot: float = math.nan, root: str | None = None
) -> ChainFile:
    """A chain of the quotes; see `gexterm.analyse`.

    Raises InputError where columns are missing or nothing is left to compute with.
    """
    columns = _columns(quotes)
    missing = [name for name in NEEDED if name not in columns]
    if "root" not in columns and not root:
        missing.append("root")
    if missing:
        raise InputError(
            f"the quotes lack {', '.join(missing)}",
            f"columns are {', '.join((*NEEDED, *OPTIONAL))}; root may be an argument",
        )
    sizes = {len(column) for column in columns.values()}
    if len(sizes) > 1:
        raise InputError("the columns of the quotes are not of one length")
    problems = Problems("row")
    where: list[int] = []
    contracts: list[Contract] = []
    roots = columns.get("root") or [root] * len(columns["strike"])
    for row in range(len(columns["strike"])):
        contract = _contract(row, roots[row], columns, problems)
        if contract is not None:
            where.append(row)
            contracts.append(contract)
    when = instant(as_of)

    def cells(name: str) -> list[object]:
        return [columns[name][row] for row in where] if name in columns else []

    header = Header(
        name="the frame",
        source=cast("Source", FEED),
        as_of=when,
        quoted_at=f"{et(when):%Y-%m-%d %H:%M} ET",
        delay_s=0.0,
        note="quotes handed over in a frame",
        spot=_spot(spot),
    )
    return build(
        header,
        Columns(
            where,
            contracts,
            cells("bid"),
            cells("ask"),
            cells("open_interest"),
            cells("volume"),
            cells("bid_size"),
            cells("ask_size"),
        ),
        problems,
        [],
    )


def _contract(
    row: int, root: object, columns: Mapping[str, Sequence[object]], problems: Problems
) -> Contract | None:
    expiry = _date(columns["expiry"][row])
    if expiry is None:
        problems.add("rows whose expiry is no date, left out", row)
        return None
    right = _RIGHTS.get(str(columns["right"][row]).strip().lower())
    if right is None:
        problems.add("rows whose right is neither C nor P, left out", row)
        return None
    strike = number(columns["strike"][row])
    if not (math.isfinite(strike) and strike > 0):
        problems.add("rows whose strike is no price, left out", row)
        return None
    name = str(root or "").strip().upper()
    if not name.isascii() or not name.isalnum():
        problems.add("rows without an option root, left out", row)
        return None
    return Contract(name, expiry, right, strike)


def _date(cell: object) -> dt.date | None:
    if isinstance(cell, dt.datetime):
        date = cell.date()
    elif isinstance(cell, dt.date):
        date = cell
    else:
        try:
            # Also what numpy and pandas make of a date.
            date = dt.date.fromisoformat(str(cell).strip()[:10])
        except ValueError:
            return None
    # Nanoseconds since 1970 reach to 2262; 9999 is how some systems say "never".
    return date if 1970 < date.year < 2200 else None


def _spot(value: object) -> float:
    if value is None:
        return math.nan
    try:
        return float(cast("float", value))
    except (TypeError, ValueError):
        raise UsageError(
            f"the spot {printable(value)} is no price", "leave it out to have it implied"
        ) from None


def _columns(quotes: object) -> dict[str, list[Any]]:
    """Columns by name, lower case, of whatever holds them."""
    if isinstance(quotes, str | Path):
        quotes = _read(Path(quotes))
    names = list(quotes) if isinstance(quotes, Mapping) else getattr(quotes, "columns", None)
    if names is None:
        raise UsageError(
            f"a {type(quotes).__name__} holds no columns",
            "give a polars or pandas frame, a mapping of columns, or a file of either",
        )
    wanted = {*NEEDED, *OPTIONAL}
    held = cast("Mapping[str, Sequence[Any]]", quotes)
    return {
        str(name).strip().lower(): list(held[name])
        for name in names
        if str(name).strip().lower() in wanted
    }


def _read(path: Path) -> object:
    import polars as pl

    kind = path.suffix.lower()
    if kind not in (".parquet", ".csv"):
        raise InputError(
            f"{path} is neither .parquet nor .csv", "read it yourself and hand over the frame"
        )
    try:
        return pl.read_parquet(path) if kind == ".parquet" else pl.read_csv(path)
    except FileNotFoundError:
        raise InputError(f"there is no file {path}") from None
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(f"{path} cannot be read ({printable(error, 80)})") from None
