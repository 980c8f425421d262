"""`gexterm snapshot`: what the `s` key keeps, without a terminal."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gexterm.cli.common import (
    at_option,
    carry_option,
    expiry_option,
    kept_book,
    looks_recorded,
    open_recording,
    scope_of,
    settings,
    time_in,
    view_option,
)
from gexterm.errors import UsageError

if TYPE_CHECKING:
    from gexterm.snapshots.meta import Why


@click.command("snapshot")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder to write into.")
@click.option(
    "--size", default="120x36", help="Columns and rows of the picture.", show_default=True
)
@click.option("--theme", help="Colour theme, instead of the configured one.")
@click.option("--note", default="", help="A note to keep with it.")
@click.option(
    "--why",
    type=click.Choice(("command", "schedule", "alert", "key")),
    default="command",
    show_default=True,
    help="What has it taken: those of a schedule or an alert may be pruned.",
)
@view_option
@expiry_option
@at_option("Market time (ET); of a recording, which moment.")
@carry_option
def snapshot_command(
    source: Path,
    output: Path | None,
    size: str,
    theme: str | None,
    note: str,
    why: Why,
    view: str | None,
    expiry: str | None,
    at: str | None,
    carry: Path | None,
    no_carry: bool,
) -> None:
    """Keep screen (SVG, PNG), Reading (JSON), strikes (parquet, CSV) and a page of SOURCE.

    SOURCE is a recording, the name of a sample feed, or a chain file. One folder is
    written, whole or not at all; its path goes to standard output.
    """
    from gexterm import paths
    from gexterm.alerts.monitor import AlertMonitor
    from gexterm.cli.levels import sample_or_file
    from gexterm.clock import SystemClock
    from gexterm.config import VIEWS
    from gexterm.engine.oneshot import read_chain_file, reading_of_recording
    from gexterm.snapshots.meta import Taken
    from gexterm.snapshots.write import write_snapshot
    from gexterm.ui.still import picture_of

    columns, rows = _size(size)
    source = sample_or_file(str(source))
    chosen = settings()
    scope = scope_of(expiry)
    watch = AlertMonitor()
    if looks_recorded(source):
        with open_recording(source) as recording:
            watch = AlertMonitor.of(chosen, recording.info.underlying)
            carried = kept_book(carry, no_carry, recording)
            reading = reading_of_recording(
                recording,
                chosen,
                at=time_in(recording, at),
                view=view,
                scope=scope,
                carry=carried.book,
                earlier=carried.earlier,
                warnings=carried.warnings,
                on_the_way=watch.update,
            )
    else:
        reading = read_chain_file(source, chosen, at=at, view=view, scope=scope)
    picture = asyncio.run(
        picture_of(
            reading,
            columns,
            rows,
            theme=theme or chosen.theme,
            views=VIEWS,
            alerts=tuple(watch.log),
        )
    )
    folder = output or (Path(chosen.snapshots) if chosen.snapshots else paths.snapshots())
    taken = Taken(why, SystemClock().now_ns())
    click.echo(write_snapshot(folder, reading, picture, note, taken))


def _size(text: str) -> tuple[int, int]:
    columns, _, rows = text.partition("x")
    if columns.isdigit() and rows.isdigit():
        size = int(columns), int(rows)
        if 20 <= size[0] <= 500 and 5 <= size[1] <= 200:
            return size
    raise UsageError(f"--size {text!r} is no size", "use columns x rows, such as 120x36")
