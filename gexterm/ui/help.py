"""Help: the keys as they are, and what every number means."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.events import Resize
from textual.screen import Screen

from gexterm.dealers.conventions import CONVENTIONS
from gexterm.ui import words
from gexterm.ui.actions import ACTIONS, BY_ID, GROUPS, Action, cap, of_screen
from gexterm.ui.frame import Frame
from gexterm.ui.glossary import CHAPTERS
from gexterm.ui.ink import Line, Span, fit
from gexterm.ui.themes import Palette
from gexterm.ui.widgets import topline
from gexterm.ui.widgets.painted import Painted

KEYS_INDENT = 13
"""Cells of the column of keys."""
INDENT = 22
"""Cells of the column of names."""


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


def _key_line(action: Action, keys: Mapping[str, Sequence[str]], width: int) -> list[Line]:
    caps = "  ".join(cap(key) for key in keys.get(action.id, ())) or "no key"
    title = action.title + ("  (replays)" if action.replay_only else "")
    indent = KEYS_INDENT + 32
    room = width - indent
    note = textwrap.wrap(action.description, room) if room >= 24 else []
    first = fit((Span(f"  {caps}", "strong", bold=True),), KEYS_INDENT)
    lines: list[Line] = [
        (*first, *fit((Span(title, "text"),), 32), Span("".join(note[:1]), "muted"))
    ]
    return [*lines, *((Span(" " * indent), Span(line, "muted")) for line in note[1:])]


def key_lines(keys: Mapping[str, Sequence[str]], width: int, screen: str = "desk") -> list[Line]:
    """The keys as they are after the user's changes: of a screen, then of all screens by group."""
    lines: list[Line] = []
    groups = [(f"On this screen: {screen}", list(of_screen(screen)))]
    groups += [(name, [a for a in ACTIONS if a.group == name and not a.screens]) for name in GROUPS]
    for title, actions in groups:
        if not actions:
            continue
        lines += [(), (Span(title, "muted"),)] if lines else [(Span(title, "muted"),)]
        for action in actions:
            lines += _key_line(action, keys, width)
    return lines


@lru_cache(maxsize=256)
def _chapter(at: int, width: int) -> Sequence[Line]:
    # Breaking all these lines takes longer than all else that opening help does.
    chapter = CHAPTERS[at]
    lines = _title(chapter.title)
    indent = INDENT if width >= 64 else 2
    for term in chapter.terms:
        lines += _entry(term.name, term.meaning, width)
        if term.formula:
            lines += _paragraph("= " + term.formula, "long", width, indent)
        if term.source:
            lines += _paragraph(term.source, "muted", width, indent)
    return lines


def help_lines(
    keys: Mapping[str, Sequence[str]],
    warning: str,
    width: int,
    screen: str = "desk",
    chapters: Sequence[str] = (),
) -> list[Line]:
    """All of help at a width: a screen's keys, the `chapters` that explain it, then the rest."""
    lines: list[Line] = [(Span("KEYS", "lis", bold=True),), ()]
    lines += key_lines(keys, width, screen)
    titles = [chapter.title for chapter in CHAPTERS]
    first = [titles.index(title) for title in chapters if title in titles]
    for at in (*first, *(at for at in range(len(titles)) if at not in first)):
        lines += _chapter(at, width)
    lines += _title("Conventions: an assumption, not a measurement")
    if warning:
        lines += [*_paragraph("⚠ " + words.clean(warning), "warning", width, 0), ()]
    for convention in CONVENTIONS.values():
        lines += _entry(convention.name, convention.description + ".", width)
        lines += _paragraph(convention.help, "muted", width, INDENT if width >= 64 else 2)
    return lines


def foot(_frame: Frame, width: int, _height: int) -> list[Line]:
    """How to move in help and how to leave it."""
    said = [("Esc", "back"), ("↑↓ PgUp PgDn", "scroll"), ("Tab", "next chapter")]
    spans = [Span(" ")]
    for key, word in said:
        spans += [Span(key, "text", bold=True), Span(f" {word}  ", "muted")]
    return [fit(spans, width)]


