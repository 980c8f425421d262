"""How the paradigms ended in the one study that published it, by time of day.

Volland / Ad Deum Funds white paper (2023), tables 2 to 7: 144 days, a reading every half
hour. The rates are of a sample that its authors published themselves, without costs and
without a placebo; `exposure.placebo` gives what a driftless normal does. `data/SOURCE.md`
says what was cleaned and what was left as printed.
"""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from types import MappingProxyType
from typing import Literal

from gexterm.errors import InputError

Rated = Literal["BofA", "GEX", "Anti-GEX", "Sidial"]
PARADIGMS: tuple[Rated, ...] = ("BofA", "GEX", "Anti-GEX", "Sidial")

SOURCE = "Volland/Ad Deum 2023, 144 days; self-published, no costs"
"""The line to show beside every rate."""
SETTLED = dt.time(16, 0)
"""From here on the day is decided. The paper's reading at 16:05 is one of settled days."""

OUTCOMES: dict[Rated, str] = {
    "BofA": "closes inside the lines",
    "GEX": "target hit",
    "Anti-GEX": "target hit",
    "Sidial": "closes at its balance point",
}
"""What counts as success, by paradigm."""

Table = tuple[MappingProxyType[str, str], ...]


@dataclass(frozen=True, slots=True)
class BaseRate:
    """How often a paradigm read at a time of day ended as its rule says, in the sample."""

    paradigm: Rated
    """The label."""
    outcome: str
    """What counts as success."""
    rate: float
    """Share of the occurrences, 0 to 1."""
    wins: int
    """How many."""
    occurrences: int
    """Out of how many."""
    read_at: dt.time
    """The reading's time, New York: the latest of the paper's at or before now."""
    share: float
    """Share of the days on which this paradigm was read at that time, 0 to 1."""
    days: int
    """Days with a reading at that time."""
    pooled: bool
    """Whether the rate is one of all times of day together (Sidial)."""
    note: str
    """What is not known of it; empty where nothing is missing."""
    source: str = SOURCE
    """Where it comes from."""


@lru_cache(maxsize=16)
def table(name: str) -> Table:
    """The rows of a packaged table by its file name without `.csv`, as printed.

    Raises InputError where the installation lacks it.
    """
    path = resources.files("gexterm.reference") / "data" / f"{name}.csv"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(
            f"the white paper's table {name} is not in this installation", "install gexterm again"
        ) from None
    return tuple(MappingProxyType(row) for row in csv.DictReader(text.splitlines()))


@lru_cache(maxsize=1)
def reading_times() -> tuple[dt.time, ...]:
    """The paper's times of day, New York, ascending."""
    return tuple(dt.time.fromisoformat(row["time_et"]) for row in table("table2_paradigm_share"))


@lru_cache(maxsize=1)
def _rates() -> dict[tuple[str, dt.time], BaseRate]:
    shares = {dt.time.fromisoformat(r["time_et"]): r for r in table("table2_paradigm_share")}
    rates: dict[tuple[str, dt.time], BaseRate] = {}

    def add(
        paradigm: Rated, at: dt.time, wins: int, count: int, note: str = "", pooled: bool = False
    ) -> None:
        row = shares[at]
        days = int(row["days"])
        rates[paradigm, at] = BaseRate(
            paradigm=paradigm,
            outcome=OUTCOMES[paradigm],
            rate=wins / count,
            wins=wins,
            occurrences=count,
            read_at=at,
            share=int(row[f"{paradigm}_count"]) / days,
            days=days,
            pooled=pooled,
            note=note,
        )

    for row in table("table3_bofa"):
        at = dt.time.fromisoformat(row["time_et"])
        add("BofA", at, int(row["wins"]), int(row["occurrences"]))
    named: tuple[tuple[Rated, str], ...] = (
        ("GEX", "table6_gex_transitions"),
        ("Anti-GEX", "table7_antigex_transitions"),
    )
    for paradigm, name in named:
        for row in table(name):
            at = dt.time.fromisoformat(row["time_et"])
            add(paradigm, at, int(row["Target_count"]), int(row["occurrences"]))
    sidial = next(row for row in table("table2_summary") if row["paradigm"] == "Sidial")
    for at in shares:
        add(
            "Sidial",
            at,
            int(sidial["success_or_target"]),
            int(sidial["occurrences_printed"]),
            "all times of day together; how near the close must be is not stated",
            pooled=True,
        )
    return rates


def base_rate(paradigm: str, time_et: dt.time, early_close: bool = False) -> BaseRate | None:
    """The sample's rate for a paradigm read at a time of day, New York.

    From the latest reading of the paper at or before `time_et`. None before 9:35, from
    16:00 on, on an early close (the sample has one), and for Mixed and No data.
    """
    if early_close or time_et >= SETTLED:
        return None
    at = max((t for t in reading_times() if t <= time_et), default=None)
    return None if at is None else _rates().get((paradigm, at))
