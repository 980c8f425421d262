"""Both ends of the wire between a hub and its viewers, without sockets.

Each proves to the other that it knows the secret, and neither says it:

    viewer   {"viewer": 1, "nonce": n}
    hub      {"hub": 1, "nonce": m, "proof": HMAC(secret, "hub" n m)}
    viewer   {"proof": HMAC(secret, "viewer" n m)}

Then only the hub speaks. A message is frames of `gexterm.recording.codec` in a row, as on the
replay wire (`replay_protocol`), or JSON, which begins with `{`:

    {"goes_on_from": {...}}     before a session's first event
    {"recording": {...}}        how the hub's recording goes
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from gexterm.errors import ConnectionFailedError, InputError
from gexterm.feeds.protocol import BaseProtocol, Outgoing
from gexterm.feeds.retry import PassingError, Retry, Stop
from gexterm.market.events import Event, SourceInfo
from gexterm.recording import codec

_T = TypeVar("_T")

VERSION = 1
"""Of this wire."""
SECRET_ENV = "GEXTERM_SHARED_SECRET"  # noqa: S105  the name of a variable
"""Environment variable that holds the secret."""
SHARED = ", shared"
"""What a viewer adds to the feed's name: the status line begins with it."""
MOST_HELLO = 1024
"""Bytes of a message before the other side is known."""


class GoesOnFrom(msgspec.Struct, frozen=True, kw_only=True):
    """What a session goes on from."""

    book: str = ""
    """The book as its file has it (`recording.books.encode`), in base64; empty: none."""
    folder: str = ""
    """Where the day's earlier recordings are."""
    earlier: list[tuple[str, int]] = []
    """Their names, and events read of each."""

    @property
    def book_bytes(self) -> bytes:
        """The book's content; empty: none. Raises InputError for what is no base64."""
        try:
            return base64.b64decode(self.book, validate=True)
        except ValueError as error:
            raise InputError(f"the hub's book is damaged: {error}") from error


class HubRecording(msgspec.Struct, frozen=True, kw_only=True):
    """How the hub's recording goes."""

    on: bool = False
    """Whether it is being written."""
    size: int = 0
    """Bytes written."""
    why: str = ""
    """Why not, or what it lost."""
    path: str = ""
    """The file."""
    chosen: bool = False
    """Whether it is off by choice."""


class _Hello(msgspec.Struct, kw_only=True):
    viewer: int
    nonce: str


class _Answer(msgspec.Struct, kw_only=True):
    hub: int
    nonce: str
    proof: str


class _Proof(msgspec.Struct, kw_only=True):
    proof: str


class _Told(msgspec.Struct, kw_only=True):
    goes_on_from: GoesOnFrom | None = None
    recording: HubRecording | None = None


def told(*, goes_on_from: GoesOnFrom | None = None, recording: HubRecording | None = None) -> bytes:
    """What a hub says besides frames."""
    said: dict[str, Any] = {}
    if goes_on_from is not None:
        said["goes_on_from"] = goes_on_from
    if recording is not None:
        said["recording"] = recording
    return msgspec.json.encode(said)


class Welcome:
    """The hub's end of the handshake."""

    def __init__(self, secret: bytes, nonce: str = "") -> None:
        self._secret = secret
        self._own = nonce or secrets.token_hex(16)
        self._expected = ""

    def answer(self, hello: bytes) -> bytes:
        """The answer to a viewer's first message. Raises InputError for anything else."""
        given = _decoded(hello, _Hello)
        if given.viewer != VERSION or not 16 <= len(given.nonce) <= 128:
            raise InputError(f"this hub speaks version {VERSION}")
        self._expected = _proof(self._secret, "viewer", given.nonce, self._own)
        own = _proof(self._secret, "hub", given.nonce, self._own)
        return msgspec.json.encode({"hub": VERSION, "nonce": self._own, "proof": own})

    def admits(self, message: bytes) -> bool:
        """Whether a viewer's second message proves that it knows the secret."""
        try:
            given = _decoded(message, _Proof).proof
        except InputError:
            return False
        return bool(self._expected) and hmac.compare_digest(
            given.encode(errors="replace"), self._expected.encode()
        )


class RelayProtocol(BaseProtocol):
    """The viewer's end: a `FeedProtocol` for a hub.

    `nonces` makes the numbers of the handshake.
    """

    name = "shared session"
    lossless = True

    def __init__(
        self,
        url: str,
        secret: bytes,
        nonces: Callable[[], str] = lambda: secrets.token_hex(16),
    ) -> None:
        super().__init__()
        self.account.admitted = False
        self.goes_on_from = GoesOnFrom()
        """What the session goes on from, as told last."""
        self.recording = HubRecording()
        """How the hub's recording goes, as told last."""
        self._url = url
        self._secret = secret
        self._nonces = nonces
        self._nonce = ""
        self._out: list[Outgoing] = []

    def connect_url(self) -> str:
        """The hub's address."""
        return self._url

    def on_open(self, now_ns: int) -> list[Outgoing]:
        """Ask to be let in."""
        self.account.admitted = False
        self._out.clear()
        self._nonce = self._nonces()
        return [msgspec.json.encode({"viewer": VERSION, "nonce": self._nonce}).decode()]

    def receive(self, frame: bytes, recv_ns: int) -> list[Event]:
        """Events as the hub had them, receipt times included.

        Raises ConnectionFailedError for a hub that does not know the secret or speaks another
        version, RecordingError for a malformed message.
        """
        if not self.account.admitted:
            self._check(_decoded(frame, _Answer))
            return []
        if frame.startswith(b"{"):
            said = _decoded(frame, _Told)
            self.goes_on_from = said.goes_on_from or self.goes_on_from
            self.recording = said.recording or self.recording
            return []
        return [_marked(event) for _, event in codec.decode_all(frame)]

    def outgoing(self) -> list[Outgoing]:
        """The proof, once."""
        out, self._out = self._out, []
        return out

    def closed(self, verdict: Retry | Stop, now_ns: int) -> Retry | Stop:
        """A hub that is gone comes back: whoever keeps it starts it anew."""
        self.account.admitted = False
        if isinstance(verdict, Retry):
            return Retry(f"its hub is gone ({verdict.reason})", min(verdict.wait_s, 3.0))
        return verdict

    def _check(self, given: _Answer) -> None:
        if given.hub != VERSION:
            raise ConnectionFailedError(
                f"the hub speaks version {given.hub}, this program {VERSION}",
                "use the same gexterm for both",
            )
        if not hmac.compare_digest(
            given.proof.encode(errors="replace"),
            _proof(self._secret, "hub", self._nonce, given.nonce).encode(),
        ):
            # Maybe somebody sits on the port of a hub that ended.
            raise PassingError("whoever listens there is not our hub")
        proof = _proof(self._secret, "viewer", self._nonce, given.nonce)
        self._out.append(msgspec.json.encode({"proof": proof}).decode())
        self.account.admitted = True


def _marked(event: Event) -> Event:
    if isinstance(event, SourceInfo) and not event.feed.endswith(SHARED):
        return replace(event, feed=event.feed[: codec.MAX_NAME - len(SHARED)] + SHARED)
    return event


def _proof(secret: bytes, who: str, first: str, second: str) -> str:
    text = f"{who} {len(first)} {first} {second}".encode(errors="replace")
    return hmac.new(secret, text, "sha256").hexdigest()


def _decoded(message: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(message, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"that is no message of this wire: {error}") from error
