"""The synthetic market's volatility surface, of a known regime.

Each series has an SVI-shaped variance in standardised moneyness z = ln(K/A)/(σ₀√T),

    v(z) = 1 + b (ρ z + √(z² + s²) − s)         σ(K) = σ_atm · √(v(z_K) / v(z_F))

The anchor A lies where the forward was some time ago: when spot moves, volatility stays
with its strike (sticky strike) and the anchor follows slowly. The volatility at the
money itself is told to move by

    dσ_atm(T) = β · scale(T) · 100 dS/S + noise,    scale(T) = √(30 d / T), at most 2.5

so that a regression on spot finds β at 30 days, with the R² that was asked for. Noise
and skew are Ornstein–Uhlenbeck factors.

Today's expiry follows spot's own variance: its total standard deviation to the close is
`PREMIUM` times what the path has left. The other tenors follow a term structure around
30 days. Source of the shape: Gatheral & Jacquier, arXiv:1204.0646.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gexterm.clock import NS
from gexterm.simulator.path import Path
from gexterm.simulator.script import SpotScript, Term
from gexterm.simulator.step import F64, I64

YEAR_S = 365.0 * 86_400.0
"""Seconds in a year, as time to settlement is counted."""
RATE, DIVIDEND = 0.038, 0.012
"""Interest and dividend yield of the synthetic world, a year."""
PREMIUM = 1.1
"""What today's options imply over what spot is going to do, total standard deviations."""
_TODAY_OVER_30 = 1.4
"""Volatility of today's expiry over that of 30 days, at the pace of an average hour."""
_SLOPE = {"contango": 0.088, "inverted": -0.15}
"""Power of tenor in the level: 9 to 30 days is a factor of .90, or 1.20."""
_LEAST_TERM_DAYS = 4.0
"""Tenors shorter than this have the level of this one."""
_OVERNIGHT = 0.25
"""Variance from one session to the next, relative to a session's, at least."""
_MOST_SCALE = 2.5
_SHORT_BEND, _LONG_BEND, _RHO, _ROUND = 0.45, 0.60, -0.52, 0.7
"""b of today's smile and of 30 days and more; ρ; s."""
_LEAST_SHAPE_S = 1200.0
"""Smiles do not get narrower than they are this long before settlement."""
_LEAST_LEFT = 1e-5
"""Standard deviation left at the close itself, a fraction: not nothing, to divide by it."""
_LEAST_VARIANCE = 0.08
_LEAST_VOL = 0.03
_OWN = 0.15
"""Share of the noise in volatility that is a series' own."""
_FORGETS_S = 7200.0
"""Time in which noise loses 1/e, seconds: a change over minutes is hardly touched."""
_SKEW_SD, _BEND_SD = 0.06, 0.05
"""Standard deviation of the relative changes of slope and curvature."""


