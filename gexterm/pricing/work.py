"""Scratch arrays that outlive a tick.

A fresh array of a whole chain costs more in page faults than the arithmetic done
in it, so the kernels of this package write into arrays kept here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


class Work:
    """Named scratch arrays, grown on demand. Not to be shared between threads.

    An array is valid until its name is asked for again.
    """

    def __init__(self) -> None:
        self._arrays: dict[str, F64] = {}
        self._views: dict[str, tuple[int, tuple[F64, ...]]] = {}

    def array(self, name: str, size: int) -> F64:
        """An uninitialised array of shape (size,)."""
        return self.arrays(name, 1, size)[0]

    def arrays(self, name: str, count: int, size: int) -> tuple[F64, ...]:
        """`count` uninitialised arrays of shape (size,); a name always asks for as many."""
        held = self._views.get(name)
        if held is not None and held[0] == size:
            return held[1]
        room = self._arrays.get(name)
        if room is None or room.shape[1] < size:
            room = self._arrays[name] = np.empty((count, max(size, 64)))
        views = tuple(row[:size] for row in room)
        self._views[name] = (size, views)
        return views
