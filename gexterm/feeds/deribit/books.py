"""Books of all options: tickers and summaries gathered, and turned into columns.

A ticker is the state of one book; only the newest counts, and the one in force when a print
came. A summary has the state of all books at once, and is asked for now and then: for what
is outside the window it is all there is.

The venue's open interest moves with every print. What is told of it is its first value of a
day in New York: today's signed prints are added to it, and open interest that had them in it
already would count them twice.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gexterm.feeds.catalogue import Catalogue
from gexterm.feeds.conflate import Conflation
from gexterm.feeds.deribit import messages as m
from gexterm.feeds.deribit.premiums import Premiums, asks, clean, floats
from gexterm.feeds.deribit.tape import PrintRows, nanoseconds
from gexterm.market.events import Event, OpenInterest, Quotes, Trades

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
Flags = NDArray[np.bool_]


class Books:
    """Everything by contract that is not the tape."""

    def __init__(self, catalogue: Catalogue, *, inverse: bool) -> None:
        self.tickers: Conflation[m.Ticker] = Conflation()
        """Tickers that wait; the hot path writes here."""
        self._catalogue = catalogue
        self._premiums = Premiums(inverse=inverse)
        self._summaries: list[m.Summary] = []
        self._tick: F64 = np.zeros(0)
        self._told: Flags = np.zeros(0, np.bool_)

    def new_day(self) -> None:
        """Open interest is another day's: what comes next of each contract is told."""
        self._told[:] = False

    def grow(self) -> None:
        """The catalogue may have grown."""
        more = len(self._catalogue) - len(self._tick)
        if more:
            self._tick = np.append(self._tick, np.zeros(more))
            self._told = np.append(self._told, np.zeros(more, np.bool_))
            self._premiums.define(self._catalogue.contracts)

    def ticks(self, listed: Sequence[m.Instrument]) -> None:
        """The lowest price of each, where the list says."""
        for each in listed:
            at = self._catalogue.index.get(each.instrument_name)
            if at is not None and each.tick_size is not None and 0.0 < each.tick_size < 1.0:
                self._tick[at] = each.tick_size

    def _rows(self, told: Sequence[m.Ticker] | Sequence[m.Summary]) -> I32:
        return np.array([self._catalogue.index[each.instrument_name] for each in told], np.int32)

    def summary(
        self, rows: list[m.Summary], window: frozenset[int], ts: int, recv: int
    ) -> list[Event]:
        """All books at once: open interest now, quotes of what is outside the window later."""
        contract = self._rows(rows)
        forward = floats([row.underlying_price for row in rows])
        self._premiums.learn(
            contract, forward, floats([row.estimated_delivery_price for row in rows])
        )
        outside = [at not in window for at in contract.tolist()]
        self._summaries = [row for row, out in zip(rows, outside, strict=True) if out]
        return self._open(contract, floats([row.open_interest for row in rows]), ts, recv)

    def _open(self, contract: I32, held: F64, ts: int, recv: int) -> list[Event]:
        """Open interest, once a day of each contract."""
        held = clean(held)
        new = np.isfinite(held) & ~self._told[contract]
        if not new.any():
            return []
        self._told[contract[new]] = True
        return [OpenInterest(contract[new], held[new], ts, recv)]

    def volatility(self, rows: Sequence[m.Summary], ts: int) -> float:
        """What the nearest expiry's option at the money is marked at; NaN not known."""
        contracts = self._catalogue.contracts
        today = ts // 86_400_000_000_000 + 719_163  # as `date.toordinal` counts
        near = [
            (at.expiry, abs(at.strike - row.underlying_price), row.mark_iv)
            for row in rows
            if row.underlying_price and row.mark_iv
            for at in (contracts[self._catalogue.index[row.instrument_name]],)
            if at.expiry.toordinal() > today
        ]
        percent = min(near)[2] if near else 0.0
        return percent / 100.0 if 1.0 < percent < 1000.0 else float("nan")

    def quotes(
        self, taken: list[m.Ticker], spot: float, ts: int, recv: int
    ) -> tuple[list[Event], list[Event]]:
        """Open interest that changed, and quotes: of `taken`, and of a summary that waits.

        `ts` is the venue's time now, for what has none of its own.
        """
        events: list[Event] = []
        quotes: list[Event] = []
        summaries, self._summaries = self._summaries, []
        if summaries:
            unknown = np.full(len(summaries), np.nan)
            quotes.append(
                self._columns(
                    self._rows(summaries),
                    floats([each.bid_price for each in summaries]),
                    floats([each.ask_price for each in summaries]),
                    unknown,
                    unknown,
                    floats([each.underlying_price for each in summaries]),
                    [each.creation_timestamp for each in summaries],
                    spot,
                    recv,
                )
            )
        if taken:
            # By time: a basis that is newer must be learnt later.
            taken = sorted(taken, key=_when)
            contract = self._rows(taken)
            forward = floats([each.underlying_price for each in taken])
            self._premiums.learn(contract, forward, floats([each.index_price for each in taken]))
            events += self._open(contract, floats([each.open_interest for each in taken]), ts, recv)
            live = np.array([each.state == "open" for each in taken])
            quotes.append(
                self._columns(
                    contract,
                    np.where(live, floats([each.best_bid_price for each in taken]), np.nan),
                    np.where(live, floats([each.best_ask_price for each in taken]), np.nan),
                    floats([each.best_bid_amount for each in taken]),
                    floats([each.best_ask_amount for each in taken]),
                    forward,
                    [each.timestamp for each in taken],
                    spot,
                    recv,
                )
            )
        return events, quotes

    def _columns(
        self,
        contract: I32,
        bid: F64,
        ask: F64,
        bid_size: F64,
        ask_size: F64,
        forward: F64,
        ms: list[int],
        spot: float,
        recv: int,
    ) -> Quotes:
        by_index = self._premiums.forward(contract, np.full(len(contract), spot))
        with np.errstate(invalid="ignore"):
            forward = np.where((forward > 0.0) & (forward < 1e9), forward, by_index)
            there_bid, there_ask = bid > 0.0, ask > 0.0
        bid = self._premiums.bid(bid, ask, self._tick[contract])
        ts = np.array([nanoseconds(each) or recv for each in ms], np.int64)
        order = np.argsort(ts, kind="stable")
        return Quotes(
            contract[order],
            self._premiums.points(bid, forward)[order],
            self._premiums.points(asks(ask), forward)[order],
            np.where(there_bid, clean(bid_size), np.nan)[order],
            np.where(there_ask, clean(ask_size), np.nan)[order],
            ts[order],
            recv,
        )

    def trades(self, rows: PrintRows, spot: float, recv: int) -> tuple[list[Event], int]:
        """Prints in points, and how many have no price."""
        index = np.where(np.isnan(rows.index), spot, rows.index)
        price = self._premiums.points(rows.price, self._premiums.forward(rows.contract, index))
        good = price > 0.0
        bad = int(np.count_nonzero(~good))
        if not good.any():
            return [], bad
        trades = Trades.of(
            rows.contract[good],
            price[good],
            rows.size[good],
            rows.ts[good],
            recv=recv,
            side=rows.side[good],
            condition=rows.condition[good],
            sequence=rows.sequence[good],
        )
        return [trades], bad


def _when(ticker: m.Ticker) -> int:
    return ticker.timestamp
