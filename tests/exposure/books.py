"""Books of open interest around a level, for the paradigm tables."""

from __future__ import annotations

import numpy as np

STRIKES = np.arange(5800.0, 6201.0, 5.0)


def open_interest(centre: float, rng: np.random.Generator, itm: float = 0.0) -> np.ndarray:
    """Lognormal open interest, out of the money as seen from `centre`. Shape (2, n).

    It is densest about 15 points away, near .20 delta four hours before the close;
    `itm` is how dense in-the-money contracts are beside out-of-the-money ones.
    """
    away = np.abs(STRIKES - centre)
    oi = rng.lognormal(0.0, 1.0, (2, len(STRIKES))) * away * np.exp(-away / 15.0) * 100.0
    out = np.stack([centre < STRIKES, centre > STRIKES])
    return np.where(out, oi, itm * oi)


TRUE_SIGNS = {"BofA": (-1, -1), "GEX": (1, -1), "Anti-GEX": (-1, 1), "Sidial": (1, 1)}
"""Dealer's sign of out-of-the-money calls and puts that each paradigm stands for."""


def dealer_book(paradigm: str, centre: float, rng: np.random.Generator) -> np.ndarray:
    """A dealer's true positions of shape (2, n) under a paradigm."""
    call, put = TRUE_SIGNS[paradigm]
    return open_interest(centre, rng) * np.array([[call], [put]])
