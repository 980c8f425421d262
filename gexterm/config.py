"""Settings: TOML in the user's config folder, every one with a default.

A wrong setting ends in one line that names the file, the line and what would be
right. Nothing is guessed and nothing unknown is passed over.
"""

from __future__ import annotations

import contextlib
import difflib
import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

from gexterm.config_alerts import (
    BUILT_IN,
    DEFAULT_DELIVERIES,
    AlertRule,
    AlertSettings,
    DeliverySettings,
)
from gexterm.config_alerts_toml import Wrong, alerts_of, delivery_of, rule_of
from gexterm.errors import ConfigError, UsageError

CONVENTIONS = ("customer-flow", "squeezemetrics", "short-both", "long-both")
"""Names of the static sign conventions (`dealers.conventions` gives their signs)."""
VIEWS = ("combined", "flow", *CONVENTIONS)
"""Sign views: today's signed trades on top of a prior, alone, or a convention."""
PRIORS = ("none", *CONVENTIONS)
"""What may stand behind today's trades: nothing, or a convention on open interest."""
BASES = ("auto", "open-interest", "volume")
"""What a convention may be applied to; `auto`: open interest where there is any."""
REPRICINGS = ("sticky-strike", "sticky-moneyness")
"""How volatility moves when the profile moves spot."""
DENSITIES = ("compact", "comfortable")
"""How much air there is between the parts of a screen."""
GLYPHS = ("auto", "unicode", "ascii")
"""The characters that screens are drawn with; `auto`: as locale and TERM say."""

TABLES = ("underlyings", "feeds", "keys", "alerts", "alert_rules", "deliveries")
"""Settings that are tables, and are read and shown apart."""


@dataclass(frozen=True, slots=True)
class UnderlyingSettings:
    """What can be set for one underlying, under `[underlyings.SPX]`."""

    view: str = "auto"
    """Sign view: combined, flow, a convention's name, or auto (combined where trades come with
    the feed, else the convention)."""
    convention: str = "customer-flow"
    """Sign convention: customer-flow, squeezemetrics, short-both or long-both."""
    prior_today: str = "none"
    """What stands behind today's trades in today's expiry: none, or a convention on open
    interest. A book carried over from a recorded day comes before either."""
    prior_later: str = "squeezemetrics"
    """The same in later expiries."""
    basis: str = "auto"
    """What the convention is applied to: auto, open-interest or volume."""


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """What can be set for one live feed, under `[feeds.deribit]`. Zero: as the venue is."""

    url: str = ""
    """Where to connect instead of the venue's own address."""
    rest_url: str = ""
    """The same for requests over HTTP."""
    contracts: int = 0
    """Most contracts whose quotes are asked for; 0: as many as the venue allows."""
    sigmas: float = 0.0
    """Standard deviations of spot to either side that are quoted; 0: as the window is."""
    days: int = 0
    """Expiries up to so many days ahead; 0: as the window is."""
    back_fill_hours: float = -1.0
    """How far back prints are fetched where the venue can; 0: not at all, below: a day."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set."""

    theme: str = "dark"
    """Colour theme: a bundled one, or a file in the themes folder."""
    density: str = "compact"
    """Air between the parts of a screen: compact or comfortable."""
    glyphs: str = "auto"
    """Characters of the screen: unicode, ascii, or auto (as locale and TERM say)."""
    fps: float = 10.0
    """Readings and repaints per second, at most."""
    scope: str = "auto"
    """Expiries at the start: 0dte, all, or auto (today's while there is one, else all)."""
    rate: float | str = "implied"
    """Interest rate, continuously compounded, as a fraction; or implied from the chain."""
    repricing: str = "sticky-strike"
    """How volatility moves when the profile moves spot: sticky-strike or sticky-moneyness."""
    snapshots: str = ""
    """Folder of snapshots; empty: the user's data folder."""
    snapshot_times: str = ""
    """When the monitor keeps one of its own accord, New York: "paper", "09:35-16:05/30", times,
    or a list of these; empty: never."""
    snapshot_on: str = ""
    """Kinds of alerts and names of alert rules that have one kept, or "any"; empty: none."""
    snapshot_quiet_s: float = 300.0
    """At most one on an alert in so much market time, seconds."""
    snapshot_replays: str = "off"
    """Whether replays and simulations are kept of their own accord, too: on or off."""
    snapshot_gb: float = 5.0
    """Most gigabytes of snapshots, beyond which the oldest that nobody asked for are removed; 0:
    no limit."""
    record: str = "on"
    """Whether live sessions are recorded: on or off."""
    recordings: str = ""
    """Folder of recordings; empty: in the user's data folder."""
    recording_days: int = 0
    """Recordings older than this many days are removed; 0: none for their age."""
    recording_gb: float = 100.0
    """Most gigabytes of recordings, beyond which the oldest are removed; 0: no limit."""
    underlyings: Mapping[str, UnderlyingSettings] = field(default_factory=dict)
    """Settings by underlying."""
    feeds: Mapping[str, FeedSettings] = field(default_factory=dict)
    """Settings by feed."""
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Keys by action, as `gexterm keys` lists them: one, several, or none."""
    alerts: AlertSettings = field(default_factory=AlertSettings)
    """Alerts in general: thresholds, what is off, the history."""
    alert_rules: tuple[AlertRule, ...] = ()
    """The user's own rules, one for each `[[alert]]`."""
    deliveries: Mapping[str, DeliverySettings] = field(
        default_factory=lambda: dict(DEFAULT_DELIVERIES)
    )
    """Where alerts go besides the screen, by name."""

    def underlying(self, name: str) -> UnderlyingSettings:
        """What holds for one underlying."""
        return self.underlyings.get(name.upper(), UnderlyingSettings())

    def feed(self, name: str) -> FeedSettings:
        """What holds for one feed."""
        return self.feeds.get(name, FeedSettings())


