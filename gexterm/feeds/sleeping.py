"""Sleeping by a clock that somebody may set."""

from __future__ import annotations

import asyncio

from gexterm.clock import Clock

LOOK_S = 5.0
"""How often whoever sleeps makes sure that the clock was not set back: it would be long."""


async def sleep(clock: Clock, due_ns: int) -> None:
    """Sleep until then, or until the clock turns out to have been set back."""
    began = clock.now_ns()
    sleeping = asyncio.ensure_future(clock.sleep_until(due_ns))
    try:
        while not sleeping.done() and clock.now_ns() >= began:
            await asyncio.wait([sleeping], timeout=LOOK_S)
    finally:
        sleeping.cancel()
        await asyncio.gather(sleeping, return_exceptions=True)
