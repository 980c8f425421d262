"""What every feed protocol is to the runner: frames in, events and frames out.

A protocol opens no socket, sleeps nowhere and asks no clock. The runner
(`gexterm.feeds.runner`) owns connection, requests and time, and calls it:

    prepare    before every attempt to connect: what must be had over HTTP first (a token)
    on_open    once per connection: what to send first (a login, say)
    receive    once per frame, in order: what the frame says
    answer     once per request of ours, in the order of arrival among the frames
    outgoing   after `receive` and `answer`: what they made it want to send or request
               (subscriptions after a login, an answer to a heartbeat, the next page)
    flush      a few times a second: what was gathered since the last time, as columns
    on_timer   about once a second, for what is due without being asked for
    closed     the connection is no more: what that means to this venue
    send       when the user wants something

Quotes are gathered and conflated between two flushes, prints are gathered and never
conflated (`feeds.conflate`): a busy second costs a few batches and not one object a
message. What cannot wait, `receive` returns at once.

State that belongs to a connection begins anew in `on_open`. Contract indices do not:
they last as long as the protocol object, so that a reconnect defines nothing twice.
A protocol that does begin anew says so with a SourceInfo. Its first event ever is one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from gexterm.feeds.retry import Retry, Stop
from gexterm.feeds.secrets import Secret
from gexterm.market.events import Event

Frame = str | bytes
"""What is sent: text or binary. What is received is always bytes, text in UTF-8."""


@dataclass(frozen=True, slots=True)
class Request:
    """Something wanted over HTTP. The runner fetches it and hands in an Answer."""

    key: str
    """Names it in the Answer; one request of a key is under way at a time."""
    url: str
    """Where; https, or plain http on the loopback. Carries no secret."""
    method: Literal["GET", "POST"] = "GET"
    """How."""
    headers: Mapping[str, str | Secret] = field(default_factory=dict)
    """What to say besides User-Agent and Accept-Encoding."""
    body: str | Secret = ""
    """What to post."""
    deadline_s: float = 30.0
    """Seconds for it in all."""
    most_bytes: int = 64 * 1024 * 1024
    """Most bytes of the answer, unpacked."""


@dataclass(frozen=True, eq=False, slots=True)
class Answer:
    """What a Request brought. Redirects are not followed: they arrive as such."""

    key: str
    """The request's."""
    status: int = 0
    """HTTP status; 0 where no answer could be had."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Of the answer, names in lower case."""
    body: bytes = b""
    """Of the answer, unpacked."""
    recv_ns: int = 0
    """When it was complete, ns."""
    failure: Retry | Stop | None = None
    """Why no answer could be had, where none could."""

    @property
    def retry_after_s(self) -> float:
        """Seconds the server asks to wait (`Retry-After`, in seconds); 0 where it does not."""
        asked = self.headers.get("retry-after", "")
        return float(asked) if asked.isdecimal() and len(asked) < 7 else 0.0


Outgoing = Frame | Request
"""What a protocol can want sent."""


@dataclass(slots=True)
class Account:
    """What a protocol knows of itself. It keeps the account up to date; the runner reads it.

    See `market.events.FeedReport`, which is made of it, for what the numbers mean.
    """

    admitted: bool = True
    """Whether the venue has let us in: where there is a login, false from `on_open` until it
    is accepted. Nothing is called live before."""
    gaps: int = 0
    """Prints proved missing that could not be had later."""
    refilled: int = 0
    """Prints fetched after the fact."""
    listed: int = 0
    """Contracts the venue lists."""
    quoted: int = 0
    """Contracts whose quotes are asked for."""
    printed: int = 0
    """Contracts whose prints are asked for."""
    window: str = ""
    """Which contracts are quoted, for a person."""
    heard_from: int = 0
    """Since when prints are known without interruption, market time, ns; 0: not at all."""
    notes: dict[str, str] = field(default_factory=dict)
    """What the user must know: one line each, under a key by which it is replaced."""
    steps: dict[str, str] = field(default_factory=dict)
    """Steps reached on this connection, with what each said, in order: `gexterm doctor`
    shows them. Names are a few plain words: "logged in", "chain", "subscribed"."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Stand still."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on."""


@dataclass(frozen=True, slots=True)
class SetSpeed:
    """Run at another speed."""

    speed: float
    """Seconds of market time per second; above zero."""


@dataclass(frozen=True, slots=True)
class Seek:
    """Move to another time."""

    ns: int
    """Market time, ns since 1970 UTC."""
    through: bool = False
    """Whether all that lies between is wanted as well, when it leads ahead."""
    held: tuple[int, ...] = ()
    """Moments whose state the asker holds, ns: from the last of them on is enough."""
    grid: int = 0
    """Distance of the asker's ticks, ns: one of them shall fall on the place; 0: none need."""
    anew: bool = False
    """Whether the asker drops all that was sent until it hears where a new beginning is made."""


