"""What leaves a runner: events dated by the market's clock, and words on the connection."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from gexterm.clock import NS, Clock
from gexterm.errors import InputError
from gexterm.feeds.buffers import EventBuffer
from gexterm.feeds.protocol import FeedProtocol
from gexterm.feeds.secrets import redactor
from gexterm.feeds.settings import FeedCounters
from gexterm.feeds.tap import Tap
from gexterm.feeds.timing import MarketClock
from gexterm.market.events import ClockTick, Event, FeedState, FeedStatus
from gexterm.recording import codec

_ASSUMED_NS = 10 * NS
"""Without a word on the venue's clock for so long, ours is taken for right."""


class Outlet:
    """Everything that a runner says goes through here, and it knows what was said last."""

    def __init__(
        self, protocol: FeedProtocol, clock: Clock, pending_rows: int, tap: Tap | None
    ) -> None:
        self.counters = FeedCounters()
        self.market = MarketClock()
        """What time it is at the venue."""
        self.buffer = EventBuffer(pending_rows)
        """What waits to be taken."""
        self.state: FeedState = "connecting"
        """The last one told."""
        self.stood_at: int | None = None
        """Since when the connection stands, ns; None while the attempt has brought none."""
        self.due_from = 0
        """Since when rows are due, ns."""
        self._protocol = protocol
        self._clock = clock
        self._tap = tap
        # Of the ticks: since when we wait to hear the venue's time, and the last one made.
        self._began = 0
        self._ticked_at = 0
        self._ticked = 0
        self._told_dropped = 0
        self._told_malformed_at: int | None = None

    # -- events ----------------------------------------------------------------------------

    def emit(self, events: Sequence[Event], at: int, receipts: Collection[int] = ()) -> None:
        """Hand on what the protocol said at `at`, our time; see `MarketClock.dated`."""
        if not events:
            return
        if not self._protocol.lossless:
            events = [_safe(each) for each in self.market.dated(events, at, receipts)]
            self._note(events)
        self.counters.rows += self.buffer.add(events)

    def _note(self, events: Sequence[Event]) -> None:
        """What events say of the connection; whatever the market says proves it live."""
        said = [event for event in events if isinstance(event, FeedStatus)]
        if said:
            self.state = said[-1].state
        if self.stood_at is None or len(said) == len(events):
            return
        self.due_from = self._clock.now_ns()
        admitted = self._protocol.account.admitted
        if self.state in ("connecting", "reconnecting", "stale") and not said and admitted:
            self.tell("live")

    # -- market time -----------------------------------------------------------------------

    def tick(self, now: int, apart_ns: int) -> None:
        """Market time goes on, where it did not within `apart_ns`."""
        market = self.market
        if not market.known:
            if not self._began or now - self._began < _ASSUMED_NS:
                self._began = self._began or (now if self.stood_at is not None else 0)
                return
            market.assume()
            if self._tap is not None:
                self._tap.clock("assumed", now)
        ts = market.market_ns(now)
        if ts > self._ticked and not 0 <= now - self._ticked_at < apart_ns:
            self._ticked, self._ticked_at = ts, now
            self.buffer.add([ClockTick(ts)])

    def doubt(self, now: int) -> None:
        """Our clock was set, or stood still: what is known of the venue's is void."""
        self.market.doubt()
        if self._tap is not None:
            self._tap.clock("doubted", now)
        self._began = self.due_from = now

    # -- words -----------------------------------------------------------------------------

    def tell(self, state: FeedState, message: str = "", **detail: float) -> None:
        """How the connection is."""
        self.state = state
        self.buffer.add([FeedStatus(state, shown(message), dict(detail))])

    def tell_dropped(self) -> None:
        """If frames were dropped since it was last told, tell it."""
        dropped = self.counters.dropped
        if dropped > self._told_dropped:
            self._told_dropped = dropped
            said = f"{self._protocol.name}: {dropped} frames dropped, we are too slow"
            self.tell(self.state, said, dropped=dropped)

    def malformed(self, what: str, error: Exception) -> None:
        """Count what made no sense, and tell it, once a second at most."""
        self.counters.malformed += 1
        why = error.message if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
        said = shown(f"{self._protocol.name}: {what} makes no sense: {why}")
        self.counters.last_error = said
        now = self._clock.now_ns()
        if self._told_malformed_at is None or not 0 <= now - self._told_malformed_at < NS:
            self._told_malformed_at = now
            self.tell(self.state, said, malformed=self.counters.malformed)


def shown(message: str) -> str:
    """Words that may hold a venue's, made safe to show."""
    return codec.text(redactor.text(message))


def _safe(event: Event) -> Event:
    """Words of a protocol may hold a venue's."""
    if isinstance(event, FeedStatus):
        return FeedStatus(event.state, shown(event.message), event.detail)
    return event
