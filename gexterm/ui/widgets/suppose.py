"""What if: the supposition in a strip, and the whole book now and then in a table."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gexterm.reading.inquiry import Curves, Suppose, Supposed
from gexterm.reading.model import Band, Hedging, Reading
from gexterm.ui import numbers, words
from gexterm.ui.actions import cap
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, ends, fit
from gexterm.ui.ink import width as cells
from gexterm.ui.widgets.certainty import doubtful, known, probability
from gexterm.ui.widgets.sand import missing

NS = 1_000_000_000
NO_BAND = Band()
NOTHING = Suppose()
"""The market as it is."""
NAME, VALUE, CHANGE = 13, 11, 9
"""Cells of the table's columns."""
LEAST = NAME + 2 * VALUE + 3
"""Cells below which the change has no column."""


@dataclass(frozen=True, eq=False, slots=True)
class Asked:
    """What was asked beyond the frame, and what has been answered."""

    suppose: Suppose = NOTHING
    """What is supposed now."""
    supposed: Supposed | None = None
    """The book under the last supposition that was answered."""
    today: Curves | None = None
    """Curves under the market as it is."""
    then: Curves | None = None
    """Curves under the last supposition that was answered."""
    pending: bool = False
    """Whether an answer to `suppose` is on its way."""
    old: bool = False
    """Whether what is shown answers another question."""
    why: str = ""
    """Why the last question could not be answered."""


# -- the strip ---------------------------------------------------------------------------


def _signed(value: float, unit: str, decimals: int = 1) -> str:
    return f"{numbers.sign_of(value, plus=True)}{abs(value):.{decimals}f}{unit}"


def later(minutes: float) -> str:
    """`+45m`, `+3h24m`."""
    whole = round(minutes)
    hours, rest = divmod(whole, 60)
    return f"+{hours}h{rest:02}m" if hours else f"+{rest}m"


def parts(suppose: Suppose, reading: Reading) -> list[str]:
    """What is supposed, piece by piece."""
    out = []
    if suppose.spot_change:
        spot = reading.spot * (1 + suppose.spot_change)
        tenths = 1000 * suppose.spot_change
        decimals = 1 if abs(tenths - round(tenths)) < 1e-6 else 2
        change = _signed(100 * suppose.spot_change, " %", decimals)
        out.append(f"spot {change} {numbers.price(spot).strip()}")
    if suppose.vol_points:
        out.append(f"vol {_signed(suppose.vol_points, '')}")
    if suppose.minutes:
        at = words.clock(reading.as_of + round(suppose.minutes * 60) * NS, with_seconds=False)
        out.append(f"{at} ET ({later(suppose.minutes)})")
    return out


def _key(frame: Frame, *actions: str) -> str:
    return " ".join(cap(frame.keys[name][0]) for name in actions if frame.keys.get(name))


def strip(frame: Frame, asked: Asked, width: int) -> Line:
    """The supposition in the colour of what is not the market; how to make one otherwise."""
    reading = frame.reading
    if reading is None:
        return fit((), width)
    if asked.why:
        return fit((Span(" no answer: ", "warning"),
                    Span(words.cut(asked.why, max(0, width - 13)), "text")), width)  # fmt: skip
    if frame.inquire is None:
        return fit((Span(" What if: nobody is there to be asked", "muted"),), width)
    if not asked.suppose.anything:
        hints = [
            (_key(frame, "suppose_spot_down", "suppose_spot_up"), "spot 0.1 %"),
            (_key(frame, "suppose_vol_down", "suppose_vol_up"), "vol 0.5"),
            (_key(frame, "suppose_earlier", "suppose_later"), "15 min"),
        ]
        spans = [Span(" what if ", "muted")]
        for key, does in hints:
            if key:
                spans += [Span(f"  {key}", "text", bold=True), Span(f" {does}", "muted")]
        return fit(spans, width)
    told = " · ".join(parts(asked.suppose, reading))
    waits = " …" if asked.old else ""
    left = [
        Span(" WHAT IF ", "background", "replay", bold=True),
        Span(f" {told}", "replay", bold=True),
        Span(waits, "replay"),
    ]
    key = _key(frame, "suppose_nothing")
    right = [Span(key, "text", bold=True), Span(" as it is ", "muted")] if key else []
    if cells(left) + cells(right) + 1 > width:
        right = []
    return ends(left, right, width)


# -- the table ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the table."""

    name: str
    """What it is."""
    now: str
    """As the market is."""
    then: str
    """Under the supposition."""
    change: str = ""
    """What changed; empty where nothing did."""
    role: str = "text"
    """Colour of what it is now."""
    why: str = ""
    """Why it is not known then."""
    band: str = ""
    """Where it lies now with 80 % of the probability; empty where no band is known."""
    open: bool = False
    """Whether that band contains zero: then the band is what must be read."""


