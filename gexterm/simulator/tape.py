"""The tape: what is heard of the prints, and what was true of each.

Most prints are heard a moment after they happened. Some are reported late, some are
taken back, some corrected; after a silence a few are sent again. Every message has a
sequence number of its own, in the order in which the exchange sent it; a message sent
again keeps its number.

OPRA conditions (capital letters): A C E G cancel an earlier print, the last one, the
opening one or the only one of a contract; B D report late, out of and in sequence, F H
the same of an opening print.
"""

from __future__ import annotations

import dataclasses
import heapq
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gexterm.clock import NS
from gexterm.market.calendar import at_et, session_close_ns
from gexterm.market.events import CANCEL, CORRECTION, NEW, Trades
from gexterm.simulator.customers import EMPTY
from gexterm.simulator.script import Script
from gexterm.simulator.step import I64, Prints, Step

_CORRECTED = 0.25
"""Corrections per cancel."""
_NAMED = 0.5
"""Share of cancels that name the print they are about; the others are to be matched."""
_MARKED = 0.7
"""Share of cancels that say so apart from their condition."""
_CANCEL_S, _LATE_S = 60.0, 45.0
"""Mean time until a print is taken back, and until a late one is reported, seconds."""
_LEAST_LATE_S = 4.0
_PACKET_NS = 2_000_000
"""Messages received within it come as one batch."""
_AGAIN = 4
"""So many prints are sent again after a silence."""
_FLOOR = 0.4
"""The least latency, relative to the mean."""
_LATE_LETTERS = {False: ("B", "D"), True: ("F", "H")}


@dataclass(slots=True)
class _Print:
    """One row of the truth."""

    contract: int
    price: float
    size: float
    traded_at: int
    customer: int
    dealer: float
    order: int
    package: int
    condition: int
    sequence: int = -1
    sent: int = 0
    busted_at: int = 0
    corrects: int = -1
    late: bool = False


@dataclass(slots=True)
class _Message:
    """One message of the tape."""

    ts: int
    row: _Print
    condition: int
    sequence: int
    action: int = NEW
    refers: int = -1


@dataclass(slots=True)
class _Said:
    """What was printed of a contract so far: how many, and the sequences of first and last."""

    count: int = 0
    first: int = -1
    last: int = -1


