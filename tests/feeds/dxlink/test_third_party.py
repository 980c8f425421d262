"""tastytrade's own users' client, fed by the same fake, reads the same chain and values."""

from __future__ import annotations

import contextlib
import datetime as dt
import math
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from gexterm.feeds.dxlink.tastytrade import read_chain
from gexterm.market import symbols
from gexterm.market.events import CANCEL, CORRECTION, NEW, Trades
from tests.feeds.dxlink.live import CALL, PUT, TEN_MS, chain, columns, live, quote, sale
from tests.feeds.listening import until
from tests.venues.dxlink import CLIENT_SECRET, REFRESH_TOKEN, FakeDxlink, day_id, trade

tastytrade = pytest.importorskip("tastytrade")

from tastytrade import DXLinkStreamer, Session  # noqa: E402
from tastytrade.dxfeed import Greeks, Quote, Summary, TimeAndSale, Trade  # noqa: E402
from tastytrade.instruments import NestedOptionChain  # noqa: E402
from tastytrade.utils import TastytradeError  # noqa: E402

_QUOTED = {
    "eventTime": 0,
    "sequence": 0,
    "timeNanoPart": 0,
    "bidExchangeCode": "C",
    "askExchangeCode": "C",
}
QUOTES = [
    quote(CALL, 10.4, 10.55) | _QUOTED,
    quote(PUT, 0.0, 0.05) | _QUOTED | {"bidSize": "NaN"},
]
_SOLD = {
    "eventTime": 0,
    "exchangeCode": "C",
    "tradeThroughExempt": "",
    "buyer": None,
    "seller": None,
}
SALES = [
    sale(CALL, 1, 10.55, 3.0) | _SOLD,
    sale(PUT, 2, 9.0, 1.0, aggressorSide="SELL", exchangeSaleConditions="f", spreadLeg=True)
    | _SOLD,
    sale(CALL, 1, 10.45, 2.0, type="CORRECTION", aggressorSide="UNDEFINED") | _SOLD,
    sale(PUT, 2, 9.0, 1.0, type="CANCEL") | _SOLD,
]
SUMMARY = {
    "eventSymbol": CALL,
    "eventTime": 0,
    "dayId": day_id(TEN_MS),
    "prevDayId": day_id(TEN_MS) - 1,
    "dayClosePriceType": "REGULAR",
    "prevDayClosePriceType": "FINAL",
    "openInterest": 34905,
}
TRADE = trade(CALL, 10.5, TEN_MS, 1.3743299e7)
OLD_TRADE = trade(PUT, 9.0, TEN_MS - 86_400_000, 5000.0)


@pytest.fixture
async def venue() -> AsyncIterator[FakeDxlink]:
    async with FakeDxlink() as fake:
        chain(fake)
        yield fake


@pytest.fixture
async def session(venue: FakeDxlink, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Session]:
    monkeypatch.setattr("tastytrade.session.API_URL", venue.url("", scheme="http"))
    async with Session(CLIENT_SECRET, REFRESH_TOKEN) as made:
        yield made


@contextlib.asynccontextmanager
async def streaming(session: Session) -> AsyncIterator[DXLinkStreamer]:
    """Their client, with its streams closed afterwards, which it leaves to the collector."""
    streamer = DXLinkStreamer(session)
    try:
        async with streamer:
            yield streamer
    finally:
        for stream in (*streamer._send.values(), *streamer._recv.values()):
            stream.close()


async def subscribed(venue: FakeDxlink, kind: str, names: set[str]) -> None:
    await until(lambda: names <= venue.subscribed(kind))


def near(value: Decimal | float, other: float) -> bool:
    return math.isclose(float(value), other, rel_tol=1e-12)


async def test_the_chain_is_read_alike(venue: FakeDxlink, session: Session) -> None:
    theirs: dict[str, tuple[str, dt.date, float]] = {}
    for root in await NestedOptionChain.get(session, "SPX"):
        for expiry in root.expirations:
            assert expiry.settlement_type == ("AM" if root.root_symbol == "SPX" else "PM")
            for strike in expiry.strikes:
                for name in (strike.call_streamer_symbol, strike.put_streamer_symbol):
                    at = float(strike.strike_price)
                    theirs[name] = (root.root_symbol, expiry.expiration_date, at)
    ours = read_chain({"items": venue.chains["SPX"]}, "SPX")
    assert ours.left_out == {}
    assert {n: (c.root, c.expiry, c.strike) for n, c in ours.contracts} == theirs
    assert all(symbols.format(c, "dxfeed") == n for n, c in ours.contracts)


