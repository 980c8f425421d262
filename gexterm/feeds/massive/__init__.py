"""Massive (formerly Polygon.io): United States options, prints with conditions, quotes of 1,000."""

from __future__ import annotations

from collections.abc import Mapping

from gexterm.errors import SymbolError, UsageError
from gexterm.feeds.massive.protocol import MassiveProtocol
from gexterm.feeds.protocol import FeedProtocol
from gexterm.feeds.secrets import Secret
from gexterm.feeds.venue import Checked, FeedOptions, SecretSpec, Venue, checked_url
from gexterm.market.roots import index_roots, printable, root_spec

REAL_TIME = "wss://socket.massive.com/options"
DELAYED = "wss://delayed.massive.com/options"
REST = "https://api.massive.com"
_KEY = SecretSpec(
    name="key",
    env="MASSIVE_API_KEY",
    prompt="API key (massive.com, dashboard, API keys; keys of polygon.io go on working)",
)


def make(underlying: str, secrets: Mapping[str, Secret], options: FeedOptions) -> FeedProtocol:
    """A protocol for one index, stock or fund. Raises UsageError where that cannot be."""
    name = underlying.strip().upper()
    roots = _roots(name)
    key = secrets.get(_KEY.name)
    if not key:
        raise UsageError(
            "Massive wants an API key", f"set {_KEY.env}, or run: gexterm feeds login massive"
        )
    if options.demo:
        raise UsageError("Massive has no test system", "leave the demo option out")
    url = options.url or (DELAYED if options.delayed else REAL_TIME)
    return MassiveProtocol(
        name,
        roots,
        key,
        checked_url(url, "wss", "ws"),
        checked_url(options.rest_url or REST, "https", "http"),
        options,
    )


def _roots(underlying: str) -> tuple[str, ...]:
    """The roots whose options are the underlying's own. Raises UsageError for what has none."""
    if roots := index_roots(underlying):
        return roots
    # A class of shares has a dot that its options have not: BRK.B, O:BRKB….
    root = underlying.replace(".", "", 1)
    try:
        spec = root_spec(root)
    except SymbolError as error:
        raise UsageError(error.message, "an index, a stock or a fund, such as SPX or SPY") from None
    if spec.kind == "crypto":
        raise UsageError(
            f"Massive's options on {printable(underlying)} cannot be told from Deribit's coins",
            "use the feed deribit for coins",
        )
    if spec.underlying != root:
        raise UsageError(
            f"{printable(underlying)} is a root, not an underlying", f"ask for {spec.underlying}"
        )
    return (root,)


VENUE = Venue(
    name="massive",
    title="Massive (formerly Polygon.io)",
    needs="an options plan: Advanced for quotes, Developer for prints 15 minutes late",
    entitlement="all of OPRA; Advanced $199 a month, Developer $79 a month [massive.com, 2026]",
    delay="real time; 15 minutes with the delayed feed",
    carries={
        "quotes": "of 1,000 contracts around spot; the others every 15 minutes from the chain",
        "prints": "of all listed contracts, to the millisecond",
        "condition": "yes, in the venue's numbers of OPRA's letters",
        "open interest": "yes, of the previous close",
        "volume": "yes, with the chain",
    },
    underlyings="SPX, NDX, RUT, VIX, XSP, SPY, QQQ, any United States stock or fund with options",
    make=make,
    secrets=(_KEY,),
    checked=Checked(
        spec="the vendor's pages of the options websocket and REST endpoints, as of 2026",
        frames="REST: a chain snapshot and contracts; websocket: none of a real option quote or "
        "print could be had, only their field names",
        client="massive 2.9.1 (the vendor's), websocket and REST, against the same fake venue",
    ),
    notes=(
        "one connection per account: a second program takes it away",
        "numbers of prints rise with holes: a missing print cannot be proved, no gaps are counted",
        "prints carry neither side nor quote: they are judged by the venue's own quotes, and "
        "outside the window by none",
        "cancels name no original: the tape takes back the print alike in price and size",
        "spot is the nearest forward, from the options: index values are another plan",
        "after a break or a late start, prints of at most 200 contracts are fetched",
    ),
)
