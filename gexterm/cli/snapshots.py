"""`gexterm snapshots`: what was kept, listed, opened, compared and cleared away."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gexterm.cli.common import settings
from gexterm.errors import InputError, OutputError, UsageError

if TYPE_CHECKING:
    from gexterm.snapshots.shelf import Kept, Shelf

_WHY = ("key", "schedule", "alert", "command")
_PICTURES = ("screen.png", "screen.svg")


@click.group("snapshots", invoke_without_command=True)
@click.option(
    "-C",
    "--folder",
    type=click.Path(path_type=Path),
    help="Folder of snapshots, instead of the configured one.",
)
@click.pass_context
def snapshots_command(context: click.Context, folder: Path | None) -> None:
    """The snapshots that were kept. Without a command they are listed, newest first.

    A snapshot is named by its number in that list, by its name or the beginning of it, or
    by the path of its folder.
    """
    context.obj = folder
    if context.invoked_subcommand is None:
        context.invoke(list_command)


def folder_of(given: Path | None) -> Path:
    """The folder that was named, else the configured one."""
    from gexterm import paths

    if given is not None:
        if not given.is_dir():
            raise InputError(f"there is no folder {given}")
        return given
    chosen = settings()
    return Path(chosen.snapshots).expanduser() if chosen.snapshots else paths.snapshots()


def _shelf(given: Path | None) -> Shelf:
    from gexterm.snapshots.shelf import shelf

    return shelf(folder_of(given))


def _tell_damaged(found: Shelf) -> None:
    from gexterm.cli.saying import tell

    for line in found.damaged:
        tell(f"gexterm: left out: {line}")


# -- list --------------------------------------------------------------------------------


@snapshots_command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.option("--underlying", default="", help="Of this underlying only.")
@click.option("--paradigm", default="", help="With this paradigm only.")
@click.option("--why", type=click.Choice(_WHY), help="Taken for this reason only.")
@click.option("--note", default="", help="With these words in the note only.")
@click.option("--since", metavar="DATE", help="From this market date on.")
@click.option("--until", metavar="DATE", help="Up to and including this market date.")
@click.option("-n", "--limit", type=click.IntRange(1), help="The newest so many.")
@click.pass_obj
def list_command(
    folder: Path | None,
    as_json: bool = False,
    underlying: str = "",
    paradigm: str = "",
    why: str | None = None,
    note: str = "",
    since: str | None = None,
    until: str | None = None,
    limit: int | None = None,
) -> None:
    """List the snapshots, newest first."""
    from gexterm.snapshots.shelf import chosen, listed

    found = _shelf(folder)
    picked = chosen(
        found.kept,
        underlying=underlying,
        why=why or "",
        note=note,
        paradigm=paradigm,
        since=_day(since, "--since"),
        until=_day(until, "--until", after=1),
    )
    shown = picked[:limit]
    if as_json:
        import json

        for each in shown:
            click.echo(json.dumps(listed(each), ensure_ascii=False))
    elif not found.kept:
        click.echo(f"no snapshots in {found.folder}; the key `s` keeps one", err=True)
    else:
        number = {each.path: i for i, each in enumerate(found.kept, 1)}
        width = _columns()
        for each in shown:
            click.echo(_row(number[each.path], each, width))
        if len(shown) < len(found.kept):
            click.echo(f"{len(shown)} of {len(found.kept)} in {found.folder}", err=True)
    _tell_damaged(found)


def _columns() -> int:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0


def _row(number: int, kept: Kept, width: int) -> str:
    from gexterm.snapshots import wording

    told, taken = kept.meta.summary, kept.meta.taken
    when, zone = wording.at_market(kept.as_of, told.clock == "UTC")
    odds = wording.chance(told.probability) if told.probability == told.probability else ""
    mode = "" if told.mode in ("live", "delayed") else f"[{told.mode}] "
    words = taken.note or (taken.words if taken.why in ("schedule", "alert") else "")
    line = (
        f"{number:>3}  {when:%Y-%m-%d %H:%M:%S} {zone:<3}  {wording.clean(told.underlying):<6}"
        f" {taken.why:<8}  {wording.points(told.spot):>10}  {wording.clean(told.paradigm):<8}"
        f" {odds:>4}  flip {wording.points(told.flip):>9}  {wording.clean(mode + words)}"
    ).rstrip()
    return line if not width or len(line) <= width else line[: width - 1] + "…"


def _day(text: str | None, option: str, after: int = 0) -> int:
    """The beginning of a New York date, ns; 0 without one."""
    if text is None:
        return 0
    from gexterm.market.calendar import at_et

    try:
        date = dt.date.fromisoformat(text) + dt.timedelta(days=after)
    except (ValueError, OverflowError):
        raise UsageError(f"{option} {text!r} is no date", "write 2026-11-20") from None
    return at_et(date, dt.time())


# -- open --------------------------------------------------------------------------------


@snapshots_command.command("open")
@click.argument("which", default="1")
@click.option("--picture", is_flag=True, help="Open the picture with the system's viewer.")
@click.option("--path", "path_only", is_flag=True, help="Say where it lies, and no more.")
@click.pass_obj
def open_command(folder: Path | None, which: str, picture: bool, path_only: bool) -> None:
    """Show the page of a snapshot; WHICH is a number, a name or a path (1: the newest)."""
    from gexterm.snapshots.shelf import find, page_of

    kept = find(_shelf(folder), which)
    if path_only:
        click.echo(kept.path)
    elif picture:
        shown = next((kept.path / n for n in _PICTURES if (kept.path / n).is_file()), None)
        if shown is None:
            raise InputError(f"{kept.path} has no picture", "leave out --picture")
        open_with_viewer(shown)
    else:
        from gexterm.snapshots.plain import plain

        click.echo(plain(page_of(kept), max(40, min(100, _columns() or 100))), nl=False)


def open_with_viewer(path: Path) -> None:
    """Hand a file to the system's viewer, without a shell and without waiting for it.

    Raises OutputError where there is none.
    """
    name = "open" if sys.platform == "darwin" else "xdg-open"
    program = shutil.which(name)
    if program is None:
        raise OutputError(f"{name} is not there to show a picture", f"the picture is {path}")
    try:
        subprocess.Popen(  # noqa: S603 (a fixed program and a path of ours, no shell)
            [program, str(path.resolve())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise OutputError(f"{program} does not start: {error.strerror}") from None


# -- compare -----------------------------------------------------------------------------


@snapshots_command.command("compare")
@click.argument("before")
@click.argument("after")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@click.option("--strikes", type=click.IntRange(0, 1000), default=5, show_default=True,
              help="How many strikes of each column.")  # fmt: skip
@click.pass_obj
def compare_command(
    folder: Path | None, before: str, after: str, as_json: bool, strikes: int
) -> None:
    """What moved from snapshot BEFORE to snapshot AFTER, and by how much."""
    from gexterm.snapshots.compare import as_text, compare
    from gexterm.snapshots.shelf import find, reading_of

    found = _shelf(folder)
    one, two = find(found, before), find(found, after)
    compared = compare(
        reading_of(one.path), reading_of(two.path), names=(one.name, two.name), strikes=strikes
    )
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(compared.to_dict()).decode())
    else:
        click.echo(as_text(compared), nl=False)


# -- prune -------------------------------------------------------------------------------


@snapshots_command.command("prune")
@click.option("--keep", type=click.IntRange(0), metavar="N", help="Keep the newest N of them.")
@click.option("--older", metavar="AGE", help="Remove those older than 30d, 8w or 1y.")
@click.option("--all", "everything", is_flag=True,
              help="Also those kept by key or command, or with a note.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@click.pass_obj
def prune_command(
    folder: Path | None, keep: int | None, older: str | None, everything: bool, dry_run: bool
) -> None:
    """Remove old snapshots that a schedule or an alert had taken.

    With both --keep and --older only those go that are neither among the newest nor young.
    What was kept by hand, or carries a note, stays unless --all is given.
    """
    from gexterm.clock import SystemClock
    from gexterm.snapshots.shelf import older_than, remove

    if keep is None and older is None:
        raise UsageError("prune needs --keep or --older", "for instance --older 30d")
    found = _shelf(folder)
    meant = [each for each in found.kept if everything or each.by_itself]
    going = meant if keep is None else meant[keep:]
    if older is not None:
        oldest = SystemClock().now_ns() - round(older_than(older) * 86_400e9)
        going = [each for each in going if each.as_of < oldest]
    for each in going:
        if not dry_run:
            remove(each)
        click.echo(each.path)
    size = sum(each.size for each in going) / 1e6
    done = "would be removed" if dry_run else "removed"
    click.echo(f"{len(going)} of {len(found.kept)} {done}, {size:,.1f} MB", err=True)
    _tell_damaged(found)
