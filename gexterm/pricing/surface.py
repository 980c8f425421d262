"""The priced chain: what pricing hands on to exposure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gexterm.market.chain import Layout
from gexterm.pricing.smile import Smiles

F64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Surface:
    """Forward, smile and greeks of every row, at one instant.

    Greeks are those of one option, dealer long one, per unit of the underlying
    (the multiplier is not in them); units as in `docs/definitions.md`. Rows of a
    settled expiry, and of one without a forward or a smile, are NaN throughout.
    n rows, E expiries.
    """

    layout: Layout
    """Strikes and expiries of the rows."""
    as_of: int
    """The instant, ns."""
    spot: float
    """Underlying, points."""
    seconds: F64
    """Seconds to settlement, unfloored; ≤ 0 once settled. Shape (E,)."""
    years: F64
    """Time to settlement in years of 365 days, floored at 60 s. Shape (E,)."""
    forward: F64
    """Parity forward, points; NaN where no pair is quoted. Shape (E,)."""
    forward_low: F64
    """Lower arbitrage bound of the forward, points. Shape (E,)."""
    forward_high: F64
    """Upper arbitrage bound of the forward, points. Shape (E,)."""
    discount: F64
    """Discount factor to settlement. Shape (E,)."""
    atm_iv: F64
    """Fitted volatility at the forward, as a fraction. Shape (E,)."""
    smile_kind: tuple[str, ...]
    """How each smile was made: `svi`, `spline`, `quadratic`, `line`, `flat`,
    `previous`, `none`."""
    raw_iv: F64
    """Volatility implied by the out-of-the-money mid; NaN where it says nothing. Shape (n,)."""
    iv_reason: NDArray[np.int8]
    """Why `raw_iv` is NaN: see `pricing.implied.Reason`; 0 where it is not. Shape (n,)."""
    iv: F64
    """Fitted volatility at the strike, as a fraction. Shape (n,)."""
    delta: F64
    """Spot delta of call and put. Shape (2, n)."""
    gamma: F64
    """Delta per point. Shape (n,)."""
    vega: F64
    """Points per vol point. Shape (n,)."""
    vanna: F64
    """Delta per vol point. Shape (n,)."""
    charm: F64
    """Delta per calendar day passing, of call and put. Shape (2, n)."""
    theta: F64
    """Points per calendar day passing, of call and put. Shape (2, n)."""
    carry: F64 | None = None
    """b per year, with F = S e^{bT}, as used in delta and charm. Shape (E,)."""
    smiles: Smiles | None = None
    """The smiles themselves, for volatilities between and beyond the strikes."""
