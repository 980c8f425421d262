"""What the inferred book rests on: how much is signed, on what grounds, and what is doubtful."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from gexterm.dealers.evidence import WORDS, Evidence
from gexterm.reading.model import Positions, Reading
from gexterm.ui import numbers, words
from gexterm.ui.actions import cap
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, cell_len, ends, fit
from gexterm.ui.widgets.bars import PARTS
from gexterm.ui.widgets.certainty import inferred, since

BRIEF = {
    Evidence.VENUE: "venue",
    Evidence.SIZE: "size",
    Evidence.OUTSIDE: "outside",
    Evidence.AT_QUOTE: "at quote",
    Evidence.FAIR: "fair value",
    Evidence.INSIDE: "inside",
    Evidence.DEPTH: "depth",
    Evidence.REVERSE_TICK: "next tick",
    Evidence.PACKAGE: "package",
    Evidence.AUCTION: "auction",
    Evidence.MID: "mid",
    Evidence.NO_QUOTE: "no quote",
    Evidence.STALE_QUOTE: "stale",
    Evidence.CROSSED_QUOTE: "crossed",
    Evidence.ONE_SIDED_QUOTE: "one-sided",
    Evidence.PRE_OPEN: "pre-open",
    Evidence.AUCTION_OPEN: "opening",
    Evidence.UNKNOWN_CONDITION: "unknown",
    Evidence.PACKAGE_UNSOLVED: "unsolved",
}
"""Short names; the others are called as everywhere."""
_NAMES = {
    key: BRIEF.get(kind, word)
    for kind, word in WORDS.items()
    for key in (word, kind.name, kind.name.lower())
}
COUNTS = (
    ("unknown_condition", "unknown condition"),
    ("unmatched_cancels", "cancels unmatched"),
    ("out_of_order", "out of order"),
    ("unknown_contract", "unknown contract"),
    ("refused", "refused"),
)
"""What was noticed on the tape and should be rare, in the order in which it matters."""
HANDLED = (("cancelled", "cancelled"), ("corrected", "corrected"), ("duplicates", "seen twice"))
"""What was noticed and set right."""
TRAP = " ⚠ SIGNING TRAP "
"""Stands before the reason."""
UNEXPLAINED = 0.2
"""Share of open interest that no tape explains, from which on it is marked as a warning."""
PRINTED_LOW = 0.9
"""Share of the venue's volume that came as prints, below which it is marked as a warning."""
SIGNED_LOW = 0.5
"""Share of the printed volume with a side, below which it is marked as a warning."""


def name(key: str) -> str:
    """How evidence or a reason is called in a list."""
    return _NAMES.get(key, words.clean(key.replace("_", " ")))


def listed(shares: Mapping[str, float]) -> list[str]:
    """`at quote 40%`, the largest first, in whole per cents; what rounds to nothing is left out."""
    known = [(key, 100 * share) for key, share in shares.items() if math.isfinite(share)]
    return [
        f"{name(key)} {share:.0f}%"
        for key, share in sorted(known, key=lambda item: (-round(item[1]), item[0]))
        if share >= 0.5
    ]


def unsigned(held: Positions) -> dict[str, float]:
    """Share of the printed volume left unsigned, by reason."""
    total = sum(v for v in held.unsigned_by_reason.values() if math.isfinite(v))
    rest = 1.0 - held.signed_share
    if not total > 0 or not math.isfinite(rest):
        return {}
    return {key: rest * value / total for key, value in held.unsigned_by_reason.items()}


def running(parts: Sequence[str], width: int, rows: int, between: str = " · ") -> list[str]:
    """Parts one after another in so many rows; what has no room is counted: `+3`."""
    out: list[str] = []
    for number, part in enumerate(parts):
        last = len(out) >= rows
        left = len(parts) - number - 1
        tail = f" +{left}" if last and left else ""
        if out and cell_len(out[-1]) + cell_len(between + part + tail) <= width:
            out[-1] += between + part
        elif len(out) < rows:
            out.append(words.cut(part, width).rstrip())
        else:
            more = f" +{len(parts) - number}"
            out[-1] = words.cut(out[-1], width - len(more)).rstrip() + more
            break
    return out


