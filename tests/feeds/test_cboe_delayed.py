"""Polling delayed quotes from a real server on this machine's loopback."""

from __future__ import annotations

import gzip
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from gexterm import __version__
from gexterm.errors import ChainError, ConnectionFailedError, SymbolError, UsageError
from gexterm.feeds import cboe_delayed
from gexterm.feeds.cboe_delayed import fetch, page_url
from gexterm.feeds.cboe_session import Session, market_time, wait_before_next
from gexterm.market import calendar
from gexterm.market.chain import Chain
from gexterm.market.events import Definitions, Event, Quotes
from gexterm.market.settlement import expiry_of
from gexterm.recording.chains import parse_chain
from tests.recording.chains.pages import delayed_page, option

CALL, PUT, LATER = "SPXW220712C03850000", "SPXW220712P03850000", "SPXW220713C03850000"


@dataclass
class Page:
    """What the server answers next, and what it was asked."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    claims: int | None = None
    """Content-Length to claim, where it is not the truth."""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Path and headers of each request."""


class Site:
    """An HTTP server of the kind that the quotes come from: ETag, gzip, statuses."""

    def __init__(self) -> None:
        self.page = page = Page(delayed_page(option(CALL), option(PUT)))

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
                etag = page.headers.get("ETag")
                if etag and self.headers.get("If-None-Match") == etag:
                    self.send_response(304)
                    self.send_header("ETag", etag)
                    self.end_headers()
                    return
                body = page.body
                self.send_response(page.status)
                for name, value in page.headers.items():
                    self.send_header(name, value)
                if "gzip" in self.headers.get("Accept-Encoding", "") and page.status == 200:
                    body = gzip.compress(body) if "Content-Encoding" not in page.headers else body
                    if "Content-Encoding" not in page.headers:
                        self.send_header("Content-Encoding", "gzip")
                self.send_header("Content-Length", str(page.claims or len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/quotes"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.close()


async def test_a_poll_brings_a_chain_and_asks_politely(site: Site) -> None:
    poll = await fetch(site.url, "SPX")
    assert poll.chain is not None
    assert poll.chain.underlying == "SPX" and len(poll.chain.contracts) == 2
    ((path, headers),) = site.page.asked
    assert path == "/quotes/_SPX.json"
    assert headers["user-agent"] == f"gexterm/{__version__}"
    assert headers["accept-encoding"] == "gzip"
    assert "if-none-match" not in headers and "cookie" not in headers


async def test_an_unchanged_page_is_not_sent_again(site: Site) -> None:
    site.page.headers["ETag"] = '"abc"'
    first = await fetch(site.url, "SPX")
    assert first.etag == '"abc"'
    again = await fetch(site.url, "SPX", etag=first.etag)
    assert again.chain is None and again.etag == '"abc"'
    site.page.headers["ETag"] = '"def"'
    third = await fetch(site.url, "SPX", etag=again.etag)
    assert third.chain is not None and third.etag == '"def"'


@pytest.mark.parametrize(
    ("underlying", "page"),
    [("SPX", "_SPX"), ("spxw", "_SPX"), ("NDX", "_NDX"), ("SPY", "SPY"), ("BRK.B", "BRK.B")],
)
def test_indices_are_asked_for_with_an_underscore(underlying: str, page: str) -> None:
    assert page_url("https://example.test/a/", underlying) == f"https://example.test/a/{page}.json"


@pytest.mark.parametrize("underlying", ["", "../etc", "SPX/../..", "SPX?x", "S P", "[red]", "\x1b"])
def test_an_underlying_is_no_path(underlying: str) -> None:
    with pytest.raises(UsageError):
        page_url("https://example.test", underlying)


def test_an_index_whose_options_are_not_known_is_not_polled() -> None:
    with pytest.raises(SymbolError):
        page_url("https://example.test", "MXEA")


@pytest.mark.parametrize(
    "base",
    [
        "", "example.test", "ftp://example.test", "file:///etc/passwd", "https://",
        "https://user:secret@example.test", "https://user:secret@exa mple", "https://example.test?key=secret",
        "https://example.test/#x", "https://exa mple.test", "https://example.test:port",
        "https://example.test/\n", "https://exämple.test", "https://[::1",
    ],
)  # fmt: skip
def test_a_base_that_is_no_plain_address_is_refused_and_no_secret_is_repeated(base: str) -> None:
    with pytest.raises(UsageError) as caught:
        page_url(base, "SPX")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "says", "retry"),
    [
        (404, "has no page _SPX.json", False),
        (403, "refuses", False),
        (429, "too often", True),
        (500, "in trouble", True),
        (503, "in trouble", True),
        (301, "points elsewhere", False),
        (418, "status 418", False),
        (204, "status 204", False),
    ],
)
async def test_a_refusal_is_one_clear_line(site: Site, status: int, says: str, retry: bool) -> None:
    site.page.status = status
    site.page.headers["Location"] = "https://elsewhere.test/[red]"
    with pytest.raises(ConnectionFailedError, match=says) as caught:
        await fetch(site.url, "SPX")
    line = str(caught.value)
    assert "127.0.0.1" in line and "\n" not in line and "[" not in line
    assert caught.value.exit_code == 4
    assert cboe_delayed.worth_another_try(caught.value) is retry
    assert len(site.page.asked) == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>maintenance</html>", b'{"data": 1}', delayed_page()[:-30], b"\xff\xfe\x00"],
)
async def test_a_page_of_something_else_is_no_chain(site: Site, body: bytes) -> None:
    site.page.body = body
    with pytest.raises(ConnectionFailedError, match=r"127\.0\.0\.1") as caught:
        await fetch(site.url, "SPX")
    assert "\n" not in str(caught.value)


