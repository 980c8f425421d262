"""Exchange-labelled volume: what market makers did, by the exchange's own account.

Cboe's Open-Close summary says per series and interval how much each kind of trader
bought and sold. It says nothing of single trades, so it cannot measure how often a
trade is signed rightly (quant notes 0.5); what it can be held against is the net change
of dealers' positions by series and interval, and it can seed a book.

Quantities come as `recording.openclose` reads them: contracts by origin (market makers,
broker-dealers, firms, customers, professional customers), effect (to open, to close,
not said) and side (bought, sold), shape (5, 3, 2, r), NaN where a file has no column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
I32 = NDArray[np.int32]

MM, BD, FIRM, CUST, PROCUST = range(5)
"""Index of each origin."""
OPEN, CLOSE, UNSAID = range(3)
"""Index of each effect."""
NAN = float("nan")

TENORS: tuple[tuple[str, float, float], ...] = (
    ("all", 0.0, np.inf),
    ("0DTE", 0.0, 0.0),
    ("1–7 days", 1.0, 7.0),
    ("8–30 days", 8.0, 30.0),
    ("over 30 days", 31.0, np.inf),
)
"""Name, first and last day to expiry of each stretch that is scored apart."""


@dataclass(frozen=True, eq=False, slots=True)
class Labelled:
    """What dealers gained by the exchange's labels. r rows."""

    net: F64
    """Dealer contracts gained, + = bought; NaN where the labels do not say. Shape (r,)."""
    volume: F64
    """Contracts traded: the larger of all labelled purchases and sales. Shape (r,)."""
    direct: NDArray[np.bool_]
    """Whether dealers' own columns say so; else it is what all others did not. Shape (r,)."""


def labelled(quantity: F64, *, broker_dealers: bool = False, firms: bool = False) -> Labelled:
    """Net change of dealers' positions by row.

    Dealers are market makers, on request also broker-dealers and firms. Where the file
    has no columns of market makers, they are taken for the counterparty of all others:
    the exchange's purchases equal its sales, so this is exact if all other origins are
    there and else too large by what is not.
    """
    dealers = [MM] + [BD] * broker_dealers + [FIRM] * firms
    others = [origin for origin in (MM, BD, FIRM, CUST, PROCUST) if origin not in dealers]
    missing = np.asarray(np.all(np.isnan(quantity), axis=1), np.bool_)  # origin, side, row
    sides = np.nansum(quantity, axis=1)
    nets = sides[:, 0] - sides[:, 1]
    direct = ~missing[MM].any(axis=0)
    # Without customers, what is left of the market is no counterparty to speak of.
    known = ~missing[CUST].any(axis=0)
    net = np.where(direct, nets[dealers].sum(axis=0), -nets[others].sum(axis=0))
    return Labelled(
        net=np.where(direct | known, net, np.nan),
        volume=np.asarray(sides.sum(axis=0).max(axis=0), np.float64),
        direct=direct,
    )


def cumulative(contract: I32, ts: I64, day: I64, volume: F64) -> bool:
    """Whether snapshots hold the day up to then, by the numbers themselves.

    A sum never falls from one snapshot of a series to the next; volumes of ten minutes
    each do at once. A file with one snapshot a day is taken for a sum. Shapes (r,); `day`
    is any number that tells days apart.
    """
    order = np.lexsort((ts, day, contract))
    same = (np.diff(contract[order]) == 0) & (np.diff(day[order]) == 0)
    return not bool(np.any(same & (np.diff(volume[order]) < 0.0)))


def increments(contract: I32, ts: I64, day: I64, values: F64) -> F64:
    """Sums since the day's beginning to what each snapshot added. Shapes (r,) and (…, r).

    Series absent from a snapshot had no change then: a difference is to the last one
    that has it.
    """
    order = np.lexsort((ts, day, contract))
    first = np.ones(len(order), np.bool_)
    first[1:] = (np.diff(contract[order]) != 0) | (np.diff(day[order]) != 0)
    arranged = values[..., order]
    before = np.roll(arranged, 1, axis=-1)
    before[..., first] = 0.0
    out = np.empty_like(values)
    out[..., order] = arranged - before
    return out


@dataclass(frozen=True, eq=False, slots=True)
class Seed:
    """A book from labelled days, by contract: what `prior.carry_rows` takes. Shapes (c,)."""

    mean: F64
    """Dealer contracts gained over the days, + = bought."""
    variance: F64
    """Variance, contracts²: 0 where labels are direct."""
    opened: F64
    """Opening contracts seen."""
    days: int
    """Days added up."""
    unknown: int
    """Rows left out because their labels do not say what dealers did."""


