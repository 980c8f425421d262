"""Volatility at a delta, on a smile of constant maturity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from gexterm.pricing.smile import Smiles
from gexterm.pricing.surface import Surface

F64 = NDArray[np.float64]

_GRID = np.linspace(-8.0, 8.0, 641)
"""Where a smile is looked at, in standard deviations at the money."""


@dataclass(frozen=True, slots=True)
class DeltaIv:
    """Volatilities of one maturity, as fractions; NaN where not known."""

    put: float
    """At the strike whose put has the asked delta."""
    call: float
    """At the strike whose call has it."""
    atm: float
    """At the forward."""

    @property
    def skew(self) -> float:
        """Put less call volatility, as a fraction."""
        return self.put - self.call

    @property
    def relative(self) -> float:
        """Skew over the volatility at the forward."""
        return self.skew / self.atm


NOT_KNOWN = DeltaIv(float("nan"), float("nan"), float("nan"))


def delta_strike_iv(smiles: Smiles, years: F64, days: float = 30.0, delta: float = 0.25) -> DeltaIv:
    """Put and call volatility at a delta, `days` from now.

    The smile of that maturity lies between those of the two expiries around it: total
    variance at the same k/√T is interpolated linearly in time. It is extrapolated, at
    the same volatility, by at most a quarter of `days`. Delta is the forward one,
    N(±d1). `years` to settlement, shape (E,), is NaN for expiries not to be used.
    """
    T = days / 365.0
    known = np.array([kind != "none" for kind in smiles.kind]) & (years > 0.0)
    # Of two series on one date the one with more evidence is unknown here; the later wins.
    at = np.flatnonzero(known)
    if not len(at):
        return NOT_KNOWN
    before, after = at[years[at] <= T], at[years[at] >= T]
    near = int(before[-1]) if len(before) else int(after[0])
    far = int(after[0]) if len(after) else near
    if not (0.75 * T <= years[near] <= T or len(after)) or years[near] > 1.25 * T:
        return NOT_KNOWN
    share = 0.0 if far == near else (T - years[near]) / (years[far] - years[near])
    variance = np.zeros(len(_GRID))
    width = smiles.atm_iv()[near]
    for e, weight in ((near, 1.0 - share), (far, share)):
        if weight > 0.0:
            k = _GRID * width * np.sqrt(years[e])
            v = smiles.total_variance(np.full(len(k), e), k)
            variance += weight * v * (T / years[e] if near == far else 1.0)
    k = _GRID * width * np.sqrt(T)
    with np.errstate(all="ignore"):
        sd = np.sqrt(variance)
        call_delta = ndtr(-k / sd + 0.5 * sd)
    if not np.isfinite(call_delta).all():
        return NOT_KNOWN
    iv = sd / np.sqrt(T)
    # Delta falls in k; np.interp wants it rising.
    call = float(np.interp(delta, call_delta[::-1], iv[::-1]))
    put = float(np.interp(1.0 - delta, call_delta[::-1], iv[::-1]))
    return DeltaIv(put=put, call=call, atm=float(np.interp(0.0, k, iv)))


def skew_25(surface: Surface, days: float = 30.0) -> DeltaIv:
    """The 25-delta put and call volatility at constant maturity; NaN where not known."""
    if surface.smiles is None:
        return NOT_KNOWN
    years = np.where(surface.seconds > 0.0, surface.years, np.nan)
    return delta_strike_iv(surface.smiles, years, days)
