"""The status line: whether this can be trusted."""

from __future__ import annotations

import math

from gexterm.reading.model import Health
from gexterm.ui import numbers, words
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, ends, fit
from gexterm.ui.ink import width as cells

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


def parts(frame: Frame, health: Health) -> list[list[Span]]:
    """What the line says, the most important first."""
    age, tail = health.quote_age_p50_s, health.quote_age_p99_s
    quoted = health.quoted_share
    poor = math.isfinite(quoted) and quoted < QUOTED_LOW
    found = [
        [Span("age ", "faint"), Span(numbers.seconds(age).strip(), "text"),
         Span(f" p99 {numbers.seconds(tail).strip()}", "muted")],
        [Span("quoted ", "faint"),
         Span(numbers.percent(quoted).strip(), "warning" if poor else "text", bold=poor)],
        [Span(numbers.compact(health.events_per_s), "text"), Span(" ev/s", "faint")],
        counter("gaps", detail(frame, "gaps", health.gaps)),
        counter("dropped", detail(frame, "dropped", health.dropped)),
        counter("reconnects", detail(frame, "reconnects", health.reconnects)),
    ]  # fmt: skip
    for name, count in (("off parity", health.stale), ("crossed", health.crossed)):
        if count:
            found.append([Span(f"{name} ", "faint"), Span(numbers.compact(count), "muted")])
    if math.isfinite(health.tick_ms):
        found.append([Span("tick ", "faint"), Span(f"{health.tick_ms:.0f} ms", "muted")])
    return found


def paint(frame: Frame, width: int, _height: int) -> list[Line]:
    """Feed and state, ages, coverage, losses; a warning takes what room is left."""
    state = frame.status.state
    feed = words.clean(frame.info.feed)
    # A replay's connection may be up, but the word `live` belongs to the market.
    word = CONNECTED.get(frame.info.mode, state) if state == "live" else state
    left: list[Span] = [
        Span(" ● ", STATE_ROLES.get(state, "warning")),
        Span(f"{feed} {word}", "text"),
    ]
    reading = frame.reading
    if reading is None:
        text = words.clean(frame.status.message)
        return [fit((*left, Span("  "), Span(text, "muted")), width)]
    warnings = [w for w in reading.health.warnings if w]
    trouble = state in ("stale", "reconnecting", "refused", "connecting")
    if frame.status.message and (trouble or state in ("ended", "closed")):
        warnings.insert(0, frame.status.message)
    first = f"⚠ {words.clean(warnings[0])}" if warnings else ""
    more = f" +{len(warnings) - 1}" if len(warnings) > 1 else ""
    # A warning may take half of the line; counts give way to it.
    keep = min(len(first) + len(more) + 2, width // 2) if first else 0
    for part in parts(frame, reading.health):
        if cells(left) + cells(part) + 6 + keep > width:
            break
        left += [Span("   " if width >= 110 else "  "), *part]
    if not first:
        return [fit(left, width)]
    room = width - cells(left) - 3
    text = words.cut(first, max(1, room - len(more))).rstrip() + more
    return [ends(left, [Span(text, "warning"), Span(" ")], width)]
