"""The login: strict, in order, and the key itself never leaves."""

from __future__ import annotations

import hashlib

import pytest

from gexterm.errors import ConnectionFailedError, UsageError
from gexterm.feeds.databento import URL, VENUE, make
from gexterm.feeds.databento.handshake import Handshake, subscribe_lines
from gexterm.feeds.secrets import Secret
from gexterm.feeds.venue import FeedOptions
from tests.feeds.databento.made import KEY, login, session


def begun() -> Handshake:
    return Handshake(Secret(KEY), "OPRA.PILLAR")


def test_the_answer_to_a_challenge_is_a_hash_and_the_last_five_of_the_key() -> None:
    lines, rest = begun().take(b"lsg_version=0.7.2\ncram=abc\n")
    proof = hashlib.sha256(f"abc|{KEY}".encode()).hexdigest()
    assert rest is None
    assert len(lines) == 1
    assert lines[0].startswith(
        f"auth={proof}-{KEY[-5:]}|dataset=OPRA.PILLAR|encoding=dbn|ts_out=0|"
    )
    assert "|compression=none|heartbeat_interval_s=30|" in lines[0]
    assert lines[0].endswith("\n")


def test_nothing_that_is_sent_holds_the_key() -> None:
    for line in login(session()):
        assert KEY not in line


@pytest.mark.parametrize("piece", [1, 2, 7, 1000])
def test_the_lines_may_come_in_any_pieces(piece: int) -> None:
    shake = begun()
    told = b"lsg_version=0.7.2\ncram=abc\nsuccess=1|session_id=17\nDBN\x03"
    rest = b""
    for at in range(0, len(told), piece):
        part = told[at : at + piece]
        rest += part if shake.done else shake.take(part)[1] or b""
    assert shake.done
    assert rest == b"DBN\x03"


def test_a_refusal_is_told_in_the_venues_words_and_without_the_key() -> None:
    shake = begun()
    shake.take(b"cram=abc\n")
    with pytest.raises(ConnectionFailedError) as caught:
        shake.take(f"success=0|error=no such key {KEY}\x1b[2J\n".encode())
    said = str(caught.value)
    assert "no such key ***" in said
    assert KEY not in said
    assert "\x1b" not in said


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"\x16\x03\x01\x02\x00",
        b"success=1|session_id=1\n",
        b"x" * 5000,
        b"cram=abc\ncram=abd\n",
    ],
)
def test_who_speaks_something_else_is_no_gateway(said: bytes) -> None:
    with pytest.raises(ConnectionFailedError, match="no gateway"):
        begun().take(said)


def test_many_symbols_are_one_request_in_parts() -> None:
    lines = subscribe_lines("cbbo-1s", "raw_symbol", [f"S{i}" for i in range(1001)], 5)
    assert [line.count(",") + 1 for line in lines] == [500, 500, 1]
    assert [line[-2] for line in lines] == ["0", "0", "1"]
    assert all("|id=5|" in line for line in lines)
    assert all("start=" not in line for line in lines)


def test_what_can_be_replayed_is_asked_for_before_the_stream_begins() -> None:
    lines = login(session())
    schemas = [line.split("|")[0] for line in lines]
    assert schemas[1:] == [
        "schema=definition",
        "schema=statistics",
        "schema=cbbo-1m",
        "schema=tcbbo",
        "start_session=0\n",
    ]
    assert all("|stype_in=parent|symbols=SPX.OPT,SPXW.OPT|" in line for line in lines[1:5])
    assert "|start=0|" in lines[1]
    assert "|start=0|" in lines[2]


@pytest.mark.parametrize(
    ("underlying", "roots"),
    [("SPX", "SPX.OPT,SPXW.OPT"), ("VIX", "VIX.OPT,VIXW.OPT"), ("SPY", "SPY.OPT")],
)
def test_all_living_roots_of_an_underlying_are_asked_for(underlying: str, roots: str) -> None:
    assert f"|symbols={roots}|" in login(session(underlying))[1]


@pytest.mark.parametrize("underlying", ["BTC", "SPXW", "SOL_USDC"])
def test_what_opra_does_not_carry_is_said_at_once(underlying: str) -> None:
    with pytest.raises(UsageError):
        session(underlying)


@pytest.mark.parametrize("key", ["", "short", "with|bar|in|it", "with\nline\nin it"])
def test_what_cannot_be_a_key_is_said_before_connecting(key: str) -> None:
    with pytest.raises(UsageError):
        make("SPX", {"key": Secret(key)}, FeedOptions())


def test_the_address_is_the_venues_unless_the_user_names_another() -> None:
    assert session().connect_url() == URL
    assert session(url="tcp://127.0.0.1:5").connect_url() == "tcp://127.0.0.1:5"
    with pytest.raises(UsageError):
        session(url="https://127.0.0.1")


def test_there_is_no_delayed_and_no_demo_service() -> None:
    for options in ({"demo": True}, {"delayed": True}):
        with pytest.raises(UsageError):
            session(**options)


def test_without_the_extra_the_venue_is_shown_and_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import sys

    monkeypatch.delitem(sys.modules, "gexterm.feeds.databento.protocol", raising=False)
    monkeypatch.setitem(sys.modules, "databento_dbn", None)
    assert VENUE.extra == "databento"
    with pytest.raises(UsageError, match=r"gexterm\[databento\]"):
        make("SPX", {"key": Secret(KEY)}, FeedOptions())


def test_the_login_is_a_step() -> None:
    protocol = session()
    login(protocol)
    assert protocol.account.steps == {"authenticated": "session '17'"}