class Surface:
    """Forward, volatility and discount of every series, a second at a time.

    settles_at: ns, shape (E,). `today`, shape (E,), marks the series that settle at
    today's close. `begins` is the market time of second 0, ns.
    """

    def __init__(
        self,
        spot: SpotScript,
        term: Term,
        path: Path,
        settles_at: I64,
        today: NDArray[np.bool_],
        begins: int,
        session_s: int,
        rng: np.random.Generator,
    ) -> None:
        E, count = len(settles_at), len(path.variance)
        self._settles, self._today, self._begins = settles_at, today, begins
        self._to_close = path.to_close
        self._beta = spot.beta
        pace = PREMIUM * spot.sigma / np.sqrt(session_s / YEAR_S)
        self._level = pace / _TODAY_OVER_30
        self._power = _SLOPE[term]
        self._overnight = _OVERNIGHT * (PREMIUM * spot.sigma) ** 2
        years = np.maximum(settles_at - begins, NS) / NS / YEAR_S
        self._bend = np.where(
            today, _SHORT_BEND, np.interp(years * 365.0, [1.0, 30.0], [_SHORT_BEND, _LONG_BEND])
        )
        common, own, skew, bend = rng.spawn(4)
        unexplained = (1.0 - spot.r_squared) / max(spot.r_squared, 1e-6)
        size = abs(spot.beta) * 100.0 * np.sqrt(unexplained * path.variance)
        shared = _decaying(size * common.standard_normal(count))
        # A series' own noise lies on top of what all have in common.
        mine = [_decaying(size * own.standard_normal(count)) for _ in range(E)]
        self._noise = np.sqrt(1.0 - _OWN) * shared[:, None] + np.sqrt(_OWN) * np.column_stack(mine)
        self._tilt = _SKEW_SD * _steady(count, skew)
        self._curve = _BEND_SD * _steady(count, bend)
        self._log_start = np.log(path.spot)
        self._anchor = np.full(E, np.nan)
        self.years = years
        """Years to settlement, at least a second's. Shape (E,)."""
        self.forward = np.full(E, path.spot)
        """Points. Shape (E,)."""
        self.discount = np.ones(E)
        """Discount factor to settlement. Shape (E,)."""
        self.carried = np.ones(E)
        """Units of spot that one unit of the forward is worth today, D F/S. Shape (E,)."""
        self.atm = np.full(E, np.nan)
        """Volatility at the forward, a fraction. Shape (E,)."""
        self._sd = np.full(E, np.nan)
        self._at_forward = np.ones(E)
        self._b = np.empty(E)
        self._rho = _RHO
        self.move(0, path.spot)

    def expected_sd(self) -> F64:
        """Standard deviation of the log return to each settlement, as implied. Shape (E,)."""
        return np.asarray(self.atm * np.sqrt(self.years), np.float64)

    def usual(self, second: int) -> F64:
        """Volatility at the money by the term structure alone, a fraction. Shape (E,)."""
        years = self.years
        left = PREMIUM * max(float(self._to_close[second]), _LEAST_LEFT)
        days = np.maximum(years * 365.0, _LEAST_TERM_DAYS)
        calendar = self._level * (days / 30.0) ** self._power
        # No tenor holds less variance than today's rest and the night after it.
        least = np.sqrt((left**2 + self._overnight) / years)
        return np.where(self._today, left / np.sqrt(years), np.maximum(calendar, least))

    def move(self, second: int, spot: float) -> None:
        """Take all series to a second, with the index at `spot`."""
        now = self._begins + second * NS
        self.years = years = np.maximum(self._settles - now, NS) / (NS * YEAR_S)
        self.discount = np.exp(-RATE * years)
        self.carried = np.exp(-DIVIDEND * years)
        self.forward = spot * self.carried / self.discount
        usual = self.usual(second)
        scale = np.minimum(np.sqrt(30.0 / 365.0 / years), _MOST_SCALE)
        points = self._beta * 100.0 * (np.log(spot) - self._log_start)
        noise = self._noise[min(second, len(self._noise) - 1)]
        self.atm = np.maximum(usual + 0.01 * scale * (points + noise), _LEAST_VOL)
        log_forward = np.log(self.forward)
        if second == 0:
            self._anchor = log_forward
        else:
            follows = np.clip(years * YEAR_S / 4.0, 300.0, 1800.0) * (1.0 + years * 365.0)
            self._anchor = self._anchor + (log_forward - self._anchor) / follows
        self._sd = usual * np.sqrt(np.maximum(years, _LEAST_SHAPE_S / YEAR_S))
        at = min(second, len(self._tilt) - 1)
        self._b = self._bend * (1.0 + self._curve[at])
        self._rho = float(np.clip(_RHO * (1.0 + self._tilt[at]), -0.95, 0.0))
        self._at_forward = self._shape((log_forward - self._anchor) / self._sd, self._b)

    def vol(self, log_strike: F64, series: NDArray[np.int32]) -> F64:
        """Volatility at strikes of series, a fraction. Shape (k,)."""
        z = (log_strike - self._anchor[series]) / self._sd[series]
        shape = self._shape(z, self._b[series])
        return np.asarray(np.sqrt(shape * (self.atm**2 / self._at_forward)[series]), np.float64)

    def _shape(self, z: F64, b: F64) -> F64:
        out = self._rho * z + np.sqrt(z * z + _ROUND**2)
        out -= _ROUND
        out *= b
        out += 1.0
        return np.asarray(np.maximum(out, _LEAST_VARIANCE), np.float64)


def _decaying(shocks: F64) -> F64:
    """An Ornstein–Uhlenbeck path from 0 of given shocks. Shape (count + 1,)."""
    keep = 1.0 - 1.0 / _FORGETS_S
    out = np.zeros(len(shocks) + 1)
    level = 0.0
    for second, shock in enumerate(shocks.tolist(), 1):
        level = keep * level + shock
        out[second] = level
    return out


def _steady(count: int, rng: np.random.Generator) -> F64:
    """An Ornstein–Uhlenbeck path of standard deviation 1 in the long run, from 0."""
    return _decaying(np.sqrt(2.0 / _FORGETS_S) * rng.standard_normal(count))
