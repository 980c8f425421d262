"""Every key on every screen in every state: the monitor goes on, and there is a way back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import pytest
from rich.cells import cell_len
from textual import events
from textual.pilot import Pilot

from gexterm.ui.actions import ACTIONS, BY_ID, SCREENS, Action, works_on
from gexterm.ui.app import MonitorApp
from gexterm.ui.capture import capture
from gexterm.ui.screens.base import View
from tests.ui.states import STATES
from tests.ui.test_start import FakeLauncher

SIZE = (80, 24)
LEADS_AWAY = {action.id for action in ACTIONS if action.group == "Screens"}
ENDS = {"quit", "suspend"}
"""Actions after which there is no screen to look at."""
TELLING = {
    "greek_next", "look_back", "scope_next", "view_next", "density", "help", "pause", "back_5",
    "acknowledge", "copy_levels",
}  # fmt: skip
"""Of the whole monitor's actions those that meet the state of the market."""


def monitor(state: str) -> MonitorApp:
    launcher = FakeLauncher()
    return MonitorApp(STATES[state](), launcher=launcher, fps=60.0, glow_s=0.0)  # type: ignore[arg-type]


def runs(app: MonitorApp, what: str) -> None:
    """The app goes on, and nothing was answered with an error of our own."""
    assert app.crash is None, what
    assert app.is_running and not app._exit, what


def whole(app: MonitorApp, what: str) -> None:
    """Every row is as wide as the terminal."""
    runs(app, what)
    rows = ["".join(run.text for run in row) for row in capture(app).rows]
    assert len(rows) == SIZE[1], what
    assert not [row for row in rows if cell_len(row) != SIZE[0]], what


async def press(pilot: Pilot[None], key: str) -> None:
    """A key, and everything that follows from it at once.

    Pilot's own waits until the machine is idle, which takes minutes over all keys.
    """
    driver = pilot.app._driver
    assert driver is not None
    driver.send_message(events.Key(key, key if len(key) == 1 else None))
    for _ in range(2):
        await asyncio.sleep(0)
        await pilot._wait_for_screen()


async def home(app: MonitorApp, pilot: Pilot[None], name: str, what: str) -> None:
    """Esc closes whatever lies over the screen; its number shows it again."""
    for _ in range(3):
        if isinstance(app.screen, View):
            break
        await press(pilot, "escape")
    assert isinstance(app.screen, View), f"{what}: no way back from {app.screen}"
    if name != app.screen.NAME:
        await press(pilot, BY_ID[f"screen_{name}"].keys[0])
    assert name == app.screen.NAME, what


async def go_through(
    state: str, screens: Iterable[str], wanted: Callable[[Action, str], bool]
) -> None:
    """Every wanted key on those screens, and back each time."""
    app = monitor(state)
    async with app.run_test(size=SIZE) as pilot:
        await pilot._wait_for_screen()
        for name in screens:
            await press(pilot, BY_ID[f"screen_{name}"].keys[0])
            whole(app, f"{state}, {name}")
            for action in ACTIONS:
                if action.id in ENDS | LEADS_AWAY or not works_on(action, name):
                    continue
                if not wanted(action, name):
                    continue
                what = f"{state}, {name}: {action.id}"
                await press(pilot, action.keys[0])
                runs(app, what)
                await home(app, pilot, name, what)
            whole(app, f"{state}, {name} after its keys")
        await press(pilot, "q")
    assert app.crash is None


@pytest.mark.parametrize("name", SCREENS)
async def test_every_key_of_the_monitor_on_every_screen(name: str) -> None:
    await go_through("a replay", (name,), lambda _action, _name: True)


@pytest.mark.parametrize("state", STATES)
async def test_every_state_bears_the_keys_that_meet_it(state: str) -> None:
    await go_through(state, SCREENS, lambda action, name: meets(action, name == "desk"))


def meets(action: Action, at_desk: bool) -> bool:
    """Whether it is a screen's own, or asks the market, which need be tried on one screen."""
    return bool(action.screens) or (at_desk and action.id in TELLING)
