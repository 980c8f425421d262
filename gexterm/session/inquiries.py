"""Questions to a running session, answered on a thread from the newest tick.

What a tick was composed of is kept as it was (`Engine.last`) and nobody writes to it, so
that a question neither waits for a tick nor keeps one waiting. One question of a kind is
worked on at a time; who asks what is being answered already shares the answer, and who no
longer wants one (cancelled) leaves the queue. The tape is read on the loop: it grows there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from gexterm.engine.compose import Last
    from gexterm.engine.inquiry.inquirer import Inquirer
    from gexterm.reading.inquiry import Curves, Outlook, Smile, Suppose, Supposed, TapeTail
    from gexterm.session.core import Core

T = TypeVar("T")


class _Shared:
    """An answer being made, and how many wait for it."""

    def __init__(self, last: Last, task: asyncio.Task[Any]) -> None:
        self.last = last
        self.task = task
        self.waiting = 0


class SessionInquiries:
    """`reading.inquiry.Inquiries` of a session's core.

    Every question raises ChainError while nothing is known, as after a jump to another
    time until the first Reading of it, and a `GextermError` where it makes no sense.
    """

    def __init__(self, core: Core) -> None:
        self._core = core
        self._inquirer: Inquirer | None = None
        self._turns: dict[str, asyncio.Lock] = {}
        self._running: dict[tuple[str, Hashable], _Shared] = {}
        self._answers: dict[str, tuple[Last, Hashable, Any]] = {}

    async def supposed(self, suppose: Suppose) -> Supposed:
        """The whole Reading under a supposition."""
        from gexterm.engine.inquiry.suppose import supposed

        return await self._ask("supposed", suppose, lambda last: supposed(last, suppose))

    async def curves(self, suppose: Suppose) -> Curves:
        """Exposures over spot, with volatility and time of the supposition."""
        from gexterm.engine.inquiry.curves import curves

        return await self._ask("curves", suppose, lambda last: curves(last.parts, suppose))

    async def smile(self, expiry: str, root: str) -> Smile:
        """The smile of one expiry."""
        from gexterm.engine.inquiry.smile import smile

        return await self._ask(
            "smile", (expiry, root), lambda last: smile(last.parts, expiry, root)
        )

    async def outlook(self, greek: str) -> Outlook:
        """The book by strike to the end of the day, if nothing changes but the clock."""
        from gexterm.engine.inquiry.outlook import outlook

        return await self._ask("outlook", greek, lambda last: outlook(last.parts, greek))

    async def tape(self, count: int, least_size: float = 0.0) -> TapeTail:
        """The newest `count` prints of at least `least_size` contracts."""
        return self._ready().tape(count, least_size)

    def _ready(self) -> Inquirer:
        if self._inquirer is None:
            from gexterm.engine.inquiry.inquirer import Inquirer

            self._inquirer = Inquirer(self._core.engine)
        return self._inquirer

    async def _ask(self, kind: str, about: Hashable, answer: Callable[[Last], T]) -> T:
        """The answer of the newest tick; the last one given, where it is of the same."""
        last = self._ready().last
        known = self._answers.get(kind)
        if known is not None and known[0] is last and known[1] == about:
            found: T = known[2]
            return found
        key = (kind, about)
        shared = self._running.get(key)
        if shared is None or shared.last is not last or shared.task.done():
            task = asyncio.create_task(self._answer(kind, about, last, answer), name=kind)
            task.add_done_callback(_heard)
            shared = self._running[key] = _Shared(last, task)
        shared.waiting += 1
        try:
            # Others may wait for the same: who leaves must not take it from them.
            found = await asyncio.shield(shared.task)
        finally:
            shared.waiting -= 1
            if not shared.waiting:
                shared.task.cancel()  # nobody wants it any more, or it is done
                if self._running.get(key) is shared:
                    del self._running[key]
        return found

    async def _answer(
        self, kind: str, about: Hashable, last: Last, answer: Callable[[Last], T]
    ) -> T:
        async with self._turns.setdefault(kind, asyncio.Lock()):
            work = asyncio.ensure_future(asyncio.to_thread(answer, last))
            work.add_done_callback(_heard)
            try:
                found = await asyncio.shield(work)
            except asyncio.CancelledError:
                # A thread cannot be stopped. The next one waits for it, or a key held down
                # would fill the pool that ticks are computed on.
                await asyncio.wait([work])
                raise
        self._answers[kind] = (last, about, found)
        return found


def _heard(work: asyncio.Future[Any]) -> None:
    """Of an error that nobody waits for any more nothing need be logged."""
    if not work.cancelled():
        work.exception()
