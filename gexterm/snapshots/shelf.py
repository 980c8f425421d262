"""The snapshots of a folder: found, listed, opened, and the oldest removed.

A folder that is damaged, or written by another version, is told in one line and stands in
nobody's way. Nothing that was kept by hand is ever removed unasked.
"""

from __future__ import annotations

import math
import os
import re
import secrets
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gexterm.errors import GextermError, InputError, OutputError, UsageError
from gexterm.reading.model import Reading
from gexterm.snapshots.meta import Meta, Taken, decode, summary

_NAME = re.compile(r"[A-Za-z0-9-]{1,24}_\d{4}-\d\d-\d\d_\d{6}_(?:ET|UTC)(?:-\d+)?", re.ASCII)
_MOST = 64_000_000
"""Bytes of a file that are read at most: nothing of ours comes near."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One snapshot."""

    path: Path
    """Its folder."""
    meta: Meta
    """What `snapshot.json` says, or what the Reading says where there is none."""
    size: int
    """Bytes of its files."""

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name

    @property
    def as_of(self) -> int:
        """Market time, ns."""
        return self.meta.summary.as_of

    @property
    def by_itself(self) -> bool:
        """Whether a schedule or an alert had it taken and nobody has written a note."""
        return self.meta.taken.why in ("schedule", "alert") and not self.meta.taken.note.strip()


@dataclass(frozen=True, slots=True)
class Shelf:
    """What a folder of snapshots holds."""

    folder: Path
    """The folder."""
    kept: tuple[Kept, ...]
    """Snapshots, newest market time first."""
    damaged: tuple[str, ...]
    """One line for each folder that cannot be read."""


def shelf(folder: Path) -> Shelf:
    """All snapshots of a folder; one that does not exist holds none."""
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if _NAME.fullmatch(entry.name))
    except FileNotFoundError:
        return Shelf(folder, (), ())
    except OSError as error:
        raise InputError(f"{folder} cannot be read: {error.strerror}") from None
    kept: list[Kept] = []
    damaged: list[str] = []
    for name in names:
        try:
            kept.append(_kept(folder / name))
        except GextermError as error:
            damaged.append(f"{name}: {error}")
    # Of one instant, the one written last comes first.
    kept.sort(key=lambda each: (each.as_of, _number(each.name)), reverse=True)
    return Shelf(folder, tuple(kept), tuple(damaged))


def _number(name: str) -> int:
    tail = re.search(r"_(?:ET|UTC)-(\d+)$", name)
    return int(tail[1]) if tail else 1


def _kept(path: Path) -> Kept:
    if path.is_symlink() or not path.is_dir():
        raise InputError("it is no folder")
    try:
        meta = decode(_bytes(path / "snapshot.json"))
    except FileNotFoundError:
        # Before there was such a file: what the Reading says.
        note = _text(path / "note.txt")
        meta = Meta(Taken(note=note, program="an earlier gexterm"), summary(reading_of(path)))
    return Kept(path, meta, _size(path))


def reading_of(path: Path) -> Reading:
    """The Reading of a snapshot's folder. Raises InputError where there is none to be had."""
    from gexterm.reading.restore import from_json

    try:
        return from_json(_bytes(path / "reading.json"))
    except FileNotFoundError:
        raise InputError(f"{path} has no reading.json", "name a snapshot's folder") from None
    except InputError as error:
        raise InputError(f"{path / 'reading.json'}: {error.message}", error.hint) from None


def page_of(kept: Kept) -> str:
    """Its page, made anew from the Reading where it lies without one."""
    text = _text(kept.path / "page.md")
    if not text:
        from gexterm.snapshots.page import page

        text = page(reading_of(kept.path), kept.meta.taken)
    return text


def find(found: Shelf, which: str) -> Kept:
    """A snapshot by number (1: the newest), by name, by the beginning of one, or by path.

    Raises InputError where none or more than one is meant.
    """
    if which.isdecimal() and which.isascii():
        number = int(which)
        if not 1 <= number <= len(found.kept):
            raise InputError(
                f"there is no snapshot number {number} in {found.folder}",
                f"there are {len(found.kept)}; `gexterm snapshots` lists them",
            )
        return found.kept[number - 1]
    path = Path(which)
    if os.sep in which or path.is_dir():
        if not path.is_dir():
            raise InputError(f"there is no folder {path}")
        return _kept(path)
    exact = [each for each in found.kept if each.name == which]
    meant = exact or [each for each in found.kept if each.name.startswith(which)]
    if len(meant) == 1:
        return meant[0]
    broken = [line for line in found.damaged if line.startswith(f"{which}:")]
    if broken:
        raise InputError(broken[0])
    if meant:
        raise InputError(f"{len(meant)} snapshots begin with {which!r}", f"one is {meant[0].name}")
    raise InputError(
        f"there is no snapshot {which!r} in {found.folder}", "`gexterm snapshots` lists them"
    )


