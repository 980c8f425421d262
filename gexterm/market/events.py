"""What a feed says, as columnar batches: one object per batch, not per message.

Times are int64 nanoseconds since 1970 UTC: `ts` is the exchange's, `recv` ours at
receipt. A time of 0 is unknown. In floating columns NaN says "not given", in
integer columns −1 does; absence is never a zero.

Contracts are named by index. `Definitions` come first and give the indices out,
in order of appearance and without gaps, per session.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gexterm.market.contracts import Contract

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
F64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Definitions:
    """Contracts that exist from now on."""

    first: int
    """Index of the first contract of this batch; the others follow."""
    contracts: tuple[Contract, ...]
    """The contracts, in the order of their indices."""
    recv: int = 0
    """Receipt time, ns."""


@dataclass(frozen=True, eq=False, slots=True)
class Quotes:
    """Best bid and offer. May be conflated: only the last one counts."""

    contract: I32
    """Contract index, shape (n,)."""
    bid: F64
    """Best bid, points; 0 is a zero bid, NaN not given. Shape (n,)."""
    ask: F64
    """Best offer, points; NaN not given. Shape (n,)."""
    bid_size: F64
    """Contracts bid for; NaN not given. Shape (n,)."""
    ask_size: F64
    """Contracts offered; NaN not given. Shape (n,)."""
    ts: I64
    """Exchange time, ns; 0 unknown. Shape (n,)."""
    recv: int = 0
    """Receipt time of the batch, ns."""


@dataclass(frozen=True, eq=False, slots=True)
class Trades:
    """Prints. Never conflated, never dropped in silence."""

    contract: I32
    """Contract index, shape (n,)."""
    price: F64
    """Price, points. Shape (n,)."""
    size: F64
    """Contracts. Shape (n,)."""
    ts: I64
    """Exchange time, ns. Shape (n,)."""
    bid: F64
    """Bid in force at the trade, as the feed gives it; NaN where it does not."""
    ask: F64
    """Offer in force at the trade; NaN where not given."""
    side: NDArray[np.int8]
    """The venue's own aggressor: +1 buyer, −1 seller, 0 not given."""
    condition: NDArray[np.int16]
    """Trade condition, in the numbering that `SourceInfo.conditions` names; −1 not given."""
    sequence: I64
    """The vendor's sequence or id; −1 not given."""
    bid_size: F64
    """Contracts bid for at the trade, as the feed gives it; NaN where it does not."""
    ask_size: F64
    """Contracts offered at the trade; NaN where not given."""
    action: NDArray[np.int8]
    """`NEW`, `CANCEL` or `CORRECTION`, where the feed says so apart from the condition."""
    refers: I64
    """`sequence` of the print that a cancel or correction is about; −1 not named."""
    recv: int = 0
    """Receipt time of the batch, ns."""

    @classmethod
    def of(
        cls,
        contract: ArrayLike,
        price: ArrayLike,
        size: ArrayLike,
        ts: ArrayLike,
        *,
        recv: int = 0,
        **given: ArrayLike,
    ) -> Trades:
        """A batch in which every column not `given` is absent."""
        rows = np.asarray(contract, np.int32)
        columns: dict[str, Any] = {
            name: np.full(rows.shape, absent, dtype)
            if name not in given
            else np.asarray(given[name], dtype)
            for name, dtype, absent in _OPTIONAL
        }
        if unknown := set(given) - set(columns):
            raise TypeError(f"trades have no column {', '.join(sorted(unknown))}")
        return cls(
            contract=rows,
            price=np.asarray(price, np.float64),
            size=np.asarray(size, np.float64),
            ts=np.asarray(ts, np.int64),
            recv=recv,
            **columns,
        )


NEW, CANCEL, CORRECTION = 0, 1, 2
"""`Trades.action`: a print, one taken back, or one replaced by this one."""
_OPTIONAL = (
    ("bid", np.float64, np.nan),
    ("ask", np.float64, np.nan),
    ("side", np.int8, 0),
    ("condition", np.int16, -1),
    ("sequence", np.int64, -1),
    ("bid_size", np.float64, np.nan),
    ("ask_size", np.float64, np.nan),
    ("action", np.int8, NEW),
    ("refers", np.int64, -1),
)


@dataclass(frozen=True, eq=False, slots=True)
class UnderlyingPrice:
    """The index or underlying itself, one value."""

    price: float
    """Points."""
    ts: int
    """Exchange time, ns."""
    recv: int = 0
    """Receipt time, ns."""


@dataclass(frozen=True, eq=False, slots=True)
class OpenInterest:
    """Open interest: one value a day, of the previous close."""

    contract: I32
    """Contract index, shape (n,)."""
    open_interest: F64
    """Contracts open. Shape (n,)."""
    ts: int
    """As of, ns."""
    recv: int = 0
    """Receipt time, ns."""


