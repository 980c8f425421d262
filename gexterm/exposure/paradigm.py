"""The 0DTE charm paradigm: label, lines in the sand, target.

From the charm of today's expiry below (B) and above (A) spot, dealer's sign:

    B −, A +   BofA       dealers short strangles; two lines in the sand
    B −, A −   GEX        dealers buy as time passes; a line below, a target above
    B +, A +   Anti-GEX   dealers sell as time passes; a line above, a target below
    B +, A −   Sidial     dealers long both sides; a target only

Source: the Volland / Ad Deum Funds white paper (2023), section 7, made precise: a side
needs 10 % of gross charm to take a sign and keeps it down to 4 %; anything else is
Mixed. Lines of GEX and Anti-GEX are zeros of the re-priced charm C(s), those of BofA
the strikes of largest charm.

Sidial's target is the nearest zero through which C *rises* as spot rises: there dealers
buy below and sell above. A zero through which it falls pushes spot away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from gexterm.exposure.charm import CharmProfile, CharmZero
from gexterm.exposure.lines import Sides, held_line, strike_near, zero_above, zero_below

F64 = NDArray[np.float64]
Paradigm = Literal["BofA", "GEX", "Anti-GEX", "Sidial", "Mixed", "No data"]
Qualifier = Literal["", "PURE", "LIS", "TARGET", "MESSY"]
LisRule = Literal["zero", "peak"]

NAN = float("nan")
LABELS: dict[tuple[int, int], Paradigm] = {
    (-1, +1): "BofA",
    (-1, -1): "GEX",
    (+1, +1): "Anti-GEX",
    (+1, -1): "Sidial",
}
"""Label by the signs of charm below and above spot."""


@dataclass(frozen=True, slots=True)
class ParadigmSettings:
    """Thresholds of the classifier."""

    enter: float = 0.10
    """Share of gross charm above which a side takes a sign."""
    leave: float = 0.04
    """Share of gross charm down to which it keeps it."""
    smallest_gross: float = 0.0
    """Gross charm up to which there is nothing to read, $ per hour."""
    most_unknown: float = 0.5
    """Share of the contracts held without greeks above which there is nothing to read."""
    lis_rule: LisRule = "zero"
    """GEX and Anti-GEX line: the zero of re-priced charm, or the strike of largest charm."""
    lis_margin: float = 1.15
    """How much larger a strike's charm must be to take the line from another."""
    touch: float = 0.0015
    """Distance to a line or target, as a fraction of spot, that counts as being at it."""
    purity: float = 0.65
    """Share of own-sign charm on a side below which it is messy."""
    remember_ns: int = 600 * 1_000_000_000
    """How long the label before Mixed is still worth showing, and how long signs and lines
    outlast missing data, ns."""


@dataclass(frozen=True, slots=True)
class ParadigmState:
    """What the classifier remembers from one tick to the next."""

    below: int = 0
    """Sign of charm below spot."""
    above: int = 0
    """Sign of charm above spot."""
    label: Paradigm = "No data"
    """The last label that could be read; `No data` if none ever was."""
    since: int = 0
    """When it took hold, ns; 0 never."""
    previous: str = ""
    """The label before it; empty if there was none."""
    lis_lower: float = NAN
    """Lower line, points."""
    lis_upper: float = NAN
    """Upper line, points."""
    target: float = NAN
    """Target, points."""
    seen: int = 0
    """When there was last something to read, ns; 0 never."""


