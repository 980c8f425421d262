"""Where spot roughly is: OPRA does not say, and the window needs a middle.

By put-call parity, F ≈ K + C − P at the strikes where the two are closest, of the nearest
expiry that is quoted at enough of them. Carry to the nearest expiry moves that by less
than the distance of two strikes, which is all a window asks for. It is sent to nobody.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gexterm.market.contracts import Contract, Right
from gexterm.market.settlement import expiry_of

F64 = NDArray[np.float64]
_ENOUGH = 3
_TAKEN = 5


class Middle:
    """Pairs of call and put by series, and the spot they imply."""

    def __init__(self) -> None:
        self._counted = 0
        self._halves: dict[tuple[str, dt.date], dict[float, dict[Right, int]]] = {}

    def spot(self, contracts: Sequence[Contract], mid: F64, now_ns: int) -> float:
        """Points; NaN where too little is quoted. `mid` by contract, NaN without a quote."""
        for index in range(self._counted, len(contracts)):
            each = contracts[index]
            series = self._halves.setdefault((each.root, each.expiry), {})
            series.setdefault(each.strike, {})[each.right] = index
        self._counted = len(contracts)
        living = sorted(
            (expiry.settles_at, key)
            for key in self._halves
            if (expiry := expiry_of(*key)).trades_until > now_ns
        )
        for _, key in living:
            spot = _parity(self._halves[key], mid)
            if spot > 0.0:
                return spot
        return math.nan


def _parity(series: dict[float, dict[Right, int]], mid: F64) -> float:
    found = []
    for strike, halves in series.items():
        if len(halves) == 2:
            apart = float(mid[halves[Right.CALL]] - mid[halves[Right.PUT]])
            if not math.isnan(apart):
                found.append((abs(apart), strike + apart))
    if len(found) < _ENOUGH:
        return math.nan
    return float(np.median([spot for _, spot in sorted(found)[:_TAKEN]]))
