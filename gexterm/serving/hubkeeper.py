"""Keeps a hub running beside the web server, on one port and under one secret.

The hub's standard input is a pipe of ours: when we are gone, however that came, it ends in good
order. Its first line of output is its address. One that ends is started anew, later each time.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence

from gexterm.errors import GextermError
from gexterm.feeds.relay_protocol import SECRET_ENV

URL_ENV = "GEXTERM_SHARED_URL"
"""Environment variable that holds the hub's address."""
START_S = 30.0
"""Seconds for a hub to say where it is."""
LEAVING_S = 5.0
"""Seconds for a hub that has closed its output to be gone."""
STOP_S = 30.0
"""Seconds for a hub to close its files and keep its book."""
WAITS_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds until a hub that ended is started anew: the first time, the second, …"""
_SETTLED_S = 60.0


class HubEndedError(GextermError):
    """A hub that did not come up; why has been said."""


class HubKeeper:
    """A hub, and another when it ends. An async context manager; entering waits for the first.

    `argv` is the hub's command, to which `--port=N` is added. Raises HubEndedError, with the
    hub's exit code, where the first does not come up.
    """

    def __init__(
        self,
        argv: Sequence[str],
        tell: Callable[[str], None],
        waits_s: Sequence[float] = WAITS_S,
    ) -> None:
        self.url = ""
        """Where the hub listens."""
        self.starts = 0
        """Hubs started so far."""
        self.secret = secrets.token_hex(32)
        """What the hub and its viewers share."""
        self._argv = list(argv)
        self._tell = tell
        self._waits_s = waits_s
        self._process: Process | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def for_viewers(self) -> dict[str, str]:
        """What viewers need in their environment."""
        return {SECRET_ENV: self.secret, URL_ENV: self.url}

    @property
    def pid(self) -> int:
        """The hub's process; 0 where there is none."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if running and self._process is not None else 0

    async def __aenter__(self) -> HubKeeper:
        process = await self._start(0)
        if process.returncode is not None:
            code = process.returncode
            if code <= 0:
                self._tell(f"gexterm: the hub did not come up within {START_S:g} s")
            failed = HubEndedError("the hub did not start")
            failed.exit_code = code if code > 0 else 1
            raise failed
        self._task = asyncio.create_task(self._keep(process))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._process is not None:
            await _end(self._process)

    async def _start(self, port: int) -> Process:
        """A hub that says where it is, or has ended."""
        self.starts += 1
        self._process = process = await asyncio.create_subprocess_exec(
            *self._argv,
            f"--port={port}",
            stdin=PIPE,
            stdout=PIPE,
            env=os.environ | {SECRET_ENV: self.secret},
            start_new_session=True,
        )
        line = b""
        try:
            if process.stdout is not None:
                async with asyncio.timeout(START_S):
                    line = await process.stdout.readline()
        except (TimeoutError, ValueError):
            pass
        except BaseException:
            await _end(process)
            raise
        url = line.decode(errors="replace").strip()
        if url.startswith("ws://"):
            self.url = url
            return process
        if not line:
            # It is on its way out: told to end now, it could not give its own reason.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), LEAVING_S)
        await _end(process)
        return process

    async def _keep(self, process: Process) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            began = loop.time()
            code = await process.wait()
            failures = 0 if loop.time() - began > _SETTLED_S else failures + 1
            wait_s = self._waits_s[min(failures, len(self._waits_s) - 1)]
            how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
            self._tell(f"the hub {how}; starting it anew in {wait_s:g} s")
            await asyncio.sleep(wait_s)
            try:
                process = await self._start(int(self.url.rstrip("/").rpartition(":")[2]))
            except OSError as error:
                # No room for a process just now: the next time, perhaps.
                self._tell(f"the hub cannot be started: {error.strerror or error}")


async def _end(process: Process) -> None:
    """Tell a hub to end, and wait until it has closed its files."""
    _signal(process, signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), STOP_S)
    except TimeoutError:
        _signal(process, signal.SIGKILL)
        await process.wait()


def _signal(process: Process, which: signal.Signals) -> None:
    """Send a signal to a process that may just have ended.

    Its own `send_signal` asks the system whether it has, and takes the exit code away from
    whoever waits for it.
    """
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, which)
