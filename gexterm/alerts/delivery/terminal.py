"""Toast, bell and the terminal's own notification.

What is written to the terminal is made by a pure function and written by whoever owns the
terminal: a second writer would tear the screen.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gexterm.alerts.delivery.wording import body, harmless, title
from gexterm.alerts.model import Alert

BELL = "\a"
"""What rings."""
_ESC, _ST = "\x1b", "\x1b\\"


def notification(title: str, body: str, *, style: str = "osc9", tmux: bool = False) -> str:
    """The escape sequence that makes a terminal show a notification.

    `osc9` (iTerm2, WezTerm, kitty, Ghostty, Windows' ConEmu) knows one text, `osc777`
    (rxvt, foot, VTE, WezTerm, Ghostty) a title and a text. Inside tmux it is wrapped to be
    passed through, which `set -g allow-passthrough on` allows.
    """
    head, text = harmless(title), harmless(body)
    if style == "osc777":
        # A semicolon would end the title.
        sequence = f"{_ESC}]777;notify;{head.replace(';', ',')};{text}{BELL}"
    else:
        # The title first: `9;4;…` would be a progress bar to some terminals.
        sequence = f"{_ESC}]9;{head or 'gexterm'}: {text}{BELL}"
    if not tmux:
        return sequence
    return f"{_ESC}Ptmux;{sequence.replace(_ESC, _ESC + _ESC)}{_ST}"


def style_of(environ: Mapping[str, str]) -> str:
    """Which sequence this terminal is likely to know."""
    term, program = environ.get("TERM", ""), environ.get("TERM_PROGRAM", "")
    if program in ("iTerm.app", "WezTerm", "ghostty") or "kitty" in term:
        return "osc9"
    if "VTE_VERSION" in environ or term.startswith(("rxvt", "foot")):
        return "osc777"
    return "osc9"


@dataclass(frozen=True, slots=True)
class Toast:
    """A note on our own screen."""

    show: Callable[[str, str], None]
    """Shows a text of a severity; the screen's."""
    name: str = "toast"
    """As in the settings."""
    least: str = "notice"
    """The least severity."""
    quiet_s: float = 0.0
    """At most one in so many seconds."""
    timeout_s: float = 10.0
    """Seconds."""

    async def deliver(self, alert: Alert) -> None:
        """Show it."""
        self.show(harmless(alert.text), alert.severity)


@dataclass(frozen=True, slots=True)
class Bell:
    """The terminal's bell."""

    write: Callable[[str], None]
    """Writes to the terminal."""
    name: str = "bell"
    """As in the settings."""
    least: str = "warning"
    """The least severity."""
    quiet_s: float = 0.0
    """At most one in so many seconds."""
    timeout_s: float = 10.0
    """Seconds."""

    async def deliver(self, alert: Alert) -> None:
        """Ring."""
        self.write(BELL)


@dataclass(frozen=True, slots=True)
class Terminal:
    """A notification by the terminal."""

    write: Callable[[str], None]
    """Writes to the terminal."""
    name: str = "terminal"
    """As in the settings."""
    least: str = "notice"
    """The least severity."""
    quiet_s: float = 0.0
    """At most one in so many seconds."""
    timeout_s: float = 10.0
    """Seconds."""
    style: str = "auto"
    """`osc9`, `osc777`, or by the terminal's name."""
    environ: Mapping[str, str] | None = None
    """Where the terminal's name stands; None: the environment."""

    async def deliver(self, alert: Alert) -> None:
        """Write the sequence."""
        environ = os.environ if self.environ is None else self.environ
        style = style_of(environ) if self.style == "auto" else self.style
        tmux = bool(environ.get("TMUX"))
        self.write(notification(title(alert), body(alert), style=style, tmux=tmux))
