"""What deserves an alert: pure functions over what was remembered and the next Reading.

`step` is all of it. Nothing here keeps state, knows a clock or delivers anything; time
is the Reading's own. The rules are written out for the user in `docs/alerts.md`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gexterm.alerts.lines import (
    Distances,
    FlipWatch,
    LineWatch,
    watch_flip,
    watch_lis,
    watch_target,
)
from gexterm.alerts.model import Alert, Severity
from gexterm.alerts.teller import NAN, NS, Said, Teller, points
from gexterm.config_alerts import AlertSettings
from gexterm.reading.model import Gamma, Health, Reading, ZeroDte

_IN_DOUBT = "in doubt"
"""What stands for the label the user knows of, when it is none."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Everything about the rules that can be set."""

    distances: Distances = field(default_factory=Distances)
    """Distances to lines."""
    quiet_s: float = 120.0
    """The same kind about the same thing at most once in this much market time, seconds."""
    wall_holds_s: float = 30.0
    """A wall has moved when it stays for this much market time, seconds."""
    sure: float = 0.6
    """Where positions carry an uncertainty: P(label) from which on a label is told."""
    doubtful: float = 0.4
    """P(label) below which a label that was told is taken back, and its lines are not watched."""
    sure_gamma: float = 0.8
    """P(short) or P(long) from which on a gamma state is told."""
    stale_after_s: float = 90.0
    """A feed is stale when nothing at all changed for this much market time, seconds."""
    off: frozenset[str] = frozenset()
    """Kinds that are not wanted."""

    @classmethod
    def of(cls, chosen: AlertSettings) -> Thresholds:
        """As the user has set them."""
        return cls(
            distances=Distances(
                near_sigma=chosen.near_sigma,
                far_sigma=chosen.far_sigma,
                touch_sigma=chosen.touch_sigma,
                touch_share=chosen.touch_percent / 100.0,
            ),
            quiet_s=chosen.quiet,
            wall_holds_s=chosen.wall_holds,
            sure=chosen.sure,
            doubtful=chosen.doubtful,
            sure_gamma=chosen.sure_gamma,
            stale_after_s=chosen.stale_after,
            off=frozenset(chosen.off),
        )


@dataclass(frozen=True, slots=True)
class WallWatch:
    """A wall, and where it may be moving to."""

    told: float
    """Where the user knows it, points."""
    moving_to: float = NAN
    """Where it stands now if that is elsewhere, points."""
    since: int = 0
    """Since when, ns."""


@dataclass(frozen=True, slots=True)
class FlowWatch:
    """When anything last changed, and the counters the user knows of."""

    fingerprint: tuple[float, ...]
    """What changes when data arrives: spot and the times of the quotes."""
    changed: int
    """When it last did, ns."""
    stale: bool
    """Whether the user has been told that nothing comes."""
    reconnects: int
    """Reconnections told."""
    gaps: int
    """Gaps told."""
    dropped: int
    """Dropped events told."""


@dataclass(frozen=True, slots=True)
class State:
    """What the rules remember of earlier Readings. Opaque to everybody else."""

    key: tuple[str, str, str]
    """Underlying, positions view and scope: with another one, all levels are other levels."""
    as_of: int
    """Time of the last Reading, ns."""
    spot: float
    """Last known spot, points."""
    expiry: str
    """The expiry that settles today."""
    paradigm: str
    """The label the user knows of; empty: none yet."""
    gamma: str
    """The gamma state the user knows of; empty: none yet."""
    settled: bool
    """Whether the user knows that today's expiry has settled."""
    trap: bool
    """Whether the user knows that a whole side may be signed wrongly."""
    flow: FlowWatch
    """The feed."""
    lower: LineWatch | None = None
    """Lower line in the sand."""
    upper: LineWatch | None = None
    """Upper line in the sand."""
    target: LineWatch | None = None
    """Target."""
    flip: FlipWatch | None = None
    """Flip."""
    walls: Mapping[str, WallWatch] = field(default_factory=dict)
    """`call` and `put` wall."""
    said: Said = field(default_factory=dict)
    """When what was last said."""


def step(
    state: State | None, reading: Reading, thresholds: Thresholds
) -> tuple[State, tuple[Alert, ...]]:
    """The next state and what to say. With no state, or after a rewind, nothing is said."""
    if state is not None and reading.as_of < state.as_of:
        state = None
    key = (reading.underlying, reading.positions.view, reading.scope)
    said: Said = state.said if state else {}
    replay = reading.source.mode not in ("live", "delayed")
    teller = Teller(reading.as_of, said, thresholds.quiet_s, replay, thresholds.off)
    flow = _flow(state.flow if state else None, teller, reading, thresholds)
    # Another view or scope is the user's doing, not the market's: levels begin anew.
    before = state if state is not None and state.key == key else None
    following = _levels(before, teller, reading, key, flow, thresholds)
    return replace(following, said=teller.said), tuple(teller.alerts)


