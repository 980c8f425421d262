"""Implied volatility of whole chains, with a reason wherever there is none.

The undiscounted time value, divided by √(F K), is a function b(x, s) of x = |ln(F/K)|
and the total standard deviation s = σ√T (`pricing.timevalue`). The normal (Bachelier)
model, inverted by one table, gives a first s; Householder's third-order step on ln b
multiplies the number of right digits by four. One step settles ordinary contracts,
and only those whose step was still large take more.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from gexterm.pricing.normal import log_ratio
from gexterm.pricing.timevalue import bracket
from gexterm.pricing.work import Work

F64 = NDArray[np.float64]
I8 = NDArray[np.int8]


class Reason(IntEnum):
    """Why a contract has no implied volatility."""

    OK = 0
    NO_QUOTE = 1
    ZERO_BID = 2
    CROSSED = 3
    STALE = 4
    BAD_PRICE = 5
    NO_FORWARD = 6
    SETTLED = 7
    BAD_INPUT = 8
    BELOW_INTRINSIC = 9
    NO_TIME_VALUE = 10
    ABOVE_MAXIMUM = 11
    NOT_INFORMATIVE = 12

    @property
    def text(self) -> str:
        """One line for a person."""
        return _TEXTS[self]


_TEXTS = {
    Reason.OK: "implied volatility found",
    Reason.NO_QUOTE: "no two-sided quote",
    Reason.ZERO_BID: "nobody bids for the out-of-the-money side",
    Reason.CROSSED: "the quote is crossed or locked",
    Reason.STALE: "the quote contradicts those of the other strikes: stale",
    Reason.BAD_PRICE: "the quoted price is negative or not a number",
    Reason.NO_FORWARD: "no forward is known for the expiry",
    Reason.SETTLED: "the expiry has settled",
    Reason.BAD_INPUT: "forward, strike, time or discount is not a positive number",
    Reason.BELOW_INTRINSIC: "the price is below intrinsic value",
    Reason.NO_TIME_VALUE: "the price is intrinsic value: any small volatility gives it",
    Reason.ABOVE_MAXIMUM: "the price is above what any volatility gives",
    Reason.NOT_INFORMATIVE: "the time value is lost in the rounding of the price",
}

_EPS = float(np.finfo(np.float64).eps)
_LOST = 1e-4
"""Relative error of σ, from rounding of the price alone, beyond which a price says nothing."""
_SETTLED_STEP = 1e-3
"""A relative step ε leaves an error of about 0.1 ε⁴."""
_MOST_STEPS = 60
_SQRT_2_PI = float(np.sqrt(2.0 / np.pi))
_SQRT_2PI = float(np.sqrt(2.0 * np.pi))

_TOP = 30.0
"""The table covers ln(b/m) from −700 to this."""
_KNOTS = 4097


def _bachelier_table() -> tuple[F64, F64, float]:
    """Knots of y(v) and their differences, and knots per unit of v = √(30 − ln(b/m)).

    With h = m/s the normal model has b/m = n(h)/h − N(−h). y is 1/h over the sum of
    its two limits, 1/(√2 v) far out and √(2π) b/m at the money: close to 1 and smooth.
    """
    log_h = np.linspace(np.log(1e-15), np.log(40.0), 20_000)
    h = np.exp(log_h)
    ratio = np.exp(-0.5 * h * h) / h * (1.0 / _SQRT_2PI - 0.5 * h * special.erfcx(h / np.sqrt(2.0)))
    known = ratio > 0.0
    v_known = np.sqrt(np.maximum(_TOP - np.log(ratio[known]), 0.0))
    v = np.linspace(0.0, float(v_known[-1]), _KNOTS)
    h_of_v = np.exp(np.interp(v, v_known, log_h[known]))
    limits = 1.0 / (np.sqrt(2.0) * np.maximum(v, 1e-3)) + _SQRT_2PI * np.exp(_TOP - v * v)
    y = 1.0 / (h_of_v * limits)
    return y, np.diff(y, append=y[-1]), (_KNOTS - 1) / float(v[-1])


_TABLE, _TABLE_STEP, _PER_UNIT = _bachelier_table()


def implied_vol(
    price: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    discount: ArrayLike,
    sign: ArrayLike,
    work: Work | None = None,
) -> tuple[F64, I8]:
    """Black-76 implied volatility, as a fraction, and the `Reason` where it is NaN.

    Arguments are scalars or of shape (n,) and broadcast: price, forward and strike in
    points, years to settlement, discount factor, sign +1 for calls and −1 for puts.
    One bad contract never disturbs another, and none raises.

    Accurate to 1e-12 relative wherever the price itself is: a price in the money is
    known to one rounding of the price, not of its time value, and where that rounding
    alone moves σ by 1e-4 relative the contract is `NOT_INFORMATIVE`.
    """
    iv, reason, _ = implied_with_slope(price, forward, strike, years, discount, sign, work)
    return iv, reason


def implied_with_slope(
    price: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    discount: ArrayLike,
    sign: ArrayLike,
    work: Work | None = None,
) -> tuple[F64, I8, F64]:
    """`implied_vol`, and what the price gains per unit of volatility there, points.

    The slope comes for free; it is exact to the last step taken, about 1e-3.
    """
    work = work or Work()
    P, F, K, T, D, phi = (
        np.atleast_1d(np.asarray(a, np.float64))
        for a in (price, forward, strike, years, discount, sign)
    )
    n = np.broadcast_shapes(*(a.shape for a in (P, F, K, T, D, phi)))[0]
    b, x, m, iv = (work.array(f"iv.{name}", n) for name in ("b", "x", "m", "iv"))
    scale, moneyness = work.array("iv.scale", n), work.array("iv.moneyness", n)
    with np.errstate(all="ignore"):
        np.multiply(np.sqrt(F), np.sqrt(K), out=scale)
        np.subtract(F, K, out=m)
        np.multiply(m, phi, out=moneyness)
        np.maximum(moneyness, 0.0, out=moneyness)
        np.divide(P, D, out=b)
        b -= moneyness
        b /= scale
        log_ratio(F, K, x, work)
        np.abs(x, out=x)
        np.abs(m, out=m)
        m /= scale
        s, slope = total_sd(b, x, m, work)
        # How far one rounding of price and intrinsic moves s.
        lost = work.array("iv.lost", n)
        np.divide(P, D, out=lost)
        np.maximum(lost, moneyness, out=lost)
        lost *= 2.0 * _EPS
        lost /= scale
        root = np.sqrt(T)
        gain = slope * scale
        gain *= D * root
        slope *= s
        rounding = np.divide(lost, slope, out=slope)
        np.divide(s, root, out=iv)
        good = rounding < _LOST
        if good.all():
            return iv.copy(), np.zeros(n, np.int8), gain
        reason = np.where(good, np.int8(Reason.OK), np.int8(Reason.NOT_INFORMATIVE))
        reason[b <= lost] = Reason.NO_TIME_VALUE
        reason[b < -2.0 * lost] = Reason.BELOW_INTRINSIC
        reason[b >= np.exp(-0.5 * x)] = Reason.ABOVE_MAXIMUM
        usable = (F > 0.0) & (K > 0.0) & (D > 0.0) & (T > 0.0) & (phi * phi == 1.0)
        usable &= np.isfinite(F) & np.isfinite(K) & np.isfinite(D) & np.isfinite(T)
        usable = np.broadcast_to(usable, (n,))
        reason[~np.isfinite(b) & usable] = Reason.BAD_PRICE
        reason[np.broadcast_to(P < 0.0, (n,)) & usable] = Reason.BAD_PRICE
        reason[np.broadcast_to(np.isnan(P), (n,)) & usable] = Reason.NO_QUOTE
        reason[~usable] = Reason.BAD_INPUT
        return np.where(reason == 0, iv, np.nan), reason, gain


def total_sd(b: F64, x: F64, m: F64, work: Work) -> tuple[F64, F64]:
    """Total standard deviation s with b(x, s) = b, and the slope ∂b/∂s there.

    x = |ln(F/K)|, m = |F − K|/√(FK), all of shape (n,). NaN where there is none. The
    results are scratch arrays of `work`. Call it under `np.errstate(all="ignore")`.
    """
    n = len(b)
    s, log_b, slope = (work.array(f"sd.{name}", n) for name in ("s", "log_b", "slope"))
    np.log(b, out=log_b)
    _guess(b, log_b, x, m, s, work)
    step = _householder(log_b, x, s, slope, work)
    s += step
    np.abs(step, out=step)
    # Written so that a NaN counts as unsettled only where b is a number above 0.
    unsettled = ~(step <= _SETTLED_STEP * s)
    unsettled &= b > 0.0
    if unsettled.any():
        at = np.flatnonzero(unsettled)
        s[at], slope[at] = _safeguarded(b[at], log_b[at], x[at], s[at])
    return s, slope


def _guess(b: F64, log_b: F64, x: F64, m: F64, s: F64, work: Work) -> None:
    """The normal model's s, corrected for log-normality to second order, into `s`."""
    n = len(b)
    v, part, near = (work.array(f"guess.{name}", n) for name in ("v", "part", "near"))
    np.multiply(b, np.exp(-_TOP + 0.01), out=near)
    np.maximum(near, m, out=near)
    np.log(near, out=v)
    v -= log_b
    v += _TOP
    np.sqrt(v, out=v)
    np.multiply(v, _PER_UNIT, out=part)
    # NaN has no integer; whatever it becomes, `mode="clip"` keeps inside the table.
    at = part.astype(np.intp)
    part -= at
    np.take(_TABLE_STEP, at, out=s, mode="clip")
    s *= part
    np.take(_TABLE, at, out=part, mode="clip")
    s += part
    v *= float(np.sqrt(2.0))
    near /= v
    np.multiply(b, _SQRT_2PI, out=v)
    near += v
    s *= near
    # s = (x/m) s_N [1 + s_N² (1 − x²/120)/24]
    np.multiply(x, x, out=v)
    v *= -1.0 / (24.0 * 120.0)
    v += 1.0 / 24.0
    v *= s
    v *= s
    v += 1.0
    s *= v
    np.add(x, 1e-300, out=v)
    np.add(m, 1e-300, out=part)
    v /= part
    s *= v


