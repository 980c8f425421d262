"""Spot against volatility over the day: the slope, and who is above it.

    Δvol = slope · ΔS%      regression of one-minute changes, volatility in points
    overvixed = vol − vol at the first sample − β · (S/S at the first sample − 1) · 100

β of the reference is what volatility is expected to do on a 1 % move. The default is
the −1.11 points per 1 % that Volland's guide gives for 2022 (R² 0.71); the white paper's
own regression has −1.25 and textbooks −0.7, so that it is a setting and shown.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NAN = float("nan")
REFERENCE_BETA = -1.11
"""Vol points per 1 % of spot (Volland guide, for 2022)."""
_MINUTE = 60 * 1_000_000_000


@dataclass(frozen=True, slots=True)
class SpotVolSettings:
    """How samples are taken, and against what they are held."""

    beta: float = REFERENCE_BETA
    """Expected change of volatility, points per 1 % of spot."""
    every_ns: int = _MINUTE
    """Time between samples, ns."""
    longest_ns: int = 3 * _MINUTE
    """Between samples farther apart than this no change is taken, ns."""
    least: int = 15
    """Changes below which nothing is said."""


@dataclass(frozen=True, slots=True)
class SpotVol:
    """The samples of a day, summed up."""

    day: int = 0
    """The session's day, any number that tells days apart; 0 none."""
    first_spot: float = NAN
    """Spot at the first sample, points."""
    first_vol: float = NAN
    """Volatility at the first sample, points."""
    first_at: int = 0
    """When, ns; 0 never."""
    spot: float = NAN
    """Spot at the last sample, points."""
    vol: float = NAN
    """Volatility at the last sample, points."""
    at: int = 0
    """When, ns; 0 never."""
    n: int = 0
    """Changes counted."""
    x: float = 0.0
    """Mean of ΔS, per cent."""
    y: float = 0.0
    """Mean of Δvol, points."""
    xx: float = 0.0
    """Σ(ΔS − mean)²."""
    xy: float = 0.0
    """Σ(ΔS − mean)(Δvol − mean)."""
    yy: float = 0.0
    """Σ(Δvol − mean)²."""
    lost: int = 0
    """Gaps over which no change was taken."""


@dataclass(frozen=True, slots=True)
class SpotVolReading:
    """What today's samples say; NaN until there are enough."""

    slope: float = NAN
    """Vol points per 1 % of spot."""
    slope_se: float = NAN
    """Its standard error."""
    r2: float = NAN
    """Share of the variance of vol changes that spot accounts for, 0 to 1."""
    n: int = 0
    """One-minute changes it rests on."""
    overvixed: float = NAN
    """Volatility above what the reference slope expects since the first sample, points."""
    beta: float = REFERENCE_BETA
    """The reference slope."""
    since: int = 0
    """Time of the first sample, ns; 0 never."""


def sample(
    state: SpotVol,
    day: int,
    now: int,
    spot: float,
    vol: float,
    settings: SpotVolSettings | None = None,
) -> SpotVol:
    """Take spot (points) and volatility (points) in at `now` (ns), if a sample is due.

    Ticks without a number are passed over. A new `day`, or a step back in time, starts
    anew.
    """
    settings = settings or SpotVolSettings()
    if not (spot > 0.0 and vol > 0.0 and np.isfinite(spot) and np.isfinite(vol)):
        return state
    if state.at == 0 or day != state.day or now < state.at:
        return SpotVol(day, spot, vol, now, spot, vol, now)
    passed = now - state.at
    if passed < settings.every_ns:
        return state
    n, lost = state.n, state.lost
    x, y, xx, xy, yy = state.x, state.y, state.xx, state.xy, state.yy
    if passed > settings.longest_ns:
        lost += 1
    else:
        # Welford: sums about the mean so far lose no digits.
        n += 1
        dx, dy = 100.0 * (spot / state.spot - 1.0), vol - state.vol
        off_x, off_y = dx - x, dy - y
        x += off_x / n
        y += off_y / n
        xx += off_x * (dx - x)
        xy += off_x * (dy - y)
        yy += off_y * (dy - y)
    return SpotVol(
        day=day,
        first_spot=state.first_spot,
        first_vol=state.first_vol,
        first_at=state.first_at,
        spot=spot,
        vol=vol,
        at=now,
        n=n,
        x=x,
        y=y,
        xx=xx,
        xy=xy,
        yy=yy,
        lost=lost,
    )


def read(state: SpotVol, settings: SpotVolSettings | None = None) -> SpotVolReading:
    """Slope, its error, R² and how far volatility is off the reference."""
    settings = settings or SpotVolSettings()
    if state.n < max(settings.least, 3):
        return SpotVolReading(n=state.n, beta=settings.beta, since=state.first_at)
    moved = 100.0 * (state.spot / state.first_spot - 1.0)
    overvixed = state.vol - state.first_vol - settings.beta * moved
    slope = error = r2 = NAN
    if state.xx > 0.0:
        slope = state.xy / state.xx
        left = max(state.yy - slope * state.xy, 0.0)
        error = float(np.sqrt(left / (state.n - 2) / state.xx))
        r2 = slope * state.xy / state.yy if state.yy > 0.0 else NAN
    return SpotVolReading(slope, error, r2, state.n, overvixed, settings.beta, state.first_at)
