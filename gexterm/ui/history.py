"""What the desk remembers of the session: which levels have just changed."""

from __future__ import annotations

import math

from gexterm.reading.model import Reading


def named_levels(reading: Reading) -> dict[str, str | float]:
    """What glows when it changes."""
    zero, gamma = reading.zero_dte, reading.gamma
    return {
        "paradigm": zero.paradigm,
        "gamma": gamma.state,
        "lis_upper": zero.lis_upper,
        "lis_lower": zero.lis_lower,
        "target": zero.target,
        "call_wall": gamma.call_wall,
        "put_wall": gamma.put_wall,
    }


class History:
    """Changes, fed with every Reading that is shown."""

    def __init__(self, glow_s: float) -> None:
        self._glow_s = glow_s
        self._before: dict[str, str | float] = {}
        self._book: tuple[str, str, str] | None = None
        self._until: dict[str, float] = {}

    def note(self, reading: Reading, now_s: float) -> None:
        """Compare with the Reading before.

        `now_s` is the program's own monotonic time: a glow lasts as long for the eye
        at any speed of a replay. Another book makes nothing glow.
        """
        found = named_levels(reading)
        book = (reading.underlying, reading.scope, reading.positions.view)
        if book == self._book and self._glow_s > 0:
            for name, value in found.items():
                before = self._before.get(name, value)
                unknown = isinstance(value, float) and math.isnan(value)
                if not unknown and value != before:
                    self._until[name] = now_s + self._glow_s
        self._before, self._book = found, book

    def fresh(self, now_s: float) -> frozenset[str]:
        """Levels that glow now."""
        self._until = {name: until for name, until in self._until.items() if until > now_s}
        return frozenset(self._until)
