"""Spot is led to the outcome that a script asks for.

The levels come from the true book. At some moment they are read and *observed*: from
then on they stay as they were, and drift brings spot to them or keeps it off them, as
the bridge and the wall of a Brownian motion do:

    towards a goal g at time τ     (g − S) / (τ − t) a second
    off a wall w, within reach b   0.3 · (b − distance) a second

Noise is left as it is. Outcomes are counted as the white paper counts them (section 7):
over the window from the observation to the end, against the levels observed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gexterm.clock import NS
from gexterm.errors import InputError
from gexterm.exposure.paradigm import ParadigmReading
from gexterm.market.calendar import at_et
from gexterm.simulator.check import LINES, span_ns, wish
from gexterm.simulator.script import Script

NAN = float("nan")
READ_EVERY_S = 60
"""The book is read once a minute."""
SIDIAL_WITHIN = 0.001
"""A Sidial book has hit its target when the close is within this share of it."""
_PUSH = 0.3
"""How hard walls push, per second: far harder than noise."""
_DAY_S = 23_400.0
_LATE_S, _END_S = 20.0, 5.0
"""Time constants with which a level that is late, and the end, are sought, seconds."""


@dataclass(frozen=True, slots=True)
class Observation:
    """The levels that outcomes are counted against."""

    at: int
    """When they were read, ns."""
    label: str
    """The paradigm then."""
    spot: float
    """Spot then, points."""
    lower: float
    """Lower line in the sand, points; NaN none."""
    upper: float
    """Upper line, points; NaN none."""
    target: float
    """Target, points; NaN none."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an observation by the end of its window."""

    hit: bool
    """The target was reached (Sidial: the close is within 0.1 % of it)."""
    lower: bool
    """Spot was below the lower line."""
    upper: bool
    """Spot was above the upper line."""
    end: int
    """Where it ended: −1 below the lower line, +1 above the upper one, else 0."""

    @property
    def breach(self) -> Literal["none", "lower", "upper", "winner"]:
        """In the words of a script: the line beyond which it ended, or `winner`."""
        if not (self.lower or self.upper):
            return "none"
        if not self.end:
            return "winner"
        return "lower" if self.end < 0 else "upper"


def outcome(seen: Observation, spots: Sequence[float]) -> Outcome:
    """Count what happened to `spots`, all prices since the observation, points."""
    low, high, last = min(spots), max(spots), spots[-1]
    if seen.label == "Sidial":
        hit = abs(last - seen.target) <= SIDIAL_WITHIN * seen.spot
    else:
        hit = high >= seen.target if seen.target > seen.spot else low <= seen.target
    # Comparisons with a line that does not exist are false, as they should be.
    return Outcome(
        hit=hit,
        lower=low < seen.lower,
        upper=high > seen.upper,
        end=int(last > seen.upper) - int(last < seen.lower),
    )


@dataclass(frozen=True, slots=True)
class _Goal:
    """Where spot has to be, and when."""

    level: float
    """Points."""
    at: int
    """Until when, ns."""
    side: int = 0
    """Done once spot is at or above (+1), at or below (−1) the level; 0: never, since it
    is where spot ends."""


@dataclass(frozen=True, slots=True)
class _Wall:
    """A level that spot shall not reach."""

    level: float
    """Points."""
    side: int
    """+1: spot stays above it; −1: below."""


