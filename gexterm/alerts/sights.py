"""What a rule of the user's own sees in one Reading.

A sight is one edge: whether what is waited for is so, and whether it is so clearly not so
that it counts again when it comes. In between lies the hysteresis. What is not known is
neither.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from gexterm.alerts.rules import Thresholds, known_flip, known_lines, odds
from gexterm.alerts.teller import NAN, NS, money, points
from gexterm.config_alerts import (
    AlertRule,
    FeedIs,
    FlipCrossed,
    FlipMoved,
    Flow,
    GexIs,
    Label,
    Length,
    Level,
    Near,
    Odds,
    RegimeIs,
    ViewsDisagree,
    Wall,
)
from gexterm.reading.model import Reading

_TRAIL = 240
"""Points kept of a level that may move."""
_NAMES = {
    "flip": "the flip", "target": "the target", "lis_lower": "the lower line in the sand",
    "lis_upper": "the upper line in the sand", "call_wall": "the call wall",
    "put_wall": "the put wall",
}  # fmt: skip
FLOW_NAMES = {
    "per_hour": "in the next hour", "per_up_1pct": "when spot rises 1 %",
    "per_down_1pct": "when spot falls 1 %", "per_vol_point": "when volatility rises one point",
    "by_gamma": "so far, by gamma", "by_vanna": "so far, by vanna", "by_charm": "so far, by charm",
}  # fmt: skip
"""Hedge flows in words."""


@dataclass(frozen=True, slots=True)
class Notes:
    """What a rule remembers besides what it is armed for."""

    marks: Mapping[str, float] = field(default_factory=dict)
    """Numbers by name: where a wall was, how many gaps are known."""
    trail: tuple[tuple[int, float], ...] = ()
    """A level over time: ns and points, oldest first."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One edge, as it stands."""

    key: str
    """Which of the rule's edges."""
    so: bool | None
    """Whether what is waited for is so; None: not known."""
    clear: bool
    """Whether it has been left by more than the margin, so that it counts again."""
    beyond: bool = False
    """Whether it is so by more than the margin."""
    text: str = ""
    """What to say if it is news."""
    level: float = NAN
    """The level concerned, points; NaN where there is none."""
    free: bool = False
    """Whether it needs no arming: it is told against what was told last (`passed`)."""
    opposite: str = ""
    """The edge that says the contrary; empty: there is none."""
    passed: Notes | None = None
    """What to remember once it has been told, or has passed unsaid; None: nothing new."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What every rule is shown."""

    reading: Reading
    """The Reading."""
    silent_s: float
    """For how long nothing new has come, seconds; NaN where that cannot be told."""
    thresholds: Thresholds
    """Of the built-in rules: what is sure and what is in doubt is the same here."""

    @property
    def margin(self) -> float:
        """Half the width of a line, points."""
        return self.thresholds.distances.margin(self.reading.spot, self.reading.zero_dte.sigma)


Seen = tuple[tuple[Sight, ...], Notes]
"""Sights, and what to remember whatever becomes of them."""


def look(rule: AlertRule, scene: Scene, notes: Notes) -> Seen:
    """What the rule sees, and what it remembers of it."""
    return _LOOKS[type(rule.what)](rule, rule.what, scene, notes)


def _edge(key: str, over: float, margin: float, text: str, level: float = NAN) -> Sight:
    """Something is so when `over` is above 0, and clearly not so below −margin."""
    if not (math.isfinite(over) and math.isfinite(margin)):
        return Sight(key, None, False)
    clear, beyond = over <= 0 and over < -margin, over > 0 and over > margin
    return Sight(key, over > 0, clear, beyond, text, level)


def _pair(keys: tuple[str, str], over: float, margin: float, texts: tuple[str, str],
          level: float = NAN) -> tuple[Sight, ...]:  # fmt: skip
    """Two edges that are each other's contrary: above 0 the first is so, below it the second."""
    first = replace(_edge(keys[0], over, margin, texts[0], level), opposite=keys[1])
    second = replace(_edge(keys[1], -over, margin, texts[1], level), opposite=keys[0])
    return first, second


