"""The chain: preallocated columns by contract, and their layout by strike.

Events write into the columns; a tick takes `rows()`, the same state arranged as one
row per expiry and strike with its call and its put side by side.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gexterm.errors import InputError
from gexterm.market.contracts import Contract, Expiry, Right
from gexterm.market.events import (
    Definitions,
    Event,
    OpenInterest,
    Quotes,
    Trades,
    UnderlyingPrice,
    Volume,
)

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

_FLOAT_COLUMNS = ("bid", "ask", "bid_size", "ask_size", "open_interest", "volume", "last")
ExpiryOf = Callable[[str, dt.date], Expiry]
"""Root and expiry date to the expiry, with its settlement instant."""
CALL, PUT = 0, 1
"""Index of the call and of the put in every array of shape (2, n)."""


@dataclass(frozen=True, eq=False, slots=True)
class Layout:
    """Which contract stands in which row. One row is one expiry and strike.

    Rows are sorted by settlement, root and strike, so that an expiry is one slice.
    """

    expiries: tuple[Expiry, ...]
    """The expiries, by settlement instant, then root."""
    starts: I64
    """First row of each expiry, and the number of rows at the end. Shape (E+1,)."""
    strike: F64
    """Strike of each row, points. Shape (n,)."""
    expiry: I32
    """Index into `expiries` of each row. Shape (n,)."""
    contract: I32
    """Contract index of call and put; −1 where not listed. Shape (2, n)."""

    def __len__(self) -> int:
        return len(self.strike)

    def slice(self, expiry: int) -> slice:
        """The rows of one expiry."""
        return slice(int(self.starts[expiry]), int(self.starts[expiry + 1]))


@dataclass(frozen=True, eq=False, slots=True)
class Rows:
    """The chain at one instant, by row: arrays of shape (2, n), calls first."""

    layout: Layout
    """Strikes and expiries of the rows."""
    as_of: int
    """The instant, ns."""
    spot: float
    """Underlying, points; NaN not known."""
    bid: F64
    """Best bid; NaN not given or not listed."""
    ask: F64
    """Best offer; NaN not given or not listed."""
    bid_size: F64
    """Contracts bid for; NaN not given."""
    ask_size: F64
    """Contracts offered; NaN not given."""
    open_interest: F64
    """Open interest; NaN not known."""
    volume: F64
    """Volume today; NaN not known."""
    quote_ts: I64
    """Time of the quote, ns; 0 none or unknown."""
    spot_ts: int = 0
    """Time of `spot`, ns; 0 unknown."""


class Chain:
    """Everything known of an underlying's options, updated in place.

    `expiry_of(root, date)` says when a series settles (`market.settlement`); it is
    handed in, so that the chain itself needs no calendar.
    """

    def __init__(self, expiry_of: ExpiryOf, capacity: int = 1024) -> None:
        self._expiry_of = expiry_of
        self.contracts: list[Contract] = []
        self.spot = float("nan")
        self._spot_ts = 0
        self._columns: dict[str, F64] = {name: np.full(capacity, np.nan) for name in _FLOAT_COLUMNS}
        self._quote_ts: I64 = np.zeros(capacity, np.int64)
        self._layout: Layout | None = None

    def __len__(self) -> int:
        return len(self.contracts)

    def column(self, name: str) -> F64:
        """A live view of one column, by contract index."""
        return self._columns[name][: len(self.contracts)]

    def apply(self, event: Event) -> None:
        """Take an event in. Indices never defined are ignored."""
        if isinstance(event, Quotes):
            self._quotes(event)
        elif isinstance(event, Trades):
            known = self._known(event.contract)
            self._columns["last"][event.contract[known]] = event.price[known]
        elif isinstance(event, UnderlyingPrice):
            self.spot, self._spot_ts = event.price, event.ts
        elif isinstance(event, OpenInterest):
            known = self._known(event.contract)
            self._columns["open_interest"][event.contract[known]] = event.open_interest[known]
        elif isinstance(event, Volume):
            known = self._known(event.contract)
            self._columns["volume"][event.contract[known]] = event.volume[known]
        elif isinstance(event, Definitions):
            self._define(event)

    def _known(self, contract: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Which indices are defined. A negative one would count from the end."""
        return np.asarray((contract >= 0) & (contract < len(self.contracts)), np.bool_)

    def _quotes(self, quotes: Quotes) -> None:
        at = quotes.contract
        if len(at) and (int(at.max()) >= len(self.contracts) or int(at.min()) < 0):
            keep = self._known(at)
            at = at[keep]
            for name in ("bid", "ask", "bid_size", "ask_size"):
                self._columns[name][at] = getattr(quotes, name)[keep]
            self._quote_ts[at] = quotes.ts[keep]
            return
        for name in ("bid", "ask", "bid_size", "ask_size"):
            self._columns[name][at] = getattr(quotes, name)
        self._quote_ts[at] = quotes.ts

    def _define(self, definitions: Definitions) -> None:
        if definitions.first > len(self.contracts):
            raise InputError(
                f"contract definitions start at {definitions.first}, "
                f"but only {len(self.contracts)} contracts are defined",
                "the feed or recording lacks its beginning",
            )
        new = definitions.contracts[len(self.contracts) - definitions.first :]
        if not new:
            return
        self.contracts.extend(new)
        capacity = len(self._quote_ts)
        if len(self.contracts) > capacity:
            grown = max(len(self.contracts), 2 * capacity)
            for name, column in self._columns.items():
                self._columns[name] = np.concatenate([column, np.full(grown - capacity, np.nan)])
            self._quote_ts = np.concatenate([self._quote_ts, np.zeros(grown - capacity, np.int64)])
        self._layout = None

    def layout(self) -> Layout:
        """The layout of all contracts defined so far; cached until new ones appear."""
        if self._layout is None:
            self._layout = build_layout(self.contracts, self._expiry_of)
        return self._layout

    def rows(self, as_of: int) -> Rows:
        """The chain as it stands, arranged by row (copies: safe to hand to a thread)."""
        layout = self.layout()
        missing = layout.contract < 0

        def take(name: str) -> F64:
            out = self._columns[name][layout.contract]
            out[missing] = np.nan
            return out

        quote_ts = self._quote_ts[layout.contract]
        quote_ts[missing] = 0
        return Rows(
            layout=layout,
            as_of=as_of,
            spot=self.spot,
            bid=take("bid"),
            ask=take("ask"),
            bid_size=take("bid_size"),
            ask_size=take("ask_size"),
            open_interest=take("open_interest"),
            volume=take("volume"),
            quote_ts=quote_ts,
            spot_ts=self._spot_ts,
        )


def build_layout(contracts: list[Contract], expiry_of: ExpiryOf) -> Layout:
    """Arrange contracts into rows. Duplicate definitions: the last one wins."""
    series = {(c.root, c.expiry) for c in contracts}
    expiries = tuple(
        sorted(
            (expiry_of(root, date) for root, date in series),
            key=lambda e: (e.settles_at, e.root),
        )
    )
    number = {(e.root, e.date): i for i, e in enumerate(expiries)}
    rows: dict[tuple[int, float], list[int]] = {}
    for index, contract in enumerate(contracts):
        row = rows.setdefault((number[contract.root, contract.expiry], contract.strike), [-1, -1])
        row[CALL if contract.right is Right.CALL else PUT] = index
    keys = sorted(rows)
    expiry = np.array([key[0] for key in keys], np.int32)
    return Layout(
        expiries=expiries,
        starts=np.searchsorted(expiry, np.arange(len(expiries) + 1)).astype(np.int64),
        strike=np.array([key[1] for key in keys], np.float64),
        expiry=expiry,
        contract=np.array([rows[key] for key in keys], np.int32).reshape(-1, 2).T.copy(),
    )
