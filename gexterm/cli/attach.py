"""What `gexterm serve live` runs beside its web server: a hub, and a viewer for each page.

Both are commands of their own, hidden: their addresses and secret come from the environment.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import click

from gexterm.cli.common import expiry_option, scope_of, settings, view_option
from gexterm.cli.feedchoice import feed_choice, feed_options
from gexterm.errors import UsageError


@click.command("hub", hidden=True)
@click.argument("feed")
@click.argument("underlying")
@click.option("--port", type=int, default=0)
@click.option("--no-record", is_flag=True)
@click.option("--carry", type=click.Path(path_type=Path))
@click.option("--no-carry", is_flag=True)
@feed_options
def hub_command(
    feed: str,
    underlying: str,
    port: int,
    no_record: bool,
    carry: Path | None,
    no_carry: bool,
    **options: Any,
) -> None:
    """One live session, told to viewers on this machine who know the secret."""
    from gexterm.cli import live
    from gexterm.cli.opening import recorder_of, recordings_folder, runner_of
    from gexterm.feeds.venue import find_venue

    secret = _secret()
    venue = find_venue(feed)
    chosen = settings()
    protocol = live._protocol(venue, underlying, feed_choice(venue, options))
    name = underlying.upper()
    book = live._named_book(carry, underlying) if carry is not None else None
    record = chosen.record == "on" and not no_record

    async def work() -> None:
        from gexterm import paths
        from gexterm.cli.alertpost import alert_post
        from gexterm.cli.saying import tell
        from gexterm.clock import SystemClock
        from gexterm.engine.rereading import of_today
        from gexterm.feeds.relay_log import RelayLog
        from gexterm.recording.scribe import folder_of
        from gexterm.serving.hub import run_hub, telling
        from gexterm.session.keeping import BookKeeper
        from gexterm.session.live import LiveSession

        clock = SystemClock()
        root = recordings_folder(chosen)
        folder = folder_of(root, venue.name, name)
        log = RelayLog(paths.recordings().parent)
        session = LiveSession(
            lambda tap: runner_of(protocol, clock, tap),
            clock,
            chosen,
            underlying=name,
            carry=book,
            keeper=BookKeeper(paths.books()),
            take_up=not no_carry,
            read_earlier=None
            if no_carry
            else lambda stopped: of_today(folder, clock.now_ns(), stopped),
            make_recording=telling(
                log,
                (lambda trouble: recorder_of(venue, underlying, chosen, root, clock, trouble))
                if record
                else None,
                folder,
            ),
            timer=time.perf_counter,
        )
        _end_with_parent()
        # Alerts are kept and go out once, from here, whether anybody looks or not.
        async with alert_post(chosen, clock, tell) as post:
            await run_hub(
                session,
                log,
                secret,
                port=port,
                recorded=record,
                ready=_ready,
                alert=post,
            )

    live._run(work())


@click.command("view", hidden=True)
@click.argument("underlying")
@view_option
@expiry_option
@click.option("--theme")
def view_command(underlying: str, view: str | None, expiry: str | None, theme: str | None) -> None:
    """The monitor on a hub's session."""
    from gexterm.serving.hubkeeper import URL_ENV
    from gexterm.ui.terminal import need_terminal

    secret = _secret()
    url = os.environ.pop(URL_ENV, "")
    if not url:
        raise UsageError("there is no hub to connect to", "use `gexterm serve live`")
    scope = scope_of(expiry)
    need_terminal()
    chosen = settings()

    async def work() -> None:
        from gexterm.cli.opening import snapshots_folder
        from gexterm.cli.screen import screen_options
        from gexterm.serving.shared import SharedSession
        from gexterm.ui.app import show

        session = SharedSession(
            url,
            secret,
            chosen,
            underlying=underlying.upper(),
            view=view,
            scope=scope,
            snapshots=snapshots_folder(chosen),
        )
        async with session:
            # Without a launcher: a viewer opens no connections of its own.
            await show(session, **screen_options(chosen, theme) | {"launcher": None})

    asyncio.run(work())


def hub_arguments(feed: str, underlying: str, options: dict[str, Any]) -> list[str]:
    """The command of a hub, as `gexterm` takes it."""
    found = ["serve", "hub", feed, underlying]
    for name, value in options.items():
        flag = "--" + name.replace("_", "-")
        if value is True:
            found.append(flag)
        elif value is not None and value is not False:
            given = value.resolve() if isinstance(value, Path) else value
            found.append(f"{flag}={given}")
    return found


def _secret() -> bytes:
    """The secret, taken out of the environment: nobody we start needs it."""
    from gexterm.feeds.relay_protocol import SECRET_ENV

    secret = os.environ.pop(SECRET_ENV, "")
    if len(secret) < 32:
        raise UsageError("this is run by `gexterm serve live`, not by hand")
    return secret.encode()


def _ready(url: str) -> None:
    sys.stdout.write(f"{url}\n")
    sys.stdout.flush()


def _end_with_parent() -> None:
    """End in good order once whoever started us is gone: our standard input ends with it."""
    import signal

    def wait() -> None:
        while os.read(0, 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="parent", daemon=True).start()
