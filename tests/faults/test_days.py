"""Days and clocks: twins of one date, half a day, and a machine that is minutes off."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from gexterm.clock import NS
from gexterm.market.calendar import at_et
from gexterm.market.events import FeedStatus
from gexterm.reading.model import Reading
from tests.faults.compared import whole_or_shown
from tests.faults.market import HALF_DAY, TELLERS, Script, script
from tests.faults.readings import Stage, differences, plain, readings, stage

VENUES = list(TELLERS)


def alike(a: Reading, b: Reading, rel: float) -> None:
    """Every print is there, and what is read of the book agrees so closely."""
    assert a.positions.prints == b.positions.prints == 140
    assert a.spot == pytest.approx(b.spot, rel=rel)
    for part, names in (
        ("gamma", ("gex_per_1pct", "gex_0dte_per_1pct", "flip", "call_wall", "put_wall")),
        ("zero_dte", ("charm_below", "charm_above", "charm_per_hour", "decay_to_close",
                      "lis_lower", "lis_upper", "target")),
        ("hedging", ("per_up_1pct", "per_vol_point", "per_hour")),
    ):  # fmt: skip
        for name in names:
            mine, theirs = getattr(getattr(a, part), name), getattr(getattr(b, part), name)
            assert mine == pytest.approx(theirs, rel=rel, nan_ok=True), name
    assert a.zero_dte.paradigm == b.zero_dte.paradigm
    for column in ("position", "call_oi", "put_oi", "gex", "charm"):
        assert a.strikes[column].to_list() == pytest.approx(b.strikes[column].to_list(), rel=rel)


@pytest.mark.parametrize("minutes", [-3.0, 3.0])
@pytest.mark.parametrize("venue", VENUES)
async def test_a_clock_that_is_minutes_off_is_told_and_changes_no_reading(
    venue: str, minutes: float
) -> None:
    wanted = await plain(venue)
    async with stage(venue, ahead_s=60.0 * minutes) as on:
        await on.listening()
        await on.opening()
        await on.before()
        await on.play(on.script.during)
        await on.after()
        found = on.readings()
        last = found[-1].health
        assert last.clock_skew_s == pytest.approx(60.0 * minutes, abs=1.5)
        where = "ahead of" if minutes > 0 else "behind"
        assert any(f"s {where} the venue's" in said for said in last.warnings)
        assert on.report.reconnects == 0
        # A broker's spot and the age of what it quotes come of asking now and then.
        polled = ("spot", "quote_age_s", "quote_age_p50_s", "quote_age_p99_s")
        but = ("heard_from", *(polled if venue == "tradier" else ()))
        for a, b in zip(found[-2:], wanted[-2:], strict=True):
            # Smiles are fitted from where the last ones stood, and here there were more of them.
            assert differences(a, b, outage=True, but=but, rtol=1e-3) == []


@pytest.mark.parametrize("venue", [name for name in VENUES if name != "deribit"])
async def test_twins_of_one_date_and_strike_are_two_expiries(venue: str) -> None:
    wanted = await plain(venue)
    lines = {(line.root, line.expiry): line for line in wanted[-1].expiries}
    am, pm = lines["SPX", "2025-11-21"], lines["SPXW", "2025-11-21"]
    assert (am.settlement, pm.settlement) == ("AM", "PM")
    assert pm.settles_at - am.settles_at == 6.5 * 3600 * NS
    assert am.contracts == pm.contracts == 18
    assert am.gex_per_1pct != pm.gex_per_1pct


@pytest.mark.parametrize(
    ("one", "other"), [("dxlink", "tradier"), ("massive", "databento")], ids=lambda name: name
)
async def test_one_market_is_one_reading_whoever_tells_it(one: str, other: str) -> None:
    a, b = (await plain(one))[-1], (await plain(other))[-1]
    alike(a, b, rel=1e-6)


LATE_MORNING = dt.time(12, 50)


def half() -> Script:
    """The last minutes of a day that ends at 13:00."""
    return script("SPX", HALF_DAY, LATE_MORNING)


@pytest.mark.parametrize("venue", ["dxlink", "massive", "databento", "tradier"])
async def test_half_a_day_ends_at_one_and_a_cut_in_it_leaves_no_trace(venue: str) -> None:
    wanted = await plain(venue, half())
    closes = at_et(HALF_DAY, dt.time(13, 0))
    assert wanted[-1].zero_dte.expiry == "SPXW 2025-11-28"
    assert wanted[-1].zero_dte.seconds_left == pytest.approx((closes - wanted[-1].as_of) / NS)
    async with stage(venue, told=half()) as on:
        await on.before()
        on.teller.line.cut()
        await on.during()
        await on.back()
        await on.after()
        whole_or_shown(on, on.readings(), wanted)


async def test_after_an_early_close_nothing_is_due_and_today_has_settled() -> None:
    async with stage("dxlink", told=half()) as on:
        await on.before()
        await on.play(on.script.during)
        await on.after()
        await on.to(at_et(HALF_DAY, dt.time(13, 16)))
        told = len(on.runner.heard)
        states = said(on)
        await on.to(at_et(HALF_DAY, dt.time(13, 40)))
        assert len(on.runner.heard) > told
        assert "stale" not in said(on)[len(states) :]
        assert "reconnecting" not in on.states
        late = replace(on.script, after=(replace(on.script.after[0], at=on.now - 40 * NS),))
        last = readings(on.runner.heard, late)[-1]
        assert last.zero_dte.settled or "SPXW 2025-11-28" not in [
            f"{line.root} {line.expiry}" for line in last.expiries
        ]


def said(on: Stage) -> list[str]:
    """Every state told, in order."""
    return [status.state for status in on.of(FeedStatus)]
