"""Keeping what a key press asks for: the picture, the Reading and its strikes.

A snapshot is one folder. It is put together under a hidden name and renamed when it is
whole: under its final name it is complete or it does not exist, whatever happens.
See `docs/decisions/0003-snapshot-pictures.md`.
"""

from __future__ import annotations

import io
import os
import re
import secrets
import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl

from gexterm.errors import OutputError
from gexterm.reading.export import to_json
from gexterm.reading.model import STRIKE_COLUMNS, Reading
from gexterm.snapshots.meta import Meta, Taken, encode, summary
from gexterm.snapshots.page import page
from gexterm.snapshots.picture import Picture
from gexterm.snapshots.png import to_png
from gexterm.snapshots.svg import to_svg
from gexterm.snapshots.wording import market_time


def write_snapshot(
    folder: Path,
    reading: Reading,
    picture: Picture | None,
    note: str = "",
    taken: Taken | None = None,
) -> Path:
    """Write one snapshot into `folder`, made if need be, and return where it lies.

    Files: `page.md`, `snapshot.json`, `reading.json`, `strikes.parquet`, `strikes.csv`; with
    a picture `screen.svg` and `screen.png`; with a note `note.txt`. `taken` says how it came
    about; a `note` given besides replaces its own. Never overwrites: a second snapshot of the
    same second gets `-2`. Blocks for some 0.1 s, so call it off the event loop. Raises
    OutputError when it cannot be written; then nothing is left behind.
    """
    name = snapshot_name(reading)
    taken = taken or Taken()
    try:
        files = _contents(reading, picture, replace(taken, note=note or taken.note))
    except ValueError as error:
        raise OutputError(f"the snapshot cannot be drawn: {error}") from error
    part = folder / f".snapshot-{secrets.token_hex(6)}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part.mkdir()
        for file_name, content in files.items():
            _write(part / file_name, content)
        final = _rename(part, folder, name)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise OutputError(
            f"the snapshot cannot be written to {folder}: {reason}",
            "check the folder and the space left on it",
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return final


def snapshot_name(reading: Reading) -> str:
    """Underlying, market date and time, e.g. `SPX_2018-01-05_103500_ET`."""
    when, zone = market_time(reading)
    # Symbols are text from outside: no separators, no dots, nothing to climb with.
    underlying = re.sub(r"[^A-Za-z0-9-]", "", reading.underlying)[:24] or "unknown"
    return f"{underlying}_{when:%Y-%m-%d_%H%M%S}_{zone}"


def _contents(reading: Reading, picture: Picture | None, taken: Taken) -> dict[str, bytes]:
    strikes = _strikes(reading)
    parquet = io.BytesIO()
    strikes.write_parquet(parquet)
    files = {
        "page.md": page(reading, taken, picture=picture is not None).encode(errors="replace"),
        "snapshot.json": encode(Meta(taken, summary(reading))),
        "reading.json": to_json(reading, indent=2) + b"\n",
        "strikes.parquet": parquet.getvalue(),
        "strikes.csv": strikes.write_csv().encode(),
    }
    if picture is not None:
        when, zone = market_time(reading)
        source = f"{reading.source.mode} · {reading.source.feed}"
        svg = to_svg(
            picture,
            f"{reading.underlying} · {when:%Y-%m-%d %H:%M:%S} {zone} · {source}",
        )
        files |= {"screen.svg": svg.encode(), "screen.png": to_png(svg)}
    if taken.note:
        files["note.txt"] = taken.note.encode(errors="replace") + b"\n"
    return files


def _strikes(reading: Reading) -> pl.DataFrame:
    """The strikes with every published column, null where not known."""
    frame = reading.strikes
    return frame.select(
        (
            pl.when(pl.col(name).is_finite()).then(pl.col(name))
            if name in frame.columns
            else pl.lit(None, pl.Float64)
        ).alias(name)
        for name in STRIKE_COLUMNS
    )


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        # The rename must not reach the disk before the bytes do.
        os.fsync(file.fileno())


def _rename(part: Path, folder: Path, name: str) -> Path:
    for number in range(1, 10_000):
        final = folder / (name if number == 1 else f"{name}-{number}")
        if final.exists() or final.is_symlink():
            continue
        try:
            part.rename(final)
        except OSError:
            if final.exists():
                continue  # somebody else was quicker; theirs stands
            raise
        return final
    raise OSError("too many snapshots of the same second")
