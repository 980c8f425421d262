"""How patient a runner is, how much it holds, and what it has seen so far."""

from __future__ import annotations

from dataclasses import dataclass

from gexterm.recording import codec


@dataclass(frozen=True, slots=True)
class RunnerSettings:
    """How patient a runner is, and how much it holds."""

    open_timeout_s: float = 10.0
    """Seconds for a connection to stand, handshake included."""
    ping_s: float = 20.0
    """Seconds between keep-alive pings."""
    pong_s: float = 20.0
    """Seconds for the answer, after which the connection counts as broken."""
    close_timeout_s: float = 2.0
    """Seconds for the other side to say good-bye."""
    retry_first_s: float = 0.5
    """Seconds before the first retry, doubled with each further one."""
    retry_most_s: float = 30.0
    """Seconds between retries, at most, unless the server asks for more."""
    settled_s: float = 10.0
    """A connection that lasted this long sets the retries back to the first."""
    tries: int | None = None
    """Failed attempts in a row before giving up; None: never."""
    max_message: int = codec.MAX_FRAME + (1 << 20)
    """Most bytes of one message."""
    queue_frames: int = 10_000
    """Most frames that wait to be parsed."""
    queue_bytes: int = 64 * 1024 * 1024
    """Most bytes of them."""
    pending_rows: int = 1_000_000
    """Rows of events that wait to be taken, beyond which parsing waits."""
    flush_s: float = 0.05
    """Seconds between flushes, at most, while there is room."""
    flush_rows: int = 50_000
    """Rows that wait to be taken, beyond which nothing is flushed."""
    held_bytes: int = 64 * 1024 * 1024
    """Bytes of frames parsed since the last flush, beyond which parsing waits as well."""


@dataclass(slots=True)
class FeedCounters:
    """What a runner has seen so far."""

    frames: int = 0
    """Frames received."""
    bytes: int = 0
    """Bytes received."""
    rows: int = 0
    """Rows of quotes, trades, … parsed."""
    dropped: int = 0
    """Frames dropped because the queue was full."""
    malformed: int = 0
    """Frames and answers that made no sense."""
    connects: int = 0
    """Connections that stood."""
    reconnects: int = 0
    """Connections that stood after an earlier one had."""
    last_error: str = ""
    """The last thing that went wrong."""
    last_frame: int = 0
    """Receipt time of the last frame, ns; 0 before the first."""
    last_dropped: int = 0
    """When a frame was last dropped, ns; 0: none was."""
