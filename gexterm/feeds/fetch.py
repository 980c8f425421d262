"""Requests over HTTP: a `Request` in, an `Answer` out, and nothing ever raised.

Redirects are not followed and cookies not kept: a request goes where the protocol said,
with what the protocol said. Time and size are bounded, the size of what unpacks as well.
"""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections import deque
from collections.abc import Awaitable, Callable
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gexterm import __version__
from gexterm.clock import Clock
from gexterm.errors import ConnectionFailedError
from gexterm.feeds.protocol import Answer, Request
from gexterm.feeds.retry import Retry, Stop, classify, root_cause
from gexterm.feeds.secrets import Secret
from gexterm.feeds.transport import host_of, trusted
from gexterm.feeds.venue import is_loopback

if TYPE_CHECKING:
    import httpx

MOST_AT_ONCE = 4
"""Requests of one feed under way at a time."""


class Fetcher:
    """Fetches what protocols want. `close` it in the end."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._clients: dict[bool, httpx.AsyncClient] = {}

    async def fetch(self, request: Request) -> Answer:
        """What a request brings, or why it brings nothing. Never raises."""
        try:
            async with asyncio.timeout(request.deadline_s):
                return await self._fetch(request)
        except Exception as error:
            failure = _failure(error, host_of(request.url))
            return Answer(request.key, recv_ns=self._clock.now_ns(), failure=failure)

    async def close(self) -> None:
        """Let go of all connections."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()
        if clients:
            # Sockets are let go of a turn after they were closed.
            await asyncio.sleep(0)
            await asyncio.sleep(0)

    async def _fetch(self, request: Request) -> Answer:
        client = self._client(is_loopback(_checked(request.url)))
        headers = {
            "User-Agent": f"gexterm/{__version__}",
            "Accept-Encoding": "gzip",
            **{name: _revealed(value) for name, value in request.headers.items()},
        }
        body = _revealed(request.body)
        async with client.stream(
            request.method, request.url, headers=headers, content=body.encode() if body else None
        ) as response:
            unpack = _Unpacking(response.headers.get("Content-Encoding", ""), request.most_bytes)
            async for chunk in response.aiter_raw():
                unpack.feed(chunk)
            return Answer(
                request.key,
                status=response.status_code,
                headers={name.lower(): value for name, value in response.headers.items()},
                body=unpack.finish(),
                recv_ns=self._clock.now_ns(),
            )

    def _client(self, local: bool) -> httpx.AsyncClient:
        if local not in self._clients:
            import httpx  # lazily: a websocket alone never needs it

            # They log addresses and answers' headers.
            for name in ("httpx", "httpcore"):
                logging.getLogger(name).setLevel(logging.WARNING)
            jar = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
            self._clients[local] = httpx.AsyncClient(
                timeout=600.0,  # the request's own deadline counts, for all of it
                verify=trusted(),
                follow_redirects=False,
                cookies=jar,
                # Proxies come from the environment; a request to this machine passes none.
                trust_env=not local,
            )
        return self._clients[local]


class Errands:
    """Requests under way: a few at once, one of a key. `done` is handed every answer."""

    def __init__(
        self,
        fetch: Callable[[Request], Awaitable[Answer]],
        done: Callable[[Answer], None],
        most: int = MOST_AT_ONCE,
    ) -> None:
        self._fetch = fetch
        self._done = done
        self._most = most
        self._waiting: deque[Request] = deque()
        self._under_way: dict[str, asyncio.Task[None]] = {}

    def want(self, request: Request) -> None:
        """Fetch this as soon as its turn has come."""
        self._waiting.append(request)
        self._start()

    async def cancel(self) -> None:
        """Forget everything that is not done."""
        self._waiting.clear()
        tasks, self._under_way = list(self._under_way.values()), {}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self) -> None:
        later: deque[Request] = deque()
        while self._waiting and len(self._under_way) < self._most:
            request = self._waiting.popleft()
            if request.key in self._under_way:
                later.append(request)
            else:
                task = asyncio.create_task(self._run(request), name=f"request {request.key}")
                self._under_way[request.key] = task
        self._waiting.extendleft(reversed(later))

    async def _run(self, request: Request) -> None:
        answer = await self._fetch(request)
        del self._under_way[request.key]
        self._done(answer)
        self._start()


class _Unpacking:
    """A body as it comes, never larger than allowed."""

    def __init__(self, encoding: str, most: int) -> None:
        self._most = most
        self._body = bytearray()
        self._gzip = None
        if encoding.strip().lower() in ("gzip", "x-gzip"):
            self._gzip = zlib.decompressobj(wbits=31)
        elif encoding.strip().lower() not in ("", "identity"):
            raise _AnswerError("it packs its answer in a way that was not asked for")

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        if self._gzip is None:
            self._body += chunk
        elif not self._gzip.eof:
            try:
                self._body += self._gzip.decompress(chunk, self._most + 1 - len(self._body))
            except zlib.error as error:
                raise EOFError("the answer does not unpack") from error
        if len(self._body) > self._most:
            raise _AnswerError(f"it sends more than {self._most / 2**20:,.0f} MB at once")

    def finish(self) -> bytes:
        """All of it. Raises EOFError where something is missing."""
        if self._gzip is not None and not self._gzip.eof and self._body:
            raise EOFError("the answer ends early")
        return bytes(self._body)


class _AnswerError(ConnectionFailedError):
    """An answer that would be the same another time."""


def _checked(url: str) -> str:
    """The host, if the address is safe to use."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.password:
        raise ConnectionFailedError("that is no address to fetch from", "check the address")
    if parts.scheme == "http" and not is_loopback(host):
        raise ConnectionFailedError(
            f"http:// to {host} would send everything in the clear", "use https://"
        )
    return host


def _revealed(text: str | Secret) -> str:
    return text.reveal() if isinstance(text, Secret) else text


def _failure(error: Exception, host: str) -> Retry | Stop:
    """The one line for a request that brought nothing."""
    import httpx

    cause = root_cause(error)
    if isinstance(cause, httpx.ProxyError):
        return Retry(f"the proxy failed: {cause}", hint="check HTTPS_PROXY")
    if isinstance(cause, httpx.TimeoutException):
        return Retry("it does not answer in time")
    if isinstance(cause, httpx.UnsupportedProtocol | httpx.InvalidURL | httpx.LocalProtocolError):
        return Stop(f"the request cannot be sent ({type(cause).__name__})", "check the address")
    if isinstance(cause, httpx.HTTPError):
        return Retry(f"the connection broke: {cause}" if str(cause) else "the connection broke")
    if isinstance(cause, EOFError):
        return Retry(str(cause) or "it hung up")
    return classify(cause, host)
