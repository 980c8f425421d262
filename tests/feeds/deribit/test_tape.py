"""Every print is told once, however it was lost; what cannot be had is counted."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.errors import InputError
from gexterm.feeds.deribit.tape import session_begin
from gexterm.feeds.venue import FeedOptions
from gexterm.market.calendar import et
from gexterm.market.events import Quotes, Trades
from tests.feeds.deribit.talk import CALL, NOON, PUT, Talk, market, truth
from tests.venues.deribit import DAY_MS, RpcError, Silence

HOUR = 3_600_000


def test_who_joins_at_noon_hears_the_prints_since_midnight_in_new_york_oldest_first() -> None:
    exchange = market()
    exchange.now_ms = NOON - 13 * HOUR
    exchange.trade(CALL, 0.02, 1.0, "buy")  # yesterday, 23:00
    for _ in range(12):
        exchange.now_ms += HOUR
        exchange.trade(CALL, 0.02, 1.0, "buy")
        exchange.trade(PUT, 0.02, 1.0, "sell")
    exchange.now_ms = NOON
    talk = Talk(exchange)
    talk.open()
    exchange.trade(CALL, 0.021, 9.0, "buy")
    talk.settle()
    midnight = session_begin(NOON * 1_000_000)
    assert f"{et(midnight):%d %H:%M}" == "16 00:00"
    assert talk.numbers() == truth(exchange, midnight // 1_000_000)
    times = [row[5] for row in talk.prints()]
    assert times == sorted(times) and len(times) == 25
    account = talk.protocol.account
    assert account.heard_from == midnight
    assert (account.refilled, account.gaps) == (24, 0)
    # The tape comes before any quote, whose time would make it late.
    kinds = [type(event) for event in talk.events if isinstance(event, Trades | Quotes)]
    assert kinds[0] is Trades and kinds[1] is Quotes


@pytest.mark.parametrize(("back_fill_s", "heard"), [(3600.0, 2), (0.0, 0), (1e9, 13)])
def test_no_further_back_than_the_user_wants(back_fill_s: float, heard: int) -> None:
    exchange = market()
    exchange.now_ms = NOON - 30 * HOUR
    for _ in range(31):
        exchange.trade(CALL, 0.02, 1.0, "buy")
        exchange.now_ms += HOUR
    exchange.now_ms = NOON
    talk = Talk(exchange, options=FeedOptions(back_fill_s=back_fill_s))
    talk.open()
    talk.settle()
    assert len(talk.numbers()) == heard
    expected = max(NOON - back_fill_s * 1000, session_begin(NOON * 1_000_000) // 1_000_000)
    assert talk.protocol.account.heard_from // 1_000_000 == pytest.approx(expected, abs=2000)


@pytest.mark.parametrize("skew_ms", [-300_000, 300_000])
def test_a_clock_that_is_wrong_by_minutes_loses_no_print(skew_ms: int) -> None:
    exchange = market()
    exchange.trade(CALL, 0.02, 1.0, "buy")
    exchange.now_ms += 1000
    talk = Talk(exchange, options=FeedOptions(back_fill_s=3600.0), skew_ms=skew_ms)
    talk.open()
    exchange.trade(CALL, 0.02, 1.0, "buy")
    exchange.lose = 1
    exchange.trade(CALL, 0.02, 1.0, "buy")
    talk.settle(130)
    assert sorted(talk.numbers()) == truth(exchange)


@pytest.mark.parametrize(("jump_ms", "within_s"), [(600_000, 130), (-600_000, 750)])
def test_a_clock_that_is_set_while_we_listen_loses_no_print(jump_ms: int, within_s: int) -> None:
    exchange = market()
    talk = Talk(exchange)
    talk.open()
    talk.settle(50)
    talk.skew_ms = jump_ms
    talk.settle(70)
    exchange.lose = 1
    exchange.trade(CALL, 0.02, 1.0, "buy")
    talk.settle(within_s)
    assert talk.numbers() == truth(exchange)
    talk.cut()
    exchange.trade(CALL, 0.02, 1.0, "buy")
    exchange.now_ms += 5000
    talk.open()
    talk.settle(5)
    assert talk.numbers() == truth(exchange)


def test_a_long_history_comes_page_by_page() -> None:
    exchange = market()
    exchange.now_ms = NOON - 6 * HOUR
    for n in range(2600):
        exchange._print(CALL if n % 3 else PUT, 0.02, 1.0, "buy")
        exchange.now_ms += 1000
    exchange.now_ms = NOON
    talk = Talk(exchange)
    talk.open()
    talk.settle()
    assert talk.numbers() == truth(exchange)
    pages = [c for c in talk.session.calls if c["method"].endswith("currency_and_time")]
    assert len(pages) == 3


def test_a_page_full_of_one_millisecond_is_not_the_end() -> None:
    exchange = market()
    exchange.trade(CALL, 0.02, 1.0, "buy")
    for _ in range(2500):
        exchange._print(CALL, 0.02, 1.0, "buy")
    exchange.now_ms += 5000
    exchange._print(CALL, 0.02, 1.0, "buy")
    exchange.now_ms += 5000
    talk = Talk(exchange)
    talk.open()
    talk.settle(20)
    assert sorted(talk.numbers()) == truth(exchange)
    assert talk.protocol.account.gaps == 0


def test_a_lost_print_is_proved_by_its_successor_and_fetched() -> None:
    exchange = market()
    talk = Talk(exchange)
    talk.open()
    exchange.trade(CALL, 0.02, 1.0, "buy")
    exchange.lose = 2
    exchange.trade(CALL, 0.02, 2.0, "sell")
    exchange.trade(CALL, 0.02, 3.0, "buy", combo_id="BTC-CS")
    exchange.trade(CALL, 0.02, 4.0, "buy")
    talk.settle(4)
    assert sorted(talk.numbers()) == truth(exchange)
    assert talk.protocol.account.refilled == 2 and talk.protocol.account.gaps == 0
    asked = [c["params"] for c in talk.session.calls if c["method"].endswith("by_instrument")]
    assert [(p["start_seq"], p["end_seq"]) for p in asked] == [(2, 3)]


def test_a_print_lost_without_successor_turns_up_within_two_minutes() -> None:
    exchange = market()
    talk = Talk(exchange)
    talk.open()
    talk.settle()
    exchange.lose = 1
    exchange.trade(PUT, 0.02, 1.0, "sell")
    talk.settle(5)
    assert talk.numbers() == []
    talk.settle(120)
    assert talk.numbers() == truth(exchange)


def test_a_print_that_cannot_be_had_any_more_is_a_gap_and_says_so() -> None:
    exchange = market()
    talk = Talk(exchange)
    talk.open()
    talk.settle()
    exchange.forgets = True
    exchange.trade(CALL, 0.02, 1.0, "buy")
    exchange.lose = 3
    for _ in range(3):
        exchange.trade(CALL, 0.02, 1.0, "buy")
    exchange.tape[-3:] = [{**t, "timestamp": 1} for t in exchange.tape[-3:]]
    exchange.trade(CALL, 0.02, 1.0, "buy")
    talk.settle(30)
    account = talk.protocol.account
    assert talk.numbers() == [(CALL, 1), (CALL, 5)]
    assert account.gaps == 3
    assert "3 print(s) are missing for good" in account.notes["gaps"]
    talk.settle(30)
    assert account.gaps == 3


def test_what_was_printed_while_the_line_was_down_is_fetched_before_anything_live() -> None:
    exchange = market()
    talk = Talk(exchange)
    talk.open()
    exchange.trade(CALL, 0.02, 1.0, "buy")
    talk.settle()
    talk.cut()
    exchange.trade(CALL, 0.02, 2.0, "buy")
    exchange.trade(PUT, 0.02, 3.0, "sell")
    exchange.now_ms += 400_000
    talk.open()
    exchange.trade(CALL, 0.02, 4.0, "buy")
    talk.settle()
    assert [row[3] for row in talk.prints()] == [1.0, 2.0, 3.0, 4.0]
    account = talk.protocol.account
    assert account.heard_from == session_begin(NOON * 1_000_000)
    assert account.refilled == 2


def test_a_day_away_is_said_since_the_venue_forgets_after_24_hours() -> None:
    exchange = market()
    talk = Talk(exchange)
    talk.open()
    talk.settle()
    talk.cut()
    exchange.now_ms += 2 * HOUR
    exchange.trade(CALL, 0.02, 1.0, "buy")
    exchange.now_ms += DAY_MS
    exchange.trade(PUT, 0.02, 1.0, "buy")
    exchange.now_ms += 1000
    talk.open()
    talk.settle()
    account = talk.protocol.account
    assert talk.numbers() == [(PUT, 1)]
    assert "not to be had" in account.notes["hole"]
    assert account.heard_from == pytest.approx((exchange.now_ms - DAY_MS) * 1e6, abs=120e9)


@pytest.mark.parametrize("trouble", [RpcError(-32601, "Method not found"), Silence()])
def test_history_that_is_not_to_be_had_is_said_tried_again_and_holds_nothing_up(
    trouble: Exception,
) -> None:
    exchange = market()
    exchange.trade(CALL, 0.02, 1.0, "buy")
    exchange.now_ms += 10_000
    exchange.fails["public/get_last_trades_by_currency_and_time"] = [trouble] * 4
    talk = Talk(exchange)
    talk.open()
    exchange.trade(PUT, 0.02, 2.0, "buy")
    for _ in range(61):
        talk.settle()
        if said := talk.protocol.account.notes.get("history"):
            break
    assert "asking again" in said
    assert (PUT, 1) in talk.numbers() and talk.quotes()
    talk.settle(400)
    assert sorted(talk.numbers()) == sorted(truth(exchange))
    assert "history" not in talk.protocol.account.notes
    assert talk.protocol.account.heard_from == session_begin(NOON * 1_000_000)


def test_quotes_and_live_prints_wait_for_the_prints_before_them() -> None:
    exchange = market()
    exchange.trade(CALL, 0.02, 1.0, "buy")
    exchange.now_ms += 10_000
    exchange.fails["public/get_last_trades_by_currency_and_time"] = [Silence()]
    talk = Talk(exchange)
    talk.open()
    exchange.trade(PUT, 0.02, 2.0, "buy")
    talk.settle(5)
    assert not talk.quotes() and not talk.numbers()
    talk.settle(10)
    told = [event for event in talk.events if isinstance(event, Trades | Quotes)]
    assert [type(event) for event in told[:2]] == [Trades, Quotes]
    assert talk.numbers() == [(CALL, 1), (PUT, 1)]


def test_they_wait_for_a_minute_at_most() -> None:
    exchange = market()
    exchange.fails["public/get_book_summary_by_currency"] = [Silence()] * 4
    exchange.fails["public/get_last_trades_by_currency_and_time"] = [Silence()] * 9
    talk = Talk(exchange)
    talk.open()
    exchange.trade(PUT, 0.02, 2.0, "buy")
    talk.settle(59)
    assert not talk.quotes()
    talk.settle(2)
    assert talk.quotes() and talk.numbers() == [(PUT, 1)]
    assert "slow to come" in talk.protocol.account.notes["history"]


def test_an_answer_that_makes_no_sense_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = market()
    exchange.trade(CALL, 0.02, 1.0, "buy")
    exchange.now_ms += 10_000
    right, asked = exchange.public, []

    def once_wrong(method: str, params: dict) -> object:
        asked.append(method)
        if method.endswith("and_time") and asked.count(method) == 1:
            return {"trades": [{"price": "?"}]}
        return right(method, params)

    monkeypatch.setattr(exchange, "public", once_wrong)
    talk = Talk(exchange)
    with pytest.raises(InputError):
        talk.open()
    talk.settle(5)
    assert talk.numbers() == [(CALL, 1)] and talk.quotes()


def test_a_gap_of_thousands_is_filled_part_by_part() -> None:
    exchange = market()
    talk = Talk(exchange)
    talk.open()
    talk.settle()
    exchange.trade(CALL, 0.02, 1.0, "buy")
    for _ in range(3500):
        exchange._print(CALL, 0.02, 1.0, "buy")
    exchange.trade(CALL, 0.02, 1.0, "buy")
    talk.settle(25)
    assert sorted(talk.numbers()) == truth(exchange)
    assert talk.protocol.account.gaps == 0


STEP = st.one_of(
    st.tuples(st.just("print"), st.sampled_from([CALL, PUT])),
    st.tuples(st.just("lose"), st.sampled_from([CALL, PUT])),
    st.tuples(st.just("repeat"), st.integers(0, 30)),
    st.tuples(st.just("wait"), st.integers(1, 70)),
    st.tuples(st.just("cut"), st.integers(0, 600)),
)


@given(st.lists(STEP, max_size=25), st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_whatever_is_lost_repeated_or_cut_every_print_is_told_once(
    steps: list[tuple[str, object]], seed: int
) -> None:
    rng = random.Random(seed)

    def any_order(texts: list[str]) -> list[str]:
        rng.shuffle(texts)
        return texts

    exchange = market()
    exchange.trade(CALL, 0.02, 1.0, "buy")
    exchange.now_ms += 3000
    talk = Talk(exchange)
    talk.open()
    for kind, what in steps:
        if kind in ("print", "lose"):
            exchange.lose = int(kind == "lose")
            exchange.trade(str(what), 0.02, 1.0, "buy")
            exchange.lose = 0
        elif kind == "repeat":
            exchange.repeat(exchange.tape[-int(str(what)) :] if what else [])
        elif kind == "wait":
            talk.pump(any_order)
            talk.settle(int(str(what)))
        else:
            talk.cut()
            exchange.trade(PUT, 0.02, 1.0, "sell")
            exchange.now_ms += int(str(what)) * 1000
            talk.open()
    talk.pump(any_order)
    talk.settle(150)
    assert Counter(talk.numbers()) == Counter(truth(exchange))
    assert talk.protocol.account.gaps == 0