def _level(
    name: str, now: float, then: float, role: str, why: str = "", band: Band = NO_BAND
) -> Entry:
    change = ""
    if math.isfinite(now) and math.isfinite(then):
        if numbers.level(now) != numbers.level(then):
            change = numbers.distance(then - now, at=now).strip()
    elif math.isfinite(now) != math.isfinite(then):
        change = "gone" if math.isfinite(now) else "new"
    told = numbers.levels_band(band.low, band.high) if known(band) else ""
    missing_why = why if not math.isfinite(then) else ""
    return Entry(name, numbers.level(now), numbers.level(then), change, role, missing_why, told)


def _amount(name: str, now: float, then: float, why: str = "", band: Band = NO_BAND) -> Entry:
    texts = [numbers.compact(value, plus=True) for value in (now, then)]
    change = ""
    if math.isfinite(now) and math.isfinite(then) and texts[0] != texts[1]:
        change = numbers.compact(then - now, plus=True)
    missing_why = why if not math.isfinite(then) else ""
    return Entry(
        name, texts[0], texts[1], change, "text", missing_why, _told(now, band), doubtful(band)
    )


def _told(value: float, band: Band) -> str:
    """A band of dollars; empty where none is known."""
    return numbers.band(value, band.low, band.high).strip() if known(band) else ""


def trade(dollars: float, band: Band = NO_BAND) -> str:
    """`buy 1.2bn`: what dealers have to trade; `buy?` where the band contains zero."""
    if not math.isfinite(dollars):
        return numbers.DASH
    if dollars == 0:
        return "0"
    open_ = "?" if doubtful(band) else ""
    return f"{'buy' if dollars > 0 else 'sell'}{open_} {numbers.compact(abs(dollars))}"


def _trade(name: str, flows: tuple[Hedging, Hedging], field: str, band: str) -> Entry:
    now, then = (getattr(each, field) for each in flows)
    bands: list[Band] = [getattr(each, band) for each in flows]
    texts = [trade(*one) for one in zip((now, then), bands, strict=True)]
    change = ""
    if math.isfinite(now) and math.isfinite(then) and texts[0] != texts[1]:
        change = numbers.compact(then - now, plus=True)
        if now * then < 0:
            change = f"≠ {change}"
    return Entry(
        name, texts[0], texts[1], change, band=_told(now, bands[0]), open=doubtful(bands[0])
    )


def _word(name: str, now: str, then: str) -> Entry:
    now, then = words.clean(now), words.clean(then)
    return Entry(name, now, then, "≠" if now != then else "")


def _label(reading: Reading) -> str:
    zero = reading.zero_dte
    share = probability(zero)
    told = f" {numbers.chance(share).strip()}" if math.isfinite(share) else ""
    return f"{zero.paradigm}{told}"


def _paradigm(base: Reading, then: Reading) -> Entry:
    change = ""
    if base.zero_dte.paradigm != then.zero_dte.paradigm:
        change = "≠"
    else:
        shares = [probability(each.zero_dte) for each in (base, then)]
        known_ = all(map(math.isfinite, shares))
        gap = round(100 * shares[1]) - round(100 * shares[0]) if known_ else 0
        change = f"{numbers.sign_of(gap, plus=True)}{abs(gap)} pts" if gap else ""
    return Entry("paradigm", _label(base), _label(then), change,
                 why=words.clean(then.zero_dte.reason))  # fmt: skip


def no_flip(reading: Reading) -> str:
    """Why there is no flip."""
    kind = reading.gamma.flip_kind
    return "" if kind in ("crossing", "unknown") else kind.partition("(")[2].rstrip(")")


def entries(base: Reading, then: Reading) -> list[Entry]:
    """The whole book now and then, the most telling first."""
    zeros = (base.zero_dte, then.zero_dte)
    flows = (base.hedging, then.hedging)
    gone = words.clean(zeros[1].reason) or ("settled" if zeros[1].settled else "")
    spots = (base.spot, then.spot)
    move = numbers.distance(spots[1] - spots[0], at=spots[0]).strip()
    return [
        Entry("spot", numbers.price(spots[0]).strip(), numbers.price(spots[1]).strip(),
              move if move.strip("+−0.,") else "", "spot"),
        _level("flip", base.gamma.flip, then.gamma.flip, "flip", no_flip(then),
               base.gamma.flip_band),
        _amount("gamma /1 %", base.gamma.gex_per_1pct, then.gamma.gex_per_1pct,
                band=base.gamma.gex_band),
        _word("regime", base.regime.composite, then.regime.composite),
        _paradigm(base, then),
        *(
            _level(name, getattr(zeros[0], field), getattr(zeros[1], field), role,
                   gone or missing(zeros[1], field.removeprefix("lis_")),
                   getattr(zeros[0], f"{field}_band"))
            for name, field, role in (
                ("LIS upper", "lis_upper", "lis"),
                ("LIS lower", "lis_lower", "lis"),
                ("target", "target", "target"),
            )
        ),
        _amount("charm 0DTE /h", zeros[0].charm_per_hour, zeros[1].charm_per_hour, gone,
                zeros[0].charm_band),
        _trade("hedge +1 %", flows, "per_up_1pct", "up_band"),
        _trade("hedge −1 %", flows, "per_down_1pct", "down_band"),
        _trade("hedge vol +1", flows, "per_vol_point", "vol_band"),
        _trade("hedge in 1 h", flows, "per_hour", "hour_band"),
        _level("call wall", base.gamma.call_wall, then.gamma.call_wall, "wall"),
        _level("put wall", base.gamma.put_wall, then.gamma.put_wall, "wall"),
    ]  # fmt: skip


