"""Yesterday's book on disk: what a session leaves for the next one.

One file per underlying and session date, `<folder>/<underlying>/<date>.book`:

    8 bytes    `GEXBOOK` and the format's version, one byte
    32 bytes   SHA-256 of all that follows
    rest       zstd of JSON: `Book` by field

It is written whole under another name and then renamed: there is never half of one. A
file that does not match its checksum is not read.

A recording whose session went on from a book has that book beside it, under its own name:
`NAME.gexrec` and `NAME.book`. The recording's header holds the book's checksum.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
import zstandard
from numpy.typing import NDArray

from gexterm.errors import OutputError, RecordingError, RecordingVersionError
from gexterm.market.contracts import Contract, Right
from gexterm.market.roots import printable

F64 = NDArray[np.float64]

VERSION = 1
MAGIC = b"GEXBOOK"
"""How a book begins."""
_LARGEST = 256 * 1024 * 1024
"""Bytes of JSON; a whole SPX chain with eight common errors is about 5 MB."""
SUFFIX = ".book"
"""How a book's name ends."""
_HEAD = len(MAGIC) + 1 + 32
_DECIMALS = 3
"""A thousandth of a contract is beyond what is known."""
_COLUMNS = ("mean", "variance", "opened", "traded", "volume", "open_interest")


@dataclass(frozen=True, eq=False, slots=True)
class Book:
    """The dealer's book at the end of a session, by contract. m contracts."""

    underlying: str
    """Index or stock, e.g. `SPX`."""
    date: dt.date
    """The session's date."""
    epoch: int
    """Since when it has been added up, ns."""
    as_of: int
    """When it was left, ns."""
    contracts: tuple[Contract, ...]
    """The contracts, each once."""
    mean: F64
    """Dealer contracts, + = long. Shape (m,)."""
    variance: F64
    """Variance of each alone, contracts². Shape (m,)."""
    shared: F64
    """Common errors, contracts per standard deviation. Shape (k, m)."""
    opened: F64
    """Opening contracts recorded since `epoch`, up to this session's beginning. Shape (m,)."""
    traded: F64
    """Contracts recorded in this session. Shape (m,)."""
    volume: F64
    """The venue's volume of this session; NaN not known. Shape (m,)."""
    open_interest: F64
    """Open interest at this session's beginning; NaN not known. Shape (m,)."""
    reconciled: str = ""
    """What this session's morning said of the book before it; empty: nothing."""

    def without_expired(self, today: dt.date) -> Book:
        """The book as far as it has not expired before `today`."""
        keep = np.array([c.expiry >= today for c in self.contracts], np.bool_)
        if keep.all():
            return self
        return replace(
            self,
            contracts=tuple(c for c, kept in zip(self.contracts, keep, strict=True) if kept),
            shared=self.shared[:, keep],
            **{name: getattr(self, name)[keep] for name in _COLUMNS},
        )


class _Series(msgspec.Struct):
    root: str
    expiry: dt.date
    right: Right
    strike: list[float]


class _File(msgspec.Struct):
    underlying: str
    date: dt.date
    epoch: int
    as_of: int
    reconciled: str
    series: list[_Series]
    mean: list[float]
    variance: list[float]
    shared: list[list[float]]
    opened: list[float]
    traded: list[float]
    volume: list[float | None]
    open_interest: list[float | None]


def path_of(folder: Path, underlying: str, date: dt.date) -> Path:
    """Where the book of a session is kept."""
    # Symbols are text from outside: no separators, no dots, nothing to climb with.
    name = re.sub(r"[^A-Za-z0-9_-]", "", underlying)[:24] or "unknown"
    return folder / name / f"{date.isoformat()}{SUFFIX}"


def latest(folder: Path, underlying: str, before: dt.date) -> Path | None:
    """The newest book of a session before a date; None where there is none."""
    found = []
    try:
        for path in path_of(folder, underlying, before).parent.glob(f"*{SUFFIX}"):
            try:
                date = dt.date.fromisoformat(path.name.removesuffix(SUFFIX))
            except ValueError:
                continue
            if date < before:
                found.append((date, path))
    except OSError:
        return None
    return max(found)[1] if found else None


def beside(recording: Path) -> Path:
    """Where the book is that a recording's session went on from."""
    return recording.with_suffix(SUFFIX)


def as_kept(book: Book) -> Book:
    """A book as it is once written and read again: rounded, without empty contracts.

    Who goes on from a book that was never written goes on from this one, so that another
    who reads it has the same. Raises ValueError where a number that must be one is none.
    """
    for name in ("mean", "variance", "shared", "opened", "traded"):
        if not np.isfinite(getattr(book, name)).all():
            raise ValueError(f"the book's {name} is not finite")
    return _sorted(
        replace(
            book,
            shared=np.round(book.shared, _DECIMALS),
            **{name: np.round(getattr(book, name), _DECIMALS) for name in _COLUMNS},
        )
    )


def save(folder: Path, book: Book) -> Path:
    """Keep a book, in place of an earlier one of the same session.

    Contracts in which nothing is held, known or recorded are left out. Raises OutputError
    where it cannot be written, ValueError where a number that must be one is none.
    """
    path = path_of(folder, book.underlying, book.date)
    write(path, encode(book))
    return path


