"""A path to a chain: read the bytes, tell the format, hand over to its reader."""

from __future__ import annotations

from pathlib import Path

from gexterm.errors import InputError, UsageError
from gexterm.market.roots import printable
from gexterm.recording.chains import cboe_delayed, cboe_quotes, datashop
from gexterm.recording.chains.model import SOURCES, ChainFile, Source
from gexterm.recording.chains.text import decode, split_lines, unknown

_LARGEST = 256 * 1024 * 1024
"""Bytes; a chain of 25,000 options is about 10 MB."""


def read_chain(
    path: str | Path,
    at: int | str | None = None,
    kind: Source | None = None,
    root: str | None = None,
) -> ChainFile:
    """Read a chain file.

    `at` overrides the time of the quotes: ns since 1970 UTC, or text as a user writes it
    (`10:30` is on the file's own date). `kind` skips telling the format from the content.
    `root` names the root where a file has no column for it.

    Raises InputError where the file cannot be read or is no chain, ChainError (an
    InputError) where it holds nothing to compute with, UsageError where `at`, `kind` or
    `root` make no sense.
    """
    path = Path(path)
    name = path.name if path.name.isprintable() and "[" not in path.name else printable(path.name)
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except FileNotFoundError:
        raise InputError(f"there is no file {printable(str(path), 200)}") from None
    except IsADirectoryError:
        raise InputError(f"{printable(str(path), 200)} is a folder", "name a file in it") from None
    except PermissionError:
        raise InputError(f"no permission to read {printable(str(path), 200)}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a usable path"
        raise InputError(f"{printable(str(path), 200)} cannot be read: {reason}") from None
    if len(data) > _LARGEST:
        raise InputError(
            f"{name} is larger than {_LARGEST // 2**20} MB", "keep one underlying and one day"
        )
    return parse_chain(data, name, at=at, kind=kind, root=root)


def parse_chain(
    data: bytes,
    name: str,
    at: int | str | None = None,
    kind: Source | None = None,
    root: str | None = None,
) -> ChainFile:
    """The same for bytes already in hand; `name` is what messages call them."""
    if kind is not None and kind not in SOURCES:
        raise UsageError(f"no chain format {printable(kind)}", f"one of {', '.join(SOURCES)}")
    text = decode(data, name)
    lines = split_lines(text)
    first = next(line for line in lines if line.strip())
    kind = kind or _sniff(lines, first)
    if kind is None:
        raise unknown(name, first)
    if root and kind != "datashop-eod":
        raise UsageError(f"{name} names its roots itself", "leave --root out")
    if kind == "cboe-delayed":
        return cboe_delayed.read(data, name, at)
    if kind == "cboe-quotes":
        return cboe_quotes.read(lines, name, at)
    return datashop.read(lines, name, at, root)


def _sniff(lines: list[str], first: str) -> Source | None:
    if first.lstrip().startswith(("{", "[")):
        return "cboe-delayed"
    if cboe_quotes.looks_like(lines):
        return "cboe-quotes"
    return "datashop-eod" if datashop.looks_like(first) else None
