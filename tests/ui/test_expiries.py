"""Expiries, volatility by term, and the smile of one of them."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.errors import UsageError
from gexterm.reading.day import DayLog
from gexterm.reading.inquiry import Smile
from gexterm.reading.model import ExpiryLine, Reading
from gexterm.ui.app import MonitorApp
from gexterm.ui.capture import capture
from gexterm.ui.frame import GREEKS, Frame
from gexterm.ui.ink import Line, plain
from gexterm.ui.ink import width as cells
from gexterm.ui.screens.expiries import Expiries
from gexterm.ui.widgets import smile as smiles
from gexterm.ui.widgets import term, term_table
from gexterm.ui.widgets.smile import SmileChart
from gexterm.ui.widgets.term import TermChart
from gexterm.ui.widgets.term_table import ExpiryTable, in_scope, is_today, value_of
from tests.ui.fakes import CLOSE, NS, OPEN, FakeSession, reading
from tests.ui.test_desk import until

NAN = math.nan
DAY = 86_400
TODAY = dt.date(2026, 11, 20)
BASE = reading(view="combined", mode="live")
AHEAD = (0, 3, 4, 5, 7, 10, 11, 12, 14, 28, 28, 56, 91, 182, 400)


def line(days: int, root: str = "SPXW", **changes: Any) -> ExpiryLine:
    settles = CLOSE + days * DAY * NS
    made = ExpiryLine(
        (TODAY + dt.timedelta(days=days)).isoformat(), root, "AM" if root == "SPX" else "PM",
        settles, (settles - BASE.as_of) / NS / DAY / 365, 6012.0 + days, 0.12 + 0.002 * days,
        "svi", 100, 1e9, -1e6, 2e8, 3e8, 1e7, 5e9, -7e7 if days == 0 else NAN,
    )  # fmt: skip
    return replace(made, **changes)


LINES = tuple(line(days, "SPX" if number == 10 else "SPXW") for number, days in enumerate(AHEAD))


def found(*lines: ExpiryLine, **changes: Any) -> Reading:
    return replace(BASE, expiries=lines or LINES, **changes)


def frame(shown: Reading | None, **changes: Any) -> Frame:
    session = FakeSession("live")
    fields: dict[str, Any] = {"info": session.info, "status": session.status, "keys": {}}
    return Frame(reading=shown, **{**fields, **changes})


def smile(expiry: str = "2026-11-20", root: str = "SPXW", **changes: Any) -> Smile:
    strikes = np.arange(5400.0, 6601.0, 5.0)
    fit = 0.13 - 0.5 * (strikes / 6012 - 1) + 5 * (strikes / 6012 - 1) ** 2
    bid, ask = fit - 0.004, fit + 0.004
    bid[::4] = NAN
    made = Smile(OPEN, expiry, root, 6012.0, 0.13, 0.001, "spline", strikes, bid, ask, fit,
                 np.full(len(strikes), 0.5), 0.021, 5960.0, 6060.0)  # fmt: skip
    return replace(made, **changes)


def text(lines: list[Line]) -> str:
    return "\n".join(plain(row) for row in lines)


def table(
    shown: Frame, width: int = 120, height: int = 30, made: ExpiryTable | None = None
) -> list[Line]:
    made = made or ExpiryTable()
    made.frame = shown
    return made.paint(shown, width, height)


# -- the table -------------------------------------------------------------------------


def test_todays_expiry_is_first_and_stands_out() -> None:
    rows = table(frame(found()))
    assert plain(rows[2]).startswith("● Fri 20 Nov")
    assert any(span.bold and "SPXW" in span.text for span in rows[2])
    assert not any(span.bold and "SPXW" in span.text for span in rows[3])


@pytest.mark.parametrize(
    ("scope", "marked"), [("0dte", 1), ("all", len(LINES)), ("2026-12-18", 2), ("2026-11-23", 1)]
)
def test_the_expiries_of_the_scope_are_marked(scope: str, marked: int) -> None:
    rows = table(frame(found(scope=scope)))
    assert sum(plain(row).startswith("● ") for row in rows) == marked
    assert sum(in_scope(e, found(scope=scope)) for e in LINES) == marked


def test_an_am_and_a_pm_expiry_of_one_date_are_two_rows() -> None:
    told = [plain(row) for row in table(frame(found())) if "Fri 18 Dec" in plain(row)]
    assert len(told) == 2
    assert {("SPX " in row, "AM" in row) for row in told} == {(True, True), (False, False)}


def test_charm_of_what_settles_within_a_day_is_what_is_left_of_it() -> None:
    today, later = line(0), line(3)
    assert value_of(today, "charm", BASE.as_of) == today.decay_to_close
    assert value_of(later, "charm", BASE.as_of) == later.charm_per_day


def test_totals_sum_what_is_known_and_say_what_is_not() -> None:
    known = [line(0), line(3), line(4, gex_per_1pct=NAN)]
    last = plain(table(frame(found(*known), greek="gamma"))[-1])
    assert "together" in last
    assert "of 2 or more" in last
    assert "+2.00bn" in last


def test_nothing_known_in_a_column_is_a_dash() -> None:
    known = [line(days, gex_per_1pct=NAN) for days in (0, 3)]
    rows = table(frame(found(*known), greek="gamma"), 80)
    for row in (rows[2], rows[-1]):
        assert "–" in plain(row)
        assert "0.00" not in plain(row)


def test_what_does_not_fit_is_counted() -> None:
    rows = table(frame(found()), 120, 10)
    assert len(rows) == 10
    shown = sum("SPX" in plain(row) for row in rows)
    assert f"▼ +{len(LINES) - shown} more" in text(rows)


@given(st.integers(40, 240), st.integers(3, 60), st.sampled_from([g.name for g in GREEKS]),
       st.integers(1, 15))  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_no_row_is_wider_than_its_place(width: int, height: int, greek: str, count: int) -> None:
    rows = table(frame(found(*LINES[:count]), greek=greek), width, height)
    assert all(cells(row) == width for row in rows)
    assert len(rows) <= max(height, 4)


@given(st.integers(72, 240), st.sampled_from([g.name for g in GREEKS]))
@settings(max_examples=60, deadline=None)
def test_columns_stand_below_their_names(width: int, greek: str) -> None:
    rows = table(frame(found(), greek=greek), width, 30)
    head, row = plain(rows[1]), plain(rows[3])
    assert row.rstrip() == row[: len(row.rstrip())]
    if "ATM iv" in head:
        at = head.index("ATM iv")
        assert row[at : at + 6].strip().endswith("%")
    if "forward" in head:
        at = head.index("forward")
        assert row[at - 2 : at + 7].strip() == "6,015.00"
    if "smile" in head:
        assert row[head.index("smile") :].startswith("svi")


@pytest.mark.parametrize("greek", [g.name for g in GREEKS])
@pytest.mark.parametrize("width", [80, 120, 160, 200])
def test_gamma_and_the_chosen_greek_have_bars(width: int, greek: str) -> None:
    bars = [g.name for g in term_table.plan(width, greek).bars]
    assert bars == (["gamma"] if greek == "gamma" else ["gamma", greek])
    assert term_table.plan(width, greek).iv


def test_a_negative_bar_is_on_the_left() -> None:
    rows = table(frame(found(line(0, gex_per_1pct=-1e9), line(3)), greek="gamma"))
    head = plain(rows[1])
    middle = head.index("◂") + 1
    assert "█" in plain(rows[2])[:middle]
    assert "█" not in plain(rows[2])[middle + 1 :]
    assert "█" in plain(rows[3])[middle:]


def test_the_choice_stays_with_its_expiry_and_moves_on_when_it_has_settled() -> None:
    made = ExpiryTable()
    made.key = ("SPXW", "2026-11-23")
    table(frame(found()), made=made)
    chosen = made.chosen()
    assert chosen is not None
    assert chosen.expiry == "2026-11-23"
    table(frame(found(*LINES[2:])), made=made)
    assert made.chosen() is LINES[2]


@pytest.mark.parametrize("number", range(len(LINES)))
def test_the_chosen_row_is_always_in_view(number: int) -> None:
    made = ExpiryTable()
    made.key = (LINES[number].root, LINES[number].expiry)
    rows = table(frame(found()), 120, 8, made)
    assert any(span.bg == "raised" for row in rows for span in row)


def test_without_expiries_it_says_so() -> None:
    assert "no expiry is listed" in text(table(frame(replace(BASE, expiries=()))))
    assert "nothing is known yet" in text(table(frame(None)))


# -- term ------------------------------------------------------------------------------


def test_days_stand_at_their_square_roots() -> None:
    row = term.days_axis(100.0, 101, 101).text
    assert row[round(math.sqrt(30 / 100) * 100) :].startswith("╵1m") or "╵1m" in row
    assert abs(row.index("╵1m") - math.sqrt(0.30) * 100) <= 1
    assert abs(row.index("╵3m") - math.sqrt(0.90) * 100) <= 1


def test_the_state_of_the_term_structure_has_its_two_ratios() -> None:
    told = plain(TermChart().paint(frame(found()), 60, 12)[0])
    for part in ("contango", "0.91", "0.88"):
        assert part in told


def test_the_mornings_volatilities_are_drawn_with_their_time() -> None:
    day = DayLog()
    then = tuple(replace(e, atm_iv=e.atm_iv + 0.03) for e in LINES)
    day.note(replace(found(*then), as_of=OPEN))
    day.note(found())
    told = text(TermChart().paint(frame(found(), day=day), 60, 14))
    assert "at 09:35" in told
    alone = text(TermChart().paint(frame(found()), 60, 14))
    assert "at 09:35" not in alone


def test_the_first_volatilities_are_those_of_the_date() -> None:
    day = DayLog()
    day.note(replace(found(), as_of=OPEN - DAY * NS))
    assert day.first_term is not None
    assert day.first_term.at == OPEN - DAY * NS
    day.note(replace(found(line(3, atm_iv=0.2)), as_of=OPEN))
    day.note(found())
    assert day.first_term.at == OPEN
    assert day.first_term.atm_iv == {("SPXW", "2026-11-23"): 0.2}


def test_winding_back_before_it_takes_the_earlier_volatilities() -> None:
    day = DayLog()
    day.note(found())
    day.note(replace(found(line(3, atm_iv=0.2)), as_of=OPEN))
    assert day.first_term is not None
    assert day.first_term.at == OPEN


def test_one_expiry_is_no_term_structure() -> None:
    assert "fewer than two" in text(TermChart().paint(frame(found(LINES[0])), 60, 12))


@given(st.integers(20, 120), st.integers(2, 40), st.lists(st.floats(0.01, 3.0), min_size=1,
       max_size=15))  # fmt: skip
@settings(max_examples=50, deadline=None)
def test_any_term_structure_fits(width: int, height: int, vols: list[float]) -> None:
    lines = tuple(replace(e, atm_iv=v) for e, v in zip(LINES, vols, strict=False))
    chart = TermChart()
    chart.key = ("SPXW", LINES[0].expiry)
    rows = chart.paint(frame(found(*lines)), width, height)
    assert all(cells(row) == width for row in rows)


# -- the smile -------------------------------------------------------------------------


def test_a_tick_reaches_from_bid_to_offer_and_one_side_is_a_dot() -> None:
    one = smile(strikes=np.array([100.0, 110.0]), bid_iv=np.array([0.10, NAN]),
                ask_iv=np.array([0.20, 0.20]))  # fmt: skip
    both = np.array([True, True])
    mask = smiles.ticks(one, both, (100.0, 110.0), (0.0, 0.4), 10, 10)
    assert mask[:, 0].sum() == 11  # a quarter of forty dots, both ends included
    assert mask[:, -1].sum() == 1
    assert not mask[:, 1:-1].any()


def test_how_it_was_made_and_how_much_is_quoted() -> None:
    one = smile()
    assert (
        smiles.how(one)
        == f"spline, {len(one.strikes) * 3 // 4} of {len(one.strikes)} strikes quoted"
    )


def test_a_skew_that_is_not_spanned_is_a_dash() -> None:
    assert smiles.skew_text(smile(skew_25=NAN)).startswith("–")
    assert smiles.skew_text(smile()) == "+2.1 pts"


def test_a_zoom_reaches_so_far_from_the_forward_and_no_farther_than_is_listed() -> None:
    assert smiles.strikes_shown(smile(), 0) == pytest.approx((6012 * 0.95, 6012 * 1.05))
    assert smiles.strikes_shown(smile(), 1) == (5400.0, 6600.0)
    assert smiles.strikes_shown(smile(), 2) == (5400.0, 6600.0)


def test_old_quotes_are_dim() -> None:
    def roles(age: float) -> set[str]:
        one = smile()
        drawn = smiles.chart(replace(one, quote_age_s=np.full(len(one.strikes), age)), 0, 60, 15,
                             dim=False)  # fmt: skip
        assert not isinstance(drawn, str)
        return {role for row in drawn for char, role, _ in row[term.LEFT :] if char != " "}

    assert "text" in roles(1.0)
    assert "text" not in roles(300.0)
    assert "text" in roles(NAN)  # of a file nobody knows; that is not old


def test_the_fit_is_dim_where_nothing_is_quoted_on_both_sides() -> None:
    one = smile()
    bid = np.where(one.strikes < 5900, NAN, one.fit_iv - 1e-4)
    drawn = smiles.chart(replace(one, bid_iv=bid, ask_iv=one.fit_iv + 1e-4), 0, 60, 15, dim=False)
    assert not isinstance(drawn, str)
    places: dict[str, list[int]] = {"lis": [], "lis~": []}
    for row in drawn:
        for x, (char, role, _) in enumerate(row[term.LEFT :]):
            if char != " " and role in places:
                places[role].append(x)
    assert max(places["lis~"]) <= min(places["lis"])


def test_the_forward_and_the_25_delta_strikes_are_told() -> None:
    told = plain(smiles.points_row(smile(), 0, 80, ""))
    places = [told.index(part) for part in ("25Δp 5,960", "fwd 6,012", "25Δc 6,060")]
    assert places == sorted(places)


@given(st.integers(20, 120), st.floats(5700, 6012), st.floats(0, 120))
@settings(max_examples=60, deadline=None)
def test_points_below_the_strikes_never_run_into_each_other(
    columns: int, put: float, width: float
) -> None:
    told = plain(smiles.points_row(smile(put_25=put, call_25=put + width, forward=6012.0), 0,
                                   columns, ""))  # fmt: skip
    assert cells((*smiles.points_row(smile(), 0, columns, ""),)) == columns + term.LEFT
    for word in told.split():
        assert sum(glyph in word for glyph in "◂▸⡇") <= 1


@pytest.mark.parametrize("size", [(20, 3), (40, 8), (80, 20), (150, 40)])
@pytest.mark.parametrize("zoom", [0, 1, 2])
def test_any_smile_fits(size: tuple[int, int], zoom: int) -> None:
    nothing = np.full(241, NAN)
    for one in (
        smile(), smile(bid_iv=nothing, ask_iv=nothing), smile(fit_iv=nothing),
        smile(bid_iv=nothing, ask_iv=nothing, fit_iv=nothing), smile(forward=NAN, put_25=NAN),
        smile(strikes=np.array([6000.0]), bid_iv=nothing[:1], ask_iv=nothing[:1],
              fit_iv=nothing[:1], quote_age_s=nothing[:1]),
    ):  # fmt: skip
        chart = SmileChart()
        chart.answer, chart.wanted, chart.zoom = one, ("SPXW", "2026-11-20"), zoom
        rows = chart.paint(frame(found()), *size)
        assert len(rows) <= size[1]
        assert all(cells(row) == size[0] for row in rows)


def test_no_quote_at_all_is_said_and_not_drawn() -> None:
    nothing = np.full(241, NAN)
    chart = SmileChart()
    chart.answer = smile(bid_iv=nothing, ask_iv=nothing, fit_iv=nothing)
    chart.wanted = ("SPXW", "2026-11-20")
    assert "no quote here carries a volatility" in text(chart.paint(frame(found()), 80, 20))


def test_one_wild_quote_does_not_press_the_smile_flat() -> None:
    one = smile()
    wild = one.ask_iv.copy()
    wild[100] = 9.0
    shown = smiles.vols_shown(replace(one, ask_iv=wild), 5700.0, 6300.0)
    assert shown is not None
    assert shown[1] < 0.5


def test_while_another_is_on_its_way_the_last_one_stays_dim() -> None:
    chart = SmileChart()
    chart.answer, chart.wanted = smile(), ("SPXW", "2026-11-20")
    fresh = chart.paint(frame(found()), 80, 20)
    chart.wanted = ("SPXW", "2026-11-23")
    dim = chart.paint(frame(found()), 80, 20)
    assert "still the one before" in plain(dim[0])
    body = {span.fg for row in dim[2:] for span in row if span.text.strip()}
    assert body <= {"faint", "muted", "target"}
    assert "text" in {span.fg for row in fresh[2:] for span in row if span.text.strip()}


# -- the screen ------------------------------------------------------------------------


class Asked:
    """Whom the screen asks: remembers what it was asked, refuses when told to."""

    def __init__(self) -> None:
        self.questions: list[tuple[str, str]] = []
        self.refuse = ""

    async def smile(self, expiry: str, root: str) -> Smile:
        self.questions.append((root, expiry))
        if self.refuse:
            raise UsageError(self.refuse)
        return smile(expiry, root)

    async def _never(self, *_: Any) -> Any:
        raise AssertionError

    supposed = curves = outlook = tape = _never


def shown_text(app: MonitorApp) -> str:
    return "\n".join("".join(run.text for run in row) for row in capture(app).rows)


def monitor(asked: Asked | None = None) -> tuple[MonitorApp, FakeSession, Asked]:
    session, asked = FakeSession("live"), asked or Asked()
    session.inquire = asked
    session.say(found())
    return MonitorApp(session, screen="expiries", glow_s=0.0), session, asked


def view_of(app: MonitorApp) -> Expiries:
    assert isinstance(app.screen, Expiries)
    return app.screen


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (160, 48), (200, 60)])
async def test_table_and_smile_stand_at_every_size(size: tuple[int, int]) -> None:
    app, _, _ = monitor()
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "of 241 strikes quoted" in shown_text(app))
        await until(pilot, lambda: "together" in shown_text(app))
        told = shown_text(app)
        for part in ("Fri 20 Nov", "25Δ skew +2.1 pts", "ATM 13.0%"):
            assert part in told
        assert ("contango" in told) == (size[1] >= 32)


async def test_after_a_resize_everything_has_its_place_though_nothing_new_comes() -> None:
    app, _, _ = monitor()
    async with app.run_test(size=(200, 60)) as pilot:
        await until(pilot, lambda: "fwd 6,012" in shown_text(app))
        for size in ((80, 24), (160, 48), (80, 24)):
            await pilot.resize_terminal(*size)
            await until(pilot, lambda: "together" in shown_text(app))
            await until(pilot, lambda: "quit" in shown_text(app).splitlines()[-1])
            await until(pilot, lambda: "of 241 strikes quoted" in shown_text(app))


async def test_another_expiry_is_asked_for_at_once() -> None:
    app, _, asked = monitor()
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, lambda: len(asked.questions) == 1)
        await pilot.press("down")
        await until(pilot, lambda: "smile SPXW Mon 23 Nov" in shown_text(app))
        await until(pilot, lambda: asked.questions[-1] == ("SPXW", "2026-11-23"))
        await pilot.press("home")
        await until(pilot, lambda: asked.questions[-1] == ("SPXW", "2026-11-20"))


async def test_a_smile_is_asked_for_again_once_a_second_at_most() -> None:
    app, session, asked = monitor()
    now = [100.0]
    view = view_of_new(app)
    view.clock = lambda: now[0]
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, lambda: len(asked.questions) == 1)
        for number in range(1, 6):
            again = found(as_of=BASE.as_of + number * NS, sequence=number)
            session.say(again)
            await until(pilot, lambda again=again: app.shown is again)  # type: ignore[misc]
            await pilot.pause()
        assert len(asked.questions) == 1
        now[0] += 1.0
        app.refresh_screen()
        await until(pilot, lambda: len(asked.questions) == 2)
        now[0] += 10.0
        app.refresh_screen()
        await pilot.pause()
        assert len(asked.questions) == 2  # of the same Reading the answer would be the same


def view_of_new(app: MonitorApp) -> Expiries:
    view = app.view("expiries")
    assert isinstance(view, Expiries)
    return view


async def test_why_there_is_no_smile_stands_in_its_place() -> None:
    asked = Asked()
    asked.refuse = "no expiry SPXW 2026-11-20 is listed"
    app, _, _ = monitor(asked)
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, lambda: asked.refuse in shown_text(app))


async def test_where_there_is_little_room_enter_and_z_open_the_smile() -> None:
    for key in ("enter", "z"):
        app, _, _ = monitor()
        async with app.run_test(size=(80, 24)) as pilot:
            await until(pilot, lambda app=app: "of 241 strikes quoted" in shown_text(app))  # type: ignore[misc]
            assert "fwd 6,012" not in shown_text(app)
            await pilot.press(key)
            await until(pilot, lambda app=app: "fwd 6,012" in shown_text(app))  # type: ignore[misc]
            assert "together" not in shown_text(app)
            await pilot.press("z")
            await until(pilot, lambda app=app: "±15 %" in shown_text(app))  # type: ignore[misc]
            await pilot.press("enter")
            await until(pilot, lambda app=app: "together" in shown_text(app))  # type: ignore[misc]


async def test_a_click_chooses_a_row() -> None:
    app, _, _ = monitor()
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "together" in shown_text(app))
        await pilot.click(view_of(app).table, offset=(5, 4))
        await until(pilot, lambda: view_of(app).table.key == ("SPXW", "2026-11-24"))


async def test_a_source_that_cannot_be_asked_says_so() -> None:
    app, session, _ = monitor()
    session.inquire = None
    async with app.run_test(size=(160, 48)) as pilot:
        await until(pilot, lambda: "cannot be asked" in shown_text(app))


def test_is_today_means_the_expiry_of_the_paradigm() -> None:
    assert [is_today(e, found()) for e in LINES].count(True) == 1
