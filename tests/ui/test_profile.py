"""The profile: curves that say what they are, and a what-if that nobody takes for the market."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.pilot import Pilot

from gexterm.reading.inquiry import GREEKS, Suppose, Supposed
from gexterm.reading.model import Band, Gamma, ZeroDte
from gexterm.ui.actions import keymap
from gexterm.ui.app import MonitorApp
from gexterm.ui.frame import Frame
from gexterm.ui.ink import plain, width
from gexterm.ui.screens.profile import Profile
from gexterm.ui.widgets import curves, suppose
from gexterm.ui.widgets.curves import Drawn, Window
from gexterm.ui.widgets.curves_stage import ZOOMS, Stage
from gexterm.ui.widgets.levels import levels
from gexterm.ui.widgets.suppose import Asked
from tests.ui.answers import Answers, curve, curves_of
from tests.ui.fakes import CLOSE, NS, OPEN, FakeSession, reading
from tests.ui.test_desk import screen, until

AT = OPEN + 61 * 60 * NS
BASE = reading(6012.35, AT, "combined")
KEYS = keymap()


def frame_of(found: object = BASE, **changes: object) -> Frame:
    session = FakeSession()
    known = {"info": session.info, "status": session.status, "reading": found, "keys": KEYS,
             "inquire": Answers(BASE), "screen": "profile", **changes}  # fmt: skip
    return Frame(**known)  # type: ignore[arg-type]


def drawn(greek: str = "charm", **changes: object) -> Drawn:
    of = curves_of(BASE, Suppose())
    known = {"greek": greek, "today": of, "then": None, "window": Window(5900.0, 6100.0),
             "limits": (-8e8, 8e8), "spot": BASE.spot, "supposed": math.nan,
             "levels": tuple(levels(BASE)), **changes}  # fmt: skip
    return Drawn(**known)  # type: ignore[arg-type]


def text(lines: object) -> str:
    return "\n".join(plain(line) for line in lines)  # type: ignore[attr-defined]


# -- curves ------------------------------------------------------------------------------


def test_a_curve_is_worth_at_spot_what_its_formula_says() -> None:
    of = curves_of(BASE, Suppose())
    want = float(curve("charm", np.array([6012.0]), 6000.0)[0])
    assert curves.at(of, "charm", 6012.0) == pytest.approx(want, rel=1e-6)
    assert math.isnan(curves.at(of, "charm", 9000.0))


def test_every_zero_in_view_is_marked_with_its_price_and_those_beyond_are_counted() -> None:
    shown = text(curves.panel(drawn(), 100, 24))
    assert shown.count("○") == 3
    for price in ("5,940", "6,000", "6,060"):
        assert price in shown
    near = drawn(window=Window(5990.0, 6030.0))
    assert "zeros beyond: ‹1 1›" in text(curves.panel(near, 100, 24))
    supposed = drawn(window=Window(5990.0, 6030.0), then=curves_of(BASE, Suppose(-0.005)))
    for columns in range(64, 100):
        assert "‹1 1›" in text(curves.panel(supposed, columns, 24)), columns


@pytest.mark.parametrize("greek", GREEKS)
def test_both_sides_of_every_curve_are_named_and_its_unit_is_told(greek: str) -> None:
    rows = [plain(line) for line in curves.panel(drawn(greek), 110, 24)]
    above, below = curves.SIDES[greek]
    assert greek in rows[0]
    assert "$" in rows[0]
    assert above in rows[1]
    assert below in rows[1]
    assert rows[1].index(above) < rows[1].index(below)


def test_a_curve_above_zero_is_drawn_above_the_zero_line() -> None:
    high = replace(curves_of(BASE, Suppose()), zeros={}, band={})
    high = replace(high, values={"charm": np.full(len(high.spots), 4e8)})
    rows = [plain(line) for line in curves.plot(drawn(today=high, supposed=math.nan), 60, 16)]
    dense = [sum(char not in " ⠨" for char in row) for row in rows]
    assert dense.index(max(dense)) < 8  # zero lies in the middle


def test_levels_share_the_axis_and_what_lies_beyond_is_counted() -> None:
    row, _ = curves.level_row(drawn(window=Window(6005.0, 6020.0)), 80, named=True)
    assert plain(row).startswith("‹")
    wide, _ = curves.level_row(drawn(), 120, named=True)
    assert "LIS 6,0" in plain(wide)
    assert "▴" in plain(wide)
    assert "▾" in plain(wide)


def test_the_band_is_drawn_only_where_there_is_one() -> None:
    assert "80 % band" in text(curves.panel(drawn(), 110, 24))
    bare = replace(curves_of(BASE, Suppose()), band={})
    assert "80 % band" not in text(curves.panel(drawn(today=bare), 110, 24))


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 220), st.integers(1, 60), st.sampled_from(GREEKS),
    st.one_of(st.just(math.nan), st.floats(3000, 9000)), st.booleans(),
)  # fmt: skip
def test_no_size_and_no_number_breaks_a_panel(
    columns: int, rows: int, greek: str, supposed: float, unknown: bool
) -> None:
    of = curves_of(BASE, Suppose())
    if unknown:
        of = replace(of, values={name: np.full(601, math.nan) for name in GREEKS})
    for line in curves.panel(drawn(greek, today=of, supposed=supposed), columns, rows):
        assert width(line) == columns


# -- strip and table ---------------------------------------------------------------------


def answer(what: Suppose) -> Supposed:
    return asyncio.run(Answers(BASE).supposed(what))


def test_the_strip_says_what_is_supposed_in_the_colour_of_a_replay() -> None:
    what = Suppose(-0.005, 1.0, 204.0)
    line = suppose.strip(frame_of(), Asked(what, old=True), 120)
    said = plain(line)
    assert "WHAT IF" in said
    assert "spot −0.5 % 5,982.29 · vol +1.0 · 14:00 ET (+3h24m) …" in said
    assert {span.fg for span in line if "spot" in span.text} == {"replay"}


def test_nothing_supposed_tells_the_keys_and_no_one_to_ask_says_so() -> None:
    assert "← → spot 0.1 %" in plain(suppose.strip(frame_of(), Asked(), 100))
    assert "nobody" in plain(suppose.strip(frame_of(inquire=None), Asked(), 100))


def test_the_table_sets_both_books_side_by_side_and_marks_what_differs() -> None:
    what = Suppose(-0.005)
    asked = Asked(what, answer(what))
    rows = suppose.table(frame_of(), asked, 52, 40)
    shown = {plain(row)[:13].strip(): plain(row) for row in rows}
    assert "6,012.35" in shown["spot"]
    assert "5,982.29" in shown["spot"]
    assert "−30.1" in shown["spot"]
    assert "every strike keeps its volatility" in text(rows)
    for name in ("flip", "gamma /1 %", "regime", "paradigm", "LIS upper", "LIS lower", "target",
                 "charm 0DTE /h", "hedge +1 %", "hedge −1 %", "hedge vol +1", "hedge in 1 h",
                 "call wall", "put wall"):  # fmt: skip
        assert name in shown, name


def test_what_is_not_known_is_a_dash_with_its_reason() -> None:
    gone = replace(
        BASE,
        zero_dte=ZeroDte(reason="today's options have settled", settled=True),
        gamma=Gamma(flip_kind="none (long everywhere)"),
    )
    found = {each.name: each for each in suppose.entries(BASE, gone)}
    assert found["LIS upper"].then == "–"
    assert found["LIS upper"].why == "today's options have settled"
    assert found["flip"].why == "long everywhere"
    what = Suppose(0.01)
    asked = Asked(what, Supposed(what, gone, BASE))
    shown = text(suppose.table(frame_of(), asked, 80, 40))
    assert "today's options have settled" in shown
    assert "nan" not in shown


def test_a_hedge_flow_whose_sign_is_open_is_asked_not_told() -> None:
    assert suppose.trade(1.2e9) == "buy 1.20bn"
    assert suppose.trade(-1.2e9, Band(-2e9, 1e9)) == "sell? 1.20bn"
    assert suppose.trade(math.nan) == "–"


def test_where_it_is_low_nothing_is_left_out_in_silence() -> None:
    what = Suppose(-0.005)
    rows = suppose.table(frame_of(), Asked(what, answer(what)), 78, 5)
    assert len(rows) <= 5
    assert "+7 more" in plain(rows[0])


def test_an_old_answer_is_dim() -> None:
    what = Suppose(-0.005)
    for old, role in ((False, "replay"), (True, "replay~")):
        rows = suppose.table(frame_of(), Asked(what, answer(what), old=old), 52, 40)
        spot = next(row for row in rows if plain(row).startswith("spot"))
        assert any(span.fg == role and "5,982" in span.text for span in spot)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 200), st.integers(1, 60), st.booleans())
def test_no_size_breaks_the_table(columns: int, rows: int, supposing: bool) -> None:
    what = Suppose(-0.005)
    asked = Asked(what, ANSWER) if supposing else Asked()
    lines = suppose.table(frame_of(), asked, columns, rows)
    assert len(lines) <= max(rows, 2)
    assert all(width(line) <= columns for line in lines)
    assert width(suppose.strip(frame_of(), asked, columns)) == columns


ANSWER = answer(Suppose(-0.005))


# -- the screen --------------------------------------------------------------------------


async def profile(pilot: Pilot[None]) -> Profile:
    await until(pilot, lambda: "6,012.35" in screen(pilot.app))  # type: ignore[arg-type]
    await pilot.press("2")
    await until(pilot, lambda: isinstance(pilot.app.screen, Profile))
    assert isinstance(pilot.app.screen, Profile)
    return pilot.app.screen


def monitor(answers: Answers | None) -> MonitorApp:
    session = FakeSession(first=BASE)
    session.inquire = answers
    return MonitorApp(session, fps=60.0, glow_s=0.0)


SIZES = [(80, 24), (120, 40), (160, 48), (200, 60)]


@pytest.mark.parametrize("size", SIZES)
async def test_each_size_shows_a_curve_the_book_and_the_mode(size: tuple[int, int]) -> None:
    app = monitor(Answers(BASE))
    async with app.run_test(size=size) as pilot:
        view = await profile(pilot)
        await until(pilot, lambda: view.asked.today is not None)
        await pilot.press("left")
        await until(pilot, lambda: view.asked.supposed is not None and not view.asked.old)
        await until(pilot, lambda: "6,006.34" in screen(app))
        shown = screen(app)
        for part in ("REPLAY", "WHAT IF", "spot −0.1 %", "charm $/h", "±2.5 %", "LIS", "hedge +1 %",
                     "○", "what if"):  # fmt: skip
            assert part in shown, part
        small = sum(f" {name} $" in shown for name in GREEKS)
        assert small == (5 if size[1] >= 40 else 1)
        assert all(len(row) == size[0] for row in shown.splitlines())


async def test_keys_suppose_and_reset_takes_it_back() -> None:
    answers = Answers(BASE)
    app = monitor(answers)
    async with app.run_test(size=(120, 40)) as pilot:
        view = await profile(pilot)
        for key in ("right", "right", "up", "pagedown", "left"):
            await pilot.press(key)
        await until(pilot, lambda: not view.asked.old)
        assert view.asked.suppose == Suppose(0.001, 0.5, 15.0)
        assert view.asked.supposed is not None
        assert view.asked.supposed.reading.spot == pytest.approx(1.001 * BASE.spot)
        await pilot.press("r")
        await until(pilot, lambda: not view.asked.old)
        assert view.asked.suppose == Suppose()
        assert view.asked.supposed is None
        assert "WHAT IF" not in screen(app)


async def test_the_newest_question_wins_and_the_old_answer_stays_dim_meanwhile() -> None:
    answers = Answers(BASE)
    app = monitor(answers)
    async with app.run_test(size=(120, 40)) as pilot:
        view = await profile(pilot)
        await pilot.press("left")
        await until(pilot, lambda: not view.asked.old and view.asked.supposed is not None)
        answers.gate.clear()
        for _ in range(5):
            await pilot.press("left")
        await until(pilot, lambda: "spot −0.6 %" in screen(app))
        assert view.asked.old
        assert "…" in screen(app)
        assert "6,006.34" in screen(app)  # the answer before
        answers.gate.set()
        await until(pilot, lambda: not view.asked.old)
        assert view.asked.supposed is not None
        assert view.asked.supposed.suppose.spot_change == pytest.approx(-0.006)
        # One on its way, and the last: those in between were never asked.
        assert answers.count("supposed") <= 3


async def test_the_supposition_stays_while_the_market_goes_on() -> None:
    answers = Answers(BASE)
    app = monitor(answers)
    async with app.run_test(size=(120, 40)) as pilot:
        view = await profile(pilot)
        await pilot.press("right")
        await until(pilot, lambda: not view.asked.old)
        asked = answers.count("supposed")
        later = reading(6020.0, AT + 60 * NS, "combined")
        answers.base = later
        assert isinstance(app.session, FakeSession)
        app.session.say(later)
        await until(pilot, lambda: "6,020.00" in screen(app))
        view.ask_again()  # the clock of the screen would, within a second
        await until(pilot, lambda: answers.count("supposed") == asked + 1)
        await until(pilot, lambda: "6,026.02" in screen(app))
        view.ask_again()
        await pilot.pause()
        assert answers.count("supposed") == asked + 1  # of this moment all is known


async def test_answers_about_another_book_are_not_shown_as_if_of_this_one() -> None:
    answers = Answers(BASE)
    app = monitor(answers)
    async with app.run_test(size=(120, 40)) as pilot:
        view = await profile(pilot)
        await pilot.press("right")
        await until(pilot, lambda: not view.asked.old)
        answers.gate.clear()
        other = reading(6012.35, AT + NS, "long-both")
        answers.base = other
        assert isinstance(app.session, FakeSession)
        app.session.say(other)
        await until(pilot, lambda: "long-both" in screen(app))
        assert view.asked.today is None
        assert view.asked.supposed is None
        assert view.asked.suppose == Suppose(0.001)
        answers.gate.set()
        await until(pilot, lambda: not view.asked.old)
        assert view.asked.supposed is not None
        assert view.asked.supposed.base is other


def test_small_panels_name_their_sides_too() -> None:
    assert "▲sell ▼buy" in plain(curves.panel(drawn(), 80, 9)[0])


def test_a_number_whose_band_contains_zero_is_dim_and_its_band_is_not() -> None:
    open_ = replace(BASE, gamma=replace(BASE.gamma, gex_band=Band(-9e9, 2e9)))
    row = next(r for r in suppose.table(frame_of(open_), Asked(), 60, 40) if "gamma" in plain(r))
    assert row[1].fg == "faint"
    assert row[2].fg == "text"
    assert "…" in row[2].text


async def test_time_is_supposed_no_later_than_settlement() -> None:
    app = monitor(Answers(BASE))
    async with app.run_test(size=(120, 40)) as pilot:
        view = await profile(pilot)
        await until(pilot, lambda: view.asked.today is not None)
        view.suppose(Suppose(minutes=315.0))
        for _ in range(2):
            await pilot.press("pagedown")
        left = (CLOSE - AT) / NS / 60
        assert view.asked.suppose.minutes == pytest.approx(left)
        await pilot.press("pageup")
        assert view.asked.suppose.minutes == pytest.approx(left - 15)


async def test_a_question_that_cannot_be_answered_says_why_and_the_screen_goes_on() -> None:
    answers = Answers(BASE)
    answers.refuse = "no chain yet"
    app = monitor(answers)
    async with app.run_test(size=(120, 40)) as pilot:
        view = await profile(pilot)
        await until(pilot, lambda: "no answer: no chain yet" in screen(app))
        assert "from the Reading, gamma alone" in screen(app)
        answers.refuse = ""
        await pilot.press("left")
        await until(pilot, lambda: not view.asked.old)
        assert "no answer" not in screen(app)


async def test_with_nobody_to_ask_gamma_is_drawn_from_the_reading() -> None:
    app = monitor(None)
    async with app.run_test(size=(160, 48)) as pilot:
        await profile(pilot)
        await until(pilot, lambda: "nobody is there to be asked" in screen(app))
        assert "from the Reading, gamma alone" in screen(app)
        assert "▲" in screen(app)


async def test_a_click_supposes_the_spot_under_the_mouse() -> None:
    app = monitor(Answers(BASE))
    async with app.run_test(size=(120, 40)) as pilot:
        view = await profile(pilot)
        await until(pilot, lambda: view.asked.today is not None)
        stage: Stage = view.stage
        await pilot.click(stage, offset=(curves.AXIS + 4, 6))
        await until(pilot, lambda: view.asked.suppose.spot_change != 0)
        columns = stage.size.width - curves.AXIS - 1
        half = ZOOMS[1] * BASE.spot
        want = BASE.spot - half + 2 * half * 4 / columns
        there = BASE.spot * (1 + view.asked.suppose.spot_change)
        assert there == pytest.approx(want, abs=2 * half / columns)


async def test_zoom_goes_round_and_all_shows_the_whole_grid() -> None:
    app = monitor(Answers(BASE))
    async with app.run_test(size=(120, 40)) as pilot:
        view = await profile(pilot)
        await until(pilot, lambda: view.asked.today is not None)
        for word in ("±5 %", " all ", "±1 %", "±2.5 %"):
            await pilot.press("z")
            await until(pilot, lambda word=word: word in screen(app))  # type: ignore[misc]
        assert view.asked.today is not None
        view.stage.zoom = len(ZOOMS) - 1
        whole = view.stage.window(view.asked.today, BASE.spot)
        assert (whole.low, whole.high) == (5700.0, 6300.0)


async def test_no_size_and_no_reading_breaks_the_screen() -> None:
    session = FakeSession()
    app = MonitorApp(session, fps=60.0, glow_s=0.0)
    async with app.run_test(size=(120, 40)) as pilot:
        app.go("profile")
        await until(pilot, lambda: "Waiting for SPX" in screen(app))
        session.say(replace(BASE, spot=math.nan))
        for size in ((40, 10), (30, 8), (200, 60), (81, 23), (103, 14)):
            await pilot.resize_terminal(*size)
            await pilot.press("left", "g")
        session.say(BASE)
        await until(pilot, lambda: "6,012" in screen(app))
