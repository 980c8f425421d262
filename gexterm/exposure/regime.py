"""Regime: gamma, skew and term structure, each with its inputs, and what they come to.

Two classifiers. The default keeps the three apart and adds hysteresis. `classify_lesson`
is the founding lesson's own (its published sequel), kept exactly, for comparison: its
trigger "spot below 0.995 × flip means short gamma" is the wrong way round under its own
signs (calls −1, puts +1: re-priced gamma is long *below* its zero), and the cumulative
flip it uses exists only where total GEX is negative already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

GammaState = Literal["long", "short", "neutral", "unknown"]
SkewState = Literal["flat", "normal", "steep", "extreme", "unknown"]
TermState = Literal["contango", "flat", "inverted", "unknown"]
Composite = Literal["stress", "amplify", "dampen", "transition", "neutral", "unknown"]
NAN = float("nan")


@dataclass(frozen=True, slots=True)
class RegimeInputs:
    """What the regime is read from; NaN where not known."""

    gex: float = NAN
    """GEX at spot, $ per 1 %."""
    gross_gex: float = NAN
    """Σ|x|·Γ, $ per 1 %."""
    gex_median: float = NAN
    """Median |GEX| of the last 60 days, $ per 1 %."""
    skew: float = NAN
    """(25Δ put IV − 25Δ call IV) / ATM IV, 30 days."""
    skew_z: float = NAN
    """The same in standard deviations of its own history of 60 days or more."""
    iv_9d: float = NAN
    """Volatility index of 9 days, any unit as long as all three share it."""
    iv_30d: float = NAN
    """Of 30 days."""
    iv_90d: float = NAN
    """Of 90 days."""
    flip_distance: float = NAN
    """Flip minus spot, points; NaN where there is none."""
    sigma_day: float = NAN
    """One standard deviation of a day, points."""
    paradigm_age_s: float = NAN
    """Seconds since the 0DTE label changed from another one; NaN if it never did."""


@dataclass(frozen=True, slots=True)
class RegimeSettings:
    """Thresholds."""

    gex_floor: float = 0.5e9
    """Smallest half-width of the neutral gamma band once there is a history, $ per 1 %."""
    gex_share: float = 0.10
    """Half-width of the band, as a share of the 60-day median."""
    gross_share: float = 0.02
    """Half-width of the band without a history, as a share of gross GEX."""
    term_contango: float = 0.98
    """Ratios below this are contango."""
    term_inverted: float = 1.02
    """A ratio above this is inverted …"""
    term_release: float = 1.00
    """… until it is back below this."""
    skew_flat: float = 0.10
    """Skew up to this is flat, where there is no history."""
    skew_steep: float = 0.35
    """Skew from this on is steep, where there is no history."""
    skew_extreme: float = 0.50
    """Skew from this on is extreme, where there is no history."""
    transition_sigma: float = 0.5
    """Distance of the flip, in days' standard deviations, below which nothing is settled."""
    transition_age_s: float = 900.0
    """Age of a 0DTE label below which nothing is settled, seconds."""


@dataclass(frozen=True, slots=True)
class RegimeState:
    """What the classifier remembers."""

    gamma: GammaState = "unknown"
    """Gamma state at the last tick."""
    inverted: bool = False
    """Whether the term structure was inverted."""


@dataclass(frozen=True, slots=True)
class RegimeReading:
    """The regime at one tick."""

    gamma: GammaState
    """Gamma with its neutral band."""
    skew: SkewState
    """Skew against its history, or against a fixed band without one."""
    term: TermState
    """Term structure."""
    composite: Composite
    """The three together."""
    inputs: Mapping[str, float] = field(default_factory=dict)
    """What the states rest on; NaN not known."""


def classify_regime(
    inputs: RegimeInputs,
    state: RegimeState | None = None,
    settings: RegimeSettings | None = None,
) -> tuple[RegimeReading, RegimeState]:
    """Classify gamma, skew and term, and put them together.

    The first of these that holds: `stress` (inverted, and gamma short or skew extreme),
    `transition` (the flip within half a day's σ, or a 0DTE label under 15 minutes old),
    `amplify` (short gamma), `dampen` (long gamma and not inverted), `neutral`. Transition
    comes before amplify and dampen, since it says that those are about to change places.
    Unknown without a gamma state, unless stress can be told without it.
    """
    state = state or RegimeState()
    settings = settings or RegimeSettings()
    band = gex_band(inputs, settings)
    gamma = _gamma(inputs.gex, band, state.gamma)
    skew = _skew(inputs, settings)
    r_9_30, r_30_90 = _ratio(inputs.iv_9d, inputs.iv_30d), _ratio(inputs.iv_30d, inputs.iv_90d)
    term = _term(r_9_30, r_30_90, state.inverted, settings)
    composite = _composite(gamma, skew, term, inputs, settings)
    shown = {
        "gex": inputs.gex,
        "gex_band": band,
        "skew_ratio": inputs.skew,
        "skew_z": inputs.skew_z,
        "r_9_30": r_9_30,
        "r_30_90": r_30_90,
        "iv_9d": inputs.iv_9d,
        "iv_30d": inputs.iv_30d,
        "iv_90d": inputs.iv_90d,
        "flip_distance_sigma_day": _ratio(inputs.flip_distance, inputs.sigma_day),
    }
    reading = RegimeReading(gamma, skew, term, composite, shown)
    return reading, RegimeState(gamma, term == "inverted")