def _back(rule: AlertRule, scene: Scene, default: float) -> float:
    """The rule's own hysteresis in points, or the default."""
    own = rule.hysteresis
    if isinstance(own, Length):
        return own.points(scene.reading.spot, scene.reading.zero_dte.sigma)
    return default


def _share(rule: AlertRule, default: float) -> float:
    return rule.hysteresis if isinstance(rule.hysteresis, float) else default


def _level(rule: AlertRule, what: Level, scene: Scene, notes: Notes) -> Seen:
    spot, margin = scene.reading.spot, _back(rule, scene, scene.margin)
    name = points(what.price)
    texts = (f"spot above {name}: {points(spot)}", f"spot below {name}: {points(spot)}")
    edges = _pair(("up", "down"), spot - what.price, margin, texts, what.price)
    return _chosen(edges, what.when), notes


def _chosen(edges: tuple[Sight, ...], way: str) -> tuple[Sight, ...]:
    return tuple(edge for edge in edges if way in ("either", edge.key.split()[0]))


def _near(rule: AlertRule, what: Near, scene: Scene, notes: Notes) -> Seen:
    reading = scene.reading
    lower, upper, target = known_lines(reading.zero_dte, scene.thresholds)
    lines = {
        "flip": known_flip(reading.gamma), "lis_lower": lower, "lis_upper": upper,
        "target": target, "call_wall": reading.gamma.call_wall,
        "put_wall": reading.gamma.put_wall,
    }  # fmt: skip
    within = what.within.points(reading.spot, reading.zero_dte.sigma)
    margin = _back(rule, scene, 0.5 * within)
    names = ("lis_lower", "lis_upper") if what.to == "lis" else (what.to,)
    edges = []
    for name in names:
        level = lines[name] if isinstance(name, str) else name
        called = f"{_NAMES[name]} {points(level)}" if isinstance(name, str) else points(level)
        away = abs(reading.spot - level)
        text = f"spot {points(away)} points from {called}"
        # "Within 5" includes 5: the smallest step beyond is what must not be reached.
        over = math.nextafter(within, math.inf) - away
        edges.append(_edge(str(name), over, margin, text, level))
    return tuple(edges), notes


def _label(rule: AlertRule, what: Label, scene: Scene, notes: Notes) -> Seen:
    zero = scene.reading.zero_dte
    if zero.settled or zero.paradigm == "No data":
        return (Sight("label", None, False),), notes
    label, sure = str(zero.paradigm), odds(zero)
    least = what.least
    if math.isnan(least):
        least = scene.thresholds.sure if math.isfinite(sure) else -1.0
    elif math.isnan(sure):
        return (Sight("label", None, False),), notes  # asked for a P, and there is none
    percent = f" ({sure:.0%})" if math.isfinite(sure) else ""
    enough = not sure < least
    so = (label != what.label if what.leaves else label == what.label) and enough
    text = f"paradigm is {label}{percent}"
    if what.leaves:
        if label != what.label and not enough:
            return (Sight("label", None, False),), notes  # nobody can say that it has gone
        text = f"paradigm is no longer {what.label}: {label}{percent}"
        clear = label == what.label
    else:
        clear = label != what.label or sure < least - _share(rule, 0.05)
    return (Sight("label", so, clear and not so, text=text),), notes


def _odds(rule: AlertRule, what: Odds, scene: Scene, notes: Notes) -> Seen:
    zero, gamma = scene.reading.zero_dte, scene.reading.gamma
    if what.label in ("short gamma", "long gamma"):
        p = gamma.probability_short if what.label == "short gamma" else 1 - gamma.probability_short
    else:
        known = bool(zero.probability) and not zero.settled
        p = zero.probability.get(what.label, 0.0) if known else NAN
    word = "above" if what.above else "below"
    text = f"P({what.label}) {p:.0%}, {word} {what.bound:.0%}"
    over = p - what.bound if what.above else what.bound - p
    return (_edge("odds", over, _share(rule, 0.05), text),), notes