def encode(book: Book) -> bytes:
    """A book as its file's content. Raises ValueError as `as_kept` does."""
    body = zstandard.ZstdCompressor(level=9, write_content_size=True).compress(
        msgspec.json.encode(_to_file(as_kept(book)))
    )
    return MAGIC + bytes([VERSION]) + hashlib.sha256(body).digest() + body


def checksum(content: bytes) -> str:
    """The checksum that a book's file states, in hexadecimal."""
    return content[_HEAD - 32 : _HEAD].hex()


def write(path: Path, content: bytes) -> None:
    """Put a book's content there, whole or not at all. Raises OutputError where it cannot be."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"the book cannot be kept as {printable(str(path), 200)}: {error.strerror or error}",
            "name another folder for books, or make room",
        ) from error


def load(path: Path, today: dt.date | None = None, *, stated: str = "") -> Book:
    """A kept book; what expired before `today` is dropped.

    Raises RecordingError where it cannot be read, is damaged or has another checksum than
    the one `stated` (empty: any), RecordingVersionError where another version wrote it.
    """
    name = printable(str(path), 200)
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise RecordingError(
            f"the book {name} cannot be read: {error.strerror or error}"
        ) from error
    if not content.startswith(MAGIC) or len(content) < _HEAD:
        raise RecordingError(f"{name} is no book of gexterm's")
    version = content[len(MAGIC)]
    if version != VERSION:
        raise RecordingVersionError(
            f"the book {name} is of version {version}, this gexterm reads version {VERSION}",
            "remove it to begin anew, or use the gexterm that wrote it",
        )
    body = content[_HEAD:]
    if hashlib.sha256(body).hexdigest() != checksum(content):
        raise _damaged(name, "its checksum does not match")
    if stated and stated != checksum(content):
        raise RecordingError(f"{name} is another book than the one the session went on from")
    try:
        size = zstandard.frame_content_size(body)
        if not 0 <= size <= _LARGEST:
            raise _damaged(name, "its size is not credible")
        text = zstandard.ZstdDecompressor().decompress(body, max_output_size=_LARGEST)
        book = _from_file(msgspec.json.decode(text, type=_File))
    except (zstandard.ZstdError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _damaged(name, str(error)) from error
    except ValueError as error:
        raise _damaged(name, str(error)) from error
    return book if today is None else book.without_expired(today)


def _damaged(name: str, what: str) -> RecordingError:
    return RecordingError(
        f"the book {name} is damaged: {what}", "remove it; positions then begin anew"
    )


def _sorted(book: Book) -> Book:
    """Without empty contracts, series by series."""
    held = (book.mean != 0.0) | (book.variance > 0.0) | (book.opened > 0.0) | (book.traded > 0.0)
    held |= np.any(book.shared != 0.0, axis=0)
    # A contract defined twice counts as its last definition, as in the chain's layout.
    place = {contract: i for i, contract in enumerate(book.contracts)}
    order = [i for _, i in sorted(place.items()) if held[i]]
    return replace(
        book,
        contracts=tuple(book.contracts[i] for i in order),
        shared=book.shared[:, order],
        **{name: getattr(book, name)[order] for name in _COLUMNS},
    )


def _to_file(book: Book) -> _File:
    series: list[_Series] = []
    for c in book.contracts:
        last = series[-1] if series else None
        if last is None or (last.root, last.expiry, last.right) != (c.root, c.expiry, c.right):
            series.append(_Series(c.root, c.expiry, c.right, []))
        series[-1].strike.append(c.strike)

    def listed(values: F64) -> list[float]:
        return [float(v) for v in values]

    def partly(values: F64) -> list[float | None]:
        return [None if v != v else v for v in listed(values)]

    return _File(
        underlying=book.underlying,
        date=book.date,
        epoch=book.epoch,
        as_of=book.as_of,
        reconciled=book.reconciled,
        series=series,
        mean=listed(book.mean),
        variance=listed(book.variance),
        shared=[listed(row) for row in book.shared],
        opened=listed(book.opened),
        traded=listed(book.traded),
        volume=partly(book.volume),
        open_interest=partly(book.open_interest),
    )


def _from_file(file: _File) -> Book:
    contracts = tuple(
        Contract(s.root, s.expiry, s.right, strike) for s in file.series for strike in s.strike
    )
    if len(set(contracts)) != len(contracts):
        raise ValueError("a contract stands in it twice")

    def array(values: list[float] | list[float | None], least: float = -np.inf) -> F64:
        out = np.array([np.nan if v is None else v for v in values], np.float64)
        if len(out) != len(contracts):
            raise ValueError("its columns are of different lengths")
        if np.any(out < least):
            raise ValueError("a number is negative that cannot be")
        return out

    return Book(
        underlying=file.underlying,
        date=file.date,
        epoch=file.epoch,
        as_of=file.as_of,
        contracts=contracts,
        mean=array(file.mean),
        variance=array(file.variance, 0.0),
        shared=np.array([array(row) for row in file.shared], np.float64).reshape(
            len(file.shared), len(contracts)
        ),
        opened=array(file.opened, 0.0),
        traded=array(file.traded, 0.0),
        volume=array(file.volume, 0.0),
        open_interest=array(file.open_interest, 0.0),
        reconciled=file.reconciled,
    )
