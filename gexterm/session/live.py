"""A feed on one side, Readings, alerts and snapshots on the other.

One task takes what the feed says, in order. Before an event that lies beyond a round
market time is applied, what the tick of that time depends on is frozen and computed on a
thread (`session.ticking`); the socket and the screen go on meanwhile. A replay waits for
the tick. A live feed goes on: the newest wins.

All that a live engine is told is recorded as well, in the same order, with a mark wherever
a Reading was frozen.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from gexterm.clock import NS, Clock
from gexterm.config import Settings
from gexterm.engine.grid import TickGrid, step_for
from gexterm.errors import GextermError
from gexterm.feeds.protocol import Pause, Seek, Step
from gexterm.market.events import Event, FeedReport, FeedStatus, SourceInfo, TickMark
from gexterm.reading.day import Mark
from gexterm.recording.codec import rows
from gexterm.session.core import Core
from gexterm.session.daybooks import DayBooks
from gexterm.session.face import Face, Recompute
from gexterm.session.rate import EventRate
from gexterm.session.ticking import Ticker

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from gexterm.engine.health import FeedCounts
    from gexterm.feeds.runner import FeedRunner
    from gexterm.feeds.tap import Tap
    from gexterm.reading.model import Reading
    from gexterm.recording.books import Book
    from gexterm.session.daybooks import ReadEarlier
    from gexterm.session.keeping import BookKeeper
    from gexterm.session.keepsakes import Keepsakes
    from gexterm.session.recorded import MakeRecording

_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())

FINAL = frozenset({"ended", "refused", "closed"})
"""States after which nothing more comes of a feed's own accord."""
_HASTE_STEP = 60 * NS
"""Distance of ticks while a replay catches up, ns of market time."""
_MANY_ROWS = 20_000
"""Rows applied before others on the loop get a turn."""


