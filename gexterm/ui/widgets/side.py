"""The side panel: sections below each other, as many as there is room for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gexterm.reading.model import Reading
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, ends, fit
from gexterm.ui.widgets import flow, paradigm, regime, views

Section = Callable[[Frame, Reading, int, bool], list[Line]]
"""Frame, Reading, width and whether to be brief, to lines; the first is the title."""

SECTIONS: tuple[Section, ...] = (
    paradigm.section,
    paradigm.lines_section,
    flow.section,
    views.section,
    regime.section,
)
"""Sections in order; under pressure the last become brief first, then give way."""


def title(text: str, width: int, note: str = "", role: str = "muted") -> Line:
    """The title of a section, with a note at its end."""
    return ends([Span(text, "muted", bold=True)], [Span(note, role)], width)


def paint(frame: Frame, width: int, height: int) -> Sequence[Line]:
    """Sections with a blank row between, in the height that there is."""
    reading = frame.reading
    if reading is None:
        return ()
    inner = width - 3
    full = [section(frame, reading, inner, False) for section in SECTIONS]
    brief = [section(frame, reading, inner, True) for section in SECTIONS]
    chosen = list(full)
    for at in range(len(chosen) - 1, -1, -1):
        if _height(chosen) <= height:
            break
        chosen[at] = brief[at]
    while len(chosen) > 1 and _height(chosen) > height:
        chosen.pop()
    # What giving way has freed goes back to the first that can use it.
    for at in range(len(chosen)):
        trial = [*chosen[:at], full[at], *chosen[at + 1 :]]
        if _height(trial) <= height:
            chosen = trial
    spare = height - _height(chosen)
    gaps = 1 + (1 if spare >= 2 * len(chosen) else 0)
    out: list[Line] = []
    for lines in chosen:
        if out:
            out += [()] * (1 if gaps == 1 else 2)
        out += lines
    return [fit((Span("│", "line"), Span(" "), *line), width) for line in _filled(out, height)]


def _height(sections: Sequence[Sequence[Line]]) -> int:
    return sum(len(lines) for lines in sections) + len(sections) - 1


def _filled(lines: list[Line], height: int) -> list[Line]:
    return [*lines[:height], *([()] * (height - len(lines)))]
