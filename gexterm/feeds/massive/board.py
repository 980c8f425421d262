"""What stands of every contract: listed or not, open interest, the mid it is quoted at."""

from __future__ import annotations

import datetime as dt

import numpy as np
from numpy.typing import NDArray

from gexterm.feeds.catalogue import Catalogue
from gexterm.feeds.massive import notes
from gexterm.feeds.massive.chain import ChainLoader
from gexterm.feeds.massive.gather import prices, sizes
from gexterm.feeds.massive.lag import Lag
from gexterm.feeds.massive.rest import Listing
from gexterm.feeds.protocol import Account
from gexterm.market import calendar
from gexterm.market.events import Event, OpenInterest, Quotes, Volume


class Board:
    """The contracts of a session, as the chain's pages and the websocket's quotes have them."""

    def __init__(self, account: Account, chain: ChainLoader, lag: Lag) -> None:
        self.catalogue = Catalogue()
        """Contracts and symbols by index."""
        self.mid: NDArray[np.float64] = np.empty(0)
        """Middle of the newest quote by index, points; NaN where there is none."""
        self._account, self._chain, self._lag = account, chain, lag
        self._quoted_at: NDArray[np.int64] = np.empty(0, np.int64)
        self._interest: set[int] = set()
        self._left_out = [0, 0, 0]

    def begin(self, *, another_day: bool) -> None:
        """The chain is read from its beginning; on another day open interest is new."""
        self._left_out = [0, 0, 0]
        if another_day:
            self._interest.clear()

    def quoted(self, quotes: Quotes) -> None:
        """The websocket has told these, by time."""
        self.mid[quotes.contract] = 0.5 * (quotes.bid + quotes.ask)
        self._quoted_at[quotes.contract] = quotes.ts

    def page(self, page: Listing, recv_ns: int) -> list[Event]:
        """A page of the chain: definitions, open interest, volume, then quotes."""
        for which, count in enumerate((page.adjusted, page.foreign, page.refused)):
            self._left_out[which] += count
        events: list[Event] = []
        events += self.catalogue.define(((r.symbol, r.contract) for r in page.rows), recv_ns)
        more = len(self.catalogue) - len(self.mid)
        if more:
            self.mid = np.concatenate([self.mid, np.full(more, np.nan)])
            self._quoted_at = np.concatenate([self._quoted_at, np.zeros(more, np.int64)])
        self._account.listed = len(self.catalogue)
        notes.listed(self._account, self.catalogue, self._chain, self._left_out, page.timeframe)
        if page.rows:
            at = np.array([self.catalogue.index[row.symbol] for row in page.rows], np.int32)
            events += self._counted(page, at, recv_ns)
            events += self._priced(page, at, recv_ns)
        return events

    def _counted(self, page: Listing, at: NDArray[np.int32], recv_ns: int) -> list[Event]:
        """Open interest, once a day, and the volume of today."""
        market_ns = self._lag.market(recv_ns)
        events: list[Event] = []
        # One value a day: what is read again later in the day is the same.
        interest = np.array([row.open_interest for row in page.rows])
        new = np.isfinite(interest) & [index not in self._interest for index in at.tolist()]
        if new.any():
            self._interest.update(at[new].tolist())
            events.append(OpenInterest(at[new], interest[new], market_ns, recv_ns))
            self._account.steps["open interest"] = f"{len(self._interest):,} contracts"
        # A day's bar is dated to its midnight in New York.
        today = calendar.at_et(calendar.et(market_ns).date(), dt.time())
        volume = np.array([row.volume for row in page.rows])
        traded = np.array([row.traded for row in page.rows], np.int64) >= today
        traded &= np.isfinite(volume)
        if traded.any():
            events.append(Volume(at[traded], volume[traded], market_ns, recv_ns))
        return events

    def _priced(self, page: Listing, at: NDArray[np.int32], recv_ns: int) -> list[Event]:
        """Quotes of a page, where they are newer than what is known."""
        quoted = np.array([row.quoted for row in page.rows], np.int64)
        fresh = np.flatnonzero(quoted > self._quoted_at[at])
        if not len(fresh):
            return []
        order = fresh[quoted[fresh].argsort(kind="stable")]
        columns = np.array([(r.bid, r.ask, r.bid_size, r.ask_size) for r in page.rows])[order]
        bid, ask = prices(columns[:, 0], columns[:, 1])
        bid_size, ask_size = sizes(columns[:, 2]), sizes(columns[:, 3])
        quotes = Quotes(at[order], bid, ask, bid_size, ask_size, quoted[order], recv_ns)
        self.quoted(quotes)
        return [quotes]
