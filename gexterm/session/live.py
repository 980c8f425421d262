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
import datetime as dt
import logging
import math
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from gexterm.clock import NS, Clock
from gexterm.config import VIEWS, Settings
from gexterm.engine.grid import TickGrid, step_for
from gexterm.errors import ConnectionFailedError, GextermError, UsageError
from gexterm.feeds.protocol import Pause, Resume, Seek, SetSpeed
from gexterm.market.events import Event, FeedReport, FeedStatus, SourceInfo, TickMark
from gexterm.recording.codec import rows
from gexterm.session.rate import EventRate
from gexterm.session.recorded import state_of
from gexterm.session.ticking import Ticker

if TYPE_CHECKING:
    from gexterm.alerts.model import Alert
    from gexterm.alerts.monitor import AlertMonitor
    from gexterm.engine.engine import Engine
    from gexterm.engine.health import FeedCounts
    from gexterm.feeds.protocol import Command
    from gexterm.feeds.runner import FeedRunner
    from gexterm.feeds.tap import Tap
    from gexterm.reading.model import Reading
    from gexterm.recording.books import Book
    from gexterm.session.keeping import BookKeeper
    from gexterm.session.model import RecordingState
    from gexterm.session.recorded import MakeRecording, Recording
    from gexterm.snapshots.picture import Picture

_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())

SCOPES = ("auto", "0dte", "all")
"""Scopes that are not dates."""
FINAL = frozenset({"ended", "refused", "closed"})
"""States after which nothing more comes of a feed's own accord."""
_HASTE_STEP = 60 * NS
"""Distance of ticks while a replay catches up, ns of market time."""
_MANY_ROWS = 20_000
"""Rows applied before others on the loop get a turn."""
_KEEP_S = 15.0
"""Seconds for the book to be kept at the end."""


