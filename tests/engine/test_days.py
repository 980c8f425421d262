"""A monitor left open over midnight: each day's tape on the book that the day before left."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest

from gexterm.clock import NS
from gexterm.engine.engine import Engine
from gexterm.engine.settings import EngineSettings
from gexterm.market.calendar import at_et
from gexterm.market.contracts import Contract, Right
from gexterm.market.events import (
    ClockTick,
    Definitions,
    Event,
    OpenInterest,
    Quotes,
    SourceInfo,
    Trades,
    UnderlyingPrice,
    Volume,
)
from gexterm.recording.books import Book

MONDAY = dt.date(2026, 11, 16)
TUESDAY = dt.date(2026, 11, 17)
FRIDAY = dt.date(2026, 11, 20)
LATER = dt.date(2026, 11, 30)
STRIKES = np.arange(5900.0, 6101.0, 25.0)
HELD = int(np.flatnonzero(STRIKES == 6050.0)[0]) * 2
"""The call at 6,050."""


def at(date: dt.date, hour: int, minute: int = 0) -> int:
    return at_et(date, dt.time(hour, minute))


def opening(underlying: str = "SPX", root: str = "SPXW") -> list[Event]:
    contracts = tuple(
        Contract(root, LATER, right, float(strike))
        for strike in STRIKES
        for right in (Right.CALL, Right.PUT)
    )
    info = SourceInfo(underlying, "venue", "live", conditions="opra")
    begun = at(MONDAY, 9, 31)
    many = np.arange(len(contracts), dtype=np.int32)
    return [
        info,
        Definitions(0, contracts, begun),
        OpenInterest(many, np.full(len(many), 1000.0), begun, begun),
        UnderlyingPrice(6000.0, begun, begun),
        quotes(begun),
    ]


def quotes(ts: int) -> Quotes:
    strikes = np.repeat(STRIKES, 2)
    call = np.tile([True, False], len(STRIKES))
    worth = np.where(call, np.maximum(6000 - strikes, 0), np.maximum(strikes - 6000, 0))
    mid = worth + 40 * np.exp(-(((strikes - 6000) / 120) ** 2))
    many = np.arange(len(strikes), dtype=np.int32)
    size = np.full(len(strikes), 10.0)
    return Quotes(many, mid - 0.5, mid + 0.5, size, size, np.full(len(strikes), ts, np.int64), ts)


def bought(ts: int, size: float, sequence: int) -> list[Event]:
    """A customer buys calls at the offer: the dealer sells them."""
    fresh = quotes(ts - NS)
    offer = fresh.ask[HELD]
    return [
        fresh,
        Trades.of(
            [HELD], [offer], [size], [ts], sequence=[sequence], condition=[ord("I")], recv=ts
        ),
    ]


def engine_with(events: list[Event], view: str = "combined") -> Engine:
    engine = Engine(replace(EngineSettings(), view=view, prior_later="none", scope="all"))
    for event in events:
        engine.apply(event)
    return engine


def held(engine: Engine, as_of: int) -> float:
    """Dealer's calls at 6,050 under the view chosen."""
    job = engine.job(as_of)
    assert job is not None
    engine.compute(job)
    before = engine._standing.carry
    mean = 0.0 if before is None else float(before.belief.mean[0, HELD // 2])
    return mean + float(engine.gained(as_of)[HELD])


def monday() -> list[Event]:
    return [*opening(), *bought(at(MONDAY, 11), 200.0, 1), ClockTick(at(MONDAY, 16, 30))]


def test_tuesday_begins_with_what_monday_left_and_no_flow() -> None:
    engine = engine_with(monday())
    sold = held(engine, at(MONDAY, 16))
    assert -200.0 < sold < -50.0
    engine.apply(ClockTick(at(TUESDAY, 0)))
    assert engine.day == TUESDAY
    assert engine.kept is not None
    assert engine.kept.date == MONDAY
    assert engine.signer is not None
    assert engine.signer.flow().prints == 0
    assert held(engine, at(TUESDAY, 9, 35)) == pytest.approx(sold, rel=0.01)


def test_tuesdays_prints_add_to_mondays_book() -> None:
    engine = engine_with(monday())
    sold = held(engine, at(MONDAY, 16))
    for event in (ClockTick(at(TUESDAY, 8)), *bought(at(TUESDAY, 10), 100, 1)):
        engine.apply(event)
    assert engine.signer is not None
    assert engine.signer.flow().prints == 1  # the number 1 again: it is another day
    assert held(engine, at(TUESDAY, 10, 5)) == pytest.approx(1.5 * sold, rel=0.01)


def test_a_session_begun_anew_on_tuesday_with_mondays_book_reads_the_same() -> None:
    open_all_night = engine_with(monday())
    begun_anew = engine_with(opening())
    begun_anew.restart()
    morning: list[Event] = [
        OpenInterest(np.array([HELD], np.int32), np.array([1150.0]), 0, at(TUESDAY, 6, 30)),
        ClockTick(at(TUESDAY, 9, 31)),
        UnderlyingPrice(6001.0, at(TUESDAY, 9, 31), at(TUESDAY, 9, 31)),
        *bought(at(TUESDAY, 10), 50.0, 1),
    ]
    tuesday = ClockTick(at(TUESDAY, 0))
    open_all_night.apply(tuesday)
    begun_anew.kept = open_all_night.kept
    begun_anew.apply(opening()[0])
    for event in opening()[1:3]:
        begun_anew.apply(replace(event, recv=at(TUESDAY, 6)))
    for event in morning:
        open_all_night.apply(event)
        begun_anew.apply(event)
    as_of = at(TUESDAY, 10, 5)
    assert held(open_all_night, as_of) == pytest.approx(held(begun_anew, as_of), rel=1e-6)


def test_open_interest_of_the_day_before_is_named_until_todays_comes() -> None:
    engine = engine_with([*monday(), ClockTick(at(TUESDAY, 1))])
    job = engine.job(at(TUESDAY, 1))
    assert job is not None
    assert any("earlier day" in w for w in engine.compute(job).health.warnings)
    many = np.arange(len(STRIKES) * 2, dtype=np.int32)
    six = at(TUESDAY, 6, 30)
    engine.apply(OpenInterest(many, np.full(len(many), 1100.0), six, six))
    job = engine.job(at(TUESDAY, 7))
    assert job is not None
    assert not any("earlier day" in w for w in engine.compute(job).health.warnings)


def test_volume_is_counted_from_zero_each_day() -> None:
    engine = engine_with(monday())
    many = np.arange(4, dtype=np.int32)
    engine.apply(Volume(many, np.full(4, 500.0), at(MONDAY, 16), at(MONDAY, 16)))
    engine.apply(ClockTick(at(TUESDAY, 0)))
    assert np.isnan(engine.chain.column("volume")).all()


def test_a_weekend_belongs_to_its_friday() -> None:
    friday = at(FRIDAY, 11)
    engine = engine_with([*opening(), ClockTick(at(FRIDAY, 9)), *bought(friday, 80, 1)])
    assert engine.day == FRIDAY
    for day in (21, 22):
        engine.apply(ClockTick(at(dt.date(2026, 11, day), 12)))
    assert engine.day == FRIDAY
    assert engine.signer is not None
    assert engine.signer.flow().prints == 1
    engine.apply(ClockTick(at(dt.date(2026, 11, 23), 0)))
    assert engine.kept is not None
    assert engine.kept.date == FRIDAY


def test_a_market_that_never_closes_turns_on_sunday_too() -> None:
    engine = engine_with([*opening("BTC", "BTC"), ClockTick(at(dt.date(2026, 11, 21), 12))])
    engine.apply(ClockTick(at(dt.date(2026, 11, 22), 0)))
    assert engine.day == dt.date(2026, 11, 22)


def test_a_day_without_a_print_leaves_the_book_as_it_was() -> None:
    engine = engine_with([*monday(), ClockTick(at(TUESDAY, 0))])
    kept = engine.kept
    engine.apply(ClockTick(at(dt.date(2026, 11, 18), 0)))
    assert isinstance(kept, Book)
    assert engine.kept is kept


def test_one_row_with_a_wrong_date_begins_no_day() -> None:
    engine = engine_with(monday())
    late = at(MONDAY, 15)
    wrong = replace(quotes(late), ts=np.full(len(STRIKES) * 2, at(FRIDAY, 9), np.int64))
    engine.apply(wrong)
    assert engine.day == MONDAY
