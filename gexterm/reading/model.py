"""The Reading: the immutable result of one tick.

It holds everything that any screen, alert, snapshot or export needs; nothing is
computed again further on. Numbers that are not known are NaN inside and null in
JSON; words that are not known are empty. Where a number is missing for a reason
that a user can act on, the reason stands beside it.

Money is in US dollars of delta (or of premium, for vega). Sign: the dealer's own
position; the dealer trades the opposite (`Hedging`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    # Whoever is handed a Reading has polars already. The screen is painted before there is
    # one, and must not wait for the import.
    import polars as pl

F64 = NDArray[np.float64]

SCHEMA = "gexterm.reading/1"
"""Name and version of the JSON form."""

NAN = float("nan")

GammaState = Literal["long", "short", "neutral", "unknown"]
Paradigm = Literal["BofA", "GEX", "Anti-GEX", "Sidial", "Mixed", "No data"]
FlipKind = Literal["crossing", "none (long everywhere)", "none (short everywhere)", "unknown"]


@dataclass(frozen=True, slots=True)
class Source:
    """Where the data comes from and how late it is."""

    feed: str
    """Who delivered, e.g. `cboe-quotes`, `synthetic`."""
    mode: Literal["live", "delayed", "replay", "simulated", "file"]
    """How it reached us."""
    delay_s: float = 0.0
    """Seconds by which quotes are late by design, already taken off `as_of`."""
    note: str = ""
    """What the user must know about the source, one line."""


@dataclass(frozen=True, slots=True)
class Band:
    """Where a number lies with 80 % of the probability that positions leave open."""

    low: float = NAN
    """Its 10 % quantile; NaN not known, or beyond what was searched."""
    high: float = NAN
    """Its 90 % quantile; NaN not known, or beyond what was searched."""


@dataclass(frozen=True, slots=True)
class Positions:
    """Whose positions the numbers assume, and on what evidence."""

    view: str
    """`flow`, `combined`, or the name of a sign convention, e.g. `customer-flow`."""
    basis: Literal["open interest", "volume", "trades", "none"]
    """What positions were made of."""
    prior: str = ""
    """What stands behind today's trades under `combined`, e.g. `squeezemetrics on open
    interest, today's expiry none`; empty elsewhere."""
    epoch: int = 0
    """From when trades have been signed, ns; 0: no trade is signed."""
    prints: int = 0
    """Trades behind the flow, cancelled ones left out."""
    signed_share: float = NAN
    """Share of the printed volume of the scope that carries a sign, 0 to 1; NaN: no print."""
    printed_share: float = NAN
    """Share of the volume that the venue reports that came as prints, 0 to 1; NaN unknown."""
    uncovered_share: float = NAN
    """Share of the scope's open interest that no recorded tape explains, 0 to 1; NaN unknown."""
    by_evidence: Mapping[str, float] = field(default_factory=dict)
    """Share of the printed volume by evidence, signed kinds, 0 to 1."""
    unsigned_by_reason: Mapping[str, float] = field(default_factory=dict)
    """Contracts left unsigned, by reason."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """What was noticed on the tape: duplicates, cancelled, unknown conditions, …"""
    trap: str = ""
    """Why a whole side may be signed wrongly: many prints at resting size; empty if not so."""
    bounds_hit: int = 0
    """Contracts whose position was cut to open interest plus volume."""
    reconciled: str = ""
    """How far off the book carried over was, by this morning's open interest."""
    warning: str = ""
    """What is doubtful about this view for this underlying, one line."""


@dataclass(frozen=True, slots=True)
class GammaCrossing:
    """One spot at which the re-priced gamma profile changes sign."""

    spot: float
    """Spot, points."""
    rising: bool
    """Whether the book is short below and long above."""


