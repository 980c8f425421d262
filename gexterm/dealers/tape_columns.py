"""The columns of the tape: arrays that grow, always seen at their present length."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

UNJUDGED = 255
"""`evidence` of a print that no signer has looked at."""


class State(IntEnum):
    """What became of a print."""

    LIVE = 0
    """In force."""
    CANCELLED = 1
    """Taken back."""
    REPLACED = 2
    """Corrected by another row."""


_COLUMNS: tuple[tuple[str, type[np.generic], float], ...] = (
    ("contract", np.int32, 0),
    ("ts", np.int64, 0),
    ("recv", np.int64, 0),
    ("price", np.float64, np.nan),
    ("size", np.float64, np.nan),
    ("sequence", np.int64, -1),
    ("condition", np.uint8, 0),
    ("side", np.int8, 0),
    ("bid", np.float64, np.nan),
    ("ask", np.float64, np.nan),
    ("bid_size", np.float64, np.nan),
    ("ask_size", np.float64, np.nan),
    ("state", np.uint8, State.LIVE),
    ("p_buy", np.float32, np.nan),
    ("p_dealer", np.float32, np.nan),
    ("evidence", np.uint8, UNJUDGED),
    ("package", np.int64, -1),
    ("met_bid", np.float64, np.nan),
    ("met_ask", np.float64, np.nan),
)
_GROWTH = 1.25
# Less than this is not worth counting: small tapes double.
_SMALL = 1 << 14


class Columns:
    """One array for each property of a print, all of shape (n,), in order of arrival.

    The arrays are views of larger ones: hold on to rows, not to arrays, from one batch
    to the next.
    """

    contract: I32
    """Contract index."""
    ts: I64
    """Exchange time, ns; the receipt time where the feed gives none, 0 where neither."""
    recv: I64
    """Receipt time, ns."""
    price: F64
    """Points."""
    size: F64
    """Contracts."""
    sequence: I64
    """The vendor's; −1 none."""
    condition: NDArray[np.uint8]
    """`ConditionClass`."""
    side: NDArray[np.int8]
    """The venue's own aggressor: +1 buyer, −1 seller, 0 none."""
    bid: F64
    """Bid at the trade as given, points; NaN where not."""
    ask: F64
    """Offer at the trade as given, points; NaN where not."""
    bid_size: F64
    """Contracts bid for as given; NaN where not."""
    ask_size: F64
    """Contracts offered as given; NaN where not."""
    state: NDArray[np.uint8]
    """`State`."""
    p_buy: F32
    """P(dealer bought); NaN until judged."""
    p_dealer: F32
    """P(a dealer was in it); NaN until judged."""
    evidence: NDArray[np.uint8]
    """`Evidence`; `UNJUDGED` until judged."""
    package: I64
    """Number of the package it is a leg of; −1 none."""
    met_bid: F64
    """Bid in force that it was judged by, as given or from the quotes; NaN none, or too old."""
    met_ask: F64
    """The offer."""

    def __init__(self, capacity: int = 4096) -> None:
        self._whole: dict[str, NDArray[Any]] = {
            name: np.empty(max(capacity, 1), dtype) for name, dtype, _ in _COLUMNS
        }
        self._length = 0
        self._show()

    def __len__(self) -> int:
        """Rows, cancelled ones included."""
        return self._length

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays, with the room to grow into."""
        return sum(whole.nbytes for whole in self._whole.values())

    def append(self, count: int, given: Mapping[str, NDArray[Any] | int]) -> int:
        """Add `count` rows; columns that are not given hold their absent value.

        Returns the first of the new rows.
        """
        first, end = self._length, self._length + count
        capacity = len(self._whole["ts"])
        if end > capacity:
            factor = _GROWTH if capacity >= _SMALL else 2.0
            self._grow(max(end, int(capacity * factor)))
        for name, _, absent in _COLUMNS:
            self._whole[name][first:end] = given.get(name, absent)
        self._length = end
        self._show()
        return first

    def keep(self, first: int, kept: NDArray[np.bool_]) -> None:
        """Of the rows from `first` on, keep those marked, closing the gaps."""
        count = int(np.count_nonzero(kept))
        for whole in self._whole.values():
            whole[first : first + count] = whole[first : self._length][kept]
        self._length = first + count
        self._show()

    def _grow(self, capacity: int) -> None:
        # One column after the other, so that the old and the new tape never stand side by side.
        for name, _, _ in _COLUMNS:
            setattr(self, name, None)
            whole = self._whole.pop(name)
            try:
                # In place, where nobody holds on to a part of it: large arrays need no copy.
                whole.resize(capacity)
            except ValueError:
                grown = np.empty(capacity, whole.dtype)
                grown[: self._length] = whole[: self._length]
                whole = grown
            self._whole[name] = whole

    def _show(self) -> None:
        for name, whole in self._whole.items():
            setattr(self, name, whole[: self._length])
