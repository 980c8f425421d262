"""Screens are made before they are gone to, in quiet moments after the start.

Making a screen for the first time means importing it, reading its style sheet, mounting its
widgets and laying them out: some 60 to 100 ms, several times what a key may take when the
machine is busy with a market. One is made at a time, with a pause after each, so that a key
pressed meanwhile waits for one at most.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gexterm.ui.actions import SCREENS

if TYPE_CHECKING:
    from textual.widget import AwaitMount

    from gexterm.ui.channel import Channel
    from gexterm.ui.screens.base import View

AFTER_S = 1.0
"""How long after the first Reading on the screen, seconds."""
PAUSE_S = 0.4
"""Between two of them, seconds."""


class Readying:
    """The part of `app.MonitorApp` that makes screens ready."""

    if TYPE_CHECKING:
        channel: Channel | None
        run_worker: Callable[..., Any]
        is_headless: bool
        _screen_stacks: dict[str, list[Any]]
        _css_update_count: int

        def view(self, name: str) -> View: ...  # noqa: D102
        def _init_mode(self, mode: str) -> AwaitMount: ...

    def begin_readying(self) -> None:
        """In the background. Where there is no terminal nobody presses a key."""
        if not self.is_headless:
            self.run_worker(self._when_quiet(), name="readying", group="readying")

    async def _when_quiet(self) -> None:
        while self.channel is None or self.channel.shown is None:  # noqa: ASYNC110 - a property
            await asyncio.sleep(PAUSE_S)
        await asyncio.sleep(AFTER_S)
        await self.make_ready(PAUSE_S)

    async def make_ready(self, pause_s: float = 0.0) -> None:
        """Make every screen that there is not yet, but for the start screen, which has no market.

        `pause_s`: seconds after each.
        """
        for name in SCREENS:
            if name != "start" and not self._screen_stacks.get(name):
                # Textual reads all style sheets anew for a screen that it thinks older than
                # a change of the theme, as it does of every new one.
                self.view(name)._css_update_count = self._css_update_count
                # Its own way to a mode's first screen, without going there.
                await self._init_mode(name)
                await asyncio.sleep(pause_s)
