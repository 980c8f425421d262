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
    InvalidStatus,
    InvalidURI,
)
from websockets.frames import Close
from websockets.http11 import Response

from gexterm.errors import ConnectionFailedError
from gexterm.feeds.retry import Retry, Stop, classify, delay_s


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


@given(st.integers(1, 10_000), st.integers(0, 1000))
def test_waits_double_up_to_a_limit_and_half_is_chance(failures: int, seed: int):
    wait = delay_s(failures, random.Random(seed), first_s=0.5, most_s=30.0)
    whole = min(30.0, 0.5 * 2.0 ** min(failures - 1, 10))
    assert whole / 2 <= wait <= whole


def test_two_clients_do_not_come_back_together():
    waits = {delay_s(5, random.Random(seed)) for seed in range(20)}
    assert len(waits) == 20
