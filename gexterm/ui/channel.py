"""A session as the monitor follows it: the newest Reading, what happened, what is held."""

from __future__ import annotations

from collections.abc import Callable

from gexterm.alerts.book import AlertBook
from gexterm.alerts.model import Alert
from gexterm.errors import GextermError
from gexterm.market.events import FeedStatus
from gexterm.reading.model import Reading
from gexterm.ui.history import History
from gexterm.ui.session import Session

JUMP_NS = 60 * 1_000_000_000
"""Readings of a replay that lie farther apart were not gone through one by one."""
NEAR = 90 * 1_000_000_000
"""The same alert so near in time is the same: a replay in haste looks once a minute."""
CALM_S = 0.4
"""A seek that is over so soon shows nothing of its way: one step is one change."""
MOST_TOLD = 1000
"""Alerts of a replay that are remembered, also those ahead of now."""


class Channel:
    """One session and what the monitor remembers of it.

    A live session goes on being followed while its past is on the screen: each has a
    channel of its own.
    """

    def __init__(self, session: Session, glow_s: float, book: AlertBook | None = None) -> None:
        self.session = session
        """Whom it follows."""
        self.book = book or AlertBook()
        """Its alerts, and who has seen them."""
        self.history = History(glow_s)
        """Levels that changed."""
        self.newest: Reading | None = None
        """The last Reading that came."""
        self.shown: Reading | None = None
        """The one on the screen, or last there."""
        self.held = False
        """Whether the market goes on and only the screen holds."""
        self.heard = 0
        """Alerts that came so far."""
        self._all: list[Alert] = []
        self._hurries_since = 0.0
        self._status: FeedStatus | None = None
        self.ended = False
        """Whether no further Reading will come."""

    async def listen(
        self, tell: Callable[[str, str], None], seen: Callable[[Reading], None] = lambda _: None
    ) -> None:
        """Take Readings to the end of the session.

        `tell` is handed what went wrong, `seen` every Reading that came.
        """
        try:
            async for reading in self.session.readings():
                self.newest = reading
                seen(reading)
        except GextermError as error:
            tell(str(error), "error")
        self.ended = True

    async def listen_alerts(self, told: Callable[[Alert], None]) -> None:
        """Take alerts to the end of the session."""
        async for alert in self.session.alerts():
            self.heard += 1
            if self.session.replayable:
                self._all = [*self._all[-MOST_TOLD:], alert]
            self.book.add(alert)
            told(alert)

    def status(self, now_s: float) -> FeedStatus:
        """The word on the connection to show now: of a short seek, the one before it."""
        if self._status is None or not self.calm(now_s):
            self._status = self.session.status
        return self._status

    def calm(self, now_s: float) -> bool:
        """Whether a seek has begun a moment ago, and something is on the screen."""
        if not self.session.replayable or not self.session.status.detail.get("catching_up"):
            self._hurries_since = 0.0
            return False
        self._hurries_since = self._hurries_since or now_s
        return self.shown is not None and now_s - self._hurries_since < CALM_S

    def next_shown(self, now_s: float) -> Reading | None:
        """The Reading to show now; `now_s` is the program's own monotonic time."""
        if self.calm(now_s):
            return self.shown
        if not self.held and self.newest is not None and self.newest is not self.shown:
            if self.shown is not None and self.newest.as_of < self.shown.as_of:
                self.book.rewind(self.newest.as_of)
            before = self.shown.as_of if self.shown is not None else self.newest.as_of
            self.history.note(self.newest, now_s)
            self.shown = self.newest
            if self.session.replayable and self.shown.as_of - before > JUMP_NS:
                self._retell(before, self.shown.as_of)
        return self.shown

    def _retell(self, since: int, now: int) -> None:
        """List what is known to have happened between two times that a jump has passed over."""
        for old in self._all:
            if since < old.at <= now and not any(
                known.kind == old.kind and known.text == old.text and abs(known.at - old.at) < NEAR
                for known in self.book.alerts
            ):
                self.book.add(old)
