"""The synthetic market's volatility: known, smooth and of a known regime.

Every series has an SVI-shaped smile in standardised moneyness z = ln(K/F₀) / (σ√T),

    σ(z) = σ_atm · (1 + B · (ρ z + √(z² + s²) − s))

with F₀ the forward at the start: volatility stays with its strike when spot moves.
Source of the shape: Gatheral & Jacquier, arXiv:1204.0646.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
YEAR_S = 365 * 86400.0
"""Seconds in a year, as time to settlement is counted."""


@dataclass(frozen=True, slots=True)
class Smile:
    """Shape of all smiles, and how the level depends on time to settlement."""

    slope: float = 0.35
    """B: how fast the wings rise."""
    tilt: float = -0.6
    """ρ: negative when puts are dearer than calls."""
    bend: float = 0.8
    """s: how round the middle is, standard deviations."""
    short: float = 0.115
    """Volatility at the money as time goes to zero, a fraction."""
    long: float = 0.185
    """Volatility at the money far out, a fraction."""
    half_way_days: float = 45.0
    """Days to settlement at which the level is half-way between both."""

    def atm(self, years: F64) -> F64:
        """Volatility at the money. Upward in time while `short` < `long`: contango."""
        days = years * 365.0
        return self.short + (self.long - self.short) * days / (days + self.half_way_days)

    def vol(self, strike: F64, anchor: F64, years: F64) -> F64:
        """Volatility at strikes; `anchor` is the forward at the start, points."""
        atm = self.atm(years)
        z = np.log(strike / anchor) / (atm * np.sqrt(years))
        wings = self.tilt * z + np.sqrt(z * z + self.bend**2) - self.bend
        return np.asarray(atm * (1.0 + self.slope * wings), np.float64)
