"""Settings of alerts: rules of the user's own, thresholds of the built-in ones, deliveries.

`config_alerts_toml` reads them; what a rule then looks at is `alerts.own`'s business.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

SEVERITIES = ("info", "notice", "warning")
"""From the least to the loudest."""
LABELS = ("BofA", "GEX", "Anti-GEX", "Sidial", "Mixed")
"""Paradigms that can be waited for."""
ODDS = (*LABELS, "short gamma", "long gamma")
"""What has a probability where positions carry an uncertainty."""
LINES = ("flip", "lis", "lis_upper", "lis_lower", "target", "call_wall", "put_wall")
"""Lines that spot can be near to; `lis` is either of the two."""
REGIMES: Mapping[str, tuple[str, ...]] = {
    "gamma": ("long", "short", "neutral"),
    "skew": ("flat", "normal", "steep", "extreme"),
    "term": ("contango", "flat", "inverted"),
    "composite": ("stress", "amplify", "dampen", "transition", "neutral"),
}
"""Parts of the regime and their states."""
FLOWS = (
    "per_hour", "per_up_1pct", "per_down_1pct", "per_vol_point", "by_gamma", "by_vanna", "by_charm",
)  # fmt: skip
"""Hedge flow to come (`per_…`) and of the day so far (`by_…`)."""
KINDS = (
    "level", "distance", "paradigm", "probability", "flip", "wall", "regime", "feed", "hedge flow",
    "gex", "views",
)  # fmt: skip
"""Kinds of rules."""
DELIVERIES = ("toast", "bell", "terminal", "desktop", "apprise", "command")
"""Kinds of deliveries."""
BUILT_IN = (
    "lis approached", "lis touched", "lis breached", "lis restored", "target approached",
    "target hit", "paradigm changed", "signing doubtful", "flip crossed", "gamma changed",
    "wall moved", "feed stale", "feed reconnecting", "feed restored", "feed ended", "feed gap",
    "recording stopped", "recording restored", "settled",
)  # fmt: skip
"""Alerts that need no rule of the user's, and that `off` may name."""

Way = Literal["up", "down", "either"]


@dataclass(frozen=True, slots=True)
class Length:
    """A distance on the price axis."""

    value: float
    """How much of it."""
    unit: Literal["points", "percent", "sigma"] = "points"
    """Points, per cent of spot, or today's remaining standard deviations."""

    def points(self, spot: float, sigma: float) -> float:
        """In points; NaN where what it is measured by is not known."""
        scale = {"points": 1.0, "percent": spot / 100.0, "sigma": sigma}
        return self.value * scale[self.unit]


@dataclass(frozen=True, slots=True)
class Level:
    """Spot crosses a price."""

    price: float
    """Points."""
    when: Way = "either"
    """In which direction."""


@dataclass(frozen=True, slots=True)
class Near:
    """Spot comes near a line, or a price."""

    to: str | float
    """One of `LINES`, or points."""
    within: Length
    """How near."""


@dataclass(frozen=True, slots=True)
class Label:
    """The 0DTE paradigm becomes, or is no longer, a label."""

    label: str
    """One of `LABELS`."""
    leaves: bool = False
    """Whether it is waited for to go."""
    least: float = math.nan
    """P of the label that then holds, from which on it counts; NaN: as built in."""


@dataclass(frozen=True, slots=True)
class Odds:
    """A probability rises above, or falls below."""

    label: str
    """One of `ODDS`."""
    bound: float
    """0 to 1."""
    above: bool = True
    """Whether above it; else below."""


@dataclass(frozen=True, slots=True)
class FlipCrossed:
    """Spot changes sides of the flip."""

    when: Way = "either"
    """In which direction spot goes."""


@dataclass(frozen=True, slots=True)
class FlipMoved:
    """The flip itself moves."""

    by: Length
    """By more than this."""
    within_s: float = 600.0
    """In this much market time, seconds."""


@dataclass(frozen=True, slots=True)
class Wall:
    """A wall stands elsewhere."""

    which: Literal["call", "put", "either"] = "either"
    """Which of the two."""
    by: float = 0.0
    """At least so many points from where it was."""
    holds_s: float = 30.0
    """And stays there for this much market time, seconds."""


@dataclass(frozen=True, slots=True)
class RegimeIs:
    """A part of the regime becomes something."""

    part: str
    """One of `REGIMES`."""
    becomes: str
    """One of its states."""


