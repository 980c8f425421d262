"""The prints of a family: live, from before, and those that were missed; each exactly once.

    live       as they come; repeats are dropped by contract and `trade_seq`
    history    by time, a page after the other, from where the tape was last known whole
    audit      the same for the last minute, once a minute: shows what no number can, a print
               that was lost and had no successor
    holes      by number, what lies between two prints of a contract; what cannot be had is
               counted as a gap

Live prints wait while history is read, at most a minute. Pure: time is handed in.

Source: docs.deribit.com, `public/get_last_trades_by_currency_and_time` (the last 24 hours
only: earlier starts bring nothing at all), `public/get_last_trades_by_instrument`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gexterm.clock import NS
from gexterm.feeds.deribit import messages as m
from gexterm.feeds.deribit.calls import Calls
from gexterm.feeds.deribit.families import Family
from gexterm.feeds.deribit.premiums import floats
from gexterm.feeds.deribit.sequence import Sequences
from gexterm.feeds.protocol import Account
from gexterm.market.calendar import et
from gexterm.market.events import Event
from gexterm.market.roots import printable

MS = 1_000_000
LATEST_MS = 4_102_444_800_000
"""2100: later times are nonsense."""
COMBO, BLOCK, RFQ, LIQUIDATION = 1, 2, 4, 8
"""Bits of `Trades.condition`: see the numbering `deribit` in `dealers.conditions`."""
_PAGE = 1000
_REACH_MS = 24 * 3_600_000 - 60_000
"""How far back the venue tells by time, less a minute for clocks."""
_OVERLAP_MS = 2_000
_SETTLED_MS = 3_000
"""A print this old has come, if it is to come at all."""
_AUDIT_EVERY_NS = 60 * NS
_HOLD_NS = 60 * NS
_HOLE_AGE_NS = NS
_HOLE_TRIES = 3
_MOST_HOLES = 20
_LONGEST_HOLE = 10_000
"""No more is asked for page by page: nothing is traded so often, a number is wrong."""
_MOST_PAGES = 5_000
_MOST_SEQUENCE = 2**53


@dataclass(frozen=True, eq=False, slots=True)
class PrintRows:
    """Prints as columns, premiums still as the venue quotes them. All shape (n,)."""

    contract: NDArray[np.int32]
    price: NDArray[np.float64]
    size: NDArray[np.float64]
    index: NDArray[np.float64]
    ts: NDArray[np.int64]
    side: NDArray[np.int8]
    condition: NDArray[np.int16]
    sequence: NDArray[np.int64]


@dataclass(slots=True)
class _Reading:
    """Prints being read by time."""

    since_ms: int
    until_ms: int
    through_ms: int
    """Up to when the tape is whole once this is read."""
    begun: int
    pages: int = 0
    found: int = 0


@dataclass(slots=True)
class _Hole:
    """Numbers that are missing between two prints."""

    seen: int
    tries: int = 0
    asked: bool = False


class Tape:
    """The prints of one family. `defined` says which contract a symbol is, −1 none of ours."""

    def __init__(
        self,
        calls: Calls,
        account: Account,
        family: Family,
        back_fill_s: float,
        defined: Callable[[str], int],
    ) -> None:
        self.holding = True
        """Whether live prints, and so quotes, wait for those before them."""
        self._calls, self._account, self._family = calls, account, family
        self._back_fill_ms = int(min(max(back_fill_s, 0.0), 1e6) * 1000)
        self._defined = defined
        self._sequences = Sequences()
        self._history: list[m.Print] = []
        self._live: list[m.Print] = []
        self._reading: _Reading | None = None
        self._holes: dict[tuple[str, int, int], _Hole] = {}
        self._subscribed = self._ready = False
        self._ahead = 0  # of our clock, the venue's
        self._now = self._opened = 0
        self._through_ms = self._chain_ms = self._again_ms = 0
        self._bad = 0
        self._last_gap = ""

    def forget(self, now_ns: int) -> None:
        """A new connection: nothing is under way on it."""
        self._now = self._opened = now_ns
        self.holding = True
        self._reading = None
        self._holes.clear()
        self._subscribed = self._ready = False

    def clock(self, theirs_ns: int, ours_ns: int) -> None:
        """The venue's clock, as one of its answers had it."""
        self._ahead, self._now = theirs_ns - ours_ns, ours_ns

    def now(self, ours_ns: int) -> int:
        """The venue's time at a time of ours, ns."""
        return ours_ns + self._ahead

    def subscribed(self) -> None:
        """Live prints come from now on."""
        self._subscribed = True
        self._begin()

    def may_begin(self) -> None:
        """What is needed to read prints is known: contracts, forwards."""
        self._ready = True
        self._begin()

    def without(self) -> None:
        """There are no prints on this connection."""
        self.holding = False
        self._account.heard_from = 0

    # Prints

    def live(self, print_: m.Print, recv_ns: int) -> bool:
        """A print has come; whether it is one of ours, and new."""
        self._now = recv_ns
        if not self._usable(print_):
            return False
        self._live.append(print_)
        return True

    def _usable(self, print_: m.Print) -> bool:
        if self._defined(print_.instrument_name) < 0:
            return False
        if not (
            0.0 < print_.price < 1e9
            and 0.0 < print_.amount < 1e9
            and 0 < print_.trade_seq < _MOST_SEQUENCE
        ):
            self.refuse(1)
            return False
        if not self._sequences.add(print_.instrument_name, print_.trade_seq):
            return False
        if self._sequences.given_up(print_.instrument_name, print_.trade_seq):
            self._missing(-1, "")
        return True

    def _missing(self, more: int, said: str) -> None:
        """So many prints more are missing; fewer, where one was had after all."""
        account = self._account
        account.gaps += more
        if not account.gaps:
            account.notes.pop("gaps", None)
        else:
            self._last_gap = said or self._last_gap
            account.notes["gaps"] = (
                f"{account.gaps} print(s) are missing for good, {self._last_gap} last"
            )

    def refuse(self, count: int) -> None:
        """Prints were left out, since they cannot be."""
        self._bad += count
        self._account.notes["bad prints"] = f"{self._bad} print(s) left out: no price, no size"

    def _past(self, prints: list[m.Print]) -> int:
        """Prints from before; how many are new."""
        new = [each for each in prints if self._usable(each)]
        self._history += new
        self._account.refilled += len(new)
        return len(new)

    def take(self) -> tuple[list[m.Print], list[m.Print]]:
        """Prints from before, then live ones unless they wait; each by time."""
        history, self._history = self._history, []
        live: list[m.Print] = []
        if not self.holding:
            live, self._live = self._live, []
        for part in (history, live):
            part.sort(key=lambda each: each.timestamp)
        return history, live

    def columns(self, prints: list[m.Print], index: Mapping[str, int], recv_ns: int) -> PrintRows:
        """Prints as columns."""
        return PrintRows(
            contract=np.array([index[p.instrument_name] for p in prints], np.int32),
            price=floats([p.price for p in prints]),
            size=floats([p.amount for p in prints]),
            index=floats([p.index_price for p in prints]),
            ts=np.array([nanoseconds(p.timestamp) or recv_ns for p in prints], np.int64),
            side=np.array([_SIDES.get(p.direction, 0) for p in prints], np.int8),
            condition=np.array([condition(p) for p in prints], np.int16),
            sequence=np.array([p.trade_seq for p in prints], np.int64),
        )

    # What was missed

    def timer(self, now_ns: int) -> None:
        """Once a second."""
        self._now = now_ns
        if self.holding and now_ns - self._opened >= _HOLD_NS:
            self.holding = False
            self._account.notes["history"] = "earlier prints are slow to come; live ones go ahead"
        if not (self._subscribed and self._ready) or self._reading is not None:
            return
        venue_ms = self.now(now_ns) // MS
        due = max(self._through_ms + _AUDIT_EVERY_NS // MS, self._again_ms)
        if self._through_ms and venue_ms >= due:
            until = venue_ms - _SETTLED_MS
            self._read(self._through_ms - _OVERLAP_MS, until, until)
            return
        self._fill_holes()

    def _begin(self) -> None:
        """Read what was printed before this connection."""
        if not (self._subscribed and self._ready) or self._reading is not None:
            return
        now = self.now(self._now)
        now_ms = now // MS
        earliest = now_ms - _REACH_MS
        if self._through_ms == 0:
            since = max(session_begin(now) // MS, now_ms - self._back_fill_ms, earliest)
            self._chain_ms = since
            if self._back_fill_ms == 0:
                self._through_ms = now_ms
                self._whole()
                return
        else:
            since = self._through_ms - _OVERLAP_MS
            if since < earliest:
                self._account.notes["hole"] = (
                    f"prints from {_clock(since)} to {_clock(earliest)} are not to be had any more"
                )
                since = self._chain_ms = earliest
        self._read(since, now_ms + 60_000, now_ms - _SETTLED_MS)

    def _read(self, since_ms: int, until_ms: int, through_ms: int) -> None:
        self._reading = _Reading(since_ms, until_ms, through_ms, self._now)
        self._ask_page(self._reading, since_ms)

    def _ask_page(self, reading: _Reading, start_ms: int) -> None:
        def done(result: bytes) -> list[Event]:
            self._page(reading, start_ms, m.HISTORY.decode(result))
            return []

        def failed(said: str, _code: int) -> None:
            # The next audit begins where this one did.
            self._reading = None
            self._again_ms = self.now(self._now) // MS + _AUDIT_EVERY_NS // MS
            if self._through_ms == 0:
                self._through_ms = reading.since_ms
            if self.holding:
                self._account.heard_from = self.now(self._now)
            self._account.notes["history"] = (
                f"prints since {_clock(start_ms)} are not to be had: {said}; asking again"
            )
            self.holding = False

        params = {
            "currency": self._family.currency,
            "kind": "option",
            "start_timestamp": start_ms,
            "end_timestamp": reading.until_ms,
            "count": _PAGE,
            "sorting": "asc",
        }
        self._calls.ask("public/get_last_trades_by_currency_and_time", params, done, failed)

    def _page(self, reading: _Reading, start_ms: int, page: m.History) -> None:
        reading.pages += 1
        reading.found += self._past(page.trades)
        if page.has_more and page.trades and reading.pages < _MOST_PAGES:
            last = max(each.timestamp for each in page.trades)
            # Numbers and times may be out of step by a little; a full page within a
            # millisecond leaves holes, which are filled by number.
            again = last - 1000 if last - 1000 > start_ms else max(last, start_ms + 1)
            self._ask_page(reading, again)
            return
        self._reading = None
        first = self.holding
        # Our clock may have been set since: by the venue's, the future has not been read.
        settled = self.now(self._now) // MS - _SETTLED_MS
        self._through_ms = min(reading.through_ms, settled)
        self._account.notes.pop("history", None)
        if first:
            said = f"{reading.found:,} prints since {_clock(reading.since_ms)}"
            self._account.steps.setdefault("history", said)
        self._whole()

    def _whole(self) -> None:
        self.holding = False
        self._account.heard_from = self._chain_ms * MS

    def _fill_holes(self) -> None:
        under_way = sum(hole.asked for hole in self._holes.values())
        found = {
            (symbol, first, last)
            for symbol, holes in self._sequences.holes().items()
            for first, last in holes
        }
        for gone in [key for key, hole in self._holes.items() if key not in found]:
            del self._holes[gone]
        for key in sorted(found):
            hole = self._holes.setdefault(key, _Hole(self._now))
            if hole.asked or self._now - hole.seen < _HOLE_AGE_NS or under_way >= _MOST_HOLES:
                continue
            under_way += 1
            hole.asked = True
            self._ask_hole(key, hole)

    def _ask_hole(self, key: tuple[str, int, int], hole: _Hole) -> None:
        symbol, first, end = key
        last = min(end, first + _PAGE - 1)
        given_up = end if end - first >= _LONGEST_HOLE else last
        hole.tries += 1

        def tried() -> None:
            hole.asked = False
            # It is tried a few times: what was printed a moment ago may not be told yet.
            hole.seen = self._now + hole.tries * NS
            if hole.tries < _HOLE_TRIES:
                return
            if lost := self._sequences.give_up(symbol, first, given_up):
                self._missing(lost, f"{printable(symbol)} {first} to {given_up}")

        def done(result: bytes) -> list[Event]:
            self._past(m.HISTORY.decode(result).trades)
            tried()
            return []

        def failed(_said: str, _code: int) -> None:
            tried()

        params = {
            "instrument_name": symbol,
            "start_seq": first,
            "end_seq": last,
            "count": last - first + 1,
            "sorting": "asc",
        }
        self._calls.ask("public/get_last_trades_by_instrument", params, done, failed)


_SIDES = {"buy": 1, "sell": -1}


def condition(print_: m.Print) -> int:
    """What a print was, as bits."""
    return (
        COMBO * bool(print_.combo_id)
        | BLOCK * bool(print_.block_trade_id)
        | RFQ * (print_.block_rfq_id is not None)
        | LIQUIDATION * bool(print_.liquidation and print_.liquidation != "none")
    )


def nanoseconds(ms: int) -> int:
    """Milliseconds to nanoseconds; 0 where it is no time."""
    return ms * MS if 0 < ms < LATEST_MS else 0


def session_begin(now_ns: int) -> int:
    """When the session of that moment began: midnight in New York, ns."""
    midnight = et(now_ns).replace(hour=0, minute=0, second=0, microsecond=0)
    return math.floor(midnight.timestamp()) * NS


def _clock(ms: int) -> str:
    return f"{et(ms * MS):%H:%M:%S} ET"
