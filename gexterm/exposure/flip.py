"""Flip, gamma state and walls.

The flip is a zero of the re-priced profile (`profile`); a profile has none, one or
several. Whether dealers are long or short gamma is the sign of the profile at spot,
never the side of the flip that spot is on: under some books long is below.

The zero of GEX summed by strike at today's spot is another definition with other
numbers (on full SPX chains often thousands of points away); it is kept apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gexterm.exposure.profile import GammaProfile
from gexterm.exposure.strikes import Exposures

F64 = NDArray[np.float64]
GammaState = Literal["long", "short", "neutral", "unknown"]
FlipKind = Literal["crossing", "none (long everywhere)", "none (short everywhere)", "unknown"]

NAN = float("nan")
TOLERANCE = 0.1
"""How closely a zero is bracketed, points at an underlying of 6000 (scaled to others)."""
_NEGLIGIBLE = 1e-6


@dataclass(frozen=True, slots=True)
class Crossing:
    """A spot at which the profile changes sign."""

    spot: float
    """Points."""
    rising: bool
    """Whether the book is short below and long above."""


@dataclass(frozen=True, slots=True)
class Flip:
    """The zeros of a profile."""

    kind: FlipKind
    """Whether there is one and, if not, on which side the book is."""
    spot: float
    """The zero nearest today's spot, points; NaN where there is none."""
    crossings: tuple[Crossing, ...]
    """All zeros within the grid, ascending."""


def find_flip(profile: GammaProfile, mix: tuple[float, ...] = (1.0,), refine: bool = True) -> Flip:
    """Find every zero of mix · G(s) on the profile's grid.

    `mix` weighs the profile's k books. Zeros are bracketed to 0.1 points at an
    underlying of 6000; with `refine=False` they are interpolated on the grid (cubic),
    which is as good unless contracts are narrower than its step. Where |G| is below a
    millionth of its largest, it has no sign. `unknown` without positions or volatility.
    """
    weights = np.asarray(mix, np.float64)
    values = weights @ profile.gex
    largest = float(np.abs(values).max(initial=0.0))
    if not largest > 0.0 or not np.isfinite(largest):
        return Flip("unknown", NAN, ())
    at = np.flatnonzero(np.abs(values) > _NEGLIGIBLE * largest)
    signs = values[at] > 0.0
    turns = np.flatnonzero(signs[1:] != signs[:-1])
    if len(turns) == 0:
        everywhere: FlipKind = "none (long everywhere)" if signs[0] else "none (short everywhere)"
        return Flip(everywhere, NAN, ())
    brackets = [(int(at[turn]), int(at[turn + 1])) for turn in turns]
    rising = [bool(signs[turn + 1]) for turn in turns]
    zeros = [_interpolated(profile.spots, values, *bracket) for bracket in brackets]
    if refine:
        zeros = _refined(profile, weights, brackets, rising, zeros)
    crossings = [Crossing(*pair) for pair in zip(zeros, rising, strict=True)]
    nearest = min(crossings, key=lambda c: abs(c.spot - profile.spot))
    return Flip("crossing", nearest.spot, tuple(crossings))


def _interpolated(spots: F64, values: F64, left: int, right: int) -> float:
    """Zero of the cubic through the four points around a bracket of neighbours.

    In steps of the grid, which is even in ln(s); linear at its ends.
    """
    x0, x1 = float(spots[left]), float(spots[right])
    y0, y1 = float(values[left]), float(values[right])
    if right != left + 1 or left < 1 or right + 1 >= len(spots):
        return x0 - y0 * (x1 - x0) / (y1 - y0)
    before, after = float(values[left - 1]), float(values[right + 1])
    c3 = (after - before) / 6.0 + 0.5 * (y0 - y1)
    c2 = 0.5 * (before + y1) - y0
    c1 = y1 - y0 - c2 - c3
    low, high = 0.0, 1.0
    for _ in range(24):
        u = 0.5 * (low + high)
        if ((((c3 * u + c2) * u + c1) * u + y0) > 0.0) == (y1 > 0.0):
            high = u
        else:
            low = u
    return float(x0 * (x1 / x0) ** (0.5 * (low + high)))


def _refined(
    profile: GammaProfile,
    weights: F64,
    brackets: list[tuple[int, int]],
    rising: list[bool],
    guesses: list[float],
) -> list[float]:
    """Bring every zero within the tolerance: where the guess is not, by bisection."""
    tolerance = TOLERANCE * profile.spot / 6000.0
    around = np.array([[g - 0.4 * tolerance, g + 0.4 * tolerance] for g in guesses])
    values = (weights @ profile.at(around.ravel())).reshape(-1, 2)
    zeros = []
    for (left, right), up, probe, (below, above) in zip(
        brackets, rising, around, values, strict=True
    ):
        low, high = float(profile.spots[left]), float(profile.spots[right])
        if (below > 0.0) != up and (above > 0.0) == up and below != above:
            zeros.append(float(probe[0] - below * (probe[1] - probe[0]) / (above - below)))
            continue
        while high - low > tolerance:
            middle = 0.5 * (low + high)
            at_middle = float((weights @ profile.at(np.array([middle])))[0])
            low, high = (low, middle) if (at_middle > 0.0) == up else (middle, high)
        zeros.append(0.5 * (low + high))
    return zeros


def gamma_state(gex: float, gross: float, dead_band: float = 0.01) -> GammaState:
    """Long or short by the sign of the profile at spot.

    Neutral where |gex| is within `dead_band` of the gross (Σ|x|·Γ, $ per 1 %): there
    the sign is rounding, not positioning. Unknown without a position or a number.
    """
    if not np.isfinite(gex) or not gross > 0.0:
        return "unknown"
    if abs(gex) <= dead_band * gross:
        return "neutral"
    return "long" if gex > 0.0 else "short"


def cumulative_flip(strike: F64, gex: F64, spot: float) -> float:
    """Zero of GEX summed from the lowest strike up, at today's spot; nearest spot.

    Linear between strikes; NaN where the sum never changes sign. Says nothing about
    spot moving: the sum ends at the total, so a zero exists only where the total has
    another sign than the low strikes. Both arrays have shape (m,), strikes ascending.
    """
    running = np.cumsum(np.nan_to_num(gex))
    at = np.flatnonzero(running != 0.0)
    if len(at) < 2:
        return NAN
    strike, running = strike[at], running[at]
    turns = np.flatnonzero((running[1:] > 0.0) != (running[:-1] > 0.0))
    if len(turns) == 0:
        return NAN
    below, above = running[turns], running[turns + 1]
    zeros = strike[turns] - below * (strike[turns + 1] - strike[turns]) / (above - below)
    return float(zeros[np.argmin(np.abs(zeros - spot))])


def walls(strike: F64, strikes: Exposures) -> tuple[float, float]:
    """Call wall and put wall: the strikes of the largest call and put |GEX|, points.

    `strikes` comes from `by_strike`; NaN where that side has none.
    """
    return _wall(strike, strikes.call_gex), _wall(strike, strikes.put_gex)


def _wall(strike: F64, gex: F64) -> float:
    size = np.nan_to_num(np.abs(gex))
    if not size.any():
        return NAN
    return float(strike[np.argmax(size)])
