"""Alerts of a live session without a screen: kept in the history, and sent where they go."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gexterm.alerts.model import Alert
    from gexterm.clock import Clock
    from gexterm.config import Settings


@asynccontextmanager
async def alert_post(
    chosen: Settings, clock: Clock, say: Callable[[str], None]
) -> AsyncIterator[Callable[[Alert], None]]:
    """What takes each new alert; it returns at once and never raises.

    `say` is told, a line each, what cannot be delivered. What needs a screen (toast, bell,
    terminal) is left out. The end waits a moment for what is on its way.
    """
    from gexterm import paths
    from gexterm.alerts.book import AlertBook
    from gexterm.alerts.delivery.dispatcher import Dispatcher
    from gexterm.alerts.delivery.make import make_deliveries

    made = make_deliveries(chosen)
    for problem in made.problems:
        say(problem)
    book = AlertBook.of(chosen.alerts, paths.alerts_history())
    out = Dispatcher(
        made.deliveries,
        clock,
        lambda text, _severity: say(text),
        deliver_replays=chosen.alerts.deliver_replays,
    )

    def take(alert: Alert) -> None:
        book.add(alert)
        out.submit(alert)

    try:
        yield take
    finally:
        await out.close()
        book.close()
        if book.trouble:
            say(book.trouble)
