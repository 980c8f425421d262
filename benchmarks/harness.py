"""Timing: medians of interleaved runs, and ratios between sides measured in the same run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line of the report."""

    name: str
    value: float
    unit: str
    bar: str = ""
    """The goal in words, e.g. `<= 4 x`; empty where there is none."""
    met: bool | None = None


def medians(
    sides: dict[str, Callable[[], object]], runs: int = 15, warmup: int = 3
) -> dict[str, float]:
    """Median seconds of each side; the sides take turns, so that drift hits all alike."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(warmup + runs):
        for name, side in sides.items():
            begin = time.perf_counter()
            side()
            took = time.perf_counter() - begin
            if turn >= warmup:
                times[name].append(took)
    return {name: statistics.median(took) for name, took in times.items()}


def at_most(name: str, value: float, limit: float, unit: str) -> Row:
    """A row that is met when the value is not above the limit."""
    return Row(name, value, unit, f"<= {limit:g} {unit}", value <= limit)


def at_least(name: str, value: float, limit: float, unit: str) -> Row:
    """A row that is met when the value is not below the limit."""
    return Row(name, value, unit, f">= {limit:g} {unit}", value >= limit)