@dataclass(frozen=True, eq=False, slots=True)
class Gamma:
    """Gamma exposure, its flip and walls, over the chosen expiries."""

    gex_per_1pct: float = NAN
    """Delta that the book gains when spot rises 1 %, $."""
    gex_0dte_per_1pct: float = NAN
    """The same of today's expiry alone, $."""
    state: GammaState = "unknown"
    """Sign of the profile at spot; never of spot against the flip."""
    flip: float = NAN
    """Zero of the re-priced profile nearest spot, points; NaN where there is none."""
    flip_kind: FlipKind = "unknown"
    """Whether there is a flip and, if not, on which side the book is."""
    flips: tuple[GammaCrossing, ...] = ()
    """Every zero of the profile, ascending."""
    flip_distance: float = NAN
    """Flip minus spot, points."""
    flip_distance_sigma: float = NAN
    """The same in remaining standard deviations of today (or of one day)."""
    call_wall: float = NAN
    """Strike of the largest call |GEX|, points."""
    put_wall: float = NAN
    """Strike of the largest put |GEX|, points."""
    cumulative_flip: float = NAN
    """Zero of GEX summed by strike from below, points; another rule, another number."""
    profile_spot: F64 = field(default_factory=lambda: np.empty(0))
    """Spots of the re-priced profile, points."""
    profile_gex: F64 = field(default_factory=lambda: np.empty(0))
    """GEX per 1 % at each, $."""
    repricing: str = "sticky strike"
    """How volatility moves along the profile."""
    gex_band: Band = Band()
    """80 % band of `gex_per_1pct`, $; empty under a convention, whose error is unknown."""
    flip_band: Band = Band()
    """Spots around the flip at which the 80 % band of the profile contains zero, points."""
    probability_short: float = NAN
    """P(dealers are short gamma at spot); NaN under a convention."""


@dataclass(frozen=True, slots=True)
class Tenor:
    """A stretch of the book's expiries."""

    vega_per_point: float = NAN
    """Vega, $ per vol point (calendar volatility)."""
    vanna_per_point: float = NAN
    """Delta gained per vol point, $."""
    gex_per_1pct: float = NAN
    """GEX, $ per 1 %."""


@dataclass(frozen=True, eq=False, slots=True)
class Book:
    """The whole book in one number each: every unsettled expiry, whatever the scope."""

    delta_notional: float = NAN
    """Delta notional, $."""
    vega_per_point: float = NAN
    """Vega, $ per vol point (calendar volatility)."""
    vanna_per_point: float = NAN
    """Delta gained per vol point, $."""
    charm_per_day: float = NAN
    """Delta gained per calendar day passing, $; expiries after today."""
    vanna_stochastic: float = NAN
    """Vanna at spot over its largest size along spot, −1 to 1; expiries after today."""
    vega_depth: float = NAN
    """|Vega| at spot over its largest size along spot, 0 to 1."""
    near: Tenor = Tenor()
    """Expiries within 30 days."""
    far: Tenor = Tenor()
    """Expiries beyond 30 days."""
    vega_band: Band = Band()
    """80 % band of `vega_per_point`, $."""
    vanna_band: Band = Band()
    """80 % band of `vanna_per_point`, $."""
    vanna_stochastic_band: Band = Band()
    """80 % band of `vanna_stochastic`."""


@dataclass(frozen=True, slots=True)
class BaseRate:
    """What became of this paradigm at this time of day elsewhere. Never a promise."""

    event: str
    """What is counted, e.g. `closes inside the lines`."""
    rate: float
    """Share of the study's observations in which it happened, 0 to 1."""
    count: int
    """Observations behind it."""
    time: str
    """The study's observation time, `HH:MM` New York; empty: all times together."""
    share: float
    """Share of that time's observations with this paradigm, 0 to 1."""
    placebo: float
    """P of the same event for a driftless normal with today's remaining sigma, 0 to 1."""
    source: str
    """Who observed what."""


