from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gexterm.snapshots.glyphs import CELL_HEIGHT, CELL_WIDTH, cells, drawn
from gexterm.snapshots.picture import Picture, Run
from gexterm.snapshots.png import FONTS, to_png
from gexterm.snapshots.svg import to_svg
from tests.snapshots.font import characters
from tests.snapshots.pixels import decode

SVG = "{http://www.w3.org/2000/svg}"
BACK, FORE, BAR = "#101418", "#d0d4d8", "#ff0000"
UI_GLYPHS = (
    "▲▼◆◂▸▴▾◎●○◇▪▫■□·•…σγΔΓΘθφκρβ∂ν−±×÷→←↑↓↕↗↘⚠✓✗∞≈≤≥≠§°«»—–’“”€£¥½¼¾"
    "⏸⏵⏹⏩⏪⏭⏮"
    + "".join(map(chr, range(0x2500, 0x25A0)))
    + "".join(map(chr, range(0x2800, 0x2900)))
)


def picture(*lines: str, width: int = 20, bg: str = BACK) -> Picture:
    rows = tuple((Run(line, BAR, bg),) for line in lines)
    return Picture(width, len(lines), rows, BACK, FORE)


def pixels(one: Picture) -> NDArray[np.uint8]:
    """The PNG without frame: rows × columns × RGB, two pixels per SVG pixel."""
    return decode(to_png(to_svg(one, frame=False)))


def red(pixels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Where the pixels have the colour of `picture`'s text."""
    return (pixels == (255, 0, 0)).all(axis=-1)


def test_a_picture_is_a_grid_of_cells() -> None:
    image = pixels(picture("ab", "c", width=30))
    assert image.shape == (2 * CELL_HEIGHT * 2, 30 * CELL_WIDTH * 2, 3)


def test_a_bar_of_many_cells_has_no_seams() -> None:
    assert red(pixels(picture("████", "████", width=4))).all()


@pytest.mark.parametrize("eighths", range(1, 9))
def test_a_bar_is_as_long_as_its_eighths_say(eighths: int) -> None:
    image = pixels(picture("█" + chr(0x2590 - eighths), width=3))
    assert (red(image).sum(axis=1) == 2 * CELL_WIDTH + 2 * eighths).all()


@pytest.mark.parametrize("char", [chr(c) for c in range(0x2580, 0x25A0)])
def test_every_block_element_covers_the_cell_as_its_name_says(char: str) -> None:
    share = {
        "▀": 1 / 2, "▄": 1 / 2, "█": 1, "▌": 1 / 2, "▐": 1 / 2, "▔": 1 / 8, "▕": 1 / 8,
        "▖": 1 / 4, "▗": 1 / 4, "▘": 1 / 4, "▝": 1 / 4, "▚": 1 / 2, "▞": 1 / 2,
        "▙": 3 / 4, "▛": 3 / 4, "▜": 3 / 4, "▟": 3 / 4, "░": 1, "▒": 1, "▓": 1,
    }  # fmt: skip
    if "▁" <= char <= "█":
        share[char] = (ord(char) - 0x2580) / 8
    if "▉" <= char <= "▏":
        share[char] = (0x2590 - ord(char)) / 8
    image = pixels(picture(char, width=1))
    assert (image != (0x10, 0x14, 0x18)).any(axis=-1).mean() == share[char]


def test_shades_grow_darker() -> None:
    reds = [int(pixels(picture(char, width=1))[8, 8, 0]) for char in "░▒▓█"]
    assert reds == sorted(set(reds))


def test_lines_of_neighbouring_cells_meet() -> None:
    lit = red(pixels(picture("┌──┬──┐", "│  │  │", "└──┴──┘", width=7)))
    half_x, half_y = CELL_WIDTH, CELL_HEIGHT  # half a cell, at two pixels each
    assert lit[half_y, half_x:-half_x].all()
    for column in (0, 3, 6):
        assert lit[half_y:-half_y, 2 * CELL_WIDTH * column + half_x].all()


def test_a_heavy_line_is_thicker_than_a_light_one() -> None:
    thickness = [red(pixels(picture(char * 3, width=3)))[:, 20].sum() for char in "─━"]
    assert thickness == [2, 4]


@pytest.mark.parametrize(
    ("char", "arms"),
    [
        ("├", "right up down"),
        ("┲", "left right down"),
        ("╹", "up"),
        ("╼", "left right"),
        ("╭", "right down"),
        ("╯", "left up"),
        ("┼", "left right up down"),
    ],
)
def test_an_arm_of_a_box_character_reaches_where_its_name_says(char: str, arms: str) -> None:
    lit = red(pixels(picture(char, width=1)))
    middle_y, middle_x = CELL_HEIGHT, CELL_WIDTH
    edges = {
        "left": lit[middle_y, 0],
        "right": lit[middle_y, -1],
        "up": lit[0, middle_x],
        "down": lit[-1, middle_x],
    }
    assert " ".join(name for name, reached in edges.items() if reached) == arms


def test_the_font_has_every_glyph_that_is_not_drawn() -> None:
    for face in ("DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf"):
        covered = characters(FONTS / face)
        missing = [c for c in UI_GLYPHS if drawn(c) is None and c not in covered]
        assert missing == []
    assert (FONTS / "LICENSE.txt").read_text().count("Bitstream Vera") > 2


def test_every_glyph_of_the_screen_leaves_a_mark() -> None:
    shown = UI_GLYPHS.replace("\u2800", "")  # Braille without dots is empty
    image = pixels(picture(*shown, width=2))
    rows = image.reshape(len(shown), 2 * CELL_HEIGHT, -1, 3)
    marked = (rows != (0x10, 0x14, 0x18)).any(axis=(1, 2, 3))
    assert [c for c, mark in zip(shown, marked, strict=True) if not mark] == []


def test_text_keeps_its_columns() -> None:
    """A bar after text begins at its own column, and text says how long it is."""
    root = ET.fromstring(to_svg(picture("12,345.6 ▐█▌", width=14), frame=False))
    [text] = root.iter(f"{SVG}text")
    assert (text.get("x"), text.get("textLength")) == ("0", str(8 * CELL_WIDTH))
    rects = [r for r in root.iter(f"{SVG}rect") if r.get("fill") == BAR]
    assert rects[0].get("x") == str(9 * CELL_WIDTH + CELL_WIDTH // 2)
    assert len(rects) == 1, "half, whole and half block are one bar"


def test_wide_and_combining_characters_keep_the_grid() -> None:
    assert [cells(c) for c in "a漢\u0301\u200d▐"] == [1, 2, 0, 0, 1]
    root = ET.fromstring(to_svg(picture("漢e\u0301x", width=8), frame=False))
    assert [(t.text, t.get("x")) for t in root.iter(f"{SVG}text")] == [
        ("漢", "0"),
        ("e\u0301x", str(2 * CELL_WIDTH)),
    ]


def test_what_stands_over_is_cut_and_what_lacks_is_background() -> None:
    root = ET.fromstring(to_svg(picture("abcdef", "ab", "never", width=3), frame=False))
    two = Picture(3, 2, picture("abcdef", "ab", "never", width=3).rows, BACK, FORE)
    assert next(t.text for t in root.iter(f"{SVG}text")) == "abc"
    assert "never" not in to_svg(two)


def test_the_picture_of_hostile_text_is_the_text() -> None:
    hostile = "</text><script>alert(1)</script>&\"'\x1b[2J\x00"
    root = ET.fromstring(to_svg(picture(hostile, width=60), title=hostile, frame=True))
    assert not list(root.iter(f"{SVG}script"))
    shown = "".join(t.text or "" for t in root.iter(f"{SVG}text"))
    assert "<script>" in shown
    assert "\x1b" not in shown


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=3), st.text(max_size=10))
def test_any_text_makes_a_readable_document(lines: list[str], title: str) -> None:
    ET.fromstring(to_svg(picture(*lines), title=title))


