"""Calls to Deribit: numbered, paced, repeated where that may help.

The venue counts credits: a call costs 500 of 50,000, a subscription 3,000 of 30,000, and
10,000 a second come back; who has none left is hung up on. For calls without a login it
names no figures, so half of that is used.

A call that gets no answer, or one that may be different next time, is made again, later
each time. Pure: time is handed in.

Source: docs.deribit.com, Rate Limits; RPC Error Codes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from gexterm.clock import NS
from gexterm.feeds.deribit.messages import RpcError
from gexterm.market.events import Event
from gexterm.market.roots import printable

TOO_MANY = 10028
MAINTENANCE = 11051
PASSING = {
    TOO_MANY,
    10040,  # retry
    10041,  # settlement in progress
    10047,  # matching engine's queue is full
    10066,  # too many concurrent requests
    MAINTENANCE,
    11094,  # internal error
    13028,  # temporarily unavailable
    13503,  # unavailable
    13888,  # timed out
    -32603,  # internal error, as JSON-RPC has it
    -32000,
}
"""Errors that may be gone the next time."""
UNANSWERED_NS = 10 * NS
_TRIES = 4
_SUBSCRIPTIONS = ("public/subscribe", "public/unsubscribe")


class Bucket:
    """Pacing: so many at once, so many a second after that."""

    __slots__ = ("_at", "_burst", "_left", "_rate")

    def __init__(self, burst: float, rate: float) -> None:
        self._burst, self._rate = burst, rate
        self._left, self._at = burst, 0

    def take(self, now_ns: int) -> bool:
        """Whether one may go now; if so it has."""
        passed = max(now_ns - self._at, 0) / NS if self._at else 0.0
        self._left = min(self._burst, self._left + passed * self._rate)
        self._at = now_ns
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True

    def empty(self) -> None:
        """The venue says there is nothing left."""
        self._left = 0.0


@dataclass(slots=True)
class Call:
    """One call."""

    method: str
    """What."""
    params: dict[str, Any]
    """With what."""
    done: Callable[[bytes], list[Event]]
    """Takes the result, JSON."""
    failed: Callable[[str, int], None]
    """Takes why there is none, and the venue's code for it (0: no answer)."""
    tries: int = 0
    """How often it was made."""
    due: int = 0
    """When it may be made (again), ns."""


class Calls:
    """What was called, and what is to be."""

    def __init__(self) -> None:
        self._error, self._error_at = 0, 0
        self._id = 0
        self.waiting: deque[Call] = deque()
        """What is to be called."""
        self._sent: dict[int, tuple[Call, int]] = {}
        self._of_all, self._of_subscriptions = Bucket(50, 10), Bucket(8, 3)

    def forget(self) -> None:
        """The connection is a new one: nobody will answer what was asked on the old."""
        self.waiting.clear()
        self._sent.clear()
        self._error = 0

    def __len__(self) -> int:
        return len(self.waiting) + len(self._sent)

    def ask(
        self,
        method: str,
        params: dict[str, Any],
        done: Callable[[bytes], list[Event]],
        failed: Callable[[str, int], None],
    ) -> None:
        """Make a call as soon as it may be made; exactly one of the two will be called."""
        self.waiting.append(Call(method, params, done, failed))

    def error(self, now_ns: int) -> int:
        """Code of an error a moment ago, which may be why the venue hung up; 0: none."""
        return self._error if now_ns - self._error_at < UNANSWERED_NS else 0

    def number(self) -> int:
        """A number that no call has had."""
        self._id += 1
        return self._id

    def take(self, now_ns: int) -> list[str]:
        """The calls to send now."""
        frames: list[str] = []
        later: deque[Call] = deque()
        # Subscriptions wait for their turn without holding up other calls, nor themselves
        # changing places.
        full = False
        while self.waiting:
            call = self.waiting.popleft()
            paced = call.method in _SUBSCRIPTIONS
            if call.due > now_ns or (paced and full):
                later.append(call)
                full = full or paced
                continue
            if not (self._of_subscriptions if paced else self._of_all).take(now_ns):
                later.append(call)
                if not paced:
                    later.extend(self.waiting)
                    break
                full = True
                continue
            number = self.number()
            call.tries += 1
            self._sent[number] = (call, now_ns)
            frames.append(frame(number, call.method, call.params))
        self.waiting = later
        return frames

    def answered(
        self, number: int, result: bytes, error: RpcError | None, now_ns: int
    ) -> list[Event] | None:
        """Hand an answer to whoever asked; None where nobody did."""
        found = self._sent.pop(number, None)
        if found is None:
            return None
        call, _ = found
        if error is None:
            try:
                return call.done(result)
            except msgspec.MsgspecError:
                self._again(call, "an answer that makes no sense", 0, now_ns, True)
                raise
        self._error, self._error_at = error.code, now_ns
        if error.code == TOO_MANY:
            self._of_all.empty()
            self._of_subscriptions.empty()
        said = f"{printable(error.message)} (code {error.code})"
        self._again(call, said, error.code, now_ns, error.code in PASSING)
        return []

    def overdue(self, now_ns: int) -> int:
        """Make calls again that nobody answered in time; how many there were."""
        old = [n for n, (_, at) in self._sent.items() if now_ns - at >= UNANSWERED_NS]
        for number in old:
            call, _ = self._sent.pop(number)
            self._again(call, "no answer", 0, now_ns, True)
        return len(old)

    def _again(self, call: Call, said: str, code: int, now_ns: int, may_help: bool) -> None:
        if not may_help or call.tries >= _TRIES:
            call.failed(said, code)
            return
        call.due = now_ns + NS * 2 ** (call.tries - 1)
        self.waiting.append(call)


def frame(number: int, method: str, params: dict[str, Any]) -> str:
    """A call as JSON-RPC 2.0 has it."""
    body = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    return msgspec.json.encode(body).decode()
