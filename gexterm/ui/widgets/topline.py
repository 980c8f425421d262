"""The top line: spot, paradigm, gamma, flip; and whether this is the market at all."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gexterm.reading.model import Gamma, Reading
from gexterm.ui import numbers, words
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, ends, fit
from gexterm.ui.ink import width as cells
from gexterm.ui.widgets import progress
from gexterm.ui.widgets.certainty import (
    gamma_doubtful,
    inferred,
    known,
    leaning,
    likelier,
    probability,
)

STEP = 2
"""Cells by which a block of the top line grows."""

ROOMY = 100
"""Width from which a dash stands for a change of spot that is not known."""

MODE_WORDS = {
    "live": ("LIVE", "good"),
    "delayed": ("DELAYED", "delayed"),
    "replay": ("REPLAY", "replay"),
    "simulated": ("SIMULATED", "simulated"),
    "file": ("FILE", "replay"),
}
"""What each mode is called on screen, and its colour."""

STATE_WORDS = {
    "connecting": ("CONNECTING", "warning"),
    "stale": ("STALE", "error"),
    "reconnecting": ("RECONNECTING", "error"),
    "refused": ("REFUSED", "error"),
    "ended": ("ENDED", "delayed"),
    "closed": ("CLOSED", "delayed"),
}
"""States of the connection that must be seen at once; the others need no word."""


def mode(frame: Frame) -> list[Span]:
    """Whether this is the market: mode, delay, speed, and trouble. Never left out."""
    if frame.in_past:
        return past(frame)
    info = frame.info
    kind = frame.reading.source.mode if frame.reading is not None else info.mode
    word, role = MODE_WORDS.get(kind, (kind.upper(), "warning"))
    if "synthetic" in info.feed.lower() and kind != "simulated":
        word, role = f"SYNTHETIC {word}", "simulated"
    late = frame.reading.source.delay_s if frame.reading is not None else info.delay_s
    if late > 0:
        word += f" {numbers.seconds(late).strip()}"
    if frame.replayable and frame.speed != 1.0:
        word += f" ×{frame.speed:g}"
    state = "ended" if frame.ended and frame.status.state in ("live", "paused") else (
        frame.status.state)  # fmt: skip
    # A line that is down is not live, whatever the feed is when it stands.
    out = [Span(f" {word} ", "background", role, bold=True)] if kind != "live" else (
          [Span(f"● {word}", role, bold=True)] if state not in STATE_WORDS else [])  # fmt: skip
    going = progress.way(frame)
    if going or frame.hunting:
        return [*out, Span(" "), *underway(frame)]
    if frame.paused or frame.held:
        out += [
            Span(" "),
            Span(" PAUSED " if frame.paused else " HELD ", "background", "text", True),
        ]
    if state in STATE_WORDS:
        text, trouble = STATE_WORDS[state]
        retry = frame.status.detail.get("retry_in_s")
        if state == "reconnecting" and isinstance(retry, int | float) and not math.isnan(retry):
            text += f" {retry:.0f}s"
        out += [*([Span(" ")] if out else []), Span(f" {text} ", "background", trouble, bold=True)]
    return out


def underway(frame: Frame) -> list[Span]:
    """Where a seek leads, or that something is being looked for."""
    at = words.clock(frame.reading.as_of, with_seconds=False) if frame.reading else ""
    text = f"looking {at}" if frame.hunting else f"→ {progress.way(frame).rpartition(' ')[2]}"
    return [Span(f" {text} ", "background", "text", True)]


def past(frame: Frame) -> list[Span]:
    """That this is a live session's past, what live is at, and how many alerts came there."""
    at = words.clock(frame.reading.as_of, with_seconds=False) if frame.reading else ""
    word = f" PAST {at} " if at else " PAST "
    if frame.speed != 1.0:
        word += f"×{frame.speed:g} "
    out = [Span(word, "background", "replay", bold=True)]
    if frame.reading is None:
        out.append(Span(" opening the recording", "text"))
    elif progress.way(frame) or frame.hunting:
        out += underway(frame)
    else:
        out.append(Span(" paused" if frame.paused else " playing", "text"))
    beside = frame.beside
    if beside is not None and beside.at:
        trouble = beside.state not in ("live", "paused")
        mark = "⚠ " if trouble else ""
        out.append(Span(f"  {mark}live is {words.clock(beside.at, with_seconds=False)}",
                        "warning" if trouble else "text"))  # fmt: skip
        if beside.alerts:
            many = "alert" if beside.alerts == 1 else "alerts"
            out.append(Span(f" +{beside.alerts} {many}", "warning", bold=True))
    return out


