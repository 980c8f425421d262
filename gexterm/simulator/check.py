"""Whether a script makes sense: what its parts ask of each other and of the calendar.

`toml` sees to keys and kinds; here are the bounds of numbers, and what can only be
judged together: times within the session, changes in order, wishes that the intended
paradigm can fulfil.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from gexterm.errors import InputError
from gexterm.market import calendar
from gexterm.market.contracts import Settlement
from gexterm.market.settlement import expiry_of
from gexterm.simulator.script import Intent, Script, Series

CHAINS = ("small", "medium", "full")
"""Chains that a script can ask for by name."""
LINES: dict[str, tuple[str, ...]] = {
    "BofA": ("lower", "upper"),
    "GEX": ("lower",),
    "Anti-GEX": ("upper",),
}
"""Which lines in the sand a paradigm has (the white paper, section 7)."""
TARGETS = ("GEX", "Anti-GEX", "Sidial")
"""Paradigms that have a target."""
SHORTEST_STEERED_S = 600
"""A wish needs this long: the book is read first, and spot has to get there."""

Where = tuple[str | int, ...]
"""Path to a key: table, number in an array of tables, key."""


class NonsenseError(Exception):
    """Something in a script that makes no sense, and where."""

    def __init__(self, where: Where, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.where = where
        """Path to the key."""
        self.what = what
        """What is wrong with it."""
        self.hint = hint
        """What would be right."""


def check(script: Script) -> None:
    """Raise InputError, one line, where a script made in code makes no sense."""
    try:
        check_script(script)
    except NonsenseError as wrong:
        raise InputError(
            f"script {script.name!r}: {key(wrong.where)} {wrong.what}", wrong.hint
        ) from None


def key(where: Where) -> str:
    """A path as a person writes it: `spot.sigma`, `changes[2].at`."""
    out = ""
    for part in where:
        out += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if out else part
    return out


_SHARE = (0.0, 1.0)
BOUNDS: dict[str, tuple[float, float]] = {
    "seed": (0, 2**63 - 1),
    "spot.open": (10.0, 1e6),
    "spot.sigma": (0.0001, 0.2),
    "spot.beta": (-10.0, 10.0),
    "spot.r_squared": (0.01, 1.0),
    "spot.jumps": (0.0, 100.0),
    "spot.impact": (0.0, 1000.0),
    "quotes.stale_share": (0.0, 0.5),
    "quotes.crossed_share": (0.0, 0.2),
    "quotes.flicker_hz": (0.0, 50.0),
    "quotes.bursts": (1, 20),
    "quotes.patience": (0.05, 1.0),
    "quotes.quote_latency_ms": (0.0, 10_000.0),
    "quotes.trade_latency_ms": (0.0, 10_000.0),
    "flow.contracts": (0.0, 2e7),
    "flow.tilt": _SHARE,
    "flow.dealer_share": _SHARE,
    "flow.opening_inventory": (0.0, 100.0),
    "flow.cancels": (0.0, 0.5),
    "flow.late": (0.0, 0.5),
    "gaps.seconds": (1.0, 86_400.0),
    "series.days": (0, 1500),
    "series.step": (0.5, 1000.0),
    "series.below": (0.001, 0.9),
    "series.above": (0.001, 3.0),
    "series.open_interest": (0.0, 1e6),
    "series.share": _SHARE,
}
"""Smallest and largest value of every number."""


def check_script(script: Script) -> None:
    """Raise NonsenseError where something makes no sense."""
    _names(script)
    for where, value in _numbers(script):
        low, high = BOUNDS[".".join(str(part) for part in where if isinstance(part, str))]
        if not (math.isfinite(value) and low <= value <= high):
            raise NonsenseError(where, f"is {value!r}", f"use {low:g} to {high:g}")
    begins, ends = _session(script)
    _changes(script, begins, ends)
    _gaps(script, begins, ends)
    _chain(script)
    _wishes(script, begins, ends)
    _happens(script)


def _names(script: Script) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}", script.name):
        raise NonsenseError(
            ("name",), f"is {script.name!r}", "use letters, digits and hyphens, at most 64"
        )
    if not script.title.strip() or not script.title.isprintable():
        raise NonsenseError(("title",), f"is {script.title!r}", "one line of plain text")
    if script.underlying != "SPX":
        raise NonsenseError(("underlying",), f"is {script.underlying!r}", "only SPX is simulated")


def _numbers(script: Script) -> Iterator[tuple[Where, float]]:
    """Every number that has bounds, with its path."""
    yield ("seed",), script.seed
    for table in ("spot", "quotes", "flow"):
        yield from _fields((table,), getattr(script, table))
    for i, gap in enumerate(script.gaps):
        yield from _fields(("gaps", i), gap)
    for i, series in enumerate(_series(script)):
        yield from _fields(("series", i), series)


def _fields(where: Where, values: Any) -> Iterator[tuple[Where, float]]:
    for field in fields(values):
        value = getattr(values, field.name)
        if isinstance(value, int | float):
            yield (*where, field.name), value


def _series(script: Script) -> tuple[Series, ...]:
    return () if isinstance(script.chain, str) else script.chain


def _session(script: Script) -> tuple[dt.time, dt.time]:
    """First and last market time of the script, within the session of its date."""
    if not 2000 <= script.date.year < 2200:
        raise NonsenseError(("date",), f"is {script.date}", "use a year from 2000 to 2199")
    if not calendar.is_session(script.date):
        after = calendar.next_session(script.date)
        raise NonsenseError(
            ("date",), f"is {script.date}, which has no session", f"the next one is {after}"
        )
    opens, closes = calendar.OPEN, calendar.close_time(script.date)
    begins, ends = script.begins or opens, script.ends or closes
    hint = f"the session is {opens:%H:%M} to {closes:%H:%M}"
    if not opens <= begins < closes:
        raise NonsenseError(("begins",), f"is {begins}, outside the session", hint)
    if not opens < ends <= closes:
        raise NonsenseError(("ends",), f"is {ends}, outside the session", hint)
    if ends <= begins:
        raise NonsenseError(("ends",), f"is {ends}, not after {begins}", hint)
    for name, time in (("begins", begins), ("ends", ends)):
        _whole((name,), time)
    return begins, ends


def _whole(where: Where, time: dt.time) -> None:
    if time.microsecond:
        raise NonsenseError(where, f"is {time}", "whole seconds only")


def _within(where: Where, time: dt.time, begins: dt.time, ends: dt.time) -> None:
    _whole(where, time)
    if not begins <= time < ends:
        raise NonsenseError(
            where, f"is {time}, outside the script", f"it runs from {begins} to {ends}"
        )


def _changes(script: Script, begins: dt.time, ends: dt.time) -> None:
    before: dt.time | None = None
    for i, change in enumerate(script.changes):
        _within(("changes", i, "at"), change.at, begins, ends)
        if before is not None and change.at <= before:
            raise NonsenseError(
                ("changes", i, "at"), f"is {change.at}, not after {before}", "put them in order"
            )
        before = change.at


def _gaps(script: Script, begins: dt.time, ends: dt.time) -> None:
    over = 0.0
    for i, gap in enumerate(script.gaps):
        _within(("gaps", i, "at"), gap.at, begins, ends)
        if seconds(gap.at) < over:
            raise NonsenseError(
                ("gaps", i, "at"),
                f"is {gap.at}, before the gap ahead of it ends",
                "gaps must be in order and apart",
            )
        over = seconds(gap.at) + gap.seconds
        if over > seconds(ends):
            raise NonsenseError(
                ("gaps", i, "seconds"), f"is {gap.seconds:g}, past the script's end at {ends}"
            )


def _chain(script: Script) -> None:
    if isinstance(script.chain, str):
        if script.chain not in CHAINS:
            raise NonsenseError(
                ("chain",), f"is {script.chain!r}", f"use {', '.join(CHAINS)}, or [[series]]"
            )
        return
    if not script.chain:
        raise NonsenseError(("series",), "is empty", "list a series, or give chain a name")
    seen: dict[tuple[str, int], int] = {}
    for i, one in enumerate(script.chain):
        if one.root not in ("SPX", "SPXW"):
            raise NonsenseError(("series", i, "root"), f"is {one.root!r}", "use SPX or SPXW")
        if (one.root, one.days) in seen:
            raise NonsenseError(
                ("series", i, "days"), f"is {one.days}: {one.root} has that series already"
            )
        seen[one.root, one.days] = i
        first, last = one.step * 2, script.spot.open * (one.below + one.above)
        if last < first:
            raise NonsenseError(
                ("series", i, "step"), f"is {one.step:g}: no three strikes between the bounds"
            )
    total = math.fsum(one.share for one in script.chain)
    if total and abs(total - 1.0) > 1e-6:
        raise NonsenseError(
            ("series", 0, "share"),
            f"and the others add up to {total:g}",
            "make them 1, or leave them all out",
        )
    intents = {script.intent, *(change.intent for change in script.changes)}
    if intents != {"none"} and not any(_today(script, one) for one in script.chain):
        raise NonsenseError(
            ("series",),
            "has none that settles at today's close, which a paradigm is read from",
            'add root = "SPXW", days = 0, or say intent = "none"',
        )


def _today(script: Script, one: Series) -> bool:
    expiry = expiry_of(one.root, script.date)
    return one.days == 0 and expiry.settlement is Settlement.PM


def _wishes(script: Script, begins: dt.time, ends: dt.time) -> None:
    if not script.target and not script.breach:
        return
    wanted, since = wish(script)
    if wanted == "none":
        where: Where = ("target",) if script.target else ("breach",)
        asked = f"target {script.target!r}" if script.target else f"breach {script.breach!r}"
        raise NonsenseError(
            where,
            f"cannot be had: {asked}"
            + (f" with breach {script.breach!r}" if script.target and script.breach else "")
            + f" under intent {script.intent}",
            "targets: GEX, Anti-GEX, Sidial; lower line: BofA, GEX; upper line: BofA, Anti-GEX",
        )
    left = seconds(ends) - max(seconds(since), seconds(begins))
    if left < SHORTEST_STEERED_S:
        raise NonsenseError(
            ("target",) if script.target else ("breach",),
            f"leaves {left:g} s to happen in",
            f"let the script run for {SHORTEST_STEERED_S} s at least under that intent",
        )


def wish(script: Script) -> tuple[Intent, dt.time]:
    """The intent under which target and breach are wanted, and when it begins.

    It is the first of the script's that has the line and the target asked for; `none`
    where there is no such.
    """
    begins = script.begins or calendar.OPEN
    held = [(script.intent, begins), *((change.intent, change.at) for change in script.changes)]
    for intent, since in held:
        lines = LINES.get(intent, ())
        fits = intent in TARGETS if script.target else True
        if script.breach in ("lower", "upper"):
            fits = fits and script.breach in lines
        elif script.breach:
            fits = fits and bool(lines)
        if fits and intent != "none":
            return intent, since
    return "none", begins


def _happens(script: Script) -> None:
    for i, (at, what) in enumerate(script.happens):
        if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", at):
            raise NonsenseError(("happens", i), f"has the time {at!r}", 'write it as "14:30"')
        if not what.strip() or not what.isprintable():
            raise NonsenseError(("happens", i), f"says {what!r}", "one line of plain text")


def seconds(time: dt.time) -> float:
    """Seconds since midnight."""
    return time.hour * 3600.0 + time.minute * 60.0 + time.second


def span_ns(script: Script) -> tuple[int, int]:
    """First and last market time of a script, ns. Raises InputError as `check`."""
    try:
        begins, ends = _session(script)
    except NonsenseError as wrong:
        raise InputError(
            f"script {script.name!r}: {key(wrong.where)} {wrong.what}", wrong.hint
        ) from None
    return calendar.at_et(script.date, begins), calendar.at_et(script.date, ends)


__all__ = [
    "BOUNDS",
    "CHAINS",
    "LINES",
    "TARGETS",
    "NonsenseError",
    "check",
    "check_script",
    "key",
    "seconds",
    "span_ns",
    "wish",
]
