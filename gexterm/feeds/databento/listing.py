"""Which contract an instrument id is, and its open interest.

Ids hold for a day at most and are given out anew: a SymbolMapping or a definition says
which raw symbol one stands for, and the symbol (OCC's) which contract that is. The root
keeps AM and PM series of one date apart. `expiration` is midnight UTC of the date.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from gexterm.errors import SymbolError
from gexterm.feeds.catalogue import Catalogue
from gexterm.feeds.databento.records import DELETED, OPEN_INTEREST, UNDEF_TS, Rows
from gexterm.market.contracts import Contract
from gexterm.market.events import Definitions, OpenInterest
from gexterm.market.symbols import parse

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
_HIGHEST_OI = 10**9
_PAGE = 12
_IN_PAGE = (1 << _PAGE) - 1
_MOST_PAGES = 1024


class Listing:
    """The contracts of a session."""

    def __init__(self, roots: Iterable[str]) -> None:
        self.catalogue = Catalogue()
        self.deleted: set[int] = set()
        """Contracts that were taken off."""
        self.refused = 0
        """Symbols that name no contract of the underlying, or contradict their definition."""
        self._roots = frozenset(roots)
        self._by_id: dict[int, int] = {}
        self._ids: I64 = np.zeros(0, np.int64)
        self._indices: I64 = np.zeros(0, np.int64)
        self._pages: I64 | None = None
        self._found = np.zeros(0, np.int32)
        self._sorted = True

    def __len__(self) -> int:
        return len(self.catalogue) - len(self.deleted)

    def forget_ids(self) -> None:
        """Ids are given out anew with each connection."""
        self._by_id.clear()
        self._sorted = False

    def changes(self, instrument: int, symbol: str) -> bool:
        """Whether an id stood for nothing, or for another symbol, until now."""
        index = self._by_id.get(instrument)
        return index is None or self.catalogue.symbols[index] != symbol

    def map(self, named: Iterable[tuple[int, str]], recv: int) -> list[Definitions]:
        """Take in ids with their symbols; the definitions of contracts that are new."""
        known = self.catalogue.index
        pairs = [(i, symbol) for i, symbol in named if self._by_id.get(i, -1) != known.get(symbol)]
        new: dict[str, Contract] = {}
        for _, symbol in pairs:
            if symbol not in known and symbol not in new:
                contract = self.contract(symbol)
                if contract is None:
                    self.refused += 1
                else:
                    new[symbol] = contract
        events = self.catalogue.define(new.items(), recv)
        for instrument, symbol in pairs:
            if (index := known.get(symbol)) is not None:
                self._by_id[instrument] = index
            else:
                self._by_id.pop(instrument, None)
            self._sorted = False
        return events

    def contract(self, symbol: str) -> Contract | None:
        """The contract, if it is one of the underlying's."""
        try:
            contract = parse(symbol, "occ")
        except SymbolError:
            return None
        return contract if contract.root in self._roots else None

    def raw(self, outgoing: str, asked: str) -> str:
        """The raw symbol among the two of a mapping: on the outgoing side, as a rule."""
        if outgoing in self.catalogue.index or self.contract(outgoing) is not None:
            return outgoing
        return outgoing if self.contract(asked) is None else asked

    def find(self, instruments: NDArray[np.uint32]) -> I64:
        """Contract indices, −1 where an id is not known. Shape as given."""
        if not self._sorted:
            self._sort()
        if self._pages is None:
            if not len(self._ids):
                return np.full(instruments.shape, -1, np.int64)
            at = np.minimum(np.searchsorted(self._ids, instruments), len(self._ids) - 1)
            return np.where(self._ids[at] == instruments, self._indices[at], -1)
        place = (self._pages[instruments >> _PAGE] << _PAGE) + (instruments & _IN_PAGE)
        found: I64 = self._found[place].astype(np.int64)
        return found

    def _sort(self) -> None:
        """Ids are given out in rows: a table of pages finds them at once; if not, a search."""
        self._sorted = True
        ids = np.fromiter(self._by_id.keys(), np.int64, len(self._by_id))
        indices = np.fromiter(self._by_id.values(), np.int64, len(self._by_id))
        used, page = np.unique(ids >> _PAGE, return_inverse=True)
        if len(used) > _MOST_PAGES:
            order = np.argsort(ids)
            self._ids, self._indices, self._pages = ids[order], indices[order], None
            return
        # Page 0 is that of all ids that are not known.
        self._pages = np.zeros(1 << 32 - _PAGE, np.int64)
        self._pages[used] = 1 + np.arange(len(used))
        self._found = np.full((len(used) + 1) << _PAGE, -1, np.int32)
        self._found[((page + 1) << _PAGE) + (ids & _IN_PAGE)] = indices


def agrees(contract: Contract, right: str, strike: int, expiration: int) -> bool:
    """Whether a definition says the same as the contract's symbol.

    `strike` in 1e-9 points; `expiration` in ns, of which the date in UTC counts.
    """
    if expiration == UNDEF_TS:
        return False
    date = (dt.datetime(1970, 1, 1) + dt.timedelta(seconds=expiration // 10**9)).date()
    return (contract.right, contract.strike, contract.expiry) == (right, strike / 1e9, date)


class OpenInterests:
    """Open interest, once per contract: the venue repeats it for each exchange."""

    def __init__(self) -> None:
        self.contradicted = 0
        """Rows that gave another number for the same contract and time."""
        self._value: F64 = np.zeros(0)
        self._since: I64 = np.zeros(0, np.int64)

    def take(self, rows: Rows, contract: I64, n_contracts: int, recv: int) -> list[OpenInterest]:
        """What is new in some statistics; the newest of each contract counts.

        `contract` is −1 where an id is not known. Never sums.
        """
        ts = np.where(rows["ts_ref"] < UNDEF_TS // 4, rows["ts_ref"], rows["ts_event"])
        fit = (rows["kind"] == OPEN_INTEREST) & (rows["action"] != DELETED) & (contract >= 0)
        fit &= (rows["quantity"] >= 0) & (rows["quantity"] <= _HIGHEST_OI) & (ts < UNDEF_TS // 4)
        if not fit.any():
            return []
        self._grow(n_contracts)
        contract, value = contract[fit], rows["quantity"][fit].astype(np.float64)
        since = ts[fit].astype(np.int64)
        # The latest per contract, the first told of those of one time.
        order = np.lexsort((-np.arange(len(since)), since, contract))
        ends = np.append(contract[order][1:] != contract[order][:-1], True)
        chosen = order[ends]
        at = contract[chosen]
        newer = since[chosen] > self._since[at]
        changed = chosen[newer & (value[chosen] != self._value[at])]
        self._since[at[newer]] = since[chosen[newer]]
        self._value[at[newer]] = value[chosen[newer]]
        same_time = since == self._since[contract]
        self.contradicted += int((same_time & (value != self._value[contract])).sum())
        if not len(changed):
            return []
        return [
            OpenInterest(
                contract[changed].astype(np.int32),
                value[changed],
                int(since[changed].max()),
                recv,
            )
        ]

    def _grow(self, n: int) -> None:
        more = n - len(self._value)
        if more > 0:
            self._value = np.append(self._value, np.full(more, np.nan))
            self._since = np.append(self._since, np.zeros(more, np.int64))
