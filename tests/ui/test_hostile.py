"""Whatever a feed, a file or an impatient hand sends: text stays text, and rows stay whole."""

from __future__ import annotations

import asyncio
import random
import unicodedata
from dataclasses import replace

import pytest
from rich.cells import cell_len
from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from gexterm.market.events import FeedStatus, SourceInfo
from gexterm.ui.actions import SCREENS
from gexterm.ui.app import MonitorApp
from gexterm.ui.capture import capture
from gexterm.ui.help import HelpScreen
from gexterm.ui.launch import Entry
from gexterm.ui.prompt import Prompt
from gexterm.ui.screens.base import View
from tests.ui.fakes import CLOSE, OPEN, FakeSession, reading
from tests.ui.states import AT, KnowsNothing, alert, session_of
from tests.ui.test_every_key import press
from tests.ui.test_start import SAMPLE, FakeLauncher

EVIL = (
    "\x1b[2J\x1b]0;owned\x07",
    "[red]bold[/red] {x} %s \\[/]",
    "\u202egnp.txt\u2066",
    "日本語の長い名前🚀👩‍👩‍👧",
    "x" * 10_000,
    "line\nbreak\ttab\x00nul\u2028",
    "z̀́̂̃̄" * 300,
)
"""Escape codes, markup, directions, wide characters, length, control characters, marks."""


def hostile(text: str) -> FakeSession:
    shown = reading(view="combined", at=AT)
    shown = replace(
        shown, underlying=text,
        positions=replace(shown.positions, view=text, prior=text, warning=text, trap=text),
        zero_dte=replace(shown.zero_dte, paradigm=text, previous=text, qualifier=text),
    )  # fmt: skip
    session = session_of(
        shown, info=SourceInfo(text, text, "replay", 0.0, text, OPEN, CLOSE),
        status=FeedStatus("live", text), views=(text, "combined"),
        inquire=KnowsNothing(shown, text),
    )  # fmt: skip
    session.say(alert(text))
    return session


async def shown(app: MonitorApp, pilot: Pilot[None]) -> None:
    """Until the first Reading is on the screen."""
    for _ in range(200):
        if app.shown is not None:
            return
        await pilot._wait_for_screen()
        app.refresh_screen()
    raise AssertionError("nothing was shown")


def whole(app: MonitorApp, size: tuple[int, int], what: object) -> None:
    assert app.crash is None, what
    rows = ["".join(run.text for run in row) for row in capture(app).rows]
    assert len(rows) == size[1], what
    for row in rows:
        assert cell_len(row) == size[0], (what, row)
        obeyed = [sign for sign in row if unicodedata.category(sign) in ("Cc", "Cf", "Cs")]
        assert not obeyed, (what, row)


CASES = [(text, (80, 24)) for text in EVIL] + [(EVIL[0], (160, 48)), (EVIL[3], (200, 60))]


@pytest.mark.parametrize(("text", "size"), CASES, ids=range(len(CASES)))
async def test_what_comes_from_outside_stays_text_on_every_screen(
    text: str, size: tuple[int, int]
) -> None:
    launcher = FakeLauncher((replace(SAMPLE, name=text, title=text, detail=text),
                             Entry("recording", text, text, ready=False, needs=text)))  # fmt: skip
    app = MonitorApp(hostile(text), launcher=launcher, fps=60.0)  # type: ignore[arg-type]
    async with app.run_test(size=size, notifications=True) as pilot:
        await shown(app, pilot)
        for name in SCREENS:
            app.go(name)
            await pilot._wait_for_screen()
            await press(pilot, "down")
            whole(app, size, name)
        app.go("desk")
        for key in ("a", "v", "s", "at", "question_mark"):
            await press(pilot, key)
            whole(app, size, key)


@pytest.mark.parametrize("text", EVIL, ids=range(len(EVIL)))
async def test_pasting_into_a_screen_does_nothing_and_into_a_prompt_only_that(text: str) -> None:
    session = session_of(reading(at=AT))
    app = MonitorApp(session, fps=60.0)
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(app, pilot)
        driver = app._driver
        assert driver is not None
        driver.send_message(events.Paste(text))
        await press(pilot, "up")
        assert isinstance(app.screen, View)
        assert not session.asked
        await press(pilot, "at")
        await _prompted(app, pilot)
        driver.send_message(events.Paste(text))
        await press(pilot, "enter")
        whole(app, (80, 24), "the prompt")
        assert not session.asked, "a pasted text is no time"
        for _ in range(2):
            await press(pilot, "escape")
        assert isinstance(app.screen, View)


async def _prompted(app: MonitorApp, pilot: Pilot[None]) -> None:
    for _ in range(50):
        if isinstance(app.screen, Prompt) and app.screen.query(Input):
            return
        await asyncio.sleep(0)
        await pilot._wait_for_screen()
    raise AssertionError("no prompt")


@pytest.mark.parametrize("name", SCREENS)
async def test_the_mouse_may_be_pressed_anywhere(name: str) -> None:
    dice = random.Random(7)
    app = MonitorApp(session_of(reading(view="combined", at=AT)), launcher=FakeLauncher())  # type: ignore[arg-type]
    async with app.run_test(size=(120, 40)) as pilot:
        await shown(app, pilot)
        driver = app._driver
        assert driver is not None
        app.go(name)
        await pilot._wait_for_screen()
        for _ in range(15):
            x, y = dice.randrange(120), dice.randrange(40)
            turn = dice.choice((events.MouseScrollUp, events.MouseScrollDown))
            common = {
                "widget": None, "x": x, "y": y, "delta_x": 0, "delta_y": 0, "shift": False,
                "meta": False, "ctrl": False,
            }  # fmt: skip
            button = dice.choice((1, 1, 2, 3))
            for kind, pressed in ((turn, 0), (events.MouseDown, button), (events.MouseUp, button)):
                driver.send_message(kind(button=pressed, **common))  # type: ignore[arg-type]
            for _ in range(2):
                await asyncio.sleep(0)
                await pilot._wait_for_screen()
            whole(app, (120, 40), (name, x, y, button))
            if isinstance(app.screen, HelpScreen | Prompt):
                await press(pilot, "escape")
            if not isinstance(app.screen, View) or name != app.screen.NAME:
                app.go(name)
                await pilot._wait_for_screen()
