"""Massive's REST answers as we need them: the chain with open interest, contracts, prints.

    /v3/snapshot/options/{underlying}        contracts, open interest, last quote, volume
    /v3/reference/options/contracts          contracts alone, for plans without snapshots
    /v3/trades/{contract}                    prints, for what was missed

The key goes into a header, never into an address. All answers are paged by `next_url`, an
address that the venue makes up: it is used only if it leads to the same host, and a key in
it is struck.

Source: the vendor's pages of these endpoints, real answers, and the models of its Python
client 2.9.1. Index underlyings are `I:SPX` for snapshots and plain `SPX` for contracts, and
their price is `value`; others have `price`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import msgspec

from gexterm.errors import InputError
from gexterm.feeds.massive.messages import NAN, number, whole
from gexterm.feeds.protocol import Answer, Request
from gexterm.feeds.secrets import Secret
from gexterm.market.contracts import Contract
from gexterm.market.roots import is_index, printable, root_spec
from gexterm.market.symbols import parse_many

PAGE = 250
"""Contracts of one snapshot page: the most the venue gives."""
_REFERENCE_PAGE = 1000
_TRADES_PAGE = 50_000
_MOST_URL = 4096
_SHARES = 100.0


class _Page(msgspec.Struct):
    results: list[msgspec.Raw] | None = None
    next_url: str | None = None


class _Words(msgspec.Struct):
    status: Any = None
    error: Any = None
    message: Any = None


@dataclass(frozen=True, slots=True)
class Row:
    """A contract as a page has it. NaN and 0 where the page is silent."""

    symbol: str
    """The venue's."""
    contract: Contract
    """What it names."""
    open_interest: float
    """Contracts open at the previous close; NaN not given."""
    bid: float
    """Last bid, points; NaN not given."""
    ask: float
    """Last offer, points; NaN not given or none."""
    bid_size: float
    """Contracts; NaN not given."""
    ask_size: float
    """Contracts; NaN not given."""
    quoted: int
    """When that quote was, ns; 0 not given."""
    volume: float
    """Contracts of the day that `traded` falls in; NaN not given."""
    traded: int
    """When that volume was as of, ns; 0 not given."""


@dataclass(slots=True)
class Listing:
    """One page of a chain."""

    rows: list[Row] = field(default_factory=list)
    """Contracts that are taken."""
    adjusted: int = 0
    """Contracts left out because they deliver something else than 100 shares of it."""
    foreign: int = 0
    """Contracts left out because their root is not one of the underlying's."""
    refused: int = 0
    """Rows that make no sense."""
    spot: float = NAN
    """Underlying, points; NaN not given."""
    timeframe: str = ""
    """Whether quotes are REAL-TIME or DELAYED; empty: the page has none."""
    next_url: str = ""
    """Where the next page is; empty: this was the last one."""


@dataclass(frozen=True, slots=True)
class Print:
    """One print of the past."""

    ns: int
    """When the tape had it, ns."""
    price: float
    """Points."""
    size: float
    """Contracts."""
    exchange: int
    """In the vendor's numbers."""
    conditions: list[int]
    """In the vendor's numbers."""
    sequence: int
    """−1: not given (the vendor's page of options has none)."""
    correction: int
    """The tape's correction indicator; 0: none."""


class Rest:
    """Makes requests, and checks where the next page is."""

    def __init__(self, base: str, key: Secret) -> None:
        self._base = base
        self._headers: dict[str, str | Secret] = {"Authorization": Secret(f"Bearer {key.reveal()}")}
        parts = urlsplit(base)
        self._origin = (parts.scheme, parts.netloc)

    def snapshot(self, underlying: str, first: dt.date, last: dt.date | None) -> str:
        """Address of the first snapshot page of expiries from `first` to `last`."""
        name = f"I:{underlying}" if is_index(underlying) else underlying
        return self._address(
            f"/v3/snapshot/options/{quote(name, safe=':')}", _dates(first, last, PAGE)
        )

    def contracts(self, underlying: str, first: dt.date, last: dt.date | None) -> str:
        """Address of the first page of contracts alone."""
        params = [("underlying_ticker", underlying), *_dates(first, last, _REFERENCE_PAGE)]
        return self._address("/v3/reference/options/contracts", params)

    def trades(self, symbol: str, since_ns: int, until_ns: int) -> str:
        """Address of a contract's prints from `since_ns` up to before `until_ns`, in order."""
        params = [
            ("timestamp.gte", str(since_ns)),
            ("timestamp.lt", str(until_ns)),
            ("order", "asc"),
            ("limit", str(_TRADES_PAGE)),
        ]
        return self._address(f"/v3/trades/{quote(symbol, safe=':')}", params)

    def request(self, key: str, url: str) -> Request:
        """A request of an address, with the key in its header."""
        return Request(key, url, headers=self._headers)

    def following(self, next_url: str) -> str:
        """The next page, as it is safe to ask for. Raises InputError where it is not."""
        try:
            parts = urlsplit(next_url)
        except ValueError:
            parts = urlsplit("")
        usable = len(next_url) <= _MOST_URL and next_url.isascii() and next_url.isprintable()
        if not usable or (parts.scheme, parts.netloc) != self._origin:
            raise InputError(f"its next page is elsewhere: {printable(next_url, 60)}")
        params = parse_qsl(parts.query, keep_blank_values=True)
        if any(name.lower() == "apikey" for name, _ in params):
            query = urlencode([pair for pair in params if pair[0].lower() != "apikey"])
        else:
            query = parts.query
        return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))

    def _address(self, path: str, params: list[tuple[str, str]]) -> str:
        return f"{self._base}{path}?{urlencode(params)}"


