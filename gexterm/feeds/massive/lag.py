"""What time it is at the venue, as its own rows say it.

What is asked of REST is asked for in the venue's time. This machine's clock may be minutes
off, and the delayed feed is a quarter of an hour late: the distance is the median one of the
last flushes that brought rows, and until there are enough of them the delay by design.
"""

from __future__ import annotations

from collections import deque

from gexterm.clock import NS

_FEWEST, _MOST = 5, 64
_NEAR_NS = NS


class Lag:
    """How far the venue's newest rows are behind this machine's clock."""

    def __init__(self, design_ns: int) -> None:
        self.ns = design_ns
        """Nanoseconds to take off our time."""
        self._design = design_ns
        self._seen: deque[int] = deque(maxlen=_MOST)

    def saw(self, recv_ns: int, newest_ns: int) -> None:
        """Rows up to `newest_ns` of the venue's time came at `recv_ns` of ours."""
        if newest_ns <= 0 or recv_ns <= 0:
            return
        self._seen.append(recv_ns - newest_ns)
        if len(self._seen) >= _FEWEST:
            lag = sorted(self._seen)[len(self._seen) // 2]
            self.ns = lag if abs(lag - self._design) > _NEAR_NS else self._design

    def market(self, now_ns: int) -> int:
        """A time of ours as the venue's."""
        return now_ns - self.ns
