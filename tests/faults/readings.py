"""From a scripted market to Readings: fake venue, line, real runner, engine.

    undisturbed = await plain("dxlink")
    async with stage("dxlink") as on:
        await on.before()
        on.teller.line.cut()
        await on.during()
        await on.back()
        await on.after()
    assert differences(on.readings(), undisturbed) == []

Market time stands still unless the stage moves it; nothing sleeps.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import numpy as np

from gexterm.clock import NS, ManualClock
from gexterm.config import Settings
from gexterm.engine.counts import feed_counts
from gexterm.engine.grid import market_time
from gexterm.engine.oneshot import engine_for
from gexterm.feeds.runner import FeedRunner, RunnerSettings
from gexterm.market.chain import Chain
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
    Volume,
)
from gexterm.market.settlement import expiry_of
from gexterm.reading.export import to_dict
from gexterm.reading.model import Health, Reading
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line as Painted
from gexterm.ui.widgets import status as status_line
from tests.faults.market import TELLERS, Option, Script, Step, Teller, script

E = TypeVar("E", bound=Event)
LIMIT = 60.0
"""Seconds of patience with anything."""
QUICK = RunnerSettings(open_timeout_s=2.0, close_timeout_s=0.2, ping_s=20_000.0)
COUNTS = frozenset(
    {"late", "duplicates", "gaps", "dropped", "reconnects", "events_per_s", "tick_ms",
     "malformed", "misdated", "refilled", "away_s", "clock_skew_s", "warnings"}
)  # fmt: skip
"""What a disturbance may change in the health of a Reading: it is what tells of it. What the
tape counts (repeats, prints out of order) is of that kind, too."""
REMEMBERED = frozenset({"hedge_day", "spot_vol", "look_back", "previous", "since"})
"""What a Reading remembers of those before it, which quotes that went unheard do change."""


class Noted(FeedRunner):
    """A runner that keeps what it said."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.heard: list[Event] = []
        self.chain = Chain(expiry_of)
        self.prints: set[tuple[int, int]] = set()
        self.ended = False

    async def events(self) -> AsyncIterator[list[Event]]:
        async for batch in super().events():
            for event in batch:
                self.heard.append(event)
                if isinstance(event, Trades):
                    self.prints.update(
                        zip(event.contract.tolist(), event.sequence.tolist(), strict=True)
                    )
                if isinstance(
                    event, Definitions | Quotes | OpenInterest | Volume | UnderlyingPrice
                ):
                    self.chain.apply(event)
            yield batch
        self.ended = True


