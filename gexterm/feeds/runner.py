"""The one runner of every feed, whatever the protocol: websocket, stream or requests only.

An attempt is: what must be had over HTTP first, then a connection, which lasts until it
breaks (`feeds.connection`: how frames are read and parsed, and what gives way when the
taker of the events is slow). Beside the attempts, for as long as the runner lives, goes the
beat (`feeds.beat`). What protocols make of frames goes through `feeds.interpreter`, and
everything that is told leaves by `feeds.outlet`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator
from types import TracebackType

from gexterm.clock import NS, Clock
from gexterm.errors import GextermError
from gexterm.feeds.beat import beat
from gexterm.feeds.connection import Connection
from gexterm.feeds.fetch import MOST_AT_ONCE, Fetcher
from gexterm.feeds.interpreter import Interpreter
from gexterm.feeds.outlet import Outlet, shown
from gexterm.feeds.protocol import Answer, Command, FeedProtocol, Request
from gexterm.feeds.reports import Reports
from gexterm.feeds.retry import Retry, Stop, classify, delay_s, of_status
from gexterm.feeds.settings import FeedCounters, RunnerSettings
from gexterm.feeds.sleeping import sleep
from gexterm.feeds.tap import Tap
from gexterm.feeds.timing import MarketClock
from gexterm.feeds.transport import Patience, host_of, opened
from gexterm.market.events import Event, FeedState

__all__ = ["FeedCounters", "FeedRunner", "RunnerSettings"]

_log = logging.getLogger(__name__)
# Without a handler of any kind, Python would print to the terminal we draw on.
_log.addHandler(logging.NullHandler())

_ROUNDS = 1000
"""Rounds of requests before connecting, at most."""


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
        self._protocol = protocol
        self._clock = clock
        self._rng = rng
        self._tap = tap
        self._settings = settings or RunnerSettings()
        self._fetcher = Fetcher(clock)
        self._outlet = Outlet(protocol, clock, self._settings.pending_rows, tap)
        self._interpreter = Interpreter(protocol, clock, self._outlet, self._settings, tap)
        self._reports = Reports(protocol, self._outlet)
        self._line: Connection | None = None
        """The connection that stands."""
        self._host = ""
        self._task: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._leaving = False

    @property
    def counters(self) -> FeedCounters:
        """What was seen so far."""
        return self._outlet.counters

    @property
    def market(self) -> MarketClock:
        """What time it is at the venue."""
        return self._outlet.market

    @property
    def waiting(self) -> int:
        """Frames and answers that came and were not parsed yet."""
        return len(self._line.queue) if self._line is not None else 0

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
        while (batch := await self._outlet.buffer.take()) is not None:
            yield batch

    async def send(self, command: Command) -> None:
        """Ask something of the feed. Without a connection it is lost, as a key press is."""
        await self._interpreter.free.wait()
        if (line := self._line) is not None:
            for frame in self._protocol.send(command):
                await line.transport.send(frame)

    async def close(self) -> None:
        """Hang up and end `events`. Harmless when repeated."""
        self._leaving = True
        if self._line is not None:
            # Left to the cancellation below, the other side would hear of an error (1011).
            with contextlib.suppress(Exception):
                await self._line.transport.close()
        # Not the one that tidies up after them.
        for task in self._tasks:
            task.cancel()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
        self._outlet.buffer.close()

    async def _run(self) -> None:
        if self._leaving:
            return
        tasks = self._tasks = [asyncio.create_task(self._attempts(), name="attempts")]
        if not self._protocol.lossless:
            self._outlet.buffer.taken = self._flush_when_taken
            beating = beat(self._interpreter, self._reports, self._settings, lambda: self._line)
            tasks.append(asyncio.create_task(beating, name="beat"))
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if not task.cancelled() and (error := task.exception()) is not None:
                    _log.error("the runner of %s ended", self._protocol.name, exc_info=error)
                    said = f"internal error: {type(error).__name__}: {error}"
                    self._outlet.tell("closed", said)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._fetcher.close()
            if not self._protocol.lossless:
                self._reports.report(self._clock.now_ns())
            self._outlet.buffer.close()

    def _flush_when_taken(self) -> None:
        if self._line is not None and not len(self._line.queue):
            self._interpreter.flush_early()

    # -- attempts --------------------------------------------------------------------------

    async def _attempts(self) -> None:
        """Connect, and again, until it makes no sense any more."""
        failures, why = 0, ""
        settings, outlet = self._settings, self._outlet
        outlet.tell("connecting")
        while True:
            outlet.stood_at = None
            if failures:
                # Else the wait that is over would go on being told for as long as this takes.
                outlet.tell("reconnecting", f"{why}; trying again now", tries=failures)
            verdict = await self._until_it_breaks()
            if self._leaving:
                return
            outlet.counters.last_error = shown(verdict.reason)
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
            why = said
            said = f"{said}; next try in {wait_s:.1f} s{hint}"
            outlet.tell("reconnecting", said, tries=failures, retry_in_s=wait_s)
            await sleep(self._clock, self._clock.now_ns() + round(wait_s * NS))

    def _settled(self) -> bool:
        """Whether the connection that just ended had lasted."""
        stood_at = self._outlet.stood_at
        if stood_at is None:
            return False
        return self._clock.now_ns() - stood_at >= self._settings.settled_s * NS

    async def _until_it_breaks(self) -> Retry | Stop:
        """One attempt, and why it ended."""
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
            line = Connection(transport, self._interpreter, self._fetcher.fetch, settings)
            self._line = line
            self._reports.stands(self._clock.now_ns())
            try:
                await line.open()
                await line.listen()
            finally:
                await line.end()
                self._line = None
                self._reports.fell(self._clock.now_ns())

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
                await self._interpreter.answered(answer)
                if answer.failure is not None:
                    raise _RefusedError(_named(answer.failure, self._host))
                if not (200 <= answer.status < 300 or answer.status == 304):
                    verdict = of_status(answer.status, answer.retry_after_s)
                    raise _RefusedError(_named(verdict, self._host))
        raise GextermError("it asks without an end before it connects")

    def _tell_last(self, state: FeedState, message: str, **detail: float) -> None:
        """Nothing follows: the books are closed before the reason is given."""
        if not self._protocol.lossless:
            self._reports.report(self._clock.now_ns())
        self._outlet.tell(state, message, **detail)


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
