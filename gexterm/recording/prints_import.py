"""Cboe DataShop trade files into a recording: real prints, each with the quote at it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gexterm.clock import Clock
from gexterm.errors import OutputError
from gexterm.market.events import CANCEL, SourceInfo
from gexterm.recording.prints import read_prints
from gexterm.recording.writer import Writer, publish


@dataclass(frozen=True, slots=True)
class PrintsSummary:
    """What an import made."""

    path: Path
    """The recording."""
    info: SourceInfo
    """Source, with the time of the first and the last print."""
    contracts: int
    """Contracts defined: those that traded."""
    prints: int
    """Prints, those included that are taken back."""
    cancels: int
    """Messages that take one back."""
    rows: int
    """Lines of the file."""
    size: int
    """Bytes of the recording."""
    warnings: tuple[str, ...]
    """What was left out or made up, one line each."""


def import_prints(
    path_in: Path, path_out: Path, clock: Clock, root: str | None = None, *, force: bool = False
) -> PrintsSummary:
    """Make a recording of a trade file, CSV or a zip of one.

    `root` keeps only one root's prints. The recording appears when it is complete. There
    are no quotes in it but those at the prints: enough to sign them, not to price a chain.

    Raises InputError where the file is none of the kind, is empty, or holds several
    underlyings or days; OutputError where the recording cannot be written, or exists
    and `force` is not given.
    """
    if path_out.exists() and not force:
        raise OutputError(f"{path_out} exists already", "choose another name, or use --force")
    file = read_prints(path_in, root)
    part = path_out.with_name(f".{path_out.name}.{os.getpid()}.import")
    try:
        with Writer(part, file.info, clock, force=True) as writer:
            events = file.events()
            next(events)  # the source, which the writer has
            for event in events:
                writer.write(event)
        publish(part, path_out, force)
    except OutputError as error:
        # Who asked for `path_out` has never heard of the other name.
        message = error.message.replace(str(part), str(path_out))
        raise OutputError(message, error.hint) from error
    finally:
        part.unlink(missing_ok=True)
    cancels = int(np.count_nonzero(file.trades.action == CANCEL))
    return PrintsSummary(
        path=path_out,
        info=file.info,
        contracts=len(file.definitions.contracts),
        prints=len(file.trades.ts) - cancels,
        cancels=cancels,
        rows=file.rows,
        size=path_out.stat().st_size,
        warnings=file.warnings,
    )