def gex_band(inputs: RegimeInputs, settings: RegimeSettings) -> float:
    """Half-width of the neutral gamma band, $ per 1 %.

    With a history: max($0.5bn, 10 % of its median). Without one: 2 % of gross GEX, since
    on real SPX chains the net of a mixed-sign convention is 10 to 20 % of gross, and a
    tenth of that is what the other rule comes to. A fixed amount made for SPX would call
    every smaller underlying neutral for ever. NaN where neither is known.
    """
    if inputs.gex_median > 0.0:
        return max(settings.gex_floor, settings.gex_share * inputs.gex_median)
    return settings.gross_share * inputs.gross_gex if inputs.gross_gex > 0.0 else NAN


def _gamma(gex: float, band: float, before: GammaState) -> GammaState:
    if not (np.isfinite(gex) and np.isfinite(band)):
        return "unknown"
    side: GammaState = "long" if gex > 0.0 else "short"
    # Out of the band to take a side; back within half of it to lose it.
    if abs(gex) > (0.5 * band if side == before else band):
        return side
    return "neutral"


def _skew(inputs: RegimeInputs, settings: RegimeSettings) -> SkewState:
    if np.isfinite(inputs.skew_z):
        if inputs.skew_z >= 2.0:
            return "extreme"
        if inputs.skew_z >= 1.0:
            return "steep"
        return "flat" if inputs.skew_z <= -1.0 else "normal"
    if not np.isfinite(inputs.skew):
        return "unknown"
    if inputs.skew >= settings.skew_extreme:
        return "extreme"
    if inputs.skew >= settings.skew_steep:
        return "steep"
    return "flat" if inputs.skew <= settings.skew_flat else "normal"


def _term(r_9_30: float, r_30_90: float, inverted: bool, settings: RegimeSettings) -> TermState:
    known = [r for r in (r_9_30, r_30_90) if np.isfinite(r)]
    if not known:
        return "unknown"
    if max(known) > (settings.term_release if inverted else settings.term_inverted):
        return "inverted"
    return "contango" if max(known) < settings.term_contango else "flat"


def _composite(
    gamma: GammaState,
    skew: SkewState,
    term: TermState,
    inputs: RegimeInputs,
    settings: RegimeSettings,
) -> Composite:
    if term == "inverted" and (gamma == "short" or skew == "extreme"):
        return "stress"
    if gamma == "unknown":
        return "unknown"
    near = abs(_ratio(inputs.flip_distance, inputs.sigma_day)) < settings.transition_sigma
    if near or inputs.paradigm_age_s < settings.transition_age_s:
        return "transition"
    if gamma == "short":
        return "amplify"
    if gamma == "long" and term != "inverted":
        return "dampen"
    return "neutral"


def _ratio(over: float, under: float) -> float:
    return over / under if np.isfinite(over) and under > 0.0 else NAN


def classify_lesson(
    total_gex: float,
    spot: float,
    flip: float,
    skew_z: float,
    vix9d_over_vix: float,
    vix_over_vix3m: float,
) -> dict[str, float | str | bool]:
    """The founding lesson's classifier, as its sequel publishes it.

    `vol_inverted` if either ratio is above 1.02; else `short_gamma` if total GEX is
    negative, or spot < 0.995 × flip, or the z of 25Δ put − call IV is −2 or less; else
    `long_gamma`. `flip` is the cumulative one; NaN takes spot, as the lesson does.
    Returns `state` and each trigger. A trigger whose input is not known does not fire;
    where none fires and total GEX is not known, the state is `unknown`.
    """
    level = flip if np.isfinite(flip) else spot
    fired = {
        "vol_inverted": bool(vix9d_over_vix > 1.02 or vix_over_vix3m > 1.02),
        "gex_negative": bool(total_gex < 0.0),
        "below_flip": bool(spot < 0.995 * level),
        "skew_deep": bool(skew_z <= -2.0),
    }
    if fired["vol_inverted"]:
        state = "vol_inverted"
    elif fired["gex_negative"] or fired["below_flip"] or fired["skew_deep"]:
        state = "short_gamma"
    elif np.isfinite(total_gex):
        state = "long_gamma"
    else:
        state = "unknown"
    return {
        "state": state,
        **fired,
        "total_gex": total_gex,
        "flip": level,
        "skew_z": skew_z,
        "vix9d_over_vix": vix9d_over_vix,
        "vix_over_vix3m": vix_over_vix3m,
    }
