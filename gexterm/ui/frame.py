"""One frame: all that a screen shows at one moment, handed to every widget."""

from __future__ import annotations

from dataclasses import dataclass, field

from gexterm.alerts.model import Alert
from gexterm.market.events import FeedReport, FeedStatus, SourceInfo
from gexterm.reading.day import DayLog
from gexterm.reading.inquiry import Inquiries
from gexterm.reading.model import Reading
from gexterm.session.model import RecordingState
from gexterm.ui.vitals import Vitals


@dataclass(frozen=True, slots=True)
class Greek:
    """One thing that a ladder can show by strike."""

    name: str
    """How the user calls it."""
    column: str
    """Column of `Reading.strikes`."""
    unit: str
    """What it is measured in, after the dollar and its prefix."""
    negative: str
    """What the left side means."""
    positive: str
    """What the right side means."""
    roles: tuple[str, str]
    """Colour roles of the left and the right side."""
    sense: str
    """What the side means in a sentence, for help."""


GREEKS: tuple[Greek, ...] = (
    Greek("gamma", "gex", "/1%", "short", "long", ("short", "long"),
          "delta that dealers gain when spot rises 1 %; long: they trade against the move"),
    Greek("charm", "charm", "/h", "buy", "sell", ("buy", "sell"),
          "delta that dealers gain in the next hour; gaining, they sell to stay hedged"),
    Greek("vanna", "vanna", "/pt", "buy", "sell", ("buy", "sell"),
          "delta that dealers gain when volatility rises one point; gaining, they sell"),
    Greek("vega", "vega", "/pt", "short", "long", ("short", "long"),
          "premium that dealers gain when volatility rises one point"),
    Greek("delta", "delta", "", "short", "long", ("short", "long"),
          "dollars of the underlying that the options are worth to dealers, before hedges"),
    Greek("decay", "decay", "", "buy", "sell", ("buy", "sell"),
          "delta that dealers gain until settlement if spot stays; gaining, they sell"),
)  # fmt: skip
"""What a ladder can show, in the order of the key."""

BY_NAME = {greek.name: greek for greek in GREEKS}
"""The same by name."""


@dataclass(frozen=True, slots=True)
class Beside:
    """The live session, while its past is on the screen."""

    at: int
    """Market time of its newest Reading, ns; 0 none."""
    alerts: int
    """Alerts since the past was entered."""
    state: str
    """State of its connection."""


@dataclass(frozen=True, eq=False, slots=True)
class Frame:
    """All that a screen shows at one moment."""

    info: SourceInfo
    """What is being listened to."""
    status: FeedStatus
    """The latest word on the connection."""
    reading: Reading | None = None
    """The Reading shown; None before the first."""
    greek: str = "charm"
    """What the first ladder shows."""
    look_back: bool = True
    """Whether look-back marks are drawn."""
    fresh: frozenset[str] = frozenset()
    """Levels that changed a moment ago: `paradigm`, `lis_upper`, `flip`, …"""
    alerts: tuple[Alert, ...] = ()
    """Alerts, oldest first."""
    paused: bool = False
    """Whether time stands still."""
    held: bool = False
    """Whether the market goes on and only the screen holds."""
    speed: float = 1.0
    """Seconds of the market per second."""
    replayable: bool = False
    """Whether time can be sought."""
    views: tuple[str, ...] = field(default=())
    """Sign views to choose from."""
    ended: bool = False
    """Whether no further Reading will come."""
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Keys by action, after the user's changes."""
    fps: float = 10.0
    """Most repaints per second."""
    recording: RecordingState | None = None
    """How the recording goes; None where there is nothing to record."""
    report: FeedReport | None = None
    """What the feed last said about itself, where it does."""
    screen: str = "desk"
    """Which screen shows it, as of `actions.SCREENS`."""
    day: DayLog | None = None
    """The day so far; None where there is none."""
    inquire: Inquiries | None = None
    """Whom to ask what the Reading does not hold. For screens: a painter asks nobody."""
    in_past: bool = False
    """Whether this is the past of a live session, which goes on meanwhile."""
    density: str = "compact"
    """`compact`, or `comfortable`: with more air."""
    beside: Beside | None = None
    """The live session that goes on while its past is shown; None otherwise."""
    hunting: str = ""
    """What is being looked for by running ahead: `alert`, `change of the paradigm`; or empty."""
    vitals: Vitals | None = None
    """How the monitor itself does."""
