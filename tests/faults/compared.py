"""What must hold after a disturbance: the Readings are equal, or the gap is on screen."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable, Callable
from functools import partial
from zoneinfo import ZoneInfo

from gexterm.clock import NS
from gexterm.feeds.runner import RunnerSettings
from gexterm.reading.model import Reading
from tests.faults.market import Script
from tests.faults.readings import QUICK, Stage, differences, plain, stage

EARLY, LATE = slice(0, 2), slice(4, None)
"""Readings before a disturbance, and after it."""
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
    # What is asked for now and then (spot) has been asked for by the last ones.
    for a, b in zip(found[-2:], wanted[-2:], strict=True):
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
    assert any("prints from 1" in said and "fetched" in said for said in last.health.warnings)


def whole_or_shown(on: Stage, found: list[Reading], wanted: list[Reading]) -> None:
    """Whichever of them this venue allows."""
    if not on.teller.refills:
        shown_as_missing(on, found, wanted)
        return
    assert found[-1].health.gaps == 0
    (undisturbed if on.teller.with_quotes else partial(shown_as_unsigned, on))(found, wanted)


async def disturbed(
    venue: str,
    fault: Fault,
    *,
    states: tuple[str, ...] = ("live", "reconnecting"),
    reconnects: int = 1,
    settings: RunnerSettings = QUICK,
    told: Script | None = None,
    words: tuple[str, ...] = (),
) -> None:
    """A run in which a line fails in some way, compared with one without.

    `words` are said of the connection, or stand among the warnings of the last Reading.
    """
    wanted = await plain(venue, told)
    async with stage(venue, settings=settings, told=told) as on:
        await on.before()
        await fault(on)
        await on.back(1 + reconnects)
        await on.after()
        found = on.readings()
        last = found[-1]
        assert set(states) <= set(on.states)
        assert on.states[-1] == "live"
        assert last.health.reconnects == on.runner.counters.reconnects >= reconnects
        if reconnects:
            assert last.health.away_s > 0.0
            assert f"reconnects {last.health.reconnects}" in on.status(last)
        told_of = "\n".join([on.said, *last.health.warnings])
        for each in words:
            assert each in told_of
        whole_or_shown(on, found, wanted)
