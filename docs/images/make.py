"""Makes every picture of the documents: `python docs/images/make.py [NAME ...]`.

The bundled sample feeds are played to named moments, keys are pressed, and the screen is
drawn as a snapshot is. Nothing is painted by hand. Takes some minutes; `--list` names them.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pixels
from textual.pilot import Pilot

from gexterm.cli.common import open_recording, time_in
from gexterm.cli.launching import CommandLauncher
from gexterm.cli.opening import playing
from gexterm.config import Settings
from gexterm.recording.samples import find_sample
from gexterm.session.live import LiveSession
from gexterm.snapshots.picture import Picture, Run
from gexterm.snapshots.png import to_png
from gexterm.snapshots.svg import to_svg
from gexterm.ui.app import MonitorApp
from gexterm.ui.capture import capture
from gexterm.ui.screens.base import View

HERE = Path(__file__).resolve().parent
NS = 1_000_000_000
XDG = ("CONFIG", "DATA", "CACHE", "STATE")
MOST_BYTES = 2_500_000
"""Of the moving picture."""


@dataclass(frozen=True)
class Still:
    """One screen at one moment of a sample feed."""

    feed: str
    at: str
    """Market time, New York."""
    size: tuple[int, int] = (120, 36)
    """Columns and rows."""
    keys: tuple[str, ...] = ()
    """Pressed one after another."""
    theme: str = "dark"
    view: str | None = None
    scale: float = 1.5


STILLS = {
    "desk": Still("gex-target", "14:54", (160, 48)),
    "profile": Still("gex-target", "15:05", (120, 36), ("2", *["left"] * 5, *["pagedown"] * 2)),
    "timeline": Still("lis-breach", "15:10", (120, 36), ("3",)),
    "heatmap": Still("gex-target", "15:05", (120, 36), ("4",)),
    "expiries": Still("gex-target", "15:05", (120, 36), ("5",)),
    "tape": Still("gex-target", "15:05", (120, 36), ("6",)),
    "views": Still("gex-target", "15:05", (120, 36), ("7",)),
    "health": Still("gex-target", "15:05", (120, 36), ("8",)),
    "start": Still("", "", (120, 36)),
    "light": Still("bofa", "15:05", (120, 36), (), "light"),
    "small": Still("gex-target", "15:05", (80, 24)),
    "gex-near-target": Still("gex-target", "15:10"),
    "sidial": Still("sidial", "15:10"),
    "null-day": Still("null-day", "15:10"),
}
"""By file name, without `.png`."""


@dataclass(frozen=True)
class Scene:
    """A piece of the moving picture: keys, then market time that goes by."""

    key: str
    """What is pressed, in Textual's name; empty: nothing."""
    said: str
    """What stands below the screen."""
    hold_ms: int
    """How long the last of it is shown."""
    times: int = 1
    """How often the key is pressed; a frame after each."""
    ticks: int = 0
    """Then so many frames of five seconds of market time."""


TOUR = (
    Scene("", "the desk: levels, strikes, 0DTE paradigm, alerts", 900, ticks=7),
    Scene("g", "g   another greek", 1600),
    Scene("G", "G   and back", 500),
    Scene("2", "2   profile: the book re-priced over spot, with its 80 % band", 2000),
    Scene("left", "←   what if spot were lower?", 1400, times=5),
    Scene("up", "↑   and volatility higher?", 1400, times=3),
    Scene("pagedown", "PgDn   and half an hour later?", 2200, times=2),
    Scene("4", "4   heat map: strike by time, and what becomes of it", 2600),
    Scene("3", "3   timeline: spot among the lines, paradigms, hedge flow", 2200),
    Scene("left", "←   what was known then?", 1200, times=4),
    Scene("5", "5   expiries: exposures, volatility by term, the smile", 2000),
    Scene("6", "6   tape: every print, who bought, how sure, by what evidence", 700, ticks=5),
    Scene("7", "7   the same day under six sign views", 2400),
    Scene("1", "1   back to the desk", 700, ticks=3),
)
TOUR_FEED, TOUR_AT, TOUR_SIZE = "gex-target", "15:04", (120, 36)
FRAME_MS = 350


@asynccontextmanager
async def monitor(
    feed: str, at: str, size: tuple[int, int], theme: str = "dark", view: str | None = None
) -> AsyncIterator[tuple[MonitorApp, LiveSession, Pilot[None]]]:
    """The monitor on a sample feed that was played to a moment and stands still there."""
    settings = Settings()
    with open_recording(find_sample(feed).path) as recording:
        when = time_in(recording, at) or 0
        async with playing(recording, settings, speed=10.0, view=view) as session:
            app = MonitorApp(session, theme=theme, glow_s=0.0)
            async with app.run_test(size=size) as pilot:
                await until(pilot, lambda: app.shown is not None)
                await go(app, session, pilot, when)
                yield app, session, pilot


