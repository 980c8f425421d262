"""On what grounds a print was given a side, or why it was not.

Shared by the signer, the position views, the accuracy study and the screen.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Evidence(IntEnum):
    """Why a print has the side it has; from `UNSIGNED` on: why it has none."""

    VENUE = 0
    """The venue itself says who was the aggressor."""
    SIZE = 1
    """Its size is exactly the size of one side of the quote: a resting order was filled."""
    OUTSIDE = 2
    """Beyond the quote."""
    AT_QUOTE = 3
    """At the bid or at the offer."""
    FAIR = 4
    """Inside the quote, on one side of fair value."""
    INSIDE = 5
    """Inside the quote, nearer to one side."""
    DEPTH = 6
    """At mid; the deeper side of the quote tells."""
    REVERSE_TICK = 7
    """At mid; the next different price tells."""
    PACKAGE = 8
    """Leg of a package that was priced as a whole."""
    AUCTION = 9
    """Price-improved in an auction; inside the quote."""

    MID = 20
    """At mid, and nothing tells."""
    UNSIGNED = 20
    """From here on: no side."""
    NO_QUOTE = 21
    """No quote was in force before it."""
    STALE_QUOTE = 22
    """The quote in force breaks parity bounds or is too old."""
    CROSSED_QUOTE = 23
    """The quote was locked or crossed."""
    ONE_SIDED_QUOTE = 24
    """There was no bid or no offer."""
    PRE_OPEN = 25
    """The quote dates from before the open."""
    CROSS = 26
    """Two sides agreed beforehand."""
    FLOOR = 27
    """Floor trade, reported when it suited."""
    STOCK_TIED = 28
    """Tied to stock: its price says nothing alone."""
    LATE = 29
    """Reported late: the quote now is not the quote then."""
    AUCTION_OPEN = 30
    """Opening or re-opening auction."""
    COMPRESSION = 31
    """Closes positions on both sides."""
    UNKNOWN_CONDITION = 32
    """A condition that is in no table."""
    PACKAGE_UNSOLVED = 33
    """Leg of a package whose whole could not be priced."""
    REFUSED = 34
    """Size or price is not one: zero, negative, NaN."""


WORDS: dict[Evidence, str] = {
    Evidence.VENUE: "venue's side",
    Evidence.SIZE: "size of the quote",
    Evidence.OUTSIDE: "outside the quote",
    Evidence.AT_QUOTE: "at the quote",
    Evidence.FAIR: "against fair value",
    Evidence.INSIDE: "inside the quote",
    Evidence.DEPTH: "at mid, by depth",
    Evidence.REVERSE_TICK: "at mid, by next tick",
    Evidence.PACKAGE: "package",
    Evidence.AUCTION: "auction",
    Evidence.MID: "at mid",
    Evidence.NO_QUOTE: "no quote",
    Evidence.STALE_QUOTE: "stale quote",
    Evidence.CROSSED_QUOTE: "crossed quote",
    Evidence.ONE_SIDED_QUOTE: "one-sided quote",
    Evidence.PRE_OPEN: "quote from before the open",
    Evidence.CROSS: "cross",
    Evidence.FLOOR: "floor",
    Evidence.STOCK_TIED: "tied to stock",
    Evidence.LATE: "late",
    Evidence.AUCTION_OPEN: "opening auction",
    Evidence.COMPRESSION: "compression",
    Evidence.UNKNOWN_CONDITION: "unknown condition",
    Evidence.PACKAGE_UNSOLVED: "package, unsolved",
    Evidence.REFUSED: "refused",
}
"""How each is called on screen and in JSON."""


def is_signed(evidence: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether prints carry a side. Same shape."""
    return evidence < Evidence.UNSIGNED
