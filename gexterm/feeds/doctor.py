"""What a feed delivers, step by step, and what of it is missing.

`Examination` is pure: events in, findings out. `examine` connects and hands it everything
that a runner says for half a minute or so.
"""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gexterm.clock import NS, Clock
from gexterm.feeds.protocol import Account, FeedProtocol
from gexterm.feeds.runner import FeedRunner, RunnerSettings
from gexterm.feeds.venue import Venue
from gexterm.market.events import (
    Definitions,
    Event,
    FeedReport,
    FeedStatus,
    OpenInterest,
    Quotes,
    SourceInfo,
    Trades,
    UnderlyingPrice,
)

Verdict = Literal["fine", "odd", "missing", "wrong"]
"""As it should be; worth a look; promised and not delivered; a reason to stop."""
_SKEW_S = 2.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    verdict: Verdict
    """How it is."""
    what: str
    """What was looked at, in a few words."""
    said: str = ""
    """What was found."""
    advice: str = ""
    """What to do about it; empty where nothing is to be done."""


class Examination:
    """One look at one feed. `open_now`: whether its market is in session."""

    def __init__(self, venue: Venue, *, open_now: bool) -> None:
        self.info: SourceInfo | None = None
        """What it says it is."""
        self.status = FeedStatus("connecting")
        """The latest word on the connection."""
        self.stood = False
        """Whether a connection ever stood."""
        self._venue = venue
        self._open = open_now
        self._contracts = 0
        self._interest: set[int] = set()
        self._quoted: set[int] = set()
        self._two_sided: set[int] = set()
        self._quotes = 0
        self._prints = 0
        self._with_quote = 0
        self._with_side = 0
        self._with_condition = 0
        self._spot = math.nan
        self._report: FeedReport | None = None
        self._steps: dict[str, str] = {}

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self.status.state in {"refused", "closed", "ended"}

    @property
    def refused(self) -> bool:
        """Whether the feed was given up, and will not come back by itself."""
        return self.status.state in {"refused", "closed"}

    @property
    def complete(self) -> bool:
        """Whether everything the venue promises has been seen."""
        return self.stood and not any(f.verdict in ("missing", "wrong") for f in self.findings())

    def hear(self, events: Iterable[Event], account: Account | None = None) -> list[Finding]:
        """Take in what came; the steps that are new."""
        for event in events:
            self._take(event)
        new = []
        for step, said in (account.steps if account else {}).items():
            if step not in self._steps:
                self._steps[step] = said
                new.append(Finding("fine", step, said))
        return new

    def _take(self, event: Event) -> None:
        if isinstance(event, FeedStatus):
            self.status = event
            self.stood = self.stood or event.state == "live"
        elif isinstance(event, SourceInfo):
            self.info = event
        elif isinstance(event, FeedReport):
            self._report = event
        elif isinstance(event, Definitions):
            self._contracts += len(event.contracts)
        elif isinstance(event, OpenInterest):
            known = np.isfinite(event.open_interest)
            self._interest.update(event.contract[known].tolist())
        elif isinstance(event, UnderlyingPrice):
            self._spot = event.price
        elif isinstance(event, Quotes):
            self._quotes += len(event.contract)
            self._quoted.update(event.contract.tolist())
            two = (event.bid > 0.0) & (event.ask >= event.bid)
            self._two_sided.update(event.contract[two].tolist())
        elif isinstance(event, Trades):
            self._prints += len(event.contract)
            self._with_quote += int(np.count_nonzero(np.isfinite(event.bid)))
            self._with_side += int(np.count_nonzero(event.side))
            self._with_condition += int(np.count_nonzero(event.condition >= 0))

    def findings(self) -> list[Finding]:
        """Everything that was looked at, in the order in which a session needs it."""
        # A connection may stand and the login be refused.
        if not self.stood or self.refused:
            said = self.status.message or "no answer"
            return [Finding("wrong", "connection", said)]
        found = [self._listed(), *self._interested(), self._underlying(), self._quoting()]
        found += self._printing()
        return found + self._counted()

    def _listed(self) -> Finding:
        if not self._contracts:
            return Finding("missing", "contracts", "none", "check the underlying's name")
        return Finding("fine", "contracts", f"{self._contracts:,} listed")

    def _interested(self) -> list[Finding]:
        if "open interest" not in self._venue.carries:
            return []
        if not self._interest:
            advice = "it may need another entitlement; conventions then use volume, or nothing"
            return [Finding("missing", "open interest", "none", advice)]
        share = len(self._interest) / max(self._contracts, 1)
        said = f"known of {len(self._interest):,} contracts ({share:.0%})"
        return [Finding("fine" if share > 0.2 else "odd", "open interest", said)]

    def _underlying(self) -> Finding:
        if "underlying" not in self._venue.carries:
            return Finding("fine", "underlying", "not carried: taken from put-call parity")
        if not math.isfinite(self._spot):
            return self._due("underlying", "no price of the underlying")
        return Finding("fine", "underlying", f"{self._spot:,.2f}")

    def _quoting(self) -> Finding:
        if not self._quotes:
            return self._due("quotes", "none")
        said = f"{self._quotes:,} updates of {len(self._quoted):,} contracts"
        said += f", {len(self._two_sided) / len(self._quoted):.0%} of them with both sides"
        if self._report is not None and self._report.window:
            said += f"; asked for {self._report.window}"
        return Finding("fine" if self._two_sided else "odd", "quotes", said)

    def _printing(self) -> list[Finding]:
        if "prints" not in self._venue.carries:
            return [Finding("fine", "prints", "not carried: no flow, conventions only")]
        if not self._prints:
            return [self._due("prints", "none")]
        found = [Finding("fine", "prints", f"{self._prints:,}")]
        for key, many in (
            ("quote at the print", self._with_quote),
            ("side", self._with_side),
            ("condition", self._with_condition),
        ):
            if key in self._venue.carries:
                said = f"on {many / self._prints:.0%} of the prints"
                found.append(Finding("fine" if many else "odd", key, said))
        return found

    def _counted(self) -> list[Finding]:
        report = self._report
        if report is None:
            return []
        found = []
        if math.isfinite(report.skew_s):
            off = abs(report.skew_s) > _SKEW_S
            way = "ahead of" if report.skew_s > 0 else "behind"
            said = f"{abs(report.skew_s):.1f} s {way} the venue's"
            advice = "set this machine's clock by NTP" if off else ""
            found.append(Finding("odd" if off else "fine", "clock", said, advice))
        for many, what in (
            (report.malformed, "messages that make no sense"),
            (report.dropped, "messages dropped"),
            (report.gaps, "prints missing for good"),
            (report.misdated, "rows with an impossible time"),
        ):
            if many:
                found.append(Finding("odd", what, f"{many:,}"))
        return found + [Finding("odd", "note", note) for note in report.notes]

    def _due(self, what: str, said: str) -> Finding:
        if self._open:
            return Finding(
                "missing", what, said, "the account may not be entitled; or look longer (--seconds)"
            )
        return Finding("odd", what, f"{said}; the market is closed now")


async def examine(
    protocol: FeedProtocol,
    venue: Venue,
    clock: Clock,
    *,
    seconds: float,
    open_now: bool,
    told: Callable[[Finding], None],
) -> Examination:
    """Connect and look for so many seconds, or until everything promised was seen.

    Steps are `told` as they are reached.
    """
    found = Examination(venue, open_now=open_now)
    settings = RunnerSettings(tries=2)
    async with FeedRunner(protocol, clock, rng=random.Random(), settings=settings) as runner:
        until = clock.now_ns() + round(seconds * NS)
        alarm = asyncio.create_task(clock.sleep_until(until))
        alarm.add_done_callback(lambda _: asyncio.ensure_future(runner.close()))
        try:
            async for batch in runner.events():
                for step in found.hear(batch, protocol.account):
                    told(step)
                if found.ended or found.complete:
                    break
        finally:
            alarm.cancel()
            await asyncio.gather(alarm, return_exceptions=True)
    return found