def change(reading: Reading) -> Span:
    """The day's change of spot; not known where the session was joined later."""
    if reading.spot_open_at:
        return Span(f"  {numbers.DASH}    ", "muted")
    return change_seen(reading)


def change_seen(reading: Reading) -> Span:
    """The change of spot since its first price was seen."""
    if not math.isfinite(reading.spot_open) or reading.spot_open <= 0:
        return Span(f"  {numbers.DASH}    ", "muted")
    share = reading.spot / reading.spot_open - 1.0
    glyph = "▲" if share > 0 else ("▼" if share < 0 else " ")
    role = "buy" if share > 0 else ("sell" if share < 0 else "muted")
    return Span(f"{glyph}{abs(100 * share):.2f}%", role)


def _change_since(reading: Reading) -> list[Span]:
    if not reading.spot_open_at:
        return []
    return [Span(f" from {words.clock(reading.spot_open_at, with_seconds=False)}", "muted")]


def label_spans(reading: Reading, glow: str = "", *, brief: bool = False) -> list[Span]:
    """The paradigm and its probability; only leaned towards where that is not much."""
    zero = reading.zero_dte
    share = probability(zero)
    if math.isnan(share):
        return [Span(paradigm_word(reading, brief=brief), "strong", glow, bold=True)]
    chance = numbers.chance(share)
    if leaning(zero):
        other = likelier(zero)
        word = f"{zero.paradigm}?" if brief or other else f"leaning {zero.paradigm}"
        out = [Span(word, "muted", glow), Span(f" {chance.strip():<4}", "text")]
        if other and not brief:
            told = numbers.chance(zero.probability[other]).strip()
            out += [Span(f"or {words.clean(other)}", "muted"), Span(f" {told:<4}", "text")]
        return out
    word = paradigm_word(reading, brief=brief)
    return [Span(word, "strong", glow, bold=True), Span(f" {chance.strip():<4}", "strong")]


def gamma_spans(reading: Reading, glow: str, degree: int) -> list[Span]:
    """Dealers' gamma in four degrees: state, size, unit, band, as far as there is room.

    A size is shown only while its sign is sure; otherwise P(short) and the band stand
    where it would.
    """
    gamma = reading.gamma
    role = gamma_role(gamma.state)
    head = Span("γ ", "muted")
    low, high = gamma.gex_band.low, gamma.gex_band.high
    if gamma_doubtful(gamma):
        out = [head, Span(f"{gamma.state}?", "muted", glow)]
        short = gamma.probability_short
        if math.isfinite(short):
            lead = "" if gamma.state in ("long", "short") else "short "
            share = numbers.chance(1.0 - short if gamma.state == "long" else short).strip()
            out.append(Span(f" {lead}{share:<3}", "text"))
        return [*out, Span(f" {numbers.stretch(low, high)}", "text")] if degree > 1 else out
    out = [head, Span(gamma.state, role, glow, bold=True)]
    if degree > 0:
        # Padded: what follows must not move by a digit more or less.
        size = numbers.compact(gamma.gex_per_1pct, plus=True)
        out.append(Span(f" {size:<{numbers.SI_WIDTH}}", role))
    sure = numbers.band(gamma.gex_per_1pct, low, high).strip() if known(gamma.gex_band) else ""
    if degree > 1 and sure:
        out.append(Span(f" {sure:<{numbers.HALF_WIDTH}}", "text"))
    return [*out, Span("/1%", "muted")] if degree > 2 and not sure else out


