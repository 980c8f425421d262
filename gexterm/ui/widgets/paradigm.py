"""The 0DTE paradigm, how likely it is, and what it rests on."""

from __future__ import annotations

import math

from gexterm.reading.model import Band, Reading, ZeroDte
from gexterm.ui import numbers, words
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, cell_len, ends, fit
from gexterm.ui.ink import width as cells
from gexterm.ui.widgets.bars import PARTS
from gexterm.ui.widgets.certainty import (
    amount,
    band_span,
    doubtful,
    inferred,
    known,
    leaning,
    ordered,
)
from gexterm.ui.widgets.topline import label_spans

NO_BAND = Band()
"""Nothing known of an error."""

MEANING = {
    "BofA": "dealers buy below spot, sell above",
    "GEX": "dealers buy below and above",
    "Anti-GEX": "dealers sell below and above",
    "Sidial": "dealers sell below spot, buy above",
    "Mixed": "one side is too small to call",
    "No data": "too little charm to call",
}
"""Each paradigm in one line: what dealers have to trade as time passes."""


def side_word(charm: float, band: Band = NO_BAND) -> Span:
    """What dealers do about charm: gaining delta, they sell. A question where the sign is open."""
    if not math.isfinite(charm) or charm == 0:
        return Span("", "muted")
    word = "sell" if charm > 0 else "buy"
    return Span(f"{word}?", "muted") if doubtful(band) else Span(word, word)


def charm_row(name: str, value: float, width: int, unit: str = " /h", band: Band = NO_BAND) -> Line:
    """One amount of charm, how sure it is, and what dealers do about it."""
    told = unit if math.isfinite(value) else ""
    # Where there is a band, the title of the rows has the unit.
    sure = [band_span(value, band)] if known(band) else [Span(told.ljust(4), "muted")]
    return ends(
        [Span(name, "muted")],
        [amount(value, band), *sure, Span(" "), *fit((side_word(value, band),), 5)],
        width,
    )


def chances_rows(zero: ZeroDte, width: int) -> list[Line]:
    """P(label) of every label as bars: the one shown first, the others in a fixed order."""
    told = ordered(zero)
    out: list[Line] = []
    room = max(4, width - 14)
    texts = numbers.chances([share for _, share in told])
    for (label, share), text in zip(told, texts, strict=True):
        known_share = share if math.isfinite(share) else 0.0
        eighths = round(8 * room * min(1.0, max(0.0, known_share)))
        bar = "█" * (eighths // 8) + (PARTS[eighths % 8] if eighths % 8 else "")
        first = not out
        strong = first and not leaning(zero)
        out.append(
            fit(
                (
                    Span(words.cut(words.clean(label), 9), "text" if strong else "muted"),
                    Span(bar.ljust(room), "lis" if strong else "lis~"),
                    Span(" " + text, "text" if first else "muted"),
                ),
                width,
            )
        )
    return out


def others_row(reading: Reading, width: int) -> Line:
    """P of every label but the one shown, in one row; its own stands beside it."""
    zero = reading.zero_dte
    if not zero.probability:
        return grounds(reading, width)[0]
    told = ordered(zero)
    texts = numbers.chances([share for _, share in told])
    spans: list[Span] = []
    for (label, _), text in list(zip(told, texts, strict=True))[1:]:
        between = " " if spans else ""
        spans += [Span(f"{between}{words.clean(label)}", "muted"), Span(f" {text.strip()}", "text")]
    return fit(spans, width)


def grounds(reading: Reading, width: int) -> list[Line]:
    """P(label) where positions are inferred; otherwise why there is none."""
    zero, held = reading.zero_dte, reading.positions
    if zero.probability:
        return chances_rows(zero, width)
    why = "no P(label)" if not inferred(held) else (
        "P(label) not known" if held.epoch else "nothing signed yet")  # fmt: skip
    said = "positions inferred" if inferred(held) else "assumed, not measured"
    return [ends([Span(said, "muted")], [Span(why, "faint")], width)]


def section(frame: Frame, reading: Reading, width: int) -> list[list[Line]]:
    """The label, how likely, since when, what it rests on."""
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
    name = label_spans(reading, glow)
    room = width - cells(name) - 1
    history = next(
        (text for text in (f"{since}  {was}".strip(), since) if cell_len(text) <= room), ""
    )
    label = ends(name, [Span(history, "muted")], width)
    told = [(Span(text, "muted"),) for text in why] or [
        (Span(MEANING.get(zero.paradigm, ""), "text"),)
    ]
    chances = grounds(reading, width)
    banded = known(zero.charm_below_band) or known(zero.charm_band) or known(zero.decay_band)
    heads: list[Line] = []
    if banded:
        heads = [ends([Span("charm, $/h", "faint")], [Span("80 % band      ", "faint")], width)]
    prefix = "" if banded else "charm "
    below = charm_row(f"{prefix}below spot", zero.charm_below, width, band=zero.charm_below_band)
    above = charm_row(f"{prefix}above spot", zero.charm_above, width, band=zero.charm_above_band)
    net = charm_row("net", zero.charm_per_hour, width, band=zero.charm_band)
    close = charm_row(
        "to the close" if banded else "decay to the close",
        zero.decay_to_close, width, "", zero.decay_band,
    )  # fmt: skip
    cut = ends(
        [Span("left out, |Δ| < .03", "muted")],
        [Span(numbers.percent(zero.excluded_share, 5), "text"), Span(" of gross", "muted")],
        width,
    )
    others = others_row(reading, width)
    return [
        [title, label, *told, *chances, *heads, below, above, net, close, cut],
        [title, label, others, *heads, below, above, net, close],
        [title, label, others, below, above, close],
        [title, label, others],
    ]


def one_row(frame: Frame, width: int, _height: int) -> list[Line]:
    """Paradigm and lines in the sand in one row, for small screens; what fits of it."""
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
    lines = (
        ("▾", "lis", zero.lis_lower, zero.lis_lower_sigma, zero.lis_lower_band),
        ("▴", "lis", zero.lis_upper, zero.lis_upper_sigma, zero.lis_upper_band),
        ("◎", "target", zero.target, zero.target_sigma, zero.target_band),
    )

    def level(
        glyph: str, role: str, value: float, sigma: float, band: Band, points: bool
    ) -> list[Span]:
        if not math.isfinite(value):
            return [Span(f"{glyph}{numbers.DASH}", role)]
        off = numbers.reach(value, band.low, band.high)
        out = [Span(f"{glyph}{numbers.strike(value)}", role, bold=True)]
        if off:
            # A half width belongs to its number, a stretch stands apart.
            out.append(Span(off if off[0] == "±" else f" {off}", "text"))
        if points:
            out.append(
                Span(f" {numbers.gap(value - reading.spot, 7, at=reading.spot).strip()}", "text")
            )
        return [*out, Span(f" {numbers.sigmas(sigma).strip()}", "muted")]

    label = label_spans(reading)
    for head, points in (
        ([*label, Span(since, "muted")], True),
        (label, True),
        ([*label, Span(since, "muted")], False),
        (label, False),
    ):
        row = [Span(" "), *head, Span("  "), Span("LIS", "muted")]
        for line in lines:
            row += [Span(" " if line is lines[0] else "  "), *level(*line, points)]
        if cells(row) <= width:
            break
    return [fit(row, width)]
