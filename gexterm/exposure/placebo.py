"""What a driftless normal does: the bar that any base rate of a paradigm has to beat.

Spot is taken to be a martingale with normal increments and what is left of today's
implied standard deviation. It knows nothing of dealers: lines 16 delta away hold, and
targets a quarter of a deviation away are hit, without anybody defending anything.
"""

from __future__ import annotations

from dataclasses import dataclass

from scipy.special import ndtr

from gexterm.exposure.paradigm import ParadigmReading, placebo_inside

NAN = float("nan")
BALANCE_TOLERANCE = 0.0010
"""How near its balance point Sidial must close, as a fraction of spot. The white paper
says only "within a certain percentage"; this one is ours."""


@dataclass(frozen=True, slots=True)
class Placebo:
    """The chance of a paradigm's own event without any paradigm."""

    event: str
    """What happens; empty where the label has no event, or no level to have it at."""
    probability: float = NAN
    """Its probability, 0 to 1; NaN not known."""
    note: str = ""
    """What was assumed."""


def touch_probability(spot: float, target: float, sigma: float) -> float:
    """P(spot trades at a target before the close): 2·N(−|target − spot|/σ).

    By reflection, which takes spot to be watched without a pause: watched once a second
    or a minute the true number is a little lower. `sigma` is in points; NaN without it.
    """
    if not sigma > 0.0:
        return NAN
    return float(2.0 * ndtr(-abs(target - spot) / sigma))


def near_probability(
    spot: float, level: float, sigma: float, tolerance: float = BALANCE_TOLERANCE
) -> float:
    """P(|close − level| ≤ tolerance · spot). `sigma` is in points; NaN without it."""
    if not sigma > 0.0:
        return NAN
    reach = tolerance * spot
    return float(ndtr((level + reach - spot) / sigma) - ndtr((level - reach - spot) / sigma))


def placebo(reading: ParadigmReading, spot: float, tolerance: float = BALANCE_TOLERANCE) -> Placebo:
    """The placebo of a reading's label, lines and target, with what is left of the day.

    BofA needs both lines, GEX and Anti-GEX a target, Sidial a balance point.
    """
    if reading.label == "BofA":
        inside = placebo_inside(spot, reading.lis_lower, reading.lis_upper, reading.sigma)
        both = reading.lis_lower < spot < reading.lis_upper
        return Placebo("closes inside the lines", inside) if both else Placebo("")
    target = reading.target
    if not target > 0.0:
        return Placebo("")
    if reading.label in {"GEX", "Anti-GEX"}:
        return Placebo(
            "target hit",
            touch_probability(spot, target, reading.sigma),
            "spot watched without a pause",
        )
    if reading.label == "Sidial":
        return Placebo(
            "closes at its balance point",
            near_probability(spot, target, reading.sigma, tolerance),
            f"within {tolerance:.2%} of it",
        )
    return Placebo("")