_LONGEST = 400
"""Characters of a complaint; a value can be of any length."""

PREFIX = "GEXTERM_"
"""A variable of the environment that begins so and goes on as a plain setting in capitals sets it:
`GEXTERM_THEME=light`."""


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings file; a missing one means all defaults. The environment comes first.

    Raises:
        ConfigError: a setting is unknown, of the wrong kind or out of range.

    """
    table, text = _table(path)
    given = _given(environ)
    return _Reader(path, text, given).settings({**table, **given})


def origins(path: Path, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Where each setting that is no default comes from: `config.toml:3`, `GEXTERM_THEME`.

    Keys are `theme`, `feeds.deribit.url`, `keys.theme`, `alert 2.level` and the like.
    """
    table, text = _table(path)
    given = _given(environ)
    reader = _Reader(path, text, given)
    found = {}
    for section, values in _sections(table):
        for key in values:
            name = f"{section}.{key}" if section else key
            found[name] = path.name + reader.line(key, section)
    return {**found, **{name: f"{PREFIX}{name.upper()}" for name in given}}


def _table(path: Path) -> tuple[dict[str, Any], str]:
    import tomllib

    try:
        # Some editors begin a UTF-8 file with a byte-order mark.
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}, ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path}: cannot be read ({error})", "make it a UTF-8 TOML file"
        ) from None
    try:
        return tomllib.loads(text), text
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not TOML: {error}", "mend that line") from None
    except RecursionError:
        raise ConfigError(f"{path}: brackets within brackets without end", "mend it") from None


def _given(environ: Mapping[str, str]) -> dict[str, Any]:
    """Plain settings of the environment, as a file would have them."""
    hints = get_type_hints(Settings)
    found: dict[str, Any] = {}
    for one in fields(Settings):
        text = environ.get(PREFIX + one.name.upper())
        if text is None or one.name in TABLES:
            continue
        found[one.name] = text
        if hints[one.name] is not str:
            with contextlib.suppress(ValueError):
                found[one.name] = int(text) if hints[one.name] is int else float(text)
    return found


