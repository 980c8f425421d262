"""Whatever the line does, the Readings after it are those of a line that never failed.

Where a venue cannot be asked for what went unheard, the Reading says so.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from zoneinfo import ZoneInfo

import pytest

from gexterm.clock import NS
from gexterm.reading.model import Reading
from tests.faults.market import TELLERS, WEBSOCKETS
from tests.faults.readings import QUICK, Stage, differences, plain, stage

VENUES = list(TELLERS)
EARLY, LATE = slice(0, 2), slice(4, None)
"""Readings before a disturbance, and after it."""
WATCHFUL = replace(QUICK, ping_s=0.5, pong_s=2.0)
"""A line that is asked now and then whether it stands: by the wall's clock, as pings are."""

Fault = Callable[[Stage], Awaitable[None]]


def undisturbed(found: list[Reading], wanted: list[Reading], *, outage: bool = True) -> None:
    """Before and after, the Readings are those of an undisturbed run."""
    assert len(found) == len(wanted)
    for a, b in zip(found[EARLY], wanted[EARLY], strict=True):
        assert differences(a, b) == []
    for a, b in zip(found[LATE], wanted[LATE], strict=True):
        assert differences(a, b, outage=outage) == []


OF_POSITIONS = ("positions", "gamma", "book", "zero_dte", "regime", "hedging", "agreement",
                "expiries", "position", "position_sd", "position_flow", "gex", "delta", "vega",
                "vanna", "charm", "charm_day", "decay", "gex_0dte", "charm_0dte",
                "decay_0dte")  # fmt: skip
"""What in a Reading rests on the tape. The rest is the market's."""


def shown_as_missing(on: Stage, found: list[Reading], wanted: list[Reading]) -> None:
    """What could not be had later is not in the positions, and the screen says since when."""
    last = found[-1]
    assert last.positions.prints == wanted[-1].positions.prints - on.lost
    assert on.script.during[0].at <= last.health.heard_from <= on.script.after[0].at
    said = dt.datetime.fromtimestamp(last.health.heard_from / NS, ZoneInfo("America/New_York"))
    assert f"flow since {said:%H:%M}" in on.status(last)
    but = (*OF_POSITIONS, "heard_from")
    for a, b in zip(found[EARLY], wanted[EARLY], strict=True):
        assert differences(a, b, but=("heard_from",)) == []
    for a, b in zip(found[LATE], wanted[LATE], strict=True):
        assert differences(a, b, outage=True, but=but) == []


def shown_as_unsigned(on: Stage, found: list[Reading], wanted: list[Reading]) -> None:
    """What came later without its quote is counted, without a side, and the Reading says so."""
    for a, b in zip(found[EARLY], wanted[EARLY], strict=True):
        assert differences(a, b) == []
    for a, b in zip(found[LATE], wanted[LATE], strict=True):
        assert differences(a, b, outage=True, but=OF_POSITIONS) == []
        assert a.positions.prints == b.positions.prints
    last = on.readings("all")[-1]
    unsigned = last.positions.unsigned_by_reason
    assert set(unsigned) == {"late"}
    sizes = sum(each.size for step in on.script.during for each in step.prints)
    assert 0.0 < unsigned["late"] <= sizes
    assert last.positions.signed_share < 1.0
    assert any("prints from 10:05" in said and "fetched" in said for said in last.health.warnings)


async def disturbed(venue: str, fault: Fault, states: set[str]) -> None:
    """A run with a fault in it, compared with one without."""
    wanted = await plain(venue)
    async with stage(venue, settings=WATCHFUL if fault is half_open else QUICK) as on:
        await on.before()
        await fault(on)
        await on.back()
        await on.after()
        found = on.readings()
        assert states <= set(on.states)
        assert on.states[-1] == "live"
        assert found[-1].health.reconnects == on.runner.counters.reconnects == 1
        assert found[-1].health.away_s > 0.0
        assert "reconnects 1" in on.status(found[-1])
        if not on.teller.refills:
            shown_as_missing(on, found, wanted)
            return
        assert found[-1].health.gaps == 0
        (undisturbed if on.teller.with_quotes else partial(shown_as_unsigned, on))(found, wanted)


async def cut(on: Stage) -> None:
    """Between two frames."""
    on.teller.line.cut()
    await on.during()


async def cut_in_mid_frame(on: Stage) -> None:
    """After a hundred bytes of prints."""
    on.teller.line.cut_after(100)
    await on.during()
    assert on.teller.line.cuts == 1


async def half_open(on: Stage) -> None:
    """Nothing comes, and nobody says that nothing will."""
    on.teller.line.freeze()
    await on.during()
    real = on.teller.name in WEBSOCKETS and on.teller.name != "dxlink"  # found dead by a ping, of the wall's clock
    await on.until(lambda: "reconnecting" in on.states, moving=0.0 if real else 0.5)
    on.teller.line.thaw()


async def refused_for_a_while(on: Stage) -> None:
    """Nobody is there to connect to."""
    await on.teller.line.refuse()
    await on.during()
    await on.until(lambda: on.said.count("next try in") >= 2, moving=0.2)
    await on.teller.line.allow()


async def in_crumbs(on: Stage) -> None:
    """Cut, and then in pieces of a few bytes."""
    on.teller.line.piece = 7
    on.teller.line.cut()
    await on.during()


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("fault", [cut, cut_in_mid_frame, half_open, refused_for_a_while])
async def test_a_line_that_failed_leaves_no_trace_in_the_readings_or_a_plain_one(
    venue: str, fault: Fault
) -> None:
    await disturbed(venue, fault, {"live", "reconnecting"})


@pytest.mark.parametrize("venue", VENUES)
async def test_while_the_line_is_down_the_screen_says_so_and_quotes_are_seen_to_age(
    venue: str,
) -> None:
    async with stage(venue) as on:
        await on.before()
        await on.teller.line.refuse()
        await on.during()
        await on.until(lambda: on.states[-1] == "reconnecting", moving=0.2)
        await on.to(on.script.before[0].at + 205 * NS)
        found = on.readings()
        ages = [reading.health.quote_age_p50_s for reading in found[1:4]]
        assert ages[0] < 10.0 < 30.0 < ages[1] < ages[2]
        line = on.status(found[3])
        assert "reconnecting try" in line
        assert "refused" in line or "nothing listens" in line or "cannot be reached" in line, line
