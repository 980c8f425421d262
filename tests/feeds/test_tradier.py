"""Tradier: what it says and what it is asked, without sockets; then through the real runner."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.clock import NS
from gexterm.dealers.signer import Signer
from gexterm.errors import ConnectionFailedError, InputError, UsageError
from gexterm.feeds.protocol import Answer, Outgoing, Request
from gexterm.feeds.retry import PassingError, Retry, classify
from gexterm.feeds.secrets import STARS, Secret, redactor
from gexterm.feeds.tradier import VENUE, TradierProtocol
from gexterm.feeds.venue import FeedOptions, find_venue
from gexterm.feeds.window import WindowSettings
from gexterm.market import calendar
from gexterm.market.contracts import Right
from gexterm.market.events import (
    CANCEL,
    CORRECTION,
    NEW,
    Definitions,
    Event,
    OpenInterest,
    Quotes,
    SourceInfo,
    Trades,
    UnderlyingPrice,
    Volume,
)
from tests.shared_data import shared
from tests.venues.tradier import TOKEN, listed, quote, row, timesale

OPEN = calendar.at_et(dt.date(2025, 11, 20), dt.time(10, 0))
MS = OPEN // 1_000_000
CALL, PUT = "SPXW251120C06600000", "SPXW251120P06600000"
AM, PM = "SPX251121C06600000", "SPXW251121C06600000"
FAR = "SPXW251219P06000000"
CHAINS = {
    "2025-11-20": [row(CALL), row(PUT, interest=0)],
    "2025-11-21": [row(AM, interest=1000), row(PM, interest=2000)],
    "2025-12-19": [row(FAR, interest=3000)],
}


def ok(key: str, said: object) -> Answer:
    return Answer(key, 200, {}, json.dumps(said).encode(), OPEN)


def chain(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {"options": {"option": listed(rows)}}


class Talk:
    """A protocol, answered as Tradier would answer."""

    def __init__(self, **options: Any) -> None:
        self.protocol = TradierProtocol("SPX", Secret(TOKEN), FeedOptions(**options))
        self.chains = dict(CHAINS)
        self.spot, self.spot_ms = 6600.0, MS
        self.now = OPEN
        self.events: list[Event] = []
        self.asked: list[str] = []
        self.sent: list[dict[str, Any]] = []
        self.sessions = 0

    def reply(self, key: str) -> Answer:
        if key == "session":
            self.sessions += 1
            return ok(key, {"stream": {"sessionid": f"session-{self.sessions}", "url": "x"}})
        if key == "expirations":
            return ok(key, {"expirations": {"date": listed(sorted(self.chains))}})
        if key == "quote":
            value = {"symbol": "SPX", "last": self.spot, "trade_date": self.spot_ms}
            return ok(key, {"quotes": {"quote": value}})
        return ok(key, chain(self.chains[key.removeprefix("chain ")]))

    def hear(self, out: Iterable[Outgoing]) -> None:
        for each in out:
            if isinstance(each, Request):
                self.asked.append(each.key)
                self.events += self.protocol.answer(self.reply(each.key))
                self.hear(self.protocol.outgoing())
            else:
                self.sent.append(json.loads(each))

    def open(self) -> Talk:
        while wanted := self.protocol.prepare(self.now):
            self.hear(wanted)
        self.hear(self.protocol.on_open(self.now))
        self.events += self.protocol.flush()
        return self

    def run(self, seconds: int) -> Talk:
        for _ in range(seconds):
            self.now += NS
            self.hear(self.protocol.on_timer(self.now))
            self.events += self.protocol.flush()
        return self

    def say(self, *said: dict[str, Any], recv: int | None = None) -> list[Event]:
        frame = "".join(json.dumps(each) + "\n" for each in said).encode()
        self.events += self.protocol.receive(frame, recv or self.now)
        self.hear(self.protocol.outgoing())
        flushed = self.protocol.flush()
        self.events += flushed
        return flushed

    def trades(self, *said: dict[str, Any]) -> Trades:
        [trades] = [event for event in self.say(*said) if isinstance(event, Trades)]
        return trades

    def quotes(self, *said: dict[str, Any], recv: int | None = None) -> Quotes:
        [quotes] = [e for e in self.say(*said, recv=recv) if isinstance(e, Quotes)]
        return quotes

    def index(self, symbol: str) -> int:
        names = [c for e in self.events if isinstance(e, Definitions) for c in e.contracts]
        for i, contract in enumerate(names):
            head = f"{contract.root}{contract.expiry:%y%m%d}{contract.right}"
            if f"{head}{round(contract.strike * 1000):08d}" == symbol:
                return i
        raise KeyError(symbol)


# -- the start of a session -----------------------------------------------------------------


def test_a_session_begins_with_source_definitions_and_interest_before_any_quote() -> None:
    talk = Talk().open()
    kinds = [type(event) for event in talk.events]
    assert kinds[0] is SourceInfo
    assert kinds.index(Definitions) < kinds.index(OpenInterest) < kinds.index(Quotes)
    source = talk.events[0]
    assert isinstance(source, SourceInfo) and source.has_tape
    assert (source.mode, source.delay_s, source.venue_side) == ("live", 0.0, "")


def test_the_nearest_dates_are_read_first_and_the_session_is_asked_for_last() -> None:
    talk = Talk().open()
    assert talk.asked == [
        "expirations", "quote", "chain 2025-11-20", "chain 2025-11-21", "session",
    ]  # fmt: skip
    talk.run(3)
    assert "chain 2025-12-19" in talk.asked
    assert talk.protocol.account.listed == 5


def test_every_request_carries_the_token_and_no_address_does() -> None:
    protocol = TradierProtocol("SPX", Secret(TOKEN))
    for request in protocol.prepare(OPEN):
        assert TOKEN not in request.url and TOKEN not in repr(request)
        token = request.headers["Authorization"]
        assert isinstance(token, Secret) and token.reveal() == f"Bearer {TOKEN}"
        assert request.headers["Accept"] == "application/json"
    assert protocol.connect_url() == "wss://ws.tradier.com/v1/markets/events"


def test_the_first_message_asks_for_quotes_and_prints_of_the_window_and_spot() -> None:
    [first] = Talk().open().sent
    assert first["sessionid"] == "session-1"
    assert first["filter"] == ["quote", "timesale"]
    assert first["linebreak"] is first["validOnly"] is first["advancedDetails"] is True
    assert set(first["symbols"]) == {"SPX", CALL, PUT, AM, PM}


def test_a_session_number_is_a_secret() -> None:
    talk = Talk()
    talk.sessions = 123456
    talk.open()
    assert redactor.text("error about session-123457") == f"error about {STARS}"


def test_am_and_pm_twins_of_one_date_and_strike_stay_two() -> None:
    talk = Talk().open()
    twins = [
        contract
        for event in talk.events
        if isinstance(event, Definitions)
        for contract in event.contracts
        if contract.expiry == dt.date(2025, 11, 21)
    ]
    assert {c.root for c in twins} == {"SPX", "SPXW"} and len(twins) == 2
    assert {(c.right, c.strike) for c in twins} == {(Right.CALL, 6600.0)}
    interest = {talk.index(symbol): wanted for symbol, wanted in ((AM, 1000.0), (PM, 2000.0))}
    told = {
        int(c): float(v)
        for event in talk.events
        if isinstance(event, OpenInterest)
        for c, v in zip(event.contract, event.open_interest, strict=True)
    }
    assert {i: told[i] for i in interest} == interest
    assert told[talk.index(PUT)] == 0.0  # none open is not unknown


@pytest.mark.parametrize(
    "bad",
    [
        row(PM, root_symbol="SPX"),
        row(PM, expiration_date="2025-11-20"),
        row(PM, contract_size=10),
        row("XSP251121C00660000"),
        row("SPX1251121C06600000"),
        {"symbol": "nonsense"},
        {"nothing": 1},
        "text",
        None,
    ],
)
def test_a_row_that_does_not_agree_with_itself_is_left_out_and_counted(bad: Any) -> None:
    talk = Talk()
    talk.chains["2025-11-21"] = [bad, row(AM)]
    talk.open()
    assert talk.protocol.account.listed == 3
    assert "1 rows of chains" in talk.protocol.account.notes["odd"]


def test_a_list_of_one_and_an_empty_one_are_read() -> None:
    talk = Talk()
    talk.chains = {"2025-11-20": []}
    while wanted := talk.protocol.prepare(OPEN):
        talk.hear(wanted)
    assert talk.protocol.account.listed == 0
    talk = Talk()
    talk.chains = {"2025-11-20": [row(CALL)]}
    assert talk.open().protocol.account.listed == 1


def test_a_volume_that_is_read_once_a_day_is_not_told_as_the_days() -> None:
    talk = Talk().open()
    assert any(isinstance(event, OpenInterest) for event in talk.events)
    assert not any(isinstance(event, Volume) for event in talk.events)


def test_at_seven_in_the_morning_the_listing_and_its_interest_are_read_anew() -> None:
    talk = Talk().open()
    talk.run(3)
    talk.asked.clear()
    before = sum(isinstance(event, OpenInterest) for event in talk.events)
    talk.now = calendar.at_et(dt.date(2025, 11, 21), dt.time(6, 59, 50))
    del talk.chains["2025-11-20"]
    talk.run(5)
    assert "expirations" not in talk.asked
    talk.run(20)
    assert talk.asked.count("expirations") == 1
    assert sum(isinstance(event, OpenInterest) for event in talk.events) == before + 2
    assert sum(len(e.contracts) for e in talk.events if isinstance(e, Definitions)) == 5


# -- refusals -------------------------------------------------------------------------------


def test_a_token_that_is_not_accepted_ends_it_with_what_to_do() -> None:
    talk = Talk()
    talk.protocol.prepare(OPEN)
    with pytest.raises(ConnectionFailedError, match=r"access token \(401\).*login tradier") as e:
        talk.protocol.answer(Answer("expirations", 401))
    assert not isinstance(e.value, PassingError)


def test_a_sandbox_that_does_not_stream_says_so() -> None:
    protocol = TradierProtocol("SPX", Secret(TOKEN), FeedOptions(demo=True))
    assert protocol.prepare(OPEN)[0].url.startswith("https://sandbox.tradier.com/")
    with pytest.raises(ConnectionFailedError, match=r"no streaming session.*leave --demo out"):
        protocol.answer(Answer("session", 403))
    with pytest.raises(ConnectionFailedError, match="brokerage account"):
        TradierProtocol("SPX", Secret(TOKEN)).answer(Answer("session", 403))


@pytest.mark.parametrize(("status", "wait"), [(429, 60.0), (500, 10.0)])
def test_what_passes_is_tried_again_later(status: int, wait: float) -> None:
    talk = Talk()
    talk.protocol.prepare(OPEN)
    with pytest.raises(PassingError) as caught:
        talk.protocol.answer(Answer("expirations", status))
    assert classify(caught.value) == Retry(caught.value.message, wait)
    with pytest.raises(PassingError) as caught:
        talk.protocol.answer(Answer("session", status, {"retry-after": "33"}))
    assert caught.value.wait_s == 33.0


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b"[", b"[" * 100_000])
def test_an_answer_that_is_no_json_is_tried_again(body: bytes) -> None:
    with pytest.raises(PassingError, match="no JSON"):
        Talk().protocol.answer(Answer("expirations", 200, {}, body, OPEN))


def test_an_account_without_market_data_is_told_and_a_page_refused_later_costs_itself() -> None:
    with pytest.raises(ConnectionFailedError, match="refuses the expirations"):
        Talk().protocol.answer(Answer("expirations", 403))
    talk = Talk().open()
    assert talk.protocol.answer(Answer("chain 2025-12-19", 403)) == []
    assert "HTTP status 403" in talk.protocol.account.notes["chain 2025-12-19"]


def test_an_underlying_without_options_or_without_a_quote_is_named() -> None:
    for key, said in (
        ("expirations", {"expirations": None}),
        ("quote", {"quotes": {"unmatched_symbols": {"symbol": "SPX"}}}),
    ):
        with pytest.raises(ConnectionFailedError, match=r"SPX.*check the name"):
            Talk().protocol.answer(ok(key, said))


def test_a_chain_that_fails_while_connected_is_tried_again_and_its_loss_is_told() -> None:
    talk = Talk().open()
    protocol = talk.protocol
    tries = 0
    for _ in range(100):
        talk.now += NS
        for out in protocol.on_timer(talk.now):
            if isinstance(out, Request) and out.key.startswith("chain "):
                tries += 1
                assert protocol.answer(Answer(out.key, 500)) == []
            elif isinstance(out, Request):
                protocol.answer(talk.reply(out.key))
    assert tries == 3
    assert "given up after 3 tries" in protocol.account.notes["chain 2025-12-19"]


def test_when_it_is_asked_too_often_nothing_is_asked_until_the_time_it_names() -> None:
    talk = Talk().open()
    protocol = talk.protocol
    while not (out := protocol.on_timer(talk.now)):
        talk.now += NS
    for request in out:
        assert isinstance(request, Request)
        protocol.answer(Answer(request.key, 429, {"retry-after": "40"}))
    waited = 0
    while not any(isinstance(each, Request) for each in protocol.on_timer(talk.now)):
        talk.now += NS
        waited += 1
    assert waited >= 39


@pytest.mark.parametrize("name", ["", "../x", "SPX&x=1", "SP X", "BTC", "[red]", "TOOLONGNAME"])
def test_an_underlying_is_no_part_of_an_address(name: str) -> None:
    with pytest.raises(UsageError):
        TradierProtocol(name, Secret(TOKEN))


def test_without_a_token_it_says_where_to_put_one() -> None:
    with pytest.raises(UsageError, match="TRADIER_TOKEN"):
        find_venue("tradier").make("SPX", {}, FeedOptions())
    assert VENUE.make("SPXW", {"token": Secret(TOKEN)}, FeedOptions()).prepare(OPEN)[0].url == (
        "https://api.tradier.com/v1/markets/options/expirations?symbol=SPX&includeAllRoots=true"
    )


# -- quotes ---------------------------------------------------------------------------------


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


# -- prints ---------------------------------------------------------------------------------


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


# -- the underlying -------------------------------------------------------------------------


def test_an_index_that_does_not_stream_is_asked_for_every_five_seconds() -> None:
    talk = Talk().open()
    talk.asked.clear()
    talk.run(30)
    assert talk.asked.count("quote") == 6
    for _ in range(10):
        talk.say(timesale("SPX", 6601.5, 0, talk.now // 1_000_000, seq=1))
        talk.asked.clear()
        talk.run(3)
        assert "quote" not in talk.asked
    spots = [event.price for event in talk.events if isinstance(event, UnderlyingPrice)]
    assert spots[0] == 6600.0 and spots[-1] == 6601.5


def test_an_old_index_value_is_used_for_the_window_and_shown_to_nobody() -> None:
    talk = Talk()
    talk.spot_ms = MS - 20 * 60_000
    talk.open()
    assert not any(isinstance(event, UnderlyingPrice) for event in talk.events)
    assert "20 minutes old" in talk.protocol.account.notes["spot"]
    assert talk.protocol.account.quoted == 4


def test_the_age_of_an_index_value_is_told_by_the_servers_clock() -> None:
    protocol = TradierProtocol("SPX", Secret(TOKEN))
    said = ok("quote", {"quotes": {"quote": {"symbol": "SPX", "last": 6600.0, "trade_date": MS}}})
    date = {"date": "Thu, 20 Nov 2025 15:00:01 GMT"}
    late = Answer("quote", 200, date, said.body, OPEN + 600 * NS)
    protocol.answer(late)
    assert any(isinstance(event, UnderlyingPrice) for event in protocol.flush())
    assert "spot" not in protocol.account.notes


# -- window, errors, connections ------------------------------------------------------------


def test_the_window_moves_with_spot_and_the_whole_list_is_sent_anew() -> None:
    strikes = range(6000, 7205, 5)
    talk = Talk(window=WindowSettings(most=40))
    talk.chains = {"2025-11-20": [row(f"SPXW251120C{k * 1000:08d}") for k in strikes]}
    talk.open()
    first = set(talk.sent[0]["symbols"])
    assert len(first) == 41 and "SPXW251120C06600000" in first
    talk.spot = 6900.0
    talk.run(12)
    last = set(talk.sent[-1]["symbols"])
    assert len(last) == 41 and "SPXW251120C06900000" in last and last != first
    assert talk.sent[-1]["filter"] == talk.sent[0]["filter"]
    assert "40 of 241" in talk.protocol.account.window


@pytest.mark.parametrize(("said", "asked"), [(0, 500), (30, 30), (700, 700)])
def test_five_hundred_contracts_are_asked_for_unless_another_number_is_named(
    said: int, asked: int
) -> None:
    talk = Talk(window=WindowSettings(sigmas=40.0, most=said))
    talk.chains = {"2025-11-20": [row(f"SPXW251120C{k * 1000:08d}") for k in range(6000, 7205)]}
    talk.open()
    assert talk.protocol.account.quoted == asked


def test_contracts_that_enter_the_window_later_are_said_to_lack_earlier_prints() -> None:
    talk = Talk().open()
    assert "late" not in talk.protocol.account.notes
    talk.run(8)
    assert "1 contracts entered the window later" in talk.protocol.account.notes["late"]


def test_a_chain_that_was_under_way_when_the_line_broke_is_read_afterwards() -> None:
    talk = Talk().open()
    talk.now += NS
    out = [each for each in talk.protocol.on_timer(talk.now) if isinstance(each, Request)]
    assert [request.key for request in out] == ["chain 2025-12-19", "quote"]
    talk.protocol.closed(Retry("the connection broke"), talk.now)
    talk.open().run(2)
    assert talk.protocol.account.listed == 5


def test_a_session_that_has_ended_is_replaced_and_the_list_sent_again() -> None:
    talk = Talk().open()
    talk.say({"error": "Session not found"})
    assert talk.sessions == 2 and talk.sent[-1]["sessionid"] == "session-2"
    assert "Session not found" in talk.protocol.account.notes["error"]


def test_sessions_that_end_again_and_again_are_two_readers_in_a_duel() -> None:
    talk = Talk().open()
    with pytest.raises(PassingError, match="one streaming session") as caught:
        for _ in range(60):
            talk.run(1)
            talk.say({"error": "Session not found"})
    assert talk.sessions <= 4
    assert caught.value.wait_s == 60.0


def test_a_symbol_that_is_not_valid_is_left_out_and_named() -> None:
    talk = Talk().open()
    talk.say({"error": f"{CALL} is not a valid symbol"})
    talk.run(1)
    assert CALL not in talk.sent[-1]["symbols"] and PUT in talk.sent[-1]["symbols"]
    assert CALL in talk.protocol.account.notes["symbols"]
    talk.say({"error": "something else [red]\x1b[0m"})
    talk.run(1)
    assert len(talk.sent) == 2 and "[" not in talk.protocol.account.notes["error"]


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


def test_a_reconnect_defines_nothing_twice_and_says_since_when_prints_are_known() -> None:
    talk = Talk().open().run(3)
    assert talk.protocol.account.heard_from == OPEN
    verdict = talk.protocol.closed(Retry("the connection broke"), talk.now)
    assert verdict == Retry("the connection broke")
    assert talk.protocol.account.heard_from == 0
    talk.now += 30 * NS
    talk.asked.clear()
    talk.open()
    assert talk.asked == ["session"]
    assert talk.protocol.account.heard_from == talk.now
    assert sum(len(e.contracts) for e in talk.events if isinstance(e, Definitions)) == 5
    assert sum(isinstance(event, SourceInfo) for event in talk.events) == 1


def test_connections_that_end_at_once_again_and_again_hint_at_a_second_reader() -> None:
    talk = Talk()
    verdicts = []
    for _ in range(3):
        talk.open()
        talk.now += NS
        verdicts.append(talk.protocol.closed(Retry("it hung up"), talk.now))
    assert verdicts[0] == Retry("it hung up")
    assert isinstance(verdicts[2], Retry) and verdicts[2].wait_s == 60.0
    assert "one streaming session" in verdicts[2].hint


def test_silence_counts_only_while_options_trade() -> None:
    protocol = TradierProtocol("SPX", Secret(TOKEN))
    assert protocol.quiet_s(OPEN) == 30.0
    assert protocol.quiet_s(calendar.at_et(dt.date(2025, 11, 20), dt.time(16, 10))) == 30.0
    assert protocol.quiet_s(calendar.at_et(dt.date(2025, 11, 20), dt.time(20, 0))) == np.inf
    half = dt.date(2025, 11, 28)
    assert protocol.quiet_s(calendar.at_et(half, dt.time(13, 10))) == 30.0
    assert protocol.quiet_s(calendar.at_et(half, dt.time(13, 20))) == np.inf
    stock = TradierProtocol("SPY", Secret(TOKEN))
    assert stock.quiet_s(calendar.at_et(dt.date(2025, 11, 20), dt.time(16, 10))) == np.inf


def test_the_sandbox_is_a_quarter_of_an_hour_late() -> None:
    talk = Talk(demo=True)
    [source] = [e for e in talk.open().events if isinstance(e, SourceInfo)]
    assert (source.mode, source.delay_s) == ("delayed", 900.0)


def test_what_it_was_checked_against_is_told_truthfully() -> None:
    assert VENUE.checked.live == "" and VENUE.checked.client == ""
    assert any("proprietary" in note for note in VENUE.notes)
    assert "condition" not in VENUE.carries and "side" not in VENUE.carries