def _row(entry: Entry, width: int, *, supposing: bool, old: bool) -> Line:
    room = width - NAME
    now = Span(entry.now.rjust(VALUE), "faint" if entry.open else entry.role)
    head = Span(words.cut(entry.name, NAME), "muted")
    if not supposing:
        extra = entry.band or (entry.why if entry.now.strip() == numbers.DASH else "")
        told = Span(
            words.cut(f"  {extra}", max(0, room - VALUE)), "text" if entry.open else "muted"
        )
        return fit((head, now, told), width)
    fresh = "replay~" if old else "replay"
    changed = bool(entry.change)
    then = Span(
        entry.then.rjust(VALUE + 1), fresh if changed else "muted", bold=changed and not old
    )
    spans = [head, now, Span(" →" if changed else "  ", "faint"), then]
    left = room - 2 * VALUE - 3
    if entry.why and entry.then.strip() == numbers.DASH:
        return fit((*spans, Span(words.cut(f" {entry.why}", max(0, left)), "faint")), width)
    if left >= 4 and changed:
        text = entry.change if len(entry.change) < left else "≠"
        spans.append(Span(text.rjust(min(left, CHANGE)), fresh))
    return fit(spans, width)


def _notes(supposed: Supposed, width: int, rows: int) -> list[Line]:
    """What must be known about the answer; never cut in silence."""
    out: list[Line] = []
    notes = list(supposed.notes)
    for number, note in enumerate(notes):
        lines = words.wrap(note, width - 2, max(1, rows - len(out)))
        if len(out) + len(lines) > rows:
            if out:
                out[-1] = ends(out[-1], [Span(f" +{len(notes) - number}", "warning")], width)
            break
        out += [(Span("· " if not at else "  ", "replay"), Span(line, "muted"))
                for at, line in enumerate(lines)]  # fmt: skip
    return out


def table(frame: Frame, asked: Asked, width: int, height: int) -> list[Line]:
    """Now and then, line by line; in several columns where it is low and wide."""
    reading = frame.reading
    if reading is None or width < NAME + VALUE:
        return []
    answer = asked.supposed if asked.suppose.anything else None
    # Of one moment: what the market did meanwhile is no effect of the supposition.
    base, then = (answer.base, answer.reading) if answer else (reading, reading)
    old = asked.old
    rows = entries(base, then)
    across = max(1, (width + 2) // (LEAST + 2)) if height < len(rows) else 1
    one = (width - 2 * (across - 1)) // across
    head: list[Span] = [
        Span("THE BOOK".ljust(NAME), "muted", bold=True),
        Span("now".rjust(VALUE), "faint"),
    ]
    if answer:
        head += [
            Span("  "),
            Span("what if".rjust(VALUE + 1), "replay~" if old else "replay", bold=True),
        ]
        clock = words.clock(base.as_of)
        room = width - cells(head)
        when = next(text for text in (f"   of {clock}", f" {clock}", "") if len(text) <= room)
        head.append(Span(when, "faint"))
    elif asked.suppose.anything:
        head.append(Span("  …", "replay"))
    elif any(entry.band for entry in rows):
        head.append(Span("  80 % band", "faint"))
    spare = height - 2 - -(-len(rows) // across)
    told = _notes(answer, width, spare) if answer and spare > 0 else []
    if answer and answer.notes and not told:
        more = f" +{len(answer.notes) - 1}" if len(answer.notes) > 1 else ""
        room = width - cells(head) - len(more) - 3
        head.append(Span(f" · {words.cut(words.clean(answer.notes[0]), room)}{more}", "muted"))
    told = [(), *told] if told else []
    room = max(1, height - 1 - len(told))
    deep = min(room, -(-len(rows) // across))
    shown = rows[: deep * across]
    left_out = len(rows) - len(shown)
    lines = [_row(entry, one, supposing=bool(answer), old=old) for entry in shown]
    out: list[Line] = []
    for number in range(deep):
        line: list[Span] = []
        for column in range(across):
            at = column * deep + number
            if at < len(lines):
                line += [*([Span("  ")] if column else []), *lines[at]]
        out.append(fit(line, width))
    title = fit(head, width)
    if left_out:
        title = ends(head, [Span(f"+{left_out} more ", "muted")], width)
    return [title, *out, *told]
