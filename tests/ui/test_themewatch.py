"""A folder of themes, watched while somebody edits in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gexterm.ui import themes
from gexterm.ui.themewatch import Change, ThemeWatch

GOOD = 'name = "mine"\nextends = "dark"\n[colors]\nlong = "#0000aa"\n'
OTHER = GOOD.replace("#0000aa", "#00aa00")
BELOW = themes.bundled()


class Folder:
    """A folder of themes, with a clock of its own for the times of its files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._now = 1_700_000_000
        self.watch = ThemeWatch(path, BELOW)

    def write(self, text: str, name: str = "mine.toml") -> None:
        """As an editor that writes in place."""
        file = self.path / name
        file.write_text(text, encoding="utf-8")
        self._touch(file)

    def replace(self, text: str, name: str = "mine.toml") -> None:
        """As an editor that writes beside the file and renames."""
        beside = self.path / f".{name}.swp"
        beside.write_text(text, encoding="utf-8")
        self._touch(beside)
        beside.replace(self.path / name)

    def _touch(self, file: Path) -> None:
        self._now += 1
        os.utime(file, (self._now, self._now))

    def look(self) -> Change | None:
        """What comes of a change that stands still: two looks after it."""
        return self.watch.look() or self.watch.look()

    def long(self) -> str:
        """What the user's theme has for a dealer's long gamma."""
        return self.watch.palettes["mine"].colors["long"]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_where_nothing_changes_nothing_is_done(folder: Folder) -> None:
    folder.write(GOOD)
    first = folder.look()
    assert first is not None
    assert set(first.palettes) == {*BELOW, "mine"}
    assert folder.look() is None
    assert folder.look() is None


def test_an_empty_folder_or_none_has_the_bundled_themes(tmp_path: Path) -> None:
    watch = ThemeWatch(tmp_path / "nowhere", BELOW)
    watch.look()
    assert set(watch.palettes) == set(BELOW)
    assert watch.look() is None


@pytest.mark.parametrize("way", ["write", "replace"])
def test_what_is_saved_is_taken_up(folder: Folder, way: str) -> None:
    folder.write(GOOD)
    folder.look()
    getattr(folder, way)(OTHER)
    change = folder.look()
    assert change is not None
    assert change.palettes["mine"].colors["long"] == "#00aa00"
    assert not change.said
    assert folder.look() is None


def test_a_new_file_is_a_new_theme(folder: Folder) -> None:
    folder.look()
    folder.write(GOOD)
    change = folder.look()
    assert change is not None
    assert "mine" in change.palettes


def test_a_file_in_a_new_folder_is_found(tmp_path: Path) -> None:
    watch = ThemeWatch(tmp_path / "themes", BELOW)
    watch.look()
    (tmp_path / "themes").mkdir()
    (tmp_path / "themes" / "mine.toml").write_text(GOOD, encoding="utf-8")
    watch.look()
    assert watch.look() is not None
    assert "mine" in watch.palettes


def test_a_file_that_is_gone_takes_its_theme_with_it(folder: Folder) -> None:
    folder.write(GOOD)
    folder.look()
    (folder.path / "mine.toml").unlink()
    change = folder.look()
    assert change is not None
    assert "mine" not in change.palettes


def test_a_theme_over_a_bundled_one_gives_way_to_it_again(folder: Folder) -> None:
    folder.write(GOOD.replace('"mine"', '"dark"'))
    folder.look()
    assert folder.watch.palettes["dark"].colors["long"] == "#0000aa"
    (folder.path / "mine.toml").unlink()
    folder.look()
    assert folder.watch.palettes["dark"] is BELOW["dark"]


def test_a_half_written_file_is_no_mistake(folder: Folder) -> None:
    folder.write(GOOD)
    folder.look()
    for part in (0, 5, 30, 40, len(OTHER)):  # 30: a theme, but not the whole of it
        folder.write(OTHER[:part])
        assert folder.watch.look() is None
        assert folder.long() == "#0000aa"
    change = folder.watch.look()
    assert change is not None
    assert not change.said
    assert folder.long() == "#00aa00"


def test_a_mistake_that_stays_is_told_once_with_its_line(folder: Folder) -> None:
    folder.write(GOOD)
    folder.look()
    folder.write(GOOD.replace("#0000aa", "#0000a"))
    change = folder.look()
    assert change is not None
    assert len(change.said) == 1
    assert "mine.toml:4" in change.said[0]
    assert "long" in change.said[0]
    assert folder.long() == "#0000aa"  # the last good one
    assert [folder.look() for _ in range(3)] == [None] * 3


def test_another_mistake_is_told_too(folder: Folder) -> None:
    folder.write(GOOD.replace("#0000aa", "#0000a"))
    first = folder.look()
    assert first is not None
    assert len(first.said) == 1  # what is broken at the start is told at once
    folder.write(GOOD.replace("long", "lnog"))
    change = folder.look()
    assert change is not None
    assert "lnog" in change.said[0]


def test_the_same_mistake_made_again_after_it_was_mended_is_told(folder: Folder) -> None:
    bad = GOOD.replace("#0000aa", "blue-ish")
    for _ in range(2):
        folder.write(bad)
        change = folder.look()
        assert change is not None
        assert len(change.said) == 1
        folder.write(GOOD)
        folder.look()
        assert folder.long() == "#0000aa"


def test_a_file_touched_without_a_change_keeps_its_palette(folder: Folder) -> None:
    folder.write(GOOD)
    folder.look()
    before = folder.watch.palettes["mine"]
    folder.write(GOOD)
    assert folder.look() is None
    assert folder.watch.palettes["mine"] is before


def test_a_theme_follows_the_one_that_it_extends(folder: Folder) -> None:
    folder.write(GOOD.replace('"mine"', '"base"'), "base.toml")
    folder.write('name = "mine"\nextends = "base"\n')
    folder.look()
    folder.write(OTHER.replace('"mine"', '"base"'), "base.toml")
    folder.look()
    assert folder.long() == "#00aa00"


def test_what_is_no_text_or_cannot_be_read_is_told(folder: Folder) -> None:
    (folder.path / "a.toml").write_bytes(b"\xff\xfe\x00")
    (folder.path / "b.toml").mkdir()
    change = folder.look()
    assert change is not None
    assert len(change.said) == 2
    assert folder.look() is None


def test_hidden_files_of_editors_are_no_themes(folder: Folder) -> None:
    folder.write("half", ".mine.toml")
    assert not (folder.look() or Change({})).said
