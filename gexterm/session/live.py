"""A feed on one side, Readings, alerts and snapshots on the other.

One task takes what the feed says, in order. Before an event that lies beyond a round
market time is applied, the tick of that time is computed on a thread; the socket and
the screen go on meanwhile.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
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
from gexterm.market.events import Event, FeedStatus, SourceInfo
from gexterm.session.rate import EventRate

if TYPE_CHECKING:
    from gexterm.alerts.model import Alert
    from gexterm.alerts.monitor import AlertMonitor
    from gexterm.engine.engine import Engine
    from gexterm.engine.health import FeedCounts
    from gexterm.feeds.protocol import Command
    from gexterm.feeds.runner import FeedRunner
    from gexterm.reading.model import Reading
    from gexterm.recording.books import Book
    from gexterm.snapshots.picture import Picture

_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())

SCOPES = ("auto", "0dte", "all")
"""Scopes that are not dates."""
_HASTE_STEP = 60 * NS
"""Distance of ticks while a replay catches up, ns of market time."""


class LiveSession:
    """A running session over a feed; see `ui.session.Session`. An async context manager.

    `make_runner` makes the feed's runner once the loop runs. `clock` is the wall's;
    `timer` measures work in seconds (None: not measured, as Readings must be for
    comparison). `carry` is the book of an earlier session.
    """

    def __init__(
        self,
        make_runner: Callable[[], FeedRunner],
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
        self._snapshots = snapshots
        self._timer = timer
        self._info = SourceInfo(underlying, "", "replay" if replayable else "live")
        self._status = FeedStatus("connecting")
        self._rate = EventRate(clock)
        self._trouble = ""
        self._catching_up = False
        self._jumped = False
        self._newest: Reading | None = None
        self._computing = asyncio.Lock()
        self._fresh = asyncio.Event()
        self._alerts: asyncio.Queue[Alert | None] = asyncio.Queue()
        self._commands: asyncio.Queue[Command | _Recompute] = asyncio.Queue()
        self._listened = asyncio.Event()
        self._closed = False
        self._tasks: list[asyncio.Task[None]] = []
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
        """Hang up and end `readings` and `alerts`. Harmless when repeated."""
        for task in self._tasks:
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
            async with self._make_runner() as runner:
                self._runner = runner
                async for batch in runner.events():
                    await self._take(core, batch)
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
        return _Core(engine, AlertMonitor())

    # -- events in ---------------------------------------------------------------------

    async def _take(self, core: _Core, batch: list[Event]) -> None:
        """Apply a batch in order, ticking where a round time is passed."""
        for event in batch:
            if isinstance(event, FeedStatus):
                await self._hear(core, event)
                continue
            if isinstance(event, SourceInfo):
                self._begin(core, event)
                continue
            if due := self._grid.due(event):
                await self._tick(core, due)
            self._rate.count(event)
            core.engine.apply(event)

    def _begin(self, core: _Core, info: SourceInfo) -> None:
        """A session begins, or begins anew at another time."""
        if core.engine.info is not None:
            core.engine.restart()
            self._jumped = True
            self._grid = TickGrid(self._grid.step)
        self._info = info
        core.engine.apply(info)

    async def _hear(self, core: _Core, status: FeedStatus) -> None:
        """What the connection says of itself."""
        self._catching_up = bool(status.detail.get("catching_up", False))
        speed = status.detail.get("speed")
        if isinstance(speed, float | int) and speed > 0:
            self._speed = float(speed)
        self._set_step()
        # Caught up, paused or ended: nothing may follow that would make a tick fall due.
        if not self._catching_up and self._grid.now > self._grid.last:
            self._grid.last = self._grid.now
            await self._tick(core, self._grid.now)
        # Told after the Reading it belongs to: whoever hears of the end has seen the last one.
        self._status = status
        for alert in core.watch.feed(status, self._grid.now or self._clock.now_ns()):
            self._alerts.put_nowait(alert)
        if status.state in {"ended", "refused", "closed"}:
            self._fresh.set()

    def _set_step(self) -> None:
        self._grid.step = _HASTE_STEP if self._catching_up else step_for(self._speed, self._fps)

    async def _tick(self, core: _Core, as_of: int) -> None:
        """Compute and publish one Reading."""
        engine = core.engine
        async with self._computing:
            engine.settings = replace(engine.settings, view=self._view, scope=self._scope)
            job = engine.job(as_of, self._counts())
            if job is None:
                return
            try:
                reading = await asyncio.to_thread(engine.compute, job)
            except Exception as error:
                # One tick that cannot be computed must not cost the user the session: what
                # is on the screen stays, grows old, and the status line says why.
                _log.exception("a tick failed")
                self._trouble = f"a Reading failed ({type(error).__name__}: {error})"
                self._status = replace(self._status, message=self._trouble)
                return
        self._trouble = ""
        if self._jumped and self._newest is not None and as_of > self._newest.as_of:
            # What lies between was not watched: a jump ahead is no news. Going back, the
            # watch itself forgets what has not happened yet.
            core.watch.reset()
        self._jumped = False
        for alert in core.watch.update(reading):
            self._alerts.put_nowait(alert)
        self._newest = reading
        self._fresh.set()

    def _counts(self) -> FeedCounts:
        from gexterm.engine.health import FeedCounts

        counters = self._runner.counters if self._runner else None
        if counters is None:
            return FeedCounts()
        warnings = [self._trouble] if self._trouble else []
        if counters.malformed:
            warnings.append(f"{counters.malformed:,} messages made no sense and were skipped")
        return FeedCounts(
            dropped=counters.dropped,
            reconnects=counters.reconnects,
            events_per_s=self._rate.per_second(),
            warnings=tuple(warnings),
        )

    # -- what the monitor is handed --------------------------------------------------------

    @property
    def info(self) -> SourceInfo:
        """What is being listened to."""
        return self._info

    @property
    def status(self) -> FeedStatus:
        """The latest word on the connection."""
        return self._status

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
                if self._status.state == "refused":
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


def _one_of(names: tuple[str, ...]) -> str:
    return f"choose one of {', '.join(names)}"