@dataclass(frozen=True, eq=False, slots=True)
class ZeroDte:
    """The charm of today's PM expiry and what it reads as."""

    expiry: str = ""
    """Root and date, e.g. `SPXW 2026-11-20`; empty when nothing settles today."""
    reason: str = ""
    """Why there is no reading; empty when there is one."""
    settled: bool = False
    """Whether the expiry has settled and the last profile stands frozen."""
    seconds_left: float = NAN
    """Seconds to settlement."""
    sigma: float = NAN
    """One standard deviation of spot until settlement, points."""
    charm_below: float = NAN
    """Finite-step charm of strikes below spot, $ per hour."""
    charm_above: float = NAN
    """Finite-step charm of strikes above spot, $ per hour."""
    charm_per_hour: float = NAN
    """Both together, $ per hour."""
    charm_gross: float = NAN
    """Sum of the sizes by strike, $ per hour."""
    decay_to_close: float = NAN
    """Delta gained until settlement if spot stays, $."""
    excluded_share: float = NAN
    """Share of gross charm cut by the |delta| rule, 0 to 1."""
    paradigm: Paradigm = "No data"
    """What the profile reads as."""
    previous: str = ""
    """The label before this one."""
    qualifier: Literal["", "PURE", "LIS", "TARGET", "MESSY"] = ""
    """At the line, at the target, mixed within a side, or none of these."""
    probability: Mapping[str, float] = field(default_factory=dict)
    """P(label) where positions carry a variance; empty under a static convention."""
    since: int = 0
    """Since when the label holds, ns; 0 unknown."""
    lis_lower: float = NAN
    """Lower line in the sand, points."""
    lis_upper: float = NAN
    """Upper line in the sand, points."""
    target: float = NAN
    """Where aggregate charm comes to zero, nearest strike, points."""
    lis_lower_sigma: float = NAN
    """Lower line minus spot, in `sigma`."""
    lis_upper_sigma: float = NAN
    """Upper line minus spot, in `sigma`."""
    target_sigma: float = NAN
    """Target minus spot, in `sigma`."""
    placebo_inside: float = NAN
    """P(close inside the lines) of a driftless normal with `sigma`; not a forecast."""
    peak_below: float = NAN
    """Strike below spot of the largest |charm|, points."""
    peak_above: float = NAN
    """Strike above spot of the largest |charm|, points."""
    charm_below_band: Band = Band()
    """80 % band of `charm_below`, $ per hour; empty under a convention."""
    charm_above_band: Band = Band()
    """80 % band of `charm_above`, $ per hour."""
    charm_band: Band = Band()
    """80 % band of `charm_per_hour`, $ per hour."""
    decay_band: Band = Band()
    """80 % band of `decay_to_close`, $."""
    lis_lower_band: Band = Band()
    """80 % band of the lower line, points."""
    lis_upper_band: Band = Band()
    """80 % band of the upper line, points."""
    target_band: Band = Band()
    """80 % band of the target, points."""
    base_rate: BaseRate | None = None
    """The white paper's record of this label at this time, beside a placebo."""


@dataclass(frozen=True, eq=False, slots=True)
class Regime:
    """Gamma, skew and term structure, and what they come to together."""

    gamma: GammaState = "unknown"
    """Gamma state with its neutral band."""
    skew: Literal["flat", "normal", "steep", "extreme", "unknown"] = "unknown"
    """25-delta put less call volatility over ATM volatility, 30 days."""
    term: Literal["contango", "flat", "inverted", "unknown"] = "unknown"
    """Variance indices of 9, 30 and 90 days against each other."""
    composite: Literal["stress", "amplify", "dampen", "transition", "neutral", "unknown"] = (
        "unknown"
    )
    """The three together."""
    inputs: Mapping[str, float] = field(default_factory=dict)
    """What the states rest on: gex, gex_band, skew_ratio, skew_z, r_9_30, r_30_90, iv_9d, …"""
    lesson: Mapping[str, float | str | bool] = field(default_factory=dict)
    """The founding lesson's own classifier: its state and which trigger fired."""


@dataclass(frozen=True, slots=True)
class Hedging:
    """What the dealer trades, $ of delta: the opposite of what the book gains."""

    per_up_1pct: float = NAN
    """When spot rises 1 %; positive: the dealer buys."""
    per_down_1pct: float = NAN
    """When spot falls 1 %."""
    per_vol_point: float = NAN
    """When volatility rises one point."""
    per_hour: float = NAN
    """In the next hour, or until settlement if that is sooner, spot unmoved."""
    up_band: Band = Band()
    """80 % band of `per_up_1pct`, $, by gamma at spot; empty under a convention."""
    down_band: Band = Band()
    """80 % band of `per_down_1pct`, $."""
    vol_band: Band = Band()
    """80 % band of `per_vol_point`, $."""
    hour_band: Band = Band()
    """80 % band of `per_hour`, $."""


@dataclass(frozen=True, slots=True)
class HedgeDay:
    """What dealers should have traded since the session was first seen, by what made them.

    −(gamma × move + vanna × change of volatility + charm × time), added up tick by tick
    with the book before each. $ of delta; positive: they bought. Whole book.
    """

    since: int = 0
    """From when it is added up, ns; 0: not yet."""
    by_gamma: float = NAN
    """Because spot moved."""
    by_vanna: float = NAN
    """Because volatility moved."""
    by_charm: float = NAN
    """Because time passed."""
    uncovered_s: float = 0.0
    """Seconds in between that were not seen."""
    spot_change: float = NAN
    """What spot did in the same time, points."""


