"""Small chain files, made here; numbers are invented."""

from __future__ import annotations

import datetime as dt
import json

import numpy as np

from gexterm.market.events import Event, OpenInterest, Quotes, UnderlyingPrice, Volume
from gexterm.recording.chains import ChainFile

COLUMNS = (
    "Expiration Date,Calls,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest,Strike,"
    "Puts,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest"
)
STAMP = '"Date: July 12, 2022, 11:55 AM EDT",Bid: 3855.37,Ask: 3857.16,Size: 1*1,Volume: 0'
TITLE = "Standard & Poors 500 Index,Last: 3856.28,Change:  1.85"


def quote_row(
    strike: float = 3850.0,
    root: str = "SPXW",
    expiry: dt.date = dt.date(2022, 7, 12),
    bid: object = 9.5,
    ask: object = 10.5,
    oi: object = 120,
    volume: object = 30,
) -> str:
    """One row of a quote page; call and put carry the same numbers."""
    code = f"{root}{expiry:%y%m%d}%s{round(strike * 1000):08d}"
    side = f"{{}},0,0,{bid},{ask},{volume},0.2,0.5,0.01,{oi}"
    return f"{expiry:%a %b %d %Y},{side.format(code % 'C')},{strike:.2f},{side.format(code % 'P')}"


def quote_page(
    *rows: str, stamp: str = STAMP, title: str = TITLE, top: tuple[str, ...] = ("",)
) -> bytes:
    """A quote page around rows."""
    return "\n".join([*top, title, stamp, COLUMNS, *(rows or (quote_row(),)), ""]).encode()


def option(symbol: str = "SPXW220712C03850000", **fields: object) -> dict[str, object]:
    """One entry of a delayed-quotes page."""
    return {
        "option": symbol,
        "bid": 9.5,
        "bid_size": 11.0,
        "ask": 10.5,
        "ask_size": 12.0,
        "iv": 0.2,
        "open_interest": 120.0,
        "volume": 30.0,
        "delta": 0.5,
        "last_trade_time": "2022-07-12T11:39:00",
    } | fields


def delayed_page(
    *options: object,
    timestamp: object = "2022-07-12 15:55:13",
    symbol: str = "_SPX",
    **data: object,
) -> bytes:
    """A delayed-quotes page around options."""
    body = {
        "symbol": symbol.removeprefix("_"),
        "current_price": 3856.28,
        "bid": 3855.37,
        "ask": 3857.16,
        "last_trade_time": "2022-07-12T11:40:10",
        "options": list(options) or [option()],
    } | data
    return json.dumps({"timestamp": timestamp, "symbol": symbol, "data": body}).encode()


DATASHOP = (
    "underlying_symbol,quote_date,root,expiration,strike,option_type,open,high,low,close,"
    "trade_volume,bid_size_1545,bid_1545,ask_size_1545,ask_1545,underlying_bid_1545,"
    "underlying_ask_1545,bid_size_eod,bid_eod,ask_size_eod,ask_eod,underlying_bid_eod,"
    "underlying_ask_eod,vwap,open_interest,delivery_code"
)


def datashop_row(**fields: object) -> str:
    """One row of the full DataShop layout."""
    row: dict[str, object] = {
        "underlying_symbol": "^SPX",
        "quote_date": "2022-07-12",
        "root": "SPXW",
        "expiration": "2022-07-12",
        "strike": "3850.000",
        "option_type": "C",
        "open": 9,
        "high": 12,
        "low": 8,
        "close": 10,
        "trade_volume": 30,
        "bid_size_1545": 11,
        "bid_1545": 9.5,
        "ask_size_1545": 12,
        "ask_1545": 10.5,
        "underlying_bid_1545": 3855,
        "underlying_ask_1545": 3857,
        "bid_size_eod": 1,
        "bid_eod": 6.5,
        "ask_size_eod": 2,
        "ask_eod": 7.5,
        "underlying_bid_eod": 3818,
        "underlying_ask_eod": 3820,
        "vwap": 10,
        "open_interest": 120,
        "delivery_code": "",
    } | fields
    return ",".join(str(value) for value in row.values())


def datashop(*rows: str, columns: str = DATASHOP) -> bytes:
    """A DataShop file around rows."""
    return "\n".join([columns, *(rows or (datashop_row(),)), ""]).encode()


def without(data: bytes, *columns: str) -> bytes:
    """A DataShop file that lacks some columns."""
    rows = [line.split(",") for line in data.decode().splitlines()]
    keep = [i for i, name in enumerate(rows[0]) if name not in columns]
    return "\n".join(",".join(row[i] for i in keep) for row in rows).encode()


def only(chain: ChainFile, kind: type[Event]) -> Event:
    """The one event of a kind."""
    (event,) = (event for event in chain.events if isinstance(event, kind))
    return event


def quotes(chain: ChainFile) -> Quotes:
    event = only(chain, Quotes)
    assert isinstance(event, Quotes)
    return event


def spot(chain: ChainFile) -> float:
    found = [event.price for event in chain.events if isinstance(event, UnderlyingPrice)]
    return found[0] if found else float("nan")


def total(chain: ChainFile, kind: type[OpenInterest] | type[Volume]) -> float:
    """Sum of the known open interest or volume."""
    event = only(chain, kind)
    values = event.open_interest if isinstance(event, OpenInterest) else event.volume  # type: ignore[union-attr]
    return float(np.nansum(values))
