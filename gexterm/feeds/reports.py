"""What a feed reports of itself: what was counted, what is known of the tape, what is amiss."""

from __future__ import annotations

from gexterm.clock import NS
from gexterm.feeds.outlet import Outlet, shown
from gexterm.feeds.protocol import FeedProtocol
from gexterm.market.events import FeedReport


class Reports:
    """Makes a FeedReport wherever something has changed, and knows how long we were away."""

    def __init__(self, protocol: FeedProtocol, outlet: Outlet) -> None:
        self._protocol = protocol
        self._outlet = outlet
        self._away_ns = 0
        self._away_from: int | None = None
        self._made = ""

    def stands(self, now: int) -> None:
        """A connection stands."""
        if self._away_from is not None:
            self._away_ns += now - self._away_from
            self._away_from = None

    def fell(self, now: int) -> None:
        """It is gone."""
        self._away_from = now

    def report(self, now: int) -> None:
        """Say what was counted, where it has changed."""
        counters, market = self._outlet.counters, self._outlet.market
        account = self._protocol.account
        away_ns = self._away_ns + (now - self._away_from if self._away_from is not None else 0)
        heard_from = account.heard_from
        if heard_from and counters.last_dropped:
            heard_from = max(heard_from, market.market_ns(counters.last_dropped))
        notes = [market.note(), *account.notes.values()]
        made = (
            counters.frames,
            counters.rows,
            counters.dropped,
            counters.malformed,
            account.gaps,
            account.refilled,
            market.misdated,
            counters.reconnects,
            max(0.0, away_ns / NS) if counters.connects else 0.0,
            market.skew_s,
            account.listed,
            account.quoted,
            account.printed,
            shown(account.window),
            heard_from,
            tuple(shown(note) for note in notes if note),
        )
        if repr(made) != self._made:
            self._made = repr(made)
            self._outlet.buffer.add([FeedReport(*made, recv=market.market_ns(now))])
