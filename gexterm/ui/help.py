"""Help: the keys as they are, and what every number means."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.events import Resize
from textual.screen import ModalScreen

from gexterm.dealers.conventions import CONVENTIONS
from gexterm.ui import words
from gexterm.ui.actions import ACTIONS, GROUPS, cap
from gexterm.ui.frame import Frame
from gexterm.ui.glossary import CHAPTERS
from gexterm.ui.ink import Line, Span, fit
from gexterm.ui.themes import Palette
from gexterm.ui.widgets.painted import Painted

KEYS_INDENT = 13
"""Cells of the column of keys."""
INDENT = 22
"""Cells of the column of names."""
GROUND = "raised"
"""Role of the ground that help stands on."""


def _paragraph(text: str, role: str, width: int, indent: int) -> list[Line]:
    wrapped = textwrap.wrap(text, max(16, width - indent)) or [""]
    return [(Span(" " * indent), Span(line, role)) for line in wrapped]


def _entry(name: str, text: str, width: int) -> list[Line]:
    """A name at the left, its explanation beside it; below it where it is too long."""
    indent = INDENT if width >= 64 else 2
    lines = _paragraph(text, "text", width, indent)
    if len(name) < indent - 1:
        return [(Span(name.ljust(indent), "strong", bold=True), *lines[0][1:]), *lines[1:]]
    return [(Span(name, "strong", bold=True),), *lines]


def _title(text: str) -> list[Line]:
    return [(), (Span(text.upper(), "lis", bold=True),), ()]


def key_lines(keys: Mapping[str, Sequence[str]], width: int) -> list[Line]:
    """The keys by group, as they are after the user's changes."""
    lines: list[Line] = []
    for group in GROUPS:
        lines += [(), (Span(group, "muted"),)] if lines else [(Span(group, "muted"),)]
        for action in ACTIONS:
            if action.group != group:
                continue
            caps = "  ".join(cap(key) for key in keys.get(action.id, ())) or "no key"
            title = action.title + ("  (replays)" if action.replay_only else "")
            indent = KEYS_INDENT + 28
            room = width - indent
            note = textwrap.wrap(action.description, room) if room >= 24 else []
            first = fit((Span(f"  {caps}", "strong", bold=True),), KEYS_INDENT)
            lines.append(
                (*first, *fit((Span(title, "text"),), 28), Span("".join(note[:1]), "muted"))
            )
            lines += [(Span(" " * indent), Span(line, "muted")) for line in note[1:]]
    return lines


def help_lines(keys: Mapping[str, Sequence[str]], warning: str, width: int) -> list[Line]:
    """All of help at a width."""
    lines: list[Line] = [(Span("KEYS", "lis", bold=True), Span("   esc closes", "muted")), ()]
    lines += key_lines(keys, width)
    for chapter in CHAPTERS:
        lines += _title(chapter.title)
        for term in chapter.terms:
            lines += _entry(term.name, term.meaning, width)
            indent = INDENT if width >= 64 else 2
            if term.formula:
                lines += _paragraph("= " + term.formula, "long", width, indent)
            if term.source:
                lines += _paragraph(term.source, "muted", width, indent)
    lines += _title("Conventions: an assumption, not a measurement")
    if warning:
        lines += [*_paragraph("⚠ " + words.clean(warning), "warning", width, 0), ()]
    for convention in CONVENTIONS.values():
        lines += _entry(convention.name, convention.description + ".", width)
        lines += _paragraph(convention.help, "muted", width, INDENT if width >= 64 else 2)
    return lines


def on_ground(lines: Sequence[Line], width: int) -> list[Line]:
    """Lines on help's own ground."""
    return [
        tuple(span._replace(bg=span.bg or GROUND) for span in fit(line, width)) for line in lines
    ]


class HelpText(Painted):
    """Help as one long painted widget."""

    DEFAULT_CSS = "HelpText { height: auto; background: $gx-raised; }"

    def __init__(self, keys: Mapping[str, Sequence[str]], palette: Palette, warning: str) -> None:
        super().__init__(id="help-text")
        self._keys, self._warning = keys, warning
        self._layouts: dict[int, list[Line]] = {}
        self.palette = palette

    def _laid_out(self, width: int) -> list[Line]:
        # Textual asks for a height many times before it shows anything.
        if width not in self._layouts:
            self._layouts = {width: help_lines(self._keys, self._warning, width)}
        return self._layouts[width]

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """As many rows as the text takes."""
        return len(self._laid_out(width))

    def repaint(self) -> None:
        """Lay the text out for the width that there is."""
        width = self.size.width
        if width > 0 and width != self._width:
            self._lines = on_ground(self._laid_out(width), width)
            self._strips, self._width = [None] * len(self._lines), width
            self.refresh()

    def on_resize(self, _event: Resize) -> None:
        """A new width."""
        self.repaint()

    def show(self, frame: Frame) -> None:
        """Help does not change with the market."""


class HelpScreen(ModalScreen[None]):
    """Help over the desk, which goes on behind it."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: $gx-background 55%; }
    HelpScreen VerticalScroll {
        width: 92%; max-width: 110; height: 92%;
        background: $gx-raised; padding: 1 3;
        scrollbar-size-vertical: 1;
        scrollbar-color: $gx-faint; scrollbar-background: $gx-raised;
        scrollbar-color-hover: $gx-muted; scrollbar-background-hover: $gx-raised;
        scrollbar-color-active: $gx-muted; scrollbar-background-active: $gx-raised;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "dismiss", "Close", show=False),
        Binding("j", "down", show=False),
        Binding("k", "up", show=False),
    ]

    def __init__(self, keys: Mapping[str, Sequence[str]], palette: Palette, warning: str) -> None:
        super().__init__()
        self._parts = (keys, palette, warning)

    def compose(self) -> ComposeResult:
        """One text in a box that scrolls."""
        with VerticalScroll():
            yield HelpText(*self._parts)

    def on_mount(self) -> None:
        """Arrow keys scroll at once."""
        self.query_one(VerticalScroll).focus()

    def action_down(self) -> None:
        """A row down."""
        self.query_one(VerticalScroll).scroll_down(animate=False)

    def action_up(self) -> None:
        """A row up."""
        self.query_one(VerticalScroll).scroll_up(animate=False)

    async def action_dismiss(self, result: None = None) -> None:
        """Back to the desk."""
        self.dismiss(result)
