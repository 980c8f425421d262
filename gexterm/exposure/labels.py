"""How sure the paradigm, its lines and its target are, given what is believed of positions.

P(label) is the share of drawn books (`draws`) that read as it: every draw is summed
below and above spot and classified by the thresholds of `paradigm.classify`, gross and
all. Lines and targets are found anew in every draw under the label that is shown, the
band from the 10th to the 90th percentile of those draws that have one.

The number of draws sets how fine P(label) is: with 200, one label more or less is half
a per cent. Bias that no belief knows of is not in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gexterm.dealers.belief import Belief
from gexterm.exposure.charm import CharmMatrix, ZeroDteGreeks
from gexterm.exposure.draws import DrawSettings, curve_draws, strike_draws
from gexterm.exposure.paradigm import (
    LABELS,
    Paradigm,
    ParadigmReading,
    ParadigmSettings,
    ParadigmState,
)

F64 = NDArray[np.float64]
NAN = float("nan")
NAMES: tuple[Paradigm, ...] = ("BofA", "GEX", "Anti-GEX", "Sidial", "Mixed")
_LEAST_SHARE = 0.2
_NEGLIGIBLE = 1e-6


@dataclass(frozen=True, slots=True)
class LabelOdds:
    """P(label) of today's charm."""

    probability: Mapping[str, float] = field(default_factory=dict)
    """By label, Mixed included; adds up to 1. Empty where there is nothing to read."""
    draws: int = 0
    """How many draws it is the share of."""

    @property
    def likeliest(self) -> str:
        """The label with the largest share; empty without one."""
        return max(self.probability, key=self.probability.__getitem__, default="")


def label_odds(
    greeks: ZeroDteGreeks,
    belief: Belief,
    settings: ParadigmSettings | None = None,
    state: ParadigmState | None = None,
    draws: DrawSettings | None = None,
) -> LabelOdds:
    """The share of drawn books that read as each label.

    With `state` (that of the tick before) a side keeps its sign down to `leave`, as it
    does for the label shown; without, every draw is read as if seen for the first time.
    """
    settings, draws = settings or ParadigmSettings(), draws or DrawSettings()
    at, charm = strike_draws(greeks, belief, draws)
    if len(at) == 0 or not _readable(greeks, belief, settings):
        return LabelOdds()
    above = greeks.above[at] @ charm
    below = charm.sum(axis=0) - above
    gross = np.abs(charm).sum(axis=0)
    read = gross > settings.smallest_gross
    if not read.any():
        return LabelOdds()
    with np.errstate(invalid="ignore", divide="ignore"):
        sides = [
            _signs(side / gross, before, settings)
            for side, before in (
                (below, state.below if state else 0),
                (above, state.above if state else 0),
            )
        ]
    codes = np.where(read, 3 * sides[0] + sides[1] + 4, 4)
    share = np.bincount(codes, minlength=9) / draws.draws
    probability = {name: float(share[3 * b + a + 4]) for (b, a), name in LABELS.items()}
    probability["Mixed"] = 1.0 - sum(probability.values())
    return LabelOdds({name: max(probability[name], 0.0) for name in NAMES}, draws.draws)


def _readable(greeks: ZeroDteGreeks, belief: Belief, settings: ParadigmSettings) -> bool:
    """Whether enough of what is held, or may be, has greeks."""
    rows = greeks.rows
    if greeks.known.all():
        return True
    held = np.abs(belief.mean[:, rows]).sum(axis=0)
    if not held.any():
        held = belief.sd[:, rows].sum(axis=0)
    unknown = float(held[~greeks.known].sum())
    return unknown <= settings.most_unknown * float(held.sum())


def _signs(share: F64, before: int, settings: ParadigmSettings) -> NDArray[np.intp]:
    """Sign of one side in every draw, with the hysteresis of the classifier."""
    sign = np.where(share > 0.0, 1, -1)
    size = np.abs(share)
    takes = size > settings.enter
    if before:
        takes |= (sign == before) & (size > settings.leave)
    return np.where(takes, sign, 0)


@dataclass(frozen=True, slots=True)
class LevelBand:
    """Where a line or target lies in the draws."""

    low: float = NAN
    """10th percentile, points; NaN where too few draws have one."""
    high: float = NAN
    """90th percentile, points."""
    share: float = NAN
    """Share of the draws in which there is one, 0 to 1; NaN: the label has none."""


NO_LEVEL = LevelBand()


@dataclass(frozen=True, slots=True)
class LevelBands:
    """Bands of the lines and the target of the label that is shown."""

    lis_lower: LevelBand = NO_LEVEL
    """Lower line in the sand."""
    lis_upper: LevelBand = NO_LEVEL
    """Upper line in the sand."""
    target: LevelBand = NO_LEVEL
    """Target."""


