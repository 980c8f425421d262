"""One print against the quote in force before it: which side, and on what evidence.

The order is that of Grauer, Schuster & Uhrig-Homburg (SSRN 4098475), with one limit more:
a print of quoted size counts as a filled resting order only where it prints at the
price at which that order rested. Elsewhere the match is an accident.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gexterm.dealers.evidence import Evidence

F64 = NDArray[np.float64]
I8 = NDArray[np.int8]
U8 = NDArray[np.uint8]

_BLOCK = 1 << 14
_CLOSE = 1e-4
_INSIDE = np.uint8(Evidence.INSIDE)
_TO_AT_QUOTE = np.uint8(Evidence.INSIDE - Evidence.AT_QUOTE)
_TO_OUTSIDE = np.uint8(Evidence.INSIDE - Evidence.OUTSIDE)
_TO_SIZE = np.uint8(Evidence.AT_QUOTE - Evidence.SIZE)


def judge(price: F64, size: F64, bid: F64, ask: F64, bid_size: F64, ask_size: F64) -> tuple[I8, U8]:
    """Customer's side (+1 bought, −1 sold, 0 not known) and `Evidence`, both of shape (n,).

    Prices in points, NaN not given. Quotes that are missing, one-sided, locked or crossed
    give no side and say why. What only time can tell (stale, before the open) is the
    caller's to know, as are conditions.
    """
    n = len(price)
    side, evidence = np.empty(n, np.int8), np.empty(n, np.uint8)
    # In blocks that stay in the cache: three times as fast as whole columns.
    with np.errstate(invalid="ignore"):  # quotes may be infinite
        for at in range(0, n, _BLOCK):
            part = slice(at, at + _BLOCK)
            columns = [c[part] for c in (price, size, bid, ask, bid_size, ask_size)]
            _block(columns, side[part], evidence[part])
    return side, evidence


def _block(columns: list[F64], side: I8, evidence: U8) -> None:
    price, size, bid, ask, bid_size, ask_size = columns
    off = price - 0.5 * (bid + ask)
    half = 0.5 * (ask - bid)
    side[:] = (off > _CLOSE).view(np.int8) - (off < -_CLOSE).view(np.int8)
    beyond = np.abs(off) - half
    at_quote = np.abs(beyond) <= _CLOSE
    rested = at_quote & (size == np.where(off < 0.0, bid_size, ask_size))
    rested &= bid_size != ask_size
    # Arithmetic on small integers instead of masked copies: a tenth of the time.
    np.multiply(side, 1 - 2 * rested.view(np.int8), out=side)
    np.subtract(_INSIDE, _TO_AT_QUOTE * at_quote.view(np.uint8), out=evidence)
    evidence -= _TO_OUTSIDE * (beyond > _CLOSE).view(np.uint8)
    evidence -= _TO_SIZE * rested.view(np.uint8)
    at_mid = np.flatnonzero(side == 0)
    if len(at_mid):
        deeper, shallower = ask_size[at_mid] > bid_size[at_mid], ask_size[at_mid] < bid_size[at_mid]
        side[at_mid] = deeper.view(np.int8) - shallower.view(np.int8)
        evidence[at_mid] = np.where(deeper | shallower, Evidence.DEPTH, Evidence.MID)
    # NaN fails these too; minima are cheaper than masks, and nearly always enough.
    if not (bid.min() > 0.0 and half.min() > 0.0 and ask.max() < np.inf):
        bad = ~((bid > 0.0) & (ask > bid) & (ask < np.inf))
        _refuse(np.flatnonzero(bad), bid, ask, side, evidence)


def _refuse(at: NDArray[np.intp], bid: F64, ask: F64, side: I8, evidence: U8) -> None:
    """Why a quote says nothing."""
    b, a = bid[at], ask[at]
    side[at] = 0
    no_bid, no_ask = ~((b > 0.0) & (b < np.inf)), ~((a > 0.0) & (a < np.inf))
    evidence[at] = np.select(
        [np.isnan(b) & np.isnan(a), no_bid | no_ask],
        [Evidence.NO_QUOTE, Evidence.ONE_SIDED_QUOTE],
        Evidence.CROSSED_QUOTE,
    )


__all__ = ["judge"]
