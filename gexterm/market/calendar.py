"""The session calendar of United States options, and clock times in New York.

Holidays and early closes come from `holidays` (`docs/decisions/0001-holiday-calendar.md`
says why), one year at a time and only when asked for. Cboe's index options keep the
stock exchange's days, and trade a quarter of an hour past its close.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from zoneinfo import ZoneInfo

from gexterm.errors import UsageError
from gexterm.market.roots import printable

NEW_YORK = ZoneInfo("America/New_York")
OPEN = dt.time(9, 30)
"""Start of the regular session, New York; also when AM options settle."""
CLOSE = dt.time(16, 0)
"""End of the regular session, New York; also when PM options settle."""
EARLY_CLOSE = dt.time(13, 0)
"""The same on an early close."""
INDEX_TAIL = dt.timedelta(minutes=15)
"""How long index options that do not expire today trade past the close."""

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_DAY = dt.timedelta(days=1)


@lru_cache(maxsize=256)
def _year(year: int) -> tuple[frozenset[dt.date], frozenset[dt.date]]:
    """Weekdays without a session, and sessions that close early."""
    # 0.1 s to import: not for `--version`, nor for a feed that never sleeps.
    from holidays.financial.ny_stock_exchange import NewYorkStockExchange

    closed = NewYorkStockExchange(years=year, categories=("public",), expand=False)  # type: ignore[no-untyped-call]
    early = NewYorkStockExchange(years=year, categories=("half_day",), expand=False)  # type: ignore[no-untyped-call]
    return frozenset(closed), frozenset(early) - frozenset(closed)


def is_session(date: dt.date) -> bool:
    """Whether there is a regular session on a date."""
    return date.weekday() < 5 and date not in _year(date.year)[0]


def early_close(date: dt.date) -> bool:
    """Whether a session ends at 13:00 New York. False where there is no session."""
    return is_session(date) and date in _year(date.year)[1]


def close_time(date: dt.date) -> dt.time:
    """When a session ends, New York: 16:00, or 13:00 on an early close."""
    return EARLY_CLOSE if early_close(date) else CLOSE


def session_open_ns(date: dt.date) -> int:
    """09:30 New York of a date, ns since 1970 UTC."""
    return at_et(date, OPEN)


def session_close_ns(date: dt.date) -> int:
    """16:00 New York of a date, or 13:00 on an early close, ns since 1970 UTC."""
    return at_et(date, close_time(date))


def index_close_ns(date: dt.date) -> int:
    """When index options stop trading that do not expire that day: 16:15 or 13:15, ns."""
    return session_close_ns(date) + INDEX_TAIL // _MICROSECOND * 1000


def in_session(when_ns: int) -> bool:
    """Whether index options trade at an instant, so that quotes of then can move.

    From 09:30 to 16:15 New York (13:15 on an early close), when the last of them stop.
    """
    date = et(when_ns).date()
    return is_session(date) and session_open_ns(date) <= when_ns <= index_close_ns(date)


def previous_session(date: dt.date) -> dt.date:
    """The last session before a date."""
    day = date - _DAY
    while not is_session(day):
        day -= _DAY
    return day


def next_session(date: dt.date) -> dt.date:
    """The first session after a date."""
    day = date + _DAY
    while not is_session(day):
        day += _DAY
    return day


def session_on_or_before(date: dt.date) -> dt.date:
    """A date itself where it is a session, else the last session before it."""
    return date if is_session(date) else previous_session(date)


def third_friday(year: int, month: int) -> dt.date:
    """The third Friday of a month, holiday or not."""
    first = dt.date(year, month, 1)
    return first + dt.timedelta(days=(4 - first.weekday()) % 7 + 14)


def at_et(date: dt.date, time: dt.time) -> int:
    """A New York clock time on a date, ns since 1970 UTC."""
    return ns(dt.datetime.combine(date, time, NEW_YORK))


def ns(when: dt.datetime) -> int:
    """An aware datetime as ns since 1970 UTC."""
    if when.tzinfo is None:
        raise ValueError("a time without a zone is no instant")
    return (when - _EPOCH) // _MICROSECOND * 1000


def utc(when_ns: int) -> dt.datetime:
    """An instant in UTC, cut to microseconds."""
    return _EPOCH + dt.timedelta(microseconds=when_ns // 1000)


def et(when_ns: int) -> dt.datetime:
    """An instant on the New York clock, cut to microseconds."""
    return utc(when_ns).astimezone(NEW_YORK)


_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)
_HINT = (
    "write 10:30, 2018-01-05 10:30 or 2018-01-05T10:30:00-05:00; New York unless a zone is given"
)


def parse_when(text: str, date: dt.date | None = None) -> int:
    """A time as a user writes it, ns since 1970 UTC.

    A clock time alone is on `date`; without a zone, a time is New York's.
    Raises UsageError on anything else, also on times that a change of clocks skips.
    """
    text = text.strip()
    clock = _CLOCK.fullmatch(text)
    if clock and date is None:
        raise UsageError(f"the time {printable(text)} needs a date", "write 2018-01-05 10:30")
    try:
        if clock and date is not None:
            hour, minute, second = (int(part or 0) for part in clock.groups())
            when = dt.datetime.combine(date, dt.time(hour, minute, second))
        elif ":" in text:
            when = dt.datetime.fromisoformat(text)
        else:
            raise ValueError
    except ValueError:
        raise UsageError(f"{printable(text)} is no time", _HINT) from None
    if not 1970 < when.year < 2200:
        raise UsageError(f"the year of {printable(text)} is out of range", _HINT)
    if when.tzinfo is None:
        local = when.replace(tzinfo=NEW_YORK)
        if local.astimezone(dt.UTC).astimezone(NEW_YORK).replace(tzinfo=None) != when:
            raise UsageError(
                f"{printable(text)} does not exist in New York: clocks go forward over it"
            )
        when = local
    return ns(when)
