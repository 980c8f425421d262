"""The book under every sign view: a table, one axis for all their levels, and where they part."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gexterm.dealers.conventions import CONVENTIONS
from gexterm.reading.model import Reading, View
from gexterm.ui import numbers, words
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, fit
from gexterm.ui.widgets.painted import Painted
from gexterm.ui.widgets.topline import gamma_role
from gexterm.ui.widgets.views import DIFFERS, differences, verdict

REACH = 0.012
"""Share of spot to either side that the axis of levels reaches at least."""
NAME = 16
"""Cells of a view's name."""
ASSUMED = {
    "combined": "today's signed trades, on top of what stands behind them (the prior, or the book "
    "carried over from the last recorded day)",
    "flow": "today's signed trades alone: what dealers took on since the session was first seen",
}
"""What the inferred views are made of."""
MARKS = (("flip", "┄", "flip"), ("lis_lower", "▾", "lis"), ("lis_upper", "▴", "lis"),
         ("target", "◎", "target"))  # fmt: skip
"""Level, its glyph and its colour on the axis."""

Column = tuple[str, int]
NARROW: tuple[Column, ...] = (("gamma", 11), ("GEX $/1%", 9), ("flip", 8), ("paradigm", 14))
LINES: tuple[Column, ...] = (("LIS ▾", 8), ("LIS ▴", 8), ("target", 8))
CHARM: tuple[Column, ...] = (("charm below", 12), ("charm above", 12))


def columns(width: int) -> tuple[Column, ...]:
    """Columns that there is room for, besides the name."""
    found = NARROW
    for more in (LINES, CHARM):
        if NAME + 2 + sum(cells for _, cells in (*found, *more)) <= width:
            found = (*found, *more)
    return found


def _cell(view: View, title: str, cells: int, differs: tuple[bool, bool, bool]) -> list[Span]:
    gamma, flip, label = differs
    mark = Span(" ")
    if title == "gamma":
        sure = view.probability_short
        sure = 1.0 - sure if view.gamma == "long" else sure
        chance = numbers.chance(sure) if math.isfinite(sure) else ""
        mark = Span(DIFFERS if gamma else " ", "warning")
        text = f"{view.gamma:<6}{chance:>4}"
        return [mark, Span(text.ljust(cells - 1)[: cells - 1], gamma_role(view.gamma))]
    if title == "GEX $/1%":
        return [Span(numbers.compact(view.gex_per_1pct).rjust(cells), "text")]
    if title == "flip":
        text = numbers.level(view.flip)
        pad = " " * (cells - 1 - len(text))
        return [Span(pad), Span(DIFFERS if flip else " ", "warning"), Span(text, "flip")]
    if title == "paradigm":
        chance = numbers.chance(view.probability) if math.isfinite(view.probability) else ""
        return [
            Span(" "),
            Span(DIFFERS if label else " ", "warning"),
            Span(f"{view.paradigm:<8}{chance:>4}".ljust(cells - 2)[: cells - 2], "text"),
        ]
    name = {"LIS ▾": "lis_lower", "LIS ▴": "lis_upper", "target": "target"}.get(title)
    if name:
        role = "target" if name == "target" else "lis"
        return [Span(numbers.level(getattr(view, name)).rjust(cells), role)]
    value = view.charm_below if title == "charm below" else view.charm_above
    side = "" if math.isnan(value) or value == 0 else " sell" if value > 0 else " buy"
    told = f"{numbers.compact(value)}{side:<5}".rjust(cells)
    return [Span(told, "sell" if value > 0 else "buy" if value < 0 else "muted")]


def table(reading: Reading, at: int, width: int) -> list[Line]:
    """One row for each view, with the chosen one marked and the cursor on the `at`th."""
    views = reading.agreement.views
    shown = columns(width)
    head = [Span(" view".ljust(NAME + 2), "muted")]
    for title, cells in shown:
        left = title in ("gamma", "paradigm")
        pad = " " + title.ljust(cells - 1) if left else title.rjust(cells)
        head.append(Span(("  " + title).ljust(cells) if title == "paradigm" else pad, "muted"))
    lines: list[Line] = [fit(head, width)]
    chosen = next((view for view in views if view.view == reading.positions.view), None)
    for number, view in enumerate(views):
        on, is_chosen = number == at, view is chosen
        differs = (
            (False, False, False)
            if chosen is None or is_chosen
            else differences(view, chosen, reading.spot)
        )
        spans = [
            Span("▸" if on else " ", "strong"),
            Span("●" if is_chosen else " ", "lis"),
            Span(words.cut(words.clean(view.view), NAME).ljust(NAME),
                 "strong" if is_chosen else "text", bold=is_chosen),
        ]  # fmt: skip
        for title, cells in shown:
            spans += _cell(view, title, cells, differs)
        line = fit(spans, width)
        lines.append(tuple(span._replace(bg="glow") for span in line) if on else line)
    return lines


