"""Rules of the user's own within a session: over a real socket, from the settings file."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from gexterm.alerts.model import Alert
from gexterm.clock import SystemClock
from gexterm.config import load
from gexterm.feeds.replay_protocol import ReplayProtocol
from gexterm.feeds.replay_server import ReplayServer
from gexterm.feeds.runner import FeedRunner
from gexterm.recording.reader import Recording
from gexterm.recording.samples import find_sample
from gexterm.session.live import LiveSession


async def test_a_session_hears_the_rules_of_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        '[alerts]\noff = ["wall moved"]\n'
        '[[alert]]\nkind = "hedge flow"\nof = "per_hour"\nabove = 0\nside = "either"\n'
        'name = "mine"\nquiet = 0\nhysteresis = 0\n'
        '[[alert]]\nkind = "level"\nprice = 1\nunderlying = "NDX"\n'
    )
    clock, settings = SystemClock(), load(path)
    heard: list[Alert] = []
    with Recording(find_sample("first-light").path) as recording:
        async with (
            asyncio.timeout(60),
            ReplayServer(recording, clock, 600.0) as server,
            LiveSession(
                lambda _tap: FeedRunner(ReplayProtocol(server.url), clock, rng=random.Random(1)),
                clock, settings, underlying="SPX", speed=600.0, replayable=True,
            ) as session,
        ):  # fmt: skip
            async for alert in session.alerts():
                heard.append(alert)
                if alert.rule == "mine":
                    break
    own = heard[-1]
    assert (own.kind, own.underlying, own.replay) == ("hedge flow", "SPX", True)
    assert own.text.startswith("mine: dealers ")
    assert own.id
    assert not any(alert.kind in ("wall moved", "level") for alert in heard)
