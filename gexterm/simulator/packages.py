"""Packages: which legs, and at what prices they print.

A package is negotiated as a whole. Its net price lies on the nickel grid, most often a
little to the dealer's side of its net fair value; how that is spread over the legs is
arbitrary, so that a rule which looks at one leg is right about half of the time
(Savickas & Wilson 2003). Only the sum tells.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gexterm.simulator.ladder import Ladder
from gexterm.simulator.step import F64

NICKEL = 0.05
"""Grid of net prices, points."""
_MOST_STRIKES = 6
_CONCESSION = (0.02, 0.30)
"""What customers pay over net fair value, as a fraction of half the net spread."""
_JITTER = 0.12


@dataclass(frozen=True, slots=True)
class Legs:
    """The legs of one package, as its buyer trades them."""

    contracts: tuple[int, ...]
    """Contract indices."""
    sides: tuple[int, ...]
    """+1 bought, −1 sold, by the package's buyer."""
    ratios: tuple[int, ...]
    """Contracts per package."""


@dataclass(frozen=True, slots=True)
class _Around:
    """Where a package is made: one contract, and the rungs about it."""

    ladder: Ladder
    near: int
    spot: float
    rng: np.random.Generator

    @property
    def sign(self) -> int:
        return int(self.ladder.listing.sign[self.near])

    def farther(self) -> int:
        """The same kind, one to six strikes farther from the money."""
        return self.near + self.sign * 2 * int(self.rng.integers(1, _MOST_STRIKES + 1))

    def opposite(self) -> int:
        """The other kind, about as far on the other side of spot."""
        listing = self.ladder.listing
        away = (self.spot - float(listing.strike[self.near])) * self.rng.uniform(0.65, 1.05)
        call = self.ladder.at_strike(int(listing.series[self.near]), self.spot + away)
        return call + 1 if self.sign > 0 else call


def _vertical(at: _Around) -> Legs:
    return Legs((at.near, at.farther()), (+1, -1), (1, 1))


def _ratio(at: _Around) -> Legs:
    return Legs((at.near, at.farther()), (+1, -1), (1, 2))


def _fly(at: _Around) -> Legs:
    body = at.farther()
    return Legs((at.near, body, 2 * body - at.near), (+1, -1, +1), (1, 2, 1))


def _strangle(at: _Around) -> Legs:
    return Legs((at.near, at.opposite()), (+1, +1), (1, 1))


def _reversal(at: _Around) -> Legs:
    return Legs((at.near, at.opposite()), (+1, -1), (1, 1))


def _straddle(at: _Around) -> Legs:
    call = at.ladder.at_strike(int(at.ladder.listing.series[at.near]), at.spot)
    return Legs((call, call + 1), (+1, +1), (1, 1))


def _condor(at: _Around) -> Legs:
    other = at.opposite()
    wing = at.farther() - at.near
    return Legs((at.near, at.near + wing, other, other - wing), (+1, -1, +1, -1), (1, 1, 1, 1))


def _box(at: _Around) -> Legs:
    low = at.near if at.sign > 0 else at.near - 1
    high = low + 2 * int(at.rng.integers(2, 2 * _MOST_STRIKES))
    return Legs((low, low + 1, high, high + 1), (+1, -1, -1, +1), (1, 1, 1, 1))


_Kind = Callable[[_Around], Legs]
KINDS: dict[str, tuple[float, int, _Kind]] = {
    "vertical": (0.38, 2, _vertical),
    "condor": (0.14, 4, _condor),
    "strangle": (0.14, 2, _strangle),
    "straddle": (0.07, 2, _straddle),
    "reversal": (0.12, 2, _reversal),
    "ratio": (0.07, 2, _ratio),
    "fly": (0.05, 3, _fly),
    "box": (0.03, 4, _box),
}
"""Share of packages, number of legs, and how they follow from one contract, by name."""
MEAN_LEGS = sum(share * legs for share, legs, _ in KINDS.values())
"""Prints per package, on average."""
_CUMULATIVE = np.cumsum([share for share, _, _ in KINDS.values()])
_MAKERS = tuple(make for _, _, make in KINDS.values())


def draw_legs(ladder: Ladder, near: int, spot: float, rng: np.random.Generator) -> Legs | None:
    """A package around a contract; None where the ladder has no strike for one of its legs."""
    kind = int(np.searchsorted(_CUMULATIVE, rng.random(), "right"))
    legs = _MAKERS[min(kind, len(_MAKERS) - 1)](_Around(ladder, near, spot, rng))
    series = ladder.listing.series[near]
    first, after = ladder.first[series], ladder.after[series]
    if len(set(legs.contracts)) < len(legs.contracts):
        return None
    return legs if all(first <= c < after for c in legs.contracts) else None


def price_legs(
    quote: F64, fair: F64, side: F64, ratio: F64, wrong_way: bool, rng: np.random.Generator
) -> F64 | None:
    """Prices at which the legs print, cents; None where a leg is not quoted on both sides.

    `quote`, shape (4, k), is bid, ask and sizes of each leg, `fair` its fair value, `side`
    what the customer does (+1 buys), `ratio` contracts per package; shapes (k,). With
    `wrong_way` the customer gets a better net price than fair value.
    """
    bid, ask = quote[0], quote[1]
    width = ask - bid
    if not (np.all(width > 0.0) and np.all(ask > 0.0)):
        return None
    buys = side > 0.0
    # What the package costs at the customer's best, at fair value, and at his worst.
    best = float(np.sum(ratio * np.where(buys, bid, -ask)))
    spread = float(np.sum(ratio * width))
    middle = float(np.sum(ratio * side * fair))
    concession = rng.uniform(*_CONCESSION) * 0.5 * spread
    # A dealer does not sell below fair value because the grid is coarse.
    if wrong_way:
        cost = NICKEL * np.floor((middle - 0.7 * concession) / NICKEL + 1e-9)
    else:
        cost = NICKEL * np.ceil((middle + concession) / NICKEL - 1e-9)
    cost = float(np.clip(cost, best, best + spread))
    share = (cost - best) / spread
    given = _spread_over(share, ratio * width, rng)
    price = np.round(np.where(buys, bid + given * width, ask - given * width), 2)
    # Cents that rounding lost go to the widest leg that trades once per package.
    last = int(np.argmax(np.where(ratio == 1.0, width, -1.0)))
    price[last] += side[last] * (cost - float(np.sum(ratio * side * price)))
    price = np.clip(np.round(price, 2), np.maximum(bid, 0.01), ask)
    return np.asarray(price, np.float64)


def _spread_over(share: float, weight: F64, rng: np.random.Generator) -> F64:
    """How far each leg lies towards the customer's worse price, 0 to 1; `share` on average.

    Legs get next to all or next to nothing, in turns, and are moved together from there.
    """
    k = len(weight)
    given = np.abs(rng.permutation(k) % 2 - _JITTER * rng.random(k))
    mean = float(given @ weight) / float(weight.sum())
    if share <= mean:
        return given * (share / max(mean, 1e-9))
    return np.asarray(1.0 - (1.0 - given) * ((1.0 - share) / max(1.0 - mean, 1e-9)), np.float64)
