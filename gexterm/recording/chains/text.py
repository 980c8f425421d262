"""Bytes of a chain file to lines and cells, one bad line at a time."""

from __future__ import annotations

import csv

from gexterm.errors import InputError
from gexterm.market.roots import printable

_KNOWN = (
    "gexterm reads Cboe quote pages (CSV), Cboe delayed quotes (JSON) and DataShop chains (CSV)"
)
_PACKED = {
    b"PK\x03\x04": "a zip archive (or a spreadsheet)",
    b"\x1f\x8b": "gzip-compressed",
    b"\x28\xb5\x2f\xfd": "zstd-compressed",
    b"PAR1": "a parquet file",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
}


def decode(data: bytes, name: str) -> str:
    """The text of a file, without a byte-order mark.

    Raises InputError where it is empty or no UTF-8 text, saying what it is instead.
    """
    for magic, what in _PACKED.items():
        if data.startswith(magic):
            raise InputError(f"{name} is {what}", "unpack it or save it as CSV in UTF-8 first")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name} is no UTF-8 text (byte {error.start})", f"save it as UTF-8; {_KNOWN}"
        ) from None
    if "\0" in text:
        raise InputError(f"{name} is no text but binary data", _KNOWN)
    if not text.strip():
        raise InputError(f"{name} is empty")
    return text


def split_lines(text: str) -> list[str]:
    """Lines, whatever ends them (LF, CRLF or a lone CR)."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.split("\n")


def split_cells(line: str) -> list[str]:
    """The cells of one line.

    Lines are split one by one: a stray quote spoils its own line, not the file.
    """
    if '"' not in line:
        return line.split(",")
    try:
        return next(csv.reader([line]))
    except (csv.Error, StopIteration):
        return []


def unknown(name: str, first: str) -> InputError:
    """The error for a text that is none of the formats."""
    return InputError(
        f"{name} is no chain file that gexterm knows; it begins {printable(first, 50)}", _KNOWN
    )
