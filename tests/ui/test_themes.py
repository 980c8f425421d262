"""Themes: every meaning has a colour that can be read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.style import Style

from gexterm import paths
from gexterm.errors import ConfigError
from gexterm.ui import themes
from gexterm.ui.colours import ANSI
from gexterm.ui.ink import Span
from gexterm.ui.palette import EIGHT_BIT, FOUR_BIT, GROUNDS, NONE, TRUE

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


# -- sides ------------------------------------------------------------------------------------

PAIRS = [("long", "short"), ("buy", "sell")]
# Machado, Oliveira and Fernandes (2009), table 1, severity 1.0: linear RGB to linear RGB.
DEFICIENCIES = {
    "protanopia": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}
TO_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)


def times(matrix: Sequence[Sequence[float]], vector: Sequence[float]) -> list[float]:
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def lab(color: str, deficiency: str = "") -> list[float]:
    """CIELAB of a colour, as somebody with a colour deficiency sees it."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    if deficiency:
        linear = [min(1.0, max(0.0, c)) for c in times(DEFICIENCIES[deficiency], linear)]
    x, y, z = (
        w ** (1 / 3) if w > 216 / 24389 else (24389 / 27 * w + 16) / 116
        for w in (a / b for a, b in zip(times(TO_XYZ, linear), (0.95047, 1, 1.08883), strict=True))
    )
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)]


def apart(one: str, other: str, deficiency: str = "") -> float:
    """CIE 1976 colour difference; 2.3 is just noticeable."""
    return math.dist(lab(one, deficiency), lab(other, deficiency))


@pytest.mark.parametrize("deficiency", sorted(DEFICIENCIES))
@pytest.mark.parametrize("pair", PAIRS)
def test_every_eye_tells_the_sides_apart(pair: tuple[str, str], deficiency: str) -> None:
    colors = BUNDLED["colour-blind"].colors
    one, other = (colors[role] for role in pair)
    ground = colors["background"]
    assert apart(one, other, deficiency) >= 40
    assert min(apart(one, ground, deficiency), apart(other, ground, deficiency)) >= 40


@pytest.mark.parametrize("deficiency", sorted(DEFICIENCIES))
def test_every_eye_tells_what_is_wrong_from_what_is_well(deficiency: str) -> None:
    colors = BUNDLED["colour-blind"].colors
    for one, other in (("good", "warning"), ("good", "error"), ("warning", "error")):
        assert apart(colors[one], colors[other], deficiency) >= 20, (one, other)


@pytest.mark.parametrize("name", sorted(OWN))
@pytest.mark.parametrize("pair", PAIRS)
def test_one_side_is_lighter_than_the_other(name: str, pair: tuple[str, str]) -> None:
    """Where there is no hue at all, as on paper or for an eye without cones."""
    one, other = (OWN[name].colors[role] for role in pair)
    assert contrast(one, other) >= 1.2


@pytest.mark.parametrize("role", [*READ, "faint"])
def test_high_contrast_is_high(role: str) -> None:
    colors = BUNDLED["high-contrast"].colors
    assert contrast(colors[role], colors["background"]) >= 7.0


def test_thin_lines_are_seen_where_contrast_is_high() -> None:
    colors = BUNDLED["high-contrast"].colors
    assert contrast(colors["line"], colors["background"]) >= 4.5


@pytest.mark.parametrize("name", sorted(OWN))
@pytest.mark.parametrize("role", READ)
def test_what_is_faded_can_nearly_be_read_as_what_is_faint(name: str, role: str) -> None:
    palette = OWN[name]
    ground = palette.colors["background"]
    faded, faint = (contrast(palette.color(r), ground) for r in (f"{role}~", "faint"))
    assert faded >= 0.85 * faint


# -- a theme that gives only what differs -----------------------------------------------------


def test_a_theme_may_give_only_what_differs(tmp_path: Path) -> None:
    write(tmp_path, "a.toml", 'name = "mine"\nextends = "light"\n[colors]\nlong = "#0000AA"\n')
    found, broken = themes.load((paths.bundled("themes"), tmp_path))
    assert not broken
    mine, light = found["mine"], found["light"]
    assert mine.colors == {**light.colors, "long": "#0000aa"}
    assert not mine.dark
    assert mine.path == tmp_path / "a.toml"


def test_a_theme_may_change_the_one_of_its_own_name(tmp_path: Path) -> None:
    write(tmp_path, "a.toml", 'name = "dark"\nextends = "dark"\n[colors]\nspot = "#fffff0"\n')
    found, broken = themes.load((paths.bundled("themes"), tmp_path))
    assert not broken
    assert found["dark"].colors == {**BUNDLED["dark"].colors, "spot": "#fffff0"}


