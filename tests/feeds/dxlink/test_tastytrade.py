"""What tastytrade is asked over HTTP, and what its answers mean."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from gexterm.clock import NS
from gexterm.errors import ConnectionFailedError
from gexterm.feeds.dxlink.tastytrade import CHAIN, LOGIN, TOKEN, Tastytrade, read_chain
from gexterm.feeds.protocol import Answer
from gexterm.feeds.retry import PassingError, Retry
from gexterm.feeds.secrets import Secret, redactor
from gexterm.market import calendar
from gexterm.market.contracts import Contract, Right

NOW = calendar.ns(dt.datetime(2025, 11, 21, 15, 0, tzinfo=dt.UTC))
HOUR = 3600 * NS


def rest(base: str = "") -> Tastytrade:
    return Tastytrade("SPX", Secret("client-secret-0123"), Secret("refresh-token-0123"), base)


def said(key: str, body: Any, now_ns: int = NOW, status: int = 200) -> Answer:
    return Answer(key, status, {}, json.dumps(body).encode(), now_ns)


def login(now_ns: int = NOW) -> Answer:
    return said(LOGIN, {"access_token": "an-access-token", "expires_in": 900}, now_ns)


def token(url: str = "wss://tasty-openapi-ws.dxfeed.com/realtime", now_ns: int = NOW) -> Answer:
    data = {"token": "a-quote-token", "dxlink-url": url, "level": "api"}
    return said(TOKEN, {"data": data}, now_ns)


def strike(root: str, yymmdd: str, at: float, **other: str) -> dict[str, str]:
    return {
        "strike-price": str(at),
        "call-streamer-symbol": f".{root}{yymmdd}C{at:g}",
        "put-streamer-symbol": f".{root}{yymmdd}P{at:g}",
    } | other


def item(root: str, settles: str, *strikes: dict[str, str], **other: Any) -> dict[str, Any]:
    expiration = {
        "expiration-date": "2025-11-21",
        "settlement-type": settles,
        "strikes": list(strikes),
    }
    return {"root-symbol": root, "shares-per-contract": 100, "expirations": [expiration]} | other


SPX = item("SPX", "AM", strike("SPX", "251121", 6600.0))
SPXW = item("SPXW", "PM", strike("SPXW", "251121", 6600.0), strike("SPXW", "251121", 6602.5))


def ready() -> Tastytrade:
    made = rest()
    made.answer(login())
    made.answer(token())
    made.answer(said(CHAIN, {"data": {"items": [SPX, SPXW]}}))
    return made


def test_the_login_comes_first_and_the_rest_with_what_it_brought() -> None:
    made = rest()
    (first,) = made.due(NOW)
    assert (first.key, first.method, first.url) == (
        LOGIN,
        "POST",
        "https://api.tastyworks.com/oauth/token",
    )
    assert isinstance(first.body, Secret)
    assert json.loads(first.body.reveal()) == {
        "grant_type": "refresh_token",
        "client_secret": "client-secret-0123",
        "refresh_token": "refresh-token-0123",
    }
    made.answer(login())
    then = made.due(NOW)
    assert [request.key for request in then] == [TOKEN, CHAIN]
    for request in then:
        bearer = request.headers["Authorization"]
        assert isinstance(bearer, Secret)
        assert bearer.reveal() == "Bearer an-access-token"
    assert ready().due(NOW) == []


def test_no_request_shows_a_secret() -> None:
    made = rest()
    shown = repr(made.due(NOW))
    made.answer(login())
    shown += repr(made.due(NOW))
    for secret in ("client-secret-0123", "refresh-token-0123", "an-access-token"):
        assert secret not in shown


def test_every_token_of_an_answer_is_struck_whether_it_is_used_or_not() -> None:
    made = rest()
    made.answer(said(LOGIN, {"access_token": "aaaaaaaa-1", "id_token": "iiiiiiii-1"}))
    made.answer(token())
    assert redactor.text("aaaaaaaa-1 iiiiiiii-1 a-quote-token") == "*** *** ***"


def test_a_quote_token_is_renewed_before_its_day_is_over() -> None:
    made = ready()
    assert made.due(NOW + 8 * HOUR) == []
    assert [request.key for request in made.due(NOW + 23 * HOUR + 3300 * NS)] == [LOGIN]
    made.answer(login(NOW + 24 * HOUR))
    assert [r.key for r in made.due(NOW + 24 * HOUR)] == [TOKEN, CHAIN]


def test_the_chain_is_asked_for_once_a_day() -> None:
    made = ready()
    assert made.due(NOW + 13 * HOUR) == []
    tomorrow = made.due(NOW + 15 * HOUR)
    assert [request.key for request in tomorrow] == [LOGIN]


def test_while_connected_a_request_is_repeated_once_a_minute_at_most() -> None:
    made = ready()
    made.distrust()
    assert [r.key for r in made.due_again(NOW)] == [TOKEN]
    assert made.due_again(NOW + 59 * NS) == []
    assert [r.key for r in made.due_again(NOW + 60 * NS)] == [TOKEN]


def test_am_and_pm_twins_of_one_date_are_two_contracts() -> None:
    listed = read_chain({"items": [SPX, SPXW]}, "SPX")
    date = dt.date(2025, 11, 21)
    assert dict(listed.contracts) == {
        ".SPX251121C6600": Contract("SPX", date, Right.CALL, 6600.0),
        ".SPX251121P6600": Contract("SPX", date, Right.PUT, 6600.0),
        ".SPXW251121C6600": Contract("SPXW", date, Right.CALL, 6600.0),
        ".SPXW251121P6600": Contract("SPXW", date, Right.PUT, 6600.0),
        ".SPXW251121C6602.5": Contract("SPXW", date, Right.CALL, 6602.5),
        ".SPXW251121P6602.5": Contract("SPXW", date, Right.PUT, 6602.5),
    }
    assert listed.left_out == {}


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (item("SPXW", "AM", strike("SPXW", "251121", 1.0)), "settles"),
        (item("SPX", "PM", strike("SPX", "251121", 1.0)), "settles"),
        (item("NDX", "AM", strike("NDX", "251121", 1.0)), "not a standard option"),
        (item("7SPX", "AM", strike("7SPX", "251121", 1.0)), "not a standard option"),
        (
            item("SPX", "AM", strike("SPX", "251121", 1.0), **{"shares-per-contract": 10}),
            "multiplier",
        ),
        (item("SP X", "AM", strike("SPX", "251121", 1.0)), "unknown"),
        (item("SPX", "AM", strike("SPXW", "251121", 1.0)), "disagree"),
        (item("SPX", "AM", strike("SPX", "251120", 1.0)), "disagree"),
        (item("SPX", "AM", strike("SPX", "251121", 1.0) | {"strike-price": "2.0"}), "disagree"),
        (item("SPX", "AM", {"strike-price": "1.0"}), "no streamer symbol"),
        (item("SPX", "AM", strike("SPX", "251121", 1.0) | {"strike-price": None}), "no streamer"),
    ],
)
def test_contracts_that_contradict_themselves_or_us_are_left_out_and_counted(
    odd: dict[str, Any], why: str
) -> None:
    listed = read_chain({"items": [odd, SPX]}, "SPX")
    assert len(listed.contracts) == 2
    ((reason, count),) = listed.left_out.items()
    assert why in reason
    assert count == 2


@pytest.mark.parametrize(
    "data", [{"items": [7, {"expirations": 3}, {"expirations": [{"strikes": 1}]}]}]
)
def test_a_chain_of_nonsense_lists_nothing(data: dict[str, Any]) -> None:
    assert read_chain(data, "SPX").contracts == ()


def test_a_login_without_an_account_is_told_so() -> None:
    made = rest()
    made.answer(login())
    error = {"error": {"code": "quote_streamer.customer_not_found_error", "message": "…"}}
    with pytest.raises(ConnectionFailedError, match="only a login") as caught:
        made.answer(said(TOKEN, error, status=404))
    assert not isinstance(caught.value, PassingError)


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_revoked_login_is_final_and_says_what_to_do(status: int) -> None:
    with pytest.raises(ConnectionFailedError, match="refuses the login") as caught:
        rest().answer(said(LOGIN, {"error_code": "invalid_grant"}, status=status))
    assert not isinstance(caught.value, PassingError)
    assert "invalid_grant" in caught.value.message
    assert "gexterm feeds login dxlink" in caught.value.hint


def test_an_access_token_that_just_expired_is_fetched_anew_once() -> None:
    made = rest()
    made.answer(login())
    denied = said(TOKEN, {"error": {"code": "token_invalid"}}, status=401)
    with pytest.raises(PassingError):
        made.answer(denied)
    assert [request.key for request in made.due(NOW)] == [LOGIN]
    made.answer(login())
    with pytest.raises(ConnectionFailedError) as caught:
        made.answer(denied)
    assert not isinstance(caught.value, PassingError)


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_server_in_trouble_is_worth_another_try(status: int) -> None:
    with pytest.raises(PassingError):
        rest().answer(Answer(LOGIN, status, {"retry-after": "7"}, b"", NOW))


def test_nonsense_and_no_answer_are_worth_another_try() -> None:
    for answer in (
        Answer(LOGIN, 200, {}, b"<html>", NOW),
        said(TOKEN, []),
        said(CHAIN, {"data": {}}),
        Answer(LOGIN, failure=Retry("it does not answer")),
    ):
        with pytest.raises(PassingError):
            rest().answer(answer)


def test_an_underlying_without_options_is_told_so() -> None:
    with pytest.raises(ConnectionFailedError, match="no options on SPX"):
        rest().answer(said(CHAIN, {}, status=404))


@pytest.mark.parametrize(
    "url",
    [
        "wss://example.com/realtime",
        "wss://dxfeed.com.example.com/realtime",
        "wss://evildxfeed.com/realtime",
        "ws://tasty-openapi-ws.dxfeed.com/realtime",
        "ws://127.0.0.1:1/realtime",
        "https://tasty-openapi-ws.dxfeed.com",
        "wss://u:p@tasty-openapi-ws.dxfeed.com/",
        "",
    ],
)
def test_the_quote_token_goes_to_the_venue_and_nowhere_else(url: str) -> None:
    with pytest.raises(ConnectionFailedError):
        rest().answer(token(url))


def test_a_loopback_venue_may_name_the_loopback() -> None:
    made = rest("http://127.0.0.1:8000")
    made.answer(token("ws://127.0.0.1:8001/realtime"))
    assert made.dxlink_url == "ws://127.0.0.1:8001/realtime"
