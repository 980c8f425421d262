"""The web server: a page, the terminal's files, and a websocket for each viewer.

Everything goes through one gate (`serving.access`), static files as well. Nothing is logged:
the address of the first request holds the token.
"""

from __future__ import annotations

import asyncio
import html
import logging
import secrets
import string
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import textual_serve
from aiohttp import WSMsgType, web
from aiohttp.typedefs import Middleware
from textual_serve.download_manager import DownloadManager

from gexterm.errors import ConnectionFailedError
from gexterm.serving.access import Access
from gexterm.serving.viewer import Viewer
from gexterm.snapshots.png import FONTS

_log = logging.getLogger(__name__)
_log.addHandler(logging.NullHandler())

MOST_VIEWERS = 8
"""Viewers at once, unless told otherwise: each is a process with an engine of its own."""
_MOST_MESSAGE = 256 * 1024
"""Bytes of a message from a browser: a paste, at most."""
_BEAT_S = 10.0
"""Seconds between pings. A browser that does not answer within half of it is gone."""
_STATIC = Path(textual_serve.__file__).parent / "static"
_PAGE = Path(__file__).with_name("page.html")
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class WebServer:
    """Serves a command as a page. An async context manager.

    `argv` is the command that each viewer runs, with `environment`. Raises
    ConnectionFailedError where the address cannot be had.
    """

    def __init__(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        access: Callable[[int], Access],
        *,
        host: str,
        port: int,
        title: str,
        most: int = MOST_VIEWERS,
        font_size: int = 15,
    ) -> None:
        self.viewers: list[Viewer] = []
        """Those whose processes run."""
        self.port = port
        """The port listened on."""
        self._argv, self._environment = argv, environment
        self.access = access(port)
        """Who may look."""
        self._make_access = access
        self._host = host
        self._title = title
        self._most = most
        self._font_size = font_size
        self._downloads = DownloadManager()
        self._runner: web.AppRunner | None = None
        self._closing = False

    async def __aenter__(self) -> WebServer:
        app = web.Application(middlewares=[self._gate()])
        app.add_routes(
            [
                web.get("/", self._index),
                web.get("/ws", self._websocket),
                web.get("/alive", self._alive),
                web.static("/static", _STATIC),
                web.static("/font", FONTS),
                web.get("/download/{key}", self._download),
            ]
        )
        self._runner = web.AppRunner(
            app, access_log=None, handle_signals=False, shutdown_timeout=1.0, logger=_log
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self.port)
        try:
            await site.start()
        except (OSError, OverflowError) as error:
            await self._runner.cleanup()
            reason = getattr(error, "strerror", None) or error
            raise ConnectionFailedError(
                f"cannot serve on {self._host}:{self.port}: {reason}",
                "choose another --port, or 0 for any that is free",
            ) from error
        self.port = self._runner.addresses[0][1]
        self.access = self._make_access(self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing = True
        await asyncio.gather(*(viewer.stop() for viewer in list(self.viewers)))
        if self._runner is not None:
            await self._runner.cleanup()

    # -- who may ----------------------------------------------------------------------------

    def _gate(self) -> Middleware:
        @web.middleware
        async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
            verdict = self.access.judge(
                host=request.headers.get("Host", ""),
                origin=request.headers.get("Origin"),
                cookies=request.cookies,
                token=request.query.get("token"),
                websocket=request.path == "/ws",
            )
            if verdict.status == 303:
                return self._with_cookie(request)
            if verdict.status != 200:
                return _refused(verdict.status, verdict.why)
            try:
                response = await handler(request)
            except web.HTTPException as error:
                return _refused(error.status, error.reason)
            if not response.prepared:
                response.headers.update(_HEADERS)
            return response

        return gate

    def _with_cookie(self, request: web.Request) -> web.Response:
        """Change the token for a cookie, and have the address bar forget it."""
        query = {k: v for k, v in request.query.items() if k != "token"}
        response = web.Response(status=303, headers=_HEADERS)
        response.headers["Location"] = str(request.rel_url.with_query(query))
        response.set_cookie(
            self.access.cookie,
            self.access.ticket,
            httponly=True,
            samesite="Strict",
            secure=request.headers.get("X-Forwarded-Proto") == "https",
        )
        return response

    # -- what there is ----------------------------------------------------------------------

    async def _index(self, request: web.Request) -> web.Response:
        asked = request.query.get("fontsize", "")
        size = int(asked) if asked.isdecimal() and len(asked) < 3 else self._font_size
        nonce = secrets.token_urlsafe(16)
        page = string.Template(_PAGE.read_text("utf-8")).substitute(
            title=html.escape(self._title), nonce=nonce, font_size=max(6, min(40, size))
        )
        policy = (
            "default-src 'none'; connect-src 'self' ws: wss:; img-src 'self' data:; "
            "font-src 'self'; style-src 'self' 'unsafe-inline'; "
            f"script-src 'self' 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'"
        )
        return web.Response(
            text=page, content_type="text/html", headers={"Content-Security-Policy": policy}
        )

    async def _alive(self, request: web.Request) -> web.Response:
        return web.Response(status=503 if self._closing else 204)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        key = request.match_info["key"]
        try:
            about = await self._downloads.get_download_metadata(key)
        except KeyError:
            raise web.HTTPNotFound(reason="there is no such download") from None
        name = "".join(c if c.isalnum() or c in "._-" else "_" for c in about.file_name)
        response = web.StreamResponse(headers=_HEADERS)
        # Never shown as a page: what is in it is not ours to trust.
        response.content_type = "application/octet-stream"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        await response.prepare(request)
        async for chunk in self._downloads.download(key):
            await response.write(chunk)
        await response.write_eof()
        return response

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(heartbeat=_BEAT_S, max_msg_size=_MOST_MESSAGE)
        await socket.prepare(request)
        if self._closing or len(self.viewers) >= self._most:
            said = f"there are {len(self.viewers)} viewers already, the most this server takes"
            await socket.close(code=1008, message=said.encode())
            return socket
        viewer = Viewer(self._argv, self._environment, socket, self._downloads)
        self.viewers.append(viewer)
        try:
            await viewer.start(_number(request, "width", 80), _number(request, "height", 24))
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await viewer.take(message.data)
        finally:
            # Even while we are cancelled: the process must not outlive its page.
            ending = asyncio.ensure_future(self._end(viewer))
            await asyncio.shield(ending)
        return socket

    async def _end(self, viewer: Viewer) -> None:
        try:
            await viewer.stop()
        finally:
            if viewer in self.viewers:
                self.viewers.remove(viewer)


def _refused(status: int, why: str) -> web.Response:
    return web.Response(status=status, text=f"{why}\n", headers=_HEADERS)


def _number(request: web.Request, name: str, otherwise: int) -> int:
    given = request.query.get(name, "")
    return int(given) if given.isdecimal() and len(given) < 5 else otherwise
