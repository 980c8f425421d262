"""The start screen's lists: sample feeds, recordings, venues, and what each would need."""

from __future__ import annotations

import datetime as dt
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from gexterm.ui import words
from gexterm.ui.actions import cap
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, fit
from gexterm.ui.ink import width as cells
from gexterm.ui.launch import Entry, Ribbon
from gexterm.ui.widgets.painted import Painted
from gexterm.ui.widgets.ribbon import letter

HEADS = {
    "sample": ("SAMPLE FEEDS", "synthetic, bundled: nothing to set up"),
    "feed": ("LIVE", "a venue, recorded while you watch"),
    "recording": ("YOUR RECORDINGS", "live sessions and imports, replayed"),
}
"""Kind to its headline, and what is said beside it."""
ORDER = ("sample", "feed", "recording")
"""Kinds, top to bottom: what works at once comes first."""
RIBBON = 24
"""Cells of a ribbon."""
_NEW_YORK = ZoneInfo("America/New_York")


@dataclass(slots=True)
class Choice:
    """What the start screen lists, and where its cursor is."""

    entries: tuple[Entry, ...] | None = None
    """Everything listed, in the order of the screen; None: not known yet."""
    at: int = 0
    """Index of the chosen one."""
    ribbons: dict[str, Ribbon | None] = field(default_factory=dict)
    """By name, as far as read; None: not to be had without being asked for."""
    reading: str = ""
    """Name of the one whose paradigms are being read."""
    said: str = ""
    """What went wrong, or is being done."""
    wrong: bool = False
    """Whether `said` is bad news."""

    @property
    def chosen(self) -> Entry | None:
        """The one the cursor is on."""
        if not self.entries:
            return None
        return self.entries[max(0, min(len(self.entries) - 1, self.at))]


