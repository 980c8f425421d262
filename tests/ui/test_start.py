"""The start screen: somebody new is a key away from a market that moves."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import pytest
from textual.command import CommandPalette

from gexterm.errors import ConnectionFailedError
from gexterm.ui.actions import ACTIONS
from gexterm.ui.app import MonitorApp
from gexterm.ui.help import HelpScreen
from gexterm.ui.ink import plain
from gexterm.ui.launch import Entry, Ribbon
from gexterm.ui.prompt import Prompt
from gexterm.ui.screens.start import Start
from gexterm.ui.widgets.opening import Choice, in_order, lines_of, ribbon
from tests.ui.fakes import NS, OPEN, FakeSession, reading
from tests.ui.test_desk import screen, until

HOUR = 3600 * NS
SAMPLE = Entry("sample", "bofa", "BofA: dealers short strangles", "synthetic", "SPX",
               begins=OPEN, ends=OPEN + HOUR)  # fmt: skip
VENUE = Entry("feed", "deribit", "Deribit", "no account needed", underlyings=("BTC", "ETH"))
LOCKED = Entry("feed", "massive", "Massive", "a plan", underlyings=("SPX",), ready=False,
               needs="needs MASSIVE_API_KEY")  # fmt: skip
KEPT = Entry("recording", "/data/SPX.gexrec", "cboe", "", "SPX", begins=OPEN, ends=OPEN + 6 * HOUR)
TORN = Entry("recording", "/data/torn.gexrec", "torn.gexrec", ready=False, needs="is no recording")
ALL = (KEPT, TORN, LOCKED, VENUE, SAMPLE)


class FakeLauncher:
    """Opens fakes, and remembers what was asked."""

    def __init__(self, entries: tuple[Entry, ...] = ALL) -> None:
        self.list = entries
        self.opened: list[tuple[str, str]] = []
        self.closed: list[str] = []
        self.refuse = ""
        self.session = FakeSession(first=reading())

    async def entries(self) -> tuple[Entry, ...]:
        return self.list

    async def ribbon(self, entry: Entry, *, any_size: bool = False) -> Ribbon | None:
        if entry.kind == "recording" and not any_size:
            return None
        return Ribbon(("BofA", "BofA", "GEX", "Sidial"), 900.0)

    @contextlib.asynccontextmanager
    async def open(self, entry: Entry, underlying: str = "") -> AsyncIterator[FakeSession]:
        if self.refuse:
            raise ConnectionFailedError(self.refuse)
        self.opened.append((entry.name, underlying))
        self.session = FakeSession("live" if entry.kind == "feed" else "replay", first=reading())
        yield self.session
        self.closed.append(entry.name)


def started(launcher: FakeLauncher) -> MonitorApp:
    return MonitorApp(None, launcher=launcher, fps=60.0, glow_s=0.0)


def text(choice: Choice, width: int, height: int) -> str:
    return "\n".join(plain(line) for line in lines_of(choice, {}, width, height))


def test_what_works_at_once_comes_first() -> None:
    assert [entry.kind for entry in in_order(ALL)] == [
        "sample", "feed", "feed", "recording", "recording",
    ]  # fmt: skip


@pytest.mark.parametrize(("width", "height"), [(80, 22), (120, 34), (200, 58), (40, 10)])
def test_every_size_shows_where_the_cursor_is_and_cuts_nothing_in_silence(
    width: int, height: int
) -> None:
    many = tuple(
        Entry(
            "recording", f"/data/{n}.gexrec", f"feed{n}", "", "SPX", begins=OPEN, ends=OPEN + HOUR
        )
        for n in range(60)
    )
    choice = Choice(in_order((*ALL, *many)), at=30)
    lines = [plain(line) for line in lines_of(choice, {}, width, height)]
    assert len(lines) <= height
    assert sum("▸" in line for line in lines) == 1
    assert any("more ↓" in line for line in lines)
    assert any("more ↑" in line for line in lines)


def test_a_recording_has_its_day_its_length_and_its_paradigms() -> None:
    choice = Choice(in_order(ALL), ribbons={KEPT.name: Ribbon(("BofA", "GEX"), 900.0)})
    line = next(row for row in text(choice, 120, 40).splitlines() if "SPX cboe" in row)
    assert "2026-11-20 09:35" in line
    assert "6h00m" in line
    assert "B▬" in line
    assert "G▬" in line


def test_a_paradigm_is_a_letter_too_since_colour_may_not_be_seen() -> None:
    drawn = "".join(span.text for span in ribbon(Ribbon(("BofA", "", "Anti-GEX"), 60.0), 9))
    assert drawn == "B▬▬   A▬▬"


def test_what_cannot_be_opened_says_what_is_missing() -> None:
    shown = text(Choice(in_order(ALL)), 120, 40)
    assert "needs MASSIVE_API_KEY" in shown
    assert "is no recording" in shown


def test_a_title_or_a_need_without_room_ends_in_an_ellipsis() -> None:
    long = Entry("sample", "gex", "GEX: dealers buy as time passes, and spot reaches the target",
                 begins=OPEN, ends=OPEN + HOUR)  # fmt: skip
    wanting = Entry("feed", "dxlink", "tastytrade", underlyings=("SPX",), ready=False,
                    needs="needs A_RATHER_LONG_CLIENT_SECRET and A_LONG_REFRESH_TOKEN")  # fmt: skip
    choice = Choice(in_order((long, wanting)))
    for width in (96, 104, 120):
        lines = [plain(line) for line in lines_of(choice, {}, width, 30)]
        for name, end in (("gex ", "target"), ("dxlink", "TOKEN")):
            row = next(line for line in lines if name in line[:20]).rstrip()
            assert row.endswith((end, "…")), row
    full = [plain(line) for line in lines_of(choice, {}, 160, 30)]
    assert any("reaches the target" in line for line in full)


def test_with_no_recordings_it_says_how_they_come() -> None:
    assert "recorded by themselves" in text(Choice((SAMPLE,)), 120, 40)


async def test_enter_plays_the_first_sample_feed() -> None:
    launcher = FakeLauncher()
    app = started(launcher)
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "bofa" in screen(app))
        assert "every number" in screen(app)
        await pilot.press("enter")
        await until(pilot, lambda: "6,012.35" in screen(app))
        assert launcher.opened == [("bofa", "SPX")]
        assert app.screen is app.desk
        await pilot.press("0")
        await until(pilot, lambda: isinstance(app.screen, Start))
    assert launcher.closed == ["bofa"]


async def test_a_venue_asks_for_the_underlying() -> None:
    launcher = FakeLauncher()
    app = started(launcher)
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "deribit" in screen(app))
        await pilot.press("down", "down", "enter")
        if not isinstance(app.screen, Prompt):
            await pilot.press("up", "enter")
        await until(pilot, lambda: isinstance(app.screen, Prompt))
        await pilot.press("backspace", "backspace", "backspace", *"eth", "enter")
        await until(pilot, lambda: launcher.opened == [("deribit", "ETH")])


async def test_a_refusal_is_told_and_the_screen_stays() -> None:
    launcher = FakeLauncher()
    launcher.refuse = "the sample has gone"
    app = started(launcher)
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "bofa" in screen(app))
        await pilot.press("enter")
        await until(pilot, lambda: "the sample has gone" in screen(app))
        assert isinstance(app.screen, Start)


async def test_leaving_a_live_session_wants_a_second_enter() -> None:
    launcher = FakeLauncher((SAMPLE, replaced := Entry("feed", "fake", "Fake", underlying="BTC")))
    app = started(launcher)
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "fake" in screen(app))
        await pilot.press("down", "enter")
        await until(pilot, lambda: launcher.opened == [(replaced.name, "BTC")])
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("0", "up", "enter")
        await until(pilot, lambda: "is live" in screen(app))
        assert launcher.opened == [("fake", "BTC")]
        await pilot.press("enter")
        await until(pilot, lambda: launcher.opened[1:] == [("bofa", "SPX")])
        assert launcher.closed == ["fake"]


async def test_a_large_recording_is_read_when_asked() -> None:
    app = started(FakeLauncher((KEPT,)))
    async with app.run_test(size=(120, 36)) as pilot:
        await until(pilot, lambda: "r reads its paradigms" in screen(app))
        await pilot.press("r")
        await until(pilot, lambda: "B▬" in screen(app))


async def test_no_key_breaks_a_monitor_without_a_session() -> None:
    app = started(FakeLauncher())
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "bofa" in screen(app))
        for action in ACTIONS:
            if action.id in ("quit", "suspend", "choose"):
                continue
            for name in action.screens or ("desk", "start"):
                app.go(name)
                await pilot.press(action.keys[0])
                await pilot.pause()
                if isinstance(app.screen, Prompt | CommandPalette | HelpScreen):
                    await pilot.press("escape")
                assert app.crash is None, (action.id, name)
                assert app.is_running, (action.id, name)