@dataclass(frozen=True, slots=True)
class ParadigmReading:
    """The paradigm at one tick."""

    label: Paradigm
    """What the charm profile reads as."""
    qualifier: Qualifier
    """PURE, at the LIS, at the TARGET, or MESSY; empty for Mixed and No data."""
    since: int
    """When the label took hold, ns; 0 never."""
    previous: str
    """The label before this one; empty if there was none."""
    dimmed: str
    """Under Mixed, the label before it for ten minutes; else empty."""
    lis_lower: float
    """Lower line in the sand, points; NaN none."""
    lis_upper: float
    """Upper line in the sand, points; NaN none."""
    target: float
    """Target, a strike, points; NaN none."""
    peak_below: float
    """Strike below spot of largest |charm| of the side's sign, points."""
    peak_above: float
    """The same above spot."""
    purity_below: float
    """Share of the side's charm that has its sign, 0 to 1; NaN without charm."""
    purity_above: float
    """The same above spot."""
    sigma: float
    """One standard deviation of spot until settlement, points."""
    lis_lower_sigma: float
    """Lower line minus spot, in `sigma`."""
    lis_upper_sigma: float
    """Upper line minus spot, in `sigma`."""
    target_sigma: float
    """Target minus spot, in `sigma`."""
    placebo_inside: float
    """P(close inside the lines) of a driftless normal with `sigma`; not a forecast."""


def classify(
    profile: CharmProfile | None,
    zeros: Sequence[CharmZero],
    spot: float,
    sigma: float,
    now: int,
    state: ParadigmState | None = None,
    settings: ParadigmSettings | None = None,
) -> tuple[ParadigmReading, ParadigmState]:
    """Read the paradigm off a charm profile.

    `profile` and `zeros` (of `charm_zeros`) are of the same book at `now` (ns); None
    where nothing settles today. `sigma` is what is left of the day, points. The state
    goes in at the next tick; after settlement the caller keeps the last reading.
    Memory survives ticks without data for ten minutes, and no step back in time.
    """
    settings = settings or ParadigmSettings()
    state = _still_valid(state or ParadigmState(), now, settings)
    if (
        profile is None
        or not np.isfinite(spot)
        or not profile.gross > settings.smallest_gross
        or not profile.unknown_share <= settings.most_unknown
    ):
        return _no_data(state, sigma), state
    below = _side(profile.below, profile.gross, state.below, settings)
    above = _side(profile.above, profile.gross, state.above, settings)
    label: Paradigm = LABELS.get((below, above), "Mixed")
    since, previous = _succession(state, label, now)

    sides = Sides.of(profile, spot, below, above)
    fresh = label != state.label
    lower, upper = _lines(label, sides, zeros, spot, state, settings, fresh)
    target = _target(label, zeros, profile.strike, spot, state, fresh)
    reading = ParadigmReading(
        label=label,
        qualifier=_qualifier(label, spot, lower, upper, target, sides, settings),
        since=since,
        previous=previous,
        dimmed=previous if label == "Mixed" and now - since <= settings.remember_ns else "",
        lis_lower=lower,
        lis_upper=upper,
        target=target,
        peak_below=sides.peak_below,
        peak_above=sides.peak_above,
        purity_below=sides.purity_below,
        purity_above=sides.purity_above,
        sigma=sigma,
        lis_lower_sigma=(lower - spot) / sigma,
        lis_upper_sigma=(upper - spot) / sigma,
        target_sigma=(target - spot) / sigma,
        placebo_inside=placebo_inside(spot, lower, upper, sigma),
    )
    after = ParadigmState(below, above, label, since, previous, lower, upper, target, now)
    return reading, after


def placebo_inside(spot: float, lower: float, upper: float, sigma: float) -> float:
    """P(lower ≤ close ≤ upper) if spot were a driftless normal with sd `sigma` (points).

    A line that does not exist does not bind; NaN where there is none at all.
    """
    if not sigma > 0.0 or (np.isnan(lower) and np.isnan(upper)):
        return NAN
    high = 1.0 if np.isnan(upper) else float(ndtr((upper - spot) / sigma))
    low = 0.0 if np.isnan(lower) else float(ndtr((lower - spot) / sigma))
    return high - low


