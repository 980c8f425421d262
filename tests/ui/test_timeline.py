"""The day over time: what was known when, and what was not."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.market import calendar
from gexterm.market.events import SourceInfo
from gexterm.reading.day import DayLog, DayRow, Mark
from gexterm.reading.model import HedgeDay, Reading
from gexterm.ui.app import MonitorApp
from gexterm.ui.capture import capture
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, Span, plain
from gexterm.ui.ink import width as cells
from gexterm.ui.screens.timeline import Timeline
from gexterm.ui.widgets import daychart, daychart_plot, flowchart, ribbon
from gexterm.ui.widgets.daychart_axis import (
    ZOOMS,
    Axis,
    axis_of,
    gaps,
    held,
    holding,
    hours_row,
    market_hours,
    series_of,
)
from gexterm.ui.widgets.daychart_panel import DayPanel, plan, row_at
from gexterm.ui.widgets.daychart_plot import Label, spread
from tests.ui.fakes import CLOSE, NS, OPEN, FakeSession, reading
from tests.ui.test_desk import until

MINUTE = 60 * NS
NAN = math.nan
BASE = reading(view="combined", mode="live")
SIZES = ((80, 21), (120, 35), (160, 43), (200, 55))


def at_minute(minute: float, **changes: Any) -> Reading:
    """A Reading of so many minutes after 09:35; names of `DayRow` change what they name."""
    at = OPEN + round(minute * 60) * NS
    of_zero = {"lis_upper", "lis_lower", "target", "paradigm", "probability"} & set(changes)
    zero = {name: changes.pop(name) for name in of_zero}
    of_gamma = {"flip", "call_wall", "put_wall"} & set(changes)
    gamma = {name: changes.pop(name) for name in of_gamma}
    left = {"seconds_left": (CLOSE - at) / NS}
    return replace(
        BASE, as_of=at, zero_dte=replace(BASE.zero_dte, **{**left, **zero}),
        gamma=replace(BASE.gamma, **gamma), **changes,
    )  # fmt: skip


def log(*readings: Reading) -> DayLog:
    day = DayLog()
    for found in readings:
        day.note(found)
    return day


def a_day(
    minutes: int = 120, label: Callable[[int], str] = lambda _: "BofA", **more: Any
) -> DayLog:
    return log(
        *(
            at_minute(m, spot=6000.0 + 10 * math.sin(m / 20), paradigm=label(m), **more)
            for m in range(minutes + 1)
        )
    )


def frame(found: Reading | None, day: DayLog | None, **changes: Any) -> Frame:
    session = FakeSession("live")
    fields: dict[str, Any] = {"info": SourceInfo("SPX", "x", "live"), "status": session.status,
                              "keys": {"zoom": ("z",)}}  # fmt: skip
    return Frame(reading=found, day=day, **{**fields, **changes})


def painted(panel: DayPanel, shown: Frame, width: int = 120, height: int = 35) -> list[Line]:
    panel.frame = shown
    return [tuple(line) for line in panel.paint(shown, width, height)]


def text(lines: list[Line]) -> str:
    return "\n".join(plain(line) for line in lines)


def last(minutes: float = 120, **changes: Any) -> Reading:
    return at_minute(minutes, spot=6000.0, **changes)


# -- time ------------------------------------------------------------------------------


def test_an_index_has_its_session_from_open_to_a_quarter_past_the_close() -> None:
    date = calendar.et(OPEN).date()
    assert market_hours(BASE) == (calendar.at_et(date, calendar.OPEN), CLOSE + 15 * MINUTE)


def test_a_market_that_never_closes_shows_the_stretch_seen() -> None:
    expiry = replace(BASE.expiries[0], root="BTC", settlement="08:00 UTC")
    coin = replace(BASE, underlying="BTC", expiries=(expiry,))
    assert market_hours(coin) is None
    first = coin.as_of - 100 * MINUTE
    axis = axis_of(frame(coin, None), coin, first, 100, 0)
    assert axis.begin == first
    assert first + 100 * MINUTE <= axis.end <= first + 130 * MINUTE


def test_a_replay_shows_what_was_recorded() -> None:
    info = SourceInfo("SPX", "x", "replay", 0.0, "", OPEN + 60 * MINUTE, OPEN + 100 * MINUTE)
    found = at_minute(70)
    shown = frame(found, None, info=info, replayable=True)
    axis = axis_of(shown, found, OPEN + 60 * MINUTE, 100, 0)
    assert (axis.begin, axis.end) == (info.begins, info.ends)


@given(st.integers(0, 380), st.integers(1, 2), st.integers(20, 200))
@settings(max_examples=40, deadline=None)
def test_a_nearer_stretch_is_as_long_as_it_says_and_ends_with_now(
    minute: int, zoom: int, columns: int
) -> None:
    found = at_minute(minute)
    axis = axis_of(frame(found, None), found, OPEN, columns, zoom)
    assert axis.end - axis.begin == ZOOMS[zoom][1]
    assert axis.begin <= found.as_of <= axis.end


def test_a_stretch_no_shorter_than_the_day_is_left_out() -> None:
    info = SourceInfo("SPX", "x", "replay", 0.0, "", OPEN, OPEN + 50 * MINUTE)
    panel = DayPanel()
    shown = frame(at_minute(40), a_day(40), info=info, replayable=True)
    assert "z last 30 min" in plain(painted(panel, shown)[0])
    panel.next_zoom()
    assert "─ last 30 min" in plain(painted(panel, shown)[0])
    panel.next_zoom()
    assert "─ day" in plain(painted(panel, shown)[0])


def test_a_nearer_stretch_follows_a_cursor_that_left_it() -> None:
    found = at_minute(300)
    cursor = OPEN + 40 * MINUTE
    axis = axis_of(frame(found, None), found, OPEN, 100, 2, cursor)
    assert axis.begin <= cursor <= axis.end


@given(st.integers(1, 24 * 60), st.integers(1, 300))
@settings(max_examples=60, deadline=None)
def test_hours_fit_whatever_the_stretch(minutes: int, columns: int) -> None:
    axis = Axis(OPEN, OPEN + minutes * MINUTE, columns)
    row = hours_row(axis).text
    assert len(row) == columns
    assert all(len(part) == 5 for part in row.replace("╵", " ").split())


# -- what was not seen -----------------------------------------------------------------


def test_a_level_holds_until_the_next_row_and_not_over_a_gap() -> None:
    rows = [*range(31), *range(60, 91)]
    found = series_of(log(*(at_minute(m, flip=5990.0) for m in rows)).rows)
    axis = Axis(OPEN, OPEN + 90 * MINUTE, 90)
    values = held(found, "flip", holding(found, axis, OPEN + 90 * MINUTE))
    assert np.isfinite(values[:60]).all()
    assert np.isnan(values[64:118]).all()
    assert np.isfinite(values[122:]).all()
    assert gaps(found, axis) == [(OPEN + 30 * MINUTE, OPEN + 60 * MINUTE)]


def test_a_line_that_is_not_there_is_a_gap() -> None:
    day = log(*(at_minute(m, target=NAN if 20 <= m < 40 else 6010.0) for m in range(61)))
    axis = Axis(OPEN, OPEN + 60 * MINUTE, 60)
    found = series_of(day.rows)
    values = held(found, "target", holding(found, axis, OPEN + 60 * MINUTE))
    assert np.isnan(values[41:79]).all()
    assert np.isfinite(values[:39]).all()
    assert np.isfinite(values[81:]).all()


def test_minutes_without_a_reading_are_blank_and_said() -> None:
    day = log(*(at_minute(m, spot=6000.0) for m in [*range(61), *range(180, 241)]))
    lines = painted(DayPanel(), frame(last(240), day), 160, 43)
    assert "2 h 00 not seen" in plain(lines[0])
    assert "2 h 00 not seen" in text(lines[1:])
    ribbon_row = next(plain(line) for line in lines if plain(line).lstrip().startswith("0DTE "))
    assert " " * 30 in ribbon_row[8:].split("BofA")[0].strip()


def test_spot_is_not_drawn_over_a_gap() -> None:
    every = series_of(log(*(at_minute(m) for m in [*range(31), *range(60, 91)])).rows)
    axis = Axis(OPEN, OPEN + 90 * MINUTE, 90)
    least, most = daychart.spot_extent(every, axis, OPEN + 90 * MINUTE, 6012.35)
    for side in (least, most):
        assert np.isnan(side[62:118]).all()
        assert np.isfinite(side[:60]).all()


def test_every_spot_that_was_seen_lies_within_its_half_cell() -> None:
    spots = [6000.0, 6030.0, 5980.0, 6010.0]
    rows = [at_minute(m / 2, spot=spot) for m, spot in enumerate(spots * 10)]
    axis = Axis(OPEN, OPEN + 20 * MINUTE, 5)
    least, most = daychart.spot_extent(series_of(log(*rows).rows), axis, OPEN + 20 * MINUTE, 6010.0)
    assert (np.nanmin(least), np.nanmax(most)) == (5980.0, 6030.0)
    assert (least <= 5980.0).all()


# -- another book ----------------------------------------------------------------------


def test_lines_are_those_of_the_view_and_scope_shown_and_spot_is_everybodys() -> None:
    other = [replace(at_minute(m, flip=5000.0), scope="all") for m in range(60)]
    mine = [at_minute(m, flip=6005.0) for m in range(60, 121)]
    day = log(*other, *mine)
    panel = DayPanel()
    lines = painted(panel, frame(last(120), day))
    picture = panel._picture
    assert picture is not None
    assert len(picture.every.at) == 121
    assert len(picture.book.at) == 61
    assert "seen since 10:35" in plain(lines[0])
    row = next(plain(line) for line in lines if plain(line).lstrip().startswith("0DTE "))
    assert row[8 : 8 + 10].strip() == ""


# -- prices ----------------------------------------------------------------------------

prices_ = st.floats(5900, 6100)


@given(st.lists(prices_, min_size=1, max_size=30), prices_, st.lists(prices_, max_size=8))
@settings(max_examples=80, deadline=None)
def test_spot_is_always_in_view(spots: list[float], spot: float, levels: list[float]) -> None:
    steady = daychart.SteadyRange()
    low, high = daychart.wanted(np.array(spots), np.array(levels), spot, 20.0)
    shown = steady.follow(low, high, "book")
    assert shown[0] <= min([*spots, spot])
    assert shown[1] >= max([*spots, spot])


def test_a_wall_far_off_does_not_press_the_day_flat() -> None:
    low, high = daychart.wanted(
        np.array([6000.0, 6010.0]), np.array([5400.0, 6500.0, 6020.0]), 6005.0, 20.0
    )
    assert high - low < 80
    assert high >= 6020.0


def test_the_range_stands_still_while_everything_fits() -> None:
    steady = daychart.SteadyRange()
    first = steady.follow(5990.0, 6010.0, 1)
    assert steady.follow(5991.3, 6009.0, 1) == first
    assert steady.follow(5991.3, 6019.0, 1) != first
    assert steady.follow(5990.0, 6010.0, 2) == first


def test_a_wall_out_of_view_is_an_arrow_with_its_price() -> None:
    found = last(call_wall=6400.0, put_wall=5500.0)
    lines = painted(DayPanel(), frame(found, a_day()))
    assert "▲ 6,400 call wall" in text(lines)
    assert "▼ 5,500 put wall" in text(lines)


def test_lines_differ_without_colour() -> None:
    patterns = {daychart_plot.sample(kind.pattern, 4) for kind in daychart.KINDS}
    assert len(patterns) == 5  # the two lines in the sand look alike; ▴ and ▾ tell them apart
    looks = {(kind.glyph, kind.pattern) for kind in daychart.KINDS}
    assert len(looks) == len(daychart.KINDS)


@given(st.lists(st.tuples(st.floats(5980, 6020), st.integers(0, 9)), max_size=12),
       st.integers(1, 20))  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_labels_are_moved_apart_and_never_overwritten(
    wanted: list[tuple[float, int]], rows: int
) -> None:
    labels = [Label(value, (Span(str(i)),), weight) for i, (value, weight) in enumerate(wanted)]
    placed, missing = spread(labels, 5990.0, 6010.0, rows)
    assert len(placed) + missing == len(labels)
    assert missing == max(0, len(labels) - rows)
    assert all(0 <= row < rows for row in placed)
    values = [placed[row].value for row in sorted(placed)]
    assert values == sorted(values, reverse=True)


def test_levels_at_one_price_are_all_told() -> None:
    found = last(lis_upper=6010.0, target=6010.0, call_wall=6010.0, flip=6010.0)
    told = text(painted(DayPanel(), frame(found, a_day())))
    for word in ("6,010 LIS", "6,010 target", "6,010 call wall", "6,010 flip"):
        assert word in told


# -- the ribbon ------------------------------------------------------------------------


def test_the_ribbon_reads_without_colour() -> None:
    labels = ("GEX", "BofA", "Anti-GEX", "Sidial", "Mixed", "No data")
    day = a_day(119, lambda m: labels[m // 20])
    lines = painted(DayPanel(), frame(last(119, paradigm="No data"), day), 160, 43)
    row = next(plain(line) for line in lines if plain(line).lstrip().startswith("0DTE "))
    letters = "".join(dict.fromkeys(row[8:].split("No data")[0].replace(" ", "")))
    assert letters == "GBASM·"


def test_when_a_paradigm_began_stands_below_it_and_what_has_no_room_is_counted() -> None:
    day = a_day(119, lambda m: "GEX" if m < 60 else "BofA")
    assert "10:35 BofA" in text(painted(DayPanel(), frame(last(119), day), 160, 43))
    often = a_day(119, lambda m: "GEX" if m % 2 else "BofA")
    assert "more not told" in text(painted(DayPanel(), frame(last(119), often), 160, 43))


def test_an_assumption_has_no_probability() -> None:
    day = log(*(replace(at_minute(m, probability={}), positions=BASE.positions) for m in range(30)))
    lines = painted(DayPanel(), frame(last(30, probability={}), day))
    assert "assumed, no P" in text(lines)


def test_of_several_alerts_in_a_cell_the_gravest_is_shown_and_all_can_be_read() -> None:
    day = a_day()
    when = OPEN + 60 * MINUTE
    day.mark(Mark(when, "alert", "a wall moved", "info"))
    day.mark(Mark(when + NS, "alert", "the feed was gone", "warning"))
    panel = DayPanel()
    panel.cursor = when
    lines = painted(panel, frame(last(), day))
    row = next(plain(line) for line in lines if plain(line).startswith(" alerts"))
    assert "⚠" in row
    assert "·" not in row
    assert "a wall moved" in text(lines)
    assert "+1 more" in text(lines)


def test_what_lies_ahead_of_a_replay_wound_back_is_dim() -> None:
    day = a_day()
    day.mark(Mark(OPEN + 200 * MINUTE, "alert", "later", "warning"))
    day.mark(Mark(OPEN + 150 * MINUTE, "paradigm", "GEX → BofA", "notice"))
    info = SourceInfo("SPX", "x", "replay", 0.0, "", OPEN, CLOSE)
    lines = painted(DayPanel(), frame(last(), day, info=info, replayable=True), 160, 43)
    row = next(line for line in lines if plain(line).startswith(" alerts"))
    ahead = {span.text.strip(): span.fg for span in row if span.text.strip() in ("⚠", "◇")}
    assert ahead == {"⚠": "faint", "◇": "faint"}
    assert "2 ahead" in plain(row)


# -- hedge flow ------------------------------------------------------------------------


def test_flow_adds_up_and_says_what_was_not_seen() -> None:
    day = HedgeDay(OPEN, 1.2e9, -3e8, 1e8, 41.0, 5.0)
    assert flowchart.of_day(day, flowchart.SOURCES[0]) == pytest.approx(1e9)
    row = plain(flowchart.flow_row(day, 120))
    assert "total +1.00bn" in row
    assert "41s unseen" in row
    assert "41s not seen" in plain(flowchart.flow_title(day, 120))


def test_a_total_with_an_unknown_part_is_not_known() -> None:
    day = HedgeDay(OPEN, 1.2e9, NAN, 1e8)
    assert math.isnan(flowchart.of_day(day, flowchart.SOURCES[0]))


@pytest.mark.parametrize("width", [60, 80, 110, 160])
def test_flow_in_one_row_is_never_cut(width: int) -> None:
    day = HedgeDay(OPEN, -1.23e9, -3.45e8, 6.78e8, 4000.0, 5.0)
    row = plain(flowchart.flow_row(day, width))
    assert len(row) == width
    if width >= 80:
        assert "unseen" in row


# -- the cursor ------------------------------------------------------------------------


def test_the_cursor_reads_what_was_known_then() -> None:
    day = a_day(120, lambda m: "GEX" if m < 60 else "BofA")
    panel = DayPanel()
    shown = frame(last(), day)
    painted(panel, shown)
    panel.cursor = OPEN + 30 * MINUTE
    told = text(painted(panel, shown))
    row = row_at(day, last(), panel.cursor, 150 * NS)
    assert isinstance(row, DayRow)
    assert f"10:05:00  {row.spot:,.2f}  GEX" in told


def test_nothing_is_read_where_nothing_was_seen() -> None:
    day = log(*(at_minute(m) for m in [*range(31), *range(60, 91)]))
    panel = DayPanel()
    panel.cursor = OPEN + 45 * MINUTE
    assert "no Reading under this view" in text(painted(panel, frame(last(90), day)))


def test_the_cursor_goes_away_past_now_and_no_farther_than_the_day() -> None:
    panel = DayPanel()
    shown = frame(last(), a_day())
    painted(panel, shown)
    panel.move(1)
    assert panel.cursor == 0
    panel.move(-3)
    assert OPEN < panel.cursor < last().as_of
    for _ in range(5):
        panel.move(1)
    assert panel.cursor == 0
    for _ in range(400):
        panel.move(-1)
    assert panel.cursor >= OPEN - 10 * MINUTE


def test_what_is_chosen_is_the_alert_under_the_cursor_else_its_time() -> None:
    day = a_day()
    when = OPEN + 60 * MINUTE + 7 * NS
    day.mark(Mark(when, "alert", "x", "notice"))
    panel = DayPanel()
    assert panel.chosen() == 0
    panel.cursor = when + 5 * NS
    painted(panel, frame(last(), day))
    assert panel.chosen() == when
    panel.cursor = OPEN + 20 * MINUTE
    assert panel.chosen() == OPEN + 20 * MINUTE


# -- any size, any day -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("width", "height"), [*SIZES, (40, 6), (40, 10), (60, 14), (300, 90), (41, 60)]
)
@pytest.mark.parametrize("cursor", [0, OPEN + 33 * MINUTE])
def test_every_row_fits_at_any_size(width: int, height: int, cursor: int) -> None:
    panel = DayPanel()
    panel.cursor = cursor
    for zoom in range(3):
        panel.zoom = zoom
        lines = painted(panel, frame(last(), a_day()), width, height)
        assert len(lines) <= height
        assert all(cells(line) <= width for line in lines), [cells(line) for line in lines]


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_whole_height_is_used(width: int, height: int) -> None:
    assert len(painted(DayPanel(), frame(last(), a_day()), width, height)) == height
    layout = plan(width, height)
    assert layout.chart >= 10


@pytest.mark.parametrize("known", [False, True])
def test_before_the_first_reading_and_without_spot_it_says_so(known: bool) -> None:
    found = replace(last(), spot=NAN) if known else None
    told = text(painted(DayPanel(), frame(found, DayLog())))
    assert ("spot is not known" if known else "nothing is known yet") in told


def test_a_day_of_nothing_but_dashes_is_drawn() -> None:
    lines = ("lis_upper", "lis_lower", "target", "flip", "call_wall", "put_wall")
    nothing = dict.fromkeys(lines, NAN)
    found = replace(last(**nothing, paradigm="No data", probability={}), hedge_day=HedgeDay())
    day = log(*(replace(found, as_of=OPEN + m * MINUTE) for m in range(20)))
    told = text(painted(DayPanel(), frame(found, day), 160, 43))
    assert "hedge flow: not added up yet" in told
    assert "LIS" not in told


def test_the_picture_is_drawn_again_only_when_the_day_has_grown() -> None:
    panel, day = DayPanel(), a_day()
    painted(panel, frame(last(), day))
    first = panel._picture
    painted(panel, frame(replace(last(), sequence=2, spot=6000.5), day))
    assert panel._picture is first
    later = at_minute(130, spot=6001.0)
    day.note(later)
    painted(panel, frame(later, day))
    second = panel._picture
    assert second is not first
    changed = at_minute(130.1, spot=6001.0, paradigm="GEX")
    day.note(changed)
    painted(panel, frame(changed, day))
    assert panel._picture is not second


def test_words_from_outside_are_harmless() -> None:
    evil = "\x1b[31m[red]x\n"
    found = replace(last(paradigm=evil), positions=replace(BASE.positions, view=evil), scope=evil)
    day = log(found)
    day.mark(Mark(found.as_of, "alert", evil, evil))
    panel = DayPanel()
    panel.cursor = found.as_of
    for line in painted(panel, frame(found, day), 160, 43):
        assert "\x1b" not in plain(line)
        assert "\n" not in plain(line)


# -- the screen ------------------------------------------------------------------------


def shown_text(app: MonitorApp) -> str:
    return "\n".join("".join(run.text for run in row) for row in capture(app).rows)


def monitor(monkeypatch: pytest.MonkeyPatch) -> tuple[MonitorApp, list[int]]:
    session = FakeSession("live")
    for m in range(121):
        session.day.note(at_minute(m, spot=6000.0 + m / 10))
    session.say(at_minute(120.5, spot=6012.35))
    sought: list[int] = []
    monkeypatch.setattr(MonitorApp, "seek_to", lambda _self, at: sought.append(at))
    return MonitorApp(session, screen="timeline", glow_s=0.0), sought


async def test_arrows_read_and_enter_goes_there(monkeypatch: pytest.MonkeyPatch) -> None:
    app, sought = monitor(monkeypatch)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "6,012.35" in shown_text(app))
        view = app.screen
        assert isinstance(view, Timeline)
        await pilot.press("enter")
        assert sought == []
        await pilot.press("left", "left", "left")
        at = view.panel.cursor
        assert OPEN < at < OPEN + 120 * MINUTE
        await pilot.press("enter")
        assert sought == [at]
        assert view.panel.cursor == 0


async def test_a_click_puts_the_cursor_and_z_comes_nearer(monkeypatch: pytest.MonkeyPatch) -> None:
    app, _ = monitor(monkeypatch)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "6,012.35" in shown_text(app))
        view = app.screen
        assert isinstance(view, Timeline)
        await pilot.click(view.panel, offset=(20, 5))
        assert view.panel._picture is not None
        assert view.panel._picture.axis.cell(view.panel.cursor) == 20 - daychart.LEFT
        for word in ("last 2 h", "last 30 min", "─ day"):
            await pilot.press("z")
            await pilot.pause()
            assert word in shown_text(app)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (160, 48), (200, 60)])
async def test_it_stands_at_every_size(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, _ = monitor(monkeypatch)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "● 6,012.35" in shown_text(app))
        told = shown_text(app)
        for word in ("0DTE", "alerts", "LIS", "11:", "hedge" if size[0] > 80 else "since"):
            assert word in told


def test_letters_are_as_many_as_paradigms() -> None:
    known = [ribbon.letter(name)[0] for name in ("BofA", "GEX", "Anti-GEX", "Sidial", "Mixed")]
    assert known == ["B", "G", "A", "S", "M"]
    assert ribbon.letter("")[0] == "·"
