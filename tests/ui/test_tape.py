"""The tape screen: every print with its quote, its side and how sure that is."""

from __future__ import annotations

import math
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gexterm.errors import ChainError
from gexterm.reading.day import DayLog
from gexterm.reading.inquiry import Curves, Outlook, Print, Smile, Suppose, Supposed, TapeTail
from gexterm.ui.app import MonitorApp
from gexterm.ui.ink import Line, cell_len, plain
from gexterm.ui.screens.tape import Tape
from gexterm.ui.widgets import evidence, movers, tapelist
from tests.ui.fakes import NS, OPEN, FakeSession, reading
from tests.ui.test_desk import screen, until

ONE = Print(
    row=7, at=OPEN, symbol="SPXW", expiry="2026-11-20", strike=6050.0, right="C", price=3.2,
    size=120.0, bid=3.0, ask=3.2, p_buy=0.08, p_dealer=0.95, evidence="at quote",
    condition="regular", package=-1, state="live", delta_notional=-1.2e6,
)  # fmt: skip


class FakeAnswers:
    """A tape of so many prints; nothing else can be asked."""

    def __init__(self, count: int) -> None:
        self.prints = [
            replace(ONE, row=n, at=OPEN + n * NS, size=float(1 + n % 200)) for n in range(count)
        ]
        self.refuse = ""

    async def tape(self, count: int, least_size: float = 0.0) -> TapeTail:
        if self.refuse:
            raise ChainError(self.refuse)
        passing = [one for one in reversed(self.prints) if one.size >= least_size]
        return TapeTail(OPEN, tuple(passing[:count]), len(self.prints), len(passing))

    async def supposed(self, suppose: Suppose) -> Supposed:
        raise ChainError("not asked here")

    async def curves(self, suppose: Suppose) -> Curves:
        raise ChainError("not asked here")

    async def smile(self, expiry: str, root: str) -> Smile:
        raise ChainError("not asked here")

    async def outlook(self, greek: str) -> Outlook:
        raise ChainError("not asked here")


def text(lines: list[Line] | Line) -> str:
    rows = lines if isinstance(lines, list) else [lines]
    return "\n".join(plain(line) for line in rows)


def test_a_print_on_the_offer_is_a_dealers_sale() -> None:
    line = text(tapelist.row(ONE, 120, zero="2026-11-20"))
    assert "6,050C 0DTE" in line
    assert "├───────●" in line
    assert "▼ sold    92%" in line
    assert "at quote" in line


def test_a_print_beyond_its_quote_points_outwards() -> None:
    above, below = replace(ONE, price=3.6), replace(ONE, price=2.0)
    assert "▸" in text(tuple(tapelist.gauge(above)))
    assert "◂" in text(tuple(tapelist.gauge(below)))


@pytest.mark.parametrize(
    ("bid", "ask", "told"),
    [(math.nan, math.nan, "no quote"), (3.0, math.nan, "no quote"), (3.4, 3.0, "crossed")],
)
def test_without_a_quote_there_is_no_gauge(bid: float, ask: float, told: str) -> None:
    assert told in text(tuple(tapelist.gauge(replace(ONE, bid=bid, ask=ask))))


def test_an_unsigned_print_has_no_side_and_a_reason() -> None:
    line = text(tapelist.row(replace(ONE, p_buy=math.nan, evidence="mid"), 100, zero=""))
    assert "unsigned" in line
    assert "bought" not in line
    assert "mid" in line


@pytest.mark.parametrize("width", [80, 95, 96, 120])
def test_a_small_screen_has_room_for_the_evidence(width: int) -> None:
    heads, line = text(tapelist.heads(width)), text(tapelist.row(ONE, width, zero="2026-11-20"))
    assert heads.index("evidence") == line.index("at quote")
    far = replace(ONE, strike=125_000.0, price=12_345.5, size=1e6, delta_notional=-9.99e9)
    assert text(tapelist.row(far, width, zero="")).index("at quote") == line.index("at quote")


