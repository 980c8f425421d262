"""Whether the numbers can be trusted, and whether the machine keeps up."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gexterm.reading.model import Health, Reading
from gexterm.ui import numbers, words
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, fit
from gexterm.ui.ink import width as cells
from gexterm.ui.vitals import quantile
from gexterm.ui.widgets.painted import Painted

NAME = 18
"""Cells of a name."""
TICKS = "▁▂▃▄▅▆▇█"
"""Heights of a small chart."""
AGES = ((1.0, "good"), (10.0, "text"), (60.0, "warning"), (math.inf, "error"))
"""Up to how many seconds an age has which colour."""
_NO_PAST = "not measured: this is no live market"


def age_role(seconds: float) -> str:
    """Colour of an age."""
    return next(role for limit, role in AGES if not seconds > limit)


def spark(values: Sequence[float], width: int) -> str:
    """The last values as a row of heights, scaled to the largest; blank at the left."""
    shown = list(values)[-width:]
    top = max(shown, default=0.0)
    if not top > 0:
        return " " * width
    drawn = "".join(TICKS[min(7, int(8 * max(0.0, value) / top))] for value in shown)
    return drawn.rjust(width)


def fact(name: str, value: str, role: str = "text", note: str = "", width: int = 60) -> Line:
    """A name, its value, and a word beside it."""
    spans = [Span(f"  {name:<{NAME}}", "muted"), Span(value, role)]
    room = width - cells(spans) - 2
    if note and room > 8:
        spans.append(Span("  " + words.cut(words.clean(note), room), "faint"))
    return fit(spans, width)


def head(text: str, width: int) -> Line:
    """The title of a block."""
    return fit((Span(f" {text}", "lis", bold=True),), width)


def count(name: str, value: float, width: int, note: str = "") -> Line:
    """A count that should be zero."""
    role = "muted" if value == 0 else "warning"
    return fact(name, numbers.compact(float(value)), role, note, width)


def source(frame: Frame, reading: Reading | None, width: int) -> list[Line]:
    """Who delivers, how late by design, since when, and whether it is recorded."""
    info, status = frame.info, frame.status
    lines = [head("SOURCE", width)]
    lines.append(fact("feed", words.clean(info.feed) or "–", "strong", info.note, width))
    late = f", {info.delay_s / 60:.0f} min late by design" if info.delay_s else ""
    lines.append(fact("mode", f"{info.mode}{late}", "text" if info.mode == "live" else "replay",
                      "", width))  # fmt: skip
    good = status.state == "live"
    lines.append(fact("connection", status.state, "good" if good else "warning", status.message,
                      width))  # fmt: skip
    recording = frame.recording
    if recording is not None:
        said = f"{recording.size / 1e6:.1f} MB" if recording.on else "not recorded"
        role = "good" if recording.on else "muted" if recording.chosen else "error"
        lines.append(fact("recording", said, role, recording.why or recording.path, width))
    if reading is not None and reading.health.heard_from:
        since = words.clock(reading.health.heard_from)
        lines.append(fact("prints since", since, "text", "known without interruption", width))
    return lines


def coverage(reading: Reading, width: int) -> list[Line]:
    """How much is quoted, signed and printed."""
    health, held = reading.health, reading.positions
    lines = [head("COVERAGE", width)]

    def share(name: str, value: float, low: float, note: str) -> None:
        role = "muted" if math.isnan(value) else "warning" if value < low else "good"
        room = max(0, min(20, width - NAME - 12))
        filled = "█" * round(room * value) if math.isfinite(value) else ""
        text = f"{numbers.percent(value):>5} {filled:<{room}}"
        lines.append(fact(name, text, role, note, width))

    share("quoted", health.quoted_share, 0.5, "of unsettled contracts, two-sided")
    share("signed", held.signed_share, 0.5, "of the printed volume")
    share("printed", held.printed_share, 0.9, "of the venue's volume came as prints")
    unexplained = held.uncovered_share
    if math.isfinite(unexplained):
        role = "warning" if unexplained > 0.2 else "muted"
        lines.append(
            fact("unexplained", f"{unexplained:5.0%}", role, "of open interest by no tape", width)
        )
    if health.listed or health.quotes_asked:
        asked = f"{health.quotes_asked:,} of {health.listed:,}" if health.listed else (
            f"{health.quotes_asked:,}")  # fmt: skip
        lines.append(fact("contracts asked", asked, "text", health.window, width))
    age = f"{numbers.seconds(health.quote_age_p50_s).strip()} median"
    age += f", {numbers.seconds(health.quote_age_p99_s).strip()} at 99 %"
    lines.append(fact("quote age", age, age_role(health.quote_age_p50_s), "", width))
    return lines


def losses(frame: Frame, health: Health, width: int) -> list[Line]:
    """What was lost, late, doubled or refused."""
    reconnects = frame.status.detail.get("reconnects", health.reconnects)
    rows = [
        ("gaps", health.gaps, "prints proved missing, not to be had later"),
        ("dropped", health.dropped, "messages we were too slow for"),
        ("reconnects", float(reconnects) if isinstance(reconnects, int | float) else 0, ""),
        ("out of order", health.late, "prints and quotes"),
        ("seen twice", health.duplicates, "prints, counted once"),
        ("malformed", health.malformed, "messages that made no sense"),
        ("misdated", health.misdated, "rows dated to when they came"),
        ("crossed", health.crossed, "quotes whose bid is not below the offer"),
        ("off parity", health.stale, "quotes beyond calls-and-puts parity"),
        ("no volatility", health.no_iv, "rows whose price carries none"),
        ("bad prices", health.bad_price, "quotes refused"),
    ]
    lines = [head("LOST, LATE, REFUSED", width)]
    lines += [count(name, value, width, note if value else "") for name, value, note in rows]
    if math.isfinite(health.away_s):
        lines.append(count("seconds away", round(health.away_s), width))
    if health.refilled:
        lines.append(
            fact("refilled", f"{health.refilled:,}", "text", "prints fetched later", width)
        )
    if math.isfinite(health.clock_skew_s):
        skew = health.clock_skew_s
        role = "warning" if abs(skew) > 1 else "muted"
        lines.append(fact("our clock", f"{skew:+.2f} s", role, "ahead of the venue's", width))
    return lines


def work(frame: Frame, width: int) -> list[Line]:
    """What each tick and each frame cost, and how late the screen is."""
    vitals = frame.vitals
    lines = [head("WORK", width)]
    if vitals is None:
        return [*lines, fact("", "not measured here", "faint", "", width)]
    room = max(0, min(40, width - NAME - 34))

    def row(name: str, column: str, unit: str, bad: float, why: str = "") -> None:
        values = vitals.column(column)
        if not values:
            lines.append(fact(name, "–", "muted", why, width))
            return
        last, high = quantile(values, 0.5), quantile(values, 0.99)
        text = f"{numbers.compact(last):>6} {unit:<3} {numbers.compact(high):>6} at 99 %"
        role = "warning" if high > bad else "text"
        spans = (Span(f"  {name:<{NAME}}", "muted"), Span(text, role),
                 Span("  " + spark(values, room), "faint"))  # fmt: skip
        lines.append(fit(spans, width))

    row("tick", "tick_ms", "ms", 100.0, "not measured")
    row("paint", "paint_ms", "ms", 20.0)
    row("as of → screen", "behind_s", "s", 1.0, _NO_PAST)
    row("rows per second", "events_per_s", "/s", math.inf, "not known")
    process = vitals.process
    if math.isfinite(process.memory_mb):
        share = f"{process.cpu_share:.0%} of a core" if math.isfinite(process.cpu_share) else "–"
        lines.append(fact("processor", share, "text", "", width))
        lines.append(
            fact("memory", f"{process.memory_mb:,.0f} MB", "text", "at most so far", width)
        )
    return lines


def warnings(reading: Reading, width: int) -> list[Line]:
    """Everything that must be known, in full."""
    if not reading.health.warnings:
        return []
    lines = [head("TO BE KNOWN", width)]
    for warning in reading.health.warnings:
        for number, text in enumerate(words.wrap(words.clean(warning), width - 6, 3)):
            lines.append((Span("  ⚠ " if not number else "    ", "warning"), Span(text, "text")))
    return lines


def ages(reading: Reading | None, width: int, height: int, skip: int) -> list[Line]:
    """Age of the quotes by strike around spot: a bar a decade of seconds long."""
    lines: list[Line] = [
        fit((Span(" QUOTE AGE BY STRIKE", "lis", bold=True),
             Span("  seconds, the older side", "faint")), width)
    ]  # fmt: skip
    frame = reading.strikes if reading is not None else None
    if reading is None or frame is None or "quote_age_s" not in frame.columns or not len(frame):
        return [*lines, (Span("  not known", "muted"),)]
    strikes = frame["strike"].to_list()[::-1]
    found = frame["quote_age_s"].to_list()[::-1]
    spot = reading.spot
    at = next((i for i, strike in enumerate(strikes) if strike <= spot), len(strikes) - 1)
    room = height - 3
    first = max(0, min(len(strikes) - room, at - room // 2 + skip))
    bar = max(6, width - 24)
    lines.append(fit((Span(" " * 11 + "0.1s" + "1s".center(bar // 4 + 2) + "10s".center(bar // 4)
                           + "1m40".center(bar // 4), "faint"),), width))  # fmt: skip
    for index in range(first, min(len(strikes), first + room)):
        age = found[index]
        known = age is not None and math.isfinite(age)
        role = age_role(age) if known else "faint"
        # A decade of seconds is a quarter of the bar: 0.1 s at its left, 1,000 s at its right.
        share = (math.log10(max(age, 0.1)) + 1) / 4 if known else 0.0
        length = max(1, min(bar, round(bar * share))) if known else 0
        near = index == at
        lines.append(
            fit(
                (
                    Span("▸" if near else " ", "spot"),
                    Span(numbers.strike(strikes[index], 9) + " ", "strong" if near else "muted"),
                    Span(("▪" * length).ljust(bar) if known else "no quote".ljust(bar), role),
                    Span(numbers.seconds(age).rjust(8) if known else "–".rjust(8), role),
                ),
                width,
            )
        )
    below = len(strikes) - first - room
    if below > 0 or first > 0:
        lines.append((Span(f" {first} above, {max(0, below)} below", "faint"),))
    return lines[:height]


class Facts(Painted):
    """Everything about the data and the work, in words and numbers."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as in every widget
        super().__init__(id=id)
        self.skip = 0
        """Lines above the view."""
        self.total = 0
        """Lines there are."""

    def paint(self, frame: Frame, width: int, height: int) -> Sequence[Line]:
        """One column, or two where there is room."""
        reading = frame.reading
        half = width // 2 if width >= 116 else width
        air: list[Line] = [()]
        left = [*source(frame, reading, half), *air, *work(frame, half)]
        right: list[Line] = []
        if reading is not None:
            left = [*source(frame, reading, half), *air, *coverage(reading, half)]
            right = [*losses(frame, reading.health, half)]
            told = warnings(reading, half)
            left += [*air, *work(frame, half), *(air if told else []), *told]
        if half == width:
            lines = [*left, *air, *right] if right else left
        else:
            rows = max(len(left), len(right))
            pad: Line = (Span(" " * half),)
            lines = [
                (*fit(left[i], half), *fit(right[i], width - half))
                if i < len(left) and i < len(right)
                else left[i] if i < len(left) else (*pad, *right[i])
                for i in range(rows)
            ]  # fmt: skip
        self.total = len(lines)
        first = max(0, min(self.skip, len(lines) - height))
        self.skip = first
        shown = lines[first : first + height]
        rest = len(lines) - first - height
        if rest > 0:
            shown[-1] = (Span(f" +{rest + 1} more ↓", "muted"),)
        return shown


class Ages(Painted):
    """Quote ages by strike."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as in every widget
        super().__init__(id=id)
        self.skip = 0
        """Strikes below those around spot."""

    def paint(self, frame: Frame, width: int, height: int) -> Sequence[Line]:
        """The ladder of ages."""
        return ages(frame.reading, width, height, self.skip)
