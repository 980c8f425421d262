"""The monitor as it would look on one Reading: for snapshots without a terminal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from gexterm.alerts.model import Alert
from gexterm.errors import UsageError
from gexterm.market.events import FeedStatus, SourceInfo
from gexterm.reading.day import DayLog
from gexterm.reading.model import Reading
from gexterm.snapshots.meta import Taken
from gexterm.snapshots.picture import Picture
from gexterm.ui.app import MonitorApp
from gexterm.ui.capture import capture


class StillSession:
    """A `Session` in which time stands still at one Reading."""

    def __init__(
        self, reading: Reading, views: tuple[str, ...], alerts: Sequence[Alert] = ()
    ) -> None:
        self._reading = reading
        self._alerts = alerts
        self.info = SourceInfo(
            reading.underlying,
            reading.source.feed,
            reading.source.mode,
            reading.source.delay_s,
            reading.source.note,
        )
        """Where the Reading came from."""
        self.status = FeedStatus("paused")
        """Standing still."""
        self.report = None
        """No feed is there to report."""
        self.recording = None
        """Nothing is recorded."""
        self.views = views
        """Sign views."""
        self.view = reading.positions.view
        """The Reading's own."""
        self.scope = reading.scope
        """The Reading's own."""
        self.replayable = False
        """Nothing can be sought."""
        self.paused = False
        """Not a pause that a key could end."""
        self.speed = 1.0
        """Of no meaning here."""
        self.goal = 0
        """Nowhere is gone to."""
        self.goal = 0
        """No seek is under way."""
        self.inquire = None
        """Nobody is there to be asked."""
        self.day = DayLog()
        """The one moment."""
        self.day.note(reading)

    async def readings(self) -> AsyncIterator[Reading]:
        """The one Reading, and then nothing for ever: the feed has not ended."""
        yield self._reading
        await asyncio.Event().wait()

    async def alerts(self) -> AsyncIterator[Alert]:
        """What had happened by then."""
        for alert in self._alerts:
            yield alert

    def _fixed(self, *_: object) -> None:
        raise UsageError("nothing can be changed in a still")

    set_view = set_scope = set_speed = seek = step = pause = resume = _fixed

    def past(self, at: int) -> None:
        """There is none."""

    async def snapshot(self, picture: Picture | None, reading: Reading, taken: Taken) -> Path:
        """Not from within a still."""
        raise UsageError("a still cannot be kept from within")


async def picture_of(
    reading: Reading,
    columns: int,
    rows: int,
    *,
    theme: str,
    views: tuple[str, ...],
    alerts: Sequence[Alert] = (),
) -> Picture:
    """The desk showing a Reading and what had happened by then, `columns` × `rows` cells."""
    app = MonitorApp(StillSession(reading, views, alerts), theme=theme, glow_s=0.0)
    async with app.run_test(size=(columns, rows)) as pilot:
        while app.shown is not reading:
            await pilot.pause(0.02)
        await pilot.pause()
        return capture(app)
