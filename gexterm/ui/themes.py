"""Colour themes: TOML files that give every meaning a colour.

Bundled themes lie in `themes/`, the user's in the folder of `paths.user_themes`;
a user's theme of the same name wins. A broken file is reported, never fatal.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.color import Color
from rich.style import Style
from textual.theme import Theme

from gexterm import paths
from gexterm.errors import ConfigError
from gexterm.ui.ink import Span

ROLES = (
    "background", "raised", "text", "strong", "muted", "faint", "line",
    "spot", "long", "short", "buy", "sell", "flip", "wall", "lis", "target",
    "glow", "good", "warning", "error", "replay", "simulated", "delayed",
)  # fmt: skip
"""Every meaning that a theme has to give a colour to."""

DEFAULT = "dark"
"""The theme to start with."""

_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_FADE, _FILL = 0.58, 0.14


def _blend(color: str, towards: str, share: float) -> str:
    pairs = ((int(color[i : i + 2], 16), int(towards[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


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
    """Role to `#rrggbb`; every one of `ROLES`."""
    path: Path | None = None
    """The file it comes from."""
    _styles: dict[tuple[str, str, bool, bool], Style] = field(default_factory=dict, repr=False)

    def color(self, role: str) -> str:
        """`#rrggbb` of a role.

        `role~` is faded towards the background, `role=` a little: large areas of a
        colour look stronger than letters of it.
        """
        if role.endswith("="):
            return _blend(self.color(role[:-1]), self.colors["background"], _FILL)
        if role.endswith("~"):
            return _blend(self.color(role[:-1]), self.colors["background"], _FADE)
        return self.colors.get(role, self.colors["text"])

    def style(self, span: Span) -> Style:
        """The terminal style of a span, made once."""
        key = span[1:]
        found = self._styles.get(key)
        if found is None:
            found = self._styles[key] = Style(
                color=Color.parse(self.color(span.fg)),
                bgcolor=Color.parse(self.color(span.bg or "background")),
                bold=span.bold,
                underline=span.underline,
            )
        return found

    def textual(self) -> Theme:
        """The same colours for Textual's own parts: palette, notices, help."""
        c = self.colors
        return Theme(
            name=f"gexterm-{self.name}",
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
            dark=self.dark,
            variables=css_variables(c),
        )


def css_variables(colors: Mapping[str, str]) -> dict[str, str]:
    """What the style sheet calls `$gx-line`, `$gx-muted` and so on."""
    return {f"gx-{role}": color for role, color in colors.items()}


def parse(text: str, where: str) -> Palette:
    """A theme from TOML.

    Raises `ConfigError` when it does not parse, lacks a colour, has one that is not
    `#rrggbb`, or names a meaning that does not exist.
    """
    hint = "compare it with the bundled themes/dark.toml"
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"theme {where} is not TOML: {error}", hint) from None
    colors = table.get("colors")
    name = table.get("name")
    if not isinstance(colors, dict) or not isinstance(name, str) or not name:
        raise ConfigError(f"theme {where} lacks a name or its [colors]", hint)
    if missing := [role for role in ROLES if role not in colors]:
        raise ConfigError(f"theme {where} lacks {', '.join(missing)}", hint)
    if unknown := [str(role) for role in colors if role not in ROLES]:
        raise ConfigError(f"theme {where} has unknown colours: {', '.join(unknown)}", hint)
    for role, color in colors.items():
        if not isinstance(color, str) or not _HEX.fullmatch(color):
            raise ConfigError(f"theme {where}: {role} = {color!r} is not #rrggbb", hint)
    return Palette(
        name=name,
        title=str(table.get("title", name)),
        dark=bool(table.get("dark", True)),
        colors={role: colors[role].lower() for role in ROLES},
    )


def load(folders: Sequence[Path] | None = None) -> tuple[dict[str, Palette], list[str]]:
    """Themes by name, and one line for each file that cannot be used.

    Later folders win. By default the bundled one, then the user's.
    """
    if folders is None:
        folders = (paths.bundled("themes"), paths.user_themes())
    themes: dict[str, Palette] = {}
    broken: list[str] = []
    for folder in folders:
        for file in sorted(folder.glob("*.toml")) if folder.is_dir() else ():
            try:
                found = parse(file.read_text(encoding="utf-8"), file.name)
            except (OSError, UnicodeDecodeError) as error:
                broken.append(f"theme {file.name} cannot be read: {error}")
            except ConfigError as error:
                broken.append(str(error))
            else:
                themes[found.name] = Palette(
                    found.name, found.title, found.dark, found.colors, file
                )
    if not themes:
        themes[DEFAULT] = FALLBACK
    return themes, broken


FALLBACK = Palette(
    DEFAULT,
    "Plain",
    True,
    {
        role: {
            "background": "#101418",
            "raised": "#181e24",
            "line": "#303840",
            "faint": "#606870",
        }.get(role, "#d0d4d8")
        for role in ROLES
    },
)
"""What is left when no theme file can be read: grey, but complete."""
