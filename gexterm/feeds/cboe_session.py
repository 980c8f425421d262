"""Polls of Cboe's delayed quotes as one session: when to ask, and what the pages say together."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gexterm.clock import NS
from gexterm.feeds.cboe_delayed import asked_for
from gexterm.market.calendar import in_session
from gexterm.market.contracts import Contract
from gexterm.market.events import (
    Definitions,
    Event,
    OpenInterest,
    Quotes,
    SourceInfo,
    UnderlyingPrice,
    Volume,
)
from gexterm.recording.chains import ChainFile
from gexterm.recording.chains.asof import DELAY_S

SHORTEST_S = 60.0
"""Seconds between two polls, at least."""
LONGEST_S = 900.0
"""Seconds between two polls after repeated failures, at most (unless the server asks for more)."""
QUIET_NS = 300 * NS
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
        note="Cboe's public quotes, 15 minutes late while the market moves; no prints",
    )


def market_time(chain: ChainFile) -> int:
    """When a polled page's quotes stood, ns: always fifteen minutes before it was made.

    A single file is read as of its stamp while the market is closed. A session must not
    do so: its time would jump back at the open.
    """
    return chain.as_of + round(chain.delay_s * NS) - DELAY_S * NS


def stands_still(market_ns: int, quiet_ns: int) -> bool:
    """Whether a page that has not changed for `quiet_ns` is stale; `market_ns` is its time.

    Quiet in session: not merely since a time before the open.
    """
    return quiet_ns > QUIET_NS and in_session(market_ns + quiet_ns - QUIET_NS)


class Session:
    """Page after page as one session: indices stay, though pages gain and lose options."""

    def __init__(self) -> None:
        self._index: dict[Contract, int] = {}

    def __len__(self) -> int:
        """Contracts seen so far."""
        return len(self._index)

    def events(self, chain: ChainFile, recv: int) -> list[Event]:
        """The events of one more page, received at `recv` (ns)."""
        out: list[Event] = []
        first = len(self._index)
        new = tuple(c for c in chain.contracts if c not in self._index)
        self._index.update((c, first + i) for i, c in enumerate(new))
        if new:
            out.append(Definitions(first, new, recv))
        ts = market_time(chain)
        here = np.array([self._index[c] for c in chain.contracts], np.int32)
        for event in chain.events:
            if isinstance(event, Quotes):
                columns = (event.bid, event.ask, event.bid_size, event.ask_size)
                out.append(Quotes(here, *columns, ts=np.full(len(here), ts), recv=recv))
                out += self._gone(here, ts, recv)
            elif isinstance(event, OpenInterest):
                out.append(OpenInterest(here, event.open_interest, ts, recv))
            elif isinstance(event, Volume):
                out.append(Volume(here, event.volume, ts, recv))
            elif isinstance(event, UnderlyingPrice):
                out.append(UnderlyingPrice(event.price, ts, recv))
        return out

    def _gone(self, here: NDArray[np.int32], ts: int, recv: int) -> list[Event]:
        """What an option's last quote was must not stay once the page drops it."""
        gone = np.setdiff1d(np.arange(len(self._index), dtype=np.int32), here)
        if not len(gone):
            return []
        none = np.full(len(gone), np.nan)
        return [Quotes(gone, none, none, none, none, np.full(len(gone), ts), recv)]
