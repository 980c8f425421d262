"""Cboe's delayed quotes, on the loopback: pages with an ETag, compressed, now and then wrong.

Cboe describes neither page nor server. The page has the shape that others read
(`tests.recording.chains.pages`), the server does what any cache in front of one does:
`ETag` and `If-None-Match`, `Last-Modified` and `If-Modified-Since` (RFC 9110, section 13),
gzip where the client takes it, `Retry-After` where it refuses.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import gzip
import json
from zoneinfo import ZoneInfo

from aiohttp import web

from tests.recording.chains.pages import option
from tests.venues.base import FakeVenue

UTC = dt.UTC


def page(
    stamp: dt.datetime,
    spot: float = 3856.28,
    root: str = "SPXW",
    expiries: tuple[dt.date, ...] = (),
    strikes: tuple[float, ...] = (3800.0, 3825.0, 3850.0, 3875.0, 3900.0),
    shift: float = 0.0,
) -> bytes:
    """A page made at `stamp` (UTC): calls and puts around spot, dearer the later they expire.

    `shift` moves every bid, so that two pages can be told apart by a quote.
    """
    expiries = expiries or (stamp.date(), stamp.date() + dt.timedelta(days=3))
    rows = []
    for days, date in enumerate(expiries):
        for strike in strikes:
            for right in "CP":
                inner = max(0.0, spot - strike if right == "C" else strike - spot)
                bid = round(inner + 1.0 + days + shift, 2)
                rows.append(
                    option(
                        f"{root}{date:%y%m%d}{right}{round(strike * 1000):08d}",
                        bid=bid,
                        ask=bid + 0.2,
                        open_interest=float(round(strike) % 977 + days),
                        volume=float(round(strike) % 31),
                        last_trade_time=None,
                    )
                )
    traded = stamp - dt.timedelta(minutes=15)
    last_trade = traded.astimezone(ZoneInfo("America/New_York")).replace(tzinfo=None)
    body = {
        "symbol": "SPX",
        "current_price": spot,
        "bid": spot - 1,
        "ask": spot + 1,
        "last_trade_time": last_trade.isoformat(),
        "options": rows,
    }
    return json.dumps(
        {"timestamp": f"{stamp:%Y-%m-%d %H:%M:%S}", "symbol": "_SPX", "data": body}
    ).encode()


class CboeVenue(FakeVenue):
    """Hands out one page; what else it does is set on it."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self.body = body
        """The page."""
        self.etag = '"1"'
        """Its ETag; empty: none."""
        self.modified = ""
        """Its Last-Modified; empty: none."""
        self.refusals: list[tuple[int, dict[str, str]]] = []
        """Statuses and headers of the next answers, instead of the page."""
        self.cut_at: int | None = None
        """Bytes after which the next answer ends, though it promised more."""
        self.hang = asyncio.Event()
        """Answers wait until it is set."""
        self.hang.set()
        self.served: list[int] = []
        """Status of each answer, in order."""
        self.http("GET", "/quotes/{page}.json", self._page)
        self.base = ""

    def renew(self, body: bytes) -> None:
        """Put up another page."""
        self.body = body
        self.etag = f'"{int(self.etag.strip(chr(34)) or 0) + 1}"'

    async def _page(self, request: web.Request) -> web.StreamResponse:
        await self.hang.wait()
        if self.refusals:
            status, headers = self.refusals.pop(0)
            self.served.append(status)
            return web.Response(status=status, headers=headers, text="<html>no</html>")
        headers = {"Content-Type": "application/json"}
        if self.etag:
            headers["ETag"] = self.etag
        if self.modified:
            headers["Last-Modified"] = self.modified
        known = request.headers.get("If-None-Match")
        same = known == self.etag if known else False
        if not known and self.modified:
            same = request.headers.get("If-Modified-Since") == self.modified
        if same:
            self.served.append(304)
            return web.Response(status=304, headers=headers)
        body = self.body
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, 1)
            headers["Content-Encoding"] = "gzip"
        self.served.append(200)
        if self.cut_at is None:
            return web.Response(body=body, headers=headers)
        response = web.StreamResponse(headers={**headers, "Content-Length": str(len(body))})
        await response.prepare(request)
        await response.write(body[: self.cut_at])
        self.cut_at = None
        assert request.transport is not None
        request.transport.abort()
        return response
