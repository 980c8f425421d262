"""Where the alerts of a session without a screen go."""

from __future__ import annotations

from pathlib import Path

import pytest

from gexterm import paths
from gexterm.alerts.history import AlertHistory, day_of
from gexterm.alerts.model import Alert, stamped
from gexterm.cli.alertpost import alert_post
from gexterm.clock import SystemClock
from gexterm.config import load


async def test_an_alert_is_kept_and_sent_and_what_cannot_be_sent_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "alerts_history", lambda: tmp_path / "alerts")
    sent, config = tmp_path / "sent", tmp_path / "config.toml"
    config.write_text(
        f'[delivery.mine]\nkind = "command"\ncommand = ["/bin/sh", "-c", "cat >> {sent}"]\n'
        f'[delivery.gone]\nkind = "command"\ncommand = ["{tmp_path}/gone"]\n'
        "[delivery.bell]\n"  # needs a terminal, and is silent without one
    )
    clock, said = SystemClock(), list[str]()
    made = Alert(clock.now_ns(), "flip crossed", "warning", "through the flip", 6000.0, False)
    async with alert_post(load(config, {}), clock, said.append) as post:
        post(stamped(made, "SPX", "live", "combined"))
    assert "through the flip" in sent.read_text()
    kept = AlertHistory(tmp_path / "alerts").read(day_of(made.at))
    assert [alert.text for alert in kept.alerts] == ["through the flip"]
    assert len(said) == 1
    assert "gone" in said[0]
