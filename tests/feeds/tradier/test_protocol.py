"""What Tradier is asked, when, and what becomes of its refusals."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from gexterm.clock import NS
from gexterm.errors import ConnectionFailedError, UsageError
from gexterm.feeds.protocol import Answer, Request
from gexterm.feeds.retry import PassingError, Retry, classify
from gexterm.feeds.secrets import STARS, Secret, redactor
from gexterm.feeds.tradier import VENUE
from gexterm.feeds.tradier.protocol import TradierProtocol
from gexterm.feeds.venue import FeedOptions, find_venue
from gexterm.feeds.window import WindowSettings
from gexterm.market import calendar
from gexterm.market.events import Definitions, OpenInterest, Quotes, SourceInfo, UnderlyingPrice
from tests.feeds.tradier.talk import AM, CALL, MS, OPEN, PM, PUT, Talk, ok
from tests.venues.tradier import TOKEN, row, timesale

# -- the start of a session ------------------------------------------------------------


def test_a_session_begins_with_source_definitions_and_interest_before_any_quote() -> None:
    talk = Talk().open()
    kinds = [type(event) for event in talk.events]
    assert kinds[0] is SourceInfo
    assert kinds.index(Definitions) < kinds.index(OpenInterest) < kinds.index(Quotes)
    source = talk.events[0]
    assert isinstance(source, SourceInfo) and source.has_tape
    assert (source.mode, source.delay_s, source.venue_side) == ("live", 0.0, "")


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


# -- refusals --------------------------------------------------------------------------


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


# -- the underlying --------------------------------------------------------------------


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


# -- window, errors, connections -------------------------------------------------------


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
