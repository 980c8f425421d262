"""What an alert is."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, Literal, get_args

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
    # From here on, rules of the user's own.
    "level",
    "distance",
    "paradigm",
    "probability",
    "flip",
    "wall",
    "regime",
    "feed",
    "hedge flow",
    "gex",
    "views",
    # And one that says only that it arrives.
    "test",
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
    rule: str = ""
    """Name of the rule: the user's own, or the kind."""
    underlying: str = ""
    """Index or stock."""
    mode: str = ""
    """How the data reached us, as of `Source.mode`."""
    view: str = ""
    """Sign view behind it."""
    deliver: tuple[str, ...] | None = None
    """Deliveries that its rule names; None: all whose least severity is reached."""
    id: str = ""
    """The same for the same alert, wherever it is seen."""
    acknowledged: bool = False
    """Whether somebody has seen to it."""


SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""From the least to the loudest."""
KINDS: tuple[AlertKind, ...] = get_args(AlertKind)
"""Every kind."""


def loudness(severity: str) -> int:
    """0 for info up to 2 for warning; -1 for what is none."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else -1


def stamped(alert: Alert, underlying: str, mode: str, view: str) -> Alert:
    """With where it comes from, and its id.

    The id is made of what is said, when, and of what: the same Readings give the same ids.
    """
    said = (underlying, mode, str(alert.at), alert.kind, alert.rule, alert.text)
    digest = blake2b("\x1f".join(said).encode("utf-8", "replace"), digest_size=6).hexdigest()
    rule = alert.rule or alert.kind
    return replace(alert, underlying=underlying, mode=mode, view=view, rule=rule, id=digest)


def as_dict(alert: Alert) -> dict[str, Any]:
    """For JSON: NaN becomes None, lists are lists. Without what the reader decides."""
    return {
        "id": alert.id,
        "at": alert.at,
        "kind": alert.kind,
        "rule": alert.rule,
        "severity": alert.severity,
        "text": alert.text,
        "level": alert.level if math.isfinite(alert.level) else None,
        "underlying": alert.underlying,
        "mode": alert.mode,
        "view": alert.view,
        "replay": alert.replay,
    }


def from_dict(table: dict[str, Any]) -> Alert:
    """What `as_dict` made. Raises ValueError where it is none of that."""
    texts = ("id", "kind", "rule", "severity", "text", "underlying", "mode", "view")
    words: dict[str, Any] = {name: table.get(name) for name in texts}
    at, level, replay = table.get("at"), table.get("level"), table.get("replay")
    if not all(isinstance(word, str) for word in words.values()) or not words["id"]:
        raise ValueError("a text is missing")
    if words["kind"] not in KINDS or words["severity"] not in SEVERITIES:
        raise ValueError("no kind or severity of ours")
    if type(at) is not int or not isinstance(replay, bool):
        raise ValueError("no time, or no word on replay")
    if level is not None and (isinstance(level, bool) or not isinstance(level, int | float)):
        raise ValueError("the level is no number")
    return Alert(at=at, level=math.nan if level is None else float(level), replay=replay, **words)