def level_bands(
    greeks: ZeroDteGreeks,
    matrix: CharmMatrix,
    belief: Belief,
    reading: ParadigmReading,
    settings: ParadigmSettings | None = None,
    draws: DrawSettings | None = None,
) -> LevelBands:
    """Find the lines and the target of `reading.label` anew in every draw.

    `matrix` comes from `charm_matrix` with every row that the belief may hold. Levels are
    strikes and stay with those of `reading` as the classifier does, so that a book taken
    for granted has bands of no width. No band where fewer than a fifth of the draws have
    a level: `share` tells.
    """
    settings, draws = settings or ParadigmSettings(), draws or DrawSettings()
    label = reading.label
    peaks = label == "BofA" or (label in {"GEX", "Anti-GEX"} and settings.lis_rule == "peak")
    lower = upper = target = NO_LEVEL
    if peaks:
        at, charm = strike_draws(greeks, belief, draws)
        strike = greeks.strike[at]
        for side, sign, wanted in (
            (strike < greeks.spot, -1.0, label != "Anti-GEX"),
            (strike > greeks.spot, +1.0, label != "GEX"),
        ):
            if not wanted:
                continue
            old = reading.lis_lower if sign < 0.0 else reading.lis_upper
            found = _peaks(strike[side], sign * charm[side], greeks.spot, old, settings.lis_margin)
            band = _band(found, draws)
            lower, upper = (band, upper) if sign < 0.0 else (lower, band)
    if label not in {"GEX", "Anti-GEX", "Sidial"} or len(matrix.spots) == 0:
        return LevelBands(lower, upper, target)
    curve = curve_draws(greeks, matrix, belief, draws)

    def level(zeros: F64, old: float) -> LevelBand:
        return _band(_strikes_near(greeks.strike, zeros, old), draws)

    if label == "Sidial":
        below = _first_zeros(matrix.spots, curve, -1, rising_only=True)
        above = _first_zeros(matrix.spots, curve, +1, rising_only=True)
        nearer = np.isnan(above) | (greeks.spot - below <= above - greeks.spot)
        return LevelBands(target=level(np.where(nearer, below, above), reading.target))
    below = _first_zeros(matrix.spots, curve, -1)
    above = _first_zeros(matrix.spots, curve, +1)
    if label == "GEX":
        target = level(above, reading.target)
        lower = lower if peaks else level(below, reading.lis_lower)
    else:
        target = level(below, reading.target)
        upper = upper if peaks else level(above, reading.lis_upper)
    return LevelBands(lower, upper, target)


def _peaks(strike: F64, charm: F64, spot: float, old: float, margin: float) -> F64:
    """Strike of the largest charm of every draw, + = of the wanted sign. Shape (draws,).

    NaN where none has the sign. The old line keeps it unless another is clearly larger.
    """
    if len(strike) == 0:
        return np.full(charm.shape[1], NAN)
    # Nearest spot first: the first of equals is taken.
    order = np.argsort(np.abs(strike - spot), kind="stable")
    strike, charm = strike[order], charm[order]
    at = np.argmax(charm, axis=0)
    largest = charm[at, np.arange(charm.shape[1])]
    found = np.where(largest > 0.0, strike[at], NAN)
    standing = np.flatnonzero(strike == old)
    if len(standing):
        held = charm[standing[0]]
        found[(held > 0.0) & (largest <= margin * held)] = old
    return found


def _first_zeros(spots: F64, curve: F64, way: int, rising_only: bool = False) -> F64:
    """First zero of each drawn curve from spot outwards, points; NaN none. Shape (draws,).

    As `charm.charm_zeros`: where |C| is below a millionth of its largest it has no sign.
    """
    centre = len(spots) // 2
    s, c = spots[centre::way], curve[centre::way]
    signs = np.where(c > 0.0, np.int8(1), np.int8(-1))
    faint = np.abs(c) <= _NEGLIGIBLE * np.abs(curve).max(axis=0)
    inner = np.arange(len(s) - 1)[:, None]
    if faint.any():
        signs[faint] = 0
        # The last point nearer spot that has a sign stands in for those that have none.
        last = np.maximum.accumulate(np.where(faint, 0, np.arange(len(s))[:, None]), axis=0)
        inner = last[:-1]
        before = np.take_along_axis(signs, inner, axis=0)
    else:
        before = signs[:-1]
    turns = before * signs[1:] < 0
    if rising_only:
        turns &= signs[1:] == way
    first = np.argmax(turns, axis=0)
    each = np.arange(c.shape[1])
    i = np.broadcast_to(inner, turns.shape)[first, each]
    c0, c1, s0, s1 = c[i, each], c[first + 1, each], s[i], s[first + 1]
    with np.errstate(invalid="ignore", divide="ignore"):
        zero = s0 - c0 * (s1 - s0) / (c1 - c0)
    return np.where(turns[first, each], zero, NAN)


def _strikes_near(strike: F64, levels: F64, old: float) -> F64:
    """The strikes nearest levels, staying with the old one as `lines.strike_near`."""
    if len(strike) == 0:
        return np.full(len(levels), NAN)
    between = 0.5 * (strike[1:] + strike[:-1])
    known = np.where(np.isnan(levels), strike[0], levels)
    nearest = strike[np.searchsorted(between, known)]
    if np.any(strike == old):
        stays = np.abs(old - known) <= np.abs(nearest - known) + 0.2 * np.abs(nearest - old)
        nearest = np.where(stays, old, nearest)
    return np.where(np.isnan(levels), NAN, nearest)


def _band(levels: F64, draws: DrawSettings) -> LevelBand:
    known = np.sort(levels[~np.isnan(levels)])
    share = len(known) / len(levels)
    if share < _LEAST_SHARE:
        return LevelBand(share=share)
    tail = 0.5 * (1.0 - draws.coverage) * (len(known) - 1)
    return LevelBand(
        float(known[int(np.floor(tail))]),
        float(known[int(np.ceil(len(known) - 1 - tail))]),
        share,
    )
