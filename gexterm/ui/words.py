"""Text for the screen: what comes from outside made harmless, times, wrapping."""

from __future__ import annotations

import datetime as dt
import textwrap
import unicodedata
import zoneinfo
from functools import lru_cache

from rich.cells import cell_len, set_cell_size

_NEW_YORK = zoneinfo.ZoneInfo("America/New_York")


@lru_cache(maxsize=2048)
def clean(text: str) -> str:
    """What a feed says, on one line and without anything that a terminal would obey.

    Control and format characters (escape codes, direction overrides, zero-width
    tricks) and lone surrogates become `·`; runs of white space become one blank.
    Nothing here is ever read as markup.
    """
    return harmless(" ".join(text.split()))


def harmless(text: str) -> str:
    """The text with `·` for each control or format character."""
    return "".join("·" if unicodedata.category(c)[0] == "C" else c for c in text)


def cut(text: str, width: int) -> str:
    """The text in exactly `width` cells: padded, or cut with `…`."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1) + "…"


def wrap(text: str, width: int, lines: int) -> list[str]:
    """Cleaned text in at most so many lines, the last one cut with `…` if need be."""
    found = textwrap.wrap(clean(text), max(8, width)) or []
    if len(found) > lines:
        return [*found[: lines - 1], cut(" ".join(found[lines - 1 :]), width)]
    return found


def eastern(at_ns: int) -> dt.datetime | None:
    """A market time as New York has it; None where it is not known."""
    if at_ns <= 0:
        return None
    try:
        return dt.datetime.fromtimestamp(at_ns / 1e9, _NEW_YORK)
    except (OverflowError, OSError, ValueError):
        return None


def clock(at_ns: int, *, with_seconds: bool = True) -> str:
    """`10:36:04`; dashes where the time is not known."""
    at = eastern(at_ns)
    if at is None:
        return "--:--:--" if with_seconds else "--:--"
    return at.strftime("%H:%M:%S" if with_seconds else "%H:%M")


def date(iso: str) -> str:
    """`20 Nov` of `2026-11-20`; what does not parse is shown as it is."""
    try:
        return f"{dt.date.fromisoformat(iso):%-d %b}"
    except ValueError:
        return clean(iso)
