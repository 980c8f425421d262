"""Tradier's listing: expirations of all roots, then one page of the chain for each date.

    {"expirations": {"date": [...]}}       dates of all roots together
    {"options": {"option": [{...}]}}       one date: contracts, quotes, open interest

Open interest is out by seven in the morning of New York: then all of it is read anew.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np

from gexterm.feeds.tradier.messages import Message, Option, as_list, convert, size_of, within
from gexterm.market import calendar
from gexterm.market.contracts import Contract
from gexterm.market.events import OpenInterest
from gexterm.market.roots import root_spec
from gexterm.market.symbols import parse_many

TRIES = 3
"""Failures after which the chain of a date is given up."""
_HOUR = 7
"""New York; by then the open interest of a new day is out."""
_MOST_DATES = 200

Row = tuple[Option, Contract]
"""One row of a chain, and the contract that it names."""


class Agenda:
    """Expiry dates whose chains are still to be read, nearest first."""

    def __init__(self) -> None:
        self.dates: list[str] = []
        """Those to come, as YYYY-MM-DD."""
        self._listed_on: dt.date | None = None
        self._failed: Counter[str] = Counter()

    def is_due(self, now_ns: int) -> bool:
        """Whether the listing is to be read, for the first time or for a new day."""
        return self._listed_on != listing_day(now_ns)

    def begin(self, said: Any, now_ns: int) -> bool:
        """Take in the page of expirations; whether it names any that is not over."""
        today = calendar.et(now_ns).date().isoformat()
        found = as_list(within(said, "expirations", "date"))
        dates = sorted({date for date in found if isinstance(date, str) and _is_date(date)})
        self.dates = [date for date in dates if date >= today][:_MOST_DATES]
        if self.dates:
            self._listed_on = listing_day(now_ns)
            self._failed.clear()
        return bool(self.dates)

    def take(self, count: int) -> list[str]:
        """The next dates; they are to come no more."""
        taken, self.dates = self.dates[:count], self.dates[count:]
        return taken

    def put_back(self, dates: Iterable[str]) -> None:
        """Dates that were taken and not read."""
        self.dates = sorted({*self.dates, *dates})

    def gives_up(self, date: str) -> bool:
        """The chain of a date could not be read: it is tried again, unless too often."""
        self._failed[date] += 1
        if self._failed[date] >= TRIES:
            return True
        self.put_back([date])
        return False


def chain_rows(said: Any, owner: str, date: str) -> tuple[list[Row], int]:
    """Rows of the chain of one date that name a plain contract of ours, and how many do not.

    A row counts only if its symbol, its root and its date agree: SPX and SPXW list the
    same strikes on the same dates and settle at different hours.
    """
    listed = as_list(within(said, "options", "option"))
    rows = [row for each in listed if (row := convert(each, Option)) is not None]
    found: dict[str, Row] = {}
    for row, contract in zip(rows, parse_many(row.symbol for row in rows), strict=True):
        if contract is None or contract.expiry.isoformat() != date:
            continue
        spec = root_spec(contract.root)
        if (
            spec.underlying == owner
            and spec.standard
            and row.root_symbol in (None, contract.root)
            and row.expiration_date in (None, date)
            and row.contract_size in (None, spec.multiplier)
        ):
            found[row.symbol] = (row, contract)
    return list(found.values()), len(listed) - len(found)


def interest(
    rows: list[Row], index: Mapping[str, int], as_of: int, recv_ns: int
) -> OpenInterest | None:
    """Open interest as a chain tells it; None where it tells none."""
    at = np.array([index[row.symbol] for row, _ in rows], np.int32)
    told = np.array([size_of(row.open_interest) for row, _ in rows])
    known = np.isfinite(told).nonzero()[0]
    return OpenInterest(at[known], told[known], as_of, recv_ns) if len(known) else None


def quoted(
    rows: list[Row], index: Mapping[str, int], streamed: Collection[int], recv_ns: int
) -> list[Message]:
    """Quotes of a chain as if streamed, but for those contracts that are."""
    return [
        Message(
            symbol=row.symbol,
            bid=row.bid,
            ask=row.ask,
            bidsz=row.bidsize,
            asksz=row.asksize,
            biddate=row.bid_date,
            askdate=row.ask_date,
            recv_ns=recv_ns,
        )
        for row, _ in rows
        if index[row.symbol] not in streamed and (row.bid_date or row.ask_date)
    ]


def _is_date(text: str) -> bool:
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def listing_day(now_ns: int) -> dt.date:
    """The day whose listing holds: from 07:00 New York on, when open interest is out."""
    return (calendar.et(now_ns) - dt.timedelta(hours=_HOUR)).date()
