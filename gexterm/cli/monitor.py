"""`gexterm demo` and `gexterm replay`: the monitor as a client of a local replay server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gexterm.cli.common import (
    Carried,
    Command,
    at_option,
    carry_option,
    expiry_option,
    kept_book,
    open_recording,
    scope_of,
    settings,
    time_in,
    view_option,
)
from gexterm.cli.screen import look_options, on_screen
from gexterm.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gexterm.config import Settings
    from gexterm.recording.reader import Recording
    from gexterm.session.live import LiveSession


DEMO_SPEED = 10.0
"""Half an hour of market in three and a half minutes: a newcomer sees something happen."""


def play_options(command: Command) -> Command:
    """What can be said about playing any recording."""
    for option in (
        click.option(
            "--headless", is_flag=True, help="No screen: one line per market minute, until the end."
        ),
        click.option(
            "--port", type=int, default=0, help="Port of the local replay server; 0: any free one."
        ),
        click.option(
            "--deliver",
            is_flag=True,
            help="Send alerts of a replay or simulation out, as if the market were live.",
        ),
        look_options,
        expiry_option,
        view_option,
        carry_option,
        at_option("Market time (ET) to begin at: 10:30, or 2018-01-05T10:30."),
        click.option(
            "--speed",
            type=float,
            metavar="FACTOR",
            help=f"Market seconds per second; 1 if not given, {DEMO_SPEED:g} for the demo.",
        ),
    ):
        command = option(command)
    return command


@click.command("demo")
@click.argument("name", required=False)
@click.option("--list", "list_them", is_flag=True, help="List the bundled sample feeds and stop.")
@play_options
def demo_command(name: str | None, list_them: bool, **options: Any) -> None:
    """The monitor on a bundled sample feed, through a real local websocket.

    NAME is one of those that --list shows; without it the first of them plays.
    Sample feeds are synthetic: made by a seeded script, no market data.
    """
    from gexterm.recording.samples import describe_samples, find_sample, list_samples

    if list_them:
        click.echo(describe_samples(list_samples()))
        return
    options["speed"] = DEMO_SPEED if options["speed"] is None else options["speed"]
    _play(find_sample(name or "").path, **options)


@click.command("replay")
@click.argument("file", type=click.Path(path_type=Path))
@play_options
def replay_command(file: Path, **options: Any) -> None:
    """The monitor on a recording: served on a local websocket, paused, sped up, sought."""
    options["speed"] = 1.0 if options["speed"] is None else options["speed"]
    _play(file, **options)


def _play(
    path: Path,
    *,
    speed: float,
    at: str | None,
    view: str | None,
    expiry: str | None,
    port: int,
    headless: bool,
    carry: Path | None,
    no_carry: bool,
    **look: Any,
) -> None:
    from gexterm.feeds.replay_protocol import FASTEST, SLOWEST, is_speed

    if not is_speed(speed):
        raise UsageError(f"--speed {speed:g} cannot be", f"use {SLOWEST:g} to {FASTEST:g}")
    if not 0 <= port < 65536:
        raise UsageError(f"--port {port} is no port", "use 1 to 65535, or 0 for any that is free")
    if not headless:
        from gexterm.ui.terminal import need_terminal

        need_terminal()
    chosen = settings()
    scope = scope_of(expiry)
    with open_recording(path) as recording:
        work = print_minutes if headless else on_screen(chosen, look)
        playing = serve_and(
            work,
            recording,
            chosen,
            speed=speed,
            start=time_in(recording, at),
            port=port,
            view=view,
            scope=scope,
            carry=kept_book(carry, no_carry, recording),
        )
        asyncio.run(playing)


async def serve_and(
    work: Callable[[LiveSession], Awaitable[None]],
    recording: Recording,
    chosen: Settings,
    *,
    speed: float,
    start: int | None,
    port: int = 0,
    view: str | None = None,
    scope: str | None = None,
    carry: Carried | None = None,
) -> None:
    """Serve a recording on the loopback, connect a session to it and hand it to `work`."""
    from gexterm.cli.opening import playing

    async with playing(
        recording,
        chosen,
        speed=speed,
        start=start,
        port=port,
        view=view,
        scope=scope,
        carry=carry,
    ) as session:
        await work(session)


async def print_minutes(session: LiveSession) -> None:
    """One line per market minute, to the end of the recording or feed."""
    from gexterm.cli.saying import put
    from gexterm.cli.table import summary_line

    minute = -1
    async for reading in session.readings():
        if reading.as_of // 60_000_000_000 != minute:
            minute = reading.as_of // 60_000_000_000
            put(summary_line(reading, session.status.state))
        if session.status.state == "ended":
            return
