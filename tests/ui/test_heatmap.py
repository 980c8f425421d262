"""The heat map: sign and size without colour, one book at a time, no gap drawn over."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.pilot import Pilot

from gexterm.errors import UsageError
from gexterm.reading.day import DayLog, Slice, slice_of
from gexterm.reading.model import Reading
from gexterm.ui import themes
from gexterm.ui.actions import keymap
from gexterm.ui.app import MonitorApp
from gexterm.ui.frame import BY_NAME, GREEKS, Frame
from gexterm.ui.ink import plain, width
from gexterm.ui.palette import PLAIN
from gexterm.ui.screens.heatmap import HeatMap
from gexterm.ui.widgets import heat
from gexterm.ui.widgets.heat import Looks, looks_of
from gexterm.ui.widgets.heat_grid import (
    GAP,
    MINUTE_NS,
    NOTHING,
    UNKNOWN,
    Buckets,
    Rows,
    axis,
    bucket,
    build,
    peak,
    per_row,
    spacing,
    steps,
)
from gexterm.ui.widgets.heat_map import HeatChart
from gexterm.ui.widgets.ladder import asked_strike
from tests.ui.answers import Answers, day_of, outlook_of
from tests.ui.fakes import CLOSE, NS, OPEN, FakeSession, reading
from tests.ui.test_desk import screen, until

AT = OPEN + 61 * 60 * NS
BASE = reading(6012.35, AT)
KEYS = keymap()


def day(minutes: int = 60, *, view: str = "short-both") -> DayLog:
    log = DayLog()
    day_of(log, AT, minutes, view=view)
    log.note(replace(BASE, positions=replace(BASE.positions, view=view)))
    return log


DAY = day()


def frame_of(found: Reading | None = BASE, **changes: object) -> Frame:
    session = FakeSession()
    known = {"info": session.info, "status": session.status, "reading": found, "keys": KEYS,
             "day": DAY, "inquire": Answers(BASE), "screen": "heatmap", **changes}  # fmt: skip
    return Frame(**known)  # type: ignore[arg-type]


def chart(greek: str = "charm", *, ahead: bool = True) -> HeatChart:
    made = HeatChart()
    made.palette = PLAIN
    made.outlook = outlook_of(BASE, greek) if ahead else None
    return made


def text(lines: object) -> str:
    return "\n".join(plain(line) for line in lines)  # type: ignore[attr-defined]


# -- the grid ----------------------------------------------------------------------------


def test_a_column_holds_as_few_minutes_as_fit() -> None:
    hour = 60 * MINUTE_NS
    begin = OPEN // hour * hour
    assert axis(begin, begin + hour, begin + 2 * hour, 121).minutes == 1
    assert axis(begin, begin + hour, begin + 2 * hour, 120).minutes == 2
    assert axis(begin, begin + hour, begin + 7 * hour, 60).minutes == 10


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 3000), st.integers(0, 3000), st.integers(3, 300))
def test_now_is_always_on_the_axis_and_columns_fill_the_cells(
    back: int, on: int, room: int
) -> None:
    made = axis(AT - back * MINUTE_NS, AT, AT + on * MINUTE_NS, room)
    assert 0 <= made.now < made.count
    assert made.start(made.now) <= AT < made.start(made.now + 1)
    assert made.edges[0] == 0
    assert made.edges[-1] == made.cells <= max(2, room - 1)
    assert all(a < b for a, b in zip(made.edges, made.edges[1:], strict=False))


def test_strikes_of_a_row_add_up_and_the_unknown_is_no_zero() -> None:
    strikes = np.array([5990.0, 5995.0, 6000.0, 6005.0, 6020.0])
    values = np.array([1.0, 2.0, 4.0, math.nan, math.nan])
    low, sums, known = bucket(strikes, values, 10.0)
    # A strike between two rows belongs to the upper one.
    assert low == 599
    assert sums.tolist() == [1.0, 6.0, 0.0, 0.0]
    assert known.tolist() == [1, 1, 0, 0]
    assert bucket(strikes[[0, 4]], values[[0, 0]], 10.0)[2].tolist() == [1, -1, -1, 1]


def test_the_spacing_is_that_of_strikes_near_spot() -> None:
    strikes = np.concatenate([np.arange(4000, 5800, 50), np.arange(5800, 6200, 5)]).astype(float)
    assert spacing(strikes, 6000.0) == 5.0
    assert math.isnan(spacing(np.array([6000.0]), 6000.0))
    assert per_row(40, 5.0, 90.0) == 1
    assert per_row(15, 5.0, 90.0) == 4


def book(at: int, value: float, spot: float = 6000.0) -> Slice:
    made = slice_of(BASE)
    values = np.full_like(made.values, value)
    return Slice(at, made.view, made.scope, spot, made.strikes, values)


def test_a_column_shows_its_last_book_and_a_gap_stays_a_gap() -> None:
    across = axis(AT - 9 * MINUTE_NS, AT, AT + 1, 6)  # two minutes a column
    books = [book(AT - 9 * MINUTE_NS, 1.0), book(AT - 8 * MINUTE_NS, 2.0), book(AT, 3.0)]
    grid = build(across, Rows(5.0, 1210, 20), books, None, "charm", Buckets())
    column = across.column(AT - 8 * MINUTE_NS)
    assert grid.values[:, column].tolist() == [2.0] * 20
    between = range(column + 1, across.now)
    assert between
    assert all((grid.state[:, c] == GAP).all() for c in between)
    assert np.isnan(grid.values[:, list(between)]).all()


def test_after_now_stands_the_outlook_and_after_settlement_nothing() -> None:
    ahead = outlook_of(BASE, "charm")
    across = axis(AT, AT, CLOSE + 60 * MINUTE_NS, 200)
    grid = build(across, Rows(5.0, 1210, 20), [book(AT, 1.0)], ahead, "charm", Buckets())
    noon = across.column(AT + 120 * MINUTE_NS)
    at = int(np.searchsorted(ahead.times, across.start(noon) + across.step // 2, "right")) - 1
    row = grid.rows.row(6045.0)
    strike = int(np.flatnonzero(ahead.strikes == 6045.0)[0])
    assert grid.values[row, noon] == pytest.approx(ahead.values[at, strike])
    assert (grid.state[:, -1] == GAP).all()


def test_steps_grow_with_size_and_keep_the_sign() -> None:
    across = axis(AT, AT, AT + 1, 10)
    grid = build(across, Rows(5.0, 1210, 8), [book(AT, 1.0)], None, "charm", Buckets())
    values = np.array([[0.0], [0.03], [0.1], [0.5], [1.5], [-0.1], [-1.0], [math.nan]])
    state = np.array([[1]] * 7 + [[0]], np.int8)
    dark = steps(replace(grid, values=values, state=state), 1.0)[:, 0].tolist()
    assert dark == [0, 0, 1, 3, 5, -1, -5, UNKNOWN]


def test_the_full_scale_is_not_that_of_one_strike() -> None:
    values = np.ones((50, 50))
    values[0, 0] = 1000.0
    assert peak(values) == 1.0
    assert math.isnan(peak(np.full((3, 3), math.nan)))


# -- looks -------------------------------------------------------------------------------


@pytest.mark.parametrize("looks", [
    Looks(BY_NAME["charm"], True, False), Looks(BY_NAME["charm"], False, False),
    Looks(BY_NAME["charm"], False, True),
], ids=["colours", "no colours", "ascii"])  # fmt: skip
def test_the_sign_of_a_cell_shows_without_its_colour(looks: Looks) -> None:
    above = {looks.cell(step)[0] for step in range(1, 6)}
    below = {looks.cell(-step)[0] for step in range(1, 6)}
    assert not above & below
    assert looks.cell(GAP)[0] not in above | below
    assert looks.cell(UNKNOWN)[0] not in above | below
    assert looks.cell(NOTHING)[0] == " "
    if looks.solid:
        assert len({looks.cell(step) for step in (*range(1, 6), *range(-5, 0))}) == 10
    else:
        assert len(above) == len(below) == 5
    assert not looks.ascii or "".join(above | below).isascii()


def test_five_shades_differ_in_every_bundled_theme() -> None:
    for palette in themes.bundled().values():
        for greek in (BY_NAME["charm"], BY_NAME["gamma"]):
            looks = looks_of(palette, greek)
            if not looks.solid:
                continue
            for role in greek.roles:
                shades = [palette.color(role + shade) for shade in heat.SHADES]
                assert len(set(shades)) == len(shades), palette.name


def test_few_colours_are_shown_with_glyphs() -> None:
    assert not looks_of(PLAIN, BY_NAME["charm"]).solid
    assert looks_of(replace(PLAIN, ascii=True), BY_NAME["charm"]).ascii


# -- rows of the screen ------------------------------------------------------------------


def test_the_two_halves_are_named_and_parted_at_now() -> None:
    assert "the day so far" in plain(chart().paint(frame_of(), 120, 36)[2])
    rows = [plain(line) for line in chart().paint(frame_of(), 240, 36)]
    assert "the day so far, since 09:36" in rows[2]
    assert "if nothing changes but the clock" in rows[2]
    line = rows[2].index("│")
    assert all(row[line] == "│" for row in rows[3:-2])
    assert "▲10:36" in rows[-2]


def test_spot_is_a_line_through_the_map_and_its_row_says_where() -> None:
    rows = [plain(line) for line in chart().paint(frame_of(), 120, 36)]
    here = next(row for row in rows[3:-2] if row.startswith("  6,012") or " 6,012 " in row[:9])
    assert "━" in here
    assert "╌" in here[here.index("│") :]
    assert sum("━" in row for row in rows) > 3


def test_levels_stand_at_the_right_edge_in_their_rows() -> None:
    rows = [plain(line) for line in chart().paint(frame_of(), 120, 40)]
    upper = next(row for row in rows if "▴" in row)
    assert upper.split()[0] == f"{BASE.zero_dte.lis_upper:,.0f}"


def test_the_legend_tells_both_ramps_the_sides_and_the_full_scale() -> None:
    shown = plain(chart().paint(frame_of(), 120, 36)[1])
    for part in ("charm 0DTE", "buy", "sell", heat.PLUS, heat.LESS[::-1], "full", "$/h",
                 "min a column"):  # fmt: skip
        assert part in shown, part


def test_another_book_since_then_is_said_and_not_mixed_in() -> None:
    log = DayLog()
    day_of(log, AT - 10 * MINUTE_NS, 40, view="long-both")
    day_of(log, AT, 10)
    log.note(BASE)
    for columns in (80, 100, 140, 200):
        assert "view since 10:26" in plain(chart().paint(frame_of(day=log), columns, 36)[2])
    rows = [plain(line) for line in chart().paint(frame_of(day=log), 140, 36)]
    line = rows[2].index("│")
    before = [row[9 : 9 + (line - 9) // 2] for row in rows[3:-2]]
    assert all(set(part) == {"╱"} for part in before)


def test_without_an_outlook_the_reason_stands_in_its_place() -> None:
    made = chart(ahead=False)
    made.why = "the chain has no volatility"
    assert "not known: the chain has no volatility" in plain(made.paint(frame_of(), 160, 36)[2])
    made.why = ""
    assert "nobody" in plain(made.paint(frame_of(inquire=None), 160, 36)[2])


def test_an_outlook_of_another_greek_is_not_shown() -> None:
    made = chart("gamma")
    shown = text(made.paint(frame_of(greek="charm"), 120, 36))
    assert "… if nothing changes" in shown


def test_positions_are_told_in_contracts_and_have_no_outlook() -> None:
    made = chart()
    made.position = "position"
    rows = [plain(line) for line in made.paint(frame_of(), 120, 36)]
    assert "position 0DTE" in rows[1]
    assert "contracts" in rows[1]
    assert "│" not in rows[2]


def test_the_cursor_tells_its_column_with_the_largest_strikes() -> None:
    made = chart()
    made.paint(frame_of(), 140, 36)
    made.move_cursor(-3)
    told = plain(made.paint(frame_of(), 140, 36)[-1])
    at = made.cursor_at()
    assert at is not None
    assert at[1]
    one = next(each for each in DAY.slices if each.at == at[0])
    values = one.column("charm")
    largest = one.strikes[int(np.nanargmax(np.abs(values)))]
    assert f"{one.spot:,.2f}" in told
    assert "BofA" in told
    first = told.split("largest")[1].split()[0]
    assert first == f"{largest:,.0f}"


def test_after_now_the_cursor_says_that_it_is_no_market() -> None:
    made = chart()
    made.paint(frame_of(), 140, 36)
    made.move_cursor(40)
    told = plain(made.paint(frame_of(), 140, 36)[-1])
    assert "if nothing changes" in told
    assert made.cursor_at() is not None
    assert not made.cursor_at()[1]  # type: ignore[index]


def test_rows_stand_still_until_spot_leaves_the_middle() -> None:
    made = chart()
    first = [plain(line)[:8] for line in made.paint(frame_of(), 120, 36)][3:-2]
    near = replace(BASE, spot=BASE.spot + 8.0)
    second = [plain(line)[:8] for line in made.paint(frame_of(near), 120, 36)][3:-2]
    assert first[0] == second[0]
    far = replace(BASE, spot=BASE.spot + 120.0)
    third = [plain(line)[:8] for line in made.paint(frame_of(far), 120, 36)][3:-2]
    assert third[0] != first[0]


def test_a_tick_that_moves_only_spot_repaints_only_its_rows() -> None:
    made = chart()
    before = made.paint(frame_of(), 160, 48)
    after = made.paint(frame_of(replace(BASE, spot=BASE.spot + 5.0)), 160, 48)
    same = [a is b for a, b in zip(before, after, strict=True)][3:-2]
    # Spot leaves a row for another, and so do the two ends of a standard deviation.
    assert same.count(False) <= 6


@pytest.mark.parametrize("greek", [each.name for each in GREEKS])
@pytest.mark.parametrize("size", [(80, 20), (120, 36), (160, 44), (200, 56)])
def test_every_greek_at_every_size_fills_its_cells(greek: str, size: tuple[int, int]) -> None:
    lines = chart(greek).paint(frame_of(greek=greek), *size)
    assert len(lines) == size[1]
    assert all(width(line) == size[0] for line in lines)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 220), st.integers(1, 60), st.sampled_from([0, 1, 2]),
    st.sampled_from(["all", "one", "unknown", "no spot"]), st.integers(-200, 200),
)  # fmt: skip
def test_no_size_and_no_market_breaks_the_map(
    columns: int, rows: int, zoom: int, market: str, moved: int
) -> None:
    found = BASE
    if market == "one":
        found = replace(BASE, strikes=BASE.strikes.head(1))
    elif market == "unknown":
        found = replace(BASE, strikes=BASE.strikes.with_columns(pl.lit(math.nan).alias("charm")))
    elif market == "no spot":
        found = replace(BASE, spot=math.nan)
    made = chart()
    made.zoom = zoom
    log = DayLog()
    log.note(found)
    for each in (DAY, log):
        made.paint(frame_of(found, day=each), columns, rows)
        made.scroll_rows(moved)
        made.move_cursor(moved)
        made.go_to(6000.0 + moved)
        lines = made.paint(frame_of(found, day=each), columns, rows)
        assert all(width(line) <= columns for line in lines)


# -- the screen --------------------------------------------------------------------------


async def heatmap(pilot: Pilot[None]) -> HeatMap:
    await until(pilot, lambda: "6,012.35" in screen(pilot.app))  # type: ignore[arg-type]
    await pilot.press("4")
    await until(pilot, lambda: isinstance(pilot.app.screen, HeatMap))
    assert isinstance(pilot.app.screen, HeatMap)
    return pilot.app.screen


def monitor(answers: Answers | None) -> MonitorApp:
    session = FakeSession()
    day_of(session.day, AT, 20)
    session.say(BASE)
    session.inquire = answers
    return MonitorApp(session, fps=60.0, glow_s=0.0)


async def test_positions_come_after_the_last_greek_and_before_the_first() -> None:
    app = monitor(Answers(BASE))
    async with app.run_test(size=(120, 40)) as pilot:
        view = await heatmap(pilot)
        seen = []
        for _ in range(8):
            await pilot.press("g")
            await pilot.pause()
            seen.append(view.chart.chosen(app.frame()).name)
        assert seen == ["vanna", "vega", "delta", "decay", "position", "position flow",
                        "gamma", "charm"]  # fmt: skip
        for _ in range(3):
            await pilot.press("G")
        await pilot.pause()
        assert view.chart.chosen(app.frame()).name == "position"


async def test_the_outlook_is_asked_again_after_a_quarter_of_a_minute_or_for_another_greek() -> (
    None
):
    answers = Answers(BASE)
    app = monitor(answers)
    async with app.run_test(size=(120, 40)) as pilot:
        view = await heatmap(pilot)
        await until(pilot, lambda: view.chart.outlook is not None)
        assert answers.count("outlook") == 1
        assert isinstance(app.session, FakeSession)
        for seconds, asked in ((10, 1), (16, 2)):
            later = replace(BASE, as_of=AT + seconds * NS)
            app.session.say(later)
            await until(pilot, lambda later=later: app.shown is later)  # type: ignore[misc]
            view.ask_again()
            await pilot.pause(0.02)
            assert answers.count("outlook") == asked
        await pilot.press("g")
        await until(pilot, lambda: answers.asked[-1] == ("outlook", "vanna"))
        answers.refuse = "no volatility"
        await pilot.press("g")
        await until(pilot, lambda: "not known" in screen(app))


async def test_enter_goes_to_the_moment_under_the_cursor() -> None:
    app = monitor(Answers(BASE))
    async with app.run_test(size=(120, 40)) as pilot:
        view = await heatmap(pilot)
        gone: list[int] = []
        app.seek_to = gone.append  # type: ignore[assignment,method-assign]
        await until(pilot, lambda: view.chart.outlook is not None)
        for _ in range(5):
            await pilot.press("left")
        at = view.chart.cursor_at()
        await pilot.press("enter")
        assert at is not None
        assert gone == [at[0]]
        assert AT - 25 * MINUTE_NS < gone[0] < AT
        for _ in range(12):
            await pilot.press("right")
        await pilot.press("enter")
        assert len(gone) == 1  # what is still to come cannot be gone to


async def test_a_strike_is_found_and_marked() -> None:
    app = monitor(Answers(BASE))
    async with app.run_test(size=(120, 40)) as pilot:
        await heatmap(pilot)
        await pilot.press("slash")
        await pilot.press(*"x", "enter")
        await until(pilot, lambda: "no strike" in screen(app))
        await pilot.press("backspace", *"6200", "enter")
        await until(pilot, lambda: "6,200" in screen(app))
        await pilot.press("home")
        await until(pilot, lambda: "6,200" not in screen(app))


async def test_a_strike_is_found_on_the_desk() -> None:
    app = monitor(None)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("slash", *"5,750", "enter")
        await until(pilot, lambda: "5,750" in screen(app))
        assert not app.desk.ladder.following


@pytest.mark.parametrize("wrong", ["", "abc", "-5", "nan", "inf", "0"])
def test_what_is_no_strike_is_refused(wrong: str) -> None:
    with pytest.raises(UsageError):
        asked_strike(wrong)
    assert asked_strike(" 6,000.5 ") == 6000.5


async def test_the_mouse_puts_the_cursor_on_a_column_and_resizing_keeps_it() -> None:
    app = monitor(Answers(BASE))
    async with app.run_test(size=(120, 40)) as pilot:
        view = await heatmap(pilot)
        await until(pilot, lambda: view.chart.outlook is not None)
        await pilot.click(view.chart, offset=(12, 8))
        found = view.chart.cursor_at()
        assert found is not None
        assert found[0] < AT
        kept = view.chart.cursor
        for size in ((40, 10), (30, 8), (200, 60), (81, 23)):
            await pilot.resize_terminal(*size)
            await pilot.press("z")
        assert view.chart.cursor == kept
