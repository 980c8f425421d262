"""The 0DTE paradigm, the evidence for it, and its lines in the sand."""

from __future__ import annotations

import math

from gexterm.reading.model import Reading, ZeroDte
from gexterm.ui import numbers, words
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, ends, fit
from gexterm.ui.widgets.bars import PARTS
from gexterm.ui.widgets.topline import paradigm_word

MEANING = {
    "BofA": "dealers buy below spot, sell above",
    "GEX": "dealers buy below and above",
    "Anti-GEX": "dealers sell below and above",
    "Sidial": "dealers sell below spot, buy above",
    "Mixed": "one side is too small to call",
    "No data": "too little charm to call",
}
"""Each paradigm in one line: what dealers have to trade as time passes."""


def side_word(charm: float) -> Span:
    """What dealers do about charm: gaining delta, they sell."""
    if not math.isfinite(charm) or charm == 0:
        return Span("", "muted")
    return Span("sell", "sell") if charm > 0 else Span("buy", "buy")


def charm_row(name: str, value: float, width: int, unit: str = " /h") -> Line:
    """One amount of charm, and what dealers do about it."""
    role = "text" if math.isfinite(value) else "faint"
    known = unit if math.isfinite(value) else ""
    return ends(
        [Span(name, "muted")],
        [Span(numbers.si(value, plus=True), role), Span(known.ljust(4), "muted"),
         *fit((side_word(value),), 5)],
        width,
    )  # fmt: skip