def _sections(table: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Tables of a settings file by the name that `_Reader.line` knows them by."""
    yield "", {k: v for k, v in table.items() if not _is_table(v)}
    for kind, value in table.items():
        if isinstance(value, list) and _is_table(value):
            for number, one in enumerate(value, 1):
                yield f"{kind} {number}", one
        elif isinstance(value, dict):
            yield kind, {k: v for k, v in value.items() if not isinstance(v, dict)}
            for name, one in value.items():
                if isinstance(one, dict):
                    yield f"{kind}.{name}", one


def _is_table(value: object) -> bool:
    return isinstance(value, dict) or (
        isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)
    )


class _Reader:
    """Turns a TOML table into settings, and mistakes into lines."""

    def __init__(self, path: Path, text: str, given: Mapping[str, Any] = {}) -> None:
        self._path = path
        self._given = given
        self._lines = text.splitlines()

    def settings(self, table: dict[str, Any]) -> Settings:
        by_name = {}
        for name, values, section in self._tables(table, "underlyings", "SPX"):
            self._check(UnderlyingSettings, values, section)
            self._choice(values, "convention", CONVENTIONS, section)
            self._choice(values, "basis", BASES, section)
            self._choice(values, "view", ("auto", *VIEWS), section)
            self._choice(values, "prior_today", PRIORS, section)
            self._choice(values, "prior_later", PRIORS, section)
            if name.upper() in by_name:
                what = f"is there twice, as {name} and in other letters"
                raise self._wrong("", section, what, "put both into one table")
            by_name[name.upper()] = UnderlyingSettings(**values)
        by_feed = {}
        for name, values, section in self._tables(table, "feeds", "deribit"):
            self._check(FeedSettings, values, section)
            for key in ("contracts", "days", "sigmas"):
                self._least(values, key, section)
            by_feed[name] = FeedSettings(**values)
        keys = self._keys(table.pop("keys", {}))
        alerts, deliveries, rules = self._alerts(table)
        for key in ("snapshot_times", "snapshot_on"):
            self._joined(table, key)
        self._check(Settings, table, "")
        self._snapshots(table, rules)
        self._choice(table, "record", ("on", "off"), "")
        for key in ("recording_days", "recording_gb"):
            self._least(table, key, "")
        self._choice(table, "repricing", REPRICINGS, "")
        self._choice(table, "density", DENSITIES, "")
        self._choice(table, "glyphs", GLYPHS, "")
        self._choice(table, "scope", ("auto", "0dte", "all"), "")
        rate = table.get("rate", "implied")
        if rate != "implied" and (isinstance(rate, str) or not -0.5 < rate < 1.0):
            raise self._wrong("rate", "", 'must be "implied" or a fraction such as 0.04')
        if not 0.1 <= table.get("fps", 10.0) <= 60:
            raise self._wrong("fps", "", "must lie between 0.1 and 60")
        return Settings(
            underlyings=by_name,
            feeds=by_feed,
            keys=keys,
            alerts=alerts,
            alert_rules=rules,
            deliveries=deliveries,
            **table,
        )

    def _keys(self, table: Any) -> dict[str, tuple[str, ...]]:
        """`[keys]`: which actions there are, and whether two meet, the monitor knows."""
        if not isinstance(table, dict):
            raise self._wrong("keys", "", "must be a table: [keys]")
        found = {}
        for name, given in table.items():
            keys = given.split(",") if isinstance(given, str) else given
            if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
                raise self._wrong(name, "keys", 'must be a key such as "g", or a list of keys')
            found[name] = tuple(key.strip() for key in keys if key.strip())
        return found

    def _alerts(
        self, table: dict[str, Any]
    ) -> tuple[AlertSettings, dict[str, DeliverySettings], tuple[AlertRule, ...]]:
        """`[alerts]`, `[delivery.NAME]` and `[[alert]]`."""
        general = table.pop("alerts", {})
        if not isinstance(general, dict):
            raise self._wrong("alerts", "", "must be a table: [alerts]")
        ways = dict(DEFAULT_DELIVERIES)
        for name, values, section in self._tables(table, "delivery", "desktop"):
            ways[name] = delivery_of(name, values, self._wrong_in(section))
        own = table.pop("alert", [])
        if not isinstance(own, list) or not all(isinstance(values, dict) for values in own):
            raise self._wrong("alert", "", "must be tables, each headed [[alert]]")
        rules = tuple(
            rule_of(values, self._wrong_in(f"alert {number}"), tuple(ways))
            for number, values in enumerate(own, 1)
        )
        return alerts_of(general, self._wrong_in("alerts")), ways, rules

    def _wrong_in(self, section: str) -> Wrong:
        return lambda key, what, hint: self._wrong(key, section, what, hint)

    def _tables(
        self, table: dict[str, Any], kind: str, example: str
    ) -> Iterator[tuple[str, dict[str, Any], str]]:
        """The tables `[kind.name]`: name, values and section of each."""
        found = table.pop(kind, {})
        if not isinstance(found, dict):
            raise self._wrong(kind, "", f"must be a table such as [{kind}.{example}]")
        for name, values in found.items():
            if not isinstance(values, dict):
                raise self._wrong(name, kind, f"must be a table: [{kind}.{name}]")
            yield name, values, f"{kind}.{name}"

    def _least(self, values: dict[str, Any], key: str, section: str) -> None:
        if values.get(key, 0) < 0:
            raise self._wrong(key, section, f"must not be below 0, as {values[key]} is")

    def _check(self, cls: type, values: dict[str, Any], section: str) -> None:
        hints = get_type_hints(cls)
        known = [f.name for f in fields(cls) if f.name not in TABLES]
        for key, value in values.items():
            if key not in known:
                near = difflib.get_close_matches(key, known, 1)
                hint = f"did you mean {near[0]}?" if near else f"known are: {', '.join(known)}"
                raise self._wrong(key, section, "is unknown", hint)
            text = isinstance(value, str)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            wants = hints[key]
            fits = (text and wants not in (float, int)) or (number and wants is not str)
            if not fits or (wants is int and not isinstance(value, int)):
                wanted = {str: "text in quotes", int: "a whole number"}.get(wants, "a number")
                raise self._wrong(key, section, f"must be {wanted}, not {value!r}")
            if number and not math.isfinite(value):
                raise self._wrong(key, section, f"must be a finite number, not {value!r}")

    def _joined(self, values: dict[str, Any], key: str) -> None:
        """A list of texts as one text, with commas between."""
        found = values.get(key)
        if isinstance(found, list):
            if not all(isinstance(each, str) for each in found):
                raise self._wrong(key, "", "must be a list of texts in quotes")
            values[key] = ", ".join(found)

    def _snapshots(self, table: dict[str, Any], rules: tuple[AlertRule, ...]) -> None:
        """Settings of snapshots that are kept of their own accord."""
        names = ("any", *BUILT_IN, *(rule.name for rule in rules if rule.name))
        for name in filter(None, map(str.strip, table.get("snapshot_on", "").split(","))):
            if name.lower() not in map(str.lower, names):
                near = difflib.get_close_matches(name.lower(), names, 1)
                hint = (
                    f"did you mean {near[0]}?" if near else "name a kind of alert, a rule, or any"
                )
                raise self._wrong("snapshot_on", "", f"names {name!r}, which is no alert", hint)
        for key in ("snapshot_quiet_s", "snapshot_gb"):
            self._least(table, key, "")
        self._choice(table, "snapshot_replays", ("on", "off"), "")
        if table.get("snapshot_times"):
            from gexterm.market.timetable import parse

            try:
                parse(table["snapshot_times"])
            except UsageError as error:
                raise self._wrong(
                    "snapshot_times", "", f"is wrong: {error.message}", error.hint
                ) from None

    def _choice(
        self, values: dict[str, Any], key: str, choices: tuple[str, ...], section: str
    ) -> None:
        if key in values and values[key] not in choices:
            raise self._wrong(key, section, f"is {values[key]!r}", f"one of: {', '.join(choices)}")

    def _wrong(self, key: str, section: str, what: str, hint: str = "") -> ConfigError:
        name = f"{section}.{key}" if section and key else section or key
        if len(what) > _LONGEST:
            what = f"{what[: _LONGEST - 1]}…"
        if not section and key in self._given:
            return ConfigError(f"{PREFIX}{key.upper()} in the environment: {name} {what}", hint)
        return ConfigError(f"{self._path}{self.line(key, section)}: {name} {what}", hint)

    def line(self, key: str, section: str) -> str:
        """`:3` where the file has that setting; empty where it has not."""
        # tomllib does not keep positions: look for the key below its section's head.
        # The third table [[alert]] is the section `alert 3`; a key of "" is the head itself.
        current = ""
        counted: dict[str, int] = {}
        wanted = _dotted(f"{section}.{key}" if section and key else section or key)
        around = 0
        for number, line in enumerate(self._lines, 1):
            if head := re.match(r"\s*\[\[([^\]]+)\]\]", line):
                kind = _dotted(head[1])
                counted[kind] = counted.get(kind, 0) + 1
                current = f"{kind} {counted[kind]}"
                if (not key and current == section) or (not section and kind == key):
                    return f":{number}"
                whole = kind
            elif head := re.match(r"\s*\[([^\]]+)\]", line):
                whole = current = _dotted(head[1])
                named = not section and current.rpartition(".")[2] == key
                if named or (not key and current == section):
                    return f":{number}"
            elif found := re.match(r"\s*([^=#]+?)\s*=", line):
                whole = _dotted(f"{current}.{found[1]}" if current else found[1])
                if whole == wanted:
                    return f":{number}"
            else:
                continue
            # `SPX = {view = "x"}` and `[nope.x.y]` have no line that says the same and no more.
            inner, outer = sorted((f"{wanted}.", f"{whole}."), key=len, reverse=True)
            if not around and inner.startswith(outer):
                around = number
        return f":{around}" if around else ""


def _dotted(name: str) -> str:
    """The name of a table or key without the quotes and blanks that it may have."""
    return ".".join(part.strip().strip("\"'") for part in name.split("."))
