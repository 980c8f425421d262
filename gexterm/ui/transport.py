"""Time: play, pause, step, speed, and going to a moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gexterm.ui.channel import Channel

SPEEDS = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 120.0, 300.0, 600.0)
"""Speeds of a replay, as the keys go through them."""
MINUTE_NS = 60 * 1_000_000_000


class Transport:
    """The time actions of the monitor; a part of `app.MonitorApp`."""

    if TYPE_CHECKING:
        channel: Channel | None

        def _try(self, command: Callable[[], None]) -> bool: ...
        def tell(self, text: str, severity: str = "information") -> None: ...  # noqa: D102
        def refresh_screen(self) -> None: ...  # noqa: D102

    def action_pause(self) -> None:
        """Pause or go on."""
        channel = self.channel
        if channel is None:
            return
        session = channel.session
        if session.replayable:
            self._try(session.resume if session.paused else session.pause)
        else:
            channel.held = not channel.held
            self.refresh_screen()

    def action_back_5(self) -> None:
        """5 minutes back."""
        self._seek(-5)

    def action_forward_5(self) -> None:
        """5 minutes on."""
        self._seek(5)

    def action_back_30(self) -> None:
        """30 minutes back."""
        self._seek(-30)

    def action_forward_30(self) -> None:
        """30 minutes on."""
        self._seek(30)

    def _seek(self, minutes: int) -> None:
        channel = self.channel
        if channel is None:
            return
        if not channel.session.replayable:
            self.tell("a live market cannot be wound: this is for replays", "warning")
        elif channel.newest is not None:
            info = channel.session.info
            to = channel.newest.as_of + minutes * MINUTE_NS
            to = max(to, info.begins) if info.begins else to
            to = min(to, info.ends) if info.ends else to
            session = channel.session
            self._try(lambda: session.seek(to))

    def action_faster(self) -> None:
        """Faster."""
        self._change_speed(1)

    def action_slower(self) -> None:
        """Slower."""
        self._change_speed(-1)

    def _change_speed(self, step: int) -> None:
        if self.channel is None:
            return
        session = self.channel.session
        if not session.replayable:
            self.tell("a live market has one speed: this is for replays", "warning")
            return
        at = min(range(len(SPEEDS)), key=lambda i: abs(SPEEDS[i] - session.speed))
        speed = SPEEDS[max(0, min(len(SPEEDS) - 1, at + step))]
        self._try(lambda: session.set_speed(speed))
