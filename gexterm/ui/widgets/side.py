"""The side panel: sections below each other, as many as there is room for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gexterm.reading.model import Reading
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, fit
from gexterm.ui.widgets import book, evidence, flow, paradigm, regime, sand, views
from gexterm.ui.widgets.painted import Painted

Section = Callable[[Frame, Reading, int], list[list[Line]]]
"""Frame, Reading and width to variants of the section, the fullest first.

An empty variant means that the section can be left out.
"""

CORE: tuple[Section, ...] = (
    paradigm.section,
    sand.section,
    flow.section,
    views.section,
    evidence.section,
    regime.section,
    flow.day_section,
)
"""What the panel is for, the most important first."""
EXTRA: tuple[Section, ...] = (book.section, book.spot_vol, book.profile, book.expiries)
"""What is good to have once all of `CORE` is there in full."""

AIRY_ROWS, AIRY_WIDTH = 38, 48
"""Rows and cells from which on a comfortable panel has more air than a compact one."""
LEAST_EXTRA = 1
"""Rows that the shortest of `EXTRA` takes."""


def choose(
    variants: Sequence[Sequence[Sequence[Line]]], core: int, height: int, gap: int = 1
) -> list[int]:
    """Which variant of each section, so that all fit with `gap` blank rows between.

    All begin in their shortest variant. Room goes to the first `core` sections: to
    what each needs to say its main thing, then to details, the most important first;
    the other sections take what is left.
    """
    chosen = [len(each) - 1 for each in variants]

    def total() -> int:
        sizes = [len(each[at]) for each, at in zip(variants, chosen, strict=True)]
        return sum(sizes) + gap * max(0, sum(1 for size in sizes if size) - 1)

    for numbers in (range(core), range(core, len(variants))):
        for level in range(max(len(each) for each in variants) - 1, -1, -1):
            for number in numbers:
                before = chosen[number]
                if level < before:
                    chosen[number] = level
                    if total() > height:
                        chosen[number] = before
    return chosen


def _picked(
    variants: Sequence[Sequence[Sequence[Line]]], core: int, height: int, gap: int
) -> list[Sequence[Line]]:
    levels = choose(variants, core, height, gap)
    picked = [each[at] for each, at in zip(variants, levels, strict=True)]
    return [lines for lines in picked if lines]


def paint(
    frame: Frame, width: int, height: int, without: frozenset[Section] = frozenset()
) -> Sequence[Line]:
    """Sections below each other in the height that there is.

    `without`: what the screen shows elsewhere.
    """
    reading = frame.reading
    airy = frame.density == "comfortable"
    border = (Span("│", "line"), Span("  " if airy and width >= AIRY_WIDTH else " "))
    if reading is None:
        return [border] * height
    inner = width - 2 - len(border[1].text)
    core = [section for section in CORE if section not in without]
    extra = [section for section in EXTRA if section not in without]
    variants = [section(frame, reading, inner) for section in core]
    # What a section says is worth more than air: on a low panel they stand close.
    least = 2 if airy and height >= AIRY_ROWS else 1
    picked = _picked(variants, len(core), height, least)
    # The rest is made only where there is room for any of it.
    if height - sum(map(len, picked)) - least * len(picked) > LEAST_EXTRA:
        variants += [section(frame, reading, inner) for section in extra]
        picked = _picked(variants, len(core), height, least)
    spare = height - sum(len(lines) for lines in picked) - (len(picked) - 1)
    gap = 2 if least == 2 or spare >= len(picked) else 1
    out: list[Line] = []
    for lines in picked:
        if out:
            out += [()] * gap
        out += lines
    out += [()] * (height - len(out))
    return [fit((*border, *line), width) for line in out[:height]]


class SidePanel(Painted):
    """The side panel, leaving out what has a panel of its own on the screen as it is."""

    def __init__(
        self,
        elsewhere: Sequence[tuple[Painted, Section]] = (),
        *,
        id: str | None = None,  # noqa: A002 - as in every widget
    ) -> None:
        super().__init__(id=id)
        self._elsewhere = elsewhere

    def paint(self, frame: Frame, width: int, height: int) -> Sequence[Line]:
        """Sections below each other."""
        away = frozenset(section for panel, section in self._elsewhere if panel.displayed)
        return paint(frame, width, height, away)
