"""The alerts of a session, with those of the day before it began, and who has seen them.

What is to be kept goes to a thread of its own: a slow disk holds up nobody.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import queue
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from gexterm.alerts.history import AlertHistory, Kept, day_of
from gexterm.alerts.model import Alert
from gexterm.config_alerts import AlertSettings
from gexterm.errors import GextermError

MOST = 1000
"""Alerts held, newest last."""
_WAITING = 1000
"""Lines that may wait for the disk."""


class AlertBook:
    """Fed with the alerts of a session; call it from one thread or task.

    `history` None: nothing is kept. `keep_replays`: whether alerts of replays and simulations
    are kept as well. `retention_days` is for how long the history is kept; 0: not at all.
    """

    def __init__(
        self,
        history: AlertHistory | None = None,
        *,
        keep_replays: bool = False,
        retention_days: int = 90,
        most: int = MOST,
    ) -> None:
        self.version = 0
        """Grows with every change: whoever paints need compare only this."""
        history = history if retention_days else None
        self._history = history
        self._keep_replays = keep_replays
        self._retention_days = retention_days
        self._alerts: deque[Alert] = deque(maxlen=most)
        self._shown: tuple[Alert, ...] | None = None
        self._pruned: dt.date | None = None
        self._pen = _Pen() if history else None

    @classmethod
    def of(cls, settings: AlertSettings, folder: Path, *, keep_replays: bool = False) -> AlertBook:
        """As the user has set it: with a history in `folder`, unless none is wanted."""
        days = settings.history_days
        return cls(AlertHistory(folder), keep_replays=keep_replays, retention_days=days)

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """Oldest first; acknowledged ones are marked so."""
        if self._shown is None:
            self._shown = tuple(self._alerts)
        return self._shown

    @property
    def unread(self) -> int:
        """How many nobody has seen to."""
        return sum(not alert.acknowledged for alert in self._alerts)

    @property
    def trouble(self) -> str:
        """Why the history is not being kept; empty while it is."""
        return self._pen.trouble if self._pen else ""

    async def load(self, underlying: str, now: int) -> int:
        """Take up the day's earlier alerts of an underlying, read on a thread; how many.

        `now`: market time, ns. What cannot be read is no reason not to begin: it shows in
        `trouble`.
        """
        if self._history is None or self._pen is None:
            return 0
        history, today = self._history, day_of(now)

        def read() -> Kept:
            history.prune(today, self._retention_days)
            return history.read(today)

        try:
            kept = await asyncio.to_thread(read)
        except GextermError as error:
            self._pen.trouble = str(error)
            return 0
        known = {alert.id for alert in self._alerts}
        earlier = [
            alert
            for alert in kept.alerts
            if alert.underlying == underlying and not alert.replay and alert.id not in known
        ]
        mixed = sorted([*earlier, *self._alerts], key=lambda alert: alert.at)
        self._alerts.clear()
        self._alerts.extend(mixed)
        self._changed()
        return len(earlier)

    def add(self, alert: Alert) -> None:
        """Take an alert, and keep it if it is to be kept."""
        self._alerts.append(alert)
        self._changed()
        if not self._keeps(alert):
            return
        day = day_of(alert.at)
        if day != self._pruned:
            # A monitor that is never closed must not keep more than it should either.
            self._pruned = day
            self._write(lambda history: _prune(history, day, self._retention_days))
        self._write(lambda history: history.add(alert))

    def acknowledge(self, id: str) -> bool:  # noqa: A002 - as the alert calls it
        """Mark one as seen to; whether there was one that was not."""
        return self._acknowledge({id}) > 0

    def acknowledge_all(self) -> int:
        """Mark all as seen to; how many were not."""
        return self._acknowledge({alert.id for alert in self._alerts})

    def rewind(self, as_of: int) -> None:
        """Time went back to `as_of`, ns: what has not happened yet is forgotten.

        What a live market has said stays in the history.
        """
        kept = [alert for alert in self._alerts if alert.at <= as_of]
        if len(kept) != len(self._alerts):
            self._alerts.clear()
            self._alerts.extend(kept)
            self._changed()

    def close(self, wait_s: float = 1.0) -> None:
        """Have what waits written, for at most so many seconds."""
        if self._pen is not None:
            self._pen.close(wait_s)

    def _acknowledge(self, ids: set[str]) -> int:
        fresh = [a for a in self._alerts if a.id in ids and not a.acknowledged]
        if not fresh:
            return 0
        seen = [
            replace(a, acknowledged=True) if a.id in ids and not a.acknowledged else a
            for a in self._alerts
        ]
        self._alerts.clear()
        self._alerts.extend(seen)
        self._changed()
        by_day: dict[dt.date, list[str]] = {}
        for alert in fresh:
            if self._keeps(alert):
                by_day.setdefault(day_of(alert.at), []).append(alert.id)
        for day, names in by_day.items():
            self._write(partial(_acknowledge, day=day, ids=names))
        return len(fresh)

    def _keeps(self, alert: Alert) -> bool:
        return self._history is not None and (self._keep_replays or not alert.replay)

    def _write(self, what: Callable[[AlertHistory], None]) -> None:
        if self._history is not None and self._pen is not None:
            history = self._history
            self._pen.put(lambda: what(history))

    def _changed(self) -> None:
        self._shown = None
        self.version += 1


def _acknowledge(history: AlertHistory, day: dt.date, ids: list[str]) -> None:
    history.acknowledge(day, ids)


def _prune(history: AlertHistory, today: dt.date, days: int) -> None:
    history.prune(today, days)


class _Pen:
    """A thread that writes, begun when there is something to write."""

    def __init__(self) -> None:
        self.trouble = ""
        """What went wrong last; empty: nothing."""
        self._jobs: queue.Queue[Callable[[], None] | None] = queue.Queue(_WAITING)
        self._thread: threading.Thread | None = None

    def put(self, job: Callable[[], None]) -> None:
        """Have it done soon. Where too much waits already, it is not."""
        if self._thread is None:
            # A daemon: a disk that hangs must not keep the program from ending.
            self._thread = threading.Thread(target=self._work, name="alerts", daemon=True)
            self._thread.start()
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            self.trouble = "the disk is too slow: alerts are not being kept"

    def close(self, wait_s: float) -> None:
        """Have what waits done."""
        thread, self._thread = self._thread, None
        if thread is not None:
            try:
                self._jobs.put(None, timeout=wait_s)
            except queue.Full:
                return
            thread.join(wait_s)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
                self.trouble = ""
            except (GextermError, OSError, ValueError) as error:
                self.trouble = str(error)