@pytest.mark.parametrize("width", [60, 80, 100, 120, 200])
def test_grounds_that_there_is_no_room_for_are_counted(width: int) -> None:
    held = reading(view="combined").positions
    line = text(tapelist.summary(held, width)).rstrip()
    every = (*evidence.listed(held.by_evidence), *evidence.listed(evidence.unsigned(held)))
    left = sum(1 for each in every if each not in line)
    assert line.endswith(f"+{left} more" if left else every[-1])


def test_a_tiny_pane_still_tells_the_side_and_how_sure_it_is() -> None:
    line = text(tapelist.row(ONE, 40, zero="2026-11-20"))
    assert "6,050C 0DTE" in line
    assert "▼ sold    92%" in line


def test_a_cancelled_print_says_so_and_is_faint() -> None:
    line = tapelist.row(replace(ONE, state="cancelled"), 120, zero="")
    assert "cancelled" in text(line)
    assert {span.fg for span in line} == {"faint"}


@given(
    price=st.floats(0.01, 9999), bid=st.floats(0, 9999), ask=st.floats(0, 9999),
    size=st.floats(1, 1e6), p=st.floats(0, 1), width=st.integers(64, 200),
)  # fmt: skip
def test_columns_never_move(
    price: float, bid: float, ask: float, size: float, p: float, width: int
) -> None:
    one = replace(ONE, price=price, bid=bid, ask=ask, size=size, p_buy=p)
    line = tapelist.row(one, width, zero="")
    assert cell_len(text(line)) == width
    side = text(line).find("▲ bought") if p >= 0.5 else text(line).find("▼ sold")
    assert side == text(tapelist.heads(width)).find("the deal")


async def shown(answers: FakeAnswers, size: tuple[int, int], keys: list[str]) -> str:
    session = FakeSession(first=reading(view="combined", at=OPEN + 3600 * NS))
    session.inquire = answers
    app = MonitorApp(session, fps=60.0, glow_s=0.0)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("6")
        await until(pilot, lambda: isinstance(app.screen, Tape))
        await until(pilot, lambda: any(w in screen(app) for w in ("prints", "known", "error")))
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.02)
        await pilot.pause(0.05)
        return screen(app)


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (160, 48), (200, 60)])
async def test_the_newest_come_first_at_every_size(size: tuple[int, int]) -> None:
    found = await shown(FakeAnswers(500), size, [])
    rows = [line for line in found.splitlines() if "6,050C" in line]
    assert len(rows) > 8
    assert rows[0].split()[0] == "09:43:19"
    assert "500 prints" in found
    assert all(len(line) == size[0] for line in found.splitlines())


async def test_the_filter_shows_large_prints_only() -> None:
    found = await shown(FakeAnswers(300), (120, 36), ["f"] * 6)
    assert "≥ 100 contracts" in found
    sizes = [float(li.split()[3]) for li in found.splitlines() if "6,050C" in li]
    assert sizes
    assert min(sizes) >= 100


async def test_a_scrolled_tape_stays_where_it_is_while_prints_come() -> None:
    answers = FakeAnswers(300)
    session = FakeSession(first=reading(view="combined", at=OPEN + 3600 * NS))
    session.inquire = answers
    app = MonitorApp(session, fps=60.0, glow_s=0.0)
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("6")
        await until(pilot, lambda: "300 prints" in screen(app))
        await pilot.press("down", "down")
        await until(pilot, lambda: "held" in screen(app))

        def first() -> str:
            return next(li for li in screen(app).splitlines() if "6,050C" in li).split()[0]

        def late() -> bool:
            return app.shown is not None and app.shown.as_of > OPEN + 3650 * NS

        before = first()
        last = answers.prints[-1]
        answers.prints += [replace(last, row=300 + n, at=last.at + n * NS) for n in range(50)]
        session.say(reading(view="combined", at=OPEN + 3700 * NS))
        await until(
            pilot, lambda: "350 prints" in screen(app) or app.shown.as_of > OPEN + 3650 * NS
        )
        assert first() == before
        await pilot.press("home")
        await until(pilot, lambda: "held" not in screen(app) and first() != before)