class LiveSession(Face):
    """A running session over a feed; see `ui.session.Session`. An async context manager.

    `make_runner` makes the feed's runner once the loop runs; it is handed the tap of the
    recording, if there is one. `clock` is the wall's; `timer` measures work in seconds
    (None: not measured, as Readings must be for comparison). `carry` is the book of an
    earlier session, `carry_warning` what is wrong with it; with `keeper`, and without `carry`,
    the newest one is taken up where the feed has a tape, and today's is kept.
    `read_earlier` reads, on a thread, the day's earlier recordings (`engine.rereading`), to go
    on from their flow. `make_recording` makes a recorder; None: none.
    """

    def __init__(
        self,
        make_runner: Callable[[Tap | None], FeedRunner],
        clock: Clock,
        settings: Settings,
        *,
        underlying: str,
        fps: float | None = None,
        view: str | None = None,
        scope: str | None = None,
        speed: float = 1.0,
        replayable: bool = False,
        carry: Book | None = None,
        carry_warning: str = "",
        keeper: BookKeeper | None = None,
        take_up: bool = True,
        read_earlier: ReadEarlier | None = None,
        make_recording: MakeRecording | None = None,
        snapshots: Path | None = None,
        timer: Callable[[], float] | None = None,
    ) -> None:
        super().__init__(
            clock,
            settings,
            underlying=underlying,
            view=view,
            scope=scope,
            speed=speed,
            replayable=replayable,
            recorded=make_recording is not None,
            snapshots=snapshots,
        )
        self._make_runner = make_runner
        self._settings = settings
        self._underlying = underlying
        self._fps = fps or settings.fps
        self._books = DayBooks(
            carry, keeper, take_up=take_up, warning=carry_warning, read_earlier=read_earlier
        )
        self._make_recording = make_recording
        self._timer = timer
        self._rate = EventRate()
        self._trouble = ""
        self._catching_up = False
        self._dropping = False
        self._goal = 0
        """Where a seek under way leads, ns."""
        self._keepsakes: Keepsakes | None = None
        self._jumped = False
        self._ending = False
        self._tasks: list[asyncio.Task[None]] = []
        self._runner: FeedRunner | None = None
        self._ready = asyncio.Event()
        self._grid = TickGrid(step_for(speed, self._fps))

    # -- life ------------------------------------------------------------------------

    async def __aenter__(self) -> LiveSession:
        self._tasks = [
            asyncio.create_task(self._run(), name="session"),
            asyncio.create_task(self._obey(), name="commands"),
        ]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Hang up, keep the book, finish the recording; end `readings` and `alerts`.

        Harmless when repeated.
        """
        for task in self._tasks:
            # What is at its end already must be left to finish book and recording.
            if not (self._ending and task.get_name() == "session"):
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._finish()

    def _finish(self) -> None:
        if not self._closed:
            self._closed = True
            self._fresh.set()
            self._alerts.put_nowait(None)

    async def _run(self) -> None:
        try:
            # The heavy imports wait for a listener, which paints its first frame before it
            # listens, and then run on a thread.
            await self._listened.wait()
            core = self._core = await asyncio.to_thread(self._build)
            self._status = FeedStatus("connecting", self._books.errand)
            await self._books.before()
            self._status = FeedStatus("connecting")
            async with contextlib.AsyncExitStack() as stack:
                tap = None
                if self._make_recording is not None:
                    made = self._make_recording(self._recording_trouble)
                    self._recording = made
                    await stack.enter_async_context(made)
                    tap = made.tap
                stack.push_async_callback(self._keep_last, core)
                runner = await stack.enter_async_context(self._make_runner(tap))
                self._runner = runner
                self._ready.set()
                try:
                    async for batch in runner.events():
                        await self._take(core, batch)
                finally:
                    self._ending = True
        except GextermError as error:
            self._status = FeedStatus("refused", str(error))
        except Exception as error:
            # The screen stays, with the last numbers and the reason why there are no more.
            _log.exception("the session ended")
            self._status = FeedStatus("closed", f"internal error: {type(error).__name__}: {error}")
        finally:
            self._finish()

    def _build(self) -> Core:
        from gexterm.alerts.monitor import AlertMonitor
        from gexterm.engine.engine import Engine
        from gexterm.engine.settings import EngineSettings

        settings = EngineSettings.of(self._settings, self._underlying)
        settings = replace(settings, view=self._view, scope=self._scope)
        engine = Engine(settings, self._timer)
        if self._replayable:
            from gexterm.session.keepsakes import Keepsakes

            self._keepsakes = Keepsakes()
        marking = None if self._replayable else self._mark
        ticker = Ticker(engine, self._publish, self._failed, marking)
        watch = AlertMonitor.of(self._settings, self._underlying)
        return Core(engine, watch, ticker)

    # -- events in ---------------------------------------------------------------------

    async def _take(self, core: Core, batch: list[Event]) -> None:
        """Apply a batch in order, ticking where a round time is passed."""
        taken = 0
        for event in batch:
            if self._dropping and not self._begins_anew(event):
                continue
            if isinstance(event, FeedStatus):
                await self._hear(core, event)
                continue
            if isinstance(event, SourceInfo):
                await self._begin(core, event)
                continue
            if isinstance(event, FeedReport):
                self._report = event
                self._record(event)
                continue
            if due := self._grid.due(event):
                await self._due(core, due)
            if core.engine.turns(event):
                await self._books.turn(core, event)
                self._record_book(core)
            self._rate.count(event)
            self._record(event)
            core.engine.apply(event)
            taken += rows(event)
            if taken >= _MANY_ROWS:
                taken = 0
                await asyncio.sleep(0)
        self._books.in_time(core, self._grid.now)

    async def _begin(self, core: Core, info: SourceInfo) -> None:
        """A session begins, or begins anew at another time."""
        if core.engine.info is not None:
            async with core.ticker.alone():
                core.engine.restart()
            if self._replayable:
                self._books.again(core)
            self._jumped = True
            self._grid = TickGrid(self._grid.step)
            self._rate = EventRate()
            self._report = None
        else:
            await self._books.begin(core, info, self._clock.now_ns())
        self._info = info
        self._record_book(core)
        self._record(info)
        self._mark(0)
        core.engine.apply(info)

    async def _hear(self, core: Core, status: FeedStatus) -> None:
        """What the connection says of itself."""
        if "whole" in status.detail:
            await self._keep_state(core, status)
            return
        if "resume" in status.detail:
            await self._go_on_from(core, status)
            return
        recorded = "recorded" in status.detail
        if not recorded:
            self._catching_up = bool(status.detail.get("catching_up", False))
            to = status.detail.get("to", 0.0)
            if self._catching_up and isinstance(to, float):
                self._goal = round(to)
            elif "landed" in status.detail:
                self._goal = 0
        speed = status.detail.get("speed")
        if isinstance(speed, float | int) and speed > 0:
            self._speed = float(speed)
        self._set_step()
        # Caught up, paused or ended: nothing may follow that would make a tick fall due. A
        # live feed's clock goes on, whatever becomes of its connection.
        marked = self._grid.marked and not status.detail.get("astray", False)
        waits = not recorded and not marked if self._replayable else status.state in FINAL
        if waits and not self._catching_up and self._grid.now > self._grid.last:
            self._grid.last = self._grid.now
            await self._tick(core, self._grid.now)
        self._record(status)
        # Told after the Reading it belongs to: whoever hears of the end has seen the last one.
        self._status, self._status_at = status, self._clock.now_ns()
        for alert in core.watch.feed(status, self._now()):
            self._alerts.put_nowait(alert)
        if status.state in FINAL:
            self._fresh.set()

    def _set_step(self) -> None:
        self._grid.step = _HASTE_STEP if self._catching_up else step_for(self._speed, self._fps)

    def _now(self) -> int:
        return self._grid.now or self._clock.now_ns()

    def _record(self, event: Event) -> None:
        if self._recording is not None:
            self._recording.event(event)

    def _record_book(self, core: Core) -> None:
        """Before the event that begins a file with it."""
        if self._recording is not None:
            self._recording.book(*self._books.goes_on_from(core))

    def _mark(self, as_of: int) -> None:
        self._record(TickMark(as_of, self._grid.step))

    def _recording_trouble(self, why: str) -> None:
        if self._core is not None:
            on = self._recording is not None and self._recording.on
            for alert in self._core.watch.recording(why, self._now(), on=on):
                self._alerts.put_nowait(alert)

    # -- ticks -------------------------------------------------------------------------

    async def _due(self, core: Core, as_of: int) -> None:
        self._choose(core)
        if self._replayable:
            await core.ticker.tick(as_of, self._counts)
        else:
            await core.ticker.tick_or_skip(as_of, self._counts)

    async def _tick(self, core: Core, as_of: int) -> None:
        """Compute and publish one Reading, whatever is under way."""
        self._choose(core)
        await core.ticker.tick(as_of, self._counts)

    def _choose(self, core: Core) -> None:
        engine = core.engine
        engine.settings = replace(engine.settings, view=self._view, scope=self._scope)

    def _publish(self, reading: Reading) -> None:
        core = self._core
        if core is None:
            return
        self._trouble = ""
        if self._jumped and self._newest is not None and reading.as_of > self._newest.as_of:
            # What lies between was not watched: a jump ahead is no news. Going back, the
            # watch itself forgets what has not happened yet.
            core.watch.reset()
        self._jumped = False
        self.day.note(reading)
        for alert in core.watch.update(reading):
            self.day.mark(Mark(alert.at, "alert", alert.text, alert.severity))
            self._alerts.put_nowait(alert)
        self._newest = reading
        self._fresh.set()

    def _failed(self, error: Exception) -> None:
        # What is on the screen stays, grows old, and the status line says why.
        self._trouble = f"a Reading failed ({type(error).__name__}: {error})"
        self._status = replace(self._status, message=self._trouble)

    def _counts(self, as_of: int) -> FeedCounts:
        from gexterm.engine.counts import feed_counts

        warnings = [self._trouble] if self._trouble else []
        warnings += self._books.warnings
        return feed_counts(self._report, self._rate.per_second(as_of), tuple(warnings))

    async def _keep_last(self, core: Core) -> None:
        await self._books.last(core, self._grid.now)

    # -- to and fro ------------------------------------------------------------------------

    @property
    def goal(self) -> int:
        """Where a seek under way leads, ns; 0 where none is."""
        return self._goal

    def seek(self, when_ns: int, through: bool = False) -> None:
        """Go to a market time, ns; with `through` nothing before it is left out."""
        self._goal = when_ns
        anew = self._drop()
        self._commands.put_nowait(Seek(when_ns, through, self._held(), self._own_step(), anew))

    def step(self, ticks: int) -> None:
        """So many Readings on, or back where negative; pauses."""
        here = self._newest.as_of if self._newest is not None else 0
        self._commands.put_nowait(Pause())
        anew = self._drop()
        self._commands.put_nowait(Step(None, ticks, here, self._held(), self._own_step(), anew))

    def _drop(self) -> bool:
        """While a replay catches up much is on its way that a new wish makes needless."""
        self._dropping = self._dropping or (self._replayable and self._catching_up)
        return self._dropping

    def _begins_anew(self, event: Event) -> bool:
        """Whether something may not be dropped; what is of a new beginning ends the dropping."""
        if isinstance(event, FeedStatus):
            if "resume" in event.detail:
                self._dropping = False
            # Words of our own end of the line, not of the replay.
            return not self._dropping or not {"speed", "recorded"} & set(event.detail)
        if isinstance(event, SourceInfo):
            self._dropping = False
        return not self._dropping

    def past(self, at: int) -> AbstractAsyncContextManager[LiveSession] | None:
        """What was recorded of a live session, as a session of its own; see `session.past`."""
        state = self.recording
        if self._replayable or state is None or not state.path:
            return None
        from gexterm.session.past import past_of

        return past_of(
            Path(state.path),
            at,
            self._clock,
            self._settings,
            underlying=self._underlying,
            view=self._view,
            scope=self._scope,
            snapshots=self._snapshots,
            timer=self._timer,
        )

    def _held(self) -> tuple[int, ...]:
        return self._keepsakes.times if self._keepsakes is not None else ()

    def _own_step(self) -> int:
        return step_for(self._speed, self._fps)

    async def _keep_state(self, core: Core, status: FeedStatus) -> None:
        """All until a moment was applied: worth keeping, perhaps."""
        at = _ns(status.detail["whole"])
        if self._keepsakes is not None and at and self._keepsakes.wanted(at):
            async with core.ticker.alone():
                self._keepsakes.keep(at, core.engine, self._grid, self.day)

    async def _go_on_from(self, core: Core, status: FeedStatus) -> None:
        """What follows goes on from a moment whose state is kept."""
        at = _ns(status.detail["resume"])
        async with core.ticker.alone():
            found = self._keepsakes is not None and self._keepsakes.restore(
                at, core.engine, self._grid, self.day
            )
        self._jumped = True
        self._rate = EventRate()
        if not found:
            # Dropped while the wish was on its way: then all of it has to be read.
            self._commands.put_nowait(Seek(self._goal or at, False, (), self._own_step(), True))
            self._dropping = True

    # -- wishes --------------------------------------------------------------------------

    async def _obey(self) -> None:
        while True:
            command = await self._commands.get()
            if isinstance(command, Recompute):
                await self._recompute()
            else:
                # What is wished while it is still being opened is not lost.
                await self._ready.wait()
                if self._runner is not None:
                    await self._runner.send(command)

    async def _recompute(self) -> None:
        if self._core is not None and self._newest is not None:
            await self._tick(self._core, self._newest.as_of)


def _ns(text: float | str | bool) -> int:
    """A time that a status names, ns; 0 where it names none."""
    return int(text) if isinstance(text, str) and text.isdecimal() else 0
