"""`gexterm serve`: the monitor in a browser."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gexterm.cli.common import (
    Command,
    at_option,
    carry_option,
    expiry_option,
    scope_of,
    settings,
    view_option,
)
from gexterm.cli.feedchoice import feed_options
from gexterm.errors import UsageError

if TYPE_CHECKING:
    from gexterm.serving.running import Place

TOKEN_ENV = "GEXTERM_SERVE_TOKEN"  # noqa: S105  the name of a variable
_PLACE = ("host", "port", "token", "allow_host", "viewers", "font_size")


def place_options(command: Command) -> Command:
    """Where it is served, and to whom; for the group and each of its commands."""
    for option in (
        click.option(
            "--font-size", type=click.IntRange(6, 40), help="Of the page; 15 if not given."
        ),
        click.option(
            "--viewers",
            type=click.IntRange(1, 100),
            metavar="N",
            help="Viewers at once; 8 if not given. Each is a process.",
        ),
        click.option(
            "--allow-host",
            multiple=True,
            metavar="NAME",
            help="A name by which a proxy or another machine reaches this server.",
        ),
        click.option(
            "--token",
            envvar=TOKEN_ENV,
            show_envvar=True,
            metavar="TOKEN|new",
            help="What a viewer must know; new: one is made and printed. Always there where "
            "others than this machine can connect.",
        ),
        click.option("--port", type=int, help="Port; 8000 if not given, 0: any free one."),
        click.option(
            "--host", metavar="ADDRESS", help="Address to listen on; 127.0.0.1 if not given."
        ),
    ):
        command = option(command)
    return command


@click.group("serve", invoke_without_command=True)
@place_options
@click.pass_context
def serve_command(ctx: click.Context, /, **place: Any) -> None:
    """The monitor in a browser: a sample feed, a recording, or a live venue.

    Without a command, the first sample feed. Each page is a viewer of its own; of a live
    venue there is one connection and one recording, however many look. On this machine
    only, unless --host says otherwise; then with a token.
    """
    ctx.obj = place
    if ctx.invoked_subcommand is None:
        ctx.invoke(demo_served, **dict.fromkeys(_PLACE))


def play_options(command: Command) -> Command:
    """What can be said about playing a recording to viewers."""
    for option in (
        click.option("--theme", help="Colour theme, instead of the configured one."),
        expiry_option,
        view_option,
        carry_option,
        at_option("Market time (ET) to begin at: 10:30, or 2018-01-05T10:30."),
        click.option("--speed", type=float, metavar="FACTOR", help="Market seconds per second."),
    ):
        command = option(command)
    return command


@serve_command.command("demo")
@click.argument("name", required=False)
@play_options
@place_options
@click.pass_context
def demo_served(ctx: click.Context, /, name: str | None = None, **options: Any) -> None:
    """A bundled sample feed; each viewer plays it on its own."""
    from gexterm.recording.samples import find_sample

    place = _place(ctx, options)
    sample = find_sample(name or "")
    _check_play(sample.path, options)
    _serve(place, ["demo", sample.name, *_given(options)], f"gexterm · {sample.name}")


@serve_command.command("replay")
@click.argument("file", type=click.Path(path_type=Path))
@play_options
@place_options
@click.pass_context
def replay_served(ctx: click.Context, /, file: Path, **options: Any) -> None:
    """A recording; each viewer plays it on its own."""
    place = _place(ctx, options)
    _check_play(file, options)
    _serve(place, ["replay", str(file.resolve()), *_given(options)], f"gexterm · {file.name}")


@serve_command.command("live")
@click.argument("feed")
@click.argument("underlying")
@view_option
@expiry_option
@click.option("--theme", help="Colour theme, instead of the configured one.")
@click.option("--no-record", is_flag=True, help="Keep no recording of the session.")
@click.option(
    "--carry",
    type=click.Path(path_type=Path),
    metavar="BOOK",
    help="Carry on this book instead of the newest one kept: a file, or a folder of books.",
)
@click.option("--no-carry", is_flag=True, help="Carry on no book: positions begin at nothing.")
@feed_options
@place_options
@click.pass_context
def live_served(ctx: click.Context, /, feed: str, underlying: str, **options: Any) -> None:
    """A live venue, connected to and recorded once, shared by all viewers."""
    from gexterm.cli.attach import hub_arguments
    from gexterm.feeds.venue import find_venue

    place = _place(ctx, options)
    venue = find_venue(feed)
    own = {name: options.pop(name) for name in ("view", "expiry", "theme")}
    if options["carry"] is not None and options["no_carry"]:
        raise UsageError("--carry and --no-carry contradict each other", "give one of them")
    scope_of(own["expiry"])
    settings()
    hub = hub_arguments(venue.name, underlying, options)
    viewer = ["serve", "view", underlying.upper(), *_given(own)]
    secrets = tuple(spec.env for spec in venue.secrets)
    _serve(place, viewer, f"gexterm · {underlying.upper()} {venue.title}", hub, secrets)


def _place(ctx: click.Context, options: dict[str, Any]) -> Place:
    """Where to serve, taken out of `options`; where they say nothing, as the group was told."""
    _need_extra()
    from gexterm.serving.running import Place

    before = ctx.obj or {}
    own = {name: options.pop(name, None) for name in _PLACE}
    given = {
        name: before.get(name) if value is None or value == () else value
        for name, value in own.items()
    }
    port = 8000 if given["port"] is None else given["port"]
    if not 0 <= port < 65536:
        raise UsageError(f"--port {port} is no port", "use 1 to 65535, or 0 for any that is free")
    return Place.of(
        host=given["host"] or "127.0.0.1",
        port=port,
        token=given["token"] or "",
        names=tuple(given["allow_host"] or ()),
        viewers=given["viewers"],
        font_size=given["font_size"],
    )


def _need_extra() -> None:
    from importlib.util import find_spec

    if find_spec("textual_serve") is None:
        raise UsageError(
            "`gexterm serve` needs the extra `serve`, which is not installed",
            "pip install 'gexterm[serve]'",
        )


def _check_play(path: Path, options: dict[str, Any]) -> None:
    """Say now what every viewer would be told."""
    from gexterm.cli.common import kept_book, open_recording, time_in
    from gexterm.feeds.replay_protocol import FASTEST, SLOWEST, is_speed

    speed = options["speed"]
    if speed is not None and not is_speed(speed):
        raise UsageError(f"--speed {speed:g} cannot be", f"use {SLOWEST:g} to {FASTEST:g}")
    scope_of(options["expiry"])
    settings()
    with open_recording(path) as recording:
        time_in(recording, options["at"])
        if options["carry"] is not None:
            options["carry"] = options["carry"].resolve()
            kept_book(options["carry"], options["no_carry"], recording)
        elif options["no_carry"]:
            kept_book(None, True, recording)


def _given(options: dict[str, Any]) -> list[str]:
    """Options as a command line has them."""
    found: list[str] = []
    for name, value in options.items():
        flag = "--" + name.replace("_", "-")
        if value is True:
            found.append(flag)
        elif value is not None and value is not False:
            found.append(f"{flag}={value}")
    return found


def _serve(
    place: Place,
    viewer: list[str],
    title: str,
    hub: list[str] | None = None,
    secrets: tuple[str, ...] = (),
) -> None:
    from gexterm.serving.running import serve

    program = [sys.executable, "-m", "gexterm"]
    code = serve(
        place,
        [*program, *viewer],
        title=title,
        hub=None if hub is None else [*program, *hub],
        without=(TOKEN_ENV, *secrets),
        tell=lambda line: click.echo(line, err=True),
    )
    if code:
        sys.exit(code)


def _register() -> None:
    from gexterm.cli.attach import hub_command, view_command

    serve_command.add_command(hub_command)
    serve_command.add_command(view_command)


_register()
