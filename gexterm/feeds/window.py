"""Which contracts to ask quotes for: by expiry and distance in sigma, within a limit.

A full SPX chain has over 20,000 contracts, and no retail connection carries them all.
What matters most for the book is near in time and near the money: the window takes, of
each expiry, the strikes within so many standard deviations of spot, the nearest expiry
first, and is drawn anew as spot moves away from its middle and as expiries settle.

    reach(expiry) = sigmas · vol · √T, at least `least`

Where the limit does not hold all of that, later expiries give way first, then the far
strikes of the nearest one: calls and puts of a strike stay together, since a forward and
a smile need both.

Pure: contracts and times in, indices out.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gexterm.clock import NS
from gexterm.market.contracts import Contract
from gexterm.market.roots import root_spec
from gexterm.market.settlement import expiry_of

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

_YEAR_S = 365.0 * 86_400.0
_VOL = {"index": 0.20, "ETF": 0.30, "single name": 0.50, "crypto": 0.65}
_VIX_VOL = 1.20
"""Annual volatility where nothing better is known, by kind of underlying: on the wide side,
since a strike that is quoted in vain costs little and one that is missing costs a wall. The
VIX itself moves five times as much as the index that it is of."""
_OFF_CENTRE = 0.25
"""The window is drawn anew once spot has moved by this part of its nearest reach …"""
_AGE_NS = 600 * NS
"""… or once it is this old: reach shrinks with the root of time."""


@dataclass(frozen=True, slots=True)
class WindowSettings:
    """How wide a window is."""

    most: int = 0
    """Most contracts; 0: as many as the venue allows."""
    sigmas: float = 4.0
    """Standard deviations of spot to either side, per expiry."""
    least: float = 0.015
    """At least this fraction of spot to either side: at the end of a day sigma is nothing."""
    days: int = 60
    """Expiries up to so many days ahead."""


@dataclass(frozen=True, eq=False, slots=True)
class Choice:
    """A window drawn."""

    contracts: I64
    """Contract indices, the most important first. Shape (n,)."""
    text: str
    """For a person: `600 of 21,034 contracts: 3 expiries to 25 Nov, nearest ±2.1 %`."""
    spot: float
    """Spot it was drawn around, points."""
    reach: float
    """Of its nearest expiry to either side, points."""
    drawn_at: int
    """When, ns."""


@dataclass(frozen=True, eq=False, slots=True)
class Change:
    """What a new window changes."""

    add: tuple[int, ...]
    """Contract indices to be asked for from now on, the most important first."""
    remove: tuple[int, ...]
    """Contract indices no longer wanted."""
    choice: Choice
    """The window that holds now."""


class Window:
    """The window of one session: draws it, and says when to draw it anew and what changes."""

    def __init__(self, settings: WindowSettings, most: int) -> None:
        """`most` is the venue's own limit, in contracts."""
        self.vol = math.nan
        """Annual volatility of the nearest expiry as a fraction, where the protocol knows it."""
        self.choice: Choice | None = None
        """The window that holds."""
        self.wanted: frozenset[int] = frozenset()
        """Its contracts, by index."""
        self._settings = settings
        self._most = min(settings.most or most, most)
        self._listed = 0

    def update(self, contracts: Sequence[Contract], spot: float, now_ns: int) -> Change | None:
        """Draw it, if it is time to; what changes, or None where nothing does.

        `contracts` by index, only ever growing; `spot` in points.
        """
        if not spot > 0.0 or not contracts or not self._due(len(contracts), spot, now_ns):
            return None
        choice = choose(contracts, spot, now_ns, self._settings, self._most, self.vol)
        now = frozenset(int(c) for c in choice.contracts)
        before, self.wanted, self.choice = self.wanted, now, choice
        self._listed = len(contracts)
        add = tuple(int(c) for c in choice.contracts if int(c) not in before)
        remove = tuple(sorted(before - now))
        return Change(add, remove, choice) if add or remove else None

    def _due(self, listed: int, spot: float, now_ns: int) -> bool:
        choice = self.choice
        if choice is None or listed != self._listed:
            return True
        moved = abs(spot - choice.spot) > _OFF_CENTRE * choice.reach
        return moved or now_ns - choice.drawn_at >= _AGE_NS or now_ns < choice.drawn_at


