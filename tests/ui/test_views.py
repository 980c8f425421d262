"""The views screen: the same chain under every sign view, side by side."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gexterm.reading.model import Agreement, Reading
from gexterm.ui.app import MonitorApp
from gexterm.ui.ink import Line, plain
from gexterm.ui.screens.views import Views
from gexterm.ui.widgets import viewtable
from tests.ui.fakes import NS, OPEN, VIEWS, FakeSession, reading
from tests.ui.test_desk import screen, until

AT = OPEN + 3600 * NS


def text(lines: list[Line]) -> list[str]:
    return [plain(line) for line in lines]


def lined() -> Reading:
    found = reading(view="combined", at=AT)
    views = tuple(
        replace(view, lis_lower=5965.0 - 5 * n, lis_upper=6045.0 + 5 * n, charm_below=-1e6,
                charm_above=2e6)
        for n, view in enumerate(found.agreement.views)
    )  # fmt: skip
    return replace(found, agreement=replace(found.agreement, views=views))


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (160, 48), (200, 60)])
async def test_every_view_is_on_every_size(size: tuple[int, int]) -> None:
    app = MonitorApp(FakeSession(first=lined()), fps=60.0, glow_s=0.0)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("7")
        await until(pilot, lambda: "WHERE THEY PART" in screen(app))
        shown = screen(app)
        for name in VIEWS:
            assert name in shown
        assert all(len(line) == size[0] for line in shown.splitlines())
        if size[0] >= 120:
            assert "6,045" in shown


async def test_enter_uses_the_view_under_the_cursor() -> None:
    session = FakeSession(first=lined())
    app = MonitorApp(session, fps=60.0, glow_s=0.0)
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("7")
        await until(pilot, lambda: isinstance(app.screen, Views) and "flow" in screen(app))
        await pilot.press("down", "down", "enter")
        assert session.asked == [("view", lined().agreement.views[2].view)]


def test_what_differs_from_the_chosen_view_is_marked_without_colour() -> None:
    rows = text(viewtable.table(reading(view="combined", at=AT), 0, 120))
    chosen = next(row for row in rows if "●" in row)
    other = next(row for row in rows if "customer-flow" in row)
    assert "≠" not in chosen
    assert "≠" in other
    assert "≠Anti-GEX" in other


def test_a_sentence_says_who_says_what() -> None:
    told = " ".join(text(viewtable.parting(reading(view="combined", at=AT), 200)))
    assert "long: customer-flow, long-both" in told
    assert "Sidial: long-both" in told


def test_views_that_agree_are_said_to() -> None:
    found = reading(view="combined", at=AT)
    same = tuple(replace(found.agreement.views[0], view=name) for name in VIEWS)
    agreed = replace(found, agreement=Agreement(same, ()))
    assert "agree" in " ".join(text(viewtable.parting(agreed, 80)))


def test_levels_of_all_views_lie_on_one_axis() -> None:
    rows = text(viewtable.axis(lined(), 120))
    spots = {row.index("┃") for row in rows if "┃" in row}
    assert len(spots) == 1
    (spot,) = spots
    row = rows[0]
    assert row.index("▾") < spot < row.index("▴")


def test_a_level_beyond_the_axis_is_counted_not_lost() -> None:
    found = lined()
    first = replace(found.agreement.views[0], target=found.spot * 1.3)
    far = replace(
        found, agreement=replace(found.agreement, views=(first, *found.agreement.views[1:]))
    )
    assert "+1" in text(viewtable.axis(far, 120))[0]


def test_a_convention_is_called_an_assumption_and_flow_an_inference() -> None:
    found = reading(view="combined", at=AT)
    by_name = {view.view: view for view in found.agreement.views}
    assert "assumption" in " ".join(text(viewtable.about(by_name["squeezemetrics"], found, 100)))
    assert "inference" in " ".join(text(viewtable.about(by_name["flow"], found, 100)))


async def test_before_the_first_reading_nothing_is_claimed() -> None:
    app = MonitorApp(FakeSession(), fps=60.0, glow_s=0.0)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("7")
        await until(pilot, lambda: "no Reading yet" in screen(app))
        await pilot.press("down", "enter", "home")
        assert app.is_running
