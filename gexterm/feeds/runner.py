"""The one runner of every feed, whatever the protocol: websocket, stream or requests only.

An attempt is: what must be had over HTTP first, a connection, and then three tasks, so
that a busy moment never makes us the slow reader:

    reading   awaits the socket and puts frames, with their receipt time, on a queue
    parsing   takes them off, asks the protocol what they say, sends what it wants sent;
              answers to requests come the same way, in the order of their arrival
    timing    lets the protocol do what is due, notices silence and dead lines

Beside them, for as long as the runner lives, the beat: market time goes on (quotes must
be seen to age when the line is down), reports are made, and a machine that slept is
noticed. A lossless sender (a replay) brings its own time: nothing of that applies to it.

What happens when the taker of the events is slow, in this order, so that no print is lost
while there is any room:

 1. Nothing is flushed before the taker has taken what waits, for `flush_s` at most: quotes
    are conflated inside the protocol, where it is cheapest.
 2. With `flush_rows` waiting nothing is flushed at all until they are taken. Parsing goes
    on: quotes replace each other in the protocol, prints gather there.
 3. After `held_bytes` of frames parsed like that, parsing waits, and the queue of frames
    fills up.
 4. With that full as well, a lossless sender is read more slowly. A venue costs frames:
    they are counted and told, and prints are known without interruption only from then on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from types import TracebackType

from gexterm.clock import NS, Clock
from gexterm.errors import GextermError, InputError
from gexterm.feeds.buffers import EventBuffer, FrameQueue, Item, Lost
from gexterm.feeds.fetch import MOST_AT_ONCE, Errands, Fetcher
from gexterm.feeds.protocol import Answer, Command, FeedProtocol, Outgoing, Request
from gexterm.feeds.retry import PassingError, Retry, Stop, classify, delay_s, of_status
from gexterm.feeds.secrets import redactor
from gexterm.feeds.tap import Tap
from gexterm.feeds.timing import MarketClock, span
from gexterm.feeds.transport import Patience, Transport, host_of, opened
from gexterm.market.events import ClockTick, Event, FeedReport, FeedState, FeedStatus
from gexterm.recording import codec

_log = logging.getLogger(__name__)
# Without a handler of any kind, Python would print to the terminal we draw on.
_log.addHandler(logging.NullHandler())

_PARSE_BURST = 64
"""Frames parsed before others get a turn."""
_ROUNDS = 1000
"""Rounds of requests before connecting, at most."""
_TICK_NS = NS // 10
"""Market time goes on at least this often."""
_ASSUMED_NS = 10 * NS
"""Without a word on the venue's clock for so long, ours is taken for right."""
_ASLEEP_NS = 30 * NS
"""A clock that has moved by so much more than expected: the machine slept, or it was set."""
_PONG_NS = 5 * NS
"""How long a connection may take to prove that it survived."""
_LOOK_S = 5.0
"""How often whoever sleeps makes sure that the clock was not set back: it would be long."""


@dataclass(frozen=True, slots=True)
class RunnerSettings:
    """How patient a runner is, and how much it holds."""

    open_timeout_s: float = 10.0
    """Seconds for a connection to stand, handshake included."""
    ping_s: float = 20.0
    """Seconds between keep-alive pings."""
    pong_s: float = 20.0
    """Seconds for the answer, after which the connection counts as broken."""
    close_timeout_s: float = 2.0
    """Seconds for the other side to say good-bye."""
    retry_first_s: float = 0.5
    """Seconds before the first retry, doubled with each further one."""
    retry_most_s: float = 30.0
    """Seconds between retries, at most, unless the server asks for more."""
    settled_s: float = 10.0
    """A connection that lasted this long sets the retries back to the first."""
    tries: int | None = None
    """Failed attempts in a row before giving up; None: never."""
    max_message: int = codec.MAX_FRAME + (1 << 20)
    """Most bytes of one message."""
    queue_frames: int = 10_000
    """Most frames that wait to be parsed."""
    queue_bytes: int = 64 * 1024 * 1024
    """Most bytes of them."""
    pending_rows: int = 1_000_000
    """Rows of events that wait to be taken, beyond which parsing waits."""
    flush_s: float = 0.05
    """Seconds between flushes, at most, while there is room."""
    flush_rows: int = 50_000
    """Rows that wait to be taken, beyond which nothing is flushed."""
    held_bytes: int = 64 * 1024 * 1024
    """Bytes of frames parsed since the last flush, beyond which parsing waits as well."""


