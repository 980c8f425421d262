"""The newest prints as they are shown."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.dealers.conditions import ConditionClass
from gexterm.dealers.tape import Tape
from gexterm.engine.engine import Engine
from gexterm.engine.inquiry.inquirer import Inquirer
from gexterm.engine.inquiry.tape import CONDITIONS, NOT_JUDGED, TapeReader, newest
from gexterm.errors import UsageError
from gexterm.market.contracts import Right
from gexterm.market.events import CANCEL, Quotes, SourceInfo, Trades
from tests.engine.inquiry.books import asked
from tests.engine.tapes import CONTRACTS, QUOTES, TEN, filled, index_of, prints, tick

CALL, PUT = index_of(20, Right.CALL), index_of(-20, Right.PUT)


def heard(*wanted: tuple[int, int, float]) -> Engine:
    engine = filled(view="flow", scope="0dte")
    engine.apply(prints(*wanted))
    tick(engine, 6.0)
    return engine


def test_the_newest_come_first_and_small_ones_are_left_out() -> None:
    engine = heard((CALL, +1, 70.0), (PUT, -1, 5.0), (CALL, -1, 30.0))
    tail = Inquirer(engine).tape(10, 10.0)
    assert [p.size for p in tail.prints] == [30.0, 70.0]
    assert [p.row for p in tail.prints] == [2, 0]
    assert (tail.seen, tail.passing, tail.why_none) == (3, 2, "")
    assert len(Inquirer(engine).tape(1).prints) == 1


def test_a_print_at_the_offer_is_a_dealers_sale_and_loses_him_a_calls_delta() -> None:
    engine = heard((CALL, +1, 70.0))
    shown = Inquirer(engine).tape(1).prints[0]
    assert (shown.symbol, shown.expiry, shown.strike, shown.right) == (
        "SPXW",
        "2026-11-13",
        6720.0,
        "C",
    )
    assert (shown.bid, shown.ask) == (QUOTES.bid[CALL], QUOTES.ask[CALL])
    assert shown.price == shown.ask
    assert shown.p_buy < 0.5
    assert (shown.evidence, shown.condition, shown.state) == ("at the quote", "regular", "live")
    assert engine.last is not None
    surface = engine.last.parts.surface
    row = int(np.flatnonzero(surface.layout.contract[0] == CALL)[0])
    lean = (2.0 * shown.p_buy - 1.0) * shown.p_dealer
    wanted = lean * surface.delta[0, row] * 70.0 * 100.0 * 6700.0
    assert shown.delta_notional == pytest.approx(wanted)
    assert shown.delta_notional < 0.0


def test_selling_a_put_to_the_dealer_loses_him_delta_too() -> None:
    shown = Inquirer(heard((PUT, -1, 40.0))).tape(1).prints[0]
    assert shown.p_buy > 0.5
    assert shown.delta_notional < 0.0


def test_what_carries_no_side_says_why_and_has_no_probability() -> None:
    engine = filled(view="flow", scope="0dte")
    crossed = prints((CALL, +1, 50.0))
    engine.apply(
        Trades.of(
            crossed.contract,
            crossed.price,
            crossed.size,
            crossed.ts,
            condition=np.array([ord("c")]),
            sequence=np.array([9]),
            recv=crossed.recv,
        )
    )
    tick(engine, 6.0)
    shown = Inquirer(engine).tape(1).prints[0]
    assert (shown.evidence, shown.condition) == ("cross", "cross")
    assert math.isnan(shown.p_buy)
    assert math.isnan(shown.delta_notional)
    assert shown.p_dealer == 0.0


def test_the_quote_is_the_one_in_force_then_and_stays_that() -> None:
    engine = heard((CALL, +1, 70.0))
    after = np.array([TEN + 30_000_000_000], np.int64)
    who, one = np.array([CALL], np.int32), np.ones(1)
    engine.apply(Quotes(who, 1.0 * one, 99.0 * one, one, one, after, recv=int(after[0])))
    tick(engine, 7.0)
    shown = Inquirer(engine).tape(1).prints[0]
    assert (shown.bid, shown.ask) == (QUOTES.bid[CALL], QUOTES.ask[CALL])


def test_without_a_quote_before_it_there_is_none_to_show() -> None:
    engine = filled(view="flow", scope="0dte")
    engine.apply(prints((CALL, +1, 5.0), at=TEN - 3_600_000_000_000))
    tick(engine, 6.0)
    shown = Inquirer(engine).tape(1).prints[0]
    assert math.isnan(shown.bid)
    assert math.isnan(shown.ask)
    assert shown.evidence in {"no quote", "late"}


def test_what_was_taken_back_is_shown_as_that() -> None:
    engine = heard((CALL, +1, 70.0))
    first = prints((CALL, +1, 70.0))
    engine.apply(
        Trades.of(
            first.contract,
            first.price,
            first.size,
            first.ts + 5,
            action=np.array([CANCEL]),
            refers=first.sequence,
            recv=first.recv + 5,
        )
    )
    shown = Inquirer(engine).tape(5).prints
    assert [p.state for p in shown] == ["cancelled"]
    assert math.isnan(shown[0].delta_notional)


def test_a_print_that_just_came_is_there_at_once() -> None:
    engine = heard((CALL, +1, 70.0))
    ask = Inquirer(engine)
    assert ask.tape(5).passing == 1
    engine.apply(prints((PUT, -1, 20.0), at=TEN + 400_000_000_000))
    tail = ask.tape(5)
    assert tail.prints[0].strike == 6680.0
    assert (tail.seen, tail.passing) == (2, 2)


def test_one_that_no_signer_has_looked_at_says_so() -> None:
    tape = Tape()
    tape.take(prints((CALL, +1, 3.0)), "opra", len(CONTRACTS))
    shown = TapeReader().tail(tape, CONTRACTS, None, TEN, 1, 0.0).prints[0]
    assert shown.evidence == NOT_JUDGED
    assert math.isnan(shown.p_buy)
    assert math.isnan(shown.p_dealer)
    assert math.isnan(shown.delta_notional)


def test_where_there_is_nothing_to_show_the_reason_stands() -> None:
    silent = filled(view="flow")
    tick(silent)
    assert Inquirer(silent).tape(5).why_none == "no print has come yet"
    loud = Inquirer(heard((CALL, +1, 70.0)))
    assert loud.tape(5, 500.0).why_none == "none of 1 prints is of 500 contracts or more"
    without = Engine(silent.settings)
    without.apply(SourceInfo("SPX", "synthetic", "file"))
    assert "no prints" in TapeReader().tail(None, CONTRACTS, None, TEN, 5, 0.0).why_none


def test_counts_and_sizes_that_make_no_sense_are_refused() -> None:
    ask = Inquirer(heard((CALL, +1, 70.0)))
    for count, least in ((0, 0.0), (-3, 0.0), (10**9, 0.0), (5, -1.0), (5, math.nan)):
        with pytest.raises(UsageError):
            ask.tape(count, least)


@given(
    size=st.lists(st.integers(1, 9), max_size=60),
    count=st.integers(1, 20),
    least=st.integers(0, 10),
)
@settings(max_examples=60)
def test_the_search_backward_finds_what_a_search_of_all_finds(
    size: list[int], count: int, least: int
) -> None:
    sizes = np.array(size, np.float64)
    wanted = np.flatnonzero(sizes >= least)[::-1][:count]
    assert newest(sizes, count, least).tolist() == wanted.tolist()


def test_a_long_tape_is_searched_in_pieces_and_counted_once() -> None:
    sizes = np.ones(40_000)
    sizes[[3, 20_000]] = 50.0
    assert newest(sizes, 5, 50.0).tolist() == [20_000, 3]
    ask = asked(view="flow")
    by_hand = sum(p.size >= 30.0 for p in ask.tape(1000).prints)
    assert ask.tape(1, 30.0).passing == ask.tape(1, 30.0).passing == by_hand


def test_every_condition_has_a_word() -> None:
    assert set(CONDITIONS) == set(ConditionClass)
    assert all(CONDITIONS.values())
