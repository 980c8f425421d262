"""What every chain file becomes: one underlying at one instant, as events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from gexterm.market.contracts import Contract
from gexterm.market.events import Definitions, Event, SourceInfo

Source = Literal["cboe-quotes", "cboe-delayed", "datashop-eod"]
SOURCES: tuple[Source, ...] = get_args(Source)


@dataclass(frozen=True, eq=False, slots=True)
class ChainFile:
    """A chain, and what must be known of it to read it honestly."""

    underlying: str
    """Index or stock, e.g. `SPX`."""
    as_of: int
    """The instant the quotes stood at, ns since 1970 UTC."""
    quoted_at: str
    """The time the file itself gives, e.g. `2022-07-12 11:55 ET`; empty where it gives none."""
    delay_s: float
    """Seconds by which the quotes were late when the file was made; 0 for none."""
    source: Source
    """The format it was read as."""
    note: str
    """How `as_of` was found, one line."""
    warnings: tuple[str, ...]
    """What was skipped, refused or assumed, one line each."""
    events: tuple[Event, ...]
    """Definitions, UnderlyingPrice where known, Quotes, OpenInterest, Volume. All times
    are `as_of`, except that quotes carry none of their own: their age is not known."""

    @property
    def contracts(self) -> tuple[Contract, ...]:
        """The contracts, by index."""
        first = self.events[0]
        return first.contracts if isinstance(first, Definitions) else ()

    @property
    def info(self) -> SourceInfo:
        """The first event of a session that reads this file."""
        return SourceInfo(
            underlying=self.underlying,
            feed=self.source,
            mode="file",
            delay_s=self.delay_s,
            note=self.note,
            begins=self.as_of,
            ends=self.as_of,
        )
