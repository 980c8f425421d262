"""`config`, `keys` and `locate`: every value says where it comes from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gexterm import paths
from gexterm.config import Settings, load, origins
from gexterm.errors import ConfigError
from tests.cli.invoke import gexterm as invoke


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config.toml"
    monkeypatch.setattr(paths, "config_file", lambda: path)
    return path


def lines(text: str, key: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"{key} ="))


def test_a_default_a_line_of_the_file_and_a_variable_are_told_apart(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text('# mine\nscope = "all"\n\n[feeds.deribit]\ncontracts = 40\n')
    monkeypatch.setenv("GEXTERM_THEME", "light")
    said = invoke("config").out
    assert lines(said, "fps").endswith("# default")
    assert lines(said, "scope").endswith("# config.toml:2")
    assert lines(said, "theme").endswith("# GEXTERM_THEME")
    assert lines(said, "contracts").endswith("# config.toml:5")
    assert lines(said, "theme").startswith('theme = "light"')


def test_the_same_as_json(file: Path) -> None:
    file.write_text("fps = 4\n")
    found = json.loads(invoke("config", "--json").out)["settings"]
    assert found["fps"] == {"value": 4, "from": "config.toml:1"}


def test_a_variable_comes_before_the_file(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("fps = 4\n")
    assert load(path, {"GEXTERM_FPS": "7.5"}).fps == 7.5
    assert load(path, {"GEXTERM_FPS_": "7.5", "GEXTERM_KEYS": "x"}).fps == 4


@pytest.mark.parametrize(
    ("name", "value"), [("FPS", "many"), ("FPS", "1000"), ("RECORD", "perhaps"), ("DENSITY", "x")]
)
def test_a_wrong_variable_is_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"GEXTERM_{name} in the environment"):
        load(tmp_path / "none.toml", {f"GEXTERM_{name}": value})


def test_every_table_of_the_file_has_an_origin(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        '[keys]\ntheme = "f2"\n[underlyings.SPX]\nview = "flow"\n'
        '[[alert]]\nkind = "level"\nprice = 1\n[[alert]]\nkind = "flip"\n'
    )
    found = origins(path, {})
    assert found["keys.theme"] == "config.toml:2"
    assert found["underlyings.SPX.view"] == "config.toml:4"
    assert found["alert 2.kind"] == "config.toml:9"


def test_a_new_settings_file_says_everything_and_changes_nothing(file: Path) -> None:
    assert invoke("config", "new").out.strip() == str(file)
    assert load(file, {}) == Settings()
    text = file.read_text()
    for key in ("theme", "snapshot_times", "record"):
        assert f"# {key} = " in text
    uncommented = "\n".join(
        line.removeprefix("# ") for line in text.splitlines() if " = " in line and "[" not in line
    )
    assert "convention" in uncommented


def test_a_settings_file_that_is_there_is_not_touched(file: Path) -> None:
    file.write_text("fps = 4\n")
    found = invoke("config", "new")
    assert found.code != 0
    assert "is there already" in found.err
    assert file.read_text() == "fps = 4\n"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('snapshot = "g"', "config.toml:2: keys: g is to do both greek_next and snapshot"),
        ('theme = "hh"', "config.toml:2: keys.theme: there is no key 'hh'"),
        ('fly = "h"', "config.toml:2: keys: there is no action `fly`"),
        ("theme = 3", "config.toml:2: keys.theme must be a key"),
    ],
)
def test_an_impossible_key_names_its_line(file: Path, line: str, told: str) -> None:
    file.write_text(f"[keys]\n{line}\n")
    found = invoke("keys")
    assert found.code != 0
    assert told in found.err


def test_keys_shows_what_the_user_changed(file: Path) -> None:
    file.write_text('[keys]\ntheme = ["f2", "Ctrl+T"]\nlook_back = ""\n')
    said = invoke("keys").out
    theme = next(line for line in said.splitlines() if line.startswith("  theme "))
    assert "F2 ^t" in theme.replace("f2", "F2")
    assert "(yours)" in theme
    assert "(no key)" in next(li for li in said.splitlines() if li.startswith("  look_back "))
    found = {each["id"]: each for each in json.loads(invoke("keys", "--json").out)}
    assert found["theme"]["keys"] == ["f2", "ctrl+t"]
    assert found["theme"]["default"] == ["t"]


def test_locate_names_each_folder_and_one_alone(file: Path) -> None:
    said = invoke("locate").out
    assert str(file) in said
    assert invoke("locate", "config").out.strip() == str(file)
    found = invoke("locate", "moon")
    assert found.code == 2
    assert "themes" in found.err
