"""What is to be subscribed to, cut into frames that a server takes, a few at a time.

The reference client cuts at 8,192 bytes; longer frames are closed with 1009 by tastytrade's
servers, and whole chains asked for at once have dropped the connection. So entries wait in
a queue, frames stay short, and more of them go out only as seconds pass and data comes.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Literal

CHUNK = 8192
"""Most bytes of a frame."""
_LEAST_CHUNK = 512
_A_SECOND = 4
"""Frames a second …"""
_WHEN_HEARD = 4
"""… and so many more once data came since the last ones."""

Operation = Literal["add", "remove"]


def entry(kind: str, symbol: str, from_ms: int | None = None) -> str:
    """One entry of a FEED_SUBSCRIPTION, as JSON; with a time for a history."""
    fields: dict[str, str | int] = {"type": kind, "symbol": symbol}
    if from_ms is not None:
        fields["fromTime"] = from_ms
    return json.dumps(fields, separators=(",", ":"))


class Subscriptions:
    """Entries that wait to be sent on the channels of one connection."""

    def __init__(self) -> None:
        self.chunk = CHUNK
        """Most bytes of a frame now."""
        self._waiting: deque[tuple[str, Operation, str]] = deque()
        self._credit = 0
        self._heard = False

    def __len__(self) -> int:
        return len(self._waiting)

    def clear(self) -> None:
        """A new connection: nothing waits."""
        self._waiting.clear()
        self._credit, self._heard = 0, False

    def shorten(self) -> bool:
        """Frames were too long: half as long from now on. False where they are short already."""
        if self.chunk <= _LEAST_CHUNK:
            return False
        self.chunk //= 2
        return True

    def want(self, channel: str, operation: Operation, entries: Iterable[str]) -> None:
        """Queue entries for a channel, by its name."""
        self._waiting.extend((channel, operation, each) for each in entries)

    def forget(self, channel: str) -> None:
        """A channel is closed: what waits for it is void."""
        self._waiting = deque(each for each in self._waiting if each[0] != channel)

    def second(self) -> None:
        """A second has passed."""
        self._credit, self._heard = _A_SECOND, False

    def heard(self) -> None:
        """Data has come: the server keeps up."""
        if not self._heard:
            self._heard = True
            self._credit += _WHEN_HEARD

    def frames(self, numbers: Mapping[str, int]) -> list[str]:
        """What may go out now, to the open channels by their names."""
        frames = []
        while self._credit > 0 and self._waiting:
            number = numbers.get(self._waiting[0][0])
            if number is None:
                self._waiting.popleft()
                continue
            self._credit -= 1
            frames.append(self._frame(number))
        return frames

    def _frame(self, number: int) -> str:
        channel, operation, first = self._waiting.popleft()
        head = f'{{"type":"FEED_SUBSCRIPTION","channel":{number},"{operation}":['
        entries, size = [first], len(head) + len(first) + 2
        while self._waiting and self._waiting[0][:2] == (channel, operation):
            size += len(self._waiting[0][2]) + 1
            if size > self.chunk:
                break
            entries.append(self._waiting.popleft()[2])
        return f"{head}{','.join(entries)}]}}"
