"""Rules about spot and a line: lines in the sand, targets, the flip.

All distances have hysteresis: a thing begins at one distance and ends at a larger one,
so that spot trembling at a threshold says it once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import IntEnum

from gexterm.alerts.teller import NS, Teller, points


@dataclass(frozen=True, slots=True)
class Distances:
    """How near is near."""

    near_sigma: float = 0.25
    """A line is approached within this many remaining standard deviations."""
    far_sigma: float = 0.40
    """It has been left again beyond this many."""
    touch_sigma: float = 0.05
    """It is touched within this many …"""
    touch_share: float = 0.0002
    """… or within this share of spot, if that is more. The same beyond it is a breach."""
    forget_s: float = 600.0
    """A line not seen for this long is a new line when it comes back, seconds."""

    def margin(self, spot: float, sigma: float) -> float:
        """Half the width of a line, points."""
        share = self.touch_share * spot
        return max(share, self.touch_sigma * sigma) if math.isfinite(sigma) else share


class Zone(IntEnum):
    """Where spot stands towards a line, outermost first."""

    FAR = 0
    NEAR = 1
    AT = 2
    BEYOND = 3


@dataclass(frozen=True, slots=True)
class LineWatch:
    """What is remembered of one line."""

    level: float
    """The line, points."""
    told: Zone
    """The zone the user knows of."""
    seen: int
    """When the line was last there, ns."""


def zone_of(distance: float, spot: float, sigma: float, held: Zone, d: Distances) -> Zone:
    """The zone of a signed distance (positive: on the near side), given the one held so far.

    `distance`, `spot` and `sigma` in points; a sigma of NaN leaves only touch and breach.
    """
    margin = d.margin(spot, sigma)
    scale = sigma if math.isfinite(sigma) else 0.0
    # Outwards it takes more than inwards: that is the hysteresis.
    out_of_beyond, out_of_at = margin, 3 * margin
    out_of_near = max(d.far_sigma * scale, 4 * margin)
    if distance < -margin or (held is Zone.BEYOND and distance <= out_of_beyond):
        return Zone.BEYOND
    if distance <= margin or (held >= Zone.AT and distance <= out_of_at):
        return Zone.AT
    if distance <= max(d.near_sigma * scale, margin) or (
        held >= Zone.NEAR and distance <= out_of_near
    ):
        return Zone.NEAR
    return Zone.FAR


def watch_lis(
    watch: LineWatch | None,
    teller: Teller,
    side: str,
    level: float,
    spot: float,
    sigma: float,
    first: bool,
    d: Distances,
) -> LineWatch | None:
    """One line in the sand: approached, touched, breached, restored. Units: points."""
    if not (math.isfinite(level) and math.isfinite(spot)):
        return watch  # not known is not gone: it may be back with the next Reading
    distance = spot - level if side == "lower" else level - spot
    known = watch if watch and teller.at - watch.seen <= d.forget_s * NS else None
    held = known.told if known and known.level == level else Zone.FAR
    zone = zone_of(distance, spot, sigma, held, d)
    if first:
        return LineWatch(level, zone, teller.at)
    told = known.told if known else Zone.FAR
    if known is None or known.level != level:
        # A line that jumps over spot is no breach, and one that jumps away no restoration.
        told = Zone.BEYOND if zone is Zone.BEYOND else min(told, zone)
    return LineWatch(level, _tell_lis(teller, side, level, distance, sigma, told, zone), teller.at)


def _tell_lis(
    teller: Teller,
    side: str,
    level: float,
    distance: float,
    sigma: float,
    told: Zone,
    zone: Zone,
) -> Zone:
    name = f"{side} line in the sand {points(level)}"
    if zone is Zone.BEYOND and told < zone:
        text = f"{name} breached by {points(-distance)} points"
        return (
            zone if teller.tell("lis breached", "warning", text, about=side, level=level) else told
        )
    if told is Zone.BEYOND and zone < told:
        text = f"{name} restored: spot is back inside"
        return (
            zone if teller.tell("lis restored", "notice", text, about=side, level=level) else told
        )
    # Coming near is a moment: said late, it would no longer be so.
    if zone is Zone.AT and told < zone:
        teller.tell("lis touched", "notice", f"{name} touched", about=side, level=level)
    elif zone is Zone.NEAR and told < zone:
        text = f"{name} approached: {_away(distance, sigma)}"
        teller.tell("lis approached", "info", text, about=side, level=level)
    return zone


def watch_target(
    watch: LineWatch | None,
    teller: Teller,
    level: float,
    spot: float,
    before: float,
    sigma: float,
    first: bool,
    d: Distances,
) -> LineWatch | None:
    """The target: approached and hit. `before` is spot at the last Reading, points."""
    if not (math.isfinite(level) and math.isfinite(spot)):
        return watch
    known = watch if watch and teller.at - watch.seen <= d.forget_s * NS else None
    same = known is not None and known.level == level
    held = known.told if known and same else Zone.FAR
    zone = zone_of(abs(spot - level), spot, sigma, held, d)
    if same and (before - level) * (spot - level) < 0:
        zone = Zone.AT  # jumped over it between two Readings
    if first:
        return LineWatch(level, zone, teller.at)
    told = min(known.told, zone) if known else Zone.FAR
    if zone is Zone.AT and told < zone:
        teller.tell("target hit", "notice", f"target {points(level)} hit", level=level)
    elif zone is Zone.NEAR and told < zone:
        text = f"target {points(level)} approached: {_away(abs(spot - level), sigma)}"
        teller.tell("target approached", "info", text, level=level)
    return LineWatch(level, zone, teller.at)


@dataclass(frozen=True, slots=True)
class FlipWatch:
    """On which side of the flip spot was last told to be."""

    level: float
    """The flip at the last Reading, points."""
    above: bool | None
    """Whether spot stands above it; None: too near to say since watching began."""


def watch_flip(
    watch: FlipWatch | None,
    teller: Teller,
    level: float,
    spot: float,
    sigma: float,
    first: bool,
    d: Distances,
) -> FlipWatch | None:
    """Spot through the flip. A flip that leaps to another crossing is no crossing of spot."""
    if not math.isfinite(spot):
        return watch
    if not math.isfinite(level):
        return None
    margin = d.margin(spot, sigma)
    gap = spot - level
    side = gap > 0 if abs(gap) > margin else None
    leap = max(0.0025 * spot, 0.5 * sigma if math.isfinite(sigma) else 0.0)
    if first or watch is None or abs(level - watch.level) > leap or watch.above is None:
        return FlipWatch(level, side)
    if side is None or side is watch.above:
        return replace(watch, level=level)
    word = "up" if side else "down"
    text = f"spot {word} through the flip {points(level)}"
    if teller.tell("flip crossed", "notice", text, about=word, level=level):
        return FlipWatch(level, side)
    return replace(watch, level=level)


def _away(distance: float, sigma: float) -> str:
    away = f"{points(distance)} points away"
    return f"{away}, {distance / sigma:.2f}σ" if math.isfinite(sigma) and sigma > 0 else away
