"""What Massive's frames say, and what it is told."""

from __future__ import annotations

import json
import math

import hypothesis.strategies as st
import msgspec
import pytest
from hypothesis import given, settings

from gexterm.dealers.conditions import MAY_SIGN_ALONE, NUMBERINGS, ConditionClass
from gexterm.errors import InputError
from gexterm.feeds.massive import conditions
from gexterm.feeds.massive.conditions import ABSENT, UNKNOWN, deciding
from gexterm.feeds.massive.messages import (
    CHUNK,
    Quote,
    Status,
    Trade,
    decode_frame,
    frames,
    number,
    salvage,
    subscribed,
    whole,
)
from gexterm.feeds.massive.subscriptions import MOST_QUOTES, Subscriptions
from tests.feeds.massive.made import TODAY, quote, symbol, trade

KINDS = NUMBERINGS["massive"].kinds
FIELDS = ("sym", "p", "s", "c", "x", "q", "t", "bp", "ap", "bs", "as")
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


def test_a_frame_mixes_types_and_keeps_their_order() -> None:
    said = json.dumps(
        [quote("O:A", 1.0, 1.5), trade("O:B", c=None), {"ev": "status", "status": "success"}]
    )
    messages = decode_frame(said.encode())
    assert [type(message) for message in messages] == [Quote, Trade, Status]


def test_conditions_may_be_absent_a_number_or_a_list() -> None:
    for c, expected in ((None, ABSENT), (232, 232), ([232], 232), ([], ABSENT)):
        (told,) = decode_frame(json.dumps([trade("O:A", c=c)]).encode())
        assert isinstance(told, Trade) and deciding(told.c) == expected
    (told,) = decode_frame(b'[{"ev":"T","sym":"O:A","p":1,"s":1}]')
    assert isinstance(told, Trade) and told.c is None and told.q == -1


@given(
    events=st.lists(
        st.fixed_dictionaries(
            {"ev": st.sampled_from("QTX")}, optional=dict.fromkeys(FIELDS, json_values)
        ),
        max_size=4,
    )
)
@settings(max_examples=100, deadline=None)
def test_every_event_of_a_frame_is_read_or_named_or_counted(
    events: list[dict[str, object]],
) -> None:
    frame = json.dumps(events).encode()
    messages, unknown, refused = salvage(frame)
    assert len(messages) + len(unknown) + len(refused) == len(events)
    try:
        whole_frame = decode_frame(frame)
    except msgspec.DecodeError:
        return
    assert len(whole_frame) == len(messages)


@given(data=st.binary(max_size=60))
@settings(max_examples=100, deadline=None)
def test_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        salvage(data)
    except InputError:
        return


def test_numbers_are_read_from_text_and_nonsense_is_none() -> None:
    assert number("12.5") == 12.5 and whole("7", 0) == 7
    odds: tuple[object, ...] = (None, True, "NaN", "Infinity", [], {}, "x", 10**400)
    for odd in odds:
        assert math.isnan(number(odd)) and whole(odd, -1) == -1
    assert whole(2.0**70, -5) == -5


def test_a_cancel_is_a_cancel_whatever_else_it_was() -> None:
    for code in (201, 203, 205, 207):
        assert deciding([209, code, 232]) == code
        assert KINDS[code].name.startswith("CANCEL")


def test_of_several_conditions_the_one_decides_that_says_most_against_signing() -> None:
    assert deciding([209, 232]) == 232
    assert deciding([219, 202]) == 202
    assert deciding([238, 244]) == 244
    assert deciding([248, 209]) == 248
    assert deciding([227, 231]) == 231
    assert deciding([247, 999]) == 247


def test_a_number_in_no_table_decides_and_is_kept_to_be_named() -> None:
    assert deciding([209, 250]) == 250
    assert deciding([1 << 40]) == deciding(1 << 40) == UNKNOWN
    assert UNKNOWN not in KINDS and 250 not in KINDS


@given(codes=st.lists(st.sampled_from([*KINDS, 250]), min_size=2, max_size=4))
@settings(max_examples=100, deadline=None)
def test_no_print_is_signed_alone_that_one_of_its_conditions_forbids(codes: list[int]) -> None:
    def signed_alone(code: int) -> bool:
        kind = KINDS.get(code, ConditionClass.UNKNOWN)
        return bool(MAY_SIGN_ALONE[kind])

    if signed_alone(deciding(codes)):
        assert all(signed_alone(c) for c in codes)


def test_every_condition_of_the_venue_has_its_place() -> None:
    assert set(conditions._RANK) - {UNKNOWN} == set(KINDS)


def test_subscriptions_are_sent_in_pieces_and_none_is_lost() -> None:
    symbols = [symbol("SPXW", TODAY, right, k) for k in range(5000, 8000) for right in "CP"]
    pieces = list(frames("subscribe", "T", symbols))
    assert [name for _, chunk in pieces for name in chunk] == symbols
    for frame, chunk in pieces:
        said = json.loads(frame)
        assert said["action"] == "subscribe"
        assert said["params"].split(",") == [f"T.{name}" for name in chunk]
        assert len(frame) <= CHUNK + 100


def test_confirmations_are_read_one_by_one_and_in_lists() -> None:
    assert subscribed("subscribed to: T.O:SPXW251121C06600000") == ["T.O:SPXW251121C06600000"]
    assert subscribed("subscribed to: T.O:A,Q.O:B") == ["T.O:A", "Q.O:B"]
    for other in ("unsubscribed to: T.O:A", "authenticated", "", "error: T.O:A"):
        assert subscribed(other) == []


@given(
    windows=st.lists(st.sets(st.integers(0, 2500), max_size=1400), min_size=1, max_size=4),
)
@settings(max_examples=30, deadline=None)
def test_the_limit_of_quotes_holds_after_every_frame(windows: list[set[int]]) -> None:
    asked = Subscriptions()
    held: set[str] = set()
    for window in windows:
        wanted = [f"O:{n}" for n in sorted(window)]
        for frame in asked.move_quotes(wanted, asked.quotes.difference(wanted)):
            said = json.loads(frame)
            names = set(said["params"].split(","))
            held = held | names if said["action"] == "subscribe" else held - names
            assert len(held) <= MOST_QUOTES
        assert held == {f"Q.{name}" for name in asked.quotes}
        assert asked.quotes <= set(wanted) and len(asked.quotes) == min(len(wanted), MOST_QUOTES)


def test_prints_are_asked_for_in_turns_and_count_as_confirmed_when_all_are() -> None:
    asked = Subscriptions()
    symbols = [symbol("SPXW", TODAY, right, k) for k in range(4000, 9000) for right in "CP"]
    asked.want_prints(symbols)
    turns = 0
    while not asked.prints_sent:
        assert asked.more_prints()
        turns += 1
    assert turns > 1 and asked.prints == set(symbols)
    assert asked.more_prints() == []
    assert not asked.prints_confirmed
    asked.confirm(f"T.{name}" for name in symbols)
    assert asked.prints_confirmed and asked.confirmed == len(symbols)


@pytest.mark.parametrize("name", ["T.O:UNASKED", "Q.O:A", "nonsense"])
def test_a_confirmation_of_what_was_not_asked_counts_for_nothing(name: str) -> None:
    asked = Subscriptions()
    asked.want_prints(["O:A"])
    asked.more_prints()
    asked.confirm([name])
    assert not asked.prints_confirmed
