"""What dealers had to trade today, by the reason for it: the hedge-flow identity.

    −(GEX per point · ΔS + vanna · ΔIV + charm · Δt)

from tick to tick, added up over the day and kept apart by source. The minus sign: a hedge
is the opposite of what the book gains (Volland guide). It is what a dealer who hedges all
of it all the time would have traded, not what anybody did; it stands beside what spot did.

Each tick takes the mean of the exposures before and after. Those before alone would leave
out the bend of delta, ½·∂Γ/∂S·ΔS²: however short the steps, it adds up with the variance
of spot, and over a day in which spot moves as implied it is as large as charm.

ΔIV is taken by expiry, at fixed strikes (`strike_vol_change`): the volatility at the money
also moves when spot slides along the smile, which is no change of volatility to a contract.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gexterm.exposure.strikes import Exposures, by_expiry
from gexterm.market.chain import Layout
from gexterm.market.contracts import Expiry
from gexterm.pricing.surface import Surface

F64 = NDArray[np.float64]
NAN = float("nan")
_DAY_SECONDS = 86_400.0
_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class HedgeSettings:
    """Over what a step may reach."""

    longest_s: float = 180.0
    """Seconds between ticks beyond which nothing is added up: the book was not seen."""


@dataclass(frozen=True, eq=False, slots=True)
class HedgeTick:
    """The book of k views at one tick, summed by expiry. E expiries."""

    day: int
    """The session's day, any number that tells days apart."""
    at: int
    """The instant, ns."""
    spot: float
    """Underlying, points."""
    views: tuple[str, ...]
    """Names of the views, k of them."""
    expiries: tuple[Expiry, ...]
    """What the columns are."""
    seconds: F64
    """Seconds to settlement. Shape (E,)."""
    iv: F64
    """Volatility at the money, as a fraction; NaN not known. Shape (E,)."""
    gex: F64
    """$ of delta per 1 % of spot; NaN not known. Shape (k, E)."""
    vanna: F64
    """$ of delta per vol point. Shape (k, E)."""
    charm_day: F64
    """$ of delta per calendar day, instantaneous. Shape (k, E)."""


@dataclass(frozen=True, eq=False, slots=True)
class HedgeDay:
    """What has been added up since each view was first seen today; $ of delta, + = bought."""

    day: int = 0
    """The session's day; 0 none yet."""
    views: tuple[str, ...] = ()
    """Names of the views, k of them."""
    gamma: F64 | None = None
    """Traded because spot moved. Shape (k,)."""
    vanna: F64 | None = None
    """Traded because volatility changed. Shape (k,)."""
    charm: F64 | None = None
    """Traded because time passed. Shape (k,)."""
    since: NDArray[np.int64] | None = None
    """From when, ns; 0: the view's book has not been known yet. Shape (k,)."""
    spot_since: F64 | None = None
    """Spot then, points; NaN not yet. Shape (k,)."""
    vanna_seen: F64 | None = None
    """Σ|vanna|·Δt over expiries whose change of volatility was known. Shape (k,)."""
    vanna_all: F64 | None = None
    """The same over all of them. Shape (k,)."""
    covered_s: float = 0.0
    """Seconds added up."""
    missed_s: float = 0.0
    """Seconds that gaps took, in which dealers hedged unseen."""
    gaps: int = 0
    """How many gaps."""
    missed_move: float = 0.0
    """Points that spot moved over them."""
    last: HedgeTick | None = None
    """The tick before."""


@dataclass(frozen=True, slots=True)
class HedgeSources:
    """One view's day so far. $ of delta that dealers would have traded, + = bought."""

    gamma: float = NAN
    """Because spot moved."""
    vanna: float = NAN
    """Because volatility changed."""
    charm: float = NAN
    """Because time passed."""
    total: float = NAN
    """All three."""
    spot_move: float = NAN
    """What spot did meanwhile, points."""
    since: int = 0
    """From when, ns; 0 never."""
    covered_s: float = 0.0
    """Seconds added up."""
    missed_s: float = 0.0
    """Seconds that gaps took."""
    missed_move: float = 0.0
    """Points that spot moved over them, part of `spot_move` but of none of the sources."""
    vol_known: float = NAN
    """Share of |vanna| whose change of volatility was known, over the day; NaN without any."""