class Tape:
    """The exchange's side of the feed. `rng` is its alone."""

    def __init__(self, script: Script, rng: np.random.Generator) -> None:
        self._rng = rng
        self._flow = script.flow
        self._latency = script.quotes.trade_latency_ms * 1e6
        ends = session_close_ns(script.date)
        self._ends = ends if script.ends is None else at_et(script.date, script.ends)
        gaps = [(at_et(script.date, g.at), g.seconds) for g in script.gaps]
        self._gaps = [(at, at + round(seconds * NS)) for at, seconds in gaps]
        self._over = deque(end for _, end in self._gaps)
        self._rows: list[_Print] = []
        self._due: list[tuple[int, int, str, _Print]] = []
        self._scheduled = 0
        self._sequence = 0
        self._recv = 0
        self._said: dict[int, _Said] = {}
        self._heard: deque[_Message] = deque(maxlen=_AGAIN)
        self.revisions: Prints = EMPTY
        """What the last `publish` took back or corrected: `dealer` is by how much the
        dealer's contracts change. To be booked by him like prints."""

    def publish(self, prints: Prints, step: Step) -> list[Trades]:
        """What is sent in one second, in order of receipt; receipt may lie after its end.

        What would be received while the feed is silent is left out, and lost. In the last
        second of the script, all that is still due is sent.
        """
        self.revisions = EMPTY
        until = step.now + NS
        fresh = self._new(prints)
        last = step.now >= self._ends - NS
        waiting = bool(self._due) and (last or self._due[0][0] < until)
        if not (fresh or waiting or self._resumes(until)):
            return []
        actions = [(row.traded_at, n, "print", row) for n, row in enumerate(fresh)]
        while self._due and (last or self._due[0][0] < until):
            at, n, what, row = heapq.heappop(self._due)
            actions.append((min(at, until - 1), len(prints.ts) + n, what, row))
        actions.sort(key=lambda action: action[:2])
        revised: list[_Print] = []
        messages = [m for action in actions for m in self._send(*action, revised)]
        self.revisions = _as_prints(revised)
        return self._deliver(messages, until)

    def _new(self, prints: Prints) -> list[_Print]:
        """Rows of a second's prints that are reported at once; the late ones are put aside."""
        if not len(prints.ts):
            return []
        late = self._rng.random(len(prints.ts)) < self._flow.late
        out = []
        columns = (getattr(prints, name).tolist() for name in _COLUMNS)
        for i, values in enumerate(zip(*columns, strict=True)):
            row = _Print(*values)
            self._rows.append(row)
            if late[i]:
                row.late = True
                wait = _LEAST_LATE_S + float(self._rng.exponential(_LATE_S))
                self._later(row.traded_at + int(wait * NS), "print", row)
            else:
                out.append(row)
        return out

    def _later(self, at: int, what: str, row: _Print) -> None:
        self._scheduled += 1
        heapq.heappush(self._due, (at, self._scheduled, what, row))

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    def _send(
        self, ts: int, number: int, what: str, row: _Print, revised: list[_Print]
    ) -> list[_Message]:
        if what == "print":
            return [self._print(ts, row)]
        if row.busted_at:
            return []
        row.busted_at = ts
        revised.append(dataclasses.replace(row, dealer=-row.dealer, traded_at=ts))
        if what == "cancel":
            return [self._cancel(ts, row)]
        return [self._correct(ts, row, revised)]

    def _print(self, ts: int, row: _Print) -> _Message:
        rng = self._rng
        row.sequence, row.sent = self._next(), ts
        said = self._said.setdefault(row.contract, _Said())
        if row.late:
            letters = _LATE_LETTERS[said.count == 0]
            row.condition = ord(letters[int(rng.random() < 0.4)])
        if said.count == 0:
            said.first = row.sequence
        said.count, said.last = said.count + 1, row.sequence
        chance = float(rng.random())
        if chance < self._flow.cancels:
            self._later(ts + int(rng.exponential(_CANCEL_S) * NS) + NS, "cancel", row)
        elif chance < self._flow.cancels * (1.0 + _CORRECTED):
            self._later(ts + int(rng.exponential(_CANCEL_S) * NS) + NS, "correct", row)
        return _Message(ts, row, row.condition, row.sequence)

    def _cancel(self, ts: int, row: _Print) -> _Message:
        said = self._said[row.contract]
        if said.count == 1:
            letter = "G"
        elif said.last == row.sequence:
            letter = "C"
        else:
            letter = "E" if said.first == row.sequence else "A"
        named, marked = self._rng.random(2)
        return _Message(
            ts,
            row,
            ord(letter),
            self._next(),
            CANCEL if marked < _MARKED else NEW,
            row.sequence if named < _NAMED else -1,
        )

    def _correct(self, ts: int, row: _Print, revised: list[_Print]) -> _Message:
        """The print again, with the size it should have had."""
        size = row.size
        while size == row.size:
            size = max(1.0, float(np.round(row.size * self._rng.choice([0.1, 0.5, 2.0, 10.0]))))
            size += float(size == row.size)
        right = dataclasses.replace(
            row,
            size=size,
            dealer=row.dealer * size / row.size,
            sequence=self._next(),
            sent=ts,
            busted_at=0,
            corrects=row.sequence,
        )
        self._rows.append(right)
        revised.append(dataclasses.replace(right, traded_at=ts))
        return _Message(ts, right, row.condition, right.sequence, CORRECTION, row.sequence)

    def _resumes(self, until: int) -> bool:
        return bool(self._over) and self._over[0] < until

    def _silent(self, at: int) -> bool:
        return any(begin <= at < end for begin, end in self._gaps)

    def _deliver(self, messages: list[_Message], until: int) -> list[Trades]:
        """Batches of what is heard, each with its time of receipt."""
        wait = _FLOOR + (1.0 - _FLOOR) * self._rng.standard_exponential(len(messages))
        heard: list[tuple[int, _Message]] = []
        if self._resumes(until):
            back = self._over.popleft()
            self._recv = max(self._recv, back)
            heard += [(self._recv, message) for message in self._heard]
        for message, latency in zip(messages, (wait * self._latency).tolist(), strict=True):
            self._recv = max(self._recv, message.ts + int(latency))
            if self._silent(self._recv):
                continue
            heard.append((self._recv, message))
            if message.action == NEW:
                self._heard.append(message)
        out: list[Trades] = []
        while heard:
            end = heard[0][0] + _PACKET_NS
            packet = [message for at, message in heard if at <= end]
            recv = heard[len(packet) - 1][0]
            out.append(_batch(packet, recv))
            heard = heard[len(packet) :]
        return out

    def truth_columns(self) -> dict[str, NDArray[Any]]:
        """What was true of every print, in the order in which it happened. Shapes (k,).

        `ts` is the exchange's time on the tape, `traded_at` when it was traded: they differ
        where a print was reported late. `busted_at` is when it was taken back, 0 if it
        stands; a correction busts the print it is about and is a row of its own, whose
        `corrects` is that print's `sequence`. Opening inventory and `dealer` of the rows
        that stand add up to the dealer's inventory. `sequence` is −1, and `ts` is
        `traded_at`, where the script ended before a late print was reported.
        """
        out: dict[str, NDArray[Any]] = {
            name: np.array([getattr(row, name) for row in self._rows], dtype)
            for name, dtype in _TRUTH.items()
        }
        sent: I64 = np.array([row.sent for row in self._rows], np.int64)
        out["ts"] = np.where(sent > 0, sent, out["traded_at"])
        return out


_COLUMNS = (
    "contract",
    "price",
    "size",
    "ts",
    "customer",
    "dealer",
    "order",
    "package",
    "condition",
)
_TRUTH: dict[str, Any] = {
    "sequence": np.int64,
    "contract": np.int32,
    "traded_at": np.int64,
    "size": np.float64,
    "price": np.float64,
    "customer": np.int8,
    "dealer": np.float64,
    "order": np.int8,
    "package": np.int64,
    "condition": np.int16,
    "busted_at": np.int64,
    "corrects": np.int64,
}


def _batch(packet: list[_Message], recv: int) -> Trades:
    return Trades.of(
        [m.row.contract for m in packet],
        [m.row.price for m in packet],
        [m.row.size for m in packet],
        [m.ts for m in packet],
        recv=recv,
        condition=[m.condition for m in packet],
        sequence=[m.sequence for m in packet],
        action=[m.action for m in packet],
        refers=[m.refers for m in packet],
    )


def _as_prints(rows: list[_Print]) -> Prints:
    if not rows:
        return EMPTY
    return Prints(
        contract=np.array([r.contract for r in rows], np.int32),
        price=np.array([r.price for r in rows]),
        size=np.array([r.size for r in rows]),
        ts=np.array([r.traded_at for r in rows], np.int64),
        customer=np.array([r.customer for r in rows], np.int8),
        dealer=np.array([r.dealer for r in rows]),
        order=np.array([r.order for r in rows], np.int8),
        package=np.array([r.package for r in rows], np.int64),
        condition=np.array([r.condition for r in rows], np.int16),
    )