@dataclass(frozen=True, slots=True)
class Step:
    """Move a little, paused or not."""

    seconds: float | None = None
    """Market time to move ahead by; None: to the next event."""
    ticks: int = 0
    """So many of the asker's ticks on, or back where negative; 0: `seconds` counts."""
    ns: int = 0
    """Time of the tick that the asker stands on, ns; 0: not known."""
    held: tuple[int, ...] = ()
    """As of `Seek`."""
    grid: int = 0
    """As of `Seek`."""
    anew: bool = False
    """As of `Seek`."""


Command = Pause | Resume | SetSpeed | Seek | Step
"""What a user can ask of a feed. A feed ignores what it cannot do."""


class FeedProtocol(Protocol):
    """One feed's language. Implementations are pure; tests feed them bytes."""

    name: str
    """Who delivers, as the user knows it; in every message about the connection."""
    lossless: bool
    """Whether the sender waits for a slow reader (a replay) or goes on without (a venue).

    With a lossless sender a full queue makes the runner read more slowly; with
    another it drops frames, counts them and says so.
    """
    answers_on_thread: bool
    """Whether `answer` takes long (a page of ten megabytes) and is to be called on a thread.

    Until it returns, the runner calls nothing else of this protocol: frames, timer and
    flush wait, the screen does not.
    """
    account: Account
    """What it knows of itself."""

    def prepare(self, now_ns: int) -> list[Request]:
        """What must be had before connecting; asked again after the answers, until nothing is.

        A request that fails ends the attempt, as a failed connection does.
        """
        ...

    def connect_url(self) -> str:
        """Where to connect, after `prepare`. Must carry no secret.

        `wss://…` (or `ws://` on the loopback) for a websocket, `tcp://host:port` for a
        plain stream, empty for a feed of requests only.
        """
        ...

    def on_open(self, now_ns: int) -> list[Outgoing]:
        """The connection stands: what to send first."""
        ...

    def receive(self, frame: bytes, recv_ns: int) -> list[Event]:
        """What a frame says that cannot wait for `flush`, received at `recv_ns`.

        A frame is a websocket message, or whatever a stream had at a time. Raises
        InputError for one that makes no sense: it is counted, named and skipped.
        Raises ConnectionFailedError when there is no point in going on (a login
        refused): the runner stops and tells why. Its kind `retry.PassingError` ends this
        connection, or this attempt, but not the tries.
        """
        ...

    def answer(self, answer: Answer) -> list[Event]:
        """What an answer says. Raises as `receive` does."""
        ...

    def outgoing(self) -> list[Outgoing]:
        """What there is to send by now; each is handed out once."""
        ...

    def flush(self) -> list[Event]:
        """What was gathered since the last time: definitions, quotes, then prints."""
        ...

    def on_timer(self, now_ns: int) -> list[Outgoing]:
        """What is due by the clock (keep-alives, the next batch of subscriptions)."""
        ...

    def closed(self, verdict: Retry | Stop, now_ns: int) -> Retry | Stop:
        """The connection is gone, or was not to be had: the verdict, as this venue means it."""
        ...

    def quiet_s(self, now_ns: int) -> float:
        """Seconds without any rows after which the feed is stale; inf while none are due."""
        ...

    def dead_s(self) -> float:
        """Seconds without any frame after which the connection is dead and made anew; inf: never.

        For venues that send heartbeats. Websockets are pinged besides.
        """
        ...

    def send(self, command: Command) -> list[Frame]:
        """A user's wish as frames; none where the feed has no such thing."""
        ...


class BaseProtocol:
    """What most protocols answer where they have nothing to say."""

    name = ""
    lossless = False
    answers_on_thread = False

    def __init__(self) -> None:
        self.account = Account()

    def prepare(self, now_ns: int) -> list[Request]:
        """Nothing is needed beforehand."""
        return []

    def on_open(self, now_ns: int) -> list[Outgoing]:
        """Nothing: the other side begins."""
        return []

    def answer(self, answer: Answer) -> list[Event]:
        """Nothing was asked."""
        return []

    def outgoing(self) -> list[Outgoing]:
        """Nothing is to be sent."""
        return []

    def flush(self) -> list[Event]:
        """Nothing is ever gathered."""
        return []

    def on_timer(self, now_ns: int) -> list[Outgoing]:
        """Nothing is ever due."""
        return []

    def closed(self, verdict: Retry | Stop, now_ns: int) -> Retry | Stop:
        """It means what it means everywhere."""
        return verdict

    def quiet_s(self, now_ns: int) -> float:
        """It may be silent for ever."""
        return math.inf

    def dead_s(self) -> float:
        """It sends no heartbeats."""
        return math.inf

    def send(self, command: Command) -> list[Frame]:
        """A market takes no orders from us."""
        return []
