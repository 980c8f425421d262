"""Which theme the monitor wears: the one chosen, as this terminal can show it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from textual.filter import LineFilter, Monochrome, NoColor
from textual.theme import Theme

from gexterm.ui.glyphs import AsciiFilter
from gexterm.ui.palette import FALLBACK, NONE, TRUE, Palette, fitting
from gexterm.ui.themes import DEFAULT
from gexterm.ui.themewatch import ThemeWatch


class Wardrobe:
    """The themes there are, the one chosen, and what becomes of it on this terminal.

    `depth`: bits of colour (`palette.depth_of`); `ascii_only`: no blocks, no braille.
    """

    def __init__(
        self,
        theme: str = DEFAULT,
        *,
        ascii_only: bool = False,
        depth: int = TRUE,
        watch: ThemeWatch | None = None,
    ) -> None:
        self._watch = ThemeWatch() if watch is None else watch
        self.ascii_only, self.depth = ascii_only, depth
        found = self._watch.look()
        self.palettes: Mapping[str, Palette] = self._watch.palettes or {DEFAULT: FALLBACK}
        """Every theme that can be chosen, by name."""
        self.said = list(found.said) if found else []
        """What is wrong with themes, to be told at the start."""
        if theme not in self.palettes:
            name = DEFAULT if DEFAULT in self.palettes else next(iter(self.palettes))
            self.said.append(f"there is no theme `{theme}`; using {name}")
            theme = name
        self.chosen: Palette = self.palettes[theme]
        """The theme chosen, with its own colours."""
        self._worn: tuple[object, ...] = ()
        self._palette = self.chosen

    @property
    def worn(self) -> Palette:
        """The theme chosen, as this terminal can show it. The same object until that changes."""
        now = (self.chosen, self.depth, self.ascii_only)
        if now != self._worn:
            self._worn = now
            self._palette = fitting(
                self.chosen, self.palettes, self.depth, ascii_only=self.ascii_only
            )
        return self._palette

    @property
    def title(self) -> str:
        """What the chosen theme is called, and what is shown in its place if that is another."""
        shown = self.worn.title
        return self.chosen.title + ("" if shown == self.chosen.title else f", shown as: {shown}")

    def step(self, by: int) -> None:
        """Choose the next theme or the one before."""
        names = list(self.palettes)
        at = names.index(self.chosen.name) if self.chosen.name in names else -1
        self.chosen = self.palettes[names[(at + by) % len(names)]]

    def look(self) -> tuple[bool, tuple[str, ...]]:
        """Take up what the user has changed: whether colours are others now, and what to tell.

        When the file of the theme in use is gone its colours stay until another is chosen.
        """
        change = self._watch.look()
        if change is None:
            return False, ()
        self.palettes = change.palettes
        before, now = self.chosen, self.palettes.get(self.chosen.name)
        if now is None:
            gone = f"theme {before.name} is gone; its colours stay until another is chosen"
            return False, (*change.said, gone)
        self.chosen = now
        return now is not before, change.said

    def textual(self, current: str) -> Theme:
        """The theme worn, for Textual, under a name other than that of the `current` one.

        Textual takes up no theme of the name that it already shows.
        """
        theme = self.worn.textual()
        return replace(theme, name=f"{theme.name}-anew") if theme.name == current else theme

    def filters(self, there: Iterable[LineFilter]) -> list[LineFilter]:
        """Textual's filters of lines, those of colour and characters being as is worn here.

        Textual makes greys of every colour for NO_COLOR, and of a terminal's own text and
        ground the same black.
        """
        own = (Monochrome, NoColor, AsciiFilter)
        kept = [each for each in there if not isinstance(each, own)]
        if self.worn.depth == NONE:
            kept.append(NoColor())
        if self.worn.ascii:
            kept.append(AsciiFilter())
        return kept
