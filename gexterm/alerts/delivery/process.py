"""Running a program that is told something: no shell, no terminal, no end without us.

Its input and its complaints go through pipes of ours and not of asyncio: a grandchild that
keeps one of them open must not keep us waiting for a program that has ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence

from gexterm.alerts.delivery.protocol import DeliveryError
from gexterm.alerts.delivery.wording import harmless
from gexterm.feeds.secrets import redactor

_KEPT = 2048
"""Bytes of what it complains of that are kept."""
MOST_INPUT = 16_384
"""Bytes that a pipe takes on every system without a reader."""


async def run(argv: Sequence[str], said: bytes = b"") -> None:
    """Run a program to its end, with `said` on its standard input.

    Raises DeliveryError where it cannot be begun or ends with a code other than 0, with the
    first line of its standard error. Cancelled, it is killed with all that it has begun in
    its process group.
    """
    if len(said) > MOST_INPUT:
        raise DeliveryError("the message is too long")
    loop = asyncio.get_running_loop()
    reading, writing = os.pipe()
    heard, complaining = os.pipe()
    complaint = bytearray()

    def drain() -> None:
        # Read to the last byte: a program that nobody reads stands still.
        chunk = b""
        with contextlib.suppress(OSError):
            chunk = os.read(heard, 65_536)
        complaint.extend(chunk[: _KEPT - len(complaint)] if len(complaint) < _KEPT else b"")
        if not chunk:
            loop.remove_reader(heard)

    try:
        try:
            os.set_blocking(heard, False)
            os.write(writing, said)
            os.close(writing)
            writing = -1
            process = await _begin(argv, reading, complaining)
        finally:
            for handle in (reading, writing, complaining):
                if handle >= 0:
                    os.close(handle)
        loop.add_reader(heard, drain)
        try:
            code = await _to_the_end(process)
        finally:
            loop.remove_reader(heard)
        drain_rest(heard, complaint)
    finally:
        os.close(heard)
    if code != 0:
        raise DeliveryError(_why(argv[0], code, bytes(complaint)))


def drain_rest(heard: int, complaint: bytearray) -> None:
    """What still stood in the pipe when the program ended."""
    with contextlib.suppress(OSError):
        while len(complaint) < _KEPT and (chunk := os.read(heard, _KEPT - len(complaint))):
            complaint.extend(chunk)


async def _begin(argv: Sequence[str], given: int, complaining: int) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *argv,
            stdin=given,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=complaining,
            start_new_session=True,
        )
    except FileNotFoundError:
        raise DeliveryError(f"there is no program {harmless(argv[0], 80)}") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", "") or error
        raise DeliveryError(f"{harmless(argv[0], 80)} cannot be run: {why}") from None


async def _to_the_end(process: asyncio.subprocess.Process) -> int:
    try:
        return await process.wait()
    except BaseException:
        # It leads a group of its own: what it has begun goes with it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(Exception, asyncio.CancelledError):
            await asyncio.wait_for(process.wait(), 1.0)
        raise


def _why(program: str, code: int, complaint: bytes) -> str:
    text = complaint.decode("utf-8", "replace").strip()
    first = harmless(redactor.text(text.splitlines()[0]), 120) if text else ""
    ended = f"ended with {code}" if code > 0 else f"was ended by signal {-code}"
    name = harmless(program.rpartition("/")[2], 40)
    return f"{name} {ended}: {first}" if first else f"{name} {ended}"
