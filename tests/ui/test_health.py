"""The health screen: can the data be trusted, does the machine keep up."""

from __future__ import annotations

import math
from dataclasses import replace

import polars as pl
import pytest

from gexterm.reading.model import Health
from gexterm.ui.app import MonitorApp
from gexterm.ui.frame import Frame
from gexterm.ui.ink import Line, plain
from gexterm.ui.vitals import KEPT, Vital, Vitals, quantile
from gexterm.ui.widgets import vitalpanel
from tests.ui.fakes import NS, OPEN, FakeSession, reading
from tests.ui.test_desk import screen, until

AT = OPEN + 3600 * NS


def text(lines: list[Line]) -> str:
    return "\n".join(plain(line) for line in lines)


def frame(**changes: object) -> Frame:
    session = FakeSession()
    return Frame(session.info, session.status, reading(at=AT), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [(80, 24), (120, 36), (160, 48), (200, 60)])
async def test_every_size_says_source_coverage_losses_and_work(size: tuple[int, int]) -> None:
    app = MonitorApp(FakeSession(first=reading(view="combined", at=AT)), fps=60.0, glow_s=0.0)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: "6,012.35" in screen(app))
        await pilot.press("8")
        await until(pilot, lambda: "SOURCE" in screen(app))
        seen = screen(app)
        for _ in range(12):
            await pilot.press("down")
            await pilot.pause()
            seen += screen(app)
        for part in ("SOURCE", "COVERAGE", "LOST, LATE", "WORK", "gaps", "signed", "71%"):
            assert part in seen, part
        assert all(len(line) == size[0] for line in screen(app).splitlines())
        assert ("QUOTE AGE BY STRIKE" in seen) == (size[0] >= 104)


def test_what_does_not_fit_is_counted() -> None:
    lines = list(vitalpanel.Facts().paint(frame(), 70, 12))
    assert len(lines) == 12
    assert "more ↓" in text(lines[-1:])


def test_a_loss_is_loud_and_none_is_quiet() -> None:
    lost = vitalpanel.losses(frame(), Health(gaps=3), 60)
    row = next(line for line in lost if "gaps" in plain(line))
    assert [span.fg for span in row][1] == "warning"
    fine = vitalpanel.losses(frame(), Health(), 60)
    row = next(line for line in fine if "gaps" in plain(line))
    assert [span.fg for span in row][1] == "muted"


def test_a_replay_has_no_lateness() -> None:
    vitals = Vitals()
    vitals.note(Vital(12.0, 3.0, math.nan, 100.0))
    told = text(vitalpanel.work(frame(vitals=vitals), 80))
    assert "not measured: this is no live market" in told
    assert "12 ms" in told


def test_a_live_market_says_how_late_the_screen_is() -> None:
    vitals = Vitals()
    for late in (0.1, 0.2, 0.3):
        vitals.note(Vital(12.0, 3.0, late, 100.0))
    row = next(
        li for li in text(vitalpanel.work(frame(vitals=vitals), 80)).splitlines() if "→" in li
    )
    assert "0.2" in row
    assert "0.3" in row


def test_ages_go_down_from_the_highest_strike_around_spot() -> None:
    found = reading(at=AT)
    strikes = found.strikes.with_columns((pl.col("strike") - 6000.0).abs().alias("quote_age_s"))
    lines = text(vitalpanel.ages(replace(found, strikes=strikes), 50, 20, 0)).splitlines()
    rows = [line for line in lines if "▪" in line]
    prices = [float(line[1:11].replace(",", "")) for line in rows]
    assert prices == sorted(prices, reverse=True)
    assert min(prices) < found.spot < max(prices)
    near = next(line for line in rows if line.startswith("▸"))
    assert abs(float(near[1:11].replace(",", "")) - found.spot) <= 10


def test_a_strike_without_quotes_is_not_fresh() -> None:
    found = reading(at=AT)
    strikes = found.strikes.with_columns(pl.lit(None, pl.Float64).alias("quote_age_s"))
    assert "no quote" in text(vitalpanel.ages(replace(found, strikes=strikes), 50, 12, 0))


def test_vitals_remember_a_while_and_no_more() -> None:
    vitals = Vitals()
    for n in range(KEPT + 50):
        vitals.note(Vital(float(n), 1.0, math.nan, math.nan))
    assert len(vitals.frames) == KEPT
    assert vitals.column("events_per_s") == []
    assert quantile(vitals.column("tick_ms"), 0.99) > quantile(vitals.column("tick_ms"), 0.5)
    assert math.isnan(quantile([], 0.5))


def test_the_process_is_looked_at_now_and_then() -> None:
    vitals = Vitals()
    vitals.look(10.0)
    first = vitals.process
    vitals.look(10.5)
    assert vitals.process is first
    vitals.look(13.0)
    assert vitals.process.cpu_share >= 0.0
    assert vitals.process.memory_mb > 10.0
