"""What a runner shows to whoever keeps the raw frames: everything that a protocol was handed.

In that order and with those times, the same protocol yields the same events again.
"""

from __future__ import annotations

from typing import Protocol

from gexterm.feeds.protocol import Answer


class Tap(Protocol):
    """Listens in; must neither raise nor wait.

    Called after the protocol has seen the same, so that a secret in a frame (a token just
    received) is known to the redactor.
    """

    def opened(self, now_ns: int) -> None:
        """`on_open` was called."""
        ...

    def frame(self, data: bytes, recv_ns: int) -> None:
        """`receive` was called."""
        ...

    def answered(self, answer: Answer) -> None:
        """`answer` was called."""
        ...

    def timer(self, now_ns: int) -> None:
        """`on_timer` was called."""
        ...

    def flushed(self, now_ns: int) -> None:
        """`flush` was called, and its events were dated at `now_ns`."""
        ...

    def lost(self, frames: int, now_ns: int) -> None:
        """Frames were dropped unread: what follows has a hole here."""
        ...