def in_order(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Entries as they are listed."""
    return tuple(entry for kind in ORDER for entry in entries if entry.kind == kind)


def ribbon(found: Ribbon | None, width: int) -> list[Span]:
    """A day's paradigms in `width` cells: a letter where one begins, its colour after it."""
    if found is None or not found.labels:
        return [Span(" " * width)]
    out: list[Span] = []
    before = ""
    for cell in range(width):
        label = found.labels[cell * len(found.labels) // width]
        sign, role = letter(label) if label else (" ", "faint")
        out.append(Span("▬" if label and label == before else sign, role))
        before = label
    return out


def _when(entry: Entry) -> str:
    if not entry.begins:
        return ""
    begins = dt.datetime.fromtimestamp(entry.begins / 1e9, _NEW_YORK)
    return f"{begins:%a %Y-%m-%d %H:%M}"


def _length(entry: Entry) -> str:
    minutes = round((entry.ends - entry.begins) / 60e9) if entry.begins else 0
    if not entry.begins:
        return ""
    return f"{minutes // 60}h{minutes % 60:02d}m" if minutes >= 60 else f"{minutes}m"


def _name(entry: Entry) -> str:
    if entry.kind == "recording":
        return f"{entry.underlying} {entry.title}" if entry.underlying else entry.title
    return entry.name


def row(entry: Entry, choice: Choice, width: int, *, on: bool) -> Line:
    """One entry, a line."""
    ground = "glow" if on else ""
    name = words.clean(_name(entry))
    spans: list[Span] = [
        Span(" ▸ " if on else "   ", "strong"),
        Span(f"{name[:20]:<21}", "strong" if on else "text", bold=on),
    ]
    if entry.kind == "feed":
        mark = ("● ready", "good") if entry.ready else ("○ " + words.clean(entry.needs), "muted")
        offered = " ".join(entry.underlyings)
        spans.append(Span(f"{offered[:28]:<29}", "muted"))
        spans.append(Span(words.cut(mark[0], max(1, width - cells(spans))), mark[1]))
    else:
        spans.append(Span(f"{_when(entry):<21}", "muted"))
        spans.append(Span(f"{_length(entry):>6}  ", "muted"))
        if not entry.ready:
            spans.append(Span("✗ " + words.clean(entry.needs), "warning"))
        else:
            room = width - cells(spans)
            if room >= 12 + RIBBON // 2:
                if choice.reading == entry.name:
                    spans.append(Span("reading …".ljust(RIBBON + 1), "faint"))
                else:
                    spans += ribbon(choice.ribbons.get(entry.name), min(RIBBON, room - 2))
                    spans.append(Span("  "))
            room = width - cells(spans)
            if entry.kind == "sample" and room >= 16:
                spans.append(Span(words.cut(words.clean(entry.title), room), "muted"))
    line = fit(spans, width)
    return tuple(span._replace(bg=span.bg or ground) for span in line) if ground else line


def _first_steps(keys: Mapping[str, tuple[str, ...]], width: int) -> list[Line]:
    def press(action: str, otherwise: str) -> str:
        bound = keys.get(action, ())
        return cap(bound[0]) if bound else otherwise

    title: Line = (
        Span(" gexterm", "strong", bold=True),
        Span("  the option dealer's book", "text"),
    )
    steps = (
        (press("choose", "Enter"), "plays the sample feed under the cursor: nothing to set up"),
        (press("help", "?"), "explains every number, with its formula and source, and every key"),
        ("LIVE", "below says which venues are ready, and what the others need"),
    )
    lines: list[Line] = [title]
    if width >= 70:
        said = "Every position is inferred or assumed: the evidence stands beside the number."
        lines.append((Span(" " + said, "muted"),))
    lines.append(())
    for key, text in steps:
        lines.append((Span(f"   {key:<7}", "lis", bold=True), Span(text, "text")))
    return [*lines, ()]


def _detail(entry: Entry, choice: Choice, width: int) -> list[Line]:
    """All about the chosen one."""
    lines: list[Line] = []
    text = [(entry.title, "strong")] if entry.kind != "recording" else [(entry.name, "text")]
    text += [(entry.detail, "muted")]
    if entry.needs:
        text.append((entry.needs, "warning"))
    unread = entry.name in choice.ribbons and choice.ribbons[entry.name] is None
    if entry.kind == "recording" and unread and choice.reading != entry.name:
        text.append(("r reads its paradigms: it is large and takes a while", "muted"))
    if choice.said:
        text.append((choice.said, "warning" if choice.wrong else "lis"))
    for said, role in text:
        if said:
            lines += [
                (Span("   " + part, role),)
                for part in textwrap.wrap(words.clean(said), max(20, width - 6))[:3]
            ]
    return lines


def lines_of(
    choice: Choice, keys: Mapping[str, tuple[str, ...]], width: int, height: int
) -> list[Line]:
    """The whole screen between top and key line."""
    entries = choice.entries
    if entries is None:
        return [(), (Span("   looking for recordings …", "muted"),)]
    head = _first_steps(keys, width) if height >= 16 else []
    chosen = choice.chosen
    foot = _detail(chosen, choice, width) if chosen else []
    body: list[Line] = []
    on_row = 0
    kind = ""
    for number, entry in enumerate(entries):
        if entry.kind != kind:
            kind = entry.kind
            title, said = HEADS[kind]
            if body and height >= 20:
                body.append(())
            body.append((Span(f" {title}", "lis", bold=True), Span(f"   {said}", "muted")))
        if number == choice.at:
            on_row = len(body)
        body.append(row(entry, choice, width, on=number == choice.at))
    if not any(entry.kind == "recording" for entry in entries):
        title, _ = HEADS["recording"]
        body.append(())
        body.append(
            (
                Span(f" {title}", "lis", bold=True),
                Span("   none yet: live sessions are recorded by themselves", "muted"),
            )
        )
    room = max(3, height - len(head) - len(foot) - 1)
    first = 0
    if len(body) > room:
        first = max(0, min(on_row - room // 2, len(body) - room))
        below = len(body) - first - room
        shown = body[first : first + room]
        if below > 0:
            shown[-1] = (Span(f"   +{below + 1} more ↓", "muted"),)
        if first > 0:
            shown[0] = (Span(f"   +{first + 1} more ↑", "muted"),)
        body = shown
    return [*head, *body, (), *foot][:height]


class OpeningList(Painted):
    """What can be opened, with a cursor."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as in every widget
        super().__init__(id=id)
        self.choice = Choice()
        """What is listed, and where the cursor is."""

    def paint(self, frame: Frame, width: int, height: int) -> Sequence[Line]:
        """The lists."""
        return lines_of(self.choice, frame.keys, width, height)

    def row_at(self, y: int) -> int | None:
        """Index of the entry on a row of the widget; None where there is none."""
        keys = self.frame.keys if self.frame else {}
        lines = lines_of(self.choice, keys, self.size.width, self.size.height)
        if not self.choice.entries or not 0 <= y < len(lines):
            return None
        text = "".join(span.text for span in lines[y])
        for number, entry in enumerate(self.choice.entries):
            for on in (False, True):
                made = row(entry, self.choice, self.size.width, on=on)
                if text == "".join(span.text for span in made):
                    return number
        return None
