"""What time it is at the venue, whatever this machine believes."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.clock import NS
from gexterm.dealers.watermark import CLOCKS_NS
from gexterm.feeds.timing import MarketClock, span
from gexterm.market.events import (
    ClockTick,
    Definitions,
    FeedStatus,
    OpenInterest,
    Quotes,
    SourceInfo,
    Trades,
    UnderlyingPrice,
)

T0 = 1_763_740_800 * NS
"""A Friday in November, 11:00 in New York."""
MS = NS // 1000


def quotes(*ts: int) -> Quotes:
    rows = len(ts)
    ones = np.ones(rows)
    return Quotes(
        np.arange(rows, dtype=np.int32), ones, ones * 2, ones, ones, np.array(ts, np.int64)
    )


def trades(*ts: int) -> Trades:
    rows = len(ts)
    return Trades.of(np.arange(rows), np.ones(rows), np.ones(rows), np.array(ts, np.int64))


def hear(
    clock: MarketClock, skew_s: float, for_s: float, *, begin_s: float = 0.0, late_s: float = 0.03
) -> int:
    """A live feed of three rows every 50 ms, on a machine whose clock is ahead by `skew_s`.

    Returns the last receipt time.
    """
    at = 0
    for i in range(round(for_s * 20)):
        venue = T0 + round((begin_s + i * 0.05) * NS)
        at = venue + round((skew_s + late_s) * NS)
        clock.dated([quotes(venue - 5 * MS, venue), trades(venue - 2 * MS)], at)
    return at


def test_clocks_less_than_a_second_apart_count_as_the_same():
    clock = MarketClock()
    hear(clock, 0.4, 5)
    assert clock.known
    assert clock.offset_ns == 0
    assert clock.skew_s == pytest.approx(0.43, abs=0.05)
    assert clock.note() == ""


def test_nothing_is_known_before_rows_have_come():
    clock = MarketClock()
    assert not clock.known
    assert math.isnan(clock.skew_s)
    assert clock.market_ns(5) == 5
    clock.assume()
    assert clock.known
    assert math.isnan(clock.skew_s)


@settings(max_examples=40, deadline=None)
@given(
    skew_s=st.floats(-7200, 7200).filter(lambda s: abs(s) > 1.6),
    late_s=st.floats(0.0, 0.3),
)
def test_a_clock_that_is_off_moves_receipts_onto_the_venues_clock(skew_s: float, late_s: float):
    clock = MarketClock()
    at = hear(clock, skew_s, 4, late_s=late_s)
    assert clock.offset_ns / NS == pytest.approx(-skew_s - late_s, abs=0.5)
    [dated] = clock.dated([quotes(at - round((skew_s + late_s) * NS))], at)
    assert isinstance(dated, Quotes)
    assert abs(dated.recv - int(dated.ts[0])) < NS
    assert ("ahead of" if skew_s > 0 else "behind") in clock.note()


def test_the_note_says_how_far_and_in_which_direction():
    clock = MarketClock()
    hear(clock, -192.0, 3, late_s=0.0)
    assert clock.note() == "this machine's clock is 3 min 12 s behind the venue's"
    assert clock.skew_s == pytest.approx(-192.0, abs=0.1)


@settings(max_examples=40, deadline=None)
@given(skew_s=st.floats(-3600, 3600), rows=st.integers(1, 60), seed=st.integers(0, 1000))
def test_a_clock_minutes_off_costs_no_print(skew_s: float, rows: int, seed: int):
    """A print dated a minute ahead of its receipt would be disbelieved: none ever is."""
    rng = np.random.default_rng(seed)
    clock = MarketClock()
    for i in range(60):
        venue = T0 + i * NS // 10
        at = venue + round(skew_s * NS) + int(rng.integers(0, 200 * MS))
        made = np.sort(venue - rng.integers(0, 100 * MS, rows))
        [dated] = clock.dated([trades(*made.tolist())], at)
        assert isinstance(dated, Trades)
        assert len(dated.ts) == rows
        assert (dated.ts <= dated.recv + CLOCKS_NS).all()
    assert abs(dated.recv - int(dated.ts.max())) < 2 * NS


def test_twenty_rows_from_the_future_are_believed_at_once():
    clock = MarketClock()
    [dated] = clock.dated([trades(*[T0] * 20)], T0 - 180 * NS)
    assert isinstance(dated, Trades)
    assert clock.offset_ns == 180 * NS
    assert (dated.ts == T0).all()
    assert clock.misdated == 0


def test_a_single_row_from_the_future_is_dated_to_when_it_came():
    clock = MarketClock()
    hear(clock, 0.0, 3, late_s=0.0)
    at = T0 + 4 * NS
    made, bad = at - 10 * MS, at + 3600 * NS
    dated = clock.dated([quotes(made, bad), trades(bad, made), UnderlyingPrice(6000.0, bad)], at)
    assert [type(event) for event in dated] == [Quotes, Trades, UnderlyingPrice]
    assert dated[0].ts.tolist() == [made, at]
    assert dated[1].ts.tolist() == [at, made]
    assert dated[2].ts == at
    assert clock.misdated == 3
    assert clock.offset_ns == 0


def test_quotes_stay_sorted_by_time_when_some_are_dated_anew():
    clock = MarketClock()
    at = T0
    given_ = quotes(1, at - NS, at + 2 * NS, at + 60 * NS)
    [dated] = clock.dated([given_], at)
    assert isinstance(dated, Quotes)
    assert dated.ts.tolist() == [at - NS, at, at, at + 2 * NS]
    assert dated.contract.tolist() == [1, 0, 3, 2]
    assert clock.misdated == 2


def test_a_time_not_given_is_no_mistake_of_the_venues():
    clock = MarketClock()
    [dated] = clock.dated([quotes(0, T0)], T0)
    assert isinstance(dated, Quotes)
    assert dated.ts.tolist() == [T0, T0]
    assert clock.misdated == 0


def test_old_quotes_of_a_snapshot_are_fine_and_say_nothing():
    rng = np.random.default_rng(1)
    clock = MarketClock()
    for i in range(40):
        at = T0 + i * 50 * MS
        old = np.sort(at - rng.integers(10 * NS, 3600 * NS, 100))
        [dated] = clock.dated([quotes(*old.tolist())], at)
        assert isinstance(dated, Quotes)
        assert (dated.ts == old).all()
    assert not clock.known
    assert clock.offset_ns == 0
    hear(clock, 0.0, 3, begin_s=2.0)
    assert clock.known
    assert clock.offset_ns == 0


def test_the_last_quotes_of_friday_say_nothing_on_saturday():
    clock = MarketClock()
    close, at = T0 + 5 * 3600 * NS, T0 + 24 * 3600 * NS
    for i in range(200):
        clock.dated([quotes(*[close] * 50)], at + i * 50 * MS)
    assert not clock.known
    assert clock.offset_ns == 0


def test_history_fetched_after_the_fact_says_nothing():
    """Four hours of prints in four seconds, and the live ones after them."""
    clock = MarketClock()
    for i in range(80):
        made = T0 - 4 * 3600 * NS + i * 180 * NS
        clock.dated([trades(*[made + j * NS for j in range(100)])], T0 + i * 50 * MS)
    assert not clock.known
    hear(clock, 0.0, 3, begin_s=4.0)
    assert clock.known
    assert clock.offset_ns == 0


@settings(max_examples=30, deadline=None)
@given(
    skew_s=st.floats(-600, 600),
    old=st.integers(0, 200),
    ahead=st.integers(0, 2),
    seed=st.integers(0, 1000),
)
def test_neither_old_rows_nor_a_few_wrong_ones_hide_the_live_ones(
    skew_s: float, old: int, ahead: int, seed: int
):
    rng = np.random.default_rng(seed)
    clock = MarketClock()
    for i in range(80):
        venue = T0 + i * 50 * MS
        at = venue + round(skew_s * NS)
        rows = [venue - int(rng.integers(0, 40 * MS)) for _ in range(3)]
        rows += [venue - int(rng.integers(2 * NS, 7200 * NS)) for _ in range(old)]
        rows += [venue + int(rng.integers(10 * NS, 7200 * NS)) for _ in range(ahead)]
        clock.dated([quotes(*sorted(rows))], at)
    if abs(skew_s) > 1.1:
        assert clock.offset_ns / NS == pytest.approx(-skew_s, abs=0.5)
    elif abs(skew_s) < 0.9:
        assert clock.offset_ns == 0


def test_the_offset_moves_in_steps_and_not_with_every_breath():
    clock = MarketClock()
    hear(clock, 3.0, 5)
    first = clock.offset_ns
    for i, skew in enumerate((3.2, 2.7, 3.4, 2.5)):
        hear(clock, skew, 5, begin_s=5.0 + 5 * i)
        assert clock.offset_ns == first
    # The clock is set right.
    hear(clock, 0.1, 30, begin_s=40.0)
    assert clock.offset_ns == 0


def test_a_clock_that_was_set_is_compared_anew():
    clock = MarketClock()
    hear(clock, 0.0, 5)
    clock.doubt()
    assert not clock.known
    assert math.isnan(clock.skew_s)
    hear(clock, 95.0, 3, begin_s=5.0)
    assert clock.known
    assert clock.offset_ns / NS == pytest.approx(-95, abs=0.2)


def test_data_late_by_design_is_dated_by_the_market_and_no_skew():
    clock = MarketClock()
    info = SourceInfo("SPX", "x", "delayed", delay_s=900.0)
    [same] = clock.dated([info], T0)
    assert same is info
    assert clock.market_ns(T0) == T0 - 900 * NS
    hear(clock, 900.0, 4)
    assert clock.market_ns(T0) == T0 - 900 * NS
    assert abs(clock.skew_s) < 0.1
    assert clock.note() == ""


def test_data_late_by_design_may_come_sooner_than_promised():
    clock = MarketClock(900.0)
    rows = [T0 - 60 * NS] * 5
    [dated] = clock.dated([quotes(*rows)], T0)
    assert isinstance(dated, Quotes)
    assert dated.ts.tolist() == rows
    assert clock.misdated == 0


def test_rows_that_the_protocol_stamped_move_with_their_receipt_and_prove_nothing():
    """A venue that dates its prints and not its quotes, on a machine three minutes slow."""
    clock = MarketClock()
    for i in range(60):
        venue = T0 + i * 50 * MS
        first, second = venue - 180 * NS, venue - 180 * NS + 20 * MS
        given_ = [quotes(first, second, second), trades(venue)]
        dated = clock.dated(given_, second + 5 * MS, {first, second})
    assert clock.offset_ns / NS == pytest.approx(180, abs=0.1)
    stamped, printed = dated
    assert isinstance(stamped, Quotes)
    assert isinstance(printed, Trades)
    assert abs(int(stamped.ts[0]) - int(printed.ts[0])) < NS
    # Until twenty had agreed, prints were dated to when they came; none was left out.
    assert clock.misdated == 19

    lone = MarketClock()
    for i in range(60):
        at = T0 + i * 50 * MS
        lone.dated([quotes(at)], at, {at})
    assert not lone.known


def test_what_has_no_time_of_its_own_keeps_what_it_has():
    clock = MarketClock()
    hear(clock, -60.0, 3, late_s=0.0)
    tick, status = ClockTick(7), FeedStatus("live")
    interest = OpenInterest(np.zeros(1, np.int32), np.ones(1), ts=T0 - 3600 * NS)
    dated = clock.dated([tick, status, Definitions(0, ()), interest], T0)
    assert dated[0] is tick
    assert dated[1] is status
    assert isinstance(dated[2], Definitions)
    assert dated[2].recv == clock.market_ns(T0)
    assert isinstance(dated[3], OpenInterest)
    assert (dated[3].ts, dated[3].recv) == (interest.ts, clock.market_ns(T0))


def test_no_clock_is_wrong_by_years():
    clock = MarketClock()
    for i in range(100):
        at = T0 + i * 50 * MS
        clock.dated([quotes(*[at + 10**9 * NS] * 30)], at)
    assert clock.offset_ns == 0
    assert clock.misdated == 3000


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(2.4, "2 s"), (60, "1 min"), (192, "3 min 12 s"), (3600, "1 h"), (37_000, "10 h 16 min")],
)
def test_spans_read_as_people_say_them(seconds: float, said: str):
    assert span(seconds) == said