@dataclass(frozen=True, slots=True)
class FeedIs:
    """Something about the data."""

    what: Literal["stale", "quoted_below", "signed_below", "gaps", "dropped", "reconnects"]
    """What."""
    bound: float = 1.0
    """Seconds, a share from 0 to 1, or how many more."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Hedge flow beyond a size."""

    of: str
    """One of `FLOWS`."""
    above: float
    """$ of delta."""
    side: Literal["buy", "sell", "either"] = "either"
    """What the dealer does."""


@dataclass(frozen=True, slots=True)
class GexIs:
    """GEX above or below a size, or of another sign."""

    of: Literal["scope", "0dte"] = "scope"
    """Of the chosen expiries, or of today's alone."""
    bound: float = 0.0
    """$ per 1 %; without meaning for `sign`."""
    how: Literal["above", "below", "sign"] = "sign"
    """What is waited for."""


@dataclass(frozen=True, slots=True)
class ViewsDisagree:
    """The sign views come to disagree."""

    on: Literal["gamma", "flip", "paradigm", "any"] = "any"
    """On what."""


What = (
    Level | Near | Label | Odds | FlipCrossed | FlipMoved | Wall | RegimeIs | FeedIs | Flow | GexIs
    | ViewsDisagree
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AlertRule:
    """A rule of the user's own: one table `[[alert]]`."""

    kind: str
    """One of `KINDS`."""
    what: What
    """What is waited for."""
    name: str = ""
    """How the user calls it; stands before the text of its alerts."""
    underlying: tuple[str, ...] = ()
    """For which; empty: for every one."""
    severity: Literal["info", "notice", "warning"] = "notice"
    """How loud it is."""
    quiet: float = math.nan
    """At most once in this much market time, seconds; NaN: as the built-in rules."""
    hysteresis: Length | float | None = None
    """How far a thing must go back before it counts again, in the rule's own unit."""
    hours: tuple[int, int] | None = None
    """From and to, minutes after midnight in New York; None: always."""
    once: bool = False
    """Whether at most once in a day."""
    deliver: tuple[str, ...] | None = None
    """Deliveries by name; None: all whose least severity is reached."""
    written: Mapping[str, object] = field(default_factory=dict, compare=False)
    """The table as it stands in the file, to be shown again."""


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """What can be set for alerts in general, under `[alerts]`."""

    off: tuple[str, ...] = ()
    """Built-in alerts that are not wanted, by kind."""
    quiet: float = 120.0
    """Quiet period, seconds of market time."""
    near_sigma: float = 0.25
    """A line is approached within this many remaining standard deviations."""
    far_sigma: float = 0.40
    """It has been left again beyond this many."""
    touch_sigma: float = 0.05
    """It is touched within this many …"""
    touch_percent: float = 0.02
    """… or within this much of spot, per cent, if that is more."""
    wall_holds: float = 30.0
    """A wall has moved when it stays for this long, seconds of market time."""
    sure: float = 0.6
    """P(label) from which on a label is told."""
    doubtful: float = 0.4
    """P(label) below which a label is taken back."""
    sure_gamma: float = 0.8
    """P from which on a gamma state is told."""
    stale_after: float = 90.0
    """A feed is stale after this long, seconds of market time."""
    history_days: int = 90
    """Days for which the history of alerts is kept; 0: none is kept."""
    deliver_replays: bool = False
    """Whether alerts of replays and simulations are delivered too."""


@dataclass(frozen=True, slots=True)
class DeliverySettings:
    """One way out, under `[delivery.NAME]`."""

    kind: str
    """One of `DELIVERIES`."""
    severity: Literal["info", "notice", "warning", "off"] = "notice"
    """The least that goes this way; `off`: nothing does."""
    quiet: float = 0.0
    """At most one in this much time, seconds; only what is more severe goes through."""
    style: Literal["auto", "osc9", "osc777"] = "auto"
    """Escape sequence of a `terminal` notification."""
    command: tuple[str, ...] = ()
    """Program and arguments of a `command`."""
    timeout: float = 10.0
    """After this many seconds it has failed."""


TOAST_QUIET_S = 5.0
"""Seconds between two toasts, unless told otherwise: they stand before the numbers."""
DEFAULT_DELIVERIES: Mapping[str, DeliverySettings] = {
    "toast": DeliverySettings("toast", quiet=TOAST_QUIET_S)
}
"""Ways that need no table; one of the same name takes their place."""