def strike_vol_change(before: Surface, now: Surface) -> F64:
    """Change of volatility at fixed strikes by expiry, a fraction, weighted by vega then.

    Both surfaces are of one layout (ValueError); NaN where an expiry is not priced in
    both. Shape (E,).
    """
    layout: Layout = before.layout
    if layout is not now.layout and not np.array_equal(layout.strike, now.layout.strike):
        raise ValueError("a change of volatility is taken between surfaces of one layout")
    change = now.iv - before.iv
    weight = np.where(np.isfinite(change) & (before.vega > 0.0), before.vega, 0.0)
    count = len(layout.expiries)
    total = np.bincount(layout.expiry, weight, count)
    moved = np.bincount(layout.expiry, weight * np.nan_to_num(change), count)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(total > 0.0, moved / total, np.nan)


def hedge_tick(
    day: int, surface: Surface, views: tuple[str, ...], rows: tuple[Exposures, ...]
) -> HedgeTick:
    """Sum each view's exposures, by row, into a tick."""
    sums = [by_expiry(each, surface.layout) for each in rows]
    shape = (len(views), len(surface.layout.expiries))
    return HedgeTick(
        day=day,
        at=surface.as_of,
        spot=surface.spot,
        views=views,
        expiries=surface.layout.expiries,
        seconds=surface.seconds,
        iv=surface.atm_iv,
        gex=np.array([s.gex for s in sums]).reshape(shape),
        vanna=np.array([s.vanna for s in sums]).reshape(shape),
        charm_day=np.array([s.charm_day for s in sums]).reshape(shape),
    )


def step(
    state: HedgeDay,
    tick: HedgeTick,
    vol_change: F64 | None = None,
    settings: HedgeSettings | None = None,
) -> HedgeDay:
    """Add what happened since the tick before.

    `vol_change`, shape (E,) on the expiries of the tick before, is the change since then
    as `strike_vol_change` has it; without it, and where it is NaN, that at the money
    stands in. A gap is skipped and counted. A tick without a spot changes nothing. A new
    day, or a step back in time, starts anew; a view starts at zero at the first tick that
    knows its book, and is forgotten by one that does not name it.
    """
    settings = settings or HedgeSettings()
    if not (tick.spot > 0.0 and np.isfinite(tick.spot)):
        return state
    last = state.last
    if last is None or tick.day != state.day or tick.at < last.at:
        state, last = HedgeDay(day=tick.day), None
    passed = 0.0 if last is None else (tick.at - last.at) / _SECOND
    gap = passed > settings.longest_s
    k = len(tick.views)
    gained = np.zeros((3, k))
    weight = np.zeros((2, k))
    carried = {name: i for i, name in enumerate(state.views)}
    at = np.array([carried.get(name, -1) for name in tick.views], np.intp)
    if last is not None and not gap and passed > 0.0:
        moved, seen = _gained(last, tick, passed, vol_change)
        gained[:, at >= 0] = moved[:, at[at >= 0]]
        weight[:, at >= 0] = seen[:, at[at >= 0]]

    def on(values: F64 | None, added: F64) -> F64:
        out = added.copy()
        if values is not None:
            out[at >= 0] += values[at[at >= 0]]
        return out

    since, spot_since = np.zeros(k, np.int64), np.full(k, NAN)
    if state.since is not None and state.spot_since is not None:
        since[at >= 0] = state.since[at[at >= 0]]
        spot_since[at >= 0] = state.spot_since[at[at >= 0]]
    begins = (since == 0) & np.isfinite(tick.gex).any(axis=1)
    since[begins], spot_since[begins] = tick.at, tick.spot
    missed = 0.0 if last is None or not gap else tick.spot - last.spot
    return HedgeDay(
        day=tick.day,
        views=tick.views,
        gamma=on(state.gamma, -gained[0]),
        vanna=on(state.vanna, -gained[1]),
        charm=on(state.charm, -gained[2]),
        since=since,
        spot_since=spot_since,
        vanna_seen=on(state.vanna_seen, weight[0]),
        vanna_all=on(state.vanna_all, weight[1]),
        covered_s=state.covered_s + (0.0 if gap else passed),
        missed_s=state.missed_s + (passed if gap else 0.0),
        gaps=state.gaps + gap,
        missed_move=state.missed_move + missed,
        last=tick,
    )


