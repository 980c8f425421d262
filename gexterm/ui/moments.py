"""A moment as a user writes it: `10:35`, `15:45 ET`, `-15`, `open`, `end`."""

from __future__ import annotations

import datetime as dt
import math
import re

from gexterm.errors import UsageError
from gexterm.market.calendar import (
    at_et,
    et,
    is_session,
    parse_when,
    session_close_ns,
    session_open_ns,
)
from gexterm.market.roots import printable

MINUTE_NS = 60 * 1_000_000_000
_HALF_DAY_NS = 12 * 60 * MINUTE_NS
HINT = "write 10:35, 10:35:20, 2018-01-05T10:35, -15 or +5 (minutes), open, close, begin or end"
_BY_MINUTES = re.compile(r"([+\-−])\s*(\d{1,5}(?:\.\d+)?)\s*(?:m|min|minutes?)?", re.IGNORECASE)
_ZONE = re.compile(r"\s*(ET|EST|EDT|New York|UTC|Z)$", re.IGNORECASE)


def moment(text: str, now: int, begins: int = 0, ends: int = 0) -> int:
    """The market time that `text` means, ns, seen from `now`.

    `begins` and `ends` bound what there is, 0 where not known. A clock time alone is of the day
    of `now`, or else of the nearest day on which there is something at that time; where it is
    not known since when there is something, a time that comes within half a day is still to come,
    and not of the day before. Raises UsageError on what is no moment, and on one that lies outside.
    """
    found = _moment(text.strip(), now, begins, ends)
    if not begins and ends and found > ends + MINUTE_NS:
        raise UsageError(f"{clock(found, now)} has not come yet", f"it is {clock(ends, now)}")
    if (begins and found < begins - MINUTE_NS) or (ends and found > ends + MINUTE_NS):
        raise UsageError(
            f"{clock(found, now)} is outside of what there is",
            f"that is from {clock(begins, now)} to {clock(ends, now)}" if begins and ends else HINT,
        )
    found = max(found, begins) if begins else found
    return min(found, ends) if ends else found


def _moment(text: str, now: int, begins: int, ends: int) -> int:
    word = text.lower()
    if found := _BY_MINUTES.fullmatch(text):
        minutes = round(float(found[2]) * MINUTE_NS)
        to = now + (minutes if found[1] == "+" else -minutes)
        # As far as there is: who asks for an hour back takes forty minutes.
        to = max(to, begins) if begins else to
        return min(to, ends) if ends else to
    day = et(now).date()
    if word in ("begin", "beginning", "start") and begins:
        return begins
    if word == "end" and ends:
        return ends
    if word in ("open", "close"):
        if not is_session(day):
            raise UsageError(f"{day} has no session", HINT)
        to = session_open_ns(day) if word == "open" else session_close_ns(day)
        to = max(to, begins) if begins and word == "open" else to
        return min(to, ends) if ends and word == "close" else to
    zone = _ZONE.search(text)
    bare = text[: zone.start()] if zone else text
    universal = zone is not None and zone[1].upper() in ("UTC", "Z")
    try:
        if universal and re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", bare):
            hour, *rest = bare.split(":")
            date = dt.datetime.fromtimestamp(now / 1e9, dt.UTC).date()
            return parse_when(f"{date}T{int(hour):02}:{':'.join(rest)}+00:00")
        if universal:
            return parse_when(f"{bare}+00:00")
        to = parse_when(bare, day)
    except (UsageError, ValueError):
        raise UsageError(f"{printable(text)} is no moment", HINT) from None
    if re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", bare):
        time = et(to).time()
        days = sorted({day + dt.timedelta(days=n) for n in range(-7, 8)},
                      key=lambda date: abs((date - day).days))  # fmt: skip
        for date in days:
            other = at_et(date, time)
            if not begins and ends < other <= ends + _HALF_DAY_NS:
                return other
            if (not begins or other >= begins) and (not ends or other <= ends):
                return other
    return to


def clock(ns: int, beside: int = 0) -> str:
    """`10:35`, with its date where that of `beside` is another; `–` for none."""
    if ns <= 0 or not math.isfinite(ns):
        return "–"
    at = et(ns)
    same = not beside or et(beside).date() == at.date()
    seconds = f":{at:%S}" if at.second else ""
    return f"{at:%H:%M}{seconds}" if same else f"{at:%-d %b %H:%M}{seconds}"
