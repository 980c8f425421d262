"""DXLink, the protocol of dxFeed, as tastytrade's customers have it.

tastytrade     tokens and the chain, over HTTP
session        one connection: set-up, login, keep-alive, channels
subscriptions  what is asked for, in frames short enough
compact        FEED_DATA in the order of fields that the server chose
quotes, prints what was gathered since the last flush
history        prints of before we listened
protocol       all of it as a feed
"""

from __future__ import annotations

from collections.abc import Mapping

from gexterm.errors import SymbolError, UsageError
from gexterm.feeds.dxlink.protocol import DxlinkProtocol
from gexterm.feeds.dxlink.tastytrade import Tastytrade
from gexterm.feeds.secrets import Secret
from gexterm.feeds.venue import Checked, FeedOptions, SecretSpec, Venue
from gexterm.market.roots import is_index, printable, root_spec

_SECRETS = (
    SecretSpec(
        "client-secret",
        "TASTYTRADE_CLIENT_SECRET",
        "client secret of your OAuth application (my.tastytrade.com, Manage, API access)",
    ),
    SecretSpec(
        "refresh-token",
        "TASTYTRADE_REFRESH_TOKEN",
        "refresh token that you made for it there; it does not expire",
    ),
)


def make(underlying: str, secrets: Mapping[str, Secret], options: FeedOptions) -> DxlinkProtocol:
    """A protocol for one underlying.

    Raises UsageError where a secret is missing, the underlying is no US one, or the
    demo is asked for, which lists no contracts.
    """
    if options.demo:
        raise UsageError(
            "dxFeed's demo has no list of options, and gexterm makes up no contracts",
            "use a tastytrade account, or `gexterm live cboe SPX` without one",
        )
    if options.delayed:
        raise UsageError("tastytrade has no delayed service of its own", "leave out --delayed")
    symbol = underlying.upper()
    try:
        spec = root_spec(symbol) if not is_index(symbol) else None
    except SymbolError as error:
        raise UsageError(error.message, "try SPX, XSP, SPY or AAPL") from None
    if spec is not None and (spec.kind == "crypto" or spec.underlying != symbol):
        raise UsageError(
            f"tastytrade lists no options on {printable(symbol)}",
            f"try {spec.underlying}" if spec.underlying != symbol else "try SPX, XSP, SPY or AAPL",
        )
    for wanted in _SECRETS:
        if not secrets.get(wanted.name):
            raise UsageError(
                f"tastytrade needs a {wanted.name}",
                f"gexterm feeds login dxlink, or set {wanted.env}",
            )
    rest = Tastytrade(symbol, secrets["client-secret"], secrets["refresh-token"], options.rest_url)
    return DxlinkProtocol(symbol, rest, options)


VENUE = Venue(
    name="dxlink",
    title="tastytrade (dxFeed DXLink)",
    needs="a tastytrade account, fully opened, and an OAuth application of your own",
    entitlement="real-time US options and indices for customers; no fee is stated",
    delay="none; 15 minutes in the sandbox",
    carries={
        "quotes": "of 1,200 contracts at most, conflated over 0.1 s by the server",
        "prints": "TimeAndSale of every contract once quoted, where the account is entitled",
        "quote at the print": "with each print",
        "side": "dxFeed's guess: OPRA names no aggressor",
        "condition": "where it is one of OPRA's letters; legs of spreads are marked",
        "open interest": "of the contracts quoted",
        "volume": "of the contracts quoted",
        "underlying": "index value, or the middle of a stock's quote",
    },
    underlyings="SPX, XSP, NDX, RUT, VIX, SPY, single names",
    make=make,
    secrets=_SECRETS,
    checked=Checked(
        spec="dxLink AsyncAPI 1.0.2 (websocket); developer.tastytrade.com (HTTP)",
        frames="FEED_DATA in COMPACT: Quote, Trade, Summary; none of TimeAndSale could be had",
        client="tastytrade 13.2.3 (Python)",
    ),
    notes=(
        "whether TimeAndSale of .SPXW reaches a retail account is not confirmed; where it"
        " does not, that is said, and no flow is known",
        "dxFeed documents neither how it infers the aggressor nor how it writes OPRA's"
        " conditions: both are evidence, not fact",
        "prints of before the start are asked for; whether they are delivered is not confirmed",
        "sandbox accounts get demo data, 15 minutes late",
    ),
)
