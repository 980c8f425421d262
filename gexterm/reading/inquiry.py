"""What can be asked of a session beyond its Readings, and what the answers look like.

A Reading holds what every screen needs at every tick. Some questions are asked only
while somebody looks: the book at another spot, the smile of one expiry, the last
prints. They are answered on request, from the same frozen state that the newest Reading
was made of, and every answer says which moment it belongs to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gexterm.reading.model import Reading

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

NAN = float("nan")

GREEKS = ("gamma", "charm", "vanna", "vega", "delta")
"""Exposures that are re-priced over spot, in the order in which they are shown."""
OUTLOOK_GREEKS = (*GREEKS, "decay")
"""Exposures that a ladder, and so the heat map, can show."""


@dataclass(frozen=True, slots=True)
class Suppose:
    """A market other than the one there is. The default is the one there is."""

    spot_change: float = 0.0
    """Spot elsewhere, as a fraction of it: −0.005 is half a per cent lower."""
    vol_points: float = 0.0
    """Every volatility higher, vol points: 1 is from 14 % to 15 %."""
    minutes: float = 0.0
    """Later by so many minutes of the clock, at most until today's settlement."""

    @property
    def anything(self) -> bool:
        """Whether it differs from the market there is."""
        return self != Suppose()


@dataclass(frozen=True, slots=True)
class Supposed:
    """What the whole book would read as."""

    suppose: Suppose
    """Under which supposition; what was cut (time past settlement, a volatility below zero)
    is cut here."""
    reading: Reading
    """The Reading, at the supposed time and spot. Positions are today's: nobody trades."""
    base: Reading
    """The Reading it departs from."""
    notes: tuple[str, ...] = ()
    """What the user must know, one line each: which volatility was kept, what was cut."""


@dataclass(frozen=True, eq=False, slots=True)
class Curves:
    """Exposures of the scope, re-priced over spot."""

    as_of: int
    """Moment of the market, ns."""
    view: str
    """Sign view."""
    scope: str
    """Which expiries."""
    suppose: Suppose
    """Volatility and time supposed; spot runs along the grid."""
    spot: float
    """Where spot is (under `suppose`), points."""
    spots: F64
    """Grid, ascending, points. Shape (m,)."""
    values: Mapping[str, F64]
    """By greek of `GREEKS`, in the units of a ladder (gamma $ per 1 %, charm $ per hour as a
    finite step, vanna and vega $ per vol point, delta $). Shape (m,) each."""
    zeros: Mapping[str, tuple[float, ...]]
    """By greek: spots at which the curve changes sign, ascending, points."""
    band: Mapping[str, tuple[F64, F64]] = field(default_factory=dict)
    """By greek: 10 % and 90 % quantile along the grid, where positions carry an uncertainty."""


@dataclass(frozen=True, eq=False, slots=True)
class Smile:
    """The smile of one expiry: what is quoted, and what is made of it."""

    as_of: int
    """Moment of the market, ns."""
    expiry: str
    """ISO date."""
    root: str
    """Option root."""
    forward: float
    """Parity forward, points."""
    atm_iv: float
    """Volatility at the forward, as a fraction."""
    years: float
    """Time left, years."""
    how: str
    """How the smile was made: svi, spline, line, …"""
    strikes: F64
    """Listed strikes, ascending, points. Shape (n,)."""
    bid_iv: F64
    """Volatility of the bid of the out-of-the-money side, as a fraction; NaN none."""
    ask_iv: F64
    """The same of the offer."""
    fit_iv: F64
    """Volatility used for greeks."""
    quote_age_s: F64
    """Seconds since the older quote of the strike changed; NaN unknown."""
    skew_25: float = NAN
    """25-delta put less call volatility, as a fraction; NaN where not spanned."""
    put_25: float = NAN
    """Strike of the 25-delta put, points."""
    call_25: float = NAN
    """Strike of the 25-delta call, points."""


@dataclass(frozen=True, eq=False, slots=True)
class Outlook:
    """The book by strike at later times, if nothing changes but the clock."""

    as_of: int
    """Moment of the market, ns."""
    greek: str
    """One of `OUTLOOK_GREEKS`."""
    view: str
    """Sign view."""
    scope: str
    """Which expiries."""
    times: I64
    """Later moments, ns, ascending, up to the last settlement of the day. Shape (t,)."""
    strikes: F64
    """Strikes, ascending, points. Shape (k,)."""
    values: F64
    """Exposure in the units of a ladder; NaN not known. Shape (t, k)."""


@dataclass(frozen=True, slots=True)
class Print:
    """One print of the tape, as it was judged."""

    row: int
    """Its place in the tape: what comes later is larger."""
    at: int
    """Exchange time, ns; receipt time where the venue gives none."""
    symbol: str
    """Option root."""
    expiry: str
    """ISO date."""
    strike: float
    """Points."""
    right: str
    """`C` or `P`."""
    price: float
    """Points."""
    size: float
    """Contracts."""
    bid: float
    """Quote in force when it was judged, points; NaN none."""
    ask: float
    """Offer then, points; NaN none."""
    p_buy: float
    """P(the dealer bought), 0 to 1; NaN unsigned."""
    p_dealer: float
    """P(a dealer was in it), 0 to 1; NaN not judged."""
    evidence: str
    """What signed it, or why it is unsigned."""
    condition: str
    """Sale condition in words."""
    package: int
    """Number of the package it is a leg of; −1 none."""
    state: str
    """`live`, `cancelled` or `replaced`."""
    delta_notional: float = NAN
    """Delta that the dealer is inferred to have gained by it, $:
    (2·p_buy − 1)·p_dealer·Δ·size·M·S."""


@dataclass(frozen=True, slots=True)
class TapeTail:
    """The newest prints."""

    as_of: int
    """Moment of the market, ns."""
    prints: tuple[Print, ...]
    """Newest first."""
    seen: int
    """Prints of the whole tape."""
    passing: int
    """Prints among them that pass the filter, where counted; −1 not counted."""
    why_none: str = ""
    """Why there are none to show; empty when there are."""


class Inquiries(Protocol):
    """Questions to a running session. Each raises a `GextermError` when it cannot be answered."""

    async def supposed(self, suppose: Suppose) -> Supposed:
        """The whole Reading under a supposition."""
        ...

    async def curves(self, suppose: Suppose) -> Curves:
        """Exposures over spot, with volatility and time of the supposition."""
        ...

    async def smile(self, expiry: str, root: str) -> Smile:
        """The smile of one expiry."""
        ...

    async def outlook(self, greek: str) -> Outlook:
        """The book by strike to the end of the day, if nothing changes but the clock."""
        ...

    async def tape(self, count: int, least_size: float = 0.0) -> TapeTail:
        """The newest `count` prints of at least `least_size` contracts."""
        ...
