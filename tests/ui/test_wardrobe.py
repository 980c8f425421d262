"""The theme worn: the one chosen, as the terminal can show it."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual._ansi_theme import MONOKAI
from textual.filter import ANSIToTruecolor, Monochrome, NoColor

from gexterm.ui import themes
from gexterm.ui.app import MonitorApp
from gexterm.ui.capture import capture
from gexterm.ui.glyphs import AsciiFilter
from gexterm.ui.palette import EIGHT_BIT, FOUR_BIT, NONE
from gexterm.ui.themewatch import ThemeWatch
from gexterm.ui.wardrobe import Wardrobe
from tests.ui.fakes import FakeSession, reading

BELOW = themes.bundled()


def wardrobe(folder: Path, theme: str = "dark", **options: object) -> Wardrobe:
    return Wardrobe(theme, watch=ThemeWatch(folder, BELOW), **options)  # type: ignore[arg-type]


def test_stepping_through_the_themes_comes_back(tmp_path: Path) -> None:
    worn = wardrobe(tmp_path)
    seen = []
    for _ in BELOW:
        seen.append(worn.chosen.name)
        worn.step(1)
    assert worn.chosen.name == "dark"
    assert sorted(seen) == sorted(BELOW)
    worn.step(-1)
    assert worn.chosen.name == seen[-1]


def test_an_unknown_theme_is_told(tmp_path: Path) -> None:
    worn = wardrobe(tmp_path, "pink")
    assert worn.chosen.name == "dark"
    assert worn.said == ["there is no theme `pink`; using dark"]


def test_the_choice_outlives_a_terminal_of_few_colours(tmp_path: Path) -> None:
    worn = wardrobe(tmp_path, "light", depth=FOUR_BIT)
    assert worn.worn.name == "ansi16"
    assert worn.title == "Light, shown as: 16 colours of the terminal"
    worn.step(1)
    assert worn.chosen.name != "light"
    assert wardrobe(tmp_path, "light").title == "Light"


def test_what_is_worn_is_made_once(tmp_path: Path) -> None:
    worn = wardrobe(tmp_path, depth=EIGHT_BIT, ascii_only=True)
    assert worn.worn is worn.worn
    assert worn.worn.ascii


def test_textual_is_never_given_the_name_that_it_shows(tmp_path: Path) -> None:
    worn = wardrobe(tmp_path)
    first = worn.textual("textual-dark").name
    second = worn.textual(first).name
    assert second != first
    assert worn.textual(second).name != second


def test_only_the_filters_that_are_needed(tmp_path: Path) -> None:
    there = [ANSIToTruecolor(MONOKAI), Monochrome()]
    kinds = [type(each) for each in wardrobe(tmp_path).filters(there)]
    assert kinds == [ANSIToTruecolor]
    plain = wardrobe(tmp_path, depth=NONE, ascii_only=True)
    kinds = [type(each) for each in plain.filters(plain.filters(there))]
    assert kinds == [ANSIToTruecolor, NoColor, AsciiFilter]


def test_a_theme_that_is_gone_stays_until_another_is_chosen(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('name = "mine"\nextends = "light"\n', encoding="utf-8")
    worn = wardrobe(tmp_path, "mine")
    file.unlink()
    assert worn.look() == (False, ())
    changed, said = worn.look()
    assert not changed
    assert said == ("theme mine is gone; its colours stay until another is chosen",)
    assert worn.worn.name == "mine"
    assert worn.look() == (False, ())
    worn.step(1)
    assert worn.chosen.name in BELOW


# -- in the monitor -----------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("gexterm.paths.user_themes", lambda: tmp_path)
    return tmp_path


async def test_the_monitor_takes_up_a_theme_as_it_is_edited(folder: Path) -> None:
    file = folder / "mine.toml"
    source = 'name = "mine"\nextends = "dark"\n[colors]\nspot = "#{}"\n'
    file.write_text(source.format("fefefe"), encoding="utf-8")
    first = reading()
    app = MonitorApp(FakeSession(first=first), theme="mine", glow_s=0.0)
    async with app.run_test(size=(100, 30), notifications=True) as pilot:
        while app.shown is not first:
            await pilot.pause(0.01)
        await pilot.pause()
        assert "#fefefe" in colors(app)
        for spot in ("ffeedd", "ddeeff"):  # twice: the same theme, changed again
            file.write_text(source.format(spot) + "# longer", encoding="utf-8")
            app._look_at_themes()
            app._look_at_themes()
            await pilot.pause()
            assert f"#{spot}" in colors(app)
            assert app.theme_variables["gx-spot"] == f"#{spot}"
        file.write_text("broken", encoding="utf-8")
        app._look_at_themes()
        app._look_at_themes()
        await pilot.pause()
        assert "#ddeeff" in colors(app)
        assert any("mine.toml:1" in each.message for each in app._notifications)


def colors(app: MonitorApp) -> set[str]:
    return {color for row in capture(app).rows for run in row for color in (run.fg, run.bg)}


async def test_every_theme_can_be_worn_in_turn(folder: Path) -> None:
    app = MonitorApp(FakeSession(first=reading()), glow_s=0.0)
    async with app.run_test(size=(80, 24)) as pilot:
        for name, palette in app.palettes.items():
            app.use_theme(palette)
            await pilot.pause()
            assert app.palette.name == name
            picture = capture(app)
            assert picture.background == palette.colors["background"]
            shown = {r.fg for row in picture.rows for r in row if r.text.strip() and r.fg != r.bg}
            assert len(shown) > 3
