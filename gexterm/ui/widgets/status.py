"""The status line: whether this can be trusted."""

from __future__ import annotations

import math
import re

from gexterm.reading.model import Health, Reading
from gexterm.ui import numbers, words
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, ends, fit
from gexterm.ui.ink import width as cells
from gexterm.ui.widgets import progress

STATE_ROLES = {
    "live": "good",
    "connecting": "warning",
    "stale": "error",
    "reconnecting": "error",
    "paused": "text",
    "ended": "delayed",
    "refused": "error",
    "closed": "delayed",
}
"""Colour of each state of the connection."""

CONNECTED = {"delayed": "delayed", "replay": "playing", "simulated": "running", "file": "loaded"}
"""What a connection that is up is called in each mode that is not live."""
_NEXT_TRY = re.compile(r"; next try in [0-9.]+ s")
WIDE = 150
"""Width from which on the window is told in full."""
ROOMY = 100
"""Width from which on a live line has room for the age of the oldest quotes."""
LEAST = 22
"""Cells of a warning that make it worth reading."""
QUOTED_LOW = 0.5
"""Share of quoted contracts below which it is marked as a warning."""


def counter(name: str, value: float) -> list[Span]:
    """A count that should be zero: quiet while it is."""
    bad = value > 0
    return [
        Span(f"{name} ", "warning" if bad else "faint"),
        Span(numbers.compact(value), "warning" if bad else "faint", bold=bad),
    ]


def detail(frame: Frame, name: str, otherwise: float) -> float:
    """A number of the connection's, or the Reading's when it has none."""
    found = frame.status.detail.get(name)
    return float(found) if isinstance(found, int | float) else otherwise


def moving(frame: Frame) -> str:
    """What a seek under way has come to, or what is being looked for; empty: neither."""
    if frame.hunting:
        at = words.clock(frame.reading.as_of, with_seconds=False) if frame.reading else ""
        return f"looking for the next {frame.hunting}… {at} (any time key stops)"
    if way := progress.way(frame):
        return f"catching up {way} {progress.blocks(progress.share(frame), 10)}"
    return ""


def connection(frame: Frame) -> str:
    """The state in words: `live`, `connecting`, `reconnecting try 3 in 8 s`."""
    state = frame.status.state
    if going := moving(frame):
        return going
    if state == "live":
        # A replay's connection may be up, but the word `live` belongs to the market.
        return CONNECTED.get(frame.info.mode, state)
    if state == "reconnecting":
        tries, left = detail(frame, "tries", math.nan), detail(frame, "retry_in_s", math.nan)
        nth = f" try {tries:.0f}" if math.isfinite(tries) else ""
        return f"{state}{nth} in {left:.0f} s" if math.isfinite(left) and left > 0 else (
            f"{state}{nth}")  # fmt: skip
    return state


def recorded(frame: Frame) -> list[Span]:
    """`● rec 12 MB`, or that it is not; nothing where there is nothing to record."""
    state = frame.recording
    if state is None:
        return []
    if state.on:
        size = Span(f" {state.size / 1e6:,.{0 if state.size >= 1e7 else 1}f} MB", "muted")
        return [Span("● ", "error" if state.why else "good"), Span("rec", "text"), size]
    if state.why and not state.chosen:
        return [Span("● NOT RECORDED", "error", bold=True)]
    return [Span("rec off", "muted")]


def heard(health: Health, as_of: int) -> list[Span]:
    """Since when prints are known: positions lack what came before."""
    begun, now = words.eastern(health.heard_from), words.eastern(as_of)
    if begun is None or now is None:
        return []
    at = words.clock(health.heard_from, with_seconds=False)
    if begun.date() != now.date():
        at = f"{begun:%-d %b} {at}"
    return [Span("flow since ", "faint"), Span(at, "text")]


def window(health: Health, width: int) -> list[Span]:
    """Which of the contracts are quoted: all of it where there is room."""
    if not health.quotes_asked and not health.window:
        return []
    if health.window and width >= WIDE:
        return [Span(words.clean(health.window), "muted")]
    return [
        Span(numbers.compact(health.quotes_asked).strip(), "text"),
        Span(f" of {numbers.compact(health.listed).strip()}", "faint"),
    ]


