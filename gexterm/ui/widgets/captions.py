"""What stands around the strikes: whose book, which greek, which side, spot, legend."""

from __future__ import annotations

import math
from collections.abc import Mapping

from gexterm.reading.model import Reading
from gexterm.ui import numbers, words
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, ends, fit
from gexterm.ui.ink import width as cells
from gexterm.ui.widgets.bars import MARKS
from gexterm.ui.widgets.columns import EXTRAS, GAP, NUMBER, POSITION, VOLUME, Plan
from gexterm.ui.widgets.scale import Scale


def view(reading: Reading) -> str:
    """Whose side dealers are taken to be on, and from what: `customer-flow × volume`."""
    held = reading.positions
    basis = "" if held.basis == "none" else f" × {held.basis}"
    return words.clean(held.view) + basis


def scope(reading: Reading) -> str:
    """Which expiries: `0DTE`, `all`, `20 Nov`."""
    if reading.scope == "0dte":
        return "0DTE"
    return "all" if reading.scope == "all" else words.date(reading.scope)


def book(reading: Reading, width: int) -> Line:
    """Whose book is shown, on what evidence, and what is doubtful about it.

    The doubt is never cut away: the words around it give way first.
    """
    held = reading.positions
    name = Span(view(reading), "text", bold=True)
    which = Span(scope(reading), "text", bold=True)
    extra: list[Span] = []
    if reading.zero_dte.settled:
        extra.append(Span("  settled", "delayed", bold=True))
    if math.isfinite(held.signed_share):
        share = numbers.percent(held.signed_share).strip()
        extra += [Span("  signed ", "faint"), Span(share, "text")]
    label, expiries = Span("  sign view ", "faint"), Span("  expiries ", "faint")
    most = [Span(" dealers' book", "muted"), label, name, expiries, which, *extra]
    doubt = [Span("  ⚠ ", "warning")] if held.warning else []
    for left in (most, [Span(" view ", "faint"), name, expiries, which, *extra]):
        if cells(left) + cells(doubt) <= width:
            break
    room = width - cells(left) - 5
    if held.warning and room > 26:
        text = words.cut(f"⚠ {words.clean(held.warning)}", room).rstrip()
        return fit([*left, Span("  "), Span(text, "warning")], width)
    return ends(left, doubt, width) if cells(left) + cells(doubt) > width else fit(
        [*left, *doubt], width)  # fmt: skip


def titles(layout: Plan, scales: Mapping[str, Scale], reading: Reading, width: int) -> Line:
    """The name of each column."""
    heads: list[list[Span]] = []
    for greek in layout.greeks:
        scale = scales.get(greek.name)
        unit = f"${scale.unit[1] if scale and scale.label else ''}{greek.unit}"
        name = [Span(greek.name, "strong", bold=True), Span(f" {scope(reading)}", "muted")]
        heads.append(list(ends(name, [Span(unit, "muted")], layout.bar)))
    out: list[Span] = [Span(" ")]
    if len(heads) > 1:
        out += [*heads.pop(0), Span(" " * GAP)]
    out += [Span("strike".rjust(layout.strike), "muted"), Span(" " * (1 + layout.marks))]
    for head in heads:
        out += [Span(" " * GAP), *head]
    names = {POSITION: "dealer", VOLUME: "volume", "open interest": "open int."}
    for extra in layout.extras:
        out.append(Span(" " * GAP + names[extra].center(EXTRAS[extra]), "muted"))
    return fit(out, width)


def sides(layout: Plan, scales: Mapping[str, Scale], above: Line, width: int) -> Line:
    """What left and right mean, the scale, and the nearest level above the view."""
    heads: list[list[Span]] = []
    half = layout.half
    for greek in layout.greeks:
        scale = scales.get(greek.name)
        label = scale.label if scale else ""
        left, right = f"{greek.negative}◂", f"▸{greek.positive}"
        if half > len("dealers ") + len(left) + len(label):
            left = f"dealers {left}"
        roomy = half > max(len(left), len(right)) + len(label)
        head = [
            Span((label if roomy else "").ljust(half - len(left)), "faint"),
            Span(left[-half:], greek.roles[0]),
            Span(right[:half], greek.roles[1]),
            Span((label if roomy else "").rjust(half - len(right)), "faint"),
            Span(" " * (1 + NUMBER)),
        ]
        heads.append(head)
    out: list[Span] = [Span(" ")]
    if len(heads) > 1:
        out += [*heads.pop(0), Span(" " * GAP)]
    out += above
    for head in heads:
        out += [Span(" " * GAP), *head]
    for name in layout.extras:
        text = "holds" if name == POSITION else "calls  puts"
        out.append(Span(" " * GAP + text.center(EXTRAS[name]), "faint"))
    return fit(out, width)


def spot(reading: Reading, layout: Plan, width: int) -> Line:
    """The only line across everything: spot at its place between the strikes."""
    text = f" {numbers.price(reading.spot).strip()} "
    before = max(1, layout.left + layout.strike - len(text) + 4)
    rest = max(0, width - before - len(text))
    return fit(
        (
            Span("━" * before, "spot~"),
            Span(text, "background", "spot", bold=True),
            Span("━" * rest, "spot~"),
        ),
        width,
    )


def legend(frame: Frame, layout: Plan, below: Line, width: int) -> Line:
    """What the small marks are, and the nearest level below the view."""
    known = frame.reading.look_back if frame.reading else ()
    left: list[Span] = [Span(" ")]
    if frame.look_back and known:
        left.append(Span("was ", "faint"))
        minutes = {back.minutes for back in known}
        for ago, glyph, role in reversed(MARKS):
            if ago in minutes:
                left += [Span(glyph, role), Span(f"{ago} ", "faint")]
        left.append(Span("min ago", "faint"))
    return fit([*fit(left, layout.left), *below], width)


def waiting(frame: Frame, width: int, height: int) -> list[Line]:
    """Before the first Reading: what is being waited for."""
    name = words.clean(frame.info.underlying) or "the market"
    said = words.clean(frame.status.message) or frame.status.state
    middle = [
        Span(f"Waiting for {name} from {words.clean(frame.info.feed)}", "text"),
        Span(said, "muted"),
    ]
    lines: list[Line] = [fit((), width)] * max(0, height // 2 - 1)
    for span in middle:
        pad = max(0, (width - cells((span,))) // 2)
        lines.append(fit((Span(" " * pad), span), width))
    return lines


def empty(reading: Reading, width: int) -> list[Line]:
    """A Reading without strikes: say so, and why."""
    why = words.clean(reading.zero_dte.reason) or "no contract of these expiries is priced"
    return [
        book(reading, width),
        fit((), width),
        fit((Span(f" No strikes of expiries `{scope(reading)}`: {why}.", "text"),), width),
        fit((Span(" Another expiry scope may have some: press e.", "muted"),), width),
    ]
