"""Raw frames through a fresh protocol: the events again, as the market said them.

The same frames, answers and times in the same order make the same protocol say the same,
bit for bit: a mistake in reading a venue can be mended afterwards, and a real session
becomes a test. Dated by the market's clock as the runner does it (`feeds.timing`).

What the runner says on its own part (how the connection is, reports, ticks) is not in the
frames and does not come again. Nor do secrets: they were struck before anything was written.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence

from gexterm.errors import GextermError, InputError, RecordingError
from gexterm.feeds.protocol import Answer, FeedProtocol
from gexterm.feeds.retry import Retry, Stop
from gexterm.feeds.timing import MarketClock
from gexterm.market.events import Event
from gexterm.recording import frames
from gexterm.recording.frames import Entry, RawAnswer, RawVerdict

_Ask = Callable[[], Sequence[Event]]


class Refeed:
    """Hands entries of raw frames to a protocol. Nothing is sent or fetched.

    Give it a protocol as it was made for the session: same venue, underlying, options.
    """

    def __init__(self, protocol: FeedProtocol) -> None:
        self.market = MarketClock()
        """What time it was at the venue."""
        self.lost = 0
        """Frames that the recording lacks."""
        self.malformed = 0
        """Frames and answers that made no sense to this protocol."""
        self.last_error = ""
        """The last of them, for a person."""
        self._protocol = protocol
        self._receipts: set[int] = set()

    def take(self, entry: Entry) -> list[Event]:
        """The events that an entry makes, in order."""
        protocol, now = self._protocol, entry.time
        if entry.kind == frames.FRAME:
            self._receipts.add(now)
            events = self._said(lambda: protocol.receive(entry.data, now))
            return self._then(events, now)
        if entry.kind == frames.ANSWERED:
            return self._answered(entry)
        if entry.kind == frames.FLUSHED:
            events = self._said(protocol.flush)
            receipts, self._receipts = self._receipts, set()
            return self.market.dated(events, now, receipts) if events else []
        if entry.kind == frames.LOST:
            self.lost += entry.lost_frames
        elif entry.kind == frames.CLOCK:
            if entry.data == b"assumed":
                self.market.assume()
            else:
                self.market.doubt()
        else:
            # What these want sent was sent, and what came of it is among the entries.
            with contextlib.suppress(Exception):
                if entry.kind == frames.PREPARED:
                    protocol.prepare(now)
                elif entry.kind == frames.OPENED:
                    protocol.connect_url()
                    protocol.on_open(now)
                elif entry.kind == frames.TIMER:
                    protocol.on_timer(now)
                elif entry.kind == frames.CLOSED:
                    protocol.closed(_verdict(RawVerdict.unpack(entry.data)), now)
        return []

    def _answered(self, entry: Entry) -> list[Event]:
        protocol, now = self._protocol, entry.time
        try:
            kept = RawAnswer.unpack(entry.data)
            failure = None if kept.failure is None else _verdict(kept.failure)
        except RecordingError as error:
            self._refused(error)
            return []
        answer = Answer(kept.key, kept.status, dict(kept.headers), kept.body, now, failure)
        self._receipts.add(now)
        return self._then(self._said(lambda: protocol.answer(answer)), now)

    def _then(self, events: Sequence[Event], at: int) -> list[Event]:
        dated = self.market.dated(events, at) if events else []
        with contextlib.suppress(Exception):
            self._protocol.outgoing()
        return dated

    def _said(self, ask: _Ask) -> Sequence[Event]:
        try:
            return ask()
        except Exception as error:
            # As in the runner: a frame nobody foresaw costs itself.
            if isinstance(error, InputError) or not isinstance(error, GextermError):
                self._refused(error)
            return ()

    def _refused(self, error: Exception) -> None:
        self.malformed += 1
        self.last_error = str(error) or type(error).__name__


def refeed(entries: Iterable[Entry], protocol: FeedProtocol) -> Iterator[Event]:
    """Every event that entries of raw frames make of a fresh protocol, in order.

    Frames of a session that runs over several files (`FramesHeader.continues`) are
    chained by the caller: `itertools.chain(Frames(first), Frames(second))`.
    """
    feeding = Refeed(protocol)
    for entry in entries:
        yield from feeding.take(entry)


def _verdict(kept: RawVerdict) -> Retry | Stop:
    if kept.kind == "stop":
        return Stop(kept.reason, kept.hint)
    return Retry(kept.reason, kept.wait_s, kept.hint)
