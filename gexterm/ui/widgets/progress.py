"""Where in the day one is: the bar of a replay, and how far a seek has come."""

from __future__ import annotations

from gexterm.ui import words
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span

SEVERE = {"info": "muted", "notice": "text", "warning": "warning"}
"""Colour of a mark by its severity."""


def span(frame: Frame) -> tuple[int, int]:
    """First and last moment of what is played, ns; equal where there is none."""
    ends = frame.info.ends
    if frame.beside is not None:
        ends = max(ends, frame.beside.at)
    return (frame.info.begins, ends) if frame.replayable and ends > frame.info.begins else (0, 0)


def catching_up(frame: Frame) -> tuple[int, int, int] | None:
    """From where, how far by now, and to where a seek leads, ns; None where none is under way."""
    detail = frame.status.detail
    begin, to = detail.get("from"), detail.get("to")
    if not detail.get("catching_up") or not isinstance(begin, float) or not isinstance(to, float):
        return None
    at = frame.reading.as_of if frame.reading is not None else 0
    first, last = round(begin), round(to)
    return first, at if first <= at <= last else first, last


def way(frame: Frame) -> str:
    """`10:12 → 10:35`, for a seek under way; else empty."""
    found = catching_up(frame)
    if found is None:
        return ""
    begin, at, to = (words.clock(ns, with_seconds=False) for ns in found)
    return f"{at if at != begin else begin} → {to}"


def share(frame: Frame) -> float:
    """How much of the way is done, 0 to 1."""
    found = catching_up(frame)
    if found is None or found[2] <= found[0]:
        return 0.0
    return (found[1] - found[0]) / (found[2] - found[0])


def blocks(done: float, width: int) -> str:
    """A small bar: `███░░`."""
    full = round(done * width)
    return "█" * full + "░" * (width - full)


def bar(frame: Frame, width: int) -> Line | None:
    """The day as a line, with where one is and what was seen on it; None without a replay."""
    begin, end = span(frame)
    if end <= begin or width < 20:
        return None
    reading = frame.reading
    now = reading.as_of if reading is not None else begin
    here = _cell(now, begin, end, width)
    cells = ["━" if x < here else "─" for x in range(width)]
    roles = ["replay" if x < here else "line" for x in range(width)]
    for mark in frame.day.marks if frame.day is not None else ():
        if begin <= mark.at <= end and mark.kind == "alert":
            x = _cell(mark.at, begin, end, width)
            cells[x], roles[x] = "┿" if x < here else "┼", SEVERE.get(mark.severity, "muted")
    cells[here], roles[here] = "●", "strong"
    out: list[Span] = []
    start = 0
    for x in range(1, width + 1):
        if x == width or roles[x] != roles[start]:
            out.append(Span("".join(cells[start:x]), roles[start]))
            start = x
    return tuple(out)


def moment_at(frame: Frame, x: int, width: int) -> int:
    """The market time under a cell of the bar, ns; 0 where there is no bar."""
    begin, end = span(frame)
    if end <= begin or width < 20:
        return 0
    return begin + round((end - begin) * max(0, min(width - 1, x)) / (width - 1))


def _cell(at: int, begin: int, end: int, width: int) -> int:
    return max(0, min(width - 1, round((at - begin) / (end - begin) * (width - 1))))
