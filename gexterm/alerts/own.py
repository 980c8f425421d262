"""Rules of the user's own: a pure function over what was remembered and the next Reading.

One machine for all of them. An edge that is armed and comes true is told; it is armed
again once it has been left by more than the margin. Where two edges are each other's
contrary (above, below), the one is told after the other as soon as it is so by more than
the margin: what was said last never stays wrong. What is not known changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum

from gexterm.alerts.model import Alert, AlertKind
from gexterm.alerts.rules import Thresholds
from gexterm.alerts.sights import Notes, Scene, Sight, look
from gexterm.alerts.teller import NS, printable
from gexterm.config_alerts import AlertRule, FeedIs, Label, Level, Near, Odds
from gexterm.market.calendar import et
from gexterm.reading.model import Reading


class Arm(IntEnum):
    """What an edge that comes true is worth."""

    NOT = 0
    """Nothing: it was so when last seen clearly."""
    BEYOND = 1
    """It is told if it is so by more than the margin: the contrary was told last."""
    YES = 2
    """It is told."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What is remembered of one rule."""

    world: tuple[str, ...] = ()
    """What its levels depend on; in another one it begins anew, in silence."""
    armed: Mapping[str, Arm] = field(default_factory=dict)
    """Edge to what it is worth; missing: never seen."""
    notes: Notes = field(default_factory=Notes)
    """Whatever else the rule has to know."""
    told: int | None = None
    """When it was last told, ns."""


@dataclass(frozen=True, slots=True)
class OwnState:
    """What the user's rules remember of earlier Readings. Opaque to everybody else."""

    as_of: int
    """Time of the last Reading, ns."""
    expiry: str
    """The last expiry that was known to settle today."""
    memories: tuple[Memory, ...]
    """One for each rule."""


def forgotten(state: OwnState | None, now: int | None = None) -> OwnState | None:
    """The state of a watch that begins anew, in silence: only quiet periods live on.

    Those that began after `now`, ns, do not: what was told has not happened yet.
    """
    if state is None:
        return None

    def told(memory: Memory) -> int | None:
        later = now is not None and memory.told is not None and memory.told > now
        return None if later else memory.told

    return replace(state, memories=tuple(Memory(told=told(m)) for m in state.memories))


def step_own(
    state: OwnState | None,
    reading: Reading,
    rules: Sequence[AlertRule],
    thresholds: Thresholds,
    silent_s: float,
) -> tuple[OwnState, tuple[Alert, ...]]:
    """The next state and what to say.

    `silent_s`: for how long nothing new has come, seconds; NaN where that cannot be told.
    """
    if state is not None and reading.as_of < state.as_of:
        state = forgotten(state, reading.as_of)
    memories = state.memories if state else tuple(Memory() for _ in rules)
    expiry = reading.zero_dte.expiry or (state.expiry if state else "")
    scene = Scene(reading, silent_s, thresholds)
    alerts: list[Alert] = []
    after = []
    for rule, memory in zip(rules, memories, strict=True):
        if not rule.underlying or reading.underlying.upper() in rule.underlying:
            memory = _step(rule, memory, scene, expiry, alerts)
        after.append(memory)
    return OwnState(reading.as_of, expiry, tuple(after)), tuple(alerts)


def _step(
    rule: AlertRule, memory: Memory, scene: Scene, expiry: str, alerts: list[Alert]
) -> Memory:
    reading = scene.reading
    world = _world(rule, reading, expiry)
    if memory.world != world:
        memory = Memory(world, told=memory.told)
    sights, notes = look(rule, scene, memory.notes)
    armed = {sight.key: memory.armed[sight.key] for sight in sights if sight.key in memory.armed}
    listening = _listening(rule, memory.told, reading.as_of)
    told = memory.told
    for sight in sights:
        if sight.so is None:
            continue
        arm = armed.get(sight.key)
        if not sight.so:
            # First seen where it is not so, it is armed: only what comes true is news.
            armed[sight.key] = Arm.YES if sight.clear or arm is None else arm
            continue
        if not (sight.free or arm is Arm.YES or (arm is Arm.BEYOND and sight.beyond)):
            armed[sight.key] = arm or Arm.NOT
            continue
        if listening:
            if _quiet(rule, scene.thresholds, told, reading.as_of):
                continue  # put off is not lost: if it is still so then, it is told then
            alerts.append(_alert(rule, sight, scene.reading))
            told = reading.as_of
            listening = not rule.once
        armed[sight.key] = Arm.NOT
        if sight.opposite in armed:
            armed[sight.opposite] = max(armed[sight.opposite], Arm.BEYOND)
        notes = sight.passed or notes
    return Memory(world, armed, notes, told)


def _world(rule: AlertRule, reading: Reading, expiry: str) -> tuple[str, ...]:
    what = rule.what
    price = isinstance(what, Level) or (isinstance(what, Near) and not isinstance(what.to, str))
    data = isinstance(what, FeedIs) and what.what != "signed_below"
    if price or data:
        return (reading.underlying,)  # neither depends on whose positions are assumed
    today = isinstance(what, Label | Odds) or (
        isinstance(what, Near) and what.to in ("lis", "lis_lower", "lis_upper", "target")
    )
    book = (reading.underlying, reading.positions.view, reading.scope)
    return (*book, expiry) if today else book


def _listening(rule: AlertRule, told: int | None, at: int) -> bool:
    """Whether the rule speaks at this hour, and has not spoken on this day if once is enough."""
    if rule.hours is None and not rule.once:
        return True
    now = et(at)
    if rule.once and told is not None and et(told).date() == now.date():
        return False
    if rule.hours is None:
        return True
    begin, end = rule.hours
    minute = now.hour * 60 + now.minute
    return begin <= minute < end if begin < end else minute >= begin or minute < end


def _quiet(rule: AlertRule, thresholds: Thresholds, told: int | None, at: int) -> bool:
    quiet_s = thresholds.quiet_s if math.isnan(rule.quiet) else rule.quiet
    return told is not None and 0 <= at - told < round(quiet_s * NS)


def _alert(rule: AlertRule, sight: Sight, reading: Reading) -> Alert:
    kind: AlertKind = rule.kind  # type: ignore[assignment]
    text = f"{rule.name}: {sight.text}" if rule.name else sight.text
    replay = reading.source.mode not in ("live", "delayed")
    return Alert(
        reading.as_of, kind, rule.severity, printable(text), sight.level, replay,
        rule=rule.name or rule.kind, deliver=rule.deliver,
    )  # fmt: skip
