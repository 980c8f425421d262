"""Prints to test with, one tuple each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from gexterm.market.events import NEW, Trades

S = 1_000_000_000
T0 = 1_700_000_000 * S


@dataclass(frozen=True)
class Print:
    """One message of a feed."""

    sequence: int = -1
    price: float = 1.0
    size: float = 1.0
    contract: int = 0
    at: float = 0.0
    """Seconds after T0."""
    letter: str = "I"
    action: int = NEW
    refers: int = -1

    @property
    def ts(self) -> int:
        return T0 + round(self.at * S)


def batch(prints: Iterable[Print], **given) -> Trades:
    """They as one batch."""
    rows = list(prints)
    columns = {
        "sequence": [p.sequence for p in rows],
        "condition": [ord(p.letter) for p in rows],
        "action": [p.action for p in rows],
        "refers": [p.refers for p in rows],
    }
    return Trades.of(
        np.array([p.contract for p in rows], np.int32),
        [p.price for p in rows],
        [p.size for p in rows],
        np.array([p.ts for p in rows], np.int64),
        **(columns | given),
    )
