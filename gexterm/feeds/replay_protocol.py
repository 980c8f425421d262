"""Both ends of the replay wire, without sockets.

The server sends binary messages: frames of `gexterm.recording.codec` in a row. The
client sends commands as small JSON texts:

    {"command": "pause"}
    {"command": "resume"}
    {"command": "speed", "speed": 20}
    {"command": "seek", "ns": 1515166200000000000}
    {"command": "step"}                       to the next event
    {"command": "step", "seconds": 60}
    {"command": "step", "ticks": -1, "grid": 100000000}

`seek` and `step` may say at which distance the client ticks (`grid`, ns), which moments it
holds the state of (`held`, ns), and `seek` that nothing between may be left out (`through`).
With `anew` the client drops what is still on its way, and the server makes a new beginning in
any case. It says where a state is whole (a status with `whole` in its detail: all until then
has been sent, and nothing after), and from which of the moments held it goes on (`resume`).
"""

from __future__ import annotations

import math
from typing import Any

import msgspec

from gexterm.errors import ConnectionFailedError, InputError, RecordingVersionError
from gexterm.feeds.protocol import (
    BaseProtocol,
    Command,
    Frame,
    Pause,
    Resume,
    Seek,
    SetSpeed,
    Step,
)
from gexterm.market.events import Event
from gexterm.recording import codec

MAX_MESSAGE = codec.MAX_FRAME
"""Most bytes of one message from the server."""
MAX_COMMAND = 4096
"""Most bytes of one message from the client."""
MOST_HELD = 128
"""Most moments that a command can name."""
MOST_TICKS = 10_000
"""Most ticks of one step."""
SLOWEST, FASTEST = 0.01, 100_000.0
"""Limits of the speed, market seconds per second."""


class ReplayProtocol(BaseProtocol):
    """The client's end: a `FeedProtocol` for a replay server."""

    name = "replay"
    lossless = True

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def connect_url(self) -> str:
        """The server's address."""
        return self._url

    def receive(self, frame: bytes, recv_ns: int) -> list[Event]:
        """The events of a message, receipt times as recorded: `recv_ns` is of no interest.

        Raises RecordingError for a malformed message, ConnectionFailedError for a
        server of another version.
        """
        try:
            return [event for _, event in codec.decode_all(frame)]
        except RecordingVersionError as error:
            raise ConnectionFailedError(error.message, error.hint) from error

    def send(self, command: Command) -> list[Frame]:
        """Every command is understood."""
        return [encode_command(command)]


class _Message(msgspec.Struct):
    command: str
    speed: float | None = None
    ns: int | None = None
    seconds: float | None = None
    ticks: int = 0
    grid: int = 0
    through: bool = False
    anew: bool = False
    held: tuple[int, ...] = ()


_NAMES: dict[type, str] = {
    Pause: "pause",
    Resume: "resume",
    SetSpeed: "speed",
    Seek: "seek",
    Step: "step",
}


def encode_command(command: Command) -> str:
    """A command as the client sends it."""
    fields: dict[str, Any] = {"command": _NAMES[type(command)]}
    for name in ("speed", "ns", "seconds"):
        if (value := getattr(command, name, None)) is not None:
            fields[name] = value
    if fields.get("ns") == 0 and isinstance(command, Step):
        del fields["ns"]
    for name in ("ticks", "grid", "through", "held", "anew"):
        if value := getattr(command, name, None):
            fields[name] = value
    return msgspec.json.encode(fields).decode()


def decode_command(message: str | bytes) -> Command:
    """A command as the server understands it. Raises InputError for anything else."""
    try:
        raw = msgspec.json.decode(message, type=_Message)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"the control message is no command: {error}") from error
    if raw.command == "pause":
        return Pause()
    if raw.command == "resume":
        return Resume()
    if raw.command == "speed":
        if raw.speed is None or not SLOWEST <= raw.speed <= FASTEST:
            raise InputError(
                f"the speed {raw.speed} cannot be had", f"from {SLOWEST:g} to {FASTEST:g} it can"
            )
        return SetSpeed(raw.speed)
    if raw.command == "seek":
        if raw.ns is None or not 0 <= raw.ns < 2**63:
            raise InputError(f"{raw.ns} is no time to seek", "give ns since 1970 UTC")
        return Seek(raw.ns, raw.through, _held(raw), _grid(raw), raw.anew)
    if raw.command == "step":
        if raw.seconds is not None and not 0.0 < raw.seconds < 1e6:
            raise InputError(f"no step is {raw.seconds} s long", "steps go ahead; seek goes back")
        if abs(raw.ticks) > MOST_TICKS or (raw.ticks and not raw.grid):
            raise InputError(f"no step is {raw.ticks} ticks long", "say how far apart ticks are")
        return Step(raw.seconds, raw.ticks, max(0, raw.ns or 0), _held(raw), _grid(raw), raw.anew)
    raise InputError(f"no such command: {codec.text(raw.command[:40])!r}")


def _held(raw: _Message) -> tuple[int, ...]:
    if len(raw.held) > MOST_HELD or any(not 0 <= ns < 2**63 for ns in raw.held):
        raise InputError("these are no moments to go on from")
    return raw.held


def _grid(raw: _Message) -> int:
    if not 0 <= raw.grid <= 3600 * 10**9:
        raise InputError(f"ticks are not {raw.grid} ns apart")
    return raw.grid


def is_speed(value: float) -> bool:
    """Whether a replay can run at this speed."""
    return math.isfinite(value) and SLOWEST <= value <= FASTEST