def _householder(
    log_b: F64, x: F64, s: F64, slope: F64, work: Work, newton: F64 | None = None
) -> F64:
    """The step in s towards ln b(x, s) = log_b.

    ∂b/∂s at s goes into `slope`, and Newton's step, whose sign is right however bad
    the start, into `newton`.

    With f = ln b(x, s) − log_b: f' = b'/b, f''/f' = h²/s − s/4 − f',
    f'''/f' = b'''/b' − 3 f' b''/b' + 2 f'².
    """
    n = len(s)
    h, gap, rate, second = (
        work.array(f"step.{name}", n) for name in ("h", "gap", "rate", "second")
    )
    third, square = work.array("step.third", n), work.array("step.square", n)
    bracket(x, s, h, rate, work)
    h *= h
    np.multiply(s, s, out=square)
    np.multiply(square, 0.25, out=second)
    second += h
    second *= 0.5
    np.log(rate, out=gap)
    gap -= second
    gap -= log_b
    np.negative(second, out=slope)
    np.exp(slope, out=slope)
    slope *= 1.0 / _SQRT_2PI
    np.divide(0.5 * _SQRT_2_PI, rate, out=rate)
    # b''/b' = h²/s − s/4 and b'''/b' = (b''/b')² − 3 h²/s² − 1/4
    np.divide(h, s, out=second)
    np.multiply(s, 0.25, out=third)
    second -= third
    np.divide(h, square, out=h)
    h *= 3.0
    h += 0.25
    np.multiply(rate, 2.0, out=third)
    np.multiply(second, 3.0, out=square)
    third -= square
    third *= rate
    third -= h
    np.multiply(second, second, out=h)
    third += h
    second -= rate
    gap /= rate
    np.negative(gap, out=gap)
    if newton is not None:
        np.copyto(newton, gap)
    # Δ = ν (1 + γν/2) / (1 + ν (γ + δν/6)) with ν = −f/f'
    third *= gap
    third *= 1.0 / 6.0
    third += second
    third *= gap
    third += 1.0
    second *= gap
    second *= 0.5
    second += 1.0
    gap *= second
    gap /= third
    return gap


def _safeguarded(b: F64, log_b: F64, x: F64, start: F64) -> tuple[F64, F64]:
    """Householder steps kept inside a bracket: for the few that one step did not settle."""
    work = Work()
    # b rises in s, and b < e^{−x/2}; beyond s = 60 nothing but rounding is left.
    low, high = np.zeros_like(x), np.full_like(x, 60.0)
    s = np.where((start > 0.0) & (start < 30.0), start, np.maximum(1.0, np.sqrt(2.0 * x)))
    slope, newton = np.empty_like(x), np.empty_like(x)
    done = b >= np.exp(-0.5 * x)
    s[done] = np.nan
    for _ in range(_MOST_STEPS):
        step = _householder(log_b, x, s, slope, work, newton)
        rising = newton > 0.0
        low = np.where(rising, np.maximum(low, s), low)
        high = np.where(rising, high, np.minimum(high, s))
        after = s + step
        outside = ~((after >= low) & (after <= high))
        after[outside] = 0.5 * (low[outside] + high[outside])
        moved = np.abs(after - s)
        s = after
        done |= moved <= 1e-9 * s
        if done.all():
            break
    return s, slope
