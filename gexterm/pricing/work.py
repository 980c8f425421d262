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

    def array(self, name: str, size: int) -> F64:
        """An uninitialised array of shape (size,)."""
        found = self._arrays.get(name)
        if found is None or len(found) < size:
            found = self._arrays[name] = np.empty(max(size, 64))
        return found[:size]
