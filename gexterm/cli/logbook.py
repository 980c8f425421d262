"""What `gexterm record` says: one line per change, and a summary."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gexterm.clock import NS, Clock
from gexterm.errors import ConnectionFailedError, OutputError
from gexterm.feeds.secrets import redactor
from gexterm.market.calendar import et
from gexterm.market.events import Event, FeedReport, FeedStatus, OpenInterest, Quotes, Trades
from gexterm.recording.codec import text


class Logbook:
    """Notices what changes of a feed and its recording, and says it once."""

    def __init__(self, clock: Clock, say: Callable[[str], None]) -> None:
        self._clock = clock
        self._say = say
        self._begun = clock.now_ns()
        self._said: dict[str, str] = {}
        self._paths: list[Path] = []
        self._status = FeedStatus("connecting")
        self._stood = False
        self._report = FeedReport()
        self._rows = {"quotes": 0, "prints": 0}
        self._interest: set[int] = set()
        self._interest_told = 0
        self._lost_rows = 0

    def event(self, event: Event, path: Path | None) -> None:
        """Take an event; `path` is the file being written."""
        if path is not None and path not in self._paths:
            self._paths.append(path)
            self._tell("file", f"recording {path}")
        if isinstance(event, Quotes):
            self._rows["quotes"] += len(event.contract)
        elif isinstance(event, Trades):
            self._rows["prints"] += len(event.contract)
        elif isinstance(event, OpenInterest):
            self._interest.update(event.contract.tolist())
        elif isinstance(event, FeedStatus):
            self._heard(event)
        elif isinstance(event, FeedReport):
            self._reported(event)

    def recording(self, why: str) -> None:
        """The recorder is in trouble, or, with nothing to say, well again."""
        if why or self._said.get("trouble"):
            self._tell("trouble", why or "recording goes on")
        self._said["trouble"] = why

    def end(self, written: int, lost_rows: int) -> None:
        """The summary."""
        self._lost_rows = lost_rows
        report, rows = self._report, self._rows
        minutes = (self._clock.now_ns() - self._begun) / NS / 60
        parts = [
            f"{rows['quotes']:,} quotes and {rows['prints']:,} prints in {minutes:,.1f} minutes",
            f"{written / 1e6:,.1f} MB",
        ]
        for count, what in (
            (lost_rows, "rows not recorded"),
            (report.gaps, "prints missing"),
            (report.dropped, "messages dropped"),
            (report.malformed, "messages made no sense"),
            (report.reconnects, "reconnects"),
        ):
            if count:
                parts.append(f"{count:,} {what}")
        if report.away_s >= 1.0:
            parts.append(f"{report.away_s:,.0f} s without a connection")
        self._line(", ".join(parts))
        for path in self._paths:
            self._line(f"kept {path}")

    def refusal(self) -> None:
        """Raise ConnectionFailedError where the feed ended by refusing us, or never stood."""
        if self._status.state in ("refused", "closed"):
            raise ConnectionFailedError(_shown(self._status.message))
        if not self._stood:
            raise ConnectionFailedError("no connection stood", _shown(self._status.message))

    def losses(self) -> None:
        """Raise OutputError where something heard was not recorded: to record was the aim."""
        if self._lost_rows:
            raise OutputError(
                f"{self._lost_rows:,} rows that were heard are not recorded",
                "what stands above says since when and why",
            )

    def _heard(self, status: FeedStatus) -> None:
        self._status = status
        self._stood = self._stood or status.state == "live"
        if status.state in ("refused", "closed"):
            return  # the error at the end says it
        said = f"{status.state}: {status.message}" if status.message else status.state
        self._tell("status", said)

    def _reported(self, report: FeedReport) -> None:
        before, self._report = self._report, report
        if report.window:
            self._tell("window", f"quotes of {report.window}")
        elif report.listed:
            self._tell("window", f"{report.listed:,} contracts")
        known = len(self._interest)
        # Some venues tell it contract by contract, all day.
        if known > 1.1 * self._interest_told:
            self._interest_told = known
            self._line(f"open interest of {known:,} contracts")
        if report.heard_from and report.heard_from != before.heard_from:
            self._tell("heard", f"prints since {et(report.heard_from):%Y-%m-%d %H:%M:%S}")
        for note in report.notes:
            if note not in before.notes:
                self._line(note)
        for name, what in (("gaps", "prints are missing"), ("dropped", "messages were dropped")):
            if (count := getattr(report, name)) > getattr(before, name):
                self._tell(name, f"{count:,} {what}")

    def _tell(self, about: str, said: str) -> None:
        if self._said.get(about) != said:
            self._said[about] = said
            self._line(said)

    def _line(self, said: str) -> None:
        self._say(f"{et(self._clock.now_ns()):%H:%M:%S} {_shown(said)}")


def _shown(said: str) -> str:
    return redactor.text(text(said))
