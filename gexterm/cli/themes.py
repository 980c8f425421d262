"""`gexterm themes`: which colour themes there are, how they look, and a start for one's own."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gexterm.errors import ConfigError, InputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gexterm.ui.ink import Line
    from gexterm.ui.palette import Palette

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")

MEANINGS = {
    "background": "behind everything",
    "raised": "behind help, palette, notices",
    "text": "what is read",
    "strong": "what must be found first",
    "muted": "captions, units",
    "faint": "axes, look-back marks, what is old",
    "line": "the thin lines that separate",
    "spot": "the price; the strongest of all",
    "long": "gamma, vega, delta that dealers hold",
    "short": "the same, owed",
    "buy": "what dealers have to buy",
    "sell": "what they have to sell",
    "flip": "where gamma changes sign",
    "wall": "call and put wall",
    "lis": "lines in the sand, paradigm",
    "target": "the paradigm's target",
    "glow": "behind a level that has just changed",
    "good": "all is well",
    "warning": "look at this",
    "error": "this is broken",
    "replay": "a recording, not the market",
    "simulated": "made up, not a market",
    "delayed": "a market, late",
}
"""What each colour of a theme is for, in a few words."""


@click.group("themes", invoke_without_command=True)
@click.pass_context
def themes_command(ctx: click.Context) -> None:
    """The colour themes: list them, look at one, begin or check one of your own.

    Without a command: every theme, where it comes from, and what cannot be used.
    """
    if ctx.invoked_subcommand is not None:
        return
    from gexterm import config, paths
    from gexterm.ui import themes

    chosen = config.load(paths.config_file()).theme
    found, broken = themes.load()
    widest = max(map(len, found))
    for name, palette in found.items():
        mark = "*" if name == chosen else " "
        kind = "terminal's" if palette.terminal is not None else "dark" if palette.dark else "light"
        own = palette.path is not None and palette.path.parent == paths.user_themes()
        source = str(palette.path) if own else "bundled"
        click.echo(f"{mark} {name:<{widest}}  {kind:<10}  {palette.title}  ({source})")
    if chosen not in found:
        click.echo(f"the settings choose {chosen}, which is not there", err=True)
    for line in broken:
        click.echo(f"not usable: {line}", err=True)
    click.echo(f'# your own: {paths.user_themes()}; * is chosen: theme = "{chosen}"', err=True)


@themes_command.command("show")
@click.argument("name")
def show_command(name: str) -> None:
    """A sample of theme NAME in this terminal's colours, with the contrast of each on its ground.

    NAME may also be a file.
    """
    from gexterm.ui import themes

    found, _ = themes.load()
    if name in found:
        palette = found[name]
    elif name.endswith(".toml") and Path(name).is_file():
        palette = _read(Path(name))
    else:
        raise UsageError(f"there is no theme {name}", f"one of: {', '.join(found)}, or a file")
    write, shown, colours = _writer(palette)
    if shown.title != palette.title and sys.stdout.isatty():
        click.echo(f"# this terminal shows it as: {shown.title}", err=True)
    for line in [*sample(), *swatches(palette)]:
        click.echo(write(line), color=colours)


@themes_command.command("new")
@click.argument("name")
@click.option("--from", "base", default="dark", show_default=True, help="Theme to begin with.")
def new_command(name: str, base: str) -> None:
    """Write a commented copy of a theme into your own folder, as NAME.

    A running monitor takes up the file as it is edited.
    """
    from gexterm import paths
    from gexterm.ui import themes

    found, _ = themes.load()
    if base not in found:
        raise UsageError(f"there is no theme {base}", f"one of: {', '.join(found)}")
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name for a theme", "letters, digits, - and _")
    path = paths.user_themes() / f"{name}.toml"
    text = commented(name, found[base])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(f"{path} is there already", "choose another name") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error}", "see to the folder") from None
    click.echo(path)
    click.echo(f'# to use it: theme = "{name}" in {paths.config_file()}', err=True)


@themes_command.command("check")
@click.argument("file", type=click.Path(path_type=Path))
def check_command(file: Path) -> None:
    """Say whether FILE can be used as a theme, and which of its colours are hard to read."""
    palette = _read(file)
    for line in hard_to_read(palette):
        click.echo(line)
    click.echo(f"{file}: theme {palette.name} can be used", err=True)


def _read(file: Path) -> Palette:
    from gexterm.ui import themes

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file} cannot be read: {error}", "give a theme's TOML file") from None
    try:
        return themes.parse(text, file.name, themes.load()[0])
    except ConfigError as error:
        raise InputError(error.message, error.hint) from None


def commented(name: str, base: Palette) -> str:
    """A theme file with every colour of another, and what each is for."""
    given = base.colors if base.terminal is None else base.terminal
    rows = []
    for role, color in given.items():
        entry = f'{role} = "{color}"'
        rows.append(f"{entry:<28} # {MEANINGS[role]}")
    return "\n".join(
        (
            f"# A colour theme of gexterm, begun as a copy of {base.name}. A running monitor takes",
            "# up what is saved here. `gexterm themes check FILE` says what is hard to read.",
            f'# With  extends = "{base.name}"  before [colors], only what differs need be given.',
            f'name = "{name}"',
            f'title = "{name}"',
            f"dark = {'true' if base.dark else 'false'}",
            "",
            "[colors]",
            *rows,
            "",
        )
    )


def hard_to_read(palette: Palette) -> list[str]:
    """A line for each colour of less contrast than it needs (WCAG 2.1: 4.5 for text)."""
    from gexterm.ui.colours import contrast
    from gexterm.ui.palette import GROUNDS

    if palette.terminal is not None:
        return []
    ground = palette.colors["background"]
    out = []
    for role, color in palette.colors.items():
        least = {"line": 1.15, "faint": 3.0}.get(role, 4.5)
        if role not in GROUNDS and (has := contrast(color, ground)) < least:
            out.append(f"{role} = {color} has contrast {has:.2f} on {ground}; {least:g} is wanted")
    text = palette.colors["text"]
    out += [
        f"text on {role} has contrast {has:.2f}; 4.5 is wanted"
        for role in GROUNDS[1:]
        if (has := contrast(text, palette.colors[role])) < 4.5
    ]
    return out


def sample() -> list[Line]:
    """A few rows of a ladder, and what else carries colour."""
    from gexterm.ui.ink import Span, fit
    from gexterm.ui.widgets.bars import bar

    def ladder(strike: str, gamma: float, charm: float, mark: Span) -> Line:
        return (
            Span("  "),
            *bar(charm, 1.0, 9, ("buy", "sell"), {5: charm * 0.6, 30: -charm * 0.3}),
            Span(f"  {strike}  ", "muted"),
            *fit((mark,), 8),
            *bar(gamma, 1.0, 9, ("short", "long"), {15: gamma * 0.5}),
            Span("  "),
        )

    width = 2 + 18 + 9 + 8 + 18 + 2
    rows: list[Line] = [
        (Span(" 6,012.35", "spot", bold=True), Span("  ▲0.42%  ", "muted"),
         Span("BofA 83%", "lis", bold=True), Span("  γ short −8.56bn", "short"),
         Span("  flip 6,001", "flip")),
        (Span("─" * width, "line"),),
        ladder("6,050", -0.7, 0.9, Span("◂call", "wall")),
        ladder("6,045", 0.2, 0.55, Span("▴LIS", "lis")),
        ladder("6,040", -0.35, 0.3, Span("◎tgt", "target")),
        (Span("━" * 24, "spot~"), Span(" 6,012.35 ", "background", "spot", bold=True),
         Span("━" * (width - 34), "spot~")),
        ladder("6,000", 0.85, -0.8, Span("┄flip", "flip")),
        ladder("5,995", -0.15, -0.35, Span("", "text")),
        (Span(" changed ", "strong", "glow"), Span("  captions", "muted"), Span("  old", "faint"),
         Span("  ● well", "good"), Span("  ⚠ look", "warning"), Span("  ✗ broken", "error")),
        (Span(" REPLAY ", "background", "replay"), Span(" "),
         Span(" SIMULATED ", "background", "simulated"), Span(" "),
         Span(" DELAYED 15m ", "background", "delayed"), Span(" "),
         Span(" ⚠ SIGNING TRAP ", "background", "warning")),
    ]  # fmt: skip
    return [fit(row, width) for row in [*rows, ()]]


def swatches(palette: Palette) -> list[Line]:
    """Each colour with its name, value, contrast and meaning."""
    from gexterm.ui.colours import contrast
    from gexterm.ui.ink import Span, fit, width
    from gexterm.ui.palette import GROUNDS

    rows: list[Line] = []
    for role, color in palette.colors.items():
        own = palette.terminal is not None
        value = palette.terminal[role] if palette.terminal is not None else color
        told = "" if own else f"{contrast(color, palette.colors['background']):5.1f}:1"
        swatch = Span("      ", "text", role) if role in GROUNDS else Span("██████", role)
        rows.append(
            (
                Span(" "),
                swatch,
                Span(f"  {role:<11} {value:<12}", role if role not in GROUNDS else "text"),
                Span(f"{'' if role in GROUNDS else told:>8}  {MEANINGS[role]}", "muted"),
            )
        )
    widest = max(map(width, rows))
    return [fit(row, widest) for row in rows]


def _writer(palette: Palette) -> tuple[Callable[[Line], str], Palette, bool]:
    """What turns a line into text for standard output, the palette, and whether it colours."""
    from rich.color import ColorSystem
    from rich.console import Console

    from gexterm import config, paths
    from gexterm.ui import themes
    from gexterm.ui.glyphs import ascii_line, ascii_wanted
    from gexterm.ui.ink import plain

    console = Console()
    wanted = config.load(paths.config_file()).glyphs
    coded = getattr(sys.stdout, "encoding", "") or "utf-8"
    in_ascii = ascii_wanted(wanted, os.environ, coded)
    system = console.color_system
    depth = themes.depth_of(system, "NO_COLOR" in os.environ)
    shown = themes.fitting(palette, themes.load()[0], depth)
    by_name = {
        "truecolor": ColorSystem.TRUECOLOR, "256": ColorSystem.EIGHT_BIT,
        "standard": ColorSystem.STANDARD, "windows": ColorSystem.WINDOWS,
    }  # fmt: skip

    def write(line: Line) -> str:
        found = ascii_line(line) if in_ascii else line
        if system is None:
            return plain(found).rstrip()
        return "".join(
            shown.style(span).render(span.text, color_system=by_name[system]) for span in found
        )

    return write, shown, system is not None
