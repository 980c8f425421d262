"""What docs/alerts.md shows is what the program takes, and it shows all of it."""

from __future__ import annotations

import re
from pathlib import Path

from gexterm.alerts.rules import Thresholds
from gexterm.alerts.wording import built_in
from gexterm.config import load
from gexterm.config_alerts import BUILT_IN, DELIVERIES, KINDS, AlertSettings

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "alerts.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


def test_every_example_is_taken_as_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    kinds, ways = set(), set()
    for example in EXAMPLES:
        path.write_text(example, encoding="utf-8")
        settings = load(path)
        kinds |= {rule.kind for rule in settings.alert_rules}
        ways |= {way.kind for way in settings.deliveries.values()}
    assert kinds == {*KINDS}
    assert ways == {*DELIVERIES}


def test_the_defaults_that_are_shown_are_the_defaults(tmp_path: Path) -> None:
    [example] = [text for text in EXAMPLES if text.startswith("[alerts]")]
    path = tmp_path / "config.toml"
    path.write_text(example, encoding="utf-8")
    assert load(path).alerts == AlertSettings()


def test_every_built_in_alert_is_in_the_table_with_its_severity() -> None:
    for kind in BUILT_IN:
        severity, _ = built_in(kind, Thresholds())
        assert f"| {kind} | {severity} | " in PAGE
