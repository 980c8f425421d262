"""Alerts in the settings: what is written is what is understood, and what is wrong has a line."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.alerts.monitor import AlertMonitor
from gexterm.alerts.rules import Thresholds
from gexterm.alerts.wording import built_in, condition, terms
from gexterm.config import Settings, load
from gexterm.config_alerts import (
    BUILT_IN,
    FLOWS,
    KINDS,
    LINES,
    ODDS,
    REGIMES,
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
)
from gexterm.config_alerts_toml import amount, hours, length, rule_of, seconds
from gexterm.errors import ConfigError
from tests.alerts.test_alerts import at


def loaded(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


def one(tmp_path: Path, text: str) -> AlertRule:
    [rule] = loaded(tmp_path, f"[[alert]]\n{text}\n").alert_rules
    return rule


@pytest.mark.parametrize(
    ("text", "what", "words"),
    [
        ('kind = "level"\nprice = 6800', Level(6800.0), "spot crosses 6,800"),
        ('kind = "level"\nprice = 6800.5\nwhen = "up"', Level(6800.5, "up"),
         "spot rises above 6,800.5"),
        ('kind = "distance"\nto = "lis"\nwithin = 5', Near("lis", Length(5.0)),
         "spot within 5 points of a line in the sand"),
        ('kind = "distance"\nto = 6800\nwithin = "0.5 sigma"', Near(6800.0, Length(0.5, "sigma")),
         "spot within 0.5 σ of 6,800"),
        ('kind = "paradigm"\nbecomes = "anti-gex"', Label("Anti-GEX"),
         "the paradigm becomes Anti-GEX"),
        ('kind = "paradigm"\nleaves = "BofA"\nprobability = 0.7', Label("BofA", True, 0.7),
         "the paradigm is no longer BofA with P of at least 70%"),
        ('kind = "probability"\nlabel = "short gamma"\nbelow = 0.2',
         Odds("short gamma", 0.2, False), "P(short gamma) falls below 20%"),
        ('kind = "flip"\ncrossed = "down"', FlipCrossed("down"), "spot falls below the flip"),
        ('kind = "flip"\nmoves = "0.5%"\nminutes = 30', FlipMoved(Length(0.5, "percent"), 1800.0),
         "the flip moves by more than 0.5 % in 30 minutes"),
        ('kind = "wall"', Wall(), "a wall moves and stays for 30 s"),
        ('kind = "wall"\nwhich = "put"\nby = 25\nholds = "2 min"', Wall("put", 25.0, 120.0),
         "the put wall moves at least 25 points and stays for 120 s"),
        ('kind = "regime"\npart = "skew"\nbecomes = "steep"', RegimeIs("skew", "steep"),
         "skew becomes steep"),
        ('kind = "feed"\nstale = "30 s"', FeedIs("stale", 30.0), "nothing new for 30 s"),
        ('kind = "feed"\nquoted_below = 0.5', FeedIs("quoted_below", 0.5),
         "less than 50% of the contracts quoted"),
        ('kind = "feed"\nreconnects = 2', FeedIs("reconnects", 2.0), "2 more reconnections"),
        ('kind = "hedge flow"\nof = "per_hour"\nabove = "2bn"\nside = "sell"',
         Flow("per_hour", 2e9, "sell"), "dealers sell more than $2.00bn in the next hour"),
        ('kind = "gex"\nbelow = "-500M"', GexIs("scope", -5e8, "below"),
         "GEX falls below −$500M per 1 %"),
        ('kind = "gex"\nof = "0dte"\nsign = true', GexIs("0dte"), "0DTE GEX changes sign"),
        ('kind = "views"\non = "gamma"', ViewsDisagree("gamma"),
         "the sign views disagree on gamma"),
    ],
)  # fmt: skip
def test_a_rule_is_understood_and_can_be_said(
    tmp_path: Path, text: str, what: object, words: str
) -> None:
    rule = one(tmp_path, text)
    assert repr(rule.what) == repr(what)  # NaN included
    assert condition(rule) == words
    assert terms(rule) == ""


def test_when_and_how_a_rule_speaks(tmp_path: Path) -> None:
    rule = one(
        tmp_path,
        'kind = "distance"\nto = "flip"\nwithin = "0.5 sigma"\nname = "near"\nunderlying = "spx"\n'
        'severity = "warning"\nquiet = "10 min"\nhysteresis = 0.2\nhours = "09:45-15:45"\n'
        'once = true\ndeliver = ["toast"]',
    )
    assert (rule.name, rule.underlying, rule.severity) == ("near", ("SPX",), "warning")
    assert (rule.quiet, rule.hours, rule.once) == (600.0, (585, 945), True)
    # A bare number is in the unit of the distance.
    assert (rule.hysteresis, rule.deliver) == (Length(0.2, "sigma"), ("toast",))
    assert terms(rule) == (
        "for SPX, 09:45–15:45, once a day, quiet for 600 s, armed again beyond 0.2 σ, to toast"
    )


def test_without_a_word_a_rule_is_a_notice_for_everything_always(tmp_path: Path) -> None:
    rule = one(tmp_path, 'kind = "level"\nprice = 1')
    assert (rule.severity, rule.underlying, rule.hours, rule.deliver) == ("notice", (), None, None)
    assert math.isnan(rule.quiet)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[[alert]]\nprice = 3", 1, "alert 1 needs `kind`"),
        ('[[alert]]\nkind = "levle"', 2, "did you mean level?"),
        ('[[alert]]\nkind = "level"', 1, "alert 1 needs `price`; for example price = 6800"),
        ('[[alert]]\nkind = "level"\nprice = "high"', 3, "alert 1.price must be a number"),
        ('[[alert]]\nkind = "level"\nprice = nan', 3, "must be a number"),
        ('[[alert]]\nkind = "level"\nprice = -1', 3, "at least 0"),
        ('[[alert]]\nkind = "level"\nprice = 1\nwhen = "sideways"', 4, "one of: up, down, either"),
        ('[[alert]]\nkind = "level"\nprice = 1\n\n[[alert]]\nkind = "level"\n\nprise = 2',
         5, "alert 2 needs `price`"),
        ('[[alert]]\nkind = "level"\nprice = 1\n[[alert]]\nkind = "level"\nprice = 2\nqiet = 3',
         7, "alert 2.qiet is unknown; did you mean quiet?"),
        ('[[alert]]\nkind = "level"\nprice = 1\nto = "flip"', 4, "alert 1.to is unknown"),
        ('[[alert]]\nkind = "distance"\nto = "lid"\nwithin = 5', 3, "did you mean lis?"),
        ('[[alert]]\nkind = "distance"\nto = "lis"\nwithin = "five"', 4, '"0.5 sigma"'),
        ('[[alert]]\nkind = "paradigm"', 1, "exactly one of becomes or leaves"),
        ('[[alert]]\nkind = "paradigm"\nbecomes = "GEX"\nleaves = "GEX"', 4, "exactly one"),
        ('[[alert]]\nkind = "paradigm"\nbecomes = "gxe"', 3, "did you mean GEX?"),
        ('[[alert]]\nkind = "probability"\nlabel = "GEX"\nabove = 70', 4, "from 0 to 1"),
        ('[[alert]]\nkind = "flip"\nmoves = 5\nminutes = 0', 4, "from 0.1 to 1440"),
        ('[[alert]]\nkind = "regime"\npart = "skew"\nbecomes = "stress"', 4, "one of: flat"),
        ('[[alert]]\nkind = "feed"\nstale = "soon"', 3, '"90 s", "5 min"'),
        ('[[alert]]\nkind = "feed"\ngaps = 0', 3, "whole number of at least 1"),
        ('[[alert]]\nkind = "hedge flow"\nof = "per_hour"\nabove = "lots"', 4, '"2bn"'),
        ('[[alert]]\nkind = "hedge flow"\nof = "per_hour"\nabove = "-2bn"', 4, "`side` says"),
        ('[[alert]]\nkind = "gex"\nsign = false', 3, "can only be true"),
        ('[[alert]]\nkind = "gex"\nabove = "1bn"\nhours = "9-5"', 4, '"09:45-15:45"'),
        ('[[alert]]\nkind = "wall"\nhysteresis = 5', 3, "has no meaning for this rule"),
        ('[[alert]]\nkind = "wall"\nonce = "yes"', 3, "true or false"),
        ('[[alert]]\nkind = "wall"\ndeliver = ["phone"]', 3, "there is no [delivery.phone]"),
        ('[[alert]]\nkind = "wall"\nunderlying = 5', 3, "a text or a list of texts"),
        ("[alert]\nkind = 3", 1, "each headed [[alert]]"),
        ('alerts = "on"', 1, "must be a table: [alerts]"),
        ("[alerts]\noff = ['wall movd']", 2, "did you mean wall moved?"),
        ("[alerts]\nquiet = -3", 2, '"90 s"'),
        ("[alerts]\nnear_sigma = 0.5", 2, "larger than far_sigma"),
        ("[alerts]\n\ndoubtful = 0.7", 3, "larger than `sure`"),
        ("[alerts]\nhistory_days = -1", 2, "at least 0"),
        ("[alerts]\nstale = 5", 2, "did you mean stale_after?"),
        ("theme = 'dark'\n[delivery.phone]\nseverity = 'info'", 2, "needs `kind`; one of: toast"),
        ("[delivery.phone]\nkind = 'pager'", 2, "one of: toast, bell"),
        ("[delivery.cmd]\nkind = 'command'", 1, "needs `command`"),
        ("[delivery.cmd]\nkind = 'command'\ncommand = 'rm -rf /'", 3, "no shell reads it"),
        ("[delivery.command]\n\ncommand = []", 3, "a program and its arguments"),
        ("[delivery.bell]\nstyle = 'osc9'", 2, "is unknown"),
        ("[delivery.bell]\ntimeout = '1 h'", 2, "between 0.1 s and 5 min"),
        ("[delivery]\nbell = 3", 2, "must be a table: [delivery.bell]"),
    ],
)  # fmt: skip
def test_what_is_wrong_names_its_line(tmp_path: Path, text: str, line: int, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, text)
    assert f"config.toml:{line}: " in str(caught.value)
    assert words in str(caught.value)


def test_alerts_in_general(tmp_path: Path) -> None:
    found = loaded(
        tmp_path,
        '[alerts]\noff = ["wall moved"]\nquiet = "5 min"\nnear_sigma = 0.3\nsure = 0.7\n'
        "touch_percent = 0.05\nhistory_days = 10\ndeliver_replays = true\n",
    ).alerts
    assert (found.off, found.quiet, found.history_days) == (("wall moved",), 300.0, 10)
    assert found.deliver_replays
    thresholds = Thresholds.of(found)
    assert thresholds.distances.near_sigma == 0.3
    assert thresholds.distances.touch_share == pytest.approx(0.0005)
    assert thresholds.off == {"wall moved"}
    assert "P = 0.7" in built_in("paradigm changed", thresholds)[1]


def test_without_settings_the_thresholds_are_the_built_in_ones() -> None:
    assert Thresholds.of(AlertSettings()) == Thresholds()


def test_every_built_in_alert_and_every_kind_of_rule_can_be_said() -> None:
    for kind in BUILT_IN:
        severity, words = built_in(kind, Thresholds())
        assert severity in ("info", "notice", "warning")
        assert words
    assert len(KINDS) == 11


def test_deliveries_and_the_toast_that_is_always_there(tmp_path: Path) -> None:
    ways = loaded(
        tmp_path,
        "[delivery.terminal]\nstyle = 'osc777'\n[delivery.phone]\nkind = 'apprise'\n"
        "severity = 'warning'\nquiet = '1 min'\n[delivery.toast]\nseverity = 'off'\n"
        "[delivery.log]\nkind = 'command'\ncommand = ['tee', '-a', '/tmp/x']\ntimeout = 3\n",
    ).deliveries
    assert ways == {
        "toast": DeliverySettings("toast", "off", 5.0),
        "terminal": DeliverySettings("terminal", style="osc777"),
        "phone": DeliverySettings("apprise", "warning", 60.0),
        "log": DeliverySettings("command", command=("tee", "-a", "/tmp/x"), timeout=3.0),
    }
    assert [*Settings().deliveries] == ["toast"]


def test_a_rule_may_name_a_delivery_that_stands_below_it(tmp_path: Path) -> None:
    text = '[[alert]]\nkind = "wall"\ndeliver = ["phone"]\n[delivery.phone]\nkind = "apprise"\n'
    assert loaded(tmp_path, text).alert_rules[0].deliver == ("phone",)


WORDS = (
    *KINDS, *REGIMES, *LINES, *ODDS, *FLOWS, "up", "call", "stress", "notice", "5 min", "2bn",
    "0.5 sigma", "09:45-15:45", "9" * 400 + " s", "9" * 400, "phone", "\x1b[2J", "٣",
)  # fmt: skip
KEYS = (
    "kind", "price", "when", "to", "within", "becomes", "leaves", "probability", "label", "above",
    "below", "crossed", "moves", "minutes", "which", "by", "holds", "part", "stale", "gaps",
    "quoted_below", "reconnects", "of", "side", "sign", "on", "name", "underlying", "severity",
    "quiet", "hysteresis", "hours", "once", "deliver", "nonsense",
)  # fmt: skip
VALUES = (
    st.sampled_from(WORDS) | st.integers() | st.just(10**400) | st.floats() | st.booleans()
    | st.text(max_size=5) | st.lists(st.sampled_from(WORDS), max_size=2) | st.just({})
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=6))
def test_whatever_stands_in_a_table_is_a_rule_that_works_or_one_clear_error(
    kind: str, table: dict[str, object]
) -> None:
    def wrong(key: str, what: str, hint: str) -> ConfigError:
        assert key in ("", *table, "kind")
        return ConfigError(f"{key} {what}", hint)

    try:
        rule = rule_of({"kind": kind, **table}, wrong, ("toast",))
    except ConfigError:
        return
    assert condition(rule)
    assert isinstance(terms(rule), str)
    monitor = AlertMonitor(rules=[rule])
    for number, spot in enumerate((2730.0, 2760.0, math.nan)):
        monitor.update(at(number * 300.0, spot, gamma={"flip": 2740.0, "call_wall": spot}))


@pytest.mark.parametrize(
    ("text", "value"),
    [("2bn", 2e9), ("-500M", -5e8), ("−1.5 B", -1.5e9), ("$250k", 2.5e5), ("1_000", 1e3),
     ("1,500", 1.5e3), ("+3T", 3e12), (2e9, 2e9), (-5, -5.0), (".5bn", 5e8)],
)  # fmt: skip
def test_amounts(text: object, value: float) -> None:
    assert amount(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "bn", "2 x", "1e", True, None, math.inf, "--2", "2bnn"])
def test_what_is_no_amount(text: object) -> None:
    with pytest.raises(ValueError, match="amount"):
        amount(text)


def test_times_distances_and_hours() -> None:
    assert [seconds(t) for t in (90, "90s", "1.5 min", "2 h", "0s")] == [90, 90, 90, 7200, 0]
    assert [length(t) for t in (5, "5 pts", "0.3%", ".5σ")] == [
        Length(5.0), Length(5.0), Length(0.3, "percent"), Length(0.5, "sigma"),
    ]  # fmt: skip
    assert [hours(t) for t in ("09:45-15:45", "18:00 – 2:00", "0:00-24:00")] == [
        (585, 945), (1080, 120), (0, 1440),
    ]  # fmt: skip
    for wrong in ("9:60-10:00", "25:00-26:00", "10:00-10:00", "09:45", 9):
        with pytest.raises(ValueError, match="hours"):
            hours(wrong)
