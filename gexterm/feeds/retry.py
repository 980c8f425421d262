"""Whether and when to connect again. Pure."""

from __future__ import annotations

import random
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidProxy,
    InvalidProxyStatus,
    InvalidStatus,
    InvalidURI,
    ProxyError,
)

from gexterm.errors import ConnectionFailedError, GextermError

_PASSING_STATUS = {408, 425, 429, 500, 502, 503, 504}
_TOO_OFTEN_S = 10.0
"""Seconds to wait after "asked too often" where the server does not say how long."""
_PORTAL_S = 30.0
"""Seconds to wait where a certificate was good before and is not now."""
_CLOSE_CODES = {
    1001: "it goes away",
    1006: "the connection broke",
    1008: "it found that we break its rules",
    1009: "it found a message of ours too long",
    1011: "it has an error of its own",
    1012: "it starts anew",
    1013: "it is overloaded",
}
_FINAL_CLOSE = {
    1003: "it does not take what we send",
    1007: "it found our messages malformed",
    1010: "it lacks an extension we need",
}
_CERTIFICATES = {
    9: ("is not valid yet", "check the date and time of this machine"),
    10: ("has expired", "check the date and time of this machine"),
    18: ("was signed by itself", "something on the way may pretend to be it"),
    19: ("was signed by nobody known", "something on the way may pretend to be it"),
    20: ("was signed by nobody known", "something on the way may pretend to be it"),
    62: ("is for another name", "check the address"),
    64: ("is for another address", "check the address"),
}
"""OpenSSL's verdicts (X509_V_ERR_…) in words, and what to do."""
_NOT_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE")
_NO_COMMON_TLS = ("PROTOCOL_VERSION", "HANDSHAKE_FAILURE", "UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS")


@dataclass(frozen=True, slots=True)
class Retry:
    """Worth another try."""

    reason: str
    """What went wrong, for a person."""
    wait_s: float = 0.0
    """Seconds to wait at least (the server asked for it, say)."""
    hint: str = ""
    """What the user could do about it; may be empty."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Another try would end the same way."""

    reason: str
    """What went wrong, for a person."""
    hint: str = ""
    """What to do about it."""


class PassingError(ConnectionFailedError):
    """The attempt is over, and another one makes sense.

    A protocol raises it over an answer ("too many requests") that it cannot go on without.
    """

    def __init__(self, message: str, hint: str = "", wait_s: float = 0.0) -> None:
        super().__init__(message, hint)
        self.wait_s = wait_s
        """Seconds to wait at least, as the server asks."""


