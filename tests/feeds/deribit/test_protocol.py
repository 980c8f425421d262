"""What Deribit says becomes quotes, prints and open interest, in the order of a session."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from gexterm.errors import ConnectionFailedError, InputError, UsageError
from gexterm.feeds.deribit import DEMO_URL, URL, VENUE, make
from gexterm.feeds.retry import Retry, Stop
from gexterm.feeds.venue import FeedOptions, find_venue
from gexterm.feeds.window import WindowSettings
from gexterm.market.events import (
    Definitions,
    OpenInterest,
    Quotes,
    SourceInfo,
    Trades,
    UnderlyingPrice,
)
from tests.feeds.deribit.talk import CALL, NOON, PUT, Talk, market, truth
from tests.venues.deribit import Exchange, RpcError, Silence


def sent(talk: Talk, method: str) -> list[dict]:
    assert talk.session is not None
    return [call["params"] for call in talk.session.calls if call["method"] == method]


def test_it_is_the_venue_called_deribit_and_asks_for_no_secret() -> None:
    assert find_venue("deribit") is VENUE
    assert VENUE.secrets == () and VENUE.continuous and not VENUE.checked.live


@pytest.mark.parametrize(
    ("options", "url"),
    [
        (FeedOptions(), URL),
        (FeedOptions(demo=True), DEMO_URL),
        (FeedOptions(url="ws://127.0.0.1:9/ws/api/v2"), "ws://127.0.0.1:9/ws/api/v2"),
    ],
)
def test_it_connects_to_the_venue_its_test_system_or_where_the_user_says(
    options: FeedOptions, url: str
) -> None:
    assert make("BTC", {}, options).connect_url() == url


@pytest.mark.parametrize("underlying", ["SPX", "BTC_EUR", "", "B T", "SOL_USDT", "[red]"])
def test_an_underlying_without_options_there_is_a_usage_error(underlying: str) -> None:
    with pytest.raises(UsageError, match="Deribit"):
        make(underlying, {}, FeedOptions())


def test_an_address_in_the_clear_or_a_delayed_service_is_refused() -> None:
    for options in (FeedOptions(url="ws://example.com/x"), FeedOptions(delayed=True)):
        with pytest.raises(UsageError):
            make("BTC", {}, options)


def test_a_session_begins_with_what_it_is_then_contracts_open_interest_prints_quotes() -> None:
    exchange = market()
    exchange.trade(CALL, 0.0205, 3.0, "buy")
    exchange.advance(60_000)
    talk = Talk(exchange)
    talk.open()
    talk.settle()
    kinds = [type(event) for event in talk.events]
    first = {kind: kinds.index(kind) for kind in dict.fromkeys(kinds)}
    order = [SourceInfo, Definitions, OpenInterest, Trades, Quotes]
    assert sorted(order, key=first.__getitem__) == order
    info = talk.of(SourceInfo)
    assert len(info) == 1
    assert (info[0].underlying, info[0].feed, info[0].mode) == ("BTC", "deribit", "live")
    assert (info[0].conditions, info[0].venue_side) == ("deribit", "exact")
    assert [event.price for event in talk.of(UnderlyingPrice)] == [37_000.0]
    assert list(talk.protocol.account.steps) == [
        "heartbeat",
        "instruments",
        "subscribed",
        "index",
        "open interest",
        "history",
        "first ticker",
    ]


def test_a_test_system_says_that_it_is_no_market() -> None:
    talk = Talk(market(), options=FeedOptions(demo=True))
    talk.open()
    assert talk.of(SourceInfo)[0].mode == "simulated"
    assert "test system" in talk.of(SourceInfo)[0].note


def test_a_premium_in_coin_becomes_points_with_the_forward_of_its_own_message() -> None:
    exchange = market()
    talk = Talk(exchange)
    talk.open()
    talk.settle()
    talk.events.clear()
    exchange.quote(CALL, 0.0200, 0.0210, underlying_price=37_500.0)
    exchange.quote(PUT, 0.0, 0.0, underlying_price=37_500.0)
    talk.settle()
    quotes = {row[0]: row[1:3] for row in talk.quotes()}
    assert quotes[CALL] == (750.0, 787.5)
    assert all(math.isnan(price) for price in quotes[PUT])


def test_a_print_is_converted_by_the_basis_of_its_expiry_and_the_index_it_names() -> None:
    exchange = market()
    talk = Talk(exchange)
    talk.open()
    exchange.advance(100)
    exchange.quote(CALL, 0.02, 0.021, underlying_price=37_370.0)  # 1 % over the index
    talk.settle()
    exchange.index("btc_usd", 38_000.0)
    exchange.trade(CALL, 0.021, 2.5, "buy")
    exchange.trade(PUT, 0.018, 1.0, "sell")
    talk.settle()
    when = exchange.now_ms - 1000
    assert talk.prints() == [
        (CALL, 1, pytest.approx(0.021 * 38_000 * 1.01), 2.5, 1, when),
        (PUT, 1, pytest.approx(0.018 * 38_000 * 1.01), 1.0, -1, when),
    ]


def test_a_linear_family_is_filtered_out_of_its_currency_and_stays_in_points() -> None:
    exchange = Exchange(NOON)
    exchange.index("sol_usdc", 60.0)
    mine, other = "SOL_USDC-24NOV23-61d5-C", "XRP_USDC-24NOV23-1-C"
    exchange.list(mine)
    exchange.indices["xrp_usdc"] = 0.6
    exchange.list(other)
    exchange.quote(mine, 2.0, 2.2)
    exchange.quote(other, 0.01, 0.02)
    talk = Talk(exchange, "SOL")
    session = talk.open()
    exchange.trade(other, 0.015, 1000.0, "buy")
    exchange.trade(mine, 2.1, 30.0, "sell")
    talk.settle()
    assert talk.protocol.catalogue.symbols == [mine]
    assert talk.protocol.catalogue.contracts[0].strike == 61.5
    assert [row[:3] for row in talk.quotes()][-1] == (mine, 2.0, 2.2)
    assert talk.prints() == [(mine, 1, 2.1, 30.0, -1, NOON)]
    assert "trades.option.USDC.100ms" in session.channels
    assert "deribit_price_index.sol_usdc" in session.channels
    assert talk.of(SourceInfo)[0].underlying == "SOL_USDC"


def test_no_bid_is_not_a_bid_of_zero_unless_the_offer_is_at_the_lowest_price_there_is() -> None:
    exchange = market()
    exchange.list("BTC-24NOV23-90000-C", "BTC-24NOV23-80000-C")
    exchange.quote("BTC-24NOV23-90000-C", 0.0, 0.0001)
    exchange.quote("BTC-24NOV23-80000-C", 0.0, 0.0005)
    talk = Talk(exchange, options=FeedOptions(window=WindowSettings(sigmas=40.0)))
    talk.open()
    talk.settle()
    quotes = {row[0]: row[1:3] for row in talk.quotes()}
    assert quotes["BTC-24NOV23-90000-C"] == (0.0, pytest.approx(3.7))
    assert math.isnan(quotes["BTC-24NOV23-80000-C"][0])
    sizes = [event.bid_size[np.isnan(event.bid) | (event.bid == 0.0)] for event in talk.of(Quotes)]
    assert all(np.isnan(each).all() for each in sizes)


def test_a_halted_book_quotes_nothing() -> None:
    exchange = market()
    talk = Talk(exchange)
    talk.open()
    talk.settle()
    talk.events.clear()
    exchange.quote(CALL, 0.02, 0.021, state="closed")
    talk.settle()
    assert [row[0] for row in talk.quotes() if math.isnan(row[1]) and math.isnan(row[2])] == [CALL]


def test_quotes_are_conflated_but_for_the_one_a_print_was_made_against() -> None:
    exchange = market()
    talk = Talk(exchange)
    talk.open()
    talk.settle()
    talk.events.clear()
    exchange.quote(CALL, 0.0201, 0.0211)
    exchange.quote(CALL, 0.0202, 0.0212)
    exchange.trade(CALL, 0.0212, 1.0, "buy")
    exchange.advance(100)
    exchange.quote(CALL, 0.0203, 0.0213)
    exchange.quote(CALL, 0.0204, 0.0214)
    talk.settle()
    bids = [round(row[1] / 37_000, 6) for row in talk.quotes() if row[0] == CALL]
    assert bids == [0.0202, 0.0204]


def test_a_combo_is_counted_by_its_legs_and_never_as_a_whole() -> None:
    exchange = market()
    talk = Talk(exchange)
    talk.open()
    exchange.combo("BTC-STRD-24NOV23-37000", [(CALL, 0.021, 4.0, "buy"), (PUT, 0.020, 4.0, "buy")])
    exchange.trade(CALL, 0.021, 1.0, "buy", block_trade_id="BLOCK-1", block_trade_leg_count=1)
    exchange.trade(CALL, 0.021, 1.0, "buy", block_trade_id="BLOCK-2", block_rfq_id=7)
    exchange.trade(PUT, 0.021, 1.0, "sell", liquidation="T")
    talk.settle()
    assert sorted(talk.numbers()) == sorted(truth(exchange))
    codes = [
        (talk.protocol.catalogue.symbols[c], int(code))
        for event in talk.of(Trades)
        for c, code in zip(event.contract, event.condition, strict=True)
    ]
    assert codes == [(CALL, 1), (PUT, 1), (CALL, 2), (CALL, 6), (PUT, 8)]


def test_the_whole_of_a_combo_that_strays_into_the_channel_is_left_out_and_said() -> None:
    exchange = market()
    talk = Talk(exchange)
    talk.open()
    whole = dict(exchange.trade(CALL, 0.02, 1.0, "buy"), instrument_name="BTC-CS-24NOV23-1_2")
    exchange.repeat([whole])
    talk.settle()
    assert talk.numbers() == [(CALL, 1)]
    assert any("combos" in note for note in talk.protocol.account.notes.values())


def test_what_has_no_price_no_size_or_no_number_is_left_out_and_counted() -> None:
    exchange = market()
    talk = Talk(exchange)
    talk.open()
    good = exchange.trade(CALL, 0.02, 1.0, "buy")
    for wrong in ({"price": -1.0}, {"amount": 0.0}, {"price": 1e300}, {"trade_seq": -5}):
        exchange.repeat([{**good, "trade_seq": 9, **wrong}])
    talk.settle()
    assert talk.numbers() == [(CALL, 1)]
    assert talk.protocol.account.notes["bad prints"].startswith("4 print(s)")


def test_numbers_that_cannot_be_are_not_given() -> None:
    exchange = market()
    talk = Talk(exchange)
    talk.open()
    talk.settle()
    talk.events.clear()
    exchange.quote(CALL, -0.02, 1e12, best_bid_amount=-4.0, open_interest=-1.0, timestamp=-7)
    talk.settle()
    [event] = talk.of(Quotes)
    assert np.isnan([event.bid[0], event.ask[0], event.bid_size[0]]).all()
    assert event.ts[0] == event.recv > 0
    assert not talk.of(OpenInterest)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"jsonrpc":"2.0","method":"subscription","params":{"channel":"ticker.X.100ms"}}',
        b'{"method":"subscription","params":{"channel":"ticker.X","data":{"best_bid_price":"a"}}}',
        b'{"method":"subscription","params":{"channel":"trades.option.BTC.100ms","data":{}}}',
        b'{"method":"subscription","params":{"channel":"deribit_price_index.btc_usd",'
        b'"data":{"price":-1.0}}}',
        b'{"id":"x"}',
        b"\xff\xfe\x00",
        b'{"a":' * 5000,
    ],
)
def test_what_makes_no_sense_is_an_input_error_that_shows_little_of_it(frame: bytes) -> None:
    talk = Talk(market())
    talk.open()
    with pytest.raises(InputError) as caught:
        talk.protocol.receive(frame, talk.now)
    assert len(str(caught.value)) < 300 and str(caught.value).isprintable()


def test_what_is_not_known_is_ignored_and_named_once() -> None:
    exchange = market()
    talk = Talk(exchange)
    talk.open()
    notes = dict(talk.protocol.account.notes)
    for n in range(100):
        exchange.say('{"jsonrpc":"2.0","method":"news","params":{"a":[1,{"b":null}]}}')
        gossip = {"channel": f"gossip.{n % 2}"}
        exchange.say(json.dumps({"method": "subscription", "params": gossip}))
        exchange.say('{"jsonrpc":"2.0","id":99999,"result":"?"}')
    talk.settle()
    new = talk.protocol.account.notes.keys() - notes.keys()
    assert len(new) == 2
    assert exchange.sessions


def test_the_order_of_fields_does_not_matter() -> None:
    exchange = market()
    talk = Talk(exchange)
    talk.open()
    talk.settle()
    talk.events.clear()
    padding = "x" * 500
    book = {**exchange.books[CALL], "best_bid_price": 0.0205}
    exchange.say(
        json.dumps(
            {
                "params": {"data": book, "channel": f"ticker.{CALL}.100ms", "pad": padding},
                "method": "subscription",
                "jsonrpc": "2.0",
            }
        )
    )
    talk.settle()
    assert talk.quotes()[-1][1] == pytest.approx(0.0205 * 37_000)


# The connection


def test_a_test_request_is_answered_at_once_and_the_connection_stays() -> None:
    exchange = market()
    talk = Talk(exchange)
    session = talk.open()
    talk.settle(300)
    assert session.closed is None
    assert len(sent(talk, "public/test")) == 10


def test_who_leaves_a_test_request_unanswered_is_hung_up_on() -> None:
    exchange = market()
    session = exchange.connect()
    session.handle(
        '{"jsonrpc":"2.0","id":1,"method":"public/set_heartbeat","params":{"interval":30}}'
    )
    exchange.advance(30_000)
    assert session.closed is None
    exchange.advance(30_000)
    assert session.closed is not None


def test_channels_the_venue_leaves_out_of_its_answer_are_said_and_not_counted() -> None:
    exchange = market()
    exchange.refuses = {f"ticker.{PUT}.100ms"}
    talk = Talk(exchange)
    talk.open()
    account = talk.protocol.account
    assert (account.listed, account.quoted, account.printed) == (2, 1, 2)
    assert account.notes["refused"].startswith("1 of 4 channels are refused")
    assert PUT in account.notes["refused"]
    assert account.steps["subscribed"] == "3 of 4 channels"


def test_without_prints_quotes_come_all_the_same_and_it_is_said() -> None:
    exchange = market()
    exchange.refuses = {"trades.option.BTC.100ms"}
    talk = Talk(exchange)
    talk.open()
    talk.settle()
    assert talk.quotes() and talk.protocol.account.printed == 0
    assert "refuses" in talk.protocol.account.notes["prints"]


def test_without_the_index_channel_spot_is_what_the_tickers_say_it_is() -> None:
    exchange = market()
    exchange.refuses = {"deribit_price_index.btc_usd"}
    talk = Talk(exchange)
    talk.open()
    exchange.quote(CALL, 0.02, 0.021, index_price=37_123.0, timestamp=NOON + 1)
    talk.settle()
    assert [event.price for event in talk.of(UnderlyingPrice)] == [37_123.0]


def strikes(exchange: Exchange, low: int, high: int, step: int, date: str = "24NOV23") -> None:
    for strike in range(low, high, step):
        for right in "CP":
            exchange.list(f"BTC-{date}-{strike}-{right}")


def test_a_long_window_goes_out_in_messages_the_venue_takes() -> None:
    exchange = market()
    strikes(exchange, 30_000, 44_000, 25)
    talk = Talk(exchange, options=FeedOptions(window=WindowSettings(most=5000)))
    session = talk.open()
    talk.settle(3)
    assert session.closed is None  # it hangs up on a message of more than 32 KB
    assert talk.protocol.account.listed == 1120
    assert talk.protocol.account.quoted == 800
    assert len([c for c in session.channels if c.startswith("ticker.")]) == 800
    assert "800 of 1,120" in talk.protocol.account.window


def test_the_window_moves_with_the_index() -> None:
    exchange = market()
    strikes(exchange, 20_000, 60_000, 500)
    talk = Talk(exchange, options=FeedOptions(window=WindowSettings(most=20)))
    session = talk.open()
    talk.settle()

    def middle() -> float:
        mine = [c.split("-")[2] for c in session.channels if c.startswith("ticker.")]
        assert len(mine) == 20
        return sum(map(float, mine)) / len(mine)

    assert middle() == pytest.approx(37_000, abs=500)
    exchange.index("btc_usd", 45_000.0)
    talk.settle(2)
    assert middle() == pytest.approx(45_000, abs=500)
    assert talk.protocol.account.quoted == 20


def test_what_lies_outside_the_window_has_its_open_interest_and_a_quote_now_and_then() -> None:
    exchange = market()
    far = "BTC-27DEC24-37000-C"
    exchange.list(far)
    exchange.quote(far, 0.15, 0.16, underlying_price=40_000.0, open_interest=77.0)
    talk = Talk(exchange)
    talk.open()
    talk.settle()
    assert talk.protocol.account.quoted == 2
    assert (far, 6000.0, 6400.0, NOON) in talk.quotes()
    at = talk.protocol.catalogue.index[far]
    told = [dict(zip(e.contract, e.open_interest, strict=True)) for e in talk.of(OpenInterest)]
    assert [each[at] for each in told if at in each] == [77.0]
    talk.events.clear()
    exchange.quote(far, 0.17, 0.18, underlying_price=40_000.0, open_interest=78.0)
    talk.settle(301)
    assert [row[1] for row in talk.quotes() if row[0] == far] == [pytest.approx(6800.0)]


def test_options_listed_later_are_defined_when_the_list_is_asked_for_again() -> None:
    exchange = market()
    talk = Talk(exchange)
    talk.open()
    talk.settle()
    exchange.list("BTC-24NOV23-38000-C")
    talk.settle(601)
    assert talk.protocol.catalogue.symbols == [CALL, PUT, "BTC-24NOV23-38000-C"]
    assert [event.first for event in talk.of(Definitions)] == [0, 2]
    assert talk.protocol.account.quoted == 3


def test_a_print_of_an_option_that_is_listed_no_more_defines_it() -> None:
    exchange = market()
    gone = "BTC-16NOV23-36000-C"
    exchange.now_ms -= 6 * 3_600_000
    exchange.list(gone)
    exchange.trade(gone, 0.01, 2.0, "sell")
    exchange.now_ms += 6 * 3_600_000
    talk = Talk(exchange)
    talk.open()
    talk.settle()
    assert talk.numbers() == [(gone, 1)]
    assert talk.protocol.catalogue.symbols == [CALL, PUT, gone]


def test_names_that_cannot_be_read_are_counted() -> None:
    exchange = market()
    listed = exchange.instruments[CALL]
    exchange.instruments["?"] = {**listed, "instrument_name": "BTC-24NOV23-HIGH-C"}
    exchange.instruments["off"] = {
        **listed,
        "instrument_name": "BTC-24NOV23-1000-C",
        "is_active": False,
    }
    talk = Talk(exchange)
    talk.open()
    assert talk.protocol.account.notes["unread"].startswith("1 listed")
    assert talk.protocol.catalogue.symbols == [CALL, PUT]


def test_a_family_the_venue_does_not_list_ends_the_attempt_for_good() -> None:
    with pytest.raises(ConnectionFailedError, match="no options on DOGE_USDC"):
        Talk(market(), "DOGE").open()
    exchange = market()
    exchange.fails["public/get_instruments"] = [RpcError(-32602, "Invalid params")]
    with pytest.raises(ConnectionFailedError, match="refuses its list"):
        Talk(exchange).open()


@pytest.mark.parametrize("code", [10028, 11051, 13028, 10041])
def test_a_refusal_that_will_pass_is_tried_again(code: int) -> None:
    exchange = market()
    exchange.fails["public/get_instruments"] = [RpcError(code, "later")] * 2
    talk = Talk(exchange)
    session = talk.open()
    if session.closed is not None:
        return  # out of credits, it hangs up
    talk.settle(8)
    assert talk.protocol.account.listed == 2


def test_a_call_nobody_answers_is_made_again_and_said() -> None:
    exchange = market()
    exchange.fails["public/get_instruments"] = [Silence()]
    talk = Talk(exchange)
    talk.open()
    talk.settle(10)
    assert "no answer" in talk.protocol.account.notes["late"]
    talk.settle(3)
    assert talk.protocol.account.listed == 2
    assert "late" not in talk.protocol.account.notes


def test_a_list_that_cannot_be_had_is_said_and_asked_for_until_it_comes() -> None:
    exchange = market()
    exchange.fails["public/get_instruments"] = [RpcError(13028, "temporarily_unavailable")] * 4
    talk = Talk(exchange)
    talk.open()
    talk.settle(12)
    assert "temporarily_unavailable" in talk.protocol.account.notes["options"]
    talk.settle(20)
    assert talk.protocol.account.listed == 2 and "options" not in talk.protocol.account.notes


def test_the_start_never_runs_out_of_credits_even_many_times_over() -> None:
    exchange = market()
    strikes(exchange, 30_000, 44_000, 25)
    talk = Talk(exchange)
    for _ in range(6):
        session = talk.open()
        talk.settle(2)
        assert session.closed is None
        talk.cut()


def test_out_of_credits_means_to_wait() -> None:
    exchange = market()
    talk = Talk(exchange)
    exchange.stingy = 1
    session = talk.open()
    assert session.closed is not None
    verdict = talk.protocol.closed(Retry("it hung up with code 1000"), talk.now)
    assert isinstance(verdict, Retry) and verdict.wait_s >= 5 and "too many" in verdict.reason


def test_maintenance_is_called_that() -> None:
    talk = Talk(market())
    talk.open()
    verdict = talk.protocol.closed(
        Retry("it hung up with code 1012 (system maintenance)"), talk.now
    )
    assert isinstance(verdict, Retry) and "maintenance" in verdict.reason and verdict.wait_s > 0
    assert talk.protocol.closed(Stop("x"), talk.now) == Stop("x")
    assert talk.protocol.closed(Retry("cut"), talk.now) == Retry("cut")


def test_a_venue_that_accepts_and_says_nothing_is_dead_after_its_heartbeats() -> None:
    exchange = market()
    exchange.mute = True
    talk = Talk(exchange)
    talk.open()
    talk.settle(11)
    assert talk.protocol.account.notes["late"]
    assert talk.protocol.dead_s() == 75.0
    assert not talk.quotes()


def test_after_a_reconnect_nothing_is_defined_twice_and_the_window_is_asked_for_again() -> None:
    exchange = market()
    talk = Talk(exchange)
    talk.open()
    talk.settle()
    talk.cut()
    session = talk.open()
    talk.settle()
    assert len(talk.of(Definitions)) == 1 and len(talk.of(SourceInfo)) == 1
    assert {c for c in session.channels if c.startswith("ticker.")} == {
        f"ticker.{CALL}.100ms",
        f"ticker.{PUT}.100ms",
    }
    assert talk.protocol.account.quoted == 2
