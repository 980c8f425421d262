"""What lives long is kept out of the garbage collector's way.

A full collection looks at everything that lives and stops the whole program meanwhile: a
chain of 20,000 contracts and the libraries that price it make that 100 ms, once a second
under load, in which no key is answered. Whatever outlives a collection that had much to
look at is therefore taken out of its sight (`gc.freeze`): it stays allocated as ever, and is
freed as ever when nothing refers to it; only cycles among it are not found any more. So that
these stay few, each time needs half as much again as the one before.
"""

from __future__ import annotations

import gc
from typing import Any

FIRST = 20_000
"""Objects that outlive a full collection, from which they are taken out of sight."""
GROWTH = 1.5
"""How much more it takes the next time."""


class Settling:
    """While it is on, objects that outlive full collections are frozen as they grow many."""

    def __init__(self) -> None:
        self.limit = FIRST
        """Objects that it takes the next time."""
        self.times = 0
        """How often that was done."""

    def start(self) -> None:
        """Freeze what there is, and go on with what comes. Harmless when repeated."""
        gc.collect()
        gc.freeze()
        if self._collected not in gc.callbacks:
            gc.callbacks.append(self._collected)

    def stop(self) -> None:
        """Let the collector see everything again. Harmless when it is not on."""
        if self._collected in gc.callbacks:
            gc.callbacks.remove(self._collected)
            gc.unfreeze()

    def _collected(self, phase: str, info: dict[str, Any]) -> None:
        if phase != "stop" or info.get("generation") != 2:
            return
        # The oldest generation holds whatever has outlived the collection that just ended.
        if len(gc.get_objects(generation=2)) >= self.limit:
            self.limit = round(self.limit * GROWTH)
            self.times += 1
            gc.freeze()