async def test_quotes_interest_and_volume_are_read_alike(
    venue: FakeDxlink, session: Session
) -> None:
    async with streaming(session) as streamer:
        await streamer.subscribe(Quote, [CALL, PUT])
        await streamer.subscribe(Summary, [CALL])
        await streamer.subscribe(Trade, [CALL, PUT])
        for kind in ("Quote", "Summary", "Trade"):
            await subscribed(venue, kind, {CALL})
        await subscribed(venue, "Trade", {PUT})
        await venue.publish("Quote", QUOTES)
        await venue.publish("Summary", [SUMMARY])
        await venue.publish("Trade", [OLD_TRADE, TRADE])
        quotes = {q.event_symbol: q for q in [await streamer.get_event(Quote) for _ in range(2)]}
        summary = await streamer.get_event(Summary)
        trades = [await streamer.get_event(Trade) for _ in range(2)]
    async with live(venue) as there:
        await there.subscribed()
        await there.publish("Quote", *QUOTES)
        await there.publish("Summary", SUMMARY)
        await there.publish("Trade", OLD_TRADE, TRADE)
        await there.until(lambda: len(there.quotes()) == 2 and bool(there.volume()))
        for name, (bid, ask, bid_size, ask_size) in there.quotes().items():
            theirs = quotes[name]
            assert near(theirs.bid_price, bid)
            assert near(theirs.ask_price, ask)
            assert near(theirs.ask_size, ask_size)
            # A size that is not a number is zero to them, and not given to us.
            assert near(theirs.bid_size, 0.0 if math.isnan(bid_size) else bid_size)
        assert there.interest() == {CALL: float(summary.open_interest)}
        assert {t.event_symbol: t.day_id for t in trades} == {CALL: 20413, PUT: 20412}
        # The volume of another day is theirs to tell from its day; ours is the session's.
        today = {t.event_symbol: float(t.day_volume or 0) for t in trades if t.day_id == 20413}
        assert there.volume() == today == {CALL: 1.3743299e7}
    assert venue.errors == []


async def test_prints_corrections_and_cancels_are_read_alike(
    venue: FakeDxlink, session: Session
) -> None:
    async with streaming(session) as streamer:
        await streamer.subscribe(TimeAndSale, [CALL, PUT])
        await subscribed(venue, "TimeAndSale", {CALL, PUT})
        await venue.publish("TimeAndSale", SALES)
        theirs = [await streamer.get_event(TimeAndSale) for _ in SALES]
    async with live(venue) as there:
        await there.subscribed()
        await there.publish("TimeAndSale", *SALES)
        await there.until(lambda: sum(len(t.ts) for t in there.of(Trades)) == len(SALES))
        ours = columns(there.of(Trades))
    words = {"NEW": NEW, "CORRECTION": CORRECTION, "CANCEL": CANCEL}
    sides = {"BUY": 1, "SELL": -1, "UNDEFINED": 0}
    by_name = {
        (number, action): row
        for row, (number, action) in enumerate(zip(ours["sequence"], ours["action"], strict=True))
    }
    for each in theirs:
        row = by_name[each.index, words[each.type]]
        for column, value in (
            ("price", each.price),
            ("size", each.size),
            ("bid", each.bid_price),
            ("ask", each.ask_price),
        ):
            assert near(value, ours[column][row])
        assert ours["ts"][row] == each.time * 1_000_000
        assert ours["side"][row] == sides[each.aggressor_side]
        if not each.spread_leg:
            assert chr(ours["condition"][row]) == each.exchange_sale_conditions
        assert ours["refers"][row] == (each.index if each.type != "NEW" else -1)


async def test_the_fake_speaks_of_greeks_as_their_client_expects(
    venue: FakeDxlink, session: Session
) -> None:
    """Nothing of ours: it shows that the fake is a DXLink server to somebody else."""
    greeks: dict[str, Any] = {
        "eventSymbol": CALL, "eventTime": 0, "eventFlags": 0, "index": 5, "time": 5, "sequence": 0,
        "price": 10.5, "volatility": 0.18, "delta": 0.5, "gamma": 0.01, "theta": -9.0, "rho": 0.1,
        "vega": 1.5,
    }  # fmt: skip
    async with streaming(session) as streamer:
        await streamer.subscribe(Greeks, [CALL])
        await subscribed(venue, "Greeks", {CALL})
        await venue.publish("Greeks", [greeks])
        theirs = await streamer.get_event(Greeks)
    assert near(theirs.volatility, 0.18)


async def test_who_is_no_customer_is_refused_by_the_fake_in_their_words_too(
    venue: FakeDxlink, session: Session
) -> None:
    venue.customer = False
    with pytest.raises(TastytradeError, match="customer_not_found_error"):
        async with streaming(session):
            pass