def test_themes_of_one_folder_extend_each_other_in_any_order(tmp_path: Path) -> None:
    write(tmp_path, "a.toml", 'name = "a"\nextends = "b"\n[colors]\nlong = "#0000aa"\n')
    write(tmp_path, "b.toml", 'name = "b"\nextends = "dark"\n[colors]\nshort = "#aa0000"\n')
    found, broken = themes.load((paths.bundled("themes"), tmp_path))
    assert not broken
    assert (found["a"].colors["long"], found["a"].colors["short"]) == ("#0000aa", "#aa0000")


def test_themes_that_extend_each_other_in_a_ring_are_reported(tmp_path: Path) -> None:
    write(tmp_path, "a.toml", 'name = "a"\nextends = "b"\n')
    write(tmp_path, "b.toml", 'name = "b"\nextends = "a"\n')
    write(tmp_path, "c.toml", 'name = "c"\nextends = "dark"\n')
    found, broken = themes.load((paths.bundled("themes"), tmp_path))
    assert len(broken) == 2
    assert "c" in found


def test_a_theme_extends_no_broken_one(tmp_path: Path) -> None:
    write(tmp_path, "a.toml", 'name = "a"\nextends = "b"\n')
    write(tmp_path, "b.toml", 'name = "b"\n')
    found, broken = themes.load((paths.bundled("themes"), tmp_path))
    assert "a" not in found
    assert any("a.toml:2" in line and "extends 'b'" in line for line in broken)


# -- terminals of fewer colours -----------------------------------------------------------------


def whole(palette: themes.Palette) -> list[Span]:
    """Every text that a painter may draw, on every ground that it may draw it on."""
    roles = [role for role in themes.ROLES if role not in GROUNDS]
    letters = [Span("a", r + fade, ground) for r in roles for fade in ("", "=", "~")
               for ground in ("", "raised")]  # fmt: skip
    badges = [Span(" a ", "background", role) for role in roles if role != "line"]
    return [*letters, *badges, Span("a", "text", "glow"), Span("a", "strong", "glow")]


def cell(style: Style) -> tuple[object, object]:
    """The two colours of a cell as the terminal shows them."""
    front, behind = style.color, style.bgcolor
    assert front is not None
    assert behind is not None
    shown = [
        ("default ground" if ground else "default text") if c.is_default else (c.number, c.triplet)
        for c, ground in ((front, False), (behind, True))
    ]
    return (shown[1], shown[0]) if style.reverse else (shown[0], shown[1])


@pytest.mark.parametrize("name", sorted(BUNDLED))
@pytest.mark.parametrize("depth", [TRUE, EIGHT_BIT, FOUR_BIT, NONE])
def test_no_text_has_the_colour_of_its_ground(name: str, depth: int) -> None:
    palette = themes.fitting(BUNDLED[name], BUNDLED, depth)
    for span in whole(palette):
        front, behind = cell(palette.style(span))
        assert front != behind, span


@pytest.mark.parametrize("name", sorted(OWN))
@pytest.mark.parametrize("role", READ)
def test_256_colours_are_nearly_as_clear(name: str, role: str) -> None:
    palette = themes.fitting(OWN[name], BUNDLED, EIGHT_BIT)
    style = palette.style(Span("a", role))
    assert style.color is not None
    assert style.bgcolor is not None
    assert style.color.number is not None
    assert style.color.number >= 16  # the first sixteen are whatever the user made of them
    pair = (style.color.get_truecolor().hex, style.bgcolor.get_truecolor().hex)
    assert contrast(*pair) >= 0.8 * min(
        contrast(palette.colors[role], palette.colors["background"]), 5.6
    )


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("name", sorted(OWN))
def test_sides_stay_two_in_256_colours(name: str, pair: tuple[str, str]) -> None:
    palette = themes.fitting(OWN[name], BUNDLED, EIGHT_BIT)
    one, other = (palette.style(Span("█", f"{role}=")).color for role in pair)
    assert one != other


def test_16_colours_are_the_terminals_own() -> None:
    palette = themes.fitting(BUNDLED["light"], BUNDLED, FOUR_BIT)
    assert palette is BUNDLED["ansi16"]
    for span in whole(palette):
        style = palette.style(span)
        for color in (style.color, style.bgcolor):
            assert color is not None
            assert color.is_default or (color.number is not None and color.number < 16)


