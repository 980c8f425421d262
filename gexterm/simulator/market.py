"""The synthetic market without customers: spot, surface, quotes, and what is published.

    market = Market(script, rng)
    for event in market.opening_events(): …
    for second in range(market.seconds + 1):
        step = market.step(second, drift_points)     # the truth
        for event in market.published(step): …       # what a feed says of it

Same script and same generator, same events. The generator is split into one stream for
each purpose, and the shocks of spot are drawn before the first second: steering, faults
and flicker leave each other alone.
"""

from __future__ import annotations

import datetime as dt

import numpy as np

from gexterm.clock import NS
from gexterm.market import calendar
from gexterm.market.events import Definitions, Event, OpenInterest, SourceInfo
from gexterm.market.settlement import expiry_of
from gexterm.simulator.chains import series_of
from gexterm.simulator.check import check, span_ns
from gexterm.simulator.fair import Fair
from gexterm.simulator.listing import list_contracts
from gexterm.simulator.nbbo import ASK, BID, Quoter, seconds_left
from gexterm.simulator.path import Path
from gexterm.simulator.publication import Publisher
from gexterm.simulator.script import Script
from gexterm.simulator.step import Listing, Step
from gexterm.simulator.vol import Surface

FEED = "synthetic"
NOTE = "synthetic: made by a seeded script, no market data"
CONDITIONS = "opra"
"""Numbering of the prints' conditions."""


class Market:
    """One synthetic stretch of a day. Steps are taken in order, each once."""

    def __init__(self, script: Script, rng: np.random.Generator | None = None) -> None:
        """`rng` is split, not drawn from; None: a fresh one from the script's seed.

        Raises InputError where the script makes no sense (`simulator.check`).
        """
        check(script)
        rng = np.random.default_rng(script.seed) if rng is None else rng
        of_listing, of_spot, of_vol, of_quotes, of_feed = rng.spawn(5)
        self._script = script
        opens = calendar.session_open_ns(script.date)
        closes = calendar.session_close_ns(script.date)
        self.begins, ends = span_ns(script)
        """First market time, ns."""
        self.seconds = (ends - self.begins) // NS
        """Steps of a second; `step(seconds)` is the state at the end."""
        self.series = series_of(script)
        """The series listed, as `listing.series` counts them."""
        session = (closes - opens) // NS
        settles_at = np.array(
            [
                expiry_of(s.root, script.date + dt.timedelta(days=s.days)).settles_at
                for s in self.series
            ],
            np.int64,
        )
        today = np.array([s.days == 0 for s in self.series], np.bool_)
        self.path = Path(
            script.spot.open,
            script.spot.sigma,
            script.spot.jumps,
            (self.begins - opens) // NS,
            self.seconds,
            session,
            of_spot,
        )
        self.surface = Surface(
            script.spot, script.term, self.path, settles_at, today, self.begins, session, of_vol
        )
        self.listing: Listing = list_contracts(
            script, self.series, self.surface.expected_sd(), of_listing
        )
        self._fair = Fair(self.listing, self.series, self.surface)
        self._quoter = Quoter(self.listing.strike, self.listing.sign, script.quotes, of_quotes)
        self._publisher = Publisher(script.quotes, self.listing, self.silent, of_feed)
        self._gaps = [
            (at := calendar.at_et(script.date, gap.at), at + round(gap.seconds * NS))
            for gap in script.gaps
        ]
        self._settles_at = settles_at
        self._flickering = int(np.argmin(settles_at))
        self._near = np.flatnonzero(self.listing.series == self._flickering)
        self._live = np.ones(len(self.listing.contracts), np.bool_)
        self._next = 0

    @property
    def ends(self) -> int:
        """Last market time, ns."""
        return self.begins + self.seconds * NS

    def step(self, second: int, drift_points: float = 0.0) -> Step:
        """The market from a second on; spot has moved by `drift_points` besides its own.

        Raises ValueError when seconds are not taken in order.
        """
        if second != self._next or second > self.seconds:
            raise ValueError(f"second {second} is not the next one of {self.seconds}")
        self._next += 1
        now = self.begins + second * NS
        if second:
            self.path.advance(second - 1, drift_points)
        else:
            self.path.spot += drift_points
        spot = self.path.spot
        self.surface.move(second, spot)
        rows = self._fair.update(second, spot)
        due = np.stack([2 * rows, 2 * rows + 1], axis=1).ravel()
        fair, quoter = self._fair, self._quoter
        # Whoever quotes beside fair value is hit at once, and does not wait for a turn.
        beside = (fair.value < quoter.now[BID]) | (fair.value > quoter.now[ASK])
        beside[due] = True
        due = np.flatnonzero(beside & self._live)
        left = seconds_left(self.listing.settles_at[due], now)
        quoter.renew(due, fair.value[due], spot, left, second == 0)
        self._settle(now, spot)
        truth = quoter.now.copy()
        flicker = quoter.flicker(
            self._near,
            float(self.surface.forward[self._flickering]),
            float(self.surface.atm[self._flickering])
            * float(np.sqrt(self.surface.years[self._flickering]))
            * spot,
            fair.value[self._near],
            spot,
            now,
        )
        return Step(
            second=second,
            now=now,
            spot=spot,
            fair=fair.value.copy(),
            vol=fair.vol.copy(),
            delta=fair.delta.copy(),
            bid=truth[0],
            ask=truth[1],
            bid_size=truth[2],
            ask_size=truth[3],
            flicker_contract=flicker[0],
            flicker_ts=flicker[1],
            flicker=flicker[2],
        )

    def published(self, step: Step) -> list[Event]:
        """What the feed says of a step, in order of receipt; nothing while it is silent.

        Every step once, in order. The index comes first, then batches of quotes under
        their exchange times; receipt times never run backwards, but may lie past the
        end of the second.
        """
        return self._publisher.publish(step)

    def silent(self, now: int) -> bool:
        """Whether the script silences the feed at a market time, ns."""
        return any(begin <= now < end for begin, end in self._gaps)

    def opening_events(self) -> list[Event]:
        """What stands before the first second: the source, the contracts, open interest."""
        script, count = self._script, len(self.listing.contracts)
        as_of = calendar.session_close_ns(calendar.previous_session(script.date))
        return [
            SourceInfo(
                underlying=script.underlying,
                feed=FEED,
                mode="simulated",
                note=NOTE,
                begins=self.begins,
                ends=self.ends,
                conditions=CONDITIONS,
            ),
            Definitions(0, self.listing.contracts, recv=self.begins),
            OpenInterest(
                np.arange(count, dtype=np.int32),
                self.listing.open_interest,
                ts=as_of,
                recv=self.begins,
            ),
        ]

    def _settle(self, now: int, spot: float) -> None:
        """Series that settle now leave the market."""
        if now < self._settles_at.min():
            return
        over = np.flatnonzero(self.listing.settles_at <= now)
        fresh = over[self._live[over]]
        if len(fresh):
            self._fair.settle(fresh, spot, self.listing.sign[fresh])
            self._quoter.remove(fresh)
            self._live[fresh] = False
            self._near = self._near[self._live[self._near]]
