"""The user's theme files, taken up while they are being edited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gexterm import paths
from gexterm.ui import themes
from gexterm.ui.palette import Palette

EVERY_S = 0.5
"""How often it is worth looking, seconds."""

Mark = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Change:
    """What has become of the themes."""

    palettes: Mapping[str, Palette]
    """Every theme that can be used now, by name."""
    said: tuple[str, ...] = ()
    """What to tell the user: one line for each file that has come to be broken."""


class ThemeWatch:
    """Looks at a folder of themes when asked to, and reads it when something has changed.

    One `stat` per file: no thread, and nothing of the system's that a network folder
    lacks. Editors write beside a file and rename, or truncate it and write: what has
    changed is read once it has stood still from one look to the next. A file that then
    cannot be used is reported, once, and the last theme that it held stays in use. The
    theme of a file that is gone is gone too.
    """

    def __init__(self, folder: Path | None = None, below: Mapping[str, Palette] | None = None):
        self._folder = paths.user_themes() if folder is None else folder
        self._below = dict(themes.bundled() if below is None else below)
        self._marks: dict[Path, Mark] | None = None
        self._read: dict[Path, Mark] | None = None
        self._good: dict[Path, Palette] = {}
        self._told: dict[Path, str] = {}
        self.palettes: Mapping[str, Palette] = self._below
        """Every theme that can be used, by name, as of the last look."""

    def look(self) -> Change | None:
        """What has changed; None: nothing that has stood still since the last look.

        The first look reads the folder as it is.
        """
        before, self._marks = self._marks, self._stat()
        if self._marks == self._read or (before is not None and self._marks != before):
            return None
        first, self._read = self._read is None, self._marks
        texts, wrong = self._texts(self._marks)
        found, refused = themes.read(texts, self._below)
        wrong.update(refused)
        good = {path: palette for path, palette in self._good.items() if path in self._marks}
        # A file that reads as before keeps its palette, and the styles made for it.
        for path, palette in found.items():
            if path not in good or not _alike(good[path], palette):
                good[path] = palette
        said = tuple(line for path, line in wrong.items() if self._told.get(path) != line)
        changed = good.keys() != self._good.keys() or any(
            good[path] is not self._good[path] for path in good
        )
        self._told, self._good = wrong, good
        self.palettes = {**self._below, **{good[path].name: good[path] for path in sorted(good)}}
        return Change(self.palettes, said) if first or changed or said else None

    def _stat(self) -> dict[Path, Mark]:
        marks = {}
        for path in themes.files(self._folder):
            try:
                seen = path.stat()
            except OSError:  # between the listing and now
                continue
            marks[path] = (seen.st_mtime_ns, seen.st_size, seen.st_ino)
        return marks

    def _texts(self, marks: Mapping[Path, Mark]) -> tuple[dict[Path, str], dict[Path, str]]:
        texts, wrong = {}, {}
        for path in marks:
            try:
                texts[path] = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                wrong[path] = f"theme {path.name} cannot be read: {error}"
        return texts, wrong


def _alike(one: Palette, other: Palette) -> bool:
    return (one.name, one.title, one.dark, one.colors, one.terminal) == (
        other.name, other.title, other.dark, other.colors, other.terminal
    )  # fmt: skip
