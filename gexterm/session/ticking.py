"""Ticks, one at a time and in order, computed on a thread.

What a tick depends on is frozen at once, between two events; computing it may take longer
than the next one is away. A replay then waits. A live market does not: what falls due in
the meantime is left out, the next round time after it is computed, and a mark says where
each Reading was frozen, so that a replay of the recording computes the same ones.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gexterm.engine.engine import Engine, Job
    from gexterm.engine.health import FeedCounts
    from gexterm.reading.model import Reading

_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())


class Ticker:
    """Turns an engine's state into Readings.

    `publish` is handed each Reading, `fail` the error of one that could not be computed,
    `mark` the time of each that was frozen; all in order, on the loop.
    """

    def __init__(
        self,
        engine: Engine,
        publish: Callable[[Reading], None],
        fail: Callable[[Exception], None],
        mark: Callable[[int], None] | None = None,
    ) -> None:
        self.skipped = 0
        """Ticks left out since an earlier one was not ready."""
        self._engine = engine
        self._publish = publish
        self._fail = fail
        self._mark = mark
        self._lock = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether a Reading is being computed, or something else has the engine to itself."""
        return self._lock.locked()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """The engine to oneself: nothing is being computed."""
        async with self._lock:
            yield

    async def tick(self, as_of: int, counts: Callable[[int], FeedCounts]) -> None:
        """Compute the Reading of a time, after those under way."""
        async with self._lock:
            job = self._frozen(as_of, counts)
            if job is not None:
                await self._compute(job)

    async def tick_or_skip(self, as_of: int, counts: Callable[[int], FeedCounts]) -> None:
        """Begin to compute the Reading of a time, unless another is under way. Does not wait."""
        if self._lock.locked():
            self.skipped += 1
            return
        await self._lock.acquire()  # free: at once
        job = self._frozen(as_of, counts)
        if job is None:
            self._lock.release()
            return
        self._task = asyncio.create_task(self._compute_and_release(job), name="tick")

    async def _compute_and_release(self, job: Job) -> None:
        try:
            await self._compute(job)
        finally:
            self._lock.release()

    def _frozen(self, as_of: int, counts: Callable[[int], FeedCounts]) -> Job | None:
        job = self._engine.job(as_of, counts(as_of))
        if job is not None and self._mark is not None:
            self._mark(as_of)
        return job

    async def _compute(self, job: Job) -> None:
        try:
            reading = await asyncio.to_thread(self._engine.compute, job)
        except Exception as error:
            # One tick that cannot be computed must not cost the user the session.
            _log.exception("a tick failed")
            self._fail(error)
            return
        self._publish(reading)
