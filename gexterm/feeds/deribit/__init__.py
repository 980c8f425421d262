"""Deribit: options on coins, quotes and prints with their true side, for everybody."""

from __future__ import annotations

from collections.abc import Mapping

from gexterm.errors import UsageError
from gexterm.feeds.deribit.families import family
from gexterm.feeds.deribit.protocol import DeribitProtocol
from gexterm.feeds.protocol import FeedProtocol
from gexterm.feeds.secrets import Secret
from gexterm.feeds.venue import Checked, FeedOptions, Venue, checked_url

URL = "wss://www.deribit.com/ws/api/v2"
DEMO_URL = "wss://test.deribit.com/ws/api/v2"


def make(underlying: str, _secrets: Mapping[str, Secret], options: FeedOptions) -> FeedProtocol:
    """A protocol for the options on one coin. Raises UsageError where there can be none."""
    if options.delayed:
        raise UsageError("Deribit has no delayed service", "leave out --delayed")
    url = checked_url(options.url or (DEMO_URL if options.demo else URL), "wss", "ws")
    return DeribitProtocol(family(underlying), url, options)


VENUE = Venue(
    name="deribit",
    title="Deribit",
    needs="nothing",
    entitlement="public market data, free of charge",
    delay="none; quotes and prints are gathered over 100 ms",
    carries={
        "quotes": "best bid and offer with sizes, conflated over 100 ms",
        "prints": "every one, numbered per contract: gaps are seen and filled",
        "side": "exact: the venue's own aggressor",
        "condition": "combo leg, block, block by request for quote, liquidation",
        "open interest": "of midnight in New York, or of the start: prints are added to it",
        "underlying": "the index the options settle on, every second",
    },
    underlyings="BTC, ETH (quoted in coin), and linear ones: BTC_USDC, SOL_USDC, XRP_USDC …",
    make=make,
    checked=Checked(
        spec="docs.deribit.com JSON-RPC API 2.1.1, as stored 2026: methods, subscriptions, "
        "rate limits (limits of calls without a login are not stated there)",
        frames="ticker of BTC-23FEB24-45000-C, trade of BTC-26MAR21-62000-C, combo of "
        "2026-05-18 with its legs, errors, heartbeats; chains of five dates 2025-12 to 2026-04",
        client="ccxt 4.5.64 (ccxt.pro): listing, tickers, prints and history of a fake exchange",
    ),
    notes=(
        "premiums quoted in coin are turned into points with the forward of their expiry",
        "contracts are counted in coins: 1 contract is 1 BTC, also in linear families",
        "quotes outside the window are renewed every five minutes",
        "settlement averages the index over 07:30 to 08:00 UTC: priced as if on the last value",
        "the session begins at midnight in New York; the venue tells prints of the last 24 hours",
        "blocks agreed beforehand are never signed; blocks by request for quote are",
    ),
    continuous=True,
)