def _dates(first: dt.date, last: dt.date | None, limit: int) -> list[tuple[str, str]]:
    params = [("expiration_date.gte", first.isoformat())]
    if last is not None:
        params.append(("expiration_date.lte", last.isoformat()))
    return [*params, ("limit", str(limit))]


def words(answer: Answer) -> str:
    """What a refusal says, for a person."""
    try:
        said = msgspec.json.decode(answer.body, type=_Words)
    except msgspec.DecodeError:
        said = _Words()
    text = next((t for t in (said.error, said.message, said.status) if isinstance(t, str)), "")
    return printable(text, 120) if text else f"HTTP status {answer.status}"


def read_listing(body: bytes, roots: Iterable[str]) -> Listing:
    """A page of snapshots or of contracts; only contracts of `roots` are taken.

    Raises InputError where it is no page at all.
    """
    page = _page(body)
    out = Listing(next_url=page.next_url or "")
    taken = frozenset(roots)
    found: list[dict[str, Any]] = []
    for raw in page.results or ():
        row = _decoded(raw)
        if row is None:
            out.refused += 1
        else:
            found.append(row)
    symbols = [_symbol(row) for row in found]
    contracts = parse_many(symbol[2:] if symbol.startswith("O:") else "" for symbol in symbols)
    for row, symbol, contract in zip(found, symbols, contracts, strict=True):
        if contract is None:
            out.refused += 1
            continue
        if contract.root not in taken:
            # An adjusted root is the underlying's own with a digit: SPX1.
            if root_spec(contract.root).standard:
                out.foreign += 1
            else:
                out.adjusted += 1
            continue
        if _shares(row) != _SHARES:
            out.adjusted += 1
            continue
        out.rows.append(_row(row, symbol, contract, out))
    return out


def read_prints(body: bytes) -> tuple[list[Print], int, str]:
    """A page of prints: those that make sense, how many do not, and the next page."""
    page = _page(body)
    prints: list[Print] = []
    refused = 0
    for raw in page.results or ():
        row = _decoded(raw)
        when = whole(row.get("sip_timestamp"), 0) if row is not None else 0
        if row is None or when <= 0:
            refused += 1
            continue
        given = row.get("conditions")
        prints.append(
            Print(
                ns=when,
                price=number(row.get("price")),
                size=number(row.get("size")),
                exchange=whole(row.get("exchange"), 0),
                conditions=[whole(c, -2) for c in given] if isinstance(given, list) else [],
                sequence=whole(row.get("sequence_number"), -1),
                correction=whole(row.get("correction"), 0),
            )
        )
    return prints, refused, page.next_url or ""


def _page(body: bytes) -> _Page:
    try:
        return msgspec.json.decode(body, type=_Page)
    except msgspec.DecodeError as error:
        raise InputError(f"its answer is no page of results: {error}") from None


def _decoded(raw: msgspec.Raw) -> dict[str, Any] | None:
    try:
        row = msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return None
    return row if isinstance(row, dict) else None


def _part(row: dict[str, Any], name: str) -> dict[str, Any]:
    part = row.get(name)
    return part if isinstance(part, dict) else {}


def _symbol(row: dict[str, Any]) -> str:
    symbol = _part(row, "details").get("ticker") or row.get("ticker")
    return symbol if isinstance(symbol, str) and len(symbol) <= 32 else ""


def _shares(row: dict[str, Any]) -> float:
    details = _part(row, "details")
    given = details.get("shares_per_contract", row.get("shares_per_contract", _SHARES))
    return number(given)


def _row(row: dict[str, Any], symbol: str, contract: Contract, out: Listing) -> Row:
    last, day = _part(row, "last_quote"), _part(row, "day") or _part(row, "session")
    asset = _part(row, "underlying_asset")
    spot = number(asset.get("value", asset.get("price")))
    if spot > 0.0:
        out.spot = spot
    if isinstance(frame := last.get("timeframe"), str):
        out.timeframe = printable(frame, 20).strip("'")
    interest, volume = number(row.get("open_interest")), number(day.get("volume"))
    return Row(
        symbol=symbol,
        contract=contract,
        open_interest=interest if interest >= 0.0 else NAN,
        bid=number(last.get("bid")),
        ask=number(last.get("ask")),
        bid_size=number(last.get("bid_size")),
        ask_size=number(last.get("ask_size")),
        quoted=max(whole(last.get("last_updated"), 0), 0),
        volume=volume if volume >= 0.0 else NAN,
        traded=max(whole(day.get("last_updated"), 0), 0),
    )
