"""How the true quotes reach us: late, now and then not at all, sometimes wrong.

Only what has changed is published, under the exchange time of the change. Batches come
in the order of their exchange times, each with a delay of its own; no later one
overtakes. Faults are those of real feeds: contracts whose quotes hang for a while,
locked and crossed quotes that last a second, silences of everything.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gexterm.clock import NS
from gexterm.market.events import Event, Quotes, UnderlyingPrice
from gexterm.simulator.nbbo import ASK, BID, MS, tick_of
from gexterm.simulator.script import QuoteScript
from gexterm.simulator.step import F64, I64, Listing, Step

_HANGS_S = 17.5
"""How long a contract's quotes hang, mean seconds."""
_RESET_NS = 5 * NS
"""Hanging contracts come back at multiples of this."""
_LOCKED = 0.6
"""Share of the bad quotes that are locked; the others cross by a tick."""
_DELAY_SHAPE = 3.0
_MOST_DELAYS = 5.0
"""Delays are gamma-distributed, and never longer than so many means."""
_BURST_GAP_MS = 60
"""Changes closer to each other than this travel in one batch."""
_CENT = 100.0


class Publisher:
    """Turns true steps into events. One step after the other, in order."""

    def __init__(
        self,
        script: QuoteScript,
        listing: Listing,
        silent: Callable[[int], bool],
        rng: np.random.Generator,
    ) -> None:
        n = len(listing.contracts)
        self._script, self._silent = script, silent
        self._settles = listing.settles_at
        self._delay_rng, self._hang_rng, self._wrong_rng = rng.spawn(3)
        self._true: F64 = np.full((4, n), np.nan)
        self._since: I64 = np.zeros(n, np.int64)
        self._owed = np.zeros(n, np.bool_)
        self._hangs_until = np.zeros(n, np.int64)
        self._recv = 0
        self._first = True

    def publish(self, step: Step) -> list[Event]:
        """What the feed says of one second: the index, and the quotes that changed."""
        true = np.stack([step.bid, step.ask, step.bid_size, step.ask_size])
        changed = (true != self._true).any(axis=0)
        self._since[changed] = step.now
        self._owed |= changed
        self._true = true
        self._hang(step.now)
        open_ = (self._hangs_until <= step.now) & (self._settles > step.now)
        silent = self._silent(step.now)
        events: list[Event] = []
        if not silent:
            recv = self._arrives(step.now)
            events.append(UnderlyingPrice(round(step.spot, 2), ts=step.now, recv=recv))
            at = np.flatnonzero(self._owed & open_)
            if len(at):
                events.append(self._quotes(at, true[:, at], self._since[at]))
        events += self._flicker(step, open_, silent)
        return events

    def _flicker(self, step: Step, open_: NDArray[np.bool_], silent: bool) -> list[Event]:
        """The batches of what changed within the second."""
        who, ts = step.flicker_contract.astype(np.intp), step.flicker_ts
        if not len(who):
            return []
        self._true[:, who] = step.flicker
        self._since[who] = ts
        heard = open_[who] & (not silent)
        self._owed[who[~heard]] = True
        at = np.flatnonzero(heard)
        if not len(at):
            return []
        cuts = np.flatnonzero(np.diff(ts[at]) > _BURST_GAP_MS * MS) + 1
        return [
            self._quotes(who[part], step.flicker[:, part], ts[part]) for part in np.split(at, cuts)
        ]

    def _quotes(self, contract: NDArray[np.intp], quotes: F64, ts: I64) -> Quotes:
        """One batch; some of it locked or crossed, which is put right with the next."""
        # In whole cents divided once: the doubles nearest to the decimals.
        prices = np.rint(quotes[:2] * _CENT) / _CENT
        self._owed[contract] = False
        if not self._first:
            wrong = np.flatnonzero(
                (self._wrong_rng.random(len(contract)) < self._script.crossed_share)
                & (prices[BID] > 0.0)
            )
            if len(wrong):
                by = np.where(self._wrong_rng.random(len(wrong)) < _LOCKED, 0.0, 1.0)
                ask = prices[ASK, wrong]
                prices[BID, wrong] = np.rint((ask + by * tick_of(ask)) * _CENT) / _CENT
                self._owed[contract[wrong]] = True
        self._first = False
        return Quotes(
            contract=contract.astype(np.int32),
            bid=prices[BID],
            ask=prices[ASK],
            bid_size=quotes[2].copy(),
            ask_size=quotes[3].copy(),
            ts=ts.copy(),
            recv=self._arrives(int(ts.max())),
        )

    def _arrives(self, ts: int) -> int:
        """When a message of a time reaches us: never before the one ahead of it."""
        mean = self._script.quote_latency_ms
        delay = self._delay_rng.gamma(_DELAY_SHAPE, mean / _DELAY_SHAPE)
        self._recv = max(self._recv, ts + int(min(delay, _MOST_DELAYS * mean)) * MS)
        return self._recv

    def _hang(self, now: int) -> None:
        """Some contracts begin to hang; in the long run `stale_share` of them do."""
        share = self._script.stale_share
        if share <= 0.0 or self._first:
            return
        rng, n = self._hang_rng, len(self._owed)
        begin = share / ((_HANGS_S + 0.5e-9 * _RESET_NS) * (1.0 - share)) * n
        if not self._hangs_until.any():
            begin = share * n / (1.0 - share)  # the day does not begin without faults
        count = int(rng.poisson(begin))
        if count:
            lasts = rng.exponential(_HANGS_S * NS, count).astype(np.int64)
            who = rng.integers(0, n, count)
            # Lines are reset together, every few seconds.
            until = -(-(now + lasts) // _RESET_NS) * _RESET_NS
            np.maximum.at(self._hangs_until, who, until)
