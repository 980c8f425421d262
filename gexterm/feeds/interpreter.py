"""What frames and answers say, by the protocol: whatever they hold, the feed goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from gexterm.clock import NS, Clock
from gexterm.errors import GextermError, InputError
from gexterm.feeds.buffers import Item, Lost
from gexterm.feeds.outlet import Outlet
from gexterm.feeds.protocol import Answer, FeedProtocol
from gexterm.feeds.settings import RunnerSettings
from gexterm.feeds.tap import Tap
from gexterm.market.events import Event

_MOST_EARLY = 4
"""Flushes within `flush_ns` that are made only because there is time for them."""


class Interpreter:
    """Hands a protocol what came, and its events to the outlet; shows the tap all of it.

    What the protocol cannot make sense of is counted and skipped. A GextermError other
    than an InputError is its reason to leave, and is let through.
    """

    def __init__(
        self,
        protocol: FeedProtocol,
        clock: Clock,
        outlet: Outlet,
        settings: RunnerSettings,
        tap: Tap | None,
    ) -> None:
        self.protocol = protocol
        self.clock = clock
        self.outlet = outlet
        self.tap = tap
        self.flush_ns = round(settings.flush_s * NS)
        """How far apart flushes are, at most, while there is room."""
        self.free = asyncio.Event()
        """Set while no thread is with the protocol: else nobody may call it."""
        self.free.set()
        self.held = 0
        """Bytes of frames that it was handed since the last flush."""
        self.flushed_at = 0
        """When it was last flushed, ns."""
        self.parsed = 0
        """Frames of this connection that it was handed."""
        self._receipts: set[int] = set()
        # Of flushes out of turn: since when they are counted, and how many there were.
        self._eager_from = 0
        self._eager = 0

    def received(self, frame: bytes, at: int) -> Sequence[Event]:
        """What a frame says."""
        self.parsed += 1
        if not self.protocol.lossless:
            self.held += len(frame)
            self._receipts.add(at)
        try:
            return self.protocol.receive(frame, at)
        except Exception as error:
            # Else a frame nobody foresaw. The feed is hostile; the monitor goes on.
            if isinstance(error, GextermError) and not isinstance(error, InputError):
                raise
            self.outlet.malformed(f"frame {self.parsed} ({len(frame)} bytes)", error)
            return ()
        finally:
            if self.tap is not None:
                self.tap.frame(frame, at)

    async def other(self, item: Item, at: int) -> None:
        """Whatever lies among the frames."""
        if isinstance(item, Answer):
            await self.answered(item)
        elif isinstance(item, Lost) and self.tap is not None:
            self.tap.lost(item.frames, at)

    async def answered(self, answer: Answer) -> None:
        """Ask the protocol what an answer says, on a thread if it wants that."""
        self._receipts.add(answer.recv_ns)
        try:
            if self.protocol.answers_on_thread:
                events = await self._on_thread(answer)
            else:
                events = self.protocol.answer(answer)
        except Exception as error:
            if isinstance(error, GextermError) and not isinstance(error, InputError):
                raise
            what = f"the answer to {answer.key} ({len(answer.body)} bytes)"
            self.outlet.malformed(what, error)
            events = []
        finally:
            if self.tap is not None:
                self.tap.answered(answer)
        self.outlet.emit(events, answer.recv_ns)

    async def _on_thread(self, answer: Answer) -> list[Event]:
        self.free.clear()
        working = asyncio.ensure_future(asyncio.to_thread(self.protocol.answer, answer))
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            # A thread cannot be told to stop, and the protocol is its own until it does.
            await asyncio.wait([working])
            raise
        finally:
            self.free.set()

    def flush_early(self) -> None:
        """Flush because there is time to, unless that was done often within `flush_ns`.

        A flush costs some 0.1 ms, however little there is to take: under load most of the
        work would be flushes. The beat makes the next one.
        """
        now = self.clock.now_ns()
        if not 0 <= now - self._eager_from < self.flush_ns:
            self._eager_from, self._eager = now, 0
        self._eager += 1
        if self._eager <= _MOST_EARLY or self.protocol.lossless:
            self.flush()

    def flush(self) -> None:
        """Take what the protocol has gathered."""
        if not self.free.is_set():
            return
        now = self.clock.now_ns()
        try:
            events = self.protocol.flush()
        except Exception as error:
            self.outlet.malformed("what was gathered", error)
            events = []
        self.held, self.flushed_at = 0, now
        receipts, self._receipts = self._receipts, set()
        if events:
            self.outlet.emit(events, now, receipts)
            if self.tap is not None:
                self.tap.flushed(now)
        if not self.protocol.lossless:
            self.outlet.tick(now, self.flush_ns)
