"""The state of a chain as events: what a keyframe holds.

Whoever takes these events in knows all that quotes, volume, open interest and the feed's
report on itself said up to then, and whether Readings were marked. Trades are not state:
they are not repeated.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from gexterm.market.contracts import Contract
from gexterm.market.events import (
    Definitions,
    Event,
    FeedReport,
    OpenInterest,
    Quotes,
    SourceInfo,
    TickMark,
    UnderlyingPrice,
    Volume,
)

_QUOTE = ("bid", "ask", "bid_size", "ask_size")
_LUMP = 32_768
"""Rows of quotes that may wait to be taken in."""
_FLOATS = (*_QUOTE, "open_interest", "volume")


class State:
    """Takes events in, gives the state back as few events."""

    def __init__(self) -> None:
        self._begin(None)

    def _begin(self, info: SourceInfo | None, capacity: int = 1024) -> None:
        self.info = info
        """The source, where one was told."""
        self._contracts: list[Contract] = []
        self._floats: dict[str, NDArray[np.float64]] = {
            name: np.full(capacity, np.nan) for name in _FLOATS
        }
        self._quote_ts: NDArray[np.int64] = np.zeros(capacity, np.int64)
        self._quoted: NDArray[np.bool_] = np.zeros(capacity, np.bool_)
        self._underlying: UnderlyingPrice | None = None
        self._at = {"open_interest": (0, 0), "volume": (0, 0)}
        self._quote_recv = 0
        self._untaken: list[Quotes] = []
        self._untaken_rows = 0
        self._defined_recv = 0
        self.report: FeedReport | None = None
        """What the feed last said of itself."""
        self._marked_step = 0

    @property
    def contracts(self) -> int:
        """Contracts defined so far."""
        return len(self._contracts)

    def apply(self, event: Event) -> None:
        """Take an event in. A SourceInfo begins a new session: everything is forgotten."""
        if isinstance(event, Quotes):
            if event.contract.size:
                self._untaken.append(event)
                self._untaken_rows += len(event.contract)
                if self._untaken_rows > _LUMP:
                    self._take()
            self._quote_recv = event.recv
        elif isinstance(event, UnderlyingPrice):
            self._underlying = event
        elif isinstance(event, OpenInterest):
            contract, keep = self._known(event.contract)
            self._floats["open_interest"][contract] = event.open_interest[keep]
            self._at["open_interest"] = event.ts, event.recv
        elif isinstance(event, Volume):
            contract, keep = self._known(event.contract)
            self._floats["volume"][contract] = event.volume[keep]
            self._at["volume"] = event.ts, event.recv
        elif isinstance(event, Definitions):
            self._take()  # until now their contracts were unknown
            self._define(event)
        elif isinstance(event, TickMark):
            self._marked_step = event.step
        elif isinstance(event, FeedReport):
            self.report = event
        elif isinstance(event, SourceInfo):
            self._begin(event, len(self._quote_ts))

    def apply_all(self, events: Iterable[Event]) -> None:
        """Take several events in."""
        for event in events:
            self.apply(event)

    def events(self) -> list[Event]:
        """Source, whether marks follow and definitions first, then all else that holds now."""
        self._take()
        count = len(self._contracts)
        out: list[Event] = [] if self.info is None else [self.info]
        if self._marked_step:
            out.append(TickMark(0, self._marked_step))
        if count:
            out.append(Definitions(0, tuple(self._contracts), self._defined_recv))
        if self._underlying is not None:
            out.append(self._underlying)
        for name, kind in (("open_interest", OpenInterest), ("volume", Volume)):
            values = self._floats[name][:count]
            known = np.flatnonzero(~np.isnan(values)).astype(np.int32)
            if len(known):
                out.append(kind(known, values[known], *self._at[name]))
        quoted = np.flatnonzero(self._quoted[:count]).astype(np.int32)
        if len(quoted):
            fields = {name: self._floats[name][quoted] for name in _QUOTE}
            out.append(Quotes(quoted, **fields, ts=self._quote_ts[quoted], recv=self._quote_recv))
        if self.report is not None:
            out.append(self.report)
        return out

    def _take(self) -> None:
        """Take in the quotes that wait, all at once: of each contract only the last counts."""
        waiting, self._untaken, self._untaken_rows = self._untaken, [], 0
        if not waiting:
            return
        contract, keep = self._known(np.concatenate([quotes.contract for quotes in waiting]))
        newest = np.full(len(self._contracts), -1)
        # Repeated indices: the last assignment stands.
        newest[contract] = np.arange(len(contract))
        quoted = np.flatnonzero(newest >= 0)
        rows = newest[quoted]
        for name in _QUOTE:
            values = np.concatenate([getattr(quotes, name) for quotes in waiting])
            self._floats[name][quoted] = values[keep][rows]
        self._quote_ts[quoted] = np.concatenate([quotes.ts for quotes in waiting])[keep][rows]
        self._quoted[quoted] = True

    def _known(
        self, contract: NDArray[np.int32]
    ) -> tuple[NDArray[np.int32], NDArray[np.bool_] | slice]:
        if len(contract) and int(contract.max()) >= len(self._contracts):
            keep = contract < len(self._contracts)
            return contract[keep], keep
        return contract, slice(None)

    def _define(self, event: Definitions) -> None:
        if event.first > len(self._contracts):
            # A gap: the chain that is fed these events says so, clearly.
            return
        self._contracts.extend(event.contracts[len(self._contracts) - event.first :])
        self._defined_recv = event.recv
        missing = len(self._contracts) - len(self._quote_ts)
        if missing > 0:
            missing += len(self._quote_ts)
            for name, column in self._floats.items():
                self._floats[name] = np.concatenate([column, np.full(missing, np.nan)])
            self._quote_ts = np.concatenate([self._quote_ts, np.zeros(missing, np.int64)])
            self._quoted = np.concatenate([self._quoted, np.zeros(missing, np.bool_)])