# -- removing ----------------------------------------------------------------------------


def beyond(kept: Iterable[Kept], most_bytes: float) -> list[Kept]:
    """What to remove so that the rest fits: the oldest that came by themselves. Pure.

    Those kept by key or command, or with a note, count but are never among them.
    """
    everything = sorted(kept, key=lambda each: each.as_of)
    over = sum(each.size for each in everything) - most_bytes
    out: list[Kept] = []
    for each in everything:
        if over <= 0:
            break
        if each.by_itself:
            out.append(each)
            over -= each.size
    return out


def keep_within(folder: Path, gigabytes: float) -> list[Kept]:
    """Remove the oldest that came by themselves until the folder fits; 0: no limit.

    Returns what was removed. Raises OutputError where something cannot be.
    """
    if not gigabytes or not math.isfinite(gigabytes):
        return []
    out = beyond(shelf(folder).kept, gigabytes * 1e9)
    for each in out:
        remove(each)
    return out


def remove(kept: Kept) -> None:
    """Remove a snapshot: at once out of sight, then off the disk."""
    # A folder half removed must not pass for a snapshot.
    gone = kept.path.parent / f".snapshot-{secrets.token_hex(6)}.removed"
    try:
        kept.path.rename(gone)
        shutil.rmtree(gone)
    except OSError as error:
        raise OutputError(
            f"{kept.path} cannot be removed: {error.strerror or type(error).__name__}"
        ) from None


def chosen(
    kept: Iterable[Kept],
    *,
    underlying: str = "",
    why: str = "",
    note: str = "",
    paradigm: str = "",
    since: int = 0,
    until: int = 0,
) -> list[Kept]:
    """Those that pass every filter that is given; words in any case."""
    return [
        each
        for each in kept
        if (not underlying or each.meta.summary.underlying.lower() == underlying.lower())
        and (not why or each.meta.taken.why == why)
        and (not paradigm or each.meta.summary.paradigm.lower() == paradigm.lower())
        and note.lower() in each.meta.taken.note.lower()
        and since <= each.as_of
        and (not until or each.as_of < until)
    ]


def older_than(text: str) -> float:
    """Days of `30d`, `8w`, `1y`. Raises UsageError for anything else."""
    match = re.fullmatch(r"(\d{1,5})([dwy])", text.strip(), re.ASCII)
    if match is None:
        raise UsageError(f"{text!r} is no age", "use 30d, 8w or 1y")
    return int(match[1]) * {"d": 1.0, "w": 7.0, "y": 365.0}[match[2]]


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MOST:
            raise InputError(f"{path.name} is too large to be ours")
        return path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise InputError(f"{path.name} cannot be read: {error.strerror}") from None


def _text(path: Path) -> str:
    try:
        return _bytes(path).decode(errors="replace").strip()
    except (FileNotFoundError, InputError):
        return ""


def _size(path: Path) -> int:
    total = 0
    for entry in os.scandir(path):
        try:
            total += entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue
    return total


def listed(kept: Kept) -> dict[str, Any]:
    """One snapshot for `--json`; what is not known is null."""
    from gexterm.reading.export import iso_time

    told, taken = kept.meta.summary, kept.meta.taken

    def known(value: float) -> float | None:
        return value if math.isfinite(value) else None

    return {
        "name": kept.name,
        "path": str(kept.path),
        "as_of": iso_time(told.as_of),
        "taken_at": iso_time(taken.at) if taken.at else None,
        "why": taken.why,
        "words": taken.words,
        "note": taken.note,
        "underlying": told.underlying,
        "spot": known(told.spot),
        "scope": told.scope,
        "view": told.view,
        "mode": told.mode,
        "feed": told.feed,
        "paradigm": told.paradigm,
        "probability": known(told.probability),
        "gamma": told.gamma,
        "flip": known(told.flip),
        "signed_share": known(told.signed_share),
        "bytes": kept.size,
    }
