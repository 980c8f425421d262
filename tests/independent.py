"""The same numbers by another road: slow, scalar, and sharing no code with gexterm.

Reads Cboe quote pages, DataShop chain files and interval files by itself, prices one
option at a time and finds roots with SciPy's brentq. Written from the definitions
(docs/definitions.md), not from the program.
"""

from __future__ import annotations

import csv
import datetime as dt
import math
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from statistics import NormalDist, median
from zoneinfo import ZoneInfo

import polars
from scipy.optimize import brentq

ET = ZoneInfo("America/New_York")
N = NormalDist()
AM_ROOTS = {"SPX", "NDX"}
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri")


@dataclass
class Side:
    bid: float
    ask: float
    oi: float
    volume: float
    iv: float = math.nan

    @property
    def mid(self) -> float:
        return (self.bid + self.ask) / 2

    @property
    def good(self) -> bool:
        return 0 < self.bid < self.ask


@dataclass
class Series:
    root: str
    date: dt.date
    strikes: dict[float, dict[str, Side]] = field(default_factory=dict)
    t: float = math.nan
    f: float = math.nan
    d: float = 1.0
    vols: list[tuple[float, float]] = field(default_factory=list)

    def iv(self, strike: float) -> float:
        """Linear in strike between quoted strikes; beyond, variance is linear in log strike."""
        points = self.vols
        if strike < points[0][0]:
            return self._beyond(strike, points[0], points[min(4, len(points) - 1)])
        if strike > points[-1][0]:
            return self._beyond(strike, points[-1], points[max(-5, -len(points))])
        for (k0, v0), (k1, v1) in pairwise(points):
            if strike <= k1:
                return v0 + (v1 - v0) * (strike - k0) / (k1 - k0)
        return points[-1][1]

    def _beyond(
        self, strike: float, edge: tuple[float, float], inner: tuple[float, float]
    ) -> float:
        if edge == inner:
            return edge[1]
        slope = (edge[1] ** 2 - inner[1] ** 2) / math.log(edge[0] / inner[0])
        more = slope * math.log(strike / edge[0])
        return math.sqrt(edge[1] ** 2 + max(0.0, more))


def quote_page(path: Path) -> list[Series]:
    """Series of a Cboe quote page."""
    series: dict[tuple[str, dt.date], Series] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.reader(file):
            if len(row) < 22 or row[0][:3] not in DAYS:
                continue
            date = dt.datetime.strptime(row[0], "%a %b %d %Y").date()
            root = row[1][:-15].strip()
            one = series.setdefault((root, date), Series(root, date))
            number = [float(x.replace(",", "") or "nan") for x in row[2:12] + row[13:22]]
            one.strikes[number[9]] = {
                "C": Side(number[2], number[3], number[8], number[4]),
                "P": Side(number[12], number[13], number[18], number[14]),
            }
    return list(series.values())


def datashop(path: Path, root: str) -> list[Series]:
    """Series of a DataShop 15:45 chain file."""
    series: dict[dt.date, Series] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            date = dt.date.fromisoformat(row["expiration"])
            one = series.setdefault(date, Series(root, date))
            one.strikes.setdefault(float(row["strike"]), {})[row["option_type"]] = Side(
                float(row["bid_1545"]),
                float(row["ask_1545"]),
                float(row["open_interest"]),
                float(row["trade_volume"]),
            )
    return list(series.values())


def interval_day(
    path: Path, times: set[dt.datetime]
) -> dict[dt.datetime, tuple[list[Series], float]]:
    """Series and spot of an interval file at some of its bars; volume is summed up to there."""
    columns = ("quote_datetime", "root", "expiration", "option_type", "strike")
    columns += ("bid", "ask", "trade_volume", "active_underlying_price")
    rows = polars.read_parquet(path, columns=list(columns)).select(columns).sort(columns[0]).rows()
    traded: dict[tuple[dt.date, str, float], float] = {}
    found: dict[dt.datetime, tuple[dict[dt.date, Series], float]] = {}
    for when, root, date, right, strike, bid, ask, volume, spot in rows:
        key = (date, right, float(strike))
        traded[key] = traded.get(key, 0.0) + volume
        time = when.replace(tzinfo=ET)
        if time not in times:
            continue
        series, _ = found.setdefault(time, ({}, spot))
        one = series.setdefault(date, Series(root, date))
        one.strikes.setdefault(float(strike), {})[right] = Side(bid, ask, 0.0, traded[key])
    return {when: (list(series.values()), spot) for when, (series, spot) in found.items()}