def share_bar(held: Positions, width: int) -> Line:
    """How much of the printed volume carries a sign."""
    share = held.signed_share
    text = f"{numbers.compact(held.prints)} prints"
    low = share < SIGNED_LOW
    room = max(0, width - 13 - len(text))
    eighths = round(8 * room * max(0.0, min(1.0, share))) if math.isfinite(share) else 0
    bar = "█" * (eighths // 8) + (PARTS[eighths % 8] if eighths % 8 else "")
    return ends(
        [
            Span("signed", "muted"),
            Span(numbers.percent(share, 5), "warning" if low else "text", bold=True),
            Span(" "),
            Span(bar, "long~" if not low else "warning"),
            Span("·" * (room - cell_len(bar)), "line"),
        ],
        [Span(text, "muted")],
        width,
    )


def coverage(held: Positions, width: int) -> Line:
    """What no tape explains, and how much of the volume came as prints at all."""
    uncovered, printed = held.uncovered_share, held.printed_share
    return fit(
        (
            Span("OI unexplained", "muted"),
            Span(numbers.percent(uncovered, 5), "warning" if uncovered > UNEXPLAINED else "text"),
            Span("  printed", "muted"),
            Span(numbers.percent(printed, 5), "warning" if printed < PRINTED_LOW else "text"),
            Span("  capped" if width >= 44 else " capped", "muted"),
            Span(f" {numbers.compact(held.bounds_hit)}", "warning" if held.bounds_hit else "text"),
        ),
        width,
    )


def noticed(held: Positions, which: Sequence[tuple[str, str]] = COUNTS) -> list[str]:
    """Counts that are not zero."""
    return [
        f"{text} {numbers.compact(float(held.counts[key]))}"
        for key, text in which
        if held.counts.get(key)
    ]


def trap_rows(held: Positions, width: int, rows: int = 4) -> list[Line]:
    """Why a whole side may be signed wrongly, loud."""
    if not held.trap:
        return []
    # The badge stands where the first words would; a text of its length keeps its place.
    told = words.wrap("#" * len(TRAP) + " " + held.trap, width, rows)
    badge = Span(TRAP, "background", "warning", bold=True)
    first = fit((badge, Span(told[0][len(TRAP) :], "warning")), width)
    return [first, *((Span(text, "warning"),) for text in told[1:])]


def _rows(texts: Iterable[str], role: str) -> list[Line]:
    return [(Span(text, role),) for text in texts]


def _listing(lead: str, parts: Sequence[str], width: int, rows: int) -> list[Line]:
    texts = running(parts, width - len(lead), rows)
    return [
        (Span(" " * len(lead) if number else lead, "muted"), Span(text, "text"))
        for number, text in enumerate(texts)
    ]


def body(held: Positions, width: int, rows: int) -> list[Line]:
    """Grounds, reasons, coverage, counts: what fits into so many rows, what matters first."""
    if not held.epoch and not held.prints:
        what = "the book is its prior alone" if held.prior else "there is no book yet"
        told = _rows(words.wrap(f"no trade has been signed: {what}", width, 2), "warning")
        behind = words.wrap(f"prior: {held.prior}", width, 2) if held.prior else []
        return [*told, *_rows(behind, "muted")][:rows]
    trap = trap_rows(held, width)
    by = listed(held.by_evidence)
    grounds = _listing("by   ", by, width, 2)
    why = _listing("not  ", listed(unsigned(held)), width, 1)
    seen = running(noticed(held), width, 1)
    handled = _listing("set right  ", noticed(held, HANDLED), width, 1)
    carried = words.wrap(held.reconciled, width, 2) if held.reconciled else []
    prior = words.wrap(f"prior: {held.prior}", width, 1) if held.prior else []
    parts: list[list[Line]] = [
        trap,
        [share_bar(held, width)],
        grounds[:1],
        [coverage(held, width)],
        why,
        _rows(seen, "warning"),
        _rows(carried, "text"),
        grounds[1:],
        _rows(prior, "muted"),
        handled,
    ]
    # Shown in the order of reading, picked in the order of weight.
    picked: set[int] = set()
    left = rows
    for number, lines in enumerate(parts):
        if lines and len(lines) <= left:
            picked.add(number)
            left -= len(lines)
    if 7 not in picked:
        parts[2] = _listing("by   ", by, width, 1)
    order = (0, 1, 2, 7, 4, 3, 5, 9, 6, 8)
    return [line for number in order if number in picked for line in parts[number]]


def section(_frame: Frame, reading: Reading, width: int) -> list[list[Line]]:
    """Evidence as a section of the side panel; nothing under a convention."""
    held = reading.positions
    if not inferred(held):
        return [[]]
    title = ends(
        [Span("EVIDENCE", "muted", bold=True)],
        [Span(f"{words.clean(held.view)} {since(held)}", "muted")],
        width,
    )
    trap = trap_rows(held, width)
    least: list[Line] = [
        title,
        *trap,
        *([share_bar(held, width)] if held.epoch or held.prints else body(held, width, 1)),
    ]
    return [
        [title, *body(held, width, 14)],
        [title, *body(held, width, len(trap) + 4)],
        least,
    ]


def paint(frame: Frame, width: int, height: int) -> list[Line]:
    """Evidence as a panel of its own, under a thin line; of an assumption there is none."""
    reading = frame.reading
    if reading is None:
        return [(Span("─" * width, "line"),)]
    held = reading.positions
    said = f"─ evidence: {words.clean(held.view)} {since(held)} " if inferred(held) else (
        "─ evidence ")  # fmt: skip
    said = words.cut(said, width).rstrip() + " "
    rule: Line = (Span(said, "faint"), Span("─" * max(0, width - cell_len(said)), "line"))
    inner = width - 2
    if inferred(held):
        lines = body(held, inner, height - 1)
    else:
        what = f"none: {held.view} is an assumption about who bought, not a measurement"
        lines = _rows(words.wrap(what, inner, 2), "muted")
        if held.prints and frame.keys.get("view_next"):
            more = f"{cap(frame.keys['view_next'][0])} shows the book inferred from "
            lines += _rows([f"{more}{numbers.compact(held.prints)} prints"], "text")
    rows = [rule, *((Span(" "), *line) for line in lines[: height - 1])]
    return [fit(row, width) for row in rows]