@dataclass(frozen=True, slots=True)
class SpotVol:
    """How volatility has moved with spot today, by our own 30-day variance index."""

    beta: float = NAN
    """Vol points per 1 % of spot, regression over the day's minutes; NaN while too few."""
    beta_se: float = NAN
    """Its standard error."""
    r_squared: float = NAN
    """Share of the variance explained."""
    minutes: int = 0
    """Minutes behind it."""
    reference: float = NAN
    """The beta that `overvixed` measures against, vol points per 1 %."""
    overvixed: float = NAN
    """Vol points by which the index stands above (+) what spot's move alone would have made."""


@dataclass(frozen=True, slots=True)
class View:
    """The same book under one sign view."""

    view: str
    """Name of the convention or view."""
    gex_per_1pct: float
    """GEX per 1 %, $."""
    gamma: GammaState
    """Gamma state."""
    flip: float
    """Flip, points; NaN none."""
    paradigm: Paradigm
    """0DTE paradigm."""
    probability: float = NAN
    """P(that paradigm); NaN under a convention."""
    probability_short: float = NAN
    """P(short gamma); NaN under a convention."""
    charm_below: float = NAN
    """0DTE charm of strikes below spot, $ per hour."""
    charm_above: float = NAN
    """0DTE charm of strikes above spot, $ per hour."""
    lis_lower: float = NAN
    """Lower line in the sand, points; NaN none."""
    lis_upper: float = NAN
    """Upper line in the sand, points; NaN none."""
    target: float = NAN
    """Target, points; NaN none."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Whether the sign views agree."""

    views: tuple[View, ...] = ()
    """One entry per view, the chosen one first."""
    disagree: tuple[str, ...] = ()
    """On what they do not: `gamma`, `flip`, `paradigm`."""


@dataclass(frozen=True, slots=True)
class ExpiryLine:
    """One expiry of one root."""

    expiry: str
    """Expiry date, ISO."""
    root: str
    """Option root."""
    settlement: str
    """AM, PM or 08:00 UTC."""
    settles_at: int
    """Settlement instant, ns since 1970 UTC."""
    years: float
    """Time left, years of 365 days."""
    forward: float
    """Parity forward, points."""
    atm_iv: float
    """Volatility at the forward, as a fraction."""
    smile: str
    """How the smile was made."""
    contracts: int
    """Listed contracts."""
    gex_per_1pct: float
    """GEX per 1 %, $."""
    vega_per_point: float
    """Vega, $ per vol point."""
    vanna_per_point: float
    """Vanna, $ per vol point."""
    charm_per_day: float
    """Charm, $ per calendar day, instantaneous."""
    charm_per_hour: float = NAN
    """Charm of the next hour, or until settlement if that is sooner; a finite step, $."""
    delta_notional: float = NAN
    """Delta notional, $."""
    decay_to_close: float = NAN
    """Delta gained until settlement if spot stays, $; expiries that settle today only."""


STRIKE_COLUMNS: dict[str, str] = {
    "strike": "points",
    "call_oi": "contracts",
    "put_oi": "contracts",
    "call_volume": "contracts today",
    "put_volume": "contracts today",
    "position": "dealer contracts under the chosen view, calls and puts together",
    "position_sd": "standard deviation of it, contracts; null under a convention",
    "position_prior": "dealer contracts, calls and puts together, before today's trades",
    "position_flow": "dealer contracts from signed trades; null: none signed",
    "gex": "$ per 1 %",
    "delta": "$",
    "vega": "$ per vol point",
    "vanna": "$ per vol point",
    "charm": "$ per hour, finite step",
    "charm_day": "$ per calendar day, instantaneous",
    "decay": "$ until settlement, expiries within the scope",
    "gex_0dte": "$ per 1 %, today's expiry",
    "charm_0dte": "$ per hour, today's expiry, before the |delta| cut",
    "decay_0dte": "$ until settlement, today's expiry",
    "quote_age_s": "seconds since the older of its quotes changed; null unknown",
}
"""Columns of `Reading.strikes` and their units."""


