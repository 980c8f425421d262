"""How prints are judged, and how far each kind of judgement is trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from gexterm.dealers.evidence import Evidence
from gexterm.dealers.packages import PackageSettings

# Rounded from simulated days of the calibrated mix, several seeds, never to the last digit
# and never above what the other mixes bear out by far: the world has its own shares of
# resting orders. The venue's own side is taken for what it is.
RELIABILITY: Mapping[Evidence, float] = MappingProxyType(
    {
        Evidence.VENUE: 0.99,
        Evidence.SIZE: 0.88,
        Evidence.OUTSIDE: 0.60,
        Evidence.AT_QUOTE: 0.74,
        Evidence.FAIR: 0.75,
        Evidence.INSIDE: 0.90,
        Evidence.DEPTH: 0.62,
        Evidence.REVERSE_TICK: 0.52,
        Evidence.AUCTION: 0.90,
    }
)
"""P(the side is right), by evidence. Packages have their own (`packages`)."""


@dataclass(frozen=True, slots=True)
class SignerSettings:
    """How prints are judged, and how far judgements are trusted."""

    involvement: float = 0.9
    """P(a dealer was in a trade); crosses and compression: 0."""
    auction_cap: float = 0.8
    """No print of an auction is trusted more than this."""
    floor_cap: float = 0.65
    """No leg of a floor package is: it was agreed before it was reported."""
    vs_single_cap: float = 0.6
    """No leg that traded against single orders is, where its package is not solved."""
    hold_ns: int = 250_000_000
    """How much later than other messages a quote or print may come and still be in time."""
    window_ns: int = 2_000_000_000
    """How long the next different price is waited for, event time."""
    lag_ns: int = 0
    """The quote in force is the last one before the trade less this."""
    lost_ns: int = 5_000_000_000
    """A print that comes this long after later messages is late, whatever it says."""
    quote_age_ns: int = 900_000_000_000
    """A quote older than this does not sign."""
    fair_value: bool = False
    """Whether fair values are asked inside the quote. On simulated days the smile's were worse
    than mid, as a noisy one must be."""
    reliability: Mapping[Evidence, float] = field(default_factory=lambda: RELIABILITY)
    """P(the side is right) by evidence."""
    packages: PackageSettings = field(default_factory=PackageSettings)
    """How packages are put together and solved."""


__all__ = ["RELIABILITY", "SignerSettings"]
