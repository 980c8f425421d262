"""What a runner shows to whoever keeps the raw frames: everything that a protocol was handed.

In that order and with those times, the same protocol yields the same events again.
"""

from __future__ import annotations

from typing import Literal, Protocol

from gexterm.feeds.protocol import Answer
from gexterm.feeds.retry import Retry, Stop


class Tap(Protocol):
    """Listens in; must neither raise nor wait.

    Called after the protocol has seen the same, so that a secret in a frame (a token just
    received) is known to the redactor.
    """

    def prepared(self, now_ns: int) -> None:
        """`prepare` was called."""
        ...

    def opened(self, now_ns: int) -> None:
        """`on_open` was called."""
        ...

    def closed(self, verdict: Retry | Stop, now_ns: int) -> None:
        """`closed` was called with that verdict."""
        ...

    def clock(self, what: Literal["assumed", "doubted"], now_ns: int) -> None:
        """The market's clock (`feeds.timing`) was told so, without any event."""
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
