"""The list of alerts: what it shows, what it keeps in view, what it marks as seen."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.alerts.model import Alert, Severity, stamped
from gexterm.market.events import FeedStatus, SourceInfo
from gexterm.ui.app import MonitorApp
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, plain, width
from gexterm.ui.widgets.alerts import AlertList
from tests.reading.readings import AS_OF
from tests.ui.fakes import NS, OPEN, FakeSession, reading
from tests.ui.test_desk import until


def alert(
    number: int, text: str = "", severity: Severity = "notice", *, level: float = math.nan,
    seen: bool = False, replay: bool = False,
) -> Alert:  # fmt: skip
    made = Alert(
        AS_OF + number * 60 * NS, "level", severity, text or f"alert {number}", level, replay
    )
    made = stamped(made, "SPX", "replay" if replay else "live", "flow")
    return dataclasses.replace(made, acknowledged=seen)


def frame(*alerts: Alert, keys: dict[str, tuple[str, ...]] | None = None) -> Frame:
    info = SourceInfo("SPX", "test", "live")
    return Frame(info, FeedStatus("live"), alerts=alerts, keys=keys or {})


class Listed(AlertList):
    """A list that is painted by hand."""

    def __init__(self, cells: int = 80, rows: int = 8) -> None:
        super().__init__()
        self.cells, self.rows = cells, rows

    def repaint(self) -> None:
        pass  # there is no screen

    def lines(self, shown: Frame) -> list[str]:
        self.frame = shown
        return [plain(line) for line in self.paint(shown, self.cells, self.rows)]


def roles(line: Line) -> dict[str, str]:
    return {span.text.strip(): span.fg for span in line if span.text.strip()}


def test_a_row_has_time_severity_text_level_and_whether_it_was_seen() -> None:
    lines = Listed().lines(frame(alert(0, "line breached", "warning", level=2710.0, seen=True)))
    assert lines[1].split() == ["10:35:00", "⚠", "line", "breached", "2,710", "✓"]


@pytest.mark.parametrize(("severity", "glyph"), [("info", "·"), ("notice", "◆"), ("warning", "⚠")])
def test_severity_is_told_without_colour_seen_or_not(severity: Severity, glyph: str) -> None:
    for seen in (False, True):
        assert glyph in Listed().lines(frame(alert(0, "x", severity, seen=seen)))[1]


def test_what_was_seen_to_is_quiet() -> None:
    new, seen = alert(1, "new"), alert(0, "seen", seen=True)
    _, first, second = Listed().paint(frame(seen, new), 80, 8)
    assert roles(first)["new"] == "strong"
    assert {*roles(second).values()} == {"faint"}


def test_the_head_counts_what_nobody_has_seen_to_and_names_the_key() -> None:
    shown = frame(alert(0, seen=True), alert(1), alert(2), keys={"acknowledge": ("x",)})
    head = Listed().lines(shown)[0]
    assert head.startswith("─ alerts 3 · 2 unread ─")
    assert head.endswith("─ x seen ")
    quiet = frame(alert(0, seen=True), keys={"acknowledge": ("x",)})
    assert "unread" not in Listed().lines(quiet)[0]
    assert "seen" not in Listed().lines(quiet)[0]


def test_what_is_out_of_view_is_counted() -> None:
    many = frame(*(alert(n) for n in range(20)))
    found = Listed()
    assert "1–7" in found.lines(many)[0]
    found.scroll_rows(19)
    assert "14–20" in found.lines(many)[0]
    assert "1–" not in Listed().lines(frame(alert(0)))[0]


def test_levels_stand_below_each_other_and_give_way_to_words() -> None:
    lines = Listed().lines(
        frame(alert(0, "x" * 60, level=5.0), alert(1, level=2710.0), alert(2, level=98_675.25))
    )
    assert lines[1].index(".25") == lines[2].index("2,710") + len("2,710")
    assert "x" * 60 in lines[3]
    assert lines[3].split()[-1] == "x" * 60


def test_replays_are_marked_once_or_each() -> None:
    all_of_them = Listed().lines(frame(alert(0, replay=True), alert(1, replay=True)))
    assert "· replay" in all_of_them[0]
    assert "replay" not in all_of_them[1]
    mixed = Listed().lines(frame(alert(0, replay=True), alert(1)))
    assert "replay" not in mixed[0]
    assert ["replay" in line for line in mixed[1:]] == [False, True]
    single = Listed(rows=1).lines(frame(alert(0, replay=True)))
    assert "replay" in single[0]


def test_the_cursor_goes_to_older_ones_and_the_view_follows() -> None:
    found, shown = Listed(), frame(*(alert(n) for n in range(20)))
    found.lines(shown)
    assert found.selected == alert(19).id  # the newest that nobody has seen to
    found.scroll_rows(1)
    assert found.selected == alert(18).id
    assert found.lines(shown)[2].startswith("▸")
    found.scroll_rows(100)
    assert found.selected == alert(0).id
    assert found.lines(shown)[-1].startswith("▸")
    found.scroll_rows(-100)
    assert found.selected == alert(19).id
    assert found.lines(shown)[1].startswith("▸")
    found.skip = 0
    assert not any("▸" in line for line in found.lines(shown))


def test_the_cursor_stays_on_its_alert_when_others_come_and_when_it_is_seen_to() -> None:
    found = Listed(rows=4)
    before = [alert(n) for n in range(10)]
    found.lines(frame(*before))
    found.scroll_rows(5)
    chosen = found.selected
    after = [*before, alert(10), alert(11)]
    assert any(line.startswith("▸") and "alert 4" in line for line in found.lines(frame(*after)))
    after[4] = dataclasses.replace(after[4], acknowledged=True)
    assert any(line.startswith("▸") and "✓" in line for line in found.lines(frame(*after)))
    assert found.selected == chosen


def test_without_a_cursor_the_newest_unseen_is_meant() -> None:
    found = Listed()
    found.lines(frame(alert(0), alert(1, seen=True)))
    assert found.selected == alert(0).id
    found.lines(frame(alert(1, seen=True)))
    assert found.selected == ""
    found.lines(frame())
    assert found.selected == ""
    found.scroll_rows(3)


def test_a_cursor_whose_alert_is_wound_back_is_gone() -> None:
    found = Listed()
    found.lines(frame(alert(0), alert(1)))
    found.scroll_rows(0)
    assert found.selected == alert(1).id
    assert not any("▸" in line for line in found.lines(frame(alert(0))))


def test_a_narrow_list_leaves_the_level_out_and_says_that_it_cuts() -> None:
    [_, line] = Listed(cells=40).lines(
        frame(alert(0, "a text that is far too long for it", level=1))
    )
    assert "…" in line
    assert len(line) == 40


def test_an_alert_cannot_carry_codes_to_the_screen() -> None:
    lines = Listed().lines(frame(alert(0, "a\x1b[2J\u202eb")))
    assert lines[1].isprintable()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-3, 40), st.integers(-30, 30)), max_size=12),
    st.integers(0, 200), st.integers(0, 30),
)  # fmt: skip
def test_at_every_size_every_row_fits_and_the_cursor_is_in_view(
    steps: list[tuple[int, int]], cells: int, rows: int
) -> None:
    found, count = Listed(cells, rows), 5
    for more, move in steps:
        count = max(0, count + more)
        shown = frame(*(alert(n, "x" * 150) for n in range(count)))
        found.lines(shown)
        found.scroll_rows(move)
        lines = found.paint(shown, cells, rows)
        assert all(width(line) <= max(cells, 24) for line in lines)
        assert len(lines) <= max(rows, 1)
        if count and move and rows >= 3 and cells >= 20:
            assert sum(plain(line).startswith("▸") for line in lines) == 1


async def test_a_click_puts_the_cursor_on_an_alert_and_its_key_marks_it_as_seen() -> None:
    app = MonitorApp(FakeSession(first=reading(at=OPEN + 61 * 60 * NS)), fps=60.0, glow_s=0.0)
    async with app.run_test(size=(120, 36)) as pilot:
        for number in range(5):
            app.session.say(alert(number))  # type: ignore[union-attr]
        listed = app.desk.alert_list
        await pilot.press("a")
        await until(pilot, lambda: listed.frame is not None and len(listed.frame.alerts) == 5)
        assert listed.selected == alert(4).id
        await pilot.click("#alerts", offset=(20, 3))  # the head, then 4, 3 and 2
        assert listed.selected == alert(2).id
        await pilot.press("x")
        await pilot.pause()
        assert listed.frame is not None
        seen = [one.id for one in listed.frame.alerts if one.acknowledged]
        assert seen == [alert(2).id]
