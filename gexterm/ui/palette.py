"""A palette: a colour for every meaning, and what a terminal of few colours shows instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rich.color import Color
from rich.style import Style
from textual.theme import Theme

from gexterm.ui import colours
from gexterm.ui.ink import Span

ROLES = (
    "background", "raised", "text", "strong", "muted", "faint", "line",
    "spot", "long", "short", "buy", "sell", "flip", "wall", "lis", "target",
    "glow", "good", "warning", "error", "replay", "simulated", "delayed",
)  # fmt: skip
"""Every meaning that a theme has to give a colour to."""
GROUNDS = ("background", "raised", "glow")
"""Those that lie behind text."""
SIXTEEN = "ansi16"
"""The theme for terminals of 16 colours."""
TRUE, EIGHT_BIT, FOUR_BIT, NONE = 24, 8, 4, 0
"""Bits of colour: any `#rrggbb`, 256 fixed ones, the terminal's own sixteen, none."""

_FADE, _FILL, _CLEAR = 0.58, 0.14, 0.85
# What stands for a terminal's defaults in a picture, by whether it is dark.
_PAGE = {True: ("#d8d8d8", "#121212"), False: ("#2c2c2c", "#fafafa")}
# What Textual's own style sheets ask of a theme of the terminal's colours: the cursor and
# what is selected in reverse, since no colour of the terminal is sure to be another.
_OF_TERMINAL = {
    **dict.fromkeys(
        ("ansi-background", "ansi-foreground", "border-blurred", "block-cursor-foreground",
         "block-cursor-background", "input-cursor-background", "input-cursor-foreground",
         "input-selection-background", "input-selection-foreground",
         "screen-selection-background", "screen-selection-foreground"),
        "ansi_default",
    ),
    "input-cursor-text-style": "reverse",
    "block-cursor-text-style": "reverse",
}  # fmt: skip
_PARTIAL = frozenset("▏▎▍▌▋▊▉")


@dataclass(frozen=True, eq=False)
class Palette:
    """One theme's colours, and the terminal styles made of them."""

    name: str
    """How the theme is called in settings."""
    title: str
    """How it is called on screen."""
    dark: bool
    """Whether the background is dark."""
    colors: Mapping[str, str]
    """Role to `#rrggbb`; every one of `ROLES`. Of a terminal's own colours: what stands for them
    in pictures."""
    path: Path | None = None
    """The file it comes from."""
    terminal: Mapping[str, str] | None = None
    """Role to a colour of the terminal, as `colours.is_terminals` knows them; None: any colour."""
    depth: int = TRUE
    """Bits of colour of the terminal that it is for."""
    ascii: bool = False
    """Whether that terminal has no characters but those of ASCII."""
    _styles: dict[tuple[object, ...], Style] = field(default_factory=dict, repr=False)

    def color(self, role: str) -> str:
        """`#rrggbb` of a role.

        `role~` is faded towards the background, `role=` a little: large areas of a
        colour look stronger than letters of it.
        """
        if role.endswith("="):
            return colours.blend(self.color(role[:-1]), self.colors["background"], _FILL)
        if role.endswith("~"):
            return self._faded(self.color(role[:-1]))
        return self.colors.get(role, self.colors["text"])

    def _faded(self, color: str) -> str:
        # Some of what is faded is read: it stays nearly as clear as what is faint.
        ground = self.colors["background"]
        floor = _CLEAR * colours.contrast(self.colors["faint"], ground)
        for share in (_FADE, 0.5, 0.42, 0.34, 0.26, 0.18, 0.1):
            found = colours.blend(color, ground, share)
            if colours.contrast(found, ground) >= floor:
                return found
        return color

    def style(self, span: Span) -> Style:
        """The terminal style of a span, made once."""
        key: tuple[object, ...] = span[1:]
        if self.terminal is not None and span.fg in GROUNDS:
            # A part of a block in the ground's colour is the ground; letters in it are not.
            key = (*key, span.text[:1] in _PARTIAL)
        found = self._styles.get(key)
        if found is None:
            found = self._styles[key] = self._make(span)
        return found

    def _make(self, span: Span) -> Style:
        if self.terminal is not None:
            return self._terminal_style(span, self.terminal)
        ground = self.color(span.bg or "background")
        return Style(
            color=self._rich(self.color(span.fg), "" if span.fg == "background" else ground),
            bgcolor=self._rich(ground),
            bold=span.bold,
            underline=span.underline,
        )

    def _rich(self, color: str, ground: str = "") -> Color:
        if self.depth == EIGHT_BIT:
            return Color.from_ansi(colours.nearest_256(color, ground)[0])
        return Color.parse(color)

    def _terminal_style(self, span: Span, terminal: Mapping[str, str]) -> Style:
        """A style of the terminal's own colours.

        Its ground has no name that text could be given: what is drawn in the ground's
        colour on a coloured cell is drawn the other way round, in reverse.
        """

        def of(role: str) -> tuple[str, bool]:
            faded = role.endswith("~")
            base, dim = colours.split(terminal.get(role.rstrip("~="), colours.DEFAULT))
            return base, dim or faded

        bold, line = span.bold or span.fg in ("strong", "spot"), span.underline
        front, dim = of(span.fg)
        if span.bg in ("", "background", "raised"):
            return _style(front, bold=bold, underline=line, dim=dim)
        behind, _ = of(span.bg)
        if span.fg not in GROUNDS:
            if behind == colours.DEFAULT:  # such as a level that has just changed
                return _style(front, bold=True, underline=True)
            return _style(_letters_on(behind), behind, bold=bold, underline=line)
        if behind == colours.DEFAULT or span.text[:1] in _PARTIAL:
            return _style(behind, bold=span.bold, reverse=True)
        return _style(_letters_on(behind), behind, bold=bold, underline=line)

    def textual(self) -> Theme:
        """The same colours for Textual's own parts: palette, notices, help."""
        c = self.css()
        return Theme(
            name=self.textual_name,
            primary=c["lis"],
            secondary=c["long"],
            accent=c["lis"],
            warning=c["warning"],
            error=c["error"],
            success=c["good"],
            foreground=c["text"],
            background=c["background"],
            surface=c["raised"],
            panel=c["raised"],
            boost=None if self.terminal is None else c["background"],
            dark=self.dark,
            variables={
                **({} if self.terminal is None else _OF_TERMINAL),
                **css_variables(c),
                "gx-chosen": "underline" if self.depth == NONE else "none",
            },
            ansi=self.terminal is not None,
        )

    @property
    def textual_name(self) -> str:
        """What Textual knows it as; another for each depth of the same theme."""
        return f"gexterm-{self.name}" + ("" if self.depth == TRUE else f"-{self.depth}")

    def css(self) -> dict[str, str]:
        """Role to a colour as style sheets write it; `on-glow`: text on what is chosen."""
        if self.terminal is None:
            found = dict(self.colors)
            if self.depth == EIGHT_BIT:
                found = {
                    role: colours.nearest_256(
                        color, "" if role == "background" else self.colors["background"]
                    )[1]
                    for role, color in found.items()
                }
            return {**found, "on-glow": found["strong"]}
        found = {
            role: "ansi_" + colours.split(name)[0].replace(" ", "_")
            for role, name in self.terminal.items()
        }
        # Of a terminal's own colours no two but these are sure to differ.
        if self.depth == NONE:
            return {**found, "on-glow": found["strong"]}
        return {**found, "glow": "ansi_cyan", "on-glow": "ansi_black"}


