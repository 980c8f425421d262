"""Plain characters: the same screen in ASCII, cell for cell."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from gexterm.ui import glyphs
from gexterm.ui.actions import SCREENS
from gexterm.ui.app import MonitorApp
from gexterm.ui.capture import capture
from gexterm.ui.glyphs import ascii_line, ascii_wanted
from gexterm.ui.ink import Line, Span, cell_len, plain, width
from gexterm.ui.widgets.bars import bar
from gexterm.ui.widgets.braille import Canvas
from tests.ui.fakes import FakeSession, in_doubt, reading
from tests.ui.test_desk import until

TEXTS = st.text(
    st.sampled_from(
        "".join(glyphs.SIGNS) + "".join(glyphs.MARKS) + "█▌▏▁▄│─┼╋⣿⠉⢸ ab1,.éßłяΩ漢字🙂́  "
    ),
    max_size=40,
)


def put(*texts: str) -> str:
    return plain(ascii_line(tuple(Span(text) for text in texts)))


@settings(max_examples=300)
@given(st.lists(TEXTS, max_size=6))
def test_a_line_in_ascii_is_as_wide_as_before(texts: list[str]) -> None:
    found = put(*texts)
    assert found.isascii()
    assert found.isprintable() or not found
    assert len(found) == sum(map(cell_len, texts))


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S", "Zs"])))
def test_what_is_ascii_stays(text: str) -> None:
    line = (Span(text, "lis", "glow", bold=True),)
    assert ascii_line(line) is line


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (" −10.9 pts  −0.4σ ", " -10.9 pts  -0.4sd"),
        ("  −0.4σ│", " -0.4sd|"),
        (" 6,002  ±8│", " 6,002 +-8|"),
        ("−12…+30M", "-12~+30M"),  # no blank to spare
        ("  −12…+30M", " -12..+30M"),
        ("▴ upper", "^ upper"),
        ("▾ lower", "v lower"),
        ("  as of → screen     9 ms", "  as of -> screen    9 ms"),  # an indent is kept
        ("paradigm Mixed → BofA ", "paradigm Mixed -> BofA"),
        ("P ≥ 60 %  of", "P >= 60 % of"),
        ("⚠ SIGNING TRAP", "! SIGNING TRAP"),
        ("≠long", "!long"),
        ("Zürich", "Zurich"),
        ("漢", "??"),
    ],
)
def test_signs_are_written_out(text: str, found: str) -> None:
    assert put(text) == found


def test_standard_deviations_never_read_as_seconds() -> None:
    for text in ("1.1σ", "x1.1σx", " 1.1σ ", "│1.1σ│"):
        assert "1.1s " not in put(text) + " "


def test_what_is_written_out_moves_no_drawing() -> None:
    line = "  ▏██▌    12.3  ±4│"
    found = put(line)
    assert found.index("##") == line.index("██")
    assert found.index("|", 10) == line.index("│")


def test_looks_stay_with_their_characters() -> None:
    found = ascii_line((Span("  ", "text"), Span("−0.4σ", "lis"), Span(" ●", "good")))
    assert {(span.text, span.fg) for span in found} == {
        (" ", "text"), ("-0.4sd", "lis"), (" *", "good")
    }  # fmt: skip


@settings(max_examples=100)
@given(st.floats(-1, 1), st.integers(2, 12))
def test_a_bar_keeps_its_side_and_about_its_length(value: float, half: int) -> None:
    line = ascii_line(bar(value, 1.0, half, ("short", "long")))
    filled = [
        (at, role)
        for at, (char, role) in enumerate((c, s.fg) for s in line for c in s.text)
        if char != " " and role in ("short", "long")
    ]
    eighths = round(8 * half * abs(value))
    assert len(filled) == math.ceil(eighths / 8)
    for at, role in filled:
        assert role == ("long" if value > 0 else "short")
        assert (at >= half) == (value > 0)
    assert not any(span.bg for span in line)


def test_marks_on_a_bar_are_seen() -> None:
    line = ascii_line(bar(-1.0, 1.0, 6, ("short", "long"), {5: -0.5}))
    assert "o" in plain(line)
    assert all(not span.bg for span in line)


def test_a_curve_of_dots_is_a_curve_of_strokes() -> None:
    canvas = Canvas(8, 1)
    for x in range(16):
        canvas.dot(x, x // 4, "spot")
    assert plain(ascii_line(canvas.lines()[0])) == "''----.."


def test_upright_strokes_of_dots_stay_upright() -> None:
    canvas = Canvas(1, 2)
    canvas.stroke(0, 0, 7, "flip")
    assert [plain(ascii_line(line)) for line in canvas.lines()] == ["|", "|"]


def test_textuals_own_parts_are_put_into_ascii_too() -> None:
    bold = Style(bold=True)
    row = [Segment("╭──", bold), Segment("▔ é"), Segment("─┐", bold)]
    found = glyphs.AsciiFilter().apply(row, Color(0, 0, 0))
    assert "".join(segment.text for segment in found) == '+--" e-+'
    assert found[0].style is bold


# -- the whole monitor --------------------------------------------------------------------------


def monitor(found: FakeSession | None) -> MonitorApp:
    return MonitorApp(found, characters="ascii", glow_s=0.0)


@pytest.mark.parametrize("name", sorted(SCREENS))
async def test_every_screen_is_drawn_in_ascii(name: str) -> None:
    first = in_doubt(reading(view="combined"))
    app = monitor(FakeSession(first=first))
    async with app.run_test(size=(160, 48), notifications=True) as pilot:
        await until(pilot, lambda: app.shown is first)
        app.go(name)
        await pilot.pause()
        app.tell("σ of 1 → 2, and a notice has a border")
        await pilot.pause()
        assert [row for row in rows(app) if not row.isascii()] == []
        await pilot.press("question_mark")
        await pilot.pause()
        assert [row for row in rows(app) if not row.isascii()] == []
        assert any(row.strip() for row in rows(app))


async def test_the_command_palette_is_drawn_in_ascii() -> None:
    app = monitor(FakeSession(first=reading()))
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("ctrl+p")
        await pilot.press("t", "h", "e")
        await pilot.pause()
        assert [row for row in rows(app) if not row.isascii()] == []


def rows(app: MonitorApp) -> list[str]:
    return ["".join(run.text for run in row) for row in capture(app).rows]


def test_lines_of_panels_keep_their_width() -> None:
    from gexterm.ui.frame import Frame
    from gexterm.ui.widgets import side

    found = in_doubt(reading(view="combined"))
    session = FakeSession()
    frame = Frame(session.info, session.status, found)
    lines: list[Line] = list(side.paint(frame, 46, 60))
    for line in lines:
        assert width(ascii_line(line)) == width(line) == 46


# -- when ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, False),  # nothing is known, and terminals are UTF-8
        ({"LANG": "en_US.UTF-8"}, False),
        ({"LANG": "de_DE.utf8@euro"}, False),
        ({"LANG": "C.UTF-8"}, False),
        ({"LC_CTYPE": "UTF-8"}, False),  # macOS
        ({"LANG": "C"}, True),
        ({"LANG": "POSIX"}, True),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, True),  # as Python itself makes of LANG=C
        ({"LANG": "de_DE.ISO-8859-1"}, True),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "C"}, True),
        ({"LANG": "C", "LC_ALL": "en_US.UTF-8"}, False),
        ({"LANG": "en_US.UTF-8", "TERM": "linux"}, True),
        ({"LANG": "en_US.UTF-8", "TERM": "vt220"}, True),
        ({"LANG": "en_US.UTF-8", "TERM": "tmux-256color"}, False),
    ],
)
def test_auto_asks_locale_and_term(environ: dict[str, str], wanted: bool) -> None:
    assert ascii_wanted("auto", environ) is wanted


def test_a_stream_that_is_not_utf8_gets_ascii() -> None:
    assert ascii_wanted("auto", {}, "iso8859-1")
    assert not ascii_wanted("auto", {}, "UTF-8")


def test_what_is_set_wins() -> None:
    assert ascii_wanted("ascii", {"LANG": "en_US.UTF-8"})
    assert not ascii_wanted("unicode", {"LANG": "C", "TERM": "linux"})