INDIRECT = 0.10
"""Standard deviation of a net change that is what others did not, share of volume: our
assumption, as wide as that of an unrecorded position."""


def seed(
    count: int,
    days: Sequence[tuple[I32, Labelled, F64]],
) -> Seed:
    """Add up days of labelled volume into a book of `count` contracts.

    Each day is its contracts (r,), their `Labelled`, and open interest that morning (r,),
    NaN where not given, in order of time; one row per contract. Opening contracts of a
    day are (V + ΔOI)/2 where the next day gives open interest too, else V/2.
    """
    mean, variance, opened = np.zeros(count), np.zeros(count), np.zeros(count)
    unknown = 0
    for number, (contract, day, open_interest) in enumerate(days):
        known = ~np.isnan(day.net)
        unknown += int(np.count_nonzero(~known))
        at = contract[known]
        np.add.at(mean, at, day.net[known])
        unsure = np.where(day.direct, 0.0, (INDIRECT * day.volume) ** 2)
        np.add.at(variance, at, unsure[known])
        change = np.zeros(len(contract))
        if number + 1 < len(days):
            later, _, then = days[number + 1]
            next_oi = np.full(count, np.nan)
            next_oi[later] = then
            change = np.nan_to_num(next_oi[contract] - open_interest)
        np.add.at(opened, contract, np.clip(0.5 * (day.volume + change), 0.0, day.volume))
    return Seed(mean, variance, opened, len(days), unknown)


@dataclass(frozen=True, slots=True)
class OpenCloseScore:
    """Our net change of dealers' positions against the exchange's, over a stretch of tenors."""

    tenor: str
    """Which series, e.g. `0DTE`."""
    count: int
    """Series and intervals that both sides know."""
    volume: float
    """Contracts traded in them."""
    sign_agreement: float
    """Share of volume in series where both nets have the same sign, of those where neither
    is 0; 0 to 1, NaN: too few."""
    spearman: float
    """Rank correlation of the nets, −1 to 1; NaN: too few."""
    pearson: float
    """Correlation of the nets, −1 to 1; NaN: too few."""
    slope: float
    """Our net per contract of theirs, through 0; 1 is right, less is timid; NaN: too few."""
    net_ours: float
    """Our net change in all, contracts."""
    net_theirs: float
    """Theirs."""


def compare_net(
    ours: F64, theirs: F64, volume: F64, tenor_days: F64, least: int = 10
) -> tuple[OpenCloseScore, ...]:
    """Score our nets against labelled ones, by tenor; one score for each of `TENORS`.

    All of shape (r,): a row is one series in one interval. `tenor_days` are calendar days
    to expiry, 0 on the day itself. Rows that either side does not know (NaN) and rows
    without volume are left out. Fewer than `least` rows give NaN, not a figure.
    """
    known = ~(np.isnan(ours) | np.isnan(theirs) | np.isnan(tenor_days)) & (volume > 0.0)
    scores = []
    for name, low, high in TENORS:
        at = known & (tenor_days >= low) & (tenor_days <= high)
        scores.append(_score(name, ours[at], theirs[at], volume[at], least))
    return tuple(scores)


def _score(tenor: str, ours: F64, theirs: F64, volume: F64, least: int) -> OpenCloseScore:
    enough = len(ours) >= least
    decided = (ours != 0.0) & (theirs != 0.0)
    weight = float(volume[decided].sum())
    agree = float(volume[decided & (np.sign(ours) == np.sign(theirs))].sum())
    squares = float(theirs @ theirs)
    return OpenCloseScore(
        tenor=tenor,
        count=len(ours),
        volume=float(volume.sum()),
        sign_agreement=agree / weight if enough and weight > 0.0 else NAN,
        spearman=correlation(ranks(ours), ranks(theirs)) if enough else NAN,
        pearson=correlation(ours, theirs) if enough else NAN,
        slope=float(ours @ theirs) / squares if enough and squares > 0.0 else NAN,
        net_ours=float(ours.sum()),
        net_theirs=float(theirs.sum()),
    )


def ranks(values: F64) -> F64:
    """Ranks from 1, equal values sharing the mean of theirs. Shape (r,)."""
    _, which, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return np.asarray((last - 0.5 * (count - 1))[which], np.float64)


def correlation(a: F64, b: F64) -> float:
    """Pearson's correlation; NaN where one of them never varies."""
    if len(a) == 0:
        return NAN
    a, b = a - a.mean(), b - b.mean()
    spread = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / spread if spread > 0.0 else NAN
