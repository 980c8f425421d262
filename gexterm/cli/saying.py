"""Lines of commands that run for days: one that cannot be written must not end them."""

from __future__ import annotations

import contextlib

import click


def tell(line: str) -> None:
    """Say a line on standard error; where nothing can be written, nobody hears it."""
    with contextlib.suppress(OSError):
        click.echo(line, err=True)


def put(line: str) -> None:
    """Write a line of output; one for which the disk has no room is lost.

    Raises BrokenPipeError where the reader has gone: nobody wants any more of it.
    """
    try:
        click.echo(line)
    except BrokenPipeError:
        raise
    except OSError:
        pass