def settles(series: Series) -> dt.datetime:
    """09:30 for AM roots on their third Friday, else 16:00 (no early close in these files)."""
    time = dt.time(9, 30) if series.root in AM_ROOTS else dt.time(16, 0)
    return dt.datetime.combine(series.date, time, ET)


def black(f: float, k: float, t: float, d: float, v: float, call: bool) -> float:
    w = v * math.sqrt(t)
    d1 = math.log(f / k) / w + w / 2
    sign = 1 if call else -1
    return sign * d * (f * N.cdf(sign * d1) - k * N.cdf(sign * (d1 - w)))


def price_series(one: Series, as_of: dt.datetime, spot: float, rate: float) -> bool:
    """Fill forward and volatilities; False when the series is settled or unquoted."""
    seconds = (settles(one) - as_of).total_seconds()
    if seconds <= 0:
        return False
    one.t = max(seconds, 60.0) / (365 * 86400)
    one.d = math.exp(-rate * one.t)
    pairs = [
        (abs(k - spot), k + (s["C"].mid - s["P"].mid) / one.d)
        for k, s in one.strikes.items()
        if len(s) == 2 and s["C"].good and s["P"].good
    ]
    if len(pairs) < 2:
        return False
    one.f = median(f for _, f in sorted(pairs)[:15])
    for k, sides in sorted(one.strikes.items()):
        right = "C" if k >= one.f else "P"
        side = sides.get(right)
        if side is None or not side.good:
            continue
        try:
            vol = brentq(
                lambda v, k=k, right=right, side=side: (
                    black(one.f, k, one.t, one.d, v, right == "C") - side.mid
                ),
                1e-4,
                20.0,
                xtol=1e-12,
            )
        except ValueError:
            continue
        one.vols.append((k, vol))
    return len(one.vols) >= 2


def implied_rate(series: list[Series], as_of: dt.datetime, spot: float) -> float:
    """Median over expiries beyond a month of −ln(slope of C−P on K) / T."""
    rates = []
    for one in series:
        t = (settles(one) - as_of).total_seconds() / (365 * 86400)
        pairs = [
            (k, s["C"].mid - s["P"].mid)
            for k, s in one.strikes.items()
            if abs(k / spot - 1) < 0.12 and len(s) == 2 and s["C"].good and s["P"].good
        ]
        if t < 30 / 365 or t > 0.6 or len(pairs) < 20:
            continue
        mk = sum(k for k, _ in pairs) / len(pairs)
        mc = sum(c for _, c in pairs) / len(pairs)
        slope = sum((k - mk) * (c - mc) for k, c in pairs) / sum((k - mk) ** 2 for k, _ in pairs)
        rates.append(-math.log(-slope) / t)
    return median(rates) if rates else 0.0


@dataclass
class Result:
    forward: dict[tuple[str, dt.date], float]
    atm: dict[tuple[str, dt.date], float]
    gex: float
    flip: float
    call_wall: float
    put_wall: float
    gross_gex: float = math.nan
    no_expiry: bool = False
    below: float = math.nan
    above: float = math.nan
    gross: float = math.nan
    paradigm: str = ""
    lis_lower: float = math.nan
    lis_upper: float = math.nan
    decay: float = math.nan


def analyse(
    series: list[Series],
    as_of: dt.datetime,
    spot: float,
    signs: tuple[int, int],
    scope: str = "all",
    basis: str = "oi",
) -> Result:
    """Everything at once, under a static convention (call sign, put sign)."""
    return of_live(priced(series, as_of, spot), as_of, spot, signs, scope, basis)


def priced(series: list[Series], as_of: dt.datetime, spot: float) -> list[Series]:
    """Those that are not settled, with forwards and volatilities; each can be priced once."""
    rate = implied_rate(series, as_of, spot)
    return [s for s in series if price_series(s, as_of, spot, rate)]


