"""The normalised time value of Black's formula, without cancellation.

b(x, s) is the price of an option out of the money divided by D √(F K), with
x = |ln(F/K)| and s = σ√T. With h = x/s and t = s/2,

    b = ½ e^{−(h²+t²)/2} [erfcx((h − t)/√2) − erfcx((h + t)/√2)]

(Jäckel, "Let's Be Rational", 2013, eq. 4.2). The bracket is positive, and the only
difference in it that can cancel, at tiny t, is replaced by its Taylor series.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from gexterm.pricing.normal import LOWEST, SQRT_HALF, erfcx
from gexterm.pricing.work import Work

F64 = NDArray[np.float64]

TINY_SD = 1.4e-3
"""Total standard deviation below which the Taylor series is the more accurate form."""
_SQRT_PI_2 = float(2.0 / np.sqrt(np.pi))


def bracket(x: F64, s: F64, h: F64, out: F64, work: Work) -> F64:
    """Write ½ [erfcx((h−t)/√2) − erfcx((h+t)/√2)] into `out` and x/s into `h`.

    Needs x ≥ 0 and s > 0; NaN stays NaN. Shape (n,) each.
    """
    n = len(s)
    low, high, t = work.arrays("bracket", 3, n)
    np.divide(x, s, out=h)
    np.multiply(s, 0.5 * SQRT_HALF, out=t)
    np.multiply(h, SQRT_HALF, out=low)
    np.add(low, t, out=high)
    low -= t
    erfcx(low, out, work)
    wide = low < LOWEST
    if wide.any():
        out[wide] = special.erfcx(low[wide])
    erfcx(high, t, work)
    out -= t
    out *= 0.5
    tiny = s < TINY_SD
    if tiny.any():
        out[tiny] = _bracket_tiny(h[tiny] * SQRT_HALF, s[tiny] * (0.5 * SQRT_HALF))
    return out


def _bracket_tiny(eta: F64, tau: F64) -> F64:
    """The same from the derivatives of erfcx: −(τ y' + τ³ y'''/6)."""
    y = special.erfcx(eta)
    first = 2.0 * eta * y - _SQRT_PI_2
    third = 4.0 * first + 2.0 * eta * (2.0 * y + 2.0 * eta * first)
    return np.asarray(-(tau * first + tau**3 / 6.0 * third), np.float64)


def time_value(x: F64, s: F64, work: Work | None = None) -> F64:
    """b(x, s); 0 where s is 0, NaN where an input is. Shape (n,)."""
    work = work or Work()
    h = work.array("value.h", len(s))
    with np.errstate(all="ignore"):
        out = bracket(x, s, h, np.empty(len(s)), work)
        out *= np.exp(-0.5 * (h * h + 0.25 * s * s))
        # An exponential that underflowed has the last word over an infinite erfcx.
        np.copyto(out, 0.0, where=(s == 0.0) | ((h > 38.7) & (s < 60.0)))
        np.copyto(out, np.exp(-0.5 * x), where=s >= 60.0)
    return out
