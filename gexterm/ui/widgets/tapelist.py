"""The signed tape, newest first: each print with its quote, its side, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from gexterm.reading.inquiry import Print, TapeTail
from gexterm.reading.model import Positions
from gexterm.ui import numbers, words
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, cell_len, ends, fit
from gexterm.ui.widgets import evidence
from gexterm.ui.widgets.painted import Painted

SIZES = (0.0, 1.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0)
"""Least sizes that the filter goes through, contracts."""
GAUGE = 9
"""Cells of the picture of a price between its quote."""
SURE = 0.8
"""P from which a side is shown in full colour."""
NARROW = 96
"""Below this width the columns stand closer, so that the evidence keeps a place."""

TIGHT = 64
"""Below this width only time, contract, size and side are told."""


def gauge(one: Print) -> list[Span]:
    """Where the price lay between bid and offer: `├──●────┤`; beyond them, on the outside."""
    bid, ask, price = one.bid, one.ask, one.price
    if not (math.isfinite(bid) and math.isfinite(ask) and ask > bid):
        known = math.isfinite(bid) or math.isfinite(ask)
        return [Span(("crossed" if known and ask <= bid else "no quote").ljust(GAUGE), "faint")]
    cells = ["─"] * GAUGE
    cells[0], cells[-1] = "├", "┤"
    share = (price - bid) / (ask - bid)
    at = round(share * (GAUGE - 1))
    mark = "●" if 0 <= share <= 1 else "◂" if share < 0 else "▸"
    at = max(0, min(GAUGE - 1, at))
    return [
        Span("".join(cells[:at]), "faint"),
        Span(mark, "strong", bold=True),
        Span("".join(cells[at + 1 :]), "faint"),
    ]


def side(one: Print) -> list[Span]:
    """What the dealer did, and P of it; quiet where it is in doubt."""
    p = one.p_buy
    if not math.isfinite(p):
        return [Span("· unsigned    ", "faint")]
    bought = p >= 0.5
    sure = p if bought else 1.0 - p
    role = "buy" if bought else "sell"
    word = "▲ bought" if bought else "▼ sold"
    return [
        Span(f"{word:<9}", role if sure >= SURE else role + "~", bold=sure >= SURE),
        Span(f"{numbers.chance(sure):>4} ", "muted"),
    ]


def contract(one: Print) -> str:
    """`6,050C 0DTE`-like: strike, right and date, short."""
    strike = numbers.strike(one.strike)
    return f"{strike}{one.right} {one.expiry[5:]}"


def _name_width(width: int) -> int:
    """Cells for the contract: on a small screen no more than it takes, for the evidence's sake."""
    return 13 if width < NARROW else 16


def _known(value: float) -> float:
    """The same, with one NaN for all of them: a table finds that one again, and no other."""
    return value if value == value else math.nan


def row(one: Print, width: int, *, zero: str) -> Line:
    """One print. `zero`: today's date, which is told as 0DTE."""
    dollars = numbers.compact(one.delta_notional, plus=True).rjust(8)
    still = replace(
        one, delta_notional=math.nan, bid=_known(one.bid), ask=_known(one.ask),
        p_buy=_known(one.p_buy), p_dealer=_known(one.p_dealer),
    )  # fmt: skip
    return _row(still, dollars, width, zero)


@lru_cache(maxsize=1024)
def _row(one: Print, dollars: str, width: int, zero: str) -> Line:
    """A print and its delta, which goes on with the market: all else of it stands still."""
    gone = one.state != "live"
    name = contract(one)
    tight = width < TIGHT
    if zero and one.expiry == zero:
        name = name[: -len(one.expiry[5:])] + "0DTE"
    spans: list[Span] = [
        Span(f"{'' if tight else ' '}{words.clock(one.at, with_seconds=not tight)} ", "muted"),
        Span(words.cut(words.clean(name), _name_width(width)) + " ", "text"),
        Span(f"{numbers.compact(one.size):>5} ", "strong" if one.size >= 100 else "text",
             bold=one.size >= 100),
        *(() if tight else (Span(f"{numbers.fixed(one.price, 2, 8)} "), *gauge(one), Span(" "))),
        *side(one),
    ]  # fmt: skip
    used = sum(len(span.text) for span in spans)
    spans.append(Span(f"{dollars} ", "muted"))
    used += 9
    tail = [evidence.name(one.evidence)]
    if one.condition not in ("regular", "not given") and width - used >= 18:
        tail.append(words.clean(one.condition))
    if one.package >= 0:
        tail.append(f"leg of {one.package}")
    if gone:
        tail.insert(0, one.state)
    gap = " " * (width >= NARROW)
    spans.append(Span(gap + words.cut(" · ".join(tail), max(0, width - used - len(gap))), "muted"))
    line = fit(spans, width)
    return tuple(span._replace(fg="faint") for span in line) if gone else line


