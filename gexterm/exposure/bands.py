"""The gamma profile of an uncertain book, and how far off its flip may be.

    G(s) = Σ x·g(s),   Var G(s) = Σ var·g(s)² + Σ_j (Σ shared_j·g(s))²

No draw is needed: the variance is a sum of Gaussians like the profile itself, and every
common error is one more book of the same sweep.

The flip's band holds the spots whose own band of G contains 0 and that hang together
with the flip: the ones that cannot be told from a flip (Fieller's interval).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gexterm.dealers.belief import Belief
from gexterm.exposure.flip import Flip
from gexterm.exposure.profile import (
    GammaProfile,
    Repricing,
    gamma_profile,
    merged,
    profile_errors,
)
from gexterm.exposure.scope import Mask
from gexterm.exposure.uncertainty import COVERAGE, half_width, probability_negative
from gexterm.pricing.surface import Surface

F64 = NDArray[np.float64]
NAN = float("nan")
_NEGLIGIBLE = 1e-6


@dataclass(frozen=True, eq=False, slots=True)
class GammaSpread:
    """G(s) of several views with its standard deviation. v views, M spots."""

    profile: GammaProfile
    """The views' expected books, then those swept along."""
    sd: F64
    """Standard deviation of G(s) of each view, $ per 1 %. Shape (v, M)."""
    sd_now: F64
    """The same at today's spot. Shape (v,)."""

    def mean(self, view: int = 0) -> F64:
        """Expected G(s) of a view, $ per 1 %. Shape (M,)."""
        line: F64 = self.profile.gex[view]
        return line

    def mix(self, view: int = 0) -> tuple[float, ...]:
        """What picks the view out of the profile, for `find_flip`."""
        return tuple(float(i == view) for i in range(len(self.profile.gex)))

    def p_short(self, view: int = 0) -> float:
        """P(G(S) < 0); NaN where it is certainly 0 or not known."""
        if len(self.profile.part.rows) == 0:
            return NAN
        return probability_negative(float(self.profile.now[view]), float(self.sd_now[view]))


def gamma_spread(
    surface: Surface,
    beliefs: Sequence[Belief],
    scope: Mask | None = None,
    spots: F64 | None = None,
    repricing: Repricing = "sticky strike",
    books: F64 | None = None,
) -> GammaSpread:
    """Re-price the gamma of several beliefs along spot: means, variances, common errors.

    `books`, shape (k, n), are swept along with the means, for views that are certain;
    they follow the beliefs in `profile.gex`. Otherwise as `gamma_profile`.
    """
    n = len(surface.layout)
    variances = np.array([b.variance.sum(axis=0) for b in beliefs]).reshape(len(beliefs), n)
    shared, which, owner = _common_errors(beliefs, n)
    means = [merged(b.mean) for b in beliefs]
    profile = gamma_profile(
        surface,
        np.concatenate([*means, np.empty((0, n)) if books is None else np.atleast_2d(books)]),
        scope,
        spots,
        repricing,
        also=np.any(variances > 0.0, axis=0) | np.any(shared != 0.0, axis=0),
    )
    part = profile.part
    unit = part.carry * part.size / part.w * (0.01 / np.sqrt(2.0 * np.pi) * profile.spot)
    unit *= np.exp(-0.5 * part.d1 * part.d1)
    common, total = profile_errors(profile, shared, variances)
    here = np.einsum("kn,n,n->k", variances[:, part.rows], unit, unit)
    np.add.at(total, owner, np.square(common)[which])
    at_spot = np.square(np.einsum("kn,n->k", shared[:, part.rows], unit))
    np.add.at(here, owner, at_spot[which])
    # Summed on few points and drawn through them: next to nothing may come out below it.
    return GammaSpread(profile, np.sqrt(np.maximum(total, 0.0)), np.sqrt(here))


def spread_around(profile: GammaProfile, before: GammaSpread) -> GammaSpread:
    """A new profile of the same views with the errors of an earlier one, by distance from spot.

    For moments ago: positions and greeks hardly moved, and errors need not be exact.
    """
    if len(profile.spots) == 0 or len(before.profile.spots) == 0:
        sd = np.full((len(before.sd), len(profile.spots)), np.nan)
    else:
        then = np.log(before.profile.spots / before.profile.spot)
        now = np.log(profile.spots / profile.spot)
        sd = np.array([np.interp(now, then, line) for line in before.sd])
    return GammaSpread(profile, sd, before.sd_now)


