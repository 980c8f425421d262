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
from dataclasses import dataclass
from urllib.parse import urlsplit

from gexterm.clock import SystemClock
from gexterm.errors import ChainError, ConnectionFailedError, InputError, UsageError
from gexterm.feeds.fetch import Fetcher
from gexterm.feeds.protocol import Answer, Request
from gexterm.feeds.retry import Retry
from gexterm.market.roots import is_index, printable, root_spec
from gexterm.recording.chains import ChainFile, parse_chain

LARGEST = 64 * 1024 * 1024
"""Bytes of a page, decompressed."""
DEADLINE_S = 60.0
"""Seconds for one poll in all: a server that drips bytes does not hold us for ever."""
PAGE = "page"
"""Key of a poll's request and answer."""
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


def request(base_url: str, underlying: str, etag: str = "", last_modified: str = "") -> Request:
    """One poll. With the validators of an earlier one, it asks for news only.

    Raises UsageError where the address or the underlying is none.
    """
    headers = {"Accept": "application/json"}
    if etag:
        headers["If-None-Match"] = etag
    if last_modified:
        headers["If-Modified-Since"] = last_modified
    url = page_url(base_url, underlying)
    return Request(PAGE, url, headers=headers, deadline_s=DEADLINE_S, most_bytes=LARGEST)


async def fetch(base_url: str, underlying: str, etag: str = "", last_modified: str = "") -> Poll:
    """Poll one page once.

    With the validators of an earlier Poll, an unchanged page costs a few bytes and
    yields no chain. Raises ConnectionFailedError where no page could be had (no name, no
    connection, no valid certificate, refused, broken off, not the expected content),
    ChainError where the page is fine but holds nothing to compute with, UsageError on a
    bad address or name.
    """
    asked = request(base_url, underlying, etag, last_modified)
    fetcher = Fetcher(SystemClock())
    try:
        answer = await fetcher.fetch(asked)
    finally:
        await fetcher.close()
    # A big page takes a good part of a second: not on the loop that draws the screen.
    return await asyncio.to_thread(read_answer, answer, asked.url, underlying, etag, last_modified)


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


def worth_another_try(error: Exception) -> bool:
    """Whether a failed poll may go well later without anybody's doing."""
    return isinstance(error, ChainError) or (isinstance(error, PollError) and error.retry)
