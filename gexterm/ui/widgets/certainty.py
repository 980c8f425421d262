"""How sure the Reading is of what it says, in the words and looks that every panel shares."""

from __future__ import annotations

import math
from collections.abc import Mapping

from gexterm.reading.model import Band, Gamma, Positions, ZeroDte
from gexterm.ui import numbers, words
from gexterm.ui.ink import Span

INFERRED = ("combined", "flow")
"""Views that rest on signed trades."""
SURE = 0.6
"""Below this probability a label is only leaned towards."""
LABELS = ("BofA", "GEX", "Anti-GEX", "Sidial", "Mixed")
"""Every label, in the order in which they are always shown."""


def inferred(held: Positions) -> bool:
    """Whether positions come from signed trades; otherwise they are assumed."""
    return held.view in INFERRED


def known(band: Band) -> bool:
    """Whether anything is known of a band."""
    return math.isfinite(band.low) or math.isfinite(band.high)


def doubtful(band: Band) -> bool:
    """Whether the sign of a number is open: its band contains zero."""
    return numbers.straddles(band.low, band.high)


def amount(value: float, band: Band) -> Span:
    """A number in `numbers.SI_WIDTH` cells; dim where its own band contains zero."""
    role = "text" if math.isfinite(value) and not doubtful(band) else "faint"
    return Span(numbers.si(value, plus=True), role)


def band_span(value: float, band: Band, width: int = numbers.BAND_WIDTH) -> Span:
    """The band of a number; where it contains zero it is what must be read."""
    role = "text" if doubtful(band) else "muted"
    return Span(numbers.band(value, band.low, band.high, width), role)


def probability(zero: ZeroDte) -> float:
    """P(the label shown); NaN where it is not known."""
    return float(zero.probability.get(zero.paradigm, math.nan))


def leaning(zero: ZeroDte) -> bool:
    """Whether the label is less likely than `SURE`."""
    return probability(zero) < SURE


def likelier(zero: ZeroDte) -> str:
    """The likeliest label where that is another than the one shown; empty otherwise.

    The label shown is what the expected positions read as; they may be the expectation of
    books that mostly read as something else.
    """
    here = probability(zero)
    best = max(zero.probability.items(), key=lambda item: item[1], default=("", math.nan))
    return best[0] if best[0] != zero.paradigm and best[1] > here else ""


def ordered(zero: ZeroDte) -> list[tuple[str, float]]:
    """P(label) of every label: the one shown first, the others where they always are."""
    told: Mapping[str, float] = zero.probability
    names = dict.fromkeys((zero.paradigm, *LABELS, *told))
    return [(name, float(told.get(name, 0.0))) for name in names if name in LABELS or name in told]


def gamma_doubtful(gamma: Gamma) -> bool:
    """Whether the sign of gamma is open."""
    return doubtful(gamma.gex_band)


def since(held: Positions) -> str:
    """From when trades have been signed: `since 09:30`, or why not."""
    if not held.epoch:
        return "nothing signed yet"
    return f"since {words.clock(held.epoch, with_seconds=False)}"
