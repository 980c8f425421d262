"""Which errors are worth another try, and how long to wait for it."""

from __future__ import annotations

import random
import re
import socket
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.datastructures import Headers
from websockets.exceptions import (
    ConnectionClosedError,
    ConnectionClosedOK,
    InvalidMessage,
    InvalidProxy,
    InvalidProxyStatus,
    InvalidStatus,
    InvalidURI,
    ProxyError,
)
from websockets.frames import Close
from websockets.http11 import Response

from gexterm.errors import ConnectionFailedError
from gexterm.feeds.retry import PassingError, Retry, Stop, classify, delay_s, root_cause


def closed(code: int, reason: str = "") -> ConnectionClosedError:
    return ConnectionClosedError(Close(code, reason), None)


def status(code: int) -> InvalidStatus:
    return InvalidStatus(Response(code, "", Headers()))


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused"),
        (ConnectionResetError(), "the network failed"),
        (TimeoutError(), "does not answer"),
        (socket.gaierror(-3, "Temporary failure in name resolution"), "Temporary failure"),
        (EOFError(), "hung up"),
        (caused(InvalidMessage("no response"), EOFError()), "during the handshake"),
        (status(429), "HTTP status 429"),
        (status(503), "HTTP status 503"),
        (closed(1001, "going away"), r"code 1001 \(going away\)"),
        (closed(1008, "slow consumer"), r"code 1008 \(slow consumer\)"),
        (closed(1012), "code 1012"),
        (ConnectionClosedOK(Close(1000, ""), None), "code 1000"),
        (ConnectionClosedError(None, None), "the connection broke"),
        (ConnectionClosedError(None, Close(1011, "keepalive")), "stopped answering"),
        (ConnectionClosedError(None, Close(1009, "too big")), "we hung up: too big"),
    ],
)
def test_networks_and_servers_recover(error: Exception, said: str):
    verdict = classify(error)
    assert isinstance(verdict, Retry)
    assert re.search(said, verdict.reason)


@pytest.mark.parametrize(
    ("error", "said", "hint"),
    [
        (ConnectionFailedError("login refused", "check the token"), "login refused", "the token"),
        (status(401), "HTTP status 401", "key or token"),
        (status(403), "HTTP status 403", "key or token"),
        (status(404), "HTTP status 404", "address"),
        (status(200), "HTTP status 200", "address"),
        (InvalidURI("http://x", "no"), "no websocket address", ""),
        (ssl.SSLCertVerificationError("expired"), "certificate", ""),
        (InvalidMessage("did not receive a valid HTTP response"), "not speak websocket", ""),
        (closed(1003), "does not take what we send", ""),
        (closed(1007, "bad JSON"), r"malformed (bad JSON)", ""),
        (KeyError("surprise"), "KeyError", ""),
    ],
)
def test_refusals_and_surprises_do_not(error: Exception, said: str, hint: str):
    verdict = classify(error)
    assert isinstance(verdict, Stop)
    assert said in verdict.reason
    assert hint in verdict.hint


def test_a_name_that_is_not_known_is_named_and_tried_again():
    verdict = classify(socket.gaierror(-2, "Name or service not known"), "www.venue.example")
    assert isinstance(verdict, Retry)
    assert verdict.reason == "the name www.venue.example is not known"
    assert "network" in verdict.hint


def test_a_server_that_asks_for_patience_gets_it():
    later = InvalidStatus(Response(503, "", Headers({"Retry-After": "120"})))
    assert classify(later) == Retry("it answers with HTTP status 503", 120.0)
    for asked in ("soon", "-5", "1e9", "9999999", "Fri, 21 Nov 2025 16:00:00 GMT"):
        odd = InvalidStatus(Response(503, "", Headers({"Retry-After": asked})))
        assert classify(odd) == Retry("it answers with HTTP status 503")
    unsaid = classify(status(429))
    assert isinstance(unsaid, Retry)
    assert unsaid.wait_s >= 10.0


def test_an_error_of_a_protocol_says_itself_whether_it_passes():
    assert classify(PassingError("busy", "wait", 7.0)) == Retry("busy", 7.0, "wait")
    assert classify(ConnectionFailedError("no", "never")) == Stop("no", "never")


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (InvalidProxyStatus(Response(407, "", Headers())), Stop, "wants a login"),
        (InvalidProxyStatus(Response(403, "", Headers())), Stop, "the proxy refuses"),
        (InvalidProxyStatus(Response(502, "", Headers())), Retry, "the proxy answers"),
        (InvalidProxy("http://me:pw@x", "no"), Stop, "the proxy's address"),
        (ProxyError("broken pipe"), Retry, "the proxy failed"),
        (ImportError("connecting through a SOCKS proxy requires python-socks"), Stop, "SOCKS"),
    ],
)
def test_a_proxy_that_fails_is_told_apart_from_the_venue(error: Exception, kind: type, said: str):
    verdict = classify(error)
    assert isinstance(verdict, kind)
    assert said in verdict.reason
    assert "pw" not in verdict.reason + verdict.hint


def test_what_lies_behind_a_librarys_error_is_found():
    refused = ConnectionRefusedError(111, "Connection refused")
    group = ExceptionGroup("all failed", [OSError("x"), refused])
    assert root_cause(caused(OSError("all failed"), group)) is refused
    lone = ValueError("x")
    assert root_cause(lone) is lone
    # A ring of causes ends.
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert root_cause(first) is first


@given(st.integers(1, 10_000), st.integers(0, 1000))
def test_waits_double_up_to_a_limit_and_half_is_chance(failures: int, seed: int):
    wait = delay_s(failures, random.Random(seed), first_s=0.5, most_s=30.0)
    whole = min(30.0, 0.5 * 2.0 ** min(failures - 1, 10))
    assert whole / 2 <= wait <= whole


def test_two_clients_do_not_come_back_together():
    waits = {delay_s(5, random.Random(seed)) for seed in range(20)}
    assert len(waits) == 20
