"""Requests over HTTP: whatever the other side does, an Answer says what became of it."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import logging
import socket
from collections.abc import AsyncIterator

import pytest

from gexterm import __version__
from gexterm.clock import ManualClock
from gexterm.feeds.fetch import Errands, Fetcher
from gexterm.feeds.protocol import Answer, Request
from gexterm.feeds.retry import Retry, Stop
from gexterm.feeds.secrets import Secret
from tests.feeds.listening import until
from tests.venues.line import Line


class Web:
    """A server that answers every request with the same bytes and keeps what it heard."""

    def __init__(self, answer: bytes, hold: bool = False) -> None:
        self.answer = answer
        self.hold = hold
        self.heard: list[bytes] = []
        self.port = 0

    @contextlib.asynccontextmanager
    async def __call__(self) -> AsyncIterator[Web]:
        handlers = set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            handlers.add(asyncio.current_task())
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                head = await reader.readuntil(b"\r\n\r\n")
                if b"ontent-" in head:
                    size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                    head += await reader.readexactly(size)
                self.heard.append(head)
                writer.write(self.answer)
                await writer.drain()
                if self.hold:
                    await reader.read()
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        yield self
        server.close()
        await asyncio.gather(*handlers)

    def url(self, path: str = "/page") -> str:
        return f"http://127.0.0.1:{self.port}{path}"


def http(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@contextlib.asynccontextmanager
async def fetching() -> AsyncIterator[Fetcher]:
    fetcher = Fetcher(ManualClock(77))
    try:
        yield fetcher
    finally:
        await fetcher.close()


async def test_an_answer_comes_unpacked_with_its_headers_and_time():
    packed = gzip.compress(b'{"a": 1}')
    async with (
        Web(http(packed, "Content-Encoding: gzip", "ETag: x"))() as web,
        fetching() as fetcher,
    ):
        answer = await fetcher.fetch(Request("chain", web.url()))
    assert (answer.key, answer.status, answer.body) == ("chain", 200, b'{"a": 1}')
    assert (answer.headers["etag"], answer.recv_ns, answer.failure) == ("x", 77, None)
    assert f"user-agent: gexterm/{__version__}\r\n".encode() in web.heard[0].lower()
    assert b"accept-encoding: gzip\r\n" in web.heard[0].lower()


async def test_secrets_reach_the_header_and_the_body_and_nothing_else(caplog):
    secret = Secret("s3cr3t-of-the-headers")
    with caplog.at_level(logging.DEBUG):
        async with Web(http(b"{}"))() as web, fetching() as fetcher:
            request = Request(
                "token",
                web.url(),
                method="POST",
                headers={"Authorization": secret, "Content-Type": "text/plain"},
                body=Secret("s3cr3t-of-the-body"),
            )
            answer = await fetcher.fetch(request)
    assert answer.status == 200
    assert b"s3cr3t-of-the-headers" in web.heard[0]
    assert web.heard[0].endswith(b"s3cr3t-of-the-body")
    assert "s3cr3t" not in repr(request) + repr(answer) + caplog.text


@pytest.mark.parametrize("status", ["304 Not Modified", "401 No", "429 Slow down", "503 Busy"])
async def test_any_status_is_an_answer(status: str):
    async with (
        Web(http(b"", "Retry-After: 7", status=status))() as web,
        fetching() as fetcher,
    ):
        answer = await fetcher.fetch(Request("x", web.url()))
    assert answer.status == int(status[:3])
    assert (answer.failure, answer.retry_after_s) == (None, 7.0)


async def test_redirects_are_not_followed_and_cookies_not_kept():
    there = "Location: http://127.0.0.1:1/else"
    page = http(b"", there, "Set-Cookie: id=1; Path=/", status="302 Found")
    async with Web(page)() as web, fetching() as fetcher:
        first = await fetcher.fetch(Request("x", web.url()))
        await fetcher.fetch(Request("x", web.url()))
    assert (first.status, first.failure) == (302, None)
    assert len(web.heard) == 2
    assert b"cookie" not in web.heard[1].lower()


@pytest.mark.parametrize(
    ("body", "headers"),
    [(b"x" * 2000, ()), (gzip.compress(b"\0" * 10_000_000), ("Content-Encoding: gzip",))],
)
async def test_an_answer_that_is_too_large_is_not_taken(body: bytes, headers: tuple[str, ...]):
    async with Web(http(body, *headers))() as web, fetching() as fetcher:
        answer = await fetcher.fetch(Request("x", web.url(), most_bytes=1000))
    assert isinstance(answer.failure, Stop)
    assert "at once" in answer.failure.reason
    assert (answer.status, answer.body) == (0, b"")


@pytest.mark.parametrize(
    "raw",
    [
        http(b"not gzip at all", "Content-Encoding: gzip"),
        http(gzip.compress(b"x" * 1000)[:20], "Content-Encoding: gzip"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        b"",
        b"SSH-2.0-OpenSSH\r\n",
    ],
)
async def test_an_answer_that_breaks_off_is_worth_another_try(raw: bytes):
    async with Web(raw)() as web, fetching() as fetcher:
        answer = await fetcher.fetch(Request("x", web.url()))
    assert isinstance(answer.failure, Retry)
    assert answer.failure.reason
    assert "\n" not in answer.failure.reason


async def test_packing_nobody_asked_for_is_not_guessed_at():
    async with Web(http(b"x", "Content-Encoding: br"))() as web, fetching() as fetcher:
        answer = await fetcher.fetch(Request("x", web.url()))
    assert isinstance(answer.failure, Stop)


async def test_a_server_that_says_nothing_costs_the_deadline_and_no_more():
    async with Web(b"", hold=True)() as web, fetching() as fetcher:
        answer = await fetcher.fetch(Request("x", web.url(), deadline_s=0.05))
    assert isinstance(answer.failure, Retry)
    assert "does not answer" in answer.failure.reason


async def test_a_line_cut_in_the_middle_of_an_answer_is_no_answer():
    async with Web(http(b"x" * 5000))() as web, Line(web.port) as line, fetching() as fetcher:
        line.cut_after(1000)
        url = line.url("/", "http")
        assert isinstance((await fetcher.fetch(Request("x", url))).failure, Retry)
        assert (await fetcher.fetch(Request("x", url))).body == b"x" * 5000


async def test_nobody_there_and_no_such_name_are_told_apart():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    async with fetching() as fetcher:
        nobody = await fetcher.fetch(Request("x", f"http://127.0.0.1:{port}/"))
    assert isinstance(nobody.failure, Retry)
    assert "refused" in nobody.failure.reason


async def test_a_name_that_is_not_known_is_named(monkeypatch):
    async def unknown(*_: object, **__: object) -> list[object]:
        raise socket.gaierror(-2, "Name or service not known")

    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with fetching() as fetcher:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
        answer = await fetcher.fetch(Request("x", "https://www.nowhere.example/"))
    assert isinstance(answer.failure, Retry)
    assert answer.failure.reason == "the name www.nowhere.example is not known"


@pytest.mark.parametrize(
    "url",
    ["http://example.com/", "ftp://127.0.0.1/", "https://me:pw@example.com/", "", "https://[::1"],
)
async def test_nothing_is_sent_in_the_clear_or_to_what_is_no_address(url: str):
    async with fetching() as fetcher:
        answer = await fetcher.fetch(Request("x", url))
    assert answer.status == 0
    assert isinstance(answer.failure, Stop)
    assert "pw" not in answer.failure.reason


async def test_the_environments_proxy_is_used_for_venues_and_never_for_this_machine(monkeypatch):
    refused = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
    async with Web(refused)() as proxy, Web(http(b"direct"))() as web:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        async with fetching() as fetcher:
            local = await fetcher.fetch(Request("x", web.url()))
            venue = await fetcher.fetch(Request("y", "https://venue.example/"))
    assert local.body == b"direct"
    assert proxy.heard[0].startswith(b"CONNECT venue.example:443")
    assert isinstance(venue.failure, Retry)
    assert "proxy" in venue.failure.reason


async def test_few_at_once_and_one_of_a_key():
    gate: dict[str, asyncio.Event] = {}
    begun: list[str] = []
    done: list[str] = []

    async def fetch(request: Request) -> Answer:
        begun.append(request.url)
        await gate.setdefault(request.url, asyncio.Event()).wait()
        return Answer(request.key, body=request.url.encode())

    errands = Errands(fetch, lambda answer: done.append(answer.body.decode()), most=2)
    for key, url in [("a", "1"), ("a", "2"), ("b", "3"), ("c", "4")]:
        errands.want(Request(key, url))
    await until(lambda: len(begun) == 2)
    assert begun == ["1", "3"]
    gate["1"].set()
    await until(lambda: begun == ["1", "3", "2"])
    gate["2"].set()
    await until(lambda: begun == ["1", "3", "2", "4"])
    assert done == ["1", "2"]
    await errands.cancel()
    assert done == ["1", "2"]
