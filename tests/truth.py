"""Option chains made from known truth, and what must be read from them.

Forwards, smiles and open interest are chosen, quotes follow; the numbers expected of a
Reading are computed from what was chosen, never from the quotes. Shares no code with gexterm.
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr

ET = ZoneInfo("America/New_York")
F64 = NDArray[np.float64]
AM_ROOTS = {"SPX", "NDX", "RUT", "VIX"}
YEAR = 365 * 86400.0
SIGNS = {
    "customer-flow": (-1, 1),
    "squeezemetrics": (1, -1),
    "short-both": (-1, -1),
    "long-both": (1, 1),
}


@dataclass
class Line:
    """One series, with everything known of it."""

    root: str
    date: dt.date
    settles: dt.datetime
    strike: F64
    years: float
    forward: float
    discount: float
    iv: F64
    atm: float
    oi: F64
    """Shape (2, n), calls first."""
    volume: F64
    bid: F64 = field(default_factory=lambda: np.empty(0))
    ask: F64 = field(default_factory=lambda: np.empty(0))

    @property
    def alive(self) -> bool:
        return self.years > 0


@dataclass
class Market:
    """One underlying at one instant."""

    name: str
    as_of: dt.datetime
    spot: float
    rate: float
    lines: list[Line]


def at(date: str, clock: str) -> dt.datetime:
    """A New York clock time."""
    return dt.datetime.fromisoformat(f"{date}T{clock}").replace(tzinfo=ET)


def make(
    name: str,
    as_of: dt.datetime,
    spot: float,
    series: Sequence[tuple[str, str]],
    *,
    step: float,
    width: float = 0.15,
    vol: float = 0.16,
    skew: float = -0.45,
    curve: float = 0.9,
    rate: float = 0.045,
    dividend: float = 0.014,
    oi_centre: float = 0.0,
    oi_width: float = 2.0,
    close: dt.time = dt.time(16, 0),
    early: Sequence[str] = (),
    seed: int = 1,
    spread: float = 1.0,
    tick: float = 0.05,
) -> Market:
    """A market with an SSVI smile per expiry and open interest around `oi_centre` sd.

    `series` are (root, ISO date); dates in `early` close at 13:00.
    """
    rng = np.random.default_rng(seed)
    lines = []
    for root, iso in series:
        date = dt.date.fromisoformat(iso)
        clock = dt.time(9, 30) if root in AM_ROOTS else close
        if iso in early and clock == close:
            clock = dt.time(13, 0)
        settles = dt.datetime.combine(date, clock, ET)
        left = (settles.timestamp() - as_of.timestamp()) / YEAR
        years = max(left, 60 / YEAR) if left > 0 else left
        use = max(years, 1 / 365)
        theta = (vol * (1 + 0.15 * math.exp(-use * 20))) ** 2 * use
        reach = max(width * min(1.0, math.sqrt(use / 0.08)), 0.03)
        low = math.ceil(spot * (1 - reach) / step) * step
        strike = np.arange(low, spot * (1 + 0.75 * reach) + step / 2, step)
        real = max(years, 1e-9)
        forward = spot * math.exp((rate - dividend) * real)
        theta = theta * real / use
        z = np.log(strike / forward) / math.sqrt(theta)
        v = theta / 2 * (1 + skew * curve * z + np.sqrt((curve * z + skew) ** 2 + 1 - skew**2))
        iv = np.sqrt(v / real)
        oi = np.empty((2, len(strike)))
        for side, sign in ((0, 1), (1, -1)):
            density = np.exp(-0.5 * ((z - oi_centre - sign * 1.0) / oi_width) ** 2)
            rough = rng.lognormal(0, 0.4, len(strike))
            round_number = np.where(strike % (10 * step) == 0, 3.0, 1.0)
            oi[side] = np.round(3000 * density * rough * round_number)
        lines.append(
            Line(
                root,
                date,
                settles,
                strike,
                years,
                forward,
                math.exp(-rate * real),
                iv,
                math.sqrt(theta / real),
                oi,
                np.round(oi * rng.uniform(0, 1, oi.shape)),
            )
        )
    market = Market(name, as_of, spot, rate, lines)
    for line in lines:
        quote(line, spread, tick)
    return market


def quote(line: Line, spread: float = 1.0, tick: float = 0.05) -> None:
    """Bids and offers on ticks around the fair price."""
    n = len(line.strike)
    line.bid, line.ask = np.zeros((2, n)), np.zeros((2, n))
    if not line.alive:
        return
    w = line.iv * math.sqrt(line.years)
    d1 = np.log(line.forward / line.strike) / w + w / 2
    for side, sign in ((0, 1), (1, -1)):
        fair = (
            sign
            * line.discount
            * (line.forward * ndtr(sign * d1) - line.strike * ndtr(sign * (d1 - w)))
        )
        grain = np.where(fair < 3, tick, 2 * tick)
        half = np.maximum(grain, 0.01 * fair) * 0.5 * spread
        line.bid[side] = np.maximum(np.floor((fair - half) / grain + 1e-9) * grain, 0.0).round(4)
        line.ask[side] = (np.ceil((fair + half) / grain - 1e-9) * grain).round(4)


# ---- what must be read ---------------------------------------------------------------


@dataclass
class Expected:
    """The truth of a Reading."""

    forward: dict[tuple[str, str], float]
    atm: dict[tuple[str, str], float]
    gex: float
    gross: float
    flips: list[float]
    call_wall: float
    put_wall: float
    below: float = math.nan
    above: float = math.nan
    charm_gross: float = math.nan
    decay: float = math.nan
    paradigm: str = "No data"
    lower: float = math.nan
    upper: float = math.nan
    target: float = math.nan
    delta: float = math.nan
    vega: float = math.nan
    vanna: float = math.nan

    def flip(self, spot: float) -> float:
        return min(self.flips, key=lambda x: abs(x - spot), default=math.nan)


def expected(
    market: Market,
    convention: str,
    scope: str = "all",
    basis: str = "oi",
    spot: float | None = None,
) -> Expected:
    """Compute it. `spot` is what the file says, where that is not the truth."""
    s0 = spot or market.spot
    signs = SIGNS[convention]
    live = [x for x in market.lines if x.alive]
    pm_today = [x for x in live if x.date == market.as_of.date() and x.root not in AM_ROOTS]
    used = pm_today if scope == "0dte" else live
    parts = []
    walls: tuple[dict[float, float], dict[float, float]] = ({}, {})
    total_delta = total_vega = total_vanna = 0.0
    for x in live:
        held = np.array(signs)[:, None] * getattr(x, basis)
        w = x.iv * math.sqrt(x.years)
        d1 = np.log(x.forward / x.strike) / w + w / 2
        carry = x.discount * x.forward / s0
        density = np.exp(-0.5 * d1 * d1) / math.sqrt(2 * math.pi)
        total_delta += float(
            (held[0] * carry * ndtr(d1) - held[1] * carry * ndtr(-d1)).sum() * 100 * s0
        )
        both = held.sum(axis=0)
        vega = 0.01 * x.discount * x.forward * density * math.sqrt(x.years)
        total_vega += float((both * vega).sum() * 100)
        vanna = -0.01 * carry * density * (d1 - w) / x.iv
        total_vanna += float((both * vanna).sum() * 100 * s0)
        if x not in used:
            continue
        parts.append((both, d1, w, carry))
        gamma = carry * density / (s0 * w)
        for side in (0, 1):
            for k, g in zip(x.strike, gamma * abs(held[side]), strict=True):
                walls[side][float(k)] = walls[side].get(float(k), 0.0) + float(g)

    def gex(s: float) -> float:
        total = 0.0
        for both, d1, w, carry in parts:
            moved = d1 + math.log(s / s0) / w
            total += float((both * carry * np.exp(-0.5 * moved * moved) / w).sum())
        return total * s / math.sqrt(2 * math.pi)

    grid = s0 * np.linspace(0.95, 1.05, 401)
    values = [gex(float(s)) for s in grid]
    flips = [
        float(brentq(gex, a, b, xtol=0.001))
        for a, b, ya, yb in zip(grid, grid[1:], values, values[1:], strict=False)
        if ya * yb < 0
    ]
    result = Expected(
        forward={(x.root, str(x.date)): x.forward for x in live},
        atm={(x.root, str(x.date)): x.atm for x in live},
        gex=gex(s0),
        gross=sum(sum(side.values()) for side in walls) * 100 * s0 * s0 * 0.01,
        flips=flips,
        call_wall=max(walls[0], key=lambda k: walls[0][k]) if any(walls[0].values()) else math.nan,
        put_wall=max(walls[1], key=lambda k: walls[1][k]) if any(walls[1].values()) else math.nan,
        delta=total_delta,
        vega=total_vega,
        vanna=total_vanna,
    )
    if pm_today:
        _today(result, pm_today[0], s0, signs, basis, market)
    return result


def _today(
    out: Expected, x: Line, s0: float, signs: tuple[int, int], basis: str, market: Market
) -> None:
    held = np.array(signs)[:, None] * getattr(x, basis)
    both = held.sum(axis=0)
    step = min(1 / 8760, x.years)

    growth = math.log(x.forward / market.spot) / x.years

    def call(s: float, left: float) -> F64:
        if left <= 1e-12:
            return np.heaviside(s - x.strike, 0.5)
        forward = s / s0 * (x.forward if left == x.years else s0 * math.exp(growth * left))
        if left != x.years:
            forward *= x.forward / (s0 * math.exp(growth * x.years))
        w = x.iv * math.sqrt(left)
        delta = ndtr(np.log(forward / x.strike) / w + w / 2)
        return np.asarray(delta * (x.discount * x.forward / s0) ** (left / x.years))

    def charm(s: float) -> F64:
        return np.asarray((call(s, x.years - step) - call(s, x.years)) * both * 100 * s)

    now = call(s0, x.years)
    kept = np.minimum(now, 1 - now) >= 0.03
    each = np.where(kept, charm(s0), 0.0)
    above = np.heaviside(x.strike - s0, 0.5)
    out.above = float(each @ above)
    out.below = float(each.sum()) - out.above
    out.charm_gross = float(abs(each).sum())
    out.decay = float(((call(s0, 0) - now) * both).sum() * 100 * s0)
    if not out.charm_gross > 0:
        return

    def sign(value: float) -> str:
        share = value / out.charm_gross
        return "+" if share > 0.1 else "-" if share < -0.1 else "0"

    names = {"-+": "BofA", "--": "GEX", "++": "Anti-GEX", "+-": "Sidial"}
    out.paradigm = names.get(sign(out.below) + sign(out.above), "Mixed")
    sigma = s0 * x.atm * math.sqrt(x.years)
    grid = np.linspace(s0 - 2.5 * sigma, s0 + 2.5 * sigma, 201)
    total: Callable[[float], float] = lambda s: float(charm(s).sum())  # noqa: E731
    values = [total(float(s)) for s in grid]
    zeros = [
        (float(brentq(total, a, b)), ya < yb)
        for a, b, ya, yb in zip(grid, grid[1:], values, values[1:], strict=False)
        if ya * yb < 0
    ]
    under = max((z for z, _ in zeros if z < s0), default=math.nan)
    over = min((z for z, _ in zeros if z > s0), default=math.nan)
    if out.paradigm == "BofA":
        lows, highs = x.strike < s0, x.strike > s0
        out.lower = float(x.strike[lows][np.argmin(each[lows])])
        out.upper = float(x.strike[highs][np.argmax(each[highs])])
    elif out.paradigm == "GEX":
        out.lower, out.target = under, over
    elif out.paradigm == "Anti-GEX":
        out.upper, out.target = over, under
    elif out.paradigm == "Sidial":
        holding = [z for z, rising in zeros if rising]
        out.target = min(holding, key=lambda z: abs(z - s0), default=math.nan)


# ---- how files write it --------------------------------------------------------------


def symbol(root: str, date: dt.date, right: str, strike: float) -> str:
    return f"{root}{date:%y%m%d}{right}{round(strike * 1000):08d}"


def _number(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.4f}".rstrip("0").rstrip(".")


HEADER = (
    "Expiration Date,Calls,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest,Strike,"
    "Puts,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest"
)


def quote_page(
    market: Market,
    stamp: str,
    *,
    spot: str | None = None,
    number: Callable[[float], str] = _number,
    strike: Callable[[float], str] = _number,
    title: str = "Some Index",
    before: str = "",
    quote_all: bool = False,
) -> str:
    """Cboe's page. `stamp` is the date text, e.g. `July 12, 2022 at 11:55 AM EDT`."""
    last = f"{market.spot:.4f}" if spot is None else spot
    rows = []
    for x in market.lines:
        for i, k in enumerate(x.strike):
            row = [f"{x.date:%a %b %d %Y}"]
            for side, right in ((0, "C"), (1, "P")):
                row += [symbol(x.root, x.date, right, float(k)), "0", "0"]
                row += [number(float(x.bid[side, i])), number(float(x.ask[side, i]))]
                row += [number(float(x.volume[side, i])), "0", "0", "0"]
                row += [number(float(x.oi[side, i]))]
                if side == 0:
                    row.append(strike(float(k)))
            if quote_all:
                rows.append(",".join(f'"{c}"' for c in row))
            else:
                rows.append(",".join(f'"{c}"' if "," in c else c for c in row))
    head = ",".join(f'"{c}"' for c in HEADER.split(",")) if quote_all else HEADER
    return "\n".join(
        [
            f"{before}{title},Last: {last},Change:  1.85",
            f'"Date: {stamp}",Bid: 0,Ask: 0,Size: 0*0,Volume: 0',
            head,
            *rows,
            "",
        ]
    )


