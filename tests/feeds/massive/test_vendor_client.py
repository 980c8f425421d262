"""The vendor's own client and ours, at the same fake venue: the same values."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

import aiohttp
import massive
from massive.rest.models import OptionContractSnapshot, Trade
from massive.websocket.models import EquityQuote, EquityTrade

from gexterm.feeds.massive.messages import Quote, decode_frame
from gexterm.feeds.massive.messages import Trade as Print
from gexterm.feeds.massive.rest import Rest, read_listing, read_prints
from gexterm.feeds.secrets import Secret
from tests.feeds.listening import until
from tests.feeds.massive.made import KEY, NOW, TODAY, chain, frame, quote, row, symbol, trade
from tests.venues.massive import FakeMassive

CALL, PUT = symbol("SPXW", TODAY, "C", 6600), symbol("SPXW", TODAY, "P", 6600)
SCRIPT: tuple[tuple[dict[str, Any], ...], ...] = (
    (quote(CALL, 12.2, 12.4), quote(PUT, 0, 0.05)),
    (trade(CALL, 12.3, 5, q=1_864_261_653, c=[232]), quote(CALL, 12.25, 12.4, ms=3)),
    (trade(PUT, 0.05, 100, q=9, c=[209, 219]), trade(PUT, 0.05, 100, q=12, c=[201])),
)


async def _heard_by_vendor(venue: FakeMassive, names: list[str]) -> list[Any]:
    heard: list[Any] = []

    async def hear(messages: Any) -> None:
        heard.extend(messages)

    client = massive.WebSocketClient(
        api_key=KEY,
        feed=f"127.0.0.1:{venue.port}",
        market="options",
        secure=False,
        subscriptions=names,
    )
    listening = asyncio.create_task(client.connect(hear))
    try:
        await until(lambda: len(venue.prints_of) + len(venue.quotes_of) == len(names))
        for events in SCRIPT:
            venue.publish(*(dict(event) for event in events))
        await until(lambda: len(heard) == sum(map(len, SCRIPT)))
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await client.close()
    return heard


async def test_the_vendors_client_decodes_the_script_to_the_same_values() -> None:
    async with FakeMassive() as venue:
        heard = await _heard_by_vendor(venue, [f"{c}.{n}" for c in "TQ" for n in (CALL, PUT)])
    ours = [m for events in SCRIPT for m in decode_frame(frame(*events))]
    assert len(ours) == len(heard)
    for mine, theirs in zip(ours, heard, strict=True):
        if isinstance(mine, Quote):
            assert isinstance(theirs, EquityQuote)
            assert (mine.sym, mine.bp, mine.ap, mine.bs, mine.size, mine.t) == (
                theirs.symbol,
                theirs.bid_price,
                theirs.ask_price,
                theirs.bid_size,
                theirs.ask_size,
                theirs.timestamp,
            )
        else:
            assert isinstance(mine, Print) and isinstance(theirs, EquityTrade)
            assert isinstance(mine.c, tuple)
            assert (mine.sym, mine.p, mine.s, mine.x, list(mine.c), mine.t, mine.q) == (
                theirs.symbol,
                theirs.price,
                theirs.size,
                theirs.exchange,
                theirs.conditions,
                theirs.timestamp,
                theirs.sequence_number,
            )


async def test_the_vendors_client_pages_the_chain_to_the_same_open_interest() -> None:
    async with FakeMassive() as venue, aiohttp.ClientSession() as http:
        venue.chain = [*chain(), row(strike=6605.0, open_interest=0)]
        base = venue.url("", "http")
        client = massive.RESTClient(api_key=KEY, base=base, retries=0)

        def page() -> list[Any]:
            return list(client.list_snapshot_options_chain("I:SPX", params={"limit": 50}))

        theirs = await asyncio.to_thread(page)
        assert all(isinstance(each, OptionContractSnapshot) for each in theirs)
        rest = Rest(base, Secret(KEY))
        ours = {}
        url = rest.snapshot("SPX", dt.date(2026, 1, 1), None).replace("limit=250", "limit=50")
        pages = 0
        while url:
            async with http.get(url, headers={"Authorization": f"Bearer {KEY}"}) as answer:
                listing = read_listing(await answer.read(), ("SPX", "SPXW"))
            ours.update({each.symbol: each for each in listing.rows})
            url = rest.following(listing.next_url) if listing.next_url else ""
            pages += 1
        assert pages == 5 and len(ours) == len(theirs) == len(venue.chain)
        for each in theirs:
            mine = ours[each.details.ticker]
            assert mine.open_interest == each.open_interest
            assert mine.contract.strike == each.details.strike_price
            assert mine.contract.expiry.isoformat() == each.details.expiration_date
            assert (mine.bid, mine.ask) == (each.last_quote.bid, each.last_quote.ask)
            assert mine.quoted == each.last_quote.last_updated
            assert mine.volume == each.day.volume
            assert listing.spot == each.underlying_asset.value


async def test_the_vendors_client_reads_past_prints_as_we_do() -> None:
    async with FakeMassive() as venue, aiohttp.ClientSession() as http:
        venue.numbered = True
        venue.publish(*(trade(CALL, 5.0 + i, 2, q=i + 1, ms=i, c=[232]) for i in range(5)))
        base = venue.url("", "http")
        client = massive.RESTClient(api_key=KEY, base=base, retries=0)
        since = NOW + 1_000_000

        def fetch() -> list[Any]:
            return list(client.list_trades(CALL, timestamp_gte=since, order="asc"))

        theirs = await asyncio.to_thread(fetch)
        url = Rest(base, Secret(KEY)).trades(CALL, since, since + 10**12)
        async with http.get(url, headers={"Authorization": f"Bearer {KEY}"}) as answer:
            ours, refused, _ = read_prints(await answer.read())
        assert refused == 0 and len(ours) == len(theirs) == 4
        for mine, each in zip(ours, theirs, strict=True):
            assert isinstance(each, Trade)
            assert (mine.ns, mine.price, mine.size) == (each.sip_timestamp, each.price, each.size)
            assert (mine.exchange, mine.sequence) == (each.exchange, each.sequence_number)
            assert mine.conditions == each.conditions
