"""`gexterm levels SOURCE`: one Reading, as a table, as JSON, or its levels for other programs."""

from __future__ import annotations

from collections.abc import Callable
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
from gexterm.errors import ConnectionFailedError, UsageError

if TYPE_CHECKING:
    from gexterm.reading.model import Reading
    from gexterm.recording.books import Book


@click.command("levels")
@click.argument("source", required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(("table", "json", "text", "csv", "pine")),
    help="table: everything, for a person. json: the Reading. text: a few lines to paste. csv: "
    "price levels. pine: a script that draws them on a chart.",
)
@click.option("--json", "as_json", is_flag=True, help="As --format json; see --schema.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of a Reading and stop.")
@view_option
@expiry_option
@at_option("Time of the quotes (ET): 10:30, or 2026-11-20T10:30. Recordings: the time to read.")
@click.option("--root", help="Option root, for files that have no column for it.")
@carry_option
@click.option(
    "--keep-book",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Keep the inferred book there, for the next session to carry on.",
)
@click.option("--underlying", help="Which underlying, when SOURCE is a base URL.")
def levels_command(
    source: str | None,
    form: str | None,
    as_json: bool,
    schema: bool,
    view: str | None,
    expiry: str | None,
    at: str | None,
    root: str | None,
    underlying: str | None,
    carry: Path | None,
    no_carry: bool,
    keep_book: Path | None,
) -> None:
    """One Reading of SOURCE, without a screen.

    SOURCE is a Cboe quote page (CSV), Cboe delayed quotes (JSON; a file, or the base
    URL to poll), a Cboe DataShop chain file, a gexterm recording, or the name of a sample
    feed. What it is shows in its content. Pages made in session are 15 minutes late and
    are read as of then, unless --at says otherwise.
    """
    if schema:
        from gexterm.reading.schema import schema_json

        click.echo(schema_json().decode(), nl=False)
        return
    if as_json and form not in (None, "json"):
        raise UsageError(f"--json and --format {form} contradict each other", "give one of them")
    form = "json" if as_json else form
    if source is None:
        raise UsageError("levels needs a SOURCE", "name a file, or ask for --schema")
    scope = scope_of(expiry) or "all"
    reading = read_source(source, view, scope, at, root, underlying, carry, no_carry, keep_book)
    click.echo(_shown(reading, form or "table"), nl=False)


def _shown(reading: Reading, form: str) -> str:
    """The Reading in one of the forms, with its last newline."""
    if form == "json":
        from gexterm.reading.export import to_json

        return to_json(reading).decode() + "\n"
    if form == "table":
        from gexterm.cli.table import levels_table

        return levels_table(reading) + "\n"
    from gexterm.snapshots import levels

    write = {"text": levels.as_text, "csv": levels.as_csv, "pine": levels.as_pine}[form]
    return write(reading)


def read_source(
    source: str,
    view: str | None,
    scope: str,
    at: str | None,
    root: str | None,
    underlying: str | None,
    carry: Path | None = None,
    no_carry: bool = False,
    keep_book: Path | None = None,
) -> Reading:
    """One Reading of a chain file, a page or a recording, as the command line names it."""
    from gexterm.engine.oneshot import read_chain_file, reading_of_chain, reading_of_recording

    chosen = settings()
    web = source.startswith(("http://", "https://"))
    path = Path(source) if web else sample_or_file(source)
    if (carry or no_carry or keep_book) and (web or not looks_recorded(path)):
        raise UsageError(
            "--carry, --no-carry and --keep-book go with a recording", "a chain has no tape"
        )
    if web:
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
    if looks_recorded(path):
        with open_recording(path) as recording:
            carried = kept_book(carry, no_carry, recording)
            return reading_of_recording(
                recording,
                chosen,
                at=time_in(recording, at),
                view=view,
                scope=scope,
                carry=carried.book,
                earlier=carried.earlier,
                warnings=carried.warnings,
                keep=None if keep_book is None else _keeper(keep_book),
            )
    return read_chain_file(path, chosen, at=at, root=root, view=view, scope=scope)


def sample_or_file(source: str) -> Path:
    """The file of that path, or else the sample feed of that name. It need not be there."""
    path = Path(source)
    if path.exists():
        return path
    from gexterm.recording.samples import list_samples

    return next((each.path for each in list_samples() if each.name == source), path)


def _keeper(folder: Path) -> Callable[[Book], None]:
    """Writes a book and says where."""

    def keep(book: Book) -> None:
        from gexterm.recording import books

        click.echo(f"the book of {book.date} is kept in {books.save(folder, book)}", err=True)

    return keep
