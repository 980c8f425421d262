"""Where the book stood some minutes ago, under whatever sign view is chosen now.

Kept once a minute: the priced surface and what positions were made of. A change of
view or scope then changes the look-back marks too, instead of comparing two
different books.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gexterm.clock import NS
from gexterm.dealers.conventions import CONVENTIONS, positions
from gexterm.exposure.scope import Mask
from gexterm.exposure.strikes import Exposures, StrikeIndex, by_strike, row_exposures
from gexterm.pricing.surface import Surface
from gexterm.reading.model import LookBack

F64 = NDArray[np.float64]

MINUTES = (5, 15, 30)
"""How far back the marks reach."""
_MINUTE = 60 * NS
_LATE = 90 * NS

Columns = tuple[tuple[str, str, str], ...]
LOOK_BACK_COLUMNS: Columns = (
    ("gex", "gex", "scope"),
    ("delta", "delta", "scope"),
    ("vega", "vega", "scope"),
    ("vanna", "vanna", "scope"),
    ("charm", "charm_hour", "scope"),
    ("decay", "decay", "scope"),
    ("gex_0dte", "gex", "zero"),
    ("charm_0dte", "charm_hour", "zero"),
    ("decay_0dte", "decay", "zero"),
)
"""Column of the Reading, exposure it comes from, and over which expiries."""


@dataclass(frozen=True, eq=False, slots=True)
class Moment:
    """The book at one full minute."""

    as_of: int
    """ns."""
    surface: Surface
    """Greeks then."""
    weight: F64
    """Open interest or volume then. Shape (2, n)."""
    zero: Mask
    """Expiries that settled that day at the close."""
    inferred: Mapping[str, F64] = field(default_factory=dict)
    """Dealer contracts then under the inferred views. Shape (2, n) each."""

    def held(self, view: str) -> F64 | None:
        """Dealer contracts under a view; None where it was not known then."""
        if view in CONVENTIONS:
            return positions(CONVENTIONS[view], self.weight)
        return self.inferred.get(view)


class History:
    """The last half hour, a moment a minute."""

    def __init__(self) -> None:
        self._moments: deque[Moment] = deque()
        self._cache: dict[tuple[object, ...], LookBack] = {}

    def keep(self, moment: Moment) -> None:
        """Remember a moment, if none of its minute is there yet."""
        if self._moments and moment.as_of < self._moments[-1].as_of:
            self.clear()
        if self._moments and moment.as_of // _MINUTE == self._moments[-1].as_of // _MINUTE:
            return
        self._moments.append(moment)
        while moment.as_of - self._moments[0].as_of > MINUTES[-1] * _MINUTE + _LATE:
            self._moments.popleft()

    def clear(self) -> None:
        """Forget everything."""
        self._moments.clear()
        self._cache.clear()

    def look_back(
        self,
        as_of: int,
        strikes: F64,
        key: tuple[object, ...],
        scope_of: Callable[[Moment], Mask | None],
        view: str,
    ) -> tuple[LookBack, ...]:
        """Where each of `strikes` stood 5, 15 and 30 minutes ago, as far as known.

        `key` names the sign view, its basis and scope; `scope_of` applies the latter.
        """
        found = []
        fresh: dict[tuple[object, ...], LookBack] = {}
        for minutes in MINUTES:
            moment = self._at(as_of - minutes * _MINUTE)
            held = None if moment is None else moment.held(view)
            if moment is None or held is None:
                continue
            name = (minutes, moment.as_of, len(strikes), *key)
            fresh[name] = self._cache.get(name) or _values(
                minutes, moment, strikes, scope_of(moment), held
            )
            found.append(fresh[name])
        self._cache = fresh
        return tuple(found)

    def _at(self, when: int) -> Moment | None:
        """The latest moment not after `when` and not much before it."""
        for moment in reversed(self._moments):
            if moment.as_of <= when:
                return moment if when - moment.as_of < _LATE else None
        return None


def _values(
    minutes: int, moment: Moment, strikes: F64, scope: Mask | None, positions: F64
) -> LookBack:
    layout = moment.surface.layout
    rows = row_exposures(moment.surface, positions, moment.zero)
    sums = {
        name: _aligned(by_strike(rows, index), index.strike, strikes)
        for name, index in (
            ("scope", StrikeIndex.of(layout, scope)),
            ("zero", StrikeIndex.of(layout, moment.zero)),
        )
    }
    return LookBack(
        minutes,
        {column: sums[over][exposure] for column, exposure, over in LOOK_BACK_COLUMNS},
    )


def _aligned(sums: Exposures, have: F64, want: F64) -> dict[str, F64]:
    """Sums by strike on other strikes; NaN where a strike was not there."""
    if len(have) == 0:
        nothing = np.full(len(want), np.nan)
        return {exposure: nothing for _, exposure, _ in LOOK_BACK_COLUMNS}
    at = np.minimum(np.searchsorted(have, want), len(have) - 1)
    missing = have[at] != want
    out = {}
    for _, exposure, _ in LOOK_BACK_COLUMNS:
        values = getattr(sums, exposure)[at]
        values[missing] = np.nan
        out[exposure] = values
    return out