def _flip_crossed(rule: AlertRule, what: FlipCrossed, scene: Scene, notes: Notes) -> Seen:
    reading = scene.reading
    spot, flip, sigma = reading.spot, known_flip(reading.gamma), reading.zero_dte.sigma
    margin = _back(rule, scene, scene.margin)
    leaps = notes.marks.get("leaps", 0.0)
    if math.isfinite(flip) and math.isfinite(spot):
        last = notes.marks.get("flip", flip)
        leap = max(0.0025 * spot, 0.5 * sigma if math.isfinite(sigma) else 0.0)
        leaps += abs(flip - last) > leap
        notes = Notes({"flip": flip, "leaps": leaps})
    # Another zero of the profile is another flip: its edges are other edges.
    keys = (f"up {leaps:g}", f"down {leaps:g}")
    name = f"the flip {points(flip)}: {points(spot)}"
    edges = _pair(keys, spot - flip, margin, (f"spot above {name}", f"spot below {name}"), flip)
    return _chosen(edges, what.when), notes


def _flip_moved(_rule: AlertRule, what: FlipMoved, scene: Scene, notes: Notes) -> Seen:
    reading = scene.reading
    at, flip = reading.as_of, known_flip(reading.gamma)
    by = what.by.points(reading.spot, reading.zero_dte.sigma)
    since = at - round(what.within_s * NS)
    trail = tuple(point for point in notes.trail if point[0] >= since)
    if not (math.isfinite(flip) and math.isfinite(by)):
        return (Sight("moved", None, False, free=True),), Notes(trail=trail)
    far = max(trail, key=lambda point: abs(flip - point[1]), default=(at, flip))
    # Thinned, so that a minute at ten Readings a second costs no more than one at one.
    step = round(what.within_s * NS / _TRAIL)
    if not trail or at - trail[-1][0] >= step:
        trail = (*trail, (at, flip))
    minutes = f"{(at - far[0]) / NS / 60:.0f} min" if at - far[0] >= 60 * NS else "a minute"
    text = f"flip {points(far[1])} → {points(flip)} within {minutes}"
    passed = Notes(trail=((at, flip),))
    so = abs(flip - far[1]) > by
    moved = Sight("moved", so, True, text=text, level=flip, free=True, passed=passed)
    return (moved,), Notes(trail=trail)


def _wall(_rule: AlertRule, what: Wall, scene: Scene, notes: Notes) -> Seen:
    at, gamma, marks = scene.reading.as_of, scene.reading.gamma, dict(notes.marks)
    found: list[tuple[str, float, float]] = []
    for side, level in (("call", gamma.call_wall), ("put", gamma.put_wall)):
        if what.which not in ("either", side) or not math.isfinite(level):
            continue
        told = marks.setdefault(f"{side} told", level)
        if level != marks.get(f"{side} to"):
            marks[f"{side} to"] = level
            marks[f"{side} since"] = at
        found.append((side, told, level))
    notes = Notes(marks)
    edges = []
    for side, told, level in found:
        held = at - marks[f"{side} since"] >= what.holds_s * NS
        far = level != told and abs(level - told) >= what.by
        text = f"{side} wall {points(told)} → {points(level)}"
        passed = Notes({**marks, f"{side} told": level})
        edges.append(
            Sight(side, held and far, True, text=text, level=level, free=True, passed=passed)
        )
    # Both at once is rare; the second is then told by the next Reading.
    told_one = next((edge for edge in edges if edge.so), None)
    return (told_one,) if told_one else tuple(edges[:1]), notes


def _regime(_rule: AlertRule, what: RegimeIs, scene: Scene, notes: Notes) -> Seen:
    regime, gamma = scene.reading.regime, scene.reading.gamma
    now = str(getattr(regime, what.part))
    short = gamma.probability_short
    if what.part == "gamma" and now in ("long", "short") and math.isfinite(short):
        sure = (short if now == "short" else 1.0 - short) >= scene.thresholds.sure_gamma
        now = now if sure else "unknown"
    if now == "unknown":
        return (Sight("is", None, False),), notes
    so = now == what.becomes
    return (Sight("is", so, not so, text=f"{what.part} is {now}"),), notes


