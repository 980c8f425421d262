"""Prints fetched after the fact: those before we joined, and those of an interruption.

The venue gives them contract by contract (`/v3/trades/{contract}`), so that only so many
can be had: 200 requests, spent on the window's contracts, its most important first. The
rest is not known, and is said.

A print may be told twice, over the websocket and by REST, around the moments where one
takes over from the other. The vendor documents no number for past option prints by which
to know them again. A refilled print is therefore left out where the websocket has told
one of the same contract, exchange, price and size within a millisecond, one for one. What
has a number keeps it; what has none gets one made of its time, exchange, price and size,
the same at every telling.
"""

from __future__ import annotations

import hashlib
import struct
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from gexterm.clock import NS
from gexterm.errors import InputError
from gexterm.feeds.massive.gather import sequence
from gexterm.feeds.massive.messages import Trade
from gexterm.feeds.massive.rest import Print, Rest, read_prints, words
from gexterm.feeds.protocol import Answer, Request

MOST_REQUESTS = 200
"""Requests of one refill."""
_AT_ONCE = 4
_MS = 1_000_000
_TAIL_MS = 30_000
_MOST_TAIL = 50_000
_TOO_MANY_S = 15.0
_TRIES = 3
_MADE = 1 << 62
"""Added to numbers made here: no vendor's number is as large."""
_TAKEN_BACK = frozenset({1, 7, 8, 10, 11})
"""Correction indicators of the tape: later corrected, later an error, later cancelled, and
the records that say so. 12 is the record that stands."""
Key = tuple[str, int, float, float]


class Heard:
    """Prints that the websocket told in the last half minute, to know them again."""

    def __init__(self) -> None:
        self._tail: deque[Trade] = deque(maxlen=_MOST_TAIL)
        self._kept: list[Trade] = []

    def note(self, trades: list[Trade]) -> None:
        """These have just been told."""
        tail = self._tail
        tail.extend(trades)
        if tail:
            oldest = tail[-1].t - _TAIL_MS
            while tail[0].t < oldest:
                tail.popleft()

    def interrupted(self) -> None:
        """The connection is gone: what was told last is kept until it is asked for."""
        self._kept = [*self._kept, *self._tail][-_MOST_TAIL:]
        self._tail.clear()

    def take(self) -> list[Trade]:
        """What was told before the interruption and since; the former is then forgotten."""
        told = [*self._kept, *self._tail]
        self._kept = []
        return told


def edges(told: list[Trade]) -> dict[Key, list[int]]:
    """Times in ms of what was told, by what it was."""
    out: dict[Key, list[int]] = {}
    for each in told:
        out.setdefault((each.sym, each.x, each.p, each.s), []).append(each.t)
    return out


@dataclass(slots=True)
class _Job:
    symbol: str
    url: str
    tries: int = 0
    alike: dict[tuple[int, int, float, float], int] = field(default_factory=dict)


class Refill:
    """One stretch of time, fetched for so many contracts."""

    def __init__(
        self,
        rest: Rest,
        symbols: list[str],
        since_ns: int,
        until_ns: int,
        edges: dict[Key, list[int]],
        number: int,
    ) -> None:
        self.since_ns, self.until_ns = since_ns, until_ns
        self.contracts = min(len(symbols), MOST_REQUESTS)
        """Contracts asked for."""
        self.complete = 0
        """Contracts of which everything was had."""
        self.rows = 0
        """Prints had that were not known before."""
        self.refused = 0
        """Rows that make no sense or were taken back since."""
        self.refusal = ""
        """Why the venue gives none; empty: it does."""
        self._rest, self._edges, self._number = rest, edges, number
        self._jobs = deque(
            _Job(symbol, rest.trades(symbol, since_ns, until_ns))
            for symbol in symbols[:MOST_REQUESTS]
        )
        self._under_way: dict[str, _Job] = {}
        self._asked = 0
        self._not_before = 0

    @property
    def done(self) -> bool:
        """Whether nothing more will come."""
        return not self._jobs and not self._under_way

    def heard(self, trades: list[Trade]) -> None:
        """The websocket has told these meanwhile.

        They lie after this stretch, unless this machine's clock is ahead of the venue's.
        """
        for key, times in edges(trades).items():
            self._edges.setdefault(key, []).extend(times)

    def requests(self, now_ns: int) -> list[Request]:
        """What to ask for now: a few at a time."""
        out: list[Request] = []
        if now_ns < self._not_before:
            return out
        while self._jobs and len(self._under_way) < _AT_ONCE:
            if self._asked >= MOST_REQUESTS:
                self._jobs.clear()
                break
            job = self._jobs.popleft()
            self._asked += 1
            key = f"prints {self._number} {self._asked}"
            self._under_way[key] = job
            out.append(self._rest.request(key, job.url))
        return out

    def answer(self, answer: Answer) -> list[tuple[str, Print, int]]:
        """Prints that were not known, with contract and number; empty for what is not ours."""
        job = self._under_way.pop(answer.key, None)
        if job is None:
            return []
        if answer.status in (401, 403):
            self.refusal = words(answer)
            self._jobs.clear()
            return []
        if answer.status != 200:
            self._again(job, answer)
            return []
        try:
            prints, refused, following = read_prints(answer.body)
            next_url = self._rest.following(following) if following else ""
        except InputError:
            self._again(job, answer)
            return []
        self.refused += refused
        if next_url and next_url != job.url:
            self._jobs.appendleft(_Job(job.symbol, next_url, 0, job.alike))
        else:
            self.complete += 1
        found = [(job.symbol, each, number) for each, number in self._new(job, prints)]
        self.rows += len(found)
        return found

    def _again(self, job: _Job, answer: Answer) -> None:
        job.tries += 1
        if answer.status == 429:
            wait_s = answer.retry_after_s or _TOO_MANY_S
            self._not_before = answer.recv_ns + round(wait_s * NS)
        if job.tries < _TRIES:
            self._jobs.appendleft(job)

    def _new(self, job: _Job, prints: list[Print]) -> Iterable[tuple[Print, int]]:
        for each in prints:
            if each.correction in _TAKEN_BACK:
                self.refused += 1
            elif self.since_ns <= each.ns < self.until_ns and not self._known(job, each):
                yield each, self._name(job, each)

    def _known(self, job: _Job, each: Print) -> bool:
        """Whether the websocket told it; each telling answers for one print."""
        times = self._edges.get((job.symbol, each.exchange, each.price, each.size))
        if not times:
            return False
        ms = each.ns // _MS
        for at, told in enumerate(times):
            if abs(told - ms) <= 1:
                del times[at]
                return True
        return False

    def _name(self, job: _Job, each: Print) -> int:
        if (given := sequence(each.sequence, each.exchange)) > 0:
            return given
        alike = (each.ns, each.exchange, each.price, each.size)
        nth = job.alike[alike] = job.alike.get(alike, 0) + 1
        what = struct.pack("<qqddq", each.ns, each.exchange, each.price, each.size, nth)
        digest = hashlib.blake2b(what, digest_size=7).digest()
        return _MADE + int.from_bytes(digest, "little")
