"""Themes: every meaning has a colour that can be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from gexterm import paths
from gexterm.errors import ConfigError
from gexterm.ui import themes
from gexterm.ui.ink import Span

BUNDLED, BROKEN = themes.load((paths.bundled("themes"),))
OWN = {name: palette for name, palette in BUNDLED.items() if palette.terminal is None}


def luminance(color: str) -> float:
    def linear(channel: int) -> float:
        c = channel / 255
        return c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4

    r, g, b = (linear(int(color[i : i + 2], 16)) for i in (1, 3, 5))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_bundled_themes_load() -> None:
    assert not BROKEN
    assert {"dark", "light", "high-contrast", "colour-blind", "ansi16"} <= set(BUNDLED)
    assert themes.DEFAULT in BUNDLED


READ = [r for r in themes.ROLES if r not in ("background", "raised", "line", "faint", "glow")]


@pytest.mark.parametrize("name", sorted(OWN))
@pytest.mark.parametrize("role", READ)
def test_every_colour_can_be_read_on_its_ground(name: str, role: str) -> None:
    colors = BUNDLED[name].colors
    # WCAG 2.1, 1.4.3 asks 4.5 of text.
    assert contrast(colors[role], colors["background"]) >= 4.5


@pytest.mark.parametrize("name", sorted(OWN))
def test_what_is_faint_can_still_be_read(name: str) -> None:
    colors = BUNDLED[name].colors
    assert contrast(colors["faint"], colors["background"]) >= 3.0


@pytest.mark.parametrize("name", sorted(OWN))
@pytest.mark.parametrize("ground", ["raised", "glow"])
@pytest.mark.parametrize("role", ["text", "strong"])
def test_text_can_be_read_on_the_other_grounds(name: str, ground: str, role: str) -> None:
    colors = BUNDLED[name].colors
    assert contrast(colors[role], colors[ground]) >= 4.5


@pytest.mark.parametrize("name", sorted(OWN))
def test_without_hue_spot_stays_the_strongest(name: str) -> None:
    colors = BUNDLED[name].colors
    ground = colors["background"]
    others = (r for r in READ if r not in ("spot", "strong"))
    assert contrast(colors["spot"], ground) >= max(contrast(colors[r], ground) for r in others)


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, encoding="utf-8")


def test_a_users_theme_of_the_same_name_wins(tmp_path: Path) -> None:
    source = (paths.bundled("themes") / "dark.toml").read_text(encoding="utf-8")
    write(tmp_path, "mine.toml", source.replace('spot = "#ffffff"', 'spot = "#fffff0"'))
    found, broken = themes.load((paths.bundled("themes"), tmp_path))
    assert not broken
    assert found["dark"].colors["spot"] == "#fffff0"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("spot = ", "spto = "), "lacks spot"),
        (('spot = "#ffffff"', 'spot = "white"'), "not #rrggbb"),
        (("[colors]", "[colors"), "broken.toml:6 is not TOML"),
        (('spot = "#ffffff"', "spot = 7"), "broken.toml:15: spot = 7 is not"),
        (("dark = true", "dark = 1"), "broken.toml:4: dark = 1 is not true or false"),
        (("dark = true", "drak = true"), "unknown: drak"),
        (("dark = true", 'extends = "drak"'), "extends 'drak', which is none of"),
        (('name = "dark"', ""), "lacks a name"),
        (("spot = ", 'blink = "#ffffff"\nspot = '), "unknown colours: blink"),
    ],
)
def test_a_broken_theme_is_reported_and_the_others_stay(
    tmp_path: Path, change: tuple[str, str], says: str
) -> None:
    source = (paths.bundled("themes") / "dark.toml").read_text(encoding="utf-8")
    write(tmp_path, "broken.toml", source.replace(*change, 1))
    found, broken = themes.load((paths.bundled("themes"), tmp_path))
    assert len(broken) == 1
    assert says in broken[0]
    assert "broken.toml" in broken[0]
    assert found["dark"].colors["spot"] == "#ffffff"
    with pytest.raises(ConfigError, match=r"broken\.toml"):
        themes.parse(source.replace(*change, 1), "broken.toml")


def test_a_file_that_is_no_text_is_reported(tmp_path: Path) -> None:
    (tmp_path / "picture.toml").write_bytes(b"\xff\xfe\x00\x01")
    assert len(themes.load((tmp_path,))[1]) == 1


def test_without_any_theme_there_is_still_a_complete_one(tmp_path: Path) -> None:
    found, _ = themes.load((tmp_path / "nowhere",))
    assert set(found["dark"].colors) == set(themes.ROLES)


def test_a_faded_colour_lies_between_itself_and_the_ground() -> None:
    palette = BUNDLED["dark"]
    ground = palette.color("background")
    full, filled, faded = (contrast(palette.color(r), ground) for r in ("lis", "lis=", "lis~"))
    assert full > filled > faded > 1.2


def test_a_style_is_made_once() -> None:
    palette = BUNDLED["dark"]
    assert palette.style(Span("a", "lis")) is palette.style(Span("b", "lis"))
