"""The scale of a ladder's bars: round numbers that stay put while values move."""

from __future__ import annotations

import math

from gexterm.ui import numbers

NS = 1_000_000_000
CALM_S = 600.0
"""Market time for which everything must be small before the scale shrinks, seconds."""
SHRINK = 0.25
"""The scale shrinks only to this share of itself or less."""


def round_up(peak: float) -> float:
    """The smallest of 1, 1.5, 2, 3, 4, 6, 8 times a power of ten that is not below the peak."""
    power = 10.0 ** math.floor(math.log10(peak))
    for step in (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0):
        # A peak of exactly one step must not be pushed up by its last bit.
        if peak <= step * power * (1 + 1e-12):
            return step * power
    return 10.0 * power


class Scale:
    """What the full length of a bar stands for.

    It grows at once when a value would not fit, and shrinks only after `CALM_S` of
    market time in which a quarter of it would have done. Bars therefore do not
    pulsate: between two frames only what changed in the book changes on screen.
    """

    def __init__(self) -> None:
        self.limit = math.nan
        """Value of a full bar; NaN before the first peak."""
        self._small_since: int | None = None

    def reset(self) -> None:
        """Begin anew: another greek, scope or sign view."""
        self.limit = math.nan
        self._small_since = None

    def follow(self, peak: float, at_ns: int) -> None:
        """Take note of the largest size now on the ladder, at a market time."""
        if not math.isfinite(peak) or peak <= 0.0:
            return
        want = round_up(peak)
        if not math.isfinite(self.limit) or want > self.limit:
            self.limit, self._small_since = want, None
        elif want > SHRINK * self.limit:
            self._small_since = None
        elif self._small_since is None or at_ns < self._small_since:
            self._small_since = at_ns
        elif at_ns - self._small_since >= CALM_S * NS:
            self.limit, self._small_since = want, None

    @property
    def unit(self) -> tuple[float, str]:
        """The prefix shared by the whole column: its size and its letters."""
        for size, prefix in numbers.PREFIXES:
            if self.limit >= size:
                return size, prefix
        return 1.0, ""

    @property
    def decimals(self) -> int:
        """Decimals shared by the whole column: three figures at the full bar."""
        size, _ = self.unit
        share = self.limit / size
        return 0 if share >= 100 or size == 1.0 else (1 if share >= 10 else 2)

    def text(self, value: float, width: int = 5) -> str:
        """A value in the column's own unit, decimal points below each other."""
        return numbers.fixed(value / self.unit[0], self.decimals, width)

    @property
    def label(self) -> str:
        """The full bar in words: `200M`; empty before the first peak."""
        if not math.isfinite(self.limit):
            return ""
        size, prefix = self.unit
        return f"{self.limit / size:g}{prefix}"
