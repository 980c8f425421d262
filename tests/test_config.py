"""Settings: defaults, and one clear line for whatever is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from gexterm.config import Settings, load
from gexterm.errors import ConfigError


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return path


def test_without_a_file_every_setting_has_its_default(tmp_path: Path) -> None:
    settings = load(tmp_path / "none.toml")
    assert settings == Settings()
    assert settings.underlying("SPX").convention == "customer-flow"


def test_a_convention_is_set_per_underlying(tmp_path: Path) -> None:
    settings = load(write(tmp_path, '[underlyings.spx]\nconvention = "short-both"\n'))
    assert settings.underlying("SPX").convention == "short-both"
    assert settings.underlying("NDX").convention == "customer-flow"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("theme = 3\n", 1, "theme must be text"),
        ('fps = "fast"\n', 1, "fps must be a number"),
        ("fps = true\n", 1, "fps must be a number"),
        ("fps = nan\n", 1, "finite"),
        ("fps = 1000\n", 1, "between 0.1 and 60"),
        ("\n\nthem = 'dark'\n", 3, "did you mean theme?"),
        ("rate = 'free'\n", 1, '"implied" or a fraction'),
        ("rate = 4.5\n", 1, '"implied" or a fraction'),
        ("[underlyings.SPX]\nconvention = 'sideways'\n", 2, "one of: customer-flow"),
        ("record = 'perhaps'\n", 1, "one of: on, off"),
        ("recording_gb = -1\n", 1, "must not be below 0"),
        ("recording_days = 1.5\n", 1, "a whole number"),
        ("[feeds.deribit]\nurl = 3\n", 2, "must be text"),
        ("[feeds.deribit]\n\ncontract = 100\n", 3, "did you mean contracts?"),
        ("[feeds.deribit]\nsigmas = -2\n", 2, "must not be below 0"),
        ("theme = 'x'\n[underlyings.SPX]\n\nbases = 'auto'\n", 4, "did you mean basis?"),
    ],
)
def test_a_wrong_setting_names_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, text))
    assert f"config.toml:{line}: " in str(caught.value)
    assert words in str(caught.value)


def test_broken_toml_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not TOML"):
        load(write(tmp_path, "theme = = 3"))


def test_a_binary_file_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="UTF-8"):
        load(path)


def test_a_feed_is_set_by_its_name(tmp_path: Path) -> None:
    text = 'record = "off"\n[feeds.deribit]\nurl = "wss://x.example"\ncontracts = 200\n'
    settings = load(write(tmp_path, text))
    assert settings.record == "off"
    assert settings.feed("deribit").contracts == 200
    assert settings.feed("massive").contracts == 0


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('[ underlyings . SPX ]\nview = "zzz"\n', 2),
        ('[underlyings."SPX"]\nview = "zzz"\n', 2),
        ('\nunderlyings.SPX.view = "zzz"\n', 2),
        ('\nunderlyings = {SPX = {view = "zzz"}}\n', 2),
        ('[underlyings]\nNDX.basis = "auto"\nSPX.view = "zzz"\n', 3),
        ("\n\n[nope.x.y]\na = 1\n", 3),
        ('\n[[underlyings.SPX]]\nview = "flow"\n', 2),
        ("\nfeeds = {a = 1}\n", 2),
        ('[underlyings.spx]\nview = "flow"\n[underlyings.SPX]\nview = "flow"\n', 3),
    ],
)
def test_a_wrong_setting_names_its_line_however_it_is_spelled(
    tmp_path: Path, text: str, line: int
) -> None:
    with pytest.raises(ConfigError, match=rf"config\.toml:{line}: "):
        load(write(tmp_path, text))


def test_a_byte_order_mark_and_windows_lines_are_read(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbffps = 5\r\n[underlyings.SPX]\r\nview = 'flow'\r\n")
    settings = load(path)
    assert (settings.fps, settings.underlying("SPX").view) == (5, "flow")


def test_brackets_without_end_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="brackets"):
        load(write(tmp_path, "a = " + "[" * 5000 + "]" * 5000))


def test_a_long_value_makes_no_long_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, f'scope = "{"x" * 5000}"\n'))
    assert len(str(caught.value)) < 700
