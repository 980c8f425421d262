"""`gexterm alerts`: past alerts, the rules in words, a test of every delivery."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from gexterm.alerts.history import AlertHistory, day_of
from gexterm.alerts.model import Alert, Severity, stamped
from tests.cli.invoke import Outcome, gexterm
from tests.reading.readings import AS_OF

NS = 1_000_000_000


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user with a history and settings of their own."""
    monkeypatch.setattr("gexterm.paths.config_file", lambda: tmp_path / "config.toml")
    monkeypatch.setattr("gexterm.paths.alerts_history", lambda: tmp_path / "alerts")
    monkeypatch.delenv("GEXTERM_NOTIFY_URLS", raising=False)
    return tmp_path


def say(
    home: Path, day: int, text: str, severity: Severity = "notice", underlying: str = "SPX",
    *, replay: bool = False,
) -> Alert:  # fmt: skip
    at = AS_OF + day * 86_400 * NS
    made = Alert(at, "level", severity, text, math.nan, replay)
    alert = stamped(made, underlying, "replay" if replay else "live", "flow")
    AlertHistory(home / "alerts").add(alert)
    return alert


def told(outcome: Outcome) -> list[str]:
    assert outcome.code == 0
    return outcome.out.splitlines()


def test_the_last_day_is_listed_with_what_was_seen_to(home: Path) -> None:
    say(home, 0, "yesterday")
    seen = say(home, 1, "seen", "warning")
    say(home, 1, "a\x1b[2J", "info", replay=True)
    AlertHistory(home / "alerts").acknowledge(day_of(seen.at), [seen.id])
    assert told(gexterm("alerts")) == [
        "2018-01-06",
        "10:35:00 ✓ ▲ warning SPX    seen",
        "10:35:00   · info    SPX    a·[2J (replay)",
    ]


def test_a_history_is_filtered_by_day_underlying_severity_and_number(home: Path) -> None:
    for day, text, severity, underlying in (
        (0, "one", "info", "SPX"), (0, "two", "warning", "NDX"), (1, "three", "notice", "SPX"),
    ):  # fmt: skip
        say(home, day, text, severity, underlying)  # type: ignore[arg-type]

    def texts(*options: object) -> list[str]:
        return [json.loads(line)["text"] for line in told(gexterm("alerts", "--json", *options))]

    assert texts("--day", "all") == ["one", "two", "three"]
    assert texts("--day", "2018-01-05") == ["one", "two"]
    assert texts("--day", "all", "--underlying", "spx") == ["one", "three"]
    assert texts("--day", "all", "--severity", "notice") == ["two", "three"]
    assert texts("--day", "all", "--last", 1) == ["three"]
    assert texts("--day", "today") == []


def test_json_has_one_object_a_line(home: Path) -> None:
    alert = say(home, 0, "spot above 2,730")
    [line] = told(gexterm("alerts", "--json"))
    table = json.loads(line)
    assert table["id"] == alert.id
    assert table["time"] == "2018-01-05T10:35:00.000-05:00"
    assert (table["level"], table["acknowledged"], table["replay"]) == (None, False, False)


def test_no_history_is_no_error(home: Path) -> None:
    outcome = gexterm("alerts")
    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err == "no alerts are kept that fit\n"
    assert told(gexterm("alerts", "--json")) == []


def test_damaged_lines_are_counted(home: Path) -> None:
    say(home, 0, "whole")
    with AlertHistory(home / "alerts").path(day_of(AS_OF)).open("a") as file:
        file.write("broken\n")
    outcome = gexterm("alerts")
    assert "whole" in outcome.out
    assert outcome.err == "1 damaged line left out\n"


def test_a_day_that_is_none_is_one_clear_line(home: Path) -> None:
    outcome = gexterm("alerts", "--day", "friday")
    assert outcome.code == 2
    assert "use a date such as" in outcome.one_clear_line


def test_the_rules_in_force_are_told_in_words(home: Path) -> None:
    (home / "config.toml").write_text(
        '[alerts]\noff = ["wall moved"]\nquiet = "1 min"\n'
        '[[alert]]\nkind = "level"\nprice = 6800\nwhen = "up"\nname = "round"\nonce = true\n'
    )
    lines = told(gexterm("alerts", "rules"))
    assert lines[:3] == [
        "Your own (1)",
        "   1 ◆ round: spot rises above 6,800",
        "       once a day",
    ]
    assert "Built in, each at most once in 60 s about the same thing" in lines
    assert any("wall moved         off: " in line for line in lines)
    assert any("lis breached" in line and "off" not in line for line in lines)


def test_without_rules_of_ones_own_the_built_in_ones_are_told(home: Path) -> None:
    assert told(gexterm("alerts", "rules"))[0] == "Your own: none"


def test_a_wrong_rule_is_one_clear_line(home: Path) -> None:
    (home / "config.toml").write_text('[[alert]]\nkind = "level"\nprize = 6800\n')
    outcome = gexterm("alerts", "rules")
    assert outcome.code == 2
    assert "config.toml:1: alert 1 needs `price`" in outcome.one_clear_line


def test_a_test_alert_goes_every_way_and_each_says_what_became_of_it(home: Path) -> None:
    got = home / "got"
    (home / "config.toml").write_text(
        f"[delivery.good]\nkind = 'command'\ncommand = ['tee', '{got}']\n"
        "[delivery.bad]\nkind = 'command'\ncommand = ['sh', '-c', 'echo no route >&2; exit 3']\n"
        "[delivery.bell]\n[delivery.quiet]\nkind = 'bell'\nseverity = 'off'\n"
        "[delivery.phone]\nkind = 'apprise'\n"
    )
    outcome = gexterm("alerts", "test")
    assert outcome.code == 4
    assert outcome.one_clear_line.startswith("gexterm: 3 deliveries failed")
    lines = outcome.out.splitlines()
    assert "good: sent" in lines
    assert "bad: sh ended with 3: no route" in lines
    assert "bell: standard error is no terminal" in lines
    assert "quiet: off" in lines
    assert "toast: shown on the screen of the monitor" in lines
    assert any(line.startswith("phone: ") and "GEXTERM_NOTIFY_URLS" in line for line in lines)
    assert json.loads(got.read_text())["kind"] == "test"


def test_where_all_goes_well_the_test_ends_well(home: Path) -> None:
    (home / "config.toml").write_text("[delivery.ok]\nkind = 'command'\ncommand = ['true']\n")
    assert told(gexterm("alerts", "test"))[0] == "ok: sent"


def test_alerts_are_listed_among_the_commands() -> None:
    assert any(line.split()[0] == "alerts" for line in told(gexterm("--help")) if line.split())
