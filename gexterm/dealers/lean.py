"""What prints say together: the customers' lean, learned from all prints of a group.

One print signed with accuracy p = (1 + δ)/2 says little of itself: the expected dealer gain
is ±δ of its size, and an undecided one adds nothing. If prints were coins, that would be
all. They are not: customers lean, 5–20 % of volume one way in one kind of contract
(quant notes 8 and 10), so each print also says something about the others. With lean τ,
contract i, s = ±1 the judged side, m = P(a dealer was in it):

    M_i = Σ m·q·δ·s       expected gain, each print for itself          (`Flow.mean`)
    D_i = Σ m·q·δ²        how much of it a lean of 1 would have moved    (`Flow.told`)
    E_i = Σ m²·q²·δ²      its variance given the lean                    (`Flow.power`)
    R_i = Σ m·q − D_i     volume of which the prints themselves say nothing

    M_i ~ N(D_i·τ_i, E_i),   τ_i = Σ_b h_b(K_i)·c_b,   c_b ~ N(0, `LeanSettings.sd`²)

a linear regression whose posterior adds R_i·τ_i to the gain, with an error that all
contracts of the group share. For many prints of one δ the sum of a group tends to
Σq·s/δ: the share of right signs no longer shrinks it, while an odd contract is still
drawn towards its neighbours. The lean of today's contracts may change along strikes:
h_b are tents on three of them. Later expiries have one lean for calls, one for puts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]

_NODES = (0.1, 0.5, 0.9)
"""Where tents stand: strikes below which this share of what was told lies."""


@dataclass(frozen=True, slots=True)
class LeanSettings:
    """What is expected of customers before the first print."""

    sd: float = 0.15
    """Standard deviation of their lean, net over gross volume; observed are 0.05 to 0.20."""


@dataclass(frozen=True, eq=False, slots=True)
class Lean:
    """What a group's lean adds to the dealer's gain. m contracts, k unknowns."""

    mean: F64
    """Expected gain beyond what each print says for itself, contracts. Shape (m,)."""
    shared: F64
    """Its common errors, contracts per standard deviation. Shape (k, m)."""
    lean: F64
    """Expected lean of dealers by contract, + = they buy. Shape (m,)."""


def learn(
    mean: F64,
    told: F64,
    power: F64,
    rest: F64,
    strike: F64 | None = None,
    settings: LeanSettings | None = None,
) -> Lean:
    """The lean of one group of contracts, from M, D, E and R of each, shapes (m,).

    With `strike`, points, the lean may change along strikes, else it is one number.
    """
    settings = settings or LeanSettings()
    basis = _constant(mean) if strike is None else _tents(strike, told)
    known = power > 0.0
    strength = np.where(known, told / np.where(known, power, 1.0), 0.0)
    precision = np.einsum("bm,cm,m->bc", basis, basis, strength * told)
    precision += np.eye(len(basis)) / settings.sd**2
    found = np.linalg.solve(precision, basis @ (strength * mean))
    # precision = L·Lᵀ, so that the columns of L⁻ᵀ are independent errors of the unknowns.
    errors = np.linalg.inv(np.linalg.cholesky(precision)).T
    lean = np.asarray(found @ basis, np.float64)
    return Lean(rest * lean, np.asarray(errors.T @ basis) * rest, lean)


def _constant(like: F64) -> F64:
    return np.ones((1, len(like)))


def _tents(strike: F64, weight: F64) -> F64:
    """Tents along strikes that add up to 1 everywhere, flat beyond the outer ones."""
    order = np.argsort(strike, kind="stable")
    total = np.cumsum(weight[order])
    if len(total) == 0 or not total[-1] > 0.0:
        return _constant(strike)
    at = np.searchsorted(total, np.array(_NODES) * total[-1])
    nodes = np.unique(strike[order][np.minimum(at, len(strike) - 1)])
    if len(nodes) == 1:
        return _constant(strike)
    return np.stack([np.interp(strike, nodes, unit) for unit in np.eye(len(nodes))])