def flip_off(reading: Reading) -> str:
    """How far the flip may be off; empty under a convention, whose error is not known."""
    gamma = reading.gamma
    if not inferred(reading.positions) or not math.isfinite(gamma.flip):
        return ""
    if not known(gamma.flip_band):
        return "±?"
    return numbers.reach(gamma.flip, gamma.flip_band.low, gamma.flip_band.high)


def flip_spans(reading: Reading, degree: int) -> list[Span]:
    """The flip in three degrees: how far, where with its band, how far besides."""
    gamma = reading.gamma
    far = numbers.distance(gamma.flip_distance, at=gamma.flip).strip()
    off = flip_off(reading)
    out = [Span("flip ", "muted")]
    if off and degree > 0:
        out += [Span(numbers.level(gamma.flip), "flip"), Span(f" {off}", "text")]
        return [*out, Span(f" {far}", "muted")] if degree > 1 else out
    if off:
        # No room for the band: then no decimals either, which it would not bear out.
        far = numbers.gap(gamma.flip_distance, 8, at=gamma.flip).strip()
    out.append(Span(far, "flip"))
    away = numbers.sigmas(gamma.flip_distance_sigma).strip()
    return [*out, Span(f" {away}", "muted")] if degree > 1 else out


def paradigm_word(reading: Reading, *, brief: bool = False) -> str:
    """`BofA PURE`, or `BofA` alone; `no 0DTE` where nothing settles today."""
    zero = reading.zero_dte
    if zero.paradigm == "No data":
        return "No data" if zero.expiry else "no 0DTE"
    return zero.paradigm if brief else f"{zero.paradigm} {zero.qualifier}".strip()


def gamma_role(state: str) -> str:
    """Colour of a gamma state."""
    return state if state in ("long", "short") else "muted"


def one_row(frame: Frame, width: int) -> Line:
    """Everything in one row, in three degrees of brevity: whatever fits."""
    reading = frame.reading
    name = words.clean(frame.info.underlying)
    right = [*mode(frame), Span(" ")]
    if reading is None:
        return ends([Span(f" {name}", "strong", bold=True)], right, width)
    zero = reading.zero_dte
    glow = dict.fromkeys(frame.fresh, "glow")
    head = [
        Span(f" {name} ", "muted"),
        Span(numbers.price(reading.spot).strip(), "spot", bold=True),
    ]
    if width >= ROOMY or not reading.spot_open_at:
        head += [Span(" "), change(reading)]  # else it only says that it is not known
    label = label_spans(reading, glow.get("paradigm", ""))
    brief = label_spans(reading, glow.get("paradigm", ""), brief=True)
    lit = glow.get("gamma", "")
    inferred_view = inferred(reading.positions)
    which = [Span(words.clean(reading.positions.view), "muted"), Span(" ")]
    time = [Span(_time(frame, reading), "strong"), Span(" ET", "muted")]
    short_time = [Span(_time(frame, reading), "strong")]
    left_s = Span(" " + numbers.duration(zero.seconds_left).strip(), "text")
    space, blank = Span("  "), Span(" ")

    def gamma_at(degree: int) -> list[Span]:
        return gamma_spans(reading, lit, degree)

    def flip_at(degree: int) -> list[Span]:
        return flip_spans(reading, degree)

    long_end = [*mode(frame), space, *time, left_s, Span(" left ", "muted")]
    full_end = [*mode(frame), blank, *short_time, left_s, blank]
    short_end = [*mode(frame), blank, *short_time, blank]
    viewed = [*which, *label] if inferred_view else label
    # What says how sure a number is comes before how far it is.
    some = 1 if inferred_view else 2
    for parts, end in (
        ([*head, space, *viewed, space, *gamma_at(3), space, *flip_at(2)], long_end),
        ([*head, space, *viewed, space, *gamma_at(2), space, *flip_at(2)], full_end),
        ([*head, space, *viewed, space, *gamma_at(2), space, *flip_at(1)], full_end),
        ([*head, space, *label, space, *gamma_at(2), space, *flip_at(some)], full_end),
        ([*head, blank, *brief, blank, *gamma_at(2), blank, *flip_at(some)], full_end),
        ([*head, space, *label, space, *gamma_at(1), space, *flip_at(2)], full_end),
        ([*head, blank, *label, blank, *gamma_at(1), blank, *flip_at(1)], full_end),
        ([*head, blank, *brief, blank, *gamma_at(1), blank, *flip_at(1)], full_end),
        ([*head, blank, *brief, blank, *gamma_at(1), blank, *flip_at(1)], short_end),
        ([*head, blank, *brief, blank, *gamma_at(1), blank, *flip_at(0)], full_end),
        ([*head, blank, *brief, blank, *gamma_at(1), blank, *flip_at(0)], short_end),
        ([*head, blank, *brief, blank, *gamma_at(0), blank, *flip_at(0)], short_end),
        ([*head[:2], blank, *brief, blank, *gamma_at(0), blank, *flip_at(0)], short_end),
        ([*head[:2], blank, *brief, blank, *gamma_at(0)], short_end),
        ([*head[:2], blank, *brief, blank, *gamma_at(0)], [*mode(frame), blank]),
        ([*head[:2], blank, *brief], short_end),
        ([*head, blank, *brief], [*mode(frame)]),
    ):
        if cells(parts) + cells(end) + 1 <= width:
            return ends(parts, end, width)
    return ends(head, mode(frame), width)


