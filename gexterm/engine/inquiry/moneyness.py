"""Five exposures of one book at many spots, with the smile moving along with spot.

As `along`, but a strike's volatility is another one at each spot: what its expiry's smile
shows at K·S/s. Rows that are wide against the stretch are drawn through Chebyshev points
here too; a smile is smooth, not analytic, and where its wings begin it bends. Measured on
SPX chains that misses by less than a thousandth of a curve's largest value.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gexterm.engine.inquiry.along import Held, Sweep, normal_cdf, to_exposures
from gexterm.engine.inquiry.moved import shifted
from gexterm.exposure.scope import HOUR_YEARS, YEAR_SECONDS
from gexterm.exposure.strikes import rolled
from gexterm.pricing.normal import INV_SQRT_2PI
from gexterm.pricing.surface import Surface
from gexterm.pricing.work import Work

F64 = NDArray[np.float64]
_BLOCK = 1 << 14


class Along:
    """A book under sticky moneyness.

    `base` is the market there is, with its smiles; `surface` the same later and with
    volatilities higher by `vol`, a fraction; `held` the book on `surface`.
    """

    def __init__(self, base: Surface, surface: Surface, held: Held, vol: float) -> None:
        part, layout = held.part, surface.layout
        expiry = layout.expiry[part.rows].astype(np.intp)
        strike = layout.strike[part.rows]
        left = np.maximum(surface.seconds / YEAR_SECONDS - HOUR_YEARS, 0.0)
        roll, _, _ = rolled(surface, left)
        self._held, self._vol, self._expiry = held, vol, expiry
        self._base, self._smiles = base, base.smiles
        self._k = np.log(strike) - np.log(base.forward)[expiry]
        self._away = np.log(surface.forward)[expiry] - np.log(strike)
        self._later = self._away + roll[expiry]
        self._root_left = np.sqrt(left)[expiry]
        self._over_strike = np.log(surface.spot / strike)

    def along(
        self, low: float, high: float, count: int, work: Work | None = None
    ) -> Callable[[F64], F64]:
        """What gives gamma, charm, vanna, vega and delta, (5, m), between t = `low` and `high`."""
        work, held = work or Work(), self._held
        sweep = Sweep(held.part, low, high, count, lambda rows, t: self._sums(rows, t, work))
        return lambda t: to_exposures(sweep.at(t), held, t)

    def _sums(self, rows: NDArray[np.intp], t: F64, work: Work) -> F64:
        """Gamma, vega, vanna, delta now and in an hour; over s. Shape (5, m)."""
        m, out = len(t), np.zeros((5, len(t)))
        at_once = max(1, _BLOCK // m)
        part, steps = self._held.part, self._held.steps
        for first in range(0, len(rows), at_once):
            mine = rows[first : first + at_once]
            n = len(mine)
            iv = self._iv(mine, t, work)
            root, amount = part.root[mine], steps[0, mine] * (0.01 * INV_SQRT_2PI)
            bell, cdf = (a.reshape(m, n) for a in work.arrays("moneyness", 2, m * n))
            w = iv * root
            y = (self._away[mine] + t[:, None]) / w
            y += 0.5 * w
            normal_cdf(y, bell, cdf, work)
            out[0] += np.vecdot(bell / w, amount)
            out[1] += np.vecdot(bell, amount * root)
            out[2] += np.vecdot(bell * ((w - y) / iv), amount)
            out[3] += np.vecdot(cdf, steps[0, mine])
            w = iv * self._root_left[mine]
            gone = self._root_left[mine] == 0.0
            with np.errstate(divide="ignore", invalid="ignore"):
                y = (self._later[mine] + t[:, None]) / w
            y += 0.5 * w
            if gone.any():
                y[:, gone] = 40.0 * np.sign(t[:, None] + self._over_strike[mine][gone])
            normal_cdf(y, bell, cdf, work)
            out[4] += np.vecdot(cdf, steps[1, mine])
        return out

    def _iv(self, rows: NDArray[np.intp], t: F64, work: Work) -> F64:
        """Volatility of each row at each spot, as a fraction. Shape (m, rows)."""
        shape = (len(t), len(rows))
        if self._smiles is None:
            return shifted(np.broadcast_to(self._base.iv[rows], shape).copy(), self._vol)
        k = (self._k[rows] - t[:, None]).ravel()
        expiry = np.broadcast_to(self._expiry[rows], shape).ravel()
        return shifted(self._smiles.iv(expiry, k, work), self._vol).reshape(shape)