class Steering:
    """Leads spot as a script wishes; where it wishes nothing, does nothing.

    `see` is told the reading of the true book once a minute and every spot; `drift`
    gives the points to add in the next second.
    """

    def __init__(self, script: Script) -> None:
        self._script = script
        self.steers = bool(script.target or script.breach)
        """Whether anything is asked for."""
        self.observed: Observation | None = None
        """The levels outcomes are counted against, once read."""
        self.begins, self._ends = span_ns(script)
        """First and last market time, ns."""
        self._wanted, since = wish(script)
        start = max(self.begins, at_et(script.date, since))
        span = self._ends - start
        self._from = start + max(READ_EVERY_S * NS, span // 20)
        self._until = start + span // 2
        # Noise of one second; the calmest and the busiest differ by a factor of two.
        self._noise = script.spot.sigma * script.spot.open / math.sqrt(_DAY_S)
        self._margin = max(4.0 * self._noise, 0.0002 * script.spot.open)
        self._reach = 14.0 * self._noise
        self._goals: list[_Goal] = []
        self._walls: list[_Wall] = []
        self._spots: list[float] = []

    def due(self, second: int) -> bool:
        """Whether the book has to be read this second."""
        return self.steers and self.observed is None and second % READ_EVERY_S == 0

    def read(self, now: int, spot: float, reading: ParadigmReading) -> None:
        """Take the true book's reading; observe it if it has what the script asks for.

        Raises InputError when half the time has passed and it never had.
        """
        if not self.steers or self.observed is not None or now < self._from:
            return
        if now > self._until:
            raise InputError(
                f"script {self._script.name!r}: the true book never read {self._wanted} with the"
                f" levels it asks for (last: {reading.label})",
                "raise flow.tilt or flow.opening_inventory, or try another seed",
            )
        seen = Observation(
            now, reading.label, spot, reading.lis_lower, reading.lis_upper, reading.target
        )
        if reading.label == self._wanted and self._usable(seen):
            self.observed = seen
            self._goals, self._walls = self._plan(seen)

    def drift(self, now: int, spot: float) -> float:
        """Points to add to spot in the next second."""
        if self.observed is None:
            return 0.0
        self._spots.append(spot)
        while self._goals and _reached(self._goals[0], spot):
            del self._goals[0]
        push = 0.0
        if self._goals:
            goal = self._goals[0]
            shortest = _LATE_S if goal.side else _END_S
            push = (goal.level - spot) / max((goal.at - now) / NS, shortest)
        for wall in self._walls:
            near = self._reach - wall.side * (spot - wall.level)
            if near > 0.0:
                push += wall.side * _PUSH * near
        return push

    def finish(self) -> Outcome | None:
        """What came of it; None where nothing was asked.

        Raises InputError when the path is not what was asked for.
        """
        if not self.steers:
            return None
        script, seen = self._script, self.observed
        if seen is None:
            raise InputError(
                f"script {script.name!r}: the true book never read {self._wanted}",
                "raise flow.tilt or flow.opening_inventory, or try another seed",
            )
        came = outcome(seen, self._spots)
        missed = []
        if script.target and came.hit != (script.target == "hit"):
            missed.append(f"target {script.target}")
        if script.breach and came.breach != script.breach:
            missed.append(f"breach {script.breach} (came out {came.breach})")
        if missed:
            raise InputError(
                f"script {script.name!r}: could not be given {' and '.join(missed)}",
                "give it more time or another seed",
            )
        return came

    def _usable(self, seen: Observation) -> bool:
        """Whether the levels asked for are there, and neither reached nor too near."""
        script = self._script
        lines = {"lower": seen.lower, "upper": seen.upper}
        needed = [lines[name] for name in LINES.get(seen.label, ())] if script.breach else []
        if script.target and seen.label != "Sidial":
            needed.append(seen.target)
        there = not math.isnan(seen.target) or not script.target
        return there and all(abs(level - seen.spot) > self._reach for level in needed)

    def _plan(self, seen: Observation) -> tuple[list[_Goal], list[_Wall]]:
        """Goals in order, and walls."""
        script, left = self._script, self._ends - seen.at
        goals: list[_Goal] = []
        walls: list[_Wall] = []

        def touched(level: float, share: float) -> _Goal:
            """Go a little beyond a level, seen from the spot observed, by a share of the time."""
            side = 1 if level > seen.spot else -1
            return _Goal(level + side * self._margin, seen.at + int(left * share), side)

        def wall(level: float) -> _Wall:
            return _Wall(level, 1 if seen.spot > level else -1)

        if seen.label == "Sidial":
            away = 0.0 if script.target == "hit" else 3.0 * SIDIAL_WITHIN * seen.spot
            end = seen.target + math.copysign(away, seen.spot - seen.target)
            return [_Goal(end, self._ends)], []
        if script.target == "miss":
            walls.append(wall(seen.target))
        if script.breach == "none":
            both = (seen.lower, seen.upper)
            walls += [wall(level) for level in both if not math.isnan(level)]
        hit = script.target == "hit"
        if script.breach == "winner":
            goals.append(touched(self._line(seen), 0.35))
            if hit:
                goals.append(touched(seen.target, 0.75))
            goals.append(_Goal(seen.spot, self._ends))
        elif script.breach in ("lower", "upper"):
            line = self._line(seen)
            if hit:
                goals.append(touched(seen.target, 0.3))
            goals.append(touched(line, 0.75 if hit else 0.5))
            end = max(4.0 * self._margin, 0.25 * abs(line - seen.spot))
            goals.append(_Goal(line + math.copysign(end, line - seen.spot), self._ends))
        elif hit:
            goals.append(touched(seen.target, 0.7))
        return goals, walls

    def _line(self, seen: Observation) -> float:
        """The line to be broken: the one named, or the nearer one."""
        if self._script.breach in ("lower", "upper"):
            return seen.lower if self._script.breach == "lower" else seen.upper
        lines = [level for level in (seen.lower, seen.upper) if not math.isnan(level)]
        return min(lines, key=lambda level: abs(level - seen.spot))


def _reached(goal: _Goal, spot: float) -> bool:
    return goal.side * (spot - goal.level) >= 0.0 if goal.side else False
