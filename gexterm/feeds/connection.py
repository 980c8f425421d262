"""One connection that stands: three tasks, so that a busy moment never makes us the slow reader.

    reading   awaits the socket and puts frames, with their receipt time, on a queue
    parsing   takes them off, asks the protocol what they say, sends what it wants sent;
              answers to requests come the same way, in the order of their arrival
    timing    lets the protocol do what is due, notices silence and dead lines

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
import math
from collections.abc import Awaitable, Callable, Sequence

from gexterm.clock import NS
from gexterm.feeds.buffers import FrameQueue
from gexterm.feeds.fetch import Errands
from gexterm.feeds.interpreter import Interpreter
from gexterm.feeds.protocol import Answer, Outgoing, Request
from gexterm.feeds.retry import PassingError
from gexterm.feeds.settings import RunnerSettings
from gexterm.feeds.sleeping import sleep
from gexterm.feeds.timing import span
from gexterm.feeds.transport import Transport

_PARSE_BURST = 64
"""Frames parsed before others get a turn."""
_PONG_NS = 5 * NS
"""How long a connection may take to prove that it survived."""


class Connection:
    """A connection from when it stands to its end."""

    def __init__(
        self,
        transport: Transport,
        interpreter: Interpreter,
        fetch: Callable[[Request], Awaitable[Answer]],
        settings: RunnerSettings,
    ) -> None:
        self.transport = transport
        self.queue = FrameQueue(settings.queue_frames, settings.queue_bytes)
        """What came and was not parsed yet."""
        self._interpreter = interpreter
        self._protocol = interpreter.protocol
        self._outlet = interpreter.outlet
        self._clock = interpreter.clock
        self._settings = settings
        self._errands: Errands | None = Errands(fetch, self.queue.answer)
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Fails where the line is found dead."""
        self._checking: asyncio.Task[None] | None = None
        self._watched_from = self._stand()

    def _stand(self) -> int:
        now, counters = self._clock.now_ns(), self._outlet.counters
        self._outlet.stood_at = self._outlet.due_from = now
        self._interpreter.parsed = 0
        counters.last_frame = now
        counters.reconnects += counters.connects > 0
        counters.connects += 1
        return now

    async def open(self) -> None:
        """Say what is to be said first."""
        now, tap = self._clock.now_ns(), self._interpreter.tap
        wants = self._protocol.on_open(now)
        if tap is not None:
            tap.opened(now)
        if self._protocol.lossless and self._protocol.account.admitted:
            self._outlet.tell("live")
        await self._act(wants)

    async def listen(self) -> None:
        """Listen until it ends. Raises whatever ended it, if it was not a clean end."""
        reading = asyncio.create_task(self._read())
        parsing = asyncio.create_task(self._parse())
        timing = asyncio.create_task(self._time())
        tasks = [reading, parsing, timing]
        try:
            # Parsing ends after reading did, so that what arrived last still counts.
            done, _ = await asyncio.wait(
                [parsing, timing, self._broken], return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()
            await reading
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            # What broke while we were leaving is read, or asyncio complains of it on the screen.
            if not self._broken.cancel():
                self._broken.exception()

    async def end(self) -> None:
        """It is gone: what was gathered over it is not."""
        errands, self._errands = self._errands, None
        if errands is not None:
            await errands.cancel()
        if self._checking is not None:
            self._checking.cancel()
            await asyncio.gather(self._checking, return_exceptions=True)
            self._checking = None
        self._interpreter.flush()

    # -- its tasks -------------------------------------------------------------------------

    async def _read(self) -> None:
        """Put frames on the queue, and do nothing else."""
        queue, transport, now_ns = self.queue, self.transport, self._clock.now_ns
        counters = self._outlet.counters
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
                    counters.last_dropped = now
        finally:
            queue.close(now_ns())

    async def _parse(self) -> None:
        """Ask the protocol what frames say, until no more come."""
        queue, interpreter, outlet = self.queue, self._interpreter, self._outlet
        protocol, buffer, now_ns = self._protocol, outlet.buffer, self._clock.now_ns
        lossless, flush_ns = protocol.lossless, interpreter.flush_ns
        most, flush_rows = self._settings.pending_rows, self._settings.flush_rows
        held_bytes = self._settings.held_bytes
        number = 0
        while True:
            if not len(queue):
                if queue.closed:
                    return
                if not buffer.rows:
                    interpreter.flush_early()
                await queue.wait()
                continue
            item, at = queue.pop()
            number += 1
            if type(item) is bytes:
                if events := interpreter.received(item, at):
                    outlet.emit(events, at)
            else:
                await interpreter.other(item, at)
            if wants := protocol.outgoing():
                await self._act(wants)
            if not lossless and not -1 < now_ns() - interpreter.flushed_at < flush_ns:
                if buffer.rows < flush_rows:
                    interpreter.flush()
                elif interpreter.held > held_bytes:
                    await buffer.room(flush_rows)
            if buffer.rows >= most:
                await buffer.room()
            if number % _PARSE_BURST == 0:
                await asyncio.sleep(0)

    async def _time(self) -> None:
        """Once a second: what is due by the protocol, silence, dead lines, drops."""
        interpreter, clock = self._interpreter, self._clock
        while True:
            await sleep(clock, clock.now_ns() + NS)
            await interpreter.free.wait()
            now = clock.now_ns()
            wants = self._protocol.on_timer(now)
            if interpreter.tap is not None:
                interpreter.tap.timer(now)
            await self._act(wants)
            self.queue.mark(now)
            self._watch(now)
            self._outlet.tell_dropped()

    def _watch(self, now: int) -> None:
        """Silence: of the line, which is dead then, and of the market, which is stale."""
        protocol, outlet = self._protocol, self._outlet
        last_frame = outlet.counters.last_frame
        silent_s = (now - max(last_frame, self._watched_from)) / NS
        if silent_s > protocol.dead_s():
            raise PassingError(f"nothing has come for {silent_s:.0f} s, not even a heartbeat")
        quiet_s = protocol.quiet_s(now)
        if math.isinf(quiet_s):
            # Rows are due from when they are due, not from when they last came.
            outlet.due_from = now
            came = last_frame > self._watched_from
            if outlet.state == "connecting" and came and protocol.account.admitted:
                outlet.tell("live")
        silent_s = (now - outlet.due_from) / NS
        if silent_s > quiet_s and outlet.state in ("live", "connecting", "reconnecting"):
            said = f"{protocol.name}: nothing has come for {silent_s:.0f} s"
            outlet.tell("stale", said, silent_s=silent_s)

    async def _act(self, wants: Sequence[Outgoing]) -> None:
        """Send and fetch what the protocol wants."""
        for want in wants:
            if isinstance(want, Request):
                if self._errands is not None:
                    self._errands.want(want)
            else:
                await self.transport.send(want)

    # -- after a sleep -----------------------------------------------------------------------

    def woke(self, late_ns: int, now: int) -> None:
        """The clock is `late_ns` from where it was expected. Ask whether the line still stands."""
        self._watched_from = now
        away = f"slept for {span(late_ns / NS)}, or its clock was set"
        if late_ns < 0:
            away = f"had its clock set back by {span(-late_ns / NS)}"
        said = f"{self._protocol.name}: this machine {away}; asking whether the line still stands"
        self._outlet.tell("stale", said, slept_s=late_ns / NS)
        if self._checking is not None:
            self._checking.cancel()
        self._checking = asyncio.create_task(self._check())

    async def _check(self) -> None:
        clock, transport = self._clock, self.transport
        if transport.asks:
            pong = asyncio.ensure_future(transport.alive())
            late = asyncio.ensure_future(clock.sleep_until(clock.now_ns() + _PONG_NS))
            try:
                await asyncio.wait([pong, late], return_when=asyncio.FIRST_COMPLETED)
                survived = pong.done() and pong.exception() is None
            finally:
                pong.cancel()
                late.cancel()
                await asyncio.gather(pong, late, return_exceptions=True)
            if survived:
                if math.isinf(self._protocol.quiet_s(clock.now_ns())):
                    self._outlet.tell("live")
                return
        if not self._broken.done():
            self._broken.set_exception(PassingError("the line did not survive the sleep"))