@dataclass(frozen=True, eq=False, slots=True)
class Volume:
    """Volume traded so far today (cumulative, so that a repeat does no harm)."""

    contract: I32
    """Contract index, shape (n,)."""
    volume: F64
    """Contracts traded today up to `ts`. Shape (n,)."""
    ts: int
    """As of, ns."""
    recv: int = 0
    """Receipt time, ns."""


@dataclass(frozen=True, eq=False, slots=True)
class ClockTick:
    """The feed's own time, where that is not the clock on the wall (replays)."""

    ts: int
    """Market time, ns."""


@dataclass(frozen=True, eq=False, slots=True)
class TickMark:
    """A Reading was computed here, of what came before this mark and nothing after.

    A live session leaves marks in its recording, so that a replay computes the same
    Readings, however busy the machine was. The first of a session has `ts` 0 and only
    says that marks follow.
    """

    ts: int
    """Market time of the Reading, ns; 0: none was computed, marks follow."""
    step: int
    """Distance of the round times ticked at, ns."""


@dataclass(frozen=True, eq=False, slots=True)
class FeedReport:
    """What a feed has counted since the session began, and must say about itself.

    Each replaces the one before. Counts only grow.
    """

    frames: int = 0
    """Messages received."""
    rows: int = 0
    """Rows of quotes, trades, … in them."""
    dropped: int = 0
    """Messages dropped because we were too slow."""
    malformed: int = 0
    """Messages that made no sense."""
    gaps: int = 0
    """Prints that the venue's own numbers prove missing, and that could not be had later."""
    refilled: int = 0
    """Prints fetched after the fact: history, and gaps filled."""
    misdated: int = 0
    """Rows whose time cannot be; dated to when they came."""
    reconnects: int = 0
    """Connections made anew."""
    away_s: float = 0.0
    """Seconds without a connection since the first one stood."""
    skew_s: float = float("nan")
    """How far this machine's clock is ahead of the venue's, seconds; NaN not known."""
    listed: int = 0
    """Contracts that the venue lists for the underlying."""
    quoted: int = 0
    """Contracts whose quotes are asked for now."""
    printed: int = 0
    """Contracts whose prints are asked for now."""
    window: str = ""
    """Which contracts are quoted, for a person."""
    heard_from: int = 0
    """Since when prints are known without interruption, market time, ns; 0: not at all."""
    notes: tuple[str, ...] = ()
    """What the user must know, one line each."""
    recv: int = 0
    """When it was made, ns."""


FeedState = Literal[
    "connecting", "live", "stale", "reconnecting", "paused", "ended", "refused", "closed"
]


@dataclass(frozen=True, eq=False, slots=True)
class FeedStatus:
    """How the connection is, in words a user can act on."""

    state: FeedState
    """One of the states the status line knows."""
    message: str = ""
    """What happened, for a person."""
    detail: dict[str, float | str | bool] = field(default_factory=dict)
    """Numbers for the status line: `try`, `retry_in_s`, `speed`, `dropped`, …"""


@dataclass(frozen=True, eq=False, slots=True)
class SourceInfo:
    """What is being listened to. The first event of every session.

    A second one begins a new session (a replay that was moved to another time):
    whoever keeps contracts, quotes or trades forgets them, and all follows anew.
    """

    underlying: str
    """Index or stock, e.g. `SPX`."""
    feed: str
    """Who delivers, e.g. `cboe-intervals`, `deribit`, `synthetic`."""
    mode: Literal["live", "delayed", "replay", "simulated", "file"]
    """How it reaches us. A simulated market says so wherever it is shown."""
    delay_s: float = 0.0
    """Seconds by which quotes are late by design; 0 for real time."""
    note: str = ""
    """What the user must know about it, one line."""
    begins: int = 0
    """First market time, ns; 0 unknown."""
    ends: int = 0
    """Last market time, ns; 0 unknown or open."""
    conditions: str = ""
    """Numbering of `Trades.condition`, a name of `dealers.conditions`; empty: none known."""
    venue_side: Literal["", "exact", "guess"] = ""
    """What `Trades.side` is worth: the venue knows the aggressor, infers it, or says nothing."""

    @property
    def has_tape(self) -> bool:
        """Whether prints come with it: positions then depend on everything since the start."""
        return bool(self.conditions or self.venue_side)


Event = (
    Definitions
    | Quotes
    | Trades
    | UnderlyingPrice
    | OpenInterest
    | Volume
    | ClockTick
    | TickMark
    | FeedReport
    | FeedStatus
    | SourceInfo
)
