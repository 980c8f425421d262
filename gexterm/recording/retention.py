"""Which old recordings go when there are too many: a plan, and its doing.

Only what gexterm recorded itself, live, in that folder is ever deleted: files two folders
down (venue, underlying), named by day and time as the recorder names them, that begin as
such files do. Nothing that is a link, nothing that somebody is writing, nothing else.

Raw frames go first, since the days themselves remain without them. A book beside a recording
is part of it: it goes with it, right after it.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
import stat
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gexterm.recording import books, frames
from gexterm.recording import format as layout
from gexterm.recording.appending import in_use

SUFFIX = ".gexrec"
"""How a recording's name ends."""
_NAME = re.compile(r"(\d{4}-\d\d-\d\d)T\d{6}(?:-\d{1,3})?(\.gexrec|\.frames|\.book)")
_MAGICS = {SUFFIX: layout.MAGIC, frames.SUFFIX: frames.MAGIC, books.SUFFIX: books.MAGIC}


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """How much is kept."""

    days: int = 0
    """Recordings of more days ago go; 0: none by age."""
    frames_days: int = 7
    """Raw frames of more days ago go; 0: none by age."""
    most_bytes: int = 100 * 1024**3
    """Bytes of all recordings and raw frames of the folder; 0: no limit."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that gexterm recorded."""

    path: Path
    """Where it is."""
    date: dt.date
    """Day in New York on which it begins, as its name says."""
    bytes: int
    """Its size."""
    raw: bool
    """Whether it has raw frames, not a recording."""


def plan(
    files: Sequence[Kept],
    settings: RetentionSettings,
    today: dt.date,
    writing: Collection[Path] = (),
) -> list[Kept]:
    """What is to go, in that order: what is too old; then, over the total, frames, then days.

    Within each, the oldest first. Never anything in `writing`, although its bytes count.
    """
    oldest_first = sorted(files, key=lambda file: (file.path.name, str(file.path)))
    of = _recordings(files)
    beside = {of[file.path]: file for file in files if file.path in of}
    free = [f for f in oldest_first if f.path not in writing and f.path not in of]
    going = []
    for file in free:
        days = settings.frames_days if file.raw else settings.days
        if file.raw and settings.days:
            days = min(days or settings.days, settings.days)
        if days and (today - file.date).days > days:
            going.append(file)
    if settings.most_bytes:
        gone = set(going)
        gone |= {beside[file.path] for file in going if file.path in beside}
        over = sum(file.bytes for file in files if file not in gone) - settings.most_bytes
        # Sorting is stable: the oldest first among frames, then among recordings.
        for file in sorted((f for f in free if f not in gone), key=lambda f: not f.raw):
            if over <= 0:
                break
            going.append(file)
            over -= file.bytes + (beside[file.path].bytes if file.path in beside else 0)
    return [each for file in going for each in (file, beside.get(file.path)) if each is not None]


def _recordings(files: Sequence[Kept]) -> dict[Path, Path]:
    """The recordings that books belong to; a book that lost its own is not in it."""
    here = {file.path for file in files}
    pairs = ((f.path, f.path.with_suffix(SUFFIX)) for f in files if f.path.suffix == books.SUFFIX)
    return {book: recording for book, recording in pairs if recording in here}


def kept(folder: Path) -> list[Kept]:
    """Every file under `folder` that the recorder made. What cannot be looked at is left out."""
    out: list[Kept] = []
    for venue in _entries(folder):
        if not venue.is_dir(follow_symlinks=False):
            continue
        for underlying in _entries(Path(venue.path)):
            if not underlying.is_dir(follow_symlinks=False):
                continue
            found = map(_kept, _entries(Path(underlying.path)))
            out += (file for file in found if file is not None)
    return out


def tidy(
    folder: Path,
    settings: RetentionSettings,
    today: dt.date,
    writing: Collection[Path] = (),
) -> list[Kept]:
    """Delete what `plan` names; what was deleted. What cannot be deleted stays, in silence."""
    gone: list[Kept] = []
    files = kept(folder)
    of = _recordings(files)
    for file in plan(files, settings, today, writing):
        if file.path in of and of[file.path] not in {each.path for each in gone}:
            continue  # its recording is still there: somebody is writing it
        with contextlib.suppress(OSError):
            if _delete(folder, file):
                gone.append(file)
    return gone


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    with contextlib.suppress(OSError), os.scandir(folder) as found:
        yield from found


def _kept(entry: os.DirEntry[str]) -> Kept | None:
    match = _NAME.fullmatch(entry.name)
    if match is None:
        return None
    try:
        date = dt.date.fromisoformat(match[1])
        if not entry.is_file(follow_symlinks=False):
            return None
        size = entry.stat(follow_symlinks=False).st_size
    except (OSError, ValueError):
        return None
    return Kept(Path(entry.path), date, size, match[2] == frames.SUFFIX)


def _delete(folder: Path, file: Kept) -> bool:
    """Delete one file, unless it is not what its name says, or in use.

    Each step down is opened without following links, so that nothing outside the
    folder is reached, even if somebody changes it meanwhile.
    """
    opened: list[int] = []
    way = os.O_RDONLY | os.O_DIRECTORY
    try:
        opened.append(os.open(folder, way))
        for name in file.path.relative_to(folder).parts[:-1]:
            opened.append(os.open(name, way | os.O_NOFOLLOW, dir_fd=opened[-1]))
        where, name = opened[-1], file.path.name
        opened.append(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=where))
        magic = _MAGICS[file.path.suffix]
        if not stat.S_ISREG(os.fstat(opened[-1]).st_mode) or in_use(opened[-1]):
            return False
        if os.pread(opened[-1], len(magic), 0) != magic:
            return False
        os.unlink(name, dir_fd=where)
        return True
    finally:
        for descriptor in reversed(opened):
            os.close(descriptor)
