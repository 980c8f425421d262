"""Alerts that outlive the session: one file of JSON lines for each day.

Several processes append to the same file. Each line is one write to a file opened with
O_APPEND, so lines stay whole; what is damaged all the same (a power cut, a full disk) is
skipped and counted. Acknowledgements are lines too: nothing is ever rewritten.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from gexterm.alerts.model import Alert, as_dict, from_dict
from gexterm.errors import OutputError
from gexterm.market.calendar import et

VERSION = 1
"""Of the lines."""
LONGEST = 16_384
"""Bytes of a line; a longer one is not ours."""
LARGEST = 64_000_000
"""Bytes of a day's file beyond which no more is written: something floods it."""
_ACKS_PER_LINE = 200


@dataclass(frozen=True, slots=True)
class Kept:
    """What was read of a history."""

    alerts: tuple[Alert, ...]
    """Oldest first, acknowledged ones marked so."""
    damaged: int = 0
    """Lines that made no sense and were skipped."""


class AlertHistory:
    """The history in one folder. Methods block; whoever must not wait uses `AlertBook`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        """Where the files lie."""
        self._whole: set[Path] = set()

    def days(self) -> tuple[dt.date, ...]:
        """Days with a file, ascending."""
        found = []
        with contextlib.suppress(OSError):
            for path in self.folder.glob("*.jsonl"):
                with contextlib.suppress(ValueError):
                    found.append(dt.date.fromisoformat(path.stem))
        return tuple(sorted(found))

    def path(self, day: dt.date) -> Path:
        """The file of a day, of New York."""
        return self.folder / f"{day.isoformat()}.jsonl"

    def add(self, alert: Alert) -> None:
        """Append an alert. Raises OutputError where that cannot be done."""
        self._append(day_of(alert.at), {"v": VERSION, "type": "alert", **as_dict(alert)})

    def acknowledge(self, day: dt.date, ids: Iterable[str]) -> None:
        """Append that these alerts of a day were seen to. Raises OutputError."""
        names = list(ids)
        for begin in range(0, len(names), _ACKS_PER_LINE):
            some = names[begin : begin + _ACKS_PER_LINE]
            self._append(day, {"v": VERSION, "type": "ack", "ids": some})

    def read(self, day: dt.date) -> Kept:
        """The alerts of a day. A day without a file has none.

        Raises OutputError where the file is there and cannot be read.
        """
        alerts: dict[str, Alert] = {}
        acknowledged: set[str] = set()
        damaged = 0
        try:
            with self.path(day).open("rb") as file:
                for line in _lines(file):
                    try:
                        self._take(line, alerts, acknowledged)
                    except (ValueError, TypeError, RecursionError):
                        damaged += 1
        except FileNotFoundError:
            return Kept(())
        except OSError as error:
            raise OutputError(f"{self.path(day)} cannot be read: {error.strerror}") from None
        # Two monitors of one market append side by side.
        found = sorted(alerts.values(), key=lambda alert: alert.at)
        seen = (replace(a, acknowledged=True) if a.id in acknowledged else a for a in found)
        return Kept(tuple(seen), damaged)

    def prune(self, today: dt.date, days: int) -> int:
        """Remove files of days more than `days` before today; how many were removed."""
        gone = 0
        for day in self.days():
            if (today - day).days > days:
                with contextlib.suppress(OSError):
                    self.path(day).unlink()
                    gone += 1
        return gone

    @staticmethod
    def _take(line: bytes, alerts: dict[str, Alert], acknowledged: set[str]) -> None:
        table = json.loads(line)
        if not isinstance(table, dict) or table.get("v") != VERSION:
            raise ValueError("of another version")
        if table.get("type") == "ack":
            ids = table["ids"] if isinstance(table.get("ids"), list) else None
            if ids is None or not all(isinstance(name, str) for name in ids):
                raise ValueError("no ids")
            acknowledged.update(ids)
        elif table.get("type") == "alert":
            alert = from_dict(table)
            alerts.setdefault(alert.id, alert)
        else:
            raise ValueError("neither an alert nor an acknowledgement")

    def _append(self, day: dt.date, table: dict[str, object]) -> None:
        path = self.path(day)
        text = json.dumps(table, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        line = text.encode("utf-8", "replace") + b"\n"
        if path not in self._whole:
            # Whoever wrote last may have died within a line: ours must not be glued to it.
            line = b"\n" + line
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
            handle = os.open(path, flags, 0o600)
            try:
                if os.fstat(handle).st_size > LARGEST:
                    raise OutputError(f"{path} is full", "something floods the history")
                self._whole.discard(path)
                if os.write(handle, line) != len(line):
                    raise OutputError(f"{path} cannot be written", "the disk may be full")
                self._whole.add(path)
            finally:
                os.close(handle)
        except OSError as error:
            raise OutputError(f"{path} cannot be written: {error.strerror}") from None


def day_of(at: int) -> dt.date:
    """The day in New York of a market time, ns."""
    return et(at).date()


def _lines(file: Iterable[bytes]) -> Iterator[bytes]:
    """Lines that are not blank; of one that is too long only so much that it is damaged."""
    for line in file:
        line = line.strip()
        if line:
            yield line if len(line) <= LONGEST else b"?"
