"""What the monitor is handed: a session, whatever lies behind it.

The monitor renders Readings and passes wishes on. It knows no engine, no feed
and no clock; a live market, a replay and a test's fake look the same from here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gexterm.alerts.model import Alert
from gexterm.market.events import FeedReport, FeedStatus, SourceInfo
from gexterm.reading.day import DayLog
from gexterm.reading.inquiry import Inquiries
from gexterm.reading.model import Reading
from gexterm.session.model import RecordingState

if TYPE_CHECKING:
    # What keeps a snapshot reads and writes tables: a quarter of a second before the first frame.
    from gexterm.snapshots.meta import Taken
    from gexterm.snapshots.picture import Picture


class Session(Protocol):
    """A running session.

    Commands return at once; what they change shows in the next Readings. One that
    cannot be carried out raises a `GextermError`, which the monitor shows.
    """

    @property
    def info(self) -> SourceInfo:
        """What is being listened to."""
        ...

    @property
    def status(self) -> FeedStatus:
        """The latest word on the connection.

        Understood in `detail`: `retry_in_s` (counting down), `tries`, `dropped`, `gaps`,
        `reconnects`.
        """
        ...

    @property
    def report(self) -> FeedReport | None:
        """What the feed last said about itself, where it does."""
        ...

    @property
    def recording(self) -> RecordingState | None:
        """How the recording goes; None where there is nothing to record."""
        ...

    @property
    def views(self) -> tuple[str, ...]:
        """Sign views to choose from, in order."""
        ...

    @property
    def view(self) -> str:
        """The one chosen now."""
        ...

    @property
    def scope(self) -> str:
        """Expiries chosen now: `0dte`, `all` or an ISO date."""
        ...

    @property
    def replayable(self) -> bool:
        """Whether time can be sought and sped up."""
        ...

    @property
    def paused(self) -> bool:
        """Whether it stands still."""
        ...

    @property
    def speed(self) -> float:
        """Seconds of the market per second."""
        ...

    @property
    def day(self) -> DayLog:
        """The day so far; grows with every Reading."""
        ...

    @property
    def inquire(self) -> Inquiries | None:
        """Whom to ask what Readings do not hold; None while nothing is known."""
        ...

    def past(self, at: int) -> AbstractAsyncContextManager[Session] | None:
        """The past of a live session as a replay of its own, paused at a market time, ns.

        The live session goes on. None where there is none: a replay, or nothing is recorded.
        """
        ...

    def readings(self) -> AsyncIterator[Reading]:
        """Readings as they come, to the end of the session. Newest wins: the slow miss some."""
        ...

    def alerts(self) -> AsyncIterator[Alert]:
        """Alerts as they come, none missed. Ends with the session."""
        ...

    def set_view(self, name: str) -> None:
        """Choose a sign view of `views`."""
        ...

    def set_scope(self, scope: str) -> None:
        """Choose `0dte`, `all` or an ISO date."""
        ...

    def pause(self) -> None:
        """Stand still."""
        ...

    def resume(self) -> None:
        """Go on."""
        ...

    def set_speed(self, speed: float) -> None:
        """Seconds of the market per second; of replays only."""
        ...

    @property
    def goal(self) -> int:
        """Where a seek under way leads, ns; 0 where none is."""
        ...

    def seek(self, when_ns: int, through: bool = False) -> None:
        """Go to a market time, ns since 1970 UTC; of replays only.

        With `through` nothing that lies ahead of it is left out: every alert is seen.
        """
        ...

    def step(self, ticks: int) -> None:
        """So many Readings on, or back where negative; pauses. Of replays only."""
        ...

    async def snapshot(self, picture: Picture | None, reading: Reading, taken: Taken) -> Path:
        """Keep a picture, the Reading that it shows, and why; the folder of what was written.

        No picture: the Reading alone.
        """
        ...
