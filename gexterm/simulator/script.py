"""What a synthetic day is asked to be.

A `Script` holds every choice; with its seed it determines the recording to the byte.
`simulator.toml` reads one from a file.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Literal

Intent = Literal["BofA", "GEX", "Anti-GEX", "Sidial", "none"]
"""The paradigm that customers' wishes lead to; `none`: they have none (a null day)."""
Mix = Literal["calibrated", "packages", "electronic"]
"""How customers trade; see `simulator.mixes`."""
Target = Literal["", "hit", "miss"]
Breach = Literal["", "none", "lower", "upper", "winner"]
"""`winner`: a line is broken during the day, and the close is inside again."""
Term = Literal["contango", "inverted"]
Trap = Literal["", "sells", "buys"]
"""One-sided resting limits: customers' sells (or buys) rest, and fill on the other side."""


@dataclass(frozen=True, slots=True)
class Series:
    """One expiry of one root."""

    root: str
    """Option root: `SPXW` settles at the close, `SPX` at the open."""
    days: int
    """Calendar days from the session's date; moved on to the next session if there is none."""
    step: float
    """Distance of strikes, points."""
    below: float
    """How far below the open strikes reach, as a fraction."""
    above: float
    """The same above."""
    open_interest: float = 1500.0
    """Mean open interest of a contract near the money."""
    share: float = 0.0
    """Share of the day's customer volume that trades in it; the shares add up to 1."""


@dataclass(frozen=True, slots=True)
class SpotScript:
    """How the index moves."""

    open: float = 6700.0
    """First price, points."""
    sigma: float = 0.008
    """Standard deviation of the day's log return, a fraction; U-shaped over the day."""
    beta: float = -0.9
    """Change of ATM volatility, vol points per 1 % of spot."""
    r_squared: float = 0.57
    """Share of the variance of volatility's changes that spot explains, 30-day tenor."""
    jumps: float = 0.3
    """Expected jumps per day."""
    impact: float = 0.0
    """Points that spot moves per $bn of delta that the dealer buys; 0: no feedback."""


@dataclass(frozen=True, slots=True)
class QuoteScript:
    """How good the quotes are."""

    stale_share: float = 0.03
    """Share of contracts whose published quote is behind at a time."""
    crossed_share: float = 0.001
    """Share of published quotes that are locked or crossed."""
    flicker_hz: float = 4.0
    """Cancels and replaces per second and contract near the money."""
    bursts: int = 2
    """Bursts per second in which they come; each is a batch of the recording."""
    patience: float = 0.35
    """How far fair value may be from a quote's mid before it is renewed, in half-widths."""
    quote_latency_ms: float = 60.0
    """Mean delay of quotes on the way to us, after their exchange time."""
    trade_latency_ms: float = 90.0
    """Mean delay of prints."""


@dataclass(frozen=True, slots=True)
class FlowScript:
    """What customers want and how they trade."""

    mix: Mix = "calibrated"
    """Order types."""
    contracts: float = 100_000.0
    """Contracts that customers trade over a whole day (all series)."""
    tilt: float = 0.15
    """Net over gross of customers' volume, in the direction of the intent."""
    dealer_share: float = 0.9
    """Probability that a dealer takes the other side."""
    trap: Trap = ""
    """One-sided resting limits, if wanted."""
    opening_inventory: float = 0.25
    """Dealer's inventory at the start, relative to what the tilt is going to add in the script's
    span."""
    cancels: float = 0.004
    """Share of prints that are taken back later."""
    late: float = 0.01
    """Share of prints that are reported late."""


@dataclass(frozen=True, slots=True)
class Change:
    """From a time on, customers want something else."""

    at: dt.time
    """Market time in New York."""
    intent: Intent
    """What they want from then on."""


@dataclass(frozen=True, slots=True)
class Gap:
    """The feed is silent; the market goes on."""

    at: dt.time
    """Market time in New York."""
    seconds: float
    """How long."""


@dataclass(frozen=True, slots=True)
class Script:
    """One synthetic day, or a stretch of one."""

    name: str
    """Letters, digits and hyphens."""
    title: str
    """One line for people."""
    seed: int
    """Everything random follows from it."""
    date: dt.date = dt.date(2026, 11, 19)
    """Session date; half days are those of the calendar."""
    begins: dt.time | None = None
    """First market time in New York; None: the session's open."""
    ends: dt.time | None = None
    """Last market time; None: the session's close."""
    underlying: str = "SPX"
    """Index."""
    intent: Intent = "BofA"
    """The paradigm that customers' wishes lead to, in today's expiry."""
    changes: tuple[Change, ...] = ()
    """Transitions, in order of time."""
    target: Target = ""
    """Whether spot reaches the target; empty: left to chance."""
    breach: Breach = ""
    """Which line in the sand spot crosses; empty: left to chance."""
    term: Term = "contango"
    """Term structure of volatility."""
    chain: str | tuple[Series, ...] = "medium"
    """`small`, `medium` or `full`, or the series themselves."""
    spot: SpotScript = field(default_factory=SpotScript)
    """The index."""
    quotes: QuoteScript = field(default_factory=QuoteScript)
    """Quotes."""
    flow: FlowScript = field(default_factory=FlowScript)
    """Customers."""
    gaps: tuple[Gap, ...] = ()
    """Silences of the feed, in order of time."""
    happens: tuple[tuple[str, str], ...] = ()
    """For the sample's metadata: market time (`HH:MM`) and what can be seen then."""