def two_rows(frame: Frame, width: int) -> list[Line]:
    """Values above, what they are below: for screens with room."""
    reading = frame.reading
    if reading is None:
        return [one_row(frame, width), fit((), width)]
    gamma, zero = reading.gamma, reading.zero_dte
    fresh = frame.fresh
    name = words.clean(frame.info.underlying)
    since = words.clock(zero.since, with_seconds=False) if zero.since else ""
    which = words.clean(reading.positions.view) if inferred(reading.positions) else ""
    was = f"was {words.clean(zero.previous)}" if zero.previous else ""
    told = [part for part in (which, f"since {since}" if since else "", was) if part]
    blocks: list[tuple[list[Span], list[Span]]] = [
        (
            [Span(numbers.price(reading.spot).strip(), "spot", bold=True), Span("  "),
             change_seen(reading), *_change_since(reading)],
            [Span(name, "muted"), Span(_day(reading), "muted")],
        ),
        (
            label_spans(reading, "glow" if "paradigm" in fresh else ""),
            [Span(" · ".join(told) or "0DTE paradigm", "muted")],
        ),
        (
            gamma_spans(reading, "glow" if "gamma" in fresh else "", 2),
            [Span(_gamma_caption(gamma), "muted")],
        ),
        _flip_block(reading, "glow" if "flip" in fresh else ""),
    ]  # fmt: skip
    right_top = [*mode(frame), Span("  "), Span(_time(frame, reading), "strong", bold=True),
                 Span(" ET ", "muted")]  # fmt: skip
    left_s = numbers.duration(zero.seconds_left).strip()
    until = "settled " if zero.settled else (
        f"{left_s} to settlement " if math.isfinite(zero.seconds_left) else "no 0DTE ")  # fmt: skip
    right_low = [Span(until, "text" if not zero.settled else "delayed")]
    room = width - max(cells(right_top), cells(right_low)) - 1
    # What came before the paradigm gives way to the flip.
    while len(told) > 1 and _needs(blocks) > room:
        told.pop()
        blocks[1] = (blocks[1][0], [Span(" · ".join(told), "muted")])
    if _needs(blocks) > room and inferred(reading.positions):
        caption = f"P(short) {numbers.chance(gamma.probability_short).strip()}"
        blocks[2] = (blocks[2][0], [Span(caption, "muted")])
        away = numbers.distance(gamma.flip_distance, at=gamma.flip).strip()
        if math.isfinite(gamma.flip):
            blocks[3] = (blocks[3][0], [Span(f"{away} pts", "muted")])
    if reading.spot_open_at and _needs(blocks) > room:
        blocks[0] = ([*blocks[0][0][:2], change(reading)], blocks[0][1])
    return [
        ends(top, right, width)
        for top, right in zip(_blocks(blocks, room), (right_top, right_low), strict=True)
    ]


