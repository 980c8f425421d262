"""A home for tests: nothing of the user's is read, and nothing is left there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_KEPT = {"GEXTERM_LIVE", "GEXTERM_TEST_DATA", "GEXTERM_KEEP_PICTURE"}
_LOOKS = {"NO_COLOR", "FORCE_COLOR", "COLORTERM", "COLORFGBG", "TERM_PROGRAM",
          "VTE_VERSION", "TMUX"}  # fmt: skip
_FOLDERS = {
    "XDG_CONFIG_HOME": ".config",
    "XDG_DATA_HOME": ".local/share",
    "XDG_STATE_HOME": ".local/state",
    "XDG_CACHE_HOME": ".cache",
}


def surroundings(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """An environment with this home, without a user's settings of gexterm or of the terminal."""
    kept = {
        name: value
        for name, value in environ.items()
        if name in _KEPT or not (name in _LOOKS or name.startswith(("GEXTERM_", "TEXTUAL")))
    }
    folders = {name: str(home / folder) for name, folder in _FOLDERS.items()}
    return kept | folders | {"HOME": str(home), "TERM": "xterm-256color"}