def delayed(market: Market, made: dt.datetime, **overrides: object) -> str:
    """Cboe's delayed JSON, made at an instant."""
    options = []
    for x in market.lines:
        for i, k in enumerate(x.strike):
            for side, right in ((0, "C"), (1, "P")):
                options.append(
                    {
                        "option": symbol(x.root, x.date, right, float(k)),
                        "bid": float(x.bid[side, i]),
                        "bid_size": 10.0,
                        "ask": float(x.ask[side, i]),
                        "ask_size": 12.0,
                        "iv": 0.0,
                        "open_interest": float(x.oi[side, i]),
                        "volume": float(x.volume[side, i]),
                    }
                )
    data = {
        "symbol": "_" + market.name,
        "current_price": market.spot,
        "last_trade_time": f"{made - dt.timedelta(minutes=15):%Y-%m-%dT%H:%M:%S}",
        "options": options,
        **overrides,
    }
    stamp = f"{made.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}"
    return json.dumps({"timestamp": stamp, "data": data, "symbol": "_" + market.name})


DATASHOP = (
    "underlying_symbol,quote_date,root,expiration,strike,option_type,open,high,low,close,"
    "trade_volume,bid_size_1545,bid_1545,ask_size_1545,ask_1545,underlying_bid_1545,"
    "underlying_ask_1545,implied_underlying_price_1545,active_underlying_price_1545,"
    "implied_volatility_1545,delta_1545,gamma_1545,theta_1545,vega_1545,rho_1545,bid_size_eod,"
    "bid_eod,ask_size_eod,ask_eod,underlying_bid_eod,underlying_ask_eod,vwap,open_interest,"
    "delivery_code"
)


def datashop(market: Market, close: Market | None = None, symbol_prefix: str = "^") -> str:
    """DataShop's full layout: quotes of `market` at 15:45 and of `close` at the end."""
    rows = [DATASHOP]
    end = close or market
    for x, y in zip(market.lines, end.lines, strict=True):
        for i, k in enumerate(x.strike):
            for side, right in ((0, "C"), (1, "P")):
                cells: list[object] = [symbol_prefix + market.name, market.as_of.date(), x.root]
                cells += [x.date, f"{k:.3f}", right, 0, 0, 0, 0, int(x.volume[side, i])]
                cells += [10, x.bid[side, i], 11, x.ask[side, i]]
                cells += [market.spot, market.spot, market.spot, market.spot, 0, 0, 0, 0, 0, 0]
                cells += [10, y.bid[side, i], 11, y.ask[side, i], end.spot, end.spot, 0]
                cells += [int(x.oi[side, i]), ""]
                rows.append(",".join(map(str, cells)))
    return "\n".join(rows) + "\n"
