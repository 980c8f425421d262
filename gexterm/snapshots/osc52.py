"""Text into the clipboard of the terminal that somebody sits at, also over ssh.

OSC 52 asks the terminal itself. Inside tmux that is not enough: as it comes, tmux obeys
neither the plain sequence (`set-clipboard` is `external`) nor the wrapped one
(`allow-passthrough` is off); what it does obey is `tmux load-buffer -w` (`tmux_command`),
seen with tmux 3.3a. Textual's own copying sends the plain sequence only.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

from gexterm.errors import UsageError

MOST_BYTES = 74_994
"""Bytes of text at most: base64 of more is over the 100,000 that terminals are known to take."""


def payload(text: str, *, tmux: bool = False) -> str:
    """The sequence that puts `text` into the clipboard; `tmux`: wrapped to pass through it.

    Raises UsageError where it is too long for terminals.
    """
    content = text.encode(errors="replace")
    if len(content) > MOST_BYTES:
        raise UsageError(
            f"{len(content):,} bytes are too many for a clipboard over the terminal",
            f"at most {MOST_BYTES:,}",
        )
    plain = f"\x1b]52;c;{base64.b64encode(content).decode()}\x07"
    if not tmux:
        return plain
    return "\x1bPtmux;" + plain.replace("\x1b", "\x1b\x1b") + "\x1b\\"


def tmux_command(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The command to hand the text to on its standard input; empty outside tmux."""
    if not environment.get("TMUX"):
        return ()
    return ("tmux", "load-buffer", "-w", "-")
