"""The index: log-Euler, with a variance that is U-shaped over the day, and jumps.

A full session has variance σ², jumps included; a stretch of one has its part. All
shocks are drawn before the first second, so that whoever steers the path by adding
points to it changes nothing else.
"""

from __future__ import annotations

import numpy as np

from gexterm.simulator.step import F64

_JUMP = 0.35
"""Standard deviation of a jump, relative to the day's."""
_MOST_JUMPS = 0.5
"""Share of the day's variance that jumps may have; smaller jumps if there are many."""
_OPENING, _OPENING_LASTS = 1.6, 0.07
_CLOSING, _CLOSING_LASTS = 0.9, 0.05
"""Height over the middle of the day, and how fast it is gone, as a share of the session."""


def intraday_variance(seconds: int) -> F64:
    """Share of a session's variance in each of its seconds; sums to 1. Shape (seconds,).

    The familiar U: high after the open, low at midday, rising into the close (Wood,
    McInish & Ord, Journal of Finance 1985).
    """
    x = (np.arange(seconds) + 0.5) / seconds
    rate = (
        0.65 + _OPENING * np.exp(-x / _OPENING_LASTS) + _CLOSING * np.exp(-(1 - x) / _CLOSING_LASTS)
    )
    return np.asarray(rate / rate.sum(), np.float64)


class Path:
    """Spot, second by second.

    first: seconds from the session's open to the script's begin; count: seconds of the
    script; session: seconds of the whole session. Past the close spot keeps the
    variance of the last second. `sigma` is a fraction, `jumps` a number per session.
    """

    def __init__(
        self,
        start: float,
        sigma: float,
        jumps: float,
        first: int,
        count: int,
        session: int,
        rng: np.random.Generator,
    ) -> None:
        self.spot = start
        """Index now, points, unrounded."""
        u = intraday_variance(session)
        at = np.minimum(np.arange(first, first + count), session - 1)
        self.variance: F64 = sigma**2 * u[at]
        """Variance of the log return over each second, jumps included. Shape (count,)."""
        rest = np.concatenate([np.cumsum(u[::-1])[::-1], [0.0]])
        self.to_close: F64 = sigma * np.sqrt(
            rest[np.minimum(np.arange(first, first + count + 1), session)]
        )
        """Standard deviation of the log return from each second to the session's close.
        Shape (count + 1,)."""
        diffusion, jumping = rng.spawn(2)
        jump_variance = min(_JUMP**2, _MOST_JUMPS / jumps if jumps > 0.0 else np.inf) * sigma**2
        smooth = self.variance * (1.0 - jumps * jump_variance / sigma**2 if sigma > 0.0 else 0.0)
        returns = np.sqrt(smooth) * diffusion.standard_normal(count)
        when = np.flatnonzero(jumping.random(count) < 1.0 - np.exp(-jumps * u[at]))
        returns[when] += np.sqrt(jump_variance) * jumping.standard_normal(len(when))
        # The index is a martingale but for the drift that is handed in.
        self._returns: F64 = returns - 0.5 * self.variance
        self.jumped = when
        """Seconds with a jump."""

    def advance(self, second: int, drift_points: float) -> float:
        """Spot at the end of a second, which is the begin of the next; points."""
        self.spot = max(self.spot * float(np.exp(self._returns[second])) + drift_points, 1.0)
        return self.spot