class HelpText(Painted):
    """Help as one long painted widget."""

    DEFAULT_CSS = "HelpText { height: auto; }"

    def __init__(
        self,
        keys: Mapping[str, Sequence[str]],
        palette: Palette,
        warning: str,
        screen: str,
        chapters: Sequence[str],
    ) -> None:
        super().__init__(id="help-text")
        self._about = (screen, chapters)
        self._keys, self._warning = keys, warning
        self._layouts: dict[int, list[Line]] = {}
        self.palette = palette

    def laid_out(self, width: int) -> list[Line]:
        """The lines at a width, kept: Textual asks for a height often before it shows any."""
        if width not in self._layouts:
            lines = help_lines(self._keys, self._warning, width, *self._about)
            self._layouts = {width: [fit(line, width) for line in lines]}
        return self._layouts[width]

    def titles(self) -> list[int]:
        """Rows at which chapters begin."""
        lines = self.laid_out(self.size.width)
        return [y for y, line in enumerate(lines) if line and line[0].fg == "lis"]

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """As many rows as the text takes."""
        return len(self.laid_out(width))

    def repaint(self) -> None:
        """Lay the text out for the width that there is."""
        width = self.size.width
        if width > 0 and width != self._width:
            self._lines = self.laid_out(width)
            self._strips, self._width = [None] * len(self._lines), width
            self.refresh()

    def on_resize(self, _event: Resize) -> None:
        """A new width."""
        self.repaint()

    def show(self, frame: Frame) -> None:
        """Help does not change with the market."""


class HelpScreen(Screen[None]):
    """Help in place of a screen, under the top line, which goes on with the market.

    A ground of its own and not a veil over the screen: dimming what lies behind costs
    Textual as much as ten frames, at the very moment that a key waits for its answer.
    """

    DEFAULT_CSS = """
    HelpScreen { background: $gx-background; color: $gx-text; layout: vertical; overflow: hidden; }
    HelpScreen Painted { background: $gx-background; }
    HelpScreen #top { height: 1; }
    HelpScreen #foot { height: 1; }
    HelpScreen VerticalScroll {
        height: 1fr; width: 100%; max-width: 124; padding: 1 2 0 2;
        overflow-y: scroll;
        background: $gx-background;
        scrollbar-size-vertical: 1;
        scrollbar-color: $gx-faint; scrollbar-background: $gx-background;
        scrollbar-color-hover: $gx-muted; scrollbar-background-hover: $gx-background;
        scrollbar-color-active: $gx-muted; scrollbar-background-active: $gx-background;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Close", show=False),
        Binding(",".join(BY_ID["help"].keys), "close", "Close", id="help", show=False),
        Binding("j", "down", show=False),
        Binding("k", "up", show=False),
        Binding("tab", "chapter(1)", show=False),
        Binding("shift+tab", "chapter(-1)", show=False),
    ]

    def __init__(
        self,
        keys: Mapping[str, Sequence[str]],
        palette: Palette,
        warning: str,
        screen: str = "desk",
        chapters: Sequence[str] = (),
        *,
        begin_at: str = "",
    ) -> None:
        super().__init__()
        self._begin_at = begin_at
        self._text = HelpText(keys, palette, warning, screen, chapters)
        self._bars = (Painted(topline.paint, id="top"), Painted(foot, id="foot"))
        for bar in self._bars:
            bar.palette = palette

    def compose(self) -> ComposeResult:
        """The market, a text that scrolls, and the way out."""
        yield self._bars[0]
        with VerticalScroll():
            yield self._text
        yield self._bars[1]

    def on_mount(self) -> None:
        """Arrow keys scroll at once."""
        self.query_one(VerticalScroll).focus()
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        refresh = getattr(self.app, "refresh_screen", None)
        if refresh is not None:
            refresh()
        lines = self._text.laid_out(self._text.size.width)
        wanted = self._begin_at.upper()
        at = next((y for y, line in enumerate(lines) if line and line[0].text == wanted), None)
        if wanted and at is not None:
            self.query_one(VerticalScroll).scroll_to(y=at, animate=False)

    def show(self, frame: Frame) -> None:
        """The market goes on in the top line."""
        for bar in self._bars:
            bar.show(frame)

    def action_down(self) -> None:
        """A row down."""
        self.query_one(VerticalScroll).scroll_down(animate=False)

    def action_up(self) -> None:
        """A row up."""
        self.query_one(VerticalScroll).scroll_up(animate=False)

    def action_chapter(self, step: int) -> None:
        """The next chapter, or the one before."""
        scroll = self.query_one(VerticalScroll)
        now, rows = round(scroll.scroll_y), self._text.titles()
        ahead = [y for y in rows if y > now] if step > 0 else [y for y in rows if y < now][::-1]
        if ahead:
            scroll.scroll_to(y=ahead[0], animate=False)

    def action_close(self) -> None:
        """Back to the screen."""
        self.dismiss(None)
