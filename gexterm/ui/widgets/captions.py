"""What stands around the strikes: whose book, which greek, which side, spot, legend."""

from __future__ import annotations

from collections.abc import Mapping

from gexterm.reading.model import Reading
from gexterm.ui import numbers, words
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, ends, fit
from gexterm.ui.ink import width as cells
from gexterm.ui.widgets.bars import HATCH, MARKS
from gexterm.ui.widgets.certainty import inferred, since
from gexterm.ui.widgets.columns import NUMBER, POSITION, VOLUME, Plan
from gexterm.ui.widgets.scale import Scale


def view(reading: Reading) -> str:
    """Whose side dealers are taken to be on, and from what: `customer-flow × volume`.

    An inferred view says from when trades are signed instead.
    """
    held = reading.positions
    if inferred(held):
        return words.clean(held.view)
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
    from_when: list[Span] = []
    if inferred(held):
        share = numbers.percent(held.signed_share).strip()
        from_when = [Span(f" {since(held)}", "muted" if held.epoch else "warning")]
        extra += [Span("  signed ", "faint"), Span(share, "text")]
    label, expiries = Span("  sign view ", "faint"), Span("  expiries ", "faint")
    least = [Span(" view ", "faint"), name, expiries, which]
    most = [Span(" dealers' book", "muted"), label, name, *from_when, expiries, which, *extra]
    why = held.trap or held.warning
    doubt = [Span("  ⚠ ", "warning")] if held.warning else []
    if held.trap:
        doubt = [Span("  "), Span(" ⚠ SIGNING TRAP ", "background", "warning", bold=True)]
    for left in (
        most,
        [Span(" view ", "faint"), name, *from_when, expiries, which, *extra],
        [*least, *extra],
        least,
    ):
        if cells(left) + cells(doubt) <= width:
            break
    lead = [Span("  ")] if not held.trap else [*doubt, Span(" ")]
    room = width - cells(left) - cells(lead) - 3
    if why and room > 26:
        glyph = "" if held.trap else "⚠ "
        text = words.cut(f"{glyph}{words.clean(why)}", room).rstrip()
        return fit([*left, *lead, Span(text, "warning")], width)
    return ends(left, doubt, width) if cells(left) + cells(doubt) > width else fit(
        [*left, *doubt], width)  # fmt: skip


def brief(reading: Reading) -> list[Span]:
    """The same in a few words, for a title: `combined · signed 91% ⚠`."""
    held = reading.positions
    out = [Span(view(reading), "muted")]
    if inferred(held):
        out.append(Span(f" · signed {numbers.percent(held.signed_share).strip()}", "muted"))
    if held.trap or held.warning:
        out.append(Span(" ⚠", "warning", bold=bool(held.trap)))
    return out


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
        out += [*heads.pop(0), Span(" " * layout.gap)]
    out += [Span("strike".rjust(layout.strike), "muted"), Span(" " * (1 + layout.marks))]
    for head in heads:
        out += [Span(" " * layout.gap), *head]
    names = {POSITION: "dealer", VOLUME: "volume", "open interest": "open int."}
    for extra in layout.extras:
        out.append(Span(" " * layout.gap + names[extra].center(layout.cells(extra)), "muted"))
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
        out += [*heads.pop(0), Span(" " * layout.gap)]
    out += above
    for head in heads:
        out += [Span(" " * layout.gap), *head]
    for name in layout.extras:
        text = "calls  puts"
        if name == POSITION:
            text = "holds  ±sd" if layout.errors else "holds"
        out.append(Span(" " * layout.gap + text.center(layout.cells(name)), "faint"))
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
        left.append(Span("min ago" if cells(left) + 8 <= layout.left else "min", "faint"))
    right: list[Span] = []
    if layout.errors:
        roomy = layout.left + layout.axis + layout.gap + 29 <= width
        said = " sign in doubt: |x| < 1 sd" if roomy else " sign in doubt"
        right = [Span(" " * layout.gap), Span(HATCH * 2, "muted"), Span(said, "faint")]
    return fit([*fit(left, layout.left), *below, *right], width)


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
