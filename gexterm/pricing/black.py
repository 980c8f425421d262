"""Black-76 on the parity forward: price and greeks.

Conventions (docs/definitions.md): S spot, F forward, D = e^{−rT}, b = ln(F/S)/T,
q = r − b, A = D F/S = e^{−qT}, φ = +1 call, −1 put, w = σ√T, d1 = ln(F/K)/w + w/2,
d2 = d1 − w. Greeks are those of one option held, per unit of the underlying, with
the forward following spot as F = S e^{bT} at constant b.

| greek | formula                                                    | unit                     |
|-------|------------------------------------------------------------|--------------------------|
| price | φ D [F N(φd1) − K N(φd2)]                                  | points                   |
| delta | φ A N(φd1)                                                 | units of spot            |
| gamma | A n(d1) / (S w)                                            | delta per point          |
| vega  | 0.01 D F n(d1) √T                                          | points per vol point     |
| vanna | −0.01 A n(d1) d2/σ                                         | delta per vol point      |
| charm | {φ q A N(φd1) − A n(d1) [b/w − d2/(2T)]} / 365             | delta per calendar day   |
| theta | {−D F n(d1) σ/(2√T) + φ D [q F N(φd1) − r K N(φd2)]} / 365 | points per calendar day  |

Charm and theta are per day *passing*: T falls. A NaN among the inputs, a volatility
or time that is not positive, gives NaN and no warning.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gexterm.pricing.normal import INV_SQRT_2PI, SQRT_HALF, erfcx, log_ratio
from gexterm.pricing.timevalue import time_value
from gexterm.pricing.work import Work

F64 = NDArray[np.float64]

DAYS = 365.0
"""Days in a year, for everything quoted per day."""


@dataclass(frozen=True, eq=False, slots=True)
class Greeks:
    """Greeks of single contracts; every array has the broadcast shape of the inputs."""

    delta: F64
    """Units of spot."""
    gamma: F64
    """Delta per point."""
    vega: F64
    """Points per vol point."""
    vanna: F64
    """Delta per vol point."""
    charm: F64
    """Delta per calendar day passing."""
    theta: F64 | None = None
    """Points per calendar day passing; None where it was not asked for."""


@dataclass(frozen=True, eq=False, slots=True)
class RowGreeks:
    """Greeks of a call and a put at one strike per row: n rows, calls first."""

    delta: F64
    """Units of spot. Shape (2, n)."""
    gamma: F64
    """Delta per point. Shape (n,)."""
    vega: F64
    """Points per vol point. Shape (n,)."""
    vanna: F64
    """Delta per vol point. Shape (n,)."""
    charm: F64
    """Delta per calendar day passing. Shape (2, n)."""
    theta: F64
    """Points per calendar day passing. Shape (2, n)."""


def price(
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    discount: ArrayLike,
    sigma: ArrayLike,
    sign: ArrayLike,
) -> F64:
    """Black-76 price, points.

    Arguments broadcast: forward and strike in points, years to settlement, discount
    factor, volatility as a fraction, sign +1 for calls and −1 for puts. The time
    value is accurate to about 1e-13 relative, in the wings too.
    """
    F, K, T, D, vol, phi = _broadcast(forward, strike, years, discount, sigma, sign)
    work = Work()
    shape = F.shape
    F, K, T, D, vol, phi = (a.ravel() for a in (F, K, T, D, vol, phi))
    with np.errstate(all="ignore"):
        x = np.abs(log_ratio(F, K, np.empty_like(F), work))
        s = vol * np.sqrt(T)
        s[~(s >= 0.0)] = np.nan
        b = time_value(x, s)
        out = np.maximum(phi * (F - K), 0.0)
        out += np.sqrt(F) * np.sqrt(K) * b
        out *= D
    return out.reshape(shape)


def greeks(
    spot: ArrayLike,
    forward: ArrayLike,
    strike: ArrayLike,
    years: ArrayLike,
    discount: ArrayLike,
    sigma: ArrayLike,
    sign: ArrayLike,
    work: Work | None = None,
    *,
    theta: bool = True,
    out: Greeks | None = None,
) -> Greeks:
    """Greeks of single contracts; the formulas stand at the head of the module.

    Arguments are scalars or of shape (n,) and broadcast; results have shape (n,). `work`
    keeps scratch arrays between calls, `out` takes the results.
    """
    work = work or Work()
    S, F, D, T = (_line(a) for a in (spot, forward, discount, years))
    K, vol, phi = _line(strike), _line(sigma), _line(sign)
    n = np.broadcast_shapes(*(a.shape for a in (S, F, K, T, D, vol, phi)))[0]
    with np.errstate(all="ignore"):
        # What belongs to the expiry is worked out at the length it came in.
        size = np.broadcast_shapes(S.shape, F.shape, D.shape, T.shape)[0]
        root_T, r, b, DF, A = work.arrays("black.expiry", 5, size)
        np.sqrt(T, out=root_T)
        np.log(D, out=r)
        r /= T
        np.negative(r, out=r)
        log_ratio(F, S, b, work)
        b /= T
        np.multiply(D, F, out=DF)
        np.divide(DF, S, out=A)
        core = _core(F, K, root_T, vol, n, work)
        got = out or _empty_greeks(n, theta)
        same, side = work.arrays("black.sides", 2, n)
        _shared(S, A, DF, T, root_T, b, vol, core, got.gamma, got.vega, got.vanna, same, work)
        np.subtract(r, b, out=b)
        # N(φ d1): the tail is exact, the other side its complement.
        np.multiply(phi, core.d1, out=side)
        inside = side > 0.0
        np.copyto(side, core.tail)
        np.subtract(1.0, core.tail, out=side, where=inside)
        side *= A
        side *= phi
        np.copyto(got.delta, side)
        side *= b
        side -= same
        np.multiply(side, 1.0 / DAYS, out=got.charm)
        if theta and got.theta is not None:
            tail2 = _second_tail(F, K, core, n, work)
            np.multiply(phi, core.d2, out=side)
            np.subtract(1.0, tail2, out=tail2, where=side > 0.0)
            tail2 *= phi
            tail2 *= K
            tail2 *= D * r
            decay = got.theta
            np.multiply(got.delta, S * b, out=decay)
            decay -= tail2
            np.multiply(got.vega, vol, out=side)
            side *= 50.0 / T
            decay -= side
            decay *= 1.0 / DAYS
    return got


def row_greeks(
    spot: float,
    forward: F64,
    strike: F64,
    years: F64,
    discount: F64,
    sigma: F64,
    carry: F64,
    work: Work,
) -> RowGreeks:
    """Greeks of both contracts of every row; all arrays of shape (n,), spot in points.

    `carry` is b per year. Where spot and options are quoted by the same clock it is
    ln(F/S)/T; see `pricing.carry` for expiries too short to tell it from noise.
    """
    n = len(strike)
    S = spot
    delta, charm, theta = np.empty((2, n)), np.empty((2, n)), np.empty((2, n))
    gamma, vega, vanna = np.empty(n), np.empty(n), np.empty(n)
    with np.errstate(all="ignore"):
        root_T, r, q, DF, A = work.arrays("black.rows", 5, n)
        np.sqrt(years, out=root_T)
        np.log(discount, out=r)
        r /= years
        np.negative(r, out=r)
        np.subtract(r, carry, out=q)
        np.multiply(discount, forward, out=DF)
        np.multiply(DF, 1.0 / S, out=A)
        core = _core(forward, strike, root_T, sigma, n, work)
        same, side = work.arrays("black.sides", 2, n)
        _shared(S, A, DF, years, root_T, carry, sigma, core, gamma, vega, vanna, same, work)
        above = core.d1 > 0.0
        call, put = delta
        np.copyto(call, core.tail)
        np.subtract(1.0, core.tail, out=call, where=above)
        np.subtract(1.0, core.tail, out=put)
        np.copyto(put, core.tail, where=above)
        call *= A
        put *= A
        np.negative(put, out=put)
        np.multiply(delta, q, out=charm)
        charm -= same
        charm *= 1.0 / DAYS
        # Theta: what the two sides share is −vega_1 σ/(2T) with vega per unit of σ.
        np.multiply(vega, sigma, out=same)
        same *= 50.0
        same /= years
        q *= S
        np.multiply(delta, q, out=theta)
        theta -= same
        tail2 = _second_tail(forward, strike, core, n, work)
        r *= discount
        r *= strike
        below = core.d2 <= 0.0
        np.subtract(1.0, tail2, out=side)
        np.copyto(side, tail2, where=below)
        side *= r
        theta[0] -= side
        np.subtract(r, side, out=side)
        theta[1] += side
        theta *= 1.0 / DAYS
    return RowGreeks(delta, gamma, vega, vanna, charm, theta)


@dataclass(frozen=True, eq=False, slots=True)
class _Core:
    """What all greeks of a strike share; views of scratch arrays."""

    w: F64
    d1: F64
    d2: F64
    bell: F64
    """e^{−d1²/2}."""
    tail: F64
    """N(−|d1|)."""


def _core(F: F64, K: F64, root_T: F64, vol: F64, n: int, work: Work) -> _Core:
    w, d1, d2, bell, tail, u = work.arrays("black.core", 6, n)
    np.multiply(vol, root_T, out=w)
    np.copyto(w, np.nan, where=~(w > 0.0))
    log_ratio(F, K, u, work)
    np.divide(u, w, out=d1)
    np.multiply(w, 0.5, out=u)
    np.subtract(d1, u, out=d2)
    d1 += u
    np.multiply(d1, d1, out=bell)
    bell *= -0.5
    np.exp(bell, out=bell)
    np.abs(d1, out=u)
    u *= SQRT_HALF
    erfcx(u, tail, work)
    tail *= bell
    tail *= 0.5
    return _Core(w, d1, d2, bell, tail)


def _second_tail(F: F64, K: F64, core: _Core, n: int, work: Work) -> F64:
    """N(−|d2|), by K n(d2) = F n(d1)."""
    u, tail = work.arrays("black.second", 2, n)
    np.abs(core.d2, out=u)
    u *= SQRT_HALF
    erfcx(u, tail, work)
    tail *= core.bell
    np.divide(F, K, out=u)
    u *= 0.5
    tail *= u
    return tail


def _shared(
    S: F64 | float,
    A: F64,
    DF: F64,
    T: F64,
    root_T: F64,
    b: F64,
    vol: F64,
    core: _Core,
    gamma: F64,
    vega: F64,
    vanna: F64,
    charm: F64,
    work: Work,
) -> None:
    """Gamma, vega, vanna, and A n(d1) [b/w − d2/(2T)] of the charm, into the last four."""
    pdf = work.array("black.pdf", len(gamma))
    np.multiply(core.bell, INV_SQRT_2PI, out=pdf)
    np.multiply(pdf, DF, out=vega)
    vega *= root_T
    vega *= 0.01
    pdf *= A
    per_w = np.divide(pdf, core.w, out=core.w)
    np.divide(per_w, S, out=gamma)
    np.multiply(pdf, core.d2, out=vanna)
    np.divide(vanna, T, out=charm)
    charm *= -0.5
    per_w *= b
    charm += per_w
    vanna /= vol
    vanna *= -0.01


def _empty_greeks(n: int, theta: bool) -> Greeks:
    delta, gamma, vega, vanna, charm = (np.empty(n) for _ in range(5))
    return Greeks(delta, gamma, vega, vanna, charm, np.empty(n) if theta else None)


def _broadcast(*inputs: ArrayLike) -> tuple[F64, ...]:
    return tuple(np.broadcast_arrays(*(np.asarray(a, np.float64) for a in inputs)))


def _line(value: ArrayLike) -> F64:
    return np.atleast_1d(np.asarray(value, np.float64))
