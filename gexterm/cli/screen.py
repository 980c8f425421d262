"""The monitor with the user's settings, for every command that shows it."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from gexterm.cli.common import Command
from gexterm.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from gexterm.config import Settings
    from gexterm.session.live import LiveSession


LOOK = ("theme", "density", "screen", "fps")
"""Names of the options of `look_options`."""


def look_options(command: Command) -> Command:
    """How the monitor looks, whatever it shows; the settings say the rest."""
    from gexterm.config import DENSITIES
    from gexterm.ui.actions import SCREENS

    for option in (
        click.option(
            "--fps",
            type=click.FloatRange(0.1, 60.0),
            metavar="N",
            help="At most so many repaints a second; fewer for slow lines.",
        ),
        click.option("--screen", type=click.Choice(SCREENS[:-1]), help="Screen to begin with."),
        click.option("--density", type=click.Choice(DENSITIES), help="Air between the parts."),
        click.option("--theme", help="Colour theme, instead of the configured one."),
    ):
        command = option(command)
    return command


def with_look(chosen: Settings, look: Mapping[str, Any]) -> tuple[Settings, str]:
    """Settings with what the command line says of the look, and the first screen."""
    given = {name: look[name] for name in ("theme", "density", "fps") if look.get(name) is not None}
    if look.get("deliver"):
        given["alerts"] = replace(chosen.alerts, deliver_replays=True)
    return replace(chosen, **given), look.get("screen") or "desk"


def screen_options(chosen: Settings, theme: str | None = None) -> dict[str, Any]:
    """What `ui.app.MonitorApp` is told."""
    from gexterm.cli.launching import CommandLauncher
    from gexterm.clock import SystemClock
    from gexterm.ui.duties import Duties

    check_keys(chosen)
    # A page in a browser is one of several, and who looks at it need not be who runs it: it
    # opens no connections, and what is to happen once does not happen once a page.
    alone = not os.environ.get("TEXTUAL_DRIVER")
    own = chosen if alone else replace(chosen, snapshot_times="", snapshot_on="")
    return {
        "launcher": CommandLauncher(chosen) if alone else None,
        "theme": theme or chosen.theme,
        "density": chosen.density,
        "characters": chosen.glyphs,
        "fps": chosen.fps,
        "keys": chosen.keys,
        "duties": Duties(own, SystemClock(), delivers=alone),
    }


def check_keys(chosen: Settings) -> None:
    """Raise ConfigError, with file and line, where the settings ask for impossible keys."""
    from gexterm import config, paths
    from gexterm.ui.actions import ACTIONS, keymap

    try:
        keymap(chosen.keys)
    except ConfigError as error:
        path = paths.config_file()
        found = config.origins(path)
        names = {action.id for action in ACTIONS} | set(chosen.keys)
        told = [found[f"keys.{n}"] for n in names if n in error.message and f"keys.{n}" in found]
        where = f"{path.parent / told[0]}: " if told else ""
        raise ConfigError(where + error.message, error.hint) from None


def on_screen(
    chosen: Settings, look: Mapping[str, Any] = {}
) -> Callable[[LiveSession], Awaitable[None]]:
    """What shows a session until the user leaves."""

    async def work(session: LiveSession) -> None:
        from gexterm.ui.app import show

        own, screen = with_look(chosen, look)
        await show(session, screen=screen, **screen_options(own))

    return work


async def start_screen(chosen: Settings) -> None:
    """The monitor without a session: the start screen opens one."""
    from gexterm.ui.app import show

    await show(None, **screen_options(chosen))