async def until(pilot: Pilot[None], done: Callable[[], object], most_s: float = 120.0) -> None:
    """Wait for something, and complain if it never comes."""
    for _ in range(int(most_s / 0.05)):
        if done():
            return
        await pilot.pause(0.05)
    raise TimeoutError("the monitor did not get there")


async def go(app: MonitorApp, session: LiveSession, pilot: Pilot[None], when: int) -> None:
    """Play on to a moment, leave nothing out, and stand still there."""
    session.pause()
    session.seek(when, through=True)
    await pilot.pause(0.1)
    await until(pilot, lambda: not session.goal and app.shown and app.shown.as_of >= when)
    await until(pilot, lambda: session.paused)


async def settled(app: MonitorApp, pilot: Pilot[None]) -> Picture:
    """The screen once every answer that it waits for has come."""
    last = None
    for _ in range(40):
        await pilot.pause(0.25)
        found = capture(app)
        if found == last:
            break
        last = found
    return capture(app)


def drawn(picture: Picture, scale: float) -> pixels.U8:
    """Its pixels."""
    return pixels.decode(to_png(to_svg(picture, frame=False), scale))


async def still(one: Still) -> bytes:
    """One still as a PNG."""
    if not one.feed:
        return await start(one)
    async with monitor(one.feed, one.at, one.size, one.theme, one.view) as (app, _, pilot):
        for key in one.keys:
            await pilot.press(key)
            await settled(app, pilot)
        return pixels.still(drawn(await settled(app, pilot), one.scale))


async def start(one: Still) -> bytes:
    """The start screen of somebody new."""
    app = MonitorApp(None, launcher=CommandLauncher(Settings()), theme=one.theme)
    async with app.run_test(size=one.size) as pilot:
        view = app.view("start")
        await until(pilot, lambda: _listed(view))
        return pixels.still(drawn(await settled(app, pilot), one.scale))


def _listed(view: View) -> bool:
    """Whether every sample's paradigms have been read."""
    choice = view.list.choice  # type: ignore[attr-defined]
    samples = [each for each in choice.entries or () if each.kind == "sample"]
    return bool(samples) and len(samples) == len(choice.ribbons)


def with_caption(picture: Picture, said: str) -> Picture:
    """A line below it that tells which key was pressed."""
    ground, ink = "#20262e", "#e8ecf0"
    line = Run(f"  {said}".ljust(picture.width), ink, ground, True)
    blank = Run(" " * picture.width, ink, ground)
    rows = (*picture.rows, (blank,), (line,), (blank,))
    return replace(picture, height=picture.height + 3, rows=rows)


async def tour() -> bytes:
    """The moving picture."""
    frames: list[tuple[Picture, int]] = []
    async with monitor(TOUR_FEED, TOUR_AT, TOUR_SIZE) as (app, session, pilot):
        for scene in TOUR:
            for _ in range(scene.times if scene.key else 0):
                await pilot.press(scene.key)
                frames.append((with_caption(await settled(app, pilot), scene.said), FRAME_MS))
            for _ in range(scene.ticks):
                at = app.shown.as_of if app.shown else 0
                await go(app, session, pilot, at + 5 * NS)
                frames.append((with_caption(await settled(app, pilot), scene.said), FRAME_MS))
            frames[-1] = (frames[-1][0], scene.hold_ms)
    found = pixels.moving([drawn(picture, 1.5) for picture, _ in frames], [ms for _, ms in frames])
    if len(found) > MOST_BYTES:
        raise ValueError(f"{len(found):,} bytes are too many")
    return found


async def make(names: Sequence[str]) -> None:
    """Write the pictures of these names."""
    for name in names:
        data = await (tour() if name == "tour" else still(STILLS[name]))
        path = HERE / f"{name}.png"
        path.write_bytes(data)
        sys.stderr.write(f"{path.name:<24}{len(data) / 1e3:>8.0f} kB\n")


def main() -> None:
    """Make those that are named, or all."""
    every = ["tour", *STILLS]
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", choices=[*every, []], metavar="NAME")
    parser.add_argument("--list", action="store_true", help="name them and stop")
    given = parser.parse_args()
    if given.list:
        sys.stdout.write("\n".join(every) + "\n")
        return
    with tempfile.TemporaryDirectory() as home:
        # Nobody's settings, recordings or keys are in a picture.
        os.environ.update({"HOME": home, **{f"XDG_{n}_HOME": f"{home}/{n}" for n in XDG}})
        asyncio.run(make(given.names or every))


if __name__ == "__main__":
    main()