def of_live(
    live: list[Series],
    as_of: dt.datetime,
    spot: float,
    signs: tuple[int, int],
    scope: str = "all",
    basis: str = "oi",
) -> Result:
    """The same of series that have been priced: they are shared by conventions and scopes."""
    today = [s for s in live if s.date == as_of.date() and s.root not in AM_ROOTS]
    used = today if scope == "0dte" else live
    forward = {(s.root, s.date): s.f for s in live}
    atm = {(s.root, s.date): s.iv(s.f) for s in live}
    if not used:
        nan = math.nan
        return Result(forward, atm, nan, nan, nan, nan, no_expiry=True)
    book = [
        (one, k, one.iv(k), [(r, signs[r == "P"] * getattr(side, basis)) for r, side in s.items()])
        for one in used
        for k, s in one.strikes.items()
        if any(getattr(x, basis) for x in s.values())
    ]

    def gamma(one: Series, k: float, v: float, s: float) -> float:
        f = s * one.f / spot
        w = v * math.sqrt(one.t)
        d1 = math.log(f / k) / w + w / 2
        return one.d * f / s * math.exp(-d1 * d1 / 2) / math.sqrt(2 * math.pi) / (s * w)

    def profile(s: float) -> float:
        return sum(
            gamma(one, k, v, s) * 100 * s * s * 0.01 * sum(x for _, x in sides)
            for one, k, v, sides in book
        )

    grid = [spot * (1 + i * 0.002) for i in range(-30, 31)]
    values = [profile(s) for s in grid]
    zeros = [
        brentq(profile, a, b, xtol=0.01)
        for a, b, ya, yb in zip(grid, grid[1:], values, values[1:], strict=False)
        if ya * yb < 0
    ]
    walls: dict[str, dict[float, float]] = {"C": {}, "P": {}}
    for one, k, v, sides in book:
        for right, x in sides:
            walls[right][k] = walls[right].get(k, 0.0) + abs(gamma(one, k, v, spot) * x)
    result = Result(
        forward=forward,
        atm=atm,
        gex=profile(spot),
        flip=min(zeros, key=lambda z: abs(z - spot)) if zeros else math.nan,
        call_wall=max(walls["C"], key=lambda k: walls["C"][k]),
        put_wall=max(walls["P"], key=lambda k: walls["P"][k]),
        gross_gex=sum(sum(w.values()) for w in walls.values()) * spot * spot,
    )
    if today:
        _zero_dte(result, today[0], spot, signs, basis, _growth(today[0], live))
    return result


def _growth(one: Series, live: list[Series]) -> float:
    """Carry per year from here to the first forward a week later; 0 without one.

    Not ln(F/S)/T: index and options of a page are not quoted at the same moment.
    """
    later = [s for s in live if s.t > one.t + 7 / 365]
    if not later:
        return 0.0
    first = min(later, key=lambda s: s.t)
    return math.log(first.f / one.f) / (first.t - one.t)


def _zero_dte(
    result: Result,
    one: Series,
    spot: float,
    signs: tuple[int, int],
    basis: str,
    growth: float,
) -> None:
    hour = 1 / 8760
    step = min(hour, one.t)
    carry = one.d * one.f / spot

    def call_delta(s: float, k: float, v: float, t: float) -> float:
        if t <= 0:
            return 1.0 * (s > k) + 0.5 * (s == k)
        f = s * one.f / spot * math.exp(-growth * (one.t - t))
        w = v * math.sqrt(t)
        discount = math.exp(-math.log(one.d) / one.t * (one.t - t))
        return N.cdf(math.log(f / k) / w + w / 2) * carry * discount * f / (s * one.f / spot)

    charm: dict[float, float] = {}
    decay = 0.0
    for k, sides in one.strikes.items():
        x = sum(signs[r == "P"] * getattr(s, basis) for r, s in sides.items())
        v = one.iv(k)
        now = call_delta(spot, k, v, one.t)
        decay += (call_delta(spot, k, v, 0.0) - now) * x * 100 * spot
        if min(now, 1 - now) < 0.03:
            continue
        later = call_delta(spot, k, v, one.t - step)
        charm[k] = (later - now) * x * 100 * spot
    below = {k: c for k, c in charm.items() if k < spot}
    above = {k: c for k, c in charm.items() if k > spot}
    result.below, result.above = sum(below.values()), sum(above.values())
    result.gross = sum(abs(c) for c in charm.values())
    result.decay = decay

    def side(value: float) -> str:
        share = value / result.gross
        return "+" if share > 0.10 else "-" if share < -0.10 else "0"

    result.paradigm = {
        "-+": "BofA",
        "--": "GEX",
        "++": "Anti-GEX",
        "+-": "Sidial",
    }.get(side(result.below) + side(result.above), "Mixed")
    if result.paradigm == "BofA":
        result.lis_lower = min(below, key=lambda k: below[k])
        result.lis_upper = max(above, key=lambda k: above[k])