def classify(error: BaseException, host: str = "", *, stood: bool = False) -> Retry | Stop:
    """What an error says about the next try. `host` is who was to be reached.

    Networks and servers recover; refusals, certificates and wrong addresses do not.
    A certificate does once it was good before (`stood`): a hotel's login page has come
    between. An error nobody foresaw stops: repeating it would hide it.
    """
    if isinstance(error, PassingError):
        return Retry(error.message, error.wait_s, error.hint)
    if isinstance(error, GextermError):
        return Stop(error.message, error.hint)
    if isinstance(error, ConnectionClosed):
        return _closed(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return _untrusted(error, stood)
    if isinstance(error, ssl.SSLError) and (verdict := _no_tls(error)) is not None:
        return verdict
    if isinstance(error, InvalidStatus):
        response = error.response
        return of_status(response.status_code, _seconds(response.headers.get("Retry-After", "")))
    if isinstance(error, InvalidURI):
        return Stop(f"{error.uri!r} is no websocket address")
    if isinstance(error, InvalidProxy):
        # Its message would repeat the address, which may hold a password.
        return Stop("the proxy's address is none", "check HTTPS_PROXY")
    if isinstance(error, TimeoutError):
        return Retry("it does not answer")
    if isinstance(error, socket.gaierror):
        return Retry(
            f"the name {host} is not known" if host else _said(error),
            hint="check the network and the address",
        )
    if isinstance(error, ConnectionRefusedError):
        return Retry("Connection refused: nobody listens there")
    if isinstance(error, OSError):
        return Retry(_said(error))
    if isinstance(error, ProxyError):
        return _proxy(error)
    if isinstance(error, InvalidHandshake):
        if isinstance(error.__cause__, EOFError | OSError):
            return Retry("it hung up during the handshake")
        return Stop(f"it does not speak websocket: {error}")
    if isinstance(error, EOFError):
        return Retry("it hung up")
    if isinstance(error, ImportError) and "proxy" in str(error).lower():
        return Stop("the proxy is a SOCKS proxy", "pip install python-socks, or use another")
    return Stop(f"{type(error).__name__}: {error}")


def of_status(status: int, wait_s: float = 0.0) -> Retry | Stop:
    """What an HTTP status other than success says. `wait_s` is what the server asks for."""
    if status == 429:
        said = "it answers with HTTP status 429: it is asked too often"
        return Retry(said, wait_s or _TOO_OFTEN_S)
    if status in _PASSING_STATUS:
        return Retry(f"it answers with HTTP status {status}", wait_s)
    if 300 <= status < 400:
        return Stop(f"it points elsewhere (HTTP status {status})", "check the address")
    if status == 407:
        return Stop("the proxy wants a login (HTTP status 407)", "set it up in the environment")
    hint = "check the key or token" if status in (401, 403) else "check the address"
    return Stop(f"it refuses with HTTP status {status}", hint)


def root_cause(error: BaseException) -> BaseException:
    """What lies behind a library's own error, as far as `classify` knows it; else the error."""
    known = (ssl.SSLError, socket.gaierror, ConnectionError, TimeoutError, ProxyError)
    return next((each for each in _behind(error) if isinstance(each, known)), error)


def delay_s(failures: int, rng: random.Random, first_s: float = 0.5, most_s: float = 30.0) -> float:
    """Seconds to wait before the next try, after `failures` in a row (1 or more).

    Doubles from `first_s` up to `most_s`; the upper half of it is left to chance, so
    that many clients of a server that went away do not all come back at once.
    """
    whole = min(most_s, first_s * 2.0 ** min(failures - 1, 60))
    return whole * rng.uniform(0.5, 1.0)


def _behind(error: BaseException) -> Iterator[BaseException]:
    """An error, what it was raised from, and the members of groups, each once."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop(0)
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        if isinstance(each, BaseExceptionGroup):
            waiting += each.exceptions
        waiting += [each.__cause__, each.__context__]


def _closed(error: ConnectionClosed) -> Retry | Stop:
    if error.rcvd is None:
        sent = error.sent
        if sent is not None and sent.code == 1011:
            return Retry("it stopped answering")
        if sent is not None and sent.code == 1009:
            return Retry(f"we hung up: {sent.reason or 1009}; its message is larger than we take")
        if sent is not None and sent.code != 1000:
            return Retry(f"we hung up: {sent.reason or sent.code}")
        return Retry("the connection broke")
    code = error.rcvd.code
    reason = f" ({error.rcvd.reason})" if error.rcvd.reason else ""
    if (said := _FINAL_CLOSE.get(code)) is not None:
        return Stop(f"it hung up: {said}{reason}")
    why = f": {said}" if (said := _CLOSE_CODES.get(code)) is not None else ""
    return Retry(f"it hung up with code {code}{reason}{why}")


def _untrusted(error: ssl.SSLCertVerificationError, stood: bool) -> Retry | Stop:
    # Set by the handshake only.
    code = getattr(error, "verify_code", 0)
    why, hint = _CERTIFICATES.get(code, ("is not trusted", ""))
    said = getattr(error, "verify_message", "") or str(error)
    reason = f"its certificate {why}: {said}"
    return Retry(reason, _PORTAL_S, hint) if stood else Stop(reason, hint)


def _no_tls(error: ssl.SSLError) -> Stop | None:
    """None where it may go well another time."""
    why = error.reason or ""
    if why in _NOT_TLS:
        return Stop("it does not speak TLS", "check the address and its port")
    if any(part in why for part in _NO_COMMON_TLS):
        return Stop(f"no kind of TLS is known to both sides ({why})", "check the address")
    return None


def _proxy(error: ProxyError) -> Retry | Stop:
    if isinstance(error, InvalidProxyStatus):
        status = error.response.status_code
        if status == 407:
            return of_status(status)
        if status not in _PASSING_STATUS:
            return Stop(f"the proxy refuses with HTTP status {status}", "check HTTPS_PROXY")
        return Retry(f"the proxy answers with HTTP status {status}")
    return Retry(f"the proxy failed: {error}", hint="check HTTPS_PROXY")


def _said(error: OSError) -> str:
    return error.strerror or str(error) or "the network failed"


def _seconds(asked: str) -> float:
    """A `Retry-After` in seconds; 0 where it is none."""
    return float(asked) if asked.isdecimal() and len(asked) < 7 else 0.0
