"""What Tradier says, read: quotes, prints, and numbers that are none."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.clock import NS
from gexterm.dealers.signer import Signer
from gexterm.errors import InputError
from gexterm.feeds.protocol import Answer
from gexterm.feeds.secrets import Secret
from gexterm.feeds.tradier.protocol import TradierProtocol
from gexterm.market.events import (
    CANCEL,
    CORRECTION,
    NEW,
    Definitions,
    SourceInfo,
    Trades,
    UnderlyingPrice,
)
from tests.feeds.tradier.talk import CALL, MS, OPEN, Talk, ok
from tests.shared_data import shared
from tests.venues.tradier import TOKEN, quote, timesale


def test_a_quote_is_read_and_dated_by_its_later_side() -> None:
    talk = Talk().open()
    said = quote(CALL, 10.0, 10.4, MS + 1500, biddate=str(MS + 1234))
    quotes = talk.quotes(said, recv=OPEN + 2 * NS)
    assert quotes.contract.tolist() == [talk.index(CALL)]
    assert (quotes.bid[0], quotes.ask[0]) == (10.0, 10.4)
    assert (quotes.bid_size[0], quotes.ask_size[0]) == (11.0, 12.0)
    assert quotes.ts[0] == (MS + 1500) * 1_000_000


@given(st.integers(-5_000, 5_000))
def test_a_time_in_whole_seconds_is_somewhere_in_that_second(late_ms: int) -> None:
    talk = Talk().open()
    recv = OPEN + late_ms * 1_000_000
    [ts] = talk.quotes(quote(CALL, 10.0, 10.4, MS), recv=recv).ts.tolist()
    assert OPEN <= ts < OPEN + NS
    assert ts == min(max(recv, OPEN), OPEN + 999_000_000)


def test_only_the_newest_quote_counts_unless_a_print_came_between() -> None:
    talk = Talk().open()
    only = talk.quotes(quote(CALL, 1.0, 2.0, MS + 1), quote(CALL, 3.0, 4.0, MS + 2))
    assert only.bid.tolist() == [3.0]
    both = talk.quotes(
        quote(CALL, 5.0, 6.0, MS + 3),
        timesale(CALL, 5.5, 1, MS + 4, seq=1),
        quote(CALL, 7.0, 8.0, MS + 5),
    )
    assert both.bid.tolist() == [5.0, 7.0]


@pytest.mark.parametrize(
    ("field", "value", "column", "wanted"),
    [
        ("bid", 0, "bid", 0.0),
        ("bid", None, "bid", np.nan),
        ("bid", "NaN", "bid", np.nan),
        ("bid", -1, "bid", np.nan),
        ("bid", "Infinity", "bid", np.nan),
        ("bid", "10.25", "bid", 10.25),
        ("ask", 0, "ask", np.nan),
        ("ask", 1e12, "ask", np.nan),
        ("bidsz", "17", "bid_size", 17.0),
        ("asksz", -4, "ask_size", np.nan),
    ],
)
def test_a_number_that_is_none_is_not_given(
    field: str, value: object, column: str, wanted: float
) -> None:
    talk = Talk().open()
    quotes = talk.quotes(quote(CALL, 10.0, 10.4, MS) | {field: value})
    np.testing.assert_array_equal(getattr(quotes, column), [wanted])


def test_a_quote_without_a_time_is_dated_to_when_it_came() -> None:
    talk = Talk().open()
    for nothing in ({"biddate": None, "askdate": None}, {"biddate": "0", "askdate": "-5"}):
        said = quote(CALL, 1.0, 2.0, MS) | nothing
        assert talk.quotes(said, recv=OPEN + 77).ts.tolist() == [OPEN + 77]


def test_a_print_is_read_with_the_quote_it_was_made_against() -> None:
    talk = Talk().open()
    trades = talk.trades(timesale(CALL, 10.4, 3, MS + 7, seq=41, bid=10.0, ask=10.4))
    assert trades.contract.tolist() == [talk.index(CALL)]
    assert (trades.price[0], trades.size[0], trades.bid[0], trades.ask[0]) == (
        10.4, 3.0, 10.0, 10.4,
    )  # fmt: skip
    assert trades.ts.tolist() == [(MS + 7) * 1_000_000]
    assert (trades.side[0], trades.condition[0], trades.action[0]) == (0, -1, NEW)


def signer(talk: Talk) -> Signer:
    """What the engine makes of a session that begins like this one."""
    [source] = [event for event in talk.events if isinstance(event, SourceInfo)]
    made = Signer(conditions=source.conditions, venue_side=source.venue_side)
    contracts = [c for e in talk.events if isinstance(e, Definitions) for c in e.contracts]
    made.define(len(contracts), contracts)
    return made


@pytest.mark.parametrize(("price", "sold"), [(10.4, True), (10.0, False)])
def test_a_print_at_the_offer_is_a_dealers_sale(price: float, sold: bool) -> None:
    talk = Talk().open()
    made = signer(talk)
    made.trades(talk.trades(timesale(CALL, price, 3, MS, seq=1, bid=10.0, ask=10.4)))
    made.settle()
    assert (float(made.tape.p_buy[0]) < 0.5) is sold


def test_trade_and_timesale_of_one_print_are_counted_once() -> None:
    talk = Talk().open()
    both = (
        {"type": "trade", "symbol": CALL, "exch": "C", "price": "10.4", "size": "3",
         "cvol": "9", "date": str(MS), "last": "10.4"},
        timesale(CALL, 10.4, 3, MS, seq=1),
    )  # fmt: skip
    assert talk.trades(*both).size.tolist() == [3.0]


def test_two_prints_alike_are_two_and_a_print_sent_twice_has_one_number() -> None:
    talk = Talk().open()
    trades = talk.trades(*(timesale(CALL, 10.4, 3, MS, seq=seq) for seq in (1, 2, 2)))
    first, second, again = trades.sequence.tolist()
    assert first != second and second == again


def test_a_number_used_on_another_day_is_another_number() -> None:
    talk = Talk().open()
    day = 86_400_000
    trades = talk.trades(timesale(CALL, 1.0, 1, MS, 5), timesale(CALL, 1.0, 1, MS + day, 5))
    assert trades.sequence[0] != trades.sequence[1]
    assert (trades.sequence >= 0).all()


def test_a_print_without_a_number_has_none() -> None:
    talk = Talk().open()
    said = timesale(CALL, 10.4, 3, MS, seq=1)
    for seq in (None, -1, 1 << 50):
        assert talk.trades(said | {"seq": seq}).sequence.tolist() == [-1]


def test_cancels_and_corrections_are_no_prints_and_are_told() -> None:
    talk = Talk().open()
    trades = talk.trades(
        timesale(CALL, 10.4, 3, MS, seq=1),
        timesale(CALL, 10.4, 3, MS + 1, seq=2, cancel=True),
        timesale(CALL, 10.3, 3, MS + 2, seq=1, correction=True),
    )
    assert trades.action.tolist() == [NEW, CANCEL, CORRECTION]
    assert "2 cancels and corrections" in talk.protocol.account.notes["undone"]


@pytest.mark.parametrize("cancelled_as", [1, 2])
def test_a_cancel_takes_its_print_back_whatever_number_it_has(cancelled_as: int) -> None:
    talk = Talk().open()
    made = signer(talk)
    made.trades(talk.trades(timesale(CALL, 10.4, 3, MS, seq=1)))
    assert len(made.tape.live()) == 1
    said = timesale(CALL, 10.4, 3, MS + 5, seq=cancelled_as, cancel=True)
    made.trades(talk.trades(said))
    made.settle()
    assert len(made.tape.live()) == 0


@pytest.mark.parametrize(
    "nothing", [{"last": "0"}, {"size": "0"}, {"last": "NaN"}, {"size": None}, {"last": "-1"}]
)
def test_an_event_without_price_or_size_is_no_print_and_is_counted(nothing: Any) -> None:
    talk = Talk().open()
    events = talk.say(timesale(CALL, 10.4, 3, MS, seq=1) | nothing)
    assert not any(isinstance(event, Trades) for event in events)
    assert "1 time-and-sale events" in talk.protocol.account.notes["odd"]


def test_flags_are_told_and_never_taken_for_conditions() -> None:
    talk = Talk().open()
    trades = talk.trades(timesale(CALL, 10.4, 3, MS, seq=1, flag="I"))
    assert trades.condition.tolist() == [-1]
    assert "'I' (1)" in talk.protocol.account.notes["conditions"]
    for i in range(100):
        talk.say(timesale(CALL, 10.4, 3, MS, seq=1, flag=f"x{i}"))
    assert len(talk.protocol.account.notes["conditions"]) < 500


def test_real_frames_are_read() -> None:
    lines = shared("feeds/tradier/tradier_real.jsonl").read_bytes().splitlines()
    assert len(lines) == 4
    protocol = TradierProtocol("SPY", Secret(TOKEN))
    for line in lines:
        assert protocol.receive(line + b"\n", 1609447719 * NS) == []
    events = protocol.flush()
    [spot] = [event for event in events if isinstance(event, UnderlyingPrice)]
    assert spot.price == pytest.approx(373.445)
    assert 1609447718 * NS < spot.ts < 1609447719 * NS
    # The same with a contract of the kind, since no real frame of an option could be had.
    talk = Talk().open()
    said = lines[2].replace(b'"QQQ"', f'"{CALL}"'.encode())
    talk.protocol.receive(said, OPEN)
    [trades] = [event for event in talk.protocol.flush() if isinstance(event, Trades)]
    assert (trades.price[0], trades.size[0]) == (313.06, 110.0)
    assert (trades.bid[0], trades.ask[0]) == (313.06, 313.07)
    assert trades.ts[0] == 1609447718210 * 1_000_000


def test_the_age_of_an_index_value_is_told_by_the_servers_clock() -> None:
    protocol = TradierProtocol("SPX", Secret(TOKEN))
    said = ok("quote", {"quotes": {"quote": {"symbol": "SPX", "last": 6600.0, "trade_date": MS}}})
    date = {"date": "Thu, 20 Nov 2025 15:00:01 GMT"}
    late = Answer("quote", 200, date, said.body, OPEN + 600 * NS)
    protocol.answer(late)
    assert any(isinstance(event, UnderlyingPrice) for event in protocol.flush())
    assert "spot" not in protocol.account.notes


def test_a_broken_line_is_reported_and_the_others_of_its_frame_are_read() -> None:
    talk = Talk().open()
    good = json.dumps(timesale(CALL, 10.4, 3, MS, seq=1))
    frame = f'{good}\n{{"type":"quote","symbol":"{CALL}","bid":"abc"}}\n{good}\n'.encode()
    with pytest.raises(InputError, match="a line of"):
        talk.protocol.receive(frame, OPEN)
    [trades] = [event for event in talk.protocol.flush() if isinstance(event, Trades)]
    assert len(trades.size) == 2


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_no_bytes_whatsoever_break_it(frame: bytes) -> None:
    protocol = TradierProtocol("SPX", Secret(TOKEN))
    try:
        assert protocol.receive(frame, OPEN) == []
    except InputError as error:
        assert "\n" not in str(error)
    protocol.flush()