def heads(width: int) -> Line:
    """What the columns are."""
    if width < TIGHT:
        text = "time".ljust(6) + "contract".ljust(_name_width(width) + 1) + "size".rjust(5)
        return fit((Span(words.cut(text + " the dealer", width), "muted"),), width)
    text = " " + "time".ljust(9) + "contract".ljust(_name_width(width) + 1) + "size".rjust(5)
    text += " " + "price".rjust(8) + " " + "bid".ljust(GAUGE - 3) + "ask "
    text += "the dealer".ljust(14) + "Δ gained".rjust(8) + " " * (1 + (width >= NARROW))
    left = width - len(text)
    return fit((Span(text + words.cut("evidence", min(8, max(0, left))), "muted"),), width)


def summary(held: Positions, width: int) -> Line:
    """How much of the tape is signed, and on what grounds."""
    spans = [Span(" SIGNED ", "muted", bold=True)]
    if math.isfinite(held.signed_share):
        low = held.signed_share < evidence.SIGNED_LOW
        spans.append(Span(f"{held.signed_share:.0%} of the volume", "warning" if low else "strong"))
    else:
        spans.append(Span("–  no print yet", "muted"))
    told = [Span(f"  {each}", "muted") for each in evidence.listed(held.by_evidence)]
    reasons = [Span(f"  {each}", "faint") for each in evidence.listed(evidence.unsigned(held))]
    if reasons:
        reasons[0] = Span(f"   unsigned:{reasons[0].text}", "faint")
    return _as_many((*spans, Span(" ")), (*told, *reasons), width)


def _as_many(before: Sequence[Span], items: Sequence[Span], width: int) -> Line:
    """As many as there is room for, and how many there is none for."""
    room = width - sum(cell_len(span.text) for span in before)
    for shown in range(len(items), -1, -1):
        left = len(items) - shown
        more = (Span(f"  +{left} more", "faint"),) if left else ()
        line = (*items[:shown], *more)
        if sum(cell_len(span.text) for span in line) <= room:
            return fit((*before, *line), width)
    return fit(before, width)


class TapeList(Painted):
    """Prints, newest first; scrolled, it stays where it is while others come."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as in every widget
        super().__init__(id=id)
        self.tail: TapeTail | None = None
        """The newest prints, as far as asked for."""
        self.why = ""
        """Why there is nothing to show."""
        self.least = 0
        """Index of the size filter in `SIZES`."""
        self.skip = 0
        """Prints above the view."""
        self.from_row = -1
        """Row of the tape at which a scrolled view begins; −1: at the newest."""

    def wanted(self) -> int:
        """How many prints to ask for."""
        return max(1, self.size.height) + self.skip + (200 if self.skip else 0)

    def in_view(self) -> list[Print]:
        """Prints from the top of the view on."""
        prints = self.tail.prints if self.tail else ()
        if self.from_row < 0:
            return list(prints)
        return [one for one in prints if one.row <= self.from_row]

    def scroll_rows(self, rows: int) -> None:
        """Older or newer; back at the top it follows the tape again."""
        prints = self.tail.prints if self.tail else ()
        first = next((i for i, one in enumerate(prints) if one.row <= self.from_row), 0)
        at = max(0, min(len(prints) - 1, (first if self.from_row >= 0 else 0) + rows))
        self.skip = at
        self.from_row = prints[at].row if at > 0 and prints else -1

    def paint(self, frame: Frame, width: int, height: int) -> Sequence[Line]:
        """Title, columns, prints."""
        reading = frame.reading
        least = SIZES[self.least]
        title = [Span(" TAPE", "muted", bold=True)]
        held = self.from_row >= 0
        title.append(Span("  held: Home follows" if held else "  newest first", "muted"))
        if least:
            title.append(Span(f"   ≥ {least:g} contracts", "lis", bold=True))
        seen = f"{self.tail.seen:,} prints " if self.tail else ""
        lines: list[Line] = [ends(title, [Span(seen, "muted")], width)]
        if reading is not None and height >= 8:
            lines.append(summary(reading.positions, width))
        lines.append(heads(width))
        zero = reading.zero_dte.expiry.rpartition(" ")[2] if reading else ""
        prints = self.in_view()
        room = height - len(lines)
        lines += [row(one, width, zero=zero) for one in prints[:room]]
        if not prints:
            why = self.why or (self.tail.why_none if self.tail else "") or (
                "no print passes the filter" if self.tail else "asking …")  # fmt: skip
            lines += [(), (Span(f"  {words.clean(why)}", "muted"),)]
        return lines[:height]
