"""Option contracts and their expiries.

A contract is told apart by root, expiry, right and strike. SPX and SPXW list the
same strike on the same third Friday, one settling at the open, the other at the
close: the root keeps them apart, and nothing in gexterm merges on date and strike.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum


class Right(StrEnum):
    """Call or put."""

    CALL = "C"
    PUT = "P"

    @property
    def sign(self) -> int:
        """+1 for a call, −1 for a put (the φ of the formulas)."""
        return 1 if self is Right.CALL else -1


class Settlement(StrEnum):
    """At which moment of its expiry date a contract settles."""

    AM = "AM"
    """At the open, on the special opening quotation (SOQ): 09:30 ET."""
    PM = "PM"
    """At the close: 16:00 ET, 13:00 ET on early closes."""
    UTC8 = "08:00 UTC"
    """Crypto options: 08:00 UTC, every day of the year."""


class Exercise(StrEnum):
    """Exercise style."""

    EUROPEAN = "European"
    AMERICAN = "American"


@dataclass(frozen=True, slots=True, order=True)
class Contract:
    """One listed option."""

    root: str
    """Option root, e.g. `SPX` or `SPXW`. Decides settlement."""
    expiry: dt.date
    """Date on which the contract expires."""
    right: Right
    """Call or put."""
    strike: float
    """Strike price, in points of the underlying."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """One series date of one root: everything that its contracts share."""

    root: str
    """Option root."""
    date: dt.date
    """Expiry date."""
    settlement: Settlement
    """AM, PM or 08:00 UTC."""
    settles_at: int
    """The settlement instant, ns since 1970 UTC."""
    trades_until: int
    """When the series stops trading, ns since 1970 UTC (AM: the business day before)."""
    multiplier: float = 100.0
    """Units of the underlying per contract."""
    exercise: Exercise = Exercise.EUROPEAN
    """Exercise style."""

    def seconds_left(self, now_ns: int) -> float:
        """Seconds to settlement; negative once it has settled."""
        return (self.settles_at - now_ns) / 1e9

    def settled(self, now_ns: int) -> bool:
        """Whether the positions of this expiry are gone."""
        return now_ns >= self.settles_at
