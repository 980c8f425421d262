"""Which series a synthetic day lists: presets, and a script's own moved onto real dates.

Days are counted in the script and resolved by the calendar: a PM series expires on a
session, an AM series on a third Friday (the session before, where that is a holiday).
About 57 % of customers' volume is in today's expiry (Cboe reports 55–60 % for 2024–25).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections.abc import Callable, Iterator

from gexterm.errors import InputError
from gexterm.market import calendar
from gexterm.market.contracts import Settlement
from gexterm.market.roots import root_spec
from gexterm.simulator.script import Script, Series

_TODAY = 0.57
"""Share of customers' volume in today's expiry."""
_OPEN_TODAY = 500.0
"""Open interest near the money of what expires today: most of its volume opens and closes on
the day itself, so that it begins with a fraction of a day's volume open."""
_QUARTER = 90
_MOST_CONTRACTS = 60_000


def series_of(script: Script) -> tuple[Series, ...]:
    """The series of a script's day, by date then root; `days` lead to real dates, shares to 1.

    Two series that the calendar puts on one date become one: the first's strikes, both
    shares. The script has passed `check`; raises InputError for a chain beyond all reason.
    """
    chain = script.chain
    wanted = PRESETS[chain](script.date) if isinstance(chain, str) else chain
    _check(wanted, script.spot.open)
    found: dict[tuple[dt.date, str], Series] = {}
    for series in wanted:
        date = expiry_date(series.root, script.date, series.days)
        key = (date, series.root)
        if key in found:
            first = found[key]
            found[key] = dataclasses.replace(first, share=first.share + series.share)
        else:
            found[key] = dataclasses.replace(series, days=(date - script.date).days)
    chosen = tuple(found[key] for key in sorted(found))
    total = math.fsum(s.share for s in chosen)
    if total > 0.0:
        return tuple(dataclasses.replace(s, share=s.share / total) for s in chosen)
    weights = [1.0 / (1.0 + s.days) for s in chosen]
    return tuple(
        dataclasses.replace(s, share=weight / math.fsum(weights))
        for s, weight in zip(chosen, weights, strict=True)
    )


def expiry_date(root: str, date: dt.date, days: int) -> dt.date:
    """The date on which a series that is asked for `days` after a session really expires.

    PM roots: that day, or the next session. AM roots: of the third Fridays after the
    session the one nearest to that day.
    """
    wanted = date + dt.timedelta(days=days)
    if root_spec(root).settlement is not Settlement.AM:
        return wanted if calendar.is_session(wanted) else calendar.next_session(wanted)
    return min(_third_fridays(date, days + 75), key=lambda d: (abs((d - wanted).days), d))


def _third_fridays(after: dt.date, days: int) -> Iterator[dt.date]:
    """Monthly expiry dates later than a date and up to so many days after it."""
    year, month = after.year, after.month
    last = after + dt.timedelta(days=days)
    while (date := calendar.third_friday(year, month)) <= last:
        date = calendar.session_on_or_before(date)
        if date > after:
            yield date
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def _check(series: tuple[Series, ...], spot: float) -> None:
    count = sum(2.0 * (s.below + s.above) * spot / s.step for s in series)
    if count > _MOST_CONTRACTS:
        raise InputError(
            f"the chain would list {count:.0f} contracts, more than {_MOST_CONTRACTS}",
            "widen the steps or narrow the reach of its series",
        )


def _sessions(date: dt.date, count: int) -> list[int]:
    """Days from a session to the next `count` sessions."""
    days, session = [], date
    for _ in range(count):
        session = calendar.next_session(session)
        days.append((session - date).days)
    return days


def _fridays(date: dt.date, first: int, count: int) -> list[int]:
    """Days to the weekly expiries at least `first` days away; Thursdays before holidays."""
    friday = date + dt.timedelta(days=first)
    friday += dt.timedelta(days=(4 - friday.weekday()) % 7)
    weeks = (friday + dt.timedelta(weeks=n) for n in range(count + 1))
    days = [(calendar.session_on_or_before(day) - date).days for day in weeks]
    return [d for d in days if d >= first][:count]


