"""A synthetic day, event by event, and its recording.

    each second   Market.step → Customers.trade → Dealer.take → Tape.publish
                  └ Market.published: index and quotes       └ Truth

Everything random comes from the script's seed, one stream for each purpose. Events come
in the order in which they are received. During a gap nothing is received, and the
market goes on: what traded is in the truth and in the volume after it, not on the tape.
"""

from __future__ import annotations

import dataclasses
import heapq
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import gexterm
from gexterm.clock import NS, ManualClock
from gexterm.errors import OutputError
from gexterm.market.calendar import at_et
from gexterm.market.events import Event, SourceInfo, Volume
from gexterm.recording.writer import Writer, publish
from gexterm.simulator.check import check
from gexterm.simulator.customers import EMPTY, Customers
from gexterm.simulator.dealer import Dealer
from gexterm.simulator.market import Market
from gexterm.simulator.script import Intent, Script
from gexterm.simulator.steering import Steering
from gexterm.simulator.step import F64, Prints, Step
from gexterm.simulator.tape import Tape
from gexterm.simulator.trueview import TrueView
from gexterm.simulator.truth import FORMAT, About, Digest, Truth, file_sha256, truth_path

VOLUME_EVERY_S = 15
"""Volume so far comes this often."""


def simulate(
    script: Script,
    truth: Truth | None = None,
    progress: Callable[[float], None] | None = None,
) -> Iterator[Event]:
    """Every event of a script, in the order of receipt; the source comes first.

    `truth` is filled meanwhile and complete at the end; `progress` is told the share
    done, 0 to 1. Raises InputError where the script makes no sense, or when spot could
    not be led to what it asks for.
    """
    check(script)
    day = _Day(script)
    if truth is not None:
        truth.start(day.market.listing, day.dealer.inventory)
    yield from day.market.opening_events()
    waiting = _InOrder()
    for second in range(day.market.seconds + 1):
        step, events = day.second(second)
        for event in events:
            waiting.add(event)
        yield from waiting.until(step.now)
        if progress is not None and second % 60 == 0:
            progress(second / max(day.market.seconds, 1))
    if progress is not None:
        progress(1.0)
    came = day.steering.finish()
    yield from waiting.until(None)
    if truth is not None:
        truth.prints = day.tape.truth_columns()
        truth.closing = day.dealer.inventory.copy()
        if came is not None and (seen := day.steering.observed) is not None:
            levels = dataclasses.asdict(seen)
            truth.observed = {k: v for k, v in levels.items() if v == v}  # NaN: no such level
            truth.outcome = {"hit": came.hit, "breach": came.breach}


class _Day:
    """The parts of the simulator, and how they hang together."""

    def __init__(self, script: Script) -> None:
        of_market, of_customers, of_dealer, of_tape = np.random.default_rng(script.seed).spawn(4)
        self.steering = Steering(script)
        if self.steering.steers:
            # A jump over a line cannot be taken back.
            script = dataclasses.replace(script, spot=dataclasses.replace(script.spot, jumps=0.0))
        self.script = script
        self.market = Market(script, of_market)
        listing = self.market.listing
        self.customers = Customers(script, listing, of_customers)
        self.dealer = Dealer(script, listing, of_dealer)
        self.tape = Tape(script, of_tape)
        self._view = TrueView(listing, script.date)
        self._volume = _Volumes(len(listing.contracts))
        self._intents = [(at_et(script.date, c.at), c.intent) for c in script.changes]
        self._spot, self._pushed = script.spot.open, 0.0

    def second(self, second: int) -> tuple[Step, list[Event]]:
        """One second: its true state, and what is heard of it."""
        now = self.market.begins + second * NS
        drift = self.steering.drift(now, self._spot) if second else 0.0
        step = self.market.step(second, drift + self._pushed)
        self._spot = step.spot
        # The last step is the state at the end: nothing is traded after it.
        over = second == self.market.seconds
        prints = EMPTY if over else self.customers.trade(step, self._intent(now))
        self.dealer.take(prints)
        self._pushed = self._impact(step)
        if self.steering.due(second):
            reading = self._view.read(step, self.dealer.inventory)
            self.steering.read(now, step.spot, reading)
        events = self.market.published(step)
        events += self.tape.publish(prints, step)
        self.dealer.take(self.tape.revisions)
        self._volume.add(prints)
        if second % VOLUME_EVERY_S == 0 and not self.market.silent(now):
            events += self._volume.published(now)
        return step, events

    def _impact(self, step: Step) -> float:
        """Points by which the dealer's hedging moves spot in the next second."""
        impact = self.script.spot.impact
        if not impact:
            return 0.0
        return impact * self.dealer.hedge(step, self.dealer.net_delta(step)) / 1e9

    def _intent(self, now: int) -> Intent:
        """What customers want at a time."""
        intent = self.script.intent
        for since, changed in self._intents:
            if now >= since:
                intent = changed
        return intent


