"""The monitor with the user's settings, for every command that shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gexterm.config import Settings
    from gexterm.session.live import LiveSession


def screen_options(chosen: Settings, theme: str | None = None) -> dict[str, Any]:
    """What `ui.app.MonitorApp` is told."""
    from gexterm.cli.launching import CommandLauncher

    return {
        "launcher": CommandLauncher(chosen),
        "theme": theme or chosen.theme,
        "density": chosen.density,
        "characters": chosen.glyphs,
        "fps": chosen.fps,
        "keys": chosen.keys,
    }


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
