"""One viewer: a browser's websocket on one side, a process with its own monitor on the other.

The process ends with the websocket, whatever either of them does: it is asked to quit, then
told, then killed. What it writes meanwhile is thrown away, since one that waits for us to
read cannot hear that it shall quit.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiohttp import web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from gexterm.serving import driver

QUIT_S = 3.0
"""Seconds for a process to quit when asked."""
TERM_S = 2.0
"""Seconds more when told, before it is killed."""
_MOST_PACKET = 1 << 26
_PRELUDE = b"__GANGLION__\n"
_WIDTHS, _HEIGHTS = (20, 600), (5, 300)
_NOT_HANDED_ON = ("LINES", "COLUMNS", "ROWS", "NO_COLOR", "TEXTUAL", "TEXTUAL_LOG")


class Viewer(AppService):
    """A process and the websocket that it is for."""

    def __init__(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        socket: web.WebSocketResponse,
        downloads: DownloadManager,
    ) -> None:
        super().__init__(
            "",
            write_bytes=socket.send_bytes,
            write_str=socket.send_str,
            close=socket.close,  # type: ignore[arg-type]
            download_manager=downloads,
        )
        self.said = ""
        """The last line that the process said on its standard error."""
        self._argv = list(argv)
        self._env = environment
        self._socket = socket
        self._leaving = False

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        given = {k: v for k, v in self._env.items() if k not in _NOT_HANDED_ON}
        self._process = process = await asyncio.create_subprocess_exec(
            *self._argv,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=given
            | {
                "TEXTUAL_DRIVER": driver.NAME,
                "TEXTUAL_COLOR_SYSTEM": "truecolor",
                "TERM": "xterm-256color",
                "COLORTERM": "truecolor",
                "PYTHONIOENCODING": "utf-8",
                "COLUMNS": str(_within(width, _WIDTHS)),
                "ROWS": str(_within(height, _HEIGHTS)),
            },
            # Ctrl-C in the server's terminal is for the server: it then ends the viewers.
            start_new_session=True,
        )
        self._stdin = process.stdin
        return process

    # -- from the browser ----------------------------------------------------------------

    async def take(self, text: str) -> None:
        """Do what a message of the browser's asks; nonsense is passed over."""
        try:
            kind, *rest = json.loads(text)
            if kind == "stdin":
                await self.send_bytes(rest[0].encode("utf-8", "replace"))
            elif kind == "resize":
                await self.set_terminal_size(
                    _within(int(rest[0]["width"]), _WIDTHS),
                    _within(int(rest[0]["height"]), _HEIGHTS),
                )
            elif kind == "ping":
                await self.remote_write_str(json.dumps(["pong", str(rest[0])[:40]]))
            elif kind in ("focus", "blur"):
                await self.send_meta({"type": kind})
        except (ValueError, TypeError, KeyError, IndexError, AttributeError):
            return

    # -- from the process ------------------------------------------------------------------

    async def run(self) -> None:
        """Pass on what the process says, to its end; then the websocket ends as well."""
        process = self._process
        if process is None or process.stdout is None or process.stderr is None:
            return
        listening = asyncio.create_task(self._overhear(process.stderr))
        asked = False
        try:
            line = b""
            for _ in range(10):
                line = await process.stdout.readline()
                if not line or line == _PRELUDE:
                    break
            while line:
                kind = await process.stdout.readexactly(1)
                size = int.from_bytes(await process.stdout.readexactly(4), "big")
                if size > _MOST_PACKET:
                    break
                payload = await process.stdout.readexactly(size)
                if kind == b"M" and json.loads(payload).get("type") == "exit":
                    asked = True
                else:
                    await self._pass_on(kind, payload)
        except (asyncio.IncompleteReadError, ValueError, ConnectionError):
            pass
        finally:
            if not self._leaving:
                await asyncio.wait([listening], timeout=1.0)
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            if not self._leaving:
                await self._end(asked)

    async def _pass_on(self, kind: bytes, payload: bytes) -> None:
        if self._leaving:
            return
        try:
            if kind == b"D":
                await self.remote_write_bytes(payload)
            elif kind == b"M":
                await self.on_meta(payload)
            elif kind == b"P":
                await self.on_packed(payload)
        except (ConnectionError, RuntimeError):
            self._leaving = True

    async def _end(self, asked: bool) -> None:
        """Say to the page whether somebody wanted this end, or it shall try again."""
        reason = "" if asked else self.said or "the monitor ended"
        cut = reason.encode()[:120].decode(errors="ignore").encode()
        with contextlib.suppress(ConnectionError, RuntimeError):
            await self._socket.close(code=1000 if asked else 1011, message=cut)

    async def _overhear(self, stderr: asyncio.StreamReader) -> None:
        while line := await _line(stderr):
            if text := line.decode(errors="replace").strip():
                self.said = "".join(c if c.isprintable() else " " for c in text)[:400]

    # -- the end -----------------------------------------------------------------------------

    async def stop(self) -> None:
        """End the process, whatever state it is in. Harmless when repeated."""
        self._leaving = True
        if self._process is None:
            return
        process, task = self._process, self._task
        self._task = None
        if task is not None:
            # It may be waiting for a browser that takes nothing.
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        draining = [
            asyncio.create_task(_drain(stream)) for stream in (process.stdout, process.stderr)
        ]
        if process.returncode is None:
            await self._download_manager.cancel_app_downloads(self.app_service_id)
            await _patiently(lambda: self.send_meta({"type": "quit"}), 1.0)
            if not await _ends(process, QUIT_S):
                with contextlib.suppress(ProcessLookupError):
                    process.terminate()
                if not await _ends(process, TERM_S):
                    with contextlib.suppress(ProcessLookupError):
                        process.kill()
                    await process.wait()
        for each in draining:
            each.cancel()
        await asyncio.gather(*draining, return_exceptions=True)


def environment_of(without: Sequence[str] = (), **more: str) -> dict[str, str]:
    """This process's environment for a viewer, `without` what it need not know."""
    return {k: v for k, v in os.environ.items() if k not in without} | more


async def _ends(process: Process, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), seconds)
    return process.returncode is not None


async def _patiently(work: Callable[[], Awaitable[Any]], seconds: float) -> None:
    with contextlib.suppress(TimeoutError, OSError, RuntimeError):
        async with asyncio.timeout(seconds):
            await work()


async def _drain(stream: asyncio.StreamReader | None) -> None:
    """Read and forget."""
    while stream is not None and await stream.read(1 << 16):
        pass


async def _line(stream: asyncio.StreamReader) -> bytes:
    try:
        return await stream.readline()
    except ValueError:  # longer than is read at once
        return b" \n"


def _within(value: int, limits: tuple[int, int]) -> int:
    return max(limits[0], min(limits[1], value))
