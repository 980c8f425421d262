"""What is on its way to the terminal, which may take it slowly, or for a while not at all.

Textual hands its output to a thread through a queue of 30 writes; over a slow line, or
while an ssh connection hangs, that queue is full and the whole program waits for the
terminal, the feed and its recording too. Here nothing waits: what was sent and not yet
taken is counted, and the monitor paints nothing further until the terminal has it.
"""

from __future__ import annotations

import os
import select
import threading
from queue import SimpleQueue
from typing import Any

PIECE = 1024
"""Bytes handed to the terminal at a time."""
PATIENCE_S = 1.0
"""How long the end of the program waits for a terminal that takes nothing, seconds."""


class Straight:
    """A terminal's file, written to without a buffer between.

    A buffer is locked while a write hangs, and Python aborts when it cannot flush it at
    the end. A terminal that another program has made non-blocking is waited for.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self._code = getattr(file, "encoding", None) or "utf-8"

    def write(self, text: str) -> None:
        """Write it all; raises OSError when the terminal is gone."""
        number, data = self._file.fileno(), text.encode(self._code, "replace")
        while data:
            try:
                data = data[os.write(number, data[:PIECE]) :]
            except BlockingIOError:
                select.select((), (number,), ())

    def flush(self) -> None:
        """Nothing is kept back."""

    def fileno(self) -> int:
        """The file's descriptor."""
        number: int = self._file.fileno()
        return number

    def isatty(self) -> bool:
        """Whether the file is a terminal."""
        return bool(self._file.isatty())


class Outflow(threading.Thread):
    """Writes to the terminal in the background, in place of Textual's own thread.

    Never makes the writer wait; `pending` says how much is still on its way.
    """

    def __init__(self, file: Any) -> None:
        super().__init__(daemon=True, name="textual-output")
        self._file = file
        self._queue: SimpleQueue[str | None] = SimpleQueue()
        self._lock = threading.Lock()
        self.pending = 0
        """Characters that the terminal has not taken yet."""

    def write(self, text: str) -> None:
        """Send text, when what was sent before is through."""
        with self._lock:
            self.pending += len(text)
        self._queue.put(text)

    def flush(self) -> None:
        """Written is written."""

    def isatty(self) -> bool:
        """As of a terminal."""
        return True

    def fileno(self) -> int:
        """The file's descriptor."""
        number: int = self._file.fileno()
        return number

    def run(self) -> None:
        """Write until told to stop."""
        while (text := self._queue.get()) is not None:
            self._file.write(text)
            with self._lock:
                self.pending -= len(text)
            if not self.pending:
                self._file.flush()

    def stop(self) -> None:
        """End once all is written, or once the terminal has taken nothing for a while."""
        self._queue.put(None)
        left = -1
        while self.is_alive() and self.pending != left:
            left = self.pending
            self.join(PATIENCE_S)
