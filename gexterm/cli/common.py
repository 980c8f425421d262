"""What several commands share: options, settings, and opening a source."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gexterm.config import VIEWS
from gexterm.errors import InputError, UsageError

if TYPE_CHECKING:
    from gexterm.config import Settings
    from gexterm.engine.earlier import Earlier
    from gexterm.recording.books import Book
    from gexterm.recording.reader import Recording

Command = TypeVar("Command", bound=Callable[..., Any])


def view_option(command: Command) -> Command:
    """`--view`: the sign view."""
    return click.option(
        "--view",
        type=click.Choice(VIEWS),
        help="Sign view, instead of the configured one.",
    )(command)


def expiry_option(command: Command) -> Command:
    """`--expiry`: which expiries."""
    return click.option(
        "--expiry",
        metavar="0dte|all|DATE",
        help="Expiries for GEX, flip, walls, hedge flow and strikes.",
    )(command)


def at_option(what: str) -> Callable[[Command], Command]:
    """`--at`: a time."""
    return click.option("--at", metavar="TIME", help=what)


def carry_option(command: Command) -> Command:
    """`--carry` and `--no-carry`: the book of an earlier session."""
    command = click.option(
        "--no-carry",
        is_flag=True,
        help="Carry on no book, not even the one that lies beside the recording.",
    )(command)
    return click.option(
        "--carry",
        type=click.Path(path_type=Path),
        metavar="BOOK",
        help="Carry on the book of an earlier session, instead of the one that lies beside the "
        "recording: a file, or a folder of books.",
    )(command)


@dataclass(frozen=True, slots=True)
class Carried:
    """What the positions of a recording go on from."""

    book: Book | None = None
    """The book; None: they begin at nothing."""
    earlier: Earlier | None = None
    """Flow of earlier sessions of the day, which this one went on from."""
    warnings: tuple[str, ...] = ()
    """What of it is not to be had."""


def kept_book(carry: Path | None, no_carry: bool, recording: Recording) -> Carried:
    """The book that `--carry` names, or else the one beside the recording.

    Of a folder, the newest before the recording's day.
    """
    if carry is not None and no_carry:
        raise UsageError("--carry and --no-carry contradict each other", "give one of them")
    if no_carry:
        return Carried()
    from gexterm.engine.carry import book_of
    from gexterm.engine.rereading import of_recording

    book, warning = book_of(recording) if carry is None else (_named_book(carry, recording), "")
    again = of_recording(recording)
    return Carried(book, again.earlier, tuple(filter(None, (warning, again.warning))))


def _named_book(carry: Path, recording: Recording) -> Book:
    from gexterm.market.calendar import et
    from gexterm.recording import books

    day = et(recording.begins).date()
    underlying = recording.info.underlying
    path = books.latest(carry, underlying, day) if carry.is_dir() else carry
    if path is None:
        raise InputError(
            f"{carry} has no book of {underlying} before {day}",
            "keep one with `gexterm levels RECORDING --keep-book FOLDER`",
        )
    book = books.load(path)
    if book.underlying != underlying or book.date >= day:
        raise InputError(
            f"{path} is the book of {book.underlying} on {book.date}",
            f"name one of {underlying} before {day}",
        )
    return book


def settings() -> Settings:
    """The user's settings."""
    from gexterm import config, paths

    return config.load(paths.config_file())


def scope_of(expiry: str | None) -> str | None:
    """The scope that `--expiry` names."""
    if expiry is None or expiry in {"0dte", "all"}:
        return expiry
    try:
        return dt.date.fromisoformat(expiry).isoformat()
    except ValueError:
        raise UsageError(
            f"--expiry {expiry!r} names no expiries", "use 0dte, all or a date such as 2026-11-20"
        ) from None


def open_recording(path: Path) -> Recording:
    """Open a recording, with a clear word if it is something else."""
    from gexterm.recording.reader import Recording

    if not looks_recorded(path):
        raise InputError(
            f"{path} is no gexterm recording",
            "`gexterm import` makes one of vendors' files; `gexterm levels` reads chain files",
        )
    return Recording(path)


def looks_recorded(path: Path) -> bool:
    """Whether a file begins as a recording does. Raises InputError if it cannot be read."""
    from gexterm.recording.format import MAGIC

    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except FileNotFoundError:
        raise InputError(f"there is no file {path}") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder", "name a file in it") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None


def time_in(recording: Recording, at: str | None) -> int | None:
    """The market time that `--at` means in a recording, ns."""
    if at is None:
        return None
    from gexterm.market.calendar import et, parse_when

    return parse_when(at, et(recording.market_begins).date())
