"""From prints to the positions of a Reading, and that no cut of the stream changes them."""

from __future__ import annotations

import asyncio
import datetime as dt
import math
import random
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from gexterm.clock import NS, SystemClock
from gexterm.config import Settings
from gexterm.engine.engine import Engine
from gexterm.engine.grid import market_time
from gexterm.engine.oneshot import reading_of_recording
from gexterm.engine.settings import EngineSettings
from gexterm.feeds.replay_protocol import ReplayProtocol
from gexterm.feeds.replay_server import ReplayServer
from gexterm.feeds.runner import FeedRunner
from gexterm.market.contracts import Right
from gexterm.market.events import Event, OpenInterest, SourceInfo, Volume
from gexterm.reading.model import Reading
from gexterm.recording.reader import Recording
from gexterm.session.live import LiveSession
from gexterm.simulator.run import record
from tests.engine.tapes import TEN, filled, index_of, prints, tick
from tests.simulator import made

CALL = index_of(30, Right.CALL)
PUT = index_of(-30, Right.PUT)
LATER = index_of(50, Right.CALL, dt.date(2026, 12, 18))


def test_customers_who_buy_both_sides_make_the_dealer_short_gamma_and_bofa() -> None:
    engine = filled(view="flow", scope="0dte")
    engine.apply(prints((CALL, +1, 70.0), (PUT, +1, 90.0)))
    reading = tick(engine)
    assert reading.zero_dte.paradigm == "BofA"
    assert reading.gamma.state == "short"
    held = dict(zip(reading.strikes["strike"], reading.strikes["position_flow"], strict=True))
    assert held[6730.0] < 0.0 and held[6670.0] < 0.0
    assert held[6700.0] == 0.0


def test_customers_who_sell_both_sides_make_it_long_and_sidial() -> None:
    engine = filled(view="flow", scope="0dte")
    engine.apply(prints((CALL, -1, 70.0), (PUT, -1, 90.0)))
    reading = tick(engine)
    assert reading.zero_dte.paradigm == "Sidial"
    assert reading.gamma.state == "long"


def test_a_few_prints_say_little_and_the_odds_admit_it() -> None:
    # Two prints by one rule: not even the likeliest label is anything like certain.
    engine = filled(view="flow", scope="0dte")
    engine.apply(prints((CALL, +1, 7.0), (PUT, +1, 9.0)))
    odds = tick(engine).zero_dte.probability
    assert max(odds, key=odds.__getitem__) == "BofA"
    assert 0.25 < odds["BofA"] < 0.9
    assert sum(odds.values()) == pytest.approx(1.0)


def test_positions_say_what_they_rest_on() -> None:
    engine = filled(view="flow", scope="0dte")
    engine.apply(prints((CALL, +1, 70.0), (PUT, +1, 30.0)))
    found = tick(engine).positions
    assert (found.view, found.basis, found.prints) == ("flow", "trades", 2)
    assert found.epoch == TEN + NS
    assert found.signed_share == 1.0
    assert found.by_evidence == {"at the quote": 1.0}
    assert found.uncovered_share == 1.0
    assert found.prior == ""


def test_what_was_printed_is_held_against_what_was_reported() -> None:
    engine = filled(view="flow", scope="0dte")
    engine.apply(prints((CALL, +1, 70.0)))
    assert np.isnan(tick(engine).positions.printed_share)
    engine.apply(Volume(np.array([CALL], np.int32), np.array([280.0]), TEN + 2 * NS))
    assert tick(engine).positions.printed_share == pytest.approx(0.25)


def test_coverage_is_of_the_scope_that_is_shown() -> None:
    engine = filled(view="flow", scope="0dte")
    engine.apply(prints((CALL, +1, 70.0), (LATER, +1, 30.0)))
    assert tick(engine).positions.prints == 2
    assert tick(engine).positions.signed_share == 1.0
    engine.settings = EngineSettings(view="flow", scope="2026-12-18")
    found = tick(engine, 6.0).positions
    assert found.by_evidence == {"at the quote": 1.0}


@pytest.mark.parametrize(
    ("today", "later", "words"),
    [
        ("none", "none", "none"),
        ("none", "squeezemetrics", "squeezemetrics on open interest, today's expiry none"),
        ("short-both", "none", "none, today's expiry short-both on open interest"),
        ("short-both", "short-both", "short-both on open interest"),
    ],
)
def test_the_prior_is_named_where_it_is_part_of_the_positions(
    today: str, later: str, words: str
) -> None:
    engine = filled(view="combined", scope="0dte", prior_today=today, prior_later=later)
    engine.apply(prints((CALL, +1, 7.0)))
    assert tick(engine).positions.prior == words


def test_the_prior_is_in_the_combined_book_and_never_in_the_flow() -> None:
    readings = {}
    for prior in ("none", "short-both"):
        engine = filled(view="combined", scope="0dte", prior_today=prior)
        engine.apply(prints((CALL, -1, 7.0), (PUT, -1, 7.0)))
        readings[prior] = tick(engine).agreement.views
    by_name = {p: {v.view: v.gex_per_1pct for v in views} for p, views in readings.items()}
    assert by_name["none"]["flow"] == pytest.approx(by_name["short-both"]["flow"])
    assert by_name["none"]["combined"] > 0.0 > by_name["short-both"]["combined"]


