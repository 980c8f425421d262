"""The book from one session to the next: what is kept of today, and how it is taken up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gexterm.dealers.belief import Belief
from gexterm.dealers.flow import Flow
from gexterm.dealers.positions import compact, flow_belief
from gexterm.dealers.prior import Carry, carry_rows
from gexterm.dealers.reconcile import reconcile
from gexterm.dealers.trap import detect
from gexterm.engine.book import session_date
from gexterm.errors import GextermError
from gexterm.exposure.scope import Mask
from gexterm.market.calendar import next_session
from gexterm.market.chain import Rows
from gexterm.market.contracts import Contract
from gexterm.recording import books
from gexterm.recording.books import Book as KeptBook
from gexterm.recording.reader import Recording

F64 = NDArray[np.float64]


def book_of(recording: Recording) -> tuple[KeptBook | None, str]:
    """The book that a recording's session went on from (None: none), and what is wrong with it.

    A recording that names a book replays to the same positions with that one only. Where it
    is not to be had, the second is one line that says so, else it is empty.
    """
    if not recording.header.book:
        return None, ""
    try:
        path = books.beside(recording.path)
        return books.load(path, stated=recording.header.book), ""
    except GextermError as error:
        return None, f"positions lack the book that this session went on from: {error.message}"


def take_up(book: KeptBook, rows: Rows) -> Carry:
    """A kept book arranged for today's chain, and checked against this morning's open interest.

    Contracts that have expired since are gone. Sessions in between that were not
    recorded make every position less certain.
    """
    today = session_date(rows.as_of)
    kept = book.without_expired(today)
    carry = carry_rows(
        kept.contracts,
        kept.mean,
        kept.variance,
        kept.shared,
        kept.opened,
        kept.traded,
        kept.open_interest,
        kept.volume,
        rows.layout,
        epoch=kept.epoch,
        as_of=kept.as_of,
    )
    volume = np.where(np.isnan(carry.volume), carry.traded, carry.volume)
    found = reconcile(
        carry, carry.open_interest, rows.open_interest, volume, missed(book.date, today)
    )
    return found.carry


def missed(then: dt.date, today: dt.date) -> int:
    """Sessions between two, neither counted."""
    count, date = 0, next_session(then)
    while date < today and count < 400:
        count += 1
        date = next_session(date)
    return count


def keep(
    underlying: str,
    contracts: Sequence[Contract],
    rows: Rows,
    today: Mask,
    flow: Flow,
    carried: Carry | None,
    reconciled: str = "",
) -> KeptBook:
    """Today's book as the next session takes it up: what was carried, plus today's trades.

    Only what was recorded is kept, never what a convention assumed. `today` has shape
    (n,): rows that settle at today's close.
    """
    layout = rows.layout
    added = flow_belief(flow, layout, today, detect(flow))
    before = carried.belief if carried else Belief.certain(np.zeros_like(added.mean))
    total = compact(before + added)
    opened = carried.opened if carried else np.zeros_like(added.mean)
    epochs = (carried.epoch if carried else 0, flow.epoch)
    listed = layout.contract >= 0
    index = layout.contract[listed]
    printed = flow.volume
    count = len(contracts)
    traded = np.zeros(count)
    traded[: len(printed)] = printed[:count]

    def by_contract(values: F64, empty: float = 0.0) -> F64:
        out = np.full(count, empty)
        out[index] = values[listed]
        return out

    return KeptBook(
        underlying=underlying,
        date=session_date(rows.as_of),
        epoch=min((e for e in epochs if e), default=0),
        as_of=rows.as_of,
        contracts=tuple(contracts),
        mean=by_contract(total.mean),
        variance=by_contract(total.variance),
        shared=np.array([by_contract(one) for one in total.shared]).reshape(-1, count),
        opened=by_contract(opened),
        traded=traded,
        volume=by_contract(rows.volume, np.nan),
        open_interest=by_contract(rows.open_interest, np.nan),
        reconciled=reconciled,
    )
