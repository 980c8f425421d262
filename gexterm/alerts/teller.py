"""Saying a thing once: the quiet period, in market time.

A rule that wants to speak too soon is refused. If what it has to say is a state (a line
is breached), it asks again with the next Reading for as long as that is so: put off is
not lost, and what has passed in the meantime is never said. A moment (a line is
approached) has then gone by.
"""

from __future__ import annotations

from collections.abc import Mapping

from gexterm.alerts.model import Alert, AlertKind, Severity

NAN = float("nan")
NS = 1_000_000_000

Said = Mapping[tuple[AlertKind, str], int]
"""Kind and what it was about, to when it was last said, ns."""


class Teller:
    """Collects the alerts of one Reading."""

    def __init__(
        self,
        at: int,
        said: Said,
        quiet_s: float,
        replay: bool,
        off: frozenset[str] = frozenset(),
    ) -> None:
        self._off = off
        self.at = at
        self.said = dict(said)
        self.alerts: list[Alert] = []
        self._quiet = round(quiet_s * NS)
        self._replay = replay

    def tell(
        self,
        kind: AlertKind,
        severity: Severity,
        text: str,
        *,
        about: str = "",
        level: float = NAN,
    ) -> bool:
        """Say it, unless the same kind about the same thing was said a moment ago."""
        key = (kind, about)
        last = self.said.get(key)
        if last is not None and 0 <= self.at - last < self._quiet:
            return False
        self.said[key] = self.at
        if kind in self._off:
            return True  # taken note of, so that it is no news when it is wanted again
        self.alerts.append(Alert(self.at, kind, severity, printable(text), level, self._replay))
        return True


def printable(text: str) -> str:
    """Without control characters: a feed's words may stand in it, its escape codes may not."""
    return "".join(c if c.isprintable() else " " for c in text)


def money(value: float) -> str:
    """An amount for a person: `$2.10bn`, `−$310M`."""
    sign, size = ("−" if value < 0 else ""), abs(value)
    for scale, prefix in ((1e12, "T"), (1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if size >= 0.9995 * scale:
            figures = size / scale
            places = 2 if figures < 9.995 else 1 if figures < 99.95 else 0
            return f"{sign}${figures:.{places}f}{prefix}"
    return f"{sign}${size:.0f}"


def points(value: float) -> str:
    """A level for a person: thousands apart, decimals only where there are any."""
    return f"{value:,.2f}".removesuffix("0").removesuffix(".0")
