"""One connection as a state machine: what is answered to what, and when it ends for good."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gexterm.clock import NS
from gexterm.errors import ConnectionFailedError, GextermError, InputError
from gexterm.feeds.dxlink.compact import FIELDS, PRINT
from gexterm.feeds.dxlink.session import FEED, HISTORY, TAPE, Session, read_message
from gexterm.feeds.protocol import Answer, Request
from gexterm.feeds.retry import Retry, Stop
from gexterm.feeds.secrets import Secret
from gexterm.market import calendar
from gexterm.market.events import Quotes, Trades
from tests.feeds.dxlink.live import CALL, OPEN, TEN, sale
from tests.feeds.dxlink.made import NOW, data, ready, say
from tests.feeds.dxlink.made import TAPE as TAPE_CHANNEL

TOKEN = Secret("a-quote-token-0123")


class Server:
    """What a session says to a server that says what it is told to."""

    def __init__(self) -> None:
        self.session = Session()
        self.session.token = TOKEN
        self.now = NOW
        self.greeting = json.loads(self.session.begin(NOW))
        self.session.want(FEED, TAPE)

    def says(self, **message: Any) -> list[dict[str, Any]]:
        frame = json.dumps({"channel": 0} | message).encode()
        self.session.hear(read_message(frame), self.now)
        return [json.loads(each) for each in self.session.take()]

    def later(self, seconds: float) -> list[dict[str, Any]]:
        self.now += round(seconds * NS)
        self.session.second(self.now)
        return [json.loads(each) for each in self.session.take()]

    def lets_in(self) -> list[dict[str, Any]]:
        self.says(type="SETUP", keepaliveTimeout=60, version="1.0")
        return self.says(type="AUTH_STATE", state="AUTHORIZED")


def test_setup_comes_first_and_alone() -> None:
    server = Server()
    assert server.greeting["type"] == "SETUP"
    assert server.greeting["channel"] == 0
    assert server.greeting["version"].startswith("0.1-gexterm/")
    assert server.session.take() == []


def test_a_token_is_shown_only_where_it_is_asked_for() -> None:
    assert Server().says(type="AUTH_STATE", state="UNAUTHORIZED") == [
        {"type": "AUTH", "channel": 0, "token": "a-quote-token-0123"}
    ]
    asked = Server().says(type="AUTH_STATE", state="AUTHORIZED")
    assert [message["type"] for message in asked] == ["CHANNEL_REQUEST"] * 2


def test_channels_are_odd_and_have_their_contracts() -> None:
    requests = Server().lets_in()
    assert [(r["channel"], r["parameters"]["contract"]) for r in requests] == [
        (1, "AUTO"),
        (3, "STREAM"),
    ]


def test_an_opened_channel_is_set_up_for_every_print() -> None:
    server = Server()
    server.lets_in()
    (setup,) = server.says(type="CHANNEL_OPENED", channel=3)
    assert setup["type"] == "FEED_SETUP"
    assert setup["acceptAggregationPeriod"] == 0
    assert setup["acceptDataFormat"] == "COMPACT"
    assert list(setup["acceptEventFields"]) == ["TimeAndSale"]
    assert server.says(type="CHANNEL_OPENED", channel=3) == []


def test_it_keeps_itself_alive_as_often_as_the_server_asks() -> None:
    server = Server()
    server.lets_in()
    alive = [{"type": "KEEPALIVE", "channel": 0}]
    assert server.later(29) == []
    assert server.later(1) == alive
    assert server.later(29) == []
    assert server.later(1) == alive
    server.says(type="SETUP", keepaliveTimeout=10)
    assert server.later(5) == alive


def test_a_closed_channel_is_asked_for_again_later_and_later_under_new_numbers() -> None:
    server = Server()
    server.lets_in()
    number, waits = 3, []
    for _ in range(8):
        server.says(type="CHANNEL_CLOSED", channel=number)
        waited = 0
        while not (sent := [m for m in server.later(1) if m["type"] != "KEEPALIVE"]):
            waited += 1
        waits.append(waited + 1)
        (request,) = sent
        assert request["parameters"]["contract"] == "STREAM"
        assert request["channel"] > number
        assert request["channel"] % 2 == 1
        number = request["channel"]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


def test_a_refused_token_is_renewed_once_and_then_it_ends() -> None:
    server = Server()
    server.says(type="AUTH_STATE", state="UNAUTHORIZED")
    assert server.says(type="AUTH_STATE", state="UNAUTHORIZED") == []
    assert server.session.token_refused
    assert server.says(type="ERROR", error="UNAUTHORIZED", message="again") == []
    server.session.renewed(Secret("another-token-0123"))
    assert [json.loads(m)["token"] for m in server.session.take()] == ["another-token-0123"]
    with pytest.raises(ConnectionFailedError, match="just fetched"):
        server.says(type="AUTH_STATE", state="UNAUTHORIZED")


def test_a_token_that_expires_a_day_later_is_renewed_again() -> None:
    server = Server()
    for _ in range(3):
        server.lets_in()
        server.says(type="AUTH_STATE", state="UNAUTHORIZED")
        server.says(type="AUTH_STATE", state="UNAUTHORIZED")
        assert server.session.token_refused
        server.session.renewed(Secret("another-token-0123"))
        server.now += 24 * 3600 * NS


def test_a_channel_that_is_refused_costs_no_token() -> None:
    server = Server()
    server.lets_in()
    server.says(type="ERROR", channel=3, error="UNAUTHORIZED", message="not entitled")
    assert not server.session.token_refused
    assert ("error", "DXLink says 'UNAUTHORIZED' on the tape channel: 'not entitled'") in (
        server.session.news
    )


def test_a_server_that_asks_for_a_token_where_there_is_none_is_told_apart() -> None:
    server = Server()
    server.session.token = None
    with pytest.raises(ConnectionFailedError, match="there is none"):
        server.says(type="AUTH_STATE", state="UNAUTHORIZED")


def test_a_protocol_no_longer_spoken_ends_it() -> None:
    with pytest.raises(ConnectionFailedError, match="version"):
        Server().says(type="ERROR", error="UNSUPPORTED_PROTOCOL", message="1.0 only")


@pytest.mark.parametrize("kind", ["TIMEOUT", "INVALID_MESSAGE", "BAD_ACTION", "UNKNOWN", 7, None])
def test_other_errors_are_told_and_nothing_else(kind: object) -> None:
    server = Server()
    server.lets_in()
    assert server.says(type="ERROR", error=kind, message="x\x1b[2J[red]") == []
    ((_, said),) = [news for news in server.session.news if news[0] == "error"]
    assert "\x1b" not in said
    assert "[red]" not in said


def test_a_channel_no_longer_needed_is_cancelled_and_not_opened_again() -> None:
    server = Server()
    server.session.want(HISTORY)
    server.lets_in()
    server.says(type="CHANNEL_OPENED", channel=5)
    server.session.drop(HISTORY)
    assert [json.loads(m) for m in server.session.take()] == [
        {"type": "CHANNEL_CANCEL", "channel": 5}
    ]
    server.says(type="CHANNEL_CLOSED", channel=5)
    assert [m for m in server.later(120) if m["type"] != "KEEPALIVE"] == []


# The protocol around it


def test_data_of_a_channel_we_have_forgotten_is_given_back_once() -> None:
    protocol = ready(".SPXW251121C6600")
    for _ in range(3):
        assert say(protocol, data("Quote", [".SPXW251121C6600", 1, 2, 3, 4, 0, 0], 77)) == []
    cancels = [m for m in protocol.outgoing() if isinstance(m, str) and "CHANNEL_CANCEL" in m]
    assert [json.loads(m)["channel"] for m in cancels] == [77]


def test_a_print_keeps_the_quote_at_which_it_was_made() -> None:
    protocol = ready(CALL)
    sold = sale(CALL, 1, 10.5, 1.0)
    for message in (
        data("Quote", [CALL, 10.4, 10.5, 1, 1, 0, 0]),
        data("TimeAndSale", [sold[field] for field in FIELDS[PRINT]], TAPE_CHANNEL),
        data("Quote", [CALL, 10.6, 10.7, 1, 1, 0, 0]),
    ):
        protocol.receive(json.dumps(message).encode(), NOW)
    quotes, prints = protocol.flush()
    assert isinstance(quotes, Quotes)
    assert quotes.bid.tolist() == [10.4, 10.6]
    assert isinstance(prints, Trades)


def test_a_server_that_hangs_up_on_our_token_is_not_asked_for_ever() -> None:
    protocol = ready(".SPXW251121C6600")
    verdict: Retry | Stop = Retry("")
    hung_up = 0
    while isinstance(verdict, Retry):
        protocol.on_open(NOW)
        say(protocol, {"type": "AUTH_STATE", "channel": 0, "state": "UNAUTHORIZED"})
        verdict = protocol.closed(Retry("it hung up"), NOW)
        hung_up += 1
    assert hung_up == 3
    assert "hangs up whenever" in verdict.reason


def test_a_line_that_never_stood_counts_against_nobody() -> None:
    protocol = ready(".SPXW251121C6600")
    protocol.closed(Retry("it hung up"), NOW)
    for _ in range(10):
        assert isinstance(protocol.closed(Retry("Connection refused"), NOW), Retry)


def test_quotes_are_due_in_session_and_not_at_night() -> None:
    protocol = ready(".SPXW251121C6600")
    assert protocol.quiet_s(TEN) < 60
    assert protocol.quiet_s(OPEN - 3600 * NS) == float("inf")
    assert protocol.dead_s() > 60


def test_on_a_half_day_nothing_is_due_after_an_early_close() -> None:
    protocol = ready(".SPXW251128C6600")
    day = dt.date(2025, 11, 28)
    assert protocol.quiet_s(calendar.at_et(day, dt.time(13, 10))) < 60
    assert protocol.quiet_s(calendar.at_et(day, dt.time(13, 20))) == float("inf")


def test_a_renewal_that_fails_disturbs_no_connection_that_is_in_order() -> None:
    protocol = ready(".SPXW251121C6600")
    (request,) = [r for r in protocol.on_timer(NOW + 24 * 3600 * NS) if isinstance(r, Request)]
    protocol.answer(Answer(request.key, 400, {}, b"{}", NOW))
    assert "refuses the login" in protocol.account.notes["tastytrade"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)
_TYPES = ["SETUP", "AUTH_STATE", "CHANNEL_OPENED", "CHANNEL_CLOSED", "FEED_CONFIG"]
_TYPES += ["FEED_DATA", "ERROR", "X"]
_FIELDS = ["channel", "data", "state", "error", "message", "eventFields", "aggregationPeriod"]
_FIELDS += ["keepaliveTimeout"]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(_TYPES),
    st.dictionaries(st.sampled_from(_FIELDS), _JSON, max_size=6),
    st.sampled_from([None, 0, 1, 3, 5]),
)
def test_no_message_whatsoever_brings_it_down(
    kind: str, fields: dict[str, Any], on: int | None
) -> None:
    protocol = ready(".SPXW251121C6600", ".SPXW251121P6600")
    message = fields | {"type": kind} | ({} if on is None else {"channel": on})
    try:
        say(protocol, json.dumps(message).encode())
    except GextermError as error:
        assert error.message
    protocol.on_timer(NOW + NS)
    protocol.flush()


@settings(max_examples=100)
@given(st.binary(max_size=60))
def test_no_bytes_whatsoever_are_a_message_by_mistake(frame: bytes) -> None:
    try:
        read_message(frame)
    except InputError:
        return
    assert json.loads(frame)["type"]
