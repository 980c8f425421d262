"""The parts of a session that are heavy to import, and are therefore made late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gexterm.alerts.monitor import AlertMonitor
    from gexterm.engine.engine import Engine
    from gexterm.session.ticking import Ticker


@dataclass(frozen=True, slots=True)
class Core:
    """What turns events into Readings, and Readings into alerts."""

    engine: Engine
    """Events to Readings."""
    watch: AlertMonitor
    """Readings to alerts."""
    ticker: Ticker
    """When, and on which thread."""
