"""`gexterm simulate SCRIPT`: a synthetic market, with the dealer's book known."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from gexterm.errors import UsageError


@click.command("simulate")
@click.argument("script", required=False)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="The recording to write: FILE.gexrec."
)
@click.option("--truth", is_flag=True, help="Write the true book beside it: FILE.truth.parquet.")
@click.option("--seed", type=int, help="Another seed than the script's.")
@click.option("--force", is_flag=True, help="Replace files that are there.")
@click.option("--list", "list_them", is_flag=True, help="List the bundled scripts and stop.")
def simulate_command(
    script: str | None,
    output: Path | None,
    truth: bool,
    seed: int | None,
    force: bool,
    list_them: bool,
) -> None:
    """Make a synthetic market: a recording, and the dealer's true book.

    SCRIPT is a TOML file or the name of a bundled script. The same script and seed give
    the same bytes. The recording plays as any other; the truth is never in it.
    """
    if list_them:
        from gexterm.simulator.library import list_scripts

        for each in list_scripts():
            click.echo(f"{each.name:<18} {each.title}")
        return
    if script is None:
        raise UsageError("simulate needs a SCRIPT", "name a TOML file, or see --list")
    if output is None:
        raise UsageError("simulate needs a name for the recording", "add -o FILE.gexrec")
    from gexterm.simulator.library import find_script
    from gexterm.simulator.run import record

    chosen = find_script(script, seed)
    made = record(chosen, output, truth=truth, force=force, progress=_progress())
    beside = f"; the truth in {made.truth}" if made.truth else ""
    click.echo(
        f"{made.path}: {chosen.name}, seed {chosen.seed}, {made.events:,} events, "
        f"{made.prints:,} trades, {made.bytes / 1e6:.1f} MB (synthetic){beside}",
        err=True,
    )


def _progress() -> Callable[[float], None] | None:
    """A line of per cent that overwrites itself, on terminals only."""
    if not sys.stderr.isatty():
        return None

    def show(share: float) -> None:
        done = share >= 1.0
        click.echo("\r\033[K" if done else f"\rsimulating {share:4.0%}", nl=False, err=True)

    return show