async def test_what_cannot_be_asked_is_said_where_the_prints_would_be() -> None:
    answers = FakeAnswers(0)
    answers.refuse = "nothing is known yet"
    assert "nothing is known yet" in await shown(answers, (80, 24), [])


async def test_an_answer_that_breaks_costs_the_answer_and_not_the_session() -> None:
    class Broken(FakeAnswers):
        async def tape(self, count: int, least_size: float = 0.0) -> TapeTail:
            raise FloatingPointError("made to fail")

    shown_ = await shown(Broken(0), (80, 24), ["down", "f"])
    assert "internal error: FloatingPointError: made to fail" in shown_


async def test_a_feed_without_a_tape_says_so() -> None:
    class Nothing(FakeAnswers):
        async def tape(self, count: int, least_size: float = 0.0) -> TapeTail:
            return TapeTail(OPEN, (), 0, 0, "this feed has no prints")

    assert "this feed has no prints" in await shown(Nothing(0), (80, 24), [])


def test_the_largest_change_of_the_position_comes_first() -> None:
    then, now = reading(at=OPEN), reading(at=OPEN + 300 * NS)
    frame = now.strikes
    moved = frame.with_columns(
        pl.when(pl.col("strike") == 6000.0)
        .then(pl.col("position") - 5000.0)
        .when(pl.col("strike") == 6050.0)
        .then(pl.col("position") + 900.0)
        .otherwise(pl.col("position"))
        .alias("position")
    )
    day = DayLog()
    day.note(then)
    found = movers.before(day.slices_of(then.positions.view, then.scope), OPEN + 300 * NS, 5)
    assert found is not None
    changed = movers.changes(replace(now, strikes=moved), found, "position", 5)
    by_strike = dict(zip(then.strikes["strike"], then.strikes["position"], strict=True))
    assert by_strike
    assert [strike for strike, _ in changed][:2] == [6000.0, 6050.0]
    assert changed[0][1] == pytest.approx(-5000.0, rel=1e-4)
    risen = replace(now, strikes=moved, spot=found.spot + 12.5)
    title = plain(movers.block(risen, found, 5, "position", "contracts", 48, 5)[0])
    assert title.split() == ["last", "5", "min", "spot", "+12.5", "contracts"]


def test_a_book_that_was_not_seen_then_is_not_compared() -> None:
    day = DayLog()
    day.note(reading(at=OPEN))
    slices = day.slices_of(reading().positions.view, reading().scope)
    assert movers.before(slices, OPEN + 3600 * NS, 5) is None


def test_a_print_whose_delta_moves_is_drawn_with_the_new_one_and_nothing_else_changes() -> None:
    one = Print(
        1, 1_700_000_000_000_000_000, "SPXW", "2026-11-20", 6000.0, "C", 5.0, 10.0, math.nan,
        math.nan, math.nan, math.nan, "at the offer", "regular", -1, "live", 1_000_000.0,
    )  # fmt: skip
    first = plain(tapelist.row(one, 120, zero="2026-11-20"))
    again = plain(tapelist.row(replace(one, delta_notional=2_000_000.0), 120, zero="2026-11-20"))
    assert first.replace("+1.00M", "+2.00M") == again
    assert "+1.00M" in first
    judged = plain(tapelist.row(replace(one, p_buy=0.9, bid=4.9, ask=5.1), 120, zero="2026-11-20"))
    assert "bought" in judged
    assert "bought" not in first


def test_a_print_that_stands_still_is_the_same_line() -> None:
    values = [math.inf - math.inf, math.nan]  # what is not known comes as another NaN each time
    made = [
        tapelist.row(
            Print(
                1, 1_700_000_000_000_000_000, "SPXW", "2026-11-20", 6000.0, "C", 5.0, 10.0, value,
                value, value, value, "no quote", "regular", -1, "live", 1_000_000.0,
            ),
            120, zero="",
        )
        for value in values
    ]  # fmt: skip
    assert made[0] is made[1]