def _levels(
    state: State | None,
    teller: Teller,
    reading: Reading,
    key: tuple[str, str, str],
    flow: FlowWatch,
    thresholds: Thresholds,
) -> State:
    zero = reading.zero_dte
    gamma = reading.gamma
    d = thresholds.distances
    spot = reading.spot
    first = state is None
    before = state.spot if state else NAN
    walls = dict(state.walls) if state else {}
    settled, paradigm = _session(state, teller, zero, thresholds)
    new_day = state is not None and state.expiry != zero.expiry
    lines = None if new_day or zero.settled else state
    no_lines = first or new_day
    sigma = zero.sigma
    lower, upper = (lines.lower, lines.upper) if lines else (None, None)
    target = lines.target if lines else None
    if not zero.settled:
        levels = known_lines(zero, thresholds)
        lower = watch_lis(lower, teller, "lower", levels[0], spot, sigma, no_lines, d)
        upper = watch_lis(upper, teller, "upper", levels[1], spot, sigma, no_lines, d)
        target = watch_target(target, teller, levels[2], spot, before, sigma, no_lines, d)
    flip = state.flip if state else None
    flip = watch_flip(flip, teller, known_flip(gamma), spot, sigma, first, d)
    for side, level in (("call", gamma.call_wall), ("put", gamma.put_wall)):
        wall = _wall(walls.get(side), teller, side, level, thresholds)
        if wall is not None:
            walls[side] = wall
    return State(
        key=key,
        as_of=reading.as_of,
        spot=spot if math.isfinite(spot) else before,
        expiry=zero.expiry,
        paradigm=paradigm,
        gamma=_gamma_state(state, teller, reading, thresholds),
        settled=settled,
        trap=_trap(state, teller, reading),
        flow=flow,
        lower=lower,
        upper=upper,
        target=target,
        flip=flip,
        walls=walls,
    )


def known_lines(zero: ZeroDte, thresholds: Thresholds) -> tuple[float, float, float]:
    """Lower line, upper line and target, points; NaN where they are not known.

    The lines of a label that is hardly likelier than another are not, and those of an
    expiry that has settled are over.
    """
    if zero.settled or odds(zero) < thresholds.doubtful:
        return NAN, NAN, NAN
    return zero.lis_lower, zero.lis_upper, zero.target


def known_flip(gamma: Gamma) -> float:
    """The flip, points; NaN where there is none, or where nobody can say where.

    Under a view with odds, a flip that may lie anywhere on one side is none to cross.
    """
    around = (gamma.flip_band.low, gamma.flip_band.high)
    located = math.isnan(gamma.probability_short) or all(map(math.isfinite, around))
    return gamma.flip if located else NAN


def silence_s(state: State, reading: Reading) -> float:
    """For how long nothing new has come, seconds; NaN where that cannot be told."""
    if reading.source.mode == "file" or math.isnan(reading.health.quote_age_p50_s):
        return NAN
    return (reading.as_of - state.flow.changed) / NS


def odds(zero: ZeroDte) -> float:
    """P of the label shown; NaN where positions carry no uncertainty."""
    return zero.probability.get(zero.paradigm, NAN) if zero.probability else NAN


def _session(
    state: State | None, teller: Teller, zero: ZeroDte, thresholds: Thresholds
) -> tuple[bool, str]:
    """Settlement and the paradigm of today's expiry.

    Where labels have odds, a new one is told once it is sure, and one that was told is
    taken back when it no longer is.
    """
    label = "" if zero.paradigm == "No data" else zero.paradigm
    unsure = odds(zero) < thresholds.sure
    if state is None or state.expiry != zero.expiry:
        return zero.settled, _IN_DOUBT if label and unsure else label
    if zero.settled:
        if not state.settled:
            teller.tell("settled", "info", f"{zero.expiry} has settled; its last profile stands")
        return True, state.paradigm
    if not label or (label == state.paradigm and not unsure):
        return False, state.paradigm
    if state.paradigm and unsure:
        left = zero.probability.get(state.paradigm, 0.0)
        if state.paradigm == _IN_DOUBT or left >= thresholds.doubtful:
            return False, state.paradigm
        if state.paradigm == "Mixed":
            return False, _IN_DOUBT
        text = f"paradigm {state.paradigm} in doubt ({left:.0%})"
        told = teller.tell("paradigm changed", "info", text, about=_IN_DOUBT)
        return False, _IN_DOUBT if told else state.paradigm
    if not state.paradigm:
        return False, label
    probability = zero.probability.get(label, NAN)
    sure = f" ({probability:.0%})" if math.isfinite(probability) else ""
    text = f"paradigm {state.paradigm} → {label}{sure}"
    severity: Severity = "info" if label == "Mixed" else "notice"
    told = teller.tell("paradigm changed", severity, text, about=label)
    return False, label if told else state.paradigm


