"""FEED_DATA is read by the server's own order of fields, and as a whole or not at all."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.errors import InputError
from gexterm.feeds.dxlink.compact import (
    FIELDS,
    PRINT,
    QUOTE,
    SUMMARY,
    TRADE,
    Layout,
    floats,
    whole,
)

ROW = (".SPXW251121C6600", 1.5, 1.6, 3.0, 4.0, 0, 0)
NAMED = dict(zip(FIELDS[QUOTE], ROW, strict=True))


def layout(**orders: list[str]) -> Layout:
    made = Layout()
    made.configure(orders)
    return made


def test_values_are_taken_by_the_order_in_force_and_not_by_the_one_asked_for() -> None:
    order = ["eventType", "askPrice", "eventSymbol", "bidPrice"]
    decoded = layout(Quote=order).decode(
        ["Quote", ["Quote", 1.6, "A", 1.5, "Quote", 2.6, "B", 2.5]]
    )
    assert decoded == [
        (QUOTE, ["A", 1.5, 1.6, None, None, None, None, "B", 2.5, 2.6, None, None, None, None])
    ]


def test_a_new_order_in_mid_stream_is_obeyed_from_then_on() -> None:
    made = layout(Trade=list(FIELDS[TRADE]))
    assert made.decode(["Trade", ["A", 1.0, 5, 10.0]]) == [(TRADE, ["A", 1.0, 5, 10.0])]
    made.configure({"Trade": ["dayVolume", "eventSymbol", "time", "price"]})
    assert made.decode(["Trade", [10.0, "A", 5, 1.0]]) == [(TRADE, ["A", 1.0, 5, 10.0])]


@settings(max_examples=60)
@given(st.permutations(FIELDS[QUOTE]), st.lists(st.floats(0, 1e6), max_size=5))
def test_any_order_of_fields_gives_the_same_rows(order: list[str], bids: list[float]) -> None:
    events = [NAMED | {"eventSymbol": f"S{n}", "bidPrice": bid} for n, bid in enumerate(bids)]
    values = [event[field] for event in events for field in order]
    compact = layout(Quote=order).decode(["Quote", values])
    plain = [event[field] for event in events for field in FIELDS[QUOTE]]
    assert compact == [(QUOTE, plain)]


def test_several_types_may_share_a_frame() -> None:
    made = layout(Trade=["eventSymbol", "price"], Summary=["eventSymbol", "openInterest"])
    decoded = made.decode(["Trade", ["A", 1.0], "Summary", ["A", 7, "B", 8], "Trade", ["B", 2.0]])
    assert [kind for kind, _ in decoded] == [TRADE, SUMMARY, TRADE]
    assert decoded[1][1] == ["A", 7, None, "B", 8, None]


def test_full_events_say_the_same_as_compact_ones_and_may_omit_fields() -> None:
    full = Layout().decode(
        [
            {"eventType": "Quote", "eventSymbol": "A", "bidPrice": 1.5},
            NAMED | {"eventType": "Quote"},
        ]
    )
    assert full == [(QUOTE, ["A", 1.5, None, None, None, None, None, *ROW])]


def test_event_types_nobody_asked_for_are_passed_over() -> None:
    assert Layout().decode(["Message", ["x", "y", "z"], "Profile", [1]]) == []
    assert Layout().decode([{"eventType": "Configuration", "eventSymbol": "A"}]) == []


@pytest.mark.parametrize(
    "data",
    [
        ["Quote", [*ROW, "one too many"]],
        ["Quote", list(ROW), "Trade"],
        ["Quote", {"eventSymbol": "A"}],
        [list(ROW), "Quote"],
        ["Trade", [7, 1.0, 5, 10.0]],
        ["Trade", [["A"], 1.0, 5, 10.0]],
        [{"eventSymbol": "A"}],
        [{"eventType": "Trade", "eventSymbol": 7}],
        [{"eventType": "Quote", "eventSymbol": "A"}, "Quote"],
    ],
)
def test_a_frame_that_does_not_add_up_is_refused_whole(data: list[object]) -> None:
    made = layout(**{kind: list(fields) for kind, fields in FIELDS.items()})
    with pytest.raises(InputError):
        made.decode(data)


def test_data_before_any_order_is_refused() -> None:
    with pytest.raises(InputError, match="FEED_CONFIG"):
        Layout().decode(["Quote", list(ROW)])


@pytest.mark.parametrize(
    "fields",
    [7, {"Quote": []}, {"Quote": [1]}, {"Quote": ["bidPrice"]}, {"Quote": ["eventSymbol"] * 2}],
)
def test_an_order_that_is_none_changes_nothing(fields: object) -> None:
    made = layout(Quote=list(FIELDS[QUOTE]))
    with pytest.raises(InputError):
        made.configure(fields)
    assert made.decode(["Quote", list(ROW)]) == [(QUOTE, list(ROW))]


def test_fields_the_server_withholds_are_named() -> None:
    made = layout(TimeAndSale=[f for f in FIELDS[PRINT] if f not in ("bidPrice", "askPrice")])
    assert made.missing(PRINT) == ["bidPrice", "askPrice"]


def test_numbers_may_be_words_or_absent() -> None:
    assert floats([1, 2.5, "Infinity", "-Infinity"]).tolist() == [1.0, 2.5, math.inf, -math.inf]
    for nothing in ("NaN", None, "abc", {}, [1.0], [[1.0]], 10**400):
        column = floats([1.0, nothing, 2.0])
        assert column[[0, 2]].tolist() == [1.0, 2.0]
        assert math.isnan(column[1])


def test_integers_may_come_with_an_exponent_but_never_with_lost_digits() -> None:
    assert whole(1.3743299e7) == 13_743_299
    assert whole(7411234567890123456) == 7411234567890123456
    assert [whole(bad) for bad in (7.411234567890123e18, -1, "7", None, math.nan, 2**64)] == [
        -1
    ] * 6