def _common_errors(
    beliefs: Sequence[Belief], n: int
) -> tuple[F64, NDArray[np.intp], NDArray[np.intp]]:
    """All different common errors, (k, n), calls and puts of a row added.

    And, for every one of every belief, which of these it is, and whose. Beliefs that are
    made of one another hold the same errors in the same memory: these are swept once.
    """
    seen: dict[tuple[int, tuple[int, ...]], int] = {}
    found: list[F64] = []
    which: list[int] = []
    for belief in beliefs:
        for one in belief.shared:
            key = (one.__array_interface__["data"][0], one.strides)
            if key not in seen:
                seen[key] = len(found)
                found.append(one.sum(axis=0))
            which.append(seen[key])
    owner = np.repeat(np.arange(len(beliefs)), [len(b.shared) for b in beliefs])
    shared = np.stack(found) if found else np.empty((0, n))
    return shared, np.array(which, np.intp), owner


@dataclass(frozen=True, slots=True)
class FlipBand:
    """Between which spots the flip lies."""

    low: float
    """Lower edge, points; NaN where the band is open there, or there is none."""
    high: float
    """Upper edge, points; NaN where the band is open there, or there is none."""
    open_low: bool
    """Whether the lower edge is beyond the grid: the flip may be anywhere down there."""
    open_high: bool
    """Whether the upper edge is beyond the grid."""
    certain: bool
    """Whether it is sure, at the band's coverage, that there is a flip, or that there is
    none: the sign of G is known on both sides of the band, and differs; or is known
    everywhere."""

    @property
    def exists(self) -> bool:
        """Whether a flip cannot be excluded."""
        return self.open_low or self.open_high or not np.isnan(self.low)


NO_BAND = FlipBand(NAN, NAN, False, False, False)
"""Where nothing is known."""


def flip_band(
    spread: GammaSpread, flip: Flip, view: int = 0, coverage: float = COVERAGE
) -> FlipBand:
    """The spots around a flip at which the band of G contains 0.

    `flip` is that of the same view. Where the expected profile has none, the spots
    nearest to today's at which there may be one all the same; no edges and `certain`
    where there are none of those either. Edges are linear between grid points. Where G
    and its band are below a millionth of the largest G the sign is not known.
    """
    spots, mean = spread.profile.spots, spread.mean(view)
    reach = half_width(coverage) * spread.sd[view]
    largest = float(np.maximum(np.abs(mean), reach).max(initial=0.0))
    if flip.kind == "unknown" and not largest > 0.0:
        return NO_BAND
    if np.isfinite(flip.spot):
        # G is 0 at the flip, and a band that is narrower than the grid is only seen there.
        at = int(np.searchsorted(spots, flip.spot))
        at_flip = np.interp(flip.spot, spots, reach)
        spots, mean, reach = (
            np.insert(line, at, value)
            for line, value in ((spots, flip.spot), (mean, 0.0), (reach, at_flip))
        )
    # Below 0 where the sign of G is known.
    slack = reach - np.abs(mean)
    slack[np.maximum(np.abs(mean), reach) <= _NEGLIGIBLE * largest] = 0.0
    doubtful = np.flatnonzero(slack >= 0.0)
    if len(doubtful) == 0:
        return FlipBand(NAN, NAN, False, False, True)
    centre = flip.spot if np.isfinite(flip.spot) else spread.profile.spot
    start = int(doubtful[np.argmin(np.abs(spots[doubtful] - centre))])
    low, left = _edge(spots, mean, reach, slack, start, -1)
    high, right = _edge(spots, mean, reach, slack, start, +1)
    sure = left is not None and right is not None and left != right
    return FlipBand(low, high, left is None, right is None, sure)


def _edge(
    spots: F64, mean: F64, reach: F64, slack: F64, start: int, way: int
) -> tuple[float, bool | None]:
    """Where doubt ends going one way, and whether dealers are long beyond; NaN, None: nowhere."""
    beyond = np.flatnonzero(slack[start::way] < 0.0)
    if len(beyond) == 0:
        return NAN, None
    j = start + way * int(beyond[0])
    i = j - way
    long = bool(mean[j] > 0.0)
    # The edge of the band that passes 0 between i and j: the lower one if G is above 0 at j.
    sign = 1.0 if long else -1.0
    inner, outer = sign * mean[i] - reach[i], sign * mean[j] - reach[j]
    share = -inner / (outer - inner) if outer > inner else 1.0
    return float(spots[i] + np.clip(share, 0.0, 1.0) * (spots[j] - spots[i])), long
