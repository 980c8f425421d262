"""How customers trade: order types and their shares.

What a rule that looks at one print can know depends on nothing else. The `calibrated`
mix is the one on which such rules score what the literature reports (quote rule about
61 %, the stack of Grauer, Schuster & Uhrig-Homburg, SSRN 4098475, about 75 %): customers'
limit orders rest and are filled by dealers, so that a buy prints at the bid; they often
carry the whole displayed size. `packages` and `electronic` bound it on both sides.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from gexterm.simulator.script import FlowScript


@dataclass(frozen=True, slots=True)
class Mix:
    """Order types. The six shares are of prints (each leg is one) and add up to 1."""

    marketable: float
    """Takes the other side of the quote, at its price."""
    improved: float
    """Inside the quote: on the customer's side of fair value, short of the quote."""
    mid: float
    """At the middle of the quote."""
    resting: float
    """A customer's limit order that a dealer takes: a buy prints at the bid."""
    package: float
    """Legs of packages."""
    cross: float = 0.02
    """Two customers agreed beforehand; no dealer."""
    displayed: float = 0.55
    """Of resting orders: how many are filled whole, at the size they displayed."""
    deep: float = 0.68
    """Of mid prints: how many buy where more is offered than bid for, or sell where less is."""
    auction: float = 0.4
    """Of improved orders: how many come from an auction."""
    floor: float = 0.006
    """Of single orders: how many are done on the floor."""
    wrong_way: float = 0.08
    """Of packages: how many rest, and are filled on the customer's side of fair value."""
    size: float = 4.6
    """Mean size of an order, contracts, before what is displayed limits it."""

    def __post_init__(self) -> None:
        total = (
            self.marketable + self.improved + self.mid + self.resting + self.package + self.cross
        )
        if abs(total - 1.0) > 1e-9:
            raise ValueError(f"shares of order types add up to {total}, not to 1")


CALIBRATED = Mix(
    marketable=0.317, improved=0.148, mid=0.100, resting=0.235, package=0.180, displayed=0.68
)
"""What a rule scores on it is what it scores in the literature."""
PACKAGES = Mix(marketable=0.29, improved=0.07, mid=0.01, resting=0.07, package=0.54, displayed=0.9)
"""More than half of the volume is in packages."""
ELECTRONIC = Mix(marketable=0.54, improved=0.22, mid=0.11, resting=0.09, package=0.02)
"""Most orders take what is quoted."""
MIXES = {"calibrated": CALIBRATED, "packages": PACKAGES, "electronic": ELECTRONIC}
"""By the name in a script."""

TRAPPED = Mix(
    marketable=0.61, improved=0.10, mid=0.0, resting=0.25, package=0.02, displayed=1.0, size=9.0
)
"""The side of a trap whose limit orders rest, whole; all orders are as large as those."""
FREE = dataclasses.replace(TRAPPED, marketable=0.86, resting=0.0)
"""Its other side."""


def mixes_of(flow: FlowScript) -> tuple[Mix, Mix]:
    """Order types of customers who buy, and of those who sell.

    The same on both sides, unless the script sets the trap: then a quarter of one side's
    orders rest and print on the other side. A quote rule is right five times out of six
    and takes the net of the day for its opposite: of 45 buys and 55 sells it makes 59
    buys and 41 sells.
    """
    if flow.trap == "sells":
        return FREE, TRAPPED
    if flow.trap == "buys":
        return TRAPPED, FREE
    return MIXES[flow.mix], MIXES[flow.mix]