@dataclass(slots=True)
class FeedCounters:
    """What a runner has seen so far."""

    frames: int = 0
    """Frames received."""
    bytes: int = 0
    """Bytes received."""
    rows: int = 0
    """Rows of quotes, trades, … parsed."""
    dropped: int = 0
    """Frames dropped because the queue was full."""
    malformed: int = 0
    """Frames and answers that made no sense."""
    connects: int = 0
    """Connections that stood."""
    reconnects: int = 0
    """Connections that stood after an earlier one had."""
    last_error: str = ""
    """The last thing that went wrong."""
    last_frame: int = 0
    """Receipt time of the last frame, ns; 0 before the first."""


class FeedRunner:
    """Keeps a feed connected; `events` yields what it says. An async context manager.

    `rng` is where the jitter of the retries comes from, `tap` is shown everything that the
    protocol is handed. When there is no point in going on, the last batch holds a
    FeedStatus that says why and `events` ends.
    """

    def __init__(
        self,
        protocol: FeedProtocol,
        clock: Clock,
        *,
        rng: random.Random,
        settings: RunnerSettings | None = None,
        tap: Tap | None = None,
    ) -> None:
        self.counters = FeedCounters()
        self.market = MarketClock()
        """What time it is at the venue."""
        self._protocol = protocol
        self._clock = clock
        self._rng = rng
        self._tap = tap
        self._settings = settings or RunnerSettings()
        self._flush_ns = round(self._settings.flush_s * NS)
        self._buffer = EventBuffer(self._settings.pending_rows)
        self._fetcher = Fetcher(clock)
        self._state: FeedState = "connecting"
        # Of the connection that stands:
        self._transport: Transport | None = None
        self._queue: FrameQueue | None = None
        self._errands: Errands | None = None
        self._broken: asyncio.Future[None] | None = None
        self._checking: asyncio.Task[None] | None = None
        self._host = ""
        self._stood_at: int | None = None
        self._due_from = 0
        self._watched_from = 0
        self._parsed = 0
        # Of the protocol: whether no thread is with it, what it was handed since the last flush.
        self._free = asyncio.Event()
        self._free.set()
        self._receipts: set[int] = set()
        self._held = 0
        self._flushed_at = 0
        # Of the life of the runner:
        self._began = 0
        self._ticked_at = 0
        self._ticked = 0
        self._away_ns = 0
        self._away_from: int | None = None
        self._hole_at = 0
        self._made = ""
        self._told_dropped = 0
        self._told_malformed_at: int | None = None
        self._task: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._leaving = False

    # -- life ------------------------------------------------------------------------------

    async def __aenter__(self) -> FeedRunner:
        self._task = asyncio.create_task(self._run(), name=f"feed {self._protocol.name}")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def events(self) -> AsyncIterator[list[Event]]:
        """Batches of events, until the feed is closed or gives up. For one taker."""
        while (batch := await self._buffer.take()) is not None:
            yield batch

    async def send(self, command: Command) -> None:
        """Ask something of the feed. Without a connection it is lost, as a key press is."""
        await self._free.wait()
        if self._transport is not None:
            for frame in self._protocol.send(command):
                await self._transport.send(frame)

    async def close(self) -> None:
        """Hang up and end `events`. Harmless when repeated."""
        self._leaving = True
        if self._transport is not None:
            # Left to the cancellation below, the other side would hear of an error (1011).
            with contextlib.suppress(Exception):
                await self._transport.close()
        # Not the one that tidies up after them.
        for task in self._tasks:
            task.cancel()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
        self._buffer.close()

    async def _run(self) -> None:
        if self._leaving:
            return
        tasks = self._tasks = [asyncio.create_task(self._attempts(), name="attempts")]
        if not self._protocol.lossless:
            self._buffer.taken = self._flush_when_taken
            tasks.append(asyncio.create_task(self._beat(), name="beat"))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if not task.cancelled() and (error := task.exception()) is not None:
                    _log.error("the runner of %s ended", self._protocol.name, exc_info=error)
                    self._tell("closed", f"internal error: {type(error).__name__}: {error}")
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._fetcher.close()
            if not self._protocol.lossless:
                self._report(self._clock.now_ns())
            self._buffer.close()

    # -- attempts ----------------------------------------------------------------------------

    async def _attempts(self) -> None:
        """Connect, and again, until it makes no sense any more."""
        failures = 0
        settings = self._settings
        while True:
            self._stood_at = None
            if not failures:
                self._tell("reconnecting" if self.counters.connects else "connecting")
            verdict = await self._until_it_breaks()
            if self._leaving:
                return
            self.counters.last_error = _shown(verdict.reason)
            failures = 1 if self._settled() else failures + 1
            said = f"{self._protocol.name}: {verdict.reason}"
            hint = f"; {verdict.hint}" if verdict.hint else ""
            if isinstance(verdict, Stop):
                self._tell_last("refused", f"{said}{hint}")
                return
            if settings.tries is not None and failures >= settings.tries:
                tries = "the first try" if failures == 1 else f"{failures} tries"
                self._tell_last("closed", f"{said}; gave up after {tries}{hint}", tries=failures)
                return
            wait_s = delay_s(failures, self._rng, settings.retry_first_s, settings.retry_most_s)
            wait_s = max(wait_s, verdict.wait_s)
            said = f"{said}; next try in {wait_s:.1f} s{hint}"
            self._tell("reconnecting", said, tries=failures, retry_in_s=wait_s)
            await self._sleep(self._clock.now_ns() + round(wait_s * NS))

    async def _until_it_breaks(self) -> Retry | Stop:
        verdict: Retry | Stop
        try:
            await self._attempt()
            verdict = classify(EOFError())
        except _RefusedError as refused:
            verdict = refused.verdict
        except Exception as error:
            _log.debug("%s: %s", self._protocol.name, type(error).__name__)
            verdict = classify(error, self._host, stood=self.counters.connects > 0)
        if self._leaving:
            return verdict
        now = self._clock.now_ns()
        try:
            return self._protocol.closed(verdict, now)
        except Exception as error:
            return classify(error, self._host)
        finally:
            if self._tap is not None:
                self._tap.closed(verdict, now)

    def _settled(self) -> bool:
        """Whether the connection that just ended had lasted."""
        if self._stood_at is None:
            return False
        return self._clock.now_ns() - self._stood_at >= self._settings.settled_s * NS

    async def _attempt(self) -> None:
        """One connection, from what it needs beforehand to its end, which is an exception."""
        settings = self._settings
        self._host = ""
        await self._prepare()
        url = self._protocol.connect_url()
        self._host = host_of(url)
        patience = Patience(
            open_timeout_s=settings.open_timeout_s,
            ping_s=settings.ping_s,
            pong_s=settings.pong_s,
            close_timeout_s=settings.close_timeout_s,
            max_message=settings.max_message,
        )
        async with opened(url, patience) as transport:
            queue = FrameQueue(settings.queue_frames, settings.queue_bytes)
            broken = self._stand(transport, queue)
            try:
                now = self._clock.now_ns()
                wants = self._protocol.on_open(now)
                if self._tap is not None:
                    self._tap.opened(now)
                if self._protocol.lossless:
                    self._tell("live")
                await self._act(wants)
                await self._listen(transport, queue, broken)
            finally:
                await self._fall()

    def _stand(self, transport: Transport, queue: FrameQueue) -> asyncio.Future[None]:
        """The connection stands. The future it returns fails where it is found dead."""
        now = self._clock.now_ns()
        self._transport, self._queue, self._stood_at = transport, queue, now
        self._parsed = 0
        self._errands = Errands(self._fetcher.fetch, queue.answer)
        self._broken = asyncio.get_running_loop().create_future()
        self._due_from = self._watched_from = now
        if self._away_from is not None:
            self._away_ns += now - self._away_from
            self._away_from = None
        self.counters.last_frame = now
        self.counters.reconnects += self.counters.connects > 0
        self.counters.connects += 1
        return self._broken

    async def _fall(self) -> None:
        """The connection is gone: what was gathered over it is not."""
        errands, self._errands = self._errands, None
        if errands is not None:
            await errands.cancel()
        if self._checking is not None:
            self._checking.cancel()
            await asyncio.gather(self._checking, return_exceptions=True)
            self._checking = None
        self._flush()
        self._transport = self._queue = self._broken = None
        self._away_from = self._clock.now_ns()

    async def _prepare(self) -> None:
        """Fetch what the protocol needs before it connects."""
        gate = asyncio.Semaphore(MOST_AT_ONCE)

        async def fetched(request: Request) -> Answer:
            async with gate:
                return await self._fetcher.fetch(request)

        for _ in range(_ROUNDS):
            now = self._clock.now_ns()
            requests = self._protocol.prepare(now)
            if self._tap is not None:
                self._tap.prepared(now)
            if not requests:
                return
            self._host = host_of(requests[0].url)
            for answer in await asyncio.gather(*map(fetched, requests)):
                await self._answer(answer)
                if answer.failure is not None:
                    raise _RefusedError(_named(answer.failure, self._host))
                if not (200 <= answer.status < 300 or answer.status == 304):
                    verdict = of_status(answer.status, answer.retry_after_s)
                    raise _RefusedError(_named(verdict, self._host))
        raise GextermError("it asks without an end before it connects")

    # -- a connection's tasks --------------------------------------------------------------------

    async def _listen(
        self, transport: Transport, queue: FrameQueue, broken: asyncio.Future[None]
    ) -> None:
        reading = asyncio.create_task(self._read(transport, queue))
        parsing = asyncio.create_task(self._parse(queue))
        timing = asyncio.create_task(self._time(queue))
        tasks = [reading, parsing, timing]
        try:
            # Parsing ends after reading did, so that what arrived last still counts.
            done, _ = await asyncio.wait(
                [parsing, timing, broken], return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()
            await reading
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, transport: Transport, queue: FrameQueue) -> None:
        """Put frames on the queue, and do nothing else."""
        counters, now_ns = self.counters, self._clock.now_ns
        waits = self._protocol.lossless or transport.whole
        try:
            while True:
                frame = await transport.recv()
                now = now_ns()
                counters.frames += 1
                counters.bytes += len(frame)
                counters.last_frame = now
                if waits:
                    if not queue.offer(frame, now):
                        await queue.put(frame, now)
                elif not queue.add(frame, now):
                    counters.dropped += 1
                    self._hole_at = now
        finally:
            queue.close(now_ns())

    async def _parse(self, queue: FrameQueue) -> None:
        """Ask the protocol what frames say, until no more come."""
        protocol, buffer, now_ns = self._protocol, self._buffer, self._clock.now_ns
        lossless, most = protocol.lossless, self._settings.pending_rows
        flush_rows, held_bytes = self._settings.flush_rows, self._settings.held_bytes
        number = 0
        while True:
            if not len(queue):
                if queue.closed:
                    return
                if not buffer.rows:
                    self._flush()
                await queue.wait()
                continue
            item, at = queue.pop()
            number += 1
            events = (
                self._received(item, at) if type(item) is bytes else await self._other(item, at)
            )
            if events:
                self._emit(events, at)
            if wants := protocol.outgoing():
                await self._act(wants)
            if not lossless and not -1 < now_ns() - self._flushed_at < self._flush_ns:
                if buffer.rows < flush_rows:
                    self._flush()
                elif self._held > held_bytes:
                    await buffer.room(flush_rows)
            if buffer.rows >= most:
                await buffer.room()
            if number % _PARSE_BURST == 0:
                await asyncio.sleep(0)

    def _received(self, frame: bytes, at: int) -> Sequence[Event]:
        """What a frame says."""
        self._parsed += 1
        if not self._protocol.lossless:
            self._held += len(frame)
            self._receipts.add(at)
        try:
            return self._protocol.receive(frame, at)
        except Exception as error:
            # Else a frame nobody foresaw. The feed is hostile; the monitor goes on.
            if isinstance(error, GextermError) and not isinstance(error, InputError):
                raise
            self._malformed(f"frame {self._parsed} ({len(frame)} bytes)", error)
            return ()
        finally:
            if self._tap is not None:
                self._tap.frame(frame, at)

    async def _other(self, item: Item, at: int) -> Sequence[Event]:
        if isinstance(item, Answer):
            await self._answer(item)
        elif isinstance(item, Lost) and self._tap is not None:
            self._tap.lost(item.frames, at)
        return ()

    async def _answer(self, answer: Answer) -> None:
        """Ask the protocol what an answer says, on a thread if it wants that."""
        self._receipts.add(answer.recv_ns)
        try:
            if self._protocol.answers_on_thread:
                events = await self._on_thread(answer)
            else:
                events = self._protocol.answer(answer)
        except Exception as error:
            if isinstance(error, GextermError) and not isinstance(error, InputError):
                raise
            self._malformed(f"the answer to {answer.key} ({len(answer.body)} bytes)", error)
            events = []
        finally:
            if self._tap is not None:
                self._tap.answered(answer)
        self._emit(events, answer.recv_ns)

    async def _on_thread(self, answer: Answer) -> list[Event]:
        self._free.clear()
        working = asyncio.ensure_future(asyncio.to_thread(self._protocol.answer, answer))
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            # A thread cannot be told to stop, and the protocol is its own until it does.
            await asyncio.wait([working])
            raise
        finally:
            self._free.set()

    async def _time(self, queue: FrameQueue) -> None:
        """Once a second: what is due by the protocol, silence, dead lines, drops."""
        while True:
            await self._sleep(self._clock.now_ns() + NS)
            await self._free.wait()
            now = self._clock.now_ns()
            wants = self._protocol.on_timer(now)
            if self._tap is not None:
                self._tap.timer(now)
            await self._act(wants)
            queue.mark(now)
            self._watch(now)

    def _watch(self, now: int) -> None:
        protocol = self._protocol
        silent_s = (now - max(self.counters.last_frame, self._watched_from)) / NS
        if silent_s > protocol.dead_s():
            raise PassingError(f"nothing has come for {silent_s:.0f} s, not even a heartbeat")
        quiet_s = protocol.quiet_s(now)
        if math.isinf(quiet_s):
            # Rows are due from when they are due, not from when they last came.
            self._due_from = now
            if self._state == "connecting" and self.counters.last_frame > self._watched_from:
                self._tell("live")
        silent_s = (now - self._due_from) / NS
        if silent_s > quiet_s and self._state in ("live", "connecting", "reconnecting"):
            said = f"{protocol.name}: nothing has come for {silent_s:.0f} s"
            self._tell("stale", said, silent_s=silent_s)
        if self.counters.dropped > self._told_dropped:
            self._told_dropped = self.counters.dropped
            said = f"{protocol.name}: {self._told_dropped} frames dropped, we are too slow"
            self._tell(self._state, said, dropped=self._told_dropped)

    async def _act(self, wants: Sequence[Outgoing]) -> None:
        """Send and fetch what the protocol wants."""
        for want in wants:
            if isinstance(want, Request):
                if self._errands is not None:
                    self._errands.want(want)
            elif self._transport is not None:
                await self._transport.send(want)

    # -- events out ------------------------------------------------------------------------------

    def _flush(self) -> None:
        """Take what the protocol has gathered."""
        if not self._free.is_set():
            return
        now = self._clock.now_ns()
        try:
            events = self._protocol.flush()
        except Exception as error:
            self._malformed("what was gathered", error)
            events = []
        self._held, self._flushed_at = 0, now
        receipts, self._receipts = self._receipts, set()
        if events:
            self._emit(events, now, receipts)
            if self._tap is not None:
                self._tap.flushed(now)
        if not self._protocol.lossless:
            self._tick(now, self._flush_ns)

    def _flush_when_taken(self) -> None:
        if self._queue is not None and not len(self._queue):
            self._flush()

    def _emit(self, events: Sequence[Event], at: int, receipts: set[int] | None = None) -> None:
        """Hand events on, dated by the market's clock."""
        if not events:
            return
        if not self._protocol.lossless:
            events = [_safe(each) for each in self.market.dated(events, at, receipts or ())]
            self._note(events)
        self.counters.rows += self._buffer.add(events)

    def _note(self, events: Sequence[Event]) -> None:
        """What events say of the connection; whatever the market says proves it live."""
        said = [event for event in events if isinstance(event, FeedStatus)]
        if said:
            self._state = said[-1].state
        if self._stood_at is None or len(said) == len(events):
            return
        self._due_from = self._clock.now_ns()
        if self._state in ("connecting", "reconnecting", "stale") and not said:
            self._tell("live")

    def _tick(self, now: int, apart_ns: int) -> None:
        """Market time goes on."""
        market = self.market
        if not market.known:
            if not self._began or now - self._began < _ASSUMED_NS:
                self._began = self._began or (now if self._stood_at is not None else 0)
                return
            market.assume()
            if self._tap is not None:
                self._tap.clock("assumed", now)
        ts = market.market_ns(now)
        if ts > self._ticked and not 0 <= now - self._ticked_at < apart_ns:
            self._ticked, self._ticked_at = ts, now
            self._buffer.add([ClockTick(ts)])

    # -- the beat --------------------------------------------------------------------------------

    async def _beat(self) -> None:
        """Flushes that are due, market time, reports, and whether this machine slept."""
        settings, due = self._settings, self._clock.now_ns()
        reported = due
        while True:
            due += self._flush_ns
            await self._sleep(due)
            now = self._clock.now_ns()
            if abs(now - due) > _ASLEEP_NS:
                self._woke(now - due, now)
            due = now
            waiting = self._queue is not None and len(self._queue) > 0
            if not waiting and self._buffer.rows < settings.flush_rows:
                if self._queue is not None:
                    self._flush()
                self._tick(now, _TICK_NS)
            if not 0 <= now - reported < NS:
                reported = now
                self._report(now)

    async def _sleep(self, due: int) -> None:
        """Sleep until then, or until the clock turns out to have been set back."""
        began = self._clock.now_ns()
        sleeping = asyncio.ensure_future(self._clock.sleep_until(due))
        try:
            while not sleeping.done() and self._clock.now_ns() >= began:
                await asyncio.wait([sleeping], timeout=_LOOK_S)
        finally:
            sleeping.cancel()
            await asyncio.gather(sleeping, return_exceptions=True)

    def _woke(self, late_ns: int, now: int) -> None:
        """The clock is not where it was expected. Ask whether the line still stands."""
        self.market.doubt()
        if self._tap is not None:
            self._tap.clock("doubted", now)
        self._began = now
        self._watched_from = self._due_from = now
        if self._transport is None or self._broken is None:
            return
        away = f"slept for {span(late_ns / NS)}, or its clock was set"
        if late_ns < 0:
            away = f"had its clock set back by {span(-late_ns / NS)}"
        said = f"{self._protocol.name}: this machine {away}; asking whether the line still stands"
        self._tell("stale", said, slept_s=late_ns / NS)
        if self._checking is not None:
            self._checking.cancel()
        self._checking = asyncio.create_task(self._check(self._transport, self._broken))

    async def _check(self, transport: Transport, broken: asyncio.Future[None]) -> None:
        if transport.asks:
            pong = asyncio.ensure_future(transport.alive())
            late = asyncio.ensure_future(self._clock.sleep_until(self._clock.now_ns() + _PONG_NS))
            try:
                await asyncio.wait([pong, late], return_when=asyncio.FIRST_COMPLETED)
                survived = pong.done() and pong.exception() is None
            finally:
                pong.cancel()
                late.cancel()
            if survived:
                if math.isinf(self._protocol.quiet_s(self._clock.now_ns())):
                    self._tell("live")
                return
        if not broken.done():
            broken.set_exception(PassingError("the line did not survive the sleep"))

    def _report(self, now: int) -> None:
        """Say what was counted, where it has changed."""
        counters, account, market = self.counters, self._protocol.account, self.market
        away_ns = self._away_ns + (now - self._away_from if self._away_from is not None else 0)
        heard_from = account.heard_from
        if heard_from and self._hole_at:
            heard_from = max(heard_from, market.market_ns(self._hole_at))
        notes = [market.note(), *account.notes.values()]
        made = (
            counters.frames,
            counters.rows,
            counters.dropped,
            counters.malformed,
            account.gaps,
            account.refilled,
            market.misdated,
            counters.reconnects,
            max(0.0, away_ns / NS) if counters.connects else 0.0,
            market.skew_s,
            account.listed,
            account.quoted,
            account.printed,
            _shown(account.window),
            heard_from,
            tuple(_shown(note) for note in notes if note),
        )
        if repr(made) != self._made:
            self._made = repr(made)
            self._buffer.add([FeedReport(*made, recv=market.market_ns(now))])

    # -- words -----------------------------------------------------------------------------------

    def _malformed(self, what: str, error: Exception) -> None:
        self.counters.malformed += 1
        why = error.message if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
        said = _shown(f"{self._protocol.name}: {what} makes no sense: {why}")
        self.counters.last_error = said
        now = self._clock.now_ns()
        if self._told_malformed_at is None or not 0 <= now - self._told_malformed_at < NS:
            self._told_malformed_at = now
            self._tell(self._state, said, malformed=self.counters.malformed)

    def _tell(self, state: FeedState, message: str = "", **detail: float) -> None:
        self._state = state
        self._buffer.add([FeedStatus(state, _shown(message), dict(detail))])

    def _tell_last(self, state: FeedState, message: str, **detail: float) -> None:
        """Nothing follows: the books are closed before the reason is given."""
        if not self._protocol.lossless:
            self._report(self._clock.now_ns())
        self._tell(state, message, **detail)


class _RefusedError(Exception):
    """An attempt ended with a verdict that is already known."""

    def __init__(self, verdict: Retry | Stop) -> None:
        super().__init__(verdict.reason)
        self.verdict = verdict


def _named(verdict: Retry | Stop, host: str) -> Retry | Stop:
    """The verdict on a request, with who it was that was asked."""
    reason = verdict.reason if host in verdict.reason else f"{host}: {verdict.reason}"
    if isinstance(verdict, Retry):
        return Retry(reason, verdict.wait_s, verdict.hint)
    return Stop(reason, verdict.hint)


def _safe(event: Event) -> Event:
    """Words of a protocol may hold a venue's."""
    if isinstance(event, FeedStatus):
        return FeedStatus(event.state, _shown(event.message), event.detail)
    return event


def _shown(message: str) -> str:
    """Words that may hold a venue's, made safe to show."""
    return codec.text(redactor.text(message))