def _trap(state: State | None, teller: Teller, reading: Reading) -> bool:
    """Whether resting orders of one side deceive the signer: nothing is to be relied on then."""
    why = reading.positions.trap
    if not why:
        return False
    if state is None or state.trap:
        return True
    return teller.tell("signing doubtful", "warning", why)


def _gamma_state(
    state: State | None, teller: Teller, reading: Reading, thresholds: Thresholds
) -> str:
    now = reading.gamma.state
    if now == "unknown":
        return state.gamma if state else ""
    short = reading.gamma.probability_short
    if now != "neutral" and (short if now == "short" else 1.0 - short) < thresholds.sure_gamma:
        return state.gamma if state else ""
    if state is None or not state.gamma or now == state.gamma:
        return now
    severity: Severity = "info" if now == "neutral" else "notice"
    text = f"gamma {state.gamma} → {now}"
    told = teller.tell("gamma changed", severity, text, about=now, level=reading.gamma.flip)
    return now if told else state.gamma


def _wall(
    watch: WallWatch | None, teller: Teller, side: str, level: float, thresholds: Thresholds
) -> WallWatch | None:
    if not math.isfinite(level):
        return watch
    if watch is None:
        return WallWatch(level)
    if level == watch.told:
        return WallWatch(level)
    if level != watch.moving_to:
        watch = WallWatch(watch.told, level, teller.at)
    if teller.at - watch.since < thresholds.wall_holds_s * NS:
        return watch
    text = f"{side} wall {points(watch.told)} → {points(level)}"
    told = teller.tell("wall moved", "info", text, about=side, level=level)
    return WallWatch(level) if told else watch


def _flow(
    watch: FlowWatch | None, teller: Teller, reading: Reading, thresholds: Thresholds
) -> FlowWatch:
    """Whether data comes at all, and what was lost of it."""
    health = reading.health
    now = _fingerprint(reading)
    if watch is None:
        return FlowWatch(now, teller.at, False, health.reconnects, health.gaps, health.dropped)
    # Without quote times nobody can tell silence from calm.
    known = math.isfinite(reading.health.quote_age_p50_s)
    changed = teller.at if now != watch.fingerprint or not known else watch.changed
    stale = watch.stale
    silent_s = (teller.at - changed) / NS
    if stale and now != watch.fingerprint:
        stale = not teller.tell("feed restored", "notice", "data is coming again", about="data")
    elif not stale and silent_s >= thresholds.stale_after_s and reading.source.mode != "file":
        text = f"nothing new for {silent_s:.0f} s: what is shown is old"
        stale = teller.tell("feed stale", "warning", text, about="data")
    told = _counters(watch, teller, health)
    return replace(told, fingerprint=now, changed=changed, stale=stale)


def _fingerprint(reading: Reading) -> tuple[float, ...]:
    """The same as long as no quote and no price arrives: ages grow with time, times stand."""
    health = reading.health
    ages = (health.quote_age_p50_s, health.quote_age_p99_s)
    # Milliseconds hide rounding in the ages; NaN never equals itself, so it becomes −1.
    stamps = (round(reading.as_of / NS - age, 3) if math.isfinite(age) else -1.0 for age in ages)
    return (reading.spot if math.isfinite(reading.spot) else -1.0, *stamps)


def _counters(watch: FlowWatch, teller: Teller, health: Health) -> FlowWatch:
    reconnects, gaps, dropped = watch.reconnects, watch.gaps, watch.dropped
    if health.reconnects < reconnects or health.gaps < gaps or health.dropped < dropped:
        # Counters that fall belong to a new session.
        return replace(
            watch, reconnects=health.reconnects, gaps=health.gaps, dropped=health.dropped
        )
    if health.reconnects > reconnects:
        text = f"reconnected (connection {health.reconnects + 1} of this session)"
        if teller.tell("feed restored", "notice", text, about="connection"):
            reconnects = health.reconnects
    if health.gaps > gaps or health.dropped > dropped:
        parts = []
        if health.gaps > gaps:
            new = health.gaps - gaps
            parts.append(f"{new:,} print{'s' if new > 1 else ''} missing")
        if health.dropped > dropped:
            parts.append(f"{health.dropped - dropped:,} messages dropped")
        if teller.tell("feed gap", "warning", ", ".join(parts)):
            gaps, dropped = health.gaps, health.dropped
    return replace(watch, reconnects=reconnects, gaps=gaps, dropped=dropped)