def _no_data(state: ParadigmState, sigma: float) -> ParadigmReading:
    return ParadigmReading(
        label="No data",
        qualifier="",
        since=0,
        previous="" if state.label == "No data" else state.label,
        dimmed="",
        **dict.fromkeys(_NUMBERS, NAN),
        sigma=sigma,
    )


_NUMBERS = (
    "lis_lower",
    "lis_upper",
    "target",
    "peak_below",
    "peak_above",
    "purity_below",
    "purity_above",
    "lis_lower_sigma",
    "lis_upper_sigma",
    "target_sigma",
    "placebo_inside",
)


def _still_valid(state: ParadigmState, now: int, settings: ParadigmSettings) -> ParadigmState:
    """What of the memory still holds now."""
    if now < state.seen:
        return ParadigmState()
    if now - state.seen <= settings.remember_ns or not state.seen:
        return state
    return ParadigmState(label=state.label, previous=state.previous)


def _succession(state: ParadigmState, label: Paradigm, now: int) -> tuple[int, str]:
    """Since when the label holds and what was before it."""
    if label == state.label:
        return state.since or now, state.previous
    return now, "" if state.label == "No data" else state.label


def _side(charm: float, gross: float, before: int, settings: ParadigmSettings) -> int:
    """Sign of one side, with hysteresis."""
    share = abs(charm) / gross
    sign = 1 if charm > 0.0 else -1
    if share > settings.enter or (sign == before and share > settings.leave):
        return sign
    return 0


def _lines(
    label: Paradigm,
    sides: Sides,
    zeros: Sequence[CharmZero],
    spot: float,
    state: ParadigmState,
    settings: ParadigmSettings,
    fresh: bool,
) -> tuple[float, float]:
    """Lower and upper line in the sand."""
    old_lower, old_upper = (NAN, NAN) if fresh else (state.lis_lower, state.lis_upper)
    margin = settings.lis_margin
    if label == "BofA":
        return (
            held_line(sides, sides.peak_below, old_lower, -1, margin, old_lower < spot),
            held_line(sides, sides.peak_above, old_upper, +1, margin, old_upper > spot),
        )
    if label == "GEX":
        if settings.lis_rule == "peak":
            return held_line(sides, sides.peak_below, old_lower, -1, margin, old_lower < spot), NAN
        return strike_near(sides.strike, zero_below(zeros, spot), old_lower), NAN
    if label == "Anti-GEX":
        if settings.lis_rule == "peak":
            return NAN, held_line(sides, sides.peak_above, old_upper, +1, margin, old_upper > spot)
        return NAN, strike_near(sides.strike, zero_above(zeros, spot), old_upper)
    return NAN, NAN


def _target(
    label: Paradigm,
    zeros: Sequence[CharmZero],
    strike: F64,
    spot: float,
    state: ParadigmState,
    fresh: bool,
) -> float:
    old = NAN if fresh else state.target
    if label == "GEX":
        return strike_near(strike, zero_above(zeros, spot), old)
    if label == "Anti-GEX":
        return strike_near(strike, zero_below(zeros, spot), old)
    if label == "Sidial":
        holding = [z.spot for z in zeros if z.rising]
        nearest = min(holding, key=lambda z: abs(z - spot), default=NAN)
        return strike_near(strike, nearest, old)
    return NAN


def _qualifier(
    label: Paradigm,
    spot: float,
    lower: float,
    upper: float,
    target: float,
    sides: Sides,
    settings: ParadigmSettings,
) -> Qualifier:
    if label in {"Mixed", "No data"}:
        return ""
    reach = settings.touch * spot
    to_line = min((abs(x - spot) for x in (lower, upper) if not np.isnan(x)), default=np.inf)
    to_target = np.inf if np.isnan(target) else abs(target - spot)
    if min(to_line, to_target) <= reach:
        return "LIS" if to_line <= to_target else "TARGET"
    if sides.purity_below < settings.purity or sides.purity_above < settings.purity:
        return "MESSY"
    return "PURE"
