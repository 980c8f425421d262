"""What every feed protocol is to the runner: frames in, events and frames out.

A protocol opens no socket, sleeps nowhere and asks no clock. The runner
(`gexterm.feeds.runner`) owns the connection and calls it:

    on_open    once per connection: what to send first (a login, say)
    receive    once per frame, in order: what the frame says
    outgoing   after every `receive`: what the frame made it want to send
               (subscriptions after a login, an answer to a heartbeat)
    on_timer   about once a second, for what is due without being asked for
    send       when the user wants something

State that belongs to a connection begins anew in `on_open`. Contract indices do not:
they last as long as the protocol object, so that a reconnect defines nothing twice.
A protocol that does begin anew says so with a SourceInfo.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gexterm.market.events import Event

Frame = str | bytes
"""What is sent: text or binary. What is received is always bytes, text in UTF-8."""


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


@dataclass(frozen=True, slots=True)
class Step:
    """Move ahead a little, paused or not."""

    seconds: float | None = None
    """Market time to move by; None: to the next event."""


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

    def connect_url(self) -> str:
        """Where to connect. Asked before every attempt; must carry no secret."""
        ...

    def on_open(self) -> list[Frame]:
        """The connection stands: what to send first."""
        ...

    def receive(self, frame: bytes, recv_ns: int) -> list[Event]:
        """What a frame says, received at `recv_ns`.

        Raises InputError for a frame that makes no sense: it is counted, named and
        skipped. Raises ConnectionFailedError when there is no point in going on (a
        login refused): the runner stops and tells why.
        """
        ...

    def outgoing(self) -> list[Frame]:
        """What there is to send by now; each frame is handed out once."""
        ...

    def on_timer(self, now_ns: int) -> list[Frame]:
        """What is due by the clock (keep-alives, the next batch of subscriptions)."""
        ...

    def send(self, command: Command) -> list[Frame]:
        """A user's wish as frames; none where the feed has no such thing."""
        ...