def _style(front: str, behind: str = colours.DEFAULT, **looks: bool) -> Style:
    """A style of the terminal's colours by name; `looks` as rich calls them."""
    attributes: dict[str, Any] = looks
    return Style(
        color=Color.parse(front.replace(" ", "_")),
        bgcolor=Color.parse(behind.replace(" ", "_")),
        **attributes,
    )


def _letters_on(ground: str) -> str:
    """The colour of the terminal whose letters are read best on another of its colours."""
    return "bright white" if ground in ("red", "blue", "magenta", "black") else "black"


def css_variables(colors: Mapping[str, str]) -> dict[str, str]:
    """What the style sheet calls `$gx-line`, `$gx-muted` and so on.

    `$gx-on-glow` is for text on what is chosen, `$gx-chosen` its style: without colours it
    is underlined, since Textual draws no list in reverse.
    """
    found = {f"gx-{role}": color for role, color in colors.items()}
    found.setdefault("gx-on-glow", colors["strong"])
    found["gx-chosen"] = "none"
    return found


def of_terminal(
    name: str, title: str, terminal: Mapping[str, str], *, dark: bool = True, depth: int = FOUR_BIT
) -> Palette:
    """A palette of the terminal's own colours, with what stands for them in pictures."""
    text, ground = _PAGE[dark]
    shown = {
        role: ground if role in GROUNDS else colours.nominal(color, text, ground)
        for role, color in terminal.items()
    }
    return Palette(name, title, dark, shown, None, terminal, depth)


def depth_of(color_system: str | None, no_color: bool) -> int:
    """Bits of colour: of rich's name for what a terminal has, and whether NO_COLOR is set."""
    if no_color or color_system is None:
        return NONE
    return {"truecolor": TRUE, "256": EIGHT_BIT}.get(color_system, FOUR_BIT)


def fitting(
    chosen: Palette, palettes: Mapping[str, Palette], depth: int = TRUE, *, ascii_only: bool = False
) -> Palette:
    """The palette to show a chosen theme with on a terminal of so many bits of colour.

    Of 256 colours the likest are taken; of 16 the theme `ansi16`, since the likest of 16
    would be black on black; without colours nothing but bold, faint and reverse.
    """
    found = chosen
    if depth == NONE:
        found = PLAIN
    elif chosen.terminal is None and depth == EIGHT_BIT:
        found = replace(chosen, depth=EIGHT_BIT, _styles={})
    elif chosen.terminal is None and depth == FOUR_BIT:
        found = palettes.get(SIXTEEN, PLAIN)
        found = found if found.terminal is not None else PLAIN
    return replace(found, ascii=True) if ascii_only else found


def _each(roles: Iterable[str], **colors: str) -> dict[str, str]:
    return {role: colors.get(role, colors["other"]) for role in roles}


FALLBACK = Palette(
    "dark", "Plain", True,
    _each(
        ROLES, background="#101418", raised="#181e24", glow="#303840", line="#303840",
        faint="#707880", other="#d0d4d8",
    ),
)  # fmt: skip
"""What is left when no theme file can be read: grey, but complete."""

PLAIN = of_terminal(
    "no-colour",
    "No colour",
    _each(ROLES, muted="dim default", faint="dim default", line="dim default", other="default"),
    depth=NONE,
)
"""What is shown where no colour is wanted: the terminal's own text on its own ground."""
