"""Cboe's delayed quotes: what one poll asks, and what its answer says. Pure but for `fetch`.

Nothing here knows an address. Each underlying is one page, `{base}/_SPX.json` for an
index and `{base}/SPY.json` otherwise, about 10 MB for SPX before compression. A poll is
conditional (`If-None-Match`), compressed, and says who asks.

The format is read by `recording.chains.cboe_delayed`; `feeds.cboe_session` makes one
session of many pages, `feeds.cboe` a feed.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from gexterm import __version__
from gexterm.errors import ChainError, ConnectionFailedError, InputError, UsageError
from gexterm.feeds.protocol import Answer
from gexterm.feeds.retry import Retry
from gexterm.market.roots import is_index, printable, root_spec
from gexterm.recording.chains import ChainFile, parse_chain

if TYPE_CHECKING:
    import httpx

LARGEST = 64 * 1024 * 1024
"""Bytes of a page, decompressed."""
_DEADLINE_S = 60.0
"""Seconds for one poll in all: a server that drips bytes does not hold us for ever."""
_UNDERLYING = re.compile(r"[A-Z]{1,6}(?:[./][A-Z])?", re.ASCII)


@dataclass(frozen=True, eq=False, slots=True)
class Poll:
    """What one poll brought."""

    chain: ChainFile | None
    """The chain; None where the page has not changed since the validators were given."""
    etag: str = ""
    """The page's `ETag`, to be given to the next poll; empty where it has none."""
    last_modified: str = ""
    """The page's `Last-Modified`, likewise."""


class PollError(ConnectionFailedError):
    """A failed poll, and whether and when another one makes sense."""

    def __init__(
        self, message: str, hint: str = "", *, retry: bool = True, wait_s: float = 0.0
    ) -> None:
        super().__init__(message, hint)
        self.retry = retry
        self.wait_s = wait_s