async def test_a_page_of_another_underlying_is_refused(site: Site) -> None:
    with pytest.raises(ConnectionFailedError, match="asked for NDX and sent SPX"):
        await fetch(site.url, "NDX")


async def test_a_chain_without_quotes_is_no_trouble_of_the_connection(site: Site) -> None:
    site.page.body = delayed_page(option(CALL, bid=0, ask=0))
    with pytest.raises(ChainError):
        await fetch(site.url, "SPX")


async def test_a_body_that_is_not_what_its_headers_say_is_a_broken_connection(site: Site) -> None:
    site.page.headers["Content-Encoding"] = "gzip"
    with pytest.raises(ConnectionFailedError, match="does not unpack"):
        await fetch(site.url, "SPX")
    del site.page.headers["Content-Encoding"]
    site.page.headers["Connection"] = "close"
    site.page.claims = 10**6
    with pytest.raises(ConnectionFailedError, match="broke"):
        await fetch(site.url, "SPX")


async def test_a_page_without_end_is_not_read_to_its_end(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cboe_delayed, "LARGEST", 100)
    with pytest.raises(ConnectionFailedError, match="sends more than"):
        await fetch(site.url, "SPX")


async def test_a_port_that_nobody_listens_on_refuses() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with pytest.raises(ConnectionFailedError, match="nobody listens there"):
        await fetch(f"http://127.0.0.1:{port}", "SPX")


async def test_a_server_without_tls_is_no_secure_connection(site: Site) -> None:
    with pytest.raises(ConnectionFailedError, match="does not speak TLS") as caught:
        await fetch(site.url.replace("http:", "https:"), "SPX")
    assert not cboe_delayed.worth_another_try(caught.value)


async def test_a_server_that_accepts_and_says_nothing_is_given_up_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cboe_delayed, "DEADLINE_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(ConnectionFailedError, match="does not answer"):
            await fetch(f"http://127.0.0.1:{port}", "SPX")


def test_polls_are_a_minute_apart_at_least_and_spread_out_after_failures() -> None:
    assert wait_before_next(0, 1.0) == 60
    assert wait_before_next(0, 300.0) == 300
    assert [wait_before_next(n, 60.0) for n in range(1, 7)] == [60, 120, 240, 480, 900, 900]
    assert wait_before_next(10_000, 60.0) == 900
    assert wait_before_next(3, 3600.0) == 3600
    assert wait_before_next(1, 60.0, asked_s=500) == 500
    assert 60 < wait_before_next(1, 60.0, jitter=0.5) < 75


def by_symbol(chain: Chain) -> dict[tuple[str, float], float]:
    bids = chain.column("bid")
    return {(c.right, c.expiry.day): bids[i] for i, c in enumerate(chain.contracts)}


def test_indices_stay_although_pages_gain_lose_and_reorder_options() -> None:
    session, chain = Session(), Chain(expiry_of)

    def take(*options: object) -> list[Event]:
        events = session.events(parse_chain(delayed_page(*options), "page"), recv=5)
        for event in events:
            chain.apply(event)
        return events

    take(option(CALL, bid=1.0), option(PUT, bid=2.0))
    first = list(chain.contracts)
    take(option(LATER, bid=4.0), option(PUT, bid=3.0))
    assert chain.contracts[:2] == first and len(chain.contracts) == 3
    bids = by_symbol(chain)
    assert bids["P", 12] == 3.0 and bids["C", 13] == 4.0
    assert np.isnan(bids["C", 12])  # the page dropped it: its last quote must not stay
    events = take(option(CALL, bid=6.0), option(PUT, bid=7.0), option(LATER, bid=8.0))
    assert not any(isinstance(event, Definitions) for event in events)
    assert by_symbol(chain) == {("C", 12): 6.0, ("P", 12): 7.0, ("C", 13): 8.0}


def test_market_time_of_a_session_is_that_of_the_quotes() -> None:
    page = parse_chain(delayed_page(), "page")
    events = Session().events(page, recv=5)
    assert [set(e.ts) for e in events if isinstance(e, Quotes)] == [{page.as_of}]
    assert all(e.recv == 5 for e in events if isinstance(e, Quotes | Definitions))


def test_time_does_not_jump_back_at_the_open() -> None:
    stamps = ["13:29:00", "13:31:00", "20:29:00", "20:31:00"]  # around 09:30 and 16:30
    pages = [
        parse_chain(
            delayed_page(option(LATER), timestamp=f"2022-07-12 {stamp}", last_trade_time=None),
            "page",
        )
        for stamp in stamps
    ]
    assert pages[1].as_of < pages[0].as_of  # what a single file says
    times = [market_time(page) for page in pages]
    assert times == sorted(times)
    assert [calendar.et(ts).strftime("%H:%M") for ts in times] == [
        "09:14",
        "09:16",
        "16:14",
        "16:16",
    ]


def test_the_network_library_is_imported_only_to_go_to_the_network() -> None:
    code = "import sys, gexterm.feeds.cboe_delayed; assert 'httpx' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