# Colours 0 to 7 of palettes in wide use, and the ground that each comes with.
PALETTES = {
    "VGA": ("000000 aa0000 00aa00 aa5500 0000aa aa00aa 00aaaa aaaaaa", "000000"),
    "xterm": ("000000 cd0000 00cd00 cdcd00 0000ee cd00cd 00cdcd e5e5e5", "000000"),
    "Windows": ("0c0c0c c50f1f 13a10e c19c00 0037da 881798 3a96dd cccccc", "0c0c0c"),
    "Solarized dark": ("073642 dc322f 859900 b58900 268bd2 d33682 2aa198 eee8d5", "002b36"),
    "Solarized light": ("073642 dc322f 859900 b58900 268bd2 d33682 2aa198 eee8d5", "fdf6e3"),
    "GNOME on white": ("171421 c01c28 26a269 a2734c 12488b a347ba 2aa1b3 d0cfcc", "ffffff"),
    "One Light": ("383a42 e45649 50a14f c18401 4078f2 a626a4 0184bc fafafa", "fafafa"),
    "macOS on white": ("000000 990000 00a600 999900 0000b2 b200b2 00a6b2 bfbfbf", "ffffff"),
}


@pytest.mark.parametrize("kind", sorted(PALETTES))
def test_16_colours_are_seen_on_dark_and_on_light_terminals(kind: str) -> None:
    sixteen, ground = PALETTES[kind]
    terminal = BUNDLED["ansi16"].terminal
    assert terminal is not None
    used = {name.removeprefix("dim ") for name in terminal.values()} - {"default"}
    for name in used:
        color = sixteen.split()[ANSI.index(name)]
        # A terminal's hues are no colours for small print: they carry bars, marks and words
        # that say the same. What is read is its own text colour.
        assert contrast(f"#{color}", f"#{ground}") >= 2.4, name
    for role in ("text", "strong", "spot", "muted", "faint", "line"):
        assert terminal[role].removeprefix("dim ") == "default"


def test_without_colours_there_is_none() -> None:
    palette = themes.fitting(BUNDLED["dark"], BUNDLED, NONE)
    for span in whole(palette):
        style = palette.style(span)
        assert style.color is not None
        assert style.bgcolor is not None
        assert style.color.is_default
        assert style.bgcolor.is_default


@pytest.mark.parametrize("depth", [FOUR_BIT, NONE])
def test_the_left_end_of_a_bar_is_drawn_the_other_way_round(depth: int) -> None:
    palette = themes.fitting(BUNDLED["dark"], BUNDLED, depth)
    assert palette.style(Span("▌", "background", "short")).reverse


@pytest.mark.parametrize("depth", [FOUR_BIT, NONE])
def test_a_changed_level_is_marked_without_a_ground(depth: int) -> None:
    palette = themes.fitting(BUNDLED["dark"], BUNDLED, depth)
    plain, changed = (palette.style(Span("a", "text", ground)) for ground in ("", "glow"))
    assert plain != changed
    assert changed.underline


def test_own_and_terminals_colours_do_not_mix(tmp_path: Path) -> None:
    write(tmp_path, "a.toml", 'name = "a"\nextends = "ansi16"\n[colors]\nlong = "#0000aa"\n')
    _, broken = themes.load((paths.bundled("themes"), tmp_path))
    assert len(broken) == 1
    assert "a.toml:4" in broken[0]
    assert "do not mix" in broken[0]


def test_a_terminals_ground_stays_its_own(tmp_path: Path) -> None:
    write(tmp_path, "a.toml", 'name = "a"\nextends = "ansi16"\n[colors]\nbackground = "blue"\n')
    _, broken = themes.load((paths.bundled("themes"), tmp_path))
    assert "a.toml:4: background = 'blue' must be default" in broken[0]


@pytest.mark.parametrize(
    ("system", "no_color", "depth"),
    [
        ("truecolor", False, TRUE), ("256", False, EIGHT_BIT), ("standard", False, FOUR_BIT),
        ("windows", False, FOUR_BIT), (None, False, NONE), ("truecolor", True, NONE),
    ],
)  # fmt: skip
def test_what_a_terminal_has(system: str | None, no_color: bool, depth: int) -> None:
    assert themes.depth_of(system, no_color) == depth


def test_where_the_theme_for_16_colours_is_missing_none_are_used() -> None:
    dark = BUNDLED["dark"]
    assert themes.fitting(dark, {"dark": dark}, FOUR_BIT) is themes.PLAIN
