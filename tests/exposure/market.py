"""A synthetic priced chain, from plain Black-76 written out here, apart from gexterm's own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import norm

from gexterm.market.chain import Layout
from gexterm.market.contracts import Expiry, Settlement
from gexterm.pricing.surface import Surface

YEAR = 365.0 * 86400.0
TODAY = dt.date(2026, 11, 20)
NOW = int(dt.datetime(2026, 11, 20, 17, 0, tzinfo=dt.UTC).timestamp() * 1e9)
"""12:00 in New York: four hours to the close."""

Smile = Callable[[np.ndarray, float], np.ndarray]


def flat(iv: float) -> Smile:
    return lambda k, years: np.full_like(k, iv)


def skewed(iv: float = 0.15, slope: float = -0.3, bend: float = 1.0) -> Smile:
    """Volatility over log-moneyness k, with the slope of an index."""
    return lambda k, years: np.maximum(iv + slope * k + bend * k * k, 0.03)


def expiry(
    hours: float,
    root: str = "SPXW",
    settlement: Settlement = Settlement.PM,
    date: dt.date | None = None,
    multiplier: float = 100.0,
) -> Expiry:
    """An expiry so many hours from NOW."""
    settles = NOW + int(hours * 3600e9)
    when = date or dt.datetime.fromtimestamp(settles / 1e9, dt.UTC).date()
    return Expiry(root, when, settlement, settles, settles, multiplier)


def surface(
    expiries: Sequence[tuple[Expiry, np.ndarray]],
    spot: float = 6000.0,
    smile: Smile | None = None,
    rate: float = 0.0,
    dividend: float = 0.0,
    iv: Sequence[np.ndarray] | None = None,
    now: int = NOW,
) -> Surface:
    """Price a chain. `iv` gives volatilities by expiry and row instead of a smile."""
    smile = smile or flat(0.13)
    expiries = sorted(expiries, key=lambda e: (e[0].settles_at, e[0].root))
    strikes = [np.asarray(k, np.float64) for _, k in expiries]
    count = np.array([len(k) for k in strikes])
    starts = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    K = np.concatenate(strikes)
    row = np.repeat(np.arange(len(expiries)), count).astype(np.int32)
    n = len(K)
    layout = Layout(
        expiries=tuple(e for e, _ in expiries),
        starts=starts,
        strike=K,
        expiry=row,
        contract=np.arange(2 * n, dtype=np.int32).reshape(2, n),
    )
    seconds = np.array([e.seconds_left(now) for e, _ in expiries])
    years = np.maximum(seconds, 60.0) / YEAR
    forward = spot * np.exp((rate - dividend) * years)
    discount = np.exp(-rate * years)
    T, F, D = years[row], forward[row], discount[row]
    if iv is None:
        sigma = np.concatenate(
            [
                smile(np.log(k / f), t) if len(k) else k
                for k, f, t in zip(strikes, forward, years, strict=True)
            ]
        )
    else:
        sigma = np.concatenate(iv)
    w = sigma * np.sqrt(T)
    d1 = np.log(F / K) / w + w / 2
    d2 = d1 - w
    A = D * F / spot
    b, q = rate - dividend, dividend
    pdf = norm.pdf(d1)
    bump = A * pdf * (b / w - d2 / (2 * T))
    delta = np.stack([A * norm.cdf(d1), -A * norm.cdf(-d1)])
    charm = np.stack([q * delta[0] - bump, q * delta[1] - bump]) / 365
    gone = (seconds <= 0.0)[row] | ~np.isfinite(sigma)

    def shown(x: np.ndarray) -> np.ndarray:
        out = np.array(x, np.float64)
        out[..., gone] = np.nan
        return out

    atm = np.full(len(expiries), np.nan)
    for e in range(len(expiries)):
        part = slice(starts[e], starts[e + 1])
        if seconds[e] > 0 and np.isfinite(sigma[part]).any():
            atm[e] = sigma[part][np.nanargmin(np.abs(K[part] - forward[e]) + 0 * sigma[part])]
    return Surface(
        layout=layout,
        as_of=now,
        spot=spot,
        seconds=seconds,
        years=years,
        forward=np.where(seconds > 0, forward, np.nan),
        forward_low=forward - 0.1,
        forward_high=forward + 0.1,
        discount=discount,
        atm_iv=atm,
        smile_kind=("spline",) * len(expiries),
        raw_iv=shown(sigma),
        iv_reason=np.zeros(n, np.int8),
        iv=shown(sigma),
        delta=shown(delta),
        gamma=shown(A * pdf / (spot * w)),
        vega=shown(0.01 * D * F * pdf * np.sqrt(T)),
        vanna=shown(0.01 * A * pdf * -d2 / sigma),
        charm=shown(charm),
        theta=shown(np.zeros((2, n))),
    )


def zero_dte(
    spot: float = 6000.0,
    hours: float = 4.0,
    iv: float = 0.13,
    strikes: np.ndarray | None = None,
) -> Surface:
    """One expiry of today, 5-point strikes within 200 points."""
    K = np.arange(5800.0, 6201.0, 5.0) if strikes is None else strikes
    return surface([(expiry(hours, date=TODAY), K)], spot, flat(iv))


def index_chain(rows: int = 12_000, expiries: int = 50, spot: float = 6000.0) -> Surface:
    """An index-like chain: today, then every few days, then months and years out."""
    hours = np.concatenate([[4.0], 28.0 + 24.0 * np.geomspace(0.01, 900.0, expiries - 1)])
    per = rows // expiries
    chain = []
    for h in hours:
        width = min(0.05 + 0.35 * np.sqrt(h / 8760), 0.5)
        K = np.unique(np.round(np.linspace(spot * (1 - width), spot * (1 + width), per) / 5) * 5)
        chain.append((expiry(float(h)), K))
    return surface(chain, spot, skewed(), rate=0.045, dividend=0.013)
