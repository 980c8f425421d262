"""Which strike is a line or a target, and when it moves.

A level that jumps between two strikes of about the same charm is of no use to anyone:
a strike keeps the line until another is a sixth larger, a rounded zero until it is
clearly nearer to another strike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gexterm.exposure.charm import CharmProfile, CharmZero

F64 = NDArray[np.float64]
NAN = float("nan")


@dataclass(frozen=True, eq=False, slots=True)
class Sides:
    """Charm by strike on each side of spot, and what stands out in it."""

    strike: F64
    """Strikes, ascending, points. Shape (m,)."""
    charm: F64
    """$ per hour. Shape (m,)."""
    peak_below: float
    """Strike below spot of the largest charm of the side's sign, points; NaN none."""
    peak_above: float
    """The same above spot."""
    purity_below: float
    """Share of the side's charm that has its sign, 0 to 1; NaN without one."""
    purity_above: float
    """The same above spot."""

    @classmethod
    def of(cls, profile: CharmProfile, spot: float, below: int, above: int) -> Sides:
        """Look at a profile with spot and the signs of its sides (−1, 0, +1)."""
        lower, upper = profile.strike < spot, profile.strike > spot
        return cls(
            strike=profile.strike,
            charm=profile.charm,
            peak_below=_peak(profile, lower, spot, below),
            peak_above=_peak(profile, upper, spot, above),
            purity_below=_purity(profile.charm[lower], below),
            purity_above=_purity(profile.charm[upper], above),
        )

    def at(self, strike: float) -> float:
        """Charm of a strike; 0 where it is not listed."""
        i = int(np.searchsorted(self.strike, strike))
        if i < len(self.strike) and self.strike[i] == strike:
            return float(self.charm[i])
        return 0.0


def _peak(profile: CharmProfile, side: NDArray[np.bool_], spot: float, sign: int) -> float:
    """Strike of the side's largest charm of its sign (of any, without one); ties to spot."""
    charm, strike = profile.charm[side], profile.strike[side]
    size = np.abs(charm) if sign == 0 else sign * charm
    if len(size) == 0 or not size.max() > 0.0:
        return NAN
    largest = np.flatnonzero(size >= size.max() * (1.0 - 1e-12))
    return float(strike[largest[np.argmin(np.abs(strike[largest] - spot))]])


def _purity(charm: F64, sign: int) -> float:
    gross = float(np.abs(charm).sum())
    if gross == 0.0 or sign == 0:
        return NAN
    return float(np.maximum(sign * charm, 0.0).sum()) / gross


def held_line(
    sides: Sides, peak: float, old: float, sign: int, margin: float, same_side: bool
) -> float:
    """The peak, unless the old line still stands: same side, same sign, nearly as large."""
    if np.isnan(old) or np.isnan(peak) or not same_side:
        return peak
    standing = sign * sides.at(old)
    if standing <= 0.0 or sign * sides.at(peak) > margin * standing:
        return peak
    return old


def zero_below(zeros: Sequence[CharmZero], spot: float) -> float:
    """The first zero below spot, points; NaN none."""
    return max((z.spot for z in zeros if z.spot < spot), default=NAN)


def zero_above(zeros: Sequence[CharmZero], spot: float) -> float:
    """The first zero above spot, points; NaN none."""
    return min((z.spot for z in zeros if z.spot > spot), default=NAN)


def strike_near(strike: F64, level: float, old: float) -> float:
    """The strike nearest a level, staying with the old one until clearly off it.

    A level halfway between two strikes would flicker; it has to be nearer to another
    strike by a fifth of their spacing.
    """
    if np.isnan(level) or len(strike) == 0:
        return NAN
    nearest = float(strike[np.argmin(np.abs(strike - level))])
    if np.isnan(old) or nearest == old or not np.any(strike == old):
        return nearest
    if abs(old - level) <= abs(nearest - level) + 0.2 * abs(nearest - old):
        return old
    return nearest
