"""What Deribit says, decoded: only the fields that are used, each as the venue types it.

Source: docs.deribit.com, JSON-RPC API 2.1.1: subscriptions `ticker.{instrument}.{interval}`,
`trades.{kind}.{currency}.{interval}`, `deribit_price_index.{index}`; methods
`public/get_instruments`, `public/get_book_summary_by_currency`, `public/get_last_trades_*`.

Numbers may be missing or null; null and a price of 0 both say that nobody is there.
"""

from __future__ import annotations

import msgspec

NAN = float("nan")
_RAW = msgspec.Raw(b"null")
Number = float | None
Name = str | int | float | bool | None
"""What only has to be there or not: no other way of writing it may cost a print."""


class Ticker(msgspec.Struct, gc=False):
    """State of one option, up to ten times a second. Premiums as the family quotes them."""

    instrument_name: str
    timestamp: int = 0
    best_bid_price: Number = None
    best_bid_amount: Number = None
    best_ask_price: Number = None
    best_ask_amount: Number = None
    underlying_price: Number = None
    index_price: Number = None
    open_interest: Number = None
    state: str = "open"


class TickerParams(msgspec.Struct, gc=False):
    """Of a ticker notification."""

    data: Ticker


class TickerFrame(msgspec.Struct, gc=False):
    """A ticker notification."""

    params: TickerParams


class Print(msgspec.Struct, gc=False):
    """One trade. `amount` is in coins; `direction` is the taker's."""

    instrument_name: str
    trade_seq: int
    timestamp: int
    price: float
    amount: float
    direction: str
    index_price: Number = None
    combo_id: Name = None
    block_trade_id: Name = None
    block_rfq_id: Name = None
    liquidation: Name = None


class PrintParams(msgspec.Struct):
    """Of a notification of trades."""

    data: list[Print]


class PrintFrame(msgspec.Struct):
    """A notification of trades."""

    params: PrintParams


class Index(msgspec.Struct):
    """The index: what spot is."""

    price: float
    timestamp: int = 0
    index_name: str = ""


class RpcError(msgspec.Struct):
    """Why a call failed."""

    code: int
    message: str = ""
    data: msgspec.Raw = _RAW


class Envelope(msgspec.Struct):
    """Any message, what it holds not yet decoded."""

    id: int | None = None
    method: str = ""
    params: msgspec.Raw = _RAW
    result: msgspec.Raw = _RAW
    error: RpcError | None = None
    usOut: int = 0  # noqa: N815  the venue's spelling
    """Microseconds since 1970 by the venue's clock."""


class Notice(msgspec.Struct):
    """Of a notification: which channel, what."""

    channel: str = ""
    data: msgspec.Raw = _RAW
    type: str = ""
    """Of a heartbeat."""


class Instrument(msgspec.Struct):
    """One option that is listed."""

    instrument_name: str
    kind: str = "option"
    is_active: bool = True
    tick_size: Number = None
    price_index: str = ""


class Summary(msgspec.Struct):
    """One option in the summary of all."""

    instrument_name: str
    creation_timestamp: int = 0
    bid_price: Number = None
    ask_price: Number = None
    underlying_price: Number = None
    estimated_delivery_price: Number = None
    open_interest: Number = None
    mark_iv: Number = None


class History(msgspec.Struct):
    """A page of past trades."""

    trades: list[Print]
    has_more: bool = False


TICKER = msgspec.json.Decoder(TickerFrame)
PRINTS = msgspec.json.Decoder(PrintFrame)
ENVELOPE = msgspec.json.Decoder(Envelope)
NOTICE = msgspec.json.Decoder(Notice)
TICKER_DATA = msgspec.json.Decoder(Ticker)
PRINT_DATA = msgspec.json.Decoder(list[Print])
INDEX = msgspec.json.Decoder(Index)
INSTRUMENTS = msgspec.json.Decoder(list[Instrument])
SUMMARIES = msgspec.json.Decoder(list[Summary])
HISTORY = msgspec.json.Decoder(History)
CHANNELS = msgspec.json.Decoder(list[str])