def parts(frame: Frame, reading: Reading, width: int) -> list[list[Span]]:
    """What the line says, the most important first."""
    health = reading.health
    age, tail = health.quote_age_p50_s, health.quote_age_p99_s
    quoted = health.quoted_share
    poor = math.isfinite(quoted) and quoted < QUOTED_LOW
    live = bool(health.listed)
    # Padded: what follows must not move with every age.
    ages = [Span("age ", "faint"), Span(f"{numbers.seconds(age).strip():<4}", "text")]
    if not live or width >= ROOMY:
        ages.append(Span(f" p99 {numbers.seconds(tail).strip():<4}", "muted"))
    counts = [
        (name, detail(frame, name, getattr(health, name)))
        for name in ("gaps", "dropped", "reconnects")
    ]
    found = [
        heard(health, reading.as_of),
        # On a live line, what went wrong comes before what is as it should be.
        *(counter(*each) for each in counts if live and each[1] > 0),
        ages,
        window(health, width),
        [Span("quoted ", "faint"),
         Span(numbers.percent(quoted).strip(), "warning" if poor else "text", bold=poor)],
        [Span(f"{numbers.compact(health.events_per_s):>5}", "text"), Span(" ev/s", "faint")],
        *(counter(*each) for each in counts if not (live and each[1] > 0)),
    ]  # fmt: skip
    for name, count in (("off parity", health.stale), ("crossed", health.crossed)):
        if count:
            found.append([Span(f"{name} ", "faint"), Span(numbers.compact(count), "muted")])
    if math.isfinite(health.tick_ms):
        found.append([Span("tick ", "faint"), Span(f"{health.tick_ms:.0f} ms", "muted")])
    return [part for part in found if part]


def told(frame: Frame) -> list[str]:
    """What must be said in words, the most important first."""
    state, message = frame.status.state, frame.status.message
    said = [w for w in frame.reading.health.warnings if w] if frame.reading is not None else []
    if frame.recording is not None and frame.recording.why and not frame.recording.chosen:
        why = frame.recording.why
        said.insert(0, why if frame.recording.on else f"not recorded: {why}")
    if "retry_in_s" in frame.status.detail:
        # Beside it, the seconds count down.
        message = _NEXT_TRY.sub("", message)
    trouble = ("stale", "reconnecting", "refused", "connecting", "ended", "closed")
    if message and not moving(frame) and (state in trouble or frame.reading is None):
        said.insert(0, message)
    return said


def paint(frame: Frame, width: int, _height: int) -> list[Line]:
    """Feed and state, recording, window, ages, losses; a warning takes what room is left."""
    state = frame.status.state
    feed = words.clean(frame.info.feed)
    left: list[Span] = [
        Span(" ● ", STATE_ROLES.get(state, "warning")),
        Span(f"{feed} {connection(frame)}".strip(), "text"),
    ]
    gap = Span("   " if width >= 110 else "  ")
    if kept := recorded(frame):
        left += [gap, *kept]
    reading, said = frame.reading, told(frame)
    if reading is None:
        window_text = frame.report.window if frame.report is not None else ""
        text = words.clean(said[0] if said else window_text)
        return [fit((*left, Span("  "), Span(text, "warning" if said else "muted")), width)]
    first = f"⚠ {words.clean(said[0])}" if said else ""
    more = f" +{len(said) - 1}" if len(said) > 1 else ""
    # A warning may take half of the line; counts give way to it, but since when the flow is
    # known does not: every position on the screen depends on it.
    keep = min(len(first) + len(more) + 2, width // 2) if first else 0
    since = heard(reading.health, reading.as_of)
    for part in parts(frame, reading, width):
        room = min(keep, LEAST) if part == since else keep
        if cells(left) + cells(part) + 6 + room > width:
            break
        left += [gap, *part]
    if not first:
        return [fit(left, width)]
    room = width - cells(left) - 3
    text = words.cut(first, max(1, room - len(more))).rstrip() + more
    return [ends(left, [Span(text, "warning"), Span(" ")], width)]
