"""Colour themes: TOML files that give every meaning a colour.

Bundled themes lie in `themes/`, the user's in the folder of `paths.user_themes`;
a user's theme of the same name wins. A broken file is reported, never fatal.
A theme is of colours of its own, `#rrggbb`, or of the terminal's: `default`, `cyan`,
`bright red`, `dim default`. `fitting` chooses what a terminal of few colours, or of
none (NO_COLOR), is shown instead.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gexterm import paths
from gexterm.errors import ConfigError
from gexterm.ui import colours
from gexterm.ui.palette import (
    FALLBACK,
    FOUR_BIT,
    GROUNDS,
    PLAIN,
    ROLES,
    Palette,
    css_variables,
    depth_of,
    fitting,
    of_terminal,
)

__all__ = [
    "DEFAULT", "FALLBACK", "PLAIN", "ROLES", "Palette", "bundled", "css_variables", "depth_of",
    "files", "fitting", "load", "parse", "read",
]  # fmt: skip

KEYS = ("name", "title", "dark", "extends", "colors")
"""What a theme file may say."""
DEFAULT = "dark"
"""The theme to start with."""

_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_HINT = "compare it with the bundled themes/dark.toml"


def _line_of(text: str, key: str, section: str = "") -> str:
    """`:12` for the line of a key, which tomllib does not keep; empty where it is not found."""
    current = ""
    for number, line in enumerate(text.splitlines(), 1):
        if head := re.match(r"\s*\[([^\]]+)\]", line):
            current = head[1].strip()
        elif current == section and re.match(rf'\s*["\']?{re.escape(key)}["\']?\s*=', line):
            return f":{number}"
    return ""


def _table(text: str, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)", str(error))
        line, what = "", str(error)
        if at:
            line, what = f":{at[1] or max(1, len(text.splitlines()))}", what[: at.start()]
        raise ConfigError(f"theme {where}{line} is not TOML: {what}", _HINT) from None


def parse(text: str, where: str, bases: Mapping[str, Palette] | None = None) -> Palette:
    """A theme from TOML.

    `bases`: themes that it may extend, by name; by default the bundled ones. Raises
    `ConfigError`, with the line where there is one, when it does not parse, lacks a colour,
    has one that is neither `#rrggbb` nor a terminal's, has some of both, or names a
    meaning that does not exist.
    """
    table = _table(text, where)

    def wrong(key: str, what: str, section: str = "") -> ConfigError:
        return ConfigError(f"theme {where}{_line_of(text, key, section)}{what}", _HINT)

    colors, name = table.get("colors", {}), table.get("name")
    if not isinstance(name, str) or not name.strip():
        raise wrong("name", " lacks a name")
    if extra := [key for key in table if key not in KEYS]:
        raise wrong(extra[0], f": unknown: {extra[0]}; known are {', '.join(KEYS)}")
    if not isinstance(colors, dict):
        raise wrong("colors", " lacks its [colors]")
    base: Palette | None = None
    if "extends" in table:
        bases = bundled() if bases is None else bases
        base = bases.get(table["extends"]) if isinstance(table["extends"], str) else None
        if base is None:
            known = ", ".join(sorted(bases))
            raise wrong("extends", f": extends {table['extends']!r}, which is none of {known}")
    elif missing := [role for role in ROLES if role not in colors]:
        raise wrong("colors", f" lacks {', '.join(missing)}")
    if unknown := [str(role) for role in colors if role not in ROLES]:
        raise wrong(unknown[0], f" has unknown colours: {', '.join(unknown)}", "colors")
    for key, kind, wanted in (("title", str, "text in quotes"), ("dark", bool, "true or false")):
        if key in table and not isinstance(table[key], kind):
            raise wrong(key, f": {key} = {table[key]!r} is not {wanted}")
    for role, color in colors.items():
        if not isinstance(color, str) or not (_HEX.fullmatch(color) or colours.is_terminals(color)):
            what = f": {role} = {color!r} is not #rrggbb, nor a colour of the terminal"
            raise wrong(role, what, "colors")
    given: dict[str, str] = {}
    if base is not None:
        given.update(base.colors if base.terminal is None else base.terminal)
    given.update({role: color.lower() for role, color in colors.items()})
    own = [role for role in ROLES if given[role].startswith("#")]
    if own and len(own) < len(ROLES):
        odd = next(role for role in (*colors, *ROLES) if (role in own) != (ROLES[0] in own))
        what = f": {odd} = {given[odd]!r}: #rrggbb and colours of the terminal do not mix"
        if ROLES[0] in own:
            what = f": {odd} = {given[odd]!r} is not #rrggbb, as the others are"
        raise wrong(odd, what, "colors")
    dark = bool(table.get("dark", base.dark if base else True))
    title = str(table.get("title", name))
    given = {role: given[role] for role in ROLES}
    if own:
        return Palette(name, title, dark, given)
    for role in GROUNDS[:2]:
        if given[role] != colours.DEFAULT:
            raise wrong(role, f": {role} = {given[role]!r} must be default", "colors")
    return of_terminal(name, title, given, dark=dark, depth=FOUR_BIT)


def bundled() -> dict[str, Palette]:
    """The themes that come with the program, by name."""
    return load((paths.bundled("themes"),))[0]


def load(folders: Sequence[Path] | None = None) -> tuple[dict[str, Palette], list[str]]:
    """Themes by name, and one line for each file that cannot be used.

    Later folders win. By default the bundled one, then the user's. A theme may extend one
    of an earlier folder, or one of its own folder by another name.
    """
    if folders is None:
        folders = (paths.bundled("themes"), paths.user_themes())
    themes: dict[str, Palette] = {}
    broken: list[str] = []
    for folder in folders:
        texts: dict[Path, str] = {}
        for file in files(folder):
            try:
                texts[file] = file.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                broken.append(f"theme {file.name} cannot be read: {error}")
        found, wrong = read(texts, themes)
        themes.update({palette.name: palette for palette in found.values()})
        broken += wrong.values()
    if not themes:
        themes[DEFAULT] = FALLBACK
    return themes, broken


def files(folder: Path) -> list[Path]:
    """The theme files of a folder, by name; none where there is no folder."""
    try:
        return sorted(file for file in folder.glob("*.toml") if not file.name.startswith("."))
    except OSError:
        return []


def read(
    texts: Mapping[Path, str], bases: Mapping[str, Palette]
) -> tuple[dict[Path, Palette], dict[Path, str]]:
    """The themes of one folder's files by file, and what is wrong with the others.

    Files that extend others of the folder wait until those are read.
    """
    found: dict[Path, Palette] = {}
    wrong: dict[Path, str] = {}
    waiting = dict(texts)
    while waiting:
        went_on = False
        last: dict[Path, str] = {}
        for file, text in list(waiting.items()):
            own = _names(text)
            names = {palette.name: palette for palette in found.values()}
            # A theme named as the one it extends means the one of that name below it.
            usable = {**bases, **{n: p for n, p in names.items() if n != own[0]}}
            if own[1] in _still(waiting, file) and own[1] != own[0]:
                last[file] = f"theme {file.name}: extends {own[1]!r}, which cannot be used"
                continue
            try:
                found[file] = replace(parse(text, file.name, usable), path=file)
            except ConfigError as error:
                wrong[file] = str(error)
            del waiting[file]
            went_on = True
        if not went_on:
            wrong.update(last)
            break
    return found, wrong


def _names(text: str) -> tuple[str, str]:
    """Name and base that a file gives, as far as it can be read."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return "", ""
    return str(table.get("name", "")), str(table.get("extends", ""))


def _still(waiting: Mapping[Path, str], but: Path) -> set[str]:
    return {_names(text)[0] for file, text in waiting.items() if file != but} - {""}
