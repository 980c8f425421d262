"""Expiries, nearest first: what dealers hold in each, and what it is priced at."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

from textual.events import Click
from textual.message import Message

from gexterm.reading.model import ExpiryLine, Reading
from gexterm.ui import numbers, words
from gexterm.ui.frame import BY_NAME, Frame, Greek
from gexterm.ui.ink import Line, Span, cell_len, fit
from gexterm.ui.widgets import captions
from gexterm.ui.widgets.bars import bar
from gexterm.ui.widgets.painted import Painted
from gexterm.ui.widgets.scale import Scale

NS = 1_000_000_000
DAY = 86_400 * NS
LEAST_HALF, MOST_HALF = 4, 14
"""Cells of half a bar."""
WORDED = 6
"""Half a bar above which `short◂▸long` can stand."""
UNITS = {"gamma": "$/1%", "vega": "$/pt", "vanna": "$/pt", "charm": "$/day", "delta": "$",
         "decay": "$ to close"}  # fmt: skip
"""What each greek is measured in here."""
SHORT = {"vega": "/pt", "vanna": "/pt", "charm": "/d"}
"""The same for what has a number alone, dollars understood."""


def value_of(line: ExpiryLine, greek: str, as_of: int) -> float:
    """An expiry's exposure in the unit of `UNITS`; NaN not known.

    An instant's charm says nothing where hours are left: of what settles within a day it is
    the delta gained until then.
    """
    if greek == "charm":
        soon = 0 <= line.settles_at - as_of < DAY
        if soon:
            return line.decay_to_close
        return line.charm_per_day
    return {
        "gamma": line.gex_per_1pct,
        "vega": line.vega_per_point,
        "vanna": line.vanna_per_point,
        "delta": line.delta_notional,
        "decay": line.decay_to_close,
    }[greek]


def is_today(line: ExpiryLine, reading: Reading) -> bool:
    """Whether it is the expiry of the 0DTE paradigm."""
    return bool(line.expiry) and f"{line.root} {line.expiry}" == reading.zero_dte.expiry


def in_scope(line: ExpiryLine, reading: Reading) -> bool:
    """Whether it belongs to the scope chosen."""
    if reading.scope == "all":
        return True
    if reading.scope == "0dte":
        return is_today(line, reading)
    return line.expiry == reading.scope


def when(expiry: str, as_of: int, width: int = 10) -> str:
    """`Fri 20 Nov`, `15 Jan ’27` in another year; what does not parse is shown as it is."""
    try:
        date = dt.date.fromisoformat(expiry)
    except ValueError:
        return words.cut(words.clean(expiry), width)
    now = words.eastern(as_of)
    same = now is None or now.year == date.year
    text = f"{date:%a %-d %b}" if same else f"{date:%-d %b} ’{date:%y}"
    return words.cut(text, width)


def left(settles_at: int, as_of: int) -> str:
    """Time left in six cells: `1h25m`, `3d`."""
    span = settles_at - as_of
    if settles_at <= 0:
        return numbers.DASH.rjust(6)
    if span < DAY:
        return numbers.duration(span / NS)
    return f"{span / DAY:.0f}d".rjust(6)


@dataclass(frozen=True, slots=True)
class Plan:
    """The columns of the table."""

    bars: tuple[Greek, ...]
    """What has bars."""
    half: int
    """Cells of half a bar."""
    numbers: tuple[Greek, ...]
    """What has a number alone."""
    contracts: bool
    """Whether contracts are told."""
    iv: bool
    """Whether the volatility at the forward is."""
    forward: bool
    """Whether the forward is."""
    smile: bool
    """Whether it is told how the smile was made."""


BASE = 30
"""Cells of mark, date, time left, root, settlement."""


def side_words(greek: Greek, half: int) -> str:
    """Which side is which, above `2 · half` cells of a bar: `short◂▸long`."""
    if half > max(len(greek.negative), len(greek.positive)):
        return (greek.negative + "◂").rjust(half) + ("▸" + greek.positive).ljust(half)
    return greek.negative[:half].rjust(half) + greek.positive[:half].ljust(half)


def plan(width: int, greek: str) -> Plan:
    """Columns for a width: gamma and the chosen greek as bars, then what else there is room for."""
    chosen = [BY_NAME["gamma"]] + ([BY_NAME[greek]] if greek != "gamma" else [])
    others = [BY_NAME[n] for n in ("charm", "vanna", "vega") if n != greek]

    def needs(bars: int, half: int, rest: int) -> int:
        return BASE + bars * (2 * half + numbers.SI_WIDTH + 2) + rest

    while len(chosen) > 1 and needs(len(chosen), LEAST_HALF, 0) > width:
        chosen.pop(0)
    rest, taken = 0, set()
    for name, cells in (
        ("iv", 7), ("contracts", 7), (others[0].name, 10), (others[1].name, 10), ("smile", 9),
        *((other.name, 10) for other in others[2:]), ("forward", 10),
    ):  # fmt: skip
        if needs(len(chosen), LEAST_HALF if name == "iv" else WORDED, rest + cells) <= width:
            rest += cells
            taken.add(name)
    half = LEAST_HALF
    while half < MOST_HALF and needs(len(chosen), half + 1, rest) <= width:
        half += 1
    return Plan(
        tuple(chosen), half,
        tuple(BY_NAME[n] for n in ("vega", "vanna", "charm") if n in taken),
        "contracts" in taken, "iv" in taken, "forward" in taken, "smile" in taken,
    )  # fmt: skip


class ExpiryTable(Painted):
    """The table, with one row chosen."""

    class Chosen(Message):
        """Another row was chosen."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as in every widget
        super().__init__(id=id)
        self.key: tuple[str, str] | None = None
        """Root and date of the chosen expiry; None: the first."""
        self._top = 0
        self._scales: dict[str, Scale] = {}
        self._book: tuple[object, ...] = ()

    # -- the chosen row ----------------------------------------------------------------

    def _listed(self) -> Sequence[ExpiryLine]:
        return self.frame.reading.expiries if self.frame and self.frame.reading else ()

    def chosen(self) -> ExpiryLine | None:
        """The chosen expiry; the first where there is none, or it has settled."""
        lines = self._listed()
        return next(
            (e for e in lines if (e.root, e.expiry) == self.key), lines[0] if lines else None
        )

    def _choose(self, index: int) -> None:
        lines = self._listed()
        if not lines:
            return
        line = lines[max(0, min(index, len(lines) - 1))]
        before, self.key = self.key, (line.root, line.expiry)
        self.repaint()
        if self.key != before:
            self.post_message(self.Chosen())

    def scroll_rows(self, rows: int) -> None:
        """The next row, or the one before."""
        lines, chosen = self._listed(), self.chosen()
        if chosen is not None:
            self._choose(list(lines).index(chosen) + rows)

    def follow(self) -> None:
        """Back to the first."""
        self._choose(0)

    def on_click(self, event: Click) -> None:
        """The row clicked."""
        at = event.y - HEAD + self._top
        if event.y >= HEAD and at < len(self._listed()) and event.y < HEAD + self._room(
            len(self._listed()), self.size.height
        ):  # fmt: skip
            self._choose(at)

    @staticmethod
    def _room(count: int, height: int) -> int:
        """Rows for expiries: below the head, above the totals and what is left out."""
        room = max(1, height - HEAD - 1)
        return room if count <= room else max(1, room - 1)

    # -- painting ----------------------------------------------------------------------

    def paint(self, frame: Frame, width: int, height: int) -> list[Line]:
        """Head, a row for each expiry, what was left out, totals."""
        reading = frame.reading
        if reading is None or not reading.expiries:
            why = "nothing is known yet" if reading is None else "no expiry is listed"
            return [
                _rule("expiries", width),
                fit((Span(f" {numbers.DASH} {why}", "faint"),), width),
            ]
        lines = reading.expiries
        layout = plan(width, frame.greek)
        book = (reading.underlying, reading.positions.view)
        if book != self._book:
            self._scales, self._book = {}, book
        for greek in layout.bars:
            sizes = [abs(value_of(e, greek.name, reading.as_of)) for e in lines]
            known = [size for size in sizes if math.isfinite(size)]
            scale = self._scales.setdefault(greek.name, Scale())
            scale.follow(max(known, default=math.nan), reading.as_of)
        chosen = self.chosen()
        at = list(lines).index(chosen) if chosen is not None else 0
        room = self._room(len(lines), height)
        self._top = max(0, min(self._top, len(lines) - room))
        self._top = min(max(self._top, at - room + 1), at)
        out = [*self._head(reading, layout, width)]
        out += [
            self._row(line, reading, layout, width, chosen=line is chosen)
            for line in lines[self._top : self._top + room]
        ]
        above, below = self._top, len(lines) - self._top - room
        if above > 0 or below > 0:
            said = [f"▼ +{below} more" if below > 0 else "", f"▲ +{above} above" if above else ""]
            out.append(fit((Span("  " + "  ".join(filter(None, said)), "muted"),), width))
        if len(out) < height:
            out.append(self._total(lines, reading, layout, width))
        return out

    def _head(self, reading: Reading, layout: Plan, width: int) -> list[Line]:
        """What the columns are, and which side is which."""
        parts = [
            Span(f"─ {len(reading.expiries)} expiries ", "muted", bold=True),
            *captions.brief(reading),
            Span("  ● ", "lis"),
            Span(f"in scope: {captions.scope(reading)}  ", "faint"),
        ]
        note = "charm: what settles within a day, until then "
        if sum(cell_len(p.text) for p in parts) + len(note) < width - 4:
            parts.append(Span(note, "faint"))
        used = sum(cell_len(part.text) for part in parts)
        rule = fit((*parts, Span("─" * max(0, width - used), "line")), width)
        first: list[Span] = [Span("  expiry       left root".ljust(BASE), "faint")]
        if layout.contracts:
            first.append(Span("contr. ", "faint"))
        for greek in layout.bars:
            title = f"{greek.name} {UNITS[greek.name]}"
            sides = side_words(greek, layout.half).rstrip()
            room = 2 * layout.half + numbers.SI_WIDTH + 1 - len(sides)
            told = title if len(title) < room else greek.name
            first.append(Span(f"{sides}{told:>{room}} ", "faint"))
        first += [
            Span(f"{greek.name + ' ' + SHORT[greek.name]:>9} ", "faint") for greek in layout.numbers
        ]
        if layout.iv:
            first.append(Span("ATM iv ", "faint"))
        if layout.forward:
            first.append(Span("  forward ", "faint"))
        if layout.smile:
            first.append(Span("smile    ", "faint"))
        return [rule, fit(first, width)]

    def _row(
        self, line: ExpiryLine, reading: Reading, layout: Plan, width: int, *, chosen: bool
    ) -> Line:
        today, now = is_today(line, reading), reading.as_of
        role = "strong" if today else "text"
        scope = Span("● " if in_scope(line, reading) else "  ", "lis")
        settles = {"AM": "AM", "PM": "PM", "08:00 UTC": "08Z"}.get(line.settlement, "")
        out: list[Span] = [
            scope,
            Span(f"{when(line.expiry, now)} ", role, bold=today or chosen),
            Span(f"{left(line.settles_at, now)} ", "text" if today else "muted"),
            Span(words.cut(words.clean(line.root), 5) + " ", role, bold=today),
            Span(f"{settles or words.cut(words.clean(line.settlement), 3):<3} ", "muted"),
        ]
        if layout.contracts:
            out.append(Span(f"{numbers.compact(line.contracts):>6} ", "muted"))
        ground = "raised" if chosen else "background"
        for greek in layout.bars:
            value = value_of(line, greek.name, now)
            out += bar(value, self._scales[greek.name].limit, layout.half, greek.roles,
                       background=ground)  # fmt: skip
            out.append(Span(f" {_amount(value)} ", role))
        for greek in layout.numbers:
            out.append(Span(f"{_amount(value_of(line, greek.name, now)):>9} ", role))
        if layout.iv:
            out.append(Span(f"{numbers.percent(line.atm_iv, 6, 1)} ", role))
        if layout.forward:
            out.append(Span(f"{numbers.price(line.forward, 9)} ", "muted"))
        if layout.smile:
            out.append(Span(words.cut(words.clean(line.smile) or numbers.DASH, 9), "muted"))
        row = fit(out, width)
        if not chosen:
            return row
        return tuple(span if span.bg else span._replace(bg="raised") for span in row)

    def _total(
        self, lines: Sequence[ExpiryLine], reading: Reading, layout: Plan, width: int
    ) -> Line:
        """Sums of what is known; of a column that has holes it is said."""

        def summed(name: str) -> tuple[float, int]:
            known = [v for v in (value_of(e, name, reading.as_of) for e in lines) if v == v]
            return (sum(known) if known else math.nan), len(lines) - len(known)

        holes = max((summed(g.name)[1] for g in (*layout.bars, *layout.numbers)), default=0)
        said = f"of {len(lines) - holes} or more" if 0 < holes < len(lines) else ""
        out: list[Span] = [Span(f"  {'together':<11}", "muted", bold=True),
                           Span(f"{said:<{BASE - 13}}", "faint")]  # fmt: skip
        if layout.contracts:
            out.append(Span(f"{numbers.compact(sum(e.contracts for e in lines)):>6} ", "muted"))
        for greek in layout.bars:
            out.append(Span(" " * (2 * layout.half + 1)))
            out.append(Span(_amount(summed(greek.name)[0]) + " ", "text", bold=True))
        out += [
            Span(f"{_amount(summed(greek.name)[0]):>9} ", "text", bold=True)
            for greek in layout.numbers
        ]
        return fit(out, width)


HEAD = 2
"""Rows above the first expiry."""


def _amount(value: float) -> str:
    return numbers.si(value, plus=True)


def _rule(title: str, width: int) -> Line:
    text = f"─ {title} "
    return fit((Span(text, "faint"), Span("─" * max(0, width - len(text)), "line")), width)