def _gamma_caption(gamma: Gamma) -> str:
    """What the size of gamma is, and how likely its sign."""
    share = gamma.probability_short
    if not math.isfinite(share):
        return "dealers' gamma, $ per 1 %"
    return f"P(short) {numbers.chance(share).strip()} · $/1%"


def _flip_block(reading: Reading, glow: str) -> tuple[list[Span], list[Span]]:
    """Where the flip is, how sure that is, and how far."""
    gamma, band = reading.gamma, reading.gamma.flip_band
    off = flip_off(reading)
    if not math.isfinite(gamma.flip):
        none = gamma.flip_kind.startswith("none")
        away = gamma.flip_kind.partition("(")[2].rstrip(")") or "not known"
        if known(band):
            away = f"{away}; 80 % {numbers.levels_band(band.low, band.high)}"
        return [Span(f"flip {'none' if none else numbers.DASH}", "flip", glow, True)], [
            Span(away, "muted")
        ]
    where = numbers.level(gamma.flip) if off else (
        numbers.price(gamma.flip, decimals=1).strip())  # fmt: skip
    away = f"{numbers.distance(gamma.flip_distance, at=gamma.flip).strip()} pts"
    if math.isfinite(gamma.flip_distance_sigma):
        away += f"  {numbers.sigmas(gamma.flip_distance_sigma).strip()}"
    told = [Span(f"flip {where}", "flip", glow, True)]
    if off:
        told.append(Span(f" {off}", "text"))
    return told, [Span(away, "muted")]


def _time(frame: Frame, reading: Reading) -> str:
    """Market time; of a replay that stands still to a tenth of a second: so far is a step."""
    tenths = reading.as_of // 100_000_000 % 10
    return words.clock(reading.as_of) + (f".{tenths}" if frame.paused and tenths else "")


def _day(reading: Reading) -> str:
    at = words.eastern(reading.as_of)
    return f"  {at:%a %-d %b %Y}" if at else ""


def _sizes(blocks: Sequence[tuple[list[Span], list[Span]]]) -> list[int]:
    # In steps, so that a digit more in one block does not push all the others.
    return [-(-max(cells(top), cells(low)) // STEP) * STEP for top, low in blocks]


def _needs(blocks: Sequence[tuple[list[Span], list[Span]]]) -> int:
    return 1 + sum(_sizes(blocks)) + 3 * (len(blocks) - 1)


def _blocks(blocks: Sequence[tuple[list[Span], list[Span]]], room: int) -> tuple[Line, Line]:
    """Captioned values side by side; those that do not fit are left out, the last first."""
    sizes = _sizes(blocks)
    count = len(blocks)
    while count > 1 and 1 + sum(sizes[:count]) + 3 * (count - 1) > room:
        count -= 1
    gap = 4 if 1 + sum(sizes[:count]) + 5 * (count - 1) <= room else 3
    rows: tuple[list[Span], list[Span]] = ([Span(" ")], [Span(" ")])
    for (top, low), size in zip(blocks[:count], sizes, strict=False):
        rows[0].extend(fit(top, size + gap))
        rows[1].extend(fit(low, size + gap))
    return tuple(rows[0]), tuple(rows[1])


def paint(frame: Frame, width: int, height: int) -> list[Line]:
    """One row, or two where there is room for captions, and a thin line."""
    if height < 2:
        return [one_row(frame, width)]
    line = progress.bar(frame, width) or (Span("─" * width, "line"),)
    return [*two_rows(frame, width), line]
