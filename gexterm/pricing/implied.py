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
    iv, reason, _ = _implied(price, forward, strike, years, discount, sign, work, slopes=False)
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

    The slope comes almost for free; it is exact to the last step taken, about 1e-3, and
    a scratch array of `work`.
    """
    return _implied(price, forward, strike, years, discount, sign, work, slopes=True)


def _implied(
    price: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    discount: ArrayLike,
    sign: ArrayLike,
    work: Work | None,
    *,
    slopes: bool,
) -> tuple[F64, I8, F64]:
    work = work or Work()
    P, F, K, T, D, phi = (
        np.atleast_1d(np.asarray(a, np.float64))
        for a in (price, forward, strike, years, discount, sign)
    )
    n = np.broadcast_shapes(*(a.shape for a in (P, F, K, T, D, phi)))[0]
    b, x, m, value, scale, moneyness = work.arrays("iv", 6, n)
    with np.errstate(all="ignore"):
        np.multiply(F, K, out=scale)
        np.sqrt(scale, out=scale)
        np.subtract(F, K, out=m)
        np.multiply(m, phi, out=moneyness)
        np.maximum(moneyness, 0.0, out=moneyness)
        np.divide(P, D, out=value)
        np.subtract(value, moneyness, out=moneyness)
        np.divide(moneyness, scale, out=b)
        # x = |ln(F/K)| as in `log_ratio`
        np.abs(m, out=m)
        np.minimum(F, K, out=x)
        np.divide(m, x, out=x)
        np.log1p(x, out=x)
        m /= scale
        s, elasticity = total_sd(b, x, m, work)
        root = np.sqrt(T, out=work.array("iv.root", len(T)))
        iv = np.divide(s, root)
        # The price gains `gain` per relative change of s; its own rounding must be less.
        gain = np.multiply(elasticity, moneyness, out=elasticity)
        value *= 2.0 * _EPS
        np.multiply(value, 1.0 / _LOST, out=m)
        good = m < gain
        good &= F > 0.0
        good &= iv > 0.0
        good &= iv < np.inf
        if slopes:
            gain /= iv
            gain *= D
        if good.all():
            return iv, np.zeros(n, np.int8), gain
        usable = (F > 0.0) & (K > 0.0) & (D > 0.0) & (T > 0.0) & (np.abs(phi) == 1.0)
        usable &= np.isfinite(F) & np.isfinite(K) & np.isfinite(D) & np.isfinite(T)
        lost = np.divide(value, scale, out=value)
        reason = np.where(good, np.int8(Reason.OK), np.int8(Reason.NOT_INFORMATIVE))
        reason[b <= lost] = Reason.NO_TIME_VALUE
        reason[b < -2.0 * lost] = Reason.BELOW_INTRINSIC
        reason[b >= np.exp(-0.5 * x)] = Reason.ABOVE_MAXIMUM
        usable = np.broadcast_to(usable, (n,))
        reason[~np.isfinite(b) & usable] = Reason.BAD_PRICE
        reason[np.broadcast_to(P < 0.0, (n,)) & usable] = Reason.BAD_PRICE
        reason[np.broadcast_to(np.isnan(P), (n,)) & usable] = Reason.NO_QUOTE
        reason[~usable] = Reason.BAD_INPUT
        iv[reason != 0] = np.nan
        return iv, reason, gain


def total_sd(b: F64, x: F64, m: F64, work: Work) -> tuple[F64, F64]:
    """Total standard deviation s with b(x, s) = b, and the elasticity ∂ln b/∂ln s.

    x = |ln(F/K)|, m = |F − K|/√(FK), all of shape (n,). NaN where there is none. The
    results are scratch arrays of `work`. Call it under `np.errstate(all="ignore")`.
    """
    n = len(b)
    s, log_b, elasticity = work.arrays("sd", 3, n)
    np.log(b, out=log_b)
    _guess(b, log_b, x, m, s, work)
    step = _householder(log_b, x, s, elasticity, work)
    np.abs(step, out=log_b)
    # Written so that a NaN counts as unsettled only where b is a number above 0.
    unsettled = ~(log_b <= _SETTLED_STEP)
    step += 1.0
    s *= step
    unsettled &= b > 0.0
    if unsettled.any():
        at = np.flatnonzero(unsettled)
        s[at], elasticity[at] = _safeguarded(b[at], x[at], s[at])
    return s, elasticity


def _guess(b: F64, log_b: F64, x: F64, m: F64, s: F64, work: Work) -> None:
    """The normal model's s, corrected for log-normality to fourth order, into `s`."""
    n = len(b)
    v, part, near = work.arrays("guess", 3, n)
    np.multiply(b, np.exp(-_TOP + 0.01), out=near)
    np.maximum(near, m, out=near)
    np.log(near, out=v)
    v -= log_b
    v += _TOP
    np.sqrt(v, out=v)
    np.multiply(v, _PER_UNIT, out=part)
    # NaN has no integer; whatever it becomes, `mode="clip"` keeps inside the table.
    np.floor(part, out=s)
    at = s.astype(np.intp)
    part -= s
    _TABLE_STEP.take(at, out=s, mode="clip")
    s *= part
    _TABLE.take(at, out=part, mode="clip")
    s += part
    v *= float(np.sqrt(2.0))
    near /= v
    np.multiply(b, _SQRT_2PI, out=v)
    near += v
    s *= near
    # s = (x/m) s_N [1 + s_N² (1 − x²/120)/24 + 7 s_N⁴/1920]
    np.multiply(x, x, out=v)
    v *= -1.0 / (24.0 * 120.0)
    v += 1.0 / 24.0
    np.multiply(s, s, out=part)
    v *= part
    part *= part
    part *= 7.0 / 1920.0
    v += part
    v += 1.0
    s *= v
    np.add(x, 1e-300, out=v)
    np.add(m, 1e-300, out=part)
    v /= part
    s *= v


