"""A TimeAndSale event becomes one print, or takes one back, or is none."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.dealers.conditions import ConditionClass, classes
from gexterm.feeds.dxlink.compact import FIELDS, PRINT
from gexterm.feeds.dxlink.prints import Prints, condition, index_of
from gexterm.market.events import CANCEL, CORRECTION, NEW, Trades

C = ConditionClass
SYMBOL = ".SPXW251121C6600"
TIME = 1_763_740_000_123
EVENT: dict[str, Any] = {
    "eventSymbol": SYMBOL,
    "eventFlags": 0,
    "index": index_of(TIME, 7),
    "time": TIME,
    "timeNanoPart": 456_789,
    "sequence": 7,
    "price": 10.5,
    "size": 3.0,
    "bidPrice": 10.0,
    "askPrice": 10.5,
    "exchangeSaleConditions": "I",
    "aggressorSide": "BUY",
    "spreadLeg": False,
    "extendedTradingHours": False,
    "validTick": True,
    "type": "NEW",
}
RECV = 1_763_740_001_000_000_000


def taken(*events: dict[str, Any]) -> tuple[Prints, Trades | None]:
    prints = Prints()
    values = [(EVENT | event).get(field) for event in events for field in FIELDS[PRINT]]
    prints.take_in({SYMBOL: 4}, values, RECV)
    found = prints.flush()
    assert prints.flush() == []
    return prints, found[0] if found else None


def one(**event: Any) -> Trades:
    trades = taken(event)[1]
    assert trades is not None
    assert len(trades.contract) == 1
    return trades


def kind(sale: str | None, *, leg: bool = False, extended: bool = False, valid: bool = True) -> int:
    code, _ = condition(sale or "", leg=leg, extended=extended, valid=valid)
    return int(classes(np.array([code], np.int16), "dxfeed")[0])


def test_a_print_carries_the_quote_at_which_it_was_made() -> None:
    trades = one()
    assert trades.contract.tolist() == [4]
    assert (trades.price[0], trades.size[0]) == (10.5, 3.0)
    assert (trades.bid[0], trades.ask[0]) == (10.0, 10.5)
    assert trades.ts[0] == TIME * 1_000_000 + 456_789
    assert trades.side[0] == 1
    assert trades.condition[0] == ord("I")
    assert trades.sequence[0] == EVENT["index"]
    assert (trades.action[0], trades.refers[0]) == (NEW, -1)


@pytest.mark.parametrize(
    ("aggressor", "side"), [("BUY", 1), ("SELL", -1), ("UNDEFINED", 0), (None, 0), (7, 0), ([], 0)]
)
def test_the_aggressor_is_passed_on_where_there_is_one(aggressor: object, side: int) -> None:
    assert one(aggressorSide=aggressor).side[0] == side


@pytest.mark.parametrize(("word", "action"), [("CORRECTION", CORRECTION), ("CANCEL", CANCEL)])
def test_a_correction_and_a_cancel_mean_the_print_of_their_index(word: str, action: int) -> None:
    trades = one(type=word)
    assert trades.action[0] == action
    assert trades.refers[0] == trades.sequence[0] == EVENT["index"]


def test_a_cancel_needs_no_price() -> None:
    trades = one(type="CANCEL", price="NaN", size="NaN")
    assert trades.action[0] == CANCEL
    assert math.isnan(trades.price[0])


def test_an_index_taken_from_a_snapshot_is_taken_back() -> None:
    assert one(eventFlags=2).action[0] == CANCEL


def test_the_end_of_an_empty_snapshot_is_no_print() -> None:
    empty = dict.fromkeys(EVENT) | {"eventSymbol": SYMBOL, "eventFlags": 2 | 4 | 8, "index": 0}
    prints, trades = taken(empty)
    assert trades is None
    assert prints.refused == 0


@pytest.mark.parametrize(
    "bad",
    [
        {"price": "NaN"},
        {"price": 0.0},
        {"price": -1.0},
        {"price": "Infinity"},
        {"size": 0.0},
        {"size": "NaN"},
        {"size": "Infinity"},
        {"type": "SOMETHING"},
        {"type": 3},
    ],
)
def test_what_has_no_price_or_size_is_no_print_and_is_counted(bad: dict[str, Any]) -> None:
    prints, trades = taken(bad)
    assert trades is None
    assert prints.refused == 1


def test_prints_of_contracts_nobody_defined_are_passed_over() -> None:
    prints, trades = taken({"eventSymbol": ".SPXW251121C9999"})
    assert (trades, prints.refused) == (None, 0)


def test_a_zero_bid_is_a_bid_and_nonsense_is_none() -> None:
    assert one(bidPrice=0.0).bid[0] == 0.0
    assert math.isnan(one(bidPrice=-1.0).bid[0])
    assert math.isnan(one(askPrice="NaN").ask[0])


def test_a_print_without_a_time_is_dated_to_its_receipt() -> None:
    assert one(time=0).ts[0] == RECV


@settings(max_examples=50)
@given(st.integers(1, 2**31 * 1000 - 1), st.integers(0, 2**22 - 1))
def test_an_index_that_lost_its_last_digits_is_made_again(ms: int, sequence: int) -> None:
    whole = index_of(ms, sequence)
    assert whole >> 32 == ms // 1000
    rounded = one(index=float(2**61), time=ms, sequence=sequence)
    assert rounded.sequence[0] == whole


def test_prints_come_out_by_time() -> None:
    later, earlier = {"time": TIME + 5, "index": 9}, {"time": TIME - 5, "index": 8}
    trades = taken(later, earlier)[1]
    assert trades is not None
    assert trades.sequence.tolist() == [8, 9]


def test_a_letter_of_opra_is_itself() -> None:
    assert kind("I") == C.REGULAR
    assert kind(" ") == C.REGULAR
    assert kind("S") == C.SWEEP
    assert kind("a") == C.AUCTION
    assert kind("f") == C.MULTI_ELECTRONIC
    assert kind("D") == C.LATE
    assert kind("u") == C.COMPRESSION


def test_no_condition_is_not_a_regular_one() -> None:
    assert kind("") == C.ABSENT


def test_more_than_a_letter_is_not_understood_and_never_signed() -> None:
    assert kind("@ TI") == C.UNKNOWN
    assert kind("é") == C.UNKNOWN
    prints, _ = taken({"exchangeSaleConditions": "@ TI"}, {"exchangeSaleConditions": "@ TI"})
    assert prints.odd == {"sale condition '@ TI'": 2}


@pytest.mark.parametrize(
    ("sale", "package"),
    [
        ("", C.MULTI_ELECTRONIC),
        ("I", C.MULTI_ELECTRONIC),
        ("a", C.MULTI_AUCTION),
        ("c", C.MULTI_CROSS),
        ("e", C.MULTI_FLOOR),
        ("j", C.MULTI_VS_SINGLE),
        ("n", C.STOCK_TIED),
        ("D", C.LATE),
        ("XY", C.MULTI_ELECTRONIC),
    ],
)
def test_a_leg_of_a_spread_is_a_package_whatever_its_letter(sale: str, package: int) -> None:
    assert kind(sale, leg=True) == package


def test_a_tick_that_is_not_valid_is_not_judged_by_its_price() -> None:
    assert kind("I", valid=False) == C.UNKNOWN
    assert kind("", valid=False) == C.UNKNOWN
    assert kind("e", valid=False) == C.FLOOR


def test_extended_hours_are_said() -> None:
    assert kind("I", extended=True) == C.EXTENDED
    assert kind("f", extended=True) == C.MULTI_ELECTRONIC


@settings(max_examples=200)
@given(
    st.fixed_dictionaries(
        {
            field: st.one_of(
                st.none(),
                st.booleans(),
                st.integers(),
                st.floats(),
                st.text(max_size=4),
                st.just([]),
            )
            for field in FIELDS[PRINT][1:]
        }
    )
)
def test_no_value_of_any_kind_makes_it_fail_or_lie(event: dict[str, Any]) -> None:
    _, trades = taken(event)
    if trades is not None:
        new = trades.action == NEW
        assert (trades.price[new] > 0.0).all()
        assert (trades.size[new] > 0.0).all()
        assert np.isfinite(trades.size[new]).all()
        assert not (trades.bid < 0.0).any()
        assert (trades.ts > 0).all()


_ORDINARY = st.fixed_dictionaries(
    {
        "index": st.integers(1, 2**62),
        "time": st.integers(1, 2**42),
        "timeNanoPart": st.integers(0, 999_999),
        "price": st.floats(0.01, 1e4),
        "size": st.integers(1, 500),
        "bidPrice": st.one_of(st.floats(-1.0, 1e4), st.just("NaN"), st.none()),
        "askPrice": st.one_of(st.floats(0.0, 1e12), st.just("Infinity")),
        "exchangeSaleConditions": st.sampled_from(["", " ", "I", "f", "e", "D", "XY", "?"]),
        "aggressorSide": st.sampled_from(["BUY", "SELL", "UNDEFINED", None]),
        "spreadLeg": st.booleans(),
        "extendedTradingHours": st.booleans(),
        "validTick": st.booleans(),
    }
)


@settings(max_examples=100)
@given(st.lists(_ORDINARY, min_size=1, max_size=6))
def test_prints_read_together_are_those_read_one_by_one(events: list[dict[str, Any]]) -> None:
    together, all_at_once = taken(*events)
    # One event that nothing can be made of has them all read singly.
    singly, one_by_one = taken(*events, {"price": "NaN"})
    assert (together.refused, singly.refused) == (0, 1)
    assert together.odd == singly.odd
    assert all_at_once is not None
    assert one_by_one is not None
    for column in Trades.__slots__:
        np.testing.assert_array_equal(getattr(all_at_once, column), getattr(one_by_one, column))
