"""Where gexterm keeps its files. The only module that knows."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _user(kind: str) -> Path:
    import platformdirs  # lazily: `--version` needs no folders

    return Path(getattr(platformdirs, f"user_{kind}_path")("gexterm"))


def config_file() -> Path:
    """The user's settings."""
    return _user("config") / "config.toml"


def user_themes() -> Path:
    """The user's own colour themes."""
    return _user("config") / "themes"


def snapshots() -> Path:
    """Where a key press keeps snapshots, unless told otherwise."""
    return _user("data") / "snapshots"


def books() -> Path:
    """Where sessions leave their book for the next one."""
    return _user("data") / "books"


def recordings() -> Path:
    """Where live sessions are recorded, unless told otherwise."""
    return _user("data") / "recordings"


def alerts_history() -> Path:
    """Where alerts are kept, one file for each day."""
    return _user("data") / "alerts"


def ribbons() -> Path:
    """Where the paradigms of recordings are remembered once they have been read."""
    return _user("cache") / "ribbons"


def log_file() -> Path:
    """Where `--debug` writes."""
    return _user("log") / "gexterm.log"


def bundled(folder: str) -> Path:
    """A folder shipped with the program: `themes` or `sample_feeds`.

    Inside a wheel they lie in the package, in a checkout beside it.
    """
    packaged = _PACKAGE / "_bundled" / folder
    return packaged if packaged.is_dir() else _PACKAGE.parent / folder
