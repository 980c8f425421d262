"""Somebody else's client, ccxt.pro, reads the same fake exchange to the same values as we do."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gexterm.feeds.deribit import VENUE
from tests.feeds.deribit.talk import CALL, PUT, Talk, market
from tests.feeds.listening import until
from tests.venues.deribit import Exchange, FakeDeribit

ccxt_pro = pytest.importorskip("ccxt.pro", reason="needs ccxt, a development dependency")
SYMBOLS = {CALL: "BTC/USD:BTC-231124-37000-C", PUT: "BTC/USD:BTC-231124-37000-P"}


@contextlib.asynccontextmanager
async def their_client(venue: FakeDeribit) -> AsyncIterator[Any]:
    client = ccxt_pro.deribit({"newUpdates": True})
    client.urls["api"] = {"rest": venue.url("", "http"), "ws": venue.url("/ws/api/v2")}
    try:
        await client.load_markets()
        yield client
    finally:
        await client.close()


async def told(exchange: Exchange, channel: str, watching: Any, act: Any) -> Any:
    """What their client makes of what the exchange does once it listens."""
    task = asyncio.ensure_future(watching)
    await until(lambda: any(channel in each.channels for each in exchange.sessions))
    act()
    return await asyncio.wait_for(task, 60.0)


BOOKS = {
    CALL: {"bid": 0.0205, "ask": 0.0215, "best_bid_amount": 3.1, "best_ask_amount": 12.5},
    PUT: {"bid": 0.0185, "ask": 0.0195, "best_bid_amount": 0.1, "best_ask_amount": 0.2},
}
PRINTS = [(CALL, 0.0215, 2.5, "buy"), (PUT, 0.0185, 0.1, "sell"), (CALL, 0.0205, 7.0, "sell")]


async def test_ccxt_lists_the_same_contracts() -> None:
    exchange = market()
    talk = Talk(exchange)
    talk.open()
    async with FakeDeribit(exchange) as venue, their_client(venue) as client:
        ours = talk.protocol.catalogue
        assert set(ours.symbols) == {each["id"] for each in client.markets.values()}
        for symbol, contract in zip(ours.symbols, ours.contracts, strict=True):
            theirs = client.market(SYMBOLS[symbol])
            assert theirs["strike"] == contract.strike
            assert theirs["optionType"] == ("call" if contract.right == "C" else "put")
            assert theirs["expiryDatetime"] == f"{contract.expiry}T08:00:00.000Z"
            assert theirs["inverse"] and theirs["contractSize"] == 1.0


@pytest.mark.parametrize("name", [CALL, PUT])
async def test_ccxt_reads_the_same_quote_in_coin(name: str) -> None:
    exchange = market()
    talk = Talk(exchange)
    talk.open()
    talk.settle()
    talk.events.clear()
    async with FakeDeribit(exchange) as venue, their_client(venue) as client:
        # A subscription is answered with the book as it stands.
        exchange.quote(name, **BOOKS[name], underlying_price=37_500.0)
        channel = f"ticker.{name}.100ms"
        watching = client.watch_ticker(SYMBOLS[name])
        ticker = await told(exchange, channel, watching, lambda: None)
    talk.pump()
    talk.events += talk.protocol.flush()
    [(symbol, bid, ask, ts)] = talk.quotes()
    assert (symbol, ts) == (name, ticker["timestamp"])
    assert [bid / 37_500, ask / 37_500] == pytest.approx([ticker["bid"], ticker["ask"]])
    quotes = next(event for event in talk.events if hasattr(event, "bid_size"))
    assert (quotes.bid_size[0], BOOKS[name]["ask"]) == (ticker["bidVolume"], ticker["ask"])


@pytest.mark.parametrize("name", [CALL, PUT])
async def test_ccxt_reads_the_same_prints_in_coin(name: str) -> None:
    exchange = market()
    talk = Talk(exchange)
    talk.open()
    async with FakeDeribit(exchange) as venue, their_client(venue) as client:
        trades = await told(
            exchange,
            f"trades.{name}.100ms",
            client.watch_trades(SYMBOLS[name]),
            lambda: exchange.trades(PRINTS),
        )
    talk.settle()
    ours = [row[2:] for row in talk.prints() if row[0] == name]
    theirs = [
        (t["price"] * 37_000, t["amount"], 1 if t["side"] == "buy" else -1, t["timestamp"])
        for t in trades
    ]
    assert ours == [(pytest.approx(price), *rest) for price, *rest in theirs]
    assert len(ours) == sum(each[0] == name for each in PRINTS)


async def test_ccxt_reads_the_same_history() -> None:
    exchange = market()
    exchange.trades(PRINTS)
    exchange.advance(5000)
    talk = Talk(exchange)
    talk.open()
    talk.settle()
    async with FakeDeribit(exchange) as venue, their_client(venue) as client:
        found = await client.fetch_trades(SYMBOLS[CALL], limit=10)
    theirs = sorted((t["price"] * 37_000, t["amount"], t["side"] == "buy") for t in found)
    ours = sorted((row[2], row[3], row[4] > 0) for row in talk.prints() if row[0] == CALL)
    assert ours == [(pytest.approx(price), *rest) for price, *rest in theirs]
    assert len(ours) == 2


def test_the_venue_names_the_client_it_was_checked_against() -> None:
    import ccxt

    assert f"ccxt {ccxt.__version__}" in VENUE.checked.client
