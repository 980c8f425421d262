"""When a snapshot is due of its own accord: on a timetable, or on an alert.

Nothing here writes, waits or knows a clock: it is shown Readings and alerts in order, and
says why one should be kept now, or None. All times are the market's.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Protocol

from gexterm.market.timetable import Timetable, parse
from gexterm.reading.export import iso_time
from gexterm.reading.model import Reading
from gexterm.snapshots import wording
from gexterm.snapshots.meta import Taken, Why

NS = 1_000_000_000
GRACE_S = 120.0
"""How late after its slot a scheduled snapshot is still taken, seconds."""
JUMP_S = 240.0
"""Two Readings further apart than this are no passing of time but a jump, seconds."""


class Alert(Protocol):
    """What is asked of an alert; see `alerts.model.Alert`."""

    @property
    def at(self) -> int:
        """Market time, ns."""
        ...

    @property
    def kind(self) -> str:
        """What happened."""
        ...

    @property
    def severity(self) -> str:
        """How loud."""
        ...

    @property
    def text(self) -> str:
        """One line."""
        ...

    @property
    def level(self) -> float:
        """The line concerned, points."""
        ...

    @property
    def replay(self) -> bool:
        """Whether it is of no market in session."""
        ...


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a snapshot should be kept now."""

    why: Why
    """`schedule` or `alert`."""
    words: str
    """Which slot, which alert: for a person."""
    late_s: float = 0.0
    """How late after its slot, seconds."""
    alert: dict[str, Any] | None = None
    """The alert, as `snapshot.json` keeps it."""

    def taken(self, at_ns: int, note: str = "") -> Taken:
        """For `write_snapshot`; `at_ns` is wall time."""
        return Taken(self.why, at_ns, self.words, self.late_s, note, self.alert)


@dataclass(frozen=True, slots=True)
class KeeperSettings:
    """What can be set."""

    times: Timetable = field(default_factory=Timetable)
    """When."""
    on: Collection[str] = ()
    """Kinds of alerts and names of rules that have one taken; `any`: every one."""
    quiet_s: float = 300.0
    """At most one on an alert in so much market time, seconds."""
    replays: bool = False
    """Whether replays, simulations and files are kept of their own accord, too."""

    @classmethod
    def of(
        cls, times: str, on: str, quiet_s: float = 300.0, replays: bool = False
    ) -> KeeperSettings:
        """As the settings have them: a timetable, and names with commas between."""
        names = frozenset(filter(None, (each.strip().lower() for each in on.split(","))))
        return cls(parse(times), names, quiet_s, replays)


class Keeper:
    """Asked with every Reading and every alert. Not thread-safe."""

    def __init__(self, settings: KeeperSettings) -> None:
        self.settings = settings
        self._seen = 0
        self._alerted = 0
        self._underlying = ""
        self._continuous = False

    def due(self, reading: Reading) -> Reason | None:
        """Whether a slot fell due between the Reading before and this one.

        A jump, a rewind and the first Reading make none due; neither does a slot that lies
        more than two minutes back. Of several, the latest is meant.
        """
        before, self._seen = self._seen, reading.as_of
        self._continuous = wording.around_the_clock(reading)
        if reading.underlying != self._underlying:
            self._underlying, before = reading.underlying, 0
        if not self.settings.times.times or not self._counts(reading.source.mode):
            return None
        slot = due_slot(self.settings.times, before, reading.as_of, continuous=self._continuous)
        if not slot:
            return None
        when, zone = wording.at_market(slot, False)
        return Reason("schedule", f"the {when:%H:%M} {zone} slot", (reading.as_of - slot) / NS)

    def wants(self, alert: Alert) -> Reason | None:
        """Whether an alert has one taken: its kind or its rule is named, and it is not too soon.

        After a rewind, a time that lies ahead no longer holds anything back.
        """
        on = self.settings.on
        rule = str(getattr(alert, "rule", "") or "")
        if not on or (alert.replay and not self.settings.replays):
            return None
        if not ({"any", alert.kind.lower(), rule.lower()} - {""}) & set(on):
            return None
        quiet = round(self.settings.quiet_s * NS)
        if self._alerted and 0 <= alert.at - self._alerted < quiet:
            return None
        self._alerted = alert.at
        told: dict[str, Any] = {
            "at": iso_time(alert.at),
            "kind": alert.kind,
            "rule": rule,
            "severity": alert.severity,
            "text": wording.clean(alert.text),
            "level": None if alert.level != alert.level else alert.level,
            "replay": alert.replay,
        }
        return Reason("alert", wording.clean(alert.text), alert=told)

    def reset(self) -> None:
        """Begin anew: time was sought. The next Reading makes nothing due."""
        self._seen = 0
        self._alerted = 0

    def _counts(self, mode: str) -> bool:
        return self.settings.replays or mode in ("live", "delayed")


def due_slot(times: Timetable, before_ns: int, now_ns: int, *, continuous: bool = False) -> int:
    """The latest slot after one market time up to another; 0: none that may still be taken.

    Pure. `before_ns` of 0: nothing was seen before.
    """
    if not before_ns or not 0 < now_ns - before_ns <= JUMP_S * NS:
        return 0
    slots = times.between(before_ns, now_ns, continuous=continuous)
    return slots[-1] if slots and now_ns - slots[-1] <= GRACE_S * NS else 0


__all__ = ["GRACE_S", "JUMP_S", "Alert", "Keeper", "KeeperSettings", "Reason", "due_slot"]