def _householder(
    log_b: F64, x: F64, s: F64, elasticity: F64, work: Work, newton: F64 | None = None
) -> F64:
    """The relative step in s towards ln b(x, s) = log_b.

    With f = ln b(x, s) − log_b, everything times a power of s: R = s f' is the
    elasticity and goes there, A = s b''/b' = h² − t², s² b'''/b' = A² − 3h² − t², so
    s f''/f' = A − R and s² f'''/f' = A² − 3h² − t² + R (2R − 3A). Newton's step, whose
    sign is right however bad the start, goes into `newton`.
    """
    n = len(s)
    h, gap, sum_, A, third = work.arrays("step", 5, n)
    R = elasticity
    bracket(x, s, h, R, work)
    h *= h
    np.multiply(s, s, out=sum_)
    sum_ *= 0.25
    np.subtract(h, sum_, out=A)
    sum_ += h
    sum_ *= 0.5
    # −f = log_b − ln ½[…] + (h² + t²)/2, and R = s √(2/π)/[…]
    np.log(R, out=gap)
    np.subtract(log_b, gap, out=gap)
    gap += sum_
    np.divide(s, R, out=R)
    R *= 0.5 * _SQRT_2_PI
    gap /= R
    if newton is not None:
        np.copyto(newton, gap)
    # 3h² + t² = 4 (h² + t²)/2 + A
    np.multiply(R, 2.0, out=third)
    np.multiply(A, 3.0, out=h)
    third -= h
    third *= R
    sum_ *= 4.0
    third -= sum_
    np.subtract(A, 1.0, out=h)
    h *= A
    third += h
    A -= R
    # Δ = ν (1 + γν/2) / (1 + ν (γ + δν/6)) with ν = −f/f'
    third *= gap
    third *= 1.0 / 6.0
    third += A
    third *= gap
    third += 1.0
    A *= gap
    A *= 0.5
    A += 1.0
    gap *= A
    gap /= third
    return gap


def _safeguarded(b: F64, x: F64, start: F64) -> tuple[F64, F64]:
    """Householder steps kept inside a bracket: for the few that one step did not settle."""
    work = Work()
    log_b = np.log(b)
    # b rises in s, and b < e^{−x/2}; beyond s = 60 nothing but rounding is left.
    low, high = np.zeros_like(x), np.full_like(x, 60.0)
    s = np.where((start > 0.0) & (start < 30.0), start, np.maximum(1.0, np.sqrt(2.0 * x)))
    elasticity, newton = np.empty_like(x), np.empty_like(x)
    done = b >= np.exp(-0.5 * x)
    s[done] = np.nan
    for _ in range(_MOST_STEPS):
        step = _householder(log_b, x, s, elasticity, work, newton)
        rising = newton > 0.0
        low = np.where(rising, np.maximum(low, s), low)
        high = np.where(rising, high, np.minimum(high, s))
        after = s * (1.0 + step)
        outside = ~((after >= low) & (after <= high))
        after[outside] = 0.5 * (low[outside] + high[outside])
        done |= np.abs(after - s) <= _SETTLED_STEP * s
        s = after
        if done.all():
            break
    s[~done] = np.nan
    return s, elasticity
