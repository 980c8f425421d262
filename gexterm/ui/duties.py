"""What the monitor does of its own accord: alerts go out, snapshots are kept."""

from __future__ import annotations

from dataclasses import dataclass

from gexterm.clock import Clock
from gexterm.config import Settings


@dataclass(frozen=True, slots=True)
class Duties:
    """Handed to the monitor by whoever starts it; without it, it only shows."""

    settings: Settings
    """The user's."""
    clock: Clock
    """The wall's."""
    delivers: bool = True
    """Whether alerts go out from here; not where another process delivers them."""
