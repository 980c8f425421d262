"""How the monitor itself does: work per tick and per frame, and how late the screen is."""

from __future__ import annotations

import math
import resource
import sys
from collections import deque
from dataclasses import dataclass

NAN = math.nan
KEPT = 240
"""Frames remembered."""


@dataclass(frozen=True, slots=True)
class Vital:
    """One frame that showed a new Reading."""

    tick_ms: float
    """Work for the Reading, ms; NaN not measured."""
    paint_ms: float
    """Work of handing it to the screen, ms."""
    behind_s: float
    """From the moment that the Reading stands for to the screen, seconds; NaN for a replay."""
    events_per_s: float
    """Rows per second; NaN not known."""


@dataclass(frozen=True, slots=True)
class Process:
    """What the operating system says of the program."""

    cpu_share: float
    """Share of one core since the last look, 0 to 1 and above; NaN at first."""
    memory_mb: float
    """Largest resident memory so far, MB."""


class Vitals:
    """Fed once for each frame that showed something new. Clocks are handed in."""

    def __init__(self) -> None:
        self.frames: deque[Vital] = deque(maxlen=KEPT)
        """Oldest first."""
        self.process = Process(NAN, NAN)
        """At the last look."""
        self._looked: tuple[float, float] | None = None

    def note(self, vital: Vital) -> None:
        """Remember a frame."""
        self.frames.append(vital)

    def look(self, now_s: float, every_s: float = 2.0) -> None:
        """Ask the operating system, not more often than `every_s`; `now_s` is monotonic."""
        if self._looked is not None and now_s - self._looked[0] < every_s:
            return
        used = resource.getrusage(resource.RUSAGE_SELF)
        cpu = used.ru_utime + used.ru_stime
        share = NAN
        if self._looked is not None:
            share = (cpu - self._looked[1]) / max(1e-9, now_s - self._looked[0])
        self._looked = (now_s, cpu)
        unit = 1e6 if sys.platform == "darwin" else 1e3
        self.process = Process(share, used.ru_maxrss / unit)

    def column(self, name: str) -> list[float]:
        """One number of every frame, oldest first; what is not known is left out."""
        found = [getattr(one, name) for one in self.frames]
        return [value for value in found if math.isfinite(value)]


def quantile(values: list[float], share: float) -> float:
    """The value below which `share` of them lie; NaN where there is none."""
    if not values:
        return NAN
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
