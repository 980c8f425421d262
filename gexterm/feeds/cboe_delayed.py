"""Cboe's delayed quotes, polled politely over HTTP.

Off until somebody names an address: nothing here knows one. Each underlying is one
page, `{base}/_SPX.json` for an index and `{base}/SPY.json` otherwise, about 10 MB for
SPX before compression. A poll is conditional (`If-None-Match`), compressed, says who
asks, and comes once a minute at most; the quotes are fifteen minutes late anyway.

The format is read by `recording.chains.cboe_delayed`.
"""

from __future__ import annotations

import asyncio
import random
import re
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from gexterm import __version__
from gexterm.clock import NS, Clock
from gexterm.errors import ChainError, ConnectionFailedError, InputError, UsageError
from gexterm.market.contracts import Contract
from gexterm.market.events import (
    ClockTick,
    Definitions,
    Event,
    FeedStatus,
    OpenInterest,
    Quotes,
    SourceInfo,
    UnderlyingPrice,
    Volume,
)
from gexterm.market.roots import is_index, printable, root_spec
from gexterm.recording.chains import ChainFile, parse_chain
from gexterm.recording.chains.asof import DELAY_S

if TYPE_CHECKING:
    import httpx

SHORTEST_S = 60.0
"""Seconds between two polls, at least."""
LONGEST_S = 900.0
"""Seconds between two polls after repeated failures, at most (unless the server asks for more)."""
_LARGEST = 64 * 1024 * 1024
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


class _PollError(ConnectionFailedError):
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
        raise UsageError(
            f"{printable(base_url, 80)} is no address to poll", "it begins with https://"
        )
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


def _asked(underlying: str) -> str:
    """The underlying as option symbols spell it: `SPX`, `BRKB`."""
    return _page(underlying).lstrip("_").replace(".", "")


def request_headers(etag: str = "", last_modified: str = "") -> dict[str, str]:
    """What a poll says of itself; with validators, it asks for news only."""
    headers = {
        "User-Agent": f"gexterm/{__version__}",
        "Accept": "application/json",
        "Accept-Encoding": "gzip",
    }
    if etag:
        headers["If-None-Match"] = etag
    if last_modified:
        headers["If-Modified-Since"] = last_modified
    return headers


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
            return await _fetch(own, url, underlying, etag, last_modified)
    return await _fetch(client, url, underlying, etag, last_modified)


async def _fetch(
    client: httpx.AsyncClient, url: str, underlying: str, etag: str, last_modified: str
) -> Poll:
    import httpx

    host = urlsplit(url).netloc
    try:
        async with (
            asyncio.timeout(_DEADLINE_S),
            client.stream(
                "GET", url, headers=request_headers(etag, last_modified), follow_redirects=False
            ) as response,
        ):
            if response.status_code == 304 and (etag or last_modified):
                return Poll(None, etag, last_modified)
            if response.status_code != 200:
                raise _refusal(response, host, url)
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _LARGEST:
                    raise _PollError(
                        f"{host} sent more than {_LARGEST // 2**20} MB for one chain", retry=False
                    )
            found = Poll(
                None,
                response.headers.get("ETag", ""),
                response.headers.get("Last-Modified", ""),
            )
    except (TimeoutError, httpx.TimeoutException):
        raise _PollError(f"{host} did not answer in time", "try again later") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise _broken(error, host) from None
    # A big page takes a good part of a second: not on the loop that draws the screen.
    chain = await asyncio.to_thread(_chain, bytes(body), host, underlying)
    return Poll(chain, found.etag, found.last_modified)


def _chain(body: bytes, host: str, underlying: str) -> ChainFile:
    try:
        chain = parse_chain(body, f"the page of {host}", kind="cboe-delayed")
    except ChainError:
        raise
    except InputError as error:
        raise _PollError(
            error.message, "the address may be of another service, or its format has changed"
        ) from None
    asked = _asked(underlying)
    if chain.underlying != asked:
        raise _PollError(f"{host} was asked for {asked} and sent {chain.underlying}", retry=False)
    return chain


def _refusal(response: httpx.Response, host: str, url: str) -> _PollError:
    status, page = response.status_code, url.rpartition("/")[2]
    wait_s = 0.0
    if (later := response.headers.get("Retry-After", "")).isdecimal() and len(later) < 7:
        wait_s = float(later)
    if status in (404, 410):
        return _PollError(
            f"{host} has no page {page} ({status})",
            "check the name of the underlying and the address",
            retry=False,
        )
    if status in (401, 403, 407, 451):
        return _PollError(
            f"{host} refuses to hand out {page} ({status})",
            "its owner may not want programs there",
            retry=False,
        )
    if status == 429:
        return _PollError(f"{host} says that it is asked too often (429)", wait_s=wait_s)
    if status >= 500:
        return _PollError(f"{host} is in trouble ({status})", "try again later", wait_s=wait_s)
    if 300 <= status < 400:
        where = printable(response.headers.get("Location", ""), 80)
        return _PollError(
            f"{host} points elsewhere for {page} ({status}, {where})",
            "set the new address if you trust it",
            retry=False,
        )
    return _PollError(f"{host} answered {page} with status {status}", retry=False)