def axis(reading: Reading, width: int) -> list[Line]:
    """Levels of all views on one axis of prices: where they lie together, views agree."""
    views, spot = reading.agreement.views, reading.spot
    room = width - NAME - 4
    if not math.isfinite(spot) or room < 24 or not views:
        return []
    found = [getattr(view, name) for view in views for name, _, _ in MARKS]
    far = max((abs(x - spot) for x in found if math.isfinite(x)), default=0.0)
    reach = min(max(REACH * spot, 1.05 * far), 0.05 * spot)
    middle = room // 2

    def place(price: float) -> int:
        return middle + round((price - spot) / reach * (room // 2 - 1))

    lines: list[Line] = []
    for view in views:
        cells: list[Span] = [Span("·", "faint")] * room
        cells[middle] = Span("┃", "spot")
        beyond = 0
        for name, glyph, role in MARKS:
            price = getattr(view, name)
            if not math.isfinite(price):
                continue
            at = place(price)
            if 0 <= at < room:
                cells[at] = Span(glyph, role, bold=True)
            else:
                beyond += 1
        tail = f"+{beyond}" if beyond else ""
        chosen = view.view == reading.positions.view
        lines.append(
            (
                Span(f"  {words.cut(words.clean(view.view), NAME):<{NAME}}",
                     "strong" if chosen else "muted"),
                *cells,
                Span(f"{tail:<2}", "faint"),
            )
        )  # fmt: skip
    low, high = numbers.level(spot - reach), numbers.level(spot + reach)
    here = numbers.price(spot)
    scale = low + here.center(room - len(low) - len(high)) + high
    lines.append((Span(" " * (NAME + 2)), Span(scale, "faint")))
    key = "  ".join(f"{glyph} {name.replace('_', ' ').replace('lis', 'LIS')}"
                    for name, glyph, _ in MARKS)  # fmt: skip
    lines.append((Span(" " * (NAME + 2)), Span(key, "muted")))
    return lines


def _groups(views: Sequence[View], of: str) -> str:
    """Which views say what, in a sentence."""
    said: dict[str, list[str]] = {}
    for view in views:
        value = getattr(view, of)
        if of == "flip":
            value = f"flip {numbers.level(value)}" if math.isfinite(value) else "no flip"
        said.setdefault(str(value), []).append(words.clean(view.view))
    return ";  ".join(f"{value}: {', '.join(names)}" for value, names in said.items())


def parting(reading: Reading, width: int) -> list[Line]:
    """Where views disagree, and how."""
    found = reading.agreement
    lines: list[Line] = [
        fit((Span(" WHERE THEY PART  ", "muted", bold=True), verdict(found)), width)
    ]
    for what in ("gamma", "flip", "paradigm"):
        if what in found.disagree:
            for number, text in enumerate(words.wrap(_groups(found.views, what), width - 12, 3)):
                head = f"  {what:<9}" if not number else " " * 11
                lines.append((Span(head, "warning"), Span(text, "text")))
    return lines


def about(view: View, reading: Reading, width: int) -> list[Line]:
    """What the view under the cursor takes for granted."""
    name = view.view
    lines: list[Line] = [(Span(f" {words.clean(name).upper()}", "lis", bold=True),)]
    if name in CONVENTIONS:
        convention = CONVENTIONS[name]
        said = f"{convention.description}. {convention.help}"
        lines.append((Span("  an assumption, the same for every contract", "warning"),))
    else:
        said = ASSUMED.get(name, "given from outside")
        share = reading.positions.signed_share
        signed = f"{share:.0%} of the printed volume signed" if math.isfinite(share) else ""
        prior = f"behind it: {words.clean(reading.positions.prior)}" if (
            reading.positions.prior and name == reading.positions.view) else ""  # fmt: skip
        facts = " · ".join(part for part in ("an inference", signed, prior) if part)
        lines.append((Span(f"  {words.cut(facts, width - 3)}", "muted"),))
    lines += [(Span("  " + text, "text"),) for text in words.wrap(said, width - 4, 4)]
    if name == reading.positions.view and reading.positions.warning:
        told = words.wrap("⚠ " + reading.positions.warning, width - 4, 2)
        lines += [(Span("  " + text, "warning"),) for text in told]
    return lines


class ViewTable(Painted):
    """All views, with a cursor."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as in every widget
        super().__init__(id=id)
        self.at = 0
        """Row of the cursor."""

    def chosen(self) -> str:
        """Name of the view under the cursor; empty where there is none."""
        reading = self.frame.reading if self.frame else None
        views = reading.agreement.views if reading else ()
        return views[min(self.at, len(views) - 1)].view if views else ""

    def paint(self, frame: Frame, width: int, height: int) -> Sequence[Line]:
        """Table, axis, where they part, and what the one under the cursor assumes."""
        reading = frame.reading
        if reading is None or not reading.agreement.views:
            return [(), (Span("  no Reading yet", "muted"),)]
        views = reading.agreement.views
        at = min(self.at, len(views) - 1)
        air: list[Line] = [()]
        wide = frame.density == "comfortable"
        blocks = [table(reading, at, width), parting(reading, width),
                  about(views[at], reading, width), axis(reading, width)]  # fmt: skip
        # What does not fit goes from the end: the axis repeats what the table says.
        while len(blocks) > 1 and sum(len(b) for b in blocks) + len(blocks) > height:
            blocks.pop()
        out: list[Line] = [] if height < 16 else [()]
        for number, block in enumerate(blocks):
            out += [*(air * (2 if wide and height > 40 else 1) if number else []), *block]
        return out[:height]