def _gained(
    last: HedgeTick, tick: HedgeTick, passed: float, vol_change: F64 | None
) -> tuple[F64, F64]:
    """Delta the books of the tick before gained, by source. Shape (3, k).

    And how much of their vanna had a change of volatility to go with, shape (2, k).
    """
    change = _at_the_money(last, tick)
    if vol_change is not None:
        change = np.where(np.isnan(vol_change), change, vol_change)
    # An expiry that settles on the way lived only so long.
    lived = np.clip(last.seconds, 0.0, passed)
    known = np.isfinite(change)
    gex, vanna, charm = (_mean_of(last, tick, name) for name in ("gex", "vanna", "charm_day"))
    # GEX is per 1 % of a spot of its own; the mean of the two spots is as good as each.
    move = (tick.spot - last.spot) / (0.005 * (last.spot + tick.spot))
    sources = np.stack(
        [
            gex.sum(axis=1) * move,
            100.0 * (vanna * np.where(known, change, 0.0)).sum(axis=1),
            (charm * lived).sum(axis=1) / _DAY_SECONDS,
        ]
    )
    size = np.abs(vanna) * lived
    return sources, np.stack([(size * known).sum(axis=1), size.sum(axis=1)])


def _mean_of(last: HedgeTick, tick: HedgeTick, name: str) -> F64:
    """Mean of an exposure before and after, on the views and expiries of the tick before.

    Where it is not known after (settled, not quoted), what was before; 0 where it was not
    known then. Shape (k, E).
    """
    before: F64 = getattr(last, name)
    after: F64 = getattr(tick, name)
    if last.views != tick.views or last.expiries != tick.expiries:
        rows = [tick.views.index(v) if v in tick.views else -1 for v in last.views]
        place = {e: i for i, e in enumerate(tick.expiries)}
        columns = [place.get(e, -1) for e in last.expiries]
        # One line and one column of NaN at the end: where −1 points.
        after = np.pad(after, (0, 1), constant_values=np.nan)[np.ix_(rows, columns)]
    mean = np.where(np.isnan(after), before, 0.5 * (before + after))
    return np.asarray(np.nan_to_num(mean), np.float64)


def _at_the_money(last: HedgeTick, tick: HedgeTick) -> F64:
    """Change of volatility at the money, on the expiries of the tick before. Shape (E,)."""
    if last.expiries == tick.expiries:
        return np.asarray(tick.iv - last.iv, np.float64)
    now = dict(zip(tick.expiries, tick.iv.tolist(), strict=True))
    return np.array([now.get(e, NAN) for e in last.expiries], np.float64) - last.iv


def sources(state: HedgeDay, view: str) -> HedgeSources:
    """One view's day so far; all NaN where its book has not been known yet."""
    if (
        view not in state.views
        or state.last is None
        or state.gamma is None
        or state.vanna is None
        or state.charm is None
        or state.since is None
        or state.spot_since is None
        or state.vanna_seen is None
        or state.vanna_all is None
    ):
        return HedgeSources()
    i = state.views.index(view)
    if state.since[i] == 0:
        return HedgeSources()
    gamma, vanna, charm = float(state.gamma[i]), float(state.vanna[i]), float(state.charm[i])
    every = float(state.vanna_all[i])
    return HedgeSources(
        gamma=gamma,
        vanna=vanna,
        charm=charm,
        total=gamma + vanna + charm,
        spot_move=state.last.spot - float(state.spot_since[i]),
        since=int(state.since[i]),
        covered_s=state.covered_s,
        missed_s=state.missed_s,
        missed_move=state.missed_move,
        vol_known=float(state.vanna_seen[i]) / every if every > 0.0 else NAN,
    )
