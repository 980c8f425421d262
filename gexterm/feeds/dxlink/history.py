"""Prints from before we listened: TimeAndSale with `fromTime`, on a channel of its own.

A symbol's history comes as one snapshot, ended by a flag, and then goes on as a stream; it
is unsubscribed at its end, since the tape is heard elsewhere. Prints that come twice have
the same index, and the signer drops them. A few symbols are asked for at a time.

That tastytrade delivers it is not confirmed: where nobody answers, no more is asked, and
the flow is known from when we began to listen.

Source: dxLink's AsyncAPI document 1.0.2, FeedTimeSeriesSubscription; flags of IndexedEvent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from gexterm.clock import NS
from gexterm.feeds.dxlink.compact import FIELDS, PRINT, Values
from gexterm.feeds.dxlink.prints import ends_snapshot
from gexterm.feeds.dxlink.subscriptions import entry
from gexterm.feeds.protocol import Account
from gexterm.market import calendar

_ACTIVE = 100
_PATIENCE_NS = 30 * NS
_OVERLAP_NS = 10 * NS
"""What was heard just before the line was lost is asked for again."""
_WIDTH = len(FIELDS[PRINT])


class History:
    """The back-fill of one connection."""

    def __init__(self) -> None:
        self.answered = 0
        """Symbols whose history came."""
        self.cut_short = 0
        """Those of them of which the server gave only a part."""
        self.unanswered = 0
        """Symbols whose history did not come."""
        self._waiting: deque[tuple[str, int]] = deque()
        self._active: dict[str, tuple[int, int]] = {}

    @property
    def under_way(self) -> bool:
        """Whether something is still to come."""
        return bool(self._waiting or self._active)

    @property
    def refused(self) -> bool:
        """Whether nobody answered at all."""
        return not self.answered and self.unanswered > 0

    @property
    def complete(self) -> bool:
        """Whether everything asked for has come, wholly."""
        return not (self.under_way or self.cut_short or self.unanswered)

    def ask(self, symbols: Iterable[str], from_ns: int) -> None:
        """Want the prints of these symbols since a time."""
        if not self.refused:
            self._waiting.extend((symbol, from_ns // 1_000_000) for symbol in symbols)

    def due(self, now_ns: int) -> tuple[list[str], list[str]]:
        """Entries to add and to remove by now."""
        late = [s for s, (_, asked) in self._active.items() if now_ns - asked > _PATIENCE_NS]
        removed = [self._ended(symbol) for symbol in late]
        self.unanswered += len(late)
        if self.refused:
            self.unanswered += len(self._waiting)
            self._waiting.clear()
        added = []
        while self._waiting and len(self._active) < _ACTIVE:
            symbol, from_ms = self._waiting.popleft()
            if symbol not in self._active:
                self._active[symbol] = (from_ms, now_ns)
                added.append(entry(PRINT, symbol, from_ms))
        return added, removed

    def heard(self, values: Values, now_ns: int) -> tuple[Values, list[str]]:
        """The values that belong to what was asked, and entries to remove: their history ended."""
        symbols = values[::_WIDTH]
        wanted = [at for at, symbol in enumerate(symbols) if symbol in self._active]
        if len(wanted) < len(symbols):
            values = [v for at in wanted for v in values[at * _WIDTH : (at + 1) * _WIDTH]]
        for symbol in set(values[::_WIDTH]):
            self._active[symbol] = (self._active[symbol][0], now_ns)
        removed = []
        for symbol, short in ends_snapshot(values).items():
            removed.append(self._ended(symbol))
            self.answered += 1
            self.cut_short += short
        return values, removed

    def abandon(self) -> None:
        """The channel is gone: what was to come does not."""
        self.unanswered += len(self._waiting) + len(self._active)
        self._waiting.clear()
        self._active = {}

    def _ended(self, symbol: str) -> str:
        from_ms, _ = self._active.pop(symbol)
        return entry(PRINT, symbol, from_ms)


class BackFill:
    """Since when the flow is known, and what is fetched so that it is known from earlier on."""

    def __init__(self, account: Account, back_fill_s: float) -> None:
        """`back_fill_s`: how far back at most, seconds; 0 for not at all."""
        self.history = History()
        """What is asked for on this connection."""
        self.under_way = False
        """Whether the history channel is needed."""
        self._account = account
        self._back_fill_s = back_fill_s
        self._goal = 0
        self._filled = False
        self._lost_at = 0
        self._begun = 0

    def lost(self, now_ns: int) -> None:
        """Prints are no longer heard."""
        self.history = History()
        self.under_way = False
        if self._account.heard_from and not self._lost_at:
            self._lost_at = now_ns

    def heard(self, symbols: Iterable[str], now_ns: int) -> None:
        """Prints of these contracts are heard from now on, for the first time or again."""
        account = self._account
        lost, self._lost_at = self._lost_at, 0
        since = self._goal = self._since(now_ns)
        if account.heard_from and self._filled:
            self._goal = account.heard_from
            since = max(since, (lost or now_ns) - _OVERLAP_NS)
            if since >= now_ns and lost:
                hole = f"{calendar.et(lost):%H:%M:%S} and {calendar.et(now_ns):%H:%M:%S}"
                account.notes["history"] = f"prints between {hole} New York were not heard"
        account.heard_from = now_ns
        self._filled = since >= now_ns
        self._ask(symbols, since, now_ns)

    def joined(self, symbols: Iterable[str], now_ns: int) -> None:
        """Contracts have come into the window in mid-session."""
        self._ask(symbols, self._since(now_ns), now_ns)

    def due(self, now_ns: int, *, opened: bool) -> tuple[list[str], list[str]]:
        """Entries to add and to remove; `opened`: whether the history channel is open."""
        if not opened:
            if now_ns - self._begun > _PATIENCE_NS:
                self.history.abandon()
            return [], []
        return self.history.due(now_ns)

    def settle(self) -> bool:
        """Say what came of it, once nothing more is to come; whether that was so."""
        history, account = self.history, self._account
        if not self.under_way or history.under_way:
            return False
        self.under_way = False
        account.steps["back-fill"] = f"{account.refilled:,} prints"
        if history.complete:
            self._filled = True
            account.heard_from = min(account.heard_from, self._goal)
            account.notes.pop("history", None)
            return True
        if history.refused:
            why = "earlier prints are not delivered on this account"
        else:
            parts = history.cut_short + history.unanswered
            why = f"earlier prints of {parts} contracts are not complete"
        since = f"{calendar.et(account.heard_from):%H:%M}"
        account.notes["history"] = f"{why}: the flow is known from {since} New York on"
        return True

    def _since(self, now_ns: int) -> int:
        """Since when today's prints are wanted, ns; now, where none can have been missed."""
        date = calendar.et(now_ns).date()
        if self._back_fill_s <= 0.0 or not calendar.is_session(date):
            return now_ns
        far = now_ns - round(self._back_fill_s * NS)
        return min(now_ns, max(calendar.session_open_ns(date), far))

    def _ask(self, symbols: Iterable[str], from_ns: int, now_ns: int) -> None:
        if from_ns >= now_ns:
            return
        if not self.under_way:
            self._begun = now_ns
        self.history.ask(symbols, from_ns)
        self.under_way = self.under_way or self.history.under_way
