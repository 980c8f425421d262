"""`gexterm import`: what other vendors sell, into our recording."""

from __future__ import annotations

from pathlib import Path

import click


@click.group("import")
def import_command() -> None:
    """Turn what other vendors sell into a recording, or into a book to carry on."""


@import_command.command("cboe-intervals")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
@click.option("--force", is_flag=True, help="Replace OUTPUT if it is there.")
def cboe_intervals(file: Path, output: Path, force: bool) -> None:
    """Cboe DataShop interval files (CSV or parquet): one underlying, one day."""
    from gexterm.clock import SystemClock
    from gexterm.recording.intervals import import_intervals

    summary = import_intervals(file, output, SystemClock(), force=force)
    info = summary.info
    for warning in summary.warnings:
        click.echo(f"note: {warning}", err=True)
    click.echo(
        f"{summary.path}: {info.underlying} {summary.date}, {summary.contracts:,} contracts, "
        f"{summary.bars:,} bars, {summary.rows:,} rows, {summary.size / 1e6:.1f} MB ({info.note})",
        err=True,
    )


@import_command.command("cboe-trades")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True)
@click.option("--root", help="Keep this root's prints only, e.g. SPXW.")
@click.option("--force", is_flag=True, help="Replace OUTPUT if it is there.")
def cboe_trades(file: Path, output: Path, root: str | None, force: bool) -> None:
    """Cboe DataShop trade files (CSV or zip): prints with the quote at each, one day.

    The recording replays, and `gexterm accuracy` says how its prints are signed.
    """
    from gexterm.clock import SystemClock
    from gexterm.market.calendar import et
    from gexterm.recording.prints_import import import_prints

    summary = import_prints(file, output, SystemClock(), root, force=force)
    info = summary.info
    for warning in summary.warnings:
        click.echo(f"note: {warning}", err=True)
    click.echo(
        f"{summary.path}: {info.underlying} {et(info.begins).date()}, "
        f"{summary.contracts:,} contracts, {summary.prints:,} prints, {summary.cancels:,} taken "
        f"back, {summary.rows:,} rows, {summary.size / 1e6:.2f} MB ({info.note})",
        err=True,
    )


@import_command.command("open-close")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, metavar="FOLDER")
@click.option("--underlying", default="SPX", show_default=True, help="Whose book it is.")
def open_close(files: tuple[Path, ...], output: Path, underlying: str) -> None:
    """Cboe Open-Close volume files (CSV or zip), days in a row: a book to --carry.

    Not a recording: what market makers gained, added up by the exchange's own account.
    """
    from gexterm.recording import books
    from gexterm.study.seeding import book_of

    book, notes = book_of(files, underlying)
    for note in notes:
        click.echo(f"note: {note}", err=True)
    path = books.save(output, book)
    click.echo(
        f"{path}: {underlying} after {book.date}, {len(book.contracts):,} contracts", err=True
    )