def test_open_interest_that_comes_later_is_taken_up() -> None:
    engine = filled(view="combined", scope="0dte", prior_today="short-both")
    engine.apply(prints((CALL, +1, 7.0)))
    before = tick(engine).gamma.gex_per_1pct
    n = len(engine.chain)
    engine.apply(OpenInterest(np.arange(n, dtype=np.int32), np.full(n, 5_000.0), TEN))
    assert tick(engine, 6.0).gamma.gex_per_1pct < 1.5 * before < 0.0


def test_no_position_is_beyond_what_can_be_open() -> None:
    engine = filled(view="combined", scope="0dte")
    contract = index_of(100, Right.CALL)
    engine.apply(prints((contract, +1, 50_000.0)))
    job = engine.job(TEN + 60 * NS)
    assert job is not None
    reading = engine.compute(job)
    held = dict(zip(reading.strikes["strike"], reading.strikes["position_flow"], strict=True))
    interest = float(np.nansum(job.rows.open_interest))
    assert abs(held[6800.0]) <= interest + 50_000.0


# However the stream is cut

SCRIPT = made.script(3, at=dt.time(14, 0), seed=902)


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(SCRIPT, tmp_path_factory.mktemp("replay") / "day.gexrec").path


def run_through(events: Iterable[Event], step: int, every: int = 1) -> dict[int, Reading]:
    """Asked for signs at every round time that is passed; Readings at each `every`-th."""
    engine = Engine(EngineSettings(view="flow", scope="0dte"))
    found: dict[int, Reading] = {}
    due = 0
    for event in events:
        if isinstance(event, SourceInfo):
            engine.apply(event)
            due = (event.begins // step + 1) * step
            continue
        while market_time(event) > due:
            job = engine.job(due)
            if job is not None and due % (every * step) == 0:
                found[due] = engine.compute(job)
            due += step
        engine.apply(event)
    return found


@pytest.fixture(scope="module")
def events(day: Path) -> list[Event]:
    with Recording(day) as recording:
        return list(recording.events())


@pytest.fixture(scope="module")
def by_minute(events: list[Event]) -> dict[int, Reading]:
    """Readings a minute apart."""
    return run_through(events, 60 * NS)


def same_positions(one: Reading, other: Reading) -> None:
    a, b = one.positions, other.positions
    assert (a.prints, a.epoch, a.counts) == (b.prints, b.epoch, b.counts)
    assert a.signed_share == pytest.approx(b.signed_share, rel=1e-12)
    assert a.by_evidence == pytest.approx(b.by_evidence)
    assert a.unsigned_by_reason == pytest.approx(b.unsigned_by_reason)
    assert a.trap == b.trap
    np.testing.assert_array_equal(one.strikes["strike"], other.strikes["strike"])
    np.testing.assert_allclose(
        one.strikes["position_flow"], other.strikes["position_flow"], rtol=1e-9, atol=1e-9
    )


def test_ticks_a_minute_or_a_tenth_of_a_second_apart_read_the_same_positions(
    events: list[Event], by_minute: dict[int, Reading]
) -> None:
    fast = run_through(events, NS // 10, every=5)
    shared = sorted(set(by_minute) & set(fast))
    assert len(shared) >= 2
    assert len(fast) > 300
    for at in shared:
        same_positions(by_minute[at], fast[at])
        assert by_minute[at].zero_dte.paradigm == fast[at].zero_dte.paradigm
        assert by_minute[at].gamma.state == fast[at].gamma.state


def straight(day: Path, at: int) -> Reading:
    with Recording(day) as recording:
        return reading_of_recording(recording, Settings(), at=at, view="flow", scope="0dte")


def test_a_reading_at_a_time_has_heard_the_tape_from_its_beginning(
    day: Path, by_minute: dict[int, Reading]
) -> None:
    for at, passed in by_minute.items():
        jumped = straight(day, at)
        same_positions(jumped, passed)
        assert jumped.zero_dte.paradigm == passed.zero_dte.paradigm


async def test_after_a_jump_the_tape_is_read_from_its_beginning(day: Path) -> None:
    clock = SystemClock()
    with Recording(day) as recording:
        begins = recording.begins
        target = begins + 150 * NS
        async with (
            asyncio.timeout(60),
            ReplayServer(recording, clock, 1.0, start_at=begins + 10 * NS, paused=True) as server,
            LiveSession(
                lambda _tap: FeedRunner(ReplayProtocol(server.url), clock, rng=random.Random(1)),
                clock,
                Settings(),
                underlying="SPX",
                view="flow",
                scope="0dte",
                replayable=True,
            ) as session,
        ):
            async for reading in session.readings():
                if reading.as_of <= begins + 10 * NS:
                    session.seek(target)
                    continue
                if reading.as_of >= target - NS:
                    break
    walked = straight(day, reading.as_of)
    assert reading.positions.prints > 300
    assert reading.positions.epoch == walked.positions.epoch
    same_positions(reading, walked)


def test_without_a_print_the_flow_is_unknown_and_not_flat() -> None:
    reading = tick(filled(view="flow", scope="all"))
    assert reading.positions.view == "flow"
    for column in ("position", "gex", "charm_0dte", "vanna"):
        assert reading.strikes[column].is_nan().all(), column
    assert math.isnan(reading.gamma.gex_per_1pct)
    assert math.isnan(reading.hedge_day.by_gamma)
    assert reading.zero_dte.paradigm == "No data"
    assert not reading.zero_dte.probability
