"""A feed whose batches are written down: what a runner is to a session, and no more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from types import TracebackType

from gexterm.feeds.protocol import Command
from gexterm.market.events import Event

Between = Callable[[int], Awaitable[None]]


async def _nothing(_number: int) -> None:
    """Between two batches nothing happens."""


class ScriptedRunner:
    """Hands out batches, one after another, and calls `between` before each."""

    def __init__(self, batches: Sequence[list[Event]], between: Between = _nothing) -> None:
        self.sent: list[Command] = []
        self._batches = batches
        self._between = between

    async def __aenter__(self) -> ScriptedRunner:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    async def events(self) -> AsyncIterator[list[Event]]:
        for number, batch in enumerate(self._batches):
            await self._between(number)
            yield batch

    async def send(self, command: Command) -> None:
        self.sent.append(command)
