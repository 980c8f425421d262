"""The beat of a runner: it goes on whether or not anything comes, or any line stands.

Market time goes on (quotes must be seen to age when the line is down), reports are made,
and a machine that slept is noticed. A lossless sender (a replay) brings its own time:
nothing of that applies to it.
"""

from __future__ import annotations

from collections.abc import Callable

from gexterm.clock import NS
from gexterm.feeds.connection import Connection
from gexterm.feeds.interpreter import Interpreter
from gexterm.feeds.reports import Reports
from gexterm.feeds.settings import RunnerSettings
from gexterm.feeds.sleeping import sleep

_TICK_NS = NS // 10
"""Market time goes on at least this often."""
_ASLEEP_NS = 30 * NS
"""A clock that has moved by so much more than expected: the machine slept, or it was set."""


async def beat(
    interpreter: Interpreter,
    reports: Reports,
    settings: RunnerSettings,
    line: Callable[[], Connection | None],
) -> None:
    """Flushes that are due, market time, reports, and whether this machine slept. Endless."""
    clock, outlet = interpreter.clock, interpreter.outlet
    reported = due = clock.now_ns()
    while True:
        due += interpreter.flush_ns
        await sleep(clock, due)
        now, connection = clock.now_ns(), line()
        if abs(now - due) > _ASLEEP_NS:
            outlet.doubt(now)
            if connection is not None:
                connection.woke(now - due, now)
        due = now
        waiting = connection is not None and len(connection.queue) > 0
        if not waiting and outlet.buffer.rows < settings.flush_rows:
            if connection is not None:
                interpreter.flush()
            outlet.tick(now, _TICK_NS)
        if not 0 <= now - reported < NS:
            reported = now
            reports.report(now)
