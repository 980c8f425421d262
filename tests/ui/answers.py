"""Answers to what screens ask, from closed formulas; and a day to draw over time."""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from functools import lru_cache

import numpy as np

from gexterm.errors import ChainError
from gexterm.reading.day import DayLog
from gexterm.reading.inquiry import (
    GREEKS,
    Curves,
    Outlook,
    Smile,
    Suppose,
    Supposed,
    TapeTail,
)
from gexterm.reading.model import Reading
from tests.ui.fakes import CLOSE, NS, reading

SIZE = {"gamma": 4e9, "charm": 6e8, "vanna": 2e8, "vega": 3e6, "delta": 9e8}


def curve(greek: str, spots: np.ndarray, spot: float) -> np.ndarray:
    """A cubic with known zeros: 1 % below the middle, at it, and 1 % above; odd about it."""
    x = (spots / spot - 1) / 0.01
    return SIZE[greek] * x * (x - 1) * (x + 1) / 6


def curves_of(base: Reading, suppose: Suppose, *, middle: float = 6000.0) -> Curves:
    """Curves whose size halves in three hours, with bands of a third."""
    spots = np.linspace(5700.0, 6300.0, 601)
    shrink = 0.5 ** (suppose.minutes / 180) * (1 + 0.05 * suppose.vol_points)
    values = {name: shrink * curve(name, spots, middle) for name in GREEKS}
    zeros = dict.fromkeys(GREEKS, (0.99 * middle, middle, 1.01 * middle))
    band = {name: (line - abs(line) / 3 - 1, line + abs(line) / 3 + 1)
            for name, line in values.items()}  # fmt: skip
    return Curves(base.as_of, base.positions.view, base.scope, suppose, base.spot, spots,
                  values, zeros, band)  # fmt: skip


class Answers:
    """Answers of a market that stands still; counts questions, waits when told to."""

    def __init__(self, base: Reading, *, bands: bool = True) -> None:
        self.base = base
        self.asked: list[tuple[str, object]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.refuse = ""
        self.bands = bands

    async def _asked(self, kind: str, about: object) -> None:
        self.asked.append((kind, about))
        await self.gate.wait()
        if self.refuse:
            raise ChainError(self.refuse)

    def count(self, kind: str) -> int:
        return sum(1 for name, _ in self.asked if name == kind)

    async def supposed(self, suppose: Suppose) -> Supposed:
        await self._asked("supposed", suppose)
        base = self.base
        left = (CLOSE - base.as_of) / NS / 60
        cut = replace(suppose, minutes=min(suppose.minutes, left))
        there = reading(
            base.spot * (1 + cut.spot_change), base.as_of + int(cut.minutes * 60 * NS),
            base.positions.view, base.scope,
        )  # fmt: skip
        notes = ["every strike keeps its volatility"]
        if cut != suppose:
            notes.append("time is cut at today's settlement")
        return Supposed(cut, there, base, tuple(notes))

    async def curves(self, suppose: Suppose) -> Curves:
        await self._asked("curves", suppose)
        found = curves_of(self.base, suppose)
        return found if self.bands else replace(found, band={})

    async def smile(self, expiry: str, root: str) -> Smile:
        raise ChainError("no smile here")

    async def tape(self, count: int, least_size: float = 0.0) -> TapeTail:
        raise ChainError("no tape here")

    async def outlook(self, greek: str) -> Outlook:
        await self._asked("outlook", greek)
        return outlook_of(self.base, greek)


def outlook_of(base: Reading, greek: str) -> Outlook:
    """Every quarter of an hour to the close: what there is now, fading evenly to nothing."""
    step = 15 * 60 * NS
    times = np.arange((base.as_of // step + 1) * step, CLOSE + 1, step, dtype=np.int64)
    column = {"gamma": "gex"}.get(greek, greek)
    now = base.strikes[column].to_numpy()
    left = (CLOSE - times) / (CLOSE - base.as_of)
    return Outlook(base.as_of, greek, base.positions.view, base.scope, times,
                   base.strikes["strike"].to_numpy(), left[:, None] * now[None, :])  # fmt: skip


def day_of(
    log: DayLog, end: int, minutes: int, *, view: str = "short-both", spot: float = 6012.35
) -> None:
    """Minutes of a day up to a time, spot coming up from below in a wave."""
    for minute in range(minutes, 0, -1):
        log.note(_minute(end - minute * 60 * NS, minute, view, spot))


@lru_cache(maxsize=200)
def _minute(at: int, minute: int, view: str, spot: float) -> Reading:
    return reading(spot - 0.3 * minute + 6 * math.sin(minute / 9), at, view)
