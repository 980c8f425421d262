"""Every state that a monitor can be found in, as a market for it to show."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from gexterm.alerts.model import Alert
from gexterm.errors import ChainError
from gexterm.market.events import FeedStatus, SourceInfo
from gexterm.reading.inquiry import Curves, Outlook, Print, Smile, Suppose, Supposed, TapeTail
from gexterm.reading.model import ExpiryLine, Reading
from tests.ui.answers import Answers, day_of
from tests.ui.fakes import CLOSE, NS, OPEN, FakeSession, reading

AT = OPEN + 61 * 60 * NS
NOWHERE = "the feed gives no trades"


class Knows(Answers):
    """Answers everything: a smile and a tape as well."""

    async def supposed(self, suppose: Suppose) -> Supposed:
        if math.isnan(self.base.spot):
            await self._asked("supposed", suppose)
            return Supposed(suppose, self.base, self.base, ())
        return await super().supposed(suppose)

    async def smile(self, expiry: str, root: str) -> Smile:
        await self._asked("smile", (expiry, root))
        strikes = np.arange(5400.0, 6601.0, 5.0)
        fit = 0.13 + 5 * (strikes / 6012 - 1) ** 2
        age = np.full(len(strikes), 0.5)
        return Smile(self.base.as_of, expiry, root, 6012.0, 0.13, 0.001, "spline", strikes,
                     fit - 0.004, fit + 0.004, fit, age, 0.021, 5960.0, 6060.0)  # fmt: skip

    async def tape(self, count: int, least_size: float = 0.0) -> TapeTail:
        await self._asked("tape", (count, least_size))
        made = (
            Print(
                row=n, at=self.base.as_of - n * NS, symbol="SPXW", expiry="2026-11-20",
                strike=6000.0 + 5 * (n % 9), right="CP"[n % 2], price=3.2, size=float(n % 130 + 1),
                bid=3.0, ask=3.2, p_buy=(n % 11) / 10, p_dealer=0.95, evidence="at quote",
                condition="regular", package=-1, state="live", delta_notional=-1.2e6,
            )
            for n in range(60)
        )  # fmt: skip
        passing = tuple(one for one in made if one.size >= least_size)
        return TapeTail(self.base.as_of, passing[:count], 60, len(passing))


class KnowsNothing(Knows):
    """Refuses every question."""

    def __init__(self, base: Reading, why: str) -> None:
        super().__init__(base)
        self.refuse = why


class Tapeless(Knows):
    """A feed that gives quotes and no trades."""

    async def tape(self, count: int, least_size: float = 0.0) -> TapeTail:
        raise ChainError(NOWHERE)


class Mute(Knows):
    """Asked, it never answers."""

    async def supposed(self, suppose: Suppose) -> Supposed:
        self.gate.clear()
        return await super().supposed(suppose)

    async def curves(self, suppose: Suppose) -> Curves:
        self.gate.clear()
        return await super().curves(suppose)

    async def outlook(self, greek: str) -> Outlook:
        self.gate.clear()
        return await super().outlook(greek)


def unknown(found: Any) -> Any:
    """The same with no number known in it: every fraction is NaN, whatever it is a part of."""
    if isinstance(found, float):
        return math.nan
    if isinstance(found, np.ndarray) and found.dtype.kind == "f":
        return np.full_like(found, np.nan)
    if isinstance(found, pl.DataFrame):
        keep = found["strike"]
        floats = [c for c in found.columns if found[c].dtype.is_float() and c != "strike"]
        return found.with_columns(pl.lit(math.nan).alias(c) for c in floats).with_columns(keep)
    if isinstance(found, tuple):
        return tuple(unknown(each) for each in found)
    if isinstance(found, dict):
        return {key: unknown(value) for key, value in found.items()}
    if is_dataclass(found) and not isinstance(found, type):
        names = [each.name for each in fields(found) if each.init]
        return dataclasses.replace(found, **{name: unknown(getattr(found, name)) for name in names})
    return found


def strikes_of(found: Reading, count: int) -> Reading:
    """The same on so many strikes about spot."""
    middle = found.strikes.height // 2
    if count <= found.strikes.height:
        first = middle - count // 2
        few = found.strikes.slice(first, count)
        looks = tuple(
            replace(look, values={k: v[first : first + count] for k, v in look.values.items()})
            for look in found.look_back
        )
        return replace(found, strikes=few, look_back=looks)
    rows = np.arange(count) % found.strikes.height
    many = found.strikes[rows.tolist()].with_columns(
        pl.Series("strike", 6012.35 - count * 2.5 + 5.0 * np.arange(count))
    )
    looks = tuple(
        replace(look, values={k: np.asarray(v)[rows] for k, v in look.values.items()})
        for look in found.look_back
    )
    return replace(found, strikes=many, look_back=looks)


def settled(found: Reading) -> Reading:
    """The same after today's settlement: nothing of the day is left."""
    gone = replace(
        unknown(found.zero_dte), seconds_left=0.0, sigma=0.0, paradigm="Settled",
        probability={}, base_rate=None,
    )  # fmt: skip
    return replace(found, as_of=CLOSE + 60 * NS, zero_dte=gone)


