"""Since when prints are known, and what is done about those before.

Prints are known without interruption from the moment the venue has confirmed the last of
the subscriptions, and no earlier: of what came before, only some contracts can be had
(`refill`). Only where all listed contracts could be had does the earlier time hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gexterm.clock import NS
from gexterm.feeds.massive.conditions import deciding
from gexterm.feeds.massive.lag import Lag
from gexterm.feeds.massive.messages import Trade
from gexterm.feeds.massive.notes import put
from gexterm.feeds.massive.refill import MOST_REQUESTS, Heard, Refill, edges
from gexterm.feeds.massive.rest import Rest
from gexterm.feeds.protocol import Account, Answer, Request
from gexterm.market import calendar
from gexterm.market.events import Event, Trades

_OVERLAP_NS = NS
"""How far a refill reaches into what the websocket told: clocks differ by less."""
_SETTLE_NS = 3 * NS
"""How long REST is given to know what happened just before we subscribed."""
_NO_WINDOW_NS = 20 * NS
"""How long to wait for a window before the chain's own order is taken."""
_SETTLED_NS = 60 * NS
_SHOWN = 3


@dataclass(slots=True)
class _Stretch:
    """A time of which prints are not known, and what was told around it."""

    since_ns: int
    until_ns: int = 0
    told: list[Trade] = field(default_factory=list)


class BackFill:
    """Keeps `account.heard_from`, `refilled` and the notes about prints."""

    def __init__(self, rest: Rest, account: Account, back_fill_s: float, lag: Lag) -> None:
        self._rest, self._account, self._back_ns = rest, account, round(back_fill_s * NS)
        self._lag = lag
        self._heard = Heard()
        self._refill: Refill | None = None
        self._number = 0
        self._subscribed_at = 0
        self._silent_from = 0
        self._base = self._from = 0
        self._owed: list[_Stretch] = []
        self._listed = 0
        self._missed: list[tuple[int, int]] = []

    def note(self, trades: list[Trade]) -> None:
        """The websocket has told these."""
        self._heard.note(trades)
        if self._refill is not None and not self._refill.done:
            self._refill.heard(trades)

    def subscribed(self, now_ns: int) -> None:
        """From now on prints are known."""
        self._subscribed_at = now_ns
        market_ns = self._lag.market(now_ns)
        self._known(market_ns)
        since = self._since(market_ns)
        if self._back_ns > 0 and since < market_ns:
            self._owed.append(_Stretch(since))
            self._base = self._base or since
        elif self._silent_from or not self._base:
            self._base = market_ns
        if self._silent_from:
            self._missed.append((self._silent_from, market_ns))
            self._silent_from = 0
        self._told()

    def deaf(self) -> None:
        """Nothing is heard any more."""
        self._account.heard_from = 0

    def interrupted(self, heard_ns: int) -> None:
        """A new connection; the last word of the one before came at `heard_ns`, our time."""
        if self._subscribed_at:
            self._close()
            self._silent_from = self._lag.market(heard_ns) - _OVERLAP_NS
            self._heard.interrupted()
        # Half a refill is none: it is had again, and repetitions have the same numbers.
        self._refill, self._subscribed_at = None, 0
        self._known(0)

    def _known(self, market_ns: int) -> None:
        self._from = self._account.heard_from = market_ns

    def _close(self) -> None:
        """The last stretch ended when this connection's subscriptions began to hold."""
        if self._owed and not self._owed[-1].until_ns:
            stretch = self._owed[-1]
            stretch.until_ns = self._lag.market(self._subscribed_at) + _OVERLAP_NS
            stretch.told = self._heard.take()

    def timer(self, now_ns: int, nearest: Sequence[str], listed: Sequence[str]) -> list[Request]:
        """Begin a refill when it is due; what to ask for now."""
        self._listed = len(listed)
        waited = now_ns - self._subscribed_at
        idle = self._refill is None or self._refill.done
        if self._subscribed_at and self._refill is None and waited <= _SETTLED_NS:
            # By now the venue's clock is known better.
            self._known(self._lag.market(self._subscribed_at))
        if self._owed and idle and self._subscribed_at and waited >= _SETTLE_NS:
            chosen = nearest or (listed if waited >= _NO_WINDOW_NS else ())
            if chosen:
                self._begin(list(chosen[:MOST_REQUESTS]))
        return self.requests(now_ns)

    def _begin(self, symbols: list[str]) -> None:
        self._close()
        # One stretch at a time: what was heard between two of them is never fetched.
        stretch = self._owed[0]
        self._number += 1
        self._refill = Refill(
            self._rest,
            symbols,
            stretch.since_ns,
            stretch.until_ns,
            edges(stretch.told),
            self._number,
        )

    def _since(self, market_ns: int) -> int:
        """From when on prints are wanted: not before the session, nor what is known."""
        day = calendar.et(market_ns).date()
        if not calendar.is_session(day):
            return market_ns
        opens = calendar.session_open_ns(day)
        return max(self._silent_from, opens, market_ns - self._back_ns)

    def requests(self, now_ns: int) -> list[Request]:
        """What to ask for now."""
        return self._refill.requests(now_ns) if self._refill is not None else []

    def answer(self, answer: Answer, index: dict[str, int]) -> list[Event]:
        """Prints of the past that were not known."""
        refill = self._refill
        if refill is None:
            return []
        found = refill.answer(answer)
        if refill.done and self._owed:
            self._owed.pop(0)
            if refill.complete < self._listed or refill.refused:
                self._base = refill.until_ns - _OVERLAP_NS
            elif not self._owed and self._base < self._from:
                self._known(self._base)
                self._missed = []
        self._told()
        if not found:
            return []
        self._account.refilled += len(found)
        return [
            Trades.of(
                [index[symbol] for symbol, _, _ in found],
                [each.price for _, each, _ in found],
                [each.size for _, each, _ in found],
                [each.ns for _, each, _ in found],
                condition=[deciding(each.conditions) for _, each, _ in found],
                sequence=[number for _, _, number in found],
                recv=answer.recv_ns,
            )
        ]

    def _told(self) -> None:
        put(self._account, "missed", self._interruptions())
        refill = self._refill
        if refill is None:
            return
        span = f"from {_clock(refill.since_ns)} to {_clock(refill.until_ns)} New York"
        if refill.refusal:
            text = f"prints {span} cannot be had: {refill.refusal}"
        elif not refill.done:
            text = f"fetching prints {span}: {refill.complete:,} of {refill.contracts:,} contracts"
        else:
            text = f"{refill.rows:,} prints {span} fetched, of {refill.complete:,} contracts"
            if (others := self._listed - refill.complete) > 0:
                text += f"; of {others:,} others nothing is known of that time"
            if refill.refused:
                text += f"; {refill.refused:,} left out as taken back or senseless"
        self._account.notes["past"] = text

    def _interruptions(self) -> str:
        if not self._missed:
            return ""
        last = ", ".join(f"{_clock(a)} to {_clock(b)}" for a, b in self._missed[-_SHOWN:])
        more = len(self._missed) - _SHOWN
        return f"prints not heard: {last}" + (f" and {more:,} times before" if more > 0 else "")


def _clock(ns: int) -> str:
    return f"{calendar.et(ns):%H:%M:%S}"
