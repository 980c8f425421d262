"""Databento's OPRA.PILLAR: every print of United States options, with the quote before it.

    handshake   the lines of text before the stream
    records     the stream: how it is cut into records, records as columns
    listing     which contract an instrument id is; open interest once and not per exchange
    gather      rows to events: quotes conflated, prints once each
    tape        one number for each print, so that a replayed one is known again
    middle      where spot roughly is, to draw the window around
    protocol    the session

Sources: Databento's reference of the live API (raw), its pages on intraday replay, slow
readers, system messages, errors, connection limits and the dataset OPRA, as of autumn 2026;
the layout of DBN version 3 as `databento-dbn` 0.70 has it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from gexterm.errors import UsageError
from gexterm.feeds.protocol import FeedProtocol
from gexterm.feeds.secrets import Secret
from gexterm.feeds.venue import Checked, FeedOptions, SecretSpec, Venue, checked_url
from gexterm.market.roots import index_roots, is_index, printable, root_spec

URL = "tcp://opra-pillar.lsg.databento.com:13000"
_RETIRED = frozenset({"SPXPM"})
"""Roots without a contract left: to ask for one is an error."""
_KEY = re.compile(r"[A-Za-z0-9_-]{8,128}", re.ASCII)
"""Longer than the part of it that is sent. A key never holds what separates fields."""


def make(underlying: str, secrets: Mapping[str, Secret], options: FeedOptions) -> FeedProtocol:
    """A session of one underlying. Raises UsageError, as `venue.Make` says."""
    roots = _roots(underlying)
    if options.demo or options.delayed:
        raise UsageError("Databento has no demo and no delayed service")
    url = checked_url(options.url, "tcp") if options.url else URL
    key = secrets.get("key")
    if key is None or not key:
        raise UsageError("databento needs DATABENTO_API_KEY", "set it in the environment")
    if not _KEY.fullmatch(key.reveal()):
        raise UsageError("DATABENTO_API_KEY is no key of Databento's", "one is 32 letters, db-…")
    try:
        from gexterm.feeds.databento.protocol import DatabentoProtocol
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "databento_dbn":
            raise
        raise UsageError(
            "Databento's records cannot be read without databento-dbn",
            "install gexterm[databento]",
        ) from None
    return DatabentoProtocol(underlying, roots, key, url, options)


def _roots(underlying: str) -> tuple[str, ...]:
    """The roots to ask for. Raises UsageError where OPRA cannot have the underlying."""
    if is_index(underlying):
        return tuple(root for root in index_roots(underlying) if root not in _RETIRED)
    spec = root_spec(underlying)
    if spec.kind == "crypto" or spec.underlying != underlying:
        hint = f"name {spec.underlying}" if spec.kind != "crypto" else "SPX, XSP, VIX, SPY, AAPL"
        raise UsageError(f"OPRA carries no underlying {printable(underlying)}", hint)
    return (underlying,)


VENUE = Venue(
    name="databento",
    title="Databento OPRA.PILLAR",
    needs="an account with a live licence for OPRA",
    entitlement="a plan with live OPRA.PILLAR; price not known here, exchange fees come on top",
    delay="none",
    carries={
        "quotes": "national best bid and offer: each second in the window, each minute elsewhere",
        "prints": "all, back-filled from the open, up to 24 hours",
        "quote at the print": "as the venue gives it",
        "open interest": "of the previous close, once a day",
    },
    underlyings="SPX, XSP, VIX, NDX, RUT, SPY, AAPL: every option on OPRA",
    make=make,
    secrets=(
        SecretSpec(
            "key",
            "DATABENTO_API_KEY",
            "Databento API key (databento.com, API keys), 32 characters",
        ),
    ),
    checked=Checked(
        spec="live API reference, raw, autumn 2026; DBN version 3",
        frames="OPRA.PILLAR samples of the vendor: definition, statistics, trades, tbbo, cbbo; "
        "none with tcbbo, none of a live OPRA session",
        client="databento 0.87",
    ),
    notes=(
        "no condition in its records: legs of packages, late and cancelled prints look like others",
        "no side: the initiator is told from the quote before the print",
        "no price of the underlying: the forward comes from put-call parity",
        "the key never leaves; a hash of it does, and its last five characters",
        "the connection is not encrypted: that is how the venue serves it",
    ),
    extra="databento",
)