def page_url(base_url: str, underlying: str) -> str:
    """The address of an underlying's page.

    Raises UsageError where the base is no plain http(s) address or the underlying no name.
    """
    try:
        parts = urlsplit(base_url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not base_url.isascii() or not base_url.isprintable() or " " in base_url:
        # What may hold a key or a password is not repeated.
        shown = "that" if set("@?") & set(base_url) else printable(base_url, 80)
        raise UsageError(f"{shown} is no address to poll", "it begins with https://")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UsageError(
            "the address to poll must be plain: no user, password, query or fragment",
            "give the part before the page's own name",
        )
    return f"{base_url.rstrip('/')}/{_page(underlying)}.json"


def _page(underlying: str) -> str:
    name = underlying.upper()
    if not _UNDERLYING.fullmatch(name):
        raise UsageError(f"{printable(underlying)} is no underlying", "one looks like SPX or SPY")
    plain = name.replace(".", "").replace("/", "")
    owner = root_spec(plain).underlying if plain == name else name
    return f"_{owner}" if is_index(owner) else name.replace("/", ".")


def asked_for(underlying: str) -> str:
    """The underlying as option symbols spell it: `SPX`, `BRKB`."""
    return _page(underlying).lstrip("_").replace(".", "")


def request_headers(etag: str = "", last_modified: str = "") -> dict[str, str]:
    """What a poll asks for; with validators, for news only."""
    headers = {"Accept": "application/json"}
    if etag:
        headers["If-None-Match"] = etag
    if last_modified:
        headers["If-Modified-Since"] = last_modified
    return headers


def read_answer(
    answer: Answer, url: str, underlying: str, etag: str = "", last_modified: str = ""
) -> Poll:
    """What the answer to one poll says; the validators are those it was asked with.

    Takes a good part of a second for a large page. Raises PollError where it holds no page
    of the underlying, ChainError where the page is fine but nothing can be computed.
    """
    host = urlsplit(url).netloc
    if answer.failure is not None:
        said = answer.failure
        raise PollError(
            f"{host}: {said.reason}",
            said.hint,
            retry=isinstance(said, Retry),
            wait_s=said.wait_s if isinstance(said, Retry) else 0.0,
        )
    if answer.status == 304 and (etag or last_modified):
        return Poll(None, etag, last_modified)
    if answer.status != 200:
        raise _refusal(answer, host, url.rpartition("/")[2])
    chain = _chain(answer.body, host, underlying)
    headers = answer.headers
    return Poll(chain, headers.get("etag", ""), headers.get("last-modified", ""))


async def fetch(
    base_url: str,
    underlying: str,
    client: httpx.AsyncClient | None = None,
    etag: str = "",
    last_modified: str = "",
) -> Poll:
    """Poll one page once.

    With the validators of an earlier Poll, an unchanged page costs a few bytes and
    yields no chain. Raises ConnectionFailedError where no page could be had (no name, no
    connection, no valid certificate, refused, broken off, not the expected content),
    ChainError where the page is fine but holds nothing to compute with, UsageError on a
    bad address or name.
    """
    url = page_url(base_url, underlying)
    if client is None:
        import httpx  # lazily: most commands never go to the network

        async with httpx.AsyncClient(timeout=20.0) as own:
            answer = await _get(own, url, etag, last_modified)
    else:
        answer = await _get(client, url, etag, last_modified)
    # A big page takes a good part of a second: not on the loop that draws the screen.
    return await asyncio.to_thread(read_answer, answer, url, underlying, etag, last_modified)


async def _get(client: httpx.AsyncClient, url: str, etag: str, last_modified: str) -> Answer:
    import httpx

    host = urlsplit(url).netloc
    body = bytearray()
    headers = {
        "User-Agent": f"gexterm/{__version__}",
        "Accept-Encoding": "gzip",
        **request_headers(etag, last_modified),
    }
    try:
        async with (
            asyncio.timeout(_DEADLINE_S),
            client.stream("GET", url, headers=headers, follow_redirects=False) as response,
        ):
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > LARGEST:
                    raise PollError(
                        f"{host} sent more than {LARGEST // 2**20} MB for one chain", retry=False
                    )
    except (TimeoutError, httpx.TimeoutException):
        raise PollError(f"{host} did not answer in time", "try again later") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise _broken(error, host) from None
    said = {name.lower(): value for name, value in response.headers.items()}
    return Answer("page", response.status_code, said, bytes(body))


def _chain(body: bytes, host: str, underlying: str) -> ChainFile:
    try:
        chain = parse_chain(body, f"the page of {host}", kind="cboe-delayed")
    except ChainError:
        raise
    except InputError as error:
        raise PollError(
            error.message, "the address may be of another service, or its format has changed"
        ) from None
    asked = asked_for(underlying)
    if chain.underlying != asked:
        raise PollError(f"{host} was asked for {asked} and sent {chain.underlying}", retry=False)
    return chain


def _refusal(answer: Answer, host: str, page: str) -> PollError:
    status = answer.status
    if status in (404, 410):
        return PollError(
            f"{host} has no page {page} ({status})",
            "check the name of the underlying and the address",
            retry=False,
        )
    if status in (401, 403, 407, 451):
        return PollError(
            f"{host} refuses to hand out {page} ({status})",
            "its owner may not want programs there",
            retry=False,
        )
    if status == 429:
        return PollError(
            f"{host} says that it is asked too often (429)", wait_s=answer.retry_after_s
        )
    if status >= 500:
        return PollError(
            f"{host} is in trouble ({status})", "try again later", wait_s=answer.retry_after_s
        )
    if 300 <= status < 400:
        where = printable(answer.headers.get("location", ""), 80)
        return PollError(
            f"{host} points elsewhere for {page} ({status}, {where})",
            "set the new address if you trust it",
            retry=False,
        )
    return PollError(f"{host} answered {page} with status {status}", retry=False)


def _broken(error: BaseException, host: str) -> PollError:
    """The one line for a connection that was not made or not kept."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            reason = getattr(cause, "verify_message", "") or cause.reason or "TLS failed"
            return PollError(
                f"no secure connection to {host}: {printable(str(reason), 80)}",
                "check the address, the clock of this machine and its certificates",
                retry=False,
            )
        if isinstance(cause, socket.gaierror):
            return PollError(f"the name {host} is not known", "check the address and the network")
        if isinstance(cause, ConnectionRefusedError):
            return PollError(f"{host} refuses connections", "check the address and its port")
        cause = cause.__cause__ or cause.__context__
    text = printable(str(error), 80) if str(error) else type(error).__name__
    return PollError(f"the connection to {host} broke: {text}")


def worth_another_try(error: Exception) -> bool:
    """Whether a failed poll may go well later without anybody's doing."""
    return isinstance(error, ChainError) or (isinstance(error, PollError) and error.retry)