def _feed(rule: AlertRule, what: FeedIs, scene: Scene, notes: Notes) -> Seen:
    health = scene.reading.health
    if what.what == "stale":
        silent = scene.silent_s
        text = f"nothing new for {silent:.0f} s: what is shown is old"
        over = math.nextafter(silent, math.inf) - what.bound
        return (_edge("stale", over, 0.0, text),), notes
    if what.what in ("quoted_below", "signed_below"):
        quoted = what.what == "quoted_below"
        share = health.quoted_share if quoted else scene.reading.positions.signed_share
        word = "of the contracts are quoted" if quoted else "of the volume is signed"
        text = f"{share:.0%} {word}, below {what.bound:.0%}"
        return (_edge(what.what, what.bound - share, _share(rule, 0.02), text),), notes
    now = float(getattr(health, what.what))
    told = min(notes.marks.get("told", now), now)  # a counter that falls has begun anew
    new = now - told
    text = {
        "gaps": f"{new:,.0f} print{'s' if new != 1 else ''} missing",
        "dropped": f"{new:,.0f} message{'s' if new != 1 else ''} dropped",
        "reconnects": f"{new:,.0f} reconnection{'s' if new != 1 else ''}",
    }[what.what]
    counted = Sight(
        "count", new >= what.bound, True, text=text, free=True, passed=Notes({"told": now})
    )
    return (counted,), Notes({"told": told})


def _flow(rule: AlertRule, what: Flow, scene: Scene, notes: Notes) -> Seen:
    part = scene.reading.hedging if what.of.startswith("per_") else scene.reading.hedge_day
    flow = float(getattr(part, what.of))
    margin = _share(rule, 0.1 * what.above)
    soon = what.of.startswith("per_")
    words = {"buy": "dealers buy" if soon else "dealers bought",
             "sell": "dealers sell" if soon else "dealers sold"}  # fmt: skip
    edges = []
    for side, sign in (("buy", 1.0), ("sell", -1.0)):
        if what.side in ("either", side):
            text = f"{words[side]} {money(abs(flow))} {FLOW_NAMES[what.of]}"
            edges.append(_edge(side, sign * flow - what.above, margin, text))
    return tuple(edges), notes


def _gex(rule: AlertRule, what: GexIs, scene: Scene, notes: Notes) -> Seen:
    gamma = scene.reading.gamma
    gex = gamma.gex_per_1pct if what.of == "scope" else gamma.gex_0dte_per_1pct
    name = ("GEX" if what.of == "scope" else "0DTE GEX") + f" {money(gex)} per 1 %"
    if what.how != "sign":
        over = gex - what.bound if what.how == "above" else what.bound - gex
        margin = _share(rule, 0.1 * abs(what.bound))
        return (_edge(what.how, over, margin, f"{name}, {what.how} {money(what.bound)}"),), notes
    short = gamma.probability_short
    if what.of == "scope" and math.isfinite(short):
        sure = max(short, 1.0 - short) >= scene.thresholds.sure_gamma
        gex = gex if sure and (short > 0.5) == (gex < 0) else NAN
    band = scene.reading.regime.inputs.get("gex_band", NAN)
    margin = _share(rule, band if what.of == "scope" and math.isfinite(band) else 0.0)
    texts = (f"{name}: positive now", f"{name}: negative now")
    return _pair(("positive", "negative"), gex, margin, texts), notes


def _views(_rule: AlertRule, what: ViewsDisagree, scene: Scene, notes: Notes) -> Seen:
    agreement = scene.reading.agreement
    if len(agreement.views) < 2:
        return (Sight("views", None, False),), notes
    on = agreement.disagree if what.on == "any" else tuple({what.on} & {*agreement.disagree})
    text = f"sign views disagree on {', '.join(on)}"
    return (Sight("views", bool(on), not on, text=text),), notes


_LOOKS: Mapping[type, Callable[..., Seen]] = {
    Level: _level, Near: _near, Label: _label, Odds: _odds, FlipCrossed: _flip_crossed,
    FlipMoved: _flip_moved, Wall: _wall, RegimeIs: _regime, FeedIs: _feed, Flow: _flow,
    GexIs: _gex, ViewsDisagree: _views,
}  # fmt: skip