def many_expiries(found: Reading) -> Reading:
    """All expiries, of which there are forty."""
    lines = tuple(
        ExpiryLine(f"2027-{1 + n // 20:02}-{1 + n % 20:02}", "SPX" if n % 7 == 0 else "SPXW",
                   "AM" if n % 7 == 0 else "PM", CLOSE + n * 86400 * NS, 0.01 * n, found.spot,
                   0.13, "svi", 480, 1e9 * (-1) ** n, 1e6, 1e8, 1e8)
        for n in range(40)
    )  # fmt: skip
    return replace(found, scope="all", expiries=found.expiries + lines)


def alert(text: str = "upper LIS 6,045 approached: 32 points", at: int = AT - 60 * NS) -> Alert:
    return Alert(at, "lis approached", "notice", text, math.nan, True)


def session_of(found: Reading | None, mode: str = "replay", **how: Any) -> FakeSession:
    """A session that shows one Reading, with a day behind it and answers to everything."""
    session = FakeSession(mode)
    if found is not None:
        day_of(session.day, found.as_of, 12)
        session.inquire = Knows(found)
        session.say(found)
        session.say(alert())
    for name, value in how.items():
        setattr(session, name, value)
    return session


def _live() -> FakeSession:
    shown = reading(mode="live", view="combined", at=AT)
    return session_of(shown, "live", info=SourceInfo("SPX", "venue", "live", 0.2))


def _odds(**changes: Any) -> Reading:
    return reading(view="combined", at=AT, **changes)


STATES: dict[str, Callable[[], FakeSession | None]] = {
    "nothing opened": lambda: None,
    "before the first reading": lambda: session_of(None, status=FeedStatus("connecting")),
    "live": _live,
    "a replay": lambda: session_of(_odds()),
    "a replay that stands": lambda: session_of(_odds(), paused=True),
    "all refused": lambda: session_of(
        _odds(), refuse="not now", status=FeedStatus("refused", "no entitlement"),
        inquire=KnowsNothing(_odds(), "nothing to answer with"),
    ),
    "no answers": lambda: session_of(_odds(), inquire=Mute(_odds())),
    "nobody to ask": lambda: session_of(_odds(), inquire=None),
    "settled": lambda: session_of(settled(_odds()), status=FeedStatus("ended")),
    "no odds": lambda: session_of(reading(at=AT)),
    "no tape": lambda: session_of(reading(at=AT), inquire=Tapeless(reading(at=AT))),
    "one strike": lambda: session_of(strikes_of(_odds(), 1)),
    "700 strikes": lambda: session_of(strikes_of(_odds(), 700)),
    "forty expiries": lambda: session_of(many_expiries(_odds())),
    "no spot": lambda: session_of(replace(_odds(), spot=math.nan)),
    "no number known": lambda: session_of(unknown(_odds())),
}  # fmt: skip
"""States by name; each makes a session of its own, or None where nothing is open."""
