"""Time, as keys and mouse move it: in replays, and in the past of a live session."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from gexterm.alerts.model import Alert
from gexterm.errors import RecordingError
from gexterm.market.events import FeedStatus, SourceInfo
from gexterm.reading.day import DayLog, Mark
from gexterm.reading.model import Reading
from gexterm.ui.app import MonitorApp
from gexterm.ui.channel import Channel
from gexterm.ui.frame import Beside, Frame
from gexterm.ui.ink import plain
from gexterm.ui.prompt import Prompt
from gexterm.ui.widgets import progress, status, topline
from tests.ui.answers import day_of
from tests.ui.fakes import CLOSE, NS, OPEN, FakeSession, reading
from tests.ui.test_desk import AT, fake, monitor, screen, until

MINUTE = 60 * NS


class Recorded(FakeSession):
    """A live session with a past, which is another fake."""

    def __init__(self) -> None:
        super().__init__("live", reading(mode="live", at=AT))
        self.info = SourceInfo("SPX", "venue", "live")
        self.pasts: list[FakeSession] = []
        self.asked_for: list[int] = []
        self.closed = 0
        self.broken = ""
        self.recorded_from = 0

    def past(self, at: int) -> object:  # type: ignore[override]
        self.asked_for.append(at)

        @asynccontextmanager
        async def made() -> AsyncIterator[FakeSession]:
            if self.broken:
                raise RecordingError(self.broken)
            past = FakeSession(first=reading(mode="replay", at=max(at, self.recorded_from)))
            past.info = SourceInfo("SPX", "venue", "replay", 0.0, "", OPEN, AT)
            past.view, past.paused = self.view, True
            self.pasts.append(past)
            yield past
            self.closed += 1

        return made()


def live_monitor() -> tuple[MonitorApp, Recorded]:
    session = Recorded()
    return monitor(session), session


# -- replays -----------------------------------------------------------------------------


TIME_KEYS: dict[str, tuple[str, object]] = {
    "left_square_bracket": ("seek", AT - 5 * MINUTE),
    "right_square_bracket": ("seek", AT + 5 * MINUTE),
    "left_curly_bracket": ("seek", AT - 30 * MINUTE),
    "right_curly_bracket": ("seek", AT + 30 * MINUTE),
    "plus": ("speed", 2.0),
    "minus": ("speed", 0.5),
    "less_than_sign": ("seek", AT - MINUTE),
    "greater_than_sign": ("seek", AT + MINUTE),
    "comma": ("step", -1),
    "full_stop": ("step", 1),
}


async def test_each_key_of_time_asks_for_its_own() -> None:
    app = monitor()
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        for key, asked in TIME_KEYS.items():
            fake(app).asked.clear()
            fake(app).speed = 1.0
            await pilot.press(key)
            # Minutes and ticks stop the replay first.
            assert [one for one in fake(app).asked if one[0] != "pause"] == [asked], key


async def test_presses_while_a_seek_is_under_way_add_up() -> None:
    app = monitor()
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("left_square_bracket")
        fake(app).goal = AT - 5 * MINUTE
        await pilot.press("left_square_bracket")
        assert fake(app).asked[-1] == ("seek", AT - 10 * MINUTE)


async def test_no_key_leads_out_of_the_recording() -> None:
    app = monitor(FakeSession(first=reading(at=OPEN + MINUTE)))
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("left_curly_bracket")
        assert fake(app).asked[-1] == ("seek", OPEN)
        app.seek_to(CLOSE + 99 * MINUTE)
        assert fake(app).asked[-1] == ("seek", CLOSE)


async def test_a_minute_pauses_first() -> None:
    app = monitor()
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("greater_than_sign")
        assert [what for what, _ in fake(app).asked] == ["pause", "seek"]


async def test_a_time_is_asked_for_and_gone_to() -> None:
    app = monitor()
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("at")
        await until(pilot, lambda: "Go to which time? It is 10:36" in screen(app))
        await pilot.press(*"99", "enter")
        await until(pilot, lambda: "is no moment" in screen(app))
        assert fake(app).asked == []
        await pilot.press("backspace", "backspace", *"10:05", "enter")
        await until(pilot, lambda: bool(fake(app).asked))
        assert fake(app).asked == [("seek", AT - 31 * MINUTE)]
        assert "Go to which time" not in screen(app)


async def test_a_mark_that_has_been_seen_is_gone_to_at_once() -> None:
    app = monitor()
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        day = fake(app).day
        day.mark(Mark(AT - 9 * MINUTE, "alert", "flip crossed"))
        day.mark(Mark(AT - 4 * MINUTE, "paradigm", "Mixed → BofA"))
        day.mark(Mark(AT + 7 * MINUTE, "alert", "upper LIS touched"))
        for key, to in (("N", -9), ("P", -4), ("n", 7)):
            fake(app).asked.clear()
            await pilot.press(key)
            assert ("seek", AT + to * MINUTE) in fake(app).asked
        await until(pilot, lambda: "upper LIS touched" in screen(app))
        await pilot.press("P")
        fake(app).day.marks.clear()
        await pilot.press("P")
        await until(pilot, lambda: "no change of the paradigm before" in screen(app))


async def test_the_next_alert_is_looked_for_ahead_and_stood_at() -> None:
    app = monitor()
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("n")
        assert fake(app).asked == [("pause", None), ("through", CLOSE)]
        await until(pilot, lambda: "looking for the next alert… 10:36" in screen(app))
        fake(app).say(reading(at=AT + 5 * MINUTE))
        await until(pilot, lambda: "looking for the next alert… 10:41" in screen(app))
        fake(app).day.mark(Mark(AT + 6 * MINUTE, "alert", "flip crossed"))
        await until(pilot, lambda: "looking" not in screen(app))
        assert fake(app).asked[-1] == ("seek", AT + 6 * MINUTE)


async def test_a_time_key_stops_the_search_where_it_has_come_to() -> None:
    app = monitor()
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("p")
        await until(pilot, lambda: "looking for the next change of the paradigm" in screen(app))
        fake(app).say(reading(6020.0, at=AT + 5 * MINUTE))
        await until(pilot, lambda: "6,020.00" in screen(app))
        await pilot.press("space")
        assert fake(app).asked[-1] == ("seek", AT + 5 * MINUTE)
        await until(pilot, lambda: "looking" not in screen(app))


async def test_a_search_that_finds_nothing_says_so_at_the_end() -> None:
    app = monitor()
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("n")
        fake(app).status = FeedStatus("ended", "the recording ends here")
        await until(pilot, lambda: "no further alert until the end" in screen(app))
        assert "looking" not in screen(app)


async def test_a_click_on_the_bar_of_the_day_goes_there() -> None:
    app = monitor()
    async with app.run_test(size=(121, 48)) as pilot:
        await until(pilot, lambda: "●" in screen(app).splitlines()[2])
        await pilot.click(offset=(60, 2))
        [(what, to)] = fake(app).asked
        assert what == "seek"
        assert abs(to - (OPEN + CLOSE) // 2) < MINUTE
        await pilot.click(offset=(60, 1))
        assert len(fake(app).asked) == 1


# -- the past of a live session -------------------------------------------------------------


async def test_going_back_in_a_live_session_shows_its_past_and_l_goes_back() -> None:
    app, session = live_monitor()
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: "PAST 10:31" in screen(app))
        assert session.asked_for == [AT - 5 * MINUTE]
        assert "live is 10:36" in screen(app)
        assert "● LIVE" not in screen(app)
        # Live goes on, and says so.
        session.say(reading(6044.0, mode="live", at=AT + 3 * MINUTE))
        session.say(Alert(AT + 2 * MINUTE, "flip crossed", "notice", "flip crossed up", 0.0, False))
        await until(pilot, lambda: "live is 10:39" in screen(app))
        await until(pilot, lambda: "+1 alert" in screen(app))
        await until(pilot, lambda: "flip crossed up" in screen(app))
        await pilot.press("L")
        await until(pilot, lambda: "● LIVE" in screen(app) and "6,044.00" in screen(app))
        assert "PAST" not in screen(app)
        await until(pilot, lambda: session.closed == 1)


async def test_keys_of_time_move_the_past_and_not_live() -> None:
    app, session = live_monitor()
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("less_than_sign")
        await until(pilot, lambda: "PAST 10:35" in screen(app))
        await pilot.press("full_stop", "left_square_bracket", "space")
        asked = [what for what, _ in session.pasts[0].asked]
        assert asked == ["step", "seek", "resume"]
        assert session.asked == []


async def test_past_what_is_recorded_is_live() -> None:
    app, session = live_monitor()
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("less_than_sign")
        await until(pilot, lambda: "PAST" in screen(app))
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "caught up with live" in screen(app))
        assert "● LIVE" in screen(app)
        assert session.pasts[0].asked == []


@pytest.mark.parametrize("paused", [True, False])
async def test_at_its_end_a_past_that_plays_becomes_live_and_one_that_stands_waits(
    paused: bool,
) -> None:
    app, session = live_monitor()
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("less_than_sign")
        await until(pilot, lambda: "PAST" in screen(app))
        past = session.pasts[0]
        past.paused = paused
        past.say(reading(6013.0, mode="replay", at=AT))
        await until(pilot, lambda: "6,013.00" in screen(app))
        past.status = FeedStatus("ended", "the recording ends here")
        if paused:
            await until(pilot, lambda: "this is the end of what" in screen(app))
            assert "PAST" in screen(app)
        else:
            await until(pilot, lambda: "caught up with live" in screen(app))
            assert "● LIVE" in screen(app)


async def test_a_hole_between_two_recordings_is_told_and_gone_over() -> None:
    app, session = live_monitor()
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("left_curly_bracket")
        await until(pilot, lambda: "PAST" in screen(app))
        session.pasts[0].paused = False
        session.pasts[0].status = FeedStatus("ended", "the recording ends here")
        await until(pilot, lambda: len(session.pasts) == 2)
        await until(pilot, lambda: ("resume", None) in session.pasts[1].asked)
        assert session.asked_for[1] == AT - 30 * MINUTE + NS
        await until(pilot, lambda: session.closed == 1)


async def test_a_past_of_which_nothing_is_recorded_is_told() -> None:
    app, session = live_monitor()
    session.recorded_from = AT - 3 * MINUTE
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("left_curly_bracket")
        await until(pilot, lambda: "nothing is recorded from 10:06 to 10:33" in screen(app))
        assert "PAST 10:33" in screen(app)


async def test_marks_of_live_lead_into_its_past() -> None:
    app, session = live_monitor()
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        session.day.mark(Mark(AT - 9 * MINUTE, "alert", "flip crossed"))
        session.day.mark(Mark(AT - 3 * MINUTE, "alert", "LIS touched"))
        await pilot.press("N")
        await until(pilot, lambda: "PAST 10:33" in screen(app))
        await pilot.press("N")
        assert session.pasts[0].asked[-1] == ("seek", AT - 9 * MINUTE)
        await pilot.press("n")
        assert "looking" not in screen(app)


async def test_a_live_time_may_be_entered_that_had_not_come_when_it_was_asked_for() -> None:
    app, session = live_monitor()
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("at")
        await until(pilot, lambda: isinstance(app.screen, Prompt))
        await pilot.press(*"10:40", "enter")
        await until(pilot, lambda: "10:40 has not come yet" in screen(app))
        session.say(reading(6044.0, mode="live", at=AT + 6 * MINUTE))
        await until(pilot, lambda: app.base.newest.as_of > AT)  # type: ignore[union-attr]
        await pilot.press("enter")
        await until(pilot, lambda: session.asked_for == [AT + 4 * MINUTE])


async def test_the_beginning_of_a_live_day_is_where_its_log_begins() -> None:
    app, session = live_monitor()
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        day_of(session.day, AT, 30)
        begins = session.day.rows[0].at
        await pilot.press("at")
        await until(pilot, lambda: isinstance(app.screen, Prompt))
        await pilot.press(*"begin", "enter")
        await until(pilot, lambda: session.asked_for == [begins])


async def test_what_is_not_recorded_has_no_past_and_says_so() -> None:
    app = monitor(FakeSession("live", reading(mode="live", at=AT)))
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: "nothing of this session is" in screen(app))
        assert "● LIVE" in screen(app)


async def test_a_past_that_cannot_be_read_leaves_live_on_the_screen() -> None:
    app, session = live_monitor()
    session.broken = "nothing is recorded yet"
    async with app.run_test(size=(120, 36), notifications=True) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: "nothing is recorded yet" in screen(app))
        assert "● LIVE" in screen(app)


async def test_leaving_the_monitor_closes_the_past() -> None:
    app, session = live_monitor()
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: "PAST" in screen(app))
    assert session.closed == 1


def test_a_short_seek_shows_nothing_of_its_way_and_a_long_one_does() -> None:
    session = FakeSession()
    channel = Channel(session, 0.0)
    here, way, there = (reading(at=AT - m * MINUTE) for m in (0, 60, 1))
    channel.newest = here
    assert channel.next_shown(10.0) is here
    assert channel.status(10.0).state == "live"
    session.status = FeedStatus("connecting", "catching up", {"catching_up": True})
    channel.newest = way
    assert channel.next_shown(10.1) is here
    assert channel.status(10.1).state == "live"
    session.status, channel.newest = FeedStatus("paused"), there
    assert channel.next_shown(10.2) is there
    session.status = FeedStatus("connecting", "catching up", {"catching_up": True})
    channel.newest = way
    assert channel.next_shown(20.0) is there
    assert channel.next_shown(20.5) is way
    assert channel.status(20.5).state == "connecting"


# -- how it looks ---------------------------------------------------------------------------

INFO = SourceInfo("SPX", "f", "replay", 0.0, "", OPEN, CLOSE)


def frame(shown: Reading, **how: object) -> Frame:
    return Frame(INFO, FeedStatus("paused"), shown, **how)  # type: ignore[arg-type]


CATCHING = FeedStatus(
    "connecting", "catching up",
    {"catching_up": True, "paused": True, "from": float(OPEN), "to": float(OPEN + 100 * MINUTE)},
)  # fmt: skip


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_the_past_is_named_at_every_width(width: int) -> None:
    shown = frame(reading(mode="replay", at=AT), replayable=True, in_past=True, paused=True)
    shown = replace(shown, beside=Beside(AT + 16 * MINUTE, 3, "live"))
    for rows in (topline.paint(shown, width, 1), topline.paint(shown, width, 3)):
        text = "\n".join(plain(row) for row in rows)
        assert "PAST 10:36" in text
        assert all(len(plain(row)) == width for row in rows)
        if width >= 80:
            assert "live is 10:52" in text
            assert "+3 alerts" in text


def test_trouble_of_live_is_marked_beside_the_past_without_colours_too() -> None:
    shown = frame(reading(mode="replay", at=AT), replayable=True, in_past=True, paused=True)
    for state, marked in (("live", False), ("reconnecting", True), ("stale", True)):
        row = plain(topline.paint(replace(shown, beside=Beside(AT, 0, state)), 120, 3)[0])
        assert ("⚠ live is 10:36" in row) is marked
        assert len(row) == 120


def test_how_far_a_seek_has_come_is_on_the_status_line() -> None:
    shown = replace(frame(reading(at=OPEN + 50 * MINUTE), replayable=True), status=CATCHING)
    text = plain(status.paint(shown, 120, 1)[0])
    assert "catching up 10:25 → 11:15 █████░░░░░" in text or "█████░░░░░" in text
    assert "→" in plain(topline.paint(shown, 80, 1)[0])
    before = replace(shown, reading=reading(at=CLOSE))
    assert progress.share(before) == 0.0


def test_the_bar_shows_where_one_is_and_what_was_seen() -> None:
    day = DayLog()
    day.mark(Mark(OPEN + 30 * MINUTE, "alert", "x", "warning"))
    info = SourceInfo("SPX", "f", "replay", 0.0, "", OPEN, OPEN + 100 * MINUTE)
    base = replace(frame(reading(at=OPEN + 50 * MINUTE), replayable=True), info=info, day=day)
    line = progress.bar(base, 101)
    assert line is not None
    text = plain(line)
    assert (len(text), text.index("●"), text.index("┿")) == (101, 50, 30)
    assert [progress.moment_at(base, x, 101) for x in (0, 50, 100, 999)] == [
        OPEN, OPEN + 50 * MINUTE, OPEN + 100 * MINUTE, OPEN + 100 * MINUTE,
    ]  # fmt: skip
    for other in (
        replace(base, replayable=False),
        replace(base, info=SourceInfo("SPX", "f", "replay")),
    ):
        assert progress.bar(other, 101) is None
        assert progress.moment_at(other, 5, 101) == 0
    assert progress.bar(base, 10) is None
