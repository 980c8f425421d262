"""Being shown the door: by another program with the same key, or for reading too slowly.

An account has one connection for options, real-time and delayed together. A second one is
not refused: one of the two is closed with the status `max_connections`, as a rule the
older (users have seen either). Two monitors that both came back at once would take the
line from each other for ever, so the way back takes a minute, then two, and after the
third time it is left to the other.
"""

from __future__ import annotations

from gexterm.clock import NS
from gexterm.feeds.retry import Retry, Stop

MOST = 3
"""Times that another program may take the connection before it is left to it."""
WAIT_S = 60.0
"""Seconds before the first way back; twice as many before the next."""
_FORGET_NS = 3 * 3600 * NS
_MUTE = 3
_MUTE_WAIT_S = 60.0


class Evictions:
    """How connections ended, and what that means for the next."""

    def __init__(self) -> None:
        self.replaced = False
        """Whether this connection was told `max_connections`."""
        self.slow = False
        """Whether this connection was told `slow_consumer`."""
        self.subscribed = False
        """Whether anything was asked for on this connection."""
        self._times: list[int] = []
        self._mute = 0

    def opened(self) -> None:
        """A new connection: nothing has been held against it."""
        self.replaced = self.slow = self.subscribed = False

    def closed(self, verdict: Retry | Stop, now_ns: int, *, heard: bool) -> Retry | Stop:
        """What the end of a connection means. `heard`: whether it brought any data."""
        if self.replaced:
            self.replaced = False
            return self._taken(now_ns)
        if self.slow:
            self.slow = False
            return Retry(
                "Massive hung up because we read too slowly (slow_consumer)",
                wait_s=5.0,
                hint="fewer contracts in the window, or a faster line or machine",
            )
        self._mute = self._mute + 1 if self.subscribed and not heard else 0
        if isinstance(verdict, Retry) and self._mute >= _MUTE:
            return Retry(
                f"{verdict.reason}, {self._mute} times in a row without any data",
                wait_s=max(verdict.wait_s, _MUTE_WAIT_S),
                hint="the market may be closed, or the plan may not stream options",
            )
        return verdict

    def _taken(self, now_ns: int) -> Retry | Stop:
        self._times = [at for at in self._times if now_ns - at < _FORGET_NS] + [now_ns]
        times = len(self._times)
        hint = (
            "an account has one connection for options, real-time and delayed together: "
            "end the other program, or give it a key of another account"
        )
        if times >= MOST:
            return Stop(f"another program took the connection {times} times", hint)
        return Retry(
            "another program connected with the same key and took the connection (max_connections)",
            wait_s=WAIT_S * 2.0 ** (times - 1),
            hint=hint,
        )