class _Volumes:
    """Contracts traded since the script began, and which of them have not been told.

    A script that begins after the open is a day that begins then: nothing traded before.
    """

    def __init__(self, n: int) -> None:
        self._so_far: F64 = np.zeros(n)
        self._fresh = np.zeros(n, np.bool_)

    def add(self, prints: Prints) -> None:
        """Take a second's prints in."""
        np.add.at(self._so_far, prints.contract, prints.size)
        self._fresh[prints.contract] = True

    def published(self, now: int) -> list[Event]:
        """The volume of what traded since the last time."""
        at = np.flatnonzero(self._fresh)
        if not len(at):
            return []
        self._fresh[at] = False
        return [Volume(at.astype(np.int32), self._so_far[at].copy(), ts=now, recv=now)]


class _InOrder:
    """Events that wait until all received before them are known."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Event]] = []
        self._count = 0

    def add(self, event: Event) -> None:
        heapq.heappush(self._heap, (getattr(event, "recv", 0), self._count, event))
        self._count += 1

    def until(self, ns: int | None) -> Iterator[Event]:
        """Those received up to a time, in order; None: all."""
        while self._heap and (ns is None or self._heap[0][0] <= ns):
            yield heapq.heappop(self._heap)[2]


@dataclass(frozen=True, slots=True)
class Made:
    """A recording that was made."""

    path: Path
    """Where it is."""
    truth: Path | None
    """Where its truth is; None if none was asked for."""
    events: int
    """Events in it, the source left out."""
    prints: int
    """Trades in it."""
    bytes: int
    """Size of the file."""
    events_sha256: str
    """Of its events."""


def record(
    script: Script,
    path: Path,
    *,
    truth: bool = False,
    force: bool = False,
    progress: Callable[[float], None] | None = None,
) -> Made:
    """Simulate a script into a recording at `path`, and its truth beside it.

    The file appears under its name once it is whole; the same script gives the same
    bytes. Raises OutputError when there is one already and not `force`, or when it
    cannot be written; InputError as `simulate`.
    """
    beside = truth_path(path) if truth else None
    for name in (path, beside):
        if name is not None and name.is_dir():
            raise OutputError(f"{name} is a folder", "name a file in it")
        if name is not None and name.exists() and not force:
            raise OutputError(f"{name} exists already", "choose another name, or use --force")
    part = path.with_name(f".{path.name}.{os.getpid()}.simulated")
    kept, total = Truth(), Digest()
    events = simulate(script, kept, progress)
    info = next(events)
    if not isinstance(info, SourceInfo):
        raise TypeError("a session begins with its source")
    try:
        # The clock stands still, so that blocks end by size alone and not by our speed.
        with Writer(part, info, ManualClock(info.begins), force=True) as writer:
            for event in events:
                writer.write(event)
                total.add(event)
        about = About(
            format=FORMAT,
            script=script.name,
            seed=script.seed,
            gexterm=gexterm.__version__,
            sha256=file_sha256(part),
            events_sha256=total.hexdigest(),
        )
        if beside is not None:
            kept.write(beside, about, force=force)
        publish(part, path, force)
    except OutputError as error:
        # Who asked for `path` has never heard of the other name.
        message = error.message.replace(str(part), str(path))
        raise OutputError(message, "choose a folder that exists and has room") from error
    finally:
        part.unlink(missing_ok=True)
    return Made(
        path=path,
        truth=beside,
        events=writer.events,
        prints=len(kept.prints["ts"]),
        bytes=path.stat().st_size,
        events_sha256=total.hexdigest(),
    )