class LiveSession:
    """A running session over a feed; see `ui.session.Session`. An async context manager.

    `make_runner` makes the feed's runner once the loop runs; it is handed the tap of the
    recording, if there is one. `clock` is the wall's; `timer` measures work in seconds
    (None: not measured, as Readings must be for comparison). `carry` is the book of an
    earlier session; with `keeper`, and without `carry`, the newest one is taken up where
    the feed has a tape, and today's is kept. `make_recording` makes a recorder; None: none.
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
        keeper: BookKeeper | None = None,
        take_up: bool = True,
        make_recording: MakeRecording | None = None,
        snapshots: Path | None = None,
        timer: Callable[[], float] | None = None,
    ) -> None:
        own = settings.underlying(underlying)
        self._make_runner = make_runner
        self._clock = clock
        self._settings = settings
        self._underlying = underlying
        self._fps = fps or settings.fps
        self._view = view or own.view
        self._scope = scope or settings.scope
        self._speed = speed
        self._replayable = replayable
        self._carry = carry
        self._keeper = keeper
        self._take_up = take_up and carry is None
        self._make_recording = make_recording
        self._recording: Recording | None = None
        self._snapshots = snapshots
        self._timer = timer
        self._info = SourceInfo(underlying, "", "replay" if replayable else "live")
        self._status = FeedStatus("connecting")
        self._status_at = 0
        self._counted: tuple[tuple[int, float], FeedStatus] | None = None
        self._recorded: RecordingState | None = None
        self._report: FeedReport | None = None
        self._rate = EventRate()
        self._trouble = ""
        self._catching_up = False
        self._jumped = False
        self._newest: Reading | None = None
        self._fresh = asyncio.Event()
        self._alerts: asyncio.Queue[Alert | None] = asyncio.Queue()
        self._commands: asyncio.Queue[Command | _Recompute] = asyncio.Queue()
        self._listened = asyncio.Event()
        self._closed = False
        self._ending = False
        self._tasks: list[asyncio.Task[None]] = []
        self._keeping: asyncio.Task[None] | None = None
        self._runner: FeedRunner | None = None
        self._core: _Core | None = None
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
            async with contextlib.AsyncExitStack() as stack:
                tap = None
                if self._make_recording is not None:
                    made = self._make_recording(self._recording_trouble)
                    self._recording = await stack.enter_async_context(made)
                    tap = self._recording.tap
                stack.push_async_callback(self._keep_last, core)
                runner = await stack.enter_async_context(self._make_runner(tap))
                self._runner = runner
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

    def _build(self) -> _Core:
        from gexterm.alerts.monitor import AlertMonitor
        from gexterm.engine.engine import Engine
        from gexterm.engine.settings import EngineSettings

        settings = EngineSettings.of(self._settings, self._underlying)
        settings = replace(settings, view=self._view, scope=self._scope)
        engine = Engine(settings, self._timer)
        engine.kept = self._carry
        marking = None if self._replayable else self._mark
        ticker = Ticker(engine, self._publish, self._failed, marking)
        return _Core(engine, AlertMonitor(), ticker)

    # -- events in ---------------------------------------------------------------------

    async def _take(self, core: _Core, batch: list[Event]) -> None:
        """Apply a batch in order, ticking where a round time is passed."""
        taken = 0
        for event in batch:
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
                await self._turn(core, event)
            self._rate.count(event)
            self._record(event)
            core.engine.apply(event)
            taken += rows(event)
            if taken >= _MANY_ROWS:
                taken = 0
                await asyncio.sleep(0)
        self._keep_in_time(core)

    async def _begin(self, core: _Core, info: SourceInfo) -> None:
        """A session begins, or begins anew at another time."""
        if core.engine.info is not None:
            async with core.ticker.alone():
                core.engine.restart()
            self._jumped = True
            self._grid = TickGrid(self._grid.step)
            self._rate = EventRate()
            self._report = None
        elif self._keeper is not None and self._take_up and info.has_tape:
            today = _new_york(self._clock.now_ns())
            core.engine.kept = await self._keeper.take_up(info.underlying, today)
        self._info = info
        self._record(info)
        self._mark(0)
        core.engine.apply(info)

    async def _hear(self, core: _Core, status: FeedStatus) -> None:
        """What the connection says of itself."""
        recorded = "recorded" in status.detail
        if not recorded:
            self._catching_up = bool(status.detail.get("catching_up", False))
        speed = status.detail.get("speed")
        if isinstance(speed, float | int) and speed > 0:
            self._speed = float(speed)
        self._set_step()
        # Caught up, paused or ended: nothing may follow that would make a tick fall due. A
        # live feed's clock goes on, whatever becomes of its connection.
        waits = not recorded and not self._grid.marked if self._replayable else (
            status.state in FINAL)  # fmt: skip
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

    def _mark(self, as_of: int) -> None:
        self._record(TickMark(as_of, self._grid.step))

    def _recording_trouble(self, why: str) -> None:
        if self._core is not None:
            for alert in self._core.watch.recording(why, self._now()):
                self._alerts.put_nowait(alert)

    # -- ticks -------------------------------------------------------------------------

    async def _due(self, core: _Core, as_of: int) -> None:
        self._choose(core)
        if self._replayable:
            await core.ticker.tick(as_of, self._counts)
        else:
            await core.ticker.tick_or_skip(as_of, self._counts)

    async def _tick(self, core: _Core, as_of: int) -> None:
        """Compute and publish one Reading, whatever is under way."""
        self._choose(core)
        await core.ticker.tick(as_of, self._counts)

    def _choose(self, core: _Core) -> None:
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
        for alert in core.watch.update(reading):
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
        if self._keeper is not None and self._keeper.warning:
            warnings.append(self._keeper.warning)
        return feed_counts(self._report, self._rate.per_second(as_of), tuple(warnings))

    # -- days and books ----------------------------------------------------------------

    async def _turn(self, core: _Core, event: Event) -> None:
        """Midnight: the book of the day that ends is kept, and the tape begins anew on it."""
        async with core.ticker.alone():
            before = core.engine.kept
            try:
                await asyncio.to_thread(core.engine.turn, event)
            except Exception as error:
                _log.exception("the old day's book was lost")
                self._trouble = f"the old day's book was lost ({type(error).__name__}: {error})"
        kept = core.engine.kept
        if self._keeper is not None and kept is not None and kept is not before:
            await self._keeper.keep(kept)

    def _keep_in_time(self, core: _Core) -> None:
        """Once an hour, beside everything else."""
        idle = self._keeping is None or self._keeping.done()
        if self._keeper is not None and self._grid.now and idle and self._keeper.due(
            self._grid.now
        ):  # fmt: skip
            self._keeping = asyncio.create_task(self._keep(core), name="book")

    async def _keep(self, core: _Core) -> None:
        if self._keeper is None or core.engine.signer is None or not self._grid.now:
            return
        async with core.ticker.alone():
            make = core.engine.book_job(self._grid.now)
            if make is None:
                return
            try:
                book = await asyncio.to_thread(make)
            except Exception as error:
                _log.exception("the book was not made")
                self._keeper.warning = f"the book was not kept ({type(error).__name__}: {error})"
                return
        await self._keeper.keep(book)

    async def _keep_last(self, core: _Core) -> None:
        """At the end, however it came."""
        try:
            async with asyncio.timeout(_KEEP_S):
                if self._keeping is not None:
                    await self._keeping
                await self._keep(core)
        except TimeoutError:
            _log.warning("the book was not kept in time")

    # -- what the monitor is handed --------------------------------------------------------

    @property
    def info(self) -> SourceInfo:
        """What is being listened to."""
        return self._info

    @property
    def status(self) -> FeedStatus:
        """The latest word on the connection; `retry_in_s` counts down."""
        status = self._status
        wait = status.detail.get("retry_in_s")
        if status.state != "reconnecting" or not isinstance(wait, int | float):
            return status
        left = wait - (self._clock.now_ns() - self._status_at) / NS
        left = max(0.0, math.ceil(left)) if math.isfinite(left) else left
        if self._counted is None or self._counted[0] != (id(status), left):
            shown = replace(status, detail=status.detail | {"retry_in_s": left})
            self._counted = ((id(status), left), shown)
        return self._counted[1]

    @property
    def report(self) -> FeedReport | None:
        """What the feed last said about itself, where it does."""
        return self._report

    @property
    def recording(self) -> RecordingState | None:
        """How the recording goes; None where there is nothing to record, as in a replay."""
        if self._replayable:
            return None
        state = state_of(self._recording, wanted=self._make_recording is not None)
        if state != self._recorded:
            self._recorded = state
        return self._recorded

    @property
    def skipped(self) -> int:
        """Ticks left out since an earlier one was not ready."""
        return self._core.ticker.skipped if self._core else 0

    @property
    def views(self) -> tuple[str, ...]:
        """Sign views to choose from."""
        return VIEWS

    @property
    def view(self) -> str:
        """The one chosen now."""
        return self._view

    @property
    def scope(self) -> str:
        """Expiries chosen now."""
        return self._scope

    @property
    def replayable(self) -> bool:
        """Whether time can be sought and sped up."""
        return self._replayable

    @property
    def paused(self) -> bool:
        """Whether it stands still."""
        return bool(self._status.detail.get("paused", False))

    @property
    def speed(self) -> float:
        """Seconds of the market per second."""
        return self._speed

    @property
    def newest(self) -> Reading | None:
        """The last Reading, if there is one."""
        return self._newest

    async def readings(self) -> AsyncIterator[Reading]:
        """Readings as they come; a slow consumer misses some. Ends with the session."""
        self._listened.set()
        while True:
            await self._fresh.wait()
            self._fresh.clear()
            if self._newest is not None:
                yield self._newest
            if self._closed:
                self._fresh.set()
                never = self._status.state == "closed" and self._newest is None
                if self._status.state == "refused" or never:
                    raise ConnectionFailedError(self._status.message)
                return

    async def alerts(self) -> AsyncIterator[Alert]:
        """Alerts as they come, none missed. Ends with the session."""
        self._listened.set()
        while (alert := await self._alerts.get()) is not None:
            yield alert

    def set_view(self, name: str) -> None:
        """Choose a sign view."""
        if name not in VIEWS:
            raise UsageError(f"no sign view is called {name!r}", _one_of(VIEWS))
        self._view = name
        self._ask()

    def set_scope(self, scope: str) -> None:
        """Choose `auto`, `0dte`, `all` or an ISO date."""
        check_scope(scope)
        self._scope = scope
        self._ask()

    def pause(self) -> None:
        """Stand still."""
        self._commands.put_nowait(Pause())

    def resume(self) -> None:
        """Go on."""
        self._commands.put_nowait(Resume())

    def set_speed(self, speed: float) -> None:
        """Seconds of the market per second."""
        self._commands.put_nowait(SetSpeed(speed))

    def seek(self, when_ns: int) -> None:
        """Go to a market time, ns."""
        self._commands.put_nowait(Seek(when_ns))

    async def snapshot(self, picture: Picture) -> Path:
        """Keep the picture and the newest Reading; the folder written."""
        from gexterm import paths
        from gexterm.snapshots.write import write_snapshot

        if self._newest is None:
            raise UsageError("there is no Reading to keep yet", "wait for the first quotes")
        folder = self._snapshots or paths.snapshots()
        return await asyncio.to_thread(write_snapshot, folder, self._newest, picture)

    # -- commands out ------------------------------------------------------------------------

    def _ask(self) -> None:
        """Have the last tick computed anew; nothing may come that would make one due."""
        self._commands.put_nowait(_Recompute())

    async def _obey(self) -> None:
        while True:
            command = await self._commands.get()
            if isinstance(command, _Recompute):
                await self._recompute()
            elif self._runner is not None:
                await self._runner.send(command)

    async def _recompute(self) -> None:
        if self._core is not None and self._newest is not None:
            await self._tick(self._core, self._newest.as_of)


@dataclass(frozen=True, slots=True)
class _Core:
    """What is heavy to import and therefore made late."""

    engine: Engine
    """Events to Readings."""
    watch: AlertMonitor
    """Readings to alerts."""
    ticker: Ticker
    """When, and on which thread."""


class _Recompute:
    """A wish that is ours to fulfil and not the feed's."""


def check_scope(scope: str) -> None:
    """Raise UsageError unless `scope` is `auto`, `0dte`, `all` or an ISO date."""
    if scope in SCOPES:
        return
    try:
        dt.date.fromisoformat(scope)
    except ValueError:
        raise UsageError(
            f"{scope!r} names no expiries", "choose 0dte, all or a date such as 2026-11-20"
        ) from None


def _new_york(ns: int) -> dt.date:
    from gexterm.market.calendar import et

    return et(ns).date()


def _one_of(names: tuple[str, ...]) -> str:
    return f"choose one of {', '.join(names)}"
