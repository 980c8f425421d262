"""Rules in words, as `gexterm alerts rules` shows them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from gexterm.alerts.rules import Thresholds
from gexterm.alerts.sights import FLOW_NAMES
from gexterm.alerts.teller import money, points
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

_LINES = {
    "flip": "the flip", "lis": "a line in the sand", "lis_upper": "the upper line in the sand",
    "lis_lower": "the lower line in the sand", "target": "the target",
    "call_wall": "the call wall", "put_wall": "the put wall",
}  # fmt: skip
_CROSSING = {"up": "rises above", "down": "falls below", "either": "crosses"}
_SIDES = {"buy": "dealers buy", "sell": "dealers sell", "either": "dealers trade"}


def built_in(kind: str, t: Thresholds) -> tuple[str, str]:
    """Severity and condition of a built-in alert, with the thresholds in force."""
    d = t.distances
    margin = f"{d.touch_sigma:g} σ or {100 * d.touch_share:g} % of spot, whichever is more"
    return {
        "lis approached": ("info", f"spot within {d.near_sigma:g} σ of a line in the sand"),
        "lis touched": ("notice", f"spot within {margin}, of a line in the sand"),
        "lis breached": ("warning", "spot beyond a line in the sand by more than that"),
        "lis restored": ("notice", "after a breach, spot back inside by more than that"),
        "target approached": ("info", f"spot within {d.near_sigma:g} σ of the target"),
        "target hit": ("notice", "spot touches the target, or jumps over it"),
        "paradigm changed": (
            "notice", f"another 0DTE label; where labels have odds, from P = {t.sure:g} on, and "
            f"in doubt again below {t.doubtful:g}",
        ),
        "signing doubtful": ("warning", "a whole side of the tape may be signed wrongly"),
        "flip crossed": ("notice", "spot changes sides of the flip"),
        "gamma changed": (
            "notice", f"another gamma state; where it has odds, from P = {t.sure_gamma:g} on",
        ),
        "wall moved": ("info", f"a wall stands elsewhere for {t.wall_holds_s:g} s"),
        "feed stale": ("warning", f"no quote and no price changed for {t.stale_after_s:g} s"),
        "feed reconnecting": ("warning", "the connection is lost"),
        "feed restored": ("notice", "data comes again"),
        "feed ended": ("info", "the feed is over; a warning when it refuses"),
        "feed gap": ("warning", "prints are missing or messages were dropped"),
        "recording stopped": ("warning", "what is heard is not being kept"),
        "recording restored": ("notice", "it is being kept again"),
        "settled": ("info", "today's expiry has settled"),
    }[kind]  # fmt: skip


def condition(rule: AlertRule) -> str:
    """What a rule of the user's own waits for."""
    return _WORDS[type(rule.what)](rule.what)


def terms(rule: AlertRule) -> str:
    """When and how it speaks, as far as that is set."""
    found = []
    if rule.underlying:
        found.append(f"for {', '.join(rule.underlying)}")
    if rule.hours:
        found.append("{:02}:{:02}–{:02}:{:02}".format(*divmod(rule.hours[0], 60),
                                                      *divmod(rule.hours[1], 60)))  # fmt: skip
    if rule.once:
        found.append("once a day")
    if math.isfinite(rule.quiet):
        found.append(f"quiet for {rule.quiet:g} s")
    if isinstance(rule.hysteresis, Length):
        found.append(f"armed again beyond {_length(rule.hysteresis)}")
    elif rule.hysteresis is not None:
        money_rule = isinstance(rule.what, Flow | GexIs)
        margin = money(rule.hysteresis) if money_rule else f"{rule.hysteresis:.0%}"
        found.append(f"armed again beyond {margin}")
    if rule.deliver is not None:
        found.append(f"to {', '.join(rule.deliver)}" if rule.deliver else "to the list only")
    return ", ".join(found)


def _length(length: Length) -> str:
    unit = {"points": " points", "percent": " %", "sigma": " σ"}[length.unit]
    return f"{length.value:g}{unit}"


def _level(what: Level) -> str:
    return f"spot {_CROSSING[what.when]} {points(what.price)}"


def _near(what: Near) -> str:
    to = _LINES[what.to] if isinstance(what.to, str) else points(what.to)
    return f"spot within {_length(what.within)} of {to}"


def _label(what: Label) -> str:
    least = f" with P of at least {what.least:.0%}" if math.isfinite(what.least) else ""
    return f"the paradigm {'is no longer' if what.leaves else 'becomes'} {what.label}{least}"


def _odds(what: Odds) -> str:
    return f"P({what.label}) {'rises above' if what.above else 'falls below'} {what.bound:.0%}"


def _flip(what: FlipCrossed) -> str:
    return f"spot {_CROSSING[what.when]} the flip"


def _moved(what: FlipMoved) -> str:
    return f"the flip moves by more than {_length(what.by)} in {what.within_s / 60:g} minutes"


def _wall(what: Wall) -> str:
    which = "a wall" if what.which == "either" else f"the {what.which} wall"
    least = f" at least {points(what.by)} points" if what.by else ""
    return f"{which} moves{least} and stays for {what.holds_s:g} s"


def _regime(what: RegimeIs) -> str:
    return f"{what.part} becomes {what.becomes}"


def _feed(what: FeedIs) -> str:
    n = f"{what.bound:g}"
    return {
        "stale": f"nothing new for {n} s",
        "quoted_below": f"less than {what.bound:.0%} of the contracts quoted",
        "signed_below": f"less than {what.bound:.0%} of the volume signed",
        "gaps": f"{n} more prints missing",
        "dropped": f"{n} more messages dropped",
        "reconnects": f"{n} more reconnections",
    }[what.what]


def _flow(what: Flow) -> str:
    return f"{_SIDES[what.side]} more than {money(what.above)} {FLOW_NAMES[what.of]}"


def _gex(what: GexIs) -> str:
    name = "GEX" if what.of == "scope" else "0DTE GEX"
    if what.how == "sign":
        return f"{name} changes sign"
    word = "rises above" if what.how == "above" else "falls below"
    return f"{name} {word} {money(what.bound)} per 1 %"


def _views(what: ViewsDisagree) -> str:
    return f"the sign views disagree on {'anything' if what.on == 'any' else what.on}"


_WORDS: Mapping[type, Callable[..., str]] = {
    Level: _level, Near: _near, Label: _label, Odds: _odds, FlipCrossed: _flip,
    FlipMoved: _moved, Wall: _wall, RegimeIs: _regime, FeedIs: _feed, Flow: _flow, GexIs: _gex,
    ViewsDisagree: _views,
}  # fmt: skip
