"""Standard output for programs: whole lines, a reader that may be slow, or gone.

A line is written on a thread of its own, so that a reader who does not read holds up
neither the market nor Ctrl-C. Whoever writes waits for the line before: nothing piles up.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import queue
import signal
import stat
import sys
import threading
from collections.abc import Coroutine
from typing import Any

from gexterm.errors import OutputError


class Outlet:
    """Lines to standard output, in order, one at a time."""

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[tuple[bytes, asyncio.Future[None]]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._fd = _descriptor()
        self._encoding = getattr(sys.stdout, "encoding", None) or "utf-8"

    async def put(self, line: str | bytes) -> None:
        """Write a line, newline included, and wait until it is written.

        Text is written in the terminal's encoding, bytes as they are. Raises
        BrokenPipeError where the reader has gone, OutputError where it cannot be written.
        """
        content = line if isinstance(line, bytes) else line.encode(self._encoding, "replace")
        if self._fd < 0:
            # No file behind it (a notebook, a test): it cannot keep us waiting.
            sys.stdout.write(content.decode(self._encoding, "replace"))
            return
        if self._thread is None:
            sys.stdout.flush()
            # A daemon: a line that nobody reads must not keep the program from ending.
            self._thread = threading.Thread(target=self._run, name="stdout", daemon=True)
            self._thread.start()
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._work.put((content, done))
        await done

    def _run(self) -> None:
        while True:
            content, done = self._work.get()
            error: BaseException | None = None
            try:
                _write(self._fd, content)
            except OSError as problem:
                error = _told(problem)
            # The loop may be gone by the time that somebody reads.
            with contextlib.suppress(RuntimeError):
                done.get_loop().call_soon_threadsafe(_finish, done, error)


def _write(descriptor: int, content: bytes) -> None:
    # Past Python's own buffer: its lock would be held while we wait.
    view = memoryview(content)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:
            # Somebody before us left it non-blocking.
            os.set_blocking(descriptor, True)


def _told(problem: OSError) -> Exception:
    if problem.errno == errno.EPIPE:
        return BrokenPipeError(errno.EPIPE, "the reader has gone")
    return OutputError(
        f"standard output cannot be written: {problem.strerror}", "check the space left on it"
    )


def _finish(done: asyncio.Future[None], error: BaseException | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)


def _descriptor() -> int:
    try:
        return sys.stdout.fileno()
    except (OSError, ValueError, AttributeError):
        return -1


def run_until_told(work: Coroutine[Any, Any, None], *, with_reader: bool = False) -> None:
    """Run to the end, or until told to stop: then everything is closed in good order.

    `with_reader`: also until whoever reads standard output through a pipe has gone; without
    it that shows with the next line only, which may be a minute away.
    """

    async def until_told() -> None:
        task = asyncio.ensure_future(work)
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP", "SIGINT"):
            with contextlib.suppress(AttributeError, NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(getattr(signal, name), task.cancel)
        if with_reader:
            _when_reader_goes(loop, task)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    asyncio.run(until_told())


def _when_reader_goes(loop: asyncio.AbstractEventLoop, task: asyncio.Future[None]) -> None:
    descriptor = _descriptor()
    try:
        if descriptor < 0 or not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            return
    except OSError:
        return

    def gone() -> None:
        loop.remove_reader(descriptor)
        task.cancel()

    # A pipe's writing end turns readable when nobody holds the other one any more.
    with contextlib.suppress(NotImplementedError, OSError, ValueError):
        loop.add_reader(descriptor, gone)
