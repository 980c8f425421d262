"""Whether and when to connect again. Pure."""

from __future__ import annotations

import random
import ssl
from dataclasses import dataclass

from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    InvalidURI,
    ProxyError,
)

from gexterm.errors import ConnectionFailedError, GextermError

_PASSING_STATUS = {408, 425, 429, 500, 502, 503, 504}
_FINAL_CLOSE = {
    1003: "it does not take what we send",
    1007: "it found our messages malformed",
    1010: "it lacks an extension we need",
}


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


def classify(error: BaseException) -> Retry | Stop:
    """What an error says about the next try.

    Networks and servers recover; refusals, certificates and wrong addresses do not.
    An error nobody foresaw stops: repeating it would hide it.
    """
    if isinstance(error, PassingError):
        return Retry(error.message, error.wait_s, error.hint)
    if isinstance(error, GextermError):
        return Stop(error.message, error.hint)
    if isinstance(error, ConnectionClosed):
        return _closed(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        # Set by the handshake only.
        why = getattr(error, "verify_message", "") or str(error)
        return Stop(f"its certificate is not trusted: {why}")
    if isinstance(error, InvalidStatus):
        return _status(error.response.status_code)
    if isinstance(error, InvalidURI):
        return Stop(f"{error.uri!r} is no websocket address")
    if isinstance(error, TimeoutError):
        return Retry("it does not answer")
    if isinstance(error, ConnectionRefusedError):
        return Retry("Connection refused: nobody listens there")
    if isinstance(error, OSError):
        return Retry(error.strerror or str(error) or "the network failed")
    if isinstance(error, ProxyError):
        return Retry(f"the proxy failed: {error}")
    if isinstance(error, InvalidHandshake):
        if isinstance(error.__cause__, EOFError | OSError):
            return Retry("it hung up during the handshake")
        return Stop(f"it does not speak websocket: {error}")
    if isinstance(error, EOFError):
        return Retry("it hung up")
    return Stop(f"{type(error).__name__}: {error}")


def delay_s(failures: int, rng: random.Random, first_s: float = 0.5, most_s: float = 30.0) -> float:
    """Seconds to wait before the next try, after `failures` in a row (1 or more).

    Doubles from `first_s` up to `most_s`; the upper half of it is left to chance, so
    that many clients of a server that went away do not all come back at once.
    """
    whole = min(most_s, first_s * 2.0 ** min(failures - 1, 60))
    return whole * rng.uniform(0.5, 1.0)


def _closed(error: ConnectionClosed) -> Retry | Stop:
    if error.rcvd is None:
        if error.sent is not None and error.sent.code == 1011:
            return Retry("it stopped answering")
        if error.sent is not None and error.sent.code != 1000:
            return Retry(f"we hung up: {error.sent.reason or error.sent.code}")
        return Retry("the connection broke")
    reason = f" ({error.rcvd.reason})" if error.rcvd.reason else ""
    if (said := _FINAL_CLOSE.get(error.rcvd.code)) is not None:
        return Stop(f"it hung up: {said}{reason}")
    return Retry(f"it hung up with code {error.rcvd.code}{reason}")


def _status(code: int) -> Retry | Stop:
    if code in _PASSING_STATUS:
        return Retry(f"it answers with HTTP status {code}")
    hint = "check the key or token" if code in (401, 403) else "check the address"
    return Stop(f"it refuses with HTTP status {code}", hint)
