"""`gexterm themes`: what there is, how it looks, a start for one's own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gexterm import paths
from gexterm.cli.themes import MEANINGS, commented, hard_to_read
from gexterm.ui import themes
from gexterm.ui.palette import ROLES
from tests.cli.invoke import gexterm as invoke

BUNDLED = themes.bundled()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder of themes."""
    monkeypatch.setattr(paths, "user_themes", lambda: tmp_path / "themes")
    monkeypatch.setattr(paths, "config_file", lambda: tmp_path / "config.toml")
    return tmp_path / "themes"


def test_every_theme_is_listed_with_where_it_comes_from(folder: Path) -> None:
    invoke("themes", "new", "mine")
    said = invoke("themes")
    rows = {line[2:].split()[0]: line for line in said.out.splitlines()}
    assert set(rows) == {*BUNDLED, "mine"}
    assert "(bundled)" in rows["light"]
    assert str(folder / "mine.toml") in rows["mine"]
    assert [name for name, row in rows.items() if row.startswith("*")] == ["dark"]


def test_what_cannot_be_used_is_told_with_its_line(folder: Path) -> None:
    folder.mkdir()
    (folder / "bad.toml").write_text(
        'name = "bad"\nextends = "dark"\n[colors]\nlong = "blue-ish"\n'
    )
    said = invoke("themes")
    assert said.code == 0
    assert "bad.toml:4" in said.err
    assert "bad" not in said.out


def test_the_chosen_theme_that_is_not_there_is_told(folder: Path) -> None:
    paths.config_file().write_text('theme = "pink"\n')
    assert "pink" in invoke("themes").err


@pytest.mark.parametrize("name", sorted(BUNDLED))
def test_a_new_theme_begins_as_the_one_it_is_made_from(folder: Path, name: str) -> None:
    said = invoke("themes", "new", "mine", "--from", name)
    file = Path(said.out.strip())
    assert file == folder / "mine.toml"
    made = themes.parse(file.read_text(encoding="utf-8"), file.name)
    assert made.name == "mine"
    base = BUNDLED[name]
    assert (made.colors, made.terminal, made.dark) == (base.colors, base.terminal, base.dark)
    text = file.read_text(encoding="utf-8")
    assert all(meaning in text for meaning in MEANINGS.values())
    assert invoke("themes", "check", str(file)).code == 0


def test_no_file_is_written_over(folder: Path) -> None:
    invoke("themes", "new", "mine")
    (folder / "mine.toml").write_text("mine own")
    said = invoke("themes", "new", "mine")
    assert said.code == 2
    assert (folder / "mine.toml").read_text() == "mine own"


@pytest.mark.parametrize("name", ["../up", "", "a b", ".hidden", "a/b", "x" * 50])
def test_a_name_is_no_path(folder: Path, name: str) -> None:
    assert invoke("themes", "new", name).code == 2
    assert not folder.exists()


def test_a_theme_is_begun_from_one_that_there_is() -> None:
    said = invoke("themes", "new", "mine", "--from", "drak")
    assert said.code == 2
    assert "drak" in said.err


def test_checking_names_what_is_hard_to_read(tmp_path: Path) -> None:
    file = tmp_path / "dim.toml"
    file.write_text('name = "dim"\nextends = "dark"\n[colors]\ntext = "#444444"\n')
    said = invoke("themes", "check", str(file))
    assert said.code == 0
    assert said.out.startswith("text = #444444 has contrast")


def test_checking_a_broken_file_is_bad_input(tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text('name = "bad"\n[colors\n')
    said = invoke("themes", "check", str(file))
    assert said.code == 3
    assert "bad.toml:2" in said.err
    assert invoke("themes", "check", str(tmp_path / "none.toml")).code == 3


@pytest.mark.parametrize("name", sorted(BUNDLED))
def test_no_bundled_theme_is_hard_to_read(name: str) -> None:
    assert hard_to_read(BUNDLED[name]) == []


@pytest.mark.parametrize("name", sorted(BUNDLED))
def test_a_sample_has_every_colour(name: str) -> None:
    said = invoke("themes", "show", name)
    assert said.code == 0
    assert "6,012.35" in said.out
    for role in ROLES:
        assert re.search(rf"\b{role}\b", said.out), role
    assert "\x1b" not in said.out  # not a terminal


def test_a_sample_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text(commented("x", BUNDLED["light"]), encoding="utf-8")
    assert invoke("themes", "show", str(file)).code == 0
    assert invoke("themes", "show", "nope").code == 2


def test_a_sample_is_in_the_colours_of_the_theme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    red, green, blue = (int(BUNDLED["light"].colors["short"][i : i + 2], 16) for i in (1, 3, 5))
    assert f"38;2;{red};{green};{blue}" in invoke("themes", "show", "light").out


def test_every_meaning_is_explained() -> None:
    assert tuple(MEANINGS) == ROLES
