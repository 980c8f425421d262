"""What every fake venue shares: one loopback port that speaks HTTP and websocket.

A fake knows its venue's protocol from the venue's description, never from our client. It
answers, it tells what it was sent, and it can be told to do wrong. What the line itself
does wrong (a cut in mid-frame, silence without an end) is `tests.venues.line`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, Self

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FakeVenue:
    """A server on the loopback. An async context manager; subclasses add their routes."""

    def __init__(self) -> None:
        self.app = web.Application(client_max_size=2**26)
        self.port = 0
        self.requests: list[web.BaseRequest] = []
        """Every HTTP request, in order."""
        self.sockets: list[web.WebSocketResponse] = []
        """Websockets that stand, in the order of connecting."""
        self.connections = 0
        """Websockets that ever stood."""
        self._runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=0.1)

    def http(self, method: str, path: str, handler: Handler) -> None:
        """Serve a path."""

        async def noted(request: web.Request) -> web.StreamResponse:
            self.requests.append(request)
            return await handler(request)

        self.app.router.add_route(method, path, noted)

    def websocket(self, path: str) -> None:
        """Serve websockets at a path; `session` has the word."""

        async def handle(request: web.Request) -> web.WebSocketResponse:
            socket = web.WebSocketResponse(max_msg_size=2**26, timeout=0.2)
            await socket.prepare(request)
            self.connections += 1
            self.sockets.append(socket)
            try:
                await self.session(socket)
            except ConnectionResetError:
                pass
            finally:
                self.sockets.remove(socket)
                with contextlib.suppress(Exception):
                    await socket.close()
            return socket

        self.app.router.add_get(path, handle)

    async def session(self, socket: web.WebSocketResponse) -> None:
        """One connection from its opening to its end."""
        raise NotImplementedError

    def url(self, path: str = "", scheme: str = "ws") -> str:
        """The address of a path."""
        return f"{scheme}://127.0.0.1:{self.port}{path}"

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: Any) -> None:
        for socket in list(self.sockets):
            with contextlib.suppress(Exception):
                await asyncio.wait_for(socket.close(), 0.5)
        await self._runner.cleanup()
