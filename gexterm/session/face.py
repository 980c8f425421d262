"""What the monitor is handed of a session: the newest Reading, words, alerts, and wishes.

Wishes are only noted here; whoever runs the session fulfils them.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import math
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gexterm.clock import NS, Clock
from gexterm.config import VIEWS, Settings
from gexterm.errors import ConnectionFailedError, UsageError
from gexterm.feeds.protocol import Pause, Resume, SetSpeed
from gexterm.market.events import FeedReport, FeedStatus, SourceInfo
from gexterm.reading.day import DayLog
from gexterm.session.inquiries import SessionInquiries
from gexterm.session.recorded import state_of

if TYPE_CHECKING:
    from gexterm.alerts.model import Alert
    from gexterm.feeds.protocol import Command
    from gexterm.reading.inquiry import Inquiries
    from gexterm.reading.model import Reading
    from gexterm.session.core import Core
    from gexterm.session.model import RecordingState
    from gexterm.session.recorded import Recording
    from gexterm.snapshots.meta import Taken
    from gexterm.snapshots.picture import Picture

SCOPES = ("auto", "0dte", "all")
"""Scopes that are not dates."""


class Recompute:
    """A wish that is ours to fulfil and not the feed's."""


class Face:
    """All of `ui.session.Session` but its life."""

    def __init__(
        self,
        clock: Clock,
        settings: Settings,
        *,
        underlying: str,
        view: str | None,
        scope: str | None,
        speed: float,
        replayable: bool,
        recorded: bool,
        snapshots: Path | None,
    ) -> None:
        self._clock = clock
        self._view = view or settings.underlying(underlying).view
        self._scope = scope or settings.scope
        self._speed = speed
        self._replayable = replayable
        self._wants_recording = recorded
        self._snapshots = snapshots
        self._snapshot_gb = settings.snapshot_gb
        self._info = SourceInfo(underlying, "", "replay" if replayable else "live")
        self._status = FeedStatus("connecting")
        self._status_at = 0
        self._counted: tuple[tuple[int, float], FeedStatus] | None = None
        self._recording: Recording | None = None
        self._recorded: RecordingState | None = None
        self._report: FeedReport | None = None
        self._newest: Reading | None = None
        self._fresh = asyncio.Event()
        self._alerts: asyncio.Queue[Alert | None] = asyncio.Queue()
        self._commands: asyncio.Queue[Command | Recompute] = asyncio.Queue()
        self._listened = asyncio.Event()
        self._closed = False
        self._core: Core | None = None
        self._inquiries: SessionInquiries | None = None
        self.day = DayLog()
        """The day so far, fed with every Reading."""

    # -- how it is --------------------------------------------------------------------

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
        state = state_of(self._recording, wanted=self._wants_recording)
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

    # -- what comes ------------------------------------------------------------------

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

    @property
    def inquire(self) -> Inquiries | None:
        """Whom to ask what Readings do not hold; None before the first Reading."""
        if self._core is None or self._newest is None:
            return None
        if self._inquiries is None:
            self._inquiries = SessionInquiries(self._core)
        return self._inquiries

    # -- wishes ----------------------------------------------------------------------

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

    async def snapshot(self, picture: Picture | None, reading: Reading, taken: Taken) -> Path:
        """Keep a picture and the Reading it shows; the folder written.

        Where snapshots take more than the settings allow, the oldest that nobody asked for go.
        """
        from gexterm import paths
        from gexterm.snapshots.shelf import keep_within
        from gexterm.snapshots.write import write_snapshot

        folder = self._snapshots or paths.snapshots()

        def write() -> Path:
            path = write_snapshot(folder, reading, picture, taken.note, taken)
            keep_within(folder, self._snapshot_gb)
            return path

        return await asyncio.to_thread(write)

    def _ask(self) -> None:
        """Have the last tick computed anew; nothing may come that would make one due."""
        self._commands.put_nowait(Recompute())


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
