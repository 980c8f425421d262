"""The tape: every print of the session, each once, with what became of it.

    refused       size or price is not one: zero, negative, NaN, infinite. Counted, not kept.
    duplicates    contract and sequence were seen before. A print without a sequence cannot
                  be told from its repetition and counts again.
    cancels       take back the print that they name, or the one that matches (`tape_undo`).
    corrections   stand for the print they name, which is in force no longer.
    late ones     keep their event time, and their place in order of arrival.

After a reconnect everything may come again; nothing changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gexterm.dealers.conditions import IS_CANCEL, ConditionClass, classes
from gexterm.dealers.tape_columns import UNJUDGED, Columns, State
from gexterm.dealers.tape_index import TapeIndex
from gexterm.dealers.tape_undo import Undoing
from gexterm.market.events import CANCEL, CORRECTION, NEW, Trades

Flags = NDArray[np.bool_]
I64 = NDArray[np.int64]

ORDERLY_NS = 1_000_000_000
"""How far a print's time may lie before an earlier print's without being out of order."""
MOST_CONTRACTS = 2.0**21
"""No print is larger: one that claims it is an error, and would be the whole book. Sums of
what is not larger are exact (`accumulate`)."""
MOST_COINS = 2.0**27
"""The same where sizes are coins, of which some cost cents: two million of those are an
ordinary print. Variances of the largest are exact to 1e-16 of themselves only."""
_MOST_POINTS = 1e9
_CLOCKS_NS = 60_000_000_000
_COUNTS = (
    "duplicates",
    "cancelled",
    "corrected",
    "unmatched_cancels",
    "unmatched_corrections",
    "out_of_order",
    "unknown_contract",
    "refused",
    "unknown_condition",
)


@dataclass(frozen=True, eq=False, slots=True)
class TapeUpdate:
    """What one batch changed. Rows are indices into the tape."""

    first: int
    """First row of the batch."""
    end: int
    """One past its last row; equal to `first` where nothing was new."""
    rows: I64
    """The new rows that are in force, by event time (then arrival)."""
    gone: I64
    """Earlier rows that were in force and are so no longer: cancelled or replaced."""
    revived: I64
    """Earlier rows that are in force again: a cancel turned out to mean another print."""
    replaced: I64
    """Corrected rows, earlier or of this batch. Shape (c,)."""
    replacement: I64
    """The row that is in force for each of `replaced`. Shape (c,)."""


class Tape(Columns):
    """All prints of a session, in order of arrival.

    The signer writes `p_buy`, `p_dealer`, `evidence`, `package`, `met_bid` and `met_ask`; all
    else is written here. Rows that are not `State.LIVE` count for nothing.
    """

    def __init__(self, capacity: int = 4096) -> None:
        super().__init__(capacity)
        self._index = TapeIndex()
        self._undoing = Undoing(self, self._index)
        self._counts = dict.fromkeys(_COUNTS, 0)
        self._unknown: dict[tuple[str, int], int] = {}
        self._latest = 0
        self._undone: set[tuple[float, ...]] = set()

    @property
    def nbytes(self) -> int:
        """Bytes of the columns and of the index over them."""
        return super().nbytes + self._index.nbytes

    @property
    def counts(self) -> dict[str, int]:
        """What was noticed on the way, by name.

        `cancelled`, `corrected` and the unmatched ones are as of now, the others since
        the session began.
        """
        undoing = self._undoing
        return self._counts | {
            "cancelled": undoing.cancelled,
            "corrected": undoing.replaced,
            "unmatched_cancels": undoing.unmatched_cancels,
            "unmatched_corrections": self._counts["unmatched_corrections"]
            + undoing.unmatched_corrections,
        }

    @property
    def unknown_codes(self) -> dict[tuple[str, int], int]:
        """Prints by numbering and condition code, where the code is in no table."""
        return dict(self._unknown)

    def live(self) -> I64:
        """Rows in force, by event time (then arrival)."""
        rows = np.flatnonzero(self.state == State.LIVE)
        return rows[np.argsort(self.ts[rows], kind="stable")]

    def take(self, trades: Trades, numbering: str, n_contracts: int) -> TapeUpdate:
        """Add a batch; returns what it changed.

        `numbering` is the one of `SourceInfo.conditions`, `n_contracts` how many contracts
        are defined.
        """
        kind = classes(trades.condition, numbering)
        known = (trades.contract >= 0) & (trades.contract < n_contracts)
        most = MOST_COINS if numbering == "deribit" else MOST_CONTRACTS
        sane = (trades.size > 0.0) & (trades.size <= most)
        sane &= (trades.price > 0.0) & (trades.price <= _MOST_POINTS)
        new = (trades.action == NEW) & ~IS_CANCEL[kind]
        prints = new & known & sane
        first = len(self)
        codes = self._add(trades, kind, prints)
        self._undoing.arrived(first, len(self))
        self._notice(first, codes, numbering, trades.recv)
        if not prints.all():
            self._counts["unknown_contract"] += int(np.count_nonzero(~known))
            self._counts["refused"] += int(np.count_nonzero(new & known & ~sane))
            for at in np.flatnonzero(~new & known).tolist():
                self._undo(trades, kind, at, numbering, sane=bool(sane[at]))
        end = len(self)
        rows = first + np.flatnonzero(self.state[first:end] == State.LIVE)
        ts = self.ts[rows]
        if bool((ts[1:] < ts[:-1]).any()):
            rows = rows[np.argsort(ts, kind="stable")]
        return TapeUpdate(first, end, rows, *self._undoing.changes(first))

    def _add(self, trades: Trades, kind: NDArray[np.uint8], which: Flags) -> NDArray[np.int16]:
        """Append prints that are not there yet; returns the condition codes of the new rows."""
        chosen: slice | Flags = slice(None) if bool(which.all()) else which
        codes = trades.condition[chosen]
        count = len(codes)
        first = self.append(count, _columns(trades, kind, chosen))
        rows = np.arange(first, first + count)
        numbered = self.sequence[first:] >= 0
        if not numbered.all():
            rows = rows[numbered]
        repeated, slots = self._index.enter(self.contract, self.sequence, rows)
        if not repeated.any():
            return codes
        self._counts["duplicates"] += int(np.count_nonzero(repeated))
        kept = np.ones(count, np.bool_)
        kept[rows[repeated] - first] = False
        self.keep(first, kept)
        moved = first - 1 + np.cumsum(kept)
        self._index.moved(slots[~repeated], moved[rows[~repeated] - first])
        return codes[kept]

    def _notice(self, first: int, codes: NDArray[np.int16], numbering: str, recv: int) -> None:
        """Count what is odd about new rows."""
        ts = self.ts[first:]
        if not len(ts):
            return
        # A time far ahead of the clock is an error, and would make all that follows late.
        believed = np.minimum(ts, recv + _CLOCKS_NS) if recv > 0 else ts
        highest = max(self._latest, int(believed.max()))
        if int(ts.min()) < highest - ORDERLY_NS:
            latest = np.maximum(np.maximum.accumulate(believed), self._latest)
            late = (ts < latest - ORDERLY_NS) & (ts > 0)
            self._counts["out_of_order"] += int(np.count_nonzero(late))
        self._latest = highest
        unknown = self.condition[first:] == ConditionClass.UNKNOWN
        if unknown.any():
            self._counts["unknown_condition"] += int(np.count_nonzero(unknown))
            found, times = np.unique(codes[unknown], return_counts=True)
            for code, often in zip(found.tolist(), times.tolist(), strict=True):
                self._unknown[numbering, code] = self._unknown.get((numbering, code), 0) + often

    def _undo(
        self, trades: Trades, kind: NDArray[np.uint8], at: int, numbering: str, *, sane: bool
    ) -> None:
        """One cancel or correction."""
        contract, sequence = int(trades.contract[at]), int(trades.sequence[at])
        price, size = float(trades.price[at]), float(trades.size[at])
        refers, action = int(trades.refers[at]), int(trades.action[at])
        cancel = action == CANCEL or bool(IS_CANCEL[kind[at]])
        if not cancel and refers < 0:
            refers = sequence  # the feed corrects under the number of the print itself
        if not (cancel or (action == CORRECTION and sane)) or (cancel and refers < 0 and not sane):
            self._counts["refused"] += 1
            return
        if sequence >= 0 or refers >= 0:
            same: tuple[float, ...] = (contract, sequence, refers)
            same = (*same, 0.0) if cancel else (*same, 1.0, price, size)
            if same in self._undone:
                self._counts["duplicates"] += 1
                return
            self._undone.add(same)
        if cancel and refers >= 0:
            self._undoing.cancel_named(contract, refers)
        elif cancel:
            when = int(trades.ts[at]) if trades.ts[at] > 0 else max(trades.recv, self._latest)
            opening = kind[at] == ConditionClass.CANCEL_OPENING
            alike = (contract, price, size)
            self._undoing.cancel_alike(alike, when, sequence, opening=bool(opening))
        else:
            row = self.append(1, _columns(trades, kind, slice(at, at + 1)))
            self._notice(row, trades.condition[at : at + 1], numbering, trades.recv)
            if refers >= 0:
                self._undoing.correct(row, refers)
            else:
                self._counts["unmatched_corrections"] += 1
                self._undoing.arrived(row, row + 1)


def _columns(
    trades: Trades, kind: NDArray[np.uint8], chosen: slice | Flags
) -> dict[str, NDArray[Any] | int]:
    """A batch, or the chosen part, as the tape has it."""
    dated = trades.ts > 0
    ts = trades.ts if dated.all() else np.where(dated, trades.ts, max(trades.recv, 0))
    return {
        "contract": trades.contract[chosen],
        "ts": ts[chosen],
        "recv": trades.recv,
        "price": trades.price[chosen],
        "size": trades.size[chosen],
        "sequence": trades.sequence[chosen],
        "condition": kind[chosen],
        "side": trades.side[chosen],
        "bid": trades.bid[chosen],
        "ask": trades.ask[chosen],
        "bid_size": trades.bid_size[chosen],
        "ask_size": trades.ask_size[chosen],
    }


__all__ = ["UNJUDGED", "State", "Tape", "TapeUpdate"]