@settings(max_examples=15, deadline=None)
@given(st.text(max_size=30))
def test_any_text_can_be_rendered(line: str) -> None:
    assert to_png(to_svg(picture(line)), scale=1).startswith(b"\x89PNG")


def test_no_colour_can_smuggle_markup() -> None:
    with pytest.raises(ValueError, match="no colour"):
        to_svg(Picture(1, 1, ((Run("x", '#fff"/><script/>', BACK),),), BACK, FORE))


def test_backgrounds_stand_behind_their_cells() -> None:
    row = (Run("  ", FORE, "#00ff00"), Run("  ", FORE, BACK), Run(" ", FORE, "#0000ff"))
    image = pixels(Picture(6, 1, (row,), BACK, FORE))
    at = [tuple(image[4, 2 * CELL_WIDTH * c + 4].tolist()) for c in range(6)]
    green, blue, back = (0, 255, 0), (0, 0, 255), (0x10, 0x14, 0x18)
    assert at == [green, green, back, back, blue, back]


def test_bold_text_is_heavier_and_underlined_text_has_a_line() -> None:
    def ink(**style: bool) -> float:
        row = (Run("SPX 6,012", "#ffffff", "#000000", **style),)
        return float(pixels(Picture(9, 1, (row,), "#000000", FORE)).mean())

    assert ink(bold=True) > ink() * 1.1
    assert ink(underline=True) > ink()


def test_the_frame_and_the_title_are_optional() -> None:
    bare, framed = to_svg(picture("x"), frame=False), to_svg(picture("x"), title="SPX")
    assert "stroke" not in bare
    assert "<title>SPX</title>" in framed
    assert 'rx="7"' in framed


def test_the_same_picture_is_the_same_file() -> None:
    one = to_svg(picture("▐██▌ 6,045 ▴LIS"), title="SPX")
    assert to_png(one) == to_png(to_svg(picture("▐██▌ 6,045 ▴LIS"), title="SPX"))
