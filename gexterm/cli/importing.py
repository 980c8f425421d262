"""`gexterm import`: what other vendors sell, into our recording."""

from __future__ import annotations

from pathlib import Path

import click


@click.group("import")
def import_command() -> None:
    """Turn what other vendors sell into a recording."""


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
