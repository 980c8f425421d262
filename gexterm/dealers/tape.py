"""The tape: every print of the session, each once, with what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from gexterm.market.events import Trades

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
F32 = NDArray[np.float32]

UNJUDGED = 255
"""`Tape.evidence` of a print that no signer has looked at."""


class State(IntEnum):
    """What became of a print."""

    LIVE = 0
    """In force."""
    CANCELLED = 1
    """Taken back."""
    REPLACED = 2
    """Corrected by a later row."""


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
    """Rows that were corrected (a subset of `gone`, or dead on arrival). Shape (c,)."""
    replacement: I64
    """The row that stands for each of `replaced` now. Shape (c,)."""


class Tape:
    """Growable columns of all prints, in order of arrival. Columns are views of length n.

    A view is good until the next `take`. The signer writes `p_buy`, `p_dealer`,
    `evidence` and `package`; all else is written here.
    """

    contract: I32
    """Contract index."""
    ts: I64
    """Exchange time, ns; the receipt time where the feed gives none."""
    recv: I64
    """Receipt time, ns."""
    price: F64
    """Points."""
    size: F64
    """Contracts."""
    sequence: I64
    """The vendor's; −1 none."""
    condition: NDArray[np.uint8]
    """`ConditionClass`."""
    side: NDArray[np.int8]
    """The venue's own aggressor: +1 buyer, −1 seller, 0 none."""
    bid: F64
    """Bid at the trade as given, NaN."""
    ask: F64
    """Offer at the trade as given, NaN."""
    bid_size: F64
    """Contracts bid for as given, NaN."""
    ask_size: F64
    """Contracts offered as given, NaN."""
    state: NDArray[np.uint8]
    """`State`."""
    p_buy: F32
    """P(dealer bought); NaN until judged."""
    p_dealer: F32
    """P(a dealer was in it); NaN until judged."""
    evidence: NDArray[np.uint8]
    """`Evidence`; `UNJUDGED` until judged."""
    package: I64
    """Number of the package it is a leg of; −1 none."""

    def __init__(self, capacity: int = 4096) -> None:
        raise NotImplementedError

    def __len__(self) -> int:
        """Rows, cancelled ones included."""
        raise NotImplementedError

    @property
    def counts(self) -> dict[str, int]:
        """What was noticed on the way, by name."""
        raise NotImplementedError

    @property
    def unknown_codes(self) -> dict[str, int]:
        """Prints by condition code that is in no table, as `numbering code`."""
        raise NotImplementedError

    def take(self, trades: Trades, numbering: str, n_contracts: int) -> TapeUpdate:
        """Add a batch."""
        raise NotImplementedError

    def live(self) -> I64:
        """Rows in force, by event time (then arrival)."""
        raise NotImplementedError
