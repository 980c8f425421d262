"""The tables of alerts in the settings file: words become numbers, mistakes become lines.

`"2bn"`, `"0.5 sigma"`, `"5 min"` and `"09:45-15:45"` are understood here and nowhere else.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from gexterm.config_alerts import (
    BUILT_IN,
    DELIVERIES,
    FLOWS,
    KINDS,
    LABELS,
    LINES,
    ODDS,
    REGIMES,
    SEVERITIES,
    TOAST_QUIET_S,
    AlertRule,
    AlertSettings,
    DeliverySettings,
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
    What,
)  # fmt: skip
from gexterm.errors import ConfigError

Wrong = Callable[[str, str, str], ConfigError]
"""Key (empty: the table itself), what is wrong with it and what would be right, to the error."""


_AMOUNT = re.compile(r"([+−-]?)\$?([\d][\d,_]*\.?\d*|\.\d+)\s*(k|m|mn|b|bn|t)?\$?", re.IGNORECASE)
_PREFIX = {"": 1.0, "k": 1e3, "m": 1e6, "mn": 1e6, "b": 1e9, "bn": 1e9, "t": 1e12}
_DURATION = re.compile(r"(\d+\.?\d*)\s*(s|sec|seconds?|m|min|minutes?|h|hours?)", re.IGNORECASE)
_LENGTH = re.compile(r"(\d+\.?\d*|\.\d+)\s*(%|percent|sigma|σ|points?|pts?|)", re.IGNORECASE)
_HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*[-–]\s*(\d{1,2}):(\d{2})")


def amount(value: object) -> float:
    """`2bn`, `-500M`, `1.5e9` as dollars. Raises ValueError."""
    if _number(value):
        return float(value)  # type: ignore[arg-type]
    found = _AMOUNT.fullmatch(str(value).strip()) if isinstance(value, str) else None
    if found is None or len(found[2]) > 30:
        raise ValueError('must be an amount such as "2bn", "500M" or 2e9')
    size = float(found[2].replace(",", "").replace("_", "")) * _PREFIX[(found[3] or "").lower()]
    return -size if found[1] in ("-", "−") else size


def seconds(value: object) -> float:
    """`90`, `90 s`, `5 min`, `1 h` as seconds. Raises ValueError."""
    if _number(value) and 0 <= float(value) < 1e9:  # type: ignore[arg-type]
        return float(value)  # type: ignore[arg-type]
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None or len(found[1]) > 9:
        raise ValueError('must be a time such as "90 s", "5 min" or "1 h"')
    return float(found[1]) * {"s": 1.0, "m": 60.0, "h": 3600.0}[found[2][0].lower()]


def length(value: object) -> Length:
    """`5`, `0.3%`, `0.5 sigma`. Raises ValueError."""
    if _number(value) and float(value) >= 0:  # type: ignore[arg-type]
        return Length(float(value))  # type: ignore[arg-type]
    found = _LENGTH.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None or len(found[1]) > 30:
        raise ValueError('must be a distance such as 5 (points), "0.3%" or "0.5 sigma"')
    unit = found[2].lower()
    if unit in ("%", "percent"):
        return Length(float(found[1]), "percent")
    return Length(float(found[1]), "sigma" if unit in ("sigma", "σ") else "points")


def hours(value: object) -> tuple[int, int]:
    """`09:45-15:45` as minutes after midnight. Raises ValueError."""
    found = _HOURS.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is not None:
        begin, end = (int(found[i]) * 60 + int(found[i + 1]) for i in (1, 3))
        clock = all(int(found[i]) < 25 and int(found[i + 1]) < 60 for i in (1, 3))
        if clock and begin != end and max(begin, end) <= 24 * 60:
            return begin, end
    raise ValueError('must be hours of New York such as "09:45-15:45"')


def _number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # TOML has whole numbers of any length
        return False


class _Fields:
    """Takes values out of a table one by one; what is left over at the end is unknown."""

    def __init__(self, values: Mapping[str, Any], wrong: Wrong) -> None:
        self._left = dict(values)
        self._values = values
        self._wrong = wrong
        self._asked: list[str] = []

    def has(self, key: str) -> bool:
        """Whether it is there."""
        self._asked.append(key)
        return key in self._values

    def wrong(self, key: str, what: str, hint: str = "") -> ConfigError:
        """The error."""
        return self._wrong(key, what, hint)

    def need(self, key: str, example: str) -> None:
        """Raise ConfigError unless it is there."""
        if not self.has(key):
            raise self._wrong("", f"needs `{key}`", f"for example {example}")

    def one_of(self, *keys: str, example: str) -> str:
        """Which one of several that exclude each other is there."""
        found = [key for key in keys if self.has(key)]
        if len(found) != 1:
            names = ", ".join(keys[:-1]) + f" or {keys[-1]}"
            what = f"needs exactly one of {names}"
            raise self._wrong(found[-1] if found else "", what, f"for example {example}")
        return found[0]

    def read(self, key: str, reading: Callable[[object], Any], default: Any = None) -> Any:
        """A value as `reading` understands it, which raises ValueError where it does not."""
        if not self.has(key):
            return default
        try:
            return reading(self._left.pop(key))
        except ValueError as error:
            raise self._wrong(key, f"{error}, not {self._values[key]!r}", "") from None

    def text(self, key: str, default: str = "") -> str:
        """A text."""
        return str(self.read(key, _text, default))

    def number(self, key: str, least: float, most: float, default: float = math.nan) -> float:
        """A number between two."""

        def reading(value: object) -> float:
            if not _number(value) or not least <= float(value) <= most:  # type: ignore[arg-type]
                bounds = f"of at least {least:g}"
                if math.isfinite(most):
                    bounds = f"from {least:g} to {most:g}"
                raise ValueError(f"must be a number {bounds}")
            return float(value)  # type: ignore[arg-type]

        return float(self.read(key, reading, default))

    def whole(self, key: str, least: int, default: int) -> int:
        """A whole number."""

        def reading(value: object) -> int:
            if isinstance(value, int) and not isinstance(value, bool) and least <= value <= 10**9:
                return value
            raise ValueError(f"must be a whole number of at least {least}")

        return int(self.read(key, reading, default))

    def flag(self, key: str, default: bool = False) -> bool:
        """True or false."""

        def reading(value: object) -> bool:
            if not isinstance(value, bool):
                raise ValueError("must be true or false")
            return value

        return bool(self.read(key, reading, default))

    def choice(self, key: str, choices: tuple[str, ...], default: str = "") -> Any:
        """One of several words, in any case."""
        if not self.has(key):
            return default
        value = self._left.pop(key)
        for choice in choices:
            if isinstance(value, str) and value.strip().lower() == choice.lower():
                return choice
        folded = {choice.lower(): choice for choice in choices}
        near = difflib.get_close_matches(str(value).lower(), folded, 1)
        hint = f"did you mean {folded[near[0]]}?" if near else f"one of: {', '.join(choices)}"
        raise self._wrong(key, f"is {value!r}", hint)

    def texts(self, key: str) -> tuple[str, ...]:
        """A text or a list of texts."""

        def reading(value: object) -> tuple[str, ...]:
            found = [value] if isinstance(value, str) else value
            if not isinstance(found, list) or not all(isinstance(v, str) for v in found):
                raise ValueError("must be a text or a list of texts")
            return tuple(found)

        found: tuple[str, ...] = self.read(key, reading, ())
        return found

    def done(self) -> None:
        """Raise ConfigError for what nobody has asked for."""
        for key in self._left:
            known = list(dict.fromkeys(self._asked))
            near = difflib.get_close_matches(key, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are: {', '.join(known)}"
            raise self._wrong(key, "is unknown", hint)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text in quotes")
    return value


# -- tables to settings -----------------------------------------------------------------


def rule_of(values: Mapping[str, Any], wrong: Wrong, deliveries: tuple[str, ...]) -> AlertRule:
    """A table `[[alert]]`; `deliveries` are the names that it may deliver to.

    Raises:
        ConfigError: something in it is missing, unknown or wrong.

    """
    fields = _Fields(values, wrong)
    fields.need("kind", 'kind = "level"')
    kind = fields.choice("kind", KINDS)
    what = _WHAT[kind](fields)
    severity = fields.choice("severity", SEVERITIES, "notice")
    deliver = fields.texts("deliver") if fields.has("deliver") else None
    for name in deliver or ():
        if name not in deliveries:
            raise wrong("deliver", f"names {name!r}, of which there is no [delivery.{name}]",
                        f"there are: {', '.join(deliveries)}")  # fmt: skip
    rule = AlertRule(
        kind=kind,
        what=what,
        name=fields.text("name"),
        underlying=tuple(name.upper() for name in fields.texts("underlying")),
        severity=severity,
        quiet=fields.read("quiet", seconds, math.nan),
        hysteresis=_hysteresis(fields, what),
        hours=fields.read("hours", hours),
        once=fields.flag("once"),
        deliver=deliver,
        written=dict(values),
    )
    fields.done()
    return rule


def _hysteresis(fields: _Fields, what: What) -> Length | float | None:
    if not fields.has("hysteresis"):
        return None
    if isinstance(what, Level | FlipCrossed):
        found: Length = fields.read("hysteresis", length)
        return found
    if isinstance(what, Near):
        own: Length = fields.read("hysteresis", length)
        # A bare number is in the unit of `within`.
        return Length(own.value, what.within.unit) if own.unit == "points" else own
    if isinstance(what, Flow | GexIs):
        size = float(fields.read("hysteresis", amount))
        if size < 0:
            raise fields.wrong("hysteresis", "must not be below 0")
        return size
    share = isinstance(what, FeedIs) and what.what in ("quoted_below", "signed_below")
    if isinstance(what, Label | Odds) or share:
        return fields.number("hysteresis", 0.0, 1.0)
    raise fields.wrong(
        "hysteresis", "has no meaning for this rule", "its docs say when it is armed again"
    )


def _level(f: _Fields) -> Level:
    f.need("price", "price = 6800")
    return Level(f.number("price", 0.0, math.inf), f.choice("when", _WAYS, "either"))


def _near(f: _Fields) -> Near:
    f.need("to", 'to = "flip"')
    f.need("within", "within = 5")
    within: Length = f.read("within", length)
    if _number(f._values["to"]):
        return Near(f.number("to", 0.0, math.inf), within)
    return Near(f.choice("to", LINES), within)


def _label(f: _Fields) -> Label:
    key = f.one_of("becomes", "leaves", example='becomes = "BofA"')
    return Label(f.choice(key, LABELS), key == "leaves", f.number("probability", 0.0, 1.0))


def _odds(f: _Fields) -> Odds:
    f.need("label", 'label = "GEX"')
    key = f.one_of("above", "below", example="above = 0.8")
    return Odds(f.choice("label", ODDS), f.number(key, 0.0, 1.0), key == "above")


def _flip(f: _Fields) -> FlipCrossed | FlipMoved:
    if f.one_of("crossed", "moves", example='crossed = "down"') == "crossed":
        return FlipCrossed(f.choice("crossed", _WAYS))
    by: Length = f.read("moves", length)
    return FlipMoved(by, 60.0 * f.number("minutes", 0.1, 1440.0, 10.0))


def _wall(f: _Fields) -> Wall:
    return Wall(
        f.choice("which", ("call", "put", "either"), "either"),
        f.number("by", 0.0, math.inf, 0.0),
        f.read("holds", seconds, 30.0),
    )


def _regime(f: _Fields) -> RegimeIs:
    f.need("part", 'part = "composite"')
    f.need("becomes", 'becomes = "stress"')
    part = f.choice("part", tuple(REGIMES))
    return RegimeIs(part, f.choice("becomes", REGIMES[part]))


def _feed(f: _Fields) -> FeedIs:
    keys = ("stale", "quoted_below", "signed_below", "gaps", "dropped", "reconnects")
    key = f.one_of(*keys, example='stale = "30 s"')
    if key == "stale":
        return FeedIs("stale", f.read("stale", seconds))
    if key in ("quoted_below", "signed_below"):
        return FeedIs(key, f.number(key, 0.0, 1.0))  # type: ignore[arg-type]
    return FeedIs(key, float(f.whole(key, 1, 1)))  # type: ignore[arg-type]


def _flow(f: _Fields) -> Flow:
    f.need("of", 'of = "per_hour"')
    f.need("above", 'above = "2bn"')
    above = float(f.read("above", amount))
    if above < 0:
        raise f.wrong("above", "must not be below 0", 'a size; `side` says "buy" or "sell"')
    side = f.choice("side", ("buy", "sell", "either"), "either")
    return Flow(f.choice("of", FLOWS), above, side)


def _gex(f: _Fields) -> GexIs:
    of = f.choice("of", ("scope", "0dte"), "scope")
    key = f.one_of("above", "below", "sign", example='below = "-1bn"')
    if key != "sign":
        return GexIs(of, float(f.read(key, amount)), key)  # type: ignore[arg-type]
    if not f.flag("sign"):
        raise f.wrong("sign", "can only be true", "or give `above` or `below`")
    return GexIs(of)


def _views(f: _Fields) -> ViewsDisagree:
    return ViewsDisagree(f.choice("on", ("gamma", "flip", "paradigm", "any"), "any"))


_WAYS = ("up", "down", "either")
_WHAT: Mapping[str, Callable[[_Fields], What]] = {
    "level": _level, "distance": _near, "paradigm": _label, "probability": _odds, "flip": _flip,
    "wall": _wall, "regime": _regime, "feed": _feed, "hedge flow": _flow, "gex": _gex,
    "views": _views,
}  # fmt: skip


def alerts_of(values: Mapping[str, Any], wrong: Wrong) -> AlertSettings:
    """The table `[alerts]`. Raises ConfigError where it is wrong."""
    f = _Fields(values, wrong)
    d = AlertSettings()
    off = f.texts("off")
    for kind in off:
        if kind not in BUILT_IN:
            near = difflib.get_close_matches(kind, BUILT_IN, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are: {', '.join(BUILT_IN)}"
            raise wrong("off", f"names {kind!r}, which is no built-in alert", hint)
    found = AlertSettings(
        off=off,
        quiet=f.read("quiet", seconds, d.quiet),
        near_sigma=f.number("near_sigma", 0.0, 10.0, d.near_sigma),
        far_sigma=f.number("far_sigma", 0.0, 10.0, d.far_sigma),
        touch_sigma=f.number("touch_sigma", 0.0, 10.0, d.touch_sigma),
        touch_percent=f.number("touch_percent", 0.0, 10.0, d.touch_percent),
        wall_holds=f.read("wall_holds", seconds, d.wall_holds),
        sure=f.number("sure", 0.0, 1.0, d.sure),
        doubtful=f.number("doubtful", 0.0, 1.0, d.doubtful),
        sure_gamma=f.number("sure_gamma", 0.5, 1.0, d.sure_gamma),
        stale_after=f.read("stale_after", seconds, d.stale_after),
        history_days=f.whole("history_days", 0, d.history_days),
        deliver_replays=f.flag("deliver_replays", d.deliver_replays),
    )
    f.done()
    for low, high in (("near_sigma", "far_sigma"), ("touch_sigma", "near_sigma")):
        if getattr(found, low) > getattr(found, high):
            raise wrong(low if low in values else high, f"makes {low} larger than {high}",
                        "what begins at one distance must end at a larger one")  # fmt: skip
    if found.doubtful > found.sure:
        raise wrong("doubtful" if "doubtful" in values else "sure",
                    "makes `doubtful` larger than `sure`",
                    "a label is told at one P and taken back at a smaller one")  # fmt: skip
    return found


def delivery_of(name: str, values: Mapping[str, Any], wrong: Wrong) -> DeliverySettings:
    """A table `[delivery.NAME]`. Raises ConfigError where it is wrong."""
    f = _Fields(values, wrong)
    if not f.has("kind") and name not in DELIVERIES:
        raise wrong("", "needs `kind`", f"one of: {', '.join(DELIVERIES)}")
    kind = f.choice("kind", DELIVERIES, name)
    command: tuple[str, ...] = ()
    if kind == "command":
        f.need("command", 'command = ["notify-me", "--loud"]')
        command = f.texts("command")
        if isinstance(values["command"], str) or not command or not command[0]:
            raise wrong("command", "must be a list: a program and its arguments",
                        'for example ["notify-me", "--loud"]; no shell reads it')  # fmt: skip
    found = DeliverySettings(
        kind=kind,
        severity=f.choice("severity", (*SEVERITIES, "off"), "notice"),
        quiet=f.read("quiet", seconds, TOAST_QUIET_S if kind == "toast" else 0.0),
        style=f.choice("style", ("auto", "osc9", "osc777"), "auto")
        if kind == "terminal"
        else "auto",
        command=command,
        timeout=f.read("timeout", seconds, 10.0),
    )
    f.done()
    if not 0.1 <= found.timeout <= 300:
        raise wrong("timeout", "must lie between 0.1 s and 5 min", "")
    return found
