"""Deribit's tickers to columns, gathered and flushed as a busy second would.

The other side is decoding alone, with the same library: into objects with just the fields
that are used, and into dictionaries as a client without types does it.
"""

from __future__ import annotations

import json

import msgspec
import numpy as np

from benchmarks.harness import Row, medians
from gexterm.feeds.deribit import make
from gexterm.feeds.deribit import messages as m
from gexterm.feeds.venue import FeedOptions

_NOW = 1_763_658_000_000
_CONTRACTS, _FRAMES, _FLUSHED = 800, 20_000, 1_000


def _frames() -> list[bytes]:
    rng = np.random.default_rng(7)
    names = [
        f"BTC-28NOV25-{strike}-{right}" for strike in range(60_000, 100_000, 100) for right in "CP"
    ][:_CONTRACTS]
    picked, bids = rng.integers(0, len(names), _FRAMES), rng.uniform(0.001, 0.2, _FRAMES)
    return [
        _frame(names[n], float(bid), i) for i, (n, bid) in enumerate(zip(picked, bids, strict=True))
    ]


def _frame(name: str, bid: float, i: int) -> bytes:
    data = {
        "timestamp": _NOW + i // 20,
        "state": "open",
        "stats": {"high": None, "low": None, "price_change": None, "volume": 1.5},
        "greeks": {"delta": 0.51, "gamma": 2e-5, "vega": 44.1, "theta": -61.2, "rho": 8.3},
        "index_price": 87_123.45,
        "instrument_name": name,
        "last_price": round(bid, 4),
        "settlement_price": 0.0312,
        "min_price": 0.0001,
        "max_price": 0.3,
        "open_interest": 512.3,
        "mark_price": round(bid + 0.0005, 4),
        "best_ask_price": round(bid + 0.001, 4),
        "best_bid_price": round(bid, 4),
        "interest_rate": 0.0,
        "estimated_delivery_price": 87_123.45,
        "best_ask_amount": 12.5,
        "best_bid_amount": 3.1,
        "mark_iv": 48.2,
        "bid_iv": 47.9,
        "ask_iv": 48.6,
        "underlying_price": 87_456.78,
        "underlying_index": "BTC-28NOV25",
    }
    params = {"channel": f"ticker.{name}.100ms", "data": data}
    told = {"jsonrpc": "2.0", "method": "subscription", "params": params}
    return json.dumps(told, separators=(",", ":")).encode()


def run() -> list[Row]:
    """What a ticker costs, from bytes to columns."""
    frames = _frames()
    protocol = make("BTC", {}, FeedOptions(back_fill_s=0.0))
    now = _NOW * 1_000_000
    for frame in frames:
        protocol.receive(frame, now)
    # As if it had been connected for a minute: nothing is waited for any more.
    protocol.on_timer(now + 120_000_000_000)
    protocol.flush()

    def ours() -> None:
        for i, frame in enumerate(frames):
            protocol.receive(frame, now)
            protocol.outgoing()
            if i % _FLUSHED == _FLUSHED - 1 and not protocol.flush():
                raise RuntimeError("nothing came of a thousand tickers")

    def typed() -> None:
        decode = m.TICKER.decode
        for frame in frames:
            decode(frame)

    def plain() -> None:
        decode = msgspec.json.decode
        for frame in frames:
            decode(frame)

    took = medians({"ours": ours, "typed": typed, "plain": plain}, runs=9)
    return [
        Row("tickers to columns, flushed every 1,000", _FRAMES / took["ours"], "/s"),
        Row("decoding alone, only the fields used", _FRAMES / took["typed"], "/s"),
        Row("to columns / that", took["typed"] / took["ours"], "x"),
        Row("to columns / decoding to dictionaries", took["plain"] / took["ours"], "x"),
    ]
