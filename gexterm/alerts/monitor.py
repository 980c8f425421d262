"""The watch over a session: rules, their memory, and the log."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from gexterm.alerts.model import Alert, AlertKind, Severity, stamped
from gexterm.alerts.own import OwnState, forgotten, step_own
from gexterm.alerts.rules import State, Thresholds, silence_s, step
from gexterm.alerts.teller import NS, Teller
from gexterm.config import Settings
from gexterm.config_alerts import AlertRule
from gexterm.market.events import FeedStatus
from gexterm.reading.model import Reading

LOG_LENGTH = 500
"""Alerts kept, newest last."""


LAST_WORD_NS = 20 * NS
"""How long a line may be lost after "live again" was the last that was said of it, ns."""


class AlertMonitor:
    """Fed with Readings and the feed's status, says what deserves attention.

    Not thread-safe: call it from one thread or task.
    """

    def __init__(
        self,
        thresholds: Thresholds | None = None,
        log_length: int = LOG_LENGTH,
        rules: Sequence[AlertRule] = (),
        underlying: str = "",
    ) -> None:
        self.thresholds = thresholds or Thresholds()
        self.rules = tuple(rules)
        self._own: OwnState | None = None
        # Of alerts about the connection and the recording, which come with no Reading.
        self._from = (underlying, "", "")
        self.log: deque[Alert] = deque(maxlen=log_length)
        self._state: State | None = None
        self._replay = False
        self._trouble = False
        self._stood = False
        self._not_recorded = 0
        # Whether "live again" is the last word, and since when the line is lost all the same.
        self._restored, self._lost_at = False, 0
        self._feed_said: dict[AlertKind, int] = {}

    @classmethod
    def of(cls, settings: Settings, underlying: str) -> AlertMonitor:
        """As the user has set it, for one underlying."""
        thresholds = Thresholds.of(settings.alerts)
        return cls(thresholds, rules=settings.alert_rules, underlying=underlying)

    def update(self, reading: Reading) -> list[Alert]:
        """Alerts of this Reading, also appended to the log.

        A Reading older than the last one is a rewind: alerts that lie in its future leave
        the log, and watching begins anew, in silence.
        """
        if self._state is not None and reading.as_of < self._state.as_of:
            self.reset()
            kept = [alert for alert in self.log if alert.at <= reading.as_of]
            self.log.clear()
            self.log.extend(kept)
        self._replay = reading.source.mode not in ("live", "delayed")
        self._from = (reading.underlying, reading.source.mode, reading.positions.view)
        self._state, alerts = step(self._state, reading, self.thresholds)
        silent_s = silence_s(self._state, reading)
        self._own, own = step_own(self._own, reading, self.rules, self.thresholds, silent_s)
        quiet = round(self.thresholds.quiet_s * NS)
        # The connection has said it already, and knows more about it than a Reading.
        fresh = [a for a in alerts if not 0 <= a.at - self._feed_said.get(a.kind, -quiet) < quiet]
        return self._logged([*fresh, *own])

    def feed(self, status: FeedStatus, at: int) -> list[Alert]:
        """Alerts about the connection; `at` is market time, ns."""
        words = f": {status.message}" if status.message else ""
        alerts: list[Alert] = []
        if status.state == "stale":
            alerts = self._trouble_with("feed stale", f"feed is stale{words}", at)
        elif status.state == "reconnecting":
            what = "connection lost" if self._stood else "no connection yet"
            self._lost_at = self._lost_at or at
            if self._restored and at - self._lost_at >= LAST_WORD_NS:
                # A line that flaps is told of rarely; "live again" must not outlive the line.
                self._feed_said.pop("feed reconnecting", None)
            alerts = self._trouble_with("feed reconnecting", f"{what}{words}", at)
        elif status.state == "refused":
            alerts = self._say("feed ended", "warning", f"feed refuses{words}", at)
        elif status.state == "closed":
            alerts = self._say("feed ended", "warning", f"feed is closed{words}", at)
        elif status.state == "ended":
            alerts = self._say("feed ended", "info", f"feed has ended{words}", at)
        elif status.state == "live" and self._trouble:
            # Never held back: a trouble that was told must not stay the last word.
            self._feed_said.pop("feed restored", None)
            self._trouble = False
            alerts = self._say("feed restored", "notice", f"feed is live again{words}", at)
            self._restored = True
        if status.state == "live":
            self._lost_at = 0
        self._stood = self._stood or status.state == "live"
        return self._logged(alerts)

    def recording(self, why: str, at: int, *, on: bool = False) -> list[Alert]:
        """Alerts about the recording: `why` it is in trouble, or empty once it is well again.

        `on`: events are recorded all the same, something else is not. Said once when it
        gets worse and once when it gets better; `at` is market time, ns.
        """
        alerts: list[Alert] = []
        # A disk that fills takes the raw frames first: that must not silence the rest.
        worse = 0 if not why else 1 if on else 2
        if worse > self._not_recorded:
            said = why if on else f"not recorded: {why}"
            alerts = self._say("recording stopped", "warning", said, at)
        elif worse < self._not_recorded:
            # Neither trouble nor its end is held back by a quiet period.
            said = f"recording goes on; {why}" if why else "recording goes on"
            alerts = self._say("recording restored", "notice", said, at)
        self._not_recorded = worse
        self._feed_said.pop("recording stopped", None)
        self._feed_said.pop("recording restored", None)
        return self._logged(alerts)

    def _logged(self, alerts: Sequence[Alert]) -> list[Alert]:
        said = [stamped(alert, *self._from) for alert in alerts]
        self.log.extend(said)
        return said

    def _trouble_with(self, kind: AlertKind, text: str, at: int) -> list[Alert]:
        alerts = self._say(kind, "warning", text, at)
        self._trouble = self._trouble or bool(alerts)
        self._restored = self._restored and not alerts
        return alerts

    def _say(self, kind: AlertKind, severity: Severity, text: str, at: int) -> list[Alert]:
        said = {(k, ""): when for k, when in self._feed_said.items()}
        teller = Teller(at, said, self.thresholds.quiet_s, self._replay, self.thresholds.off)
        if teller.tell(kind, severity, text):
            self._feed_said[kind] = at
        return teller.alerts

    def reset(self) -> None:
        """Begin anew with the next Reading, in silence. For a seek; the log stays."""
        self._state = None
        self._own = forgotten(self._own)
        self._feed_said = {}
        self._trouble = False
