"""The top line: spot, paradigm, gamma, flip; and whether this is the market at all."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gexterm.reading.model import Reading
from gexterm.ui import numbers, words
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, ends, fit
from gexterm.ui.ink import width as cells

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
    out = [Span(f" {word} ", "background", role, bold=True) if kind != "live" else
           Span(f"● {word}", role, bold=True)]  # fmt: skip
    if frame.paused or frame.held:
        out += [
            Span(" "),
            Span(" PAUSED " if frame.paused else " HELD ", "background", "text", True),
        ]
    state = "ended" if frame.ended and frame.status.state in ("live", "paused") else (
        frame.status.state)  # fmt: skip
    if state in STATE_WORDS:
        text, trouble = STATE_WORDS[state]
        retry = frame.status.detail.get("retry_in_s")
        if state == "reconnecting" and isinstance(retry, int | float) and not math.isnan(retry):
            text += f" {retry:.0f}s"
        out += [Span(" "), Span(f" {text} ", "background", trouble, bold=True)]
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
    gamma, zero = reading.gamma, reading.zero_dte
    glow = dict.fromkeys(frame.fresh, "glow")
    head = [
        Span(f" {name} ", "muted"),
        Span(numbers.price(reading.spot).strip(), "spot", bold=True),
        Span(" "),
        change(reading),
    ]
    label = Span(paradigm_word(reading), "strong", glow.get("paradigm", ""), bold=True)
    short_label = label._replace(text=paradigm_word(reading, brief=True))
    state = [
        Span("γ ", "muted"),
        Span(gamma.state, gamma_role(gamma.state), glow.get("gamma", ""), bold=True),
    ]
    size = Span(" " + numbers.compact(gamma.gex_per_1pct, plus=True), gamma_role(gamma.state))
    points = Span(numbers.distance(gamma.flip_distance).strip(), "flip")
    away = Span(" " + numbers.sigmas(gamma.flip_distance_sigma).strip(), "muted")
    flip = [Span("flip ", "muted"), points]
    time = [Span(words.clock(reading.as_of), "strong"), Span(" ET", "muted")]
    short_time = [Span(words.clock(reading.as_of), "strong")]
    left_s = Span(" " + numbers.duration(zero.seconds_left).strip(), "text")
    space = Span("  ")
    for parts, end in (
        ([*head, space, label, space, *state, size, Span("/1%", "muted"), space, *flip, away],
         [*mode(frame), space, *time, left_s, Span(" left ", "muted")]),
        ([*head, space, label, space, *state, size, space, *flip, away],
         [*mode(frame), Span(" "), *short_time, left_s, Span(" ")]),
        ([*head, Span(" "), label, Span(" "), *state, size, Span(" "), *flip],
         [*mode(frame), Span(" "), *short_time, left_s, Span(" ")]),
        ([*head, Span(" "), short_label, Span(" "), *state, size, Span(" "), *flip],
         [*mode(frame), Span(" "), *short_time, left_s, Span(" ")]),
        ([*head, Span(" "), short_label, Span(" "), *state, size, Span(" "), *flip],
         [*mode(frame), Span(" "), *short_time, Span(" ")]),
        ([*head, Span(" "), short_label, Span(" "), *state, Span(" "), *flip],
         [*mode(frame), Span(" "), *short_time, Span(" ")]),
        ([*head, Span(" "), short_label, Span(" "), *state], [*mode(frame), Span(" ")]),
        ([*head, Span(" "), short_label], [*mode(frame)]),
    ):  # fmt: skip
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
    history = " · ".join(
        part
        for part in (
            f"since {since}" if since else "",
            f"was {words.clean(zero.previous)}" if zero.previous else "",
        )
        if part
    )
    flip = numbers.price(gamma.flip, decimals=1).strip() if math.isfinite(gamma.flip) else (
        "none" if gamma.flip_kind.startswith("none") else numbers.DASH)  # fmt: skip
    away = f"{numbers.distance(gamma.flip_distance).strip()} pts"
    if math.isfinite(gamma.flip_distance_sigma):
        away += f"  {numbers.sigmas(gamma.flip_distance_sigma).strip()}"
    if not math.isfinite(gamma.flip):
        away = gamma.flip_kind.partition("(")[2].rstrip(")") or "not known"
    blocks: list[tuple[list[Span], list[Span]]] = [
        (
            [Span(numbers.price(reading.spot).strip(), "spot", bold=True), Span("  "),
             change_seen(reading), *_change_since(reading)],
            [Span(name, "muted"), Span(_day(reading), "muted")],
        ),
        (
            [Span(paradigm_word(reading), "strong", "glow" if "paradigm" in fresh else "", True)],
            [Span(history or "0DTE paradigm", "muted")],
        ),
        (
            [Span("γ ", "muted"),
             Span(gamma.state, gamma_role(gamma.state), "glow" if "gamma" in fresh else "", True),
             Span(" " + numbers.compact(gamma.gex_per_1pct, plus=True), gamma_role(gamma.state),
                  bold=True)],
            [Span("dealers' gamma, $ per 1 %", "muted")],
        ),
        (
            [Span(f"flip {flip}", "flip", "glow" if "flip" in fresh else "", True)],
            [Span(away, "muted")],
        ),
    ]  # fmt: skip
    right_top = [*mode(frame), Span("  "), Span(words.clock(reading.as_of), "strong", bold=True),
                 Span(" ET ", "muted")]  # fmt: skip
    left_s = numbers.duration(zero.seconds_left).strip()
    until = "settled " if zero.settled else (
        f"{left_s} to settlement " if math.isfinite(zero.seconds_left) else "no 0DTE ")  # fmt: skip
    right_low = [Span(until, "text" if not zero.settled else "delayed")]
    room = width - max(cells(right_top), cells(right_low)) - 1
    return [
        ends(top, right, width)
        for top, right in zip(_blocks(blocks, room), (right_top, right_low), strict=True)
    ]


def _day(reading: Reading) -> str:
    at = words.eastern(reading.as_of)
    return f"  {at:%a %-d %b %Y}" if at else ""


def _blocks(blocks: Sequence[tuple[list[Span], list[Span]]], room: int) -> tuple[Line, Line]:
    """Captioned values side by side; those that do not fit are left out, the last first."""
    sizes = [max(cells(top), cells(low)) for top, low in blocks]
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
    return [*two_rows(frame, width), (Span("─" * width, "line"),)]
