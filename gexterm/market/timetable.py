"""Clock times of a session day, as a user writes them: `09:35-16:05/30`, or a list.

Times are New York's. On days without a session there are none, on an early close those
that would come after it are left out; a market that never closes has all of them, daily.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from gexterm.errors import UsageError
from gexterm.market.calendar import (
    INDEX_TAIL,
    NEW_YORK,
    at_et,
    close_time,
    is_session,
    ns,
)

PAPER = "09:35-16:05/30"
"""When the white paper observes: from 9:35 to 16:05, every half an hour."""

_HINT = 'write "paper", "09:35-16:05/30" (from, to, minutes), or times: "10:00, 15:30"'
_RANGE = re.compile(r"(\d{1,2}):(\d\d)-(\d{1,2}):(\d\d)/(\d{1,3})", re.ASCII)
_TIME = re.compile(r"(\d{1,2}):(\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Timetable:
    """Times of a day, ascending and each once."""

    times: tuple[dt.time, ...] = ()
    """New York clock times."""

    def on(self, date: dt.date, *, continuous: bool = False) -> tuple[int, ...]:
        """The instants of a date, ns since 1970 UTC, ascending.

        `continuous`: of a market that trades around the clock, every day. A time that a
        change of clocks skips is left out.
        """
        if continuous:
            return tuple(at_et(date, time) for time in self.times if _exists(date, time))
        if not is_session(date):
            return ()
        last = (dt.datetime.combine(date, close_time(date)) + INDEX_TAIL).time()
        return tuple(at_et(date, time) for time in self.times if time <= last)

    def between(self, after_ns: int, until_ns: int, *, continuous: bool = False) -> tuple[int, ...]:
        """The instants after one time, up to and including another, at most two days of them."""
        date = dt.datetime.fromtimestamp(until_ns // 1_000_000_000, NEW_YORK).date()
        days = (date - dt.timedelta(days=1), date)
        found = [when for day in days for when in self.on(day, continuous=continuous)]
        return tuple(when for when in found if after_ns < when <= until_ns)


def parse(text: str) -> Timetable:
    """A timetable: empty, `paper`, ranges `HH:MM-HH:MM/MIN` and times, with commas between.

    Raises UsageError for anything else.
    """
    times: set[dt.time] = set()
    for part in filter(None, (each.strip() for each in text.split(","))):
        times |= _times(PAPER if part.lower() == "paper" else part)
    return Timetable(tuple(sorted(times)))


def _times(part: str) -> set[dt.time]:
    try:
        if one := _TIME.fullmatch(part):
            return {dt.time(int(one[1]), int(one[2]))}
        if span := _RANGE.fullmatch(part):
            first, last = (int(span[i]) * 60 + int(span[i + 1]) for i in (1, 3))
            dt.time(int(span[1]), int(span[2]))
            dt.time(int(span[3]), int(span[4]))
            step = int(span[5])
            if step and first <= last:
                return {dt.time(m // 60, m % 60) for m in range(first, last + 1, step)}
    except ValueError:
        pass
    raise UsageError(f"{part[:40]!r} is no time of day", _HINT)


def _exists(date: dt.date, time: dt.time) -> bool:
    wanted = dt.datetime.combine(date, time)
    local = dt.datetime.fromtimestamp(
        ns(wanted.replace(tzinfo=NEW_YORK)) // 1_000_000_000, NEW_YORK
    )
    return local.replace(tzinfo=None) == wanted
