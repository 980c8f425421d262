"""Fair values for prints inside the quote: an optional layer.

Mid is a poor fair value where a quote is lopsided or lazy; a smile through the quotes of
the neighbouring strikes may be a better one, or a worse one where it fits badly. So a
fair value comes with its error and is used only where that is small against the spread.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gexterm.pricing.black import price
from gexterm.pricing.surface import Surface

F64 = NDArray[np.float64]
I8 = NDArray[np.int8]
I32 = NDArray[np.int32]
Mask = NDArray[np.bool_]

SHARP = 1.0 / 3.0
"""Largest error of a fair value that is used, half-spreads."""
_AROUND = 4
_LEAST = 3


@dataclass(frozen=True, eq=False, slots=True)
class Fair:
    """Fair value by contract at one instant. n contracts."""

    value: F64
    """Points; NaN not known. Shape (n,)."""
    sd: F64
    """Its error, one standard deviation, points; NaN not known. Shape (n,)."""
    delta: F64
    """Spot delta, −1 to 1. Shape (n,)."""
    spot: float
    """Underlying at that instant, points."""
    as_of: int
    """The instant, ns."""

    def at(self, contract: I32, spot: F64) -> tuple[F64, F64]:
        """Value and error of some contracts with the underlying at `spot`. Shapes (k,).

        Moved along by delta. NaN where a contract is not known or spot is NaN.
        """
        value, sd = np.full(len(contract), np.nan), np.full(len(contract), np.nan)
        known = np.flatnonzero(contract < len(self.value))
        who = contract[known]
        value[known] = self.value[who] + self.delta[who] * (spot[known] - self.spot)
        sd[known] = self.sd[who]
        return value, sd


def of_surface(surface: Surface, bid: F64, ask: F64, n_contracts: int) -> Fair:
    """Fair values of all contracts from the smile, as the neighbouring quotes correct it.

    `bid` and `ask`, shape (2, n), are the quotes that the surface was made from. The
    smile's price is moved by the mean of mid − price over the four strikes on either
    side, the contract's own quote left out; the error is the standard deviation of the
    same, which contains the neighbours' ticks and is rather too large. Contracts with
    fewer than three quoted neighbours are NaN.
    """
    layout = surface.layout
    e = layout.expiry
    model = price(
        surface.forward[e],
        layout.strike,
        surface.years[e],
        surface.discount[e],
        surface.iv,
        np.array([[1.0], [-1.0]]),
    )
    value, sd, delta = (np.full(n_contracts, np.nan) for _ in range(3))
    low = np.maximum(np.arange(len(layout)) - _AROUND, layout.starts[e])
    high = np.minimum(np.arange(len(layout)) + _AROUND + 1, layout.starts[e + 1])
    for side in (0, 1):
        off = 0.5 * (bid[side] + ask[side]) - model[side]
        off[~((bid[side] > 0.0) & (ask[side] > bid[side]))] = np.nan
        count, mean, variance = _others(off, low, high)
        # The mean of the others is itself off by one of their errors over √count.
        error = np.sqrt(variance * (1.0 + 1.0 / np.maximum(count, 1.0)))
        known = (count >= _LEAST) & np.isfinite(model[side])
        listed = layout.contract[side]
        known &= (listed >= 0) & (listed < n_contracts)
        at = listed[known]
        value[at] = (model[side] + mean)[known]
        sd[at] = error[known]
        delta[at] = surface.delta[side][known]
    return Fair(value, sd, delta, surface.spot, surface.as_of)


def _others(off: F64, low: NDArray[np.integer], high: NDArray[np.integer]) -> tuple[F64, F64, F64]:
    """Count, mean and variance of the known values of each row's window, its own left out."""
    known = np.isfinite(off)
    own = np.where(known, off, 0.0)

    def windowed(column: F64) -> F64:
        total = np.concatenate([[0.0], np.cumsum(column)])
        return np.asarray(total[high] - total[low] - column, np.float64)

    count = windowed(known.astype(np.float64))
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = windowed(own) / count
        variance = np.maximum(windowed(own * own) / count - mean * mean, 0.0)
        variance *= count / (count - 1.0)
    return count, mean, variance


def against(price: F64, bid: F64, ask: F64, value: F64, sd: F64) -> tuple[I8, Mask]:
    """Customer's side by fair value, and where fair value is sharp enough to ask it.

    +1 above it, −1 below; 0 within half an error of it. Fair values outside the quote say
    that something is wrong with them, and are not asked. Shapes (k,).
    """
    sharp = (sd >= 0.0) & (sd < SHARP * 0.5 * (ask - bid)) & (value > bid) & (value < ask)
    off = price - value
    side = (off > 0.5 * sd).view(np.int8) - (off < -0.5 * sd).view(np.int8)
    return np.asarray(side * sharp.view(np.int8)), np.asarray(sharp)


__all__ = ["SHARP", "Fair", "against", "of_surface"]
