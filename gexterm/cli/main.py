"""The `gexterm` command: which commands there are, and how errors reach a person.

Commands are imported when they are called, so that `gexterm --version` and shell
completion load neither NumPy, polars nor Textual.
"""

from __future__ import annotations

import errno
import importlib
import io
import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import click

from gexterm import __version__
from gexterm.errors import GextermError, InputError, OutputError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "demo": ("gexterm.cli.monitor", "The monitor on a bundled sample feed."),
    "replay": ("gexterm.cli.monitor", "The monitor on a recording."),
    "live": ("gexterm.cli.live", "The monitor on a live venue."),
    "serve": ("gexterm.cli.serve", "The monitor in a browser."),
    "record": ("gexterm.cli.live", "Record a live venue, without a screen."),
    "feeds": ("gexterm.cli.feeds", "The venues: what each needs and carries; keys."),
    "doctor": ("gexterm.cli.feeds", "Connect to a venue and say what is missing."),
    "levels": ("gexterm.cli.levels", "One Reading of a chain file or recording."),
    "watch": ("gexterm.cli.watch", "One line per Reading, for programs; no screen."),
    "import": ("gexterm.cli.importing", "Turn what other vendors sell into a recording."),
    "simulate": ("gexterm.cli.simulate", "Make a synthetic market whose true book is known."),
    "accuracy": ("gexterm.cli.accuracy", "Signing and positions against known truth."),
    "snapshot": ("gexterm.cli.snapshot", "Keep screen, Reading and strikes, without a terminal."),
    "snapshots": ("gexterm.cli.snapshots", "List, open and compare what was kept."),
    "alerts": ("gexterm.cli.alerts", "Past alerts; the rules in force; a test of deliveries."),
    "completion": ("gexterm.cli.completion", "The completion script of a shell."),
    "config": ("gexterm.cli.settings", "Show the settings and where they come from."),
    "themes": ("gexterm.cli.themes", "Colour themes: list, look at, begin and check your own."),
    "locate": ("gexterm.cli.settings", "Show where files are kept."),
    "keys": ("gexterm.cli.settings", "Show what the keys of the monitor do."),
}
"""Command name to its module and one line of help."""


def _completing() -> bool:
    """Whether a shell asks what could follow on the command line."""
    return "_GEXTERM_COMPLETE" in os.environ


class ReaderGone(Exception):  # noqa: N818 (nothing went wrong)
    """Nobody reads standard output any more (`| head`): the work is done."""


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is asked for."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """As ever; what is printed on the way may meet a closed pipe."""
        # click would end with exit code 1 on a BrokenPipeError that it sees.
        try:
            return super().make_context(*args, **kwargs)
        except BrokenPipeError:
            raise ReaderGone from None

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise ReaderGone from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        command: click.Command = getattr(module, f"{cmd_name}_command")
        if _completing():
            from gexterm.cli.completing import attach

            attach(cmd_name, command)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """Commands and options that begin so, without importing any command."""
        from click.shell_completion import CompletionItem

        found = [
            CompletionItem(name, help=line)
            for name, (_, line) in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with `gexterm demo`. Data goes to standard output, everything else to standard "
    "error. Exit codes: 2 bad usage, 3 bad input, 4 no connection.",
)
@click.version_option(__version__, prog_name="gexterm", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Write tracebacks of unforeseen errors to the log.")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:  # noqa: ARG001 - `run` looks for it
    """A terminal monitor of the option dealer's book.

    gamma, charm and vanna by strike, the gamma flip, and the 0DTE charm paradigm
    with its lines in the sand. Every dealer position is an inference: the sign
    convention stands beside every number that depends on it.
    """
    if ctx.invoked_subcommand is None:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            click.echo(ctx.get_help())
            return
        import asyncio

        from gexterm.cli.common import settings
        from gexterm.cli.screen import start_screen
        from gexterm.ui.terminal import need_terminal

        need_terminal()
        asyncio.run(start_screen(settings()))


def run() -> NoReturn:
    """Entry point. Turns every error into one line and an exit code."""
    debug = "--debug" in sys.argv[1:]
    _any_characters()
    if _completing():
        from gexterm.cli.completing import register

        register()
    try:
        code = cli.main(standalone_mode=False)
    except GextermError as error:
        _say(error.message, error.hint)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        _say(error.format_message().rstrip("."), "see --help")
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
    except (ReaderGone, BrokenPipeError):
        _quiet_pipe()
        sys.exit(0)
    except OSError as error:
        # A name that the system does not take, a folder that may not be looked into.
        if not debug and error.errno in _FULL and error.filename is None:
            _say(f"standard output cannot be written: {error.strerror}", "check the space left")
            _quiet_pipe()
            sys.exit(OutputError.exit_code)
        if debug or error.filename is None:
            _unforeseen(error, debug)
            sys.exit(1)
        _say(_refused(error), "")
        sys.exit(InputError.exit_code)
    except Exception as error:
        _unforeseen(error, debug)
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""What keeps a whole disk, and not one file, from being written."""


def _refused(error: OSError) -> str:
    from gexterm.market.roots import printable

    return f"{printable(error.filename)} cannot be used: {error.strerror}"


def _any_characters() -> None:
    # Where the locale has no minus sign or block, a question mark is better than no line.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")


def _say(message: str, hint: str) -> None:
    line = f"gexterm: {message}; {hint}" if hint else f"gexterm: {message}"
    click.echo(" ".join(line.split()), err=True)


def _quiet_pipe() -> None:
    # Whoever read us has gone (`| head`). Python would complain once more at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _unforeseen(error: Exception, debug: bool) -> None:
    what = f"something went wrong that should not have ({type(error).__name__}: {error})"
    if not debug:
        _say(what, "run again with --debug and report what the log says")
        return
    import traceback

    from gexterm.paths import log_file

    path = log_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as log:
            traceback.print_exception(error, file=log)
    except OSError as problem:
        _say(what, f"the log {path} cannot be written ({problem})")
        return
    _say(what, f"see {path}")
