"""At which instant the quotes of a Cboe page stood.

Cboe's public pages are fifteen minutes late while the market moves. The stamp on a page
is when it was made: the greeks printed on one stamped 11:55 belong to 11:40. So a page
stamped inside a session, or in the quarter of an hour after it in which late quotes
still move, is read as of fifteen minutes before its stamp. At all other times the quotes
stand still, and the stamp itself says what has settled by then.
"""

from __future__ import annotations

import datetime as dt

from gexterm.clock import NS
from gexterm.market import calendar

DELAY_S = 900
"""How late Cboe's public quotes are, seconds."""


def quotes_as_of(stamp_ns: int) -> tuple[int, float]:
    """The instant a page's quotes stood at, ns, and how many seconds late they are.

    `stamp_ns` is when the page was made. The session runs from 09:30 to 16:15 New York
    (13:15 on an early close), when the last index options stop.
    """
    date = calendar.et(stamp_ns).date()
    if calendar.is_session(date):
        ends = calendar.index_close_ns(date) + DELAY_S * NS
        if calendar.session_open_ns(date) <= stamp_ns <= ends:
            return stamp_ns - DELAY_S * NS, float(DELAY_S)
    return stamp_ns, 0.0


def clock_text(when_ns: int, date: bool = True) -> str:
    """An instant in words, New York: `2022-07-12 11:55 ET`."""
    when = calendar.et(when_ns)
    seconds = ":%S" if when.second else ""
    return when.strftime(("%Y-%m-%d " if date else "") + "%H:%M" + seconds) + " ET"


def late_note(stamp_ns: int, as_of: int, what: str) -> str:
    """How `as_of` follows from the stamp, one line."""
    if as_of == stamp_ns:
        return f"{what} of {clock_text(stamp_ns)}, outside the session: quotes stand still"
    same_day = calendar.et(stamp_ns).date() == calendar.et(as_of).date()
    return (
        f"{what} of {clock_text(stamp_ns)}, read as of {clock_text(as_of, date=not same_day)}: "
        f"its quotes are {DELAY_S // 60} minutes late"
    )


def asked_note(as_of: int) -> str:
    """That the user chose the instant, one line."""
    return f"read as of {clock_text(as_of)}, as asked"


def parse_at(at: int | str | None, date: dt.date | None) -> int | None:
    """The instant a user asks for: ns, or text with the file's date to go by."""
    return calendar.parse_when(at, date) if isinstance(at, str) else at
