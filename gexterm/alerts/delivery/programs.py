"""Deliveries that run a program: the desktop's notifier, and a command of the user's."""

from __future__ import annotations

import html
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass

from gexterm.alerts.delivery.process import run
from gexterm.alerts.delivery.protocol import DeliveryError
from gexterm.alerts.delivery.wording import as_json, body, title
from gexterm.alerts.model import Alert

_URGENCY = {"info": "low", "notice": "normal", "warning": "critical"}
_SCRIPT = (
    "-e", "on run argv",
    "-e", "display notification (item 2 of argv) with title (item 1 of argv)",
    "-e", "end run",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Command:
    """A program of the user's that gets the alert as JSON on its standard input."""

    command: tuple[str, ...]
    """Program and arguments; no shell reads them."""
    name: str = "command"
    """As in the settings."""
    least: str = "notice"
    """The least severity."""
    quiet_s: float = 0.0
    """At most one in so many seconds."""
    timeout_s: float = 10.0
    """Then it is killed with its children, seconds."""

    async def deliver(self, alert: Alert) -> None:
        """Run it to its end."""
        await run(self.command, as_json(alert))


@dataclass(frozen=True, slots=True)
class Desktop:
    """The desktop's notification: `notify-send`, or `osascript` on a Mac."""

    name: str = "desktop"
    """As in the settings."""
    least: str = "notice"
    """The least severity."""
    quiet_s: float = 0.0
    """At most one in so many seconds."""
    timeout_s: float = 10.0
    """Seconds."""
    find: Callable[[str], str | None] = shutil.which
    """Where a program lies."""
    platform: str = sys.platform
    """Which system this is, as of `sys.platform`."""

    async def deliver(self, alert: Alert) -> None:
        """Have it shown."""
        await run(self.argv(alert))

    def argv(self, alert: Alert) -> list[str]:
        """Program and arguments. Raises DeliveryError where there is no notifier."""
        wanted = "osascript" if self.platform == "darwin" else "notify-send"
        program = self.find(wanted)
        if program is None:
            raise DeliveryError(f"{wanted} is not installed")
        if wanted == "osascript":
            # The title, which begins with our name, ends the options.
            return [program, *_SCRIPT, title(alert), body(alert)]
        # A notifier may read markup in the text; `--` ends the options.
        urgency = _URGENCY.get(alert.severity, "normal")
        text = html.escape(body(alert), quote=False)
        return [program, "--app-name=gexterm", f"--urgency={urgency}", "--", title(alert), text]