def _months(date: dt.date, count: int, first: int = 1) -> list[int]:
    """Days to the monthly expiries at least `first` days away."""
    days = [(d - date).days for d in _third_fridays(date, first + 31 * (count + 2))]
    return [d for d in days if d >= first][:count]


def _small(date: dt.date) -> tuple[Series, ...]:
    """About 600 contracts in four expiries."""
    (month,) = _months(date, 1, first=7)
    (week,) = _fridays(date, 31 if month <= 30 else 23, 1)
    return (
        Series("SPXW", 0, 5.0, 0.048, 0.040, _OPEN_TODAY, 0.60),
        Series("SPXW", _sessions(date, 1)[0], 10.0, 0.050, 0.040, 1500.0, 0.17),
        Series("SPX", month, 25.0, 0.13, 0.08, 7000.0, 0.14),
        Series("SPXW", week, 25.0, 0.15, 0.08, 1500.0, 0.09),
    )


def _medium(date: dt.date) -> tuple[Series, ...]:
    """About 3,000 contracts: dailies, weeklies, months with AM and PM, a quarter out."""
    daily = _sessions(date, 4)
    weekly = _fridays(date, daily[-1] + 1, 2)
    monthly = _months(date, 2)
    (quarter,) = _months(date, 1, first=_QUARTER)
    # Thirty days lie between these two, so that a 30-day index can be made.
    around = _fridays(date, 23, 1) + _fridays(date, 31, 1)
    days = (0.11, 0.06, 0.04, 0.03)
    return (
        Series("SPXW", 0, 5.0, 0.060, 0.050, _OPEN_TODAY, _TODAY),
        *(
            Series("SPXW", d, 5.0, 0.055, 0.045, 1500.0 - 150.0 * i, share)
            for i, (d, share) in enumerate(zip(daily, days, strict=True))
        ),
        *(Series("SPXW", d, 10.0, 0.09, 0.06, 1100.0, 0.025) for d in weekly),
        Series("SPX", monthly[0], 10.0, 0.15, 0.09, 6000.0, 0.05),
        Series("SPXW", monthly[0], 10.0, 0.12, 0.07, 2500.0, 0.025),
        *(Series("SPXW", d, 25.0, 0.16, 0.09, 1300.0, 0.01) for d in around),
        Series("SPX", monthly[1], 25.0, 0.20, 0.11, 7000.0, 0.025),
        Series("SPXW", monthly[1], 25.0, 0.20, 0.11, 2000.0, 0.005),
        Series("SPX", quarter, 50.0, 0.32, 0.18, 5000.0, 0.015),
    )


def _full(date: dt.date) -> tuple[Series, ...]:
    """Over 10,000 contracts in some thirty expiries."""
    daily = _sessions(date, 9)
    weekly = _fridays(date, daily[-1] + 1, 6)
    monthly = _months(date, 8)
    others = (
        *(Series("SPXW", d, 5.0, 0.10, 0.06, 1500.0 - 100.0 * i, 0.5**i)
          for i, d in enumerate(daily)),
        *(Series("SPXW", d, 5.0, 0.17, 0.09, 1000.0, 0.05) for d in weekly),
        *(Series("SPX", d, 10.0, 0.22, 0.12, 6000.0, 0.4 / (1 + i))
          for i, d in enumerate(monthly)),
        *(Series("SPXW", d, 10.0, 0.20, 0.10, 2200.0, 0.12 / (1 + i))
          for i, d in enumerate(monthly[:4])),
    )  # fmt: skip
    rest = (1.0 - _TODAY) / math.fsum(s.share for s in others)
    return (
        Series("SPXW", 0, 5.0, 0.10, 0.07, _OPEN_TODAY, _TODAY),
        *(dataclasses.replace(s, share=s.share * rest) for s in others),
    )


PRESETS: dict[str, Callable[[dt.date], tuple[Series, ...]]] = {
    "small": _small,
    "medium": _medium,
    "full": _full,
}
"""Chains by name."""
