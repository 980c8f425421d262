"""Packages: option spreads that were priced as a whole, and which way each leg went.

A leg's own price against its own quote says next to nothing (Savickas & Wilson 2003:
about half right), for only the net price was negotiated. So:

1. `group` brings the legs together again: one kind of condition, a few milliseconds,
   sizes in simple proportion.
2. `solve` weighs every way in which the legs may stand to each other. For legs of signs
   s and ratios r, with h half a leg's spread,

       x = Σ s·r·(price − mid) / Σ r·h

   is how far the net price lies from the net mid, and on which side: the customer bought
   the package as s says where x > 0, sold it where x < 0. What people trade (verticals
   have opposite legs, straddles have not) and a net price that is near the net mid speak
   for a pattern. All legs share the one unknown side.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
I8 = NDArray[np.int8]
Mask = NDArray[np.bool_]

MOST_LEGS = 4
"""Groups of more legs are not solved."""
_RATIO = 4.0
_ON_GRID = 1e-3
CELL_NS = 1_000_000_000
"""No package reaches over a full second of the clock."""


@dataclass(frozen=True, slots=True)
class PackageSettings:
    """How packages are put together and judged."""

    together_ns: int = 5_000_000
    """Legs follow each other within this, ns."""
    concession: float = 0.25
    """What customers pay over the net mid on average, in half net spreads."""
    spread: float = 0.2
    """Standard deviation of that, net mids being inexact and prices on a grid."""
    resting: float = 0.08
    """Share of packages that rest, and are filled on the other side of the net mid."""
    grid: float = 0.05
    """Net prices lie on multiples of this, points, where legs may print in cents."""
    off_grid: float = 0.1
    """How often they do not, relative to how often they do."""
    least: float = 0.51
    """A leg less sure than this is unsolved."""


@dataclass(frozen=True, eq=False, slots=True)
class Legs:
    """Prints that belong to packages, one a row. k rows."""

    group: I64
    """Number of the package, ascending; rows of one package adjoin. Shape (k,)."""
    price: F64
    """Points."""
    size: F64
    """Contracts."""
    bid: F64
    """Bid in force before the package, points; NaN where it may not be used."""
    ask: F64
    """Offer in force."""
    right: I8
    """+1 call, −1 put, 0 not known."""
    strike: F64
    """Points; NaN not known."""
    expiry: I64
    """Any number that tells expiries (and roots) apart."""


@dataclass(frozen=True, eq=False, slots=True)
class Solved:
    """Which way each leg went."""

    customer: F64
    """P(customer bought the leg); 0.5 where unsolved. Shape (k,)."""
    solved: Mask
    """Whether it says anything. Shape (k,)."""


def group(ts: I64, kind: NDArray[np.uint8], size: F64, together_ns: int = 5_000_000) -> I64:
    """Number of the package that each print is a leg of, any order. Shape (n,).

    Prints of one kind that follow each other within `together_ns`, and within one second
    of the clock. Where these are too many for one package they are told apart by size,
    then by ever smaller distances in time, down to the very same instant. What is still
    too large afterwards is numbered as one group of more than `MOST_LEGS`.
    """
    n = len(ts)
    number = np.zeros(n, np.int64)
    if n == 0:
        return number
    at = np.arange(n)  # rows in question
    pieces: list[tuple[I64, I64]] = []
    by_size = False
    gap = together_ns
    while True:
        keys = (ts[at], size[at], kind[at]) if by_size else (ts[at], kind[at])
        order = at[np.lexsort(keys)]
        when, what, many = ts[order], kind[order], size[order]
        starts = np.ones(len(order), np.bool_)
        starts[1:] = (
            (what[1:] != what[:-1])
            | (when[1:] - when[:-1] > gap)
            | (when[1:] // CELL_NS != when[:-1] // CELL_NS)
        )
        if by_size:
            starts[1:] |= many[1:] != many[:-1]
        run = np.cumsum(starts) - 1
        count = np.bincount(run)
        lows = np.minimum.reduceat(many, np.flatnonzero(starts))
        highs = np.maximum.reduceat(many, np.flatnonzero(starts))
        fine = (count <= MOST_LEGS) & (highs <= _RATIO * lows)
        last = by_size and gap == 0
        done = (fine | last)[run]
        pieces.append((order[done], run[done]))
        at = order[~done]
        if len(at) == 0:
            break
        if by_size:
            gap = 0 if gap < 100_000 else gap // 5
        by_size = True
    offset = 0
    for rows, run in pieces:
        number[rows] = run + offset
        offset += n
    # Numbers in order of first appearance in time are not needed; compact ones are.
    return np.unique(number, return_inverse=True)[1].astype(np.int64)


def solve(legs: Legs, settings: PackageSettings | None = None) -> Solved:
    """P(customer bought) of every leg, packages of two to `MOST_LEGS` legs.

    A package with a leg whose quote is missing, locked or crossed is unsolved, as are
    lone legs, groups of too many, and packages at their net mid.
    """
    settings = settings or PackageSettings()
    k = len(legs.group)
    customer, solved = np.full(k, 0.5), np.zeros(k, np.bool_)
    if k == 0:
        return Solved(customer, solved)
    starts = np.ones(k, np.bool_)
    starts[1:] = legs.group[1:] != legs.group[:-1]
    first = np.flatnonzero(starts)
    count = np.diff(np.append(first, k))
    half = 0.5 * (legs.ask - legs.bid)
    bad = ~(half > 0.0)
    usable = ~np.logical_or.reduceat(bad, first)
    for m in range(2, MOST_LEGS + 1):
        chosen = np.flatnonzero((count == m) & usable)
        if len(chosen) == 0:
            continue
        rows = first[chosen, None] + np.arange(m)
        # By expiry, strike and right, so that a structure always reads the same way.
        shape = np.lexsort((legs.right[rows], legs.strike[rows], legs.expiry[rows]), axis=1)
        rows = np.take_along_axis(rows, shape, axis=1)
        p = _directions(legs, half, rows, settings)
        customer[rows] = p
    sure = np.abs(customer - 0.5) >= settings.least - 0.5
    solved = sure
    customer[~sure] = 0.5
    return Solved(customer, solved)


def _directions(legs: Legs, half: F64, rows: I64, settings: PackageSettings) -> F64:
    """P(customer bought), by package and leg. `rows` has shape (g, m), sorted by structure."""
    patterns = _PATTERNS[rows.shape[1]]  # (s, m)
    size = legs.size[rows]
    ratio = size / size.min(axis=1, keepdims=True)
    away = ratio * (legs.price[rows] - 0.5 * (legs.bid[rows] + legs.ask[rows]))
    x = (away @ patterns.T) / (ratio * half[rows]).sum(axis=1, keepdims=True)  # (g, s)
    # Likelihood of x if the customer bought the pattern, and if he sold it.
    bought, sold = (
        (1.0 - settings.resting) * _bell(x, sign * settings.concession, settings.spread)
        + settings.resting * _bell(x, -sign * settings.concession, settings.spread)
        for sign in (1.0, -1.0)
    )
    net = (ratio * legs.price[rows]) @ patterns.T / settings.grid
    on_grid = np.abs(net - np.rint(net)) < _ON_GRID
    prior = _priors(legs, rows, patterns) * np.where(on_grid, 1.0, settings.off_grid)
    total = (prior * (bought + sold)).sum(axis=1, keepdims=True)
    lean = prior * (bought - sold)
    lean = np.divide(lean, total, out=np.zeros_like(lean), where=total > 0.0)
    return np.asarray(0.5 + 0.5 * (lean @ patterns), np.float64)


def _bell(x: F64, centre: float, spread: float) -> F64:
    return np.asarray(np.exp(-0.5 * ((x - centre) / spread) ** 2), np.float64)


_PATTERNS: dict[int, F64] = {
    m: np.array([(1, *rest) for rest in itertools.product((1, -1), repeat=m - 1)], np.float64)
    for m in range(2, MOST_LEGS + 1)
}
"""Signs of the legs but for a flip of them all. Shape (2^(m−1), m)."""


def _priors(legs: Legs, rows: I64, patterns: F64) -> F64:
    """How usual each pattern is for such legs, before prices. Shape (g, s)."""
    right, strike, expiry = legs.right[rows], legs.strike[rows], legs.expiry[rows]
    m = rows.shape[1]
    weight = np.ones((len(rows), len(patterns)))
    for i, j in itertools.combinations(range(m), 2):
        one_right = right[:, i] == right[:, j]
        one_strike = strike[:, i] == strike[:, j]
        one_expiry = expiry[:, i] == expiry[:, j]
        alike = np.select(
            [
                one_right & one_strike & one_expiry,
                (right[:, i] == 0) | (right[:, j] == 0),
                one_right,
                ~one_expiry,
                one_strike,
            ],
            # one contract twice: one side; not known; verticals, calendars; any two of two
            # expiries; straddles, rather than combinations
            [0.99, 0.5, 0.04 if m == 2 else 0.35, 0.5, 0.85 if m == 2 else 0.5],
            default=0.65 if m == 2 else 0.5,  # strangles, rather than risk reversals
        )
        same = patterns[:, i] == patterns[:, j]
        weight *= np.where(same, alike[:, None], 1.0 - alike[:, None])
    weight /= weight.sum(axis=1, keepdims=True)
    if m > 2:
        named, which = _named(right, strike, expiry, patterns)
        picked = np.zeros_like(weight)
        picked[np.flatnonzero(named), which[named]] = 1.0
        weight = np.where(named[:, None], 0.9 * picked + 0.1 * weight, weight)
    return weight


def _named(right: I8, strike: F64, expiry: I64, patterns: F64) -> tuple[Mask, I64]:
    """Packages of three or four legs that have a name, and the pattern it stands for.

    Legs are sorted by strike, puts before calls at one strike. Returns shapes (g,), (g,).
    """
    g, m = right.shape
    which = np.zeros(g, np.int64)
    one_expiry = (expiry == expiry[:, :1]).all(axis=1)
    rising = (np.diff(strike, axis=1) > 0.0).all(axis=1)
    one_right = (right == right[:, :1]).all(axis=1) & (right[:, 0] != 0)

    def index(*signs: int) -> int:
        return int(np.flatnonzero((patterns == np.array(signs)).all(axis=1))[0])

    if m == 3:
        named = one_expiry & one_right & rising  # butterfly
        which[named] = index(1, -1, 1)
        return named, which
    wings = (right == np.array([-1, -1, 1, 1], np.int8)).all(axis=1)
    ordered = (np.diff(strike, axis=1) >= 0.0).all(axis=1)
    spread = (strike[:, 0] < strike[:, 1]) & (strike[:, 2] < strike[:, 3])
    condor = one_expiry & (one_right & rising | wings & ordered & spread)
    box = (
        one_expiry
        & (right == np.array([-1, 1, -1, 1], np.int8)).all(axis=1)
        & (strike[:, 0] == strike[:, 1])
        & (strike[:, 2] == strike[:, 3])
        & (strike[:, 1] < strike[:, 2])
    )
    which[condor] = index(1, -1, -1, 1)
    # Long the lower call and the higher put against the other two, or the reverse.
    which[box] = index(1, -1, -1, 1)
    return condor | box, which


__all__ = ["MOST_LEGS", "Legs", "PackageSettings", "Solved", "group", "solve"]
