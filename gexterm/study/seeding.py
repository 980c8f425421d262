"""A book from Cboe Open-Close files: what market makers gained by the exchange's own account."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gexterm.dealers.openclose import Labelled, labelled, seed
from gexterm.errors import InputError
from gexterm.market.calendar import et, session_close_ns, session_open_ns
from gexterm.market.contracts import Contract
from gexterm.recording.books import Book
from gexterm.recording.openclose import OpenClose, read_openclose


def book_of(paths: Sequence[Path], underlying: str) -> tuple[Book, tuple[str, ...]]:
    """Add up the days of some files into a book that a session can carry on; with notes.

    Files are end-of-day summaries, a day each or several; of interval files the last
    snapshot of a day is taken, so that they must sum the day up. What expired by the last
    day is dropped. Raises InputError where a day comes twice or a file says nothing of
    dealers.
    """
    contracts: dict[Contract, int] = {}
    days: dict[dt.date, tuple[np.ndarray, Labelled, np.ndarray]] = {}
    notes: list[str] = []
    for path in paths:
        table = read_openclose(path, underlying)
        notes += (f"{table.name}: {note}" for note in table.notes)
        index = np.array([contracts.setdefault(c, len(contracts)) for c in table.contracts])
        for date, rows in _days(table).items():
            if date in days:
                raise InputError(f"{path} has {date} once more", "name each day once")
            told = labelled(table.quantity[..., rows])
            days[date] = (index[table.contract[rows]], told, table.open_interest[rows])
    if not days:
        raise InputError("the files hold no day", "name Open-Close volume files")
    first, last = min(days), max(days)
    found = seed(len(contracts), [days[date] for date in sorted(days)])
    if found.unknown:
        notes.append(f"{found.unknown:,} rows do not say what dealers did and are left out")
    who, told, interest = days[last]
    nothing = np.full(len(contracts), np.nan)
    volume, open_interest = nothing.copy(), nothing.copy()
    volume[who], open_interest[who] = told.volume, interest
    book = Book(
        underlying=underlying,
        date=last,
        epoch=session_open_ns(first),
        as_of=session_close_ns(last),
        contracts=tuple(contracts),
        mean=found.mean,
        variance=found.variance,
        shared=np.zeros((0, len(contracts))),
        opened=found.opened,
        # `opened` counts the last day already.
        traded=np.zeros(len(contracts)),
        volume=volume,
        open_interest=open_interest,
    )
    return book.without_expired(last + dt.timedelta(days=1)), tuple(notes)


def _days(table: OpenClose) -> dict[dt.date, np.ndarray]:
    """Rows of each day: all of an end-of-day file, each contract's last of an interval file."""
    out: dict[dt.date, dict[int, int]] = {}
    for row, (contract, ts) in enumerate(
        zip(table.contract.tolist(), table.ts.tolist(), strict=True)
    ):
        out.setdefault(et(ts).date(), {})[contract] = row
    return {date: np.array(sorted(rows.values())) for date, rows in out.items()}
