"""The regime: gamma, skew and term structure, and what they come to."""

from __future__ import annotations

import math

from gexterm.reading.model import Reading
from gexterm.ui import numbers, words
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, ends
from gexterm.ui.widgets.certainty import gamma_doubtful
from gexterm.ui.widgets.topline import gamma_role

COMPOSITE = {
    "stress": ("moves feed on themselves", "error"),
    "amplify": ("hedging goes with the move", "short"),
    "dampen": ("hedging goes against the move", "long"),
    "transition": ("the parts are changing", "warning"),
    "neutral": ("the parts do not point one way", "muted"),
    "unknown": ("not enough is known", "muted"),
}
"""What each composite state means, and its colour."""
SIGNED = ("stress", "amplify", "dampen", "neutral")
"""The states that rest on the sign of gamma."""


def inputs(reading: Reading, names: tuple[str, ...]) -> str:
    """Those of the regime's inputs that are known, in short."""
    told = []
    for name, label, decimals in names_and_labels(names):
        value = reading.regime.inputs.get(name, math.nan)
        if math.isfinite(value):
            told.append(f"{label}{numbers.fixed(value, decimals, 8, plus=label == 'z ').strip()}")
    return "  ".join(told)


def names_and_labels(names: tuple[str, ...]) -> list[tuple[str, str, int]]:
    """How the inputs are labelled, and with how many decimals."""
    known = {
        "skew_ratio": ("", 3),
        "skew_z": ("z ", 1),
        "r_9_30": ("9/30d ", 2),
        "r_30_90": ("30/90d ", 2),
    }
    return [(name, *known[name]) for name in names if name in known]


def section(_frame: Frame, reading: Reading, width: int) -> list[list[Line]]:
    """The composite, then its parts with the numbers that they rest on."""
    regime = reading.regime
    meaning, role = COMPOSITE.get(regime.composite, ("", "muted"))
    unsure = gamma_doubtful(reading.gamma)
    # Of a sign that may be the other, it must not look settled.
    open_sign = unsure and regime.composite in SIGNED
    name = f"{regime.composite}?" if open_sign else regime.composite
    title = ends(
        [Span("REGIME", "muted", bold=True)],
        [Span(name, "muted" if open_sign else role, bold=not open_sign)],
        width,
    )
    gamma = Span(f"{regime.gamma}?", "muted") if unsure else (
        Span(regime.gamma, gamma_role(regime.gamma)))  # fmt: skip
    today = numbers.compact(reading.gamma.gex_0dte_per_1pct, plus=True)
    known = math.isfinite(regime.inputs.get("skew_z", math.nan))
    lines = [
        title,
        (Span(meaning, "text"),),
        ends([Span("gamma ", "muted"), gamma],
             [Span(f"0DTE {today}/1%", "faint" if unsure else "muted")],
             width),
        ends([Span("skew  ", "muted"), Span(regime.skew)],
             [Span(inputs(reading, ("skew_ratio", "skew_z")), "muted")], width),
        ends([Span("term  ", "muted"), Span(regime.term)],
             [Span(inputs(reading, ("r_9_30", "r_30_90")), "muted")], width),
    ]  # fmt: skip
    if not known and regime.skew == "unknown" and regime.term == "unknown":
        lines[1] = (Span("needs expiries of about 30 days", "muted"),)
    state = regime.lesson.get("state")
    if isinstance(state, str) and state:
        lines.append(
            ends(
                [Span("founding lesson's rule", "muted")],
                [Span(words.clean(state).replace("_", " "), "muted")],
                width,
            )
        )
    short: Line = (
        Span("γ ", "muted"), gamma,
        Span("  skew ", "muted"), Span(regime.skew),
        Span("  term ", "muted"), Span(regime.term),
    )  # fmt: skip
    return [lines, [title, short], [title]]
