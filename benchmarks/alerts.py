"""What alerts cost: rules on every Reading, an alert on its way, the list at its longest."""

from __future__ import annotations

import asyncio
import dataclasses
import tomllib
from itertools import count

from benchmarks.harness import Row, at_most, medians
from gexterm.alerts.delivery.dispatcher import Dispatcher
from gexterm.alerts.model import Alert, stamped
from gexterm.alerts.monitor import AlertMonitor
from gexterm.clock import ManualClock
from gexterm.config_alerts import AlertRule
from gexterm.config_alerts_toml import rule_of
from gexterm.errors import ConfigError
from gexterm.market.events import FeedStatus, SourceInfo
from gexterm.ui.frame import Frame
from gexterm.ui.widgets.alerts import AlertList
from tests.ui.fakes import NS, OPEN, reading

TEXTS = (
    'kind = "level"\nprice = 6000',
    'kind = "distance"\nto = "lis"\nwithin = "0.2 sigma"',
    'kind = "paradigm"\nbecomes = "GEX"',
    'kind = "flip"\nmoves = 5\nminutes = 30',
    'kind = "wall"',
    'kind = "feed"\nquoted_below = 0.5',
    'kind = "hedge flow"\nof = "per_hour"\nabove = "1bn"',
    'kind = "gex"\nsign = true\nhours = "09:45-15:45"',
)
RULES = 24
ALERTS = 1000


class Sink:
    """A delivery that takes everything."""

    name, least, quiet_s, timeout_s = "sink", "info", 0.0, 5.0

    async def deliver(self, alert: Alert) -> None:
        pass


def _rule(text: str) -> AlertRule:
    return rule_of(tomllib.loads(text), lambda _key, what, hint: ConfigError(what, hint), ())


def _alerts() -> tuple[Alert, ...]:
    made = (
        Alert(OPEN + n * NS, "level", "notice", f"spot above 6,000: {n}", 6000.0, False)
        for n in range(ALERTS)
    )
    return tuple(stamped(alert, "SPX", "live", "flow") for alert in made)


def run() -> list[Row]:
    """Milliseconds each."""
    own = AlertMonitor(rules=[_rule(TEXTS[n % len(TEXTS)]) for n in range(RULES)])
    bare = AlertMonitor()
    here = reading(at=OPEN + 3600 * NS)
    ticks = count()

    def step(monitor: AlertMonitor) -> None:
        monitor.update(dataclasses.replace(here, as_of=here.as_of + next(ticks) * NS // 10))

    alerts = _alerts()
    frame = Frame(SourceInfo("SPX", "x", "live"), FeedStatus("live"), alerts=alerts)
    listed = AlertList()

    async def submitting() -> float:
        out = Dispatcher([Sink() for _ in range(5)], ManualClock(), capacity=ALERTS)
        took = medians({"submit": lambda: out.submit(alerts[0])}, runs=300)["submit"]
        await out.close(0.1)
        return took

    # The monitors take turns, so both see time go on.
    took = medians(
        {
            "bare": lambda: step(bare),
            "own": lambda: step(own),
            "list": lambda: listed.paint(frame, 160, 48),
        },
        runs=200,
        warmup=20,
    )
    return [
        at_most("alerts: built-in rules, one Reading", 1e3 * took["bare"], 0.5, "ms"),
        at_most(f"alerts: with {RULES} rules of one's own", 1e3 * took["own"], 1.5, "ms"),
        at_most(
            "alerts: one submitted to 5 deliveries", 1e3 * asyncio.run(submitting()), 0.1, "ms"
        ),
        at_most(f"alerts: the list of {ALERTS}, 160x48", 1e3 * took["list"], 6.0, "ms"),
    ]
