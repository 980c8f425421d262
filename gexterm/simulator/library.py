"""The scripts that come with the program."""

from __future__ import annotations

from pathlib import Path

from gexterm.errors import InputError
from gexterm.simulator.script import Script
from gexterm.simulator.toml import read_script

FOLDER = Path(__file__).resolve().parent / "scripts"
"""Where they lie, `NAME.toml` each."""


def names() -> tuple[str, ...]:
    """Names of the bundled scripts, in alphabetical order."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def find_script(named: str, seed: int | None = None) -> Script:
    """A bundled script by its name, or one of a file by its path; `seed` replaces its own.

    What has a suffix or a folder is a path, anything else a name, unless only a file is
    called so. Raises InputError for a name that there is not, and as `read_script`.
    """
    path = Path(named)
    if named in names():
        return read_script(FOLDER / f"{named}.toml", seed)
    if path.suffix or len(path.parts) > 1 or path.is_file():
        return read_script(path, seed)
    raise InputError(f"there is no script {named!r}", f"bundled: {', '.join(names())}")


def list_scripts() -> tuple[Script, ...]:
    """The bundled scripts, by name."""
    return tuple(find_script(name) for name in names())
