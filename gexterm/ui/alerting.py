"""Alerts in the monitor: those of the day, who has seen them, and where they go."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gexterm.alerts.book import AlertBook
from gexterm.alerts.model import Alert

if TYPE_CHECKING:
    from gexterm.alerts.delivery.dispatcher import Dispatcher
    from gexterm.ui.channel import Channel
    from gexterm.ui.duties import Duties
    from gexterm.ui.screens.desk import Desk
    from gexterm.ui.session import Session


class Alerting:
    """The part of `app.MonitorApp` that has to do with alerts."""

    if TYPE_CHECKING:
        channel: Channel | None
        duties: Duties | None
        desk: Desk
        _driver: Any

        @property
        def in_past(self) -> bool: ...  # noqa: D102
        def tell(self, text: str, severity: str = "information") -> None: ...  # noqa: D102
        def refresh_screen(self) -> None: ...  # noqa: D102

    dispatcher: Dispatcher | None = None
    """Sends alerts out; None: they stay on the screen."""

    def begin_alerting(self) -> None:
        """Make the deliveries; what is wrong with one is told, and the others go on."""
        if self.duties is None or not self.duties.delivers:
            return
        from gexterm.alerts.delivery.dispatcher import Dispatcher
        from gexterm.alerts.delivery.make import make_deliveries

        made = make_deliveries(self.duties.settings, self._to_terminal, self._toast)
        for problem in made.problems:
            self.tell(problem, "warning")
        self.dispatcher = Dispatcher(
            made.deliveries,
            self.duties.clock,
            self.tell,
            deliver_replays=self.duties.settings.alerts.deliver_replays,
        )

    async def end_alerting(self) -> None:
        """Let what waits go out, for a moment."""
        dispatcher, self.dispatcher = self.dispatcher, None
        if dispatcher is not None:
            await dispatcher.close()

    def alert_book(self, session: Session) -> AlertBook:
        """Alerts of a session; those of a live market outlive it."""
        if self.duties is None or session.replayable:
            return AlertBook()
        from gexterm import paths

        return AlertBook.of(self.duties.settings.alerts, paths.alerts_history())

    async def load_alerts(self, channel: Channel) -> None:
        """What was told earlier in the day, by an earlier session."""
        if self.duties is not None and not channel.session.replayable:
            now = self.duties.clock.now_ns()
            await channel.book.load(channel.session.info.underlying, now)

    def alerted(self, alert: Alert) -> None:
        """Something happened in a session that is followed."""
        if self.dispatcher is not None:
            self.dispatcher.submit(alert)

    def _toast(self, text: str, severity: str) -> None:
        text = f"live: {text}" if self.in_past else text
        self.tell(text, {"notice": "information"}.get(severity, severity))

    def _to_terminal(self, text: str) -> None:
        if self._driver is not None:
            self._driver.write(text)
            self._driver.flush()

    # -- keys --------------------------------------------------------------------------

    def action_acknowledge(self) -> None:
        """Mark an alert as seen to: the one under the cursor, else the newest that is not."""
        if self.channel is None:
            return
        book = self.channel.book
        chosen = self.desk.alert_list.selected if self.desk.alerts_open else ""
        fresh = [alert.id for alert in book.alerts if not alert.acknowledged]
        wanted = chosen or (fresh[-1] if fresh else "")
        if not wanted or not book.acknowledge(wanted):
            self.tell("no alert is waiting to be seen to")
            return
        self.refresh_screen()

    def action_acknowledge_all(self) -> None:
        """Mark every alert as seen to."""
        if self.channel is None:
            return
        count = self.channel.book.acknowledge_all()
        self.tell(f"{count} alerts seen to" if count != 1 else "1 alert seen to")
        self.refresh_screen()
