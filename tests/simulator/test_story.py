"""The sample of the first release shows what its metadata promises, through the whole program."""

from __future__ import annotations

import datetime as dt

import pytest

from gexterm.alerts.model import Alert
from gexterm.alerts.monitor import AlertMonitor
from gexterm.engine.engine import Engine
from gexterm.engine.settings import EngineSettings
from gexterm.market.calendar import NEW_YORK
from gexterm.market.events import UnderlyingPrice
from gexterm.reading.model import Reading
from gexterm.recording.reader import Recording
from gexterm.recording.samples import find_sample

NS = 1_000_000_000
EVERY_S = 5


def told(view: str) -> tuple[list[Reading], list[Alert]]:
    """Readings every five seconds of the sample, and the alerts over them."""
    engine, monitor = Engine(EngineSettings(view=view)), AlertMonitor()
    readings: list[Reading] = []
    due = 0
    with Recording(find_sample("first-light").path) as recording:
        for event in recording.events():
            if isinstance(event, UnderlyingPrice) and event.ts >= due:
                if due and (job := engine.job(event.ts - 1)) is not None:
                    readings.append(engine.compute(job))
                    monitor.update(readings[-1])
                due = event.ts + EVERY_S * NS
            engine.apply(event)
    return readings, list(monitor.log)


def at(alerts: list[Alert], kind: str) -> list[tuple[str, str]]:
    """New York minute and text of the alerts of a kind."""
    return [
        (f"{dt.datetime.fromtimestamp(a.at / NS, NEW_YORK):%H:%M}", a.text)
        for a in alerts
        if a.kind == kind
    ]


@pytest.fixture(scope="module")
def customer_flow() -> tuple[list[Reading], list[Alert]]:
    return told("customer-flow")


def test_the_label_goes_from_anti_gex_to_bofa_and_back(
    customer_flow: tuple[list[Reading], list[Alert]],
) -> None:
    readings, alerts = customer_flow
    assert readings[0].zero_dte.paradigm == "Anti-GEX"
    assert at(alerts, "paradigm changed") == [
        ("10:16", "paradigm Anti-GEX → Mixed"),
        ("10:16", "paradigm Mixed → BofA"),
        ("10:30", "paradigm BofA → Mixed"),
        ("10:31", "paradigm Mixed → Anti-GEX"),
    ]


def test_spot_goes_through_the_flip_into_short_gamma(
    customer_flow: tuple[list[Reading], list[Alert]],
) -> None:
    readings, alerts = customer_flow
    [(minute, text)] = at(alerts, "flip crossed")
    assert minute == "10:09"
    assert text.startswith("spot up through the flip 6,699")
    assert (readings[0].gamma.state, readings[-1].gamma.state) == ("long", "short")


def test_a_line_is_approached_and_touched(
    customer_flow: tuple[list[Reading], list[Alert]],
) -> None:
    _, alerts = customer_flow
    assert at(alerts, "lis touched") == [("10:23", "upper line in the sand 6,750 touched")]
    assert [minute for minute, _ in at(alerts, "lis approached")] == ["10:22", "10:28"]


def test_no_alert_speaks_of_the_feed(customer_flow: tuple[list[Reading], list[Alert]]) -> None:
    _, alerts = customer_flow
    assert not [a for a in alerts if a.kind.startswith("feed")]
    assert all(a.replay for a in alerts), "a simulation is no market in session"


def test_the_opposite_view_hits_its_target() -> None:
    _, alerts = told("squeezemetrics")
    labels = [text for _, text in at(alerts, "paradigm changed")]
    assert labels[:2] == ["paradigm GEX → Mixed", "paradigm Mixed → Sidial"]
    assert at(alerts, "target hit")[0] == ("10:21", "target 6,735 hit")
