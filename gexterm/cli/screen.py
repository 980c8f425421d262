"""The monitor with the user's settings, for every command that shows it."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gexterm.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gexterm.config import Settings
    from gexterm.session.live import LiveSession


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
    chosen: Settings, theme: str | None = None
) -> Callable[[LiveSession], Awaitable[None]]:
    """What shows a session until the user leaves."""

    async def work(session: LiveSession) -> None:
        from gexterm.ui.app import show

        await show(session, **screen_options(chosen, theme))

    return work


async def start_screen(chosen: Settings) -> None:
    """The monitor without a session: the start screen opens one."""
    from gexterm.ui.app import show

    await show(None, **screen_options(chosen))