def probabilities(zero: ZeroDte, width: int) -> list[Line]:
    """P(label) as bars, the likeliest first."""
    told = sorted(zero.probability.items(), key=lambda item: -item[1])
    out: list[Line] = []
    room = max(4, width - 15)
    for label, share in told[:4]:
        eighths = round(8 * room * min(1.0, max(0.0, share)))
        text = "█" * (eighths // 8) + (PARTS[eighths % 8] if eighths % 8 else "")
        out.append(
            fit(
                (
                    Span(words.cut(words.clean(label), 9), "text" if not out else "muted"),
                    Span(" "),
                    Span(text.ljust(room), "lis" if not out else "lis~"),
                    Span(numbers.percent(share, 5), "text" if not out else "muted"),
                ),
                width,
            )
        )
    return out


def section(frame: Frame, reading: Reading, width: int) -> list[list[Line]]:
    """The label, since when, what it rests on."""
    zero = reading.zero_dte
    note = words.clean(zero.expiry) + (" settled" if zero.settled else "")
    title = ends(
        [Span("0DTE PARADIGM", "muted", bold=True)],
        [Span(note, "delayed" if zero.settled else "muted")],
        width,
    )
    why = words.wrap(zero.reason, width, 2) if zero.reason else []
    if not zero.expiry:
        return [[title, *((Span(text, "muted"),) for text in why or ["nothing settles today"])]]
    since = f"since {words.clock(zero.since, with_seconds=False)}" if zero.since else ""
    was = f"was {words.clean(zero.previous)}" if zero.previous else ""
    glow = "glow" if "paradigm" in frame.fresh else ""
    label = ends(
        [Span(paradigm_word(reading), "strong", glow, bold=True)],
        [Span("  ".join(part for part in (since, was) if part), "muted")],
        width,
    )
    told = [(Span(text, "muted"),) for text in why] or [(Span(MEANING[zero.paradigm], "text"),)]
    chances = probabilities(zero, width)
    below = charm_row("charm below spot", zero.charm_below, width)
    above = charm_row("charm above spot", zero.charm_above, width)
    net = charm_row("net", zero.charm_per_hour, width)
    close = charm_row("decay to the close", zero.decay_to_close, width, "")
    cut = ends(
        [Span("left out, |Δ| < .03", "muted")],
        [Span(numbers.percent(zero.excluded_share, 5), "text"), Span(" of gross", "muted")],
        width,
    )
    return [
        [title, label, *told, *chances, below, above, net, close, cut],
        [title, label, *chances[:2], below, above, net, close],
        [title, label, charm_row("charm, net", zero.charm_per_hour, width), close],
    ]


def level_row(
    glyph: str,
    name: str,
    role: str,
    value: float,
    sigma: float,
    spot: float,
    fresh: bool,
    width: int,
) -> Line:
    """A line: where, and how far in points, per cent and remaining σ."""
    head = [Span(f"{glyph} {name:<6}", role, bold=math.isfinite(value))]
    if not math.isfinite(value):
        return fit((*head, Span(numbers.DASH.rjust(7), "faint")), width)
    gap = value - spot
    return fit(
        (
            *head,
            Span(numbers.strike(value).rjust(7), "strong", "glow" if fresh else "", bold=True),
            Span(numbers.distance(gap, 8), "text"),
            Span(numbers.percent(abs(gap) / spot, 7, 2), "muted"),
            Span(numbers.sigmas(sigma, 6), "text"),
        ),
        width,
    )


def lines_section(frame: Frame, reading: Reading, width: int) -> list[list[Line]]:
    """Upper and lower line, target, and the base rate that any claim has to beat."""
    zero, fresh, spot = reading.zero_dte, frame.fresh, reading.spot
    heads = f"{'pts':>6}{'%':>7}{'σ':>6}"
    lines: list[Line] = [
        fit((Span("LINES IN THE SAND", "muted", bold=True), Span(heads, "faint")), width),
        level_row("▴", "upper", "lis", zero.lis_upper, zero.lis_upper_sigma, spot,
                  "lis_upper" in fresh, width),
        level_row("▾", "lower", "lis", zero.lis_lower, zero.lis_lower_sigma, spot,
                  "lis_lower" in fresh, width),
        level_row("◎", "target", "target", zero.target, zero.target_sigma, spot,
                  "target" in fresh, width),
    ]  # fmt: skip
    sigma = ends(
        [Span("1σ left, points", "muted")],
        [Span(numbers.fixed(zero.sigma, 1, 6), "text")],
        width,
    )
    placebo = ends(
        [Span("placebo: closes inside", "muted")],
        [Span(numbers.percent(zero.placebo_inside, 6), "text")],
        width,
    )
    return [[*lines, sigma, placebo], [*lines, placebo], lines]


def one_row(frame: Frame, width: int, _height: int) -> list[Line]:
    """Paradigm and lines in the sand in one row, for small screens."""
    reading = frame.reading
    if reading is None:
        return []
    zero = reading.zero_dte
    if not zero.expiry:
        return [
            fit(
                (
                    Span(" no 0DTE: ", "muted"),
                    Span(words.clean(zero.reason) or "nothing settles today", "text"),
                ),
                width,
            )
        ]
    since = f" since {words.clock(zero.since, with_seconds=False)}" if zero.since else ""

    def level(glyph: str, role: str, value: float, sigma: float) -> list[Span]:
        if not math.isfinite(value):
            return [Span(f"{glyph}{numbers.DASH}", role)]
        return [
            Span(f"{glyph}{numbers.strike(value)}", role, bold=True),
            Span(f" {numbers.fixed(value - reading.spot, 0, 6, plus=True).strip()}", "text"),
            Span(f" {numbers.sigmas(sigma).strip()}", "muted"),
        ]

    gap = Span("  ")
    return [
        fit(
            (
                Span(" "),
                Span(paradigm_word(reading), "strong", bold=True),
                Span(since, "muted"),
                gap,
                Span("LIS ", "muted"),
                *level("▾", "lis", zero.lis_lower, zero.lis_lower_sigma),
                gap,
                *level("▴", "lis", zero.lis_upper, zero.lis_upper_sigma),
                gap,
                *level("◎", "target", zero.target, zero.target_sigma),
            ),
            width,
        )
    ]
