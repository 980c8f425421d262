"""The contracts of a synthetic day, and the open interest they begin it with."""

from __future__ import annotations

import datetime as dt

import numpy as np
from numpy.typing import NDArray

from gexterm.errors import InputError
from gexterm.market.contracts import Contract, Right
from gexterm.market.settlement import expiry_of
from gexterm.simulator.script import Script, Series
from gexterm.simulator.step import F64, Listing

_LUCK = 0.55
"""Standard deviation of the logarithm of open interest, besides what strikes explain."""
_IN_THE_MONEY = 0.15
"""Open interest in the money, relative to the same distance out of it."""


def list_contracts(
    script: Script, series: tuple[Series, ...], expected_sd: F64, rng: np.random.Generator
) -> Listing:
    """The chain of a day: every strike of every series, call and put side by side.

    `expected_sd`, shape (len(series),), is the standard deviation of the log return to
    each settlement: it says where open interest lies. Raises InputError when a series
    has no strike.
    """
    spot = script.spot.open
    contracts: list[Contract] = []
    strikes: list[float] = []
    number: list[int] = []
    settles: list[int] = []
    for index, one in enumerate(series):
        date = script.date + dt.timedelta(days=one.days)
        expiry = expiry_of(one.root, date)
        first = int(np.ceil(spot * (1.0 - one.below) / one.step - 1e-9))
        last = int(np.floor(spot * (1.0 + one.above) / one.step + 1e-9))
        ladder = [k * one.step for k in range(max(first, 1), last + 1)]
        if not ladder:
            raise InputError(
                f"series {one.root} at {one.days} days has no strike within its reach",
                "widen below and above, or narrow the step",
            )
        for k in ladder:
            contracts += [Contract(one.root, date, right, float(k)) for right in Right]
            strikes += [float(k)] * 2
        number += [index] * (2 * len(ladder))
        settles.append(expiry.settles_at)
    strike = np.array(strikes)
    which = np.array(number, np.int32)
    sign = np.tile([float(right.sign) for right in Right], len(strikes) // 2)
    settles_at = np.array(settles, np.int64)
    # An AM series settles at the open: it is never today's, even on its own date.
    today = np.array([s.days == 0 for s in series], np.bool_)
    return Listing(
        contracts=tuple(contracts),
        strike=strike,
        sign=sign,
        series=which,
        settles_at=settles_at[which],
        today=today[which],
        open_interest=_open_interest(strike, sign, which, spot, series, expected_sd, rng),
    )


def _open_interest(
    strike: F64,
    sign: F64,
    which: NDArray[np.int32],
    spot: float,
    series: tuple[Series, ...],
    expected_sd: F64,
    rng: np.random.Generator,
) -> F64:
    """Out of the money, about a standard deviation away; on round strikes; by luck."""
    sd = np.maximum(expected_sd, 0.003)[which]
    away = sign * np.log(strike / spot) / sd
    # A hump out of the money whose far side fades slowly: far puts are held for long.
    hump = np.where(away > 0.8, np.exp(-0.75 * (away - 0.8)), np.exp(-0.5 * (away - 0.8) ** 2))
    shape = np.where(away < 0.0, _IN_THE_MONEY, 1.0) * hump
    # Puts are wanted as insurance, calls are overwritten nearer to the money.
    shape *= np.where(sign < 0, 1.15, np.exp(-0.25 * np.maximum(away - 0.8, 0.0)))
    round_ = 1.0 + 0.6 * (strike % 25 == 0) + 0.9 * (strike % 50 == 0) + 1.5 * (strike % 100 == 0)
    level = np.array([s.open_interest for s in series])[which]
    luck = rng.lognormal(-0.5 * _LUCK**2, _LUCK, len(strike))
    return np.asarray(np.floor(level * shape * round_ * luck), np.float64)