class Stage:
    """One venue that tells a script, one runner that hears it."""

    def __init__(self, teller: Teller, runner: Noted, clock: ManualClock, ahead_s: float) -> None:
        self.teller, self.runner, self.clock = teller, runner, clock
        self.script = teller.script
        self.ahead = round(ahead_s * NS)
        """How far our clock is ahead of the venue's, ns."""
        self.lost = 0
        """Prints that were told to nobody and cannot be had."""

    # -- time ----------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """The venue's time, ns."""
        return self.clock.now_ns() - self.ahead

    async def turn(self) -> None:
        """Everybody has a turn, sockets included."""
        for _ in range(10):
            await asyncio.sleep(0)
        await asyncio.sleep(0.0005)

    async def until(self, condition: Callable[[], bool], moving: float = 0.0) -> None:
        """Return once the condition holds; time moves by `moving` seconds a turn meanwhile."""
        turns = 0
        try:
            async with asyncio.timeout(LIMIT):
                while not condition():
                    turns += 1
                    # Now and then a little, for what waits for the next flush.
                    if moving or turns % 100 == 0:
                        self.clock.advance(moving or 0.06)
                        self.teller.moved(self.now)
                    await self.teller.pulse()
                    await self.turn()
        except TimeoutError:
            said = [(s.state, s.message) for s in self.of(FeedStatus)][-6:]
            steps = self.runner._protocol.account.steps
            raise AssertionError(f"waited in vain at {self.now}: {said}, {steps}") from None

    async def to(self, when: int) -> None:
        """Move to a time of the venue's, noticed by whoever waits for one."""
        assert when >= self.now, "the script is behind"
        while self.now < when:
            self.clock.set(min(when, self.now + 5 * NS) + self.ahead)
            self.teller.moved(self.now)
            await self.teller.pulse()
            for _ in range(self.teller.turns):
                await self.turn()

    # -- the script ----------------------------------------------------------------------------

    async def listening(self) -> None:
        """Until the client has joined: it hears everything."""
        account = self.runner._protocol.account
        await self.until(lambda: self.teller.listens(account.steps), moving=0.05)
        for _ in range(5):
            await self.turn()

    async def opening(self) -> None:
        """Some seconds of quotes, as a market in session has them for whoever joins."""
        for _ in range(6):
            await self.to(self.now + NS * 9 // 10)
            at = self.now // NS * NS if self.teller.name == "databento" else self.now
            step = Step(at, self.script.spot, self.script.first, ())
            await self.teller.quote(step)
            await self.until(partial(self.has, step))

    async def play(self, steps: Iterable[Step], heard: bool = True) -> None:
        """Steps at their times; `heard`: each is waited for."""
        for step in steps:
            await self.to(step.at)
            await self.teller.step(step)
            if heard:
                try:
                    await self.until(partial(self.has, step))
                except AssertionError as error:
                    raise AssertionError(f"{self.lacks(step)}: {error}") from None

    def has(self, step: Step) -> bool:
        """Whether a step, and every print until then, has been heard."""
        chain = self.runner.chain
        times = {self.index(option): step.at for option in step.quotes}
        if None in times:
            return False
        quoted = all(chain._quote_ts[at] >= when for at, when in times.items())
        return quoted and len(self.runner.prints) >= len(self.teller.told) - self.lost

    def lacks(self, step: Step) -> str:
        """What of a step has not been heard, for a person."""
        held = self.runner.chain._quote_ts
        old = [
            (o, None if at is None else (int(held[at]) - step.at) / NS)
            for o in step.quotes
            if (at := self.index(o)) is None or held[at] < step.at
        ]
        said = f"{len(self.runner.prints)} prints of {len(self.teller.told)} less {self.lost}"
        return f"{said}; no quote of {old}"

    def index(self, option: Option) -> int | None:
        """Where a contract is in our chain."""
        found = getattr(self, "_found", {})
        if len(found) != len(self.runner.chain.contracts):
            found = self._found = {
                (c.root, c.expiry, str(c.right), c.strike): i
                for i, c in enumerate(self.runner.chain.contracts)
            }
        return found.get((option.root, option.date, option.right, option.strike))

    async def before(self) -> None:
        """Join, and hear what comes before the disturbance."""
        await self.listening()
        await self.play(self.script.before)

    async def during(self, heard: bool = False) -> None:
        """What happens meanwhile."""
        await self.play(self.script.during, heard)

    async def back(self, connects: int = 2) -> None:
        """Until the line stands again, and what can be had later has come."""
        await self.until(lambda: self.runner.counters.connects >= connects, moving=0.2)
        await self.listening()
        if self.teller.refills:
            await self.until(lambda: len(self.runner.prints) >= len(self.teller.told), moving=0.2)
        else:
            self.lost = len(self.teller.told) - len(self.runner.prints)

    async def after(self, heard: bool = True) -> None:
        """What comes after the disturbance."""
        await self.play(self.script.after, heard)
        await self.to(self.script.after[-1].at + 5 * NS)

    # -- what came of it -----------------------------------------------------------------------

    def of(self, kind: type[E]) -> list[E]:
        """Events of a kind."""
        return [event for event in self.runner.heard if isinstance(event, kind)]

    @property
    def states(self) -> list[str]:
        """States of the connection, repetitions left out."""
        said = [event.state for event in self.of(FeedStatus)]
        return [s for i, s in enumerate(said) if not i or said[i - 1] != s]

    @property
    def said(self) -> str:
        """Every word about the connection."""
        return "\n".join(event.message for event in self.of(FeedStatus))

    @property
    def report(self) -> FeedReport:
        """The last one."""
        return self.of(FeedReport)[-1]

    def readings(self, scope: str | None = None) -> list[Reading]:
        """At the times of the script that count."""
        return readings(self.runner.heard, self.script, scope)

    def status(self, reading: Reading, when: int = -1, width: int = 200) -> str:
        """The status line, as it was at the `when`-th word about the connection."""
        info, word = self.of(SourceInfo)[0], self.of(FeedStatus)[when]
        frame = Frame(info, word, reading=reading)
        return painted(status_line.paint(frame, width, 1))


def painted(lines: Sequence[Painted]) -> str:
    """What lines look like, without colours."""
    return "\n".join("".join(span.text for span in line) for line in lines)


def times(script: Script) -> list[int]:
    """When Readings are made: before, while, and after what happens to the line."""
    start, again = script.before[0].at, script.after[0].at
    return [start + s * NS for s in (11, 27, 60, 200)] + [again + s * NS for s in (15, 29, 32)]


def readings(events: Sequence[Event], script: Script, scope: str | None = None) -> list[Reading]:
    """Readings of the times that count, from events in their order."""
    engine = engine_for(Settings(), script.underlying, None, scope)
    report: FeedReport | None = None
    due, out = times(script), []

    def make(as_of: int) -> None:
        job = engine.job(as_of, feed_counts(report, math.nan))
        assert job is not None
        out.append(engine.compute(job))

    for event in events:
        while due and market_time(event) > due[0]:
            make(due.pop(0))
        if isinstance(event, FeedReport):
            report = event
        elif not isinstance(event, FeedStatus):
            engine.apply(event)
    for left in due:
        make(left)
    return out


def differences(
    found: Reading,
    wanted: Reading,
    *,
    outage: bool = False,
    but: Iterable[str] = (),
    rtol: float = 1e-9,
) -> list[str]:
    """Where two Readings differ in more than what a disturbance leaves behind.

    `outage`: quotes went unheard, so that memories of the Readings meanwhile may differ.
    """
    passed = {"sequence", *but} | (REMEMBERED if outage else set())

    def plain(reading: Reading) -> dict[str, Any]:
        out = to_dict(reading)
        out["look_back"] = [
            (each.minutes, {k: v.tolist() for k, v in each.values.items()})
            for each in reading.look_back
        ]
        out["health"] = {k: v for k, v in out["health"].items() if k not in COUNTS}
        out["positions"].pop("counts")
        return out

    return list(_apart(plain(found), plain(wanted), "", passed, rtol))


def _apart(a: Any, b: Any, where: str, passed: set[str], rtol: float) -> Iterable[str]:
    if where.rpartition(".")[2] in passed:
        return
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        for key in a:
            yield from _apart(a[key], b[key], f"{where}.{key}", passed, rtol)
    elif isinstance(a, list | tuple) and isinstance(b, list | tuple) and len(a) == len(b):
        for at, (x, y) in enumerate(zip(a, b, strict=True)):
            yield from _apart(x, y, f"{where}[{at}]", passed, rtol)
    elif isinstance(a, float) and isinstance(b, float):
        # Prints that came in another order are added up in another order.
        if not (np.isclose(a, b, rtol=rtol, atol=1e-12) or (math.isnan(a) and math.isnan(b))):
            yield f"{where}: {a!r} not {b!r}"
    elif a != b:
        yield f"{where}: {a!r} not {b!r}"


@contextlib.asynccontextmanager
async def stage(
    venue: str,
    *,
    told: Script | None = None,
    ahead_s: float = 0.0,
    settings: RunnerSettings = QUICK,
    **runner: Any,
) -> AsyncIterator[Stage]:
    """A venue, a line, a runner, and whoever takes what it says."""
    told = told or script("BTC" if venue == "deribit" else "SPX")
    async with TELLERS[venue](told) as teller:
        clock = ManualClock(told.joins + round(ahead_s * NS))
        made = Noted(teller.protocol(), clock, rng=random.Random(1), settings=settings, **runner)
        async with made:

            async def take() -> None:
                async for _ in made.events():
                    pass

            taking = asyncio.create_task(take())
            try:
                yield Stage(teller, made, clock, ahead_s)
            finally:
                await made.close()
                await taking


_plain: dict[tuple[str, int], list[Reading]] = {}


async def plain(venue: str, told: Script | None = None) -> list[Reading]:
    """The Readings of an undisturbed run; made once."""
    told = told or script("BTC" if venue == "deribit" else "SPX")
    key = venue, told.joins
    if key not in _plain:
        async with stage(venue, told=told) as on:
            await on.before()
            await on.during(heard=True)
            await on.after()
            assert on.states == ["connecting", "live"] or "stale" in on.states
            assert "reconnecting" not in on.states
        _plain[key] = on.readings()
    return _plain[key]


def bare(health: Health) -> Health:
    """Health without what differs from run to run."""
    return replace(health, tick_ms=math.nan)
