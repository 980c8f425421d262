"""Neighbours on the ladder of strikes, and who wants which rung.

A `Listing` holds each series in one piece, strikes ascending, call and put of a strike
side by side; so the next strike of the same kind is two contracts further.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gexterm.simulator.script import Intent
from gexterm.simulator.step import F64, I32, Listing, Step

WISHES: dict[Intent, tuple[int, int]] = {
    "BofA": (+1, +1),
    "GEX": (+1, -1),
    "Anti-GEX": (-1, +1),
    "Sidial": (-1, -1),
    "none": (0, 0),
}
"""What customers do out of the money, below and above spot: +1 buy, −1 sell.

The charm of a put below spot is +, of a call above it −, for who is long one. A dealer
whose charm is to be − below must be short those puts: customers buy them. One whose charm
is to be − above must be long those calls: customers sell them.
"""
_PEAK = (0.10, 0.35)
"""|delta| between which most is traded."""
_FADE_IN, _FADE_OUT = 0.05, 0.12
_IN_THE_MONEY = 0.04
"""Weight in the money, relative to the same |delta| − ½ out of it."""
_CHEAPEST = 0.05


class Ladder:
    """Where contracts lie, and the weights with which customers choose among them."""

    def __init__(self, listing: Listing, shares: F64) -> None:
        """`shares` of the volume by series, shape (E,)."""
        self.listing = listing
        self._shares = shares
        count = len(shares)
        self.first = np.searchsorted(listing.series, np.arange(count)).astype(np.int32)
        """First contract of each series. Shape (E,)."""
        self.after = np.searchsorted(listing.series, np.arange(count), "right").astype(np.int32)
        """The contract after the last one of each. Shape (E,)."""

    def otm(self, contract: I32, spot: float) -> NDArray[np.bool_]:
        """Whether contracts are out of the money. Same shape."""
        listing = self.listing
        return np.asarray(
            listing.sign[contract] * (listing.strike[contract] - spot) > 0.0, np.bool_
        )

    def weights(self, step: Step) -> F64:
        """Probability that the next order is for each contract. Shape (n,); sums to 1.

        Volume lies out of the money between .10 and .35 delta; little is traded in the
        money and next to nothing in what is worth less than a tick. A series that has
        settled is not traded, and leaves its share to the others.
        """
        listing = self.listing
        depth = np.abs(step.delta)
        fade = np.where(
            depth < _PEAK[0],
            np.exp(-(((depth - _PEAK[0]) / _FADE_IN) ** 2)),
            np.exp(-((np.maximum(depth - _PEAK[1], 0.0) / _FADE_OUT) ** 2)),
        )
        out = self.otm(np.arange(len(depth), dtype=np.int32), step.spot)
        weight = np.where(out, fade, _IN_THE_MONEY * np.exp(-(((depth - 0.5) / 0.2) ** 2)))
        weight[~((step.fair >= _CHEAPEST) & (listing.settles_at > step.now))] = 0.0
        total = np.add.reduceat(weight, self.first)
        with np.errstate(invalid="ignore", divide="ignore"):
            scale = np.where(total > 0.0, self._shares / total, 0.0)
        weight *= scale[listing.series]
        return np.asarray(weight / max(float(weight.sum()), 1e-300), np.float64)

    def near(self, contract: I32, reach: int) -> tuple[I32, NDArray[np.bool_]]:
        """Contracts of the same kind up to `reach` strikes away, the one itself first.

        Two arrays of shape (2·reach + 1, k): the contracts, and whether they exist.
        """
        rungs = np.arange(1, reach + 1)
        away = 2 * np.concatenate([[0], np.stack([rungs, -rungs], axis=1).ravel()])
        found = contract + away[:, None]
        series = self.listing.series[contract]
        there = (found >= self.first[series]) & (found < self.after[series])
        return np.where(there, found, contract).astype(np.int32), there

    def at_strike(self, series: int, strike: float) -> int:
        """The call of a series whose strike is nearest; its put is the next contract."""
        first, after = int(self.first[series]), int(self.after[series])
        strikes = self.listing.strike[first:after:2]
        at = int(np.searchsorted(strikes, strike))
        at = min(max(at, 0), len(strikes) - 1)
        if at > 0 and strike - strikes[at - 1] < strikes[at] - strike:
            at -= 1
        return first + 2 * at