@dataclass(slots=True)
class _Series:
    """The contracts of one root and date, by strike."""

    root: str
    date: dt.date
    reach: float
    strikes: dict[float, list[int]] = field(default_factory=dict)
    settles_at: int = 0


def choose(
    contracts: Sequence[Contract],
    spot: float,
    now_ns: int,
    settings: WindowSettings,
    most: int,
    vol: float = math.nan,
) -> Choice:
    """The window around `spot`. Series that no longer trade are left out.

    The nearest expiry has first call on the limit, but leaves a quarter of it to the
    others if they want it: vega and the later walls are there.
    """
    series = _live(contracts, spot, now_ns, settings, vol)
    wanted = [_near(each, spot) for each in series]
    parts = _shares([sum(map(len, strikes)) for strikes in wanted], most)
    taken: list[int] = []
    reach = 0.0
    shown = []
    for each, strikes, part in zip(series, wanted, parts, strict=True):
        begun = len(taken)
        edge = 0.0
        for indices in strikes:
            if len(taken) - begun + len(indices) > part:
                break
            taken += indices
            edge = max(edge, abs(contracts[indices[0]].strike - spot))
        if len(taken) > begun:
            shown.append(each)
            reach = reach or edge
    return Choice(
        contracts=np.array(taken, np.int64),
        text=_told(len(taken), len(contracts), shown, reach / spot),
        spot=spot,
        reach=reach,
        drawn_at=now_ns,
    )


def _live(
    contracts: Sequence[Contract], spot: float, now_ns: int, settings: WindowSettings, vol: float
) -> list[_Series]:
    """Series that still trade and are near enough in time, by settlement."""
    found: dict[tuple[str, dt.date], _Series | None] = {}
    for index, contract in enumerate(contracts):
        key = (contract.root, contract.expiry)
        if key not in found:
            found[key] = _series(*key, spot, now_ns, settings, vol)
        if (series := found[key]) is not None:
            series.strikes.setdefault(contract.strike, []).append(index)
    return sorted(
        (each for each in found.values() if each is not None),
        key=lambda each: (each.settles_at, each.root),
    )


def _series(
    root: str, date: dt.date, spot: float, now_ns: int, settings: WindowSettings, vol: float
) -> _Series | None:
    expiry = expiry_of(root, date)
    left_s = (expiry.settles_at - now_ns) / NS
    if expiry.trades_until <= now_ns or left_s > settings.days * 86_400.0:
        return None
    if not vol > 0.0:
        spec = root_spec(root)
        vol = _VIX_VOL if spec.underlying == "VIX" else _VOL[spec.kind]
    sigma = vol * math.sqrt(max(left_s, 0.0) / _YEAR_S)
    reach = spot * max(settings.sigmas * sigma, settings.least)
    return _Series(root, date, reach, settles_at=expiry.settles_at)


def _near(series: _Series, spot: float) -> list[list[int]]:
    """Contracts within reach, strike by strike, the nearest first."""
    within = [k for k in series.strikes if abs(k - spot) <= series.reach]
    return [series.strikes[k] for k in sorted(within, key=lambda k: (abs(k - spot), k))]


def _shares(wanted: list[int], most: int) -> list[int]:
    """How many contracts each series gets, the nearest first."""
    shares: list[int] = []
    left = most
    for i, want in enumerate(wanted):
        later = sum(wanted[i + 1 :])
        kept = min(later, left // 4)
        shares.append(min(want, left - kept))
        left -= shares[-1]
    return shares


def _told(taken: int, listed: int, shown: list[_Series], reach: float) -> str:
    if not shown:
        return f"none of {listed:,} contracts is near enough to be quoted"
    dates = sorted({each.date for each in shown})
    last = f"{dates[-1].day} {dates[-1]:%b}"
    many = f"{len(dates)} expiries to {last}" if len(dates) > 1 else f"the expiry of {last}"
    return f"{taken:,} of {listed:,} contracts: {many}, nearest ±{reach:.1%}"
