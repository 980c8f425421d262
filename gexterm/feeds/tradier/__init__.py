"""Tradier: quotes and prints over a websocket, the chain over HTTP, for its customers."""

from __future__ import annotations

from collections.abc import Mapping

from gexterm.errors import UsageError
from gexterm.feeds.secrets import Secret
from gexterm.feeds.tradier.protocol import LOGIN, MOST, NO_CONDITIONS, TradierProtocol
from gexterm.feeds.venue import Checked, FeedOptions, SecretSpec, Venue


def make(underlying: str, secrets: Mapping[str, Secret], options: FeedOptions) -> TradierProtocol:
    """The feed of one underlying."""
    token = secrets.get("token")
    if not token:
        raise UsageError("tradier needs an access token", LOGIN)
    if options.delayed:
        raise UsageError("Tradier has no delayed service but its sandbox", "try --demo")
    return TradierProtocol(underlying, token, options)


VENUE = Venue(
    name="tradier",
    title="Tradier Brokerage",
    needs="a brokerage account and its access token",
    entitlement="market data comes with a funded account, without a fee as far as known",
    delay="none; the sandbox (--demo) 15 minutes, if it streams at all",
    carries={
        "quotes": "of the contracts in the window, times often whole seconds",
        "prints": "of the contracts in the window; each has a number, gaps cannot be proved",
        "quote at the print": "bid and offer with every print",
        "open interest": "once a day, with the chain",
        "underlying": "streamed for stocks; an index is asked for every 5 s",
    },
    underlyings="SPX and other indices, every United States stock or fund with options",
    make=make,
    secrets=(
        SecretSpec(
            "token",
            "TRADIER_TOKEN",
            "access token (Tradier's web site, API access; the sandbox has one of its own)",
        ),
    ),
    checked=Checked(
        spec="documentation.tradier.com and docs.tradier.com: streaming, market data, limits",
        frames="quote, trade, timesale, summary of equities; none of options",
        client="",
        live="",
    ),
    notes=(
        "whether prints of SPXW arrive, and what their flag says, is known second-hand only",
        NO_CONDITIONS,
        "only valid ticks are asked for: prints that an exchange takes back may not be told",
        f"no symbol limit is published, abuse is watched for: {MOST} contracts unless told more",
        "the official client is proprietary software: it was not used to check anything",
    ),
)
