"""`gexterm levels SOURCE`: one Reading, as a table or as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gexterm.cli.common import (
    at_option,
    expiry_option,
    looks_recorded,
    open_recording,
    scope_of,
    settings,
    time_in,
    view_option,
)
from gexterm.errors import ConnectionFailedError, UsageError

if TYPE_CHECKING:
    from gexterm.reading.model import Reading


@click.command("levels")
@click.argument("source", required=False)
@click.option("--json", "as_json", is_flag=True, help="The Reading as JSON; see --schema.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of a Reading and stop.")
@view_option
@expiry_option
@at_option("Time of the quotes (ET): 10:30, or 2026-11-20T10:30. Recordings: the time to read.")
@click.option("--root", help="Option root, for files that have no column for it.")
@click.option("--underlying", help="Which underlying, when SOURCE is a base URL.")
def levels_command(
    source: str | None,
    as_json: bool,
    schema: bool,
    view: str | None,
    expiry: str | None,
    at: str | None,
    root: str | None,
    underlying: str | None,
) -> None:
    """One Reading of SOURCE, without a screen.

    SOURCE is a Cboe quote page (CSV), Cboe delayed quotes (JSON; a file, or the base
    URL to poll), a Cboe DataShop chain file, or a gexterm recording. What it is shows
    in its content. Pages made in session are 15 minutes late and are read as of then,
    unless --at says otherwise.
    """
    if schema:
        from gexterm.reading.schema import schema_json

        click.echo(schema_json().decode(), nl=False)
        return
    if source is None:
        raise UsageError("levels needs a SOURCE", "name a file, or ask for --schema")
    reading = _read(source, view, scope_of(expiry) or "all", at, root, underlying)
    if as_json:
        from gexterm.reading.export import to_json

        click.echo(to_json(reading).decode())
        return
    from gexterm.cli.table import levels_table

    click.echo(levels_table(reading))


def _read(
    source: str,
    view: str | None,
    scope: str,
    at: str | None,
    root: str | None,
    underlying: str | None,
) -> Reading:
    from gexterm.engine.oneshot import read_chain_file, reading_of_chain, reading_of_recording

    chosen = settings()
    if source.startswith(("http://", "https://")):
        if underlying is None:
            raise UsageError("a base URL needs --underlying", "for instance --underlying SPX")
        if at is not None:
            raise UsageError("--at goes with a file", "a page polled now is of now")
        import asyncio

        from gexterm.feeds.cboe_delayed import fetch

        chain = asyncio.run(fetch(source, underlying)).chain
        if chain is None:
            raise ConnectionFailedError(f"{source} says that nothing has changed", "try again")
        return reading_of_chain(chain, chosen, view=view, scope=scope, polled=True)
    path = Path(source)
    if looks_recorded(path):
        with open_recording(path) as recording:
            return reading_of_recording(
                recording, chosen, at=time_in(recording, at), view=view, scope=scope
            )
    return read_chain_file(path, chosen, at=at, root=root, view=view, scope=scope)