@dataclass(frozen=True, eq=False, slots=True)
class LookBack:
    """Where each strike stood some minutes ago, under the same positions view."""

    minutes: int
    """How long ago."""
    values: Mapping[str, F64]
    """Column name (`gex`, `delta`, `vega`, `vanna`, `charm`, `decay`, `gex_0dte`, `charm_0dte`)
    to values aligned with `Reading.strikes`; NaN where not known."""


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the numbers can be trusted."""

    quoted_share: float = NAN
    """Share of the unsettled contracts with a two-sided quote, 0 to 1."""
    quote_age_p50_s: float = NAN
    """Median quote age, seconds."""
    quote_age_p99_s: float = NAN
    """99th percentile of quote age, seconds."""
    crossed: int = 0
    """Contracts whose bid is not below the offer."""
    zero_bid: int = 0
    """Contracts with a zero bid."""
    stale: int = 0
    """Contracts whose quote breaks the parity bounds of its expiry."""
    no_iv: int = 0
    """Rows of unsettled expiries whose price carries no volatility."""
    bad_price: int = 0
    """Quotes refused: negative, NaN or infinite prices."""
    late: int = 0
    """Prints and quotes that came out of order."""
    duplicates: int = 0
    """Prints seen before."""
    gaps: int = 0
    """Prints that the venue's own numbers prove missing, and that could not be had later."""
    dropped: int = 0
    """Messages dropped because we were too slow."""
    reconnects: int = 0
    """Connections made anew."""
    events_per_s: float = NAN
    """Rows of quotes, prints, … per second of receipt time, over the last full five seconds."""
    tick_ms: float = NAN
    """Work for this Reading, milliseconds; NaN where it is not measured (replays to JSON)."""
    warnings: tuple[str, ...] = ()
    """What the user must know, one line each."""
    malformed: int = 0
    """Messages that made no sense and were skipped."""
    misdated: int = 0
    """Rows whose time could not be; dated to when they came."""
    refilled: int = 0
    """Prints fetched after the fact: history, and gaps filled."""
    away_s: float = NAN
    """Seconds without a connection since the first one stood; NaN not known."""
    clock_skew_s: float = NAN
    """How far this machine's clock is ahead of the venue's, seconds; NaN not known."""
    listed: int = 0
    """Contracts that the venue lists for the underlying; 0 not known."""
    quotes_asked: int = 0
    """Contracts whose quotes are asked for; 0 not known."""
    prints_asked: int = 0
    """Contracts whose prints are asked for; 0 not known."""
    window: str = ""
    """Which contracts are quoted, for a person; empty: all there are."""
    heard_from: int = 0
    """Since when prints are known without interruption, ns since 1970 UTC; 0 unknown."""


@dataclass(frozen=True, eq=False, slots=True)
class Reading:
    """One tick's result."""

    underlying: str
    """Index or stock."""
    as_of: int
    """The instant that the numbers stand for, ns since 1970 UTC."""
    spot: float
    """Underlying, points."""
    scope: str
    """Which expiries: `0dte`, `all` or a date."""
    source: Source
    """Where the data comes from."""
    positions: Positions
    """Whose positions are assumed."""
    gamma: Gamma
    """Gamma, flip, walls."""
    book: Book
    """Totals."""
    zero_dte: ZeroDte
    """Today's charm."""
    regime: Regime
    """Regime."""
    hedging: Hedging
    """Hedge flow to come."""
    agreement: Agreement
    """Other sign views."""
    expiries: tuple[ExpiryLine, ...]
    """Unsettled expiries, nearest first."""
    strikes: pl.DataFrame
    """One row per strike of the scope, ascending; columns as in `STRIKE_COLUMNS`."""
    health: Health
    """Data health."""
    hedge_day: HedgeDay = HedgeDay()
    """Hedge flow since the session was first seen."""
    spot_vol: SpotVol = SpotVol()
    """Spot against volatility today."""
    look_back: tuple[LookBack, ...] = ()
    """5, 15 and 30 minutes ago, as far as known; not part of the JSON form."""
    spot_open: float = NAN
    """First underlying price seen of the session, points; NaN unknown."""
    spot_open_at: int = 0
    """When it was seen, ns, if that was not near the open; 0: it is the open, or unknown."""
    sequence: int = 0
    """Number of this Reading within the session."""
    schema: str = SCHEMA
    """Name and version of the JSON form."""
