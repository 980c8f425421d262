"""Fair values for prints inside the quote: an optional layer.

Mid is a poor fair value where a quote is lopsided or lazy; a smile through the quotes of
the neighbouring strikes may be a better one, or a worse one where it fits badly. So a
fair value comes with its error and is used only where that is small against the spread.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I8 = NDArray[np.int8]
I32 = NDArray[np.int32]
Mask = NDArray[np.bool_]

SHARP = 1.0 / 3.0
"""Largest error of a fair value that is used, half-spreads."""


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


def against(price: F64, bid: F64, ask: F64, value: F64, sd: F64) -> tuple[I8, Mask]:
    """Customer's side by fair value, and where fair value is sharp enough to ask it.

    +1 above it, −1 below; 0 within half an error of it. Fair values outside the quote say
    that something is wrong with them, and are not asked. Shapes (k,).
    """
    sharp = (sd >= 0.0) & (sd < SHARP * 0.5 * (ask - bid)) & (value > bid) & (value < ask)
    off = price - value
    side = (off > 0.5 * sd).view(np.int8) - (off < -0.5 * sd).view(np.int8)
    return np.asarray(side * sharp.view(np.int8)), np.asarray(sharp)


__all__ = ["SHARP", "Fair", "against"]