def _broken(error: BaseException, host: str) -> _PollError:
    """The one line for a connection that was not made or not kept."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            reason = getattr(cause, "verify_message", "") or cause.reason or "TLS failed"
            return _PollError(
                f"no secure connection to {host}: {printable(str(reason), 80)}",
                "check the address, the clock of this machine and its certificates",
                retry=False,
            )
        if isinstance(cause, socket.gaierror):
            return _PollError(f"the name {host} is not known", "check the address and the network")
        if isinstance(cause, ConnectionRefusedError):
            return _PollError(f"{host} refuses connections", "check the address and its port")
        cause = cause.__cause__ or cause.__context__
    text = printable(str(error), 80) if str(error) else type(error).__name__
    return _PollError(f"the connection to {host} broke: {text}")


def worth_another_try(error: Exception) -> bool:
    """Whether a failed poll may go well later without anybody's doing."""
    return isinstance(error, ChainError) or (isinstance(error, _PollError) and error.retry)


def wait_before_next(
    failures: int, interval_s: float, asked_s: float = 0.0, jitter: float = 0.0
) -> float:
    """Seconds until the next poll.

    `failures` polls in a row have failed; `asked_s` is what the server asked for;
    `jitter` in [0, 1) spreads those who fail together over a quarter of the time.
    """
    wait = max(interval_s, SHORTEST_S)
    if failures:
        wait = min(wait * 2 ** min(failures - 1, 10), max(LONGEST_S, wait))
    return max(wait, asked_s) * (1 + jitter / 4)


def source_info(underlying: str) -> SourceInfo:
    """The first event of a session of polls."""
    return SourceInfo(
        underlying=_asked(underlying),
        feed="cboe-delayed",
        mode="delayed",
        delay_s=float(DELAY_S),
        note="Cboe's public quotes, 15 minutes late while the market moves",
    )


class Session:
    """Page after page as one session: indices stay, though pages gain and lose options."""

    def __init__(self) -> None:
        self._index: dict[Contract, int] = {}

    def events(self, chain: ChainFile, recv: int) -> list[Event]:
        """The events of one more page, received at `recv` (ns)."""
        out: list[Event] = []
        first = len(self._index)
        new = tuple(c for c in chain.contracts if c not in self._index)
        self._index.update((c, first + i) for i, c in enumerate(new))
        if new:
            out.append(Definitions(first, new, recv))
        out.append(ClockTick(chain.as_of))
        here = np.array([self._index[c] for c in chain.contracts], np.int32)
        for event in chain.events:
            if isinstance(event, Quotes):
                columns = (event.bid, event.ask, event.bid_size, event.ask_size)
                out.append(Quotes(here, *columns, ts=event.ts, recv=recv))
                out += self._gone(here, recv)
            elif isinstance(event, OpenInterest):
                out.append(OpenInterest(here, event.open_interest, event.ts, recv))
            elif isinstance(event, Volume):
                out.append(Volume(here, event.volume, event.ts, recv))
            elif isinstance(event, UnderlyingPrice):
                out.append(UnderlyingPrice(event.price, event.ts, recv))
        return out

    def _gone(self, here: NDArray[np.int32], recv: int) -> list[Event]:
        """What an option's last quote was must not stay once the page drops it."""
        gone = np.setdiff1d(np.arange(len(self._index), dtype=np.int32), here)
        if not len(gone):
            return []
        none = np.full(len(gone), np.nan)
        return [Quotes(gone, none, none, none, none, np.zeros(len(gone), np.int64), recv)]


async def polls(
    base_url: str,
    underlying: str,
    clock: Clock,
    interval_s: float = SHORTEST_S,
    client: httpx.AsyncClient | None = None,
    jitter: Callable[[], float] = random.random,
) -> AsyncIterator[Event]:
    """One session of polls, for ever: a status whenever the state changes, and each new page.

    Waits at least a minute between polls, longer after failures. Market time is in
    `ClockTick`: it runs behind the wall clock. Raises what `fetch` raises where another
    try makes no sense.
    """
    page_url(base_url, underlying)
    yield source_info(underlying)
    session = Session()
    etag = last_modified = ""
    failures = 0
    live = False
    yield FeedStatus("connecting", "asking for the first page")
    while True:
        asked_s = 0.0
        try:
            poll = await fetch(base_url, underlying, client, etag, last_modified)
        except (ConnectionFailedError, ChainError) as error:
            if not worth_another_try(error):
                raise
            failures += 1
            live = False
            asked_s = error.wait_s if isinstance(error, _PollError) else 0.0
            wait = wait_before_next(failures, interval_s, asked_s, jitter())
            yield FeedStatus(
                "reconnecting", error.message, {"try": float(failures), "retry_in_s": wait}
            )
        else:
            failures = 0
            etag, last_modified = poll.etag, poll.last_modified
            wait = wait_before_next(0, interval_s, jitter=jitter())
            if poll.chain is not None:
                for event in session.events(poll.chain, clock.now_ns()):
                    yield event
            if not live:
                live = True
                note = poll.chain.warnings[0] if poll.chain and poll.chain.warnings else ""
                yield FeedStatus("live", note)
        await clock.sleep_until(clock.now_ns() + round(wait * NS))
