"""What an alert is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

AlertKind = Literal[
    "lis approached",
    "lis touched",
    "lis breached",
    "lis restored",
    "target approached",
    "target hit",
    "paradigm changed",
    "signing doubtful",
    "flip crossed",
    "gamma changed",
    "wall moved",
    "feed stale",
    "feed reconnecting",
    "feed restored",
    "feed ended",
    "feed gap",
    "recording stopped",
    "recording restored",
    "settled",
]
"""What happened. See `docs/alerts.md` for the rule behind each."""

Severity = Literal["info", "notice", "warning"]
"""info: good to know. notice: look now. warning: do not rely on the screen, or a line broke."""


@dataclass(frozen=True, slots=True)
class Alert:
    """Something happened between two Readings."""

    at: int
    """Market time of the Reading that shows it, ns since 1970 UTC."""
    kind: AlertKind
    """What happened."""
    severity: Severity
    """How loud it deserves to be."""
    text: str
    """One line for a person, no markup."""
    level: float
    """The line, strike or flip concerned, points; NaN where there is none."""
    replay: bool
    """Whether it comes from a replay or a simulation and not from a market in session."""
