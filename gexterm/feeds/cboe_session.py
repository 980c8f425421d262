"""Polls of Cboe's delayed quotes as one session: when to ask, and what the pages say together."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gexterm.clock import NS, Clock
from gexterm.errors import ChainError, ConnectionFailedError
from gexterm.feeds.cboe_delayed import PollError, asked_for, fetch, page_url, worth_another_try
from gexterm.market.contracts import Contract
from gexterm.market.events import (
    ClockTick,
    Definitions,
    Event,
    FeedState,
    FeedStatus,
    OpenInterest,
    Quotes,
    SourceInfo,
    UnderlyingPrice,
    Volume,
)
from gexterm.recording.chains import ChainFile
from gexterm.recording.chains.asof import DELAY_S, in_session

if TYPE_CHECKING:
    import httpx

SHORTEST_S = 60.0
"""Seconds between two polls, at least."""
LONGEST_S = 900.0
"""Seconds between two polls after repeated failures, at most (unless the server asks for more)."""
_BEAT_NS = NS
"""Nanoseconds between two ClockTicks: nothing is computed while no time passes."""
_QUIET_NS = 300 * NS
"""Nanoseconds without a new page, in session, after which the page counts as stale."""


def wait_before_next(
    failures: int, interval_s: float, asked_s: float = 0.0, jitter: float = 0.0
) -> float:
    """Seconds until the next poll.

    `failures` polls in a row have failed; `asked_s` is what the server asked for;
    `jitter` in [0, 1) spreads those who fail together over a quarter of the time.
    """
    wait = max(interval_s, SHORTEST_S)
    if failures:
        wait = min(wait * 2 ** min(failures - 1, 10), max(LONGEST_S, wait))
    return max(wait, asked_s) * (1 + jitter / 4)


def source_info(underlying: str) -> SourceInfo:
    """The first event of a session of polls."""
    return SourceInfo(
        underlying=asked_for(underlying),
        feed="cboe-delayed",
        mode="delayed",
        delay_s=float(DELAY_S),
        note="Cboe's public quotes, 15 minutes late while the market moves",
    )


def market_time(chain: ChainFile) -> int:
    """When a polled page's quotes stood, ns: always fifteen minutes before it was made.

    A single file is read as of its stamp while the market is closed. A session must not
    do so: its time would jump back at the open.
    """
    return chain.as_of + round(chain.delay_s * NS) - DELAY_S * NS


class Session:
    """Page after page as one session: indices stay, though pages gain and lose options."""

    def __init__(self) -> None:
        self._index: dict[Contract, int] = {}

    def events(self, chain: ChainFile, recv: int) -> list[Event]:
        """The events of one more page, received at `recv` (ns)."""
        out: list[Event] = []
        first = len(self._index)
        new = tuple(c for c in chain.contracts if c not in self._index)
        self._index.update((c, first + i) for i, c in enumerate(new))
        if new:
            out.append(Definitions(first, new, recv))
        ts = market_time(chain)
        out.append(ClockTick(ts))
        here = np.array([self._index[c] for c in chain.contracts], np.int32)
        for event in chain.events:
            if isinstance(event, Quotes):
                columns = (event.bid, event.ask, event.bid_size, event.ask_size)
                out.append(Quotes(here, *columns, ts=event.ts, recv=recv))
                out += self._gone(here, recv)
            elif isinstance(event, OpenInterest):
                out.append(OpenInterest(here, event.open_interest, ts, recv))
            elif isinstance(event, Volume):
                out.append(Volume(here, event.volume, ts, recv))
            elif isinstance(event, UnderlyingPrice):
                out.append(UnderlyingPrice(event.price, ts, recv))
        return out

    def _gone(self, here: NDArray[np.int32], recv: int) -> list[Event]:
        """What an option's last quote was must not stay once the page drops it."""
        gone = np.setdiff1d(np.arange(len(self._index), dtype=np.int32), here)
        if not len(gone):
            return []
        none = np.full(len(gone), np.nan)
        return [Quotes(gone, none, none, none, none, np.zeros(len(gone), np.int64), recv)]


async def polls(
    base_url: str,
    underlying: str,
    clock: Clock,
    interval_s: float = SHORTEST_S,
    client: httpx.AsyncClient | None = None,
    jitter: Callable[[], float] = random.random,
) -> AsyncIterator[Event]:
    """One session of polls, for ever: a status whenever the state changes, and each new page.

    Waits at least a minute between polls, longer after failures. Market time is in
    `ClockTick`: that of the newest page, going on with our clock until the next one, and
    standing still while there is no connection. Raises what `fetch` raises where another
    try makes no sense.
    """
    page_url(base_url, underlying)
    yield source_info(underlying)
    session = Session()
    etag = last_modified = ""
    failures = 0
    state: FeedState = "connecting"
    market = received = 0
    yield FeedStatus("connecting", "asking for the first page")
    while True:
        asked_s = 0.0
        try:
            poll = await fetch(base_url, underlying, client, etag, last_modified)
        except (ConnectionFailedError, ChainError) as error:
            if not worth_another_try(error):
                raise
            failures += 1
            state = "reconnecting"
            asked_s = error.wait_s if isinstance(error, PollError) else 0.0
            wait = wait_before_next(failures, interval_s, asked_s, jitter())
            yield FeedStatus(state, error.message, {"try": float(failures), "retry_in_s": wait})
        else:
            failures = 0
            etag, last_modified = poll.etag, poll.last_modified
            wait = wait_before_next(0, interval_s, jitter=jitter())
            now = clock.now_ns()
            news = poll.chain
            # A cache may hand out an older page after a newer one.
            if news is not None and market_time(news) > market:
                market, received = market_time(news), now
                for event in session.events(news, now):
                    yield event
            quiet = now - received
            # Quiet in session: not merely since a time before the open.
            if quiet > _QUIET_NS and in_session(market + quiet - _QUIET_NS):
                if state != "stale":
                    state = "stale"
                    minutes = quiet // (60 * NS)
                    yield FeedStatus(state, f"the page has not changed for {minutes} minutes")
            elif state != "live":
                state = "live"
                yield FeedStatus(state, news.warnings[0] if news and news.warnings else "")
        until = clock.now_ns() + round(wait * NS)
        while (now := clock.now_ns()) < until:
            await clock.sleep_until(min(until, now + _BEAT_NS))
            if state == "live":
                yield ClockTick(market + clock.now_ns() - received)
